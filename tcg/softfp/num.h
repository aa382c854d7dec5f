/*
 * The unpacked form that every operation works on, and the way into and out of it.
 *
 * A finite non-zero number is (-1)^sign * 2^exp * (hi:lo / 2^127) with the top bit of hi set; the
 * last bit doubles as sticky bit. Formats of up to 53 bits ("narrow") use only hi: lo is the
 * constant 0, which the compiler sees since everything here is inlined with a constant format, so
 * that they pay for 64-bit arithmetic only.
 */
#ifndef SOFTFP_NUM_H
#define SOFTFP_NUM_H

#include <tcg/softfp.h>

#define FP_INLINE      static inline __attribute__((always_inline))
#define FP_LIKELY(x)   __builtin_expect(!!(x), 1)
#define FP_UNLIKELY(x) __builtin_expect(!!(x), 0)

struct fp_format {
    int exp_bits;
    int frac_bits;     /* without the integer bit */
    bool explicit_bit; /* the integer bit is stored (x87) */
};

static const struct fp_format fp_format_f16 = { 5, 10, false };
static const struct fp_format fp_format_bf16 = { 8, 7, false };
static const struct fp_format fp_format_f32 = { 8, 23, false };
static const struct fp_format fp_format_f64 = { 11, 52, false };
static const struct fp_format fp_format_f80 = { 15, 63, true };
static const struct fp_format fp_format_f128 = { 15, 112, false };

enum fp_kind {
    FPK_FINITE, /* and not zero */
    FPK_ZERO,
    FPK_INF,
    FPK_QNAN, /* from here on: NaNs */
    FPK_SNAN,
    FPK_UNSUPPORTED, /* x87 encodings that the 387 and later refuse */
};

struct fp_num {
    enum fp_kind kind;
    bool sign;
    bool denormal; /* the operand was a denormal */
    int exp;
    uint64_t hi, lo; /* NaN: the fraction in the place it has in a finite number */
};

FP_INLINE bool fp_narrow(const struct fp_format *f)
{
    return f->frac_bits <= 52;
}

FP_INLINE int fp_bias(const struct fp_format *f)
{
    return (1 << (f->exp_bits - 1)) - 1;
}

FP_INLINE int fp_exp_max(const struct fp_format *f)
{
    return (1 << f->exp_bits) - 1;
}

/* Bit position of the sign. */
FP_INLINE int fp_sign_pos(const struct fp_format *f)
{
    return f->exp_bits + f->frac_bits + f->explicit_bit;
}

FP_INLINE bool fp_is_nan(struct fp_num a)
{
    return a.kind >= FPK_QNAN;
}

FP_INLINE fp_u128 fp_sig(struct fp_num a)
{
    return (fp_u128)a.hi << 64 | a.lo;
}

FP_INLINE void fp_set_sig(struct fp_num *a, fp_u128 sig)
{
    a->hi = sig >> 64;
    a->lo = (uint64_t)sig;
}

/* Moves the top bit of a non-zero significand to bit 127. */
FP_INLINE void fp_normalise(struct fp_num *a, bool narrow)
{
    if (narrow || a->hi) {
        int n = __builtin_clzll(a->hi);

        if (!narrow && n) {
            a->hi = a->hi << n | a->lo >> (64 - n);
            a->lo <<= n;
        } else {
            a->hi <<= n;
        }
        a->exp -= n;
    } else {
        int n = __builtin_clzll(a->lo);

        a->hi = a->lo << n;
        a->lo = 0;
        a->exp -= 64 + n;
    }
}

/* Shifts right by n >= 0; bits that fall out are gathered in the last one. exp is left alone. */
FP_INLINE void fp_shift_right(struct fp_num *a, int n, bool narrow)
{
    if (narrow) {
        uint64_t lost = n > 63 ? a->hi : n ? a->hi << (64 - n) : 0;

        a->hi = (n > 63 ? 0 : a->hi >> n) | (lost != 0);
    } else {
        fp_u128 s = fp_sig(*a);
        fp_u128 lost = n > 127 ? s : n ? s << (128 - n) : 0;

        fp_set_sig(a, (n > 127 ? 0 : s >> n) | (lost != 0));
    }
}

FP_INLINE struct fp_num fp_unpack_f80(struct fp_env *env, fp_u128 bits)
{
    struct fp_num a = { .sign = bits >> 79 & 1, .hi = (uint64_t)bits };
    int e = bits >> 64 & 0x7fff;

    a.exp = (e ? e : 1) - 0x3fff;
    if (FP_LIKELY(e != 0 && e != 0x7fff && a.hi >> 63)) {
        return a;
    }
    if (e == 0x7fff && a.hi >> 63) {
        a.kind = !(a.hi << 1) ? FPK_INF : a.hi >> 62 & 1 ? FPK_QNAN : FPK_SNAN;
    } else if (e) {
        a.kind = FPK_UNSUPPORTED;
    } else if (!a.hi || env->denormals_are_zero) {
        a.kind = FPK_ZERO;
        env->flags |= a.hi ? FP_FLAG_ID : 0;
        a.hi = 0;
    } else {
        a.denormal = true;
        fp_normalise(&a, true);
    }
    return a;
}

/* An encoding that is neither normal nor, with a.exp and a.hi:a.lo set as if it were, taken apart.
 */
FP_INLINE void fp_unpack_special(const struct fp_format *f, struct fp_env *env, struct fp_num *a)
{
    bool frac = a->hi << 1 || a->lo;

    if (a->exp > 0) {
        a->kind = !frac ? FPK_INF : a->hi >> 62 & 1 ? FPK_QNAN : FPK_SNAN;
    } else if (!frac || env->denormals_are_zero) {
        a->kind = FPK_ZERO;
        env->flags |= frac ? FP_FLAG_ID : 0;
        a->hi = a->lo = 0;
    } else {
        a->denormal = true;
        a->hi &= ~(1ull << 63);
        a->exp++;
        fp_normalise(a, fp_narrow(f));
    }
}

FP_INLINE struct fp_num fp_unpack(const struct fp_format *f, struct fp_env *env, fp_u128 bits)
{
    struct fp_num a = { .kind = FPK_FINITE };
    int e;

    if (f->explicit_bit) {
        return fp_unpack_f80(env, bits);
    }
    if (fp_narrow(f)) {
        uint64_t b = (uint64_t)bits;

        e = b >> f->frac_bits & fp_exp_max(f);
        a.hi = 1ull << 63 | b << (63 - f->frac_bits);
    } else {
        e = bits >> f->frac_bits & fp_exp_max(f);
        fp_set_sig(&a, (fp_u128)1 << 127 | bits << (127 - f->frac_bits));
    }
    a.sign = bits >> fp_sign_pos(f) & 1;
    a.exp = e - fp_bias(f);
    if (FP_UNLIKELY(e == 0 || e == fp_exp_max(f))) {
        fp_unpack_special(f, env, &a);
    }
    return a;
}

FP_INLINE fp_u128 fp_pack_fields(const struct fp_format *f, bool sign, int e, fp_u128 frac)
{
    if (fp_narrow(f)) {
        return (uint64_t)sign << fp_sign_pos(f) | (uint64_t)e << f->frac_bits | (uint64_t)frac;
    }
    return (fp_u128)sign << fp_sign_pos(f) | (fp_u128)e << (f->frac_bits + f->explicit_bit) | frac;
}

FP_INLINE fp_u128 fp_pack_zero(const struct fp_format *f, bool sign)
{
    return fp_pack_fields(f, sign, 0, 0);
}

FP_INLINE fp_u128 fp_pack_inf(const struct fp_format *f, bool sign)
{
    return fp_pack_fields(f, sign, fp_exp_max(f), (fp_u128)f->explicit_bit << f->frac_bits);
}

/* The largest finite number with a significand of `precision` bits. */
FP_INLINE fp_u128 fp_pack_largest(const struct fp_format *f, bool sign, int precision)
{
    int bits = f->frac_bits + f->explicit_bit, cut = f->frac_bits + 1 - precision;
    fp_u128 ones = ((fp_u128)1 << bits) - 1;

    return fp_pack_fields(f, sign, fp_exp_max(f) - 1, ones >> cut << cut);
}

FP_INLINE fp_u128 fp_default_nan(const struct fp_format *f, struct fp_env *env)
{
    return fp_pack_inf(f, env->default_nan_sign) | (fp_u128)1 << (f->frac_bits - 1);
}

FP_INLINE fp_u128 fp_invalid(const struct fp_format *f, struct fp_env *env)
{
    env->flags |= FP_FLAG_NV;
    return fp_default_nan(f, env);
}

/* A NaN operand as result: made quiet, the fraction cut off where the format ends. */
FP_INLINE fp_u128 fp_pack_nan(const struct fp_format *f, struct fp_env *env, struct fp_num a)
{
    if (env->nan == FP_NAN_DEFAULT || a.kind == FPK_UNSUPPORTED) {
        return fp_default_nan(f, env);
    }
    a.hi |= 1ull << 62;
    if (!f->explicit_bit) {
        a.hi &= ~(1ull << 63);
    }
    return fp_pack_fields(f, a.sign, fp_exp_max(f), fp_sig(a) >> (127 - f->frac_bits));
}

/* The choice of FP_NAN_X87 (SDM volume 1, 4.8.3.5) between two operands of which one is a NaN. */
FP_INLINE struct fp_num fp_choose_nan_x87(struct fp_num a, struct fp_num b)
{
    if (!fp_is_nan(b)) {
        return a;
    }
    if (!fp_is_nan(a)) {
        return b;
    }
    if (a.kind != b.kind) {
        return a.kind == FPK_QNAN ? a : b;
    }
    if (fp_sig(a) != fp_sig(b)) {
        return fp_sig(a) > fp_sig(b) ? a : b;
    }
    return a.sign ? b : a;
}

/* The result of an operation whose operands, in order of precedence, hold at least one NaN. */
FP_INLINE fp_u128 fp_propagate_nan(const struct fp_format *f, struct fp_env *env, struct fp_num a,
                                   struct fp_num b)
{
    if (a.kind >= FPK_SNAN || b.kind >= FPK_SNAN) {
        env->flags |= FP_FLAG_NV;
    }
    if (a.kind == FPK_UNSUPPORTED || b.kind == FPK_UNSUPPORTED) {
        return fp_default_nan(f, env);
    }
    switch (env->nan) {
    case FP_NAN_ARM:
        if (b.kind == FPK_SNAN && a.kind != FPK_SNAN) {
            return fp_pack_nan(f, env, b);
        }
        break;
    case FP_NAN_X87: return fp_pack_nan(f, env, fp_choose_nan_x87(a, b));
    default: break;
    }
    return fp_pack_nan(f, env, fp_is_nan(a) ? a : b);
}

/* Notes that denormal operands took part; called once no NaN and no invalid operation is in sight.
 */
FP_INLINE void fp_note_denormals(struct fp_env *env, struct fp_num a, struct fp_num b)
{
    if (FP_UNLIKELY(a.denormal | b.denormal)) {
        env->flags |= FP_FLAG_DE;
    }
}

#endif
