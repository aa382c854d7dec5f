/*
 * Accelerators: ways to run a machine's CPUs. To add one: a folder accel/<name>/ with
 * `const struct accel_type accel_<name>`, and a line ACCEL(name) in accel/accels.def.
 */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include <stdbool.h>
#include <glib.h>

struct machine;
struct opts;

struct accel_type {
    const char *name;
    const char *help;
    /*
     * Takes over the CPUs of a machine that has been set up and was not reset yet: sets the
     * machine's cpu_ops.
     * @opts: of -accel, "accel" removed. Main thread, device lock held. On failure leaves nothing
     * behind.
     */
    bool (*init)(struct machine *m, struct opts *opts, GError **err);
    /* Whether guests of @arch can be run so on this host; NULL: all can. Needs no machine. */
    bool (*usable)(const char *arch);
    /* Asked before init, where another accelerator could be taken instead: false where that would
     * be faster, and why. NULL: it never is. */
    bool (*worth)(struct machine *m, GError **err);
    /* Ends what init began; CPUs are paused. Device lock held. */
    void (*free)(struct machine *m);
};

/* All, NULL-terminated. */
const struct accel_type *const *accel_types(void);
const struct accel_type *accel_find(const char *name, GError **err);

#endif
