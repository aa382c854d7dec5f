/*
 * Evaluation of pure operations on constants, for the builder. Values are held as in CONST: i32
 * sign extended, f32 zero extended.
 */
#ifndef TCG_IR_FOLD_H
#define TCG_IR_FOLD_H

#include <tcg/ir.h>

/* The canonical form of @v in @type. */
static inline int64_t ir_canon(enum ir_type type, int64_t v)
{
    switch (type) {
    case IR_I32: return (int32_t)v;
    case IR_F32: return (uint32_t)v;
    default: return v;
    }
}

/* @type: of the result. False: this operation is not folded. */
bool ir_fold_unary(enum ir_op op, enum ir_type type, int64_t a, int64_t *r);
bool ir_fold_binary(enum ir_op op, enum ir_type type, int64_t a, int64_t b, int64_t *r);
bool ir_fold_cond(enum ir_cond c, int64_t a, int64_t b);

#endif
