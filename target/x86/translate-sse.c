/*
 * SSE and AVX: operands, and the handlers for whatever is one vector operation of the IR.
 */
#include "translate-sse.h"

/* ---- Whether it may run ---- */

bool sse_begin(struct trans *t, const struct x86_insn *i)
{
    bool ok = sse_is_vex(i) ? (t->flags & (UF_AVX | UF_PE | UF_VM)) == (UF_AVX | UF_PE)
                            : (t->flags & (UF_OSFXSR | UF_EM)) == UF_OSFXSR;

    if (ok && !(t->flags & UF_TS))
        return true;
    x86_tr_raise(t, ok ? EXC_NM : EXC_UD);
    return false;
}

bool mmx_begin(struct trans *t)
{
    if (t->flags & (UF_EM | UF_TS)) {
        x86_tr_raise(t, t->flags & UF_EM ? EXC_UD : EXC_NM);
        return false;
    }
    if (t->flags & UF_X87SLOW)
        ir_call(t->ir, &helper_x87_check, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

bool fxsave_begin(struct trans *t)
{
    if (!(t->flags & (UF_EM | UF_TS)))
        return true;
    x86_tr_raise(t, EXC_NM);
    return false;
}

/* ---- Operands ---- */

struct sse_src sse_reg(struct trans *t, const struct x86_insn *i, unsigned n)
{
    struct sse_src s = { { sse_get(t, n, 0), IR_NONE } };

    if (sse_halves(i) == 2)
        s.v[1] = sse_get(t, n, 1);
    return s;
}

struct sse_src sse_src1(struct trans *t, const struct x86_insn *i)
{
    return sse_reg(t, i, sse_is_vex(i) ? i->vvvv : i->reg);
}

ir_val sse_load(struct trans *t, const struct x86_insn *i, int32_t offset, unsigned bytes,
                bool aligned)
{
    struct x86_addr a = x86_address(t, i, offset, bytes);
    unsigned log2size = (unsigned)__builtin_ctz(bytes);
    uint16_t mem = x86_mem(t, log2size) | (aligned ? IR_MEM_ALIGNED : 0);
    ir_val v;

    if (bytes == 16)
        return ir_load(t->ir, IR_V128, mem, a.base, a.disp);
    if (bytes <= 2)
        return ir_v1(t->ir, IR_V_FROMI, bytes * 8, 0, x86_tr_load(t, log2size, a));
    v = ir_load(t->ir, bytes == 8 ? IR_F64 : IR_F32, mem, a.base, a.disp);
    return ir_v1(t->ir, IR_V_FROMF, bytes * 8, 0, v);
}

/* Legacy operands of 16 bytes must be aligned. */
static bool must_align(const struct x86_insn *i)
{
    return !sse_is_vex(i) && !(i->arg & VA_UNALIGNED);
}

struct sse_src sse_rm(struct trans *t, const struct x86_insn *i)
{
    struct sse_src s = { { IR_NONE, IR_NONE } };

    if (!i->is_mem)
        return sse_reg(t, i, i->rm);
    s.v[0] = sse_load(t, i, 0, 16, must_align(i));
    if (sse_halves(i) == 2)
        s.v[1] = sse_load(t, i, 16, 16, false);
    return s;
}

struct sse_src sse_low(struct trans *t, const struct x86_insn *i, unsigned bytes)
{
    struct sse_src s = { { IR_NONE, IR_NONE } };

    if (!i->is_mem) {
        s.v[0] = sse_get(t, i->rm, 0);
        return s;
    }
    s.v[0] = sse_load(t, i, 0, bytes, bytes == 16 && must_align(i));
    return s;
}

void sse_store(struct trans *t, const struct x86_insn *i, int32_t offset, unsigned bytes, ir_val v,
               bool aligned)
{
    struct x86_addr a = x86_address(t, i, offset, bytes);
    uint16_t mem = x86_mem(t, (unsigned)__builtin_ctz(bytes)) | (aligned ? IR_MEM_ALIGNED : 0);

    if (bytes == 4 || bytes == 8)
        v = ir_v1(t->ir, IR_V_TOF, bytes * 8, 0, v);
    ir_store(t->ir, mem, a.base, a.disp, v);
}

void sse_report(struct trans *t)
{
    if (t->flags & UF_FPSLOW)
        ir_call(t->ir, &helper_sse_report, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

void sse_set(struct trans *t, const struct x86_insn *i, unsigned n, const ir_val v[2])
{
    sse_report(t);
    ir_set(t->ir, SLOT_XMM0 + n, v[0]);
    if (sse_is_vex(i))
        ir_set(t->ir, SLOT_YMMH0 + n, v[1] == IR_NONE ? sse_zero(t) : v[1]);
}

void sse_set1(struct trans *t, const struct x86_insn *i, unsigned n, ir_val v)
{
    sse_set(t, i, n, (ir_val[2]){ v, IR_NONE });
}

/* ---- Operations ---- */

/* An operand or result of any kind as v128, and back. */
static ir_val to_v128(struct trans *t, enum ir_type type, ir_val v)
{
    switch (type) {
    case IR_I32: return ir_v1(t->ir, IR_V_FROMI, 32, 0, v);
    case IR_I64: return ir_v1(t->ir, IR_V_FROMI, 64, 0, v);
    default: return v;
    }
}

static ir_val sse_exact(struct trans *t, enum ir_vop vop, unsigned lane, unsigned imm,
                        const ir_val *operand)
{
    uint64_t word = vop | (uint64_t)lane << VX_LANE_SHIFT | (uint64_t)imm << VX_IMM_SHIFT;
    enum ir_type type = ir_vop_type(vop, lane, 0);
    ir_val r;

    for (unsigned n = 0; n < 3; n++) {
        if (operand[n] != IR_NONE)
            ir_set(t->ir, SLOT_VTMP0 + n, to_v128(t, ir_type_of(t->ir, operand[n]), operand[n]));
    }
    ir_call(t->ir, &helper_sse_exact, ir_imm64(t->ir, (int64_t)word), IR_NONE, IR_NONE, IR_NONE);
    r = ir_get(t->ir, SLOT_VTMP0 + 3);
    if (type == IR_V128)
        return r;
    return ir_v1(t->ir, IR_V_EXTRACT, type == IR_I64 ? 64 : 32, 0, r);
}

ir_val sse_op(struct trans *t, enum ir_vop vop, unsigned lane, unsigned imm, ir_val a, ir_val b,
              ir_val c)
{
    if (t->flags & UF_FPSLOW && ir_vop_info[vop].props & IR_VP_F)
        return sse_exact(t, vop, lane, imm, (ir_val[3]){ a, b, c });
    return ir_v3(t->ir, vop, lane, imm, a, b, c);
}

bool sse_apply(struct trans *t, const struct x86_insn *i, uint32_t arg, unsigned imm, unsigned dst,
               struct sse_src a, struct sse_src b, struct sse_src c)
{
    ir_val r[2] = { IR_NONE, IR_NONE };
    unsigned halves = arg & VA_SCALAR ? 1 : sse_halves(i);

    for (unsigned h = 0; h < halves; h++)
        r[h] = sse_op(t, VA_VOP(arg), VA_LANE(arg), imm, a.v[h], b.v[h], c.v[h]);
    sse_set(t, i, dst, r);
    return true;
}

static const struct sse_src no_src = { { IR_NONE, IR_NONE } };

static unsigned row_imm(const struct x86_insn *i)
{
    if (VA_VOP(i->arg) == IR_V_FCMP)
        return i->imm & (sse_is_vex(i) ? 31 : 7);
    return i->arg & VA_IMM ? i->imm & 0xff : i->arg >> 24;
}

static struct sse_src third(struct trans *t, const struct x86_insn *i)
{
    if (!(i->arg & VA_THIRD))
        return no_src;
    return sse_reg(t, i, sse_is_vex(i) ? i->imm >> 4 & (x86_is64(t) ? 15 : 7) : 0);
}

/* ---- Handlers ---- */

/* d = op(src1, rm). */
bool x86_tr_sse_vv(struct trans *t, const struct x86_insn *i)
{
    struct sse_src a, b;

    if (!sse_begin(t, i))
        return true;
    b = sse_rm(t, i);
    a = sse_src1(t, i);
    if (i->arg & VA_SWAP)
        return sse_apply(t, i, i->arg, row_imm(i), i->reg, b, a, third(t, i));
    return sse_apply(t, i, i->arg, row_imm(i), i->reg, a, b, third(t, i));
}

/* d = op(rm). */
bool x86_tr_sse_v(struct trans *t, const struct x86_insn *i)
{
    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    return sse_apply(t, i, i->arg, row_imm(i), i->reg, sse_rm(t, i), no_src, no_src);
}

/* d = op(src1, lane 0 of rm), or of rm alone with src1's other lanes. */
bool x86_tr_sse_scalar(struct trans *t, const struct x86_insn *i)
{
    uint32_t arg = i->arg | VA_SCALAR;
    struct sse_src b;

    if (!sse_begin(t, i))
        return true;
    b = sse_low(t, i, (i->arg >> 8 & 0xff) / 8);
    return sse_apply(t, i, arg, row_imm(i), i->reg, sse_src1(t, i), b, no_src);
}

/* COMISS and its like. */
bool x86_tr_sse_comi(struct trans *t, const struct x86_insn *i)
{
    struct sse_src b;
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    b = sse_low(t, i, (i->arg >> 8 & 0xff) / 8);
    v = sse_op(t, VA_VOP(i->arg), VA_LANE(i->arg), row_imm(i), sse_get(t, i->reg, 0), b.v[0],
               IR_NONE);
    sse_report(t);
    x86_tr_set_arith(t, x86_wide(t, v));
    return true;
}

/* PTEST, VTESTPS, VTESTPD: ZF and CF of both halves together. */
bool x86_tr_sse_ptest(struct trans *t, const struct x86_insn *i)
{
    struct sse_src a, b;
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    b = sse_rm(t, i);
    a = sse_reg(t, i, i->reg);
    v = ir_v2(t->ir, IR_V_PTEST, VA_LANE(i->arg), 0, a.v[0], b.v[0]);
    if (sse_halves(i) == 2)
        v = ir_and(t->ir, v, ir_v2(t->ir, IR_V_PTEST, VA_LANE(i->arg), 0, a.v[1], b.v[1]));
    x86_tr_set_arith(t, x86_wide(t, v));
    return true;
}

/* MOVMSKPS, MOVMSKPD, PMOVMSKB. */
bool x86_tr_sse_movmsk(struct trans *t, const struct x86_insn *i)
{
    unsigned lane = VA_LANE(i->arg);
    struct sse_src s;
    ir_val v;

    if (i->is_mem || sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    s = sse_reg(t, i, i->rm);
    v = ir_v1(t->ir, IR_V_MOVMSK, lane, 0, s.v[0]);
    if (sse_halves(i) == 2) {
        ir_val hi = ir_v1(t->ir, IR_V_MOVMSK, lane, 0, s.v[1]);

        v = ir_or(t->ir, v, ir_shl(t->ir, hi, ir_imm32(t->ir, (int)(128 / lane))));
    }
    x86_set_reg_val(t, 2, i->reg, true, v);
    return true;
}

/* Shifts by an immediate: the destination is VEX.vvvv, or the register that ModRM.rm names. */
bool x86_tr_sse_shift(struct trans *t, const struct x86_insn *i)
{
    if (i->is_mem)
        return false;
    if (!sse_begin(t, i))
        return true;
    return sse_apply(t, i, i->arg, i->imm & 0xff, sse_is_vex(i) ? i->vvvv : i->rm,
                     sse_reg(t, i, i->rm), no_src, no_src);
}

/* Shifts by a count in a register or in memory, always of 128 bits. */
bool x86_tr_sse_shift_by(struct trans *t, const struct x86_insn *i)
{
    struct sse_src b;

    if (!sse_begin(t, i))
        return true;
    b = sse_low(t, i, 16);
    b.v[1] = b.v[0];
    return sse_apply(t, i, i->arg, 0, i->reg, sse_src1(t, i), b, no_src);
}
