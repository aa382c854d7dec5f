/* Where the beam is, by the virtual clock and the CRTC's registers. */
#include "vga.h"

#include <base/bits.h>
#include <base/clock.h>

/* Of clock select 0 and 1 (misc bits 3:2); 2 and 3 are external inputs that nothing drives. */
#define CLOCK_640 25175000
#define CLOCK_720 28322000

enum { STATUS_BLANK = 1, STATUS_RETRACE = 8 };

unsigned vga_char_dots(const struct vga *v)
{
    return v->seq[1] & 1 ? 8 : 9;
}

unsigned vga_columns(const struct vga *v)
{
    return v->crtc[1] + 1u;
}

/* A CRTC value whose bits 8 and 9 are in the overflow register. */
static unsigned with_overflow(const struct vga *v, unsigned reg, unsigned bit8, unsigned bit9)
{
    return v->crtc[reg] | (v->crtc[7] >> bit8 & 1u) << 8 | (v->crtc[7] >> bit9 & 1u) << 9;
}

/* CRTC mode bit 2: the counter of lines goes at half the speed. */
static unsigned line_factor(const struct vga *v)
{
    return v->crtc[0x17] & 4 ? 2 : 1;
}

unsigned vga_lines(const struct vga *v)
{
    return (with_overflow(v, 0x12, 1, 6) + 1) * line_factor(v);
}

static unsigned total_lines(const struct vga *v)
{
    return MAX((with_overflow(v, 0x06, 0, 5) + 2) * line_factor(v), vga_lines(v) + 1);
}

static int64_t line_ns(const struct vga *v)
{
    unsigned chars = MAX(v->crtc[0] + 5u, vga_columns(v) + 1);
    int64_t dots = (int64_t)chars * vga_char_dots(v) * (v->seq[1] & 8 ? 2 : 1);

    return dots * NS_PER_SEC / ((v->misc >> 2 & 3) == 1 ? CLOCK_720 : CLOCK_640);
}

int64_t vga_frame_ns(const struct vga *v)
{
    return line_ns(v) * total_lines(v);
}

/* The end of retrace is given by the start's low four bits. */
static bool in_retrace(const struct vga *v, unsigned line)
{
    unsigned start = with_overflow(v, 0x10, 2, 7) * line_factor(v);
    unsigned length = ((v->crtc[0x11] - v->crtc[0x10]) & 15u) * line_factor(v);

    /* a mode that nobody set has one all the same: guests wait for it */
    if (start < vga_lines(v) || start >= total_lines(v))
        start = vga_lines(v);
    return line >= start && line < start + MAX(length, 1);
}

uint8_t vga_status(const struct vga *v)
{
    int64_t at = clock_ns(device_loop(v->dev), CLK_VIRTUAL) % vga_frame_ns(v);
    int64_t width = line_ns(v);
    unsigned line = (unsigned)(at / width), chars = MAX(v->crtc[0] + 5u, vga_columns(v) + 1);
    uint8_t status = 0;

    if (line >= vga_lines(v) || at % width >= width * vga_columns(v) / chars)
        status |= STATUS_BLANK;
    if (in_retrace(v, line))
        status |= STATUS_RETRACE;
    return status;
}
