/*
 * A guest that draws on Bochs' VBE in 1024x768 with 32 bits: with FILL the whole screen, in another
 * colour each time, as fast as it can; else in another colour after each key that comes or goes.
 * Multiboot 1:  gcc -m32 -nostdlib -static [-DFILL] -Wl,-N,-Ttext=0x100000,--build-id=none -o guest guest.S
 */
        .set    PIXELS, 1024 * 768
        .text
        .balign 4
        .long   0x1badb002, 0, -0x1badb002

        .macro  vbe reg, value
        mov     $0x1ce, %dx
        mov     $\reg, %ax
        out     %ax, %dx
        mov     $0x1d0, %dx
        mov     $\value, %ax
        out     %ax, %dx
        .endm

        .globl  _start
_start:
        cld
        mov     $0x80000000, %ebx       /* PCI devices of bus 0 */
1:      mov     $0xcf8, %dx
        mov     %ebx, %eax
        out     %eax, %dx
        mov     $0xcfc, %dx
        in      %dx, %eax
        cmp     $0x11111234, %eax
        je      2f
        add     $0x800, %ebx
        jmp     1b
2:      mov     $0xcf8, %dx
        lea     0x10(%ebx), %eax
        out     %eax, %dx
        mov     $0xcfc, %dx
        in      %dx, %eax
        and     $-16, %eax
        mov     %eax, %esi              /* the frame buffer */
        mov     $0xcf8, %dx
        lea     4(%ebx), %eax
        out     %eax, %dx
        mov     $0xcfc, %dx
        mov     $7, %eax
        out     %eax, %dx
        vbe     4, 0
        vbe     1, 1024
        vbe     2, 768
        vbe     3, 32
        vbe     4, 0x41
        mov     $0x3c0, %dx
        mov     $0x20, %al
        out     %al, %dx
        mov     $0x64, %dx              /* the keyboard */
        mov     $0xae, %al
        out     %al, %dx
        mov     $0x102030, %ebx
draw:
        add     $0x1f3b25, %ebx
        mov     %ebx, %eax
        and     $0xffffff, %eax
        mov     %esi, %edi
        mov     $PIXELS, %ecx
        rep stosl
#ifndef FILL
wait:   mov     $5000, %ecx             /* leaves the machine alone in between */
        loop    .
        in      $0x64, %al
        test    $1, %al
        jz      wait
        in      $0x60, %al
#endif
        jmp     draw
