/*
 * `VGA`, the card of -vga std: 1234:1111, display memory in BAR 0, registers in memory in BAR 2;
 * `secondary-vga`, the same without the ports and the window of the first; and `bochs-display`,
 * which has nothing but DISPI's linear modes.
 *
 * BAR 2: the monitor's EDID at 0, ports 0x3c0 to 0x3df at 0x400, DISPI's registers of 16 bits at
 * 0x500, at 0x600 the size of a block of its own and the frame buffer's byte order, which here is
 * always little.
 */
#include "vga.h"

#include <inttypes.h>
#include <base/error.h>
#include <hw/pci/pci.h>
#include "edid.h"

#define MMIO_SIZE  0x1000
#define MMIO_EDID  0x400 /* bytes of EDID's room, from 0 on */
#define MMIO_PORTS 0x400
#define MMIO_VBE   0x500
#define MMIO_OWN   0x600
#define OWN_SIZE   8
#define OWN_LITTLE 0x1e1e1e1e

struct pci_vga {
    struct pci_device pci;
    struct vga vga;
    bool edid_on; /* properties */
    uint64_t vgamem;
    struct edid_wish wish;
    uint8_t edid[EDID_SIZE];
    struct mem_region mmio, io_edid, io_ports, io_vbe, io_own;
};

static uint64_t edid_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct pci_vga *p = opaque;

    (void)size;
    return offset < EDID_SIZE ? p->edid[offset] : 0;
}

static void edid_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size; /* read-only */
}

static const struct io_ops edid_io = {
    .read = edid_read,
    .write = edid_write,
    .guest_sizes = { 1, 4 },
    .own_sizes = { 1, 1 },
    .unaligned = IO_UNALIGNED_SPLIT,
};

static uint64_t ports_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return vga_port_read(opaque, (uint16_t)(0x3c0 + offset));
}

static void ports_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    vga_port_write(opaque, (uint16_t)(0x3c0 + offset), (uint8_t)value);
}

static const struct io_ops ports_io = {
    .read = ports_read,
    .write = ports_write,
    .guest_sizes = { 1, 4 },
    .own_sizes = { 1, 1 },
    .unaligned = IO_UNALIGNED_SPLIT,
};

static uint64_t vbe_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return vga_vbe_read(opaque, (unsigned)offset / 2);
}

static void vbe_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    vga_vbe_write(opaque, (unsigned)offset / 2, (uint16_t)value);
}

static const struct io_ops vbe_io = {
    .read = vbe_read,
    .write = vbe_write,
    .guest_sizes = { 1, 4 },
    .own_sizes = { 2, 2 },
};

static uint64_t own_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)size;
    return offset ? OWN_LITTLE : OWN_SIZE;
}

static void own_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size;
}

static const struct io_ops own_io = {
    .read = own_read,
    .write = own_write,
    .guest_sizes = { 1, 4 },
    .own_sizes = { 4, 4 },
};

/* `ports`: with the VGA's. */
static void add_mmio(struct pci_vga *p, bool ports)
{
    struct mem *mem = device_mem(&p->pci.dev);

    mem_region_init(&p->mmio, mem, "vga.mmio", MMIO_SIZE);
    if (p->edid_on) {
        edid_make(&p->wish, p->edid);
        mem_region_init_io(&p->io_edid, mem, &edid_io, p, "edid", MMIO_EDID);
        mem_region_add(&p->mmio, 0, &p->io_edid);
    }
    if (ports) {
        mem_region_init_io(&p->io_ports, mem, &ports_io, &p->vga, "vga ports", 0x20);
        mem_region_add(&p->mmio, MMIO_PORTS, &p->io_ports);
    }
    mem_region_init_io(&p->io_vbe, mem, &vbe_io, &p->vga, "vbe", 2 * VBE_REGS);
    mem_region_add(&p->mmio, MMIO_VBE, &p->io_vbe);
    mem_region_init_io(&p->io_own, mem, &own_io, &p->vga, "own", OWN_SIZE);
    mem_region_add(&p->mmio, MMIO_OWN, &p->io_own);
    pci_add_bar(&p->pci, 2, PCI_BAR_MEM32, &p->mmio);
}

static bool realize(struct pci_vga *p, bool legacy, bool ports, GError **err)
{
    if (!vga_init(&p->vga, &p->pci.dev, err))
        return false;
    if (legacy)
        vga_place(&p->vga, p->pci.bus->io, p->pci.bus->mmio);
    pci_add_bar(&p->pci, 0, PCI_BAR_MEM32 | PCI_BAR_PREFETCH, &p->vga.vram);
    add_mmio(p, ports);
    return true;
}

static bool vga_realize(struct device *dev, GError **err)
{
    return realize((struct pci_vga *)dev, true, true, err);
}

static bool secondary_realize(struct device *dev, GError **err)
{
    return realize((struct pci_vga *)dev, false, true, err);
}

static bool bochs_realize(struct device *dev, GError **err)
{
    struct pci_vga *p = (struct pci_vga *)dev;

    if (p->vgamem % (1 << 20) || p->vgamem < 1 << 20 || p->vgamem > 256 << 20)
        return error_set(
            err, "bochs-display.vgamem: %" PRIu64 " is not a power of two of bytes from 1M to 256M",
            p->vgamem);
    p->vga.vgamem_mb = (uint32_t)(p->vgamem >> 20);
    p->vga.linear_only = true;
    return realize(p, false, false, err);
}

static void vga_unrealize(struct device *dev)
{
    struct pci_vga *p = (struct pci_vga *)dev;

    mem_region_destroy(&p->io_own);
    mem_region_destroy(&p->io_vbe);
    mem_region_destroy(&p->io_ports);
    mem_region_destroy(&p->io_edid);
    mem_region_destroy(&p->mmio);
    vga_destroy(&p->vga);
}

static void pci_vga_reset(struct device *dev)
{
    vga_reset(&((struct pci_vga *)dev)->vga);
}

static const struct state_field pci_vga_fields[] = { STATE_STRUCT(struct pci_vga, vga, vga_state),
                                                     STATE_END };
static const struct state_table pci_vga_state = { .name = "VGA",
                                                  .version = 1,
                                                  .fields = pci_vga_fields };

static const struct prop pci_vga_props[] = { VGA_PROPS(struct pci_vga, vga),
                                             EDID_PROPS(struct pci_vga, edid_on, wish),
                                             PROP_LIST_END };

static const struct prop bochs_props[] = {
    PROP_SIZE(struct pci_vga, vgamem, "vgamem", 16 << 20,
              "display memory in bytes, a power of two of MiB"),
    EDID_PROPS(struct pci_vga, edid_on, wish), PROP_LIST_END
};

static const struct pci_info pci_vga_info = {
    .vendor = 0x1234,
    .device = 0x1111,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .revision = 2,
    .rom = "vga-bios.bin",
    .class_code = { 0x00, 0x00, 0x03 }, /* VGA-compatible display controller */
};

/* A display controller, but not one that answers where VGAs do. */
static const struct pci_info other_info = {
    .vendor = 0x1234,
    .device = 0x1111,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .revision = 2,
    .class_code = { 0x00, 0x80, 0x03 },
};

const struct device_type vga_pci_type = {
    .name = "VGA",
    .help = "VGA with Bochs VBE on PCI",
    .bus = BUS_PCI,
    .size = sizeof(struct pci_vga),
    .category = "display",
    .realize = vga_realize,
    .reset = pci_vga_reset,
    .unrealize = vga_unrealize,
    .props = pci_vga_props,
    .state = &pci_vga_state,
    .bus_info = &pci_vga_info,
};

const struct device_type secondary_vga_type = {
    .name = "secondary-vga",
    .help = "VGA with Bochs VBE on PCI, by its BARs only",
    .bus = BUS_PCI,
    .size = sizeof(struct pci_vga),
    .category = "display",
    .realize = secondary_realize,
    .reset = pci_vga_reset,
    .unrealize = vga_unrealize,
    .props = pci_vga_props,
    .state = &pci_vga_state,
    .bus_info = &other_info,
};

const struct device_type bochs_display_type = {
    .name = "bochs-display",
    .help = "linear frame buffer with Bochs VBE on PCI",
    .bus = BUS_PCI,
    .size = sizeof(struct pci_vga),
    .category = "display",
    .realize = bochs_realize,
    .reset = pci_vga_reset,
    .unrealize = vga_unrealize,
    .props = bochs_props,
    .state = &pci_vga_state,
    .bus_info = &other_info,
};
