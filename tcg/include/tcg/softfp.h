/*
 * Bit-exact floating point in integer arithmetic.
 *
 * Every function computes exactly what IEEE 754-2019 prescribes for its operands under `env`:
 * result bits and exception flags alike, on any host, without touching the host's FPU. Where the
 * standard leaves a choice (NaN payloads, tininess, invalid conversions, flushing) `env` says which
 * architecture's choice is wanted. It is the translator's slow path and the interpreter's FPU.
 *
 *     struct fp_env env = { .round = FP_RNE };          all-zero otherwise is RISC-V
 *     uint64_t sum = fp_f64_add(&env, a, b);
 *     if (env.flags & FP_FLAG_NX) ...
 *
 * Values are bit patterns: uint16_t for f16 (binary16) and bf16 (bfloat16), uint32_t for f32,
 * uint64_t for f64, unsigned __int128 for f80 (the x87 format, in the low 80 bits) and f128.
 * NaN boxing is the caller's business. No function allocates, fails or keeps state.
 */
#ifndef TCG_SOFTFP_H
#define TCG_SOFTFP_H

#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 fp_u128;

/* Rounding directions; the first five are numbered as in RISC-V's frm. */
enum fp_round {
    FP_RNE, /* to nearest, ties to even */
    FP_RTZ, /* towards zero */
    FP_RDN, /* down, towards minus infinity */
    FP_RUP, /* up, towards plus infinity */
    FP_RMM, /* to nearest, ties away from zero */
    FP_ROD, /* to odd: an inexact result gets its last bit set */
};

/*
 * Exception flags; the first five sit where RISC-V's fflags has them, the other two are not 754's
 * and to be masked off by those who do not know them. Flags are only ever set.
 */
enum fp_flag {
    FP_FLAG_NX = 1,  /* inexact */
    FP_FLAG_UF = 2,  /* underflow: tiny and inexact (or flushed to zero) */
    FP_FLAG_OF = 4,  /* overflow */
    FP_FLAG_DZ = 8,  /* division by zero */
    FP_FLAG_NV = 16, /* invalid operation */
    FP_FLAG_ID = 32, /* a denormal operand was taken as zero (Arm's IDC) */
    FP_FLAG_DE = 64, /* a denormal operand was used (x86's DE), except by rint and to_int */
};

/* Which NaN an operation with a NaN result delivers. */
enum fp_nan {
    FP_NAN_DEFAULT, /* always the default NaN: RISC-V, and Arm with FPCR.DN */
    FP_NAN_ARM,     /* the first signalling operand, else the first quiet one */
    FP_NAN_X86,     /* SSE/AVX: the first operand that is a NaN */
    FP_NAN_X87,     /* x87: the quiet one, else the one of larger significand */
};

/* What a conversion to integer delivers when the value does not fit. */
enum fp_toint {
    FP_TOINT_RISCV, /* nearest bound; NaN gives the largest value */
    FP_TOINT_ARM,   /* nearest bound; NaN gives zero */
    FP_TOINT_X86,   /* signed: only the sign bit set; unsigned: all bits set */
};

/* When a tiny result is replaced by a zero of its sign. */
enum fp_flush {
    FP_FLUSH_OFF,
    FP_FLUSH_ARM, /* tiny before rounding; raises underflow alone */
    FP_FLUSH_X86, /* tiny after rounding; raises underflow and inexact */
};

/* All a floating-point operation depends on beside its operands. */
struct fp_env {
    uint8_t round;           /* enum fp_round, never another value */
    uint8_t flags;           /* enum fp_flag, sticky */
    uint8_t nan;             /* enum fp_nan */
    uint8_t toint;           /* enum fp_toint */
    uint8_t flush;           /* enum fp_flush */
    bool denormals_are_zero; /* denormal operands count as zeros of their sign */
    bool tiny_before;        /* detect tininess before rounding (Arm), else after (RISC-V, x86) */
    bool default_nan_sign;   /* the default NaN is negative (x86) */
    uint8_t f80_precision;   /* 24 or 53: f80 add, sub, mul, div, sqrt round to so many bits (x87
                                PC) in f80's range; 0: all 64 */
};

enum fp_relation { FP_LESS = -1, FP_EQUAL = 0, FP_GREATER = 1, FP_UNORDERED = 2 };

/* Operation selectors of fp_X_minmax(), ORed. */
enum fp_minmax {
    FP_MINMAX_MAX = 1,       /* the larger; else the smaller. -0 is smaller than +0 */
    FP_MINMAX_NUMBER = 2,    /* a NaN loses to a number (minimumNumber); else it wins (minimum) */
    FP_MINMAX_SNAN_WINS = 4, /* with NUMBER: a signalling NaN wins still (minNum of 754-2008) */
};

/* Sign changes in fp_X_fma(), ORed. They do not alter NaNs. */
enum fp_fma {
    FP_FMA_NEG_PRODUCT = 1, /* -(a * b) + c */
    FP_FMA_NEG_ADDEND = 2,  /* a * b - c */
};

/* Result of fp_X_class(): one bit, numbered as RISC-V's FCLASS has them. */
enum fp_class {
    FP_CLASS_NEG_INF = 1 << 0,
    FP_CLASS_NEG_NORMAL = 1 << 1,
    FP_CLASS_NEG_DENORMAL = 1 << 2,
    FP_CLASS_NEG_ZERO = 1 << 3,
    FP_CLASS_POS_ZERO = 1 << 4,
    FP_CLASS_POS_DENORMAL = 1 << 5,
    FP_CLASS_POS_NORMAL = 1 << 6,
    FP_CLASS_POS_INF = 1 << 7,
    FP_CLASS_SNAN = 1 << 8,
    FP_CLASS_QNAN = 1 << 9,
};

/*
 * The functions of one format, X standing for its name:
 *
 * fp_X_add, sub, mul, div, sqrt   as the names say, rounded by env->round.
 * fp_X_rem       IEEE remainder a - b * n, n the integer nearest a / b (ties to even); exact.
 * fp_X_rem_trunc the same with n = a / b towards zero (fmod). Both store the low 64 bits of |n| in
 *                *quotient unless that is NULL, and take time in proportion to log(a / b).
 * fp_X_compare   one of enum fp_relation; raises invalid for a signalling NaN, and with
 * `signalling` for any NaN. fp_X_eq        equal, quiet. fp_X_lt, fp_X_le: less (or equal),
 * signalling. NaN: false. fp_X_minmax    `op` is of enum fp_minmax. NaN results follow env->nan.
 * fp_X_class     see enum fp_class; never raises a flag.
 * fp_X_rint      to an integral value in direction `round` (not env->round); raises inexact only if
 *                `inexact` is set.
 * fp_X_scale     a * 2^n.
 * fp_X_to_int    to a signed integer of `bits` (8 to 64) bits in direction `round`, sign-extended.
 * A value that does not fit raises invalid alone and gives what env->toint says. fp_X_to_uint   the
 * same, unsigned, zero-extended. fp_X_from_int, fp_X_from_uint   from a 64-bit integer, rounded by
 * env->round.
 */
#define FP_DECLARE_FORMAT(X, type)                                                             \
    type fp_##X##_add(struct fp_env *env, type a, type b);                                     \
    type fp_##X##_sub(struct fp_env *env, type a, type b);                                     \
    type fp_##X##_mul(struct fp_env *env, type a, type b);                                     \
    type fp_##X##_div(struct fp_env *env, type a, type b);                                     \
    type fp_##X##_sqrt(struct fp_env *env, type a);                                            \
    type fp_##X##_rem(struct fp_env *env, type a, type b, uint64_t *quotient);                 \
    type fp_##X##_rem_trunc(struct fp_env *env, type a, type b, uint64_t *quotient);           \
    enum fp_relation fp_##X##_compare(struct fp_env *env, type a, type b, bool signalling);    \
    bool fp_##X##_eq(struct fp_env *env, type a, type b);                                      \
    bool fp_##X##_lt(struct fp_env *env, type a, type b);                                      \
    bool fp_##X##_le(struct fp_env *env, type a, type b);                                      \
    type fp_##X##_minmax(struct fp_env *env, type a, type b, unsigned op);                     \
    unsigned fp_##X##_class(type a);                                                           \
    type fp_##X##_rint(struct fp_env *env, type a, enum fp_round round, bool inexact);         \
    type fp_##X##_scale(struct fp_env *env, type a, int n);                                    \
    int64_t fp_##X##_to_int(struct fp_env *env, type a, enum fp_round round, unsigned bits);   \
    uint64_t fp_##X##_to_uint(struct fp_env *env, type a, enum fp_round round, unsigned bits); \
    type fp_##X##_from_int(struct fp_env *env, int64_t v);                                     \
    type fp_##X##_from_uint(struct fp_env *env, uint64_t v)

FP_DECLARE_FORMAT(f16, uint16_t);
FP_DECLARE_FORMAT(bf16, uint16_t);
FP_DECLARE_FORMAT(f32, uint32_t);
FP_DECLARE_FORMAT(f64, uint64_t);
FP_DECLARE_FORMAT(f80, fp_u128);
FP_DECLARE_FORMAT(f128, fp_u128);

/*
 * a * b + c with one rounding; `op` is of enum fp_fma. For NaNs the order of operands is c, a, b
 * with FP_NAN_ARM (whose architecture then also wants the operands themselves negated), else a, b,
 * c.
 */
uint16_t fp_f16_fma(struct fp_env *env, uint16_t a, uint16_t b, uint16_t c, unsigned op);
uint16_t fp_bf16_fma(struct fp_env *env, uint16_t a, uint16_t b, uint16_t c, unsigned op);
uint32_t fp_f32_fma(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c, unsigned op);
uint64_t fp_f64_fma(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c, unsigned op);

/* Conversions between formats, rounded by env->round; NaN payloads keep their leading bits. */
uint16_t fp_f32_to_f16(struct fp_env *env, uint32_t a);
uint16_t fp_f64_to_f16(struct fp_env *env, uint64_t a);
uint16_t fp_f80_to_f16(struct fp_env *env, fp_u128 a);
uint16_t fp_f128_to_f16(struct fp_env *env, fp_u128 a);
uint16_t fp_bf16_to_f16(struct fp_env *env, uint16_t a);
uint16_t fp_f16_to_bf16(struct fp_env *env, uint16_t a);
uint16_t fp_f32_to_bf16(struct fp_env *env, uint32_t a);
uint16_t fp_f64_to_bf16(struct fp_env *env, uint64_t a);
uint32_t fp_f16_to_f32(struct fp_env *env, uint16_t a);
uint32_t fp_bf16_to_f32(struct fp_env *env, uint16_t a);
uint32_t fp_f64_to_f32(struct fp_env *env, uint64_t a);
uint32_t fp_f80_to_f32(struct fp_env *env, fp_u128 a);
uint32_t fp_f128_to_f32(struct fp_env *env, fp_u128 a);
uint64_t fp_f16_to_f64(struct fp_env *env, uint16_t a);
uint64_t fp_bf16_to_f64(struct fp_env *env, uint16_t a);
uint64_t fp_f32_to_f64(struct fp_env *env, uint32_t a);
uint64_t fp_f80_to_f64(struct fp_env *env, fp_u128 a);
uint64_t fp_f128_to_f64(struct fp_env *env, fp_u128 a);
fp_u128 fp_f32_to_f80(struct fp_env *env, uint32_t a);
fp_u128 fp_f64_to_f80(struct fp_env *env, uint64_t a);
fp_u128 fp_f128_to_f80(struct fp_env *env, fp_u128 a);
fp_u128 fp_f16_to_f128(struct fp_env *env, uint16_t a);
fp_u128 fp_f32_to_f128(struct fp_env *env, uint32_t a);
fp_u128 fp_f64_to_f128(struct fp_env *env, uint64_t a);
fp_u128 fp_f80_to_f128(struct fp_env *env, fp_u128 a);

/*
 * The low 32 bits of `a` truncated to an integer, sign-extended; NaN and infinities give 0 (RISC-V
 * FCVTMOD.W.D, Arm FJCVTZS). Raises what a conversion to a signed 32-bit integer would.
 */
int64_t fp_f64_to_i32_modular(struct fp_env *env, uint64_t a);

/* RISC-V V 1.0's 7-bit estimates of 1 / sqrt(a) (section 13.9) and 1 / a (13.10, uses env->round).
 */
uint16_t fp_f16_rsqrt7(struct fp_env *env, uint16_t a);
uint32_t fp_f32_rsqrt7(struct fp_env *env, uint32_t a);
uint64_t fp_f64_rsqrt7(struct fp_env *env, uint64_t a);
uint16_t fp_f16_rec7(struct fp_env *env, uint16_t a);
uint32_t fp_f32_rec7(struct fp_env *env, uint32_t a);
uint64_t fp_f64_rec7(struct fp_env *env, uint64_t a);

#endif
