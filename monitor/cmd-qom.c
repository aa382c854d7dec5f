/*
 * Objects and their classes, as management tools ask for them: devices, machines, CPU models, their
 * properties.
 */
#include <string.h>
#include <hw/core/object.h>
#include <target/cpu.h>
#include "command.h"

static const struct mon_member property_members[] = {
    MEMBER("name", &mon_str),
    MEMBER("type", &mon_str),
    OPTIONAL("description", &mon_str),
    OPTIONAL("default-value", &mon_any),
    { 0 },
};
static const struct mon_type property_info = OBJECT_TYPE("ObjectPropertyInfo", property_members);
static const struct mon_type property_list = ARRAY_TYPE("[ObjectPropertyInfo]", &property_info);
static const struct mon_member typename_args[] = {
    MEMBER("typename", &mon_str),
    { 0 },
};

static json_t *prop_type_name(const struct prop *p)
{
    static const char *const names[] = {
        [PROP_BOOL] = "bool",           [PROP_U8] = "uint8",
        [PROP_U16] = "uint16",          [PROP_U32] = "uint32",
        [PROP_U64] = "uint64",          [PROP_I64] = "int64",
        [PROP_SIZE] = "size",           [PROP_STR] = "str",
        [PROP_ENUM] = "enum",           [PROP_MAC] = "str",
        [PROP_ONOFFAUTO] = "OnOffAuto", [PROP_CHARDEV] = "str",
        [PROP_NETDEV] = "str",          [PROP_DRIVE] = "str",
        [PROP_LINK] = "link<device>",
    };

    return p->kind == PROP_OBJECT ? json_sprintf("link<%s>", p->role) : json_string(names[p->kind]);
}

static json_t *default_value(const struct prop *p)
{
    static const char *const on_off_auto[] = { [AUTO] = "auto", [ON] = "on", [OFF] = "off" };

    switch (p->kind) {
    case PROP_BOOL: return json_boolean(p->def);
    case PROP_U8:
    case PROP_U16:
    case PROP_U32:
    case PROP_U64:
    case PROP_I64:
    case PROP_SIZE: return json_integer(p->def);
    case PROP_ENUM: return json_string(p->names[p->def]);
    case PROP_ONOFFAUTO: return json_string(on_off_auto[p->def]);
    case PROP_STR: return p->def_str ? json_string(p->def_str) : NULL;
    default: return NULL;
    }
}

static json_t *describe_prop(const struct prop *p)
{
    json_t *entry = json_pack("{s:s, s:o}", "name", p->name, "type", prop_type_name(p));
    json_t *def = default_value(p);

    if (p->help)
        json_object_set_new(entry, "description", json_string(p->help));
    if (def)
        json_object_set_new(entry, "default-value", def);
    return entry;
}

static json_t *list_props(const struct prop *props)
{
    json_t *list = json_array();

    for (const struct prop *p = props; p && p->kind != PROP_END; p++)
        json_array_append_new(list, describe_prop(p));
    return list;
}

static json_t *list_device_props(const struct device_type *t)
{
    json_t *list = json_array();
    const struct prop *p;

    for (unsigned i = 0; (p = device_prop_at(t, i)); i++)
        json_array_append_new(list, describe_prop(p));
    return list;
}

static const struct object_type *find_object_type(const char *name)
{
    for (const struct object_type *const *t = object_types(); *t; t++)
        if (!strcmp((*t)->name, name))
            return *t;
    return NULL;
}

static const struct device_type *find_device_type(const char *name)
{
    for (const struct device_type *const *t = device_types(); *t; t++)
        if (!strcmp((*t)->name, name))
            return *t;
    return NULL;
}

static json_t *device_list_properties(struct mon *mon, const json_t *args, GError **err)
{
    const char *name = json_string_value(json_object_get(args, "typename"));
    const struct device_type *t = find_device_type(name);

    (void)mon;
    if (t)
        return list_device_props(t);
    error_set_code(err, MYNA_ERROR_NOT_FOUND, "Device '%s' not found", name);
    return NULL;
}

/* A machine type's class is called NAME-machine. */
static const struct machine_type *find_machine_class(const char *name)
{
    for (const struct machine_type *const *t = machine_types(); *t; t++) {
        size_t n = strlen((*t)->name);

        if (!strncmp(name, (*t)->name, n) && !strcmp(name + n, "-machine"))
            return *t;
    }
    return NULL;
}

static json_t *qom_list_properties(struct mon *mon, const json_t *args, GError **err)
{
    const char *name = json_string_value(json_object_get(args, "typename"));
    const struct device_type *device = find_device_type(name);
    const struct object_type *object = find_object_type(name);
    const struct machine_type *machine = find_machine_class(name);

    (void)mon;
    if (device)
        return list_device_props(device);
    if (object)
        return list_props(object->props);
    if (machine)
        return list_props(machine->props);
    error_set_code(err, MYNA_ERROR_NOT_FOUND, "Class '%s' not found", name);
    return NULL;
}

/* ---- Objects ---- */

/* What stands at a path: a device, an object, the machine, or a folder. */
struct node {
    struct device *device;
    struct object *object;
    bool machine;
};

#define OBJECTS "/objects"

struct children {
    json_t *list;
    const char *folder; /* ends with '/' */
};

static bool add_child(struct device *dev, void *opaque)
{
    struct children *c = opaque;
    size_t n = strlen(c->folder);
    char *type;

    if (strncmp(dev->path, c->folder, n) || strchr(dev->path + n, '/'))
        return true;
    type = g_strdup_printf("child<%s>", dev->type->name);
    json_array_append_new(c->list, json_pack("{s:s, s:s}", "name", dev->path + n, "type", type));
    g_free(type);
    return true;
}

static void add_object(struct object *obj, void *opaque)
{
    json_array_append_new(opaque, json_pack("{s:s, s:o}", "name", obj->id, "type",
                                            json_sprintf("child<%s>", obj->type->name)));
}

/* The n-th property of what is there; NULL past the end. */
static const struct prop *prop_at(const struct node *o, unsigned n)
{
    const struct prop *p = o->object ? o->object->type->props : NULL;

    if (o->device)
        return device_prop_at(o->device->type, n);
    for (; p && p->kind != PROP_END && n; p++)
        n--;
    return p && p->kind != PROP_END ? p : NULL;
}

static bool find_object(struct mon *mon, const char *path, struct node *o, GError **err)
{
    static const char *const folders[] = { "/", "/machine/peripheral", OBJECTS, NULL };

    o->machine = !strcmp(path, "/machine");
    o->device = *path == '/' ? device_find(mon->machine, path) : NULL;
    o->object = g_str_has_prefix(path, OBJECTS "/")
                    ? object_find(mon->machine, path + strlen(OBJECTS "/"))
                    : NULL;
    if (o->device || o->object || o->machine || g_strv_contains(folders, path))
        return true;
    return error_set_code(err, MYNA_ERROR_NOT_FOUND, "Device '%s' not found", path);
}

static const struct mon_member path_args[] = {
    MEMBER("path", &mon_str),
    { 0 },
};

static json_t *qom_list(struct mon *mon, const json_t *args, GError **err)
{
    const char *path = json_string_value(json_object_get(args, "path"));
    struct children c = { 0 };
    struct node o;
    const struct prop *p;
    char *folder;

    if (!find_object(mon, path, &o, err))
        return NULL;
    c.list = json_pack("[{s:s, s:s}]", "name", "type", "type", "string");
    for (unsigned i = 0; (p = prop_at(&o, i)); i++)
        json_array_append_new(c.list,
                              json_pack("{s:s, s:o}", "name", p->name, "type", prop_type_name(p)));
    if (!strcmp(path, "/"))
        json_array_append_new(c.list,
                              json_pack("{s:s, s:s}", "name", "machine", "type", "child<machine>"));
    if (!strcmp(path, "/"))
        json_array_append_new(
            c.list, json_pack("{s:s, s:s}", "name", "objects", "type", "child<container>"));
    if (!strcmp(path, OBJECTS))
        object_foreach(mon->machine, add_object, c.list);
    if (o.machine)
        json_array_append_new(
            c.list, json_pack("{s:s, s:s}", "name", "peripheral", "type", "child<container>"));
    folder = g_strconcat(path, "/", NULL);
    c.folder = folder;
    bus_walk(&mon->machine->root, add_child, &c);
    g_free(folder);
    return c.list;
}

static const struct mon_member get_args[] = {
    MEMBER("path", &mon_str),
    MEMBER("property", &mon_str),
    { 0 },
};

static json_t *type_of(struct mon *mon, const struct node *o)
{
    char *name;
    json_t *v;

    if (o->device)
        return json_string(o->device->type->name);
    if (o->object)
        return json_string(o->object->type->name);
    if (!o->machine)
        return json_string("container");
    name = g_strconcat(mon->machine->type->name, "-machine", NULL);
    v = json_string(name);
    g_free(name);
    return v;
}

/* From the text that device_get() gives. */
static json_t *prop_value(const struct prop *p, const char *text)
{
    switch (p->kind) {
    case PROP_BOOL: return json_boolean(!strcmp(text, "on"));
    case PROP_U8:
    case PROP_U16:
    case PROP_U32:
    case PROP_U64:
    case PROP_SIZE: return json_integer((json_int_t)g_ascii_strtoull(text, NULL, 0));
    case PROP_I64: return json_integer(g_ascii_strtoll(text, NULL, 0));
    default: return json_string(text);
    }
}

static json_t *qom_get(struct mon *mon, const json_t *args, GError **err)
{
    const char *name = json_string_value(json_object_get(args, "property"));
    const char *path = json_string_value(json_object_get(args, "path"));
    const struct prop *p;
    struct node o;

    if (!find_object(mon, path, &o, err))
        return NULL;
    if (!strcmp(name, "type"))
        return type_of(mon, &o);
    for (unsigned i = 0; (p = prop_at(&o, i)); i++) {
        char *text;
        json_t *v;

        if (strcmp(p->name, name))
            continue;
        text = o.device ? device_get(o.device, name, NULL) : object_get(o.object, p);
        v = prop_value(p, text ? text : "");
        g_free(text);
        return v;
    }
    error_set(err, "Property '%s.%s' not found", path, name);
    return NULL;
}

/* ---- Classes ---- */

static const struct mon_member types_args[] = {
    OPTIONAL("implements", &mon_str),
    OPTIONAL("abstract", &mon_bool),
    { 0 },
};
static const struct mon_member type_members[] = {
    MEMBER("name", &mon_str),
    OPTIONAL("abstract", &mon_bool),
    OPTIONAL("parent", &mon_str),
    { 0 },
};
static const struct mon_type type_info = OBJECT_TYPE("ObjectTypeInfo", type_members);
static const struct mon_type type_list = ARRAY_TYPE("[ObjectTypeInfo]", &type_info);

/* Takes @full over. */
static void add_class(json_t *list, const char *wanted, char *full, const char *parent)
{
    if (!wanted || !strcmp(wanted, parent) || !strcmp(wanted, full))
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", full, "parent", parent));
    g_free(full);
}

/* There is no tree of classes: devices, objects, machines and CPUs each have one parent. */
static json_t *qom_list_types(struct mon *mon, const json_t *args, GError **err)
{
    const char *wanted = json_string_value(json_object_get(args, "implements"));
    const char *arch = mon->machine->cfg.arch;
    json_t *list = json_array();

    (void)err;
    for (const struct device_type *const *t = device_types(); *t; t++)
        add_class(list, wanted, g_strdup((*t)->name), "device");
    for (const struct object_type *const *t = object_types(); *t; t++)
        add_class(list, wanted, g_strdup((*t)->name), (*t)->role ? (*t)->role : "object");
    for (const struct machine_type *const *t = machine_types(); *t; t++)
        add_class(list, wanted, g_strconcat((*t)->name, "-machine", NULL), "machine");
    for (const struct cpu_type *const *t = cpu_types(); *t; t++)
        if (!strcmp((*t)->arch, arch))
            add_class(list, wanted, mon_cpu_type_name(arch, (*t)->name), "cpu");
    return list;
}

const struct mon_command qom_commands[] = {
    { .qmp = "device-list-properties",
      .args = typename_args,
      .run = device_list_properties,
      .ret = &property_list },
    { .qmp = "qom-list-properties",
      .args = typename_args,
      .run = qom_list_properties,
      .ret = &property_list },
    { .qmp = "qom-list-types", .args = types_args, .run = qom_list_types, .ret = &type_list },
    { .qmp = "qom-list", .args = path_args, .run = qom_list, .ret = &property_list },
    { .qmp = "qom-get", .args = get_args, .run = qom_get, .ret = &mon_any },
    { 0 },
};
