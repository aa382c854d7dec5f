/*
 * From the command line's words to chardevs: -chardev with keys, and the short forms of -serial,
 * -monitor and their like.
 */
#include <string.h>
#include <base/bits.h>
#include "backend.h"

#define CHARDEV(id, name) extern const struct chardev_type id##_chardev;
#include "backends.def"
#undef CHARDEV

static const struct chardev_type *const types[] = {
#define CHARDEV(id, name) &id##_chardev,
#include "backends.def"
#undef CHARDEV
    &mux_chardev,
    NULL,
};

const char *const *chardev_type_names(void)
{
    static const char *const names[] = {
#define CHARDEV(id, name) name,
#include "backends.def"
#undef CHARDEV
        "mux",
        NULL,
    };

    return names;
}

static const struct chardev_type *find_type(const char *option, const char *name, GError **err)
{
    struct nearest near;

    nearest_init(&near, name);
    for (unsigned i = 0; types[i]; i++) {
        if (!strcmp(types[i]->name, name))
            return types[i];
        nearest_try(&near, types[i]->name);
    }
    error_set_unknown(err, option, "backend", name, &near);
    return NULL;
}

void chardev_print_help(GString *out)
{
    g_string_append(out, "Available chardev backends (all with id=ID[,mux=on][,logfile=FILE]"
                         "[,logappend=on]):\n");
    for (unsigned i = 0; types[i]; i++) {
        g_string_append_printf(out, "  %-8s %s\n", types[i]->name, types[i]->help);
        if (types[i]->opts)
            g_string_append_printf(out, "  %-8s   %s\n", "", types[i]->opts);
    }
}

static struct chardev *lookup(struct chardev_set *set, const char *id, struct nearest *near)
{
    nearest_init(near, id);
    for (unsigned i = 0; i < set->chardevs->len; i++) {
        struct chardev *chr = g_ptr_array_index(set->chardevs, i);

        if (!strcmp(chr->id, id))
            return chr;
        nearest_try(near, chr->id);
    }
    return NULL;
}

struct chardev *chardev_find(struct chardev_set *set, const char *id, GError **err)
{
    struct nearest near;
    struct chardev *chr = lookup(set, id, &near);

    if (chr)
        return chr;
    if (near.best)
        error_set(err, "Chardev '%s' not found; did you mean '%s'?", id, near.best);
    else
        error_set(err, "Chardev '%s' not found", id);
    return NULL;
}

static bool check_new_id(struct chardev_set *set, const char *id, GError **err)
{
    struct nearest near;

    if (!g_ascii_isalpha(id[0]) ||
        id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                      "0123456789-._")])
        return error_set(err,
                         "chardev: id=%s is not a letter followed by letters, digits, '-', '.', "
                         "'_'",
                         id);
    if (lookup(set, id, &near))
        return error_set(err, "chardev: there already is one with id=%s", id);
    return true;
}

static struct chardev *build_mux(struct chardev_set *set, const struct chardev_type *type,
                                 const char *id, struct opts *opts, GError **err)
{
    char *base_id = g_strconcat(id, "-base", NULL);
    struct opts *mux_opts = opts_new("-chardev");
    struct chardev *mux = NULL;

    opts_set(mux_opts, "chardev", base_id);
    if (check_new_id(set, base_id, err) && chardev_create(set, type, base_id, opts, err)) {
        mux = chardev_create(set, &mux_chardev, id, mux_opts, err);
        if (!mux)
            chardev_remove(set, base_id, NULL);
    }
    opts_free(mux_opts);
    g_free(base_id);
    return mux;
}

static struct chardev *build(struct chardev_set *set, const char *backend, const char *id,
                             struct opts *opts, GError **err)
{
    const struct chardev_type *type = find_type(opts_option(opts), backend, err);
    bool mux = false;

    opts_known(opts, "id");
    opts_known(opts, "backend");
    if (!type || !check_new_id(set, id, err) || !opts_bool(opts, "mux", &mux, err))
        return NULL;
    return mux && type != &mux_chardev ? build_mux(set, type, id, opts, err)
                                       : chardev_create(set, type, id, opts, err);
}

struct chardev *chardev_new_parsed(struct chardev_set *set, struct opts *opts, GError **err)
{
    const char *backend = opts_str(opts, "backend", NULL);
    const char *id = opts_str(opts, "id", NULL);

    if (!backend)
        error_set(err, "-chardev: no backend is named, such as socket or stdio");
    else if (!id)
        error_set(err, "-chardev: '%s' needs an id=NAME", backend);
    else
        return build(set, backend, id, opts, err);
    return NULL;
}

struct chardev *chardev_new_from_opts(struct chardev_set *set, const char *arg, GError **err)
{
    struct opts *opts = opts_parse("-chardev", arg, "backend", err);
    struct chardev *chr = opts ? chardev_new_parsed(set, opts, err) : NULL;

    opts_free(opts);
    return chr;
}

/* "host:port" or "[v6 address]:port", either part may be empty. */
static bool split_host_port(struct opts *opts, GError **err)
{
    const char *addr = opts_str(opts, "address", ""), *colon = strrchr(addr, ':');
    char *host;
    size_t len;

    if (!colon || !colon[1])
        return error_set(err, "%s: '%s' is not HOST:PORT", opts_option(opts), addr);
    len = colon - addr;
    if (len >= 2 && addr[0] == '[' && colon[-1] == ']')
        host = g_strndup(addr + 1, len - 2);
    else
        host = g_strndup(addr, len);
    if (*host)
        opts_set(opts, "host", host);
    opts_set(opts, "port", colon + 1);
    g_free(host);
    return true;
}

/* A word, or a prefix with what follows it, and the backend it stands for. */
static const struct short_form {
    const char *word; /* ends with ':' if something follows */
    const char *backend;
    const char *implied; /* key of the first part of what follows */
} short_forms[] = {
    { "stdio", "stdio", NULL },
    { "null", "null", NULL },
    { "vc", "vc", NULL },
    { "pty", "pty", NULL },
    { "ringbuf", "ringbuf", NULL },
    { "file:", "file", "path" },
    { "pipe:", "pipe", "path" },
    { "unix:", "socket", "path" },
    { "tcp:", "socket", "address" },
    { "telnet:", "socket", "address" },
    { "vc:", "vc", "size" },
};

static const struct short_form *find_short_form(const char *option, const char *arg, GError **err)
{
    struct nearest near;
    char *word = g_strndup(arg, strcspn(arg, ":,") + (arg[strcspn(arg, ":,")] == ':'));

    nearest_init(&near, word);
    for (unsigned i = 0; i < ARRAY_LEN(short_forms); i++) {
        if (!strcmp(word, short_forms[i].word)) {
            g_free(word);
            return &short_forms[i];
        }
        nearest_try(&near, short_forms[i].word);
    }
    error_set_unknown(err, option, "kind of character device", word, &near);
    g_free(word);
    return NULL;
}

static struct opts *short_form_opts(const struct short_form *form, const char *option,
                                    const char *arg, GError **err)
{
    const char *rest = arg + strlen(form->word);
    struct opts *opts =
        opts_parse(option, rest + (!form->implied && *rest == ','), form->implied, err);

    if (!opts)
        return NULL;
    if (!strcmp(form->word, "telnet:"))
        opts_set(opts, "telnet", "on");
    if (form->implied && !strcmp(form->implied, "address") && !split_host_port(opts, err)) {
        opts_free(opts);
        return NULL;
    }
    return opts;
}

struct chardev *chardev_new_from_legacy(struct chardev_set *set, const char *id, const char *arg,
                                        GError **err)
{
    bool mux = g_str_has_prefix(arg, "mon:");
    const struct short_form *form;
    struct chardev *chr = NULL;
    struct opts *opts;
    char *option;

    if (mux)
        arg += strlen("mon:");
    if (!strcmp(arg, "none"))
        return NULL;
    if (g_str_has_prefix(arg, "chardev:"))
        return chardev_find(set, arg + strlen("chardev:"), err);
    option = g_strdup_printf("%s '%s'", id, arg);
    form = find_short_form(option, arg, err);
    opts = form ? short_form_opts(form, option, arg, err) : NULL;
    if (opts && mux) {
        opts_set(opts, "mux", "on");
        if (!strcmp(form->backend, "stdio"))
            opts_set(opts, "signal", "off"); /* C-c is for the guest, C-a x leaves */
    }
    if (opts)
        chr = build(set, form->backend, id, opts, err);
    opts_free(opts);
    g_free(option);
    return chr;
}
