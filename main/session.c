/*
 * One machine from the command line to its end. Parts are made in the order in which they need each
 * other: streams, machine, devices, what runs it; and are taken apart in reverse.
 */
#include "session.h"
#include <malloc.h>

#include <base/bug.h>
#include <base/error.h>
#include <base/loop.h>
#include <qtest/qtest.h>
#include <target/cpu.h>
#include <ui/console.h>
#include <ui/input.h>

#include "daemon.h"
#include "parts.h"
#include "sandbox.h"

/* C-a x */
static void user_quits(void *opaque)
{
    struct session *s = opaque;

    if (s->machine) {
        machine_request_shutdown(s->machine, CAUSE_HOST_UI, 0);
    }
}

static void *find_chardev(void *opaque, const char *id, GError **err)
{
    struct session *s = opaque;

    return chardev_find(s->chardevs, id, err);
}

static const char *name_chardev(void *backend)
{
    return chardev_id(backend);
}

static bool make_machine(struct session *s, GError **err)
{
    const char *arch = machine_opts_arch(s->config, err);
    const char *name = opts_str(s->config->one[ONE_MACHINE], "type", NULL);
    const struct machine_type *type = arch ? machine_type_find(name, arch, err) : NULL;
    struct machine_config mc = { 0 };

    if (!type) {
        return false;
    }
    if (!machine_opts_config(s->config, arch, &mc, err)) {
        machine_config_clear(&mc);
        return false;
    }
    if (!type->parallel_ports && streams_wish_parallel(s->config)) {
        machine_config_clear(&mc);
        return error_set(err, "-parallel: machine '%s' has no parallel ports", type->name);
    }
    mc.no_cpus = !accel_runs_cpus(s->config);
    s->machine = machine_new(type, s->loop, &mc);
    mem_begin(s->machine->mem); /* until all devices are there */
    s->machine->input = s->input;
    s->machine->consoles = s->consoles;
    machine_set_backend(s->machine, BACKEND_CHARDEV, find_chardev, name_chardev, s);
    for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
        s->machine->serials[i] = s->serials[i];
    }
    for (unsigned i = 0; i < MACHINE_PARALLELS; i++) {
        s->machine->parallels[i] = s->parallels[i];
    }
    if (!objects_make(s, err) || !backends_make(s, err) || !networks_make(s, err)) {
        return false;
    }
    return machine_opts_props(s->config, s->machine, err) && machine_init(s->machine, err);
}

static bool make_devices(struct session *s, GError **err)
{
    const GPtrArray *list = s->config->lists[LIST_DEVICE];

    if (!graphics_add_device(s, err) || !usb_add_controller(s, err)) {
        return false;
    }
    for (guint i = 0; i < list->len; i++) {
        if (!device_create(s->machine, list->pdata[i], err)) {
            return false;
        }
    }
    if (!usb_add_devices(s, err) || !backends_add_devices(s, err) ||
        !networks_add_devices(s, err)) {
        return false;
    }
    mem_end(s->machine->mem);
    return true;
}

static bool make_qtest(struct session *s, GError **err)
{
    const char *stream = s->config->text[TEXT_QTEST];
    GError *why = NULL;
    struct chardev *chr;

    if (!stream) {
        return true;
    }
    chr = chardev_new_from_legacy(s->chardevs, "qtest", stream, &why);
    if (why) {
        g_propagate_prefixed_error(err, why, "-qtest: ");
        return false;
    }
    s->qtest = chr ? qtest_new(s->machine, chr, err) : NULL;
    return !chr || s->qtest;
}

static bool make_all(struct session *s, GError **err)
{
    return accel_check(s->config, err) && graphics_check(s->config, err) &&
           displays_choose(s, err) && signals_begin(s, err) &&
           machine_opts_clocks(s->config, s->loop, &s->icount, err) && streams_make(s, err) &&
           make_machine(s, err) && make_devices(s, err) && accel_choose(s, err) &&
           make_qtest(s, err) && streams_add_monitors(s, err) && streams_add_gdb(s, err) &&
           displays_make(s, err);
}

/* The last things that can fail, once all files are open. */
static bool settle(struct session *s, GError **err)
{
    const char *path = s->config->text[TEXT_PIDFILE];

    return (!path || pidfile_create(path, err)) &&
           sandbox_apply(s->config->one[ONE_SANDBOX], err) && daemon_ready(err);
}

/* For bug reports. CPUs may be running: what is printed of them may be torn. */
static void print_state(void *opaque)
{
    const struct session *s = opaque;
    g_autoptr(GString) out = g_string_new(NULL);

    if (!s->machine) {
        return;
    }
    fprintf(stderr, "machine %s is %s\n", s->machine->type->name,
            run_state_name(s->machine->run_state));
    for (guint i = 0; i < s->machine->cpus->len; i++) {
        struct cpu *cpu = s->machine->cpus->pdata[i];

        g_string_append_printf(out, "CPU %u:\n", cpu->index);
        cpu->ops->dump(cpu, out);
    }
    fputs(out->str, stderr);
}

static void take_apart(struct session *s)
{
    displays_free(s);
    if (s->qtest) {
        qtest_free(s->qtest);
    }
    if (s->gdb) {
        gdbstub_free(s->gdb);
        monitors_set_gdbstub(s->monitors, NULL);
    }
    if (s->monitors) {
        monitors_free(s->monitors);
    }
    if (s->accel) {
        s->accel->free(s->machine);
    }
    if (s->machine) {
        machine_free(s->machine);
    }
    input_free(s->input);
    backends_free(s);
    networks_free(s);
    if (s->chardevs) {
        chardev_set_free(s->chardevs);
    }
    consoles_free(s->consoles);
    clipboard_free(s->clipboard);
    signals_end(s);
    g_array_free(s->wishes, TRUE);
}

/* What loading images took and freed again would stay resident for good. */
static void give_back_memory(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

bool session_run(struct config *c, int *status, GError **err)
{
    struct session s = { .config = c, .loop = loop_new() };
    const struct chardev_hooks hooks = { .quit = user_quits,
                                         .vc_open = displays_vc_open,
                                         .vc_write = displays_vc_write,
                                         .vc_close = displays_vc_close,
                                         .agent_open = displays_agent_open,
                                         .agent_connected = displays_agent_connected,
                                         .agent_write = displays_agent_write,
                                         .agent_read = displays_agent_read,
                                         .agent_close = displays_agent_close,
                                         .opaque = &s };
    bool ok;

    bug_set_hook(print_state, &s);
    loop_lock(s.loop);
    s.input = input_new(s.loop);
    s.consoles = consoles_new(s.loop);
    s.clipboard = clipboard_new();
    s.wishes = g_array_new(FALSE, FALSE, sizeof(struct monitor_wish));
    s.chardevs = chardev_set_new(s.loop, &hooks);
    ok = make_all(&s, err) && settle(&s, err);
    if (ok && !s.machine->exiting) {
        machine_ready(s.machine);
        machine_reset(s.machine, CAUSE_NONE);
        give_back_memory();
        if (!c->flag[FLAG_STOPPED]) {
            machine_start(s.machine);
        }
        loop_unlock(s.loop);
        loop_run(s.loop);
        loop_lock(s.loop);
    }
    if (ok) {
        *status = s.machine->exit_code;
    }
    take_apart(&s);
    bug_set_hook(NULL, NULL);
    loop_unlock(s.loop);
    loop_free(s.loop);
    return ok;
}
