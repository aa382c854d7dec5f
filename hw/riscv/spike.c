/*
 * The board `spike`: RISC-V harts with a CLINT and HTIF, as bare-metal test programs use it. The
 * words of HTIF are where the program has its symbols tohost and fromhost, else fromhost is at
 * 0x1000000 and tohost behind it.
 *
 *     myna -machine spike -bios none -kernel rv64ui-p-add
 */
#include <inttypes.h>
#include <base/bits.h>
#include <base/error.h>
#include <hw/char/htif.h>
#include <hw/core/machine.h>
#include "boot.h"
#include "harts.h"

#define SPIKE_HARTS_MAX 8
#define SPIKE_TIMEBASE  10000000
#define SPIKE_HTIF      0x1000000
#define SPIKE_CLINT     0x2000000
#define SPIKE_DRAM      0x80000000u

struct spike {
    struct machine m;
    struct mem_region mrom;
    struct harts harts;
    struct boot boot;
    uint64_t tohost, fromhost; /* where the words of HTIF are */
    bool symbols;              /* the program said where */
    char *signature;
};

static struct device *make(struct spike *s, const char *type, const char *name)
{
    return device_new(&s->m, device_type_find("spike", type, NULL), name);
}

static bool add_clint(struct spike *s, GError **err)
{
    struct device *swi = make(s, "riscv.aclint.swi", "mswi");
    struct device *timer;

    device_set_num(swi, "num-harts", s->harts.count);
    if (!device_realize(swi, NULL, err))
        return false;
    timer = make(s, "riscv.aclint.mtimer", "mtimer");
    device_set_num(timer, "num-harts", s->harts.count);
    device_set_num(timer, "timebase-freq", SPIKE_TIMEBASE);
    if (!device_realize(timer, NULL, err))
        return false;
    device_map(swi, 0, SPIKE_CLINT);
    device_map(timer, 0, SPIKE_CLINT + 0x4000);
    for (unsigned i = 0; i < s->harts.count; i++) {
        device_connect_irq(swi, i, hart_irq(&s->harts, i, HART_MSIP));
        device_connect_irq(timer, i, hart_irq(&s->harts, i, HART_MTIP));
    }
    harts_connect_time(&s->harts, timer, SPIKE_TIMEBASE);
    return true;
}

/* HTIF's words lie over the memory that the program has for them. */
static bool add_htif(struct spike *s, GError **err)
{
    struct device *htif = make(s, "riscv.htif", "htif");
    const struct elf_image *elf = &s->boot.elf;

    if (s->m.serials[0])
        device_set_ptr(htif, "chardev", s->m.serials[0]);
    device_set_str(htif, "signature", s->signature);
    if (!device_realize(htif, NULL, err))
        return false;
    htif_set_signature(htif, elf->begin_signature, elf->end_signature);
    s->symbols = elf->tohost && elf->fromhost;
    s->fromhost = s->symbols ? elf->fromhost : SPIKE_HTIF;
    s->tohost = s->symbols ? elf->tohost : SPIKE_HTIF + 8;
    if (s->tohost - s->fromhost < 8 || s->fromhost - s->tohost < 8)
        return error_set(err, "-kernel: symbols tohost and fromhost overlap");
    mem_region_add_priority(&s->m.system, s->tohost, htif->regions[0], 1);
    mem_region_add_priority(&s->m.system, s->fromhost, htif->regions[1], 1);
    return true;
}

static GBytes *make_fdt(struct spike *s, GError **err)
{
    static const char clint[] = "sifive,clint0\0riscv,clint0";
    struct devtree *t = devtree_new();
    uint32_t intc[SPIKE_HARTS_MAX];

    devtree_u32(t, "/", "#address-cells", 2);
    devtree_u32(t, "/", "#size-cells", 2);
    devtree_str(t, "/", "compatible", "ucbbar,spike-bare-dev");
    devtree_str(t, "/", "model", "ucbbar,spike-bare,qemu");
    devtree_node(t, "/chosen");
    devtree_str(t, "/chosen", "stdout-path", "/htif");
    devtree_node(t, "/htif");
    devtree_str(t, "/htif", "compatible", "ucb,htif0");
    if (!s->symbols)
        devtree_reg(t, "/htif", SPIKE_HTIF, 0x1000);
    devtree_node(t, "/memory@80000000");
    devtree_str(t, "/memory@80000000", "device_type", "memory");
    devtree_reg(t, "/memory@80000000", SPIKE_DRAM, s->m.cfg.ram_size);
    harts_fdt(&s->harts, t, SPIKE_TIMEBASE, intc);
    devtree_node(t, "/soc");
    devtree_str(t, "/soc", "compatible", "simple-bus");
    devtree_u32(t, "/soc", "#address-cells", 2);
    devtree_u32(t, "/soc", "#size-cells", 2);
    devtree_empty(t, "/soc", "ranges");
    devtree_node(t, "/soc/clint@2000000");
    devtree_bytes(t, "/soc/clint@2000000", "compatible", clint, sizeof(clint));
    devtree_reg(t, "/soc/clint@2000000", SPIKE_CLINT, 0x10000);
    harts_fdt_irqs(&s->harts, t, "/soc/clint@2000000", intc, HART_MSIP, HART_MTIP);
    boot_fdt_chosen(&s->boot, t);
    return devtree_finish(t, err);
}

static bool load_fdt(struct spike *s, GError **err)
{
    GBytes *fdt = make_fdt(s, err);
    bool ok = fdt && boot_place_fdt(&s->boot, fdt, err);

    if (fdt)
        g_bytes_unref(fdt);
    return ok;
}

static bool load_images(struct spike *s, GError **err)
{
    struct boot *b = &s->boot;

    b->machine = &s->m;
    b->rv64 = s->harts.rv64;
    b->ram_base = SPIKE_DRAM;
    b->ram_size = s->m.cfg.ram_size;
    if (!boot_firmware(b, err) || !boot_kernel(b, err) || !boot_initrd(b, err))
        return false;
    if (b->kernel_entry && b->firmware_end == b->ram_base)
        b->start = b->kernel_entry;
    return true;
}

static bool spike_init(struct machine *m, GError **err)
{
    struct spike *s = (struct spike *)m;

    if (!harts_init(&s->harts, m, BOOT_MROM_BASE, err))
        return false;
    mem_region_add(&m->system, SPIKE_DRAM, &m->ram);
    if (!mem_region_init_rom(&s->mrom, m->mem, "mrom", BOOT_MROM_SIZE, err))
        return false;
    mem_region_add(&m->system, BOOT_MROM_BASE, &s->mrom);
    return add_clint(s, err) && load_images(s, err) && add_htif(s, err) && load_fdt(s, err) &&
           boot_reset_vector(&s->boot, err);
}

static void spike_free(struct machine *m)
{
    struct spike *s = (struct spike *)m;

    mem_region_destroy(&s->mrom);
    harts_free(&s->harts);
}

static const char *spike_default_cpu(const char *arch)
{
    return strcmp(arch, "riscv32") == 0 ? "rv32" : "rv64";
}

static const char *const spike_archs[] = { "riscv64", "riscv32", NULL };

static const struct prop spike_props[] = { PROP_STR(
                                               struct spike, signature, "signature", NULL,
                                               "file for the signature of an architectural test"),
                                           PROP_LIST_END };

const struct machine_type riscv_spike_machine = {
    .name = "spike",
    .help = "RISC-V board with HTIF, for test programs",
    .archs = spike_archs,
    .default_cpu = spike_default_cpu,
    .default_ram = 128 << 20,
    .min_ram = 1 << 20,
    .max_ram = UINT64_C(2) << 30,
    .max_cpus = SPIKE_HARTS_MAX,
    .size = sizeof(struct spike),
    .props = spike_props,
    .drive_if = "none",
    .init = spike_init,
    .free = spike_free,
};
