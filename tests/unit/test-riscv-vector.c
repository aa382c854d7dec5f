/*
 * Vector instructions on random registers, masks, vtype, vl and vstart against a model written from
 * the specification (tests/lib/rvvmodel.h), which also says what is illegal. MYNA_COUNT: operands a
 * form and VLEN; MYNA_SEED repeats a run.
 */
#include <string.h>
#include "fpvalues.h"
#include "rvrun.h"
#include "rvvmodel.h"

extern const struct decode_table riscv_v_table;

#define RAM_SIZE (RVRUN_PAGES * TCG_PAGE_SIZE)

static uint64_t random64(GRand *rand)
{
    return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

static bool chance(GRand *rand, unsigned one_in)
{
    return g_rand_int_range(rand, 0, one_in) == 0;
}

/* ---- Random state ---- */

/* Eight bytes of elements: of values at which something changes, or small ones for indices. */
static uint64_t random_elements(GRand *rand, const struct fpv_shape *shapes, GArray **special)
{
    static const uint64_t ends[] = { 0,         1,          0x7f,       0x80,       0xff,
                                     0x7fff,    0x8000,     0x7fffffff, 0x80000000, 0xffffffff,
                                     INT64_MAX, 1ULL << 63, UINT64_MAX };
    unsigned k = g_rand_int_range(rand, 0, 3), bits = 16u << k;
    uint64_t v = 0;

    switch (g_rand_int_range(rand, 0, 6)) {
    case 0: return ends[g_rand_int_range(rand, 0, G_N_ELEMENTS(ends))];
    case 1: return random64(rand);
    case 2: return random64(rand) & (0x3f3f3f3f3f3f3f3f >> g_rand_int_range(rand, 0, 5));
    case 3: return random64(rand) & 0x00ff00ff00ff00ff;
    default:
        for (unsigned at = 0; at < 64; at += bits)
            v |= (uint64_t)fpv_random(&shapes[k], rand, special[k]) << at;
        return v;
    }
}

#define POOL 4096

static uint64_t *make_pool(GRand *rand)
{
    static const struct fpv_shape shapes[] = { { 5, 10, false },
                                               { 8, 23, false },
                                               { 11, 52, false } };
    uint64_t *pool = g_new(uint64_t, POOL);
    GArray *special[3];

    for (unsigned k = 0; k < 3; k++)
        special[k] = fpv_special(&shapes[k]);
    for (unsigned n = 0; n < POOL; n++)
        pool[n] = random_elements(rand, shapes, special);
    for (unsigned k = 0; k < 3; k++)
        g_array_unref(special[k]);
    return pool;
}

static void random_vectors(struct riscv_cpu *c, const uint64_t *pool, GRand *rand)
{
    for (unsigned n = 0; n < 32 * c->vlen / 8; n += 8)
        memcpy(c->v + n, &pool[g_rand_int(rand) % POOL], 8);
}

static void random_config(struct riscv_cpu *c, GRand *rand)
{
    unsigned sew = g_rand_int_range(rand, 0, 4), lmul = g_rand_int_range(rand, 0, 8), vlmax;
    int log2 = (int)(lmul ^ 4) - 4;

    c->vtype = sew << 3 | lmul | (g_rand_int(rand) & 0xc0);
    c->vl = c->vstart = 0;
    vlmax = c->vlen / 8 * 8 >> sew >> (3 - log2);
    if (lmul == 4 || (log2 < 0 && (8 << sew) > 64 >> -log2) || chance(rand, 200)) {
        c->vtype = 1ULL << (c->xlen - 1);
    } else {
        c->vl = chance(rand, 3) ? vlmax : (unsigned)g_rand_int_range(rand, 0, vlmax + 1);
        if (chance(rand, 8))
            c->vstart = g_rand_int_range(rand, 0, vlmax + 1) & (c->vlen - 1);
    }
    c->vxrm = g_rand_int_range(rand, 0, 4);
    c->vxsat = chance(rand, 4);
}

/* Register numbers that groups can start at, most of the time. */
static uint32_t align_registers(uint32_t insn, const struct riscv_cpu *c, GRand *rand)
{
    static const uint8_t where[] = { 7, 15, 20 };
    unsigned lmul = c->vtype & 4 ? 0 : c->vtype & 3, bits = lmul + g_rand_int_range(rand, 0, 2);

    for (unsigned k = 0; k < G_N_ELEMENTS(where); k++)
        if (!chance(rand, 6))
            insn &= ~(((1u << bits) - 1) << where[k]);
    return insn;
}

/* Addresses and strides that mostly stay in memory. */
static void random_address(struct riscv_cpu *c, uint32_t insn, GRand *rand)
{
    unsigned rs1 = insn >> 15 & 31, rs2 = insn >> 20 & 31;

    if (rs2 && !chance(rand, 4))
        c->cpu.tcg.hot[rs2] = riscv_trunc(c, g_rand_int_range(rand, -100, 200));
    if (rs1 && !chance(rand, 4))
        c->cpu.tcg.hot[rs1] = RVRUN_RAM + g_rand_int_range(rand, -16, RAM_SIZE);
}

/* ---- Comparison ---- */

static void model_from(struct vmodel *m, const struct riscv_cpu *c, uint8_t *ram)
{
    memset(m, 0, sizeof(*m));
    m->vlenb = c->vlen / 8;
    m->xlen = c->xlen;
    m->half = riscv_have(c, EXT_Zvfh);
    memcpy(m->v, c->v, 32 * m->vlenb);
    for (unsigned n = 0; n < 32; n++) {
        m->x[n] = n ? riscv_trunc(c, c->cpu.tcg.hot[n]) : 0;
        m->f[n] = c->f[n];
    }
    m->vl = c->vl;
    m->vstart = c->vstart;
    m->vtype = c->vtype;
    m->vxrm = c->vxrm;
    m->vxsat = c->vxsat;
    m->fflags = c->fflags;
    m->frm = c->frm;
    m->ram = ram;
    m->ram_base = RVRUN_RAM;
    m->ram_size = RAM_SIZE;
    m->writable = RVRUN_RO_PAGE * TCG_PAGE_SIZE;
}

static char *differ(const char *what, unsigned n, uint64_t model, uint64_t got)
{
    return g_strdup_printf("%s %u: model 0x%" G_GINT64_MODIFIER "x, run 0x%" G_GINT64_MODIFIER "x",
                           what, n, model, got);
}

static char *compare_registers(const struct vmodel *m, const struct riscv_cpu *c)
{
    for (unsigned n = 0; n < 32 * m->vlenb; n++)
        if (m->v[n] != c->v[n])
            return g_strdup_printf("v%u byte %u: model 0x%02x, run 0x%02x", n / m->vlenb,
                                   n % m->vlenb, m->v[n], c->v[n]);
    for (unsigned n = 1; n < 32; n++)
        if (m->x[n] != riscv_trunc(c, c->cpu.tcg.hot[n]))
            return differ("x", n, m->x[n], c->cpu.tcg.hot[n]);
    for (unsigned n = 0; n < 32; n++)
        if (m->f[n] != c->f[n])
            return differ("f", n, m->f[n], c->f[n]);
    return NULL;
}

static char *compare_csrs(const struct vmodel *m, const struct riscv_cpu *c)
{
    const struct {
        const char *name;
        uint64_t model, run;
    } csrs[] = {
        { "vl", m->vl, c->vl },
        { "vtype", m->vtype, c->vtype },
        { "vstart", m->vstart, c->vstart },
        { "vxsat", m->vxsat, c->vxsat },
        { "fflags", m->fflags, c->fflags },
    };

    for (unsigned k = 0; k < G_N_ELEMENTS(csrs); k++)
        if (csrs[k].model != csrs[k].run)
            return differ(csrs[k].name, 0, csrs[k].model, csrs[k].run);
    return NULL;
}

static char *compare(const struct vmodel *m, enum vmodel_end end, const struct rvrun *r)
{
    static const uint64_t fault_cause[] = { EXC_LOAD_ACCESS, EXC_STORE_ACCESS };
    const struct riscv_cpu *c = r->cpu;
    bool trapped = c->cpu.tcg.pc != RVRUN_PC + 4;
    char *what;

    if (trapped != (end != VMODEL_DONE))
        return differ("trap", 0, end, trapped ? c->mcause : 99);
    if (end == VMODEL_ILLEGAL)
        return c->mcause == EXC_ILLEGAL ? NULL : differ("mcause", 0, EXC_ILLEGAL, c->mcause);
    if (end == VMODEL_FAULT && c->mcause != fault_cause[m->fault_store])
        return differ("mcause", 0, fault_cause[m->fault_store], c->mcause);
    if (end == VMODEL_FAULT && c->mtval != m->fault_addr)
        return differ("mtval", 0, m->fault_addr, c->mtval);
    if ((what = compare_registers(m, c)) || (what = compare_csrs(m, c)))
        return what;
    return memcmp(m->ram, r->ram, RAM_SIZE) ? g_strdup("memory") : NULL;
}

/* ---- Tests ---- */

struct counts {
    unsigned done, illegal, faults;
};

static bool run_one(struct rvrun *r, const struct decode_form *f, uint32_t insn, struct counts *n)
{
    static uint8_t ram[RAM_SIZE];
    struct riscv_cpu *c = r->cpu;
    uint64_t vtype = c->vtype, vl = c->vl, vstart = c->vstart;
    g_autofree char *what = NULL;
    enum vmodel_end end;
    struct vmodel m;

    memcpy(ram, r->ram, RAM_SIZE);
    model_from(&m, c, ram);
    end = vmodel_run(&m, f->name, insn);
    rvrun_set_code(r, &insn, 4);
    what = rvrun_run(r);
    if (!what)
        what = compare(&m, end, r);
    n->done += end == VMODEL_DONE;
    n->illegal += end == VMODEL_ILLEGAL;
    n->faults += end == VMODEL_FAULT;
    if (!what)
        return true;
    g_test_message("%s %08x vlen %u vtype %x vl %u vstart %u: %s", f->name, insn, c->vlen,
                   (unsigned)vtype, (unsigned)vl, (unsigned)vstart, what);
    g_test_fail();
    return false;
}

static bool is_memory(uint32_t insn)
{
    return (insn & 0x5f) == 0x07;
}

/* vsetvli, vsetivli */
static bool is_config(uint32_t insn)
{
    return (insn & 0x707f) == 0x7057 && insn >> 30 != 2;
}

/* A random state and instruction; false: there is no such instruction. */
static bool random_case(struct rvrun *r, unsigned form, const uint64_t *pool, GRand *rand,
                        uint32_t *insn)
{
    uint32_t aligned;

    rvrun_randomize(r, rand);
    random_vectors(r->cpu, pool, rand);
    random_config(r->cpu, rand);
    if (!rvrun_encode(r, &riscv_v_table, form, rand, insn))
        return false;
    aligned = align_registers(*insn, r->cpu, rand);
    if (riscv_v_table.find(r->cpu, aligned, 32) == (int)form)
        *insn = aligned;
    if (is_config(*insn) && chance(rand, 2)) /* vtype stays as it is */
        *insn = (*insn & ~0x0ff00000u) | (uint32_t)(r->cpu->vtype & 0xff) << 20;
    if (is_memory(*insn))
        random_address(r->cpu, *insn, rand);
    return true;
}

static bool is_illegal(const struct rvrun *r, unsigned form, uint32_t insn)
{
    static uint8_t ram[RAM_SIZE];
    struct vmodel m;

    memcpy(ram, r->ram, RAM_SIZE);
    model_from(&m, r->cpu, ram);
    return vmodel_run(&m, riscv_v_table.form[form].name, insn) == VMODEL_ILLEGAL;
}

static void test_form(struct rvrun *r, unsigned form, const uint64_t *pool, GRand *rand)
{
    const struct decode_form *f = &riscv_v_table.form[form];
    struct counts n = { 0 };
    unsigned count = rvrun_count(10);

    for (unsigned k = 0; k < count; k++) {
        uint32_t insn;
        unsigned tries = 0;
        do {
            if (!random_case(r, form, pool, rand, &insn))
                return;
        } while (tries++ < 20 && is_illegal(r, form, insn) && !chance(rand, 20));
        if (!run_one(r, f, insn, &n))
            return;
    }
    if (g_test_verbose())
        g_test_message("%s: %u done, %u illegal, %u faults", f->name, n.done, n.illegal, n.faults);
}

static void test_forms(const void *config)
{
    g_auto(GStrv) part = g_strsplit(config, " ", 2);
    struct rvrun *r = rvrun_new(part[0], part[1]);
    GRand *rand = fpv_rand_new();
    uint64_t *pool = make_pool(rand);

    for (unsigned form = 0; form < riscv_v_table.count; form++)
        test_form(r, form, pool, rand);
    g_free(pool);
    g_rand_free(rand);
    rvrun_free(r);
}

/* ---- What is said elsewhere: mstatus.VS, CSRs, restart ---- */

#define CSRR_A0(num) ((num) << 20 | 2 << 12 | 10 << 7 | 0x73)
#define CSRW_A1(num) ((num) << 20 | 11 << 15 | 1 << 12 | 0x73)
#define VSETVLI      0x0d057557 /* vsetvli a0,a0,e32,m1,ta,ma */
#define VADD         0x02208257 /* vadd.vv v4,v2,v1 */
#define VSE8_V1_A0   0x020500a7 /* vse8.v v1,(a0) */

static void run_ok(struct rvrun *r, uint32_t insn)
{
    g_autofree char *what = NULL;

    rvrun_set_code(r, &insn, 4);
    what = rvrun_run(r);
    g_assert_cmpstr(what, ==, NULL);
}

static struct rvrun *new_run(GRand *rand)
{
    struct rvrun *r = rvrun_new("riscv64", "max,vlen=128");

    rvrun_randomize(r, rand);
    r->cpu->vtype = 0xd0; /* e32, m1 */
    r->cpu->vl = 4;
    return r;
}

static void test_off(void)
{
    static const uint32_t insns[] = {
        VSETVLI,      VADD,           VSE8_V1_A0,     CSRR_A0(0xc20),
        CSRR_A0(0x8), CSRR_A0(0xc22), CSRW_A1(0x00f), CSRR_A0(0xc21)
    };
    GRand *rand = fpv_rand_new();

    for (unsigned k = 0; k < G_N_ELEMENTS(insns); k++) {
        struct rvrun *r = new_run(rand);
        r->cpu->mstatus &= ~MSTATUS_VS;
        run_ok(r, insns[k]);
        g_assert_cmphex(r->cpu->cpu.tcg.pc, !=, RVRUN_PC + 4);
        g_assert_cmpuint(r->cpu->mcause, ==, EXC_ILLEGAL);
        rvrun_free(r);
    }
    g_rand_free(rand);
}

/* From Initial or Clean to Dirty, and then the instruction. */
static void test_dirty(void)
{
    GRand *rand = fpv_rand_new();
    struct rvrun *r = new_run(rand);

    r->cpu->mstatus = (r->cpu->mstatus & ~(MSTATUS_VS | MSTATUS_SD)) | MSTATUS_VS / 3;
    run_ok(r, VADD);
    g_assert_cmphex(r->cpu->cpu.tcg.pc, ==, RVRUN_PC);
    g_assert_cmphex(r->cpu->mstatus & (MSTATUS_VS | MSTATUS_SD), ==, MSTATUS_VS | MSTATUS_SD);
    run_ok(r, VADD);
    g_assert_cmphex(r->cpu->cpu.tcg.pc, ==, RVRUN_PC + 4);
    rvrun_free(r);
    g_rand_free(rand);
}

static uint64_t read_csr(struct rvrun *r, unsigned num)
{
    run_ok(r, CSRR_A0(num));
    g_assert_cmphex(r->cpu->cpu.tcg.pc, ==, RVRUN_PC + 4);
    return r->cpu->cpu.tcg.hot[10];
}

static void write_csr(struct rvrun *r, unsigned num, uint64_t val)
{
    r->cpu->cpu.tcg.hot[11] = val;
    run_ok(r, CSRW_A1(num));
}

static void test_csrs(void)
{
    GRand *rand = fpv_rand_new();
    struct rvrun *r = new_run(rand);

    g_assert_cmphex(read_csr(r, 0xc20), ==, 4);
    g_assert_cmphex(read_csr(r, 0xc21), ==, 0xd0);
    g_assert_cmphex(read_csr(r, 0xc22), ==, 16);
    write_csr(r, 0x008, ~0ULL);
    g_assert_cmphex(read_csr(r, 0x008), ==, 127);
    write_csr(r, 0x00f, ~0ULL);
    g_assert_cmphex(read_csr(r, 0x009), ==, 1);
    g_assert_cmphex(read_csr(r, 0x00a), ==, 3);
    write_csr(r, 0x00a, 2);
    g_assert_cmphex(read_csr(r, 0x00f), ==, 5);
    write_csr(r, 0xc20, 1);
    g_assert_cmpuint(r->cpu->mcause, ==, EXC_ILLEGAL);
    rvrun_free(r);
    g_rand_free(rand);
}

/* A store that faults in its middle goes on from there. */
static void test_restart(void)
{
    const uint64_t end = RVRUN_RAM + RVRUN_RO_PAGE * TCG_PAGE_SIZE;
    GRand *rand = fpv_rand_new();
    struct rvrun *r = new_run(rand);
    uint8_t *at = r->ram + (end - RVRUN_RAM);

    r->cpu->vtype = 0xc0; /* e8, m1 */
    r->cpu->vl = 16;
    r->cpu->cpu.tcg.hot[10] = end - 5;
    run_ok(r, VSE8_V1_A0);
    g_assert_cmpuint(r->cpu->mcause, ==, EXC_STORE_ACCESS);
    g_assert_cmphex(r->cpu->mtval, ==, end);
    g_assert_cmpuint(r->cpu->vstart, ==, 5);
    g_assert_cmpmem(at - 5, 5, r->cpu->v + 16, 5);
    /* The page is there now, as if it were lower: elements before vstart are not stored again. */
    memset(at - 100, 0, 100);
    r->cpu->cpu.tcg.hot[10] = end - 100;
    run_ok(r, VSE8_V1_A0);
    g_assert_cmphex(r->cpu->cpu.tcg.pc, ==, RVRUN_PC + 4);
    g_assert_cmpuint(r->cpu->vstart, ==, 0);
    g_assert_cmpmem(at - 100, 5, "\0\0\0\0\0", 5);
    g_assert_cmpmem(at - 95, 11, r->cpu->v + 16 + 5, 11);
    rvrun_free(r);
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/riscv-vector/128", "riscv64 max,vlen=128", test_forms);
    g_test_add_data_func("/riscv-vector/256-no-half", "riscv64 max,vlen=256,zvfh=off", test_forms);
    g_test_add_data_func("/riscv-vector/1024", "riscv64 max,vlen=1024", test_forms);
    g_test_add_data_func("/riscv-vector/rv32", "riscv32 max,vlen=512", test_forms);
    g_test_add_func("/riscv-vector/off", test_off);
    g_test_add_func("/riscv-vector/dirty", test_dirty);
    g_test_add_func("/riscv-vector/csrs", test_csrs);
    g_test_add_func("/riscv-vector/restart", test_restart);
    return g_test_run();
}
