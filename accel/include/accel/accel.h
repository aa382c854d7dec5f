/*
 * Ways to run a machine's CPUs, as -accel names them. Devices cannot tell which one runs.
 *
 *     const struct accel_type *t = accel_type_find("tcg", &err);
 *     if (t && t->usable("riscv64", &err))
 *         a = t->create(machine, opts, &config, &err);
 *
 * To add one: a folder below accel/ with `const struct accel_type name_accel`, and a line
 * ACCEL(name) in accel/accels.def. All calls come from the main thread with the device lock held.
 */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include <glib.h>
#include <stdbool.h>

struct accel;
struct machine;
struct opts;

struct accel_config {
    bool icount;       /* -icount: time by instructions; an accelerator that cannot refuses */
    int icount_shift;  /* 2^shift ns each; -1: adjusted to keep up with the host */
    bool icount_sleep; /* an idle guest waits for the host's time */
};

struct accel_type {
    const char *name; /* as in -accel */
    const char *help; /* half a line */
    /* Whether it can run guest `arch` on this host; changes nothing. */
    bool (*usable)(const char *arch, GError **err);
    /*
     * Takes over m->cpus, which the board has made: sets m->cpu_ops and each CPU's accel_ops, makes
     * threads. No guest code runs before m->cpu_ops->resume. Reads its options from `o` and ends
     * with opts_done.
     */
    struct accel *(*create)(struct machine *m, struct opts *o, const struct accel_config *cfg,
                            GError **err);
    /* Ends its threads, while the machine is stopped and before it is freed; resets m->cpu_ops. */
    void (*free)(struct accel *a);
};

/* What an accelerator's own struct begins with. */
struct accel {
    const struct accel_type *type;
    struct machine *machine;
};

/* In order of preference, NULL at the end. */
const struct accel_type *const *accel_types(void);
/* By name; the error names the nearest. */
const struct accel_type *accel_type_find(const char *name, GError **err);

#endif
