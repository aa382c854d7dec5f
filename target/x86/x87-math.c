/*
 * Transcendental functions of the software x87: power series in 128-bit floating point, 113 bits
 * of which 64 remain. Arguments of trigonometric functions are reduced by the processors' pi of 66
 * bits (SDM vol. 1, 8.3.8).
 */
#include "x87-soft.h"

#define F128(hi, lo) ((fp_u128)(hi) << 64 | (lo))
static const fp_u128 one = F128(0x3fff000000000000, 0), two = F128(0x4000000000000000, 0);
static const fp_u128 pi = F128(0x4000921fb54442d1, 0x8469898cc51701b8);
static const fp_u128 half_pi66 = F128(0x3fff921fb54442d1, 0x8469800000000000);
static const fp_u128 ln2 = F128(0x3ffe62e42fefa39e, 0xf35793c7673007e6);
static const fp_u128 sqrt_half = F128(0x3ffe6a09e667f3bc, 0xc908b2fb1366ea95);
static const fp_u128 sign_bit = (fp_u128)1 << 127;

static fp_u128 add(fp_u128 a, fp_u128 b)
{
    struct fp_env e = { 0 };

    return fp_f128_add(&e, a, b);
}

static fp_u128 sub(fp_u128 a, fp_u128 b)
{
    return add(a, b ^ sign_bit);
}

static fp_u128 mul(fp_u128 a, fp_u128 b)
{
    struct fp_env e = { 0 };

    return fp_f128_mul(&e, a, b);
}

static fp_u128 divide(fp_u128 a, fp_u128 b)
{
    struct fp_env e = { 0 };

    return fp_f128_div(&e, a, b);
}

static fp_u128 from_int(int64_t v)
{
    struct fp_env e = { 0 };

    return fp_f128_from_int(&e, v);
}

static bool less(fp_u128 a, fp_u128 b)
{
    struct fp_env e = { 0 };

    return fp_f128_lt(&e, a, b);
}

/* sum of (+-1)^k x^(2k+1) / (2k+1), |x| at most 0.2. */
static fp_u128 odd_series(fp_u128 x, bool alternating)
{
    fp_u128 square = mul(x, x), r = 0;

    if (alternating)
        square ^= sign_bit;
    for (int k = 30; k >= 0; k--)
        r = add(mul(r, square), divide(one, from_int(2 * k + 1)));
    return mul(r, x);
}

/* ln(v), v positive, as ln(m) + e * ln(2): log2(v) is returned. */
static fp_u128 log2_of(fp_u128 v)
{
    int e = (int)(v >> 112) - 0x3fff;
    fp_u128 m = (v & (((fp_u128)1 << 112) - 1)) | (fp_u128)0x3fff << 112, s;

    if (less(sqrt_half, divide(m, two))) {
        m = divide(m, two);
        e++;
    }
    s = divide(sub(m, one), add(m, one));
    s = divide(mul(two, odd_series(s, false)), ln2);
    return add(s, from_int(e));
}

/* log2(1 + x) for small x. */
static fp_u128 log2_1p(fp_u128 x)
{
    fp_u128 s = divide(x, add(two, x));

    if (less(F128(0x3ffc999999999999, 0), s & ~sign_bit))
        return log2_of(add(one, x));
    return divide(mul(two, odd_series(s, false)), ln2);
}

/* exp(y) - 1, |y| at most 0.7. */
static fp_u128 exp_minus_1(fp_u128 y)
{
    fp_u128 term = y, r = y;

    for (int n = 2; n < 34; n++) {
        term = divide(mul(term, y), from_int(n));
        r = add(r, term);
    }
    return r;
}

/* Sine (@first 1) or cosine (0) series, |x| at most pi / 4. */
static fp_u128 circular(fp_u128 x, int first)
{
    fp_u128 square = mul(x, x) ^ sign_bit, term = first ? x : one, r = term;

    for (int n = first + 1; n < 36; n += 2) {
        term = divide(mul(term, square), from_int((int64_t)n * (n + 1)));
        r = add(r, term);
    }
    return r;
}

/* atan(y / x) for x, y >= 0, not both zero. */
static fp_u128 arc(fp_u128 y, fp_u128 x)
{
    struct fp_env e = { 0 };
    bool swap = less(x, y);
    fp_u128 t = swap ? divide(x, y) : divide(y, x), r;

    for (int k = 0; k < 2; k++)
        t = divide(t, add(one, fp_f128_sqrt(&e, add(one, mul(t, t)))));
    r = mul(odd_series(t, true), from_int(4));
    return swap ? sub(divide(pi, two), r) : r;
}

/* ---- The instructions ---- */

enum {
    NANS = FP_CLASS_QNAN | FP_CLASS_SNAN,
    INFS = FP_CLASS_NEG_INF | FP_CLASS_POS_INF,
    ZEROS = FP_CLASS_NEG_ZERO | FP_CLASS_POS_ZERO,
    DENORMALS = FP_CLASS_NEG_DENORMAL | FP_CLASS_POS_DENORMAL,
};

struct args {
    struct fp_env env;
    fp_u128 a, b;    /* f80 */
    unsigned ca, cb; /* classes */
    fp_u128 qa, qb;  /* f128 */
};

static const fp_u128 indefinite = F128(0xffff, 0xc000000000000000);

static fp_u128 invalid(struct args *g)
{
    g->env.flags |= FP_FLAG_NV;
    return indefinite;
}

/* An f128 as f80, inexact as every value of these functions is. */
static fp_u128 round_off(struct args *g, fp_u128 v)
{
    g->env.flags |= FP_FLAG_NX;
    return fp_f128_to_f80(&g->env, v);
}

static fp_u128 infinity(bool negative)
{
    return F128(negative ? 0xffff : 0x7fff, 1ull << 63);
}

static fp_u128 f2xm1(struct args *g)
{
    if (g->ca & (ZEROS | FP_CLASS_POS_INF))
        return g->a;
    if (g->ca & FP_CLASS_NEG_INF)
        return F128(0xbfff, 1ull << 63);
    return round_off(g, exp_minus_1(mul(g->qa, ln2)));
}

/* b * log2(a), where log2(a) is infinite or b is. */
static fp_u128 yl2x_special(struct args *g, bool log_negative, bool log_zero, bool log_inf)
{
    bool sign = (g->b >> 79 & 1) != log_negative;

    if ((log_zero && g->cb & INFS) || (log_inf && g->cb & ZEROS))
        return invalid(g);
    if (log_zero || g->cb & ZEROS)
        return F128(sign ? 0x8000 : 0, 0);
    return infinity(sign);
}

static fp_u128 yl2x(struct args *g)
{
    bool is_one = g->a == F128(0x3fff, 1ull << 63), below = less(g->qa, one);

    if (g->ca & ZEROS) {
        if (!(g->cb & (ZEROS | INFS)))
            g->env.flags |= FP_FLAG_DZ;
        return yl2x_special(g, true, false, true);
    }
    if (g->a >> 79 & 1)
        return invalid(g);
    if (is_one || g->ca & INFS || g->cb & (INFS | ZEROS))
        return yl2x_special(g, below, is_one, g->ca & INFS);
    return round_off(g, mul(g->qb, log2_of(g->qa)));
}

static fp_u128 yl2xp1(struct args *g)
{
    bool negative = g->a >> 79 & 1;

    if (g->ca & FP_CLASS_NEG_INF)
        return invalid(g);
    if (g->ca & (ZEROS | INFS) || g->cb & (INFS | ZEROS))
        return yl2x_special(g, negative, g->ca & ZEROS, g->ca & INFS);
    if (less(g->qa, one ^ sign_bit))
        return invalid(g);
    return round_off(g, mul(g->qb, log2_1p(g->qa)));
}

/* The angle of the point (a, b). */
static fp_u128 patan(struct args *g)
{
    bool left = g->a >> 79 & 1;
    fp_u128 sign = (g->qb & sign_bit), x = g->qa & ~sign_bit, y = g->qb & ~sign_bit, r;

    if (g->cb & ZEROS && !left)
        return g->b;
    if (g->ca & INFS && !left && !(g->cb & INFS))
        return F128(sign ? 0x8000 : 0, 0);
    if (g->ca & INFS || g->cb & INFS) {
        x = g->ca & INFS ? one : 0;
        y = g->cb & INFS ? one : 0;
    }
    r = arc(y, x);
    if (left)
        r = sub(pi, r);
    return round_off(g, r ^ sign);
}

/* Reduces the angle: its sine and cosine. False: beyond 2^63. */
static bool sine_cosine(struct args *g, fp_u128 *sine, fp_u128 *cosine)
{
    struct fp_env e = { 0 };
    uint64_t quarter;
    fp_u128 x, s, c;

    if ((g->a >> 64 & 0x7fff) >= 0x3fff + 63)
        return false;
    x = fp_f128_rem(&e, g->qa, half_pi66, &quarter);
    if (g->qa & sign_bit)
        quarter = -quarter;
    s = circular(x, 1);
    c = circular(x, 0);
    *sine = quarter & 1 ? c : s;
    *cosine = quarter & 1 ? s : c;
    *sine ^= quarter & 2 ? sign_bit : 0;
    *cosine ^= (quarter + 1) & 2 ? sign_bit : 0;
    return true;
}

static void trigonometric(struct args *g, enum x87_op op, struct x87_io *io)
{
    const struct x86_f80 f80_one = { 1ull << 63, 0x3fff };
    fp_u128 s, c;

    io->r2 = f80_one;
    if (g->ca & INFS) {
        io->r = io->r2 = x87_unpack(invalid(g));
    } else if (g->ca & ZEROS) {
        io->r = op == X87_COS ? f80_one : io->a;
    } else if (!sine_cosine(g, &s, &c)) {
        io->r = io->a;
        io->sw |= X87_C2;
    } else if (op == X87_PTAN) {
        io->r = x87_unpack(round_off(g, divide(s, c)));
    } else {
        io->r = x87_unpack(round_off(g, op == X87_COS ? c : s));
        if (op == X87_SINCOS)
            io->r2 = x87_unpack(round_off(g, c));
    }
}

static bool has_b(enum x87_op op)
{
    return op == X87_YL2X || op == X87_YL2XP1 || op == X87_PATAN;
}

void x87_math(enum x87_op op, struct x87_io *io)
{
    struct args g = { .env = x87_env(io), .a = x87_pack(io->a), .b = x87_pack(io->b) };
    struct fp_env quiet = { 0 };

    if (!has_b(op))
        g.b = g.a;
    g.env.f80_precision = 0; /* precision control is for basic arithmetic only (8.1.5.2) */
    g.ca = fp_f80_class(g.a);
    g.cb = fp_f80_class(g.b);
    g.qa = fp_f80_to_f128(&quiet, g.a);
    g.qb = fp_f80_to_f128(&quiet, g.b);
    if ((g.ca | g.cb) & NANS) {
        io->r = io->r2 = x87_unpack(fp_f80_add(&g.env, g.a, g.b));
        x87_report(io, g.env.flags);
        return;
    }
    if ((g.ca | g.cb) & DENORMALS)
        g.env.flags |= FP_FLAG_DE;
    switch (op) {
    case X87_F2XM1: io->r = x87_unpack(f2xm1(&g)); break;
    case X87_YL2X: io->r = x87_unpack(yl2x(&g)); break;
    case X87_YL2XP1: io->r = x87_unpack(yl2xp1(&g)); break;
    case X87_PATAN: io->r = x87_unpack(patan(&g)); break;
    default: trigonometric(&g, op, io); break;
    }
    x87_report(io, g.env.flags);
}
