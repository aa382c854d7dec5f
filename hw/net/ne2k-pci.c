/* The Realtek 8029 (PCI 10ec:8029): an NE2000 in an I/O window. */
#include "ne2000.h"

#include <hw/pci/pci.h>

struct ne2k_pci {
    struct pci_device pci;
    struct ne2000 ne;
};

static void irq_changed(void *opaque, unsigned n, bool level)
{
    (void)n;
    pci_set_intx(opaque, level);
}

static bool ne2k_realize(struct device *dev, GError **err)
{
    struct ne2k_pci *p = (struct ne2k_pci *)dev;

    if (!ne2000_init(&p->ne, dev, err))
        return false;
    p->ne.irq = (struct irq_line){ irq_changed, &p->pci, 0 };
    pci_add_bar(&p->pci, 0, PCI_BAR_IO, &p->ne.io);
    return true;
}

static void ne2k_unrealize(struct device *dev)
{
    ne2000_destroy(&((struct ne2k_pci *)dev)->ne);
}

static void ne2k_reset(struct device *dev)
{
    ne2000_reset(&((struct ne2k_pci *)dev)->ne);
}

static const struct state_field ne2k_fields[] = { STATE_STRUCT(struct ne2k_pci, ne, ne2000_state),
                                                  STATE_END };
static const struct state_table ne2k_state = { .name = "ne2k_pci",
                                               .version = 1,
                                               .fields = ne2k_fields };

static const struct prop ne2k_props[] = { NE2000_PROPS(struct ne2k_pci, ne), PROP_LIST_END };

static const struct pci_info ne2k_info = {
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
    .size = sizeof(struct ne2k_pci),
    .category = "network",
    .realize = ne2k_realize,
    .reset = ne2k_reset,
    .unrealize = ne2k_unrealize,
    .props = ne2k_props,
    .state = &ne2k_state,
    .bus_info = &ne2k_info,
};
