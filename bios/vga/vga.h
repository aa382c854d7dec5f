/*
 * What the parts of the VGA BIOS share.
 *
 * Constants are in the ROM's segment and so are marked `rom`: the compiler reads them through GS.
 * There are no variables: what is to be remembered is in the BIOS data area and in the registers of
 * the chip. Automatic variables are on the caller's stack, of which we take little.
 *
 * Sources: IBM VGA (PS/2 Hardware Interface Technical Reference), Ralf Brown's Interrupt List,
 * VESA BIOS Extension 3.0.
 */
#ifndef BIOS_VGA_VGA_H
#define BIOS_VGA_VGA_H

#include "low.h"

#define rom __seg_gs

/* Registers behind an index: the data's port is the next. */
void indexed_write(uint16_t port, uint8_t index, uint8_t v);
uint8_t indexed_read(uint16_t port, uint8_t index);

enum {
    PORT_ATTR = 0x3c0,
    PORT_ATTR_READ = 0x3c1,
    PORT_MISC = 0x3c2,
    PORT_SEQ = 0x3c4,
    PORT_PEL_MASK = 0x3c6,
    PORT_DAC_READ = 0x3c7,
    PORT_DAC_WRITE = 0x3c8,
    PORT_DAC = 0x3c9,
    PORT_MISC_READ = 0x3cc,
    PORT_GC = 0x3ce,
};

/* More of the BIOS data area. */
enum {
    BDA_PAGE_START = 0x4e,
    BDA_PAGE = 0x62,
    BDA_MODE_SELECT = 0x65,
    BDA_CGA_PALETTE = 0x66,
    BDA_VIDEO_CONTROL = 0x87,
    BDA_SWITCHES = 0x88,
    BDA_VGA_FLAGS = 0x89,
    BDA_DCC = 0x8a,
    BDA_SAVE_TABLE = 0xa8,
};
enum { CONTROL_NO_EMULATION = 0x01, CONTROL_256K = 0x60, CONTROL_NOT_CLEARED = 0x80 };
enum {
    VGA_ACTIVE = 0x01,
    VGA_GREY = 0x02,
    VGA_MONO = 0x04,
    VGA_KEEP_PALETTE = 0x08,
    VGA_400_LINES = 0x10,
    VGA_200_LINES = 0x80,
};

#define MODE_OTHER 0x6f /* in the BIOS data area: a mode of VBE */

/* ---- modes ---- */

enum kind { KIND_TEXT, KIND_CGA, KIND_PLANES, KIND_BYTES };
enum palette { PALETTE_MONO, PALETTE_CGA, PALETTE_EGA, PALETTE_256 };

struct mode {
    uint8_t number;
    uint8_t kind;
    uint8_t palette;
    uint8_t row; /* of the table of parameters */
    uint16_t segment;
};

/* A row of the table that the BIOS data area leads to; the layout is IBM's. */
struct params {
    uint8_t columns, rows, height; /* rows less one */
    uint16_t page_size;
    uint8_t seq[4], misc, crtc[25], attr[20], gc[9];
} __attribute__((packed));

extern rom const struct params params[];
/* The mode that is set, NULL for modes of VBE; any of IBM's, NULL if there is none. */
const rom struct mode *mode_now(void);
const rom struct mode *mode_find(uint8_t number);
const rom struct params *mode_params(const rom struct mode *m);
/* Registers and colours, and nothing else. */
void mode_load(const rom struct params *p, enum palette palette);
void mode_set(uint8_t number);

extern rom const uint8_t font8[256][8], font14[256][14], font16[256][16];

/* ---- registers ---- */

static inline uint16_t crtc_port(void)
{
    return bda_read16(BDA_CRTC);
}

/* The attribute controller: with its palette the processor's, then the display's again. */
void attr_write(uint8_t index, uint8_t v);
uint8_t attr_read(uint8_t index);
void attr_show(void);
void dac_write(uint8_t index, uint8_t r, uint8_t g, uint8_t b);
uint8_t grey_of(uint8_t r, uint8_t g, uint8_t b);

static inline void far_fill(uint16_t seg, uint16_t off, uint16_t v, uint32_t words)
{
    uint32_t di = off;

    __asm__ volatile("pushw %%es\n\tmovw %w2, %%es\n\trep stosw\n\tpopw %%es"
                     : "+D"(di), "+c"(words)
                     : "r"(seg), "a"(v)
                     : "memory");
}

static inline uint16_t rom_segment(void)
{
    uint16_t v;

    __asm__("movw %%cs, %0" : "=r"(v));
    return v;
}

/* A far pointer to a constant. */
#define ROM_POINTER(p) ((uint32_t)rom_segment() << 16 | (uint16_t)(uintptr_t)(p))

static inline void set_vector(uint8_t vector, uint32_t target)
{
    far_write32(0, vector * 4, target);
}

/* ---- characters ---- */

struct cell {
    uint8_t row, column;
};

/* Text pages and cursors. */
uint16_t page_offset(uint8_t page);
void cursor_move(uint8_t page, uint8_t row, uint8_t column);
void cursor_shape(uint8_t start, uint8_t end);
void page_select(uint8_t page);
void teletype(uint8_t page, uint8_t c, uint8_t color);
/* rows 0: clears. */
void scroll(uint8_t lines, uint8_t fill, struct cell from, struct cell to, bool down);

/* Modes of dots. */
void dots_show(const rom struct mode *m, uint8_t page, struct cell at, uint8_t c, uint8_t color);
uint8_t dots_read(const rom struct mode *m, uint8_t page, struct cell at);
void dots_scroll(const rom struct mode *m, uint8_t lines, uint8_t fill, struct cell from,
                 struct cell to, bool down);
void pixel_write(struct regs *r);
void pixel_read(struct regs *r);
/* Graphics registers as they are between services. */
void planes_rest(void);

/* ---- services, by AH ---- */

void int10_text(struct regs *r);    /* 01h to 0Ah, 0Eh, 13h */
void int10_palette(struct regs *r); /* 0Bh, 10h */
void int10_font(struct regs *r);    /* 11h */
void int10_select(struct regs *r);  /* 12h */
void int10_display(struct regs *r); /* 1Ah, 1Bh */
void int10_state(struct regs *r);   /* 1Ch */
void int10_vbe(struct regs *r);     /* 4Fh */

/* Loads a font into a block of plane 2: `count` characters of `height` bytes. */
void font_load(uint8_t block, uint16_t seg, uint16_t off, uint16_t first, uint16_t count,
               uint8_t height);

/* State as INT 10h/1Ch and VBE's 4F04h save it; bits of `what` as there. */
uint16_t state_size(uint16_t what);
uint16_t state_save(uint16_t what, uint16_t seg, uint16_t off);
uint16_t state_restore(uint16_t what, uint16_t seg, uint16_t off);

/* The first address of the first display on PCI of that vendor; 0 if there is none. */
uint32_t display_address(uint16_t vendor);

/* ---- what differs between chips: dispi.c or cirrus.c, and what protected mode calls of it ---- */

extern rom const char chip_product[];

struct shape {
    uint16_t width, height;
    uint8_t bits;
};

enum { SHOW_LINEAR = 1, SHOW_KEEP = 2 };

/* Memory in units of 64 KiB; 0: the chip knows no more than a VGA. */
uint16_t chip_memory(void);
/* Whether the chip has such a mode, if there is memory for it. */
bool chip_can(const struct shape *s);
void chip_leave(void);
bool chip_show(const struct shape *s, unsigned flags);
/* What is shown beyond a VGA's modes; false: nothing. */
bool chip_shown(struct shape *s, bool *linear);
/* 0: none, there are banks only. */
uint32_t chip_frame_buffer(void);
uint16_t chip_window(void);
void chip_set_window(uint16_t at);
/* Pixels of a line in memory. */
uint16_t chip_line(void);
/* The most there can be, whatever memory there is. */
uint16_t chip_line_max(const struct shape *s);
void chip_set_line(uint16_t pixels);
void chip_start(uint16_t *x, uint16_t *y);
void chip_set_start(uint16_t x, uint16_t y);
/* Whether colours can have 8 bits a part, and whether they have. */
bool chip_dac_wide(void);
bool chip_dac8(void);
void chip_set_dac8(bool on);
enum { CHIP_STATE = 20 };
void chip_save(uint16_t seg, uint16_t off);
void chip_restore(uint16_t seg, uint16_t off);

#endif
