/*
 * Lists of key=value, and who asked for which key. QEMU's syntax: parts end at a comma that is not
 * doubled; a doubled one within a value stands for itself.
 */
#include <base/option.h>
#include <base/error.h>

#include "option-private.h"

struct item {
    char *key, *value;
    bool flag; /* given without a value */
};

struct opts {
    char *option;
    GPtrArray *items; /* of struct item, in the order given */
    GPtrArray *known; /* keys that were asked for */
};

static void item_free(gpointer p)
{
    struct item *it = p;

    g_free(it->key);
    g_free(it->value);
    g_free(it);
}

struct opts *opts_new(const char *option)
{
    struct opts *o = g_new0(struct opts, 1);

    o->option = g_strdup(option);
    o->items = g_ptr_array_new_with_free_func(item_free);
    o->known = g_ptr_array_new_with_free_func(g_free);
    return o;
}

void opts_free(struct opts *o)
{
    if (o) {
        g_ptr_array_free(o->items, TRUE);
        g_ptr_array_free(o->known, TRUE);
        g_free(o->option);
        g_free(o);
    }
}

static void add_item(struct opts *o, char *key, char *value, bool flag)
{
    struct item *it = g_new(struct item, 1);

    *it = (struct item){ .key = key, .value = value, .flag = flag };
    g_ptr_array_add(o->items, it);
}

struct opts *opts_copy(const struct opts *o)
{
    struct opts *copy = opts_new(o->option);

    opts_merge(copy, o);
    return copy;
}

void opts_merge(struct opts *o, const struct opts *from)
{
    for (guint i = 0; i < from->items->len; i++) {
        const struct item *it = from->items->pdata[i];

        add_item(o, g_strdup(it->key), g_strdup(it->value), it->flag);
    }
}

/* Reads up to a single comma and steps over it. */
static char *take_part(const char **text)
{
    GString *s = g_string_new(NULL);
    const char *p = *text;

    for (; *p; p++) {
        if (*p == ',' && *++p != ',') {
            p--;
            break;
        }
        g_string_append_c(s, *p);
    }
    *text = *p ? p + 1 : p;
    return g_string_free(s, FALSE);
}

static bool parse_part(struct opts *o, const char **p, const char *implied, GError **err)
{
    size_t len = strcspn(*p, "=,");
    bool has_value = (*p)[len] == '=';

    if (!has_value && implied) {
        add_item(o, g_strdup(implied), take_part(p), false);
        return true;
    }
    if (len == 0) {
        return error_set(err, "%s: a key is missing before '%.20s'", o->option, *p);
    }
    if (has_value) {
        char *key = g_strndup(*p, len);

        *p += len + 1;
        add_item(o, key, take_part(p), false);
    } else {
        add_item(o, take_part(p), g_strdup("on"), true);
    }
    return true;
}

struct opts *opts_parse(const char *option, const char *text, const char *implied, GError **err)
{
    opts_auto struct opts *o = opts_new(option);
    const char *p = text;

    if (text[0] == '{') {
        return opts_parse_json(o, text, err) ? g_steal_pointer(&o) : NULL;
    }
    while (*p) {
        if (!parse_part(o, &p, p == text ? implied : NULL, err)) {
            return NULL;
        }
    }
    return g_steal_pointer(&o);
}

const char *opts_option(const struct opts *o)
{
    return o->option;
}

void opts_set(struct opts *o, const char *key, const char *value)
{
    add_item(o, g_strdup(key), g_strdup(value), false);
}

void opts_remove(struct opts *o, const char *key)
{
    for (guint i = o->items->len; i-- > 0;) {
        const struct item *it = o->items->pdata[i];

        if (strcmp(it->key, key) == 0) {
            g_ptr_array_remove_index(o->items, i);
        }
    }
}

size_t opts_count(const struct opts *o)
{
    return o->items->len;
}

const char *opts_key_at(const struct opts *o, size_t i)
{
    return ((const struct item *)o->items->pdata[i])->key;
}

const char *opts_value_at(const struct opts *o, size_t i)
{
    return ((const struct item *)o->items->pdata[i])->value;
}

/* ---- looking up ---- */

static struct item *find_last(const struct opts *o, const char *key)
{
    for (guint i = o->items->len; i-- > 0;) {
        struct item *it = o->items->pdata[i];

        if (strcmp(it->key, key) == 0) {
            return it;
        }
    }
    return NULL;
}

static bool is_known(const struct opts *o, const char *key)
{
    for (guint i = 0; i < o->known->len; i++) {
        if (strcmp(o->known->pdata[i], key) == 0) {
            return true;
        }
    }
    return false;
}

void opts_known(struct opts *o, const char *key)
{
    if (!is_known(o, key)) {
        g_ptr_array_add(o->known, g_strdup(key));
    }
}

bool opts_has(const struct opts *o, const char *key)
{
    return find_last(o, key) != NULL;
}

static bool is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "?") == 0;
}

bool opts_help_asked(struct opts *o)
{
    for (guint i = 0; i < o->items->len; i++) {
        const struct item *it = o->items->pdata[i];

        if ((it->flag && is_help(it->key)) || (i == 0 && !it->flag && is_help(it->value))) {
            opts_known(o, it->key);
            return true;
        }
    }
    return false;
}

const char *opts_str(struct opts *o, const char *key, const char *def)
{
    const struct item *it = find_last(o, key);

    opts_known(o, key);
    return it ? it->value : def;
}

const char *opts_str_nth(struct opts *o, const char *key, size_t n)
{
    opts_known(o, key);
    for (guint i = 0; i < o->items->len; i++) {
        const struct item *it = o->items->pdata[i];

        if (strcmp(it->key, key) == 0 && n-- == 0) {
            return it->value;
        }
    }
    return NULL;
}

static char *describe(const struct opts *o, const char *key)
{
    return g_strdup_printf("%s: %s", o->option, key);
}

bool opts_bool(struct opts *o, const char *key, bool *value, GError **err)
{
    g_autofree char *what = describe(o, key);
    g_autofree char *negated = g_strconcat("no", key, NULL);

    opts_known(o, key);
    for (guint i = o->items->len; i-- > 0;) {
        const struct item *it = o->items->pdata[i];

        if (strcmp(it->key, key) == 0) {
            return option_bool(what, it->value, value, err);
        }
        if (it->flag && strcmp(it->key, negated) == 0) {
            opts_known(o, negated);
            *value = false;
            return true;
        }
    }
    return true;
}

bool opts_u64(struct opts *o, const char *key, uint64_t min, uint64_t max, uint64_t *value,
              GError **err)
{
    g_autofree char *what = describe(o, key);
    const char *text = opts_str(o, key, NULL);

    return !text || option_u64(what, text, min, max, value, err);
}

bool opts_u32(struct opts *o, const char *key, uint32_t min, uint32_t max, uint32_t *value,
              GError **err)
{
    uint64_t v = *value;

    if (!opts_u64(o, key, min, max, &v, err)) {
        return false;
    }
    *value = (uint32_t)v;
    return true;
}

bool opts_i64(struct opts *o, const char *key, int64_t min, int64_t max, int64_t *value,
              GError **err)
{
    g_autofree char *what = describe(o, key);
    const char *text = opts_str(o, key, NULL);

    return !text || option_i64(what, text, min, max, value, err);
}

bool opts_size(struct opts *o, const char *key, uint64_t unit, uint64_t min, uint64_t max,
               uint64_t *value, GError **err)
{
    g_autofree char *what = describe(o, key);
    const char *text = opts_str(o, key, NULL);

    return !text || option_size(what, text, unit, min, max, value, err);
}

bool opts_enum(struct opts *o, const char *key, const char *const *names, int *value, GError **err)
{
    g_autofree char *what = describe(o, key);
    g_autofree char *all = NULL;
    const char *text = opts_str(o, key, NULL);
    const char *best;

    if (!text) {
        return true;
    }
    for (int i = 0; names[i]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *value = i;
            return true;
        }
    }
    best = nearest_of(text, names);
    if (best) {
        return error_set(err, "%s=%s is not known; did you mean '%s'?", what, text, best);
    }
    all = g_strjoinv(", ", (char **)names);
    return error_set(err, "%s=%s is not known; it is one of: %s", what, text, all);
}

bool opts_done(struct opts *o, GError **err)
{
    for (guint i = 0; i < o->items->len; i++) {
        const struct item *it = o->items->pdata[i];
        struct nearest n;

        if (is_known(o, it->key)) {
            continue;
        }
        nearest_init(&n, it->key);
        for (guint k = 0; k < o->known->len; k++) {
            nearest_try(&n, o->known->pdata[k]);
        }
        return error_set_unknown(err, o->option, "parameter", it->key, &n);
    }
    return true;
}
