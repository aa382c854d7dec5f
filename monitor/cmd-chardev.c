/*
 * Character devices: which there are, adding and removing them, ring buffers.
 */
#include <string.h>
#include "command.h"

static const struct mon_member chardev_members[] = {
    MEMBER("label", &mon_str),
    MEMBER("filename", &mon_str),
    MEMBER("frontend-open", &mon_bool),
    { 0 },
};
static const struct mon_type chardev_info = OBJECT_TYPE("ChardevInfo", chardev_members);
static const struct mon_type chardev_list = ARRAY_TYPE("[ChardevInfo]", &chardev_info);

static void add_chardev(struct chardev *chr, void *opaque)
{
    char *raw = chardev_filename(chr), *name = g_utf8_make_valid(raw, -1);

    json_array_append_new(opaque, json_pack("{s:s, s:s, s:b}", "label", chardev_id(chr), "filename",
                                            name, "frontend-open", chardev_frontend_open(chr)));
    g_free(raw);
    g_free(name);
}

static json_t *query_chardev(struct mon *mon, const json_t *args, GError **err)
{
    json_t *list = json_array();

    (void)args, (void)err;
    chardev_foreach(mon->chardevs, add_chardev, list);
    return list;
}

static void print_chardev(struct chardev *chr, void *opaque)
{
    char *name = chardev_filename(chr);

    g_string_append_printf(opaque, "%s: filename=%s\n", chardev_id(chr), name);
    g_free(name);
}

static bool info_chardev(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    chardev_foreach(mon->chardevs, print_chardev, out);
    return true;
}

static const struct mon_member backend_info_members[] = {
    MEMBER("name", &mon_str),
    { 0 },
};
static const struct mon_type backend_info = OBJECT_TYPE("ChardevBackendInfo", backend_info_members);
static const struct mon_type backend_list = ARRAY_TYPE("[ChardevBackendInfo]", &backend_info);

static json_t *query_backends(struct mon *mon, const json_t *args, GError **err)
{
    json_t *list = json_array();

    (void)mon, (void)args, (void)err;
    for (const char *const *n = chardev_type_names(); *n; n++)
        json_array_append_new(list, json_pack("{s:s}", "name", *n));
    return list;
}

/* chardev-add nests what -chardev has side by side: backend.data.addr.data.path is path. */
static const struct rename {
    const char *type, *member, *option;
} renames[] = {
    { "file", "out", "path" },
    { "pipe", "device", "path" },
    { "socket", "str", "fd" },
};

static const char *option_name(const char *type, const char *member)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(renames); i++)
        if (!strcmp(renames[i].type, type) && !strcmp(renames[i].member, member))
            return renames[i].option;
    return member;
}

static bool flatten(json_t *flat, const char *type, const json_t *data, GError **err)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)data, key, v)
    {
        if (!strcmp(key, "addr") && json_is_object(v)) {
            json_t *inner = json_object_get(v, "data");

            if (!flatten(flat, type, inner ? inner : v, err))
                return false;
        } else if (json_is_object(v) || json_is_array(v)) {
            return error_set(err, "Invalid parameter type for '%s', expected: string", key);
        } else {
            json_object_set(flat, option_name(type, key), v);
        }
    }
    return true;
}

static const struct mon_member backend_members[] = {
    MEMBER("type", &mon_str),
    MEMBER("data", &mon_any),
    { 0 },
};
static const struct mon_type backend_type = OBJECT_TYPE("ChardevBackend", backend_members);
static const struct mon_member add_args[] = {
    MEMBER("id", &mon_str),
    MEMBER("backend", &backend_type),
    { 0 },
};
static const struct mon_member return_members[] = {
    OPTIONAL("pty", &mon_str),
    { 0 },
};
static const struct mon_type return_type = OBJECT_TYPE("ChardevReturn", return_members);

static bool check_add(const char *id, const char *type, json_t *flat, struct mon *mon, GError **err)
{
    json_t *wait;

    if (chardev_find(mon->chardevs, id, NULL))
        return error_set(err, "Chardev with id '%s' already exists", id);
    if (!g_strv_contains(chardev_type_names(), type))
        return error_set(err, "Parameter 'type' does not accept value '%s'", type);
    if (strcmp(type, "socket"))
        return true;
    /* QMP's defaults differ from those of -chardev. */
    if (!json_object_get(flat, "server"))
        json_object_set_new(flat, "server", json_true());
    wait = json_object_get(flat, "wait");
    if (json_is_true(wait))
        return error_set(err, "Parameter 'wait' must be false: the machine would stand still");
    if (!wait && json_is_true(json_object_get(flat, "server")))
        json_object_set_new(flat, "wait", json_false());
    return true;
}

static json_t *chardev_add(struct mon *mon, const json_t *args, GError **err)
{
    const json_t *backend = json_object_get(args, "backend");
    const char *id = json_string_value(json_object_get(args, "id"));
    const char *type = json_string_value(json_object_get(backend, "type"));
    json_t *flat = json_object(), *result = NULL;
    struct chardev *chr = NULL;

    if (flatten(flat, type, json_object_get(backend, "data"), err) &&
        check_add(id, type, flat, mon, err)) {
        char *text;

        json_object_set_new(flat, "backend", json_string(type));
        json_object_set_new(flat, "id", json_string(id));
        text = json_dumps(flat, 0);
        chr = chardev_new_from_opts(mon->chardevs, text, err);
        free(text);
    }
    json_decref(flat);
    if (chr && !strcmp(type, "pty")) {
        char *name = chardev_filename(chr);

        result = json_pack("{s:s}", "pty", name + strlen("pty:"));
        g_free(name);
    }
    return result;
}

static const struct mon_member id_args[] = {
    MEMBER("id", &mon_str),
    { 0 },
};

static json_t *remove_chardev(struct mon *mon, const json_t *args, GError **err)
{
    chardev_remove(mon->chardevs, json_string_value(json_object_get(args, "id")), err);
    return NULL;
}

static const struct mon_member add_hmp_args[] = {
    MEMBER("args", &mon_str, .hmp = HMP_REST),
    { 0 },
};

static bool add_hmp(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)out;
    return chardev_new_from_opts(mon->chardevs, json_string_value(json_object_get(args, "args")),
                                 err) != NULL;
}

static void add_id(struct chardev *chr, void *opaque)
{
    g_ptr_array_add(opaque, g_strdup(chardev_id(chr)));
}

static void complete_chardev(struct mon *mon, GPtrArray *words)
{
    chardev_foreach(mon->chardevs, add_id, words);
}

static const char *const data_formats[] = { "utf8", "base64", NULL };
static const struct mon_type data_format = ENUM_TYPE("DataFormat", data_formats);
static const struct mon_member ring_read_args[] = {
    MEMBER("device", &mon_str),
    MEMBER("size", &mon_int),
    OPTIONAL("format", &data_format, .hmp = HMP_NONE),
    { 0 },
};
static const struct mon_member ring_write_args[] = {
    MEMBER("device", &mon_str),
    MEMBER("data", &mon_str, .hmp = HMP_REST),
    OPTIONAL("format", &data_format, .hmp = HMP_NONE),
    { 0 },
};

static struct chardev *find_ring(struct mon *mon, const json_t *args, GError **err)
{
    const char *id = json_string_value(json_object_get(args, "device"));
    struct chardev *chr = chardev_find(mon->chardevs, id, NULL);

    if (!chr)
        error_set(err, "Device '%s' not found", id);
    else if (!chardev_is_ringbuf(chr))
        error_set(err, "%s is not a ringbuf device", id);
    return chr && chardev_is_ringbuf(chr) ? chr : NULL;
}

static bool is_base64(const json_t *args)
{
    return !g_strcmp0(json_string_value(json_object_get(args, "format")), "base64");
}

enum { MAX_RING_READ = 16 * 1024 * 1024 };

static json_t *ringbuf_read(struct mon *mon, const json_t *args, GError **err)
{
    struct chardev *chr = find_ring(mon, args, err);
    json_int_t size = json_integer_value(json_object_get(args, "size"));
    uint8_t *buf;
    char *text;
    json_t *result;
    size_t n;

    if (!chr)
        return NULL;
    if (size <= 0) {
        error_set(err, "size must be greater than zero");
        return NULL;
    }
    size = MIN(size, MAX_RING_READ);
    buf = g_malloc(size);
    n = chardev_ringbuf_read(chr, buf, size);
    text = is_base64(args) ? g_base64_encode(buf, n) : g_utf8_make_valid((char *)buf, n);
    result = json_string(text);
    g_free(text);
    g_free(buf);
    return result;
}

static bool ringbuf_read_text(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    GError *local = NULL;
    json_t *text = ringbuf_read(mon, args, &local);

    if (local) {
        g_propagate_error(err, local);
        return false;
    }
    g_string_append_printf(out, "%s\n", json_string_value(text));
    json_decref(text);
    return true;
}

static json_t *ringbuf_write(struct mon *mon, const json_t *args, GError **err)
{
    struct chardev *chr = find_ring(mon, args, err);
    const char *data = json_string_value(json_object_get(args, "data"));
    size_t len = strlen(data);
    guchar *decoded = NULL;

    if (!chr)
        return NULL;
    if (is_base64(args))
        decoded = g_base64_decode(data, &len);
    chardev_ringbuf_write(chr, decoded ? decoded : (const uint8_t *)data, len);
    g_free(decoded);
    return NULL;
}

const struct mon_command chardev_commands[] = {
    { .qmp = "query-chardev",
      .run = query_chardev,
      .ret = &chardev_list,
      .hmp = "info chardev",
      .text = info_chardev,
      .help = "show the character devices" },
    { .qmp = "query-chardev-backends", .run = query_backends, .ret = &backend_list },
    { .qmp = "chardev-add", .args = add_args, .run = chardev_add, .ret = &return_type },
    { .hmp = "chardev-add",
      .args = add_hmp_args,
      .params = "args",
      .text = add_hmp,
      .help = "add chardev" },
    { .qmp = "chardev-remove",
      .hmp = "chardev-remove",
      .args = id_args,
      .params = "id",
      .run = remove_chardev,
      .complete = complete_chardev,
      .help = "remove chardev" },
    { .qmp = "ringbuf-read",
      .hmp = "ringbuf_read",
      .args = ring_read_args,
      .params = "device size",
      .run = ringbuf_read,
      .text = ringbuf_read_text,
      .ret = &mon_str,
      .complete = complete_chardev,
      .help = "Read from a ring buffer character device" },
    { .qmp = "ringbuf-write",
      .hmp = "ringbuf_write",
      .args = ring_write_args,
      .params = "device data",
      .run = ringbuf_write,
      .complete = complete_chardev,
      .help = "Write to a ring buffer character device" },
    { 0 },
};
