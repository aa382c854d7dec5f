/*
 * Output into a file; there is no input.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "stream.h"

struct file {
    struct chardev chr;
    struct stream stream;
    int fd;
};

static bool file_open(struct chardev *chr, struct opts *opts, GError **err)
{
    struct file *f = (struct file *)chr;
    const char *path = chardev_need_path(chr, opts, err);
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY;
    bool append = false;

    if (!path || !opts_bool(opts, "append", &append, err) || !opts_done(opts, err))
        return false;
    f->fd = open(path, flags | (append ? O_APPEND : O_TRUNC), 0666);
    if (f->fd < 0)
        return error_set_errno(err, errno, "chardev '%s': cannot open '%s'", chr->id, path);
    fcntl(f->fd, F_SETFL, fcntl(f->fd, F_GETFL) | O_NONBLOCK); /* it may be a FIFO or a device */
    stream_init(&f->stream, chr);
    stream_start(&f->stream, -1, f->fd, false);
    chardev_opened(chr);
    return true;
}

static void file_close(struct chardev *chr)
{
    struct file *f = (struct file *)chr;

    stream_stop(&f->stream);
    close(f->fd);
}

static size_t file_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
    return stream_write(&((struct file *)chr)->stream, buf, len);
}

const struct chardev_type file_chardev = {
    .name = "file",
    .help = "writes to a file",
    .opts = "path=FILE,append=on|off",
    .size = sizeof(struct file),
    .gathers = true,
    .open = file_open,
    .close = file_close,
    .write = file_write,
};
