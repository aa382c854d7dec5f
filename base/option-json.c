/* The JSON form of an option: members of objects and elements of arrays become dotted keys. */
#include <base/error.h>

#include <jansson.h>

#include "option-private.h"

/* Deeper nesting than any option has; keeps the recursion small. */
enum { MAX_DEPTH = 16 };

static bool flatten(struct opts *o, const char *key, const json_t *v, unsigned depth, GError **err);

static bool flatten_object(struct opts *o, const char *prefix, const json_t *object, unsigned depth,
                           GError **err)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)object, name, v)
    {
        g_autofree char *key = *prefix ? g_strconcat(prefix, ".", name, NULL) : g_strdup(name);

        if (!*name) {
            return error_set(err, "%s: a member of '%s' has an empty name", opts_option(o), prefix);
        }
        if (!flatten(o, key, v, depth + 1, err)) {
            return false;
        }
    }
    return true;
}

static bool flatten_array(struct opts *o, const char *prefix, const json_t *array, unsigned depth,
                          GError **err)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        g_autofree char *key = g_strdup_printf("%s.%zu", prefix, i);

        if (!flatten(o, key, json_array_get(array, i), depth + 1, err)) {
            return false;
        }
    }
    return true;
}

static bool flatten(struct opts *o, const char *key, const json_t *v, unsigned depth, GError **err)
{
    g_autofree char *number = NULL;

    if (depth > MAX_DEPTH) {
        return error_set(err, "%s: '%s' is nested too deeply", opts_option(o), key);
    }
    switch (json_typeof(v)) {
    case JSON_OBJECT: return flatten_object(o, key, v, depth, err);
    case JSON_ARRAY: return flatten_array(o, key, v, depth, err);
    case JSON_STRING: opts_set(o, key, json_string_value(v)); return true;
    case JSON_TRUE: opts_set(o, key, "on"); return true;
    case JSON_FALSE: opts_set(o, key, "off"); return true;
    case JSON_INTEGER:
        number = g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
        opts_set(o, key, number);
        return true;
    case JSON_REAL:
        number = g_strdup_printf("%.17g", json_real_value(v));
        opts_set(o, key, number);
        return true;
    default: return error_set(err, "%s: '%s' is null", opts_option(o), key);
    }
}

bool opts_parse_json(struct opts *o, const char *text, GError **err)
{
    json_error_t e;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    bool ok;

    if (!root) {
        return error_set(err, "%s: bad JSON at character %d: %s", opts_option(o), e.position,
                         e.text);
    }
    ok = flatten_object(o, "", root, 0, err);
    json_decref(root);
    return ok;
}
