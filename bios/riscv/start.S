/*
 * Reset, trap entry and the way out into supervisor mode.
 *
 * Register convention inside the firmware: tp points to the running hart's struct hart, sp into its
 * slot, mscratch is 0. While the supervisor or a user runs, mscratch holds tp. C code is compiled
 * without linker relaxation, so gp is never touched.
 */
#include "layout.h"

#if __riscv_xlen == 64
#define LREG ld
#define SREG sd
#define REG 8
#define REG_SHIFT 3
#else
#define LREG lw
#define SREG sw
#define REG 4
#define REG_SHIFT 2
#endif
#define FRAME_SIZE (FRAME_WORDS * REG)

    .section .text.start, "ax"
    .globl _start
_start:
    /* a0: hart id, a1: devicetree, a2: struct fw_dynamic_info. The id is taken from its CSR. */
    csrw mie, zero
    csrci mstatus, 8
    lla t0, hang
    csrw mtvec, t0
    csrw mscratch, zero
    csrr s0, mhartid

    lla t0, boot_lottery
    li t1, 1
    amoadd.w t1, t1, (t0)
    bnez t1, wait_for_boot

    lla t0, _bss_start
    lla t1, _bss_end
1:  bgeu t0, t1, 2f
    SREG zero, (t0)
    addi t0, t0, REG
    j 1b
2:  lla sp, boot_stack_end
    mv a0, s0
    call cold_init
    lla t0, boot_done
    li t1, 1
    fence rw, w
    sw t1, (t0)

wait_for_boot:
    lla t0, boot_done
1:  lw t1, (t0)
    bnez t1, 2f
    .word 0x0100000f                    /* pause (Zihintpause), a plain fence elsewhere */
    j 1b
2:  fence r, rw

    /* A hart that the devicetree does not list has no slot and never leaves `hang`. */
    lla t0, hart_ids
    lla t1, hart_count
    LREG t1, (t1)
    lla tp, hart_slots
    li t2, SLOT_SIZE
3:  beqz t1, hang
    add tp, tp, t2
    LREG t3, (t0)
    beq t3, s0, 4f
    addi t0, t0, REG
    addi t1, t1, -1
    j 3b
4:  addi tp, tp, -HART_SIZE
    mv sp, tp
    j hart_main

    .balign 4
    .globl hang
hang:
    csrw mie, zero
1:  wfi
    j 1b

    /* void hart_restart(void): drops the stack and waits for the next start. Never returns. */
    .text
    .globl hart_restart
hart_restart:
    mv sp, tp
    j hart_wait

    .globl trap_entry
    .balign 4
trap_entry:
    csrrw tp, mscratch, tp
    beqz tp, trap_inside
    SREG sp, (2 * REG - FRAME_SIZE)(tp)
    addi sp, tp, -FRAME_SIZE
    .irp r, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    SREG x\r, \r * REG(sp)
    .endr
    csrrw t0, mscratch, zero
    csrr t1, mepc
    csrr t2, mstatus
    SREG t0, 4 * REG(sp)
    SREG t1, FRAME_MEPC * REG(sp)
    SREG t2, FRAME_MSTATUS * REG(sp)
    mv a0, sp
    csrr a1, mcause
    bltz a1, 1f
    li t0, 9                            /* environment call from S-mode */
    bne a1, t0, trap_slow
    call trap_ecall
    j trap_return
1:  call trap_interrupt
trap_return:
    csrw mscratch, tp
    LREG t1, FRAME_MEPC * REG(sp)
    LREG t2, FRAME_MSTATUS * REG(sp)
    csrw mepc, t1
    csrw mstatus, t2
    .irp r, 1, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    LREG x\r, \r * REG(sp)
    .endr
    LREG sp, 2 * REG(sp)
    mret

    /* Instruction emulation needs every register; calls and interrupts only the volatile ones. */
trap_slow:
    .irp r, 3, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    SREG x\r, \r * REG(sp)
    .endr
    call trap_exception
    .irp r, 3, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    LREG x\r, \r * REG(sp)
    .endr
    j trap_return

    /* A trap out of the firmware itself is a bug of ours: say so and stop this hart. */
trap_inside:
    csrr tp, mscratch
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    lla sp, boot_stack_end
    call panic_trap
    j hang

    /* void supervisor_enter(hart id, argument): mret with every other register cleared. */
    .globl supervisor_enter
supervisor_enter:
    csrw mscratch, tp
    .irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 19
    li x\r, 0
    .endr
    .irp r, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    li x\r, 0
    .endr
    mret

    /* In the image, not in .bss: a reset reloads the image but does not clear memory. */
    .data
    .balign 4
boot_lottery:
    .word 0
boot_done:
    .word 0

    .bss
    .balign 16
    .space BOOT_STACK_SIZE
boot_stack_end:
