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
 *     console_listen(c, &l, &window_ops, window); console_pace(c, &l, 16);    a display
 *
 * Displays do not ask for pictures by themselves: they say how often they want to look, and the
 * fastest of them sets the pace of the console. Where nothing changes for a while, the pace falls;
 * console_wake() (someone typed) brings it back. Device lock throughout.
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <ui/input.h>

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

/* The mouse pointer's picture, 0xAARRGGBB, colours not multiplied by alpha. */
#define CURSOR_MAX 512
struct cursor {
    unsigned width, height; /* 1 to CURSOR_MAX */
    unsigned hot_x, hot_y;  /* inside of it */
    uint32_t pixels[];
};

/* Keys that are down while something is typed on a text console. */
enum { MOD_SHIFT = 1, MOD_CTRL = 2, MOD_ALT = 4 };

struct console;
struct consoles;
struct loop;

/* What a device does for its console. Members may be NULL. */
struct console_ops {
    /* Draws what changed since the last call into the surface, and says where by console_dirty().
     * NULL: the device says so whenever it changes something. */
    void (*refresh)(void *opaque);
    /* A display would like this size (pixels, 1 to SURFACE_MAX); the guest is told. 0 by 0: nobody
     * looks any more. */
    void (*wanted_size)(void *opaque, unsigned width, unsigned height);
    /* Text consoles: a character (0: none, but `key`) was typed. */
    void (*type)(void *opaque, enum key key, uint32_t character, unsigned mods);
};

/* What a display wants to know. Members may be NULL. */
struct console_listener_ops {
    /* There is another surface, of another size; all of it is dirty. */
    void (*resized)(void *opaque, const struct surface *s);
    /* The rectangle, which is inside of the surface, has been drawn. */
    void (*dirty)(void *opaque, unsigned x, unsigned y, unsigned width, unsigned height);
    /* What was dirty until now is one picture: show it. */
    void (*flush)(void *opaque);
    /* Another pointer; NULL: none is to be seen. It is good until the next call. */
    void (*cursor)(void *opaque, const struct cursor *cursor);
    /* The guest put the pointer there (its hot spot). */
    void (*moved)(void *opaque, int x, int y);
    /* The console goes away, and the listener with it. */
    void (*gone)(void *opaque);
};

/* Embed it; fields are private. */
struct console_listener {
    const struct console_listener_ops *ops;
    void *opaque;
    unsigned period; /* ms; 0: does not ask */
};

/* `loop` NULL: nobody sets a pace, pictures come when console_refresh() is called. */
struct consoles *consoles_new(struct loop *loop);
/* All consoles are gone. */
void consoles_free(struct consoles *set);
/* Console n in the order in which they were added; NULL past the end. */
struct console *console_at(const struct consoles *set, unsigned n);
/* Tells of consoles that came or went; the struct is the caller's. */
struct consoles_watch {
    void (*changed)(void *opaque);
    void *opaque;
};
void consoles_add_watch(struct consoles *set, struct consoles_watch *w);
void consoles_remove_watch(struct consoles *set, struct consoles_watch *w);
/* The head of a device, by its path; NULL when there is none. */
struct console *console_of(const struct consoles *set, const char *path, unsigned head);

/* ---- for devices ---- */

/* `path` (copied) and `head` name it. `set` may be NULL, for a machine that nobody looks at: the
 * result is NULL, and nobody ever asks for a refresh. */
struct console *console_add(struct consoles *set, const struct console_ops *ops, void *opaque,
                            const char *path, unsigned head);
/* Another one draws from now on; NULL is none. */
void console_set_ops(struct console *c, const struct console_ops *ops, void *opaque);
/* No listener is left after the call; NULL is none. */
void console_remove(struct console *c);
/* The surface in this size, black if it is a new one. Sizes are cut to 1 to SURFACE_MAX. Where the
 * host has no memory for it, the old surface: callers draw by the sizes they find in it. */
const struct surface *console_resize(struct console *c, unsigned width, unsigned height);
/* The rectangle, as far as it is inside of the surface, was drawn. */
void console_dirty(struct console *c, unsigned x, unsigned y, unsigned width, unsigned height);
/* For devices without refresh(): what was dirty is one picture. */
void console_flush(struct console *c);
/* Whether the guest shows something on this head; windows open for those that come into use. Heads
 * that can be off begin so, and say when they are not; NULL is none. */
void console_set_in_use(struct console *c, bool in_use);
/* The picture lies at (x, y) of a desktop of that size, which is what pointers go by; width 0: it
 * is the whole desktop, as at first. NULL is none. */
void console_set_place(struct console *c, unsigned x, unsigned y, unsigned width, unsigned height);
/* The pointer that displays are to show (copied); NULL for none. */
void console_set_cursor(struct console *c, const struct cursor *cursor);
void console_move_cursor(struct console *c, int x, int y);
/* All zero; freed by g_free(). NULL for sizes out of range. */
struct cursor *cursor_new(unsigned width, unsigned height);

/* ---- for displays ---- */

/* Never NULL; valid until the next refresh or removal. */
const struct surface *console_surface(const struct console *c);
/* Lets the device draw; listeners are told of what changed. */
void console_refresh(struct console *c);
/* Path of the device and number of its head. */
const char *console_path(const struct console *c);
unsigned console_head(const struct console *c);
unsigned console_index(const struct console *c);
/* NULL: none is to be seen. */
const struct cursor *console_cursor(const struct console *c);
/* How often `l` wants to look, in ms; 0: not at all. */
void console_pace(struct console *c, struct console_listener *l, unsigned ms);
/* Something is about to change: all consoles at full pace. */
void consoles_wake(struct consoles *set);
/* Asks the guest for the size of the first console where its device cannot; NULL: nobody does. */
void consoles_set_sizer(struct consoles *set,
                        void (*want)(void *opaque, unsigned width, unsigned height), void *opaque);
bool console_takes_size(const struct console *c);
/* 0 by 0: the head can be switched off, unless somebody else listens. */
void console_want_size(struct console *c, unsigned width, unsigned height);
bool console_in_use(const struct console *c);
/* The pointer goes to pixel (x, y) of the picture; input_sync() is the caller's. */
void console_point(const struct console *c, struct input *in, unsigned x, unsigned y);
/* The head whose picture is at (*x, *y) of the guest's desktop, and where in it: *x and *y, which
 * are at first what INPUT_ABS has. NULL: there is none. */
const struct console *consoles_pointed(const struct consoles *set, unsigned *x, unsigned *y);
/* Whether typing goes to console_type() and not to the guest's keyboard. */
bool console_is_text(const struct console *c);
void console_type(struct console *c, enum key key, uint32_t character, unsigned mods);
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
