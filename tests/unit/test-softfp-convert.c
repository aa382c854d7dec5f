/*
 * Software floating point against MPFR: conversions between formats and to and from integers,
 * rounding to integral values, scaling, comparison, minimum and maximum, classes. binary16
 * exhaustively, the others on special values in every direction and random ones. Skipped without
 * MPFR.
 */
#include "fpvalues.h"
#include <tcg/softfp.h>

#ifdef CONFIG_MPFR

#include "fpref.h"

struct format {
    const char *name;
    struct fpv_shape shape;
    fpv_u128 (*rint)(struct fp_env *env, fpv_u128 x, bool inexact);
    fpv_u128 (*scale)(struct fp_env *env, fpv_u128 x, int n);
    uint64_t (*to_int)(struct fp_env *env, fpv_u128 x, unsigned bits, bool is_signed);
    fpv_u128 (*from_int)(struct fp_env *env, uint64_t v, bool is_signed);
    enum fp_relation (*compare)(struct fp_env *env, const fpv_u128 *x, bool signalling);
    fpv_u128 (*minmax)(struct fp_env *env, const fpv_u128 *x, unsigned op);
    unsigned (*class)(fpv_u128 x);
};

/* One signature for all formats. */
#define ADAPT(X, type)                                                                          \
    static fpv_u128 X##_rint(struct fp_env *env, fpv_u128 x, bool inexact)                      \
    {                                                                                           \
        return fp_##X##_rint(env, (type)x, env->round, inexact);                                \
    }                                                                                           \
    static fpv_u128 X##_scale(struct fp_env *env, fpv_u128 x, int n)                            \
    {                                                                                           \
        return fp_##X##_scale(env, (type)x, n);                                                 \
    }                                                                                           \
    static uint64_t X##_to_int(struct fp_env *env, fpv_u128 x, unsigned bits, bool is_signed)   \
    {                                                                                           \
        return is_signed ? (uint64_t)fp_##X##_to_int(env, (type)x, env->round, bits)            \
                         : fp_##X##_to_uint(env, (type)x, env->round, bits);                    \
    }                                                                                           \
    static fpv_u128 X##_from_int(struct fp_env *env, uint64_t v, bool is_signed)                \
    {                                                                                           \
        return is_signed ? fp_##X##_from_int(env, (int64_t)v) : fp_##X##_from_uint(env, v);     \
    }                                                                                           \
    static enum fp_relation X##_compare(struct fp_env *env, const fpv_u128 *x, bool signalling) \
    {                                                                                           \
        return fp_##X##_compare(env, (type)x[0], (type)x[1], signalling);                       \
    }                                                                                           \
    static fpv_u128 X##_minmax(struct fp_env *env, const fpv_u128 *x, unsigned op)              \
    {                                                                                           \
        return fp_##X##_minmax(env, (type)x[0], (type)x[1], op);                                \
    }                                                                                           \
    static unsigned X##_class(fpv_u128 x)                                                       \
    {                                                                                           \
        return fp_##X##_class((type)x);                                                         \
    }

ADAPT(f16, uint16_t)
ADAPT(bf16, uint16_t)
ADAPT(f32, uint32_t)
ADAPT(f64, uint64_t)
ADAPT(f80, fp_u128)
ADAPT(f128, fp_u128)

#define FORMAT(X, e, f, explicit)                                                           \
    {                                                                                       \
#X, { e, f, explicit }, X##_rint, X##_scale, X##_to_int, X##_from_int, X##_compare, \
              X##_minmax, X##_class                                                         \
    }

enum { F16, BF16, F32, F64, F80, F128, FORMAT_COUNT };

static const struct format formats[FORMAT_COUNT] = {
    [F16] = FORMAT(f16, 5, 10, false), [BF16] = FORMAT(bf16, 8, 7, false),
    [F32] = FORMAT(f32, 8, 23, false), [F64] = FORMAT(f64, 11, 52, false),
    [F80] = FORMAT(f80, 15, 63, true), [F128] = FORMAT(f128, 15, 112, false),
};

struct conversion {
    int from, to;
    fpv_u128 (*convert)(struct fp_env *env, fpv_u128 x);
};

#define CONVERT(X, Y, type)                                    \
    static fpv_u128 X##_to_##Y(struct fp_env *env, fpv_u128 x) \
    {                                                          \
        return fp_##X##_to_##Y(env, (type)x);                  \
    }

CONVERT(f32, f16, uint32_t)
CONVERT(f64, f16, uint64_t)
CONVERT(f80, f16, fp_u128)
CONVERT(f128, f16, fp_u128)
CONVERT(bf16, f16, uint16_t)
CONVERT(f16, bf16, uint16_t)
CONVERT(f32, bf16, uint32_t)
CONVERT(f64, bf16, uint64_t)
CONVERT(f16, f32, uint16_t)
CONVERT(bf16, f32, uint16_t)
CONVERT(f64, f32, uint64_t)
CONVERT(f80, f32, fp_u128)
CONVERT(f128, f32, fp_u128)
CONVERT(f16, f64, uint16_t)
CONVERT(bf16, f64, uint16_t)
CONVERT(f32, f64, uint32_t)
CONVERT(f80, f64, fp_u128)
CONVERT(f128, f64, fp_u128)
CONVERT(f32, f80, uint32_t)
CONVERT(f64, f80, uint64_t)
CONVERT(f128, f80, fp_u128)
CONVERT(f16, f128, uint16_t)
CONVERT(f32, f128, uint32_t)
CONVERT(f64, f128, uint64_t)
CONVERT(f80, f128, fp_u128)

static const struct conversion conversions[] = {
    { F32, F16, f32_to_f16 },   { F64, F16, f64_to_f16 },   { F80, F16, f80_to_f16 },
    { F128, F16, f128_to_f16 }, { BF16, F16, bf16_to_f16 }, { F16, BF16, f16_to_bf16 },
    { F32, BF16, f32_to_bf16 }, { F64, BF16, f64_to_bf16 }, { F16, F32, f16_to_f32 },
    { BF16, F32, bf16_to_f32 }, { F64, F32, f64_to_f32 },   { F80, F32, f80_to_f32 },
    { F128, F32, f128_to_f32 }, { F16, F64, f16_to_f64 },   { BF16, F64, bf16_to_f64 },
    { F32, F64, f32_to_f64 },   { F80, F64, f80_to_f64 },   { F128, F64, f128_to_f64 },
    { F32, F80, f32_to_f80 },   { F64, F80, f64_to_f80 },   { F128, F80, f128_to_f80 },
    { F16, F128, f16_to_f128 }, { F32, F128, f32_to_f128 }, { F64, F128, f64_to_f128 },
    { F80, F128, f80_to_f128 },
};

/* z as bits of format f, infinities and NaNs included; flags for a NaN operand x of format g. */
static fpv_u128 encode(const struct format *f, struct fp_env *env, const mpfr_t z,
                       const struct format *g, fpv_u128 x)
{
    if (mpfr_nan_p(z)) {
        env->flags |= fpref_is_snan(&g->shape, x) ? FP_FLAG_NV : 0;
        return fpref_nan(&f->shape);
    }
    if (mpfr_inf_p(z)) {
        return fpv_pack(&f->shape, mpfr_signbit(z), (1 << f->shape.exp_bits) - 1, 0);
    }
    return fpref_round(&f->shape, f->shape.frac_bits + 1, env, z, false);
}

static void check_conversion(const struct conversion *c, mpfr_t z, unsigned mode, fpv_u128 x)
{
    const struct format *from = &formats[c->from], *to = &formats[c->to];
    struct fp_env env = { .round = mode % 6, .tiny_before = mode / 6 % 2 }, soft = env, ref = env;
    fpv_u128 got = c->convert(&soft, x), want;

    fpref_decode(z, &from->shape, x);
    want = encode(to, &ref, z, from, x);
    fpref_check(from->name, to->name, &env, &x, 1, got, soft.flags, want, ref.flags);
}

static void check_rint(const struct format *f, mpfr_t z, unsigned mode, fpv_u128 x)
{
    struct fp_env env = { .round = mode % 6 }, soft = env, ref = env;
    bool raise = mode / 6 % 2;
    fpv_u128 got = f->rint(&soft, x, raise), want;

    fpref_decode(z, &f->shape, x);
    if (mpfr_regular_p(z) && fpref_integer(z, env.round) && raise) {
        ref.flags |= FP_FLAG_NX;
    }
    want = encode(f, &ref, z, f, x);
    fpref_check(f->name, "rint", &env, &x, 1, got, soft.flags, want, ref.flags);
}

static void check_scale(const struct format *f, mpfr_t z, unsigned mode, fpv_u128 x, int n)
{
    struct fp_env env = { .round = mode % 6, .tiny_before = mode / 6 % 2 }, soft = env, ref = env;
    fpv_u128 got = f->scale(&soft, x, n), want;

    fpref_decode(z, &f->shape, x);
    mpfr_mul_2si(z, z, n, MPFR_RNDN);
    want = encode(f, &ref, z, f, x);
    fpref_check(f->name, "scale", &env, &x, 1, got, soft.flags, want, ref.flags);
}

/* Converts z, or gives the bound that it is beyond: F extension, table of FCVT's domains. */
static uint64_t ref_to_int(struct fp_env *env, mpfr_t z, unsigned bits, bool is_signed)
{
    uint64_t max = UINT64_MAX >> (64 - bits + is_signed), min = is_signed ? ~max : 0;
    bool inexact;

    if (mpfr_nan_p(z) || mpfr_inf_p(z)) {
        env->flags |= FP_FLAG_NV;
        return mpfr_nan_p(z) || !mpfr_signbit(z) ? max : min;
    }
    inexact = fpref_integer(z, env->round);
    if (mpfr_cmp_ui_2exp(z, 1, bits - is_signed) >= 0) {
        env->flags |= FP_FLAG_NV;
        return max;
    }
    if (is_signed ? mpfr_cmp_si_2exp(z, -1, bits - 1) < 0 : mpfr_sgn(z) < 0) {
        env->flags |= FP_FLAG_NV;
        return min;
    }
    env->flags |= inexact ? FP_FLAG_NX : 0;
    return is_signed ? (uint64_t)mpfr_get_sj(z, MPFR_RNDN) : mpfr_get_uj(z, MPFR_RNDN);
}

static void check_to_int(const struct format *f, mpfr_t z, unsigned mode, fpv_u128 x)
{
    static const uint8_t widths[4] = { 8, 16, 32, 64 };
    char what[16];

    for (unsigned i = 0; i < 8; i++) {
        struct fp_env env = { .round = mode % 6 }, soft = env, ref = env;
        uint64_t got = f->to_int(&soft, x, widths[i / 2], i % 2), want;

        fpref_decode(z, &f->shape, x);
        want = ref_to_int(&ref, z, widths[i / 2], i % 2);
        snprintf(what, sizeof(what), "to_%s%u", i % 2 ? "int" : "uint", widths[i / 2]);
        fpref_check(f->name, what, &env, &x, 1, got, soft.flags, want, ref.flags);
    }
}

static void check_from_int(const struct format *f, mpfr_t z, unsigned mode, uint64_t v)
{
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        struct fp_env env = { .round = mode % 6 }, soft = env, ref = env;
        fpv_u128 x = v, got = f->from_int(&soft, v, is_signed), want;

        if (is_signed) {
            mpfr_set_sj(z, (int64_t)v, MPFR_RNDN);
        } else {
            mpfr_set_uj(z, v, MPFR_RNDN);
        }
        want = encode(f, &ref, z, f, 0);
        fpref_check(f->name, is_signed ? "from_int" : "from_uint", &env, &x, 1, got, soft.flags,
                    want, ref.flags);
    }
}

static unsigned ref_class(const struct format *f, const mpfr_t z, fpv_u128 x)
{
    bool sign = mpfr_signbit(z);
    long emin = 2 - (1l << (f->shape.exp_bits - 1));

    if (mpfr_nan_p(z)) {
        return fpref_is_snan(&f->shape, x) ? 1 << 8 : 1 << 9;
    }
    if (mpfr_inf_p(z)) {
        return sign ? 1 << 0 : 1 << 7;
    }
    if (mpfr_zero_p(z)) {
        return sign ? 1 << 3 : 1 << 4;
    }
    if (mpfr_get_exp(z) - 1 < emin) {
        return sign ? 1 << 2 : 1 << 5;
    }
    return sign ? 1 << 1 : 1 << 6;
}

static void check_unary(const struct format *f, mpfr_t z, unsigned mode, fpv_u128 x)
{
    struct fp_env env = { 0 };

    check_rint(f, z, mode, x);
    check_to_int(f, z, mode, x);
    fpref_decode(z, &f->shape, x);
    fpref_check(f->name, "class", &env, &x, 1, f->class(x), 0, ref_class(f, z, x), 0);
}

static void test_unary(const void *data)
{
    const struct format *f = data;
    GArray *special = fpv_special(&f->shape);
    GRand *rand = fpv_rand_new();
    int span = 2 << f->shape.exp_bits;
    mpfr_t z;

    mpfr_init2(z, FPREF_PRECISION);
    for (guint i = 0; i < special->len * 12; i++) {
        fpv_u128 x = g_array_index(special, fpv_u128, i / 12);

        check_unary(f, z, i, x);
        check_scale(f, z, i, x, (int)g_rand_int_range(rand, -span, span));
    }
    for (int i = 0; i < 12000; i++) {
        fpv_u128 x = fpv_random(&f->shape, rand, special);
        uint64_t v = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

        check_unary(f, z, i, x);
        check_scale(f, z, i, x, (int)g_rand_int_range(rand, -100, 100));
        check_from_int(f, z, i,
                       i < 600 ? (uint64_t)(i / 6 - 50) : v >> g_rand_int_range(rand, 0, 64));
        check_from_int(f, z, i,
                       (1ull << g_rand_int_range(rand, 0, 64)) + (uint64_t)(i / 6 % 3 - 1));
    }
    mpfr_clear(z);
    g_rand_free(rand);
    g_array_unref(special);
}

static void test_conversion(const void *data)
{
    const struct conversion *c = data;
    const struct fpv_shape *from = &formats[c->from].shape;
    GArray *special = fpv_special(from), *targets = fpv_special(&formats[c->to].shape);
    GRand *rand = fpv_rand_new();
    mpfr_t z;

    mpfr_init2(z, FPREF_PRECISION);
    for (guint i = 0; i < special->len * 12; i++) {
        check_conversion(c, z, i, g_array_index(special, fpv_u128, i / 12));
    }
    /* around values at which something changes in the target */
    for (guint i = 0; i < targets->len * 36; i++) {
        fpv_u128 y = g_array_index(targets, fpv_u128, i / 36), x;
        struct fp_env exact = { .round = FP_RTZ };

        fpref_decode(z, &formats[c->to].shape, y);
        if (mpfr_number_p(z)) {
            x = fpref_round(from, from->frac_bits + 1, &exact, z, false);
            x += i / 12 % 3 - (x != 0);
            if (from->explicit_bit && x >> 64 & 0x7fff) {
                x |= (fpv_u128)1 << 63; /* one below a power of two would have lost it */
            }
            check_conversion(c, z, i, x);
        }
    }
    for (int i = 0; i < 6000; i++) {
        check_conversion(c, z, i, fpv_random(from, rand, special));
    }
    mpfr_clear(z);
    g_rand_free(rand);
    g_array_unref(special);
    g_array_unref(targets);
}

static void test_f16_all(void)
{
    mpfr_t z;

    mpfr_init2(z, FPREF_PRECISION);
    for (fpv_u128 x = 0; x < 1 << 16 && !g_test_failed(); x++) {
        for (size_t i = 0; i < G_N_ELEMENTS(conversions); i++) {
            if (conversions[i].from == F16) {
                check_conversion(&conversions[i], z, (unsigned)x, x);
            }
        }
        for (unsigned mode = 0; mode < 6; mode++) {
            check_rint(&formats[F16], z, mode, x);
        }
        check_unary(&formats[F16], z, (unsigned)(x + (x >> 10)), x);
    }
    mpfr_clear(z);
}

/* fmin and fmax of RISC-V's F 2.2, fminm and fmaxm of Zfa, in words: 754-2019, 9.6. */
static fpv_u128 ref_minmax(const struct format *f, struct fp_env *env, mpfr_t *z, const fpv_u128 *x,
                           unsigned op)
{
    bool number = op & FP_MINMAX_NUMBER, max = op & FP_MINMAX_MAX, snan = false, first;
    int order;

    for (int i = 0; i < 2; i++) {
        snan |= fpref_is_snan(&f->shape, x[i]);
    }
    env->flags |= snan ? FP_FLAG_NV : 0;
    if (mpfr_nan_p(z[0]) || mpfr_nan_p(z[1])) {
        bool both = mpfr_nan_p(z[0]) && mpfr_nan_p(z[1]);

        if (both || !number || (snan && op & FP_MINMAX_SNAN_WINS)) {
            return fpref_nan(&f->shape);
        }
        return mpfr_nan_p(z[0]) ? x[1] : x[0];
    }
    order = mpfr_cmp(z[0], z[1]);
    order = order ? order : mpfr_signbit(z[1]) - mpfr_signbit(z[0]);
    first = max ? order >= 0 : order <= 0;
    return first ? x[0] : x[1];
}

static void check_pair(const struct format *f, mpfr_t *z, const fpv_u128 *x)
{
    bool nan, snan = fpref_is_snan(&f->shape, x[0]) || fpref_is_snan(&f->shape, x[1]);
    static const struct fp_env start = { 0 };

    fpref_decode(z[0], &f->shape, x[0]);
    fpref_decode(z[1], &f->shape, x[1]);
    nan = mpfr_nan_p(z[0]) || mpfr_nan_p(z[1]);
    for (int signalling = 0; signalling < 2; signalling++) {
        struct fp_env soft = start;
        int got = f->compare(&soft, x, signalling), c = mpfr_cmp(z[0], z[1]);
        int want = nan ? FP_UNORDERED : c < 0 ? FP_LESS : c > 0 ? FP_GREATER : FP_EQUAL;

        fpref_check(f->name, "compare", &start, x, 2, (uint64_t)got, soft.flags, (uint64_t)want,
                    snan || (nan && signalling) ? FP_FLAG_NV : 0);
    }
    for (unsigned op = 0; op < 8; op++) {
        struct fp_env soft = start, ref = start;
        fpv_u128 got = f->minmax(&soft, x, op), want = ref_minmax(f, &ref, z, x, op);

        fpref_check(f->name, "minmax", &start, x, 2, got, soft.flags, want, ref.flags);
    }
}

static void test_pairs(const void *data)
{
    const struct format *f = data;
    GArray *special = fpv_special(&f->shape);
    mpfr_t z[2];

    mpfr_inits2(FPREF_PRECISION, z[0], z[1], NULL);
    for (guint i = 0; i < special->len; i++) {
        for (guint k = 0; k < special->len; k++) {
            fpv_u128 x[2] = { g_array_index(special, fpv_u128, i),
                              g_array_index(special, fpv_u128, k) };

            check_pair(f, z, x);
        }
    }
    mpfr_clears(z[0], z[1], NULL);
    g_array_unref(special);
}

/* FCVTMOD.W.D: the integer part modulo 2^32, flags as of the saturating conversion. */
static void test_modular(void)
{
    const struct fpv_shape *s = &formats[F64].shape;
    GArray *special = fpv_special(s);
    GRand *rand = fpv_rand_new();
    mpfr_t z, wrap;

    mpfr_inits2(FPREF_PRECISION, z, wrap, NULL);
    mpfr_set_ui_2exp(wrap, 1, 32, MPFR_RNDN);
    for (guint i = 0; i < special->len + 40000; i++) {
        fpv_u128 x =
            i < special->len ? g_array_index(special, fpv_u128, i) : fpv_random(s, rand, special);
        struct fp_env env = { .round = i % 6 }, soft = env, ref = { .round = FP_RTZ };
        int64_t got = fp_f64_to_i32_modular(&soft, (uint64_t)x), want = 0;

        fpref_decode(z, s, x);
        ref_to_int(&ref, z, 32, true);
        fpref_decode(z, s, x);
        if (mpfr_number_p(z)) {
            mpfr_trunc(z, z);
            mpfr_fmod(z, z, wrap, MPFR_RNDZ);
            want = (int32_t)(uint32_t)mpfr_get_sj(z, MPFR_RNDZ);
        }
        fpref_check("f64", "to_i32_modular", &env, &x, 1, (uint64_t)got, soft.flags, (uint64_t)want,
                    ref.flags);
    }
    mpfr_clears(z, wrap, NULL);
    g_rand_free(rand);
    g_array_unref(special);
}

static void add_for(const char *what, const char *name, const void *data, GTestDataFunc test)
{
    char *path = g_strdup_printf("/softfp/%s/%s", what, name);

    g_test_add_data_func(path, data, test);
    g_free(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        add_for("unary", formats[i].name, &formats[i], test_unary);
        add_for("pairs", formats[i].name, &formats[i], test_pairs);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(conversions); i++) {
        char *name = g_strdup_printf("%s-to-%s", formats[conversions[i].from].name,
                                     formats[conversions[i].to].name);

        add_for("convert", name, &conversions[i], test_conversion);
        g_free(name);
    }
    g_test_add_func("/softfp/f16-all", test_f16_all);
    g_test_add_func("/softfp/modular", test_modular);
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
    g_test_add_func("/softfp/convert", test_skip);
    return g_test_run();
}

#endif
