/*
 * A BIOS image that uses Hyper-V's interface (Microsoft's Top Level Functional Specification): says at the debug
 * console, port 0xe9, "none", or the leaves of CPUID and then a line for each thing that leaf 0x40000003 lets it try:
 *
 *      page        the page of hypercalls has code when it was switched on
 *      counter     the reference counter goes up
 *      reference   the page of the time-stamp counter has a sequence number and a factor
 *      index N     of the last of the processors
 *      timer       a synthetic timer sends its message
 *
 * A line begins with "no" if it is not so. In the end it says "set", and waits for 'x' at the serial port; then it says
 * what it had set in the MSRs, and leaves.
 */
#include "image.h"

    .set MAY, 0x500             /* EAX of leaf 0x40000003 */
    .set INDEX, 0x504
    .set CALLS, 0x9000          /* pages */
    .set CLOCK, 0xa000
    .set MESSAGES, 0xb000
    .set SLOT, MESSAGES + 2 * 256
    .set TIMER_EXPIRED, 0x80000010
    .set SERIAL, 0x3f8

    .macro may bits, no
    testl $\bits, MAY
    jz \no
    .endm

    .macro set_msr number, low
    movl $\number, %ecx
    movl $\low, %eax
    xorl %edx, %edx
    wrmsr
    .endm

    .macro get_msr number
    movl $\number, %ecx
    rdmsr
    .endm

/* A line, with "no" in front of it behind a comparison that found no `cc`. */
    .macro tell cc, text
    j\cc 1f
    movw $(no - start), %si
    call say
1:  movw $(2f - start), %si
    call say
    jmp 3f
2:  .asciz "\text\n"
3:
    .endm

    .code16
    .globl start
start:
    begin_real 0x7000
    big_real
    movl $0x40000001, %eax
    cpuid
    cmpl $0x31237648, %eax      /* "Hv#1" */
    je leaves
    movw $(none - start), %si
    call say
    leave_program

leaves:
    movl $0x40000000, %edi
1:
    movl %edi, %eax
    call hex
    movl %edi, %eax
    cpuid
    pushl %edx
    pushl %ecx
    call hex
    movl %ebx, %eax
    call hex
    popl %eax
    call hex
    popl %eax
    call hex
    call line
    incl %edi
    cmpl $0x40000006, %edi
    jbe 1b
    movl $0x40000003, %eax
    cpuid
    movl %eax, MAY

    set_msr 0x40000000, 0x1234
    set_msr 0x40000001, (CALLS + 1)
    cmpl $0, CALLS
    tell ne, "page"

    may 2, no_counter
    get_msr 0x40000020
    movl %eax, %ebx
    movl $100000, %ecx
1:  inb $0x61, %al
    loopl 1b
    get_msr 0x40000020
    subl %ebx, %eax
    cmpl $0, %eax
    tell g, "counter"
no_counter:

    may 0x200, no_reference
    set_msr 0x40000021, (CLOCK + 1)
    movl $100, %ecx
1:  inb $0x61, %al
    loopl 1b
    movl CLOCK + 8, %eax
    orl CLOCK + 12, %eax
    tell ne, "reference"
no_reference:

    may 0x40, no_index
    start_others other
    movl $1000000, %ecx
1:  inb $0x61, %al
    cmpb $0, INDEX
    loopel 1b
    movw $(index - start), %si
    call say
    movl INDEX, %eax
    call hex
    call line
no_index:

    may 8, no_timer
    apic 0xf0, 0x1ff            /* on: takes the interrupt that comes with the message */
    set_msr 0x40000080, 1
    set_msr 0x40000083, (MESSAGES + 1)
    set_msr 0x40000092, 0x50
    get_msr 0x40000020
    addl $100000, %eax          /* in 10 ms */
    adcl $0, %edx
    movl $0x400000b1, %ecx
    wrmsr
    set_msr 0x400000b0, 0x20009 /* once, by source 2; a new count starts it again */
    movl $10000000, %ecx
1:  inb $0x61, %al
    cmpl $TIMER_EXPIRED, SLOT
    loopnel 1b
    cmpl $TIMER_EXPIRED, SLOT
    tell e, "timer"
    set_msr 0x400000b3, 0x7fffffff  /* another one has much time, over and over */
    set_msr 0x400000b2, 0x20003
no_timer:

    movw $(ready - start), %si
    call say
1:
    movw $SERIAL + 5, %dx
    inb %dx, %al
    testb $1, %al
    jz 1b
    movw $SERIAL, %dx
    inb %dx, %al
    cmpb $'x', %al
    jne 1b

    movl $0x40000000, %edi
    call show
    movl $0x40000001, %edi
    call show
    may 0x200, 1f
    movl $0x40000021, %edi
    call show
1:
    may 8, 1f
    movl $0x40000080, %edi
    call show
    movl $0x40000083, %edi
    call show
    movl $0x40000091, %edi
    call show
    movl $0x40000092, %edi
    call show
    movl $0x400000b0, %edi
    call show
    movl $0x400000b2, %edi
    call show
    movl $0x400000b3, %edi
    call show
1:
    leave_program

other:                          /* DS is anything */
    xorw %ax, %ax
    movw %ax, %ds
    get_msr 0x40000002
    movl %eax, INDEX
1:  hlt
    jmp 1b

show:                           /* the MSR in EDI */
    movl %edi, %eax
    call hex
    movl %edi, %ecx
    rdmsr
    pushl %eax
    movl %edx, %eax
    call hex
    popl %eax
    call hex

line:
    movb $'\n', %al
    outb %al, $0xe9
    ret

say:                            /* what CS:SI points at, up to a 0 */
    movb %cs:(%si), %al
    incw %si
    testb %al, %al
    jz 1f
    outb %al, $0xe9
    jmp say
1:  ret

hex:                            /* EAX and a blank */
    pushl %ecx
    movl $8, %ecx
1:
    roll $4, %eax
    pushl %eax
    say_digit
    popl %eax
    loopl 1b
    movb $' ', %al
    outb %al, $0xe9
    popl %ecx
    ret

no:
    .asciz "no "
none:
    .asciz "none\n"
index:
    .asciz "index "
ready:
    .asciz "set\n"

    end_of_image
