/*
 * Stream sockets, unix and TCP: a server for one peer at a time, or a client that may come back
 * by itself after a lost connection.
 *
 * States: listening (server, no peer), waiting or connecting (client with reconnect=), connected.
 * A server that has a peer does not accept; the next one waits in the kernel's queue.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>
#include "address.h"
#include "telnet.h"

struct socket {
    struct chardev chr;
    struct stream stream;
    struct address addr;
    struct telnet telnet;
    bool server, nodelay, use_telnet, passed; /* @passed: fd= was given, there is no address */
    uint64_t reconnect;                       /* seconds between attempts; 0: no attempts */
    int listener, conn;                       /* -1: none */
    unsigned next_end;                        /* of addr.ends, while connecting */
    GSource *accept, *connecting, *timer;
};

static void start_listening(struct socket *s);
static gboolean start_connecting(void *opaque);

static void disconnect(struct socket *s)
{
    if (s->conn < 0)
        return;
    stream_stop(&s->stream);
    close(s->conn);
    s->conn = -1;
    if (s->server)
        start_listening(s);
    else if (s->reconnect && !s->timer)
        s->timer = chardev_timer(&s->chr, s->reconnect * 1000, start_connecting, s);
    chardev_closed(&s->chr);
}

static void socket_eof(struct stream *stream)
{
    disconnect((struct socket *)stream->chr);
}

/* The old peer has left, only its last bytes have not been read: a new one may come. */
static void socket_hangup(struct stream *stream)
{
    struct socket *s = (struct socket *)stream->chr;

    if (s->server)
        start_listening(s);
}

static size_t filter_telnet(struct stream *stream, uint8_t *buf, size_t len)
{
    struct socket *s = (struct socket *)stream->chr;

    return telnet_input(&s->telnet, &s->chr, buf, len);
}

static void connected(struct socket *s, int fd)
{
    int on = 1;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (s->nodelay && !s->addr.is_unix)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    s->conn = fd;
    stream_init(&s->stream, &s->chr);
    s->stream.eof = socket_eof;
    s->stream.hangup = socket_hangup;
    s->stream.filter = s->use_telnet ? filter_telnet : NULL;
    s->stream.wfd = fd;
    s->stream.socket = true;
    if (s->use_telnet)
        telnet_start(&s->telnet, &s->stream);
    chardev_opened(&s->chr);
    if (s->conn == fd) /* OPENED may have closed it */
        stream_start(&s->stream, fd, fd, true);
}

static gboolean on_accept(int fd, GIOCondition cond, void *opaque)
{
    struct socket *s = opaque;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    (void)cond;
    if (peer < 0)
        return G_SOURCE_CONTINUE;
    disconnect(s);
    chardev_unwatch(&s->accept);
    connected(s, peer);
    return G_SOURCE_REMOVE;
}

static void start_listening(struct socket *s)
{
    if (!s->accept)
        s->accept = chardev_watch(&s->chr, s->listener, G_IO_IN, on_accept, s);
}

static void try_next_end(struct socket *s);

static gboolean on_connect(int fd, GIOCondition cond, void *opaque)
{
    struct socket *s = opaque;
    int error = 0;
    socklen_t len = sizeof(error);

    (void)cond;
    chardev_unwatch(&s->connecting);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && !error) {
        connected(s, fd);
        return G_SOURCE_REMOVE;
    }
    close(fd);
    s->conn = -1;
    try_next_end(s);
    return G_SOURCE_REMOVE;
}

static void try_next_end(struct socket *s)
{
    while (s->next_end < s->addr.count) {
        int fd, rc = address_connect_start(&s->addr, s->next_end++, &fd);

        if (rc > 0) {
            connected(s, fd);
            return;
        }
        if (rc == 0) {
            s->conn = fd;
            s->connecting =
                chardev_watch(&s->chr, fd, G_IO_OUT | G_IO_HUP | G_IO_ERR, on_connect, s);
            return;
        }
    }
    s->timer = chardev_timer(&s->chr, s->reconnect * 1000, start_connecting, s);
}

static gboolean start_connecting(void *opaque)
{
    struct socket *s = opaque;

    chardev_unwatch(&s->timer);
    s->next_end = 0;
    try_next_end(s);
    return G_SOURCE_REMOVE;
}

static char *socket_filename(const struct chardev *chr)
{
    const struct socket *s = (const struct socket *)chr;
    struct sockaddr_storage own = { 0 };
    socklen_t len = sizeof(own);
    const char *server = s->server ? ",server=on" : "";
    char *text, *name;
    int fd = s->server ? s->listener : s->conn;

    if (s->server ? getsockname(fd, (struct sockaddr *)&own, &len) == 0
                  : fd >= 0 && getpeername(fd, (struct sockaddr *)&own, &len) == 0)
        text = address_text(&own, len);
    else if (s->addr.count)
        text = address_text(&s->addr.ends[0].sa, s->addr.ends[0].len);
    else
        text = g_strdup("socket");
    name = g_strconcat(chr->open ? "" : "disconnected:", text, server, NULL);
    g_free(text);
    return name;
}

/* Blocks: the user asked for it with wait=on, and the machine has not started. */
static bool wait_for_peer(struct socket *s, GError **err)
{
    struct pollfd pfd = { .fd = s->listener, .events = POLLIN };
    char *name = socket_filename(&s->chr);
    int peer = -1;

    fprintf(stderr, "myna: info: waiting for connection on: %s\n", name);
    g_free(name);
    while (peer < 0) {
        if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
            return error_set_errno(err, errno, "chardev '%s': cannot wait for a client", s->chr.id);
        peer = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    }
    connected(s, peer);
    return true;
}

static int passed_fd(struct socket *s, struct opts *opts, GError **err)
{
    uint64_t fd = 0;

    if (!opts_u64(opts, "fd", 0, INT_MAX, &fd, err))
        return -1;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        error_set_errno(err, errno, "chardev '%s': fd=%d cannot be used", s->chr.id, (int)fd);
        return -1;
    }
    return fd;
}

static bool read_opts(struct socket *s, struct opts *opts, bool *wait, GError **err)
{
    bool delay = true;

    s->passed = opts_has(opts, "fd");
    if (!opts_bool(opts, "server", &s->server, err))
        return false;
    *wait = s->server;
    if (!opts_bool(opts, "wait", wait, err) || !opts_bool(opts, "delay", &delay, err))
        return false;
    s->nodelay = !delay;
    if (!opts_bool(opts, "nodelay", &s->nodelay, err) ||
        !opts_bool(opts, "telnet", &s->use_telnet, err) ||
        !opts_u64(opts, "reconnect", 0, 1000000, &s->reconnect, err))
        return false;
    if (s->server && s->reconnect)
        return error_set(err, "chardev '%s': reconnect= is for clients, not with server=on",
                         s->chr.id);
    if (!s->server && *wait)
        return error_set(err, "chardev '%s': wait=on needs server=on", s->chr.id);
    if (!s->passed && !address_from_opts(&s->addr, s->chr.id, opts, s->server, err))
        return false;
    return true;
}

static bool open_server(struct socket *s, struct opts *opts, bool wait, GError **err)
{
    s->listener = s->passed ? passed_fd(s, opts, err) : address_listen(&s->addr, s->chr.id, err);
    if (s->listener < 0)
        return false;
    fcntl(s->listener, F_SETFL, fcntl(s->listener, F_GETFL) | O_NONBLOCK);
    if (!wait) {
        start_listening(s);
        return true;
    }
    return wait_for_peer(s, err);
}

static bool open_client(struct socket *s, struct opts *opts, GError **err)
{
    int fd;

    if (s->reconnect && !s->passed) {
        start_connecting(s);
        return true;
    }
    fd = s->passed ? passed_fd(s, opts, err) : address_connect(&s->addr, s->chr.id, err);
    if (fd < 0)
        return false;
    connected(s, fd);
    return true;
}

static bool socket_open(struct chardev *chr, struct opts *opts, GError **err)
{
    struct socket *s = (struct socket *)chr;
    bool wait = false;

    s->listener = s->conn = -1;
    stream_init(&s->stream, chr);
    opts_known(opts, "fd");
    if (!read_opts(s, opts, &wait, err) || !opts_done(opts, err))
        return false;
    return s->server ? open_server(s, opts, wait, err) : open_client(s, opts, err);
}

static void socket_close(struct chardev *chr)
{
    struct socket *s = (struct socket *)chr;

    stream_stop(&s->stream);
    chardev_unwatch(&s->accept);
    chardev_unwatch(&s->connecting);
    chardev_unwatch(&s->timer);
    if (s->conn >= 0)
        close(s->conn);
    if (s->listener >= 0) {
        close(s->listener);
        if (!s->passed)
            address_unlink(&s->addr);
    }
}

static size_t socket_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
    struct socket *s = (struct socket *)chr;

    return s->use_telnet ? telnet_write(&s->telnet, &s->stream, buf, len)
                         : stream_write(&s->stream, buf, len);
}

static void socket_accept_input(struct chardev *chr)
{
    stream_accept_input(&((struct socket *)chr)->stream);
}

static int socket_take_fd(struct chardev *chr)
{
    return stream_take_fd(&((struct socket *)chr)->stream);
}

const struct chardev_type socket_chardev = {
    .name = "socket",
    .help = "a unix or TCP socket, server or client",
    .opts =
        "path=FILE[,abstract=on][,tight=off] | host=HOST,port=PORT[,ipv4=on][,ipv6=on][,nodelay=on]"
        " | fd=N; server=on|off,wait=on|off,reconnect=SECONDS,telnet=on|off",
    .size = sizeof(struct socket),
    .gathers = true,
    .open = socket_open,
    .close = socket_close,
    .write = socket_write,
    .accept_input = socket_accept_input,
    .take_fd = socket_take_fd,
    .filename = socket_filename,
};
