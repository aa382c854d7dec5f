/*
 * Vector operations with an instruction of the host that does just that: one row each. Others are
 * in vec-move.c, and those the host has no instruction for call the evaluator (tcg/vec.h).
 *
 * With AVX everything is VEX-encoded and has a register for the result of its own; without, the
 * result replaces the first operand.
 */
#include <xmmintrin.h>
#include <tcg/vec.h>
#include "gen.h"
#include "vec.h"

enum form {
    NONE,
    BIN,  /* d = a op b */
    SWAP, /* d = b op a */
    UN,   /* d = op a; scalar: as BIN, the lanes of b */
    GROUP /* shifts by the immediate: opcode and /digit << 24 */
};
#define DIGIT(n) ((uint32_t)(n) << 24)

struct row {
    uint32_t op;
    uint16_t need; /* enum vec_feature */
    uint8_t form;
};

#define P66 (O_0F | O_66)
#define P38 (O_38 | O_66)
#define P3A (O_3A | O_66)
#define B(need, op)         \
    {                       \
        op, VEC_##need, BIN \
    }
#define S(need, op)          \
    {                        \
        op, VEC_##need, SWAP \
    }
#define U(need, op)        \
    {                      \
        op, VEC_##need, UN \
    }
#define G(op, digit)                               \
    {                                              \
        (op) | P66 | DIGIT(digit), VEC_SSE2, GROUP \
    }
#define X          \
    {              \
        0, 0, NONE \
    }

/* By lane size: 8, 16, 32, 64, 128. */
static const struct row rows[IR_NB_VOPS][5] = {
    /* clang-format off */
    [IR_V_AND] = { X, X, X, X, B(SSE2, 0xdb | P66) },
    [IR_V_OR] = { X, X, X, X, B(SSE2, 0xeb | P66) },
    [IR_V_XOR] = { X, X, X, X, B(SSE2, 0xef | P66) },
    [IR_V_ANDN] = { X, X, X, X, S(SSE2, 0xdf | P66) },
    [IR_V_ADD] = { B(SSE2, 0xfc | P66), B(SSE2, 0xfd | P66), B(SSE2, 0xfe | P66), B(SSE2, 0xd4 | P66) },
    [IR_V_SUB] = { B(SSE2, 0xf8 | P66), B(SSE2, 0xf9 | P66), B(SSE2, 0xfa | P66), B(SSE2, 0xfb | P66) },
    [IR_V_ADDS] = { B(SSE2, 0xec | P66), B(SSE2, 0xed | P66) },
    [IR_V_ADDU] = { B(SSE2, 0xdc | P66), B(SSE2, 0xdd | P66) },
    [IR_V_SUBS] = { B(SSE2, 0xe8 | P66), B(SSE2, 0xe9 | P66) },
    [IR_V_SUBU] = { B(SSE2, 0xd8 | P66), B(SSE2, 0xd9 | P66) },
    [IR_V_MUL] = { X, B(SSE2, 0xd5 | P66), B(SSE41, 0x40 | P38) },
    [IR_V_MULHS] = { X, B(SSE2, 0xe5 | P66) },
    [IR_V_MULHU] = { X, B(SSE2, 0xe4 | P66) },
    [IR_V_MULRS] = { X, B(SSSE3, 0x0b | P38) },
    [IR_V_MULES] = { X, X, X, B(SSE41, 0x28 | P38) },
    [IR_V_MULEU] = { X, X, X, B(SSE2, 0xf4 | P66) },
    [IR_V_MADD] = { X, X, B(SSE2, 0xf5 | P66) },
    [IR_V_MADDUS] = { X, B(SSSE3, 0x04 | P38) },
    [IR_V_AVG] = { B(SSE2, 0xe0 | P66), B(SSE2, 0xe3 | P66) },
    [IR_V_MINS] = { B(SSE41, 0x38 | P38), B(SSE2, 0xea | P66), B(SSE41, 0x39 | P38) },
    [IR_V_MINU] = { B(SSE2, 0xda | P66), B(SSE41, 0x3a | P38), B(SSE41, 0x3b | P38) },
    [IR_V_MAXS] = { B(SSE41, 0x3c | P38), B(SSE2, 0xee | P66), B(SSE41, 0x3d | P38) },
    [IR_V_MAXU] = { B(SSE2, 0xde | P66), B(SSE41, 0x3e | P38), B(SSE41, 0x3f | P38) },
    [IR_V_ABS] = { U(SSSE3, 0x1c | P38), U(SSSE3, 0x1d | P38), U(SSSE3, 0x1e | P38) },
    [IR_V_SIGN] = { B(SSSE3, 0x08 | P38), B(SSSE3, 0x09 | P38), B(SSSE3, 0x0a | P38) },
    [IR_V_CMPEQ] = { B(SSE2, 0x74 | P66), B(SSE2, 0x75 | P66), B(SSE2, 0x76 | P66), B(SSE41, 0x29 | P38) },
    [IR_V_CMPGT] = { B(SSE2, 0x64 | P66), B(SSE2, 0x65 | P66), B(SSE2, 0x66 | P66), B(SSE42, 0x37 | P38) },
    [IR_V_HADD] = { X, B(SSSE3, 0x01 | P38), B(SSSE3, 0x02 | P38) },
    [IR_V_HSUB] = { X, B(SSSE3, 0x05 | P38), B(SSSE3, 0x06 | P38) },
    [IR_V_HADDS] = { X, B(SSSE3, 0x03 | P38) },
    [IR_V_HSUBS] = { X, B(SSSE3, 0x07 | P38) },
    [IR_V_SAD] = { X, X, X, B(SSE2, 0xf6 | P66) },
    [IR_V_MPSAD] = { X, B(SSE41, 0x42 | P3A) },
    [IR_V_MINPOS] = { X, U(SSE41, 0x41 | P38) },
    [IR_V_SHLI] = { X, G(0x71, 6), G(0x72, 6), G(0x73, 6) },
    [IR_V_SHRI] = { X, G(0x71, 2), G(0x72, 2), G(0x73, 2) },
    [IR_V_SARI] = { X, G(0x71, 4), G(0x72, 4) },
    [IR_V_SHLS] = { X, B(SSE2, 0xf1 | P66), B(SSE2, 0xf2 | P66), B(SSE2, 0xf3 | P66) },
    [IR_V_SHRS] = { X, B(SSE2, 0xd1 | P66), B(SSE2, 0xd2 | P66), B(SSE2, 0xd3 | P66) },
    [IR_V_SARS] = { X, B(SSE2, 0xe1 | P66), B(SSE2, 0xe2 | P66) },
    [IR_V_SHLV] = { X, X, B(AVX2, 0x47 | P38), B(AVX2, 0x47 | P38 | O_W) },
    [IR_V_SHRV] = { X, X, B(AVX2, 0x45 | P38), B(AVX2, 0x45 | P38 | O_W) },
    [IR_V_SARV] = { X, X, B(AVX2, 0x46 | P38) },
    [IR_V_SHLB] = { X, X, X, X, G(0x73, 7) },
    [IR_V_SHRB] = { X, X, X, X, G(0x73, 3) },
    [IR_V_ALIGN] = { X, X, X, X, B(SSSE3, 0x0f | P3A) },
    [IR_V_SHUFB] = { B(SSSE3, 0x00 | P38) },
    [IR_V_SHUF] = { X, X, U(SSE2, 0x70 | P66) },
    [IR_V_SHUFLO] = { X, U(SSE2, 0x70 | O_0F | O_F2) },
    [IR_V_SHUFHI] = { X, U(SSE2, 0x70 | O_0F | O_F3) },
    [IR_V_SHUF2] = { X, X, B(SSE2, 0xc6 | O_0F), B(SSE2, 0xc6 | P66) },
    [IR_V_PERMV] = { X, X, B(AVX, 0x0c | P38), B(AVX, 0x0d | P38) },
    [IR_V_UNPLO] = { B(SSE2, 0x60 | P66), B(SSE2, 0x61 | P66), B(SSE2, 0x62 | P66), B(SSE2, 0x6c | P66) },
    [IR_V_UNPHI] = { B(SSE2, 0x68 | P66), B(SSE2, 0x69 | P66), B(SSE2, 0x6a | P66), B(SSE2, 0x6d | P66) },
    [IR_V_PACKS] = { X, B(SSE2, 0x63 | P66), B(SSE2, 0x6b | P66) },
    [IR_V_PACKU] = { X, B(SSE2, 0x67 | P66), B(SSE41, 0x2b | P38) },
    [IR_V_BLENDI] = { X, B(SSE41, 0x0e | P3A), B(SSE41, 0x0c | P3A), B(SSE41, 0x0d | P3A) },
    [IR_V_INSPS] = { X, X, B(SSE41, 0x21 | P3A) },
    [IR_V_AESENC] = { X, X, X, X, B(AES, 0xdc | P38) },
    [IR_V_AESENCL] = { X, X, X, X, B(AES, 0xdd | P38) },
    [IR_V_AESDEC] = { X, X, X, X, B(AES, 0xde | P38) },
    [IR_V_AESDECL] = { X, X, X, X, B(AES, 0xdf | P38) },
    [IR_V_AESIMC] = { X, X, X, X, U(AES, 0xdb | P38) },
    [IR_V_AESKEY] = { X, X, X, X, U(AES, 0xdf | P3A) },
    [IR_V_CLMUL] = { X, X, X, B(CLMUL, 0x44 | P3A) },
    [IR_V_SHA1RND] = { X, X, B(SHA, 0xcc | O_3A) },
    [IR_V_SHA1NEXT] = { X, X, B(SHA, 0xc8 | O_38) },
    [IR_V_SHA1MSG1] = { X, X, B(SHA, 0xc9 | O_38) },
    [IR_V_SHA1MSG2] = { X, X, B(SHA, 0xca | O_38) },
    [IR_V_SHA2MSG1] = { X, X, B(SHA, 0xcc | O_38) },
    [IR_V_SHA2MSG2] = { X, X, B(SHA, 0xcd | O_38) },
    [IR_V_FRCP] = { X, X, U(SSE2, 0x53 | O_0F) },
    [IR_V_FRSQRT] = { X, X, U(SSE2, 0x52 | O_0F) },
    [IR_V_FADD] = { X, X, B(SSE2, 0x58 | O_0F), B(SSE2, 0x58 | P66) },
    [IR_V_FSUB] = { X, X, B(SSE2, 0x5c | O_0F), B(SSE2, 0x5c | P66) },
    [IR_V_FMUL] = { X, X, B(SSE2, 0x59 | O_0F), B(SSE2, 0x59 | P66) },
    [IR_V_FDIV] = { X, X, B(SSE2, 0x5e | O_0F), B(SSE2, 0x5e | P66) },
    [IR_V_FMIN] = { X, X, B(SSE2, 0x5d | O_0F), B(SSE2, 0x5d | P66) },
    [IR_V_FMAX] = { X, X, B(SSE2, 0x5f | O_0F), B(SSE2, 0x5f | P66) },
    [IR_V_FSQRT] = { X, X, U(SSE2, 0x51 | O_0F), U(SSE2, 0x51 | P66) },
    [IR_V_FCMP] = { X, X, B(SSE2, 0xc2 | O_0F), B(SSE2, 0xc2 | P66) },
    [IR_V_FADDSUB] = { X, X, B(SSE3, 0xd0 | O_0F | O_F2), B(SSE3, 0xd0 | P66) },
    [IR_V_FHADD] = { X, X, B(SSE3, 0x7c | O_0F | O_F2), B(SSE3, 0x7c | P66) },
    [IR_V_FHSUB] = { X, X, B(SSE3, 0x7d | O_0F | O_F2), B(SSE3, 0x7d | P66) },
    [IR_V_FDP] = { X, X, B(SSE41, 0x40 | P3A), B(SSE41, 0x41 | P3A) },
    [IR_V_FROUND] = { X, X, U(SSE41, 0x08 | P3A), U(SSE41, 0x09 | P3A) },
    [IR_V_FTOF] = { X, X, U(SSE2, 0x5a | O_0F), U(SSE2, 0x5a | P66) },
    [IR_V_ITOF] = { X, X, U(SSE2, 0x5b | O_0F), U(SSE2, 0xe6 | O_0F | O_F3) },
    [IR_V_F16TOF] = { X, X, U(F16C, 0x13 | P38) },
    /* clang-format on */
};

bool vec_has(const struct gen *g, unsigned need)
{
    return (g->th->vec & need) == need;
}

static bool has_avx(const struct gen *g)
{
    return g->th->vec & VEC_AVX;
}

/* VEX-encoded, or the legacy form that replaces @d, which holds @a then. */
void vec_op3(struct gen *g, uint32_t op, int d, int a, struct rm b)
{
    if (has_avx(g)) {
        as_vex(&g->as, op, 0, d, a, b);
    } else {
        vec_mov(g, d, a);
        as_op(&g->as, op, d, b);
    }
}

void vec_op2(struct gen *g, uint32_t op, int d, struct rm a)
{
    if (has_avx(g))
        as_vex(&g->as, op, 0, d, 0, a);
    else
        as_op(&g->as, op, d, a);
}

void vec_mov(struct gen *g, int to, int from)
{
    if (to != from)
        vec_op2(g, 0x28 | O_0F, to, rm_reg(from)); /* MOVAPS */
}

void vec_shift(struct gen *g, uint32_t op, int digit, int d, int a, unsigned n)
{
    if (has_avx(g)) {
        as_vex(&g->as, op, 0, digit, d, rm_reg(a));
    } else {
        vec_mov(g, d, a);
        as_op(&g->as, op, digit, rm_reg(d));
    }
    as_1(&g->as, n);
}

/* Legacy instructions fault on unaligned memory. */
struct rm vec_rm(struct gen *g, ir_val v)
{
    return has_avx(g) ? gen_xrm(g, v) : rm_reg(gen_xuse(g, v));
}

/* The result's register: that of operand @a if nobody needs it any more. */
int vec_def(struct gen *g, int a)
{
    ir_val v = g->pos;

    if (g->hint[v] == NO_SLOT && g->in_xmm[a] == IR_NONE && !(g->xhomes & 1u << a)) {
        g->loc[v].reg = a;
        g->in_xmm[a] = v;
        g->xlocked |= 1u << a;
        return a;
    }
    return gen_xdef(g, v);
}

void vec_def_in(struct gen *g, int x)
{
    g->loc[g->pos].reg = x;
    g->in_xmm[x] = g->pos;
}

static void emit_binary(struct gen *g, uint32_t op, ir_val first, ir_val second, bool commutes,
                        bool legacy)
{
    int xa = gen_xuse(g, first);
    /* INSERTPS takes its lane number for registers only. */
    bool in_reg = legacy || op == (0x21 | P3A);
    struct rm mb = in_reg ? rm_reg(gen_xuse(g, second)) : vec_rm(g, second);

    gen_free_dying(g);
    if (has_avx(g) && !legacy) {
        as_vex(&g->as, op, 0, vec_def(g, xa), xa, mb);
        return;
    }
    if (mb.reg != xa)
        g->xlocked |= 1u << mb.reg;
    int xd = vec_def(g, xa);
    if (xd == mb.reg && xd != xa && commutes) {
        as_op(&g->as, op, xd, rm_reg(xa));
        return;
    }
    if (xd == mb.reg && xd != xa) { /* a home that the result is computed in */
        g->xlocked |= 1u << xa;
        int t = gen_xtemp(g);
        vec_mov(g, t, xd);
        mb = rm_reg(t);
    }
    vec_mov(g, xd, xa);
    as_op(&g->as, op, xd, mb);
}

static void emit_unary(struct gen *g, uint32_t op, ir_val a)
{
    struct rm m = vec_rm(g, a);

    gen_free_dying(g);
    vec_op2(g, op, m.reg >= 0 ? vec_def(g, m.reg) : gen_xdef(g, g->pos), m);
}

static void emit_group(struct gen *g, uint32_t op, const struct ir_insn *i)
{
    int xa = gen_xuse(g, i->a);

    gen_free_dying(g);
    vec_shift(g, op & ~DIGIT(0xff), op >> 24, vec_def(g, xa), xa, i->imm);
}

static const struct row *row_of(const struct ir_insn *i)
{
    return &rows[i->cond][__builtin_ctz(i->mem & 0xff) - 3];
}

static bool has_row(const struct gen *g, const struct ir_insn *i)
{
    const struct row *r = row_of(i);

    if (r->form == NONE || !vec_has(g, r->need))
        return false;
    return i->cond != IR_V_FCMP || i->imm < 8 || (has_avx(g) && i->imm < 32);
}

static uint32_t scalar_op(const struct ir_insn *i, uint32_t op)
{
    if (i->cond == IR_V_FROUND)
        return op + 2;
    return (op & ~(uint32_t)O_PP) | ((i->mem & 0xff) == 32 ? O_F3 : O_F2);
}

static void emit_row(struct gen *g, const struct ir_insn *i)
{
    const struct row *r = row_of(i);
    bool scalar = i->mem & IR_LANE_SCALAR, legacy = r->need & VEC_SHA;
    bool commutes = ir_vop_info[i->cond].props & IR_VP_C;
    uint32_t op = scalar ? scalar_op(i, r->op) : r->op;

    if (r->form == GROUP)
        emit_group(g, op, i);
    else if (r->form == SWAP)
        emit_binary(g, op, i->b, i->a, false, false);
    else if (r->form == BIN || scalar)
        emit_binary(g, op, i->a, i->b, commutes, legacy);
    else
        emit_unary(g, op, i->a);
    if (r->form != GROUP && ir_vop_info[i->cond].props & IR_VP_N)
        as_1(&g->as, i->imm);
}

/* ---- Calls of the evaluator ---- */

#define MXCSR_FLAGS 0x3fu

/* What the guest's MXCSR says, for tcg/softfp. */
static struct fp_env environment(unsigned csr)
{
    static const uint8_t round[] = { FP_RNE, FP_RDN, FP_RUP, FP_RTZ };

    return (struct fp_env){ .round = round[csr >> 13 & 3],
                            .denormals_are_zero = csr >> 6 & 1,
                            .flush = csr >> 15 & 1 ? FP_FLUSH_X86 : FP_FLUSH_OFF };
}

static unsigned mxcsr_flags(unsigned flags)
{
    return (flags & FP_FLAG_NV ? 1 : 0) | (flags & FP_FLAG_DE ? 2 : 0) |
           (flags & FP_FLAG_DZ ? 4 : 0) | (flags & FP_FLAG_OF ? 8 : 0) |
           (flags & FP_FLAG_UF ? 16 : 0) | (flags & FP_FLAG_NX ? 32 : 0);
}

/* @what: operation, lane size << 8, immediate << 20. Operands two scratch words each, result in
 * the first two. */
static void evaluate(struct tcg_cpu *cpu, uint32_t what)
{
    unsigned csr = _mm_getcsr(), flags;
    struct fp_env env = environment(csr);
    uint64_t *s = cpu->scratch;

    ir_vop_eval(&env, what & 0xff, what >> 8 & 0xfff, what >> 20, s, s, s + 2, s + 4);
    flags = mxcsr_flags(env.flags);
    if (flags & ~csr)
        _mm_setcsr(csr | flags);
}

static struct rm scratch(unsigned word)
{
    return rm_env(offsetof(struct tcg_cpu, scratch) + 8 * word);
}

static void put_operand(struct gen *g, unsigned n, ir_val v)
{
    if (ir_type_of(g->ir, v) == IR_V128)
        vec_op2(g, 0x11 | O_0F, g->loc[v].reg, scratch(2 * n)); /* MOVUPS */
    else if (gen_in_xmm(g, v))
        vec_op2(g, 0xd6 | P66, g->loc[v].reg, scratch(2 * n)); /* MOVQ */
    else
        as_op(&g->as, X_MOV_ST | O_W, g->loc[gen_root(g, v)].reg, scratch(2 * n));
}

static void emit_call(struct gen *g, const struct ir_insn *i)
{
    const ir_val v[3] = { i->a, i->b, i->c };
    uint32_t what = i->cond | (uint32_t)i->mem << 8 | (uint32_t)i->imm << 20;

    for (unsigned n = 0; n < 3; n++) {
        if (v[n] == IR_NONE)
            continue;
        if (gen_in_xmm(g, v[n]))
            gen_xuse(g, v[n]);
        else
            gen_use(g, v[n]);
        put_operand(g, n, v[n]);
    }
    gen_save_live(g, false);
    gen_save_pinned(g, false);
    as_op(&g->as, X_LEA | O_W, RDI, rm_mem(ENV, -ENV_BIAS));
    as_mov_imm(&g->as, RSI, what);
    as_mov_imm(&g->as, RAX, (uintptr_t)evaluate);
    as_op(&g->as, 0xff, 2, rm_reg(RAX));
    gen_load_pinned(g, false);
    gen_clear_regs(g, false);
    g->locked = g->xlocked = 0;
    if (i->type == IR_V128)
        vec_op2(g, 0x10 | O_0F, gen_xdef(g, g->pos), scratch(0));
    else if (in_xmm(i->type))
        vec_op2(g, 0x7e | O_0F | O_F3, gen_xdef(g, g->pos), scratch(0));
    else
        as_op(&g->as, X_MOV | op_w(i->type), gen_def(g, g->pos), scratch(0));
}

static bool is_encodable(const struct gen *g, const struct ir_insn *i)
{
    if (g->th->vops_called || g->th->vop_called[i->cond])
        return false;
    return has_row(g, i) || vec_has_special(g, i);
}

bool gen_vector_calls(const struct gen *g, const struct ir_insn *i)
{
    return (i->op == IR_V || i->op == IR_VF) && !is_encodable(g, i);
}

void gen_vector(struct gen *g, const struct ir_insn *i)
{
    if (!is_encodable(g, i))
        emit_call(g, i);
    else if (has_row(g, i))
        emit_row(g, i);
    else
        vec_special(g, i);
}
