/*
 * Software floating-point arithmetic against MPFR: every operation of every format in all rounding
 * directions, tininess before and after rounding, on special values crossed with each other and
 * random ones; binary16's square root exhaustively. NaN rules here are RISC-V's. Skipped without
 * MPFR.
 */
#include "fpvalues.h"
#include <tcg/softfp.h>

#ifdef CONFIG_MPFR

#include "fpref.h"
#include <inttypes.h>

enum op {
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_REM,
    OP_REM_TRUNC,
    OP_SQRT,
    OP_FMA,
    OP_FNMSUB,
    OP_COUNT
};

static const char *const op_names[OP_COUNT] = { "add",       "sub",  "mul", "div",   "rem",
                                                "rem_trunc", "sqrt", "fma", "fnmsub" };

struct format {
    const char *name;
    struct fpv_shape shape;
    fpv_u128 (*apply)(enum op op, struct fp_env *env, const fpv_u128 *x);
};

/* One signature for all formats. */
#define ADAPT(X, type, FMA_CASES)                                                        \
    static fpv_u128 X##_apply(enum op op, struct fp_env *env, const fpv_u128 *x)         \
    {                                                                                    \
        switch (op) {                                                                    \
        case OP_ADD: return fp_##X##_add(env, (type)x[0], (type)x[1]);                   \
        case OP_SUB: return fp_##X##_sub(env, (type)x[0], (type)x[1]);                   \
        case OP_MUL: return fp_##X##_mul(env, (type)x[0], (type)x[1]);                   \
        case OP_DIV: return fp_##X##_div(env, (type)x[0], (type)x[1]);                   \
        case OP_REM: return fp_##X##_rem(env, (type)x[0], (type)x[1], NULL);             \
        case OP_REM_TRUNC: return fp_##X##_rem_trunc(env, (type)x[0], (type)x[1], NULL); \
        case OP_SQRT: return fp_##X##_sqrt(env, (type)x[0]); FMA_CASES(X, type)          \
        default: g_assert_not_reached();                                                 \
        }                                                                                \
    }

#define NO_FMA(X, type)
#define HAS_FMA(X, type)                                                          \
    case OP_FMA: return fp_##X##_fma(env, (type)x[0], (type)x[1], (type)x[2], 0); \
    case OP_FNMSUB:                                                               \
        return fp_##X##_fma(env, (type)x[0], (type)x[1], (type)x[2],              \
                            FP_FMA_NEG_PRODUCT | FP_FMA_NEG_ADDEND);

ADAPT(f16, uint16_t, HAS_FMA)
ADAPT(bf16, uint16_t, HAS_FMA)
ADAPT(f32, uint32_t, HAS_FMA)
ADAPT(f64, uint64_t, HAS_FMA)
ADAPT(f80, fp_u128, NO_FMA)
ADAPT(f128, fp_u128, NO_FMA)

static const struct format formats[] = {
    { "f16", { 5, 10, false }, f16_apply }, { "bf16", { 8, 7, false }, bf16_apply },
    { "f32", { 8, 23, false }, f32_apply }, { "f64", { 11, 52, false }, f64_apply },
    { "f80", { 15, 63, true }, f80_apply }, { "f128", { 15, 112, false }, f128_apply },
};

/* Reused by all checks: creating numbers costs more than computing with them. */
struct scratch {
    mpfr_t x[3], z;
};

static void scratch_init(struct scratch *t)
{
    mpfr_inits2(FPREF_PRECISION, t->x[0], t->x[1], t->x[2], t->z, NULL);
}

static void scratch_clear(struct scratch *t)
{
    mpfr_clears(t->x[0], t->x[1], t->x[2], t->z, NULL);
}

static int compute(enum op op, mpfr_t z, mpfr_t *x, mpfr_rnd_t rnd)
{
    switch (op) {
    case OP_ADD: return mpfr_add(z, x[0], x[1], rnd);
    case OP_SUB: return mpfr_sub(z, x[0], x[1], rnd);
    case OP_MUL: return mpfr_mul(z, x[0], x[1], rnd);
    case OP_DIV: return mpfr_div(z, x[0], x[1], rnd);
    case OP_REM: return mpfr_remainder(z, x[0], x[1], rnd);
    case OP_REM_TRUNC: return mpfr_fmod(z, x[0], x[1], rnd);
    case OP_SQRT: return mpfr_sqrt(z, x[0], rnd);
    case OP_FNMSUB: mpfr_neg(x[0], x[0], rnd); mpfr_neg(x[2], x[2], rnd); /* fall through */
    case OP_FMA: return mpfr_fma(z, x[0], x[1], x[2], rnd);
    default: g_assert_not_reached();
    }
}

static int arity(enum op op)
{
    return op == OP_SQRT ? 1 : op >= OP_FMA ? 3 : 2;
}

/* What the operation has to give, by IEEE 754-2019 and RISC-V's choices. */
static fpv_u128 expected(const struct format *f, struct scratch *t, enum op op, struct fp_env *env,
                         const fpv_u128 *x)
{
    bool nan = false, inf = false;
    int more;

    for (int i = 0; i < arity(op); i++) {
        fpref_decode(t->x[i], &f->shape, x[i]);
        nan |= fpref_is_nan(&f->shape, x[i]);
        inf |= mpfr_inf_p(t->x[i]);
        env->flags |= fpref_is_snan(&f->shape, x[i]) ? FP_FLAG_NV : 0;
    }
    if (op >= OP_FMA) {
        mpfr_mul(t->z, t->x[0], t->x[1], MPFR_RNDZ);
        if (mpfr_nan_p(t->z) && !mpfr_nan_p(t->x[0]) && !mpfr_nan_p(t->x[1])) {
            env->flags |= FP_FLAG_NV; /* inf * 0 is invalid whatever is added */
        }
    }
    more = compute(op, t->z, t->x, env->round == FP_RDN ? MPFR_RNDD : MPFR_RNDZ);
    if (mpfr_nan_p(t->z)) {
        env->flags |= nan ? 0 : FP_FLAG_NV;
        return fpref_nan(&f->shape);
    }
    if (mpfr_inf_p(t->z)) {
        env->flags |= inf ? 0 : FP_FLAG_DZ;
        return fpv_pack(&f->shape, mpfr_signbit(t->z), (1 << f->shape.exp_bits) - 1, 0);
    }
    if (env->round == FP_RDN && more) { /* towards zero is needed for all but the sign of zeros */
        for (int i = 0; i < arity(op); i++) {
            fpref_decode(t->x[i], &f->shape, x[i]);
        }
        more = compute(op, t->z, t->x, MPFR_RNDZ);
    }
    return fpref_round(&f->shape, f->shape.frac_bits + 1, env, t->z, more != 0);
}

static void check_op(const struct format *f, struct scratch *t, enum op op, unsigned mode,
                     const fpv_u128 *x)
{
    struct fp_env env = { .round = mode % 6, .tiny_before = mode / 6 % 2 }, soft = env, ref = env;
    fpv_u128 got = f->apply(op, &soft, x), want = expected(f, t, op, &ref, x);

    fpref_check(f->name, op_names[op], &env, x, arity(op), got, soft.flags, want, ref.flags);
}

static bool has_op(const struct format *f, enum op op)
{
    return op < OP_FMA || f->shape.frac_bits <= 52;
}

/* Square roots need no pairs; MPFR's remainders take long where exponents can be far apart. */
static guint share_of(const struct format *f, enum op op)
{
    bool slow = (op == OP_REM || op == OP_REM_TRUNC) && f->shape.exp_bits == 15;

    return op == OP_SQRT ? 11 : slow ? 13 : 1;
}

/* All pairs of special values, each in a random one of the twelve modes; then random operands. */
static void test_arithmetic(const void *data)
{
    const struct format *f = data;
    GArray *special = fpv_special(&f->shape);
    GRand *rand = fpv_rand_new();
    struct scratch t;
    fpv_u128 x[3];

    scratch_init(&t);
    for (guint i = 0; i < special->len * special->len && !g_test_failed(); i++) {
        x[0] = g_array_index(special, fpv_u128, i / special->len);
        x[1] = g_array_index(special, fpv_u128, i % special->len);
        x[2] = g_array_index(special, fpv_u128, g_rand_int_range(rand, 0, special->len));
        for (enum op op = 0; op < OP_COUNT; op++) {
            if (has_op(f, op) && i % share_of(f, op) == 0) {
                check_op(f, &t, op, g_rand_int(rand), x);
            }
        }
    }
    for (guint i = 0; i < 12000 && !g_test_failed(); i++) {
        for (int k = 0; k < 3; k++) {
            x[k] = fpv_random(&f->shape, rand, special);
        }
        for (enum op op = 0; op < OP_COUNT; op++) {
            if (has_op(f, op) && (op == OP_SQRT || i % share_of(f, op) == 0)) {
                check_op(f, &t, op, i, x);
            }
        }
    }
    scratch_clear(&t);
    g_rand_free(rand);
    g_array_unref(special);
}

/* Every value of the smallest format, in every mode. */
static void test_f16_sqrt(void)
{
    struct scratch t;

    scratch_init(&t);
    for (fpv_u128 x = 0; x < 1 << 16 && !g_test_failed(); x++) {
        for (unsigned mode = 0; mode < 6; mode++) {
            check_op(&formats[0], &t, OP_SQRT, mode, &x);
        }
    }
    scratch_clear(&t);
}

/* x87's precision control: a shorter significand in the full range of exponents. */
static void test_f80_precision(void)
{
    const struct format *f = &formats[4];
    GArray *special = fpv_special(&f->shape);
    GRand *rand = fpv_rand_new();
    struct scratch t;

    scratch_init(&t);
    for (int i = 0; i < 20000 && !g_test_failed(); i++) {
        fpv_u128 x[2] = { fpv_random(&f->shape, rand, special),
                          fpv_random(&f->shape, rand, special) };
        enum op op = (enum op)g_rand_int_range(rand, OP_ADD, OP_DIV + 1);
        struct fp_env env = { .round = i % 6, .f80_precision = i & 1 ? 24 : 53 }, soft = env,
                      ref = env;
        fpv_u128 got = f->apply(op, &soft, x), want;

        fpref_decode(t.x[0], &f->shape, x[0]);
        fpref_decode(t.x[1], &f->shape, x[1]);
        if (mpfr_regular_p(t.x[0]) && mpfr_regular_p(t.x[1])) {
            int more = compute(op, t.z, t.x, MPFR_RNDZ);

            if (mpfr_zero_p(t.z)) {
                continue;
            }
            want = fpref_round(&f->shape, env.f80_precision, &ref, t.z, more != 0);
            fpref_check("f80 short", op_names[op], &env, x, 2, got, soft.flags, want, ref.flags);
        }
    }
    scratch_clear(&t);
    g_rand_free(rand);
    g_array_unref(special);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        char *path = g_strdup_printf("/softfp/arithmetic/%s", formats[i].name);

        g_test_add_data_func(path, &formats[i], test_arithmetic);
        g_free(path);
    }
    g_test_add_func("/softfp/f16-sqrt", test_f16_sqrt);
    g_test_add_func("/softfp/f80-precision", test_f80_precision);
    return g_test_run();
}

#else

static void test_skip(void)
{
    g_test_skip("configure found no MPFR");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/softfp/arithmetic", test_skip);
    return g_test_run();
}

#endif
