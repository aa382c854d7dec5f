/*
 * Comparison, classification, and conversion between formats and integers.
 */
#ifndef SOFTFP_CONVERT_H
#define SOFTFP_CONVERT_H

#include "round.h"

/* Orders two numbers that are not NaNs; zeros are equal (IEEE 754-2019, 5.11). */
FP_INLINE enum fp_relation fp_order(struct fp_num a, struct fp_num b)
{
    enum fp_relation larger = a.sign ? FP_GREATER : FP_LESS; /* if |b| is larger */

    if (a.kind == FPK_ZERO && b.kind == FPK_ZERO) {
        return FP_EQUAL;
    }
    if (a.kind == FPK_ZERO) {
        return b.sign ? FP_GREATER : FP_LESS;
    }
    if (b.kind == FPK_ZERO || a.sign != b.sign) {
        return a.sign ? FP_LESS : FP_GREATER;
    }
    if (a.kind != b.kind) {
        return b.kind == FPK_INF ? larger : -larger;
    }
    if (a.kind == FPK_INF) {
        return FP_EQUAL;
    }
    if (a.exp != b.exp) {
        return a.exp < b.exp ? larger : -larger;
    }
    return fp_sig(a) == fp_sig(b) ? FP_EQUAL : fp_sig(a) < fp_sig(b) ? larger : -larger;
}

FP_INLINE enum fp_relation fp_compare(const struct fp_format *f, struct fp_env *env, fp_u128 x,
                                      fp_u128 y, bool signalling)
{
    struct fp_num a = fp_unpack(f, env, x), b = fp_unpack(f, env, y);

    if (fp_is_nan(a) || fp_is_nan(b)) {
        if (signalling || a.kind >= FPK_SNAN || b.kind >= FPK_SNAN) {
            env->flags |= FP_FLAG_NV;
        }
        return FP_UNORDERED;
    }
    fp_note_denormals(env, a, b);
    return fp_order(a, b);
}

FP_INLINE fp_u128 fp_minmax(const struct fp_format *f, struct fp_env *env, fp_u128 x, fp_u128 y,
                            unsigned op)
{
    struct fp_num a = fp_unpack(f, env, x), b = fp_unpack(f, env, y);
    bool snan = a.kind >= FPK_SNAN || b.kind >= FPK_SNAN, first;

    if (fp_is_nan(a) || fp_is_nan(b)) {
        if (!(op & FP_MINMAX_NUMBER) || (fp_is_nan(a) && fp_is_nan(b)) ||
            (snan && op & FP_MINMAX_SNAN_WINS)) {
            return fp_propagate_nan(f, env, a, b);
        }
        env->flags |= snan ? FP_FLAG_NV : 0;
        first = fp_is_nan(b);
    } else {
        enum fp_relation rel = fp_order(a, b);

        fp_note_denormals(env, a, b);
        if (rel == FP_EQUAL) { /* they differ in the sign of zero, if at all */
            rel = a.sign ? FP_LESS : FP_GREATER;
        }
        first = (rel == FP_LESS) == !(op & FP_MINMAX_MAX);
    }
    if ((first ? a : b).kind == FPK_ZERO) { /* a denormal may have been taken as such */
        return fp_pack_zero(f, (first ? a : b).sign);
    }
    return first ? x : y;
}

FP_INLINE unsigned fp_classify(const struct fp_format *f, fp_u128 x)
{
    struct fp_env env = { 0 };
    struct fp_num a = fp_unpack(f, &env, x);

    switch (a.kind) {
    case FPK_ZERO: return a.sign ? FP_CLASS_NEG_ZERO : FP_CLASS_POS_ZERO;
    case FPK_INF: return a.sign ? FP_CLASS_NEG_INF : FP_CLASS_POS_INF;
    case FPK_QNAN: return FP_CLASS_QNAN;
    case FPK_SNAN:
    case FPK_UNSUPPORTED: return FP_CLASS_SNAN;
    default: break;
    }
    if (a.denormal) {
        return a.sign ? FP_CLASS_NEG_DENORMAL : FP_CLASS_POS_DENORMAL;
    }
    return a.sign ? FP_CLASS_NEG_NORMAL : FP_CLASS_POS_NORMAL;
}

/* From format `from` to format `to`. */
FP_INLINE fp_u128 fp_convert(const struct fp_format *to, const struct fp_format *from,
                             struct fp_env *env, fp_u128 x)
{
    struct fp_num a = fp_unpack(from, env, x);

    if (FP_UNLIKELY(fp_is_nan(a))) {
        env->flags |= a.kind >= FPK_SNAN ? FP_FLAG_NV : 0;
        return fp_pack_nan(to, env, a);
    }
    fp_note_denormals(env, a, a);
    if (fp_narrow(to)) {
        a.hi |= a.lo != 0;
        a.lo = 0;
    }
    return fp_round_pack_full(to, env, a);
}

/* The magnitude of a finite number of exp < 126 as an integer, rounded in direction `round`. */
FP_INLINE fp_u128 fp_integer(struct fp_num a, unsigned round, unsigned *rest)
{
    if (a.exp >= 0) {
        return fp_round_sig(a, a.exp + 1, round, false, rest);
    }
    *rest = a.exp < -1 || fp_sig(a) << 1 ? FP_REST_STICKY : 0;
    *rest |= a.exp == -1 ? FP_REST_HALF : 0;
    return fp_round_up(round, a.sign, *rest);
}

FP_INLINE fp_u128 fp_rint(const struct fp_format *f, struct fp_env *env, fp_u128 x, unsigned round,
                          bool inexact)
{
    struct fp_num a = fp_unpack(f, env, x);
    unsigned rest;
    fp_u128 m;

    if (fp_is_nan(a)) {
        return fp_propagate_nan(f, env, a, a);
    }
    if (a.kind != FPK_FINITE || a.exp >= f->frac_bits) {
        return fp_round_pack_full(f, env, a);
    }
    m = fp_integer(a, round, &rest);
    if (inexact && fp_inexact(rest)) {
        env->flags |= FP_FLAG_NX;
    }
    if (!m) {
        return fp_pack_zero(f, a.sign);
    }
    a.exp = 127;
    fp_set_sig(&a, m);
    fp_normalise(&a, false);
    return fp_round_pack_full(f, env, a);
}

FP_INLINE fp_u128 fp_scale(const struct fp_format *f, struct fp_env *env, fp_u128 x, int n)
{
    struct fp_num a = fp_unpack(f, env, x);
    int limit = 4 << f->exp_bits; /* more than from the smallest denormal to overflow */

    if (fp_is_nan(a)) {
        return fp_propagate_nan(f, env, a, a);
    }
    fp_note_denormals(env, a, a);
    a.exp += n > limit ? limit : n < -limit ? -limit : n;
    return fp_round_pack_full(f, env, a);
}

/* What an integer of so many bits becomes when the value does not fit; `sign`: it was below the
 * range. */
FP_INLINE uint64_t fp_integer_invalid(struct fp_env *env, bool nan, bool sign, unsigned bits,
                                      bool is_signed)
{
    uint64_t max = UINT64_MAX >> (64 - bits + is_signed);

    env->flags |= FP_FLAG_NV;
    if (env->toint == FP_TOINT_X86) {
        return is_signed ? ~max : max;
    }
    if (nan) {
        return env->toint == FP_TOINT_ARM ? 0 : max;
    }
    return !sign ? max : is_signed ? ~max : 0;
}

FP_INLINE uint64_t fp_to_integer(const struct fp_format *f, struct fp_env *env, fp_u128 x,
                                 unsigned round, unsigned bits, bool is_signed)
{
    struct fp_num a = fp_unpack(f, env, x);
    unsigned rest;
    fp_u128 m, max;

    if (fp_is_nan(a)) {
        return fp_integer_invalid(env, true, false, bits, is_signed);
    }
    if (a.kind == FPK_ZERO) {
        return 0;
    }
    if (a.kind == FPK_INF || a.exp >= 64) {
        return fp_integer_invalid(env, false, a.sign, bits, is_signed);
    }
    m = fp_integer(a, round, &rest);
    max = UINT64_MAX >> (64 - bits + is_signed);
    if (a.sign) {
        max = is_signed ? max + 1 : 0;
    }
    if (m > max) {
        return fp_integer_invalid(env, false, a.sign, bits, is_signed);
    }
    if (fp_inexact(rest)) {
        env->flags |= FP_FLAG_NX;
    }
    return a.sign ? -(uint64_t)m : (uint64_t)m;
}

FP_INLINE fp_u128 fp_from_integer(const struct fp_format *f, struct fp_env *env, bool sign,
                                  uint64_t magnitude)
{
    struct fp_num a = { .sign = sign, .exp = 63, .hi = magnitude };

    if (!magnitude) {
        return fp_pack_zero(f, false);
    }
    fp_normalise(&a, true);
    return fp_round_pack_full(f, env, a);
}

#endif
