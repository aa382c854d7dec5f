/*
 * The extended clipboard (rfbproto, "Extended Clipboard Pseudo-Encoding"): UTF-8 text, packed by
 * zlib. The side that copied tells what it has; the other one asks for it. Only text is handled.
 */
#include "vnc.h"

enum { FORMAT_TEXT = 1 << 0 };
enum {
    ACTION_CAPS = 1 << 24,
    ACTION_REQUEST = 1 << 25,
    ACTION_PEEK = 1 << 26,
    ACTION_NOTIFY = 1 << 27,
    ACTION_PROVIDE = 1 << 28,
    ACTIONS = 0x1f << 24,
};
enum { MSG_CUT_TEXT = 3 };

static void put_message(struct client *c, uint32_t flags, const uint8_t *data, size_t len)
{
    put8(c->out, MSG_CUT_TEXT);
    put8(c->out, 0);
    put16(c->out, 0);
    put32(c->out, (uint32_t) - (int32_t)(4 + len));
    put32(c->out, flags);
    client_put(c, data, len);
}

void clip_send_caps(struct client *c)
{
#ifdef CONFIG_ZLIB
    const uint8_t limit[4] = { 0, CLIPBOARD_MAX >> 16 & 0xff, CLIPBOARD_MAX >> 8 & 0xff, 0 };

    put_message(c, FORMAT_TEXT | ACTIONS, limit, sizeof(limit));
#else
    c->features &= ~(unsigned)CAN_CLIPBOARD;
#endif
}

static void send_latin1(struct client *c, const char *text)
{
    gsize len;
    g_autofree char *latin =
        g_convert_with_fallback(text, -1, "ISO-8859-1", "UTF-8", "?", NULL, &len, NULL);

    if (!latin)
        return;
    put8(c->out, MSG_CUT_TEXT);
    put8(c->out, 0);
    put16(c->out, 0);
    put32(c->out, (uint32_t)len);
    client_put(c, latin, len);
}

void clip_send_text(struct client *c, const char *text)
{
    if (c->features & CAN_CLIPBOARD && c->clip_flags & ACTION_NOTIFY)
        put_message(c, FORMAT_TEXT | ACTION_NOTIFY, NULL, 0);
    else
        send_latin1(c, text);
}

#ifdef CONFIG_ZLIB

/* "\r\n" ends lines on the wire, and a zero the text. */
static void provide(struct client *c)
{
    g_autoptr(GByteArray) plain = g_byte_array_new(), packed = g_byte_array_new();
    g_auto(GStrv) lines = NULL;
    g_autofree char *text = NULL;
    struct packer p = { 0 };

    pthread_mutex_lock(&c->vnc->lock);
    text = g_strdup(c->vnc->clip_text ? c->vnc->clip_text : "");
    pthread_mutex_unlock(&c->vnc->lock);
    lines = g_strsplit(text, "\n", -1);
    g_free(text);
    text = g_strjoinv("\r\n", lines);
    put32(plain, (uint32_t)strlen(text) + 1);
    g_byte_array_append(plain, (const uint8_t *)text, (guint)strlen(text) + 1);
    if (packer_run(&p, -1, plain->data, plain->len, packed))
        put_message(c, FORMAT_TEXT | ACTION_PROVIDE, packed->data, packed->len);
    packer_end(&p);
}

/* The bytes behind `z`, exactly; false: there are not so many. */
static bool unpack(z_stream *z, void *to, size_t len)
{
    z->next_out = to;
    z->avail_out = (uInt)len;
    return inflate(z, Z_SYNC_FLUSH) >= 0 && z->avail_out == 0;
}

static char *unpack_text(const uint8_t *p, size_t len)
{
    z_stream z = { .next_in = (Bytef *)p, .avail_in = (uInt)len };
    uint8_t head[4];
    char *text = NULL;
    uint32_t n;

    if (inflateInit(&z) != Z_OK)
        return NULL;
    if (unpack(&z, head, sizeof(head))) {
        n = (uint32_t)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
        text = n <= CLIPBOARD_MAX ? g_try_malloc0(n + 1) : NULL;
        if (text && n && !unpack(&z, text, n))
            g_clear_pointer(&text, g_free);
    }
    inflateEnd(&z);
    return text;
}

static void take_text(struct client *c, const uint8_t *p, size_t len)
{
    g_autofree char *text = unpack_text(p, len);
    g_auto(GStrv) lines = NULL;

    if (!text)
        return;
    lines = g_strsplit(text, "\r\n", -1);
    vnc_post(c, &(struct event){ .kind = EV_CLIPBOARD, .text = g_strjoinv("\n", lines) });
}

int clip_message(struct client *c, const uint8_t *p, size_t len)
{
    uint32_t flags;

    if (len < 4)
        return 0;
    flags = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
    if (flags & ACTION_CAPS)
        c->clip_flags = flags;
    else if (!(flags & FORMAT_TEXT))
        return 1; /* of no interest */
    else if (flags & ACTION_NOTIFY)
        put_message(c, FORMAT_TEXT | ACTION_REQUEST, NULL, 0);
    else if (flags & ACTION_REQUEST)
        provide(c);
    else if (flags & ACTION_PROVIDE)
        take_text(c, p + 4, len - 4);
    return 1;
}

#else

int clip_message(struct client *c, const uint8_t *p, size_t len)
{
    (void)c, (void)p, (void)len;
    return 1;
}

#endif
