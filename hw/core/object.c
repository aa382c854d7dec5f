/* The life of objects; see hw/core/object.h. */
#include "private.h"

#include <string.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/option.h>

static const struct prop *find_prop(const struct object_type *t, const char *name, GError **err)
{
    const struct prop *p = prop_find(t->props, name);
    struct nearest near;

    if (p)
        return p;
    nearest_init(&near, name);
    for (p = t->props; p && p->kind != PROP_END; p++)
        nearest_try(&near, p->name);
    error_set_unknown(err, t->name, "property", name, &near);
    return NULL;
}

static bool take_options(struct object *obj, struct opts *o, GError **err)
{
    static const char *const own[] = { "qom-type", "id", NULL };

    for (size_t i = 0; i < opts_count(o); i++) {
        const char *key = opts_key_at(o, i);
        const struct prop *p;
        char *what;
        bool ok;

        opts_known(o, key);
        if (g_strv_contains(own, key))
            continue;
        p = find_prop(obj->type, key, err);
        if (!p)
            return false;
        what = g_strdup_printf("%s.%s", obj->type->name, key);
        ok = prop_set(p, obj, obj->machine, what, opts_value_at(o, i), err);
        g_free(what);
        if (!ok)
            return false;
    }
    return true;
}

static void free_unfinished(struct object *obj)
{
    for (const struct prop *p = obj->type->props; p && p->kind != PROP_END; p++)
        prop_drop(p, obj);
    g_free(obj->id);
    g_free(obj);
}

static void object_free(gpointer data)
{
    struct object *obj = data;

    if (obj->type->free)
        obj->type->free(obj);
    free_unfinished(obj);
}

struct object *object_create(struct machine *m, struct opts *o, GError **err)
{
    const char *type = opts_str(o, "qom-type", NULL), *id = opts_str(o, "id", NULL);
    const char *what = opts_option(o);
    const struct object_type *t;
    struct object *obj;

    if (!type || !id) {
        error_set(err, "%s: %s is missing", what, type ? "id=" : "the type of the object");
        return NULL;
    }
    t = object_type_find(what, type, err);
    if (!t || !id_is_free(what, id, m->priv->objects_by_id, err))
        return NULL;
    obj = g_malloc0(t->size);
    obj->type = t;
    obj->machine = m;
    obj->id = g_strdup(id);
    for (const struct prop *p = t->props; p && p->kind != PROP_END; p++)
        prop_default(p, obj);
    if (!take_options(obj, o, err) || (t->complete && !t->complete(obj, err))) {
        free_unfinished(obj);
        return NULL;
    }
    g_hash_table_insert(m->priv->objects_by_id, obj->id, obj);
    g_ptr_array_add(m->priv->objects, obj);
    return obj;
}

bool object_delete(struct machine *m, const char *id, GError **err)
{
    struct object *obj = object_find(m, id);

    if (!obj)
        return error_set(err, "object '%s' not found", id);
    if (obj->users)
        return error_set(err, "object '%s' is in use, can not be deleted", id);
    g_hash_table_remove(m->priv->objects_by_id, id);
    g_ptr_array_remove(m->priv->objects, obj);
    return true;
}

struct object *object_find(struct machine *m, const char *id)
{
    return g_hash_table_lookup(m->priv->objects_by_id, id);
}

struct object *object_find_role(struct machine *m, const char *id, const char *role,
                                const char *what, GError **err)
{
    struct object *obj = object_find(m, id);
    struct nearest near;

    if (obj && g_strcmp0(obj->type->role, role) == 0)
        return obj;
    if (obj) {
        error_set(err, "%s: object '%s' is of type %s, not %s", what, id, obj->type->name, role);
        return NULL;
    }
    nearest_init(&near, id);
    for (unsigned i = 0; i < m->priv->objects->len; i++)
        nearest_try(&near, ((struct object *)g_ptr_array_index(m->priv->objects, i))->id);
    error_set_unknown(err, what, "object", id, &near);
    return NULL;
}

void object_foreach(struct machine *m, void (*fn)(struct object *o, void *opaque), void *opaque)
{
    for (unsigned i = 0; i < m->priv->objects->len; i++)
        fn(g_ptr_array_index(m->priv->objects, i), opaque);
}

char *object_get(struct object *o, const struct prop *p)
{
    return prop_get(p, o, o->machine);
}

char *object_type_help(const struct object_type *t)
{
    GString *s = g_string_new(NULL);

    g_string_append_printf(s, "%s options:\n", t->name);
    for (const struct prop *p = t->props; p && p->kind != PROP_END; p++) {
        char *line = prop_describe(p);

        g_string_append_printf(s, "  %s\n", line);
        g_free(line);
    }
    return g_string_free(s, FALSE);
}

void machine_objects_init(struct machine *m)
{
    m->priv->objects = g_ptr_array_new_with_free_func(object_free);
    m->priv->objects_by_id = g_hash_table_new(g_str_hash, g_str_equal);
}

/* The newest first: it may use an older one. */
void machine_objects_destroy(struct machine *m)
{
    GPtrArray *list = m->priv->objects;

    g_hash_table_destroy(m->priv->objects_by_id);
    while (list->len)
        g_ptr_array_remove_index(list, list->len - 1);
    g_ptr_array_free(list, TRUE);
}
