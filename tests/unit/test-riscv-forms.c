/*
 * Every form of every RISC-V instruction table on random operands: what the host backend makes of
 * it against the interpreter. MYNA_COUNT: operands a form.
 */
#include "fpvalues.h"
#include "rvrun.h"

#define DECODER(name) extern const struct decode_table riscv_##name##_table;
#include "target/riscv/decoders.def"
#undef DECODER

static const struct decode_table *const tables[] = {
#define DECODER(name) &riscv_##name##_table,
#include "target/riscv/decoders.def"
#undef DECODER
};

/* Its results depend on the time of day. */
static bool repeatable(const struct decode_table *table)
{
    return strcmp(table->name, "riscv_sys") != 0;
}

static void test_form(struct rvrun *r, const struct decode_table *table, unsigned form, GRand *rand)
{
    const struct decode_form *f = &table->form[form];
    uint32_t insn;

    for (unsigned k = rvrun_count(30); k && rvrun_encode(r, table, form, rand, &insn); k--) {
        rvrun_randomize(r, rand);
        rvrun_set_code(r, &insn, f->bits / 8);
        g_autofree char *what = rvrun_run(r);
        if (what) {
            g_test_message("%s %08x: %s", f->name, insn, what);
            g_test_fail();
            return;
        }
    }
}

static void test_table(const char *arch, const struct decode_table *table)
{
    struct rvrun *r = rvrun_new(arch, "max");
    GRand *rand = fpv_rand_new();

    for (unsigned form = 0; form < table->count; form++)
        test_form(r, table, form, rand);
    g_rand_free(rand);
    rvrun_free(r);
}

static void test_table64(const void *table)
{
    test_table("riscv64", table);
}

static void test_table32(const void *table)
{
    test_table("riscv32", table);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned k = 0; k < G_N_ELEMENTS(tables); k++) {
        if (!repeatable(tables[k]))
            continue;
        g_autofree char *path64 = g_strdup_printf("/riscv64/%s", tables[k]->name);
        g_autofree char *path32 = g_strdup_printf("/riscv32/%s", tables[k]->name);
        g_test_add_data_func(path64, tables[k], test_table64);
        g_test_add_data_func(path32, tables[k], test_table32);
    }
    return g_test_run();
}
