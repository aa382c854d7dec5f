/*
 * Power management function of the Intel 82371AB (PIIX4; datasheet 290562-001, 7): ACPI registers
 * and SMBus at ports that firmware chooses, and the APM ports 0xb2 and 0xb3.
 */
#include <hw/acpi/piix4.h>

#include <base/bits.h>
#include <hw/acpi/pcihp.h>
#include <hw/pci/pci.h>
#include "smbus.h"

#define WAKE_LINES 2

#define REG_PMBA      0x40 /* bits 15..6 */
#define REG_DEVACTB   0x58
#define REG_PMREGMISC 0x80
#define REG_SMBBA     0x90
#define REG_SMBHSTCFG 0xd2

#define DEVACTB_APMC BIT(25) /* writes to 0xb2 raise SMI# */
#define PMREGMISC_ON 1
#define SMBHSTCFG_ON 1
#define WINDOW       64
#define SCI_IRQ_PIN  1

struct piix4 {
    struct pci_device pci;
    struct acpi_pm pm;
    struct acpi_pcihp pcihp;
    bool root_hotplug; /* property */
    struct smbus smbus;
    struct irq_line sci, smi;
    struct mem_region pm_io; /* 64 ports at PMBA */
    struct mem_region apm_io;
    bool pm_placed, smbus_placed;
    uint8_t apm_command, apm_status;
};

/* ---- windows ---- */

static uint16_t base_of(const struct piix4 *p, unsigned reg)
{
    return lduw_le(p->pci.config + reg) & 0xffc0;
}

uint16_t piix4_pm_base(struct device *dev)
{
    const struct piix4 *p = (const struct piix4 *)dev;

    return p->pm_placed ? base_of(p, REG_PMBA) : 0;
}

static void place(struct mem_region *r, struct mem_region *io, uint16_t base, bool on, bool *placed)
{
    if (*placed && (!on || r->addr != base)) {
        mem_region_remove(r);
        *placed = false;
    }
    if (on && !*placed) {
        mem_region_add(io, base, r);
        *placed = true;
    }
}

static void place_windows(struct piix4 *p)
{
    const uint8_t *c = p->pci.config;
    struct machine *m = p->pci.dev.machine;
    uint16_t pm = base_of(p, REG_PMBA), smbus = base_of(p, REG_SMBBA);

    mem_begin(m->mem);
    place(&p->pm_io, &m->io, pm, pm && (c[REG_PMREGMISC] & PMREGMISC_ON), &p->pm_placed);
    place(&p->smbus.io, &m->io, smbus, smbus && (c[REG_SMBHSTCFG] & SMBHSTCFG_ON),
          &p->smbus_placed);
    mem_end(m->mem);
}

static void piix4_written(struct pci_device *pd, unsigned offset, unsigned size)
{
    if (offset + size > REG_PMBA)
        place_windows((struct piix4 *)pd);
}

static const struct pci_hooks piix4_hooks = { .written = piix4_written };

bool piix4_has_s3(struct device *dev)
{
    return !((struct piix4 *)dev)->pm.disable_s3;
}

bool piix4_has_pci_hotplug(struct device *dev)
{
    return ((struct piix4 *)dev)->root_hotplug;
}

bool piix4_has_s4(struct device *dev)
{
    return !((struct piix4 *)dev)->pm.disable_s4;
}

void piix4_pm_setup(struct device *dev, uint16_t pm_base, uint16_t smbus_base)
{
    struct piix4 *p = (struct piix4 *)dev;

    stw_le(p->pci.config + REG_PMBA, pm_base | 1);
    stw_le(p->pci.config + REG_SMBBA, smbus_base | 1);
    p->pci.config[REG_PMREGMISC] |= PMREGMISC_ON;
    p->pci.config[REG_SMBHSTCFG] |= SMBHSTCFG_ON;
    place_windows(p);
}

/* ---- APM ports (8.1.1) ---- */

static uint64_t apm_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct piix4 *p = opaque;

    (void)size;
    return offset ? p->apm_status : p->apm_command;
}

/* The two switches of ACPI mode act by themselves, so that they work without an SMI handler. */
static void apm_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct piix4 *p = opaque;

    (void)size;
    if (offset) {
        p->apm_status = (uint8_t)value;
        return;
    }
    p->apm_command = (uint8_t)value;
    if (value == PIIX4_ACPI_ON || value == PIIX4_ACPI_OFF)
        acpi_pm_enable(&p->pm, value == PIIX4_ACPI_ON);
    if (ldl_le(p->pci.config + REG_DEVACTB) & DEVACTB_APMC)
        irq_pulse(&p->smi);
}

static const struct io_ops apm_io = {
    .read = apm_read, .write = apm_write, .guest_sizes = { 1, 2 }, .own_sizes = { 1, 1 }
};

/* ---- lines that wake the guest up ---- */

/* The clock's alarm counts where the guest wants to know of it. */
static void wake_line(void *opaque, unsigned n, bool level)
{
    struct piix4 *p = opaque;

    if (!level)
        return;
    if (n == PIIX4_WAKE_KEYBOARD) {
        if (p->pci.dev.machine->run_state == RUN_SUSPENDED)
            acpi_pm_wake(&p->pm, ACPI_PM_POWER_BUTTON);
    } else if (p->pm.enable & ACPI_PM_RTC) {
        acpi_pm_wake(&p->pm, ACPI_PM_RTC);
    }
}

/* ---- life ---- */

struct reg {
    uint8_t at, len;
    uint32_t reset, writable;
};

static const struct reg registers[] = {
    { REG_PMBA, 4, 1, 0xffc0 },
    { REG_DEVACTB, 4, 0, 0x03ffffff },
    { 0x5f, 1, 0x90, 0 }, /* ports of a parallel */
    { 0x63, 1, 0x60, 0 }, /* and of two serial interfaces */
    { 0x67, 1, 0x98, 0 }, /* are decoded */
    { REG_PMREGMISC, 1, 0, PMREGMISC_ON },
    { REG_SMBBA, 4, 1, 0xffc0 },
    { REG_SMBHSTCFG, 1, 0, 0x0f },
};

static void init_config(struct piix4 *p)
{
    p->pci.hooks = &piix4_hooks;
    stw_le(p->pci.config + PCI_STATUS, 0x0280); /* fast back-to-back, medium DEVSEL timing */
    for (unsigned i = 0; i < ARRAY_LEN(registers); i++)
        stn_le(p->pci.wmask + registers[i].at, registers[i].len, registers[i].writable);
}

static bool piix4_realize(struct device *dev, GError **err)
{
    struct piix4 *p = (struct piix4 *)dev;
    struct machine *m = dev->machine;

    (void)err;
    init_config(p);
    device_irq_outs(dev, NULL, &p->sci, 1);
    device_irq_outs(dev, "smi", &p->smi, 1);
    device_irq_ins(dev, "wake", wake_line, p, WAKE_LINES);
    acpi_pm_init(&p->pm, dev, &p->sci);
    smbus_init(&p->smbus, dev);
    smbus_add_modules(&p->smbus, m->cfg.ram_size);
    mem_region_init(&p->pm_io, m->mem, "piix4-pm", WINDOW);
    mem_region_add(&p->pm_io, 0, &p->pm.events);
    mem_region_add(&p->pm_io, 4, &p->pm.control);
    mem_region_add(&p->pm_io, 8, &p->pm.count);
    mem_region_add(&m->io, PIIX4_GPE_PORT, &p->pm.gpe);
    mem_region_init_io(&p->apm_io, m->mem, &apm_io, p, "apm-io", 2);
    mem_region_add(&m->io, PIIX4_APM_PORT, &p->apm_io);
    if (p->root_hotplug) {
        acpi_pcihp_init(&p->pcihp, &p->pm, p->pci.bus);
        mem_region_add(&m->io, ACPI_PCIHP_PORT, &p->pcihp.io);
    }
    return true;
}

static void piix4_unrealize(struct device *dev)
{
    struct piix4 *p = (struct piix4 *)dev;

    acpi_pcihp_destroy(&p->pcihp);
    mem_region_destroy(&p->apm_io);
    mem_region_destroy(&p->pm_io);
    smbus_destroy(&p->smbus);
    acpi_pm_destroy(&p->pm);
}

static void piix4_reset(struct device *dev)
{
    struct piix4 *p = (struct piix4 *)dev;

    for (unsigned i = 0; i < ARRAY_LEN(registers); i++)
        stn_le(p->pci.config + registers[i].at, registers[i].len, registers[i].reset);
    p->apm_command = p->apm_status = 0;
    place_windows(p);
    acpi_pm_reset(&p->pm);
    if (p->root_hotplug)
        acpi_pcihp_reset(&p->pcihp);
    smbus_reset(&p->smbus);
}

static const struct state_field piix4_fields[] = { STATE_STRUCT(struct piix4, pm, acpi_pm_state),
                                                   STATE_STRUCT(struct piix4, smbus, smbus_state),
                                                   STATE_U8(struct piix4, apm_command),
                                                   STATE_U8(struct piix4, apm_status),
                                                   STATE_STRUCT(struct piix4, pcihp,
                                                                acpi_pcihp_state, .since = 2),
                                                   STATE_END };
static const struct state_table piix4_state = { .name = "piix4-pm",
                                                .version = 2,
                                                .fields = piix4_fields };

static const struct prop piix4_props[] = { PROP_U8(struct piix4, pm.disable_s3, "disable_s3", 0,
                                                   "1: there is no suspend to RAM", .max = 1),
                                           PROP_U8(struct piix4, pm.disable_s4, "disable_s4", 0,
                                                   "1: there is no suspend to disk", .max = 1),
                                           PROP_BOOL(struct piix4, root_hotplug,
                                                     "acpi-root-pci-hotplug", true,
                                                     "PCI functions come and go through ACPI"),
                                           PROP_LIST_END };

static const struct pci_info piix4_info = {
    .vendor = 0x8086,
    .device = 0x7113,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .revision = 0x03,
    .class_code = { 0x00, 0x80, 0x06 },
    .pin = SCI_IRQ_PIN,
};

const struct device_type piix4_pm_type = {
    .name = "PIIX4_PM",
    .help = "power management and SMBus of the 82371AB",
    .bus = BUS_PCI,
    .size = sizeof(struct piix4),
    .internal = true,
    .category = "bridge",
    .realize = piix4_realize,
    .reset = piix4_reset,
    .unrealize = piix4_unrealize,
    .props = piix4_props,
    .state = &piix4_state,
    .bus_info = &piix4_info,
};
