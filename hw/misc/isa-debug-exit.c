/* A port by which tests end the program: writing v makes its status 2 * v + 1. */
#include <hw/isa/isa.h>

struct debug_exit {
    struct device dev;
    struct mem_region io;
    uint32_t iobase, iosize;
};

static uint64_t exit_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return 0;
}

static void exit_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)offset, (void)size;
    machine_request_shutdown(((struct debug_exit *)opaque)->dev.machine, CAUSE_GUEST_SHUTDOWN,
                             (int)((value << 1 | 1) & 0xff));
}

static const struct io_ops exit_io = {
    .read = exit_read,
    .write = exit_write,
    .guest_sizes = { 1, 4 },
};

static bool exit_realize(struct device *dev, GError **err)
{
    struct debug_exit *d = (struct debug_exit *)dev;

    mem_region_init_io(&d->io, device_mem(dev), &exit_io, d, "isa-debug-exit", d->iosize);
    if (isa_add_ports(dev, &d->io, d->iobase, err))
        return true;
    mem_region_destroy(&d->io);
    return false;
}

static void exit_unrealize(struct device *dev)
{
    mem_region_destroy(&((struct debug_exit *)dev)->io);
}

static const struct prop exit_props[] = {
    PROP_U32(struct debug_exit, iobase, "iobase", 0x501, "its first port"),
    PROP_U32(struct debug_exit, iosize, "iosize", 0x02, "how many ports", .min = 1, .max = 8),
    PROP_LIST_END
};

const struct device_type isa_debug_exit_type = {
    .name = "isa-debug-exit",
    .help = "port that ends the program",
    .bus = BUS_ISA,
    .size = sizeof(struct debug_exit),
    .category = "misc",
    .realize = exit_realize,
    .unrealize = exit_unrealize,
    .props = exit_props,
};
