/* The program: takes the command line, builds the machine, runs it, and is the only place that
 * exits. */
#include <base/error.h>
#include <base/log.h>

#include "config.h"
#include "daemon.h"
#include "help.h"
#include "session.h"

/* One line for the user, whatever went wrong, and whatever control characters he had given. */
static int fail(const struct config *c, GError *err)
{
    for (char *p = err->message; *p; p++) {
        if (g_ascii_iscntrl(*p)) {
            *p = '?';
        }
    }
    fprintf(stderr, "%s: %s\n", c->program, err->message);
    g_error_free(err);
    return 1;
}

static bool set_up_log(const struct config *c, GError **err)
{
    const char *items = c->text[TEXT_LOG_ITEMS];
    const char *filter = c->text[TEXT_LOG_FILTER];
    const char *file = c->text[TEXT_LOG_FILE];

    return (!file || log_set_file(file, err)) && (!filter || log_set_filter(filter, err)) &&
           (!items || log_set_items(items, err));
}

static int run(struct config *c)
{
    GError *err = NULL;
    g_autofree char *text = NULL;
    int status = 0;

    if (help_asked(c, &text, &err)) {
        if (text) {
            fputs(text, stdout);
        }
    } else if (set_up_log(c, &err) && (!c->flag[FLAG_DAEMONIZE] || daemon_begin(&err))) {
        session_run(c, &status, &err);
    }
    pidfile_remove();
    log_close();
    return err ? fail(c, err) : status;
}

int main(int argc, char **argv)
{
    struct config *c = config_new(argv[0]);
    GError *err = NULL;
    int status;

    if (config_parse(c, argc - 1, argv + 1, &err)) {
        status = run(c);
    } else {
        status = fail(c, err);
    }
    config_free(c);
    return status;
}
