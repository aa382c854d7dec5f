/* The console as the clients see it: a copy of its surface, and what of it changed. */
#include "vnc.h"

enum { PACE_MS = 30, BLOCK = 1 << DIRTY_SHIFT };

void vnc_mark_all(struct vnc *v, struct client *c)
{
    if (!c->dirty)
        return;
    for (unsigned y = 0; y < v->height; y++)
        for (unsigned i = 0; i < (v->width + BLOCK - 1) / BLOCK; i++)
            c->dirty[(size_t)y * v->dirty_words + i / 64] |= UINT64_C(1) << i % 64;
    c->any_dirty = true;
}

bool vnc_dirty_new(struct vnc *v, struct client *c)
{
    g_free(c->dirty);
    c->dirty = g_try_new0(uint64_t, (size_t)v->dirty_words * v->height);
    if (c->dirty)
        vnc_mark_all(v, c);
    return c->dirty;
}

/* ---- what the console says ---- */

static void wake_all(struct vnc *v)
{
    for (unsigned i = 0; i < v->clients->len; i++)
        vnc_wake(v->clients->pdata[i]);
}

static void tell_news(struct vnc *v, unsigned news)
{
    for (unsigned i = 0; i < v->clients->len; i++) {
        struct client *c = v->clients->pdata[i];

        c->news |= news;
        vnc_wake(c);
    }
}

/* All of the new picture, under the lock. */
static void new_shadow(struct vnc *v, const struct surface *s)
{
    uint32_t *shadow = g_try_new0(uint32_t, (size_t)s->width * s->height);

    if (!shadow)
        return; /* the old one goes on being shown */
    g_free(v->shadow);
    v->shadow = shadow;
    v->width = s->width;
    v->height = s->height;
    v->dirty_words = (s->width + 64 * BLOCK - 1) / (64 * BLOCK);
    for (unsigned y = 0; y < s->height; y++)
        memcpy(shadow + (size_t)y * s->width, surface_row(s, y), 4 * (size_t)s->width);
    for (unsigned i = 0; i < v->clients->len; i++) {
        struct client *c = v->clients->pdata[i];

        if (c->dirty && !vnc_dirty_new(v, c))
            c->quit = true;
        c->news |= NEWS_SIZE;
    }
}

static void resized(void *opaque, const struct surface *s)
{
    struct vnc *v = opaque;

    pthread_mutex_lock(&v->lock);
    v->drawing = true;
    new_shadow(v, s);
    pthread_mutex_unlock(&v->lock);
}

/* Copies what differs in one row; the blocks that do go to the clients' bitmaps. */
static void copy_row(struct vnc *v, const uint32_t *from, unsigned y, unsigned first, unsigned end)
{
    uint32_t *to = v->shadow + (size_t)y * v->width;

    for (unsigned i = first; i < end; i++) {
        unsigned x = i << DIRTY_SHIFT, n = MIN(BLOCK, v->width - x);

        if (memcmp(to + x, from + x, 4 * (size_t)n) == 0)
            continue;
        memcpy(to + x, from + x, 4 * (size_t)n);
        for (unsigned k = 0; k < v->clients->len; k++) {
            struct client *c = v->clients->pdata[k];

            if (!c->dirty)
                continue;
            c->dirty[(size_t)y * v->dirty_words + i / 64] |= UINT64_C(1) << i % 64;
            c->any_dirty = true;
        }
    }
}

static void dirty(void *opaque, unsigned x, unsigned y, unsigned width, unsigned height)
{
    struct vnc *v = opaque;
    const struct surface *s = console_surface(v->console);

    pthread_mutex_lock(&v->lock);
    v->drawing = true;
    for (unsigned i = y; i < y + height && s->width == v->width && s->height == v->height; i++)
        copy_row(v, surface_row(s, i), i, x >> DIRTY_SHIFT, (x + width + BLOCK - 1) >> DIRTY_SHIFT);
    pthread_mutex_unlock(&v->lock);
}

static void flush(void *opaque)
{
    struct vnc *v = opaque;

    pthread_mutex_lock(&v->lock);
    v->drawing = false;
    wake_all(v);
    pthread_mutex_unlock(&v->lock);
}

static void cursor(void *opaque, const struct cursor *cur)
{
    struct vnc *v = opaque;

    pthread_mutex_lock(&v->lock);
    g_free(v->cursor);
    v->cursor = cur ? g_memdup2(cur, sizeof(*cur) + 4 * (size_t)cur->width * cur->height) : NULL;
    if (cur || v->had_cursor)
        tell_news(v, NEWS_CURSOR);
    v->had_cursor |= cur != NULL;
    pthread_mutex_unlock(&v->lock);
}

static void gone(void *opaque)
{
    struct vnc *v = opaque;

    v->console = NULL;
}

static const struct console_listener_ops listener_ops = {
    .resized = resized,
    .dirty = dirty,
    .flush = flush,
    .cursor = cursor,
    .gone = gone,
};

/* ---- which console ---- */

static struct console *find_console(const struct vnc *v)
{
    return v->cfg.device ? console_of(v->cfg.consoles, v->cfg.device, v->cfg.head)
                         : console_at(v->cfg.consoles, 0);
}

/* What is seen where there is no console. */
static void show_nothing(struct vnc *v)
{
    enum { WIDTH = 640, HEIGHT = 480 };
    static const struct surface none = { .width = WIDTH, .height = HEIGHT, .stride = 0 };
    g_autofree uint32_t *row = g_new0(uint32_t, WIDTH);
    struct surface s = none;

    s.pixels = row; /* every row is the same one */
    resized(v, &s);
    flush(v);
}

static void show(struct vnc *v, struct console *c)
{
    if (v->console)
        console_unlisten(v->console, &v->con_listener);
    v->console = c;
    if (c) {
        console_listen(c, &v->con_listener, &listener_ops, v);
        flush(v);
        vnc_screen_pace(v);
    } else {
        show_nothing(v);
    }
}

void vnc_show_console(struct vnc *v, unsigned n)
{
    struct console *c = console_at(v->cfg.consoles, n);

    if (c && c != v->console && !v->cfg.device)
        show(v, c);
}

static void consoles_changed(void *opaque)
{
    struct vnc *v = opaque;

    if (!v->console)
        show(v, find_console(v));
}

void vnc_screen_pace(struct vnc *v)
{
    bool any = false;

    pthread_mutex_lock(&v->lock);
    for (unsigned i = 0; i < v->clients->len; i++)
        any |= ((struct client *)v->clients->pdata[i])->initialized;
    pthread_mutex_unlock(&v->lock);
    if (v->console)
        console_pace(v->console, &v->con_listener, any ? PACE_MS : 0);
}

/* ---- lights, pointers ---- */

static void leds_changed(void *opaque, unsigned leds)
{
    struct vnc *v = opaque;

    pthread_mutex_lock(&v->lock);
    v->leds = leds;
    tell_news(v, NEWS_LED);
    pthread_mutex_unlock(&v->lock);
}

static void devices_changed(void *opaque)
{
    struct vnc *v = opaque;
    bool absolute = input_takes(v->cfg.input, INPUT_ABS);

    pthread_mutex_lock(&v->lock);
    if (absolute != v->absolute)
        tell_news(v, NEWS_POINTER_TYPE);
    v->absolute = absolute;
    pthread_mutex_unlock(&v->lock);
}

void vnc_screen_init(struct vnc *v)
{
    v->watch = (struct consoles_watch){ .changed = consoles_changed, .opaque = v };
    consoles_add_watch(v->cfg.consoles, &v->watch);
    v->input_watch =
        (struct input_watch){ .leds = leds_changed, .devices = devices_changed, .opaque = v };
    input_add_watch(v->cfg.input, &v->input_watch);
    v->leds = input_leds(v->cfg.input);
    v->absolute = input_takes(v->cfg.input, INPUT_ABS);
    show(v, find_console(v));
}

void vnc_screen_destroy(struct vnc *v)
{
    if (v->console)
        console_unlisten(v->console, &v->con_listener);
    consoles_remove_watch(v->cfg.consoles, &v->watch);
    input_remove_watch(v->cfg.input, &v->input_watch);
    g_free(v->shadow);
    g_free(v->cursor);
}
