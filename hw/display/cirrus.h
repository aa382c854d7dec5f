/*
 * The Cirrus Logic GD5446, on top of the VGA: what its files share.
 *
 * Registers are those of the GD5446's manual; extensions answer whether SR6 unlocks them or not,
 * since kernels that start without a VGA BIOS never do. Byte-swapping apertures are there where
 * display memory is small enough (4 MiB) to leave the addresses to them.
 *
 * Source: CL-GD5446 Technical Reference Manual (registers, chapter "BitBLT engine").
 */
#ifndef HW_DISPLAY_CIRRUS_H
#define HW_DISPLAY_CIRRUS_H

#include "vga.h"

#define CIRRUS_BANKS       2
#define CIRRUS_BANK_SIZE   0x8000u
/* Of BAR 0: four apertures on display memory, then the one that feeds blits. */
#define CIRRUS_LINEAR_SIZE 0x1000000u
#define CIRRUS_SWAP_SIZE   0x400000u

enum {
    CIRRUS_SEQ_REGS = 0x20,
    CIRRUS_GC_REGS = 0x40,
    CIRRUS_CRTC_REGS = 0x20,
    CIRRUS_ROW_MAX = 8192, /* bytes: 13 bits of width */
    CIRRUS_ROWS_MAX = 2048,
};

enum cirrus_seq {
    SR_UNLOCK = 0x06,
    SR_MODE = 0x07,
    SR_DDC = 0x08,
    SR_DRAM = 0x0f,
    SR_CURSOR_X = 0x10,
    SR_CURSOR_Y = 0x11,
    SR_CURSOR = 0x12,
    SR_CURSOR_PATTERN = 0x13,
    SR_MEMORY = 0x15,
    SR_CONFIG = 0x17,
    SR_MCLK = 0x1f,
};
enum { SR_MODE_PACKED = 0x01 };
enum { SR_CURSOR_ON = 0x01, SR_CURSOR_COLORS = 0x02, SR_CURSOR_LARGE = 0x04 };
enum { SR_CONFIG_MMIO = 0x04, SR_CONFIG_BUS = 0x38, SR_CONFIG_MMIO_LINEAR = 0x40 };

enum cirrus_gc {
    GR_OFFSET0 = 0x09,
    GR_OFFSET1 = 0x0a,
    GR_MODE = 0x0b,
    GR_BLT_STATUS = 0x31,
    GR_BLT_DEST_END = 0x2a, /* starts by itself */
};
enum {
    GR_MODE_TWO_BANKS = 0x01,
    GR_MODE_BY8 = 0x02,
    GR_MODE_EXTENDED = 0x04, /* write modes 4 and 5, wider registers */
    GR_MODE_LATCHES = 0x08,  /* eight of them */
    GR_MODE_16BIT = 0x10,
    GR_MODE_16K = 0x20, /* unit of offsets */
};

/* A blit at work. */
struct cirrus_blt {
    uint32_t width, height; /* bytes, rows; 0 rows: idle */
    uint32_t dst, src;      /* of the present row */
    uint32_t dst_pitch, src_pitch;
    uint32_t fg, bg;
    uint16_t key;
    uint8_t mode, extension, rop, skip;
    bool waits;                      /* for the CPU to bring the source */
    uint32_t row, filled, row_bytes; /* rows done; of the next row from the CPU */
    uint8_t data[CIRRUS_ROW_MAX + 4];
};

struct cirrus {
    struct vga vga; /* first member */
    bool blitter;   /* property */
    uint8_t id;     /* CR27 */

    struct mem_region linear, linear_io, linear_ram, swap_io, feed_io, mmio;
    struct mem_region banks[CIRRUS_BANKS];

    /* registers; device lock */
    uint8_t seq[CIRRUS_SEQ_REGS], gc[CIRRUS_GC_REGS], crtc[CIRRUS_CRTC_REGS];
    uint16_t cursor_x, cursor_y;
    uint8_t hidden_dac, hidden_reads; /* reads of the mask that lead to it */
    uint8_t cursor_palette[3 * 16];   /* entries 0 and 15 count */
    uint8_t latch[16];
    struct cirrus_blt blt;
};

extern const struct state_table cirrus_state;
extern const struct vga_hooks cirrus_hooks;

/* `c->vga.hooks` and memory's size are set. On failure nothing is left behind. */
bool cirrus_init(struct cirrus *c, struct device *dev, bool pci, GError **err)
    __attribute__((warn_unused_result));
void cirrus_destroy(struct cirrus *c);
void cirrus_reset(struct cirrus *c, bool pci);

/* ---- between the files ---- */

static inline struct cirrus *cirrus_of(struct vga *v)
{
    return (struct cirrus *)v;
}
static inline bool cirrus_packed(const struct cirrus *c)
{
    return c->seq[SR_MODE] & SR_MODE_PACKED;
}
/* Graphics registers, those of the VGA among them. */
uint8_t cirrus_gc_read(struct cirrus *c, unsigned i);
void cirrus_gc_write(struct cirrus *c, unsigned i, uint8_t value);

/* cirrus-mem.c */
extern const struct io_ops cirrus_window_io, cirrus_linear_io, cirrus_swap_io, cirrus_feed_io,
    cirrus_mmio_io;
bool cirrus_update_window(struct vga *v);

/* cirrus-blt.c: as the status register was written; bytes from the CPU; judging loaded state. */
void cirrus_blt_control(struct cirrus *c, uint8_t old, uint8_t value);
void cirrus_blt_feed(struct cirrus *c, uint64_t value, unsigned size);
bool cirrus_blt_valid(const struct cirrus_blt *b);

/* cirrus-draw.c */
bool cirrus_mode(struct vga *v, struct vga_linear *m);
void cirrus_overlay(const struct vga *v, unsigned y, uint32_t *row, unsigned width);

#endif
