/*
 * VEX-encoded instructions that have no legacy form: broadcasts, lanes of 128 bits, permutations
 * across them, variable shifts are rows of sse_vv, masked moves, gathers, FMA.
 */
#include "translate-sse.h"

static ir_val v1(struct trans *t, enum ir_vop vop, unsigned lane, unsigned imm, ir_val a)
{
    return ir_v1(t->ir, vop, lane, imm, a);
}
static ir_val v2(struct trans *t, enum ir_vop vop, unsigned lane, unsigned imm, ir_val a, ir_val b)
{
    return ir_v2(t->ir, vop, lane, imm, a, b);
}

/* VBROADCASTSS, VPBROADCASTB ...: the low lane, from memory or a register. */
bool x86_tr_avx_broadcast(struct trans *t, const struct x86_insn *i)
{
    unsigned lane = VA_LANE(i->arg);
    ir_val v;

    if (i->vex_used)
        return false;
    if (!sse_begin(t, i))
        return true;
    v = v1(t, IR_V_DUPLANE, lane, 0, sse_low(t, i, lane / 8).v[0]);
    sse_set(t, i, i->reg, (ir_val[2]){ v, sse_halves(i) == 2 ? v : IR_NONE });
    return true;
}

/* VBROADCASTF128, VBROADCASTI128. */
bool x86_tr_avx_broadcast128(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (i->vex_used)
        return false;
    if (!sse_begin(t, i))
        return true;
    v = sse_load(t, i, 0, 16, false);
    sse_set(t, i, i->reg, (ir_val[2]){ v, v });
    return true;
}

bool x86_tr_avx_insert128(struct trans *t, const struct x86_insn *i)
{
    struct sse_src s;

    if (!sse_begin(t, i))
        return true;
    s = sse_src1(t, i);
    s.v[i->imm & 1] = sse_low(t, i, 16).v[0];
    sse_set(t, i, i->reg, s.v);
    return true;
}

bool x86_tr_avx_extract128(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (i->vex_used)
        return false;
    if (!sse_begin(t, i))
        return true;
    v = sse_get(t, i->reg, i->imm & 1);
    if (i->is_mem)
        sse_store(t, i, 0, 16, v, false);
    else
        sse_set1(t, i, i->rm, v);
    return true;
}

/* VPERM2F128, VPERM2I128. */
bool x86_tr_avx_perm128(struct trans *t, const struct x86_insn *i)
{
    struct sse_src a, b;
    ir_val r[2];

    if (!sse_begin(t, i))
        return true;
    b = sse_rm(t, i);
    a = sse_src1(t, i);
    for (unsigned h = 0; h < 2; h++) {
        unsigned sel = i->imm >> 4 * h & 15;

        r[h] = sel & 8 ? sse_zero(t) : sel & 2 ? b.v[sel & 1] : a.v[sel & 1];
    }
    sse_set(t, i, i->reg, r);
    return true;
}

/* VPERMQ, VPERMPD: each half takes two of the four quadwords. */
bool x86_tr_avx_permq(struct trans *t, const struct x86_insn *i)
{
    struct sse_src s;
    ir_val r[2];

    if (i->vex_used)
        return false;
    if (!sse_begin(t, i))
        return true;
    s = sse_rm(t, i);
    for (unsigned h = 0; h < 2; h++) {
        unsigned lo = i->imm >> 4 * h & 3, hi = i->imm >> (4 * h + 2) & 3;

        r[h] = v2(t, IR_V_SHUF2, 64, (lo & 1) | (hi & 1) << 1, s.v[lo >> 1], s.v[hi >> 1]);
    }
    sse_set(t, i, i->reg, r);
    return true;
}

/* VPERMD, VPERMPS: both halves permuted by each index, bit 2 of which chooses between them. */
bool x86_tr_avx_permd(struct trans *t, const struct x86_insn *i)
{
    struct sse_src s, index;
    ir_val r[2];

    if (!sse_begin(t, i))
        return true;
    s = sse_rm(t, i);
    index = sse_src1(t, i);
    for (unsigned h = 0; h < 2; h++) {
        ir_val lo = v2(t, IR_V_PERMV, 32, 0, s.v[0], index.v[h]);
        ir_val hi = v2(t, IR_V_PERMV, 32, 0, s.v[1], index.v[h]);

        r[h] = ir_v3(t->ir, IR_V_BLENDV, 32, 0, lo, hi, v1(t, IR_V_SHLI, 32, 29, index.v[h]));
    }
    sse_set(t, i, i->reg, r);
    return true;
}

/* Blends by immediate whose upper half has bits of its own: VBLENDPS, VBLENDPD, VPBLENDD. */
bool x86_tr_avx_blend(struct trans *t, const struct x86_insn *i)
{
    unsigned lane = VA_LANE(i->arg), n = 128 / lane;
    ir_val r[2] = { IR_NONE, IR_NONE };
    struct sse_src a, b;

    if (!sse_begin(t, i))
        return true;
    b = sse_rm(t, i);
    a = sse_src1(t, i);
    for (unsigned h = 0; h < sse_halves(i); h++)
        r[h] = v2(t, IR_V_BLENDI, lane, i->imm >> n * h & ((1u << n) - 1), a.v[h], b.v[h]);
    sse_set(t, i, i->reg, r);
    return true;
}

/* VSHUFPD, VPERMILPD by immediate, VMPSADBW: the upper half's bits of the immediate stand above the
 * lower half's: argument's immediate of them. Of VPERMILPD both operands are the same. */
bool x86_tr_avx_imm2(struct trans *t, const struct x86_insn *i)
{
    unsigned bits = i->arg >> 24 & 7, mask = (1u << bits) - 1;
    ir_val r[2] = { IR_NONE, IR_NONE };
    bool one = i->arg & VA_SWAP;
    struct sse_src a, b;

    if (one && i->vex_used)
        return false;
    if (!sse_begin(t, i))
        return true;
    b = sse_rm(t, i);
    a = one ? b : sse_src1(t, i);
    for (unsigned h = 0; h < sse_halves(i); h++)
        r[h] = v2(t, VA_VOP(i->arg), VA_LANE(i->arg), i->imm >> bits * h & mask, a.v[h], b.v[h]);
    sse_set(t, i, i->reg, r);
    return true;
}

/* ---- FMA ---- */

/* Argument: immediate's low bits: enum ir_vfma; order of operands above them: 132, 213, 231. */
static void fma_order(unsigned order, struct sse_src *a, struct sse_src *b, struct sse_src *c)
{
    struct sse_src d = *a, s1 = *b, s2 = *c;

    switch (order) {
    case 0: *a = d, *b = s2, *c = s1; break;
    case 1: *a = s1, *b = d, *c = s2; break;
    default: *a = s1, *b = s2, *c = d; break;
    }
}

bool x86_tr_avx_fma(struct trans *t, const struct x86_insn *i)
{
    unsigned lane = i->pattern->w ? 64 : 32, signs = i->arg >> 24 & 15;
    uint32_t arg = VA(FMA, lane);
    struct sse_src d, a, b, c;

    if (!sse_begin(t, i))
        return true;
    c = i->arg & VA_SCALAR ? sse_low(t, i, lane / 8) : sse_rm(t, i);
    d = a = sse_reg(t, i, i->reg);
    b = sse_src1(t, i);
    fma_order(i->arg >> 28, &a, &b, &c);
    if (i->arg & VA_SCALAR) {
        ir_val v = sse_op(t, IR_V_FMA, lane | IR_LANE_SCALAR, signs, a.v[0], b.v[0], c.v[0]);

        sse_set1(t, i, i->reg, ir_v2(t->ir, IR_V_LOW, lane, 0, d.v[0], v));
        return true;
    }
    return sse_apply(t, i, arg, signs, i->reg, a, b, c);
}

/* ---- Memory by masks ---- */

static uint64_t mask_word(const struct trans *t, const struct x86_insn *i, unsigned log2size)
{
    return (uint64_t)i->reg << VM_REG | (uint64_t)i->vvvv << VM_MASK |
           (uint64_t)log2size << VM_LOG2 |
           (uint64_t)((t->flags & UF_MODE) >> UF_MODE_SHIFT) << VM_MODE |
           (uint64_t)i->vex_l << VM_L;
}

/* VMASKMOVPS and its like; argument: log2 of the lane's bytes, bit 2: stores. */
bool x86_tr_avx_maskmov(struct trans *t, const struct x86_insn *i)
{
    ir_val word;

    if (!sse_begin(t, i))
        return true;
    /* Without a segment's base that 32-bit addresses wrap at 4 GiB is the helper's to see to. */
    word = ir_imm64(t->ir, (int64_t)(mask_word(t, i, i->arg & 3) |
                                     (uint64_t)(i->addr_size < 3 && i->seg < S_FS && x86_is64(t))
                                         << VM_ADDR32));
    ir_call(t->ir, i->arg & 4 ? &helper_avx_mask_store : &helper_avx_mask_load, word,
            x86_address_val(t, i, 0, i->vex_l ? 32 : 16), IR_NONE, IR_NONE);
    return true;
}

/* Gathers: argument: log2 of the index's bytes; VEX.W: of the elements'. The registers must differ.
 */
bool x86_tr_avx_gather(struct trans *t, const struct x86_insn *i)
{
    uint64_t word = mask_word(t, i, i->pattern->w ? 3 : 2);
    struct x86_insn base = *i;
    ir_val seg;

    if (i->index < 0 || i->addr_size == 1 || i->reg == i->index || i->reg == i->vvvv ||
        i->vvvv == i->index)
        return false;
    if (!sse_begin(t, i))
        return true;
    word |= (uint64_t)i->index << VM_INDEX | (uint64_t)i->scale << VM_SCALE |
            (uint64_t)(i->arg & 3) << VM_ILOG2 | (uint64_t)(i->addr_size < 3) << VM_ADDR32;
    base.index = -1;
    seg = t->flags & UF_FLAT && i->seg < S_FS ? ir_imm64(t->ir, 0)
                                              : ir_get(t->ir, SLOT_SEG_BASE + i->seg);
    if (x86_is64(t) && i->seg < S_FS)
        seg = ir_imm64(t->ir, 0);
    ir_call(t->ir, &helper_avx_gather, ir_imm64(t->ir, (int64_t)word), seg, x86_offset(t, &base),
            IR_NONE);
    return true;
}

/* VZEROUPPER; argument 1: VZEROALL. */
bool x86_tr_avx_vzero(struct trans *t, const struct x86_insn *i)
{
    unsigned count = x86_is64(t) ? 16 : 8;

    if (i->vex_used)
        return false;
    if (!sse_begin(t, i))
        return true;
    for (unsigned n = 0; n < count; n++) {
        ir_set(t->ir, SLOT_YMMH0 + n, sse_zero(t));
        if (i->vex_l)
            ir_set(t->ir, SLOT_XMM0 + n, sse_zero(t));
    }
    return true;
}
