/*
 * Helpers of system instructions. Those without IR_H_READS get what they need of slots as
 * arguments and store the same to the struct, so that both agree (riscv.h).
 */
#include <sched.h>
#include "helper.h"
#include "riscv.h"

/* ---- Traps ---- */

static void h_trap(struct cpu *cpu, uint64_t cause, uint64_t tval)
{
    riscv_trap(riscv_of(cpu), cause, tval);
}
HELPER_DEFINE(trap, IR_H_CPU | IR_H_READS | IR_H_WRITES | IR_H_RAISES, IR_VOID, 2, IR_I64, IR_I64);

static void h_illegal(struct cpu *cpu, uint32_t insn)
{
    riscv_trap(riscv_of(cpu), EXC_ILLEGAL, insn);
}
HELPER_DEFINE(illegal, IR_H_CPU | IR_H_READS | IR_H_WRITES | IR_H_RAISES, IR_VOID, 1, IR_I32);

static void h_check_target(struct cpu *cpu, uint64_t pc)
{
    struct riscv_cpu *c = riscv_of(cpu);

    if (pc & riscv_misaligned_bits(c))
        riscv_raise(c, EXC_FETCH_MISALIGNED, pc);
}
HELPER_DEFINE(check_target, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 1, IR_I64);

static void h_ecall(struct cpu *cpu)
{
    struct riscv_cpu *c = riscv_of(cpu);

    riscv_trap(c, EXC_ECALL_U + c->priv, 0);
}
HELPER_DEFINE(ecall, IR_H_CPU | IR_H_READS | IR_H_WRITES | IR_H_RAISES, IR_VOID, 0);

/* ---- CSRs ---- */

static void must_be_allowed(struct riscv_cpu *c, uint32_t insn, bool write)
{
    if (!riscv_csr_allowed(c, insn >> 20, write, c->priv))
        riscv_illegal(c, insn);
}

static uint64_t h_csr_read(struct cpu *cpu, uint32_t insn)
{
    struct riscv_cpu *c = riscv_of(cpu);

    must_be_allowed(c, insn, false);
    return riscv_csr_read(c, insn >> 20);
}
HELPER_DEFINE(csr_read, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I64, 1, IR_I32);

/* The old value; bits of @mask become @val's. */
static uint64_t h_csr_access(struct cpu *cpu, uint32_t insn, uint64_t val, uint64_t mask)
{
    struct riscv_cpu *c = riscv_of(cpu);
    uint64_t old;

    must_be_allowed(c, insn, true);
    old = riscv_csr_read(c, insn >> 20);
    riscv_csr_write(c, insn >> 20, val, mask);
    return old;
}
HELPER_DEFINE(csr_access, IR_H_CPU | IR_H_READS | IR_H_WRITES | IR_H_RAISES, IR_I64, 3, IR_I32,
              IR_I64, IR_I64);

/* mstatus becomes @val in the bits of @mask; its new value. */
static uint64_t h_status(struct cpu *cpu, uint64_t mstatus, uint64_t val, uint64_t mask)
{
    struct riscv_cpu *c = riscv_of(cpu);

    c->mstatus = riscv_status_merge(c, mstatus, val, mask);
    if ((mstatus ^ c->mstatus) & ~(MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP))
        cpu_update_flags(cpu);
    riscv_check_irq(c);
    return c->mstatus;
}
HELPER_DEFINE(status, IR_H_CPU, IR_I64, 3, IR_I64, IR_I64, IR_I64);

static uint64_t h_time(struct cpu *cpu)
{
    return riscv_time(riscv_of(cpu));
}
HELPER_DEFINE(time, IR_H_CPU, IR_I64, 0);

/* ---- Privileged instructions ---- */

/* Called where S mode executes @insn with one of TVM, TW, TSR set: @bit is the one it heeds. */
static void h_check_trap_vm(struct cpu *cpu, uint32_t insn, uint64_t bit)
{
    struct riscv_cpu *c = riscv_of(cpu);

    if (c->mstatus & bit)
        riscv_illegal(c, insn);
}
HELPER_DEFINE(check_trap_vm, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 2, IR_I32, IR_I64);

/* 3.1.6.1; return the new mstatus. */
static uint64_t h_sret(struct cpu *cpu, uint64_t mstatus)
{
    struct riscv_cpu *c = riscv_of(cpu);
    uint64_t m = mstatus & ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV);

    if (mstatus & MSTATUS_SPIE)
        m |= MSTATUS_SIE;
    if (!riscv_have(c, EXT_U))
        m |= MSTATUS_SPP;
    riscv_enter(c, mstatus & MSTATUS_SPP ? PRIV_S : PRIV_U, m | MSTATUS_SPIE);
    riscv_check_irq(c);
    return c->mstatus;
}
HELPER_DEFINE(sret, IR_H_CPU, IR_I64, 1, IR_I64);

static uint64_t h_mret(struct cpu *cpu, uint64_t mstatus)
{
    struct riscv_cpu *c = riscv_of(cpu);
    uint64_t priv = (mstatus & MSTATUS_MPP) >> 11;
    uint64_t m = mstatus & ~(MSTATUS_MIE | MSTATUS_MPP);

    if (mstatus & MSTATUS_MPIE)
        m |= MSTATUS_MIE;
    if (!riscv_have(c, EXT_U))
        m |= MSTATUS_MPP;
    if (priv != PRIV_M)
        m &= ~MSTATUS_MPRV;
    riscv_enter(c, priv, m | MSTATUS_MPIE);
    riscv_check_irq(c);
    return c->mstatus;
}
HELPER_DEFINE(mret, IR_H_CPU, IR_I64, 1, IR_I64);

static void h_wfi(struct cpu *cpu, uint64_t next)
{
    cpu->tcg.pc = next;
    cpu_halt(cpu);
    cpu_resume(cpu);
}
HELPER_DEFINE(wfi, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 1, IR_I64);

/* A hint that this hart spins: another one may need the host's processor to end that. */
static void h_pause(void)
{
    sched_yield();
}
HELPER_DEFINE(pause, 0, IR_VOID, 0);

static void h_fence_i(struct cpu *cpu)
{
    cpu_fence_i(cpu);
}
HELPER_DEFINE(fence_i, IR_H_CPU, IR_VOID, 0);

enum { SFENCE_ADDR = 1, SFENCE_ASID = 2 }; /* operands other than x0 */

/* 4.2.1. Without an address everything, global mappings only where no ASID is given. */
static void h_sfence_vma(struct cpu *cpu, uint64_t addr, uint32_t operands)
{
    if (operands & SFENCE_ADDR)
        tlb_flush_page(cpu, addr, !(operands & SFENCE_ASID));
    else if (operands & SFENCE_ASID)
        tlb_flush_nonglobal(cpu);
    else
        tlb_flush_all(cpu);
}
HELPER_DEFINE(sfence_vma, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I32);

/* ---- Cache blocks (CMO 2.5) ---- */

/* @bits: those of menvcfg and senvcfg of which one must be set below M mode. */
static void h_cbo_check(struct cpu *cpu, uint32_t insn, uint64_t bits)
{
    struct riscv_cpu *c = riscv_of(cpu);

    if (c->priv < PRIV_M && !(c->menvcfg & bits))
        riscv_illegal(c, insn);
    if (c->priv == PRIV_U && riscv_have(c, EXT_S) && !(c->senvcfg & bits))
        riscv_illegal(c, insn);
}
HELPER_DEFINE(cbo_check, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 2, IR_I32, IR_I64);

/* Memory is coherent, so what is left of cleaning is the faults: those of a store, if neither a
 * load nor a store were permitted. */
static void h_cbo_touch(struct cpu *cpu, uint64_t addr)
{
    struct cpu_page page;
    struct cpu_fault fault;

    if (cpu->ops->map(cpu, addr, ACCESS_READ, cpu->ops->data_mode(cpu), false, &page, &fault))
        return;
    fault.access = ACCESS_WRITE;
    cpu_raise_fault(cpu, &fault);
}
HELPER_DEFINE(cbo_touch, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 1, IR_I64);
