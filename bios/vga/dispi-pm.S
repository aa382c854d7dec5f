/* What VBE's protected-mode functions do with Bochs' display interface. */
    .code32
    .section .pm.2, "ax"
    .globl pm_window, pm_start

/* BL: window A alone; DX: its place. */
pm_window:
    testb %bl, %bl
    jnz 1f
    movw $5, %ax
    call dispi_write
1:  ret

/* DX:CX: the first dword to be shown. */
pm_start:
    pushl %ebx
    pushl %esi
    pushl %edi
    shll $16, %edx
    movzwl %cx, %ecx
    orl %edx, %ecx
    shll $2, %ecx
    movw $3, %ax                /* bits of a pixel, in bytes; 15 take two */
    call dispi_read
    addl $7, %eax
    shrl $3, %eax
    movl %eax, %esi
    movw $6, %ax
    call dispi_read
    imull %esi, %eax
    movl %eax, %ebx
    testl %ebx, %ebx
    jz 1f
    xorl %edx, %edx
    movl %ecx, %eax
    divl %ebx
    movl %eax, %edi
    movl %edx, %eax
    xorl %edx, %edx
    divl %esi
    movl %eax, %edx
    movw $8, %ax
    call dispi_write
    movl %edi, %edx
    movw $9, %ax
    call dispi_write
1:  popl %edi
    popl %esi
    popl %ebx
    ret

/* Register AX; changes DX. */
dispi_read:
    movw $0x1ce, %dx
    outw %ax, %dx
    incw %dx
    xorl %eax, %eax
    inw %dx, %ax
    ret

/* DX to register AX. */
dispi_write:
    pushl %edx
    movw $0x1ce, %dx
    outw %ax, %dx
    popl %eax
    incw %dx
    outw %ax, %dx
    ret
