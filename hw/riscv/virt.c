/*
 * The board `virt`: RISC-V harts with ACLINT, PLIC, one 16550A, real-time clock, finisher, fw_cfg,
 * two flash banks, eight virtio-mmio slots and a PCIe host bridge, at the addresses that firmware
 * and kernels for QEMU's machine of that name know.
 *
 *     myna -machine virt -smp 4 -m 1G -kernel Image -append console=ttyS0 -nographic
 */
#include "virt.h"

#include <inttypes.h>
#include <base/bits.h>
#include <base/error.h>
#include <hw/misc/fw_cfg.h>

const struct virt_range virt_map[] = {
    [VIRT_MROM] = { BOOT_MROM_BASE, BOOT_MROM_SIZE },
    [VIRT_TEST] = { 0x100000, 0x1000 },
    [VIRT_RTC] = { 0x101000, 0x1000 },
    [VIRT_CLINT] = { 0x2000000, 0x10000 },
    [VIRT_SSWI] = { 0x2f00000, 0x4000 },
    [VIRT_PCIE_PIO] = { 0x3000000, 0x10000 },
    [VIRT_PLIC] = { 0xc000000, 0x600000 },
    [VIRT_UART] = { 0x10000000, 0x100 },
    [VIRT_VIRTIO] = { 0x10001000, 0x1000 }, /* the first of eight */
    [VIRT_FW_CFG] = { 0x10100000, 0x18 },
    [VIRT_FLASH] = { 0x20000000, 0x4000000 },
    [VIRT_PCIE_ECAM] = { 0x30000000, 0x10000000 },
    [VIRT_PCIE_MMIO] = { 0x40000000, 0x40000000 },
    [VIRT_DRAM] = { 0x80000000, 0 },
};

#define GIB (UINT64_C(1) << 30)

/* Makes, configures, plugs in. The device type is one of this program's own. */
static struct device *make(struct virt *v, const char *type, const char *name)
{
    return device_new(&v->m, device_type_find("virt", type, NULL), name);
}

static bool place(struct device *dev, uint64_t addr, GError **err)
{
    if (!device_realize(dev, NULL, err))
        return false;
    device_map(dev, 0, addr);
    return true;
}

static void wire_harts(struct virt *v, struct device *dev, enum hart_irq irq)
{
    for (unsigned i = 0; i < v->harts.count; i++)
        device_connect_irq(dev, i, hart_irq(&v->harts, i, irq));
}

static bool add_swi(struct virt *v, bool sswi, GError **err)
{
    struct device *dev = make(v, "riscv.aclint.swi", sswi ? "sswi" : "mswi");

    device_set_num(dev, "num-harts", v->harts.count);
    device_set_bool(dev, "sswi", sswi);
    if (!place(dev, virt_map[sswi ? VIRT_SSWI : VIRT_CLINT].base, err))
        return false;
    wire_harts(v, dev, sswi ? HART_SSIP : HART_MSIP);
    return true;
}

static bool add_timer(struct virt *v, GError **err)
{
    v->mtimer = make(v, "riscv.aclint.mtimer", "mtimer");
    device_set_num(v->mtimer, "num-harts", v->harts.count);
    device_set_num(v->mtimer, "timebase-freq", VIRT_TIMEBASE);
    if (!place(v->mtimer, virt_map[VIRT_CLINT].base + 0x4000, err))
        return false;
    wire_harts(v, v->mtimer, HART_MTIP);
    harts_connect_time(&v->harts, v->mtimer, VIRT_TIMEBASE);
    return true;
}

static bool add_plic(struct virt *v, GError **err)
{
    v->plic = make(v, "riscv.sifive.plic", "plic");
    device_set_num(v->plic, "num-contexts", 2 * v->harts.count);
    device_set_num(v->plic, "num-sources", VIRT_PLIC_SOURCES + 1);
    if (!place(v->plic, virt_map[VIRT_PLIC].base, err))
        return false;
    for (unsigned i = 0; i < v->harts.count; i++) {
        device_connect_irq(v->plic, 2 * i, hart_irq(&v->harts, i, HART_MEIP));
        device_connect_irq(v->plic, 2 * i + 1, hart_irq(&v->harts, i, HART_SEIP));
    }
    return true;
}

static bool add_interrupts(struct virt *v, GError **err)
{
    return add_swi(v, false, err) && (!v->aclint || add_swi(v, true, err)) && add_timer(v, err) &&
           add_plic(v, err);
}

static bool add_uart(struct virt *v, GError **err)
{
    struct device *uart = make(v, "uart16550", "serial0");

    if (v->m.serials[0])
        device_set_ptr(uart, "chardev", v->m.serials[0]);
    if (!place(uart, virt_map[VIRT_UART].base, err))
        return false;
    device_connect_irq(uart, 0, device_irq_in(v->plic, VIRT_IRQ_UART));
    return true;
}

static bool add_rtc(struct virt *v, GError **err)
{
    struct device *rtc = make(v, "goldfish_rtc", "rtc");

    if (!place(rtc, virt_map[VIRT_RTC].base, err))
        return false;
    device_connect_irq(rtc, 0, device_irq_in(v->plic, VIRT_IRQ_RTC));
    return true;
}

static bool add_fw_cfg(struct virt *v, GError **err)
{
    v->fw_cfg = make(v, "fw_cfg_mem", "fw_cfg");
    fw_cfg_add_u16(v->fw_cfg, FW_CFG_NB_CPUS, (uint16_t)v->harts.count);
    fw_cfg_add_u16(v->fw_cfg, FW_CFG_MAX_CPUS, (uint16_t)v->m.cfg.max_cpus);
    return place(v->fw_cfg, virt_map[VIRT_FW_CFG].base, err);
}

static bool add_flash(struct virt *v, GError **err)
{
    const uint64_t size = virt_map[VIRT_FLASH].size / 2;

    for (unsigned i = 0; i < 2; i++) {
        struct device *flash = make(v, "cfi.pflash01", i ? "flash1" : "flash0");

        device_set_num(flash, "size", size);
        device_set_ptr(flash, "drive", v->pflash[i]);
        if (!place(flash, virt_map[VIRT_FLASH].base + i * size, err))
            return false;
    }
    return true;
}

static bool add_small_devices(struct virt *v, GError **err)
{
    return place(make(v, "riscv.sifive.test", "test"), virt_map[VIRT_TEST].base, err) &&
           add_rtc(v, err) && add_fw_cfg(v, err) && add_flash(v, err);
}

/* Devices fill the slots from the last one down: that is the order in which they are made. */
static bool add_virtio(struct virt *v, GError **err)
{
    for (unsigned i = VIRT_VIRTIO_COUNT; i-- > 0;) {
        char *name = g_strdup_printf("virtio-mmio.%u", i);
        struct device *slot = make(v, "virtio-mmio", name);
        const struct virt_range *r = &virt_map[VIRT_VIRTIO];

        g_free(name);
        if (!place(slot, r->base + i * r->size, err))
            return false;
        device_connect_irq(slot, 0, device_irq_in(v->plic, VIRT_IRQ_VIRTIO + i));
        v->virtio[i] = slot;
    }
    return true;
}

static bool add_pci(struct virt *v, GError **err)
{
    const struct virt_range *low = &virt_map[VIRT_PCIE_MMIO];
    struct device *pci = make(v, "gpex-pcihost", "pcie");

    device_set_num(pci, "ecam-size", virt_map[VIRT_PCIE_ECAM].size);
    device_set_num(pci, "low-base", low->base);
    device_set_num(pci, "low-size", low->size);
    device_set_num(pci, "high-base", v->pcie_high_base);
    device_set_num(pci, "high-size", v->pcie_high_size);
    if (!place(pci, virt_map[VIRT_PCIE_ECAM].base, err))
        return false;
    device_map(pci, 1, low->base);
    device_map(pci, 2, v->pcie_high_base);
    device_map(pci, 3, virt_map[VIRT_PCIE_PIO].base);
    for (unsigned i = 0; i < 4; i++)
        device_connect_irq(pci, i, device_irq_in(v->plic, VIRT_IRQ_PCIE + i));
    v->pci = pci;
    return true;
}

static bool add_memory(struct virt *v, GError **err)
{
    struct mem_region *system = &v->m.system;

    mem_region_add(system, virt_map[VIRT_DRAM].base, &v->m.ram);
    if (!mem_region_init_rom(&v->mrom, v->m.mem, "mrom", virt_map[VIRT_MROM].size, err))
        return false;
    mem_region_add(system, virt_map[VIRT_MROM].base, &v->mrom);
    return true;
}

/* The window for big BARs lies above RAM on a boundary of its own size. */
static void place_high_window(struct virt *v)
{
    v->pcie_high_size = v->harts.rv64 ? 16 * GIB : 4 * GIB;
    v->pcie_high_base = 3 * v->pcie_high_size;
    if (v->harts.rv64)
        v->pcie_high_base =
            align_up(virt_map[VIRT_DRAM].base + v->m.cfg.ram_size, v->pcie_high_size);
}

/* A tree given with -dtb, completed by what the command line says. */
static GBytes *user_fdt(struct virt *v, GError **err)
{
    GBytes *file = load_file("-dtb", v->m.cfg.dtb, 1 << 20, err);
    struct devtree *t;

    if (!file)
        return NULL;
    t = devtree_open("-dtb", file, err);
    g_bytes_unref(file);
    if (!t)
        return NULL;
    boot_fdt_chosen(&v->boot, t);
    return devtree_finish(t, err);
}

static bool dump_fdt(struct virt *v, GBytes *fdt, GError **err)
{
    gsize len;
    const char *data = g_bytes_get_data(fdt, &len);

    if (!v->m.cfg.dump_dtb)
        return true;
    v->m.exiting = true;
    if (g_file_set_contents(v->m.cfg.dump_dtb, data, (gssize)len, err))
        return true;
    g_prefix_error(err, "-machine: dumpdtb: ");
    return false;
}

static bool load_fdt(struct virt *v, GError **err)
{
    GBytes *fdt = v->m.cfg.dtb ? user_fdt(v, err) : virt_make_fdt(v, err);
    uint64_t seed;
    bool ok;

    if (!fdt)
        return false;
    ok = dump_fdt(v, fdt, err) && boot_place_fdt(&v->boot, fdt, err);
    if (ok && !v->m.cfg.dtb && devtree_find_prop(fdt, "/chosen", "rng-seed", &seed))
        rom_add_seed(&v->m, v->boot.fdt + seed);
    g_bytes_unref(fdt);
    return ok;
}

/* Firmware in flash is what starts with -bios none; else it is what firmware starts. */
static void boot_from_flash(struct virt *v)
{
    if (!v->pflash[0])
        return;
    if (g_strcmp0(v->m.cfg.firmware, "none") == 0)
        v->boot.start = virt_map[VIRT_FLASH].base;
    else if (!v->m.cfg.kernel)
        v->boot.kernel_entry = virt_map[VIRT_FLASH].base;
}

static bool load_images(struct virt *v, GError **err)
{
    struct boot *b = &v->boot;

    b->machine = &v->m;
    b->rv64 = v->harts.rv64;
    b->ram_base = virt_map[VIRT_DRAM].base;
    b->ram_size = v->m.cfg.ram_size;
    if (!boot_firmware(b, err) || !boot_kernel(b, err) || !boot_initrd(b, err))
        return false;
    if (b->kernel_entry && g_strcmp0(v->m.cfg.firmware, "none") == 0)
        b->start = b->kernel_entry;
    boot_from_flash(v);
    return load_fdt(v, err) && boot_reset_vector(b, err);
}

static bool virt_init(struct machine *m, GError **err)
{
    struct virt *v = (struct virt *)m;

    if (!harts_init(&v->harts, m, BOOT_MROM_BASE, err))
        return false;
    if (!v->harts.rv64 && m->cfg.ram_size > 10 * GIB)
        return error_set(err, "-m: a riscv32 machine takes at most 10 GiB");
    place_high_window(v);
    return add_memory(v, err) && add_interrupts(v, err) && add_uart(v, err) &&
           add_small_devices(v, err) && add_virtio(v, err) && add_pci(v, err) &&
           load_images(v, err);
}

static void virt_free(struct machine *m)
{
    struct virt *v = (struct virt *)m;

    mem_region_destroy(&v->mrom);
    harts_free(&v->harts);
}

static const char *virt_default_cpu(const char *arch)
{
    return strcmp(arch, "riscv32") == 0 ? "rv32" : "rv64";
}

static const char *const virt_archs[] = { "riscv64", "riscv32", NULL };

static const struct prop virt_props[] = {
    PROP_BOOL(struct virt, aclint, "aclint", false,
              "ACLINT devices instead of a SiFive CLINT (adds supervisor software interrupts)"),
    PROP_DRIVE(struct virt, pflash[0], "pflash0", "drive of the first flash bank"),
    PROP_DRIVE(struct virt, pflash[1], "pflash1", "drive of the second flash bank"), PROP_LIST_END
};

const struct machine_type riscv_virt_machine = {
    .name = "virt",
    .help = "RISC-V board with PCIe and virtio",
    .archs = virt_archs,
    .default_cpu = virt_default_cpu,
    .default_ram = 128 << 20,
    .min_ram = 1 << 20,
    .max_cpus = VIRT_HARTS_MAX,
    .size = sizeof(struct virt),
    .props = virt_props,
    .is_default = true,
    .default_nic = "virtio-net-pci",
    .drive_if = "virtio",
    .init = virt_init,
    .free = virt_free,
};
