/*
 * The public functions of one format, as thin wrappers that fix the format of the generic ones.
 */
#ifndef SOFTFP_DEFINE_H
#define SOFTFP_DEFINE_H

#include "arith.h"
#include "convert.h"

#define FP_DEFINE_ARITH(X, type)                                                    \
    type fp_##X##_add(struct fp_env *env, type a, type b)                           \
    {                                                                               \
        return (type)fp_add(&fp_format_##X, env, a, b, false);                      \
    }                                                                               \
    type fp_##X##_sub(struct fp_env *env, type a, type b)                           \
    {                                                                               \
        return (type)fp_add(&fp_format_##X, env, a, b, true);                       \
    }                                                                               \
    type fp_##X##_mul(struct fp_env *env, type a, type b)                           \
    {                                                                               \
        return (type)fp_mul(&fp_format_##X, env, a, b);                             \
    }                                                                               \
    type fp_##X##_div(struct fp_env *env, type a, type b)                           \
    {                                                                               \
        return (type)fp_div(&fp_format_##X, env, a, b);                             \
    }                                                                               \
    type fp_##X##_sqrt(struct fp_env *env, type a)                                  \
    {                                                                               \
        return (type)fp_sqrt(&fp_format_##X, env, a);                               \
    }                                                                               \
    type fp_##X##_rem(struct fp_env *env, type a, type b, uint64_t *quotient)       \
    {                                                                               \
        return (type)fp_rem(&fp_format_##X, env, a, b, false, quotient);            \
    }                                                                               \
    type fp_##X##_rem_trunc(struct fp_env *env, type a, type b, uint64_t *quotient) \
    {                                                                               \
        return (type)fp_rem(&fp_format_##X, env, a, b, true, quotient);             \
    }

#define FP_DEFINE_COMPARE(X, type)                                                         \
    enum fp_relation fp_##X##_compare(struct fp_env *env, type a, type b, bool signalling) \
    {                                                                                      \
        return fp_compare(&fp_format_##X, env, a, b, signalling);                          \
    }                                                                                      \
    bool fp_##X##_eq(struct fp_env *env, type a, type b)                                   \
    {                                                                                      \
        return fp_compare(&fp_format_##X, env, a, b, false) == FP_EQUAL;                   \
    }                                                                                      \
    bool fp_##X##_lt(struct fp_env *env, type a, type b)                                   \
    {                                                                                      \
        return fp_compare(&fp_format_##X, env, a, b, true) == FP_LESS;                     \
    }                                                                                      \
    bool fp_##X##_le(struct fp_env *env, type a, type b)                                   \
    {                                                                                      \
        return fp_compare(&fp_format_##X, env, a, b, true) <= FP_EQUAL;                    \
    }                                                                                      \
    type fp_##X##_minmax(struct fp_env *env, type a, type b, unsigned op)                  \
    {                                                                                      \
        return (type)fp_minmax(&fp_format_##X, env, a, b, op);                             \
    }                                                                                      \
    unsigned fp_##X##_class(type a)                                                        \
    {                                                                                      \
        return fp_classify(&fp_format_##X, a);                                             \
    }

#define FP_DEFINE_INTEGER(X, type)                                                            \
    type fp_##X##_rint(struct fp_env *env, type a, enum fp_round round, bool inexact)         \
    {                                                                                         \
        return (type)fp_rint(&fp_format_##X, env, a, round, inexact);                         \
    }                                                                                         \
    type fp_##X##_scale(struct fp_env *env, type a, int n)                                    \
    {                                                                                         \
        return (type)fp_scale(&fp_format_##X, env, a, n);                                     \
    }                                                                                         \
    int64_t fp_##X##_to_int(struct fp_env *env, type a, enum fp_round round, unsigned bits)   \
    {                                                                                         \
        return (int64_t)fp_to_integer(&fp_format_##X, env, a, round, bits, true);             \
    }                                                                                         \
    uint64_t fp_##X##_to_uint(struct fp_env *env, type a, enum fp_round round, unsigned bits) \
    {                                                                                         \
        return fp_to_integer(&fp_format_##X, env, a, round, bits, false);                     \
    }                                                                                         \
    type fp_##X##_from_int(struct fp_env *env, int64_t v)                                     \
    {                                                                                         \
        uint64_t magnitude = v < 0 ? -(uint64_t)v : (uint64_t)v;                              \
                                                                                              \
        return (type)fp_from_integer(&fp_format_##X, env, v < 0, magnitude);                  \
    }                                                                                         \
    type fp_##X##_from_uint(struct fp_env *env, uint64_t v)                                   \
    {                                                                                         \
        return (type)fp_from_integer(&fp_format_##X, env, false, v);                          \
    }

#define FP_DEFINE_FORMAT(X, type) \
    FP_DEFINE_ARITH(X, type)      \
    FP_DEFINE_COMPARE(X, type)    \
    FP_DEFINE_INTEGER(X, type)

/* Narrow formats only. */
#define FP_DEFINE_FMA(X, type)                                                 \
    type fp_##X##_fma(struct fp_env *env, type a, type b, type c, unsigned op) \
    {                                                                          \
        return (type)fp_fma(&fp_format_##X, env, a, b, c, op);                 \
    }

/* A conversion to format X from format Y. */
#define FP_DEFINE_CONVERT(X, type, Y, from_type)                         \
    type fp_##Y##_to_##X(struct fp_env *env, from_type a)                \
    {                                                                    \
        return (type)fp_convert(&fp_format_##X, &fp_format_##Y, env, a); \
    }

#endif
