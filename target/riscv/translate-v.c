/*
 * V: checks instructions against vtype, which unit flags tell, and emits calls of the helpers. What
 * the specification reserves is illegal here.
 */
#include "fp.h"
#include "vector.h"
#include "v.inc"

/* ---- State ---- */

static unsigned sew_of(const struct trans *t)
{
    return (t->flags & UFV_SEW) >> UFV_SEW_SHIFT;
}

static unsigned vlmul_of(const struct trans *t)
{
    return (t->flags & UFV_LMUL) >> UFV_LMUL_SHIFT;
}

static int lmul_of(const struct trans *t)
{
    return vlmul_log2(vlmul_of(t));
}

static unsigned frm_of(const struct trans *t)
{
    return (t->flags & UF_FRM) >> UF_FRM_SHIFT;
}

/* The unit is on and vtype is valid. */
static bool usable(const struct trans *t)
{
    return t->flags & UF_VS && !(t->flags & UFV_ILL);
}

/* The same, and vstart must be 0 as well. */
static bool usable_from_0(const struct trans *t)
{
    return usable(t) && !(t->flags & UFV_VSTART);
}

/* Last before emitting: makes VS (and FS) dirty. False: rv_need_status() emitted all. */
static bool start(struct trans *t, bool fp)
{
    uint64_t bits = MSTATUS_VS | MSTATUS_SD | (fp ? MSTATUS_FS : 0);
    bool have = (t->flags & UF_VS) == UF_VS && (!fp || (t->flags & UF_FS) == UF_FS);

    return rv_need_status(t, bits, have);
}

/* The helper has set vstart to 0, which unit flags may have to follow. */
static bool finish(struct trans *t)
{
    if (t->flags & UFV_VSTART)
        trans_resync(t);
    return true;
}

static ir_val vl_of(struct trans *t)
{
    return ir_get(t->ir, SLOT_VL);
}

/* ---- Registers ---- */

static unsigned regs_of(int emul)
{
    return emul > 0 ? 1u << emul : 1;
}

static bool aligned(unsigned reg, int emul)
{
    return reg % regs_of(emul) == 0;
}

static bool emul_ok(int emul)
{
    return emul >= -3 && emul <= 3;
}

static bool disjoint(unsigned a, unsigned na, unsigned b, unsigned nb)
{
    return a + na <= b || b + nb <= a;
}

/*
 * 5.2: a destination may overlap a source of the same EEW; of a wider one in its lowest part; of a
 * narrower one in the destination's highest part if the source fills registers. Sizes are log2 of
 * bytes; -1 stands for masks.
 */
static bool overlap_ok(unsigned d, int demul, int dsize, unsigned s, int semul, int ssize)
{
    unsigned nd = regs_of(demul), ns = regs_of(semul);

    if (dsize == ssize || disjoint(d, nd, s, ns))
        return true;
    if (dsize < ssize)
        return d == s;
    return semul >= 0 && d + nd == s + ns;
}

/* 5.3: what v0 masks must not overwrite it, but for masks and scalars. */
static bool mask_ok(const struct args *a)
{
    return a->vm || a->vd != 0;
}

/* ---- Descriptors and scalars ---- */

static uint64_t desc_of(const struct trans *t, const struct args *a, unsigned op)
{
    return vdesc_put_vd(a->vd) | vdesc_put_vs1(a->vs1) | vdesc_put_vs2(a->vs2) |
           vdesc_put_vm(a->vm) | vdesc_put_sew(sew_of(t)) | vdesc_put_lmul(vlmul_of(t)) |
           vdesc_put_rm(frm_of(t)) | vdesc_put_f3(a->f3) | vdesc_put_op(op);
}

/* An x register as a signed number. */
static ir_val signed_x(struct trans *t, unsigned n)
{
    ir_val v = rv_get(t, n);

    return rv_is64(t) ? v : ir_sext32(t->ir, v);
}

/* An f register as an element of SEW: the canonical NaN where it is not boxed. */
static ir_val scalar_f(struct trans *t, unsigned n)
{
    static const uint64_t box[] = { 0, ~0xffffULL, ~0xffffffffULL, 0 };
    static const uint64_t nan[] = { 0, 0x7e00, 0x7fc00000, 0 };
    unsigned sew = sew_of(t);
    ir_val v = fp_bits(t, n);

    if (sew == 3)
        return v;
    return ir_select(t->ir, IR_GEU, v, ir_imm64(t->ir, box[sew]), v, ir_imm64(t->ir, nan[sew]));
}

static ir_val scalar_of(struct trans *t, const struct args *a, bool is_unsigned)
{
    switch (a->f3) {
    case OPIVI: return ir_imm64(t->ir, is_unsigned ? a->imm : (a->imm ^ 16) - 16);
    case OPIVX:
    case OPMVX: return signed_x(t, a->rs1);
    case OPFVF: return scalar_f(t, a->rs1);
    default: return ir_imm64(t->ir, 0);
    }
}

/* ---- Configuration ---- */

enum { KEEP_VL = -1, MAX_VL = -2 }; /* instead of an AVL register */

static ir_val avl_value(struct trans *t, int rs1)
{
    if (rs1 == KEEP_VL)
        return vl_of(t);
    return rs1 == MAX_VL ? ir_imm64(t->ir, -1) : rv_wide(t, rv_get(t, rs1));
}

/* 6.2: what rs1 and rd say of AVL where they are x0. */
static int avl_of(const struct args *a)
{
    return a->rs1 ? a->rs1 : a->rd ? MAX_VL : KEEP_VL;
}

static void set_vl(struct trans *t, unsigned rd, ir_val vl)
{
    ir_set(t->ir, SLOT_VL, vl);
    rv_set(t, rd, rv_narrow(t, vl));
}

static bool set_by_helper(struct trans *t, unsigned rd, ir_val vtype, ir_val avl)
{
    set_vl(t, rd, ir_call(t->ir, &helper_v_set, vtype, avl, IR_NONE, IR_NONE));
    trans_resync(t);
    return true;
}

/* With vtype as it is only vl changes, which is no part of the unit's flags. */
static bool same_vtype(const struct trans *t, uint64_t vtype)
{
    return riscv_vtype_ok(rv_cpu(t), vtype) && !(t->flags & UFV_VSTART) &&
           (t->flags & UFV_VTYPE) == riscv_vtype_flags(vtype);
}

static bool set_inline(struct trans *t, unsigned rd, ir_val avl)
{
    ir_val max = ir_imm64(t->ir, vlmax_of(rv_cpu(t), sew_of(t), vlmul_of(t)));

    set_vl(t, rd, ir_select(t->ir, IR_LTU, avl, max, avl, max));
    return true;
}

static bool set_constant(struct trans *t, unsigned rd, uint64_t vtype, ir_val avl)
{
    if (same_vtype(t, vtype))
        return set_inline(t, rd, avl);
    return set_by_helper(t, rd, ir_imm64(t->ir, vtype), avl);
}

static bool tr_vsetvli(struct trans *t, const struct args *a)
{
    if (!(t->flags & UF_VS))
        return false;
    return !start(t, false) || set_constant(t, a->rd, a->imm, avl_value(t, avl_of(a)));
}

static bool tr_vsetivli(struct trans *t, const struct args *a)
{
    if (!(t->flags & UF_VS))
        return false;
    return !start(t, false) || set_constant(t, a->rd, a->imm, ir_imm64(t->ir, a->avl));
}

static bool tr_vsetvl(struct trans *t, const struct args *a)
{
    if (!(t->flags & UF_VS))
        return false;
    if (!start(t, false))
        return true;
    return set_by_helper(t, a->rd, rv_wide(t, rv_get(t, a->rs2)), avl_value(t, avl_of(a)));
}

/* ---- Elementwise ---- */

static bool op_exists(const struct trans *t, const struct vop *op)
{
    unsigned sew = sew_of(t);

    if (!op->fn[sew])
        return false;
    if (op->flags & VOP_FP && (!fp_on(t) || frm_of(t) > FRM_LAST))
        return false;
    return !(op->f16 >> sew & 1) || HAVE(t->cpu, Zvfh);
}

/* Registers of operation @op as vtype groups them. */
static bool op_registers_ok(const struct trans *t, const struct args *a, const struct vop *op)
{
    bool to_mask = op->flags & VOP_CMP;
    bool y_is_vector = !(op->flags & VOP_UNARY) && a->f3 <= OPMVV;
    int lmul = lmul_of(t), sew = sew_of(t);
    int demul = to_mask ? 0 : lmul + op->dw, dsize = to_mask ? -1 : sew + op->dw;
    int xemul = lmul + op->xw, xsize = sew + op->xw;

    if (!emul_ok(demul) || !emul_ok(xemul) || dsize > 3 || xsize > 3 || xsize < 0)
        return false;
    if (!aligned(a->vd, demul) || !aligned(a->vs2, xemul) || (!to_mask && !mask_ok(a)))
        return false;
    if (!overlap_ok(a->vd, demul, dsize, a->vs2, xemul, xsize))
        return false;
    return !y_is_vector ||
           (aligned(a->vs1, lmul) && overlap_ok(a->vd, demul, dsize, a->vs1, lmul, sew));
}

static bool elementwise(struct trans *t, const struct args *a, unsigned number)
{
    const struct vop *op = riscv_vop(number);

    if (!usable(t) || !op_exists(t, op) || !op_registers_ok(t, a, op))
        return false;
    if (!start(t, op->flags & VOP_FP))
        return true;
    ir_call(t->ir, &helper_v_op, ir_imm64(t->ir, desc_of(t, a, number)),
            scalar_of(t, a, op->flags & VOP_UIMM), vl_of(t), IR_NONE);
    return finish(t);
}

static bool tr_op(struct trans *t, const struct args *a)
{
    static const uint8_t table[] = {
        [OPIVV] = VOPS_I, [OPIVX] = VOPS_I, [OPIVI] = VOPS_I, [OPMVV] = VOPS_M,
        [OPMVX] = VOPS_M, [OPFVV] = VOPS_F, [OPFVF] = VOPS_F,
    };

    return elementwise(t, a, table[a->f3] * 64 + a->f6);
}

static bool tr_ext(struct trans *t, const struct args *a)
{
    return elementwise(t, a, VOPS_EXT * 64 + a->op);
}

static bool tr_fcvt(struct trans *t, const struct args *a)
{
    return elementwise(t, a, VOPS_FCVT * 64 + a->op);
}

static bool tr_f1(struct trans *t, const struct args *a)
{
    return elementwise(t, a, VOPS_F1 * 64 + a->op);
}

/* vs2 is not an operand: named as vd it conflicts with nothing. */
static bool tr_mv(struct trans *t, const struct args *a)
{
    struct args with = *a;

    with.vs2 = a->vd;
    return elementwise(t, &with, VOPS_I * 64 + VOP_MV);
}

/* ---- Floating-point scalars ---- */

static bool fp_usable(const struct trans *t)
{
    return usable(t) && fp_on(t) && frm_of(t) <= FRM_LAST && sew_of(t) > 0 &&
           (sew_of(t) > 1 || HAVE(t->cpu, Zvfh));
}

/* vfmerge.vfm, vfmv.v.f: as the integer ones, with another scalar. */
static bool tr_fmerge(struct trans *t, const struct args *a)
{
    unsigned number = VOPS_I * 64 + (a->vm ? VOP_MV : a->f6);
    struct args with = *a;

    if (a->vm)
        with.vs2 = a->vd;
    if (!fp_usable(t) || !op_registers_ok(t, &with, riscv_vop(number)))
        return false;
    if (!start(t, true))
        return true;
    ir_call(t->ir, &helper_v_op, ir_imm64(t->ir, desc_of(t, &with, number)), scalar_f(t, a->rs1),
            vl_of(t), IR_NONE);
    return finish(t);
}

static bool tr_fmv_f_s(struct trans *t, const struct args *a)
{
    static const uint64_t box[] = { 0, ~0xffffULL, ~0xffffffffULL, 0 };
    ir_val v;

    if (!fp_usable(t))
        return false;
    if (!start(t, true))
        return true;
    v = ir_call(t->ir, &helper_v_get_first, ir_imm64(t->ir, desc_of(t, a, 0)), IR_NONE, IR_NONE,
                IR_NONE);
    fp_set_bits(t, a->rd, ir_or(t->ir, v, ir_imm64(t->ir, box[sew_of(t)])));
    return finish(t);
}

static bool put_first(struct trans *t, const struct args *a, ir_val v)
{
    ir_call(t->ir, &helper_v_put_first, ir_imm64(t->ir, desc_of(t, a, 0)), v, vl_of(t), IR_NONE);
    return finish(t);
}

static bool tr_fmv_s_f(struct trans *t, const struct args *a)
{
    if (!fp_usable(t))
        return false;
    return !start(t, true) || put_first(t, a, scalar_f(t, a->rs1));
}

/* ---- Integer scalars ---- */

static bool tr_mv_x_s(struct trans *t, const struct args *a)
{
    ir_val v;

    if (!usable(t))
        return false;
    if (!start(t, false))
        return true;
    v = ir_call(t->ir, &helper_v_get_first, ir_imm64(t->ir, desc_of(t, a, 0)), IR_NONE, IR_NONE,
                IR_NONE);
    rv_set(t, a->rd, rv_narrow(t, v));
    return finish(t);
}

static bool tr_mv_s_x(struct trans *t, const struct args *a)
{
    if (!usable(t))
        return false;
    return !start(t, false) || put_first(t, a, signed_x(t, a->rs1));
}

/* ---- Reductions ---- */

static bool reduce(struct trans *t, const struct args *a, bool fp)
{
    bool wide = a->f6 >= 0x30;

    if (!usable_from_0(t) || (fp && !fp_usable(t)) || (wide && sew_of(t) == 3) ||
        !aligned(a->vs2, lmul_of(t)))
        return false;
    if (!start(t, fp))
        return true;
    ir_call(t->ir, &helper_v_reduce, ir_imm64(t->ir, desc_of(t, a, a->f6 | (fp ? 0x40 : 0))),
            vl_of(t), IR_NONE, IR_NONE);
    return true;
}

static bool tr_reduce(struct trans *t, const struct args *a)
{
    return reduce(t, a, false);
}

static bool tr_freduce(struct trans *t, const struct args *a)
{
    return reduce(t, a, true);
}

/* ---- Masks ---- */

static bool tr_logical(struct trans *t, const struct args *a)
{
    if (!usable(t))
        return false;
    if (!start(t, false))
        return true;
    ir_call(t->ir, &helper_v_mask_logical, ir_imm64(t->ir, desc_of(t, a, a->f6 & 7)), vl_of(t),
            IR_NONE, IR_NONE);
    return finish(t);
}

static bool mask_to_x(struct trans *t, const struct args *a, const struct ir_helper *h)
{
    ir_val v;

    if (!usable_from_0(t))
        return false;
    if (!start(t, false))
        return true;
    v = ir_call(t->ir, h, ir_imm64(t->ir, desc_of(t, a, 0)), vl_of(t), IR_NONE, IR_NONE);
    rv_set(t, a->rd, rv_narrow(t, v));
    return true;
}

static bool tr_cpop(struct trans *t, const struct args *a)
{
    return mask_to_x(t, a, &helper_v_cpop);
}

static bool tr_first(struct trans *t, const struct args *a)
{
    return mask_to_x(t, a, &helper_v_first);
}

/* Sources are one register each, and not overwritten. */
static bool from_mask(struct trans *t, const struct args *a, const struct ir_helper *h, int demul)
{
    if (!usable_from_0(t) || !aligned(a->vd, demul) || !mask_ok(a) ||
        !disjoint(a->vd, regs_of(demul), a->vs2, 1))
        return false;
    if (!start(t, false))
        return true;
    ir_call(t->ir, h, ir_imm64(t->ir, desc_of(t, a, a->op)), vl_of(t), IR_NONE, IR_NONE);
    return true;
}

static bool tr_set_first(struct trans *t, const struct args *a)
{
    return from_mask(t, a, &helper_v_set_first, 0);
}

static bool tr_iota(struct trans *t, const struct args *a)
{
    return from_mask(t, a, &helper_v_iota, lmul_of(t));
}

static bool tr_id(struct trans *t, const struct args *a)
{
    if (!usable(t) || !aligned(a->vd, lmul_of(t)) || !mask_ok(a))
        return false;
    if (!start(t, false))
        return true;
    ir_call(t->ir, &helper_v_id, ir_imm64(t->ir, desc_of(t, a, 0)), vl_of(t), IR_NONE, IR_NONE);
    return finish(t);
}

/* ---- Permutations ---- */

/* Groups of LMUL; @apart: the destination is not the source. */
static bool perm_ok(const struct trans *t, const struct args *a, bool apart)
{
    int lmul = lmul_of(t);

    return usable(t) && aligned(a->vd, lmul) && aligned(a->vs2, lmul) && mask_ok(a) &&
           (!apart || a->vd != a->vs2);
}

static bool perm(struct trans *t, const struct args *a, const struct ir_helper *h, ir_val scalar)
{
    ir_call(t->ir, h, ir_imm64(t->ir, desc_of(t, a, 0)), scalar, vl_of(t), IR_NONE);
    return finish(t);
}

/* An offset or index: unsigned. */
static ir_val offset_of(struct trans *t, const struct args *a)
{
    return a->f3 == OPIVI ? ir_imm64(t->ir, a->imm) : rv_wide(t, rv_get(t, a->rs1));
}

static bool tr_slideup(struct trans *t, const struct args *a)
{
    if (!perm_ok(t, a, true))
        return false;
    return !start(t, false) || perm(t, a, &helper_v_slideup, offset_of(t, a));
}

static bool tr_slidedown(struct trans *t, const struct args *a)
{
    if (!perm_ok(t, a, false))
        return false;
    return !start(t, false) || perm(t, a, &helper_v_slidedown, offset_of(t, a));
}

static bool tr_slide1up(struct trans *t, const struct args *a)
{
    if (!perm_ok(t, a, true))
        return false;
    return !start(t, false) || perm(t, a, &helper_v_slide1up, signed_x(t, a->rs1));
}

static bool tr_slide1down(struct trans *t, const struct args *a)
{
    if (!perm_ok(t, a, false))
        return false;
    return !start(t, false) || perm(t, a, &helper_v_slide1down, signed_x(t, a->rs1));
}

static bool tr_fslide1up(struct trans *t, const struct args *a)
{
    if (!fp_usable(t) || !perm_ok(t, a, true))
        return false;
    return !start(t, true) || perm(t, a, &helper_v_slide1up, scalar_f(t, a->rs1));
}

static bool tr_fslide1down(struct trans *t, const struct args *a)
{
    if (!fp_usable(t) || !perm_ok(t, a, false))
        return false;
    return !start(t, true) || perm(t, a, &helper_v_slide1down, scalar_f(t, a->rs1));
}

static bool gather(struct trans *t, const struct args *a, unsigned index_log2)
{
    int lmul = lmul_of(t), iemul = lmul + (int)index_log2 - (int)sew_of(t);

    if (!perm_ok(t, a, true) || !emul_ok(iemul) || !aligned(a->vs1, iemul) ||
        !disjoint(a->vd, regs_of(lmul), a->vs1, regs_of(iemul)))
        return false;
    if (!start(t, false))
        return true;
    ir_call(t->ir, &helper_v_gather, ir_imm64(t->ir, desc_of(t, a, 0) | vdesc_put_eew(index_log2)),
            vl_of(t), IR_NONE, IR_NONE);
    return finish(t);
}

static bool tr_gather(struct trans *t, const struct args *a)
{
    return gather(t, a, sew_of(t));
}

static bool tr_gatherei16(struct trans *t, const struct args *a)
{
    return gather(t, a, 1);
}

static bool tr_gather_x(struct trans *t, const struct args *a)
{
    if (!perm_ok(t, a, true))
        return false;
    return !start(t, false) || perm(t, a, &helper_v_gather_x, offset_of(t, a));
}

static bool tr_compress(struct trans *t, const struct args *a)
{
    if (!usable_from_0(t) || !perm_ok(t, a, true) ||
        !disjoint(a->vd, regs_of(lmul_of(t)), a->vs1, 1))
        return false;
    if (!start(t, false))
        return true;
    ir_call(t->ir, &helper_v_compress, ir_imm64(t->ir, desc_of(t, a, 0)), vl_of(t), IR_NONE,
            IR_NONE);
    return true;
}

static bool tr_move_whole(struct trans *t, const struct args *a)
{
    if (!usable(t) || a->vd % a->nf || a->vs2 % a->nf)
        return false;
    if (!start(t, false))
        return true;
    ir_call(t->ir, &helper_v_move_whole, ir_imm64(t->ir, desc_of(t, a, 0) | vdesc_put_nf(a->nf)),
            IR_NONE, IR_NONE, IR_NONE);
    return finish(t);
}

/* ---- Loads and stores ---- */

/* log2 of the bytes that the width field stands for: 0, 5, 6, 7 */
static unsigned width_log2(const struct args *a)
{
    return a->w & 3;
}

static uint64_t mem_desc(const struct trans *t, const struct args *a, enum vmem how, int emul)
{
    return desc_of(t, a, 0) | vdesc_put_mem(how) | vdesc_put_nf(a->nf + 1) |
           vdesc_put_eew(width_log2(a)) | vdesc_put_store(a->store) |
           vdesc_put_mode((t->flags & UF_MODE) >> UF_MODE_SHIFT) |
           vdesc_put_step(emul > 0 ? emul : 0);
}

static ir_val base_of(struct trans *t, const struct args *a)
{
    return rv_wide(t, rv_get(t, a->rs1));
}

static bool mem(struct trans *t, const struct args *a, uint64_t desc, ir_val stride)
{
    ir_call(t->ir, &helper_v_mem, ir_imm64(t->ir, desc), base_of(t, a), stride, vl_of(t));
    return finish(t);
}

/* 7.8: nf groups of registers from vd on. */
static bool data_ok(const struct args *a, int emul)
{
    unsigned n = (a->nf + 1) * regs_of(emul);

    return emul_ok(emul) && aligned(a->vd, emul) && n <= 8 && a->vd + n <= 32 &&
           (a->store || mask_ok(a));
}

static int mem_emul(const struct trans *t, const struct args *a)
{
    return lmul_of(t) + (int)width_log2(a) - (int)sew_of(t);
}

static bool tr_unit(struct trans *t, const struct args *a)
{
    int emul = mem_emul(t, a);

    if (!usable(t) || !data_ok(a, emul))
        return false;
    return !start(t, false) || mem(t, a, mem_desc(t, a, VMEM_UNIT, emul), ir_imm64(t->ir, 0));
}

static bool tr_strided(struct trans *t, const struct args *a)
{
    int emul = mem_emul(t, a);

    if (!usable(t) || !data_ok(a, emul))
        return false;
    return !start(t, false) || mem(t, a, mem_desc(t, a, VMEM_STRIDED, emul), signed_x(t, a->rs2));
}

static bool tr_indexed(struct trans *t, const struct args *a)
{
    int emul = lmul_of(t), iemul = mem_emul(t, a);
    unsigned n = (a->nf + 1) * regs_of(emul);

    if (!usable(t) || !data_ok(a, emul) || !emul_ok(iemul) || !aligned(a->vs2, iemul) ||
        (width_log2(a) == 3 && !rv_is64(t)))
        return false;
    if (!a->store && a->nf && !disjoint(a->vd, n, a->vs2, regs_of(iemul)))
        return false;
    if (!a->store && !overlap_ok(a->vd, emul, sew_of(t), a->vs2, iemul, width_log2(a)))
        return false;
    return !start(t, false) || mem(t, a, mem_desc(t, a, VMEM_INDEXED, emul), ir_imm64(t->ir, 0));
}

static bool tr_mask_mem(struct trans *t, const struct args *a)
{
    if (!usable(t))
        return false;
    return !start(t, false) || mem(t, a, mem_desc(t, a, VMEM_MASK, 0), ir_imm64(t->ir, 0));
}

/* 7.9: whatever vtype and vl are. */
static bool tr_whole_mem(struct trans *t, const struct args *a)
{
    unsigned n = a->nf + 1;

    if (!(t->flags & UF_VS) || !is_pow2(n) || a->vd % n)
        return false;
    return !start(t, false) || mem(t, a, mem_desc(t, a, VMEM_WHOLE, 0), ir_imm64(t->ir, 0));
}

static bool tr_load_ff(struct trans *t, const struct args *a)
{
    int emul = mem_emul(t, a);

    if (!usable(t) || !data_ok(a, emul))
        return false;
    if (!start(t, false))
        return true;
    ir_set(t->ir, SLOT_VL,
           ir_call(t->ir, &helper_v_load_ff, ir_imm64(t->ir, mem_desc(t, a, VMEM_UNIT, emul)),
                   base_of(t, a), vl_of(t), IR_NONE));
    return finish(t);
}
