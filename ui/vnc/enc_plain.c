/* Encodings without compression: raw and hextile (RFC 6143, 7.7.1 and 7.7.4). */
#include "vnc.h"

unsigned encode_raw(struct client *c, const struct rect *r)
{
    rect_header(c->out, r, ENC_RAW);
    for (unsigned y = 0; y < r->height; y++)
        pixels_put(&c->format, snap_row(c, r->x, r->y + y), r->width, c->out);
    return 1;
}

/* ---- hextile ---- */

enum { TILE = 16, HEX_RAW = 1, HEX_BACK = 2, HEX_FORE = 4, HEX_ANY = 8, HEX_COLOURED = 16 };

/* What the client remembers from tile to tile. */
struct hextile {
    struct client *c;
    uint32_t back, fore;
    bool has_back, has_fore;
};

/* The colour that most pixels of a tile have, and another one. */
static void two_colors(const struct client *c, const struct rect *t, const uint32_t *colors,
                       unsigned n, uint32_t *back, uint32_t *fore)
{
    unsigned count[2] = { 0, 0 };

    for (unsigned y = 0; y < t->height && n == 2; y++) {
        const uint32_t *row = snap_row(c, t->x, t->y + y);

        for (unsigned x = 0; x < t->width; x++)
            count[row[x] == colors[1]]++;
    }
    *back = colors[count[1] > count[0]];
    *fore = colors[!(count[1] > count[0])];
}

/* The largest rectangle of one colour whose top left corner is (x, y), wide before high. */
static void find_sub(const struct client *c, const struct rect *t, const bool *done, unsigned x,
                     unsigned y, unsigned *w, unsigned *h)
{
    uint32_t color = snap_row(c, t->x, t->y + y)[x];
    bool same = true;

    for (*w = 1; x + *w < t->width && !done[y * TILE + x + *w] &&
                 snap_row(c, t->x, t->y + y)[x + *w] == color;)
        ++*w;
    for (*h = 1; y + *h < t->height && same;) {
        const uint32_t *row = snap_row(c, t->x, t->y + y + *h);

        for (unsigned i = x; i < x + *w && same; i++)
            same = row[i] == color && !done[(y + *h) * TILE + i];
        if (same)
            ++*h;
    }
}

/* Appends the subrectangles that are not background; false: raw would be shorter. */
static bool put_subs(struct hextile *x, const struct rect *t, bool coloured, size_t limit)
{
    struct client *c = x->c;
    bool done[TILE * TILE] = { false };
    guint count_at = c->scratch->len;
    unsigned n = 0;

    put8(c->scratch, 0);
    for (unsigned ty = 0; ty < t->height; ty++) {
        for (unsigned tx = 0; tx < t->width; tx++) {
            const uint32_t *px = snap_row(c, t->x, t->y + ty) + tx;
            unsigned w, h;

            if (done[ty * TILE + tx] || *px == x->back)
                continue;
            find_sub(c, t, done, tx, ty, &w, &h);
            for (unsigned i = 0; i < w * h; i++)
                done[(ty + i / w) * TILE + tx + i % w] = true;
            if (coloured)
                pixels_put(&c->format, px, 1, c->scratch);
            put8(c->scratch, tx << 4 | ty);
            put8(c->scratch, (w - 1) << 4 | (h - 1));
            if (++n > 255 || c->scratch->len > limit)
                return false;
        }
    }
    c->scratch->data[count_at] = (uint8_t)n;
    return true;
}

static void put_raw_tile(struct hextile *x, const struct rect *t)
{
    put8(x->c->out, HEX_RAW);
    for (unsigned y = 0; y < t->height; y++)
        pixels_put(&x->c->format, snap_row(x->c, t->x, t->y + y), t->width, x->c->out);
    x->has_back = x->has_fore = false; /* 7.7.4: not carried over a raw tile */
}

static void put_tile(struct hextile *x, const struct rect *t)
{
    struct client *c = x->c;
    unsigned n, flags = 0;
    uint32_t colors[2], back, fore;

    n = count_colors(c, t, colors, 2);
    g_byte_array_set_size(c->scratch, 0);
    two_colors(c, t, colors, n, &back, &fore);
    if (!x->has_back || x->back != back)
        flags |= HEX_BACK;
    x->back = back;
    x->has_back = true;
    if (n == 2 && (!x->has_fore || x->fore != fore))
        flags |= HEX_FORE;
    if (n > 1)
        flags |= HEX_ANY | (n > 2 ? HEX_COLOURED : 0);
    if (n > 1 && !put_subs(x, t, n > 2, (size_t)t->width * t->height * c->format.bytes)) {
        put_raw_tile(x, t);
        return;
    }
    put8(c->out, flags);
    if (flags & HEX_BACK)
        pixels_put(&c->format, &back, 1, c->out);
    if (flags & HEX_FORE)
        pixels_put(&c->format, &fore, 1, c->out);
    if (n == 2) {
        x->fore = fore;
        x->has_fore = true;
    } else if (n > 2) {
        x->has_fore = false;
    }
    client_put(c, c->scratch->data, c->scratch->len);
}

unsigned encode_hextile(struct client *c, const struct rect *r)
{
    struct hextile x = { .c = c };

    rect_header(c->out, r, ENC_HEXTILE);
    for (unsigned y = 0; y < r->height; y += TILE)
        for (unsigned tx = 0; tx < r->width; tx += TILE)
            put_tile(&x, &(struct rect){ r->x + tx, r->y + y, MIN(TILE, r->width - tx),
                                         MIN(TILE, r->height - y) });
    return 1;
}
