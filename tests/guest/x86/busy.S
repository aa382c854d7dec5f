/*
 * A BIOS image of 64 KiB that keeps four CPUs busy with work of which nothing may be lost. Each one, over and over,
 * looks at its registers and at the time-stamp counter, counts in a register, in memory of its own and in memory of
 * all, and sends an interrupt and an NMI to the next CPU when that has taken the last one; its APIC's timer is set anew
 * by its interrupt. So whatever is lost once never comes again, and its counter stands.
 *
 * Every 16th interrupt CPU n says the letter "a" + n at the debug console (port 0xe9), every 16th NMI the digit n,
 * every 16th tick of its timer "A" + n; "X" if a register has changed, "Y" if time has gone back. Counters are at BLOCK.
 */
#include "image.h"

    .set IPI, 0x40
    .set TICK, 0x41
    .set TICK_COUNT, 1000000    /* of the bus's clock, undivided */
    .set LOOPS, 0x500           /* of all CPUs */
    .set READY, 0x504
    .set BLOCK, 0x600           /* of a CPU, which has it in ES; 64 bytes each */

/* in a block */
    .set GOT_IPI, 0x00
    .set SENT_IPI, 0x04
    .set GOT_NMI, 0x08
    .set SENT_NMI, 0x0c
    .set TICKS, 0x10
    .set MY_LOOPS, 0x14
    .set TIME, 0x18
    .set MY_ID, 0x20            /* APIC ID in its place, bits 24 up */
    .set NEXT, 0x24             /* block of the next CPU */
    .set NEXT_ID, 0x28

/* Once sent, the next CPU is to count it: ICR is free again by then. */
    .macro send sent, got, how
    movw %es:NEXT, %bx
    movl %es:\sent, %eax
    cmpl %eax, \got(%bx)
    jne 9f
    incl %es:\sent
    movl %es:NEXT_ID, %eax
    movl %eax, %fs:0x310(%edi)
    apic 0x300, \how
9:
    .endm

/* Says MY_ID + LETTER when the low bits of a counter are 0. AX is free. */
    .macro say_every counter, mask, letter
    testl $\mask, %es:\counter
    jnz 9f
    movb %es:MY_ID + 3, %al
    addb $\letter, %al
    outb %al, $0xe9
9:
    .endm

    .code16
    .globl start
start:
    begin_real 0x7000
    movw %ax, %es
    movw $LOOPS, %di
    movw $0x100, %cx
    rep stosl
    vector 2, nmi
    vector IPI, ipi
    vector TICK, tick
    call begin
    start_others other
    jmp work

other:
    begin_real 0x7800
    call begin
    movl %es:MY_ID, %eax
    shrl $16, %eax
    addw %ax, %sp               /* 256 bytes each */

work:
    lock incl READY
1:  pause
    cmpl $4, READY
    jne 1b
    apic 0x320, TICK
    apic 0x3e0, 0x0b
    apic 0x380, TICK_COUNT
    xorl %ecx, %ecx
    movl %es:MY_ID, %ebp
    orl $0x5a5a, %ebp
    movl $0x12345678, %esi
    sti
again:
    incl %ecx
    incl %es:MY_LOOPS
    lock incl LOOPS
    send SENT_IPI, GOT_IPI, 0x00004000 + IPI
    send SENT_NMI, GOT_NMI, 0x00004400
    rdtsc
    cmpl %es:TIME + 4, %edx
    jb back
    ja 1f
    cmpl %es:TIME, %eax
    jb back
1:  movl %eax, %es:TIME
    movl %edx, %es:TIME + 4
    cmpl %es:MY_LOOPS, %ecx
    jne changed
    movl %es:MY_ID, %eax
    orl $0x5a5a, %eax
    cmpl %eax, %ebp
    jne changed
    cmpl $0x12345678, %esi
    jne changed
    cmpl $APIC, %edi
    je again
changed:
    movb $'X', %al
    jmp 1f
back:
    movb $'Y', %al
1:  outb %al, $0xe9
    jmp 1b

/* The whole address space by FS, the local APIC, and this CPU's block in ES. */
begin:
    movl $APIC, %edi
    big_real
    apic 0xf0, 0x1ff
    movl %fs:0x20(%edi), %eax
    movl %eax, %ecx
    shrl $22, %eax              /* a block has four paragraphs */
    addw $(BLOCK / 16), %ax
    movw %ax, %es
    movl %ecx, %es:MY_ID
    addl $0x01000000, %ecx
    andl $0x03000000, %ecx
    movl %ecx, %es:NEXT_ID
    shrl $18, %ecx
    addw $BLOCK, %cx
    movw %cx, %es:NEXT
    ret

ipi:
    pushw %ax
    incl %es:GOT_IPI
    apic 0xb0, 0
    say_every GOT_IPI, 0x0f, 'a'
    popw %ax
    iret

tick:
    pushw %ax
    incl %es:TICKS
    apic 0xb0, 0
    say_every TICKS, 0x0f, 'A'
    apic 0x380, TICK_COUNT
    popw %ax
    iret

nmi:
    pushw %ax
    incl %es:GOT_NMI
    say_every GOT_NMI, 0x0f, '0'
    popw %ax
    iret

    end_of_image
