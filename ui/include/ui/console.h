/*
 * Consoles: from devices that draw pictures to those who show them (windows, VNC, screendump).
 *
 * A device adds a console for each of its heads. It draws only when it is asked to, and then only
 * what changed:
 *
 *     v->con = console_add(m->consoles, &vga_console, v, dev->path, 0);       a device, in realize
 *     s = console_resize(c, 640, 480);                                        in its refresh()
 *     surface_row(s, y)[x] = 0xff0000; console_dirty(c, x, y, 1, 1);
 *
 *     console_listen(c, &l, &window_ops, window); console_refresh(c);         a display
 *
 * Device lock throughout.
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* Ceiling of width and height, in pixels. */
#define SURFACE_MAX 8192

/* A picture: 32 bits a pixel in the host's byte order, 0x00RRGGBB. */
struct surface {
    unsigned width, height; /* pixels */
    unsigned stride;        /* pixels from a row to the next */
    uint32_t *pixels;
};

static inline uint32_t *surface_row(const struct surface *s, unsigned y)
{
    return s->pixels + (size_t)y * s->stride;
}

struct console;
struct consoles;

/* What a device does for its console. */
struct console_ops {
    /* Draws what changed since the last call into the surface, and says where by console_dirty().
     */
    void (*refresh)(void *opaque);
};

/* What a display wants to know. */
struct console_listener_ops {
    /* There is another surface, of another size; all of it is dirty. */
    void (*resized)(void *opaque, const struct surface *s);
    /* The rectangle, which is inside of the surface, has been drawn. */
    void (*dirty)(void *opaque, unsigned x, unsigned y, unsigned width, unsigned height);
};

/* Embed it; fields are private. */
struct console_listener {
    const struct console_listener_ops *ops;
    void *opaque;
};

struct consoles *consoles_new(void);
/* All consoles are gone. */
void consoles_free(struct consoles *set);
/* Console n in the order in which they were added; NULL past the end. */
struct console *console_at(const struct consoles *set, unsigned n);
/* The head of a device, by its path; NULL when there is none. */
struct console *console_of(const struct consoles *set, const char *path, unsigned head);

/* ---- for devices ---- */

/* `path` (copied) and `head` name it. `set` may be NULL, for a machine that nobody looks at: the
 * result is NULL, and nobody ever asks for a refresh. */
struct console *console_add(struct consoles *set, const struct console_ops *ops, void *opaque,
                            const char *path, unsigned head);
/* No listener is left after the call; NULL is none. */
void console_remove(struct console *c);
/* The surface in this size, black if it is a new one. Sizes are cut to 1 to SURFACE_MAX. Where the
 * host has no memory for it, the old surface: callers draw by the sizes they find in it. */
const struct surface *console_resize(struct console *c, unsigned width, unsigned height);
/* The rectangle, as far as it is inside of the surface, was drawn. */
void console_dirty(struct console *c, unsigned x, unsigned y, unsigned width, unsigned height);

/* ---- for displays ---- */

/* Never NULL; valid until the next refresh or removal. */
const struct surface *console_surface(const struct console *c);
/* Lets the device draw; listeners are told of what changed. */
void console_refresh(struct console *c);
/* `l` is the caller's until console_unlisten(). Told of the surface at once. */
void console_listen(struct console *c, struct console_listener *l,
                    const struct console_listener_ops *ops, void *opaque);
void console_unlisten(struct console *c, struct console_listener *l);

/* ---- pictures as files ---- */

enum picture_format { PICTURE_PPM, PICTURE_PNG };
/* Writes the surface to a file; `what` begins messages. PNG wants libpng. */
bool picture_write(const char *what, const char *path, enum picture_format format,
                   const struct surface *s, GError **err) __attribute__((warn_unused_result));

#endif
