/*
 * Vectors: reductions (14). The scalar operand is element 0 of vs1, the result that of vd. Those of
 * floating point add up in order; the unordered ones may.
 */
#include "helper.h"
#include "vector-fp-host.h"

#ifndef __clang__
#pragma GCC optimize("O3")
#endif

/* d: the scalar, then the result. act: NULL for all. */
struct reduction {
    void *d;
    const void *x;
    const uint8_t *act;
    unsigned n;
    struct fp_env env;
};
typedef void reduce_fn(struct reduction *r);

/* @DT: type of the result; @expr: of s, the result so far, and a, an element. */
#define REDUCE(name, W, W2, DT, expr)             \
    static void name##_##W(struct reduction *r)   \
    {                                             \
        typedef VUINT(W) U;                       \
        typedef VINT(W) S;                        \
        typedef VUINT(W2) U2;                     \
        typedef VINT(W2) S2;                      \
        struct fp_env *env = &r->env;             \
        const U *x = r->x;                        \
        const uint8_t *act = r->act;              \
        DT s;                                     \
        (void)env, (void)sizeof(S);               \
        (void)sizeof(U2), (void)sizeof(S2);       \
        memcpy(&s, r->d, sizeof(s));              \
        if (!act) {                               \
            for (unsigned i = 0; i < r->n; i++) { \
                U a = x[i];                       \
                s = expr;                         \
            }                                     \
        } else {                                  \
            for (unsigned i = 0; i < r->n; i++) { \
                U a = x[i];                       \
                if (act[i])                       \
                    s = expr;                     \
            }                                     \
        }                                         \
        memcpy(r->d, &s, sizeof(s));              \
    }
#define REDUCE_INT(name, expr)    \
    REDUCE(name, 8, 16, U, expr)  \
    REDUCE(name, 16, 32, U, expr) \
    REDUCE(name, 32, 64, U, expr) \
    REDUCE(name, 64, 128, U, expr)
#define REDUCE_WIDE(name, expr)    \
    REDUCE(name, 8, 16, U2, expr)  \
    REDUCE(name, 16, 32, U2, expr) \
    REDUCE(name, 32, 64, U2, expr)
REDUCE_INT(sum, s + a)
REDUCE_INT(and, s &a)
REDUCE_INT(or, s | a)
REDUCE_INT(xor, s ^ a)
REDUCE_INT(minu, a < s ? a : s)
REDUCE_INT(min, (S)a < (S)s ? a : s)
REDUCE_INT(maxu, a > s ? a : s)
REDUCE_INT(max, (S)a > (S)s ? a : s)
REDUCE_WIDE(wsumu, s + a)
REDUCE_WIDE(wsum, s + (U2)(S2)(S)a)

#define FP(fn) \
    _Generic((U)0, uint16_t : fp_f16_##fn, uint32_t : fp_f32_##fn, uint64_t : fp_f64_##fn)
#define FP2(fn)  _Generic((U2)0, uint32_t : fp_f32_##fn, uint64_t : fp_f64_##fn)
#define WIDEN(v) _Generic((U)0, uint16_t : fp_f16_to_f32, uint32_t : fp_f32_to_f64)(env, v)
#define REDUCE_FP(name, expr)     \
    REDUCE(name, 16, 32, U, expr) \
    REDUCE(name, 32, 64, U, expr) \
    REDUCE(name, 64, 64, U, expr)
REDUCE_FP(fsum, FP(add)(env, s, a))
REDUCE_FP(fmin, FP(minmax)(env, s, a, FP_MINMAX_NUMBER))
REDUCE_FP(fmax, FP(minmax)(env, s, a, FP_MINMAX_NUMBER | FP_MINMAX_MAX))
REDUCE(fwsum, 16, 32, U2, FP2(add)(env, s, WIDEN(a)))
REDUCE(fwsum, 32, 64, U2, FP2(add)(env, s, WIDEN(a)))

/* Numbered by funct6; bit 6: floating point. */
#define FLOAT 0x40
static reduce_fn *const reductions[][4] = {
    [0x00] = VFN(sum),
    [0x01] = VFN(and),
    [0x02] = VFN(or),
    [0x03] = VFN(xor),
    [0x04] = VFN(minu),
    [0x05] = VFN(min),
    [0x06] = VFN(maxu),
    [0x07] = VFN(max),
    [0x30] = VFN_WIDE(wsumu),
    [0x31] = VFN_WIDE(wsum),
    [FLOAT | 0x01] = { NULL, fsum_16, fsum_32, fsum_64 },
    [FLOAT | 0x03] = { NULL, fsum_16, fsum_32, fsum_64 },
    [FLOAT | 0x05] = { NULL, fmin_16, fmin_32, fmin_64 },
    [FLOAT | 0x07] = { NULL, fmax_16, fmax_32, fmax_64 },
    [FLOAT | 0x31] = { NULL, fwsum_16, fwsum_32, NULL },
    [FLOAT | 0x33] = { NULL, fwsum_16, fwsum_32, NULL },
};

static bool is_float_sum(unsigned op)
{
    return op & FLOAT && (op & 0xd) == 1;
}

static void h_v_reduce(struct cpu *cpu, uint64_t desc, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);
    unsigned op = vdesc_op(desc), wide = (op & 0x30) == 0x30;
    uint8_t act[VGROUP_BYTES + 8];
    uint64_t s;
    struct reduction r = {
        .d = &s,
        .x = vreg(c, vdesc_vs2(desc)),
        .n = vl,
        .env = { .round = vdesc_rm(desc) },
    };

    if (!vl)
        return;
    s = velem_get(vreg(c, vdesc_vs1(desc)), vdesc_sew(desc) + wide, 0);
    if (!vdesc_vm(desc)) {
        riscv_vactive(c, desc, 0, vl, act);
        r.act = act;
    }
    if (!is_float_sum(op) || r.act ||
        !riscv_vhost_sum(&r.env, &s, vdesc_sew(desc) + wide, r.x, vdesc_sew(desc), vl))
        reductions[op][vdesc_sew(desc)](&r);
    velem_set(vreg(c, vdesc_vd(desc)), vdesc_sew(desc) + wide, 0, s);
    c->cpu.tcg.fp_sticky |= r.env.flags & VFP_FLAGS;
}
HELPER_DEFINE(v_reduce, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);
