/* INT 10h, AH=4Fh: VESA BIOS Extension 3.0 but for its protected-mode entry point. */
#include "vga.h"

enum { SUPPORTED = 0x4f, FAILED = 1, NOT_IN_MODE = 3 };
enum { MODE_LINEAR = 0x4000, MODE_KEEP = 0x8000, MODE_CRTC = 0x0800 };
enum { ATTR_OK = 0x1b, ATTR_NO_VGA = 0x20, ATTR_LINEAR = 0x80 };
enum { MODEL_PLANES = 3, MODEL_PACKED = 4, MODEL_DIRECT = 6 };
enum { WINDOW_READ_WRITE = 7, SCREEN_OFF = 0x20 };

#define SIGNATURE_VBE2 0x32454256 /* "VBE2" */
#define SIGNATURE_VESA 0x41534556 /* "VESA" */

struct vbe_mode {
    uint16_t number, width, height;
    uint8_t bits;
};

/* VESA's numbers, and from 140h on those that systems know from this interface elsewhere. */
static rom const struct vbe_mode modes[] = {
    { 0x100, 640, 400, 8 },    { 0x101, 640, 480, 8 },    { 0x102, 800, 600, 4 },
    { 0x103, 800, 600, 8 },    { 0x104, 1024, 768, 4 },   { 0x105, 1024, 768, 8 },
    { 0x106, 1280, 1024, 4 },  { 0x107, 1280, 1024, 8 },  { 0x10d, 320, 200, 15 },
    { 0x10e, 320, 200, 16 },   { 0x10f, 320, 200, 24 },   { 0x110, 640, 480, 15 },
    { 0x111, 640, 480, 16 },   { 0x112, 640, 480, 24 },   { 0x113, 800, 600, 15 },
    { 0x114, 800, 600, 16 },   { 0x115, 800, 600, 24 },   { 0x116, 1024, 768, 15 },
    { 0x117, 1024, 768, 16 },  { 0x118, 1024, 768, 24 },  { 0x119, 1280, 1024, 15 },
    { 0x11a, 1280, 1024, 16 }, { 0x11b, 1280, 1024, 24 }, { 0x11c, 1600, 1200, 8 },
    { 0x11d, 1600, 1200, 15 }, { 0x11e, 1600, 1200, 16 }, { 0x11f, 1600, 1200, 24 },
    { 0x140, 320, 200, 32 },   { 0x141, 640, 400, 32 },   { 0x142, 640, 480, 32 },
    { 0x143, 800, 600, 32 },   { 0x144, 1024, 768, 32 },  { 0x145, 1280, 1024, 32 },
    { 0x146, 320, 200, 8 },    { 0x147, 1600, 1200, 32 }, { 0x148, 1152, 864, 8 },
    { 0x149, 1152, 864, 15 },  { 0x14a, 1152, 864, 16 },  { 0x14b, 1152, 864, 24 },
    { 0x14c, 1152, 864, 32 },  { 0x175, 1280, 768, 16 },  { 0x176, 1280, 768, 24 },
    { 0x177, 1280, 768, 32 },  { 0x178, 1280, 800, 16 },  { 0x179, 1280, 800, 24 },
    { 0x17a, 1280, 800, 32 },  { 0x17b, 1280, 960, 16 },  { 0x17c, 1280, 960, 24 },
    { 0x17d, 1280, 960, 32 },  { 0x17e, 1440, 900, 16 },  { 0x17f, 1440, 900, 24 },
    { 0x180, 1440, 900, 32 },  { 0x181, 1400, 1050, 16 }, { 0x182, 1400, 1050, 24 },
    { 0x183, 1400, 1050, 32 }, { 0x184, 1680, 1050, 16 }, { 0x185, 1680, 1050, 24 },
    { 0x186, 1680, 1050, 32 }, { 0x187, 1920, 1200, 16 }, { 0x188, 1920, 1200, 24 },
    { 0x189, 1920, 1200, 32 }, { 0x18a, 2560, 1600, 16 }, { 0x18b, 2560, 1600, 24 },
    { 0x18c, 2560, 1600, 32 }, { 0x18d, 1280, 720, 16 },  { 0x18e, 1280, 720, 24 },
    { 0x18f, 1280, 720, 32 },  { 0x190, 1920, 1080, 16 }, { 0x191, 1920, 1080, 24 },
    { 0x192, 1920, 1080, 32 },
};

/* ---- modes ---- */

static uint32_t line_bytes(uint8_t bits, uint32_t pixels)
{
    return bits == 4 ? pixels / 8 : pixels * ((bits + 7) / 8);
}

/* Memory that a picture takes; of planes, all four. */
static uint32_t picture_bytes(const rom struct vbe_mode *m)
{
    return line_bytes(m->bits, m->width) * m->height * (m->bits == 4 ? 4 : 1);
}

static bool fits(const rom struct vbe_mode *m)
{
    struct shape s = { m->width, m->height, m->bits };

    return chip_can(&s) && picture_bytes(m) <= (uint32_t)chip_memory() << 16;
}

static const rom struct vbe_mode *find(uint16_t number)
{
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++)
        if (modes[i].number == (number & 0x1ff) && fits(&modes[i]))
            return &modes[i];
    return NULL;
}

static const rom struct vbe_mode *shown(bool *linear)
{
    struct shape s;

    if (!chip_shown(&s, linear))
        return NULL;
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++)
        if (modes[i].width == s.width && modes[i].height == s.height && modes[i].bits == s.bits)
            return &modes[i];
    return NULL;
}

/* ---- 00h ---- */

static void put_words(uint16_t seg, uint16_t off, uint16_t v, unsigned n)
{
    far_fill(seg, off, v, n);
}

static uint8_t get_controller(const struct regs *r)
{
    static rom const char oem[] = "myna VGA BIOS", vendor[] = "myna", revision[] = "1";
    uint16_t seg = r->es, to = r->di, list = to + 0x22;
    bool wide = far_read32(seg, to) == SIGNATURE_VBE2;

    put_words(seg, to, 0, wide ? 256 : 128);
    far_write32(seg, to, SIGNATURE_VESA);
    far_write16(seg, to + 4, 0x0300);
    far_write32(seg, to + 6, ROM_POINTER(oem));
    far_write32(seg, to + 0x0a, chip_dac_wide());
    far_write32(seg, to + 0x0e, (uint32_t)seg << 16 | list);
    far_write16(seg, to + 0x12, chip_memory());
    if (wide) {
        far_write16(seg, to + 0x14, 0x0100);
        far_write32(seg, to + 0x16, ROM_POINTER(vendor));
        far_write32(seg, to + 0x1a, ROM_POINTER(chip_product));
        far_write32(seg, to + 0x1e, ROM_POINTER(revision));
    }
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++)
        if (fits(&modes[i])) {
            far_write16(seg, list, modes[i].number);
            list += 2;
        }
    far_write16(seg, list, 0xffff);
    return 0;
}

/* ---- 01h ---- */

/* Size and place of red, green, blue and the rest. */
static void put_masks(uint16_t seg, uint16_t off, uint8_t bits)
{
    static rom const uint8_t masks[4][8] = { { 5, 10, 5, 5, 5, 0, 1, 15 },
                                             { 5, 11, 6, 5, 5, 0, 0, 0 },
                                             { 8, 16, 8, 8, 8, 0, 0, 0 },
                                             { 8, 16, 8, 8, 8, 0, 8, 24 } };
    unsigned row = bits == 15 ? 0 : bits / 8 - 1;

    if (bits <= 8)
        return;
    for (unsigned i = 0; i < 8; i++)
        far_write8(seg, off + i, masks[row][i]);
}

static void put_geometry(uint16_t seg, uint16_t to, const rom struct vbe_mode *m)
{
    uint32_t bytes = line_bytes(m->bits, m->width), pages;

    pages = ((uint32_t)chip_memory() << 16) / picture_bytes(m) - 1;
    if (pages > 255)
        pages = 255;
    far_write16(seg, to + 0x10, bytes);
    far_write16(seg, to + 0x12, m->width);
    far_write16(seg, to + 0x14, m->height);
    far_write8(seg, to + 0x16, 8);
    far_write8(seg, to + 0x17, m->height < 400 ? 8 : 16);
    far_write8(seg, to + 0x18, m->bits == 4 ? 4 : 1);
    far_write8(seg, to + 0x19, m->bits == 15 ? 15 : m->bits);
    far_write8(seg, to + 0x1a, 1);
    far_write8(seg, to + 0x1b,
               m->bits == 4   ? MODEL_PLANES
               : m->bits == 8 ? MODEL_PACKED
                              : MODEL_DIRECT);
    far_write8(seg, to + 0x1d, pages);
    far_write8(seg, to + 0x1e, 1);
    put_masks(seg, to + 0x1f, m->bits);
    far_write16(seg, to + 0x32, bytes);
    far_write8(seg, to + 0x34, pages);
    far_write8(seg, to + 0x35, pages);
    put_masks(seg, to + 0x36, m->bits);
    far_write32(seg, to + 0x3e, 230000000);
}

static uint8_t get_mode_info(const struct regs *r)
{
    extern const char window_function[];
    const rom struct vbe_mode *m = find(r->cx);
    uint16_t seg = r->es, to = r->di;
    uint32_t linear;

    if (!m)
        return FAILED;
    linear = m->bits > 4 ? chip_frame_buffer() : 0;
    put_words(seg, to, 0, 128);
    far_write16(seg, to, ATTR_OK | (m->bits > 4 ? ATTR_NO_VGA : 0) | (linear ? ATTR_LINEAR : 0));
    far_write8(seg, to + 2, WINDOW_READ_WRITE);
    far_write16(seg, to + 4, 64);
    far_write16(seg, to + 6, 64);
    far_write16(seg, to + 8, 0xa000);
    far_write32(seg, to + 0x0c, ROM_POINTER(window_function));
    put_geometry(seg, to, m);
    far_write32(seg, to + 0x28, linear);
    return 0;
}

/* ---- 02h, 03h ---- */

/* The registers below are those of a mode of IBM's with the same kind of memory. */
static void set_below(const rom struct vbe_mode *m)
{
    const rom struct mode *like = mode_find(m->bits == 4 ? 0x12 : 0x13);
    const rom struct params *p = mode_params(like);
    uint8_t height = m->height < 400 ? 8 : 16;

    mode_load(p, like->palette);
    bda_write8(BDA_VIDEO_MODE, m->number == 0x102 ? 0x6a : MODE_OTHER);
    bda_write16(BDA_VIDEO_COLUMNS, m->width / 8);
    bda_write8(BDA_VIDEO_ROWS, m->height / height - 1);
    bda_write16(BDA_CHAR_HEIGHT, height);
    bda_write8(BDA_PAGE, 0);
    bda_write16(BDA_PAGE_START, 0);
    for (unsigned i = 0; i < 8; i++)
        bda_write16(BDA_CURSOR + 2 * i, 0);
    set_vector(0x43, height == 8 ? ROM_POINTER(font8) : ROM_POINTER(font16));
}

static uint8_t set_mode(const struct regs *r)
{
    const rom struct vbe_mode *m;
    struct shape s;

    if ((r->bx & 0x1ff) < 0x100) {
        if (!mode_find(r->bx & 0x7f) || r->bx & (MODE_LINEAR | 0x80))
            return FAILED;
        mode_set(r->bl | (r->bx & MODE_KEEP ? 0x80 : 0));
        return 0;
    }
    m = find(r->bx);
    /* timings of the caller's own are not ours to have: the monitor takes any */
    if (!m || (r->bx & MODE_LINEAR && (m->bits == 4 || !chip_frame_buffer())))
        return FAILED;
    s = (struct shape){ m->width, m->height, m->bits };
    chip_leave();
    set_below(m);
    return chip_show(&s,
                     (r->bx & MODE_LINEAR ? SHOW_LINEAR : 0) | (r->bx & MODE_KEEP ? SHOW_KEEP : 0))
               ? 0
               : FAILED;
}

static uint8_t get_mode(struct regs *r)
{
    bool linear;
    const rom struct vbe_mode *m = shown(&linear);

    r->bx = m ? m->number | (linear ? MODE_LINEAR : 0) : bda_read8(BDA_VIDEO_MODE);
    return 0;
}

/* ---- 04h to 0Ah ---- */

static uint8_t state_service(struct regs *r)
{
    uint16_t what = r->cx & 15;

    switch (r->dl) {
    case 0: r->bx = (state_size(what) + 63) / 64; break;
    case 1: state_save(what, r->es, r->bx); break;
    case 2: state_restore(what, r->es, r->bx); break;
    default: return FAILED;
    }
    return 0;
}

static uint8_t window_service(struct regs *r)
{
    struct shape s;
    bool linear;

    if (r->bl || r->bh > 1)
        return FAILED;
    if (!chip_shown(&s, &linear) || linear)
        return NOT_IN_MODE;
    if (r->bh == 0)
        chip_set_window(r->dx);
    r->dx = chip_window();
    return 0;
}

static uint8_t line_service(struct regs *r)
{
    struct shape s;
    bool linear;
    uint32_t memory = (uint32_t)chip_memory() << 16, most, pixels;

    if (!chip_shown(&s, &linear))
        return NOT_IN_MODE;
    if (r->bl > 3)
        return FAILED;
    most = memory / s.height / line_bytes(s.bits, 8) * 8 / (s.bits == 4 ? 4 : 1);
    if (most > chip_line_max(&s))
        most = chip_line_max(&s);
    pixels = r->bl == 2 ? (s.bits == 4 ? r->cx * 8u : r->cx / line_bytes(s.bits, 1)) : r->cx;
    if (r->bl == 0 || r->bl == 2) {
        pixels = (pixels + 7) & ~7u;
        if (pixels < s.width)
            pixels = s.width;
        if (pixels > most)
            return FAILED + 1;
        chip_set_line(pixels);
    }
    pixels = r->bl == 3 ? most : chip_line();
    r->cx = pixels;
    r->bx = line_bytes(s.bits, pixels);
    r->dx = memory / (s.bits == 4 ? 4 : 1) / line_bytes(s.bits, pixels);
    return 0;
}

static uint8_t start_service(struct regs *r)
{
    struct shape s;
    bool linear;

    if (!chip_shown(&s, &linear))
        return NOT_IN_MODE;
    if (r->bl == 1) {
        r->bh = 0;
        chip_start(&r->cx, &r->dx);
        return 0;
    }
    if (r->bl & 0x7f)
        return FAILED;
    chip_set_start(r->cx, r->dx);
    return 0;
}

static uint8_t dac_service(struct regs *r)
{
    struct shape s;
    bool linear;

    if (!chip_shown(&s, &linear))
        return NOT_IN_MODE;
    if (r->bl > 1)
        return FAILED;
    if (r->bl == 0)
        chip_set_dac8(r->bh >= 8 && chip_dac_wide());
    r->bh = chip_dac8() ? 8 : 6;
    return 0;
}

/* Entries are blue, green, red and a byte more. */
static uint8_t palette_service(const struct regs *r)
{
    uint16_t off = r->di;
    uint8_t index = r->dl;

    if (r->bl & 0x7f && r->bl != 1)
        return FAILED;
    for (unsigned n = r->cx; n; n--, off += 4, index++) {
        if (r->bl != 1) {
            dac_write(index, far_read8(r->es, off + 2), far_read8(r->es, off + 1),
                      far_read8(r->es, off));
            continue;
        }
        outb(PORT_DAC_READ, index);
        far_write8(r->es, off + 2, inb(PORT_DAC));
        far_write8(r->es, off + 1, inb(PORT_DAC));
        far_write8(r->es, off, inb(PORT_DAC));
    }
    return 0;
}

static uint8_t protected_service(struct regs *r)
{
    extern const char pm_table[], pm_table_end[];

    if (r->bl)
        return FAILED;
    r->es = rom_segment();
    r->di = (uint16_t)(uintptr_t)pm_table;
    r->cx = pm_table_end - pm_table;
    return 0;
}

/* ---- 10h: power; 15h: the monitor ---- */

static uint8_t power_service(struct regs *r)
{
    uint8_t mode = indexed_read(PORT_SEQ, 1);

    switch (r->bl) {
    case 0: r->bx = 0x0710; break; /* stand-by, suspend, off; version 1.0 */
    case 1: indexed_write(PORT_SEQ, 1, r->bh ? mode | SCREEN_OFF : mode & ~SCREEN_OFF); break;
    case 2: r->bh = mode & SCREEN_OFF ? 4 : 0; break;
    default: return FAILED;
    }
    return 0;
}

/* EDID 1.3: 1024 by 768 at 60 Hz first, the usual others besides; no name of a maker. */
static rom const uint8_t edid[127] = {
    0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x36, 0xc1, 1, 0, 0, 0, 0, 0, 1, 36, /* MYN */
    1, 3, 0x0e, 32, 24, 120, 0x0a, 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, 0x21,
    0x08, 0, /* 640x480, 800x600, 1024x768 */
    0xa9, 0x40, 0x81, 0x80, 0x81, 0x40, 0x81, 0xc0, 0xb3, 0, 0x95, 0, 0x71, 0x4f, 1, 1,
    /* 65 MHz, 1024 + 320, 768 + 38 */
    0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0x40, 0xf0, 0x10, 0x00,
    0x00, 0x18, 0, 0, 0, 0xfc, 0, 'm', 'y', 'n', 'a', ' ', 'V', 'G', 'A', '\n', ' ', ' ', ' ', ' ',
    0, 0, 0, 0xfd, 0, 50, 125, 30, 160, 23, 0, '\n', ' ', ' ', ' ', ' ', ' ', ' ', 0, 0, 0, 0x10, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
};

static uint8_t monitor_service(struct regs *r)
{
    uint8_t sum = 0;

    if (r->bl == 0) {
        r->bx = 0x0103; /* a second a block; DDC1 and DDC2 */
        return 0;
    }
    if (r->bl != 1 || r->dx)
        return FAILED;
    for (unsigned i = 0; i < sizeof(edid); i++) {
        far_write8(r->es, r->di + i, edid[i]);
        sum += edid[i];
    }
    far_write8(r->es, r->di + sizeof(edid), -sum);
    return 0;
}

void int10_vbe(struct regs *r)
{
    uint8_t status;

    if (!chip_memory())
        return;
    switch (r->al) {
    case 0x00: status = get_controller(r); break;
    case 0x01: status = get_mode_info(r); break;
    case 0x02: status = set_mode(r); break;
    case 0x03: status = get_mode(r); break;
    case 0x04: status = state_service(r); break;
    case 0x05: status = window_service(r); break;
    case 0x06: status = line_service(r); break;
    case 0x07: status = start_service(r); break;
    case 0x08: status = dac_service(r); break;
    case 0x09: status = palette_service(r); break;
    case 0x0a: status = protected_service(r); break;
    case 0x10: status = power_service(r); break;
    case 0x15: status = monitor_service(r); break;
    default: return;
    }
    r->ah = status;
    r->al = SUPPORTED;
}
