/*
 * Random guest programs give the same results on the host backend and on the interpreter.
 * MYNA_SEED repeats a run.
 */
#include <stdlib.h>
#include <tcg/opt.h>
#include "irgen.h"

#define PROGRAMS 3000

static uint32_t first_seed(void)
{
    const char *given = g_getenv("MYNA_SEED");
    uint32_t seed = given ? strtoul(given, NULL, 0) : g_random_int() % 1000000;

    g_test_message("MYNA_SEED=%u", seed);
    return seed;
}

static void check(uint32_t seed, const struct irm_backend *b, unsigned insns)
{
    struct irgen p = { seed, insns, IRGEN_ALL & ~IRGEN_VECTOR };
    char *wrong = irgen_compare(&p, &irm_interp, 1, b, b == &irm_jit ? 1 : insns);

    if (!wrong)
        return;
    irgen_print(&p, 1, 0, stdout);
    printf("# as one unit:\n");
    irgen_print(&p, insns, b->passes, stdout);
    g_error("MYNA_SEED=%u, %u insns, %s against interpreter: %s", seed, insns, b->name, wrong);
}

static void test_backend(const void *way)
{
    uint32_t seed = first_seed();

    for (unsigned n = 0; n < PROGRAMS; n++)
        check(seed + n, way, 1 + n % 40);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/jit/single", &irm_jit, test_backend);
    g_test_add_data_func("/jit/units", &irm_jit_opt, test_backend);
    return g_test_run();
}
