/*
 * Goldfish real-time clock (docs/GOLDFISH-VIRTUAL-HARDWARE.TXT of Android, "Goldfish RTC"): 64-bit
 * nanoseconds since 1970, and one alarm. TIME_LOW is read first and latches TIME_HIGH; for writes
 * the high half comes first and the low half acts.
 */
#include <base/bits.h>
#include <base/clock.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/machine.h>

enum {
    TIME_LOW = 0x00,
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08,
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c,
};

struct goldfish_rtc {
    struct device dev;
    struct mem_region io;
    struct irq_line irq;
    struct timer timer;
    int64_t offset; /* ns by which the guest set its clock against that of -rtc */
    uint64_t alarm; /* ns since 1970 */
    uint32_t time_high, alarm_high;
    bool alarm_set, irq_pending, irq_enabled;
};

static uint64_t now(const struct goldfish_rtc *r)
{
    return (uint64_t)clock_rtc_ns(device_loop(&r->dev)) + (uint64_t)r->offset;
}

static void update_irq(struct goldfish_rtc *r)
{
    irq_set(&r->irq, r->irq_pending && r->irq_enabled);
}

static void alarm_due(void *opaque)
{
    struct goldfish_rtc *r = opaque;

    r->alarm_set = false;
    r->irq_pending = true;
    update_irq(r);
}

/* Ends, sets or fires the alarm as time and alarm now stand. */
static void rearm(struct goldfish_rtc *r)
{
    __int128 at = (__int128)r->alarm - r->offset;
    int64_t rtc = at > INT64_MAX ? INT64_MAX : (int64_t)at;

    timer_del(&r->timer);
    if (!r->alarm_set)
        return;
    if (r->alarm <= now(r))
        alarm_due(r);
    else
        timer_mod_ns(&r->timer, clock_rtc_deadline(device_loop(&r->dev), rtc));
}

static uint64_t rtc_read(void *opaque, uint64_t offset, unsigned size)
{
    struct goldfish_rtc *r = opaque;
    uint64_t t;

    (void)size;
    switch (offset) {
    case TIME_LOW:
        t = now(r);
        r->time_high = (uint32_t)(t >> 32);
        return (uint32_t)t;
    case TIME_HIGH: return r->time_high;
    case ALARM_LOW: return (uint32_t)r->alarm;
    case ALARM_HIGH: return (uint32_t)(r->alarm >> 32);
    case IRQ_ENABLED: return r->irq_enabled;
    case ALARM_STATUS: return r->alarm_set;
    }
    log_guest_error("goldfish_rtc: read of 0x%x\n", (unsigned)offset);
    return 0;
}

static void set_time(struct goldfish_rtc *r, uint32_t low)
{
    uint64_t t = (uint64_t)r->time_high << 32 | low;

    r->offset = (int64_t)(t - (uint64_t)clock_rtc_ns(device_loop(&r->dev)));
    rearm(r);
}

static void rtc_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct goldfish_rtc *r = opaque;
    uint32_t v = (uint32_t)value;

    (void)size;
    switch (offset) {
    case TIME_LOW: set_time(r, v); return;
    case TIME_HIGH: r->time_high = v; return;
    case ALARM_LOW:
        r->alarm = (uint64_t)r->alarm_high << 32 | v;
        r->alarm_set = true;
        rearm(r);
        return;
    case ALARM_HIGH: r->alarm_high = v; return;
    case IRQ_ENABLED:
        r->irq_enabled = v & 1;
        update_irq(r);
        return;
    case CLEAR_ALARM:
        r->alarm_set = false;
        rearm(r);
        return;
    case CLEAR_INTERRUPT:
        r->irq_pending = false;
        update_irq(r);
        return;
    }
    log_guest_error("goldfish_rtc: write of 0x%x at 0x%x\n", v, (unsigned)offset);
}

static const struct io_ops rtc_io = {
    .read = rtc_read,
    .write = rtc_write,
    .guest_sizes = { 4, 4 },
};

static bool rtc_realize(struct device *dev, GError **err)
{
    struct goldfish_rtc *r = (struct goldfish_rtc *)dev;
    struct loop *loop = device_loop(dev);

    (void)err;
    timer_init(&r->timer, loop, clock_rtc_source(loop), alarm_due, r);
    mem_region_init_io(&r->io, device_mem(dev), &rtc_io, r, "goldfish_rtc", 0x24);
    device_add_region(dev, &r->io);
    device_irq_outs(dev, NULL, &r->irq, 1);
    return true;
}

static void rtc_unrealize(struct device *dev)
{
    struct goldfish_rtc *r = (struct goldfish_rtc *)dev;

    mem_region_destroy(&r->io);
    timer_del(&r->timer);
}

/* Time goes on over a reset, as it does on a battery. */
static void rtc_reset(struct device *dev)
{
    struct goldfish_rtc *r = (struct goldfish_rtc *)dev;

    r->alarm = 0;
    r->time_high = r->alarm_high = 0;
    r->alarm_set = r->irq_pending = r->irq_enabled = false;
    timer_del(&r->timer);
    update_irq(r);
}

static bool rtc_loaded(void *obj, unsigned version, GError **err)
{
    struct goldfish_rtc *r = obj;

    (void)version, (void)err;
    rearm(r);
    update_irq(r);
    return true;
}

static const struct state_field rtc_fields[] = {
    STATE_I64(struct goldfish_rtc, offset),       STATE_U64(struct goldfish_rtc, alarm),
    STATE_U32(struct goldfish_rtc, time_high),    STATE_U32(struct goldfish_rtc, alarm_high),
    STATE_BOOL(struct goldfish_rtc, alarm_set),   STATE_BOOL(struct goldfish_rtc, irq_pending),
    STATE_BOOL(struct goldfish_rtc, irq_enabled), STATE_END
};
static const struct state_table rtc_state = {
    .name = "goldfish_rtc", .version = 1, .fields = rtc_fields, .post_load = rtc_loaded
};

const struct device_type goldfish_rtc_type = {
    .name = "goldfish_rtc",
    .help = "Goldfish real-time clock",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct goldfish_rtc),
    .internal = true,
    .category = "misc",
    .realize = rtc_realize,
    .reset = rtc_reset,
    .unrealize = rtc_unrealize,
    .state = &rtc_state,
};
