/*
 * Random guest programs in IR: line after line of "guest instructions" of the test guest
 * (irmachine.h), each made from its own seed, so that a unit can start at any of them, hold any
 * number of them, and be merged or not. Programs end: every jump back uses up some of h15.
 *
 *     struct irgen prog = { .seed = 1, .insns = 30, .features = IRGEN_ALL };
 *     char *wrong = irgen_compare(&prog, reference, 1, backend, 30);
 */
#ifndef TESTS_IRGEN_H
#define TESTS_IRGEN_H

#include "irmachine.h"

enum irgen_feature {
    IRGEN_INTEGER = 1,
    IRGEN_MEMORY = 2,
    IRGEN_BRANCH = 4,
    IRGEN_CALL = 8,
    IRGEN_FLOAT = 16,
    IRGEN_VECTOR = 32,
    IRGEN_ATOMIC = 64,
    IRGEN_PRESSURE = 128, /* many values live at once, slots written while their old value lives */
    IRGEN_BIG_ENDIAN = 256,
    IRGEN_GUARD = 512,
    IRGEN_ALL = 1023,
};

struct irgen {
    uint32_t seed;
    unsigned insns;
    unsigned features;
};

/* Of the first instruction; each is 4 bytes. The 16th lies in another page. */
#define IRGEN_PC UINT64_C(0x80001fc4)

/* Room that a unit of @insns instructions needs. */
#define IRGEN_ROOM(insns) (400 * (insns) + 100)

/* Builds a unit of at most @count instructions from number @from on. */
void irgen_build(const struct irgen *p, struct ir *ir, unsigned from, unsigned count);

/*
 * Runs the program from a random state on two backends, with units of so many instructions at most,
 * until it leaves the program. NULL if they agree, else what differs (to be g_free()d).
 */
char *irgen_compare(const struct irgen *p, const struct irm_backend *a, unsigned insns_a,
                    const struct irm_backend *b, unsigned insns_b);
/* All units of the program as text. */
void irgen_print(const struct irgen *p, unsigned insns, unsigned passes, FILE *to);

#endif
