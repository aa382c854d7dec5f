/* The Cirrus Logic GD5446 (Technical Reference Manual): what it has beyond a VGA. */
#include "vga.h"

#define PCI_VENDOR_CIRRUS 0x1013

enum { SR_UNLOCK = 6, SR_MODE = 7, SR_VCLK_TOP = 0x0e, SR_CURSOR = 0x12, SR_MEMORY = 0x15 };
enum { SR_SCRATCH = 0x14, SR_VCLK_BOTTOM = 0x1e };
enum { GR_BANK = 9, GR_BANK2 = 0x0a, GR_MODE = 0x0b };
enum { CR_OFFSET = 0x13, CR_MORE = 0x1b, CR_START19 = 0x1d, CR_ID = 0x27 };
enum { UNLOCKED = 0x12, ID_GD5430 = 0xa0, ID_GD5446 = 0xb8 };
enum { SCRATCH_LINEAR = 1 }; /* this BIOS's own note of how the mode was set */
enum { PACKED = 1, BANKS_OF_16K = 0x20 };
enum { MORE_ENABLE = 0x22, MORE_OFFSET8 = 0x10 }; /* wide addresses */
enum { LINE_MAX = 0x1ff * 8 };                    /* bytes: nine bits of the offset */
enum { HIDDEN_15 = 0xc0, HIDDEN_16 = 0xc1, HIDDEN_24 = 0xc5 };

rom const char chip_product[] = "GD5446";

/* ---- registers ---- */

static uint8_t sr(uint8_t index)
{
    return indexed_read(PORT_SEQ, index);
}

static void sr_set(uint8_t index, uint8_t v)
{
    indexed_write(PORT_SEQ, index, v);
}

static uint8_t cr(uint8_t index)
{
    return indexed_read(crtc_port(), index);
}

static void cr_set(uint8_t index, uint8_t v)
{
    indexed_write(crtc_port(), index, v);
}

/* The DAC's own register comes after four reads of the mask; a read of another port ends that. */
static void hidden_select(void)
{
    inb(PORT_DAC_WRITE);
    for (unsigned i = 0; i < 4; i++)
        inb(PORT_PEL_MASK);
}

static uint8_t hidden_get(void)
{
    hidden_select();
    return inb(PORT_PEL_MASK);
}

static void hidden_set(uint8_t v)
{
    hidden_select();
    outb(PORT_PEL_MASK, v);
}

/* SR15 has been told by the chip what memory there is. */
uint16_t chip_memory(void)
{
    uint8_t id;

    sr_set(SR_UNLOCK, UNLOCKED);
    id = sr(SR_UNLOCK) == UNLOCKED ? cr(CR_ID) : 0;
    if (id != ID_GD5430 && id != ID_GD5446)
        return 0;
    return 4 << (sr(SR_MEMORY) & 7);
}

/* ---- modes ---- */

static uint16_t pixel_bytes(uint8_t bits)
{
    return (bits + 7) / 8;
}

/* Planes end after 64 KiB each, and offsets are dwords of nine bits. */
bool chip_can(const struct shape *s)
{
    if (s->width > 1600 || s->height > 1200)
        return false;
    if (s->bits == 4)
        return s->height <= 600;
    return s->width * pixel_bytes(s->bits) <= LINE_MAX;
}

void chip_leave(void)
{
    if (!chip_memory())
        return;
    sr_set(SR_MODE, sr(SR_MODE) & 0xf0);
    sr_set(SR_CURSOR, 0);
    indexed_write(PORT_GC, GR_MODE, 0);
    indexed_write(PORT_GC, GR_BANK, 0);
    indexed_write(PORT_GC, GR_BANK2, 0);
    cr_set(CR_MORE, 0);
    cr_set(CR_START19, 0);
    hidden_set(0);
}

/* 60 pictures a second: 14.318 MHz times top by bottom. */
static void set_clock(uint32_t dots, uint32_t lines)
{
    uint32_t khz = dots * lines * 60 / 1000, bottom = 20, top = khz * bottom / 14318;

    while (top > 127) {
        bottom /= 2;
        top /= 2;
    }
    sr_set(SR_VCLK_TOP, top);
    sr_set(SR_VCLK_BOTTOM, bottom << 1);
    outb(PORT_MISC, inb(PORT_MISC_READ) | 0x0c);
}

/* A character clock's count of the line, and lines with their ninth and tenth bits in CR7. */
static void set_timing(const struct shape *s)
{
    bool twice = s->height<400, half = s->height> 1024;
    uint16_t columns = s->width / 8, chars = columns + columns / 4;
    uint16_t lines = twice ? s->height * 2 : half ? s->height / 2 : s->height;
    uint16_t last = lines - 1, total = lines + lines / 20, retrace = lines + lines / 60;

    if (chars > 255)
        chars = 255;
    set_clock(chars * 8, half ? total * 2 : total);
    cr_set(0x11, 0);
    cr_set(0x00, chars - 5);
    cr_set(0x01, columns - 1);
    cr_set(0x02, columns);
    cr_set(0x03, 0x80 | (chars & 0x1f));
    cr_set(0x04, columns + columns / 16);
    cr_set(0x05, (chars & 0x20) << 2 | ((columns + columns / 8) & 0x1f));
    cr_set(0x06, total - 2);
    cr_set(0x07, 0x10 | ((total - 2) >> 8 & 1) | (last >> 7 & 2) | (retrace >> 6 & 4) |
                     (last >> 5 & 8) | ((total - 2) >> 4 & 0x20) | (last >> 3 & 0x40) |
                     (retrace >> 2 & 0x80));
    cr_set(0x08, 0);
    cr_set(0x09, 0x40 | (twice ? 0x80 : 0) | (last >> 4 & 0x20));
    cr_set(0x10, retrace);
    cr_set(0x12, last);
    cr_set(0x15, last);
    cr_set(0x16, total - 2);
    cr_set(0x17, half ? 0xc7 : 0xc3);
    cr_set(0x11, 0x80 | ((retrace + 3) & 15));
}

static void clear(void)
{
    for (unsigned i = 0, n = chip_memory(); i < n; i++) {
        chip_set_window(i);
        far_fill(0xa000, 0, 0, 0x8000);
    }
    chip_set_window(0);
}

/* Memory of planes is cleared where they are all written at once. */
static void show_planes(const struct shape *s, unsigned flags)
{
    if (!(flags & SHOW_KEEP))
        far_fill(0xa000, 0, 0, 0x8000);
    set_timing(s);
    cr_set(CR_OFFSET, s->width / 16);
}

bool chip_show(const struct shape *s, unsigned flags)
{
    static rom const uint8_t depth[] = { PACKED, PACKED | 6, PACKED | 4, PACKED | 8 };

    sr_set(SR_SCRATCH, flags & SHOW_LINEAR ? SCRATCH_LINEAR : 0);
    if (s->bits == 4) {
        show_planes(s, flags);
        return true;
    }
    sr_set(SR_MODE, (sr(SR_MODE) & 0xe0) | 0x10 | depth[pixel_bytes(s->bits) - 1]);
    hidden_set(s->bits == 8    ? 0
               : s->bits == 15 ? HIDDEN_15
               : s->bits == 16 ? HIDDEN_16
                               : HIDDEN_24);
    indexed_write(PORT_GC, GR_MODE, BANKS_OF_16K);
    attr_write(0x10, 1);
    attr_show();
    set_timing(s);
    cr_set(CR_MORE, MORE_ENABLE);
    chip_set_line(s->width);
    chip_set_start(0, 0);
    if (!(flags & SHOW_KEEP))
        clear();
    return true;
}

static uint8_t shown_bits(void)
{
    switch (sr(SR_MODE) & 0x0f) {
    case PACKED: return 8;
    case PACKED | 6: return (hidden_get() & 15) == 1 ? 16 : 15;
    case PACKED | 4: return 24;
    case PACKED | 8: return 32;
    default: return 4;
    }
}

/* Modes of planes that are not IBM's have more than 640 dots. */
bool chip_shown(struct shape *s, bool *linear)
{
    uint8_t over = cr(7);
    uint16_t lines = (cr(0x12) | (over & 2) << 7 | (over & 0x40) << 3) + 1;

    *s = (struct shape){ (cr(1) + 1) * 8, cr(0x17) & 4 ? lines * 2 : lines, shown_bits() };
    if (cr(9) & 0x80)
        s->height /= 2;
    *linear = sr(SR_SCRATCH) & SCRATCH_LINEAR;
    return chip_memory() && (s->bits != 4 || s->width > 720);
}

/* On ISA the aperture would be below 16 MiB, where memory is. */
uint32_t chip_frame_buffer(void)
{
    return display_address(PCI_VENDOR_CIRRUS);
}

/* ---- windows, lines, start ---- */

uint16_t chip_window(void)
{
    return indexed_read(PORT_GC, GR_BANK) >> 2;
}

void chip_set_window(uint16_t at)
{
    indexed_write(PORT_GC, GR_BANK, at << 2);
}

static uint16_t offset(void)
{
    return cr(CR_OFFSET) | (cr(CR_MORE) & MORE_OFFSET8) << 4;
}

/* Bytes, of one plane where there are planes. */
static uint16_t line_bytes(uint8_t bits)
{
    return offset() * (bits == 4 ? 2 : 8);
}

uint16_t chip_line(void)
{
    uint8_t bits = shown_bits();

    return bits == 4 ? line_bytes(4) * 8 : line_bytes(bits) / pixel_bytes(bits);
}

uint16_t chip_line_max(const struct shape *s)
{
    return s->bits == 4 ? 0xff * 16 : LINE_MAX / pixel_bytes(s->bits) & ~7;
}

void chip_set_line(uint16_t pixels)
{
    uint8_t bits = shown_bits(), more = cr(CR_MORE);
    uint16_t v = bits == 4 ? (pixels + 15) / 16 : pixels * pixel_bytes(bits) / 8;

    cr_set(CR_OFFSET, v);
    if (bits != 4)
        cr_set(CR_MORE, (more & ~MORE_OFFSET8) | (v >> 4 & MORE_OFFSET8));
}

/* The CRTC's address: bytes of planes, else dwords. */
static uint32_t start(void)
{
    uint8_t more = cr(CR_MORE);

    return cr(0x0d) | cr(0x0c) << 8 | (uint32_t)(more & 1) << 16 | (uint32_t)(more & 12) << 15 |
           (uint32_t)(cr(CR_START19) & 0x80) << 12;
}

void chip_start(uint16_t *x, uint16_t *y)
{
    uint8_t bits = shown_bits();
    uint32_t at = bits == 4 ? start() : start() * 4, line = line_bytes(bits);

    *y = at / line;
    *x = bits == 4 ? at % line * 8 : at % line / pixel_bytes(bits);
}

void chip_set_start(uint16_t x, uint16_t y)
{
    uint8_t bits = shown_bits();
    uint32_t at = (uint32_t)y * line_bytes(bits);

    at = bits == 4 ? at + x / 8 : (at + (uint32_t)x * pixel_bytes(bits)) / 4;
    cr_set(0x0d, at);
    cr_set(0x0c, at >> 8);
    cr_set(CR_MORE, (cr(CR_MORE) & 0xf2) | (at >> 16 & 1) | (at >> 15 & 12));
    cr_set(CR_START19, (cr(CR_START19) & 0x7f) | (at >> 12 & 0x80));
}

/* ---- colours: six bits ---- */

bool chip_dac_wide(void)
{
    return false;
}

bool chip_dac8(void)
{
    return false;
}

void chip_set_dac8(bool on)
{
    (void)on;
}

/* ---- state ---- */

static rom const struct {
    uint16_t port;
    uint8_t index;
} kept[] = {
    { PORT_SEQ, SR_MODE },   { PORT_SEQ, SR_VCLK_TOP }, { PORT_SEQ, SR_VCLK_BOTTOM },
    { PORT_SEQ, SR_CURSOR }, { PORT_SEQ, SR_SCRATCH },  { PORT_GC, GR_MODE },
    { PORT_GC, GR_BANK },    { PORT_GC, GR_BANK2 },     { 0, CR_MORE },
    { 0, CR_START19 },
};

void chip_save(uint16_t seg, uint16_t off)
{
    far_write8(seg, off++, hidden_get());
    for (unsigned i = 0; i < ARRAY_LEN(kept); i++)
        far_write8(seg, off++,
                   indexed_read(kept[i].port ? kept[i].port : crtc_port(), kept[i].index));
}

void chip_restore(uint16_t seg, uint16_t off)
{
    chip_leave();
    hidden_set(far_read8(seg, off++));
    for (unsigned i = 0; i < ARRAY_LEN(kept); i++)
        indexed_write(kept[i].port ? kept[i].port : crtc_port(), kept[i].index,
                      far_read8(seg, off++));
}
