/*
 * A BIOS image that does one thing ROUNDS times, measures that by the time-stamp counter, does so
 * BATCHES times, says the least (eight hexadecimal digits to isa-debugcon) and ends the machine by
 * isa-debug-exit: what leaving and entering a guest costs, without the start of the program around
 * it, and in moments when nothing else disturbs it. KIND 0: a port is read; 1: a device's memory is
 * read; 2: an interrupt to itself is taken; 3: nothing but counting; 4: a serial port's interrupt is
 * asked for, comes by the I/O APIC, and is answered.
 */
#include "../../tests/guest/x86/image.h"

    .set BEGAN, 0x600           /* where the stack does not reach */
    .set LEAST, 0x604
    .set BATCH, 0x608

    .code16
    .globl start
start:
    begin_real 0x7000
    big_real
    .if KIND == 2 || KIND == 4
    vector 0x31, taken
    movl $0x1b, %ecx            /* x2APIC mode */
    rdmsr
    orw $0xc00, %ax
    wrmsr
    movl $0x80f, %ecx
    movl $0x1ff, %eax
    xorl %edx, %edx
    wrmsr
    .if KIND == 4
    movl $0xfec00000, %ebx      /* input 4: vector 0x31, edge, to the first CPU */
    movl $0x18, %fs:(%ebx)
    movl $0x31, %fs:0x10(%ebx)
    movl $0x19, %fs:(%ebx)
    movl $0, %fs:0x10(%ebx)
    movb $0x0b, %al             /* the port's line is connected by OUT2 */
    movw $0x3fc, %dx
    outb %al, %dx
    xorl %edi, %edi
    .endif
    sti
    .endif
    movl $0xffffffff, LEAST
    movl $BATCHES, BATCH
batch:
    rdtsc
    movl %eax, BEGAN
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
    .elseif KIND == 4
    movl %edi, %ebp
    movw $0x3f9, %dx
    movb $2, %al                /* tell when the transmitter is empty, which it is */
    outb %al, %dx
2:
    cmpl %ebp, %edi
    je 2b
    .endif
    decl %esi
    jnz 1b
    rdtsc
    subl BEGAN, %eax
    cmpl LEAST, %eax
    jae 2f
    movl %eax, LEAST
2:
    decl BATCH
    jnz batch
    movl LEAST, %ebx
    movw $8, %cx
2:
    roll $4, %ebx
    movb %bl, %al
    say_digit
    decw %cx
    jnz 2b
    leave_program

taken:
    pushl %eax
    pushl %ecx
    pushl %edx
    .if KIND == 4
    movw $0x3fa, %dx            /* takes the request back */
    inb %dx, %al
    movw $0x3f9, %dx
    xorb %al, %al
    outb %al, %dx
    incl %edi
    .endif
    movl $0x80b, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    popl %edx
    popl %ecx
    popl %eax
    iret

    end_of_image
