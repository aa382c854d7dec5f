/*
 * Runs the files of tests/ir on every backend. Such a file is a unit in text form (docs/ir.md) with
 * directives in its comments:
 *
 *     #: set NAME VALUE         a slot before, for vectors its low 64 bits; "round": rounding mode
 *     #: mem ADDRESS VALUE      eight bytes of memory before
 *     #: left|fault|raised|unmerged PC    how the unit must be left
 *     #: slot NAME VALUE        what must be there after; "flags": float flags
 *     #: memory ADDRESS VALUE
 *
 * Everything else must be as it was.
 */
#include <string.h>
#include <tcg/opt.h>
#include "irmachine.h"

#define MAX_INSNS 1000

struct file {
    char *path;
    const struct irm_backend *backend;
};

/* Where the low 64 bits (or 32) of what @name means lie in @m. */
static void put(struct irm *m, const char *name, uint64_t v)
{
    if (!strcmp(name, "round")) {
        m->fp.round = v;
        return;
    }
    if (!strcmp(name, "flags")) {
        m->fp.flags = v;
        return;
    }
    for (unsigned n = 0; n < IRM_NB_SLOTS; n++) {
        const struct ir_slot *s = &irm_slots.slot[n];
        if (!strcmp(s->name, name)) {
            memcpy((char *)m->cpu + s->offset, &v, MIN(ir_type_bytes[s->type], 8));
            return;
        }
    }
    g_error("no slot '%s'", name);
}

static void put_memory(struct irm *m, uint64_t addr, uint64_t v)
{
    g_assert_cmpuint(addr - IRM_RAM, <, IRM_PAGES * TCG_PAGE_SIZE - 7);
    memcpy(m->ram + (addr - IRM_RAM), &v, 8);
}

static enum irm_how how_of(const char *word)
{
    static const char *const names[] = { [IRM_LEFT] = "left",
                                         [IRM_UNMERGED] = "unmerged",
                                         [IRM_FAULT] = "fault",
                                         [IRM_RAISED] = "raised" };

    for (unsigned n = 0; n < G_N_ELEMENTS(names); n++) {
        if (!strcmp(names[n], word))
            return n;
    }
    g_error("unknown directive '%s'", word);
}

/* Carries out one directive; those on the result change @want, those on the start both. */
static void directive(const char *line, struct irm *start, struct irm *want)
{
    char **w = g_strsplit_set(line, " ", -1);
    unsigned n = g_strv_length(w);
    uint64_t v = g_ascii_strtoull(w[n - 1], NULL, 0);

    if (n == 3 && !strcmp(w[0], "set")) {
        put(start, w[1], v);
        put(want, w[1], v);
    } else if (n == 3 && !strcmp(w[0], "mem")) {
        put_memory(start, g_ascii_strtoull(w[1], NULL, 0), v);
        put_memory(want, g_ascii_strtoull(w[1], NULL, 0), v);
    } else if (n == 3 && !strcmp(w[0], "slot")) {
        put(want, w[1], v);
    } else if (n == 3 && !strcmp(w[0], "memory")) {
        put_memory(want, g_ascii_strtoull(w[1], NULL, 0), v);
    } else if (n == 2) {
        want->how = how_of(w[0]);
        want->cpu->tcg.pc = v;
    } else {
        g_error("unknown directive '%s'", line);
    }
    g_strfreev(w);
}

static void directives(const char *text, struct irm *start, struct irm *want)
{
    char **lines = g_strsplit(text, "\n", -1);

    for (char **l = lines; *l; l++) {
        if (g_str_has_prefix(*l, "#: "))
            directive(g_strstrip(*l + 3), start, want);
    }
    g_strfreev(lines);
}

/* Runs the text's unit once, after @passes, on a copy of @start. */
static struct irm *run(const struct file *f, const char *text, const struct irm *start,
                       unsigned passes)
{
    static struct ir_insn buf[MAX_INSNS];
    static uint32_t scratch[2 * MAX_INSNS];
    struct irm *m = irm_new();
    char *error;
    struct ir ir;
    void *unit;

    ir_init(&ir, buf, MAX_INSNS, &irm_slots);
    if (!ir_parse(&ir, text, irm_helpers, &error))
        g_error("%s: %s", f->path, error);
    opt_run(&ir, scratch, passes);
    irm_copy(m, start);
    unit = f->backend->new_unit(&ir);
    m->how = IRM_LEFT;
    f->backend->run(m, unit);
    f->backend->free_unit(unit);
    return m;
}

static void test_file(const void *opaque)
{
    const struct file *f = opaque;
    struct irm *start = irm_new(), *want = irm_new(), *m;
    char *text, *wrong;

    g_assert_true(g_file_get_contents(f->path, &text, NULL, NULL));
    directives(text, start, want);
    m = run(f, text, start, f->backend->passes);
    if (m->how == IRM_UNMERGED && want->how != IRM_UNMERGED) {
        irm_free(m);
        m = run(f, text, start, f->backend->passes & ~OPT_MERGE);
    }
    want->fault_addr = m->fault_addr;
    wrong = irm_compare(m, want);
    if (wrong)
        g_error("%s on %s: %s", f->path, f->backend->name, wrong);
    g_free(text);
    irm_free(start);
    irm_free(want);
    irm_free(m);
}

static void free_file(gpointer opaque)
{
    struct file *f = opaque;

    g_free(f->path);
    g_free(f);
}

static void add_file(const char *folder, const char *name)
{
    for (unsigned n = 0; irm_backends[n]; n++) {
        struct file *f = g_new(struct file, 1);
        char *path = g_strdup_printf("/ir/files/%.*s/%s", (int)(strlen(name) - 3), name,
                                     irm_backends[n]->name);

        f->path = g_build_filename(folder, name, NULL);
        f->backend = irm_backends[n];
        g_test_add_data_func_full(path, f, test_file, free_file);
        g_free(path);
    }
}

int main(int argc, char **argv)
{
    const char *top = g_getenv("srcdir");
    char *folder = g_build_filename(top ? top : "..", "tests", "ir", NULL);
    const char *name;
    GDir *dir;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, ".ir"))
            add_file(folder, name);
    }
    g_dir_close(dir);
    g_free(folder);
    return g_test_run();
}
