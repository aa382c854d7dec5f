/*
 * SSE instructions that are no vector operation of the IR: strings of SSE4.2, bit fields of SSE4a,
 * MXCSR, and the images of all registers.
 */
#include "fpstate.h"
#include "translate-sse.h"

/* PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM; argument: what helper-fp-string.c has as STR_*. */
bool x86_tr_sse_strings(struct trans *t, const struct x86_insn *i)
{
    uint64_t word = i->arg >> 24 | (i->imm & 0xff) << 8;
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    word |= i->w && x86_is64(t) ? 1u << 16 : 0;
    ir_set(t->ir, SLOT_VTMP0, sse_get(t, i->reg, 0));
    ir_set(t->ir, SLOT_VTMP0 + 1, sse_low(t, i, 16).v[0]);
    v = ir_call(t->ir, &helper_sse_strings, ir_imm64(t->ir, (int64_t)word), ir_get(t->ir, R_AX),
                ir_get(t->ir, R_DX), IR_NONE);
    if (i->arg >> 24 & 1)
        sse_set1(t, i, 0, ir_get(t->ir, SLOT_VTMP0 + 3));
    else
        x86_set_reg_val(t, 2, R_CX, true, ir_trunc(t->ir, ir_shr(t->ir, v, ir_imm64(t->ir, 32))));
    x86_tr_set_arith(t, ir_and(t->ir, v, ir_imm64(t->ir, UINT32_MAX)));
    return true;
}

/* EXTRQ and INSERTQ, length and index from immediates or (argument bit 1) a register; bit 0:
 * INSERTQ.
 */
bool x86_tr_sse4a_field(struct trans *t, const struct x86_insn *i)
{
    bool insert = i->arg & 1, by_reg = i->arg & 2;
    unsigned dst = !insert && !by_reg ? i->rm : i->reg;
    ir_val field, src, v;

    if (i->is_mem)
        return false;
    if (!sse_begin(t, i))
        return true;
    src = ir_v1(t->ir, IR_V_EXTRACT, 64, 0, sse_get(t, insert ? i->rm : dst, 0));
    if (by_reg)
        field = ir_v1(t->ir, IR_V_EXTRACT, 64, insert ? 1 : 0, sse_get(t, i->rm, 0));
    else
        field = ir_imm64(t->ir, (int64_t)((i->imm & 0xff) | (i->imm2 & 0xff) << 8));
    v = ir_v1(t->ir, IR_V_EXTRACT, 64, 0, sse_get(t, dst, 0));
    v = ir_call(t->ir, insert ? &helper_sse4a_insert : &helper_sse4a_extract, v, src, field,
                IR_NONE);
    /* The upper half is undefined; AMD's processors clear it. */
    ir_set(t->ir, SLOT_XMM0 + dst, ir_v1(t->ir, IR_V_FROMI, 64, 0, v));
    return true;
}

bool x86_tr_sse_ldmxcsr(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    v = x86_tr_load(t, 2, x86_address(t, i, 0, 4));
    ir_call(t->ir, &helper_mxcsr_set, x86_wide(t, v), IR_NONE, IR_NONE, IR_NONE);
    x86_tr_resync(t);
    return true;
}

bool x86_tr_sse_stmxcsr(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (sse_vvvv_used(i))
        return false;
    if (!sse_begin(t, i))
        return true;
    v = ir_call(t->ir, &helper_mxcsr_get, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    x86_tr_store(t, 2, x86_address(t, i, 0, 4), ir_trunc(t->ir, v));
    return true;
}

static uint64_t area_how(const struct trans *t, const struct x86_insn *i)
{
    return (t->flags & UF_MODE) >> UF_MODE_SHIFT | (x86_is64(t) ? FX_CODE64 : 0) |
           (x86_is64(t) && i->w ? FX_REXW : 0) | (i->arg & ~(uint64_t)1);
}

/* Where the end is beyond the segment's limit, so is the begin made to be. */
ir_val sse_area(struct trans *t, const struct x86_insn *i, unsigned bytes)
{
    ir_val first = x86_address_val(t, i, 0, 1), last;

    if (x86_is64(t) || t->flags & UF_FLAT)
        return first;
    last = ir_sub(t->ir, x86_address_val(t, i, (int32_t)bytes - 1, 1), ir_imm64(t->ir, bytes - 1));
    return ir_select(t->ir, IR_GTU, last, ir_imm64(t->ir, UINT32_MAX), last, first);
}

/* FXSAVE; argument 1: FXRSTOR. */
bool x86_tr_fxsave(struct trans *t, const struct x86_insn *i)
{
    if (!fxsave_begin(t))
        return true;
    ir_call(t->ir, i->arg & 1 ? &helper_fxrstor : &helper_fxsave, sse_area(t, i, 512),
            ir_imm64(t->ir, (int64_t)area_how(t, i)), IR_NONE, IR_NONE);
    x86_tr_resync(t);
    return true;
}

/* XSAVE, XSAVEOPT, XSAVEC; argument bit 0: XRSTOR, others FX_*. The helpers check CR4. */
bool x86_tr_xsave(struct trans *t, const struct x86_insn *i)
{
    ir_val mask;

    mask = ir_or(t->ir, ir_zext32(t->ir, ir_trunc(t->ir, ir_get(t->ir, R_AX))),
                 ir_shl(t->ir, ir_get(t->ir, R_DX), ir_imm64(t->ir, 32)));
    ir_call(t->ir, i->arg & 1 ? &helper_xrstor : &helper_xsave, sse_area(t, i, XSAVE_HEADER_END),
            ir_imm64(t->ir, (int64_t)area_how(t, i)), mask, IR_NONE);
    x86_tr_resync(t);
    return true;
}
