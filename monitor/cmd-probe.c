/*
 * What programs ask at start-up to learn what they may use: options of the command line, and parts
 * that this build or machine does not have, of which they are told so.
 */
#include <string.h>
#include "command.h"

/* ---- query-command-line-options ---- */

static const char *const kind_names[] = { "string", "boolean", "number", "size", NULL };
static const struct mon_type kind_type = ENUM_TYPE("CommandLineParameterType", kind_names);

static const struct mon_member parameter_members[] = {
    MEMBER("name", &mon_str),
    MEMBER("type", &kind_type),
    { 0 },
};
static const struct mon_type parameter_info =
    OBJECT_TYPE("CommandLineParameterInfo", parameter_members);
static const struct mon_type parameter_list =
    ARRAY_TYPE("[CommandLineParameterInfo]", &parameter_info);

static const struct mon_member option_members[] = {
    MEMBER("option", &mon_str),
    MEMBER("parameters", &parameter_list),
    { 0 },
};
static const struct mon_type option_info = OBJECT_TYPE("CommandLineOptionInfo", option_members);
static const struct mon_type option_list = ARRAY_TYPE("[CommandLineOptionInfo]", &option_info);

/* Some options are called otherwise here. */
static const char *group_name(const char *option)
{
    static const struct {
        const char *option, *group;
    } others[] = { { "smp", "smp-opts" }, { "boot", "boot-opts" }, { "m", "memory" } };

    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
        if (!strcmp(others[i].option, option))
            return others[i].group;
    return option;
}

/* From how its value is written. */
static const char *kind_of(const char *value)
{
    size_t n = strcspn(value, ",[]");

    if (n >= 6 && !strncmp(value, "on|off", 6))
        return "boolean";
    if (n == 1 && *value == 'N')
        return "number";
    return n == 4 && !strncmp(value, "SIZE", 4) ? "size" : "string";
}

static void add_parameter(json_t *list, const char *name, size_t len, const char *kind)
{
    json_array_append_new(list, json_pack("{s:s%, s:s}", "name", name, len, "type", kind));
}

/* Each word that stands before '=' and is not a placeholder in capitals. */
static json_t *parameters(const struct monitor_option *o)
{
    json_t *list = json_array();
    bool has_implied = !o->implied;

    for (const char *at = o->arg, *eq; (eq = strchr(at, '=')); at = eq + 1) {
        const char *name = eq - (eq > at && eq[-1] == ']');
        const char *end = name;

        while (name > at && (g_ascii_islower(name[-1]) || name[-1] == '-'))
            name--;
        if (name == end)
            continue;
        has_implied |= o->implied && !strncmp(o->implied, name, (size_t)(end - name));
        add_parameter(list, name, (size_t)(end - name), kind_of(eq + 1 + (eq[1] == ']')));
    }
    if (!has_implied)
        add_parameter(list, o->implied, strlen(o->implied), kind_of(o->arg));
    return list;
}

static const struct mon_member option_args[] = { OPTIONAL("option", &mon_str), { 0 } };

static json_t *query_options(struct mon *mon, const json_t *args, GError **err)
{
    const char *wanted = json_string_value(json_object_get(args, "option"));
    json_t *list = json_array();
    struct monitor_option o;

    for (unsigned i = 0; mon_option_at(mon, i, &o); i++) {
        const char *name = group_name(o.name);

        if (!wanted || !strcmp(wanted, name))
            json_array_append_new(
                list, json_pack("{s:s, s:o}", "option", name, "parameters", parameters(&o)));
    }
    if (!wanted || json_array_size(list))
        return list;
    json_decref(list);
    error_set(err, "invalid option name: %s", wanted);
    return NULL;
}

/* ---- What there is none of ---- */

static json_t *query_nothing(struct mon *mon, const json_t *args, GError **err)
{
    (void)mon, (void)args, (void)err;
    return json_array();
}

static json_t *query_hotpluggable(struct mon *mon, const json_t *args, GError **err)
{
    (void)mon, (void)args;
    error_set(err, "The feature 'query-hotpluggable-cpus' is not enabled");
    return NULL;
}

static json_t *query_balloon(struct mon *mon, const json_t *args, GError **err)
{
    (void)mon, (void)args;
    error_set_code(err, MYNA_ERROR_INACTIVE, "No balloon device has been activated");
    return NULL;
}

static const struct mon_member current_members[] = {
    MEMBER("wakeup-suspend-support", &mon_bool),
    { 0 },
};
static const struct mon_type current_info = OBJECT_TYPE("CurrentMachineParams", current_members);

static json_t *query_current(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    return json_pack("{s:b}", "wakeup-suspend-support", mon->machine->type->sleeps);
}

const struct mon_command probe_commands[] = {
    { .qmp = "query-command-line-options",
      .run = query_options,
      .args = option_args,
      .ret = &option_list },
    { .qmp = "query-current-machine", .run = query_current, .ret = &current_info },
    { .qmp = "query-hotpluggable-cpus", .run = query_hotpluggable, .ret = &mon_anys },
    { .qmp = "query-memory-devices", .run = query_nothing, .ret = &mon_anys },
    { .qmp = "query-balloon", .run = query_balloon },
    { .qmp = "query-tpm", .run = query_nothing, .ret = &mon_anys },
    { .qmp = "query-tpm-models", .run = query_nothing, .ret = &mon_strs },
    { .qmp = "query-tpm-types", .run = query_nothing, .ret = &mon_strs },
    { .qmp = "query-jobs", .run = query_nothing, .ret = &mon_anys },
    { .qmp = "query-block-jobs", .run = query_nothing, .ret = &mon_anys },
    { .qmp = "query-migrate-capabilities", .run = query_nothing, .ret = &mon_anys },
    { 0 },
};
