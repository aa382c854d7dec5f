/*
 * Zba, Zbb, Zbc, Zbs and Zicond.
 */
#include "translate.h"
#include "b.inc"

static bool binary(struct trans *t, const struct args *a, enum ir_op op)
{
    rv_set(t, a->rd, ir_binary(t->ir, op, rv_get(t, a->rs1), rv_get(t, a->rs2)));
    return true;
}

static bool unary(struct trans *t, const struct args *a, enum ir_op op)
{
    rv_set(t, a->rd, ir_unary(t->ir, op, rv_type(t), rv_get(t, a->rs1)));
    return true;
}

/* On the low 32 bits, the result (a small number) zero extended. */
static bool unary_w(struct trans *t, const struct args *a, enum ir_op op)
{
    rv_set(t, a->rd, ir_zext32(t->ir, ir_unary(t->ir, op, IR_I32, rv_get32(t, a->rs1))));
    return true;
}

static bool rotate_w(struct trans *t, const struct args *a, enum ir_op op)
{
    rv_set32(t, a->rd, ir_binary(t->ir, op, rv_get32(t, a->rs1), rv_get32(t, a->rs2)));
    return true;
}

#define HANDLER(name, how, op)                                   \
    static bool tr_##name(struct trans *t, const struct args *a) \
    {                                                            \
        return how(t, a, op);                                    \
    }

/* ---- Zba ---- */

static ir_val get_uw(struct trans *t, unsigned n)
{
    return ir_zext32(t->ir, rv_get32(t, n));
}

static bool shift_add(struct trans *t, const struct args *a, unsigned n)
{
    ir_val x = ir_shl(t->ir, rv_get(t, a->rs1), rv_imm(t, n));

    rv_set(t, a->rd, ir_add(t->ir, x, rv_get(t, a->rs2)));
    return true;
}

static bool shift_add_uw(struct trans *t, const struct args *a, unsigned n)
{
    ir_val x = ir_shl(t->ir, get_uw(t, a->rs1), rv_imm(t, n));

    rv_set(t, a->rd, ir_add(t->ir, x, rv_get(t, a->rs2)));
    return true;
}

HANDLER(sh1add, shift_add, 1)
HANDLER(sh2add, shift_add, 2)
HANDLER(sh3add, shift_add, 3)
HANDLER(add_uw, shift_add_uw, 0)
HANDLER(sh1add_uw, shift_add_uw, 1)
HANDLER(sh2add_uw, shift_add_uw, 2)
HANDLER(sh3add_uw, shift_add_uw, 3)

static bool tr_slli_uw(struct trans *t, const struct args *a)
{
    rv_set(t, a->rd, ir_shl(t->ir, get_uw(t, a->rs1), rv_imm(t, a->imm)));
    return true;
}

static bool tr_zext_w(struct trans *t, const struct args *a)
{
    rv_set(t, a->rd, get_uw(t, a->rs1));
    return true;
}

/* ---- Zbb ---- */

static bool inverted(struct trans *t, const struct args *a, enum ir_op op)
{
    ir_val y = ir_unary(t->ir, IR_NOT, rv_type(t), rv_get(t, a->rs2));

    rv_set(t, a->rd, ir_binary(t->ir, op, rv_get(t, a->rs1), y));
    return true;
}

static bool pick(struct trans *t, const struct args *a, enum ir_cond c)
{
    ir_val x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);

    rv_set(t, a->rd, ir_select(t->ir, c, x, y, x, y));
    return true;
}

HANDLER(andn, binary, IR_ANDN)
HANDLER(orn, inverted, IR_OR)
HANDLER(xnor, inverted, IR_XOR)
HANDLER(clz, unary, IR_CLZ)
HANDLER(ctz, unary, IR_CTZ)
HANDLER(cpop, unary, IR_POPCNT)
HANDLER(sext_b, unary, IR_SEXT8)
HANDLER(sext_h, unary, IR_SEXT16)
HANDLER(zext_h, unary, IR_ZEXT16)
HANDLER(rev8, unary, IR_BSWAP)
HANDLER(clzw, unary_w, IR_CLZ)
HANDLER(ctzw, unary_w, IR_CTZ)
HANDLER(cpopw, unary_w, IR_POPCNT)
HANDLER(max, pick, IR_GT)
HANDLER(maxu, pick, IR_GTU)
HANDLER(min, pick, IR_LT)
HANDLER(minu, pick, IR_LTU)
HANDLER(rol, binary, IR_ROTL)
HANDLER(ror, binary, IR_ROTR)
HANDLER(rolw, rotate_w, IR_ROTL)
HANDLER(rorw, rotate_w, IR_ROTR)

static bool tr_rori(struct trans *t, const struct args *a)
{
    if ((unsigned)a->imm >= rv_cpu(t)->xlen)
        return false;
    rv_set(t, a->rd, ir_binary(t->ir, IR_ROTR, rv_get(t, a->rs1), rv_imm(t, a->imm)));
    return true;
}

static bool tr_roriw(struct trans *t, const struct args *a)
{
    ir_val n = ir_imm32(t->ir, a->imm);

    rv_set32(t, a->rd, ir_binary(t->ir, IR_ROTR, rv_get32(t, a->rs1), n));
    return true;
}

/* Bit 7 of each byte says whether the byte is zero; then it is spread over the byte. */
static bool tr_orc_b(struct trans *t, const struct args *a)
{
    struct ir *ir = t->ir;
    ir_val x = rv_get(t, a->rs1), low = rv_imm(t, 0x7f7f7f7f7f7f7f7f);
    ir_val top = ir_or(ir, ir_add(ir, ir_and(ir, x, low), low), x);

    top = ir_binary(ir, IR_ANDN, top, low);
    rv_set(t, a->rd, ir_sub(ir, ir_shl(ir, top, rv_imm(t, 1)), ir_shr(ir, top, rv_imm(t, 7))));
    return true;
}

/* ---- Zbc ---- */

static ir_val product(struct trans *t, const struct args *a, const struct ir_helper *h)
{
    return ir_call(t->ir, h, rv_wide(t, rv_get(t, a->rs1)), rv_wide(t, rv_get(t, a->rs2)), IR_NONE,
                   IR_NONE);
}

static bool tr_clmul(struct trans *t, const struct args *a)
{
    rv_set(t, a->rd, rv_narrow(t, product(t, a, &helper_clmul)));
    return true;
}

/* Bits XLEN and up; clmulr: those from XLEN - 1. */
static bool tr_clmulh(struct trans *t, const struct args *a)
{
    ir_val lo;

    if (rv_is64(t)) {
        rv_set(t, a->rd, product(t, a, &helper_clmulh));
    } else {
        lo = ir_shr(t->ir, product(t, a, &helper_clmul), ir_imm64(t->ir, 32));
        rv_set(t, a->rd, ir_trunc(t->ir, lo));
    }
    return true;
}

static bool tr_clmulr(struct trans *t, const struct args *a)
{
    struct ir *ir = t->ir;
    ir_val lo = product(t, a, &helper_clmul), hi;

    if (rv_is64(t)) {
        hi = ir_shl(ir, product(t, a, &helper_clmulh), ir_imm64(ir, 1));
        rv_set(t, a->rd, ir_or(ir, hi, ir_shr(ir, lo, ir_imm64(ir, 63))));
    } else {
        rv_set(t, a->rd, ir_trunc(ir, ir_shr(ir, lo, ir_imm64(ir, 31))));
    }
    return true;
}

/* ---- Zbs ---- */

static bool bit_op(struct trans *t, const struct args *a, enum ir_op op, ir_val n)
{
    ir_val bit = ir_shl(t->ir, rv_imm(t, 1), n);

    rv_set(t, a->rd, ir_binary(t->ir, op, rv_get(t, a->rs1), bit));
    return true;
}

static bool bit_reg(struct trans *t, const struct args *a, enum ir_op op)
{
    return bit_op(t, a, op, rv_get(t, a->rs2));
}

static bool bit_imm(struct trans *t, const struct args *a, enum ir_op op)
{
    return (unsigned)a->imm < rv_cpu(t)->xlen && bit_op(t, a, op, rv_imm(t, a->imm));
}

HANDLER(bclr, bit_reg, IR_ANDN)
HANDLER(bclri, bit_imm, IR_ANDN)
HANDLER(binv, bit_reg, IR_XOR)
HANDLER(binvi, bit_imm, IR_XOR)
HANDLER(bset, bit_reg, IR_OR)
HANDLER(bseti, bit_imm, IR_OR)

static bool extract(struct trans *t, const struct args *a, ir_val n)
{
    ir_val x = ir_shr(t->ir, rv_get(t, a->rs1), n);

    rv_set(t, a->rd, ir_and(t->ir, x, rv_imm(t, 1)));
    return true;
}

static bool tr_bext(struct trans *t, const struct args *a)
{
    return extract(t, a, rv_get(t, a->rs2));
}

static bool tr_bexti(struct trans *t, const struct args *a)
{
    return (unsigned)a->imm < rv_cpu(t)->xlen && extract(t, a, rv_imm(t, a->imm));
}

/* ---- Zicond ---- */

static bool zero_if(struct trans *t, const struct args *a, enum ir_cond c)
{
    ir_val zero = rv_imm(t, 0);

    rv_set(t, a->rd, ir_select(t->ir, c, rv_get(t, a->rs2), zero, zero, rv_get(t, a->rs1)));
    return true;
}

HANDLER(czero_eqz, zero_if, IR_EQ)
HANDLER(czero_nez, zero_if, IR_NE)
