/*
 * Probes for BIOS images of real mode: a few lines of code are run between known registers; what they leave
 * in registers, and the exceptions and interrupts on the way, are said in one line at the debug console, port
 * 0xe9. To be included behind image.h; FS is segment 0 with all addresses, which probes leave alone.
 *
 *     probe "a word at the end"
 *     movw 0xffff, %ax
 *     probed
 *
 * says "a word at the end: 00000000 0000 0000 0000 0000 0000 7000 0d@0000/0": EAX, BX, CX, DX, SI, DI, SP, and
 * #GP at the first byte with neither TF (1) nor IF (2) in the flags. What is taken elsewhere is "vv@cs:ip".
 * #DB, #BP, #OF and what is from 0x20 on return; other exceptions end the probe.
 */
    .set PROBE_SP, 0x7000
    .set PROBE_BASE, 0x610      /* where the probe begins, and goes on when it is over */
    .set PROBE_AFTER, 0x612
    .set PROBE_COUNT, 0x614
    .set PROBE_REGS, 0x620
    .set PROBE_MET, 0x640       /* vector, IP, CS, flags */
    .set PROBE_MAX, 24

    .macro probe name
    movw $(77f - start), %si
    movw $(78f - start), %fs:PROBE_BASE
    movw $(79f - start), %fs:PROBE_AFTER
    call probe_begins
    jmp 78f
77: .asciz "\name: "
78:
    .endm

    .macro probed
79: movl %eax, %fs:PROBE_REGS
    movl %esp, %fs:PROBE_REGS + 4
    cli
    xorw %ax, %ax
    movw %ax, %ss
    movl $PROBE_SP, %esp
    movw %ax, %ds
    movw %ax, %es
    call probe_tells
    .endm

/* The functions; once in an image, behind its code. */
    .macro probe_functions
probe_says:                     /* %cs:(SI) */
1:  movb %cs:(%si), %al
    incw %si
    testb %al, %al
    jz 2f
    outb %al, $0xe9
    jmp 1b
2:  ret

probe_begins:
    call probe_says
    movw $0, %fs:PROBE_COUNT
    xorl %eax, %eax
    movl %eax, %ebx
    movl %eax, %ecx
    movl %eax, %edx
    movl %eax, %esi
    movl %eax, %edi
    movl %eax, %ebp
    cld
    ret

say_hex32:
    rorl $16, %eax
    call say_hex16
    rorl $16, %eax
say_hex16:
    xchgb %al, %ah
    call say_hex8
    xchgb %al, %ah
say_hex8:
    pushw %ax
    shrb $4, %al
    say_digit
    popw %ax
    pushw %ax
    say_digit
    popw %ax
    ret

say_char:                       /* AL */
    outb %al, $0xe9
    ret

    .macro say_blank
    movb $' ', %al
    outb %al, $0xe9
    .endm

/* The vector table at 0. */
probe_vectors:
    pushw %es
    xorw %di, %di
    movw %di, %es
    movw $(probe_entries - start), %ax
1:  stosw
    movw $0xf000, %es:(%di)
    addw $2, %di
    addw $8, %ax
    cmpw $0x400, %di
    jb 1b
    popw %es
    ret

/* BX, CX, DX, SI and DI are still the probe's. */
probe_tells:
    pushw %di
    pushw %si
    pushw %dx
    pushw %cx
    pushw %bx
    movl PROBE_REGS, %eax
    call say_hex32
    movw $5, %cx
1:  say_blank
    popw %ax
    call say_hex16
    loop 1b
    say_blank
    movl PROBE_REGS + 4, %eax
    call say_hex16
    xorw %bx, %bx
2:  cmpw PROBE_COUNT, %bx
    je 4f
    movw %bx, %si
    shlw $3, %si
    addw $PROBE_MET, %si
    say_blank
    movb (%si), %al
    call say_hex8
    movb $'@', %al
    call say_char
    movw 4(%si), %ax
    movw 2(%si), %dx
    subw PROBE_BASE, %dx
    cmpw $0xf000, %ax
    je 3f
    call say_hex16
    movb $':', %al
    call say_char
    movw 2(%si), %dx
3:  movw %dx, %ax
    call say_hex16
    movb $'/', %al
    call say_char
    movb 7(%si), %al
    andb $3, %al
    say_digit
    incw %bx
    jmp 2b
4:  movb $10, %al
    outb %al, $0xe9
    ret

/* Entries of the vector table, 6 bytes each. */
    .balign 8
probe_entries:
    .set n, 0
    .rept 256
    pushw $n
    jmp probe_entry
    .balign 8
    .set n, n + 1
    .endr

probe_entry:                    /* vector, IP, CS, flags */
    pushal
    pushw %ds
    xorw %ax, %ax
    movw %ax, %ds
    movw PROBE_COUNT, %si
    cmpw $PROBE_MAX, %si
    jae 1f
    incw PROBE_COUNT
    shlw $3, %si
    addw $PROBE_MET, %si
    movw %sp, %bp
    .irp n, 0, 2, 4, 6
    movw 34 + \n(%bp), %ax
    movw %ax, \n(%si)
    .endr
1:  movw 34(%bp), %ax
    cmpw $1, %ax
    je 2f
    cmpw $3, %ax
    je 2f
    cmpw $4, %ax
    je 2f
    cmpw $0x20, %ax
    jb 3f
2:  popw %ds
    popal
    addw $2, %sp
    iretw
3:  movw PROBE_AFTER, %ax
    movw %ax, PROBE_REGS + 16
    movw $0xf000, PROBE_REGS + 18
    popw %ds
    popal
    addw $8, %sp                /* as it was */
    ljmpw *%fs:PROBE_REGS + 16
    .endm
