/* An IDE channel on the ISA bus: no bus mastering. */
#include <base/error.h>
#include <hw/ide/ide.h>
#include <hw/isa/isa.h>

struct isa_ide {
    struct device dev;
    struct ide_bus bus;
    struct irq_line irq;
    uint32_t iobase, iobase2, irq_number;
};

static bool isa_ide_realize(struct device *dev, GError **err)
{
    struct isa_ide *ide = (struct isa_ide *)dev;
    g_autofree char *name = NULL;

    for (unsigned n = 0; !name; n++) {
        name = g_strdup_printf("ide.%u", n);
        if (bus_find(dev->machine, name))
            g_clear_pointer(&name, g_free);
    }
    device_irq_outs(dev, NULL, &ide->irq, 1);
    ide_bus_init(&ide->bus, dev, name, &ide->irq, NULL, NULL);
    if (isa_connect_irq(dev, 0, ide->irq_number, err) &&
        isa_add_ports(dev, &ide->bus.command, ide->iobase, err) &&
        isa_add_ports(dev, &ide->bus.control, ide->iobase2, err))
        return true;
    ide_bus_destroy(&ide->bus);
    return false;
}

static void isa_ide_unrealize(struct device *dev)
{
    ide_bus_destroy(&((struct isa_ide *)dev)->bus);
}

static void isa_ide_reset(struct device *dev)
{
    ide_bus_reset(&((struct isa_ide *)dev)->bus);
}

static const struct state_field isa_ide_fields[] = {
    STATE_STRUCT(struct isa_ide, bus, ide_bus_state), STATE_END
};
static const struct state_table isa_ide_state = { .name = "isa-ide",
                                                  .version = 1,
                                                  .fields = isa_ide_fields };

static const struct prop isa_ide_props[] = {
    PROP_U32(struct isa_ide, iobase, "iobase", 0x1f0, "eight ports"),
    PROP_U32(struct isa_ide, iobase2, "iobase2", 0x3f6, "the control port"),
    PROP_U32(struct isa_ide, irq_number, "irq", 14, "interrupt"), PROP_LIST_END
};

const struct device_type isa_ide_type = {
    .name = "isa-ide",
    .help = "IDE channel without DMA",
    .bus = BUS_ISA,
    .size = sizeof(struct isa_ide),
    .category = "storage",
    .realize = isa_ide_realize,
    .reset = isa_ide_reset,
    .unrealize = isa_ide_unrealize,
    .props = isa_ide_props,
    .state = &isa_ide_state,
};
