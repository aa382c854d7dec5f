/*
 * Random guest programs give the same results instruction by instruction and as superblocks, with
 * the optimiser's passes and without. MYNA_SEED repeats a run.
 */
#include <stdlib.h>
#include "irgen.h"

#define PROGRAMS 700

static uint32_t first_seed(void)
{
    const char *given = g_getenv("MYNA_SEED");
    uint32_t seed = given ? strtoul(given, NULL, 0) : g_random_int() % 1000000;

    g_test_message("MYNA_SEED=%u", seed);
    return seed;
}

static bool fails(const struct irgen *p, const struct irm_backend *b, unsigned insns)
{
    char *wrong = irgen_compare(p, &irm_interp, 1, b, insns);

    g_free(wrong);
    return wrong;
}

/* Fewer instructions, in the program and in a unit, that still fail. */
static unsigned shrink(struct irgen *p, const struct irm_backend *b, unsigned insns)
{
    for (unsigned n = 1; n < p->insns; n++) {
        struct irgen shorter = { p->seed, n, p->features };
        if (fails(&shorter, b, insns)) {
            p->insns = n;
            break;
        }
    }
    for (unsigned n = 1; n < insns; n++) {
        if (fails(p, b, n))
            return n;
    }
    return insns;
}

static void check(struct irgen p, const struct irm_backend *b, unsigned insns)
{
    char *wrong;

    if (!fails(&p, b, insns))
        return;
    insns = shrink(&p, b, insns);
    wrong = irgen_compare(&p, &irm_interp, 1, b, insns);
    irgen_print(&p, insns, b->passes, stdout);
    fflush(stdout);
    g_error("MYNA_SEED=%u, %u instructions, %u a unit, %s against single ones: %s", p.seed, p.insns,
            insns, b->name, wrong);
}

/* Now everything together, now a few kinds, so that these meet more often. */
static unsigned features(unsigned n)
{
    static const unsigned some[] = {
        IRGEN_ALL,
        IRGEN_MEMORY | IRGEN_BRANCH,
        0,
        IRGEN_PRESSURE,
        IRGEN_VECTOR | IRGEN_MEMORY,
        IRGEN_VECTOR | IRGEN_FLOAT | IRGEN_PRESSURE | IRGEN_BRANCH,
        IRGEN_FLOAT | IRGEN_PRESSURE,
        IRGEN_CALL | IRGEN_PRESSURE,
        IRGEN_MEMORY | IRGEN_PRESSURE | IRGEN_ATOMIC,
    };

    return some[n % G_N_ELEMENTS(some)];
}

static void test_backend(const void *way)
{
    uint32_t seed = first_seed();

    for (unsigned n = 0; n < PROGRAMS; n++) {
        struct irgen p = { seed + n, 2 + n % 40, features(n) };

        check(p, way, n % 2 ? p.insns : 1 + n % 6);
    }
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
