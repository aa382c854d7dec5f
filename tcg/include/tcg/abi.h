/*
 * The head of every CPU's state: what generated code touches at fixed offsets from its pinned CPU
 * pointer. A guest's CPU struct starts with `struct cpu` (target/cpu.h), which starts with this.
 *
 * Fields belong to the CPU's own thread unless said otherwise.
 */
#ifndef TCG_ABI_H
#define TCG_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TCG_PAGE_BITS 12
#define TCG_PAGE_SIZE (1u << TCG_PAGE_BITS)
#define TCG_PAGE_MASK (~(uint64_t)(TCG_PAGE_SIZE - 1))

#define TCG_MMU_MODES     8 /* separate first-level TLBs, chosen when translating */
#define TCG_TLB_BITS      9
#define TCG_TLB_SIZE      (1u << TCG_TLB_BITS)
#define TCG_JC_BITS       13 /* jump cache entries, in each of two levels */
#define TCG_JC_SIZE       (1u << TCG_JC_BITS)
#define TCG_UNMERGED_BITS 11 /* units without CHECKs */
#define TCG_UNMERGED_SIZE (1u << TCG_UNMERGED_BITS)
#define TCG_MAP_BITS      16 /* code page mapping cells, of either kind */
#define TCG_MAP_SIZE      (1u << TCG_MAP_BITS)

/*
 * First-level TLB entry, direct mapped by page number. A tag is the page's address if the access
 * goes straight to host memory, else it has low bits set and never compares equal.
 */
struct tcg_tlb_entry {
    uint64_t read,
        write;       /* write: also changed by other threads, which only set bits, atomically */
    uint64_t addend; /* host address minus guest address */
    uint64_t spare;
};
/* Above the low bits of a misaligned address, which aligned accesses leave in when they compare. */
#define TCG_TLB_INVALID 0x400u /* no entry */
#define TCG_TLB_SLOW    0x800u /* mapped, but each access must go through the slow path */

/*
 * Second-level entry, probed by the backend before it calls C: a page of plain memory that may be
 * read, and written if TCG_TLB2_WRITE is in the tag. Valid while its stamp is one of tcg_cpu.stamp.
 * A store through it needs *state, the RAM page's watchers, to be 0 (mem/ram.h).
 */
struct tcg_tlb2_entry {
    uint64_t tag; /* page | MMU mode | TCG_TLB2_WRITE */
    uint64_t addend;
    uint64_t stamp;
    const uint8_t *state;
};
#define TCG_TLB2_WRITE 8u
#define TCG_TLB2_BITS  15
#define TCG_TLB2_SIZE  (1u << TCG_TLB2_BITS)

/* Where an indirect jump goes: probed inline; the unit's checked entry verifies the rest. */
struct tcg_jump {
    uint64_t pc;
    const void *code;
};

struct tcg_cpu;

/*
 * What LDX leaves for STX. Lines of host memory share TCG_LINES words; each stands in a cache line
 * of its own and holds the number of STXs that stored to its lines, times two, and is odd while one
 * is about to. LDX notes it before it loads. STX makes it odd, if it is what LDX saw and even, then
 * compares and swaps, then makes it even again. So of two STXs whose LDXs saw the same number one
 * fails, and an LDX that comes between the two steps of another's STX leads to none.
 */
#define TCG_LINE_BITS  6
#define TCG_LINES      1024
#define TCG_LINES_MASK ((TCG_LINES - 1) << TCG_LINE_BITS)
#define TCG_LINES_SIZE (TCG_LINES << TCG_LINE_BITS)
enum { TCG_LINE_STORING = 1, TCG_LINE_STORED = 2 };

struct tcg_link {
    uint64_t host;  /* address of what was loaded; 0: no plain memory, or no link; STX ends it */
    uint64_t *line; /* its word, which belongs to all CPUs and is atomic */
    uint64_t seen;  /* there */
    uint32_t polls; /* LDXs in a row of that address without an STX; backend's own */
};

/* Set in tcg_cpu.flags by any thread, atomically, to make a running CPU leave generated code soon.
 */
#define TCG_FLAGS_ATTENTION 0x80000000u

/*
 * The x87 of a guest that has one, on an x86 host: generated code runs its instructions as they are
 * (IR_X87). Before the first of them load() puts the guest's state into the host's registers, where
 * it stays until somebody wants to look at it or generated code is left: save() takes it out and
 * leaves the host's x87 as C code expects it. While it is there C code may run, but none that uses
 * the x87 itself (long double). Guests without x87 have no such functions.
 */
struct tcg_x87 {
    bool in_host;
    void (*load)(struct tcg_cpu *cpu);
    void (*save)(struct tcg_cpu *cpu);
    uint64_t operand[2]; /* what generated code hands to an instruction, or gets from it */
};

struct tcg_cpu {
    uint64_t hot[32];   /* guest registers used most; their meaning is the guest's */
    uint64_t pc;        /* exact whenever generated code is not running or a helper may raise */
    uint32_t flags;     /* unit flags of the current state | TCG_FLAGS_ATTENTION (any thread) */
    uint32_t mxcsr;     /* host FP control and sticky flags while outside generated code */
    uint32_t fp_sticky; /* FP_* flags raised by helpers, besides those that the host's unit holds */
    uint32_t fp_saved;  /* backend's own: the host's flags at the last FFLAGS */
    uint64_t insns;     /* -icount: guest instructions begun, the one that is running included */
    uint64_t scratch[6];         /* slow path arguments and results; backend's own */
    struct tcg_tlb2_entry *tlb2; /* TCG_TLB2_SIZE entries, or NULL: none is probed */
    uint64_t
        stamp[2];   /* of valid second-level entries: of this address space, global ones; never 0 */
    uint8_t *lines; /* the words for lines, at multiples of 1 << TCG_LINE_BITS */
    struct tcg_link link;
    struct tcg_x87 x87;
    struct tcg_tlb_entry tlb[TCG_MMU_MODES][TCG_TLB_SIZE];
    /*
     * Mapping cells: a cell holds the id of a (virtual page, physical page, privilege) triple that
     * is in force now. [0]: goes with the address space; [1]: global mappings. Two pages that take
     * turns in one cell are looked up again each time, so there are many.
     */
    uint32_t map[2][TCG_MAP_SIZE];
    /* Probed by indirect jumps; what a newer entry displaces moves to the second level. */
    struct tcg_jump jump[TCG_JC_SIZE], jump2[TCG_JC_SIZE];
    /* The same for where a CHECK does not hold: units that check each access. */
    struct tcg_jump unmerged[TCG_UNMERGED_SIZE];
};

/* The guest's x87 state is in the CPU's struct from here on, whichever it was in. */
static inline void tcg_x87_save(struct tcg_cpu *cpu)
{
    if (cpu->x87.in_host)
        cpu->x87.save(cpu);
}

/* The first step of LDX. @host: where the value will be loaded from, or NULL. */
static inline void tcg_link(struct tcg_cpu *cpu, const void *host)
{
    struct tcg_link *l = &cpu->link;

    l->host = (uintptr_t)host;
    l->line = (uint64_t *)(void *)(cpu->lines + (l->host & TCG_LINES_MASK));
    l->seen = __atomic_load_n(l->line, __ATOMIC_ACQUIRE);
}

/* The first and the last step of STX. */
static inline bool tcg_link_take(struct tcg_cpu *cpu)
{
    uint64_t seen = cpu->link.seen;

    return !(seen & TCG_LINE_STORING) &&
           __atomic_compare_exchange_n(cpu->link.line, &seen, seen + TCG_LINE_STORING, 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline void tcg_link_leave(struct tcg_cpu *cpu, bool stored)
{
    __atomic_store_n(cpu->link.line, cpu->link.seen + (stored ? TCG_LINE_STORED : 0),
                     __ATOMIC_RELEASE);
}

static inline unsigned tcg_tlb_index(uint64_t addr)
{
    return addr >> TCG_PAGE_BITS & (TCG_TLB_SIZE - 1);
}

static inline unsigned tcg_tlb2_index(uint64_t addr, unsigned mode)
{
    return (addr >> TCG_PAGE_BITS ^ mode << (TCG_TLB2_BITS - 3)) & (TCG_TLB2_SIZE - 1);
}

static inline unsigned tcg_jump_index(uint64_t pc)
{
    return pc >> 1 & (TCG_JC_SIZE - 1);
}

static inline unsigned tcg_map_index(uint64_t pc)
{
    return (pc >> TCG_PAGE_BITS ^ pc >> (TCG_PAGE_BITS + TCG_MAP_BITS)) & (TCG_MAP_SIZE - 1);
}

static inline unsigned tcg_jump2_index(uint64_t pc)
{
    return (pc ^ pc >> TCG_JC_BITS) & (TCG_JC_SIZE - 1);
}

static inline unsigned tcg_unmerged_index(uint64_t pc)
{
    return pc & (TCG_UNMERGED_SIZE - 1);
}

static inline void tcg_enter_jump(struct tcg_cpu *cpu, uint64_t pc, const void *code)
{
    struct tcg_jump *j = &cpu->jump[tcg_jump_index(pc)];

    if (j->pc != pc)
        cpu->jump2[tcg_jump2_index(j->pc)] = *j;
    *j = (struct tcg_jump){ pc, code };
}

/* Each entry gets a pc that is looked for elsewhere. */
static inline void tcg_forget_jumps(struct tcg_cpu *cpu)
{
    for (unsigned i = 0; i < TCG_JC_SIZE; i++) {
        cpu->jump[i].pc = ~(uint64_t)i << 1;
        cpu->jump2[i].pc = i ^ 1;
    }
    for (unsigned i = 0; i < TCG_UNMERGED_SIZE; i++)
        cpu->unmerged[i].pc = i ^ 1;
}

#endif
