/*
 * Multiboot entry: paging with pages of 4 KiB over the first 8 MiB, in 32-bit code or, as built, in
 * 64-bit code; exception stubs; and the same for a second processor.
 */
#define CODE_32 0x8
#include "../multiboot.h"

#ifdef __x86_64__
#define IDT_SIZE (33 * 16)
#else
#define IDT_SIZE (33 * 8)
#endif

multiboot_header

.section .text.start, "ax"
.code32
.globl start
start:
        cli
        mov $stack_end, %esp
        mov $main, %edi
        jmp enter

/* EDI: where to go on, ESP: the stack. */
enter:
        load_segments
        call make_tables
#ifdef __x86_64__
        start_paging 0x620, $top_table, 0x100    /* PAE, OSFXSR, OSXMMEXCPT; LME */
        fninit
        go_on 0x18
#else
        start_paging 0x600, $top_table, 0
        fninit
        go_on 0x08
#endif

.code32
make_tables:
        cmpl $0, tables_made
        jne 9f
        movl $1, tables_made
#ifdef __x86_64__
        movl $pdpt + 7, top_table
        movl $directory + 7, pdpt
        movl $page_table + 7, directory
        movl $page_table + 4096 + 7, directory + 8
        movl $page_table + 8192 + 7, directory + 16
        movl $page_table + 12288 + 7, directory + 24
        mov $7, %eax
        xor %ecx, %ecx
1:      mov %eax, page_table(, %ecx, 8)
        add $4096, %eax
        inc %ecx
        cmp $2048, %ecx
        jne 1b
        /* the local APIC's registers: 2 MiB at 0xfee00000 */
        movl $directory3 + 7, pdpt + 24
        movl $0xfee00093, directory3 + 503 * 8
#else
        movl $page_table + 7, top_table
        movl $page_table + 4096 + 7, top_table + 4
        mov $7, %eax
        xor %ecx, %ecx
1:      mov %eax, page_table(, %ecx, 4)
        add $4096, %eax
        inc %ecx
        cmp $2048, %ecx
        jne 1b
        movl $apic_table + 7, top_table + 4 * 1019
        movl $0xfee0001b, apic_table + 4 * 512
#endif
9:      ret

processor_begins
        mov $ap_stack_end, %esp
        mov $ap_main, %edi
        jmp enter

#ifdef __x86_64__
.code64
#endif

/* Vector and error code are on the stack; registers above. */
stub_common:
#ifdef __x86_64__
        push %r15; push %r14; push %r13; push %r12; push %r11; push %r10; push %r9; push %r8
        push %rdi; push %rsi; push %rbp; push %rbx; push %rdx; push %rcx; push %rax
        mov %rsp, %rdi
        mov %rsp, %rbp
        and $-16, %rsp
        call trap
        mov %rbp, %rsp
        pop %rax; pop %rcx; pop %rdx; pop %rbx; pop %rbp; pop %rsi; pop %rdi
        pop %r8; pop %r9; pop %r10; pop %r11; pop %r12; pop %r13; pop %r14; pop %r15
        add $16, %rsp
        iretq
#else
        pusha
        mov %esp, %eax
        push %eax
        call trap
        add $4, %esp
        popa
        add $8, %esp
        iret
#endif

.altmacro
.macro stub n
stub_\n:
        .if (\n != 8) && ((\n < 10) || (\n > 14)) && (\n != 17)
        push $0
        .endif
        push $\n
        jmp stub_common
.endm
.macro stub_address n
        WORD stub_\n
.endm
.set n, 0
.rept 33
        stub %n
        .set n, n + 1
.endr
        .section .rodata
        .globl stubs
stubs:
.set n, 0
.rept 33
        stub_address %n
        .set n, n + 1
.endr

.section .data
        .balign 8
.globl gdt
gdt:    .quad 0
        .quad 0x00cf9b000000ffff        /* 08: 32-bit code */
        .quad 0x00cf93000000ffff        /* 10: data */
        .quad 0x00af9b000000ffff        /* 18: 64-bit code */
gdt_end:
gdtr:   .word gdt_end - gdt - 1
        .long gdt
        .long 0
.globl idtr
idtr:   .word IDT_SIZE - 1
        WORD idt
tables_made: .long 0

.section .bss
        .balign 4096
.globl page_table
top_table: .skip 4096
#ifdef __x86_64__
pdpt:   .skip 4096
directory: .skip 4096
directory3: .skip 4096
#else
apic_table: .skip 4096
#endif
page_table: .skip 4 * 4096
.globl idt
idt:    .skip 1024
        .skip 16384
stack_end:
        .skip 16384
ap_stack_end:
