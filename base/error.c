/* One-line errors, and the nearest name to a misspelt one. */
#include <base/error.h>

GQuark myna_error_quark(void)
{
    return g_quark_from_static_string("myna-error-quark");
}

static void set_va(GError **err, enum myna_error code, const char *fmt, va_list ap)
{
    if (err) {
        *err = g_error_new_valist(MYNA_ERROR, code, fmt, ap);
    }
}

bool error_set(GError **err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set_va(err, MYNA_ERROR_GENERIC, fmt, ap);
    va_end(ap);
    return false;
}

bool error_set_code(GError **err, enum myna_error code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set_va(err, code, fmt, ap);
    va_end(ap);
    return false;
}

bool error_set_errno(GError **err, int number, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return error_set(err, "%s: %s", text, g_strerror(number));
}

enum { NEAREST_MAX_LEN = 64 };

/*
 * Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours
 * count one each; three rows of the usual table are enough.
 */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned rows[3][NEAREST_MAX_LEN + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    size_t la = strlen(a), lb = strlen(b);

    if (la > NEAREST_MAX_LEN || lb > NEAREST_MAX_LEN) {
        return UINT_MAX;
    }
    for (size_t j = 0; j <= lb; j++) {
        last[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= la; i++) {
        unsigned *spare = before;

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned cost = g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]);
            unsigned d = MIN(MIN(last[j], row[j - 1]) + 1, last[j - 1] + cost);

            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d = MIN(d, before[j - 2] + 1);
            }
            row[j] = d;
        }
        before = last;
        last = row;
        row = spare;
    }
    return last[lb];
}

void nearest_init(struct nearest *n, const char *word)
{
    *n = (struct nearest){ .word = word, .distance = UINT_MAX };
}

void nearest_try(struct nearest *n, const char *name)
{
    size_t len = strlen(n->word);
    unsigned d = edit_distance(n->word, name);
    /* Near enough: every third letter wrong; or one is the other's beginning ("virtio-blk"). */
    bool near = d <= MAX(1, len / 3 + (len > 3));
    bool prefix = len >= 3 && (g_str_has_prefix(name, n->word) ||
                               (strlen(name) >= 3 && g_str_has_prefix(n->word, name)));

    if (prefix && !near) {
        d = (unsigned)len + d;
    }
    if ((near || prefix) && d < n->distance) {
        n->best = name;
        n->distance = d;
    }
}

const char *nearest_of(const char *word, const char *const *names)
{
    struct nearest n;

    nearest_init(&n, word);
    for (; *names; names++) {
        nearest_try(&n, *names);
    }
    return n.best;
}

bool error_set_unknown(GError **err, const char *what, const char *kind, const char *word,
                       const struct nearest *n)
{
    if (n && n->best) {
        return error_set_code(err, MYNA_ERROR_NOT_FOUND,
                              "%s: there is no %s '%s'; did you mean '%s'?", what, kind, word,
                              n->best);
    }
    return error_set_code(err, MYNA_ERROR_NOT_FOUND, "%s: there is no %s '%s'", what, kind, word);
}
