/*
 * What RISC-V's floating-point instructions do, written from the manual once more, on plain
 * numbers: decoded by fixed fields of the encoding, computed by tcg/softfp.
 */
#ifndef TESTS_RVFPREF_H
#define TESTS_RVFPREF_H

#include <stdbool.h>
#include <stdint.h>

struct rvfp_result {
    bool known; /* the instruction is one of those (not loads and stores) */
    bool illegal;
    bool to_f;      /* result goes to f[rd], else to x[rd] */
    uint64_t value; /* on RV32 integer results are the low half */
    unsigned flags; /* raised */
};

/* @name: as in the decode table, "fadd.s"; @f, @x: register values before; @x zero extended on
 * RV32. */
struct rvfp_result rvfp_reference(const char *name, uint32_t insn, const uint64_t *f,
                                  const uint64_t *x, unsigned frm);

#endif
