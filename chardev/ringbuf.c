/*
 * Output kept in memory, the newest bytes of it, until QMP's ringbuf-read fetches it.
 */
#include <inttypes.h>
#include <base/bits.h>
#include "backend.h"

enum { DEFAULT_SIZE = 64 * 1024, MAX_SIZE = 1 << 30 };

struct ringbuf {
    struct chardev chr;
    uint8_t *data;
    size_t size;         /* a power of two */
    uint64_t head, tail; /* bytes ever written and ever removed; head - tail <= size */
};

static bool ringbuf_open(struct chardev *chr, struct opts *opts, GError **err)
{
    struct ringbuf *r = (struct ringbuf *)chr;
    uint64_t size = DEFAULT_SIZE;

    if (!opts_size(opts, "size", 1, 1, MAX_SIZE, &size, err) || !opts_done(opts, err))
        return false;
    if (!is_pow2(size))
        return error_set(err, "chardev '%s': size=%" PRIu64 " is not a power of two", chr->id,
                         size);
    r->data = g_try_malloc(size);
    if (!r->data)
        return error_set(err, "chardev '%s': no memory for size=%" PRIu64, chr->id, size);
    r->size = size;
    chardev_opened(chr);
    return true;
}

static void ringbuf_close(struct chardev *chr)
{
    g_free(((struct ringbuf *)chr)->data);
}

static size_t ringbuf_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
    struct ringbuf *r = (struct ringbuf *)chr;

    for (size_t i = 0; i < len; i++)
        r->data[r->head++ & (r->size - 1)] = buf[i];
    if (r->head - r->tail > r->size)
        r->tail = r->head - r->size;
    return len;
}

const struct chardev_type ringbuf_chardev = {
    .name = "ringbuf",
    .help = "keeps the newest output in memory",
    .opts = "size=N",
    .size = sizeof(struct ringbuf),
    .open = ringbuf_open,
    .close = ringbuf_close,
    .write = ringbuf_write,
};

bool chardev_is_ringbuf(const struct chardev *chr)
{
    return chr->type == &ringbuf_chardev;
}

size_t chardev_ringbuf_read(struct chardev *chr, uint8_t *buf, size_t len)
{
    struct ringbuf *r = (struct ringbuf *)chr;
    size_t n = 0;

    for (; n < len && r->tail < r->head; n++)
        buf[n] = r->data[r->tail++ & (r->size - 1)];
    return n;
}

size_t chardev_ringbuf_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        size_t n = MIN(chardev_can_receive(chr), len - done);

        if (!n)
            break;
        chardev_receive(chr, buf + done, n);
        done += n;
    }
    return done;
}
