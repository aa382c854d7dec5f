/* Interrupts of PCI functions: INTx, MSI and MSI-X (PCI Local Bus 3.0, 2.2.6 and 6.8). */
#include "private.h"

#include <base/bits.h>
#include <base/bug.h>
#include <base/error.h>

#define MSIX_ENTRY    16
#define MSIX_CONTROL  2
#define MSIX_TABLE    4
#define MSIX_PBA      8
#define MSIX_ENABLE   0x8000
#define MSIX_MASK_ALL 0x4000
#define MSIX_MASK     1
#define MSI_CONTROL   2
#define MSI_ADDR      4
#define MSI_DATA      12
#define MSI_ENABLE    1
#define MSI_64BIT     0x80

mem_attrs pci_attrs(const struct pci_device *pd)
{
    return MEM_ATTR_REQUESTER(pd->devfn);
}

/* ---- lines ---- */

/* Slots are wired so that neighbours' INTA go to different lines (Bridge Architecture 1.2, 9.1). */
static unsigned line_of(const struct pci_device *pd)
{
    return (PCI_SLOT(pd->devfn) + pd->config[PCI_IRQ_PIN] - 1u) & 3;
}

static void drive_line(struct pci_bus *b, unsigned line, bool level)
{
    b->asserted[line] += level ? 1 : -1;
    irq_set(&b->intx[line], b->asserted[line] != 0);
}

void pci_pass_intx(struct pci_device *bridge, unsigned n, bool level)
{
    drive_line(bridge->bus, (PCI_SLOT(bridge->devfn) + n) & 3, level);
}

void pci_update_intx(struct pci_device *pd)
{
    bool off = lduw_le(pd->config + PCI_COMMAND) & PCI_COMMAND_INTX_OFF;
    bool level = pd->intx && !off;
    pd->config[PCI_STATUS] =
        (uint8_t)((pd->config[PCI_STATUS] & ~PCI_STATUS_INTX) | (pd->intx ? PCI_STATUS_INTX : 0));
    if (level == pd->intx_driven)
        return;
    pd->intx_driven = level;
    drive_line(pd->bus, line_of(pd), level);
}

void pci_set_intx(struct pci_device *pd, bool level)
{
    if (!pd->config[PCI_IRQ_PIN])
        return;
    pd->intx = level;
    pci_update_intx(pd);
}

/* ---- messages ---- */

static void send_message(struct pci_device *pd, uint64_t addr, uint32_t data)
{
    if (pci_bus_master(pd))
        space_st32_le(&pd->dev.machine->memory, addr, data, pci_attrs(pd));
}

void pci_add_msi(struct pci_device *pd)
{
    pd->msi = (uint8_t)pci_add_cap(pd, PCI_CAP_MSI, 14);
    stw_le(pd->config + pd->msi + MSI_CONTROL, MSI_64BIT);
    stw_le(pd->wmask + pd->msi + MSI_CONTROL, MSI_ENABLE);
    stl_le(pd->wmask + pd->msi + MSI_ADDR, ~3u);
    stl_le(pd->wmask + pd->msi + MSI_ADDR + 4, ~0u);
    stw_le(pd->wmask + pd->msi + MSI_DATA, 0xffff);
}

bool pci_msi_enabled(const struct pci_device *pd)
{
    return pd->msi && (pd->config[pd->msi + MSI_CONTROL] & MSI_ENABLE);
}

void pci_msi_notify(struct pci_device *pd)
{
    if (pci_msi_enabled(pd))
        send_message(pd, ldq_le(pd->config + pd->msi + MSI_ADDR),
                     lduw_le(pd->config + pd->msi + MSI_DATA));
}

static uint16_t msix_control(const struct pci_device *pd)
{
    return lduw_le(pd->config + pd->msix + MSIX_CONTROL);
}

bool pci_msix_enabled(const struct pci_device *pd)
{
    return pd->msix && (msix_control(pd) & MSIX_ENABLE);
}

static bool is_masked(const struct pci_device *pd, unsigned vector)
{
    return (msix_control(pd) & MSIX_MASK_ALL) || (pd->msix_table[4 * vector + 3] & MSIX_MASK);
}

void pci_msix_notify(struct pci_device *pd, unsigned vector)
{
    const uint32_t *entry;

    if (!pci_msix_enabled(pd) || vector >= pd->msix_vectors)
        return;
    entry = &pd->msix_table[4 * vector];
    if (is_masked(pd, vector))
        pd->msix_pending[vector / 64] |= BIT(vector % 64);
    else
        send_message(pd, entry[0] | (uint64_t)entry[1] << 32, entry[2]);
}

bool pci_msix_message(const struct pci_device *pd, unsigned vector, uint64_t *addr, uint32_t *data)
{
    const uint32_t *entry;

    if (!pci_msix_enabled(pd) || vector >= pd->msix_vectors || is_masked(pd, vector) ||
        !pci_bus_master(pd))
        return false;
    entry = &pd->msix_table[4 * vector];
    *addr = entry[0] | (uint64_t)entry[1] << 32;
    *data = entry[2];
    return true;
}

static void tell_of_change(struct pci_device *pd)
{
    if (pd->hooks && pd->hooks->msix_changed)
        pd->hooks->msix_changed(pd);
}

static void send_pending(struct pci_device *pd, unsigned vector)
{
    uint64_t bit = BIT(vector % 64);

    if (!(pd->msix_pending[vector / 64] & bit) || !pci_msix_enabled(pd) || is_masked(pd, vector))
        return;
    pd->msix_pending[vector / 64] &= ~bit;
    pci_msix_notify(pd, vector);
}

void pci_msix_control(struct pci_device *pd)
{
    for (unsigned i = 0; i < pd->msix_vectors; i++)
        send_pending(pd, i);
    tell_of_change(pd);
}

void pci_msix_reset(struct pci_device *pd)
{
    for (unsigned i = 0; i < pd->msix_words; i++)
        pd->msix_table[i] = i % 4 == 3 ? MSIX_MASK : 0;
    for (unsigned i = 0; i < pd->msix_longs; i++)
        pd->msix_pending[i] = 0;
}

static uint64_t table_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct pci_device *pd = opaque;

    (void)size;
    return pd->msix_table[offset / 4];
}

static void table_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct pci_device *pd = opaque;
    unsigned word = (unsigned)offset / 4;

    (void)size;
    pd->msix_table[word] = (uint32_t)value & (word % 4 == 0   ? ~3u
                                              : word % 4 == 3 ? MSIX_MASK
                                                              : ~0u);
    send_pending(pd, word / 4);
    tell_of_change(pd);
}

static uint64_t pba_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct pci_device *pd = opaque;

    (void)size;
    return pd->msix_pending[offset / 8] >> (8 * (offset & 4));
}

static void pba_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size; /* 6.8.2.10: not to be written */
}

static const struct io_ops table_io = {
    .read = table_read, .write = table_write, .guest_sizes = { 4, 8 }, .own_sizes = { 4, 4 }
};
static const struct io_ops pba_io = {
    .read = pba_read, .write = pba_write, .guest_sizes = { 4, 8 }, .own_sizes = { 4, 4 }
};

bool pci_add_msix(struct pci_device *pd, unsigned vectors, unsigned bar, GError **err)
{
    struct mem *mem = device_mem(&pd->dev);
    uint64_t table = align_up(vectors * MSIX_ENTRY, 2048), size;
    uint8_t *c;

    if (!vectors || vectors > PCI_MSIX_MAX)
        return error_set(err, "%s: %u MSI-X vectors; there are 1 to %u", pd->dev.type->name,
                         vectors, PCI_MSIX_MAX);
    pd->msix_vectors = vectors;
    pd->msix_words = vectors * 4;
    pd->msix_longs = (vectors + 63) / 64;
    pd->msix_table = g_new0(uint32_t, pd->msix_words);
    pd->msix_pending = g_new0(uint64_t, pd->msix_longs);
    size = MAX(pow2_ceil(table + pd->msix_longs * 8), 4096);
    mem_region_init(&pd->msix_bar, mem, "msix", size);
    mem_region_init_io(&pd->msix_table_io, mem, &table_io, pd, "msix-table", vectors * MSIX_ENTRY);
    mem_region_init_io(&pd->msix_pba_io, mem, &pba_io, pd, "msix-pba", pd->msix_longs * 8);
    mem_region_add(&pd->msix_bar, 0, &pd->msix_table_io);
    mem_region_add(&pd->msix_bar, table, &pd->msix_pba_io);
    pci_add_bar(pd, bar, PCI_BAR_MEM32, &pd->msix_bar);

    pd->msix = (uint8_t)pci_add_cap(pd, PCI_CAP_MSIX, 12);
    c = pd->config + pd->msix;
    stw_le(c + MSIX_CONTROL, (uint16_t)(vectors - 1));
    stl_le(c + MSIX_TABLE, bar);
    stl_le(c + MSIX_PBA, (uint32_t)table | bar);
    stw_le(pd->wmask + pd->msix + MSIX_CONTROL, MSIX_ENABLE | MSIX_MASK_ALL);
    pci_msix_reset(pd);
    return true;
}

void pci_remove_msix(struct pci_device *pd)
{
    if (!pd->msix_vectors)
        return;
    pci_unmap_bars(pd);
    mem_region_destroy(&pd->msix_table_io);
    mem_region_destroy(&pd->msix_pba_io);
    mem_region_destroy(&pd->msix_bar);
    g_free(pd->msix_table);
    g_free(pd->msix_pending);
    pd->msix_vectors = pd->msix_words = pd->msix_longs = 0;
}
