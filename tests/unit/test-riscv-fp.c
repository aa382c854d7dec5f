/*
 * RISC-V floating point: every instruction in every rounding mode against a reference, on host code
 * and interpreter; NaN boxing; values of mstatus.FS; the CSRs; sequences. MYNA_COUNT: operands a
 * form.
 */
#include "fpvalues.h"
#include "rvfpref.h"
#include "rvrun.h"

extern const struct decode_table riscv_fp_table, riscv_zfa_table;
static const struct decode_table *const tables[] = { &riscv_fp_table, &riscv_zfa_table };

/* Loads and stores, which the reference leaves to the interpreter. */
static bool is_access(const struct decode_form *f)
{
    return !strcmp(f->handler, "tr_fload") || !strcmp(f->handler, "tr_fstore");
}

typedef void each_fn(struct rvrun *r, const struct decode_form *f, uint32_t insn, GRand *rand);

/* Calls @fn with random state for instructions of every form that the CPU has. */
static void for_each(const char *arch, unsigned count, each_fn *fn)
{
    struct rvrun *r = rvrun_new(arch, "max");
    GRand *rand = fpv_rand_new();
    unsigned forms = 0;
    uint32_t insn;

    for (unsigned k = 0; k < G_N_ELEMENTS(tables); k++) {
        for (unsigned form = 0; form < tables[k]->count; form++) {
            const struct decode_form *f = &tables[k]->form[form];
            for (unsigned n = 0; n < count && !g_test_failed(); n++) {
                if (!rvrun_encode(r, tables[k], form, rand, &insn))
                    break;
                forms += n == 0;
                rvrun_randomize(r, rand);
                rvrun_set_code(r, &insn, f->bits / 8);
                fn(r, f, insn, rand);
            }
        }
    }
    g_assert_cmpuint(forms, >, 100);
    g_rand_free(rand);
    rvrun_free(r);
}

static void run(struct rvrun *r, const struct decode_form *f, uint32_t insn)
{
    g_autofree char *what = rvrun_run(r);

    if (what) {
        g_test_message("%s %08x: %s", f->name, insn, what);
        g_test_fail();
    }
}

/* ---- Results and flags ---- */

static void expect(const struct decode_form *f, uint32_t insn, const char *what, uint64_t got,
                   uint64_t want)
{
    if (got == want)
        return;
    g_test_message("%s %08x: %s is 0x%016" G_GINT64_MODIFIER "x, not 0x%016" G_GINT64_MODIFIER "x",
                   f->name, insn, what, got, want);
    g_test_fail();
}

static void check_result(struct rvrun *r, const struct decode_form *f, uint32_t insn)
{
    struct riscv_cpu *c = r->cpu;
    uint64_t x[32], fr[32];
    unsigned flags = c->fflags, rd = insn >> 7 & 31;
    struct rvfp_result want;

    memcpy(fr, c->f, sizeof(fr));
    memcpy(x, c->cpu.tcg.hot, sizeof(x));
    x[0] = 0;
    want = rvfp_reference(f->name, insn, fr, x, c->frm);
    g_assert_true(want.known);
    run(r, f, insn);
    if (want.illegal) {
        expect(f, insn, "mcause", c->mcause, EXC_ILLEGAL);
        expect(f, insn, "mtval", c->mtval, insn);
        expect(f, insn, "fflags", c->fflags, flags);
        return;
    }
    if (want.to_f)
        fr[rd] = want.value;
    else if (rd)
        x[rd] = riscv_trunc(c, want.value);
    for (unsigned n = 0; n < 32; n++) {
        expect(f, insn, "an f register", c->f[n], fr[n]);
        expect(f, insn, "an x register", n ? riscv_get_x(&c->cpu, n) : 0, x[n]);
    }
    expect(f, insn, "fflags", c->fflags, flags | want.flags);
    expect(f, insn, "pc", c->cpu.tcg.pc, RVRUN_PC + 4);
}

static void one_result(struct rvrun *r, const struct decode_form *f, uint32_t insn, GRand *rand)
{
    if (is_access(f))
        return;
    r->cpu->frm = g_rand_int_range(rand, 0, 8);
    check_result(r, f, insn);
}

static void test_results(const void *arch)
{
    for_each(arch, rvrun_count(60), one_result);
}

static uint32_t csr_insn(unsigned csr, unsigned rs1, unsigned op, unsigned rd)
{
    return csr << 20 | rs1 << 15 | op << 12 | rd << 7 | 0x73;
}

static void run_code(struct rvrun *r, const uint32_t *code, unsigned n)
{
    rvrun_set_code(r, code, 4 * n);
    g_autofree char *what = rvrun_run(r);
    g_assert_cmpstr(what, ==, NULL);
}

static void start(struct rvrun *r, GRand *rand)
{
    rvrun_randomize(r, rand);
    r->cpu->frm = FP_RNE;
    r->cpu->fflags = 0;
}

/* ---- mstatus.FS ---- */

static void one_off(struct rvrun *r, const struct decode_form *f, uint32_t insn, GRand *rand)
{
    struct riscv_cpu *c = r->cpu;

    (void)rand;
    c->mstatus &= ~(MSTATUS_FS | MSTATUS_SD);
    run(r, f, insn);
    expect(f, insn, "mcause", c->mcause, EXC_ILLEGAL);
    expect(f, insn, "mepc", c->mepc, RVRUN_PC);
    expect(f, insn, "FS", c->mstatus & MSTATUS_FS, 0);
}

static void test_off(const void *arch)
{
    for_each(arch, 5, one_off);
}

/* Any value but off reads back as dirty, in mstatus and sstatus. */
static void test_fs_values(const void *arch)
{
    static const uint16_t csrs[] = { 0x300, 0x100 };
    struct rvrun *r = rvrun_new(arch, "max");
    GRand *rand = fpv_rand_new();

    for (unsigned n = 0; n < 8; n++) {
        uint32_t write = csr_insn(csrs[n / 4], 5, 1, 0), read = csr_insn(csrs[n / 4], 0, 2, 6);

        start(r, rand);
        r->cpu->cpu.tcg.hot[5] = n % 4 << 13;
        run_code(r, &write, 1);
        run_code(r, &read, 1);
        g_assert_cmphex(riscv_get_x(&r->cpu->cpu, 6) & MSTATUS_FS, ==, n % 4 ? MSTATUS_FS : 0);
        g_assert_cmphex(riscv_get_x(&r->cpu->cpu, 6) >> (r->cpu->xlen - 1), ==, n % 4 ? 1 : 0);
    }
    g_rand_free(rand);
    rvrun_free(r);
}

/* ---- CSRs ---- */

/* fflags and frm are parts of fcsr; other bits are zeros. */
static void test_csr_views(const void *arch)
{
    struct rvrun *r = rvrun_new(arch, "max");
    GRand *rand = fpv_rand_new();
    uint32_t write_fcsr = csr_insn(3, 5, 1, 6), read_fcsr = csr_insn(3, 0, 2, 7);
    uint32_t read_fflags = csr_insn(1, 0, 2, 8), read_frm = csr_insn(2, 0, 2, 9);
    uint32_t clear_fflags = csr_insn(1, 5, 3, 10), write_frm = csr_insn(2, 5, 1, 11);

    start(r, rand);
    r->cpu->cpu.tcg.hot[5] = 0xffffff5a;
    run_code(r, &write_fcsr, 1);
    g_assert_cmphex(r->cpu->cpu.tcg.hot[6], ==, 0);
    g_assert_cmphex(r->cpu->fflags, ==, 0x1a);
    g_assert_cmphex(r->cpu->frm, ==, 2);
    run_code(r, (uint32_t[]){ read_fcsr, read_fflags, read_frm }, 3);
    g_assert_cmphex(r->cpu->cpu.tcg.hot[7], ==, 0x5a);
    g_assert_cmphex(r->cpu->cpu.tcg.hot[8], ==, 0x1a);
    g_assert_cmphex(r->cpu->cpu.tcg.hot[9], ==, 2);
    r->cpu->cpu.tcg.hot[5] = 0x0a;
    run_code(r, &clear_fflags, 1);
    g_assert_cmphex(r->cpu->cpu.tcg.hot[10], ==, 0x1a);
    g_assert_cmphex(r->cpu->fflags, ==, 0x10);
    r->cpu->cpu.tcg.hot[5] = 0xfd;
    run_code(r, &write_frm, 1);
    g_assert_cmphex(r->cpu->cpu.tcg.hot[11], ==, 2);
    g_assert_cmphex(r->cpu->frm, ==, 5);
    g_assert_cmphex(r->cpu->fflags, ==, 0x10);
    g_rand_free(rand);
    rvrun_free(r);
}

/* Without FS, and without F, there are none. */
static void test_csr_access(const void *arch)
{
    struct rvrun *r = rvrun_new(arch, "max"), *nof = rvrun_new(arch, "max,f=off");
    GRand *rand = fpv_rand_new();

    for (unsigned csr = 1; csr <= 3; csr++) {
        uint32_t read = csr_insn(csr, 0, 2, 5);

        start(r, rand);
        r->cpu->mstatus &= ~MSTATUS_FS;
        run_code(r, &read, 1);
        g_assert_cmphex(r->cpu->mcause, ==, EXC_ILLEGAL);
        start(nof, rand);
        run_code(nof, &read, 1);
        g_assert_cmphex(nof->cpu->mcause, ==, EXC_ILLEGAL);
    }
    g_rand_free(rand);
    rvrun_free(r);
    rvrun_free(nof);
}

/* isless() and the like: fflags saved and restored around a comparison, whatever the operands. */
static void test_quiet_compare(const void *arch)
{
    static const uint32_t flt = 0xa20917d3, fle_s = 0xa08107d3; /* flt.d a5, f2, f2; fle.s */
    struct rvrun *r = rvrun_new(arch, "max");
    GRand *rand = fpv_rand_new();
    const uint32_t add = 0x02107453; /* fadd.d f8, f0, f1 */

    for (unsigned n = 0; n < rvrun_count(2000); n++) {
        uint32_t compare = (g_rand_boolean(rand) ? flt : fle_s) & ~(0x1fu << 15 | 0x1fu << 20);
        uint32_t code[5] = { csr_insn(1, 0, 2, 14), 0, csr_insn(1, 14, 1, 0), 0, 0 };
        unsigned len = 3, flags;

        code[1] =
            compare | g_rand_int_range(rand, 0, 32) << 15 | g_rand_int_range(rand, 0, 32) << 20;
        if (g_rand_boolean(rand))
            code[len++] = add;
        code[len++] = csr_insn(1, 0, 2, 13);
        start(r, rand);
        flags = r->cpu->fflags = g_rand_int_range(rand, 0, 32);
        run_code(r, code, len);
        g_assert_cmphex(r->cpu->cpu.tcg.hot[14], ==, flags);
        if (len == 4)
            g_assert_cmphex(r->cpu->cpu.tcg.hot[13], ==, flags);
    }
    g_rand_free(rand);
    rvrun_free(r);
}

/* Flags of an operation of the same unit are seen; those written away do not come back. */
static void test_csr_flags(const void *arch)
{
    static const uint32_t fdiv = 0x1a20f1d3; /* fdiv.d f3, f1, f2, dyn */
    const uint32_t code[] = { fdiv, csr_insn(1, 0, 2, 5), csr_insn(1, 0, 1, 6) };
    uint32_t read = csr_insn(1, 0, 2, 7);
    struct rvrun *r = rvrun_new(arch, "max");
    GRand *rand = fpv_rand_new();

    start(r, rand);
    r->cpu->f[1] = UINT64_C(0x3ff0000000000000);
    r->cpu->f[2] = 0;
    run_code(r, code, G_N_ELEMENTS(code));
    g_assert_cmphex(r->cpu->f[3], ==, UINT64_C(0x7ff0000000000000));
    g_assert_cmphex(r->cpu->cpu.tcg.hot[5], ==, FP_DZ);
    g_assert_cmphex(r->cpu->cpu.tcg.hot[6], ==, FP_DZ);
    g_assert_cmphex(r->cpu->fflags, ==, 0);
    run_code(r, &read, 1);
    g_assert_cmphex(r->cpu->cpu.tcg.hot[7], ==, 0);
    g_rand_free(rand);
    rvrun_free(r);
}

/* ---- Sequences ---- */

/* Up to 12 instructions on few registers: values meet again, boxed, unboxed and as NaNs. */
static void test_sequences(const void *arch)
{
    struct rvrun *r = rvrun_new(arch, "max");
    GRand *rand = fpv_rand_new();

    for (unsigned n = rvrun_count(600); n && !g_test_failed(); n--) {
        uint32_t code[12];
        unsigned len = 0;

        while (len < G_N_ELEMENTS(code)) {
            const struct decode_table *t = tables[!g_rand_int_range(rand, 0, 8)];
            unsigned form = g_rand_int_range(rand, 0, t->count);
            if (t->form[form].bits != 32 || !rvrun_encode(r, t, form, rand, &code[len]))
                continue;
            if (g_rand_int_range(rand, 0, 4)) /* rd and rs1 of four registers, rm usual */
                code[len] &= ~(0x1cu << 7 | 0x1cu << 15);
            if (t->find(r->cpu, code[len], 32) == (int)form)
                len++;
        }
        rvrun_randomize(r, rand);
        rvrun_set_code(r, code, sizeof(code));
        g_autofree char *what = rvrun_run(r);
        if (what) {
            for (unsigned k = 0; k < len; k++)
                g_test_message("%08x", code[k]);
            g_test_message("%s", what);
            g_test_fail();
        }
    }
    g_rand_free(rand);
    rvrun_free(r);
}

int main(int argc, char **argv)
{
    static const char *const archs[] = { "riscv64", "riscv32" };
    static const struct {
        const char *name;
        GTestDataFunc fn;
    } tests[] = {
        { "results", test_results },
        { "fs-off", test_off },
        { "fs-values", test_fs_values },
        { "csr-views", test_csr_views },
        { "csr-access", test_csr_access },
        { "csr-flags", test_csr_flags },
        { "quiet-compare", test_quiet_compare },
        { "sequences", test_sequences },
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned a = 0; a < G_N_ELEMENTS(archs); a++) {
        for (unsigned k = 0; k < G_N_ELEMENTS(tests); k++) {
            g_autofree char *path = g_strdup_printf("/%s/fp/%s", archs[a], tests[k].name);
            g_test_add_data_func(path, archs[a], tests[k].fn);
        }
    }
    return g_test_run();
}
