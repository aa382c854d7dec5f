/*
 * Running one unit of guest code at a time, for harnesses that give each CPU a memory of its own:
 * on the host backend (nothing chained) and on the interpreter. Units are kept, so that a harness
 * may run them again from other states.
 *
 * A harness's struct for one CPU and its accelerator begins with `struct unitrun_side`, which
 * cpu->accel points to; cpu->unwind points to its `unwind`.
 */
#ifndef TESTS_UNITRUN_H
#define TESTS_UNITRUN_H

#include <tcg/ir.h>
#include <tcg/runtime.h>
#include <target/cpu.h>

#define UNITRUN_MAX_IR 4096

struct unitrun_side {
    struct fp_env fp; /* the interpreter's */
    bool jit,
        inside;    /* runs on the host backend; is in generated code, or in C called from there */
    bool unmerged; /* a CHECK did not hold: the next unit is to do without */
    sigjmp_buf unwind;
};

struct unitrun {
    struct tcg_runtime rt;
    struct backend_thunks *thunks;
    uint8_t *rw;
    const uint8_t *rx;
    size_t thunk_size, used; /* of the place for code; in use */
    GPtrArray *kept;         /* struct unitrun_unit */
    struct ir ir;            /* the unit to run */
    struct ir_insn insn[UNITRUN_MAX_IR];
    uint32_t scratch[2 * UNITRUN_MAX_IR]; /* for opt_run() */
};

/* @rt is copied; its lookup() is not used. */
struct unitrun *unitrun_new(const struct ir_slots *slots, const struct tcg_runtime *rt);
void unitrun_free(struct unitrun *u);

/* No attention, no flags, and every code page is mapped. */
void unitrun_prepare(struct cpu *cpu);
struct unitrun_unit;
/* Makes u->ir runnable on CPUs that are like @cpu; until unitrun_forget(). */
const struct unitrun_unit *unitrun_make(struct unitrun *u, struct cpu *cpu);
/* Runs it to where it leaves or raises. */
void unitrun_enter(struct unitrun *u, struct cpu *cpu, const struct unitrun_unit *unit);
/* Whether no unit is kept, or there is room for one more at least. */
bool unitrun_has_room(const struct unitrun *u);
void unitrun_forget(struct unitrun *u);
/* Runs u->ir once. */
void unitrun_run(struct unitrun *u, struct cpu *cpu);

/* For struct cpu_accel_ops. */
void unitrun_fp_set_round(struct cpu *cpu, enum fp_round round);
void unitrun_fp_set_control(struct cpu *cpu, enum fp_round round, bool daz, bool ftz);
unsigned unitrun_fp_flags(struct cpu *cpu, bool clear);

#endif
