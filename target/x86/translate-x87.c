/*
 * x87 instructions as calls of the helpers in x87.c and fpstate.c, and, while all exceptions are
 * masked, as calls that the host backend may replace by the instruction itself (IR_X87).
 *
 * Memory operands are read and written by generated code, except for stores that an unmasked
 * exception may keep from happening.
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

/* ---- Calls ---- */

/* The opcode as FSTENV shows it: bits 2:0 of the first byte, and the second. */
static unsigned opcode_of(const struct x86_insn *i)
{
    return (i->opcode & 7) << 8 | i->modrm;
}

/* What the last instruction was, where, and what it accessed. Behind all that may fault. */
static void note(struct trans *t, const struct x86_insn *i)
{
    ir_set(t->ir, SLOT_FPU_OP, ir_imm64(t->ir, opcode_of(i)));
    ir_set(t->ir, SLOT_FPU_IP, x86_tr_eip(t, t->pc));
    ir_set(t->ir, SLOT_FPU_CS, ir_get(t->ir, SLOT_SEG + S_CS));
    if (!i->is_mem)
        return;
    ir_set(t->ir, SLOT_FPU_DP, x86_offset(t, i));
    ir_set(t->ir, SLOT_FPU_DS, ir_get(t->ir, SLOT_SEG + i->seg));
}

/* Calls the helper, or has the host do @x87 with the first one or two values as operand. */
static ir_val call_as(struct trans *t, unsigned x87, const struct ir_helper *h, ir_val a, ir_val b,
                      ir_val c)
{
    return ir_call_x87(t->ir, t->flags & UF_X87SLOW ? 0 : x87, h, a, b, c);
}

/* The same with the instruction as it is. */
static ir_val call(struct trans *t, const struct x86_insn *i, const struct ir_helper *h, ir_val a,
                   ir_val b, ir_val c)
{
    unsigned opcode = opcode_of(i);

    if (i->is_mem)
        opcode &= ~0xc7u;
    return call_as(t, IR_X87 | opcode, h, a, b, c);
}

/* What a helper is told besides the operand (X87_W_*). */
static ir_val word(struct trans *t, uint64_t w)
{
    return ir_imm64(t->ir, (int64_t)w);
}

/* With the register that ModRM names. */
static ir_val word_sti(struct trans *t, const struct x86_insn *i)
{
    return word(t, i->arg | (uint64_t)(i->modrm & 7) << X87_W_STI_SHIFT);
}

/* An instruction without operand in memory. */
static bool plain(struct trans *t, const struct x86_insn *i, const struct ir_helper *h, ir_val a)
{
    if (!x87_begin(t))
        return true;
    call(t, i, h, a, IR_NONE, IR_NONE);
    note(t, i);
    return true;
}

static ir_val load_mem(struct trans *t, const struct x86_insn *i, int32_t offset, unsigned log2size)
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

    if (!x87_begin(t))
        return true;
    call(t, i, &helper_x87_arith, load_mem(t, i, 0, size[op % X87_KINDS]), word(t, i->arg),
         IR_NONE);
    note(t, i);
    return true;
}

static bool arith(struct trans *t, const struct x86_insn *i, ir_val w)
{
    if (!x87_begin(t))
        return true;
    call(t, i, &helper_x87_arith, ir_imm64(t->ir, 0), w, IR_NONE);
    note(t, i);
    return true;
}

bool x86_tr_x87_arith_r(struct trans *t, const struct x86_insn *i)
{
    return arith(t, i, word_sti(t, i));
}

/* ST(0) only, and ST(0) with ST(1). */
bool x86_tr_x87_arith_0(struct trans *t, const struct x86_insn *i)
{
    return arith(t, i, word(t, i->arg));
}

bool x86_tr_x87_arith_1(struct trans *t, const struct x86_insn *i)
{
    return arith(t, i, word(t, i->arg | 1 << X87_W_STI_SHIFT));
}

bool x86_tr_x87_two(struct trans *t, const struct x86_insn *i)
{
    return plain(t, i, &helper_x87_two, word(t, i->arg));
}

bool x86_tr_x87_xam(struct trans *t, const struct x86_insn *i)
{
    return plain(t, i, &helper_x87_xam, IR_NONE);
}

bool x86_tr_x87_sign(struct trans *t, const struct x86_insn *i)
{
    return plain(t, i, &helper_x87_sign, word(t, i->arg));
}

bool x86_tr_x87_comi(struct trans *t, const struct x86_insn *i)
{
    ir_val flags;

    if (!x87_begin(t))
        return true;
    flags = call(t, i, &helper_x87_comi, word_sti(t, i), IR_NONE, IR_NONE);
    note(t, i);
    x86_tr_set_arith(t, flags);
    return true;
}

/* ---- Loads ---- */

bool x86_tr_x87_load(struct trans *t, const struct x86_insn *i)
{
    if (!x87_begin(t))
        return true;
    call(t, i, &helper_x87_load, load_mem(t, i, 0, i->arg == X87_LD_F32 ? 2 : 3),
         ir_imm64(t->ir, 0), word(t, i->arg));
    note(t, i);
    return true;
}

/* Argument: the operation, 0 for bits unchanged. */
bool x86_tr_x87_load_80(struct trans *t, const struct x86_insn *i)
{
    ir_val low, high;

    if (!x87_begin(t))
        return true;
    low = load_mem(t, i, 0, 3);
    high = load_mem(t, i, 8, 1);
    if (i->arg)
        call(t, i, &helper_x87_load, low, high, word(t, i->arg));
    else
        call(t, i, &helper_x87_load_80, low, high, IR_NONE);
    note(t, i);
    return true;
}

/* Argument: log2 of the size. */
bool x86_tr_x87_load_int(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    if (!x87_begin(t))
        return true;
    v = load_mem(t, i, 0, i->arg);
    if (i->arg == 2)
        v = ir_sext32(t->ir, ir_trunc(t->ir, v));
    else if (i->arg == 1)
        v = ir_unary(t->ir, IR_SEXT16, IR_I64, v);
    call(t, i, &helper_x87_load_int, v, IR_NONE, IR_NONE);
    note(t, i);
    return true;
}

bool x86_tr_x87_load_st(struct trans *t, const struct x86_insn *i)
{
    return plain(t, i, &helper_x87_load_st, word_sti(t, i));
}

bool x86_tr_x87_const(struct trans *t, const struct x86_insn *i)
{
    return plain(t, i, &helper_x87_const, word(t, i->arg));
}

/* ---- Stores ---- */

/* The helper stores: the value is lost if it cannot. */
static void store_by_helper(struct trans *t, const struct x86_insn *i, unsigned size, uint64_t low)
{
    uint64_t mode = (t->flags & UF_MODE) >> UF_MODE_SHIFT;
    ir_val addr = x86_address_val(t, i, 0, size == 4 ? 10 : 1u << size);

    low |= mode << X87_W_MODE_SHIFT | (uint64_t)size << X87_W_SIZE_SHIFT;
    ir_call(t->ir, &helper_x87_store, addr, word(t, low), IR_NONE, IR_NONE);
}

/* With all exceptions masked. The stack and the flags change before the store, so it must be sure
 * to happen. */
static void store_checked(struct trans *t, const struct x86_insn *i, unsigned size, uint64_t low)
{
    unsigned bytes = size == 4 ? 10 : 1u << size, low_size = MIN(size, 3);
    struct x86_addr a = x86_address(t, i, 0, bytes);
    ir_val check = ir_check_store(t->ir, x86_mem(t, 0), a.base, a.disp, bytes), v;

    v = call(t, i, &helper_x87_store_value, word(t, low), IR_NONE, IR_NONE);
    ir_store_checked(t->ir, x86_mem(t, low_size), check, 0, x86_narrow(t, low_size, v));
    if (size < 4)
        return;
    v = ir_call_x87(t->ir, IR_X87_HIGH, &helper_x87_store_high, IR_NONE, IR_NONE, IR_NONE);
    ir_store_checked(t->ir, x86_mem(t, 1), check, 8, ir_trunc(t->ir, v));
}

bool x86_tr_x87_store(struct trans *t, const struct x86_insn *i)
{
    unsigned size = i->arg >> X87_ARG_SIZE_SHIFT;
    uint64_t low = i->arg & ((1u << X87_ARG_SIZE_SHIFT) - 1);

    if (!x87_begin(t))
        return true;
    if (t->no_checks || t->flags & UF_X87SLOW)
        store_by_helper(t, i, size, low);
    else
        store_checked(t, i, size, low);
    note(t, i);
    return true;
}

/* FSTPNCE is the helper's: processors differ in what they do with an empty register. */
bool x86_tr_x87_store_st(struct trans *t, const struct x86_insn *i)
{
    if (!(i->arg & X87_W_TO_STI))
        return plain(t, i, &helper_x87_store_st, word_sti(t, i));
    if (!x87_begin(t))
        return true;
    ir_call(t->ir, &helper_x87_store_st, word_sti(t, i), IR_NONE, IR_NONE, IR_NONE);
    note(t, i);
    return true;
}

/* ---- The stack ---- */

bool x86_tr_x87_xch(struct trans *t, const struct x86_insn *i)
{
    return plain(t, i, &helper_x87_xch, word_sti(t, i));
}

/* Argument: the condition code. For the host it is always FCMOVNE. */
bool x86_tr_x87_cmov(struct trans *t, const struct x86_insn *i)
{
    struct x86_cond c;

    if (!x87_begin(t))
        return true;
    c = x86_condition(t, i->arg);
    call_as(t, IR_X87 | 0x3c8 | (i->modrm & 7), &helper_x87_cmov,
            ir_setcc(t->ir, IR_I64, c.c, c.a, c.b),
            word(t, (uint64_t)(i->modrm & 7) << X87_W_STI_SHIFT), IR_NONE);
    note(t, i);
    return true;
}

bool x86_tr_x87_free(struct trans *t, const struct x86_insn *i)
{
    return plain(t, i, &helper_x87_free, word_sti(t, i));
}

bool x86_tr_x87_spin(struct trans *t, const struct x86_insn *i)
{
    return plain(t, i, &helper_x87_spin, word(t, i->arg));
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
    return t->flags & (UF_TF | UF_SHADOW) ? ir_imm64(t->ir, 0) : ir_pcrel(t->ir, t->next);
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
    ir_call(t->ir, &helper_x87_set_cw, load_mem(t, i, 0, 1), x87_next(t), IR_NONE, IR_NONE);
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

static void store_word(struct trans *t, const struct x86_insn *i, ir_val v)
{
    x86_tr_store(t, 1, x86_address(t, i, 0, 2), ir_trunc(t->ir, v));
}

bool x86_tr_x87_stcw(struct trans *t, const struct x86_insn *i)
{
    if (x87_begin_nowait(t))
        store_word(t, i, ir_call(t->ir, &helper_x87_get_cw, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
    return true;
}

/* The status word; for the host it is FNSTSW AX. */
static ir_val status(struct trans *t)
{
    return call_as(t, IR_X87 | 0x7e0, &helper_x87_get_sw, IR_NONE, IR_NONE, IR_NONE);
}

bool x86_tr_x87_stsw(struct trans *t, const struct x86_insn *i)
{
    if (x87_begin_nowait(t))
        store_word(t, i, status(t));
    return true;
}

bool x86_tr_x87_stsw_ax(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    if (x87_begin_nowait(t))
        x86_set_reg_val(t, 1, R_AX, true, ir_trunc(t->ir, status(t)));
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
