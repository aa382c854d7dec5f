/*
 * A BIOS image of 64 KiB for a PC whose PCI slot 3 gets a virtio device and loses it again, over and over: the first
 * CPU places what is there, and gives up what it is asked for (hw/acpi/pcihp.h); three others notify the device's first
 * queue over and over, whether or not it is there. Each says its digit at the debug console (port 0xe9) now and then.
 */
#include "image.h"

    .set APIC, 0xfee00000
    .set BAR, 0xfe000000
    .set NOTIFY, BAR + 0x3000
    .set PCIHP, 0xae00
    .set START, 0x8000          /* of the other CPUs */

    .macro config register, value
    movl $(0x80001800 + \register), %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movl $\value, %eax
    movw $0xcfc, %dx
    outl %eax, %dx
    .endm

    .code16
    .globl start
start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movb $0xea, START           /* ljmp $0xf000, $other */
    movw $(other - start), START + 1
    movw $0xf000, START + 3
    movw $0x7000, %sp
    call begin
    movl $0x000c4500, %fs:0x300(%edi) /* INIT and start-up to all others */
    movl $100000, %ecx
1:  loopl 1b
    movl $0x000c4608, %fs:0x300(%edi)

place:
    movw $256, %cx
1:  config 0x20, BAR
    config 0x24, 0
    config 0x04, 6
    movw $(PCIHP + 4), %dx
    inl %dx, %eax
    testl %eax, %eax
    jz 2f
    movw $(PCIHP + 8), %dx
    outl %eax, %dx
    movw $(PCIHP + 4), %dx
3:  inl %dx, %eax               /* what comes next is not to be given up for this one */
    testl %eax, %eax
    jnz 3b
2:  loop 1b
    call say
    jmp place

other:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw $0x7800, %sp
    call begin
    movw %bp, %ax
    shlw $8, %ax
    addw %ax, %sp               /* 256 bytes each */
    movl $NOTIFY, %edi
ring:
    movw $64, %cx
1:  movl %eax, %fs:(%edi)
    loop 1b
    movl $20000, %ecx           /* the main loop is to get to other work, too */
1:  pause
    loopl 1b
    call say
    jmp ring

say:
    movw %bp, %ax
    addb $'0', %al
    outb %al, $0xe9
    ret

/* A stack, the whole address space by FS, the local APIC, and this CPU's number in BP. */
begin:
    movw %ax, %ss
    movl $APIC, %edi
    big_real
    movl $0x1ff, %fs:0xf0(%edi)
    movl %fs:0x20(%edi), %ebp
    shrl $24, %ebp
    ret

    end_of_image
