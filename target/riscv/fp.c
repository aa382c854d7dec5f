/*
 * F, D, Zfh, Zfhmin and their compressed loads and stores (unprivileged architecture 22 to 24, 28).
 *
 * Handlers serve all formats. Loads, stores and moves pass bits through; arithmetic makes NaNs
 * canonical.
 */
#include "fp.h"
#include "fp.inc"

/* ---- Loads and stores ---- */

static bool tr_fload(struct trans *t, const struct args *a)
{
    static const uint8_t log2size[] = { [FMT_S] = 2, [FMT_D] = 3, [FMT_H] = 1 };
    static const uint8_t type[] = { [FMT_S] = IR_F32, [FMT_D] = IR_F64, [FMT_H] = IR_I64 };
    int64_t disp;
    ir_val base, v;

    if (!fp_on(t))
        return false;
    base = rv_base(t, a->rs1, a->imm, &disp);
    v = ir_load(t->ir, type[a->fmt], rv_mem(t, log2size[a->fmt], 0), base, disp);
    if (a->fmt == FMT_H)
        fp_set_bits(t, a->rd, ir_or(t->ir, v, ir_imm64(t->ir, ~0xffffLL)));
    else
        fp_set(t, a->fmt, a->rd, v);
    return true;
}

/* What a store takes from the register: its low bits, boxed or not. */
static ir_val stored(struct trans *t, enum riscv_fmt fmt, unsigned n)
{
    ir_val v = ir_get(t->ir, SLOT_F0 + n);

    if (fmt == FMT_D)
        return v;
    if (fmt == FMT_S && ir_def(t->ir, v)->op == IR_BOX)
        return ir_def(t->ir, v)->a;
    return ir_trunc(t->ir, fp_bits(t, n));
}

static bool tr_fstore(struct trans *t, const struct args *a)
{
    static const uint8_t log2size[] = { [FMT_S] = 2, [FMT_D] = 3, [FMT_H] = 1 };
    int64_t disp;
    ir_val base;

    if (!fp_on(t))
        return false;
    base = rv_base(t, a->rs1, a->imm, &disp);
    ir_store(t->ir, rv_mem(t, log2size[a->fmt], 0), base, disp, stored(t, a->fmt, a->rs2));
    return true;
}

/* ---- Arithmetic ---- */

/* What every instruction that rounds begins with. False: it is illegal. */
static bool begin_rounded(struct trans *t, const struct args *a, struct fp_rounding *r)
{
    if (!fp_on(t) || !fp_rounding(t, a->rm, r))
        return false;
    if (a->fmt == FMT_H)
        r->plain = false;
    return true;
}

static bool binary(struct trans *t, const struct args *a, enum ir_op op, enum riscv_fp_op soft)
{
    struct fp_rounding r;

    if (!begin_rounded(t, a, &r))
        return false;
    if (r.plain)
        fp_set_canon(t, a->fmt, a->rd,
                     ir_binary(t->ir, op, fp_get(t, a->fmt, a->rs1), fp_get(t, a->fmt, a->rs2)));
    else
        fp_set_bits(
            t, a->rd,
            fp_soft(t, soft, a->fmt, r.mode, fp_bits(t, a->rs1), fp_bits(t, a->rs2), IR_NONE));
    return true;
}

static bool tr_fadd(struct trans *t, const struct args *a)
{
    return binary(t, a, IR_FADD, SOFT_add);
}

static bool tr_fsub(struct trans *t, const struct args *a)
{
    return binary(t, a, IR_FSUB, SOFT_sub);
}

static bool tr_fmul(struct trans *t, const struct args *a)
{
    return binary(t, a, IR_FMUL, SOFT_mul);
}

static bool tr_fdiv(struct trans *t, const struct args *a)
{
    return binary(t, a, IR_FDIV, SOFT_div);
}

static bool tr_fsqrt(struct trans *t, const struct args *a)
{
    struct fp_rounding r;

    if (!begin_rounded(t, a, &r))
        return false;
    if (r.plain)
        fp_set_canon(t, a->fmt, a->rd,
                     ir_unary(t->ir, IR_FSQRT, a->fmt == FMT_S ? IR_F32 : IR_F64,
                              fp_get(t, a->fmt, a->rs1)));
    else
        fp_set_bits(t, a->rd,
                    fp_soft(t, SOFT_sqrt, a->fmt, r.mode, fp_bits(t, a->rs1), IR_NONE, IR_NONE));
    return true;
}

static bool tr_fma(struct trans *t, const struct args *a)
{
    struct fp_rounding r;

    if (!begin_rounded(t, a, &r))
        return false;
    if (r.plain)
        fp_set_canon(t, a->fmt, a->rd,
                     ir_fma(t->ir, a->op, fp_get(t, a->fmt, a->rs1), fp_get(t, a->fmt, a->rs2),
                            fp_get(t, a->fmt, a->rs3)));
    else
        fp_set_bits(t, a->rd,
                    fp_soft(t, SOFT_fma, a->fmt, r.mode | (unsigned)a->op << 3, fp_bits(t, a->rs1),
                            fp_bits(t, a->rs2), fp_bits(t, a->rs3)));
    return true;
}

/* Minimum and maximum do not round and give a NaN only as the canonical one. */
static bool minmax(struct trans *t, const struct args *a, enum ir_op op, enum riscv_fp_op soft)
{
    if (a->fmt == FMT_H)
        return fp_soft_pair(t, a->fmt, a->rd, a->rs1, a->rs2, soft);
    if (!fp_on(t))
        return false;
    fp_set(t, a->fmt, a->rd,
           ir_binary(t->ir, op, fp_get(t, a->fmt, a->rs1), fp_get(t, a->fmt, a->rs2)));
    return true;
}

static bool tr_fmin(struct trans *t, const struct args *a)
{
    return minmax(t, a, IR_FMINNUM, SOFT_min);
}

static bool tr_fmax(struct trans *t, const struct args *a)
{
    return minmax(t, a, IR_FMAXNUM, SOFT_max);
}

static bool tr_feq(struct trans *t, const struct args *a)
{
    return fp_compare(t, a->fmt, a->rd, a->rs1, a->rs2, IR_FEQ, SOFT_eq);
}

static bool tr_flt(struct trans *t, const struct args *a)
{
    return fp_compare(t, a->fmt, a->rd, a->rs1, a->rs2, IR_FLT, SOFT_lt);
}

static bool tr_fle(struct trans *t, const struct args *a)
{
    return fp_compare(t, a->fmt, a->rd, a->rs1, a->rs2, IR_FLE, SOFT_le);
}

static bool tr_fclass(struct trans *t, const struct args *a)
{
    ir_val v;

    if (!fp_on(t))
        return false;
    v = fp_soft(t, SOFT_class, a->fmt, 0, fp_bits(t, a->rs1), IR_NONE, IR_NONE);
    rv_set(t, a->rd, rv_narrow(t, v));
    return true;
}

/* ---- Signs and moves ---- */

/* The half in register @n as the low 16 bits of an i64. */
static ir_val half(struct trans *t, unsigned n)
{
    struct ir *ir = t->ir;
    ir_val v = fp_bits(t, n), upper = ir_sar(ir, v, ir_imm64(ir, 16));

    return ir_select(ir, IR_EQ, upper, ir_imm64(ir, -1), v, ir_imm64(ir, 0x7e00));
}

/* The result: rs1's magnitude; its sign bit is rs2's, inverted, or the exclusive or of both. */
static void sign_half(struct trans *t, const struct args *a, enum ir_op op)
{
    struct ir *ir = t->ir;
    ir_val x = half(t, a->rs1), y = half(t, a->rs2);
    ir_val sign = ir_and(ir, y, ir_imm64(ir, 0x8000));

    if (op == IR_FSGNX) {
        x = ir_xor(ir, x, sign);
    } else {
        if (op == IR_FSGNN)
            sign = ir_xor(ir, sign, ir_imm64(ir, 0x8000));
        x = ir_or(ir, ir_and(ir, x, ir_imm64(ir, ~0x8000LL)), sign);
    }
    fp_set_bits(t, a->rd, ir_or(ir, x, ir_imm64(ir, ~0xffffLL)));
}

/* fmv, fneg and fabs are those with both operands in one register. */
static ir_val sign_of_same(struct trans *t, enum ir_op op, ir_val x)
{
    enum ir_type type = ir_type_of(t->ir, x);

    switch (op) {
    case IR_FSGN: return x;
    case IR_FSGNN: return ir_unary(t->ir, IR_FNEG, type, x);
    default: return ir_unary(t->ir, IR_FABS, type, x);
    }
}

static bool sign(struct trans *t, const struct args *a, enum ir_op op)
{
    ir_val x, y;

    if (!fp_on(t))
        return false;
    if (a->fmt == FMT_H) {
        sign_half(t, a, op);
        return true;
    }
    x = fp_get(t, a->fmt, a->rs1);
    if (a->rs1 == a->rs2) {
        fp_set(t, a->fmt, a->rd, sign_of_same(t, op, x));
    } else {
        y = fp_get(t, a->fmt, a->rs2);
        fp_set(t, a->fmt, a->rd, ir_binary(t->ir, op, x, y));
    }
    return true;
}

static bool tr_fsgnj(struct trans *t, const struct args *a)
{
    return sign(t, a, IR_FSGN);
}

static bool tr_fsgnjn(struct trans *t, const struct args *a)
{
    return sign(t, a, IR_FSGNN);
}

static bool tr_fsgnjx(struct trans *t, const struct args *a)
{
    return sign(t, a, IR_FSGNX);
}

/* fmv.x.w, fmv.x.d, fmv.x.h: bits of any register, sign extended. */
static bool tr_fmv_x(struct trans *t, const struct args *a)
{
    ir_val v;

    if (!fp_on(t))
        return false;
    v = fp_bits(t, a->rs1);
    if (a->fmt == FMT_D)
        rv_set(t, a->rd, v);
    else if (a->fmt == FMT_S)
        rv_set32(t, a->rd, ir_trunc(t->ir, v));
    else
        rv_set(t, a->rd, rv_narrow(t, ir_unary(t->ir, IR_SEXT16, IR_I64, v)));
    return true;
}

/* fmv.w.x, fmv.d.x, fmv.h.x */
static bool tr_fmv_f(struct trans *t, const struct args *a)
{
    struct ir *ir = t->ir;

    if (!fp_on(t))
        return false;
    if (a->fmt == FMT_S)
        fp_set(t, FMT_S, a->rd, ir_unary(ir, IR_BITSF, IR_F32, rv_get32(t, a->rs1)));
    else if (a->fmt == FMT_D)
        fp_set_bits(t, a->rd, rv_get(t, a->rs1));
    else
        fp_set_bits(t, a->rd, ir_or(ir, rv_wide(t, rv_get(t, a->rs1)), ir_imm64(ir, ~0xffffLL)));
    return true;
}

/* ---- Conversions; op of those with integers: W, WU, L, LU ---- */

/* F2I and I2F can round in any direction, whatever frm is. */
static unsigned how_of(const struct fp_rounding *r, bool is_unsigned)
{
    static const uint8_t direction[] = {
        [FP_RNE] = IR_RND_RNE, [FP_RTZ] = IR_RND_RTZ, [FP_RDN] = IR_RND_RDN,
        [FP_RUP] = IR_RND_RUP, [FP_RMM] = IR_RND_RMM,
    };

    return (r->plain ? IR_RND_CUR : direction[r->mode]) | (is_unsigned ? IR_F2I_UNSIGNED : 0);
}

/* WU results are sign extended like all 32-bit results. */
static bool tr_f2i(struct trans *t, const struct args *a)
{
    struct fp_rounding r;
    bool is_long = a->op & 2;
    ir_val v;

    if (!begin_rounded(t, a, &r))
        return false;
    if (a->fmt == FMT_H) {
        v = fp_soft(t, SOFT_to_w + a->op, FMT_H, r.mode, fp_bits(t, a->rs1), IR_NONE, IR_NONE);
        rv_set(t, a->rd, rv_narrow(t, v));
        return true;
    }
    v = ir_f2i(t->ir, is_long ? IR_I64 : IR_I32, how_of(&r, a->op & 1), fp_get(t, a->fmt, a->rs1));
    if (is_long)
        rv_set(t, a->rd, v);
    else
        rv_set32(t, a->rd, v);
    return true;
}

static bool tr_i2f(struct trans *t, const struct args *a)
{
    struct fp_rounding r;
    bool is_long = a->op & 2;
    enum ir_type type = a->fmt == FMT_S ? IR_F32 : IR_F64;

    if (!begin_rounded(t, a, &r))
        return false;
    if (a->fmt != FMT_H) {
        ir_val x = is_long ? rv_get(t, a->rs1) : rv_get32(t, a->rs1);
        fp_set(t, a->fmt, a->rd, ir_i2f(t->ir, type, how_of(&r, a->op & 1), x));
    } else {
        ir_val x = rv_wide(t, rv_get(t, a->rs1));
        fp_set_bits(t, a->rd, fp_soft(t, SOFT_from_w + a->op, FMT_H, r.mode, x, IR_NONE, IR_NONE));
    }
    return true;
}

static bool tr_f2f(struct trans *t, const struct args *a)
{
    static const uint8_t soft[] = { SOFT_from_s, SOFT_from_d, SOFT_from_h };
    struct fp_rounding r;
    bool widens = a->fmt == FMT_D;

    if (!begin_rounded(t, a, &r))
        return false;
    if (a->op != FMT_H && a->fmt != FMT_H && (r.plain || widens))
        fp_set_canon(t, a->fmt, a->rd,
                     ir_unary(t->ir, IR_F2F, widens ? IR_F64 : IR_F32, fp_get(t, a->op, a->rs1)));
    else
        fp_set_bits(t, a->rd,
                    fp_soft(t, soft[a->op], a->fmt, r.mode, fp_bits(t, a->rs1), IR_NONE, IR_NONE));
    return true;
}
