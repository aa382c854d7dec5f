/* INT 10h, AH=12h, 1Ah and 1Bh: settings for modes to come, and what the display is. */
#include "vga.h"

enum {
    DONE = 0x12,
    DCC_DONE = 0x1a,
    STATE_DONE = 0x1b,
    DISPLAY_VGA_COLOR = 8,
    DISPLAY_VGA_MONO = 7
};
enum { MISC_RAM = 2, SCREEN_OFF = 0x20 };

/* ---- 12h ---- */

static void set_flags(uint8_t mask, uint8_t on)
{
    bda_write8(BDA_VGA_FLAGS, (bda_read8(BDA_VGA_FLAGS) & ~mask) | on);
}

static void get_information(struct regs *r)
{
    r->bh = crtc_port() == 0x3b4;
    r->bl = 3; /* 256 KiB, or more */
    r->ch = bda_read8(BDA_SWITCHES) >> 4;
    r->cl = bda_read8(BDA_SWITCHES) & 15;
}

static bool set_lines(uint8_t n)
{
    static rom const uint8_t flags[] = { VGA_200_LINES, 0, VGA_400_LINES };
    uint8_t switches = bda_read8(BDA_SWITCHES) & 0xf0;

    if (n >= ARRAY_LEN(flags))
        return false;
    set_flags(VGA_200_LINES | VGA_400_LINES, flags[n]);
    bda_write8(BDA_SWITCHES, switches | (n ? 9 : 8));
    return true;
}

void int10_select(struct regs *r)
{
    uint8_t control, v = r->al;
    bool ok = true;

    switch (r->bl) {
    case 0x10: get_information(r); return;
    case 0x20: return; /* the print-screen routine of the BIOS does */
    case 0x30: ok = set_lines(v); break;
    case 0x31: set_flags(VGA_KEEP_PALETTE, v & 1 ? VGA_KEEP_PALETTE : 0); break;
    case 0x32: outb(PORT_MISC, (inb(PORT_MISC_READ) & ~MISC_RAM) | (v & 1 ? 0 : MISC_RAM)); break;
    case 0x33: set_flags(VGA_GREY, v & 1 ? 0 : VGA_GREY); break;
    case 0x34:
        control = bda_read8(BDA_VIDEO_CONTROL) & ~CONTROL_NO_EMULATION;
        bda_write8(BDA_VIDEO_CONTROL, control | (v & 1 ? CONTROL_NO_EMULATION : 0));
        break;
    case 0x36:
        indexed_write(PORT_SEQ, 1,
                      (indexed_read(PORT_SEQ, 1) & ~SCREEN_OFF) | (v & 1 ? SCREEN_OFF : 0));
        break;
    default: return;
    }
    r->al = ok ? DONE : 0;
}

/* ---- 1Ah, 1Bh ---- */

static uint8_t display(void)
{
    return crtc_port() == 0x3b4 ? DISPLAY_VGA_MONO : DISPLAY_VGA_COLOR;
}

/* Modes 00h to 07h, 0Dh to 13h; lines 200, 350, 400; text fonts 4, two at once; palette and DAC,
 * light pen none; save area none. */
static rom const uint8_t can_do[16] = {
    0xff, 0xe0, 0x0f, 0, 0, 0, 0, 7, 2, 8, 0xed, 0x0e, 0, 0, 0
};

static uint8_t lines_code(void)
{
    switch (mode_now() ? mode_params(mode_now())->crtc[0x12] : 0) {
    case 0x5d: return 1;
    case 0xdf: return 3;
    default: return bda_read8(BDA_CHAR_HEIGHT) == 8 ? 0 : 2;
    }
}

static uint16_t colors(void)
{
    const rom struct mode *m = mode_now();

    if (!m || m->kind == KIND_BYTES)
        return 256;
    if (m->number == 7 || m->number == 15)
        return 0;
    if (m->number == 6 || m->number == 17)
        return 2;
    return m->kind == KIND_CGA ? 4 : 16;
}

static uint8_t pages(void)
{
    const rom struct mode *m = mode_now();
    uint16_t size = bda_read16(BDA_VIDEO_SIZE);
    uint32_t n;

    if (!m || !size || m->kind == KIND_BYTES)
        return 1;
    n = (m->kind == KIND_PLANES ? 0x10000 : 0x8000) / size;
    return n > 8 ? 8 : n;
}

static void get_state(const struct regs *r)
{
    uint16_t seg = r->es, to = r->di;
    uint8_t flags = bda_read8(BDA_VGA_FLAGS), maps = indexed_read(PORT_SEQ, 3);

    far_write32(seg, to, ROM_POINTER(can_do));
    /* 49h to 66h and 84h to 86h of the BIOS data area */
    far_copy(seg, to + 4, SEG_BDA, BDA_VIDEO_MODE, 30);
    far_copy(seg, to + 0x22, SEG_BDA, BDA_VIDEO_ROWS, 3);
    far_write8(seg, to + 0x22, bda_read8(BDA_VIDEO_ROWS) + 1);
    far_write8(seg, to + 0x25, display());
    far_write8(seg, to + 0x26, 0);
    far_write16(seg, to + 0x27, colors());
    far_write8(seg, to + 0x29, pages());
    far_write8(seg, to + 0x2a, lines_code());
    far_write8(seg, to + 0x2b, (maps & 3) | (maps >> 2 & 4));
    far_write8(seg, to + 0x2c, (maps >> 2 & 3) | (maps >> 3 & 4));
    far_write8(seg, to + 0x2d,
               (flags & (VGA_GREY | VGA_MONO | VGA_KEEP_PALETTE)) | VGA_ACTIVE |
                   (bda_read8(BDA_VIDEO_CONTROL) & CONTROL_NO_EMULATION ? 0 : 0x10) |
                   (bda_read8(BDA_MODE_SELECT) & 0x20));
    far_write8(seg, to + 0x2e, 0);
    far_write8(seg, to + 0x2f, 0);
    far_write8(seg, to + 0x30, 0);
    far_write8(seg, to + 0x31, 3); /* 256 KiB */
    far_write8(seg, to + 0x32, 0);
    for (unsigned i = 0x33; i < 0x40; i++)
        far_write8(seg, to + i, 0);
}

void int10_display(struct regs *r)
{
    if (r->ah == 0x1b) {
        if (r->bx)
            return;
        get_state(r);
        r->al = STATE_DONE;
        return;
    }
    if (r->al == 0)
        r->bx = display();
    else if (r->al == 1)
        bda_write8(BDA_DCC, r->bl);
    else
        return;
    r->al = DCC_DONE;
}
