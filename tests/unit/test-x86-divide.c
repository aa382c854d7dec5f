/*
 * Division of a number that was extended just before, as compilers write it. Interpreter, host
 * backend and, where it can, the host's CPU must agree. MYNA_COUNT: divisions a mode.
 */
#include "fpvalues.h"
#include "x86run.h"

static uint64_t operand(GRand *rand)
{
    static const uint64_t corner[] = { 0,           1,          2,         0x7fffffff,
                                       0x80000000,  0xffffffff, INT64_MAX, (uint64_t)INT64_MIN,
                                       ~UINT64_C(0) };

    if (g_rand_boolean(rand))
        return corner[g_rand_int_range(rand, 0, G_N_ELEMENTS(corner))];
    return ((uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand)) >> g_rand_int_range(rand, 0, 64);
}

/* CDQ or XOR EDX, EDX, with REX.W or without; then DIV or IDIV, which may want the other one. */
static unsigned division(struct x86run *r, GRand *rand, uint8_t *code)
{
    unsigned len = 0;
    bool wide = r->mode == X86RUN_64 && g_rand_boolean(rand);
    bool is_signed = g_rand_boolean(rand),
         extend = is_signed == (g_rand_int_range(rand, 0, 8) != 0);

    if (wide)
        code[len++] = 0x48;
    if (extend) {
        code[len++] = 0x99;
    } else {
        code[len++] = 0x31;
        code[len++] = 0xd2;
    }
    if (wide)
        code[len++] = 0x48;
    code[len++] = 0xf7;
    code[len++] = 0xc0 | (is_signed ? 7 : 6) << 3 | g_rand_int_range(rand, 0, 4);
    return len;
}

static bool divide_once(struct x86run *r, GRand *rand)
{
    uint8_t code[16] = { 0 };
    unsigned len = division(r, rand, code);
    uint64_t mask = r->mode == X86RUN_64 ? UINT64_MAX : UINT32_MAX;
    g_autofree char *what = NULL;

    x86run_randomize(r, rand);
    for (unsigned n = R_AX; n <= R_BX; n++)
        r->cpu->cpu.tcg.hot[n] = operand(rand) & mask;
    x86run_set_code(r, code, len);
    what = x86run_run(r);
    if (!what && x86run_has_host(r->mode))
        what = x86run_host(r, U_ALL);
    if (!what)
        return true;
    x86run_report(r, "division", what);
    return false;
}

static void test_division(const void *opaque)
{
    struct x86run *r = x86run_new("x86_64", "max", GPOINTER_TO_INT(opaque));
    GRand *rand = fpv_rand_new();
    unsigned failures = 0;

    for (uint64_t n = x86run_count(2000); n && failures < 5; n--)
        failures += !divide_once(r, rand);
    g_rand_free(rand);
    x86run_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/x86/divide/64", GINT_TO_POINTER(X86RUN_64), test_division);
    g_test_add_data_func("/x86/divide/32", GINT_TO_POINTER(X86RUN_32), test_division);
    return g_test_run();
}
