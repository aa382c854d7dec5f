/*
 * What the files of the SDL window share.
 *
 * Threads: SDL lives in a thread of its own, which sleeps until the desktop or the guest has
 * something for it; showing a picture never keeps the device lock. The main thread copies what the
 * console draws into `shadow` and sends an SDL event; what the user does comes back by a queue.
 * `lock` guards what both see, and is taken last.
 */
#ifndef UI_SDL_WINDOW_H
#define UI_SDL_WINDOW_H

#include <pthread.h>
#include <base/loop.h>
#include <ui/sdl.h>

#ifdef CONFIG_SDL2

#include <SDL.h>

enum sdl_grab_mod { GRAB_CTRL_ALT, GRAB_SHIFT_CTRL_ALT, GRAB_RCTRL };

enum sdl_event_kind {
    WIN_KEY,
    WIN_TYPED, /* a character for a text console */
    WIN_RELEASE,
    WIN_POINT,
    WIN_MOVE,
    WIN_BUTTON,
    WIN_SIZE,
    WIN_VISIBLE,
    WIN_CONSOLE,
    WIN_CLOSE,
    WIN_SHOT,
    WIN_CLIPBOARD,
};

struct win_event {
    enum sdl_event_kind kind;
    enum key key;
    bool down;
    uint32_t character;
    unsigned mods;
    int x, y;
    unsigned width, height;
    enum input_button button;
    enum sdl_close close; /* POWERDOWN or QUIT */
    char *text;           /* owned */
};

/* What the main thread has for the window; bits of `todo`. */
enum {
    DO_RESIZE = 1 << 0,
    DO_DRAW = 1 << 1,
    DO_TITLE = 1 << 2,
    DO_CURSOR = 1 << 3,
    DO_CLIPBOARD = 1 << 4,
    DO_POINTER = 1 << 5,
    DO_QUIT = 1 << 6,
};

struct sdl {
    struct sdl_config cfg;
    pthread_t thread;
    uint32_t wake_event; /* of SDL */

    /* main thread */
    struct console *console; /* NULL: none there */
    struct console_listener listener;
    struct consoles_watch watch;
    struct input_watch input_watch;
    struct clipboard_peer clip;
    struct keys_held held;
    bool visible, told_trouble;
    GSource *source;
    int event_fd;
    unsigned shots;

    pthread_mutex_t lock;
    pthread_cond_t started;
    bool up, failed;
    char *error;
    unsigned todo;
    bool woken; /* an event is under way to the thread */
    uint32_t *shadow;
    unsigned width, height;
    SDL_Rect dirty; /* w 0: nothing */
    char *state;    /* NULL: it runs */
    char *clip_text;
    struct cursor *cursor;
    int number; /* of the console, from 1 */
    bool absolute, text, takes_size;
    GQueue events; /* of struct win_event */

    /* SDL's thread */
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture;
    SDL_Cursor *sdl_cursor, *no_cursor;
    unsigned tex_width, tex_height;
    SDL_Rect view; /* where the picture is, in pixels of the renderer */
    bool full, grabbed, focused, user_sized, paused, ended, quitting;
    bool has_cursor; /* the guest gave one */
    bool hotkey;     /* modifiers that are down belong to a hot key */
    bool seen_absolute, seen_text, seen_takes_size;
    int zoom; /* percent of the guest's size; 0: as the window is */
    char *own_clip; /* what we put into the desktop's clipboard */
};

/* thread.c */
void *sdl_main(void *opaque);
void win_post(struct sdl *w, const struct win_event *e);
void win_title(struct sdl *w);
void win_draw(struct sdl *w);
void win_grab(struct sdl *w, bool on);
void win_pointer(struct sdl *w);
void win_full(struct sdl *w, bool on);
void win_zoom(struct sdl *w, int percent);

/* input.c: what the user does, in SDL's thread. */
void win_input(struct sdl *w, const SDL_Event *e);

/* keys.c */
enum key win_key(SDL_Scancode code);

#endif
#endif
