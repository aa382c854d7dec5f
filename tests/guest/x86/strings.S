/*
 * A BIOS image of 64 KiB that reads fw_cfg's file etc/acpi/tables with REP INSB, over and over, says what it read at the
 * debug console (port 0xe9) with REP OUTSB, and stops when a byte is not what it was the first time: so whatever is lost
 * or comes twice is seen.
 */
#include "image.h"

    .set SIZE, 0x1400           /* what is taken of the file */
    .set FIRST, 0x2000          /* segments: what was read first, and last */
    .set LAST, 0x3000
    .set ENTRY, 0x600           /* of the directory */
    .set KEY, 0x700

    .code16
    .globl start
start:
    begin_real 0x7000
    movw %ax, %es
    movw $0x510, %dx
    movw $0x19, %ax             /* the directory */
    outw %ax, %dx
    incw %dx
    movw $4, %cx
    movw $ENTRY, %di
    rep insb
    movw ENTRY + 2, %bx         /* entries, big-endian */
    xchgb %bl, %bh
1:  movw $64, %cx
    movw $ENTRY, %di
    rep insb
    movw $ENTRY + 8, %si
    movw $(name - start), %di
2:  movb %cs:(%di), %al
    cmpb %al, (%si)
    jne 3f
    incw %si
    incw %di
    testb %al, %al
    jnz 2b
    jmp found
3:
    decw %bx
    jnz 1b
    jmp lost
found:
    movw ENTRY + 4, %ax
    xchgb %al, %ah
    movw %ax, KEY
    movw $FIRST, %ax
    call take
again:
    movw $LAST, %ax
    call take
    movw $LAST, %ax
    movw %ax, %es
    movw $FIRST, %ax
    movw %ax, %ds
    xorw %si, %si
    xorw %di, %di
    movw $SIZE, %cx
    repe cmpsb
    jne lost
    xorw %si, %si
    movw $SIZE, %cx
    movw $0xe9, %dx
    rep outsb
    jmp again

/* The file to AX:0. */
take:
    movw %ax, %es
    xorw %ax, %ax
    movw %ax, %ds
    movw KEY, %ax
    movw $0x510, %dx
    outw %ax, %dx
    incw %dx
    xorw %di, %di
    movw $SIZE, %cx
    rep insb
    ret

name:
    .asciz "etc/acpi/tables"

lost:
    leave_program

    end_of_image
