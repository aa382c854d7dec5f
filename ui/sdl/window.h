/*
 * What the files of the SDL windows share.
 *
 * There is a window for the first console, or the one that the user chose by Ctrl-Alt-N, and one
 * for each further head that he asked for or that the guest uses (windows.c says which).
 *
 * Threads: SDL lives in a thread of its own, which sleeps until the desktop or the guest has
 * something for it; showing a picture never keeps the device lock. The main thread copies what the
 * console draws into `shadow` and sends an SDL event; what the user does comes back by a queue.
 * `lock` guards what both see, and is taken last.
 */
#ifndef UI_SDL_WINDOW_H
#define UI_SDL_WINDOW_H

#include <pthread.h>
#include <base/library.h>
#include <base/loop.h>
#include <ui/sdl.h>

#ifdef CONFIG_SDL2

#include <SDL.h>

/* sdl.Init() is SDL_Init(), and so on, once sdl_open() has returned true. */
#define SDL_FUNCTIONS(F, P)              \
    F(P, Init)                           \
    F(P, Quit)                           \
    F(P, SetHint)                        \
    F(P, GetError)                       \
    F(P, SetError)                       \
    F(P, getenv)                         \
    F(P, free)                           \
    F(P, RegisterEvents)                 \
    F(P, PushEvent)                      \
    F(P, WaitEvent)                      \
    F(P, StartTextInput)                 \
    F(P, CreateWindow)                   \
    F(P, DestroyWindow)                  \
    F(P, ShowWindow)                     \
    F(P, RaiseWindow)                    \
    F(P, GetWindowID)                    \
    F(P, GetWindowFlags)                 \
    F(P, GetWindowSize)                  \
    F(P, SetWindowSize)                  \
    F(P, SetWindowTitle)                 \
    F(P, SetWindowGrab)                  \
    F(P, SetWindowKeyboardGrab)          \
    F(P, SetWindowFullscreen)            \
    F(P, CreateRenderer)                 \
    F(P, DestroyRenderer)                \
    F(P, GetRendererOutputSize)          \
    F(P, SetRenderDrawColor)             \
    F(P, SetRenderDrawBlendMode)         \
    F(P, RenderClear)                    \
    F(P, RenderCopy)                     \
    F(P, RenderFillRect)                 \
    F(P, RenderFillRects)                \
    F(P, RenderPresent)                  \
    F(P, CreateTexture)                  \
    F(P, DestroyTexture)                 \
    F(P, UpdateTexture)                  \
    F(P, SetTextureScaleMode)            \
    F(P, CreateRGBSurfaceWithFormatFrom) \
    F(P, FreeSurface)                    \
    F(P, CreateColorCursor)              \
    F(P, FreeCursor)                     \
    F(P, SetCursor)                      \
    F(P, GetDefaultCursor)               \
    F(P, GetMouseFocus)                  \
    F(P, SetRelativeMouseMode)           \
    F(P, HasClipboardText)               \
    F(P, GetClipboardText)               \
    F(P, SetClipboardText)               \
    F(P, ShowMessageBox)

struct sdl_functions {
    SDL_FUNCTIONS(LIBRARY_POINTER, SDL_)
};

extern struct sdl_functions sdl;

enum { WINDOWS_MAX = 16 };

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
    WIN_CLOSE, /* the first window: the whole machine */
    WIN_PUT_AWAY,
    WIN_SHOT,
    WIN_CLIPBOARD,
};

struct win_event {
    enum sdl_event_kind kind;
    struct window *window;
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

/* What the main thread has for a window or for all; bits of `todo`. */
enum {
    DO_RESIZE = 1 << 0,
    DO_DRAW = 1 << 1,
    DO_TITLE = 1 << 2,
    DO_CURSOR = 1 << 3,
    DO_CLIPBOARD = 1 << 4,
    DO_POINTER = 1 << 5,
    DO_QUIT = 1 << 6,
    DO_RAISE = 1 << 7,
};

struct window {
    struct sdl *ui;

    /* main thread */
    struct console *console; /* NULL: none there, or the window is not used */
    struct console_listener listener;
    bool listening; /* else the user has put the window away */
    bool visible;

    /* under the lock */
    bool wanted; /* on the desktop */
    unsigned todo;
    uint32_t *shadow;
    unsigned width, height;
    SDL_Rect dirty; /* w 0: nothing */
    struct cursor *cursor;
    int number; /* of the console, from 1 */
    bool text, takes_size;

    /* SDL's thread */
    SDL_Window *window; /* NULL: none */
    SDL_Renderer *renderer;
    SDL_Texture *texture;
    SDL_Cursor *sdl_cursor; /* NULL: the guest gave none */
    unsigned tex_width, tex_height;
    SDL_Rect view;             /* where the picture is, in pixels of the renderer */
    int own_width, own_height; /* of the window, as we asked for it */
    bool full, user_sized;
    bool seen_text, seen_takes_size;
    int zoom; /* percent of the guest's size; 0: as the window is */
};

struct sdl {
    struct sdl_config cfg;
    pthread_t thread;
    uint32_t wake_event; /* of SDL */
    struct window windows[WINDOWS_MAX];

    /* main thread */
    struct consoles_watch watch;
    struct input_watch input_watch;
    struct clipboard_peer clip;
    struct keys_held held;
    bool told_trouble;
    GSource *source;
    int event_fd;
    unsigned shots;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* the three below */
    bool up, failed, ended;
    char *error;
    unsigned todo;
    bool woken;  /* an event is under way to the thread */
    char *state; /* NULL: it runs */
    char *clip_text;
    bool absolute;
    GQueue events; /* of struct win_event */

    /* SDL's thread */
    struct window *grabber; /* has mouse and keyboard; NULL: none */
    SDL_Cursor *no_cursor;
    bool paused, over, quitting;
    bool hotkey; /* modifiers that are down belong to a hot key */
    bool seen_absolute;
    char *own_clip; /* what we put into the desktop's clipboard */
};

static inline bool win_is_first(const struct window *w)
{
    return w == w->ui->windows;
}

/* ---- the main thread's: windows.c ---- */

/* Under the lock. For one window; for all, with `w` NULL. A wake-up that is under way serves for
 * more. */
void win_ask(struct sdl *ui, struct window *w, unsigned todo);
/* The first window shows the first console, and those heads that came into use get theirs. */
void windows_update(struct sdl *ui);
/* Shows console `n` where it belongs: in the first window, or, if it is a further head, in its own.
 */
void windows_choose(struct sdl *ui, unsigned n);
/* The user does not want to see this head any more. */
void window_put_away(struct window *w);
void window_pace(struct window *w);
void windows_free(struct sdl *ui);

/* ---- SDL's thread ---- */

/* thread.c */
void *sdl_main(void *opaque);
void win_post(struct window *w, const struct win_event *e);

/* draw.c */
/* False: SDL_GetError() says why, and nothing is left. */
bool win_open(struct window *w);
void win_close(struct window *w);
void win_work(struct window *w, unsigned todo);
void win_title(struct window *w);
void win_draw(struct window *w);
void win_grab(struct window *w, bool on);
void win_pointer(struct sdl *ui);
void win_full(struct window *w, bool on);
void win_zoom(struct window *w, int percent);

/* input.c: what the user does. */
void win_input(struct sdl *ui, const SDL_Event *e);
/* NULL: it is none of ours. */
struct window *win_of(struct sdl *ui, uint32_t id);

/* keys.c */
enum key win_key(SDL_Scancode code);

#endif
#endif
