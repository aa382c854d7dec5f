/* Buses and the tree of devices; see hw/core/bus.h. */
#include "private.h"

#include <base/bug.h>
#include <base/error.h>

const struct bus_type system_bus_type = { .name = "System" };

void bus_init(struct bus *bus, const struct bus_type *type, struct machine *m,
              struct device *parent, const char *name)
{
    bug_on(g_hash_table_contains(m->priv->buses, name));
    bus->type = type;
    bus->name = g_strdup(name);
    bus->machine = m;
    bus->parent = parent;
    bus->devices = g_ptr_array_new();
    bus->full = false;
    g_hash_table_insert(m->priv->buses, bus->name, bus);
    if (parent)
        g_ptr_array_add(parent->buses, bus);
}

void bus_destroy(struct bus *bus)
{
    if (!bus->name)
        return;
    while (bus->devices->len)
        device_remove(g_ptr_array_index(bus->devices, bus->devices->len - 1));
    if (bus->parent)
        g_ptr_array_remove(bus->parent->buses, bus);
    g_hash_table_remove(bus->machine->priv->buses, bus->name);
    g_ptr_array_free(bus->devices, TRUE);
    g_free(bus->name);
    bus->name = NULL;
}

struct bus *bus_find(struct machine *m, const char *name)
{
    return g_hash_table_lookup(m->priv->buses, name);
}

static bool has_room(const struct bus *bus)
{
    return !bus->full && (!bus->type->max_devices || bus->devices->len < bus->type->max_devices);
}

/* In the order of the tree, so that the answer does not depend on names. */
static struct bus *search(struct bus *bus, const struct bus_type *type)
{
    if (bus->type == type && has_room(bus))
        return bus;
    for (unsigned i = 0; i < bus->devices->len; i++) {
        const struct device *dev = g_ptr_array_index(bus->devices, i);

        for (unsigned j = 0; j < dev->buses->len; j++) {
            struct bus *found = search(g_ptr_array_index(dev->buses, j), type);

            if (found)
                return found;
        }
    }
    return NULL;
}

struct bus *bus_find_room(struct machine *m, const struct bus_type *type, const char *what,
                          GError **err)
{
    struct bus *bus = search(&m->root, type);

    if (!bus)
        error_set(err, "%s: the machine has no %s bus with room for it", what, type->name);
    return bus;
}

bool bus_walk(struct bus *bus, bool (*fn)(struct device *dev, void *opaque), void *opaque)
{
    for (unsigned i = 0; i < bus->devices->len; i++) {
        struct device *dev = g_ptr_array_index(bus->devices, i);

        if (!fn(dev, opaque))
            return false;
        for (unsigned j = 0; j < dev->buses->len; j++)
            if (!bus_walk(g_ptr_array_index(dev->buses, j), fn, opaque))
                return false;
    }
    return true;
}

static void print_bus(struct bus *bus, unsigned indent, GString *out);

static void print_regions(const struct device *dev, unsigned indent, GString *out)
{
    for (unsigned i = 0; i < dev->n_regions; i++) {
        const struct mem_region *r = dev->regions[i];

        if (r->container)
            g_string_append_printf(
                out, "%*smmio %016" G_GINT64_MODIFIER "x/%016" G_GINT64_MODIFIER "x\n", (int)indent,
                "", r->addr, r->size);
    }
}

static void print_device(struct device *dev, unsigned indent, GString *out)
{
    const struct prop *p;

    g_string_append_printf(out, "%*sdev: %s, id \"%s\"\n", (int)indent, "", dev->type->name,
                           dev->id ? dev->id : "");
    indent += 2;
    for (unsigned i = 0; (p = device_prop_at(dev->type, i)); i++) {
        char *v = prop_get(p, dev, dev->machine);

        g_string_append_printf(out, "%*s%s = %s\n", (int)indent, "", p->name, v ? v : "\"\"");
        g_free(v);
    }
    print_regions(dev, indent, out);
    if (dev->type->bus->print)
        dev->type->bus->print(dev, indent, out);
    for (unsigned i = 0; i < dev->buses->len; i++)
        print_bus(g_ptr_array_index(dev->buses, i), indent, out);
}

static void print_bus(struct bus *bus, unsigned indent, GString *out)
{
    g_string_append_printf(out, "%*sbus: %s\n%*stype %s\n", (int)indent, "", bus->name,
                           (int)indent + 2, "", bus->type->name);
    for (unsigned i = 0; i < bus->devices->len; i++)
        print_device(g_ptr_array_index(bus->devices, i), indent + 2, out);
}

void bus_print_tree(struct bus *bus, GString *out)
{
    print_bus(bus, 0, out);
}
