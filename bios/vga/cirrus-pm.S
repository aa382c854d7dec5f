/* What VBE's protected-mode functions do with the GD5446. */
    .code32
    .section .pm.2, "ax"
    .globl pm_window, pm_start

/* BL: window A alone; DX: its place in 64 KiB, of which the chip's unit is a quarter. */
pm_window:
    testb %bl, %bl
    jnz 1f
    movb %dl, %ah
    shlb $2, %ah
    movb $0x09, %al
    movw $0x3ce, %dx
    outw %ax, %dx
1:  ret

/* DX:CX: the first dword to be shown. Bits 0 to 15 go to CRTC 0Ch and 0Dh, 16 to bit 0 and 17 and
 * 18 to bits 2 and 3 of 1Bh, 19 to bit 7 of 1Dh. */
pm_start:
    pushl %ebx
    movl %edx, %ebx
    movw $0x3d4, %dx
    movb $0x0c, %al
    movb %ch, %ah
    outw %ax, %dx
    movb $0x0d, %al
    movb %cl, %ah
    outw %ax, %dx
    movb $0x1b, %al
    outb %al, %dx
    incw %dx
    inb %dx, %al
    andb $0xf2, %al
    movb %bl, %ah
    andb $1, %ah
    orb %ah, %al
    movb %bl, %ah
    andb $6, %ah
    shlb $1, %ah
    orb %ah, %al
    outb %al, %dx
    decw %dx
    movb $0x1d, %al
    outb %al, %dx
    incw %dx
    inb %dx, %al
    andb $0x7f, %al
    andb $8, %bl
    shlb $4, %bl
    orb %bl, %al
    outb %al, %dx
    popl %ebx
    ret
