/* Bochs' display interface: registers by index at port 1CEh, data at 1CFh. */
#include "vga.h"

enum { DISPI_INDEX = 0x1ce, DISPI_DATA = 0x1cf };
enum {
    REG_ID,
    REG_XRES,
    REG_YRES,
    REG_BPP,
    REG_ENABLE,
    REG_BANK,
    REG_VIRT_WIDTH,
    REG_VIRT_HEIGHT,
    REG_X_OFFSET,
    REG_Y_OFFSET,
    REG_MEMORY,
};
enum { ENABLED = 1, DAC8 = 0x20, LINEAR = 0x40, KEEP = 0x80 };
enum { ID_FIRST = 0xb0c0, ID_LAST = 0xb0cf, ID_MEMORY = 0xb0c5 };

#define ISA_FRAME_BUFFER 0xe0000000u
#define PCI_VENDOR_BOCHS 0x1234

rom const char chip_product[] = "VGA";

static uint16_t get(uint8_t reg)
{
    outw(DISPI_INDEX, reg);
    return inw(DISPI_DATA);
}

static void set(uint8_t reg, uint16_t v)
{
    outw(DISPI_INDEX, reg);
    outw(DISPI_DATA, v);
}

uint16_t chip_memory(void)
{
    uint16_t id = get(REG_ID);

    if (id < ID_FIRST || id > ID_LAST)
        return 0;
    return id >= ID_MEMORY ? get(REG_MEMORY) : 128; /* the oldest had 8 MiB, always */
}

bool chip_can(const struct shape *s)
{
    (void)s;
    return true;
}

void chip_leave(void)
{
    if (chip_memory())
        set(REG_ENABLE, 0);
}

bool chip_show(const struct shape *s, unsigned flags)
{
    set(REG_ENABLE, 0);
    set(REG_XRES, s->width);
    set(REG_YRES, s->height);
    set(REG_BPP, s->bits);
    set(REG_ENABLE, ENABLED | (flags & SHOW_LINEAR ? LINEAR : 0) | (flags & SHOW_KEEP ? KEEP : 0));
    return get(REG_ENABLE) & ENABLED;
}

bool chip_shown(struct shape *s, bool *linear)
{
    uint16_t enable = chip_memory() ? get(REG_ENABLE) : 0;

    *s = (struct shape){ get(REG_XRES), get(REG_YRES), get(REG_BPP) };
    *linear = enable & LINEAR;
    return enable & ENABLED;
}

/* Without PCI the place is fixed. */
uint32_t chip_frame_buffer(void)
{
    uint32_t a = display_address(PCI_VENDOR_BOCHS);

    return a ? a : ISA_FRAME_BUFFER;
}

uint16_t chip_window(void)
{
    return get(REG_BANK);
}

void chip_set_window(uint16_t at)
{
    set(REG_BANK, at);
}

uint16_t chip_line(void)
{
    return get(REG_VIRT_WIDTH);
}

uint16_t chip_line_max(const struct shape *s)
{
    (void)s;
    return 0xfff8;
}

void chip_set_line(uint16_t pixels)
{
    set(REG_VIRT_WIDTH, pixels);
}

void chip_start(uint16_t *x, uint16_t *y)
{
    *x = get(REG_X_OFFSET);
    *y = get(REG_Y_OFFSET);
}

void chip_set_start(uint16_t x, uint16_t y)
{
    set(REG_X_OFFSET, x);
    set(REG_Y_OFFSET, y);
}

bool chip_dac_wide(void)
{
    return true;
}

bool chip_dac8(void)
{
    return get(REG_ENABLE) & DAC8;
}

void chip_set_dac8(bool on)
{
    uint16_t enable = get(REG_ENABLE);

    set(REG_ENABLE, on ? enable | DAC8 : enable & ~DAC8);
}

void chip_save(uint16_t seg, uint16_t off)
{
    for (unsigned i = REG_XRES; i <= REG_Y_OFFSET; i++, off += 2)
        far_write16(seg, off, get(i));
}

void chip_restore(uint16_t seg, uint16_t off)
{
    uint16_t enable = far_read16(seg, off + 2 * (REG_ENABLE - REG_XRES));

    set(REG_ENABLE, 0);
    for (unsigned i = REG_XRES; i <= REG_BPP; i++)
        set(i, far_read16(seg, off + 2 * (i - REG_XRES)));
    set(REG_ENABLE, enable & ENABLED ? enable | KEEP : enable);
    for (unsigned i = REG_BANK; i <= REG_Y_OFFSET; i++)
        set(i, far_read16(seg, off + 2 * (i - REG_XRES)));
}
