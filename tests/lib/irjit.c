/*
 * The host's backend as a way to run test units: each stands in a small code cache that is used
 * again once all units are gone; nothing is chained.
 */
#ifdef __x86_64__
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xmmintrin.h>
#include <tcg/backend.h>
#include <tcg/opt.h>
#include "irmachine.h"
#include "tcg/host-x86_64/gen.h"

#define CODE_SIZE (8u << 20)

static struct jit {
    uint8_t *rw, *rx;
    size_t start, used; /* units begin behind the thunks */
    unsigned units;
    struct backend_thunks *thunks;
    struct irm *running;
} jit;

struct jit_unit {
    const uint8_t *entry;
};

static const void *jit_leave(struct tcg_cpu *cpu)
{
    (void)cpu;
    return backend_host.leave(jit.thunks);
}

static const void *jit_link(struct tcg_cpu *cpu, const void *unit, uint32_t index)
{
    (void)unit;
    (void)index;
    return jit_leave(cpu);
}

static const void *jit_unmerged(struct tcg_cpu *cpu)
{
    jit.running->how = IRM_UNMERGED;
    return jit_leave(cpu);
}

static struct backend_map jit_map(void *opaque, uint64_t pc)
{
    (void)opaque;
    return (struct backend_map){ offsetof(struct tcg_cpu, map[0][tcg_map_index(pc)]), 0 };
}

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
    rt.rt.lookup = jit_leave;
    jit.start = backend_host.init(&jit.thunks, jit.rw, jit.rx, CODE_SIZE, &rt, &irm_slots);
    jit.start = jit.used = (jit.start + 15) & ~(size_t)15;
}

/* NULL: the unit is too long for the backend. */
static void *jit_new(const struct ir *ir)
{
    struct backend_out out;
    struct jit_unit *u;
    struct ir copy = *ir;

    if (!jit.thunks)
        jit_init();
    struct backend_in in = { .ir = &copy,
                             .rw = jit.rw + jit.used,
                             .rx = jit.rx + jit.used,
                             .room = CODE_SIZE - jit.used,
                             .map = jit_map };
    if (!backend_host.generate(jit.thunks, &in, &out))
        return NULL;
    u = g_new(struct jit_unit, 1);
    u->entry = in.rx + BACKEND_CHECKED;
    jit.used += out.size;
    jit.units++;
    return u;
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
    unit = jit_new(ir);
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

static void jit_run(struct irm *m, void *unit)
{
    const struct jit_unit *u = unit;
    unsigned host = _mm_getcsr();

    jit.running = m;
    m->round_changed = jit_round;
    m->cpu->tcg.mxcsr = 0x1f80; /* all exceptions masked */
    backend_host.fp_set_round(&m->cpu->tcg, m->fp.round, false);
    if (!sigsetjmp(m->unwind, 0)) {
        backend_host.enter(jit.thunks, &m->cpu->tcg, u->entry);
        m->fp.flags |= backend_host.fp_take_flags(&m->cpu->tcg, false);
    } else {
        m->fp.flags |= backend_host.fp_take_flags(&m->cpu->tcg, true);
        _mm_setcsr(host);
    }
    m->round_changed = NULL;
}

#define JIT(text, bits, new)                     \
    {                                            \
        text, bits, new, jit_free, jit_run, true \
    }
const struct irm_backend irm_jit = JIT("jit", 0, jit_new);
const struct irm_backend irm_jit_dead = JIT("jit-dead", OPT_DEAD | OPT_FCANON, jit_new);
const struct irm_backend irm_jit_opt = JIT("jit-opt", OPT_ALL, jit_new);
const struct irm_backend irm_jit_plain = JIT("jit-plain", OPT_ALL, jit_new_plain);
#endif
