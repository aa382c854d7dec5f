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
    { .qmp = "inject-nmi", .hmp = "nmi", .run = inject_nmi, .help = "inject an NMI" },
    { .qmp = "query-status",
      .run = query_status,
      .ret = &status_info,
      .hmp = "info status",
      .text = info_status,
      .help = "show the current VM status (running|paused)" },
    { 0 },
};
