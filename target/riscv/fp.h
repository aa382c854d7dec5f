/*
 * What the floating-point files share.
 *
 * An f register is an f64 slot that holds 64 raw bits; narrower values are boxed, with ones above
 * them, and what is not properly boxed counts as the canonical NaN (unprivileged architecture,
 * D, "NaN Boxing of Narrower Values").
 *
 * Single and double precision become F* operations wherever the instruction rounds as frm says: the
 * environment of generated code then rounds alike. All else (a rounding mode of the instruction's
 * own, RMM, half precision) is done by helpers in integer arithmetic.
 */
#ifndef RISCV_FP_H
#define RISCV_FP_H

#include "translate.h"

enum riscv_fmt { FMT_S, FMT_D, FMT_H, FMT_COUNT };
enum { FRM_DYN = 7, FRM_LAST = FP_RMM };

/* Numbers of the helpers of fp-soft.def: riscv_fp_soft[SOFT_add][FMT_S]. */
enum riscv_fp_op {
#define FP_SOFT(op) SOFT_##op,
#include "fp-soft.def"
#undef FP_SOFT
    SOFT_COUNT
};
extern const struct ir_helper *const riscv_fp_soft[SOFT_COUNT][FMT_COUNT];

/* How one instruction rounds. */
struct fp_rounding {
    unsigned mode; /* enum fp_round, up to RMM */
    bool plain;    /* F* operations round so */
};

/* mstatus.FS is off or dirty, nothing else (riscv_status_merge). */
static inline bool fp_on(const struct trans *t)
{
    return t->flags & UF_FS;
}

/* False: reserved, illegal. */
bool fp_rounding(const struct trans *t, unsigned rm, struct fp_rounding *r);

/* Register @n as f32 (FMT_S) or f64 (FMT_D), and set to such. */
ir_val fp_get(struct trans *t, enum riscv_fmt fmt, unsigned n);
void fp_set(struct trans *t, enum riscv_fmt fmt, unsigned n, ir_val v);
/* The result of an arithmetic operation, a NaN made canonical. */
void fp_set_canon(struct trans *t, enum riscv_fmt fmt, unsigned n, ir_val v);
/* Its bits as i64. */
ir_val fp_bits(struct trans *t, unsigned n);
void fp_set_bits(struct trans *t, unsigned n, ir_val v);

/* Calls helper @op for @fmt with @how (fp-soft.c) and so many values as it takes. */
ir_val fp_soft(struct trans *t, enum riscv_fp_op op, enum riscv_fmt fmt, unsigned how, ir_val a,
               ir_val b, ir_val c);

/* rd = @op of rs1 and rs2, which does not round, by its helper. False: illegal instruction. */
bool fp_soft_pair(struct trans *t, unsigned fmt, unsigned rd, unsigned rs1, unsigned rs2,
                  enum riscv_fp_op op);

/* rd = rs1 compared with rs2; @soft is the half-precision form of @c. False: illegal instruction.
 */
bool fp_compare(struct trans *t, unsigned fmt, unsigned rd, unsigned rs1, unsigned rs2,
                enum ir_fcmp c, enum riscv_fp_op soft);

#endif
