/*
 * Macros of BIOS images of 64 KiB, whose code begins at `start`, the image's first byte.
 */

    .set APIC, 0xfee00000
    .set START, 0x8000          /* of the other CPUs */

/* No interrupts, DS and SS at 0, a stack. Uses AX. */
    .macro begin_real stack
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $\stack, %sp
    .endm

/* An entry of real mode's table, in DS. */
    .macro vector number, handler
    movw $(\handler - start), 4 * (\number)
    movw $0xf000, 4 * (\number) + 2
    .endm

/* A register of the local APIC's gets a value, behind big_real. */
    .macro apic register, value
    addr32 movl $\value, %fs:APIC + \register
    .endm

/* The local APIC is on, and all other CPUs begin at `entry`. DS is 0, behind big_real. Uses AL and ECX. */
    .macro start_others entry
    movb $0xea, START           /* ljmp $0xf000, $entry */
    movw $(\entry - start), START + 1
    movw $0xf000, START + 3
    apic 0x300, 0x000c4500      /* INIT and start-up to all others */
    movl $1000, %ecx
1:  inb $0x61, %al
    loopl 1b
    apic 0x300, 0x000c4608
    .endm

/* Says the low four bits of AL as a digit at the debug console, port 0xe9. */
    .macro say_digit
    andb $15, %al
    addb $'0', %al
    cmpb $'9', %al
    jbe 9f
    addb $('a' - '9' - 1), %al
9:  outb %al, $0xe9
    .endm

/* Ends the program by isa-debug-exit at port 0x501, with status 7. */
    .macro leave_program
    movw $0x501, %dx
    movb $3, %al
    outb %al, %dx
9:  hlt
    jmp 9b
    .endm

/* Big real mode: FS is the whole address space, for devices' memory. Uses EAX and BX. */
    .macro big_real
    lgdtl %cs:(gdtr - start)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    movw $8, %bx
    movw %bx, %fs
    andb $0xfe, %al
    movl %eax, %cr0
    .endm

/* What big_real needs, and where processors begin: the last lines of an image. */
    .macro end_of_image
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf93000000ffff
gdtr:
    .word 15
    .long 0xf0000 + gdt - start

    .org 0xfff0
    ljmp $0xf000, $0
    .org 0x10000
    .endm
