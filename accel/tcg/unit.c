/*
 * The table of units, the links between them, and their removal when code changes.
 */
#include <string.h>
#include <tcg/interp.h>
#include "tcg.h"

static struct unit **bucket(struct tcg *tcg, uint64_t pc, uint32_t flags, uint32_t map)
{
    uint64_t h = (pc ^ (uint64_t)flags << 20 ^ (uint64_t)map << 32) * 0x9e3779b97f4a7c15ull;
    return &tcg->hash[h >> (64 - HASH_BITS)];
}

/* Any thread; what it finds stays until the CPU is next quiescent. */
struct unit *unit_find(struct tcg *tcg, uint64_t pc, uint32_t flags, uint32_t variant, uint32_t map)
{
    struct unit *u = __atomic_load_n(bucket(tcg, pc, flags, map), __ATOMIC_ACQUIRE);

    for (; u; u = __atomic_load_n(&u->next, __ATOMIC_ACQUIRE))
        if (u->pc == pc && u->map == map && u->flags == flags && u->variant == variant)
            return u;
    return NULL;
}

struct code_page *code_page_of(const struct tcg *tcg, ram_addr_t addr)
{
    return __atomic_load_n(&tcg->pages[addr >> RAM_PAGE_BITS], __ATOMIC_ACQUIRE);
}

/* Bits of the 64-byte lines that [offset, offset + len) of a page touches. */
static uint64_t line_mask(unsigned offset, unsigned len)
{
    unsigned first = offset >> 6, last = (offset + len - 1) >> 6;
    return (~0ull << first) & (~0ull >> (63 - last));
}

/* From now on writes to the lines, which were copied to @copy, are noticed, but for stores that are
 * on their way. */
static void mark(struct tcg *tcg, ram_addr_t addr, uint64_t lines, const uint64_t *copy,
                 const uint8_t *host)
{
    struct code_page *p = code_page_of(tcg, addr);

    if (!p) {
        p = g_new0(struct code_page, 1);
        __atomic_store_n(&tcg->pages[addr >> RAM_PAGE_BITS], p, __ATOMIC_RELEASE);
        tcg->pages_end = MAX(tcg->pages_end, (addr >> RAM_PAGE_BITS) + 1);
    }
    if (!p->lines) {
        ram_set_code(tcg->ram, addr, RAM_PAGE_SIZE);
        tlb_protect(tcg, host);
        fresh_begin(tcg, p, addr, host);
    }
    fresh_keep(p, copy, lines & ~p->lines);
    __atomic_fetch_or(&p->lines, lines, __ATOMIC_SEQ_CST);
}

static ram_addr_t ram_of(const struct unit_page *p)
{
    return (ram_addr_t)p->ram << RAM_PAGE_BITS;
}

static const uint8_t *host_of(const struct tcg *tcg, ram_addr_t page)
{
    const struct ram_block *b = ram_block_find(tcg->ram, page);
    return b->host + (page - b->base);
}

void unit_publish(struct tcg *tcg, struct unit *u,
                  uint64_t (*code)[TCG_PAGE_SIZE / sizeof(uint64_t)])
{
    struct unit **head = bucket(tcg, u->pc, u->flags, u->map);
    bool changed = false;

    for (unsigned k = 0; k < u->npages; k++) {
        const struct unit_page *page = &unit_pages(u)[k];
        ram_addr_t addr = ram_of(page);
        const uint8_t *host = host_of(tcg, addr);
        if (code)
            mark(tcg, addr, page->lines, code[k], host);
        struct code_page *p = code_page_of(tcg, addr);
        if (p->n == p->max) {
            p->max = p->max ? 2 * p->max : 8;
            p->unit = g_renew(struct unit *, p->unit, p->max);
        }
        p->unit[p->n++] = u;
        changed |= code && code_changed(code[k], host, page->lines) != 0;
    }
    if (changed) { /* not even for a moment may another CPU find it: fresh.c, (3) */
        unit_remove(tcg, u);
    } else {
        u->next = *head;
        __atomic_store_n(head, u, __ATOMIC_RELEASE);
        if (u->movable)
            move_enter(tcg, u);
    }
    fresh_settle(tcg);
}

/* The exit's unit. */
static struct unit *unit_of(struct unit_exit *x)
{
    return (struct unit *)((uint8_t *)(x - x->index) - offsetof(struct unit, exit));
}

static void patch(struct tcg *tcg, struct unit_exit *x, const struct backend_map *map,
                  const void *to)
{
    const struct unit *from = unit_of(x);

    backend_host.link(unit_rw(tcg, from), unit_rx(tcg, from), &x->link, map, to);
}

void unit_link(struct tcg *tcg, struct unit *from, unsigned index, struct unit *to)
{
    struct unit_exit *x = &from->exit[index];
    struct backend_map map = { map_cell(tcg, to->map), to->map };

    if (from->dead || to->dead || x->to)
        return;
    x->next = to->incoming;
    to->incoming = x;
    x->to = to;
    patch(tcg, x, &map, unit_rx(tcg, to) + (to->straddles ? BACKEND_CHECKED : to->entry));
    stat_add(&tcg->stats.links, 1);
}

static void unlink_incoming(struct tcg *tcg, struct unit *u)
{
    for (struct unit_exit *x = u->incoming; x; x = x->next) {
        patch(tcg, x, NULL, NULL);
        x->to = NULL;
    }
    u->incoming = NULL;
}

static void unlink_outgoing(struct unit *u)
{
    for (struct unit_exit *x = u->exit; x < u->exit + u->nexits; x++) {
        struct unit_exit **p;

        if (!x->to)
            continue;
        for (p = &x->to->incoming; *p != x; p = &(*p)->next)
            ;
        *p = x->next;
        x->to = NULL;
    }
}

static void leave_page(struct tcg *tcg, struct unit *u, ram_addr_t addr)
{
    struct code_page *p = code_page_of(tcg, addr);

    for (unsigned i = 0; i < p->n; i++)
        if (p->unit[i] == u) {
            p->unit[i] = p->unit[--p->n];
            break;
        }
    if (p->n == 0) {
        fresh_end(tcg, p);
        __atomic_store_n(&p->lines, 0, __ATOMIC_SEQ_CST);
        ram_clear_code(tcg->ram, addr & ~(RAM_PAGE_SIZE - 1), RAM_PAGE_SIZE);
    }
}

/* Nobody gets into the unit from now on; who is in it may finish. Its memory is given back by the
 * cache. */
void unit_remove(struct tcg *tcg, struct unit *u)
{
    if (u->dead)
        return;
    __atomic_store_n(&u->dead, true, __ATOMIC_SEQ_CST);
    if (u->movable)
        move_leave(tcg, u);
    for (struct unit **p = bucket(tcg, u->pc, u->flags, u->map); *p; p = &(*p)->next) {
        if (*p == u) {
            __atomic_store_n(p, u->next, __ATOMIC_RELEASE);
            break;
        }
    }
    if (tcg->interp)
        interp_unit_disable(u->interp);
    else
        backend_host.disable(unit_rw(tcg, u));
    unlink_incoming(tcg, u);
    unlink_outgoing(u);
    for (unsigned k = 0; k < u->npages; k++)
        leave_page(tcg, u, ram_of(&unit_pages(u)[k]));
    stat_add(&tcg->stats.invalidated, 1);
}

void unit_remove_all(struct tcg *tcg)
{
    for (unsigned k = 0; k < CACHE_REGIONS; k++)
        for (struct unit *u = tcg->region[k].units; u; u = u->region_next)
            unit_remove(tcg, u);
    stat_add(&tcg->stats.flushes, 1);
}

static bool covers(const struct tcg *tcg, const struct unit *u, uint64_t pc)
{
    uint64_t line = line_mask(pc & (TCG_PAGE_SIZE - 1), 1);

    for (unsigned k = 0; k < u->npages; k++)
        if (tcg->map[unit_pages(u)[k].map].vpage == (pc & TCG_PAGE_MASK) &&
            (unit_pages(u)[k].lines & line))
            return true;
    return false;
}

void unit_remove_at(struct tcg *tcg, uint64_t pc)
{
    for (unsigned k = 0; k < CACHE_REGIONS; k++)
        for (struct unit *u = tcg->region[k].units; u; u = u->region_next)
            if (covers(tcg, u, pc))
                unit_remove(tcg, u);
}

bool code_touched(const struct tcg *tcg, ram_addr_t addr, uint64_t len)
{
    struct code_page *p = code_page_of(tcg, addr);

    return p && (__atomic_load_n(&p->lines, __ATOMIC_SEQ_CST) &
                 line_mask(addr & (RAM_PAGE_SIZE - 1), len));
}

/* The lines of the RAM page that it was made from. */
static uint64_t lines_in(const struct unit *u, ram_addr_t page)
{
    uint64_t lines = 0;

    for (unsigned k = 0; k < u->npages; k++)
        if (ram_of(&unit_pages(u)[k]) == page)
            lines |= unit_pages(u)[k].lines;
    return lines;
}

bool code_remove(struct tcg *tcg, ram_addr_t page, uint64_t lines)
{
    struct code_page *p = code_page_of(tcg, page);
    uint64_t left = 0;
    bool looping = false;

    for (unsigned i = 0; i < p->n;) {
        struct unit *u = p->unit[i];
        uint64_t used = lines_in(u, page);
        if (used & lines) {
            looping |= u->loops;
            unit_remove(tcg, u); /* takes itself out of the list */
            continue;
        }
        left |= used;
        i++;
    }
    if (p->n)
        __atomic_store_n(&p->lines, left, __ATOMIC_SEQ_CST);
    return looping;
}

bool code_is_of(struct tcg *tcg, ram_addr_t addr, unsigned len, uint64_t pc)
{
    ram_addr_t page = addr & ~(ram_addr_t)(RAM_PAGE_SIZE - 1);
    bool is = false;

    pthread_mutex_lock(&tcg->lock);
    struct code_page *p = code_page_of(tcg, page);
    for (unsigned i = 0; p && i < p->n && !is; i++)
        is =
            lines_in(p->unit[i], page) & line_mask(addr - page, len) && covers(tcg, p->unit[i], pc);
    pthread_mutex_unlock(&tcg->lock);
    return is;
}

/* Units that loop by themselves are left only by who is asked to. Who is outside looks units up
 * after it has said that it is no more. */
void code_call_out(struct tcg *tcg)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < tcg->nvcpus; i++) {
        struct cpu *cpu = tcg->vcpu[i]->cpu;

        if (__atomic_load_n(&tcg->vcpu[i]->seen, __ATOMIC_SEQ_CST) == UINT64_MAX ||
            (cpu->has_thread && pthread_equal(cpu->thread, pthread_self())))
            continue;
        cpu_kick(cpu);
        __atomic_fetch_add(&tcg->stats.called, 1, __ATOMIC_RELAXED);
    }
}

void code_written(struct tcg *tcg, ram_addr_t addr, uint64_t len)
{
    bool looping = false;

    while (len) {
        unsigned offset = addr & (RAM_PAGE_SIZE - 1);
        uint64_t n = MIN(len, RAM_PAGE_SIZE - offset);

        if (code_touched(tcg, addr, n)) {
            pthread_mutex_lock(&tcg->lock);
            looping |= code_remove(tcg, addr - offset, line_mask(offset, n));
            pthread_mutex_unlock(&tcg->lock);
        }
        addr += n;
        len -= n;
    }
    if (looping)
        code_call_out(tcg);
}
