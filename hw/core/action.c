/* What becomes of a machine whose watchdog ran out or whose guest panicked (-action). */
#include "private.h"

#include <base/loop.h>

const char *const watchdog_action_names[] = {
    [WATCHDOG_RESET] = "reset",       [WATCHDOG_SHUTDOWN] = "shutdown",
    [WATCHDOG_POWEROFF] = "poweroff", [WATCHDOG_PAUSE] = "pause",
    [WATCHDOG_DEBUG] = "debug",       [WATCHDOG_NONE] = "none",
    [WATCHDOG_NMI] = "inject-nmi",    NULL,
};

const char *const panic_action_names[] = {
    [PANIC_SHUTDOWN] = "shutdown",
    [PANIC_PAUSE] = "pause",
    [PANIC_NONE] = "none",
    [PANIC_EXIT_FAILURE] = "exit-failure",
    NULL,
};

bool machine_nmi(struct machine *m)
{
    if (!m->type->nmi)
        return false;
    m->type->nmi(m);
    return true;
}

static void watchdog(void *opaque)
{
    struct machine *m = opaque;

    machine_emit(m, EVENT_WATCHDOG, CAUSE_NONE);
    switch (m->cfg.watchdog_action) {
    case WATCHDOG_RESET: machine_request_reset(m, CAUSE_GUEST_RESET); break;
    case WATCHDOG_SHUTDOWN: machine_request_powerdown(m); break;
    case WATCHDOG_POWEROFF: machine_request_shutdown(m, CAUSE_GUEST_SHUTDOWN, 0); break;
    case WATCHDOG_PAUSE: machine_request_stop(m, RUN_WATCHDOG); break;
    case WATCHDOG_DEBUG: fprintf(stderr, "myna: the watchdog ran out\n"); break;
    case WATCHDOG_NONE: break;
    case WATCHDOG_NMI: machine_nmi(m); break;
    }
}

void machine_watchdog(struct machine *m)
{
    loop_run_in_main(m->loop, watchdog, m);
}

static void panicked(void *opaque)
{
    struct machine *m = opaque;

    machine_emit(m, EVENT_GUEST_PANICKED, CAUSE_GUEST_PANIC);
    switch (m->cfg.panic_action) {
    case PANIC_SHUTDOWN: machine_request_shutdown(m, CAUSE_GUEST_PANIC, 0); break;
    case PANIC_PAUSE: machine_request_stop(m, RUN_GUEST_PANICKED); break;
    case PANIC_NONE: break;
    case PANIC_EXIT_FAILURE: machine_request_shutdown(m, CAUSE_GUEST_PANIC, 1); break;
    }
}

void machine_panicked(struct machine *m)
{
    loop_run_in_main(m->loop, panicked, m);
}
