/* Text consoles; see ui/text.h. libvterm understands what is written, this file draws it. */
#include <ui/text.h>

#ifdef CONFIG_VTERM

#include <string.h>
#include <vterm.h>
#include <base/bug.h>
#include <base/embed.h>
#include "vtsafe.h"

/* ui/console-font.bin: glyphs of 16 bytes, sorted; scripts/console-font makes it. */
enum { CELL_WIDTH = 8, CELL_HEIGHT = 13, GLYPH = 16, UNDERLINE_AT = 12 };
enum { HISTORY = 1000, MISSING = 0xfffd };

struct line {
    int cols;
    VTermScreenCell cells[];
};

struct text_console {
    struct console *con;
    VTerm *vt;
    VTermScreen *screen;
    void (*send)(void *opaque, const char *buf, size_t len);
    void *opaque;
    struct vtsafe safe;
    GString *input; /* for libvterm; empty between calls */
    const uint8_t *font;
    size_t glyphs;

    int rows, cols;
    VTermPos cursor;
    bool cursor_shown;
    VTermRect dirty; /* cells; end_row 0: none */

    struct line *history[HISTORY]; /* ring */
    unsigned first, lines;
    unsigned back; /* lines that the view is above the bottom */
};

bool text_console_is_built(void)
{
    return true;
}

void text_cell(unsigned *width, unsigned *height)
{
    *width = CELL_WIDTH;
    *height = CELL_HEIGHT;
}

/* ---- glyphs ---- */

/* 13 rows; a sign of its own for what the font has not. */
static const uint8_t *glyph(const struct text_console *t, uint32_t code)
{
    size_t low = 0, high = t->glyphs;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const uint8_t *g = t->font + mid * GLYPH;
        uint32_t is = g[0] | (uint32_t)g[1] << 8 | (uint32_t)g[2] << 16;

        if (is == code)
            return g + 3;
        if (is < code)
            low = mid + 1;
        else
            high = mid;
    }
    return code == MISSING ? NULL : glyph(t, MISSING);
}

static uint32_t rgb(const struct text_console *t, VTermColor c)
{
    vterm_screen_convert_color_to_rgb(t->screen, &c);
    return (uint32_t)c.rgb.red << 16 | (uint32_t)c.rgb.green << 8 | c.rgb.blue;
}

static void draw_cell(struct text_console *t, const struct surface *s, int row, int col,
                      const VTermScreenCell *c, bool cursor)
{
    uint32_t code = c->chars[0] && c->chars[0] != UINT32_MAX ? c->chars[0] : ' ';
    const uint8_t *g = glyph(t, code);
    uint32_t fore = rgb(t, c->fg), back = rgb(t, c->bg);

    if (!!c->attrs.reverse != cursor) {
        uint32_t swap = fore;

        fore = back;
        back = swap;
    }
    for (unsigned y = 0; y < CELL_HEIGHT; y++) {
        uint32_t *out = surface_row(s, (unsigned)row * CELL_HEIGHT + y) + col * CELL_WIDTH;
        unsigned bits = g ? g[y] : 0;

        if (c->attrs.bold)
            bits |= bits >> 1;
        if ((c->attrs.underline && y == UNDERLINE_AT) || (c->attrs.strike && y == CELL_HEIGHT / 2))
            bits = 0xff;
        for (unsigned x = 0; x < CELL_WIDTH; x++)
            out[x] = bits << x & 0x80 ? fore : back;
    }
}

/* ---- what is to be drawn ---- */

static void mark(struct text_console *t, int row0, int row1, int col0, int col1)
{
    if (!t->dirty.end_row) {
        t->dirty =
            (VTermRect){ .start_row = row0, .end_row = row1, .start_col = col0, .end_col = col1 };
        return;
    }
    t->dirty.start_row = MIN(t->dirty.start_row, row0);
    t->dirty.end_row = MAX(t->dirty.end_row, row1);
    t->dirty.start_col = MIN(t->dirty.start_col, col0);
    t->dirty.end_col = MAX(t->dirty.end_col, col1);
}

static void mark_all(struct text_console *t)
{
    mark(t, 0, t->rows, 0, t->cols);
}

/* A cell as it is seen: of the screen, or of the lines above it. */
static bool cell_at(struct text_console *t, int row, int col, VTermScreenCell *c)
{
    const struct line *l;

    if (row >= (int)t->back)
        return vterm_screen_get_cell(t->screen, (VTermPos){ .row = row - (int)t->back, .col = col },
                                     c);
    l = t->history[(t->first + t->lines - t->back + (unsigned)row) % HISTORY];
    if (col >= l->cols)
        return false;
    *c = l->cells[col];
    return true;
}

static bool is_cursor(const struct text_console *t, int row, int col)
{
    return t->cursor_shown && row - (int)t->back == t->cursor.row && col == t->cursor.col;
}

static void draw(void *opaque)
{
    struct text_console *t = opaque;
    const struct surface *s = console_surface(t->con);
    VTermScreenCell blank, c;
    VTermRect d;

    vterm_screen_flush_damage(t->screen);
    d = t->dirty;
    if (!d.end_row || s->width < (unsigned)t->cols * CELL_WIDTH ||
        s->height < (unsigned)t->rows * CELL_HEIGHT)
        return;
    t->dirty.end_row = 0;
    memset(&blank, 0, sizeof(blank));
    vterm_state_get_default_colors(vterm_obtain_state(t->vt), &blank.fg, &blank.bg);
    for (int row = d.start_row; row < MIN(d.end_row, t->rows); row++)
        for (int col = d.start_col; col < MIN(d.end_col, t->cols); col++) {
            bool there = cell_at(t, row, col, &c);

            draw_cell(t, s, row, col, there ? &c : &blank, is_cursor(t, row, col));
        }
    console_dirty(t->con, (unsigned)d.start_col * CELL_WIDTH, (unsigned)d.start_row * CELL_HEIGHT,
                  (unsigned)(d.end_col - d.start_col) * CELL_WIDTH,
                  (unsigned)(d.end_row - d.start_row) * CELL_HEIGHT);
}

/* ---- what libvterm tells ---- */

static int on_damage(VTermRect r, void *user)
{
    struct text_console *t = user;
    int down = (int)t->back;

    mark(t, MIN(r.start_row + down, t->rows - 1), MIN(r.end_row + down, t->rows), r.start_col,
         r.end_col);
    return 1;
}

static void mark_cursor(struct text_console *t)
{
    int row = t->cursor.row + (int)t->back;

    if (row >= 0 && row < t->rows)
        mark(t, row, row + 1, t->cursor.col, t->cursor.col + 1);
}

static int on_cursor(VTermPos to, VTermPos from, int visible, void *user)
{
    struct text_console *t = user;

    (void)from, (void)visible;
    mark_cursor(t);
    t->cursor = to;
    mark_cursor(t);
    return 1;
}

static int on_prop(VTermProp prop, VTermValue *val, void *user)
{
    struct text_console *t = user;

    if (prop == VTERM_PROP_CURSORVISIBLE) {
        t->cursor_shown = val->boolean;
        mark_cursor(t);
    }
    return 1;
}

static int on_push(int cols, const VTermScreenCell *cells, void *user)
{
    struct text_console *t = user;
    struct line *l = g_malloc(sizeof(*l) + sizeof(*cells) * (size_t)cols);
    unsigned at = (t->first + t->lines) % HISTORY;

    l->cols = cols;
    memcpy(l->cells, cells, sizeof(*cells) * (size_t)cols);
    if (t->lines == HISTORY) {
        g_free(t->history[t->first]);
        t->first = (t->first + 1) % HISTORY;
    } else {
        t->lines++;
    }
    t->history[at] = l;
    return 1;
}

static int on_pop(int cols, VTermScreenCell *cells, void *user)
{
    struct text_console *t = user;
    struct line *l;

    if (!t->lines)
        return 0;
    l = t->history[(t->first + --t->lines) % HISTORY];
    memset(cells, 0, sizeof(*cells) * (size_t)cols);
    /* libvterm goes on by the width of each cell: none may be 0 */
    for (int i = 0; i < cols; i++) {
        cells[i].width = 1;
        vterm_state_get_default_colors(vterm_obtain_state(t->vt), &cells[i].fg, &cells[i].bg);
    }
    memcpy(cells, l->cells, sizeof(*cells) * (size_t)MIN(cols, l->cols));
    g_free(l);
    t->back = MIN(t->back, t->lines);
    return 1;
}

static const VTermScreenCallbacks callbacks = {
    .damage = on_damage,
    .movecursor = on_cursor,
    .settermprop = on_prop,
    .sb_pushline = on_push,
    .sb_popline = on_pop,
};

static void on_output(const char *buf, size_t len, void *user)
{
    struct text_console *t = user;

    t->send(t->opaque, buf, len);
}

/* ---- typing ---- */

static const struct {
    enum key key;
    VTermKey vterm;
} keys[] = {
    { KEY_RET, VTERM_KEY_ENTER },        { KEY_KP_ENTER, VTERM_KEY_KP_ENTER },
    { KEY_TAB, VTERM_KEY_TAB },          { KEY_BACKSPACE, VTERM_KEY_BACKSPACE },
    { KEY_ESC, VTERM_KEY_ESCAPE },       { KEY_UP, VTERM_KEY_UP },
    { KEY_DOWN, VTERM_KEY_DOWN },        { KEY_LEFT, VTERM_KEY_LEFT },
    { KEY_RIGHT, VTERM_KEY_RIGHT },      { KEY_INSERT, VTERM_KEY_INS },
    { KEY_DELETE, VTERM_KEY_DEL },       { KEY_HOME, VTERM_KEY_HOME },
    { KEY_END, VTERM_KEY_END },          { KEY_PGUP, VTERM_KEY_PAGEUP },
    { KEY_PGDN, VTERM_KEY_PAGEDOWN },    { KEY_F1, VTERM_KEY_FUNCTION(1) },
    { KEY_F2, VTERM_KEY_FUNCTION(2) },   { KEY_F3, VTERM_KEY_FUNCTION(3) },
    { KEY_F4, VTERM_KEY_FUNCTION(4) },   { KEY_F5, VTERM_KEY_FUNCTION(5) },
    { KEY_F6, VTERM_KEY_FUNCTION(6) },   { KEY_F7, VTERM_KEY_FUNCTION(7) },
    { KEY_F8, VTERM_KEY_FUNCTION(8) },   { KEY_F9, VTERM_KEY_FUNCTION(9) },
    { KEY_F10, VTERM_KEY_FUNCTION(10) }, { KEY_F11, VTERM_KEY_FUNCTION(11) },
    { KEY_F12, VTERM_KEY_FUNCTION(12) },
};

static void look_back(struct text_console *t, int lines)
{
    int back = CLAMP((int)t->back + lines, 0, (int)MIN(t->lines, HISTORY));

    if ((unsigned)back == t->back)
        return;
    t->back = (unsigned)back;
    mark_all(t);
}

static void type(void *opaque, enum key key, uint32_t character, unsigned mods)
{
    struct text_console *t = opaque;
    VTermModifier m = (mods & MOD_SHIFT ? VTERM_MOD_SHIFT : 0) |
                      (mods & MOD_CTRL ? VTERM_MOD_CTRL : 0) | (mods & MOD_ALT ? VTERM_MOD_ALT : 0);

    if (mods & MOD_SHIFT && (key == KEY_PGUP || key == KEY_PGDN)) {
        look_back(t, (key == KEY_PGUP ? t->rows : -t->rows) / 2);
        return;
    }
    look_back(t, -(int)t->back);
    if (character) {
        /* the character says already that Shift is down */
        vterm_keyboard_unichar(t->vt, character, m & ~(unsigned)VTERM_MOD_SHIFT);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
        if (keys[i].key == key)
            vterm_keyboard_key(t->vt, keys[i].vterm, m);
}

void text_console_write(struct text_console *t, const void *buf, size_t len)
{
    vtsafe_feed(&t->safe, buf, len, t->input);
    vterm_input_write(t->vt, t->input->str, t->input->len);
    g_string_truncate(t->input, 0);
}

/* ---- life ---- */

static void put_cursor(struct text_console *t, const char *before)
{
    char move[64];
    int n = g_snprintf(move, sizeof(move), "%s\033[%d;%dH", before,
                       CLAMP(t->cursor.row, 0, t->rows - 1) + 1,
                       CLAMP(t->cursor.col, 0, t->cols - 1) + 1);

    vterm_input_write(t->vt, move, (size_t)n);
}

/* libvterm can leave the cursor outside of the new size, and what it scrolls: that is given up. */
static void set_size(struct text_console *t, int cols, int rows)
{
    put_cursor(t, "\033[?6l\033[r");
    t->cols = cols;
    t->rows = rows;
    t->back = 0;
    vterm_set_size(t->vt, rows, cols);
    put_cursor(t, "");
    console_resize(t->con, (unsigned)cols * CELL_WIDTH, (unsigned)rows * CELL_HEIGHT);
    mark_all(t);
}

static void wanted_size(void *opaque, unsigned width, unsigned height)
{
    int cols = (int)CLAMP(width / CELL_WIDTH, 20, TEXT_COLS_MAX);
    int rows = (int)CLAMP(height / CELL_HEIGHT, 4, TEXT_ROWS_MAX);
    struct text_console *t = opaque;

    if (cols != t->cols || rows != t->rows)
        set_size(t, cols, rows);
}

static const struct console_ops text_ops = { .refresh = draw,
                                             .wanted_size = wanted_size,
                                             .type = type };

struct text_console *text_console_new(struct consoles *set, const char *name, unsigned cols,
                                      unsigned rows,
                                      void (*send)(void *opaque, const char *buf, size_t len),
                                      void *opaque)
{
    struct text_console *t = g_new0(struct text_console, 1);
    const struct embedded_file *font = embedded_find("console-font.bin");

    bug_on(!font);
    t->font = font->data;
    t->glyphs = font->size / GLYPH;
    t->send = send;
    t->opaque = opaque;
    t->rows = (int)CLAMP(rows, 4, TEXT_ROWS_MAX);
    t->cols = (int)CLAMP(cols, 20, TEXT_COLS_MAX);
    t->cursor_shown = true;
    t->input = g_string_new(NULL);
    t->vt = vterm_new(t->rows, t->cols);
    vterm_set_utf8(t->vt, 1);
    vterm_output_set_callback(t->vt, on_output, t);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_set_callbacks(t->screen, &callbacks, t);
    vterm_screen_set_damage_merge(t->screen, VTERM_DAMAGE_SCROLL);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
    t->con = console_add(set, &text_ops, t, name, 0);
    set_size(t, t->cols, t->rows);
    return t;
}

void text_console_free(struct text_console *t)
{
    console_remove(t->con);
    vterm_free(t->vt);
    g_string_free(t->input, TRUE);
    for (unsigned i = 0; i < t->lines; i++)
        g_free(t->history[(t->first + i) % HISTORY]);
    g_free(t);
}

#else

bool text_console_is_built(void)
{
    return false;
}

void text_cell(unsigned *width, unsigned *height)
{
    *width = *height = 1;
}

struct text_console *text_console_new(struct consoles *set, const char *name, unsigned cols,
                                      unsigned rows,
                                      void (*send)(void *opaque, const char *buf, size_t len),
                                      void *opaque)
{
    (void)set, (void)name, (void)cols, (void)rows, (void)send, (void)opaque;
    return NULL;
}

void text_console_free(struct text_console *t)
{
    (void)t;
}

void text_console_write(struct text_console *t, const void *buf, size_t len)
{
    (void)t, (void)buf, (void)len;
}

#endif
