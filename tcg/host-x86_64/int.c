/*
 * Integer operations.
 */
#include "gen.h"

static const uint8_t group1_of[IR_NB_OPS] = {
    [IR_ADD] = G1_ADD, [IR_SUB] = G1_SUB, [IR_AND] = G1_AND, [IR_OR] = G1_OR, [IR_XOR] = G1_XOR,
};

/* Puts operand @v into @to, which may be its own register. */
static void move_to(struct gen *g, int to, struct rm m, uint32_t w)
{
    if (m.reg < 0 || m.reg != to)
        as_op(&g->as, X_MOV | w, to, m);
}

/* dst = a + b with LEA where that saves a move, or where b is to be shifted (gen_analyse()). */
static bool gen_lea(struct gen *g, const struct ir_insn *i)
{
    int64_t imm;
    uint32_t w = op_w(i->type);
    bool has_imm = gen_const32(g, i->b, &imm);

    if (i->op == IR_SUB) {
        if (!has_imm || imm == INT32_MIN)
            return false;
        imm = -imm;
    }
    int ra = gen_use(g, i->a);
    int rb = has_imm ? NO_REG : gen_use(g, i->b);
    gen_free_dying(g);
    int rd = gen_def(g, g->pos);
    if (i->op == IR_ADD && i->cond)
        as_op(&g->as, X_LEA | w, rd, rm_sib(ra, rb, i->cond, 0));
    else if (rd == ra)
        has_imm ? as_g1(&g->as, w, G1_ADD, rm_reg(rd), imm)
                : as_op(&g->as, X_ADD | w, rd, rm_reg(rb));
    else if (rd == rb)
        as_op(&g->as, X_ADD | w, rd, rm_reg(ra));
    else if (has_imm)
        as_op(&g->as, X_LEA | w, rd, rm_mem(ra, imm));
    else
        as_op(&g->as, X_LEA | w, rd, rm_sib(ra, rb, 0, 0));
    return true;
}

/* Two-address arithmetic. */
static void gen_alu(struct gen *g, const struct ir_insn *i)
{
    int64_t imm;
    uint32_t w = op_w(i->type);
    bool has_imm = gen_const32(g, i->b, &imm);
    struct rm ma, mb = { 0 };

    if (has_imm) {
        ma = gen_rm(g, i->a);
    } else {
        ma = rm_reg(gen_use(g, i->a));
        mb = gen_rm(g, i->b);
    }
    gen_free_dying(g);
    int rd = gen_def(g, g->pos);
    if (has_imm) {
        move_to(g, rd, ma, w);
        as_g1(&g->as, w, group1_of[i->op], rm_reg(rd), imm);
        return;
    }
    uint32_t op = (group1_of[i->op] << 3 | 3) | w;
    if (mb.reg == rd && ma.reg != rd) {
        if (ir_op_info[i->op].props & IR_P_C) {
            as_op(&g->as, op, rd, ma);
        } else { /* rd = a - rd */
            as_op(&g->as, 0xf7 | w, G3_NEG, rm_reg(rd));
            as_op(&g->as, X_ADD | w, rd, ma);
        }
        return;
    }
    move_to(g, rd, ma, w);
    as_op(&g->as, op, rd, mb);
}

static void gen_andn(struct gen *g, const struct ir_insn *i)
{
    uint32_t w = op_w(i->type);
    int ra = gen_use(g, i->a), rb = gen_use(g, i->b);
    if (g->th->bmi1) {
        gen_free_dying(g);
        int rd = gen_def(g, g->pos);
        as_vex(&g->as, V_ANDN | w, 0, rd, rb, rm_reg(ra));
        return;
    }
    int rd = gen_temp(g);
    as_op(&g->as, X_MOV | w, rd, rm_reg(rb));
    as_op(&g->as, 0xf7 | w, G3_NOT, rm_reg(rd));
    as_op(&g->as, X_AND | w, rd, rm_reg(ra));
    gen_free_dying(g);
    gen_def_in(g, g->pos, rd);
}

static void gen_mul(struct gen *g, const struct ir_insn *i)
{
    int64_t imm;
    uint32_t w = op_w(i->type);

    if (gen_const32(g, i->b, &imm)) {
        struct rm ma = gen_rm(g, i->a);
        gen_free_dying(g);
        int rd = gen_def(g, g->pos);
        as_op(&g->as, 0x69 | w, rd, ma);
        as_4(&g->as, imm);
        return;
    }
    int ra = gen_use(g, i->a);
    struct rm mb = gen_rm(g, i->b);
    gen_free_dying(g);
    int rd = gen_def(g, g->pos);
    if (mb.reg == rd) {
        as_op(&g->as, X_IMUL | w, rd, rm_reg(ra));
    } else {
        move_to(g, rd, rm_reg(ra), w);
        as_op(&g->as, X_IMUL | w, rd, mb);
    }
}

/* Upper half of the product: RDX of the one-operand forms. */
static void gen_mulh(struct gen *g, const struct ir_insn *i)
{
    uint32_t w = op_w(i->type);

    gen_use_in(g, i->a, RAX);
    gen_take(g, RDX);
    int rb = gen_use(g, i->b);
    if (i->op == IR_MULHSU) { /* unsigned product, minus b where a is negative */
        int t = gen_temp(g);
        as_op(&g->as, X_MOV | w, t, rm_reg(RAX));
        as_shift(&g->as, w, G2_SAR, rm_reg(t), w ? 63 : 31);
        as_op(&g->as, X_AND | w, t, rm_reg(rb));
        as_op(&g->as, 0xf7 | w, G3_MUL, rm_reg(rb));
        as_op(&g->as, X_SUB | w, RDX, rm_reg(t));
    } else {
        as_op(&g->as, 0xf7 | w, i->op == IR_MULHS ? G3_IMUL : G3_MUL, rm_reg(rb));
    }
    gen_def_in(g, g->pos, RDX);
}

/* Division by zero, and the signed overflow, have defined results where the host traps. */
static void gen_div(struct gen *g, const struct ir_insn *i)
{
    uint32_t w = op_w(i->type);
    bool is_signed = i->op == IR_DIVS || i->op == IR_REMS;
    bool rem = i->op == IR_REMS || i->op == IR_REMU;
    int64_t imm;
    bool known = gen_const(g, i->b, &imm) && imm != 0 && imm != -1;

    gen_use_in(g, i->a, RAX);
    gen_take(g, RDX);
    int rb = gen_use(g, i->b);
    struct stub *s = NULL;
    if (!known && is_signed) { /* b + 1 is 0 or 1, unsigned, for -1 and 0 */
        int t = gen_temp(g);
        as_op(&g->as, X_LEA | w, t, rm_mem(rb, 1));
        as_g1(&g->as, w, G1_CMP, rm_reg(t), 1);
        s = gen_stub(g, STUB_DIV, as_jcc(&g->as, CC_BE));
    } else if (!known) {
        as_op(&g->as, X_TEST | w, rb, rm_reg(rb));
        s = gen_stub(g, STUB_DIV, as_jcc(&g->as, CC_E));
    }
    if (is_signed) { /* CDQ, CQO */
        if (w)
            as_1(&g->as, 0x48);
        as_1(&g->as, 0x99);
    } else {
        as_op(&g->as, X_XOR, RDX, rm_reg(RDX));
    }
    as_op(&g->as, 0xf7 | w, is_signed ? G3_IDIV : G3_DIV, rm_reg(rb));
    if (s) {
        s->r1 = rb;
        s->type = i->type;
        s->cond = is_signed | rem << 1;
        s->back = as_here(&g->as);
    }
    gen_def_in(g, g->pos, rem ? RDX : RAX);
}

static void gen_shift_reg(struct gen *g, const struct ir_insn *i, uint32_t w)
{
    static const uint8_t digit[IR_NB_OPS] = {
        [IR_SHL] = G2_SHL,  [IR_SHR] = G2_SHR,  [IR_SAR] = G2_SAR,
        [IR_ROTL] = G2_ROL, [IR_ROTR] = G2_ROR,
    };
    bool rotate = i->op == IR_ROTL || i->op == IR_ROTR;

    if (g->th->bmi2 && !rotate) {
        uint32_t op = i->op == IR_SHL ? V_SHLX : i->op == IR_SHR ? V_SHRX : V_SARX;
        int rb = gen_use(g, i->b);
        struct rm ma = gen_rm(g, i->a);
        gen_free_dying(g);
        as_vex(&g->as, op | w, 0, gen_def(g, g->pos), rb, ma);
        return;
    }
    gen_use_in(g, i->b, RCX);
    int ra = gen_use(g, i->a), t = gen_temp(g);
    as_op(&g->as, X_MOV | w, t, rm_reg(ra));
    as_op(&g->as, 0xd3 | w, digit[i->op], rm_reg(t));
    gen_free_dying(g);
    gen_def_in(g, g->pos, t);
}

static void gen_shift(struct gen *g, const struct ir_insn *i)
{
    static const uint8_t digit[IR_NB_OPS] = {
        [IR_SHL] = G2_SHL,  [IR_SHR] = G2_SHR,  [IR_SAR] = G2_SAR,
        [IR_ROTL] = G2_ROL, [IR_ROTR] = G2_ROR,
    };
    uint32_t w = op_w(i->type);
    int64_t imm;

    if (!gen_const(g, i->b, &imm)) {
        gen_shift_reg(g, i, w);
        return;
    }
    imm &= w ? 63 : 31;
    struct rm ma = gen_rm(g, i->a);
    gen_free_dying(g);
    int rd = gen_def(g, g->pos);
    move_to(g, rd, ma, w);
    if (imm)
        as_shift(&g->as, w, digit[i->op], rm_reg(rd), imm);
}

static void gen_unary(struct gen *g, const struct ir_insn *i)
{
    uint32_t w = op_w(i->type);
    struct rm ma = gen_rm(g, i->a);

    switch (i->op) {
    case IR_SEXT8:
    case IR_ZEXT8:
    case IR_SEXT16:
    case IR_ZEXT16:
    case IR_SEXT32:
    case IR_ZEXT32: {
        uint32_t op = i->op == IR_SEXT8    ? X_MOVSX8 | w
                      : i->op == IR_ZEXT8  ? X_MOVZX8
                      : i->op == IR_SEXT16 ? X_MOVSX16 | w
                      : i->op == IR_ZEXT16 ? X_MOVZX16
                      : i->op == IR_SEXT32 ? X_MOVSXD
                                           : X_MOV;
        gen_free_dying(g);
        as_op(&g->as, op, gen_def(g, g->pos), ma);
        return;
    }
    case IR_POPCNT:
        gen_free_dying(g);
        as_op(&g->as, X_POPCNT | w, gen_def(g, g->pos), ma);
        return;
    case IR_NEG:
    case IR_NOT:
    case IR_BSWAP: {
        gen_free_dying(g);
        int rd = gen_def(g, g->pos);
        move_to(g, rd, ma, w);
        if (i->op == IR_BSWAP) {
            if (w || rd >= 8)
                as_1(&g->as, 0x40 | (w ? 8 : 0) | rd >> 3);
            as_1(&g->as, 0x0f);
            as_1(&g->as, 0xc8 | (rd & 7));
        } else {
            as_op(&g->as, 0xf7 | w, i->op == IR_NEG ? G3_NEG : G3_NOT, rm_reg(rd));
        }
        return;
    }
    default: /* CLZ, CTZ */ break;
    }
    if (g->th->lzcnt) {
        gen_free_dying(g);
        as_op(&g->as, (i->op == IR_CLZ ? X_LZCNT : X_TZCNT) | w, gen_def(g, g->pos), ma);
        return;
    }
    /* BSR and BSF leave the result undefined for zero. */
    int width = w ? 64 : 32, t = gen_temp(g), zero = gen_temp(g);
    as_mov_imm(&g->as, zero, i->op == IR_CLZ ? 2 * width - 1 : width);
    as_op(&g->as, (i->op == IR_CLZ ? X_BSR : X_BSF) | w, t, ma);
    as_op(&g->as, (X_CMOV | w) + CC_E, t, rm_reg(zero));
    if (i->op == IR_CLZ)
        as_g1(&g->as, w, G1_XOR, rm_reg(t), width - 1);
    gen_free_dying(g);
    g->locked &= ~(1u << zero);
    gen_def_in(g, g->pos, t);
}

int gen_cc(enum ir_cond c)
{
    static const uint8_t cc[] = {
        [IR_EQ] = CC_E,   [IR_NE] = CC_NE,  [IR_LT] = CC_L,    [IR_GE] = CC_GE,
        [IR_LTU] = CC_B,  [IR_GEU] = CC_AE, [IR_LE] = CC_LE,   [IR_GT] = CC_G,
        [IR_LEU] = CC_BE, [IR_GTU] = CC_A,  [IR_TSTEQ] = CC_E, [IR_TSTNE] = CC_NE,
    };
    return cc[c];
}

/* Sets the host's flags for a condition. */
void gen_compare(struct gen *g, enum ir_type type, enum ir_cond c, ir_val a, ir_val b)
{
    uint32_t w = op_w(type);
    int64_t imm;

    if (gen_const32(g, b, &imm)) {
        if (c == IR_TSTEQ || c == IR_TSTNE) {
            as_op(&g->as, 0xf7 | w, G3_TEST, gen_rm(g, a));
            as_4(&g->as, imm);
            return;
        }
        struct rm ma = gen_rm(g, a);
        if (imm == 0 && ma.reg >= 0)
            as_op(&g->as, X_TEST | w, ma.reg, ma);
        else
            as_g1(&g->as, w, G1_CMP, ma, imm);
        return;
    }
    int ra = gen_use(g, a);
    if (c == IR_TSTEQ || c == IR_TSTNE)
        as_op(&g->as, X_TEST | w, gen_use(g, b), rm_reg(ra));
    else
        as_op(&g->as, X_CMP | w, ra, gen_rm(g, b));
}

static void gen_setcc(struct gen *g, const struct ir_insn *i)
{
    int t = gen_temp(g);
    gen_compare(g, ir_type_of(g->ir, i->a), i->cond, i->a, i->b);
    as_op(&g->as, X_SETCC | gen_cc(i->cond), 0, rm_reg(t));
    gen_free_dying(g);
    as_op(&g->as, X_MOVZX8, gen_def(g, g->pos), rm_reg(t));
}

/* There is no conditional move of XMM registers: jump over a plain one. */
static void gen_select_float(struct gen *g, const struct ir_insn *i)
{
    int t = gen_xtemp(g), xc = gen_xuse(g, i->c), xd = gen_xuse(g, i->d);

    as_op(&g->as, 0x28 | O_0F, t, rm_reg(xd));
    gen_compare(g, ir_type_of(g->ir, i->a), i->cond, i->a, i->b);
    uint32_t over = as_jcc(&g->as, gen_cc(i->cond) ^ 1);
    as_op(&g->as, 0x28 | O_0F, t, rm_reg(xc));
    as_patch(&g->as, over, as_here(&g->as));
    g->loc[g->pos].reg = t;
    g->in_xmm[t] = g->pos;
}

static void gen_select(struct gen *g, const struct ir_insn *i)
{
    if (in_xmm(i->type)) {
        gen_select_float(g, i);
        return;
    }
    uint32_t w = op_w(i->type);
    int rc = gen_use(g, i->c), slot = g->hint[g->pos], t;
    struct rm md = gen_rm(g, i->d);

    /* Behind it a and b have had their use; moves leave EFLAGS alone. */
    gen_compare(g, ir_type_of(g->ir, i->a), i->cond, i->a, i->b);
    if (slot == NO_SLOT || g->home[slot] == rc || !gen_hinted(g, g->pos, g->in_reg, &t))
        t = gen_temp(g);
    if (md.reg != t)
        as_op(&g->as, X_MOV | w, t, md);
    as_op(&g->as, (X_CMOV | w) + gen_cc(i->cond), t, rm_reg(rc));
    gen_free_dying(g);
    gen_def_in(g, g->pos, t);
}

void gen_int(struct gen *g, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_ADD: gen_lea(g, i); break;
    case IR_SUB:
        if (!gen_const32(g, i->b, &(int64_t){ 0 }) || !gen_lea(g, i))
            gen_alu(g, i);
        break;
    case IR_AND:
    case IR_OR:
    case IR_XOR: gen_alu(g, i); break;
    case IR_ANDN: gen_andn(g, i); break;
    case IR_MUL: gen_mul(g, i); break;
    case IR_MULHS:
    case IR_MULHU:
    case IR_MULHSU: gen_mulh(g, i); break;
    case IR_DIVS:
    case IR_DIVU:
    case IR_REMS:
    case IR_REMU: gen_div(g, i); break;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROTL:
    case IR_ROTR: gen_shift(g, i); break;
    case IR_SETCC: gen_setcc(g, i); break;
    case IR_SELECT: gen_select(g, i); break;
    default: gen_unary(g, i);
    }
}
