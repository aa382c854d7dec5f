/*
 * Random x86 programs against the host's CPU, by the million: integer, x87, MMX, SSE, AVX, AES,
 * SHA, BMI. Each program is translated once and run from many random states on the interpreter, on
 * the host backend and on the host. Counted is every random instruction that was carried out in a
 * run whose end the three agreed on. MYNA_COUNT: instructions, of all modes together.
 */
#include "fpvalues.h"
#include "x86prog.h"

#define STATES 64 /* a program is run from */

static const struct {
    enum x86run_mode mode;
    const char *name;
    unsigned share; /* of all instructions, in percent */
} modes[] = {
    { X86RUN_64, "64", 70 },
    { X86RUN_32, "32", 20 },
    { X86RUN_16, "16", 10 },
};

/* One run of the program from the state that @seed gives: NULL, or the difference (g_free). */
static char *run(struct x86run *r, const struct x86prog *p, GRand *state, uint32_t seed)
{
    const struct x86prog_insn *at;
    char *what;

    g_rand_set_seed(state, seed);
    x86run_randomize(r, state);
    what = x86run_run(r);
    r->any_fault = r->any_address = r->any_exception = false;
    at = x86prog_stopped(p, r);
    if (at)
        x86prog_allow(r, at->form, p->code + at->start);
    return what ? what : x86run_host(r, x86prog_undefined(p, r) | U_AF);
}

/* If instruction @k alone, from the state in front of it, makes a difference: reports that. */
static bool report_alone(struct x86run *r, const struct x86prog *p, unsigned k, const char *name,
                         GRand *state, uint32_t seed)
{
    const struct x86prog_insn *insn = &p->insn[k];
    g_autofree char *first = NULL, *what = NULL;

    x86run_set_code(r, p->code, insn->start);
    first = run(r, p, state, seed);
    if (first || r->vector >= 0)
        return false;
    /* The host's run begins with none. */
    r->cpu->fpu_ip = r->cpu->fpu_dp = 0;
    r->cpu->fpu_cs = r->cpu->fpu_ds = r->cpu->fpu_op = 0;
    x86run_set_code(r, p->code + insn->start, insn->end - insn->start);
    what = x86run_run(r);
    x86prog_allow(r, insn->form, p->code + insn->start);
    if (!what)
        what = x86run_host(r, insn->undefined | U_AF);
    if (what)
        x86run_report(r, name, what);
    return what;
}

/* Reports the first instruction that makes a difference, alone or with the code up to there. */
static void report(struct x86run *r, struct x86prog *p, GRand *state, uint32_t seed)
{
    for (unsigned k = 0; k < p->count; k++) {
        unsigned size = p->insn[k].end;
        g_autofree char *what = NULL;

        x86run_set_code(r, p->code, size);
        what = run(r, p, state, seed);
        if (!what)
            continue;
        g_autofree char *hex = x86run_hex(p->code + p->insn[k].start, size - p->insn[k].start);
        g_autofree char *insn =
            g_strdup_printf("%s %s (%u of the program)", p->insn[k].form->name, hex, k);
        g_autofree char *code = x86run_hex(p->code, size);
        g_test_message("program %s", code);
        if (report_alone(r, p, k, insn, state, seed))
            return;
        x86run_set_code(r, p->code, size);
        g_free(run(r, p, state, seed));
        x86run_report(r, insn, what);
        return;
    }
    g_test_message("a difference that only the whole program makes");
    x86run_set_code(r, p->code, p->size);
    g_free(run(r, p, state, seed));
    x86run_report(r, "program", "differs");
}

/*
 * Whether the difference comes again. AMD's processors do not save the x87 instruction's and
 * operand's addresses while no exception is pending, so that the host's operating system may lose
 * them in the middle of a run.
 */
static bool comes_again(struct x86run *r, const struct x86prog *p, GRand *state, uint32_t seed)
{
    for (unsigned tries = 0; tries < 4; tries++) {
        g_autofree char *what = run(r, p, state, seed);
        if (!what)
            return false;
    }
    return true;
}

static void test_mode(const void *opaque)
{
    unsigned m = GPOINTER_TO_UINT(opaque);
    struct x86run *r = x86run_new("x86_64", "max", modes[m].mode);
    uint64_t goal = x86run_count(200000) * modes[m].share / 100, done = 0;
    GRand *rand = fpv_rand_new(), *state = g_rand_new();
    unsigned failures = 0;

    if (!x86run_has_host(modes[m].mode))
        g_test_skip("the host cannot run this mode");
    while (x86run_has_host(modes[m].mode) && done < goal && failures < 5) {
        struct x86prog p;

        x86prog_make(&p, r, rand);
        x86run_set_code(r, p.code, p.size);
        for (unsigned k = 0; k < STATES; k++) {
            uint32_t seed = g_rand_int(rand);
            g_autofree char *what = run(r, &p, state, seed);
            if (what && comes_again(r, &p, state, seed)) {
                report(r, &p, state, seed);
                failures++;
                break;
            }
            done += r->skipped ? 0 : x86prog_reached(&p, r);
        }
    }
    g_test_message("%" G_GUINT64_FORMAT " instructions in %" G_GUINT64_FORMAT
                   " runs compared with the host",
                   done, r->compared);
    g_rand_free(state);
    g_rand_free(rand);
    x86run_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned m = 0; m < G_N_ELEMENTS(modes); m++) {
        g_autofree char *path = g_strdup_printf("/x86/host/%s", modes[m].name);
        g_test_add_data_func(path, GUINT_TO_POINTER(m), test_mode);
    }
    return g_test_run();
}
