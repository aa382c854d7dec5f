/*
 * A BIOS image of 64 KiB that goes through what is delicate where somebody else runs the code: it
 * must say the same on every accelerator. One line of text for each case, to the debug console at
 * port 0xe9; isa-debug-exit at port 0x501 ends it.
 *
 *     gcc -m32 -c corners.S && ld -m elf_i386 -Ttext=0xf0000 --oformat binary -o corners.bin corners.o
 */
    
    .set STACK, 0x7000
    .set COUNT, 0x500           /* interrupts seen */
    .set SCRATCH, 0x10000
    .set PIC_BASE, 0x20

    .macro say text
    .section .rodata
9:  .asciz "\text"
    .text
    movl $9b, %esi
    call puts
    .endm

    .macro show
    call hex
    call newline
    .endm

    .text
    .code16
    .globl start
start:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $STACK, %sp
    movb $0x8f, %al             /* CMOS 0x0f: set by the last test before it resets */
    outb %al, $0x70
    inb $0x71, %al
    cmpb $0x5a, %al
    jne real
    xorb %al, %al
    outb %al, $0x71
    jmp second

/* ---- real mode ---- */
real:
    movw %cs, %ax               /* string output, through CS */
    movw %ax, %ds
    movw $(m_real - start), %si
    movw $0xe9, %dx
    movw $(m_real_end - m_real), %cx
    rep outsb
    xorw %ax, %ax
    movw %ax, %ds

    movw $(int60 - start), 0x60 * 4
    movw $0xf000, 0x60 * 4 + 2
    movw $0x1234, %ax
    int $0x60                   /* negates AX */
    call hex16

    movb $0, 0x600              /* A20: 1 MiB up is another byte, or the same */
    movw $0xffff, %ax
    movw %ax, %es
    movb $0x11, %es:0x610
    movb 0x600, %al
    call hex8
    inb $0x92, %al
    andb $0xfd, %al
    outb %al, $0x92
    movb $0x22, %es:0x610
    movb 0x600, %al
    call hex8
    inb $0x92, %al
    orb $2, %al
    outb %al, $0x92
    movb %es:0x610, %al
    call hex8
    call newline16

    lgdtl %cs:(gdtr - start)
    movl %cr0, %eax             /* big real mode */
    orb $1, %al
    movl %eax, %cr0
    movw $16, %bx
    movw %bx, %fs
    andb $0xfe, %al
    movl %eax, %cr0
    movl $0x123456, %ebx
    movl $0xcafe1234, %fs:(%ebx)
    movl %fs:(%ebx), %eax
    call hex32
    call newline16

    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $8, $protected

second:
    movw %cs, %ax
    movw %ax, %ds
    movw $(m_again - start), %si
    movw $0xe9, %dx
    movw $(m_again_end - m_again), %cx
    rep outsb
    movw $0x501, %dx
    movb $3, %al
    outb %al, %dx
1:  hlt
    jmp 1b

int60:
    negw %ax
    iret
hex32:
    rorl $16, %eax
    call hex16
    rorl $16, %eax
hex16:
    xchgb %al, %ah
    call hex8
    xchgb %al, %ah
hex8:
    pushw %ax
    shrb $4, %al
    call digit
    popw %ax
    pushw %ax
    andb $15, %al
    call digit
    popw %ax
    ret
digit:
    cmpb $10, %al
    jb 1f
    addb $('a' - '0' - 10), %al
1:  addb $'0', %al
    outb %al, $0xe9
    ret
newline16:
    movb $10, %al
    outb %al, $0xe9
    ret

/* ---- protected mode ---- */
    .code32
protected:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl $STACK, %esp
    call make_idt
    call make_pic

/* interrupts in every window */
    say "sti; cli: "
    call arm
    sti
    cli
    movl COUNT, %eax
    show
    say "sti; nop; cli: "
    sti
    nop
    cli
    movl COUNT, %eax
    show
    say "popf; nop: "
    call arm
    pushl $0x202
    popfl
    nop
    cli
    movl COUNT, %eax
    show
    say "sti; mov ss; nop; cli: "
    call arm
    movw %ss, %ax
    sti
    movw %ax, %ss
    nop
    cli
    movl COUNT, %eax
    show
    say "sti; hlt with a pending interrupt: "
    call arm
    sti
    hlt
    cli
    movl COUNT, %eax
    show
    say "iret to IF: "
    call arm
    pushfl
    orl $0x200, (%esp)
    pushl $8
    pushl $1f
    iretl
1:  nop
    cli
    movl COUNT, %eax
    show

/* halts that a timer ends */
    say "hlt: "
    movl $0, COUNT
    movl $5, %ebx
2:  call oneshot
    sti
    hlt
    cli
    decl %ebx
    jnz 2b
    movl COUNT, %eax
    show

/* self-modifying code */
    say "code: "
    movl $20, %ecx
    xorl %ebx, %ebx
    movl $smc, %esi             /* copied to RAM first */
    movl $SCRATCH, %edi
    movl $(smc_end - smc), %ecx
    rep movsb
    movl $20, %ecx
    movl $SCRATCH, %eax
    call *%eax
    movl %ebx, %eax
    show

/* string I/O, both ways and down */
    movl $m_string, %esi
    movl $(m_string_end - m_string), %ecx
    movw $0xe9, %dx
    rep outsb
    movl $SCRATCH + 0xffe, %edi /* across two pages */
    movl $4, %ecx
    movw $0x87, %dx             /* a DMA page register */
    movb $0x5c, %al
    outb %al, %dx
    rep insb
    movl SCRATCH + 0xffe, %eax
    show
    std
    movl $SCRATCH + 7, %edi
    movl $2, %ecx
    rep insw
    cld
    movl SCRATCH + 4, %eax
    andl $0x00ff00ff, %eax
    show

/* MMIO of every size, and across a page */
    say "mmio: "
    movb 0xfed00000, %al        /* HPET: capabilities */
    movzbl %al, %eax
    call hex
    movzwl 0xfed00002, %eax
    call hex
    movl 0xfed00004, %eax
    call hex
    movl 0xfec00ffe, %eax       /* the end of a device and what is behind it */
    call hex
    movl $0, 0xfec00000         /* I/O APIC: select, then the window */
    movl $0x05000000, 0xfec00010
    movl 0xfec00010, %eax
    call hex
    pushl 0xfec00010            /* memory to memory */
    popl %eax
    call hex
    movl $SCRATCH, %edi
    movl $0xfed00000, %esi
    movl $2, %ecx
    rep movsl
    movl SCRATCH + 4, %eax
    call hex
    movl $0xa5, 0xfffe0000      /* ROM stays */
    movl 0xfffffff0, %eax
    show
    say "locked: "
    movl $7, %eax
    lock xaddl %eax, SCRATCH
    movl SCRATCH, %eax
    subl 0xfed00000, %eax
    show

/* exceptions */
    say "ud gp de: "
    movl $0, COUNT
    ud2
    movl COUNT, %eax
    call hex
    movl $0x1000, %eax
    movw %ax, %gs               /* beyond the table: #GP */
    movl COUNT, %eax
    call hex
    xorl %edx, %edx
    xorl %ecx, %ecx
    divl %ecx
    movl COUNT, %eax
    show

/* local APIC: its timer, and an NMI to itself */
    movl $0x1ff, 0xfee000f0
    movl $0xb, 0xfee003e0
    movl $0x30, 0xfee00320
    say "apic timer: "
    movl $0, COUNT
    movl $100000, 0xfee00380
    sti
    hlt
    cli
    movl COUNT, %eax
    call hex
    movl 0xfee00390, %eax
    show
    say "nmi: "
    movl $0, COUNT
    movl $0x44400, 0xfee00300   /* to itself */
    call pause
    movl COUNT, %eax
    show
    say "self ipi: "
    movl $0, COUNT
    movl $0x44031, 0xfee00300
    sti
    nop
    nop
    cli
    call pause
    movl COUNT, %eax
    show

/* a triple fault resets */
    movb $0x8f, %al
    outb %al, $0x70
    movb $0x5a, %al
    outb %al, $0x71
    say "triple fault\n"
    lidtl no_idt
    int3
3:  hlt
    jmp 3b

smc:                            /* adds 1, 2, ... to EBX by changing its own constant */
1:  addl $1, %ebx
    incb SCRATCH + 2
    loop 1b
    ret
smc_end:

pause:
    pushl %ecx
    movl $1000, %ecx
1:  inb $0x61, %al
    loop 1b
    popl %ecx
    ret

/* Lets the 8259 have a request of the timer, which is not taken while IF is clear. */
arm:
    movl $0, COUNT
    call oneshot
1:  movb $0x0a, %al
    outb %al, $0x20
    inb $0x20, %al
    testb $1, %al
    jz 1b
    ret

/* Counter 0 counts down once, which takes about a millisecond. */
oneshot:
    movb $0x30, %al
    outb %al, $0x43
    movb $0xa0, %al
    outb %al, $0x40
    movb $4, %al
    outb %al, $0x40
    ret

make_idt:
    movl $0x8000, %edi
    movl $handlers, %esi
    xorl %ecx, %ecx
1:  leal (%esi, %ecx, 8), %eax
    movw %ax, (%edi)
    movw $8, 2(%edi)
    movw $0x8e00, 4(%edi)
    shrl $16, %eax
    movw %ax, 6(%edi)
    addl $8, %edi
    incl %ecx
    cmpl $0x40, %ecx
    jb 1b
    lidtl idtr
    ret

make_pic:
    movb $0x11, %al
    outb %al, $0x20
    outb %al, $0xa0
    movb $PIC_BASE, %al
    outb %al, $0x21
    movb $PIC_BASE + 8, %al
    outb %al, $0xa1
    movb $4, %al
    outb %al, $0x21
    movb $2, %al
    outb %al, $0xa1
    movb $1, %al
    outb %al, $0x21
    outb %al, $0xa1
    movb $0xfe, %al             /* the timer alone */
    outb %al, $0x21
    movb $0xff, %al
    outb %al, $0xa1
    movl $0x1ff, 0xfee000f0     /* as a BIOS leaves it: LINT0 takes the 8259's */
    movl $0x700, 0xfee00350
    ret

/* One entry of 8 bytes for each vector. */
    .balign 8
handlers:
    .set v, 0
    .rept 0x40
    .balign 8
    pushl $v
    jmp handler
    .set v, v + 1
    .endr
    .balign 8

handler:                        /* vector, [error code,] EIP, CS, EFLAGS */
    pushl %eax
    movl 4(%esp), %eax
    cmpl $0x20, %eax
    je irq0
    ja local
    cmpl $2, %eax
    je 1f
    cmpl $13, %eax
    je general
    addl $2, 8(%esp)            /* UD2, DIV: two bytes */
    shll $8, COUNT
    orl %eax, COUNT
    jmp 2f
1:  addl $0x100, COUNT          /* NMI */
2:  popl %eax
    addl $4, %esp
    iretl
general:
    movl 8(%esp), %eax          /* error code */
    addl $2, 12(%esp)
    shll $16, COUNT
    orl %eax, COUNT
    popl %eax
    addl $8, %esp
    iretl
irq0:
    incl COUNT
    movb $0x20, %al
    outb %al, $0x20
    jmp 2b
local:
    addl %eax, COUNT
    movl $0, 0xfee000b0
    jmp 2b

puts:
    lodsb
    testb %al, %al
    jz 1f
    outb %al, $0xe9
    jmp puts
1:  ret

hex:
    pushl %ecx
    movl $8, %ecx
1:  roll $4, %eax
    pushl %eax
    andb $15, %al
    cmpb $10, %al
    jb 2f
    addb $('a' - '0' - 10), %al
2:  addb $'0', %al
    outb %al, $0xe9
    popl %eax
    loop 1b
    movb $' ', %al
    outb %al, $0xe9
    popl %ecx
    ret
newline:
    movb $10, %al
    outb %al, $0xe9
    ret

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
gdtr:
    .word 23
    .long gdt
idtr:
    .word 0x1ff
    .long 0x8000
no_idt:
    .word 0
    .long 0
m_real:
    .ascii "real mode "
m_real_end:
m_again:
    .ascii "again\n"
m_again_end:
m_string:
    .ascii "string output "
m_string_end:
