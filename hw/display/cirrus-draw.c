/* The GD5446's own modes and its cursor. */
#include "cirrus.h"

/* The patterns of cursors are in the last 16 KiB. */
#define PATTERNS_SIZE 0x4000u

static uint32_t pattern_at(const struct cirrus *c)
{
    unsigned i = c->seq[SR_CURSOR_PATTERN] & (c->seq[SR_CURSOR] & SR_CURSOR_LARGE ? 0x3c : 0x3f);

    return (uint32_t)c->vga.vram.size - PATTERNS_SIZE + i * 256;
}

/* SR7 says how pixels lie in memory, the hidden DAC register what 16 bits mean. */
static unsigned depth(const struct cirrus *c)
{
    switch (c->seq[SR_MODE] >> 1 & 7) {
    case 1:
    case 3: return (c->hidden_dac & 0x0f) == 1 ? 16 : 15;
    case 2: return 24;
    case 4: return 32;
    default: return 8;
    }
}

static uint32_t start_address(const struct cirrus *c)
{
    const uint8_t *cr = c->vga.crtc;
    uint8_t b = c->crtc[0x1b];

    return (uint32_t)cr[0x0c] << 8 | cr[0x0d] | (b & 1u) << 16 | (b >> 2 & 3u) << 17 |
           (c->crtc[0x1d] >> 7 & 1u) << 19;
}

bool cirrus_mode(struct vga *v, struct vga_linear *m)
{
    struct cirrus *c = cirrus_of(v);
    const struct ram_block *b = v->vram.ram;

    if (!cirrus_packed(c))
        return false;
    *m = (struct vga_linear){ .bpp = depth(c),
                              .width = vga_columns(v) * 8,
                              .height = MIN(vga_lines(v), SURFACE_MAX),
                              .repeat = (v->crtc[9] & 0x80 ? 2 : 1) * ((v->crtc[9] & 0x1f) + 1u),
                              .at = (uint64_t)start_address(c) * 4,
                              .stride = (v->crtc[0x13] | (c->crtc[0x1b] & 0x10u) << 4) * 8 };
    if (c->seq[SR_CURSOR] & SR_CURSOR_ON &&
        ram_take_dirty(b->ram, b->base + v->vram.size - PATTERNS_SIZE, PATTERNS_SIZE,
                       RAM_WATCH_VGA))
        v->redraw = true;
    return true;
}

static uint32_t cursor_color(const struct cirrus *c, unsigned i)
{
    const uint8_t *p = &c->cursor_palette[3 * i];
    uint32_t rgb = 0;

    for (unsigned k = 0; k < 3; k++)
        rgb = rgb << 8 | (uint8_t)(p[k] << 2 | p[k] >> 4);
    return rgb;
}

/* Two planes: of the small one, one behind the other; of the large one, row by row. */
void cirrus_overlay(const struct vga *v, unsigned y, uint32_t *row, unsigned width)
{
    const struct cirrus *c = cirrus_of((struct vga *)v);
    bool large = c->seq[SR_CURSOR] & SR_CURSOR_LARGE;
    unsigned size = large ? 64 : 32, line = y - c->cursor_y;
    uint32_t colors[2] = { cursor_color(c, 0), cursor_color(c, 15) };
    uint8_t low[8], high[8];
    const uint8_t *at;

    if (!(c->seq[SR_CURSOR] & SR_CURSOR_ON) || line >= size)
        return;
    at = v->vram.ram->host + pattern_at(c) + line * (large ? 16 : 4);
    shared_copy(low, at, size / 8);
    shared_copy(high, at + (large ? 8 : 128), size / 8);
    for (unsigned i = 0; i < size && c->cursor_x + i < width; i++) {
        bool l = low[i / 8] >> (7 - i % 8) & 1, h = high[i / 8] >> (7 - i % 8) & 1;
        uint32_t *p = &row[c->cursor_x + i];

        if (h)
            *p = colors[l];
        else if (l)
            *p ^= 0xffffff;
    }
}
