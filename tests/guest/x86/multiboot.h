/*
 * Macros of guests that a multiboot loader starts, and that go on with paging, in 32-bit code or, as
 * built, in 64-bit code. CODE_32 is their selector of flat 32-bit code, 0x10 that of data.
 */
#ifdef __x86_64__
#define WORD .quad
#else
#define WORD .long
#endif

#define MAGIC 0x1badb002
#define FLAGS 0x00010000

/* The header, with what the linker script says about the image. */
.macro multiboot_header
.section .multiboot, "a"
multiboot:
        .long MAGIC, FLAGS, -(MAGIC + FLAGS)
        .long multiboot, load_start, load_end, bss_end, start
.endm

/* Segments of a processor of which nothing is known. Uses EAX. */
.macro load_segments
        lgdt gdtr
        ljmp $CODE_32, $1f
1:      mov $0x10, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        mov %eax, %fs
        mov %eax, %gs
.endm

/* Bits that are set in CR4, the top table as an operand, bits that are set in EFER of 64-bit code. */
.macro start_paging cr4, table, efer
        mov %cr4, %eax
        or $\cr4, %eax
        mov %eax, %cr4
        mov \table, %eax
        mov %eax, %cr3
#ifdef __x86_64__
        mov $0xc0000080, %ecx
        rdmsr
        or $\efer, %eax
        wrmsr
#endif
        mov %cr0, %eax
        and $~0x0c, %eax                /* no EM, no TS */
        or $0x80010022, %eax            /* PG, WP, NE, MP */
        mov %eax, %cr0
.endm

/* To 32-bit or 64-bit code at `selector`, the IDT, and a call of the function in EDI. */
.macro go_on selector
#ifdef __x86_64__
        ljmp $\selector, $2f
.code64
2:      mov %esp, %esp
        mov %edi, %edi
        lidt idtr
        call *%rdi
#else
        ljmp $\selector, $2f
2:      lidt idtr
        call *%edi
#endif
3:      hlt
        jmp 3b
.endm

/* ap_start to ap_end: where another processor begins, copied to 0x8000, until it has data and stack segments. */
.macro processor_begins
.code16
.globl ap_start, ap_end
ap_start:
        cli
        xor %ax, %ax
        mov %ax, %ds
        lgdtl 0x8000 + ap_gdtr - ap_start
        mov %cr0, %eax
        or $1, %eax
        mov %eax, %cr0
        ljmpl $CODE_32, $ap_32
ap_gdtr:
        .word gdt_end - gdt - 1
        .long gdt
ap_end:
.code32
ap_32:
        mov $0x10, %eax
        mov %eax, %ds
        mov %eax, %ss
.endm
