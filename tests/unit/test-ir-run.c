/*
 * Random guest programs give the same results instruction by instruction and as superblocks, with
 * the optimiser's passes and without. MYNA_SEED repeats a run.
 */
#include <stdlib.h>
#include "irgen.h"

#define PROGRAMS 1500

static uint32_t first_seed(void)
{
    const char *given = g_getenv("MYNA_SEED");
    uint32_t seed = given ? strtoul(given, NULL, 0) : g_random_int() % 1000000;

    g_test_message("MYNA_SEED=%u", seed);
    return seed;
}

static void check(uint32_t seed, unsigned features, const struct irm_backend *b, unsigned insns)
{
    struct irgen p = { seed, insns, features };
    char *wrong = irgen_compare(&p, &irm_interp, 1, b, insns);

    if (!wrong)
        return;
    irgen_print(&p, 1, 0, stdout);
    printf("# as one unit:\n");
    irgen_print(&p, insns, b->passes, stdout);
    g_error("MYNA_SEED=%u, %s against single instructions: %s", seed, b->name, wrong);
}

static void test_backend(const void *way)
{
    uint32_t seed = first_seed();

    for (unsigned n = 0; n < PROGRAMS; n++)
        check(seed + n, n % 3 ? IRGEN_ALL : IRGEN_MEMORY | IRGEN_BRANCH, way, 2 + n % 40);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned n = 0; irm_backends[n]; n++) {
        char *path = g_strdup_printf("/ir/run/%s", irm_backends[n]->name);
        g_test_add_data_func(path, irm_backends[n], test_backend);
        g_free(path);
    }
    return g_test_run();
}
