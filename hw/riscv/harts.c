/* RISC-V harts as boards see them; see harts.h. */
#include "harts.h"

#include <string.h>

bool harts_init(struct harts *h, struct machine *m, uint64_t reset_pc, GError **err)
{
    (void)reset_pc, (void)err;
    h->machine = m;
    h->count = m->cfg.cpus;
    h->rv64 = strcmp(m->cfg.arch, "riscv64") == 0;
    return true;
}

void harts_connect_time(struct harts *h, struct device *mtimer, uint32_t frequency)
{
    (void)h, (void)mtimer, (void)frequency;
}

struct irq_line hart_irq(struct harts *h, unsigned hart, enum hart_irq n)
{
    (void)h, (void)hart, (void)n;
    return (struct irq_line){ 0 };
}

void harts_free(struct harts *h)
{
    (void)h;
}

/* The newer description of the ISA: base and a list of single extensions. */
static void add_extensions(struct devtree *t, const char *path, const char *isa)
{
    GString *list = g_string_new(NULL);
    char *base = g_strdup_printf("%.5s", isa); /* rv64i */
    const char *p = isa + 4;

    for (; *p && *p != '_'; p++) {
        g_string_append_c(list, *p);
        g_string_append_c(list, '\0');
    }
    while (*p == '_') {
        size_t n = strcspn(p + 1, "_");

        g_string_append_len(list, p + 1, (gssize)n);
        g_string_append_c(list, '\0');
        p += 1 + n;
    }
    devtree_str(t, path, "riscv,isa-base", base);
    devtree_bytes(t, path, "riscv,isa-extensions", list->str, (unsigned)list->len);
    g_string_free(list, TRUE);
    g_free(base);
}

static void add_hart(struct harts *h, struct devtree *t, unsigned i, uint32_t phandle,
                     uint32_t intc)
{
    const char *isa = h->rv64 ? "rv64imafdc_zicsr_zifencei" : "rv32imafdc_zicsr_zifencei";
    char *path = g_strdup_printf("/cpus/cpu@%x", i);
    char *sub = g_strdup_printf("%s/interrupt-controller", path);

    devtree_node(t, path);
    devtree_str(t, path, "device_type", "cpu");
    devtree_u32(t, path, "reg", i);
    devtree_str(t, path, "status", "okay");
    devtree_str(t, path, "compatible", "riscv");
    devtree_str(t, path, "riscv,isa", isa);
    add_extensions(t, path, isa);
    devtree_str(t, path, "mmu-type", h->rv64 ? "riscv,sv57" : "riscv,sv32");
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
