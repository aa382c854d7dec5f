/* The VGA's registers by port: miscellaneous, sequencer, CRTC, graphics, attributes, DAC. */
#include "vga.h"

#include <string.h>
#include <base/bits.h>
#include <base/error.h>

/* Bits that there are; the rest reads as 0. IBM, Video Subsystem; FreeVGA. */
static const uint8_t seq_mask[VGA_SEQ_REGS] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t gc_mask[VGA_GC_REGS] = {
    0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff
};
static const uint8_t attr_mask[VGA_ATTR_REGS] = { 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
                                                  0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
                                                  0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f };

enum { ATTR_PAS = 0x20, CRTC_OVERFLOW = 7, CRTC_PROTECT = 0x11, ISR0_SENSE = 0x10 };
enum { DAC_WRITING = 0, DAC_READING = 3 };

/* The CRTC and input status 1 have two places, the miscellaneous register's bit 0 chooses. */
static bool decodes(const struct vga *v, uint16_t port)
{
    bool color = v->misc & 1;

    switch (port & 0xfff0) {
    case 0x3b0: return !color;
    case 0x3d0: return color;
    default: return true;
    }
}

/* ---- the CRTC ---- */

static void crtc_write(struct vga *v, uint8_t value)
{
    unsigned i = v->crtc_index;

    if (i >= VGA_CRTC_REGS)
        return;
    if (i <= CRTC_OVERFLOW && v->crtc[CRTC_PROTECT] & 0x80) {
        /* of the protected ones, line compare's bit 8 can be written */
        if (i != CRTC_OVERFLOW)
            return;
        value = (uint8_t)((v->crtc[i] & ~0x10) | (value & 0x10));
    }
    v->crtc[i] = value;
    v->redraw = true;
}

/* ---- the DAC ---- */

static uint8_t dac_bits(const struct vga *v)
{
    return v->vbe[VBE_ENABLE] & VBE_8BIT_DAC ? 0xff : 0x3f;
}

static uint8_t dac_data_read(struct vga *v)
{
    uint8_t value = v->palette[3 * v->dac_read + v->dac_step];

    if (++v->dac_step == 3) {
        v->dac_step = 0;
        v->dac_read++;
    }
    return value;
}

static void dac_data_write(struct vga *v, uint8_t value)
{
    v->palette[3 * v->dac_write + v->dac_step] = value & dac_bits(v);
    if (++v->dac_step == 3) {
        v->dac_step = 0;
        v->dac_write++;
    }
    v->redraw = true;
}

/* ---- attributes: one port for index and data ---- */

static void attr_write(struct vga *v, uint8_t value)
{
    unsigned i = v->attr_index & 0x1f;

    if (!v->attr_flip)
        v->attr_index = value & 0x3f;
    else if (i < 16 && v->attr_index & ATTR_PAS)
        ; /* the palette belongs to the display */
    else if (i < VGA_ATTR_REGS)
        v->attr[i] = value & attr_mask[i];
    v->attr_flip = !v->attr_flip;
    v->redraw = true;
}

/* ---- ports ---- */

uint8_t vga_port_read(struct vga *v, uint16_t port)
{
    unsigned i = v->attr_index & 0x1f;
    uint8_t value;

    if (!decodes(v, port))
        return 0xff;
    if (v->hooks && v->hooks->port_read(v, port, &value))
        return value;
    switch (port) {
    case 0x3c0: return v->attr_index;
    case 0x3c1: return i < VGA_ATTR_REGS ? v->attr[i] : 0;
    case 0x3c2: return ISR0_SENSE;
    case 0x3c4: return v->seq_index;
    case 0x3c5: return v->seq_index < VGA_SEQ_REGS ? v->seq[v->seq_index] : 0;
    case 0x3c6: return v->dac_mask;
    case 0x3c7: return v->dac_state;
    case 0x3c8: return v->dac_write;
    case 0x3c9: return dac_data_read(v);
    case 0x3ca: return v->feature;
    case 0x3cc: return v->misc;
    case 0x3ce: return v->gc_index;
    case 0x3cf: return v->gc_index < VGA_GC_REGS ? v->gc[v->gc_index] : 0;
    case 0x3b4:
    case 0x3d4: return v->crtc_index;
    case 0x3b5:
    case 0x3d5: return v->crtc_index < VGA_CRTC_REGS ? v->crtc[v->crtc_index] : 0;
    case 0x3ba:
    case 0x3da: v->attr_flip = false; return vga_status(v);
    default: return 0xff;
    }
}

static void indexed_write(struct vga *v, uint8_t *regs, const uint8_t *mask, unsigned n, unsigned i,
                          uint8_t value)
{
    if (i >= n)
        return;
    regs[i] = value & mask[i];
    v->redraw = true;
    vga_update_window(v);
}

void vga_port_write(struct vga *v, uint16_t port, uint8_t value)
{
    if (!decodes(v, port) || (v->hooks && v->hooks->port_write(v, port, value)))
        return;
    switch (port) {
    case 0x3c0: attr_write(v, value); break;
    case 0x3c2:
        v->misc = value & 0xef;
        v->redraw = true;
        vga_update_window(v);
        break;
    case 0x3c4: v->seq_index = value & 7; break;
    case 0x3c5: indexed_write(v, v->seq, seq_mask, VGA_SEQ_REGS, v->seq_index, value); break;
    case 0x3c6:
        v->dac_mask = value;
        v->redraw = true;
        break;
    case 0x3c7:
        v->dac_read = value;
        v->dac_step = 0;
        v->dac_state = DAC_READING;
        break;
    case 0x3c8:
        v->dac_write = value;
        v->dac_step = 0;
        v->dac_state = DAC_WRITING;
        break;
    case 0x3c9: dac_data_write(v, value); break;
    case 0x3ce: v->gc_index = value & 0x0f; break;
    case 0x3cf: indexed_write(v, v->gc, gc_mask, VGA_GC_REGS, v->gc_index, value); break;
    case 0x3b4:
    case 0x3d4: v->crtc_index = value & 0x3f; break;
    case 0x3b5:
    case 0x3d5: crtc_write(v, value); break;
    case 0x3ba:
    case 0x3da: v->feature = value & 0x0b; break;
    default: break;
    }
}

/* Ranges of ports, the last of DISPI; between them are the printer's. */
static const struct {
    uint16_t first, n;
} port_ranges[VGA_PORT_REGIONS] = {
    { 0x3b4, 2 }, { 0x3ba, 1 }, { 0x3c0, 16 }, { 0x3d4, 2 }, { 0x3da, 1 }, { 0x1ce, 4 },
};

#define PORT_OPS(first)                                                                     \
    static uint64_t read_##first(void *opaque, uint64_t offset, unsigned size)              \
    {                                                                                       \
        (void)size;                                                                         \
        return vga_port_read(opaque, (uint16_t)(0x##first + offset));                       \
    }                                                                                       \
    static void write_##first(void *opaque, uint64_t offset, uint64_t value, unsigned size) \
    {                                                                                       \
        (void)size;                                                                         \
        vga_port_write(opaque, (uint16_t)(0x##first + offset), (uint8_t)value);             \
    }                                                                                       \
    static const struct io_ops ops_##first = {                                              \
        .read = read_##first,                                                               \
        .write = write_##first,                                                             \
        .guest_sizes = { 1, 4 },                                                            \
        .own_sizes = { 1, 1 },                                                              \
        .unaligned = IO_UNALIGNED_SPLIT,                                                    \
    };
PORT_OPS(3b4)
PORT_OPS(3ba)
PORT_OPS(3c0)
PORT_OPS(3d4)
PORT_OPS(3da)

static const struct io_ops *const port_ops[VGA_PORT_REGIONS] = {
    &ops_3b4, &ops_3ba, &ops_3c0, &ops_3d4, &ops_3da, &vga_vbe_io,
};

/* ---- life ---- */

bool vga_init(struct vga *v, struct device *dev, GError **err)
{
    struct mem *mem = device_mem(dev);
    uint64_t size = (uint64_t)v->vgamem_mb << 20;

    v->dev = dev;
    if (!is_pow2(v->vgamem_mb))
        return error_set(err, "%s.vgamem_mb: %u is not a power of two from 1 to 256",
                         dev->type->name, v->vgamem_mb);
    if (!mem_region_init_ram(&v->vram, mem, "vga.vram", size, err))
        return false;
    mem_region_init(&v->window, mem, "vga-lowmem", VGA_WINDOW_SIZE);
    mem_region_init_io(&v->window_io, mem, v->hooks ? v->hooks->window_io : &vga_window_io, v,
                       "vga-planes", VGA_WINDOW_SIZE);
    if (!v->hooks)
        mem_region_set_late(&v->window_io, 0, VGA_WINDOW_SIZE);
    mem_region_add(&v->window, 0, &v->window_io);
    mem_region_init_alias(&v->bank, mem, "vga-bank", &v->vram, 0, VGA_PLANE_SIZE);
    mem_region_set_enabled(&v->bank, false);
    mem_region_add_priority(&v->window, 0, &v->bank, 1);
    for (unsigned i = 0; i < VGA_PORT_REGIONS; i++)
        mem_region_init_io(&v->ports[i], mem, port_ops[i], v, i == VGA_PORTS_VBE ? "vbe" : "vga",
                           port_ranges[i].n);
    v->dirty_pages = g_new0(bool, size >> RAM_PAGE_BITS);
    v->con = console_add(dev->machine->consoles, &vga_console_ops, v, dev->path, 0);
    return true;
}

void vga_place(struct vga *v, struct mem_region *io, struct mem_region *mem)
{
    for (unsigned i = 0; i < VGA_PORT_REGIONS; i++)
        if (i != VGA_PORTS_VBE || !v->hooks)
            mem_region_add(io, port_ranges[i].first, &v->ports[i]);
    mem_region_add_priority(mem, VGA_WINDOW, &v->window, 1);
}

void vga_destroy(struct vga *v)
{
    console_remove(v->con);
    for (unsigned i = 0; i < VGA_PORT_REGIONS; i++)
        mem_region_destroy(&v->ports[i]);
    mem_region_destroy(&v->bank);
    mem_region_destroy(&v->window_io);
    mem_region_destroy(&v->window);
    mem_region_destroy(&v->vram);
    g_free(v->dirty_pages);
    g_free(v->line);
}

void vga_reset(struct vga *v)
{
    v->misc = v->feature = 0;
    v->seq_index = v->crtc_index = v->gc_index = v->attr_index = 0;
    v->attr_flip = false;
    memset(v->seq, 0, sizeof(v->seq));
    memset(v->crtc, 0, sizeof(v->crtc));
    memset(v->gc, 0, sizeof(v->gc));
    memset(v->attr, 0, sizeof(v->attr));
    memset(v->latch, 0, sizeof(v->latch));
    memset(v->palette, 0, sizeof(v->palette));
    v->dac_mask = 0xff;
    v->dac_read = v->dac_write = v->dac_step = v->dac_state = 0;
    ram_block_clear(v->vram.ram);
    vga_vbe_reset(v);
    v->redraw = true;
    vga_update_window(v);
}

static bool vga_loaded(void *obj, unsigned version, GError **err)
{
    struct vga *v = obj;

    (void)version;
    if (v->dac_step > 2 || !vga_vbe_valid(v))
        return error_set(err, "saved state: %s: registers with impossible values", v->dev->path);
    v->redraw = true;
    vga_update_window(v);
    return true;
}

static const struct state_field vga_fields[] = { STATE_U8(struct vga, misc),
                                                 STATE_U8(struct vga, feature),
                                                 STATE_U8(struct vga, seq_index),
                                                 STATE_U8(struct vga, crtc_index),
                                                 STATE_U8(struct vga, gc_index),
                                                 STATE_U8(struct vga, attr_index),
                                                 STATE_BOOL(struct vga, attr_flip),
                                                 STATE_BUF(struct vga, seq),
                                                 STATE_BUF(struct vga, crtc),
                                                 STATE_BUF(struct vga, gc),
                                                 STATE_BUF(struct vga, attr),
                                                 STATE_BUF(struct vga, latch),
                                                 STATE_U8(struct vga, dac_mask),
                                                 STATE_U8(struct vga, dac_read),
                                                 STATE_U8(struct vga, dac_write),
                                                 STATE_U8(struct vga, dac_step),
                                                 STATE_U8(struct vga, dac_state),
                                                 STATE_BUF(struct vga, palette),
                                                 STATE_U16(struct vga, vbe_index),
                                                 STATE_ARRAY(struct vga, vbe),
                                                 STATE_END };
const struct state_table vga_state = {
    .name = "vga", .version = 1, .fields = vga_fields, .post_load = vga_loaded
};
