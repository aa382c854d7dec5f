/*
 * HMP: the monitor for people. A session with a line editor, and the execution of lines for it and
 * for human-monitor-command.
 */
#include <string.h>
#include "session.h"
#include "hmp-parse.h"
#include "readline.h"

/* Scripts wait for this very text. */
#define PROMPT "(qemu) "

struct hmp {
    struct monitor *monitor;
    struct readline readline;
    bool greeted;
    bool away; /* another front end of a mux has the keyboard */
};

/* ---- Help ---- */

static void help_line(const struct mon_command *cmd, GString *out)
{
    g_string_append_printf(out, "%s %s -- %s\n", cmd->hmp, cmd->params ? cmd->params : "",
                           cmd->help);
}

struct help {
    const char *topic; /* NULL: all but info's */
    GPtrArray *found;  /* of struct mon_command */
};

static bool collect(const struct mon_command *cmd, void *opaque)
{
    struct help *h = opaque;
    bool info = cmd->hmp && g_str_has_prefix(cmd->hmp, "info ");

    if (!cmd->hmp)
        return true;
    if (!h->topic ? !info
                  : hmp_is_name(cmd->hmp, h->topic, strlen(h->topic)) ||
                        (info && !strcmp(h->topic, "info")))
        g_ptr_array_add(h->found, (void *)cmd);
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct mon_command *const *x = a, *const *y = b;

    return strcmp((*x)->hmp, (*y)->hmp);
}

bool hmp_help(const char *topic, GString *out, GError **err)
{
    struct help h = { topic, g_ptr_array_new() };

    mon_foreach(collect, &h);
    g_ptr_array_sort(h.found, by_name);
    for (unsigned i = 0; i < h.found->len; i++)
        help_line(g_ptr_array_index(h.found, i), out);
    if (!h.found->len)
        error_set(err, "unknown command: '%s'", topic);
    return g_ptr_array_free(h.found, true), out->len > 0;
}

/* ---- Execution ---- */

static bool run(struct mon *mon, const struct mon_command *cmd, const json_t *args, GString *out,
                GError **err)
{
    GError *local = NULL;

    if (cmd->text)
        return cmd->text(mon, args, out, err);
    json_decref(cmd->run(mon, args, &local));
    if (!local)
        return true;
    g_string_append_printf(out, "Error: %s\n", local->message);
    g_error_free(local);
    return true;
}

void hmp_execute(struct mon *mon, const char *line, GString *out)
{
    const struct mon_command *cmd;
    const char *rest;
    GError *err = NULL;
    json_t *args;

    line += strspn(line, " \t");
    if (!*line || *line == '#')
        return;
    cmd = hmp_find(line, &rest, &err);
    if (cmd) {
        args = hmp_arguments(mon, cmd, rest, &err);
        if (args)
            run(mon, cmd, args, out, &err);
        else
            g_string_append_printf(out, "%s\nTry \"help %.*s\" for more information\n",
                                   err->message, (int)strcspn(cmd->hmp, "|"), cmd->hmp);
        if (args && err)
            g_string_append_printf(out, "%s\n", err->message);
        json_decref(args);
    } else {
        g_string_append_printf(out, "%s\n", err->message);
    }
    g_clear_error(&err);
}

/* ---- Completion ---- */

struct completion {
    const char *prefix; /* of whole names: "info st", "sto" */
    GPtrArray *words;
};

/* Offers the next word of each command that begins with what was typed. */
static bool complete_name(const struct mon_command *cmd, void *opaque)
{
    struct completion *c = opaque;
    const char *names = cmd->hmp;

    while (names && *names) {
        size_t n = strcspn(names, "|"), typed = strlen(c->prefix);
        char *name = g_strndup(names, n), *word;
        const char *last = strrchr(c->prefix, ' ');

        if (typed <= n && !strncmp(name, c->prefix, typed)) {
            word = g_strdup(name + (last ? (size_t)(last + 1 - c->prefix) : 0));
            word[strcspn(word, " ")] = 0;
            if (g_ptr_array_find_with_equal_func(c->words, word, g_str_equal, NULL))
                g_free(word);
            else
                g_ptr_array_add(c->words, word);
        }
        g_free(name);
        names += n + (names[n] == '|');
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void keep_matching(GPtrArray *words, const char *prefix)
{
    for (unsigned i = words->len; i-- > 0;)
        if (!g_str_has_prefix(g_ptr_array_index(words, i), prefix))
            g_ptr_array_remove_index(words, i);
}

GPtrArray *hmp_complete(struct mon *mon, const char *line)
{
    struct completion c = { line + strspn(line, " "), g_ptr_array_new_with_free_func(g_free) };
    const struct mon_command *cmd;
    const char *rest, *word = strrchr(line, ' ');

    if (g_str_has_prefix(c.prefix, "help "))
        c.prefix += strlen("help ");
    mon_foreach(complete_name, &c);
    if (!c.words->len && word && (cmd = hmp_find(line, &rest, NULL)) && cmd->complete) {
        cmd->complete(mon, c.words);
        keep_matching(c.words, word + 1);
    }
    g_ptr_array_sort(c.words, by_text);
    return c.words;
}

/* ---- Session ---- */

/* Terminals in raw mode want a carriage return before each line feed. */
static void hmp_print(void *opaque, const char *text)
{
    struct hmp *h = opaque;
    GString *s = g_string_new("");

    for (; *text; text++) {
        if (*text == '\n')
            g_string_append_c(s, '\r');
        g_string_append_c(s, *text);
    }
    monitor_write(h->monitor, s->str, s->len);
    g_string_free(s, true);
}

static void hmp_line(void *opaque, const char *line)
{
    struct hmp *h = opaque;
    GString *out = g_string_new("");

    hmp_execute(&h->monitor->mon, line, out);
    hmp_print(h, out->str);
    g_string_free(out, true);
    if (!h->away)
        readline_show(&h->readline);
}

static GPtrArray *hmp_complete_line(void *opaque, const char *line)
{
    return hmp_complete(&((struct hmp *)opaque)->monitor->mon, line);
}

static void *hmp_create(struct monitor *m)
{
    struct hmp *h = g_new0(struct hmp, 1);
    struct readline_ops ops = { hmp_print, hmp_line, hmp_complete_line, h };

    h->monitor = m;
    readline_init(&h->readline, PROMPT, &ops);
    return h;
}

static void hmp_free(void *state)
{
    struct hmp *h = state;

    readline_free(&h->readline);
    g_free(h);
}

static void greet(struct hmp *h)
{
    if (!h->greeted)
        hmp_print(h, "myna " PACKAGE_VERSION " monitor - type 'help' for more information\n");
    h->greeted = true;
    readline_show(&h->readline);
}

/* On a mux the greeting waits until the user comes here, and the console stays clean. */
static void hmp_opened(void *state)
{
    struct hmp *h = state;

    h->greeted = false;
    readline_clear(&h->readline);
    if (!chardev_is_mux(h->monitor->fe.chr))
        greet(h);
}

static void hmp_closed(void *state)
{
    readline_clear(&((struct hmp *)state)->readline);
}

static void hmp_focus(void *state, bool in)
{
    struct hmp *h = state;

    if (in && h->away)
        hmp_print(h, "\n");
    h->away = !in;
    if (in)
        greet(h);
    else if (h->greeted)
        hmp_print(h, "\n");
}

static size_t hmp_input(void *state, const uint8_t *buf, size_t len)
{
    struct hmp *h = state;
    size_t i;

    for (i = 0; i < len && !monitor_full(h->monitor); i++)
        readline_byte(&h->readline, (char)buf[i]);
    return i;
}

const struct monitor_language hmp_language = {
    .create = hmp_create,
    .free = hmp_free,
    .opened = hmp_opened,
    .closed = hmp_closed,
    .input = hmp_input,
    .focus = hmp_focus,
};
