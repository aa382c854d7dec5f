/* Reference for floating-point tests: see fpref.h. */
#ifdef CONFIG_MPFR

#include "fpref.h"
#include <inttypes.h>

static fpv_u128 mask(int bits)
{
    return ((fpv_u128)1 << bits) - 1;
}

static int exp_of(const struct fpv_shape *s, fpv_u128 bits)
{
    return (int)(bits >> (s->frac_bits + s->explicit_bit) & mask(s->exp_bits));
}

static bool sign_of(const struct fpv_shape *s, fpv_u128 bits)
{
    return bits >> (s->frac_bits + s->explicit_bit + s->exp_bits) & 1;
}

bool fpref_is_nan(const struct fpv_shape *s, fpv_u128 bits)
{
    return exp_of(s, bits) == (int)mask(s->exp_bits) && (bits & mask(s->frac_bits));
}

bool fpref_is_snan(const struct fpv_shape *s, fpv_u128 bits)
{
    return fpref_is_nan(s, bits) && !(bits >> (s->frac_bits - 1) & 1);
}

static void set_u128(mpfr_t z, fpv_u128 v)
{
    mpfr_set_uj(z, (uint64_t)(v >> 64), MPFR_RNDN);
    mpfr_mul_2si(z, z, 32, MPFR_RNDN);
    mpfr_add_ui(z, z, (uint64_t)v >> 32, MPFR_RNDN);
    mpfr_mul_2si(z, z, 32, MPFR_RNDN);
    mpfr_add_ui(z, z, (uint32_t)v, MPFR_RNDN);
}

/* z must be an integer of at most 128 bits and not negative. */
static fpv_u128 get_u128(const mpfr_t z)
{
    fpv_u128 v;
    mpfr_t high, low;

    mpfr_inits2(FPREF_PRECISION, high, low, NULL);
    mpfr_mul_2si(high, z, -64, MPFR_RNDN);
    mpfr_trunc(high, high);
    v = (fpv_u128)mpfr_get_uj(high, MPFR_RNDN) << 64;
    mpfr_mul_2si(high, high, 64, MPFR_RNDN);
    mpfr_sub(low, z, high, MPFR_RNDN);
    v |= mpfr_get_uj(low, MPFR_RNDN);
    mpfr_clears(high, low, NULL);
    return v;
}

void fpref_decode(mpfr_t z, const struct fpv_shape *s, fpv_u128 bits)
{
    int max = (int)mask(s->exp_bits), exp = exp_of(s, bits);
    fpv_u128 m = bits & mask(s->frac_bits);

    if (exp == max && m) {
        mpfr_set_nan(z);
        return;
    }
    if (exp == max) {
        mpfr_set_inf(z, 1);
    } else {
        if (s->explicit_bit) {
            m = (uint64_t)bits; /* the integer bit may be set in a denormal */
        } else if (exp) {
            m |= (fpv_u128)1 << s->frac_bits;
        }
        set_u128(z, m);
        mpfr_mul_2si(z, z, MAX(exp, 1) - max / 2 - s->frac_bits, MPFR_RNDN);
    }
    mpfr_setsign(z, z, sign_of(s, bits), MPFR_RNDN);
}

/* |z| in units of 2^unit as an integer, rounded; `more` as in fpref_round(). */
static bool round_to_unit(mpfr_t n, const mpfr_t z, bool more, long unit, int round)
{
    bool negative = mpfr_signbit(z), up = false, odd, rest;
    mpfr_t frac;
    int half;

    mpfr_init2(frac, FPREF_PRECISION);
    mpfr_abs(n, z, MPFR_RNDN);
    mpfr_mul_2si(n, n, -unit, MPFR_RNDN);
    mpfr_frac(frac, n, MPFR_RNDN);
    mpfr_trunc(n, n);
    half = mpfr_cmp_d(frac, 0.5);
    half = half == 0 && more ? 1 : half;
    rest = !mpfr_zero_p(frac) || more;
    mpfr_mul_2si(frac, n, -1, MPFR_RNDN);
    odd = !mpfr_integer_p(frac);
    switch (round) {
    case FP_RNE: up = half > 0 || (half == 0 && odd); break;
    case FP_RMM: up = half >= 0; break;
    case FP_RDN: up = rest && negative; break;
    case FP_RUP: up = rest && !negative; break;
    case FP_ROD: up = rest && !odd; break;
    default: break;
    }
    if (up) {
        mpfr_add_ui(n, n, 1, MPFR_RNDN);
    }
    mpfr_clear(frac);
    return rest;
}

static fpv_u128 overflow(const struct fpv_shape *s, int precision, struct fp_env *env, bool sign)
{
    int max = (int)mask(s->exp_bits);
    fpv_u128 inf = fpv_pack(s, sign, max, 0);
    fpv_u128 frac = mask(precision - 1) << (s->frac_bits + 1 - precision);
    fpv_u128 largest = fpv_pack(s, sign, max - 1, frac);

    env->flags |= FP_FLAG_OF | FP_FLAG_NX;
    switch (env->round) {
    case FP_RTZ:
    case FP_ROD: return largest;
    case FP_RDN: return sign ? inf : largest;
    case FP_RUP: return sign ? largest : inf;
    default: return inf;
    }
}

/* Whether the value is below 2^emin, itself or rounded as if exponents had no lower bound (7.5). */
static bool is_tiny(const struct fp_env *env, const mpfr_t z, bool more, long emin, int precision)
{
    long e = mpfr_get_exp(z) - 1;
    bool tiny;
    mpfr_t n;

    if (env->tiny_before) {
        return e < emin;
    }
    mpfr_init2(n, FPREF_PRECISION);
    round_to_unit(n, z, more, e - precision + 1, env->round);
    mpfr_mul_2si(n, n, e - precision + 1, MPFR_RNDN);
    tiny = mpfr_cmp_ui_2exp(n, 1, emin) < 0;
    mpfr_clear(n);
    return tiny;
}

fpv_u128 fpref_round(const struct fpv_shape *s, int precision, struct fp_env *env, const mpfr_t z,
                     bool more)
{
    long bias = (long)mask(s->exp_bits) / 2, emin = 1 - bias, e, unit;
    bool sign = mpfr_signbit(z), inexact;
    fpv_u128 m, bits;
    mpfr_t n;

    if (mpfr_zero_p(z)) {
        return fpv_pack(s, sign, 0, 0);
    }
    e = mpfr_get_exp(z) - 1;
    unit = MAX(e, emin) - precision + 1;
    mpfr_init2(n, FPREF_PRECISION);
    inexact = round_to_unit(n, z, more, unit, env->round);
    m = get_u128(n);
    mpfr_clear(n);
    if (m >> precision) {
        m >>= 1;
        unit++;
    }
    e = unit + precision - 1;
    if (e > bias) {
        return overflow(s, precision, env, sign);
    }
    if (inexact) {
        env->flags |= FP_FLAG_NX;
        env->flags |= is_tiny(env, z, more, emin, precision) ? FP_FLAG_UF : 0;
    }
    m <<= s->frac_bits + 1 - precision;
    bits = fpv_pack(s, sign, m >> s->frac_bits ? (int)(e + bias) : 0, m);
    return bits;
}

bool fpref_integer(mpfr_t z, int round)
{
    bool sign = mpfr_signbit(z), inexact;
    mpfr_t n;

    mpfr_init2(n, FPREF_PRECISION);
    inexact = round_to_unit(n, z, false, 0, round);
    mpfr_setsign(z, n, sign, MPFR_RNDN);
    mpfr_clear(n);
    return inexact;
}

fpv_u128 fpref_nan(const struct fpv_shape *s)
{
    return fpv_pack(s, false, (int)mask(s->exp_bits), (fpv_u128)1 << (s->frac_bits - 1));
}

static char *hex(fpv_u128 v)
{
    return v >> 64 ? g_strdup_printf("%#" PRIx64 "_%016" PRIx64, (uint64_t)(v >> 64), (uint64_t)v)
                   : g_strdup_printf("%#" PRIx64, (uint64_t)v);
}

void fpref_check(const char *format, const char *op, const struct fp_env *before, const fpv_u128 *x,
                 int n, fpv_u128 got, unsigned got_flags, fpv_u128 want, unsigned want_flags)
{
    GString *s;
    char *g, *w;

    got_flags &= ~(FP_FLAG_ID | FP_FLAG_DE); /* of which 754 knows nothing */
    if (got == want && got_flags == want_flags) {
        return;
    }
    s = g_string_new(NULL);
    for (int i = 0; i < n; i++) {
        char *h = hex(x[i]);

        g_string_append_printf(s, " %s", h);
        g_free(h);
    }
    g = hex(got);
    w = hex(want);
    g_test_message("%s %s%s, rounding %u, tininess %s: got %s flags %#x, want %s flags %#x", format,
                   op, s->str, before->round, before->tiny_before ? "before" : "after", g,
                   got_flags, w, want_flags);
    g_test_fail();
    g_string_free(s, true);
    g_free(g);
    g_free(w);
}

#endif
