/* PCI configuration space, BARs and capabilities (PCI Local Bus 3.0, 6). */
#include "private.h"

#include <base/bits.h>
#include <base/bug.h>

static unsigned bar_reg(unsigned n)
{
    return PCI_BARS + 4 * n;
}

void pci_add_bar(struct pci_device *pd, unsigned n, unsigned flags, struct mem_region *region)
{
    bool wide = (flags & (PCI_BAR_IO | PCI_BAR_MEM64)) == PCI_BAR_MEM64;
    uint64_t mask = ~(region->size - 1);

    bug_on(n + wide >= PCI_BARS_COUNT || !is_pow2(region->size) || pd->bars[n].region ||
           region->size < (flags & PCI_BAR_IO ? 4 : 16));
    pd->bars[n] = (struct pci_bar){ .region = region, .flags = (uint8_t)flags };
    stl_le(pd->config + bar_reg(n), flags);
    stl_le(pd->wmask + bar_reg(n), (uint32_t)mask);
    if (wide)
        stl_le(pd->wmask + bar_reg(n + 1), (uint32_t)(mask >> 32));
}

bool pci_bar_addr(const struct pci_device *pd, unsigned n, uint64_t *addr)
{
    const struct pci_bar *b = &pd->bars[n];
    uint16_t command = lduw_le(pd->config + PCI_COMMAND);
    uint64_t size = b->region->size;
    uint32_t low = ldl_le(pd->config + bar_reg(n));

    if (b->flags & PCI_BAR_IO) {
        *addr = low & ~3u;
        return (command & PCI_COMMAND_IO) && *addr && *addr + size <= pd->bus->io->size;
    }
    *addr = low & ~15u;
    if (b->flags & PCI_BAR_MEM64)
        *addr |= (uint64_t)ldl_le(pd->config + bar_reg(n + 1)) << 32;
    else if (*addr + size > UINT32_MAX)
        return false; /* all ones: the guest asks for the size */
    return (command & PCI_COMMAND_MEMORY) && *addr && *addr + size - 1 >= *addr &&
           *addr + size != 0;
}

static void place_bar(struct pci_device *pd, unsigned n)
{
    struct pci_bar *b = &pd->bars[n];
    uint64_t addr;
    bool on = pci_bar_addr(pd, n, &addr);

    if (b->mapped && (!on || b->region->addr != addr)) {
        mem_region_remove(b->region);
        b->mapped = false;
    }
    if (on && !b->mapped) {
        mem_region_add_priority(b->flags & PCI_BAR_IO ? pd->bus->io : pd->bus->mmio, addr,
                                b->region, 1);
        b->mapped = true;
    }
}

void pci_update_bars(struct pci_device *pd)
{
    struct mem *mem = device_mem(&pd->dev);

    mem_begin(mem);
    for (unsigned i = 0; i < PCI_BARS_COUNT; i++)
        if (pd->bars[i].region)
            place_bar(pd, i);
    pci_rom_update(pd);
    mem_end(mem);
}

void pci_unmap_bars(struct pci_device *pd)
{
    for (unsigned i = 0; i < PCI_BARS_COUNT; i++) {
        if (pd->bars[i].mapped)
            mem_region_remove(pd->bars[i].region);
        pd->bars[i].mapped = false;
    }
    mem_region_remove(&pd->rom);
}

unsigned pci_add_cap(struct pci_device *pd, uint8_t id, unsigned len)
{
    unsigned at = (unsigned)align_up(pd->cap_end, 4);

    bug_on(at + len > PCI_CONFIG_SIZE);
    pd->config[at] = id;
    /* in order: each one points to the next */
    pd->config[pd->last_cap ? pd->last_cap + 1 : PCI_CAPS] = (uint8_t)at;
    pd->config[PCI_STATUS] |= PCI_STATUS_CAPS;
    pd->last_cap = at;
    pd->cap_end = at + len;
    return at;
}

/* ---- accesses ---- */

uint32_t pci_device_read(struct pci_device *pd, unsigned offset, unsigned size)
{
    if (pd->hooks && pd->hooks->before_read)
        pd->hooks->before_read(pd, offset, size);
    return (uint32_t)ldn_le(pd->config + offset, size);
}

static bool touches(unsigned offset, unsigned size, unsigned reg, unsigned len)
{
    return offset < reg + len && reg < offset + size;
}

void pci_device_write(struct pci_device *pd, unsigned offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t *c = pd->config + offset + i, w = pd->wmask[offset + i];

        *c = (uint8_t)((*c & ~w) | (value >> (8 * i) & w));
    }
    if (touches(offset, size, PCI_COMMAND, 2) ||
        touches(offset, size, PCI_BARS, 4 * PCI_BARS_COUNT) || touches(offset, size, PCI_ROM, 4) ||
        touches(offset, size, PCI_BRIDGE_ROM, 4))
        pci_update_bars(pd);
    pci_update_intx(pd);
    if (pd->msix && touches(offset, size, pd->msix + 2u, 2))
        pci_msix_control(pd);
    if (pd->hooks && pd->hooks->written)
        pd->hooks->written(pd, offset, size);
}

/* The bus that a bridge leads to, NULL for other functions. */
static struct pci_bus *bus_behind(const struct pci_device *pd)
{
    struct bus *bus;

    if (!pd->dev.buses->len)
        return NULL;
    bus = g_ptr_array_index(pd->dev.buses, 0);
    return bus->type == BUS_PCI ? container_of(bus, struct pci_bus, bus) : NULL;
}

/* On this bus, or behind one of its bridges. */
static struct pci_device *find_on(struct pci_bus *b, unsigned number, uint8_t devfn)
{
    if (b->number == number)
        return b->at[devfn];
    for (unsigned i = 0; i < PCI_FUNCTIONS; i++) {
        struct pci_bus *behind;

        if (!b->at[i])
            continue;
        behind = bus_behind(b->at[i]);
        if (behind && behind->number && number >= behind->number && number <= behind->last)
            return find_on(behind, number, devfn);
    }
    return NULL;
}

static struct pci_device *find_function(struct pci_bus *root, uint32_t where)
{
    return find_on(root, where >> 16, where >> 8 & 0xff);
}

uint32_t pci_config_read(struct pci_bus *root, uint32_t where, unsigned size)
{
    struct pci_device *pd = find_function(root, where);
    unsigned reg = where & 0xff;

    if (!pd || reg + size > PCI_CONFIG_SIZE)
        return (uint32_t)mask64(8 * size);
    return pci_device_read(pd, reg, size);
}

void pci_config_write(struct pci_bus *root, uint32_t where, unsigned size, uint32_t value)
{
    struct pci_device *pd = find_function(root, where);
    unsigned reg = where & 0xff;

    if (pd && reg + size <= PCI_CONFIG_SIZE)
        pci_device_write(pd, reg, size, value);
}
