/*
 * fflags, frm and fcsr. Flags raised by generated code wait in the host's FPU until somebody looks
 * here; its rounding follows frm, as far as it has the mode (fp-emit.c).
 */
#include "csr.h"
#include "helper.h"

bool cond_fp(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    (void)num, (void)priv;
    return riscv_have(c, EXT_F) && c->mstatus & MSTATUS_FS;
}

void riscv_fp_gather(struct riscv_cpu *c)
{
    c->fflags |= cpu_fp_flags(&c->cpu) & ~(unsigned)FP_DE;
}

void riscv_fp_round(struct riscv_cpu *c)
{
    if (c->frm < FP_RMM)
        cpu_fp_set_round(&c->cpu, c->frm);
}

static uint64_t gathered(struct riscv_cpu *c)
{
    riscv_fp_gather(c);
    return c->fflags;
}

/* Flags that generated code raised must not come back; most often they are among the new ones. */
static void set_fflags(struct riscv_cpu *c, uint64_t flags)
{
    if (cpu_fp_flags(&c->cpu) & ~(flags | FP_DE))
        cpu_fp_clear_flags(&c->cpu);
    c->fflags = flags;
}

static void set_frm(struct riscv_cpu *c, uint64_t frm)
{
    c->frm = frm & 7;
    riscv_fp_round(c);
}

uint64_t read_fflags(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return gathered(c);
}

void write_fflags(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    set_fflags(c, csr_merge(gathered(c), val, mask & 0x1f));
}

uint64_t read_frm(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->frm;
}

void write_frm(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    set_frm(c, csr_merge(c->frm, val, mask));
}

uint64_t read_fcsr(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->frm << 5 | gathered(c);
}

void write_fcsr(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    write_fflags(c, num, val, mask);
    set_frm(c, csr_merge(c->frm, val >> 5, mask >> 5));
}
