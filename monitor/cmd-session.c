/*
 * Commands about the monitor itself: negotiation, help, what commands there are, HMP from QMP.
 */
#include "session.h"
#include "version.h"

static const struct mon_member capabilities_args[] = {
    OPTIONAL("enable", &mon_strs),
    { 0 },
};

/* None is offered, so none can be asked for. */
static json_t *qmp_capabilities(struct mon *mon, const json_t *args, GError **err)
{
    json_t *wanted = json_array_get(json_object_get(args, "enable"), 0);

    (void)mon;
    if (wanted)
        error_set(err, "Capability %s not available", json_string_value(wanted));
    return NULL;
}

static const struct mon_member version_triple[] = {
    MEMBER("major", &mon_int),
    MEMBER("minor", &mon_int),
    MEMBER("micro", &mon_int),
    { 0 },
};
static const struct mon_type version_triple_type = OBJECT_TYPE("VersionTriple", version_triple);
static const struct mon_member version_members[] = {
    MEMBER("qemu", &version_triple_type),
    MEMBER("package", &mon_str),
    { 0 },
};
static const struct mon_type version_info = OBJECT_TYPE("VersionInfo", version_members);

static json_t *query_version(struct mon *mon, const json_t *args, GError **err)
{
    (void)mon, (void)args, (void)err;
    return monitor_version();
}

static bool info_version(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)mon, (void)args, (void)err;
    g_string_append(out, PACKAGE_VERSION " (myna)\n");
    return true;
}

static const struct mon_member command_members[] = {
    MEMBER("name", &mon_str),
    { 0 },
};
static const struct mon_type command_info = OBJECT_TYPE("CommandInfo", command_members);
static const struct mon_type command_list = ARRAY_TYPE("[CommandInfo]", &command_info);

static bool add_name(const struct mon_command *cmd, void *opaque)
{
    if (cmd->qmp)
        json_array_append_new(opaque, json_pack("{s:s}", "name", cmd->qmp));
    return true;
}

static json_t *query_commands(struct mon *mon, const json_t *args, GError **err)
{
    json_t *list = json_array();

    (void)mon, (void)args, (void)err;
    mon_foreach(add_name, list);
    return list;
}

/* The schema's own shape is open here: its rows differ by meta-type. */

static json_t *query_qmp_schema(struct mon *mon, const json_t *args, GError **err)
{
    (void)mon, (void)args, (void)err;
    return mon_schema();
}

static const struct mon_member hmp_args[] = {
    MEMBER("command-line", &mon_str),
    OPTIONAL("cpu-index", &mon_int),
    { 0 },
};

static json_t *human_monitor_command(struct mon *mon, const json_t *args, GError **err)
{
    const json_t *index = json_object_get(args, "cpu-index");
    struct mon hmp = *mon;
    GString *out, *text;
    json_t *result;

    hmp.session = NULL;
    if (index) {
        json_int_t i = json_integer_value(index);

        if (i < 0 || i >= mon->machine->cpus->len) {
            error_set(err, "Parameter 'cpu-index' expects a CPU number");
            return NULL;
        }
        hmp.cpu = i;
    }
    out = g_string_new("");
    text = g_string_new("");
    hmp_execute(&hmp, json_string_value(json_object_get(args, "command-line")), out);
    for (const char *p = out->str; *p; p++) {
        if (*p == '\n')
            g_string_append_c(text, '\r');
        g_string_append_c(text, *p);
    }
    mon->format = hmp.format;
    mon->size = hmp.size;
    mon->cpu = index ? mon->cpu : hmp.cpu;
    result = json_string(text->str);
    g_string_free(out, true);
    g_string_free(text, true);
    if (!result)
        error_set(err, "the command's output is not UTF-8");
    return result;
}

static const struct mon_member help_args[] = {
    OPTIONAL("topic", &mon_str, .hmp = HMP_REST),
    { 0 },
};

static bool help(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)mon;
    return hmp_help(json_string_value(json_object_get(args, "topic")), out, err);
}

static bool info(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)mon, (void)args;
    return hmp_help("info", out, err);
}

const struct mon_command session_commands[] = {
    { .qmp = "qmp_capabilities",
      .args = capabilities_args,
      .run = qmp_capabilities,
      .before_negotiation = true },
    { .qmp = "query-version",
      .run = query_version,
      .ret = &version_info,
      .hmp = "info version",
      .text = info_version,
      .help = "show the version of myna" },
    { .qmp = "query-commands", .run = query_commands, .ret = &command_list },
    { .qmp = "query-qmp-schema", .run = query_qmp_schema, .ret = &mon_anys },
    { .qmp = "human-monitor-command",
      .args = hmp_args,
      .run = human_monitor_command,
      .ret = &mon_str },
    { .hmp = "help|?",
      .args = help_args,
      .params = "[cmd]",
      .text = help,
      .help = "show the help" },
    { .hmp = "info",
      .params = "[subcommand]",
      .text = info,
      .help = "show various information about the system state" },
    { 0 },
};
