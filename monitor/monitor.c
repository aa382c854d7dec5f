/*
 * The monitors of a machine: sessions on chardevs, and the machine's events for all of them.
 *
 * A client that does not read is held up: while much output waits for it, no command of its runs
 * and nothing more is read from it. Events, which it cannot hold up, wait in its language and are
 * merged.
 */
#include <string.h>
#include <base/option.h>
#include <target/cpu.h>
#include <block/block.h>
#include "session.h"

enum { HOLD_EVENTS_AT = 16 * 1024, HOLD_INPUT_AT = 64 * 1024 };

struct monitors {
    struct machine *machine;
    struct chardev_set *chardevs;
    struct block_set *blocks;                                /* NULL: none */
    struct net_set *nets;                                    /* NULL: none */
    struct gdbstub *gdb;                                     /* NULL: none */
    bool (*option_at)(unsigned n, struct monitor_option *o); /* NULL: none */
    const GPtrArray *vncs;                                   /* of struct vnc; NULL: none */
    const struct monitor_display *display;
    const struct clipboard *clipboard; /* NULL: none */
    GPtrArray *list;                   /* of struct monitor */
};

static void flush(struct monitor *m)
{
    size_t n;

    if (!m->out->len)
        return;
    n = chardev_fe_write(&m->fe, m->out->data, m->out->len);
    g_byte_array_remove_range(m->out, 0, n);
}

void monitor_write(struct monitor *m, const char *text, size_t len)
{
    g_byte_array_append(m->out, (const guint8 *)text, len);
    flush(m);
}

bool monitor_crowded(const struct monitor *m)
{
    return m->out->len > HOLD_EVENTS_AT;
}

bool monitor_full(const struct monitor *m)
{
    return m->out->len > HOLD_INPUT_AT;
}

/* Sends what there is, and what was kept back if there is room for it. */
static void pump(struct monitor *m)
{
    flush(m);
    while (m->language->more && !monitor_crowded(m) && m->language->more(m->state))
        ;
}

/* Puts in what came, as far as it is taken. A command may end the connection, and its input. */
static void feed(struct monitor *m)
{
    size_t n;

    if (!m->in_len || monitor_full(m))
        return;
    n = m->language->input(m->state, m->in, m->in_len);
    n = MIN(n, m->in_len);
    m->in_len -= n;
    memmove(m->in, m->in + n, m->in_len);
}

static size_t can_receive(void *opaque)
{
    struct monitor *m = opaque;

    if (m->in_len || monitor_full(m) || (m->language->busy && m->language->busy(m->state)))
        return 0;
    return sizeof(m->in);
}

void monitor_input_done(struct monitor *m)
{
    chardev_fe_accept_input(&m->fe);
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    struct monitor *m = opaque;

    memcpy(m->in, buf, len);
    m->in_len = len;
    feed(m);
}

static void chardev_event_for(void *opaque, enum chardev_event event)
{
    struct monitor *m = opaque;

    switch (event) {
    case CHARDEV_OPENED: m->language->opened(m->state); break;
    case CHARDEV_CLOSED:
        g_byte_array_set_size(m->out, 0);
        m->in_len = 0;
        m->language->closed(m->state);
        break;
    case CHARDEV_MUX_IN:
    case CHARDEV_MUX_OUT:
        if (m->language->focus)
            m->language->focus(m->state, event == CHARDEV_MUX_IN);
        break;
    case CHARDEV_BREAK: break;
    }
}

static void writable(void *opaque)
{
    struct monitor *m = opaque;

    pump(m);
    feed(m);
    if (m->language->go_on)
        m->language->go_on(m->state);
    chardev_fe_accept_input(&m->fe);
}

static const struct chardev_fe_ops fe_ops = {
    .can_receive = can_receive,
    .receive = receive,
    .event = chardev_event_for,
    .writable = writable,
    .background = true,
};

/* Clients that read get the last answers too; others do not hold up the end. */
static void flush_at_end(struct monitor *m)
{
    enum { STEP_US = 5000, STEPS = 200 };

    pump(m);
    for (unsigned i = 0; i < STEPS && m->out->len; i++) {
        g_usleep(STEP_US);
        pump(m);
    }
}

static void monitor_free(void *data)
{
    struct monitor *m = data;

    flush_at_end(m);
    chardev_fe_detach(&m->fe);
    m->language->free(m->state);
    g_byte_array_unref(m->out);
    g_clear_pointer(&m->fds, g_hash_table_destroy);
    g_free(m);
}

bool monitors_add(struct monitors *set, struct chardev *chr, enum monitor_mode mode, bool pretty,
                  GError **err)
{
    struct monitor *m = g_new0(struct monitor, 1);

    m->mon = (struct mon){ .set = set,
                           .machine = set->machine,
                           .chardevs = set->chardevs,
                           .session = m,
                           .format = 'x',
                           .size = 4 };
    m->language = mode == MONITOR_QMP ? &qmp_language : &hmp_language;
    m->pretty = pretty;
    m->out = g_byte_array_new();
    m->state = m->language->create(m);
    if (!chardev_fe_attach(&m->fe, chr, &fe_ops, m, "a monitor", err)) {
        monitor_free(m);
        return false;
    }
    g_ptr_array_add(set->list, m);
    return true;
}

bool monitors_add_from_opts(struct monitors *set, const char *arg, GError **err)
{
    static const char *const modes[] = { "readline", "control", NULL };
    struct opts *opts = opts_parse("-mon", arg, "chardev", err);
    struct chardev *chr = NULL;
    bool pretty = false, ok = false;
    const char *id;
    int mode = 0;

    if (!opts)
        return false;
    id = opts_str(opts, "chardev", NULL);
    if (!id)
        error_set(err, "-mon: '%s' needs chardev=ID", arg);
    else if (opts_enum(opts, "mode", modes, &mode, err) &&
             opts_bool(opts, "pretty", &pretty, err) && opts_done(opts, err))
        chr = chardev_find(set->chardevs, id, err);
    if (chr)
        ok = monitors_add(set, chr, mode ? MONITOR_QMP : MONITOR_HMP, pretty, err);
    opts_free(opts);
    return ok;
}

char *monitors_run_hmp(struct monitors *set, const char *line)
{
    struct mon mon = {
        .set = set, .machine = set->machine, .chardevs = set->chardevs, .format = 'x', .size = 4
    };
    GString *out = g_string_new("");

    hmp_execute(&mon, line, out);
    return g_string_free(out, false);
}

void monitors_event(struct monitors *set, const char *name, json_t *data)
{
    for (unsigned i = 0; i < set->list->len; i++) {
        struct monitor *m = g_ptr_array_index(set->list, i);

        if (m->language->event)
            m->language->event(m->state, name, data);
    }
    json_decref(data);
}

static const struct mon_type shutdown_cause = ENUM_TYPE("ShutdownCause", machine_cause_names);
static const struct mon_member cause_members[] = {
    MEMBER("guest", &mon_bool),
    MEMBER("reason", &shutdown_cause),
    { 0 },
};
static const struct mon_type cause_data = OBJECT_TYPE("ShutdownData", cause_members);

static const struct mon_member deleted_members[] = {
    OPTIONAL("device", &mon_str),
    MEMBER("path", &mon_str),
    { 0 },
};
static const struct mon_type deleted_data = OBJECT_TYPE("DeviceDeletedData", deleted_members);

const struct mon_type mon_watchdog_action = ENUM_TYPE("WatchdogAction", watchdog_action_names);
static const struct mon_member watchdog_members[] = { MEMBER("action", &mon_watchdog_action),
                                                      { 0 } };
static const struct mon_type watchdog_data = OBJECT_TYPE("WatchdogData", watchdog_members);

static const char *const panic_results[] = { "pause", "poweroff", "run", NULL };
static const struct mon_type panic_type = ENUM_TYPE("GuestPanicAction", panic_results);
static const struct mon_member panic_members[] = { MEMBER("action", &panic_type), { 0 } };
static const struct mon_type panic_data = OBJECT_TYPE("GuestPanickedData", panic_members);

static const struct mon_member tray_members[] = {
    MEMBER("device", &mon_str),
    MEMBER("id", &mon_str),
    MEMBER("tray-open", &mon_bool),
    { 0 },
};
static const struct mon_type tray_data = OBJECT_TYPE("DeviceTrayMovedData", tray_members);

/* The machine's events come first, in the order of enum machine_event. */
const struct mon_event mon_events[] = {
    [EVENT_STOP] = { .name = "STOP" },
    [EVENT_RESUME] = { .name = "RESUME" },
    [EVENT_RESET] = { .name = "RESET", .data = &cause_data },
    [EVENT_SHUTDOWN] = { .name = "SHUTDOWN", .data = &cause_data },
    [EVENT_POWERDOWN] = { .name = "POWERDOWN" },
    [EVENT_SUSPEND] = { .name = "SUSPEND" },
    [EVENT_WAKEUP] = { .name = "WAKEUP" },
    [EVENT_WATCHDOG] = { .name = "WATCHDOG", .data = &watchdog_data },
    [EVENT_GUEST_PANICKED] = { .name = "GUEST_PANICKED", .data = &panic_data },
    { .name = "DEVICE_DELETED", .data = &deleted_data },
    { .name = "DEVICE_TRAY_MOVED", .data = &tray_data },
    { .name = "VNC_CONNECTED", .data = &mon_vnc_event_data },
    { .name = "VNC_INITIALIZED", .data = &mon_vnc_event_data },
    { .name = "VNC_DISCONNECTED", .data = &mon_vnc_event_data },
    { 0 },
};

static json_t *event_data(const struct machine *m, enum machine_event e, enum machine_cause cause)
{
    static const char *const panic_result[] = {
        [PANIC_SHUTDOWN] = "poweroff",
        [PANIC_PAUSE] = "pause",
        [PANIC_NONE] = "run",
        [PANIC_EXIT_FAILURE] = "poweroff",
    };

    switch (e) {
    case EVENT_WATCHDOG:
        return json_pack("{s:s}", "action", watchdog_action_names[m->cfg.watchdog_action]);
    case EVENT_GUEST_PANICKED:
        return json_pack("{s:s}", "action", panic_result[m->cfg.panic_action]);
    case EVENT_RESET:
    case EVENT_SHUTDOWN:
        return json_pack("{s:b, s:s}", "guest", machine_cause_is_guest(cause), "reason",
                         machine_cause_name(cause));
    default: return NULL;
    }
}

static void on_machine_event(void *opaque, enum machine_event e, enum machine_cause cause)
{
    struct monitors *set = opaque;

    monitors_event(set, mon_events[e].name, event_data(set->machine, e, cause));
}

static void on_unplugged(void *opaque, const char *id, const char *path)
{
    json_t *data = json_pack("{s:s}", "path", path);

    if (id)
        json_object_set_new(data, "device", json_string(id));
    monitors_event(opaque, "DEVICE_DELETED", data);
}

struct monitors *monitors_new(struct machine *machine, struct chardev_set *chardevs)
{
    struct monitors *set = g_new0(struct monitors, 1);

    set->machine = machine;
    set->chardevs = chardevs;
    set->list = g_ptr_array_new_with_free_func(monitor_free);
    machine_on_event(machine, on_machine_event, set);
    device_on_unplugged(machine, on_unplugged, set);
    return set;
}

static void on_tray(void *opaque, struct block *b, bool open)
{
    const char *user = block_user(b);

    monitors_event(opaque, "DEVICE_TRAY_MOVED",
                   json_pack("{s:s, s:s, s:b}", "device", block_id(b), "id", user ? user : "",
                             "tray-open", open));
}

void monitors_set_backends(struct monitors *set, struct block_set *blocks, struct net_set *nets)
{
    set->blocks = blocks;
    set->nets = nets;
    if (blocks)
        block_set_on_tray(blocks, on_tray, set);
}

void monitors_set_options(struct monitors *set, bool (*at)(unsigned n, struct monitor_option *o))
{
    set->option_at = at;
}

void monitors_set_gdbstub(struct monitors *set, struct gdbstub *gdb)
{
    set->gdb = gdb;
}

bool mon_option_at(const struct mon *mon, unsigned n, struct monitor_option *o)
{
    return mon->set->option_at && mon->set->option_at(n, o);
}

void monitors_set_displays(struct monitors *set, const GPtrArray *vncs,
                           const struct monitor_display *display, const struct clipboard *clipboard)
{
    set->vncs = vncs;
    set->display = display;
    set->clipboard = clipboard;
}

const struct clipboard *mon_clipboard(const struct mon *mon)
{
    return mon->set->clipboard;
}

const GPtrArray *mon_vncs(const struct mon *mon)
{
    return mon->set->vncs;
}

const struct monitor_display *mon_display(const struct mon *mon)
{
    return mon->set->display;
}

struct gdbstub *mon_gdbstub(const struct mon *mon)
{
    return mon->set->gdb;
}

struct net_set *mon_nets(const struct mon *mon)
{
    return mon->set->nets;
}

struct block_set *mon_blocks(const struct mon *mon)
{
    return mon->set->blocks;
}

void monitors_free(struct monitors *set)
{
    if (!set)
        return;
    if (set->blocks)
        block_set_on_tray(set->blocks, NULL, NULL);
    machine_off_event(set->machine, on_machine_event, set);
    device_on_unplugged(set->machine, NULL, NULL);
    g_ptr_array_free(set->list, true);
    g_free(set);
}

struct cpu *mon_hold_cpu(struct mon *mon, GError **err)
{
    struct machine *m = mon->machine;

    if (mon->cpu >= m->cpus->len) {
        error_set(err, "this machine has no CPU");
        return NULL;
    }
    if (machine_running(m) && m->cpu_ops)
        m->cpu_ops->pause(m);
    return g_ptr_array_index(m->cpus, mon->cpu);
}

void mon_release_cpu(struct mon *mon)
{
    struct machine *m = mon->machine;

    if (machine_running(m) && m->cpu_ops)
        m->cpu_ops->resume(m);
}
