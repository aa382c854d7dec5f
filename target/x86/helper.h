/*
 * C functions that generated code calls. The function's name is h_<name>, its descriptor's
 * helper_<name>.
 *
 *     static void h_cpuid(struct cpu *cpu) { ... }
 *     HELPER_DEFINE(cpuid, IR_H_CPU | IR_H_READS | IR_H_WRITES, IR_VOID, 0);
 */
#ifndef X86_HELPER_H
#define X86_HELPER_H

#include <tcg/ir.h>

#define HELPER(name) extern const struct ir_helper helper_##name;
#include "helpers.def"
#undef HELPER

/* Then the number of values and their types. */
#define HELPER_DEFINE(n, hflags, hret, hnargs, ...)                                    \
    const struct ir_helper helper_##n = { #n,     (void (*)(void))h_##n, hflags, hret, \
                                          hnargs, { __VA_ARGS__ } }

/* What a helper declares that looks at registers, changes them, and may raise. */
#define HELPER_ANY (IR_H_CPU | IR_H_READS | IR_H_WRITES | IR_H_RAISES)

#endif
