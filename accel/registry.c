/* The table that accel/accels.def makes. */
#include <accel/accel.h>
#include <base/error.h>

#define ACCEL(name) extern const struct accel_type name##_accel;
#include "accels.def"
#undef ACCEL

static const struct accel_type *const types[] = {
#define ACCEL(name) &name##_accel,
#include "accels.def"
#undef ACCEL
    NULL
};

const struct accel_type *const *accel_types(void)
{
    return types;
}

const struct accel_type *accel_type_find(const char *name, GError **err)
{
    struct nearest near;

    nearest_init(&near, name);
    for (unsigned i = 0; types[i]; i++) {
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
        nearest_try(&near, types[i]->name);
    }
    error_set_unknown(err, "-accel", "accelerator", name, &near);
    return NULL;
}
