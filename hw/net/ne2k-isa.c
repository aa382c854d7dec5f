/* An NE2000 on the ISA bus. */
#include "ne2000.h"

#include <hw/isa/isa.h>

struct ne2k_isa {
    struct device dev;
    struct ne2000 ne;
    uint32_t iobase, irq;
};

static bool ne2k_realize(struct device *dev, GError **err)
{
    struct ne2k_isa *s = (struct ne2k_isa *)dev;

    if (!ne2000_init(&s->ne, dev, err))
        return false;
    device_irq_outs(dev, NULL, &s->ne.irq, 1);
    if (isa_connect_irq(dev, 0, s->irq, err) && isa_add_ports(dev, &s->ne.io, s->iobase, err))
        return true;
    ne2000_destroy(&s->ne);
    return false;
}

static void ne2k_unrealize(struct device *dev)
{
    ne2000_destroy(&((struct ne2k_isa *)dev)->ne);
}

static void ne2k_reset(struct device *dev)
{
    ne2000_reset(&((struct ne2k_isa *)dev)->ne);
}

static const struct state_field ne2k_fields[] = { STATE_STRUCT(struct ne2k_isa, ne, ne2000_state),
                                                  STATE_END };
static const struct state_table ne2k_state = { .name = "ne2k_isa",
                                               .version = 1,
                                               .fields = ne2k_fields };

static const struct prop ne2k_props[] = {
    NE2000_PROPS(struct ne2k_isa, ne),
    PROP_U32(struct ne2k_isa, iobase, "iobase", 0x300, "first of its 32 ports"),
    PROP_U32(struct ne2k_isa, irq, "irq", 9, "interrupt line"), PROP_LIST_END
};

const struct device_type ne2k_isa_type = {
    .name = "ne2k_isa",
    .help = "NE2000 on the ISA bus",
    .bus = BUS_ISA,
    .size = sizeof(struct ne2k_isa),
    .category = "network",
    .realize = ne2k_realize,
    .reset = ne2k_reset,
    .unrealize = ne2k_unrealize,
    .props = ne2k_props,
    .state = &ne2k_state,
};
