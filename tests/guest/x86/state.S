/*
 * A BIOS image that sets all registers that it can, in 64-bit code at user level, and then looks over and over whether
 * they are as it set them: x87, SSE, AVX and AVX-512 itself, the others (debug, control and model-specific registers,
 * the local APIC) by an exception. Says "set" and a blank for each kind that there is (k: kvmclock, a: AVX, z: AVX-512,
 * d: the APIC's deadline) at the debug console, port 0xe9; then "." now and then; and "lost" with a number if not so,
 * which is that of an MSR or of LOST_*.
 */
#include "image.h"

    .set ROM, 0xf0000

    .set HAVE, 0x500            /* which kinds there are */
    .set HAVE_ALWAYS, 1
    .set HAVE_KVM, 2
    .set HAVE_AVX, 4
    .set HAVE_AVX512, 8
    .set HAVE_DEADLINE, 16
    .set HAVE_TSCP, 32
    .set TIME, 0x508            /* as last seen: the time-stamp counter, kvmclock */
    .set CLOCK, 0x510
    .set CONTROL, 0x520         /* CR0, CR3, CR4, XCR0 as set */
    .set CONTROL_SEEN, 0x560
    .set DEADLINE, 0x540
    .set STACK, 0x7000
    .set CLOCK_PAGE, 0x3000
    .set TABLES, 0x10000
    .set VALUES, 0x20000        /* of vector registers, 64 bytes each; of opmasks, x87 */
    .set MASKS, VALUES + 64 * 32
    .set X87, MASKS + 64
    .set SEEN, 0x22000          /* the same, as looked at */
    .set SEEN_MASKS, SEEN + MASKS - VALUES
    .set FX, 0x24000            /* FXSAVE's area, as set, and as looked at */
    .set FX_SEEN, 0x24200
    .set IDT, 0x25000
    .set TSS, 0x26000
    .set GDT, 0x27000           /* where a TSS can be marked busy */
    .set DEBUG, 0x11111000      /* in the first debug register, twice that in the next ... */
    .set LOOK, 6                /* #UD, which has the rest looked at: some KVMs take no INT */

    .set LOST_VECTOR, 1
    .set LOST_MASK, 2
    .set LOST_X87, 3
    .set LOST_TIME, 4
    .set LOST_CLOCK, 5
    .set LOST_GENERAL, 6
    .set LOST_DEBUG, 7
    .set LOST_CONTROL, 8
    .set LOST_APIC, 9
    .set LOST_DEADLINE, 10

/* Two runs of quadwords are the same, or `what` is lost. */
    .macro same what, first, second, count
    movl $\what, %ebx
    movl $\first, %esi
    movl $\second, %edi
    movl $\count, %ecx
    repe cmpsq
    jne lost
    .endm

    .code16
    .globl start
start:
    begin_real STACK
    movb $0xff, %al             /* no interrupt: there are KVMs where user code takes them with IF clear */
    outb %al, $0x21
    outb %al, $0xa1
    movw $TABLES >> 4, %ax
    movw %ax, %es
    xorl %eax, %eax
    xorw %di, %di
    movw $0x1000, %cx
    rep stosl
    /* the first 2 MiB, and those of the local APIC, for user code too */
    movl $TABLES + 0x1007, %es:0
    movl $TABLES + 0x2007, %es:0x1000
    movl $TABLES + 0x3007, %es:0x1018
    movl $0x87, %es:0x2000
    movl $APIC | 0x97, %es:0x3000 + (APIC >> 21 & 0x1ff) * 8
    movl $TABLES, %eax
    movl %eax, %cr3
    movl $0x40620, %eax         /* OSXSAVE, OSXMMEXCPT, OSFXSR, PAE */
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    movl $0x101, %eax           /* LME, SCE */
    xorl %edx, %edx
    wrmsr
    lgdtl %cs:(table_register - start)
    movl $0x80000033, %eax
    movl %eax, %cr0
    ljmpl $0x10, $ROM + long

    .balign 8
table:
    .quad 0, 0
    .quad 0x00af9b000000ffff    /* 10: code of 64 bits */
    .quad 0x00cf93000000ffff    /* 18: data */
    .quad 0
    .quad 0x00cff3000000ffff    /* 28, 30: the same for user code; there are KVMs that count on Linux' order */
    .quad 0x00affb000000ffff
    .quad 0x0000890260000067, 0 /* 38: TSS */
table_register:
    .word table_register - table - 1
    .long ROM + table

    .code64
long:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $STACK, %esp
    movl $ROM + table, %esi
    movl $GDT, %edi
    movl $(table_register - table) / 4, %ecx
    rep movsl
    movw $table_register - table - 1, TIME
    movq $GDT, TIME + 2
    lgdt TIME
    movw $LOOK * 16 + 15, TIME
    movq $IDT, TIME + 2
    lidt TIME
    movl $STACK - 0x800, TSS + 4
    movl $0x38, %eax
    ltr %ax
    movw $entry, IDT + LOOK * 16
    movl $0x8e000010, IDT + LOOK * 16 + 2
    movw $ROM >> 16, IDT + LOOK * 16 + 6
    call look_around
    movl $VALUES, %edi          /* what registers get: numbers that differ */
    movl $0x1234567, %eax
    movl $(X87 + 80 - VALUES) / 4, %ecx
1:  imull $0x41c64e6d, %eax, %eax
    addl $12345, %eax
    movl %eax, (%rdi)
    addl $4, %edi
    decl %ecx
    jnz 1b
    movl $ROM + msrs, %esi
2:  movl (%rsi), %ecx
    jecxz 4f
    movl 12(%rsi), %eax
    testl %eax, HAVE
    jz 3f
    movl 4(%rsi), %eax
    movl 8(%rsi), %edx
    wrmsr
3:  addl $16, %esi
    jmp 2b
4:  movl $APIC, %ebx
    movl $0x1ff, 0xf0(%rbx)
    movl $0x05000000, 0xd0(%rbx)
    movl $0x00010700, 0x350(%rbx)
    movl $0x30, 0x80(%rbx)
    movl $0x00010055, 0x320(%rbx)
    testl $HAVE_DEADLINE, HAVE
    jz 5f
    movl $0x00050055, 0x320(%rbx)
    rdtsc                       /* in a far future */
    addl $0x100000, %edx
    movl %eax, DEADLINE
    movl %edx, DEADLINE + 4
    movl $0x6e0, %ecx
    wrmsr
5:
    .irp n, 0, 1, 2, 3
    movl $DEBUG * (\n + 1), %eax
    movq %rax, %db\n
    .endr
    movl $0x455, %eax
    movq %rax, %db7
    movl $CONTROL, %edi
    call control
    rdtsc
    movl %eax, TIME
    movl %edx, TIME + 4
    movl $ROM + user, %ecx
    movl $0x3002, %r11d         /* user code may do I/O */
    sysretq

/* CPUID: what there is, in HAVE; XCR0 */
look_around:
    movl $HAVE_ALWAYS, %ebp
    movl $0x40000000, %eax
    cpuid
    cmpl $0x4b4d564b, %ebx      /* "KVMK" */
    jne 1f
    orl $HAVE_KVM, %ebp
1:  movl $0x80000001, %eax
    cpuid
    btl $27, %edx
    jnc 2f
    orl $HAVE_TSCP, %ebp
2:  movl $1, %eax
    cpuid
    btl $24, %ecx
    jnc 3f
    orl $HAVE_DEADLINE, %ebp
3:  btl $28, %ecx
    jnc 5f
    orl $HAVE_AVX, %ebp
    movl $7, %eax
    xorl %ecx, %ecx
    cpuid
    andl $1 << 16 | 1 << 30, %ebx       /* with AVX-512BW for opmasks of 64 bits */
    cmpl $1 << 16 | 1 << 30, %ebx
    jne 4f
    orl $HAVE_AVX512, %ebp
4:  movl $7, %eax
    testl $HAVE_AVX512, %ebp
    jz 6f
    movl $0xe7, %eax
    jmp 6f
5:  movl $3, %eax
6:  xorl %ecx, %ecx
    xorl %edx, %edx
    xsetbv
    movl %ebp, HAVE
    ret

/* CR0, CR3 and CR4 to where RDI points */
control:
    movq %cr0, %rax
    movq %rax, (%rdi)
    movq %cr3, %rax
    movq %rax, 8(%rdi)
    movq %cr4, %rax
    movq %rax, 16(%rdi)
    ret

/* MSRs: number, value, which kind they belong to */
    .balign 4
    .macro msr number, value, have=HAVE_ALWAYS
    .long \number
    .quad \value
    .long \have
    .endm
msrs:
    msr 0xc0000081, 0x0023001012345678
    msr 0xc0000082, 0x00007123456789ab
    msr 0xc0000083, 0x00007abcdef01234
    msr 0xc0000084, 0x00044700
    msr 0xc0000100, 0x0000123456789000
    msr 0xc0000101, 0xffff923456789000
    msr 0xc0000102, 0xffffabcdef012340
    msr 0xc0000103, 0x12345, HAVE_TSCP
    msr 0x174, 0x8
    msr 0x175, 0x0000712345678900
    msr 0x176, 0x0000787654321000
    msr 0x200, 0xc0000006
    msr 0x201, 0x0ff8000800
    msr 0x250, 0x0606060606060605
    msr 0x277, 0x0007010600070406
    msr 0x2ff, 0xc06
    msr 0x4b564d01, CLOCK_PAGE + 1, HAVE_KVM
    .long 0

/* UD2: looks at what user code cannot. It ends by SYSRET, as there are KVMs without IRET. */
entry:
    movq (%rsp), %r8
    movl $STACK, %esp
    movl $ROM + msrs, %esi
1:  movl (%rsi), %ecx
    jecxz 3f
    movl 12(%rsi), %eax
    testl %eax, HAVE
    jz 2f
    rdmsr
    movl %ecx, %ebx
    cmpl 4(%rsi), %eax
    jne lost
    cmpl 8(%rsi), %edx
    jne lost
2:  addl $16, %esi
    jmp 1b
3:  movl $LOST_DEBUG, %ebx
    .irp n, 0, 1, 2, 3
    movq %db\n, %rax
    cmpq $DEBUG * (\n + 1), %rax
    jne lost
    .endr
    movq %db7, %rax
    cmpq $0x455, %rax
    jne lost
    movl $CONTROL_SEEN, %edi
    call control
    same LOST_CONTROL, CONTROL, CONTROL_SEEN, 3
    movl $LOST_APIC, %ebx
    movl $APIC, %esi
    movl 0xf0(%rsi), %eax
    cmpl $0x1ff, %eax
    jne lost
    movl 0xd0(%rsi), %eax
    cmpl $0x05000000, %eax
    jne lost
    movl 0x350(%rsi), %eax
    cmpl $0x00010700, %eax
    jne lost
    movl 0x80(%rsi), %eax
    cmpl $0x30, %eax
    jne lost
    testl $HAVE_DEADLINE, HAVE
    jz 5f
    movl $LOST_DEADLINE, %ebx
    movl $0x6e0, %ecx
    rdmsr
    cmpl DEADLINE, %eax
    jne lost
    cmpl DEADLINE + 4, %edx
    jne lost
5:  leaq 2(%r8), %rcx       /* behind it */
    movl $0x3002, %r11d
    sysretq

/* ---- user level ---- */

#define TO_7  0, 1, 2, 3, 4, 5, 6, 7
#define TO_15 TO_7, 8, 9, 10, 11, 12, 13, 14, 15
#define TO_31 TO_15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31

    .macro get insn, at, step, reg, numbers:vararg
    .irp n, \numbers
    \insn \at + \step * \n, %\reg\n
    .endr
    .endm

    .macro put insn, at, step, reg, numbers:vararg
    .irp n, \numbers
    \insn %\reg\n, \at + \step * \n
    .endr
    .endm

    .macro say_kind kind, letter
    testl $\kind, HAVE
    jz 9f
    movb $\letter, %al
    outb %al, $0xe9
9:
    .endm

user:
    xorl %ecx, %ecx
    xgetbv                      /* here, as not every KVM knows it at level 0 */
    movl %eax, CONTROL + 24
    fninit
    fldt X87
    fldt X87 + 10
    fldpi
    fld1
    movl $ROM + mxcsr, %eax
    ldmxcsr (%rax)
    testl $HAVE_AVX512, HAVE
    jz 1f
    get vmovdqu64, VALUES, 64, zmm, TO_31
    get kmovq, MASKS, 8, k, TO_7
    jmp 3f
1:  testl $HAVE_AVX, HAVE
    jz 3f
    get vmovdqu, VALUES, 64, ymm, TO_15
3:  fxsave64 FX
    movq $0x123456789abcdef0, %r12
    movq %r12, %r13
    notq %r13
    leaq 5(%r12), %r14
    xorl %r15d, %r15d
    movl $ROM + m_set, %esi
    call say
    say_kind HAVE_KVM, 'k'
    say_kind HAVE_AVX, 'a'
    say_kind HAVE_AVX512, 'z'
    say_kind HAVE_DEADLINE, 'd'
    movb $10, %al
    outb %al, $0xe9

again:
    testl $HAVE_AVX512, HAVE
    jz 1f
    put vmovdqu64, SEEN, 64, zmm, TO_31
    put kmovq, SEEN_MASKS, 8, k, TO_7
    same LOST_VECTOR, VALUES, SEEN, 256
    same LOST_MASK, MASKS, SEEN_MASKS, 8
    jmp 2f
1:  testl $HAVE_AVX, HAVE
    jz 2f
    put vmovdqu, SEEN, 64, ymm, TO_15
    .irp n, TO_15
    same LOST_VECTOR, VALUES+64*\n, SEEN+64*\n, 4
    .endr
2:  fxsave64 FX_SEEN
    same LOST_X87, FX, FX_SEEN, 64
    movl $LOST_CONTROL, %ebx
    xorl %ecx, %ecx
    xgetbv
    cmpl CONTROL + 24, %eax
    jne lost
    movl $LOST_GENERAL, %ebx
    movq %r12, %rax
    notq %rax
    cmpq %rax, %r13
    jne lost
    leaq 5(%r12), %rax
    cmpq %rax, %r14
    jne lost
    movl $LOST_TIME, %ebx
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    cmpq TIME, %rax
    jb lost
    movq %rax, TIME
    testl $HAVE_KVM, HAVE
    jz 3f
    call clock
    movl $LOST_CLOCK, %ebx
    cmpq CLOCK, %rax
    jb lost
    movq %rax, CLOCK
3:  ud2
    incl %r15d
    testl $15, %r15d
    jnz again
    movb $'.', %al
    outb %al, $0xe9
    jmp again

/* RAX: kvmclock's nanoseconds (Documentation/virt/kvm/x86/msr.rst) */
clock:
    movl CLOCK_PAGE, %r9d
    testl $1, %r9d
    jnz clock
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    subq CLOCK_PAGE + 8, %rax
    movsbl CLOCK_PAGE + 28, %ecx
    testl %ecx, %ecx
    js 1f
    shlq %cl, %rax
    jmp 2f
1:  negl %ecx
    shrq %cl, %rax
2:  movl CLOCK_PAGE + 24, %edx
    mulq %rdx
    shrdq $32, %rdx, %rax
    addq CLOCK_PAGE + 16, %rax
    cmpl CLOCK_PAGE, %r9d
    jne clock
    ret

/* EBX: what */
lost:
    movl $ROM + m_lost, %esi
    call say
    movl $8, %ecx
1:  roll $4, %ebx
    movl %ebx, %eax
    say_digit
    decl %ecx
    jnz 1b
    movb $10, %al
    outb %al, $0xe9
3:  jmp 3b

say:
    movb (%rsi), %al
    testb %al, %al
    jz 1f
    outb %al, $0xe9
    incl %esi
    jmp say
1:  ret

    .balign 4
mxcsr:  .long 0x3fc0
m_set:  .asciz "set "
m_lost: .asciz "\nlost "

    .code16
    end_of_image
