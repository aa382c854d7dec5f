/*
 * Random x86 programs that get far: straight on but for jumps over one instruction, with addresses
 * that are mostly mapped and no use of what instructions leave undefined, so that one program,
 * translated once, is worth running from many states.
 *
 *     x86prog_make(&p, r, rand);
 *     x86run_set_code(r, p.code, p.size);
 *     x86run_randomize(r, rand);
 *     what = x86run_run(r);
 *     ... x86prog_reached(&p, r) instructions of it were run
 *
 * Between the random instructions stand others that prepare for them: MOVs of addresses, and
 * comparisons where flags are undefined. Those are not counted.
 */
#ifndef TESTS_X86PROG_H
#define TESTS_X86PROG_H

#include "x86run.h"

#define X86PROG_MAX 64 /* random instructions */

struct x86prog {
    uint8_t code[X86RUN_MAX_CODE];
    unsigned size, count;
    struct x86prog_insn {
        const struct x86_form *form;
        uint16_t start, end;
        uint16_t undefined; /* flags that are, behind it */
        bool skipped;       /* a jump may have gone over it */
    } insn[X86PROG_MAX];
};

/* A program for r's mode. */
void x86prog_make(struct x86prog *p, struct x86run *r, GRand *rand);
/* After x86run_run(): how many of its random instructions have been carried out, those not counted
 * that a jump may have skipped. */
unsigned x86prog_reached(const struct x86prog *p, const struct x86run *r);
/* The instruction in front of which the run ended, or NULL. */
const struct x86prog_insn *x86prog_stopped(const struct x86prog *p, const struct x86run *r);
/* Flags that are undefined where the run ended. */
uint16_t x86prog_undefined(const struct x86prog *p, const struct x86run *r);

/* Of the rows that may differ from the host in a way that the manuals allow: sets what
 * x86run_host() is not to compare for this instruction. */
void x86prog_allow(struct x86run *r, const struct x86_form *f, const uint8_t *bytes);
/* Whether the row's results on the host are the guest's at all. */
bool x86prog_on_host(const struct x86run *r, const struct x86_form *f, const uint8_t *bytes);
/* System instructions have tests of their own. */
bool x86prog_is_system(const struct x86_form *f);

#endif
