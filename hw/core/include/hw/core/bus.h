/*
 * Buses: what devices plug into. A bus belongs to a device (or is the machine's root) and is of a
 * type that knows how its devices are addressed, set up and printed.
 *
 *     const struct bus_type pci_bus_type = { .name = "PCI", .attach = pci_attach, ... };
 *     #define BUS_PCI (&pci_bus_type)
 *
 * Device lock throughout.
 */
#ifndef HW_CORE_BUS_H
#define HW_CORE_BUS_H

#include <hw/core/device.h>

struct bus_type {
    const char *name; /* "PCI", "ISA", "System" */
    /* Properties and state that every device on such a bus has, beside its own. Offsets count from
     * the start of the device struct. */
    const struct prop *dev_props;
    const struct state_table *dev_state;
    /* Before the device's realize: takes an address (checks `addr=`), sets up common parts. NULL:
     * nothing to do. */
    bool (*attach)(struct bus *bus, struct device *dev, GError **err);
    /* After the device's realize: may still refuse (a PCI function without its function 0). */
    bool (*attached)(struct bus *bus, struct device *dev, GError **err);
    /* After the device's unrealize, or its failed realize. */
    void (*detach)(struct bus *bus, struct device *dev);
    /* Before the device's own reset. */
    void (*reset_device)(struct device *dev);
    /* A device's address on the bus ("00.2"); to be freed. NULL function or result: none. */
    char *(*address)(const struct device *dev);
    /* A line or more for `info qtree`, indented by `indent`. */
    void (*print)(const struct device *dev, unsigned indent, GString *out);
    /* Ceiling of devices on one bus, 0 for none. */
    unsigned max_devices;
    bool hotplug; /* device_add while running, on every bus of the type */
};

/* What brings plugging on one bus to the guest, which has a say in it. Device lock. */
struct hotplug {
    /* The device is there since now. */
    void (*plugged)(struct device *dev, void *opaque);
    /* Asks the guest to do without it: device_unplug() follows when it does. */
    bool (*ask)(struct device *dev, void *opaque, GError **err);
    void *opaque;
};

struct bus {
    const struct bus_type *type;
    char *name; /* unique in the machine: "pcie.0" */
    struct machine *machine;
    struct device *parent;         /* NULL: the machine's root */
    GPtrArray *devices;            /* of struct device, in order */
    bool full;                     /* takes no more: the owner says so */
    const struct hotplug *hotplug; /* the owner's; NULL: as the type says */
};

/* Devices that boards place by address. */
extern const struct bus_type system_bus_type;
#define BUS_SYSTEM (&system_bus_type)

/* A bus of `parent`, which owns it from then on: it goes with the device. May be embedded in a
 * bigger struct: bus_init() for those; the owner then calls bus_destroy() in unrealize. */
void bus_init(struct bus *bus, const struct bus_type *type, struct machine *m,
              struct device *parent, const char *name);
/* Removes all devices on it first. */
void bus_destroy(struct bus *bus);

/* By name; NULL when there is none. */
struct bus *bus_find(struct machine *m, const char *name);
/* The first bus of a type with room; NULL with err set. */
struct bus *bus_find_room(struct machine *m, const struct bus_type *type, const char *what,
                          GError **err);

/* Depth first over all devices; stops and returns false when fn does. */
bool bus_walk(struct bus *bus, bool (*fn)(struct device *dev, void *opaque), void *opaque);

/* `info qtree`. */
void bus_print_tree(struct bus *bus, GString *out);

#endif
