/*
 * A BIOS image of 64 KiB that resets the machine in each way, from a state that a reset must undo, and
 * says what it finds afterwards: registers, descriptor tables, the A20 line, what RAM kept. Also what real
 * mode does at the ends of segments. Text goes to the debug console at port 0xe9.
 */
#include "image.h"

    .set STAGE, 0x40            /* in CMOS */
    .set KEPT, 0x600

    .macro show register
    .ifnc \register,%eax
    movl \register, %eax
    .endif
    call hex32
    .endm

    .code16
    .globl start
start:
    movl %edx, %ebp             /* the processor's signature */
    pushfw
    popw %di
    movw %sp, %bx
    movw %ss, %cx
    movw $0x7000, %sp
    orl %esi, %eax              /* 0 */
    call hex32
    movw %di, %ax
    call hex16
    movw %bx, %ax
    call hex16
    movw %cx, %ax
    call hex16
    movw %ds, %ax
    call hex16
    movw %es, %ax
    call hex16
    movw %fs, %ax
    call hex16
    movw %gs, %ax
    call hex16
    testl %ebp, %ebp
    setnz %al
    call hex8
    show %cr0
    show %cr2
    show %cr3
    movl %cr4, %eax
    call hex32
    movl %dr7, %eax
    call hex32
    movl %dr0, %eax
    call hex32
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    sidtl 0x500
    movw 0x500, %ax             /* limits and bases */
    call hex16
    movl 0x502, %eax
    call hex32
    sgdtl 0x500
    movw 0x500, %ax
    call hex16
    movl 0x502, %eax
    call hex32
    movl KEPT, %eax
    call hex32
    movb $0, 0x610              /* A20: 1 MiB up is another byte */
    movw $0xffff, %ax
    movw %ax, %es
    movb $0x11, %es:0x620
    movb 0x610, %al
    call hex8
    movb $10, %al
    outb %al, $0xe9

    movb $STAGE, %al
    outb %al, $0x70
    inb $0x71, %al
    incb %al
    outb %al, $0x71
    movzbw %al, %bx
    movl $0x12345678, %eax      /* what is to be gone afterwards */
    movl %eax, KEPT
    movl %eax, %cr2
    movl %eax, %dr0
    movl $0x400, %eax
    movl %eax, %dr7
    movl $0x10, %eax
    movl %eax, %cr4
    movl $0x5000, %eax
    movl %eax, %cr3
    lidtl %cs:(some - start)
    std
    movw $0x1234, %ax
    movw %ax, %ds
    movw %ax, %fs
    movl $0xdeadbeef, %esi
    cmpb $1, %bl
    je by_8042
    cmpb $2, %bl
    je by_92
    cmpb $3, %bl
    je by_cf9
    cmpb $4, %bl
    je by_fault
    cmpb $5, %bl
    je by_a20
    leave_program
wait:
    hlt
    jmp wait

by_8042:
    movb $0xfe, %al
    outb %al, $0x64
    jmp wait
by_92:
    inb $0x92, %al
    andb $0xfe, %al
    outb %al, $0x92
    orb $1, %al
    outb %al, $0x92
    jmp wait
by_cf9:
    movw $0xcf9, %dx
    movb $2, %al
    outb %al, %dx
    movb $6, %al
    outb %al, %dx
    jmp wait
by_fault:
    lidtl %cs:(none - start)    /* in protected mode: some KVMs ignore the limit in real mode */
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ud2
    jmp wait

/* A20 by the keyboard's controller: off and on, then off by port 0x92, and a reset with it off. */
by_a20:
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movb $0xdd, %ah
    call a20
    movb $0xdf, %ah
    call a20
    inb $0x92, %al
    andb $0xfc, %al
    outb %al, $0x92
    call look
    movw $0xb090, 0x10          /* code at 1 MiB is that at 0: nop; movb $0x77, %al; lret */
    movw $0xcb77, 0x12
    lcall $0xffff, $0x20
    call hex8
    movw $0xffff, %ax           /* strings wrap with it */
    movw %ax, %es
    movw $0x0010 + 0x700, %di
    movw $4, %cx
    movb $0x3c, %al
    rep stosb
    movl 0x700, %eax
    call hex32
    movb $10, %al
    outb %al, $0xe9
    movb $0xfe, %al
    outb %al, $0x64
    jmp wait

a20:                            /* AH: the controller's output port */
    movb $0xd1, %al
    outb %al, $0x64
1:  inb $0x64, %al
    testb $2, %al
    jnz 1b
    movb %ah, %al
    outb %al, $0x60
2:  inb $0x64, %al
    testb $2, %al
    jnz 2b
look:
    movb $0, 0x610
    movw $0xffff, %ax
    movw %ax, %es
    movb $0x22, %es:0x620
    movb 0x610, %al
    call hex8
    movb $0x33, 0x610
    movb %es:0x620, %al

hex8:
    pushw %ax
    shrb $4, %al
    call digit
    popw %ax
    pushw %ax
    call digit
    movb $' ', %al
    outb %al, $0xe9
    popw %ax
    ret
digit:
    say_digit
    ret
hex32:
    rorl $16, %eax
    call hex16
    rorl $16, %eax
hex16:
    xchgb %al, %ah
    call hex8
    xchgb %al, %ah
    jmp hex8

some:
    .word 0x123
    .long 0x45678
none:
    .word 0
    .long 0

    end_of_image
