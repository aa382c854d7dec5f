/*
 * Entry points of the SBI test: first hart, further harts, traps, and the way back from suspension.
 */
#if __riscv_xlen == 64
#define LREG ld
#define SREG sd
#define REG 8
#else
#define LREG lw
#define SREG sw
#define REG 4
#endif

    .section .text.start, "ax"
    .globl _start
_start:
    lla sp, first_stack_end
    call test_main
1:  wfi
    j 1b

    /* Started with a1 = top of the stack to use. */
    .globl second_start
second_start:
    mv sp, a1
    call second_main
1:  wfi
    j 1b

    /* trap(cause, value, pc) returns where to go on. */
    .balign 4
    .globl trap_vector
trap_vector:
    addi sp, sp, -32 * REG
    .irp r, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    SREG x\r, \r * REG(sp)
    .endr
    csrr a0, scause
    csrr a1, stval
    csrr a2, sepc
    call trap
    csrw sepc, a0
    .irp r, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    LREG x\r, \r * REG(sp)
    .endr
    addi sp, sp, 32 * REG
    sret

    /*
     * long suspend(ext, fid, type, struct context *): suspends without retention. The call's error
     * if it came back, else 1000 + the hart id found in a0 on resumption.
     */
    .globl suspend
suspend:
    .irp r, 1, 2, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    SREG x\r, \r * REG(a3)
    .endr
    mv a7, a0
    mv a6, a1
    mv a0, a2
    mv a2, a3
    lla a1, resume
    ecall
    ret
resume:
    .irp r, 1, 2, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    LREG x\r, \r * REG(a1)
    .endr
    addi a0, a0, 1000
    ret

    /* long call_at(addr): calls it; the trap handler returns 0 to here when it cannot be fetched. */
    .globl call_at
call_at:
    mv t0, ra
    jalr a0
    mv ra, t0
    ret

    .bss
    .balign 16
    .space 4096
first_stack_end:
