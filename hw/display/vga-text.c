/* Rows of text modes: fonts from plane 2, attributes, cursor, blinking. */
#include "vga.h"

enum { ATTR_MONO = 2, ATTR_LINE_GRAPHICS = 4, ATTR_BLINK = 8, CURSOR_OFF = 0x20 };

/* Sequencer register 3: font A (attribute bit 3 set) from bits 5, 3:2, font B from 4, 1:0. */
static unsigned font_offset(const struct vga *v, bool a)
{
    unsigned map = v->seq[3], n = a ? map >> 2 & 3 : map & 3;

    return n * 0x4000 + (map >> (a ? 5 : 4) & 1) * 0x2000;
}

static bool cursor_row(const struct vga *v, unsigned row_scan)
{
    unsigned start = v->crtc[0x0a], end = v->crtc[0x0b] & 0x1f;

    return !(start & CURSOR_OFF) && row_scan >= (start & 0x1f) && row_scan <= end;
}

static void draw_cell(uint32_t *out, unsigned dots, unsigned bits, uint32_t fg, uint32_t bg)
{
    for (unsigned i = 0; i < dots; i++)
        out[i] = bits >> (8 - i) & 1 ? fg : bg;
}

/* The nine dots of a cell, leftmost in bit 8. */
static unsigned glyph(const struct vga *v, unsigned row_scan, uint8_t ch, uint8_t attr)
{
    unsigned at = font_offset(v, attr & 8) + ch * 32u + row_scan;
    unsigned bits = (unsigned)shared_load(v->vram.ram->host + (size_t)at * 4 + 2, 1) << 1;

    if (v->attr[0x10] & ATTR_MONO && (attr & 0x77) == 1 && row_scan == (v->crtc[0x14] & 0x1fu))
        return 0x1ff;
    /* the ninth dot of line drawing characters is their eighth */
    if (v->attr[0x10] & ATTR_LINE_GRAPHICS && ch >= 0xc0 && ch <= 0xdf)
        bits |= bits >> 1 & 1;
    return bits;
}

void vga_text_row(const struct vga *v, const struct vga_scan *s, uint32_t *out)
{
    bool blinks = v->attr[0x10] & ATTR_BLINK, cursor = s->cursor && cursor_row(v, s->row_scan);

    for (unsigned i = 0; i <= s->cols; i++, out += s->dots) {
        unsigned counter = (s->start + i) & 0xffff;
        uint8_t cell[4], attr;
        uint32_t fg, bg;
        unsigned bits;

        vga_load_cell(v, vga_plane_address(v, counter, s->row_scan), cell);
        attr = cell[1];
        fg = s->colors[attr & 15];
        bg = s->colors[attr >> 4 & (blinks ? 7 : 15)];
        bits = glyph(v, s->row_scan, cell[0], attr);
        if (blinks && attr & 0x80 && !s->blink)
            bits = 0;
        if (cursor && counter == s->cursor_at)
            bits = 0x1ff;
        draw_cell(out, s->dots, bits, fg, bg);
    }
}
