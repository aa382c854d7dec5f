/*
 * Where the processors start, where interrupts arrive, and the ways between the modes. Segment
 * 0xf000 is RAM once start-up has shadowed it: code, constants, variables and stacks of the 16-bit
 * part are all in it, so that C sees one flat space of 64 KiB.
 */
#define SEG       0xf000
#define BASE      0xf0000
#define HIGH      0xffff0000 /* the same segment in ROM */
#define LEVEL     0x800      /* bytes of stack for each nested change to ours */
#define FRAME     48         /* struct regs */
#define CODE32    0x08
#define DATA32    0x10
#define CODE16    0x18
#define DATA16    0x20
#define WAKE      0xfe       /* CMOS byte 0x0f: woken up, RAM is as it was */

    .code16
/* ---- an application processor: SIPI vector 0xf0 ---- */
    .section .ap, "ax"
    cli
    cld
    movw $SEG, %ax
    movw %ax, %ds
    movw $mtrr_list, %si
    movw mtrr_count, %di
1:  testw %di, %di
    jz 2f
    movl (%si), %ecx
    movl 4(%si), %eax
    movl 8(%si), %edx
    wrmsr
    addw $12, %si
    decw %di
    jmp 1b
2:  lock incw ap_count
3:  hlt
    jmp 3b

/* ---- power-on ---- */
    .section .reset, "ax"
    .globl reset
reset:
    ljmp $SEG, $entry
    .ascii "11/21/26"
    .byte 0, 0xfc, 0

    .text
    .globl entry
entry:
    cli
    cld
    movb $0x8f, %al             /* shutdown byte: a program that left protected mode by a reset */
    outb %al, $0x70
    inb $0x71, %al
    movb %al, %bl
    xorb %al, %al
    outb %al, $0x71
    cmpb $0x05, %bl
    je 1f
    cmpb $0x0a, %bl
    jne cold
    jmp 2f
1:  movb $0x20, %al
    outb %al, $0xa0
    outb %al, $0x20
2:  xorw %ax, %ax
    movw %ax, %ds
    ljmp *0x467

cold:
    lgdtl %cs:gdtr_high
    movl %cr0, %eax
    andl $0x9fffffff, %eax      /* caches on */
    orb $1, %al
    movl %eax, %cr0
    ljmpl $CODE32, $(HIGH + cold32)
    .code32
cold32:
    movw $DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    inb $0x92, %al              /* A20 */
    orb $2, %al
    andb $0xfe, %al
    outb %al, $0x92
    movl $0x80000000, %eax      /* i440FX: make RAM of 0xc0000 to 0xfffff (PAM0 to PAM6) */
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfc, %dx
    inl %dx, %eax
    cmpl $0x12378086, %eax
    jne 1f
    movl $0x80000058, %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfc, %dx
    inl %dx, %eax
    andl $0xff, %eax
    orl $0x33333000, %eax
    outl %eax, %dx
    movl $0x8000005c, %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movl $0x33333333, %eax
    movw $0xcfc, %dx
    outl %eax, %dx
1:  cmpb $WAKE, %bl
    jne 1f
    cmpl $WAKE, BASE + can_wake
    je 3f
    xorb %bl, %bl
1:  movl $0xfffe0000, %esi
    movl $0xe0000, %edi
    movl $0x8000, %ecx
    rep movsl
    xorl %eax, %eax
    movl $post_bss, %edi
    movl $post_bss_end, %ecx
    subl %edi, %ecx
    rep stosb
    movl $(BASE + low_bss), %edi
    movl $low_bss_end, %ecx
    subl $low_bss, %ecx
    rep stosb
3:  movl $stacks_end, %esp
    addl $BASE, %esp
    movl $(BASE + 1f), %eax     /* from the ROM to the RAM */
    jmp *%eax
1:  lgdtl BASE + gdtr
    movzbl %bl, %eax
    calll leave32
    .code16
    movw $stacks_end, stack_top
    cmpb $WAKE, %al
    je wake
    movl $WAKE, can_wake
    calll post
wake:
    calll wake_up
1:  hlt
    jmp 1b

/* Called by 32-bit code, returns to the 16-bit code behind the call. Keeps eax. Data segments but the
   stack's keep limits of 4 GiB: option ROMs are to be called so where there is a PMM (PMM 1.01, 3). */
    .code32
leave32:
    popl %edx
    subl $BASE, %edx
    subl $BASE, %esp
    ljmpl $CODE16, $1f
    .code16
1:  movw $DATA16, %bx
    movw %bx, %ss
    movw $DATA32, %bx
    movw %bx, %ds
    movw %bx, %es
    movw %bx, %fs
    movw %bx, %gs
    movl %cr0, %ebx
    andb $0xfe, %bl
    movl %ebx, %cr0
    ljmp $SEG, $1f
1:  movw $SEG, %bx
    movw %bx, %ds
    movw %bx, %es
    movw %bx, %ss
    lidtl idtr_real
    jmp *%dx

/* uint32_t call32(function, argument): a function of the 32-bit part. */
    .globl call32
call32:
    pushl %ebx
    pushl %esi
    pushl %edi
    pushl %ebp
    pushfl
    cli
    movl %eax, %ecx
    lgdtl gdtr
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $CODE32, $(BASE + 1f)
    .code32
1:  movw $DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    addl $BASE, %esp
    movl %edx, %eax
    calll *%ecx
    calll leave32
    .code16
    popfl
    popl %ebp
    popl %edi
    popl %esi
    popl %ebx
    retl

/* void move_high(to, from, bytes): physical addresses. */
    .globl move_high
move_high:
    pushl %ebx
    pushl %esi
    pushl %edi
    pushfl
    cli
    movl %eax, %edi
    movl %edx, %esi
    lgdtl gdtr
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $CODE32, $(BASE + 1f)
    .code32
1:  movw $DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    addl $BASE, %esp
    rep movsb
    calll leave32
    .code16
    popfl
    popl %edi
    popl %esi
    popl %ebx
    retl

/* void call_far(struct far_call *): sets registers, calls, reads registers back. */
    .globl call_far
call_far:
    pushl %ebx
    pushl %esi
    pushl %edi
    pushl %ebp
    pushl %eax
    movw %ax, %bp
    movw %cs:(%bp), %ax         /* the return address and the target, for two far returns */
    pushl %cs:0(%bp)
    movl %cs:4(%bp), %eax
    movl %cs:8(%bp), %ebx
    movl %cs:12(%bp), %edx
    movl %cs:16(%bp), %edi
    movw %cs:20(%bp), %es
    popl %cs:far_target
    lcall *%cs:far_target
    cli
    cld
    movw $SEG, %cx
    movw %cx, %ds
    movw %cx, %es
    popl %ecx
    movl %eax, 4(%ecx)
    popl %ebp
    popl %edi
    popl %esi
    popl %ebx
    retl

/* void boot_at(seg:offset, drive): leaves the BIOS, with a stack below the boot sector. */
    .globl boot_at
boot_at:
    xorl %ebx, %ebx
    movw %bx, %ss
    movl $0x7c00, %esp
    movw %bx, %ds
    movw %bx, %es
    pushw $BASE >> 16 << 12
    pushw $boot_returned
    pushl %eax
    xorl %eax, %eax
    xorl %ecx, %ecx
    xorl %esi, %esi
    xorl %edi, %edi
    xorl %ebp, %ebp
    sti
    lretw
boot_returned:
    int $0x18

/* ---- interrupts ---- */
/* An entry pushes its vector; what C changes in the frame is what the caller gets back. */
common:
    cld
    pushw %gs
    pushw %fs
    pushw %es
    pushw %ds
    pushal
    movw %ss, %dx
    movw $SEG, %ax
    cmpw %ax, %dx
    je same
    movw %dx, %ds
    movw %ax, %es
    movzwl %sp, %esi
    movl %esi, %ebx
    movzwl %cs:stack_top, %edi
    subw $(FRAME + 8), %di
    movl %edi, %ebp
    movw $(FRAME / 4), %cx
    rep movsl
    movw %ax, %ss
    movl %ebp, %esp
    movw %ax, %ds
    movl %ebx, FRAME(%ebp)
    movw %dx, FRAME + 4(%ebp)
    subw $LEVEL, stack_top
    movl %ebp, %eax
    calll dispatch
    cli
    addw $LEVEL, stack_top
    movw %sp, %si
    movw FRAME(%si), %di
    movw FRAME + 4(%si), %es
    movw %es, %dx
    movw %di, %bx
    movw $(FRAME / 4), %cx
    cld
    rep movsl
    movw %dx, %ss
    movzwl %bx, %esp
    jmp out
same:
    movw %ax, %ds
    movw %ax, %es
    movzwl %sp, %esp
    movl %esp, %eax
    calll dispatch
    cli
out:
    popal
    popw %ds
    popw %es
    popw %fs
    popw %gs
    addw $2, %sp
    iretw

    .macro entries from, to
    .set vector, \from
    .rept \to - \from + 1
    pushw $vector
    jmp common
    .balign 8
    .set vector, vector + 1
    .endr
    .endm
/* The vectors 0x08 to 0x1a and 0x70 to 0x77, 8 bytes each. */
    .balign 8
    .globl int_low, int_high, int_nothing, int_pnp, int_pmm
int_low:
    entries 0x08, 0x1a
int_high:
    entries 0x70, 0x77
int_nothing:
    iretw
/* PnP's entry point (PnP BIOS 1.0a): there are no nodes. */
int_pnp:
    movw $0x82, %ax
    lretw

/* PMM's entry point, with C's arguments on the stack; only DX:AX change. The way in is an
   interrupt's, whose frame leads back to 1. */
int_pmm:
    pushw %bp
    movw %sp, %bp
    pushal
    movw 6(%bp), %ax
    movl 8(%bp), %ebx
    movl 12(%bp), %ecx
    movw 16(%bp), %si
    pushfw
    pushw %cs
    pushw $1f
    pushw $0x6f
    jmp common
1:  movw %sp, %bp
    movw %ax, 28(%bp)
    movw %dx, 20(%bp)
    popal
    popw %bp
    lretw

/* INT 10h with a VGA's BIOS behind ours: ours sees the call, then the other one serves it. */
    .globl int10_mirror
int10_mirror:
    pushfw
    pushw %cs
    pushw $1f
    jmp int_low + (0x10 - 0x08) * 8
1:  ljmp *%cs:mirrored

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00009b0f0000ffff, 0x000093000000ffff
gdtr:
    .word gdtr - gdt - 1
    .long BASE + gdt
gdtr_high:
    .word gdtr - gdt - 1
    .long HIGH + gdt
idtr_real:
    .word 0x3ff
    .long 0

    .bss
    .globl can_wake, stack_top, far_target, mirrored, mtrr_list, mtrr_count, ap_count
    .balign 4
can_wake:   .long 0             /* WAKE: what is here is this BIOS's, not what RAM held by chance */
far_target: .long 0
mirrored:   .long 0
stack_top:  .word 0
mtrr_count: .word 0
ap_count:   .word 0
    .balign 4
mtrr_list:  .skip 12 * 32
