/* Life of the struct that holds a command line. */
#include "config.h"

static const char *const one_names[ONE_COUNT] = {
    [ONE_MACHINE] = "-machine", [ONE_SMP] = "-smp",       [ONE_MEMORY] = "-m",
    [ONE_RTC] = "-rtc",         [ONE_ICOUNT] = "-icount", [ONE_NAME] = "-name",
    [ONE_SANDBOX] = "-sandbox", [ONE_BOOT] = "-boot",     [ONE_ACTION] = "-action",
};

static void free_opts(gpointer p)
{
    opts_free(p);
}

struct config *config_new(const char *argv0)
{
    struct config *c = g_new0(struct config, 1);

    c->program = g_path_get_basename(argv0 ? argv0 : "myna");
    for (int i = 0; i < LIST_COUNT; i++) {
        c->lists[i] = g_ptr_array_new_with_free_func(free_opts);
    }
    for (int i = 0; i < STREAMS_COUNT; i++) {
        c->streams[i] = g_ptr_array_new_with_free_func(g_free);
    }
    c->accels = g_ptr_array_new_with_free_func(free_opts);
    for (int i = 0; i < ONE_COUNT; i++) {
        c->one[i] = opts_new(one_names[i]);
    }
    return c;
}

void config_free(struct config *c)
{
    if (!c) {
        return;
    }
    for (int i = 0; i < LIST_COUNT; i++) {
        g_ptr_array_free(c->lists[i], TRUE);
    }
    for (int i = 0; i < STREAMS_COUNT; i++) {
        g_ptr_array_free(c->streams[i], TRUE);
    }
    g_ptr_array_free(c->accels, TRUE);
    for (int i = 0; i < ONE_COUNT; i++) {
        opts_free(c->one[i]);
    }
    for (int i = 0; i < TEXT_COUNT; i++) {
        g_free(c->text[i]);
    }
    g_free(c->program);
    g_free(c);
}
