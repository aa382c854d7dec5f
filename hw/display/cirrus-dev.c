/*
 * `cirrus-vga` and `isa-cirrus-vga`: the GD5446 on PCI (1013:00b8; display memory's apertures in
 * BAR 0, registers in BAR 1), and on ISA, with ports and window only.
 */
#include "cirrus.h"

#include <hw/isa/isa.h>
#include <hw/pci/pci.h>

#define CIRRUS_PROPS(type, field)                       \
    PROP_U32(type, field.vga.vgamem_mb, "vgamem_mb", 4, \
             "display memory in MiB: 2 to 16, a "       \
             "power of two",                            \
             .min = 2, .max = 16),                      \
        PROP_BOOL(type, field.blitter, "blitter", true, "with the BitBLT engine")

struct pci_cirrus {
    struct pci_device pci;
    struct cirrus cirrus;
};

static bool pci_cirrus_realize(struct device *dev, GError **err)
{
    struct pci_cirrus *p = (struct pci_cirrus *)dev;

    if (!cirrus_init(&p->cirrus, dev, true, err))
        return false;
    vga_place(&p->cirrus.vga, p->pci.bus->io, p->pci.bus->mmio);
    pci_add_bar(&p->pci, 0, PCI_BAR_MEM32 | PCI_BAR_PREFETCH, &p->cirrus.linear);
    pci_add_bar(&p->pci, 1, PCI_BAR_MEM32, &p->cirrus.mmio);
    return true;
}

static void pci_cirrus_unrealize(struct device *dev)
{
    cirrus_destroy(&((struct pci_cirrus *)dev)->cirrus);
}

static void pci_cirrus_reset(struct device *dev)
{
    cirrus_reset(&((struct pci_cirrus *)dev)->cirrus, true);
}

static const struct state_field pci_cirrus_fields[] = {
    STATE_STRUCT(struct pci_cirrus, cirrus, cirrus_state), STATE_END
};
static const struct state_table pci_cirrus_state = { .name = "cirrus-vga",
                                                     .version = 1,
                                                     .fields = pci_cirrus_fields };

static const struct prop pci_cirrus_props[] = { CIRRUS_PROPS(struct pci_cirrus, cirrus),
                                                PROP_LIST_END };

static const struct pci_info pci_cirrus_info = {
    .vendor = 0x1013,
    .device = 0x00b8,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .rom = "cirrus-bios.bin",
    .class_code = { 0x00, 0x00, 0x03 }, /* VGA-compatible display controller */
};

const struct device_type cirrus_vga_type = {
    .name = "cirrus-vga",
    .help = "Cirrus Logic GD5446 on PCI",
    .bus = BUS_PCI,
    .size = sizeof(struct pci_cirrus),
    .category = "display",
    .realize = pci_cirrus_realize,
    .reset = pci_cirrus_reset,
    .unrealize = pci_cirrus_unrealize,
    .props = pci_cirrus_props,
    .state = &pci_cirrus_state,
    .bus_info = &pci_cirrus_info,
};

struct isa_cirrus {
    struct device dev;
    struct cirrus cirrus;
};

static bool isa_cirrus_realize(struct device *dev, GError **err)
{
    struct isa_cirrus *p = (struct isa_cirrus *)dev;
    const struct isa_bus *b = isa_bus_of(dev);

    if (!vga_isa_place_bios(dev, "cirrus-bios.bin", err) ||
        !cirrus_init(&p->cirrus, dev, false, err))
        return false;
    vga_place(&p->cirrus.vga, b->io, b->mem);
    return true;
}

static void isa_cirrus_unrealize(struct device *dev)
{
    cirrus_destroy(&((struct isa_cirrus *)dev)->cirrus);
}

static void isa_cirrus_reset(struct device *dev)
{
    cirrus_reset(&((struct isa_cirrus *)dev)->cirrus, false);
}

static const struct state_field isa_cirrus_fields[] = {
    STATE_STRUCT(struct isa_cirrus, cirrus, cirrus_state), STATE_END
};
static const struct state_table isa_cirrus_state = { .name = "isa-cirrus-vga",
                                                     .version = 1,
                                                     .fields = isa_cirrus_fields };

static const struct prop isa_cirrus_props[] = { CIRRUS_PROPS(struct isa_cirrus, cirrus),
                                                PROP_LIST_END };

const struct device_type cirrus_isa_type = {
    .name = "isa-cirrus-vga",
    .help = "Cirrus Logic GD5430 on ISA",
    .bus = BUS_ISA,
    .size = sizeof(struct isa_cirrus),
    .category = "display",
    .realize = isa_cirrus_realize,
    .reset = isa_cirrus_reset,
    .unrealize = isa_cirrus_unrealize,
    .props = isa_cirrus_props,
    .state = &isa_cirrus_state,
};
