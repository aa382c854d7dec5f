/*
 * Physical memory protection: 16 entries with 4-byte granularity (privileged architecture 3.7).
 */
#include "riscv.h"

/* pmpaddr holds address bits 55:2; NAPOT counts trailing ones. */
static struct pmp_range range_of(const struct riscv_cpu *c, unsigned n)
{
    uint64_t addr = c->pmpaddr[n];
    unsigned ones;

    switch (c->pmpcfg[n] & PMP_A) {
    case PMP_TOR: {
        uint64_t first = n ? c->pmpaddr[n - 1] << 2 : 0, end = addr << 2;
        if (first >= end)
            break;
        return (struct pmp_range){ first, end - 1 };
    }
    case PMP_NA4: return (struct pmp_range){ addr << 2, (addr << 2) + 3 };
    case PMP_NAPOT:
        ones = ctz64(~addr);
        if (ones + 3 >= 64)
            return (struct pmp_range){ 0, UINT64_MAX };
        return (struct pmp_range){ (addr & ~mask64(ones)) << 2,
                                   ((addr & ~mask64(ones)) << 2) + mask64(ones + 3) };
    default: break;
    }
    return (struct pmp_range){ 1, 0 };
}

void riscv_pmp_update(struct riscv_cpu *c)
{
    c->pmp_used = 0;
    for (unsigned n = 0; n < PMP_COUNT; n++) {
        c->pmp[n] = range_of(c, n);
        if (c->pmpcfg[n] & PMP_A)
            c->pmp_used = n + 1;
    }
    tlb_flush_all(&c->cpu);
}

/* Lowers *bits until the aligned block around @addr lies on one side of @r's borders. */
static void narrow(const struct pmp_range *r, uint64_t addr, unsigned *bits)
{
    bool inside = addr >= r->first && addr <= r->last;

    for (; *bits > 2; --*bits) {
        uint64_t first = addr & ~mask64(*bits), last = first | mask64(*bits);
        if (inside ? first >= r->first && last <= r->last : last < r->first || first > r->last)
            return;
    }
}

unsigned riscv_pmp_prot(const struct riscv_cpu *c, uint64_t paddr, uint64_t priv,
                        unsigned *size_bits)
{
    static const uint8_t prot[8] = {
        0,      PROT_R,          PROT_W,          PROT_R | PROT_W,
        PROT_X, PROT_R | PROT_X, PROT_W | PROT_X, PROT_R | PROT_W | PROT_X,
    };

    for (unsigned n = 0; n < c->pmp_used; n++) {
        const struct pmp_range *r = &c->pmp[n];
        if (r->first > r->last)
            continue;
        narrow(r, paddr, size_bits);
        if (paddr < r->first || paddr > r->last)
            continue;
        if (priv == PRIV_M && !(c->pmpcfg[n] & PMP_L))
            return PROT_R | PROT_W | PROT_X;
        return prot[c->pmpcfg[n] & 7];
    }
    return priv == PRIV_M ? PROT_R | PROT_W | PROT_X : 0;
}

/* ---- Registers ---- */

uint64_t riscv_pmpcfg_read(const struct riscv_cpu *c, unsigned reg)
{
    uint64_t val = 0;

    for (unsigned k = 0; k < c->xlen / 8; k++)
        val |= (uint64_t)c->pmpcfg[reg * 4 + k] << 8 * k;
    return val;
}

void riscv_pmpcfg_write(struct riscv_cpu *c, unsigned reg, uint64_t val)
{
    for (unsigned k = 0; k < c->xlen / 8; k++) {
        uint8_t *cfg = &c->pmpcfg[reg * 4 + k];
        uint8_t new = val >> 8 * k &(PMP_L | PMP_A | PMP_R | PMP_W | PMP_X);

        if (*cfg & PMP_L)
            continue;
        if ((new &(PMP_R | PMP_W)) == PMP_W) /* reserved: keeps its permissions */
            new = (new & ~7) | (*cfg & 7);
        *cfg = new;
    }
    riscv_pmp_update(c);
}

void riscv_pmpaddr_write(struct riscv_cpu *c, unsigned n, uint64_t val)
{
    if (c->pmpcfg[n] & PMP_L)
        return;
    if (n + 1 < PMP_COUNT && c->pmpcfg[n + 1] & PMP_L && (c->pmpcfg[n + 1] & PMP_A) == PMP_TOR)
        return;
    c->pmpaddr[n] = val & (c->xlen == 32 ? mask64(32) : mask64(54));
    riscv_pmp_update(c);
}
