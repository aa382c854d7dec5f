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
    trans_unit(t);
}

static struct unit *new_unit(struct builder *b, const struct trans *t, uint32_t variant)
{
    struct unit *u = g_new0(struct unit, 1);

    u->pc = t->start;
    u->flags = b->flags;
    u->variant = variant;
    u->insns = t->insns;
    u->map = b->page[0].map;
    if (t->straddles)
        u->map2 = b->page[1].map;
    for (unsigned k = 0; k < b->npages; k++) {
        const struct map_info *m = &b->tcg->map[b->page[k].map];
        u->page[k] = m->ram;
        u->lines[k] = b->page[k].lines;
        u->vpage[k] = b->page[k].vpage;
    }
    u->npages = b->npages;
    return u;
}

static void interp_map_of(void *opaque, uint64_t pc, struct interp_map *map)
{
    struct builder *b = opaque;

    map->id = b->page[page_index(b, pc)].map;
    map->cell = b->tcg->map[map->id].global;
}

static bool generate(struct builder *b, struct unit *u)
{
    struct tcg *tcg = b->tcg;
    struct region *r = cache_room(tcg, b->v);
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
        .page2 = u->map2 ? tcg->map[u->map2].vpage : 0,
    };

    if (tcg->interp) {
        u->interp = interp_unit_new(&tcg->ir, interp_map_of, b);
        out.size = interp_unit_size(u->interp);
    } else {
        if (!backend_host.generate(tcg->thunks, &in, &out))
            return false;
        u->rw = in.rw;
        u->rx = in.rx;
    }
    u->size = out.size;
    u->entry = out.entry;
    u->nexits = out.nexits;
    u->exit = g_memdup2(out.exit, out.nexits * sizeof(out.exit[0]));
    u->to = g_new0(struct unit *, out.nexits + 1);
    r->used += out.size;
    u->region_next = r->units;
    r->units = u;
    return true;
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
                       .no_loop = variant & VARIANT_NOMERGE };
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
    u = new_unit(b, &t, variant);
    pthread_mutex_lock(&tcg->lock);
    if (generate(b, u)) {
        unit_publish(tcg, u, tcg->code);
        stat_add(&tcg->stats.units, 1);
        stat_add(&tcg->stats.insns, u->insns);
        stat_add(&tcg->stats.bytes, u->size);
    } else {
        g_free(u);
        u = NULL;
        *again = true;
    }
    pthread_mutex_unlock(&tcg->lock);
    if (u)
        dump_code(tcg, b->v->cpu, u);
    return u;
}

struct unit *unit_build(struct tcg_vcpu *v, uint64_t pc, uint32_t flags, uint32_t variant,
                        struct cpu_fault *fault)
{
    struct tcg *tcg = v->tcg;
    struct builder b = { .v = v, .tcg = tcg, .flags = flags };
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

void unit_free(struct unit *u)
{
    struct link *next;

    for (struct link *l = u->incoming; l; l = next) { /* of units that live to the end */
        next = l->next;
        g_free(l);
    }
    if (u->interp)
        interp_unit_free(u->interp);
    g_free(u->exit);
    g_free(u->to);
    g_free(u);
}
