/*
 * Objects of -object while the machine runs: made, deleted and shown.
 */
#include <string.h>
#include <base/option.h>
#include <hw/backend/iothread.h>
#include <hw/core/memory_backend.h>
#include "command.h"

/* ---- Making and deleting ---- */

static const struct mon_member add_args[] = {
    MEMBER("qom-type", &mon_str),
    MEMBER("id", &mon_str),
    { 0 },
};

static bool add_from_text(struct mon *mon, const char *text, GError **err)
{
    opts_auto struct opts *opts = opts_parse("object-add", text, "qom-type", err);

    return opts && object_create(mon->machine, opts, err);
}

static json_t *object_add(struct mon *mon, const json_t *args, GError **err)
{
    char *text = json_dumps(args, 0);

    add_from_text(mon, text, err);
    free(text);
    return NULL;
}

static const struct mon_member add_hmp_args[] = {
    MEMBER("object", &mon_str, .hmp = HMP_REST),
    { 0 },
};

static bool object_add_text(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)out;
    return add_from_text(mon, json_string_value(json_object_get(args, "object")), err);
}

static void complete_type(struct mon *mon, GPtrArray *words)
{
    (void)mon;
    for (const struct object_type *const *t = object_types(); *t; t++)
        g_ptr_array_add(words, g_strdup((*t)->name));
}

static const struct mon_member id_args[] = {
    MEMBER("id", &mon_str),
    { 0 },
};

static json_t *object_del(struct mon *mon, const json_t *args, GError **err)
{
    object_delete(mon->machine, json_string_value(json_object_get(args, "id")), err);
    return NULL;
}

static void add_id(struct object *o, void *opaque)
{
    g_ptr_array_add(opaque, g_strdup(o->id));
}

static void complete_id(struct mon *mon, GPtrArray *words)
{
    object_foreach(mon->machine, add_id, words);
}

/* ---- Showing ---- */

struct listing {
    const char *role;
    json_t *(*describe)(struct object *o);
    json_t *list;
};

static void add_described(struct object *o, void *opaque)
{
    struct listing *l = opaque;

    if (g_strcmp0(o->type->role, l->role) == 0)
        json_array_append_new(l->list, l->describe(o));
}

static json_t *list_role(struct mon *mon, const char *role, json_t *(*describe)(struct object *o))
{
    struct listing l = { role, describe, json_array() };

    object_foreach(mon->machine, add_described, &l);
    return l.list;
}

static const struct mon_member iothread_members[] = {
    MEMBER("id", &mon_str),
    MEMBER("thread-id", &mon_int),
    MEMBER("poll-max-ns", &mon_int),
    MEMBER("poll-grow", &mon_int),
    MEMBER("poll-shrink", &mon_int),
    MEMBER("aio-max-batch", &mon_int),
    { 0 },
};
static const struct mon_type iothread_info = OBJECT_TYPE("IOThreadInfo", iothread_members);
static const struct mon_type iothread_list = ARRAY_TYPE("[IOThreadInfo]", &iothread_info);

/* They sleep in poll() at once, and batch as the host likes: zeroes. */
static json_t *describe_iothread(struct object *o)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "id", o->id, "thread-id", iothread_tid(o),
                     "poll-max-ns", 0, "poll-grow", 0, "poll-shrink", 0, "aio-max-batch", 0);
}

static json_t *query_iothreads(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    return list_role(mon, IOTHREAD, describe_iothread);
}

static void print_iothread(struct object *o, void *opaque)
{
    if (g_strcmp0(o->type->role, IOTHREAD) == 0)
        g_string_append_printf(opaque, "%s:\n  thread_id=%d\n", o->id, iothread_tid(o));
}

static bool info_iothreads(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    object_foreach(mon->machine, print_iothread, out);
    return true;
}

static const struct mon_type mon_ints = ARRAY_TYPE("[int]", &mon_int);
static const struct mon_member memdev_members[] = {
    OPTIONAL("id", &mon_str),        MEMBER("size", &mon_int),      MEMBER("merge", &mon_bool),
    MEMBER("dump", &mon_bool),       MEMBER("prealloc", &mon_bool), MEMBER("share", &mon_bool),
    MEMBER("host-nodes", &mon_ints), MEMBER("policy", &mon_str),    { 0 },
};
static const struct mon_type memdev_info = OBJECT_TYPE("Memdev", memdev_members);
static const struct mon_type memdev_list = ARRAY_TYPE("[Memdev]", &memdev_info);

static json_t *describe_memdev(struct object *o)
{
    const struct ram_backing *b = memory_backend_backing(o);

    return json_pack("{s:s, s:I, s:b, s:b, s:b, s:b, s:[], s:s}", "id", o->id, "size",
                     (json_int_t)memory_backend_size(o), "merge", b->merge, "dump", b->dump,
                     "prealloc", b->prealloc, "share", b->share, "host-nodes", "policy", "default");
}

static json_t *query_memdev(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    return list_role(mon, MEMORY_BACKEND, describe_memdev);
}

static void print_memdev(struct object *o, void *opaque)
{
    const struct ram_backing *b;

    if (g_strcmp0(o->type->role, MEMORY_BACKEND) != 0)
        return;
    b = memory_backend_backing(o);
    g_string_append_printf(opaque,
                           "memory backend: %s\n  size:  %" G_GUINT64_FORMAT
                           "\n  merge: %s\n  dump: %s\n  prealloc: %s\n  share: %s\n",
                           o->id, memory_backend_size(o), b->merge ? "true" : "false",
                           b->dump ? "true" : "false", b->prealloc ? "true" : "false",
                           b->share ? "true" : "false");
}

static bool info_memdev(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    object_foreach(mon->machine, print_memdev, out);
    return true;
}

const struct mon_command object_commands[] = {
    { .qmp = "object-add", .args = add_args, .more_args = true, .run = object_add },
    { .hmp = "object_add",
      .args = add_hmp_args,
      .params = "[qom-type=]type,id=str[,prop=value][,...]",
      .text = object_add_text,
      .complete = complete_type,
      .help = "create an object" },
    { .qmp = "object-del",
      .hmp = "object_del",
      .args = id_args,
      .params = "id",
      .run = object_del,
      .complete = complete_id,
      .help = "delete an object" },
    { .qmp = "query-iothreads",
      .run = query_iothreads,
      .ret = &iothread_list,
      .hmp = "info iothreads",
      .text = info_iothreads,
      .help = "show iothreads" },
    { .qmp = "query-memdev",
      .run = query_memdev,
      .ret = &memdev_list,
      .hmp = "info memdev",
      .text = info_memdev,
      .help = "show memory backends" },
    { 0 },
};
