/* Registers behind an index, and the display among PCI functions. */
#include "vga.h"

void indexed_write(uint16_t port, uint8_t index, uint8_t v)
{
    outw(port, (uint16_t)(v << 8 | index));
}

uint8_t indexed_read(uint16_t port, uint8_t index)
{
    outb(port, index);
    return inb(port + 1);
}

enum { CLASS_DISPLAY = 3 };

uint32_t display_address(uint16_t vendor)
{
    outl(0xcf8, 0x80000000);
    if (inl(0xcf8) != 0x80000000)
        return 0;
    for (uint32_t bdf = 0; bdf < 0x10000; bdf++) {
        if (pci_read16(bdf, 0) == vendor && pci_read8(bdf, 0x0b) == CLASS_DISPLAY)
            return pci_read32(bdf, 0x10) & ~15u;
        if (!(bdf & 7) && !(pci_read8(bdf, 0x0e) & 0x80))
            bdf |= 7;
    }
    return 0;
}
