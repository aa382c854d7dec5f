/*
 * x86 paging: schemes, permissions, error codes, accessed and dirty bits, reserved bits, large
 * pages, SMEP, SMAP, protection keys, A20.
 */
#include "x86sys.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
#define NX BIT(63)

#define ROOT  X86SYS_TABLES
#define VADDR UINT64_C(0x00403000)
#define PAGE  UINT64_C(0x70000)

struct scheme {
    const char *arch, *cpu;
    unsigned levels, bits, bytes;
    uint64_t cr4, efer;
};
static const struct scheme schemes[] = {
    { "i386", "pentium3", 2, 10, 4, CR4_PSE | CR4_PGE, 0 },
    { "i386", "max", 2, 9, 8, CR4_PAE | CR4_PGE, EFER_NXE }, /* and the pointer table */
    { "x86_64", "max", 4, 9, 8, CR4_PAE | CR4_PGE, EFER_NXE | EFER_LME | EFER_LMA },
    { "x86_64", "max", 5, 9, 8, CR4_PAE | CR4_PGE | CR4_LA57, EFER_NXE | EFER_LME | EFER_LMA },
};

/* Tables that lead to VADDR, one a level from ROOT down; where the entry of @level is. */
static uint64_t entry_at(const struct scheme *k, unsigned level)
{
    uint64_t table = ROOT + (k->levels - level) * 0x1000;

    return table + (VADDR >> (12 + (level - 1) * k->bits) & mask64(k->bits)) * k->bytes;
}

static void put(struct x86sys *s, const struct scheme *k, unsigned level, uint64_t val)
{
    x86sys_put(s, entry_at(k, level), k->bytes, val);
}

static void make(struct x86sys *s, const struct scheme *k)
{
    x86sys_new(s, k->arch, k->cpu);
    x86sys_protected(s);
    s->c->cr4 = k->cr4;
    s->c->efer = k->efer;
    s->c->cr0 |= CR0_PG | CR0_WP;
    s->c->cr3 = ROOT;
    for (unsigned level = k->levels; level > 1; level--)
        put(s, k, level, (entry_at(k, level - 1) & ~0xfffULL) | P | W | U);
    put(s, k, 1, PAGE | P | W | U);
    if (!x86_lma(s->c) && k->cr4 & CR4_PAE) {
        x86sys_put(s, 0xf000, 8, ROOT | P);
        g_assert_true(x86_load_pdptes(s->c, 0xf000));
    }
}

/* The error code of an access, or -1 if it is permitted. */
static int access_code(struct x86sys *s, enum mem_access access, unsigned mode)
{
    struct cpu_page page;
    struct cpu_fault f;

    if (x86_map(&s->c->cpu, VADDR + 0x123, access, mode, false, &page, &f)) {
        g_assert_cmphex(page.paddr, ==, PAGE + 0x123);
        return -1;
    }
    g_assert_cmpint(f.kind, ==, FAULT_PAGE);
    g_assert_cmphex(f.vaddr, ==, VADDR + 0x123);
    return (int)f.extra;
}

static void each_scheme(void)
{
    for (unsigned n = 0; n < ARRAY_LEN(schemes); n++) {
        const struct scheme *k = &schemes[n];
        int fetch = k->efer & EFER_NXE ? 16 : 0;
        struct x86sys s;

        make(&s, k);
        g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_USER), ==, -1);
        for (unsigned level = k->levels; level; level--) {
            uint64_t at = entry_at(k, level), old = x86sys_get(&s, at, k->bytes);
            g_assert_cmphex(old & A, ==, A);
            /* not present, supervisor's, read-only */
            x86sys_put(&s, at, k->bytes, old & ~(uint64_t)P);
            g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_USER), ==, 4);
            g_assert_cmpint(access_code(&s, ACCESS_WRITE, MODE_KERNEL), ==, 2);
            g_assert_cmpint(access_code(&s, ACCESS_FETCH, MODE_USER), ==, 4 | fetch);
            x86sys_put(&s, at, k->bytes, old & ~(uint64_t)U);
            g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_USER), ==, 5);
            g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_KERNEL), ==, -1);
            x86sys_put(&s, at, k->bytes, old & ~(uint64_t)W);
            g_assert_cmpint(access_code(&s, ACCESS_WRITE, MODE_USER), ==, 7);
            g_assert_cmpint(access_code(&s, ACCESS_WRITE, MODE_KERNEL), ==, 3);
            s.c->cr0 &= ~CR0_WP;
            g_assert_cmpint(access_code(&s, ACCESS_WRITE, MODE_KERNEL), ==, -1);
            s.c->cr0 |= CR0_WP;
            if (k->bytes == 8) {
                x86sys_put(&s, at, 8, old | NX);
                g_assert_cmpint(access_code(&s, ACCESS_FETCH, MODE_USER), ==, 5 | 16);
                s.c->efer &= ~EFER_NXE;
                g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_KERNEL), ==, 9);
                s.c->efer |= EFER_NXE;
                x86sys_put(&s, at, 8, old | BIT(51)); /* beyond the physical addresses */
                g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_KERNEL), ==, 9);
            }
            x86sys_put(&s, at, k->bytes, old);
        }
        x86sys_free(&s);
    }
}

/* W is given only when D is set, and D only by a write. */
static void dirty(void)
{
    const struct scheme *k = &schemes[2];
    struct cpu_page page;
    struct cpu_fault f;
    struct x86sys s;

    make(&s, k);
    put(&s, k, 1, PAGE | P | W | U | G);
    g_assert_true(
        x86_map(&s.c->cpu, VADDR, ACCESS_READ, MODE_KERNEL, true, &page, &f)); /* debugger */
    g_assert_cmphex(x86sys_get(&s, entry_at(k, 1), 8), ==, PAGE | P | W | U | G);
    g_assert_true(x86_map(&s.c->cpu, VADDR, ACCESS_READ, MODE_KERNEL, false, &page, &f));
    g_assert_cmphex(page.prot, ==, PROT_R | PROT_X);
    g_assert_true(page.global);
    g_assert_cmphex(x86sys_get(&s, entry_at(k, 1), 8) & (A | D), ==, A);
    g_assert_true(x86_map(&s.c->cpu, VADDR, ACCESS_WRITE, MODE_KERNEL, false, &page, &f));
    g_assert_cmphex(page.prot, ==, PROT_R | PROT_W | PROT_X);
    g_assert_cmphex(x86sys_get(&s, entry_at(k, 1), 8) & (A | D), ==, A | D);
    x86sys_free(&s);
}

static void large_pages(void)
{
    struct x86sys s;
    struct cpu_page page;
    struct cpu_fault f;

    make(&s, &schemes[0]); /* 4 MiB; PSE-36 puts address bits 39:32 at 20:13 */
    put(&s, &schemes[0], 2, 0x00800000 | P | W | U | PS | 1 << 13);
    g_assert_true(x86_map(&s.c->cpu, VADDR, ACCESS_READ, MODE_KERNEL, false, &page, &f));
    g_assert_cmphex(page.paddr, ==, 0x100803000);
    g_assert_cmpint(page.size_bits, ==, 22);
    put(&s, &schemes[0], 2, 0x00800000 | P | W | U | PS | 1 << 21);
    g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_KERNEL), ==, 9);
    x86sys_free(&s);
    make(&s, &schemes[2]); /* 1 GiB */
    put(&s, &schemes[2], 3, 0x40000000 | P | W | U | PS);
    g_assert_true(x86_map(&s.c->cpu, VADDR, ACCESS_READ, MODE_KERNEL, false, &page, &f));
    g_assert_cmphex(page.paddr, ==, 0x40403000);
    put(&s, &schemes[2], 3, 0x40000000 | P | W | U | PS | 1 << 13);
    g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_KERNEL), ==, 9);
    put(&s, &schemes[2], 4, P | PS); /* there are no pages of 512 GiB */
    g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_KERNEL), ==, 9);
    x86sys_free(&s);
}

static void supervisor_guards(void)
{
    struct x86sys s;

    make(&s, &schemes[2]);
    s.c->cr4 |= CR4_SMEP | CR4_SMAP;
    g_assert_cmpint(access_code(&s, ACCESS_FETCH, MODE_KERNEL), ==, 17);
    g_assert_cmpint(access_code(&s, ACCESS_FETCH, MODE_USER), ==, -1);
    g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_KERNEL_SMAP), ==, 1);
    g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_KERNEL), ==, -1);
    put(&s, &schemes[2], 1, PAGE | P | W);
    g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_KERNEL_SMAP), ==, -1);
    g_assert_cmpint(access_code(&s, ACCESS_FETCH, MODE_KERNEL), ==, -1);
    x86sys_free(&s);
}

static void keys(void)
{
    struct x86sys s;

    make(&s, &schemes[2]);
    s.c->cr4 |= CR4_PKE;
    put(&s, &schemes[2], 1, PAGE | P | W | U | 5ULL << 59);
    s.c->pkru = 2 << 10; /* no writes */
    g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_USER), ==, -1);
    g_assert_cmpint(access_code(&s, ACCESS_WRITE, MODE_USER), ==, 7 | 32);
    g_assert_cmpint(access_code(&s, ACCESS_WRITE, MODE_KERNEL), ==, 3 | 32);
    s.c->pkru = 1 << 10; /* no accesses */
    g_assert_cmpint(access_code(&s, ACCESS_READ, MODE_KERNEL), ==, 1 | 32);
    g_assert_cmpint(access_code(&s, ACCESS_FETCH, MODE_USER), ==, -1);
    x86sys_free(&s);
}

static void not_canonical(void)
{
    struct cpu_page page;
    struct cpu_fault f;
    struct x86sys s;

    make(&s, &schemes[2]);
    g_assert_false(x86_map(&s.c->cpu, BIT(47), ACCESS_READ, MODE_KERNEL, false, &page, &f));
    g_assert_cmpint(f.kind, ==, FAULT_ACCESS);
    g_assert_cmpint(f.extra, ==, FAULT_X_GP);
    x86sys_free(&s);
}

/* A segment check that generated code left to map(): read-only, expand-down. */
static void slow_address(void)
{
    uint64_t linear = 0x5678, slow = X86_SLOW_ADDRESS | (uint64_t)S_DS << X86_SLOW_SEG_SHIFT |
                                     UINT64_C(3) << X86_SLOW_SIZE_SHIFT | linear;
    struct cpu_page page;
    struct cpu_fault f;
    struct x86sys s;

    x86sys_new(&s, "i386", "pentium3");
    x86sys_protected(&s);
    x86_seg_set_raw(s.c, S_DS, SEL_RO, 0x1230, 0xffff, 0xf1);
    g_assert_true(x86_map(&s.c->cpu, slow, ACCESS_READ, MODE_USER, false, &page, &f));
    g_assert_cmphex(page.paddr, ==, linear);
    g_assert_cmpint(page.size_bits, ==, 0);
    g_assert_false(x86_map(&s.c->cpu, slow, ACCESS_WRITE, MODE_USER, false, &page, &f));
    g_assert_cmpint(f.extra, ==, FAULT_X_GP);
    x86sys_free(&s);
}

static void a20(void)
{
    struct cpu_page page;
    struct cpu_fault f;
    struct x86sys s;

    x86sys_new(&s, "i386", "486");
    x86_set_a20(&s.c->cpu, false);
    g_assert_true(x86_map(&s.c->cpu, 0x10ffef, ACCESS_READ, MODE_KERNEL, false, &page, &f));
    g_assert_cmphex(page.paddr, ==, 0xffef);
    x86_set_a20(&s.c->cpu, true);
    g_assert_true(x86_map(&s.c->cpu, 0x10ffef, ACCESS_READ, MODE_KERNEL, false, &page, &f));
    g_assert_cmphex(page.paddr, ==, 0x10ffef);
    x86sys_free(&s);
}

static void pointer_table(void)
{
    struct x86sys s;

    x86sys_new(&s, "i386", "max");
    x86sys_put(&s, 0xf000, 8, ROOT | P | W); /* W is reserved here */
    g_assert_false(x86_load_pdptes(s.c, 0xf000));
    x86sys_put(&s, 0xf000, 8, W); /* not present: anything goes */
    g_assert_true(x86_load_pdptes(s.c, 0xf000));
    x86sys_free(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/mmu/each-scheme", each_scheme);
    g_test_add_func("/x86/mmu/dirty", dirty);
    g_test_add_func("/x86/mmu/large-pages", large_pages);
    g_test_add_func("/x86/mmu/supervisor-guards", supervisor_guards);
    g_test_add_func("/x86/mmu/keys", keys);
    g_test_add_func("/x86/mmu/not-canonical", not_canonical);
    g_test_add_func("/x86/mmu/slow-address", slow_address);
    g_test_add_func("/x86/mmu/a20", a20);
    g_test_add_func("/x86/mmu/pointer-table", pointer_table);
    return g_test_run();
}
