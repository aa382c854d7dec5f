/*
 * Harts: their table, their privileged set-up, and how they signal each other.
 */
#ifndef HART_H
#define HART_H

#include <stdbool.h>
#include <stdint.h>
#include "layout.h"
#include "util.h"

/* States as SBI's HSM extension numbers them (SBI 2.0, table 9.1); CLAIMED never leaves hsm.c. */
enum hart_state {
    HART_STARTED = 0,
    HART_STOPPED = 1,
    HART_START_PENDING = 2,
    HART_SUSPENDED = 4,
    HART_CLAIMED = 100,
};

/* What a hart can do, from the devicetree's ISA string. */
enum {
    ISA_SSTC = 1 << 0,
    ISA_SVPBMT = 1 << 1,
    ISA_SVADU = 1 << 2,
    ISA_SVADE = 1 << 3,
    ISA_ZICBOM = 1 << 4,
    ISA_ZICBOZ = 1 << 5,
    ISA_SMSTATEEN = 1 << 6,
    ISA_ZKR = 1 << 7,
    ISA_SSCOFPMF = 1 << 8,
};

#define MAIL_SSIP 1ul

enum fence_kind { FENCE_I, FENCE_VMA, FENCE_VMA_ASID };

struct fence {
    enum fence_kind kind;
    unsigned long start, size, asid;
    unsigned long left; /* harts that have not done it yet; atomic */
};

#define HART_WORDS (MAX_HARTS / BITS_PER_LONG)

struct hart_set {
    unsigned long word[HART_WORDS]; /* by index into the hart table */
};

struct hart {
    unsigned long id;
    uint32_t index;
    uint32_t isa;
    uint32_t intc_phandle; /* of its interrupt controller node; only while scanning */

    volatile uint32_t *msip;     /* software interrupt register, or NULL */
    volatile uint32_t *mtimecmp; /* timer compare register and counter, low word first */
    volatile uint32_t *mtime;
    bool sstc;         /* stimecmp is there and enabled */
    bool emulate_time; /* the time CSR traps */

    /* Written by other harts, with atomics. */
    uint32_t state;
    unsigned long mail;         /* MAIL_* */
    struct hart_set fence_from; /* harts whose `fence` this one is to carry out */

    /* Where S-mode begins; guarded by `state` */
    unsigned long start_addr, start_arg;

    struct fence fence; /* what this hart asks of others */
};

_Static_assert(sizeof(struct hart) <= HART_SIZE, "struct hart outgrew its place in the slot");

/* Searched by start.S, in order of the table. */
extern unsigned long hart_ids[MAX_HARTS], hart_count;

extern uint8_t hart_slots[];

static inline struct hart *hart_at(unsigned long index)
{
    return (struct hart *)(hart_slots + ((index + 1) << SLOT_SHIFT) - HART_SIZE);
}

static inline struct hart *hart_self(void)
{
    struct hart *self;

    __asm__ volatile("mv %0, tp" : "=r"(self));
    return self;
}

/* The hart with this id, or NULL. */
struct hart *hart_find(unsigned long id);

/* Appends a hart to the table (boot only); NULL when it is full or the id is taken. */
struct hart *hart_add(unsigned long id);

/* Delegation, counters, extensions and memory protection of the running hart; enables its IPIs. */
void hart_setup(void);

/* Waits until another hart starts this one, then enters S-mode. Never returns. */
void hart_wait(void) __attribute__((noreturn));
void hart_restart(void) __attribute__((noreturn));

/* Enters S-mode at `addr` with a0 = hart id and a1 = `arg`, address translation off. */
void hart_enter(unsigned long addr, unsigned long arg) __attribute__((noreturn));
void supervisor_enter(unsigned long id, unsigned long arg) __attribute__((noreturn));

/* Makes `hart` look into its mailbox; it must have `msip`. */
void hart_ring(struct hart *hart);

/* Does what the mailbox of the running hart asks for. */
void hart_read_mail(void);

/* Local fences; a range that is large or wraps becomes a fence of everything. */
void fence_local(const struct fence *fence);

/* Carries out the fences that other harts wait for. */
void fence_answer(void);

/* Has every hart of `set` carry out `fence` and waits for them. */
void fence_remote(const struct hart_set *set, const struct fence *fence);

/* The machine timer of a hart without Sstc, and its interrupt. */
bool timer_present(const struct hart *hart);
void timer_set(uint64_t when);
uint64_t timer_now(const struct hart *hart);
void timer_expired(void);

#endif
