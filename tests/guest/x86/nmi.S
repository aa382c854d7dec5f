/*
 * A BIOS image of 64 KiB in which four CPUs wait for NMIs from outside: 0 and 1 are halted with interrupts off,
 * 2 spins, and 3 spins with its LINT1 masked. A handler says "A" + n at its beginning at the debug console (port
 * 0xe9) and "a" + n at its end; it does not end while the scratch register at port 0x84 is not 0. Halted CPUs
 * say the digit n when an NMI has woken them. "r" is said when all four wait.
 */
#include "image.h"

    .set READY, 0x604
    .set SCRATCH, 0x84

/* The whole address space by FS, the local APIC on, and NMIs at its LINT1. */
    .macro begin
    big_real
    apic 0xf0, 0x1ff
    apic 0x360, 0x00000400
    .endm

/* CL: which CPU this is. */
    .macro number
    addr32 movl %fs:APIC + 0x20, %ecx
    shrl $24, %ecx
    .endm

    .code16
    .globl start
start:
    begin_real 0x7000
    movl $0, READY
    vector 2, nmi
    xorb %al, %al
    outb %al, $SCRATCH
    begin
    start_others other
1:  pause
    cmpl $3, READY
    jb 1b
    number
    movb $'r', %al
    outb %al, $0xe9
    jmp halted

other:
    begin_real 0x7800
    begin
    number
    movzbw %cl, %ax
    shlw $8, %ax
    addw %ax, %sp               /* 256 bytes each */
    cmpb $3, %cl
    jne 2f
    apic 0x360, 0x00010400
2:  lock incl READY
    cmpb $1, %cl
    je halted
3:  pause
    jmp 3b

halted:
    hlt
    movb %cl, %al
    addb $'0', %al
    outb %al, $0xe9
    jmp halted

nmi:
    pushw %ax
    movb %cl, %al
    addb $'A', %al
    outb %al, $0xe9
1:  inb $SCRATCH, %al
    testb %al, %al
    jnz 1b
    movb %cl, %al
    addb $'a', %al
    outb %al, $0xe9
    popw %ax
    iret

    end_of_image
