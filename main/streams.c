/*
 * Who gets which character stream. Where there is a window or a VNC server, serial port and monitor
 * have consoles there; else the terminal shows the serial port, with the monitor behind C-a c.
 */
#include "parts.h"

#include <base/error.h>

static bool make_chardevs(struct session *s, GError **err)
{
    const GPtrArray *list = s->config->lists[LIST_CHARDEV];

    for (guint i = 0; i < list->len; i++) {
        if (!chardev_new_parsed(s->chardevs, list->pdata[i], err)) {
            return false;
        }
    }
    return true;
}

static bool names_stdio(const char *stream)
{
    return stream && (g_str_has_prefix(stream, "stdio") || g_str_has_prefix(stream, "mon:stdio"));
}

/* Whether the terminal already belongs to somebody by an explicit option. */
static bool stdio_is_taken(const struct config *c)
{
    for (int k = 0; k < STREAMS_COUNT; k++) {
        for (guint i = 0; i < c->streams[k]->len; i++) {
            if (names_stdio(c->streams[k]->pdata[i])) {
                return true;
            }
        }
    }
    for (guint i = 0; i < c->lists[LIST_CHARDEV]->len; i++) {
        if (g_strcmp0(opts_str(c->lists[LIST_CHARDEV]->pdata[i], "backend", NULL), "stdio") == 0) {
            return true;
        }
    }
    return names_stdio(c->text[TEXT_GDB]) || names_stdio(c->text[TEXT_QTEST]);
}

static void add_stream(struct config *c, enum config_streams which, const char *stream)
{
    g_ptr_array_add(c->streams[which], g_strdup(stream));
}

/* Whether the command line brings devices of this type by itself. */
static bool has_device(const struct config *c, const char *type)
{
    const GPtrArray *list = c->lists[LIST_DEVICE];

    for (guint i = 0; i < list->len; i++) {
        if (strcmp(opts_str(list->pdata[i], "driver", ""), type) == 0) {
            return true;
        }
    }
    return false;
}

/* There are a serial and a parallel port, though nobody may look. */
static void add_default_ports(const struct session *s)
{
    struct config *c = s->config;

    if (c->streams[STREAMS_SERIAL]->len == 0 && !has_device(c, "isa-serial")) {
        add_stream(c, STREAMS_SERIAL, s->graphical ? "vc" : "null");
    }
    if (c->streams[STREAMS_PARALLEL]->len == 0 && !has_device(c, "isa-parallel")) {
        add_stream(c, STREAMS_PARALLEL, "null");
    }
}

/* -nographic, or no word about a display: the terminal is for the serial port, the monitor, or
 * both. */
static void add_terminal(const struct session *s)
{
    struct config *c = s->config;
    bool terminal = c->flag[FLAG_NOGRAPHIC] ||
                    (!c->text[TEXT_DISPLAY] && !s->graphical && !c->flag[FLAG_DAEMONIZE]);
    bool serial = c->streams[STREAMS_SERIAL]->len == 0;
    bool monitor = c->streams[STREAMS_MONITOR]->len == 0 && c->lists[LIST_MON]->len == 0;

    if (s->graphical && !terminal) {
        if (monitor) {
            add_stream(c, STREAMS_MONITOR, "vc");
        }
        return;
    }
    if (!terminal || stdio_is_taken(c)) {
        return;
    }
    if (serial) {
        add_stream(c, STREAMS_SERIAL, monitor ? "mon:stdio" : "stdio");
    } else if (monitor && c->flag[FLAG_NOGRAPHIC]) {
        add_stream(c, STREAMS_MONITOR, "stdio");
    }
}

static void add_defaults(const struct session *s)
{
    if (!s->config->flag[FLAG_NODEFAULTS]) {
        add_terminal(s);
        add_default_ports(s);
    }
}

static void wish_monitor(struct session *s, struct chardev *chr, bool qmp, bool pretty)
{
    const struct monitor_wish wish = { .chr = chr, .qmp = qmp, .pretty = pretty };

    g_array_append_val(s->wishes, wish);
}

/* -serial and -parallel: @chr has room for @max. */
static bool make_ports(struct session *s, enum config_streams which, const char *name,
                       struct chardev **chr, unsigned max, GError **err)
{
    const GPtrArray *list = s->config->streams[which];

    for (guint i = 0; i < list->len; i++) {
        g_autofree char *id = g_strdup_printf("%s%u", name, i);
        const char *stream = list->pdata[i];
        GError *why = NULL;

        if (i >= max) {
            return error_set(err, "-%s: '%s' is one too many, there are %u ports at most", name,
                             stream, max);
        }
        chr[i] = chardev_new_from_legacy(s->chardevs, id, stream, &why);
        if (why) {
            g_propagate_prefixed_error(err, why, "-%s: ", name);
            return false;
        }
        if (chr[i] && g_str_has_prefix(stream, "mon:")) {
            wish_monitor(s, chr[i], false, false);
        }
    }
    return true;
}

bool streams_wish_parallel(const struct config *c)
{
    for (guint i = 0; i < c->streams[STREAMS_PARALLEL]->len; i++) {
        const char *stream = c->streams[STREAMS_PARALLEL]->pdata[i];

        if (strcmp(stream, "none") != 0 && strcmp(stream, "null") != 0) {
            return true;
        }
    }
    return false;
}

static bool make_monitor_streams(struct session *s, enum config_streams which, GError **err)
{
    const GPtrArray *list = s->config->streams[which];
    bool qmp = which == STREAMS_QMP;

    for (guint i = 0; i < list->len; i++) {
        g_autofree char *id = g_strdup_printf("compat_monitor%u", s->wishes->len);
        GError *why = NULL;
        struct chardev *chr = chardev_new_from_legacy(s->chardevs, id, list->pdata[i], &why);

        if (why) {
            g_propagate_prefixed_error(err, why, qmp ? "-qmp: " : "-monitor: ");
            return false;
        }
        if (chr) {
            wish_monitor(s, chr, qmp, false);
        }
    }
    return true;
}

/* -mon chardev=ID,mode=readline|control,pretty=on */
static bool take_mons(struct session *s, GError **err)
{
    static const char *const modes[] = { "readline", "control", NULL };
    const GPtrArray *list = s->config->lists[LIST_MON];

    for (guint i = 0; i < list->len; i++) {
        struct opts *o = list->pdata[i];
        const char *id = opts_str(o, "chardev", NULL);
        struct chardev *chr;
        bool pretty = false;
        int mode = 0;

        opts_known(o, "id");
        if (!id) {
            return error_set(err, "-mon: chardev=ID is missing");
        }
        if (!opts_enum(o, "mode", modes, &mode, err) || !opts_bool(o, "pretty", &pretty, err) ||
            !opts_done(o, err)) {
            return false;
        }
        chr = chardev_find(s->chardevs, id, err);
        if (!chr) {
            g_prefix_error(err, "-mon: ");
            return false;
        }
        wish_monitor(s, chr, mode == 1, pretty);
    }
    return true;
}

static bool check_options(const struct config *c, GError **err)
{
    return !c->flag[FLAG_DAEMONIZE] || !stdio_is_taken(c) ||
           error_set(err, "-daemonize: the terminal is gone then, nothing can be on stdio");
}

bool streams_make(struct session *s, GError **err)
{
    if (!check_options(s->config, err)) {
        return false;
    }
    add_defaults(s);
    return make_chardevs(s, err) &&
           make_ports(s, STREAMS_SERIAL, "serial", s->serials, MACHINE_SERIALS, err) &&
           make_ports(s, STREAMS_PARALLEL, "parallel", s->parallels, MACHINE_PARALLELS, err) &&
           make_monitor_streams(s, STREAMS_MONITOR, err) &&
           make_monitor_streams(s, STREAMS_QMP, err) && take_mons(s, err);
}

bool streams_add_monitors(struct session *s, GError **err)
{
    s->monitors = monitors_new(s->machine, s->chardevs);
    monitors_set_backends(s->monitors, s->blocks, s->nets);
    monitors_set_options(s->monitors, config_pairs_at);
    for (guint i = 0; i < s->wishes->len; i++) {
        const struct monitor_wish *w = &g_array_index(s->wishes, struct monitor_wish, i);

        if (!monitors_add(s->monitors, w->chr, w->qmp ? MONITOR_QMP : MONITOR_HMP, w->pretty,
                          err)) {
            return false;
        }
    }
    return true;
}

bool streams_add_gdb(struct session *s, GError **err)
{
    const char *stream = s->config->text[TEXT_GDB];

    s->gdb = gdbstub_new(s->machine, s->monitors, s->chardevs);
    monitors_set_gdbstub(s->monitors, s->gdb);
    if (!stream || gdbstub_listen(s->gdb, stream, err)) {
        return true;
    }
    g_prefix_error(err, "-gdb: ");
    return false;
}
