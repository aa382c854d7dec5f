/*
 * info mem: what the current CPU's address space maps, found by asking its MMU address by address;
 * holes are as cheap as pages, since the MMU says how far each answer holds.
 */
#include <inttypes.h>
#include <string.h>
#include <base/bits.h>
#include <base/error.h>
#include <target/cpu.h>
#include "command.h"
#include "mmu-x86.h"

enum { MAX_STEPS = 1 << 20, ALL_BITS = 56 };

/* Neighbouring pages that are mapped alike, and lead to neighbouring memory. */
struct run {
    uint64_t vaddr, size;
    struct cpu_page page; /* of vaddr */
};

static void print_run(const struct run *r, unsigned digits, GString *out)
{
    const struct cpu_page *p = &r->page;

    if (!r->size)
        return;
    g_string_append_printf(out, "%0*" PRIx64 " %016" PRIx64 " %016" PRIx64 " %c%c%c%c\n",
                           (int)digits, r->vaddr, p->paddr, r->size, p->prot & PROT_R ? 'r' : '-',
                           p->prot & PROT_W ? 'w' : '-', p->prot & PROT_X ? 'x' : '-',
                           p->global ? 'g' : '-');
}

static bool continues(const struct run *r, uint64_t vaddr, const struct cpu_page *page)
{
    return r->size && r->vaddr + r->size == vaddr && r->page.paddr + r->size == page->paddr &&
           r->page.prot == page->prot && r->page.global == page->global;
}

/* As wide as any register that holds an address of code: not only pc does. */
static unsigned address_bits(struct cpu *cpu)
{
    unsigned count = 0;
    const struct cpu_reg *rows = cpu->ops->regs(cpu, &count);

    for (unsigned i = 0; i < count; i++)
        if (!strcmp(rows[i].gdb_type, "code_ptr"))
            return rows[i].bits;
    return 64;
}

/* False if nothing is translated. */
static bool print_space(struct cpu *cpu, GString *out)
{
    unsigned mode = cpu->ops->data_mode(cpu), bits = address_bits(cpu), digits = bits / 4;
    struct run run = { 0 };
    uint64_t addr = 0, size;

    for (unsigned step = 0; step < MAX_STEPS; step++) {
        struct cpu_page page = { 0 };
        struct cpu_fault fault;
        bool mapped = cpu->ops->map(cpu, addr, ACCESS_READ, mode, true, &page, &fault);

        if (mapped && page.size_bits >= ALL_BITS)
            return false;
        if (!mapped) /* smaller than a page is no answer */
            page.size_bits = MAX(page.size_bits, 12);
        size = BIT(page.size_bits) - (addr & mask64(page.size_bits));
        if (mapped && continues(&run, addr, &page)) {
            run.size += size;
        } else {
            print_run(&run, digits, out);
            run = mapped ? (struct run){ addr, size, page } : (struct run){ 0 };
        }
        addr += size;
        if (!(addr & mask64(bits)))
            break;
    }
    print_run(&run, digits, out);
    return true;
}

static bool info_mem(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    struct cpu *cpu = mon_hold_cpu(mon, err);
    unsigned digits;

    (void)args;
    if (!cpu)
        return false;
    if (mmu_x86_is(cpu)) {
        mmu_x86_print_runs(cpu, out);
        mon_release_cpu(mon);
        return true;
    }
    digits = address_bits(cpu) / 4;
    g_string_append_printf(out, "%-*s %-16s %-16s attr\n", (int)digits, "vaddr", "paddr", "size");
    for (unsigned i = 0; i < digits; i++)
        g_string_append_c(out, '-');
    g_string_append(out, " ---------------- ---------------- ----\n");
    if (!print_space(cpu, out))
        g_string_assign(out, "No translation or protection\n");
    mon_release_cpu(mon);
    return true;
}

static bool info_tlb(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    struct cpu *cpu = mon_hold_cpu(mon, err);
    bool ok;

    (void)args;
    if (!cpu)
        return false;
    ok = mmu_x86_is(cpu);
    if (ok)
        mmu_x86_print_pages(cpu, out);
    else
        error_set(err, "info tlb is for x86 CPUs: info mem shows what is mapped");
    mon_release_cpu(mon);
    return ok;
}

const struct mon_command mmu_commands[] = {
    { .hmp = "info mem", .text = info_mem, .help = "show the active virtual memory mappings" },
    { .hmp = "info tlb", .text = info_tlb, .help = "show virtual to physical memory mappings" },
    { 0 },
};
