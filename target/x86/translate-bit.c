/*
 * Bits: BT and its kin, scans and counts, CRC32, BMI1, BMI2, ADX.
 */
#include "translate.h"

/* ---- BT, BTS, BTR, BTC ---- */

/* A register as bit offset moves the address by whole operands, as a signed number. */
static struct x86_addr bit_address(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned bytes = 1u << i->size, bits = 8 * bytes;
    ir_val n = x86_read(t, i, 1), off;

    if (i->pattern->operand[1].kind == OPK_IMM)
        return x86_address(t, i, 0, bytes);
    n = x86_sext(t, i->size, n);
    n = i->size == 3 ? n : ir_sext32(ir, n);
    n = ir_sar(ir, n, ir_imm64(ir, ctz32(bits)));
    off = ir_add(ir, x86_offset(t, i), ir_shl(ir, n, ir_imm64(ir, i->size)));
    if (i->addr_size == 1)
        off = ir_unary(ir, IR_ZEXT16, IR_I64, off);
    else if (i->addr_size == 2)
        off = ir_zext32(ir, ir_trunc(ir, off));
    return x86_tr_linear(t, i->seg, off, bytes);
}

static ir_val bit_changed(struct trans *t, unsigned op, ir_val v, ir_val mask)
{
    switch (op) {
    case BIT_BTS: return ir_or(t->ir, v, mask);
    case BIT_BTR: return ir_binary(t->ir, IR_ANDN, v, mask);
    default: return ir_xor(t->ir, v, mask);
    }
}

static ir_val bit_atomic(struct trans *t, const struct x86_insn *i, struct x86_addr a, ir_val mask)
{
    struct ir *ir = t->ir;
    ir_val addr = ir_add(ir, a.base, ir_imm64(ir, a.disp));
    enum ir_amo op = i->arg == BIT_BTS ? IR_AMO_OR : i->arg == BIT_BTR ? IR_AMO_AND : IR_AMO_XOR;

    if (op == IR_AMO_AND)
        mask = ir_unary(ir, IR_NOT, ir_type_of(ir, mask), mask);
    return ir_amo(ir, op, x86_atomic_mem(t, i->size), addr, mask);
}

bool x86_tr_bit_test(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned bits = 8u << i->size;
    enum ir_type type = x86_type(i->size);
    ir_val n =
        i->pattern->operand[1].kind == OPK_IMM ? ir_imm(ir, type, i->imm) : x86_read(t, i, 1);
    struct x86_place p = { .reg = i->rm, .log2size = i->size };
    ir_val v, mask, cf;

    n = ir_and(ir, n, ir_imm(ir, type, bits - 1));
    mask = ir_shl(ir, ir_imm(ir, type, 1), n);
    if (i->is_mem) {
        p.reg = -1;
        p.addr = bit_address(t, i);
    }
    if (i->prefixes & PFX_LOCK) {
        v = bit_atomic(t, i, p.addr, mask);
    } else {
        v = (i->arg == BIT_BT ? x86_get : x86_get_to_change)(t, &p);
        if (i->arg != BIT_BT)
            x86_set(t, &p, bit_changed(t, i->arg, v, mask));
    }
    cf = ir_and(ir, ir_shr(ir, v, n), ir_imm(ir, type, 1));
    x86_tr_set_carry(t, cf, ir_imm32(ir, 0));
    return true;
}

/* ---- Scans and counts ---- */

/* Count of a value of 8 << log2size bits, zero extended within its type. */
static ir_val count(struct trans *t, unsigned op, unsigned log2size, ir_val v)
{
    struct ir *ir = t->ir;
    enum ir_type type = ir_type_of(ir, v);

    switch (op) {
    case COUNT_TZ:
        if (log2size == 1)
            v = ir_or(ir, v, ir_imm32(ir, 0x10000));
        return ir_unary(ir, IR_CTZ, type, v);
    case COUNT_LZ:
        v = ir_unary(ir, IR_CLZ, type, v);
        return log2size == 1 ? ir_add(ir, v, ir_imm32(ir, -16)) : v;
    default: return ir_unary(ir, IR_POPCNT, type, v);
    }
}

bool x86_tr_count(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val v = x86_read(t, i, 1), r = count(t, i->arg, i->size, v);
    ir_val zero = ir_imm(ir, ir_type_of(ir, v), 0), f;

    x86_write(t, i, 0, r);
    if (i->arg == COUNT_ONES) {
        f = ir_setcc(ir, IR_I64, IR_EQ, v, zero);
        x86_tr_set_arith(t, ir_shl(ir, f, ir_imm64(ir, 6)));
    } else {
        f = ir_setcc(ir, IR_I64, IR_EQ, v, zero);
        x86_set_cc(t, CC_MIX | i->size, r, f, IR_NONE);
    }
    return true;
}

/* BSF, BSR (arg 1): of 0 the destination stays (AMD volume 3; Intel's processors do so, too). */
bool x86_tr_bit_scan(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val v = x86_read(t, i, 1), zero = ir_imm(ir, ir_type_of(ir, v), 0), r, old, op;

    if (i->arg) {
        r = count(t, COUNT_LZ, i->size, v);
        r = ir_sub(ir, ir_imm(ir, ir_type_of(ir, v), (8 << i->size) - 1), r);
    } else {
        r = count(t, COUNT_TZ, i->size, v);
    }
    /* All 64 bits stay. */
    old = ir_get(ir, i->reg);
    op = x86_wide(t, r);
    if (i->size == 1)
        op = ir_or(ir, ir_and(ir, old, ir_imm64(ir, ~INT64_C(0xffff))),
                   ir_unary(ir, IR_ZEXT16, IR_I64, op));
    ir_set(ir, i->reg, ir_select(ir, IR_NE, v, zero, op, old));
    x86_set_cc(t, CC_LOGIC | i->size, v, IR_NONE, IR_NONE);
    return true;
}

bool x86_tr_crc32(struct trans *t, const struct x86_insn *i)
{
    ir_val crc = ir_trunc(t->ir, ir_get(t->ir, i->reg)), v = x86_wide(t, x86_read(t, i, 1));
    ir_val r =
        ir_call(t->ir, &helper_crc32, crc, v, ir_imm32(t->ir, 1 << x86_size_of(i, 1)), IR_NONE);

    ir_set(t->ir, i->reg, ir_zext32(t->ir, r));
    return true;
}

/* ---- ADX: chains of carries in CF alone (ADCX) or OF alone (arg 1) ---- */

bool x86_tr_adx(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0), bit = i->arg ? 11 : 0;
    ir_val a = x86_read(t, i, 0), b = x86_read(t, i, 1), f = x86_tr_arith(t), in, r, out;
    enum ir_type type = ir_type_of(ir, a);

    in = ir_and(ir, ir_shr(ir, f, ir_imm64(ir, bit)), ir_imm64(ir, 1));
    in = x86_narrow(t, log2size, in);
    r = ir_add(ir, ir_add(ir, a, b), in);
    out = ir_and(ir, in, ir_setcc(ir, type, IR_EQ, r, a));
    out = x86_wide(t, ir_or(ir, out, ir_setcc(ir, type, IR_LTU, r, a)));
    x86_write(t, i, 0, r);
    f = ir_and(ir, f, ir_imm64(ir, (int64_t) ~(UINT64_C(1) << bit)));
    x86_tr_set_arith(t, ir_or(ir, f, ir_shl(ir, out, ir_imm64(ir, bit))));
    return true;
}

/* ---- BMI1, BMI2 ---- */

bool x86_tr_andn(struct trans *t, const struct x86_insn *i)
{
    ir_val r = ir_binary(t->ir, IR_ANDN, x86_read(t, i, 2), x86_read(t, i, 1));

    x86_write(t, i, 0, r);
    x86_set_cc(t, CC_LOGIC | x86_size_of(i, 0), r, IR_NONE, IR_NONE);
    return true;
}

/* BLSR 1, BLSMSK 2, BLSI 3. CF: the source is 0, of BLSI: it is not. */
bool x86_tr_bls(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val v = x86_read(t, i, 1), zero = ir_imm(ir, ir_type_of(ir, v), 0), r, cf;
    ir_val less = ir_add(ir, v, ir_imm(ir, ir_type_of(ir, v), -1));

    if (i->arg == 1)
        r = ir_and(ir, v, less);
    else if (i->arg == 2)
        r = ir_xor(ir, v, less);
    else
        r = ir_binary(ir, IR_ANDN, v, less);
    cf = ir_setcc(ir, IR_I64, i->arg == 3 ? IR_NE : IR_EQ, v, zero);
    x86_write(t, i, 0, r);
    x86_set_cc(t, CC_MIX | x86_size_of(i, 0), r, cf, IR_NONE);
    return true;
}

/* @v without the bits from @n (below 256) up. */
static ir_val low_bits(struct trans *t, ir_val v, ir_val n, unsigned width)
{
    struct ir *ir = t->ir;
    enum ir_type type = ir_type_of(ir, v);
    ir_val all = ir_imm(ir, type, -1);
    ir_val mask = ir_unary(ir, IR_NOT, type, ir_shl(ir, all, n));

    return ir_select(ir, IR_LTU, n, ir_imm(ir, type, width), ir_and(ir, v, mask), v);
}

bool x86_tr_bextr(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned width = 8u << x86_size_of(i, 0);
    ir_val v = x86_read(t, i, 1), control = x86_read(t, i, 2), start, len, r;
    enum ir_type type = ir_type_of(ir, v);

    start = ir_unary(ir, IR_ZEXT8, type, control);
    len = ir_unary(ir, IR_ZEXT8, type, ir_shr(ir, control, ir_imm(ir, type, 8)));
    r = ir_select(ir, IR_LTU, start, ir_imm(ir, type, width), ir_shr(ir, v, start),
                  ir_imm(ir, type, 0));
    r = low_bits(t, r, len, width);
    x86_write(t, i, 0, r);
    x86_set_cc(t, CC_LOGIC | x86_size_of(i, 0), r, IR_NONE, IR_NONE);
    return true;
}

bool x86_tr_bzhi(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned width = 8u << x86_size_of(i, 0);
    ir_val v = x86_read(t, i, 1), n = x86_read(t, i, 2), r, cf;
    enum ir_type type = ir_type_of(ir, v);

    n = ir_unary(ir, IR_ZEXT8, type, n);
    r = low_bits(t, v, n, width);
    cf = ir_setcc(ir, IR_I64, IR_GEU, n, ir_imm(ir, type, width));
    x86_write(t, i, 0, r);
    x86_set_cc(t, CC_MIX | x86_size_of(i, 0), r, cf, IR_NONE);
    return true;
}

bool x86_tr_pdep_pext(struct trans *t, const struct x86_insn *i)
{
    ir_val v = x86_wide(t, x86_read(t, i, 1)), mask = x86_wide(t, x86_read(t, i, 2));
    ir_val r = ir_call(t->ir, i->arg ? &helper_pext : &helper_pdep, v, mask, IR_NONE, IR_NONE);

    x86_write(t, i, 0, x86_narrow(t, x86_size_of(i, 0), r));
    return true;
}

/* The high half is written last: it stays where both are one register. */
bool x86_tr_mulx(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0);
    ir_val a = x86_get_reg_val(t, log2size, R_DX, true), b = x86_read(t, i, 2), lo, hi;

    lo = ir_mul(ir, a, b);
    hi = ir_binary(ir, IR_MULHU, a, b);
    x86_write(t, i, 1, lo);
    x86_write(t, i, 0, hi);
    return true;
}
