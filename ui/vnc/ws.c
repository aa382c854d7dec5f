/* WebSocket (RFC 6455), the server's side: the opening by HTTP, and frames. */
#include "vnc.h"

enum { HEADER_MAX = 8192, FRAME_MAX = MESSAGE_MAX };
enum { OP_MORE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { FIN = 0x80, MASKED = 0x80, CONTROL_MAX = 125 };

struct websocket {
    GByteArray *raw; /* not yet understood */
    bool open, closed;
};

struct websocket *ws_new(void)
{
    struct websocket *ws = g_new0(struct websocket, 1);

    ws->raw = g_byte_array_new();
    return ws;
}

void ws_free(struct websocket *ws)
{
    if (!ws)
        return;
    g_byte_array_unref(ws->raw);
    g_free(ws);
}

bool ws_open(const struct websocket *ws)
{
    return ws->open;
}

/* ---- the opening (4.2) ---- */

/* Value of a header, to be freed; NULL where it is missing. */
static char *header(char *const *lines, const char *name)
{
    size_t len = strlen(name);

    for (; *lines; lines++)
        if (g_ascii_strncasecmp(*lines, name, len) == 0 && (*lines)[len] == ':')
            return g_strstrip(g_strdup(*lines + len + 1));
    return NULL;
}

/* Whether a list "a, b" has the word. */
static bool has_word(const char *list, const char *word)
{
    g_auto(GStrv) words = g_strsplit(list ? list : "", ",", -1);

    for (char **w = words; *w; w++)
        if (g_ascii_strcasecmp(g_strstrip(*w), word) == 0)
            return true;
    return false;
}

/* 4.2.2, 5.4 */
static char *accept_key(const char *key)
{
    g_autofree char *all = g_strconcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", NULL);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    uint8_t digest[20];
    gsize len = sizeof(digest);

    g_checksum_update(sum, (const guchar *)all, -1);
    g_checksum_get_digest(sum, digest, &len);
    return g_base64_encode(digest, len);
}

static void refuse(GByteArray *reply)
{
    static const char text[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                               "Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n";

    g_byte_array_append(reply, (const uint8_t *)text, sizeof(text) - 1);
}

static bool answer(struct websocket *ws, char *const *lines, GByteArray *reply)
{
    g_autofree char *upgrade = header(lines, "Upgrade"), *connection = header(lines, "Connection");
    g_autofree char *version = header(lines, "Sec-WebSocket-Version");
    g_autofree char *key = header(lines, "Sec-WebSocket-Key");
    g_autofree char *protocols = header(lines, "Sec-WebSocket-Protocol");
    g_autofree char *accepted = NULL, *text = NULL;

    if (!g_str_has_prefix(lines[0], "GET ") || !has_word(upgrade, "websocket") ||
        !has_word(connection, "Upgrade") || g_strcmp0(version, "13") != 0 || !key) {
        refuse(reply);
        return false;
    }
    accepted = accept_key(key);
    text = g_strdup_printf(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
        accepted, has_word(protocols, "binary") ? "Sec-WebSocket-Protocol: binary\r\n" : "");
    g_byte_array_append(reply, (const uint8_t *)text, (guint)strlen(text));
    ws->open = true;
    return true;
}

/* False: that is no opening, or it was refused. */
static bool take_opening(struct websocket *ws, GByteArray *reply)
{
    const char *end = g_strstr_len((const char *)ws->raw->data, ws->raw->len, "\r\n\r\n");
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    size_t len;

    if (!end)
        return ws->raw->len < HEADER_MAX;
    len = (size_t)(end - (const char *)ws->raw->data);
    text = g_strndup((const char *)ws->raw->data, len);
    g_byte_array_remove_range(ws->raw, 0, (guint)len + 4);
    lines = g_strsplit(text, "\r\n", -1);
    return lines[0] && answer(ws, lines, reply);
}

/* ---- frames (5) ---- */

static void put_head(GByteArray *a, unsigned op, size_t len)
{
    put8(a, FIN | op);
    if (len < 126) {
        put8(a, (unsigned)len);
    } else if (len < 65536) {
        put8(a, 126);
        put16(a, (unsigned)len);
    } else {
        put8(a, 127);
        put32(a, 0);
        put32(a, (uint32_t)len);
    }
}

void ws_frame(const uint8_t *buf, size_t len, GByteArray *out)
{
    put_head(out, OP_BINARY, len);
    g_byte_array_append(out, buf, (guint)len);
}

struct frame {
    unsigned op;
    size_t head, len;
    bool fin;
};

/* 1: all of it is there, 0: not yet, -1: not allowed. */
static int parse_frame(const GByteArray *raw, struct frame *f)
{
    const uint8_t *p = raw->data;
    uint64_t len;

    if (raw->len < 2)
        return 0;
    f->op = p[0] & 15;
    f->fin = p[0] & FIN;
    f->head = 2;
    len = p[1] & 0x7f;
    if (p[0] & 0x70 || !(p[1] & MASKED)) /* 5.1: clients mask */
        return -1;
    if (len >= 126) {
        unsigned more = len == 126 ? 2 : 8;

        if (raw->len < 2 + more)
            return 0;
        len = 0;
        for (unsigned i = 0; i < more; i++)
            len = len << 8 | p[2 + i];
        f->head += more;
    }
    if (len > FRAME_MAX || (f->op >= OP_CLOSE && (len > CONTROL_MAX || !f->fin)))
        return -1;
    f->len = (size_t)len;
    f->head += 4;
    return raw->len >= f->head + f->len;
}

static bool take_frame(struct websocket *ws, const struct frame *f, GByteArray *in,
                       GByteArray *reply)
{
    uint8_t *data = ws->raw->data + f->head;
    const uint8_t *mask = data - 4;

    for (size_t i = 0; i < f->len; i++)
        data[i] ^= mask[i % 4];
    switch (f->op) {
    case OP_MORE:
    case OP_BINARY: g_byte_array_append(in, data, (guint)f->len); return true;
    case OP_PING:
        put_head(reply, OP_PONG, f->len);
        g_byte_array_append(reply, data, (guint)f->len);
        return true;
    case OP_PONG: return true;
    case OP_CLOSE: ws->closed = true; return false;
    default: return false;
    }
}

bool ws_receive(struct websocket *ws, const uint8_t *buf, size_t len, GByteArray *in,
                GByteArray *reply)
{
    struct frame f;
    int there = 0;

    g_byte_array_append(ws->raw, buf, (guint)len);
    if (!ws->open && !take_opening(ws, reply))
        return false;
    while (ws->open && (there = parse_frame(ws->raw, &f)) == 1) {
        if (!take_frame(ws, &f, in, reply))
            return false;
        g_byte_array_remove_range(ws->raw, 0, (guint)(f.head + f.len));
    }
    return there >= 0;
}
