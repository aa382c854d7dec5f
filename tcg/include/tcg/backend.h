/*
 * A host backend: turns a unit's IR into host code.
 *
 * Code is position independent but for jumps to the backend's thunks and to other units, all of
 * which are 32-bit relative; `struct backend_out` lists the links to other units. A unit has two
 * entries: the *checked* one at its start compares unit flags (attention bit included) and the
 * mapping cell of its first page, for arrivals that know nothing; `entry` behind it is for links
 * from units with the same flags in the same page.
 *
 * To add a host: a folder tcg/host-<cpu>/ that defines `const struct backend backend_host`.
 */
#ifndef TCG_BACKEND_H
#define TCG_BACKEND_H

#include <tcg/ir.h>
#include <tcg/runtime.h>

/* Where a code page's mapping is verified: the cell's offset in struct tcg_cpu, and its id. */
struct backend_map {
    uint32_t cell;
    uint32_t id;
};

/* Where a direct exit is chained to its target by backend->link(): offsets from the unit's start.
 */
struct backend_link {
    uint16_t jump;     /* rel32 field to patch */
    uint16_t unlinked; /* where it points while unlinked */
    uint16_t guard; /* offset of the mapping compare's disp32 and imm32 fields, or 0: same page */
};

struct backend_exit {
    uint64_t pc;
    struct backend_link link;
};

/*
 * What a unit's code holds of the place that it was made for, so that a copy of it can be made for
 * another: position in the code << 2 | kind. Exits are not among them.
 */
enum backend_move {
    MOVE_ADDR,   /* a guest address, 8 bytes */
    MOVE_HALVES, /* one in two words with BACKEND_HALVES between their starts */
    MOVE_CODE,   /* a distance to the thunks, 4 bytes */
    MOVE_MAP,    /* a mapping compare's disp32 and imm32 */
};
#define BACKEND_MAX_MOVES 1024
#define BACKEND_HALVES    10

#define BACKEND_MAX_EXITS 64
#define BACKEND_CHECKED   16 /* offset of the checked entry */

struct backend_in {
    struct ir *ir;
    uint8_t *rw;       /* where to write */
    const uint8_t *rx; /* where it will run */
    size_t room;
    void *opaque;
    /* Mapping of the code page that holds @pc. */
    struct backend_map (*map)(void *opaque, uint64_t pc);
    const void *unit;  /* stored before the code, handed to runtime->link */
    uint64_t *counter; /* counts entries, if not NULL */
    /* Code page that the first instruction reaches into, checked at the entry too; or 0. */
    uint64_t page2;
    /* It was asked for where a CHECK did not hold. Where its checked entry fails, runtime->nomerge
     * is asked again: any other unit for that pc could end in the same CHECK. */
    bool unmerged;
};

struct backend_out {
    uint32_t size; /* bytes used, 16-byte multiple */
    uint32_t entry;
    uint32_t nexits;
    bool movable;    /* the moves are all that depends on ir->pc */
    uint32_t nmoves; /* 0 if not movable */
    uint16_t move[BACKEND_MAX_MOVES];
    struct backend_exit exit[BACKEND_MAX_EXITS];
};

/* Additional functions that only compiled code needs. */
struct backend_runtime {
    struct tcg_runtime rt;
    /* First run of direct exit @index of @unit; links it if possible. The code to go on with. */
    const void *(*link)(struct tcg_cpu *cpu, const void *unit, uint32_t index);
    /* A CHECK did not hold: the code to go on with at cpu->pc, an unmerged variant. */
    const void *(*nomerge)(struct tcg_cpu *cpu);
};

struct backend_thunks; /* host's own: addresses of the shared code pieces */

struct backend {
    const char *name;
    /* Emits the shared pieces (enter, leave, slow paths) at the start of the code cache; returns
     * their size. */
    size_t (*init)(struct backend_thunks **thunks, uint8_t *rw, const uint8_t *rx, size_t room,
                   const struct backend_runtime *rt, const struct ir_slots *slots);
    void (*fini)(struct backend_thunks *thunks);
    /* False: did not fit (room, exits); try again with fewer instructions or elsewhere. */
    bool (*generate)(struct backend_thunks *thunks, const struct backend_in *in,
                     struct backend_out *out);
    /* Runs from @code until something leaves. */
    void (*enter)(const struct backend_thunks *thunks, struct tcg_cpu *cpu, const void *code);
    /* What lookup() returns to leave generated code. */
    const void *(*leave)(const struct backend_thunks *thunks);
    /* Points the exit at @target's (rx addresses; target NULL: back to unlinked). Safe against
     * running CPUs. */
    void (*link)(uint8_t *unit_rw, const uint8_t *unit_rx, const struct backend_link *exit,
                 const struct backend_map *map, const void *target);
    /* Makes @rw, to run at @rx, of the code of a unit with these moves: @unit's, for addresses that
     * are
     * @distance higher. @map gives the mapping that stands for another one there. */
    void (*copy)(uint8_t *rw, const uint8_t *rx, const uint8_t *from_rx, uint32_t size,
                 const void *unit, uint64_t distance, const uint16_t *move, unsigned nmoves,
                 struct backend_map (*map)(void *opaque, uint32_t id), void *opaque);
    /* Makes the checked entry fail from now on. Safe against running CPUs. */
    void (*disable)(uint8_t *unit_rw);
    /* Sticky FP flags FP_* (target/cpu.h) held by the host unit: read and clear; and rounding. On
     * the CPU's thread. */
    unsigned (*fp_flags)(struct tcg_cpu *cpu, bool inside); /* without clearing them */
    unsigned (*fp_take_flags)(struct tcg_cpu *cpu, bool inside);
    void (*fp_set_round)(struct tcg_cpu *cpu, unsigned round, bool inside);
    /* The same with denormal operands and results taken as zeros (x86's DAZ, FTZ). */
    void (*fp_set_control)(struct tcg_cpu *cpu, unsigned round, bool daz, bool ftz, bool inside);
};

extern const struct backend backend_host;

/* Room that must be left for any unit to fit; as far as 16-bit offsets reach. */
#define BACKEND_UNIT_ROOM (64 * 1024)

#endif
