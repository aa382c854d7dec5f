/*
 * The head of a BIOS image of 64 KiB whose rest is random. The low bits of the byte at `kind` say how it goes there: 1
 * in 32-bit code, 2 in 64-bit code with page tables of its own, with devices' addresses in registers; else in real
 * mode. Of 64-bit code each exception and interrupt goes on somewhere else in it; what nothing can go on from is a
 * triple fault.
 */
#include "image.h"

    .set TABLES, 0x10000        /* 4 GiB in pages of 2 MiB */
    .set IDT, 0x20000
    .set IDT_REGISTER, 0x600
    .set PLACE, 0x610           /* in the random code */

    .macro devices
    movl $0xfee00300, %eax
    movl $0xfed00000, %ebx
    movl $0xa0000, %ecx
    movl $0x3f8, %edx
    movl $0xfec00010, %esi
    movl $0xb8000, %edi
    movl $0x7000, %esp
    movl $0x100000, %ebp
    .endm

    .code16
    .globl start
start:
    begin_real 0x7000
    movb %cs:(kind - start), %bl
    andb $3, %bl
    jz wild
    cmpb $3, %bl
    je wild
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
    cmpb $2, %bl
    je to_long
    devices
    jmp wild
to_long:
    movl $TABLES, %edi
    movl %edi, %cr3
    xorl %eax, %eax
    movl $0x800, %ecx
    rep stosl
    movl $TABLES + 0x1007, TABLES
    movl $TABLES + 0x2007, TABLES + 0x1000
    movl $TABLES + 0x3007, TABLES + 0x1008
    movl $TABLES + 0x4007, TABLES + 0x1010
    movl $TABLES + 0x5007, TABLES + 0x1018
    movl $0x87, %eax
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $8, %edi
    addl $0x200000, %eax
    jnc 1b
    movl $IDT, %edi
2:  movl $0x180000 + again - start, (%edi)
    movl $0xf8e00, 4(%edi)
    movl $0, 8(%edi)
    addl $16, %edi
    cmpl $IDT + 0x1000, %edi
    jb 2b
    movw $0xfff, IDT_REGISTER
    movl $IDT, IDT_REGISTER + 2
    lidtl IDT_REGISTER
    movl $0x620, %eax           /* PAE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    movl $0x901, %eax           /* NXE, LME, SCE */
    xorl %edx, %edx
    wrmsr
    movl $0x80000033, %eax
    movl %eax, %cr0
    ljmpl $0x18, $0xf0000 + again - start
    .code64
again:
    movl PLACE, %eax
    imull $0x41c64e6d, %eax, %eax
    addl $12345, %eax
    movl %eax, PLACE
    shrl $16, %eax
    orl $0xf0200, %eax
    movl $0x7000, %esp
    pushq %rax
    devices
    movl $0x6ff8, %esp
    ret
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x00af9b000000ffff
gdtr:
    .word 31
    .long 0xf0000 + gdt - start
    .org 0x1ff
kind:
    .byte 0
wild:
