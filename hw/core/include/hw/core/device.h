/*
 * Devices: C structs behind a constant type that names properties, state and life.
 *
 *     struct uart { struct device dev; struct irq_line irq; ... };       dev is the first member
 *     const struct device_type uart16550_type = {
 *         .name = "uart16550", .bus = BUS_SYSTEM, .size = sizeof(struct uart), .help = "...",
 *         .realize = uart_realize, .reset = uart_reset, .unrealize = uart_unrealize,
 *         .props = uart_props, .state = &uart_state,
 *     };
 *
 * Life: device_new() (zeroed, properties at their defaults) -> properties -> device_realize() ->
 * resets, accesses -> device_remove(). Everything here wants the device lock.
 *
 * To add a device: a file in hw/<class>/ with its type `name_type`, and a line DEVICE(name) in
 * hw/devices.def.
 */
#ifndef HW_CORE_DEVICE_H
#define HW_CORE_DEVICE_H

#include <mem/region.h>
#include <hw/core/irq.h>
#include <hw/core/state.h>

struct bus;
struct bus_type;
struct device;
struct loop;
struct machine;
struct opts;

enum prop_kind {
    PROP_END = 0,
    PROP_BOOL,      /* bool */
    PROP_U8,        /* uint8_t */
    PROP_U16,       /* uint16_t */
    PROP_U32,       /* uint32_t */
    PROP_U64,       /* uint64_t */
    PROP_I64,       /* int64_t */
    PROP_SIZE,      /* uint64_t; bytes with K, M, G, T */
    PROP_STR,       /* char *, owned by the device, NULL when unset */
    PROP_ENUM,      /* int; index of `names` */
    PROP_ONOFFAUTO, /* int; enum on_off_auto */
    PROP_MAC,       /* struct mac_addr */
    PROP_CHARDEV,   /* struct chardev *, by id */
    PROP_NETDEV,    /* struct netdev *, by id */
    PROP_DRIVE,     /* struct block *, by id of -drive or node name */
    PROP_LINK,      /* struct device *, by id or path */
    PROP_OBJECT,    /* struct object *, by id of -object; `role` says which */
};

enum on_off_auto { AUTO, ON, OFF };

struct mac_addr {
    uint8_t byte[6]; /* all zero: unset, the device takes the machine's next */
};

struct prop {
    const char *name;
    enum prop_kind kind;
    size_t offset;
    int64_t def;              /* default of numbers, bool, enum */
    const char *def_str;      /* of strings; NULL for unset */
    uint64_t min, max;        /* of unsigned numbers; max 0: what the type can hold */
    const char *const *names; /* of enums, NULL at the end */
    const char *help;         /* half a line */
    const char *role;         /* of objects: what it must be able to be */
};

#define PROP_(type, field, nm, knd, dflt, hlp, ...)                                         \
    {                                                                                       \
        .name = nm, .kind = knd, .offset = offsetof(type, field), .def = dflt, .help = hlp, \
        __VA_ARGS__                                                                         \
    }
#define PROP_BOOL(type, field, nm, dflt, hlp) PROP_(type, field, nm, PROP_BOOL, dflt, hlp, )
/* Numbers take `.min = , .max =` at the end. */
#define PROP_U8(type, field, nm, dflt, hlp, ...) \
    PROP_(type, field, nm, PROP_U8, dflt, hlp, __VA_ARGS__)
#define PROP_U16(type, field, nm, dflt, hlp, ...) \
    PROP_(type, field, nm, PROP_U16, dflt, hlp, __VA_ARGS__)
#define PROP_U32(type, field, nm, dflt, hlp, ...) \
    PROP_(type, field, nm, PROP_U32, dflt, hlp, __VA_ARGS__)
#define PROP_U64(type, field, nm, dflt, hlp, ...) \
    PROP_(type, field, nm, PROP_U64, dflt, hlp, __VA_ARGS__)
#define PROP_I64(type, field, nm, dflt, hlp) PROP_(type, field, nm, PROP_I64, dflt, hlp, )
#define PROP_SIZE(type, field, nm, dflt, hlp, ...) \
    PROP_(type, field, nm, PROP_SIZE, dflt, hlp, __VA_ARGS__)
#define PROP_STR(type, field, nm, dflt, hlp) \
    PROP_(type, field, nm, PROP_STR, 0, hlp, .def_str = dflt)
#define PROP_ENUM(type, field, nm, dflt, hlp, list) \
    PROP_(type, field, nm, PROP_ENUM, dflt, hlp, .names = list)
#define PROP_ONOFFAUTO(type, field, nm, dflt, hlp) \
    PROP_(type, field, nm, PROP_ONOFFAUTO, dflt, hlp, )
#define PROP_MAC(type, field, nm, hlp)     PROP_(type, field, nm, PROP_MAC, 0, hlp, )
#define PROP_CHARDEV(type, field, nm, hlp) PROP_(type, field, nm, PROP_CHARDEV, 0, hlp, )
#define PROP_NETDEV(type, field, nm, hlp)  PROP_(type, field, nm, PROP_NETDEV, 0, hlp, )
#define PROP_DRIVE(type, field, nm, hlp)   PROP_(type, field, nm, PROP_DRIVE, 0, hlp, )
#define PROP_LINK(type, field, nm, hlp)    PROP_(type, field, nm, PROP_LINK, 0, hlp, )
#define PROP_OBJECT(type, field, nm, hlp, rl) \
    PROP_(type, field, nm, PROP_OBJECT, 0, hlp, .role = rl)
#define PROP_LIST_END    \
    {                    \
        .kind = PROP_END \
    }

struct device_type {
    const char *name;           /* as in -device */
    const char *alias;          /* other name there, or NULL */
    const char *help;           /* one line */
    const struct bus_type *bus; /* what it plugs into */
    size_t size;                /* of the struct that begins with struct device */
    bool internal;              /* only boards make it: -device refuses */
    const char *category;       /* for -device help: "storage", "network", "misc", ... */

    /* May fail with `err` set, and then leaves nothing behind. */
    bool (*realize)(struct device *dev, GError **err);
    /* Power-on state; lines are driven to it. */
    void (*reset)(struct device *dev);
    /* Undoes realize. */
    void (*unrealize)(struct device *dev);
    /* Interrupt controllers: what is pending where, in lines for people (`info pic`). Optional. */
    void (*print_irqs)(struct device *dev, GString *out);
    /* Interrupt controllers: how often each of the `n` inputs has asked, since the start (`info
     * irq`). Optional. */
    const uint64_t *(*irq_counts)(const struct device *dev, unsigned *n);

    const struct prop *props;        /* PROP_LIST_END at the end; NULL for none */
    const struct state_table *state; /* NULL: nothing but properties */
    const void *bus_info;            /* what the bus type wants to know (PCI ids, ...) */
};

#define DEVICE_REGIONS_MAX 8

/* Lines by which a device is driven, or drives; one group is unnamed (name NULL). */
struct irq_group {
    const char *name;
    unsigned n;
    irq_fn *fn; /* inputs: the device's handler */
    void *opaque;
    struct irq_line *outs;  /* outputs: where the device keeps its lines */
    struct irq_line *wired; /* outputs: what they lead to, while tapped */
    irq_fn *tap;            /* told of each change, besides */
    void *tap_opaque;
};

struct device {
    const struct device_type *type;
    struct machine *machine;
    char *id;           /* -device id=, unique; NULL for boards' own */
    char *path;         /* unique in the machine: "/machine/serial0" */
    struct bus *bus;    /* where it sits, once realized */
    GPtrArray *buses;   /* of struct bus: those it provides */
    GPtrArray *irqs_in; /* of struct irq_group */
    GPtrArray *irqs_out;
    struct mem_region *regions[DEVICE_REGIONS_MAX]; /* for the board to place */
    unsigned n_regions;
    bool realized;
    bool hotplugged; /* made while the machine was running */
};

/* Registered types, sorted as in hw/devices.def, NULL at the end. */
const struct device_type *const *device_types(void);
/* By name; NULL with an error that names the nearest. `what` begins the message ("-device"). */
const struct device_type *device_type_find(const char *what, const char *name, GError **err);

/* `name` makes the path; NULL: the type's name and a number. */
struct device *device_new(struct machine *m, const struct device_type *type, const char *name);
/* For a device that was not realized. */
void device_free(struct device *dev);
/* Plugs it into `bus` (NULL: any of its type with room) and makes it live. On failure the device
 * is freed. */
bool device_realize(struct device *dev, struct bus *bus, GError **err)
    __attribute__((warn_unused_result));
/* The reverse, children first; frees the device. */
void device_remove(struct device *dev);

/* Takes a device out of the running machine: at once, or when the guest agrees. An error where its
 * bus does not have that. */
bool device_ask_unplug(struct device *dev, GError **err) __attribute__((warn_unused_result));
/* Removes it and tells who listens. */
void device_unplug(struct device *dev);
/* Told of each device that was unplugged; `id` may be NULL. One at a time; NULL for none. */
typedef void device_unplugged_fn(void *opaque, const char *id, const char *path);
void device_on_unplugged(struct machine *m, device_unplugged_fn *fn, void *opaque);
void device_reset(struct device *dev);

/* -device and device_add: keys driver, id, bus, and the properties. */
struct device *device_create(struct machine *m, struct opts *o, GError **err);
/* By id, or by path. NULL when there is none. */
struct device *device_find(struct machine *m, const char *id_or_path);
struct loop *device_loop(const struct device *dev);
struct mem *device_mem(const struct device *dev);

/* Properties, before realize. By text as users give it: */
bool device_set(struct device *dev, const char *name, const char *value, GError **err)
    __attribute__((warn_unused_result));
/* and by value, for boards; a property that is missing or of another kind is a bug. */
void device_set_bool(struct device *dev, const char *name, bool value);
void device_set_num(struct device *dev, const char *name, uint64_t value);
void device_set_str(struct device *dev, const char *name, const char *value);
void device_set_ptr(struct device *dev, const char *name, void *value); /* backends, links */
/* The value as text (to be freed); NULL where unset. */
char *device_get(struct device *dev, const char *name, GError **err);
/* Rows of the type and then of its bus type; NULL past the end. */
const struct prop *device_prop_at(const struct device_type *t, unsigned i);
/* "name=<type> - help (default: x)", as -device X,help prints; to be freed. */
char *prop_describe(const struct prop *p);
/* The same for `-device X,help`: all properties, a line each. */
char *device_type_help(const struct device_type *t);

/* Used in realize: what a board can wire. */
void device_add_region(struct device *dev, struct mem_region *r);
void device_irq_ins(struct device *dev, const char *name, irq_fn *fn, void *opaque, unsigned n);
/* `lines` is an array in the device of n lines. */
void device_irq_outs(struct device *dev, const char *name, struct irq_line *lines, unsigned n);
/* Used by boards: input n of the unnamed (or named) group; wires output n. Out of range is a bug.
 */
struct irq_line device_irq_in(struct device *dev, unsigned n);
struct irq_line device_irq_in_named(struct device *dev, const char *name, unsigned n);
bool device_has_irq_in(struct device *dev, const char *name, unsigned n);
void device_connect_irq(struct device *dev, unsigned n, struct irq_line to);
void device_connect_irq_named(struct device *dev, const char *name, unsigned n, struct irq_line to);
/* Places region i at `addr` of the machine's memory. */
void device_map(struct device *dev, unsigned i, uint64_t addr);

/* For qtest: `tap` is told of every change of a group's lines, besides whom they lead to. False: no
 * such group, or it is tapped already. */
bool device_tap_irqs(struct device *dev, bool outputs, const char *name, irq_fn *tap, void *opaque);

#endif
