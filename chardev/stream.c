/*
 * Non-blocking traffic over descriptors, see stream.h. The input watch exists only while the front
 * end has room: what it cannot take stays in the kernel, and the peer is held up there.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "stream.h"

enum { CHUNK = 4096, MAX_FDS = 16 };

void stream_init(struct stream *s, struct chardev *chr)
{
    *s = (struct stream){ .chr = chr, .rfd = -1, .wfd = -1, .passed_fd = -1 };
}

/* Keeps the last descriptor of a message and closes all others. */
static void keep_passed_fd(struct stream *s, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < n; i++) {
            if (s->passed_fd >= 0)
                close(s->passed_fd);
            memcpy(&s->passed_fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
        }
    }
}

static ssize_t receive_message(struct stream *s, uint8_t *buf, size_t len)
{
    char control[CMSG_SPACE(sizeof(int) * MAX_FDS)];
    struct iovec iov = { buf, len };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
    };
    ssize_t n = recvmsg(s->rfd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n >= 0)
        keep_passed_fd(s, &msg);
    return n;
}

static void end_input(struct stream *s)
{
    chardev_unwatch(&s->in);
    chardev_unwatch(&s->hup);
    s->rfd = -1;
    if (s->eof)
        s->eof(s);
}

/* While the front end does not read, a peer that leaves is still noticed: at once if nothing of
 * its data is left, else when that has been read. */
static gboolean on_hup(int fd, GIOCondition cond, void *opaque)
{
    struct stream *s = opaque;
    uint8_t byte;

    (void)cond;
    chardev_unwatch(&s->hup);
    s->peer_gone = true;
    if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
        end_input(s);
    else if (s->hangup)
        s->hangup(s);
    return G_SOURCE_REMOVE;
}

static void watch_hup(struct stream *s)
{
    if (s->socket && !s->peer_gone)
        s->hup = chardev_watch(s->chr, s->rfd, G_IO_HUP | G_IO_ERR, on_hup, s);
}

static gboolean on_input(int fd, GIOCondition cond, void *opaque)
{
    struct stream *s = opaque;
    size_t room = chardev_can_receive(s->chr);
    uint8_t buf[CHUNK];
    ssize_t n;

    (void)cond;
    if (!room) {
        chardev_unwatch(&s->in);
        watch_hup(s);
        return G_SOURCE_REMOVE;
    }
    n = s->socket ? receive_message(s, buf, MIN(room, CHUNK)) : read(fd, buf, MIN(room, CHUNK));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n <= 0) {
        end_input(s);
        return G_SOURCE_REMOVE;
    }
    if (s->filter)
        n = s->filter(s, buf, n);
    if (n > 0)
        chardev_receive(s->chr, buf, n);
    return G_SOURCE_CONTINUE;
}

void stream_accept_input(struct stream *s)
{
    if (s->rfd < 0 || s->in || !chardev_can_receive(s->chr))
        return;
    chardev_unwatch(&s->hup);
    s->in = chardev_watch(s->chr, s->rfd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, s);
}

void stream_start(struct stream *s, int rfd, int wfd, bool socket)
{
    s->rfd = rfd;
    s->wfd = wfd;
    s->socket = socket;
    s->peer_gone = false;
    stream_accept_input(s);
    if (!s->in)
        watch_hup(s);
}

void stream_stop(struct stream *s)
{
    chardev_unwatch(&s->in);
    chardev_unwatch(&s->out);
    chardev_unwatch(&s->hup);
    s->rfd = s->wfd = -1;
    if (s->passed_fd >= 0)
        close(s->passed_fd);
    s->passed_fd = -1;
}

static gboolean on_output(int fd, GIOCondition cond, void *opaque)
{
    struct stream *s = opaque;

    (void)fd, (void)cond;
    chardev_unwatch(&s->out);
    chardev_writable(s->chr);
    return G_SOURCE_REMOVE;
}

size_t stream_write(struct stream *s, const uint8_t *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = s->wfd < 0  ? (ssize_t)(len - done)
                    : s->socket ? send(s->wfd, buf + done, len - done, MSG_DONTWAIT | MSG_NOSIGNAL)
                                : write(s->wfd, buf + done, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (!s->out)
                s->out =
                    chardev_watch(s->chr, s->wfd, G_IO_OUT | G_IO_HUP | G_IO_ERR, on_output, s);
            return done;
        }
        if (n < 0)
            return len; /* nobody is there any more, or a full disk: dropped */
        done += n;
    }
    return done;
}

int stream_take_fd(struct stream *s)
{
    int fd = s->passed_fd;

    s->passed_fd = -1;
    return fd;
}
