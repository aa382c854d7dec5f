/*
 * Software TLBs. The first level lies in the CPU state and is probed by generated code; the second
 * is large, knows address spaces, and is looked at before the guest's page tables are walked.
 */
#include <string.h>
#include <mem/space.h>
#include "tcg.h"

static struct tlb2_entry *slot_of(struct tcg_vcpu *v, uint64_t page, unsigned mode)
{
    uint64_t n = page >> TCG_PAGE_BITS;
    return &v->tlb2[(n ^ n >> TLB2_BITS ^ mode * 0x155) & (TLB2_SIZE - 1)];
}

static bool valid(const struct tcg_vcpu *v, const struct tlb2_entry *t, uint64_t key)
{
    return t->page == key && t->stamp == v->cpu->tcg.stamp[t->global];
}

static const unsigned prot_for[] = {
    [ACCESS_READ] = PROT_R, [ACCESS_WRITE] = PROT_W, [ACCESS_FETCH] = PROT_X
};

/* What the physical page is. Devices and holes have no host pointer. */
static void resolve(struct tcg_vcpu *v, struct tlb2_entry *t)
{
    uint64_t len = TCG_PAGE_SIZE;
    struct mem *mem = v->cpu->as->mem;
    unsigned cookie = mem_read_begin(mem);
    struct section s = space_lookup(v->cpu->as, t->paddr, &len);

    t->host = len == TCG_PAGE_SIZE ? s.host : NULL;
    t->ram = t->host ? s.ram : RAM_ADDR_NONE;
    t->readonly = s.readonly;
    mem_read_end(mem, cookie);
}

/*
 * The mapping of @addr, from the second level or by walking. A mapping finer than a page, or one
 * that must not be kept, goes to *once, whose paddr is then that of @addr's page all the same.
 * NULL with *fault set where the guest has none.
 */
struct tlb2_entry *tlb_lookup(struct tcg_vcpu *v, uint64_t addr, enum mem_access access,
                              unsigned mode, struct tlb2_entry *once, struct cpu_fault *fault)
{
    uint64_t page = addr & TCG_PAGE_MASK, key = page | mode;
    struct tlb2_entry *t = slot_of(v, page, mode);
    struct cpu_page p;

    if (valid(v, t, key) && (t->prot & prot_for[access])) {
        stat_add(&v->stats.tlb2_hits, 1);
        return t;
    }
    stat_add(&v->stats.walks, 1);
    if (!v->cpu->ops->map(v->cpu, addr, access, mode, false, &p, fault))
        return NULL;
    if (p.size_bits < TCG_PAGE_BITS)
        t = once;
    *t = (struct tlb2_entry){
        .page = key,
        .stamp = v->cpu->tcg.stamp[p.global],
        .prot = p.prot,
        .global = p.global,
        .paddr = p.paddr & TCG_PAGE_MASK,
    };
    if (p.size_bits > TCG_PAGE_BITS && p.size_bits < 64) {
        uint64_t lo = addr & -(1ull << p.size_bits), hi = lo + (1ull << p.size_bits) - 1;
        v->big_lo = MIN(v->big_lo, lo);
        v->big_hi = MAX(v->big_hi, hi);
    }
    resolve(v, t);
    return t;
}

static bool watched(const struct cpu *cpu, uint64_t page, int kind)
{
    for (unsigned i = 0; i < cpu->watchpoints->len; i++) {
        const struct cpu_watchpoint *w = &g_array_index(cpu->watchpoints, struct cpu_watchpoint, i);
        if (((int)w->kind & kind) && w->addr <= (page | (TCG_PAGE_SIZE - 1)) &&
            w->addr + (w->len - 1) >= page)
            return true;
    }
    return false;
}

/* What generated code may refill the first level with by itself. */
static void fill_quick(struct tcg_vcpu *v, uint64_t page, unsigned mode, const struct tlb2_entry *t,
                       bool writable, const uint8_t *state)
{
    v->cpu->tcg.tlb2[tcg_tlb2_index(page, mode)] = (struct tcg_tlb2_entry){
        .tag = page | mode | (writable ? TCG_TLB2_WRITE : 0),
        .addend = (uintptr_t)t->host - page,
        .stamp = t->stamp,
        .state = state,
    };
}

/* Enters a mapping in the first level. */
void tlb_fill(struct tcg_vcpu *v, uint64_t addr, unsigned mode, const struct tlb2_entry *t)
{
    uint64_t page = addr & TCG_PAGE_MASK;
    struct tcg_tlb_entry *e = &v->cpu->tcg.tlb[mode][tcg_tlb_index(addr)];
    uint8_t *state =
        t->ram != RAM_ADDR_NONE ? &ram_page_state(v->tcg->ram)[t->ram >> RAM_PAGE_BITS] : NULL;
    uint64_t read = TCG_TLB_INVALID, write = TCG_TLB_INVALID;

    /* A CHECK for stores looks at that tag alone, though it lets loads pass, too: a page that is
     * watched for either is slow for both. */
    bool direct = t->host && !watched(v->cpu, page, WATCH_READ | WATCH_WRITE);
    if (t->prot & PROT_R)
        read = page | (direct ? 0 : TCG_TLB_SLOW);
    if (t->prot & PROT_W)
        write = page | (direct && !t->readonly ? 0 : TCG_TLB_SLOW);
    v->modes_used |= 1u << mode;
    if (!t->global)
        v->modes_nonglobal |= 1u << mode;
    __atomic_store_n(&e->addend, (uintptr_t)t->host - page, __ATOMIC_RELAXED);
    e->read = read;
    /* Whoever marks the page as code after this store sees the tag (tlb_protect), before it, we see
     * the mark. */
    __atomic_store_n(&e->write, write, __ATOMIC_SEQ_CST);
    if (read == page)
        fill_quick(v, page, mode, t, write == page, state);
    if (state && __atomic_load_n(state, __ATOMIC_SEQ_CST))
        __atomic_fetch_or(&e->write, TCG_TLB_SLOW, __ATOMIC_SEQ_CST);
}

/* From now on every CPU's stores to this page take the slow path. Any thread. */
void tlb_protect(struct tcg *tcg, const uint8_t *host_page)
{
    for (unsigned c = 0; c < tcg->nvcpus; c++) {
        struct tcg_vcpu *v = tcg->vcpu[c];
        for (unsigned mode = 0; mode < TCG_MMU_MODES; mode++) {
            for (unsigned i = 0; i < TCG_TLB_SIZE; i++) {
                struct tcg_tlb_entry *e = &v->cpu->tcg.tlb[mode][i];
                uint64_t w = __atomic_load_n(&e->write, __ATOMIC_SEQ_CST);
                if (!(w & ~TCG_PAGE_MASK) &&
                    w + __atomic_load_n(&e->addend, __ATOMIC_RELAXED) == (uintptr_t)host_page)
                    __atomic_fetch_or(&e->write, TCG_TLB_SLOW, __ATOMIC_SEQ_CST);
            }
        }
    }
}

static void clear_modes(struct tcg_vcpu *v, unsigned modes)
{
    for (; modes; modes &= modes - 1) {
        struct tcg_tlb_entry *e = v->cpu->tcg.tlb[__builtin_ctz(modes)];
        for (unsigned i = 0; i < TCG_TLB_SIZE; i++) {
            e[i].read = TCG_TLB_INVALID;
            __atomic_store_n(&e[i].write, TCG_TLB_INVALID, __ATOMIC_RELAXED);
        }
    }
}

/* Stamps are never used again, so that what carries an old one is dead for good. */
static void new_space_stamp(struct tcg_vcpu *v)
{
    v->cpu->tcg.stamp[0] = ++v->last_stamp;
    v->spaces[v->space % NB_SPACES].space = v->space;
    v->spaces[v->space % NB_SPACES].stamp = v->last_stamp;
}

static void forget_spaces(struct tcg_vcpu *v)
{
    memset(v->spaces, 0, sizeof(v->spaces));
    new_space_stamp(v);
}

void tlb_reset(struct tcg_vcpu *v)
{
    v->modes_used = (1u << TCG_MMU_MODES) - 1;
    accel_flush_all(v->cpu);
}

void accel_flush_all(struct cpu *cpu)
{
    struct tcg_vcpu *v = vcpu_of(cpu);

    clear_modes(v, v->modes_used);
    v->modes_used = v->modes_nonglobal = 0;
    cpu->tcg.stamp[1] = ++v->last_stamp;
    forget_spaces(v);
    v->big_lo = UINT64_MAX;
    v->big_hi = 0;
    map_forget(v, false);
    map_forget(v, true);
}

/* modes_nonglobal stays: generated code may bring such entries back without telling. */
static void drop_nonglobal(struct tcg_vcpu *v)
{
    clear_modes(v, v->modes_nonglobal);
    map_forget(v, false);
}

void accel_flush_nonglobal(struct cpu *cpu)
{
    struct tcg_vcpu *v = vcpu_of(cpu);

    drop_nonglobal(v);
    forget_spaces(v);
}

void accel_switch_space(struct cpu *cpu, uint64_t space)
{
    struct tcg_vcpu *v = vcpu_of(cpu);

    if (v->space == space)
        return;
    v->space = space;
    drop_nonglobal(v);
    if (v->spaces[space % NB_SPACES].space == space && v->spaces[space % NB_SPACES].stamp)
        cpu->tcg.stamp[0] = v->spaces[space % NB_SPACES].stamp;
    else
        new_space_stamp(v);
}

void accel_flush_page(struct cpu *cpu, uint64_t vaddr, bool globals_too)
{
    struct tcg_vcpu *v = vcpu_of(cpu);
    uint64_t page = vaddr & TCG_PAGE_MASK;

    if (vaddr >= v->big_lo &&
        vaddr <= v->big_hi) { /* perhaps one of many entries of a large page */
        if (globals_too)
            accel_flush_all(cpu);
        else
            accel_flush_nonglobal(cpu);
        return;
    }
    for (unsigned mode = 0; mode < TCG_MMU_MODES; mode++) {
        struct tcg_tlb_entry *e = &cpu->tcg.tlb[mode][tcg_tlb_index(page)];
        struct tlb2_entry *t = slot_of(v, page, mode);
        if ((e->read & TCG_PAGE_MASK) == page || (e->write & TCG_PAGE_MASK) == page) {
            e->read = TCG_TLB_INVALID;
            __atomic_store_n(&e->write, TCG_TLB_INVALID, __ATOMIC_RELAXED);
        }
        struct tcg_tlb2_entry *q = &cpu->tcg.tlb2[tcg_tlb2_index(page, mode)];
        if (t->page == (page | mode) && (globals_too || !t->global))
            t->stamp = 0;
        if ((q->tag & ~(uint64_t)TCG_TLB2_WRITE) == (page | mode))
            q->stamp = 0;
    }
    cpu->tcg.map[0][tcg_map_index(page)] = 0;
    if (globals_too)
        cpu->tcg.map[1][tcg_map_index(page)] = 0;
}
