/*
 * What a BIOS takes for a Linux kernel (Linux, Documentation/arch/x86/boot.rst): its 16-bit part
 * says on the debug console at port 0xe9 where it was started and what it was given, and ends the
 * machine by isa-debug-exit at port 0x501. Offsets are those of the file, in DS.
 */
    .code16
    .globl start
start:
    .org start - start + 0x1f1
    .byte 1                     /* sectors of the 16-bit part but the first */
    .org start - start + 0x1fe
    .word 0xaa55
    jmp entry
    .org start - start + 0x202
    .ascii "HdrS"
    .word 0x204
    .org start - start + 0x210
type_of_loader: .byte 0
loadflags: .byte 1
    .org start - start + 0x218
ramdisk_image: .long 0
ramdisk_size: .long 0
    .org start - start + 0x224
heap_end_ptr: .word 0
    .org start - start + 0x228
cmd_line_ptr: .long 0
initrd_addr_max: .long 0x37ffffff

entry:
    cld
    movw $(m_start - start), %si
    call puts
    movw %cs, %ax
    call hex
    movw %ds, %ax
    call hex
    movw %ss, %ax
    call hex
    movb type_of_loader - start, %al
    movb loadflags - start, %ah
    call hex
    lgdtl gdtr - start
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    movw $8, %cx
    movw %cx, %fs
    andb $0xfe, %al
    movl %eax, %cr0
    movl $0x100000, %ebx        /* the part for protected mode */
    movw %fs:(%ebx), %ax
    call hex
    movl ramdisk_image - start, %ebx
    movw %fs:(%ebx), %ax
    call hex
    movw ramdisk_size - start, %ax
    call hex
    movl cmd_line_ptr - start, %ebx
1:  movb %fs:(%ebx), %al
    outb %al, $0xe9
    incl %ebx
    testb %al, %al
    jnz 1b
    movw $(m_end - start), %si
    call puts
    movw $0x501, %dx
    xorw %ax, %ax
    outb %al, %dx
2:  hlt
    jmp 2b

hex:
    movw $4, %cx
1:  rolw $4, %ax
    pushw %ax
    andb $15, %al
    cmpb $10, %al
    sbbb $0x69, %al
    das
    outb %al, $0xe9
    popw %ax
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

m_start: .asciz "KERNEL "
m_end:   .asciz " END\n"
    .balign 4
gdt:    .quad 0, 0x00cf93000000ffff
gdtr:   .word . - gdt - 1
    .long 0x10000 + gdt - start
    .org start - start + 0x400
    .word 0x1234
    .org start - start + 0x1000
