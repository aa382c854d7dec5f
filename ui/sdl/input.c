/* What the user does in a window: keys, hot keys, the mouse, focus; in SDL's thread. */
#include "window.h"

#ifdef CONFIG_SDL2

enum { ZOOM_STEP = 25, ZOOM_MIN = 25, ZOOM_MAX = 800 };

static bool is_grabbed(const struct window *w)
{
    return w->ui->grabber == w;
}

/* ---- hot keys ---- */

static bool hot_mods(const struct window *w, unsigned mods)
{
    bool ctrl_alt = mods & KMOD_CTRL && mods & KMOD_ALT;

    switch (w->ui->cfg.grab_mod) {
    case GRAB_SHIFT_CTRL_ALT: return ctrl_alt && mods & KMOD_SHIFT;
    case GRAB_RCTRL: return mods & KMOD_RCTRL;
    default: return ctrl_alt;
    }
}

static void zoom_by(struct window *w, int step)
{
    int now = w->zoom ? w->zoom : 100;

    win_zoom(w, CLAMP(now + step, ZOOM_MIN, ZOOM_MAX));
}

static bool hot_key(struct window *w, SDL_Scancode code)
{
    switch (code) {
    case SDL_SCANCODE_F: win_full(w, !w->full); return true;
    case SDL_SCANCODE_G: win_grab(w, !is_grabbed(w)); return true;
    case SDL_SCANCODE_S: win_post(w, &(struct win_event){ .kind = WIN_SHOT }); return true;
    case SDL_SCANCODE_U: win_zoom(w, 100); return true;
    case SDL_SCANCODE_EQUALS:
    case SDL_SCANCODE_KP_PLUS: zoom_by(w, ZOOM_STEP); return true;
    case SDL_SCANCODE_MINUS:
    case SDL_SCANCODE_KP_MINUS: zoom_by(w, -ZOOM_STEP); return true;
    default: break;
    }
    if (code < SDL_SCANCODE_1 || code > SDL_SCANCODE_9)
        return false;
    win_post(w, &(struct win_event){ .kind = WIN_CONSOLE, .x = (int)(code - SDL_SCANCODE_1) });
    return true;
}

/* ---- keys ---- */

static unsigned mods_of(unsigned mods)
{
    return (mods & KMOD_SHIFT ? MOD_SHIFT : 0) | (mods & KMOD_CTRL ? MOD_CTRL : 0) |
           (mods & KMOD_ALT ? MOD_ALT : 0);
}

/* Characters come as text; what is none, and those with Ctrl or Alt, as keys. */
static void type_key(struct window *w, const SDL_KeyboardEvent *e, enum key k)
{
    unsigned mods = mods_of(e->keysym.mod);
    uint32_t character = 0;

    if (e->keysym.sym >= 0x20 && e->keysym.sym < 0x7f) {
        if (!(mods & (MOD_CTRL | MOD_ALT)))
            return;
        character = (uint32_t)e->keysym.sym;
    }
    win_post(w, &(struct win_event){
                    .kind = WIN_TYPED, .key = k, .character = character, .mods = mods });
}

static void on_key(struct window *w, const SDL_KeyboardEvent *e)
{
    bool down = e->type == SDL_KEYDOWN;
    enum key k = win_key(e->keysym.scancode);

    if (down && !e->repeat && hot_mods(w, e->keysym.mod) && hot_key(w, e->keysym.scancode)) {
        /* the guest has seen the modifiers go down */
        win_post(w, &(struct win_event){ .kind = WIN_RELEASE });
        w->ui->hotkey = true;
        return;
    }
    if (w->ui->hotkey && !(e->keysym.mod & (KMOD_CTRL | KMOD_ALT)))
        w->ui->hotkey = false;
    if (w->seen_text) {
        if (down && !w->ui->hotkey)
            type_key(w, e, k);
        return;
    }
    if (k != KEY_NONE)
        win_post(w, &(struct win_event){ .kind = WIN_KEY, .key = k, .down = down });
}

static void on_text(struct window *w, const char *text)
{
    for (const char *p = text; w->seen_text && !w->ui->hotkey && *p; p = g_utf8_next_char(p))
        win_post(w, &(struct win_event){ .kind = WIN_TYPED, .character = g_utf8_get_char(p) });
}

/* ---- the mouse ---- */

/* From the window's coordinates to the guest's pixels; false: beside the picture. */
static bool to_guest(const struct window *w, int x, int y, int *gx, int *gy)
{
    int ww = 1, wh = 1, pw = 1, ph = 1;
    int64_t px, py;

    sdl.GetWindowSize(w->window, &ww, &wh);
    sdl.GetRendererOutputSize(w->renderer, &pw, &ph);
    px = (int64_t)x * pw / MAX(ww, 1) - w->view.x;
    py = (int64_t)y * ph / MAX(wh, 1) - w->view.y;
    *gx = (int)CLAMP(px * w->tex_width / MAX(w->view.w, 1), 0, (int64_t)w->tex_width - 1);
    *gy = (int)CLAMP(py * w->tex_height / MAX(w->view.h, 1), 0, (int64_t)w->tex_height - 1);
    return px >= 0 && py >= 0 && px < w->view.w && py < w->view.h;
}

static void on_motion(struct window *w, const SDL_MouseMotionEvent *e)
{
    struct win_event out = { .kind = WIN_POINT };

    if (w->ui->seen_absolute) {
        to_guest(w, e->x, e->y, &out.x, &out.y);
    } else if (is_grabbed(w)) {
        out.kind = WIN_MOVE;
        out.x = e->xrel;
        out.y = e->yrel;
    } else {
        return;
    }
    win_post(w, &out);
}

static void post_button(struct window *w, enum input_button b, bool down)
{
    win_post(w, &(struct win_event){ .kind = WIN_BUTTON, .button = b, .down = down });
}

static void on_button(struct window *w, const SDL_MouseButtonEvent *e)
{
    static const enum input_button buttons[] = {
        [SDL_BUTTON_LEFT] = BUTTON_LEFT,   [SDL_BUTTON_MIDDLE] = BUTTON_MIDDLE,
        [SDL_BUTTON_RIGHT] = BUTTON_RIGHT, [SDL_BUTTON_X1] = BUTTON_SIDE,
        [SDL_BUTTON_X2] = BUTTON_EXTRA,
    };
    int x, y;

    if (w->seen_text || e->button < SDL_BUTTON_LEFT || e->button > SDL_BUTTON_X2)
        return;
    if (!w->ui->seen_absolute && !is_grabbed(w)) {
        if (e->type == SDL_MOUSEBUTTONDOWN && to_guest(w, e->x, e->y, &x, &y))
            win_grab(w, true);
        return;
    }
    post_button(w, buttons[e->button], e->type == SDL_MOUSEBUTTONDOWN);
}

static void on_wheel(struct window *w, const SDL_MouseWheelEvent *e)
{
    enum input_button b = e->y > 0 ? BUTTON_WHEEL_UP : BUTTON_WHEEL_DOWN;

    if (w->seen_text || (!w->ui->seen_absolute && !is_grabbed(w)))
        return;
    for (int i = 0; i < MIN(ABS(e->y), 16); i++) {
        post_button(w, b, true);
        post_button(w, b, false);
    }
}

/* SDL tells of changes only on some desktops, or once something of ours was replaced: it is looked
 * at whenever the user comes back, too. */
static void on_clipboard(struct window *w)
{
    char *text = sdl.HasClipboardText() ? sdl.GetClipboardText() : NULL;

    if (text && *text && g_strcmp0(text, w->ui->own_clip) != 0)
        win_post(w, &(struct win_event){ .kind = WIN_CLIPBOARD, .text = g_strdup(text) });
    sdl.free(text);
}

/* ---- the window itself ---- */

static void sized(struct window *w)
{
    int pw, ph;

    sdl.GetRendererOutputSize(w->renderer, &pw, &ph);
    if (w->seen_takes_size && pw > 0 && ph > 0 && (w->user_sized || w->full))
        win_post(w, &(struct win_event){
                        .kind = WIN_SIZE, .width = (unsigned)pw, .height = (unsigned)ph });
    win_draw(w);
}

enum { ANSWER_CANCEL, ANSWER_POWERDOWN, ANSWER_QUIT };

/* What the user answers; cancel where no question can be shown. */
static int ask(const struct window *w)
{
    static const SDL_MessageBoxButtonData buttons[] = {
        { SDL_MESSAGEBOX_BUTTON_RETURNKEY_DEFAULT, ANSWER_POWERDOWN, "Shut down" },
        { 0, ANSWER_QUIT, "Switch off" },
        { SDL_MESSAGEBOX_BUTTON_ESCAPEKEY_DEFAULT, ANSWER_CANCEL, "Go on" },
    };
    const SDL_MessageBoxData box = {
        .flags = SDL_MESSAGEBOX_WARNING,
        .window = w->window,
        .title = "The guest is running",
        .message = "Shut down: press its power button, so that it can end its programs.\n"
                   "Switch off: end it now. What it has not saved is lost.",
        .numbuttons = SDL_arraysize(buttons),
        .buttons = buttons,
    };
    int answer = ANSWER_CANCEL;

    return sdl.ShowMessageBox(&box, &answer) == 0 && answer >= 0 ? answer : ANSWER_CANCEL;
}

static void on_close(struct window *w)
{
    struct win_event e = { .kind = WIN_CLOSE, .close = w->ui->cfg.close };
    int answer;

    if (!win_is_first(w)) {
        win_post(w, &(struct win_event){ .kind = WIN_PUT_AWAY });
        return;
    }
    if (w->ui->cfg.close == SDL_CLOSE_NOTHING)
        return;
    if (w->ui->cfg.close == SDL_CLOSE_ASK) {
        win_grab(w, false);
        answer = w->ui->over ? ANSWER_QUIT : ask(w);
        if (answer == ANSWER_CANCEL)
            return;
        e.close = answer == ANSWER_QUIT ? SDL_CLOSE_QUIT : SDL_CLOSE_POWERDOWN;
    }
    win_post(w, &e);
}

static void on_window(struct window *w, const SDL_WindowEvent *e)
{
    switch (e->event) {
    case SDL_WINDOWEVENT_FOCUS_LOST:
        win_grab(w, false);
        win_post(w, &(struct win_event){ .kind = WIN_RELEASE });
        break;
    case SDL_WINDOWEVENT_ENTER: win_pointer(w->ui); /* fall through */
    case SDL_WINDOWEVENT_FOCUS_GAINED: on_clipboard(w); break;
    case SDL_WINDOWEVENT_CLOSE: on_close(w); break;
    case SDL_WINDOWEVENT_RESIZED: /* by the user or his desktop, if it is not our wish that comes
                                     late */
        if (!w->user_sized && e->data1 == w->own_width && e->data2 == w->own_height)
            break;
        w->user_sized = true;
        w->zoom = 0;
        sized(w); /* SIZE_CHANGED came before we knew whose wish it was */
        break;
    case SDL_WINDOWEVENT_SIZE_CHANGED: sized(w); break;
    case SDL_WINDOWEVENT_EXPOSED: win_draw(w); break;
    case SDL_WINDOWEVENT_HIDDEN:
    case SDL_WINDOWEVENT_MINIMIZED:
        win_post(w, &(struct win_event){ .kind = WIN_VISIBLE, .down = false });
        break;
    case SDL_WINDOWEVENT_SHOWN:
    case SDL_WINDOWEVENT_RESTORED:
    case SDL_WINDOWEVENT_MAXIMIZED:
        win_post(w, &(struct win_event){ .kind = WIN_VISIBLE, .down = true });
        break;
    default: break;
    }
}

/* Which window it is for; NULL: for none of them. */
static struct window *window_of(struct sdl *ui, const SDL_Event *e)
{
    switch (e->type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP: return win_of(ui, e->key.windowID);
    case SDL_TEXTINPUT: return win_of(ui, e->text.windowID);
    case SDL_MOUSEMOTION: return win_of(ui, e->motion.windowID);
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: return win_of(ui, e->button.windowID);
    case SDL_MOUSEWHEEL: return win_of(ui, e->wheel.windowID);
    case SDL_WINDOWEVENT: return win_of(ui, e->window.windowID);
    default: return &ui->windows[0];
    }
}

static void draw_all(struct sdl *ui)
{
    for (unsigned i = 0; i < WINDOWS_MAX; i++)
        win_draw(&ui->windows[i]);
}

void win_input(struct sdl *ui, const SDL_Event *e)
{
    struct window *w = window_of(ui, e);

    if (!w)
        return; /* it was closed before this came */
    switch (e->type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP: on_key(w, &e->key); break;
    case SDL_TEXTINPUT: on_text(w, e->text.text); break;
    case SDL_MOUSEMOTION: on_motion(w, &e->motion); break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: on_button(w, &e->button); break;
    case SDL_MOUSEWHEEL: on_wheel(w, &e->wheel); break;
    case SDL_WINDOWEVENT: on_window(w, &e->window); break;
    case SDL_CLIPBOARDUPDATE: on_clipboard(w); break;
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET: draw_all(ui); break;
    default: break;
    }
}

#endif
