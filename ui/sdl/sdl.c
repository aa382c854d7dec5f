/* The main thread's side of the windows: what the user did, options, life; see ui/sdl.h. */
#include "window.h"

#include <base/error.h>

#ifdef CONFIG_SDL2

#include <sys/eventfd.h>
#include <unistd.h>
#include <base/log.h>

/* ---- to the windows ---- */

static void consoles_changed(void *opaque)
{
    windows_update(opaque);
}

static void devices_changed(void *opaque)
{
    struct sdl *ui = opaque;

    pthread_mutex_lock(&ui->lock);
    ui->absolute = input_takes(ui->cfg.input, INPUT_ABS);
    win_ask(ui, NULL, DO_POINTER);
    pthread_mutex_unlock(&ui->lock);
}

static void clip_changed(void *opaque, const char *text)
{
    struct sdl *ui = opaque;

    pthread_mutex_lock(&ui->lock);
    g_free(ui->clip_text);
    ui->clip_text = g_strdup(text);
    win_ask(ui, NULL, DO_CLIPBOARD);
    pthread_mutex_unlock(&ui->lock);
}

void sdl_set_state(struct sdl *ui, const char *state)
{
    pthread_mutex_lock(&ui->lock);
    g_free(ui->state);
    ui->state = g_strdup(state);
    win_ask(ui, NULL, DO_TITLE);
    pthread_mutex_unlock(&ui->lock);
}

/* ---- from the windows ---- */

/* A file beside us that is not there yet. */
static void screenshot(struct sdl *ui, struct console *c)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *when = now ? g_date_time_format(now, "%Y%m%d-%H%M%S") : g_strdup("0");
    g_autofree char *path =
        g_strdup_printf("%s-%s-%u.png", ui->cfg.name ? ui->cfg.name : "myna", when, ui->shots++);
    GError *err = NULL;

    if (!c)
        return;
    console_refresh(c);
    g_strdelimit(path, "/", '_');
    if (picture_write("screenshot", path, PICTURE_PNG, console_surface(c), &err))
        g_printerr("screenshot: %s\n", path);
    else
        g_printerr("%s\n", err->message);
    g_clear_error(&err);
}

static void close_asked(const struct sdl *ui, enum sdl_close how)
{
    const struct sdl_hooks *h = &ui->cfg.hooks;

    /* a guest that has ended has nobody to press its button for */
    if (how == SDL_CLOSE_QUIT || !h->running(h->opaque))
        h->quit(h->opaque);
    else
        h->powerdown(h->opaque);
}

/* Says once what keeps text from the guest. */
static void user_copied(struct sdl *ui, const char *text)
{
    const char *trouble = ui->cfg.clipboard ? clipboard_trouble(ui->cfg.clipboard) : NULL;

    if (trouble && !ui->told_trouble)
        g_printerr("what you copied does not reach the guest's clipboard: %s\n", trouble);
    ui->told_trouble |= trouble != NULL;
    if (ui->cfg.clipboard)
        clipboard_set(ui->cfg.clipboard, &ui->clip, text);
}

/* What is done in a window whose console is there. */
static void do_console_event(struct window *w, const struct win_event *e)
{
    struct input *in = w->ui->cfg.input;

    switch (e->kind) {
    case WIN_TYPED: console_type(w->console, e->key, e->character, e->mods); break;
    case WIN_POINT:
        console_point(w->console, in, (unsigned)e->x, (unsigned)e->y);
        input_sync(in);
        break;
    case WIN_SIZE: console_want_size(w->console, e->width, e->height); break;
    case WIN_SHOT: screenshot(w->ui, w->console); break;
    default: break;
    }
}

static void do_event(struct sdl *ui, const struct win_event *e)
{
    struct input *in = ui->cfg.input;

    switch (e->kind) {
    case WIN_KEY:
        if (!e->down && !key_held(&ui->held, e->key))
            break; /* it went down for a hot key, or elsewhere */
        input_hold(in, &ui->held, e->key, e->down);
        input_sync(in);
        break;
    case WIN_RELEASE: input_release(in, &ui->held); break;
    case WIN_MOVE:
        input_move(in, e->x, e->y);
        input_sync(in);
        break;
    case WIN_BUTTON:
        input_button(in, e->button, e->down);
        input_sync(in);
        break;
    case WIN_VISIBLE:
        e->window->visible = e->down;
        window_pace(e->window);
        break;
    case WIN_CONSOLE: windows_choose(ui, (unsigned)e->x); break;
    case WIN_CLOSE: close_asked(ui, e->close); break;
    case WIN_PUT_AWAY: window_put_away(e->window); break;
    case WIN_CLIPBOARD: user_copied(ui, e->text); break;
    default:
        if (e->window->console && e->window->listening)
            do_console_event(e->window, e);
        break;
    }
}

static gboolean events(int fd, GIOCondition cond, gpointer opaque)
{
    struct sdl *ui = opaque;
    struct win_event *e;
    uint64_t count;

    (void)cond;
    (void)!read(fd, &count, sizeof(count));
    do {
        pthread_mutex_lock(&ui->lock);
        e = g_queue_pop_head(&ui->events);
        pthread_mutex_unlock(&ui->lock);
        if (e) {
            do_event(ui, e);
            g_free(e->text);
            g_free(e);
        }
    } while (e);
    return TRUE;
}

/* ---- life ---- */

static const char *const close_names[] = {
    [SDL_CLOSE_ASK] = "ask",
    [SDL_CLOSE_POWERDOWN] = "powerdown",
    [SDL_CLOSE_QUIT] = "quit",
    [SDL_CLOSE_NOTHING] = "off",
    "on", /* QEMU's word: the window can be closed */
    NULL,
};
static const char *const grab_names[] = { [GRAB_CTRL_ALT] = "lctrl-lalt",
                                          [GRAB_SHIFT_CTRL_ALT] = "lshift-lctrl-lalt",
                                          [GRAB_RCTRL] = "rctrl",
                                          NULL };

bool sdl_config_parse(struct sdl_config *cfg, struct opts *o, GError **err)
{
    static const char *const scales[] = { "free", "integer", NULL };
    int close = SDL_CLOSE_ASK, scale = 0;
    bool gl = false;

    if (!opts_bool(o, "gl", &gl, err) || !opts_bool(o, "full-screen", &cfg->full_screen, err) ||
        !opts_bool(o, "show-cursor", &cfg->show_cursor, err) ||
        !opts_bool(o, "grab", &cfg->grab, err) ||
        !opts_enum(o, "window-close", close_names, &close, err) ||
        !opts_enum(o, "scale", scales, &scale, err) ||
        !opts_enum(o, "grab-mod", grab_names, &cfg->grab_mod, err))
        return false;
    if (gl)
        return error_set(err, "-display: sdl: gl=on is not there: no card draws by OpenGL");
    cfg->whole = scale;
    cfg->close = close > SDL_CLOSE_NOTHING ? SDL_CLOSE_ASK : (enum sdl_close)close;
    return true;
}

struct sdl_functions sdl;
static struct library library = LIBRARY(sdl, SDL2, SDL_, SDL_FUNCTIONS);

bool sdl_open(GError **err)
{
    return library_open(&library, "-display: sdl", err);
}

/* The thread wants nothing but the lock, so that it can be waited for with the device lock held. */
static bool start(struct sdl *ui, GError **err)
{
    if (pthread_create(&ui->thread, NULL, sdl_main, ui) != 0)
        return error_set(err, "-display: sdl: cannot start a thread");
    pthread_mutex_lock(&ui->lock);
    while (!ui->up && !ui->failed)
        pthread_cond_wait(&ui->changed, &ui->lock);
    pthread_mutex_unlock(&ui->lock);
    if (ui->up)
        return true;
    pthread_join(ui->thread, NULL);
    return error_set(err,
                     "-display: sdl: no window can be opened (%s); without a desktop there are "
                     "-nographic and -display vnc=:0",
                     ui->error);
}

struct sdl *sdl_new(struct sdl_config *cfg, GError **err)
{
    struct sdl *ui = g_new0(struct sdl, 1);

    ui->cfg = *cfg;
    cfg->name = NULL;
    pthread_mutex_init(&ui->lock, NULL);
    pthread_cond_init(&ui->changed, NULL);
    g_queue_init(&ui->events);
    ui->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ui->source = loop_watch_fd(ui->cfg.loop, ui->event_fd, G_IO_IN, events, ui);
    ui->watch = (struct consoles_watch){ .changed = consoles_changed, .opaque = ui };
    consoles_add_watch(ui->cfg.consoles, &ui->watch);
    ui->input_watch = (struct input_watch){ .devices = devices_changed, .opaque = ui };
    input_add_watch(ui->cfg.input, &ui->input_watch);
    ui->clip = (struct clipboard_peer){ .changed = clip_changed, .opaque = ui };
    if (ui->cfg.clipboard)
        clipboard_join(ui->cfg.clipboard, &ui->clip);
    devices_changed(ui);
    for (unsigned i = 0; i < WINDOWS_MAX; i++)
        ui->windows[i].ui = ui;
    windows_update(ui);
    if (start(ui, err))
        return ui;
    sdl_free(ui);
    return NULL;
}

static void free_event(gpointer p)
{
    struct win_event *e = p;

    g_free(e->text);
    g_free(e);
}

/* Whether the thread came to its end. It does not where it waits for a window manager that never
 * shows the window, for an answer that nobody gives, or for an X server that is stuck: then it is
 * left alone with all that it could touch, for the little time that is left. */
static bool thread_ended(struct sdl *ui)
{
    enum { PATIENCE_S = 2 };
    struct timespec end;
    int rc = 0;
    bool ended;

    if (!ui->up)
        return true;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&ui->lock);
    win_ask(ui, NULL, DO_QUIT);
    while (!ui->ended && rc == 0)
        rc = pthread_cond_timedwait(&ui->changed, &ui->lock, &end);
    ended = ui->ended;
    pthread_mutex_unlock(&ui->lock);
    if (ended)
        pthread_join(ui->thread, NULL);
    else
        pthread_detach(ui->thread);
    return ended;
}

static void free_all(struct sdl *ui)
{
    close(ui->event_fd);
    g_queue_clear_full(&ui->events, free_event);
    pthread_mutex_destroy(&ui->lock);
    pthread_cond_destroy(&ui->changed);
    for (unsigned i = 0; i < WINDOWS_MAX; i++) {
        g_free(ui->windows[i].shadow);
        g_free(ui->windows[i].cursor);
    }
    g_free(ui->state);
    g_free(ui->clip_text);
    g_free(ui->error);
    g_free(ui->cfg.name);
    g_free(ui);
}

/* At the very end, when all that is ours has been put away: destructors of graphics libraries would
 * wait for locks that the thread has. */
static void leave_at_once(int status, void *opaque)
{
    (void)opaque;
    fflush(NULL);
    _exit(status);
}

void sdl_free(struct sdl *ui)
{
    bool ended = thread_ended(ui);

    input_release(ui->cfg.input, &ui->held);
    windows_free(ui);
    consoles_remove_watch(ui->cfg.consoles, &ui->watch);
    input_remove_watch(ui->cfg.input, &ui->input_watch);
    if (ui->cfg.clipboard)
        clipboard_leave(ui->cfg.clipboard, &ui->clip);
    g_source_destroy(ui->source);
    g_source_unref(ui->source);
    if (ended)
        free_all(ui);
    else
        on_exit(leave_at_once, NULL);
}

#else

bool sdl_config_parse(struct sdl_config *cfg, struct opts *o, GError **err)
{
    (void)cfg, (void)o, (void)err;
    return true;
}

bool sdl_open(GError **err)
{
    return error_set(err, "-display: 'sdl' is not there (built without SDL2); 'vnc=:0' is");
}

struct sdl *sdl_new(struct sdl_config *cfg, GError **err)
{
    (void)cfg, (void)err;
    return NULL;
}

void sdl_free(struct sdl *ui)
{
    (void)ui;
}

void sdl_set_state(struct sdl *ui, const char *state)
{
    (void)ui, (void)state;
}

#endif
