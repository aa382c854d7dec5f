/* One window: its picture, its title, its size, in SDL's thread. */
#include "window.h"

#ifdef CONFIG_SDL2

/* ---- what is seen ---- */

static const char *release_hint(const struct window *w)
{
    static const char *const hints[] = {
        [GRAB_CTRL_ALT] = " - Ctrl-Alt-G releases the mouse",
        [GRAB_SHIFT_CTRL_ALT] = " - Shift-Ctrl-Alt-G releases the mouse",
        [GRAB_RCTRL] = " - Right Ctrl-G releases the mouse",
    };

    return w->ui->grabber == w ? hints[w->ui->cfg.grab_mod] : "";
}

void win_title(struct window *w)
{
    g_autofree char *state = NULL, *title = NULL, *number = NULL;

    pthread_mutex_lock(&w->ui->lock);
    state = w->ui->state ? g_strdup_printf(" [%s]", w->ui->state) : g_strdup("");
    number = w->number > 1 ? g_strdup_printf(" %d", w->number) : g_strdup("");
    pthread_mutex_unlock(&w->ui->lock);
    title = g_strdup_printf("%s%s%s%s", w->ui->cfg.name ? w->ui->cfg.name : "myna", number, state,
                            release_hint(w));
    sdl.SetWindowTitle(w->window, title);
}

/* The largest place of the picture's own shape. */
static void place(struct window *w)
{
    int pw, ph;
    double scale;

    sdl.GetRendererOutputSize(w->renderer, &pw, &ph);
    scale = MIN((double)pw / w->tex_width, (double)ph / w->tex_height);
    if (w->ui->cfg.whole && scale > 1)
        scale = (int)scale;
    w->view.w = MAX((int)(w->tex_width * scale + 0.5), 1);
    w->view.h = MAX((int)(w->tex_height * scale + 0.5), 1);
    w->view.x = (pw - w->view.w) / 2;
    w->view.y = (ph - w->view.h) / 2;
    /* whole multiples stay sharp */
    sdl.SetTextureScaleMode(w->texture, w->view.w % (int)w->tex_width == 0 ? SDL_ScaleModeNearest
                                                                           : SDL_ScaleModeLinear);
}

/* Two bars on a darkened picture. */
static void draw_paused(struct window *w)
{
    int h = w->view.h / 5, bar = MAX(h / 4, 1);
    int x = w->view.x + w->view.w / 2, y = w->view.y + (w->view.h - h) / 2;
    const SDL_Rect bars[2] = { { x - 2 * bar, y, bar, h }, { x + bar, y, bar, h } };

    sdl.SetRenderDrawBlendMode(w->renderer, SDL_BLENDMODE_BLEND);
    sdl.SetRenderDrawColor(w->renderer, 0, 0, 0, 0x70);
    sdl.RenderFillRect(w->renderer, &w->view);
    sdl.SetRenderDrawColor(w->renderer, 0xff, 0xff, 0xff, 0xc0);
    sdl.RenderFillRects(w->renderer, bars, 2);
}

void win_draw(struct window *w)
{
    if (!w->texture)
        return;
    place(w);
    sdl.SetRenderDrawColor(w->renderer, 0, 0, 0, 0xff);
    sdl.RenderClear(w->renderer);
    sdl.RenderCopy(w->renderer, w->texture, NULL, &w->view);
    if (w->ui->paused)
        draw_paused(w);
    sdl.RenderPresent(w->renderer);
}

/* The guest's size times the zoom, as far as the desktop has room for it. */
static void fit_window(struct window *w)
{
    int zoom = w->zoom ? w->zoom : 100, pw, ph, ww, wh;
    double dpi;

    if (w->full || sdl.GetWindowFlags(w->window) & SDL_WINDOW_MAXIMIZED)
        return;
    sdl.GetRendererOutputSize(w->renderer, &pw, &ph);
    sdl.GetWindowSize(w->window, &ww, &wh);
    dpi = ww ? (double)pw / ww : 1;
    w->own_width = MAX((int)(w->tex_width * zoom / 100 / dpi), 1);
    w->own_height = MAX((int)(w->tex_height * zoom / 100 / dpi), 1);
    if (ww != w->own_width || wh != w->own_height)
        sdl.SetWindowSize(w->window, w->own_width, w->own_height);
}

void win_zoom(struct window *w, int percent)
{
    w->zoom = percent;
    w->user_sized = false;
    fit_window(w);
    win_draw(w);
}

void win_full(struct window *w, bool on)
{
    if (sdl.SetWindowFullscreen(w->window, on ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0) == 0)
        w->full = on;
    win_draw(w);
}

/* Whose pointer is seen where the desktop's is: the guest's own picture of it, or the desktop's. */
void win_pointer(struct sdl *ui)
{
    SDL_Window *under = sdl.GetMouseFocus();
    const struct window *w = under ? win_of(ui, sdl.GetWindowID(under)) : ui->grabber;
    bool hide;

    sdl.SetRelativeMouseMode(ui->grabber && !ui->seen_absolute);
    if (!w)
        return;
    hide = ui->seen_absolute && !w->seen_text && !w->sdl_cursor && !ui->cfg.show_cursor;
    if (w->sdl_cursor && ui->seen_absolute)
        sdl.SetCursor(w->sdl_cursor);
    else
        sdl.SetCursor(hide ? ui->no_cursor : sdl.GetDefaultCursor());
}

void win_grab(struct window *w, bool on)
{
    struct sdl *ui = w->ui;

    if (on == (ui->grabber == w))
        return;
    if (on && ui->grabber)
        win_grab(ui->grabber, false);
    ui->grabber = on ? w : NULL;
    sdl.SetWindowGrab(w->window, on);
    sdl.SetWindowKeyboardGrab(w->window, on);
    win_pointer(ui);
    win_title(w);
}

/* ---- what the main thread has ---- */

static void new_texture(struct window *w, unsigned width, unsigned height)
{
    bool follow = !w->user_sized;

    if (w->texture)
        sdl.DestroyTexture(w->texture);
    w->texture = sdl.CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING,
                                   (int)width, (int)height);
    w->tex_width = width;
    w->tex_height = height;
    if (follow)
        fit_window(w);
}

static void new_cursor(struct window *w, const struct cursor *c)
{
    SDL_Cursor *old = w->sdl_cursor;
    SDL_Surface *s = NULL;

    w->sdl_cursor = NULL;
    if (c)
        s = sdl.CreateRGBSurfaceWithFormatFrom((void *)c->pixels, (int)c->width, (int)c->height, 32,
                                               (int)c->width * 4, SDL_PIXELFORMAT_ARGB8888);
    if (s) {
        w->sdl_cursor = sdl.CreateColorCursor(s, (int)c->hot_x, (int)c->hot_y);
        sdl.FreeSurface(s);
    }
    win_pointer(w->ui);
    if (old)
        sdl.FreeCursor(old);
}

/* Under the lock: the shadow goes to the texture. */
static void upload(struct window *w)
{
    if (w->dirty.w && w->texture && w->width == w->tex_width && w->height == w->tex_height)
        sdl.UpdateTexture(w->texture, &w->dirty,
                          w->shadow + (size_t)w->dirty.y * w->width + w->dirty.x,
                          (int)w->width * 4);
    w->dirty.w = 0;
}

void win_work(struct window *w, unsigned todo)
{
    struct cursor *cursor = NULL;

    pthread_mutex_lock(&w->ui->lock);
    todo |= w->todo;
    w->todo = 0;
    if (todo & DO_RESIZE || w->width != w->tex_width || w->height != w->tex_height) {
        new_texture(w, w->width, w->height);
        w->dirty = (SDL_Rect){ 0, 0, (int)w->width, (int)w->height };
    }
    upload(w);
    w->seen_text = w->text;
    w->seen_takes_size = w->takes_size;
    if (todo & DO_CURSOR)
        cursor = g_steal_pointer(&w->cursor);
    pthread_mutex_unlock(&w->ui->lock);

    if (todo & DO_CURSOR)
        new_cursor(w, cursor);
    if (todo & DO_TITLE)
        win_title(w);
    if (todo & (DO_RESIZE | DO_DRAW | DO_TITLE))
        win_draw(w);
    if (todo & DO_RAISE)
        sdl.RaiseWindow(w->window);
    g_free(cursor);
}

/* ---- life ---- */

/* Hidden at first: SDL waits for the window manager to show it, and the guest must not. */
bool win_open(struct window *w)
{
    unsigned flags = SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI | SDL_WINDOW_HIDDEN;

    w->window = sdl.CreateWindow("myna", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                 (int)w->width, (int)w->height, flags);
    if (!w->window)
        return false;
    w->renderer = sdl.CreateRenderer(w->window, -1, 0);
    if (!w->renderer)
        w->renderer = sdl.CreateRenderer(w->window, -1, SDL_RENDERER_SOFTWARE);
    if (w->renderer)
        return true;
    win_close(w);
    return false;
}

void win_close(struct window *w)
{
    if (w->ui->grabber == w)
        win_grab(w, false);
    if (w->texture)
        sdl.DestroyTexture(w->texture);
    if (w->sdl_cursor)
        sdl.FreeCursor(w->sdl_cursor);
    if (w->renderer)
        sdl.DestroyRenderer(w->renderer);
    if (w->window)
        sdl.DestroyWindow(w->window);
    w->window = NULL;
    w->renderer = NULL;
    w->texture = NULL;
    w->sdl_cursor = NULL;
    w->tex_width = w->tex_height = 0;
    w->full = w->user_sized = false;
    w->zoom = 0;
}

#endif
