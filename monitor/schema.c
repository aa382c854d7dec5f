/*
 * query-qmp-schema: every command, event and type that they reach, each type once.
 */
#include <string.h>
#include "command.h"

struct schema {
    json_t *out;
    GHashTable *seen; /* struct mon_type -> itself, for those already in @out */
};

static void add_type(struct schema *s, const struct mon_type *t);

static json_t *members_of(struct schema *s, const struct mon_member *members)
{
    json_t *list = json_array();

    for (const struct mon_member *m = members; m && m->name; m++) {
        json_t *entry = json_pack("{s:s, s:s}", "name", m->name, "type", m->type->name);

        if (m->optional)
            json_object_set_new(entry, "default", json_null());
        json_array_append_new(list, entry);
        add_type(s, m->type);
    }
    return list;
}

static json_t *describe_builtin(const struct mon_type *t)
{
    static const char *const json_types[] = { [MON_STR] = "string",
                                              [MON_INT] = "int",
                                              [MON_NUMBER] = "number",
                                              [MON_BOOL] = "boolean",
                                              [MON_ANY] = "value" };

    return json_pack("{s:s, s:s, s:s}", "name", t->name, "meta-type", "builtin", "json-type",
                     json_types[t->kind]);
}

static json_t *describe_enum(const struct mon_type *t)
{
    json_t *values = json_array(), *members = json_array();

    for (const char *const *v = t->values; *v; v++) {
        json_array_append_new(values, json_string(*v));
        json_array_append_new(members, json_pack("{s:s}", "name", *v));
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "name", t->name, "meta-type", "enum", "values", values,
                     "members", members);
}

static void add_type(struct schema *s, const struct mon_type *t)
{
    json_t *entry;

    if (!g_hash_table_add(s->seen, (void *)t))
        return;
    switch (t->kind) {
    case MON_OBJECT:
        entry = json_pack("{s:s, s:s, s:o}", "name", t->name, "meta-type", "object", "members",
                          members_of(s, t->members));
        break;
    case MON_ARRAY:
        entry = json_pack("{s:s, s:s, s:s}", "name", t->name, "meta-type", "array", "element-type",
                          t->element->name);
        add_type(s, t->element);
        break;
    case MON_ENUM: entry = describe_enum(t); break;
    default: entry = describe_builtin(t); break;
    }
    json_array_append_new(s->out, entry);
}

/* A command's arguments are an object type of their own, named after it. */
static const char *add_arguments(struct schema *s, const struct mon_command *cmd)
{
    char *name;
    json_t *entry;
    const char *kept;

    if (!cmd->args || !cmd->args[0].name) {
        add_type(s, &mon_empty);
        return mon_empty.name;
    }
    name = g_strdup_printf("%s-arg", cmd->qmp);
    entry = json_pack("{s:s, s:s, s:o}", "name", name, "meta-type", "object", "members",
                      members_of(s, cmd->args));
    g_free(name);
    json_array_append_new(s->out, entry);
    kept = json_string_value(json_object_get(entry, "name"));
    return kept;
}

static bool add_command(const struct mon_command *cmd, void *opaque)
{
    struct schema *s = opaque;
    const struct mon_type *ret = cmd->ret ? cmd->ret : &mon_empty;

    if (!cmd->qmp)
        return true;
    add_type(s, ret);
    json_array_append_new(s->out,
                          json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", cmd->qmp, "meta-type",
                                    "command", "arg-type", add_arguments(s, cmd), "ret-type",
                                    ret->name, "allow-oob", 0));
    return true;
}

json_t *mon_schema(void)
{
    struct schema s = { json_array(), g_hash_table_new(NULL, NULL) };

    mon_foreach(add_command, &s);
    for (const struct mon_event *e = mon_events; e->name; e++) {
        const struct mon_type *data = e->data ? e->data : &mon_empty;

        add_type(&s, data);
        json_array_append_new(s.out, json_pack("{s:s, s:s, s:s}", "name", e->name, "meta-type",
                                               "event", "arg-type", data->name));
    }
    g_hash_table_unref(s.seen);
    return s.out;
}
