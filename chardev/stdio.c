/*
 * The process's own standard input and output; a terminal is raw while this is open.
 *
 * O_NONBLOCK belongs to the open file, which the shell and others share. So output goes through a
 * description of our own, opened anew through /proc, wherever the kernel lets us.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "stream.h"
#include "tty.h"

struct stdio {
    struct chardev chr;
    struct stream stream;
    int out;       /* to write to */
    int out_flags; /* of stdout, if they were changed, else -1 */
};

static void open_output(struct stdio *t)
{
    struct stat st;

    t->out = STDOUT_FILENO;
    t->out_flags = -1;
    if (fstat(STDOUT_FILENO, &st) < 0 || S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode))
        return; /* a file never blocks and its offset is shared; sockets have MSG_DONTWAIT */
    t->out = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (t->out >= 0)
        return;
    t->out = STDOUT_FILENO;
    t->out_flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (t->out_flags >= 0)
        fcntl(STDOUT_FILENO, F_SETFL, t->out_flags | O_NONBLOCK);
}

static bool stdio_open(struct chardev *chr, struct opts *opts, GError **err)
{
    struct stdio *t = (struct stdio *)chr;
    bool signals = true;
    struct stat st;

    if (!opts_bool(opts, "signal", &signals, err) || !opts_done(opts, err))
        return false;
    if (chr->set->stdio)
        return error_set(err, "chardev '%s': stdio is already used by chardev '%s' (use a mux)",
                         chr->id, chr->set->stdio->id);
    chr->set->stdio = chr;
    tty_enter_raw(STDIN_FILENO, signals);
    open_output(t);
    stream_init(&t->stream, chr);
    fflush(stdout);
    chardev_opened(chr);
    stream_start(&t->stream, STDIN_FILENO, t->out, fstat(t->out, &st) == 0 && S_ISSOCK(st.st_mode));
    return true;
}

static void stdio_close(struct chardev *chr)
{
    struct stdio *t = (struct stdio *)chr;

    stream_stop(&t->stream);
    if (t->out != STDOUT_FILENO)
        close(t->out);
    if (t->out_flags >= 0)
        fcntl(STDOUT_FILENO, F_SETFL, t->out_flags);
    tty_leave_raw();
    chr->set->stdio = NULL;
}

static size_t stdio_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
    return stream_write(&((struct stdio *)chr)->stream, buf, len);
}

static void stdio_accept_input(struct chardev *chr)
{
    stream_accept_input(&((struct stdio *)chr)->stream);
}

const struct chardev_type stdio_chardev = {
    .name = "stdio",
    .help = "standard input and output",
    .opts = "signal=on|off",
    .size = sizeof(struct stdio),
    .gathers = true,
    .open = stdio_open,
    .close = stdio_close,
    .write = stdio_write,
    .accept_input = stdio_accept_input,
};
