/* A port for firmware to print to: what is written goes to the back end, reads give `readback`. */
#include <base/error.h>
#include <chardev/chardev.h>
#include <hw/isa/isa.h>

struct debugcon {
    struct device dev;
    struct mem_region io;
    struct chardev *chr;
    struct chardev_fe fe;
    uint32_t iobase, readback;
};

static uint64_t debugcon_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)offset, (void)size;
    return ((struct debugcon *)opaque)->readback;
}

static void debugcon_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct debugcon *d = opaque;
    uint8_t c = (uint8_t)value;

    (void)offset, (void)size;
    if (d->chr)
        chardev_fe_put(&d->fe, c);
}

static const struct io_ops debugcon_io = {
    .read = debugcon_read,
    .write = debugcon_write,
    .own_sizes = { 1, 1 },
};

static size_t can_receive(void *opaque)
{
    (void)opaque;
    return 0; /* nobody reads */
}

static const struct chardev_fe_ops debugcon_fe = { .can_receive = can_receive };

static bool debugcon_realize(struct device *dev, GError **err)
{
    struct debugcon *d = (struct debugcon *)dev;

    if (d->chr && !chardev_fe_attach(&d->fe, d->chr, &debugcon_fe, d, dev->path, err))
        return false;
    mem_region_init_io(&d->io, device_mem(dev), &debugcon_io, d, "isa-debugcon", 1);
    if (isa_add_ports(dev, &d->io, d->iobase, err))
        return true;
    mem_region_destroy(&d->io);
    chardev_fe_detach(&d->fe);
    return false;
}

static void debugcon_unrealize(struct device *dev)
{
    struct debugcon *d = (struct debugcon *)dev;

    mem_region_destroy(&d->io);
    chardev_fe_detach(&d->fe);
}

static const struct prop debugcon_props[] = {
    PROP_CHARDEV(struct debugcon, chr, "chardev", "where characters go"),
    PROP_U32(struct debugcon, iobase, "iobase", 0xe9, "its port"),
    PROP_U32(struct debugcon, readback, "readback", 0xe9, "what it reads as"), PROP_LIST_END
};

const struct device_type isa_debugcon_type = {
    .name = "isa-debugcon",
    .help = "port for firmware to print to",
    .bus = BUS_ISA,
    .size = sizeof(struct debugcon),
    .category = "misc",
    .realize = debugcon_realize,
    .unrealize = debugcon_unrealize,
    .props = debugcon_props,
};
