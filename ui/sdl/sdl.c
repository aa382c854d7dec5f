/* The main thread's side of the window; see ui/sdl.h. */
#include "window.h"

#include <base/error.h>

#ifdef CONFIG_SDL2

#include <sys/eventfd.h>
#include <unistd.h>
#include <base/log.h>

enum { PACE_MS = 15 }; /* a picture for each of a desktop's 60 a second, with some to spare */

/* ---- to the window ---- */

/* Under the lock. A wake-up that is under way serves for more. */
static void ask(struct sdl *w, unsigned todo)
{
    SDL_Event e = { .type = w->wake_event };

    w->todo |= todo;
    if (!w->woken && w->up)
        w->woken = SDL_PushEvent(&e) > 0;
}

static void join(SDL_Rect *to, int x, int y, int width, int height)
{
    int x1, y1;

    if (!to->w) {
        *to = (SDL_Rect){ x, y, width, height };
        return;
    }
    x1 = MAX(to->x + to->w, x + width);
    y1 = MAX(to->y + to->h, y + height);
    to->x = MIN(to->x, x);
    to->y = MIN(to->y, y);
    to->w = x1 - to->x;
    to->h = y1 - to->y;
}

static void copy(struct sdl *w, const struct surface *s, unsigned x, unsigned y, unsigned width,
                 unsigned height)
{
    for (unsigned i = y; i < y + height; i++)
        memcpy(w->shadow + (size_t)i * w->width + x, surface_row(s, i) + x, 4 * (size_t)width);
    join(&w->dirty, (int)x, (int)y, (int)width, (int)height);
}

static void resized(void *opaque, const struct surface *s)
{
    struct sdl *w = opaque;
    uint32_t *shadow = g_try_new(uint32_t, (size_t)s->width * s->height);

    if (!shadow)
        return; /* the old picture stays */
    pthread_mutex_lock(&w->lock);
    g_free(w->shadow);
    w->shadow = shadow;
    w->width = s->width;
    w->height = s->height;
    copy(w, s, 0, 0, s->width, s->height);
    ask(w, DO_RESIZE);
    pthread_mutex_unlock(&w->lock);
}

static void dirty(void *opaque, unsigned x, unsigned y, unsigned width, unsigned height)
{
    struct sdl *w = opaque;
    const struct surface *s = console_surface(w->console);

    pthread_mutex_lock(&w->lock);
    if (s->width == w->width && s->height == w->height)
        copy(w, s, x, y, width, height);
    pthread_mutex_unlock(&w->lock);
}

static void flush(void *opaque)
{
    struct sdl *w = opaque;

    pthread_mutex_lock(&w->lock);
    ask(w, DO_DRAW);
    pthread_mutex_unlock(&w->lock);
}

static void cursor(void *opaque, const struct cursor *c)
{
    struct sdl *w = opaque;

    pthread_mutex_lock(&w->lock);
    g_free(w->cursor);
    w->cursor = c ? g_memdup2(c, sizeof(*c) + 4 * (size_t)c->width * c->height) : NULL;
    ask(w, DO_CURSOR);
    pthread_mutex_unlock(&w->lock);
}

static void gone(void *opaque)
{
    ((struct sdl *)opaque)->console = NULL;
}

static const struct console_listener_ops listener_ops = {
    .resized = resized,
    .dirty = dirty,
    .flush = flush,
    .cursor = cursor,
    .gone = gone,
};

static void show(struct sdl *w, struct console *c)
{
    static uint32_t black[640 * 480];
    const struct surface none = { 640, 480, 640, black };

    if (w->console)
        console_unlisten(w->console, &w->listener);
    w->console = c;
    pthread_mutex_lock(&w->lock);
    w->number = c ? (int)console_index(c) + 1 : 0;
    w->text = c && console_is_text(c);
    w->takes_size = c && console_takes_size(c);
    ask(w, DO_TITLE | DO_POINTER);
    pthread_mutex_unlock(&w->lock);
    if (!c) {
        resized(w, &none);
        return;
    }
    console_listen(c, &w->listener, &listener_ops, w);
    console_pace(c, &w->listener, w->visible ? PACE_MS : 0);
}

static void consoles_changed(void *opaque)
{
    struct sdl *w = opaque;

    if (!w->console)
        show(w, console_at(w->cfg.consoles, 0));
    pthread_mutex_lock(&w->lock);
    w->takes_size = w->console && console_takes_size(w->console);
    ask(w, 0);
    pthread_mutex_unlock(&w->lock);
}

static void devices_changed(void *opaque)
{
    struct sdl *w = opaque;

    pthread_mutex_lock(&w->lock);
    w->absolute = input_takes(w->cfg.input, INPUT_ABS);
    ask(w, DO_POINTER);
    pthread_mutex_unlock(&w->lock);
}

static void clip_changed(void *opaque, const char *text)
{
    struct sdl *w = opaque;

    pthread_mutex_lock(&w->lock);
    g_free(w->clip_text);
    w->clip_text = g_strdup(text);
    ask(w, DO_CLIPBOARD);
    pthread_mutex_unlock(&w->lock);
}

void sdl_set_state(struct sdl *w, const char *state)
{
    pthread_mutex_lock(&w->lock);
    g_free(w->state);
    w->state = g_strdup(state);
    ask(w, DO_TITLE);
    pthread_mutex_unlock(&w->lock);
}

/* ---- from the window ---- */

/* A file beside us that is not there yet. */
static void screenshot(struct sdl *w)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *when = now ? g_date_time_format(now, "%Y%m%d-%H%M%S") : g_strdup("0");
    g_autofree char *path =
        g_strdup_printf("%s-%s-%u.png", w->cfg.name ? w->cfg.name : "myna", when, w->shots++);
    GError *err = NULL;

    if (!w->console)
        return;
    console_refresh(w->console);
    g_strdelimit(path, "/", '_');
    if (picture_write("screenshot", path, PICTURE_PNG, console_surface(w->console), &err))
        g_printerr("screenshot: %s\n", path);
    else
        g_printerr("%s\n", err->message);
    g_clear_error(&err);
}

static void close_asked(const struct sdl *w, enum sdl_close how)
{
    const struct sdl_hooks *h = &w->cfg.hooks;

    /* a guest that has ended has nobody to press its button for */
    if (how == SDL_CLOSE_QUIT || !h->running(h->opaque))
        h->quit(h->opaque);
    else
        h->powerdown(h->opaque);
}

static void choose(struct sdl *w, unsigned n)
{
    struct console *c = console_at(w->cfg.consoles, n);

    if (c && c != w->console)
        show(w, c);
}

/* Says once what keeps text from the guest. */
static void user_copied(struct sdl *w, const char *text)
{
    const char *trouble = w->cfg.clipboard ? clipboard_trouble(w->cfg.clipboard) : NULL;

    if (trouble && !w->told_trouble)
        g_printerr("what you copied does not reach the guest's clipboard: %s\n", trouble);
    w->told_trouble |= trouble != NULL;
    if (w->cfg.clipboard)
        clipboard_set(w->cfg.clipboard, &w->clip, text);
}

static void do_event(struct sdl *w, const struct win_event *e)
{
    struct input *in = w->cfg.input;

    switch (e->kind) {
    case WIN_KEY:
        input_hold(in, &w->held, e->key, e->down);
        input_sync(in);
        break;
    case WIN_TYPED:
        if (w->console)
            console_type(w->console, e->key, e->character, e->mods);
        break;
    case WIN_RELEASE: input_release(in, &w->held); break;
    case WIN_POINT:
        input_point(in, (unsigned)e->x, (unsigned)e->y, w->width, w->height);
        input_sync(in);
        break;
    case WIN_MOVE:
        input_move(in, e->x, e->y);
        input_sync(in);
        break;
    case WIN_BUTTON:
        input_button(in, e->button, e->down);
        input_sync(in);
        break;
    case WIN_SIZE:
        if (w->console)
            console_want_size(w->console, e->width, e->height);
        break;
    case WIN_VISIBLE:
        w->visible = e->down;
        if (w->console)
            console_pace(w->console, &w->listener, w->visible ? PACE_MS : 0);
        break;
    case WIN_CONSOLE: choose(w, (unsigned)e->x); break;
    case WIN_CLOSE: close_asked(w, e->close); break;
    case WIN_SHOT: screenshot(w); break;
    case WIN_CLIPBOARD: user_copied(w, e->text); break;
    }
}

static gboolean events(int fd, GIOCondition cond, gpointer opaque)
{
    struct sdl *w = opaque;
    struct win_event *e;
    uint64_t count;

    (void)cond;
    (void)!read(fd, &count, sizeof(count));
    do {
        pthread_mutex_lock(&w->lock);
        e = g_queue_pop_head(&w->events);
        pthread_mutex_unlock(&w->lock);
        if (e) {
            do_event(w, e);
            g_free(e->text);
            g_free(e);
        }
    } while (e);
    return TRUE;
}

/* ---- life ---- */

static const char *const close_names[] = {
    [SDL_CLOSE_ASK] = "ask",
    [SDL_CLOSE_POWERDOWN] = "powerdown",
    [SDL_CLOSE_QUIT] = "quit",
    [SDL_CLOSE_NOTHING] = "off",
    "on", /* QEMU's word: the window can be closed */
    NULL,
};
static const char *const grab_names[] = { [GRAB_CTRL_ALT] = "lctrl-lalt",
                                          [GRAB_SHIFT_CTRL_ALT] = "lshift-lctrl-lalt",
                                          [GRAB_RCTRL] = "rctrl",
                                          NULL };

bool sdl_config_parse(struct sdl_config *cfg, struct opts *o, GError **err)
{
    static const char *const scales[] = { "free", "integer", NULL };
    int close = SDL_CLOSE_ASK, scale = 0;

    if (!opts_bool(o, "full-screen", &cfg->full_screen, err) ||
        !opts_bool(o, "show-cursor", &cfg->show_cursor, err) ||
        !opts_bool(o, "grab", &cfg->grab, err) ||
        !opts_enum(o, "window-close", close_names, &close, err) ||
        !opts_enum(o, "scale", scales, &scale, err) ||
        !opts_enum(o, "grab-mod", grab_names, &cfg->grab_mod, err))
        return false;
    cfg->whole = scale;
    cfg->close = close > SDL_CLOSE_NOTHING ? SDL_CLOSE_ASK : (enum sdl_close)close;
    return true;
}

bool sdl_is_built(void)
{
    return true;
}

/* The thread wants nothing but w->lock, so that it can be waited for with the device lock held. */
static bool start(struct sdl *w, GError **err)
{
    if (pthread_create(&w->thread, NULL, sdl_main, w) != 0)
        return error_set(err, "-display: sdl: cannot start a thread");
    pthread_mutex_lock(&w->lock);
    while (!w->up && !w->failed)
        pthread_cond_wait(&w->started, &w->lock);
    pthread_mutex_unlock(&w->lock);
    if (w->up)
        return true;
    pthread_join(w->thread, NULL);
    return error_set(err,
                     "-display: sdl: no window can be opened (%s); without a desktop there are "
                     "-nographic and -display vnc=:0",
                     w->error);
}

struct sdl *sdl_new(struct sdl_config *cfg, GError **err)
{
    struct sdl *w = g_new0(struct sdl, 1);

    w->cfg = *cfg;
    cfg->name = NULL;
    w->visible = true;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->started, NULL);
    g_queue_init(&w->events);
    w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->source = loop_watch_fd(w->cfg.loop, w->event_fd, G_IO_IN, events, w);
    w->watch = (struct consoles_watch){ .changed = consoles_changed, .opaque = w };
    consoles_add_watch(w->cfg.consoles, &w->watch);
    w->input_watch = (struct input_watch){ .devices = devices_changed, .opaque = w };
    input_add_watch(w->cfg.input, &w->input_watch);
    w->clip = (struct clipboard_peer){ .changed = clip_changed, .opaque = w };
    if (w->cfg.clipboard)
        clipboard_join(w->cfg.clipboard, &w->clip);
    devices_changed(w);
    show(w, console_at(w->cfg.consoles, 0));
    if (start(w, err))
        return w;
    sdl_free(w);
    return NULL;
}

static void free_event(gpointer p)
{
    struct win_event *e = p;

    g_free(e->text);
    g_free(e);
}

void sdl_free(struct sdl *w)
{
    if (w->up) {
        pthread_mutex_lock(&w->lock);
        ask(w, DO_QUIT);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
    input_release(w->cfg.input, &w->held);
    if (w->console)
        console_unlisten(w->console, &w->listener);
    consoles_remove_watch(w->cfg.consoles, &w->watch);
    input_remove_watch(w->cfg.input, &w->input_watch);
    if (w->cfg.clipboard)
        clipboard_leave(w->cfg.clipboard, &w->clip);
    g_source_destroy(w->source);
    g_source_unref(w->source);
    close(w->event_fd);
    g_queue_clear_full(&w->events, free_event);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->started);
    g_free(w->shadow);
    g_free(w->cursor);
    g_free(w->clip_text);
    g_free(w->state);
    g_free(w->error);
    g_free(w->cfg.name);
    g_free(w);
}

#else

bool sdl_config_parse(struct sdl_config *cfg, struct opts *o, GError **err)
{
    (void)cfg, (void)o, (void)err;
    return true;
}

bool sdl_is_built(void)
{
    return false;
}

struct sdl *sdl_new(struct sdl_config *cfg, GError **err)
{
    (void)cfg;
    error_set(err, "-display: 'sdl' is not there (built without SDL2)");
    return NULL;
}

void sdl_free(struct sdl *w)
{
    (void)w;
}

void sdl_set_state(struct sdl *w, const char *state)
{
    (void)w, (void)state;
}

#endif
