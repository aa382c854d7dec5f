/*
 * The choices that struct fp_env offers where IEEE 754 leaves one, on cases worked out by hand from
 * the architectures' manuals; and the 7-bit estimates of RISC-V's vector extension, whose tables
 * are recomputed here from what they approximate.
 */
#include <math.h>
#include <tcg/softfp.h>

#define QNAN_A 0x7fc0000au
#define QNAN_B 0xffc0000bu
#define SNAN_A 0x7f80000au
#define SNAN_B 0xff80000bu
#define QUIET  0x00400000u
#define ONE    0x3f800000u
#define INF    0x7f800000u

/* A two-operand case of f32 addition: which NaN comes out, and whether invalid is raised. */
struct nan_case {
    uint32_t a, b, arm, x86;
    bool invalid;
};

static const struct nan_case nan_cases[] = {
    { QNAN_A, ONE, QNAN_A, QNAN_A, false },
    { ONE, QNAN_B, QNAN_B, QNAN_B, false },
    { QNAN_A, QNAN_B, QNAN_A, QNAN_A, false },
    { QNAN_A, SNAN_B, SNAN_B | QUIET, QNAN_A, true },
    { SNAN_A, QNAN_B, SNAN_A | QUIET, SNAN_A | QUIET, true },
    { SNAN_A, SNAN_B, SNAN_A | QUIET, SNAN_A | QUIET, true },
    { ONE, SNAN_B, SNAN_B | QUIET, SNAN_B | QUIET, true },
};

static void test_nan_propagation(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(nan_cases); i++) {
        const struct nan_case *c = &nan_cases[i];
        struct fp_env arm = { .nan = FP_NAN_ARM }, x86 = { .nan = FP_NAN_X86 }, riscv = { 0 };
        unsigned flags = c->invalid ? FP_FLAG_NV : 0;

        g_assert_cmphex(fp_f32_add(&arm, c->a, c->b), ==, c->arm);
        g_assert_cmphex(fp_f32_mul(&x86, c->a, c->b), ==, c->x86);
        g_assert_cmphex(fp_f32_div(&riscv, c->a, c->b), ==, 0x7fc00000);
        g_assert_cmphex(arm.flags, ==, flags);
        g_assert_cmphex(x86.flags, ==, flags);
        g_assert_cmphex(riscv.flags, ==, flags);
    }
}

static void test_default_nan_sign(void)
{
    struct fp_env env = { .nan = FP_NAN_X86, .default_nan_sign = true };

    g_assert_cmphex(fp_f32_sub(&env, INF, INF), ==, 0xffc00000);
    g_assert_cmphex(fp_f16_sqrt(&env, 0xbc00), ==, 0xfe00);
    g_assert_cmphex(env.flags, ==, FP_FLAG_NV);
}

/* Arm's FPMulAdd: the addend first, then the factors; a quiet addend does not hide inf * 0. */
static void test_fma_nan_arm(void)
{
    struct fp_env env = { .nan = FP_NAN_ARM };

    g_assert_cmphex(fp_f32_fma(&env, QNAN_A, ONE, QNAN_B, 0), ==, QNAN_B);
    g_assert_cmphex(fp_f32_fma(&env, ONE, QNAN_A, ONE, FP_FMA_NEG_PRODUCT), ==, QNAN_A);
    g_assert_cmphex(env.flags, ==, 0);
    g_assert_cmphex(fp_f32_fma(&env, ONE, SNAN_A, QNAN_B, 0), ==, SNAN_A | QUIET);
    g_assert_cmphex(fp_f32_fma(&env, SNAN_A, SNAN_B, ONE, 0), ==, SNAN_A | QUIET);
    g_assert_cmphex(fp_f32_fma(&env, QNAN_A, SNAN_B, QNAN_B, 0), ==, SNAN_B | QUIET);
    g_assert_cmphex(env.flags, ==, FP_FLAG_NV);
    env.flags = 0;
    g_assert_cmphex(fp_f32_fma(&env, INF, 0, QNAN_B, 0), ==, 0x7fc00000);
    g_assert_cmphex(env.flags, ==, FP_FLAG_NV);
    g_assert_cmphex(fp_f32_fma(&env, 0, INF, SNAN_B, 0), ==, SNAN_B | QUIET);
}

/* Payloads keep their leading bits, whatever the widths. */
static void test_nan_conversion(void)
{
    struct fp_env env = { .nan = FP_NAN_ARM }, riscv = { 0 };

    g_assert_cmphex(fp_f32_to_f64(&env, 0xffc12345), ==, 0xfff82468a0000000);
    g_assert_cmphex(fp_f64_to_f32(&env, 0xfff82468a1234567), ==, 0xffc12345);
    g_assert_cmphex(fp_f64_to_f16(&env, 0x7ffabc0000000000), ==, 0x7eaf);
    g_assert_cmphex(env.flags, ==, 0);
    g_assert_cmphex(fp_f16_to_f32(&env, 0x7c01), ==, 0x7fc02000);
    g_assert_cmphex(env.flags, ==, FP_FLAG_NV);
    g_assert_cmphex(fp_f32_to_f64(&riscv, 0xffc12345), ==, 0x7ff8000000000000);
}

static void test_flush_arm(void)
{
    struct fp_env env = { .flush = FP_FLUSH_ARM, .denormals_are_zero = true, .tiny_before = true };

    g_assert_cmphex(fp_f32_mul(&env, 0x80800000, 0x3f000000), ==, 0x80000000);
    g_assert_cmphex(env.flags, ==, FP_FLAG_UF);
    env.flags = 0; /* tiny before rounding, though it would round to the smallest normal number */
    g_assert_cmphex(fp_f32_mul(&env, 0x00ffffff, 0x3f000000), ==, 0);
    g_assert_cmphex(env.flags, ==, FP_FLAG_UF);
    env.flags = 0;
    g_assert_cmphex(fp_f32_add(&env, 0x007fffff, ONE), ==, ONE);
    g_assert_cmphex(env.flags, ==, FP_FLAG_ID);
    env.flags = 0;
    g_assert_true(fp_f32_eq(&env, 0x007fffff, 0x80000001));
    g_assert_cmphex(fp_f32_minmax(&env, 0x00000001, 0x00000002, FP_MINMAX_MAX), ==, 0);
    g_assert_cmphex(env.flags, ==, FP_FLAG_ID);
    env.flags = 0;
    g_assert_cmphex(fp_f32_div(&env, ONE, 0x00000001), ==, INF);
    g_assert_cmphex(env.flags, ==, FP_FLAG_ID | FP_FLAG_DZ);
}

/* The value that rounds up to the smallest normal number tells the two kinds of tininess apart. */
static void test_tininess(void)
{
    struct fp_env before = { .tiny_before = true }, after = { 0 };

    g_assert_cmphex(fp_f32_mul(&before, 0x00ffffff, 0x3f000000), ==, 0x00800000);
    g_assert_cmphex(fp_f32_mul(&after, 0x00ffffff, 0x3f000000), ==, 0x00800000);
    g_assert_cmphex(before.flags, ==, FP_FLAG_UF | FP_FLAG_NX);
    /* rounded to 24 bits without a lower bound it is still 1.ff..f * 2^-127, below the range */
    g_assert_cmphex(after.flags, ==, FP_FLAG_UF | FP_FLAG_NX);
    before.flags = after.flags = 0;
    g_assert_cmphex(fp_f64_to_f32(&before, 0x380ffffffffffff0), ==, 0x00800000);
    g_assert_cmphex(fp_f64_to_f32(&after, 0x380ffffffffffff0), ==, 0x00800000);
    g_assert_cmphex(before.flags, ==, FP_FLAG_UF | FP_FLAG_NX);
    g_assert_cmphex(after.flags, ==, FP_FLAG_NX);
}

static void test_to_int(void)
{
    static const uint64_t nan = 0x7ff8000000000000, big = 0x43f0000000000000,
                          minus_one = 0xbff0000000000000;
    struct fp_env riscv = { 0 }, arm = { .toint = FP_TOINT_ARM }, x86 = { .toint = FP_TOINT_X86 };

    g_assert_cmpint(fp_f64_to_int(&riscv, nan, FP_RTZ, 32), ==, INT32_MAX);
    g_assert_cmpint(fp_f64_to_int(&arm, nan, FP_RTZ, 32), ==, 0);
    g_assert_cmpint(fp_f64_to_int(&x86, nan, FP_RTZ, 32), ==, INT32_MIN);
    g_assert_cmpint(fp_f64_to_int(&riscv, big, FP_RTZ, 64), ==, INT64_MAX);
    g_assert_cmpint(fp_f64_to_int(&arm, big ^ 1ull << 63, FP_RTZ, 64), ==, INT64_MIN);
    g_assert_cmpint(fp_f64_to_int(&x86, big, FP_RTZ, 64), ==, INT64_MIN);
    g_assert_cmphex(fp_f64_to_uint(&riscv, minus_one, FP_RTZ, 32), ==, 0);
    g_assert_cmphex(fp_f64_to_uint(&arm, minus_one, FP_RTZ, 32), ==, 0);
    g_assert_cmphex(fp_f64_to_uint(&x86, minus_one, FP_RTZ, 32), ==, UINT32_MAX);
    g_assert_cmphex(riscv.flags & arm.flags & x86.flags, ==, FP_FLAG_NV);
}

/* The quotient's low bits, as x87's FPREM and FPREM1 report them. */
static void test_rem_quotient(void)
{
    struct fp_env env = { 0 };
    uint64_t q;

    g_assert_cmphex(fp_f64_rem(&env, 0x4026000000000000, 0x4008000000000000, &q), ==,
                    0xbff0000000000000); /* 11 = 4 * 3 - 1 */
    g_assert_cmpuint(q, ==, 4);
    g_assert_cmphex(fp_f64_rem_trunc(&env, 0xc026000000000000, 0x4008000000000000, &q), ==,
                    0xc000000000000000); /* -11 = -3 * 3 - 2 */
    g_assert_cmpuint(q, ==, 3);
    g_assert_cmphex(env.flags, ==, 0);
}

/* 1 / x in the middle of the interval that the leading 7 bits of x name, to 7 bits. */
static double rec7_of(double x)
{
    int e;
    double m = 2 * frexp(x, &e), middle = (floor(m * 128) + 0.5) / 128;

    return ldexp(nearbyint(256 / middle) / 128, -e);
}

/* 1 / sqrt(x) likewise, by 6 bits of x taken as 1 to 4 times an even power of two. */
static double rsqrt7_of(double x)
{
    int e;
    double m = 2 * frexp(x, &e), middle = (floor(m * 64) + 0.5) / 64;

    e--;
    middle = e & 1 ? 2 * middle : middle;
    return ldexp(nearbyint(256 / sqrt(middle)) / 256, -(e >> 1));
}

static double f16_value(uint16_t x)
{
    int e = x >> 10 & 31;
    double m = ldexp(e ? (x & 1023) | 1024 : x & 1023, MAX(e, 1) - 25);

    return x >> 15 ? -m : m;
}

static void test_estimates_f16(void)
{
    for (unsigned x = 1; x < 0x7c00; x++) {
        struct fp_env env = { .round = x % 5 };
        double v = f16_value((uint16_t)x), r = rec7_of(v);
        uint16_t got = fp_f16_rec7(&env, (uint16_t)x);

        if (x < 0x100) { /* below 2^-16: section 13.10's table, overflow */
            g_assert_cmphex(got, ==, env.round == FP_RTZ || env.round == FP_RDN ? 0x7bff : 0x7c00);
            g_assert_cmphex(env.flags, ==, FP_FLAG_OF | FP_FLAG_NX);
        } else {
            g_assert_cmpfloat(f16_value(got), ==, r);
            g_assert_cmphex(fp_f16_rec7(&env, (uint16_t)(x | 0x8000)), ==, got | 0x8000);
            g_assert_cmphex(env.flags, ==, 0);
        }
        env.flags = 0;
        g_assert_cmpfloat(f16_value(fp_f16_rsqrt7(&env, (uint16_t)x)), ==, rsqrt7_of(v));
        g_assert_cmphex(env.flags, ==, 0);
        g_assert_cmphex(fp_f16_rsqrt7(&env, (uint16_t)(x | 0x8000)), ==, 0x7e00);
        g_assert_cmphex(env.flags, ==, FP_FLAG_NV);
    }
}

struct estimate_case {
    uint32_t x, rec, rsqrt;
    unsigned rec_flags, rsqrt_flags;
};

static const struct estimate_case estimate_cases[] = {
    { 0x00718abc, 0x7e900000, 0x5f080000, 0, 0 }, /* the specification's examples */
    { 0x7f765432, 0x00214000, 0x1f820000, 0, 0 },
    { 0x00000000, 0x7f800000, 0x7f800000, FP_FLAG_DZ, FP_FLAG_DZ },
    { 0x80000000, 0xff800000, 0xff800000, FP_FLAG_DZ, FP_FLAG_DZ },
    { 0x7f800000, 0x00000000, 0x00000000, 0, 0 },
    { 0xff800000, 0x80000000, 0x7fc00000, 0, FP_FLAG_NV },
    { QNAN_B, 0x7fc00000, 0x7fc00000, 0, 0 },
    { SNAN_A, 0x7fc00000, 0x7fc00000, FP_FLAG_NV, FP_FLAG_NV },
};

static void test_estimates_f32(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(estimate_cases); i++) {
        const struct estimate_case *c = &estimate_cases[i];
        struct fp_env env = { 0 };

        g_assert_cmphex(fp_f32_rec7(&env, c->x), ==, c->rec);
        g_assert_cmphex(env.flags, ==, c->rec_flags);
        env.flags = 0;
        g_assert_cmphex(fp_f32_rsqrt7(&env, c->x), ==, c->rsqrt);
        g_assert_cmphex(env.flags, ==, c->rsqrt_flags);
    }
}

static void test_estimates_f64(void)
{
    for (double x = 1e-300; x < 1e300; x *= 1.0371) {
        struct fp_env env = { 0 };
        uint64_t bits, got;
        double r;

        memcpy(&bits, &x, sizeof(bits));
        got = fp_f64_rec7(&env, bits);
        memcpy(&r, &got, sizeof(r));
        g_assert_cmpfloat(r, ==, rec7_of(x));
        got = fp_f64_rsqrt7(&env, bits);
        memcpy(&r, &got, sizeof(r));
        g_assert_cmpfloat(r, ==, rsqrt7_of(x));
        g_assert_cmphex(env.flags, ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/softfp/policy/nan", test_nan_propagation);
    g_test_add_func("/softfp/policy/default-nan-sign", test_default_nan_sign);
    g_test_add_func("/softfp/policy/fma-nan-arm", test_fma_nan_arm);
    g_test_add_func("/softfp/policy/nan-conversion", test_nan_conversion);
    g_test_add_func("/softfp/policy/flush-arm", test_flush_arm);
    g_test_add_func("/softfp/policy/tininess", test_tininess);
    g_test_add_func("/softfp/policy/to-int", test_to_int);
    g_test_add_func("/softfp/policy/rem-quotient", test_rem_quotient);
    g_test_add_func("/softfp/estimate/f16", test_estimates_f16);
    g_test_add_func("/softfp/estimate/f32", test_estimates_f32);
    g_test_add_func("/softfp/estimate/f64", test_estimates_f64);
    return g_test_run();
}
