/* SDL's thread: the window, its texture, its title, and waiting for something to do. */
#include "window.h"

#ifdef CONFIG_SDL2

#include <sys/eventfd.h>

void win_post(struct sdl *w, const struct win_event *ev)
{
    enum { EVENTS_MAX = 4096 };
    struct win_event *last, *e = g_memdup2(ev, sizeof(*ev));

    pthread_mutex_lock(&w->lock);
    last = g_queue_peek_tail(&w->events);
    if (last && last->kind == e->kind && (e->kind == WIN_POINT || e->kind == WIN_SIZE)) {
        /* the main thread was busy: only the last place counts */
        *last = *e;
        g_free(e);
    } else if (w->events.length < EVENTS_MAX) {
        g_queue_push_tail(&w->events, e);
    } else {
        g_free(e->text);
        g_free(e);
    }
    pthread_mutex_unlock(&w->lock);
    eventfd_write(w->event_fd, 1);
}

/* ---- what is seen ---- */

void win_title(struct sdl *w)
{
    g_autofree char *state = NULL, *title = NULL, *number = NULL;

    pthread_mutex_lock(&w->lock);
    state = w->state ? g_strdup_printf(" [%s]", w->state) : g_strdup("");
    number = w->number > 1 ? g_strdup_printf(" %d", w->number) : g_strdup("");
    pthread_mutex_unlock(&w->lock);
    title = g_strdup_printf("%s%s%s%s", w->cfg.name ? w->cfg.name : "myna", number, state,
                            w->grabbed ? w->cfg.grab_mod == GRAB_RCTRL
                                             ? " - Right Ctrl-G releases the mouse"
                                         : w->cfg.grab_mod == GRAB_SHIFT_CTRL_ALT
                                             ? " - Shift-Ctrl-Alt-G releases the mouse"
                                             : " - Ctrl-Alt-G releases the mouse"
                                       : "");
    SDL_SetWindowTitle(w->window, title);
}

/* The largest place of the picture's own shape. */
static void place(struct sdl *w)
{
    int pw, ph;
    double scale;

    SDL_GetRendererOutputSize(w->renderer, &pw, &ph);
    scale = MIN((double)pw / w->tex_width, (double)ph / w->tex_height);
    if (w->cfg.whole && scale > 1)
        scale = (int)scale;
    w->view.w = MAX((int)(w->tex_width * scale + 0.5), 1);
    w->view.h = MAX((int)(w->tex_height * scale + 0.5), 1);
    w->view.x = (pw - w->view.w) / 2;
    w->view.y = (ph - w->view.h) / 2;
    /* whole multiples stay sharp */
    SDL_SetTextureScaleMode(w->texture, w->view.w % (int)w->tex_width == 0 ? SDL_ScaleModeNearest
                                                                           : SDL_ScaleModeLinear);
}

/* Two bars on a darkened picture. */
static void draw_paused(struct sdl *w)
{
    int h = w->view.h / 5, bar = MAX(h / 4, 1);
    int x = w->view.x + w->view.w / 2, y = w->view.y + (w->view.h - h) / 2;
    const SDL_Rect bars[2] = { { x - 2 * bar, y, bar, h }, { x + bar, y, bar, h } };

    SDL_SetRenderDrawBlendMode(w->renderer, SDL_BLENDMODE_BLEND);
    SDL_SetRenderDrawColor(w->renderer, 0, 0, 0, 0x70);
    SDL_RenderFillRect(w->renderer, &w->view);
    SDL_SetRenderDrawColor(w->renderer, 0xff, 0xff, 0xff, 0xc0);
    SDL_RenderFillRects(w->renderer, bars, 2);
}

void win_draw(struct sdl *w)
{
    if (!w->texture)
        return;
    place(w);
    SDL_SetRenderDrawColor(w->renderer, 0, 0, 0, 0xff);
    SDL_RenderClear(w->renderer);
    SDL_RenderCopy(w->renderer, w->texture, NULL, &w->view);
    if (w->paused)
        draw_paused(w);
    SDL_RenderPresent(w->renderer);
}

/* The guest's size times the zoom, as far as the desktop has room for it. */
static void fit_window(struct sdl *w)
{
    int zoom = w->zoom ? w->zoom : 100, pw, ph, ww, wh;
    double dpi;

    if (w->full || SDL_GetWindowFlags(w->window) & SDL_WINDOW_MAXIMIZED)
        return;
    SDL_GetRendererOutputSize(w->renderer, &pw, &ph);
    SDL_GetWindowSize(w->window, &ww, &wh);
    dpi = ww ? (double)pw / ww : 1;
    SDL_SetWindowSize(w->window, MAX((int)(w->tex_width * zoom / 100 / dpi), 1),
                      MAX((int)(w->tex_height * zoom / 100 / dpi), 1));
}

void win_zoom(struct sdl *w, int percent)
{
    w->zoom = percent;
    w->user_sized = false;
    fit_window(w);
    win_draw(w);
}

void win_full(struct sdl *w, bool on)
{
    if (SDL_SetWindowFullscreen(w->window, on ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0) == 0)
        w->full = on;
    win_draw(w);
}

/* Whose pointer is seen: the guest's own picture of it, or the desktop's. */
void win_pointer(struct sdl *w)
{
    bool hide = w->seen_absolute && !w->seen_text && !w->has_cursor && !w->cfg.show_cursor;

    SDL_SetRelativeMouseMode(w->grabbed && !w->seen_absolute);
    if (w->sdl_cursor && w->seen_absolute)
        SDL_SetCursor(w->sdl_cursor);
    else
        SDL_SetCursor(hide ? w->no_cursor : SDL_GetDefaultCursor());
}

void win_grab(struct sdl *w, bool on)
{
    if (on == w->grabbed)
        return;
    w->grabbed = on;
    SDL_SetWindowGrab(w->window, on);
    SDL_SetWindowKeyboardGrab(w->window, on);
    win_pointer(w);
    win_title(w);
}

/* ---- what the main thread has ---- */

static void new_texture(struct sdl *w, unsigned width, unsigned height)
{
    bool follow = !w->user_sized;

    if (w->texture)
        SDL_DestroyTexture(w->texture);
    w->texture = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING,
                                   (int)width, (int)height);
    w->tex_width = width;
    w->tex_height = height;
    if (follow)
        fit_window(w);
}

static void new_cursor(struct sdl *w, const struct cursor *c)
{
    SDL_Cursor *old = w->sdl_cursor;
    SDL_Surface *s = NULL;

    w->sdl_cursor = NULL;
    if (c)
        s = SDL_CreateRGBSurfaceWithFormatFrom((void *)c->pixels, (int)c->width, (int)c->height, 32,
                                               (int)c->width * 4, SDL_PIXELFORMAT_ARGB8888);
    if (s) {
        w->sdl_cursor = SDL_CreateColorCursor(s, (int)c->hot_x, (int)c->hot_y);
        SDL_FreeSurface(s);
    }
    w->has_cursor = w->sdl_cursor;
    win_pointer(w);
    if (old)
        SDL_FreeCursor(old);
}

/* Under the lock: the shadow goes to the texture. */
static void upload(struct sdl *w)
{
    if (w->dirty.w && w->texture && w->width == w->tex_width && w->height == w->tex_height)
        SDL_UpdateTexture(w->texture, &w->dirty,
                          w->shadow + (size_t)w->dirty.y * w->width + w->dirty.x,
                          (int)w->width * 4);
    w->dirty.w = 0;
}

static void do_work(struct sdl *w)
{
    struct cursor *cursor = NULL;
    char *clip = NULL;
    unsigned todo;

    pthread_mutex_lock(&w->lock);
    todo = w->todo;
    w->todo = 0;
    w->woken = false;
    if (todo & DO_RESIZE || w->width != w->tex_width || w->height != w->tex_height) {
        new_texture(w, w->width, w->height);
        w->dirty = (SDL_Rect){ 0, 0, (int)w->width, (int)w->height };
    }
    upload(w);
    w->paused = w->state;
    w->ended = g_strcmp0(w->state, "shutdown") == 0 || g_strcmp0(w->state, "guest-panicked") == 0;
    w->seen_absolute = w->absolute;
    w->seen_text = w->text;
    w->seen_takes_size = w->takes_size;
    if (todo & DO_CURSOR)
        cursor = g_steal_pointer(&w->cursor);
    if (todo & DO_CLIPBOARD)
        clip = g_steal_pointer(&w->clip_text);
    pthread_mutex_unlock(&w->lock);

    if (todo & DO_CURSOR)
        new_cursor(w, cursor);
    if (todo & DO_POINTER)
        win_pointer(w);
    if (todo & DO_TITLE)
        win_title(w);
    if (todo & (DO_RESIZE | DO_DRAW | DO_TITLE))
        win_draw(w);
    if (clip) {
        g_free(w->own_clip);
        w->own_clip = clip;
        SDL_SetClipboardText(clip);
    }
    g_free(cursor);
    w->quitting = todo & DO_QUIT;
}

/* ---- life ---- */

/* Hidden at first: SDL waits for the window manager to show it, and the guest must not. */
static bool open_window(struct sdl *w)
{
    unsigned flags = SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI | SDL_WINDOW_HIDDEN;
    const uint32_t nothing = 0;
    SDL_Surface *s;

    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_ALLOW_ALT_TAB_WHILE_GRABBED, "0");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_WINDOWS_NO_CLOSE_ON_ALT_F4, "1");
    if (SDL_Init(SDL_INIT_VIDEO) < 0)
        return false;
    /* where there is no desktop, SDL draws for nobody rather than fail */
    if (!SDL_getenv("SDL_VIDEODRIVER") && !SDL_getenv("DISPLAY") &&
        !SDL_getenv("WAYLAND_DISPLAY")) {
        SDL_SetError("neither DISPLAY nor WAYLAND_DISPLAY is set");
        return false;
    }
    w->wake_event = SDL_RegisterEvents(1);
    w->window = SDL_CreateWindow("myna", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                 (int)w->width, (int)w->height, flags);
    if (!w->window)
        return false;
    w->renderer = SDL_CreateRenderer(w->window, -1, 0);
    if (!w->renderer)
        w->renderer = SDL_CreateRenderer(w->window, -1, SDL_RENDERER_SOFTWARE);
    if (!w->renderer)
        return false;
    s = SDL_CreateRGBSurfaceWithFormatFrom((void *)&nothing, 1, 1, 32, 4, SDL_PIXELFORMAT_ARGB8888);
    w->no_cursor = s ? SDL_CreateColorCursor(s, 0, 0) : NULL;
    SDL_FreeSurface(s);
    SDL_StartTextInput();
    return true;
}

static void close_window(struct sdl *w)
{
    if (w->texture)
        SDL_DestroyTexture(w->texture);
    if (w->sdl_cursor)
        SDL_FreeCursor(w->sdl_cursor);
    if (w->no_cursor)
        SDL_FreeCursor(w->no_cursor);
    if (w->renderer)
        SDL_DestroyRenderer(w->renderer);
    if (w->window)
        SDL_DestroyWindow(w->window);
    SDL_Quit();
    g_free(w->own_clip);
}

static void say_started(struct sdl *w, bool ok)
{
    pthread_mutex_lock(&w->lock);
    w->up = ok;
    w->failed = !ok;
    if (!ok)
        w->error = g_strdup(SDL_GetError());
    pthread_cond_signal(&w->started);
    pthread_mutex_unlock(&w->lock);
}

void *sdl_main(void *opaque)
{
    struct sdl *w = opaque;
    bool ok = open_window(w);
    SDL_Event e;

    say_started(w, ok);
    if (ok) {
        SDL_ShowWindow(w->window);
        win_full(w, w->cfg.full_screen);
        do_work(w);
        win_grab(w, w->cfg.grab);
    }
    while (ok && !w->quitting && SDL_WaitEvent(&e)) {
        if (e.type == w->wake_event)
            do_work(w);
        else
            win_input(w, &e);
    }
    close_window(w);
    return NULL;
}

#endif
