/*
 * MMX and 3DNow!.
 */
#include "mmx.h"
#include "translate-sse.h"

static ir_val call(struct trans *t, const struct ir_helper *h, ir_val a, ir_val b)
{
    return ir_call(t->ir, h, a, b, IR_NONE, IR_NONE);
}

static ir_val number(struct trans *t, uint64_t n)
{
    return ir_imm64(t->ir, (int64_t)n);
}

/* The memory operand of 8 bytes, or nothing that matters. */
static ir_val mem64(struct trans *t, const struct x86_insn *i)
{
    return i->is_mem ? x86_tr_load(t, 3, x86_address(t, i, 0, 8)) : number(t, 0);
}

static uint64_t operands(const struct x86_insn *i)
{
    return (uint64_t)(i->reg & 7) << MMX_DST |
           (uint64_t)(i->is_mem ? (unsigned)MMX_MEM : i->rm & 7u) << MMX_SRC;
}

static enum mmx_kind kind_of(enum ir_vop vop)
{
    switch (vop) {
    case IR_V_PACKS:
    case IR_V_PACKU:
    case IR_V_HADD:
    case IR_V_HSUB:
    case IR_V_HADDS:
    case IR_V_HSUBS: return MMX_PAIR;
    case IR_V_ALIGN: return MMX_PAIR_SWAP;
    case IR_V_UNPHI: return MMX_HIGH;
    case IR_V_ABS:
    case IR_V_SHUFLO: return MMX_UNARY;
    case IR_V_SHUFB: return MMX_SHUFFLE;
    default: return MMX_PLAIN;
    }
}

/* The rows that SSE has, too: their vector operation on the lower half. */
bool x86_tr_mmx_vv(struct trans *t, const struct x86_insn *i)
{
    enum ir_vop vop = VA_VOP(i->arg);
    enum mmx_kind kind = kind_of(vop);
    unsigned lane = VA_LANE(i->arg), imm = i->arg & VA_IMM ? i->imm & 0xff : 0;
    bool low = vop == IR_V_UNPLO && i->is_mem; /* reads 32 bits */
    ir_val mem;
    uint64_t word;

    if (!mmx_begin(t))
        return true;
    mem = low ? x86_wide(t, x86_tr_load(t, 2, x86_address(t, i, 0, 4))) : mem64(t, i);
    /* What differs on 128 bits: the whole is shifted; both halves are interleaved at once. */
    if (vop == IR_V_ALIGN)
        vop = IR_V_SHRB;
    else if (vop == IR_V_UNPHI)
        vop = IR_V_UNPLO;
    word = vop | (uint64_t)lane << MMX_LANE | (uint64_t)imm << MMX_IMM | operands(i) |
           (uint64_t)kind << MMX_KIND;
    if (i->arg & VA_SWAP)
        call(t, &helper_mmx_andn, number(t, word), mem);
    else
        call(t, &helper_mmx_op, number(t, word), mem);
    return true;
}

/* Shifts by an immediate. */
bool x86_tr_mmx_shift(struct trans *t, const struct x86_insn *i)
{
    uint64_t word = VA_VOP(i->arg) | (uint64_t)VA_LANE(i->arg) << MMX_LANE |
                    (i->imm & 0xff) << MMX_IMM | (uint64_t)(i->rm & 7) << MMX_DST;

    if (mmx_begin(t))
        call(t, &helper_mmx_op, number(t, word), number(t, 0));
    return true;
}

bool x86_tr_mmx_3dnow(struct trans *t, const struct x86_insn *i)
{
    static const uint8_t known[] = { 0x0c, 0x0d, 0x1c, 0x1d, 0x8a, 0x8e, 0x90, 0x94,
                                     0x96, 0x97, 0x9a, 0x9e, 0xa0, 0xa4, 0xa6, 0xa7,
                                     0xaa, 0xae, 0xb0, 0xb4, 0xb6, 0xb7, 0xbb, 0xbf };

    if (!memchr(known, (int)(i->imm & 0xff), sizeof(known)))
        return false;
    if (mmx_begin(t))
        call(t, &helper_mmx_3dnow, number(t, (i->imm & 0xff) | operands(i)), mem64(t, i));
    return true;
}

/* ---- Moves ---- */

static ir_val get(struct trans *t, unsigned n)
{
    return call(t, &helper_mmx_get, number(t, n & 7), IR_NONE);
}

static void set(struct trans *t, unsigned n, ir_val v)
{
    call(t, &helper_mmx_set, number(t, n & 7), v);
}

/* To memory: the state changes only if the store succeeds. */
static void store(struct trans *t, const struct x86_insn *i, unsigned log2size)
{
    ir_val v = call(t, &helper_mmx_peek, number(t, i->reg & 7), IR_NONE);

    x86_tr_store(t, log2size, x86_address(t, i, 0, 1u << log2size), x86_narrow(t, log2size, v));
    call(t, &helper_mmx_enter, IR_NONE, IR_NONE);
}

bool x86_tr_mmx_mov(struct trans *t, const struct x86_insn *i)
{
    if (mmx_begin(t))
        set(t, i->reg, i->is_mem ? mem64(t, i) : get(t, i->rm));
    return true;
}

bool x86_tr_mmx_mov_to(struct trans *t, const struct x86_insn *i)
{
    if (!mmx_begin(t))
        return true;
    if (i->is_mem)
        store(t, i, 3);
    else
        set(t, i->rm, get(t, i->reg));
    return true;
}

static unsigned gpr_size(struct trans *t, const struct x86_insn *i)
{
    return i->w && x86_is64(t) ? 3 : 2;
}

bool x86_tr_mmx_movd(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = gpr_size(t, i);
    ir_val v;

    if (!mmx_begin(t))
        return true;
    if (i->is_mem)
        v = x86_tr_load(t, log2size, x86_address(t, i, 0, 1u << log2size));
    else
        v = x86_get_reg_val(t, log2size, i->rm, true);
    set(t, i->reg, x86_wide(t, v));
    return true;
}

bool x86_tr_mmx_movd_to(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = gpr_size(t, i);

    if (!mmx_begin(t))
        return true;
    if (i->is_mem)
        store(t, i, log2size);
    else
        x86_set_reg_val(t, log2size, i->rm, true, x86_narrow(t, log2size, get(t, i->reg)));
    return true;
}

bool x86_tr_mmx_pinsrw(struct trans *t, const struct x86_insn *i)
{
    unsigned shift = 16 * (i->imm & 3);
    ir_val v;

    if (!mmx_begin(t))
        return true;
    if (i->is_mem)
        v = x86_tr_load(t, 1, x86_address(t, i, 0, 2));
    else
        v = x86_get_reg_val(t, 1, i->rm, true);
    v = ir_shl(t->ir, x86_wide(t, x86_zext(t, 1, v)), number(t, shift));
    set(t, i->reg,
        ir_or(t->ir, v, ir_and(t->ir, get(t, i->reg), number(t, ~(0xffffull << shift)))));
    return true;
}

bool x86_tr_mmx_pextrw(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (!mmx_begin(t))
        return true;
    v = ir_shr(t->ir, get(t, i->rm), number(t, 16 * (i->imm & 3)));
    x86_set_reg_val(t, 2, i->reg, true, x86_zext(t, 1, ir_trunc(t->ir, v)));
    return true;
}

bool x86_tr_mmx_movmsk(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (!mmx_begin(t))
        return true;
    v = ir_v1(t->ir, IR_V_FROMI, 64, 0, get(t, i->rm));
    x86_set_reg_val(t, 2, i->reg, true, ir_v1(t->ir, IR_V_MOVMSK, 8, 0, v));
    return true;
}

bool x86_tr_mmx_maskmov(struct trans *t, const struct x86_insn *i)
{
    if (!mmx_begin(t))
        return true;
    call(t, &helper_mmx_maskmov, sse_di_address(t, i, 8),
         number(t, (i->reg & 7) | (i->rm & 7) << 4 | ((t->flags & UF_MODE) >> UF_MODE_SHIFT) << 8));
    return true;
}

/* ---- Between MMX and SSE ---- */

/* Both kinds of checks. */
static bool both_begin(struct trans *t, const struct x86_insn *i)
{
    return sse_begin(t, i) && mmx_begin(t);
}

bool x86_tr_mmx_movq2dq(struct trans *t, const struct x86_insn *i)
{
    if (both_begin(t, i))
        sse_set1(t, i, i->reg, ir_v1(t->ir, IR_V_FROMI, 64, 0, get(t, i->rm)));
    return true;
}

bool x86_tr_mmx_movdq2q(struct trans *t, const struct x86_insn *i)
{
    if (both_begin(t, i))
        set(t, i->reg, ir_v1(t->ir, IR_V_EXTRACT, 64, 0, sse_get(t, i->rm, 0)));
    return true;
}

/* CVTPI2PS, CVTPI2PD: they touch no MMX state if the operand is in memory. */
bool x86_tr_mmx_cvt_from(struct trans *t, const struct x86_insn *i)
{
    bool to_pd = i->arg == MMX_TO_PD;
    ir_val v;

    if (!sse_begin(t, i) || (!i->is_mem && !mmx_begin(t)))
        return true;
    v = i->is_mem ? mem64(t, i) : get(t, i->rm);
    v = ir_v1(t->ir, IR_V_FROMI, 64, 0, v);
    v = sse_op(t, IR_V_ITOF, to_pd ? 64 : 32, 0, v, IR_NONE, IR_NONE);
    if (!to_pd)
        v = ir_v2(t->ir, IR_V_LOW, 64, 0, sse_get(t, i->reg, 0), v);
    sse_set1(t, i, i->reg, v);
    return true;
}

/* CVTPS2PI, CVTPD2PI and the truncating ones: the MMX state is entered even if they raise
 * #XM. */
bool x86_tr_mmx_cvt_to(struct trans *t, const struct x86_insn *i)
{
    unsigned lane = VA_LANE(i->arg);
    ir_val v;

    if (!both_begin(t, i))
        return true;
    v = sse_low(t, i, lane == 32 ? 8 : 16).v[0];
    call(t, &helper_mmx_enter, IR_NONE, IR_NONE);
    if (lane == 32)
        v = ir_v1(t->ir, IR_V_LOWZ, 64, 0, v);
    v = sse_op(t, IR_V_FTOI, lane, i->arg >> 24, v, IR_NONE, IR_NONE);
    sse_report(t);
    set(t, i->reg, ir_v1(t->ir, IR_V_EXTRACT, 64, 0, v));
    return true;
}

bool x86_tr_mmx_empty(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    if (mmx_begin(t))
        call(t, &helper_x87_emms, IR_NONE, IR_NONE);
    return true;
}
