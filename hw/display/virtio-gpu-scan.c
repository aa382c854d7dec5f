/* Scanouts of the virtio GPU: what resources show on consoles, and the pointer. */
#include "virtio-gpu.h"

#include <string.h>

/* ---- what is shown ---- */

/* Draws the part of the scanout, whose place is counted in the resource. */
static void draw(struct gpu *g, struct gpu_scanout *s, const struct gpu_resource *r, uint32_t x0,
                 uint32_t y0, uint32_t x1, uint32_t y1)
{
    const struct surface *to = s->con ? console_surface(s->con) : NULL;

    if (!to || to->width != s->rect.width || to->height != s->rect.height || x0 >= x1)
        return;
    for (uint32_t y = y0; y < y1; y++) {
        uint32_t *row = surface_row(to, y - s->rect.y) + (x0 - s->rect.x);

        gpu_row(g, r, &s->layout, x0, y, x1 - x0, row);
        for (uint32_t i = 0; i < x1 - x0; i++)
            row[i] &= 0xffffff;
    }
    console_dirty(s->con, x0 - s->rect.x, y0 - s->rect.y, x1 - x0, y1 - y0);
}

static void draw_all(struct gpu *g, struct gpu_scanout *s)
{
    const struct gpu_resource *r = gpu_resource(g, s->resource);

    if (!r || !s->con)
        return;
    console_resize(s->con, s->rect.width, s->rect.height);
    draw(g, s, r, s->rect.x, s->rect.y, s->rect.x + s->rect.width, s->rect.y + s->rect.height);
    console_flush(s->con);
}

/* One resource is the desktop of several heads, as X has it, or the picture of one. */
static void appear(const struct gpu_scanout *s)
{
    console_set_place(s->con, s->rect.x, s->rect.y, s->layout.width, s->layout.height);
    console_set_in_use(s->con, true);
}

bool gpu_scanout_set(struct gpu *g, unsigned n, uint32_t resource, const struct gpu_rect *rect,
                     const struct gpu_layout *l)
{
    struct gpu_scanout *s = &g->scanouts[n];

    /* 5.7.6.8: inside of the picture; a console of less than 16 pixels is nobody's wish */
    if (rect->width < 16 || rect->height < 16 || rect->x > l->width || rect->y > l->height ||
        rect->width > l->width - rect->x || rect->height > l->height - rect->y ||
        rect->width > GPU_SIDE_MAX || rect->height > GPU_SIDE_MAX)
        return false;
    s->resource = resource;
    s->rect = *rect;
    s->layout = *l;
    if (n == 0 && g->taken_over)
        g->taken_over(g, true);
    appear(s);
    draw_all(g, s);
    return true;
}

void gpu_scanout_off(struct gpu *g, unsigned n)
{
    struct gpu_scanout *s = &g->scanouts[n];
    const struct surface *to = s->con ? console_surface(s->con) : NULL;

    if (!s->resource)
        return;
    s->resource = 0;
    if (!to)
        return;
    console_set_place(s->con, 0, 0, 0, 0);
    console_set_in_use(s->con, false);
    for (unsigned y = 0; y < to->height; y++)
        memset(surface_row(to, y), 0, 4 * (size_t)to->width);
    console_dirty(s->con, 0, 0, to->width, to->height);
    console_set_cursor(s->con, NULL);
    console_flush(s->con);
}

void gpu_flush(struct gpu *g, const struct gpu_resource *r, const struct gpu_rect *f)
{
    for (unsigned i = 0; i < g->max_outputs; i++) {
        struct gpu_scanout *s = &g->scanouts[i];
        uint64_t fx1 = (uint64_t)f->x + f->width, fy1 = (uint64_t)f->y + f->height;
        uint32_t x0, y0, x1, y1;

        if (s->resource != r->id || !s->con)
            continue;
        x0 = MAX(f->x, s->rect.x);
        y0 = MAX(f->y, s->rect.y);
        x1 = (uint32_t)MIN(fx1, (uint64_t)s->rect.x + s->rect.width);
        y1 = (uint32_t)MIN(fy1, (uint64_t)s->rect.y + s->rect.height);
        if (x0 < x1 && y0 < y1)
            draw(g, s, r, x0, y0, x1, y1);
        console_flush(s->con);
    }
}

void gpu_redraw(struct gpu *g)
{
    for (unsigned i = 0; i < g->max_outputs; i++) {
        if (g->scanouts[i].resource)
            appear(&g->scanouts[i]);
        draw_all(g, &g->scanouts[i]);
    }
    gpu_cursor_show(g);
}

/* ---- the pointer ---- */

/* Blobs have neither size nor format: they are what 5.7.6.10 says that a pointer is. */
static bool cursor_layout(const struct gpu_resource *r, struct gpu_layout *l)
{
    enum { SIDE = 64, FORMAT_BGRA = 1 };

    *l = r->blob ? (struct gpu_layout){ FORMAT_BGRA, SIDE, SIDE, 4 * SIDE, 0 }
                 : (struct gpu_layout){ r->format, r->width, r->height, 4 * r->width, 0 };
    return r->blob ? r->blob_size >= (uint64_t)l->stride * l->height
                   : r->width <= CURSOR_MAX && r->height <= CURSOR_MAX;
}

void gpu_cursor_show(struct gpu *g)
{
    const struct gpu_resource *r = gpu_resource(g, g->cursor_resource);
    struct console *con =
        g->cursor_scanout < g->max_outputs ? g->scanouts[g->cursor_scanout].con : NULL;
    struct gpu_layout l;
    struct cursor *c;

    if (!con)
        return;
    if (!r || !cursor_layout(r, &l)) {
        console_set_cursor(con, NULL);
        return;
    }
    c = cursor_new(l.width, l.height);
    c->hot_x = MIN(g->cursor_hot_x, l.width - 1);
    c->hot_y = MIN(g->cursor_hot_y, l.height - 1);
    for (uint32_t y = 0; y < l.height; y++)
        gpu_row(g, r, &l, 0, y, l.width, c->pixels + (size_t)y * l.width);
    console_set_cursor(con, c);
    g_free(c);
}

/* ---- what displays would like ---- */

static void wanted_size(void *opaque, unsigned width, unsigned height)
{
    struct gpu_scanout *s = opaque;
    struct gpu *g = s->gpu;

    /* a monitor is pulled, but for the first: a desktop needs one */
    if (!width && !s->index)
        return;
    /* more than EDID's timings can say is not to be had */
    width = MIN(width, EDID_PIXELS_MAX);
    height = MIN(height, EDID_PIXELS_MAX);
    if (s->want_width == width && s->want_height == height)
        return;
    s->want_width = width;
    s->want_height = height;
    g->events |= 1; /* VIRTIO_GPU_EVENT_DISPLAY */
    virtio_config_changed(&g->v);
}

const struct console_ops gpu_console_ops = { .wanted_size = wanted_size };
