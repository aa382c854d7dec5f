/*
 * Vectors: the driver of elementwise instructions. It hands a kernel whole arrays; where elements
 * are masked off or lie before vstart, the kernel works beside the destination and only active
 * elements are copied over. Operations with side effects (flags, vxsat) then see operands in the
 * inactive elements that cause none.
 */
#include "helper.h"
#include "vector.h"

#ifndef __clang__
#pragma GCC optimize("O3")
#endif

unsigned riscv_vstart_take(struct riscv_cpu *c)
{
    unsigned start = c->vstart;

    if (start) {
        c->vstart = 0;
        cpu_update_flags(&c->cpu);
    }
    return start;
}

/* Bits of a byte to bytes 0 and 1. */
static uint64_t spread(uint8_t bits)
{
    uint64_t t = bits * 0x0101010101010101ULL & 0x8040201008040201ULL;

    return (t + 0x7f7f7f7f7f7f7f7fULL) >> 7 & 0x0101010101010101ULL;
}

static uint8_t gather(const uint8_t *bytes)
{
    uint64_t t;

    memcpy(&t, bytes, 8);
    return t * 0x0102040810204080ULL >> 56;
}

static void spread_mask(const struct riscv_cpu *c, unsigned n, uint8_t *to)
{
    for (unsigned k = 0; k < (n + 7) / 8; k++) {
        uint64_t t = spread(c->v[k]);
        memcpy(to + k * 8, &t, 8);
    }
}

void riscv_vactive(const struct riscv_cpu *c, uint64_t desc, unsigned start, unsigned n,
                   uint8_t *act)
{
    if (vdesc_vm(desc))
        memset(act, 1, n);
    else
        spread_mask(c, n, act);
    memset(act, 0, MIN(start, n));
}

void riscv_vsplat(void *d, unsigned log2, uint64_t v, unsigned n)
{
    switch (log2) {
    case 0: memset(d, v, n); break;
    case 1:
        for (unsigned i = 0; i < n; i++)
            ((uint16_t *)d)[i] = v;
        break;
    case 2:
        for (unsigned i = 0; i < n; i++)
            ((uint32_t *)d)[i] = v;
        break;
    default:
        for (unsigned i = 0; i < n; i++)
            ((uint64_t *)d)[i] = v;
        break;
    }
}

#define BLEND(T)                              \
    do {                                      \
        T *to = d;                            \
        const T *from = t;                    \
        VECTOR_LOOP                           \
        for (unsigned i = 0; i < n; i++)      \
            to[i] = act[i] ? from[i] : to[i]; \
    } while (0)

void riscv_vblend(void *d, const void *t, const uint8_t *act, unsigned log2, unsigned n)
{
    switch (log2) {
    case 0: BLEND(uint8_t); break;
    case 1: BLEND(uint16_t); break;
    case 2: BLEND(uint32_t); break;
    default: BLEND(uint64_t); break;
    }
}

void riscv_vpack(struct riscv_cpu *c, unsigned vd, const uint8_t *bytes, const uint8_t *act,
                 unsigned n)
{
    uint8_t *to = vreg(c, vd);
    unsigned k;

    for (k = 0; k < n / 8; k++) {
        uint8_t change = gather(act + k * 8);
        to[k] = (to[k] & ~change) | (gather(bytes + k * 8) & change);
    }
    for (unsigned i = k * 8; i < n; i++)
        if (act[i])
            to[k] = (to[k] & ~(1u << i % 8)) | bytes[i] << i % 8;
}

/* ---- The driver ---- */

const struct vop *riscv_vop(unsigned op)
{
    static const struct vop *const tables[VOPS_COUNT] = {
        [VOPS_I] = riscv_vops_i,     [VOPS_M] = riscv_vops_m,       [VOPS_F] = riscv_vops_f,
        [VOPS_EXT] = riscv_vops_ext, [VOPS_FCVT] = riscv_vops_fcvt, [VOPS_F1] = riscv_vops_f1,
    };

    return op / 64 < VOPS_COUNT ? &tables[op / 64][op % 64] : NULL;
}

struct buffer {
    uint8_t b[VGROUP_BYTES] __attribute__((aligned(64)));
};

/* An operand that raises nothing in any operation: 1.0, integer 0. */
static uint64_t harmless(const struct vop *op, unsigned log2, bool is_x)
{
    static const uint64_t one[] = { 0, 0x3c00, 0x3f800000, 0x3ff0000000000000 };

    return op->flags & VOP_FP && !(is_x && op->flags & VOP_XINT) ? one[log2] : 0;
}

/* @from with harmless values in inactive elements. */
static const void *with_harmless(struct buffer *b, const void *from, const struct vop *op,
                                 unsigned log2, bool is_x, const uint8_t *act, unsigned n)
{
    riscv_vsplat(b->b, log2, harmless(op, log2, is_x), n);
    riscv_vblend(b->b, from, act, log2, n);
    return b->b;
}

static void run_masked(struct riscv_cpu *c, const struct vop *op, struct vkernel_args *k,
                       uint64_t desc, unsigned start)
{
    struct buffer d, x, y, z;
    uint8_t act[VGROUP_BYTES + 8];
    void *to = k->d;
    unsigned sew = vdesc_sew(desc), n = k->n;
    uint64_t mask_desc = op->flags & VOP_CARRY ? desc | vdesc_put_vm(1) : desc;

    riscv_vactive(c, mask_desc, start, n, act);
    if (op->flags & (VOP_FP | VOP_FIXED)) {
        k->x = with_harmless(&x, k->x, op, sew + op->xw, true, act, n);
        k->y = with_harmless(&y, k->y, op, sew, false, act, n);
        if (!(op->flags & (VOP_CMP | VOP_CARRY)))
            k->z = with_harmless(&z, k->z, op, sew + op->dw, false, act, n);
    }
    k->d = d.b;
    op->fn[sew](k);
    if (op->flags & VOP_CMP)
        riscv_vpack(c, vdesc_vd(desc), d.b, act, n);
    else
        riscv_vblend(to, d.b, act, sew + op->dw, n);
}

static void h_v_op(struct cpu *cpu, uint64_t desc, uint64_t scalar, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);
    const struct vop *op = riscv_vop(vdesc_op(desc));
    unsigned sew = vdesc_sew(desc), f3 = vdesc_f3(desc), start = riscv_vstart_take(c);
    struct buffer y, carry;
    struct vkernel_args k = {
        .d = vreg(c, vdesc_vd(desc)),
        .x = vreg(c, vdesc_vs2(desc)),
        .y = vreg(c, vdesc_vs1(desc)),
        .n = vl,
        .vxrm = c->vxrm,
        .env = { .round = vdesc_rm(desc) },
    };

    if (start >= vl)
        return;
    k.z = k.d;
    if (op->flags & VOP_UNARY) {
        k.y = k.d;
    } else if (f3 >= OPIVI) {
        riscv_vsplat(y.b, sew, scalar, vl);
        k.y = y.b;
    }
    if (op->flags & VOP_CARRY) {
        if (vdesc_vm(desc))
            memset(carry.b, 0, vl);
        else
            spread_mask(c, vl, carry.b);
        k.z = carry.b;
    }
    if (start || op->flags & VOP_CMP || !(vdesc_vm(desc) || op->flags & VOP_CARRY))
        run_masked(c, op, &k, desc, start);
    else
        op->fn[sew](&k);
    c->vxsat |= k.sat;
    c->cpu.tcg.fp_sticky |= k.env.flags & VFP_FLAGS;
}
HELPER_DEFINE(v_op, IR_H_CPU, IR_VOID, 3, IR_I64, IR_I64, IR_I64);
