/*
 * Rounding: of a significand to so many bits, and of an unpacked number into a format.
 */
#ifndef SOFTFP_ROUND_H
#define SOFTFP_ROUND_H

#include "num.h"

/* What was cut off, and the last bit kept, as a number 0 to 7. */
#define FP_REST_STICKY 1u /* something below half a unit */
#define FP_REST_HALF   2u
#define FP_REST_ODD    4u

/*
 * Whether a magnitude with such a rest is to grow by one unit: bit `rest` of the entry. This is all
 * that rounding directions differ in (IEEE 754-2019, 4.3), apart from overflow.
 */
static const uint8_t fp_round_up_mask[6][2] = {
    [FP_RNE] = { 0xc8, 0xc8 },                            /* more than half, or half and odd */
    [FP_RTZ] = { 0x00, 0x00 }, [FP_RDN] = { 0x00, 0xee }, /* any rest, if negative */
    [FP_RUP] = { 0xee, 0x00 }, [FP_RMM] = { 0xcc, 0xcc }, /* half or more */
    [FP_ROD] = { 0x0e, 0x0e },                            /* any rest, if even */
};

FP_INLINE bool fp_round_up(unsigned round, bool sign, unsigned rest)
{
    return fp_round_up_mask[round][sign] >> rest & 1;
}

/* Inexact results have one of these. */
FP_INLINE bool fp_inexact(unsigned rest)
{
    return rest & (FP_REST_STICKY | FP_REST_HALF);
}

/*
 * The leading `keep` bits of a's significand as an integer, rounded in direction `round`; it may
 * have become 2^keep. 1 <= keep <= 126, and below 63 if narrow.
 */
FP_INLINE fp_u128 fp_round_sig(struct fp_num a, int keep, unsigned round, bool narrow,
                               unsigned *rest)
{
    if (narrow) {
        uint64_t kept = a.hi >> (64 - keep), low = a.hi << keep;

        *rest = (kept & 1) << 2 | low >> 63 << 1 | (low << 1 != 0);
        return kept + fp_round_up(round, a.sign, *rest);
    } else {
        fp_u128 s = fp_sig(a), kept = s >> (128 - keep), low = s << keep;

        *rest = (unsigned)(kept & 1) << 2 | (unsigned)(low >> 127) << 1 | (low << 1 != 0);
        return kept + fp_round_up(round, a.sign, *rest);
    }
}

/* How many bits results have: the format's, less where x87's precision control asks for it. */
FP_INLINE int fp_precision(const struct fp_format *f, const struct fp_env *env)
{
    if (f->explicit_bit && FP_UNLIKELY(env->f80_precision)) {
        return env->f80_precision;
    }
    return f->frac_bits + 1;
}

/* IEEE 754-2019, 7.4; to odd, the largest number is the odd neighbour. */
FP_INLINE fp_u128 fp_overflow(const struct fp_format *f, struct fp_env *env, bool sign)
{
    bool finite =
        env->round == FP_RTZ || env->round == FP_ROD || env->round == (sign ? FP_RUP : FP_RDN);

    env->flags |= FP_FLAG_OF | FP_FLAG_NX;
    return finite ? fp_pack_largest(f, sign, fp_precision(f, env)) : fp_pack_inf(f, sign);
}

/* The value m * 2^(e - bias - frac_bits), m below 2^(frac_bits + 1), as bits. */
FP_INLINE fp_u128 fp_pack_finite(const struct fp_format *f, bool sign, int e, fp_u128 m)
{
    if (f->explicit_bit) {
        return fp_pack_fields(f, sign, e ? e : (int)(m >> f->frac_bits), m);
    }
    /* the integer bit adds one to the exponent field, or makes it 1 if a denormal rounded up to it
     */
    return fp_pack_fields(f, sign, e ? e - 1 : 0, 0) + m;
}

/*
 * A finite number below the normal range. `tiny` in the sense of IEEE 754-2019, 7.5: judged on the
 * exact value, or on the value rounded as if exponents had no bounds.
 */
FP_INLINE fp_u128 fp_pack_denormal(const struct fp_format *f, struct fp_env *env, struct fp_num a)
{
    int keep = fp_precision(f, env), e = a.exp + fp_bias(f);
    bool narrow = fp_narrow(f), tiny = true;
    unsigned rest;
    fp_u128 m;

    if (env->flush == FP_FLUSH_ARM) {
        env->flags |= FP_FLAG_UF;
        return fp_pack_zero(f, a.sign);
    }
    if (!env->tiny_before && e == 0) {
        tiny = !(fp_round_sig(a, keep, env->round, narrow, &rest) >> keep);
    }
    if (tiny && env->flush == FP_FLUSH_X86) {
        env->flags |= FP_FLAG_UF | FP_FLAG_NX;
        return fp_pack_zero(f, a.sign);
    }
    fp_shift_right(&a, 1 - e, narrow);
    m = fp_round_sig(a, keep, env->round, narrow, &rest);
    if (fp_inexact(rest)) {
        env->flags |= tiny ? FP_FLAG_UF | FP_FLAG_NX : FP_FLAG_NX;
    }
    return fp_pack_finite(f, a.sign, 0, m << (f->frac_bits + 1 - keep));
}

/* Rounds a finite non-zero number into the format. */
FP_INLINE fp_u128 fp_round_pack(const struct fp_format *f, struct fp_env *env, struct fp_num a)
{
    int keep = fp_precision(f, env), e = a.exp + fp_bias(f);
    unsigned rest;
    fp_u128 m;

    if (FP_UNLIKELY(e < 1)) {
        return fp_pack_denormal(f, env, a);
    }
    m = fp_round_sig(a, keep, env->round, fp_narrow(f), &rest);
    if (FP_UNLIKELY(e + (int)(m >> keep) >= fp_exp_max(f))) {
        return fp_overflow(f, env, a.sign);
    }
    if (fp_inexact(rest)) {
        env->flags |= FP_FLAG_NX;
    }
    if (f->explicit_bit && m >> keep) {
        e++;
        m >>= 1;
    }
    return fp_pack_finite(f, a.sign, e, m << (f->frac_bits + 1 - keep));
}

/* The same for any number that is not a NaN, and not subject to x87's precision control. */
FP_INLINE fp_u128 fp_round_pack_full(const struct fp_format *f, struct fp_env *env, struct fp_num a)
{
    uint8_t precision = env->f80_precision;
    fp_u128 r;

    switch (a.kind) {
    case FPK_ZERO: return fp_pack_zero(f, a.sign);
    case FPK_INF: return fp_pack_inf(f, a.sign);
    default: break;
    }
    env->f80_precision = 0;
    r = fp_round_pack(f, env, a);
    env->f80_precision = precision;
    return r;
}

#endif
