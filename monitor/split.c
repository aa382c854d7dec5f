/*
 * See split.h. Values are RFC 8259 JSON; strings in single quotes are taken too, as QMP clients use
 * them.
 */
#include <string.h>
#include "split.h"

void split_init(struct split *s)
{
    *s = (struct split){ .text = g_string_new("") };
}

void split_free(struct split *s)
{
    g_string_free(s->text, true);
}

void split_reset(struct split *s)
{
    GString *text = s->text;

    g_string_truncate(text, 0);
    *s = (struct split){ .text = text };
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void fail(struct split *s, char c, const char *error, split_fn *fn, void *opaque)
{
    split_reset(s);
    s->skip = c != '\n';
    fn(opaque, NULL, error);
}

/* The whole value is there: parses it. */
static void finish(struct split *s, split_fn *fn, void *opaque)
{
    json_error_t error;
    json_t *value =
        json_loadb(s->text->str, s->text->len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    char *message = NULL;

    if (!value && json_error_code(&error) == json_error_duplicate_key)
        message = g_strdup("JSON parse error, duplicate key");
    else if (!value && g_ascii_isalpha(s->text->str[0]))
        message = g_strdup_printf("JSON parse error, invalid keyword '%.40s'", s->text->str);
    else if (!value)
        message = g_strdup_printf("JSON parse error, %s", error.text);
    split_reset(s);
    fn(opaque, value, message);
    json_decref(value);
    g_free(message);
}

/* Strings in single quotes become ones in double quotes. */
static void string_byte(struct split *s, char c)
{
    if (s->escape) {
        if (c == '\'')
            g_string_truncate(s->text, s->text->len - 1);
        s->escape = false;
    } else if (c == '\\') {
        s->escape = true;
    } else if (c == s->quote) {
        s->quote = 0;
        c = '"';
    } else if (c == '"') {
        g_string_append_c(s->text, '\\');
    }
    g_string_append_c(s->text, c);
}

static bool open_or_close(struct split *s, char c)
{
    if (c == '"' || c == '\'') {
        s->quote = c;
        g_string_append_c(s->text, '"');
        return true;
    }
    if (c == '{' || c == '[')
        s->depth++;
    else if ((c == '}' || c == ']') && s->depth)
        s->depth--;
    else if (c == '}' || c == ']')
        return false;
    g_string_append_c(s->text, c);
    return true;
}

static void feed_byte(struct split *s, char c, split_fn *fn, void *opaque)
{
    if (s->skip) {
        s->skip = c != '\n';
        return;
    }
    if ((uint8_t)c == 0xff) { /* clients send it to get out of whatever state we are in */
        split_reset(s);
        return;
    }
    if (s->text->len >= SPLIT_MAX_SIZE || s->depth > SPLIT_MAX_DEPTH) {
        fail(s, c,
             s->depth > SPLIT_MAX_DEPTH ? "JSON nesting depth limit exceeded"
                                        : "JSON token size limit exceeded",
             fn, opaque);
        return;
    }
    if (s->quote) {
        if (c == '\n') {
            fail(s, c, "JSON parse error, string without an end", fn, opaque);
            return;
        }
        string_byte(s, c);
        if (!s->quote && !s->depth)
            finish(s, fn, opaque);
        return;
    }
    if (s->atom && (is_space(c) || strchr("{}[],:\"'", c))) {
        s->atom = false;
        finish(s, fn, opaque);
    }
    if (is_space(c) && !s->depth)
        return;
    if (c && strchr("{}[]\"'", c)) {
        if (!open_or_close(s, c))
            fail(s, c, "JSON parse error, expecting value", fn, opaque);
        else if (!s->quote && !s->depth)
            finish(s, fn, opaque);
        return;
    }
    s->atom = !s->depth;
    g_string_append_c(s->text, c);
}

void split_feed(struct split *s, const uint8_t *buf, size_t len, split_fn *fn, void *opaque)
{
    for (size_t i = 0; i < len; i++)
        feed_byte(s, buf[i], fn, opaque);
}
