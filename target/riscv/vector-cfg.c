/*
 * Vectors: vtype and vl (6), and the vector CSRs (3).
 */
#include "csr.h"
#include "helper.h"
#include "vector.h"

static uint64_t vill(const struct riscv_cpu *c)
{
    return BIT(c->xlen - 1);
}

/* 3.4: SEW at most 64, and such that a fraction of a register holds an element of ELEN or, below
 * LMUL = 1, of LMUL * ELEN bits. */
bool riscv_vtype_ok(const struct riscv_cpu *c, uint64_t vtype)
{
    unsigned vlmul = vtype & 7, sew = 8u << (vtype >> 3 & 7);
    int lmul = vlmul_log2(vlmul);

    if (vtype >> 8 || vlmul == 4 || sew > c->elen)
        return false;
    return lmul >= 0 || sew <= c->elen >> -lmul;
}

uint64_t riscv_vset(struct riscv_cpu *c, uint64_t vtype, uint64_t avl)
{
    vtype = riscv_trunc(c, vtype);
    if (riscv_vtype_ok(c, vtype)) {
        unsigned vlmax = vlmax_of(c, vtype >> 3 & 7, vtype & 7);
        c->vtype = vtype;
        c->vl = MIN(avl, vlmax);
    } else {
        c->vtype = vill(c);
        c->vl = 0;
    }
    c->vstart = 0;
    cpu_update_flags(&c->cpu);
    return c->vl;
}

static uint64_t h_v_set(struct cpu *cpu, uint64_t vtype, uint64_t avl)
{
    return riscv_vset(riscv_of(cpu), vtype, avl);
}
HELPER_DEFINE(v_set, IR_H_CPU, IR_I64, 2, IR_I64, IR_I64);

uint32_t riscv_vector_flags(const struct riscv_cpu *c)
{
    uint32_t f = c->vstart ? UFV_VSTART : 0;

    if (c->vtype & vill(c))
        return f | UFV_ILL;
    return f | riscv_vtype_flags(c->vtype);
}

/* ---- CSRs ---- */

bool cond_vector(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    (void)num, (void)priv;
    return riscv_have(c, EXT_V) && c->mstatus & MSTATUS_VS;
}

static void dirty(struct riscv_cpu *c)
{
    c->mstatus |= MSTATUS_VS | MSTATUS_SD;
}

/* As many bits as number the elements of the largest group (3.7). */
void write_vstart(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    c->vstart = csr_merge(c->vstart, val, mask) & (c->vlen - 1);
    dirty(c);
}

uint64_t read_vstart(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->vstart;
}

uint64_t read_vxsat(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->vxsat;
}

void write_vxsat(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    c->vxsat = csr_merge(c->vxsat, val, mask & 1);
    dirty(c);
}

uint64_t read_vxrm(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->vxrm;
}

void write_vxrm(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    c->vxrm = csr_merge(c->vxrm, val, mask & 3);
    dirty(c);
}

uint64_t read_vcsr(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->vxrm << 1 | c->vxsat;
}

void write_vcsr(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    write_vxsat(c, num, val, mask);
    write_vxrm(c, num, val >> 1, mask >> 1);
}

uint64_t read_vlenb(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return vlenb(c);
}
