/*
 * Shared by the parts of the builder: appending an operation as it is, and the rules that find a
 * simpler one.
 */
#ifndef TCG_IR_BUILD_H
#define TCG_IR_BUILD_H

#include <tcg/ir.h>

/* Appends without simplifying; IR_NONE if there is no room. The fields not given are zero. */
struct ir_insn *ir_append(struct ir *ir, enum ir_op op, enum ir_type type);
ir_val ir_emit(struct ir *ir, enum ir_op op, enum ir_type type, ir_val a, ir_val b);

/*
 * Brings a condition into its simplest form, operands included. Returns 0 or 1 if it is always
 * false or true, else -1.
 */
int ir_simplify_cond(struct ir *ir, enum ir_cond *c, ir_val *a, ir_val *b);

/*
 * Whether a slot was set to @v: then it likely has a register for itself, and to reach back behind
 * it to what it was computed from would keep two values alive instead of one.
 */
static inline bool ir_in_slot(const struct ir *ir, ir_val v)
{
    return ir->insn[v].flags;
}

static inline bool ir_is_imm(const struct ir *ir, ir_val v)
{
    return ir->insn[v].op == IR_CONST;
}

/* The operand of @v if that is an @op, else IR_NONE. */
static inline ir_val ir_operand_of(const struct ir *ir, ir_val v, enum ir_op op)
{
    return ir->insn[v].op == op ? ir->insn[v].a : IR_NONE;
}

#endif
