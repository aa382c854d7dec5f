/*
 * From guest code to a unit: fetching, the front end, the optimiser, the backend.
 */
#include <string.h>
#include <time.h>
#include <base/bug.h>
#include <base/log.h>
#include <tcg/interp.h>
#include <tcg/opt.h>
#include "dump.h"
#include "tcg.h"

struct builder {
    struct tcg_vcpu *v;
    struct tcg *tcg;
    uint32_t flags;
    struct cpu_fault fault;
    struct {
        uint64_t vpage;
        uint32_t map;
        uint64_t lines;
    } page[UNIT_PAGES];
    unsigned npages;
    bool no_room; /* for another page */
    bool movable; /* if all of it is */
};

/* The page's place in the list; entered if it is new. Lock not held. */
static int page_index(struct builder *b, uint64_t vaddr)
{
    uint64_t vpage = vaddr & TCG_PAGE_MASK;

    for (unsigned k = 0; k < b->npages; k++)
        if (b->page[k].vpage == vpage)
            return k;
    if (b->npages == UNIT_PAGES)
        return -1;
    uint32_t map = map_current(b->v->cpu, vaddr, b->flags, &b->fault);
    if (!map)
        return -1;
    b->page[b->npages].vpage = vpage;
    b->page[b->npages].map = map;
    b->page[b->npages].lines = 0;
    return b->npages++;
}

static bool fetch(void *opaque, uint64_t vaddr, unsigned size, uint32_t *val)
{
    struct builder *b = opaque;
    int k = page_index(b, vaddr);

    if (k < 0)
        return false;
    const struct map_info *m = &b->tcg->map[b->page[k].map];
    unsigned offset = vaddr & (TCG_PAGE_SIZE - 1);
    uint64_t line = 1ull << (offset >> 6);
    if (!(b->page[k].lines & line)) {
        b->page[k].lines |= line;
        code_copy(b->tcg->code[k], m->host, offset >> 6);
    }
    *val = 0;
    memcpy(val, (const uint8_t *)b->tcg->code[k] + offset, size);
    return true;
}

static bool breakpoint(void *opaque, uint64_t vaddr)
{
    struct builder *b = opaque;
    GArray *list = b->v->cpu->breakpoints;

    for (unsigned i = 0; i < list->len; i++)
        if (g_array_index(list, struct cpu_breakpoint, i).pc == vaddr)
            return true;
    return false;
}

static struct backend_map backend_map_of(void *opaque, uint64_t pc)
{
    struct builder *b = opaque;
    uint32_t id = b->page[page_index(b, pc)].map;
    return (struct backend_map){ map_cell(b->tcg, id), id };
}

static void translate(struct builder *b, struct trans *t, unsigned max_insns)
{
    static const struct trans_fetch ops = { fetch, breakpoint };
    struct tcg *tcg = b->tcg;

    t->ir = &tcg->ir;
    t->cpu = b->v->cpu;
    t->max_insns = max_insns;
    t->fetch = &ops;
    t->fetch_opaque = b;
    ir_begin(t->ir, t->start, b->flags);
    t->ir->movable = b->movable;
    trans_unit(t);
}

#define UNIT_MAX                                                          \
    (sizeof(struct unit) + BACKEND_MAX_EXITS * sizeof(struct unit_exit) + \
     UNIT_PAGES * sizeof(struct unit_page) + sizeof(struct unit_moves) +  \
     BACKEND_MAX_MOVES * sizeof(uint16_t))

/* Lies at the arena's end, with room for all that finish_unit() adds. */
static struct unit *new_unit(struct builder *b, struct region *r, const struct trans *t,
                             uint32_t variant)
{
    struct unit *u = arena_alloc(&r->arena, UNIT_MAX);

    *u = (struct unit){
        .pc = t->start,
        .flags = b->flags,
        .variant = variant,
        .insns = t->insns,
        .map = b->page[0].map,
        .npages = b->npages,
        .straddles = t->straddles,
    };
    return u;
}

static uint8_t *unit_end(const struct unit *u)
{
    struct unit_moves *m = unit_moves(u);

    return u->movable ? (uint8_t *)&m->move[m->n] : (uint8_t *)m;
}

static void finish_unit(struct builder *b, struct region *r, struct unit *u,
                        const struct backend_out *out)
{
    u->at = r->rw + r->used - b->tcg->cache_rw;
    u->size = (out->size + 15) / 16;
    u->entry = out->entry;
    u->nexits = out->nexits;
    u->loops = b->tcg->ir.loops;
    for (unsigned e = 0; e < out->nexits; e++)
        u->exit[e] = (struct unit_exit){ .link = out->exit[e].link, .index = e };
    for (unsigned k = 0; k < u->npages; k++)
        unit_pages(u)[k] = (struct unit_page){
            .lines = b->page[k].lines,
            .ram = b->tcg->map[b->page[k].map].ram >> RAM_PAGE_BITS,
            .map = b->page[k].map,
        };
    u->movable = out->nmoves;
    if (u->movable) {
        unit_moves(u)->n = out->nmoves;
        memcpy(unit_moves(u)->move, out->move, out->nmoves * sizeof(out->move[0]));
    }
    arena_shrink(&r->arena, u, unit_end(u) - (uint8_t *)u);
    r->used += out->size;
    u->region_next = r->units;
    r->units = u;
}

static void interp_map_of(void *opaque, uint64_t pc, struct interp_map *map)
{
    struct builder *b = opaque;

    map->id = b->page[page_index(b, pc)].map;
    map->cell = b->tcg->map[map->id].global;
}

/* NULL: it does not fit. Lock held. */
static struct unit *generate(struct builder *b, const struct trans *t, uint32_t variant)
{
    struct tcg *tcg = b->tcg;
    struct region *r = cache_room(tcg, b->v);
    struct unit *u = new_unit(b, r, t, variant);
    struct backend_out out = { 0 };
    struct backend_in in = {
        .ir = &tcg->ir,
        .rw = r->rw + r->used,
        .rx = r->rx + r->used,
        .room = BACKEND_UNIT_ROOM,
        .opaque = b,
        .map = backend_map_of,
        .unit = u,
        .counter = tcg->count ? &u->count : NULL,
        .page2 = t->straddles ? b->page[1].vpage : 0,
        .unmerged = variant & VARIANT_NOMERGE,
    };

    if (tcg->interp) {
        u->interp = interp_unit_new(&tcg->ir, interp_map_of, b);
        out.size = interp_unit_size(u->interp);
    } else if (!backend_host.generate(tcg->thunks, &in, &out)) {
        arena_shrink(&r->arena, u, 0);
        return NULL;
    }
    finish_unit(b, r, u, &out);
    return u;
}

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* One attempt with at most @max_insns; NULL with *again if it did not fit. */
static struct unit *attempt(struct builder *b, uint64_t pc, uint32_t variant, unsigned max_insns,
                            bool *again)
{
    struct tcg *tcg = b->tcg;
    struct trans t = { .start = pc,
                       .flags = b->flags,
                       .single = variant & VARIANT_SINGLE,
                       .count_slot = b->tcg->icount.on ? b->v->cpu->ops->count_slot : 0,
                       /* Once past what could not be merged, the loop goes on in the usual unit. */
                       .no_loop = variant & VARIANT_NOMERGE,
                       .no_checks = variant & VARIANT_NOMERGE };
    struct unit *u = NULL;

    *again = false;
    b->npages = 0;
    translate(b, &t, t.single ? 1 : max_insns);
    if (t.insns == 0)
        return NULL;
    *again = tcg->ir.full;
    if (tcg->ir.full)
        return NULL;
    dump_ir(b->v->cpu, &t, &tcg->ir, false);
    opt_run(&tcg->ir, tcg->scratch, OPT_ALL & ~(variant & VARIANT_NOMERGE ? OPT_MERGE : 0));
    dump_ir(b->v->cpu, &t, &tcg->ir, true);
    pthread_mutex_lock(&tcg->lock);
    u = generate(b, &t, variant);
    if (u) {
        unit_publish(tcg, u, tcg->code);
        stat_add(&tcg->stats.units, 1);
        stat_add(&tcg->stats.insns, u->insns);
        stat_add(&tcg->stats.bytes, 16 * u->size);
    }
    *again = !u;
    pthread_mutex_unlock(&tcg->lock);
    if (u) {
        perf_unit(tcg, u);
        dump_code(tcg, b->v->cpu, u);
    }
    return u;
}

struct unit *unit_build(struct tcg_vcpu *v, uint64_t pc, uint32_t flags, uint32_t variant,
                        struct cpu_fault *fault)
{
    struct tcg *tcg = v->tcg;
    struct builder b = {
        .v = v,
        .tcg = tcg,
        .flags = flags,
        /* listings are to show every unit */
        .movable = !tcg->interp && !log_on(LOG_IN_ASM | LOG_OP | LOG_OP_OPT | LOG_OUT_ASM),
    };
    struct unit *u = NULL;
    bool again = true;
    uint64_t start;

    pthread_mutex_lock(&tcg->build_lock);
    start = now_ns();
    for (unsigned n = MAX_UNIT_INSNS; again && n; n /= 2)
        u = attempt(&b, pc, variant, n, &again);
    bug_on(!u && again); /* one instruction fits any unit */
    stat_add(&tcg->stats.translate_ns, now_ns() - start);
    pthread_mutex_unlock(&tcg->build_lock);
    *fault = b.fault;
    return u;
}

void unit_free(const struct tcg *tcg, struct unit *u)
{
    if (tcg->interp)
        interp_unit_free(u->interp);
}
