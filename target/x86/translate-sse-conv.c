/*
 * Conversions between integers and floating point and between its formats, and moves that widen
 * lanes.
 */
#include "translate-sse.h"

static ir_val op1(struct trans *t, uint32_t arg, unsigned imm, ir_val v)
{
    return sse_op(t, VA_VOP(arg), VA_LANE(arg), imm, v, IR_NONE, IR_NONE);
}

/* One result half from the low bytes of the source: PMOVSX, CVTPS2PD. */
bool x86_tr_sse_widen(struct trans *t, const struct x86_insn *i)
{
    unsigned bytes = i->arg & VA_HALF ? 8 : i->arg & VA_QUARTER ? 4 : 2, imm = i->arg >> 24;
    ir_val r[2] = { IR_NONE, IR_NONE }, v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    v = sse_low(t, i, bytes * sse_halves(i)).v[0];
    r[0] = op1(t, i->arg, imm, v);
    if (sse_halves(i) == 2)
        r[1] = op1(t, i->arg, imm, ir_v1(t->ir, IR_V_SHRB, 128, bytes, v));
    sse_set(t, i, i->reg, r);
    return true;
}

/* The result has half of the source's size: CVTPD2PS, CVTPD2DQ. */
bool x86_tr_sse_narrow(struct trans *t, const struct x86_insn *i)
{
    struct sse_src s;
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    s = sse_rm(t, i);
    v = op1(t, i->arg, i->arg >> 24, s.v[0]);
    if (sse_halves(i) == 2)
        v = ir_v2(t->ir, IR_V_UNPLO, 64, 0, v, op1(t, i->arg, i->arg >> 24, s.v[1]));
    sse_set1(t, i, i->reg, v);
    return true;
}

/* VCVTPS2PH: narrows to memory or a register. */
bool x86_tr_avx_to_f16(struct trans *t, const struct x86_insn *i)
{
    unsigned halves = sse_halves(i);
    struct sse_src s;
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    /* A fault comes before any flag. */
    if (i->is_mem)
        ir_call(t->ir, &helper_sse_touch, x86_address_val(t, i, 0, 8 * halves),
                ir_imm64(t->ir, 8 * halves | x86_mem(t, 0) >> IR_MEM_MODE_SHIFT << 8), IR_NONE,
                IR_NONE);
    s = sse_reg(t, i, i->reg);
    v = op1(t, i->arg, i->imm & 0xff, s.v[0]);
    if (halves == 2)
        v = ir_v2(t->ir, IR_V_UNPLO, 64, 0, v, op1(t, i->arg, i->imm & 0xff, s.v[1]));
    sse_report(t);
    if (i->is_mem)
        sse_store(t, i, 0, 8 * halves, v, false);
    else
        sse_set1(t, i, i->rm, v);
    return true;
}

/* CVTSI2SS, CVTSI2SD. */
bool x86_tr_sse_from_int(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = i->w && x86_is64(t) ? 3 : 2;
    enum ir_vop vop = log2size == 3 ? IR_V_I64TOF : IR_V_I32TOF;
    ir_val v;

    if (!sse_begin(t, i))
        return true;
    if (i->is_mem)
        v = x86_tr_load(t, log2size, x86_address(t, i, 0, 1u << log2size));
    else
        v = x86_get_reg_val(t, log2size, i->rm, true);
    v = sse_op(t, vop, VA_LANE(i->arg), 0, sse_src1(t, i).v[0], v, IR_NONE);
    sse_set1(t, i, i->reg, v);
    return true;
}

/* CVTSS2SI, CVTTSD2SI ...; argument's immediate 1: truncating. */
bool x86_tr_sse_to_int(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = i->w && x86_is64(t) ? 3 : 2, lane = VA_LANE(i->arg);
    enum ir_vop vop = log2size == 3 ? IR_V_FTOI64 : IR_V_FTOI32;
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    v = sse_low(t, i, lane / 8).v[0];
    v = sse_op(t, vop, lane, i->arg >> 24, v, IR_NONE, IR_NONE);
    sse_report(t);
    x86_set_reg_val(t, log2size, i->reg, true, v);
    return true;
}
