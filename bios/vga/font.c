/* INT 10h, AH=11h: fonts in plane 2 for text, by pointers for modes of dots. */
#include "vga.h"

enum { GC_READ_MAP = 4, GC_MODE = 5, GC_MISC = 6, SEQ_MAP_MASK = 2, SEQ_MAPS = 3, SEQ_MEMORY = 4 };
enum { CRTC_HEIGHT = 9, CRTC_OVERFLOW = 7, CRTC_END = 0x12, CRTC_UNDERLINE = 0x14 };

/* ---- plane 2 ---- */

static const rom struct params *text_params(void)
{
    const rom struct mode *m = mode_now();

    return m && m->kind == KIND_TEXT ? mode_params(m) : NULL;
}

/* Bytes one after the other go to plane 2 at 0xa0000. */
static void open_plane(void)
{
    indexed_write(PORT_SEQ, SEQ_MAP_MASK, 4);
    indexed_write(PORT_SEQ, SEQ_MEMORY, 6);
    indexed_write(PORT_GC, GC_READ_MAP, 2);
    indexed_write(PORT_GC, GC_MODE, 0);
    indexed_write(PORT_GC, GC_MISC, 4);
}

static void close_plane(const rom struct params *p)
{
    indexed_write(PORT_SEQ, SEQ_MAP_MASK, p->seq[1]);
    indexed_write(PORT_SEQ, SEQ_MEMORY, p->seq[3]);
    indexed_write(PORT_GC, GC_READ_MAP, p->gc[4]);
    indexed_write(PORT_GC, GC_MODE, p->gc[5]);
    indexed_write(PORT_GC, GC_MISC, p->gc[6]);
}

void font_load(uint8_t block, uint16_t seg, uint16_t off, uint16_t first, uint16_t count,
               uint8_t height)
{
    const rom struct params *p = text_params();
    uint16_t to = (block & 3) * 0x4000 + (block & 4 ? 0x2000 : 0) + first * 32;

    if (!p || height > 32)
        return;
    open_plane();
    for (; count && first < 256; count--, first++, to += 32, off += height)
        far_copy(0xa000, to, seg, off, height);
    close_plane(p);
}

/* ---- the size of characters ---- */

static uint16_t lines_shown(void)
{
    uint16_t crtc = crtc_port();
    uint8_t overflow = indexed_read(crtc, CRTC_OVERFLOW);
    uint16_t lines = indexed_read(crtc, CRTC_END) | (overflow & 2) << 7 | (overflow & 0x40) << 3;

    return lines + 1;
}

/* Rows fill the lines that the mode has, less what is left over. */
static void fit_rows(uint8_t height)
{
    uint16_t crtc = crtc_port(), lines = lines_shown();
    uint8_t scan = indexed_read(crtc, CRTC_HEIGHT), rows;

    if (scan & 0x80)
        lines /= 2;
    if (lines > 350 && lines < 400)
        lines = 400;
    else if (lines < 350 && lines > 200)
        lines = 350;
    rows = lines / height;
    indexed_write(crtc, CRTC_HEIGHT, (scan & 0xe0) | (height - 1));
    lines = rows * height * (scan & 0x80 ? 2 : 1) - 1;
    indexed_write(crtc, CRTC_END, (uint8_t)lines);
    indexed_write(crtc, CRTC_OVERFLOW,
                  (indexed_read(crtc, CRTC_OVERFLOW) & ~0x42) | (lines >> 7 & 2) |
                      (lines >> 3 & 0x40));
    if (bda_read8(BDA_VIDEO_MODE) == 7)
        indexed_write(crtc, CRTC_UNDERLINE, height - 1);
    bda_write8(BDA_VIDEO_ROWS, rows - 1);
    bda_write16(BDA_CHAR_HEIGHT, height);
    bda_write16(BDA_VIDEO_SIZE, rows * bda_read16(BDA_VIDEO_COLUMNS) * 2);
    bda_write16(BDA_PAGE_START, 0);
    cursor_shape(height > 8 ? height - 3 : height - 2, height > 8 ? height - 2 : height - 1);
    bda_write16(BDA_CURSOR_SHAPE, 0x0607);
}

static void load_text_font(struct regs *r)
{
    uint32_t font;
    uint8_t height;

    switch (r->al & 0x0f) {
    case 0:
        font_load(r->bl, r->es, (uint16_t)r->ebp, r->dx, r->cx, r->bh);
        height = r->bh;
        break;
    case 1:
        font = ROM_POINTER(font14);
        font_load(r->bl, font >> 16, (uint16_t)font, 0, 256, height = 14);
        break;
    case 2:
        font = ROM_POINTER(font8);
        font_load(r->bl, font >> 16, (uint16_t)font, 0, 256, height = 8);
        break;
    case 4:
        font = ROM_POINTER(font16);
        font_load(r->bl, font >> 16, (uint16_t)font, 0, 256, height = 16);
        break;
    default: return;
    }
    if (r->al & 0x10 && text_params() && height && height <= 32)
        fit_rows(height);
}

/* ---- modes of dots ---- */

/* BL: 14, 25 or 43 rows, or as DL says. */
static void set_dots_font(const struct regs *r, uint32_t font, uint8_t height)
{
    uint8_t rows = r->bl == 1 ? 14 : r->bl == 3 ? 43 : r->bl == 2 ? 25 : r->dl;

    set_vector(0x43, font);
    bda_write16(BDA_CHAR_HEIGHT, height);
    bda_write8(BDA_VIDEO_ROWS, rows - 1);
}

static void get_pointer(struct regs *r)
{
    static rom const uint8_t no_changes = 0;
    uint32_t p = 0;

    switch (r->bh) {
    case 0: p = far_read32(0, 0x1f * 4); break;
    case 1: p = far_read32(0, 0x43 * 4); break;
    case 2: p = ROM_POINTER(font14); break;
    case 3: p = ROM_POINTER(font8); break;
    case 4: p = ROM_POINTER(font8[128]); break;
    case 5: /* what is different in characters of nine dots: nothing */
    case 7: p = ROM_POINTER(&no_changes); break;
    case 6: p = ROM_POINTER(font16); break;
    default: return;
    }
    r->es = p >> 16;
    r->ebp = (r->ebp & 0xffff0000) | (uint16_t)p;
    r->cx = bda_read16(BDA_CHAR_HEIGHT);
    r->dl = bda_read8(BDA_VIDEO_ROWS);
}

void int10_font(struct regs *r)
{
    switch (r->al) {
    case 0x03: indexed_write(PORT_SEQ, SEQ_MAPS, r->bl); break;
    case 0x20: set_vector(0x1f, (uint32_t)r->es << 16 | (uint16_t)r->ebp); break;
    case 0x21: set_dots_font(r, (uint32_t)r->es << 16 | (uint16_t)r->ebp, (uint8_t)r->cx); break;
    case 0x22: set_dots_font(r, ROM_POINTER(font14), 14); break;
    case 0x23: set_dots_font(r, ROM_POINTER(font8), 8); break;
    case 0x24: set_dots_font(r, ROM_POINTER(font16), 16); break;
    case 0x30: get_pointer(r); break;
    default:
        if (r->al < 0x20)
            load_text_font(r);
    }
}
