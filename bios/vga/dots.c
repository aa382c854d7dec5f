/* Characters, scrolling and pixels in modes of dots: CGA's, planes, and a byte for each pixel. */
#include "vga.h"

enum { GC_SET = 0, GC_ENABLE = 1, GC_FUNCTION = 3, GC_READ_MAP = 4, GC_MODE = 5, GC_MASK = 8 };
enum { FUNCTION_XOR = 0x18, WRITE_COPY = 1, WRITE_COLOR = 2, XOR = 0x80 };

void planes_rest(void)
{
    indexed_write(PORT_GC, GC_SET, 0);
    indexed_write(PORT_GC, GC_ENABLE, 0);
    indexed_write(PORT_GC, GC_FUNCTION, 0);
    indexed_write(PORT_GC, GC_READ_MAP, 0);
    indexed_write(PORT_GC, GC_MODE, 0);
    indexed_write(PORT_GC, GC_MASK, 0xff);
}

static uint8_t char_height(void)
{
    return bda_read8(BDA_CHAR_HEIGHT);
}

/* Bytes of a line of dots. */
static uint16_t line_bytes(const rom struct mode *m)
{
    uint16_t columns = bda_read16(BDA_VIDEO_COLUMNS);

    if (m->kind == KIND_CGA)
        return 80;
    return m->kind == KIND_BYTES ? columns * 8 : columns;
}

/* Where line y begins; a CGA has the odd ones 8 KiB further. */
static uint16_t line_offset(const rom struct mode *m, uint8_t page, uint16_t y)
{
    if (m->kind == KIND_CGA)
        return (y >> 1) * 80 + (y & 1) * 0x2000;
    return page_offset(m->kind == KIND_BYTES ? 0 : page) + y * line_bytes(m);
}

/* Bytes of a line that a character takes. */
static uint8_t char_bytes(const rom struct mode *m)
{
    return m->kind == KIND_BYTES ? 8 : m->kind == KIND_CGA && m->number != 6 ? 2 : 1;
}

/* A line of a character's picture; CGA's modes have the upper half of the font elsewhere. */
static uint8_t glyph(const rom struct mode *m, uint8_t c, unsigned line)
{
    bool upper = m->kind == KIND_CGA && c >= 0x80;
    uint32_t font = far_read32(0, (upper ? 0x1f : 0x43) * 4);

    return far_read8(font >> 16, (uint16_t)font + (upper ? c - 0x80 : c) * char_height() + line);
}

/* ---- writing ---- */

static void planes_line(uint16_t at, uint8_t bits, uint8_t color)
{
    indexed_write(PORT_GC, GC_MASK, bits);
    far_read8(0xa000, at); /* into the latches */
    far_write8(0xa000, at, color);
    if (color & XOR)
        return;
    indexed_write(PORT_GC, GC_MASK, (uint8_t)~bits);
    far_read8(0xa000, at);
    far_write8(0xa000, at, 0);
}

/* Each bit becomes two. */
static uint16_t spread(uint8_t bits)
{
    uint16_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        if (bits >> i & 1)
            v |= 3 << (2 * i);
    return v;
}

static void cga_line(const rom struct mode *m, uint16_t at, uint8_t bits, uint8_t color)
{
    uint16_t v = bits;

    if (m->number != 6) {
        v = spread(bits) & ((color & 3) * 0x5555);
        v = (uint16_t)(v >> 8 | v << 8);
    } else if (!(color & 1)) {
        v = 0;
    }
    if (m->number == 6)
        far_write8(m->segment, at, (uint8_t)(color & XOR ? v ^ far_read8(m->segment, at) : v));
    else
        far_write16(m->segment, at, color & XOR ? v ^ far_read16(m->segment, at) : v);
}

static void bytes_line(uint16_t at, uint8_t bits, uint8_t color)
{
    for (unsigned i = 0; i < 8; i++)
        far_write8(0xa000, at + i, bits >> (7 - i) & 1 ? color : 0);
}

void dots_show(const rom struct mode *m, uint8_t page, struct cell at, uint8_t c, uint8_t color)
{
    uint8_t height = char_height();
    uint16_t y = at.row * height, x = at.column * char_bytes(m);

    if (m->kind == KIND_PLANES) {
        indexed_write(PORT_GC, GC_MODE, WRITE_COLOR);
        indexed_write(PORT_GC, GC_FUNCTION, color & XOR ? FUNCTION_XOR : 0);
    }
    for (unsigned i = 0; i < height; i++) {
        uint16_t to = line_offset(m, page, y + i) + x;
        uint8_t bits = glyph(m, c, i);

        if (m->kind == KIND_PLANES)
            planes_line(to, bits, color);
        else if (m->kind == KIND_CGA)
            cga_line(m, to, bits, color);
        else
            bytes_line(to, bits, color);
    }
    if (m->kind == KIND_PLANES)
        planes_rest();
}

/* ---- reading ---- */

/* A bit for each dot of eight that is not the background. */
static uint8_t dots_at(const rom struct mode *m, uint16_t at)
{
    uint8_t bits = 0;

    if (m->kind == KIND_PLANES) {
        for (unsigned i = 0; i < 4; i++) {
            indexed_write(PORT_GC, GC_READ_MAP, i);
            bits |= far_read8(0xa000, at);
        }
        return bits;
    }
    if (m->number == 6)
        return far_read8(m->segment, at);
    for (unsigned i = 0; i < 8; i++) {
        uint8_t v = m->kind == KIND_BYTES
                        ? far_read8(0xa000, at + i)
                        : far_read8(m->segment, at + i / 4) >> (6 - i % 4 * 2) & 3;

        bits = (uint8_t)(bits << 1 | (v != 0));
    }
    return bits;
}

static bool looks_like(const rom struct mode *m, uint8_t page, struct cell at, uint8_t c)
{
    uint8_t height = char_height();

    for (unsigned i = 0; i < height; i++)
        if (glyph(m, c, i) !=
            dots_at(m, line_offset(m, page, at.row * height + i) + at.column * char_bytes(m)))
            return false;
    return true;
}

/* By its picture; 0 where no character looks like that. */
uint8_t dots_read(const rom struct mode *m, uint8_t page, struct cell at)
{
    uint8_t c = 0;

    /* a space first: the characters 0 and 255 look the same */
    if (!looks_like(m, page, at, ' ')) {
        for (c = 0xff; c && !looks_like(m, page, at, c); c--)
            continue;
    } else {
        c = ' ';
    }
    if (m->kind == KIND_PLANES)
        planes_rest();
    return c;
}

/* ---- scrolling ---- */

static void fill_line(const rom struct mode *m, uint16_t at, uint16_t bytes, uint8_t fill)
{
    uint8_t v = m->kind == KIND_CGA && m->number != 6 ? (fill & 3) * 0x55 : fill;

    for (unsigned i = 0; i < bytes; i++)
        far_write8(m->segment, at + i, v);
}

void dots_scroll(const rom struct mode *m, uint8_t lines, uint8_t fill, struct cell from,
                 struct cell to, bool down)
{
    uint8_t page = bda_read8(BDA_PAGE), height = char_height(), unit = char_bytes(m);
    uint16_t top = from.row * height, count = (to.row - from.row + 1) * height;
    uint16_t step = lines * height, x = from.column * unit;
    uint16_t bytes = (to.column - from.column + 1) * unit;

    for (unsigned i = 0; i < count; i++) {
        uint16_t y = top + (down ? count - 1 - i : i);
        uint16_t at = line_offset(m, page, y) + x;

        if (i + step < count) {
            if (m->kind == KIND_PLANES)
                indexed_write(PORT_GC, GC_MODE, WRITE_COPY);
            far_copy(m->segment, at, m->segment,
                     line_offset(m, page, down ? y - step : y + step) + x, bytes);
        } else {
            if (m->kind == KIND_PLANES)
                indexed_write(PORT_GC, GC_MODE, WRITE_COLOR);
            fill_line(m, at, bytes, fill);
        }
    }
    if (m->kind == KIND_PLANES)
        planes_rest();
}

/* ---- pixels: CX, DX of page BH ---- */

void pixel_write(struct regs *r)
{
    const rom struct mode *m = mode_now();
    uint16_t at;
    uint8_t shift, mask, v;

    if (!m || m->kind == KIND_TEXT)
        return;
    at = line_offset(m, r->bh, r->dx);
    if (m->kind == KIND_BYTES) {
        far_write8(0xa000, at + r->cx, r->al);
        return;
    }
    if (m->kind == KIND_PLANES) {
        indexed_write(PORT_GC, GC_MODE, WRITE_COLOR);
        indexed_write(PORT_GC, GC_FUNCTION, r->al & XOR ? FUNCTION_XOR : 0);
        indexed_write(PORT_GC, GC_MASK, 0x80 >> (r->cx & 7));
        far_read8(0xa000, at + r->cx / 8);
        far_write8(0xa000, at + r->cx / 8, r->al);
        planes_rest();
        return;
    }
    shift = m->number == 6 ? 7 - (r->cx & 7) : 6 - (r->cx & 3) * 2;
    mask = (m->number == 6 ? 1 : 3) << shift;
    at += m->number == 6 ? r->cx / 8 : r->cx / 4;
    v = far_read8(m->segment, at);
    if (r->al & XOR)
        v ^= (r->al << shift) & mask;
    else
        v = (v & ~mask) | ((r->al << shift) & mask);
    far_write8(m->segment, at, v);
}

void pixel_read(struct regs *r)
{
    const rom struct mode *m = mode_now();
    uint16_t at;

    r->al = 0;
    if (!m || m->kind == KIND_TEXT)
        return;
    at = line_offset(m, r->bh, r->dx);
    if (m->kind == KIND_BYTES) {
        r->al = far_read8(0xa000, at + r->cx);
    } else if (m->number == 6) {
        r->al = far_read8(m->segment, at + r->cx / 8) >> (7 - (r->cx & 7)) & 1;
    } else if (m->kind == KIND_CGA) {
        r->al = far_read8(m->segment, at + r->cx / 4) >> (6 - (r->cx & 3) * 2) & 3;
    } else {
        for (unsigned i = 0; i < 4; i++) {
            indexed_write(PORT_GC, GC_READ_MAP, i);
            r->al |= (far_read8(0xa000, at + r->cx / 8) >> (7 - (r->cx & 7)) & 1) << i;
        }
        planes_rest();
    }
}
