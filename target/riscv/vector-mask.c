/*
 * Vectors: operations on masks (15).
 */
#include "helper.h"
#include "vector.h"

/* Bits of word @k that stand for elements from @start to @n - 1. */
static uint64_t word_bits(unsigned k, unsigned start, unsigned n)
{
    uint64_t m = n >= k * 64 + 64 ? ~0ULL : n > k * 64 ? mask64(n - k * 64) : 0;

    if (start > k * 64)
        m &= start >= k * 64 + 64 ? 0 : ~mask64(start - k * 64);
    return m;
}

static uint64_t logical(unsigned op, uint64_t a, uint64_t b)
{
    switch (op) {
    case 0: return a & ~b;
    case 1: return a & b;
    case 2: return a | b;
    case 3: return a ^ b;
    case 4: return a | ~b;
    case 5: return ~(a & b);
    case 6: return ~(a | b);
    default: return ~(a ^ b);
    }
}

/* vmand.mm and the other seven: op is the low part of funct6. */
static void h_v_mask_logical(struct cpu *cpu, uint64_t desc, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);
    unsigned start = riscv_vstart_take(c);
    uint64_t *d = vreg(c, vdesc_vd(desc));
    const uint64_t *a = vreg(c, vdesc_vs2(desc)), *b = vreg(c, vdesc_vs1(desc));

    for (unsigned k = 0; k < (vl + 63) / 64; k++) {
        uint64_t m = word_bits(k, start, vl);
        d[k] = (d[k] & ~m) | (logical(vdesc_op(desc), a[k], b[k]) & m);
    }
}
HELPER_DEFINE(v_mask_logical, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

/* Word @k of source mask vs2, active elements only. */
static uint64_t source(struct riscv_cpu *c, uint64_t desc, unsigned k, uint64_t vl)
{
    const uint64_t *a = vreg(c, vdesc_vs2(desc)), *mask = vreg(c, 0);

    return a[k] & word_bits(k, 0, vl) & (vdesc_vm(desc) ? ~0ULL : mask[k]);
}

static uint64_t h_v_cpop(struct cpu *cpu, uint64_t desc, uint64_t vl)
{
    uint64_t count = 0;

    for (unsigned k = 0; k < (vl + 63) / 64; k++)
        count += __builtin_popcountll(source(riscv_of(cpu), desc, k, vl));
    return count;
}
HELPER_DEFINE(v_cpop, IR_H_CPU, IR_I64, 2, IR_I64, IR_I64);

static uint64_t h_v_first(struct cpu *cpu, uint64_t desc, uint64_t vl)
{
    for (unsigned k = 0; k < (vl + 63) / 64; k++) {
        uint64_t s = source(riscv_of(cpu), desc, k, vl);
        if (s)
            return k * 64 + ctz64(s);
    }
    return -1;
}
HELPER_DEFINE(v_first, IR_H_CPU, IR_I64, 2, IR_I64, IR_I64);

/* vmsbf, vmsof, vmsif: op is the instruction's vs1 field, 1 to 3. */
static void h_v_set_first(struct cpu *cpu, uint64_t desc, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);
    uint64_t *d = vreg(c, vdesc_vd(desc));
    const uint64_t *mask = vreg(c, 0);
    bool found = false;

    for (unsigned k = 0; k < (vl + 63) / 64; k++) {
        uint64_t s = source(c, desc, k, vl), bits, first = s & -s;
        uint64_t m = word_bits(k, 0, vl) & (vdesc_vm(desc) ? ~0ULL : mask[k]);
        uint64_t before = found ? 0 : s ? first - 1 : ~0ULL;
        first = found ? 0 : first;
        switch (vdesc_op(desc)) {
        case 1: bits = before; break;
        case 2: bits = first; break;
        default: bits = before | first; break;
        }
        found |= s != 0;
        d[k] = (d[k] & ~m) | (bits & m);
    }
}
HELPER_DEFINE(v_set_first, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

static void h_v_iota(struct cpu *cpu, uint64_t desc, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);
    void *d = vreg(c, vdesc_vd(desc));
    unsigned sew = vdesc_sew(desc);
    uint64_t count = 0;

    for (unsigned i = 0; i < vl; i++) {
        if (!vdesc_vm(desc) && !vmask_bit(c, 0, i))
            continue;
        velem_set(d, sew, i, count);
        count += vmask_bit(c, vdesc_vs2(desc), i);
    }
}
HELPER_DEFINE(v_iota, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

static void h_v_id(struct cpu *cpu, uint64_t desc, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);
    void *d = vreg(c, vdesc_vd(desc));

    for (unsigned i = riscv_vstart_take(c); i < vl; i++)
        if (vdesc_vm(desc) || vmask_bit(c, 0, i))
            velem_set(d, vdesc_sew(desc), i, i);
}
HELPER_DEFINE(v_id, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);
