/*
 * The board `pc`: i440FX and PIIX3 with the devices that PCs have had since 1996, at the places
 * where firmware and systems for QEMU's machine of that name look for them; and `isapc`, the same
 * without PCI.
 *
 *     myna -machine pc -m 2G -drive file=disk.img,format=raw
 */
#include "boot.h"

#include <base/bug.h>
#include <base/bits.h>
#include <hw/isa/piix3.h>
#include <hw/misc/fw_cfg.h>
#include <hw/pci/i440fx.h>
#include <hw/rtc/mc146818.h>
#include "acpi.h"
#include "cmos.h"
#include "setup.h"
#include "smbios.h"

#define MIB     (UINT64_C(1) << 20)
#define PC_COM1 0x3f8

/* Makes, without plugging in. The device type is one of this program's own. */
static struct device *make(struct pc *pc, const char *type, const char *name)
{
    return device_new(&pc->m, device_type_find("pc", type, NULL), name);
}

/* A function of the chip set on bus pci.0. */
static struct device *add_function(struct pc *pc, const char *type, const char *addr,
                                   bool multifunction, GError **err)
{
    struct device *dev = make(pc, type, type);

    device_set_str(dev, "addr", addr);
    device_set_bool(dev, "multifunction", multifunction);
    return device_realize(dev, &i440fx_bus(pc->host)->bus, err) ? dev : NULL;
}

static bool add_chipset(struct pc *pc, GError **err)
{
    pc->host = make(pc, "i440FX-pcihost", "i440fx");
    if (!device_realize(pc->host, NULL, err))
        return false;
    pc->m.smm_memory = i440fx_smm_space(pc->host);
    pc->rom_space = i440fx_memory(pc->host);
    pc_float_init(pc);
    pc->piix3 = add_function(pc, "PIIX3", "01.0", true, err);
    if (!pc->piix3)
        return false;
    pc->isa = piix3_isa(pc->piix3);
    pc->isa_bridge = pc->piix3;
    i440fx_set_reset_port(pc->host, pc->piix3->regions[0]);
    /* slot 1's INTA is PIRQA */
    for (unsigned i = 0; i < 4; i++)
        device_connect_irq(pc->host, i, device_irq_in_named(pc->piix3, "pirq", (i + 3) % 4));
    return true;
}

static bool add_ide(struct pc *pc, GError **err)
{
    pc->ide = add_function(pc, "piix3-ide", "01.1", false, err);
    if (!pc->ide)
        return false;
    for (unsigned i = 0; i < 2; i++)
        device_connect_irq(pc->ide, i, isa_bus_line(pc->isa, PC_IRQ_IDE + i));
    return true;
}

/* Both channels of a board without PCI. */
static bool add_isa_ide(struct pc *pc, GError **err)
{
    static const uint16_t ports[] = { 0x1f0, 0x170 };

    for (unsigned i = 0; i < 2; i++) {
        struct device *dev = make(pc, "isa-ide", NULL);

        device_set_num(dev, "iobase", ports[i]);
        device_set_num(dev, "iobase2", ports[i] + 0x206u);
        device_set_num(dev, "irq", PC_IRQ_IDE + i);
        if (!device_realize(dev, &pc->isa->bus, err))
            return false;
    }
    return true;
}

static bool add_pm(struct pc *pc, GError **err)
{
    pc->pm = add_function(pc, "PIIX4_PM", "01.3", false, err);
    if (!pc->pm)
        return false;
    device_connect_irq(pc->pm, 0, isa_bus_line(pc->isa, PC_IRQ_SCI));
    return true;
}

/* RAM only: what is reserved, firmware knows best. */
static void add_e820(struct pc *pc)
{
    const struct pc_range rows[] = { { 0, pc->below_4g, PC_RAM },
                                     { UINT64_C(1) << 32, pc->above_4g, PC_RAM } };
    uint8_t out[2 * 20];
    unsigned n = pc->above_4g ? 2 : 1;

    for (unsigned i = 0; i < n; i++) {
        stq_le(out + 20 * i, rows[i].base);
        stq_le(out + 20 * i + 8, rows[i].size);
        stl_le(out + 20 * i + 16, rows[i].type);
    }
    fw_cfg_add_file(pc->fw_cfg, "etc/e820", out, 20 * n);
}

/* -boot, where CMOS has no place for it. */
static void add_boot_options(struct pc *pc)
{
    const struct machine_config *c = &pc->m.cfg;
    uint8_t b[4];

    pc_boot_order_init(pc);
    fw_cfg_add_u16(pc->fw_cfg, FW_CFG_BOOT_MENU, c->boot_menu);
    fw_cfg_add_u16(pc->fw_cfg, FW_CFG_NOGRAPHIC, c->no_graphics);
    if (c->no_graphics) {
        uint8_t port[8];

        stq_le(port, PC_COM1);
        fw_cfg_add_file(pc->fw_cfg, "etc/sercon-port", port, sizeof(port));
    }
    if (c->boot_wait >= 0) {
        stw_le(b, (uint16_t)c->boot_wait);
        fw_cfg_add_file(pc->fw_cfg, "etc/boot-menu-wait", b, 2);
    }
    if (c->boot_retry >= 0) {
        stl_le(b, (uint32_t)c->boot_retry);
        fw_cfg_add_file(pc->fw_cfg, "etc/boot-fail-wait", b, 4);
    }
}

static bool add_fw_cfg(struct pc *pc, GError **err)
{
    pc->fw_cfg = make(pc, "fw_cfg_io", "fw_cfg");
    fw_cfg_add_u16(pc->fw_cfg, FW_CFG_NB_CPUS, (uint16_t)pc->m.cfg.cpus);
    fw_cfg_add_u16(pc->fw_cfg, FW_CFG_MAX_CPUS, (uint16_t)pc->m.cfg.max_cpus);
    add_e820(pc);
    add_boot_options(pc);
    pc_smbios_init(pc);
    if (pc->host)
        pc_acpi_init(pc);
    return device_realize(pc->fw_cfg, NULL, err);
}

/* What needs no more of the chip set than an ISA bus. */
static bool add_rest(struct pc *pc, GError **err)
{
    return pc_cmos_check(pc, err) && pc_legacy_init(pc, err) &&
           (!pc->host || pc_apic_init(pc, err)) && pc_cpus_init(pc, err) &&
           pc_vmport_init(pc, err) && add_fw_cfg(pc, err) && pc_roms_init(pc, err) &&
           pc_boot_init(pc, pc->host ? PC_RSDP : 0, err);
}

static void board_reset(void *opaque)
{
    struct pc *pc = opaque;

    pc_cmos_ready(pc);
    pc_boot_order_ready(pc);
    if (pc->host)
        pc_acpi_ready(pc);
    if (pc->direct_boot)
        pc_set_up(pc);
}

/* Firmware finds in CMOS that it has to go on with what slept, and not to boot. */
#define CMOS_SHUTDOWN      0x0f
#define CMOS_SHUTDOWN_WAKE 0xfe

static void machine_event(void *opaque, enum machine_event e, enum machine_cause cause)
{
    struct pc *pc = opaque;

    (void)cause;
    if (e == EVENT_SUSPEND)
        mc146818_set(pc->rtc, CMOS_SHUTDOWN, CMOS_SHUTDOWN_WAKE);
}

/* A kernel starts by itself unless firmware was asked for. */
static void choose_boot(struct pc *pc)
{
    const struct machine_config *c = &pc->m.cfg;

    pc->direct_boot =
        c->kernel && !pc->pflash[0] && (!c->firmware || strcmp(c->firmware, "none") == 0);
}

static bool pc_init(struct machine *m, GError **err)
{
    struct pc *pc = (struct pc *)m;

    choose_boot(pc);
    machine_on_reset(m, board_reset, pc);
    machine_on_event(m, machine_event, pc);
    pc_memory_init(pc);
    return add_chipset(pc, err) && add_ide(pc, err) && add_pm(pc, err) && add_rest(pc, err);
}

static bool isapc_init(struct machine *m, GError **err)
{
    struct pc *pc = (struct pc *)m;

    choose_boot(pc);
    machine_on_reset(m, board_reset, pc);
    pc_memory_init(pc);
    pc->rom_space = &m->system;
    pc_float_init(pc);
    pc->isa_bridge = make(pc, "isabus-bridge", "isa-bridge");
    if (!device_realize(pc->isa_bridge, NULL, err))
        return false;
    pc->isa = isa_bridge_bus(pc->isa_bridge);
    return add_isa_ide(pc, err) && add_rest(pc, err);
}

#define FACS_WAKING_VECTOR 12

/* What firmware does last for a system that wakes up (ACPI 6.4, 5.2.10): to where it says. */
static void wake_cpu(struct pc *pc)
{
    enum mem_result res;
    uint32_t vector = space_ld32_le(&pc->m.memory, pc->facs + FACS_WAKING_VECTOR, 0, &res);

    if (res == MEM_OK && vector && vector < 1 << 20)
        x86_start_real(pc->m.cpus->pdata[0], (uint16_t)(vector >> 4), vector & 15);
}

static void start_kernel(struct pc *pc)
{
    struct x86_boot_state s = pc->boot;
    uint64_t unpacked = pc->vmlinux.m ? vmlinux_start(&pc->vmlinux) : 0;

    if (unpacked)
        s.rip = unpacked;
    if (!pc->m.cpus->len)
        return;
    if (pc->boot_la57 && x86_has_la57(pc->m.cpus->pdata[0])) {
        s.la57 = true;
        s.cr3 = BOOT_PAGES57;
    }
    x86_set_boot_state(pc->m.cpus->pdata[0], &s);
}

/* Where a boot loader would have left the first CPU. */
static void pc_cpus_ready(struct machine *m)
{
    struct pc *pc = (struct pc *)m;

    if (m->waking) {
        if (pc->direct_boot && pc->facs && m->cpus->len)
            wake_cpu(pc);
        return;
    }

    if (pc->direct_boot)
        start_kernel(pc);
}

static void pc_free(struct machine *m)
{
    machine_off_event(m, machine_event, m);
    machine_off_reset(m, board_reset, m);
    pc_cpus_free((struct pc *)m);
    pc_memory_free((struct pc *)m);
}

static const char *pc_default_cpu(const char *arch)
{
    return strcmp(arch, "i386") == 0 ? "qemu32" : "qemu64";
}

static const char *isapc_default_cpu(const char *arch)
{
    (void)arch;
    return "486";
}

static const char *const pc_archs[] = { "x86_64", "i386", NULL };

/* The names under which management software knows the board; they differ in nothing here. */
static const char *const pc_versions[] = {
    "pc-i440fx-7.2", "pc-i440fx-7.1", "pc-i440fx-7.0", "pc-i440fx-6.2", "pc-i440fx-6.1",
    "pc-i440fx-6.0", "pc-i440fx-5.2", "pc-i440fx-5.1", "pc-i440fx-5.0", NULL
};

#define PROP_VMPORT                                   \
    PROP_ONOFFAUTO(struct pc, vmport, "vmport", AUTO, \
                   "VMware's port 5658h with its mouse; auto: on")

static const struct prop pc_props[] = {
    PROP_VMPORT,
    PROP_DRIVE(struct pc, pflash[0], "pflash0", "drive of the flash bank with the firmware"),
    PROP_DRIVE(struct pc, pflash[1], "pflash1", "drive of the bank below, for its variables"),
    PROP_LIST_END
};

static const struct prop isapc_props[] = { PROP_VMPORT, PROP_LIST_END };

const struct machine_type pc_machine = {
    .name = "pc",
    .versions = pc_versions,
    .help = "PC with i440FX and PIIX",
    .archs = pc_archs,
    .default_cpu = pc_default_cpu,
    .props = pc_props,
    .default_ram = 128 * MIB,
    .min_ram = 1 * MIB,
    .max_ram = MIB << 20,
    .max_cpus = PC_CPUS_MAX,
    .size = sizeof(struct pc),
    .is_default = true,
    .default_nic = "e1000",
    .default_vga = "VGA",
    .drive_if = "ide",
    .parallel_ports = true,
    .default_cdrom = true,
    .use_host_irqchip = pc_use_host_irqchip,
    .host_chips = pc_host_chips,
    .nmi = pc_nmi,
    .sleeps = true,
    .init = pc_init,
    .cpus_ready = pc_cpus_ready,
    .free = pc_free,
};

const struct machine_type isapc_machine = {
    .name = "isapc",
    .help = "PC without PCI",
    .archs = pc_archs,
    .default_cpu = isapc_default_cpu,
    .props = isapc_props,
    .default_ram = 128 * MIB,
    .min_ram = 1 * MIB,
    .max_ram = 3584 * MIB,
    .max_cpus = 1,
    .size = sizeof(struct pc),
    .default_nic = "ne2k_isa",
    .default_vga = "isa-vga",
    .drive_if = "ide",
    .parallel_ports = true,
    .default_cdrom = true,
    .init = isapc_init,
    .cpus_ready = pc_cpus_ready,
    .free = pc_free,
};
