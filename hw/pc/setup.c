/*
 * What firmware would do before it starts a kernel, for kernels that start without: interrupt
 * routing, addresses of PCI functions, power management's ports, tables.
 */
#include "setup.h"

#include <base/bits.h>
#include <hw/acpi/piix4.h>
#include <hw/isa/piix3.h>
#include <hw/ide/piix.h>
#include <hw/pci/i440fx.h>
#include "acpi.h"
#include "smbios.h"

#define REG_PAM0    0x59
#define PAM0_RAM    0x30
#define PAM0_ROM    0x10
#define REG_PIRQRC  0x60
#define ELCR        0x4d0
#define ELCR_LEVELS 0x0e00 /* 9, 10, 11 */
#define IO_FIRST    0xc000
#define IO_LAST     0xffff
#define MEM_LAST    0xfebfffffu

static const uint8_t pirq_irqs[4] = { 10, 10, 11, 11 };

/* Where the next window goes. */
struct room {
    uint64_t io, mem;
};

static bool take(uint64_t *next, uint64_t last, uint64_t size, uint64_t *at)
{
    *at = align_up(*next, size);
    if (*at > last || size - 1 > last - *at)
        return false;
    *next = *at + size;
    return true;
}

/* A window that does not fit keeps no address: the system may find another place. */
static void place_bar(struct pci_device *pd, unsigned n, struct room *r)
{
    const struct pci_bar *b = &pd->bars[n];
    uint64_t at;
    bool ok;

    if (!b->region)
        return;
    if (b->flags & PCI_BAR_IO)
        ok = take(&r->io, IO_LAST, b->region->size, &at);
    else
        ok = take(&r->mem, MEM_LAST, MAX(b->region->size, 4096), &at);
    if (ok)
        pci_device_write(pd, PCI_BARS + 4 * n, 4, (uint32_t)at);
}

/* A bridge's windows, closed: base above limit. Who looks behind it opens them. */
static void close_bridge(struct pci_device *pd)
{
    pci_device_write(pd, PCI_IO_WINDOW, 2, 0x00f0);
    pci_device_write(pd, PCI_MEMORY_WINDOW, 4, 0x0000fff0);
    pci_device_write(pd, PCI_PREFETCH_WINDOW, 4, 0x0000fff0);
}

static void set_up_function(struct pci_device *pd, struct room *r)
{
    unsigned pin = pd->config[PCI_IRQ_PIN], irq;
    uint16_t command = lduw_le(pd->config + PCI_COMMAND);

    if ((pd->config[PCI_HEADER_TYPE] & 0x7f) == PCI_HEADER_BRIDGE)
        close_bridge(pd);
    for (unsigned i = 0; i < PCI_BARS_COUNT; i++)
        place_bar(pd, i, r);
    pci_device_write(pd, PCI_COMMAND, 2, command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    if (!pin)
        return;
    irq = pirq_irqs[(PCI_SLOT(pd->devfn) + pin + 2u) % 4];
    if (pd->devfn == PCI_DEVFN(1, 3))
        irq = PC_IRQ_SCI;
    pci_device_write(pd, PCI_IRQ_LINE, 1, irq);
}

static void set_up_pci(struct pc *pc)
{
    struct pci_bus *bus = i440fx_bus(pc->host);
    struct room r = { IO_FIRST, MAX(pc->below_4g, PC_PCI_HOLE) };

    for (unsigned i = 0; i < 4; i++)
        pci_device_write((struct pci_device *)pc->piix3, REG_PIRQRC + i, 1, pirq_irqs[i]);
    space_st16_le(&pc->m.ports, ELCR, ELCR_LEVELS, 0);
    for (unsigned i = 0; i < PCI_FUNCTIONS; i++)
        if (bus->at[i])
            set_up_function(bus->at[i], &r);
}

/* The first DMA controller gets at memory through channel 4. */
enum { DMA2_MASK = 0xd4, DMA2_MODE = 0xd6, DMA2_CASCADE = 0xc0 };

static void put_tables(struct pc *pc)
{
    struct pci_bus *bus = i440fx_bus(pc->host);
    uint8_t rsdp[ACPI_RSDP_SIZE];

    pc_acpi_place(pc, pc->below_4g - PC_TABLES_SIZE, rsdp);
    pci_config_write(bus, REG_PAM0, 1, PAM0_RAM);
    space_write(&pc->m.memory, PC_RSDP, rsdp, sizeof(rsdp), 0);
    pc_smbios_place(pc, PC_SMBIOS, PC_SMBIOS_END);
    pci_config_write(bus, REG_PAM0, 1, PAM0_ROM);
}

void pc_set_up(struct pc *pc)
{
    if (!pc->host)
        return;
    piix_ide_setup(pc->ide);
    space_st8(&pc->m.ports, DMA2_MODE, DMA2_CASCADE, 0);
    space_st8(&pc->m.ports, DMA2_MASK, 0, 0);
    piix4_pm_setup(pc->pm, PC_PORT_PM, PC_PORT_SMBUS);
    set_up_pci(pc);
    if (pc->m.waking)
        return;
    put_tables(pc);
    pc_low_memory_set_up(pc);
}
