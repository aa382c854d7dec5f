/*
 * Entries of the harts, S-mode, paging off.  The first one gets a1 = devicetree, further ones
 * a1 = top of their stack, with their number in the word above it.  No interrupt is enabled, so
 * whatever arrives at the trap vector is a fault, and the end.
 */
    .section .text.start, "ax"
    .globl _start
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, stack_top
    la t0, trap
    csrw stvec, t0
    la t0, bss_start
    la t1, bss_end
1:  bgeu t0, t1, 2f
    sd zero, (t0)
    addi t0, t0, 8
    j 1b
2:  call guest_main
    j .

    .globl second_start
second_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    mv sp, a1
    la t0, trap
    csrw stvec, t0
    ld a0, (sp)
    call guest_second
    j .

    .balign 4
trap:
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    call guest_fault
    j .
