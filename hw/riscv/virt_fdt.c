/*
 * The devicetree of the board `virt`: what Linux, OpenSBI and U-Boot find there (bindings in
 * Documentation/devicetree/bindings of Linux).
 */
#include "virt.h"

#include <base/bits.h>
#include <base/error.h>

/* A device below /soc with one range of registers; returns its path, to be freed. */
static char *soc_node(struct devtree *t, const char *name, struct virt_range r)
{
    char *path = g_strdup_printf("/soc/%s@%" G_GINT64_MODIFIER "x", name, r.base);

    devtree_node(t, path);
    devtree_reg(t, path, r.base, r.size);
    return path;
}

static void add_irq(struct devtree *t, const char *path, uint32_t plic, uint32_t irq)
{
    devtree_u32(t, path, "interrupt-parent", plic);
    devtree_u32(t, path, "interrupts", irq);
}

static void add_swi(struct virt *v, struct devtree *t, const uint32_t *intc, bool sswi)
{
    struct virt_range r = virt_map[sswi ? VIRT_SSWI : VIRT_CLINT];
    char *path;

    r.size = 0x4000;
    path = soc_node(t, sswi ? "sswi" : "mswi", r);
    devtree_str(t, path, "compatible", sswi ? "riscv,aclint-sswi" : "riscv,aclint-mswi");
    harts_fdt_irqs(&v->harts, t, path, intc, sswi ? HART_SSIP : HART_MSIP, 0);
    devtree_empty(t, path, "interrupt-controller");
    devtree_u32(t, path, "#interrupt-cells", 0);
    g_free(path);
}

static void add_mtimer(struct virt *v, struct devtree *t, const uint32_t *intc)
{
    const uint64_t base = virt_map[VIRT_CLINT].base + 0x4000;
    struct virt_range r = { base, 0x8000 };
    char *path = soc_node(t, "mtimer", r);

    devtree_str(t, path, "compatible", "riscv,aclint-mtimer");
    /* mtime first, then mtimecmp */
    DEVTREE_CELLS(t, path, "reg", 0, (uint32_t)base + 0x7ff8, 0, 8, 0, (uint32_t)base, 0, 0x7ff8);
    harts_fdt_irqs(&v->harts, t, path, intc, HART_MTIP, 0);
    g_free(path);
}

static void add_clint(struct virt *v, struct devtree *t, const uint32_t *intc)
{
    static const char compatible[] = "sifive,clint0\0riscv,clint0";
    char *path;

    if (v->aclint) {
        add_swi(v, t, intc, false);
        add_mtimer(v, t, intc);
        add_swi(v, t, intc, true);
        return;
    }
    path = soc_node(t, "clint", virt_map[VIRT_CLINT]);
    devtree_bytes(t, path, "compatible", compatible, sizeof(compatible));
    harts_fdt_irqs(&v->harts, t, path, intc, HART_MSIP, HART_MTIP);
    g_free(path);
}

static uint32_t add_plic(struct virt *v, struct devtree *t, const uint32_t *intc)
{
    static const char compatible[] = "sifive,plic-1.0.0\0riscv,plic0";
    uint32_t phandle = devtree_phandle(t);
    char *path = soc_node(t, "plic", virt_map[VIRT_PLIC]);

    devtree_bytes(t, path, "compatible", compatible, sizeof(compatible));
    harts_fdt_irqs(&v->harts, t, path, intc, HART_MEIP, HART_SEIP);
    devtree_empty(t, path, "interrupt-controller");
    devtree_u32(t, path, "#interrupt-cells", 1);
    devtree_u32(t, path, "#address-cells", 0);
    devtree_u32(t, path, "riscv,ndev", VIRT_PLIC_SOURCES);
    devtree_set_phandle(t, path, phandle);
    g_free(path);
    return phandle;
}

/* Standard rotation of the four interrupt pins over the devices of the bus. */
static void add_pci_irqs(struct devtree *t, const char *path, uint32_t plic)
{
    uint32_t map[4 * 4 * 6], *p = map;

    for (uint32_t slot = 0; slot < 4; slot++) {
        for (uint32_t pin = 1; pin <= 4; pin++) {
            *p++ = slot << 11; /* devfn in phys.hi */
            *p++ = 0;
            *p++ = 0;
            *p++ = pin;
            *p++ = plic;
            *p++ = VIRT_IRQ_PCIE + (pin - 1 + slot) % 4;
        }
    }
    devtree_cells(t, path, "interrupt-map", map, ARRAY_LEN(map));
    DEVTREE_CELLS(t, path, "interrupt-map-mask", 3 << 11, 0, 0, 7);
    devtree_u32(t, path, "#interrupt-cells", 1);
}

static void add_pci(struct virt *v, struct devtree *t, uint32_t plic)
{
    struct virt_range pio = virt_map[VIRT_PCIE_PIO], mmio = virt_map[VIRT_PCIE_MMIO];
    uint64_t high = v->pcie_high_base, high_size = v->pcie_high_size;
    char *path = soc_node(t, "pci", virt_map[VIRT_PCIE_ECAM]);

    devtree_str(t, path, "compatible", "pci-host-ecam-generic");
    devtree_str(t, path, "device_type", "pci");
    devtree_u32(t, path, "linux,pci-domain", 0);
    DEVTREE_CELLS(t, path, "bus-range", 0, (uint32_t)(virt_map[VIRT_PCIE_ECAM].size >> 20) - 1);
    devtree_u32(t, path, "#address-cells", 3);
    devtree_u32(t, path, "#size-cells", 2);
    devtree_empty(t, path, "dma-coherent");
    /* phys.hi: I/O, 32-bit memory, 64-bit memory */
    DEVTREE_CELLS(t, path, "ranges", 0x01000000, 0, 0, 0, (uint32_t)pio.base, 0, (uint32_t)pio.size,
                  0x02000000, 0, (uint32_t)mmio.base, 0, (uint32_t)mmio.base, 0,
                  (uint32_t)mmio.size, 0x03000000, (uint32_t)(high >> 32), (uint32_t)high,
                  (uint32_t)(high >> 32), (uint32_t)high, (uint32_t)(high_size >> 32),
                  (uint32_t)high_size);
    add_pci_irqs(t, path, plic);
    g_free(path);
}

/* From the last: each new node goes before its siblings, and guests number what they find in order.
 */
static void add_virtio(struct virt *v, struct devtree *t, uint32_t plic)
{
    for (unsigned i = VIRT_VIRTIO_COUNT; i-- > 0;) {
        struct virt_range r = virt_map[VIRT_VIRTIO];
        char *path;

        if (!v->virtio[i])
            continue;
        r.base += i * r.size;
        path = soc_node(t, "virtio_mmio", r);
        devtree_str(t, path, "compatible", "virtio,mmio");
        add_irq(t, path, plic, VIRT_IRQ_VIRTIO + i);
        g_free(path);
    }
}

/* Power off and reboot through the finisher's register. */
static void add_finisher(struct devtree *t)
{
    static const char compatible[] = "sifive,test1\0sifive,test0\0syscon";
    const struct {
        const char *path, *compatible;
        uint32_t value;
    } actions[] = {
        { "/poweroff", "syscon-poweroff", 0x5555 },
        { "/reboot", "syscon-reboot", 0x7777 },
    };
    uint32_t phandle = devtree_phandle(t);
    char *path = soc_node(t, "test", virt_map[VIRT_TEST]);

    devtree_bytes(t, path, "compatible", compatible, sizeof(compatible));
    devtree_set_phandle(t, path, phandle);
    g_free(path);
    for (unsigned i = 0; i < ARRAY_LEN(actions); i++) {
        devtree_node(t, actions[i].path);
        devtree_str(t, actions[i].path, "compatible", actions[i].compatible);
        devtree_u32(t, actions[i].path, "regmap", phandle);
        devtree_u32(t, actions[i].path, "offset", 0);
        devtree_u32(t, actions[i].path, "value", actions[i].value);
    }
}

static void add_serial(struct devtree *t, uint32_t plic)
{
    struct virt_range r = virt_map[VIRT_UART];
    char *path = soc_node(t, "serial", r);

    devtree_str(t, path, "compatible", "ns16550a");
    devtree_u32(t, path, "clock-frequency", 3686400);
    add_irq(t, path, plic, VIRT_IRQ_UART);
    devtree_str(t, "/chosen", "stdout-path", path);
    devtree_node(t, "/aliases");
    devtree_str(t, "/aliases", "serial0", path);
    g_free(path);
}

static void add_rtc(struct devtree *t, uint32_t plic)
{
    char *path = soc_node(t, "rtc", virt_map[VIRT_RTC]);

    devtree_str(t, path, "compatible", "google,goldfish-rtc");
    add_irq(t, path, plic, VIRT_IRQ_RTC);
    g_free(path);
}

static void add_flash(struct devtree *t)
{
    struct virt_range r = virt_map[VIRT_FLASH];
    uint32_t half = (uint32_t)(r.size / 2);

    devtree_node(t, "/flash@20000000");
    devtree_str(t, "/flash@20000000", "compatible", "cfi-flash");
    DEVTREE_CELLS(t, "/flash@20000000", "reg", 0, (uint32_t)r.base, 0, half, 0,
                  (uint32_t)r.base + half, 0, half);
    devtree_u32(t, "/flash@20000000", "bank-width", 4);
}

static void add_fw_cfg(struct devtree *t)
{
    devtree_node(t, "/fw-cfg@10100000");
    devtree_str(t, "/fw-cfg@10100000", "compatible", "qemu,fw-cfg-mmio");
    devtree_reg(t, "/fw-cfg@10100000", virt_map[VIRT_FW_CFG].base, virt_map[VIRT_FW_CFG].size);
    devtree_empty(t, "/fw-cfg@10100000", "dma-coherent");
}

static void add_memory(struct virt *v, struct devtree *t)
{
    devtree_node(t, "/memory@80000000");
    devtree_str(t, "/memory@80000000", "device_type", "memory");
    devtree_reg(t, "/memory@80000000", virt_map[VIRT_DRAM].base, v->m.cfg.ram_size);
}

static void add_root(struct devtree *t)
{
    uint8_t seed[LOADER_SEED] = { 0 }; /* filled in at each reset */

    devtree_u32(t, "/", "#address-cells", 2);
    devtree_u32(t, "/", "#size-cells", 2);
    devtree_str(t, "/", "compatible", "riscv-virtio");
    devtree_str(t, "/", "model", "riscv-virtio,qemu");
    devtree_node(t, "/chosen");
    devtree_bytes(t, "/chosen", "rng-seed", seed, sizeof(seed));
    devtree_node(t, "/soc");
    devtree_str(t, "/soc", "compatible", "simple-bus");
    devtree_u32(t, "/soc", "#address-cells", 2);
    devtree_u32(t, "/soc", "#size-cells", 2);
    devtree_empty(t, "/soc", "ranges");
}

GBytes *virt_make_fdt(struct virt *v, GError **err)
{
    struct devtree *t = devtree_new();
    uint32_t intc[VIRT_HARTS_MAX], plic;

    add_root(t);
    add_memory(v, t);
    harts_fdt(&v->harts, t, VIRT_TIMEBASE, intc);
    add_clint(v, t, intc);
    plic = add_plic(v, t, intc);
    add_virtio(v, t, plic);
    if (v->pci)
        add_pci(v, t, plic);
    add_finisher(t);
    add_serial(t, plic);
    add_rtc(t, plic);
    add_flash(t);
    add_fw_cfg(t);
    boot_fdt_chosen(&v->boot, t);
    return devtree_finish(t, err);
}
