/*
 * Commands that run, stop, reset and end the machine.
 */
#include <string.h>
#include "command.h"

static json_t *quit(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    machine_request_shutdown(mon->machine, CAUSE_HOST_QMP_QUIT, 0);
    return NULL;
}

static json_t *stop(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    if (machine_running(mon->machine))
        machine_stop(mon->machine, RUN_PAUSED);
    return NULL;
}

static json_t *cont(struct mon *mon, const json_t *args, GError **err)
{
    enum run_state s = mon->machine->run_state;

    (void)args;
    if (s == RUN_SHUTDOWN || s == RUN_INTERNAL_ERROR)
        error_set(err, "Resetting the Virtual Machine is required");
    else if (s == RUN_SUSPENDED)
        error_set(err, "the machine sleeps: system_wakeup wakes it");
    else if (!machine_running(mon->machine))
        machine_start(mon->machine);
    return NULL;
}

static json_t *system_reset(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    machine_request_reset(mon->machine, CAUSE_HOST_QMP_SYSTEM_RESET);
    return NULL;
}

static json_t *system_powerdown(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    machine_request_powerdown(mon->machine);
    return NULL;
}

static json_t *system_wakeup(struct mon *mon, const json_t *args, GError **err)
{
    (void)args;
    if (mon->machine->run_state == RUN_SUSPENDED)
        machine_request_wakeup(mon->machine);
    else
        error_set(err, "Unable to wake up: guest is not in suspended state");
    return NULL;
}

static json_t *inject_nmi(struct mon *mon, const json_t *args, GError **err)
{
    (void)args;
    if (!machine_nmi(mon->machine))
        error_set(err, "machine '%s' does not provide NMIs", mon->machine->type->name);
    return NULL;
}

static const struct mon_type run_state_type = ENUM_TYPE("RunState", run_state_names);
static const struct mon_member status_members[] = {
    MEMBER("running", &mon_bool),
    MEMBER("singlestep", &mon_bool),
    MEMBER("status", &run_state_type),
    { 0 },
};
static const struct mon_type status_info = OBJECT_TYPE("StatusInfo", status_members);

static json_t *query_status(struct mon *mon, const json_t *args, GError **err)
{
    struct machine *m = mon->machine;

    (void)args, (void)err;
    return json_pack("{s:s, s:b, s:b}", "status", run_state_name(m->run_state), "singlestep", 0,
                     "running", machine_running(m));
}

static bool info_status(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    struct machine *m = mon->machine;
    bool running = machine_running(m);

    (void)args, (void)err;
    g_string_append_printf(out, "VM status: %s", running ? "running" : "paused");
    if (!running && m->run_state != RUN_PAUSED)
        g_string_append_printf(out, " (%s)", run_state_name(m->run_state));
    g_string_append(out, "\n");
    return true;
}

/* ---- What becomes of a guest that ends, see -action ---- */

static const char *const reboot_names[] = { "reset", "shutdown", NULL };
static const char *const shutdown_names[] = { "poweroff", "pause", NULL };
static const struct mon_type reboot_type = ENUM_TYPE("RebootAction", reboot_names);
static const struct mon_type shutdown_type = ENUM_TYPE("ShutdownAction", shutdown_names);
static const struct mon_type panic_type = ENUM_TYPE("PanicAction", panic_action_names);

static const struct mon_member action_args[] = {
    OPTIONAL("reboot", &reboot_type),
    OPTIONAL("shutdown", &shutdown_type),
    OPTIONAL("panic", &panic_type),
    OPTIONAL("watchdog", &mon_watchdog_action),
    { 0 },
};
static const struct mon_member watchdog_args[] = { MEMBER("action", &mon_watchdog_action), { 0 } };

/* The place of a word that was checked; -1: not given. */
static int chosen(const json_t *args, const char *key, const char *const *names)
{
    const char *word = json_string_value(json_object_get(args, key));

    for (int i = 0; word && names[i]; i++)
        if (!strcmp(names[i], word))
            return i;
    return -1;
}

static json_t *set_action(struct mon *mon, const json_t *args, GError **err)
{
    struct machine_config *c = &mon->machine->cfg;
    int reboot = chosen(args, "reboot", reboot_names);
    int shutdown = chosen(args, "shutdown", shutdown_names);
    int panic = chosen(args, "panic", panic_action_names);
    int watchdog = chosen(args, "watchdog", watchdog_action_names);

    (void)err;
    c->no_reboot = reboot < 0 ? c->no_reboot : reboot;
    c->no_shutdown = shutdown < 0 ? c->no_shutdown : shutdown;
    c->panic_action = panic < 0 ? c->panic_action : (enum panic_action)panic;
    c->watchdog_action = watchdog < 0 ? c->watchdog_action : (enum watchdog_action)watchdog;
    return NULL;
}

static json_t *watchdog_action(struct mon *mon, const json_t *args, GError **err)
{
    (void)err;
    mon->machine->cfg.watchdog_action =
        (enum watchdog_action)chosen(args, "action", watchdog_action_names);
    return NULL;
}

const struct mon_command run_commands[] = {
    { .qmp = "quit", .hmp = "quit|q", .run = quit, .help = "quit the emulator" },
    { .qmp = "stop", .hmp = "stop|s", .run = stop, .help = "stop emulation" },
    { .qmp = "cont", .hmp = "cont|c", .run = cont, .help = "resume emulation" },
    { .qmp = "system_reset",
      .hmp = "system_reset",
      .run = system_reset,
      .help = "reset the system" },
    { .qmp = "system_powerdown",
      .hmp = "system_powerdown",
      .run = system_powerdown,
      .help = "send system power down event" },
    { .qmp = "system_wakeup",
      .hmp = "system_wakeup",
      .run = system_wakeup,
      .help = "wakeup guest from suspend" },
    { .qmp = "set-action", .run = set_action, .args = action_args },
    { .qmp = "watchdog-set-action",
      .run = watchdog_action,
      .args = watchdog_args,
      .hmp = "watchdog_action",
      .params = "action",
      .help = "change what is done when a watchdog runs out" },
    { .qmp = "inject-nmi", .hmp = "nmi", .run = inject_nmi, .help = "inject an NMI" },
    { .qmp = "query-status",
      .run = query_status,
      .ret = &status_info,
      .hmp = "info status",
      .text = info_status,
      .help = "show the current VM status (running|paused)" },
    { 0 },
};
