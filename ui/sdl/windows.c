/*
 * Which consoles have windows, and what they draw, in the main thread.
 *
 * The first window shows the console that the user chose. Each further head of a graphics card has
 * a window of its own, which opens when the guest begins to use it, or when the user asks for it by
 * Ctrl-Alt-N: then the guest is told that a monitor was plugged in. Once he has put it away, it
 * comes back only when he asks.
 */
#include "window.h"

#ifdef CONFIG_SDL2

enum { PACE_MS = 15 }; /* a picture for each of a desktop's 60 a second, with some to spare */

void win_ask(struct sdl *ui, struct window *w, unsigned todo)
{
    SDL_Event e = { .type = ui->wake_event };

    *(w ? &w->todo : &ui->todo) |= todo;
    if (!ui->woken && ui->up)
        ui->woken = sdl.PushEvent(&e) > 0;
}

/* ---- what a console draws ---- */

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

static void copy(struct window *w, const struct surface *s, unsigned x, unsigned y, unsigned width,
                 unsigned height)
{
    for (unsigned i = y; i < y + height; i++)
        memcpy(w->shadow + (size_t)i * w->width + x, surface_row(s, i) + x, 4 * (size_t)width);
    join(&w->dirty, (int)x, (int)y, (int)width, (int)height);
}

static void resized(void *opaque, const struct surface *s)
{
    struct window *w = opaque;
    uint32_t *shadow = g_try_new(uint32_t, (size_t)s->width * s->height);

    if (!shadow)
        return; /* the old picture stays */
    pthread_mutex_lock(&w->ui->lock);
    g_free(w->shadow);
    w->shadow = shadow;
    w->width = s->width;
    w->height = s->height;
    w->dirty.w = 0; /* it was of the other */
    copy(w, s, 0, 0, s->width, s->height);
    win_ask(w->ui, w, DO_RESIZE);
    pthread_mutex_unlock(&w->ui->lock);
}

static void dirty(void *opaque, unsigned x, unsigned y, unsigned width, unsigned height)
{
    struct window *w = opaque;
    const struct surface *s = console_surface(w->console);

    pthread_mutex_lock(&w->ui->lock);
    if (s->width == w->width && s->height == w->height)
        copy(w, s, x, y, width, height);
    pthread_mutex_unlock(&w->ui->lock);
}

static void flush(void *opaque)
{
    struct window *w = opaque;

    pthread_mutex_lock(&w->ui->lock);
    win_ask(w->ui, w, DO_DRAW);
    pthread_mutex_unlock(&w->ui->lock);
}

static void cursor(void *opaque, const struct cursor *c)
{
    struct window *w = opaque;

    pthread_mutex_lock(&w->ui->lock);
    g_free(w->cursor);
    w->cursor = c ? g_memdup2(c, sizeof(*c) + 4 * (size_t)c->width * c->height) : NULL;
    win_ask(w->ui, w, DO_CURSOR);
    pthread_mutex_unlock(&w->ui->lock);
}

static void gone(void *opaque)
{
    struct window *w = opaque;

    w->console = NULL;
    w->listening = false;
}

static const struct console_listener_ops listener_ops = {
    .resized = resized,
    .dirty = dirty,
    .flush = flush,
    .cursor = cursor,
    .gone = gone,
};

/* ---- which window shows what ---- */

static void set_wanted(struct window *w, bool wanted)
{
    pthread_mutex_lock(&w->ui->lock);
    w->wanted = wanted;
    win_ask(w->ui, w, 0);
    pthread_mutex_unlock(&w->ui->lock);
}

/* What the window should know of its console, whose number changes with others that come and go. */
static void describe(struct window *w)
{
    const struct console *c = w->console;
    int number = c ? (int)console_index(c) + 1 : 0;

    pthread_mutex_lock(&w->ui->lock);
    win_ask(w->ui, w, w->number != number ? DO_TITLE : 0);
    w->number = number;
    w->text = c && console_is_text(c);
    w->takes_size = c && console_takes_size(c);
    pthread_mutex_unlock(&w->ui->lock);
}

void window_pace(struct window *w)
{
    if (w->console && w->listening)
        console_pace(w->console, &w->listener, w->visible ? PACE_MS : 0);
}

static void unlisten(struct window *w)
{
    if (w->console && w->listening)
        console_unlisten(w->console, &w->listener);
    w->listening = false;
}

static void show(struct window *w, struct console *c)
{
    static uint32_t black[640 * 480];
    const struct surface none = { 640, 480, 640, black };

    unlisten(w);
    w->console = c;
    describe(w);
    set_wanted(w, true);
    if (!c) {
        resized(w, &none);
        return;
    }
    w->visible = true;
    w->listening = true;
    console_listen(c, &w->listener, &listener_ops, w);
    window_pace(w);
}

/* The window that is the console's, whether it is to be seen or not; NULL: none. */
static struct window *window_for(struct sdl *ui, const struct console *c)
{
    for (unsigned i = 0; i < WINDOWS_MAX; i++)
        if (ui->windows[i].console == c)
            return &ui->windows[i];
    return NULL;
}

static bool is_further_head(const struct console *c)
{
    return console_index(c) != 0 && !console_is_text(c);
}

static bool is_there(const struct consoles *set, const struct console *c)
{
    const struct console *o;

    for (unsigned i = 0; (o = console_at(set, i)); i++)
        if (o == c)
            return true;
    return false;
}

/* Where consoles went away, their windows do. */
static void forget_gone(struct sdl *ui)
{
    for (struct window *w = ui->windows + 1; w < ui->windows + WINDOWS_MAX; w++) {
        if (w->console && !is_there(ui->cfg.consoles, w->console))
            w->console = NULL; /* it was put away, and heard nothing of it */
        if (!w->console && w->wanted)
            set_wanted(w, false);
    }
}

void windows_update(struct sdl *ui)
{
    struct console *c;

    forget_gone(ui);
    if (!ui->windows[0].console)
        show(&ui->windows[0], console_at(ui->cfg.consoles, 0));
    for (unsigned i = 1; (c = console_at(ui->cfg.consoles, i)); i++) {
        struct window *w = window_for(ui, NULL);

        if (w && is_further_head(c) && console_in_use(c) && !window_for(ui, c))
            show(w, c);
    }
    for (unsigned i = 0; i < WINDOWS_MAX; i++)
        if (ui->windows[i].console)
            describe(&ui->windows[i]);
}

/* A monitor that is as large as the first one, until the user makes it larger or smaller. */
static void plug_in(const struct sdl *ui, struct console *c)
{
    const struct surface *s = console_surface(console_at(ui->cfg.consoles, 0));

    if (!console_in_use(c) && console_takes_size(c))
        console_want_size(c, s->width, s->height);
}

void windows_choose(struct sdl *ui, unsigned n)
{
    struct console *c = console_at(ui->cfg.consoles, n);
    struct window *w = c ? window_for(ui, c) : NULL;

    if (!c)
        return;
    if (!w)
        w = is_further_head(c) ? window_for(ui, NULL) : &ui->windows[0];
    if (!w)
        return; /* there are windows enough */
    if (w->console != c || !w->listening) {
        show(w, c);
        if (!win_is_first(w))
            plug_in(ui, c);
    }
    pthread_mutex_lock(&ui->lock);
    win_ask(ui, w, DO_RAISE);
    pthread_mutex_unlock(&ui->lock);
}

void window_put_away(struct window *w)
{
    if (win_is_first(w) || !w->console)
        return;
    unlisten(w);
    set_wanted(w, false);
    console_want_size(w->console, 0, 0);
}

void windows_free(struct sdl *ui)
{
    for (struct window *w = ui->windows; w < ui->windows + WINDOWS_MAX; w++)
        unlisten(w);
}

#endif
