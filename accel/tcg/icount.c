/*
 * -icount: virtual time is the count of executed instructions. Each takes 2^shift ns, one thread
 * runs all CPUs in turn, and timers fire in that thread once the count has come to their deadline,
 * so that a run depends on nothing but the guest and what comes from outside.
 *
 * Units count in a slot of the IR (cpu_ops.count_slot), so the count is exact wherever the guest's
 * registers are. They do not loop, and leave for here at each end; where a deadline or the end of a
 * turn is less than the longest unit away, instructions are run one by one.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <base/clock.h>
#include <base/error.h>
#include <base/loop.h>
#include <base/option.h>
#include <hw/core/machine.h>
#include "tcg.h"

#define SLICE      20000 /* instructions of a CPU's turn */
#define SHIFT_MAX  10
#define SHIFT_AUTO 3 /* what shift=auto begins with */
#define TUNE_EVERY (100 * NS_PER_MS)

static struct loop *loop_of(const struct tcg *tcg)
{
    return tcg->machine->loop;
}

/* ---- Time ---- */

void icount_sync(struct cpu *cpu)
{
    struct tcg_vcpu *v = vcpu_of(cpu);
    struct loop *l = loop_of(v->tcg);
    uint64_t n = cpu->tcg.insns - v->noted;

    if (!n || !pthread_equal(cpu->thread, pthread_self()))
        return;
    v->noted += n;
    v->tcg->icount.tuned_insns += n;
    clock_note_virtual(l, clock_ns(l, CLK_VIRTUAL) + (int64_t)(n << v->tcg->icount.shift));
}

/* Runs the timers that have become due. */
static void run_timers(struct tcg *tcg)
{
    struct loop *l = loop_of(tcg);
    int64_t now = clock_ns(l, CLK_VIRTUAL);

    if (clock_deadline(l, CLK_VIRTUAL) > now)
        return;
    loop_lock(l);
    clock_set_virtual(l, now);
    loop_unlock(l);
}

/* Instructions until the next timer, rounded up; many if there is none. */
static uint64_t until_deadline(const struct tcg *tcg)
{
    int64_t due = clock_deadline(loop_of(tcg), CLK_VIRTUAL);
    int64_t now = clock_ns(loop_of(tcg), CLK_VIRTUAL);
    unsigned shift = tcg->icount.shift;

    if (due == INT64_MAX)
        return UINT64_MAX;
    return due <= now ? 0 : ((uint64_t)(due - now) + (1u << shift) - 1) >> shift;
}

/* shift=auto: the power of two nearest below what an instruction takes on the host. */
static void tune(struct tcg *tcg)
{
    struct icount *ic = &tcg->icount;
    int64_t now = clock_ns(loop_of(tcg), CLK_REALTIME), passed = now - ic->tuned_at;
    unsigned shift = 0;

    if (!ic->tuned || passed < TUNE_EVERY)
        return;
    while (shift < SHIFT_MAX && (uint64_t)passed >> (shift + 1) >= MAX(ic->tuned_insns, 1))
        shift++;
    ic->shift = shift;
    ic->tuned_at = now;
    ic->tuned_insns = 0;
}

/* ---- Running ---- */

/* Whether it may run on in its turn. */
static bool goes_on(struct tcg_vcpu *v)
{
    struct cpu *cpu = v->cpu;

    if (!exec_wants_attention(cpu) || exec_attend(v) == EXEC_RUNS)
        return true;
    /* It is looked at again in its next turn. */
    __atomic_fetch_or(&cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
    return false;
}

/* One turn of a CPU; whether it ran at all. */
static bool run_slice(struct tcg_vcpu *v)
{
    struct cpu *cpu = v->cpu;

    v->slice_end = cpu->tcg.insns + SLICE;
    cache_online(v);
    if (sigsetjmp(v->unwind, 0))
        exec_unwound(v);
    while (cpu->tcg.insns < v->slice_end) {
        uint64_t room;

        icount_sync(cpu);
        run_timers(v->tcg);
        cache_quiescent(v);
        if (!goes_on(v))
            break;
        room = MIN(until_deadline(v->tcg), v->slice_end - cpu->tcg.insns);
        exec_unit(v, room < MAX_UNIT_INSNS);
    }
    icount_sync(cpu);
    cache_offline(v);
    return cpu->tcg.insns != v->slice_end - SLICE;
}

/* Stops a CPU that is to stop, and lets one go on. Whether it may run. */
static bool settle_stop(struct tcg_vcpu *v)
{
    struct loop *l = loop_of(v->tcg);
    struct cpu *cpu = v->cpu;
    bool stop = __atomic_load_n(&cpu->stop_request, __ATOMIC_SEQ_CST);

    if (stop == cpu->stopped)
        return !stop;
    loop_lock(l); /* who asked for a stop holds it until `stopped` says that it is so */
    stop = __atomic_load_n(&cpu->stop_request, __ATOMIC_SEQ_CST);
    cpu->stopped = stop;
    if (stop)
        pthread_cond_broadcast(&v->tcg->parked);
    loop_unlock(l);
    if (!stop)
        __atomic_fetch_or(&cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
    return !stop;
}

/* ---- Idling ---- */

/* Whether a turn of some CPU would do anything. */
static bool any_work(const struct tcg *tcg)
{
    for (unsigned i = 0; i < tcg->nvcpus; i++) {
        struct cpu *cpu = tcg->vcpu[i]->cpu;
        bool stop = __atomic_load_n(&cpu->stop_request, __ATOMIC_SEQ_CST);

        if (stop != cpu->stopped || __atomic_load_n(&cpu->work, __ATOMIC_RELAXED))
            return true;
        if (!stop && (!__atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST) || cpu->ops->has_work(cpu)))
            return true;
    }
    return __atomic_load_n(&tcg->quit, __ATOMIC_SEQ_CST);
}

/* Sleeps until there is work, or for `ns` (negative: for as long as it takes). */
static void sleep_for(struct tcg *tcg, int64_t ns)
{
    struct cpu *waker = tcg->vcpu[0]->cpu;
    int64_t until = clock_ns(loop_of(tcg), CLK_HOST) + MAX(ns, 0);
    const struct timespec at = { until / NS_PER_SEC, until % NS_PER_SEC };
    int64_t due = clock_deadline(loop_of(tcg), CLK_VIRTUAL);

    pthread_mutex_lock(&waker->work_lock);
    while (!any_work(tcg) && clock_deadline(loop_of(tcg), CLK_VIRTUAL) == due) {
        if (ns < 0)
            pthread_cond_wait(&waker->wake, &waker->work_lock);
        else if (pthread_cond_timedwait(&waker->wake, &waker->work_lock, &at) == ETIMEDOUT)
            break;
    }
    pthread_mutex_unlock(&waker->work_lock);
}

/* All CPUs wait: the next thing to happen is a timer, or something from outside. */
static void idle(struct tcg *tcg)
{
    struct loop *l = loop_of(tcg);
    int64_t now = clock_ns(l, CLK_VIRTUAL), due = clock_deadline(l, CLK_VIRTUAL);
    int64_t began = clock_ns(l, CLK_REALTIME);

    if (due == INT64_MAX) {
        sleep_for(tcg, -1);
        return;
    }
    if (tcg->icount.sleep && due > now) {
        sleep_for(tcg, due - now);
        due = MIN(due, now + clock_ns(l, CLK_REALTIME) - began);
    }
    loop_lock(l);
    if (machine_running(tcg->machine))
        clock_set_virtual(l, due);
    loop_unlock(l);
}

/* Time stands while CPUs are stopped. */
static bool all_stopped(const struct tcg *tcg)
{
    for (unsigned i = 0; i < tcg->nvcpus; i++)
        if (!tcg->vcpu[i]->cpu->stopped)
            return false;
    return true;
}

static void run_round(struct tcg *tcg)
{
    bool ran = false;

    for (unsigned i = 0; i < tcg->nvcpus; i++) {
        struct tcg_vcpu *v = tcg->vcpu[i];

        if (settle_stop(v))
            ran |= run_slice(v);
        else
            cpu_run_work(v->cpu);
    }
    if (ran)
        tune(tcg);
    else if (all_stopped(tcg))
        sleep_for(tcg, -1);
    else if (!any_work(tcg))
        idle(tcg);
}

void *icount_thread(void *opaque)
{
    struct tcg *tcg = opaque;

    for (unsigned i = 0; i < tcg->nvcpus; i++) {
        struct cpu *cpu = tcg->vcpu[i]->cpu;

        cpu->thread = pthread_self();
        __atomic_store_n(&cpu->host_tid, gettid(), __ATOMIC_SEQ_CST);
        cpu->unwind = &tcg->vcpu[i]->unwind;
    }
    while (!__atomic_load_n(&tcg->quit, __ATOMIC_SEQ_CST))
        run_round(tcg);
    return NULL;
}

/* ---- Beginning and end ---- */

bool icount_options(struct tcg *tcg, struct opts *o, GError **err)
{
    struct icount *ic = &tcg->icount;
    const char *shift = opts_str(o, "icount", NULL);
    uint64_t n = SHIFT_AUTO;

    ic->on = shift != NULL;
    ic->sleep = true;
    if (!opts_bool(o, "icount-sleep", &ic->sleep, err))
        return false;
    if (!ic->on)
        return true;
    if (!tcg->guest->count_slot)
        return error_set(err, "-icount: instructions of guest '%s' are not counted",
                         tcg->guest->arch);
    ic->tuned = strcmp(shift, "auto") == 0;
    if (!ic->tuned && !option_u64("-icount: shift", shift, 0, SHIFT_MAX, &n, err))
        return false;
    ic->shift = (unsigned)n;
    return true;
}

/* Somebody set a timer: who sleeps until the next one looks anew. */
static void deadline_changed(void *opaque)
{
    struct tcg *tcg = opaque;
    struct cpu *waker = tcg->vcpu[0]->cpu;

    if (pthread_equal(waker->thread, pthread_self()))
        return;
    pthread_mutex_lock(&waker->work_lock);
    pthread_cond_broadcast(&waker->wake);
    pthread_mutex_unlock(&waker->work_lock);
}

void icount_begin(struct tcg *tcg)
{
    struct loop *l = loop_of(tcg);

    if (!tcg->icount.on)
        return;
    clock_make_explicit(l, 0);
    clock_set_deadline_hook(l, deadline_changed, tcg);
    tcg->icount.tuned_at = clock_ns(l, CLK_REALTIME);
    for (unsigned i = 0; i < tcg->nvcpus; i++) {
        tcg->vcpu[i]->cpu->counts_insns = true;
        tcg->vcpu[i]->cpu->waker = tcg->vcpu[0]->cpu;
    }
}

void icount_end(struct tcg *tcg)
{
    if (!tcg->icount.on)
        return;
    clock_set_deadline_hook(loop_of(tcg), NULL, NULL);
    for (unsigned i = 0; i < tcg->nvcpus; i++) {
        tcg->vcpu[i]->cpu->counts_insns = false;
        tcg->vcpu[i]->cpu->waker = tcg->vcpu[i]->cpu;
    }
}
