/* From -machine, -smp, -m, -name, -uuid, -rtc and their like to a struct machine_config. */
#ifndef MAIN_MACHINE_OPTS_H
#define MAIN_MACHINE_OPTS_H

#include <hw/core/machine.h>

#include "config.h"

/* -icount */
struct icount {
    bool on;
    int shift;  /* 2^shift ns an instruction; -1: adjusted to keep up with the host */
    bool sleep; /* an idle guest waits for the host's time */
};

/* Fills *mc (strings are the caller's, see machine_config_clear). */
bool machine_opts_config(struct config *c, const char *arch, struct machine_config *mc,
                         GError **err);
/* The guest's name if there is a machine for it, else NULL with err set. */
const char *machine_opts_arch(const struct config *c, GError **err);
/* Hands -global and the remaining keys of -machine to the machine. */
bool machine_opts_props(struct config *c, struct machine *m, GError **err);
/* -rtc and -icount */
bool machine_opts_clocks(struct config *c, struct loop *l, struct icount *icount, GError **err);

#endif
