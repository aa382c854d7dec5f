/*
 * The host backend as a way to run test units: each is generated into a buffer of its own, nothing
 * is chained.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xmmintrin.h>
#include <tcg/backend.h>
#include <tcg/opt.h>
#include "irmachine.h"

#define MAP_ID    77
#define CODE_SIZE (1 << 20)

static struct {
    struct backend_thunks *thunks;
    uint8_t *rw;
    const uint8_t *rx;
    size_t used;
    struct irm *running;
} jit;

struct jit_unit {
    const uint8_t *code;
};

static const void *go_out(struct tcg_cpu *cpu)
{
    (void)cpu;
    return backend_host.leave(jit.thunks);
}

static const void *no_link(struct tcg_cpu *cpu, const void *unit, uint32_t index)
{
    (void)unit, (void)index;
    return go_out(cpu);
}

static const void *nomerge(struct tcg_cpu *cpu)
{
    jit.running->how = IRM_UNMERGED;
    return go_out(cpu);
}

static void start(void)
{
    struct backend_runtime rt = { .rt = irm_runtime, .link = no_link, .nomerge = nomerge };
    int fd = memfd_create("test-code", 0);

    rt.rt.lookup = go_out;
    g_assert_cmpint(ftruncate(fd, CODE_SIZE), ==, 0);
    jit.rw = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    jit.rx = mmap(NULL, CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    jit.used = backend_host.init(&jit.thunks, jit.rw, jit.rx, CODE_SIZE, &rt, &irm_slots);
    jit.used = (jit.used + 63) & ~(size_t)63;
}

static struct backend_map map_of(void *opaque, uint64_t pc)
{
    (void)opaque;
    return (struct backend_map){ offsetof(struct tcg_cpu, map) + 4 * tcg_map_index(pc), MAP_ID };
}

static void *jit_new(const struct ir *ir)
{
    struct jit_unit *u = g_new0(struct jit_unit, 1);
    struct backend_out out;

    if (!jit.thunks)
        start();
    if (jit.used + BACKEND_UNIT_ROOM * 2 > CODE_SIZE)
        jit.used = 64 * 1024; /* tests keep one program's units at a time */
    struct backend_in in = { .ir = (struct ir *)ir,
                             .rw = jit.rw + jit.used,
                             .rx = jit.rx + jit.used,
                             .room = BACKEND_UNIT_ROOM * 2,
                             .map = map_of,
                             .unit = u };
    g_assert_true(backend_host.generate(jit.thunks, &in, &out));
    jit.used += out.size;
    u->code = in.rx + out.entry;
    return u;
}

static void round_changed(struct irm *m)
{
    backend_host.fp_set_round(&m->cpu->tcg, m->fp.round, true);
}

static void jit_run(struct irm *m, void *unit)
{
    struct jit_unit *u = unit;
    struct tcg_cpu *cpu = &m->cpu->tcg;

    jit.running = m;
    m->how = IRM_LEFT;
    for (unsigned i = 0; i < TCG_MAP_SIZE; i++)
        cpu->map[0][i] = MAP_ID;
    cpu->mxcsr = 0x1f80;
    backend_host.fp_set_round(cpu, m->fp.round, false);
    m->round_changed = round_changed;
    if (!sigsetjmp(m->unwind, 0)) {
        backend_host.enter(jit.thunks, cpu, u->code);
    } else {
        cpu->mxcsr = _mm_getcsr();
        _mm_setcsr(0x1f80);
    }
    m->round_changed = NULL;
    m->fp.flags |= backend_host.fp_take_flags(cpu, false);
}

const struct irm_backend irm_jit = { "jit", 0, jit_new, g_free, jit_run };
const struct irm_backend irm_jit_opt = { "jit-opt", OPT_ALL, jit_new, g_free, jit_run };
