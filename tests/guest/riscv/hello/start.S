/*
 * Entry of the built-in guest: S-mode, paging off, a0 = hart, a1 = devicetree, as the
 * RISC-V boot protocol of an SBI says.  The trap vector is never returned to on purpose:
 * interrupts stay off (wfi wakes on a pending one all the same), so whatever arrives
 * there is a fault.
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

    .balign 4
trap:
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    call guest_fault
    j .
