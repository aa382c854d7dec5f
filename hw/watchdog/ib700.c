/*
 * Watchdog of IB700 single-board computers (Linux, Documentation/watchdog; iBase manual): a write
 * to port 443h starts it anew with one of 16 times, one to 441h stops it.
 */
#include <base/bits.h>
#include <base/clock.h>
#include <hw/isa/isa.h>

#define STOP_PORT  0x441
#define START_PORT 0x443

struct ib700 {
    struct device dev;
    struct mem_region stop_io, start_io;
    struct timer timer;
};

static uint64_t nothing_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return 0xff;
}

static void stop_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)offset, (void)value, (void)size;
    timer_del(&((struct ib700 *)opaque)->timer);
}

/* From 0, which is 30 seconds, in steps of two down to none. */
static void start_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct ib700 *w = opaque;
    int64_t seconds = 2 * (15 - (int64_t)(value & 15));

    (void)offset, (void)size;
    timer_mod_ns(&w->timer, clock_ns(device_loop(&w->dev), CLK_VIRTUAL) + seconds * NS_PER_SEC);
}

static void ran_out(void *opaque)
{
    machine_watchdog(((struct ib700 *)opaque)->dev.machine);
}

static const struct io_ops stop_io = { .read = nothing_read,
                                       .write = stop_write,
                                       .own_sizes = { 1, 1 } };
static const struct io_ops start_io = { .read = nothing_read,
                                        .write = start_write,
                                        .own_sizes = { 1, 1 } };

static void ib700_unrealize(struct device *dev)
{
    struct ib700 *w = (struct ib700 *)dev;

    mem_region_destroy(&w->stop_io);
    mem_region_destroy(&w->start_io);
    timer_del(&w->timer);
}

static bool ib700_realize(struct device *dev, GError **err)
{
    struct ib700 *w = (struct ib700 *)dev;

    timer_init(&w->timer, device_loop(dev), CLK_VIRTUAL, ran_out, w);
    mem_region_init_io(&w->stop_io, device_mem(dev), &stop_io, w, "ib700-stop", 1);
    mem_region_init_io(&w->start_io, device_mem(dev), &start_io, w, "ib700-start", 1);
    if (isa_add_ports(dev, &w->stop_io, STOP_PORT, err) &&
        isa_add_ports(dev, &w->start_io, START_PORT, err))
        return true;
    ib700_unrealize(dev);
    return false;
}

static void ib700_reset(struct device *dev)
{
    timer_del(&((struct ib700 *)dev)->timer);
}

static const struct state_field ib700_fields[] = { STATE_TIMER(struct ib700, timer), STATE_END };
static const struct state_table ib700_state = { .name = "ib700",
                                                .version = 1,
                                                .fields = ib700_fields };

const struct device_type ib700_type = {
    .name = "ib700",
    .help = "watchdog of IB700 boards",
    .bus = BUS_ISA,
    .size = sizeof(struct ib700),
    .category = "watchdog",
    .realize = ib700_realize,
    .reset = ib700_reset,
    .unrealize = ib700_unrealize,
    .state = &ib700_state,
};
