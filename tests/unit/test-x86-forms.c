/*
 * Every row of the x86 instruction tables but system instructions on random operands, in each mode:
 * what the host backend makes of it against the interpreter, and, where the host can run it,
 * against the host's CPU. MYNA_COUNT: operands a row. X86_FORM: only rows with that name.
 */
#include "fpvalues.h"
#include "x86run.h"

/* Rows of all tables come in this order; those of system instructions have tests of their own. */
#define X86(encoding, name, operands, handler, arg, flags, feature, undefined) encoding,
static const char *const int_rows[] = {
#include "target/x86/int.def"
};
static const char *const sys_rows[] = {
#include "target/x86/sys.def"
};
#undef X86

static bool is_system(unsigned row)
{
    return row >= G_N_ELEMENTS(int_rows) && row < G_N_ELEMENTS(int_rows) + G_N_ELEMENTS(sys_rows);
}

static const char *const mode_names[] = { "64", "32", "16", "real" };

/* The segments FS, and GS in 32-bit code, are the test's own on the host. */
static bool may_run_on_host(const struct x86run *r, const struct x86_form *f, const uint8_t *bytes)
{
    if (f->flags & (X_NOHOST | X_CPL0) || !x86run_has_host(r->mode))
        return false;
    /* Limits are checked for the whole operand, not for the lanes that the mask chooses. */
    if (r->mode == X86RUN_16 && f->handler == x86_tr_avx_maskmov)
        return false;
    /* AMD's processors have a bit in MXCSR (MM, 17) that is reserved here. */
    if (f->handler == x86_tr_sse_ldmxcsr)
        return false;
    return r->mode == X86RUN_64 || (bytes[0] != 0x65 && bytes[1] != 0x65);
}

/* It jumped into its own bytes, which may be anything. */
static bool went_wild(const struct x86run *r, const struct x86_form *f)
{
    bool jumps =
        f->handler == x86_tr_call_ind || f->handler == x86_tr_jmp_ind || f->handler == x86_tr_ret;

    return jumps && r->units > 1;
}

/* Processors differ in which byte of a large or masked operand they touch first. */
static bool goes_any_way(const struct x86_form *f)
{
    return f->handler == x86_tr_x87_env || f->handler == x86_tr_sse_mov_to ||
           f->handler == x86_tr_sse_maskmov || f->handler == x86_tr_avx_maskmov;
}

static bool is_integer(const struct x86_form *f)
{
    return f - x86_forms < (ptrdiff_t)G_N_ELEMENTS(int_rows);
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
    /* Processors differ in which operand they read first, and in what POPA leaves of registers;
     * that a code segment is not writable they see before they read what they are to change. */
    r->any_fault = f->handler == x86_tr_popa ||
                   (f->handler == x86_tr_string && f->arg == STR_CMPS) ||
                   (r->mode == X86RUN_16 && memchr(bytes, 0x2e, 4));
    r->any_address = goes_any_way(f);
    /* Of vectors in 16-bit segments one half may be beyond the limit, the other one not there. */
    r->any_fault |= r->mode == X86RUN_16 && !is_integer(f);
    /* Products and sums of DPPS are computed at once here. */
    r->any_exception = f->handler == x86_tr_sse_vv && (f->arg & 0xff) == IR_V_FDP;
    what = x86run_run(r);
    if (!what && may_run_on_host(r, f, bytes) && !went_wild(r, f))
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
        if (is_system(k) || (only && strcmp(only, x86_forms[k].name)))
            continue;
        for (unsigned n = x86run_count(20); n; n--)
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
