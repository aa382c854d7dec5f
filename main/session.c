/*
 * One machine from the command line to its end. Parts are made in the order in which they need each
 * other: streams, machine, devices, what runs it; and are taken apart in reverse.
 */
#include "session.h"

#include <base/error.h>
#include <base/loop.h>

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
    s->machine = machine_new(type, s->loop, &mc);
    machine_set_backend(s->machine, BACKEND_CHARDEV, find_chardev, name_chardev, s);
    for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
        s->machine->serials[i] = s->serials[i];
    }
    return machine_opts_props(s->config, s->machine, err) && machine_init(s->machine, err);
}

static bool make_devices(struct session *s, GError **err)
{
    const GPtrArray *list = s->config->lists[LIST_DEVICE];

    for (guint i = 0; i < list->len; i++) {
        if (!device_create(s->machine, list->pdata[i], err)) {
            return false;
        }
    }
    return true;
}

static bool make_all(struct session *s, GError **err)
{
    return signals_begin(s, err) && machine_opts_clocks(s->config, s->loop, &s->icount, err) &&
           streams_make(s, err) && make_machine(s, err) && make_devices(s, err) &&
           accel_choose(s, err);
}

/* The last things that can fail, once all files are open. */
static bool settle(struct session *s, GError **err)
{
    const char *path = s->config->text[TEXT_PIDFILE];

    return (!path || pidfile_create(path, err)) &&
           sandbox_apply(s->config->one[ONE_SANDBOX], err) && daemon_ready(err);
}

static void take_apart(struct session *s)
{
    if (s->accel) {
        s->accel->free(s->machine);
    }
    if (s->machine) {
        machine_free(s->machine);
    }
    if (s->chardevs) {
        chardev_set_free(s->chardevs);
    }
    signals_end(s);
    g_array_free(s->monitors, TRUE);
}

bool session_run(struct config *c, int *status, GError **err)
{
    struct session s = { .config = c, .loop = loop_new() };
    const struct chardev_hooks hooks = { .quit = user_quits, .opaque = &s };
    bool ok;

    loop_lock(s.loop);
    s.monitors = g_array_new(FALSE, FALSE, sizeof(struct monitor_wish));
    s.chardevs = chardev_set_new(s.loop, &hooks);
    ok = make_all(&s, err) && settle(&s, err);
    if (ok) {
        machine_reset(s.machine, CAUSE_NONE);
        if (!c->flag[FLAG_STOPPED]) {
            machine_start(s.machine);
        }
        loop_unlock(s.loop);
        loop_run(s.loop);
        loop_lock(s.loop);
        *status = s.machine->exit_code;
    }
    take_apart(&s);
    loop_unlock(s.loop);
    loop_free(s.loop);
    return ok;
}
