/*
 * The vector operations of the IR (tcg/ir_vops.def) in plain C, bit-exact on every host: what the
 * interpreter runs, what translators are tested against, and what they call for operations that
 * their host has no instruction for.
 */
#ifndef TCG_VEC_H
#define TCG_VEC_H

#include <tcg/ir.h>
#include <tcg/softfp.h>

/*
 * Computes @vop of @lane bits (perhaps with IR_LANE_SCALAR) from as many operands as it has; the
 * others may be NULL. A vector is two words, low one first; an integer or float is one, of which as
 * many bits count as its type has. The result goes to @d, integers and floats zero extended; @d may
 * be an operand's. Of *@fp rounding, flushing and denormals_are_zero are looked at, and flags set,
 * by operations with IR_VP_F only.
 */
void ir_vop_eval(struct fp_env *fp, enum ir_vop vop, unsigned lane, unsigned imm, uint64_t *d,
                 const uint64_t *a, const uint64_t *b, const uint64_t *c);

#endif
