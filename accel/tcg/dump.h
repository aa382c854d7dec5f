/*
 * What -d in_asm, op, op_opt and out_asm print.
 */
#ifndef ACCEL_TCG_DUMP_H
#define ACCEL_TCG_DUMP_H

#include "tcg.h"

/* -d in_asm (with @optimised false) and op; -d op_opt with it. */
void dump_ir(struct cpu *cpu, const struct trans *t, const struct ir *ir, bool optimised);
/* The units entered most, if entries are counted. Lock held. */
void dump_hottest(struct tcg *tcg, GString *out);
/* -d out_asm */
void dump_code(struct tcg *tcg, struct cpu *cpu, const struct unit *u);

#endif
