/*
 * Conditional instructions without a jump: what a short branch forward skips becomes SELECTs.
 */
#include <string.h>
#include "build.h"

/* More than this costs more than the jump. */
#define MAX_SETS 2

void ir_save(const struct ir *ir, struct ir_snapshot *s)
{
    s->mark = ir_mark(ir);
    s->full = ir->full;
    memcpy(s->known, ir->known, ir->slots->count * sizeof(s->known[0]));
    memcpy(s->recent, ir->recent, sizeof(s->recent));
}

void ir_restore(struct ir *ir, const struct ir_snapshot *s)
{
    ir_rewind(ir, &s->mark);
    ir->full = s->full;
    memcpy(ir->known, s->known, ir->slots->count * sizeof(s->known[0]));
    memcpy(ir->recent, s->recent, sizeof(s->recent));
}

/* The slots set since @s, each once; -1 if there are too many or something else has an effect. */
static int slots_set(const struct ir *ir, const struct ir_snapshot *s, unsigned slot[MAX_SETS])
{
    int n = 0, k;

    for (uint32_t v = s->mark.count; v < ir->count; v++) {
        const struct ir_insn *i = &ir->insn[v];

        if (ir_op_info[i->op].props & IR_P_P || i->op == IR_INSN || i->op == IR_GET ||
            i->op == IR_KILL)
            continue;
        if (i->op != IR_SET || (i->type != IR_I32 && i->type != IR_I64))
            return -1;
        for (k = 0; k < n && slot[k] != i->imm; k++)
            ;
        if (k == MAX_SETS)
            return -1;
        slot[k] = i->imm;
        n += k == n;
    }
    return n;
}

bool ir_skip_if(struct ir *ir, const struct ir_snapshot *s, enum ir_cond c, ir_val a, ir_val b)
{
    unsigned slot[MAX_SETS];
    ir_val set[MAX_SETS];
    int n = ir->full || ir->ended ? -1 : slots_set(ir, s, slot);

    if (n < 0)
        return false;
    for (uint32_t v = s->mark.count; v < ir->count; v++)
        if (ir->insn[v].op == IR_SET || ir->insn[v].op == IR_KILL || ir->insn[v].op == IR_INSN)
            ir->insn[v] = (struct ir_insn){ .op = IR_NOP };
    for (int k = 0; k < n; k++) {
        set[k] = ir->known[slot[k]];
        ir->known[slot[k]] = s->known[slot[k]];
    }
    for (int k = 0; k < n; k++)
        if (set[k]) /* it was not killed again */
            ir_set(ir, slot[k], ir_select(ir, c, a, b, ir_get(ir, slot[k]), set[k]));
    return true;
}
