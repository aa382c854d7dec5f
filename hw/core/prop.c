/* Properties of devices and machines: text to value and back; see hw/core/device.h. */
#include "private.h"

#include <inttypes.h>
#include <string.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/option.h>

static const char *const on_off_auto_names[] = { "auto", "on", "off", NULL };

static const char *const kind_names[] = {
    [PROP_BOOL] = "bool",     [PROP_U8] = "uint8",
    [PROP_U16] = "uint16",    [PROP_U32] = "uint32",
    [PROP_U64] = "uint64",    [PROP_I64] = "int64",
    [PROP_SIZE] = "size",     [PROP_STR] = "str",
    [PROP_ENUM] = "enum",     [PROP_ONOFFAUTO] = "on|off|auto",
    [PROP_MAC] = "macaddr",   [PROP_CHARDEV] = "chardev",
    [PROP_NETDEV] = "netdev", [PROP_DRIVE] = "drive",
    [PROP_LINK] = "link",     [PROP_OBJECT] = "object",
};

static unsigned num_size(enum prop_kind k)
{
    switch (k) {
    case PROP_U8: return 1;
    case PROP_U16: return 2;
    case PROP_U32: return 4;
    default: return 8;
    }
}

static uint64_t num_max(const struct prop *p)
{
    unsigned size = num_size(p->kind);

    if (p->max)
        return p->max;
    return size == 8 ? UINT64_MAX : (UINT64_C(1) << (size * 8)) - 1;
}

static const char *const *enum_names(const struct prop *p)
{
    return p->kind == PROP_ONOFFAUTO ? on_off_auto_names : p->names;
}

static bool is_enum(const struct prop *p)
{
    return p->kind == PROP_ENUM || p->kind == PROP_ONOFFAUTO;
}

void prop_store_num(const struct prop *p, void *obj, uint64_t v)
{
    char *at = (char *)obj + p->offset;

    switch (p->kind) {
    case PROP_BOOL: *(bool *)at = v; break;
    case PROP_U8: *(uint8_t *)at = (uint8_t)v; break;
    case PROP_U16: *(uint16_t *)(void *)at = (uint16_t)v; break;
    case PROP_U32: *(uint32_t *)(void *)at = (uint32_t)v; break;
    case PROP_U64:
    case PROP_I64:
    case PROP_SIZE: *(uint64_t *)(void *)at = v; break;
    case PROP_ENUM:
    case PROP_ONOFFAUTO: *(int *)(void *)at = (int)v; break;
    default: bug_here("not a number");
    }
}

static uint64_t load_num(const struct prop *p, const void *obj)
{
    const char *at = (const char *)obj + p->offset;

    switch (p->kind) {
    case PROP_BOOL: return *(const bool *)at;
    case PROP_U8: return *(const uint8_t *)at;
    case PROP_U16: return *(const uint16_t *)(const void *)at;
    case PROP_U32: return *(const uint32_t *)(const void *)at;
    case PROP_ENUM:
    case PROP_ONOFFAUTO: return (uint64_t) * (const int *)(const void *)at;
    default: return *(const uint64_t *)(const void *)at;
    }
}

void prop_store_str(const struct prop *p, void *obj, const char *v)
{
    char **at = (char **)(void *)((char *)obj + p->offset);

    bug_on(p->kind != PROP_STR);
    g_free(*at);
    *at = g_strdup(v);
}

void prop_store_ptr(const struct prop *p, void *obj, void *v)
{
    bug_on(p->kind < PROP_CHARDEV || p->kind > PROP_LINK);
    *(void **)(void *)((char *)obj + p->offset) = v;
}

void prop_default(const struct prop *p, void *obj)
{
    if (p->kind == PROP_STR)
        prop_store_str(p, obj, p->def_str);
    else if (p->kind < PROP_STR || is_enum(p))
        prop_store_num(p, obj, (uint64_t)p->def);
}

/* The property's user is counted at the object. */
static void store_object(const struct prop *p, void *obj, struct object *v)
{
    struct object **at = (struct object **)(void *)((char *)obj + p->offset);

    if (v)
        v->users++;
    if (*at)
        (*at)->users--;
    *at = v;
}

void prop_drop(const struct prop *p, void *obj)
{
    if (p->kind == PROP_STR)
        prop_store_str(p, obj, NULL);
    else if (p->kind == PROP_OBJECT)
        store_object(p, obj, NULL);
}

static bool set_enum(const struct prop *p, void *obj, const char *what, const char *value,
                     GError **err)
{
    const char *const *names = enum_names(p);
    char *all;
    const char *near;

    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], value) == 0) {
            prop_store_num(p, obj, (uint64_t)i);
            return true;
        }
    }
    all = g_strjoinv(", ", (char **)(uintptr_t)names);
    near = nearest_of(value, names);
    error_set(err, "%s: '%s' is not one of %s%s%s%s", what, value, all,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    g_free(all);
    return false;
}

/* 52:54:00:12:34:56, also with dashes. */
static bool set_mac(const struct prop *p, void *obj, const char *what, const char *value,
                    GError **err)
{
    struct mac_addr mac;

    for (unsigned i = 0; i < 6; i++) {
        const char *at = value + 3 * i;
        int hi = g_ascii_xdigit_value(at[0]), lo = hi < 0 ? -1 : g_ascii_xdigit_value(at[1]);
        bool end_ok = lo >= 0 && (i == 5 ? !at[2] : at[2] == ':' || at[2] == '-');

        if (!end_ok)
            return error_set(err, "%s: '%s' is not a MAC address like 52:54:00:12:34:56", what,
                             value);
        mac.byte[i] = (uint8_t)(hi << 4 | lo);
    }
    if (mac.byte[0] & 1)
        return error_set(err, "%s: '%s' is a multicast address", what, value);
    memcpy((char *)obj + p->offset, &mac, sizeof(mac));
    return true;
}

static bool set_pointer(const struct prop *p, void *obj, struct machine *m, const char *what,
                        const char *value, GError **err)
{
    static const enum backend_kind kinds[] = {
        [PROP_CHARDEV] = BACKEND_CHARDEV,
        [PROP_NETDEV] = BACKEND_NETDEV,
        [PROP_DRIVE] = BACKEND_DRIVE,
    };
    void *v;

    if (p->kind == PROP_OBJECT) {
        v = object_find_role(m, value, p->role, what, err);
        if (v)
            store_object(p, obj, v);
        return v != NULL;
    }
    if (p->kind == PROP_LINK) {
        v = device_find(m, value);
        if (!v)
            return error_set(err, "%s: there is no device '%s'", what, value);
    } else {
        v = machine_backend(m, kinds[p->kind], value, err);
        if (!v) {
            g_prefix_error(err, "%s: ", what);
            return false;
        }
    }
    prop_store_ptr(p, obj, v);
    return true;
}

bool prop_set(const struct prop *p, void *obj, struct machine *m, const char *what,
              const char *value, GError **err)
{
    uint64_t n = 0;
    int64_t s = 0;
    bool b = false;

    switch (p->kind) {
    case PROP_BOOL:
        if (!option_bool(what, value, &b, err))
            return false;
        n = b;
        break;
    case PROP_U8:
    case PROP_U16:
    case PROP_U32:
    case PROP_U64:
        if (!option_u64(what, value, p->min, num_max(p), &n, err))
            return false;
        break;
    case PROP_I64:
        if (!option_i64(what, value, INT64_MIN, INT64_MAX, &s, err))
            return false;
        n = (uint64_t)s;
        break;
    case PROP_SIZE:
        if (!option_size(what, value, 1, p->min, num_max(p), &n, err))
            return false;
        break;
    case PROP_STR: prop_store_str(p, obj, value); return true;
    case PROP_ENUM:
    case PROP_ONOFFAUTO: return set_enum(p, obj, what, value, err);
    case PROP_MAC: return set_mac(p, obj, what, value, err);
    default: return set_pointer(p, obj, m, what, value, err);
    }
    prop_store_num(p, obj, n);
    return true;
}

static char *pointer_name(const struct prop *p, const void *obj, struct machine *m)
{
    void *v = *(void *const *)(const void *)((const char *)obj + p->offset);
    enum backend_kind k = p->kind == PROP_CHARDEV  ? BACKEND_CHARDEV
                          : p->kind == PROP_NETDEV ? BACKEND_NETDEV
                                                   : BACKEND_DRIVE;

    if (!v)
        return NULL;
    if (p->kind == PROP_LINK)
        return g_strdup(((struct device *)v)->path);
    if (p->kind == PROP_OBJECT)
        return g_strdup(((struct object *)v)->id);
    return m->backends[k].name ? g_strdup(m->backends[k].name(v)) : NULL;
}

char *prop_get(const struct prop *p, const void *obj, struct machine *m)
{
    const uint8_t *mac = (const uint8_t *)obj + p->offset;

    switch (p->kind) {
    case PROP_BOOL: return g_strdup(load_num(p, obj) ? "on" : "off");
    case PROP_I64: return g_strdup_printf("%" PRId64, (int64_t)load_num(p, obj));
    case PROP_STR: return g_strdup(*(char *const *)(const void *)((const char *)obj + p->offset));
    case PROP_ENUM:
    case PROP_ONOFFAUTO: return g_strdup(enum_names(p)[load_num(p, obj)]);
    case PROP_MAC:
        return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                               mac[4], mac[5]);
    case PROP_CHARDEV:
    case PROP_NETDEV:
    case PROP_DRIVE:
    case PROP_LINK:
    case PROP_OBJECT: return pointer_name(p, obj, m);
    default: return g_strdup_printf("%" PRIu64, load_num(p, obj));
    }
}

static void describe_default(const struct prop *p, GString *s)
{
    switch (p->kind) {
    case PROP_BOOL: g_string_append_printf(s, " (default: %s)", p->def ? "on" : "off"); break;
    case PROP_STR:
        if (p->def_str)
            g_string_append_printf(s, " (default: %s)", p->def_str);
        break;
    case PROP_ENUM:
    case PROP_ONOFFAUTO: g_string_append_printf(s, " (default: %s)", enum_names(p)[p->def]); break;
    case PROP_I64: g_string_append_printf(s, " (default: %" PRId64 ")", p->def); break;
    case PROP_U8:
    case PROP_U16:
    case PROP_U32:
    case PROP_U64:
    case PROP_SIZE: g_string_append_printf(s, " (default: %" PRIu64 ")", (uint64_t)p->def); break;
    default: break;
    }
}

char *prop_describe(const struct prop *p)
{
    GString *s = g_string_new(NULL);

    if (p->kind == PROP_ENUM) {
        char *all = g_strjoinv("|", (char **)(uintptr_t)p->names);

        g_string_append_printf(s, "%s=<%s>", p->name, all);
        g_free(all);
    } else {
        g_string_append_printf(s, "%s=<%s>", p->name, kind_names[p->kind]);
    }
    if (p->help)
        g_string_append_printf(s, " - %s", p->help);
    describe_default(p, s);
    return g_string_free(s, FALSE);
}

const struct prop *prop_find(const struct prop *list, const char *name)
{
    for (const struct prop *p = list; p && p->kind != PROP_END; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}
