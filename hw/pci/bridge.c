/*
 * "pci-bridge": a PCI-to-PCI bridge (PCI-to-PCI Bridge Architecture 1.2, 3.2). What lies in its
 * windows, which firmware or the system chooses, passes to the bus behind.
 */
#include "private.h"

#include <base/bits.h>
#include <base/error.h>

enum {
    BUS_NUMBERS = 0x18, /* primary, secondary, subordinate, latency */
    IO_BASE = 0x1c,
    IO_LIMIT = 0x1d,
    SECONDARY_STATUS = 0x1e,
    MEM_BASE = 0x20,
    MEM_LIMIT = 0x22,
    PREF_BASE = 0x24,
    PREF_LIMIT = 0x26,
    PREF_BASE_HIGH = 0x28,
    PREF_LIMIT_HIGH = 0x2c,
    IO_BASE_HIGH = 0x30,
    IO_LIMIT_HIGH = 0x32,
    BRIDGE_CONTROL = 0x3e,
};

#define CONTROL_WRITABLE 0x00ff
#define CONTROL_RESET    0x0040
#define CAP_SLOT_ID      4 /* number of the chassis at 3 */
#define WINDOWS          3

struct bridge {
    struct pci_device pci;
    struct pci_bus bus;
    struct irq_line intx[4];
    struct mem_region mmio, io; /* addresses behind it, the same as before it */
    struct mem_region window[WINDOWS];
    bool placed[WINDOWS];
    uint8_t lines; /* levels of the bus behind */
    uint8_t chassis;
};

/* ---- windows ---- */

struct range {
    uint64_t first, last; /* nothing where last is less */
};

static struct range io_range(const uint8_t *c)
{
    return (struct range){ (uint64_t)(c[IO_BASE] & 0xf0) << 8,
                           (uint64_t)(c[IO_LIMIT] & 0xf0) << 8 | 0xfff };
}

static struct range mem_range(const uint8_t *c)
{
    return (struct range){ (uint64_t)(lduw_le(c + MEM_BASE) & 0xfff0) << 16,
                           (uint64_t)(lduw_le(c + MEM_LIMIT) & 0xfff0) << 16 | 0xfffff };
}

static struct range pref_range(const uint8_t *c)
{
    return (struct range){ (uint64_t)ldl_le(c + PREF_BASE_HIGH) << 32 |
                               (uint64_t)(lduw_le(c + PREF_BASE) & 0xfff0) << 16,
                           (uint64_t)ldl_le(c + PREF_LIMIT_HIGH) << 32 |
                               (uint64_t)(lduw_le(c + PREF_LIMIT) & 0xfff0) << 16 | 0xfffff };
}

static void place(struct bridge *b, unsigned n, struct mem_region *from, struct mem_region *to,
                  struct range r, bool on)
{
    struct mem_region *w = &b->window[n];

    if (b->placed[n])
        mem_region_destroy(w);
    b->placed[n] = on && r.first <= r.last;
    if (!b->placed[n])
        return;
    mem_region_init_alias(w, device_mem(&b->pci.dev), "pci-bridge-window", to, r.first,
                          r.last - r.first + 1);
    mem_region_add_priority(from, r.first, w, 1);
}

static void place_windows(struct bridge *b)
{
    const uint8_t *c = b->pci.config;
    uint16_t command = lduw_le(c + PCI_COMMAND);
    struct mem *mem = device_mem(&b->pci.dev);

    mem_begin(mem);
    place(b, 0, b->pci.bus->io, &b->io, io_range(c), command & PCI_COMMAND_IO);
    place(b, 1, b->pci.bus->mmio, &b->mmio, mem_range(c), command & PCI_COMMAND_MEMORY);
    place(b, 2, b->pci.bus->mmio, &b->mmio, pref_range(c), command & PCI_COMMAND_MEMORY);
    mem_end(mem);
}

static void bridge_written(struct pci_device *pd, unsigned offset, unsigned size)
{
    struct bridge *b = (struct bridge *)pd;

    b->bus.number = pd->config[BUS_NUMBERS + 1];
    b->bus.last = pd->config[BUS_NUMBERS + 2];
    place_windows(b);
    if (offset <= BRIDGE_CONTROL && offset + size > BRIDGE_CONTROL && b->pci.dev.realized &&
        (lduw_le(pd->config + BRIDGE_CONTROL) & CONTROL_RESET))
        for (unsigned i = 0; i < b->bus.bus.devices->len; i++)
            device_reset(g_ptr_array_index(b->bus.bus.devices, i));
}

static const struct pci_hooks bridge_hooks = { .written = bridge_written };

/* ---- interrupts: 9.1, pins are turned by the slot behind, and come out as the bridge's own ----
 */

static void pin_changed(void *opaque, unsigned n, bool level)
{
    struct bridge *b = opaque;

    if ((b->lines >> n & 1) == level)
        return;
    b->lines ^= (uint8_t)BIT(n);
    pci_pass_intx(&b->pci, n, level);
}

/* ---- life ---- */

static void init_header(struct bridge *b)
{
    uint8_t *c = b->pci.config, *w = b->pci.wmask;

    b->pci.hooks = &bridge_hooks;
    c[PCI_HEADER_TYPE] |= PCI_HEADER_BRIDGE;
    stw_le(c + PCI_STATUS, 0x02a0); /* 66 MHz, fast back-to-back, medium DEVSEL timing */
    stw_le(c + SECONDARY_STATUS, 0x02a0);
    stl_le(c + PCI_SUBVENDOR, 0); /* windows are there in this header */
    stl_le(w + BUS_NUMBERS, 0xffffffff);
    w[IO_BASE] = w[IO_LIMIT] = 0xf0;
    stw_le(w + MEM_BASE, 0xfff0);
    stw_le(w + MEM_LIMIT, 0xfff0);
    stw_le(c + PREF_BASE, 1); /* 64 bits wide */
    stw_le(c + PREF_LIMIT, 1);
    stw_le(w + PREF_BASE, 0xfff0);
    stw_le(w + PREF_LIMIT, 0xfff0);
    stl_le(w + PREF_BASE_HIGH, 0xffffffff);
    stl_le(w + PREF_LIMIT_HIGH, 0xffffffff);
    stw_le(w + BRIDGE_CONTROL, CONTROL_WRITABLE);
}

static bool bridge_realize(struct device *dev, GError **err)
{
    struct bridge *b = (struct bridge *)dev;
    g_autofree char *name = dev->id ? g_strdup(dev->id) : g_strdup_printf("pci.%02x", b->pci.devfn);

    unsigned cap;

    if (bus_find(dev->machine, name))
        return error_set(err, "pci-bridge: there is a bus '%s' already; give another id=", name);
    init_header(b);
    cap = pci_add_cap(&b->pci, CAP_SLOT_ID, 4);
    b->pci.config[cap + 3] = b->chassis;
    mem_region_init(&b->mmio, device_mem(dev), "pci-bridge-mmio", MEM_SIZE_ALL);
    mem_region_init(&b->io, device_mem(dev), "pci-bridge-io", 0x10000);
    for (unsigned i = 0; i < 4; i++)
        b->intx[i] = (struct irq_line){ pin_changed, b, i };
    pci_bus_init(&b->bus, dev, name, &b->mmio, &b->io, b->intx);
    return true;
}

static void bridge_unrealize(struct device *dev)
{
    struct bridge *b = (struct bridge *)dev;

    bus_destroy(&b->bus.bus);
    for (unsigned i = 0; i < WINDOWS; i++)
        if (b->placed[i])
            mem_region_destroy(&b->window[i]);
    mem_region_destroy(&b->io);
    mem_region_destroy(&b->mmio);
}

static const struct prop bridge_props[] = { PROP_U8(struct bridge, chassis, "chassis_nr", 0,
                                                    "number of the chassis that the slots are in"),
                                            PROP_LIST_END };

static const struct pci_info bridge_info = {
    .vendor = 0x1b36,
    .device = 0x0001,
    .class_code = { 0x00, 0x04, 0x06 },
};

const struct device_type pci_bridge_type = {
    .name = "pci-bridge",
    .help = "PCI-to-PCI bridge",
    .bus = BUS_PCI,
    .size = sizeof(struct bridge),
    .category = "bridge",
    .realize = bridge_realize,
    .unrealize = bridge_unrealize,
    .props = bridge_props,
    .bus_info = &bridge_info,
};
