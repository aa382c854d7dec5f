/*
 * pvpanic (Linux, include/uapi/misc/pvpanic.h): a byte by which a guest says that it panicked, on
 * the ISA bus at port 505h or in BAR 0 of PCI function 1b36:0011. Reads tell what can be said.
 */
#include <base/log.h>
#include <hw/isa/isa.h>
#include <hw/pci/pci.h>

#define PANICKED     0x01
#define CRASH_LOADED 0x02 /* a crash kernel takes over: the guest goes on */

static void written(struct machine *m, uint8_t events, uint8_t v)
{
    if (v & ~events)
        log_guest_error("pvpanic: event 0x%02x means nothing\n", v);
    if (v & events & PANICKED)
        machine_panicked(m);
}

/* ---- ISA ---- */

struct pvpanic_isa {
    struct device dev;
    struct mem_region io;
    uint32_t port;
    uint8_t events;
};

static uint64_t isa_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)offset, (void)size;
    return ((const struct pvpanic_isa *)opaque)->events;
}

static void isa_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    const struct pvpanic_isa *p = opaque;

    (void)offset, (void)size;
    written(p->dev.machine, p->events, (uint8_t)value);
}

static const struct io_ops isa_io = { .read = isa_read, .write = isa_write, .own_sizes = { 1, 1 } };

static bool isa_realize(struct device *dev, GError **err)
{
    struct pvpanic_isa *p = (struct pvpanic_isa *)dev;

    mem_region_init_io(&p->io, device_mem(dev), &isa_io, p, "pvpanic", 1);
    if (isa_add_ports(dev, &p->io, p->port, err))
        return true;
    mem_region_destroy(&p->io);
    return false;
}

static void isa_unrealize(struct device *dev)
{
    mem_region_destroy(&((struct pvpanic_isa *)dev)->io);
}

static const struct prop isa_props[] = {
    PROP_U32(struct pvpanic_isa, port, "ioport", 0x505, "its port"),
    PROP_U8(struct pvpanic_isa, events, "events", PANICKED | CRASH_LOADED, "what can be said",
            .max = PANICKED | CRASH_LOADED),
    PROP_LIST_END
};

const struct device_type pvpanic_type = {
    .name = "pvpanic",
    .help = "port by which a guest says that it panicked",
    .bus = BUS_ISA,
    .size = sizeof(struct pvpanic_isa),
    .category = "misc",
    .realize = isa_realize,
    .unrealize = isa_unrealize,
    .props = isa_props,
};

/* ---- PCI ---- */

struct pvpanic_pci {
    struct pci_device pci;
    struct mem_region io;
    uint8_t events;
};

static uint64_t pci_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return offset ? 0 : ((const struct pvpanic_pci *)opaque)->events;
}

static void pci_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    const struct pvpanic_pci *p = opaque;

    (void)size;
    if (!offset)
        written(p->pci.dev.machine, p->events, (uint8_t)value);
}

static const struct io_ops pci_io = { .read = pci_read, .write = pci_write, .own_sizes = { 1, 1 } };

static bool pci_realize(struct device *dev, GError **err)
{
    struct pvpanic_pci *p = (struct pvpanic_pci *)dev;

    (void)err;
    mem_region_init_io(&p->io, device_mem(dev), &pci_io, p, "pvpanic-pci", 16);
    pci_add_bar(&p->pci, 0, PCI_BAR_MEM32, &p->io);
    return true;
}

static void pci_unrealize(struct device *dev)
{
    mem_region_destroy(&((struct pvpanic_pci *)dev)->io);
}

static const struct prop pci_props[] = { PROP_U8(struct pvpanic_pci, events, "events",
                                                 PANICKED | CRASH_LOADED, "what can be said",
                                                 .max = PANICKED | CRASH_LOADED),
                                         PROP_LIST_END };

static const struct pci_info pvpanic_info = {
    .vendor = 0x1b36,
    .device = 0x0011,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .revision = 1,
    .class_code = { 0x00, 0x80, 0x08 },
};

const struct device_type pvpanic_pci_type = {
    .name = "pvpanic-pci",
    .help = "PCI function by which a guest says that it panicked",
    .bus = BUS_PCI,
    .size = sizeof(struct pvpanic_pci),
    .category = "misc",
    .realize = pci_realize,
    .unrealize = pci_unrealize,
    .props = pci_props,
    .bus_info = &pvpanic_info,
};
