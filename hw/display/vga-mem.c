/*
 * The window at 0xa0000: four planes behind the graphics controller's latches, write modes and
 * read modes. Where an access is plain memory (chain 4 with nothing in the way, DISPI's banks), the
 * window shows the display memory itself.
 */
#include "vga.h"

#include <string.h>
#include <base/bits.h>

enum { SEQ_MAP_MASK = 2, SEQ_MODE = 4, SEQ_CHAIN4 = 8, SEQ_PLANAR = 4 };
enum {
    GC_SET = 0,
    GC_ENABLE,
    GC_COMPARE,
    GC_ROTATE,
    GC_READ_MAP,
    GC_MODE,
    GC_MISC,
    GC_CARE,
    GC_MASK
};
enum { MISC_RAM = 2, GC_ODD_EVEN = 0x10, GC_READ_COMPARE = 8 };

/* Graphics register 6, bits 3:2. */
static const struct {
    uint32_t start, size;
} maps[4] = { { 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 } };

static bool chain4(const struct vga *v)
{
    return v->seq[SEQ_MODE] & SEQ_CHAIN4 && !vga_vbe_on(v);
}

static bool odd_even(const struct vga *v)
{
    return !(v->seq[SEQ_MODE] & SEQ_PLANAR) && !vga_vbe_on(v);
}

/* Where the access goes: a byte in each plane, and the planes that it can be about. */
struct place {
    unsigned offset;
    uint8_t planes;
    uint8_t plane; /* of reads */
};

bool vga_window_decodes(const struct vga *v, uint64_t offset, uint32_t *a)
{
    unsigned map = v->gc[GC_MISC] >> 2 & 3;

    *a = (uint32_t)offset - maps[map].start;
    return *a < maps[map].size && (vga_vbe_on(v) || v->misc & MISC_RAM);
}

static bool find_place(const struct vga *v, uint64_t offset, struct place *p)
{
    uint32_t a;

    if (!vga_window_decodes(v, offset, &a))
        return false;
    *p = (struct place){ a & 0xffff, 15, v->gc[GC_READ_MAP] };
    if (chain4(v)) {
        p->plane = a & 3;
        p->planes = (uint8_t)(1 << p->plane);
        p->offset >>= 2;
    } else if (odd_even(v)) {
        p->planes = a & 1 ? 10 : 5;
        p->plane = (uint8_t)((p->plane & 2) | (a & 1));
        p->offset = (a & 0xfffe) | (v->gc[GC_MISC] & 12 ? 0 : a >> 16 & 1);
    } else if (vga_vbe_on(v)) {
        p->offset += v->vbe[VBE_BANK] * VGA_PLANE_SIZE;
    } else {
        p->offset += v->plane_base;
    }
    return ((uint64_t)p->offset + 1) * 4 <= v->vram.size;
}

/* Read mode 1: a bit for each pixel that has the colour compared with. */
static uint8_t compare(const struct vga *v)
{
    uint8_t match = 0xff;

    for (unsigned i = 0; i < 4; i++)
        if (v->gc[GC_CARE] >> i & 1)
            match &= v->gc[GC_COMPARE] >> i & 1 ? v->latch[i] : (uint8_t)~v->latch[i];
    return match;
}

uint8_t vga_window_read(struct vga *v, uint64_t offset)
{
    struct place p;

    if (!find_place(v, offset, &p))
        return 0xff;
    vga_load_cell(v, p.offset, v->latch);
    return v->gc[GC_MODE] & GC_READ_COMPARE ? compare(v) : v->latch[p.plane];
}

static uint8_t rotated(const struct vga *v, uint8_t value)
{
    unsigned n = v->gc[GC_ROTATE] & 7;

    return (uint8_t)(value >> n | value << (8 - n));
}

static uint8_t expand(uint8_t planes, unsigned i)
{
    return planes >> i & 1 ? 0xff : 0;
}

/* Logical function with the latch, then the bit mask chooses between the two. */
static uint8_t combine(const struct vga *v, unsigned i, uint8_t value, uint8_t mask)
{
    uint8_t latch = v->latch[i];

    switch (v->gc[GC_ROTATE] >> 3 & 3) {
    case 1: value &= latch; break;
    case 2: value |= latch; break;
    case 3: value ^= latch; break;
    default: break;
    }
    return (uint8_t)((value & mask) | (latch & ~mask));
}

/* What write mode 0 to 3 puts into plane i. */
static uint8_t plane_value(const struct vga *v, unsigned i, uint8_t value)
{
    uint8_t mask = v->gc[GC_MASK], turned = rotated(v, value);

    switch (v->gc[GC_MODE] & 3) {
    case 0:
        if (v->gc[GC_ENABLE] >> i & 1)
            turned = expand(v->gc[GC_SET], i);
        return combine(v, i, turned, mask);
    case 1: return v->latch[i];
    case 2: return combine(v, i, expand(value, i), mask);
    default: return combine(v, i, expand(v->gc[GC_SET], i), mask & turned);
    }
}

void vga_window_write(struct vga *v, uint64_t offset, uint8_t value)
{
    struct place p;
    uint8_t planes, *cell;

    if (!find_place(v, offset, &p))
        return;
    cell = v->vram.ram->host + (size_t)p.offset * 4;
    planes = p.planes & v->seq[SEQ_MAP_MASK];
    for (unsigned i = 0; i < 4; i++)
        if (planes >> i & 1)
            shared_store(cell + i, plane_value(v, i, value), 1);
    /* fonts are seen wherever their characters are */
    if (planes & 12)
        v->redraw = true;
    ram_written(v->vram.ram->ram, v->vram.ram->base + (uint64_t)p.offset * 4, 4);
}

static uint64_t window_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return vga_window_read(opaque, offset);
}

static void window_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    vga_window_write(opaque, offset, (uint8_t)value);
}

const struct io_ops vga_window_io = {
    .read = window_read,
    .write = window_write,
    .guest_sizes = { 1, 8 },
    .own_sizes = { 1, 1 },
    .unaligned = IO_UNALIGNED_SPLIT,
};

/* Whether bytes go through unchanged, to the place that chain 4 gives them. */
static bool plain_chain4(const struct vga *v)
{
    return chain4(v) && v->misc & MISC_RAM && (v->gc[GC_MISC] & 12) == 4 &&
           (v->seq[SEQ_MAP_MASK] & 15) == 15 && !(v->gc[GC_MODE] & (3 | GC_READ_COMPARE)) &&
           !v->gc[GC_ENABLE] && !v->gc[GC_ROTATE] && v->gc[GC_MASK] == 0xff;
}

void vga_update_window(struct vga *v)
{
    uint64_t offset = vga_vbe_on(v) ? v->vbe[VBE_BANK] * (uint64_t)VGA_PLANE_SIZE : 0;
    bool on = (vga_vbe_linear(v) || plain_chain4(v)) && offset + VGA_PLANE_SIZE <= v->vram.size;

    if (v->hooks && v->hooks->update_window(v))
        on = false;
    if (on == v->bank.enabled && (!on || offset == v->bank.target_offset))
        return;
    mem_begin(device_mem(v->dev));
    if (on)
        mem_region_set_alias_offset(&v->bank, offset);
    mem_region_set_enabled(&v->bank, on);
    mem_end(device_mem(v->dev));
}
