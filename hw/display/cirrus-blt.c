/*
 * The GD5446's BitBLT engine. A blit is done row by row: the source's row is gathered as it would
 * be written, with a mark for each byte that is not to be; then the raster operation combines it
 * with the destination. Rows within themselves thus never see what they wrote.
 *
 * Blits from display memory are done when they are started; those from the CPU as the bytes come.
 */
#include "cirrus.h"

#include <string.h>
#include <base/bits.h>
#include <base/log.h>

enum { MODE_BACKWARD = 0x01, MODE_TO_CPU = 0x02, MODE_FROM_CPU = 0x04, MODE_TRANSPARENT = 0x08 };
enum { MODE_PATTERN = 0x40, MODE_EXPAND = 0x80 };
enum { EXT_DWORDS = 0x01, EXT_INVERT = 0x02, EXT_SOLID = 0x04 };
enum { STATUS_BUSY = 0x01, STATUS_START = 0x02, STATUS_RESET = 0x04, STATUS_PROGRESS = 0x08 };

/* Bytes of a pixel: mode bits 5:4. */
static unsigned pixel_size(const struct cirrus_blt *b)
{
    return (b->mode >> 4 & 3) + 1u;
}

/* One row of what is to be drawn, width bytes from the lowest address on. */
struct blt_row {
    uint8_t data[CIRRUS_ROW_MAX];
    bool keep[CIRRUS_ROW_MAX]; /* the destination stays as it is */
};

/* ---- raster operations ---- */

#define ROP(name, expr)                                                         \
    static void rop_##name(uint8_t *dst, const struct blt_row *row, unsigned n) \
    {                                                                           \
        for (unsigned i = 0; i < n; i++) {                                      \
            uint8_t s = row->data[i], d = dst[i];                               \
                                                                                \
            (void)s, (void)d;                                                   \
            dst[i] = (uint8_t)(expr);                                           \
        }                                                                       \
    }
ROP(zero, 0)
ROP(and, s &d)
ROP(and_not, s & ~d)
ROP(invert, ~d)
ROP(copy, s)
ROP(one, 0xff)
ROP(not_and, ~s &d)
ROP(xor, s ^ d)
ROP(or, s | d)
ROP(nor, ~(s | d))
ROP(xnor, ~(s ^ d))
ROP(or_not, s | ~d)
ROP(copy_not, ~s)
ROP(not_or, ~s | d)
ROP(nand, ~(s &d))

typedef void rop_fn(uint8_t *dst, const struct blt_row *row, unsigned n);

/* GR32. NULL: the destination stays. */
static rop_fn *find_rop(uint8_t code)
{
    switch (code) {
    case 0x00: return rop_zero;
    case 0x05: return rop_and;
    case 0x09: return rop_and_not;
    case 0x0b: return rop_invert;
    case 0x0d: return rop_copy;
    case 0x0e: return rop_one;
    case 0x50: return rop_not_and;
    case 0x59: return rop_xor;
    case 0x6d: return rop_or;
    case 0x90: return rop_nor;
    case 0x95: return rop_xnor;
    case 0xad: return rop_or_not;
    case 0xd0: return rop_copy_not;
    case 0xd6: return rop_not_or;
    case 0xda: return rop_nand;
    default: return NULL;
    }
}

/* ---- display memory ---- */

static void read_vram(const struct cirrus *c, uint32_t a, uint8_t *out, unsigned n)
{
    const uint8_t *vram = c->vga.vram.ram->host;
    uint32_t size = (uint32_t)c->vga.vram.size;

    a &= size - 1;
    if (a + n <= size) {
        shared_copy(out, vram + a, n);
    } else {
        shared_copy(out, vram + a, size - a);
        shared_copy(out + (size - a), vram, n - (size - a));
    }
}

static void write_part(struct cirrus *c, uint32_t a, const uint8_t *in, unsigned n)
{
    const struct ram_block *block = c->vga.vram.ram;

    shared_copy(block->host + a, in, n);
    ram_written(block->ram, block->base + a, n);
}

static void write_vram(struct cirrus *c, uint32_t a, const uint8_t *in, unsigned n)
{
    uint32_t size = (uint32_t)c->vga.vram.size, first;

    a &= size - 1;
    first = MIN(n, size - a);
    write_part(c, a, in, first);
    if (first < n)
        write_part(c, 0, in + first, n - first);
}

/* ---- sources ---- */

/* Bits to pixels, the leftmost in bit 7 of the first byte; every `period` pixels they begin again,
 * 0 for never. Inverted, transparent bits are ones, and the zeroes are of the background's colour.
 */
static void expand_row(const struct cirrus_blt *b, const uint8_t *bits, unsigned period,
                       struct blt_row *row)
{
    unsigned size = pixel_size(b), pixels = b->width / size;
    bool transparent = b->mode & MODE_TRANSPARENT;
    bool clear = transparent && b->extension & EXT_INVERT; /* bits that are not drawn */

    for (unsigned x = 0; x < pixels; x++) {
        unsigned at = period ? x % period : x;
        bool one = bits[at / 8] >> (7 - at % 8) & 1;
        uint32_t color = one ? b->fg : b->bg;

        for (unsigned k = 0; k < size; k++) {
            row->data[x * size + k] = (uint8_t)(color >> 8 * k);
            row->keep[x * size + k] = transparent && one == clear;
        }
    }
}

/* Rows of a pattern of colours: those of 24 bits are 32 bytes apart. */
static void pattern_row(const struct cirrus *c, const struct cirrus_blt *b, struct blt_row *row)
{
    unsigned bytes = 8 * pixel_size(b), step = bytes == 24 ? 32 : bytes;
    uint32_t base = b->src & ~(8 * step - 1);
    uint8_t pattern[32];

    read_vram(c, base + ((b->src & 7) + b->row) % 8 * step, pattern, bytes);
    for (unsigned i = 0; i < b->width; i++)
        row->data[i] = pattern[i % bytes];
}

static bool solid(const struct cirrus_blt *b)
{
    return b->extension & EXT_SOLID && b->mode & MODE_EXPAND && b->mode & MODE_PATTERN;
}

static unsigned bits_row_bytes(const struct cirrus_blt *b)
{
    unsigned pixels = b->width / pixel_size(b);

    return b->extension & EXT_DWORDS ? (pixels + 31) / 32 * 4 : (pixels + 7) / 8;
}

static void gather(const struct cirrus *c, const struct cirrus_blt *b, struct blt_row *row)
{
    uint8_t bits[CIRRUS_ROW_MAX / 8 + 4];

    if (solid(b)) {
        for (unsigned i = 0; i < b->width; i++)
            row->data[i] = (uint8_t)(b->fg >> 8 * (i % pixel_size(b)));
    } else if (b->mode & MODE_EXPAND && b->mode & MODE_PATTERN) {
        read_vram(c, (b->src & ~7u) + ((b->src & 7) + b->row) % 8, bits, 1);
        expand_row(b, bits, 8, row);
    } else if (b->mode & MODE_PATTERN) {
        pattern_row(c, b, row);
    } else if (b->mode & MODE_EXPAND) {
        if (!b->waits)
            read_vram(c, b->src, bits, bits_row_bytes(b));
        expand_row(b, b->waits ? b->data : bits, 0, row);
    } else if (b->waits) {
        memcpy(row->data, b->data, b->width);
    } else {
        read_vram(c, b->mode & MODE_BACKWARD ? b->src - (b->width - 1) : b->src, row->data,
                  b->width);
    }
}

/* ---- rows ---- */

/* GR2F: of a pattern or of bits, the pixels at the left that are not drawn; of 24 bits' patterns,
 * bytes. */
static void skip_left(const struct cirrus_blt *b, struct blt_row *row)
{
    bool bytes = pixel_size(b) == 3 && b->mode & MODE_PATTERN;
    unsigned n = bytes ? b->skip & 0x1f : (b->skip & 7) * pixel_size(b);

    if (b->mode & (MODE_PATTERN | MODE_EXPAND) && !solid(b))
        memset(row->keep, true, MIN(n, b->width) * sizeof(row->keep[0]));
}

/* Pixels of 8 or 16 bits that come out in the key's colour are not drawn. */
static void keep_key(const struct cirrus_blt *b, const uint8_t *result, struct blt_row *row)
{
    unsigned size = pixel_size(b);

    if (!(b->mode & MODE_TRANSPARENT) || b->mode & MODE_EXPAND || size > 2)
        return;
    for (unsigned i = 0; i + size <= b->width; i += size)
        if (size == 1 ? result[i] == (b->key & 0xff) : lduw_le(result + i) == b->key)
            row->keep[i] = row->keep[i + size - 1] = true;
}

static void draw_row(struct cirrus *c)
{
    struct cirrus_blt *b = &c->blt;
    uint32_t low = b->mode & MODE_BACKWARD ? b->dst - (b->width - 1) : b->dst;
    rop_fn *rop = find_rop(b->rop);
    uint8_t old[CIRRUS_ROW_MAX], result[CIRRUS_ROW_MAX];
    struct blt_row row;

    if (!rop)
        return;
    memset(row.keep, 0, b->width * sizeof(row.keep[0]));
    /* a width that is not whole pixels */
    memset(row.data, 0, b->width);
    gather(c, b, &row);
    skip_left(b, &row);
    read_vram(c, low, old, b->width);
    memcpy(result, old, b->width);
    rop(result, &row, b->width);
    keep_key(b, result, &row);
    for (unsigned i = 0; i < b->width; i++)
        if (row.keep[i])
            result[i] = old[i];
    write_vram(c, low, result, b->width);
}

static void next_row(struct cirrus_blt *b)
{
    uint32_t sign = b->mode & MODE_BACKWARD ? UINT32_MAX : 1;

    b->dst += sign * b->dst_pitch;
    if (!(b->mode & MODE_PATTERN))
        b->src += b->mode & MODE_EXPAND ? bits_row_bytes(b) : sign * b->src_pitch;
    b->row++;
}

/* ---- start, stop ---- */

static void finish(struct cirrus *c)
{
    c->blt.height = 0;
    c->blt.waits = false;
    c->gc[GR_BLT_STATUS] &= (uint8_t) ~(STATUS_BUSY | STATUS_START | STATUS_PROGRESS);
}

static uint32_t reg16(const struct cirrus *c, unsigned i)
{
    return c->gc[i] | (uint32_t)c->gc[i + 1] << 8;
}

static uint32_t reg24(const struct cirrus *c, unsigned i)
{
    return reg16(c, i) | (uint32_t)c->gc[i + 2] << 16;
}

static void latch_registers(struct cirrus *c)
{
    struct cirrus_blt *b = &c->blt;

    memset(b, 0, sizeof(*b));
    b->width = reg16(c, 0x20) + 1;
    b->height = (reg16(c, 0x22) & (CIRRUS_ROWS_MAX - 1)) + 1;
    b->dst_pitch = reg16(c, 0x24);
    b->src_pitch = reg16(c, 0x26);
    b->dst = reg24(c, 0x28);
    b->src = reg24(c, 0x2c);
    b->skip = c->gc[0x2f];
    b->mode = c->gc[0x30];
    b->rop = c->gc[0x32];
    b->extension = c->gc[0x33];
    b->key = (uint16_t)reg16(c, 0x34);
    b->bg = c->vga.gc[0] | (uint32_t)c->gc[0x10] << 8 | (uint32_t)c->gc[0x12] << 16 |
            (uint32_t)c->gc[0x14] << 24;
    b->fg = c->vga.gc[1] | (uint32_t)c->gc[0x11] << 8 | (uint32_t)c->gc[0x13] << 16 |
            (uint32_t)c->gc[0x15] << 24;
}

static void start(struct cirrus *c)
{
    struct cirrus_blt *b = &c->blt;

    latch_registers(c);
    if (!c->blitter || b->mode & MODE_TO_CPU) {
        if (c->blitter)
            log_guest_error("cirrus: blit to the CPU, which this chip has not\n");
        finish(c);
    } else if (b->mode & MODE_FROM_CPU && !(b->mode & MODE_PATTERN)) {
        b->row_bytes = b->mode & MODE_EXPAND ? bits_row_bytes(b) : (b->width + 3) & ~3u;
        b->waits = b->row_bytes; /* less than a pixel wants none */
        if (b->waits)
            c->gc[GR_BLT_STATUS] |= STATUS_BUSY | STATUS_PROGRESS;
        else
            finish(c);
    } else {
        for (; b->row < b->height; next_row(b))
            draw_row(c);
        finish(c);
    }
}

void cirrus_blt_control(struct cirrus *c, uint8_t old, uint8_t value)
{
    if (value & STATUS_RESET || (old & STATUS_RESET))
        finish(c);
    else if (value & STATUS_START && !c->blt.waits)
        start(c);
}

void cirrus_blt_feed(struct cirrus *c, uint64_t value, unsigned size)
{
    struct cirrus_blt *b = &c->blt;

    for (; size && b->waits; size--, value >>= 8) {
        b->data[b->filled++] = (uint8_t)value;
        if (b->filled < b->row_bytes)
            continue;
        b->filled = 0;
        draw_row(c);
        next_row(b);
        if (b->row == b->height)
            finish(c);
    }
    if (!b->waits)
        vga_update_window(&c->vga);
}

bool cirrus_blt_valid(const struct cirrus_blt *b)
{
    if (b->width > CIRRUS_ROW_MAX || b->height > CIRRUS_ROWS_MAX)
        return false;
    return b->waits ? b->width && b->row < b->height && b->row_bytes &&
                          b->row_bytes <= sizeof(b->data) && b->filled < b->row_bytes &&
                          b->row_bytes >= (b->mode & MODE_EXPAND ? bits_row_bytes(b) : b->width)
                    : !b->height;
}
