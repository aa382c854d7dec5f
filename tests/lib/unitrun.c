/*
 * See unitrun.h.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xmmintrin.h>
#include <tcg/backend.h>
#include <tcg/interp.h>
#include "unitrun.h"

#define MAP_ID    77
#define CODE_SIZE (4 * 1024 * 1024)

/* One of them. */
struct unitrun_unit {
    struct interp_unit *interp;
    const uint8_t *entry;
};

static struct unitrun_side *side_of(struct cpu *cpu)
{
    return cpu->accel;
}

/* ---- Floating point ---- */

void unitrun_fp_set_round(struct cpu *cpu, enum fp_round round)
{
    struct unitrun_side *s = side_of(cpu);

    s->fp.round = round;
    if (s->jit)
        backend_host.fp_set_round(&cpu->tcg, round, s->inside);
}

void unitrun_fp_set_control(struct cpu *cpu, enum fp_round round, bool daz, bool ftz)
{
    struct unitrun_side *s = side_of(cpu);

    s->fp.round = round;
    s->fp.denormals_are_zero = daz;
    s->fp.flush = ftz ? FP_FLUSH_X86 : FP_FLUSH_OFF;
    if (s->jit)
        backend_host.fp_set_control(&cpu->tcg, round, daz, ftz, s->inside);
}

unsigned unitrun_fp_flags(struct cpu *cpu, bool clear)
{
    struct unitrun_side *s = side_of(cpu);
    unsigned flags = (s->fp.flags & (0x1f | FP_DE)) | cpu->tcg.fp_sticky;

    if (clear)
        s->fp.flags = cpu->tcg.fp_sticky = 0;
    if (!s->jit)
        return flags;
    return flags |
           (clear ? backend_host.fp_take_flags : backend_host.fp_flags)(&cpu->tcg, s->inside);
}

static void unit_free(void *opaque)
{
    struct unitrun_unit *unit = opaque;

    if (unit->interp)
        interp_unit_free(unit->interp);
    g_free(unit);
}

/* ---- The host backend ---- */

static struct backend_thunks *leaving; /* of the run in progress */

static const void *leave(struct tcg_cpu *c)
{
    (void)c;
    return backend_host.leave(leaving);
}

static const void *nomerge(struct tcg_cpu *c)
{
    side_of((struct cpu *)c)->unmerged = true;
    return leave(c);
}

static const void *no_link(struct tcg_cpu *c, const void *unit, uint32_t index)
{
    (void)unit, (void)index;
    return leave(c);
}

struct unitrun *unitrun_new(const struct ir_slots *slots, const struct tcg_runtime *rt)
{
    struct backend_runtime runtime = { .rt = *rt, .link = no_link, .nomerge = nomerge };
    struct unitrun *u = g_new0(struct unitrun, 1);
    int fd = memfd_create("test-code", 0);

    u->rt = *rt;
    runtime.rt.lookup = leave;
    g_assert_cmpint(ftruncate(fd, CODE_SIZE), ==, 0);
    u->rw = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    u->rx = mmap(NULL, CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    u->thunk_size = backend_host.init(&u->thunks, u->rw, u->rx, CODE_SIZE, &runtime, slots);
    u->used = u->thunk_size = (u->thunk_size + 63) & ~(size_t)63;
    u->kept = g_ptr_array_new_with_free_func(unit_free);
    ir_init(&u->ir, u->insn, UNITRUN_MAX_IR, slots);
    return u;
}

void unitrun_free(struct unitrun *u)
{
    g_ptr_array_unref(u->kept);
    backend_host.fini(u->thunks);
    munmap(u->rw, CODE_SIZE);
    munmap((void *)u->rx, CODE_SIZE);
    g_free(u);
}

static struct backend_map map_of(void *opaque, uint64_t pc)
{
    (void)opaque;
    (void)pc;
    return (struct backend_map){ offsetof(struct tcg_cpu, map), MAP_ID };
}

static const uint8_t *make_code(struct unitrun *u)
{
    struct backend_in in = { .ir = &u->ir,
                             .rw = u->rw + u->used,
                             .rx = u->rx + u->used,
                             .room = BACKEND_UNIT_ROOM * 2,
                             .map = map_of,
                             .unit = u };
    struct backend_out out;

    g_assert_true(backend_host.generate(u->thunks, &in, &out));
    u->used += (out.size + 63) & ~63u;
    return in.rx + out.entry;
}

static void run_jit(struct unitrun *u, struct cpu *cpu, const uint8_t *code)
{
    struct unitrun_side *s = side_of(cpu);

    leaving = u->thunks;
    s->inside = true;
    if (!sigsetjmp(s->unwind, 0)) {
        backend_host.enter(u->thunks, &cpu->tcg, code);
    } else {
        cpu->tcg.mxcsr = _mm_getcsr();
        _mm_setcsr(0x1f80);
        tcg_x87_save(&cpu->tcg);
    }
    s->inside = false;
}

static void run_interp(struct unitrun *u, struct cpu *cpu, const struct interp_unit *unit)
{
    struct unitrun_side *s = side_of(cpu);

    if (!sigsetjmp(s->unwind, 0))
        s->unmerged = interp_run(&cpu->tcg, unit, &u->rt, &s->fp) == INTERP_UNMERGED;
}

/* ---- Units ---- */

const struct unitrun_unit *unitrun_make(struct unitrun *u, struct cpu *cpu)
{
    struct unitrun_unit *unit = g_new0(struct unitrun_unit, 1);

    if (side_of(cpu)->jit)
        unit->entry = make_code(u);
    else
        unit->interp = interp_unit_new(&u->ir, NULL, NULL);
    g_ptr_array_add(u->kept, unit);
    return unit;
}

void unitrun_enter(struct unitrun *u, struct cpu *cpu, const struct unitrun_unit *unit)
{
    if (unit->entry)
        run_jit(u, cpu, unit->entry);
    else
        run_interp(u, cpu, unit->interp);
}

bool unitrun_has_room(const struct unitrun *u)
{
    return CODE_SIZE - u->used >= BACKEND_UNIT_ROOM * 2;
}

void unitrun_forget(struct unitrun *u)
{
    g_ptr_array_set_size(u->kept, 0);
    u->used = u->thunk_size;
}

void unitrun_run(struct unitrun *u, struct cpu *cpu)
{
    unitrun_forget(u);
    unitrun_enter(u, cpu, unitrun_make(u, cpu));
}

void unitrun_prepare(struct cpu *cpu)
{
    struct unitrun_side *s = side_of(cpu);

    cpu->tcg.map[0][0] = MAP_ID;
    cpu->halted = 0;
    cpu->tcg.mxcsr = 0x1f80;
    cpu->tcg.fp_sticky = 0;
    memset(&s->fp, 0, sizeof(s->fp));
    s->unmerged = false;
}
