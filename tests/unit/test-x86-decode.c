/*
 * Decoding of x86 instructions as processors do it: lengths, prefixes that count and that do not,
 * and what raises which exception.
 */
#include "x86run.h"

/* "bytes in hex", mode, exception (-1: none), and where the code ends. */
struct item {
    const char *hex;
    enum x86run_mode mode;
    int vector;
    unsigned length; /* of what ran, without an exception */
};

static const struct item items[] = {
    { "90", X86RUN_64, -1, 1 },
    { "f0 90", X86RUN_64, EXC_UD, 0 },       /* LOCK where it means nothing */
    { "f0 01 c0", X86RUN_64, EXC_UD, 0 },    /* and with a register */
    { "f0 39 04 24", X86RUN_64, EXC_UD, 0 }, /* CMP writes nothing */
    { "f0 01 04 24", X86RUN_64, -1, 4 },
    { "f0 0f b1 0c 24", X86RUN_64, -1, 5 },
    { "f0 0f ba 24 24 03", X86RUN_64, EXC_UD, 0 }, /* BT */
    { "f0 0f ba 2c 24 03", X86RUN_64, -1, 6 },     /* BTS */
    { "66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", X86RUN_64, -1, 15 },
    { "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", X86RUN_64, EXC_GP, 0 },
    { "48 66 b8 11 22", X86RUN_64, -1, 5 },                    /* a REX that is not last is none */
    { "66 48 b8 11 22 33 44 55 66 77 88", X86RUN_64, -1, 11 }, /* W beats 66 */
    { "66 b8 11 22", X86RUN_64, -1, 4 },
    { "67 8d 44 24 08", X86RUN_64, -1, 5 },
    { "8d c0", X86RUN_64, EXC_UD, 0 }, /* LEA of a register */
    { "0f 0b", X86RUN_64, EXC_UD, 0 },
    { "06", X86RUN_64, EXC_UD, 0 }, /* not in 64-bit code */
    { "27", X86RUN_64, EXC_UD, 0 },
    { "27", X86RUN_32, -1, 1 },
    { "60", X86RUN_64, EXC_UD, 0 },
    { "d4 00", X86RUN_32, EXC_DE, 0 }, /* AAM by 0 */
    { "82 c0 01", X86RUN_64, EXC_UD, 0 },
    { "82 c0 01", X86RUN_32, -1, 3 },
    { "62 c0", X86RUN_32, EXC_UD, 0 },      /* BOUND of a register */
    { "c4 e2 78 f2 c1", X86RUN_64, -1, 5 }, /* ANDN */
    { "66 c4 e2 78 f2 c1", X86RUN_64, EXC_UD, 0 },
    { "f3 c4 e2 78 f2 c1", X86RUN_64, EXC_UD, 0 },
    { "48 c4 e2 78 f2 c1", X86RUN_64, EXC_UD, 0 },
    { "c4 e2 7c f2 c1", X86RUN_64, EXC_UD, 0 }, /* L1 */
    { "c4 e0 78 f2 c1", X86RUN_64, EXC_UD, 0 }, /* no such map */
    { "c4 e2 78 f2 c1", X86RUN_32, -1, 5 },
    { "c4 e2 78 f2 c1", X86RUN_REAL, EXC_UD, 0 },
    { "f3 0f b8 c1", X86RUN_64, -1, 4 },        /* POPCNT */
    { "0f b8 c1", X86RUN_64, EXC_UD, 0 },       /* JMPE */
    { "f2 0f 38 f1 c1", X86RUN_64, -1, 5 },     /* CRC32 */
    { "66 0f 38 f1 c1", X86RUN_64, EXC_UD, 0 }, /* MOVBE of a register */
    { "fe d0", X86RUN_64, EXC_UD, 0 },
    { "ff f8", X86RUN_64, EXC_UD, 0 },
    { "8f c8", X86RUN_64, EXC_UD, 0 },
    { "c6 c8 00", X86RUN_64, EXC_UD, 0 },
    { "a1 00 10 00 10 00 00 00 00", X86RUN_64, -1, 9 },
    { "67 a1 00 10 00 10", X86RUN_64, -1, 6 },
    { "a1 00 10 00 10", X86RUN_32, -1, 5 },
    { "a1 00 10", X86RUN_16, -1, 3 },
    { "66 67 8b 04 24", X86RUN_16, -1, 5 },
    { "8b 46 02", X86RUN_16, -1, 3 },
    { "67 8b 46 02", X86RUN_32, EXC_PF, 0 }, /* 16-bit addresses: nothing is there */
    { "e8 00 00 00 00", X86RUN_64, -1, 5 },
    { "e8 00 00", X86RUN_16, -1, 3 },
};

static unsigned parse(const char *hex, uint8_t *bytes)
{
    g_auto(GStrv) word = g_strsplit(hex, " ", -1);
    unsigned n;

    for (n = 0; word[n]; n++)
        bytes[n] = g_ascii_strtoull(word[n], NULL, 16);
    return n;
}

static void test_items(const void *opaque)
{
    enum x86run_mode mode = GPOINTER_TO_INT(opaque);
    struct x86run *r = x86run_new("x86_64", "max", mode);
    GRand *rand = g_rand_new_with_seed(1);

    for (unsigned k = 0; k < G_N_ELEMENTS(items); k++) {
        const struct item *i = &items[k];
        uint8_t bytes[32];
        unsigned n = parse(i->hex, bytes);
        g_autofree char *what = NULL;

        if (i->mode != mode)
            continue;
        x86run_randomize(r, rand);
        for (unsigned reg = 0; reg < 16; reg++) /* all point into memory */
            r->cpu->cpu.tcg.hot[reg] = mode >= X86RUN_16 ? 0x1000 : X86RUN_RAM + 0x1000;
        x86run_set_code(r, bytes, n);
        what = x86run_run(r);
        if (!what && x86run_has_host(mode))
            what = x86run_host(r, U_ALL);
        if (!what && r->vector != i->vector)
            what = g_strdup_printf("exception %d", r->vector);
        if (!what && i->vector < 0 && r->pc != X86RUN_PC + i->length)
            what = g_strdup_printf("%" G_GINT64_MODIFIER "u bytes", r->pc - X86RUN_PC);
        if (what) {
            g_test_message("%s: %s", i->hex, what);
            g_test_fail();
        }
    }
    g_rand_free(rand);
    x86run_free(r);
}

/* Each row's notation is understood. */
static void test_rows(void)
{
    for (unsigned k = 0; k < x86_nforms; k++) {
        const struct x86_pattern *p = x86_pattern(&x86_forms[k]);

        g_assert_cmpuint(p->map, <, MAP_COUNT);
        g_assert_cmpuint(p->noperands, <=, G_N_ELEMENTS(p->operand));
        if (p->ext >= 0 || p->mod || p->modrm >= 0)
            g_assert_true(p->has_modrm);
        g_assert_nonnull(x86_forms[k].handler);
    }
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "64", "32", "16", "real" };

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/decode/rows", test_rows);
    for (int mode = X86RUN_64; mode <= X86RUN_REAL; mode++) {
        g_autofree char *path = g_strdup_printf("/x86/decode/%s", names[mode]);
        g_test_add_data_func(path, GINT_TO_POINTER(mode), test_items);
    }
    return g_test_run();
}
