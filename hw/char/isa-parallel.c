/*
 * Parallel port of PCs (IBM PC Technical Reference, "Printer adapter"; bidirectional as in the
 * PS/2): characters that are strobed out go to the back end, whose printer is always ready.
 */
#include <base/error.h>
#include <chardev/chardev.h>
#include <hw/isa/isa.h>

#define PORTS 3
#define UNSET UINT32_MAX

enum { DATA = 0, STATUS = 1, CONTROL = 2 };

#define STATUS_READY     0xdf /* not busy, no acknowledge, paper, selected, no error; unused bits */
#define CONTROL_STROBE   0x01
#define CONTROL_INIT     0x04 /* low initialises the printer */
#define CONTROL_SELECT   0x08
#define CONTROL_IRQ      0x10
#define CONTROL_INPUT    0x20
#define CONTROL_WRITABLE 0x3f

static const uint16_t port_base[PORTS] = { 0x378, 0x278, 0x3bc };
static const uint8_t port_irq[PORTS] = { 7, 5, 7 };

struct parallel {
    struct device dev;
    struct mem_region io;
    struct irq_line irq;
    struct chardev *chr;
    struct chardev_fe fe;
    uint32_t index, iobase, irq_number;
    uint8_t data, control;
};

static uint64_t parallel_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct parallel *p = opaque;

    (void)size;
    switch (offset) {
    case DATA: return p->control & CONTROL_INPUT ? 0xff : p->data;
    case STATUS: return STATUS_READY;
    case CONTROL: return p->control | 0xc0;
    default: return 0xff;
    }
}

/* The printer takes the byte at the strobe's beginning and acknowledges at once. */
static void write_control(struct parallel *p, uint8_t v)
{
    bool strobed = v & ~p->control & CONTROL_STROBE;

    p->control = v & CONTROL_WRITABLE;
    if (!strobed || (p->control & CONTROL_INPUT))
        return;
    if (p->chr)
        chardev_fe_write(&p->fe, &p->data, 1);
    if (p->control & CONTROL_IRQ)
        irq_pulse(&p->irq);
}

static void parallel_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct parallel *p = opaque;

    (void)size;
    if (offset == DATA)
        p->data = (uint8_t)value;
    else if (offset == CONTROL)
        write_control(p, (uint8_t)value);
}

static const struct io_ops parallel_io = {
    .read = parallel_read,
    .write = parallel_write,
    .own_sizes = { 1, 1 },
};

static size_t can_receive(void *opaque)
{
    (void)opaque;
    return 0; /* printers do not talk */
}

static const struct chardev_fe_ops parallel_fe = { .can_receive = can_receive };

static bool choose(struct parallel *p, GError **err)
{
    if (p->index >= PORTS && (p->iobase == UNSET || p->irq_number == UNSET))
        return error_set(
            err, "isa-parallel: port %u has no usual place: give iobase= and irq=", p->index);
    if (p->iobase == UNSET)
        p->iobase = port_base[p->index];
    if (p->irq_number == UNSET)
        p->irq_number = port_irq[p->index];
    return true;
}

static void parallel_unrealize(struct device *dev)
{
    struct parallel *p = (struct parallel *)dev;

    mem_region_destroy(&p->io);
    chardev_fe_detach(&p->fe);
}

static bool parallel_realize(struct device *dev, GError **err)
{
    struct parallel *p = (struct parallel *)dev;

    if (!choose(p, err) ||
        (p->chr && !chardev_fe_attach(&p->fe, p->chr, &parallel_fe, p, dev->path, err)))
        return false;
    mem_region_init_io(&p->io, device_mem(dev), &parallel_io, p, "parallel", 4);
    device_irq_outs(dev, NULL, &p->irq, 1);
    if (isa_connect_irq(dev, 0, p->irq_number, err) && isa_add_ports(dev, &p->io, p->iobase, err))
        return true;
    parallel_unrealize(dev);
    return false;
}

static void parallel_reset(struct device *dev)
{
    struct parallel *p = (struct parallel *)dev;

    p->data = 0;
    p->control = CONTROL_INIT | CONTROL_SELECT;
    irq_lower(&p->irq);
}

static const struct state_field parallel_fields[] = { STATE_U8(struct parallel, data),
                                                      STATE_U8(struct parallel, control),
                                                      STATE_END };
static const struct state_table parallel_state = { .name = "isa-parallel",
                                                   .version = 1,
                                                   .fields = parallel_fields };

static const struct prop parallel_props[] = {
    PROP_CHARDEV(struct parallel, chr, "chardev", "where characters go"),
    PROP_U32(struct parallel, index, "index", 0, "0 to 2 for LPT1 to LPT3"),
    PROP_U32(struct parallel, iobase, "iobase", UNSET, "first of its 4 ports"),
    PROP_U32(struct parallel, irq_number, "irq", UNSET, "interrupt line"), PROP_LIST_END
};

const struct device_type isa_parallel_type = {
    .name = "isa-parallel",
    .help = "parallel port on the ISA bus",
    .bus = BUS_ISA,
    .size = sizeof(struct parallel),
    .category = "input",
    .realize = parallel_realize,
    .reset = parallel_reset,
    .unrealize = parallel_unrealize,
    .props = parallel_props,
    .state = &parallel_state,
};
