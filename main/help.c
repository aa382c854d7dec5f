/* What options that only print print. */
#include "help.h"

#include <base/log.h>
#include <chardev/chardev.h>

static char *version_text(void)
{
    static const char *const with[] = {
#ifdef CONFIG_CAPSTONE
        "capstone",
#endif
#ifdef CONFIG_FDT
        "fdt",
#endif
#ifdef CONFIG_FFI
        "ffi",
#endif
#ifdef CONFIG_JANSSON
        "jansson",
#endif
#ifdef CONFIG_LIBURING
        "liburing",
#endif
#ifdef CONFIG_SECCOMP
        "seccomp",
#endif
#ifdef CONFIG_SLIRP
        "slirp",
#endif
#ifdef CONFIG_ZLIB
        "zlib",
#endif
#ifdef CONFIG_ZSTD
        "zstd",
#endif
        NULL,
    };
    g_autofree char *list = g_strjoinv(" ", (char **)with);

    return g_strdup_printf("myna emulator version %s\n"
                           "host %s; with GLib %u.%u.%u %s\n",
                           PACKAGE_VERSION, MYNA_HOST, glib_major_version, glib_minor_version,
                           glib_micro_version, list);
}

static char *chardev_help(void)
{
    GString *s = g_string_new(NULL);

    chardev_print_help(s);
    return g_string_free(s, FALSE);
}

static bool is_help(const char *word)
{
    return word && (strcmp(word, "help") == 0 || strcmp(word, "?") == 0);
}

static bool list_asks(const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        if (opts_help_asked(list->pdata[i])) {
            return true;
        }
    }
    return false;
}

bool help_asked(struct config *c, char **text, GError **err)
{
    (void)err;
    if (c->flag[FLAG_HELP]) {
        *text = config_help(c);
    } else if (c->flag[FLAG_VERSION]) {
        *text = version_text();
    } else if (is_help(c->text[TEXT_LOG_ITEMS])) {
        *text = log_help();
    } else if (list_asks(c->lists[LIST_CHARDEV])) {
        *text = chardev_help();
    } else {
        return false;
    }
    return true;
}
