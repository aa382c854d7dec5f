/*
 * Moves between vector registers, memory and general registers; insertion and extraction.
 */
#include "translate-sse.h"

static bool is_aligned_move(const struct x86_insn *i)
{
    return !(i->arg & VA_UNALIGNED);
}

/*
 * The lower half's address, for 32 bytes that must be aligned to that: what is misaligned by 16
 * becomes an odd address, which an aligned access of 16 bytes faults for.
 */
static struct x86_addr aligned_address(struct trans *t, const struct x86_insn *i)
{
    ir_val a, odd;

    if (sse_halves(i) == 1)
        return x86_address(t, i, 0, 16);
    a = x86_address_val(t, i, 0, 32);
    odd = ir_and(t->ir, ir_shr(t->ir, a, ir_imm64(t->ir, 4)), ir_imm64(t->ir, 1));
    return (struct x86_addr){ ir_or(t->ir, a, odd), 0 };
}

/* MOVAPS, MOVUPS, MOVDQA ... of whole vectors, to a register. */
bool x86_tr_sse_mov(struct trans *t, const struct x86_insn *i)
{
    struct sse_src s = { { IR_NONE, IR_NONE } };
    struct x86_addr a;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    if (i->is_mem && is_aligned_move(i)) {
        a = aligned_address(t, i);
        s.v[0] = ir_load(t->ir, IR_V128, x86_mem(t, 4) | IR_MEM_ALIGNED, a.base, a.disp);
        if (sse_halves(i) == 2)
            s.v[1] = sse_load(t, i, 16, 16, false);
    } else {
        s = sse_rm(t, i);
    }
    sse_set(t, i, i->reg, s.v);
    return true;
}

/*
 * The upper half of 32 bytes, which is stored first. The halves may lie on different pages: where
 * the first byte's cannot be written that is what faults, and nothing is stored in any case.
 */
static void store_upper(struct trans *t, const struct x86_insn *i, ir_val v)
{
    struct x86_place first = { .reg = -1, .addr = x86_address(t, i, 0, 1) };

    x86_get_to_change(t, &first);
    sse_store(t, i, 16, 16, v, false);
}

/* ... from a register. */
bool x86_tr_sse_mov_to(struct trans *t, const struct x86_insn *i)
{
    struct sse_src s;
    struct x86_addr a;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    s = sse_reg(t, i, i->reg);
    if (!i->is_mem) {
        sse_set(t, i, i->rm, s.v);
        return true;
    }
    if (is_aligned_move(i)) {
        a = aligned_address(t, i);
        ir_store(t->ir, x86_mem(t, 4) | IR_MEM_ALIGNED, a.base, a.disp, s.v[0]);
        if (sse_halves(i) == 2)
            sse_store(t, i, 16, 16, s.v[1], false);
        return true;
    }
    if (sse_halves(i) == 2)
        store_upper(t, i, s.v[1]);
    sse_store(t, i, 0, 16, s.v[0], false);
    return true;
}

/* MOVSS, MOVSD: memory zeroes the upper lanes, a register leaves them. */
bool x86_tr_sse_mov_low(struct trans *t, const struct x86_insn *i)
{
    unsigned lane = VA_LANE(i->arg);
    ir_val v;

    if (i->is_mem && sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    if (i->is_mem)
        v = sse_load(t, i, 0, lane / 8, false);
    else
        v = ir_v2(t->ir, IR_V_LOW, lane, 0, sse_src1(t, i).v[0], sse_get(t, i->rm, 0));
    sse_set1(t, i, i->reg, v);
    return true;
}

bool x86_tr_sse_mov_low_to(struct trans *t, const struct x86_insn *i)
{
    unsigned lane = VA_LANE(i->arg);
    ir_val v, other;

    if (i->is_mem && sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    v = sse_get(t, i->reg, 0);
    if (i->is_mem) {
        sse_store(t, i, 0, lane / 8, v, false);
        return true;
    }
    other = sse_get(t, sse_is_vex(i) ? i->vvvv : i->rm, 0);
    sse_set1(t, i, i->rm, ir_v2(t->ir, IR_V_LOW, lane, 0, other, v));
    return true;
}

/* MOVQ between vector registers and with memory. */
bool x86_tr_sse_movq(struct trans *t, const struct x86_insn *i)
{
    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    sse_set1(t, i, i->reg, ir_v1(t->ir, IR_V_LOWZ, 64, 0, sse_low(t, i, 8).v[0]));
    return true;
}

bool x86_tr_sse_movq_to(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    v = sse_get(t, i->reg, 0);
    if (i->is_mem)
        sse_store(t, i, 0, 8, v, false);
    else
        sse_set1(t, i, i->rm, ir_v1(t->ir, IR_V_LOWZ, 64, 0, v));
    return true;
}

/* MOVLPS, MOVLPD from memory; MOVHLPS. */
bool x86_tr_sse_movl(struct trans *t, const struct x86_insn *i)
{
    ir_val a, v;

    if (!sse_begin(t, i))
        return true;
    if (i->is_mem) {
        v = sse_load(t, i, 0, 8, false);
        v = ir_v2(t->ir, IR_V_LOW, 64, 0, sse_src1(t, i).v[0], v);
    } else {
        a = sse_src1(t, i).v[0];
        v = ir_v2(t->ir, IR_V_SHUF2, 64, 3, sse_get(t, i->rm, 0), a);
    }
    sse_set1(t, i, i->reg, v);
    return true;
}

/* MOVHPS, MOVHPD from memory; MOVLHPS. */
bool x86_tr_sse_movh(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (!sse_begin(t, i))
        return true;
    v = sse_low(t, i, 8).v[0];
    sse_set1(t, i, i->reg, ir_v2(t->ir, IR_V_UNPLO, 64, 0, sse_src1(t, i).v[0], v));
    return true;
}

/* MOVLPS and MOVHPS (argument 1) to memory. */
bool x86_tr_sse_movlh_to(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    v = sse_get(t, i->reg, 0);
    if (i->arg)
        v = ir_v1(t->ir, IR_V_SHRB, 128, 8, v);
    sse_store(t, i, 0, 8, v, false);
    return true;
}

bool x86_tr_sse_movddup(struct trans *t, const struct x86_insn *i)
{
    struct sse_src s;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    s = sse_halves(i) == 2 ? sse_rm(t, i) : sse_low(t, i, 8);
    return sse_apply(t, i, VA(UNPLO, 64), 0, i->reg, s, s, (struct sse_src){ { 0, 0 } });
}

/* ---- General registers ---- */

/* MOVD, MOVQ to and from a vector register. */
bool x86_tr_sse_movd(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = i->w && x86_is64(t) ? 3 : 2;
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    if (i->is_mem)
        v = sse_load(t, i, 0, 1u << log2size, false);
    else
        v = ir_v1(t->ir, IR_V_FROMI, 8u << log2size, 0, x86_get_reg_val(t, log2size, i->rm, true));
    sse_set1(t, i, i->reg, v);
    return true;
}

bool x86_tr_sse_movd_to(struct trans *t, const struct x86_insn *i)
{
    unsigned log2size = i->w && x86_is64(t) ? 3 : 2;
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    v = sse_get(t, i->reg, 0);
    if (i->is_mem)
        sse_store(t, i, 0, 1u << log2size, v, false);
    else
        x86_set_reg_val(t, log2size, i->rm, true, ir_v1(t->ir, IR_V_EXTRACT, 8u << log2size, 0, v));
    return true;
}

/* Lane size of PINSRD/Q and PEXTRD/Q by REX.W, else the argument's. */
static unsigned lane_size(struct trans *t, const struct x86_insn *i)
{
    unsigned lane = VA_LANE(i->arg);

    return lane == 32 && i->w && x86_is64(t) ? 64 : lane;
}

bool x86_tr_sse_pinsr(struct trans *t, const struct x86_insn *i)
{
    unsigned lane = lane_size(t, i), log2size = (unsigned)__builtin_ctz(lane / 8);
    ir_val v;

    if (!sse_begin(t, i))
        return true;
    if (i->is_mem)
        v = x86_tr_load(t, log2size, x86_address(t, i, 0, lane / 8));
    else
        v = x86_get_reg_val(t, log2size < 2 ? 2 : log2size, i->rm, true);
    v = ir_v2(t->ir, IR_V_INSERT, lane, i->imm & (128 / lane - 1), sse_src1(t, i).v[0], v);
    sse_set1(t, i, i->reg, v);
    return true;
}

/* PEXTRB/W/D/Q, EXTRACTPS; PEXTRW's old form has its operands exchanged (VA_SWAP). */
bool x86_tr_sse_pextr(struct trans *t, const struct x86_insn *i)
{
    unsigned lane = i->arg & VA_NO_W ? VA_LANE(i->arg) : lane_size(t, i);
    unsigned log2size = (unsigned)__builtin_ctz(lane / 8);
    bool swap = i->arg & VA_SWAP;
    ir_val v;

    if (sse_vvvv_used(i) || (swap && i->is_mem))
        return false;
    if (!sse_begin(t, i))
        return true;
    v = ir_v1(t->ir, IR_V_EXTRACT, lane, i->imm & (128 / lane - 1),
              sse_get(t, swap ? i->rm : i->reg, 0));
    if (i->is_mem)
        x86_tr_store(t, log2size, x86_address(t, i, 0, lane / 8), v);
    else
        x86_set_reg_val(t, log2size < 2 ? 2 : log2size, swap ? i->reg : i->rm, true, v);
    return true;
}

bool x86_tr_sse_insertps(struct trans *t, const struct x86_insn *i)
{
    unsigned imm = i->imm & (i->is_mem ? 0x3f : 0xff);
    ir_val v;

    if (!sse_begin(t, i))
        return true;
    v = sse_low(t, i, 4).v[0];
    sse_set1(t, i, i->reg, ir_v2(t->ir, IR_V_INSPS, 32, imm, sse_src1(t, i).v[0], v));
    return true;
}

/* rDI in the address size. */
static ir_val di_offset(struct trans *t, const struct x86_insn *i)
{
    ir_val di = ir_get(t->ir, R_DI);

    if (i->addr_size == 3)
        return di;
    return ir_and(t->ir, di, ir_imm64(t->ir, i->addr_size == 2 ? UINT32_MAX : 0xffff));
}

ir_val sse_di_address(struct trans *t, const struct x86_insn *i, unsigned bytes)
{
    struct x86_addr a = x86_tr_linear(t, i->seg, di_offset(t, i), bytes);

    return ir_add(t->ir, a.base, ir_imm64(t->ir, a.disp));
}

/* MASKMOVDQU: bytes whose mask's top bit is set, to DS:rDI. */
bool x86_tr_sse_maskmov(struct trans *t, const struct x86_insn *i)
{
    if (i->is_mem || sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    ir_call(t->ir, &helper_sse_maskmov, sse_di_address(t, i, 16),
            ir_imm64(t->ir, i->reg | i->rm << 4 | ((t->flags & UF_MODE) >> UF_MODE_SHIFT) << 8),
            IR_NONE, IR_NONE);
    return true;
}
