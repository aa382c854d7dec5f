/*
 * A BIOS image of 64 KiB in which four CPUs hand round an interrupt: whoever gets it sends it to the
 * next. Every 32nd time it says "t" at the debug console (port 0xe9). Once lost it never comes again.
 * Two of the CPUs spin meanwhile, two are halted.
 */
#include "image.h"

    .set APIC, 0xfee00000
    .set VECTOR, 0x40
    .set COUNT, 0x600
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
    movl $0, COUNT
    movl $0, READY
    movw $(token - start), VECTOR * 4
    movw $0xf000, VECTOR * 4 + 2
    movb $0xea, START           /* ljmp $0xf000, $other */
    movw $(other - start), START + 1
    movw $0xf000, START + 3
    movw $0x7000, %sp
    call begin
    apic 0x300, 0x000c4500      /* INIT and start-up to all others */
    movl $100000, %ecx
1:  loopl 1b
    apic 0x300, 0x000c4608
2:  pause
    cmpl $3, READY
    jne 2b
    apic 0x310, 0x01000000
    apic 0x300, 0x00004000 + VECTOR
    jmp idle

other:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw $0x7800, %sp
    call begin
    movl $APIC, %ebx
    movl %fs:0x20(%ebx), %eax
    shrl $16, %eax
    addw %ax, %sp               /* 256 bytes each */
    lock incl READY
idle:
    movl $APIC, %ebx
    movl %fs:0x20(%ebx), %eax
    sti
    testl $0x02000000, %eax
    jnz 2f
1:  pause
    jmp 1b
2:  hlt
    jmp 2b

/* A stack, the whole address space by FS, and the local APIC on. */
begin:
    movw %ax, %ss
    big_real
    apic 0xf0, 0x1ff
    ret

token:
    pushl %eax
    pushl %ebx
    apic 0xb0, 0
    incl COUNT
    testb $31, COUNT
    jnz 1f
    movb $'t', %al
    outb %al, $0xe9
1:  movl %fs:0x20(%ebx), %eax
    addl $0x01000000, %eax
    andl $0x03000000, %eax
    movl %eax, %fs:0x310(%ebx)
    movl $(0x00004000 + VECTOR), %fs:0x300(%ebx)
    popl %ebx
    popl %eax
    iret

    end_of_image
