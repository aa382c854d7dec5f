/*
 * PCI set-up: bus numbers, BARs, bridges' windows, interrupt lines (PCI 3.0, 6.2.5; PCI-to-PCI
 * Bridge 1.2, 3.2.5; datasheet of the 82371SB, 2.2).
 *
 * Every bus is walked once for each kind of address; within a bus the large BARs go first, so that
 * natural alignment wastes little, and what is behind bridges follows.
 */
#include "post.h"

enum kind { KIND_IO, KIND_MEM, KIND_PREFETCH, KINDS };

enum {
    REG_COMMAND = 0x04,
    REG_CLASS = 0x0a,
    REG_HEADER = 0x0e,
    REG_BAR = 0x10,
    REG_BUSES = 0x18,
    REG_IO_WINDOW = 0x1c,
    REG_MEM_WINDOW = 0x20,
    REG_PREFETCH_WINDOW = 0x24,
    REG_PREFETCH_HIGH = 0x28,
    REG_ROM = 0x30,
    REG_IO_HIGH = 0x30,
    REG_BRIDGE_ROM = 0x38,
    REG_LINE = 0x3c,
    REG_PIN = 0x3d,
};

#define NONE     0x10000u
#define IO_BASE  0xc000u
#define IO_END   0x10000u
#define MEM_END  0xfec00000u
#define HIGH_BAR 0x20000000u /* 64-bit BARs from this size on go above 4 GiB */

struct space {
    uint32_t next, end;
};

static struct space io, mem;
static uint64_t high;
static uint8_t last_bus;

static const uint8_t irq_of_pirq[] = { 10, 10, 11, 11 };

uint32_t pci_next(uint32_t bdf)
{
    for (; bdf < (SYS.last_bus + 1u) << 8; bdf++) {
        uint16_t vendor = pci_read16(bdf, 0);

        if ((bdf & 7) && !(pci_read8(bdf & ~7u, REG_HEADER) & 0x80)) {
            bdf |= 7;
            continue;
        }
        if (vendor != 0xffff && vendor)
            return bdf;
    }
    return NONE;
}

static uint32_t next_on_bus(uint32_t bdf, uint8_t bus)
{
    bdf = pci_next(bdf);
    return bdf >> 8 == bus ? bdf : NONE;
}

static bool is_bridge(uint16_t bdf)
{
    return (pci_read8(bdf, REG_HEADER) & 0x7f) == 1;
}

/* ---- bus numbers ---- */

static void number_buses(uint8_t bus)
{
    for (uint32_t bdf = bus << 8; (bdf = next_on_bus(bdf, bus)) != NONE; bdf++) {
        uint8_t below;

        if (!is_bridge(bdf) || last_bus == 255)
            continue;
        below = ++last_bus;
        SYS.last_bus = last_bus;
        pci_write32(bdf, REG_BUSES, 0xff0000u | (uint32_t)below << 8 | bus);
        number_buses(below);
        pci_write8(bdf, REG_BUSES + 2, last_bus);
    }
}

/* ---- BARs ---- */

struct bar {
    uint8_t reg;
    bool wide;
    enum kind kind;
    uint64_t size; /* 0: there is none */
};

static struct bar read_bar(uint16_t bdf, uint8_t reg, bool rom)
{
    struct bar b = { .reg = reg, .kind = KIND_MEM };
    uint32_t old = pci_read32(bdf, reg), mask, top = 0xffffffff;

    pci_write32(bdf, reg, rom ? 0xfffff800 : 0xffffffff);
    mask = pci_read32(bdf, reg);
    pci_write32(bdf, reg, old);
    if (!mask)
        return b;
    if (rom) {
        mask &= 0xfffff800;
    } else if (mask & 1) {
        b.kind = KIND_IO;
        mask = (mask & 0xfffffffc) | 0xffff0000;
    } else {
        b.wide = (mask & 6) == 4;
        b.kind = mask & 8 ? KIND_PREFETCH : KIND_MEM;
        mask &= 0xfffffff0;
    }
    if (b.wide) {
        uint32_t old_high = pci_read32(bdf, reg + 4);

        pci_write32(bdf, reg + 4, 0xffffffff);
        top = pci_read32(bdf, reg + 4);
        pci_write32(bdf, reg + 4, old_high);
    }
    b.size = -((uint64_t)top << 32 | mask);
    return b;
}

static void set_bar(uint16_t bdf, const struct bar *b, uint64_t addr)
{
    pci_write32(bdf, b->reg, (uint32_t)addr);
    if (b->wide)
        pci_write32(bdf, b->reg + 4, (uint32_t)(addr >> 32));
}

static bool take(struct space *s, uint32_t size, uint32_t align, uint32_t *addr)
{
    uint32_t at = (s->next + align - 1) & ~(align - 1);

    if (at < s->next || at > s->end || size > s->end - at)
        return false;
    *addr = at;
    s->next = at + size;
    return true;
}

static void place_bar(uint16_t bdf, const struct bar *b)
{
    uint32_t addr, size = (uint32_t)b->size;

    if (b->wide && b->size >= HIGH_BAR && !(bdf >> 8)) {
        high = (high + b->size - 1) & -b->size;
        set_bar(bdf, b, high);
        high += b->size;
    } else if (!(b->size >> 32) && take(b->kind == KIND_IO ? &io : &mem, size, size, &addr)) {
        set_bar(bdf, b, addr);
    } else {
        log_line("pci: %x: no room for BAR %x", bdf, b->reg);
        set_bar(bdf, b, 0);
    }
}

/* The function's BARs of this kind and size. */
static void place_function(uint16_t bdf, enum kind kind, uint64_t size)
{
    unsigned bars = is_bridge(bdf) ? 2 : 6;
    struct bar b;

    for (unsigned i = 0; i < bars; i += b.wide ? 2 : 1) {
        b = read_bar(bdf, REG_BAR + 4 * i, false);
        if (b.kind == kind && b.size == size)
            place_bar(bdf, &b);
    }
    b = read_bar(bdf, is_bridge(bdf) ? REG_BRIDGE_ROM : REG_ROM, true);
    if (b.kind == kind && b.size == size)
        place_bar(bdf, &b);
}

static void place_bus(uint8_t bus, enum kind kind);

static void place_bridge(uint16_t bdf, enum kind kind)
{
    struct space *s = kind == KIND_IO ? &io : &mem;
    uint32_t unit = kind == KIND_IO ? 0x1000 : 0x100000, from, to;

    s->next = from = (s->next + unit - 1) & ~(unit - 1);
    place_bus(pci_read8(bdf, REG_BUSES + 1), kind);
    s->next = (s->next + unit - 1) & ~(unit - 1);
    to = s->next - 1;
    if (s->next == from) { /* closed: the base is above the limit */
        from = kind == KIND_IO ? 0xf000 : 0xfff00000;
        to = 0;
    }
    switch (kind) {
    case KIND_IO:
        pci_write16(bdf, REG_IO_WINDOW, (uint16_t)((from >> 8 & 0xf0) | (to & 0xf000)));
        pci_write32(bdf, REG_IO_HIGH, 0);
        break;
    case KIND_MEM: pci_write32(bdf, REG_MEM_WINDOW, from >> 16 | (to & 0xfff00000)); break;
    default:
        pci_write32(bdf, REG_PREFETCH_WINDOW, from >> 16 | (to & 0xfff00000));
        pci_write32(bdf, REG_PREFETCH_HIGH, 0);
        pci_write32(bdf, REG_PREFETCH_HIGH + 4, 0);
    }
}

static void place_bus(uint8_t bus, enum kind kind)
{
    uint32_t bdf, first = (uint32_t)bus << 8;

    for (unsigned bits = kind == KIND_IO ? 16 : 40; bits >= 2; bits--)
        for (bdf = first; (bdf = next_on_bus(bdf, bus)) != NONE; bdf++)
            place_function(bdf, kind, UINT64_C(1) << bits);
    for (bdf = first; (bdf = next_on_bus(bdf, bus)) != NONE; bdf++)
        if (is_bridge(bdf))
            place_bridge(bdf, kind);
}

/* ---- interrupts ---- */

/* The bridge whose secondary bus this is. */
static uint32_t bridge_to(uint8_t bus)
{
    for (uint32_t bdf = 0; (bdf = pci_next(bdf)) != NONE; bdf++)
        if (is_bridge(bdf) && pci_read8(bdf, REG_BUSES + 1) == bus)
            return bdf;
    return NONE;
}

static void route_irq(uint16_t bdf)
{
    unsigned pin = pci_read8(bdf, REG_PIN), slot = bdf >> 3 & 31;
    uint32_t at = bdf;

    if (!pin || pin > 4)
        return;
    for (pin--; at >> 8; pin = (pin + slot) % 4, slot = at >> 3 & 31) {
        at = bridge_to(at >> 8);
        if (at == NONE)
            return;
    }
    pci_write8(bdf, REG_LINE, irq_of_pirq[(slot + pin + 3) % 4]);
}

/* ---- the chip set ---- */

static void set_up_piix(uint16_t bdf, uint16_t device)
{
    switch (device) {
    case 0x7000: /* PIIX3: PIRQ routing, and those lines by level */
    case 0x7110:
        for (unsigned i = 0; i < 4; i++)
            pci_write8(bdf, 0x60 + i, irq_of_pirq[i]);
        outb(0x4d0, 0);
        outb(0x4d1, 0x0e);
        break;
    case 0x7010: /* IDE: both channels decode */
    case 0x7111:
        pci_write16(bdf, 0x40, 0x8000);
        pci_write16(bdf, 0x42, 0x8000);
        break;
    case 0x7113: /* power management at 0x600, SMBus at 0xb100 */
        pci_write32(bdf, 0x40, 0x601);
        pci_write8(bdf, 0x80, 1);
        pci_write32(bdf, 0x90, 0xb101);
        pci_write8(bdf, 0xd2, 9);
        pci_write8(bdf, REG_LINE, 9);
        break;
    }
}

static void finish_function(uint16_t bdf)
{
    uint16_t vendor = pci_read16(bdf, 0), device = pci_read16(bdf, 2);
    uint16_t on = is_bridge(bdf) ? 7 : 3;

    route_irq(bdf);
    if (vendor == 0x8086)
        set_up_piix(bdf, device);
    if (pci_read16(bdf, REG_CLASS) == 0x101)
        on |= 4;
    pci_write16(bdf, REG_COMMAND, pci_read16(bdf, REG_COMMAND) | on);
    log_line("pci: %x: %x:%x class %x", bdf, vendor, device, pci_read16(bdf, REG_CLASS));
}

void pci_setup(void)
{
    outl(0xcf8, 0x80000000);
    if (inl(0xcf8) != 0x80000000 || pci_read16(0, 0) == 0xffff)
        return;
    SYS.has_pci = true;
    last_bus = SYS.last_bus = 0;
    number_buses(0);
    io = (struct space){ IO_BASE, IO_END };
    mem = (struct space){ SYS.ram_low > 0xbff00000 ? 0xe0000000 : 0xc0000000, MEM_END };
    high = (UINT64_C(1) << 32) + ((uint64_t)SYS.ram_high_64k << 16);
    for (enum kind k = 0; k < KINDS; k++)
        place_bus(0, k);
    for (uint32_t bdf = 0; (bdf = pci_next(bdf)) != NONE; bdf++)
        finish_function(bdf);
}
