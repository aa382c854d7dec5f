/*
 * Shifts and rotates. A count of 0 changes no flag (Intel volume 2, SAL and RCL): with a constant
 * count that is known, with CL the flags are selected.
 */
#include "translate.h"

/* A shift count in the type of the operand, already masked; and whether it may be 0. */
struct count {
    ir_val v;
    bool is_const;
    unsigned n; /* if const */
};

static struct count count_of(struct trans *t, const struct x86_insn *i, unsigned operand,
                             unsigned log2size)
{
    struct ir *ir = t->ir;
    unsigned mask = log2size == 3 ? 63 : 31;
    ir_val v = x86_read(t, i, operand);
    int64_t known;

    if (i->pattern->operand[operand].kind == OPK_IMM)
        v = ir_imm32(ir, i->imm); /* whatever the size it was read as */
    v = ir_and(ir, v, ir_imm32(ir, mask));
    v = log2size == 3 ? ir_zext32(ir, v) : v;
    if (ir_is_const(ir, v, &known))
        return (struct count){ v, true, known };
    return (struct count){ v, false, 0 };
}

/* By a count that is known to be 0: @a is written back, as writing 32 bits clears the upper ones.
 */
static bool leaves_as_is(struct trans *t, const struct count *n, const struct x86_place *p,
                         ir_val a)
{
    if (!n->is_const || n->n)
        return false;
    x86_set(t, p, a);
    return true;
}

/* cc_op and its values become the new ones unless the count is 0. */
static void set_cc_unless_0(struct trans *t, const struct count *n, unsigned op, ir_val dst,
                            ir_val src)
{
    struct ir *ir = t->ir;
    ir_val zero = ir_imm(ir, ir_type_of(ir, n->v), 0), old_op;

    if (n->is_const) {
        x86_set_cc(t, op, dst, src, IR_NONE);
        return;
    }
    old_op = ir_get(ir, SLOT_CC_OP);
    dst = ir_select(ir, IR_NE, n->v, zero, x86_wide(t, dst), ir_get(ir, SLOT_CC_DST));
    src = ir_select(ir, IR_NE, n->v, zero, x86_wide(t, src), ir_get(ir, SLOT_CC_SRC));
    ir_set(ir, SLOT_CC_DST, dst);
    ir_set(ir, SLOT_CC_SRC, src);
    ir_set(ir, SLOT_CC_OP, ir_select(ir, IR_NE, n->v, zero, ir_imm64(ir, op), old_op));
}

static ir_val minus_1(struct trans *t, ir_val v)
{
    return ir_add(t->ir, v, ir_imm(t->ir, ir_type_of(t->ir, v), -1));
}

bool x86_tr_shift(struct trans *t, const struct x86_insn *i)
{
    static const uint8_t ops[] = { [SH_SHL] = IR_SHL, [SH_SHR] = IR_SHR, [SH_SAR] = IR_SAR };
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0);
    struct count n = count_of(t, i, 1, log2size);
    struct x86_place p = x86_place(t, i, 0);
    ir_val a = x86_get_to_change(t, &p), before, r;

    if (leaves_as_is(t, &n, &p, a))
        return true;
    if (i->arg == SH_SAR)
        a = x86_sext(t, log2size, a);
    before = ir_binary(ir, ops[i->arg], a, minus_1(t, n.v));
    r = ir_binary(ir, ops[i->arg], a, n.v);
    x86_set(t, &p, r);
    set_cc_unless_0(t, &n, (i->arg == SH_SHL ? CC_SHL : CC_SHR) | log2size, r, before);
    return true;
}

/* Bit @n of @v, as i32. */
static ir_val bit(struct trans *t, ir_val v, unsigned n)
{
    struct ir *ir = t->ir;
    enum ir_type type = ir_type_of(ir, v);

    v = ir_and(ir, ir_shr(ir, v, ir_imm(ir, type, n)), ir_imm(ir, type, 1));
    return x86_narrow(t, 2, v);
}

/* CF and OF change, all others stay; all stay if the count is 0. */
static void rotate_flags(struct trans *t, const struct count *n, ir_val cf, ir_val of)
{
    struct ir *ir = t->ir;
    ir_val old, zero;

    if (n->is_const) {
        x86_tr_set_carry(t, cf, of);
        return;
    }
    zero = ir_imm(ir, ir_type_of(ir, n->v), 0);
    old = x86_tr_arith(t);
    x86_tr_set_carry(t, cf, of);
    x86_tr_set_arith(t, ir_select(ir, IR_NE, n->v, zero, x86_tr_arith(t), old));
}

/* An 8 or 16-bit value repeated until it fills 32 bits: rotates like the small one. */
static ir_val repeat(struct trans *t, unsigned log2size, ir_val v)
{
    struct ir *ir = t->ir;

    if (log2size == 0)
        v = ir_or(ir, v, ir_shl(ir, v, ir_imm32(ir, 8)));
    return log2size < 2 ? ir_or(ir, v, ir_shl(ir, v, ir_imm32(ir, 16))) : v;
}

bool x86_tr_rotate(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0), top = (8u << log2size) - 1;
    struct count n = count_of(t, i, 1, log2size);
    struct x86_place p = x86_place(t, i, 0);
    ir_val a = x86_get_to_change(t, &p), r, cf, of;

    if (leaves_as_is(t, &n, &p, a))
        return true;
    r = ir_binary(ir, i->arg == SH_ROL ? IR_ROTL : IR_ROTR, repeat(t, log2size, a), n.v);
    r = x86_zext(t, log2size, r);
    x86_set(t, &p, r);
    if (i->arg == SH_ROL) {
        cf = bit(t, r, 0);
        of = ir_xor(ir, cf, bit(t, r, top));
    } else {
        cf = bit(t, r, top);
        of = ir_xor(ir, cf, bit(t, r, top - 1));
    }
    rotate_flags(t, &n, cf, of);
    return true;
}

/*
 * RCL and RCR: helpers for all but counts of 1. They take value, count and carry, and return the
 * value; another one with the same arguments returns carry (bit 0) and overflow (bit 1).
 */
static bool rotate_carry_by_1(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0), top = (8u << log2size) - 1;
    enum ir_type type = x86_type(log2size);
    struct x86_place p = x86_place(t, i, 0);
    ir_val a = x86_get_to_change(t, &p), carry = x86_carry(t), in, cf, of, r;

    in = log2size == 3 ? ir_zext32(ir, carry) : carry;
    if (i->arg == SH_RCL) {
        cf = bit(t, a, top);
        r = ir_or(ir, ir_shl(ir, a, ir_imm(ir, type, 1)), in);
        of = ir_xor(ir, cf, bit(t, r, top));
    } else {
        cf = bit(t, a, 0);
        r = ir_or(ir, ir_shr(ir, a, ir_imm(ir, type, 1)), ir_shl(ir, in, ir_imm(ir, type, top)));
        of = ir_xor(ir, carry, bit(t, a, top));
    }
    x86_set(t, &p, r);
    x86_tr_set_carry(t, cf, of);
    return true;
}

bool x86_tr_rotate_carry(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0);
    struct count n = count_of(t, i, 1, log2size);
    struct x86_place p;
    ir_val a, carry, how, r, f;

    if (n.is_const && n.n == 1)
        return rotate_carry_by_1(t, i);
    p = x86_place(t, i, 0);
    a = x86_get_to_change(t, &p);
    if (leaves_as_is(t, &n, &p, a))
        return true;
    carry = x86_wide(t, x86_carry(t));
    how = ir_imm64(ir, log2size | (i->arg == SH_RCR ? ROTATE_RIGHT : 0));
    a = x86_wide(t, a);
    r = ir_call(ir, &helper_rotate_carry, a, x86_wide(t, n.v), carry, how);
    f = ir_call(ir, &helper_rotate_carry_flags, a, x86_wide(t, n.v), carry, how);
    x86_set(t, &p, x86_narrow(t, log2size, r));
    rotate_flags(t, &n, bit(t, f, 0), bit(t, f, 1));
    return true;
}

/* ---- SHLD, SHRD ---- */

/* Of 16 bits: the double word is shifted as processors do it also for counts above 16. */
static ir_val double_16(struct trans *t, bool right, ir_val a, ir_val b, ir_val n)
{
    struct ir *ir = t->ir;
    ir_val v, sixteen = ir_imm64(ir, 16), thirty_two = ir_imm64(ir, 32);

    a = ir_zext32(ir, a);
    b = ir_zext32(ir, b);
    n = ir_zext32(ir, n);
    if (right) { /* a:b:a */
        v = ir_or(ir, ir_or(ir, a, ir_shl(ir, b, sixteen)), ir_shl(ir, a, thirty_two));
        return ir_trunc(ir, ir_shr(ir, v, n));
    }
    v = ir_or(ir, ir_or(ir, ir_shl(ir, a, thirty_two), ir_shl(ir, b, sixteen)), a);
    return ir_trunc(ir, ir_shr(ir, ir_shl(ir, v, n), thirty_two));
}

static ir_val double_wide(struct trans *t, bool right, ir_val a, ir_val b, ir_val n)
{
    struct ir *ir = t->ir;
    enum ir_type type = ir_type_of(ir, a);
    ir_val one = ir_imm(ir, type, 1), rest = ir_unary(ir, IR_NOT, type, n);

    /* The count is not 0 where it matters; b moves by width - n in two steps. */
    if (right)
        return ir_or(ir, ir_shr(ir, a, n), ir_shl(ir, ir_shl(ir, b, one), rest));
    return ir_or(ir, ir_shl(ir, a, n), ir_shr(ir, ir_shr(ir, b, one), rest));
}

bool x86_tr_shift_double(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = i->size;
    bool right = i->arg;
    struct count n = count_of(t, i, 2, log2size);
    struct x86_place p = x86_place(t, i, 0);
    ir_val a = x86_get_to_change(t, &p), b = x86_read(t, i, 1), r, before;
    ir_val less = minus_1(t, n.v);

    if (leaves_as_is(t, &n, &p, a))
        return true;
    if (log2size == 1) {
        r = double_16(t, right, a, b, n.v);
        before = double_16(t, right, a, b, ir_and(t->ir, less, ir_imm32(t->ir, 31)));
    } else {
        r = double_wide(t, right, a, b, n.v);
        before = double_wide(t, right, a, b, less);
    }
    x86_set(t, &p, r);
    set_cc_unless_0(t, &n, (right ? CC_SHR : CC_SHL) | log2size, r, before);
    return true;
}

/* ---- BMI2: no flags ---- */

bool x86_tr_shift_x(struct trans *t, const struct x86_insn *i)
{
    static const uint8_t ops[] = { [SH_SHL] = IR_SHL, [SH_SHR] = IR_SHR, [SH_SAR] = IR_SAR };

    x86_write(t, i, 0, ir_binary(t->ir, ops[i->arg], x86_read(t, i, 1), x86_read(t, i, 2)));
    return true;
}

bool x86_tr_rorx(struct trans *t, const struct x86_insn *i)
{
    ir_val a = x86_read(t, i, 1);

    x86_write(t, i, 0, ir_binary(t->ir, IR_ROTR, a, ir_imm(t->ir, ir_type_of(t->ir, a), i->imm)));
    return true;
}
