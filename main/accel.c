/* Which accelerator runs the CPUs: the first of -accel (or of all) that can. */
#include "parts.h"

#include <base/error.h>

/* -machine accel=a:b counts where there is no -accel. -qtest without either means qtest. */
static void add_wishes(struct config *c)
{
    const char *of_machine = opts_str(c->one[ONE_MACHINE], "accel", NULL);
    const char *list = of_machine ? of_machine : c->text[TEXT_QTEST] ? "qtest" : NULL;
    g_auto(GStrv) names = NULL;

    if (c->accels->len || !list) {
        return;
    }
    names = g_strsplit(list, ":", -1);
    for (char **name = names; *name; name++) {
        struct opts *o = opts_new("-accel");

        opts_set(o, "accel", *name);
        g_ptr_array_add(c->accels, o);
    }
}

bool accel_check(struct config *c, GError **err)
{
    add_wishes(c);
    for (guint i = 0; i < c->accels->len; i++) {
        if (!accel_find(opts_str(c->accels->pdata[i], "accel", ""), err)) {
            return false;
        }
    }
    return true;
}

bool accel_runs_cpus(const struct config *c)
{
    return !c->accels->len || g_strcmp0(opts_str(c->accels->pdata[0], "accel", NULL), "qtest") != 0;
}

/* Without a wish: all in their order (KVM first, which refuses guests that are not the host's), but
 * for qtest, which runs nothing. */
static void add_defaults(struct config *c)
{
    for (const struct accel_type *const *t = accel_types(); *t; t++) {
        struct opts *o;

        if (strcmp((*t)->name, "qtest") == 0) {
            continue;
        }
        o = opts_new("-accel");
        opts_set(o, "accel", (*t)->name);
        g_ptr_array_add(c->accels, o);
    }
}

/*
 * -icount reaches the accelerator as options icount=N|auto and icount-sleep=; one that does not
 * know them refuses like any unknown option.
 */
static void add_icount(const struct session *s, struct opts *o)
{
    g_autofree char *shift = g_strdup_printf("%d", s->icount.shift);

    if (s->icount.on) {
        opts_set(o, "icount", s->icount.shift < 0 ? "auto" : shift);
        opts_set(o, "icount-sleep", s->icount.sleep ? "on" : "off");
    }
}

/* -machine kernel-irqchip= (or kernel_irqchip=) is KVM's, where -accel does not say it. */
static void add_irqchip(const struct session *s, struct opts *o)
{
    struct opts *m = s->config->one[ONE_MACHINE];
    const char *value = opts_str(m, "kernel-irqchip", opts_str(m, "kernel_irqchip", NULL));

    if (value && !opts_has(o, "kernel-irqchip")) {
        opts_set(o, "kernel-irqchip", value);
    }
}

static void say(const struct session *s, const char *text, const char *name, const char *why)
{
    fprintf(stderr, "%s: %s -accel %s%s\n", s->config->program, text, name, why);
}

/* A machine without CPUs: what one with them would get, for those who ask. */
static bool choose_for_none(struct session *s)
{
    for (guint i = 0; i < s->config->accels->len && !s->machine->accel; i++) {
        const char *name = opts_str(s->config->accels->pdata[i], "accel", "");
        const struct accel_type *t = accel_find(name, NULL);

        if (t && (!t->usable || t->usable(s->machine->cfg.arch))) {
            s->machine->accel = t->name;
        }
    }
    return true;
}

bool accel_choose(struct session *s, GError **err)
{
    const GPtrArray *list = s->config->accels;
    bool asked = list->len > 0, verbose = s->config->flag[FLAG_VERBOSE];

    if (!s->machine->cpus->len && accel_runs_cpus(s->config)) {
        return s->machine->type->default_cpu
                   ? error_set(err, "-cpu: machine '%s' has none that could run",
                               s->machine->type->name)
                   : choose_for_none(s);
    }
    if (!asked) {
        add_defaults(s->config);
    }
    for (guint i = 0; i < list->len; i++) {
        struct opts *o = list->pdata[i];
        g_autofree char *name = g_strdup(opts_str(o, "accel", ""));
        const struct accel_type *t = accel_find(name, err);
        GError *why = NULL;
        bool slow;

        if (!t) {
            return false;
        }
        opts_remove(o, "accel");
        add_icount(s, o);
        if (strcmp(name, "kvm") == 0 && s->config->one[ONE_MACHINE]) {
            add_irqchip(s, o);
        }
        slow = i + 1 < list->len && t->worth && !t->worth(s->machine, &why);
        if (!slow && t->init(s->machine, o, &why)) {
            s->accel = t;
            s->machine->accel = t->name;
            if (verbose) {
                say(s, "the CPUs run on", name, "");
            }
            return true;
        }
        if (i + 1 == list->len) {
            g_propagate_error(err, why);
            return false;
        }
        if (asked || verbose || slow) {
            g_autofree char *text = g_strconcat(": ", why->message, NULL);

            say(s, "cannot use", name, text);
        }
        g_error_free(why);
    }
    return error_set(err, "-accel: there is none for guest '%s'", s->machine->cfg.arch);
}
