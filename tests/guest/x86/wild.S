/*
 * The head of a BIOS image of 64 KiB whose rest is random: on an odd byte at PROTECTED it goes there in
 * 32-bit code with devices' addresses in registers, else in real mode.
 */
#include "image.h"

    .code16
    .globl start
start:
    begin_real 0x7000
    testb $1, %cs:(kind - start)
    jz wild
    lgdtl %cs:(gdtr - start)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $8, $0xf0000 + protected - start
    .code32
protected:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $0xfee00300, %eax
    movl $0xfed00000, %ebx
    movl $0xa0000, %ecx
    movl $0x3f8, %edx
    movl $0xfec00010, %esi
    movl $0xb8000, %edi
    movl $0x7000, %esp
    movl $0x100000, %ebp
    jmp wild
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
gdtr:
    .word 23
    .long 0xf0000 + gdt - start
    .org 0xff
kind:
    .byte 0
wild:
