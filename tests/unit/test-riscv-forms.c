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

/* A CSR's number: those of counters and clocks depend on the time of day, also seed; what is
 * written to mip, stimecmp and mhpmevent makes interrupts come by it. */
static bool repeatable(const struct decode_form *f, uint32_t insn)
{
    unsigned num = insn >> 20, group = num & 0xfe0;

    if (!g_str_has_prefix(f->name, "csrr"))
        return true;
    return group != 0xc00 && group != 0xc80 && group != 0xb00 && group != 0xb80 && group != 0x320 &&
           group != 0x720 && (num & 0xfff) != 0x15d && (num & 0xeff) != 0x044 && num != 0x14d &&
           num != 0x015;
}

/* Half of the CSRs that CSR instructions name are numbered as one that exists. */
static uint32_t likely_csr(uint32_t insn, GRand *rand)
{
    static const uint16_t groups[] = { 0x000, 0x008, 0x100, 0x104, 0x140, 0x180, 0x300, 0x304,
                                       0x30c, 0x340, 0x3a0, 0x3b0, 0x3b8, 0xc20, 0xf10 };

    if (g_rand_boolean(rand))
        return insn;
    return (insn & 0xfffff) | (uint32_t)(groups[g_rand_int_range(rand, 0, G_N_ELEMENTS(groups))] |
                                         g_rand_int_range(rand, 0, 8))
                                  << 20;
}

static void random_privilege(struct riscv_cpu *c, GRand *rand)
{
    static const uint8_t privs[] = { PRIV_U, PRIV_S, PRIV_M, PRIV_M };

    c->mstatus ^= g_rand_int(rand) & c->status_writable & ~(MSTATUS_FS | MSTATUS_VS);
    c->mtvec = 0x8000;
    c->stvec = 0x9000;
    c->mepc = g_rand_int(rand) & ~1u;
    c->sepc = g_rand_int(rand) & ~1u;
    c->medeleg = g_rand_int(rand) & 0xb3ff;
    c->menvcfg = g_rand_int(rand) & (ENVCFG_FIOM | ENVCFG_CBCFE | ENVCFG_CBZE);
    c->senvcfg = g_rand_int(rand) & (ENVCFG_FIOM | ENVCFG_CBCFE | ENVCFG_CBZE);
    riscv_enter(c, privs[g_rand_int_range(rand, 0, G_N_ELEMENTS(privs))], c->mstatus);
}

static void test_form(struct rvrun *r, const struct decode_table *table, unsigned form, GRand *rand)
{
    const struct decode_form *f = &table->form[form];
    bool sys = !strcmp(table->name, "riscv_sys");
    uint32_t insn;

    for (unsigned k = rvrun_count(30); k && rvrun_encode(r, table, form, rand, &insn); k--) {
        rvrun_randomize(r, rand);
        if (sys) {
            insn = g_str_has_prefix(f->name, "csrr") ? likely_csr(insn, rand) : insn;
            random_privilege(r->cpu, rand);
        }
        if (!repeatable(f, insn))
            continue;
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
        g_autofree char *path64 = g_strdup_printf("/riscv64/%s", tables[k]->name);
        g_autofree char *path32 = g_strdup_printf("/riscv32/%s", tables[k]->name);
        g_test_add_data_func(path64, tables[k], test_table64);
        g_test_add_data_func(path32, tables[k], test_table32);
    }
    return g_test_run();
}
