/*
 * A client's thread: waits for the socket or for news, hands bytes to whoever handles what comes
 * next, and sends. It holds no lock while it waits.
 */
#include "vnc.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_STEP = 16384, IN_MAX = MESSAGE_MAX + READ_STEP };
enum { GOODBYE_MS = 5000 }; /* for the last bytes to be taken */

/* ---- building messages ---- */

void put8(GByteArray *a, unsigned v)
{
    uint8_t b = (uint8_t)v;

    g_byte_array_append(a, &b, 1);
}

void put16(GByteArray *a, unsigned v)
{
    put8(a, v >> 8);
    put8(a, v);
}

void put32(GByteArray *a, uint32_t v)
{
    put16(a, v >> 16);
    put16(a, v);
}

void rect_header(GByteArray *a, const struct rect *r, int32_t encoding)
{
    put16(a, r->x);
    put16(a, r->y);
    put16(a, r->width);
    put16(a, r->height);
    put32(a, (uint32_t)encoding);
}

/* ---- the socket ---- */

static ssize_t raw_read(struct client *c, void *buf, size_t len)
{
    return c->tls ? tls_read(c->tls, buf, len) : recv(c->fd, buf, len, 0);
}

static ssize_t raw_write(struct client *c, const void *buf, size_t len)
{
    /* before the handshake, what is to be sent goes in the clear */
    return c->tls && !c->tls_shaking ? tls_write(c->tls, buf, len)
                                     : send(c->fd, buf, len, MSG_NOSIGNAL);
}

/* False: the other side is gone, or broke the rules. */
static bool receive(struct client *c)
{
    uint8_t buf[READ_STEP];

    while (c->in->len < IN_MAX - READ_STEP && (!c->ws || c->packed->len < REPLIES_MAX)) {
        ssize_t n = raw_read(c, buf, sizeof(buf));

        if (n == 0)
            return false;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (!c->ws)
            g_byte_array_append(c->in, buf, (guint)n);
        else if (!ws_receive(c->ws, buf, (size_t)n, c->in, c->packed))
            return false;
    }
    return true;
}

/* What the bytes in hand amount to. */
static bool handle(struct client *c)
{
    size_t used = 0;

    while (used < c->in->len && !c->closing && !c->tls_shaking && !c->full &&
           c->replies < REPLIES_MAX) {
        guint before = c->out->len;
        int n = c->next(c, c->in->data + used, c->in->len - used);

        c->replies += c->out->len - before;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        used += (size_t)n;
    }
    if (used)
        g_byte_array_remove_range(c->in, 0, (guint)used);
    return c->in->len < MESSAGE_MAX;
}

static bool flush_out(struct client *c)
{
    while (c->out_at < c->out->len) {
        ssize_t n = raw_write(c, c->out->data + c->out_at, c->out->len - c->out_at);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n <= 0)
            return false;
        c->out_at += (size_t)n;
    }
    g_byte_array_set_size(c->out, 0);
    c->out_at = c->replies = 0;
    return true;
}

/* WebSocket: what was appended since `from` becomes a frame. Their own replies come first. */
static void wrap(struct client *c, guint from)
{
    g_autoptr(GByteArray) plain = NULL;

    if (!c->ws)
        return;
    plain = g_byte_array_new();
    g_byte_array_append(plain, c->out->data + from, c->out->len - from);
    g_byte_array_set_size(c->out, from);
    if (plain->len)
        ws_frame(plain->data, plain->len, c->out);
}

/* ---- the thread ---- */

/* Whether it is to end; whether it may read more. */
static bool look(struct client *c, bool *may_read)
{
    bool quit;

    pthread_mutex_lock(&c->vnc->lock);
    quit = c->quit;
    c->full = c->queued >= EVENTS_MAX;
    *may_read = !c->full && c->replies < REPLIES_MAX;
    pthread_mutex_unlock(&c->vnc->lock);
    return quit;
}

static int timeout_ms(const struct client *c)
{
    int64_t when = c->retry && (!c->deadline || c->retry < c->deadline) ? c->retry : c->deadline;

    if (!when)
        return -1;
    return (int)CLAMP((when - g_get_monotonic_time()) / 1000, 0, HANDSHAKE_MS) + 1;
}

static bool shake(struct client *c, bool *wants_write)
{
    int done = tls_shake(c->tls, wants_write);

    if (done == 1) {
        c->tls_shaking = false;
        return handshake_tls_done(c) >= 0;
    }
    return done == 0;
}

/* TLS from the first byte (WebSocket on a server with tls-creds): then nothing else has begun. */
static bool work(struct client *c, bool may_read, bool *wants_write)
{
    guint from;

    if (c->tls_shaking && c->out->len)
        return true;
    if (c->tls_shaking && !shake(c, wants_write))
        return false;
    if (c->tls_shaking)
        return true;
    from = c->out->len;
    if (c->ws)
        g_byte_array_set_size(c->packed, 0);
    if (may_read && !receive(c)) {
        if (!c->ws || !c->packed->len)
            return false;
        c->closing = true;
    }
    if (c->ws && c->packed->len) {
        client_put(c, c->packed->data, c->packed->len);
        c->replies += c->packed->len;
        from = c->out->len;
    }
    if (c->ws && !ws_open(c->ws))
        return true;
    if (!c->begun) {
        c->begun = true;
        handshake_begin(c);
    }
    if (!handle(c))
        c->closing = true;
    if (c->ready && !c->closing && !update_send(c))
        c->closing = true;
    wrap(c, from);
    return true;
}

/* Answers that held it up (look()) may just have gone: then it does not wait at all. */
static void wait_for_something(struct client *c, bool may_read, bool wants_write)
{
    struct pollfd fds[2] = { { .fd = c->fd }, { .fd = c->wake, .events = POLLIN } };
    uint64_t count;

    if (may_read)
        fds[0].events |= POLLIN;
    if (wants_write || c->out->len)
        fds[0].events |= POLLOUT;
    if (c->tls && !c->tls_shaking && may_read && tls_has_input(c->tls))
        return;
    if ((c->skipped || (!may_read && !c->full)) && !c->out->len)
        return;
    if (poll(fds, 2, timeout_ms(c)) > 0 && fds[1].revents)
        (void)!read(c->wake, &count, sizeof(count));
}

static void *client_main(void *opaque)
{
    struct client *c = opaque;
    bool may_read = true, wants_write = false;

    while (!look(c, &may_read)) {
        wants_write = false;
        if (!work(c, may_read, &wants_write) || !flush_out(c))
            break;
        if (c->closing && !c->out->len)
            break;
        if (c->closing && !c->deadline)
            c->deadline = g_get_monotonic_time() + GOODBYE_MS * 1000LL;
        if (c->deadline && g_get_monotonic_time() > c->deadline)
            break;
        wait_for_something(c, may_read, wants_write);
    }
    shutdown(c->fd, SHUT_RDWR);
    vnc_post(c, &(struct event){ .kind = EV_CLOSED });
    return NULL;
}

/* ---- life ---- */

struct client *client_new(struct vnc *v, int fd, bool websocket)
{
    struct client *c = g_new0(struct client, 1);

    c->vnc = v;
    c->fd = fd;
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->websocket_port = websocket;
    c->in = g_byte_array_new();
    c->out = g_byte_array_new();
    c->scratch = g_byte_array_new();
    c->packed = g_byte_array_new();
    c->ws = websocket ? ws_new() : NULL;
    c->quality = c->compress = -1;
    c->last_x = c->last_y = -1;
    c->deadline = g_get_monotonic_time() + HANDSHAKE_MS * 1000LL;
    pixel_format_native(&c->format);
    return c;
}

bool client_start(struct client *c)
{
    GError *why = NULL;

    if (c->websocket_port && c->vnc->cfg.has_tls) {
        c->tls = tls_new(c, &why);
        g_clear_error(&why);
        if (!c->tls)
            return false;
        c->tls_shaking = true;
    }
    return c->wake >= 0 && pthread_create(&c->thread, NULL, client_main, c) == 0;
}

void client_free(struct client *c)
{
    tls_free(c->tls);
    ws_free(c->ws);
    close(c->fd);
    if (c->wake >= 0)
        close(c->wake);
    packer_end(&c->zlib);
    packer_end(&c->zrle);
    for (unsigned i = 0; i < TIGHT_STREAMS; i++)
        packer_end(&c->tight[i]);
    g_byte_array_unref(c->in);
    g_byte_array_unref(c->out);
    g_byte_array_unref(c->scratch);
    g_byte_array_unref(c->packed);
    g_free(c->pixels);
    g_free(c->dirty);
    g_free(c->host);
    g_free(c->service);
    g_free(c);
}
