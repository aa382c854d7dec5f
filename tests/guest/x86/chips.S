/*
 * A BIOS image of 64 KiB that sets up 8259s, I/O APIC and 8254, asks VMware's port, says "set" at the debug console
 * (port 0xe9), and then looks over and over whether they are as it set them: "lost" if not.
 */
#include "image.h"

    .set IOAPIC, 0xfec00000
    .set PIN, 0x10 + 2 * 5

    .macro out port, value
    movb $\value, %al
    .if \port < 0x100
    outb %al, $\port
    .else
    movw $\port, %dx
    outb %al, %dx
    .endif
    .endm

    .macro expect port, value
    .if \port < 0x100
    inb $\port, %al
    .else
    movw $\port, %dx
    inb %dx, %al
    .endif
    cmpb $\value, %al
    jne lost
    .endm

    .code16
    .globl start
start:
    begin_real 0x7000
    big_real

    expect 0x21, 0              /* as a reset leaves them */
    expect 0x4d0, 0
    expect 0x4d1, 0
    movl $IOAPIC, %ebx
    movl $PIN, %fs:(%ebx)
    cmpl $0x00010000, %fs:0x10(%ebx)
    jne lost
    out 0x20, 0x11
    out 0x21, 0x30
    out 0x21, 0x04
    out 0x21, 0x01
    out 0xa0, 0x11
    out 0xa1, 0x38
    out 0xa1, 0x02
    out 0xa1, 0x01
    out 0x21, 0xab
    out 0xa1, 0xcd
    out 0x4d0, 0x20
    out 0x4d1, 0x0c
    out 0x43, 0xb6              /* counter 2: a square wave */
    out 0x42, 0x34
    out 0x42, 0x12
    out 0x61, 0x03
    movl $IOAPIC, %ebx
    movl $PIN, %fs:(%ebx)
    movl $0x0001a9b7, %fs:0x10(%ebx)
    movl $PIN + 1, %fs:(%ebx)
    movl $0x05000000, %fs:0x10(%ebx)
    movl $0x564d5868, %eax      /* VMware's port answers in registers */
    xorl %ebx, %ebx
    movl $10, %ecx
    movl $0x5658, %edx
    inl %dx, %eax
    cmpl $0x564d5868, %ebx
    jne lost
    movw $(m_set - start), %si
    call say

look:
    expect 0x21, 0xab
    expect 0xa1, 0xcd
    expect 0x4d0, 0x20
    expect 0x4d1, 0x0c
    inb $0x61, %al
    andb $0x03, %al
    cmpb $0x03, %al
    jne lost
    out 0x43, 0xe8              /* read back the status of counter 2 */
    inb $0x42, %al
    andb $0x3f, %al
    cmpb $0x36, %al
    jne lost
    movl $IOAPIC, %ebx
    movl $PIN, %fs:(%ebx)
    cmpl $0x0001a9b7, %fs:0x10(%ebx)
    jne lost
    movl $PIN + 1, %fs:(%ebx)
    cmpl $0x05000000, %fs:0x10(%ebx)
    jne lost
    jmp look

lost:
    movw $(m_lost - start), %si
    call say
1:  jmp 1b

say:
    movb %cs:(%si), %al
    outb %al, $0xe9
    incw %si
    cmpb $10, %al
    jne say
    ret

m_set:  .ascii "set\n"
m_lost: .ascii "lost\n"

    end_of_image
