/*
 * The list of accelerators.
 */
#include <string.h>
#include <accel/accel.h>
#include <base/error.h>

#define ACCEL(name) extern const struct accel_type accel_##name;
#include "accels.def"
#undef ACCEL

const struct accel_type *const *accel_types(void)
{
    static const struct accel_type *const all[] = {
#define ACCEL(name) &accel_##name,
#include "accels.def"
#undef ACCEL
        NULL
    };
    return all;
}

const struct accel_type *accel_find(const char *name, GError **err)
{
    struct nearest near;

    nearest_init(&near, name);
    for (const struct accel_type *const *t = accel_types(); *t; t++) {
        if (!strcmp((*t)->name, name))
            return *t;
        nearest_try(&near, (*t)->name);
    }
    error_set_unknown(err, "-accel", "accelerator", name, &near);
    return NULL;
}
