/*
 * A BIOS image that goes through the corners of real mode: ends of segments, of the stack and of code,
 * vector tables elsewhere, single steps, what there is not, segments that keep what protected mode gave
 * them. Each line is a probe (probe.h); real.said is what they say by the manuals. isa-debug-exit ends it.
 * With KVM defined it is without what KVMs do not know where they emulate real mode, or do in their own way.
 */
#include "image.h"
#include "probe.h"

    .set ELSEWHERE, 0x3000      /* a segment for code and stacks at its ends */
    .set TABLE, 0x9000          /* another vector table */

/* Code at an offset of the segment ELSEWHERE; the bytes are words. ES is left there. */
    .macro put offset, bytes:vararg
    movw $ELSEWHERE, %ax
    movw %ax, %es
    movw $\offset, %di
    .irp b, \bytes
    movb $\b, %es:(%di)
    incw %di
    .endr
    xorw %di, %di
    xorw %ax, %ax
    .endm

/* The stack there. */
    .macro stack_at sp
    movw $ELSEWHERE, %ax
    movw %ax, %ss
    movl $\sp, %esp
    xorw %ax, %ax
    .endm

/* A data segment gets a base and a limit from a descriptor; clobbers EAX. */
    .macro load_from_table selector, segment
    lgdtl %cs:(tables - start)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    movw $\selector, %ax
    movw %ax, \segment
    movl %cr0, %eax
    andb $0xfe, %al
    movl %eax, %cr0
    xorl %eax, %eax
    .endm

    .macro step_on
    pushfw
    movw %sp, %bp
    orw $0x100, (%bp)
    popfw
    .endm

    .macro step_off
    pushfw
    movw %sp, %bp
    andw $0xfeff, (%bp)
    popfw
    .endm

    .code16
    .globl start
start:
    begin_real PROBE_SP
    movl $PROBE_SP, %esp
    movw %ax, %es
    big_real
    movb $0xff, %al
    outb %al, $0x21
    outb %al, $0xa1
    call probe_vectors
    movl $0x44332211, 0x8000
    movl $0x88776655, 0xfff8
    movl $0xccbbaa99, 0xfffc

/* ---- data ---- */
    probe "word at the end"
    movw 0xffff, %ax
    probed
    probe "last word"
    movw 0xfffe, %ax
    probed
    probe "long at the end"
    movl 0xfffd, %eax
    probed
    probe "last long"
    movl 0xfffc, %eax
    probed
    probe "store at the end"
    movw %ax, 0xffff
    probed
    probe "by BP"
    movw $0xffff, %bp
    movw (%bp), %ax
    probed
    probe "by BP, with DS"
    movw $0xffff, %bp
    movw %ds:(%bp), %ax
    probed
    probe "by SI, with SS"
    movw $0xffff, %si
    movw %ss:(%si), %ax
    probed
    probe "address goes round"
    movw $0xfff8, %bx
    movw 4(%bx), %ax
    movw 0x7fff + 9(%bx), %cx
    probed
    probe "32-bit address beyond"
    movl $0x10000, %ebx
    movb (%ebx), %al
    probed
    probe "32-bit address within"
    movl $0x8000, %ebx
    movl (%ebx), %eax
    probed
    probe "32-bit address by EBP"
    movl $0x12345, %ebp
    movb (%ebp), %al
    probed
    probe "32-bit sum goes round"
    movl $0xffffffff, %ebx
    movl 0x8001(%ebx), %eax
    probed
    probe "add at the end"
    addw $1, 0xffff
    probed
    probe "locked"
    movl $1, %eax
    lock xaddl %eax, 0xfffe
    probed
    probe "les"
    lesw 0xfffe, %ax
    probed
    .ifndef KVM
    probe "bound"
    boundw %ax, 0xfffe
    probed
    .endif
    .ifndef KVM
    probe "fild"
    fildll 0xfff9
    probed
    probe "lgdt"
    lgdtw 0xfffb
    probed
    .endif
    probe "push of a word there"
    pushw 0xffff
    probed
    probe "jmp through it"
    jmpw *0xffff
    probed
    probe "ljmp through it"
    ljmpw *0xfffd
    probed

/* ---- strings ---- */
    probe "lodsw"
    movw $0xffff, %si
    lodsw
    probed
    probe "lodsw, last word"
    movw $0xfffe, %si
    lodsw
    probed
    probe "stosb goes round"
    movw $0x2000, %ax
    movw %ax, %es
    movw $0xfffe, %di
    movw $4, %cx
    rep stosb
    probed
    probe "stosw at odd addresses"
    movw $0x2000, %ax
    movw %ax, %es
    movw $0xfffb, %di
    movw $5, %cx
    rep stosw
    probed
    probe "movsw, source"
    movw $0xfffd, %si
    movw $0x2000, %ax
    movw %ax, %es
    movw $4, %cx
    rep movsw
    probed
    probe "down through 0"
    movw $0x2000, %ax
    movw %ax, %es
    movw $2, %di
    movw $4, %cx
    std
    rep stosw
    probed
    probe "cmpsl, destination"
    movw $0x2000, %ax
    movw %ax, %es
    movw $0xfffd, %di
    cmpsl
    probed
    probe "outsb by SS"
    movw $0x8000, %si
    movw $0x80, %dx
    rep ss outsb
    ss outsb
    probed
    probe "insw"
    movw $0xffff, %di
    movw $0x21, %dx
    insw
    probed
    probe "xlat goes round"
    movw $0xffff, %bx
    movb $2, %al
    xlat
    probed

/* ---- the stack ---- */
    probe "push below 0"
    stack_at 0
    pushw $0x1234
    popw %ax
    pushw %ax
    probed
    probe "push across"
    stack_at 2
    pushl $0x12345678
    probed
    probe "pop at the end"
    stack_at 0xffff
    popw %ax
    probed
    probe "pop across"
    stack_at 0xfffe
    popl %eax
    probed
    probe "ret at the end"
    stack_at 0xffff
    retw
    probed
    probe "lret at the end"
    stack_at 0xfffd
    lretw
    probed
    probe "pop goes round"
    stack_at 0xfffe
    popw %ax
    popw %bx
    movl %esp, %ecx
    probed
    probe "iret goes round"
    put 0xfffe, 0, 0
    movw $(1f - start), %es:0xfffe
    movw $0xf000, %es:0
    movw $2, %es:2
    stack_at 0xfffe
    iretw
1:  movw $0x5555, %bx
    probed
    probe "upper half of ESP"
    stack_at 0x12340010
    pushw $1
    popw %ax
    pushw %ax
    probed
    probe "pusha goes round"
    stack_at 8
    movw $0x7777, %di
    pushaw
    movw %es:0xfff8, %ax
    put 0, 0
    movw %es:0xfff8, %ax
    probed
    probe "enter, leave"
    stack_at 4
    movw $0x1111, %bp
    enterw $8, $0
    movw %bp, %ax
    movw %sp, %bx
    leavew
    movw %bp, %cx
    probed
    probe "push of SP"
    pushw %sp
    popw %ax
    probed

/* ---- code ---- */
    probe "code runs off the end"
    put 0xfffe, 0x40, 0x43              /* inc %ax; inc %bx */
    ljmpw $ELSEWHERE, $0xfffe
    probed
    probe "an instruction across the end"
    put 0xfffe, 0x40, 0xb3              /* inc %ax; movb, %bl */
    ljmpw $ELSEWHERE, $0xfffe
    probed
    probe "jmp goes round"
    put 0xfffd, 0x40, 0xeb, 0x04        /* inc %ax; jmp .+6 */
    put 3, 0x43, 0xcd, 0x05             /* inc %bx; int $5 */
    ljmpw $ELSEWHERE, $0xfffd
    probed
    probe "jmp back goes round"
    put 0, 0xeb, 0xf0                   /* jmp .-14 */
    put 0xfff2, 0x43, 0xcd, 0x05
    ljmpw $ELSEWHERE, $0
    probed
    probe "long jmp beyond"
    jmpl *%cs:(beyond - start)
    probed
    probe "long jmp by a register"
    movl $0x12345, %eax
    jmpl *%eax
    probed
    probe "long jmp goes on"
    movl $(1f - start), %eax
    jmpl *%eax
1:  movw $0x6666, %bx
    probed
    probe "long ret beyond"
    pushl $0x10000
    retl
    probed
    probe "long call"
    calll 1f
1:  popl %ebx
    subw $(1b - start), %bx
    probed
    probe "call at the end"
    put 0xfffd, 0xe8, 0x05, 0x00        /* call 5 */
    put 5, 0x5b, 0xcd, 0x05             /* pop %bx: 0 */
    ljmpw $ELSEWHERE, $0xfffd
    probed
    probe "loop at the end"
    put 0xfffe, 0xe2, 0x06
    put 6, 0xcd, 0x05
    movw $2, %cx
    ljmpw $ELSEWHERE, $0xfffe
    probed
    probe "a REP at the end"
    put 0xfffe, 0xf3, 0xac              /* rep lodsb */
    movw $3, %cx
    ljmpw $ELSEWHERE, $0xfffe
    probed

/* ---- vector tables ---- */
    probe "int"
    movw $0x5555, %ax
    int $0x60
    int3
    movb $0x7f, %al
    addb $1, %al
    into
    probed
    call copy_table
    movw $(other_int - start), TABLE + 0x60 * 4
    lidtl %cs:(table_full - start)
    probe "int by another table"
    int $0x60
    int $0x61
    probed
    lidtl %cs:(table_61 - start)
    probe "up to 0x61"
    int $0x61
    probed
    .ifndef KVM
    probe "0x62 beyond it"
    int $0x62
    probed
    .endif
    lidtl %cs:(table_part - start)
    .ifndef KVM
    probe "most of 0x61"
    int $0x60
    int $0x61
    probed
    .endif
    probe "sidt"
    sidtl 0x700
    movw 0x700, %bx
    movl 0x702, %eax
    probed
    lidtw %cs:(table_high - start)
    sidtl 0x700
    lidtl %cs:(table_real - start)
    probe "lidt of 24 bits"
    movw 0x700, %bx
    movl 0x702, %eax
    probed
    probe "div by 0"
    divb %cl
    probed
    probe "idiv"
    movw $0x8000, %ax
    cwd
    movw $-1, %cx
    idivw %cx
    probed
    probe "aam"
    movb $5, %al
    .byte 0xd4, 0
    probed
    .ifndef KVM
    probe "bound, out of it"
    movl $0x00050001, 0x700
    movw $6, %ax
    boundw %ax, 0x700
    probed
    .endif
    probe "flags"
    pushl $0xfffffeff
    popfl
    pushfl
    popl %eax
    cld
    movl $0x40000, %ecx
    pushl $2
    popfl
    pushfl
    popl %ebx
    pushfw
    popw %cx
    probed
    probe "flags pushed by int"
    pushw $0x7ed7
    popfw
    int $0x60
    cld
    movw PROBE_MET + 6, %ax
    pushfw
    popw %bx
    pushw $2
    popfw
    probed

/* ---- single steps ---- */
    probe "steps"
    step_on
    incw %ax
    nop
    step_off
    incw %ax
    probed
    .ifndef KVM
    probe "steps over int"
    step_on
    int $0x60
    incw %ax
    step_off
    probed
    probe "steps over int3, into"
    movb $0x7f, %al
    movw $0x0302, %cx
    pushw %cx
    step_on
    addb $1, %al
    into
    int3
    nop
    step_off
    popw %cx
    probed
    .endif
    probe "iret sets it"
    pushw $0x102
    pushw %cs
    pushw $(1f - start)
    iretw
1:  incw %ax
    incw %ax
    step_off
    probed
    probe "iret clears it"
    step_on
    pushw $2
    pushw %cs
    pushw $(1f - start)
    iretw
1:  incw %ax
    incw %ax
    probed
    .ifndef KVM
    probe "steps, mov to SS"
    movw %ss, %cx
    step_on
    movw %cx, %ss
    incw %ax
    incw %ax
    step_off
    probed
    probe "steps, pop to SS"
    pushw %ss
    step_on
    popw %ss
    incw %ax
    popw %bx
    pushw %bx
    step_off
    probed
    .endif
    probe "steps, mov to DS"
    movw %ds, %cx
    step_on
    movw %cx, %ds
    incw %ax
    step_off
    probed
    probe "steps, sti"
    step_on
    sti
    incw %ax
    cli
    step_off
    probed
    .ifndef KVM
    probe "steps, rep"
    movw $0x8000, %si
    movw $0x8010, %di
    movw $3, %cx
    step_on
    rep movsb
    incw %ax
    step_off
    probed
    .endif
    probe "steps, rep of nothing"
    step_on
    rep movsb
    incw %ax
    step_off
    probed
    .ifndef KVM
    probe "steps, ports"
    movw $0x80, %dx
    step_on
    inb %dx, %al
    outb %al, %dx
    outb %al, $0x80
    step_off
    xorw %ax, %ax
    probed
    probe "steps, port strings"
    movw $0x21, %dx
    movw $0x8100, %di
    movw $2, %cx
    step_on
    rep insb
    movw $0x80, %dx
    movw $0x8100, %si
    outsb
    step_off
    probed
    .endif
    probe "steps, cpuid"
    step_on
    cpuid
    xorl %eax, %eax
    step_off
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    probed
    probe "steps, a device"
    movl $0xfed00000, %edi
    step_on
    movl %fs:(%edi), %eax
    movl %fs:4(%edi), %ebx
    step_off
    probed
    probe "steps, jumps"
    step_on
    jmp 1f
1:  callw 2f
2:  popw %bx
    subw $(2b - start), %bx
    ljmpw $0xf000, $(3f - start)
3:  step_off
    probed
    .ifndef KVM
    probe "steps, a fault"
    step_on
    ud2
    probed
    .endif
    probe "steps, DR6"
    xorl %eax, %eax
    movl %eax, %dr6
    step_on
    nop
    step_off
    movl %dr6, %eax
    andl $0xe00f, %eax
    probed
    .ifndef KVM
    probe "icebp"
    xorl %eax, %eax
    movl %eax, %dr6
    .byte 0xf1
    incw %bx
    movl %dr6, %eax
    andl $0xe00f, %eax
    probed
    .endif

/* ---- what there is not ---- */
    .macro refused encodings:vararg
    .irp bytes, \encodings
    probe "\bytes"
    .byte \bytes
    probed
    .endr
    .endm
    refused "0x0f, 0x00, 0xc0", "0x0f, 0x00, 0xd8", "0x8e, 0xc8", "0xf0, 0x40", "0xf0, 0x89, 0x07"
    refused "0x0f, 0xaa", "0x0f, 0x05", "0x0f, 0x34", "0x0f, 0x20, 0xc8", "0x8c, 0xf8", "0xff, 0xff"
    .ifndef KVM
    refused "0x0f, 0x00, 0xe0", "0x0f, 0x02, 0xc0", "0x63, 0xc0", "0x0f, 0x0b", "0x0f, 0xb9, 0xc0"
    refused "0x8d, 0xc0", "0xfe, 0xf8", "0x0f, 0xc7, 0xc8"
    .endif
    probe "sixteen bytes"
    .fill 14, 1, 0x2e
    .byte 0xb0, 1
    probed
    probe "fifteen bytes"
    .fill 13, 1, 0x2e
    .byte 0xb0, 1
    probed
    probe "rdmsr of what is not there"
    movl $0x12345678, %ecx
    rdmsr
    probed
    probe "CR4"
    movl $0x80000000, %eax
    movl %eax, %cr4
    probed
    probe "smsw, lmsw"
    smsww %ax
    andw $0x0f, %ax
    clts
    probed

/* ---- segments as protected mode left them ---- */
    addr32 movl $0x5a5a1234, %fs:0x123450
    load_from_table 8, %ds
    probe "large segment"
    movl $0x123450, %ebx
    movl (%ebx), %eax
    probed
    load_from_table 8, %es
    probe "large segment, another base"
    movw $0x1000, %ax
    movw %ax, %es
    movl $0x113450, %ebx
    movl %es:(%ebx), %eax
    movl $0x113450, %edi
    movl $2, %ecx
    addr32 rep stosw
    probed
    load_from_table 16, %es
    probe "small segment"
    movb %es:0xfff, %al
    movb %es:0x1000, %al
    probed
    load_from_table 16, %es
    probe "small segment, another base"
    movw $0x1000, %ax
    movw %ax, %es
    movw %es:0xfff, %ax
    probed
    load_from_table 24, %es
    probe "downward segment"
    movw %es:0x1000, %ax
    movw $1, %ax
    movw %es:0xfff, %ax
    probed
    load_from_table 8, %es
    load_from_table 8, %ss
    probe "large stack"
    movl $0x17000, %esp
    pushw $0x1234
    movl %esp, %ebx
    addr32 movw %fs:0x16ffe, %ax
    movl $PROBE_SP, %esp
    probed
    load_from_table 32, %ss
    load_from_table 32, %es
    movl $PROBE_SP, %esp
    probe "after all"
    movw 0xffff, %ax
    probed

    leave_program

copy_table:
    pushal
    xorw %si, %si
    movw $TABLE, %di
    movw $0x200, %cx
    rep movsw
    popal
    ret

other_int:
    movw $0x4321, %bx
    iretw

    probe_functions

    .balign 8
beyond:
    .long 0x10000
segments:
    .quad 0
    .quad 0x00cf93000000ffff    /* 08: all there is, 32 bits */
    .quad 0x0000930080000fff    /* 10: 4 KiB at 0x8000 */
    .quad 0x0000970080000fff    /* 18: all but that */
    .quad 0x000093000000ffff    /* 20: as real mode has them */
tables:
    .word 39
    .long 0xf0000 + segments - start
table_full:
    .word 0x3ff
    .long TABLE
table_61:
    .word 0x62 * 4 - 1
    .long TABLE
table_part:
    .word 0x62 * 4 - 2
    .long TABLE
table_high:
    .word 0x1234
    .long 0x89abcdef
table_real:
    .word 0x3ff
    .long 0

    end_of_image
