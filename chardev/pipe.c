/*
 * Named pipes: PATH.in to read from and PATH.out to write to, else PATH for both.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "stream.h"

struct pipe {
    struct chardev chr;
    struct stream stream;
    int in, out; /* may be equal */
};

/* Read and write, so that opening does not wait for a peer and its leaving is no end of file. */
static int open_fifo(const char *path, const char *suffix)
{
    char *name = g_strconcat(path, suffix, NULL);
    int fd = open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    g_free(name);
    return fd;
}

static bool pipe_open(struct chardev *chr, struct opts *opts, GError **err)
{
    struct pipe *p = (struct pipe *)chr;
    const char *path = chardev_need_path(chr, opts, err);

    if (!path || !opts_done(opts, err))
        return false;
    p->in = open_fifo(path, ".in");
    p->out = open_fifo(path, ".out");
    if (p->in < 0 || p->out < 0) {
        if (p->in >= 0)
            close(p->in);
        if (p->out >= 0)
            close(p->out);
        p->in = p->out = open_fifo(path, "");
    }
    if (p->in < 0)
        return error_set_errno(err, errno,
                               "chardev '%s': cannot open '%s.in' and '%s.out', nor '%s'", chr->id,
                               path, path, path);
    stream_init(&p->stream, chr);
    chardev_opened(chr);
    stream_start(&p->stream, p->in, p->out, false);
    return true;
}

static void pipe_close(struct chardev *chr)
{
    struct pipe *p = (struct pipe *)chr;

    stream_stop(&p->stream);
    close(p->in);
    if (p->out != p->in)
        close(p->out);
}

static size_t pipe_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
    return stream_write(&((struct pipe *)chr)->stream, buf, len);
}

static void pipe_accept_input(struct chardev *chr)
{
    stream_accept_input(&((struct pipe *)chr)->stream);
}

const struct chardev_type pipe_chardev = {
    .name = "pipe",
    .help = "a pair of named pipes",
    .opts = "path=NAME",
    .size = sizeof(struct pipe),
    .gathers = true,
    .open = pipe_open,
    .close = pipe_close,
    .write = pipe_write,
    .accept_input = pipe_accept_input,
};
