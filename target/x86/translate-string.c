/*
 * String instructions. A single element is a load, a store and additions; with REP a helper does
 * runs of elements, and says whether some are left: then the instruction is run again, after a look
 * at what else is to be done.
 */
#include "string-how.h"
#include "translate.h"

/* Address of SI or DI: base and offset. */
static ir_val offset(struct trans *t, const struct x86_insn *i, unsigned reg)
{
    return x86_wide(t, x86_get_reg_val(t, i->addr_size, reg, true));
}

static struct x86_addr source(struct trans *t, const struct x86_insn *i, unsigned bytes)
{
    return x86_tr_linear(t, i->seg, offset(t, i, R_SI), bytes);
}

static struct x86_addr destination(struct trans *t, const struct x86_insn *i, unsigned bytes)
{
    return x86_tr_linear(t, S_ES, offset(t, i, R_DI), bytes);
}

static void advance(struct trans *t, const struct x86_insn *i, unsigned reg, unsigned log2size)
{
    struct ir *ir = t->ir;
    ir_val by = ir_shl(ir, ir_get(ir, SLOT_DF), ir_imm64(ir, log2size));
    ir_val v = ir_add(ir, ir_get(ir, reg), by);

    x86_set_reg_val(t, i->addr_size, reg, true, x86_narrow(t, i->addr_size, v));
}

static void one(struct trans *t, const struct x86_insn *i, unsigned log2size)
{
    unsigned bytes = 1u << log2size;
    ir_val a, b;

    switch (i->arg) {
    case STR_MOVS:
        a = x86_tr_load(t, log2size, source(t, i, bytes));
        x86_tr_store(t, log2size, destination(t, i, bytes), a);
        advance(t, i, R_SI, log2size);
        advance(t, i, R_DI, log2size);
        break;
    case STR_STOS:
        a = x86_get_reg_val(t, log2size, R_AX, true);
        x86_tr_store(t, log2size, destination(t, i, bytes), a);
        advance(t, i, R_DI, log2size);
        break;
    case STR_LODS:
        a = x86_tr_load(t, log2size, source(t, i, bytes));
        x86_set_reg_val(t, log2size, R_AX, true, a);
        advance(t, i, R_SI, log2size);
        break;
    case STR_CMPS:
        b = x86_tr_load(t, log2size, destination(t, i, bytes)); /* whose fault comes first */
        a = x86_tr_load(t, log2size, source(t, i, bytes));
        advance(t, i, R_SI, log2size);
        advance(t, i, R_DI, log2size);
        x86_set_cc(t, CC_SUB | log2size, a, b, IR_NONE);
        break;
    default: /* STR_SCAS */
        a = x86_get_reg_val(t, log2size, R_AX, true);
        b = x86_tr_load(t, log2size, destination(t, i, bytes));
        advance(t, i, R_DI, log2size);
        x86_set_cc(t, CC_SUB | log2size, a, b, IR_NONE);
        break;
    }
}

bool x86_tr_string(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    unsigned log2size = x86_size_of(i, 0);
    bool repeated = i->prefixes & (PFX_REP | PFX_REPNE);
    uint32_t how = i->arg << STR_OP | log2size | i->addr_size << STR_ADDR | i->seg << STR_SEG;
    ir_val left;

    if (!repeated && i->arg < STR_INS) {
        one(t, i, log2size);
        return true;
    }
    how |= (repeated ? STR_REPEAT : 0) | (i->prefixes & PFX_REPNE ? STR_UNTIL_EQUAL : 0);
    how |= t->flags & UF_TF ? STR_STEP : 0;
    left = ir_call(ir, &helper_string, ir_imm32(ir, how), IR_NONE, IR_NONE, IR_NONE);
    /* what was written may be code that this unit has followed a jump to */
    if ((t->flags & (UF_TF | UF_SHADOW)) || i->arg == STR_MOVS || i->arg == STR_STOS ||
        i->arg == STR_INS) {
        x86_tr_goto_ind(t, ir_select(ir, IR_NE, left, ir_imm32(ir, 0), ir_pcrel(ir, t->pc),
                                     ir_pcrel(ir, t->next)));
        return true;
    }
    ir_exit_if(ir, IR_NE, left, ir_imm32(ir, 0), t->pc);
    return true;
}
