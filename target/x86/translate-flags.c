/*
 * Lazy flags while translating: what is known of them makes conditions into comparisons.
 *
 * The builder knows what the slots hold. Where cc_op is a constant there, the last operation that
 * set flags is in this unit, and cc_dst, cc_src, cc_src2 are its values.
 */
#include "translate.h"

/* IR_NONE: the new operation does without. */
static void set_or_kill(struct trans *t, unsigned slot, ir_val v)
{
    if (v)
        ir_set(t->ir, slot, x86_wide(t, v));
    else
        ir_kill(t->ir, slot);
}

void x86_set_cc(struct trans *t, unsigned op, ir_val dst, ir_val src, ir_val src2)
{
    set_or_kill(t, SLOT_CC_DST, dst);
    set_or_kill(t, SLOT_CC_SRC, src);
    set_or_kill(t, SLOT_CC_SRC2, src2);
    ir_set(t->ir, SLOT_CC_OP, ir_imm64(t->ir, op));
}

/* The last operation, if it is known. */
struct known {
    bool is_known;
    unsigned op, log2size;
    enum ir_type type;
};

static struct known look(struct trans *t)
{
    int64_t op;

    if (!ir_is_const(t->ir, ir_get(t->ir, SLOT_CC_OP), &op))
        return (struct known){ .is_known = false };
    return (struct known){ true, op & ~3, op & 3, x86_type(op & 3) };
}

/* Values in the operation's type; zero extended where it is 8 or 16 bits. */
static ir_val value(struct trans *t, const struct known *k, unsigned slot)
{
    return x86_zext(t, k->log2size, x86_narrow(t, k->log2size, ir_get(t->ir, slot)));
}
static ir_val dst(struct trans *t, const struct known *k)
{
    return value(t, k, SLOT_CC_DST);
}
static ir_val src(struct trans *t, const struct known *k)
{
    return value(t, k, SLOT_CC_SRC);
}
static ir_val imm(struct trans *t, const struct known *k, int64_t v)
{
    return ir_imm(t->ir, k->type, v);
}

static ir_val all_flags(struct trans *t)
{
    struct ir *ir = t->ir;
    struct known k = look(t);

    if (k.is_known && k.op == CC_EFLAGS)
        return ir_get(ir, SLOT_CC_SRC);
    return ir_call(ir, &helper_flags, ir_get(ir, SLOT_CC_DST), ir_get(ir, SLOT_CC_SRC),
                   ir_get(ir, SLOT_CC_SRC2), ir_get(ir, SLOT_CC_OP));
}

void x86_tr_set_arith(struct trans *t, ir_val flags)
{
    x86_set_cc(t, CC_EFLAGS, IR_NONE, flags, IR_NONE);
}

ir_val x86_tr_arith(struct trans *t)
{
    ir_val f = all_flags(t);

    x86_tr_set_arith(t, f);
    return f;
}

ir_val x86_tr_eflags(struct trans *t)
{
    struct ir *ir = t->ir;
    ir_val f = ir_or(ir, all_flags(t), ir_get(ir, SLOT_EFLAGS));
    ir_val df = ir_and(ir, ir_get(ir, SLOT_DF), ir_imm64(ir, FLAG_DF));

    return ir_or(ir, ir_or(ir, f, df), ir_imm64(ir, FLAG_FIXED));
}

/* The value whose zeroness and top bit are ZF and SF. */
static ir_val result(struct trans *t, const struct known *k)
{
    struct ir *ir = t->ir;
    ir_val r;

    if (k->op != CC_SUB && k->op != CC_SBB)
        return dst(t, k);
    r = ir_sub(ir, dst(t, k), src(t, k));
    if (k->op == CC_SBB)
        r = ir_sub(ir, r, value(t, k, SLOT_CC_SRC2));
    return x86_zext(t, k->log2size, r);
}

static struct x86_cond cond(enum ir_cond c, ir_val a, ir_val b)
{
    return (struct x86_cond){ c, a, b };
}

static struct x86_cond flag(struct trans *t, uint64_t mask)
{
    return cond(IR_TSTNE, x86_tr_arith(t), ir_imm64(t->ir, mask));
}

/* CF as a comparison. */
static struct x86_cond carry_cond(struct trans *t)
{
    struct ir *ir = t->ir;
    struct known k = look(t);
    unsigned bits = 8u << k.log2size;
    ir_val a, b, c2;

    if (!k.is_known)
        return flag(t, FLAG_CF);
    switch (k.op) {
    case CC_ADD:
    case CC_SUB: return cond(IR_LTU, dst(t, &k), src(t, &k));
    case CC_ADC:
    case CC_SBB:
        a = dst(t, &k);
        b = src(t, &k);
        c2 = value(t, &k, SLOT_CC_SRC2);
        c2 = ir_and(ir, c2, ir_setcc(ir, k.type, IR_EQ, a, b));
        return cond(IR_NE, ir_or(ir, ir_setcc(ir, k.type, IR_LTU, a, b), c2), imm(t, &k, 0));
    case CC_LOGIC: return cond(IR_NE, imm(t, &k, 0), imm(t, &k, 0));
    case CC_SHL:
        return cond(IR_TSTNE, src(t, &k), imm(t, &k, (int64_t)(UINT64_C(1) << (bits - 1))));
    case CC_MUL: return cond(IR_NE, ir_get(ir, SLOT_CC_SRC), ir_imm64(ir, 0));
    case CC_SHR: return cond(IR_TSTNE, src(t, &k), imm(t, &k, 1));
    default: return cond(IR_TSTNE, ir_get(ir, SLOT_CC_SRC), ir_imm64(ir, FLAG_CF));
    }
}

ir_val x86_carry(struct trans *t)
{
    struct x86_cond c = carry_cond(t);

    return ir_setcc(t->ir, IR_I32, c.c, c.a, c.b);
}

static struct x86_cond zero_cond(struct trans *t, const struct known *k)
{
    if (k->op == CC_SUB)
        return cond(IR_EQ, dst(t, k), src(t, k));
    return cond(IR_EQ, result(t, k), imm(t, k, 0));
}

static struct x86_cond sign_cond(struct trans *t, const struct known *k)
{
    return cond(IR_LT, x86_sext(t, k->log2size, result(t, k)), imm(t, k, 0));
}

static struct x86_cond parity_cond(struct trans *t, const struct known *k)
{
    ir_val low = ir_and(t->ir, result(t, k), imm(t, k, 0xff));

    return cond(IR_TSTEQ, ir_unary(t->ir, IR_POPCNT, k->type, low), imm(t, k, 1));
}

/* @c of the operation's operands, seen as a - b, where it is one. */
static bool signed_cond(struct trans *t, const struct known *k, enum ir_cond c,
                        struct x86_cond *out)
{
    struct ir *ir = t->ir;
    ir_val a = dst(t, k), b;

    switch (k->op) {
    case CC_SUB: b = src(t, k); break;
    case CC_LOGIC: b = imm(t, k, 0); break;
    case CC_DEC:
        b = imm(t, k, 1);
        a = ir_add(ir, a, b);
        break;
    case CC_INC:
        b = imm(t, k, -1);
        a = ir_add(ir, a, b);
        break;
    default: return false;
    }
    *out = cond(c, x86_sext(t, k->log2size, a), x86_sext(t, k->log2size, b));
    return true;
}

/* SF != OF, or that or ZF, from the flags themselves. */
static struct x86_cond less_of_flags(struct trans *t, bool or_equal)
{
    struct ir *ir = t->ir;
    ir_val f = x86_tr_arith(t);
    ir_val less = ir_xor(ir, f, ir_shr(ir, f, ir_imm64(ir, 4))); /* OF is four above SF */

    less = ir_and(ir, less, ir_imm64(ir, FLAG_SF));
    if (or_equal)
        less = ir_or(ir, less, ir_and(ir, f, ir_imm64(ir, FLAG_ZF)));
    return cond(IR_NE, less, ir_imm64(ir, 0));
}

static struct x86_cond below_or_equal(struct trans *t, const struct known *k)
{
    if (k->op == CC_SUB)
        return cond(IR_LEU, dst(t, k), src(t, k));
    if (k->op == CC_LOGIC)
        return zero_cond(t, k);
    return flag(t, FLAG_CF | FLAG_ZF);
}

/* The condition of an even code. */
static struct x86_cond even_condition(struct trans *t, unsigned cc)
{
    struct known k = look(t);
    bool from_values = k.is_known && k.op != CC_EFLAGS;
    struct x86_cond c;

    switch (cc) {
    case 0: return flag(t, FLAG_OF);
    case 2: return carry_cond(t);
    case 4: return from_values ? zero_cond(t, &k) : flag(t, FLAG_ZF);
    case 6: return from_values ? below_or_equal(t, &k) : flag(t, FLAG_CF | FLAG_ZF);
    case 8: return from_values ? sign_cond(t, &k) : flag(t, FLAG_SF);
    case 10: return from_values ? parity_cond(t, &k) : flag(t, FLAG_PF);
    case 12: return from_values && signed_cond(t, &k, IR_LT, &c) ? c : less_of_flags(t, false);
    default: return from_values && signed_cond(t, &k, IR_LE, &c) ? c : less_of_flags(t, true);
    }
}

struct x86_cond x86_condition(struct trans *t, unsigned cc)
{
    struct x86_cond c = even_condition(t, cc & ~1u);

    c.c ^= cc & 1;
    return c;
}

/* ZF, SF and PF as of a value, and AF in its place; IR_NONE: not simple. */
static ir_val flag_values(struct trans *t, ir_val *af)
{
    struct ir *ir = t->ir;
    struct known k = look(t);
    ir_val a, b, r;

    if (!k.is_known || k.op == CC_EFLAGS)
        return IR_NONE;
    r = result(t, &k);
    *af = ir_imm64(ir, 0);
    switch (k.op) {
    case CC_ADD:
    case CC_SUB:
        a = ir_xor(ir, dst(t, &k), src(t, &k));
        b = k.op == CC_ADD ? ir_sub(ir, r, src(t, &k)) : r;
        *af = ir_and(ir, x86_wide(t, ir_xor(ir, a, b)), ir_imm64(ir, FLAG_AF));
        break;
    case CC_LOGIC:
    case CC_SHL:
    case CC_SHR:
    case CC_MUL: break;
    case CC_MIX: *af = ir_and(ir, ir_get(ir, SLOT_CC_SRC), ir_imm64(ir, FLAG_AF)); break;
    default: return IR_NONE;
    }
    return r;
}

void x86_tr_set_carry(struct trans *t, ir_val cf, ir_val of)
{
    struct ir *ir = t->ir;
    struct known k = look(t);
    ir_val bits = x86_wide(t, cf), af = IR_NONE, r = flag_values(t, &af), f;
    uint64_t kept = FLAGS_ARITH & ~(uint64_t)(FLAG_CF | (of ? FLAG_OF : 0));

    if (of)
        bits = ir_or(ir, bits, ir_shl(ir, x86_wide(t, of), ir_imm64(ir, 11)));
    if (r && of) {
        x86_set_cc(t, CC_MIX | k.log2size, r, ir_or(ir, bits, af), IR_NONE);
        return;
    }
    f = ir_and(ir, all_flags(t), ir_imm64(ir, kept));
    x86_tr_set_arith(t, ir_or(ir, f, bits));
}
