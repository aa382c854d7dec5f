/*
 * Who shows the guest's screen: -display, -vnc, -sdl, -nographic, and what there is without a word:
 * a window where a desktop session is, else the terminal.
 */
#include <string.h>
#include <base/error.h>
#include <hw/backend/secret.h>
#include <hw/backend/tls.h>
#include <ui/text.h>
#include <ui/vdagent.h>

#include "parts.h"

static const char *const kinds[] = { [DISPLAY_NONE] = "none", [DISPLAY_SDL] = "sdl", NULL };

/* ---- which ---- */

/* Displays of other emulators that scripts may ask for. */
static bool unknown_display(const char *name, GError **err)
{
    static const char *const foreign[] = { "gtk",   "curses", "spice-app",
                                           "cocoa", "dbus",   "egl-headless" };
    struct nearest n;

    for (unsigned i = 0; i < G_N_ELEMENTS(foreign); i++) {
        if (strcmp(name, foreign[i]) == 0) {
            return error_set(err,
                             "-display: '%s' is not there; 'sdl' is a window, 'vnc=:0' a "
                             "server for viewers, -nographic the terminal",
                             name);
        }
    }
    nearest_init(&n, name);
    for (unsigned i = 0; kinds[i]; i++) {
        nearest_try(&n, kinds[i]);
    }
    nearest_try(&n, "vnc");
    return error_set_unknown(err, "-display", "display", name, &n);
}

static bool has_desktop(void)
{
    const char *x = g_getenv("DISPLAY"), *wayland = g_getenv("WAYLAND_DISPLAY");

    return (x && *x) || (wayland && *wayland);
}

/* Without a word: a window, unless something says that nobody looks at this machine. */
static bool wants_window(const struct config *c)
{
    return has_desktop() && !c->flag[FLAG_NOGRAPHIC] && !c->flag[FLAG_DAEMONIZE] &&
           !c->text[TEXT_QTEST] && !c->lists[LIST_VNC]->len && sdl_open(NULL);
}

/* "-display vnc=WHERE,OPTION..." is "-vnc WHERE,OPTION...". */
static bool take_display(struct session *s, GError **err)
{
    const char *text = s->config->text[TEXT_DISPLAY];
    struct opts *o = opts_parse("-display", text, "type", err);
    const char *type = o ? opts_str(o, "type", NULL) : NULL;
    int kind;

    if (!o) {
        return false;
    }
    if (opts_has(o, "vnc")) {
        g_ptr_array_add(s->config->lists[LIST_VNC], o);
        return true;
    }
    if (!type || !opts_enum(o, "type", kinds, &kind, NULL)) {
        unknown_display(type ? type : "", err);
        opts_free(o);
        return false;
    }
    s->display = (enum display_kind)kind;
    s->display_opts = o;
    return true;
}

static bool check_terminal(const struct config *c, GError **err)
{
    if (c->flag[FLAG_DAEMONIZE] && c->flag[FLAG_NOGRAPHIC]) {
        return error_set(err,
                         "-nographic: the terminal is gone after -daemonize, use -display none");
    }
    return true;
}

bool displays_choose(struct session *s, GError **err)
{
    struct config *c = s->config;

    if (!check_terminal(c, err)) {
        return false;
    }
    if (c->text[TEXT_DISPLAY] && !c->flag[FLAG_NOGRAPHIC]) {
        if (!take_display(s, err)) {
            return false;
        }
    } else if (wants_window(c)) {
        s->display = DISPLAY_SDL;
    }
    if (s->display == DISPLAY_SDL && !sdl_open(err)) {
        return false;
    }
    if (!s->display_opts) {
        s->display_opts = opts_new("-display");
    }
    if (c->flag[FLAG_FULL_SCREEN]) {
        if (s->display != DISPLAY_SDL) {
            return error_set(err, "-full-screen: there is no window; -display sdl opens one");
        }
        opts_set(s->display_opts, "full-screen", "on");
    }
    s->graphical = s->display != DISPLAY_NONE || c->lists[LIST_VNC]->len;
    return s->display != DISPLAY_NONE || opts_done(s->display_opts, err);
}

/* ---- VNC ---- */

static void vnc_power(void *opaque, enum vnc_power what)
{
    struct session *s = opaque;

    if (what == VNC_RESET) {
        machine_request_reset(s->machine, CAUSE_HOST_UI);
    } else if (what == VNC_SHUTDOWN) {
        machine_request_powerdown(s->machine);
    } else {
        machine_request_reset(s->machine, CAUSE_HOST_UI);
    }
}

static void vnc_client(void *opaque, struct vnc *v, enum vnc_client_event event,
                       const struct vnc_client_info *info)
{
    const struct session *s = opaque;

    monitors_vnc_event(s->monitors, v, event, info);
}

/* password-secret=, tls-creds=, display= and head= name objects and devices of the machine. */
static bool vnc_objects(struct session *s, struct opts *o, struct vnc_config *cfg, GError **err)
{
    const char *secret = opts_str(o, "password-secret", NULL);
    const char *tls = opts_str(o, "tls-creds", NULL);
    const char *device = opts_str(o, "display", NULL);
    struct tls_creds creds;
    size_t len;

    if (secret) {
        const uint8_t *bytes = secret_find(s->machine, secret, "-vnc", &len, err);

        if (!bytes) {
            return false;
        }
        cfg->password = g_strndup((const char *)bytes, len);
        cfg->ask_password = true;
    }
    if (tls) {
        if (!tls_creds_find(s->machine, tls, "-vnc", &creds, err)) {
            return false;
        }
        if (!creds.server) {
            return error_set(err, "-vnc: tls-creds '%s' are a client's; endpoint=server is wanted",
                             tls);
        }
        cfg->has_tls = true;
        cfg->tls = (struct vnc_tls){ g_strdup(creds.dir), creds.verify_peer };
    }
    if (device) {
        const struct device *dev = device_find(s->machine, device);

        if (!dev) {
            return error_set(err, "-vnc: there is no device '%s' to display", device);
        }
        cfg->device = g_strdup(dev->path);
    }
    return opts_u32(o, "head", 0, UINT16_MAX, &cfg->head, err);
}

static bool make_vnc(struct session *s, struct opts *o, GError **err)
{
    struct vnc_config cfg = {
        .loop = s->loop,
        .consoles = s->consoles,
        .input = s->input,
        .clipboard = s->clipboard,
        .hooks = { .power = vnc_power, .client = vnc_client, .opaque = s },
        .name = g_strdup(s->machine->cfg.name),
    };
    struct vnc *v = NULL;

    if (vnc_config_parse(&cfg, o, err) && vnc_objects(s, o, &cfg, err) && opts_done(o, err)) {
        v = vnc_new(&cfg, err);
    }
    vnc_config_clear(&cfg);
    if (v) {
        g_ptr_array_add(s->vncs, v);
    }
    return v;
}

/* ---- the window ---- */

static void window_powerdown(void *opaque)
{
    machine_request_powerdown(((struct session *)opaque)->machine);
}

static void window_quit(void *opaque)
{
    machine_request_shutdown(((struct session *)opaque)->machine, CAUSE_HOST_UI, 0);
}

static bool window_running(void *opaque)
{
    const struct machine *m = ((struct session *)opaque)->machine;

    return m->run_state != RUN_SHUTDOWN && m->run_state != RUN_GUEST_PANICKED;
}

static void state_changed(void *opaque, bool running, enum run_state state)
{
    const struct session *s = opaque;

    sdl_set_state(s->window, running ? NULL : run_state_name(state));
}

static bool make_window(struct session *s, GError **err)
{
    struct sdl_config cfg = {
        .loop = s->loop,
        .consoles = s->consoles,
        .input = s->input,
        .clipboard = s->clipboard,
        .hooks = { window_powerdown, window_quit, window_running, s },
        .name = g_strdup(s->machine->cfg.name),
    };

    if (sdl_config_parse(&cfg, s->display_opts, err) && opts_done(s->display_opts, err)) {
        s->shown = (struct monitor_display){
            .has_window = true,
            .full_screen = cfg.full_screen,
            .window_close = cfg.close != SDL_CLOSE_NOTHING,
            .show_cursor = cfg.show_cursor,
        };
        s->window = sdl_new(&cfg, err);
    }
    g_free(cfg.name);
    if (!s->window) {
        return false;
    }
    machine_on_run_state(s->machine, state_changed, s);
    return true;
}

/* ---- text consoles ---- */

struct vc {
    struct text_console *text;
    struct chardev *chr;
};

static void vc_typed(void *opaque, const char *buf, size_t len)
{
    chardev_vc_typed(((struct vc *)opaque)->chr, buf, len);
}

void *displays_vc_open(void *opaque, struct chardev *chr, const struct chardev_vc_size *size)
{
    struct session *s = opaque;
    unsigned width, height;
    struct vc *vc;

    if (!s->graphical || !text_console_is_built()) {
        return NULL;
    }
    text_cell(&width, &height);
    vc = g_new0(struct vc, 1);
    vc->chr = chr;
    vc->text = text_console_new(s->consoles, chardev_id(chr),
                                size->width ? size->width / width : size->cols,
                                size->height ? size->height / height : size->rows, vc_typed, vc);
    return vc;
}

void displays_vc_write(void *shown, const void *buf, size_t len)
{
    text_console_write(((struct vc *)shown)->text, buf, len);
}

void displays_vc_close(void *shown)
{
    struct vc *vc = shown;

    text_console_free(vc->text);
    g_free(vc);
}

/* ---- the guest's agent ---- */

static void agent_readable(void *opaque)
{
    chardev_agent_readable(opaque);
}

void *displays_agent_open(void *opaque, struct chardev *chr, const struct chardev_agent *what)
{
    const struct session *s = opaque;
    const struct vdagent_config cfg = {
        .clipboard = what->clipboard ? s->clipboard : NULL,
        .input = what->mouse ? s->input : NULL,
        .consoles = s->consoles,
        .readable = agent_readable,
        .opaque = chr,
    };

    return vdagent_new(&cfg);
}

void displays_agent_connected(void *agent, bool open)
{
    vdagent_connected(agent, open);
}

void displays_agent_write(void *agent, const void *buf, size_t len)
{
    vdagent_receive(agent, buf, len);
}

size_t displays_agent_read(void *agent, void *buf, size_t room)
{
    return vdagent_read(agent, buf, room);
}

void displays_agent_close(void *agent)
{
    vdagent_free(agent);
}

/* ---- all ---- */

static void wake(void *opaque)
{
    consoles_wake(opaque);
}

static void free_vnc(gpointer v)
{
    vnc_free(v);
}

bool displays_make(struct session *s, GError **err)
{
    const GPtrArray *list = s->config->lists[LIST_VNC];

    s->vncs = g_ptr_array_new_with_free_func(free_vnc);
    s->typing = (struct input_watch){ .active = wake, .opaque = s->consoles };
    input_add_watch(s->input, &s->typing);
    for (guint i = 0; i < list->len; i++) {
        if (!make_vnc(s, list->pdata[i], err)) {
            return false;
        }
    }
    if (s->display == DISPLAY_SDL && !make_window(s, err)) {
        return false;
    }
    s->shown.name = kinds[s->display];
    monitors_set_displays(s->monitors, s->vncs, &s->shown, s->clipboard);
    return true;
}

void displays_free(struct session *s)
{
    if (s->vncs) {
        monitors_set_displays(s->monitors, NULL, NULL, NULL);
        input_remove_watch(s->input, &s->typing);
        g_ptr_array_free(s->vncs, TRUE);
    }
    if (s->window) {
        machine_off_run_state(s->machine, state_changed, s);
        sdl_free(s->window);
    }
    opts_free(s->display_opts);
}
