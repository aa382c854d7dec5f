/*
 * See readline.h. The line is drawn anew after each change that is not a character at its end:
 * carriage return, prompt, line, erase to the right (ECMA-48 EL), cursor back (CUB).
 */
#include <string.h>
#include "readline.h"

enum {
    CTRL_A = 1,
    CTRL_B,
    CTRL_C,
    CTRL_D,
    CTRL_E,
    CTRL_F,
    CTRL_H = 8,
    CTRL_I,
    CTRL_J,
    CTRL_K,
    CTRL_L,
    CTRL_M,
    CTRL_N,
    CTRL_P = 16,
    CTRL_U = 21,
    CTRL_W = 23,
    ESC = 27,
    DEL = 127,
};

void readline_init(struct readline *r, const char *prompt, const struct readline_ops *ops)
{
    memset(r, 0, sizeof(*r));
    r->ops = *ops;
    r->prompt = prompt;
    r->history = g_queue_new();
    r->recall = -1;
}

void readline_free(struct readline *r)
{
    g_queue_free_full(r->history, g_free);
    g_free(r->typed);
}

static void draw(struct readline *r)
{
    GString *s = g_string_new("\r");

    g_string_append(s, r->prompt);
    g_string_append_len(s, r->line, r->len);
    g_string_append(s, "\033[K");
    if (r->cursor < r->len)
        g_string_append_printf(s, "\033[%zuD", r->len - r->cursor);
    r->ops.print(r->ops.opaque, s->str);
    g_string_free(s, true);
}

void readline_show(struct readline *r)
{
    r->ops.print(r->ops.opaque, r->prompt);
    if (r->len)
        draw(r);
}

void readline_clear(struct readline *r)
{
    r->len = r->cursor = 0;
    r->line[0] = 0;
    r->recall = -1;
    g_clear_pointer(&r->typed, g_free);
}

static void set_line(struct readline *r, const char *text)
{
    g_strlcpy(r->line, text, sizeof(r->line));
    r->len = r->cursor = strlen(r->line);
    draw(r);
}

static void insert(struct readline *r, const char *text, size_t n)
{
    n = MIN(n, READLINE_MAX - r->len);
    memmove(r->line + r->cursor + n, r->line + r->cursor, r->len - r->cursor + 1);
    memcpy(r->line + r->cursor, text, n);
    r->len += n;
    r->cursor += n;
    if (r->cursor == r->len && n) {
        char *tail = g_strndup(text, n);

        r->ops.print(r->ops.opaque, tail);
        g_free(tail);
    } else {
        draw(r);
    }
}

static void erase(struct readline *r, size_t from, size_t to)
{
    memmove(r->line + from, r->line + to, r->len - to + 1);
    r->len -= to - from;
    r->cursor = from;
    draw(r);
}

static size_t word_left(const struct readline *r)
{
    size_t at = r->cursor;

    while (at && r->line[at - 1] == ' ')
        at--;
    while (at && r->line[at - 1] != ' ')
        at--;
    return at;
}

static size_t word_right(const struct readline *r)
{
    size_t at = r->cursor;

    while (at < r->len && r->line[at] == ' ')
        at++;
    while (at < r->len && r->line[at] != ' ')
        at++;
    return at;
}

static void move_to(struct readline *r, size_t at)
{
    r->cursor = at;
    draw(r);
}

static void recall(struct readline *r, int step)
{
    int to = r->recall + step;

    if (to < -1 || to >= (int)g_queue_get_length(r->history))
        return;
    if (r->recall < 0) {
        g_free(r->typed);
        r->typed = g_strdup(r->line);
    }
    r->recall = to;
    set_line(r, to < 0 ? r->typed : g_queue_peek_nth(r->history, to));
}

static void remember(struct readline *r)
{
    GList *same;

    if (!r->len)
        return;
    same = g_queue_find_custom(r->history, r->line, (GCompareFunc)strcmp);
    if (same) {
        g_free(same->data);
        g_queue_delete_link(r->history, same);
    }
    g_queue_push_head(r->history, g_strdup(r->line));
    if (g_queue_get_length(r->history) > READLINE_HISTORY)
        g_free(g_queue_pop_tail(r->history));
}

static void enter(struct readline *r)
{
    char *line = g_strdup(r->line);

    r->ops.print(r->ops.opaque, "\n");
    remember(r);
    readline_clear(r);
    r->ops.line(r->ops.opaque, line);
    g_free(line);
}

static size_t common_prefix(const GPtrArray *words)
{
    const char *first = g_ptr_array_index(words, 0);
    size_t n = strlen(first);

    for (unsigned i = 1; i < words->len; i++) {
        const char *word = g_ptr_array_index(words, i);
        size_t k = 0;

        while (k < n && word[k] == first[k])
            k++;
        n = k;
    }
    return n;
}

static void list_words(struct readline *r, const GPtrArray *words)
{
    GString *s = g_string_new("\n");

    for (unsigned i = 0; i < words->len; i++)
        g_string_append_printf(s, "%-19s%s", (const char *)g_ptr_array_index(words, i),
                               i % 4 == 3 || i + 1 == words->len ? "\n" : " ");
    r->ops.print(r->ops.opaque, s->str);
    g_string_free(s, true);
    draw(r);
}

static void complete(struct readline *r)
{
    char *line = g_strndup(r->line, r->cursor);
    const char *space = strrchr(line, ' ');
    size_t typed = strlen(space ? space + 1 : line);
    GPtrArray *words = r->ops.complete(r->ops.opaque, line);

    g_free(line);
    if (words->len) {
        const char *first = g_ptr_array_index(words, 0);
        size_t n = common_prefix(words);

        if (n > typed)
            insert(r, first + typed, n - typed);
        if (words->len == 1)
            insert(r, " ", 1);
        else if (n <= typed)
            list_words(r, words);
    }
    g_ptr_array_free(words, true);
}

static void control(struct readline *r, char c)
{
    switch (c) {
    case CTRL_A: move_to(r, 0); break;
    case CTRL_B: move_to(r, r->cursor - (r->cursor > 0)); break;
    case CTRL_D:
        if (r->cursor < r->len)
            erase(r, r->cursor, r->cursor + 1);
        break;
    case CTRL_E: move_to(r, r->len); break;
    case CTRL_F: move_to(r, r->cursor + (r->cursor < r->len)); break;
    case CTRL_H:
    case DEL:
        if (r->cursor)
            erase(r, r->cursor - 1, r->cursor);
        break;
    case CTRL_I: complete(r); break;
    case CTRL_J:
    case CTRL_M: enter(r); break;
    case CTRL_K: erase(r, r->cursor, r->len); break;
    case CTRL_L:
        r->ops.print(r->ops.opaque, "\033[2J\033[1;1H");
        draw(r);
        break;
    case CTRL_N: recall(r, -1); break;
    case CTRL_P: recall(r, 1); break;
    case CTRL_C:
    case CTRL_U:
        readline_clear(r);
        draw(r);
        break;
    case CTRL_W: erase(r, word_left(r), r->cursor); break;
    case ESC:
        r->in_escape = true;
        r->nescape = 0;
        break;
    default: break;
    }
}

static const struct key {
    const char *sequence; /* after ESC */
    char control;         /* what does the same */
} keys[] = {
    { "[A", CTRL_P },  { "OA", CTRL_P },  { "[B", CTRL_N }, { "OB", CTRL_N }, { "[C", CTRL_F },
    { "OC", CTRL_F },  { "[D", CTRL_B },  { "OD", CTRL_B }, { "[H", CTRL_A }, { "OH", CTRL_A },
    { "[1~", CTRL_A }, { "[7~", CTRL_A }, { "[F", CTRL_E }, { "OF", CTRL_E }, { "[4~", CTRL_E },
    { "[8~", CTRL_E }, { "[3~", CTRL_D },
};

/* ESC, then one letter, or [ or O with parameters up to a final byte (ECMA-48 5.4). */
static void escape_byte(struct readline *r, char c)
{
    bool introducer = r->nescape == 0 && (c == '[' || c == 'O');

    if (r->nescape < sizeof(r->escape) - 1)
        r->escape[r->nescape++] = c;
    r->escape[r->nescape] = 0;
    if (introducer || (r->nescape > 1 && (c < 0x40 || c > 0x7e)))
        return;
    r->in_escape = false;
    if (!strcmp(r->escape, "b"))
        move_to(r, word_left(r));
    else if (!strcmp(r->escape, "f"))
        move_to(r, word_right(r));
    else if (!strcmp(r->escape, "d"))
        erase(r, r->cursor, word_right(r));
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
        if (!strcmp(r->escape, keys[i].sequence))
            control(r, keys[i].control);
}

void readline_byte(struct readline *r, char c)
{
    if (r->in_escape)
        escape_byte(r, c);
    else if ((unsigned char)c >= ' ' && c != DEL)
        insert(r, &c, 1);
    else
        control(r, c);
}
