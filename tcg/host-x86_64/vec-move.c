/*
 * Vector operations that take general registers, constants, or more than one instruction.
 */
#include "vec.h"

#define P66     (O_0F | O_66)
#define P38     (O_38 | O_66)
#define P3A     (O_3A | O_66)
#define MOVD    (0x6e | P66)         /* xmm <- r32, with O_W r64 */
#define MOVD_ST (0x7e | P66)         /* r32 <- xmm */
#define MOVQ    (0x7e | O_0F | O_F3) /* xmm <- xmm, m64; the rest zero */
#define PSHUFD  (0x70 | P66)
#define PSHUFLW (0x70 | O_0F | O_F2)
#define XORPS   (0x57 | O_0F)

static unsigned lane_of(const struct ir_insn *i)
{
    return i->mem & 0xff;
}

static uint32_t wide(const struct ir_insn *i)
{
    return lane_of(i) == 64 ? O_W : 0;
}

/* MOVSS or MOVSD between registers and the like: F3 or F2. */
static uint32_t scalar(const struct ir_insn *i)
{
    return O_0F | (lane_of(i) == 32 ? O_F3 : O_F2);
}

/* The same operation on float lanes: no prefix or 66. */
static uint32_t packed(const struct ir_insn *i)
{
    return O_0F | (lane_of(i) == 32 ? 0 : O_66);
}

static unsigned lane_number(const struct ir_insn *i)
{
    return i->imm & (128 / lane_of(i) - 1);
}

static void op2_imm(struct gen *g, uint32_t op, int d, int a, unsigned n)
{
    vec_op2(g, op, d, rm_reg(a));
    as_1(&g->as, n);
}

/* ---- From general registers ---- */

static void gen_zero(struct gen *g, const struct ir_insn *i)
{
    int d = gen_xdef(g, g->pos);

    (void)i;
    vec_op3(g, XORPS, d, d, rm_reg(d));
}

static void gen_fromi(struct gen *g, const struct ir_insn *i)
{
    int d = gen_xtemp(g);

    if (lane_of(i) >= 32) {
        vec_op2(g, MOVD | wide(i), d, gen_rm(g, i->a));
    } else {
        int t = gen_temp(g);
        as_op(&g->as, lane_of(i) == 8 ? X_MOVZX8 : X_MOVZX16, t, rm_reg(gen_use(g, i->a)));
        vec_op2(g, MOVD, d, rm_reg(t));
    }
    gen_free_dying(g);
    vec_def_in(g, d);
}

/* All lanes of @d to what its lowest one is. */
static void splat(struct gen *g, unsigned lane, int d)
{
    static const uint8_t broadcast[] = { 0x78, 0x79, 0x58, 0x59 };

    if (vec_has(g, VEC_AVX2)) {
        vec_op2(g, broadcast[__builtin_ctz(lane) - 3] | P38, d, rm_reg(d));
        return;
    }
    if (lane == 8)
        vec_op3(g, 0x60 | P66, d, d, rm_reg(d)); /* PUNPCKLBW */
    if (lane <= 16)
        op2_imm(g, PSHUFLW, d, d, 0);
    op2_imm(g, PSHUFD, d, d, lane == 64 ? 0x44 : 0);
}

static void gen_dup(struct gen *g, const struct ir_insn *i)
{
    int d = gen_xtemp(g);

    vec_op2(g, MOVD | wide(i), d, rm_reg(gen_use(g, i->a)));
    splat(g, lane_of(i), d);
    gen_free_dying(g);
    vec_def_in(g, d);
}

static void gen_pair(struct gen *g, const struct ir_insn *i)
{
    int d = gen_xtemp(g);

    vec_op2(g, MOVD | O_W, d, rm_reg(gen_use(g, i->a)));
    if (gen_root(g, i->a) == gen_root(g, i->b)) {
        op2_imm(g, PSHUFD, d, d, 0x44);
    } else if (vec_has(g, VEC_SSE41)) {
        vec_op3(g, 0x22 | P3A | O_W, d, d, rm_reg(gen_use(g, i->b))); /* PINSRQ */
        as_1(&g->as, 1);
    } else {
        int t = gen_xtemp(g);
        vec_op2(g, MOVD | O_W, t, rm_reg(gen_use(g, i->b)));
        vec_op3(g, 0x6c | P66, d, d, rm_reg(t)); /* PUNPCKLQDQ */
    }
    gen_free_dying(g);
    vec_def_in(g, d);
}

static void gen_insert(struct gen *g, const struct ir_insn *i)
{
    static const uint32_t opcode[] = { 0x20 | P3A, 0xc4 | P66, 0x22 | P3A, 0x22 | P3A | O_W };
    int xa = gen_xuse(g, i->a), rb = gen_use(g, i->b);

    gen_free_dying(g);
    vec_op3(g, opcode[__builtin_ctz(lane_of(i)) - 3], vec_def(g, xa), xa, rm_reg(rb));
    as_1(&g->as, lane_number(i));
}

static void gen_from_int(struct gen *g, const struct ir_insn *i)
{
    int xa = gen_xuse(g, i->a), rb = gen_use(g, i->b);
    uint32_t op = 0x2a | scalar(i) | (i->cond == IR_V_I64TOF ? O_W : 0);

    gen_free_dying(g);
    vec_op3(g, op, vec_def(g, xa), xa, rm_reg(rb));
}

/* ---- To general registers ---- */

static int define(struct gen *g)
{
    gen_free_dying(g);
    return gen_def(g, g->pos);
}

static void extract_small(struct gen *g, const struct ir_insn *i, int x)
{
    unsigned n = lane_number(i);
    int t;

    if (lane_of(i) == 8 && vec_has(g, VEC_SSE41)) {
        vec_op2(g, 0x14 | P3A, x, rm_reg(define(g))); /* PEXTRB */
        as_1(&g->as, n);
        return;
    }
    t = define(g);
    op2_imm(g, 0xc5 | P66, t, x, lane_of(i) == 8 ? n / 2 : n); /* PEXTRW */
    if (lane_of(i) == 8 && n & 1)
        as_shift(&g->as, 0, G2_SHR, rm_reg(t), 8);
    else if (lane_of(i) == 8)
        as_op(&g->as, X_MOVZX8, t, rm_reg(t));
}

static void gen_extract(struct gen *g, const struct ir_insn *i)
{
    unsigned n = lane_number(i);
    int x = gen_xuse(g, i->a);

    if (lane_of(i) < 32) {
        extract_small(g, i, x);
    } else if (!n) {
        vec_op2(g, MOVD_ST | wide(i), x, rm_reg(define(g)));
    } else if (vec_has(g, VEC_SSE41)) {
        vec_op2(g, 0x16 | P3A | wide(i), x, rm_reg(define(g))); /* PEXTRD, PEXTRQ */
        as_1(&g->as, n);
    } else {
        int t = gen_xtemp(g);
        op2_imm(g, PSHUFD, t, x, lane_of(i) == 64 ? 0xee : n);
        vec_op2(g, MOVD_ST | wide(i), t, rm_reg(define(g)));
    }
}

static void gen_movmsk(struct gen *g, const struct ir_insn *i)
{
    uint32_t op = lane_of(i) == 8 ? 0xd7 | P66 : 0x50 | packed(i);
    int x = gen_xuse(g, i->a);

    vec_op2(g, op, define(g), rm_reg(x));
}

static void gen_to_int(struct gen *g, const struct ir_insn *i)
{
    uint32_t op = (i->imm & 1 ? 0x2c : 0x2d) | scalar(i) | (i->cond == IR_V_FTOI64 ? O_W : 0);
    int x = gen_xuse(g, i->a);

    vec_op2(g, op, define(g), rm_reg(x));
}

/* The host's flags to where the guest's have them: @cc << @shift ORed to @t. */
static void add_flag(struct gen *g, int t, int cc, unsigned shift)
{
    int f = gen_temp(g);

    as_op(&g->as, X_SETCC | cc, 0, rm_reg(f));
    as_op(&g->as, X_MOVZX8, f, rm_reg(f));
    if (shift)
        as_op(&g->as, X_LEA | O_W, t, rm_sib(t, f, shift, 0));
    else
        as_op(&g->as, X_LEA | O_W, t, rm_sib(t, f, 0, 0));
    g->locked &= ~(1u << f);
}

/* ZF in bit 6, PF in bit 2, CF in bit 0, as LAHF has them. LEA and SETcc leave the flags alone. */
static void take_flags(struct gen *g, bool parity)
{
    int t = gen_temp(g);

    as_op(&g->as, X_SETCC | CC_E, 0, rm_reg(t));
    as_op(&g->as, X_MOVZX8, t, rm_reg(t));
    as_op(&g->as, X_LEA | O_W, t, rm_sib(NO_REG, t, 3, 0));
    as_op(&g->as, X_LEA | O_W, t, rm_sib(NO_REG, t, 3, 0));
    if (parity)
        add_flag(g, t, CC_P, 2);
    add_flag(g, t, CC_B, 0);
    gen_free_dying(g);
    gen_def_in(g, g->pos, t);
}

static void gen_ptest(struct gen *g, const struct ir_insn *i)
{
    uint32_t op = lane_of(i) == 128 ? 0x17 | P38 : lane_of(i) == 32 ? 0x0e | P38 : 0x0f | P38;
    int xa = gen_xuse(g, i->a);

    vec_op2(g, op, xa, vec_rm(g, i->b));
    take_flags(g, false);
}

static void gen_comi(struct gen *g, const struct ir_insn *i)
{
    int xa = gen_xuse(g, i->a), xb = gen_xuse(g, i->b);

    vec_op2(g, (i->imm & 1 ? 0x2f : 0x2e) | packed(i), xa, rm_reg(xb));
    take_flags(g, true);
}

/* ---- Within vector registers ---- */

static void gen_duplane(struct gen *g, const struct ir_insn *i)
{
    unsigned lane = lane_of(i), n = lane_number(i);
    int x = gen_xuse(g, i->a), d = gen_xtemp(g);

    if (lane == 32) {
        op2_imm(g, PSHUFD, d, x, n * 0x55);
    } else if (lane == 64) {
        op2_imm(g, PSHUFD, d, x, n ? 0xee : 0x44);
    } else {
        if (n)
            vec_shift(g, 0x73 | P66, 3, d, x, n * lane / 8); /* PSRLDQ */
        else
            vec_mov(g, d, x);
        splat(g, lane, d);
    }
    gen_free_dying(g);
    vec_def_in(g, d);
}

/* The low lane of @b above zeros. */
static void low_zeros(struct gen *g, unsigned lane, int d, int b)
{
    if (lane == 64) {
        vec_op2(g, MOVQ, d, rm_reg(b));
        return;
    }
    vec_op3(g, XORPS, d, d, rm_reg(d));
    vec_op3(g, 0x10 | O_0F | O_F3, d, d, rm_reg(b)); /* MOVSS */
}

static void gen_lowz(struct gen *g, const struct ir_insn *i)
{
    int x = gen_xuse(g, i->a), d = gen_xtemp(g);

    low_zeros(g, lane_of(i), d, x);
    gen_free_dying(g);
    vec_def_in(g, d);
}

static void gen_low(struct gen *g, const struct ir_insn *i)
{
    int xa = gen_xuse(g, i->a), xb = gen_xuse(g, i->b), d = gen_xtemp(g);

    vec_op3(g, 0x10 | scalar(i), d, xa, rm_reg(xb)); /* MOVSS, MOVSD */
    gen_free_dying(g);
    vec_def_in(g, d);
}

static void gen_tof(struct gen *g, const struct ir_insn *i)
{
    int x = gen_xuse(g, i->a);

    gen_free_dying(g);
    vec_mov(g, vec_def(g, x), x);
}

/* MOVSS and MOVSD from memory, MOVD and MOVQ from general registers leave zeros above the value. */
static void gen_fromf(struct gen *g, const struct ir_insn *i)
{
    unsigned from = ir_def(g->ir, i->a)->op;

    if (from == IR_LD || from == IR_LDH || from == IR_BITSF)
        gen_tof(g, i);
    else
        gen_lowz(g, i);
}

/* To lanes of L from their low parts. */
static uint32_t extend_op(const struct ir_insn *i)
{
    static const uint8_t opcode[3][3] = { { 0x20, 0x21, 0x22 }, { 0, 0x23, 0x24 }, { 0, 0, 0x25 } };
    uint32_t base = i->cond == IR_V_ZXT ? 0x10 : 0;

    if (i->imm != 8 && i->imm != 16 && i->imm != 32)
        return 0;
    uint8_t op = opcode[__builtin_ctz(i->imm) - 3][__builtin_ctz(lane_of(i)) - 4];
    return op ? (op + base) | P38 : 0;
}

static void gen_extend(struct gen *g, const struct ir_insn *i)
{
    int x = gen_xuse(g, i->a);

    gen_free_dying(g);
    vec_op2(g, extend_op(i), vec_def(g, x), rm_reg(x));
}

/* The result is in a temporary, as the instructions in between still want the operands. */
static void gen_blendv(struct gen *g, const struct ir_insn *i)
{
    static const uint8_t opcode[] = { 0x4c, 0, 0x4a, 0x4b }; /* VPBLENDVB, VBLENDVPS, VBLENDVPD */
    int xa = gen_xuse(g, i->a), xb = gen_xuse(g, i->b), xc = gen_xuse(g, i->c), d = gen_xtemp(g);

    if (vec_has(g, VEC_AVX) && lane_of(i) != 16) {
        as_vex(&g->as, opcode[__builtin_ctz(lane_of(i)) - 3] | P3A, 0, d, xa, rm_reg(xb));
        as_1(&g->as, xc << 4);
    } else { /* a ^ ((a ^ b) & mask) */
        int m = gen_xtemp(g);
        if (lane_of(i) == 8) {
            vec_op3(g, XORPS, m, m, rm_reg(m));
            vec_op3(g, 0x64 | P66, m, m, rm_reg(xc)); /* PCMPGTB */
        } else if (lane_of(i) == 64) {
            op2_imm(g, PSHUFD, m, xc, 0xf5);
            vec_shift(g, 0x72 | P66, 4, m, m, 31);
        } else {
            vec_shift(g, (lane_of(i) == 16 ? 0x71 : 0x72) | P66, 4, m, xc, lane_of(i) - 1);
        }
        vec_op3(g, XORPS, d, xa, rm_reg(xb));
        vec_op3(g, 0x54 | O_0F, d, d, rm_reg(m)); /* ANDPS */
        vec_op3(g, XORPS, d, d, rm_reg(xa));
    }
    gen_free_dying(g);
    vec_def_in(g, d);
}

/* Takes its third operand from XMM0; there is no VEX form. */
static void gen_sha2rnd(struct gen *g, const struct ir_insn *i)
{
    gen_xtake(g, 0);
    int xa = gen_xuse(g, i->a), xb = gen_xuse(g, i->b), xc = gen_xuse(g, i->c), d = gen_xtemp(g);

    vec_mov(g, 0, xc);
    vec_mov(g, d, xa);
    as_op(&g->as, 0xcb | O_38, d, rm_reg(xb));
    gen_free_dying(g);
    vec_def_in(g, d);
}

/* ---- Floating point ---- */

/* VF[N]M{ADD,SUB}132: d = d * b + c, so that a's other lanes stay. */
static uint8_t fma_op(const struct ir_insn *i)
{
    static const uint8_t opcode[16] = { 0x98, 0x9c, 0x9a, 0x9e, 0x96, 0, 0, 0, 0x97 };

    if (i->imm > 15 || (i->imm > 3 && i->mem & IR_LANE_SCALAR) || !opcode[i->imm])
        return 0;
    return opcode[i->imm] + (i->mem & IR_LANE_SCALAR ? 1 : 0);
}

static void gen_vfma(struct gen *g, const struct ir_insn *i)
{
    int xa = gen_xuse(g, i->a), xb = gen_xuse(g, i->b), xc = gen_xuse(g, i->c), d = gen_xtemp(g);

    vec_mov(g, d, xa);
    as_vex(&g->as, fma_op(i) | P38 | wide(i), 0, d, xc, rm_reg(xb));
    gen_free_dying(g);
    vec_def_in(g, d);
}

static void gen_ftoi(struct gen *g, const struct ir_insn *i)
{
    static const uint32_t opcode[2][2] = { { 0x5b | P66, 0x5b | O_0F | O_F3 },
                                           { 0xe6 | O_0F | O_F2, 0xe6 | P66 } };
    int x = gen_xuse(g, i->a);

    gen_free_dying(g);
    vec_op2(g, opcode[lane_of(i) == 64][i->imm & 1], vec_def(g, x), rm_reg(x));
}

static void gen_ftof16(struct gen *g, const struct ir_insn *i)
{
    int x = gen_xuse(g, i->a);

    gen_free_dying(g);
    vec_op2(g, 0x1d | P3A, x, rm_reg(vec_def(g, x)));
    as_1(&g->as, i->imm & 7);
}

/* NaNs are what is above infinity without the sign; constants come from shifts of all ones. Nothing
 * here raises flags. */
static void gen_vcanon(struct gen *g, const struct ir_insn *i)
{
    bool f64 = lane_of(i) == 64;
    uint32_t shift = (f64 ? 0x73 : 0x72) | P66, left = 6, right = 2;
    unsigned frac = f64 ? 52 : 23;
    int x = gen_xuse(g, i->a), d = gen_xtemp(g), c = gen_xtemp(g);

    vec_shift(g, shift, left, d, x, 1);
    vec_shift(g, shift, right, d, d, 1);
    vec_op3(g, 0x76 | P66, c, c, rm_reg(c)); /* PCMPEQD */
    vec_shift(g, shift, left, c, c, frac + 1);
    vec_shift(g, shift, right, c, c, 1);
    vec_op3(g, f64 ? 0x37 | P38 : 0x66 | P66, d, d, rm_reg(c)); /* PCMPGT: NaNs */
    vec_op3(g, 0x76 | P66, c, c, rm_reg(c));
    vec_shift(g, shift, left, c, c, frac);
    vec_shift(g, shift, right, c, c, 1);
    vec_op3(g, 0x54 | O_0F, c, c, rm_reg(d)); /* ANDPS: the default NaN there */
    vec_op3(g, 0x55 | O_0F, d, d, rm_reg(x)); /* ANDNPS: the operand elsewhere */
    vec_op3(g, 0x56 | O_0F, d, d, rm_reg(c)); /* ORPS */
    gen_free_dying(g);
    vec_def_in(g, d);
}

/* ---- Choosing ---- */

static const struct special {
    void (*gen)(struct gen *g, const struct ir_insn *i);
    uint16_t need;
    uint8_t lanes; /* with these; 0: all */
} specials[IR_NB_VOPS] = {
    [IR_V_ZERO] = { gen_zero, VEC_SSE2, 0 },
    [IR_V_PAIR] = { gen_pair, VEC_SSE2, 0 },
    [IR_V_FROMI] = { gen_fromi, VEC_SSE2, 0 },
    [IR_V_DUP] = { gen_dup, VEC_SSE2, 0 },
    [IR_V_DUPLANE] = { gen_duplane, VEC_SSE2, 0 },
    [IR_V_EXTRACT] = { gen_extract, VEC_SSE2, 0 },
    [IR_V_INSERT] = { gen_insert, VEC_SSE41, 0 },
    [IR_V_LOWZ] = { gen_lowz, VEC_SSE2, 32 | 64 },
    [IR_V_LOW] = { gen_low, VEC_SSE2, 32 | 64 },
    [IR_V_TOF] = { gen_tof, VEC_SSE2, 0 },
    [IR_V_FROMF] = { gen_fromf, VEC_SSE2, 0 },
    [IR_V_INSF] = { gen_low, VEC_SSE2, 0 },
    [IR_V_PTEST] = { gen_ptest, VEC_SSE41, 0 },
    [IR_V_MOVMSK] = { gen_movmsk, VEC_SSE2, 8 | 32 | 64 },
    [IR_V_SXT] = { gen_extend, VEC_SSE41, 0 },
    [IR_V_ZXT] = { gen_extend, VEC_SSE41, 0 },
    [IR_V_BLENDV] = { gen_blendv, VEC_SSE2, 0 },
    [IR_V_SHA2RND] = { gen_sha2rnd, VEC_SHA, 0 },
    [IR_V_CANON] = { gen_vcanon, VEC_SSE2, 0 },
    [IR_V_FMA] = { gen_vfma, VEC_FMA, 0 },
    [IR_V_FCOMI] = { gen_comi, VEC_SSE2, 0 },
    [IR_V_FTOI] = { gen_ftoi, VEC_SSE2, 0 },
    [IR_V_FTOI32] = { gen_to_int, VEC_SSE2, 0 },
    [IR_V_FTOI64] = { gen_to_int, VEC_SSE2, 0 },
    [IR_V_I32TOF] = { gen_from_int, VEC_SSE2, 0 },
    [IR_V_I64TOF] = { gen_from_int, VEC_SSE2, 0 },
    [IR_V_FTOF16] = { gen_ftof16, VEC_F16C, 0 },
};

bool vec_has_special(const struct gen *g, const struct ir_insn *i)
{
    const struct special *s = &specials[i->cond];

    if (!s->gen || !vec_has(g, s->need) || (s->lanes && !(s->lanes & lane_of(i))))
        return false;
    switch (i->cond) {
    case IR_V_PTEST: return lane_of(i) == 128 || vec_has(g, VEC_AVX);
    case IR_V_SXT:
    case IR_V_ZXT: return extend_op(i);
    case IR_V_CANON: return lane_of(i) == 32 || vec_has(g, VEC_SSE42);
    case IR_V_FMA: return fma_op(i);
    default: return true;
    }
}

void vec_special(struct gen *g, const struct ir_insn *i)
{
    specials[i->cond].gen(g, i);
}
