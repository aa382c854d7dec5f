/* What clients say once they are in (RFC 6143, 7.5; rfbproto for the extensions). */
#include "vnc.h"

enum {
    MSG_PIXEL_FORMAT = 0,
    MSG_ENCODINGS = 2,
    MSG_REQUEST = 3,
    MSG_KEY = 4,
    MSG_POINTER = 5,
    MSG_CUT_TEXT = 6,
    MSG_XVP = 250,
    MSG_SIZE = 251,
    MSG_QEMU = 255,
};
enum { QEMU_EXT_KEY = 0, ENCODINGS_MAX = 1024, SCREENS_MAX = 16 };

static unsigned get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static int pixel_format(struct client *c, const uint8_t *p, size_t len)
{
    if (len < 20)
        return 0;
    if (!pixel_format_parse(&c->format, p + 4))
        return -1;
    pthread_mutex_lock(&c->vnc->lock);
    c->news |= c->vnc->had_cursor ? NEWS_CURSOR : 0;
    pthread_mutex_unlock(&c->vnc->lock);
    return 20;
}

/* ---- SetEncodings ---- */

static const struct {
    int32_t encoding;
    enum feature feature;
    unsigned news; /* told at once */
} features[] = {
    { ENC_DESKTOP_SIZE, CAN_DESKTOP_SIZE, 0 },
    { ENC_EXT_DESKTOP_SIZE, CAN_EXT_DESKTOP_SIZE, NEWS_SIZE },
    { ENC_CURSOR, CAN_CURSOR, 0 },
    { ENC_ALPHA_CURSOR, CAN_ALPHA_CURSOR, 0 },
    { ENC_POINTER_TYPE, CAN_POINTER_TYPE, NEWS_POINTER_TYPE },
    { ENC_EXT_KEY, CAN_EXT_KEY, NEWS_EXT_KEY },
    { ENC_LED, CAN_LED, NEWS_LED },
    { ENC_DESKTOP_NAME, CAN_NAME, 0 },
    { ENC_CLIPBOARD, CAN_CLIPBOARD, 0 },
    { ENC_XVP, CAN_XVP, NEWS_XVP },
};

static bool can_encode(int32_t e)
{
    switch (e) {
#ifdef CONFIG_ZLIB
    case ENC_ZLIB:
    case ENC_TIGHT:
    case ENC_ZRLE:
#endif
    case ENC_RAW:
    case ENC_HEXTILE: return true;
    default: return false;
    }
}

/* The first encoding that is known is the one the client likes best. */
static void take_encoding(struct client *c, int32_t e, bool *chosen, unsigned *news)
{
    if (can_encode(e) && !*chosen) {
        c->encoding = e;
        *chosen = true;
    }
    if (e >= ENC_QUALITY_0 && e <= ENC_QUALITY_0 + 9)
        c->quality = e - ENC_QUALITY_0;
    if (e >= ENC_COMPRESS_0 && e <= ENC_COMPRESS_0 + 9)
        c->compress = e - ENC_COMPRESS_0;
    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
        if (features[i].encoding == e && !(c->features & features[i].feature)) {
            c->features |= features[i].feature;
            *news |= features[i].news;
        }
    }
}

static int encodings(struct client *c, const uint8_t *p, size_t len)
{
    unsigned n, news = 0, before = c->features;
    bool chosen = false;

    if (len < 4)
        return 0;
    n = get16(p + 2);
    if (n > ENCODINGS_MAX)
        return -1;
    if (len < 4 + 4 * (size_t)n)
        return 0;
    c->encoding = ENC_RAW;
    c->quality = c->compress = -1;
    c->features = 0;
    for (unsigned i = 0; i < n; i++)
        take_encoding(c, (int32_t)get32(p + 4 + 4 * i), &chosen, &news);
    if (c->features & CAN_CLIPBOARD && !(before & CAN_CLIPBOARD))
        clip_send_caps(c);
    pthread_mutex_lock(&c->vnc->lock);
    c->news |= news | (c->vnc->had_cursor ? NEWS_CURSOR : 0);
    pthread_mutex_unlock(&c->vnc->lock);
    return 4 + 4 * (int)n;
}

/* ---- requests ---- */

static void join(struct rect *to, const struct rect *r)
{
    unsigned x1, y1;

    if (!to->width) {
        *to = *r;
        return;
    }
    x1 = MAX(to->x + to->width, r->x + r->width);
    y1 = MAX(to->y + to->height, r->y + r->height);
    to->x = MIN(to->x, r->x);
    to->y = MIN(to->y, r->y);
    to->width = x1 - to->x;
    to->height = y1 - to->y;
}

static int request(struct client *c, const uint8_t *p, size_t len)
{
    struct vnc *v = c->vnc;
    struct rect r;

    if (len < 10)
        return 0;
    r = (struct rect){ get16(p + 2), get16(p + 4), get16(p + 6), get16(p + 8) };
    pthread_mutex_lock(&v->lock);
    if (!p[1])
        vnc_mark_all(v, c);
    /* one of no area still asks for news */
    r.width = MAX(r.width, 1);
    r.height = MAX(r.height, 1);
    join(&c->wanted, &r);
    c->wanted_now |= !p[1];
    pthread_mutex_unlock(&v->lock);
    return 10;
}

/* ---- keys, pointers, sizes ---- */

static int key(struct client *c, const uint8_t *p, size_t len)
{
    if (len < 8)
        return 0;
    vnc_post(c, &(struct event){ .kind = EV_KEY, .down = p[1], .keysym = get32(p + 4) });
    return 8;
}

static int pointer(struct client *c, const uint8_t *p, size_t len)
{
    if (len < 6)
        return 0;
    vnc_post(c, &(struct event){ .kind = EV_POINTER,
                                 .ext = c->features & CAN_POINTER_TYPE,
                                 .buttons = p[1],
                                 .x = get16(p + 2),
                                 .y = get16(p + 4) });
    return 6;
}

static int qemu(struct client *c, const uint8_t *p, size_t len)
{
    if (len < 2)
        return 0;
    if (p[1] != QEMU_EXT_KEY)
        return -1;
    if (len < 12)
        return 0;
    vnc_post(c, &(struct event){ .kind = EV_KEY,
                                 .ext = true,
                                 .down = get16(p + 2),
                                 .keysym = get32(p + 4),
                                 .x = get32(p + 8) });
    return 12;
}

static int cut_text(struct client *c, const uint8_t *p, size_t len)
{
    int32_t n;
    char *text;

    if (len < 8)
        return 0;
    n = (int32_t)get32(p + 4);
    if (n < 0 && (n < -CLIPBOARD_MAX || !(c->features & CAN_CLIPBOARD)))
        return -1;
    if (n > CLIPBOARD_MAX)
        return -1;
    if (len < 8 + (size_t)ABS(n))
        return 0;
    if (n < 0)
        return clip_message(c, p + 8, (size_t)-n) ? 8 - n : -1;
    /* 7.5.6: Latin-1 */
    text = g_convert((const char *)p + 8, n, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
    if (text)
        vnc_post(c, &(struct event){ .kind = EV_CLIPBOARD, .text = text });
    return 8 + n;
}

/* One screen that is all of the desktop is what there can be. */
static int desktop_size(struct client *c, const uint8_t *p, size_t len)
{
    unsigned n;

    if (len < 8)
        return 0;
    n = p[6];
    if (n > SCREENS_MAX)
        return -1;
    if (len < 8 + 16 * (size_t)n)
        return 0;
    vnc_post(c, &(struct event){ .kind = EV_SIZE,
                                 .width = MAX(get16(p + 2), 1),
                                 .height = MAX(get16(p + 4), 1) });
    return 8 + 16 * (int)n;
}

static int xvp(struct client *c, const uint8_t *p, size_t len)
{
    if (len < 4)
        return 0;
    vnc_post(c, &(struct event){ .kind = EV_XVP, .x = p[3] });
    return 4;
}

int message_next(struct client *c, const uint8_t *buf, size_t len)
{
    switch (buf[0]) {
    case MSG_PIXEL_FORMAT: return pixel_format(c, buf, len);
    case MSG_ENCODINGS: return encodings(c, buf, len);
    case MSG_REQUEST: return request(c, buf, len);
    case MSG_KEY: return key(c, buf, len);
    case MSG_POINTER: return pointer(c, buf, len);
    case MSG_CUT_TEXT: return cut_text(c, buf, len);
    case MSG_XVP: return xvp(c, buf, len);
    case MSG_SIZE: return desktop_size(c, buf, len);
    case MSG_QEMU: return qemu(c, buf, len);
    default: return -1;
    }
}
