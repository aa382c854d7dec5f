/*
 * Multiboot entry: paging over 4 GiB with pages of 2 MiB, in 32-bit code (PAE) or in 64-bit code, as
 * built; entries of the IDT; and the call of a snippet between known registers.
 */
#define CODE_32 0x48
#include "../multiboot.h"

#ifdef __x86_64__
#define GATE 16
#define ATTR 0x00af
#define DIR  7
#else
#define GATE 8
#define ATTR 0x00cf
#define DIR  1
#endif

multiboot_header

.section .text.start, "ax"
.code32
.globl start
start:
        cli
        mov %ebx, boot_info
        mov $stack_end, %esp
        mov $main, %edi
        mov $0x83, %eax                 /* present, writable, large */
        xor %ecx, %ecx
1:      mov %eax, directory(, %ecx, 8)
        add $0x200000, %eax
        inc %ecx
        cmp $2048, %ecx
        jne 1b
        movl $directory + DIR, pdpt
        movl $directory + 0x1000 + DIR, pdpt + 8
        movl $directory + 0x2000 + DIR, pdpt + 16
        movl $directory + 0x3000 + DIR, pdpt + 24
        movl $pdpt + 7, top_table
        mov $pdpt, %esi

/* EDI: where to go on, ESP: the stack, ESI: the top table of 32-bit code. */
enter:
        load_segments
#ifdef __x86_64__
        start_paging 0x620, $top_table, 0x901    /* PAE, OSFXSR, OSXMMEXCPT; NXE, LME, SCE */
#else
        start_paging 0x620, %esi, 0
#endif
        go_on 0x08

processor_begins
        mov $4096, %esp                 /* a page of stack each */
        lock xadd %esp, ap_stack
        mov $ap_main, %edi
#ifndef __x86_64__
/* Each has its own four entries, at the page's low end, without what may have become of the first
 * processor's: QEMU's translator (7.2 to 11.1) sets "accessed" in them, where it is reserved (SDM 3,
 * 4.4.1). A KVM in there refuses to load them then, with #GP at the MOV to CR0. */
        lea -4096(%esp), %esi
        mov $3, %ecx
1:      mov pdpt(, %ecx, 8), %eax
        and $~0x20, %eax
        mov %eax, (%esi, %ecx, 8)
        movl $0, 4(%esi, %ecx, 8)
        dec %ecx
        jns 1b
#endif
        jmp enter

#ifdef __x86_64__
.code64
#endif

/* Vector and error code are on the stack; registers above. */
entry_common:
#ifdef __x86_64__
        push %rax; push %rcx; push %rdx; push %rbx; push %rbx; push %rbp; push %rsi; push %rdi
        push %r15; push %r14; push %r13; push %r12; push %r11; push %r10; push %r9; push %r8
        mov %rsp, %rdi
        mov %rsp, %rbp
        and $-16, %rsp
        cld
        call trap
        mov %rbp, %rsp
        pop %r8; pop %r9; pop %r10; pop %r11; pop %r12; pop %r13; pop %r14; pop %r15
        pop %rdi; pop %rsi; pop %rbp; pop %rbx; pop %rbx; pop %rdx; pop %rcx; pop %rax
        add $16, %rsp
        iretq
#else
        pusha
        push %ds                        /* IRET to ring 3 takes away those of ring 0 */
        push %es
        mov $0x10, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %esp, %eax
        push %eax
        cld
        call trap
        add $4, %esp
        pop %es
        pop %ds
        popa
        add $8, %esp
        iret
#endif

.balign 16
.globl entries
entries:
.set n, 0
.rept 256
        .balign 16
        .if (n != 8) && ((n < 10) || (n > 14)) && (n != 17)
        push $0
        .endif
        push $n
        jmp entry_common
        .set n, n + 1
.endr

/* void call_snippet(code, struct regs *): a fault comes back to snippet_out. */
.globl call_snippet, snippet_out
#ifdef __x86_64__
call_snippet:
        push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
        mov %rdi, %r14
        mov %rsi, %r15
        mov %rsp, snippet_stack
        push 48(%r15)
        popfq
        mov (%r15), %rax
        mov 8(%r15), %rbx
        mov 16(%r15), %rcx
        mov 24(%r15), %rdx
        mov 32(%r15), %rsi
        mov 40(%r15), %rdi
        call *%r14
snippet_out:
        cli
        mov snippet_stack, %rsp
        pushfq
        pop 48(%r15)
        mov %rax, (%r15)
        mov %rbx, 8(%r15)
        mov %rcx, 16(%r15)
        mov %rdx, 24(%r15)
        mov %rsi, 32(%r15)
        mov %rdi, 40(%r15)
        cld
        pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
        ret
#else
call_snippet:
        push %ebx; push %ebp; push %esi; push %edi
        mov %esp, snippet_stack
        mov 24(%esp), %ebp
        push 24(%ebp)
        popfl
        mov (%ebp), %eax
        mov 4(%ebp), %ebx
        mov 8(%ebp), %ecx
        mov 12(%ebp), %edx
        mov 16(%ebp), %esi
        mov 20(%ebp), %edi
        push %ebp
        mov 24(%esp), %ebp              /* the code */
        call *%ebp
snippet_out:
        cli
        mov snippet_stack, %esp
        mov 24(%esp), %ebp
        pushfl
        popl 24(%ebp)
        mov %eax, (%ebp)
        mov %ebx, 4(%ebp)
        mov %ecx, 8(%ebp)
        mov %edx, 12(%ebp)
        mov %esi, 16(%ebp)
        mov %edi, 20(%ebp)
        cld
        pop %edi; pop %esi; pop %ebp; pop %ebx
        ret
#endif

.section .data
        .balign 8
.globl gdt
gdt:    .quad 0
        .quad 0x00009b000000ffff + (ATTR << 48) /* 08: code */
        .quad 0x00cf93000000ffff        /* 10: data */
        .quad 0x00cffb000000ffff        /* 18: user's 32-bit code, as SYSEXIT wants it */
        .quad 0x00cff3000000ffff        /* 20: user's data */
        .quad 0x00cff3000000ffff        /* 28: user's data, as SYSRET wants it */
        .quad 0x0000fb000000ffff + (ATTR << 48) /* 30: user's code */
        .quad 0, 0                      /* 38: TSS */
        .quad 0x00cf9b000000ffff        /* 48: 32-bit code */
        .quad 0x00cf93000000ffff        /* 50: what a test makes of it */
gdt_end:
gdtr:   .word gdt_end - gdt - 1
        .long gdt
        .long 0
.globl idtr
idtr:   .word 256 * GATE - 1
        WORD idt
ap_stack: .long ap_stacks + 4096
.globl boot_info
boot_info: .long 0

.section .bss
        .balign 4096
top_table: .skip 4096
.globl directory, pdpt
pdpt:   .skip 4096
directory: .skip 4 * 4096
.globl idt, tss, snippet_stack, stack_end
idt:    .skip 256 * GATE
tss:    .skip 256
snippet_stack: .skip 8
        .balign 16
        .skip 16384
stack_end:
        .balign 4096
ap_stacks:
        .skip 64 * 4096
