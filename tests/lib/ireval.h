/*
 * The pure operations of the IR written down once more, as plainly as possible, for tests to
 * compare with. Values are zero extended from their type.
 */
#ifndef TESTS_IREVAL_H
#define TESTS_IREVAL_H

#include <tcg/ir.h>

/* @type: of the result; @from: of operand a. False: not an operation on integers or float bits. */
bool ireval(const struct ir_insn *i, enum ir_type from, const uint64_t v[4], uint64_t *r);
bool ireval_cond(enum ir_cond c, enum ir_type type, uint64_t a, uint64_t b);
/* Whether @op is covered by ireval(), and has the shape of a binary or unary integer operation. */
bool ireval_is_binary(unsigned op);
bool ireval_is_unary(unsigned op);

#endif
