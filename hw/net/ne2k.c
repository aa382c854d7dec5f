/* NE2000 cards: the one on the ISA bus, and the Realtek 8029 (PCI 10ec:8029), an NE2000 in an I/O
 * window. */
#include "ne2000.h"
#include "nic.h"

#include <hw/isa/isa.h>
#include <hw/pci/pci.h>

struct ne2k {
    union {
        struct device dev;
        struct pci_device pci;
    };
    struct ne2000 ne;
    uint32_t iobase, irq; /* on ISA */
};

static bool isa_realize(struct device *dev, GError **err)
{
    struct ne2k *s = (struct ne2k *)dev;

    if (!ne2000_init(&s->ne, dev, err))
        return false;
    device_irq_outs(dev, NULL, &s->ne.irq, 1);
    if (isa_connect_irq(dev, 0, s->irq, err) && isa_add_ports(dev, &s->ne.io, s->iobase, err))
        return true;
    ne2000_destroy(&s->ne);
    return false;
}

static void irq_changed(void *opaque, unsigned n, bool level)
{
    (void)n;
    pci_set_intx(opaque, level);
}

static bool pci_realize(struct device *dev, GError **err)
{
    struct ne2k *s = (struct ne2k *)dev;

    if (!ne2000_init(&s->ne, dev, err))
        return false;
    s->ne.irq = (struct irq_line){ irq_changed, &s->pci, 0 };
    pci_add_bar(&s->pci, 0, PCI_BAR_IO, &s->ne.io);
    return true;
}

static void ne2k_unrealize(struct device *dev)
{
    ne2000_destroy(&((struct ne2k *)dev)->ne);
}

static void ne2k_reset(struct device *dev)
{
    ne2000_reset(&((struct ne2k *)dev)->ne);
}

static const struct state_field ne2k_fields[] = { STATE_STRUCT(struct ne2k, ne, ne2000_state),
                                                  STATE_END };
static const struct state_table ne2k_state = { .name = "ne2k",
                                               .version = 1,
                                               .fields = ne2k_fields };

static const struct prop isa_props[] = {
    NIC_PROPS(struct ne2k, ne.netdev, ne.mac),
    PROP_U32(struct ne2k, iobase, "iobase", 0x300, "first of its 32 ports"),
    PROP_U32(struct ne2k, irq, "irq", 9, "interrupt line"), PROP_LIST_END
};

const struct device_type ne2k_isa_type = {
    .name = "ne2k_isa",
    .help = "NE2000 on the ISA bus",
    .bus = BUS_ISA,
    .size = sizeof(struct ne2k),
    .category = "network",
    .realize = isa_realize,
    .reset = ne2k_reset,
    .unrealize = ne2k_unrealize,
    .props = isa_props,
    .state = &ne2k_state,
};

static const struct prop pci_props[] = { NIC_PROPS(struct ne2k, ne.netdev, ne.mac), PROP_LIST_END };

static const struct pci_info ne2k_info = {
    .rom = "efi-ne2k_pci.rom",
    .vendor = 0x10ec,
    .device = 0x8029,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = { 0x00, 0x00, 0x02 }, /* Ethernet controller */
    .pin = 1,
};

const struct device_type ne2k_pci_type = {
    .name = "ne2k_pci",
    .help = "NE2000 on PCI (Realtek 8029)",
    .bus = BUS_PCI,
    .size = sizeof(struct ne2k),
    .category = "network",
    .realize = pci_realize,
    .reset = ne2k_reset,
    .unrealize = ne2k_unrealize,
    .props = pci_props,
    .state = &ne2k_state,
    .bus_info = &ne2k_info,
};
