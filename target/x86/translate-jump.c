/*
 * Near jumps, calls and returns; the stack.
 *
 * A return is predicted while translating: calls that the unit has followed leave their return
 * addresses in t->guest, and a RET whose address on the stack is the one expected goes on there.
 */
#include "translate.h"

/* ---- Targets ---- */

static bool must_check(const struct trans *t)
{
    return !x86_is64(t) && !(t->flags & UF_FLAT);
}

static uint64_t eip_mask(const struct x86_insn *i)
{
    return i->size == 1 ? 0xffff : i->size == 2 ? UINT32_MAX : UINT64_MAX;
}

/* Linear address of an EIP read from register or memory. */
static ir_val target(struct trans *t, ir_val eip)
{
    eip = x86_wide(t, eip);
    return must_check(t) ? ir_call(t->ir, &helper_jump_target, eip, IR_NONE, IR_NONE, IR_NONE)
                         : eip;
}

/* The same of a direct jump. */
static ir_val direct_target(struct trans *t, const struct x86_insn *i)
{
    return target(t, ir_and(t->ir, x86_tr_eip(t, i->imm), ir_imm64(t->ir, eip_mask(i))));
}

/* A direct jump to i->imm: where CS is not flat, EIP is compared with its limit, and the unit is
 * left where it wraps at 64 KiB. */
static void jump(struct trans *t, const struct x86_insn *i)
{
    if (must_check(t) && t->flags & (UF_TF | UF_SHADOW)) {
        x86_tr_goto_ind(t, direct_target(t, i));
    } else if (must_check(t)) {
        ir_call(t->ir, &helper_check_jump, ir_pcrel(t->ir, i->imm), ir_imm64(t->ir, eip_mask(i)),
                IR_NONE, IR_NONE);
        x86_tr_goto(t, i->imm);
    } else {
        x86_tr_goto(t, i->imm & eip_mask(i));
    }
}

static void branch(struct trans *t, const struct x86_insn *i, struct x86_cond c)
{
    if (!must_check(t)) {
        x86_tr_branch(t, c.c, c.a, c.b, i->imm & eip_mask(i));
        return;
    }
    /* The taken way is the straight one: it has something to call. */
    ir_exit_if(t->ir, c.c ^ 1, c.a, c.b, t->next);
    if (t->ir->ended)
        t->how = TRANS_ENDED;
    else
        jump(t, i);
}

/* ---- Return addresses known ---- */

enum { RETURN_COUNT = 0, RETURN_FIRST = 1, RETURN_DEPTH = 6 }; /* words of t->guest */

static void remember_return(struct trans *t)
{
    unsigned n = t->guest[RETURN_COUNT]++ % RETURN_DEPTH;

    t->guest[RETURN_FIRST + n] = t->next;
}

static bool expected_return(struct trans *t, uint64_t *pc)
{
    unsigned n;

    if (!t->guest[RETURN_COUNT])
        return false;
    n = --t->guest[RETURN_COUNT] % RETURN_DEPTH;
    *pc = t->guest[RETURN_FIRST + n];
    t->guest[RETURN_FIRST + n] = 0;
    return *pc != 0;
}

/* Faults where what is at @offset from the stack pointer cannot be written to: ENTER does so at
 * the new top of the stack, and calls before they look at their target. */
static void touch(struct trans *t, int64_t offset, unsigned bytes)
{
    struct x86_addr a = x86_stack(t, offset, bytes);

    ir_amo(t->ir, IR_AMO_OR, x86_atomic_mem(t, 0), ir_add(t->ir, a.base, ir_imm64(t->ir, a.disp)),
           ir_imm32(t->ir, 0));
}

/* ---- Jumps ---- */

bool x86_tr_jcc(struct trans *t, const struct x86_insn *i)
{
    if (must_check(t) && t->flags & (UF_TF | UF_SHADOW)) {
        struct x86_cond c = x86_condition(t, i->arg);
        ir_val eip = ir_select(t->ir, c.c, c.a, c.b,
                               ir_and(t->ir, x86_tr_eip(t, i->imm), ir_imm64(t->ir, eip_mask(i))),
                               x86_tr_eip(t, t->next));
        x86_tr_goto_ind(t, target(t, eip));
        return true;
    }
    branch(t, i, x86_condition(t, i->arg));
    return true;
}

bool x86_tr_jmp(struct trans *t, const struct x86_insn *i)
{
    jump(t, i);
    return true;
}

bool x86_tr_call(struct trans *t, const struct x86_insn *i)
{
    ir_val next = x86_tr_eip(t, t->next);

    if (must_check(t)) {
        touch(t, -(1 << i->size), 1 << i->size);
        direct_target(t, i); /* its fault comes before the push, a jump that wraps behind it */
    }
    x86_push(t, i->size, x86_narrow(t, i->size, next));
    remember_return(t);
    jump(t, i);
    return true;
}

bool x86_tr_jmp_ind(struct trans *t, const struct x86_insn *i)
{
    x86_tr_goto_ind(t, target(t, x86_read(t, i, 0)));
    return true;
}

bool x86_tr_call_ind(struct trans *t, const struct x86_insn *i)
{
    ir_val to = x86_read(t, i, 0), next = x86_tr_eip(t, t->next);

    if (must_check(t))
        touch(t, -(1 << i->size), 1 << i->size);
    to = target(t, to);
    x86_push(t, i->size, x86_narrow(t, i->size, next));
    remember_return(t);
    x86_tr_goto_ind(t, to);
    return true;
}

bool x86_tr_ret(struct trans *t, const struct x86_insn *i)
{
    int64_t bytes = (INT64_C(1) << i->size) + (int64_t)i->imm;
    ir_val eip = x86_wide(t, x86_peek(t, i->size, 0));
    uint64_t pc;

    if (!must_check(t) && !(t->flags & (UF_TF | UF_SHADOW)) && expected_return(t, &pc)) {
        /* Elsewhere: this instruction again, as the first of a unit that expects nothing. */
        ir_exit_if(t->ir, IR_NE, eip, ir_pcrel(t->ir, pc), t->pc);
        x86_move_sp(t, bytes);
        x86_tr_goto(t, pc);
        return true;
    }
    eip = target(t, eip);
    x86_move_sp(t, bytes);
    x86_tr_goto_ind(t, eip);
    return true;
}

/* LOOP, LOOPE, LOOPNE count (E)CX or RCX by the address size and leave the flags. */
bool x86_tr_loop(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned size = i->addr_size;
    ir_val zero = ir_imm(ir, x86_type(size), 0), n = x86_get_reg_val(t, size, R_CX, true), go;
    struct x86_cond c;

    if (i->arg == LOOP_CXZ) {
        branch(t, i, (struct x86_cond){ IR_EQ, n, zero });
        return true;
    }
    n = x86_zext(t, size, ir_add(ir, n, ir_imm(ir, x86_type(size), -1)));
    if (i->arg != LOOP_ANY) {
        c = x86_condition(t, i->arg == LOOP_E ? 4 : 5);
        go = ir_and(ir, ir_setcc(ir, IR_I32, c.c, c.a, c.b), ir_setcc(ir, IR_I32, IR_NE, n, zero));
        c = (struct x86_cond){ IR_NE, go, ir_imm32(ir, 0) };
    } else {
        c = (struct x86_cond){ IR_NE, n, zero };
    }
    x86_set_reg_val(t, size, R_CX, true, n);
    branch(t, i, c);
    return true;
}

/* ---- The stack ---- */

bool x86_tr_push(struct trans *t, const struct x86_insn *i)
{
    x86_push(t, i->size, x86_read(t, i, 0));
    return true;
}

bool x86_tr_pop(struct trans *t, const struct x86_insn *i)
{
    ir_val v = x86_peek(t, i->size, 0);

    x86_move_sp(t, INT64_C(1) << i->size);
    x86_write(t, i, 0, v);
    return true;
}

/* With the stack pointer as base, the address counts from its new value (POP, volume 2); should the
 * store fault, the stack pointer is the old one. */
bool x86_tr_pop_mem(struct trans *t, const struct x86_insn *i)
{
    ir_val v = x86_peek(t, i->size, 0);
    struct x86_insn m = *i;

    if (!i->is_mem)
        return x86_tr_pop(t, i);
    if (m.base == R_SP)
        m.disp += 1 << i->size;
    x86_write(t, &m, 0, v);
    x86_move_sp(t, INT64_C(1) << i->size);
    return true;
}

bool x86_tr_pusha(struct trans *t, const struct x86_insn *i)
{
    int bytes = 1 << i->size;

    for (unsigned n = 0; n < 8; n++)
        x86_tr_store(t, i->size, x86_stack(t, -bytes * (int)(n + 1), bytes),
                     x86_get_reg_val(t, i->size, n, true));
    x86_move_sp(t, -8 * bytes);
    return true;
}

bool x86_tr_popa(struct trans *t, const struct x86_insn *i)
{
    int bytes = 1 << i->size;
    ir_val v[8];

    for (int n = 7; n >= 0; n--)
        v[n] = x86_peek(t, i->size, bytes * (7 - n));
    for (unsigned n = 0; n < 8; n++)
        if (n != R_SP)
            x86_set_reg_val(t, i->size, n, true, v[n]);
    x86_move_sp(t, 8 * bytes);
    return true;
}

/* The stack pointer becomes @v, as wide as it is. */
static void set_sp(struct trans *t, ir_val v)
{
    unsigned size = x86_is64(t) ? 3 : t->flags & UF_SS32 ? 2 : 1;

    x86_set_reg_val(t, size, R_SP, true, x86_narrow(t, size, v));
}

/* Nesting levels above 0 copy the display; nothing but the stores may fault before BP changes. */
bool x86_tr_enter(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    int bytes = 1 << i->size, level = i->imm2 & 31, at = -bytes;
    int64_t size = i->imm & 0xffff;
    ir_val bp = ir_get(ir, R_BP), frame;

    x86_tr_store(t, i->size, x86_stack(t, at, bytes), x86_get_reg_val(t, i->size, R_BP, true));
    frame = ir_add(ir, ir_get(ir, R_SP), ir_imm64(ir, at));
    for (int k = 1; k < level; k++) {
        ir_val off = ir_add(ir, bp, ir_imm64(ir, -bytes * k));

        if (!x86_is64(t))
            off = t->flags & UF_SS32 ? ir_zext32(ir, ir_trunc(ir, off))
                                     : ir_unary(ir, IR_ZEXT16, IR_I64, off);
        at -= bytes;
        x86_tr_store(t, i->size, x86_stack(t, at, bytes),
                     x86_tr_load(t, i->size, x86_tr_linear(t, S_SS, off, bytes)));
    }
    if (level) {
        at -= bytes;
        x86_tr_store(t, i->size, x86_stack(t, at, bytes), x86_narrow(t, i->size, frame));
    }
    touch(t, at - size, 1);
    x86_move_sp(t, at - size);
    x86_set_reg_val(t, i->size, R_BP, true, x86_narrow(t, i->size, frame));
    return true;
}

bool x86_tr_leave(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val bp = ir_get(ir, R_BP), v;
    unsigned bytes = 1u << i->size;

    if (!x86_is64(t))
        bp = t->flags & UF_SS32 ? ir_zext32(ir, ir_trunc(ir, bp))
                                : ir_unary(ir, IR_ZEXT16, IR_I64, bp);
    v = x86_tr_load(t, i->size, x86_tr_linear(t, S_SS, bp, bytes));
    set_sp(t, ir_add(ir, bp, ir_imm64(ir, bytes)));
    x86_set_reg_val(t, i->size, R_BP, true, v);
    return true;
}
