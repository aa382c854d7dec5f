/*
 * The builder's rules: each integer, float-bit and compare operation is folded or brought into its
 * simplest form as it is appended. Constants stand on the right of commutative operations and of
 * comparisons; x - c is x + -c; chains of constants are one.
 */
#include "build.h"
#include "fold.h"

/* Operations over which an operand may be kept alive to save one. */
#define NEAR 6

static bool fits(int64_t v, int64_t lo, int64_t hi)
{
    return v >= lo && v <= hi;
}

/* Whether a 64-bit value equals the sign extension of its low 32 bits. */
static bool is_sext32(const struct ir *ir, ir_val v)
{
    const struct ir_insn *i = ir_def(ir, v);
    unsigned bits = 8u << (i->mem & IR_MEM_SIZE);

    switch (i->op) {
    case IR_SEXT32:
    case IR_SETCC:
    case IR_FCMP:
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT:
    case IR_SEXT8:
    case IR_SEXT16:
    case IR_ZEXT8:
    case IR_ZEXT16: return true;
    case IR_LD:
    case IR_LDX: return bits < 32 || (bits == 32 && i->mem & IR_MEM_SIGNED);
    case IR_AND: return ir_is_imm(ir, i->b) && fits(ir_def(ir, i->b)->imm, 0, INT32_MAX);
    case IR_SHR: return ir_is_imm(ir, i->b) && (ir_def(ir, i->b)->imm & 63) > 32;
    case IR_SAR: return ir_is_imm(ir, i->b) && (ir_def(ir, i->b)->imm & 63) >= 32;
    default: return false;
    }
}

/* Whether the upper 32 bits of a 64-bit value are zero. */
static bool is_zext32(const struct ir *ir, ir_val v)
{
    const struct ir_insn *i = ir_def(ir, v);
    unsigned bits = 8u << (i->mem & IR_MEM_SIZE);

    switch (i->op) {
    case IR_ZEXT32:
    case IR_SETCC:
    case IR_FCMP:
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT:
    case IR_ZEXT8:
    case IR_ZEXT16: return true;
    case IR_LD:
    case IR_LDX: return bits <= 32 && !(i->mem & IR_MEM_SIGNED);
    case IR_AND: return ir_is_imm(ir, i->b) && fits(ir_def(ir, i->b)->imm, 0, UINT32_MAX);
    case IR_SHR: return ir_is_imm(ir, i->b) && (ir_def(ir, i->b)->imm & 63) >= 32;
    default: return false;
    }
}

/* What is known of a value's extent: it equals its sign or zero extension from how many bits. */
static unsigned extent(const struct ir *ir, ir_val v, bool is_signed)
{
    const struct ir_insn *i = ir_def(ir, v);
    bool load_signed = i->mem & IR_MEM_SIGNED;

    switch (i->op) {
    case IR_SEXT8: return is_signed ? 8 : 64;
    case IR_SEXT16: return is_signed ? 16 : 64;
    case IR_ZEXT8: return is_signed ? 9 : 8;
    case IR_ZEXT16: return is_signed ? 17 : 16;
    case IR_SETCC:
    case IR_FCMP: return is_signed ? 2 : 1;
    case IR_LD:
        if (load_signed != is_signed)
            return is_signed ? (8u << (i->mem & IR_MEM_SIZE)) + 1 : 64;
        return 8u << (i->mem & IR_MEM_SIZE);
    default: return 64;
    }
}

static ir_val simplify_extend(struct ir *ir, enum ir_op op, ir_val a)
{
    const struct ir_insn *i = ir_def(ir, a);
    bool is_signed = op == IR_SEXT8 || op == IR_SEXT16;
    unsigned bits = op == IR_SEXT8 || op == IR_ZEXT8 ? 8 : 16;

    if (extent(ir, a, is_signed) <= bits)
        return a;
    /* An inner extension that keeps the bits which the outer one takes has no effect. */
    if (bits == 8 && (i->op == IR_SEXT8 || i->op == IR_ZEXT8))
        return ir_unary(ir, op, i->type, i->a);
    if (i->op == IR_SEXT16 || i->op == IR_ZEXT16)
        return ir_unary(ir, op, i->type, i->a);
    return IR_NONE;
}

static ir_val simplify_sext32(struct ir *ir, ir_val a)
{
    ir_val wide = ir_operand_of(ir, a, IR_TRUNC);

    return wide && is_sext32(ir, wide) ? wide : IR_NONE;
}

static ir_val simplify_zext32(struct ir *ir, ir_val a)
{
    ir_val wide = ir_operand_of(ir, a, IR_TRUNC);

    return wide && is_zext32(ir, wide) ? wide : IR_NONE;
}

static ir_val simplify_trunc(struct ir *ir, ir_val a)
{
    ir_val narrow = ir_operand_of(ir, a, IR_SEXT32);

    return narrow ? narrow : ir_operand_of(ir, a, IR_ZEXT32);
}

/* A conversion of bits back to what they were made from. */
static ir_val simplify_inverse(struct ir *ir, enum ir_op inverse, enum ir_type type, ir_val a)
{
    ir_val x = ir_operand_of(ir, a, inverse);

    return x && ir_type_of(ir, x) == type ? x : IR_NONE;
}

static ir_val simplify_fcanon(const struct ir *ir, ir_val a)
{
    switch (ir_def(ir, a)->op) {
    case IR_FCANON:
    case IR_FMINNUM:
    case IR_FMAXNUM:
    case IR_I2F: return a;
    default: return IR_NONE;
    }
}

static ir_val simplify_fabs(struct ir *ir, ir_val a)
{
    const struct ir_insn *i = ir_def(ir, a);

    switch (i->op) {
    case IR_FABS: return a;
    case IR_FNEG:
    case IR_FSGN:
    case IR_FSGNN:
    case IR_FSGNX: return ir_unary(ir, IR_FABS, i->type, i->a);
    default: return IR_NONE;
    }
}

static ir_val simplify_unary(struct ir *ir, enum ir_op op, enum ir_type type, ir_val a)
{
    switch (op) {
    case IR_SEXT8:
    case IR_SEXT16:
    case IR_ZEXT8:
    case IR_ZEXT16: return simplify_extend(ir, op, a);
    case IR_SEXT32: return simplify_sext32(ir, a);
    case IR_ZEXT32: return simplify_zext32(ir, a);
    case IR_TRUNC: return simplify_trunc(ir, a);
    case IR_NEG:
    case IR_NOT:
    case IR_BSWAP:
    case IR_FNEG: return ir_operand_of(ir, a, op);
    case IR_FABS: return simplify_fabs(ir, a);
    case IR_FBITS: return simplify_inverse(ir, IR_BITSF, type, a);
    case IR_BITSF: return simplify_inverse(ir, IR_FBITS, type, a);
    case IR_UNBOX: return simplify_inverse(ir, IR_BOX, type, a);
    case IR_FCANON: return simplify_fcanon(ir, a);
    default: return IR_NONE;
    }
}

ir_val ir_unary(struct ir *ir, enum ir_op op, enum ir_type type, ir_val a)
{
    int64_t c, r;
    ir_val v;

    if (ir_is_const(ir, a, &c)) {
        if (ir_fold_unary(op, type, c, &r))
            return ir_imm(ir, type, r);
    } else {
        v = simplify_unary(ir, op, type, a);
        if (v)
            return v;
    }
    return ir_emit(ir, op, type, a, IR_NONE);
}

/* op(x, x) */
static ir_val simplify_same(struct ir *ir, enum ir_op op, ir_val a)
{
    switch (op) {
    case IR_SUB:
    case IR_XOR:
    case IR_ANDN: return ir_imm(ir, ir_type_of(ir, a), 0);
    case IR_AND:
    case IR_OR: return a;
    case IR_FSGN: return a;
    case IR_FSGNN: return ir_unary(ir, IR_FNEG, ir_type_of(ir, a), a);
    case IR_FSGNX: return ir_unary(ir, IR_FABS, ir_type_of(ir, a), a);
    default: return IR_NONE;
    }
}

/* op(op(x, c1), c2) = op(x, c1 op c2), unless x would have to be kept for that alone. */
static ir_val simplify_chain(struct ir *ir, enum ir_op op, enum ir_type type, ir_val a, int64_t c)
{
    const struct ir_insn *i = ir_def(ir, a);
    int64_t inner, both;

    if (i->op != op || !ir_is_const(ir, i->b, &inner) ||
        (ir_in_slot(ir, a) && ir->count - a > NEAR))
        return IR_NONE;
    ir_fold_binary(op, type, inner, c, &both);
    return ir_binary(ir, op, i->a, ir_imm(ir, type, both));
}

static ir_val simplify_and_imm(struct ir *ir, enum ir_type type, ir_val a, int64_t c)
{
    if (c & 1 && extent(ir, a, false) == 1)
        return a;
    switch (c) {
    case 0: return ir_imm(ir, type, 0);
    case -1: return a;
    case 0xff: return ir_unary(ir, IR_ZEXT8, type, a);
    case 0xffff: return ir_unary(ir, IR_ZEXT16, type, a);
    case 0xffffffff: return ir_zext32(ir, ir_trunc(ir, a));
    default: return simplify_chain(ir, IR_AND, type, a, c);
    }
}

/*
 * A shift right of a shift left by as much or more is an extension: front ends without extending
 * instructions write them so.
 */
static ir_val simplify_shift_pair(struct ir *ir, enum ir_op op, ir_val a, unsigned right)
{
    const struct ir_insn *i = ir_def(ir, a);
    unsigned width = ir_type_bytes[i->type] * 8, left;
    bool is_signed = op == IR_SAR;
    ir_val x = i->a;
    int64_t c;

    if (i->op != IR_SHL || op == IR_SHL || !ir_is_const(ir, i->b, &c))
        return IR_NONE;
    left = c & (width - 1);
    if (left < right)
        return IR_NONE;
    switch (width - left) {
    case 8: x = ir_unary(ir, is_signed ? IR_SEXT8 : IR_ZEXT8, i->type, x); break;
    case 16: x = ir_unary(ir, is_signed ? IR_SEXT16 : IR_ZEXT16, i->type, x); break;
    case 32: x = ir_unary(ir, is_signed ? IR_SEXT32 : IR_ZEXT32, IR_I64, ir_trunc(ir, x)); break;
    default: return IR_NONE;
    }
    return ir_shl(ir, x, ir_imm(ir, i->type, left - right));
}

static ir_val simplify_shift_imm(struct ir *ir, enum ir_op op, enum ir_type type, ir_val a,
                                 int64_t c)
{
    const struct ir_insn *i = ir_def(ir, a);
    unsigned width = ir_type_bytes[type] * 8, n = c & (width - 1);
    int64_t inner;

    if (!n)
        return a;
    if (c != n)
        return ir_binary(ir, op, a, ir_imm(ir, type, n));
    if (i->op == op && op != IR_ROTL && op != IR_ROTR && ir_is_const(ir, i->b, &inner)) {
        unsigned sum = (inner & (width - 1)) + n;

        if (sum >= width) {
            if (op != IR_SAR)
                return ir_imm(ir, type, 0);
            sum = width - 1;
        }
        return ir_binary(ir, op, i->a, ir_imm(ir, type, sum));
    }
    if (op == IR_SHR || op == IR_SAR)
        return simplify_shift_pair(ir, op, a, n);
    return IR_NONE;
}

static ir_val simplify_mul_imm(struct ir *ir, enum ir_type type, ir_val a, int64_t c)
{
    uint64_t u = type == IR_I32 ? (uint32_t)c : (uint64_t)c;

    if (!u)
        return ir_imm(ir, type, 0);
    if (c == -1)
        return ir_unary(ir, IR_NEG, type, a);
    if (!(u & (u - 1)))
        return ir_shl(ir, a, ir_imm(ir, type, __builtin_ctzll(u)));
    return IR_NONE;
}

static ir_val simplify_div_imm(struct ir *ir, enum ir_op op, enum ir_type type, ir_val a, int64_t c)
{
    uint64_t u = type == IR_I32 ? (uint32_t)c : (uint64_t)c;

    if (!u)
        return op == IR_REMU || op == IR_REMS ? a : ir_imm(ir, type, -1);
    if (op == IR_DIVS || op == IR_REMS) {
        if (u != 1)
            return IR_NONE;
        return op == IR_DIVS ? a : ir_imm(ir, type, 0);
    }
    if (u & (u - 1))
        return IR_NONE;
    if (op == IR_DIVU)
        return ir_shr(ir, a, ir_imm(ir, type, __builtin_ctzll(u)));
    return ir_and(ir, a, ir_imm(ir, type, u - 1));
}

static ir_val invert_setcc(struct ir *ir, ir_val v)
{
    const struct ir_insn *i = ir_def(ir, v);

    return ir_setcc(ir, i->type, i->cond ^ 1, i->a, i->b);
}

/* op(a, constant) */
static ir_val simplify_imm(struct ir *ir, enum ir_op op, enum ir_type type, ir_val a, int64_t c)
{
    switch (op) {
    case IR_ADD: return c ? simplify_chain(ir, op, type, a, c) : a;
    case IR_SUB: return ir_add(ir, a, ir_imm(ir, type, 0 - (uint64_t)c));
    case IR_AND: return simplify_and_imm(ir, type, a, c);
    case IR_ANDN: return ir_and(ir, a, ir_imm(ir, type, ~c));
    case IR_OR:
        if (c == -1)
            return ir_imm(ir, type, -1);
        return c ? simplify_chain(ir, op, type, a, c) : a;
    case IR_XOR:
        if (c == -1)
            return ir_unary(ir, IR_NOT, type, a);
        if (c == 1 && ir_def(ir, a)->op == IR_SETCC)
            return invert_setcc(ir, a);
        return c ? simplify_chain(ir, op, type, a, c) : a;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROTL:
    case IR_ROTR: return simplify_shift_imm(ir, op, type, a, c);
    case IR_MUL: return simplify_mul_imm(ir, type, a, c);
    case IR_MULHS:
    case IR_MULHU:
    case IR_MULHSU: return c ? IR_NONE : ir_imm(ir, type, 0);
    case IR_DIVS:
    case IR_DIVU:
    case IR_REMS:
    case IR_REMU: return simplify_div_imm(ir, op, type, a, c);
    default: return IR_NONE;
    }
}

/* op(constant, b) of an operation that does not commute */
static ir_val simplify_imm_left(struct ir *ir, enum ir_op op, enum ir_type type, int64_t c,
                                ir_val b)
{
    switch (op) {
    case IR_SUB: return c ? IR_NONE : ir_unary(ir, IR_NEG, type, b);
    case IR_ANDN:
        return c == -1 ? ir_unary(ir, IR_NOT, type, b) : c ? IR_NONE : ir_imm(ir, type, 0);
    case IR_SHL:
    case IR_SHR:
    case IR_ROTL:
    case IR_ROTR:
    case IR_MULHSU:
    case IR_REMU:
    case IR_REMS: return c ? IR_NONE : ir_imm(ir, type, 0);
    case IR_SAR: return c && c != -1 ? IR_NONE : ir_imm(ir, type, c);
    default: return IR_NONE;
    }
}

/* A shift count that is masked as the shift does it anyway. */
static ir_val strip_count_mask(const struct ir *ir, enum ir_op op, enum ir_type type, ir_val b)
{
    const struct ir_insn *i = ir_def(ir, b);
    int64_t mask = type == IR_I32 ? 31 : 63, c;

    if (op < IR_SHL || op > IR_ROTR || i->op != IR_AND || !ir_is_const(ir, i->b, &c))
        return b;
    return (c & mask) == mask ? i->a : b;
}

/* An address that moves and a constant: what stays an address at a fixed distance. */
static ir_val simplify_pcrel(struct ir *ir, enum ir_op op, ir_val a, int64_t c)
{
    uint64_t addr = ir_def(ir, a)->imm;

    switch (op) {
    case IR_ADD: return ir_pcrel(ir, addr + (uint64_t)c);
    case IR_SUB: return ir_pcrel(ir, addr - (uint64_t)c);
    case IR_AND: return fits(c, -0x1000, -1) ? ir_pcrel(ir, addr & (uint64_t)c) : IR_NONE;
    default: return IR_NONE;
    }
}

ir_val ir_binary(struct ir *ir, enum ir_op op, ir_val a, ir_val b)
{
    enum ir_type type = ir_type_of(ir, a);
    bool ca = ir_is_imm(ir, a), cb = ir_is_imm(ir, b);
    ir_val v = IR_NONE;
    int64_t r;

    if (ca && cb && ir_fold_binary(op, type, ir_def(ir, a)->imm, ir_def(ir, b)->imm, &r))
        return ir_imm(ir, type, r);
    if (ca && ir_op_info[op].props & IR_P_C) {
        ir_val t = a;
        a = b;
        b = t;
        cb = true;
        ca = false;
    }
    if (type != IR_I32 && type != IR_I64) {
        v = a == b ? simplify_same(ir, op, a) : IR_NONE;
        return v ? v : ir_emit(ir, op, type, a, b);
    }
    if (cb && ir_def(ir, a)->op == IR_PCREL)
        v = simplify_pcrel(ir, op, a, ir_def(ir, b)->imm);
    if (v)
        return v;
    if (cb)
        v = simplify_imm(ir, op, type, a, ir_def(ir, b)->imm);
    else if (ca)
        v = simplify_imm_left(ir, op, type, ir_def(ir, a)->imm, b);
    else if (a == b)
        v = simplify_same(ir, op, a);
    else
        b = strip_count_mask(ir, op, type, b);
    return v ? v : ir_emit(ir, op, type, a, b);
}

/* The condition that holds of (b, a) when @c holds of (a, b). */
static enum ir_cond swap_cond(enum ir_cond c)
{
    static const uint8_t swapped[] = {
        [IR_EQ] = IR_EQ,   [IR_NE] = IR_NE,   [IR_LT] = IR_GT,       [IR_GE] = IR_LE,
        [IR_LTU] = IR_GTU, [IR_GEU] = IR_LEU, [IR_LE] = IR_GE,       [IR_GT] = IR_LT,
        [IR_LEU] = IR_GEU, [IR_GTU] = IR_LTU, [IR_TSTEQ] = IR_TSTEQ, [IR_TSTNE] = IR_TSTNE,
    };
    return swapped[c];
}

/* cond(x, x): 0, 1, or -1 after a change to a compare with 0. */
static int simplify_cond_same(struct ir *ir, enum ir_cond *c, ir_val *b)
{
    if (*c < IR_TSTEQ)
        return ir_fold_cond(*c, 0, 0);
    *c = *c == IR_TSTEQ ? IR_EQ : IR_NE;
    *b = ir_imm(ir, ir_type_of(ir, *b), 0);
    return -1;
}

/* Unsigned compares with 0 and 1, and tests of bits, are compares for equality or none. */
static int simplify_cond_imm(struct ir *ir, enum ir_cond *c, enum ir_type type, ir_val *b)
{
    int64_t imm = ir_def(ir, *b)->imm;

    switch (*c) {
    case IR_LTU:
    case IR_GEU:
        if (imm == 0)
            return *c == IR_GEU;
        if (imm != 1)
            return -1;
        *c = *c == IR_LTU ? IR_EQ : IR_NE;
        break;
    case IR_LEU:
    case IR_GTU:
        if (imm == -1)
            return *c == IR_LEU;
        if (imm != 0)
            return -1;
        *c = *c == IR_LEU ? IR_EQ : IR_NE;
        break;
    case IR_TSTEQ:
    case IR_TSTNE:
        if (imm == 0)
            return *c == IR_TSTEQ;
        if (imm != -1)
            return -1;
        *c = *c == IR_TSTEQ ? IR_EQ : IR_NE;
        break;
    default: return -1;
    }
    *b = ir_imm(ir, type, 0);
    return -1;
}

int ir_simplify_cond(struct ir *ir, enum ir_cond *c, ir_val *a, ir_val *b)
{
    int known;

    if (ir_is_imm(ir, *a)) {
        ir_val t = *a;

        if (ir_is_imm(ir, *b))
            return ir_fold_cond(*c, ir_def(ir, *a)->imm, ir_def(ir, *b)->imm);
        *a = *b;
        *b = t;
        *c = swap_cond(*c);
    }
    if (*a == *b) {
        known = simplify_cond_same(ir, c, b);
        if (known >= 0)
            return known;
    }
    if (!ir_is_imm(ir, *b))
        return -1;
    known = simplify_cond_imm(ir, c, ir_type_of(ir, *a), b);
    if (known >= 0)
        return known;
    /* Equality with 0 of a comparison's result is that comparison or its opposite. */
    while (*c <= IR_NE && ir_is_imm(ir, *b) && ir_def(ir, *b)->imm == 0) {
        const struct ir_insn *i = ir_def(ir, *a);

        if (i->op == IR_SETCC)
            *c = i->cond ^ (*c == IR_EQ);
        else if (i->op == IR_AND)
            *c = *c == IR_EQ ? IR_TSTEQ : IR_TSTNE;
        else
            break;
        *a = i->a;
        *b = i->b;
    }
    return -1;
}

ir_val ir_setcc(struct ir *ir, enum ir_type type, enum ir_cond c, ir_val a, ir_val b)
{
    int known = ir_simplify_cond(ir, &c, &a, &b);
    ir_val v;

    if (known >= 0)
        return ir_imm(ir, type, known);
    v = ir_emit(ir, IR_SETCC, type, a, b);
    if (v)
        ir->insn[v].cond = c;
    return v;
}

ir_val ir_select(struct ir *ir, enum ir_cond c, ir_val a, ir_val b, ir_val yes, ir_val no)
{
    int known = ir_simplify_cond(ir, &c, &a, &b);
    enum ir_type type = ir_type_of(ir, yes);
    int64_t y, n;
    struct ir_insn *i;

    if (known >= 0)
        return known ? yes : no;
    if (yes == no)
        return yes;
    if (type <= IR_I64 && ir_is_const(ir, yes, &y) && ir_is_const(ir, no, &n)) {
        if (y == 1 && n == 0)
            return ir_setcc(ir, type, c, a, b);
        if (y == 0 && n == 1)
            return ir_setcc(ir, type, c ^ 1, a, b);
    }
    i = ir_append(ir, IR_SELECT, type);
    if (!i)
        return IR_NONE;
    i->cond = c;
    i->a = a;
    i->b = b;
    i->c = yes;
    i->d = no;
    return i - ir->insn;
}
