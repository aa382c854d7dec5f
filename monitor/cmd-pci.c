/*
 * query-pci and info pci: functions of each PCI bus as the guest finds them, what its firmware or
 * system gave them included.
 */
#include <inttypes.h>
#include <base/bits.h>
#include <hw/pci/pci.h>
#include "command.h"

enum {
    BUS_NUMBERS = 0x18, /* primary, secondary, subordinate */
    PREFETCH_HIGH = 0x28,
};

/* PCI Code and ID Assignment: names of class and subclass; @others are bits that do not count. */
static const struct {
    uint16_t class, others;
    const char *name;
} class_names[] = {
    { 0x0101, 0, "IDE controller" },
    { 0x0106, 0, "SATA controller" },
    { 0x0100, 0, "SCSI controller" },
    { 0x0100, 0xff, "Storage controller" },
    { 0x0200, 0, "Ethernet controller" },
    { 0x0200, 0xff, "Network controller" },
    { 0x0300, 0, "VGA controller" },
    { 0x0300, 0xff, "Display controller" },
    { 0x0403, 0, "Audio controller" },
    { 0x0500, 0, "RAM controller" },
    { 0x0600, 0, "Host bridge" },
    { 0x0601, 0, "ISA bridge" },
    { 0x0604, 0, "PCI bridge" },
    { 0x0600, 0xff, "Bridge" },
    { 0x0700, 0, "Serial port" },
    { 0x0c03, 0, "USB controller" },
    { 0x0c05, 0, "SMBus" },
};

static const char *class_name(unsigned class)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(class_names); i++)
        if ((class & ~(unsigned)class_names[i].others) == class_names[i].class)
            return class_names[i].name;
    return NULL;
}

/* ---- One function ---- */

static const struct mon_member class_members[] = {
    OPTIONAL("desc", &mon_str),
    MEMBER("class", &mon_int),
    { 0 },
};
static const struct mon_type class_info = OBJECT_TYPE("PciDeviceClass", class_members);

static const struct mon_member id_members[] = {
    MEMBER("device", &mon_int),
    MEMBER("vendor", &mon_int),
    OPTIONAL("subsystem", &mon_int),
    OPTIONAL("subsystem-vendor", &mon_int),
    { 0 },
};
static const struct mon_type id_info = OBJECT_TYPE("PciDeviceId", id_members);

static const struct mon_member region_members[] = {
    MEMBER("bar", &mon_int),
    MEMBER("type", &mon_str),
    MEMBER("address", &mon_int),
    MEMBER("size", &mon_int),
    OPTIONAL("prefetch", &mon_bool),
    OPTIONAL("mem_type_64", &mon_bool),
    { 0 },
};
static const struct mon_type region_info = OBJECT_TYPE("PciMemoryRegion", region_members);
static const struct mon_type region_list = ARRAY_TYPE("[PciMemoryRegion]", &region_info);

static bool is_bridge(const struct pci_device *pd)
{
    return (pd->config[PCI_HEADER_TYPE] & 0x7f) == PCI_HEADER_BRIDGE;
}

static unsigned class_of(const struct pci_device *pd)
{
    return lduw_le(pd->config + PCI_CLASS + 1);
}

static json_t *describe_class(const struct pci_device *pd)
{
    unsigned class = class_of(pd);
    json_t *entry = json_pack("{s:i}", "class", (int)class);

    if (class_name(class))
        json_object_set_new(entry, "desc", json_string(class_name(class)));
    return entry;
}

static json_t *describe_id(const struct pci_device *pd)
{
    const uint8_t *c = pd->config;
    json_t *entry = json_pack("{s:i, s:i}", "device", (int)lduw_le(c + PCI_DEVICE), "vendor",
                              (int)lduw_le(c + PCI_VENDOR));

    if (!is_bridge(pd)) {
        json_object_set_new(entry, "subsystem", json_integer(lduw_le(c + PCI_SUBDEVICE)));
        json_object_set_new(entry, "subsystem-vendor", json_integer(lduw_le(c + PCI_SUBVENDOR)));
    }
    return entry;
}

static json_t *describe_regions(const struct pci_device *pd)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < PCI_BARS_COUNT; i++) {
        const struct pci_bar *b = &pd->bars[i];
        uint64_t addr;
        json_t *entry;

        if (!b->region)
            continue;
        entry = json_pack("{s:i, s:s, s:I, s:I}", "bar", (int)i, "type",
                          b->flags & PCI_BAR_IO ? "io" : "memory", "address",
                          pci_bar_addr(pd, i, &addr) ? (json_int_t)addr : (json_int_t)-1, "size",
                          (json_int_t)b->region->size);
        if (!(b->flags & PCI_BAR_IO)) {
            json_object_set_new(entry, "prefetch", json_boolean(b->flags & PCI_BAR_PREFETCH));
            json_object_set_new(entry, "mem_type_64", json_boolean(b->flags & PCI_BAR_MEM64));
        }
        json_array_append_new(list, entry);
    }
    return list;
}

/* ---- Bridges ---- */

static const struct mon_member range_members[] = {
    MEMBER("base", &mon_int),
    MEMBER("limit", &mon_int),
    { 0 },
};
static const struct mon_type range_info = OBJECT_TYPE("PciMemoryRange", range_members);

static const struct mon_member numbers_members[] = {
    MEMBER("number", &mon_int),
    MEMBER("secondary", &mon_int),
    MEMBER("subordinate", &mon_int),
    MEMBER("io_range", &range_info),
    MEMBER("memory_range", &range_info),
    MEMBER("prefetchable_range", &range_info),
    { 0 },
};
static const struct mon_type numbers_info = OBJECT_TYPE("PciBusInfo", numbers_members);

static const struct mon_type device_list;
static const struct mon_member bridge_members[] = {
    MEMBER("bus", &numbers_info),
    OPTIONAL("devices", &device_list),
    { 0 },
};
static const struct mon_type bridge_info = OBJECT_TYPE("PciBridgeInfo", bridge_members);

/* Of a window's two registers: bits 15 to 4 of each are its address's from bit 20 on. */
static json_t *describe_window(const uint8_t *c, unsigned at, uint64_t base_high,
                               uint64_t limit_high)
{
    uint64_t base = base_high << 32 | (uint64_t)(lduw_le(c + at) & 0xfff0) << 16;
    uint64_t limit = limit_high << 32 | (uint64_t)(lduw_le(c + at + 2) & 0xfff0) << 16 | 0xfffff;

    return json_pack("{s:I, s:I}", "base", (json_int_t)base, "limit", (json_int_t)limit);
}

static json_t *describe_numbers(const uint8_t *c)
{
    return json_pack("{s:i, s:i, s:i, s:{s:i, s:i}, s:o, s:o}", "number", (int)c[BUS_NUMBERS],
                     "secondary", (int)c[BUS_NUMBERS + 1], "subordinate", (int)c[BUS_NUMBERS + 2],
                     "io_range", "base", (c[PCI_IO_WINDOW] & 0xf0) << 8, "limit",
                     (c[PCI_IO_WINDOW + 1] & 0xf0) << 8 | 0xfff, "memory_range",
                     describe_window(c, PCI_MEMORY_WINDOW, 0, 0), "prefetchable_range",
                     describe_window(c, PCI_PREFETCH_WINDOW, ldl_le(c + PREFETCH_HIGH),
                                     ldl_le(c + PREFETCH_HIGH + 4)));
}

static json_t *describe_devices(const struct pci_bus *bus, unsigned number);

static bool add_bus_behind(struct device *dev, void *opaque)
{
    json_t *bridge = opaque;
    struct pci_device *pd = (struct pci_device *)dev;

    if (dev->type->bus == BUS_PCI && !json_object_get(bridge, "devices"))
        json_object_set_new(bridge, "devices", describe_devices(pd->bus, pd->bus->number));
    return true;
}

static json_t *describe_bridge(const struct pci_device *pd)
{
    json_t *entry = json_pack("{s:o}", "bus", describe_numbers(pd->config));

    for (unsigned i = 0; i < pd->dev.buses->len; i++)
        bus_walk(g_ptr_array_index(pd->dev.buses, i), add_bus_behind, entry);
    return entry;
}

/* ---- All ---- */

static const struct mon_member device_members[] = {
    MEMBER("bus", &mon_int),
    MEMBER("slot", &mon_int),
    MEMBER("function", &mon_int),
    MEMBER("class_info", &class_info),
    MEMBER("id", &id_info),
    OPTIONAL("irq", &mon_int),
    MEMBER("irq_pin", &mon_int),
    MEMBER("qdev_id", &mon_str),
    OPTIONAL("pci_bridge", &bridge_info),
    MEMBER("regions", &region_list),
    { 0 },
};
static const struct mon_type device_info = OBJECT_TYPE("PciDeviceInfo", device_members);
static const struct mon_type device_list = ARRAY_TYPE("[PciDeviceInfo]", &device_info);

static const struct mon_member bus_members[] = {
    MEMBER("bus", &mon_int),
    MEMBER("devices", &device_list),
    { 0 },
};
static const struct mon_type bus_info = OBJECT_TYPE("PciInfo", bus_members);
static const struct mon_type bus_list = ARRAY_TYPE("[PciInfo]", &bus_info);

static json_t *describe_device(const struct pci_device *pd, unsigned number)
{
    unsigned pin = pd->config[PCI_IRQ_PIN];
    json_t *entry =
        json_pack("{s:i, s:i, s:i, s:o, s:o, s:i, s:s, s:o}", "bus", (int)number, "slot",
                  (int)PCI_SLOT(pd->devfn), "function", (int)PCI_FUNC(pd->devfn), "class_info",
                  describe_class(pd), "id", describe_id(pd), "irq_pin", (int)pin, "qdev_id",
                  pd->dev.id ? pd->dev.id : "", "regions", describe_regions(pd));

    if (pin)
        json_object_set_new(entry, "irq", json_integer(pd->config[PCI_IRQ_LINE]));
    if (is_bridge(pd))
        json_object_set_new(entry, "pci_bridge", describe_bridge(pd));
    return entry;
}

static json_t *describe_devices(const struct pci_bus *bus, unsigned number)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < PCI_FUNCTIONS; i++)
        if (bus->at[i])
            json_array_append_new(list, describe_device(bus->at[i], number));
    return list;
}

/* A bus that is not behind a bridge is shown with the first of its functions. */
static bool add_root_bus(struct device *dev, void *opaque)
{
    const struct pci_bus *bus = ((struct pci_device *)dev)->bus;

    if (dev->type->bus == BUS_PCI && bus->bus.parent->type->bus != BUS_PCI &&
        dev == g_ptr_array_index(bus->bus.devices, 0))
        json_array_append_new(opaque, json_pack("{s:i, s:o}", "bus", (int)bus->number, "devices",
                                                describe_devices(bus, bus->number)));
    return true;
}

static json_t *query_pci(struct mon *mon, const json_t *args, GError **err)
{
    json_t *list = json_array();

    (void)args, (void)err;
    bus_walk(&mon->machine->root, add_root_bus, list);
    return list;
}

/* ---- For people ---- */

static int64_t number(const json_t *of, const char *name)
{
    return json_integer_value(json_object_get(of, name));
}

static void print_region(const json_t *r, GString *out)
{
    bool io = !json_object_get(r, "prefetch");

    g_string_append_printf(out, "      BAR%d: ", (int)number(r, "bar"));
    if (io)
        g_string_append(out, "I/O");
    else
        g_string_append_printf(out, "%d bit %smemory",
                               json_is_true(json_object_get(r, "mem_type_64")) ? 64 : 32,
                               json_is_true(json_object_get(r, "prefetch")) ? "prefetchable " : "");
    if (number(r, "address") < 0)
        g_string_append_printf(out, ", %#" PRIx64 " bytes, not placed.\n", number(r, "size"));
    else
        g_string_append_printf(out,
                               io ? " at 0x%04" PRIx64 " [0x%04" PRIx64 "].\n"
                                  : " at 0x%08" PRIx64 " [0x%08" PRIx64 "].\n",
                               number(r, "address"), number(r, "address") + number(r, "size") - 1);
}

static void print_devices(const json_t *devices, GString *out);

static void print_range(const json_t *bus, const char *key, const char *name, GString *out)
{
    const json_t *range = json_object_get(bus, key);

    g_string_append_printf(out, "      %s range [0x%04" PRIx64 ", 0x%04" PRIx64 "]\n", name,
                           number(range, "base"), number(range, "limit"));
}

static void print_bridge(const json_t *bridge, GString *out)
{
    const json_t *bus = json_object_get(bridge, "bus");

    g_string_append_printf(
        out, "      BUS %d.\n      secondary bus %d.\n      subordinate bus %d.\n",
        (int)number(bus, "number"), (int)number(bus, "secondary"), (int)number(bus, "subordinate"));
    print_range(bus, "io_range", "IO", out);
    print_range(bus, "memory_range", "memory", out);
    print_range(bus, "prefetchable_range", "prefetchable memory", out);
}

static void print_device(const json_t *d, GString *out)
{
    const json_t *class = json_object_get(d, "class_info"), *id = json_object_get(d, "id"), *r;
    const char *desc = json_string_value(json_object_get(class, "desc"));
    unsigned pin = (unsigned)number(d, "irq_pin");
    size_t i;

    g_string_append_printf(out, "  Bus %2d, device %3d, function %d:\n    ", (int)number(d, "bus"),
                           (int)number(d, "slot"), (int)number(d, "function"));
    if (desc)
        g_string_append(out, desc);
    else
        g_string_append_printf(out, "Class %04x", (unsigned)number(class, "class"));
    g_string_append_printf(out, ": PCI device %04x:%04x\n", (unsigned)number(id, "vendor"),
                           (unsigned)number(id, "device"));
    if (json_object_get(id, "subsystem"))
        g_string_append_printf(out, "      PCI subsystem %04x:%04x\n",
                               (unsigned)number(id, "subsystem-vendor"),
                               (unsigned)number(id, "subsystem"));
    if (pin)
        g_string_append_printf(out, "      IRQ %d, pin %c\n", (int)number(d, "irq"), 'A' + pin - 1);
    if (json_object_get(d, "pci_bridge"))
        print_bridge(json_object_get(d, "pci_bridge"), out);
    json_array_foreach(json_object_get(d, "regions"), i, r)
    {
        print_region(r, out);
    }
    g_string_append_printf(out, "      id \"%s\"\n",
                           json_string_value(json_object_get(d, "qdev_id")));
    print_devices(json_object_get(json_object_get(d, "pci_bridge"), "devices"), out);
}

static void print_devices(const json_t *devices, GString *out)
{
    const json_t *d;
    size_t i;

    json_array_foreach(devices, i, d)
    {
        print_device(d, out);
    }
}

static bool info_pci(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    json_t *list = query_pci(mon, args, err);
    const json_t *bus;
    size_t i;

    json_array_foreach(list, i, bus)
    {
        print_devices(json_object_get(bus, "devices"), out);
    }
    if (!json_array_size(list))
        g_string_append(out, "there is no PCI bus\n");
    json_decref(list);
    return true;
}

const struct mon_command pci_commands[] = {
    { .qmp = "query-pci",
      .run = query_pci,
      .ret = &bus_list,
      .hmp = "info pci",
      .text = info_pci,
      .help = "show PCI buses and what is on them" },
    { 0 },
};
