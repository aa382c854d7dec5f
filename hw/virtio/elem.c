/*
 * Elements: a descriptor chain as pieces of host memory. Memory that is not RAM goes through a
 * bounded copy.
 */
#include "private.h"

#include <string.h>
#include <base/bits.h>
#include <base/shared.h>

struct virtq_bounce {
    struct virtq_bounce *next;
    unsigned index; /* of the piece */
    uint64_t addr;
    bool write;
    uint32_t len;
    uint8_t data[];
};

bool virtq_load_desc(struct virtqueue *q, uint64_t addr, struct virtq_desc *d)
{
    uint8_t raw[VIRTQ_DESC_SIZE];

    if (space_read(q->v->as, addr, raw, sizeof(raw), q->v->attrs) != MEM_OK) {
        virtio_broken(q->v, "queue %u: no memory at descriptor 0x%" G_GINT64_MODIFIER "x", q->index,
                      addr);
        return false;
    }
    d->addr = ldq_le(raw);
    d->len = ldl_le(raw + 8);
    d->flags = lduw_le(raw + 12);
    d->next = lduw_le(raw + 14);
    return true;
}

void elem_begin(struct virtqueue *q, struct virtq_elem *e)
{
    e->q = q;
    e->n_out = e->n_in = 0;
    e->out_len = e->in_len = 0;
    e->iov = e->small;
    e->room = VIRTQ_IOV_SMALL;
    e->bounces = NULL;
}

static bool make_room(struct virtq_elem *e, unsigned n)
{
    struct iovec *more;

    if (n < e->room)
        return true;
    if (n >= VIRTQ_IOV_MAX)
        return false;
    more = g_try_new(struct iovec, MIN(e->room * 4, VIRTQ_IOV_MAX));
    if (!more)
        return false;
    memcpy(more, e->iov, n * sizeof(*more));
    if (e->iov != e->small)
        g_free(e->iov);
    e->iov = more;
    e->room = MIN(e->room * 4, VIRTQ_IOV_MAX);
    return true;
}

static void *bounce(struct virtq_elem *e, uint64_t addr, uint32_t len, bool write)
{
    struct virtio *v = e->q->v;
    uint64_t sum = len;
    struct virtq_bounce *b;

    for (b = e->bounces; b; b = b->next)
        sum += b->len;
    if (sum > VIRTQ_BOUNCE_MAX)
        return NULL;
    b = g_try_malloc0(sizeof(*b) + len);
    if (!b)
        return NULL;
    b->index = e->n_out + e->n_in;
    b->addr = addr;
    b->len = len;
    b->write = write;
    b->next = e->bounces;
    e->bounces = b;
    if (!write)
        space_read(v->as, addr, b->data, len, v->attrs);
    return b->data;
}

static bool add_piece(struct virtq_elem *e, uint64_t addr, uint64_t *len, bool write)
{
    unsigned n = e->n_out + e->n_in;
    void *host;

    if (!make_room(e, n))
        return false;
    host = space_map(e->q->v->as, addr, len, write);
    if (!host)
        host = bounce(e, addr, (uint32_t)*len, write);
    if (!host)
        return false;
    e->iov[n] = (struct iovec){ host, *len };
    if (write)
        e->n_in++;
    else
        e->n_out++;
    return true;
}

bool elem_add(struct virtq_elem *e, const struct virtq_desc *d)
{
    bool write = d->flags & VIRTQ_DESC_WRITE;
    uint64_t addr = d->addr, left = d->len;
    struct virtio *v = e->q->v;

    if (!write && e->n_in) {
        virtio_broken(v, "queue %u: a readable descriptor follows a writable one", e->q->index);
        return false;
    }
    if (!left || addr + left - 1 < addr) {
        virtio_broken(v, "queue %u: a descriptor has a bad length %" G_GUINT64_FORMAT, e->q->index,
                      left);
        return false;
    }
    *(write ? &e->in_len : &e->out_len) += left;
    while (left) {
        uint64_t len = left;

        if (!add_piece(e, addr, &len, write)) {
            virtio_broken(v, "queue %u: a buffer has too many pieces, or is not memory",
                          e->q->index);
            return false;
        }
        addr += len;
        left -= len;
    }
    return true;
}

bool elem_add_table(struct virtq_elem *e, const struct virtq_desc *d, bool chained)
{
    unsigned n = d->len / VIRTQ_DESC_SIZE, i = 0;
    struct virtio *v = e->q->v;
    struct virtq_desc entry;

    if (!virtio_has(v, VIRTIO_F_INDIRECT_DESC) || !n || d->len % VIRTQ_DESC_SIZE ||
        n > VIRTQ_IOV_MAX) {
        virtio_broken(v, "queue %u: a bad indirect table of %u bytes", e->q->index, d->len);
        return false;
    }
    for (unsigned seen = 0; seen < n; seen++) {
        if (!virtq_load_desc(e->q, d->addr + (uint64_t)i * VIRTQ_DESC_SIZE, &entry))
            return false;
        if (!chained) {
            uint16_t id = entry.flags;

            entry.flags = entry.next;
            entry.next = id;
        }
        if (entry.flags & VIRTQ_DESC_INDIRECT) {
            virtio_broken(v, "queue %u: an indirect table within another", e->q->index);
            return false;
        }
        if (!elem_add(e, &entry))
            return false;
        if (chained && !(entry.flags & VIRTQ_DESC_NEXT))
            return true;
        i = chained ? entry.next : i + 1;
        if (chained && i >= n)
            break;
    }
    if (!chained)
        return true;
    virtio_broken(v, "queue %u: an indirect table does not end", e->q->index);
    return false;
}

static struct virtq_bounce *bounce_of(const struct virtq_elem *e, unsigned index)
{
    for (struct virtq_bounce *b = e->bounces; b; b = b->next)
        if (b->index == index)
            return b;
    return NULL;
}

void elem_end(struct virtq_elem *e, uint64_t written)
{
    struct virtio *v = e->q->v;

    for (unsigned i = 0; i < e->n_out + e->n_in; i++) {
        struct virtq_bounce *b = e->bounces ? bounce_of(e, i) : NULL;
        bool write = i >= e->n_out;
        uint64_t len = e->iov[i].iov_len, done = write ? MIN(written, len) : 0;

        if (!b)
            space_unmap(v->as, e->iov[i].iov_base, len, write, done);
        else if (done)
            space_write(v->as, b->addr, b->data, done, v->attrs);
        written -= done;
    }
    while (e->bounces) {
        struct virtq_bounce *b = e->bounces;

        e->bounces = b->next;
        g_free(b);
    }
    if (e->iov != e->small)
        g_free(e->iov);
    e->iov = e->small;
    e->n_out = e->n_in = 0;
}

/* Either way between pieces and a buffer. */
static size_t iov_copy(const struct iovec *iov, unsigned n, size_t skip, uint8_t *buf, size_t len,
                       bool put)
{
    size_t done = 0;

    for (unsigned i = 0; i < n && done < len; i++) {
        size_t here;
        char *at;

        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        here = MIN(iov[i].iov_len - skip, len - done);
        at = (char *)iov[i].iov_base + skip;
        if (put)
            shared_copy(at, buf + done, here);
        else
            shared_copy(buf + done, at, here);
        done += here;
        skip = 0;
    }
    return done;
}

size_t iov_get(const struct iovec *iov, unsigned n, size_t skip, void *buf, size_t len)
{
    return iov_copy(iov, n, skip, buf, len, false);
}

size_t iov_put(const struct iovec *iov, unsigned n, size_t skip, const void *buf, size_t len)
{
    return iov_copy(iov, n, skip, (uint8_t *)(uintptr_t)buf, len, true);
}

size_t iov_bytes(const struct iovec *iov, unsigned n)
{
    size_t sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += iov[i].iov_len;
    return sum;
}
