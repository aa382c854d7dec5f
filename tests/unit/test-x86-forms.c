/*
 * Every row of the x86 instruction tables but system instructions on random operands, in each mode:
 * what the host backend makes of it against the interpreter, and, where the host can run it,
 * against the host's CPU. MYNA_COUNT: operands a row. X86_FORM: only rows with that name.
 */
#include "fpvalues.h"
#include "x86prog.h"

static const char *const mode_names[] = { "64", "32", "16", "real" };

/* It jumped into its own bytes, which may be anything. */
static bool went_wild(const struct x86run *r, const struct x86_form *f)
{
    bool jumps =
        f->handler == x86_tr_call_ind || f->handler == x86_tr_jmp_ind || f->handler == x86_tr_ret;

    return jumps && r->units > 1;
}

static bool test_once(struct x86run *r, const struct x86_form *f, GRand *rand)
{
    uint8_t bytes[32];
    unsigned len = x86run_encode(r, f, rand, bytes);
    g_autofree char *what = NULL;

    if (!len)
        return true;
    x86run_randomize(r, rand);
    x86run_set_code(r, bytes, len);
    x86prog_allow(r, f, bytes);
    what = x86run_run(r);
    if (!what && x86prog_on_host(r, f, bytes) && !went_wild(r, f))
        what = x86run_host(r, f->undefined);
    if (!what)
        return true;
    x86run_report(r, f->name, what);
    return false;
}

static void test_mode(const void *opaque)
{
    enum x86run_mode mode = GPOINTER_TO_INT(opaque);
    struct x86run *r = x86run_new("x86_64", "max", mode);
    GRand *rand = fpv_rand_new();
    const char *only = g_getenv("X86_FORM");
    unsigned failures = 0;

    for (unsigned k = 0; k < x86_nforms && failures < 20; k++) {
        if (x86prog_is_system(&x86_forms[k]) || (only && strcmp(only, x86_forms[k].name)))
            continue;
        for (uint64_t n = x86run_count(20); n; n--)
            if (!test_once(r, &x86_forms[k], rand)) {
                failures++;
                break;
            }
    }
    g_test_message("%" G_GUINT64_FORMAT " instructions compared with the host", r->compared);
    g_rand_free(rand);
    x86run_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int mode = X86RUN_64; mode <= X86RUN_REAL; mode++) {
        g_autofree char *path = g_strdup_printf("/x86/forms/%s", mode_names[mode]);
        g_test_add_data_func(path, GINT_TO_POINTER(mode), test_mode);
    }
    return g_test_run();
}
