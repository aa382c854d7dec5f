/*
 * The translating accelerator: private declarations of accel/tcg.
 *
 * Threads. One thread a virtual CPU runs guest code; all share one code cache and one table of
 * units. `struct tcg.lock` guards everything about units but what readers may look at without it:
 * the hash chains and the fields of a unit that lookups compare, which are written before the unit
 * is published. A unit's memory, and its code, stay until every CPU has been outside of generated
 * code since the unit was removed (cache.c). Lock order: device lock, then tcg.lock; no callbacks
 * are made with it held.
 */
#ifndef ACCEL_TCG_H
#define ACCEL_TCG_H

#include <pthread.h>
#include <base/arena.h>
#include <mem/ram.h>
#include <mem/space.h>
#include <tcg/backend.h>
#include <target/cpu.h>
#include <target/trans.h>

struct machine;
struct opts;
struct tcg_vcpu;
struct unit;

#define UNIT_PAGES 5 /* of code that one unit may use: four entered, one reached into */

/* Bits added to a CPU's unit flags in a unit's key: variants of the translation. */
enum unit_variant {
    VARIANT_NOMERGE = 1, /* every access is checked by itself */
    VARIANT_SINGLE = 2,  /* one instruction, never chained */
};

struct fresh;
struct code_page {
    uint64_t lines;      /* atomic: 64-byte lines that some unit was made from */
    struct fresh *fresh; /* or NULL: no store is on its way that does not know of this (fresh.c) */
    struct unit **unit;
    unsigned n, max;
};

/* A direct exit. */
struct unit_exit {
    struct unit *to;        /* that it is linked to, or NULL */
    struct unit_exit *next; /* of those that are linked there, too */
    struct backend_link link;
    uint8_t index; /* in its unit */
};

/* A page that a unit was made from. */
struct unit_page {
    uint64_t lines;
    uint32_t ram; /* number of the RAM page */
    uint32_t map; /* mapping id */
};

/*
 * There are many: they are kept small, in the arena of the region that holds their code, each with
 * its exits and pages behind it.
 */
struct unit {
    /* Constant once published. */
    uint64_t pc;
    uint32_t flags;
    uint32_t map;  /* mapping id of the page at pc */
    uint32_t at;   /* of the code in the cache */
    uint16_t size; /* of the code, in 16 bytes */
    uint16_t entry;
    union {
        struct interp_unit *interp;
        uint64_t count; /* entries, if counted: by generated code */
    };
    uint8_t insns, variant, npages, nexits;
    bool straddles; /* the first instruction reaches into the second page */
    bool movable;   /* a struct unit_moves is behind the pages */
    bool loops;     /* back to its own head, so that who is in it may stay for long */

    bool dead;         /* atomic */
    struct unit *next; /* hash chain; atomic */

    /* tcg.lock */
    struct unit *region_next;
    struct unit_exit *incoming; /* what is linked here */
    struct unit_exit exit[];
    /* struct unit_page[npages], struct unit_moves */
};

/* What move.c needs to make copies of a unit for other addresses. */
struct unit_moves {
    struct unit *next; /* in the table of such units */
    uint16_t n, move[];
};

static inline struct unit_page *unit_pages(const struct unit *u)
{
    return (struct unit_page *)(uintptr_t)&u->exit[u->nexits];
}

static inline struct unit_moves *unit_moves(const struct unit *u)
{
    return (struct unit_moves *)&unit_pages(u)[u->npages];
}

/* A virtual page as code in one privilege: what a mapping id stands for. */
struct map_info {
    uint64_t vpage;
    ram_addr_t ram;
    const uint8_t *host;
    uint32_t mode;
    bool global;
};

#define CACHE_REGIONS 16
struct region {
    uint8_t *rw;
    const uint8_t *rx;
    size_t used, lost;  /* lost: to the thunks */
    struct arena arena; /* of the units */
    struct unit *units;
    uint64_t evicted; /* epoch at which its units were removed; 0: in use or never used */
};

struct tcg_stats {
    uint64_t units, moved, insns, bytes, translate_ns;
    uint64_t invalidated, evictions, flushes, links, late_stores;
    uint64_t called; /* atomic: CPUs that were called out of units that loop */
};

/* For counters with one writer at a time that others may look at. */
static inline void stat_add(uint64_t *stat, uint64_t n)
{
    __atomic_store_n(stat, __atomic_load_n(stat, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static inline uint64_t stat_get(const uint64_t *stat)
{
    return __atomic_load_n(stat, __ATOMIC_RELAXED);
}

/* -icount: one thread runs all CPUs in turn, and an instruction takes 2^shift ns (icount.c). */
struct icount {
    bool on;
    bool sleep; /* an idle guest waits for the host's time */
    bool tuned; /* shift follows the host's speed */
    unsigned shift;
    int64_t tuned_at;     /* CLK_REALTIME of the last adjustment */
    uint64_t tuned_insns; /* of all CPUs since */
};

struct tcg {
    struct machine *machine;
    struct icount icount;
    struct ram *ram;
    bool interp;
    bool count; /* keep execution counters */
    struct backend_thunks *thunks;
    const struct cpu_ops *guest;
    struct tcg_vcpu **vcpu;
    unsigned nvcpus;
    size_t cache_size, region_size;
    size_t filling;  /* offset of the two MiB that code goes to now; lock */
    bool no_huge;    /* the host has no huge pages for code; lock */
    uint64_t rested; /* atomic: what had been made when cache_rest() last did anything */
    uint8_t *cache_rw;
    const uint8_t *cache_rx;
    struct perf *perf; /* or NULL */

    pthread_mutex_t build_lock; /* outside of lock: the scratch below and the backend */
    pthread_mutex_t lock;
    pthread_cond_t parked, resumed; /* with the device lock: CPUs stopped; may go on */
    struct space_listener listener;
    bool quit;                  /* atomic */
    struct tcg_vcpu *exclusive; /* atomic: for whom all others stand still (exclusive.c) */
    pthread_mutex_t exclusive_lock;
    pthread_cond_t exclusive_over;
    struct region region[CACHE_REGIONS];
    unsigned cur;
    uint64_t epoch;                         /* atomic to read: counts evictions and fresh pages */
    uint64_t evict_epoch;                   /* atomic to read: of the last eviction */
    struct fresh *fresh_first, *fresh_last; /* oldest first */
    unsigned nfresh;                        /* atomic to read */
    struct unit **hash;                     /* atomic heads */
    struct unit **movable;                  /* move.c's table; lock */
    struct map_info *map; /* by id; entries are written before their id gets out */
    uint32_t nmaps;
    GHashTable *map_index;
    struct code_page **pages; /* by RAM page number; atomic pointers */
    uint64_t npages;
    uint64_t pages_end; /* past the last one that was ever set; lock */
    uint8_t *lines;     /* for LDX and STX (tcg/abi.h) */
    struct tcg_stats stats;
    /* Scratch of the one that translates. */
    struct ir ir;
    struct ir_insn *insns;
    uint32_t *scratch;
    uint64_t (*code)[TCG_PAGE_SIZE / sizeof(uint64_t)]; /* UNIT_PAGES: what is translated */
};

#define HASH_BITS      18
#define MOVABLE_BITS   16
#define MAX_IR         3000
#define MAX_UNIT_INSNS 96
#define MAX_MAPS       (1u << 22)

#define NB_SPACES 256
#define TLB2_BITS 13
#define TLB2_SIZE (1u << TLB2_BITS)

/* Second-level TLB entry. */
struct tlb2_entry {
    uint64_t page;  /* virtual page address | MMU mode */
    uint64_t stamp; /* valid while equal to tcg_cpu.stamp[global] */
    uint8_t prot;
    bool global;
    uint64_t paddr; /* of the page */
    uint8_t *host;  /* of the page if RAM or ROM, else NULL */
    ram_addr_t ram;
    bool readonly; /* memory that stores do not reach directly */
};

static inline uint8_t *unit_rw(const struct tcg *tcg, const struct unit *u)
{
    return tcg->cache_rw + u->at;
}

static inline const uint8_t *unit_rx(const struct tcg *tcg, const struct unit *u)
{
    return tcg->cache_rx + u->at;
}

/* Mapping id of the page that the first instruction reaches into, or 0. */
static inline uint32_t unit_map2(const struct unit *u)
{
    return u->straddles ? unit_pages(u)[1].map : 0;
}

#define CELLS_NOTED 512

struct tcg_vcpu {
    struct tcg *tcg;
    struct cpu *cpu;
    uint64_t
        seen; /* atomic: last epoch seen outside of units; UINT64_MAX while not in generated code */
    bool inside; /* generated code, or C that it called, is running */
    sigjmp_buf unwind;
    unsigned modes_used,
        modes_nonglobal; /* bit masks: first-level TLBs that hold anything, anything not global */
    uint64_t space;
    uint64_t last_stamp;
    struct {
        uint64_t space, stamp;
    } spaces[NB_SPACES];     /* stamps of address spaces seen lately */
    uint64_t big_lo, big_hi; /* range of pages larger than 4 KiB that were entered */
    struct tlb2_entry *tlb2;
    struct {
        uint32_t n; /* CELLS_NOTED and more: all may be */
        uint32_t index[CELLS_NOTED];
    } cells[2];           /* mapping cells that may be filled */
    uint64_t jumps_epoch; /* the last eviction that the jump cache was emptied for */
    bool forget_maps;     /* atomic: all mapping ids are void */
    bool nomerge_once;
    bool in_unit; /* generated code, or C that it called, or the interpreter is running */
    bool single;  /* of the unit that was entered: one instruction, whose exit is not linked */
    /* The instruction was left undone, to be done again by itself: a store met code of the unit
     * that it is in; or while other CPUs stand still. */
    enum { REDO_NOT, REDO_ALONE, REDO_EXCLUSIVE } redo;
    bool exclusive;     /* they do */
    uint64_t modify_pc; /* the instruction that may change such code; ~0: none */
    bool watch_hit;     /* an access met a watchpoint and was left undone; see cpu->debug_stop */
    bool watch_over;    /* gdb was told of that: the instruction at watch_pc may run now */
    uint64_t watch_pc;
    struct {
        uint64_t lookups, jump_fills, tlb_slow, tlb2_hits, walks, io, code_writes, nomerge;
    } stats;
    struct fp_env *fp;  /* interpreter's */
    uint64_t noted;     /* -icount: tcg.insns that the virtual clock knows of */
    uint64_t slice_end; /* -icount: tcg.insns at which the next CPU has its turn */
};

static inline struct tcg_vcpu *vcpu_of(struct cpu *cpu)
{
    return cpu->accel;
}

/* cache.c: memory for code, and when it may be used again. */
bool cache_init(struct tcg *tcg, GError **err);
void cache_free(struct tcg *tcg);
/* Room for one unit; lock held, may drop and take it while it waits for CPUs. */
struct region *cache_room(struct tcg *tcg, struct tcg_vcpu *self);
/* To be called by a CPU that is in no unit: what was evicted before may be used again as far as it
 * is concerned. */
void cache_quiescent(struct tcg_vcpu *v);
void cache_online(struct tcg_vcpu *v);
void cache_offline(struct tcg_vcpu *v);
/* To be called when a CPU has nothing to do: gives up pages of the writable view. Any thread. */
void cache_rest(struct tcg *tcg);
/* Whether every CPU has been in no unit since @epoch; with @kick: makes those leave that have not.
 */
bool cache_all_seen(struct tcg *tcg, uint64_t epoch, bool kick);
/* Empties the jump cache; on the CPU's thread or while it is stopped. */
void cache_forget_jumps(struct cpu *cpu);

/* map.c: which memory a virtual page of code is. */
/* Mapping id for code at @pc in the CPU's current state, 0 if it cannot be fetched (*fault says
 * why). */
uint32_t map_current(struct cpu *cpu, uint64_t pc, uint32_t flags, struct cpu_fault *fault);
void map_forget(struct tcg_vcpu *v, bool global);    /* all mappings of that kind */
size_t map_cell(const struct tcg *tcg, uint32_t id); /* offset in struct tcg_cpu */

/* unit.c: the table of units, links, invalidation. */
struct unit *unit_find(struct tcg *tcg, uint64_t pc, uint32_t flags, uint32_t variant,
                       uint32_t map);
/* Enters @u, which was made from @code (copies of its pages' lines). If memory is not so any more,
 * nobody else finds it, and it is dead: the CPU that asked for it may run it as if the change came
 * later. NULL for @code: it is a copy of a unit in the table. Lock held. */
void unit_publish(struct tcg *tcg, struct unit *u,
                  uint64_t (*code)[TCG_PAGE_SIZE / sizeof(uint64_t)]);
void unit_link(struct tcg *tcg, struct unit *from, unsigned index, struct unit *to);
void unit_remove(struct tcg *tcg, struct unit *u);
void unit_remove_all(struct tcg *tcg);
/* Those with code at that virtual address, in whatever address space. */
void unit_remove_at(struct tcg *tcg, uint64_t pc);
/* What it owns besides its place in the arena. */
void unit_free(const struct tcg *tcg, struct unit *u);
struct code_page *code_page_of(const struct tcg *tcg, ram_addr_t addr); /* NULL: never had code */
/* Removes units made from these lines of a page, if there are any; lock held. Returns whether one
 * of them loops, so that CPUs may have to be called out of it. */
bool code_remove(struct tcg *tcg, ram_addr_t page, uint64_t lines);
void code_call_out(struct tcg *tcg);
/* Bytes were written; removes units made from them. Takes the lock if there is anything to do. */
void code_written(struct tcg *tcg, ram_addr_t addr, uint64_t len);
bool code_touched(const struct tcg *tcg, ram_addr_t addr, uint64_t len);
/* Whether that is code of a unit with the instruction at virtual address @pc; within a page. */
bool code_is_of(struct tcg *tcg, ram_addr_t addr, unsigned len, uint64_t pc);

/* fresh.c: pages marked as code so lately that not every store may know; lock held but for
 * fresh_compare(). Copies are of whole pages, but only the lines named are looked at. */
void code_copy(uint64_t *copy, const uint8_t *host, unsigned line); /* any lock */
uint64_t code_changed(const uint64_t *copy, const uint8_t *host, uint64_t lines);
/* The page at @addr, @host has been marked and the CPUs' TLBs were told. */
void fresh_begin(struct tcg *tcg, struct code_page *p, ram_addr_t addr, const uint8_t *host);
/* These lines of it are newly marked. */
void fresh_keep(struct code_page *p, const uint64_t *copy, uint64_t lines);
void fresh_end(struct tcg *tcg, struct code_page *p);
/* Ends those that have become old. */
void fresh_settle(struct tcg *tcg);
/* On a CPU's thread: from now on it fetches what was stored before. */
void fresh_compare(struct tcg *tcg);

/* build.c: one unit from guest code. */
/* Translates at cpu's pc; NULL with *fault set if the first instruction cannot be fetched. */
struct unit *unit_build(struct tcg_vcpu *v, uint64_t pc, uint32_t flags, uint32_t variant,
                        struct cpu_fault *fault);

/* move.c: units for code that is mapped in more than one place. */
/* To be told of movable units that come and go. Lock held. */
void move_enter(struct tcg *tcg, struct unit *u);
void move_leave(struct tcg *tcg, struct unit *u);
/* A copy of the unit that was made of the same memory for another address; NULL: there is none. As
 * for unit_build(). @map: the mapping id at @pc. */
struct unit *move_build(struct tcg_vcpu *v, uint64_t pc, uint32_t flags, uint32_t variant,
                        uint32_t map);

/* tlb.c, access.c: data memory. */
struct tlb2_entry *tlb_lookup(struct tcg_vcpu *v, uint64_t addr, enum mem_access access,
                              unsigned mode, struct tlb2_entry *once, struct cpu_fault *fault);
void tlb_fill(struct tcg_vcpu *v, uint64_t addr, unsigned mode, const struct tlb2_entry *t);
void tlb_protect(struct tcg *tcg, const uint8_t *host_page);
void tlb_reset(struct tcg_vcpu *v);
void accel_flush_all(struct cpu *cpu);
void accel_flush_page(struct cpu *cpu, uint64_t vaddr, bool globals_too);
void accel_flush_nonglobal(struct cpu *cpu);
void accel_switch_space(struct cpu *cpu, uint64_t space);
uint64_t access_load(struct tcg_cpu *t, uint64_t addr, uint32_t mem);
void access_store(struct tcg_cpu *t, uint64_t addr, uint64_t val, uint32_t mem);
void access_load_wide(struct tcg_cpu *t, uint64_t addr, union tcg_wide *val, uint32_t mem);
void access_store_wide(struct tcg_cpu *t, uint64_t addr, const union tcg_wide *val, uint32_t mem);
uint64_t access_amo(struct tcg_cpu *t, uint64_t addr, uint64_t val, uint32_t mem, uint32_t op);
uint64_t access_cmpxchg(struct tcg_cpu *t, uint64_t addr, uint64_t expected, uint64_t desired,
                        uint32_t mem);
uint64_t access_load_linked(struct tcg_cpu *t, uint64_t addr, uint32_t mem);
bool access_store_linked(struct tcg_cpu *t, uint64_t addr, uint64_t expected, uint64_t desired,
                         uint32_t mem);
bool access_probe(struct tcg_cpu *t, uint64_t addr, uint32_t len, uint32_t mem);
void *access_host(struct cpu *cpu, uint64_t addr, unsigned len, enum mem_access access,
                  unsigned mode);

/* perf.c: what perf(1) reads. */
bool perf_init(struct tcg *tcg, bool map, bool dump, GError **err);
void perf_free(struct tcg *tcg);                       /* after perf_init() failed, too */
void perf_unit(struct tcg *tcg, const struct unit *u); /* build_lock held */

/* exec.c: running a CPU. */
void *exec_thread(void *vcpu);
/* What the CPU can do now, after whatever waited for its attention was seen to. */
enum exec_state { EXEC_RUNS, EXEC_STOPS, EXEC_WAITS };
enum exec_state exec_attend(struct tcg_vcpu *v);
bool exec_wants_attention(const struct cpu *cpu);
/* Runs one unit, or one instruction; raised exceptions jump to v->unwind, which says so here. */
void exec_unit(struct tcg_vcpu *v, bool single);
void exec_unwound(struct tcg_vcpu *v);
const void *exec_lookup(struct tcg_cpu *t);
const void *exec_link(struct tcg_cpu *t, const void *unit, uint32_t index);
const void *exec_nomerge(struct tcg_cpu *t);

/* exclusive.c; in no unit. Makes all other CPUs leave their units and wait. */
void exclusive_begin(struct tcg_vcpu *v);
void exclusive_end(struct tcg_vcpu *v);
/* Waits while another CPU wants that. */
void exclusive_yield(struct tcg_vcpu *v);

/* icount.c: the thread of all CPUs under -icount. */
bool icount_options(struct tcg *tcg, struct opts *o, GError **err);
void icount_begin(struct tcg *tcg);
void icount_end(struct tcg *tcg);
void *icount_thread(void *tcg);
/* Moves the virtual clock to where the CPU's count is; on the thread that runs it. */
void icount_sync(struct cpu *cpu);

#endif
