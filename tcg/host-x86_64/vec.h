/*
 * Shared by the files for vector operations.
 */
#ifndef HOST_X86_64_VEC_H
#define HOST_X86_64_VEC_H

#include "gen.h"

bool vec_has(const struct gen *g, unsigned need); /* all of these enum vec_feature */

/* Instructions; @d may be @a, but without AVX not @b. */
void vec_op3(struct gen *g, uint32_t op, int d, int a, struct rm b);
void vec_op2(struct gen *g, uint32_t op, int d, struct rm a);
void vec_mov(struct gen *g, int to, int from);
void vec_shift(struct gen *g, uint32_t op, int digit, int d, int a, unsigned n);

struct rm vec_rm(struct gen *g, ir_val v); /* operand of such an instruction */
int vec_def(struct gen *g, int a);         /* result's register, preferably @a */
void vec_def_in(struct gen *g, int x);     /* result is in this temporary */

/* Operations that take more than one instruction, or general registers. */
bool vec_has_special(const struct gen *g, const struct ir_insn *i);
void vec_special(struct gen *g, const struct ir_insn *i);

#endif
