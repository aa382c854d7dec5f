/*
 * The builder's vector operations.
 */
#include "build.h"

/* What the operation is equal to, or IR_NONE. */
static ir_val simpler(struct ir *ir, enum ir_vop vop, unsigned lane, ir_val a, ir_val b)
{
    const struct ir_insn *i;

    switch (vop) {
    case IR_V_XOR:
    case IR_V_SUB:
        return a == b ? ir_v3(ir, IR_V_ZERO, 128, 0, IR_NONE, IR_NONE, IR_NONE) : IR_NONE;
    case IR_V_AND:
    case IR_V_OR: return a == b ? a : IR_NONE;
    case IR_V_TOF:
        i = ir_def(ir, a);
        if (i->op != IR_V || i->mem != lane)
            return IR_NONE;
        return i->cond == IR_V_FROMF ? i->a : i->cond == IR_V_INSF ? i->b : IR_NONE;
    default: return IR_NONE;
    }
}

ir_val ir_v3(struct ir *ir, enum ir_vop vop, unsigned lane, unsigned imm, ir_val a, ir_val b,
             ir_val c)
{
    bool floating = ir_vop_info[vop].props & IR_VP_F;
    ir_val v = simpler(ir, vop, lane, a, b);
    struct ir_insn *i;

    if (v)
        return v;
    i = ir_append(ir, floating ? IR_VF : IR_V, ir_vop_type(vop, lane, 0));
    if (!i)
        return IR_NONE;
    i->cond = vop;
    i->mem = lane;
    i->imm = imm;
    i->a = a;
    i->b = b;
    i->c = c;
    return i - ir->insn;
}
