/*
 * Macros of BIOS images of 64 KiB, whose code begins at `start`, the image's first byte.
 */

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
