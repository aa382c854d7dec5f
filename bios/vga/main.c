/* Start-up, and the way from AH to the services. */
#include "vga.h"

extern const char int10_entry[];

/* IBM's "save pointer table": the parameters of modes, and nothing else. */
extern rom const uint8_t save_table[];

void service(struct regs *r);
void init(struct regs *r);

static void get_mode(struct regs *r)
{
    r->al = bda_read8(BDA_VIDEO_MODE) | (bda_read8(BDA_VIDEO_CONTROL) & CONTROL_NOT_CLEARED);
    r->ah = (uint8_t)bda_read16(BDA_VIDEO_COLUMNS);
    r->bh = bda_read8(BDA_PAGE);
}

static void set_mode(struct regs *r)
{
    uint8_t number = r->al & 0x7f;

    mode_set(r->al);
    r->al = number > 7 ? 0x20 : number == 6 ? 0x3f : 0x30;
}

void service(struct regs *r)
{
    if (r->flags & FLAG_IF)
        __asm__ volatile("sti");
    switch (r->ah) {
    case 0x00: set_mode(r); break;
    case 0x0b:
    case 0x10: int10_palette(r); break;
    case 0x0c: pixel_write(r); break;
    case 0x0d: pixel_read(r); break;
    case 0x0f: get_mode(r); break;
    case 0x11: int10_font(r); break;
    case 0x12: int10_select(r); break;
    case 0x1a:
    case 0x1b: int10_display(r); break;
    case 0x1c: int10_state(r); break;
    case 0x4f: int10_vbe(r); break;
    default: int10_text(r);
    }
    __asm__ volatile("cli");
}

/* Called by the BIOS as the option ROM's entry. */
void init(struct regs *r)
{
    (void)r;
    set_vector(0x10, ROM_POINTER(int10_entry));
    bda_write8(BDA_VIDEO_CONTROL, CONTROL_256K);
    bda_write8(BDA_SWITCHES, 0xf9); /* a colour display */
    bda_write8(BDA_VGA_FLAGS, VGA_ACTIVE | VGA_400_LINES);
    bda_write8(BDA_DCC, 8);
    bda_write32(BDA_SAVE_TABLE, ROM_POINTER(save_table));
    mode_set(3);
}
