/*
 * High precision event timer (Intel, IA-PC HPET Specification 1.0a): a 64-bit counter of 10 ns and
 * three timers, the first of them periodic. The counter is the virtual clock since it was switched
 * on, so that nothing is counted and nothing drifts.
 */
#include <hw/timer/hpet.h>

#include <base/bits.h>
#include <base/clock.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/host_irqchip.h>
#include <hw/core/machine.h>

#define TIMERS    3
#define PINS      24
#define TICK_NS   10
#define PERIOD_FS 10000000u

/* A guest that asks for more interrupts than this would get nothing else done, nor would we. */
#define PERIOD_MIN_TICKS 1000

enum { CAPS = 0x000, CONFIG = 0x010, STATUS = 0x020, COUNTER = 0x0f0, FIRST_TIMER = 0x100 };
enum { T_CONFIG = 0x00, T_COMPARE = 0x08, T_ROUTE = 0x10, T_STRIDE = 0x20 };

#define CAPS_LOW     0x8086a201u /* Intel, legacy replacement, 64 bits, three timers, revision 1 */
#define CFG_ENABLE   0x1
#define CFG_LEGACY   0x2
#define T_LEVEL      0x0002
#define T_ENABLE     0x0004
#define T_PERIODIC   0x0008
#define T_CAN_REPEAT 0x0010
#define T_64         0x0020
#define T_SET        0x0040
#define T_32         0x0100
#define T_PIN_SHIFT  9
#define T_PIN        0x3e00
#define T_FSB        0x4000
#define T_CAN_FSB    0x8000
#define T_WRITABLE   (T_LEVEL | T_ENABLE | T_PERIODIC | T_SET | T_32 | T_PIN | T_FSB)

struct hpet;

struct hpet_timer {
    struct hpet *hpet;
    unsigned n;
    struct timer timer;
    uint64_t config;  /* low half; capabilities come when it is read */
    uint64_t compare; /* when it fires */
    uint64_t period;  /* what was written last, added at each period */
    uint64_t route;   /* FSB: address and value of the message */
};

struct hpet {
    struct device dev;
    struct mem_region io;
    struct irq_line pins[PINS], legacy[2];
    uint32_t pin_mask; /* to which pins timers can be routed */
    bool msi;

    uint64_t config, status;
    uint64_t counter; /* while it stands; while it runs, what it was when the clock stood at 0 */
    uint8_t legacy_in;
    struct hpet_timer timers[TIMERS];
    const struct host_irqchip *host;
};

/* ---- time ---- */

static uint64_t clock_ticks(const struct hpet *h)
{
    return (uint64_t)clock_ns(device_loop(&h->dev), CLK_VIRTUAL) / TICK_NS;
}

static bool running(const struct hpet *h)
{
    return h->config & CFG_ENABLE;
}

static uint64_t counter(const struct hpet *h)
{
    return running(h) ? h->counter + clock_ticks(h) : h->counter;
}

static bool narrow(const struct hpet_timer *t)
{
    return t->config & T_32;
}

/* Ticks until the timer fires: a 32-bit one compares the low half only. */
static uint64_t ticks_left(const struct hpet_timer *t, uint64_t now)
{
    return narrow(t) ? (uint32_t)(t->compare - now) : t->compare - now;
}

static bool is_periodic(const struct hpet_timer *t)
{
    return (t->config & T_PERIODIC) && t->n == 0;
}

/* ---- interrupts ---- */

static bool replaces(const struct hpet_timer *t)
{
    return (t->hpet->config & CFG_LEGACY) && t->n < 2;
}

static void drive(struct hpet_timer *t, bool level)
{
    struct hpet *h = t->hpet;

    if (replaces(t))
        irq_set(&h->legacy[t->n], level);
    else
        irq_set(&h->pins[(t->config & T_PIN) >> T_PIN_SHIFT], level);
}

static void update_irq(struct hpet_timer *t)
{
    bool on = (t->hpet->status >> t->n & 1) && (t->config & T_ENABLE) && running(t->hpet);

    if (t->config & T_LEVEL)
        drive(t, on);
}

static void fire(struct hpet_timer *t)
{
    struct hpet *h = t->hpet;

    if (t->config & T_LEVEL) {
        h->status |= 1u << t->n;
        update_irq(t);
    } else if (!(t->config & T_ENABLE)) {
        return;
    } else if (t->config & T_FSB) {
        space_st32_le(&h->dev.machine->memory, t->route >> 32, (uint32_t)t->route, 0);
    } else {
        drive(t, true);
        drive(t, false);
    }
}

static void arm(struct hpet_timer *t)
{
    struct hpet *h = t->hpet;
    uint64_t ticks, at;

    if (!running(h)) {
        timer_del(&t->timer);
        return;
    }
    ticks = ticks_left(t, counter(h));
    if (ticks == 0) /* it was there already: once more around */
        ticks = narrow(t) ? UINT64_C(1) << 32 : UINT64_MAX;
    at = clock_ticks(h) + ticks;
    timer_mod_ns(&t->timer,
                 at < ticks || at > INT64_MAX / TICK_NS ? INT64_MAX : (int64_t)at * TICK_NS);
}

/* 2.3.9.2.2: the period is added to the comparator. Periods that the host slept through merge. */
static void next_period(struct hpet_timer *t, uint64_t now)
{
    uint64_t step = t->period, late = now - t->compare;

    if (step && step < PERIOD_MIN_TICKS)
        step *= PERIOD_MIN_TICKS / step + 1;
    if (!step)
        return;
    if (narrow(t))
        late = (uint32_t)late;
    t->compare += step * (late / step + 1);
    if (narrow(t))
        t->compare = (uint32_t)t->compare;
}

static void due(void *opaque)
{
    struct hpet_timer *t = opaque;

    if (is_periodic(t))
        next_period(t, counter(t->hpet));
    arm(t);
    fire(t);
}

/* ---- registers ---- */

static uint64_t timer_config(const struct hpet_timer *t)
{
    const struct hpet *h = t->hpet;

    return t->config | T_64 | (t->n == 0 ? T_CAN_REPEAT : 0) | (h->msi ? T_CAN_FSB : 0) |
           (uint64_t)h->pin_mask << 32;
}

static uint64_t read_whole(struct hpet *h, uint64_t offset)
{
    const struct hpet_timer *t;

    switch (offset) {
    case CAPS: return CAPS_LOW | (uint64_t)PERIOD_FS << 32;
    case CONFIG: return h->config;
    case STATUS: return h->status;
    case COUNTER: return counter(h);
    }
    if (offset < FIRST_TIMER || offset >= FIRST_TIMER + TIMERS * T_STRIDE)
        return 0;
    t = &h->timers[(offset - FIRST_TIMER) / T_STRIDE];
    switch (offset % T_STRIDE) {
    case T_CONFIG: return timer_config(t);
    case T_COMPARE: return t->compare;
    case T_ROUTE: return t->route;
    default: return 0;
    }
}

static void pass_legacy(struct hpet *h)
{
    if (h->host)
        h->host->timer_silent(h->host->opaque, h->config & CFG_LEGACY);
    for (unsigned i = 0; i < 2; i++)
        if (!(h->config & CFG_LEGACY))
            irq_set(&h->legacy[i], h->legacy_in >> i & 1);
}

static void write_config(struct hpet *h, uint64_t v)
{
    uint64_t now = counter(h);

    for (unsigned i = 0; i < TIMERS; i++)
        if (h->timers[i].config & T_LEVEL)
            drive(&h->timers[i], false);
    h->config = v & (CFG_ENABLE | CFG_LEGACY);
    h->counter = running(h) ? now - clock_ticks(h) : now;
    pass_legacy(h);
    for (unsigned i = 0; i < TIMERS; i++) {
        arm(&h->timers[i]);
        update_irq(&h->timers[i]);
    }
}

static void write_timer_config(struct hpet_timer *t, uint64_t v)
{
    uint64_t pin = (v & T_PIN) >> T_PIN_SHIFT;

    if (t->config & T_LEVEL)
        drive(t, false);
    if (!(t->hpet->pin_mask >> pin & 1)) /* 2.3.8: an impossible route reads back as another */
        v = (v & ~(uint64_t)T_PIN) | (t->config & T_PIN);
    v &= T_WRITABLE;
    if (t->n)
        v &= ~(uint64_t)(T_PERIODIC | T_SET);
    if (!t->hpet->msi)
        v &= ~(uint64_t)T_FSB;
    t->config = v;
    if (narrow(t)) {
        t->compare = (uint32_t)t->compare;
        t->period = (uint32_t)t->period;
    }
    if (!(v & T_LEVEL))
        t->hpet->status &= ~(UINT64_C(1) << t->n);
    arm(t);
    update_irq(t);
}

/* 2.3.9.2.2: in periodic mode a write sets the period; with Tn_VAL_SET_CNF the comparator, too. */
static void write_compare(struct hpet_timer *t, uint64_t v)
{
    if (narrow(t))
        v = (uint32_t)v;
    if (!is_periodic(t) || (t->config & T_SET))
        t->compare = v;
    t->period = v;
    arm(t);
}

static void write_timer(struct hpet_timer *t, uint64_t offset, uint64_t v)
{
    switch (offset) {
    case T_CONFIG: write_timer_config(t, v); break;
    case T_COMPARE: write_compare(t, v); break;
    case T_ROUTE: t->route = v; break;
    }
}

static void write_whole(struct hpet *h, uint64_t offset, uint64_t v)
{
    switch (offset) {
    case CONFIG: write_config(h, v); return;
    case STATUS:
        h->status &= ~v;
        for (unsigned i = 0; i < TIMERS; i++)
            update_irq(&h->timers[i]);
        return;
    case COUNTER:
        h->counter = running(h) ? v - clock_ticks(h) : v;
        for (unsigned i = 0; i < TIMERS; i++)
            arm(&h->timers[i]);
        return;
    }
    if (offset >= FIRST_TIMER && offset < FIRST_TIMER + TIMERS * T_STRIDE)
        write_timer(&h->timers[(offset - FIRST_TIMER) / T_STRIDE], offset % T_STRIDE, v);
}

static uint64_t hpet_read(void *opaque, uint64_t offset, unsigned size)
{
    uint64_t v = read_whole(opaque, offset & ~7u);

    return size == 4 && (offset & 4) ? v >> 32 : v;
}

/* The other half of a register that is written by halves. Status is write-one-to-clear, so that it
 * stays; a periodic comparator takes its period in two writes of one half each, with the other half
 * of the period as it is. */
static uint64_t other_half(struct hpet *h, uint64_t offset)
{
    const struct hpet_timer *t;

    if (offset == STATUS)
        return 0;
    if (offset >= FIRST_TIMER && offset < FIRST_TIMER + TIMERS * T_STRIDE) {
        t = &h->timers[(offset - FIRST_TIMER) / T_STRIDE];
        if (offset % T_STRIDE == T_COMPARE && is_periodic(t))
            return t->period;
    }
    return read_whole(h, offset);
}

/* 2.3.9.2.2: Tn_VAL_SET_CNF is for one write of the comparator, which a 32-bit processor does in
 * two halves, the low one first. */
static void end_set(struct hpet *h, uint64_t offset, unsigned size)
{
    struct hpet_timer *t;

    if (offset < FIRST_TIMER || offset >= FIRST_TIMER + TIMERS * T_STRIDE)
        return;
    t = &h->timers[(offset - FIRST_TIMER) / T_STRIDE];
    if ((offset % T_STRIDE & ~4u) == T_COMPARE && (size == 8 || (offset & 4) || narrow(t)))
        t->config &= ~(uint64_t)T_SET;
}

static void hpet_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    uint64_t whole = offset & ~7u, v = value;

    if (size == 4) {
        v = other_half(opaque, whole);
        v = offset & 4 ? (uint32_t)v | value << 32 : (v & ~UINT64_C(0xffffffff)) | value;
    }
    write_whole(opaque, whole, v);
    end_set(opaque, offset, size);
}

static const struct io_ops hpet_io = {
    .read = hpet_read,
    .write = hpet_write,
    .own_sizes = { 4, 8 },
};

static void legacy_changed(void *opaque, unsigned n, bool level)
{
    struct hpet *h = opaque;

    h->legacy_in = (uint8_t)((h->legacy_in & ~(1u << n)) | (unsigned)level << n);
    if (!(h->config & CFG_LEGACY))
        irq_set(&h->legacy[n], level);
}

void hpet_set_host(struct device *dev, const struct host_irqchip *host)
{
    struct hpet *h = (struct hpet *)dev;

    h->host = host;
    pass_legacy(h);
}

/* ---- the device ---- */

static bool hpet_realize(struct device *dev, GError **err)
{
    struct hpet *h = (struct hpet *)dev;

    (void)err;
    for (unsigned i = 0; i < TIMERS; i++) {
        h->timers[i].hpet = h;
        h->timers[i].n = i;
        timer_init(&h->timers[i].timer, device_loop(dev), CLK_VIRTUAL, due, &h->timers[i]);
    }
    mem_region_init_io(&h->io, device_mem(dev), &hpet_io, h, "hpet", 0x400);
    device_add_region(dev, &h->io);
    device_irq_outs(dev, NULL, h->pins, PINS);
    device_irq_outs(dev, "legacy", h->legacy, 2);
    device_irq_ins(dev, "legacy", legacy_changed, h, 2);
    return true;
}

static void hpet_unrealize(struct device *dev)
{
    struct hpet *h = (struct hpet *)dev;

    mem_region_destroy(&h->io);
    for (unsigned i = 0; i < TIMERS; i++)
        timer_del(&h->timers[i].timer);
}

static void hpet_reset(struct device *dev)
{
    struct hpet *h = (struct hpet *)dev;

    for (unsigned i = 0; i < TIMERS; i++) {
        struct hpet_timer *t = &h->timers[i];

        if (t->config & T_LEVEL)
            drive(t, false);
        t->config = t->period = t->route = 0;
        t->compare = UINT64_MAX;
        timer_del(&t->timer);
    }
    h->config = h->status = h->counter = 0;
    pass_legacy(h);
}

static bool hpet_loaded(void *obj, unsigned version, GError **err)
{
    struct hpet *h = obj;

    (void)version;
    h->config &= CFG_ENABLE | CFG_LEGACY;
    for (unsigned i = 0; i < TIMERS; i++) {
        uint64_t pin = (h->timers[i].config & T_PIN) >> T_PIN_SHIFT;

        if ((h->timers[i].config & ~(uint64_t)T_WRITABLE) || pin >= PINS)
            return error_set(err, "saved state: hpet: configuration of a timer out of range");
    }
    for (unsigned i = 0; i < TIMERS; i++)
        arm(&h->timers[i]);
    return true;
}

static const struct state_field timer_fields[] = { STATE_U64(struct hpet_timer, config),
                                                   STATE_U64(struct hpet_timer, compare),
                                                   STATE_U64(struct hpet_timer, period),
                                                   STATE_U64(struct hpet_timer, route), STATE_END };
static const struct state_table timer_state = { .name = "timer",
                                                .version = 1,
                                                .fields = timer_fields };

static const struct state_field hpet_fields[] = { STATE_U64(struct hpet, config),
                                                  STATE_U64(struct hpet, status),
                                                  STATE_U64(struct hpet, counter),
                                                  STATE_U8(struct hpet, legacy_in),
                                                  STATE_STRUCT_ARRAY(struct hpet, timers,
                                                                     timer_state),
                                                  STATE_END };
static const struct state_table hpet_state = {
    .name = "hpet", .version = 1, .fields = hpet_fields, .post_load = hpet_loaded
};

static const struct prop hpet_props[] = {
    PROP_BOOL(struct hpet, msi, "msi", false, "timers can send messages"),
    PROP_U32(struct hpet, pin_mask, "hpet-intcap", 0x04, "I/O APIC pins that timers can drive",
             .min = 1, .max = (1u << PINS) - 1),
    PROP_LIST_END
};

const struct device_type hpet_type = {
    .name = "hpet",
    .help = "high precision event timer",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct hpet),
    .internal = true,
    .category = "misc",
    .realize = hpet_realize,
    .reset = hpet_reset,
    .unrealize = hpet_unrealize,
    .props = hpet_props,
    .state = &hpet_state,
};
