/*
 * What the software x87's files share.
 */
#ifndef X86_X87_SOFT_H
#define X86_X87_SOFT_H

#include <tcg/softfp.h>
#include "x87.h"

fp_u128 x87_pack(struct x86_f80 v);
struct x86_f80 x87_unpack(fp_u128 v);
/* Rounding and precision of the control word. */
struct fp_env x87_env(const struct x87_io *io);
/* Adds exceptions (FP_FLAG_*) to io->sw. */
void x87_report(struct x87_io *io, unsigned flags);

/* The transcendental functions; results differ from the exact ones by less than one unit in the
 * last place. */
void x87_math(enum x87_op op, struct x87_io *io);

#endif
