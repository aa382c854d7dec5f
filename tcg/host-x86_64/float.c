/*
 * Floating point on SSE2 and FMA3, under the guest's rounding mode in MXCSR; exceptions gather in
 * its sticky flags. The host detects tininess after rounding (SDM volume 1, 11.5.2.4).
 */
#include <math.h>
#include <xmmintrin.h>
#include <tcg/softfp.h>
#include "gen.h"

static uint32_t scalar(enum ir_type t)
{
    return O_0F | (t == IR_F32 ? O_F3 : O_F2);
}

/* Compare opcodes and packed logic take no prefix for single, 66 for double. */
static uint32_t packed(enum ir_type t)
{
    return O_0F | (t == IR_F32 ? 0 : O_66);
}

static void xmov(struct gen *g, int to, int from)
{
    if (to != from)
        as_op(&g->as, 0x28 | O_0F, to, rm_reg(from)); /* MOVAPS */
}

static void gen_arith(struct gen *g, const struct ir_insn *i)
{
    static const uint8_t opcode[IR_NB_OPS] = {
        [IR_FADD] = 0x58,
        [IR_FMUL] = 0x59,
        [IR_FSUB] = 0x5c,
        [IR_FDIV] = 0x5e,
    };
    int xa = gen_xuse(g, i->a);
    struct rm mb = gen_xrm(g, i->b);

    gen_free_dying(g);
    /* The result must not overwrite the second operand before it is read. */
    if (mb.reg >= 0 && mb.reg != xa)
        g->xlocked |= 1u << mb.reg;
    int xd = gen_xdef(g, g->pos);
    if (xd == mb.reg && xd != xa) { /* a home that the result is computed in */
        g->xlocked |= 1u << xa;
        int t = gen_xtemp(g);
        xmov(g, t, xd);
        mb = rm_reg(t);
    }
    xmov(g, xd, xa);
    as_op(&g->as, opcode[i->op] | scalar(i->type), xd, mb);
}

static void gen_sqrt(struct gen *g, const struct ir_insn *i)
{
    struct rm ma = gen_xrm(g, i->a);
    gen_free_dying(g);
    as_op(&g->as, 0x51 | scalar(i->type), gen_xdef(g, g->pos), ma);
}

static uint64_t fma64(uint64_t a, uint64_t b, uint64_t c)
{
    double x, y, z;
    memcpy(&x, &a, 8);
    memcpy(&y, &b, 8);
    memcpy(&z, &c, 8);
    x = fma(x, y, z);
    memcpy(&a, &x, 8);
    return a;
}

static uint32_t fma32(uint32_t a, uint32_t b, uint32_t c)
{
    float x, y, z;
    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    memcpy(&z, &c, 4);
    x = fmaf(x, y, z);
    memcpy(&a, &x, 4);
    return a;
}

/* Flips the sign of @x in a scratch register. */
static int negated(struct gen *g, enum ir_type t, int x)
{
    int n = gen_xtemp(g);
    xmov(g, n, x);
    as_op(&g->as, 0x57 | O_0F, n, gen_constant(g, t == IR_F32 ? C_SIGN32 : C_SIGN64));
    return n;
}

/* Hosts without FMA3 (before 2013): libm's, which honours MXCSR. Nothing may live in XMM over the
 * call. */
static void gen_fma_call(struct gen *g, const struct ir_insn *i)
{
    static const int arg[] = { RDI, RSI, RDX };
    const ir_val v[] = { i->a, i->b, i->c };
    uint32_t w = i->type == IR_F64 ? O_W : 0;
    int x[3];

    for (int k = 0; k < 3; k++) {
        bool neg =
            (k == 0 && (i->cond & IR_FMA_NEG_PRODUCT)) || (k == 2 && (i->cond & IR_FMA_NEG_ADDEND));
        x[k] = gen_xuse(g, v[k]);
        if (neg)
            x[k] = negated(g, i->type, x[k]);
    }
    for (int k = 0; k < 3; k++) {
        gen_take(g, arg[k]);
        as_op(&g->as, 0x7e | O_0F | O_66 | w, x[k], rm_reg(arg[k]));
    }
    gen_save_live(g, false);
    gen_save_pinned(g, false);
    as_mov_imm(&g->as, RAX, (uintptr_t)(w ? (void *)fma64 : (void *)fma32));
    as_op(&g->as, 0xff, 2, rm_reg(RAX));
    gen_load_pinned(g, false);
    gen_clear_regs(g, false);
    g->xlocked = 0;
    as_op(&g->as, 0x6e | O_0F | O_66 | w, gen_xdef(g, g->pos), rm_reg(RAX));
}

static void gen_fma(struct gen *g, const struct ir_insn *i)
{
    /* vf[n]m{add,sub}231s{s,d}: d = +-(a * b) +- d */
    static const uint8_t opcode[4] = { 0xb9, 0xbd, 0xbb, 0xbf };

    if (!g->th->fma) {
        gen_fma_call(g, i);
        return;
    }
    int xa = gen_xuse(g, i->a), xb = gen_xuse(g, i->b), xc = gen_xuse(g, i->c), t = gen_xtemp(g);
    xmov(g, t, xc);
    as_vex(&g->as, opcode[i->cond & 3] | O_38 | O_66 | (i->type == IR_F64 ? O_W : 0), 0, t, xa,
           rm_reg(xb));
    /* Infinity times zero plus a quiet NaN is invalid for our guests, not for this host. */
    as_op(&g->as, 0x2e | packed(i->type), t, rm_reg(t));
    struct stub *s = gen_stub(g, STUB_FMA_NAN, as_jcc(&g->as, CC_P));
    s->r1 = xa;
    s->r2 = xb;
    s->type = i->type;
    s->back = as_here(&g->as);
    gen_free_dying(g);
    g->loc[g->pos].reg = t;
    g->in_xmm[t] = g->pos;
}

static void gen_canon(struct gen *g, const struct ir_insn *i)
{
    int xa = gen_xuse(g, i->a);
    gen_free_dying(g);
    int xd = gen_xdef(g, g->pos);
    xmov(g, xd, xa);
    as_op(&g->as, 0x2e | packed(i->type), xd, rm_reg(xd)); /* quiet NaNs only: raises nothing */
    struct stub *s = gen_stub(g, STUB_CANON, as_jcc(&g->as, CC_P));
    s->r1 = xd;
    s->type = i->type;
    s->back = as_here(&g->as);
}

static void gen_sign(struct gen *g, const struct ir_insn *i)
{
    bool f32 = i->type == IR_F32;
    int xa = gen_xuse(g, i->a);

    if (i->op == IR_FNEG || i->op == IR_FABS) {
        gen_free_dying(g);
        int xd = gen_xdef(g, g->pos);
        xmov(g, xd, xa);
        if (i->op == IR_FNEG)
            as_op(&g->as, 0x57 | O_0F, xd, gen_constant(g, f32 ? C_SIGN32 : C_SIGN64));
        else
            as_op(&g->as, 0x54 | O_0F, xd, gen_constant(g, f32 ? C_ABS32 : C_ABS64));
        return;
    }
    /* t = sign bit of b (inverted, or xored in); result = magnitude of a | t */
    int xb = gen_xuse(g, i->b), t = gen_xtemp(g), d = gen_xtemp(g);
    xmov(g, t, xb);
    if (i->op == IR_FSGNN)
        as_op(&g->as, 0x57 | O_0F, t, gen_constant(g, f32 ? C_SIGN32 : C_SIGN64));
    as_op(&g->as, 0x54 | O_0F, t, gen_constant(g, f32 ? C_SIGN32 : C_SIGN64));
    xmov(g, d, xa);
    if (i->op == IR_FSGNX) {
        as_op(&g->as, 0x57 | O_0F, d, rm_reg(t));
    } else {
        as_op(&g->as, 0x54 | O_0F, d, gen_constant(g, f32 ? C_ABS32 : C_ABS64));
        as_op(&g->as, 0x56 | O_0F, d, rm_reg(t));
    }
    gen_free_dying(g);
    g->loc[g->pos].reg = d;
    g->in_xmm[d] = g->pos;
}

/*
 * minsd and maxsd return the second operand for equal and unordered ones; both cases go to the
 * stub, which orders zeros by sign and prefers numbers to NaNs.
 */
static void gen_minmax(struct gen *g, const struct ir_insn *i)
{
    int xa = gen_xuse(g, i->a), xb = gen_xuse(g, i->b), d = gen_xtemp(g);

    xmov(g, d, xa);
    as_op(&g->as, 0x2e | packed(i->type), xa, rm_reg(xb)); /* UCOMIS: invalid for signalling NaNs */
    uint32_t f = as_jcc(&g->as, CC_E);                     /* ZF: equal or unordered */
    as_op(&g->as, (i->op == IR_FMINNUM ? 0x5d : 0x5f) | scalar(i->type), d, rm_reg(xb));
    struct stub *s = gen_stub(g, STUB_FMINMAX, f);
    s->r1 = d;
    s->r2 = xb;
    s->type = i->type;
    s->cond = i->op == IR_FMAXNUM;
    s->back = as_here(&g->as);
    gen_free_dying(g);
    g->loc[g->pos].reg = d;
    g->in_xmm[d] = g->pos;
}

/* Where the comparison just made was unordered, flags become again what the last FFLAGS saw. */
static void silence(struct gen *g)
{
    struct stub *s = gen_stub(g, STUB_FCMP, as_jcc(&g->as, CC_P));

    s->back = as_here(&g->as);
}

static void gen_fcmp(struct gen *g, const struct ir_insn *i)
{
    enum ir_type type = ir_type_of(g->ir, i->a);
    enum ir_fcmp cond = i->cond & ~IR_FCMP_SILENT;
    bool quiet = i->cond & IR_FCMP_SILENT || cond == IR_FEQ || cond == IR_FLTQ || cond == IR_FLEQ;
    uint32_t op = (quiet ? 0x2e : 0x2f) | packed(type);
    int t = gen_temp(g);

    if (cond == IR_FEQ) {
        int t2 = gen_temp(g);
        as_op(&g->as, op, gen_xuse(g, i->a), gen_xrm(g, i->b));
        if (i->cond & IR_FCMP_SILENT)
            silence(g);
        as_op(&g->as, X_SETCC | CC_E, 0, rm_reg(t));
        as_op(&g->as, X_SETCC | CC_NP, 0, rm_reg(t2));
        as_op(&g->as, X_AND, t, rm_reg(t2));
    } else { /* a < b as b > a, so that unordered (carry set) is false */
        bool le = cond == IR_FLE || cond == IR_FLEQ;
        as_op(&g->as, op, gen_xuse(g, i->b), gen_xrm(g, i->a));
        if (i->cond & IR_FCMP_SILENT)
            silence(g);
        as_op(&g->as, X_SETCC | (le ? CC_AE : CC_A), 0, rm_reg(t));
    }
    as_op(&g->as, X_MOVZX8, t, rm_reg(t));
    gen_free_dying(g);
    gen_def_in(g, g->pos, t);
}

/*
 * CVT[T]SD2SI gives the integer indefinite for anything out of range; C then tells NaN, too large
 * and too small apart. Unsigned results are tried only where the signed conversion gives them with
 * the same flags. Of rounding modes other than the current one and to zero those of ROUNDSD are
 * done here, to signed integers. It raises inexact for 64-bit results, as what is out of their
 * range is an integer anyway; for 32-bit ones it does not, and CVTTSD2SI of the number itself
 * follows where the result is in range. The rest is left to C.
 */
static int rounded(struct gen *g, const struct ir_insn *i, enum ir_type from, int x)
{
    static const int8_t imm[] = { -1, 0, -1, 1, 2, -1, -1, -1 }; /* by enum ir_f2i: RNE, RDN, RUP */
    int8_t how = imm[i->cond & 7];

    if (how < 0 || !g->th->sse41 || i->cond & IR_F2I_UNSIGNED)
        return x;
    if (i->type == IR_I32)
        how |= 8; /* no precision exception */
    int r = gen_xtemp(g);
    xmov(g, r, x);
    as_op(&g->as, (from == IR_F32 ? 0x0a : 0x0b) | O_3A | O_66, r, rm_reg(x)); /* ROUNDSS, SD */
    as_1(&g->as, how);
    return r;
}

static void gen_f2i(struct gen *g, const struct ir_insn *i)
{
    enum ir_type from = ir_type_of(g->ir, i->a);
    unsigned how = i->cond & 7;
    bool is_unsigned = i->cond & IR_F2I_UNSIGNED;
    uint32_t w = is_unsigned ? O_W : op_w(i->type);
    uint32_t convert = (how == IR_RND_CUR ? 0x2d : 0x2c) | scalar(from) | w;
    int x = gen_xuse(g, i->a), t = gen_temp(g), r = rounded(g, i, from, x);
    /* Taken before any jump, as that may spill what was there. */
    int unused = r != x && i->type == IR_I32 ? gen_temp(g) : NO_REG;
    uint32_t f1, f2 = 0;

    if (how != IR_RND_CUR && how != IR_RND_RTZ && r == x) {
        f1 = as_jmp(&g->as);
    } else if (is_unsigned) {
        enum thunk limit = i->type == IR_I64 ? (from == IR_F32 ? C_TWO63F : C_TWO63)
                                             : (from == IR_F32 ? C_TWO31F : C_TWO31);
        int zero = gen_xtemp(g);
        as_op(&g->as, 0x57 | O_0F, zero, rm_reg(zero));
        as_op(&g->as, 0x2e | packed(from), x, rm_reg(zero));
        f1 = as_jcc(&g->as, CC_B);
        as_op(&g->as, 0x2e | packed(from), x, gen_constant(g, limit));
        f2 = as_jcc(&g->as, CC_AE);
        as_op(&g->as, convert, t, rm_reg(x));
    } else { /* only the indefinite overflows when 1 is subtracted */
        as_op(&g->as, convert, t, rm_reg(r));
        as_g1(&g->as, w, G1_CMP, rm_reg(t), 1);
        f1 = as_jcc(&g->as, CC_O);
        if (unused != NO_REG)
            as_op(&g->as, 0x2c | scalar(from), unused, rm_reg(x));
    }
    struct stub *s = gen_stub(g, STUB_F2I, f1);
    s->from2 = f2;
    s->r1 = t;
    s->r2 = x;
    s->imm = i->cond | (from == IR_F64) << 8 | (i->type == IR_I64) << 9;
    s->back = as_here(&g->as);
    gen_free_dying(g);
    gen_def_in(g, g->pos, t);
}

/* In a rounding mode other than the current one: integers that the format has are no matter of
 * rounding, others are left to C. The jump there, 0 for none. */
static uint32_t jump_inexact(struct gen *g, const struct ir_insn *i, int ra, int t)
{
    enum ir_type from = ir_type_of(g->ir, i->a);
    unsigned digits = i->type == IR_F32 ? 24 : 53;
    uint32_t w = op_w(from);

    if ((i->cond & 7) == IR_RND_CUR || (from == IR_I32 && digits == 53))
        return 0;
    if (i->cond & IR_F2I_UNSIGNED) {
        as_op(&g->as, X_MOV | w, t, rm_reg(ra));
        as_shift(&g->as, w, G2_SHR, rm_reg(t), digits);
    } else { /* [-2^digits, 2^digits) */
        as_mov_imm(&g->as, t, 1ull << digits);
        as_op(&g->as, X_ADD | w, t, rm_reg(ra));
        as_shift(&g->as, w, G2_SHR, rm_reg(t), digits + 1);
    }
    return as_jcc(&g->as, CC_NE);
}

static void gen_i2f(struct gen *g, const struct ir_insn *i)
{
    enum ir_type from = ir_type_of(g->ir, i->a);
    uint32_t op = 0x2a | scalar(i->type);
    int ra = gen_use(g, i->a), xd = gen_xtemp(g);
    int t = i->cond ? gen_temp(g) : NO_REG, u = i->cond ? gen_temp(g) : NO_REG;
    uint32_t inexact = jump_inexact(g, i, ra, t);

    as_op(&g->as, 0x57 | O_0F, xd, rm_reg(xd)); /* CVTSI2SD merges: break the dependency */
    if (!(i->cond & IR_F2I_UNSIGNED) || (inexact && from == IR_I64)) {
        as_op(&g->as, op | op_w(from), xd, rm_reg(ra));
    } else if (from == IR_I32) {
        as_op(&g->as, X_MOV, t, rm_reg(ra));
        as_op(&g->as, op | O_W, xd, rm_reg(t));
    } else {
        /* Above 2^63: halve, keeping the lost bit sticky, convert, double (exact). */
        as_op(&g->as, X_TEST | O_W, ra, rm_reg(ra));
        uint32_t big = as_jcc(&g->as, CC_S);
        as_op(&g->as, op | O_W, xd, rm_reg(ra));
        uint32_t done = as_jmp(&g->as);
        as_patch(&g->as, big, as_here(&g->as));
        as_mov(&g->as, t, ra);
        as_mov(&g->as, u, ra);
        as_shift(&g->as, O_W, G2_SHR, rm_reg(t), 1);
        as_g1(&g->as, 0, G1_AND, rm_reg(u), 1);
        as_op(&g->as, X_OR | O_W, t, rm_reg(u));
        as_op(&g->as, op | O_W, xd, rm_reg(t));
        as_op(&g->as, 0x58 | scalar(i->type), xd, rm_reg(xd));
        as_patch(&g->as, done, as_here(&g->as));
    }
    if (inexact) {
        struct stub *s = gen_stub(g, STUB_I2F, inexact);
        s->r1 = ra;
        s->r2 = xd;
        s->imm = i->cond | (i->type == IR_F64) << 8 | (from == IR_I64) << 9;
        s->back = as_here(&g->as);
    }
    gen_free_dying(g);
    g->loc[g->pos].reg = xd;
    g->in_xmm[xd] = g->pos;
}

static void gen_unbox(struct gen *g, const struct ir_insn *i)
{
    struct rm ma = gen_xrm(g, i->a);
    int d = gen_xtemp(g);
    struct stub *s;

    if (ma.reg < 0) {
        struct rm upper = ma;
        upper.disp += 4;
        as_g1(&g->as, 0, G1_CMP, upper, -1);
        s = gen_stub(g, STUB_UNBOX, as_jcc(&g->as, CC_NE));
        as_op(&g->as, 0x10 | scalar(IR_F32), d, ma);
    } else {
        int t = gen_temp(g);
        xmov(g, d, ma.reg);
        as_op(&g->as, 0x7e | O_0F | O_66 | O_W, ma.reg, rm_reg(t));
        as_shift(&g->as, O_W, G2_SAR, rm_reg(t), 32);
        as_g1(&g->as, 0, G1_CMP, rm_reg(t), -1);
        s = gen_stub(g, STUB_UNBOX, as_jcc(&g->as, CC_NE));
    }
    s->r1 = d;
    s->back = as_here(&g->as);
    gen_free_dying(g);
    g->loc[g->pos].reg = d;
    g->in_xmm[d] = g->pos;
}

static void gen_bits(struct gen *g, const struct ir_insn *i)
{
    if (i->op == IR_FBITS) {
        uint32_t w = op_w(i->type);
        struct rm ma = gen_xrm(g, i->a);
        gen_free_dying(g);
        int rd = gen_def(g, g->pos);
        if (ma.reg < 0)
            as_op(&g->as, X_MOV | w, rd, ma);
        else
            as_op(&g->as, 0x7e | O_0F | O_66 | w, ma.reg, rm_reg(rd));
    } else {
        struct rm ma = gen_rm(g, i->a);
        as_op(&g->as, 0x6e | O_0F | O_66 | (i->type == IR_F64 ? O_W : 0), gen_xdef(g, g->pos), ma);
    }
}

/* The sticky flags, also helpers', to @t; MXCSR stays in fp_saved. */
static void read_flags(struct gen *g, int t)
{
    int table = gen_temp(g);

    as_op(&g->as, 0xae | O_0F, 3, rm_env(offsetof(struct tcg_cpu, fp_saved))); /* STMXCSR */
    as_op(&g->as, X_MOV, t, rm_env(offsetof(struct tcg_cpu, fp_saved)));
    as_g1(&g->as, 0, G1_AND, rm_reg(t), 0x3f);
    as_op(&g->as, X_LEA | O_W, table, gen_constant(g, C_FLAGS));
    as_op(&g->as, X_MOVZX8, t, rm_sib(table, t, 0, 0));
    as_op(&g->as, X_OR, t, rm_env(offsetof(struct tcg_cpu, fp_sticky)));
}

static void gen_fflags(struct gen *g)
{
    int t = gen_temp(g);

    read_flags(g, t);
    gen_def_in(g, g->pos, t);
}

static void gen_fkeep(struct gen *g, const struct ir_insn *i)
{
    int ra = gen_use(g, i->a), t = gen_temp(g), kept = gen_temp(g);

    read_flags(g, t);
    as_mov(&g->as, kept, ra);
    as_op(&g->as, 0xf7, G3_NOT, rm_reg(kept));
    as_op(&g->as, X_TEST, t, rm_reg(kept));
    struct stub *s = gen_stub(g, STUB_FKEEP, as_jcc(&g->as, CC_NE));
    s->back = as_here(&g->as);
    gen_free_dying(g);
}

void gen_float(struct gen *g, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_FADD:
    case IR_FSUB:
    case IR_FMUL:
    case IR_FDIV: gen_arith(g, i); break;
    case IR_FSQRT: gen_sqrt(g, i); break;
    case IR_FMA: gen_fma(g, i); break;
    case IR_FCANON: gen_canon(g, i); break;
    case IR_FMINNUM:
    case IR_FMAXNUM: gen_minmax(g, i); break;
    case IR_FCMP: gen_fcmp(g, i); break;
    case IR_F2I: gen_f2i(g, i); break;
    case IR_I2F: gen_i2f(g, i); break;
    case IR_F2F: {
        enum ir_type from = ir_type_of(g->ir, i->a);
        struct rm ma = gen_xrm(g, i->a);
        gen_free_dying(g);
        as_op(&g->as, 0x5a | scalar(from), gen_xdef(g, g->pos), ma);
        break;
    }
    case IR_FBITS:
    case IR_BITSF: gen_bits(g, i); break;
    case IR_BOX: {
        int xa = gen_xuse(g, i->a);
        gen_free_dying(g);
        int xd = gen_xdef(g, g->pos);
        xmov(g, xd, xa);
        as_op(&g->as, 0x56 | O_0F, xd, gen_constant(g, C_BOX));
        break;
    }
    case IR_UNBOX: gen_unbox(g, i); break;
    case IR_FFLAGS: gen_fflags(g); break;
    case IR_FKEEP: gen_fkeep(g, i); break;
    default: gen_sign(g, i);
    }
}

/* MXCSR: flags IE DE ZE OE UE PE in bits 0 to 5, rounding in 13 and 14 (SDM volume 1, 10.2.3). */
unsigned x86_flags_of(unsigned csr)
{
    return (csr & 1 ? FP_FLAG_NV : 0) | (csr & 4 ? FP_FLAG_DZ : 0) | (csr & 8 ? FP_FLAG_OF : 0) |
           (csr & 16 ? FP_FLAG_UF : 0) | (csr & 32 ? FP_FLAG_NX : 0) | (csr & 2 ? FP_FLAG_DE : 0);
}

unsigned x86_fp_flags(struct tcg_cpu *cpu, bool inside)
{
    return x86_flags_of(inside ? _mm_getcsr() : cpu->mxcsr);
}

unsigned x86_fp_take_flags(struct tcg_cpu *cpu, bool inside)
{
    unsigned csr = inside ? _mm_getcsr() : cpu->mxcsr;

    if (inside && (csr & 0x3f)) /* writing MXCSR takes long */
        _mm_setcsr(csr & ~0x3fu);
    else if (!inside)
        cpu->mxcsr = csr & ~0x3fu;
    return x86_flags_of(csr);
}

/* Replaces the bits of @mask. */
static void set_control(struct tcg_cpu *cpu, unsigned mask, unsigned bits, bool inside)
{
    unsigned csr = inside ? _mm_getcsr() : cpu->mxcsr;

    csr = (csr & ~mask) | bits;
    if (inside)
        _mm_setcsr(csr);
    else
        cpu->mxcsr = csr;
}

static unsigned rounding_bits(unsigned round)
{
    static const uint8_t rc[] = { [FP_RNE] = 0, [FP_RTZ] = 3, [FP_RDN] = 1, [FP_RUP] = 2 };

    return rc[round & 3] << 13;
}

void x86_fp_set_round(struct tcg_cpu *cpu, unsigned round, bool inside)
{
    set_control(cpu, 0x6000, rounding_bits(round), inside);
}

void x86_fp_set_control(struct tcg_cpu *cpu, unsigned round, bool daz, bool ftz, bool inside)
{
    set_control(cpu, 0xe040, rounding_bits(round) | daz << 6 | ftz << 15, inside);
}
