/*
 * A BIOS image that moves the code and the state of system management mode to 0xa0000, closes that
 * memory, and enters the mode by the port 0xb2 over and over, by a handler that looks at what it was
 * entered with, changes a register in the save area and leaves. What it sees is said at port 0xe9:
 * digits, and "end".
 */
#include "image.h"

#define SMRAM     0xa0000
#define HANDLER   0x8000   /* from SMBASE */
#define FIRST     0x30000  /* SMBASE after a reset */
#define COUNTER   0x500
#define SEEN      0x504    /* COUNTER when it was last looked at */
#define STEPS     8

    .macro pci_select reg
    movl $0x80000000 | (\reg & ~3), %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfc + (\reg & 3), %dx
    .endm

    .code16
    .globl start
start:
    begin_real 0x7000
    big_real
    xorl %eax, %eax
    movl %eax, COUNTER
    movl %eax, SEEN
    /* PIIX4's power management, function 3 of device 1: writes to 0xb2 raise SMI (DEVACTB, bit 25) */
    movl $0x80000b00 | 0x58, %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfc, %dx
    inl %dx, %eax
    orl $1 << 25, %eax
    outl %eax, %dx
    /* SMRAM open at 0xa0000, enabled (i440FX, register 0x72) */
    pci_select 0x72
    movb $0x4a, %al
    outb %al, %dx
    /* the handler to 0xa8000, the one that moves SMBASE to 0x38000 */
    movw $0xa000, %ax
    movw %ax, %es
    movw $HANDLER, %di
    movw $(handler - start), %si
    movw $(handler_end - handler), %cx
    call copy
    movw $0x3000, %ax
    movw %ax, %es
    movw $HANDLER, %di
    movw $(mover - start), %si
    movw $(mover_end - mover), %cx
    call copy
    xorb %al, %al
    outb %al, $0xb2
    call settle
    /* closed: only the mode itself sees it from here on */
    pci_select 0x72
    movb $0x0a, %al
    outb %al, %dx
    movw $0xa000, %ax
    movw %ax, %es
    movl $0x5a5a5a5a, %es:HANDLER   /* goes to the window of a display, if to anything */
    movl $STEPS, %ebp
1:
    movl $0x11223344, %ebx
    movb $0x40, %al
    outb %al, $0xb2
    call settle
    movl %ebx, %eax         /* 0x11223344 plus the count, by way of the save area */
    call hex
    movl COUNTER, %eax
    call hex
    movl %ebp, %eax         /* which the mode has left alone */
    call hex
    movb $'\n', %al
    outb %al, $0xe9
    decl %ebp
    jnz 1b
    movw $(text - start), %si
2:
    movb %cs:(%si), %al
    incw %si
    outb %al, $0xe9
    cmpb $'\n', %al
    jne 2b
    leave_program

copy:
    movb %cs:(%si), %al
    movb %al, %es:(%di)
    incw %si
    incw %di
    decw %cx
    jnz copy
    ret

/* The SMI comes by a thread of its own where KVM runs the guest: until the handler was there. */
settle:
    pushl %eax
    movl $100000, %ecx
1:
    movl COUNTER, %eax
    cmpl %eax, SEEN
    jne 2f
    inb $0x92, %al
    decl %ecx
    jnz 1b
2:
    movl COUNTER, %eax
    movl %eax, SEEN
    popl %eax
    ret

hex:                        /* EAX and a blank */
    pushl %ecx
    movl $8, %ecx
1:
    roll $4, %eax
    pushl %eax
    say_digit
    popl %eax
    decl %ecx
    jnz 1b
    movb $' ', %al
    outb %al, $0xe9
    popl %ecx
    ret

text:
    .ascii "end\n"

/* At 0x38000: where the next entries go (SMBASE in the save area, 64-bit layout). */
mover:
    movw $0x3000, %ax
    movw %ax, %ds
    movl $SMRAM, %eax
    movl %eax, 0xff00
    xorw %ax, %ax
    movw %ax, %ds
    incl COUNTER
    rsm
mover_end:

/* At 0xa8000. EBX is at 0xffe0 of the 64-bit save area. */
handler:
    movw $0xa000, %ax
    movw %ax, %ds
    movl 0xffe0, %eax
    xorw %dx, %dx
    movw %dx, %ds
    incl COUNTER
    addl COUNTER, %eax
    movw $0xa000, %dx
    movw %dx, %ds
    movl %eax, 0xffe0
    rsm
handler_end:

    end_of_image
