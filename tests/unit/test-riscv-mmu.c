/*
 * RISC-V address translation over a small made-up memory: schemes, permissions, A and D bits,
 * reserved bits, Svnapot, Svpbmt, physical memory protection.
 */
#include <base/loop.h>
#include <mem/space.h>
#include <target/riscv/riscv.h>

#define RAM  0x80000000ULL
#define SIZE 0x100000
#define ROOT (RAM + 0x1000)
enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };

struct fixture {
    struct loop *loop;
    struct mem *mem;
    struct mem_region root, ram;
    struct address_space as;
    struct riscv_cpu *c;
    uint64_t next; /* free table page */
};

static void set_up(struct fixture *f, const char *arch, const char *spec)
{
    GError *err = NULL;

    f->loop = loop_new();
    loop_lock(f->loop);
    f->mem = mem_new(f->loop);
    mem_region_init(&f->root, f->mem, "root", MEM_SIZE_ALL);
    g_assert_true(mem_region_init_ram(&f->ram, f->mem, "ram", SIZE, &err));
    mem_region_add(&f->root, RAM, &f->ram);
    space_init(&f->as, f->mem, &f->root, "test");
    f->c = riscv_of(cpu_create(arch, spec, &err));
    g_assert_no_error(err);
    f->c->cpu.as = &f->as;
    f->next = ROOT + 0x1000;
    /* All memory is open to S and U. */
    riscv_csr_write(f->c, 0x3b0, ~0ULL, ~0ULL);
    riscv_csr_write(f->c, 0x3a0, PMP_NAPOT | 7, ~0ULL);
    riscv_enter(f->c, PRIV_S, f->c->mstatus);
}

static void tear_down(struct fixture *f)
{
    cpu_free(&f->c->cpu);
    mem_region_destroy(&f->ram);
    mem_region_destroy(&f->root);
    space_destroy(&f->as);
    mem_free(f->mem);
    loop_unlock(f->loop);
    loop_free(f->loop);
}

static unsigned pte_bytes(const struct fixture *f)
{
    return f->c->xlen == 32 ? 4 : 8;
}

static uint64_t get_pte(struct fixture *f, uint64_t at)
{
    uint64_t v = 0;

    g_assert_cmpint(space_load(&f->as, at, pte_bytes(f), &v, 0), ==, MEM_OK);
    return v;
}

static void put_pte(struct fixture *f, uint64_t at, uint64_t v)
{
    g_assert_cmpint(space_store(&f->as, at, pte_bytes(f), v, 0), ==, MEM_OK);
}

/* Maps @vaddr by a leaf at @level with the bits @pte over physical @paddr; where that leaf is. */
static uint64_t map(struct fixture *f, unsigned levels, uint64_t vaddr, unsigned level,
                    uint64_t paddr, uint64_t pte)
{
    unsigned bits = f->c->xlen == 32 ? 10 : 9;
    uint64_t table = ROOT, at;

    for (unsigned l = levels - 1;; l--) {
        at = table + (vaddr >> (12 + bits * l) & mask64(bits)) * pte_bytes(f);
        if (l == level)
            break;
        if (!get_pte(f, at)) {
            put_pte(f, at, f->next >> 12 << 10 | V);
            f->next += 0x1000;
        }
        table = get_pte(f, at) >> 10 << 12;
    }
    put_pte(f, at, paddr >> 12 << 10 | pte);
    return at;
}

static void use(struct fixture *f, unsigned mode)
{
    uint64_t satp = f->c->xlen == 32 ? 1ULL << 31 : (uint64_t)mode << 60;

    riscv_csr_write(f->c, 0x180, satp | ROOT >> 12, ~0ULL);
}

static enum fault_kind try(struct fixture *f, uint64_t vaddr, enum mem_access access, unsigned mode,
                           struct cpu_page *page)
{
    struct cpu *cpu = &f->c->cpu;
    struct cpu_fault fault;

    if (cpu->ops->map(cpu, vaddr, access, mode, false, page, &fault))
        return FAULT_NONE;
    g_assert_cmphex(fault.vaddr, ==, vaddr);
    g_assert_cmpint(fault.access, ==, access);
    return fault.kind;
}

#define expect(f, vaddr, access, mode, kind)                         \
    do {                                                             \
        struct cpu_page p_;                                          \
        g_assert_cmpint(try(f, vaddr, access, mode, &p_), ==, kind); \
    } while (0)

static void check_scheme(const char *arch, unsigned mode, unsigned levels, uint64_t vaddr)
{
    struct fixture f;
    struct cpu_page page;

    set_up(&f, arch, "max");
    map(&f, levels, vaddr, 0, RAM + 0x5000, V | R | W | A | D);
    use(&f, mode);
    g_assert_cmpint(try(&f, vaddr + 0x123, ACCESS_READ, MODE_S, &page), ==, FAULT_NONE);
    g_assert_cmphex(page.paddr, ==, RAM + 0x5123);
    g_assert_cmpuint(page.prot, ==, PROT_R | PROT_W);
    g_assert_cmpuint(page.size_bits, ==, 12);
    g_assert_false(page.global);
    expect(&f, vaddr, ACCESS_FETCH, MODE_S, FAULT_PAGE);
    expect(&f, vaddr + 0x1000, ACCESS_READ, MODE_S, FAULT_PAGE);
    /* M mode sees physical addresses. */
    g_assert_cmpint(try(&f, RAM + 5, ACCESS_FETCH, MODE_M, &page), ==, FAULT_NONE);
    g_assert_cmphex(page.paddr, ==, RAM + 5);
    tear_down(&f);
}

static void test_schemes(void)
{
    check_scheme("riscv32", 1, 2, 0xc0401000);
    check_scheme("riscv64", 8, 3, 0xffffffffc0001000);
    check_scheme("riscv64", 9, 4, 0xffff900000201000);
    check_scheme("riscv64", 10, 5, 0x00f0123456789000);
}

static void test_canonical(void)
{
    struct fixture f;

    set_up(&f, "riscv64", "max");
    map(&f, 3, 0x1000, 0, RAM + 0x5000, V | R | A);
    use(&f, 8);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_NONE);
    expect(&f, 0x8000001000, ACCESS_READ, MODE_S, FAULT_PAGE);
    expect(&f, 1ULL << 63 | 0x1000, ACCESS_READ, MODE_S, FAULT_PAGE);
    tear_down(&f);
}

static void test_superpages(void)
{
    struct fixture f;
    struct cpu_page page;

    set_up(&f, "riscv64", "max");
    map(&f, 3, 0x40200000, 1, 0x80200000, V | R | X | G | A);
    map(&f, 3, 0x40400000, 1, 0x80201000, V | R | A); /* misaligned */
    use(&f, 8);
    g_assert_cmpint(try(&f, 0x40234567, ACCESS_FETCH, MODE_S, &page), ==, FAULT_NONE);
    g_assert_cmphex(page.paddr, ==, 0x80234567);
    g_assert_cmpuint(page.size_bits, ==, 21);
    g_assert_true(page.global);
    expect(&f, 0x40400000, ACCESS_READ, MODE_S, FAULT_PAGE);
    tear_down(&f);
    set_up(&f, "riscv32", "max");
    map(&f, 2, 0x40000000, 1, 0x80000000, V | R | W | A | D);
    use(&f, 1);
    g_assert_cmpint(try(&f, 0x403fffff, ACCESS_WRITE, MODE_S, &page), ==, FAULT_NONE);
    g_assert_cmphex(page.paddr, ==, 0x803fffff);
    g_assert_cmpuint(page.size_bits, ==, 22);
    tear_down(&f);
}

static void test_permissions(void)
{
    struct fixture f;

    set_up(&f, "riscv64", "max");
    map(&f, 3, 0x1000, 0, RAM + 0x5000, V | R | W | U | A | D);
    map(&f, 3, 0x2000, 0, RAM + 0x5000, V | X | U | A);
    map(&f, 3, 0x3000, 0, RAM + 0x5000, V | X | R | A);
    map(&f, 3, 0x4000, 0, RAM + 0x5000, V | W | A | D); /* reserved */
    map(&f, 3, 0x5000, 0, RAM + 0x5000, R | A);         /* not valid */
    use(&f, 8);
    expect(&f, 0x1000, ACCESS_READ, MODE_U, FAULT_NONE);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_PAGE);
    expect(&f, 0x1000, ACCESS_READ, MODE_S_SUM, FAULT_NONE);
    expect(&f, 0x1000, ACCESS_WRITE, MODE_S_SUM_MXR, FAULT_NONE);
    expect(&f, 0x1000, ACCESS_READ, MODE_S_MXR, FAULT_PAGE);
    expect(&f, 0x2000, ACCESS_FETCH, MODE_U, FAULT_NONE);
    expect(&f, 0x2000, ACCESS_FETCH, MODE_S, FAULT_PAGE);
    expect(&f, 0x2000, ACCESS_READ, MODE_U, FAULT_PAGE);
    expect(&f, 0x2000, ACCESS_READ, MODE_U_MXR, FAULT_NONE);
    expect(&f, 0x2000, ACCESS_READ, MODE_S_SUM_MXR, FAULT_NONE);
    expect(&f, 0x3000, ACCESS_FETCH, MODE_S, FAULT_NONE);
    expect(&f, 0x3000, ACCESS_READ, MODE_U, FAULT_PAGE);
    expect(&f, 0x3000, ACCESS_WRITE, MODE_S, FAULT_PAGE);
    expect(&f, 0x4000, ACCESS_WRITE, MODE_S, FAULT_PAGE);
    expect(&f, 0x5000, ACCESS_READ, MODE_S, FAULT_PAGE);
    tear_down(&f);
}

static void test_accessed_dirty(void)
{
    struct fixture f;
    struct cpu_page page;
    uint64_t at;

    set_up(&f, "riscv64", "max,svade=off");
    at = map(&f, 3, 0x1000, 0, RAM + 0x5000, V | R | W);
    use(&f, 8);
    g_assert_cmpint(try(&f, 0x1000, ACCESS_READ, MODE_S, &page), ==, FAULT_NONE);
    g_assert_cmpuint(page.prot, ==, PROT_R); /* a store is to come back and set D */
    g_assert_cmphex(get_pte(&f, at) & 0xff, ==, V | R | W | A);
    g_assert_cmpint(try(&f, 0x1000, ACCESS_WRITE, MODE_S, &page), ==, FAULT_NONE);
    g_assert_cmpuint(page.prot, ==, PROT_R | PROT_W);
    g_assert_cmphex(get_pte(&f, at) & 0xff, ==, V | R | W | A | D);
    /* A fault of permission sets nothing. */
    put_pte(&f, at, (RAM + 0x5000) >> 2 | V | R);
    expect(&f, 0x1000, ACCESS_WRITE, MODE_S, FAULT_PAGE);
    g_assert_cmphex(get_pte(&f, at) & 0xff, ==, V | R);
    /* Svade: software sets them. */
    riscv_csr_write(f.c, 0x30a, 0, ENVCFG_ADUE);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_PAGE);
    put_pte(&f, at, (RAM + 0x5000) >> 2 | V | R | W | A);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_NONE);
    expect(&f, 0x1000, ACCESS_WRITE, MODE_S, FAULT_PAGE);
    tear_down(&f);
}

static void test_reserved(void)
{
    struct fixture f;
    struct cpu_page page;
    uint64_t leaf = (RAM + 0x5000) >> 2 | V | R | A, at;

    set_up(&f, "riscv64", "max");
    at = map(&f, 3, 0x1000, 0, RAM + 0x5000, V | R | A);
    use(&f, 8);
    put_pte(&f, at, leaf | 1ULL << 54);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_PAGE);
    put_pte(&f, at, leaf | 1ULL << 61); /* PBMT is off */
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_PAGE);
    riscv_csr_write(f.c, 0x30a, ENVCFG_PBMTE, ENVCFG_PBMTE);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_NONE);
    put_pte(&f, at, leaf | 3ULL << 61);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_PAGE);
    /* Svnapot: only 64 KiB. */
    put_pte(&f, at, leaf | 1ULL << 63);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_PAGE);
    put_pte(&f, at, (RAM + 0x18000) >> 2 | V | R | A | 1ULL << 63);
    g_assert_cmpint(try(&f, 0x1234, ACCESS_READ, MODE_S, &page), ==, FAULT_NONE);
    g_assert_cmphex(page.paddr, ==, RAM + 0x11234);
    g_assert_cmpuint(page.size_bits, ==, 16);
    /* A pointer must not look like a leaf otherwise. */
    put_pte(&f, at, leaf);
    put_pte(&f, ROOT, get_pte(&f, ROOT) | A);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_PAGE);
    tear_down(&f);
}

static void test_tables_outside_ram(void)
{
    struct fixture f;

    set_up(&f, "riscv64", "max");
    riscv_csr_write(f.c, 0x180, 8ULL << 60 | 0x1000, ~0ULL);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_ACCESS);
    tear_down(&f);
}

static void test_debug(void)
{
    struct fixture f;
    struct cpu_page page;
    struct cpu_fault fault;
    uint64_t at;

    set_up(&f, "riscv64", "max");
    at = map(&f, 3, 0x1000, 0, RAM + 0x5000, V | X | U);
    use(&f, 8);
    g_assert_true(riscv_map(&f.c->cpu, 0x1010, ACCESS_READ, MODE_S, true, &page, &fault));
    g_assert_cmphex(page.paddr, ==, RAM + 0x5010);
    g_assert_cmphex(get_pte(&f, at) & A, ==, 0);
    g_assert_false(
        riscv_map(&f.c->cpu, 0x9000000000ull >> 4, ACCESS_READ, MODE_S, true, &page, &fault));
    tear_down(&f);
}

/* ---- Physical memory protection ---- */

static void pmp(struct fixture *f, unsigned n, uint64_t addr, unsigned cfg)
{
    riscv_csr_write(f->c, 0x3b0 + n, addr, ~0ULL);
    riscv_csr_write(f->c, 0x3a0, (uint64_t)cfg << 8 * n, 0xffULL << 8 * n);
}

static void test_pmp(void)
{
    struct fixture f;
    struct cpu_page page;

    set_up(&f, "riscv64", "max");
    pmp(&f, 0, 0, PMP_OFF);
    expect(&f, RAM, ACCESS_READ, MODE_S, FAULT_ACCESS); /* nothing matches */
    expect(&f, RAM, ACCESS_READ, MODE_M, FAULT_NONE);
    pmp(&f, 1, RAM >> 2, PMP_OFF);
    pmp(&f, 2, (RAM + 0x2010) >> 2, PMP_TOR | PMP_R);
    g_assert_cmpint(try(&f, RAM + 0x1000, ACCESS_READ, MODE_S, &page), ==, FAULT_NONE);
    g_assert_cmpuint(page.prot, ==, PROT_R);
    g_assert_cmpuint(page.size_bits, >=, 12);
    expect(&f, RAM + 0x1000, ACCESS_WRITE, MODE_S, FAULT_ACCESS);
    g_assert_cmpint(try(&f, RAM + 0x200f, ACCESS_READ, MODE_S, &page), ==, FAULT_NONE);
    g_assert_cmpuint(page.size_bits, ==, 4);
    expect(&f, RAM + 0x2010, ACCESS_READ, MODE_S, FAULT_ACCESS);
    /* The lowest number wins; unlocked entries do not bind M mode. */
    pmp(&f, 0, (RAM + 0x1000) >> 2, PMP_NA4);
    expect(&f, RAM + 0x1003, ACCESS_READ, MODE_S, FAULT_ACCESS);
    expect(&f, RAM + 0x1004, ACCESS_READ, MODE_S, FAULT_NONE);
    expect(&f, RAM + 0x1000, ACCESS_WRITE, MODE_M, FAULT_NONE);
    pmp(&f, 0, (RAM + 0x1000) >> 2, PMP_NA4 | PMP_L | PMP_R);
    expect(&f, RAM + 0x1000, ACCESS_WRITE, MODE_M, FAULT_ACCESS);
    expect(&f, RAM + 0x1000, ACCESS_READ, MODE_M, FAULT_NONE);
    tear_down(&f);
}

/* Tables are read, and their bits set, with the rights of S mode. */
static void test_pmp_tables(void)
{
    struct fixture f;

    set_up(&f, "riscv64", "max,svade=off");
    map(&f, 3, 0x1000, 0, RAM + 0x8000, V | R | W);
    use(&f, 8);
    pmp(&f, 1, ~0ULL, PMP_NAPOT | 7);
    pmp(&f, 0, (RAM | 0x3fff) >> 2, PMP_NAPOT | PMP_R); /* NAPOT of 32 KiB: read-only tables */
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_ACCESS);
    pmp(&f, 0, (RAM | 0x3fff) >> 2, PMP_NAPOT | PMP_R | PMP_W);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_NONE);
    pmp(&f, 0, (RAM | 0x3fff) >> 2, PMP_NAPOT);
    expect(&f, 0x1000, ACCESS_READ, MODE_S, FAULT_ACCESS);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/riscv-mmu/schemes", test_schemes);
    g_test_add_func("/riscv-mmu/canonical", test_canonical);
    g_test_add_func("/riscv-mmu/superpages", test_superpages);
    g_test_add_func("/riscv-mmu/permissions", test_permissions);
    g_test_add_func("/riscv-mmu/accessed-dirty", test_accessed_dirty);
    g_test_add_func("/riscv-mmu/reserved", test_reserved);
    g_test_add_func("/riscv-mmu/tables-outside-ram", test_tables_outside_ram);
    g_test_add_func("/riscv-mmu/debug", test_debug);
    g_test_add_func("/riscv-mmu/pmp", test_pmp);
    g_test_add_func("/riscv-mmu/pmp-tables", test_pmp_tables);
    return g_test_run();
}
