/*
 * The 7-bit estimates of the RISC-V vector extension 1.0: sections 13.9 (reciprocal square root)
 * and 13.10 (reciprocal), bit for bit.
 */
#include "round.h"

/* Leading 7 fraction bits of 1 / sqrt(x), by the last bit of x's exponent and 6 fraction bits. */
static const uint8_t rsqrt7_table[2][64] = {
    { 52, 51, 50, 48, 47, 46, 44, 43, 42, 41, 40, 39, 38, 36, 35, 34, 33, 32, 31, 30, 30, 29,
      28, 27, 26, 25, 24, 23, 23, 22, 21, 20, 19, 19, 18, 17, 16, 16, 15, 14, 14, 13, 12, 12,
      11, 10, 10, 9,  9,  8,  7,  7,  6,  6,  5,  4,  4,  3,  3,  2,  2,  1,  1,  0 },
    { 127, 125, 123, 121, 119, 118, 116, 114, 113, 111, 109, 108, 106, 105, 103, 102,
      100, 99,  97,  96,  95,  93,  92,  91,  90,  88,  87,  86,  85,  84,  83,  82,
      80,  79,  78,  77,  76,  75,  74,  73,  72,  71,  70,  70,  69,  68,  67,  66,
      65,  64,  63,  63,  62,  61,  60,  59,  59,  58,  57,  56,  56,  55,  54,  53 },
};

/* Leading 7 fraction bits of 1 / x, by those of x. */
static const uint8_t rec7_table[128] = {
    127, 125, 123, 121, 119, 117, 116, 114, 112, 110, 109, 107, 105, 104, 102, 100, 99, 97, 96,
    94,  93,  91,  90,  88,  87,  85,  84,  83,  81,  80,  79,  77,  76,  75,  74,  72, 71, 70,
    69,  68,  66,  65,  64,  63,  62,  61,  60,  59,  58,  57,  56,  55,  54,  53,  52, 51, 50,
    49,  48,  47,  46,  45,  44,  43,  42,  41,  40,  40,  39,  38,  37,  36,  35,  35, 34, 33,
    32,  31,  31,  30,  29,  28,  28,  27,  26,  25,  25,  24,  23,  23,  22,  21,  21, 20, 19,
    19,  18,  17,  17,  16,  15,  15,  14,  14,  13,  12,  12,  11,  11,  10,  9,   9,  8,  8,
    7,   7,   6,   5,   5,   4,   4,   3,   3,   2,   2,   1,   1,   0,
};

FP_INLINE fp_u128 fp_rsqrt7(const struct fp_format *f, struct fp_env *env, fp_u128 x)
{
    struct fp_num a = fp_unpack(f, env, x);
    int e = a.exp + fp_bias(f);

    if (fp_is_nan(a)) {
        return fp_propagate_nan(f, env, a, a);
    }
    if (a.kind == FPK_ZERO) {
        env->flags |= FP_FLAG_DZ;
        return fp_pack_inf(f, a.sign);
    }
    if (a.sign) {
        return fp_invalid(f, env);
    }
    if (a.kind == FPK_INF) {
        return fp_pack_zero(f, false);
    }
    return fp_pack_fields(f, false, (3 * fp_bias(f) - 1 - e) >> 1,
                          (fp_u128)rsqrt7_table[e & 1][a.hi >> 57 & 63] << (f->frac_bits - 7));
}

FP_INLINE fp_u128 fp_rec7(const struct fp_format *f, struct fp_env *env, fp_u128 x)
{
    struct fp_num a = fp_unpack(f, env, x);
    int e = 2 * fp_bias(f) - 1 - (a.exp + fp_bias(f));
    uint64_t frac;

    if (fp_is_nan(a)) {
        return fp_propagate_nan(f, env, a, a);
    }
    if (a.kind == FPK_ZERO) {
        env->flags |= FP_FLAG_DZ;
        return fp_pack_inf(f, a.sign);
    }
    if (a.kind == FPK_INF) {
        return fp_pack_zero(f, a.sign);
    }
    if (e > 2 * fp_bias(f)) {
        return fp_overflow(f, env, a.sign);
    }
    frac = (uint64_t)rec7_table[a.hi >> 56 & 127] << (f->frac_bits - 7);
    if (e < 1) { /* 0 or -1: a denormal, with the integer bit made visible; no bit is lost */
        frac = (frac | 1ull << f->frac_bits) >> (1 - e);
        e = 0;
    }
    return fp_pack_fields(f, a.sign, e, frac);
}

uint16_t fp_f16_rsqrt7(struct fp_env *env, uint16_t a)
{
    return (uint16_t)fp_rsqrt7(&fp_format_f16, env, a);
}

uint32_t fp_f32_rsqrt7(struct fp_env *env, uint32_t a)
{
    return (uint32_t)fp_rsqrt7(&fp_format_f32, env, a);
}

uint64_t fp_f64_rsqrt7(struct fp_env *env, uint64_t a)
{
    return (uint64_t)fp_rsqrt7(&fp_format_f64, env, a);
}

uint16_t fp_f16_rec7(struct fp_env *env, uint16_t a)
{
    return (uint16_t)fp_rec7(&fp_format_f16, env, a);
}

uint32_t fp_f32_rec7(struct fp_env *env, uint32_t a)
{
    return (uint32_t)fp_rec7(&fp_format_f32, env, a);
}

uint64_t fp_f64_rec7(struct fp_env *env, uint64_t a)
{
    return (uint64_t)fp_rec7(&fp_format_f64, env, a);
}
