/* Pixels in the formats that clients ask for (RFC 6143, 7.4). */
#include "vnc.h"

void pixel_format_native(struct pixel_format *f)
{
    *f = (struct pixel_format){
        .bytes = 4,
        .big_endian = G_BYTE_ORDER == G_BIG_ENDIAN,
        .max = { 255, 255, 255 },
        .shift = { 16, 8, 0 },
        .native = true,
        .compact = true,
        .depth = 24,
        .cpixel_at = G_BYTE_ORDER == G_BIG_ENDIAN,
    };
}

static unsigned bits_of(unsigned max)
{
    return (unsigned)__builtin_popcount(max);
}

/* Whether a maximum is 2^n - 1 and its field is inside of the pixel. */
static bool field_ok(const struct pixel_format *f, unsigned i)
{
    unsigned max = f->max[i];

    return max && (max & (max + 1)) == 0 && max <= 255 &&
           f->shift[i] + bits_of(max) <= 8 * f->bytes;
}

/* 7.7.6: of 32 bits, three bytes are enough where all colours are in the low or in the high ones.
 */
static void find_compact(struct pixel_format *f)
{
    uint32_t used = 0;

    for (unsigned i = 0; i < 3; i++)
        used |= (uint32_t)f->max[i] << f->shift[i];
    f->compact = f->bytes == 4 && f->depth <= 24 && (!(used >> 24) || !(used & 0xff));
    f->cpixel_at = (used >> 24 ? 1 : 0) ^ (f->big_endian ? 1 : 0);
}

bool pixel_format_parse(struct pixel_format *f, const uint8_t *p)
{
    struct pixel_format n = { .bytes = p[0] / 8u, .depth = p[1], .big_endian = p[2] };
    struct pixel_format own;

    if (p[0] != 8 && p[0] != 16 && p[0] != 32)
        return false;
    if (!p[3]) {
        /* a palette: the server may set one, and one that is like 3-3-2 bits serves all */
        if (p[0] != 8)
            return false;
        n.max[0] = n.max[1] = 7;
        n.max[2] = 3;
        n.shift[1] = 3;
        n.shift[2] = 6;
        n.depth = 8;
    } else {
        for (unsigned i = 0; i < 3; i++) {
            n.max[i] = (uint16_t)(p[4 + 2 * i] << 8 | p[5 + 2 * i]);
            n.shift[i] = p[10 + i];
        }
    }
    for (unsigned i = 0; i < 3; i++)
        if (!field_ok(&n, i))
            return false;
    find_compact(&n);
    pixel_format_native(&own);
    n.native = n.bytes == 4 && n.big_endian == own.big_endian &&
               memcmp(n.max, own.max, sizeof(n.max)) == 0 &&
               memcmp(n.shift, own.shift, sizeof(n.shift)) == 0;
    *f = n;
    return true;
}

void pixel_format_put(const struct pixel_format *f, GByteArray *a)
{
    put8(a, 8 * f->bytes);
    put8(a, f->depth);
    put8(a, f->big_endian);
    put8(a, 1);
    for (unsigned i = 0; i < 3; i++)
        put16(a, f->max[i]);
    for (unsigned i = 0; i < 3; i++)
        put8(a, f->shift[i]);
    g_byte_array_append(a, (const uint8_t *)"\0\0", 3);
}

static uint32_t convert(const struct pixel_format *f, uint32_t px)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 3; i++)
        v |= (px >> (16 - 8 * i) & 0xff) >> (8 - bits_of(f->max[i])) << f->shift[i];
    return v;
}

static void store(const struct pixel_format *f, uint32_t v, uint8_t *out)
{
    for (unsigned i = 0; i < f->bytes; i++)
        out[f->big_endian ? f->bytes - 1 - i : i] = (uint8_t)(v >> 8 * i);
}

/* Room for `n` bytes at the end of `a`. */
static uint8_t *extend(GByteArray *a, size_t n)
{
    guint at = a->len;

    g_byte_array_set_size(a, at + (guint)n);
    return a->data + at;
}

void pixels_put(const struct pixel_format *f, const uint32_t *px, unsigned n, GByteArray *a)
{
    uint8_t *out = extend(a, (size_t)n * f->bytes);

    if (f->native) {
        memcpy(out, px, 4 * (size_t)n);
        return;
    }
    for (unsigned i = 0; i < n; i++, out += f->bytes)
        store(f, convert(f, px[i]), out);
}

void cpixels_put(const struct pixel_format *f, const uint32_t *px, unsigned n, GByteArray *a)
{
    uint8_t four[4], *out;

    if (!f->compact) {
        pixels_put(f, px, n, a);
        return;
    }
    out = extend(a, 3 * (size_t)n);
    for (unsigned i = 0; i < n; i++, out += 3) {
        store(f, convert(f, px[i]), four);
        memcpy(out, four + f->cpixel_at, 3);
    }
}

/* Tight's own: with eight bits a colour, red, green, blue in this order. */
void tpixels_put(const struct pixel_format *f, const uint32_t *px, unsigned n, GByteArray *a)
{
    uint8_t *out;

    if (f->bytes != 4 || f->depth != 24 || f->max[0] != 255 || f->max[1] != 255 ||
        f->max[2] != 255) {
        pixels_put(f, px, n, a);
        return;
    }
    out = extend(a, 3 * (size_t)n);
    for (unsigned i = 0; i < n; i++) {
        *out++ = (uint8_t)(px[i] >> 16);
        *out++ = (uint8_t)(px[i] >> 8);
        *out++ = (uint8_t)px[i];
    }
}

unsigned count_colors(const struct client *c, const struct rect *r, uint32_t *colors, unsigned max)
{
    unsigned n = 0, last = 0;

    for (unsigned y = 0; y < r->height; y++) {
        const uint32_t *row = snap_row(c, r->x, r->y + y);

        for (unsigned x = 0; x < r->width; x++) {
            unsigned i = 0;

            if (n && row[x] == colors[last])
                continue;
            while (i < n && colors[i] != row[x])
                i++;
            if (i == n) {
                if (n == max)
                    return max + 1;
                colors[n++] = row[x];
            }
            last = i;
        }
    }
    return n;
}
