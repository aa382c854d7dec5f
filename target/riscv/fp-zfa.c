/*
 * Zfa (unprivileged architecture, "Zfa").
 */
#include "fp.h"
#include "zfa.inc"

/* What FLI loads, as doubles; entry 1 is the format's smallest normal number instead. */
static const uint64_t fli[32] = {
#define SCALED(sign, exp, frac16) \
    ((uint64_t)(sign) << 63 | (uint64_t)(1023 + (exp)) << 52 | (uint64_t)(frac16) << 48)
    SCALED(1, 0, 0),    0,
    SCALED(0, -16, 0),  SCALED(0, -15, 0),
    SCALED(0, -8, 0),   SCALED(0, -7, 0),
    SCALED(0, -4, 0),   SCALED(0, -3, 0),
    SCALED(0, -2, 0),   SCALED(0, -2, 4),
    SCALED(0, -2, 8),   SCALED(0, -2, 12),
    SCALED(0, -1, 0),   SCALED(0, -1, 4),
    SCALED(0, -1, 8),   SCALED(0, -1, 12),
    SCALED(0, 0, 0),    SCALED(0, 0, 4),
    SCALED(0, 0, 8),    SCALED(0, 0, 12),
    SCALED(0, 1, 0),    SCALED(0, 1, 4),
    SCALED(0, 1, 8),    SCALED(0, 2, 0),
    SCALED(0, 3, 0),    SCALED(0, 4, 0),
    SCALED(0, 7, 0),    SCALED(0, 8, 0),
    SCALED(0, 15, 0),   SCALED(0, 16, 0),
    SCALED(0, 1024, 0), SCALED(0, 1024, 8),
#undef SCALED
};

static uint64_t fli_bits(enum riscv_fmt fmt, unsigned n)
{
    static const uint64_t smallest[] = {
        [FMT_S] = 0xffffffff00800000, [FMT_D] = 1ULL << 52, [FMT_H] = 0xffffffffffff0400
    };
    struct fp_env env = { .round = FP_RNE };

    if (n == 1)
        return smallest[fmt];
    switch (fmt) {
    case FMT_S: return fp_f64_to_f32(&env, fli[n]) | 0xffffffff00000000;
    case FMT_H: return fp_f64_to_f16(&env, fli[n]) | 0xffffffffffff0000;
    default: return fli[n];
    }
}

static bool tr_fli(struct trans *t, const struct args *a)
{
    if (!fp_on(t))
        return false;
    fp_set_bits(t, a->rd, ir_imm64(t->ir, fli_bits(a->fmt, a->imm)));
    return true;
}

static bool tr_fminm(struct trans *t, const struct args *a)
{
    return fp_soft_pair(t, a->fmt, a->rd, a->rs1, a->rs2, SOFT_minm);
}

static bool tr_fmaxm(struct trans *t, const struct args *a)
{
    return fp_soft_pair(t, a->fmt, a->rd, a->rs1, a->rs2, SOFT_maxm);
}

static bool tr_fltq(struct trans *t, const struct args *a)
{
    return fp_compare(t, a->fmt, a->rd, a->rs1, a->rs2, IR_FLTQ, SOFT_ltq);
}

static bool tr_fleq(struct trans *t, const struct args *a)
{
    return fp_compare(t, a->fmt, a->rd, a->rs1, a->rs2, IR_FLEQ, SOFT_leq);
}

static bool round_to_integral(struct trans *t, const struct args *a, enum riscv_fp_op op)
{
    struct fp_rounding r;

    if (!fp_on(t) || !fp_rounding(t, a->rm, &r))
        return false;
    fp_set_bits(t, a->rd, fp_soft(t, op, a->fmt, r.mode, fp_bits(t, a->rs1), IR_NONE, IR_NONE));
    return true;
}

static bool tr_fround(struct trans *t, const struct args *a)
{
    return round_to_integral(t, a, SOFT_round);
}

static bool tr_froundnx(struct trans *t, const struct args *a)
{
    return round_to_integral(t, a, SOFT_roundnx);
}

static bool tr_fcvtmod(struct trans *t, const struct args *a)
{
    ir_val v;

    if (!fp_on(t))
        return false;
    v = ir_call(t->ir, &helper_fp_to_w_mod, fp_bits(t, a->rs1), IR_NONE, IR_NONE, IR_NONE);
    rv_set(t, a->rd, rv_narrow(t, v));
    return true;
}

/* RV32: the upper half of a double; and a double put together from two registers. */
static bool tr_fmvh(struct trans *t, const struct args *a)
{
    ir_val upper;

    if (!fp_on(t))
        return false;
    upper = ir_shr(t->ir, fp_bits(t, a->rs1), ir_imm64(t->ir, 32));
    rv_set(t, a->rd, rv_narrow(t, upper));
    return true;
}

static bool tr_fmvp(struct trans *t, const struct args *a)
{
    struct ir *ir = t->ir;
    ir_val upper;

    if (!fp_on(t))
        return false;
    upper = ir_shl(ir, rv_wide(t, rv_get(t, a->rs2)), ir_imm64(ir, 32));
    fp_set_bits(t, a->rd, ir_or(ir, upper, rv_wide(t, rv_get(t, a->rs1))));
    return true;
}
