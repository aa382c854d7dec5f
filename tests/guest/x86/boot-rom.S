/*
 * An option ROM for tests of BIOSes: says through INT 10h what the POST memory manager (PMM 1.01)
 * answers, and has a bootstrap connection vector (BBS 1.01, 3.2) that puts one disk behind INT 13h,
 * whose boot sector names itself and ends the machine by isa-debug-exit at port 0x501.
 *
 * Labels are where boot sectors are, and offsets into the ROM are differences. Variables are at
 * 0040:00f0, where programs may leave something for each other: the ROM may be write-protected.
 */
    .code16
    .globl start
    .set old_vector, 0x4f0
    .set own_drive, 0x4f4
    .macro say text
    movw $\text - start, %si
    call puts
    .endm
start:
    .word 0xaa55
    .byte (end - start) / 512
    jmp init
    .org 0x18
    .word pcir - start, pnp - start

pcir:
    .ascii "PCIR"
    .word 0x8086, 0x100e, 0, 24
    .byte 0, 0, 0, 2
    .word (end - start) / 512, 0
    .byte 0, 0x80
    .word 0
pnp:
    .ascii "$PnP"
    .byte 1, 2
    .word 0
    .byte 0, 0
    .long 0
    .word 0, product - start
    .byte 0, 0, 1, 0x64
    .word connect - start, 0, 0, 0, 0
product:
    .asciz "ROM with a disk"

/* The PMM's structure: by its signature and checksum. */
init:
    pushal
    pushw %ds
    pushw %es
    movw $0xf000, %ax
    movw %ax, %es
    xorw %di, %di
1:  cmpl $0x4d4d5024, %es:(%di)
    je 2f
3:  addw $16, %di
    jnz 1b
    say m_none
    jmp init_done
2:  xorw %bx, %bx
    xorb %al, %al
4:  addb %es:(%bx, %di), %al
    incw %bx
    cmpw $16, %bx
    jne 4b
    testb %al, %al
    jnz 3b
    /* 64 KiB aligned to their size, above 1 MiB */
    pushw $6
    pushl $0x74736574
    pushl $0x1000
    pushw $0
    lcallw *%es:7(%di)
    addw $12, %sp
    testw %ax, %ax
    jnz bad
    cmpw $0x10, %dx
    jb bad
    movw %ax, %cx
    movw %dx, %bp
    /* whoever lends it lets real mode reach it */
    pushw %es
    xorl %ebx, %ebx
    movw %bx, %es
    movw %dx, %bx
    shll $16, %ebx
    movl $0x12345678, %es:(%ebx)
    cmpl $0x12345678, %es:(%ebx)
    popw %es
    jne bad
    /* it is found again */
    pushl $0x74736574
    pushw $1
    lcallw *%es:7(%di)
    addw $6, %sp
    cmpw %ax, %cx
    jne bad
    cmpw %dx, %bp
    jne bad
    /* and not twice */
    pushw $6
    pushl $0x74736574
    pushl $0x1000
    pushw $0
    lcallw *%es:7(%di)
    addw $12, %sp
    orw %dx, %ax
    jnz bad
    /* 4 KiB below 1 MiB */
    pushw $1
    pushl $-1
    pushl $0x100
    pushw $0
    lcallw *%es:7(%di)
    addw $12, %sp
    movw %ax, %cx
    orw %dx, %cx
    jz bad
    cmpw $9, %dx
    ja bad
    /* given back once */
    pushw %dx
    pushw %ax
    pushw $2
    lcallw *%es:7(%di)
    orw %dx, %ax
    jnz bad
    lcallw *%es:7(%di)
    addw $6, %sp
    orw %dx, %ax
    jz bad
    say m_good
    jmp init_done
bad:
    say m_bad
init_done:
    popw %es
    popw %ds
    popal
    movw $0x20, %ax
    lretw

connect:
    pushal
    pushw %ds
    xorw %ax, %ax
    movw %ax, %ds
    movl 0x13 * 4, %eax
    movl %eax, old_vector
    movb 0x475, %al
    incb 0x475
    addb $0x80, %al
    movb %al, own_drive
    movw $int13 - start, 0x13 * 4
    movw %cs, 0x13 * 4 + 2
    popw %ds
    popal
    lretw

/* AH=02h of the first sector, and nothing else. */
int13:
    pushw %ds
    pushw $0
    popw %ds
    cmpb %dl, own_drive
    popw %ds
    je 1f
    pushl %eax
    pushw %ds
    pushw %bp
    movw %sp, %bp
    xorw %ax, %ax
    movw %ax, %ds
    movl old_vector, %eax
    xchgl %eax, 4(%bp)
    popw %bp
    popw %ds
    lretw
1:  cmpw $0x0201, %ax
    jne 2f
    pushal
    pushw %ds
    movw %cs, %ax
    movw %ax, %ds
    movw $sector - start, %si
    movw %bx, %di
    movw $256, %cx
    cld
    rep movsw
    popw %ds
    popal
    xorb %ah, %ah
    clc
    lretw $2
2:  movb $1, %ah
    stc
    lretw $2

/* Zero-terminated text at CS:SI. */
puts:
    pushw %bx
1:  movb %cs:(%si), %al
    incw %si
    testb %al, %al
    jz 2f
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    jmp 1b
2:  popw %bx
    ret
m_none:
    .asciz "PMM none\r\n"
m_good:
    .asciz "PMM good\r\n"
m_bad:
    .asciz "PMM bad\r\n"

    .org 0x400
sector:
    movw $0x7c00 + 6f - sector, %si
    movb %dl, %cl
1:  movb %cs:(%si), %al
    incw %si
    testb %al, %al
    jz 2f
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    jmp 1b
2:  movb %cl, %al                /* its number, 0x80 to 0x89 */
    andb $0x0f, %al
    addb $'0', %al
    movb $0x0e, %ah
    int $0x10
    /* a PMM that is still there? */
    movw $0xf000, %ax
    movw %ax, %es
    xorw %di, %di
3:  cmpl $0x4d4d5024, %es:(%di)
    je 4f
    addw $16, %di
    jnz 3b
    xorb %al, %al
    jmp 5f
4:  movb $1, %al
5:  movw $0x501, %dx
    outb %al, %dx
    hlt
6:  .asciz "ROM-BOOT "
    .org sector - start + 510
    .word 0xaa55
    .org 0x7ff
    .byte 0                     /* the checksum: the test puts it here */
end:
