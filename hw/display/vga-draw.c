/*
 * Drawing: what the registers and the display memory show, as a console's surface. The picture is
 * what a monitor gets, so modes of 200 lines or 320 dots come out doubled.
 *
 * A row is drawn when the memory it comes from was written (or registers were), and said to be
 * dirty when it came out differently.
 */
#include "vga.h"

#include <string.h>
#include <base/bits.h>
#include <base/clock.h>

enum { ATTR_PAS = 0x20, SEQ_SCREEN_OFF = 0x20, SEQ_HALF_CLOCK = 8 };
enum { SHIFT_PLANAR, SHIFT_INTERLEAVED, SHIFT_256 };
enum { CURSOR_FRAMES = 8, BLINK_FRAMES = 16 };

/* ---- rows that changed ---- */

struct painter {
    struct vga *v;
    const struct surface *s;
    unsigned x0, x1, y0, y1; /* not yet told; y0 == y1: nothing */
};

static void tell(struct painter *p)
{
    if (p->y0 != p->y1)
        console_dirty(p->v->con, p->x0, p->y0, p->x1 - p->x0, p->y1 - p->y0);
    p->y0 = p->y1;
}

static void put_row(struct painter *p, unsigned y, const uint32_t *row)
{
    uint32_t *old = surface_row(p->s, y);
    unsigned from = 0, to = p->s->width;

    if (memcmp(old, row, to * sizeof(*row)) == 0)
        return;
    while (old[from] == row[from])
        from++;
    while (old[to - 1] == row[to - 1])
        to--;
    memcpy(old + from, row + from, (to - from) * sizeof(*row));
    if (p->y0 != p->y1 && p->y1 == y) {
        p->x0 = MIN(p->x0, from);
        p->x1 = MAX(p->x1, to);
    } else {
        tell(p);
        p->x0 = from;
        p->x1 = to;
        p->y0 = y;
    }
    p->y1 = y + 1;
}

/* Room for a row that is drawn; false where the host has none. */
static bool have_line(struct vga *v, unsigned pixels)
{
    uint32_t *line;

    if (pixels <= v->line_space)
        return true;
    line = g_try_realloc_n(v->line, pixels, sizeof(*line));
    if (!line)
        return false;
    v->line = line;
    v->line_space = pixels;
    return true;
}

/* Which pages of [from, from + len) are to be drawn; they are watched before they are read. */
static void take_pages(struct vga *v, uint64_t from, uint64_t len)
{
    uint64_t end = MIN(from + len + RAM_PAGE_SIZE - 1, v->vram.size) >> RAM_PAGE_BITS;
    uint64_t first = MIN(from >> RAM_PAGE_BITS, end);

    ram_sync(v->vram.ram->ram, v->vram.ram->base + (first << RAM_PAGE_BITS),
             (end - first) << RAM_PAGE_BITS);
    for (uint64_t i = first; i < end; i++)
        v->dirty_pages[i] =
            ram_take_dirty(v->vram.ram->ram, v->vram.ram->base + (i << RAM_PAGE_BITS),
                           RAM_PAGE_SIZE, RAM_WATCH_VGA);
}

static bool pages_dirty(const struct vga *v, uint64_t from, uint64_t end)
{
    uint64_t last = (MIN(end, v->vram.size) - 1) >> RAM_PAGE_BITS;

    for (uint64_t i = from >> RAM_PAGE_BITS; i <= last; i++)
        if (v->dirty_pages[i])
            return true;
    return false;
}

/* ---- colours ---- */

static uint32_t dac_color(const struct vga *v, unsigned i)
{
    const uint8_t *c = &v->palette[3 * (i & v->dac_mask)];
    uint32_t rgb = 0;

    for (unsigned k = 0; k < 3; k++)
        rgb = rgb << 8 |
              (v->vbe[VBE_ENABLE] & VBE_8BIT_DAC ? c[k] : (uint8_t)(c[k] << 2 | c[k] >> 4));
    return rgb;
}

/* Attribute controller: four bits become six by the palette, and eight by colour select. */
static uint32_t attr_color(const struct vga *v, unsigned i)
{
    unsigned c = v->attr[i & v->attr[0x12] & 15], select = v->attr[0x14];

    if (v->attr[0x10] & 0x80)
        c = (c & 15) | (select & 3) << 4;
    return dac_color(v, c | (select & 12) << 4);
}

static void fill_colors(const struct vga *v, uint32_t *colors, bool wide)
{
    for (unsigned i = 0; i < (wide ? 256 : 16); i++) {
        unsigned low = v->attr[i & v->attr[0x12] & 15], high = v->attr[i >> 4 & v->attr[0x12]];

        colors[i] = wide ? dac_color(v, (high & 15) << 4 | (low & 15)) : attr_color(v, i);
    }
}

/* ---- planes ---- */

unsigned vga_plane_address(const struct vga *v, unsigned counter, unsigned row_scan)
{
    uint8_t mode = v->crtc[0x17];
    unsigned a = counter;

    if (v->crtc[0x14] & 0x40)
        /* bytes that chain 4 wrote are kept where the counter finds them */
        a = v->seq[4] & 8 ? a : a << 2 | (a >> 12 & 3);
    else if (!(mode & 0x40))
        a = a << 1 | (a >> (mode & 0x20 ? 15 : 13) & 1);
    if (!(mode & 1))
        a = (a & ~0x2000u) | (row_scan & 1) << 13;
    if (!(mode & 2))
        a = (a & ~0x4000u) | (row_scan >> 1 & 1) << 14;
    return a & 0xffff;
}

static void draw_planar(const uint8_t *cell, const uint32_t *colors, uint32_t *out)
{
    for (unsigned b = 8; b-- > 0;)
        *out++ = colors[(cell[0] >> b & 1) | (cell[1] >> b & 1) << 1 | (cell[2] >> b & 1) << 2 |
                        (cell[3] >> b & 1) << 3];
}

/* Two bits a pixel: four of planes 0 and 2, then four of planes 1 and 3. */
static void draw_interleaved(const uint8_t *cell, const uint32_t *colors, uint32_t *out)
{
    for (unsigned k = 0; k < 2; k++)
        for (unsigned b = 8; b; b -= 2)
            *out++ = colors[(cell[k] >> (b - 2) & 3) | (cell[k + 2] >> (b - 2) & 3) << 2];
}

static void draw_256(const uint8_t *cell, const uint32_t *colors, uint32_t *out)
{
    for (unsigned k = 0; k < 4; k++, out += 2)
        out[0] = out[1] = colors[cell[k]];
}

static unsigned shift_mode(const struct vga *v)
{
    return MIN(v->gc[5] >> 5 & 3, SHIFT_256);
}

static bool text_mode(const struct vga *v)
{
    return !(v->gc[6] & 1) && !vga_vbe_on(v);
}

/* CRTC mode bit 3 and underline bit 5: the counter waits for two or four character clocks. */
static unsigned count_shift(const struct vga *v)
{
    return v->crtc[0x14] & 0x20 ? 2 : v->crtc[0x17] >> 3 & 1;
}

static void graphics_row(const struct vga *v, const struct vga_scan *s, uint32_t *out)
{
    unsigned shift = shift_mode(v);

    for (unsigned i = 0; i <= s->cols; i++, out += 8) {
        unsigned at = vga_plane_address(v, s->start + (i >> count_shift(v)), s->row_scan);
        uint8_t cell[4];

        vga_load_cell(v, at, cell);
        if (shift == SHIFT_256)
            draw_256(cell, s->colors, out);
        else if (shift == SHIFT_INTERLEAVED)
            draw_interleaved(cell, s->colors, out);
        else
            draw_planar(cell, s->colors, out);
    }
}

static bool row_dirty(const struct vga *v, const struct vga_scan *s)
{
    unsigned first = vga_plane_address(v, s->start & 0xffff, s->row_scan);
    unsigned last = vga_plane_address(v, (s->start + s->cols) & 0xffff, s->row_scan);

    return v->redraw || last < first || pages_dirty(v, first * 4u, (last + 1) * 4u);
}

static void draw_row(struct painter *p, const struct vga_scan *s, unsigned y)
{
    struct vga *v = p->v;
    uint32_t *out = v->line;

    if (!row_dirty(v, s))
        return;
    if (text_mode(v))
        vga_text_row(v, s, out);
    else
        graphics_row(v, s, out);
    out += s->pan;
    if (v->seq[1] & SEQ_HALF_CLOCK) {
        /* from the right: what is written lies behind what is still to be read */
        for (unsigned x = s->cols * s->dots; x-- > 0;)
            out[2 * x] = out[2 * x + 1] = out[x];
    }
    put_row(p, y, out);
}

/* Attribute register 13h: text of nine dots counts from 8 for none. */
static unsigned pan_of(const struct vga *v, unsigned dots)
{
    unsigned pan = v->attr[0x13] & 15;

    if (dots == 9)
        return pan >= 8 ? 0 : pan + 1;
    return pan & 7;
}

static void begin_scan(const struct vga *v, struct vga_scan *s)
{
    int64_t frame = clock_ns(device_loop(v->dev), CLK_VIRTUAL) / vga_frame_ns(v);

    s->cols = vga_columns(v);
    s->dots = text_mode(v) ? vga_char_dots(v) : 8;
    s->start = (v->crtc[0x0c] << 8 | v->crtc[0x0d]) + (v->crtc[8] >> 5 & 3u);
    s->row_scan = v->crtc[8] & 0x1f;
    s->pan = pan_of(v, s->dots);
    s->cursor = !(frame / CURSOR_FRAMES & 1);
    s->blink = !(frame / BLINK_FRAMES & 1);
    s->cursor_at = v->crtc[0x0e] << 8 | v->crtc[0x0f];
    fill_colors(v, s->colors, !text_mode(v) && shift_mode(v) == SHIFT_256);
}

/* The next row of the picture: twice with scan doubling, then the next of the characters. */
static void next_row(const struct vga *v, struct vga_scan *s, bool *again)
{
    *again = v->crtc[9] & 0x80 && !*again;
    if (*again)
        return;
    if (s->row_scan == (v->crtc[9] & 0x1fu)) {
        s->row_scan = 0;
        s->start += v->crtc[0x13] * 2u;
    } else {
        s->row_scan = (s->row_scan + 1) & 0x1f;
    }
}

/* The first row of the split screen, which shows memory from 0 on. */
static unsigned split_row(const struct vga *v)
{
    unsigned compare = v->crtc[0x18] | (v->crtc[7] >> 4 & 1u) << 8 | (v->crtc[9] >> 6 & 1u) << 9;

    return (compare + 1) * (v->crtc[0x17] & 4 ? 2 : 1);
}

static void draw_planes(struct vga *v)
{
    struct painter p = { .v = v };
    struct vga_scan s;
    bool again = false;
    unsigned width;

    begin_scan(v, &s);
    width = s.cols * s.dots * (v->seq[1] & SEQ_HALF_CLOCK ? 2 : 1);
    p.s = console_resize(v->con, width, vga_lines(v));
    if (p.s->width != width || p.s->height != vga_lines(v) || !have_line(v, 2 * width + 32))
        return;
    if (text_mode(v) && v->phase != (s.cursor | s.blink << 1)) {
        v->phase = (uint8_t)(s.cursor | s.blink << 1);
        v->redraw = true;
    }
    take_pages(v, 0, 4 * VGA_PLANE_SIZE);
    for (unsigned y = 0; y < p.s->height; y++) {
        if (y == split_row(v)) {
            s.start = s.row_scan = 0;
            again = false;
            if (v->attr[0x10] & 0x20)
                s.pan = 0;
        }
        draw_row(&p, &s, y);
        next_row(v, &s, &again);
    }
    tell(&p);
}

/* ---- DISPI, and modes of cards that do more than the VGA ---- */

static uint32_t rgb(unsigned r, unsigned g, unsigned b, unsigned g_bits)
{
    r = r << 3 | r >> 2;
    g = g_bits == 6 ? g << 2 | g >> 4 : g << 3 | g >> 2;
    b = b << 3 | b >> 2;
    return r << 16 | g << 8 | b;
}

static void linear_row(const uint32_t *colors, unsigned bpp, const uint8_t *in, unsigned n,
                       uint32_t *out)
{
    unsigned w;

    for (unsigned x = 0; x < n; x++, in += (bpp + 7) / 8) {
        switch (bpp) {
        case 8: out[x] = colors[*in]; break;
        case 15:
            w = lduw_le(in);
            out[x] = rgb(w >> 10 & 31, w >> 5 & 31, w & 31, 5);
            break;
        case 16:
            w = lduw_le(in);
            out[x] = rgb(w >> 11, w >> 5 & 63, w & 31, 6);
            break;
        case 24: out[x] = in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16; break;
        default: out[x] = ldl_le(in) & 0xffffff; break;
        }
    }
}

/* Four bits: planes, a character clock for eight pixels. */
static void vbe_planar_row(const uint32_t *colors, const uint8_t *in, unsigned n, uint32_t *out)
{
    uint32_t eight[8];

    for (unsigned x = 0; x < n; x += 8, in += 4) {
        draw_planar(in, colors, eight);
        memcpy(out + x, eight, MIN(n - x, 8) * sizeof(*out));
    }
}

static bool vbe_mode(const struct vga *v, struct vga_linear *m)
{
    unsigned bpp = v->vbe[VBE_BPP], bits = bpp == 15 ? 16 : bpp, x = v->vbe[VBE_X_OFFSET];

    *m = (struct vga_linear){
        bpp, v->vbe[VBE_XRES], v->vbe[VBE_YRES], 1, 0, (uint64_t)v->vbe[VBE_VIRT_WIDTH] * bits / 8
    };
    m->at = v->vbe[VBE_Y_OFFSET] * m->stride + (uint64_t)x / 8 * bits +
            x % 8 * (bpp == 4 ? 0 : bits / 8);
    return vga_vbe_on(v);
}

/* From a copy: CPUs may be storing to the row. */
static void draw_linear_row(struct vga *v, const struct vga_linear *m, const uint32_t *colors,
                            uint64_t at)
{
    uint8_t *in = (uint8_t *)(v->line + m->width);
    unsigned n = m->bpp == 4 ? (m->width + 7) / 8 * 4 : m->width * ((m->bpp + 7) / 8);

    shared_copy(in, v->vram.ram->host + at, n);
    if (m->bpp == 4)
        vbe_planar_row(colors, in, m->width, v->line);
    else
        linear_row(colors, m->bpp, in, m->width, v->line);
}

static void draw_linear(struct vga *v, const struct vga_linear *m)
{
    struct painter p = { .v = v, .s = console_resize(v->con, m->width, m->height) };
    uint64_t row = ((uint64_t)m->width + 7) / 8 * (m->bpp == 15 ? 16 : m->bpp);
    uint32_t colors[256];

    if (p.s->width != m->width || p.s->height != m->height || !have_line(v, 2 * m->width))
        return;
    if (m->bpp == 4)
        fill_colors(v, colors, false);
    else
        for (unsigned i = 0; i < 256; i++)
            colors[i] = dac_color(v, i);
    take_pages(v, m->at, m->stride * (m->height / m->repeat) + row);
    for (unsigned y = 0; y < m->height; y++) {
        uint64_t at = m->at + y / m->repeat * m->stride;

        if (at + row > v->vram.size)
            break;
        if (!v->redraw && !pages_dirty(v, at, at + row))
            continue;
        draw_linear_row(v, m, colors, at);
        if (v->hooks)
            v->hooks->overlay(v, y, v->line, m->width);
        put_row(&p, y, v->line);
    }
    tell(&p);
}

/* ---- the console ---- */

static bool blanked(const struct vga *v)
{
    if (v->linear_only)
        return !vga_vbe_linear(v);
    return !(v->attr_index & ATTR_PAS) || v->seq[1] & SEQ_SCREEN_OFF;
}

static void draw_blank(struct vga *v)
{
    const struct surface *s = console_surface(v->con);
    struct painter p = { .v = v, .s = s };

    if (!v->redraw || !have_line(v, s->width))
        return;
    memset(v->line, 0, s->width * sizeof(*v->line));
    for (unsigned y = 0; y < s->height; y++)
        put_row(&p, y, v->line);
    tell(&p);
}

static void vga_refresh(void *opaque)
{
    struct vga *v = opaque;
    struct vga_linear mode;

    if (blanked(v))
        draw_blank(v);
    else if (v->hooks ? v->hooks->mode(v, &mode) : vbe_mode(v, &mode))
        draw_linear(v, &mode);
    else
        draw_planes(v);
    /* while it is blank, nobody looks at pages */
    v->redraw = false;
}

const struct console_ops vga_console_ops = { .refresh = vga_refresh };
