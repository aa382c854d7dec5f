/*
 * A BIOS image of 64 KiB that starts all other CPUs, and says how many there are: two hexadecimal
 * digits at the debug console (port 0xe9). isa-debug-exit at port 0x501 ends it.
 */
#include "image.h"

    .set READY, 0x604

    .code16
    .globl start
start:
    begin_real 0x7000
    movl $1, READY
    big_real
    apic 0xf0, 0x1ff
    start_others other
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
    leave_program

hex:                            /* a digit, the high one first */
    rolb $4, %al
    movb %al, READY
    say_digit
    ret

other:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    lock incl READY
1:  hlt
    jmp 1b

    end_of_image
