/*
 * Atomic exchanges that need more than one operation, decimal arithmetic, BOUND.
 */
#include "translate.h"

/* ---- CMPXCHG, XADD ---- */

/* In memory always atomic: that is what the bus sees without LOCK, too, and costs little. */
bool x86_tr_cmpxchg(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0);
    ir_val acc = x86_get_reg_val(t, log2size, R_AX, true), b = x86_read(t, i, 1), a, old;

    if (i->is_mem) {
        a = ir_cmpxchg(ir, x86_mem(t, log2size), x86_address_val(t, i, 0, 1u << log2size), acc, b);
    } else {
        a = x86_read(t, i, 0);
        x86_write(t, i, 0, ir_select(ir, IR_EQ, a, acc, b, a));
    }
    /* Equal: the accumulator stays as it is, upper half included. */
    x86_set_cc(t, CC_SUB | log2size, acc, a, IR_NONE);
    if (log2size == 2 && (i->is_mem || i->rm != R_AX)) {
        old = ir_get(ir, R_AX);
        ir_set(ir, R_AX, ir_select(ir, IR_EQ, a, acc, old, ir_zext32(ir, a)));
    } else if (i->is_mem || i->rm != R_AX) {
        x86_set_reg_val(t, log2size, R_AX, true, a);
    }
    return true;
}

bool x86_tr_xadd(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0);
    ir_val b = x86_read(t, i, 1), a, r;

    if (i->is_mem) {
        a = ir_amo(ir, IR_AMO_ADD, x86_mem(t, log2size), x86_address_val(t, i, 0, 1u << log2size),
                   b);
        r = ir_add(ir, a, b);
        x86_write(t, i, 1, a);
    } else {
        a = x86_read(t, i, 0);
        r = ir_add(ir, a, b);
        x86_write(t, i, 1, a);
        x86_write(t, i, 0, r);
    }
    x86_set_cc(t, CC_ADD | log2size, r, b, IR_NONE);
    return true;
}

bool x86_tr_cmpxchg8b(struct trans *t, const struct x86_insn *i)
{
    ir_call(t->ir, &helper_cmpxchg8b, x86_address_val(t, i, 0, 8), ir_imm32(t->ir, x86_mem(t, 3)),
            IR_NONE, IR_NONE);
    return true;
}

bool x86_tr_cmpxchg16b(struct trans *t, const struct x86_insn *i)
{
    ir_call(t->ir, &helper_cmpxchg16b, x86_address_val(t, i, 0, 16), ir_imm32(t->ir, x86_mem(t, 3)),
            IR_NONE, IR_NONE);
    return true;
}

/* ---- Decimal ---- */

bool x86_tr_bcd(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val ax = ir_get(ir, R_AX);
    ir_val r = ir_call(ir, &helper_bcd, ax, x86_tr_arith(t), ir_imm64(ir, i->arg), IR_NONE);

    x86_set_reg_val(t, 1, R_AX, true, ir_trunc(ir, r));
    x86_tr_set_arith(t, ir_shr(ir, r, ir_imm64(ir, 32)));
    return true;
}

bool x86_tr_aam(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val al = x86_get_reg_val(t, 0, R_AX, true), base = ir_imm32(ir, i->imm), low, high;

    if (!i->imm) {
        x86_tr_raise(t, EXC_DE);
        return true;
    }
    high = ir_binary(ir, IR_DIVU, al, base);
    low = ir_binary(ir, IR_REMU, al, base);
    x86_set_reg_val(t, 1, R_AX, true, ir_or(ir, ir_shl(ir, high, ir_imm32(ir, 8)), low));
    x86_set_cc(t, CC_LOGIC | 0, low, IR_NONE, IR_NONE);
    return true;
}

bool x86_tr_aad(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val al = x86_get_reg_val(t, 0, R_AX, true), ah = x86_get_reg_val(t, 0, R_SP, false);
    ir_val r = x86_zext(t, 0, ir_add(ir, al, ir_mul(ir, ah, ir_imm32(ir, i->imm))));

    x86_set_reg_val(t, 1, R_AX, true, r);
    x86_set_cc(t, CC_LOGIC | 0, r, IR_NONE, IR_NONE);
    return true;
}

/* ---- BOUND ---- */

bool x86_tr_bound(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    int bytes = 1 << i->size;
    ir_val v = x86_sext(t, i->size, x86_read(t, i, 0)), low, high, out;

    low = x86_sext(t, i->size, x86_tr_load(t, i->size, x86_address(t, i, 0, bytes)));
    high = x86_sext(t, i->size, x86_tr_load(t, i->size, x86_address(t, i, bytes, bytes)));
    out = ir_or(ir, ir_setcc(ir, IR_I32, IR_LT, v, low), ir_setcc(ir, IR_I32, IR_GT, v, high));
    ir_call(ir, &helper_raise_if, out, ir_imm32(ir, EXC_BR), IR_NONE, IR_NONE);
    return true;
}
