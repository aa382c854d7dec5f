/*
 * A boot sector that sleeps: notes a real-mode address in the FACS, asks the clock for an alarm
 * each second, suspends the machine to RAM (ACPI's S3), and says on the debug console at port 0xe9
 * what it finds when it is woken up: its own memory as it was, and the chip set as the BIOS sets
 * it up. Ends the machine by isa-debug-exit at port 0x501.
 */
#define PM       0x600
#define WORD     0x12345678
#define FAR_AWAY 0x200000       /* what must survive, above 1 MiB */

    .code16
    .globl start
start:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    movw $m_start, %si
    call puts
    call flat
    movl $FAR_AWAY, %ebx
    movl $WORD, %fs:(%ebx)
    movl $WORD, 0x500

    movl $0xe0000, %ebx         /* RSDP, RSDT, FADT, FACS */
1:  cmpl $0x20445352, %fs:(%ebx)
    jne 2f
    cmpl $0x20525450, %fs:4(%ebx)
    je 3f
2:  addl $16, %ebx
    jmp 1b
3:  movl %fs:16(%ebx), %ebx
4:  addl $4, %ebx
    movl %fs:32(%ebx), %edi
    cmpl $0x50434146, %fs:(%edi)
    jne 4b
    movl %fs:36(%edi), %edi
    movl $woken, %fs:12(%edi)

    movw $0xff01, %ax           /* alarm: any second, minute, hour; on */
    call cmos
    movb $0x03, %al
    call cmos
    movb $0x05, %al
    call cmos
    movw $0x220b, %ax
    call cmos
    movw $(PM + 2), %dx         /* the alarm wakes up */
    movw $0x0400, %ax
    outw %ax, %dx
    movw $PM, %dx
    movw $0xffff, %ax
    outw %ax, %dx
    movw $(PM + 4), %dx         /* S3, with enable */
    movw $0x2400, %ax
    outw %ax, %dx
5:  jmp 5b

/* Real mode with CS:IP as the vector says; nothing else is known. */
woken:
    ljmp $0, $1f
1:  xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    cld
    movw $m_woken, %si
    call puts
    call flat
    movl $FAR_AWAY, %ebx
    movl %fs:(%ebx), %eax
    call hex
    movl 0x500, %eax
    call hex
    movw $PM, %dx               /* bit 15: woken up; bit 10: by the clock */
    inw %dx, %ax
    andl $0x8400, %eax
    call hex
    movl $0x80000860, %eax      /* the routes of PCI's interrupts */
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfc, %dx
    inl %dx, %eax
    call hex
    movw $m_end, %si
    call puts
    movw $0x501, %dx
    xorw %ax, %ax
    outb %al, %dx
2:  hlt
    jmp 2b

/* FS reaches 4 GiB. */
flat:
    lgdtl gdtr
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    movw $8, %cx
    movw %cx, %fs
    andb $0xfe, %al
    movl %eax, %cr0
    ret
cmos:
    outb %al, $0x70
    xchgb %al, %ah
    outb %al, $0x71
    xchgb %al, %ah
    ret
hex:
    movw $8, %cx
1:  roll $4, %eax
    pushl %eax
    andb $15, %al
    cmpb $10, %al
    sbbb $0x69, %al
    das
    outb %al, $0xe9
    popl %eax
    loop 1b
    movb $' ', %al
    outb %al, $0xe9
    ret
puts:
    lodsb
    testb %al, %al
    jz 1f
    outb %al, $0xe9
    jmp puts
1:  ret

m_start: .asciz "SLEEP\n"
m_woken: .asciz "WOKEN "
m_end:   .asciz "END\n"
    .balign 4
gdt:    .quad 0, 0x00cf93000000ffff
gdtr:   .word . - gdt - 1
    .long gdt
    .org start - start + 510
    .word 0xaa55
