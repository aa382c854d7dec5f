/* RISC-V harts as boards see them; see harts.h. */
#include "harts.h"

#include <string.h>
#include <hw/irqchip/aclint.h>
#include <target/cpu.h>
#include <target/riscv.h>

static struct cpu *make_hart(struct harts *h, unsigned i, uint64_t reset_pc, GError **err)
{
    struct machine *m = h->machine;
    struct cpu *cpu = cpu_create(m->cfg.arch, m->cfg.cpu, err);

    if (!cpu)
        return NULL;
    cpu->machine = m;
    cpu->as = &m->memory;
    cpu->index = i;
    riscv_set_hart(cpu, m->loop, i, reset_pc);
    return cpu;
}

bool harts_init(struct harts *h, struct machine *m, uint64_t reset_pc, GError **err)
{
    h->machine = m;
    h->count = m->cfg.cpus;
    h->rv64 = strcmp(m->cfg.arch, "riscv64") == 0;
    h->first = make_hart(h, 0, reset_pc, err);
    if (!h->first)
        return false;
    for (unsigned i = 0; i < h->count && !m->cfg.no_cpus; i++) {
        struct cpu *cpu = i ? make_hart(h, i, reset_pc, NULL) : h->first;

        g_ptr_array_add(m->cpus, cpu);
        cpu_add_state(cpu);
    }
    return true;
}

static uint64_t time_read(void *mtimer)
{
    return aclint_mtime(mtimer);
}

static int64_t time_deadline(void *mtimer, uint64_t ticks)
{
    return aclint_deadline(mtimer, ticks);
}

static const struct riscv_time_ops time_ops = { time_read, time_deadline };

static void time_jumped(void *opaque)
{
    GPtrArray *cpus = opaque;

    for (unsigned i = 0; i < cpus->len; i++)
        riscv_time_jumped(cpus->pdata[i]);
}

void harts_connect_time(struct harts *h, struct device *mtimer, uint32_t frequency)
{
    (void)frequency;
    for (unsigned i = 0; i < h->machine->cpus->len; i++)
        riscv_set_time(h->machine->cpus->pdata[i], &time_ops, mtimer);
    aclint_on_jump(mtimer, time_jumped, h->machine->cpus);
}

static void drive(void *opaque, unsigned n, bool level)
{
    struct cpu *cpu = opaque;

    cpu->ops->set_irq(cpu, n, level);
}

struct irq_line hart_irq(struct harts *h, unsigned hart, enum hart_irq n)
{
    if (h->machine->cfg.no_cpus)
        return (struct irq_line){ 0 };
    return (struct irq_line){ drive, h->machine->cpus->pdata[hart], n };
}

void harts_free(struct harts *h)
{
    if (!h->machine) /* init did not come as far */
        return;
    if (h->machine->cfg.no_cpus && h->first)
        cpu_free(h->first);
    g_ptr_array_foreach(h->machine->cpus, (GFunc)(void (*)(void))cpu_free, NULL);
    g_ptr_array_set_size(h->machine->cpus, 0);
    h->first = NULL;
}

/* The ISA in both descriptions: the string, and base with a list of single extensions. */
static void add_isa(struct devtree *t, const char *path, struct cpu *cpu)
{
    g_autofree char *isa = riscv_isa(cpu);
    g_auto(GStrv) extensions = riscv_isa_extensions(cpu);
    g_autoptr(GString) list = g_string_new(NULL);

    for (char **e = extensions; *e; e++)
        g_string_append_len(list, *e, strlen(*e) + 1);
    devtree_str(t, path, "riscv,isa", isa);
    devtree_str(t, path, "riscv,isa-base", riscv_isa_base(cpu));
    devtree_bytes(t, path, "riscv,isa-extensions", list->str, (unsigned)list->len);
    if (riscv_has_ext(cpu, "zicbom"))
        devtree_u32(t, path, "riscv,cbom-block-size", RISCV_CACHE_BLOCK);
    if (riscv_has_ext(cpu, "zicboz"))
        devtree_u32(t, path, "riscv,cboz-block-size", RISCV_CACHE_BLOCK);
    if (riscv_has_ext(cpu, "zicbop"))
        devtree_u32(t, path, "riscv,cbop-block-size", RISCV_CACHE_BLOCK);
}

static void add_hart(struct harts *h, struct devtree *t, unsigned i, uint32_t phandle,
                     uint32_t intc)
{
    char *path = g_strdup_printf("/cpus/cpu@%x", i);
    char *sub = g_strdup_printf("%s/interrupt-controller", path);

    devtree_node(t, path);
    devtree_str(t, path, "device_type", "cpu");
    devtree_u32(t, path, "reg", i);
    devtree_str(t, path, "status", "okay");
    devtree_str(t, path, "compatible", "riscv");
    add_isa(t, path, h->first);
    devtree_str(t, path, "mmu-type", riscv_mmu_type(h->first));
    devtree_set_phandle(t, path, phandle);
    devtree_node(t, sub);
    devtree_str(t, sub, "compatible", "riscv,cpu-intc");
    devtree_empty(t, sub, "interrupt-controller");
    devtree_u32(t, sub, "#interrupt-cells", 1);
    devtree_set_phandle(t, sub, intc);
    g_free(sub);
    g_free(path);
}

void harts_fdt(struct harts *h, struct devtree *t, uint32_t frequency, uint32_t *intc)
{
    devtree_node(t, "/cpus");
    devtree_u32(t, "/cpus", "#address-cells", 1);
    devtree_u32(t, "/cpus", "#size-cells", 0);
    devtree_u32(t, "/cpus", "timebase-frequency", frequency);
    devtree_node(t, "/cpus/cpu-map");
    devtree_node(t, "/cpus/cpu-map/cluster0");
    /* From the last: each new node goes before its siblings. */
    for (unsigned i = h->count; i-- > 0;) {
        uint32_t phandle = devtree_phandle(t);
        char *core = g_strdup_printf("/cpus/cpu-map/cluster0/core%u", i);

        intc[i] = devtree_phandle(t);
        add_hart(h, t, i, phandle, intc[i]);
        devtree_node(t, core);
        devtree_u32(t, core, "cpu", phandle);
        g_free(core);
    }
}

void harts_fdt_irqs(struct harts *h, struct devtree *t, const char *path, const uint32_t *intc,
                    uint32_t first, uint32_t second)
{
    g_autofree uint32_t *cells = g_new(uint32_t, h->count * 4);
    unsigned n = 0;

    for (unsigned i = 0; i < h->count; i++) {
        cells[n++] = intc[i];
        cells[n++] = first;
        if (second) {
            cells[n++] = intc[i];
            cells[n++] = second;
        }
    }
    devtree_cells(t, path, "interrupts-extended", cells, n);
}
