/*
 * Running a CPU: its thread, finding the code for where it is, and what is to be done between.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <xmmintrin.h>
#include <base/log.h>
#include <base/loop.h>
#include <hw/core/machine.h>
#include <tcg/interp.h>
#include "tcg.h"

#define HOST_MXCSR_DEFAULT 0x1f80u

bool exec_wants_attention(const struct cpu *cpu)
{
    return __atomic_load_n(&cpu->tcg.flags, __ATOMIC_SEQ_CST) & TCG_FLAGS_ATTENTION;
}

static bool breakpoint_at(const struct cpu *cpu, uint64_t pc)
{
    for (unsigned i = 0; i < cpu->breakpoints->len; i++)
        if (g_array_index(cpu->breakpoints, struct cpu_breakpoint, i).pc == pc)
            return true;
    return false;
}

/* The unit for the CPU's pc, translated if need be; NULL with *fault set where code cannot be
 * fetched. */
static struct unit *find(struct tcg_vcpu *v, uint32_t variant, struct cpu_fault *fault)
{
    struct cpu *cpu = v->cpu;
    uint64_t pc = cpu->tcg.pc;
    uint32_t flags = __atomic_load_n(&cpu->tcg.flags, __ATOMIC_RELAXED) & ~TCG_FLAGS_ATTENTION;
    uint32_t map = map_current(cpu, pc, flags, fault);

    if (!map)
        return NULL;
    struct unit *u = unit_find(v->tcg, pc, flags, variant, map);
    if (u && u->straddles &&
        map_current(cpu, (pc | (TCG_PAGE_SIZE - 1)) + 1, flags, fault) != unit_map2(u)) {
        /* The page that the first instruction reaches into is another one now. */
        pthread_mutex_lock(&v->tcg->lock);
        unit_remove(v->tcg, u);
        pthread_mutex_unlock(&v->tcg->lock);
        u = NULL;
    }
    if (!u)
        u = move_build(v, pc, flags, variant, map);
    return u ? u : unit_build(v, pc, flags, variant, fault);
}

static bool chains(const struct tcg_vcpu *v)
{
    return !v->cpu->single_step && !v->tcg->icount.on && !log_on(LOG_NOCHAIN);
}

static const void *leave(const struct tcg_vcpu *v)
{
    return backend_host.leave(v->tcg->thunks);
}

static const void *entry_of(const struct tcg_vcpu *v, const struct unit *u)
{
    return unit_rx(v->tcg, u) + u->entry;
}

const void *exec_lookup(struct tcg_cpu *c)
{
    struct tcg_vcpu *v = vcpu_of((struct cpu *)c);
    struct cpu_fault fault;

    stat_add(&v->stats.lookups, 1);
    cache_quiescent(v);
    if (exec_wants_attention(v->cpu) || !chains(v) || breakpoint_at(v->cpu, c->pc))
        return leave(v);
    struct unit *u = find(v, 0, &fault);
    if (!u)
        return leave(v);
    stat_add(&v->stats.jump_fills, 1);
    tcg_enter_jump(&v->cpu->tcg, u->pc, unit_rx(v->tcg, u) + BACKEND_CHECKED);
    return entry_of(v, u);
}

const void *exec_link(struct tcg_cpu *c, const void *unit, uint32_t index)
{
    struct tcg_vcpu *v = vcpu_of((struct cpu *)c);
    struct tcg *tcg = v->tcg;
    struct unit *from = (struct unit *)unit, *to;
    struct cpu_fault fault;
    uint64_t evicted = __atomic_load_n(&tcg->evict_epoch, __ATOMIC_SEQ_CST);

    if (exec_wants_attention(v->cpu) || !chains(v) || v->cpu->debug_skip_watch ||
        breakpoint_at(v->cpu, c->pc) || v->single)
        return leave(v);
    to = find(v, 0, &fault);
    if (!to)
        return leave(v);
    pthread_mutex_lock(&tcg->lock);
    /* If anything was evicted meanwhile, `from` may be gone. */
    if (evicted == tcg->evict_epoch && (from->exit[index].link.guard || from->map == to->map))
        unit_link(tcg, from, index, to);
    pthread_mutex_unlock(&tcg->lock);
    return entry_of(v, to);
}

const void *exec_nomerge(struct tcg_cpu *c)
{
    struct tcg_vcpu *v = vcpu_of((struct cpu *)c);
    struct cpu_fault fault;

    stat_add(&v->stats.nomerge, 1);
    cache_quiescent(v);
    struct unit *u = find(v, VARIANT_NOMERGE, &fault);
    if (!u)
        return leave(v);
    if (chains(v))
        c->unmerged[tcg_unmerged_index(u->pc)] =
            (struct tcg_jump){ u->pc, unit_rx(v->tcg, u) + BACKEND_CHECKED };
    return entry_of(v, u);
}

/* Debugger. */

static void debug_stop(struct tcg_vcpu *v, int reason)
{
    v->cpu->debug_stop.reason = reason;
    __atomic_store_n(&v->cpu->stop_request, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(&v->cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
    machine_request_stop(v->tcg->machine, RUN_DEBUG);
}

/* Between guest instructions. */

/* Stays here while the machine does not want the CPU to run. */
static void park(struct tcg_vcpu *v)
{
    struct loop *loop = v->tcg->machine->loop;
    struct cpu *cpu = v->cpu;

    cache_offline(v);
    loop_lock(loop);
    cpu->stopped = true;
    pthread_cond_broadcast(&v->tcg->parked);
    while (cpu->stop_request && !v->tcg->quit) {
        cpu_run_work(cpu);
        loop_wait(loop, &v->tcg->resumed);
    }
    cpu->stopped = false;
    loop_unlock(loop);
    cache_online(v);
    /* Generated code probes the jump cache by itself; stepping must come back each time. */
    if (cpu->single_step || v->watch_over)
        cache_forget_jumps(v->cpu);
    /* What asked for attention meanwhile may have been forgotten with the rest. */
    __atomic_fetch_or(&cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
}

static void wait_for_work(struct tcg_vcpu *v)
{
    cache_offline(v);
    cache_rest(v->tcg);
    cpu_wait(v->cpu);
    cache_online(v);
    if (v->cpu->ops->has_work(v->cpu))
        __atomic_store_n(&v->cpu->halted, 0, __ATOMIC_SEQ_CST);
}

enum exec_state exec_attend(struct tcg_vcpu *v)
{
    struct cpu *cpu = v->cpu;

    __atomic_fetch_and(&cpu->tcg.flags, ~TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
    cpu_run_work(cpu);
    if (__atomic_exchange_n(&v->forget_maps, false, __ATOMIC_SEQ_CST))
        accel_flush_all(cpu);
    if (__atomic_load_n(&cpu->stop_request, __ATOMIC_SEQ_CST))
        return EXEC_STOPS;
    if (__atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST)) {
        if (!cpu->ops->has_work(cpu) && !(cpu->single_step && !cpu->parked))
            return EXEC_WAITS;
        __atomic_store_n(&cpu->halted, 0, __ATOMIC_SEQ_CST);
    }
    /* Who steps through code does not want to step through each tick of the timer. */
    if (!cpu->single_step || cpu->step_irqs)
        cpu->ops->take_interrupt(cpu);
    return EXEC_RUNS;
}

static void attend(struct tcg_vcpu *v)
{
    switch (exec_attend(v)) {
    case EXEC_STOPS: park(v); break;
    case EXEC_WAITS:
        wait_for_work(v);
        __atomic_fetch_or(&v->cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
        break;
    case EXEC_RUNS: break;
    }
}

static void log_entry(struct cpu *cpu, const struct unit *u)
{
    if (log_wanted(LOG_EXEC, u->pc))
        log_printf(LOG_EXEC, "cpu %u: unit %016" PRIx64 " flags %08x\n", cpu->index, u->pc,
                   u->flags);
    if (log_wanted(LOG_CPU, u->pc)) {
        GString *s = g_string_new(NULL);
        cpu->ops->dump(cpu, s);
        log_printf(LOG_CPU, "%s", s->str);
        g_string_free(s, TRUE);
    }
}

static void run_interp(struct tcg_vcpu *v, struct unit *u)
{
    enum interp_exit how;
    static const struct tcg_runtime rt = {
        .load = access_load,
        .store = access_store,
        .load_wide = access_load_wide,
        .store_wide = access_store_wide,
        .amo = access_amo,
        .cmpxchg = access_cmpxchg,
        .load_linked = access_load_linked,
        .store_linked = access_store_linked,
        .probe = access_probe,
    };

    if (chains(v) && !u->straddles && !u->variant && !v->cpu->breakpoints->len)
        tcg_enter_jump(&v->cpu->tcg, u->pc, u->interp);
    how = interp_run(&v->cpu->tcg, u->interp, &rt, v->fp);
    v->nomerge_once = how == INTERP_UNMERGED;
}

static void run_code(struct tcg_vcpu *v, struct unit *u)
{
    v->inside = true;
    backend_host.enter(v->tcg->thunks, &v->cpu->tcg, entry_of(v, u));
    v->inside = false;
}

static void left_unit(struct tcg_vcpu *v)
{
    v->in_unit = false;
    if (v->exclusive)
        exclusive_end(v);
    v->exclusive = false;
}

/* An instruction has run, or has raised an exception instead. */
static void executed(struct tcg_vcpu *v)
{
    v->watch_over = v->cpu->debug_skip_watch = false;
    if (v->cpu->single_step)
        debug_stop(v, DEBUG_STEP);
}

static uint32_t variant_now(const struct tcg_vcpu *v, bool single)
{
    const struct cpu *cpu = v->cpu;

    if (single || cpu->single_step || cpu->debug_skip_watch || v->redo != REDO_NOT)
        return VARIANT_SINGLE | VARIANT_NOMERGE;
    /* An instruction that a failed merged check has done again would count twice. */
    return v->nomerge_once || v->tcg->icount.on ? VARIANT_NOMERGE : 0;
}

void exec_unit(struct tcg_vcpu *v, bool single)
{
    struct cpu *cpu = v->cpu;
    struct cpu_fault fault;

    if (cpu->breakpoints->len && breakpoint_at(cpu, cpu->tcg.pc)) {
        debug_stop(v, DEBUG_BREAK);
        return;
    }
    cpu->debug_skip_watch = v->watch_over && v->watch_pc == cpu->tcg.pc;
    struct unit *u = find(v, variant_now(v, single), &fault);
    if (!u) {
        cpu->tcg.insns +=
            v->tcg->icount.on; /* else a fault's handler that faults would stop time */
        cpu->ops->take_fault(cpu, &fault);
        executed(v);
        return;
    }
    v->nomerge_once = false;
    if (v->redo == REDO_EXCLUSIVE) {
        exclusive_begin(v);
        v->exclusive = true;
    }
    v->redo = REDO_NOT;
    cpu->leaves_unit = false;
    v->in_unit = true;
    v->single = u->variant & VARIANT_SINGLE;
    if (log_on(LOG_EXEC | LOG_CPU))
        log_entry(cpu, u);
    if (v->tcg->interp)
        run_interp(v, u);
    else
        run_code(v, u);
    left_unit(v);
    v->modify_pc = ~UINT64_C(0);
    executed(v);
}

static void run_once(struct tcg_vcpu *v)
{
    cache_quiescent(v);
    exclusive_yield(v);
    if (exec_wants_attention(v->cpu))
        attend(v);
    else
        exec_unit(v, false);
}

/* An exception unwound to here: what the code that was left kept in the host's FP unit is
 * collected. */
void exec_unwound(struct tcg_vcpu *v)
{
    if (v->inside) {
        v->cpu->tcg.mxcsr = _mm_getcsr();
        _mm_setcsr(HOST_MXCSR_DEFAULT);
        tcg_x87_save(&v->cpu->tcg);
        v->inside = false;
    }
    left_unit(v);
    if (v->redo != REDO_NOT) {
        v->cpu->tcg.insns -= v->tcg->icount.on;
        return;
    }
    v->modify_pc = ~UINT64_C(0);
    if (v->watch_hit) { /* gdb hears of it first; the access is done when it lets us go on */
        v->watch_hit = false;
        v->watch_over = true;
        v->watch_pc = v->cpu->tcg.pc;
        debug_stop(v, DEBUG_WATCH);
    } else {
        executed(v);
    }
}

void *exec_thread(void *opaque)
{
    struct tcg_vcpu *v = opaque;

    __atomic_store_n(&v->cpu->host_tid, gettid(), __ATOMIC_SEQ_CST);
    v->cpu->unwind = &v->unwind;
    if (sigsetjmp(v->unwind, 0))
        exec_unwound(v);
    while (!__atomic_load_n(&v->tcg->quit, __ATOMIC_SEQ_CST))
        run_once(v);
    cache_offline(v);
    return NULL;
}
