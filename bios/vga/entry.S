/*
 * The ROM's header, where it starts, INT 10h's way into C, and VBE's functions for protected mode.
 *
 * The image may be read-only and may lie anywhere on a paragraph: data is reached through GS, which
 * is set to the code's segment (`rom` in vga.h). C runs on the caller's stack, which DS shows, too.
 */
    .code16
    .section .header, "ax"
    .globl rom_start
rom_start:
    .byte 0x55, 0xaa, ROM_BLOCKS
    jmp start
    .org 6
    .byte 0                     /* makes the sum of all bytes zero; the build fills it in */
    .org 0x18
    .word pcir, 0
    .org 0x1e
    .ascii "IBM VGA compatible" /* at this place, programs look for the first three letters */
    .byte 0
    .balign 4
/* PCI Firmware 3.0, 5.1.2 */
pcir:
    .ascii "PCIR"
    .word 0x1234, 0x1111, 0, pcir_end - pcir
    .byte 0, 0, 0, 3
    .word ROM_BLOCKS, 0
    .byte 0, 0x80
    .word 0
pcir_end:

    .text
    .macro enter_c function
    pushw $0x10
    cld
    pushw %gs
    pushw %fs
    pushw %es
    pushw %ds
    pushal
    movw %ss, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %cs, %ax
    movw %ax, %gs
    movzwl %sp, %esp
    movl %esp, %eax
    calll \function
    movl %esp, %ebp
    movl 12(%ebp), %esp         /* as it was before pushal, upper half included */
    subl $32, %esp
    popal
    popw %ds
    popw %es
    popw %fs
    popw %gs
    addw $2, %sp
    .endm

start:
    enter_c init
    lretw

    .globl int10_entry, window_function
int10_entry:
    enter_c service
    iretw

/* VBE 3.0, 4.8: the far call that switches windows. */
window_function:
    movw $0x4f05, %ax
    int $0x10
    lretw

/* A VGA's BIOS lies at 0xc0000: the one place where that has to be known before. */
    .balign 4
    .globl save_table
save_table:
    .word params, 0xc000
    .fill 6, 4, 0

/* ---- protected mode: 32-bit code that callers copy (VBE 3.0, 4.13) ----
 * The chip's file of the same sections has pm_window and pm_start. */
    .code32
    .section .pm.1, "ax"
    .balign 4
    .globl pm_table, pm_table_end
pm_table:
    .word pm_window - ., pm_start - . + 2, pm_palette - . + 4, 0

/* CX entries of blue, green, red and a byte more at ES:EDI, from colour DX on. */
pm_palette:
    pushl %edi
    movb %dl, %al
    movw $0x3c8, %dx
    outb %al, %dx
    incw %dx
    movzwl %cx, %ecx
    jecxz 2f
1:  movb %es:2(%edi), %al
    outb %al, %dx
    movb %es:1(%edi), %al
    outb %al, %dx
    movb %es:(%edi), %al
    outb %al, %dx
    addl $4, %edi
    loop 1b
2:  popl %edi
    ret

    .section .pm.3, "ax"
pm_table_end:
