/* INT 10h, AH=00h: modes; the registers and colours that they are made of. */
#include "vga.h"

enum { CRTC_END_RETRACE = 0x11, CRTC_LOCK = 0x80, SCREEN_OFF = 0x20 };

/* ---- registers ---- */

/* Reading input status 1 makes the next write to the attribute controller an index. */
static void attr_index_next(void)
{
    inb(crtc_port() + 6);
}

void attr_write(uint8_t index, uint8_t v)
{
    attr_index_next();
    outb(PORT_ATTR, index);
    outb(PORT_ATTR, v);
}

uint8_t attr_read(uint8_t index)
{
    uint8_t v;

    attr_index_next();
    outb(PORT_ATTR, index);
    v = inb(PORT_ATTR_READ);
    attr_index_next();
    return v;
}

void attr_show(void)
{
    attr_index_next();
    outb(PORT_ATTR, 0x20);
}

void dac_write(uint8_t index, uint8_t r, uint8_t g, uint8_t b)
{
    outb(PORT_DAC_WRITE, index);
    outb(PORT_DAC, r);
    outb(PORT_DAC, g);
    outb(PORT_DAC, b);
}

/* 30 % red, 59 % green, 11 % blue. */
uint8_t grey_of(uint8_t r, uint8_t g, uint8_t b)
{
    return (uint8_t)((r * 77u + g * 151u + b * 28u + 128) >> 8);
}

/* ---- colours ---- */

struct color {
    uint8_t r, g, b;
};

/* The 24 hues of mode 13h from blue over red, yellow and green to cyan, at three values and three
 * saturations: a component has one of five levels. */
static struct color hue(unsigned i)
{
    static rom const uint8_t level[9][5] = {
        { 0x00, 0x10, 0x1f, 0x2f, 0x3f }, { 0x1f, 0x27, 0x2f, 0x37, 0x3f },
        { 0x2d, 0x31, 0x36, 0x3a, 0x3f }, { 0x00, 0x07, 0x0e, 0x15, 0x1c },
        { 0x0e, 0x11, 0x15, 0x18, 0x1c }, { 0x14, 0x16, 0x18, 0x1a, 0x1c },
        { 0x00, 0x04, 0x08, 0x0c, 0x10 }, { 0x08, 0x0a, 0x0c, 0x0e, 0x10 },
        { 0x0b, 0x0c, 0x0d, 0x0f, 0x10 },
    };
    const rom uint8_t *l = level[i / 24];
    unsigned at = i % 24, up = at % 4, down = 4 - up;

    switch (at / 4) {
    case 0: return (struct color){ l[up], l[0], l[4] };
    case 1: return (struct color){ l[4], l[0], l[down] };
    case 2: return (struct color){ l[4], l[up], l[0] };
    case 3: return (struct color){ l[down], l[4], l[0] };
    case 4: return (struct color){ l[0], l[4], l[up] };
    default: return (struct color){ l[0], l[down], l[4] };
    }
}

/* The sixteen colours of a CGA: 1 blue, 2 green, 4 red, 8 bright, and brown. */
static struct color cga_color(unsigned i)
{
    uint8_t base = i & 8 ? 0x15 : 0;
    struct color c = { base + (i & 4 ? 0x2a : 0), base + (i & 2 ? 0x2a : 0),
                       base + (i & 1 ? 0x2a : 0) };

    if (i == 6)
        c.g = 0x15;
    return c;
}

static struct color palette_color(enum palette palette, unsigned i)
{
    static rom const uint8_t greys[] = { 0x00, 0x05, 0x08, 0x0b, 0x0e, 0x11, 0x14, 0x18,
                                         0x1c, 0x20, 0x24, 0x28, 0x2d, 0x32, 0x38, 0x3f };
    static rom const uint8_t mono[] = { 0, 0x2a, 0, 0x3f };
    uint8_t v = palette == PALETTE_MONO ? mono[i >> 3 & 3] : greys[i & 15];

    switch (palette) {
    case PALETTE_CGA: return cga_color((i & 7) | (i >> 1 & 8));
    case PALETTE_EGA:
        return (struct color){ (i & 4 ? 0x2a : 0) + (i & 32 ? 0x15 : 0),
                               (i & 2 ? 0x2a : 0) + (i & 16 ? 0x15 : 0),
                               (i & 1 ? 0x2a : 0) + (i & 8 ? 0x15 : 0) };
    case PALETTE_256:
        if (i < 16)
            return cga_color(i);
        if (i >= 32)
            return i < 248 ? hue(i - 32) : (struct color){ 0, 0, 0 };
        break;
    case PALETTE_MONO: break;
    }
    return (struct color){ v, v, v };
}

static void load_colors(enum palette palette)
{
    bool grey = bda_read8(BDA_VGA_FLAGS) & VGA_GREY;
    unsigned n = palette == PALETTE_256 ? 256 : 64;

    outb(PORT_PEL_MASK, 0xff);
    for (unsigned i = 0; i < n; i++) {
        struct color c = palette_color(palette, i);

        if (grey)
            c.r = c.g = c.b = grey_of(c.r, c.g, c.b);
        dac_write((uint8_t)i, c.r, c.g, c.b);
    }
}

void mode_load(const rom struct params *p, enum palette palette)
{
    uint16_t crtc = p->misc & 1 ? 0x3d4 : 0x3b4;

    bda_write16(BDA_CRTC, crtc);
    indexed_write(PORT_SEQ, 1, p->seq[0] | SCREEN_OFF);
    indexed_write(PORT_SEQ, 0, 1);
    outb(PORT_MISC, p->misc);
    for (unsigned i = 1; i < 4; i++)
        indexed_write(PORT_SEQ, i + 1, p->seq[i]);
    indexed_write(PORT_SEQ, 0, 3);
    indexed_write(crtc, CRTC_END_RETRACE, p->crtc[CRTC_END_RETRACE] & ~CRTC_LOCK);
    for (unsigned i = 0; i < sizeof(p->crtc); i++)
        indexed_write(crtc, i, p->crtc[i]);
    for (unsigned i = 0; i < sizeof(p->gc); i++)
        indexed_write(PORT_GC, i, p->gc[i]);
    for (unsigned i = 0; i < sizeof(p->attr); i++)
        attr_write(i, p->attr[i]);
    attr_write(0x14, 0);
    if (!(bda_read8(BDA_VGA_FLAGS) & VGA_KEEP_PALETTE))
        load_colors(palette);
    attr_show();
    indexed_write(PORT_SEQ, 1, p->seq[0]);
}

/* ---- modes ---- */

static void fill_data_area(const rom struct mode *m, const rom struct params *p, bool keep)
{
    static rom const uint8_t selects[] = { 0x2c, 0x28, 0x2d, 0x29, 0x2a, 0x2e, 0x1e, 0x29 };
    uint16_t equipment = bda_read16(BDA_EQUIPMENT) & ~0x30;

    bda_write16(BDA_EQUIPMENT, equipment | (p->misc & 1 ? 0x20 : 0x30));
    bda_write8(BDA_VIDEO_MODE, m->number);
    bda_write16(BDA_VIDEO_COLUMNS, p->columns);
    bda_write16(BDA_VIDEO_SIZE, p->page_size);
    bda_write16(BDA_PAGE_START, 0);
    for (unsigned i = 0; i < 8; i++)
        bda_write16(BDA_CURSOR + 2 * i, 0);
    bda_write8(BDA_PAGE, 0);
    bda_write8(BDA_MODE_SELECT, m->number < 8 ? selects[m->number] : 0x29);
    bda_write8(BDA_CGA_PALETTE, m->number == 6 ? 0x3f : 0x30);
    bda_write8(BDA_VIDEO_ROWS, p->rows);
    bda_write16(BDA_CHAR_HEIGHT, p->height);
    bda_write8(BDA_VIDEO_CONTROL, (bda_read8(BDA_VIDEO_CONTROL) & CONTROL_NO_EMULATION) |
                                      CONTROL_256K | (keep ? CONTROL_NOT_CLEARED : 0));
}

static void clear(const rom struct mode *m)
{
    if (m->kind == KIND_TEXT)
        far_fill(m->segment, 0, 0x0720, 0x4000);
    else if (m->kind == KIND_CGA)
        far_fill(m->segment, 0, 0, 0x4000);
    else
        far_fill(m->segment, 0, 0, 0x8000);
}

static uint32_t font_pointer(uint8_t height)
{
    return height == 8    ? ROM_POINTER(font8)
           : height == 14 ? ROM_POINTER(font14)
                          : ROM_POINTER(font16);
}

void mode_set(uint8_t number)
{
    const rom struct mode *m = mode_find(number & 0x7f);
    bool keep = number & 0x80;
    const rom struct params *p;
    uint32_t font;

    if (!m)
        return;
    p = mode_params(m);
    chip_leave();
    mode_load(p, m->palette);
    fill_data_area(m, p, keep);
    if (!keep)
        clear(m);
    font = font_pointer(p->height);
    set_vector(0x1f, ROM_POINTER(font8[128]));
    set_vector(0x43, font);
    if (m->kind == KIND_TEXT) {
        font_load(0, font >> 16, (uint16_t)font, 0, 256, p->height);
        /* as programs ask for it, whatever the height */
        bda_write16(BDA_CURSOR_SHAPE, 0x0607);
    }
}
