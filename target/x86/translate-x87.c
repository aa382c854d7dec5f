/*
 * x87 instructions as calls of the helpers in x87.c and fpstate.c.
 *
 * Memory operands are read and written by generated code, except for stores that an unmasked
 * exception may keep from happening, and those of ten bytes.
 */
#include "translate-sse.h"
#include "x87.h"

/* #NM, and a pending exception: what comes before everything else. False: it raised. */
static bool x87_begin(struct trans *t)
{
    if (t->flags & (UF_EM | UF_TS)) {
        x86_tr_raise(t, EXC_NM);
        return false;
    }
    if (t->flags & UF_X87SLOW)
        ir_call(t->ir, &helper_x87_check, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

/* FNINIT and its like do not wait. */
static bool x87_begin_nowait(struct trans *t)
{
    if (!(t->flags & (UF_EM | UF_TS)))
        return true;
    x86_tr_raise(t, EXC_NM);
    return false;
}

/* What the helper is told: @low holds operation and pops. */
static uint64_t x87_word(const struct x86_insn *i, uint64_t low)
{
    uint64_t w = low | (uint64_t)((i->opcode & 7) << 8 | i->modrm) << X87_W_FOP_SHIFT;

    if (i->is_mem)
        w |= X87_W_MEM | (uint64_t)i->seg << X87_W_SEG_SHIFT;
    return w;
}

static ir_val x87_word_val(struct trans *t, const struct x86_insn *i, uint64_t low)
{
    return ir_imm64(t->ir, (int64_t)x87_word(i, low));
}

/* With the register that ModRM names. */
static ir_val x87_word_sti(struct trans *t, const struct x86_insn *i, uint64_t low)
{
    return x87_word_val(t, i, low | (uint64_t)(i->modrm & 7) << X87_W_STI_SHIFT);
}

static ir_val x87_ip(struct trans *t)
{
    return x86_tr_eip(t, t->pc);
}

static void x87_call_mem(struct trans *t, const struct x86_insn *i, const struct ir_helper *h,
                         ir_val word, ir_val mem)
{
    ir_call(t->ir, h, word, x87_ip(t), mem, x86_offset(t, i));
}

static ir_val x87_load_mem(struct trans *t, const struct x86_insn *i, int32_t offset,
                           unsigned log2size)
{
    return x86_wide(t, x86_tr_load(t, log2size, x86_address(t, i, offset, 1u << log2size)));
}

/* ---- Arithmetic ---- */

bool x86_tr_x87_arith_m(struct trans *t, const struct x86_insn *i)
{
    static const uint8_t size[X87_KINDS] = {
        [X87_F32] = 2, [X87_F64] = 3, [X87_I16] = 1, [X87_I32] = 2
    };
    unsigned op = i->arg & X87_W_OP;

    if (x87_begin(t))
        x87_call_mem(t, i, &helper_x87_arith, x87_word_val(t, i, i->arg),
                     x87_load_mem(t, i, 0, size[op % X87_KINDS]));
    return true;
}

static bool x87_arith(struct trans *t, ir_val word)
{
    ir_val zero = ir_imm64(t->ir, 0);

    ir_call(t->ir, &helper_x87_arith, word, x87_ip(t), zero, zero);
    return true;
}

bool x86_tr_x87_arith_r(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) || x87_arith(t, x87_word_sti(t, i, i->arg));
}

/* ST(0) only, and ST(0) with ST(1). */
bool x86_tr_x87_arith_0(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) || x87_arith(t, x87_word_val(t, i, i->arg));
}

bool x86_tr_x87_arith_1(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) || x87_arith(t, x87_word_val(t, i, i->arg | 1 << X87_W_STI_SHIFT));
}

static bool x87_call(struct trans *t, const struct ir_helper *h, ir_val word, ir_val extra)
{
    ir_call(t->ir, h, word, x87_ip(t), extra, IR_NONE);
    return true;
}

bool x86_tr_x87_two(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) || x87_call(t, &helper_x87_two, x87_word_val(t, i, i->arg), IR_NONE);
}

bool x86_tr_x87_xam(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) || x87_call(t, &helper_x87_xam, x87_word_val(t, i, 0), IR_NONE);
}

bool x86_tr_x87_sign(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) ||
           x87_call(t, &helper_x87_sign, x87_word_val(t, i, 0), ir_imm64(t->ir, i->arg));
}

bool x86_tr_x87_comi(struct trans *t, const struct x86_insn *i)
{
    if (!x87_begin(t))
        return true;
    x86_tr_set_arith(t, ir_call(t->ir, &helper_x87_comi, x87_word_sti(t, i, i->arg), x87_ip(t),
                                IR_NONE, IR_NONE));
    return true;
}

/* ---- Loads ---- */

bool x86_tr_x87_load(struct trans *t, const struct x86_insn *i)
{
    if (x87_begin(t))
        x87_call_mem(t, i, &helper_x87_load, x87_word_val(t, i, i->arg),
                     x87_load_mem(t, i, 0, i->arg == X87_LD_F32 ? 2 : 3));
    return true;
}

/* Argument: the operation, 0 for bits unchanged. */
bool x86_tr_x87_load_80(struct trans *t, const struct x86_insn *i)
{
    ir_val lo, hi;

    if (!x87_begin(t))
        return true;
    lo = x87_load_mem(t, i, 0, 3);
    hi = ir_shl(t->ir, x87_load_mem(t, i, 8, 1), ir_imm64(t->ir, X87_W_HI_SHIFT));
    x87_call_mem(t, i, i->arg ? &helper_x87_load : &helper_x87_load_80,
                 ir_or(t->ir, hi, x87_word_val(t, i, i->arg)), lo);
    return true;
}

/* Argument: log2 of the size. */
bool x86_tr_x87_load_int(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (!x87_begin(t))
        return true;
    v = x87_load_mem(t, i, 0, i->arg);
    if (i->arg == 2)
        v = ir_sext32(t->ir, ir_trunc(t->ir, v));
    else if (i->arg == 1)
        v = ir_unary(t->ir, IR_SEXT16, IR_I64, v);
    x87_call_mem(t, i, &helper_x87_load_int, x87_word_val(t, i, 0), v);
    return true;
}

bool x86_tr_x87_load_st(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) || x87_call(t, &helper_x87_load_st, x87_word_sti(t, i, 0), IR_NONE);
}

bool x86_tr_x87_const(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) ||
           x87_call(t, &helper_x87_const, x87_word_val(t, i, 0), ir_imm64(t->ir, i->arg));
}

/* ---- Stores ---- */

bool x86_tr_x87_store(struct trans *t, const struct x86_insn *i)
{
    unsigned size = i->arg >> X87_ARG_SIZE_SHIFT, mode = (t->flags & UF_MODE) >> UF_MODE_SHIFT;
    uint64_t low = i->arg & ((1u << X87_ARG_SIZE_SHIFT) - 1);
    ir_val w, v;

    if (!x87_begin(t))
        return true;
    if (size == 4 || t->flags & UF_X87SLOW) {
        low |= (uint64_t)mode << X87_W_MODE_SHIFT | (uint64_t)size << X87_W_SIZE_SHIFT;
        v = x86_address_val(t, i, 0, size == 4 ? 10 : 1u << size);
        x87_call_mem(t, i, &helper_x87_store, x87_word_val(t, i, low), v);
        return true;
    }
    w = x87_word_val(t, i, low);
    v = ir_call(t->ir, &helper_x87_store_value, w, IR_NONE, IR_NONE, IR_NONE);
    x86_tr_store(t, size, x86_address(t, i, 0, 1u << size), x86_narrow(t, size, v));
    ir_call(t->ir, &helper_x87_store_done, w, x87_ip(t), x86_offset(t, i), IR_NONE);
    return true;
}

bool x86_tr_x87_store_st(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) || x87_call(t, &helper_x87_store_st, x87_word_sti(t, i, i->arg), IR_NONE);
}

/* ---- The stack ---- */

bool x86_tr_x87_xch(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) || x87_call(t, &helper_x87_xch, x87_word_sti(t, i, 0), IR_NONE);
}

/* Argument: the condition code. */
bool x86_tr_x87_cmov(struct trans *t, const struct x86_insn *i)
{
    struct x86_cond c;

    if (!x87_begin(t))
        return true;
    c = x86_condition(t, i->arg);
    return x87_call(t, &helper_x87_cmov, x87_word_sti(t, i, 0),
                    ir_setcc(t->ir, IR_I64, c.c, c.a, c.b));
}

bool x86_tr_x87_free(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) || x87_call(t, &helper_x87_free, x87_word_sti(t, i, i->arg), IR_NONE);
}

bool x86_tr_x87_spin(struct trans *t, const struct x86_insn *i)
{
    return !x87_begin(t) ||
           x87_call(t, &helper_x87_spin, x87_word_val(t, i, 0), ir_imm64(t->ir, i->arg));
}

/* ---- Control ---- */

bool x86_tr_x87_wait(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    if ((t->flags & (UF_TS | UF_MP)) == (UF_TS | UF_MP))
        x86_tr_raise(t, EXC_NM);
    else if (t->flags & UF_X87SLOW)
        ir_call(t->ir, &helper_x87_check, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

bool x86_tr_x87_none(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    x87_begin_nowait(t);
    return true;
}

/* Where the helper goes on by itself if unit flags have changed; 0 where something else must be
 * done behind the instruction. */
static ir_val x87_next(struct trans *t)
{
    return ir_imm64(t->ir, t->flags & (UF_TF | UF_SHADOW) ? 0 : (int64_t)t->next);
}

static void x87_maybe_resync(struct trans *t)
{
    if (t->flags & (UF_TF | UF_SHADOW))
        x86_tr_resync(t);
}

bool x86_tr_x87_ldcw(struct trans *t, const struct x86_insn *i)
{
    if (!x87_begin(t))
        return true;
    ir_call(t->ir, &helper_x87_set_cw, x87_load_mem(t, i, 0, 1), x87_next(t), IR_NONE, IR_NONE);
    x87_maybe_resync(t);
    return true;
}

/* FNINIT; argument 1: FNCLEX. */
bool x86_tr_x87_reset(struct trans *t, const struct x86_insn *i)
{
    if (!x87_begin_nowait(t))
        return true;
    ir_call(t->ir, i->arg ? &helper_x87_clex : &helper_x87_init, x87_next(t), IR_NONE, IR_NONE,
            IR_NONE);
    x87_maybe_resync(t);
    return true;
}

static bool x87_store_word(struct trans *t, const struct x86_insn *i, const struct ir_helper *h)
{
    ir_val v;

    if (!x87_begin_nowait(t))
        return true;
    v = ir_call(t->ir, h, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    x86_tr_store(t, 1, x86_address(t, i, 0, 2), ir_trunc(t->ir, v));
    return true;
}

bool x86_tr_x87_stcw(struct trans *t, const struct x86_insn *i)
{
    return x87_store_word(t, i, &helper_x87_get_cw);
}

bool x86_tr_x87_stsw(struct trans *t, const struct x86_insn *i)
{
    return x87_store_word(t, i, &helper_x87_get_sw);
}

bool x86_tr_x87_stsw_ax(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    (void)i;
    if (!x87_begin_nowait(t))
        return true;
    v = ir_call(t->ir, &helper_x87_get_sw, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    x86_set_reg_val(t, 1, R_AX, true, ir_trunc(t->ir, v));
    return true;
}

/* FLDENV, FRSTOR, FNSTENV, FNSAVE. Only the loads wait. */
bool x86_tr_x87_env(struct trans *t, const struct x86_insn *i)
{
    static const struct ir_helper *const helper[] = { &helper_fnstenv, &helper_fldenv,
                                                      &helper_fnsave, &helper_frstor };
    unsigned how = (t->flags & UF_MODE) >> UF_MODE_SHIFT, bytes = i->size == 1 ? 14 : 28;
    ir_val addr;

    if (!(i->arg & ENV_LOAD ? x87_begin(t) : x87_begin_nowait(t)))
        return true;
    how |= i->size == 1 ? 0 : ENV_32;
    how |= x86_is_protected(t) ? 0 : ENV_REAL;
    addr = sse_area(t, i, i->arg & ENV_REGS ? bytes + 80 : bytes);
    ir_call(t->ir, helper[i->arg], addr, ir_imm64(t->ir, how), IR_NONE, IR_NONE);
    x86_tr_resync(t);
    return true;
}
