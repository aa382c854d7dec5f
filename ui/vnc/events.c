/* What clients do, in the main thread: keys, pointers, sizes, the clipboard, leaving. */
#include "vnc.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum { XVP_SHUTDOWN = 2, XVP_REBOOT = 3, XVP_RESET = 4 };
enum { SIZE_PROHIBITED = 1, SIZE_FORWARDED = 4 };
enum { RELATIVE_ZERO = 0x7fff, ROUND_MAX = 512 };

/* ---- keys ---- */

static unsigned mod_of(enum key k)
{
    switch (k) {
    case KEY_SHIFT:
    case KEY_SHIFT_R: return MOD_SHIFT;
    case KEY_CTRL:
    case KEY_CTRL_R: return MOD_CTRL;
    case KEY_ALT:
    case KEY_ALT_R: return MOD_ALT;
    default: return 0;
    }
}

/* Ctrl-Alt-1 to 9 choose what is shown, as in the window. */
static bool chooses_console(struct client *c, enum key k, bool down)
{
    if (!down || k < KEY_D1 || k > KEY_D9 ||
        (c->text_mods & (MOD_CTRL | MOD_ALT)) != (MOD_CTRL | MOD_ALT))
        return false;
    input_release(c->vnc->cfg.input, &c->held);
    c->text_mods = 0;
    vnc_show_console(c->vnc, k - KEY_D1);
    return true;
}

static void key_event(struct client *c, const struct event *e)
{
    struct vnc *v = c->vnc;
    enum key k = e->ext && e->x ? key_by_number(e->x) : KEY_NONE;
    unsigned mod;

    if (k == KEY_NONE)
        k = vnc_key_of_keysym(e->keysym);
    mod = mod_of(k);
    c->text_mods = e->down ? c->text_mods | mod : c->text_mods & ~mod;
    if (chooses_console(c, k, e->down))
        return;
    if (v->console && console_is_text(v->console)) {
        uint32_t character = vnc_keysym_character(e->keysym);

        if (e->down && !mod)
            console_type(v->console, k, character, c->text_mods);
        return;
    }
    if (k == KEY_NONE)
        return;
    input_hold(v->cfg.input, &c->held, k, e->down);
    input_sync(v->cfg.input);
}

/* ---- pointers ---- */

static const enum input_button buttons[8] = {
    BUTTON_LEFT,       BUTTON_MIDDLE, BUTTON_RIGHT, BUTTON_WHEEL_UP,
    BUTTON_WHEEL_DOWN, BUTTON_COUNT,  BUTTON_COUNT, BUTTON_SIDE,
};

static void press(struct client *c, unsigned now)
{
    unsigned changed = now ^ c->main_buttons;

    for (unsigned i = 0; i < G_N_ELEMENTS(buttons); i++)
        if (changed >> i & 1 && buttons[i] != BUTTON_COUNT)
            input_button(c->vnc->cfg.input, buttons[i], now >> i & 1);
    c->main_buttons = now;
}

/* rfbproto, "QEMU Pointer Motion Change": where clients know of it, they send steps. */
static void move(struct client *c, const struct event *e)
{
    struct input *in = c->vnc->cfg.input;

    if (input_takes(in, INPUT_ABS)) {
        if (c->vnc->console)
            console_point(c->vnc->console, in, e->x, e->y);
    } else if (e->ext) {
        input_move(in, (int)e->x - RELATIVE_ZERO, (int)e->y - RELATIVE_ZERO);
    } else {
        if (c->last_x >= 0)
            input_move(in, (int)e->x - c->last_x, (int)e->y - c->last_y);
        c->last_x = (int)e->x;
        c->last_y = (int)e->y;
    }
}

static void pointer_event(struct client *c, const struct event *e)
{
    move(c, e);
    press(c, e->buttons);
    input_sync(c->vnc->cfg.input);
}

/* ---- the rest ---- */

static void size_event(struct client *c, const struct event *e)
{
    struct vnc *v = c->vnc;
    bool can = v->console && console_takes_size(v->console);

    if (can)
        console_want_size(v->console, e->width, e->height);
    pthread_mutex_lock(&v->lock);
    c->size_reply = can ? SIZE_FORWARDED : SIZE_PROHIBITED;
    c->news |= NEWS_SIZE_REPLY;
    vnc_wake(c);
    pthread_mutex_unlock(&v->lock);
}

static void power_event(const struct vnc *v, unsigned code)
{
    if (!v->cfg.power_control || !v->cfg.hooks.power || code < XVP_SHUTDOWN || code > XVP_RESET)
        return;
    v->cfg.hooks.power(v->cfg.hooks.opaque, code == XVP_SHUTDOWN ? VNC_SHUTDOWN
                                            : code == XVP_REBOOT ? VNC_REBOOT
                                                                 : VNC_RESET);
}

static void tell(struct client *c, enum vnc_client_event event)
{
    const struct vnc_client_info info = { .host = c->host,
                                          .service = c->service,
                                          .is_unix = c->is_unix,
                                          .websocket = c->websocket_port };

    if (c->vnc->cfg.hooks.client)
        c->vnc->cfg.hooks.client(c->vnc->cfg.hooks.opaque, c->vnc, event, &info);
}

static void closed(struct client *c)
{
    struct vnc *v = c->vnc;

    pthread_join(c->thread, NULL);
    input_release(v->cfg.input, &c->held);
    if (c->main_buttons) {
        press(c, 0);
        input_sync(v->cfg.input);
    }
    pthread_mutex_lock(&v->lock);
    g_ptr_array_remove(v->clients, c);
    pthread_mutex_unlock(&v->lock);
    tell(c, VNC_CLIENT_GONE);
    client_free(c);
    vnc_screen_pace(v);
}

/* Clients of one server are told of each other's, too. */
static void copied(struct client *c, const char *text)
{
    struct vnc *v = c->vnc;

    if (v->cfg.clipboard)
        clipboard_set(v->cfg.clipboard, &v->clip, text);
    pthread_mutex_lock(&v->lock);
    vnc_tell_copied(v, c, text);
    pthread_mutex_unlock(&v->lock);
}

static void do_event(struct vnc *v, struct event *e)
{
    struct client *c = e->client;

    switch (e->kind) {
    case EV_INITIALIZED:
        vnc_screen_pace(v);
        tell(c, VNC_CLIENT_INITIALIZED);
        break;
    case EV_KEY: key_event(c, e); break;
    case EV_POINTER: pointer_event(c, e); break;
    case EV_SIZE: size_event(c, e); break;
    case EV_CLIPBOARD: copied(c, e->text); break;
    case EV_XVP: power_event(v, e->x); break;
    case EV_CLOSED: closed(c); break;
    }
}

static struct event *next_event(struct vnc *v)
{
    struct event *e;

    pthread_mutex_lock(&v->lock);
    e = g_queue_pop_head(&v->events);
    /* it may have stopped reading */
    if (e && --e->client->queued == EVENTS_MAX - 1)
        vnc_wake(e->client);
    pthread_mutex_unlock(&v->lock);
    return e;
}

gboolean vnc_events(int fd, GIOCondition cond, gpointer opaque)
{
    struct vnc *v = opaque;
    struct event *e;
    uint64_t count;

    (void)cond;
    (void)!read(fd, &count, sizeof(count));
    /* not for as long as there are any: others want the main loop, too */
    for (unsigned i = 0; i < ROUND_MAX && (e = next_event(v)); i++) {
        do_event(v, e);
        g_free(e->text);
        g_free(e);
    }
    pthread_mutex_lock(&v->lock);
    if (!g_queue_is_empty(&v->events))
        eventfd_write(fd, 1);
    pthread_mutex_unlock(&v->lock);
    return TRUE;
}
