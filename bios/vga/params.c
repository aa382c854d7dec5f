/*
 * What IBM's modes put into the registers (IBM, Video Subsystem), in the order of IBM's own table,
 * of which the BIOS data area has the address. Rows for modes that a VGA does not have are empty.
 */
#include "vga.h"

/* clang-format off */
/* Timing: horizontal (6 bytes), then vertical. */
#define H40 0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0
#define H40_DOTS 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80
#define H80 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81
#define H80_DOTS 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80
#define START 0, 0, 0, 0
/* lines, scan lines of a character, cursor: what lies between bytes 6 and 18 */
#define TOP_400(rows, from, to) 0xbf, 0x1f, 0, rows, from, to, START, 0x9c, 0x8e, 0x8f
#define TOP_350(rows, from, to) 0xbf, 0x1f, 0, rows, from, to, START, 0x83, 0x85, 0x5d
#define TOP_480(rows) 0x0b, 0x3e, 0, rows, 0, 0, START, 0xea, 0x8c, 0xdf
#define END_400(offset, under, mode) offset, under, 0x96, 0xb9, mode, 0xff
#define END_350(offset, under, mode) offset, under, 0x63, 0xba, mode, 0xff
#define END_480(offset, under, mode) offset, under, 0xe7, 0x04, mode, 0xff

#define ATTR_CGA 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define ATTR_EGA 0, 1, 2, 3, 4, 5, 20, 7, 56, 57, 58, 59, 60, 61, 62, 63
#define ATTR_MONO 0, 8, 8, 8, 8, 8, 8, 8, 16, 24, 24, 24, 24, 24, 24, 24
#define ATTR_PAIR(c) 0, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c
#define ATTR_256 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#define GC_TEXT 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff
#define GC_PLANES 0, 0, 0, 0, 0, 0, 5, 15, 0xff

#define TEXT40_200 { 40, 24, 8, 0x800, { 9, 3, 0, 2 }, 0x63, \
    { H40, TOP_400(0xc7, 6, 7), END_400(0x14, 0x1f, 0xa3) }, { ATTR_CGA, 8, 0, 15, 0 }, { GC_TEXT } }
#define TEXT80_200 { 80, 24, 8, 0x1000, { 1, 3, 0, 2 }, 0x63, \
    { H80, TOP_400(0xc7, 6, 7), END_400(0x28, 0x1f, 0xa3) }, { ATTR_CGA, 8, 0, 15, 0 }, { GC_TEXT } }
#define TEXT40_350 { 40, 24, 14, 0x800, { 9, 3, 0, 2 }, 0xa3, \
    { H40, TOP_350(0x4d, 11, 12), END_350(0x14, 0x1f, 0xa3) }, { ATTR_EGA, 8, 0, 15, 0 }, { GC_TEXT } }
#define TEXT80_350 { 80, 24, 14, 0x1000, { 1, 3, 0, 2 }, 0xa3, \
    { H80, TOP_350(0x4d, 11, 12), END_350(0x28, 0x1f, 0xa3) }, { ATTR_EGA, 8, 0, 15, 0 }, { GC_TEXT } }
#define CGA_DOTS { 40, 24, 8, 0x4000, { 9, 3, 0, 2 }, 0x63, \
    { H40_DOTS, TOP_400(0xc1, 0, 0), END_400(0x14, 0, 0xa2) }, \
    { 0, 0x13, 0x15, 0x17, 2, 4, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 1, 0, 3, 0 }, \
    { 0, 0, 0, 0, 0, 0x30, 0x0f, 0, 0xff } }
#define MONO_DOTS { 80, 24, 14, 0x8000, { 1, 15, 0, 6 }, 0xa2, \
    { H80_DOTS, TOP_350(0x40, 0, 0), END_350(0x28, 15, 0xe3) }, \
    { 0, 8, 0, 0, 24, 24, 0, 0, 0, 8, 0, 0, 0, 24, 0, 0, 11, 0, 5, 0 }, { GC_PLANES } }
#define EGA_DOTS { 80, 24, 14, 0x8000, { 1, 15, 0, 6 }, 0xa3, \
    { H80_DOTS, TOP_350(0x40, 0, 0), END_350(0x28, 15, 0xe3) }, { ATTR_EGA, 1, 0, 15, 0 }, { GC_PLANES } }
#define NO_MODE { 0 }

rom const struct params params[] = {
    /* 00h to 03h with 200 lines */
    TEXT40_200, TEXT40_200, TEXT80_200, TEXT80_200,
    /* 04h to 06h */
    CGA_DOTS, CGA_DOTS,
    { 80, 24, 8, 0x4000, { 1, 1, 0, 6 }, 0x63,
      { H80_DOTS, TOP_400(0xc1, 0, 0), END_400(0x28, 0, 0xc2) },
      { ATTR_PAIR(0x17), 1, 0, 1, 0 }, { 0, 0, 0, 0, 0, 0, 0x0d, 0, 0xff } },
    /* 07h with 350 lines */
    { 80, 24, 14, 0x1000, { 0, 3, 0, 2 }, 0xa6,
      { H80, TOP_350(0x4d, 11, 12), END_350(0x28, 13, 0xa3) },
      { ATTR_MONO, 14, 0, 15, 8 }, { 0, 0, 0, 0, 0, 0x10, 0x0a, 0, 0xff } },
    NO_MODE, NO_MODE, NO_MODE, NO_MODE, NO_MODE,
    /* 0Dh */
    { 40, 24, 8, 0x2000, { 9, 15, 0, 6 }, 0x63,
      { H40_DOTS, TOP_400(0xc0, 0, 0), END_400(0x14, 0, 0xe3) }, { ATTR_CGA, 1, 0, 15, 0 }, { GC_PLANES } },
    /* 0Eh */
    { 80, 24, 8, 0x4000, { 1, 15, 0, 6 }, 0x63,
      { H80_DOTS, TOP_400(0xc0, 0, 0), END_400(0x28, 0, 0xe3) }, { ATTR_CGA, 1, 0, 15, 0 }, { GC_PLANES } },
    /* 0Fh and 10h, as cards of 64 KiB and of more have them */
    MONO_DOTS, EGA_DOTS, MONO_DOTS, EGA_DOTS,
    /* 00h to 03h with 350 lines */
    TEXT40_350, TEXT40_350, TEXT80_350, TEXT80_350,
    /* 00h and 01h, 02h and 03h, 07h, with 400 lines */
    { 40, 24, 16, 0x800, { 8, 3, 0, 2 }, 0x67,
      { H40, TOP_400(0x4f, 13, 14), END_400(0x14, 0x1f, 0xa3) }, { ATTR_EGA, 12, 0, 15, 8 }, { GC_TEXT } },
    { 80, 24, 16, 0x1000, { 0, 3, 0, 2 }, 0x67,
      { H80, TOP_400(0x4f, 13, 14), END_400(0x28, 0x1f, 0xa3) }, { ATTR_EGA, 12, 0, 15, 8 }, { GC_TEXT } },
    { 80, 24, 16, 0x1000, { 0, 3, 0, 2 }, 0x66,
      { H80, TOP_400(0x4f, 13, 14), END_400(0x28, 15, 0xa3) },
      { ATTR_MONO, 14, 0, 15, 8 }, { 0, 0, 0, 0, 0, 0x10, 0x0a, 0, 0xff } },
    /* 11h to 13h */
    { 80, 29, 16, 0xa000, { 1, 15, 0, 6 }, 0xe3,
      { H80_DOTS, TOP_480(0x40), END_480(0x28, 0, 0xc3) },
      { ATTR_PAIR(0x3f), 1, 0, 15, 0 }, { 0, 0, 0, 0, 0, 0, 5, 1, 0xff } },
    { 80, 29, 16, 0xa000, { 1, 15, 0, 6 }, 0xe3,
      { H80_DOTS, TOP_480(0x40), END_480(0x28, 0, 0xe3) }, { ATTR_EGA, 1, 0, 15, 0 }, { GC_PLANES } },
    { 40, 24, 8, 0xfa00, { 1, 15, 0, 14 }, 0x63,
      { H80_DOTS, TOP_400(0x41, 0, 0), END_400(0x28, 0x40, 0xa3) },
      { ATTR_256, 0x41, 0, 15, 0 }, { 0, 0, 0, 0, 0, 0x40, 5, 15, 0xff } },
};
/* clang-format on */

static rom const struct mode modes[] = {
    { 0x00, KIND_TEXT, PALETTE_EGA, 0, 0xb800 },     { 0x01, KIND_TEXT, PALETTE_EGA, 1, 0xb800 },
    { 0x02, KIND_TEXT, PALETTE_EGA, 2, 0xb800 },     { 0x03, KIND_TEXT, PALETTE_EGA, 3, 0xb800 },
    { 0x04, KIND_CGA, PALETTE_CGA, 4, 0xb800 },      { 0x05, KIND_CGA, PALETTE_CGA, 5, 0xb800 },
    { 0x06, KIND_CGA, PALETTE_CGA, 6, 0xb800 },      { 0x07, KIND_TEXT, PALETTE_MONO, 7, 0xb000 },
    { 0x0d, KIND_PLANES, PALETTE_CGA, 13, 0xa000 },  { 0x0e, KIND_PLANES, PALETTE_CGA, 14, 0xa000 },
    { 0x0f, KIND_PLANES, PALETTE_MONO, 17, 0xa000 }, { 0x10, KIND_PLANES, PALETTE_EGA, 18, 0xa000 },
    { 0x11, KIND_PLANES, PALETTE_EGA, 26, 0xa000 },  { 0x12, KIND_PLANES, PALETTE_EGA, 27, 0xa000 },
    { 0x13, KIND_BYTES, PALETTE_256, 28, 0xa000 },
};

const rom struct mode *mode_find(uint8_t number)
{
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++)
        if (modes[i].number == number)
            return &modes[i];
    return NULL;
}

const rom struct mode *mode_now(void)
{
    return mode_find(bda_read8(BDA_VIDEO_MODE));
}

/* Text has 200, 350 or 400 lines, as INT 10h/12h, BL=30h chose. */
const rom struct params *mode_params(const rom struct mode *m)
{
    uint8_t flags = bda_read8(BDA_VGA_FLAGS);

    if (m->kind != KIND_TEXT || flags & VGA_200_LINES)
        return &params[m->row];
    if (flags & VGA_400_LINES)
        return &params[m->number == 7 ? 25 : m->number < 2 ? 23 : 24];
    return &params[m->number == 7 ? 7 : 19 + m->number];
}
