/*
 * A BIOS image of 64 KiB in which a virtio-rng at 00:05.0 (the old interface, by ports) tells four CPUs by MSI-X that it
 * is done: each destination, vectors that are masked and unmasked, delivery modes. Lines at the debug console, port 0xe9:
 * a name, then "cpu:n=count" for each vector 0x41 + n that came (7: NMIs), then what the case looks at. CPU 0 asks and
 * spins, the others are halted. isa-debug-exit at port 0x501 ends it.
 */
#include "image.h"

    .set READY, 0x604
    .set COUNTS, 0x800          /* a byte for each vector from VECTOR on, 8 bytes a CPU; the last one: NMIs */
    .set VECTOR, 0x41
    .set NB, 4                  /* of vectors */
    .set EXPECTED, 0x608        /* how many interrupts are waited for */
    .set CAP, 0x610             /* MSI-X capability's place */
    .set USED_NOW, 0x614
    .set DEVICE, 0x80002800     /* 00:05.0 */
    .set PORTS, 0xc000
    .set TABLE, 0xfe000000
    .set RING, 0x10000          /* descriptors; used elements a page behind */
    .set USED, RING + 0x1000
    .set DATA, RING + 0x2000

    .macro config_read reg      /* EAX */
    movl $(DEVICE + (\reg & 0xfc)), %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $(0xcfc + (\reg & 3)), %dx
    inl %dx, %eax
    .endm

    .macro config_write reg, value
    movl $(DEVICE + \reg), %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfc, %dx
    movl $\value, %eax
    outl %eax, %dx
    .endm

    .macro port_write size, offset, value
    movw $(PORTS + \offset), %dx
    movl $\value, %eax
    .ifc \size,b
    outb %al, %dx
    .endif
    .ifc \size,w
    outw %ax, %dx
    .endif
    .ifc \size,l
    outl %eax, %dx
    .endif
    .endm

/* The first table entry: an address for APIC IDs, data, mask. */
    .macro entry address, data, mask=0
    addr32 movl $1, %fs:TABLE + 12
    addr32 movl $\address, %fs:TABLE
    addr32 movl $0, %fs:TABLE + 4
    addr32 movl $\data, %fs:TABLE + 8
    addr32 movl $\mask, %fs:TABLE + 12
    .endm

/* Bits 15 and 14 of message control. */
    .macro control bits
    movl CAP, %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfe, %dx
    movw $\bits, %ax
    outw %ax, %dx
    .endm

    .macro expect number, then
    movb $\number, EXPECTED
    call \then
    .endm

    .macro case name
    movw $(77f - start), %si
    jmp 78f
77: .asciz "\name:"
78: call begin_case
    .endm

/* What follows is about one bit of the pending array. */
    .macro say_pending
    movb $' ', %al
    outb %al, $0xe9
    movb $'p', %al
    outb %al, $0xe9
    addr32 movl %fs:TABLE + 0x800, %eax
    say_digit
    .endm

    .macro end_case
    movb $10, %al
    outb %al, $0xe9
    .endm

    .macro handler number
    pushl %eax
    movb $\number, %al
    jmp count
    .endm

/* The whole address space by FS, the local APIC on, with bit n of flat logical destinations. */
    .macro begin
    big_real
    apic 0xf0, 0x1ff
    addr32 movl %fs:APIC + 0x20, %ecx
    shrl $24, %ecx
    movl $0x01000000, %eax
    shll %cl, %eax
    addr32 movl %eax, %fs:APIC + 0xd0
    .endm

    .code16
    .globl start
start:
    begin_real 0x7000
    movw %ax, %es
    movl $0, READY
    vector 2, came_nmi
    vector VECTOR, came_0
    vector VECTOR+1, came_1
    vector VECTOR+2, came_2
    vector VECTOR+3, came_3
    movb $0xff, %al
    outb %al, $0x21
    outb %al, $0xa1
    call forget
    begin
    start_others other
1:  pause
    cmpl $3, READY
    jb 1b
    sti
    call set_up
    jmp cases

other:
    begin_real 0x7800
    begin
    addr32 movl %fs:APIC + 0x20, %eax
    shrl $16, %eax
    addw %ax, %sp               /* 256 bytes each */
    lock incl READY
2:  sti
    hlt
    jmp 2b


/* ---- cases ---- */
cases:
    .irp n, 0, 1, 2, 3
    case "CPU \n"
    entry APIC+(\n<<12), VECTOR+\n
    expect 1, ask
    end_case
    .endr
    case "nobody's ID"
    entry APIC+0x9000, VECTOR
    expect 0, ask
    end_case
    case "all by ID"
    entry APIC+0xff000, VECTOR+1
    expect 4, ask
    end_case
    case "two by logical ID"
    entry APIC+0x0a004, VECTOR+2
    expect 2, ask
    end_case
    case "lowest priority among one"
    entry APIC+0x0400c, VECTOR+0x100
    expect 1, ask
    end_case
    case "NMI"
    entry APIC+0x2000, 0x400
    expect 1, ask
    end_case
    case "level"
    entry APIC+0x1000, VECTOR+3+0x4000
    expect 1, ask
    end_case
    case "entry masked"
    entry APIC+0x1000, VECTOR, 1
    expect 0, ask
    say_pending
    addr32 movl $VECTOR+1, %fs:TABLE+8
    addr32 movl $0, %fs:TABLE+12
    expect 1, settle
    call tell
    say_pending
    end_case
    case "masked, asked twice"
    entry APIC+0x1000, VECTOR, 1
    expect 0, ask
    expect 0, ask
    say_pending
    addr32 movl $0, %fs:TABLE+12
    expect 1, settle
    call tell
    say_pending
    end_case
    case "function masked"
    entry APIC+0x3000, VECTOR
    control 0xc000
    expect 0, ask
    say_pending
    control 0x8000
    expect 1, settle
    call tell
    say_pending
    end_case
    case "masked both ways"
    entry APIC+0x3000, VECTOR, 1
    control 0xc000
    expect 0, ask
    addr32 movl $0, %fs:TABLE+12
    expect 0, settle
    call tell
    say_pending
    control 0x8000
    expect 1, settle
    call tell
    say_pending
    end_case
    case "no interrupts here"
    entry APIC, VECTOR+1
    cli
    expect 0, ask
    addr32 movl %fs:APIC+0x220, %eax
    shrb $1, %al
    say_digit
    sti
    expect 1, settle
    call tell
    end_case
    case "priority here"
    entry APIC, VECTOR+1
    apic 0x80, 0x50
    expect 0, ask
    apic 0x80, 0
    expect 1, settle
    call tell
    end_case
    case "ISR with it on"
    entry APIC, VECTOR
    expect 1, ask
    call interrupt_status
    end_case
    case "no vector"
    port_write w, 22, 0xffff
    expect 0, ask
    say_pending
    port_write w, 22, 0
    end_case
    case "vector that there is not"
    port_write w, 22, 7
    inw %dx, %ax
    say_digit
    port_write w, 22, 0
    inw %dx, %ax
    say_digit
    end_case
    case "four at once"
    entry APIC+0x2000, VECTOR
    expect 1, ask
    expect 1, ask
    expect 1, ask
    expect 1, ask
    end_case
    case "off"
    control 0
    expect 0, ask
    call interrupt_status
    call interrupt_status
    end_case
    case "on again"
    control 0x8000
    expect 1, ask
    end_case
    leave_program

/* ---- the device ---- */
set_up:
    config_write 0x10, PORTS
    config_write 0x14, TABLE
    config_write 0x04, 7
    config_read 0x34
    movzbl %al, %ebx
1:  leal DEVICE(%ebx), %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movl %eax, CAP
    movw $0xcfc, %dx
    inl %dx, %eax
    cmpb $0x11, %al
    je 2f
    movzbl %ah, %ebx
    testb %bl, %bl
    jnz 1b
    leave_program
2:  port_write b, 18, 0
    port_write b, 18, 3         /* acknowledged, driver */
    control 0x8000
    port_write w, 14, 0
    port_write l, 8, RING/0x1000
    port_write w, 22, 0
    port_write b, 18, 7
    movl $0, USED_NOW
    ret

/* A buffer for it, and waits until it is filled. Says what came. */
ask:
    movw $(PORTS + 12), %dx
    inw %dx, %ax
    movzwl %ax, %ebx
    movl %ebx, %ecx
    shll $4, %ebx
    addl $RING, %ebx            /* the ring of what is available */
    addr32 movl $DATA, %fs:RING
    addr32 movl $0, %fs:RING + 4
    addr32 movl $4, %fs:RING + 8
    addr32 movl $2, %fs:RING + 12
    decl %ecx
    movl USED_NOW, %eax
    andl %eax, %ecx
    movw $0, %fs:4(%ebx, %ecx, 2)
    incl %eax
    movw %ax, %fs:2(%ebx)
    movl %eax, USED_NOW
    movw $(PORTS + 16), %dx
    xorw %ax, %ax
    outw %ax, %dx
1:  pause
    movl USED_NOW, %eax
    addr32 cmpw %ax, %fs:USED + 2
    jne 1b
    call settle
    jmp tell

/* Waits for as many as are expected, and then a little for one too many. */
settle:
    movw $COUNTS, %si
    xorb %ah, %ah
    movw $32, %cx
1:  lodsb
    addb %al, %ah
    loop 1b
    pause
    cmpb EXPECTED, %ah
    jb settle
    movl $500, %ecx
2:  inb $0x61, %al
    loopl 2b
    ret

interrupt_status:
    movb $' ', %al
    outb %al, $0xe9
    movw $(PORTS + 19), %dx
    inb %dx, %al
    say_digit
    ret

/* ---- what came ---- */
begin_case:
1:  movb %cs:(%si), %al
    incw %si
    testb %al, %al
    jz forget
    outb %al, $0xe9
    jmp 1b
forget:
    movw $COUNTS, %di
    movw $32, %cx
    xorb %al, %al
    rep stosb
    ret

tell:
    movw $COUNTS, %si
1:  lodsb
    testb %al, %al
    jz 2f
    movb %al, %bl
    movb $' ', %al
    outb %al, $0xe9
    leaw -COUNTS-1(%si), %cx
    movw %cx, %ax
    shrb $3, %al
    say_digit
    movb $':', %al
    outb %al, $0xe9
    movb %cl, %al
    andb $7, %al
    say_digit
    movb $'=', %al
    outb %al, $0xe9
    movb %bl, %al
    say_digit
2:  cmpw $COUNTS + 32, %si
    jb 1b
    jmp forget

came_0: handler 0
came_1: handler 1
came_2: handler 2
came_3: handler 3
came_nmi:
    pushl %eax
    movb $7, %al
count:
    pushl %ebx
    movzbw %al, %bx
    addr32 movl %fs:APIC + 0x20, %eax
    shrl $21, %eax              /* eight times the ID */
    addw %ax, %bx
    incb COUNTS(%bx)
    movb %bl, %al
    andb $7, %al
    cmpb $7, %al
    je 1f
    apic 0xb0, 0
1:  popl %ebx
    popl %eax
    iret

    end_of_image
