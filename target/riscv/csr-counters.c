/*
 * CSRs of counters, time and the supervisor timer (privileged architecture 3.1.10 to 3.1.12;
 * Sscofpmf, Sstc).
 */
#include "csr.h"

/* 3.1.11, 4.1.5: each level lets the next lower one read. */
bool cond_counter(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    unsigned n = num & 31;

    if (!riscv_have(c, n < HPM_FIRST ? EXT_Zicntr : EXT_Zihpm))
        return false;
    if (num & 0x80 && c->xlen == 64)
        return false;
    if (priv < PRIV_M && !(c->mcounteren >> n & 1))
        return false;
    return priv > PRIV_U || !riscv_have(c, EXT_S) || c->scounteren >> n & 1;
}

uint64_t read_counter(struct riscv_cpu *c, unsigned num)
{
    return riscv_counter_read(c, num & 31);
}

uint64_t read_counter_hi(struct riscv_cpu *c, unsigned num)
{
    return riscv_counter_read(c, num & 31) >> 32;
}

void write_counter(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    riscv_counter_write(c, num & 31, csr_merge(riscv_counter_read(c, num & 31), val, mask));
}

void write_counter_hi(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    write_counter(c, num, val << 32, mask << 32);
}

uint64_t read_time(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return riscv_time(c);
}

uint64_t read_time_hi(struct riscv_cpu *c, unsigned num)
{
    return read_time(c, num) >> 32;
}

/* ---- Sstc ---- */

bool cond_stimecmp(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    if (!riscv_have(c, EXT_Sstc) || (num == 0x15d && c->xlen == 64))
        return false;
    return priv == PRIV_M || (c->menvcfg & ENVCFG_STCE && c->mcounteren & 2);
}

uint64_t read_stimecmp(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->stimecmp;
}

void write_stimecmp(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    riscv_stimecmp_write(c, csr_merge(c->stimecmp, val, mask));
}

uint64_t read_stimecmp_hi(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->stimecmp >> 32;
}

void write_stimecmp_hi(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    write_stimecmp(c, num, val << 32, mask << 32);
}

/* ---- Events ---- */

bool cond_scountovf(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    return riscv_have(c, EXT_Sscofpmf) && cond_s(c, num, priv);
}

uint64_t read_scountovf(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return riscv_scountovf(c) & (c->priv == PRIV_M ? ~0ULL : c->mcounteren);
}

uint64_t read_mcountinhibit(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->mcountinhibit;
}

void write_mcountinhibit(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    riscv_countinhibit_write(c, csr_merge(c->mcountinhibit, val, mask));
}

bool cond_hpmevent_hi(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    (void)num, (void)priv;
    return c->xlen == 32 && riscv_have(c, EXT_Sscofpmf);
}

static bool hpm_exists(unsigned n)
{
    return n >= HPM_FIRST && n < HPM_FIRST + HPM_COUNT;
}

uint64_t read_hpmevent(struct riscv_cpu *c, unsigned num)
{
    unsigned n = num & 31;

    return hpm_exists(n) ? c->mhpmevent[n - HPM_FIRST] : 0;
}

void write_hpmevent(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    unsigned n = num & 31;

    if (hpm_exists(n))
        riscv_hpmevent_write(c, n, csr_merge(c->mhpmevent[n - HPM_FIRST], val, mask));
}

uint64_t read_hpmevent_hi(struct riscv_cpu *c, unsigned num)
{
    return read_hpmevent(c, num) >> 32;
}

void write_hpmevent_hi(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    write_hpmevent(c, num, val << 32, mask << 32);
}
