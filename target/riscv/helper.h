/*
 * C functions that generated code calls. The function's name is h_<name>, its descriptor's
 * helper_<name>.
 *
 *     static uint64_t h_time(struct cpu *cpu) { ... }
 *     HELPER_DEFINE(time, IR_H_CPU, IR_I64, 0);
 */
#ifndef RISCV_HELPER_H
#define RISCV_HELPER_H

#include <tcg/ir.h>

#define HELPER(name) extern const struct ir_helper helper_##name;
#include "helpers.def"
#undef HELPER

/* Then the number of values and their types. */
#define HELPER_DEFINE(n, hflags, hret, hnargs, ...)                                    \
    const struct ir_helper helper_##n = { #n,     (void (*)(void))h_##n, hflags, hret, \
                                          hnargs, { __VA_ARGS__ } }

/* All, with NULL at the end. */
extern const struct ir_helper *const riscv_helpers[];

#endif
