/*
 * Software floating point against the host's: SSE2, SSE4.1, FMA and F16C instructions under every
 * rounding direction, with and without flush-to-zero, results and all six flags alike. Skipped on
 * hosts that are not x86-64.
 */
#include "fpvalues.h"
#include <inttypes.h>
#include <tcg/softfp.h>

#ifdef __x86_64__

#define MXCSR_MASKED 0x1f80u
#define MXCSR_FTZ    0x8000u
#define MXCSR_DAZ    0x0040u

#define OUTPUTS(...) __VA_ARGS__

/* Runs one instruction under *csr, which gets the flags; ours are put back at once. */
#define UNDER_CSR(csr, insn, outputs, ...)                                          \
    do {                                                                            \
        uint32_t normal = MXCSR_MASKED;                                             \
                                                                                    \
        __asm__ volatile("ldmxcsr %[c]\n\t" insn "\n\tstmxcsr %[c]\n\tldmxcsr %[n]" \
                         : outputs, [c] "+m"(*(csr))                                \
                         : [n] "m"(normal), ##__VA_ARGS__);                         \
    } while (0)

#define HOST_BINARY(name, type, fp, insn)                            \
    static fpv_u128 host_##name(uint32_t *csr, const fpv_u128 *x)    \
    {                                                                \
        type ua = (type)x[0], ub = (type)x[1];                       \
        fp a, b;                                                     \
                                                                     \
        memcpy(&a, &ua, sizeof(a));                                  \
        memcpy(&b, &ub, sizeof(b));                                  \
        UNDER_CSR(csr, insn " %[b], %[a]", [a] "+x"(a), [b] "x"(b)); \
        memcpy(&ua, &a, sizeof(a));                                  \
        return ua;                                                   \
    }

#define HOST_FMA(name, type, fp, insn)                                                 \
    static fpv_u128 host_##name(uint32_t *csr, const fpv_u128 *x)                      \
    {                                                                                  \
        type ua = (type)x[0], ub = (type)x[1], uc = (type)x[2];                        \
        fp a, b, c;                                                                    \
                                                                                       \
        memcpy(&a, &ua, sizeof(a));                                                    \
        memcpy(&b, &ub, sizeof(b));                                                    \
        memcpy(&c, &uc, sizeof(c));                                                    \
        UNDER_CSR(csr, insn " %[d], %[b], %[a]", [a] "+x"(a), [b] "x"(b), [d] "x"(c)); \
        memcpy(&ua, &a, sizeof(a));                                                    \
        return ua;                                                                     \
    }

/* One operand; result and operand may be of different types. */
#define HOST_UNARY(name, rtype, rfp, type, fp, insn)                 \
    static fpv_u128 host_##name(uint32_t *csr, const fpv_u128 *x)    \
    {                                                                \
        type ua = (type)x[0];                                        \
        rtype ur;                                                    \
        rfp r = 0;                                                   \
        fp a;                                                        \
                                                                     \
        memcpy(&a, &ua, sizeof(a));                                  \
        UNDER_CSR(csr, insn " %[a], %[r]", [r] "+x"(r), [a] "x"(a)); \
        memcpy(&ur, &r, sizeof(r));                                  \
        return ur;                                                   \
    }

#define HOST_TO_INT(name, itype, type, fp, insn)                  \
    static fpv_u128 host_##name(uint32_t *csr, const fpv_u128 *x) \
    {                                                             \
        type ua = (type)x[0];                                     \
        int64_t r = 0;                                            \
        fp a;                                                     \
                                                                  \
        memcpy(&a, &ua, sizeof(a));                               \
        UNDER_CSR(csr, insn, [r] "=&r"(r), [a] "x"(a));           \
        return (uint64_t)(int64_t)(itype)r;                       \
    }

#define HOST_FROM_INT(name, type, fp, insn)                                      \
    static fpv_u128 host_##name(uint32_t *csr, const fpv_u128 *x)                \
    {                                                                            \
        type ur;                                                                 \
        fp r = 0;                                                                \
                                                                                 \
        UNDER_CSR(csr, insn " %[a], %[r]", [r] "+x"(r), [a] "r"((int64_t)x[0])); \
        memcpy(&ur, &r, sizeof(r));                                              \
        return ur;                                                               \
    }

/* Quiet and signalling compare, as enum fp_relation. */
#define HOST_COMPARE(name, type, fp, insn)                                                    \
    static fpv_u128 host_##name(uint32_t *csr, const fpv_u128 *x)                             \
    {                                                                                         \
        type ua = (type)x[0], ub = (type)x[1];                                                \
        bool above, below, parity;                                                            \
        fp a, b;                                                                              \
                                                                                              \
        memcpy(&a, &ua, sizeof(a));                                                           \
        memcpy(&b, &ub, sizeof(b));                                                           \
        UNDER_CSR(csr, insn " %[b], %[a]\n\tseta %[r]\n\tsetb %[l]\n\tsetp %[p]",             \
                  OUTPUTS([r] "=&q"(above), [l] "=&q"(below), [p] "=&q"(parity)), [a] "x"(a), \
                  [b] "x"(b));                                                                \
        return relation(above, below, parity);                                                \
    }

#define SOFT(name, expr)                                             \
    static fpv_u128 soft_##name(struct fp_env *e, const fpv_u128 *x) \
    {                                                                \
        return expr;                                                 \
    }

static fpv_u128 relation(bool above, bool below, bool parity)
{
    enum fp_relation r = FP_EQUAL;

    if (parity) {
        r = FP_UNORDERED;
    } else if (above) {
        r = FP_GREATER;
    } else if (below) {
        r = FP_LESS;
    }
    return (uint64_t)(int64_t)r;
}

/* The operations that both formats have; s: suffix of the instructions. */
#define BOTH_SIDES(f, type, fp, s)                                                             \
    HOST_BINARY(f##_add, type, fp, "adds" s)                                                   \
    HOST_BINARY(f##_sub, type, fp, "subs" s)                                                   \
    HOST_BINARY(f##_mul, type, fp, "muls" s)                                                   \
    HOST_BINARY(f##_div, type, fp, "divs" s)                                                   \
    HOST_UNARY(f##_sqrt, type, fp, type, fp, "sqrts" s)                                        \
    HOST_UNARY(f##_rint, type, fp, type, fp, "rounds" s " $4,")                                \
    HOST_UNARY(f##_rint_quiet, type, fp, type, fp, "rounds" s " $12,")                         \
    HOST_UNARY(f##_floor, type, fp, type, fp, "rounds" s " $1,")                               \
    HOST_TO_INT(f##_to_i64, int64_t, type, fp, "cvts" s "2si %[a], %q[r]")                     \
    HOST_TO_INT(f##_to_i32, int32_t, type, fp, "cvts" s "2si %[a], %k[r]")                     \
    HOST_TO_INT(f##_trunc_i64, int64_t, type, fp, "cvtts" s "2si %[a], %q[r]")                 \
    HOST_FROM_INT(f##_from_i64, type, fp, "cvtsi2s" s "q")                                     \
    HOST_COMPARE(f##_quiet, type, fp, "ucomis" s)                                              \
    HOST_COMPARE(f##_signalling, type, fp, "comis" s)                                          \
    HOST_FMA(f##_fma, type, fp, "vfmadd213s" s)                                                \
    HOST_FMA(f##_fmsub, type, fp, "vfmsub213s" s)                                              \
    HOST_FMA(f##_fnmadd, type, fp, "vfnmadd213s" s)                                            \
    HOST_FMA(f##_fnmsub, type, fp, "vfnmsub213s" s)                                            \
    SOFT(f##_add, fp_##f##_add(e, (type)x[0], (type)x[1]))                                     \
    SOFT(f##_sub, fp_##f##_sub(e, (type)x[0], (type)x[1]))                                     \
    SOFT(f##_mul, fp_##f##_mul(e, (type)x[0], (type)x[1]))                                     \
    SOFT(f##_div, fp_##f##_div(e, (type)x[0], (type)x[1]))                                     \
    SOFT(f##_sqrt, fp_##f##_sqrt(e, (type)x[0]))                                               \
    SOFT(f##_rint, fp_##f##_rint(e, (type)x[0], e->round, true))                               \
    SOFT(f##_rint_quiet, fp_##f##_rint(e, (type)x[0], e->round, false))                        \
    SOFT(f##_floor, fp_##f##_rint(e, (type)x[0], FP_RDN, true))                                \
    SOFT(f##_to_i64, (uint64_t)fp_##f##_to_int(e, (type)x[0], e->round, 64))                   \
    SOFT(f##_to_i32, (uint64_t)fp_##f##_to_int(e, (type)x[0], e->round, 32))                   \
    SOFT(f##_trunc_i64, (uint64_t)fp_##f##_to_int(e, (type)x[0], FP_RTZ, 64))                  \
    SOFT(f##_from_i64, fp_##f##_from_int(e, (int64_t)x[0]))                                    \
    SOFT(f##_quiet, (uint64_t)(int64_t)fp_##f##_compare(e, (type)x[0], (type)x[1], false))     \
    SOFT(f##_signalling, (uint64_t)(int64_t)fp_##f##_compare(e, (type)x[0], (type)x[1], true)) \
    SOFT(f##_fma, fp_##f##_fma(e, (type)x[1], (type)x[0], (type)x[2], 0))                      \
    SOFT(f##_fmsub, fp_##f##_fma(e, (type)x[1], (type)x[0], (type)x[2], FP_FMA_NEG_ADDEND))    \
    SOFT(f##_fnmadd, fp_##f##_fma(e, (type)x[1], (type)x[0], (type)x[2], FP_FMA_NEG_PRODUCT))  \
    SOFT(f##_fnmsub, fp_##f##_fma(e, (type)x[1], (type)x[0], (type)x[2],                       \
                                  FP_FMA_NEG_PRODUCT | FP_FMA_NEG_ADDEND))

BOTH_SIDES(f32, uint32_t, float, "s")
BOTH_SIDES(f64, uint64_t, double, "d")
HOST_UNARY(f32_to_f64, uint64_t, double, uint32_t, float, "cvtss2sd")
HOST_UNARY(f64_to_f32, uint32_t, float, uint64_t, double, "cvtsd2ss")
SOFT(f32_to_f64, fp_f32_to_f64(e, (uint32_t)x[0]))
SOFT(f64_to_f32, fp_f64_to_f32(e, (uint64_t)x[0]))
HOST_UNARY(f16_to_f32, uint32_t, float, uint32_t, float, "vcvtph2ps")
HOST_UNARY(f32_to_f16, uint32_t, float, uint32_t, float, "vcvtps2ph $4,")

/* F16C takes half-precision denormals as they are, whatever MXCSR says, and raises nothing for
 * them. */
static fpv_u128 soft_f16_to_f32(struct fp_env *e, const fpv_u128 *x)
{
    struct fp_env half = *e;
    uint32_t r;

    half.denormals_are_zero = false;
    r = fp_f16_to_f32(&half, (uint16_t)x[0]);
    e->flags |= half.flags & ~FP_FLAG_DE;
    return r;
}

static fpv_u128 soft_f32_to_f16(struct fp_env *e, const fpv_u128 *x)
{
    e->flush = FP_FLUSH_OFF;
    return fp_f32_to_f16(e, (uint32_t)x[0]);
}

static const struct fpv_shape shape_f16 = { 5, 10, false };
static const struct fpv_shape shape_f32 = { 8, 23, false };
static const struct fpv_shape shape_f64 = { 11, 52, false };

enum need { NEED_SSE2, NEED_SSE41, NEED_FMA, NEED_F16C };

struct host_op {
    const char *name;
    int arity;
    enum need need;
    const struct fpv_shape *shape; /* of the operands */
    fpv_u128 (*host)(uint32_t *csr, const fpv_u128 *x);
    fpv_u128 (*soft)(struct fp_env *env, const fpv_u128 *x);
};

#define OP(name, arity, need, shape)                        \
    {                                                       \
#name, arity, need, shape, host_##name, soft_##name \
    }
#define OPS(f)                                                                                   \
    OP(f##_add, 2, NEED_SSE2, &shape_##f), OP(f##_sub, 2, NEED_SSE2, &shape_##f),                \
        OP(f##_mul, 2, NEED_SSE2, &shape_##f), OP(f##_div, 2, NEED_SSE2, &shape_##f),            \
        OP(f##_quiet, 2, NEED_SSE2, &shape_##f), OP(f##_signalling, 2, NEED_SSE2, &shape_##f),   \
        OP(f##_sqrt, 1, NEED_SSE2, &shape_##f), OP(f##_to_i64, 1, NEED_SSE2, &shape_##f),        \
        OP(f##_to_i32, 1, NEED_SSE2, &shape_##f), OP(f##_trunc_i64, 1, NEED_SSE2, &shape_##f),   \
        OP(f##_from_i64, 1, NEED_SSE2, &shape_f64), OP(f##_rint, 1, NEED_SSE41, &shape_##f),     \
        OP(f##_rint_quiet, 1, NEED_SSE41, &shape_##f), OP(f##_floor, 1, NEED_SSE41, &shape_##f), \
        OP(f##_fma, 3, NEED_FMA, &shape_##f), OP(f##_fmsub, 3, NEED_FMA, &shape_##f),            \
        OP(f##_fnmadd, 3, NEED_FMA, &shape_##f), OP(f##_fnmsub, 3, NEED_FMA, &shape_##f)

static const struct host_op host_ops[] = {
    OPS(f32),
    OPS(f64),
    OP(f32_to_f64, 1, NEED_SSE2, &shape_f32),
    OP(f64_to_f32, 1, NEED_SSE2, &shape_f64),
    OP(f16_to_f32, 1, NEED_F16C, &shape_f16),
    OP(f32_to_f16, 1, NEED_F16C, &shape_f32),
};

static bool host_has(enum need need)
{
    switch (need) {
    case NEED_SSE41: return __builtin_cpu_supports("sse4.1");
    case NEED_FMA: return __builtin_cpu_supports("fma");
    case NEED_F16C: return __builtin_cpu_supports("avx2"); /* which came after F16C */
    default: return true;
    }
}

/* MXCSR's rounding control counts otherwise than enum fp_round. */
static const uint8_t rounds[4] = { FP_RNE, FP_RDN, FP_RUP, FP_RTZ };

static uint32_t mxcsr_flags(uint8_t flags)
{
    static const uint8_t order[6] = { FP_FLAG_NV, FP_FLAG_DE, FP_FLAG_DZ,
                                      FP_FLAG_OF, FP_FLAG_UF, FP_FLAG_NX };
    uint32_t csr = 0;

    for (int i = 0; i < 6; i++) {
        csr |= flags & order[i] ? 1u << i : 0;
    }
    return csr;
}

static void check_one(const struct host_op *op, int rc, bool flush, const fpv_u128 *x)
{
    struct fp_env env = { .round = rounds[rc],
                          .nan = FP_NAN_X86,
                          .toint = FP_TOINT_X86,
                          .default_nan_sign = true,
                          .flush = flush ? FP_FLUSH_X86 : FP_FLUSH_OFF,
                          .denormals_are_zero = flush };
    uint32_t csr = MXCSR_MASKED | (uint32_t)rc << 13 | (flush ? MXCSR_FTZ | MXCSR_DAZ : 0);
    fpv_u128 want = op->host(&csr, x), got = op->soft(&env, x);

    if (want != got || mxcsr_flags(env.flags) != (csr & 0x3f)) {
        g_test_message("%s(%#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ") rounding %d%s: "
                       "got %#" PRIx64 " flags %#x, host %#" PRIx64 " flags %#x",
                       op->name, (uint64_t)x[0], (uint64_t)x[1], (uint64_t)x[2], rc,
                       flush ? " flushing" : "", (uint64_t)got, mxcsr_flags(env.flags),
                       (uint64_t)want, csr & 0x3f);
        g_test_fail();
    }
}

static void check_all_modes(const struct host_op *op, const fpv_u128 *x)
{
    for (int rc = 0; rc < 4; rc++) {
        check_one(op, rc, false, x);
        check_one(op, rc, true, x);
    }
}

static void test_op(const void *data)
{
    const struct host_op *op = data;
    GArray *special = fpv_special(op->shape);
    GRand *rand = fpv_rand_new();
    fpv_u128 x[3] = { 0 };

    for (guint i = 0; i < special->len && !g_test_failed(); i++) {
        x[0] = g_array_index(special, fpv_u128, i);
        for (guint k = 0; k < (op->arity > 1 ? special->len : 1); k++) {
            x[1] = g_array_index(special, fpv_u128, k);
            x[2] = fpv_random(op->shape, rand, special);
            check_all_modes(op, x);
        }
    }
    for (int i = 0; i < 20000 && !g_test_failed(); i++) {
        for (int k = 0; k < 3; k++) {
            x[k] = fpv_random(op->shape, rand, special);
        }
        check_all_modes(op, x);
    }
    g_rand_free(rand);
    g_array_unref(special);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(host_ops); i++) {
        char *path = g_strdup_printf("/softfp/host/%s", host_ops[i].name);

        if (host_has(host_ops[i].need)) {
            g_test_add_data_func(path, &host_ops[i], test_op);
        }
        g_free(path);
    }
    return g_test_run();
}

#else

static void test_skip(void)
{
    g_test_skip("the host is not x86-64");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/softfp/host", test_skip);
    return g_test_run();
}

#endif
