/* Which accelerator runs the CPUs: the first of -accel (or of all) that can. */
#include "parts.h"

#include <base/error.h>

/* -machine accel=a:b counts where there is no -accel. -qtest without either means qtest. */
static bool add_default(struct config *c, GError **err)
{
    const char *of_machine = opts_str(c->one[ONE_MACHINE], "accel", NULL);
    const char *list = of_machine ? of_machine : c->text[TEXT_QTEST] ? "qtest" : NULL;
    g_auto(GStrv) names = NULL;

    if (c->accels->len || !list) {
        return true;
    }
    names = g_strsplit(list, ":", -1);
    for (char **name = names; *name; name++) {
        struct opts *o = opts_new("-accel");

        opts_set(o, "accel", *name);
        g_ptr_array_add(c->accels, o);
    }
    return c->accels->len || error_set(err, "-machine: accel= names no accelerator");
}

static bool create(struct session *s, const struct accel_type *t, struct opts *o, GError **err)
{
    const struct accel_config cfg = { .icount = s->icount.on,
                                      .icount_shift = s->icount.shift,
                                      .icount_sleep = s->icount.sleep };

    s->accel = t->create(s->machine, o, &cfg, err);
    if (s->accel && s->config->flag[FLAG_VERBOSE]) {
        fprintf(stderr, "%s: %s runs on -accel %s\n", s->config->program, s->machine->cfg.arch,
                t->name);
    }
    return s->accel != NULL;
}

/* Why an accelerator is passed over is of interest only if the user asked for it, or for -v. */
static void pass_over(const struct session *s, const struct accel_type *t, GError *why, bool asked)
{
    if (asked || s->config->flag[FLAG_VERBOSE]) {
        fprintf(stderr, "%s: not -accel %s: %s\n", s->config->program, t->name, why->message);
    }
    g_error_free(why);
}

static bool choose_any(struct session *s, GError **err)
{
    const char *arch = s->machine->cfg.arch;

    for (const struct accel_type *const *t = accel_types(); *t; t++) {
        opts_auto struct opts *o = opts_new("-accel");
        GError *why = NULL;

        if (strcmp((*t)->name, "qtest") == 0) {
            continue; /* runs nothing: only by name */
        }
        if ((*t)->usable(arch, &why)) {
            return create(s, *t, o, err);
        }
        pass_over(s, *t, why, false);
    }
    return error_set(err, "-accel: there is none for guest '%s'", arch);
}

bool accel_choose(struct session *s, GError **err)
{
    const GPtrArray *list = s->config->accels;

    if (!add_default(s->config, err)) {
        return false;
    }
    if (!list->len) {
        return choose_any(s, err);
    }
    for (guint i = 0; i < list->len; i++) {
        struct opts *o = list->pdata[i];
        const struct accel_type *t = accel_type_find(opts_str(o, "accel", ""), err);
        GError *why = NULL;

        if (!t) {
            return false;
        }
        if (t->usable(s->machine->cfg.arch, &why)) {
            return create(s, t, o, err);
        }
        if (i + 1 == list->len) {
            g_propagate_prefixed_error(err, why, "-accel %s: ", t->name);
            return false;
        }
        pass_over(s, t, why, true);
    }
    return false;
}
