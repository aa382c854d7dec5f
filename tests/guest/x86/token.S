/*
 * A BIOS image of 64 KiB in which four CPUs hand round an interrupt: whoever gets it sends it to the
 * next. Every 32nd time it says "t" at the debug console (port 0xe9). Once lost it never comes again.
 * Two of the CPUs spin meanwhile, two are halted.
 */
#include "image.h"

    .set VECTOR, 0x40
    .set COUNT, 0x600
    .set READY, 0x604

    .code16
    .globl start
start:
    begin_real 0x7000
    movl $0, COUNT
    movl $0, READY
    vector VECTOR, token
    call begin
    start_others other
2:  pause
    cmpl $3, READY
    jne 2b
    apic 0x310, 0x01000000
    apic 0x300, 0x00004000 + VECTOR
    jmp idle

other:
    begin_real 0x7800
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

/* The whole address space by FS, and the local APIC on. */
begin:
    big_real
    apic 0xf0, 0x1ff
    ret

token:
    pushl %eax
    pushl %ebx
    movl $APIC, %ebx
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
