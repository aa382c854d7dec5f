/* Registers behind an index. */
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
