/* What INT 10h/1Ch and VBE's 4F04h save: registers, the BIOS's data, colours, and the chip's own.
 */
#include "vga.h"

enum { STATE_REGS = 1, STATE_DATA = 2, STATE_DAC = 4, STATE_CHIP = 8 };
enum { REGS_SIZE = 4 + 25 + 20 + 9 + 6, DATA_SIZE = 30 + 7 + 4 + 8, DAC_SIZE = 2 + 768 };
enum { CRTC_END_RETRACE = 0x11 };

uint16_t state_size(uint16_t what)
{
    uint16_t n = 0;

    if (what & STATE_REGS)
        n += REGS_SIZE;
    if (what & STATE_DATA)
        n += DATA_SIZE;
    if (what & STATE_DAC)
        n += DAC_SIZE;
    if (what & STATE_CHIP)
        n += CHIP_STATE;
    return n;
}

/* ---- registers ---- */

static uint16_t save_regs(uint16_t seg, uint16_t to)
{
    uint16_t crtc = crtc_port();

    far_write8(seg, to++, inb(PORT_SEQ));
    far_write8(seg, to++, inb(crtc));
    far_write8(seg, to++, inb(PORT_GC));
    far_write8(seg, to++, inb(PORT_MISC_READ));
    far_write16(seg, to, crtc);
    to += 2;
    for (unsigned i = 1; i <= 4; i++)
        far_write8(seg, to++, indexed_read(PORT_SEQ, i));
    for (unsigned i = 0; i < 25; i++)
        far_write8(seg, to++, indexed_read(crtc, i));
    for (unsigned i = 0; i < 20; i++)
        far_write8(seg, to++, attr_read(i));
    attr_show();
    for (unsigned i = 0; i < 9; i++)
        far_write8(seg, to++, indexed_read(PORT_GC, i));
    return to;
}

static uint16_t restore_regs(uint16_t seg, uint16_t from)
{
    uint8_t seq = far_read8(seg, from), crtc_index = far_read8(seg, from + 1);
    uint8_t gc = far_read8(seg, from + 2);
    uint16_t crtc = far_read16(seg, from + 4);

    outb(PORT_MISC, far_read8(seg, from + 3));
    from += 6;
    indexed_write(PORT_SEQ, 0, 1);
    for (unsigned i = 1; i <= 4; i++)
        indexed_write(PORT_SEQ, i, far_read8(seg, from++));
    indexed_write(PORT_SEQ, 0, 3);
    indexed_write(crtc, CRTC_END_RETRACE, 0);
    for (unsigned i = 0; i < 25; i++)
        indexed_write(crtc, i, far_read8(seg, from++));
    bda_write16(BDA_CRTC, crtc);
    for (unsigned i = 0; i < 20; i++)
        attr_write(i, far_read8(seg, from++));
    attr_show();
    for (unsigned i = 0; i < 9; i++)
        indexed_write(PORT_GC, i, far_read8(seg, from++));
    outb(PORT_SEQ, seq);
    outb(crtc, crtc_index);
    outb(PORT_GC, gc);
    return from;
}

/* ---- the BIOS's data ---- */

/* Pieces of segments, in order. */
static rom const struct {
    uint16_t seg, off, size;
} data[] = {
    { SEG_BDA, BDA_VIDEO_MODE, 30 },
    { SEG_BDA, BDA_VIDEO_ROWS, 7 },
    { SEG_BDA, BDA_SAVE_TABLE, 4 },
    { 0, 0x1f * 4, 4 },
    { 0, 0x43 * 4, 4 },
};

static uint16_t move_data(uint16_t seg, uint16_t off, bool save)
{
    for (unsigned i = 0; i < ARRAY_LEN(data); i++) {
        if (save)
            far_copy(seg, off, data[i].seg, data[i].off, data[i].size);
        else
            far_copy(data[i].seg, data[i].off, seg, off, data[i].size);
        off += data[i].size;
    }
    return off;
}

/* ---- colours ---- */

static uint16_t save_dac(uint16_t seg, uint16_t to)
{
    far_write8(seg, to++, inb(PORT_PEL_MASK));
    far_write8(seg, to++, attr_read(0x14));
    attr_show();
    outb(PORT_DAC_READ, 0);
    for (unsigned i = 0; i < 768; i++)
        far_write8(seg, to++, inb(PORT_DAC));
    return to;
}

static uint16_t restore_dac(uint16_t seg, uint16_t from)
{
    outb(PORT_PEL_MASK, far_read8(seg, from++));
    attr_write(0x14, far_read8(seg, from++));
    attr_show();
    outb(PORT_DAC_WRITE, 0);
    for (unsigned i = 0; i < 768; i++)
        outb(PORT_DAC, far_read8(seg, from++));
    return from;
}

/* ---- all ---- */

uint16_t state_save(uint16_t what, uint16_t seg, uint16_t off)
{
    if (what & STATE_REGS)
        off = save_regs(seg, off);
    if (what & STATE_DATA)
        off = move_data(seg, off, true);
    if (what & STATE_DAC)
        off = save_dac(seg, off);
    if (what & STATE_CHIP) {
        chip_save(seg, off);
        off += CHIP_STATE;
    }
    return off;
}

/* The chip's part is last in the buffer, but decides what the rest means: it goes first. */
uint16_t state_restore(uint16_t what, uint16_t seg, uint16_t off)
{
    if (what & STATE_CHIP)
        chip_restore(seg, off + state_size(what & ~STATE_CHIP));
    if (what & STATE_REGS)
        off = restore_regs(seg, off);
    if (what & STATE_DATA)
        off = move_data(seg, off, false);
    if (what & STATE_DAC)
        off = restore_dac(seg, off);
    return off;
}

void int10_state(struct regs *r)
{
    switch (r->al) {
    case 0: r->bx = (state_size(r->cx & 7) + 63) / 64; break;
    case 1: state_save(r->cx & 7, r->es, r->bx); break;
    case 2: state_restore(r->cx & 7, r->es, r->bx); break;
    default: return;
    }
    r->al = 0x1c;
}
