/*
 * See hmp-parse.h.
 */
#include <string.h>
#include "hmp-parse.h"

static const char *skip_space(const char *p)
{
    while (g_ascii_isspace(*p))
        p++;
    return p;
}

bool hmp_is_name(const char *names, const char *word, size_t len)
{
    while (names) {
        size_t n = strcspn(names, "|");

        if (n == len && !strncmp(names, word, len))
            return true;
        names = names[n] ? names + n + 1 : NULL;
    }
    return false;
}

struct search {
    const char *word;
    size_t len;
    const struct mon_command *found;
};

static bool match(const struct mon_command *cmd, void *opaque)
{
    struct search *s = opaque;

    if (!cmd->hmp || !hmp_is_name(cmd->hmp, s->word, s->len))
        return true;
    s->found = cmd;
    return false;
}

const struct mon_command *hmp_find(const char *line, const char **rest, GError **err)
{
    struct search s = { .word = skip_space(line) };
    char *name;

    s.len = strcspn(s.word, " \t/");
    if (s.len == strlen("info") && !strncmp(s.word, "info", s.len)) {
        const char *topic = skip_space(s.word + s.len);
        size_t n = strcspn(topic, " \t");

        name = n ? g_strdup_printf("info %.*s", (int)n, topic) : g_strdup("info");
        *rest = topic + n;
    } else {
        name = g_strndup(s.word, s.len);
        *rest = s.word + s.len;
    }
    s.word = name;
    s.len = strlen(name);
    mon_foreach(match, &s);
    if (!s.found)
        error_set(err, "unknown command: '%s'", name);
    g_free(name);
    return s.found;
}

/* /4xw: count, one format letter, one size letter, in any order of the letters. */
static json_t *parse_format(struct mon *mon, const char **p, GError **err)
{
    uint64_t count = 1;
    char format = mon->format;
    unsigned size = mon->size;

    if (**p == '/') {
        ++*p;
        if (g_ascii_isdigit(**p))
            count = g_ascii_strtoull(*p, (char **)p, 10);
        for (; **p && !g_ascii_isspace(**p); ++*p) {
            switch (**p) {
            case 'x':
            case 'd':
            case 'u':
            case 'o':
            case 'c':
            case 'i': format = **p; break;
            case 'b': size = 1; break;
            case 'h': size = 2; break;
            case 'w': size = 4; break;
            case 'g':
            case 'l': size = 8; break;
            default: error_set(err, "invalid char in format: '%c'", **p); return NULL;
            }
        }
    }
    mon->format = format;
    mon->size = size;
    return json_pack("{s:I, s:s#, s:i}", "count", (json_int_t)MIN(count, 1 << 20), "format",
                     &format, 1, "size", format == 'c' ? 1 : size);
}

/* A word, or a string in double quotes with C's escapes. */
static bool parse_word(const char **p, GString *word, GError **err)
{
    bool quoted = **p == '"';

    *p += quoted;
    while (**p && (quoted ? **p != '"' : !g_ascii_isspace(**p))) {
        char c = *(*p)++;

        if (quoted && c == '\\' && **p) {
            c = *(*p)++;
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        g_string_append_c(word, c);
    }
    if (quoted && *(*p)++ != '"')
        return error_set(err, "a string has no closing '\"'");
    return true;
}

static json_t *text_value(const char *text, size_t len, GError **err)
{
    json_t *v = json_stringn(text, len);

    if (!v)
        error_set(err, "the argument is not UTF-8");
    return v;
}

static json_t *parse_string(const char **p, bool rest, GError **err)
{
    GString *word = g_string_new("");
    json_t *v = NULL;

    if (rest) {
        g_string_append(word, *p);
        g_strchomp(word->str);
        *p += strlen(*p);
        v = text_value(word->str, strlen(word->str), err);
    } else if (parse_word(p, word, err)) {
        v = text_value(word->str, word->len, err);
    }
    g_string_free(word, true);
    return v;
}

static json_t *parse_bool(const char **p, const char *name, GError **err)
{
    size_t n = strcspn(*p, " \t");
    bool on = n == 2 && !strncmp(*p, "on", 2);

    if (!on && !(n == 3 && !strncmp(*p, "off", 3))) {
        error_set(err, "%s: '%.*s' is neither on nor off", name, (int)n, *p);
        return NULL;
    }
    *p += n;
    return json_boolean(on);
}

static json_t *parse_value(struct mon *mon, const struct mon_member *m, const char **p,
                           GError **err)
{
    int64_t number;

    switch (m->type->kind) {
    case MON_INT: return mon_expression(mon, p, &number, err) ? json_integer(number) : NULL;
    case MON_BOOL: return parse_bool(p, m->name, err);
    default: return parse_string(p, m->hmp == HMP_REST, err);
    }
}

/* The value of a flag that is more than a bool: the next word. */
static json_t *parse_flag_value(struct mon *mon, const struct mon_member *m, const char **p,
                                GError **err)
{
    *p = skip_space(*p + 1);
    if (**p)
        return parse_value(mon, m, p, err);
    error_set(err, "-%c: %s is missing", m->name[0], m->name);
    return NULL;
}

/* All flags stand before the other arguments, or where the table has one: -a -f, or -af. */
static bool parse_flags(struct mon *mon, const struct mon_command *cmd, const char **p,
                        json_t *args, GError **err)
{
    *p = skip_space(*p);
    while ((*p)[0] == '-' && g_ascii_isalpha((*p)[1])) {
        for (++*p; **p && !g_ascii_isspace(**p);) {
            const struct mon_member *m = cmd->args;
            json_t *v;

            while (m->name && !(m->hmp == HMP_FLAG && m->name[0] == **p))
                m++;
            if (!m->name)
                return error_set(err, "%s: unsupported option -%c", cmd->hmp, **p);
            if (m->type->kind == MON_BOOL) {
                v = json_true();
                ++*p;
            } else {
                v = parse_flag_value(mon, m, p, err);
            }
            if (!v)
                return false;
            json_object_set_new(args, m->name, v);
        }
        *p = skip_space(*p);
    }
    return true;
}

static bool has_flags(const struct mon_command *cmd)
{
    for (const struct mon_member *m = cmd->args; m && m->name; m++)
        if (m->hmp == HMP_FLAG)
            return true;
    return false;
}

static bool parse_all(struct mon *mon, const struct mon_command *cmd, const char *p, json_t *args,
                      GError **err)
{
    if (has_flags(cmd) && !parse_flags(mon, cmd, &p, args, err))
        return false;
    for (const struct mon_member *m = cmd->args; m && m->name; m++) {
        json_t *v;

        if (m->hmp == HMP_FLAG && !parse_flags(mon, cmd, &p, args, err))
            return false;
        p = skip_space(p);
        if (m->hmp == HMP_FLAG || m->hmp == HMP_NONE ||
            (m->optional && m->hmp != HMP_FORMAT && !*p))
            continue;
        if (!*p && m->type->kind != MON_INT && m->hmp != HMP_FORMAT)
            return error_set(err, "%s: %s is missing", cmd->hmp, m->name);
        v = m->hmp == HMP_FORMAT ? parse_format(mon, &p, err) : parse_value(mon, m, &p, err);
        if (!v)
            return false;
        json_object_set_new(args, m->name, v);
    }
    if (*skip_space(p))
        return error_set(err, "%s: extraneous characters at the end of line", cmd->hmp);
    return true;
}

json_t *hmp_arguments(struct mon *mon, const struct mon_command *cmd, const char *rest,
                      GError **err)
{
    const struct mon_type t = { .kind = MON_OBJECT, .members = cmd->args };
    json_t *args = json_object();

    if (parse_all(mon, cmd, rest, args, err) && mon_check(&t, args, "", err))
        return args;
    json_decref(args);
    return NULL;
}
