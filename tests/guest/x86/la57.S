/*
 * A Linux bzImage with no kernel in it, but code at its 64-bit entry (Linux:
 * Documentation/arch/x86/boot.rst): ends the machine by isa-debug-exit with 1 if CR4.LA57 is set, 0
 * if not; 2 if it is not what CPUID says the CPU can have.
 */
    .code64
    .globl start
start:
    .org 0x1f1
    .byte 1                     /* setup_sects */
    .org 0x1fe
    .word 0xaa55
    .byte 0xeb, 0x62
    .ascii "HdrS"
    .word 0x20f
    .org 0x211
    .byte 1                     /* LOADED_HIGH */
    .org 0x22c
    .long 0x7fffffff            /* initrd_addr_max */
    .org 0x236
    .word 0x41                  /* a 64-bit entry, which uses five levels */
    .long 255                   /* cmdline_size */
    .org 0x258
    .quad 0x1000000             /* pref_address */
    .long 0x100000              /* init_size */
    .org 1024 + 0x200
    movl $7, %eax
    xorl %ecx, %ecx
    cpuid
    shrl $16, %ecx
    andl $1, %ecx
    movq %cr4, %rax
    shrl $12, %eax
    andl $1, %eax
    cmpl %ecx, %eax
    je 1f
    cmpl $0x6c356f6e, 0x20000   /* "no5l", the command line: four levels were asked for */
    jne 2f
    testl %eax, %eax
    jz 1f
2:  movl $2, %eax
1:  movw $0x501, %dx
    outb %al, %dx
2:  hlt
    jmp 2b
    .org 4096
