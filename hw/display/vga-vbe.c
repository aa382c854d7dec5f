/*
 * Bochs' VBE registers (DISPI), by index and data at ports 0x1ce and 0x1cf (or 0x1d0, where they
 * are aligned): modes of 4 to 32 bits a pixel on the linear frame buffer or in banks of 64 KiB.
 */
#include "vga.h"

#include <string.h>
#include <base/bits.h>
#include <base/log.h>

#define ID_OLDEST 0xb0c0
#define ID_NEWEST 0xb0c5
#define BPP_MAX   32

static bool bpp_ok(unsigned bpp)
{
    return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

/* Bytes of memory for a row of so many pixels. */
static uint64_t row_bytes(unsigned bpp, uint64_t width)
{
    return bpp == 4 ? width / 2 : width * ((bpp + 7) / 8);
}

static uint16_t rows_in_memory(const struct vga *v, unsigned width)
{
    uint64_t row = row_bytes(v->vbe[VBE_BPP], width);

    return (uint16_t)MIN(row ? v->vram.size / row : 0, 0xffff);
}

/* Whether the mode can be shown. */
static bool mode_ok(const struct vga *v)
{
    unsigned x = v->vbe[VBE_XRES], y = v->vbe[VBE_YRES];

    return bpp_ok(v->vbe[VBE_BPP]) && x >= 8 && x <= SURFACE_MAX && y && y <= SURFACE_MAX &&
           row_bytes(v->vbe[VBE_BPP], x) * y <= v->vram.size;
}

bool vga_vbe_valid(const struct vga *v)
{
    return !vga_vbe_on(v) || (mode_ok(v) && v->vbe[VBE_VIRT_WIDTH] >= v->vbe[VBE_XRES]);
}

/* Rows below the picture's start must be in memory. It may begin right of a row's end, and so lie
 * in the next one: Linux gives any place in memory as one of a row and a pixel. */
static void clip_offsets(struct vga *v)
{
    unsigned spare = v->vbe[VBE_VIRT_HEIGHT] - MIN(v->vbe[VBE_YRES], v->vbe[VBE_VIRT_HEIGHT]);

    v->vbe[VBE_Y_OFFSET] = (uint16_t)MIN(v->vbe[VBE_Y_OFFSET], spare);
}

static void set_virtual_width(struct vga *v, uint16_t width)
{
    if (width < v->vbe[VBE_XRES] || rows_in_memory(v, width) < v->vbe[VBE_YRES])
        return;
    v->vbe[VBE_VIRT_WIDTH] = width;
    v->vbe[VBE_VIRT_HEIGHT] = rows_in_memory(v, width);
    clip_offsets(v);
}

/* The DAC's width changes: colours stay what they are. */
static void convert_palette(struct vga *v, bool to8)
{
    for (unsigned i = 0; i < sizeof(v->palette); i++)
        v->palette[i] =
            to8 ? (uint8_t)(v->palette[i] << 2 | v->palette[i] >> 4) : v->palette[i] >> 2;
}

static void enter_mode(struct vga *v, uint16_t enable)
{
    uint64_t bytes;

    v->vbe[VBE_VIRT_WIDTH] = v->vbe[VBE_XRES];
    v->vbe[VBE_VIRT_HEIGHT] = rows_in_memory(v, v->vbe[VBE_XRES]);
    v->vbe[VBE_X_OFFSET] = v->vbe[VBE_Y_OFFSET] = 0;
    if (enable & VBE_NOCLEAR)
        return;
    /* the picture only: what a driver keeps behind it stays */
    bytes = row_bytes(v->vbe[VBE_BPP], v->vbe[VBE_XRES]) * v->vbe[VBE_YRES];
    shared_fill(v->vram.ram->host, 0, 1, bytes);
    ram_written(v->vram.ram->ram, v->vram.ram->base, bytes);
}

static void enable_write(struct vga *v, uint16_t value)
{
    uint16_t old = v->vbe[VBE_ENABLE];

    if (value & VBE_ENABLED && !(old & VBE_ENABLED)) {
        if (mode_ok(v)) {
            enter_mode(v, value);
        } else {
            log_guest_error("vga: no mode of %ux%u with %u bits a pixel\n", v->vbe[VBE_XRES],
                            v->vbe[VBE_YRES], v->vbe[VBE_BPP]);
            value &= (uint16_t)~VBE_ENABLED;
        }
    }
    if ((value ^ old) & VBE_8BIT_DAC)
        convert_palette(v, value & VBE_8BIT_DAC);
    if (!(value & VBE_ENABLED))
        v->vbe[VBE_BANK] = 0;
    v->vbe[VBE_ENABLE] = value & (VBE_ENABLED | VBE_GETCAPS | VBE_8BIT_DAC | VBE_LFB | VBE_NOCLEAR);
}

uint16_t vga_vbe_read(struct vga *v, unsigned reg)
{
    static const uint16_t caps[VBE_REGS] = {
        [VBE_XRES] = SURFACE_MAX, [VBE_YRES] = SURFACE_MAX, [VBE_BPP] = BPP_MAX
    };

    if (reg >= VBE_REGS)
        return 0;
    return v->vbe[VBE_ENABLE] & VBE_GETCAPS && caps[reg] ? caps[reg] : v->vbe[reg];
}

void vga_vbe_write(struct vga *v, unsigned reg, uint16_t value)
{
    bool on = vga_vbe_on(v);

    v->redraw = true;
    switch (reg) {
    case VBE_ID:
        if (value >= ID_OLDEST && value <= ID_NEWEST)
            v->vbe[VBE_ID] = value;
        break;
    case VBE_XRES:
    case VBE_YRES:
        if (!on)
            v->vbe[reg] = value;
        break;
    case VBE_BPP:
        if (!on)
            v->vbe[VBE_BPP] = value ? value : 8;
        break;
    case VBE_ENABLE: enable_write(v, value); break;
    case VBE_BANK:
        if (((uint64_t)value + 1) * VGA_PLANE_SIZE <= v->vram.size)
            v->vbe[VBE_BANK] = value;
        break;
    case VBE_VIRT_WIDTH:
        if (on)
            set_virtual_width(v, value);
        break;
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
        v->vbe[reg] = value;
        if (on)
            clip_offsets(v);
        break;
    default: break; /* read-only, or none */
    }
    vga_update_window(v);
}

void vga_vbe_reset(struct vga *v)
{
    memset(v->vbe, 0, sizeof(v->vbe));
    v->vbe_index = 0;
    v->vbe[VBE_ID] = ID_NEWEST;
    v->vbe[VBE_BPP] = 8;
    v->vbe[VBE_MEMORY_64K] = (uint16_t)(v->vram.size >> 16);
}

static uint64_t ports_read(void *opaque, uint64_t offset, unsigned size)
{
    struct vga *v = opaque;

    (void)size;
    return offset ? vga_vbe_read(v, v->vbe_index) : v->vbe_index;
}

static void ports_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct vga *v = opaque;

    (void)size;
    if (offset)
        vga_vbe_write(v, v->vbe_index, (uint16_t)value);
    else
        v->vbe_index = (uint16_t)value;
}

const struct io_ops vga_vbe_io = {
    .read = ports_read,
    .write = ports_write,
    .guest_sizes = { 1, 4 },
    .own_sizes = { 1, 2 },
    .unaligned = IO_UNALIGNED_PASS,
};
