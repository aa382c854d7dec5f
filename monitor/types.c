/*
 * Checks JSON values against declared types, with the messages that QMP clients know.
 */
#include <string.h>
#include <base/bits.h>
#include "command.h"

const struct mon_type mon_str = { .name = "str", .kind = MON_STR };
const struct mon_type mon_int = { .name = "int", .kind = MON_INT };
const struct mon_type mon_number = { .name = "number", .kind = MON_NUMBER };
const struct mon_type mon_bool = { .name = "bool", .kind = MON_BOOL };
const struct mon_type mon_any = { .name = "any", .kind = MON_ANY };
const struct mon_type mon_empty = { .name = "q_empty", .kind = MON_OBJECT };
const struct mon_type mon_anys = { .name = "[any]", .kind = MON_ARRAY, .element = &mon_any };
const struct mon_type mon_strs = { .name = "[str]", .kind = MON_ARRAY, .element = &mon_str };

static const struct mon_member format_members[] = {
    MEMBER("count", &mon_int),
    MEMBER("format", &mon_str),
    MEMBER("size", &mon_int),
    { 0 },
};
const struct mon_type mon_format = {
    .name = "Format",
    .kind = MON_OBJECT,
    .members = format_members,
};

static bool of_kind(enum mon_kind kind, const json_t *value)
{
    switch (kind) {
    case MON_STR:
    case MON_ENUM: return json_is_string(value);
    case MON_INT: return json_is_integer(value);
    case MON_NUMBER: return json_is_number(value);
    case MON_BOOL: return json_is_boolean(value);
    case MON_OBJECT: return json_is_object(value);
    case MON_ARRAY: return json_is_array(value);
    case MON_ANY: return true;
    }
    return false;
}

static bool wrong_kind(enum mon_kind kind, const char *name, GError **err)
{
    static const char *const words[] = {
        [MON_STR] = "string",    [MON_ENUM] = "string",  [MON_INT] = "integer",
        [MON_NUMBER] = "number", [MON_BOOL] = "boolean", [MON_OBJECT] = "object",
        [MON_ARRAY] = "array",   [MON_ANY] = "any"
    };

    return error_set(err, "Invalid parameter type for '%s', expected: %s", name, words[kind]);
}

static const struct mon_member *find_member(const struct mon_type *t, const char *name)
{
    for (const struct mon_member *m = t->members; m && m->name; m++)
        if (!strcmp(m->name, name))
            return m;
    return NULL;
}

static char *dotted(const char *outer, const char *inner)
{
    return *outer ? g_strconcat(outer, ".", inner, NULL) : g_strdup(inner);
}

static bool check_members(const struct mon_type *t, const json_t *value, const char *name,
                          GError **err)
{
    const char *key;
    json_t *item;
    bool ok = true;

    for (const struct mon_member *m = t->members; ok && m && m->name; m++) {
        char *full = dotted(name, m->name);

        item = json_object_get(value, m->name);
        if (item)
            ok = mon_check(m->type, item, full, err);
        else if (!m->optional)
            ok = error_set(err, "Parameter '%s' is missing", full);
        g_free(full);
    }
    if (!ok)
        return false;
    json_object_foreach((json_t *)value, key, item)
    {
        if (!find_member(t, key)) {
            char *full = dotted(name, key);

            error_set(err, "Parameter '%s' is unexpected", full);
            g_free(full);
            return false;
        }
    }
    return true;
}

static bool check_elements(const struct mon_type *t, const json_t *value, const char *name,
                           GError **err)
{
    size_t i;
    json_t *item;
    bool ok = true;

    json_array_foreach(value, i, item)
    {
        char *full = g_strdup_printf("%s[%zu]", name, i);

        ok = mon_check(t->element, item, full, err);
        g_free(full);
        if (!ok)
            break;
    }
    return ok;
}

bool mon_check(const struct mon_type *t, const json_t *value, const char *name, GError **err)
{
    if (!of_kind(t->kind, value))
        return wrong_kind(t->kind, name, err);
    if (t->kind == MON_OBJECT)
        return check_members(t, value, name, err);
    if (t->kind == MON_ARRAY)
        return check_elements(t, value, name, err);
    if (t->kind == MON_ENUM && !g_strv_contains(t->values, json_string_value(value)))
        return error_set(err, "Parameter '%s' does not accept value '%s'", name,
                         json_string_value(value));
    return true;
}
