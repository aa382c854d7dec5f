/* The GD5446's registers by port, and its state. */
#include "cirrus.h"

#include <string.h>
#include <base/error.h>

enum { UNLOCKED = 0x12, LOCKED = 0x0f, HIDDEN_AFTER = 4 };

/* ---- sequencer ---- */

static uint8_t seq_read(struct cirrus *c, unsigned index)
{
    unsigned i = index & 0x1f;
    uint8_t value = c->seq[i];

    switch (i) {
    case SR_CURSOR_X: return (uint8_t)(c->cursor_x >> 3);
    case SR_CURSOR_Y: return (uint8_t)(c->cursor_y >> 3);
    case SR_DDC:
        /* nobody else is on the wires: they are as we drive them */
        return (uint8_t)((value & 0x7b) | (value & 1) << 2 | (value & 2) << 6);
    default: return value;
    }
}

static void seq_write(struct cirrus *c, unsigned index, uint8_t value)
{
    unsigned i = index & 0x1f;

    switch (i) {
    case SR_UNLOCK: value = (value & 0x17) == UNLOCKED ? UNLOCKED : LOCKED; break;
    /* the index's upper bits are the position's lower ones */
    case SR_CURSOR_X: c->cursor_x = (uint16_t)(value << 3 | index >> 5); break;
    case SR_CURSOR_Y: c->cursor_y = (uint16_t)(value << 3 | index >> 5); break;
    case SR_CONFIG:
        value = (uint8_t)((value & ~SR_CONFIG_BUS) | (c->seq[i] & SR_CONFIG_BUS));
        break;
    default: break;
    }
    c->seq[i] = value;
    c->vga.redraw = true;
    vga_update_window(&c->vga);
}

/* ---- graphics controller ---- */

/* Bits there are of the registers behind the VGA's. */
static const uint8_t gc_mask[CIRRUS_GC_REGS] = {
    [0x09] = 0xff, [0x0a] = 0xff, [0x0b] = 0xff, [0x0c] = 0xff, [0x0d] = 0xff, [0x0e] = 0xff,
    [0x10] = 0xff, [0x11] = 0xff, [0x12] = 0xff, [0x13] = 0xff, [0x14] = 0xff, [0x15] = 0xff,
    [0x18] = 0xff, [0x19] = 0xff, [0x20] = 0xff, [0x21] = 0x1f, [0x22] = 0xff, [0x23] = 0x1f,
    [0x24] = 0xff, [0x25] = 0x1f, [0x26] = 0xff, [0x27] = 0x1f, [0x28] = 0xff, [0x29] = 0xff,
    [0x2a] = 0x3f, [0x2c] = 0xff, [0x2d] = 0xff, [0x2e] = 0x3f, [0x2f] = 0xff, [0x30] = 0xff,
    [0x32] = 0xff, [0x33] = 0xff, [0x34] = 0xff, [0x35] = 0xff, [0x38] = 0xff, [0x39] = 0xff,
};

uint8_t cirrus_gc_read(struct cirrus *c, unsigned i)
{
    if (i < VGA_GC_REGS)
        return c->vga.gc[i];
    return i < CIRRUS_GC_REGS ? c->gc[i] : 0xff;
}

/* The VGA's, of which three are wider here. */
static void vga_gc_write(struct cirrus *c, unsigned i, uint8_t value)
{
    static const uint8_t mask[VGA_GC_REGS] = {
        0xff, 0xff, 0x0f, 0x1f, 0x03, 0x7f, 0x0f, 0x0f, 0xff
    };

    if (i == 5 && !(c->gc[GR_MODE] & GR_MODE_EXTENDED))
        value &= 0x7b;
    c->vga.gc[i] = value & mask[i];
}

void cirrus_gc_write(struct cirrus *c, unsigned i, uint8_t value)
{
    uint8_t old;

    if (i >= CIRRUS_GC_REGS)
        return;
    if (i < VGA_GC_REGS) {
        vga_gc_write(c, i, value);
    } else if (i == GR_BLT_STATUS) {
        old = c->gc[i];
        c->gc[i] = (uint8_t)((value & 0xe6) | (old & 0x09));
        cirrus_blt_control(c, old, c->gc[i]);
    } else {
        c->gc[i] = value & gc_mask[i];
        if (i == GR_BLT_DEST_END && c->gc[GR_BLT_STATUS] & 0x80)
            cirrus_blt_control(c, 0, c->gc[GR_BLT_STATUS] | 2);
    }
    c->vga.redraw |= i < VGA_GC_REGS || i == GR_MODE;
    vga_update_window(&c->vga);
}

/* ---- CRTC ---- */

static uint8_t crtc_read(const struct cirrus *c)
{
    const struct vga *v = &c->vga;

    switch (v->crtc_index) {
    case 0x22: return v->latch[v->gc[4] & 3];
    case 0x24: return (uint8_t)(v->attr_flip << 7);
    case 0x25: return 0;
    case 0x26: return v->attr_index & 0x3f;
    case 0x27: return c->id;
    default: return v->crtc_index >= 0x19 && v->crtc_index <= 0x1d ? c->crtc[v->crtc_index] : 0xff;
    }
}

static void crtc_write(struct cirrus *c, uint8_t value)
{
    if (c->vga.crtc_index >= CIRRUS_CRTC_REGS)
        return;
    c->crtc[c->vga.crtc_index] = value;
    c->vga.redraw = true;
}

/* ---- DAC ---- */

static uint8_t hidden_read(struct cirrus *c)
{
    if (c->hidden_reads == HIDDEN_AFTER) {
        c->hidden_reads = 0;
        return c->hidden_dac;
    }
    c->hidden_reads++;
    return c->vga.dac_mask;
}

static bool hidden_write(struct cirrus *c, uint8_t value)
{
    bool ours = c->hidden_reads == HIDDEN_AFTER;

    c->hidden_reads = 0;
    if (ours) {
        c->hidden_dac = value;
        c->vga.redraw = true;
    }
    return ours;
}

/* SR12 bit 1: the palette's places 0 and 15 are the cursor's colours. */
static bool cursor_colors(const struct cirrus *c)
{
    return c->seq[SR_CURSOR] & SR_CURSOR_COLORS;
}

static uint8_t cursor_color_access(struct cirrus *c, uint8_t *index, const uint8_t *value)
{
    struct vga *v = &c->vga;
    uint8_t *p = &c->cursor_palette[3 * (*index & 15) + v->dac_step], old = *p;

    if (value)
        *p = *value & 0x3f;
    if (++v->dac_step == 3) {
        v->dac_step = 0;
        (*index)++;
    }
    return old;
}

/* ---- ports ---- */

static bool port_read(struct vga *v, uint16_t port, uint8_t *value)
{
    struct cirrus *c = cirrus_of(v);

    if (port == 0x3c6) {
        *value = hidden_read(c);
        return true;
    }
    switch (port) {
    case 0x3c5:
        if ((v->seq_index & 0x1f) <= 5)
            return false;
        *value = seq_read(c, v->seq_index);
        return true;
    case 0x3c9:
        if (!cursor_colors(c))
            return false;
        *value = cursor_color_access(c, &v->dac_read, NULL);
        return true;
    case 0x3cf: *value = cirrus_gc_read(c, v->gc_index); return true;
    case 0x3b5:
    case 0x3d5:
        if (v->crtc_index < VGA_CRTC_REGS)
            return false;
        *value = crtc_read(c);
        return true;
    default: return false;
    }
}

static bool port_write(struct vga *v, uint16_t port, uint8_t value)
{
    struct cirrus *c = cirrus_of(v);

    if (port == 0x3c6)
        return hidden_write(c, value);
    c->hidden_reads = 0;
    switch (port) {
    case 0x3c4: v->seq_index = value; return true;
    case 0x3c5:
        if (v->seq_index == 2 && c->gc[GR_MODE] & GR_MODE_EXTENDED) {
            v->seq[2] = value; /* a mask of eight pixels */
            return true;
        }
        if ((v->seq_index & 0x1f) <= 5)
            return false;
        seq_write(c, v->seq_index, value);
        return true;
    case 0x3c9:
        if (!cursor_colors(c))
            return false;
        cursor_color_access(c, &v->dac_write, &value);
        v->redraw = true;
        return true;
    case 0x3ce: v->gc_index = value & 0x3f; return true;
    case 0x3cf: cirrus_gc_write(c, v->gc_index, value); return true;
    case 0x3b5:
    case 0x3d5:
        if (v->crtc_index < VGA_CRTC_REGS)
            return false;
        crtc_write(c, value);
        return true;
    default: return false;
    }
}

const struct vga_hooks cirrus_hooks = {
    .window_io = &cirrus_window_io,
    .port_read = port_read,
    .port_write = port_write,
    .update_window = cirrus_update_window,
    .mode = cirrus_mode,
    .overlay = cirrus_overlay,
};

/* ---- life ---- */

static void add_banks(struct cirrus *c, struct mem *mem)
{
    struct vga *v = &c->vga;

    for (unsigned i = 0; i < CIRRUS_BANKS; i++) {
        mem_region_init_alias(&c->banks[i], mem, "cirrus-bank", &v->vram, 0, CIRRUS_BANK_SIZE);
        mem_region_set_enabled(&c->banks[i], false);
        mem_region_add_priority(&v->window, i * CIRRUS_BANK_SIZE, &c->banks[i], 2);
    }
}

static void add_linear(struct cirrus *c, struct mem *mem)
{
    uint64_t size = c->vga.vram.size;

    mem_region_init(&c->linear, mem, "cirrus-linear", 2 * CIRRUS_LINEAR_SIZE);
    mem_region_init_io(&c->linear_io, mem, &cirrus_linear_io, c, "cirrus-linear-io", size);
    mem_region_add(&c->linear, 0, &c->linear_io);
    mem_region_init_alias(&c->linear_ram, mem, "cirrus-linear-ram", &c->vga.vram, 0, size);
    mem_region_add_priority(&c->linear, 0, &c->linear_ram, 1);
    if (size <= CIRRUS_SWAP_SIZE) {
        mem_region_init_io(&c->swap_io, mem, &cirrus_swap_io, c, "cirrus-swap",
                           2 * CIRRUS_SWAP_SIZE);
        mem_region_add(&c->linear, CIRRUS_SWAP_SIZE, &c->swap_io);
    }
    mem_region_init_io(&c->feed_io, mem, &cirrus_feed_io, c, "cirrus-blt-source",
                       CIRRUS_LINEAR_SIZE);
    mem_region_add(&c->linear, CIRRUS_LINEAR_SIZE, &c->feed_io);
    mem_region_init_io(&c->mmio, mem, &cirrus_mmio_io, c, "cirrus-mmio", 0x1000);
}

bool cirrus_init(struct cirrus *c, struct device *dev, bool pci, GError **err)
{
    if (c->vga.vgamem_mb != 2 && c->vga.vgamem_mb != 4 && c->vga.vgamem_mb != 8 &&
        c->vga.vgamem_mb != 16)
        return error_set(err, "%s.vgamem_mb: %u is not 2, 4, 8 or 16", dev->type->name,
                         c->vga.vgamem_mb);
    c->vga.hooks = &cirrus_hooks;
    c->id = pci ? 0xb8 : 0xa0; /* GD5446; GD5430, which there is for ISA */
    if (!vga_init(&c->vga, dev, err))
        return false;
    add_banks(c, device_mem(dev));
    if (pci)
        add_linear(c, device_mem(dev));
    return true;
}

void cirrus_destroy(struct cirrus *c)
{
    mem_region_destroy(&c->mmio);
    mem_region_destroy(&c->feed_io);
    mem_region_destroy(&c->swap_io);
    mem_region_destroy(&c->linear_ram);
    mem_region_destroy(&c->linear_io);
    mem_region_destroy(&c->linear);
    for (unsigned i = 0; i < CIRRUS_BANKS; i++)
        mem_region_destroy(&c->banks[i]);
    vga_destroy(&c->vga);
}

void cirrus_reset(struct cirrus *c, bool pci)
{
    memset(c->seq, 0, sizeof(c->seq));
    memset(c->gc, 0, sizeof(c->gc));
    memset(c->crtc, 0, sizeof(c->crtc));
    memset(c->cursor_palette, 0, sizeof(c->cursor_palette));
    memset(c->latch, 0, sizeof(c->latch));
    memset(&c->blt, 0, sizeof(c->blt));
    c->cursor_x = c->cursor_y = 0;
    c->hidden_dac = c->hidden_reads = 0;
    c->seq[SR_UNLOCK] = LOCKED;
    /* 64 bits wide, 2 MiB, or 4 by a second bank; where the BIOS keeps the size; the bus */
    c->seq[SR_DRAM] = c->vga.vgamem_mb == 2 ? 0x18 : 0x98;
    c->seq[SR_MEMORY] = c->vga.vgamem_mb == 2 ? 3 : 4;
    c->seq[SR_CONFIG] = pci ? 0x20 : 0x38;
    c->seq[SR_MCLK] = pci ? 0x2d : 0x22;
    c->gc[0x18] = 0x0f;
    vga_reset(&c->vga);
}

static bool cirrus_loaded(void *obj, unsigned version, GError **err)
{
    struct cirrus *c = obj;

    (void)version;
    if (c->hidden_reads > HIDDEN_AFTER || !cirrus_blt_valid(&c->blt))
        return error_set(err, "saved state: cirrus: registers with impossible values");
    vga_update_window(&c->vga);
    return true;
}

static const struct state_field blt_fields[] = { STATE_U32(struct cirrus_blt, width),
                                                 STATE_U32(struct cirrus_blt, height),
                                                 STATE_U32(struct cirrus_blt, dst),
                                                 STATE_U32(struct cirrus_blt, src),
                                                 STATE_U32(struct cirrus_blt, dst_pitch),
                                                 STATE_U32(struct cirrus_blt, src_pitch),
                                                 STATE_U32(struct cirrus_blt, fg),
                                                 STATE_U32(struct cirrus_blt, bg),
                                                 STATE_U16(struct cirrus_blt, key),
                                                 STATE_U8(struct cirrus_blt, mode),
                                                 STATE_U8(struct cirrus_blt, extension),
                                                 STATE_U8(struct cirrus_blt, rop),
                                                 STATE_U8(struct cirrus_blt, skip),
                                                 STATE_BOOL(struct cirrus_blt, waits),
                                                 STATE_U32(struct cirrus_blt, row),
                                                 STATE_U32(struct cirrus_blt, filled),
                                                 STATE_U32(struct cirrus_blt, row_bytes),
                                                 STATE_BUF(struct cirrus_blt, data),
                                                 STATE_END };
static const struct state_table blt_state = { .name = "cirrus-blt",
                                              .version = 1,
                                              .fields = blt_fields };

static const struct state_field cirrus_fields[] = { STATE_STRUCT(struct cirrus, vga, vga_state),
                                                    STATE_BUF(struct cirrus, seq),
                                                    STATE_BUF(struct cirrus, gc),
                                                    STATE_BUF(struct cirrus, crtc),
                                                    STATE_U16(struct cirrus, cursor_x),
                                                    STATE_U16(struct cirrus, cursor_y),
                                                    STATE_U8(struct cirrus, hidden_dac),
                                                    STATE_U8(struct cirrus, hidden_reads),
                                                    STATE_BUF(struct cirrus, cursor_palette),
                                                    STATE_BUF(struct cirrus, latch),
                                                    STATE_STRUCT(struct cirrus, blt, blt_state),
                                                    STATE_END };
const struct state_table cirrus_state = {
    .name = "cirrus", .version = 1, .fields = cirrus_fields, .post_load = cirrus_loaded
};
