/*
 * The test guest: memory and its slow paths, helpers, state to fill, copy and compare.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "irmachine.h"

#define PC_OUTSIDE UINT64_C(0xdead0000)

static struct irm *machine_of(struct tcg_cpu *cpu)
{
    return ((struct irm_cpu *)cpu)->machine;
}

static G_GNUC_NORETURN void leave(struct irm *m, enum irm_how how)
{
    m->how = how;
    siglongjmp(m->unwind, 1);
}

static G_GNUC_NORETURN void fault(struct irm *m, uint64_t addr, uint32_t mem)
{
    m->fault_addr = addr;
    m->fault_mem = mem;
    leave(m, IRM_FAULT);
}

/* ---- Memory ---- */

/* The page of memory behind @addr, or one without, or -1. */
static int page_of(const struct irm *m, uint64_t addr, uint32_t mem)
{
    uint64_t page = (addr - IRM_RAM) >> TCG_PAGE_BITS;
    bool reverse = (ir_mem_mode(mem) == 1) != m->remapped;

    if (page > IRM_DEVICE_PAGE)
        return -1;
    return page < IRM_PLAIN_PAGES && reverse ? IRM_PLAIN_PAGES - 1 - page : page;
}

static bool may_access(const struct irm *m, uint64_t addr, uint32_t mem, bool write)
{
    int page = page_of(m, addr, mem);

    return page >= 0 && !(write && page == IRM_RO_PAGE);
}

static uint8_t *byte_at(struct irm *m, uint64_t addr, uint32_t mem)
{
    return m->ram + ((size_t)page_of(m, addr, mem) << TCG_PAGE_BITS) + (addr & ~TCG_PAGE_MASK);
}

static void check_access(struct irm *m, uint64_t addr, uint32_t mem, bool write)
{
    unsigned size = ir_mem_bytes(mem);

    if (mem & IR_MEM_ALIGNED && addr & (size - 1))
        fault(m, addr, mem);
    for (unsigned n = 0; n < size; n++) {
        if (!may_access(m, addr + n, mem, write))
            fault(m, addr + n, mem);
    }
}

/* State of RAM pages that nobody watches. */
static const uint8_t unwatched;

/* Puts a page of plain memory into the TLBs. */
static void fill(struct irm *m, uint64_t addr, uint32_t mem, bool first)
{
    struct tcg_tlb_entry *e = &m->cpu->tcg.tlb[ir_mem_mode(mem)][tcg_tlb_index(addr)];
    uint64_t base = addr & TCG_PAGE_MASK;
    int page = page_of(m, addr, mem);

    if (page < 0 || page == IRM_SLOW_PAGE || page == IRM_DEVICE_PAGE)
        return;
    /* Unless it must be in the first level, that stays as it is every other time, for generated
     * code to refill. */
    bool writable = page != IRM_RO_PAGE;
    m->cpu->tcg.tlb2[tcg_tlb2_index(addr, ir_mem_mode(mem))] = (struct tcg_tlb2_entry){
        .tag = base | ir_mem_mode(mem) | (writable ? TCG_TLB2_WRITE : 0),
        .addend = (uintptr_t)byte_at(m, base, mem) - base,
        .stamp = m->cpu->tcg.stamp[page & 1],
        .state = &unwatched,
    };
    if (!first && m->fills++ & 1)
        return;
    e->read = base;
    e->write = writable ? base : TCG_TLB_INVALID;
    e->addend = (uintptr_t)byte_at(m, base, mem) - base;
}

static uint8_t device_read(struct irm *m, uint64_t addr)
{
    m->io_hash = (m->io_hash ^ addr) * UINT64_C(0x9e3779b97f4a7c15);
    m->io_count++;
    return m->io_hash >> 40;
}

static void device_write(struct irm *m, uint64_t addr, uint8_t v)
{
    m->io_hash = (m->io_hash ^ addr ^ (uint64_t)v << 32) * UINT64_C(0xff51afd7ed558ccd);
    m->io_count++;
}

static void read_bytes(struct irm *m, uint64_t addr, uint32_t mem, uint8_t *to)
{
    check_access(m, addr, mem, false);
    for (unsigned n = 0; n < ir_mem_bytes(mem); n++) {
        bool device = page_of(m, addr + n, mem) == IRM_DEVICE_PAGE;

        to[n] = device ? device_read(m, addr + n) : *byte_at(m, addr + n, mem);
    }
    fill(m, addr, mem, false);
}

static void write_bytes(struct irm *m, uint64_t addr, uint32_t mem, const uint8_t *from)
{
    check_access(m, addr, mem, true);
    for (unsigned n = 0; n < ir_mem_bytes(mem); n++) {
        if (page_of(m, addr + n, mem) == IRM_DEVICE_PAGE)
            device_write(m, addr + n, from[n]);
        else
            *byte_at(m, addr + n, mem) = from[n];
    }
    fill(m, addr, mem, false);
}

static uint64_t swap(uint64_t v, uint32_t mem)
{
    return mem & IR_MEM_BE ? __builtin_bswap64(v) >> (64 - (8u << (mem & IR_MEM_SIZE))) : v;
}

static uint64_t extend(uint64_t v, uint32_t mem)
{
    unsigned unused = 64 - (8u << (mem & IR_MEM_SIZE));

    return mem & IR_MEM_SIGNED ? (uint64_t)((int64_t)(v << unused) >> unused)
                               : v << unused >> unused;
}

static uint64_t irm_load(struct tcg_cpu *cpu, uint64_t addr, uint32_t mem)
{
    uint64_t v = 0;

    read_bytes(machine_of(cpu), addr, mem, (uint8_t *)&v);
    return extend(swap(v, mem), mem);
}

static void irm_store(struct tcg_cpu *cpu, uint64_t addr, uint64_t v, uint32_t mem)
{
    v = swap(v, mem);
    write_bytes(machine_of(cpu), addr, mem, (uint8_t *)&v);
}

static void irm_load_wide(struct tcg_cpu *cpu, uint64_t addr, union tcg_wide *v, uint32_t mem)
{
    read_bytes(machine_of(cpu), addr, mem, v->b);
}

static void irm_store_wide(struct tcg_cpu *cpu, uint64_t addr, const union tcg_wide *v,
                           uint32_t mem)
{
    write_bytes(machine_of(cpu), addr, mem, v->b);
}

static uint8_t *atomic_at(struct irm *m, uint64_t addr, uint32_t mem, bool write)
{
    check_access(m, addr, mem | IR_MEM_ALIGNED, write);
    if (page_of(m, addr, mem) == IRM_DEVICE_PAGE)
        fault(m, addr, mem);
    fill(m, addr, mem, false);
    return byte_at(m, addr, mem);
}

static uint64_t amo_result(unsigned op, uint64_t old, uint64_t v, uint32_t mem)
{
    int64_t so = extend(old, mem | IR_MEM_SIGNED), sv = extend(v, mem | IR_MEM_SIGNED);
    uint64_t uo = extend(old, mem & ~IR_MEM_SIGNED), uv = extend(v, mem & ~IR_MEM_SIGNED);

    switch (op) {
    case IR_AMO_SWAP: return v;
    case IR_AMO_ADD: return old + v;
    case IR_AMO_AND: return old & v;
    case IR_AMO_OR: return old | v;
    case IR_AMO_XOR: return old ^ v;
    case IR_AMO_MIN: return so < sv ? old : v;
    case IR_AMO_MAX: return so > sv ? old : v;
    case IR_AMO_MINU: return uo < uv ? old : v;
    default: return uo > uv ? old : v;
    }
}

static uint64_t irm_amo(struct tcg_cpu *cpu, uint64_t addr, uint64_t v, uint32_t mem, uint32_t op)
{
    uint8_t *at = atomic_at(machine_of(cpu), addr, mem, true);
    size_t size = (size_t)1 << (mem & IR_MEM_SIZE);
    uint64_t old = 0, new;

    memcpy(&old, at, size);
    new = amo_result(op, old, v, mem);
    memcpy(at, &new, size);
    return extend(old, mem);
}

static uint64_t irm_cmpxchg(struct tcg_cpu *cpu, uint64_t addr, uint64_t expected, uint64_t desired,
                            uint32_t mem)
{
    uint8_t *at = atomic_at(machine_of(cpu), addr, mem, true);
    size_t size = (size_t)1 << (mem & IR_MEM_SIZE);
    uint64_t old = 0;

    memcpy(&old, at, size);
    if (!memcmp(&old, &expected, size))
        memcpy(at, &desired, size);
    return extend(old, mem);
}

static uint64_t irm_load_linked(struct tcg_cpu *cpu, uint64_t addr, uint32_t mem)
{
    uint8_t *at = atomic_at(machine_of(cpu), addr, mem, false);
    uint64_t v = 0;

    tcg_link(cpu, at);
    memcpy(&v, at, (size_t)1 << (mem & IR_MEM_SIZE));
    return extend(v, mem);
}

static bool irm_store_linked(struct tcg_cpu *cpu, uint64_t addr, uint64_t expected,
                             uint64_t desired, uint32_t mem)
{
    uint8_t *at = atomic_at(machine_of(cpu), addr, mem, true);
    size_t size = (size_t)1 << (mem & IR_MEM_SIZE);
    bool same = !memcmp(at, &expected, size);

    bool linked = cpu->link.host == (uintptr_t)at && tcg_link_take(cpu);

    cpu->link.host = 0;
    if (!linked)
        return false;
    if (same)
        memcpy(at, &desired, size);
    tcg_link_leave(cpu, same);
    return same;
}

static bool irm_probe(struct tcg_cpu *cpu, uint64_t addr, uint32_t len, uint32_t mem)
{
    struct irm *m = machine_of(cpu);
    int page = page_of(m, addr, mem);

    if ((addr ^ (addr + len - 1)) & TCG_PAGE_MASK || page < 0 || page > IRM_RO_PAGE ||
        page == IRM_SLOW_PAGE || (page == IRM_RO_PAGE && mem & IR_MEM_WRITE))
        return false;
    if (mem & IR_MEM_ALIGNED && addr & (ir_mem_bytes(mem) - 1))
        return false;
    fill(m, addr, mem, true);
    return true;
}

const struct tcg_runtime irm_runtime = {
    .load = irm_load,
    .store = irm_store,
    .load_wide = irm_load_wide,
    .store_wide = irm_store_wide,
    .amo = irm_amo,
    .cmpxchg = irm_cmpxchg,
    .load_linked = irm_load_linked,
    .store_linked = irm_store_linked,
    .probe = irm_probe,
};

/* ---- Helpers ---- */

static void flush_tlb(struct irm *m)
{
    for (unsigned mode = 0; mode < TCG_MMU_MODES; mode++) {
        for (unsigned n = 0; n < TCG_TLB_SIZE; n++)
            m->cpu->tcg.tlb[mode][n].read = m->cpu->tcg.tlb[mode][n].write = TCG_TLB_INVALID;
    }
    m->cpu->tcg.stamp[0] += 2;
    m->cpu->tcg.stamp[1] += 2;
}

static uint64_t helper_pure2(uint64_t a, uint64_t b)
{
    return (a ^ b << 7) * 0x9e3779b1u;
}

static uint32_t helper_pure_i32(uint32_t a)
{
    return a * 3 + 1;
}

static uint64_t helper_mix4(uint32_t a, uint64_t b, uint32_t c, uint64_t d)
{
    return (a + b * 5) ^ (c * UINT64_C(7) - d);
}

/* Reads slots of both kinds. */
static uint64_t helper_seen(struct irm_cpu *cpu)
{
    return cpu->tcg.hot[0] + 3 * cpu->tcg.hot[5] + 7 * cpu->x[1] + 9 * cpu->w[0] + cpu->f[2];
}

static void helper_bump(struct irm_cpu *cpu, uint64_t a)
{
    cpu->tcg.hot[1] += a;
    cpu->x[2] ^= a;
    cpu->f[1] = a;
}

static void helper_raise_if(struct irm_cpu *cpu, uint32_t a)
{
    if ((a & 7) == 5)
        leave(cpu->machine, IRM_RAISED);
}

static void helper_raise(struct irm_cpu *cpu)
{
    leave(cpu->machine, IRM_RAISED);
}

static void helper_jump(struct irm_cpu *cpu, uint64_t pc)
{
    cpu->tcg.pc = pc;
}

static void helper_round(struct irm_cpu *cpu, uint32_t a)
{
    cpu->machine->fp.round = a & 3;
    if (cpu->machine->round_changed)
        cpu->machine->round_changed(cpu->machine);
}

static void helper_remap(struct irm_cpu *cpu)
{
    cpu->machine->remapped ^= true;
    flush_tlb(cpu->machine);
}

#define HELPER(text, f, flags, ret, nargs, ...)     \
    &(const struct ir_helper)                       \
    {                                               \
        text, (void (*)(void))f, flags, ret, nargs, \
        {                                           \
            __VA_ARGS__                             \
        }                                           \
    }
const struct ir_helper *const irm_helpers[] = {
    [IRM_HELPER_PURE2] = HELPER("pure2", helper_pure2, IR_H_PURE, IR_I64, 2, IR_I64, IR_I64),
    [IRM_HELPER_PURE_I32] = HELPER("pure_i32", helper_pure_i32, IR_H_PURE, IR_I32, 1, IR_I32),
    [IRM_HELPER_MIX4] =
        HELPER("mix4", helper_mix4, IR_H_PURE, IR_I64, 4, IR_I32, IR_I64, IR_I32, IR_I64),
    [IRM_HELPER_SEEN] = HELPER("seen", helper_seen, IR_H_CPU | IR_H_READS, IR_I64, 0, 0),
    [IRM_HELPER_BUMP] =
        HELPER("bump", helper_bump, IR_H_CPU | IR_H_READS | IR_H_WRITES, IR_VOID, 1, IR_I64),
    [IRM_HELPER_RAISE_IF] =
        HELPER("raise_if", helper_raise_if, IR_H_CPU | IR_H_RAISES, IR_VOID, 1, IR_I32),
    [IRM_HELPER_JUMP] = HELPER("jump", helper_jump, IR_H_CPU, IR_VOID, 1, IR_I64),
    [IRM_HELPER_ROUND] = HELPER("round", helper_round, IR_H_CPU, IR_VOID, 1, IR_I32),
    [IRM_HELPER_REMAP] = HELPER("remap", helper_remap, IR_H_CPU, IR_VOID, 0, 0),
    [IRM_HELPER_RAISE] = HELPER("raise", helper_raise, IR_H_CPU | IR_H_RAISES, IR_VOID, 0, 0),
    NULL,
};

/* ---- State ---- */

#define HOT(n)                                           \
    {                                                    \
        "h" #n, offsetof(struct tcg_cpu, hot[n]), IR_I64 \
    }
#define X(n)                                           \
    {                                                  \
        "x" #n, offsetof(struct irm_cpu, x[n]), IR_I64 \
    }
#define V(n)                                            \
    {                                                   \
        "v" #n, offsetof(struct irm_cpu, v[n]), IR_V128 \
    }
#define F(n)                                           \
    {                                                  \
        "f" #n, offsetof(struct irm_cpu, f[n]), IR_F64 \
    }
static const struct ir_slot slots[IRM_NB_SLOTS] = {
    HOT(0),
    HOT(1),
    HOT(2),
    HOT(3),
    HOT(4),
    HOT(5),
    HOT(6),
    HOT(7),
    HOT(8),
    HOT(9),
    HOT(10),
    HOT(11),
    HOT(12),
    HOT(13),
    HOT(14),
    HOT(15),
    { "w0", offsetof(struct tcg_cpu, hot[16]), IR_I32 },
    { "w1", offsetof(struct tcg_cpu, hot[17]), IR_I32 },
    { "w2", offsetof(struct irm_cpu, w[0]), IR_I32 },
    { "w3", offsetof(struct irm_cpu, w[1]), IR_I32 },
    X(0),
    X(1),
    X(2),
    X(3),
    X(4),
    X(5),
    F(0),
    F(1),
    F(2),
    F(3),
    F(4),
    F(5),
    V(0),
    V(1),
    V(2),
    V(3),
};
static const uint8_t hot[] = { 0, 1, 2, 16, 3, 4, 8, 9, 5, 6, 7, 10, 11, 17 };
const struct ir_slots irm_slots = { slots, IRM_NB_SLOTS, hot, G_N_ELEMENTS(hot) };

struct irm *irm_new(void)
{
    struct irm *m = g_new0(struct irm, 1);
    size_t size = (sizeof(*m->cpu) + TCG_PAGE_SIZE - 1) & TCG_PAGE_MASK;

    m->cpu = aligned_alloc(TCG_PAGE_SIZE, size);
    m->ram = aligned_alloc(TCG_PAGE_SIZE, IRM_PAGES * TCG_PAGE_SIZE);
    g_assert_true(m->cpu && m->ram);
    memset(m->cpu, 0, size);
    memset(m->ram, 0, IRM_PAGES * TCG_PAGE_SIZE);
    m->cpu->machine = m;
    m->cpu->tcg.tlb2 = g_new0(struct tcg_tlb2_entry, TCG_TLB2_SIZE);
    m->cpu->tcg.lines = aligned_alloc(TCG_PAGE_SIZE, TCG_LINES_SIZE);
    g_assert_true(m->cpu->tcg.lines);
    memset(m->cpu->tcg.lines, 0, TCG_LINES_SIZE);
    m->cpu->tcg.stamp[0] = 1;
    m->cpu->tcg.stamp[1] = 2;
    tcg_forget_jumps(&m->cpu->tcg);
    return m;
}

void irm_free(struct irm *m)
{
    g_free(m->cpu->tcg.tlb2);
    free(m->cpu->tcg.lines);
    free(m->cpu);
    free(m->ram);
    g_free(m);
}

/* A float near the ends of the exponents' range, or near 1, with few significant bits. */
static uint64_t random_float(GRand *rand, bool narrow)
{
    unsigned frac_bits = narrow ? 23 : 52, max = narrow ? 0xff : 0x7ff;
    uint64_t frac = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand), exp;
    const unsigned near[] = { 0, 1, frac_bits, max / 2, max / 2 + 31, max / 2 + 63, max - 1, max };

    exp = near[g_rand_int_range(rand, 0, G_N_ELEMENTS(near))] + g_rand_int_range(rand, -2, 3);
    if (g_rand_boolean(rand))
        frac &= frac << g_rand_int_range(rand, 0, 64);
    frac &= (UINT64_C(1) << frac_bits) - 1;
    exp = (exp & max) | (g_rand_boolean(rand) ? max + 1 : 0);
    return exp << frac_bits | frac | (narrow ? UINT64_C(0xffffffff) << 32 : 0);
}

static uint64_t random64(GRand *rand)
{
    static const uint64_t special[] = {
        0,
        1,
        UINT64_MAX,
        INT64_MAX,
        UINT64_C(1) << 63,
        INT32_MAX,
        UINT32_MAX,
        UINT64_C(1) << 31,
        UINT64_C(0x3ff0000000000000),
        UINT64_C(0x7ff0000000000000),
        UINT64_C(0x7ff8000000000000),
        UINT64_C(0x7ff0000000000001),
        UINT64_C(0xffffffff3f800000),
        UINT64_C(0xffffffff7f800001),
        UINT64_C(0x8000000000000001),
        UINT64_C(0x43e0000000000000),
        UINT64_C(0xffffffff00000001),
    };
    uint64_t v = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

    switch (g_rand_int_range(rand, 0, 4)) {
    case 0: return special[g_rand_int_range(rand, 0, G_N_ELEMENTS(special))];
    case 1: return v >> g_rand_int_range(rand, 0, 64);
    case 2: return UINT64_C(0xffffffff00000000) | (uint32_t)v;
    default: return v;
    }
}

uint64_t irm_random_lanes(GRand *rand)
{
    switch (g_rand_int_range(rand, 0, 4)) {
    case 0: return random_float(rand, false);
    case 1: return random_float(rand, true) << 32 | (uint32_t)random_float(rand, true);
    case 2: return random64(rand) & UINT64_C(0xff00ff00ff00ff);
    default: return random64(rand);
    }
}

void irm_randomize(struct irm *m, GRand *rand)
{
    struct irm_cpu *c = m->cpu;

    for (unsigned n = 0; n < G_N_ELEMENTS(c->tcg.hot); n++)
        c->tcg.hot[n] = random64(rand);
    for (unsigned n = 0; n < 6; n++) {
        c->x[n] = random64(rand);
        c->f[n] = n % 3 ? random_float(rand, n & 1) : random64(rand);
    }
    for (unsigned n = 0; n < 2; n++) {
        c->w[n] = random64(rand);
    }
    for (unsigned n = 0; n < 4; n++) {
        for (unsigned k = 0; k < 2; k++)
            c->v[n].q[k] = irm_random_lanes(rand);
    }
    for (unsigned n = 0; n < IRM_PAGES * TCG_PAGE_SIZE; n += 8) {
        uint64_t v = random64(rand);
        memcpy(m->ram + n, &v, 8);
    }
    /* In the middle of a page, near a page's end, anywhere that is memory, and anywhere. */
    c->tcg.hot[8] = IRM_RAM + 2 * TCG_PAGE_SIZE + g_rand_int_range(rand, 0, 16) * 64;
    c->tcg.hot[9] = IRM_RAM + 4 * TCG_PAGE_SIZE - g_rand_int_range(rand, 0, 64);
    c->tcg.hot[10] = IRM_RAM + g_rand_int_range(rand, 0, 8 * TCG_PAGE_SIZE) / 8 * 8;
    c->tcg.hot[11] = IRM_RAM + g_rand_int_range(rand, -64, 11 * TCG_PAGE_SIZE);
    c->tcg.hot[15] = g_rand_int_range(rand, 0, 6);
    memset(&m->fp, 0, sizeof(m->fp));
    m->fp.round = g_rand_int_range(rand, 0, 4);
    m->io_count = m->io_hash = 0;
    m->remapped = false;
    m->fault_addr = m->fault_mem = 0;
    c->tcg.pc = PC_OUTSIDE;
    flush_tlb(m);
}

void irm_copy(struct irm *to, const struct irm *from)
{
    struct irm_cpu *c = to->cpu;

    memcpy(c->tcg.hot, from->cpu->tcg.hot, sizeof(c->tcg.hot));
    c->tcg.pc = from->cpu->tcg.pc;
    c->tcg.flags = from->cpu->tcg.flags;
    tcg_link(&c->tcg, NULL);
    memcpy(c->x, from->cpu->x, offsetof(struct irm_cpu, machine) - offsetof(struct irm_cpu, x));
    memcpy(to->ram, from->ram, IRM_PAGES * TCG_PAGE_SIZE);
    to->fp = from->fp;
    to->io_count = from->io_count;
    to->io_hash = from->io_hash;
    to->remapped = from->remapped;
    to->fault_addr = from->fault_addr;
    to->fault_mem = from->fault_mem;
    to->how = from->how;
    flush_tlb(to);
}

static char *compare_slots(const struct irm *a, const struct irm *b)
{
    for (unsigned n = 0; n < IRM_NB_SLOTS; n++) {
        const char *pa = (const char *)a->cpu + slots[n].offset;
        const char *pb = (const char *)b->cpu + slots[n].offset;
        uint64_t va = 0, vb = 0;

        if (!memcmp(pa, pb, ir_type_bytes[slots[n].type]))
            continue;
        memcpy(&va, pa, MIN(ir_type_bytes[slots[n].type], 8));
        memcpy(&vb, pb, MIN(ir_type_bytes[slots[n].type], 8));
        return g_strdup_printf("%s: 0x%" G_GINT64_MODIFIER "x and 0x%" G_GINT64_MODIFIER "x",
                               slots[n].name, va, vb);
    }
    return NULL;
}

static char *differ(const char *what, uint64_t a, uint64_t b)
{
    return a == b ? NULL
                  : g_strdup_printf("%s: 0x%" G_GINT64_MODIFIER "x and 0x%" G_GINT64_MODIFIER "x",
                                    what, a, b);
}

char *irm_compare(const struct irm *a, const struct irm *b)
{
    char *what = differ("how left", a->how, b->how);

    if (!what)
        what = differ("pc", a->cpu->tcg.pc, b->cpu->tcg.pc);
    if (!what && a->how == IRM_FAULT)
        what = differ("faulting address", a->fault_addr, b->fault_addr);
    if (!what)
        what = compare_slots(a, b);
    for (unsigned n = 0; !what && n < IRM_PAGES * TCG_PAGE_SIZE; n++) {
        if (a->ram[n] != b->ram[n])
            what = g_strdup_printf("memory at 0x%x: 0x%02x and 0x%02x", n, a->ram[n], b->ram[n]);
    }
    if (!what)
        what = differ("device accesses", a->io_count, b->io_count);
    if (!what)
        what = differ("device", a->io_hash, b->io_hash);
    if (!what)
        what = differ("rounding", a->fp.round, b->fp.round);
    if (!what)
        what = differ("float flags", a->fp.flags & 0x1f, b->fp.flags & 0x1f);
    return what;
}
