/*
 * What counts: time, the supervisor's timer, cycles, retired instructions and the programmable
 * counters. Cycles and instructions both go with the virtual clock, at 1 GHz; under -icount that
 * clock goes with the instructions, and minstret counts them.
 */
#include "riscv.h"

/* Sscofpmf: bits of mhpmevent. */
#define EVENT_OF   BIT(63)
#define EVENT_MINH BIT(62)
#define EVENT_SINH BIT(61)
#define EVENT_UINH BIT(60)
#define EVENT_ID   mask64(32)
enum { EVENT_CYCLES = 1, EVENT_INSTRET = 2 };

enum { CYCLE = 0, INSTRET = 2 }; /* numbers of counters */

uint64_t riscv_time(struct riscv_cpu *c)
{
    cpu_sync_time(&c->cpu);
    return c->time ? c->time->read(c->time_opaque) : 0;
}

/* ---- stimecmp ---- */

/*
 * STIP is set by the timer's thread and cleared by the hart's, both under stimer_lock and from the
 * stimecmp of that moment.
 */
static void stimer_look(struct riscv_cpu *c)
{
    bool on = c->stimer_on && c->time;

    timer_del(&c->stimer);
    if (on && riscv_time(c) >= c->stimecmp) {
        __atomic_fetch_or(&c->lines, IRQ_STI, __ATOMIC_SEQ_CST);
        return;
    }
    __atomic_fetch_and(&c->lines, ~IRQ_STI, __ATOMIC_SEQ_CST);
    if (on)
        timer_mod_ns(&c->stimer, c->time->deadline(c->time_opaque, c->stimecmp));
}

void riscv_stimer_update(struct riscv_cpu *c)
{
    if (!c->loop)
        return;
    pthread_mutex_lock(&c->stimer_lock);
    c->stimer_on = c->menvcfg & ENVCFG_STCE;
    stimer_look(c);
    pthread_mutex_unlock(&c->stimer_lock);
}

void riscv_stimecmp_write(struct riscv_cpu *c, uint64_t val)
{
    pthread_mutex_lock(&c->stimer_lock);
    c->stimecmp = val;
    if (c->loop)
        stimer_look(c);
    pthread_mutex_unlock(&c->stimer_lock);
}

static void look_and_tell(struct riscv_cpu *c)
{
    pthread_mutex_lock(&c->stimer_lock);
    stimer_look(c);
    pthread_mutex_unlock(&c->stimer_lock);
    if (riscv_mip(c) & IRQ_STI)
        cpu_kick(&c->cpu);
}

static void stimer_due(void *opaque)
{
    look_and_tell(opaque);
}

void riscv_time_jumped(struct cpu *cpu)
{
    look_and_tell(riscv_of(cpu));
}

/* ---- Counters ---- */

static uint64_t source(struct riscv_cpu *c)
{
    cpu_sync_time(&c->cpu);
    return c->loop ? clock_ns(c->loop, CLK_VIRTUAL) : 0;
}

static uint64_t source_of(struct riscv_cpu *c, unsigned n)
{
    return n == INSTRET && c->cpu.counts_insns ? c->cpu.tcg.insns : source(c);
}

static struct riscv_counter *counter(struct riscv_cpu *c, unsigned n)
{
    if (n == CYCLE)
        return &c->mcycle;
    if (n == INSTRET)
        return &c->minstret;
    return n >= HPM_FIRST && n < HPM_FIRST + HPM_COUNT ? &c->hpm[n - HPM_FIRST] : NULL;
}

static bool counts(const struct riscv_cpu *c, unsigned n)
{
    static const uint64_t inhibit[] = {
        [PRIV_U] = EVENT_UINH, [PRIV_S] = EVENT_SINH, [PRIV_M] = EVENT_MINH
    };
    uint64_t event;

    if (c->mcountinhibit >> n & 1)
        return false;
    if (n < HPM_FIRST)
        return true;
    event = c->mhpmevent[n - HPM_FIRST];
    return ((event & EVENT_ID) == EVENT_CYCLES || (event & EVENT_ID) == EVENT_INSTRET) &&
           !(event & inhibit[c->priv]);
}

/* Brings a counter up to date; to be called before anything that counts() depends on changes. */
static void bring_up(struct riscv_cpu *c, unsigned n)
{
    struct riscv_counter *k = counter(c, n);
    uint64_t now = source_of(c, n), old = k->value;

    if (counts(c, n))
        k->value += now - k->since;
    k->since = now;
    if (k->value >= old || n < HPM_FIRST || !riscv_have(c, EXT_Sscofpmf))
        return;
    if (!(c->mhpmevent[n - HPM_FIRST] & EVENT_OF)) {
        c->mhpmevent[n - HPM_FIRST] |= EVENT_OF;
        __atomic_fetch_or(&c->mip, IRQ_LCOF, __ATOMIC_SEQ_CST);
        riscv_check_irq(c);
    }
}

/* The next overflow that would interrupt. */
static void arm(struct riscv_cpu *c)
{
    uint64_t nearest = UINT64_MAX;

    if (!c->loop || !riscv_have(c, EXT_Sscofpmf))
        return;
    for (unsigned n = HPM_FIRST; n < HPM_FIRST + HPM_COUNT; n++)
        if (counts(c, n) && !(c->mhpmevent[n - HPM_FIRST] & EVENT_OF))
            nearest = MIN(nearest, -c->hpm[n - HPM_FIRST].value - 1);
    if (nearest > INT64_MAX / 2)
        timer_del(&c->hpm_timer);
    else
        timer_mod_ns(&c->hpm_timer, source(c) + nearest + 1);
}

static void bring_up_all(struct riscv_cpu *c)
{
    bring_up(c, CYCLE);
    bring_up(c, INSTRET);
    for (unsigned n = HPM_FIRST; n < HPM_FIRST + HPM_COUNT; n++)
        bring_up(c, n);
}

static void overflow(struct cpu *cpu, void *opaque)
{
    (void)opaque;
    bring_up_all(riscv_of(cpu));
    arm(riscv_of(cpu));
}

static void hpm_due(void *opaque)
{
    cpu_run_on(opaque, overflow, NULL, false);
}

uint64_t riscv_counter_read(struct riscv_cpu *c, unsigned n)
{
    struct riscv_counter *k = counter(c, n);

    if (!k)
        return 0;
    bring_up(c, n);
    return k->value;
}

void riscv_counter_write(struct riscv_cpu *c, unsigned n, uint64_t val)
{
    struct riscv_counter *k = counter(c, n);

    if (!k)
        return;
    k->value = val;
    k->since = source_of(c, n);
    arm(c);
}

void riscv_countinhibit_write(struct riscv_cpu *c, uint64_t val)
{
    bring_up_all(c);
    c->mcountinhibit = val & (mask64(HPM_FIRST + HPM_COUNT) & ~2ULL);
    arm(c);
}

void riscv_hpmevent_write(struct riscv_cpu *c, unsigned n, uint64_t val)
{
    uint64_t writable = EVENT_ID;

    if (riscv_have(c, EXT_Sscofpmf))
        writable |= EVENT_OF | EVENT_MINH | EVENT_SINH | EVENT_UINH;
    bring_up(c, n);
    c->mhpmevent[n - HPM_FIRST] = val & writable;
    c->hpm_filtered = 0;
    for (unsigned k = 0; k < HPM_COUNT; k++)
        if (c->mhpmevent[k] & EVENT_ID && c->mhpmevent[k] & (EVENT_MINH | EVENT_SINH | EVENT_UINH))
            c->hpm_filtered |= BIT(k + HPM_FIRST);
    arm(c);
}

void riscv_counters_enter(struct riscv_cpu *c, uint64_t priv)
{
    for (unsigned n = HPM_FIRST; n < HPM_FIRST + HPM_COUNT; n++)
        if (c->hpm_filtered >> n & 1)
            bring_up(c, n);
    c->priv = priv;
    arm(c);
}

uint64_t riscv_scountovf(const struct riscv_cpu *c)
{
    uint64_t v = 0;

    for (unsigned n = 0; n < HPM_COUNT; n++)
        v |= c->mhpmevent[n] >> 63 << (n + HPM_FIRST);
    return v;
}

void riscv_counters_reset(struct riscv_cpu *c)
{
    c->mcycle = (struct riscv_counter){ 0, source(c) };
    c->minstret = (struct riscv_counter){ 0, source_of(c, INSTRET) };
    for (unsigned n = 0; n < HPM_COUNT; n++)
        c->hpm[n] = c->mcycle;
    if (c->loop)
        timer_del(&c->hpm_timer);
}

void riscv_timers_init(struct riscv_cpu *c)
{
    timer_init(&c->stimer, c->loop, CLK_VIRTUAL, stimer_due, c);
    timer_init(&c->hpm_timer, c->loop, CLK_VIRTUAL, hpm_due, c);
}

void riscv_timers_free(struct riscv_cpu *c)
{
    if (!c->loop)
        return;
    timer_del(&c->stimer);
    timer_del(&c->hpm_timer);
}
