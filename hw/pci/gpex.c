/*
 * A generic PCI Express host bridge: memory-mapped configuration space (ECAM, PCI Express 5.0,
 * 7.2.2), windows for memory and I/O, four interrupt lines.
 *
 * Regions for the board: 0 is ECAM, 1 the window below 4 GiB, 2 the one above, 3 that for I/O.
 * The windows show PCI addresses equal to where the properties say that they lie.
 */
#include <hw/pci/pci.h>

#include <base/error.h>

#define ECAM_BUS (1 << 20) /* bytes for each bus */
#define IO_SIZE  0x10000

struct gpex {
    struct device dev;
    struct pci_bus bus;
    struct irq_line intx[4];
    struct mem_region mmio, io; /* PCI's own addresses */
    struct mem_region ecam, low, high, pio;
    uint64_t ecam_size, low_base, low_size, high_base, high_size;
};

/* offset: bus 27..20, function 19..12, register 11..0 */
static uint32_t where(uint64_t offset)
{
    uint32_t reg = offset & 0xfff;

    return (uint32_t)(offset >> 12 << 8) | (reg & 0xff);
}

/* Without the extended space of PCI Express: it reads as an empty list. */
static bool is_extended(uint64_t offset)
{
    return (offset & 0xfff) >= PCI_CONFIG_SIZE;
}

static uint64_t ecam_read(void *opaque, uint64_t offset, unsigned size)
{
    struct gpex *g = opaque;

    return is_extended(offset) ? 0 : pci_config_read(&g->bus, where(offset), size);
}

static void ecam_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct gpex *g = opaque;

    if (!is_extended(offset))
        pci_config_write(&g->bus, where(offset), size, (uint32_t)value);
}

static const struct io_ops ecam_io = {
    .read = ecam_read, .write = ecam_write, .guest_sizes = { 1, 8 }, .own_sizes = { 1, 4 }
};

static void destroy_regions(struct gpex *g)
{
    mem_region_destroy(&g->pio);
    mem_region_destroy(&g->high);
    mem_region_destroy(&g->low);
    mem_region_destroy(&g->ecam);
    mem_region_destroy(&g->io);
    mem_region_destroy(&g->mmio);
}

static bool gpex_realize(struct device *dev, GError **err)
{
    struct gpex *g = (struct gpex *)dev;
    struct mem *mem = device_mem(dev);

    if (!g->ecam_size || g->ecam_size % ECAM_BUS || !g->low_size || !g->high_size)
        return error_set(err, "%s: sizes of its windows are missing", dev->type->name);
    mem_region_init(&g->mmio, mem, "pci-mmio", MEM_SIZE_ALL);
    mem_region_init(&g->io, mem, "pci-io", IO_SIZE);
    mem_region_init_io(&g->ecam, mem, &ecam_io, g, "pcie-ecam", g->ecam_size);
    mem_region_init_alias(&g->low, mem, "pcie-mmio", &g->mmio, g->low_base, g->low_size);
    mem_region_init_alias(&g->high, mem, "pcie-mmio-high", &g->mmio, g->high_base, g->high_size);
    mem_region_init_alias(&g->pio, mem, "pcie-pio", &g->io, 0, IO_SIZE);
    device_add_region(dev, &g->ecam);
    device_add_region(dev, &g->low);
    device_add_region(dev, &g->high);
    device_add_region(dev, &g->pio);
    device_irq_outs(dev, NULL, g->intx, 4);
    pci_bus_init(&g->bus, dev, "pcie.0", &g->mmio, &g->io, g->intx);
    /* the bridge itself is function 00.0 */
    if (device_realize(
            device_new(dev->machine, device_type_find("gpex", "gpex-root", NULL), "gpex-root"),
            &g->bus.bus, err))
        return true;
    bus_destroy(&g->bus.bus);
    destroy_regions(g);
    return false;
}

static void gpex_unrealize(struct device *dev)
{
    struct gpex *g = (struct gpex *)dev;

    bus_destroy(&g->bus.bus);
    destroy_regions(g);
}

static const struct prop gpex_props[] = {
    PROP_SIZE(struct gpex, ecam_size, "ecam-size", 256 << 20, "bytes of configuration space"),
    PROP_U64(struct gpex, low_base, "low-base", 0, "address of the window below 4 GiB"),
    PROP_SIZE(struct gpex, low_size, "low-size", 0, "its bytes"),
    PROP_U64(struct gpex, high_base, "high-base", 0, "address of the window above"),
    PROP_SIZE(struct gpex, high_size, "high-size", 0, "its bytes"),
    PROP_LIST_END
};

const struct device_type gpex_pcihost_type = {
    .name = "gpex-pcihost",
    .help = "PCI Express host bridge",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct gpex),
    .internal = true,
    .category = "bridge",
    .realize = gpex_realize,
    .unrealize = gpex_unrealize,
    .props = gpex_props,
};

static const struct pci_info root_info = {
    .vendor = 0x1b36,
    .device = 0x0008,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = { 0x00, 0x00, 0x06 },
};

const struct device_type gpex_root_type = {
    .name = "gpex-root",
    .help = "function of the PCI Express host bridge",
    .bus = BUS_PCI,
    .size = sizeof(struct pci_device),
    .internal = true,
    .category = "bridge",
    .bus_info = &root_info,
};
