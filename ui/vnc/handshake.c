/* From the first byte to ServerInit: version, security, VeNCrypt, and who is let in (RFC 6143, 7.1
 * to 7.3; rfbproto, "VeNCrypt"). */
#include "vnc.h"

enum { SEC_INVALID = 0, SEC_NONE = 1, SEC_VNC = 2, SEC_VENCRYPT = 19 };
enum { SUB_TLS_NONE = 257, SUB_TLS_VNC = 258, SUB_X509_NONE = 260, SUB_X509_VNC = 261 };
enum { VERSION_LEN = 12 };

static client_fn got_version, got_security, got_vencrypt_version, got_subtype, got_init;

void handshake_begin(struct client *c)
{
    client_put(c, "RFB 003.008\n", VERSION_LEN);
    c->next = got_version;
}

static void put_reason(struct client *c, const char *why)
{
    put32(c->out, (uint32_t)strlen(why));
    client_put(c, why, strlen(why));
}

void handshake_failed(struct client *c, const char *why)
{
    put32(c->out, 1);
    if (c->minor >= 8)
        put_reason(c, why);
    c->closing = true;
}

static int32_t wanted_security(const struct client *c)
{
    if (c->trusted)
        return SEC_NONE;
    /* behind TLS of the WebSocket itself there is no need for another */
    if (c->vnc->cfg.has_tls && !c->websocket_port)
        return SEC_VENCRYPT;
    return c->vnc->cfg.ask_password ? SEC_VNC : SEC_NONE;
}

/* 7.1.2: version 3.3 is told which one it is. */
static int security_33(struct client *c)
{
    int32_t s = wanted_security(c);

    if (s == SEC_VENCRYPT) {
        put32(c->out, SEC_INVALID);
        put_reason(c, "this server wants TLS, which version 3.3 of the protocol has not");
        c->closing = true;
        return 0;
    }
    put32(c->out, (uint32_t)s);
    if (s == SEC_VNC)
        auth_begin(c);
    else
        c->next = got_init;
    return 0;
}

/* "RFB 003.00x\n"; what is not known counts as 3.3, as the RFC says. */
static int got_version(struct client *c, const uint8_t *buf, size_t len)
{
    char text[VERSION_LEN + 1] = { 0 };
    unsigned major, minor;

    if (len < VERSION_LEN)
        return memcmp(buf, "RFB ", MIN(len, 4)) == 0 ? 0 : -1;
    memcpy(text, buf, VERSION_LEN);
    if (sscanf(text, "RFB %3u.%3u\n", &major, &minor) != 2 || major < 3)
        return -1;
    c->minor = major > 3 || minor >= 8 ? 8 : minor == 7 ? 7 : 3;
    if (c->minor == 3) {
        security_33(c);
        return VERSION_LEN;
    }
    put8(c->out, 1);
    put8(c->out, (unsigned)wanted_security(c));
    c->next = got_security;
    return VERSION_LEN;
}

static void let_in(struct client *c)
{
    if (c->minor >= 8)
        put32(c->out, 0);
    c->next = got_init;
}

static int got_security(struct client *c, const uint8_t *buf, size_t len)
{
    (void)len;
    if (buf[0] != wanted_security(c))
        return -1;
    c->security = buf[0];
    switch (c->security) {
    case SEC_VNC: auth_begin(c); break;
    case SEC_VENCRYPT:
        put8(c->out, 0);
        put8(c->out, 2);
        c->next = got_vencrypt_version;
        break;
    default: let_in(c); break;
    }
    return 1;
}

/* ---- VeNCrypt ---- */

static int32_t wanted_subtype(const struct client *c)
{
    if (c->vnc->cfg.tls.dir)
        return c->vnc->cfg.ask_password ? SUB_X509_VNC : SUB_X509_NONE;
    return c->vnc->cfg.ask_password ? SUB_TLS_VNC : SUB_TLS_NONE;
}

static int got_vencrypt_version(struct client *c, const uint8_t *buf, size_t len)
{
    if (len < 2)
        return 0;
    if (buf[0] != 0 || buf[1] != 2) {
        put8(c->out, 0xff);
        c->closing = true;
        return 2;
    }
    put8(c->out, 0);
    put8(c->out, 1);
    put32(c->out, (uint32_t)wanted_subtype(c));
    c->next = got_subtype;
    return 2;
}

static int got_subtype(struct client *c, const uint8_t *buf, size_t len)
{
    GError *why = NULL;

    if (len < 4)
        return 0;
    if ((buf[0] << 24 | buf[1] << 16 | buf[2] << 8 | buf[3]) != wanted_subtype(c))
        return -1;
    c->tls = tls_new(c, &why);
    if (!c->tls) {
        put8(c->out, 0);
        c->closing = true;
        g_clear_error(&why);
        return 4;
    }
    /* this byte goes out in the clear, so the handshake waits until it has gone */
    put8(c->out, 1);
    c->tls_shaking = true;
    return 4;
}

int handshake_tls_done(struct client *c)
{
    if (c->websocket_port)
        return 0;
    if (c->vnc->cfg.ask_password)
        auth_begin(c);
    else
        let_in(c);
    return 0;
}

/* ---- ClientInit, ServerInit ---- */

/* 7.1.3: after a password, all versions are told how it went. */
void handshake_authenticated(struct client *c)
{
    put32(c->out, 0);
    c->next = got_init;
}

/* An exclusive client sends the others away, unless they are kept by share=. */
static bool admit(struct client *c, bool shared)
{
    struct vnc *v = c->vnc;
    bool exclusive = !shared && v->cfg.share == VNC_ALLOW_EXCLUSIVE;
    bool ok = shared || v->cfg.share != VNC_FORCE_SHARED;

    pthread_mutex_lock(&v->lock);
    for (unsigned i = 0; i < v->clients->len && ok; i++) {
        struct client *o = v->clients->pdata[i];

        if (o == c || !o->initialized || v->cfg.share == VNC_IGNORE)
            continue;
        if (exclusive) {
            o->quit = true;
            vnc_wake(o);
        } else if (!o->shared) {
            ok = false; /* somebody wanted to be alone, and is */
        }
    }
    c->shared = shared;
    c->initialized = ok;
    pthread_mutex_unlock(&v->lock);
    return ok;
}

static int got_init(struct client *c, const uint8_t *buf, size_t len)
{
    struct vnc *v = c->vnc;

    (void)len;
    if (!admit(c, buf[0]))
        return -1;
    pthread_mutex_lock(&v->lock);
    c->width = v->width;
    c->height = v->height;
    if (!vnc_dirty_new(v, c)) {
        pthread_mutex_unlock(&v->lock);
        return -1;
    }
    put16(c->out, c->width);
    put16(c->out, c->height);
    pixel_format_put(&c->format, c->out);
    put_reason(c, v->name);
    pthread_mutex_unlock(&v->lock);
    c->ready = true;
    c->deadline = 0;
    c->next = message_next;
    vnc_post(c, &(struct event){ .kind = EV_INITIALIZED });
    return 1;
}
