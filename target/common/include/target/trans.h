/*
 * Translating one unit: what a guest front end may use while it turns an instruction into IR.
 *
 * The driver (target/common/trans.c) forms superblocks: it calls cpu_ops.translate() once an
 * instruction, follows direct jumps, turns jumps to the unit's own head into loops, guards page
 * crossings and decides where to end. The front end decodes at t->pc, sets t->next, emits IR,
 * and says how control goes on with exactly one of the trans_* calls where it is not straight on:
 *
 *     static bool tr_beq(struct trans *t, const struct args *a)
 *     {
 *         trans_branch(t, IR_EQ, reg(t, a->rs1), reg(t, a->rs2), t->pc + a->imm);
 *         return true;
 *     }
 */
#ifndef TARGET_TRANS_H
#define TARGET_TRANS_H

#include <target/cpu.h>

/* A branch over the next few instructions that has not been emitted yet. */
struct trans_skip {
    bool on;
    enum ir_cond cond;
    ir_val a, b;
    uint64_t to;
};

struct trans {
    struct ir *ir;
    struct cpu *cpu;   /* only for what is constant for it (model, extensions) */
    uint32_t flags;    /* unit flags */
    uint64_t pc;       /* of this instruction */
    uint64_t next;     /* of the one behind it; the front end sets it before emitting */
    uint64_t guest[8]; /* front end's own, zeroed at the start of a unit; [0] is for what matters to
                          one instruction only */
    /* Driver's own from here. */
    uint64_t start;
    unsigned insns, max_insns;
    unsigned count_slot; /* counts the instructions (-icount); 0: nobody does */
    enum { TRANS_NEXT, TRANS_GOTO, TRANS_ENDED } how;
    uint64_t target;
    struct trans_skip skip;
    unsigned rounds;   /* repetitions of a short loop so far */
    bool single;       /* one instruction only */
    bool no_loop;      /* jumps to the own head leave the unit like others */
    bool no_checks;    /* the unit is one that a failed CHECK leads to: it must have none */
    bool cold;         /* what follows is rarely reached: end here */
    bool straddles;    /* the only instruction reaches into a second page */
    bool fetch_failed; /* with fault_pc; the first instruction's if insns is 0 */
    uint64_t fault_pc;
    uint64_t page[4]; /* code pages that the unit may run in, guarded but for the first */
    unsigned npages;
    const struct trans_fetch *fetch;
    void *fetch_opaque;
    uint64_t word_at; /* trans_fetch8's: address | 1 of the aligned word read last */
    uint32_t word;
};

/* The accelerator's access to code. */
struct trans_fetch {
    /* @size 2 or 4 bytes (little endian) at @vaddr within one page; false: not fetchable (the fault
     * is recorded). */
    bool (*read)(void *opaque, uint64_t vaddr, unsigned size, uint32_t *val);
    bool (*breakpoint)(void *opaque, uint64_t vaddr);
};

/* Code at t->pc + offset, 16 bits; on failure 0, and the driver ends the unit before this
 * instruction (or, if it is the first, makes the guest take the fetch fault). Front ends need not
 * check. */
uint16_t trans_fetch16(struct trans *t, unsigned offset);
/* The same for one byte, where instructions are any number of them. */
uint8_t trans_fetch8(struct trans *t, unsigned offset);

/* The driver, for accelerators: translates from t->start into t->ir, which has begun; cpu, flags,
 * max_insns, single, fetch are set. With insns 0 afterwards the first instruction could not be
 * fetched. */
void trans_unit(struct trans *t);

/* Control leaves straight line. Each is the last thing that an instruction emits. */
void trans_goto(struct trans *t, uint64_t pc); /* direct jump */
void trans_branch(struct trans *t, enum ir_cond c, ir_val a, ir_val b, uint64_t taken);
void trans_goto_ind(struct trans *t, ir_val pc); /* indirect; a constant becomes direct */
void trans_resync(struct trans *t);              /* go on at t->next, unit flags may have changed */
void trans_end(struct trans *t);                 /* a helper has set pc, or never returns */

#endif
