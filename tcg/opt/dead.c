/*
 * Dead code: one walk backwards that drops pure values without use and SETs whose slot is set
 * again, or killed, before anybody can see it; the KILLs have done their work then.
 *
 * A slot is seen by GET, by anything that may leave the unit or fault (guest state must be exact
 * there), and by helpers that touch slots. Loads of guest memory stay, since they may fault.
 */
#include <string.h>
#include <tcg/opt.h>

struct walk {
    struct ir *ir;
    uint32_t *used;
    uint64_t overwritten[IR_MAX_SLOTS / 64]; /* set or killed later, unseen until then */
};

static bool sees_slots(const struct ir_insn *i)
{
    if (i->op == IR_CALL)
        return i->helper->flags & (IR_H_READS | IR_H_WRITES | IR_H_RAISES);
    return ir_op_info[i->op].props & (IR_P_F | IR_P_X);
}

/* Whether @i has no effect, given what comes after it. */
static bool is_dead(struct walk *w, const struct ir_insn *i, uint32_t n)
{
    unsigned props = ir_op_info[i->op].props;
    uint64_t bit;
    bool unseen;

    if (i->op == IR_SET || i->op == IR_KILL) {
        bit = UINT64_C(1) << (i->imm & 63);
        unseen = w->overwritten[i->imm / 64] & bit;
        w->overwritten[i->imm / 64] |= bit;
        return unseen || i->op == IR_KILL;
    }
    if (i->op == IR_CALL)
        return i->helper->flags & IR_H_PURE && !w->used[n];
    return props & IR_P_V && !(props & IR_P_S) && !w->used[n];
}

void opt_dead(struct ir *ir, uint32_t *scratch)
{
    struct walk w = { .ir = ir, .used = scratch };
    bool insn_follows = false; /* nothing stands before the next INSN */

    memset(w.used, 0, ir->count * sizeof(w.used[0]));
    for (uint32_t n = ir->count - 1; n > 0; n--) {
        struct ir_insn *i = &ir->insn[n];
        unsigned count;
        ir_val v[4];

        if (i->op == IR_NOP)
            continue;
        if (i->op == IR_INSN ? insn_follows : is_dead(&w, i, n)) {
            *i = (struct ir_insn){ .op = IR_NOP };
            continue;
        }
        insn_follows = i->op == IR_INSN;
        if (i->op == IR_GET)
            w.overwritten[i->imm / 64] &= ~(UINT64_C(1) << (i->imm & 63));
        else if (sees_slots(i))
            memset(w.overwritten, 0, sizeof(w.overwritten));
        count = opt_operands(i, v);
        for (unsigned k = 0; k < count; k++)
            w.used[v[k]] = 1;
    }
}
