/*
 * The accelerators `tcg` (host code) and `interp` (the IR interpreted): one machine's CPUs, a
 * thread each.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <accel/accel.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/loop.h>
#include <base/option.h>
#include <hw/core/machine.h>
#include <tcg/interp.h>
#include <tcg/softfp.h>
#include "dump.h"
#include "tcg.h"

#define DEFAULT_CACHE (512u << 20)

static struct tcg *tcg_of(struct machine *m)
{
    struct cpu *cpu = m->cpus->pdata[0];
    return vcpu_of(cpu)->tcg;
}

/* Machine's orders to all CPUs; main thread, device lock held. */

static void pause_all(struct machine *m)
{
    struct tcg *tcg = tcg_of(m);

    for (unsigned i = 0; i < tcg->nvcpus; i++) {
        __atomic_store_n(&tcg->vcpu[i]->cpu->stop_request, 1, __ATOMIC_SEQ_CST);
        cpu_kick(tcg->vcpu[i]->cpu);
    }
    for (unsigned i = 0; i < tcg->nvcpus; i++)
        while (!tcg->vcpu[i]->cpu->stopped)
            loop_wait(m->loop, &tcg->parked);
}

static void resume_all(struct machine *m)
{
    struct tcg *tcg = tcg_of(m);

    for (unsigned i = 0; i < tcg->nvcpus; i++) {
        struct cpu *cpu = tcg->vcpu[i]->cpu;
        /* One that has just stopped for gdb may not go on before gdb has heard of it, whoever
         * paused the machine for a moment. */
        if (!cpu->debug_hold && !cpu->debug_stop.reason)
            __atomic_store_n(&cpu->stop_request, 0, __ATOMIC_SEQ_CST);
    }
    pthread_cond_broadcast(&tcg->resumed);
    if (tcg->icount.on)
        cpu_kick(tcg->vcpu[0]->cpu);
}

static void reset_all(struct machine *m)
{
    struct tcg *tcg = tcg_of(m);

    for (unsigned i = 0; i < tcg->nvcpus; i++) {
        struct cpu *cpu = tcg->vcpu[i]->cpu;
        __atomic_store_n(&cpu->halted, 0, __ATOMIC_SEQ_CST);
        cpu->ops->reset(cpu);
        tlb_reset(tcg->vcpu[i]);
        cpu_update_flags(cpu);
    }
}

static const struct machine_cpu_ops machine_ops = {
    .pause = pause_all,
    .resume = resume_all,
    .reset = reset_all,
};

/* Services for guests. */

static void fence_i(struct cpu *cpu)
{
    /* Mostly there is nothing to do: stores to code are noticed when they are made. */
    fresh_compare(vcpu_of(cpu)->tcg);
}

static uint64_t load(struct cpu *cpu, uint64_t addr, uint16_t mem)
{
    return access_load(&cpu->tcg, addr, mem);
}

static void store(struct cpu *cpu, uint64_t addr, uint64_t val, uint16_t mem)
{
    access_store(&cpu->tcg, addr, val, mem);
}

static uint64_t amo(struct cpu *cpu, uint64_t addr, uint64_t val, uint16_t mem, enum ir_amo op)
{
    return access_amo(&cpu->tcg, addr, val, mem, op);
}

static uint64_t cmpxchg(struct cpu *cpu, uint64_t addr, uint64_t expected, uint64_t desired,
                        uint16_t mem)
{
    return access_cmpxchg(&cpu->tcg, addr, expected, desired, mem);
}

static void set_round(struct cpu *cpu, enum fp_round round)
{
    struct tcg_vcpu *v = vcpu_of(cpu);

    v->fp->round = round;
    if (!v->tcg->interp)
        backend_host.fp_set_round(&cpu->tcg, round, v->inside);
}

static void set_control(struct cpu *cpu, enum fp_round round, bool daz, bool ftz)
{
    struct tcg_vcpu *v = vcpu_of(cpu);

    v->fp->round = round;
    v->fp->denormals_are_zero = daz;
    v->fp->flush = ftz ? FP_FLUSH_X86 : FP_FLUSH_OFF;
    if (!v->tcg->interp)
        backend_host.fp_set_control(&cpu->tcg, round, daz, ftz, v->inside);
}

static unsigned fp_flags(struct cpu *cpu, bool clear)
{
    struct tcg_vcpu *v = vcpu_of(cpu);
    unsigned flags = (v->fp->flags & (0x1f | FP_DE)) | cpu->tcg.fp_sticky;

    if (clear)
        v->fp->flags = cpu->tcg.fp_sticky = 0;
    if (v->tcg->interp)
        return flags;
    return flags | (clear ? backend_host.fp_take_flags(&cpu->tcg, v->inside)
                          : backend_host.fp_flags(&cpu->tcg, v->inside));
}

static void break_changed(struct cpu *cpu, uint64_t pc)
{
    struct tcg *tcg = vcpu_of(cpu)->tcg;

    pthread_mutex_lock(&tcg->lock);
    unit_remove_at(tcg, pc);
    pthread_mutex_unlock(&tcg->lock);
    cache_forget_jumps(cpu);
}

/* Accesses that go straight to memory are to look for watchpoints first. */
static void watch_changed(struct cpu *cpu)
{
    accel_flush_all(cpu);
}

static double per(uint64_t n, uint64_t of)
{
    return of ? (double)n / of : 0;
}

static void info_all(struct tcg *tcg, GString *out)
{
    const struct tcg_stats *s = &tcg->stats;
    uint64_t units = stat_get(&s->units), ns = stat_get(&s->translate_ns);
    g_autoptr(GString) hottest = g_string_new("");
    size_t used = 0;
    uint32_t nmaps;

    pthread_mutex_lock(&tcg->lock);
    for (unsigned k = 0; k < CACHE_REGIONS; k++)
        used += tcg->region[k].used;
    nmaps = tcg->nmaps;
    if (tcg->count && !tcg->interp)
        dump_hottest(tcg, hottest);
    pthread_mutex_unlock(&tcg->lock);
    g_string_append_printf(
        out,
        "code cache          %zu of %zu KiB\n"
        "units made          %" PRIu64 " (%.1f guest instructions, %.1f bytes each), %" PRIu64
        " by copying others\n"
        "translation time    %.3f s (%.2f us a unit)\n"
        "links               %" PRIu64 "\n"
        "units removed       %" PRIu64 ", regions evicted %" PRIu64 ", flushes %" PRIu64
        ", late stores %" PRIu64 ", CPUs called out of loops %" PRIu64 "\n"
        "code mappings       %u\n",
        used >> 10, tcg->cache_size >> 10, units, per(stat_get(&s->insns), units),
        per(stat_get(&s->bytes), units), stat_get(&s->moved), ns / 1e9, per(ns, units) / 1e3,
        stat_get(&s->links), stat_get(&s->invalidated), stat_get(&s->evictions),
        stat_get(&s->flushes), stat_get(&s->late_stores), stat_get(&s->called), nmaps);
    g_string_append(out, hottest->str);
}

static void info_jit(struct cpu *cpu, GString *out)
{
    struct tcg_vcpu *v = vcpu_of(cpu);

    if (cpu->index == 0)
        info_all(v->tcg, out);
    g_string_append_printf(
        out,
        "cpu %u: jump cache misses %" PRIu64 " (filled %" PRIu64 "), TLB slow paths %" PRIu64
        ", second level hits %" PRIu64 ", walks %" PRIu64 ", I/O %" PRIu64
        ", writes to code pages %" PRIu64 ", failed merged checks %" PRIu64 "\n",
        cpu->index, stat_get(&v->stats.lookups), stat_get(&v->stats.jump_fills),
        stat_get(&v->stats.tlb_slow), stat_get(&v->stats.tlb2_hits), stat_get(&v->stats.walks),
        stat_get(&v->stats.io), stat_get(&v->stats.code_writes), stat_get(&v->stats.nomerge));
}

static const struct cpu_accel_ops cpu_services = {
    .flush_all = accel_flush_all,
    .flush_page = accel_flush_page,
    .flush_nonglobal = accel_flush_nonglobal,
    .switch_space = accel_switch_space,
    .fence_i = fence_i,
    .sync_time = icount_sync,
    .load = load,
    .store = store,
    .host = access_host,
    .amo = amo,
    .cmpxchg = cmpxchg,
    .fp_set_round = set_round,
    .fp_set_control = set_control,
    .fp_flags = fp_flags,
    .break_changed = break_changed,
    .watch_changed = watch_changed,
    .info_jit = info_jit,
};

/* Memory's news. */

static void ram_changed(void *opaque, ram_addr_t addr, uint64_t len)
{
    code_written(opaque, addr, len);
}

/* Stores must look at the page state again. Those under a check of before are done when their CPU
 * has been outside of generated code since. */
static uint64_t ram_watched(void *opaque, ram_addr_t addr, uint64_t len)
{
    struct tcg *tcg = opaque;
    struct ram_block *b = ram_block_find(tcg->ram, addr);

    for (uint64_t page = addr & ~(RAM_PAGE_SIZE - 1); b && page < addr + len; page += RAM_PAGE_SIZE)
        tlb_protect(tcg, b->host + (page - b->base));
    return __atomic_add_fetch(&tcg->epoch, 1, __ATOMIC_SEQ_CST);
}

static bool ram_settled(void *opaque, uint64_t moment)
{
    return cache_all_seen(opaque, moment, true);
}

static const struct ram_code_ops code_ops = {
    .written = ram_changed,
    .watched = ram_watched,
    .settled = ram_settled,
};

static void flush_for_map(struct cpu *cpu, void *opaque)
{
    (void)opaque;
    accel_flush_all(cpu);
}

static void map_changed(void *opaque, struct address_space *as)
{
    struct tcg *tcg = opaque;
    (void)as;

    for (unsigned i = 0; i < tcg->nvcpus; i++)
        cpu_run_on(tcg->vcpu[i]->cpu, flush_for_map, NULL, false);
}

/* Beginning and end. */

static void *reserve(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    bug_on(p == MAP_FAILED);
    return p;
}

static struct tcg_vcpu *new_vcpu(struct tcg *tcg, struct cpu *cpu)
{
    struct tcg_vcpu *v = g_new0(struct tcg_vcpu, 1);

    v->tcg = tcg;
    v->cpu = cpu;
    v->seen = UINT64_MAX;
    v->modify_pc = ~UINT64_C(0);
    v->tlb2 = g_new0(struct tlb2_entry, TLB2_SIZE);
    v->fp = g_new0(struct fp_env, 1);
    cpu->tcg.tlb2 = reserve(TCG_TLB2_SIZE * sizeof(cpu->tcg.tlb2[0]));
    cpu->tcg.lines = tcg->lines;
    tcg_link(&cpu->tcg, NULL);
    cpu->accel = v;
    cpu->accel_ops = &cpu_services;
    cpu->stop_request = 1;
    cpu->shares_memory = tcg->nvcpus > 1;
    cache_forget_jumps(cpu);
    tlb_reset(v);
    return v;
}

static void free_vcpu(struct tcg_vcpu *v)
{
    v->cpu->accel_ops = NULL;
    v->cpu->accel = NULL;
    v->cpu->has_thread = false;
    munmap(v->cpu->tcg.tlb2, TCG_TLB2_SIZE * sizeof(v->cpu->tcg.tlb2[0]));
    v->cpu->tcg.tlb2 = NULL;
    g_free(v->tlb2);
    g_free(v->fp);
    g_free(v);
}

static bool init_backend(struct tcg *tcg, GError **err)
{
    static const struct backend_runtime rt = {
        .rt = {
            .load = access_load,
            .store = access_store,
            .load_wide = access_load_wide,
            .store_wide = access_store_wide,
            .amo = access_amo,
            .cmpxchg = access_cmpxchg,
            .load_linked = access_load_linked,
            .store_linked = access_store_linked,
            .probe = access_probe,
            .lookup = exec_lookup,
        },
        .link = exec_link,
        .nomerge = exec_nomerge,
    };

    if (!cache_init(tcg, err))
        return false;
    tcg->region[0].used = backend_host.init(&tcg->thunks, tcg->cache_rw, tcg->cache_rx,
                                            tcg->region_size, &rt, tcg->guest->slots);
    tcg->region[0].used = (tcg->region[0].used + 63) & ~(size_t)63;
    /* The thunks stay for good: region 0 begins behind them. */
    tcg->region[0].rw += tcg->region[0].used;
    tcg->region[0].rx += tcg->region[0].used;
    tcg->region[0].lost = tcg->region[0].used;
    tcg->region[0].used = 0;
    return true;
}

/* A thread for each CPU, or one for all. */
static unsigned thread_count(const struct tcg *tcg)
{
    return tcg->icount.on ? 1 : tcg->nvcpus;
}

static bool start_threads(struct tcg *tcg)
{
    for (unsigned i = 0; i < tcg->nvcpus; i++)
        __atomic_fetch_or(&tcg->vcpu[i]->cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < thread_count(tcg); i++) {
        struct cpu *cpu = tcg->vcpu[i]->cpu;
        int failed;

        cpu->has_thread = true;
        failed = tcg->icount.on ? pthread_create(&cpu->thread, NULL, icount_thread, tcg)
                                : pthread_create(&cpu->thread, NULL, exec_thread, tcg->vcpu[i]);
        if (failed) {
            cpu->has_thread = false;
            return false;
        }
    }
    for (unsigned i = thread_count(tcg); i < tcg->nvcpus; i++) {
        tcg->vcpu[i]->cpu->thread = tcg->vcpu[0]->cpu->thread;
        tcg->vcpu[i]->cpu->has_thread = true;
    }
    return true;
}

static void tcg_end(struct machine *m, struct tcg *tcg)
{
    __atomic_store_n(&tcg->quit, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < tcg->nvcpus; i++)
        cpu_kick(tcg->vcpu[i]->cpu);
    pthread_cond_broadcast(&tcg->resumed);
    loop_unlock(m->loop);
    for (unsigned i = 0; i < thread_count(tcg); i++)
        if (tcg->vcpu[i]->cpu->has_thread)
            pthread_join(tcg->vcpu[i]->cpu->thread, NULL);
    loop_lock(m->loop);
    icount_end(tcg);
    ram_set_code_ops(tcg->ram, NULL, NULL);
    space_remove_listener(&m->memory, &tcg->listener);
    m->cpu_ops = NULL;
    for (unsigned i = 0; i < tcg->nvcpus; i++)
        free_vcpu(tcg->vcpu[i]);
    cache_free(tcg);
    if (tcg->thunks)
        backend_host.fini(tcg->thunks);
    perf_free(tcg);
    for (uint64_t p = 0; p < tcg->pages_end; p++) {
        if (tcg->pages[p]) {
            fresh_end(tcg, tcg->pages[p]);
            g_free(tcg->pages[p]->unit);
            g_free(tcg->pages[p]);
        }
    }
    munmap(tcg->pages, tcg->npages * sizeof(tcg->pages[0]));
    munmap(tcg->map, MAX_MAPS * sizeof(tcg->map[0]));
    g_clear_pointer(&tcg->map_index, g_hash_table_unref);
    pthread_mutex_destroy(&tcg->lock);
    pthread_mutex_destroy(&tcg->build_lock);
    pthread_mutex_destroy(&tcg->exclusive_lock);
    pthread_cond_destroy(&tcg->exclusive_over);
    g_free(tcg->hash);
    g_free(tcg->movable);
    g_free(tcg->insns);
    g_free(tcg->scratch);
    g_free(tcg->code);
    munmap(tcg->lines, TCG_LINES_SIZE);
    g_free(tcg->vcpu);
    g_free(tcg);
}

static bool read_options(struct tcg *tcg, struct opts *o, GError **err)
{
    uint64_t size = DEFAULT_CACHE >> 20;
    bool map = false, dump = false;

    if (!opts_u64(o, "tb-size", 8, 2047, &size, err) ||
        !opts_bool(o, "profile", &tcg->count, err) || !opts_bool(o, "perfmap", &map, err) ||
        !opts_bool(o, "jitdump", &dump, err) || !icount_options(tcg, o, err))
        return false;
    tcg->cache_size = size << 20;
    return opts_done(o, err) && perf_init(tcg, map, dump, err);
}

static bool tcg_begin(struct machine *m, struct opts *opts, bool interp, GError **err)
{
    struct tcg *tcg = g_new0(struct tcg, 1);
    struct cpu *first = m->cpus->pdata[0];

    tcg->guest = first->ops;
    if (!read_options(tcg, opts, err) || (first->ops->check && !first->ops->check(first, err))) {
        perf_free(tcg);
        g_free(tcg);
        return false;
    }
    tcg->machine = m;
    tcg->interp = interp;
    tcg->ram = mem_ram(m->mem);
    tcg->nvcpus = m->cpus->len;
    tcg->npages = RAM_TOTAL_MAX >> RAM_PAGE_BITS;
    tcg->pages = reserve(tcg->npages * sizeof(tcg->pages[0]));
    tcg->map = reserve(MAX_MAPS * sizeof(tcg->map[0]));
    tcg->hash = g_new0(struct unit *, 1u << HASH_BITS);
    tcg->movable = g_new0(struct unit *, 1u << MOVABLE_BITS);
    tcg->insns = g_new(struct ir_insn, MAX_IR);
    tcg->scratch = g_new(uint32_t, 2 * MAX_IR);
    tcg->code = g_malloc(UNIT_PAGES * sizeof(tcg->code[0]));
    tcg->lines = reserve(TCG_LINES_SIZE);
    ir_init(&tcg->ir, tcg->insns, MAX_IR, tcg->guest->slots);
    pthread_mutex_init(&tcg->lock, NULL);
    pthread_mutex_init(&tcg->build_lock, NULL);
    pthread_mutex_init(&tcg->exclusive_lock, NULL);
    pthread_cond_init(&tcg->exclusive_over, NULL);
    pthread_cond_init(&tcg->parked, NULL);
    pthread_cond_init(&tcg->resumed, NULL);
    tcg->vcpu = g_new0(struct tcg_vcpu *, tcg->nvcpus);
    for (unsigned i = 0; i < tcg->nvcpus; i++)
        tcg->vcpu[i] = new_vcpu(tcg, m->cpus->pdata[i]);
    icount_begin(tcg);
    m->cpu_ops = &machine_ops;
    ram_set_code_ops(tcg->ram, &code_ops, tcg);
    tcg->listener = (struct space_listener){ map_changed, tcg };
    space_add_listener(&m->memory, &tcg->listener);
    if ((interp ? cache_init(tcg, err) : init_backend(tcg, err)) && start_threads(tcg))
        return true;
    if (err && !*err)
        error_set(err, "-accel: cannot start a thread for each of %u CPUs", tcg->nvcpus);
    tcg_end(m, tcg);
    return false;
}

static bool tcg_init(struct machine *m, struct opts *opts, GError **err)
{
    return tcg_begin(m, opts, false, err);
}

static bool interp_init(struct machine *m, struct opts *opts, GError **err)
{
    return tcg_begin(m, opts, true, err);
}

static void tcg_free(struct machine *m)
{
    tcg_end(m, tcg_of(m));
}

const struct accel_type accel_tcg = {
    .name = "tcg",
    .help = "translates guest code to host code",
    .init = tcg_init,
    .free = tcg_free,
};

const struct accel_type accel_interp = {
    .name = "interp",
    .help = "interprets guest code; slow, for reference",
    .init = interp_init,
    .free = tcg_free,
};
