/*
 * A BIOS image of 64 KiB that draws: a band of a new colour in linear display memory for each byte
 * that comes on the first serial port, then, after four of them, through the planes at 0xa0000. It
 * says a letter at the debug console (port 0xe9) when it is done with each. Last come two bytes of
 * CMOS, whose index it writes and reads again.
 */
#include "image.h"

    .set FRAME, 0xe0000000
    .set WIDTH, 320
    .set BAND, WIDTH * 4 * 20   /* bytes of 20 lines */

    .macro config register, value
    movl $(0x80001000 + \register), %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movl $\value, %eax
    movw $0xcfc, %dx
    outl %eax, %dx
    .endm

    .macro vbe register, value
    movw $0x1ce, %dx
    movw $\register, %ax
    outw %ax, %dx
    incw %dx
    movw $\value, %ax
    outw %ax, %dx
    .endm

    .macro pair port, index, value
    movw $\port, %dx
    movw $(\value << 8 | \index), %ax
    outw %ax, %dx
    .endm

    .code16
    .globl start
start:
    begin_real 0x7000
    big_real

    config 0x10, FRAME
    config 0x04, 7
    vbe 4, 0
    vbe 1, WIDTH
    vbe 2, 200
    vbe 3, 32
    vbe 4, 0x41
    movw $0x3da, %dx            /* the screen on */
    inb %dx, %al
    movw $0x3c0, %dx
    movb $0x20, %al
    outb %al, %dx
    movw $0x3c2, %dx
    movb $0x67, %al
    outb %al, %dx

    movl $FRAME, %edi
    movl $0x00204060, %eax
    movw $4, %si
band:
    call wait
    movl $(BAND / 4), %ecx
1:  movl %eax, %fs:(%edi)
    addl $4, %edi
    decl %ecx
    jnz 1b
    addl $0x00402010, %eax
    pushw %ax
    movb $'b', %al
    outb %al, $0xe9
    popw %ax
    decw %si
    jnz band

    call wait
    vbe 4, 0                    /* 16 colours, in planes */
    vbe 3, 4
    vbe 4, 0x41
    pair 0x3c4, 4, 6
    pair 0x3ce, 5, 0
    pair 0x3ce, 6, 5
    pair 0x3ce, 8, 0xff
    movb $1, %bl
plane:
    movw $0x3c4, %dx
    movb $2, %al
    outb %al, %dx
    incw %dx
    movb %bl, %al
    outb %al, %dx
    movl $0xa0000, %edi
    movl $1000, %ecx
1:  movb %cl, %al
    xorb %bl, %al
    movb %al, %fs:(%edi)
    incl %edi
    loopl 1b
    shlb $1, %bl
    cmpb $16, %bl
    jne plane
    movl $0xa0003, %edi
    movb %fs:(%edi), %al        /* all of them are there now */
    call hex
    movb $'p', %al
    outb %al, $0xe9

    call wait
    movb $0x40, %al
    outb %al, $0x70
    movb $0x5a, %al
    outb %al, $0x71
    movb $0x41, %al
    outb %al, $0x70
    movb $0xa5, %al
    outb %al, $0x71
    movb $0x40, %al
    outb %al, $0x70
    inb $0x71, %al
    call hex
    movb $0x41, %al
    outb %al, $0x70
    inb $0x71, %al
    call hex
    movb $'c', %al
    outb %al, $0xe9
1:  jmp 1b

wait:
    pushl %eax
1:  movw $0x3fd, %dx
    inb %dx, %al
    testb $1, %al
    jz 1b
    movw $0x3f8, %dx
    inb %dx, %al
    popl %eax
    ret

hex:
    movb %al, %ah
    shrb $4, %al
    call digit
    movb %ah, %al
digit:
    say_digit
    ret

    end_of_image
