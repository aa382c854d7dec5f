/*
 * Instructions to IR: fetch, the tables in their order, and what is illegal.
 */
#include "translate.h"

static bool (*const decoders[])(struct trans *t, uint32_t insn, unsigned bits) = {
#define DECODER(name) riscv_##name##_decode,
#include "decoders.def"
#undef DECODER
};

void rv_raise(struct trans *t, enum riscv_cause cause, ir_val tval)
{
    ir_call(t->ir, &helper_trap, ir_imm64(t->ir, cause), tval, IR_NONE, IR_NONE);
    trans_end(t);
}

uint32_t rv_insn(const struct trans *t)
{
    return t->guest[GUEST_INSN];
}

void rv_raise_illegal(struct trans *t)
{
    ir_call(t->ir, &helper_illegal, ir_imm32(t->ir, rv_insn(t)), IR_NONE, IR_NONE, IR_NONE);
    trans_end(t);
}

void rv_resync_at(struct trans *t, uint64_t pc)
{
    uint64_t next = t->next;

    t->next = pc;
    trans_resync(t);
    t->next = next;
}

bool rv_need_status(struct trans *t, uint64_t bits, bool have)
{
    ir_val all, mstatus;

    if (have)
        return true;
    all = ir_imm64(t->ir, bits);
    mstatus = ir_call(t->ir, &helper_status, ir_get(t->ir, SLOT_MSTATUS), all, all, IR_NONE);
    ir_set(t->ir, SLOT_MSTATUS, mstatus);
    rv_resync_at(t, t->pc);
    return false;
}

void riscv_translate(struct trans *t)
{
    uint32_t insn = trans_fetch16(t, 0);
    unsigned bits = 16;

    if ((insn & 3) == 3) {
        insn |= (uint32_t)trans_fetch16(t, 2) << 16;
        bits = 32;
    }
    t->guest[GUEST_INSN] = insn;
    t->next = rv_pc(t, t->pc + bits / 8);
    if (t->fetch_failed)
        return;
    for (unsigned k = 0; k < ARRAY_LEN(decoders); k++)
        if (decoders[k](t, insn, bits))
            return;
    rv_raise_illegal(t);
}
