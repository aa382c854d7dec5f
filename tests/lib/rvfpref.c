/*
 * See rvfpref.h.
 */
#include <glib.h>
#include <string.h>
#include <tcg/softfp.h>
#include "rvfpref.h"

/* One format's operations on values of up to 64 bits. */
struct format {
    char letter;
    unsigned bits, exp_bits, frac_bits;
    uint64_t (*add)(struct fp_env *, uint64_t, uint64_t);
    uint64_t (*sub)(struct fp_env *, uint64_t, uint64_t);
    uint64_t (*mul)(struct fp_env *, uint64_t, uint64_t);
    uint64_t (*div)(struct fp_env *, uint64_t, uint64_t);
    uint64_t (*sqrt)(struct fp_env *, uint64_t);
    uint64_t (*fma)(struct fp_env *, uint64_t, uint64_t, uint64_t);
    enum fp_relation (*compare)(struct fp_env *, uint64_t, uint64_t, bool);
    uint64_t (*rint)(struct fp_env *, uint64_t, enum fp_round, bool);
    int64_t (*to_int)(struct fp_env *, uint64_t, enum fp_round, unsigned);
    uint64_t (*to_uint)(struct fp_env *, uint64_t, enum fp_round, unsigned);
    uint64_t (*from_int)(struct fp_env *, int64_t);
    uint64_t (*from_uint)(struct fp_env *, uint64_t);
    uint64_t (*to_f64)(struct fp_env *, uint64_t);
    uint64_t (*from_f64)(struct fp_env *, uint64_t);
};

static uint64_t same(struct fp_env *env, uint64_t v)
{
    (void)env;
    return v;
}

#define WRAP2(X, op)                                                     \
    static uint64_t X##_##op(struct fp_env *env, uint64_t a, uint64_t b) \
    {                                                                    \
        return fp_##X##_##op(env, a, b);                                 \
    }
#define WRAP1(X, op, type)                               \
    static uint64_t X##_##op(struct fp_env *env, type a) \
    {                                                    \
        return fp_##X##_##op(env, a);                    \
    }
#define WRAP(X)                                                                              \
    WRAP2(X, add)                                                                            \
    WRAP2(X, sub)                                                                            \
    WRAP2(X, mul)                                                                            \
    WRAP2(X, div)                                                                            \
    WRAP1(X, sqrt, uint64_t)                                                                 \
    WRAP1(X, from_int, int64_t)                                                              \
    WRAP1(X, from_uint, uint64_t)                                                            \
    static uint64_t X##_fma(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c)          \
    {                                                                                        \
        return fp_##X##_fma(env, a, b, c, 0);                                                \
    }                                                                                        \
    static enum fp_relation X##_compare(struct fp_env *env, uint64_t a, uint64_t b, bool s)  \
    {                                                                                        \
        return fp_##X##_compare(env, a, b, s);                                               \
    }                                                                                        \
    static uint64_t X##_rint(struct fp_env *env, uint64_t a, enum fp_round r, bool nx)       \
    {                                                                                        \
        return fp_##X##_rint(env, a, r, nx);                                                 \
    }                                                                                        \
    static int64_t X##_to_int(struct fp_env *env, uint64_t a, enum fp_round r, unsigned n)   \
    {                                                                                        \
        return fp_##X##_to_int(env, a, r, n);                                                \
    }                                                                                        \
    static uint64_t X##_to_uint(struct fp_env *env, uint64_t a, enum fp_round r, unsigned n) \
    {                                                                                        \
        return fp_##X##_to_uint(env, a, r, n);                                               \
    }
#define WRAP_WIDEN(X)                                            \
    static uint64_t X##_to_f64(struct fp_env *env, uint64_t a)   \
    {                                                            \
        return fp_##X##_to_f64(env, a);                          \
    }                                                            \
    static uint64_t X##_from_f64(struct fp_env *env, uint64_t a) \
    {                                                            \
        return fp_f64_to_##X(env, a);                            \
    }
/* clang-format off */
WRAP(f16)
WRAP(f32)
WRAP(f64)
WRAP_WIDEN(f16)
WRAP_WIDEN(f32)
/* clang-format on */

#define OPS(X)                                                                                \
    X##_add, X##_sub, X##_mul, X##_div, X##_sqrt, X##_fma, X##_compare, X##_rint, X##_to_int, \
        X##_to_uint, X##_from_int, X##_from_uint
static const struct format formats[] = {
    { 's', 32, 8, 23, OPS(f32), f32_to_f64, f32_from_f64 },
    { 'd', 64, 11, 52, OPS(f64), same, same },
    { 'h', 16, 5, 10, OPS(f16), f16_to_f64, f16_from_f64 },
};

/* An instruction while it is worked out. */
struct work {
    const struct format *fmt;
    const char *base; /* "fadd" */
    const char *kind; /* what follows: "s", "w.s" */
    uint32_t insn;
    const uint64_t *f, *x;
    unsigned round;
    struct fp_env env;
    struct rvfp_result r;
};

static const struct format *format_of(char letter)
{
    for (unsigned k = 0; k < G_N_ELEMENTS(formats); k++)
        if (formats[k].letter == letter)
            return &formats[k];
    return NULL;
}

static uint64_t ones(unsigned n)
{
    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static uint64_t canonical(const struct format *f)
{
    return ones(f->exp_bits + 1) << (f->frac_bits - 1);
}

static bool is_nan(const struct format *f, uint64_t v)
{
    return (v & ones(f->bits - 1)) > ones(f->exp_bits) << f->frac_bits;
}

static uint64_t operand_in(const struct work *w, const struct format *f, unsigned lowest_bit)
{
    uint64_t v = w->f[w->insn >> lowest_bit & 31];

    return (v | ones(f->bits)) == UINT64_MAX ? v & ones(f->bits) : canonical(f);
}

static uint64_t rs(const struct work *w, unsigned n)
{
    static const uint8_t at[] = { 0, 15, 20, 27 };

    return operand_in(w, w->fmt, at[n]);
}

static uint64_t sign_bit(const struct format *f)
{
    return UINT64_C(1) << (f->bits - 1);
}

static bool is(const struct work *w, const char *base)
{
    return !strcmp(w->base, base);
}

static void give_f(struct work *w, uint64_t v)
{
    w->r.known = w->r.to_f = true;
    w->r.value = v | ~ones(w->fmt->bits);
}

static void give_x(struct work *w, uint64_t v)
{
    w->r.known = true;
    w->r.to_f = false;
    w->r.value = v;
}

static void arithmetic(struct work *w)
{
    const struct format *f = w->fmt;
    struct fp_env *e = &w->env;
    uint64_t a = rs(w, 1), b = rs(w, 2), c = rs(w, 3), s = sign_bit(f);

    if (is(w, "fadd"))
        give_f(w, f->add(e, a, b));
    else if (is(w, "fsub"))
        give_f(w, f->sub(e, a, b));
    else if (is(w, "fmul"))
        give_f(w, f->mul(e, a, b));
    else if (is(w, "fdiv"))
        give_f(w, f->div(e, a, b));
    else if (is(w, "fsqrt"))
        give_f(w, f->sqrt(e, a));
    else if (is(w, "fmadd"))
        give_f(w, f->fma(e, a, b, c));
    else if (is(w, "fmsub"))
        give_f(w, f->fma(e, a, b, c ^ s));
    else if (is(w, "fnmsub"))
        give_f(w, f->fma(e, a ^ s, b, c));
    else if (is(w, "fnmadd"))
        give_f(w, f->fma(e, a ^ s, b, c ^ s));
    else if (is(w, "fsgnj"))
        give_f(w, (a & ~s) | (b & s));
    else if (is(w, "fsgnjn"))
        give_f(w, (a & ~s) | (~b & s));
    else if (is(w, "fsgnjx"))
        give_f(w, a ^ (b & s));
    else if (is(w, "fround") || is(w, "froundnx"))
        give_f(w, f->rint(e, a, w->round, is(w, "froundnx")));
}

/* The smaller (larger) of two; zeros by sign. A NaN loses, or with @nan_wins makes the result one.
 */
static void minmax(struct work *w, bool max, bool nan_wins)
{
    const struct format *f = w->fmt;
    uint64_t a = rs(w, 1), b = rs(w, 2);
    enum fp_relation r = f->compare(&w->env, a, b, false); /* invalid for signalling NaNs */
    bool take_a;

    if (nan_wins ? is_nan(f, a) || is_nan(f, b) : is_nan(f, a) && is_nan(f, b)) {
        give_f(w, canonical(f));
        return;
    }
    if (r == FP_UNORDERED)
        take_a = is_nan(f, b);
    else if (r == FP_EQUAL)
        take_a = (a & sign_bit(f)) ? !max : max;
    else
        take_a = (r == FP_LESS) != max;
    give_f(w, take_a ? a : b);
}

static void comparison(struct work *w)
{
    const struct format *f = w->fmt;
    bool less = is(w, "flt") || is(w, "fltq"), eq = is(w, "feq");
    bool quiet = eq || is(w, "fltq") || is(w, "fleq");
    enum fp_relation r;

    if (!less && !eq && !is(w, "fle") && !is(w, "fleq"))
        return;
    r = f->compare(&w->env, rs(w, 1), rs(w, 2), !quiet);
    if (eq)
        give_x(w, r == FP_EQUAL);
    else
        give_x(w, r == FP_LESS || (!less && r == FP_EQUAL));
}

/* Bit numbers of FCLASS, table 31 of the unprivileged architecture. */
static unsigned class_of(const struct format *f, uint64_t v)
{
    bool neg = v & sign_bit(f);
    uint64_t exp = v >> f->frac_bits & ones(f->exp_bits), frac = v & ones(f->frac_bits);

    if (exp == ones(f->exp_bits)) {
        if (frac)
            return 1u << (frac >> (f->frac_bits - 1) ? 9 : 8);
        return 1u << (neg ? 0 : 7);
    }
    if (exp)
        return 1u << (neg ? 1 : 6);
    if (frac)
        return 1u << (neg ? 2 : 5);
    return 1u << (neg ? 3 : 4);
}

static uint64_t sext(uint64_t v, unsigned bits)
{
    return (uint64_t)((int64_t)(v << (64 - bits)) >> (64 - bits));
}

static void conversion(struct work *w)
{
    const char *dot = strchr(w->kind, '.');
    g_autofree char *to = g_strndup(w->kind, dot - w->kind);
    const char *from = dot + 1;
    const struct format *fto = format_of(*to), *ffrom = format_of(*from);
    const char *integer = fto ? from : to;
    bool is_unsigned = strchr(integer, 'u') != NULL;
    unsigned bits = *integer == 'w' ? 32 : 64;
    uint64_t x = w->x[w->insn >> 15 & 31];

    if (fto && ffrom) {
        w->fmt = fto;
        give_f(w, fto->from_f64(&w->env, ffrom->to_f64(&w->env, operand_in(w, ffrom, 15))));
    } else if (fto) {
        w->fmt = fto;
        if (is_unsigned)
            give_f(w, fto->from_uint(&w->env, x & ones(bits)));
        else
            give_f(w, fto->from_int(&w->env, sext(x, bits)));
    } else {
        uint64_t v = operand_in(w, ffrom, 15);
        if (is_unsigned)
            v = ffrom->to_uint(&w->env, v, w->round, bits);
        else
            v = ffrom->to_int(&w->env, v, w->round, bits);
        give_x(w, sext(v, bits));
    }
}

static void move(struct work *w)
{
    uint64_t f = w->f[w->insn >> 15 & 31], x = w->x[w->insn >> 15 & 31];
    char letter = w->kind[0] == 'x' ? w->kind[2] : w->kind[0];
    const struct format *fmt = format_of(letter == 'w' ? 's' : letter);

    w->fmt = fmt;
    if (is(w, "fmvh"))
        give_x(w, f >> 32);
    else if (is(w, "fmvp"))
        give_f(w, w->x[w->insn >> 20 & 31] << 32 | (x & ones(32)));
    else if (w->kind[0] == 'x')
        give_x(w, sext(f, fmt->bits));
    else
        give_f(w, x & ones(fmt->bits));
}

static void constant(struct work *w)
{
    static const double values[] = {
        -1,    0,      1.0 / 65536, 1.0 / 32768, 1.0 / 256, 1.0 / 128, 0.0625, 0.125, 0.25,  0.3125,
        0.375, 0.4375, 0.5,         0.625,       0.75,      0.875,     1,      1.25,  1.5,   1.75,
        2,     2.5,    3,           4,           8,         16,        128,    256,   32768, 65536,
    };
    unsigned n = w->insn >> 15 & 31;
    struct fp_env exact = { 0 };
    uint64_t v;

    if (n == 1) {
        give_f(w, UINT64_C(1) << w->fmt->frac_bits);
    } else if (n == 30) {
        give_f(w, ones(w->fmt->exp_bits) << w->fmt->frac_bits);
    } else if (n == 31) {
        give_f(w, canonical(w->fmt));
    } else {
        memcpy(&v, &values[n], 8);
        give_f(w, w->fmt->from_f64(&exact, v));
    }
}

static bool rounds(const struct work *w)
{
    static const char *const names[] = {
        "fadd",  "fsub",   "fmul",   "fdiv",   "fsqrt",    "fmadd",
        "fmsub", "fnmsub", "fnmadd", "fround", "froundnx", "fcvt"
    };

    for (unsigned k = 0; k < G_N_ELEMENTS(names); k++)
        if (is(w, names[k]))
            return true;
    return false;
}

static void work_out(struct work *w)
{
    if (is(w, "fcvt"))
        conversion(w);
    else if (is(w, "fcvtmod"))
        give_x(w, fp_f64_to_i32_modular(&w->env, operand_in(w, format_of('d'), 15)));
    else if (is(w, "fmv") || is(w, "fmvh") || is(w, "fmvp"))
        move(w);
    else if (is(w, "fli"))
        constant(w);
    else if (is(w, "fclass"))
        give_x(w, class_of(w->fmt, rs(w, 1)));
    else if (is(w, "fmin") || is(w, "fmax"))
        minmax(w, is(w, "fmax"), false);
    else if (is(w, "fminm") || is(w, "fmaxm"))
        minmax(w, is(w, "fmaxm"), true);
    else if (w->fmt)
        arithmetic(w);
    if (!w->r.known && w->fmt)
        comparison(w);
}

struct rvfp_result rvfp_reference(const char *name, uint32_t insn, const uint64_t *f,
                                  const uint64_t *x, unsigned frm)
{
    const char *dot = strchr(name, '.');
    g_autofree char *base = g_strndup(name, dot ? (gsize)(dot - name) : strlen(name));
    unsigned rm = insn >> 12 & 7;
    struct work w = { .base = base, .kind = dot ? dot + 1 : "", .insn = insn, .f = f, .x = x };

    w.round = rm == 7 ? frm : rm;
    if (rounds(&w) && w.round > 4) {
        w.r.known = w.r.illegal = true;
        return w.r;
    }
    w.env.round = w.round > 4 ? FP_RNE : w.round;
    w.fmt = format_of(w.kind[0]);
    work_out(&w);
    w.r.flags = w.env.flags & 0x1f;
    return w.r;
}
