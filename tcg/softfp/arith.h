/*
 * Add, multiply, divide, square root, fused multiply-add and remainder on unpacked numbers.
 *
 * Each fp_X() takes operands and gives the result as bits of format f. Cases with NaNs, infinities
 * and zeros come first and follow IEEE 754-2019, clauses 6 and 7; the rest computes a significand
 * of which every bit below the format's last is either exact or gathered in a sticky bit, and
 * rounds once.
 */
#ifndef SOFTFP_ARITH_H
#define SOFTFP_ARITH_H

#include "round.h"

/* |a| + |b| with a's sign; both finite, a.exp >= b.exp. */
FP_INLINE struct fp_num fp_add_magnitudes(struct fp_num a, struct fp_num b, bool narrow)
{
    bool carry;

    fp_shift_right(&b, a.exp - b.exp, narrow);
    if (narrow) {
        carry = __builtin_add_overflow(a.hi, b.hi, &a.hi);
    } else {
        fp_u128 s;

        carry = __builtin_add_overflow(fp_sig(a), fp_sig(b), &s);
        fp_set_sig(&a, s);
    }
    if (carry) {
        fp_shift_right(&a, 1, narrow);
        a.hi |= 1ull << 63;
        a.exp++;
    }
    return a;
}

/*
 * |a| - |b| with a's sign, or b's opposite if that is negative; both finite, a.exp >= b.exp. The
 * sticky bit of b is harmless: it can be set only for a distance of more than the spare bits below
 * the last one that counts, when normalising moves by one bit at most.
 */
FP_INLINE struct fp_num fp_sub_magnitudes(struct fp_num a, struct fp_num b, bool narrow)
{
    fp_shift_right(&b, a.exp - b.exp, narrow);
    if (narrow) {
        if (a.hi < b.hi) {
            a.sign = !a.sign;
            a.hi = b.hi - a.hi;
        } else {
            a.hi -= b.hi;
        }
    } else {
        fp_u128 s = fp_sig(a), t = fp_sig(b);

        a.sign ^= s < t;
        fp_set_sig(&a, s < t ? t - s : s - t);
    }
    if (!a.hi && (narrow || !a.lo)) {
        a.kind = FPK_ZERO;
    } else {
        fp_normalise(&a, narrow);
    }
    return a;
}

/* a + b, both finite and not zero, before rounding; an exact zero is +0, or -0 rounding down (6.3).
 */
FP_INLINE struct fp_num fp_sum(const struct fp_env *env, struct fp_num a, struct fp_num b,
                               bool narrow)
{
    struct fp_num r;

    if (a.exp < b.exp) {
        r = a;
        a = b;
        b = r;
    }
    if (a.sign == b.sign) {
        return fp_add_magnitudes(a, b, narrow);
    }
    r = fp_sub_magnitudes(a, b, narrow);
    if (r.kind == FPK_ZERO) {
        r.sign = env->round == FP_RDN;
    }
    return r;
}

/* a + b where at least one is zero or infinite and none is a NaN. */
FP_INLINE fp_u128 fp_add_special(const struct fp_format *f, struct fp_env *env, struct fp_num a,
                                 struct fp_num b)
{
    if (a.kind == FPK_INF && b.kind == FPK_INF && a.sign != b.sign) {
        return fp_invalid(f, env);
    }
    fp_note_denormals(env, a, b);
    if (a.kind == FPK_INF || b.kind == FPK_INF) {
        return fp_pack_inf(f, a.kind == FPK_INF ? a.sign : b.sign);
    }
    if (a.kind == FPK_ZERO && b.kind == FPK_ZERO) {
        return fp_pack_zero(f, a.sign == b.sign ? a.sign : env->round == FP_RDN);
    }
    return fp_round_pack(f, env, a.kind == FPK_ZERO ? b : a);
}

/* a + b, or a - b with `negate`, which leaves a NaN b alone. */
FP_INLINE fp_u128 fp_add(const struct fp_format *f, struct fp_env *env, fp_u128 x, fp_u128 y,
                         bool negate)
{
    struct fp_num a = fp_unpack(f, env, x), b = fp_unpack(f, env, y);

    if (FP_UNLIKELY(a.kind | b.kind)) {
        if (fp_is_nan(a) || fp_is_nan(b)) {
            return fp_propagate_nan(f, env, a, b);
        }
        b.sign ^= negate;
        return fp_add_special(f, env, a, b);
    }
    fp_note_denormals(env, a, b);
    b.sign ^= negate;
    a = fp_sum(env, a, b, fp_narrow(f));
    if (FP_UNLIKELY(a.kind)) {
        return fp_pack_zero(f, a.sign);
    }
    return fp_round_pack(f, env, a);
}

/* The upper 128 bits of s * t, the lower ones gathered in the last. */
FP_INLINE fp_u128 fp_mul_high(fp_u128 s, fp_u128 t)
{
    uint64_t s1 = s >> 64, s0 = (uint64_t)s, t1 = t >> 64, t0 = (uint64_t)t;
    fp_u128 low = (fp_u128)s0 * t0, m1 = (fp_u128)s1 * t0, m2 = (fp_u128)s0 * t1;
    fp_u128 mid = (low >> 64) + (uint64_t)m1 + (uint64_t)m2;
    fp_u128 high = (fp_u128)s1 * t1 + (m1 >> 64) + (m2 >> 64) + (mid >> 64);

    return high | ((uint64_t)mid || (uint64_t)low);
}

/* |a| * |b|, both finite; for narrow formats hi:lo is the exact product. */
FP_INLINE struct fp_num fp_product(struct fp_num a, struct fp_num b, bool narrow)
{
    fp_u128 s = narrow ? (fp_u128)a.hi * b.hi : fp_mul_high(fp_sig(a), fp_sig(b));
    bool top = s >> 127;

    a.exp += b.exp + top;
    fp_set_sig(&a, top ? s : s << 1);
    return a;
}

/* a * b where at least one is zero or infinite and none is a NaN. */
FP_INLINE fp_u128 fp_mul_special(const struct fp_format *f, struct fp_env *env, struct fp_num a,
                                 struct fp_num b)
{
    bool inf = a.kind == FPK_INF || b.kind == FPK_INF;

    if (inf && (a.kind == FPK_ZERO || b.kind == FPK_ZERO)) {
        return fp_invalid(f, env);
    }
    fp_note_denormals(env, a, b);
    return inf ? fp_pack_inf(f, a.sign ^ b.sign) : fp_pack_zero(f, a.sign ^ b.sign);
}

FP_INLINE fp_u128 fp_mul(const struct fp_format *f, struct fp_env *env, fp_u128 x, fp_u128 y)
{
    struct fp_num a = fp_unpack(f, env, x), b = fp_unpack(f, env, y);

    if (FP_UNLIKELY(a.kind | b.kind)) {
        if (fp_is_nan(a) || fp_is_nan(b)) {
            return fp_propagate_nan(f, env, a, b);
        }
        return fp_mul_special(f, env, a, b);
    }
    fp_note_denormals(env, a, b);
    a.sign ^= b.sign;
    a = fp_product(a, b, fp_narrow(f));
    if (fp_narrow(f)) {
        a.hi |= a.lo != 0;
        a.lo = 0;
    }
    return fp_round_pack(f, env, a);
}

/*
 * One digit to base 2^64 of a division: floor(*rem * 2^64 / d), with *rem < d, d's top bit set.
 * What remains replaces *rem. The estimate from d's upper half is too large by at most two.
 */
FP_INLINE uint64_t fp_divide_digit(fp_u128 *rem, fp_u128 d)
{
    uint64_t d1 = d >> 64, d0 = (uint64_t)d;
    fp_u128 q = *rem / d1;
    fp_u128 r;

    if (q >> 64) {
        q = UINT64_MAX;
    }
    r = *rem - q * d1;
    while (!(r >> 64) && r << 64 < q * d0) {
        q--;
        r += d1;
    }
    *rem = (r << 64) - q * d0;
    return (uint64_t)q;
}

/* |a| / |b|, both finite. */
FP_INLINE struct fp_num fp_quotient(struct fp_num a, struct fp_num b, bool narrow)
{
    if (narrow) {
        bool below = a.hi < b.hi;
        fp_u128 n = (fp_u128)a.hi << (63 + below);

        a.exp -= b.exp + below;
        a.hi = (uint64_t)(n / b.hi);
        a.hi |= (uint64_t)n != (uint64_t)(a.hi * b.hi);
    } else {
        fp_u128 rem = fp_sig(a), d = fp_sig(b), q;
        bool below = rem < d;

        a.exp -= b.exp + below;
        rem -= below ? 0 : d;
        q = (fp_u128)fp_divide_digit(&rem, d) << 64;
        q |= fp_divide_digit(&rem, d);
        if (!below) { /* q is the fraction behind an integer bit */
            rem |= q & 1;
            q = q >> 1 | (fp_u128)1 << 127;
        }
        fp_set_sig(&a, q | (rem != 0));
    }
    return a;
}

FP_INLINE fp_u128 fp_div_special(const struct fp_format *f, struct fp_env *env, struct fp_num a,
                                 struct fp_num b)
{
    bool sign = a.sign ^ b.sign;

    if (a.kind == b.kind) { /* 0 / 0, inf / inf */
        return fp_invalid(f, env);
    }
    if (b.kind == FPK_ZERO && a.kind == FPK_FINITE) {
        env->flags |= FP_FLAG_DZ;
        return fp_pack_inf(f, sign);
    }
    fp_note_denormals(env, a, b);
    if (a.kind == FPK_INF || b.kind == FPK_ZERO) {
        return fp_pack_inf(f, sign);
    }
    return fp_pack_zero(f, sign);
}

FP_INLINE fp_u128 fp_div(const struct fp_format *f, struct fp_env *env, fp_u128 x, fp_u128 y)
{
    struct fp_num a = fp_unpack(f, env, x), b = fp_unpack(f, env, y);

    if (FP_UNLIKELY(a.kind | b.kind)) {
        if (fp_is_nan(a) || fp_is_nan(b)) {
            return fp_propagate_nan(f, env, a, b);
        }
        return fp_div_special(f, env, a, b);
    }
    fp_note_denormals(env, a, b);
    a.sign ^= b.sign;
    return fp_round_pack(f, env, fp_quotient(a, b, fp_narrow(f)));
}

/* floor(sqrt(n)) for n >= 2^30, bit by bit. */
FP_INLINE uint64_t fp_root32(uint32_t n)
{
    uint32_t root = 0;

    for (uint32_t bit = 1u << 15; bit; bit >>= 1) {
        uint32_t t = root | bit;

        root = t * t <= n ? t : root;
    }
    return root;
}

/*
 * Doubles the digits of a square root (P. Zimmermann, "Karatsuba Square Root", 1999): with s, r the
 * root and remainder of the upper half of n, the next digits are about (r * base + next) / 2s, too
 * large by at most one. fp_root64() takes n >= 2^62, fp_root128() n >= 2^126.
 */
FP_INLINE uint64_t fp_root64(uint64_t n, uint64_t *rem)
{
    uint64_t s = fp_root32(n >> 32), r = (n >> 32) - s * s;
    uint64_t t = r << 16 | (n >> 16 & 0xffff), q = t / (2 * s), u = t % (2 * s);
    uint64_t left = u << 16 | (n & 0xffff);

    s = (s << 16) + q;
    if (left < q * q) {
        left += 2 * s - 1;
        s--;
    }
    *rem = left - q * q;
    return s;
}

FP_INLINE uint64_t fp_root128(fp_u128 n, fp_u128 *rem)
{
    uint64_t r, s = fp_root64(n >> 64, &r);
    fp_u128 t = (fp_u128)r << 32 | (n >> 32 & 0xffffffff);
    fp_u128 q = t / (2 * s), left = (t - q * 2 * s) << 32 | (n & 0xffffffff);
    fp_u128 root = ((fp_u128)s << 32) + q;

    if (left < q * q) {
        left += 2 * root - 1;
        root--;
    }
    *rem = left - q * q;
    return (uint64_t)root;
}

/*
 * The same once more, for n * 2^128: floor of the root, its last bit also set if that is not exact.
 * The quotient is taken by s instead of 2s, so that the dividend fits.
 */
FP_INLINE fp_u128 fp_root256(fp_u128 n)
{
    fp_u128 r, q, u;
    uint64_t s = fp_root128(n, &r);

    if (!r) {
        return (fp_u128)s << 64;
    }
    q = (r << 63) / s;
    u = ((r << 63) - q * s) << 1;
    if (q >> 64) { /* the true digit is the largest one, and the root is not exact */
        return ((fp_u128)s << 64) | UINT64_MAX;
    }
    if (!(u >> 64) && u << 64 < q * q) {
        q--;
    }
    return (((fp_u128)s << 64) + q) | 1;
}

FP_INLINE fp_u128 fp_sqrt(const struct fp_format *f, struct fp_env *env, fp_u128 x)
{
    struct fp_num a = fp_unpack(f, env, x);
    fp_u128 n, rem;

    if (fp_is_nan(a)) {
        return fp_propagate_nan(f, env, a, a);
    }
    if (a.kind == FPK_ZERO) {
        return fp_pack_zero(f, a.sign);
    }
    if (a.sign) {
        return fp_invalid(f, env);
    }
    if (a.kind == FPK_INF) {
        return fp_pack_inf(f, false);
    }
    fp_note_denormals(env, a, a);
    n = fp_sig(a) >> !(a.exp & 1); /* the radicand times 2^126 or, exponent made even, 2^127 */
    a.exp >>= 1;
    if (fp_narrow(f)) {
        a.hi = fp_root128(n, &rem);
        a.hi |= rem != 0;
    } else {
        fp_set_sig(&a, fp_root256(n));
    }
    return fp_round_pack(f, env, a);
}

/* The NaN result of a fused multiply-add with at least one NaN operand. */
FP_INLINE fp_u128 fp_fma_nan(const struct fp_format *f, struct fp_env *env, struct fp_num a,
                             struct fp_num b, struct fp_num c)
{
    bool inf_zero =
        (a.kind == FPK_INF && b.kind == FPK_ZERO) || (a.kind == FPK_ZERO && b.kind == FPK_INF);
    struct fp_num first = env->nan == FP_NAN_ARM ? c : a;
    struct fp_num second = env->nan == FP_NAN_ARM ? a : b;
    struct fp_num third = env->nan == FP_NAN_ARM ? b : c;

    /* inf * 0 + qNaN: 754 leaves it open; invalid on RISC-V (F, 11.6) and Arm (FPMulAdd), not x86
     */
    if (inf_zero && env->nan != FP_NAN_X86) {
        if (env->nan == FP_NAN_DEFAULT || c.kind == FPK_QNAN) {
            return fp_invalid(f, env);
        }
    }
    if (third.kind >= FPK_SNAN) {
        env->flags |= FP_FLAG_NV;
    }
    /* of the last two, the one that would win alone against a first that is no NaN */
    if (!fp_is_nan(second) ||
        (env->nan == FP_NAN_ARM && third.kind == FPK_SNAN && second.kind != FPK_SNAN)) {
        second = third;
    }
    return fp_propagate_nan(f, env, first, second);
}

/* a * b + c, no NaN among them, at least one zero or infinity. */
FP_INLINE fp_u128 fp_fma_special(const struct fp_format *f, struct fp_env *env, struct fp_num a,
                                 struct fp_num b, struct fp_num c)
{
    bool inf = a.kind == FPK_INF || b.kind == FPK_INF;
    bool zero = a.kind == FPK_ZERO || b.kind == FPK_ZERO;
    struct fp_num p = { .kind = inf ? FPK_INF : FPK_ZERO, .sign = a.sign ^ b.sign };

    if (inf && zero) {
        return fp_invalid(f, env);
    }
    if (inf || zero) {
        p.denormal = a.denormal || b.denormal;
        return fp_add_special(f, env, p, c);
    }
    fp_note_denormals(env, a, b);
    if (c.kind == FPK_INF) {
        fp_note_denormals(env, c, c);
        return fp_pack_inf(f, c.sign);
    }
    p = fp_product(a, b, true); /* c is zero */
    p.sign = a.sign ^ b.sign;
    p.hi |= p.lo != 0;
    p.lo = 0;
    return fp_round_pack(f, env, p);
}

/* Narrow formats only: their product is exact in 128 bits, to which the addend is aligned. */
FP_INLINE fp_u128 fp_fma(const struct fp_format *f, struct fp_env *env, fp_u128 x, fp_u128 y,
                         fp_u128 z, unsigned op)
{
    struct fp_num a = fp_unpack(f, env, x), b = fp_unpack(f, env, y), c = fp_unpack(f, env, z);

    if (FP_UNLIKELY(a.kind | b.kind | c.kind)) {
        if (fp_is_nan(a) || fp_is_nan(b) || fp_is_nan(c)) {
            return fp_fma_nan(f, env, a, b, c);
        }
        a.sign ^= !!(op & FP_FMA_NEG_PRODUCT);
        c.sign ^= !!(op & FP_FMA_NEG_ADDEND);
        return fp_fma_special(f, env, a, b, c);
    }
    fp_note_denormals(env, a, b);
    fp_note_denormals(env, c, c);
    a.sign ^= b.sign ^ !!(op & FP_FMA_NEG_PRODUCT);
    c.sign ^= !!(op & FP_FMA_NEG_ADDEND);
    a = fp_sum(env, fp_product(a, b, true), c, false);
    if (FP_UNLIKELY(a.kind)) {
        return fp_pack_zero(f, a.sign);
    }
    a.hi |= a.lo != 0;
    a.lo = 0;
    return fp_round_pack(f, env, a);
}

/* a minus b times their quotient rounded to nearest even, or towards zero; both finite. */
FP_INLINE struct fp_num fp_remainder(struct fp_num a, struct fp_num b, bool trunc, uint64_t *q)
{
    fp_u128 r = fp_sig(a) >> 1, d = fp_sig(b) >> 1; /* below their last bits there are spare ones */
    int n = a.exp - b.exp;

    *q = 0;
    if (n < -1 || (n < 0 && trunc)) {
        return a;
    }
    for (r = n < 0 ? r >> 1 : r; n >= 0; n--) {
        bool fits = r >= d;

        *q = *q << 1 | fits;
        r = (fits ? r - d : r) << (n > 0);
    }
    if (!trunc && (r << 1 > d || (r << 1 == d && *q & 1))) {
        r = d - r;
        a.sign = !a.sign;
        ++*q;
    }
    a.exp = b.exp + 1;
    fp_set_sig(&a, r);
    if (!r) {
        a.kind = FPK_ZERO;
    } else {
        fp_normalise(&a, false);
    }
    return a;
}

FP_INLINE fp_u128 fp_rem(const struct fp_format *f, struct fp_env *env, fp_u128 x, fp_u128 y,
                         bool trunc, uint64_t *quotient)
{
    struct fp_num a = fp_unpack(f, env, x), b = fp_unpack(f, env, y);
    uint64_t q = 0;

    if (!quotient) {
        quotient = &q;
    }
    *quotient = 0;
    if (fp_is_nan(a) || fp_is_nan(b)) {
        return fp_propagate_nan(f, env, a, b);
    }
    if (a.kind == FPK_INF || b.kind == FPK_ZERO) {
        return fp_invalid(f, env);
    }
    fp_note_denormals(env, a, b);
    if (a.kind == FPK_FINITE && b.kind == FPK_FINITE) {
        a = fp_remainder(a, b, trunc, quotient);
    }
    return fp_round_pack_full(f, env, a);
}

#endif
