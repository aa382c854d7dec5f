/*
 * Traps from S- and U-mode.
 */
#ifndef TRAP_H
#define TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include "layout.h"
#include "probe.h"

/*
 * Registers at the time of the trap, restored from here afterwards. In calls and interrupts only
 * the registers a C function may change are valid; in exceptions all of x1..x31.
 */
struct frame {
    unsigned long x[32];
    unsigned long mepc, mstatus;
    unsigned long padding[2]; /* keeps sp aligned to 16 */
};

_Static_assert(sizeof(struct frame) == FRAME_WORDS * sizeof(long), "start.S disagrees");
_Static_assert(offsetof(struct frame, mepc) == FRAME_MEPC * sizeof(long), "start.S disagrees");
_Static_assert(offsetof(struct frame, mstatus) == FRAME_MSTATUS * sizeof(long),
               "start.S disagrees");

/* Called by start.S. */
void trap_ecall(struct frame *frame);
void trap_interrupt(struct frame *frame, unsigned long cause);
void trap_exception(struct frame *frame, unsigned long cause);
void panic_trap(unsigned long cause, unsigned long pc, unsigned long value);

/* Hands a trap to S-mode as if the hart had delegated it. */
void trap_redirect(struct frame *frame, const struct trap *trap);

/*
 * Emulation. True when the instruction was carried out or `trap` was redirected meanwhile; false
 * when the trap stands.
 */
bool emulate_illegal(struct frame *frame, const struct trap *trap);
bool emulate_misaligned(struct frame *frame, const struct trap *trap);

/* Floating-point register to or from 1 << width bytes at `buffer`, which is aligned (fpregs.S). */
void fp_load(unsigned reg, unsigned width, void *buffer);
void fp_store(unsigned reg, unsigned width, void *buffer);

#endif
