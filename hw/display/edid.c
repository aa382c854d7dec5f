/* See edid.h. Sections are those of VESA E-EDID Standard, release A, revision 2. */
#include "edid.h"

#include <string.h>
#include <base/bits.h>

enum { DPI = 100, DETAILED = 54, DESCRIPTOR_SIZE = 18 };
enum { ASPECT_16_10, ASPECT_4_3, ASPECT_5_4, ASPECT_16_9 };

struct mode {
    uint16_t width, height;
    uint8_t at, value; /* established: byte and bit; standard: aspect in `value`, byte 0 */
};

/* 3.8 and 3.9; all of 60 Hz */
static const struct mode modes[] = {
    { 640, 480, 35, 0x20 },          { 800, 600, 35, 0x01 },        { 1024, 768, 36, 0x08 },
    { 1920, 1080, 0, ASPECT_16_9 },  { 1280, 720, 0, ASPECT_16_9 }, { 1440, 900, 0, ASPECT_16_10 },
    { 1680, 1050, 0, ASPECT_16_10 }, { 1280, 1024, 0, ASPECT_5_4 }, { 1600, 1200, 0, ASPECT_4_3 },
    { 1152, 864, 0, ASPECT_4_3 },    { 1280, 960, 0, ASPECT_4_3 },
};

static bool offered(const struct edid_wish *w, const struct mode *m)
{
    return (!w->max_width || m->width <= w->max_width) &&
           (!w->max_height || m->height <= w->max_height);
}

static void put_modes(const struct edid_wish *w, uint8_t *out)
{
    unsigned at = 38;

    memset(out + at, 0x01, 16); /* unused */
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        const struct mode *m = &modes[i];

        if (!offered(w, m))
            continue;
        if (m->at) {
            out[m->at] |= m->value;
        } else {
            out[at++] = (uint8_t)(m->width / 8 - 31);
            out[at++] = (uint8_t)(m->value << 6);
        }
    }
}

/* 3.10.2. Blanking of CVT 1.1 with reduced blanks, where the clock's 16 bits allow. */
static void put_timing(const struct edid_wish *w, uint8_t *d)
{
    unsigned x = w->width, y = w->height, hblank = 160, front = 48, sync = 32;
    unsigned vblank = MAX(y * 4 / 100, 23), vfront = 3, vsync = 6;
    uint64_t clock = (uint64_t)(x + hblank) * (y + vblank) * w->refresh_mhz / 10000000;
    unsigned width_mm = x * 254 / (10 * DPI), height_mm = y * 254 / (10 * DPI);

    stw_le(d, (uint16_t)CLAMP(clock, 1, 0xffff));
    d[2] = (uint8_t)x;
    d[3] = (uint8_t)hblank;
    d[4] = (uint8_t)(x >> 8 << 4 | hblank >> 8);
    d[5] = (uint8_t)y;
    d[6] = (uint8_t)vblank;
    d[7] = (uint8_t)(y >> 8 << 4 | vblank >> 8);
    d[8] = (uint8_t)front;
    d[9] = (uint8_t)sync;
    d[10] = (uint8_t)(vfront << 4 | vsync);
    d[12] = (uint8_t)width_mm;
    d[13] = (uint8_t)height_mm;
    d[14] = (uint8_t)(width_mm >> 8 << 4 | height_mm >> 8);
    d[17] = 0x18; /* digital separate syncs */
}

/* 3.10.3 */
static uint8_t *descriptor(uint8_t *out, unsigned n, uint8_t tag)
{
    uint8_t *d = out + DETAILED + n * DESCRIPTOR_SIZE;

    d[3] = tag;
    return d + 5;
}

static void put_descriptors(uint8_t *out)
{
    static const uint8_t limits[13] = { EDID_HZ_MIN, EDID_HZ_MAX, 30,  160, 66,  1,  0x0a,
                                        ' ',         ' ',         ' ', ' ', ' ', ' ' };

    memcpy(descriptor(out, 1, 0xfd), limits, sizeof(limits));
    memcpy(descriptor(out, 2, 0xfc), "Myna Monitor\n", 13);
    descriptor(out, 3, 0x10);
}

void edid_make(const struct edid_wish *wish, uint8_t out[EDID_SIZE])
{
    static const uint8_t header[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
    static const uint8_t srgb[10] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };
    struct edid_wish w = *wish;
    uint8_t sum = 0;

    if (!w.width || !w.height) {
        w.width = 1280;
        w.height = 800;
    }
    if (!w.refresh_mhz)
        w.refresh_mhz = 75000;
    memset(out, 0, EDID_SIZE);
    memcpy(out, header, sizeof(header));
    out[8] = 0x49; /* the manufacturer and product that guests know from QEMU */
    out[9] = 0x14;
    stw_le(out + 10, 0x1234);
    out[16] = 42; /* week and year */
    out[17] = 2014 - 1990;
    out[18] = 1;
    out[19] = 4;
    out[20] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
    out[21] = (uint8_t)MIN(w.width * 254 / (100 * DPI), 255);
    out[22] = (uint8_t)MIN(w.height * 254 / (100 * DPI), 255);
    out[23] = 220 - 100; /* gamma */
    out[24] = 0x06;      /* sRGB, the first timing is the preferred */
    memcpy(out + 25, srgb, sizeof(srgb));
    put_modes(&w, out);
    put_timing(&w, out + DETAILED);
    put_descriptors(out);
    for (unsigned i = 0; i < EDID_SIZE - 1; i++)
        sum = (uint8_t)(sum + out[i]);
    out[EDID_SIZE - 1] = (uint8_t)-sum;
}
