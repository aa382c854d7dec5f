/*
 * Floating-point helpers: what the host's FPU cannot do as the instruction says. Operands are raw f
 * registers, results too; flags go straight to fflags.
 *
 * The first value, `how`, is the rounding mode; for fma enum ir_fma is in the bits above it. For
 * from_s, from_d, from_h the helper's format is the result's, the name has the source's.
 */
#include "fp.h"

static void gather(struct cpu *cpu, const struct fp_env *env)
{
    cpu->tcg.fp_sticky |= env->flags & 0x1f;
}

static uint32_t unbox_s(uint64_t v)
{
    return v >> 32 == 0xffffffff ? (uint32_t)v : 0x7fc00000;
}

static uint64_t box_s(uint32_t v)
{
    return v | 0xffffffff00000000;
}

static uint64_t unbox_d(uint64_t v)
{
    return v;
}

static uint64_t box_d(uint64_t v)
{
    return v;
}

static uint16_t unbox_h(uint64_t v)
{
    return v >> 16 == 0xffffffffffff ? (uint16_t)v : 0x7e00;
}

static uint64_t box_h(uint16_t v)
{
    return v | 0xffffffffffff0000;
}

/* A helper of format @n whose operands are of type T in the expression. */
#define UNARY(op, n, T, result)                                                 \
    static uint64_t h_fp_##op##_##n(struct cpu *cpu, uint32_t how, uint64_t ra) \
    {                                                                           \
        struct fp_env env = { .round = how };                                   \
        T a = unbox_##n(ra);                                                    \
        uint64_t r = (result);                                                  \
        gather(cpu, &env);                                                      \
        return r;                                                               \
    }                                                                           \
    HELPER_DEFINE(fp_##op##_##n, IR_H_CPU, IR_I64, 2, IR_I32, IR_I64);

#define BINARY(op, n, T, result)                                                             \
    static uint64_t h_fp_##op##_##n(struct cpu *cpu, uint32_t how, uint64_t ra, uint64_t rb) \
    {                                                                                        \
        struct fp_env env = { .round = how };                                                \
        T a = unbox_##n(ra), b = unbox_##n(rb);                                              \
        uint64_t r = (result);                                                               \
        gather(cpu, &env);                                                                   \
        return r;                                                                            \
    }                                                                                        \
    HELPER_DEFINE(fp_##op##_##n, IR_H_CPU, IR_I64, 3, IR_I32, IR_I64, IR_I64);

#define FMA(n, T, X)                                                                      \
    static uint64_t h_fp_fma_##n(struct cpu *cpu, uint32_t how, uint64_t ra, uint64_t rb, \
                                 uint64_t rc)                                             \
    {                                                                                     \
        struct fp_env env = { .round = how & 7 };                                         \
        T r = fp_##X##_fma(&env, unbox_##n(ra), unbox_##n(rb), unbox_##n(rc), how >> 3);  \
        gather(cpu, &env);                                                                \
        return box_##n(r);                                                                \
    }                                                                                     \
    HELPER_DEFINE(fp_fma_##n, IR_H_CPU, IR_I64, 4, IR_I32, IR_I64, IR_I64, IR_I64);

/* From the integer register @ra, and from the f register @ra in format @m. */
#define FROM(op, n, result)                                                     \
    static uint64_t h_fp_##op##_##n(struct cpu *cpu, uint32_t how, uint64_t ra) \
    {                                                                           \
        struct fp_env env = { .round = how };                                   \
        uint64_t r = box_##n(result);                                           \
        gather(cpu, &env);                                                      \
        return r;                                                               \
    }                                                                           \
    HELPER_DEFINE(fp_##op##_##n, IR_H_CPU, IR_I64, 2, IR_I32, IR_I64);

#define CLASS(n, X)                                           \
    static uint64_t h_fp_class_##n(uint32_t how, uint64_t ra) \
    {                                                         \
        (void)how;                                            \
        return fp_##X##_class(unbox_##n(ra));                 \
    }                                                         \
    HELPER_DEFINE(fp_class_##n, IR_H_PURE, IR_I64, 2, IR_I32, IR_I64);

/* Zfa: quiet comparisons. */
#define QUIET(op, n, T, X, or_equal)                                                         \
    static uint64_t h_fp_##op##_##n(struct cpu *cpu, uint32_t how, uint64_t ra, uint64_t rb) \
    {                                                                                        \
        struct fp_env env = { .round = FP_RNE };                                             \
        enum fp_relation r = fp_##X##_compare(&env, unbox_##n(ra), unbox_##n(rb), false);    \
        (void)how;                                                                           \
        gather(cpu, &env);                                                                   \
        return r == FP_LESS || (or_equal && r == FP_EQUAL);                                  \
    }                                                                                        \
    HELPER_DEFINE(fp_##op##_##n, IR_H_CPU, IR_I64, 3, IR_I32, IR_I64, IR_I64);

#define FORMAT(n, T, X)                                                                       \
    BINARY(add, n, T, box_##n(fp_##X##_add(&env, a, b)))                                      \
    BINARY(sub, n, T, box_##n(fp_##X##_sub(&env, a, b)))                                      \
    BINARY(mul, n, T, box_##n(fp_##X##_mul(&env, a, b)))                                      \
    BINARY(div, n, T, box_##n(fp_##X##_div(&env, a, b)))                                      \
    UNARY(sqrt, n, T, box_##n(fp_##X##_sqrt(&env, a)))                                        \
    FMA(n, T, X)                                                                              \
    BINARY(min, n, T, box_##n(fp_##X##_minmax(&env, a, b, FP_MINMAX_NUMBER)))                 \
    BINARY(max, n, T, box_##n(fp_##X##_minmax(&env, a, b, FP_MINMAX_NUMBER | FP_MINMAX_MAX))) \
    BINARY(minm, n, T, box_##n(fp_##X##_minmax(&env, a, b, 0)))                               \
    BINARY(maxm, n, T, box_##n(fp_##X##_minmax(&env, a, b, FP_MINMAX_MAX)))                   \
    BINARY(eq, n, T, fp_##X##_eq(&env, a, b))                                                 \
    BINARY(lt, n, T, fp_##X##_lt(&env, a, b))                                                 \
    BINARY(le, n, T, fp_##X##_le(&env, a, b))                                                 \
    QUIET(ltq, n, T, X, false)                                                                \
    QUIET(leq, n, T, X, true)                                                                 \
    CLASS(n, X)                                                                               \
    UNARY(round, n, T, box_##n(fp_##X##_rint(&env, a, how, false)))                           \
    UNARY(roundnx, n, T, box_##n(fp_##X##_rint(&env, a, how, true)))                          \
    UNARY(to_w, n, T, fp_##X##_to_int(&env, a, how, 32))                                      \
    UNARY(to_wu, n, T, (int32_t)fp_##X##_to_uint(&env, a, how, 32))                           \
    UNARY(to_l, n, T, fp_##X##_to_int(&env, a, how, 64))                                      \
    UNARY(to_lu, n, T, fp_##X##_to_uint(&env, a, how, 64))                                    \
    FROM(from_w, n, fp_##X##_from_int(&env, (int32_t)ra))                                     \
    FROM(from_wu, n, fp_##X##_from_uint(&env, (uint32_t)ra))                                  \
    FROM(from_l, n, fp_##X##_from_int(&env, ra))                                              \
    FROM(from_lu, n, fp_##X##_from_uint(&env, ra))

/* clang-format off */
FORMAT(s, uint32_t, f32)
FORMAT(d, uint64_t, f64)
FORMAT(h, uint16_t, f16)
FROM(from_s, s, unbox_s(ra))
FROM(from_d, s, fp_f64_to_f32(&env, ra))
FROM(from_h, s, fp_f16_to_f32(&env, unbox_h(ra)))
FROM(from_s, d, fp_f32_to_f64(&env, unbox_s(ra)))
FROM(from_d, d, ra)
FROM(from_h, d, fp_f16_to_f64(&env, unbox_h(ra)))
FROM(from_s, h, fp_f32_to_f16(&env, unbox_s(ra)))
FROM(from_d, h, fp_f64_to_f16(&env, ra))
FROM(from_h, h, unbox_h(ra))
/* clang-format on */

static uint64_t h_fp_to_w_mod(struct cpu *cpu, uint64_t a)
{
    struct fp_env env = { .round = FP_RTZ };
    int64_t r = fp_f64_to_i32_modular(&env, a);

    gather(cpu, &env);
    return r;
}
HELPER_DEFINE(fp_to_w_mod, IR_H_CPU, IR_I64, 1, IR_I64);
