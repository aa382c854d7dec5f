/* An ISA bus by itself, as machines without PCI have it. Outputs: its 16 lines. */
#include <hw/isa/isa.h>

struct isa_bridge {
    struct device dev;
    struct isa_bus isa;
    struct irq_line out[ISA_IRQS];
};

struct isa_bus *isa_bridge_bus(struct device *bridge)
{
    return &((struct isa_bridge *)bridge)->isa;
}

static void drive_outputs(void *opaque, unsigned irq, bool level)
{
    const struct isa_bridge *b = opaque;

    irq_set(&b->out[irq], level);
}

static bool bridge_realize(struct device *dev, GError **err)
{
    struct isa_bridge *b = (struct isa_bridge *)dev;

    (void)err;
    device_irq_outs(dev, NULL, b->out, ISA_IRQS);
    isa_bus_init(&b->isa, dev, "isa.0", &dev->machine->io, &dev->machine->system);
    for (unsigned i = 0; i < ISA_IRQS; i++)
        isa_bus_wire(&b->isa, i, (struct irq_line){ drive_outputs, b, i });
    return true;
}

static void bridge_unrealize(struct device *dev)
{
    bus_destroy(&((struct isa_bridge *)dev)->isa.bus);
}

static const struct state_field bridge_fields[] = {
    STATE_STRUCT(struct isa_bridge, isa, isa_bus_state), STATE_END
};
static const struct state_table bridge_state = { .name = "isabus-bridge",
                                                 .version = 1,
                                                 .fields = bridge_fields };

const struct device_type isabus_bridge_type = {
    .name = "isabus-bridge",
    .help = "an ISA bus by itself",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct isa_bridge),
    .internal = true,
    .category = "bridge",
    .realize = bridge_realize,
    .unrealize = bridge_unrealize,
    .state = &bridge_state,
};
