/*
 * Code that is mapped in more than one place, as programs and libraries are from one process to the
 * next, is translated once: a unit that depends on its address only by such numbers as its backend
 * has listed (ir_pcrel()) is copied for another address of the same memory.
 *
 * Units that can be copied are in a table by the memory that they begin in. A copy is not: while
 * its original is there it is of no use, and memory for the list of numbers is saved.
 */
#include <string.h>
#include "tcg.h"

static struct unit **bucket(struct tcg *tcg, uint64_t ram, uint64_t pc, uint32_t flags)
{
    uint64_t h = (ram << TCG_PAGE_BITS ^ (pc & (TCG_PAGE_SIZE - 1)) ^ (uint64_t)flags << 32) *
                 0x9e3779b97f4a7c15ull;

    return &tcg->movable[h >> (64 - MOVABLE_BITS)];
}

static struct unit **home_of(struct tcg *tcg, const struct unit *u)
{
    return bucket(tcg, unit_pages(u)[0].ram, u->pc, u->flags);
}

void move_enter(struct tcg *tcg, struct unit *u)
{
    struct unit **head = home_of(tcg, u);

    unit_moves(u)->next = *head;
    *head = u;
}

void move_leave(struct tcg *tcg, struct unit *u)
{
    struct unit **p = home_of(tcg, u);

    while (*p && *p != u)
        p = &unit_moves(*p)->next;
    if (*p)
        *p = unit_moves(u)->next;
}

/* What is asked for, and the pages found for it. */
struct move {
    struct tcg_vcpu *v;
    struct tcg *tcg;
    uint64_t pc;
    uint32_t flags, variant, map;
    const struct unit *from; /* valid while the lock is held */
    uint64_t distance;
    unsigned npages;
    struct {
        uint64_t vpage; /* where it is wanted */
        uint32_t ram;
        uint32_t old, map; /* mapping ids */
    } page[UNIT_PAGES];
};

static uint32_t ram_page(const struct tcg *tcg, uint32_t map)
{
    return (uint32_t)(tcg->map[map].ram >> RAM_PAGE_BITS);
}

/* Lock held. */
static bool find_original(struct move *m)
{
    uint32_t ram = ram_page(m->tcg, m->map);
    struct unit *u = *bucket(m->tcg, ram, m->pc, m->flags);

    for (; u; u = unit_moves(u)->next)
        if (unit_pages(u)[0].ram == ram && !((u->pc ^ m->pc) & (TCG_PAGE_SIZE - 1)) &&
            u->flags == m->flags && u->variant == m->variant)
            break;
    m->from = u;
    return u;
}

/* Lock held. */
static void note_pages(struct move *m)
{
    m->distance = m->pc - m->from->pc;
    m->npages = m->from->npages;
    for (unsigned k = 0; k < m->npages; k++) {
        const struct unit_page *p = &unit_pages(m->from)[k];

        m->page[k].vpage = m->tcg->map[p->map].vpage + m->distance;
        m->page[k].ram = p->ram;
        m->page[k].old = p->map;
        m->page[k].map = k ? 0 : m->map;
    }
}

/* Whether the other pages are mapped at the same distance. Lock not held. */
static bool find_pages(struct move *m)
{
    struct cpu_fault fault;

    for (unsigned k = 1; k < m->npages; k++) {
        m->page[k].map = map_current(m->v->cpu, m->page[k].vpage, m->flags, &fault);
        if (!m->page[k].map || ram_page(m->tcg, m->page[k].map) != m->page[k].ram)
            return false;
    }
    return true;
}

/* The original may have gone while the lock was not held, and another have come. */
static bool still_there(struct move *m)
{
    if (!find_original(m) || m->from->npages != m->npages || m->pc - m->from->pc != m->distance)
        return false;
    for (unsigned k = 0; k < m->npages; k++)
        if (unit_pages(m->from)[k].map != m->page[k].old)
            return false;
    return true;
}

static struct backend_map new_map(void *opaque, uint32_t id)
{
    const struct move *m = opaque;
    unsigned k = 0;

    while (k + 1 < m->npages && m->page[k].old != id)
        k++;
    return (struct backend_map){ map_cell(m->tcg, m->page[k].map), m->page[k].map };
}

/* Links of the original lead to where it was. */
static void unlink_exits(const struct move *m, struct unit *u)
{
    const struct backend_map none = { offsetof(struct tcg_cpu, map), 0 };

    for (unsigned e = 0; e < u->nexits; e++) {
        struct unit_exit *x = &u->exit[e];

        *x = (struct unit_exit){ .link = m->from->exit[e].link, .index = e };
        backend_host.link(unit_rw(m->tcg, u), unit_rx(m->tcg, u), &x->link, &none,
                          unit_rx(m->tcg, u) + x->link.unlinked);
    }
}

/* Lock held. */
static struct unit *copy(struct move *m, struct region *r)
{
    const struct unit *from = m->from;
    size_t size = (uint8_t *)unit_moves(from) - (const uint8_t *)from;
    struct unit *u = arena_alloc(&r->arena, size);
    const struct unit_moves *moves = unit_moves(from);

    memcpy(u, from, size);
    u->pc = m->pc;
    u->map = m->map;
    u->at = r->rw + r->used - m->tcg->cache_rw;
    u->count = 0;
    u->movable = u->dead = false;
    u->next = NULL;
    u->incoming = NULL;
    for (unsigned k = 0; k < u->npages; k++)
        unit_pages(u)[k].map = m->page[k].map;
    backend_host.copy(unit_rw(m->tcg, u), unit_rx(m->tcg, u), unit_rx(m->tcg, from), 16u * u->size,
                      u, m->distance, moves->move, moves->n, new_map, m);
    unlink_exits(m, u);
    u->region_next = r->units;
    r->units = u;
    r->used += 16u * u->size;
    return u;
}

static struct unit *copy_locked(struct move *m)
{
    struct tcg *tcg = m->tcg;
    struct region *r = cache_room(tcg, m->v); /* may drop the lock */
    struct unit *u;

    if (!still_there(m))
        return NULL;
    u = copy(m, r);
    unit_publish(tcg, u, NULL);
    stat_add(&tcg->stats.units, 1);
    stat_add(&tcg->stats.moved, 1);
    stat_add(&tcg->stats.insns, u->insns);
    stat_add(&tcg->stats.bytes, 16u * u->size);
    return u;
}

struct unit *move_build(struct tcg_vcpu *v, uint64_t pc, uint32_t flags, uint32_t variant,
                        uint32_t map)
{
    struct move m = {
        .v = v, .tcg = v->tcg, .pc = pc, .flags = flags, .variant = variant, .map = map
    };
    struct unit *u = NULL;
    bool found;

    if (v->cpu->breakpoints->len) /* which end units */
        return NULL;
    pthread_mutex_lock(&m.tcg->lock);
    found = find_original(&m);
    if (found)
        note_pages(&m);
    pthread_mutex_unlock(&m.tcg->lock);
    if (!found || !find_pages(&m))
        return NULL;
    pthread_mutex_lock(&m.tcg->lock);
    u = copy_locked(&m);
    pthread_mutex_unlock(&m.tcg->lock);
    if (u && m.tcg->perf) {
        pthread_mutex_lock(&m.tcg->build_lock);
        perf_unit(m.tcg, u);
        pthread_mutex_unlock(&m.tcg->build_lock);
    }
    return u;
}
