/*
 * A BIOS image that goes through the corners of virtual-8086 mode: a line for each piece of code, which runs at 2000:0000
 * with its stack at 3000:1000 and data at 4000:0000 until it faults; HLT does that, too. A line has, for each way out,
 * the vector, error code, IP, flags (VM RF NT IOPL and lower as they are, arithmetic ones left out) and AX, and
 * SP at its end. INT 0x60, #BP,
 * #OF and #DB go on. v86.said is what the manual has them say (volume 3, chapter 20). isa-debug-exit ends it.
 */
#include "image.h"

    .set ROM, 0xf0000
    .set CODE, 0x20000
    .set IDT, 0x8000
    .set TSS, 0x9000
    .set TSS_SIZE, 0x68 + 32 + 128 + 1 /* redirection map, ports up to 0x3ff */
    .set STACK, 0x7000
    .set GONE_ON, 0x600         /* events of this line */
    .set CASE, 0x604
    .set V86, 0x20002
    .set IOPL3, 0x3000
    .set IF, 0x200
    .set VIF, 0x80000
    .set VIP, 0x100000

    .code16
    .globl start
start:
    begin_real STACK
    lgdtl %cs:(gdtr32 - start)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $8, $ROM + protected - start

    .code32
protected:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl $STACK, %esp
    cld
    movb $0xff, %al
    outb %al, $0x21
    outb %al, $0xa1
    xorl %ecx, %ecx             /* gates: from 3 on user code may, but for 0x50 */
    movl $ROM + entries - start, %eax
1:  movw %ax, IDT(, %ecx, 8)
    movw $8, IDT + 2(, %ecx, 8)
    movw $0xee00, IDT + 4(, %ecx, 8)
    movw $0xf, IDT + 6(, %ecx, 8)
    addl $16, %eax
    incl %ecx
    cmpl $0x80, %ecx
    jb 1b
    movb $0x8e, IDT + 8 * 0x50 + 5
    lidtl ROM + idtr32 - start
    movl $TSS, %edi
    movl $64, %ecx
    xorl %eax, %eax
    rep stosl
    movl $STACK, TSS + 4
    movl $0x10, TSS + 8
    movw $0x68 + 32, TSS + 0x66
    movb $0xff, TSS + 0x68 + 0x61 / 8   /* INT 0x60 to 0x67: not the program's own, but 0x62 */
    andb $0xfb, TSS + 0x68 + 0x61 / 8
    movb $0x02, TSS + 0x68 + 32 + 0x80 / 8  /* port 0x81 is not allowed */
    movb $0xff, TSS + 0x68 + 32 + 128
    movw $0x18, %ax
    ltr %ax
    movl $0x20000100, 4 * 0x62  /* the program's own: at 2000:0100 */
    movl $0x12345678, 0x40000
    movl $0x12345678, 0x4fffc
    movl $ROM + cases - start, CASE

next:                           /* flags, CR4, length, name, code */
    movl CASE, %ebp
    movl $STACK, %esp
    movl (%ebp), %ebx
    testl %ebx, %ebx
    jz done
    movl 4(%ebp), %eax
    movl %eax, %cr4
    movzbl 8(%ebp), %ecx
    leal 9(%ebp), %esi
2:  lodsb
    testb %al, %al
    jz 3f
    outb %al, $0xe9
    jmp 2b
3:  movb $':', %al
    outb %al, $0xe9
    movl $CODE, %edi
    rep movsb
    movl %esi, CASE
    movb $0xf4, (%edi)
    movl $0x47 + 0xcf00, CODE + 0x100   /* inc %di; iret */
    movb $0, GONE_ON
    xorl %eax, %eax
    pushl $0
    pushl $0
    pushl $0x4000
    pushl $0x4000
    pushl $0x3000
    pushl $0x1000
    pushl %ebx
    pushl $0x2000
    pushl $0
    movl %eax, %ebx
    movl %eax, %ecx
    movl %eax, %edx
    movl %eax, %edi
    movl %eax, %esi
    iretl

done:
    movw $0x501, %dx
    movb $3, %al
    outb %al, %dx
4:  hlt
    jmp 4b

    .balign 16
entries:
    .set n, 0
    .rept 0x80
    .if (n == 8) || ((n >= 10) && (n <= 14)) || (n == 17)
    nop
    nop
    .else
    pushl $0
    .endif
    pushl $n
    jmp entry
    .balign 16
    .set n, n + 1
    .endr

entry:                          /* vector, error code, EIP, CS, EFLAGS, ESP, SS, ES, DS, FS, GS */
    pushal
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movb $' ', %al
    outb %al, $0xe9
    movl 32(%esp), %eax
    movl $2, %ecx
    call hex
    movb $'(', %al
    outb %al, $0xe9
    movl 36(%esp), %eax
    movl $4, %ecx
    call hex
    movb $')', %al
    outb %al, $0xe9
    movl 40(%esp), %eax
    movl $4, %ecx
    call hex
    movb $'/', %al
    outb %al, $0xe9
    movl 48(%esp), %eax
    andl $0x1f7700, %eax
    movl $6, %ecx
    call hex
    movb $'/', %al
    outb %al, $0xe9
    movl 28(%esp), %eax
    movl $4, %ecx
    call hex
    incb GONE_ON
    cmpb $8, GONE_ON
    ja 1f
    movl 32(%esp), %eax
    cmpl $0x60, %eax
    je 2f
    cmpl $1, %eax
    je 2f
    cmpl $3, %eax
    je 2f
    cmpl $4, %eax
    je 2f
1:  movb $' ', %al
    outb %al, $0xe9
    movl 52(%esp), %eax
    movl $4, %ecx
    call hex
    movb $10, %al
    outb %al, $0xe9
    jmp next
2:  popal
    addl $8, %esp
    iretl

hex:                            /* ECX digits of EAX */
    shll $2, %ecx
    rorl %cl, %eax
    shrl $2, %ecx
5:  roll $4, %eax
    pushl %eax
    say_digit
    popl %eax
    loop 5b
    ret

    .macro v86 name, flags, cr4=0
    .long \flags, \cr4
    .byte 78f - 77f
    .asciz "\name"
    .code16
77:
    .endm
    .macro v86_end
78:
    .endm

cases:
    v86 "int, IOPL 3", V86+IOPL3
    movw $0x1111, %ax
    int $0x60
    movw $0x2222, %ax
    v86_end
    v86 "int, IOPL 0", V86
    int $0x60
    v86_end
    v86 "int, IOPL 2", V86+0x2000
    int $0x60
    v86_end
    v86 "int, its gate is the system's", V86+IOPL3
    int $0x50
    v86_end
    v86 "int, beyond the table", V86+IOPL3
    int $0x90
    v86_end
    v86 "int3, into, IOPL 0", V86
    int3
    movb $0x7f, %al
    incb %al
    into
    v86_end
    v86 "cli, sti, IOPL 3", V86+IOPL3+IF
    cli
    pushfw
    sti
    pushfw
    popw %ax
    popw %bx
    int $0x60
    movw %bx, %ax
    v86_end
    .irp insn, cli, sti, pushfw, popfw, iretw, pushfl
    v86 "\insn, IOPL 0", V86+IF
    \insn
    v86_end
    .endr
    v86 "popf, IOPL 3", V86+IOPL3
    pushw $0x4200
    popfw
    int $0x60
    v86_end
    v86 "popfl keeps VM", V86+IOPL3
    pushl $0x10000
    popfl
    int $0x60
    v86_end
    v86 "iret, IOPL 3", V86+IOPL3
    pushw $0x0200
    pushw %cs
    pushw $10
    iretw
    nop
    nop
    nop
    nop
    int $0x60
    v86_end
    v86 "iret beyond", V86+IOPL3
    pushl $0
    pushl $0x2000
    pushl $0x10000
    iretl
    v86_end
    v86 "port allowed", V86
    inb $0x80, %al
    xorw %ax, %ax
    v86_end
    v86 "port not allowed", V86+IOPL3
    inb $0x81, %al
    v86_end
    v86 "half of a word", V86
    inw $0x80, %ax
    v86_end
    v86 "end of the map", V86
    movw $0x3ff, %dx
    inb %dx, %al
    xorw %ax, %ax
    inw %dx, %ax
    v86_end
    v86 "beyond the map", V86
    movw $0x400, %dx
    outb %al, %dx
    v86_end
    v86 "port string", V86
    movw $0x81, %dx
    movw $2, %cx
    rep outsb
    v86_end
    v86 "word at the end", V86
    movw 0xfffe, %ax
    movw 0xffff, %ax
    v86_end
    v86 "by BP", V86
    movw $0xffff, %bp
    movw (%bp), %ax
    v86_end
    v86 "push at the end", V86
    movw $1, %sp
    pushw %ax
    v86_end
    v86 "jump beyond", V86
    movl $0x10000, %eax
    jmpl *%eax
    v86_end
    v86 "a segment", V86
    movw $0x4fff, %ax
    movw %ax, %es
    movw %es:12, %ax
    v86_end
    v86 "movl from CR0", V86+IOPL3
    movl %cr0, %eax
    v86_end
    .irp insn, clts, invd, rdmsr, wbinvd
    v86 "\insn", V86+IOPL3
    \insn
    v86_end
    .endr
    v86 "ltr", V86
    ltr %ax
    v86_end
    v86 "sldt", V86
    sldt %ax
    v86_end
    v86 "arpl", V86
    .byte 0x63, 0xc0
    v86_end
    v86 "lar", V86
    larw %ax, %ax
    v86_end
    v86 "smsw", V86
    smsww %ax
    andw $1, %ax
    v86_end
    v86 "ud2", V86
    ud2
    v86_end
    v86 "div by 0", V86
    divb %cl
    v86_end
    v86 "steps", V86+IOPL3
    pushw $0x100
    popfw
    nop
    int $0x60
    incw %ax
    pushw $0
    popfw
    v86_end
    v86 "VME: int to the program, IOPL 3", V86+IOPL3+IF, 1
    int $0x62
    movw %di, %ax
    v86_end
    v86 "VME: int to the program, IOPL 0", V86+IF+VIF, 1
    int $0x62
    movw %di, %ax
    v86_end
    v86 "VME: int to the system, IOPL 3", V86+IOPL3, 1
    int $0x60
    v86_end
    v86 "VME: int to the system, IOPL 0", V86, 1
    int $0x60
    v86_end
    v86 "VME: cli, IOPL 0", V86+IF+VIF, 1
    cli
    pushfw
    popw %ax
    v86_end
    v86 "VME: sti, IOPL 0", V86, 1
    sti
    pushfw
    popw %ax
    v86_end
    v86 "VME: sti, pending", V86+VIP, 1
    sti
    v86_end
    v86 "VME: popf, IOPL 0", V86, 1
    pushw $0x200
    popfw
    pushfw
    popw %ax
    v86_end
    v86 "VME: popf, pending", V86+VIP, 1
    pushw $0x200
    popfw
    v86_end
    v86 "VME: pushfl, IOPL 0", V86, 1
    pushfl
    v86_end
    v86 "VME: iret, IOPL 0", V86, 1
    pushw $0x3200
    pushw %cs
    pushw $9
    iretw
    nop
    nop
    nop
    pushfw
    popw %ax
    v86_end
    v86 "VME: iret, pending", V86+VIP, 1
    pushw $0x200
    pushw %cs
    pushw $9
    iretw
    v86_end
    .code32
    .long 0

    .balign 8
gdt32:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x0000890090000000 + TSS_SIZE - 1
gdtr32:
    .word 31
    .long ROM + gdt32 - start
idtr32:
    .word 0x80 * 8 - 1
    .long IDT

    .code16
    end_of_image
