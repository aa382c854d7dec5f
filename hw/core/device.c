/* The life of devices; see hw/core/device.h. */
#include "private.h"

#include <inttypes.h>
#include <string.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/option.h>

struct loop *device_loop(const struct device *dev)
{
    return dev->machine->loop;
}

struct mem *device_mem(const struct device *dev)
{
    return dev->machine->mem;
}

const struct prop *device_prop_at(const struct device_type *t, unsigned i)
{
    const struct prop *lists[] = { t->props, t->bus->dev_props };

    for (unsigned l = 0; l < 2; l++)
        for (const struct prop *p = lists[l]; p && p->kind != PROP_END; p++)
            if (i-- == 0)
                return p;
    return NULL;
}

static const struct prop *find_prop(const struct device_type *t, const char *name)
{
    const struct prop *p = prop_find(t->props, name);

    return p ? p : prop_find(t->bus->dev_props, name);
}

static void group_free(void *opaque)
{
    struct irq_group *g = opaque;

    g_free(g->wired);
    g_free(g);
}

/* A path that no device has yet. */
static char *make_path(struct machine *m, const struct device_type *type, const char *name)
{
    unsigned n;
    char *path;

    if (name) {
        path = g_strdup_printf("/machine/%s", name);
        bug_on(g_hash_table_contains(m->priv->devices, path));
        return path;
    }
    n = GPOINTER_TO_UINT(g_hash_table_lookup(m->priv->numbers, type->name));
    g_hash_table_insert(m->priv->numbers, (void *)(uintptr_t)type->name, GUINT_TO_POINTER(n + 1));
    return g_strdup_printf("/machine/%s[%u]", type->name, n);
}

struct device *device_new(struct machine *m, const struct device_type *type, const char *name)
{
    struct device *dev = g_malloc0(type->size);
    const struct prop *p;

    dev->type = type;
    dev->machine = m;
    dev->path = make_path(m, type, name);
    dev->buses = g_ptr_array_new();
    dev->irqs_in = g_ptr_array_new_with_free_func(group_free);
    dev->irqs_out = g_ptr_array_new_with_free_func(group_free);
    for (unsigned i = 0; (p = device_prop_at(type, i)); i++)
        prop_default(p, dev);
    g_hash_table_insert(m->priv->devices, dev->path, dev);
    machine_apply_globals(dev);
    return dev;
}

void device_free(struct device *dev)
{
    struct machine *m = dev->machine;
    const struct prop *p;

    bug_on(dev->realized);
    for (unsigned i = 0; (p = device_prop_at(dev->type, i)); i++)
        prop_drop(p, dev);
    g_hash_table_remove(m->priv->devices, dev->path);
    if (dev->id)
        g_hash_table_remove(m->priv->ids, dev->id);
    g_ptr_array_free(dev->buses, TRUE);
    g_ptr_array_free(dev->irqs_in, TRUE);
    g_ptr_array_free(dev->irqs_out, TRUE);
    g_free(dev->path);
    g_free(dev->id);
    g_free(dev);
}

static char *bus_state_name(const struct device *dev)
{
    return g_strdup_printf("%s:%s", dev->path, dev->type->bus->name);
}

static void register_states(struct device *dev)
{
    const struct device_type *t = dev->type;

    if (t->bus->dev_state) {
        char *name = bus_state_name(dev);

        machine_add_state(dev->machine, name, t->bus->dev_state, dev);
        g_free(name);
    }
    if (t->state)
        machine_add_state(dev->machine, dev->path, t->state, dev);
}

static void drop_states(struct device *dev)
{
    char *name = bus_state_name(dev);

    machine_remove_state(dev->machine, name);
    machine_remove_state(dev->machine, dev->path);
    g_free(name);
}

static bool check_bus(struct device *dev, struct bus *bus, GError **err)
{
    const struct device_type *t = dev->type;

    if (bus->type != t->bus)
        return error_set(err, "%s: bus '%s' is of type %s, the device needs %s", t->name, bus->name,
                         bus->type->name, t->bus->name);
    if (bus->full || (bus->type->max_devices && bus->devices->len >= bus->type->max_devices))
        return error_set(err, "%s: bus '%s' has no room left", t->name, bus->name);
    return true;
}

/* Of devices that firmware boots from: the place in the order, -1 for none. */
static int64_t boot_index(struct device *dev)
{
    g_autofree char *text = device_get(dev, "bootindex", NULL);

    return text ? g_ascii_strtoll(text, NULL, 10) : -1;
}

static bool other_boot_index(struct device *dev, void *opaque)
{
    return boot_index(dev) != boot_index(opaque);
}

static bool check_boot_index(struct device *dev, GError **err)
{
    if (boot_index(dev) < 0 || bus_walk(&dev->machine->root, other_boot_index, dev))
        return true;
    return error_set(err, "%s: bootindex=%" PRId64 " is another device's already", dev->type->name,
                     boot_index(dev));
}

bool device_realize(struct device *dev, struct bus *bus, GError **err)
{
    const struct device_type *t = dev->type;
    const struct bus_type *bt = t->bus;

    bug_on(dev->realized);
    if (!bus)
        bus = bus_find_room(dev->machine, bt, t->name, err);
    if (!bus || !check_bus(dev, bus, err) || !check_boot_index(dev, err))
        goto out_free;
    dev->bus = bus;
    dev->hotplugged = dev->machine->priv->initialized;
    if (bt->attach && !bt->attach(bus, dev, err))
        goto out_free;
    if (t->realize && !t->realize(dev, err))
        goto out_detach;
    if (bt->attached && !bt->attached(bus, dev, err))
        goto out_unrealize;
    g_ptr_array_add(bus->devices, dev);
    register_states(dev);
    dev->realized = true;
    if (dev->hotplugged) {
        device_reset(dev);
        if (bus->hotplug)
            bus->hotplug->plugged(dev, bus->hotplug->opaque);
    }
    return true;

out_unrealize:
    if (t->unrealize)
        t->unrealize(dev);
out_detach:
    if (bt->detach)
        bt->detach(bus, dev);
out_free:
    device_free(dev);
    return false;
}

void device_remove(struct device *dev)
{
    const struct device_type *t = dev->type;
    struct bus *bus = dev->bus;

    bug_on(!dev->realized);
    for (unsigned i = 0; i < dev->buses->len; i++) {
        struct bus *child = g_ptr_array_index(dev->buses, i);

        while (child->devices->len)
            device_remove(g_ptr_array_index(child->devices, child->devices->len - 1));
    }
    drop_states(dev);
    g_ptr_array_remove(bus->devices, dev);
    if (t->unrealize)
        t->unrealize(dev);
    if (bus->type->detach)
        bus->type->detach(bus, dev);
    dev->realized = false;
    device_free(dev);
}

/* ---- plugging while the machine runs ---- */

static bool can_hotplug(const struct bus *bus)
{
    return bus->hotplug || bus->type->hotplug;
}

bool device_ask_unplug(struct device *dev, GError **err)
{
    const struct hotplug *h = dev->bus->hotplug;

    if (h)
        return h->ask(dev, h->opaque, err);
    if (!can_hotplug(dev->bus))
        return error_set(err, "Bus '%s' does not support hotplugging", dev->bus->name);
    device_unplug(dev);
    return true;
}

void device_unplug(struct device *dev)
{
    const struct machine_private *p = dev->machine->priv;
    g_autofree char *id = g_strdup(dev->id), *path = g_strdup(dev->path);

    device_remove(dev);
    if (p->unplugged)
        p->unplugged(p->unplugged_opaque, id, path);
}

void device_on_unplugged(struct machine *m, device_unplugged_fn *fn, void *opaque)
{
    m->priv->unplugged = fn;
    m->priv->unplugged_opaque = opaque;
}

void device_reset(struct device *dev)
{
    const struct bus_type *bt = dev->type->bus;

    if (bt->reset_device)
        bt->reset_device(dev);
    if (dev->type->reset)
        dev->type->reset(dev);
    for (unsigned i = 0; i < dev->buses->len; i++) {
        struct bus *child = g_ptr_array_index(dev->buses, i);

        for (unsigned j = 0; j < child->devices->len; j++)
            device_reset(g_ptr_array_index(child->devices, j));
    }
}

struct device *device_find(struct machine *m, const char *id_or_path)
{
    struct device *dev = g_hash_table_lookup(m->priv->ids, id_or_path);

    return dev ? dev : g_hash_table_lookup(m->priv->devices, id_or_path);
}

bool device_set(struct device *dev, const char *name, const char *value, GError **err)
{
    const struct prop *p = find_prop(dev->type, name);
    struct nearest near;
    char *what;
    bool ok;

    if (p) {
        what = g_strdup_printf("%s.%s", dev->type->name, name);
        ok = prop_set(p, dev, dev->machine, what, value, err);
        g_free(what);
        return ok;
    }
    nearest_init(&near, name);
    for (unsigned i = 0; (p = device_prop_at(dev->type, i)); i++)
        nearest_try(&near, p->name);
    return error_set_unknown(err, dev->type->name, "property", name, &near);
}

static const struct prop *own_prop(struct device *dev, const char *name)
{
    const struct prop *p = find_prop(dev->type, name);

    bug_on(!p || dev->realized);
    return p;
}

void device_set_bool(struct device *dev, const char *name, bool value)
{
    prop_store_num(own_prop(dev, name), dev, value);
}

void device_set_num(struct device *dev, const char *name, uint64_t value)
{
    prop_store_num(own_prop(dev, name), dev, value);
}

void device_set_str(struct device *dev, const char *name, const char *value)
{
    prop_store_str(own_prop(dev, name), dev, value);
}

void device_set_ptr(struct device *dev, const char *name, void *value)
{
    prop_store_ptr(own_prop(dev, name), dev, value);
}

char *device_get(struct device *dev, const char *name, GError **err)
{
    const struct prop *p = find_prop(dev->type, name);

    if (!p) {
        error_set_unknown(err, dev->type->name, "property", name, NULL);
        return NULL;
    }
    return prop_get(p, dev, dev->machine);
}

char *device_type_help(const struct device_type *t)
{
    GString *s = g_string_new(NULL);
    const struct prop *p;

    g_string_append_printf(s, "%s options:\n", t->name);
    for (unsigned i = 0; (p = device_prop_at(t, i)); i++) {
        char *line = prop_describe(p);

        g_string_append_printf(s, "  %s\n", line);
        g_free(line);
    }
    return g_string_free(s, FALSE);
}

bool id_is_free(const char *what, const char *id, GHashTable *taken, GError **err)
{
    bool ok = g_ascii_isalpha(id[0]);

    for (const char *p = id; *p; p++)
        ok = ok && (g_ascii_isalnum(*p) || strchr("-._", *p));
    if (!ok)
        return error_set(err,
                         "%s: id '%s' must begin with a letter and hold only letters, "
                         "digits, '-', '.' and '_'",
                         what, id);
    if (g_hash_table_contains(taken, id))
        return error_set(err, "%s: id '%s' is taken", what, id);
    return true;
}

static bool take_id(struct device *dev, const char *id, GError **err)
{
    struct machine *m = dev->machine;

    if (!id)
        return true;
    if (!id_is_free("-device", id, m->priv->ids, err))
        return false;
    dev->id = g_strdup(id);
    g_hash_table_insert(m->priv->ids, dev->id, dev);
    g_hash_table_steal(m->priv->devices, dev->path);
    g_free(dev->path);
    dev->path = g_strdup_printf("/machine/peripheral/%s", id);
    g_hash_table_insert(m->priv->devices, dev->path, dev);
    return true;
}

static bool take_options(struct device *dev, struct opts *o, GError **err)
{
    static const char *const own[] = { "driver", "id", "bus", NULL };

    for (size_t i = 0; i < opts_count(o); i++) {
        const char *key = opts_key_at(o, i);

        opts_known(o, key);
        if (g_strv_contains(own, key))
            continue;
        if (!device_set(dev, key, opts_value_at(o, i), err))
            return false;
    }
    return true;
}

struct device *device_create(struct machine *m, struct opts *o, GError **err)
{
    const char *driver = opts_str(o, "driver", NULL), *bus_name = opts_str(o, "bus", NULL);
    const char *what = opts_option(o);
    const struct device_type *t;
    struct bus *bus = NULL;
    struct device *dev;

    if (!driver) {
        error_set(err, "%s: the driver is missing", what);
        return NULL;
    }
    t = device_type_find(what, driver, err);
    if (!t)
        return NULL;
    if (t->internal) {
        error_set(err, "%s: '%s' is part of boards and cannot be added", what, driver);
        return NULL;
    }
    if (bus_name && !(bus = bus_find(m, bus_name))) {
        error_set_code(err, MYNA_ERROR_NOT_FOUND, "%s: there is no bus '%s'", what, bus_name);
        return NULL;
    }
    if (m->priv->initialized) {
        bus = bus ? bus : bus_find_room(m, t->bus, t->name, err);
        if (!bus)
            return NULL;
        if (!can_hotplug(bus)) {
            error_set(err, "%s: '%s' cannot be added to a running machine", what, driver);
            return NULL;
        }
    }
    dev = device_new(m, t, NULL);
    if (!take_id(dev, opts_str(o, "id", NULL), err) || !take_options(dev, o, err)) {
        device_free(dev);
        return NULL;
    }
    return device_realize(dev, bus, err) ? dev : NULL;
}
