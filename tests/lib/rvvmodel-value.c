/*
 * See rvvmodel.h: values of single elements. Integers are computed exactly, in 128 bits, and cut
 * off by whoever stores them.
 */
#include <string.h>
#include <tcg/softfp.h>
#include "rvvmodel.h"

typedef __int128 wide;

static wide extend(uint64_t v, unsigned bits, bool is_signed)
{
    if (is_signed && v >> (bits - 1) & 1)
        return (wide)v - ((wide)1 << bits);
    return v;
}

/* 3.8: v / 2^shift rounded as vxrm says. */
static wide round_off(const struct vmodel *m, wide v, unsigned shift)
{
    wide unit = (wide)1 << shift, down = v >> shift, rest = v - down * unit;

    switch (m->vxrm) {
    case 0: return rest * 2 >= unit && shift ? down + 1 : down; /* rnu */
    case 1: return rest * 2 > unit || (shift && rest * 2 == unit && down & 1) ? down + 1 : down;
    case 2: return down;                                   /* rdn */
    default: return rest && !(down & 1) ? down + 1 : down; /* rod */
    }
}

static wide saturate(struct vmodel *m, wide v, unsigned bits, bool is_signed)
{
    wide hi = ((wide)1 << (bits - is_signed)) - 1, lo = is_signed ? -hi - 1 : 0;

    if (v >= lo && v <= hi)
        return v;
    m->vxsat = 1;
    return v < lo ? lo : hi;
}

#define IS(s) (!strcmp(op, s))

/* 12 */
static bool fixed(struct vmodel *m, const char *op, unsigned bits, uint64_t a, uint64_t b,
                  uint64_t *r)
{
    wide ua = a, ub = b, sa = extend(a, bits, true), sb = extend(b, bits, true);
    unsigned shift = b & (bits - 1), shift2 = b & (2 * bits - 1);

    if (IS("vsaddu"))
        *r = saturate(m, ua + ub, bits, false);
    else if (IS("vsadd"))
        *r = saturate(m, sa + sb, bits, true);
    else if (IS("vssubu"))
        *r = saturate(m, ua - ub, bits, false);
    else if (IS("vssub"))
        *r = saturate(m, sa - sb, bits, true);
    else if (IS("vaaddu"))
        *r = round_off(m, ua + ub, 1);
    else if (IS("vaadd"))
        *r = round_off(m, sa + sb, 1);
    else if (IS("vasubu"))
        *r = round_off(m, ua - ub, 1);
    else if (IS("vasub"))
        *r = round_off(m, sa - sb, 1);
    else if (IS("vsmul"))
        *r = saturate(m, round_off(m, sa * sb, bits - 1), bits, true);
    else if (IS("vssrl"))
        *r = round_off(m, ua, shift);
    else if (IS("vssra"))
        *r = round_off(m, sa, shift);
    else if (IS("vnclipu"))
        *r = saturate(m, round_off(m, ua, shift2), bits, false);
    else if (IS("vnclip"))
        *r = saturate(m, round_off(m, extend(a, 2 * bits, true), shift2), bits, true);
    else
        return false;
    return true;
}

/* 11.12 to 11.14 and 11.2; results have twice SEW bits. */
static bool widening(const char *op, unsigned bits, bool a_is_wide, uint64_t a, uint64_t b,
                     uint64_t c, uint64_t *r)
{
    unsigned abits = a_is_wide ? 2 * bits : bits;
    wide ua = a, ub = b, sa = extend(a, abits, true), sb = extend(b, bits, true);

    if (IS("vwaddu"))
        *r = ua + ub;
    else if (IS("vwadd"))
        *r = sa + sb;
    else if (IS("vwsubu"))
        *r = ua - ub;
    else if (IS("vwsub"))
        *r = sa - sb;
    else if (IS("vwmulu"))
        *r = ua * ub;
    else if (IS("vwmul"))
        *r = sa * sb;
    else if (IS("vwmulsu"))
        *r = sa * ub; /* signed vs2 */
    else if (IS("vwmaccu"))
        *r = ua * ub + c;
    else if (IS("vwmacc"))
        *r = sa * sb + c;
    else if (IS("vwmaccsu"))
        *r = ua * sb + c; /* signed vs1 */
    else if (IS("vwmaccus"))
        *r = sa * ub + c; /* unsigned vs1 */
    else
        return false;
    return true;
}

/* 11.11: as M has it */
static uint64_t divide(const char *op, wide a, wide b, wide lowest)
{
    bool rem = strstr(op, "rem");

    if (!b)
        return rem ? a : -1;
    if (a == lowest && b == -1)
        return rem ? 0 : a;
    return rem ? a % b : a / b;
}

static bool multiply(const char *op, unsigned bits, wide ua, wide ub, wide uc, wide sa, wide sb,
                     uint64_t *r)
{
    if (IS("vmul"))
        *r = (unsigned __int128)ua * ub;
    else if (IS("vmulh"))
        *r = (sa * sb) >> bits;
    else if (IS("vmulhu"))
        *r = ((unsigned __int128)ua * ub) >> bits;
    else if (IS("vmulhsu"))
        *r = (sa * ub) >> bits;
    else if (IS("vmacc"))
        *r = (uint64_t)ub * (uint64_t)ua + (uint64_t)uc;
    else if (IS("vnmsac"))
        *r = -((uint64_t)ub * (uint64_t)ua) + (uint64_t)uc;
    else if (IS("vmadd"))
        *r = (uint64_t)ub * (uint64_t)uc + (uint64_t)ua;
    else if (IS("vnmsub"))
        *r = -((uint64_t)ub * (uint64_t)uc) + (uint64_t)ua;
    else if (IS("vdivu") || IS("vremu"))
        *r = divide(op, ua, ub, -1);
    else if (IS("vdiv") || IS("vrem"))
        *r = divide(op, sa, sb, -((wide)1 << (bits - 1)));
    else
        return false;
    return true;
}

/* 11.8, 11.4: results that are masks */
static bool compare(const char *op, unsigned bits, wide ua, wide ub, wide sa, wide sb, bool carry,
                    uint64_t *r)
{
    if (IS("vmseq"))
        *r = ua == ub;
    else if (IS("vmsne"))
        *r = ua != ub;
    else if (IS("vmsltu"))
        *r = ua < ub;
    else if (IS("vmslt"))
        *r = sa < sb;
    else if (IS("vmsleu"))
        *r = ua <= ub;
    else if (IS("vmsle"))
        *r = sa <= sb;
    else if (IS("vmsgtu"))
        *r = ua > ub;
    else if (IS("vmsgt"))
        *r = sa > sb;
    else if (IS("vmadc"))
        *r = (ua + ub + carry) >> bits & 1;
    else if (IS("vmsbc"))
        *r = ua - ub - carry < 0;
    else
        return false;
    return true;
}

bool vmodel_int(struct vmodel *m, const char *op, unsigned bits, uint64_t a, uint64_t b, uint64_t c,
                bool carry, uint64_t *r)
{
    wide ua = a, ub = b, sa = extend(a, bits, true), sb = extend(b, bits, true);
    unsigned shift = b & (bits - 1), shift2 = b & (2 * bits - 1);

    if (IS("vadd"))
        *r = ua + ub;
    else if (IS("vsub"))
        *r = ua - ub;
    else if (IS("vrsub"))
        *r = ub - ua;
    else if (IS("vadc"))
        *r = ua + ub + carry;
    else if (IS("vsbc"))
        *r = ua - ub - carry;
    else if (IS("vminu"))
        *r = ua < ub ? ua : ub;
    else if (IS("vmin"))
        *r = sa < sb ? sa : sb;
    else if (IS("vmaxu"))
        *r = ua > ub ? ua : ub;
    else if (IS("vmax"))
        *r = sa > sb ? sa : sb;
    else if (IS("vand"))
        *r = a & b;
    else if (IS("vor"))
        *r = a | b;
    else if (IS("vxor"))
        *r = a ^ b;
    else if (IS("vsll"))
        *r = ua << shift;
    else if (IS("vsrl"))
        *r = ua >> shift;
    else if (IS("vsra"))
        *r = sa >> shift;
    else if (IS("vnsrl"))
        *r = ua >> shift2;
    else if (IS("vnsra"))
        *r = extend(a, 2 * bits, true) >> shift2;
    else if (IS("vmv"))
        *r = b;
    else if (IS("vmerge") || IS("vfmerge"))
        *r = carry ? b : a;
    else if (!strncmp(op, "vw", 2))
        return widening(op, bits, carry, a, b, c, r);
    else
        return multiply(op, bits, ua, ub, c, sa, sb, r) ||
               compare(op, bits, ua, ub, sa, sb, carry, r) || fixed(m, op, bits, a, b, r);
    return true;
}

/* ---- Floating point ---- */

/* One of the functions of tcg/softfp.h by the format of @bits. */
#define FP(fn, ...)                              \
    (bits == 16   ? fp_f16_##fn(&e, __VA_ARGS__) \
     : bits == 32 ? fp_f32_##fn(&e, __VA_ARGS__) \
                  : fp_f64_##fn(&e, __VA_ARGS__))

static bool float_compare(struct fp_env *env, const char *op, unsigned bits, uint64_t a, uint64_t b,
                          uint64_t *r)
{
    struct fp_env e = *env;
    bool known = true;

    if (IS("vmfeq"))
        *r = FP(eq, a, b);
    else if (IS("vmfne"))
        *r = !FP(eq, a, b);
    else if (IS("vmflt"))
        *r = FP(lt, a, b);
    else if (IS("vmfle"))
        *r = FP(le, a, b);
    else if (IS("vmfgt"))
        *r = FP(lt, b, a);
    else if (IS("vmfge"))
        *r = FP(le, b, a);
    else
        known = false;
    *env = e;
    return known;
}

static uint64_t widen(struct fp_env *env, unsigned bits, uint64_t a)
{
    return bits == 16 ? fp_f16_to_f32(env, a) : fp_f32_to_f64(env, a);
}

/* 13.3, 13.5, 13.7: operands of twice the width already where @op is a widening one */
static bool float_widening(struct fp_env *env, const char *op, unsigned bits, bool a_is_wide,
                           uint64_t a, uint64_t b, uint64_t c, uint64_t *r)
{
    struct fp_env e = *env;
    bool known = true;

    a = a_is_wide ? a : widen(&e, bits, a);
    b = widen(&e, bits, b);
    bits *= 2;
    if (IS("vfwadd"))
        *r = FP(add, a, b);
    else if (IS("vfwsub"))
        *r = FP(sub, a, b);
    else if (IS("vfwmul"))
        *r = FP(mul, a, b);
    else if (IS("vfwmacc"))
        *r = FP(fma, b, a, c, 0);
    else if (IS("vfwnmacc"))
        *r = FP(fma, b, a, c, FP_FMA_NEG_PRODUCT | FP_FMA_NEG_ADDEND);
    else if (IS("vfwmsac"))
        *r = FP(fma, b, a, c, FP_FMA_NEG_ADDEND);
    else if (IS("vfwnmsac"))
        *r = FP(fma, b, a, c, FP_FMA_NEG_PRODUCT);
    else
        known = false;
    *env = e;
    return known;
}

static bool float_fma(struct fp_env *env, const char *op, unsigned bits, uint64_t a, uint64_t b,
                      uint64_t c, uint64_t *r)
{
    struct fp_env e = *env;
    bool known = true;

    if (IS("vfmacc"))
        *r = FP(fma, b, a, c, 0);
    else if (IS("vfnmacc"))
        *r = FP(fma, b, a, c, FP_FMA_NEG_PRODUCT | FP_FMA_NEG_ADDEND);
    else if (IS("vfmsac"))
        *r = FP(fma, b, a, c, FP_FMA_NEG_ADDEND);
    else if (IS("vfnmsac"))
        *r = FP(fma, b, a, c, FP_FMA_NEG_PRODUCT);
    else if (IS("vfmadd"))
        *r = FP(fma, b, c, a, 0);
    else if (IS("vfnmadd"))
        *r = FP(fma, b, c, a, FP_FMA_NEG_PRODUCT | FP_FMA_NEG_ADDEND);
    else if (IS("vfmsub"))
        *r = FP(fma, b, c, a, FP_FMA_NEG_ADDEND);
    else if (IS("vfnmsub"))
        *r = FP(fma, b, c, a, FP_FMA_NEG_PRODUCT);
    else
        known = false;
    *env = e;
    return known;
}

/* The class function has no environment. */
static uint64_t classify(unsigned bits, uint64_t a)
{
    return bits == 16 ? fp_f16_class(a) : bits == 32 ? fp_f32_class(a) : fp_f64_class(a);
}

bool vmodel_float(struct vmodel *m, const char *op, unsigned bits, uint64_t a, uint64_t b,
                  uint64_t c, uint64_t *r)
{
    struct fp_env e = { .round = m->frm };
    uint64_t sign = 1ULL << (bits - 1);
    bool known = true;

    if (IS("vfadd"))
        *r = FP(add, a, b);
    else if (IS("vfsub"))
        *r = FP(sub, a, b);
    else if (IS("vfrsub"))
        *r = FP(sub, b, a);
    else if (IS("vfmul"))
        *r = FP(mul, a, b);
    else if (IS("vfdiv"))
        *r = FP(div, a, b);
    else if (IS("vfrdiv"))
        *r = FP(div, b, a);
    else if (IS("vfmin"))
        *r = FP(minmax, a, b, FP_MINMAX_NUMBER);
    else if (IS("vfmax"))
        *r = FP(minmax, a, b, FP_MINMAX_NUMBER | FP_MINMAX_MAX);
    else if (IS("vfsgnj"))
        *r = (a & (sign - 1)) + (b & sign);
    else if (IS("vfsgnjn"))
        *r = (a & (sign - 1)) + (~b & sign);
    else if (IS("vfsgnjx"))
        *r = (a & (sign - 1)) + ((a & sign) ^ (b & sign));
    else if (IS("vfsqrt"))
        *r = FP(sqrt, a);
    else if (IS("vfrsqrt7"))
        *r = FP(rsqrt7, a);
    else if (IS("vfrec7"))
        *r = FP(rec7, a);
    else if (IS("vfclass"))
        *r = classify(bits, a);
    else
        known = float_compare(&e, op, bits, a, b, r) || float_fma(&e, op, bits, a, b, c, r);
    m->fflags |= e.flags & 0x1f;
    return known;
}

bool vmodel_float_wide(struct vmodel *m, const char *op, unsigned bits, bool a_is_wide, uint64_t a,
                       uint64_t b, uint64_t c, uint64_t *r)
{
    struct fp_env e = { .round = m->frm };
    bool known = float_widening(&e, op, bits, a_is_wide, a, b, c, r);

    m->fflags |= e.flags & 0x1f;
    return known;
}

static uint64_t float_to_float(struct fp_env *env, unsigned from, unsigned to, uint64_t a)
{
    if (from < to)
        return widen(env, from, a);
    return to == 16 ? fp_f32_to_f16(env, a) : fp_f64_to_f32(env, a);
}

static uint64_t from_int(struct fp_env *env, unsigned bits, wide v)
{
    struct fp_env e = *env;
    uint64_t r = v < 0 ? (uint64_t)FP(from_int, (int64_t)v) : (uint64_t)FP(from_uint, (uint64_t)v);

    *env = e;
    return r;
}

static uint64_t to_int(struct fp_env *env, unsigned bits, unsigned to, bool is_signed, uint64_t a)
{
    struct fp_env e = *env;
    enum fp_round round = env->round;
    uint64_t r = is_signed ? (uint64_t)FP(to_int, a, round, to) : FP(to_uint, a, round, to);

    *env = e;
    return r;
}

/* "vfncvt.rtz.xu.f.w": to what, from what */
bool vmodel_convert(struct vmodel *m, const char *name, unsigned from, unsigned to, uint64_t a,
                    uint64_t *r)
{
    struct fp_env e = { .round = strstr(name, ".rtz.")   ? FP_RTZ
                                 : strstr(name, ".rod.") ? FP_ROD
                                                         : (enum fp_round)m->frm };

    if (strstr(name, ".f.f"))
        *r = float_to_float(&e, from, to, a);
    else if (strstr(name, ".f.xu"))
        *r = from_int(&e, to, a);
    else if (strstr(name, ".f.x"))
        *r = from_int(&e, to, extend(a, from, true));
    else
        *r = to_int(&e, from, to, !strstr(name, ".xu.f"), a);
    m->fflags |= e.flags & 0x1f;
    return true;
}
