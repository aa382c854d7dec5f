/*
 * Random sequences of x86 integer instructions: flags that one leaves and another uses, registers
 * written in parts, memory accesses that share a check, faults in the middle. Interpreter, host
 * backend and, where it can, the host's CPU must agree. MYNA_COUNT: sequences a mode.
 */
#include "fpvalues.h"
#include "x86run.h"

static const char *const mode_names[] = { "64", "32", "16", "real" };

static const struct x86_form int_forms[] = {
#define X86(encoding, name, operands, handler, arg, flags, feature, undefined) \
    { encoding, name, operands, x86_tr_##handler, arg, flags, FEAT_##feature, undefined },
#include "target/x86/int.def"
#undef X86
};

/*
 * Instructions whose results are all defined and do not depend on what is not: AF, which logic and
 * shifts leave undefined, is seen by few. Jumps end sequences early, so there are fewer of them,
 * and none that could lead into the middle of an instruction.
 */
static bool fits(const struct x86_form *f, GRand *rand)
{
    if (f->undefined & ~U_AF || f->flags & X_NOHOST || !x86run_host_has(f->feature))
        return false;
    if (f->handler == x86_tr_lahf || f->handler == x86_tr_bcd || f->handler == x86_tr_string ||
        f->handler == x86_tr_popa || f->handler == x86_tr_ud || f->handler == x86_tr_call_ind ||
        f->handler == x86_tr_jmp_ind || f->handler == x86_tr_ret)
        return false;
    return !strchr(f->operands, 'J') || !g_rand_int_range(rand, 0, 8);
}

static unsigned append(struct x86run *r, GRand *rand, uint8_t *code)
{
    for (;;) {
        unsigned k = g_rand_int_range(rand, 0, G_N_ELEMENTS(int_forms));
        uint8_t bytes[32];
        unsigned len = fits(&int_forms[k], rand) ? x86run_encode(r, &x86_forms[k], rand, bytes) : 0;

        /* The segment GS is the test's own on the host in 32-bit code; for CS see test-x86-forms.
         */
        if (!len || (r->mode == X86RUN_32 && (bytes[0] == 0x65 || bytes[1] == 0x65)) ||
            (r->mode == X86RUN_16 && memchr(bytes, 0x2e, 4)))
            continue;
        memcpy(code, bytes, len);
        return len;
    }
}

static bool test_once(struct x86run *r, GRand *rand)
{
    unsigned len = 0, count = g_rand_int_range(rand, 2, 13), end[13];
    uint8_t code[256 + 16] = { 0 };
    g_autofree char *what = NULL;

    for (unsigned k = 0; k < count; k++)
        end[k] = len += append(r, rand, code + len);
    for (unsigned k = 0; k < count; k++) {
        int32_t rel = end[g_rand_int_range(rand, k, count)] - end[k];
        x86run_aim(r, code + (k ? end[k - 1] : 0), rel < 128 ? rel : 0);
    }
    x86run_randomize(r, rand);
    x86run_set_code(r, code, len);
    what = x86run_run(r);
    if (!what && x86run_has_host(r->mode))
        what = x86run_host(r, U_AF);
    if (!what)
        return true;
    x86run_report(r, "sequence", what);
    return false;
}

static void test_mode(const void *opaque)
{
    enum x86run_mode mode = GPOINTER_TO_INT(opaque);
    struct x86run *r = x86run_new("x86_64", "max", mode);
    GRand *rand = fpv_rand_new();
    unsigned failures = 0;

    for (uint64_t n = x86run_count(2000); n && failures < 5; n--)
        failures += !test_once(r, rand);
    g_test_message("%" G_GUINT64_FORMAT " sequences compared with the host", r->compared);
    g_rand_free(rand);
    x86run_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int mode = X86RUN_64; mode <= X86RUN_REAL; mode++) {
        g_autofree char *path = g_strdup_printf("/x86/sequences/%s", mode_names[mode]);
        g_test_add_data_func(path, GINT_TO_POINTER(mode), test_mode);
    }
    return g_test_run();
}
