/*
 * Display memory as the CPU sees it: banks in the window at 0xa0000, the linear apertures, and the
 * blitter's registers in memory. Where bytes go through unchanged, display memory itself is shown.
 */
#include "cirrus.h"

#include <string.h>
#include <base/bits.h>

/* The window's part at 0xb8000 where SR17 puts registers. */
enum { WINDOW_MMIO = 0x18000, BLT_MMIO_SIZE = 0x100, MMIO_BLT = 0x100 };

/* ---- pixels by write modes 4 and 5 ---- */

static uint32_t vram_mask(const struct cirrus *c)
{
    return (uint32_t)c->vga.vram.size - 1;
}

static unsigned write_mode(const struct cirrus *c)
{
    return c->vga.gc[5] & 7;
}

/* Sixteen-bit pixels, addressed by sixteen bytes. */
static bool wide_pixels(const struct cirrus *c)
{
    return (c->gc[GR_MODE] & (GR_MODE_EXTENDED | GR_MODE_16BIT)) ==
           (GR_MODE_EXTENDED | GR_MODE_16BIT);
}

/* What an address is shifted by. */
static unsigned by_shift(const struct cirrus *c)
{
    return wide_pixels(c) ? 4 : c->gc[GR_MODE] & GR_MODE_BY8 ? 3 : 0;
}

static bool plain(const struct cirrus *c)
{
    return !by_shift(c) && !c->blt.waits &&
           !(c->gc[GR_MODE] & GR_MODE_EXTENDED && write_mode(c) >= 4);
}

static void put(struct cirrus *c, uint32_t a, uint8_t value)
{
    shared_store(c->vga.vram.ram->host + (a & vram_mask(c)), value, 1);
}

static void written(struct cirrus *c, uint32_t a, unsigned n)
{
    const struct ram_block *b = c->vga.vram.ram;

    a &= vram_mask(c);
    ram_written(b->ram, b->base + a, MIN(n, c->vga.vram.size - a));
}

/* A bit a pixel, the leftmost in bit 7: of the foreground where it is 1, and for mode 5 of the
 * background where it is 0. SR2 masks pixels. */
static void write_pixels(struct cirrus *c, uint32_t a, uint8_t bits)
{
    unsigned size = wide_pixels(c) ? 2 : 1;
    uint8_t mask = c->vga.seq[2];

    for (unsigned i = 0; i < 8; i++) {
        bool fg = bits >> (7 - i) & 1;

        if (!(mask >> (7 - i) & 1) || (!fg && write_mode(c) == 4))
            continue;
        put(c, a + i * size, c->vga.gc[fg]);
        if (size == 2)
            put(c, a + i * size + 1, c->gc[fg ? 0x11 : 0x10]);
    }
    written(c, a, 8 * size);
}

/* ---- one access ---- */

static uint8_t mem_read(struct cirrus *c, uint32_t a)
{
    const uint8_t *vram = c->vga.vram.ram->host;
    unsigned shift = by_shift(c);

    a = a << shift & vram_mask(c);
    for (unsigned i = 0; i < (1u << shift); i++)
        c->latch[i] = (uint8_t)shared_load(vram + ((a + i) & vram_mask(c)), 1);
    return (uint8_t)shared_load(vram + a, 1);
}

static void mem_write(struct cirrus *c, uint32_t a, uint8_t value)
{
    unsigned shift = by_shift(c);

    a = a << shift & vram_mask(c);
    if (c->gc[GR_MODE] & GR_MODE_EXTENDED && (write_mode(c) == 4 || write_mode(c) == 5)) {
        write_pixels(c, a, value);
    } else if (c->gc[GR_MODE] & GR_MODE_LATCHES && shift && write_mode(c) == 1) {
        for (unsigned i = 0; i < (1u << shift); i++)
            put(c, a + i, c->latch[i]);
        written(c, a, 1u << shift);
    } else {
        put(c, a, value);
        written(c, a, 1);
    }
}

/* ---- the blitter's registers in memory ---- */

static const uint8_t blt_regs[BLT_MMIO_SIZE] = {
    [0x00] = 0x00, [0x01] = 0x10, [0x02] = 0x12, [0x03] = 0x14, [0x04] = 0x01, [0x05] = 0x11,
    [0x06] = 0x13, [0x07] = 0x15, [0x08] = 0x20, [0x09] = 0x21, [0x0a] = 0x22, [0x0b] = 0x23,
    [0x0c] = 0x24, [0x0d] = 0x25, [0x0e] = 0x26, [0x0f] = 0x27, [0x10] = 0x28, [0x11] = 0x29,
    [0x12] = 0x2a, [0x14] = 0x2c, [0x15] = 0x2d, [0x16] = 0x2e, [0x17] = 0x2f, [0x18] = 0x30,
    [0x1a] = 0x32, [0x1b] = 0x33, [0x1c] = 0x34, [0x1d] = 0x35, [0x20] = 0x38, [0x21] = 0x39,
    [0x40] = 0x31,
};

static bool has_reg(unsigned offset)
{
    return offset < BLT_MMIO_SIZE && (!offset || blt_regs[offset]);
}

static uint8_t blt_read(struct cirrus *c, unsigned offset)
{
    return has_reg(offset) ? cirrus_gc_read(c, blt_regs[offset]) : 0xff;
}

static void blt_write(struct cirrus *c, unsigned offset, uint8_t value)
{
    if (has_reg(offset))
        cirrus_gc_write(c, blt_regs[offset], value);
}

static bool mmio_on(const struct cirrus *c, bool linear)
{
    uint8_t config = c->seq[SR_CONFIG];

    return config & SR_CONFIG_MMIO && linear == !!(config & SR_CONFIG_MMIO_LINEAR);
}

/* ---- the window ---- */

static uint32_t bank_base(const struct cirrus *c, unsigned bank)
{
    unsigned shift = c->gc[GR_MODE] & GR_MODE_16K ? 14 : 12;

    if (bank && c->gc[GR_MODE] & GR_MODE_TWO_BANKS)
        return (uint32_t)c->gc[GR_OFFSET1] << shift;
    return ((uint32_t)c->gc[GR_OFFSET0] << shift) + bank * CIRRUS_BANK_SIZE;
}

static bool banks_match(const struct cirrus *c, bool on)
{
    for (unsigned i = 0; i < CIRRUS_BANKS; i++) {
        uint32_t base = bank_base(c, i);
        bool show = on && base + CIRRUS_BANK_SIZE <= c->vga.vram.size;

        if (c->banks[i].enabled != show || (show && c->banks[i].target_offset != base))
            return false;
    }
    return c->linear_ram.mem == NULL || c->linear_ram.enabled == (plain(c) && !mmio_on(c, true));
}

bool cirrus_update_window(struct vga *v)
{
    struct cirrus *c = cirrus_of(v);
    bool on = cirrus_packed(c) && plain(c) && (v->gc[6] & 12) == 4 && v->misc & 2;

    if (!banks_match(c, on)) {
        mem_begin(device_mem(v->dev));
        for (unsigned i = 0; i < CIRRUS_BANKS; i++) {
            uint32_t base = bank_base(c, i);
            bool show = on && base + CIRRUS_BANK_SIZE <= v->vram.size;

            if (show)
                mem_region_set_alias_offset(&c->banks[i], base);
            mem_region_set_enabled(&c->banks[i], show);
        }
        if (c->linear_ram.mem)
            mem_region_set_enabled(&c->linear_ram, plain(c) && !mmio_on(c, true));
        mem_end(device_mem(v->dev));
    }
    return cirrus_packed(c) || c->blt.waits || bank_base(c, 0) || !plain(c);
}

/* True with the address of display memory; else it is an access for the VGA. */
static bool window_address(struct cirrus *c, uint64_t offset, uint32_t *a)
{
    unsigned bank = (unsigned)(offset / CIRRUS_BANK_SIZE) & 1;
    uint32_t base = bank_base(c, bank) - bank * CIRRUS_BANK_SIZE;

    c->vga.plane_base = base;
    if (!cirrus_packed(c) || !vga_window_decodes(&c->vga, offset, a))
        return false;
    *a += base;
    return true;
}

static uint8_t window_byte(struct cirrus *c, uint64_t offset)
{
    uint32_t a;

    if (offset - WINDOW_MMIO < BLT_MMIO_SIZE && mmio_on(c, false))
        return blt_read(c, (unsigned)offset - WINDOW_MMIO);
    if (window_address(c, offset, &a))
        return mem_read(c, a);
    return vga_window_read(&c->vga, offset);
}

static uint64_t window_read(void *opaque, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)window_byte(opaque, offset + i) << 8 * i;
    return value;
}

static void window_set_byte(struct cirrus *c, uint64_t offset, uint8_t value)
{
    uint32_t a;

    if (window_address(c, offset, &a))
        mem_write(c, a, value);
    else
        vga_window_write(&c->vga, offset, value);
}

static void window_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct cirrus *c = opaque;
    bool mmio = offset - WINDOW_MMIO < BLT_MMIO_SIZE && mmio_on(c, false);

    if (!mmio && c->blt.waits) {
        cirrus_blt_feed(c, value, size);
        return;
    }
    for (unsigned i = 0; i < size; i++, value >>= 8) {
        if (mmio)
            blt_write(c, (unsigned)(offset - WINDOW_MMIO) + i, (uint8_t)value);
        else
            window_set_byte(c, offset + i, (uint8_t)value);
    }
}

const struct io_ops cirrus_window_io = {
    .read = window_read,
    .write = window_write,
    .guest_sizes = { 1, 8 },
    .own_sizes = { 1, 4 },
    .unaligned = IO_UNALIGNED_SPLIT,
};

/* ---- linear apertures ---- */

static bool linear_mmio(const struct cirrus *c, uint64_t offset)
{
    return offset >= c->vga.vram.size - BLT_MMIO_SIZE && mmio_on(c, true);
}

static uint64_t linear_read(void *opaque, uint64_t offset, unsigned size)
{
    struct cirrus *c = opaque;
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        uint64_t a = offset + i;
        uint8_t byte =
            linear_mmio(c, a) ? blt_read(c, a & (BLT_MMIO_SIZE - 1)) : mem_read(c, (uint32_t)a);

        value |= (uint64_t)byte << 8 * i;
    }
    return value;
}

static void linear_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct cirrus *c = opaque;
    bool mmio = linear_mmio(c, offset);

    if (!mmio && c->blt.waits) {
        cirrus_blt_feed(c, value, size);
        return;
    }
    for (unsigned i = 0; i < size; i++, value >>= 8) {
        if (mmio)
            blt_write(c, (unsigned)(offset + i) & (BLT_MMIO_SIZE - 1), (uint8_t)value);
        else
            mem_write(c, (uint32_t)(offset + i), (uint8_t)value);
    }
}

const struct io_ops cirrus_linear_io = {
    .read = linear_read,
    .write = linear_write,
    .guest_sizes = { 1, 8 },
    .own_sizes = { 1, 4 },
    .unaligned = IO_UNALIGNED_SPLIT,
};

/* The bytes of words (first aperture) or of doublewords (second) change places. */
static uint32_t swapped(const struct cirrus *c, uint64_t offset)
{
    uint32_t a = (uint32_t)(offset % CIRRUS_SWAP_SIZE) ^ (offset < CIRRUS_SWAP_SIZE ? 1 : 3);

    return a & vram_mask(c);
}

static uint64_t swap_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return mem_read(opaque, swapped(opaque, offset));
}

static void swap_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct cirrus *c = opaque;

    if (c->blt.waits)
        cirrus_blt_feed(c, value, size);
    else
        mem_write(c, swapped(c, offset), (uint8_t)value);
}

const struct io_ops cirrus_swap_io = {
    .read = swap_read,
    .write = swap_write,
    .guest_sizes = { 1, 8 },
    .own_sizes = { 1, 1 },
    .unaligned = IO_UNALIGNED_SPLIT,
};

/* Where nothing but the source of a blit is written. */
static uint64_t feed_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return UINT64_MAX;
}

static void feed_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct cirrus *c = opaque;

    (void)offset;
    if (c->blt.waits)
        cirrus_blt_feed(c, value, size);
}

const struct io_ops cirrus_feed_io = {
    .read = feed_read,
    .write = feed_write,
    .guest_sizes = { 1, 8 },
    .own_sizes = { 1, 4 },
    .unaligned = IO_UNALIGNED_PASS,
};

/* ---- BAR 1: ports from 0x3c0 on, then the blitter ---- */

/* The CRTC is at one place here, whichever of its two the ports have. */
static uint16_t mmio_port(const struct cirrus *c, uint64_t offset)
{
    return (uint16_t)(0x3c0 + offset - (offset >= 0x10 && !(c->vga.misc & 1) ? 0x20 : 0));
}

static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned size)
{
    struct cirrus *c = opaque;

    (void)size;
    if (offset >= MMIO_BLT)
        return blt_read(c, (unsigned)offset - MMIO_BLT);
    return offset < 0x20 ? vga_port_read(&c->vga, mmio_port(c, offset)) : 0xff;
}

static void mmio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct cirrus *c = opaque;

    (void)size;
    if (offset >= MMIO_BLT)
        blt_write(c, (unsigned)offset - MMIO_BLT, (uint8_t)value);
    else if (offset < 0x20)
        vga_port_write(&c->vga, mmio_port(c, offset), (uint8_t)value);
}

const struct io_ops cirrus_mmio_io = {
    .read = mmio_read,
    .write = mmio_write,
    .guest_sizes = { 1, 4 },
    .own_sizes = { 1, 1 },
    .unaligned = IO_UNALIGNED_SPLIT,
};
