/*
 * Floating point by lane, through tcg/softfp with the rules of SSE: arithmetic and comparison.
 */
#include "vec.h"

/* Lane-size generic forms of softfp's functions. */
#define BOTH(name)                                                                      \
    static uint64_t f_##name(const struct vec_op *o, uint64_t x, uint64_t y)            \
    {                                                                                   \
        return o->lane == 32 ? fp_f32_##name(o->fp, x, y) : fp_f64_##name(o->fp, x, y); \
    }
BOTH(add)
BOTH(sub)
BOTH(mul)
BOTH(div)
#undef BOTH

static enum fp_relation relation(const struct vec_op *o, uint64_t x, uint64_t y, bool signalling)
{
    return o->lane == 32 ? fp_f32_compare(o->fp, x, y, signalling)
                         : fp_f64_compare(o->fp, x, y, signalling);
}

static uint64_t f_sqrt(const struct vec_op *o, uint64_t x)
{
    return o->lane == 32 ? fp_f32_sqrt(o->fp, x) : fp_f64_sqrt(o->fp, x);
}

/* What a denormal operand is that only passes through. */
static uint64_t flushed(const struct vec_op *o, uint64_t x)
{
    uint64_t sign = UINT64_C(1) << (o->lane - 1);
    uint64_t exponent = o->lane == 32 ? 0x7f800000 : UINT64_C(0x7ff) << 52;

    return o->fp->denormals_are_zero && !(x & exponent) ? x & sign : x;
}

static uint64_t f_min(const struct vec_op *o, uint64_t x, uint64_t y)
{
    return flushed(o, relation(o, x, y, true) == FP_LESS ? x : y);
}

static uint64_t f_max(const struct vec_op *o, uint64_t x, uint64_t y)
{
    return flushed(o, relation(o, x, y, true) == FP_GREATER ? x : y);
}

/* CMPPS's predicates (SDM volume 2): the relations that make the first sixteen true; the others
 * differ in whether quiet NaNs signal. */
static uint64_t f_cmp(const struct vec_op *o, uint64_t x, uint64_t y)
{
    enum { L = 1, E = 2, G = 4, U = 8 };
    static const uint8_t holds[16] = { E,         L,         L | E,     U,
                                       L | G | U, E | G | U, G | U,     L | E | G,
                                       E | U,     L | U,     L | E | U, 0,
                                       L | G,     E | G,     G,         L | E | G | U };
    static const uint8_t bit[] = { L, E, G, U };
    const uint32_t signals = 0x99996666; /* predicates for which quiet NaNs are invalid */
    unsigned n = o->imm & 31;
    enum fp_relation rel = relation(o, x, y, signals >> n & 1);

    return holds[n & 15] & bit[rel + 1] ? UINT64_MAX : 0;
}

/* For each lane, or the lowest with the others of a: x, y are the operands' lanes. */
#define LANEWISE(name, from, result)                                                \
    void vec_##name(const struct vec_op *o, union vec *r)                           \
    {                                                                               \
        unsigned n = o->scalar ? 1 : vec_lanes(o);                                  \
        if (o->scalar)                                                              \
            *r = o->a;                                                              \
        for (unsigned k = 0; k < n; k++) {                                          \
            uint64_t x = vec_get(from, o->lane, k), y = vec_get(&o->b, o->lane, k); \
            (void)y;                                                                \
            vec_put(r, o->lane, k, (result));                                       \
        }                                                                           \
    }
#define ONLY (o->scalar ? &o->b : &o->a) /* the operand of those that have one */

static uint64_t canonical(const struct vec_op *o, uint64_t x)
{
    if (o->lane == 32)
        return (x & INT32_MAX) > 0x7f800000 ? 0x7fc00000 : x;
    return (x & INT64_MAX) > UINT64_C(0x7ff) << 52 ? UINT64_C(0xfff) << 51 : x;
}

static const uint8_t directions[] = { FP_RNE, FP_RDN, FP_RUP, FP_RTZ }; /* as x86 numbers them */

static uint64_t f_round(const struct vec_op *o, uint64_t x)
{
    enum fp_round how = o->imm & 4 ? o->fp->round : directions[o->imm & 3];
    bool inexact = !(o->imm & 8);

    return o->lane == 32 ? fp_f32_rint(o->fp, x, how, inexact)
                         : fp_f64_rint(o->fp, x, how, inexact);
}

static uint64_t f_fma(const struct vec_op *o, unsigned k, uint64_t x, uint64_t y)
{
    bool flip = o->imm & (k & 1 ? IR_VFMA_NEG_ODD : IR_VFMA_NEG_EVEN);
    unsigned signs = (o->imm & IR_VFMA_NEG_PRODUCT ? FP_FMA_NEG_PRODUCT : 0) |
                     (!(o->imm & IR_VFMA_NEG_ADDEND) != !flip ? FP_FMA_NEG_ADDEND : 0);
    uint64_t z = vec_get(&o->c, o->lane, k);

    return o->lane == 32 ? fp_f32_fma(o->fp, x, y, z, signs) : fp_f64_fma(o->fp, x, y, z, signs);
}

/* clang-format off */
LANEWISE(FADD, &o->a, f_add(o, x, y))
LANEWISE(FSUB, &o->a, f_sub(o, x, y))
LANEWISE(FMUL, &o->a, f_mul(o, x, y))
LANEWISE(FDIV, &o->a, f_div(o, x, y))
LANEWISE(FMIN, &o->a, f_min(o, x, y))
LANEWISE(FMAX, &o->a, f_max(o, x, y))
LANEWISE(FCMP, &o->a, f_cmp(o, x, y))
LANEWISE(FMA, &o->a, f_fma(o, k, x, y))
LANEWISE(FADDSUB, &o->a, k & 1 ? f_add(o, x, y) : f_sub(o, x, y))
LANEWISE(FSQRT, ONLY, f_sqrt(o, x))
LANEWISE(FROUND, ONLY, f_round(o, x))
LANEWISE(CANON, ONLY, canonical(o, x))
/* clang-format on */

static void horizontal(const struct vec_op *o, union vec *r,
                       uint64_t (*f)(const struct vec_op *, uint64_t, uint64_t))
{
    unsigned half = vec_lanes(o) / 2;

    for (unsigned k = 0; k < 2 * half; k++) {
        const union vec *v = k < half ? &o->a : &o->b;
        unsigned at = 2 * (k % half);

        vec_put(r, o->lane, k, f(o, vec_get(v, o->lane, at), vec_get(v, o->lane, at + 1)));
    }
}

void vec_FHADD(const struct vec_op *o, union vec *r)
{
    horizontal(o, r, f_add);
}

void vec_FHSUB(const struct vec_op *o, union vec *r)
{
    horizontal(o, r, f_sub);
}

/* SDM volume 2, DPPS: products of lanes chosen by bits 7:4, summed in pairs, to lanes in 3:0. */
void vec_FDP(const struct vec_op *o, union vec *r)
{
    unsigned lanes = vec_lanes(o);
    uint64_t p[4] = { 0 }, sum;

    for (unsigned k = 0; k < lanes; k++) {
        if (o->imm >> (4 + k) & 1)
            p[k] = f_mul(o, vec_get(&o->a, o->lane, k), vec_get(&o->b, o->lane, k));
    }
    sum = f_add(o, p[0], p[1]);
    if (lanes == 4)
        sum = f_add(o, sum, f_add(o, p[2], p[3]));
    for (unsigned k = 0; k < lanes; k++)
        vec_put(r, o->lane, k, o->imm >> k & 1 ? sum : 0);
}

void vec_FCOMI(const struct vec_op *o, union vec *r)
{
    switch (relation(o, vec_get(&o->a, o->lane, 0), vec_get(&o->b, o->lane, 0), o->imm & 1)) {
    case FP_LESS: r->w[0] = 0x01; break;
    case FP_EQUAL: r->w[0] = 0x40; break;
    case FP_GREATER: break;
    case FP_UNORDERED: r->w[0] = 0x45; break;
    }
}
