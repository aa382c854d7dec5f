/*
 * Passes over a finished unit, between builder and backend. Each can be left out, to bisect wrong
 * code. After opt_run() nothing may be appended to the unit.
 *
 *     opt_run(&ir, scratch, OPT_ALL);
 *     opt_uses(&ir, last_use);
 */
#ifndef TCG_OPT_H
#define TCG_OPT_H

#include <tcg/ir.h>

enum opt_pass {
    OPT_MERGE = 1,  /* neighbouring accesses with one base share one CHECK */
    OPT_FCANON = 2, /* NaNs are not made canonical where only arithmetic sees them */
    OPT_DEAD = 4,   /* values nobody uses and slots overwritten unseen become NOPs */
    OPT_ALL = 7,
};

/* Accesses further apart than this (first to last byte) do not share a check. */
#define OPT_MERGE_WINDOW 1024

/*
 * Runs the passes whose bits are set in @passes. @scratch has room for 2 * ir->max numbers. Merging
 * needs room for one insn a group below ir->max and leaves groups alone that find none. A unit that
 * is to run when a CHECK failed is built without OPT_MERGE.
 */
void opt_run(struct ir *ir, uint32_t *scratch, unsigned passes);

/* last_use[v], for v < ir->count: index of the last insn that uses value v, 0 if none does. */
void opt_uses(const struct ir *ir, uint32_t *last_use);

/* The passes by themselves; opt_run() calls them in the right order. */
void opt_merge(struct ir *ir, uint32_t *scratch);
void opt_fcanon(struct ir *ir, uint32_t *scratch);
void opt_dead(struct ir *ir, uint32_t *scratch);

/* The value operands of @i, IR_NONE where there are fewer: @v[0] to @v[3]. */
static inline unsigned opt_operands(const struct ir_insn *i, ir_val v[4])
{
    unsigned n = ir_op_info[i->op].nargs;

    v[0] = n > 0 ? i->a : IR_NONE;
    v[1] = n > 1 ? i->b : IR_NONE;
    v[2] = n > 2 ? i->c : IR_NONE;
    v[3] = n > 3 ? i->d : IR_NONE;
    return n;
}

#endif
