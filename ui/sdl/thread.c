/* SDL's thread: it opens and closes windows, and waits for something to do. */
#include "window.h"

#ifdef CONFIG_SDL2

#include <sys/eventfd.h>

void win_post(struct window *w, const struct win_event *ev)
{
    enum { EVENTS_MAX = 4096 };
    struct sdl *ui = w->ui;
    struct win_event *last, *e = g_memdup2(ev, sizeof(*ev));

    e->window = w;
    pthread_mutex_lock(&ui->lock);
    last = g_queue_peek_tail(&ui->events);
    if (last && last->kind == e->kind && last->window == w &&
        (e->kind == WIN_POINT || e->kind == WIN_SIZE)) {
        /* the main thread was busy: only the last place counts */
        *last = *e;
        g_free(e);
    } else if (ui->events.length < EVENTS_MAX) {
        g_queue_push_tail(&ui->events, e);
    } else {
        g_free(e->text);
        g_free(e);
    }
    pthread_mutex_unlock(&ui->lock);
    eventfd_write(ui->event_fd, 1);
}

struct window *win_of(struct sdl *ui, uint32_t id)
{
    for (struct window *w = ui->windows; id && w < ui->windows + WINDOWS_MAX; w++)
        if (w->window && sdl.GetWindowID(w->window) == id)
            return w;
    return NULL;
}

/* ---- windows that come and go ---- */

static void open_or_close(struct window *w)
{
    bool wanted;

    pthread_mutex_lock(&w->ui->lock);
    wanted = w->wanted;
    pthread_mutex_unlock(&w->ui->lock);
    if (wanted == (w->window != NULL))
        return;
    if (!wanted) {
        win_close(w);
        return;
    }
    if (!win_open(w)) {
        g_printerr("-display: sdl: another window cannot be opened: %s\n", sdl.GetError());
        win_post(w, &(struct win_event){ .kind = WIN_PUT_AWAY });
        return;
    }
    win_title(w);
    sdl.ShowWindow(w->window);
}

static void do_work(struct sdl *ui)
{
    char *clip = NULL;
    unsigned todo;

    pthread_mutex_lock(&ui->lock);
    todo = ui->todo;
    ui->todo = 0;
    ui->woken = false;
    ui->paused = ui->state;
    ui->over = g_strcmp0(ui->state, "shutdown") == 0 || g_strcmp0(ui->state, "guest-panicked") == 0;
    ui->seen_absolute = ui->absolute;
    if (todo & DO_CLIPBOARD)
        clip = g_steal_pointer(&ui->clip_text);
    pthread_mutex_unlock(&ui->lock);

    ui->quitting = todo & DO_QUIT;
    for (struct window *w = ui->windows; w < ui->windows + WINDOWS_MAX && !ui->quitting; w++) {
        open_or_close(w);
        if (w->window)
            win_work(w, todo & DO_TITLE);
    }
    if (todo & DO_POINTER)
        win_pointer(ui);
    if (clip) {
        g_free(ui->own_clip);
        ui->own_clip = clip;
        sdl.SetClipboardText(clip);
    }
}

/* ---- life ---- */

/* The first window is there, hidden, when it returns. */
static bool begin(struct sdl *ui)
{
    const uint32_t nothing = 0;
    SDL_Surface *s;

    sdl.SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    sdl.SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    sdl.SetHint(SDL_HINT_ALLOW_ALT_TAB_WHILE_GRABBED, "0");
    sdl.SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    sdl.SetHint(SDL_HINT_WINDOWS_NO_CLOSE_ON_ALT_F4, "1");
    /* where there is no desktop, SDL draws for nobody rather than fail, and libwayland complains */
    if (!sdl.getenv("SDL_VIDEODRIVER") && !sdl.getenv("DISPLAY") &&
        !sdl.getenv("WAYLAND_DISPLAY")) {
        sdl.SetError("neither DISPLAY nor WAYLAND_DISPLAY is set");
        return false;
    }
    if (sdl.Init(SDL_INIT_VIDEO) < 0)
        return false;
    ui->wake_event = sdl.RegisterEvents(1);
    if (!win_open(&ui->windows[0]))
        return false;
    s = sdl.CreateRGBSurfaceWithFormatFrom((void *)&nothing, 1, 1, 32, 4, SDL_PIXELFORMAT_ARGB8888);
    ui->no_cursor = s ? sdl.CreateColorCursor(s, 0, 0) : NULL;
    sdl.FreeSurface(s);
    sdl.StartTextInput();
    return true;
}

static void end(struct sdl *ui)
{
    for (unsigned i = 0; i < WINDOWS_MAX; i++)
        win_close(&ui->windows[i]);
    if (ui->no_cursor)
        sdl.FreeCursor(ui->no_cursor);
    sdl.Quit();
    g_free(ui->own_clip);
    pthread_mutex_lock(&ui->lock);
    ui->ended = true;
    pthread_cond_signal(&ui->changed);
    pthread_mutex_unlock(&ui->lock);
}

static void say_started(struct sdl *ui, bool ok)
{
    pthread_mutex_lock(&ui->lock);
    ui->up = ok;
    ui->failed = !ok;
    if (!ok)
        ui->error = g_strdup(sdl.GetError());
    pthread_cond_signal(&ui->changed);
    pthread_mutex_unlock(&ui->lock);
}

void *sdl_main(void *opaque)
{
    struct sdl *ui = opaque;
    struct window *first = &ui->windows[0];
    bool ok = begin(ui);
    SDL_Event e;

    say_started(ui, ok);
    if (ok) {
        sdl.ShowWindow(first->window);
        win_full(first, ui->cfg.full_screen);
        do_work(ui);
        win_grab(first, ui->cfg.grab);
    }
    while (ok && !ui->quitting && sdl.WaitEvent(&e)) {
        if (e.type == ui->wake_event)
            do_work(ui);
        else
            win_input(ui, &e);
    }
    end(ui);
    return NULL;
}

#endif
