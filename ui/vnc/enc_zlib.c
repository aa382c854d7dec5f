/* Encodings by zlib: zlib (rfbproto, 7.7.10 there) and ZRLE (RFC 6143, 7.7.6). */
#include "vnc.h"

#ifdef CONFIG_ZLIB

bool packer_run(struct packer *p, int level, const uint8_t *buf, size_t len, GByteArray *out)
{
    enum { STEP = 4096 };

    level = level < 0 ? 3 : CLAMP(level, 1, 9);
    if (!p->ready) {
        memset(&p->z, 0, sizeof(p->z));
        if (deflateInit2(&p->z, level, Z_DEFLATED, MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            return false;
        p->ready = true;
        p->level = level;
    }
    p->z.next_in = (Bytef *)buf;
    p->z.avail_in = (uInt)len;
    do {
        guint at = out->len, step = MAX(STEP, (guint)len / 4);

        g_byte_array_set_size(out, at + step);
        p->z.next_out = out->data + at;
        p->z.avail_out = step;
        if (p->level != level && deflateParams(&p->z, level, Z_DEFAULT_STRATEGY) == Z_OK)
            p->level = level;
        if (deflate(&p->z, Z_PARTIAL_FLUSH) == Z_STREAM_ERROR)
            return false;
        g_byte_array_set_size(out, at + step - p->z.avail_out);
    } while (p->z.avail_in || !p->z.avail_out);
    return true;
}

void packer_end(struct packer *p)
{
    if (p->ready)
        deflateEnd(&p->z);
    p->ready = false;
}

/* Both begin with the number of bytes that follow. */
static unsigned put_packed(struct client *c, struct packer *p, const struct rect *r,
                           int32_t encoding)
{
    g_byte_array_set_size(c->packed, 0);
    if (!packer_run(p, c->compress, c->scratch->data, c->scratch->len, c->packed))
        return encode_raw(c, r);
    rect_header(c->out, r, encoding);
    put32(c->out, c->packed->len);
    client_put(c, c->packed->data, c->packed->len);
    return 1;
}

unsigned encode_zlib(struct client *c, const struct rect *r)
{
    g_byte_array_set_size(c->scratch, 0);
    for (unsigned y = 0; y < r->height; y++)
        pixels_put(&c->format, snap_row(c, r->x, r->y + y), r->width, c->scratch);
    return put_packed(c, &c->zlib, r, ENC_ZLIB);
}

/* ---- ZRLE ---- */

enum { TILE = 64, PALETTE_MAX = 127, PACKED_MAX = 16, RLE = 128 };

struct tile {
    struct client *c;
    struct rect r;
    uint32_t colors[PALETTE_MAX];
    unsigned n;        /* colours; PALETTE_MAX + 1: more */
    unsigned runs;     /* of one colour */
    unsigned run_more; /* bytes that lengths of runs take */
    unsigned singles;  /* runs of one pixel */
    uint32_t px[TILE * TILE];
    unsigned count;
};

static void measure(struct tile *t)
{
    unsigned len = 0;

    t->count = 0;
    for (unsigned y = 0; y < t->r.height; y++) {
        memcpy(t->px + t->count, snap_row(t->c, t->r.x, t->r.y + y), 4 * t->r.width);
        t->count += t->r.width;
    }
    t->runs = t->run_more = t->singles = 0;
    for (unsigned i = 0; i < t->count; i++) {
        len++;
        if (i + 1 < t->count && t->px[i + 1] == t->px[i])
            continue;
        t->runs++;
        t->run_more += (len - 1) / 255 + 1;
        t->singles += len == 1;
        len = 0;
    }
    t->n = count_colors(t->c, &t->r, t->colors, PALETTE_MAX);
}

static unsigned color_index(const struct tile *t, uint32_t px)
{
    unsigned i = 0;

    while (t->colors[i] != px)
        i++;
    return i;
}

static void put_length(GByteArray *a, unsigned len)
{
    for (len--; len >= 255; len -= 255)
        put8(a, 255);
    put8(a, len);
}

static void put_runs(struct tile *t, GByteArray *a, bool palette)
{
    for (unsigned i = 0, len; i < t->count; i += len) {
        for (len = 1; i + len < t->count && t->px[i + len] == t->px[i];)
            len++;
        if (!palette) {
            cpixels_put(&t->c->format, t->px + i, 1, a);
            put_length(a, len);
        } else if (len == 1) {
            put8(a, color_index(t, t->px[i]));
        } else {
            put8(a, color_index(t, t->px[i]) | RLE);
            put_length(a, len);
        }
    }
}

static unsigned packed_bits(unsigned colors)
{
    return colors <= 2 ? 1 : colors <= 4 ? 2 : 4;
}

static void put_indexed(struct tile *t, GByteArray *a)
{
    unsigned bits = packed_bits(t->n);

    for (unsigned y = 0; y < t->r.height; y++) {
        const uint32_t *row = t->px + y * t->r.width;
        unsigned byte = 0, have = 0;

        for (unsigned x = 0; x < t->r.width; x++) {
            byte = byte << bits | color_index(t, row[x]);
            have += bits;
            if (have == 8) {
                put8(a, byte);
                byte = have = 0;
            }
        }
        if (have)
            put8(a, byte << (8 - have));
    }
}

static void put_tile(struct tile *t, GByteArray *a)
{
    const struct pixel_format *f = &t->c->format;
    unsigned px = f->compact ? 3 : f->bytes;
    unsigned raw = t->count * px, rle = t->runs * px + t->run_more;
    unsigned pal_rle = t->n * px + t->runs + t->run_more - t->singles;
    unsigned indexed = t->n * px + t->r.height * ((t->r.width * packed_bits(t->n) + 7) / 8);

    if (t->n == 1) {
        put8(a, 1);
        cpixels_put(f, t->px, 1, a);
        return;
    }
    if (t->n > PALETTE_MAX)
        pal_rle = UINT_MAX;
    if (t->n > PACKED_MAX)
        indexed = UINT_MAX;
    if (indexed <= pal_rle && indexed <= rle && indexed <= raw) {
        put8(a, t->n);
        cpixels_put(f, t->colors, t->n, a);
        put_indexed(t, a);
    } else if (pal_rle <= rle && pal_rle <= raw) {
        put8(a, RLE + t->n);
        cpixels_put(f, t->colors, t->n, a);
        put_runs(t, a, true);
    } else if (rle <= raw) {
        put8(a, RLE);
        put_runs(t, a, false);
    } else {
        put8(a, 0);
        cpixels_put(f, t->px, t->count, a);
    }
}

unsigned encode_zrle(struct client *c, const struct rect *r)
{
    struct tile t = { .c = c };

    g_byte_array_set_size(c->scratch, 0);
    for (unsigned y = 0; y < r->height; y += TILE) {
        for (unsigned x = 0; x < r->width; x += TILE) {
            t.r = (struct rect){ r->x + x, r->y + y, MIN(TILE, r->width - x),
                                 MIN(TILE, r->height - y) };
            measure(&t);
            put_tile(&t, c->scratch);
        }
    }
    return put_packed(c, &c->zrle, r, ENC_ZRLE);
}

#else

void packer_end(struct packer *p)
{
    (void)p;
}

#endif
