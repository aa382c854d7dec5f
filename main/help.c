/* What options that only print print. */
#include "help.h"

#include <accel/accel.h>
#include <base/error.h>
#include <base/log.h>
#include <chardev/chardev.h>
#include <hw/core/bus.h>
#include <hw/core/machine.h>
#include <hw/core/object.h>
#include <target/cpu.h>
#include <ui/sdl.h>

static char *version_text(void)
{
    static const char *const with[] = {
#ifdef CONFIG_CAPSTONE
        "capstone",
#endif
        "jansson",
#ifdef CONFIG_FDT
        "fdt",
#endif
#ifdef CONFIG_FFI
        "ffi",
#endif
#ifdef CONFIG_GNUTLS
        "gnutls",
#endif
#ifdef CONFIG_JPEG
        "libjpeg",
#endif
#ifdef CONFIG_LIBPNG
        "libpng",
#endif
#ifdef CONFIG_LIBURING
        "liburing",
#endif
#ifdef CONFIG_NETTLE
        "nettle",
#endif
#ifdef CONFIG_SDL2
        "sdl2",
#endif
#ifdef CONFIG_SECCOMP
        "seccomp",
#endif
#ifdef CONFIG_SLIRP
        "slirp",
#endif
#ifdef CONFIG_VTERM
        "vterm",
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

/* ---- machines and devices ---- */

/* Where the guest is only the host by default, and there is no such one, the help is on all guests.
 */
static bool lists_all(const char *arch)
{
    for (const struct machine_type *const *t = machine_types(); *t; t++) {
        if (g_strv_contains((*t)->archs, arch)) {
            return false;
        }
    }
    return true;
}

static void add_machine(GString *s, const struct machine_type *t, bool all)
{
    g_autofree char *archs = g_strjoinv(", ", (char **)t->archs);

    g_string_append_printf(s, "%-16s %s%s%s%s%s\n", t->name, t->help, all ? " (" : "",
                           all ? archs : "", all ? ")" : "", t->is_default ? " (default)" : "");
    if (t->alias) {
        g_string_append_printf(s, "%-16s the same as %s\n", t->alias, t->name);
    }
    for (const char *const *v = t->versions; v && *v; v++) {
        g_string_append_printf(s, "%-16s the same as %s\n", *v, t->name);
    }
}

static char *machine_help(const char *arch)
{
    bool all = lists_all(arch);
    GString *s = g_string_new(NULL);

    g_string_append_printf(s, "Machines for %s:\n", all ? "all guests" : arch);
    for (const struct machine_type *const *t = machine_types(); *t; t++) {
        if (all || g_strv_contains((*t)->archs, arch)) {
            add_machine(s, *t, all);
        }
    }
    return g_string_free(s, FALSE);
}

static char *machine_props_help(const struct machine_type *t)
{
    GString *s = g_string_new(NULL);

    g_string_append_printf(s, "Properties of machine %s:\n", t->name);
    for (const struct prop *p = t->props; p && p->kind != PROP_END; p++) {
        g_autofree char *line = prop_describe(p);

        g_string_append_printf(s, "  %s\n", line);
    }
    return g_string_free(s, FALSE);
}

static int by_category(gconstpointer a, gconstpointer b)
{
    const struct device_type *const *x = a, *const *y = b;
    int order = g_strcmp0((*x)->category, (*y)->category);

    return order ? order : strcmp((*x)->name, (*y)->name);
}

static char *device_list(void)
{
    GString *s = g_string_new(NULL);
    g_autoptr(GPtrArray) types = g_ptr_array_new();
    const char *category = NULL;

    for (const struct device_type *const *t = device_types(); *t; t++) {
        if (!(*t)->internal) {
            g_ptr_array_add(types, (gpointer)*t);
        }
    }
    g_ptr_array_sort(types, by_category);
    for (guint i = 0; i < types->len; i++) {
        const struct device_type *t = types->pdata[i];

        if (g_strcmp0(category, t->category) != 0) {
            category = t->category;
            g_string_append_printf(s, "%s%s devices:\n", i ? "\n" : "", category);
        }
        g_string_append_printf(s, "name \"%s\", bus %s", t->name, t->bus->name);
        if (t->alias) {
            g_string_append_printf(s, ", alias \"%s\"", t->alias);
        }
        g_string_append_printf(s, ", desc \"%s\"\n", t->help);
    }
    return g_string_free(s, FALSE);
}

/* Text, or NULL with err set. */
static char *device_help(struct opts *o, GError **err)
{
    const char *name = opts_str(o, "driver", NULL);
    const struct device_type *t;

    if (!name || is_help(name)) {
        return device_list();
    }
    t = device_type_find("-device", name, err);
    return t ? device_type_help(t) : NULL;
}

/* Text, or NULL with err set. */
static char *object_help(struct opts *o, GError **err)
{
    const char *name = opts_str(o, "qom-type", NULL);
    const struct object_type *t;
    GString *s;

    if (name && !is_help(name)) {
        t = object_type_find("-object", name, err);
        return t ? object_type_help(t) : NULL;
    }
    s = g_string_new("Objects:\n");
    for (const struct object_type *const *all = object_types(); *all; all++) {
        g_string_append_printf(s, "%-22s %s\n", (*all)->name, (*all)->help);
    }
    return g_string_free(s, FALSE);
}

static struct opts *first_asking(const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        if (opts_help_asked(list->pdata[i])) {
            return list->pdata[i];
        }
    }
    return NULL;
}

static char *accel_help(void)
{
    GString *s = g_string_new("Accelerators:\n");

    for (const struct accel_type *const *t = accel_types(); *t; t++) {
        g_string_append_printf(s, "%-8s %s\n", (*t)->name, (*t)->help);
    }
    return g_string_free(s, FALSE);
}

static char *cpu_help(const char *arch)
{
    bool all = lists_all(arch);
    GString *s = g_string_new(NULL);

    g_string_append_printf(s, "CPUs for %s:\n", all ? "all guests" : arch);
    for (const struct cpu_type *const *t = cpu_types(); *t; t++) {
        if (all || strcmp((*t)->arch, arch) == 0) {
            g_string_append_printf(s, "%-12s %s%s%s%s\n", (*t)->name, (*t)->help, all ? " (" : "",
                                   all ? (*t)->arch : "", all ? ")" : "");
        }
    }
    return g_string_free(s, FALSE);
}

/* -machine help, or -machine NAME,help */
static bool machine_asks(struct config *c, char **text, GError **err)
{
    struct opts *o = c->one[ONE_MACHINE];
    const char *name = opts_str(o, "type", NULL);
    const struct machine_type *t;

    if (!is_help(name) && !opts_help_asked(o)) {
        return false;
    }
    if (is_help(name) || !name) {
        *text = machine_help(config_arch(c));
    } else {
        t = machine_type_find(name, config_arch(c), err);
        *text = t ? machine_props_help(t) : NULL;
    }
    return true;
}

static char *displays_help(void)
{
    return g_strdup_printf("Displays:\n"
                           "%s"
                           "vnc=WHERE        a server for viewers\n"
                           "none             nobody sees the guest's screen\n",
                           sdl_open(NULL) ? "sdl              a window\n" : "");
}

bool help_asked(struct config *c, char **text, GError **err)
{
    struct opts *device = first_asking(c->lists[LIST_DEVICE]);
    struct opts *object = first_asking(c->lists[LIST_OBJECT]);

    if (c->flag[FLAG_HELP]) {
        *text = config_help(c);
    } else if (c->flag[FLAG_VERSION]) {
        *text = version_text();
    } else if (is_help(c->text[TEXT_LOG_ITEMS])) {
        *text = log_help();
    } else if (first_asking(c->lists[LIST_CHARDEV])) {
        *text = chardev_help();
    } else if (is_help(c->text[TEXT_DISPLAY])) {
        *text = displays_help();
    } else if (is_help(c->text[TEXT_CPU])) {
        *text = cpu_help(config_arch(c));
    } else if (first_asking(c->accels)) {
        *text = accel_help();
    } else if (device) {
        *text = device_help(device, err);
    } else if (object) {
        *text = object_help(object, err);
    } else {
        return machine_asks(c, text, err);
    }
    return true;
}
