/*
 * RISC-V ACLINT (RISC-V Advanced Core Local Interruptor Specification 1.0-rc4): software interrupt
 * devices (MSWI, SSWI) and the machine timer (MTIMER). MSWI at 0 and MTIMER at 0x4000 of one window
 * make a SiFive CLINT.
 */
#include <inttypes.h>
#include <base/bits.h>
#include <base/clock.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/machine.h>
#include <hw/irqchip/aclint.h>

#define HARTS_MAX 4095

struct aclint_swi {
    struct device dev;
    struct mem_region io;
    struct irq_line *out; /* one a hart */
    uint32_t harts;
    bool sswi;
    uint32_t *level; /* MSWI: 0 or 1 each; SSWI has no state of its own */
    uint32_t levels; /* how many of them are kept */
};

static uint64_t swi_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct aclint_swi *s = opaque;

    (void)size;
    return !s->sswi && offset / 4 < s->harts ? s->level[offset / 4] : 0;
}

static void swi_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct aclint_swi *s = opaque;
    uint64_t hart = offset / 4;

    (void)size;
    if (hart >= s->harts) {
        log_guest_error("aclint: software interrupt to hart %" PRIu64 ", there are %u\n", hart,
                        s->harts);
        return;
    }
    if (s->sswi) {
        /* 4.1: an edge that sets SSIP, which the hart clears itself */
        if (value & 1)
            irq_raise(&s->out[hart]);
        return;
    }
    s->level[hart] = value & 1;
    irq_set(&s->out[hart], s->level[hart]);
}

static const struct io_ops swi_io = {
    .read = swi_read,
    .write = swi_write,
    .guest_sizes = { 4, 8 },
    .own_sizes = { 4, 4 },
};

static bool swi_realize(struct device *dev, GError **err)
{
    struct aclint_swi *s = (struct aclint_swi *)dev;

    (void)err;
    s->levels = s->sswi ? 0 : s->harts;
    s->level = g_new0(uint32_t, s->harts);
    s->out = g_new0(struct irq_line, s->harts);
    mem_region_init_io(&s->io, device_mem(dev), &swi_io, s, s->sswi ? "aclint-sswi" : "aclint-mswi",
                       0x4000);
    device_add_region(dev, &s->io);
    device_irq_outs(dev, NULL, s->out, s->harts);
    return true;
}

static void swi_unrealize(struct device *dev)
{
    struct aclint_swi *s = (struct aclint_swi *)dev;

    mem_region_destroy(&s->io);
    g_free(s->level);
    g_free(s->out);
}

static void swi_reset(struct device *dev)
{
    struct aclint_swi *s = (struct aclint_swi *)dev;

    for (unsigned i = 0; i < s->levels; i++) {
        s->level[i] = 0;
        irq_lower(&s->out[i]);
    }
}

static bool swi_loaded(void *obj, unsigned version, GError **err)
{
    struct aclint_swi *s = obj;

    (void)version;
    for (unsigned i = 0; i < s->levels; i++) {
        if (s->level[i] > 1)
            return error_set(err, "saved state: aclint: a level is neither 0 nor 1");
        irq_set(&s->out[i], s->level[i]);
    }
    return true;
}

static const struct state_field swi_fields[] = {
    STATE_VARRAY(struct aclint_swi, level, levels, HARTS_MAX), STATE_END
};
static const struct state_table swi_state = {
    .name = "aclint-swi", .version = 1, .fields = swi_fields, .post_load = swi_loaded
};

static const struct prop swi_props[] = {
    PROP_U32(struct aclint_swi, harts, "num-harts", 1, "harts", .min = 1, .max = HARTS_MAX),
    PROP_BOOL(struct aclint_swi, sswi, "sswi", false, "supervisor instead of machine interrupts"),
    PROP_LIST_END
};

const struct device_type aclint_swi_type = {
    .name = "riscv.aclint.swi",
    .help = "RISC-V ACLINT software interrupts",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct aclint_swi),
    .internal = true,
    .category = "misc",
    .realize = swi_realize,
    .reset = swi_reset,
    .unrealize = swi_unrealize,
    .props = swi_props,
    .state = &swi_state,
};

/* ---- MTIMER ---------------------------------------------------------------------------------- */

struct aclint_mtimer;

struct hart_timer {
    struct aclint_mtimer *owner;
    unsigned hart;
    uint64_t compare; /* ticks */
    struct timer timer;
};

struct aclint_mtimer {
    struct device dev;
    struct mem_region io;
    struct irq_line *out; /* one a hart */
    struct hart_timer *timers;
    uint32_t harts;
    uint32_t compare_base, time_base, aperture; /* offsets and size of the window */
    uint32_t frequency;                         /* Hz */
    uint64_t delta;                             /* ticks that a write to mtime added */
    void (*jumped)(void *opaque);               /* NULL: nobody else has timers on mtime */
    void *jumped_opaque;
};

static uint64_t muldiv(uint64_t a, uint64_t b, uint64_t c)
{
    unsigned __int128 v = (unsigned __int128)a * b / c;

    return v > UINT64_MAX ? UINT64_MAX : (uint64_t)v;
}

static uint64_t ticks(const struct aclint_mtimer *t)
{
    uint64_t ns = (uint64_t)clock_ns(device_loop(&t->dev), CLK_VIRTUAL);

    return muldiv(ns, t->frequency, NS_PER_SEC);
}

uint64_t aclint_mtime(const struct device *dev)
{
    const struct aclint_mtimer *t = (const struct aclint_mtimer *)dev;

    return ticks(t) + __atomic_load_n(&t->delta, __ATOMIC_RELAXED);
}

/* The virtual time at which mtime reaches `when`, which lies ahead: the first ns of its tick. */
static int64_t deadline(const struct aclint_mtimer *t, uint64_t when)
{
    uint64_t now = ticks(t), mtime = now + __atomic_load_n(&t->delta, __ATOMIC_RELAXED);
    unsigned __int128 at = (unsigned __int128)now + (when > mtime ? when - mtime : 0);

    at = (at * NS_PER_SEC + t->frequency - 1) / t->frequency;
    return at > INT64_MAX ? INT64_MAX : (int64_t)at;
}

int64_t aclint_deadline(const struct device *dev, uint64_t ticks)
{
    return deadline((const struct aclint_mtimer *)dev, ticks);
}

void aclint_on_jump(struct device *dev, void (*fn)(void *opaque), void *opaque)
{
    struct aclint_mtimer *t = (struct aclint_mtimer *)dev;

    t->jumped = fn;
    t->jumped_opaque = opaque;
}

static void rearm(struct aclint_mtimer *t, unsigned hart)
{
    struct hart_timer *h = &t->timers[hart];
    bool due = aclint_mtime(&t->dev) >= h->compare;

    irq_set(&t->out[hart], due);
    if (due)
        timer_del(&h->timer);
    else
        timer_mod_ns(&h->timer, deadline(t, h->compare));
}

/* mtime was set. */
static void rearm_all(struct aclint_mtimer *t)
{
    for (unsigned i = 0; i < t->harts; i++)
        rearm(t, i);
    if (t->jumped)
        t->jumped(t->jumped_opaque);
}

static void compare_due(void *opaque)
{
    struct hart_timer *h = opaque;

    rearm(h->owner, h->hart);
}

static uint64_t mtimer_read(void *opaque, uint64_t offset, unsigned size)
{
    struct aclint_mtimer *t = opaque;
    uint64_t v;

    if (offset - t->time_base < 8 && offset >= t->time_base)
        v = aclint_mtime(&t->dev);
    else if (offset >= t->compare_base && (offset - t->compare_base) / 8 < t->harts)
        v = t->timers[(offset - t->compare_base) / 8].compare;
    else
        return 0;
    return size == 4 ? (uint32_t)(offset & 4 ? v >> 32 : v) : v;
}

/* `old` with what was written to its half, or all of it. */
static uint64_t merge(uint64_t old, uint64_t offset, uint64_t value, unsigned size)
{
    return size == 8 ? value : deposit64(old, offset & 4 ? 32 : 0, 32, value);
}

static void set_mtime(struct aclint_mtimer *t, uint64_t offset, uint64_t value, unsigned size)
{
    uint64_t now = ticks(t), v = merge(now + t->delta, offset, value, size);

    __atomic_store_n(&t->delta, v - now, __ATOMIC_RELAXED);
    rearm_all(t);
}

static void mtimer_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct aclint_mtimer *t = opaque;
    uint64_t hart = (offset - t->compare_base) / 8;

    if (offset - t->time_base < 8 && offset >= t->time_base) {
        set_mtime(t, offset, value, size);
    } else if (offset >= t->compare_base && hart < t->harts) {
        t->timers[hart].compare = merge(t->timers[hart].compare, offset, value, size);
        rearm(t, (unsigned)hart);
    } else {
        log_guest_error("aclint: write to reserved register 0x%" PRIx64 "\n", offset);
    }
}

static const struct io_ops mtimer_io = {
    .read = mtimer_read,
    .write = mtimer_write,
    .guest_sizes = { 4, 8 },
};

static bool mtimer_realize(struct device *dev, GError **err)
{
    struct aclint_mtimer *t = (struct aclint_mtimer *)dev;

    if (t->compare_base % 8 || t->time_base % 8 || t->time_base > t->aperture - 8 ||
        t->compare_base + 8ull * t->harts > t->aperture)
        return error_set(err, "aclint: registers do not fit into 0x%x bytes", t->aperture);
    t->out = g_new0(struct irq_line, t->harts);
    t->timers = g_new0(struct hart_timer, t->harts);
    for (unsigned i = 0; i < t->harts; i++) {
        t->timers[i].owner = t;
        t->timers[i].hart = i;
        timer_init(&t->timers[i].timer, device_loop(dev), CLK_VIRTUAL, compare_due, &t->timers[i]);
    }
    mem_region_init_io(&t->io, device_mem(dev), &mtimer_io, t, "aclint-mtimer", t->aperture);
    device_add_region(dev, &t->io);
    device_irq_outs(dev, NULL, t->out, t->harts);
    return true;
}

static void mtimer_unrealize(struct device *dev)
{
    struct aclint_mtimer *t = (struct aclint_mtimer *)dev;

    mem_region_destroy(&t->io);
    for (unsigned i = 0; i < t->harts; i++)
        timer_del(&t->timers[i].timer);
    g_free(t->timers);
    g_free(t->out);
}

/* 2.1: mtime starts at 0; mtimecmp is unknown, and never is the quiet choice. */
static void mtimer_reset(struct device *dev)
{
    struct aclint_mtimer *t = (struct aclint_mtimer *)dev;

    __atomic_store_n(&t->delta, -ticks(t), __ATOMIC_RELAXED);
    for (unsigned i = 0; i < t->harts; i++)
        t->timers[i].compare = UINT64_MAX;
    rearm_all(t);
}

static bool mtimer_loaded(void *obj, unsigned version, GError **err)
{
    struct aclint_mtimer *t = obj;

    (void)version, (void)err;
    rearm_all(t);
    return true;
}

static const struct state_field hart_fields[] = { STATE_U64(struct hart_timer, compare),
                                                  STATE_END };
static const struct state_table hart_state = { .name = "hart",
                                               .version = 1,
                                               .fields = hart_fields };
static const struct state_field mtimer_fields[] = {
    STATE_U64(struct aclint_mtimer, delta),
    STATE_STRUCT_VARRAY(struct aclint_mtimer, timers, harts, HARTS_MAX, hart_state), STATE_END
};
static const struct state_table mtimer_state = {
    .name = "aclint-mtimer", .version = 1, .fields = mtimer_fields, .post_load = mtimer_loaded
};

static const struct prop mtimer_props[] = {
    PROP_U32(struct aclint_mtimer, harts, "num-harts", 1, "harts", .min = 1, .max = HARTS_MAX),
    PROP_U32(struct aclint_mtimer, compare_base, "timecmp-base", 0, "offset of mtimecmp"),
    PROP_U32(struct aclint_mtimer, time_base, "time-base", 0x7ff8, "offset of mtime"),
    PROP_U32(struct aclint_mtimer, aperture, "aperture-size", 0x8000, "bytes of registers",
             .min = 16),
    PROP_U32(struct aclint_mtimer, frequency, "timebase-freq", 10000000, "Hz of mtime", .min = 1),
    PROP_LIST_END
};

const struct device_type aclint_mtimer_type = {
    .name = "riscv.aclint.mtimer",
    .help = "RISC-V ACLINT machine timer",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct aclint_mtimer),
    .internal = true,
    .category = "misc",
    .realize = mtimer_realize,
    .reset = mtimer_reset,
    .unrealize = mtimer_unrealize,
    .props = mtimer_props,
    .state = &mtimer_state,
};
