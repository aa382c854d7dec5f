/*
 * A RISC-V hart with four pages of memory, of which everything is there twice: guest code is
 * translated once and run by the IR interpreter and by the host backend, and the two must agree.
 *
 *     struct rvrun *r = rvrun_new("riscv64", "max");
 *     rvrun_randomize(r, rand);
 *     rvrun_set_code(r, &insn, 4);
 *     char *what = rvrun_run(r);         NULL, or in what they differ
 *     r->cpu->f[a.rd]                    the interpreter's result, for further checks
 *
 * The code stands alone at RVRUN_PC; behind it nothing can be fetched, so the unit ends there.
 */
#ifndef TESTS_RVRUN_H
#define TESTS_RVRUN_H

#include <glib.h>
#include <target/decode.h>
#include "target/riscv/riscv.h"

#define RVRUN_PC      UINT64_C(0x1000)
#define RVRUN_RAM     UINT64_C(0x80000000)
#define RVRUN_PAGES   4
#define RVRUN_RO_PAGE 3 /* stores there are access faults, as accesses outside are */

struct rvrun {
    struct riscv_cpu *cpu; /* state before a run, the interpreter's after it */
    uint8_t *ram;          /* the same for memory */
    unsigned round;        /* environment's rounding before a run while frm has no such mode */
    bool loops; /* the unit of the last run could jump to its own head, and was not run */
    struct rvrun_side *side[2];
    struct unitrun *jit;
    uint64_t *pool; /* random values, from the first rvrun_randomize() */
    uint8_t code[256];
    size_t code_size;
};

/* @arch and @cpu as for cpu_create(). */
struct rvrun *rvrun_new(const char *arch, const char *cpu);
void rvrun_free(struct rvrun *r);

/*
 * Random registers and memory: x registers hold addresses in memory, corner values, or anything; f
 * registers values of all formats, boxed rightly and wrongly. M mode, FS and VS dirty, any valid
 * frm; tests change what they want different.
 */
void rvrun_randomize(struct rvrun *r, GRand *rand);
void rvrun_set_code(struct rvrun *r, const void *code, size_t size);
/* Runs the code, which begins with an instruction and ends with one, to where it leaves its unit.
 * NULL, or the difference (g_free). */
char *rvrun_run(struct rvrun *r);

/* A random instruction of the form that this CPU has and decodes so; false: has not. */
bool rvrun_encode(const struct rvrun *r, const struct decode_table *table, unsigned form,
                  GRand *rand, uint32_t *insn);
/* Random operands for a test that are not the same in each run: $MYNA_COUNT, else @normal. */
unsigned rvrun_count(unsigned normal);

#endif
