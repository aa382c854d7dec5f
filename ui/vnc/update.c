/* Framebuffer updates: which parts changed, a copy of them, and their encoding (RFC 6143, 7.6.1).
 */
#include "vnc.h"

enum { RECTS_MAX = 4096, MSG_UPDATE = 0, MSG_CUT_TEXT = 3, MSG_XVP = 250, XVP_INIT = 1 };
enum { REASON_SERVER = 0, REASON_CLIENT = 1 };

/* What an update is made of, taken under the lock. */
struct update {
    unsigned news;
    GArray *rects; /* of struct rect */
    struct cursor *cursor;
    bool absolute;
    unsigned leds;
    char *name, *clip;
    bool resized;
    unsigned width, height; /* of the desktop */
    uint8_t size_status;
};

/* ---- which parts ---- */

static bool bit(const uint64_t *row, unsigned i)
{
    return row[i / 64] >> i % 64 & 1;
}

static bool run_set(const uint64_t *row, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (!bit(row, i))
            return false;
    return true;
}

static void clear_run(uint64_t *row, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        row[i / 64] &= ~(UINT64_C(1) << i % 64);
}

/* The run that begins at bit `from`, and down as far as it goes on as it is. */
static struct rect take_run(struct client *c, unsigned from, unsigned y, const struct rect *area)
{
    unsigned words = c->vnc->dirty_words, to = from, y1 = y;
    unsigned end = (area->x + area->width + 15) >> DIRTY_SHIFT;
    struct rect r;

    while (to < end && bit(c->dirty + (size_t)y * words, to))
        to++;
    while (y1 < area->y + area->height && run_set(c->dirty + (size_t)y1 * words, from, to))
        clear_run(c->dirty + (size_t)y1++ * words, from, to);
    r.x = from << DIRTY_SHIFT;
    r.y = y;
    r.width = MIN(to << DIRTY_SHIFT, c->snap_width) - r.x;
    r.height = y1 - y;
    return r;
}

static bool row_clean(const uint64_t *row, unsigned words)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < words; i++)
        any |= row[i];
    return !any;
}

/* Dirty parts inside of `area`, whose edges are widened to whole bits. False: there were too many,
 * some are left. */
static bool take_dirty(struct client *c, const struct rect *area, GArray *rects)
{
    unsigned words = c->vnc->dirty_words;
    unsigned first = area->x >> DIRTY_SHIFT, end = (area->x + area->width + 15) >> DIRTY_SHIFT;

    for (unsigned y = area->y; y < area->y + area->height; y++) {
        const uint64_t *row = c->dirty + (size_t)y * words;

        if (row_clean(row, words))
            continue;
        for (unsigned i = first; i < end; i++) {
            struct rect r;

            if (!bit(row, i))
                continue;
            if (rects->len == RECTS_MAX)
                return false;
            r = take_run(c, i, y, area);
            g_array_append_val(rects, r);
        }
    }
    return true;
}

/* Pixels that did not change and may be sent nevertheless, where that saves a rectangle: its
 * header, and what an encoder begins and ends one with. */
static unsigned spare_pixels(int32_t encoding)
{
    switch (encoding) {
    case ENC_ZLIB:
    case ENC_ZRLE:
    case ENC_TIGHT: return 1024;
    case ENC_HEXTILE: return 64;
    default: return 3;
    }
}

static struct rect around(const struct rect *a, const struct rect *b)
{
    unsigned x = MIN(a->x, b->x), y = MIN(a->y, b->y);

    return (struct rect){ x, y, MAX(a->x + a->width, b->x + b->width) - x,
                          MAX(a->y + a->height, b->y + b->height) - y };
}

static size_t area_of(const struct rect *r)
{
    return (size_t)r->width * r->height;
}

/* Joins rectangles with those shortly before them. */
static void join_near(GArray *rects, unsigned spare)
{
    enum { LOOK_BACK = 16 };
    struct rect *all = (struct rect *)rects->data;
    unsigned n = 0;

    for (unsigned i = 0; i < rects->len; i++) {
        unsigned k = 1;

        for (; k <= MIN(n, LOOK_BACK); k++) {
            struct rect *old = &all[n - k], both = around(old, &all[i]);

            if (area_of(&both) <= area_of(old) + area_of(&all[i]) + spare) {
                *old = both;
                break;
            }
        }
        if (k > MIN(n, LOOK_BACK))
            all[n++] = all[i];
    }
    g_array_set_size(rects, n);
}

static bool snapshot(struct client *c, const GArray *rects)
{
    const struct vnc *v = c->vnc;
    size_t need = (size_t)v->width * v->height;

    if (c->pixels_room < need) {
        g_free(c->pixels);
        c->pixels = g_try_new(uint32_t, need);
        c->pixels_room = c->pixels ? need : 0;
        if (!c->pixels)
            return false;
    }
    for (unsigned i = 0; i < rects->len; i++) {
        const struct rect *r = &g_array_index(rects, struct rect, i);

        for (unsigned y = r->y; y < r->y + r->height; y++)
            memcpy(c->pixels + (size_t)y * v->width + r->x, v->shadow + (size_t)y * v->width + r->x,
                   4 * (size_t)r->width);
    }
    return true;
}

/* The part of the desktop that the client asked for, and can see. */
static bool wanted_area(const struct client *c, struct rect *area)
{
    unsigned w = MIN(c->width, c->vnc->width), h = MIN(c->height, c->vnc->height);

    *area = c->wanted;
    if (area->x >= w || area->y >= h)
        return false;
    area->width = MIN(area->width, w - area->x);
    area->height = MIN(area->height, h - area->y);
    return area->width && area->height;
}

/* ---- under the lock ---- */

static void take_size(struct client *c, struct update *u)
{
    const struct vnc *v = c->vnc;

    u->resized = c->news & NEWS_SIZE && (v->width != c->width || v->height != c->height);
    if (u->resized && c->features & (CAN_DESKTOP_SIZE | CAN_EXT_DESKTOP_SIZE)) {
        c->width = v->width;
        c->height = v->height;
        vnc_mark_all(c->vnc, c);
    }
    u->width = v->width;
    u->height = v->height;
    u->size_status = c->size_reply;
}

/* What cannot be told stays unsaid. */
static unsigned tellable(const struct client *c)
{
    unsigned f = c->features;

    return (f & (CAN_DESKTOP_SIZE | CAN_EXT_DESKTOP_SIZE) ? NEWS_SIZE : 0) |
           (f & CAN_EXT_DESKTOP_SIZE ? NEWS_SIZE_REPLY : 0) |
           (f & (CAN_CURSOR | CAN_ALPHA_CURSOR) ? NEWS_CURSOR : 0) |
           (f & CAN_POINTER_TYPE ? NEWS_POINTER_TYPE : 0) | (f & CAN_EXT_KEY ? NEWS_EXT_KEY : 0) |
           (f & CAN_LED ? NEWS_LED : 0) | (f & CAN_NAME ? NEWS_NAME : 0) | NEWS_CLIPBOARD |
           (f & CAN_XVP ? NEWS_XVP : 0);
}

/* A non-incremental request is answered even if there is nothing new in it. */
static bool nothing_to_say(const struct client *c)
{
    return !c->any_dirty && !(c->news & ~NEWS_AT_ONCE) && !c->wanted_now;
}

static bool take(struct client *c, struct update *u)
{
    struct vnc *v = c->vnc;
    struct rect area;

    c->news &= tellable(c);
    u->news = c->news & NEWS_AT_ONCE;
    if (u->news & NEWS_CLIPBOARD)
        u->clip = g_strdup(v->clip_text);
    c->news &= ~NEWS_AT_ONCE;
    if (!c->wanted.width || v->drawing || nothing_to_say(c))
        return false;
    u->news |= c->news;
    take_size(c, u);
    c->news = 0;
    c->snap_width = v->width;
    c->snap_height = v->height;
    if (u->news & NEWS_CURSOR && v->cursor)
        u->cursor = g_memdup2(v->cursor, sizeof(*v->cursor) +
                                             4 * (size_t)v->cursor->width * v->cursor->height);
    u->absolute = v->absolute;
    u->leds = v->leds;
    u->name = g_strdup(v->name);
    if (wanted_area(c, &area))
        c->any_dirty = !take_dirty(c, &area, u->rects) || c->wanted.width < c->width ||
                       c->wanted.height < c->height;
    join_near(u->rects, spare_pixels(c->encoding));
    if (!u->rects->len && !(u->news & ~NEWS_AT_ONCE) && !c->wanted_now)
        return false;
    if (!snapshot(c, u->rects)) {
        c->closing = true;
        return false;
    }
    c->wanted = (struct rect){ 0 };
    c->wanted_now = false;
    return true;
}

/* ---- pseudo-encodings ---- */

static unsigned put_size(struct client *c, const struct update *u)
{
    bool reply = u->news & NEWS_SIZE_REPLY;

    if (c->features & CAN_EXT_DESKTOP_SIZE) {
        rect_header(c->out,
                    &(struct rect){ reply ? REASON_CLIENT : REASON_SERVER,
                                    reply ? u->size_status : 0, c->width, c->height },
                    ENC_EXT_DESKTOP_SIZE);
        put8(c->out, 1);
        put8(c->out, 0), put16(c->out, 0);
        put32(c->out, 0);
        put16(c->out, 0), put16(c->out, 0);
        put16(c->out, c->width), put16(c->out, c->height);
        put32(c->out, 0);
        return 1;
    }
    if (!u->resized)
        return 0;
    rect_header(c->out, &(struct rect){ 0, 0, c->width, c->height }, ENC_DESKTOP_SIZE);
    return 1;
}

static void put_alpha_cursor(struct client *c, const struct cursor *cur)
{
    put32(c->out, ENC_RAW);
    for (unsigned i = 0; i < cur->width * cur->height; i++) {
        unsigned a = cur->pixels[i] >> 24;

        for (int shift = 16; shift >= 0; shift -= 8)
            put8(c->out, (cur->pixels[i] >> shift & 0xff) * a / 255);
        put8(c->out, a);
    }
}

static void put_plain_cursor(struct client *c, const struct cursor *cur)
{
    pixels_put(&c->format, cur->pixels, cur->width * cur->height, c->out);
    for (unsigned y = 0; y < cur->height; y++) {
        const uint32_t *row = cur->pixels + (size_t)y * cur->width;

        for (unsigned x = 0; x < cur->width; x += 8) {
            unsigned mask = 0;

            for (unsigned i = 0; i < 8 && x + i < cur->width; i++)
                mask |= (row[x + i] >> 31) << (7 - i);
            put8(c->out, mask);
        }
    }
}

static unsigned put_cursor(struct client *c, const struct cursor *cur)
{
    bool alpha = c->features & CAN_ALPHA_CURSOR;
    struct rect r = { 0 };

    if (cur)
        r = (struct rect){ cur->hot_x, cur->hot_y, cur->width, cur->height };
    rect_header(c->out, &r, alpha ? ENC_ALPHA_CURSOR : ENC_CURSOR);
    if (alpha && !cur)
        put32(c->out, ENC_RAW);
    else if (alpha)
        put_alpha_cursor(c, cur);
    else if (cur)
        put_plain_cursor(c, cur);
    return 1;
}

static unsigned put_news(struct client *c, const struct update *u)
{
    struct rect all = { 0, 0, c->width, c->height };
    unsigned n = 0;

    if (u->news & (NEWS_SIZE | NEWS_SIZE_REPLY))
        n += put_size(c, u);
    if (u->news & NEWS_CURSOR)
        n += put_cursor(c, u->cursor);
    if (u->news & NEWS_POINTER_TYPE) {
        all.x = u->absolute;
        rect_header(c->out, &all, ENC_POINTER_TYPE);
        all.x = 0;
        n++;
    }
    if (u->news & NEWS_EXT_KEY) {
        rect_header(c->out, &all, ENC_EXT_KEY);
        n++;
    }
    if (u->news & NEWS_LED) {
        rect_header(c->out, &(struct rect){ 0, 0, 1, 1 }, ENC_LED);
        put8(c->out, u->leds);
        n++;
    }
    if (u->news & NEWS_NAME) {
        rect_header(c->out, &(struct rect){ 0 }, ENC_DESKTOP_NAME);
        put32(c->out, (uint32_t)strlen(u->name));
        client_put(c, u->name, strlen(u->name));
        n++;
    }
    return n;
}

/* ---- the message ---- */

static unsigned encode(struct client *c, const struct rect *r)
{
    switch (c->encoding) {
#ifdef CONFIG_ZLIB
    case ENC_ZLIB: return encode_zlib(c, r);
    case ENC_ZRLE: return encode_zrle(c, r);
    case ENC_TIGHT: return encode_tight(c, r);
#endif
    case ENC_HEXTILE: return encode_hextile(c, r);
    default: return encode_raw(c, r);
    }
}

static void put_update(struct client *c, const struct update *u)
{
    guint at = c->out->len;
    unsigned n;

    put8(c->out, MSG_UPDATE);
    put8(c->out, 0);
    put16(c->out, 0);
    n = put_news(c, u);
    for (unsigned i = 0; i < u->rects->len; i++)
        n += encode(c, &g_array_index(u->rects, struct rect, i));
    c->out->data[at + 2] = (uint8_t)(n >> 8);
    c->out->data[at + 3] = (uint8_t)n;
}

static void put_at_once(struct client *c, const struct update *u)
{
    if (u->news & NEWS_CLIPBOARD && u->clip)
        clip_send_text(c, u->clip);
    if (u->news & NEWS_XVP && c->vnc->cfg.power_control) {
        put8(c->out, MSG_XVP);
        put8(c->out, 0);
        put8(c->out, 1);
        put8(c->out, XVP_INIT);
    }
}

bool update_send(struct client *c)
{
    struct update u = { 0 };
    bool any;

    /* a client that has not read the last one gets no other: what changes meanwhile adds up */
    c->skipped = c->out->len > 0;
    if (c->skipped)
        return true;
    u.rects = g_array_new(FALSE, FALSE, sizeof(struct rect));
    pthread_mutex_lock(&c->vnc->lock);
    any = take(c, &u);
    pthread_mutex_unlock(&c->vnc->lock);
    put_at_once(c, &u);
    if (any)
        put_update(c, &u);
    g_array_free(u.rects, TRUE);
    g_free(u.cursor);
    g_free(u.name);
    g_free(u.clip);
    return !c->closing;
}
