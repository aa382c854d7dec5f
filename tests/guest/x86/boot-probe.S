/*
 * A boot sector for tests of BIOSes: says through INT 10h and the debug console at port 0xe9 what
 * INT 11h to 1Ah answer, reads its own first sectors again, and ends the machine by isa-debug-exit
 * at port 0x501 or, where there is none, halts.
 */
    .code16
    .globl start
start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    sti
    cld
    movb %dl, drive
    movw $m_boot, %si
    call puts
    movzbl drive, %eax
    call hex
    int $0x12
    movzwl %ax, %eax
    movw $m_low, %si
    call label
    movb $0x88, %ah
    int $0x15
    movzwl %ax, %eax
    movw $m_ext, %si
    call label

    xorl %ebx, %ebx             /* the memory map */
1:  movl $0xe820, %eax
    movl $0x534d4150, %edx
    movl $24, %ecx
    movw $buffer, %di
    int $0x15
    jc 2f
    movl buffer, %eax
    movw $m_map, %si
    call label
    movl buffer + 8, %eax
    call hex
    movl buffer + 16, %eax
    call hex
    testl %ebx, %ebx
    jnz 1b
2:
    movb $2, %ah                /* CHS read of the boot sector */
    movw $0x0201, %ax
    movw $1, %cx
    xorb %dh, %dh
    movb drive, %dl
    movw $buffer, %bx
    int $0x13
    movw $m_chs, %si
    call compare
    movb $0x41, %ah             /* EDD, if there is any */
    movw $0x55aa, %bx
    movb drive, %dl
    int $0x13
    jc 3f
    movb $0x42, %ah
    movb drive, %dl
    movw $packet, %si
    int $0x13
    movw $m_edd, %si
    call compare
3:  movl $0x46c, %esi           /* time passes */
    movl (%si), %ebx
4:  hlt
    cmpl (%si), %ebx
    je 4b
    movw $0xb101, %ax
    int $0x1a
    movzwl %bx, %eax
    movw $m_pci, %si
    call label
    movw $m_end, %si
    call puts
    movw $0x501, %dx
    xorw %ax, %ax
    outb %al, %dx
5:  hlt
    jmp 5b

/* Carry or other bytes than ours: bad. */
compare:
    pushw %si
    movw $m_bad, %si
    jc 1f
    pushw %si
    movw $buffer, %di
    movw $0x7c00, %si
    movw $64, %cx
    repe cmpsb
    popw %si
    jne 1f
    movw $m_good, %si
1:  movw %si, %di
    popw %si
    call puts
    movw %di, %si
    jmp puts

label:
    call puts
hex:
    movw $8, %cx
1:  roll $4, %eax
    pushl %eax
    andb $15, %al
    cmpb $10, %al
    sbbb $0x69, %al
    das
    call putc
    popl %eax
    loop 1b
    movb $' ', %al
putc:
    pushal
    outb %al, $0xe9
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    popal
    ret
puts:
    pushl %eax
1:  lodsb
    testb %al, %al
    jz 2f
    call putc
    jmp 1b
2:  popl %eax
    ret

m_boot: .asciz "\r\nPROBE "
m_low:  .asciz "\r\nlow "
m_ext:  .asciz "ext "
m_map:  .asciz "\r\nmap "
m_chs:  .asciz "\r\nchs "
m_edd:  .asciz "edd "
m_good: .asciz "good "
m_bad:  .asciz "BAD "
m_pci:  .asciz "\r\npci "
m_end:  .asciz "\r\nPROBE-END\r\n"
drive:  .byte 0
    .balign 4
packet: .byte 16, 0
    .word 1, 0x8000, 0
    .quad 0
    .org start - start + 510
    .word 0xaa55
    .set buffer, 0x8000
