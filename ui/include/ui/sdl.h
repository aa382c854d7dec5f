/*
 * Windows on the host's desktop, by SDL2: one for the console that the user chose, and one for each
 * further head of the guest's graphics cards that is used.
 *
 *     struct sdl *ui = sdl_new(&cfg, &err);
 *     sdl_set_state(ui, "paused");
 *
 * Main thread, device lock held.
 */
#ifndef UI_SDL_H
#define UI_SDL_H

#include <base/option.h>
#include <ui/clipboard.h>
#include <ui/console.h>
#include <ui/input.h>

struct loop;
struct sdl;

/* What closing the first window does; others are put away. */
enum sdl_close {
    SDL_CLOSE_ASK,       /* asks, where a guest is running */
    SDL_CLOSE_POWERDOWN, /* presses the power button */
    SDL_CLOSE_QUIT,      /* ends it at once */
    SDL_CLOSE_NOTHING,
};

/* Members must be set. */
struct sdl_hooks {
    void (*powerdown)(void *opaque);
    void (*quit)(void *opaque);
    bool (*running)(void *opaque); /* whether there is anything to lose */
    void *opaque;
};

struct sdl_config {
    struct loop *loop;
    struct consoles *consoles;
    struct input *input;
    struct clipboard *clipboard; /* NULL: none */
    struct sdl_hooks hooks;
    char *name; /* of the guest; NULL: none */
    bool full_screen, show_cursor, grab;
    bool whole; /* enlarged by whole numbers only */
    enum sdl_close close;
    int grab_mod; /* enum sdl_grab_mod */
};

/* Reads full-screen=, window-close=, show-cursor=, grab=, grab-mod=, scale=, gl= of -display sdl.
 */
bool sdl_config_parse(struct sdl_config *cfg, struct opts *o, GError **err)
    __attribute__((warn_unused_result));

/* Whether there can be windows: not where this program was built without SDL2, or it is not
 * installed. */
bool sdl_open(GError **err);
/* After sdl_open(). `cfg` is copied, and its name taken over. NULL and err where there is no
 * desktop to be had. */
struct sdl *sdl_new(struct sdl_config *cfg, GError **err) __attribute__((warn_unused_result));
void sdl_free(struct sdl *ui);
/* Shown in the titles; NULL: it runs. Copied. */
void sdl_set_state(struct sdl *ui, const char *state);

#endif
