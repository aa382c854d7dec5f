/* See mmu-x86.h. Intel's manual, volume 3A, chapter 4. */
#include "mmu-x86.h"

#include <inttypes.h>
#include <string.h>
#include <base/bits.h>
#include <mem/space.h>
#include <target/cpu.h>

/* Tables may lead to themselves: no more entries than this are looked at. */
enum { ENTRIES_MAX = 1 << 22, TABLE_SIZE = 4096, LEVELS_MAX = 5 };
enum {
    PTE_PRESENT = 0x001,
    PTE_WRITE = 0x002,
    PTE_USER = 0x004,
    PTE_THROUGH = 0x008,
    PTE_UNCACHED = 0x010,
    PTE_ACCESSED = 0x020,
    PTE_DIRTY = 0x040,
    PTE_LARGE = 0x080,
    PTE_GLOBAL = 0x100,
};
#define PTE_NX      (UINT64_C(1) << 63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)
#define CR0_PAGING  (UINT64_C(1) << 31)
#define CR4_PSE     0x10
#define CR4_PAE     0x20
#define CR4_LA57    0x1000
#define EFER_LMA    0x400

struct walk {
    struct cpu *cpu;
    GString *out;
    unsigned levels, entry_bytes, index_bits;
    unsigned large_levels; /* bit n: entries of level n may be pages; 0 is the last */
    bool pae32;            /* four entries at the top, without rights */
    unsigned budget;
    void (*page)(struct walk *w, uint64_t vaddr, uint64_t size, uint64_t entry, uint64_t rights);
    /* of runs */
    uint64_t from, to, rights;
};

static uint64_t reg(struct cpu *cpu, const char *name)
{
    unsigned count = 0;
    const struct cpu_reg *rows = cpu->ops->regs(cpu, &count);
    uint8_t bytes[8] = { 0 };

    for (unsigned i = 0; i < count; i++)
        if (!strcmp(rows[i].name, name) && rows[i].bits <= 64)
            return cpu->ops->get_reg(cpu, i, bytes) ? ldq_le(bytes) : 0;
    return 0;
}

bool mmu_x86_is(const struct cpu *cpu)
{
    return !strcmp(cpu->ops->arch, "x86_64") || !strcmp(cpu->ops->arch, "i386");
}

/* False: paging is off. */
static bool open_walk(struct walk *w, struct cpu *cpu)
{
    uint64_t cr4 = reg(cpu, "cr4"), efer = reg(cpu, "efer");

    w->cpu = cpu;
    w->budget = ENTRIES_MAX;
    w->entry_bytes = 8;
    w->index_bits = 9;
    if (efer & EFER_LMA) {
        w->levels = cr4 & CR4_LA57 ? 5 : 4;
        w->large_levels = 1 << 1 | 1 << 2;
    } else if (cr4 & CR4_PAE) {
        w->levels = 3;
        w->large_levels = 1 << 1;
        w->pae32 = true;
    } else {
        w->levels = 2;
        w->entry_bytes = 4;
        w->index_bits = 10;
        w->large_levels = cr4 & CR4_PSE ? 1 << 1 : 0;
    }
    return reg(cpu, "cr0") & CR0_PAGING;
}

static uint64_t entry_at(const struct walk *w, const uint8_t *table, unsigned i)
{
    return w->entry_bytes == 8 ? ldq_le(table + 8 * i) : ldl_le(table + 4 * i);
}

/* Upper half of long mode's addresses: the sign goes on. */
static uint64_t canonical(const struct walk *w, uint64_t vaddr)
{
    unsigned bits = 12 + w->levels * w->index_bits;

    return w->levels >= 4 && vaddr >> (bits - 1) & 1 ? vaddr | ~mask64(bits) : vaddr;
}

static void walk_table(struct walk *w, uint64_t at, unsigned level, uint64_t vaddr, uint64_t rights)
{
    bool top32 = w->pae32 && level == 2;
    unsigned shift = 12 + level * w->index_bits, n = top32 ? 4 : 1u << w->index_bits;
    uint8_t table[TABLE_SIZE];

    if (space_read(w->cpu->as, at, table, n * w->entry_bytes, MEM_ATTR_DEBUG) != MEM_OK)
        return;
    for (unsigned i = 0; i < n && w->budget; i++, w->budget--) {
        uint64_t e = entry_at(w, table, i), v = vaddr | (uint64_t)i << shift;
        uint64_t r = top32 ? rights : rights & e;

        if (!(e & PTE_PRESENT))
            continue;
        if (!level || (e & PTE_LARGE && w->large_levels >> level & 1))
            w->page(w, canonical(w, v), UINT64_C(1) << shift, e, r);
        else
            walk_table(w, e & PTE_ADDRESS, level - 1, v, r);
    }
}

static void walk(struct walk *w)
{
    uint64_t cr3 = reg(w->cpu, "cr3");

    walk_table(w, w->pae32 ? cr3 & 0xffffffe0 : cr3 & PTE_ADDRESS, w->levels - 1, 0,
               PTE_USER | PTE_WRITE);
    if (!w->budget)
        g_string_append(w->out, "(tables go on; no more of them is shown)\n");
}

/* ---- info tlb ---- */

static void print_page(struct walk *w, uint64_t vaddr, uint64_t size, uint64_t e, uint64_t rights)
{
    static const struct {
        uint64_t bit;
        char letter;
    } flags[] = {
        { PTE_NX, 'X' },      { PTE_GLOBAL, 'G' },   { PTE_LARGE, 'P' },
        { PTE_DIRTY, 'D' },   { PTE_ACCESSED, 'A' }, { PTE_UNCACHED, 'C' },
        { PTE_THROUGH, 'T' }, { PTE_USER, 'U' },     { PTE_WRITE, 'W' },
    };

    (void)rights;
    if (size == TABLE_SIZE)
        e &= ~(uint64_t)PTE_LARGE; /* it is the PAT's bit there */
    g_string_append_printf(w->out, "%016" PRIx64 ": %016" PRIx64 " ", vaddr,
                           e & PTE_ADDRESS & ~(size - 1));
    for (unsigned i = 0; i < ARRAY_LEN(flags); i++)
        g_string_append_c(w->out, e & flags[i].bit ? flags[i].letter : '-');
    g_string_append_c(w->out, '\n');
}

void mmu_x86_print_pages(struct cpu *cpu, GString *out)
{
    struct walk w = { .out = out, .page = print_page };

    if (open_walk(&w, cpu))
        walk(&w);
    else
        g_string_append(out, "PG disabled\n");
}

/* ---- info mem ---- */

static void print_run(struct walk *w)
{
    if (w->from != w->to)
        g_string_append_printf(w->out, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %cr%c\n",
                               w->from, w->to, w->to - w->from, w->rights & PTE_USER ? 'u' : '-',
                               w->rights & PTE_WRITE ? 'w' : '-');
}

static void extend_run(struct walk *w, uint64_t vaddr, uint64_t size, uint64_t e, uint64_t rights)
{
    (void)e;
    if (vaddr != w->to || rights != w->rights || w->from == w->to) {
        print_run(w);
        w->from = vaddr;
        w->rights = rights;
    }
    w->to = vaddr + size;
}

void mmu_x86_print_runs(struct cpu *cpu, GString *out)
{
    struct walk w = { .out = out, .page = extend_run };

    if (!open_walk(&w, cpu)) {
        g_string_append(out, "PG disabled\n");
        return;
    }
    walk(&w);
    print_run(&w);
}
