/*
 * One instruction to IR: what comes before and behind every handler.
 */
#include "translate.h"

/* ---- Exceptions ---- */

void x86_tr_raise(struct trans *t, enum x86_exception vector)
{
    ir_call(t->ir, &helper_raise, ir_imm32(t->ir, vector), IR_NONE, IR_NONE, IR_NONE);
    trans_end(t);
}

void x86_tr_raise_error(struct trans *t, enum x86_exception vector, uint32_t error)
{
    ir_call(t->ir, &helper_raise_error, ir_imm32(t->ir, vector), ir_imm32(t->ir, error), IR_NONE,
            IR_NONE);
    trans_end(t);
}

/* ---- Going on ---- */

/* Single step: the instruction is done, #DB follows with @pc as return address. */
static void step(struct trans *t, ir_val pc)
{
    ir_call(t->ir, &helper_step, pc, IR_NONE, IR_NONE, IR_NONE);
    trans_end(t);
}

/* To @pc by way of the unit flags. */
static void resync_at(struct trans *t, uint64_t pc)
{
    uint64_t next = t->next;

    t->next = pc;
    trans_resync(t);
    t->next = next;
}

/* Whether what follows has other unit flags, or is the single step's handler. */
static bool must_leave(const struct trans *t)
{
    return t->flags & (UF_TF | UF_SHADOW);
}

static void leave_to(struct trans *t, uint64_t pc)
{
    if (t->flags & UF_TF)
        step(t, ir_pcrel(t->ir, pc));
    else
        resync_at(t, pc);
}

void x86_tr_goto(struct trans *t, uint64_t pc)
{
    if (must_leave(t))
        leave_to(t, pc);
    else
        trans_goto(t, pc);
}

void x86_tr_goto_ind(struct trans *t, ir_val pc)
{
    uint64_t known;

    if (t->flags & UF_TF)
        step(t, pc);
    else if (must_leave(t) && ir_is_target(t->ir, pc, &known))
        resync_at(t, known);
    else
        trans_goto_ind(t, pc);
}

void x86_tr_branch(struct trans *t, enum ir_cond c, ir_val a, ir_val b, uint64_t taken)
{
    if (must_leave(t))
        x86_tr_goto_ind(
            t, ir_select(t->ir, c, a, b, ir_pcrel(t->ir, taken), ir_pcrel(t->ir, t->next)));
    else
        trans_branch(t, c, a, b, taken);
}

void x86_tr_resync(struct trans *t)
{
    leave_to(t, t->next);
}

void x86_tr_end(struct trans *t)
{
    if (t->flags & UF_TF)
        ir_call(t->ir, &helper_step_here, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    trans_end(t);
}

/* ---- One instruction ---- */

static bool lock_is_wrong(const struct x86_insn *i)
{
    return i->prefixes & PFX_LOCK && (!(i->form->flags & X_LOCK) || !i->is_mem);
}

/* Raises what the row forbids; false: nothing. */
static bool forbidden(struct trans *t, const struct x86_insn *i)
{
    if (lock_is_wrong(i) || (i->form->flags & X_PE && !x86_is_protected(t)))
        x86_tr_raise(t, EXC_UD);
    else if (i->form->flags & X_CPL0 && x86_tr_cpl(t))
        x86_tr_raise_error(t, EXC_GP, 0);
    else
        return false;
    return true;
}

/*
 * Code that runs off the end of CS, which no jump has looked at. Units do not depend on its base:
 * only where the end is here while the unit is made the instruction looks whether it still is.
 */
static void check_end(struct trans *t, const struct x86_insn *i)
{
    const struct x86_cpu *c = x86_tr_cpu(t);
    uint64_t eip = (uint32_t)(t->pc - c->seg_base[S_CS]);

    if (!x86_is64(t) && !(t->flags & UF_FLAT) && eip + i->len - 1 > c->seg[S_CS].limit)
        ir_call(t->ir, &helper_check_code, ir_imm64(t->ir, i->len), IR_NONE, IR_NONE, IR_NONE);
}

void x86_translate(struct trans *t)
{
    struct x86_insn i;
    bool ok = x86_decode(t, &i);

    if (t->fetch_failed)
        return;
    if (t->flags & UF_SHADOW)
        ir_call(t->ir, &helper_end_shadow, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    if (t->flags & UF_DBG_CODE)
        ir_call(t->ir, &helper_debug_fetch, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    check_end(t, &i);
    if (!ok && i.len > 15) {
        x86_tr_raise_error(t, EXC_GP, 0);
        return;
    }
    if (ok && forbidden(t, &i))
        return;
    if (!ok || !i.form->handler(t, &i)) {
        x86_tr_raise(t, EXC_UD);
        return;
    }
    if (t->how == TRANS_NEXT && must_leave(t))
        leave_to(t, t->next);
}
