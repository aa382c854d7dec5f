/*
 * Floating-point registers and rounding in IR.
 */
#include "fp.h"

const struct ir_helper *const riscv_fp_soft[SOFT_COUNT][FMT_COUNT] = {
#define FP_SOFT(op) { &helper_fp_##op##_s, &helper_fp_##op##_d, &helper_fp_##op##_h },
#include "fp-soft.def"
#undef FP_SOFT
};

/*
 * Reserved modes are illegal even where the result does not depend on the mode. While frm is RMM or
 * reserved, the environment's rounding is what it was before.
 */
bool fp_rounding(const struct trans *t, unsigned rm, struct fp_rounding *r)
{
    unsigned frm = (t->flags & UF_FRM) >> UF_FRM_SHIFT;

    r->mode = rm == FRM_DYN ? frm : rm;
    r->plain = r->mode == frm && frm < FP_RMM;
    return r->mode <= FRM_LAST;
}

ir_val fp_get(struct trans *t, enum riscv_fmt fmt, unsigned n)
{
    ir_val v = ir_get(t->ir, SLOT_F0 + n);

    return fmt == FMT_S ? ir_unary(t->ir, IR_UNBOX, IR_F32, v) : v;
}

void fp_set(struct trans *t, enum riscv_fmt fmt, unsigned n, ir_val v)
{
    if (fmt == FMT_S)
        v = ir_unary(t->ir, IR_BOX, IR_F64, v);
    ir_set(t->ir, SLOT_F0 + n, v);
}

void fp_set_canon(struct trans *t, enum riscv_fmt fmt, unsigned n, ir_val v)
{
    fp_set(t, fmt, n, ir_unary(t->ir, IR_FCANON, fmt == FMT_S ? IR_F32 : IR_F64, v));
}

ir_val fp_bits(struct trans *t, unsigned n)
{
    return ir_unary(t->ir, IR_FBITS, IR_I64, ir_get(t->ir, SLOT_F0 + n));
}

void fp_set_bits(struct trans *t, unsigned n, ir_val v)
{
    ir_set(t->ir, SLOT_F0 + n, ir_unary(t->ir, IR_BITSF, IR_F64, v));
}

ir_val fp_soft(struct trans *t, enum riscv_fp_op op, enum riscv_fmt fmt, unsigned how, ir_val a,
               ir_val b, ir_val c)
{
    return ir_call(t->ir, riscv_fp_soft[op][fmt], ir_imm32(t->ir, how), a, b, c);
}

bool fp_soft_pair(struct trans *t, unsigned fmt, unsigned rd, unsigned rs1, unsigned rs2,
                  enum riscv_fp_op op)
{
    if (!fp_on(t))
        return false;
    fp_set_bits(t, rd, fp_soft(t, op, fmt, FP_RNE, fp_bits(t, rs1), fp_bits(t, rs2), IR_NONE));
    return true;
}

bool fp_compare(struct trans *t, unsigned fmt, unsigned rd, unsigned rs1, unsigned rs2,
                enum ir_fcmp c, enum riscv_fp_op soft)
{
    ir_val v;

    if (!fp_on(t))
        return false;
    if (fmt == FMT_H)
        v = fp_soft(t, soft, FMT_H, FP_RNE, fp_bits(t, rs1), fp_bits(t, rs2), IR_NONE);
    else
        v = ir_fcmp(t->ir, c, fp_get(t, fmt, rs1), fp_get(t, fmt, rs2));
    rv_set(t, rd, rv_narrow(t, v));
    return true;
}
