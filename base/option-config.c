/*
 * Configuration files of -readconfig:
 *
 *     # comment
 *     [device "disk0"]
 *       driver = "virtio-blk-pci"
 *       drive = "d0"
 *
 * A section is one option of that name; the word in quotes, if any, is its id.
 */
#include <base/option.h>
#include <base/error.h>

#include <errno.h>

struct reader {
    const char *path;
    unsigned line;
    struct opts *section; /* NULL before the first one */
    char *group;
    opts_section_fn *fn;
    void *opaque;
};

static bool end_section(struct reader *r, GError **err)
{
    struct opts *o = g_steal_pointer(&r->section);
    g_autofree char *group = g_steal_pointer(&r->group);

    return !o || r->fn(group, o, r->opaque, err);
}

static bool bad_line(const struct reader *r, const char *what, GError **err)
{
    return error_set(err, "-readconfig: %s:%u: %s", r->path, r->line, what);
}

/* [group] or [group "id"] */
static bool begin_section(struct reader *r, char *text, GError **err)
{
    size_t len = strlen(text);
    g_autofree char *option = NULL;
    char *quote;

    if (!end_section(r, err)) {
        return false;
    }
    if (text[len - 1] != ']') {
        return bad_line(r, "a section ends in ']'", err);
    }
    text[len - 1] = 0;
    quote = strchr(text, '"');
    if (quote) {
        len = strlen(quote);
        if (len < 2 || quote[len - 1] != '"') {
            return bad_line(r, "the id of a section stands in quotes", err);
        }
        quote[len - 1] = 0;
        *quote = 0;
    }
    r->group = g_strdup(g_strstrip(text + 1));
    option = g_strconcat("-", r->group, NULL);
    r->section = opts_new(option);
    if (quote) {
        opts_set(r->section, "id", quote + 1);
    }
    return true;
}

static bool read_pair(struct reader *r, char *text, GError **err)
{
    char *eq = strchr(text, '=');
    char *value;
    size_t len;

    if (!r->section) {
        return bad_line(r, "a [section] comes first", err);
    }
    if (!eq) {
        return bad_line(r, "neither a [section] nor key = \"value\"", err);
    }
    *eq = 0;
    g_strchomp(text);
    value = g_strstrip(eq + 1);
    len = strlen(value);
    if (!*text || len < 2 || value[0] != '"' || value[len - 1] != '"') {
        return bad_line(r, "the form is key = \"value\"", err);
    }
    value[len - 1] = 0;
    opts_set(r->section, text, value + 1);
    return true;
}

static bool read_line(struct reader *r, char *text, GError **err)
{
    g_strstrip(text);
    switch (*text) {
    case 0:
    case '#': return true;
    case '[': return begin_section(r, text, err);
    default: return read_pair(r, text, err);
    }
}

enum { CONFIG_FILE_MAX = 1 << 20 };

/* The whole file, to be freed; NULL with err set, also where it is no text of a sensible size. */
static char *read_file(const char *path, GError **err)
{
    g_autofree char *text = g_malloc(CONFIG_FILE_MAX + 1);
    FILE *f = fopen(path, "re");
    size_t n;
    int number;

    if (!f) {
        error_set_errno(err, errno, "-readconfig: cannot open '%s'", path);
        return NULL;
    }
    n = fread(text, 1, CONFIG_FILE_MAX + 1, f);
    number = ferror(f) ? errno : 0;
    fclose(f);
    if (number) {
        error_set_errno(err, number, "-readconfig: cannot read '%s'", path);
        return NULL;
    }
    if (n > CONFIG_FILE_MAX || memchr(text, 0, n)) {
        error_set(err, "-readconfig: '%s' is not a text of at most %d KiB", path,
                  CONFIG_FILE_MAX >> 10);
        return NULL;
    }
    text[n] = 0;
    return g_steal_pointer(&text);
}

bool opts_read_config(const char *path, opts_section_fn *fn, void *opaque, GError **err)
{
    struct reader r = { .path = path, .fn = fn, .opaque = opaque };
    g_autofree char *text = read_file(path, err);
    g_auto(GStrv) lines = NULL;
    bool ok = true;

    if (!text) {
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && ok; line++) {
        r.line++;
        ok = read_line(&r, *line, err);
    }
    ok = ok && end_section(&r, err);
    opts_free(r.section);
    g_free(r.group);
    return ok;
}
