/*
 * A pseudo terminal: another program opens the name we print. While nobody has it open, output is
 * dropped, and a slow timer looks for somebody: the kernel reports hang-ups but not openings.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include "stream.h"

enum { LOOK_MS = 250 };

struct pty {
    struct chardev chr;
    struct stream stream;
    int fd;
    char name[64];
    GSource *timer; /* while nobody has it open */
};

static gboolean look_for_peer(void *opaque);

static void wait_for_peer(struct pty *p)
{
    stream_stop(&p->stream);
    chardev_closed(&p->chr);
    if (!p->timer)
        p->timer = chardev_timer(&p->chr, LOOK_MS, look_for_peer, p);
}

static void pty_eof(struct stream *s)
{
    wait_for_peer((struct pty *)s->chr);
}

static bool has_peer(struct pty *p)
{
    struct pollfd pfd = { .fd = p->fd, .events = POLLIN };

    return poll(&pfd, 1, 0) >= 0 && !(pfd.revents & POLLHUP);
}

static gboolean look_for_peer(void *opaque)
{
    struct pty *p = opaque;

    if (!p->chr.open && has_peer(p)) {
        chardev_opened(&p->chr);
        stream_start(&p->stream, p->fd, p->fd, false);
        p->stream.eof = pty_eof;
    } else if (p->chr.open && !p->stream.in && !has_peer(p)) {
        wait_for_peer(p); /* left while its input was not being read */
    }
    return G_SOURCE_CONTINUE;
}

static bool set_up_slave(struct pty *p)
{
    struct termios mode;
    int fd;

    if (grantpt(p->fd) < 0 || unlockpt(p->fd) < 0 ||
        ptsname_r(p->fd, p->name, sizeof(p->name)) != 0)
        return false;
    fd = open(p->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (tcgetattr(fd, &mode) == 0) {
        cfmakeraw(&mode);
        tcsetattr(fd, TCSANOW, &mode);
    }
    close(fd); /* from here on the kernel reports that nobody has it open */
    return true;
}

static bool pty_open(struct chardev *chr, struct opts *opts, GError **err)
{
    struct pty *p = (struct pty *)chr;

    if (!opts_done(opts, err))
        return false;
    p->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (p->fd < 0 || !set_up_slave(p)) {
        error_set_errno(err, errno, "chardev '%s': no pseudo terminal", chr->id);
        if (p->fd >= 0)
            close(p->fd);
        return false;
    }
    stream_init(&p->stream, chr);
    p->timer = chardev_timer(chr, LOOK_MS, look_for_peer, p);
    printf("char device redirected to %s (label %s)\n", p->name, chr->id);
    fflush(stdout);
    return true;
}

static void pty_close(struct chardev *chr)
{
    struct pty *p = (struct pty *)chr;

    stream_stop(&p->stream);
    chardev_unwatch(&p->timer);
    close(p->fd);
}

static size_t pty_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
    return stream_write(&((struct pty *)chr)->stream, buf, len);
}

static void pty_accept_input(struct chardev *chr)
{
    stream_accept_input(&((struct pty *)chr)->stream);
}

static char *pty_filename(const struct chardev *chr)
{
    return g_strconcat("pty:", ((const struct pty *)chr)->name, NULL);
}

const struct chardev_type pty_chardev = {
    .name = "pty",
    .help = "a pseudo terminal of its own",
    .size = sizeof(struct pty),
    .gathers = true,
    .open = pty_open,
    .close = pty_close,
    .write = pty_write,
    .accept_input = pty_accept_input,
    .filename = pty_filename,
};
