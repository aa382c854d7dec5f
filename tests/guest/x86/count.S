/*
 * A BIOS image of 64 KiB that starts all other CPUs, and says how many there are: two hexadecimal
 * digits at the debug console (port 0xe9). isa-debug-exit at port 0x501 ends it.
 */
#include "image.h"

    .set APIC, 0xfee00000
    .set READY, 0x604
    .set START, 0x8000          /* of the other CPUs */

    .macro apic register, value
    movl $APIC, %ebx
    movl $\value, %fs:\register(%ebx)
    .endm

    .code16
    .globl start
start:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7000, %sp
    movl $1, READY
    movb $0xea, START           /* ljmp $0xf000, $other */
    movw $(other - start), START + 1
    movw $0xf000, START + 3
    big_real
    apic 0xf0, 0x1ff
    apic 0x300, 0x000c4500      /* INIT and start-up to all others */
    movl $1000, %ecx
1:  inb $0x61, %al
    loopl 1b
    apic 0x300, 0x000c4608
    movw $5, %ax                /* fw_cfg: how many there shall be */
    movw $0x510, %dx
    outw %ax, %dx
    incw %dx
    inb %dx, %al
    movzbl %al, %ecx
2:  cmpl %ecx, READY
    jb 2b
    movb READY, %al
    call hex
    movb READY, %al
    call hex
    movw $0x501, %dx
    movb $3, %al
    outb %al, %dx
3:  hlt
    jmp 3b

hex:                            /* a digit, the high one first */
    rolb $4, %al
    movb %al, READY
    andb $15, %al
    addb $'0', %al
    cmpb $'9', %al
    jbe 1f
    addb $('a' - '9' - 1), %al
1:  outb %al, $0xe9
    ret

other:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    lock incl READY
1:  hlt
    jmp 1b

    end_of_image
