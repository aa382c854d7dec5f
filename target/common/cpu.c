/*
 * What all CPUs share: creation by name, requests from other threads, and the services that
 * accelerators provide.
 */
#include <string.h>
#include <base/bug.h>
#include <base/error.h>
#include <target/cpu.h>

#define TARGET(name) extern const struct cpu_type *const target_##name##_types[];
#include <target/targets.def>
#undef TARGET

const struct cpu_type *const *cpu_types(void)
{
    static const struct cpu_type *const *const lists[] = {
#define TARGET(name) target_##name##_types,
#include <target/targets.def>
#undef TARGET
        NULL
    };
    static const struct cpu_type *all[256];
    static gsize ready;

    if (g_once_init_enter(&ready)) {
        unsigned n = 0;
        for (unsigned i = 0; lists[i]; i++)
            for (unsigned k = 0; lists[i][k] && n < G_N_ELEMENTS(all) - 1; k++)
                all[n++] = lists[i][k];
        g_once_init_leave(&ready, 1);
    }
    return all;
}

struct cpu *cpu_create(const char *arch, const char *spec, GError **err)
{
    const char *comma = strchr(spec, ',');
    g_autofree char *name = comma ? g_strndup(spec, comma - spec) : g_strdup(spec);

    struct nearest nearest;

    nearest_init(&nearest, name);
    for (const struct cpu_type *const *t = cpu_types(); *t; t++) {
        if (strcmp((*t)->arch, arch))
            continue;
        nearest_try(&nearest, (*t)->name);
        if (strcmp((*t)->name, name))
            continue;
        struct cpu *cpu = (*t)->create(*t, comma ? comma + 1 : "", err);
        if (cpu)
            cpu->model = (*t)->name;
        return cpu;
    }
    error_set_unknown(err, "-cpu", "CPU model", name, &nearest);
    return NULL;
}

void *cpu_alloc(const struct cpu_ops *ops, size_t size)
{
    /* not written to where it comes from the kernel: on KVM nobody ever touches most of its pages
     */
    void *block = g_malloc0(size + TCG_PAGE_SIZE - 1);
    struct cpu *cpu = (void *)(((uintptr_t)block + TCG_PAGE_SIZE - 1) & TCG_PAGE_MASK);

    cpu->block = block;
    cpu->ops = ops;
    cpu->tcg.mxcsr = 0x1f80; /* all exceptions masked, round to nearest */
    pthread_mutex_init(&cpu->work_lock, NULL);
    pthread_cond_init(&cpu->wake, NULL);
    cpu->waker = cpu;
    cpu->breakpoints = g_array_new(false, false, sizeof(struct cpu_breakpoint));
    cpu->watchpoints = g_array_new(false, false, sizeof(struct cpu_watchpoint));
    return cpu;
}

void cpu_free(struct cpu *cpu)
{
    if (cpu->ops->free)
        cpu->ops->free(cpu);
    while (cpu->work) { /* of a CPU that never ran, or not since */
        struct cpu_work *work = cpu->work;

        cpu->work = work->next;
        g_free(work);
    }
    g_array_unref(cpu->breakpoints);
    g_array_unref(cpu->watchpoints);
    pthread_cond_destroy(&cpu->wake);
    pthread_mutex_destroy(&cpu->work_lock);
    g_free(cpu->block);
}

/* Requests from other threads. */

void cpu_kick(struct cpu *cpu)
{
    __atomic_fetch_or(&cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
    if (cpu->accel_ops && cpu->accel_ops->kick)
        cpu->accel_ops->kick(cpu);
    pthread_mutex_lock(&cpu->waker->work_lock);
    pthread_cond_broadcast(&cpu->waker->wake);
    pthread_mutex_unlock(&cpu->waker->work_lock);
}

void cpu_update_flags(struct cpu *cpu)
{
    uint32_t now = __atomic_load_n(&cpu->tcg.flags, __ATOMIC_RELAXED), new;
    uint32_t want = cpu->ops->unit_flags(cpu);

    do {
        new = want | (now & TCG_FLAGS_ATTENTION);
    } while (!__atomic_compare_exchange_n(&cpu->tcg.flags, &now, new, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_RELAXED));
}

struct waiter {
    void (*fn)(struct cpu *, void *);
    void *opaque;
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done;
};

static void run_and_signal(struct cpu *cpu, void *opaque)
{
    struct waiter *w = opaque;

    w->fn(cpu, w->opaque);
    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->done_cond);
    pthread_mutex_unlock(&w->lock);
}

static void queue_work(struct cpu *cpu, void (*fn)(struct cpu *, void *), void *opaque)
{
    struct cpu_work *work = g_new(struct cpu_work, 1), **end;

    *work = (struct cpu_work){ fn, opaque, NULL };
    pthread_mutex_lock(&cpu->work_lock);
    for (end = &cpu->work; *end; end = &(*end)->next)
        ;
    *end = work;
    pthread_mutex_unlock(&cpu->work_lock);
    cpu_kick(cpu);
}

void cpu_run_on(struct cpu *cpu, void (*fn)(struct cpu *, void *), void *opaque, bool wait)
{
    if (!cpu->has_thread || pthread_equal(cpu->thread, pthread_self())) {
        fn(cpu, opaque);
        return;
    }
    if (!wait) {
        queue_work(cpu, fn, opaque);
        return;
    }
    struct waiter w = { .fn = fn, .opaque = opaque };
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.done_cond, NULL);
    queue_work(cpu, run_and_signal, &w);
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.done_cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.done_cond);
    pthread_mutex_destroy(&w.lock);
}

void cpu_run_work(struct cpu *cpu)
{
    pthread_mutex_lock(&cpu->work_lock);
    while (cpu->work) {
        struct cpu_work *work = cpu->work;
        cpu->work = work->next;
        pthread_mutex_unlock(&cpu->work_lock);
        work->fn(cpu, work->opaque);
        g_free(work);
        pthread_mutex_lock(&cpu->work_lock);
    }
    pthread_mutex_unlock(&cpu->work_lock);
}

void cpu_halt(struct cpu *cpu)
{
    if (!cpu->ops->has_work(cpu))
        __atomic_store_n(&cpu->halted, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(&cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
}

void cpu_wait(struct cpu *cpu)
{
    pthread_mutex_lock(&cpu->work_lock);
    while (!cpu->work && !__atomic_load_n(&cpu->stop_request, __ATOMIC_SEQ_CST) &&
           __atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST) && !cpu->ops->has_work(cpu))
        pthread_cond_wait(&cpu->wake, &cpu->work_lock);
    pthread_mutex_unlock(&cpu->work_lock);
}

/* Exceptions out of helpers and slow paths. */

void cpu_resume(struct cpu *cpu)
{
    bug_on(!cpu->unwind);
    siglongjmp(*cpu->unwind, 1);
}

void cpu_raise_fault(struct cpu *cpu, const struct cpu_fault *fault)
{
    cpu->ops->take_fault(cpu, fault);
    cpu_resume(cpu);
}

/* What the accelerator does. */

void tlb_flush_all(struct cpu *cpu)
{
    if (cpu->accel_ops)
        cpu->accel_ops->flush_all(cpu);
}

void tlb_flush_page(struct cpu *cpu, uint64_t vaddr, bool globals_too)
{
    if (cpu->accel_ops)
        cpu->accel_ops->flush_page(cpu, vaddr, globals_too);
}

void tlb_flush_nonglobal(struct cpu *cpu)
{
    if (cpu->accel_ops)
        cpu->accel_ops->flush_nonglobal(cpu);
}

void tlb_switch_space(struct cpu *cpu, uint64_t space)
{
    if (cpu->accel_ops)
        cpu->accel_ops->switch_space(cpu, space);
}

void cpu_fence_i(struct cpu *cpu)
{
    if (cpu->accel_ops)
        cpu->accel_ops->fence_i(cpu);
}

void cpu_sync_time(struct cpu *cpu)
{
    if (cpu->accel_ops && cpu->counts_insns)
        cpu->accel_ops->sync_time(cpu);
}

uint64_t cpu_load(struct cpu *cpu, uint64_t addr, uint16_t mem)
{
    return cpu->accel_ops->load(cpu, addr, mem);
}

void cpu_store(struct cpu *cpu, uint64_t addr, uint64_t val, uint16_t mem)
{
    cpu->accel_ops->store(cpu, addr, val, mem);
}

void *cpu_host(struct cpu *cpu, uint64_t addr, unsigned len, enum mem_access access, unsigned mode)
{
    return cpu->accel_ops->host(cpu, addr, len, access, mode);
}

uint64_t cpu_amo(struct cpu *cpu, uint64_t addr, uint64_t val, uint16_t mem, enum ir_amo op)
{
    return cpu->accel_ops->amo(cpu, addr, val, mem, op);
}

uint64_t cpu_cmpxchg(struct cpu *cpu, uint64_t addr, uint64_t expected, uint64_t desired,
                     uint16_t mem)
{
    return cpu->accel_ops->cmpxchg(cpu, addr, expected, desired, mem);
}

void cpu_fp_set_round(struct cpu *cpu, enum fp_round round)
{
    if (cpu->accel_ops)
        cpu->accel_ops->fp_set_round(cpu, round);
}

void cpu_fp_set_control(struct cpu *cpu, enum fp_round round, bool daz, bool ftz)
{
    if (cpu->accel_ops)
        cpu->accel_ops->fp_set_control(cpu, round, daz, ftz);
}

unsigned cpu_fp_flags(struct cpu *cpu)
{
    return cpu->accel_ops ? cpu->accel_ops->fp_flags(cpu, false) : 0;
}

void cpu_fp_clear_flags(struct cpu *cpu)
{
    if (cpu->accel_ops)
        cpu->accel_ops->fp_flags(cpu, true);
}
