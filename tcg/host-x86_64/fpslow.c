/*
 * The parts of floating point that the host's instructions do not give, in integer arithmetic.
 */
#include <xmmintrin.h>
#include "gen.h"

#define MXCSR_IE 1u
#define MXCSR_PE 32u

/* Writing MXCSR takes long. */
static void raise_flags(unsigned flags)
{
    if (flags & ~_mm_getcsr())
        _mm_setcsr(_mm_getcsr() | flags);
}

struct parts {
    bool neg, nan, inf;
    int exp; /* value = frac * 2^exp */
    uint64_t frac;
};

static struct parts unpack(uint64_t bits, bool f64)
{
    int fbits = f64 ? 52 : 23, ebits = f64 ? 11 : 8, emax = (1 << ebits) - 1;
    int e = bits >> fbits & emax;
    uint64_t f = bits & ((1ull << fbits) - 1);
    struct parts p = { .neg = bits >> (fbits + ebits) & 1 };

    p.nan = e == emax && f;
    p.inf = e == emax && !f;
    p.frac = e ? f | 1ull << fbits : f;
    p.exp = (e ? e : 1) - (emax >> 1) - fbits;
    return p;
}

static unsigned current_rounding(void)
{
    static const uint8_t how[] = { IR_RND_RNE, IR_RND_RDN, IR_RND_RUP, IR_RND_RTZ };
    return how[_mm_getcsr() >> 13 & 3];
}

/* Whether the magnitude grows by one: @rest is what was cut off, in units of 2^-64, with a sticky
 * bit. */
static bool round_up(unsigned how, bool neg, bool odd, uint64_t rest)
{
    switch (how) {
    case IR_RND_RNE: return rest > 1ull << 63 || (rest == 1ull << 63 && odd);
    case IR_RND_RMM: return rest >= 1ull << 63;
    case IR_RND_RDN: return neg && rest;
    case IR_RND_RUP: return !neg && rest;
    default: return false;
    }
}

/* @how: F2I's condition | source is double << 8 | result is 64 bits << 9. */
uint64_t x86_f2i(struct tcg_cpu *cpu, uint64_t bits, uint64_t how)
{
    bool f64 = how >> 8 & 1, r64 = how >> 9 & 1, is_unsigned = how & IR_F2I_UNSIGNED;
    unsigned width = r64 ? 64 : 32;
    uint64_t max = is_unsigned ? ~0ull >> (64 - width) : ~0ull >> (65 - width);
    uint64_t min = is_unsigned ? 0 : 1ull << (width - 1); /* magnitude */
    struct parts p = unpack(bits, f64);
    unsigned mode = how & 7 ? how & 7 : current_rounding();
    uint64_t rest = 0, n = p.frac;
    (void)cpu;

    if (p.nan || p.inf || p.exp > 64 - (f64 ? 53 : 24)) {
        raise_flags(MXCSR_IE);
        return p.nan || !p.neg ? max : is_unsigned ? 0 : -min;
    }
    if (p.exp >= 0) {
        n <<= p.exp;
    } else if (p.exp > -64) {
        rest = n << (64 + p.exp);
        n >>= -p.exp;
    } else {
        rest = n != 0;
        n = 0;
    }
    n += round_up(mode, p.neg, n & 1, rest);
    if (n > (p.neg ? min : max)) {
        raise_flags(MXCSR_IE);
        return p.neg ? -min : max;
    }
    if (rest)
        raise_flags(MXCSR_PE);
    return p.neg ? -n : n;
}

/* @how: I2F's condition | result is double << 8 | source is 64 bits << 9. */
uint64_t x86_i2f(struct tcg_cpu *cpu, uint64_t val, uint64_t how)
{
    bool f64 = how >> 8 & 1, wide = how >> 9 & 1, is_unsigned = how & IR_F2I_UNSIGNED;
    unsigned fbits = f64 ? 52 : 23, cut, exp = 63;
    uint64_t n = wide ? val : is_unsigned ? (uint32_t)val : (uint64_t)(int32_t)val, kept, rest;
    bool neg = !is_unsigned && n >> 63;
    (void)cpu;

    n = neg ? -n : n;
    if (!n)
        return 0;
    exp -= __builtin_clzll(n);
    n <<= 63 - exp;
    cut = 63 - fbits;
    kept = n >> cut;
    rest = n << (64 - cut);
    kept += round_up(how & 7 ? how & 7 : current_rounding(), neg, kept & 1, rest);
    if (rest)
        raise_flags(MXCSR_PE);
    /* The leading one adds to the exponent, as a carry out of the fraction does. */
    kept += (uint64_t)(exp + (f64 ? 1023 : 127) - 1) << fbits;
    return kept | (uint64_t)neg << (f64 ? 63 : 31);
}

/* The result of a fused operation is a NaN: invalid if the product alone was. */
uint64_t x86_fma_nan(struct tcg_cpu *cpu, uint64_t a, uint64_t b, uint32_t is_double)
{
    struct parts x = unpack(a, is_double), y = unpack(b, is_double);
    (void)cpu;

    if ((x.inf && !y.frac) || (y.inf && !x.frac))
        raise_flags(MXCSR_IE);
    return 0;
}
