/* Consoles, their surfaces, and who listens; see ui/console.h. */
#include <ui/console.h>

#include <string.h>
#include <base/bug.h>

struct console {
    struct consoles *set;
    const struct console_ops *ops;
    void *opaque;
    char *path;
    unsigned head;
    struct surface surface;
    GPtrArray *listeners; /* of struct console_listener */
};

struct consoles {
    GPtrArray *list; /* of struct console */
};

struct consoles *consoles_new(void)
{
    struct consoles *set = g_new0(struct consoles, 1);

    set->list = g_ptr_array_new();
    return set;
}

void consoles_free(struct consoles *set)
{
    bug_on(set->list->len);
    g_ptr_array_free(set->list, TRUE);
    g_free(set);
}

struct console *console_at(const struct consoles *set, unsigned n)
{
    return n < set->list->len ? set->list->pdata[n] : NULL;
}

struct console *console_of(const struct consoles *set, const char *path, unsigned head)
{
    for (unsigned i = 0; i < set->list->len; i++) {
        struct console *c = set->list->pdata[i];

        if (c->head == head && strcmp(c->path, path) == 0)
            return c;
    }
    return NULL;
}

/* ---- for devices ---- */

/* What a console shows before its device drew anything. */
#define FIRST_WIDTH  640
#define FIRST_HEIGHT 480

static bool surface_alloc(struct surface *s, unsigned width, unsigned height)
{
    uint32_t *pixels = g_try_malloc0_n((size_t)width * height, sizeof(*pixels));

    if (!pixels)
        return false;
    g_free(s->pixels);
    *s = (struct surface){ width, height, width, pixels };
    return true;
}

struct console *console_add(struct consoles *set, const struct console_ops *ops, void *opaque,
                            const char *path, unsigned head)
{
    struct console *c;

    if (!set)
        return NULL;
    c = g_new0(struct console, 1);
    c->set = set;
    c->ops = ops;
    c->opaque = opaque;
    c->path = g_strdup(path);
    c->head = head;
    c->listeners = g_ptr_array_new();
    c->surface = (struct surface){ FIRST_WIDTH, FIRST_HEIGHT, FIRST_WIDTH,
                                   g_new0(uint32_t, FIRST_WIDTH * FIRST_HEIGHT) };
    g_ptr_array_add(set->list, c);
    return c;
}

void console_remove(struct console *c)
{
    if (!c)
        return;
    g_ptr_array_remove(c->set->list, c);
    g_ptr_array_free(c->listeners, TRUE);
    g_free(c->surface.pixels);
    g_free(c->path);
    g_free(c);
}

const struct surface *console_resize(struct console *c, unsigned width, unsigned height)
{
    width = CLAMP(width, 1, SURFACE_MAX);
    height = CLAMP(height, 1, SURFACE_MAX);
    if ((width == c->surface.width && height == c->surface.height) ||
        !surface_alloc(&c->surface, width, height))
        return &c->surface;
    for (unsigned i = 0; i < c->listeners->len; i++) {
        const struct console_listener *l = c->listeners->pdata[i];

        l->ops->resized(l->opaque, &c->surface);
    }
    return &c->surface;
}

void console_dirty(struct console *c, unsigned x, unsigned y, unsigned width, unsigned height)
{
    const struct surface *s = &c->surface;

    if (x >= s->width || y >= s->height || !width || !height)
        return;
    width = MIN(width, s->width - x);
    height = MIN(height, s->height - y);
    for (unsigned i = 0; i < c->listeners->len; i++) {
        const struct console_listener *l = c->listeners->pdata[i];

        l->ops->dirty(l->opaque, x, y, width, height);
    }
}

/* ---- for displays ---- */

const struct surface *console_surface(const struct console *c)
{
    return &c->surface;
}

void console_refresh(struct console *c)
{
    c->ops->refresh(c->opaque);
}

void console_listen(struct console *c, struct console_listener *l,
                    const struct console_listener_ops *ops, void *opaque)
{
    l->ops = ops;
    l->opaque = opaque;
    g_ptr_array_add(c->listeners, l);
    ops->resized(opaque, &c->surface);
}

void console_unlisten(struct console *c, struct console_listener *l)
{
    g_ptr_array_remove(c->listeners, l);
}
