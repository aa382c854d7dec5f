/*
 * The host's backend as a way to run test units: each stands in a small code cache that is used
 * again once all units are gone.
 */
#ifdef __x86_64__
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xmmintrin.h>
#include <tcg/backend.h>
#include <tcg/opt.h>
#include "irmachine.h"
#include "tcg/host-x86_64/gen.h"

#define CODE_SIZE (8u << 20)

#define NB_CELLS 1024 /* mapping cells that units here look at */

static struct jit {
    uint8_t *rw, *rx;
    size_t start, used; /* units begin behind the thunks */
    unsigned units;
    struct backend_thunks *thunks;
    struct irm *running;
    bool chained;
    uint32_t map[NB_CELLS];
} jit;

struct jit_unit {
    uint8_t *rw;
    const uint8_t *rx;
    struct backend_out out;
};

/* Each page has an id of its own; cells of pages that nobody asked for hold another. */
static struct backend_map jit_map(void *opaque, uint64_t pc)
{
    unsigned cell = pc >> TCG_PAGE_BITS & (NB_CELLS - 1);
    uint32_t id = 1 + (pc >> TCG_PAGE_BITS);

    (void)opaque;
    jit.map[cell] = id;
    if (jit.running)
        jit.running->cpu->tcg.map[0][cell] = id;
    return (struct backend_map){ offsetof(struct tcg_cpu, map[0][cell]), id };
}

/* ---- From unit to unit ---- */

static const void *entry_of(const struct jit_unit *u)
{
    return u ? u->rx + u->out.entry : backend_host.leave(jit.thunks);
}

static struct jit_unit *next_unit(bool unmerged)
{
    struct irm *m = jit.running;

    return jit.chained && m->next_unit ? m->next_unit(m, unmerged) : NULL;
}

static const void *jit_lookup(struct tcg_cpu *cpu)
{
    const struct jit_unit *u = next_unit(false);

    if (u)
        cpu->jump[tcg_jump_index(cpu->pc)] = (struct tcg_jump){ cpu->pc, u->rx + BACKEND_CHECKED };
    return entry_of(u);
}

static const void *jit_link(struct tcg_cpu *cpu, const void *unit, uint32_t index)
{
    const struct jit_unit *from = unit, *to = next_unit(false);
    struct backend_map map = jit_map(NULL, cpu->pc);

    g_assert_cmpuint(index, <, from->out.nexits);
    g_assert_cmphex(from->out.exit[index].pc, ==, cpu->pc);
    if (to)
        backend_host.link(from->rw, from->rx, &from->out.exit[index].link, &map, entry_of(to));
    return entry_of(to);
}

static const void *jit_unmerged(struct tcg_cpu *cpu)
{
    const struct jit_unit *u = next_unit(true);

    (void)cpu;
    if (!u)
        jit.running->how = IRM_UNMERGED;
    return entry_of(u);
}

/* ---- Units ---- */

static void jit_init(void)
{
    struct backend_runtime rt = { irm_runtime, jit_link, jit_unmerged };
    int fd = memfd_create("code", 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, CODE_SIZE), ==, 0);
    jit.rw = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    jit.rx = mmap(NULL, CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    g_assert_true(jit.rw != MAP_FAILED && jit.rx != MAP_FAILED);
    close(fd);
    rt.rt.lookup = jit_lookup;
    jit.start = backend_host.init(&jit.thunks, jit.rw, jit.rx, CODE_SIZE, &rt, &irm_slots);
    jit.start = jit.used = (jit.start + 15) & ~(size_t)15;
}

/* NULL: the unit is too long for the backend. */
static void *jit_new(const struct ir *ir)
{
    struct jit_unit *u = g_new0(struct jit_unit, 1);
    struct ir copy = *ir;

    if (!jit.thunks)
        jit_init();
    struct backend_in in = { .ir = &copy,
                             .rw = jit.rw + jit.used,
                             .rx = jit.rx + jit.used,
                             .room = CODE_SIZE - jit.used,
                             .map = jit_map,
                             .unit = u };
    if (!backend_host.generate(jit.thunks, &in, &u->out)) {
        g_free(u);
        return NULL;
    }
    u->rw = in.rw;
    u->rx = in.rx;
    jit.used += u->out.size;
    jit.units++;
    return u;
}

/* As on a host that knows only some vector instructions. */
static void *jit_new_vec(const struct ir *ir, uint32_t vec)
{
    struct backend_thunks *th;
    uint32_t had;
    void *unit;

    if (!jit.thunks)
        jit_init();
    th = jit.thunks;
    had = th->vec;
    th->vec &= vec;
    th->vops_called = !vec;
    unit = jit_new(ir);
    th->vec = had;
    th->vops_called = false;
    return unit;
}

static void *jit_new_sse(const struct ir *ir)
{
    return jit_new_vec(ir, VEC_AVX - 1);
}

static void *jit_new_called(const struct ir *ir)
{
    return jit_new_vec(ir, 0);
}

/* As on a host without the newer instructions. */
static void *jit_new_plain(const struct ir *ir)
{
    struct backend_thunks *th, had;
    void *unit;

    if (!jit.thunks)
        jit_init();
    th = jit.thunks;
    had = *th;
    th->bmi1 = th->bmi2 = th->lzcnt = th->fma = false;
    unit = jit_new_vec(ir, VEC_SSE2);
    th->bmi1 = had.bmi1;
    th->bmi2 = had.bmi2;
    th->lzcnt = had.lzcnt;
    th->fma = had.fma;
    return unit;
}

static void jit_free(void *unit)
{
    g_free(unit);
    if (--jit.units == 0)
        jit.used = jit.start;
}

static void jit_round(struct irm *m)
{
    backend_host.fp_set_round(&m->cpu->tcg, m->fp.round, true);
}

/* Sticky flags move to where generated code looks for them, and back. */
static void give_flags(struct irm *m)
{
    m->cpu->tcg.fp_sticky = m->fp.flags & 0x1f;
    m->fp.flags &= ~0x1f;
}

static void take_flags(struct irm *m, bool inside)
{
    m->fp.flags |= backend_host.fp_take_flags(&m->cpu->tcg, inside) | m->cpu->tcg.fp_sticky;
    m->cpu->tcg.fp_sticky = 0;
}

static void jit_run(struct irm *m, void *unit)
{
    const struct jit_unit *u = unit;
    unsigned host = _mm_getcsr();

    jit.running = m;
    memcpy(m->cpu->tcg.map[0], jit.map, sizeof(jit.map));
    m->round_changed = jit_round;
    m->cpu->tcg.mxcsr = 0x1f80; /* all exceptions masked */
    backend_host.fp_set_control(&m->cpu->tcg, m->fp.round, m->fp.denormals_are_zero, m->fp.flush,
                                false);
    give_flags(m);
    if (!sigsetjmp(m->unwind, 0)) {
        backend_host.enter(jit.thunks, &m->cpu->tcg, u->rx + BACKEND_CHECKED);
        take_flags(m, false);
    } else {
        take_flags(m, true);
        _mm_setcsr(host);
    }
    m->round_changed = NULL;
    jit.running = NULL;
}

static void jit_run_chained(struct irm *m, void *unit)
{
    jit.chained = true;
    jit_run(m, unit);
    jit.chained = false;
}

#define JIT(text, bits, new, run)      \
    {                                  \
        text, bits, new, jit_free, run \
    }
const struct irm_backend irm_jit = JIT("jit", 0, jit_new, jit_run);
const struct irm_backend irm_jit_dead = JIT("jit-dead", OPT_DEAD | OPT_FCANON, jit_new, jit_run);
const struct irm_backend irm_jit_opt = JIT("jit-opt", OPT_ALL, jit_new, jit_run);
const struct irm_backend irm_jit_plain = JIT("jit-plain", OPT_ALL, jit_new_plain, jit_run);
const struct irm_backend irm_jit_sse = JIT("jit-sse", OPT_ALL, jit_new_sse, jit_run);
const struct irm_backend irm_jit_called = JIT("jit-called", OPT_ALL, jit_new_called, jit_run);
const struct irm_backend irm_jit_chained = JIT("jit-chained", OPT_ALL, jit_new, jit_run_chained);
#endif
