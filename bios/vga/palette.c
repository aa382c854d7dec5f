/* INT 10h, AH=0Bh and 10h: CGA's colours, the attribute controller's palette, the DAC. */
#include "vga.h"

enum { ATTR_MODE = 0x10, ATTR_OVERSCAN = 0x11, ATTR_SELECT = 0x14, BLINK = 8, SELECT_16 = 0x80 };

/* ---- 0Bh ---- */

static void cga_background(uint8_t color)
{
    uint8_t c = (color & 7) | (color & 8 ? 0x10 : 0);

    bda_write8(BDA_CGA_PALETTE, (bda_read8(BDA_CGA_PALETTE) & 0xe0) | (color & 0x1f));
    if (bda_read8(BDA_VIDEO_MODE) >= 4)
        attr_write(0, c);
    attr_write(ATTR_OVERSCAN, c);
    /* bit 4: the brighter foreground */
    for (unsigned i = 1; i < 4; i++)
        attr_write(i, (attr_read(i) & ~0x10) | (color & 0x10));
    attr_show();
}

/* Green, red, brown; or cyan, magenta, white. */
static void cga_palette(uint8_t n)
{
    bda_write8(BDA_CGA_PALETTE, (bda_read8(BDA_CGA_PALETTE) & ~0x20) | (n & 1 ? 0x20 : 0));
    for (unsigned i = 1; i < 4; i++)
        attr_write(i, (attr_read(i) & 0x10) | (2 * i) | (n & 1));
    attr_show();
}

/* ---- 10h: attribute controller ---- */

static void set_all(const struct regs *r)
{
    for (unsigned i = 0; i < 16; i++)
        attr_write(i, far_read8(r->es, r->dx + i));
    attr_write(ATTR_OVERSCAN, far_read8(r->es, r->dx + 16));
    attr_show();
}

static void get_all(const struct regs *r)
{
    for (unsigned i = 0; i < 16; i++)
        far_write8(r->es, r->dx + i, attr_read(i));
    far_write8(r->es, r->dx + 16, attr_read(ATTR_OVERSCAN));
    attr_show();
}

static void set_blink(bool on)
{
    uint8_t select = bda_read8(BDA_MODE_SELECT);

    attr_write(ATTR_MODE, (attr_read(ATTR_MODE) & ~BLINK) | (on ? BLINK : 0));
    attr_show();
    bda_write8(BDA_MODE_SELECT, on ? select | 0x20 : select & ~0x20);
}

static bool attribute_service(struct regs *r)
{
    switch (r->al) {
    case 0x00:
        if (r->bl <= ATTR_SELECT)
            attr_write(r->bl, r->bh);
        break;
    case 0x01: attr_write(ATTR_OVERSCAN, r->bh); break;
    case 0x02: set_all(r); break;
    case 0x03: set_blink(r->bl & 1); break;
    case 0x07: r->bh = attr_read(r->bl); break;
    case 0x08: r->bh = attr_read(ATTR_OVERSCAN); break;
    case 0x09: get_all(r); break;
    default: return false;
    }
    attr_show();
    return true;
}

/* ---- 10h: DAC ---- */

static void set_color(uint8_t index, uint8_t red, uint8_t green, uint8_t blue)
{
    if (bda_read8(BDA_VGA_FLAGS) & VGA_GREY)
        red = green = blue = grey_of(red, green, blue);
    dac_write(index, red, green, blue);
}

static void set_block(const struct regs *r)
{
    uint16_t off = r->dx;

    for (unsigned i = 0; i < r->cx; i++, off += 3)
        set_color(r->bl + i, far_read8(r->es, off), far_read8(r->es, off + 1),
                  far_read8(r->es, off + 2));
}

static void get_block(const struct regs *r)
{
    outb(PORT_DAC_READ, r->bl);
    for (unsigned i = 0; i < r->cx * 3u; i++)
        far_write8(r->es, r->dx + i, inb(PORT_DAC));
}

static void get_color(struct regs *r)
{
    outb(PORT_DAC_READ, r->bl);
    r->dh = inb(PORT_DAC);
    r->ch = inb(PORT_DAC);
    r->cl = inb(PORT_DAC);
}

/* Pages of 64 or of 16 colours. */
static void page_service(struct regs *r)
{
    uint8_t mode = attr_read(ATTR_MODE), select = attr_read(ATTR_SELECT);

    if (r->al == 0x1a) {
        r->bl = mode >> 7;
        r->bh = mode & SELECT_16 ? select & 15 : select >> 2 & 3;
    } else if (r->bl == 0) {
        attr_write(ATTR_MODE, (mode & ~SELECT_16) | (r->bh & 1 ? SELECT_16 : 0));
    } else {
        attr_write(ATTR_SELECT, mode & SELECT_16 ? r->bh & 15 : (r->bh & 3) << 2);
    }
    attr_show();
}

static void to_grey(uint8_t index, uint16_t count)
{
    for (; count; count--, index++) {
        uint8_t red, green, blue;

        outb(PORT_DAC_READ, index);
        red = inb(PORT_DAC);
        green = inb(PORT_DAC);
        blue = inb(PORT_DAC);
        red = grey_of(red, green, blue);
        dac_write(index, red, red, red);
    }
}

void int10_palette(struct regs *r)
{
    if (r->ah == 0x0b) {
        if (r->bh == 0)
            cga_background(r->bl);
        else if (r->bh == 1)
            cga_palette(r->bl);
        return;
    }
    if (attribute_service(r))
        return;
    switch (r->al) {
    case 0x10: set_color((uint8_t)r->bx, r->dh, r->ch, r->cl); break;
    case 0x12: set_block(r); break;
    case 0x13:
    case 0x1a: page_service(r); break;
    case 0x15: get_color(r); break;
    case 0x17: get_block(r); break;
    case 0x18: outb(PORT_PEL_MASK, r->bl); break;
    case 0x19: r->bx = inb(PORT_PEL_MASK); break;
    case 0x1b: to_grey(r->bl, r->cx); break;
    }
}
