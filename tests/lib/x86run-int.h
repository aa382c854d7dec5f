/*
 * What the x86run*.c share.
 */
#ifndef TESTS_X86RUN_INT_H
#define TESTS_X86RUN_INT_H

#include "unitrun.h"
#include "x86run.h"

#define RAM_SIZE (X86RUN_PAGES * TCG_PAGE_SIZE)

/* Descriptor tables, TSS, the stack that exceptions are taken to; and where their handlers are. */
#define X86RUN_SYS    UINT64_C(0x0c000000)
#define SYS_SIZE      (4 * TCG_PAGE_SIZE)
#define SYS_TSS       0x400
#define SYS_IDT       0x1000
#define SYS_STACK     0x4000 /* its end */
/* Selectors of 16-bit code: entries of a local descriptor table. */
#define X86RUN_LDT(n) ((n) << 3 | 7)
#define HANDLERS      UINT64_C(0x0e000000)

/* A translated unit of the code: kept, for the same code is run from many states. */
struct x86run_unit {
    uint64_t pc;
    uint32_t flags;
    bool unmerged;
    const struct unitrun_unit *unit;
};

/* A CPU and its accelerator. */
struct x86run_side {
    struct unitrun_side side; /* first */
    struct x86_cpu *cpu;
    uint8_t *ram, *sys, *code;
    GArray *units; /* struct x86run_unit */
};

/* x86run-state.c */
void x86run_keep(struct x86run *r);    /* the state before a run */
void x86run_outcome(struct x86run *r); /* how it ended */

/* x86run-fp.c: x87 and MXCSR, also in and from FXSAVE's format. */
void x86run_random_fp(struct x86run *r, GRand *rand);
void x86run_keep_fp(struct x86run *r);
void x86run_load_fp(const struct x86run *r, uint8_t *fx);
char *x86run_compare_fp(const struct x86run *r, const uint8_t *fx);

#endif
