/* -global: defaults of properties that a user changes for all devices of a type. */
#include "private.h"

#include <base/bug.h>
#include <base/error.h>

struct global {
    const struct device_type *type;
    const struct prop *prop;
    char *value;
};

static void global_free(gpointer p)
{
    struct global *g = p;

    g_free(g->value);
    g_free(g);
}

void machine_globals_init(struct machine *m)
{
    m->priv->globals = g_ptr_array_new_with_free_func(global_free);
}

void machine_globals_destroy(struct machine *m)
{
    g_ptr_array_free(m->priv->globals, TRUE);
}

static const struct prop *find_prop(const struct device_type *type, const char *name, GError **err)
{
    const struct prop *p;
    struct nearest near;

    nearest_init(&near, name);
    for (unsigned i = 0; (p = device_prop_at(type, i)); i++) {
        if (strcmp(p->name, name) == 0)
            return p;
        nearest_try(&near, p->name);
    }
    error_set_unknown(err, "-global", "property", name, &near);
    return NULL;
}

/* Tries the value on memory of the device's size that never becomes a device. */
static bool value_fits(struct machine *m, const struct device_type *type, const struct prop *p,
                       const char *value, GError **err)
{
    g_autofree char *what = g_strdup_printf("-global: %s.%s", type->name, p->name);
    void *scratch = g_malloc0(type->size);
    bool ok = prop_set(p, scratch, m, what, value, err);

    prop_drop(p, scratch);
    g_free(scratch);
    return ok;
}

bool machine_add_global(struct machine *m, const char *driver, const char *prop, const char *value,
                        GError **err)
{
    const struct device_type *type = device_type_find("-global", driver, err);
    const struct prop *p = type ? find_prop(type, prop, err) : NULL;
    struct global *g;

    if (!p)
        return false;
    if (p->kind >= PROP_CHARDEV)
        return error_set(err, "-global: %s.%s refers to one thing, which only one device can have",
                         driver, prop);
    if (!value_fits(m, type, p, value, err))
        return false;
    g = g_new(struct global, 1);
    *g = (struct global){ .type = type, .prop = p, .value = g_strdup(value) };
    g_ptr_array_add(m->priv->globals, g);
    return true;
}

void machine_apply_globals(struct device *dev)
{
    const GPtrArray *list = dev->machine->priv->globals;

    for (guint i = 0; i < list->len; i++) {
        const struct global *g = list->pdata[i];

        if (g->type == dev->type)
            bug_on(!device_set(dev, g->prop->name, g->value, NULL));
    }
}
