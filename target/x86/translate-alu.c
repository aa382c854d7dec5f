/*
 * Arithmetic and logic, multiplication and division, moves between registers and memory.
 */
#include "translate.h"

static bool locked(const struct x86_insn *i)
{
    return i->prefixes & PFX_LOCK;
}

/* ---- Two operands ---- */

/* Both operands are one register: XOR and SUB are zero then, TEST looks at one value. */
static bool same_register(const struct x86_insn *i)
{
    return i->pattern->has_modrm && !i->is_mem && i->reg == i->rm &&
           i->pattern->operand[0].kind != OPK_IMM && i->pattern->operand[1].kind != OPK_IMM;
}

/* Sets flags of @op, whose operands were @a and @b and whose result is @r; @cin: carry in. */
static void alu_flags(struct trans *t, unsigned op, unsigned log2size, ir_val a, ir_val b, ir_val r,
                      ir_val cin)
{
    switch (op) {
    case ALU_ADD: x86_set_cc(t, CC_ADD | log2size, r, b, IR_NONE); break;
    case ALU_ADC: x86_set_cc(t, CC_ADC | log2size, r, b, cin); break;
    case ALU_SUB:
    case ALU_CMP: x86_set_cc(t, CC_SUB | log2size, a, b, IR_NONE); break;
    case ALU_SBB: x86_set_cc(t, CC_SBB | log2size, a, b, cin); break;
    default: x86_set_cc(t, CC_LOGIC | log2size, r, IR_NONE, IR_NONE); break;
    }
}

static ir_val alu_result(struct trans *t, unsigned op, ir_val a, ir_val b, ir_val cin)
{
    struct ir *ir = t->ir;

    switch (op) {
    case ALU_ADD: return ir_add(ir, a, b);
    case ALU_ADC: return ir_add(ir, ir_add(ir, a, b), cin);
    case ALU_SBB: return ir_sub(ir, ir_sub(ir, a, b), cin);
    case ALU_OR: return ir_or(ir, a, b);
    case ALU_AND: return ir_and(ir, a, b);
    case ALU_XOR: return ir_xor(ir, a, b);
    default: return ir_sub(ir, a, b);
    }
}

/* With LOCK: the old value. */
static ir_val alu_atomic(struct trans *t, const struct x86_insn *i, unsigned op, ir_val b,
                         ir_val cin)
{
    static const uint8_t amo[] = {
        [ALU_ADD] = IR_AMO_ADD, [ALU_ADC] = IR_AMO_ADD, [ALU_SUB] = IR_AMO_ADD,
        [ALU_SBB] = IR_AMO_ADD, [ALU_OR] = IR_AMO_OR,   [ALU_AND] = IR_AMO_AND,
        [ALU_XOR] = IR_AMO_XOR,
    };
    unsigned log2size = x86_size_of(i, 0);
    ir_val addr = x86_address_val(t, i, 0, 1u << log2size);

    if (cin)
        b = ir_add(t->ir, b, cin);
    if (op == ALU_SUB || op == ALU_SBB)
        b = ir_unary(t->ir, IR_NEG, ir_type_of(t->ir, b), b);
    return ir_amo(t->ir, amo[op], x86_atomic_mem(t, log2size), addr, b);
}

bool x86_tr_alu(struct trans *t, const struct x86_insn *i)
{
    unsigned op = i->arg, log2size = x86_size_of(i, 0);
    ir_val a, b = x86_read(t, i, 1), r, cin = IR_NONE;
    struct x86_place p;

    if (op == ALU_ADC || op == ALU_SBB) {
        cin = x86_carry(t);
        cin = log2size == 3 ? ir_zext32(t->ir, cin) : cin;
    }
    if (locked(i)) {
        a = alu_atomic(t, i, op, b, cin);
        r = alu_result(t, op, a, b, cin);
    } else {
        p = x86_place(t, i, 0);
        a = same_register(i) ? b : (op == ALU_CMP ? x86_get : x86_get_to_change)(t, &p);
        r = alu_result(t, op, a, b, cin);
        if (op != ALU_CMP && p.reg < 0)
            x86_set(t, &p, r);
    }
    alu_flags(t, op, log2size, a, b, r, cin);
    if (op != ALU_CMP && !locked(i) && p.reg >= 0)
        x86_set(t, &p, r);
    return true;
}

bool x86_tr_test(struct trans *t, const struct x86_insn *i)
{
    ir_val a = x86_read(t, i, 0), r = a;

    if (!same_register(i))
        r = ir_and(t->ir, a, x86_read(t, i, 1));
    x86_set_cc(t, CC_LOGIC | x86_size_of(i, 0), r, IR_NONE, IR_NONE);
    return true;
}

/* ---- One operand ---- */

/* Reads, writes: the old value of operand 0, which becomes itself plus @n, atomically if locked. */
static ir_val add_const(struct trans *t, const struct x86_insn *i, int n, ir_val *r)
{
    unsigned log2size = x86_size_of(i, 0);
    ir_val b = ir_imm(t->ir, x86_type(log2size), n), a;
    struct x86_place p;

    if (locked(i)) {
        a = ir_amo(t->ir, IR_AMO_ADD, x86_atomic_mem(t, log2size),
                   x86_address_val(t, i, 0, 1u << log2size), b);
        *r = ir_add(t->ir, a, b);
        return a;
    }
    p = x86_place(t, i, 0);
    a = x86_get_to_change(t, &p);
    *r = ir_add(t->ir, a, b);
    x86_set(t, &p, *r);
    return a;
}

/* INC and DEC leave CF alone. */
bool x86_tr_incdec(struct trans *t, const struct x86_insn *i)
{
    int n = (int32_t)i->arg;
    ir_val r, carry = x86_carry(t);

    add_const(t, i, n, &r);
    x86_set_cc(t, (n > 0 ? CC_INC : CC_DEC) | x86_size_of(i, 0), r, carry, IR_NONE);
    return true;
}

bool x86_tr_not(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = x86_size_of(i, 0);
    enum ir_type type = x86_type(log2size);
    struct x86_place p;

    if (locked(i)) {
        ir_amo(t->ir, IR_AMO_XOR, x86_atomic_mem(t, log2size),
               x86_address_val(t, i, 0, 1u << log2size), ir_imm(t->ir, type, -1));
        return true;
    }
    p = x86_place(t, i, 0);
    x86_set(t, &p, ir_unary(t->ir, IR_NOT, type, x86_get_to_change(t, &p)));
    return true;
}

bool x86_tr_neg(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = x86_size_of(i, 0);
    enum ir_type type = x86_type(log2size);
    struct x86_place p;
    ir_val a;

    if (locked(i)) {
        a = ir_call(t->ir, &helper_lock_neg, x86_address_val(t, i, 0, 1u << log2size),
                    ir_imm32(t->ir, x86_atomic_mem(t, log2size)), IR_NONE, IR_NONE);
        a = x86_narrow(t, log2size, a);
    } else {
        p = x86_place(t, i, 0);
        a = x86_get_to_change(t, &p);
        x86_set(t, &p, ir_unary(t->ir, IR_NEG, type, a));
    }
    x86_set_cc(t, CC_SUB | log2size, ir_imm(t->ir, type, 0), a, IR_NONE);
    return true;
}

/* ---- Multiplication ---- */

/* CF and OF where the product does not fit @log2size, given it all as i64 (sizes below 8 bytes). */
static ir_val overflow(struct trans *t, unsigned log2size, bool is_signed, ir_val product)
{
    struct ir *ir = t->ir;
    unsigned bits = 8u << log2size;
    ir_val n = ir_imm64(ir, 64 - bits);

    if (!is_signed)
        return ir_shr(ir, product, ir_imm64(ir, bits));
    return ir_xor(ir, ir_sar(ir, ir_shl(ir, product, n), n), product);
}

static ir_val extend(struct trans *t, unsigned log2size, bool is_signed, ir_val v)
{
    v = is_signed ? x86_sext(t, log2size, v) : x86_zext(t, log2size, v);
    return is_signed ? ir_sext32(t->ir, v) : ir_zext32(t->ir, v);
}

/* AX, DX:AX, EDX:EAX, RDX:RAX = accumulator * operand; arg: signed. */
bool x86_tr_mul1(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0), bits = 8u << log2size;
    ir_val b = x86_read(t, i, 0), a = x86_get_reg_val(t, log2size, R_AX, true), lo, hi, over;

    if (log2size == 3) {
        lo = ir_mul(ir, a, b);
        hi = ir_binary(ir, i->arg ? IR_MULHS : IR_MULHU, a, b);
        over = i->arg ? ir_xor(ir, hi, ir_sar(ir, lo, ir_imm64(ir, 63))) : hi;
        ir_set(ir, R_AX, lo);
        ir_set(ir, R_DX, hi);
    } else {
        lo = ir_mul(ir, extend(t, log2size, i->arg, a), extend(t, log2size, i->arg, b));
        over = overflow(t, log2size, i->arg, lo);
        hi = ir_trunc(ir, ir_shr(ir, lo, ir_imm64(ir, bits)));
        x86_set_reg_val(t, log2size ? log2size : 1, R_AX, true, ir_trunc(ir, lo));
        if (log2size)
            x86_set_reg_val(t, log2size, R_DX, true, hi);
    }
    x86_set_cc(t, CC_MUL | log2size, lo, over, IR_NONE);
    return true;
}

/* Two operands, or the third is the second factor. */
bool x86_tr_imul(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = i->size;
    bool three = i->pattern->noperands == 3;
    ir_val a = x86_read(t, i, three ? 1 : 0), b = x86_read(t, i, three ? 2 : 1), lo, over;

    if (log2size == 3) {
        lo = ir_mul(ir, a, b);
        over = ir_xor(ir, ir_binary(ir, IR_MULHS, a, b), ir_sar(ir, lo, ir_imm64(ir, 63)));
        ir_set(ir, i->reg, lo);
    } else {
        lo = ir_mul(ir, extend(t, log2size, true, a), extend(t, log2size, true, b));
        over = overflow(t, log2size, true, lo);
        x86_set_reg_val(t, log2size, i->reg, true, ir_trunc(ir, lo));
    }
    x86_set_cc(t, CC_MUL | log2size, lo, over, IR_NONE);
    return true;
}

/* ---- Division ---- */

static ir_val without_trunc(struct trans *t, ir_val v)
{
    return ir_def(t->ir, v)->op == IR_TRUNC ? ir_def(t->ir, v)->a : v;
}

/* Whether @v is @a's sign all over, as CDQ and CQO make it. */
static bool is_sign_of(struct trans *t, ir_val v, ir_val a)
{
    const struct ir_insn *i = ir_def(t->ir, v);
    int64_t n;

    return i->op == IR_SAR && ir_is_const(t->ir, i->b, &n) &&
           (unsigned)n == 8u * ir_type_bytes[i->type] - 1 &&
           without_trunc(t, i->a) == without_trunc(t, a);
}

/*
 * As compilers divide: the upper half is zero, or the lower one's sign, and the quotient cannot be
 * too large but in one case, the most negative number by -1.
 */
static bool divide_single(struct trans *t, unsigned log2size, bool is_signed, ir_val b)
{
    struct ir *ir = t->ir;
    ir_val a = x86_get_reg_val(t, log2size, R_AX, true), q, lowest;
    ir_val d = x86_get_reg_val(t, log2size, R_DX, true);
    enum ir_type type = x86_type(log2size);
    ir_val zero = ir_imm(ir, type, 0);
    int64_t upper;

    if (is_signed ? !is_sign_of(t, d, a) : !ir_is_const(ir, d, &upper) || upper)
        return false;
    ir_trap_if(ir, IR_EQ, b, zero, &helper_raise_de);
    if (is_signed) {
        lowest = ir_imm(ir, type, INT64_MIN >> (64 - 8 * ir_type_bytes[type]));
        lowest = ir_xor(ir, a, lowest);
        ir_trap_if(ir, IR_EQ, ir_or(ir, lowest, ir_unary(ir, IR_NOT, type, b)), zero,
                   &helper_raise_de);
    }
    q = ir_binary(ir, is_signed ? IR_DIVS : IR_DIVU, a, b);
    x86_set_reg_val(t, log2size, R_DX, true, ir_sub(ir, a, ir_mul(ir, q, b)));
    x86_set_reg_val(t, log2size, R_AX, true, q);
    return true;
}

/* In the general case by helpers, which raise #DE; small operands fit 64-bit division. */
bool x86_tr_div(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0);
    ir_val b = x86_read(t, i, 0), ax, dx, how, q;

    if (log2size >= 2 && divide_single(t, log2size, i->arg, b))
        return true;
    b = x86_wide(t, b);
    ax = ir_get(ir, R_AX);
    dx = ir_get(ir, R_DX);
    how = ir_imm32(ir, log2size | (i->arg ? DIV_SIGNED : 0));
    if (log2size == 3) {
        ir_call(ir, i->arg ? &helper_idiv64 : &helper_div64, b, IR_NONE, IR_NONE, IR_NONE);
        return true;
    }
    /* Quotient in the low half, remainder in the high one. */
    q = ir_call(ir, &helper_div, ax, dx, b, how);
    if (log2size == 0) {
        x86_set_reg_val(t, 0, R_AX, true, ir_trunc(ir, q));
        x86_set_reg_val(t, 0, R_SP, false, ir_trunc(ir, ir_shr(ir, q, ir_imm64(ir, 32))));
        return true;
    }
    x86_set_reg_val(t, log2size, R_AX, true, ir_trunc(ir, q));
    x86_set_reg_val(t, log2size, R_DX, true, ir_trunc(ir, ir_shr(ir, q, ir_imm64(ir, 32))));
    return true;
}

/* ---- Moves ---- */

bool x86_tr_nop(struct trans *t, const struct x86_insn *i)
{
    (void)t, (void)i;
    return true;
}

bool x86_tr_mov(struct trans *t, const struct x86_insn *i)
{
    x86_write(t, i, 0, x86_read(t, i, 1));
    return true;
}

bool x86_tr_movzx(struct trans *t, const struct x86_insn *i)
{
    x86_write(t, i, 0, x86_read(t, i, 1)); /* i32, and sets of it zero the upper half */
    return true;
}

bool x86_tr_movsx(struct trans *t, const struct x86_insn *i)
{
    ir_val v = x86_sext(t, x86_size_of(i, 1), x86_read(t, i, 1));

    x86_write(t, i, 0, i->size == 3 ? ir_sext32(t->ir, v) : v);
    return true;
}

bool x86_tr_lea(struct trans *t, const struct x86_insn *i)
{
    x86_write(t, i, 0, x86_narrow(t, i->size, x86_offset(t, i)));
    return true;
}

/* With memory always locked. */
bool x86_tr_xchg(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = x86_size_of(i, 0);
    ir_val b = x86_read(t, i, 1), a;

    if (i->is_mem)
        a = ir_amo(t->ir, IR_AMO_SWAP, x86_atomic_mem(t, log2size),
                   x86_address_val(t, i, 0, 1u << log2size), b);
    else
        a = x86_read(t, i, 0);
    if (!i->is_mem)
        x86_write(t, i, 0, b);
    x86_write(t, i, 1, a);
    return true;
}

/* 90 without REX.B does nothing at all, not even to the upper half of RAX; with F3 it hints that
 * this processor spins: another one may need the host's to end that. */
bool x86_tr_xchg_acc(struct trans *t, const struct x86_insn *i)
{
    ir_val a, b;

    if (i->rm == R_AX) {
        if (i->pp == PP_F3)
            ir_call(t->ir, &helper_spin, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
        return true;
    }
    a = x86_read(t, i, 0);
    b = x86_read(t, i, 1);
    x86_write(t, i, 0, b);
    x86_write(t, i, 1, a);
    return true;
}

/* Undefined for 16 bits; processors give 0. */
bool x86_tr_bswap(struct trans *t, const struct x86_insn *i)
{
    enum ir_type type = x86_type(i->size);
    ir_val v =
        i->size == 1 ? ir_imm32(t->ir, 0) : ir_unary(t->ir, IR_BSWAP, type, x86_read(t, i, 0));

    x86_write(t, i, 0, v);
    return true;
}

bool x86_tr_movbe(struct trans *t, const struct x86_insn *i)
{
    ir_val v = ir_unary(t->ir, IR_BSWAP, x86_type(i->size), x86_read(t, i, 1));

    if (i->size == 1)
        v = ir_shr(t->ir, v, ir_imm32(t->ir, 16));
    x86_write(t, i, 0, v);
    return true;
}

/* CBW, CWDE, CDQE */
bool x86_tr_cbw(struct trans *t, const struct x86_insn *i)
{
    ir_val v = x86_sext(t, i->size - 1, x86_get_reg_val(t, i->size - 1, R_AX, true));

    x86_set_reg_val(t, i->size, R_AX, true, i->size == 3 ? ir_sext32(t->ir, v) : v);
    return true;
}

/* CWD, CDQ, CQO */
bool x86_tr_cwd(struct trans *t, const struct x86_insn *i)
{
    ir_val v = x86_sext(t, i->size, x86_get_reg_val(t, i->size, R_AX, true));

    v = ir_sar(t->ir, v, ir_imm(t->ir, x86_type(i->size), i->size == 3 ? 63 : 31));
    x86_set_reg_val(t, i->size, R_DX, true, v);
    return true;
}

bool x86_tr_xlat(struct trans *t, const struct x86_insn *i)
{
    struct x86_insn m = *i;
    ir_val off = ir_add(t->ir, ir_get(t->ir, R_BX), x86_wide(t, x86_get_reg_val(t, 0, R_AX, true)));

    if (m.addr_size == 1)
        off = ir_unary(t->ir, IR_ZEXT16, IR_I64, off);
    else if (m.addr_size == 2)
        off = ir_zext32(t->ir, ir_trunc(t->ir, off));
    x86_set_reg_val(t, 0, R_AX, true, x86_tr_load(t, 0, x86_tr_linear(t, m.seg, off, 1)));
    return true;
}

/* Loads even if the condition does not hold; 32 bits zero the upper half in any case. */
bool x86_tr_cmov(struct trans *t, const struct x86_insn *i)
{
    ir_val yes = x86_read(t, i, 1), no = x86_read(t, i, 0);
    struct x86_cond c = x86_condition(t, i->arg);

    x86_write(t, i, 0, ir_select(t->ir, c.c, c.a, c.b, yes, no));
    return true;
}

bool x86_tr_setcc(struct trans *t, const struct x86_insn *i)
{
    struct x86_cond c = x86_condition(t, i->arg);

    x86_write(t, i, 0, ir_setcc(t->ir, IR_I32, c.c, c.a, c.b));
    return true;
}

/* ---- Flags ---- */

bool x86_tr_carry(struct trans *t, const struct x86_insn *i)
{
    ir_val cf = ir_imm32(t->ir, i->arg == CARRY_SET);

    if (i->arg == CARRY_FLIP)
        cf = ir_xor(t->ir, x86_carry(t), ir_imm32(t->ir, 1));
    x86_tr_set_carry(t, cf, IR_NONE);
    return true;
}

bool x86_tr_direction(struct trans *t, const struct x86_insn *i)
{
    ir_set(t->ir, SLOT_DF, ir_imm64(t->ir, i->arg ? -1 : 1));
    return true;
}

static bool lahf_missing(const struct trans *t)
{
    return x86_is64(t) && !x86_have(x86_tr_cpu(t), FEAT_LAHF_LM);
}

bool x86_tr_lahf(struct trans *t, const struct x86_insn *i)
{
    ir_val f;

    (void)i;
    if (lahf_missing(t))
        return false;
    f = ir_or(t->ir, ir_trunc(t->ir, x86_tr_arith(t)), ir_imm32(t->ir, FLAG_FIXED));
    x86_set_reg_val(t, 0, R_SP, false, f); /* AH */
    return true;
}

bool x86_tr_sahf(struct trans *t, const struct x86_insn *i)
{
    uint64_t low = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF;
    ir_val f, ah;

    (void)i;
    if (lahf_missing(t))
        return false;
    f = ir_and(t->ir, x86_tr_arith(t), ir_imm64(t->ir, FLAG_OF));
    ah = ir_and(t->ir, x86_wide(t, x86_get_reg_val(t, 0, R_SP, false)), ir_imm64(t->ir, low));
    x86_tr_set_arith(t, ir_or(t->ir, f, ah));
    return true;
}

bool x86_tr_salc(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    x86_set_reg_val(t, 0, R_AX, true, ir_unary(t->ir, IR_NEG, IR_I32, x86_carry(t)));
    return true;
}

bool x86_tr_ud(struct trans *t, const struct x86_insn *i)
{
    (void)t, (void)i;
    return false;
}
