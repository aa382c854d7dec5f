/* The tables that the .def files of hw/ make: what this program knows. */
#include "private.h"

#include <string.h>
#include <base/error.h>

#define DEVICE(name) extern const struct device_type name##_type;
#include "../devices.def"
#undef DEVICE
#define MACHINE(name) extern const struct machine_type name##_machine;
#include "../machines.def"
#undef MACHINE
#define OBJECT(name) extern const struct object_type name##_object;
#include "../objects.def"
#undef OBJECT

static const struct device_type *const devices[] = {
#define DEVICE(name) &name##_type,
#include "../devices.def"
#undef DEVICE
    NULL
};

static const struct machine_type *const machines[] = {
#define MACHINE(name) &name##_machine,
#include "../machines.def"
#undef MACHINE
    NULL
};

static const struct object_type *const objects[] = {
#define OBJECT(name) &name##_object,
#include "../objects.def"
#undef OBJECT
    NULL
};

const struct device_type *const *device_types(void)
{
    return devices;
}

const struct machine_type *const *machine_types(void)
{
    return machines;
}

const struct device_type *device_type_find(const char *what, const char *name, GError **err)
{
    struct nearest near;

    for (unsigned i = 0; devices[i]; i++)
        if (strcmp(devices[i]->name, name) == 0 || g_strcmp0(devices[i]->alias, name) == 0)
            return devices[i];
    nearest_init(&near, name); /* comparing with each costs more than a whole device does */
    for (unsigned i = 0; devices[i]; i++)
        if (!devices[i]->internal)
            nearest_try(&near, devices[i]->name);
    error_set_unknown(err, what, "device", name, &near);
    return NULL;
}

static bool has_name(const struct machine_type *t, const char *name)
{
    return strcmp(t->name, name) == 0 || g_strcmp0(t->alias, name) == 0 ||
           (t->versions && g_strv_contains(t->versions, name));
}

const struct machine_type *machine_type_find(const char *name, const char *arch, GError **err)
{
    struct nearest near;

    nearest_init(&near, name ? name : "");
    for (unsigned i = 0; machines[i]; i++) {
        const struct machine_type *t = machines[i];

        if (!g_strv_contains(t->archs, arch))
            continue;
        if (name ? has_name(t, name) : t->is_default)
            return t;
        nearest_try(&near, t->name);
    }
    if (!name)
        error_set(err, "-machine: none was given, and there is no default for '%s'", arch);
    else
        error_set_unknown(err, "-machine", "machine", name, &near);
    return NULL;
}

const struct object_type *const *object_types(void)
{
    return objects;
}

const struct object_type *object_type_find(const char *what, const char *name, GError **err)
{
    struct nearest near;

    nearest_init(&near, name);
    for (unsigned i = 0; objects[i]; i++) {
        if (strcmp(objects[i]->name, name) == 0)
            return objects[i];
        nearest_try(&near, objects[i]->name);
    }
    error_set_unknown(err, what, "object type", name, &near);
    return NULL;
}
