/*
 * A BIOS image of 64 KiB in which four CPUs draw without end: the first one changes the size and the depth of the
 * picture, two fill linear display memory, the last one goes through the window at 0xa0000, whose bank it changes (in
 * 16 colours, planes). Each says its digit at the debug console (port 0xe9) now and then.
 */
#include "image.h"

    .set APIC, 0xfee00000
    .set FRAME, 0xe0000000
    .set SIZE, 0x40000          /* bytes of it that are filled */
    .set READY, 0x500
    .set LOCK, 0x504            /* of the VBE's two ports */
    .set START, 0x8000          /* of the other CPUs */

    .macro config register, value
    movl $(0x80001000 + \register), %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movl $\value, %eax
    movw $0xcfc, %dx
    outl %eax, %dx
    .endm

/* register = value of AX, the lock held */
    .macro vbe register
    pushw %ax
    movw $0x1ce, %dx
    movw $\register, %ax
    outw %ax, %dx
    incw %dx
    popw %ax
    outw %ax, %dx
    .endm

    .macro lock_vbe
9:  pause
    lock btsw $0, LOCK
    jc 9b
    .endm

    .macro unlock_vbe
    movw $0, LOCK
    .endm

    .macro port number, value
    movw $\number, %dx
    movb $\value, %al
    outb %al, %dx
    .endm

    .code16
    .globl start
start:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movl $0, READY
    movl $0, LOCK
    movb $0xea, START           /* ljmp $0xf000, $other */
    movw $(other - start), START + 1
    movw $0xf000, START + 3
    movw $0x7000, %sp
    call begin
    config 0x10, FRAME
    config 0x04, 7
    port 0x3c0, 0x20            /* the screen on */
    port 0x3c2, 0x67
    port 0x3c4, 0x02            /* all planes */
    port 0x3c5, 0x0f
    port 0x3c4, 0x04
    port 0x3c5, 0x06
    port 0x3ce, 0x05
    port 0x3cf, 0x00
    port 0x3ce, 0x06
    port 0x3cf, 0x05
    port 0x3ce, 0x08
    port 0x3cf, 0xff
    xorw %si, %si
    call next_mode
    movl $0x000c4500, %fs:0x300(%edi) /* INIT and start-up to all others */
    movl $100000, %ecx
1:  loopl 1b
    movl $0x000c4608, %fs:0x300(%edi)
    jmp work

other:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw $0x7800, %sp
    call begin
    movw %bp, %ax
    shlw $8, %ax
    addw %ax, %sp               /* 256 bytes each */

work:
    lock incl READY
1:  pause
    cmpl $4, READY
    jne 1b
    xorl %ebx, %ebx
    cmpw $0, %bp
    je modes
    cmpw $3, %bp
    je banks

/* Every second 4 KiB each, a colour that goes round. */
fill:
    movl $FRAME, %edi
    movl %ebp, %eax
    decl %eax
    shll $12, %eax
    addl %eax, %edi
1:  movl $1024, %ecx
2:  movl %ebx, %fs:(%edi)
    addl $4, %edi
    loopl 2b
    addl $0x00030507, %ebx
    addl $4096, %edi
    cmpl $(FRAME + SIZE), %edi
    jb 1b
    call say
    jmp fill

modes:
    movl $20000, %ecx
1:  pause
    loopl 1b
    lock_vbe
    call next_mode
    unlock_vbe
    port 0x3c8, 0               /* another palette */
    movw $0x3c9, %dx
    movw $768, %cx
1:  movb %cl, %al
    addb %bl, %al
    andb $63, %al
    outb %al, %dx
    loop 1b
    incl %ebx
    call say
    jmp modes

banks:
    lock_vbe
    movw %bx, %ax
    andw $3, %ax
    vbe 5
    unlock_vbe
    movl $0xa0000, %edi
    movl $512, %ecx
1:  movb %bl, %fs:(%edi)
    addl $97, %edi
    loopl 1b
    incl %ebx
    call say
    jmp banks

say:
    movw %bp, %ax
    addb $'0', %al
    outb %al, $0xe9
    ret

/* Width, height, bits; SI goes round. */
    .balign 2
table:
    .word 320, 200, 32, 400, 150, 16, 320, 240, 8, 640, 200, 4
table_end:

next_mode:
    xorw %ax, %ax
    vbe 4
    movw %cs:(table - start)(%si), %ax
    vbe 1
    movw %cs:(table - start + 2)(%si), %ax
    vbe 2
    movw %cs:(table - start + 4)(%si), %ax
    vbe 3
    movw $0xc1, %ax             /* linear, nothing cleared */
    vbe 4
    addw $6, %si
    cmpw $(table_end - table), %si
    jb 1f
    xorw %si, %si
1:  ret

/* A stack, the whole address space by FS, the local APIC, and this CPU's number in BP. */
begin:
    movw %ax, %ss
    movl $APIC, %edi
    big_real
    movl $0x1ff, %fs:0xf0(%edi)
    movl %fs:0x20(%edi), %ebp
    shrl $24, %ebp
    ret

    end_of_image
