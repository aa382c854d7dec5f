/*
 * Atomic exchanges that need more than one operation, decimal arithmetic, BOUND.
 */
#include "translate.h"

/* ---- CMPXCHG, XADD ---- */

/* A register gets @v if a equals acc, else stays as it is, upper half included. */
static void set_if_equal(struct trans *t, const struct x86_place *p, ir_val a, ir_val acc, ir_val v,
                         bool equal)
{
    struct ir *ir = t->ir;
    enum ir_cond c = equal ? IR_EQ : IR_NE;

    if (p->log2size == 2)
        ir_set(ir, p->reg, ir_select(ir, c, a, acc, ir_zext32(ir, v), ir_get(ir, p->reg)));
    else
        x86_set(t, p, ir_select(ir, c, a, acc, v, x86_get(t, p)));
}

/* In memory always atomic: that is what the bus sees without LOCK, too, and costs little. */
bool x86_tr_cmpxchg(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = x86_size_of(i, 0);
    struct x86_place ax = { .reg = R_AX, .rex = true, .log2size = log2size }, p;
    ir_val acc = x86_get(t, &ax), b = x86_read(t, i, 1), a;

    if (i->is_mem) {
        a = ir_cmpxchg(t->ir, x86_atomic_mem(t, log2size), x86_address_val(t, i, 0, 1u << log2size),
                       acc, b);
    } else {
        p = x86_place(t, i, 0);
        a = x86_get(t, &p);
        set_if_equal(t, &p, a, acc, b, true);
    }
    x86_set_cc(t, CC_SUB | log2size, acc, a, IR_NONE);
    set_if_equal(t, &ax, a, acc, a, false);
    return true;
}

bool x86_tr_xadd(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0);
    ir_val b = x86_read(t, i, 1), a, r;

    if (i->is_mem) {
        a = ir_amo(ir, IR_AMO_ADD, x86_atomic_mem(t, log2size),
                   x86_address_val(t, i, 0, 1u << log2size), b);
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
    ir_call(t->ir, &helper_cmpxchg8b, x86_address_val(t, i, 0, 8),
            ir_imm32(t->ir, x86_atomic_mem(t, 3)), IR_NONE, IR_NONE);
    return true;
}

bool x86_tr_cmpxchg16b(struct trans *t, const struct x86_insn *i)
{
    ir_call(t->ir, &helper_cmpxchg16b, x86_address_val(t, i, 0, 16),
            ir_imm32(t->ir, x86_atomic_mem(t, 3)), IR_NONE, IR_NONE);
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
    ir_val v = x86_sext(t, i->size, x86_read(t, i, 0)), low, high;

    low = x86_sext(t, i->size, x86_tr_load(t, i->size, x86_address(t, i, 0, bytes)));
    high = x86_sext(t, i->size, x86_tr_load(t, i->size, x86_address(t, i, bytes, bytes)));
    ir_trap_if(ir, IR_LT, v, low, &helper_raise_br);
    ir_trap_if(ir, IR_GT, v, high, &helper_raise_br);
    return true;
}
