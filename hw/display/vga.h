/*
 * The VGA, shared by its files and by the devices that have one: registers, planes, drawing, and
 * Bochs' VBE extension (DISPI).
 *
 * Display memory is a RAM block. Byte o of plane p is at 4 * o + p, so that a character clock's
 * four bytes are one word, and "chain 4" addresses are addresses of the block.
 *
 * Sources: IBM PS/2 Hardware Interface Technical Reference (Video Subsystem), FreeVGA's register
 * pages; docs of Bochs' VBE display interface for DISPI.
 */
#ifndef HW_DISPLAY_VGA_H
#define HW_DISPLAY_VGA_H

#include <base/shared.h>
#include <hw/core/machine.h>
#include <ui/console.h>

#define VGA_WINDOW      0xa0000u
#define VGA_WINDOW_SIZE 0x20000u
#define VGA_PLANE_SIZE  0x10000u

enum {
    VGA_PORT_REGIONS = 6,
    VGA_PORTS_VBE = 5, /* of these, DISPI's */
    VGA_SEQ_REGS = 5,
    VGA_CRTC_REGS = 25,
    VGA_GC_REGS = 9,
    VGA_ATTR_REGS = 21,
};

enum vbe_reg {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRT_WIDTH,
    VBE_VIRT_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_MEMORY_64K,
    VBE_REGS,
};
enum {
    VBE_ENABLED = 0x01,
    VBE_GETCAPS = 0x02,
    VBE_8BIT_DAC = 0x20,
    VBE_LFB = 0x40,
    VBE_NOCLEAR = 0x80,
};

/* A picture of pixels one behind the other. */
struct vga_linear {
    unsigned bpp;           /* 4 (planes), 8, 15, 16, 24 or 32 */
    unsigned width, height; /* as shown */
    unsigned repeat;        /* times that a row is shown */
    uint64_t at, stride;    /* bytes of display memory: first row, and from row to row */
};

struct vga;

/* What a card with more registers than the VGA does before the VGA. The function for a port is true
 * when the access was not for the VGA. */
struct vga_hooks {
    const struct io_ops *window_io;
    bool (*port_read)(struct vga *v, uint16_t port, uint8_t *value);
    bool (*port_write)(struct vga *v, uint16_t port, uint8_t value);
    /* Decides what the window shows after a register changed; false: it is the VGA's window. */
    bool (*update_window)(struct vga *v);
    /* Whether the picture is one of the card's own modes, and which. Before each drawing. */
    bool (*mode)(struct vga *v, struct vga_linear *mode);
    /* Draws what lies above row y of such a picture, in `row`. */
    void (*overlay)(const struct vga *v, unsigned y, uint32_t *row, unsigned width);
};

struct vga {
    struct device *dev;
    const struct vga_hooks *hooks; /* NULL for the VGA with DISPI */
    uint32_t vgamem_mb;            /* property */
    bool linear_only; /* shows linear modes of DISPI, else nothing; set before vga_init() */

    struct mem_region vram;                    /* the display memory, all of it */
    struct mem_region window, window_io, bank; /* 0xa0000: registers decide which of the two */
    struct mem_region ports[VGA_PORT_REGIONS];

    /* registers; device lock */
    uint8_t misc, feature, seq_index, crtc_index, gc_index, attr_index;
    bool attr_flip; /* the next write to 0x3c0 is data */
    uint8_t seq[VGA_SEQ_REGS], crtc[VGA_CRTC_REGS], gc[VGA_GC_REGS], attr[VGA_ATTR_REGS];
    uint8_t latch[4];
    uint32_t plane_base; /* added to addresses in planes, for banks; derived */
    uint8_t dac_mask, dac_read, dac_write, dac_step, dac_state;
    uint8_t palette[3 * 256]; /* 6 bits, or 8 with VBE_8BIT_DAC */
    uint16_t vbe_index, vbe[VBE_REGS];

    /* drawing */
    struct console *con;
    bool redraw;         /* registers changed: memory's dirty pages do not tell all */
    uint8_t phase;       /* blink phases last drawn */
    uint32_t *line;      /* one row as it is drawn */
    unsigned line_space; /* pixels in it */
    bool *dirty_pages;
};

#define VGA_PROPS(type, field)                                                                \
    PROP_U32(type, field.vgamem_mb, "vgamem_mb", 16, "display memory in MiB, a power of two", \
             .min = 1, .max = 256)
extern const struct state_table vga_state;

/* Makes regions and console; `hooks` are set. On failure nothing is left behind. */
bool vga_init(struct vga *v, struct device *dev, GError **err) __attribute__((warn_unused_result));
void vga_destroy(struct vga *v);
void vga_reset(struct vga *v);
/* Cards on the ISA bus have their BIOS, an image of bios/, where it runs. */
bool vga_isa_place_bios(struct device *dev, const char *name, GError **err)
    __attribute__((warn_unused_result));
/* Shows ports and window on a bus that has both. */
void vga_place(struct vga *v, struct mem_region *io, struct mem_region *mem);

/* Registers by port, 0x3b0 to 0x3df. */
uint8_t vga_port_read(struct vga *v, uint16_t port);
void vga_port_write(struct vga *v, uint16_t port, uint8_t value);

/* ---- between the files ---- */

/* vga-mem.c: the window byte by byte, and which part of memory it shows after a register changed.
 */
extern const struct io_ops vga_window_io;
uint8_t vga_window_read(struct vga *v, uint64_t offset);
void vga_window_write(struct vga *v, uint64_t offset, uint8_t value);
void vga_update_window(struct vga *v);
/* Whether graphics register 6 shows memory at this offset of the window, and from where on. */
bool vga_window_decodes(const struct vga *v, uint64_t offset, uint32_t *a);

/* vga-vbe.c */
extern const struct io_ops vga_vbe_io; /* ports 0x1ce to 0x1d1 */
uint16_t vga_vbe_read(struct vga *v, unsigned reg);
void vga_vbe_write(struct vga *v, unsigned reg, uint16_t value);
void vga_vbe_reset(struct vga *v);
/* Judges loaded registers. */
bool vga_vbe_valid(const struct vga *v);
static inline bool vga_vbe_on(const struct vga *v)
{
    return v->vbe[VBE_ENABLE] & VBE_ENABLED;
}
/* Four bits a pixel are drawn and written as planes, more are linear. */
static inline bool vga_vbe_linear(const struct vga *v)
{
    return vga_vbe_on(v) && v->vbe[VBE_BPP] > 4;
}

/* vga-draw.c: struct console_ops, and the picture's place in time. */
extern const struct console_ops vga_console_ops;
/* vga-text.c and vga-draw.c: what one row of the picture is made of. */
struct vga_scan {
    uint32_t colors[256];
    unsigned cols;      /* character clocks shown */
    unsigned dots;      /* of a character clock */
    unsigned start;     /* address counter at the left edge */
    unsigned row_scan;  /* row of the character */
    unsigned pan;       /* dots */
    bool cursor, blink; /* the phases in which these are shown */
    unsigned cursor_at; /* address counter */
};
/* Byte address in each plane for an address counter. */
unsigned vga_plane_address(const struct vga *v, unsigned counter, unsigned row_scan);
/* The bytes of the four planes there, as they were at one moment. */
static inline void vga_load_cell(const struct vga *v, unsigned at, uint8_t cell[4])
{
    uint32_t all = (uint32_t)shared_load(v->vram.ram->host + 4 * (size_t)at, 4);

    memcpy(cell, &all, 4);
}
/* Draws cols + 1 characters, to allow for panning. */
void vga_text_row(const struct vga *v, const struct vga_scan *s, uint32_t *out);

/* vga-time.c */
int64_t vga_frame_ns(const struct vga *v);
uint8_t vga_status(const struct vga *v); /* input status 1 */
/* Lines and character clocks shown, as CRTC registers say. */
unsigned vga_lines(const struct vga *v);
unsigned vga_columns(const struct vga *v);
unsigned vga_char_dots(const struct vga *v);

#endif
