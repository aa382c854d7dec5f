/*
 * The log, switched while the machine runs.
 */
#include <string.h>
#include <base/log.h>
#include "command.h"

static const struct mon_member log_args[] = {
    MEMBER("items", &mon_str, .hmp = HMP_REST),
    { 0 },
};

static bool set_log(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    const char *items = json_string_value(json_object_get(args, "items"));
    char *help;

    (void)mon;
    if (strcmp(items, "help"))
        return log_set_items(items, err);
    help = log_help();
    g_string_append(out, help);
    g_free(help);
    return true;
}

static void complete_log(struct mon *mon, GPtrArray *words)
{
#define NAME(id, name, help) name,
    static const char *const names[] = { LOG_ITEMS(NAME) "none", "all", "help" };
#undef NAME

    (void)mon;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        g_ptr_array_add(words, g_strdup(names[i]));
}

static const struct mon_member logfile_args[] = {
    MEMBER("filename", &mon_str, .hmp = HMP_REST),
    { 0 },
};

static bool set_logfile(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)mon, (void)out;
    return log_set_file(json_string_value(json_object_get(args, "filename")), err);
}

const struct mon_command log_commands[] = {
    { .hmp = "log",
      .args = log_args,
      .params = "item1[,...]",
      .text = set_log,
      .complete = complete_log,
      .help = "activate logging of the specified items (\"none\" for none, \"help\" lists them)" },
    { .hmp = "logfile",
      .args = logfile_args,
      .params = "filename",
      .text = set_logfile,
      .help = "output logs to 'filename'" },
    { 0 },
};
