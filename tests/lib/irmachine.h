/*
 * A small guest to run IR on: registers of every slot type, eleven pages of memory of every kind, a
 * device, helpers of every signature. Backends are run on it by one interface, so that results can
 * be compared: struct irm_backend. To add a backend: fill in one of those.
 */
#ifndef TESTS_IRMACHINE_H
#define TESTS_IRMACHINE_H

#include <glib.h>
#include <setjmp.h>
#include <tcg/abi.h>
#include <tcg/ir.h>
#include <tcg/runtime.h>
#include <tcg/softfp.h>

/* Slots by number. */
enum {
    IRM_H = 0,  /* h0 to h15: i64; h0 to h11 are hot */
    IRM_W = 16, /* w0 to w3: i32; w0 and w1 are hot */
    IRM_X = 20, /* x0 to x5: i64 */
    IRM_F = 26, /* f0 to f5: f64 */
    IRM_V = 32, /* v0 to v3: v128 */
    IRM_NB_SLOTS = 36
};
extern const struct ir_slots irm_slots;
extern const struct ir_helper *const irm_helpers[];
enum {
    IRM_HELPER_PURE2,
    IRM_HELPER_PURE_I32,
    IRM_HELPER_MIX4,
    IRM_HELPER_SEEN,
    IRM_HELPER_BUMP,
    IRM_HELPER_RAISE_IF,
    IRM_HELPER_JUMP,
    IRM_HELPER_ROUND,
    IRM_HELPER_REMAP,
    IRM_HELPER_RAISE,
};

/*
 * Memory, in pages from IRM_RAM: 0 to 6 plain, 7 plain but always through the slow path, 8 read
 * only, 9 a device. All else is unmapped. In MMU mode 1 pages 0 to 6 lie in reverse order;
 * the helper "remap" turns both modes round.
 */
#define IRM_RAM         UINT64_C(0x40000000)
#define IRM_PLAIN_PAGES 7
#define IRM_SLOW_PAGE   7
#define IRM_RO_PAGE     8
#define IRM_DEVICE_PAGE 9
#define IRM_PAGES       9 /* with memory behind them */

struct irm_cpu {
    struct tcg_cpu tcg; /* first */
    uint64_t x[6], f[6];
    uint32_t w[2];
    union tcg_wide v[4];
    struct irm *machine;
};

enum irm_how { IRM_LEFT, IRM_UNMERGED, IRM_FAULT, IRM_RAISED };

struct irm {
    struct irm_cpu *cpu;
    uint8_t *ram; /* IRM_PAGES pages */
    struct fp_env fp;
    /* Of the backend that runs; NULL for those that look at fp.round. */
    void (*round_changed)(struct irm *m);
    uint64_t io_count, io_hash; /* what the device saw */
    unsigned fills;             /* of the TLBs */
    bool remapped;              /* plain pages lie the other way round, in both modes */
    uint64_t fault_addr;
    uint32_t fault_mem;
    enum irm_how how; /* as the last run ended */
    sigjmp_buf unwind;
    /* The unit for the CPU's pc, or NULL if the program ends there: for backends that go from unit
     * to unit by themselves. NULL where a single unit is run. */
    void *(*next_unit)(struct irm *m, bool unmerged);
    void *program;
};

extern const struct tcg_runtime irm_runtime;

struct irm *irm_new(void);
void irm_free(struct irm *m);
/* Registers and memory from @rand; h8 to h11 point into memory, h15 is small. TLB empty. */
void irm_randomize(struct irm *m, GRand *rand);
/* Half of a vector: integers, or floats of either size. */
uint64_t irm_random_lanes(GRand *rand);
/* Makes @to's guest-visible state that of @from. */
void irm_copy(struct irm *to, const struct irm *from);
/* NULL, or the first difference of what a guest can see (to be g_free()d). */
char *irm_compare(const struct irm *a, const struct irm *b);

/* A way to run units. */
struct irm_backend {
    const char *name;
    unsigned passes;                        /* of tcg/opt.h, before new_unit() */
    void *(*new_unit)(const struct ir *ir); /* NULL: too long, fewer instructions may do */
    void (*free_unit)(void *unit);
    /* Runs @unit, and perhaps those after it; m->how and the CPU's pc say how it was left. */
    void (*run)(struct irm *m, void *unit);
};
extern const struct irm_backend irm_interp; /* the reference */
/* irjit.c: generated code, on hosts that have a backend; one without optional instructions, one
 * without AVX, one that calls the evaluator for vectors, one that goes from unit to unit. */
extern const struct irm_backend irm_jit, irm_jit_dead, irm_jit_opt, irm_jit_plain, irm_jit_sse,
    irm_jit_called, irm_jit_chained;
/* All that there are, the reference first; terminated by NULL. */
extern const struct irm_backend *const irm_backends[];

#endif
