/*
 * x87 value operations in integer arithmetic, for hosts without an x87. All but the transcendental
 * functions (x87-math.c) are exact.
 *
 * Underflow and overflow that are unmasked: the operation is repeated on operands scaled by
 * 2^24576, which is exact there (SDM vol. 1, 8.5.4, 8.5.5).
 */
#include "x87-soft.h"

static const uint8_t rounding[4] = { FP_RNE, FP_RDN, FP_RUP, FP_RTZ };

fp_u128 x87_pack(struct x86_f80 v)
{
    return (fp_u128)v.hi << 64 | v.lo;
}

struct x86_f80 x87_unpack(fp_u128 v)
{
    return (struct x86_f80){ (uint64_t)v, (uint16_t)(v >> 64) };
}

struct fp_env x87_env(const struct x87_io *io)
{
    static const uint8_t precision[4] = { 24, 0, 53, 0 };

    return (struct fp_env){ .round = rounding[io->cw >> 10 & 3],
                            .nan = FP_NAN_X87,
                            .toint = FP_TOINT_X86,
                            .default_nan_sign = true,
                            .f80_precision = precision[io->cw >> 8 & 3] };
}

/* Flags as exceptions in the status word. Those found before computing hide the others where one of
 * them is unmasked. */
void x87_report(struct x87_io *io, unsigned flags)
{
    static const uint8_t order[6] = { FP_FLAG_NV, FP_FLAG_DE, FP_FLAG_DZ,
                                      FP_FLAG_OF, FP_FLAG_UF, FP_FLAG_NX };
    unsigned before = X87_IE | X87_DE | X87_ZE, sw = 0;

    for (unsigned k = 0; k < 6; k++)
        sw |= flags & order[k] ? 1u << k : 0;
    if (sw & X87_IE)
        sw &= ~(unsigned)X87_DE;
    if (sw & ~io->cw & before)
        sw &= before;
    io->sw |= sw;
}

/* ---- Operands in memory ---- */

/* A float with @frac bits of fraction, bits unchanged as far as the format goes: a signalling NaN
 * stays one. */
static fp_u128 widen(struct fp_env *env, uint64_t v, unsigned frac, unsigned exp_bits)
{
    unsigned exp = v >> frac & ((1u << exp_bits) - 1), max = (1u << exp_bits) - 1;
    uint64_t sig = v << (63 - frac) & INT64_MAX;
    fp_u128 sign = (fp_u128)(v >> (frac + exp_bits) & 1) << 79;
    int bias = 0x3fff - (int)(max >> 1), shift;

    if (exp == max)
        return sign | (fp_u128)0x7fff << 64 | 1ull << 63 | sig;
    if (exp)
        return sign | (fp_u128)(exp + bias) << 64 | 1ull << 63 | sig;
    if (!sig)
        return sign;
    env->flags |= FP_FLAG_DE;
    shift = __builtin_clzll(sig);
    return sign | (fp_u128)(bias + 1 - shift) << 64 | sig << shift;
}

static fp_u128 second(struct fp_env *env, const struct x87_io *io, unsigned kind)
{
    switch (kind) {
    case X87_F32: return widen(env, (uint32_t)io->mem, 23, 8);
    case X87_F64: return widen(env, io->mem, 52, 11);
    case X87_I16: return x87_pack(x87_from_int((int16_t)io->mem));
    case X87_I32: return x87_pack(x87_from_int((int32_t)io->mem));
    default: return x87_pack(io->b);
    }
}

/* ---- Arithmetic ---- */

static fp_u128 compute(struct fp_env *env, enum x87_op op, fp_u128 a, fp_u128 b)
{
    switch (op) {
    case X87_ADD: return fp_f80_add(env, a, b);
    case X87_MUL: return fp_f80_mul(env, a, b);
    case X87_SUB: return fp_f80_sub(env, a, b);
    case X87_SUBR: return fp_f80_sub(env, b, a);
    case X87_DIV: return fp_f80_div(env, a, b);
    case X87_DIVR: return fp_f80_div(env, b, a);
    case X87_SQRT: return fp_f80_sqrt(env, a);
    default: return fp_f80_rint(env, a, env->round, true);
    }
}

/* Whether the result was rounded away from zero: C1. */
static bool rounded_up(const struct fp_env *env, enum x87_op op, fp_u128 a, fp_u128 b, fp_u128 r)
{
    struct fp_env zero = *env;
    fp_u128 mask = ((fp_u128)1 << 79) - 1;

    zero.round = FP_RTZ;
    return (r & mask) > (compute(&zero, op, a, b) & mask);
}

/* The operands for an unmasked overflow's result (@by -12288) or an underflow's (12288), which is
 * smaller or larger by twice that. Bits that are lost leave a trace. */
static void rescale(enum x87_op op, fp_u128 *a, fp_u128 *b, int by)
{
    struct fp_env odd = { .round = FP_ROD };
    bool sum = op == X87_ADD || op == X87_SUB || op == X87_SUBR;
    int by_a = sum ? 2 * by : op == X87_DIVR ? -by : by;
    int by_b = sum ? 2 * by : op == X87_DIV ? -by : by;

    *a = fp_f80_scale(&odd, *a, by_a);
    *b = fp_f80_scale(&odd, *b, by_b);
}

static bool is_tiny(fp_u128 v)
{
    return !(v >> 64 & 0x7fff) && (uint64_t)v;
}

static bool is_nan(fp_u128 v)
{
    return (v >> 64 & 0x7fff) == 0x7fff && (uint64_t)v << 1;
}

/* An exception of the result that is unmasked, which is to be computed in a larger range then. */
static unsigned unmasked(const struct x87_io *io, enum x87_op op, unsigned flags, fp_u128 r)
{
    if (flags & FP_FLAG_OF && !(io->cw & X87_OE))
        return FP_FLAG_OF;
    if (op != X87_RNDINT && op != X87_SQRT && !(io->cw & X87_UE) &&
        (flags & FP_FLAG_UF || is_tiny(r)))
        return FP_FLAG_UF;
    return 0;
}

static void arith(struct x87_io *io, enum x87_op op, struct fp_env *env, fp_u128 b)
{
    fp_u128 a = x87_pack(io->a), r;
    unsigned before;

    if (op == X87_RNDINT && is_tiny(a))
        env->flags |= FP_FLAG_DE;
    r = compute(env, op, a, b);
    before = unmasked(io, op, env->flags, r);
    if (before) {
        rescale(op, &a, &b, before == FP_FLAG_OF ? -12288 : 12288);
        before |= env->flags & FP_FLAG_DE;
        env->flags = 0;
        r = compute(env, op, a, b);
        env->flags = (env->flags & ~FP_FLAG_DE) | before;
    }
    if (env->flags & FP_FLAG_NX && rounded_up(env, op, a, b, r))
        io->sw |= X87_C1;
    if (is_nan(a) || is_nan(b) || env->flags & FP_FLAG_DZ)
        env->flags &= ~FP_FLAG_DE;
    io->r = x87_unpack(r);
    x87_report(io, env->flags);
}

static void compare(struct x87_io *io, struct fp_env *env, fp_u128 b, bool signalling)
{
    switch (fp_f80_compare(env, x87_pack(io->a), b, signalling)) {
    case FP_LESS: io->sw |= X87_C0; break;
    case FP_EQUAL: io->sw |= X87_C3; break;
    case FP_GREATER: break;
    default: io->sw |= X87_C0 | X87_C2 | X87_C3; break;
    }
    x87_report(io, env->flags);
}

/* Table 8-... of FXAM in volume 2. */
static void examine(struct x87_io *io)
{
    unsigned exp = io->a.hi & 0x7fff;
    bool integer = io->a.lo >> 63;

    io->sw |= io->a.hi & 0x8000 ? X87_C1 : 0;
    if (!exp)
        io->sw |= io->a.lo ? X87_C3 | X87_C2 : X87_C3;
    else if (!integer)
        ;
    else if (exp != 0x7fff)
        io->sw |= X87_C2;
    else
        io->sw |= io->a.lo << 1 ? X87_C0 : X87_C2 | X87_C0;
}

/* ---- Remainder, scale, exponent ---- */

static int exponent(fp_u128 v)
{
    int exp = (int)(v >> 64 & 0x7fff);

    return (uint64_t)v ? exp - __builtin_clzll((uint64_t)v) + !exp : -0x8000;
}

static bool is_finite(fp_u128 v)
{
    return (v >> 64 & 0x7fff) != 0x7fff;
}

static void remainder_of(struct x87_io *io, struct fp_env *env, bool nearest)
{
    fp_u128 a = x87_pack(io->a), b = x87_pack(io->b), part;
    int d = exponent(a) - exponent(b);
    uint64_t q = 0;

    if (!is_nan(a) && !is_nan(b) && (is_tiny(a) || is_tiny(b)))
        env->flags |= FP_FLAG_DE;

    if (is_finite(a) && is_finite(b) && (uint64_t)a && (uint64_t)b && d >= 64) {
        /* Part of it: by 32 to 63 bits (volume 2, FPREM), so that the quotient's end is beyond. */
        struct fp_env exact = { 0 };

        part = fp_f80_scale(&exact, b, d - (32 + d % 32));
        io->r = x87_unpack(fp_f80_rem_trunc(env, a, part, NULL));
        io->sw |= X87_C2;
    } else {
        part = (nearest ? fp_f80_rem : fp_f80_rem_trunc)(env, a, b, &q);
        if (is_tiny(part) && !(io->cw & X87_UE)) {
            struct fp_env exact = { 0 };

            part = fp_f80_scale(&exact, part, 24576);
            env->flags |= FP_FLAG_UF;
        }
        io->r = x87_unpack(part);
        if (is_finite(part))
            io->sw |= (q & 1 ? X87_C1 : 0) | (q & 2 ? X87_C3 : 0) | (q & 4 ? X87_C0 : 0);
    }
    x87_report(io, env->flags);
}

static fp_u128 scaled(struct x87_io *io, struct fp_env *env, fp_u128 a, int n)
{
    struct fp_env zero = *env, first = *env;
    fp_u128 mask = ((fp_u128)1 << 79) - 1, r = fp_f80_scale(env, a, n);
    unsigned before = unmasked(io, X87_SCALE, env->flags, r);

    if (before) {
        *env = first;
        n += before == FP_FLAG_OF ? -24576 : 24576;
        r = fp_f80_scale(env, a, n);
        env->flags |= before;
    }
    zero.round = FP_RTZ;
    if (env->flags & FP_FLAG_NX && (r & mask) > (fp_f80_scale(&zero, a, n) & mask))
        io->sw |= X87_C1;
    return r;
}

static void scale(struct x87_io *io, struct fp_env *env)
{
    fp_u128 a = x87_pack(io->a), b = x87_pack(io->b);
    struct fp_env quiet = { 0 };
    unsigned ca = fp_f80_class(a), cb = fp_f80_class(b);
    unsigned nan = FP_CLASS_QNAN | FP_CLASS_SNAN, inf = FP_CLASS_NEG_INF | FP_CLASS_POS_INF;
    unsigned zero = FP_CLASS_NEG_ZERO | FP_CLASS_POS_ZERO;

    if (!((ca | cb) & nan) && (is_tiny(a) || is_tiny(b)))
        env->flags |= FP_FLAG_DE;
    if ((ca | cb) & nan) {
        a = fp_f80_add(env, a, b);
    } else if (cb & inf) {
        /* 2^inf times 0, 2^-inf times infinity: invalid. */
        struct x86_f80 factor = { cb & FP_CLASS_POS_INF ? 1ull << 63 : 0,
                                  cb & FP_CLASS_POS_INF ? 0x7fff : 0 };
        a = fp_f80_mul(env, a, x87_pack(factor));
    } else if (!(ca & (zero | inf))) {
        int64_t n = fp_f80_to_int(&quiet, b, FP_RTZ, 32);

        if (quiet.flags & FP_FLAG_NV)
            n = b >> 79 ? -70000 : 70000;
        a = scaled(io, env, a, (int)(n < -70000 ? -70000 : n > 70000 ? 70000 : n));
    }
    io->r = x87_unpack(a);
    x87_report(io, env->flags);
}

static void extract(struct x87_io *io, struct fp_env *env)
{
    fp_u128 a = x87_pack(io->a);
    unsigned class = fp_f80_class(a);
    struct fp_env quiet = { 0 };

    io->r = io->r2 = io->a;
    if (class & (FP_CLASS_QNAN | FP_CLASS_SNAN)) {
        io->r = io->r2 = x87_unpack(fp_f80_add(env, a, a));
    } else if (class & (FP_CLASS_NEG_ZERO | FP_CLASS_POS_ZERO)) {
        io->r = (struct x86_f80){ 1ull << 63, 0xffff };
        env->flags |= FP_FLAG_DZ;
    } else if (class & (FP_CLASS_NEG_INF | FP_CLASS_POS_INF)) {
        io->r.hi = 0x7fff;
    } else {
        int e = exponent(a) - 0x3fff;

        env->flags |= class & (FP_CLASS_NEG_DENORMAL | FP_CLASS_POS_DENORMAL) ? FP_FLAG_DE : 0;
        io->r = x87_from_int(e);
        io->r2 = x87_unpack(fp_f80_scale(&quiet, fp_f80_scale(&quiet, a, -e / 2), -e + e / 2));
    }
    x87_report(io, env->flags);
}

/* ---- Loads and stores ---- */

static void load_float(struct x87_io *io, struct fp_env *env, bool is64)
{
    fp_u128 v = is64 ? fp_f64_to_f80(env, io->mem) : fp_f32_to_f80(env, (uint32_t)io->mem);

    io->r = x87_unpack(v);
    x87_report(io, env->flags);
}

static void load_bcd(struct x87_io *io)
{
    int64_t v = 0;

    for (int k = 17; k >= 0; k--)
        v = v * 10 + (k > 15 ? io->b.hi >> 4 * (k - 16) & 15 : (int)(io->b.lo >> 4 * k & 15));
    io->r = x87_from_int(v);
    io->r.hi |= io->b.hi & 0x8000;
}

static uint64_t narrow(struct fp_env *env, fp_u128 a, bool is64)
{
    return is64 ? fp_f80_to_f64(env, a) : fp_f80_to_f32(env, a);
}

static void store_float(struct x87_io *io, struct fp_env *env, bool is64)
{
    struct fp_env zero = *env;
    fp_u128 a = x87_pack(io->a);
    uint64_t mask = is64 ? INT64_MAX : INT32_MAX, r = narrow(env, a, is64);

    zero.round = FP_RTZ;
    if (env->flags & FP_FLAG_NX && (r & mask) > (narrow(&zero, a, is64) & mask))
        io->sw |= X87_C1;
    if (!(io->cw & X87_UE) && (r & mask) && !((r & mask) >> (is64 ? 52 : 23)))
        env->flags |= FP_FLAG_UF;
    env->flags &= ~FP_FLAG_DE;
    /* Nothing is stored then. */
    if ((env->flags & FP_FLAG_OF && !(io->cw & X87_OE)) ||
        (env->flags & FP_FLAG_UF && !(io->cw & X87_UE))) {
        env->flags &= ~FP_FLAG_NX;
        io->sw &= ~X87_C1;
    }
    io->r = (struct x86_f80){ r, 0 };
    x87_report(io, env->flags);
}

/* @round: for the truncating ones not that of the control word. */
static int64_t to_int(struct x87_io *io, struct fp_env *env, enum fp_round round, unsigned bits)
{
    struct fp_env zero = { .toint = FP_TOINT_X86 };
    fp_u128 a = x87_pack(io->a);
    int64_t r = fp_f80_to_int(env, a, round, bits);

    if (env->flags & FP_FLAG_NX && r != fp_f80_to_int(&zero, a, FP_RTZ, bits))
        io->sw |= X87_C1;
    env->flags &= ~FP_FLAG_DE;
    return r;
}

static void store_int(struct x87_io *io, struct fp_env *env, enum fp_round round, unsigned bits)
{
    uint64_t r = (uint64_t)to_int(io, env, round, bits);

    io->r = (struct x86_f80){ r & UINT64_MAX >> (64 - bits), 0 };
    x87_report(io, env->flags);
}

static void store_bcd(struct x87_io *io, struct fp_env *env)
{
    const int64_t limit = 1000000000000000000;
    int64_t v = to_int(io, env, env->round, 64);
    uint64_t mag = v < 0 ? -(uint64_t)v : (uint64_t)v;

    io->r = (struct x86_f80){ 0, io->a.hi & 0x8000 };
    if (env->flags & FP_FLAG_NV || mag >= (uint64_t)limit) {
        env->flags = FP_FLAG_NV;
        io->sw &= ~X87_C1;
        io->r = (struct x86_f80){ 0xc000000000000000, 0xffff };
    } else {
        for (unsigned k = 0; k < 18; k++, mag /= 10) {
            if (k < 16)
                io->r.lo |= mag % 10 << 4 * k;
            else
                io->r.hi |= mag % 10 << 4 * (k - 16);
        }
    }
    x87_report(io, env->flags);
}

static bool other(enum x87_op op, struct x87_io *io, struct fp_env *env)
{
    switch (op) {
    case X87_UCOM: compare(io, env, x87_pack(io->b), false); break;
    case X87_TST: compare(io, env, 0, true); break;
    case X87_XAM: examine(io); break;
    case X87_SQRT:
    case X87_RNDINT: arith(io, op, env, 0); break;
    case X87_SCALE: scale(io, env); break;
    case X87_PREM: remainder_of(io, env, false); break;
    case X87_PREM1: remainder_of(io, env, true); break;
    case X87_XTRACT: extract(io, env); break;
    case X87_LD_F32:
    case X87_LD_F64: load_float(io, env, op == X87_LD_F64); break;
    case X87_LD_BCD: load_bcd(io); break;
    case X87_ST_F32:
    case X87_ST_F64: store_float(io, env, op == X87_ST_F64); break;
    case X87_ST_I16:
    case X87_ST_I32:
    case X87_ST_I64: store_int(io, env, env->round, 16u << (op - X87_ST_I16)); break;
    case X87_TT_I16:
    case X87_TT_I32:
    case X87_TT_I64: store_int(io, env, FP_RTZ, 16u << (op - X87_TT_I16)); break;
    case X87_ST_BCD: store_bcd(io, env); break;
    default: return false;
    }
    return true;
}

void x87_soft_run(enum x87_op op, struct x87_io *io)
{
    struct fp_env env = x87_env(io);
    unsigned kind = op % X87_KINDS;
    fp_u128 b;

    io->sw = 0;
    if (op > X87_DIVR_LAST) {
        if (!other(op, io, &env))
            x87_math(op, io);
        return;
    }
    b = second(&env, io, kind);
    if (op - kind == X87_COM)
        compare(io, &env, b, true);
    else
        arith(io, op - kind, &env, b);
}
