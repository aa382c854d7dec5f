/*
 * A BIOS image that does one thing ROUNDS times and ends the machine by isa-debug-exit: what leaving
 * and entering a guest costs. KIND 0: a port is read; 1: a device's memory is read; 2: an interrupt
 * to itself is taken; 3: nothing but counting.
 */
#include "../../tests/guest/x86/image.h"

    .code16
    .globl start
start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7000, %sp
    big_real
    .if KIND == 2
    movw $(taken - start), 0x31 * 4
    movw $0xf000, 0x31 * 4 + 2
    movl $0x1b, %ecx            /* x2APIC mode */
    rdmsr
    orw $0xc00, %ax
    wrmsr
    movl $0x80f, %ecx
    movl $0x1ff, %eax
    xorl %edx, %edx
    wrmsr
    sti
    .endif
    movl $ROUNDS, %esi
1:
    .if KIND == 0
    inb $0x92, %al
    .elseif KIND == 1
    movl $0xfed000f0, %ebx
    movl %fs:(%ebx), %eax
    .elseif KIND == 2
    movl $0x83f, %ecx
    movl $0x31, %eax
    xorl %edx, %edx
    wrmsr
    nop
    .endif
    decl %esi
    jnz 1b
    movw $0x501, %dx
    movb $3, %al
    outb %al, %dx
2:  hlt
    jmp 2b

taken:
    movl $0x80b, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    iret

    end_of_image
