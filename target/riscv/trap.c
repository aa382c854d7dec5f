/*
 * Exceptions and interrupts: privileged architecture 3.1.6 to 3.1.9, 3.1.14 to 3.1.16, 4.1.
 */
#include <inttypes.h>
#include <base/log.h>
#include "riscv.h"

static const char *const exception_names[] = {
    [EXC_FETCH_MISALIGNED] = "misaligned fetch", [EXC_FETCH_ACCESS] = "fetch access fault",
    [EXC_ILLEGAL] = "illegal instruction",       [EXC_BREAKPOINT] = "breakpoint",
    [EXC_LOAD_MISALIGNED] = "misaligned load",   [EXC_LOAD_ACCESS] = "load access fault",
    [EXC_STORE_MISALIGNED] = "misaligned store", [EXC_STORE_ACCESS] = "store access fault",
    [EXC_ECALL_U] = "call from U mode",          [EXC_ECALL_S] = "call from S mode",
    [EXC_ECALL_M] = "call from M mode",          [EXC_FETCH_PAGE] = "fetch page fault",
    [EXC_LOAD_PAGE] = "load page fault",         [EXC_STORE_PAGE] = "store page fault",
};

static void log_trap(const struct riscv_cpu *c, bool interrupt, uint64_t cause, uint64_t tval)
{
    const char *name = NULL;

    if (!log_wanted(LOG_INT, c->cpu.tcg.pc))
        return;
    if (!interrupt && cause < G_N_ELEMENTS(exception_names))
        name = exception_names[cause];
    log_printf(LOG_INT, "cpu %u: %s %" PRIu64 "%s%s at %016" PRIx64 " tval %" PRIx64 " priv %u\n",
               c->cpu.index, interrupt ? "interrupt" : "exception", cause, name ? " " : "",
               name ? name : "", c->cpu.tcg.pc, tval, (unsigned)c->priv);
}

/* Vectored mode: interrupts enter at base + 4 * cause. */
static uint64_t vector(uint64_t tvec, bool interrupt, uint64_t cause)
{
    return (tvec & ~3ULL) + (interrupt && (tvec & 3) == 1 ? 4 * cause : 0);
}

void riscv_enter(struct riscv_cpu *c, uint64_t priv, uint64_t mstatus)
{
    if (__builtin_expect(c->hpm_filtered && priv != c->priv, 0))
        riscv_counters_enter(c, priv);
    c->priv = priv;
    c->mstatus = mstatus;
    cpu_update_flags(&c->cpu);
}

static void enter_s(struct riscv_cpu *c, bool interrupt, uint64_t cause, uint64_t tval)
{
    uint64_t m = c->mstatus & ~(MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_SPP);

    if (c->mstatus & MSTATUS_SIE)
        m |= MSTATUS_SPIE;
    if (c->priv == PRIV_S)
        m |= MSTATUS_SPP;
    c->sepc = c->cpu.tcg.pc;
    c->scause = cause | (uint64_t)interrupt << (c->xlen - 1);
    c->stval = riscv_trunc(c, tval);
    c->cpu.tcg.pc = riscv_trunc(c, vector(c->stvec, interrupt, cause));
    riscv_enter(c, PRIV_S, m);
}

static void enter_m(struct riscv_cpu *c, bool interrupt, uint64_t cause, uint64_t tval)
{
    uint64_t m = c->mstatus & ~(MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_MPP);

    if (c->mstatus & MSTATUS_MIE)
        m |= MSTATUS_MPIE;
    m |= c->priv << 11;
    c->mepc = c->cpu.tcg.pc;
    c->mcause = cause | (uint64_t)interrupt << (c->xlen - 1);
    c->mtval = riscv_trunc(c, tval);
    c->cpu.tcg.pc = riscv_trunc(c, vector(c->mtvec, interrupt, cause));
    riscv_enter(c, PRIV_M, m);
}

static void take(struct riscv_cpu *c, bool interrupt, uint64_t cause, uint64_t tval)
{
    uint64_t deleg = interrupt ? c->mideleg : c->medeleg;

    log_trap(c, interrupt, cause, tval);
    c->res_addr = RES_NONE;
    if (c->priv <= PRIV_S && deleg >> cause & 1)
        enter_s(c, interrupt, cause, tval);
    else
        enter_m(c, interrupt, cause, tval);
}

void riscv_trap(struct riscv_cpu *c, uint64_t cause, uint64_t tval)
{
    take(c, false, cause, tval);
}

void riscv_raise(struct riscv_cpu *c, uint64_t cause, uint64_t tval)
{
    riscv_trap(c, cause, tval);
    cpu_resume(&c->cpu);
}

void riscv_illegal(struct riscv_cpu *c, uint32_t insn)
{
    riscv_raise(c, EXC_ILLEGAL, insn);
}

void riscv_take_fault(struct cpu *cpu, const struct cpu_fault *fault)
{
    static const uint8_t page[] = {
        [ACCESS_READ] = EXC_LOAD_PAGE,
        [ACCESS_WRITE] = EXC_STORE_PAGE,
        [ACCESS_FETCH] = EXC_FETCH_PAGE,
    };
    static const uint8_t access[] = {
        [ACCESS_READ] = EXC_LOAD_ACCESS,
        [ACCESS_WRITE] = EXC_STORE_ACCESS,
        [ACCESS_FETCH] = EXC_FETCH_ACCESS,
    };
    static const uint8_t misaligned[] = {
        [ACCESS_READ] = EXC_LOAD_MISALIGNED,
        [ACCESS_WRITE] = EXC_STORE_MISALIGNED,
        [ACCESS_FETCH] = EXC_FETCH_MISALIGNED,
    };
    uint64_t cause;

    switch (fault->kind) {
    case FAULT_PAGE:
    case FAULT_GUEST_PAGE: cause = page[fault->access]; break;
    case FAULT_MISALIGNED: cause = misaligned[fault->access]; break;
    default: cause = access[fault->access]; break;
    }
    riscv_trap(riscv_of(cpu), cause, fault->vaddr);
}

/* ---- Interrupts ---- */

uint64_t riscv_mip(const struct riscv_cpu *c)
{
    return __atomic_load_n(&c->mip, __ATOMIC_SEQ_CST) |
           __atomic_load_n(&c->lines, __ATOMIC_SEQ_CST);
}

/* Pending interrupts that are enabled at the current privilege; those for M mode go first. */
static uint64_t takeable(const struct riscv_cpu *c)
{
    uint64_t pending = riscv_mip(c) & c->mie;
    uint64_t m, s;

    if (__builtin_expect(!pending, 1))
        return 0;
    m = pending & ~c->mideleg;
    if (m && (c->priv < PRIV_M || c->mstatus & MSTATUS_MIE))
        return m;
    s = pending & c->mideleg;
    if (s && (c->priv < PRIV_S || (c->priv == PRIV_S && c->mstatus & MSTATUS_SIE)))
        return s;
    return 0;
}

bool riscv_take_interrupt(struct cpu *cpu)
{
    static const uint8_t order[] = { 11, 3, 7, 9, 1, 5, 13 }; /* 3.1.9: MEI first */
    struct riscv_cpu *c = riscv_of(cpu);
    uint64_t bits = takeable(c);

    for (unsigned k = 0; bits && k < G_N_ELEMENTS(order); k++) {
        if (bits >> order[k] & 1) {
            take(c, true, order[k], 0);
            return true;
        }
    }
    return false;
}

/* WFI ends for what is pending and enabled in mie, whatever mstatus says (3.3.3). */
bool riscv_has_work(const struct cpu *cpu)
{
    const struct riscv_cpu *c = riscv_of_const(cpu);

    return riscv_mip(c) & __atomic_load_n(&c->mie, __ATOMIC_RELAXED);
}

void riscv_check_irq(struct riscv_cpu *c)
{
    if (!takeable(c))
        return;
    __atomic_fetch_or(&c->cpu.tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
}

void riscv_set_irq(struct cpu *cpu, unsigned line, bool level)
{
    struct riscv_cpu *c = riscv_of(cpu);
    uint64_t bit = BIT(line);

    if (line == RISCV_IRQ_SSIP) {
        if (level)
            __atomic_fetch_or(&c->mip, bit, __ATOMIC_SEQ_CST);
    } else if (level) {
        __atomic_fetch_or(&c->lines, bit, __ATOMIC_SEQ_CST);
    } else {
        __atomic_fetch_and(&c->lines, ~bit, __ATOMIC_SEQ_CST);
    }
    if (level)
        cpu_kick(cpu);
}
