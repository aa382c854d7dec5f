/*
 * "none": a machine without anything, for programs that only ask what this build has.
 */
#include "private.h"

#include <base/error.h>

static bool none_init(struct machine *m, GError **err)
{
    const struct machine_config *c = &m->cfg;

    if (c->kernel || c->firmware || c->cpu)
        return error_set(err, "%s: machine 'none' has no CPU to run it",
                         c->kernel     ? "-kernel"
                         : c->firmware ? "-bios"
                                       : "-cpu");
    return true;
}

static const char *const none_archs[] = { "riscv64", "riscv32", "x86_64", "i386", NULL };

const struct machine_type none_machine = {
    .name = "none",
    .help = "nothing at all, for who asks what there is",
    .archs = none_archs,
    .max_cpus = 1,
    .size = sizeof(struct machine),
    .drive_if = "none",
    .init = none_init,
};
