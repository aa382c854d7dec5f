/*
 * An x86 CPU with a few pages of memory, of which everything is there twice: guest code is
 * translated once and run by the IR interpreter and by the host backend, and the two must agree. On
 * x86-64 hosts it also runs on the host's own CPU, and that must agree with them.
 *
 *     struct x86run *r = x86run_new("x86_64", "max", X86RUN_64);
 *     x86run_randomize(r, rand);
 *     x86run_set_code(r, bytes, 4);
 *     char *what = x86run_run(r);             NULL, or in what interpreter and backend differ
 *     what = x86run_host(r, undefined_flags); NULL, or in what the host differs from them
 *
 * Code runs at CPL 3 at X86RUN_PC until it leaves its bytes or raises an exception, which the guest
 * takes through a real IDT to a stack of its own: r->vector, r->error, r->cpu->cr2, and the frame's
 * values in r->pc, r->eflags.
 */
#ifndef TESTS_X86RUN_H
#define TESTS_X86RUN_H

#include <glib.h>
#include "target/x86/translate.h"

#define X86RUN_PC       UINT64_C(0x0f000000) /* the code's page */
#define X86RUN_RAM      UINT64_C(0x10000000)
#define X86RUN_PAGES    4
#define X86RUN_RO_PAGE  3
#define X86RUN_MAX_CODE 1200
#define X86RUN_GS       (X86RUN_RAM + 0x1800) /* base of GS */

enum x86run_mode {
    X86RUN_64,   /* 64-bit code */
    X86RUN_32,   /* flat 32-bit code, no long mode */
    X86RUN_16,   /* 16-bit protected-mode code: segments of 64 KiB */
    X86RUN_REAL, /* real-address mode, with segments' bases out of its reach */
};

struct x86run {
    struct x86_cpu *cpu; /* state before a run, the interpreter's after it */
    uint8_t *ram;        /* the same for memory */
    enum x86run_mode mode;
    uint8_t code[TCG_PAGE_SIZE]; /* breakpoints behind the code */
    size_t code_size;
    bool skipped;   /* the last run was given up: too many units */
    bool any_fault; /* x86run_host(): which of several faults is taken does not matter */
    unsigned units; /* that the interpreter went through in it */
    /* x86run_host(): the address of a page fault, and what was stored before it, do not matter */
    bool any_address;
    bool any_exception; /* x86run_host(): which of several MXCSR exceptions is raised does not */
    /* How the last run ended. */
    int vector; /* -1: no exception */
    uint32_t error;
    uint64_t pc;       /* linear */
    uint64_t eflags;   /* with those that the exception cleared */
    uint64_t compared; /* runs compared with the host so far */
    /* Of the run's beginning. */
    struct {
        uint64_t reg[16], eflags;
        struct x86_v128 xmm[16], ymmh[16];
        uint32_t mxcsr;
        uint8_t *ram;
        uint16_t cw, sw, tw;
        struct x86_f80 fpr[8];
    } before;
    GArray *special[3]; /* floats of all sizes */
    struct x86run_side *side[2];
    struct unitrun *jit;
};

struct x86run *x86run_new(const char *arch, const char *cpu, enum x86run_mode mode);
void x86run_free(struct x86run *r);

/* Random registers, flags and memory. General registers hold addresses in memory, corner values, or
 * anything; vectors floats of all kinds. */
void x86run_randomize(struct x86run *r, GRand *rand);
/* Units that are made of it are kept until the next call. */
void x86run_set_code(struct x86run *r, const void *code, size_t size);
/* NULL, or the difference (g_free). */
char *x86run_run(struct x86run *r);

/* Whether the host can run guests' code of @mode. */
bool x86run_has_host(enum x86run_mode mode);
/* Whether it has instructions of that FEAT_. */
bool x86run_host_has(unsigned feature);
/* After x86run_run(): runs the same code from the same state on the host, whose results must be
 * those of r->cpu but for bits of EFLAGS in @undefined. NULL, or the difference (g_free). */
char *x86run_host(struct x86run *r, uint32_t undefined);

/* Fails the running test with a line that names code and difference, and the registers before. */
void x86run_report(const struct x86run *r, const char *name, const char *what);

/* As digits (g_free). */
char *x86run_hex(const uint8_t *bytes, size_t size);

/* A random instruction of the row, decoded as such in this mode; its length, 0: could not. */
unsigned x86run_encode(struct x86run *r, const struct x86_form *form, GRand *rand, uint8_t *bytes);
/* What the CPU makes of them in its present mode; false: #UD. */
bool x86run_decode(struct x86run *r, const uint8_t *bytes, struct x86_insn *i);
/* If it is a direct jump or call, makes it go @rel bytes on from its end. */
void x86run_aim(struct x86run *r, uint8_t *insn, int32_t rel);
/* Random operands for a test that are not the same in each run: $MYNA_COUNT, else @normal. */
uint64_t x86run_count(uint64_t normal);

#endif
