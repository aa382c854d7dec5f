/* Split rings (virtio 1.2, 2.7). */
#include "private.h"

/* Offsets in the available ring (2.7.6) and in the used ring (2.7.8). */
#define RING_FLAGS   0
#define RING_IDX     2
#define RING_ENTRIES 4
#define NO_INTERRUPT 1
#define NO_NOTIFY    1

static uint64_t avail_entry(const struct virtqueue *q, uint16_t i)
{
    return q->driver + RING_ENTRIES + 2 * (uint64_t)(i & (q->num - 1));
}

/* Behind the last entry of each ring is the other side's event index. */
static uint64_t used_event(const struct virtqueue *q)
{
    return q->driver + RING_ENTRIES + 2 * (uint64_t)q->num;
}

static uint64_t avail_event(const struct virtqueue *q)
{
    return q->device + RING_ENTRIES + 8 * (uint64_t)q->num;
}

static bool split_empty(struct virtqueue *q)
{
    return ring_ld16(q, q->driver + RING_IDX) == q->avail;
}

static bool split_next(struct virtqueue *q, uint16_t *slot)
{
    uint16_t idx = ring_ld16(q, q->driver + RING_IDX), n = idx - q->avail;

    if (!n)
        return false;
    if (n > q->num) {
        virtio_broken(q->v, "queue %u: available index went from %u to %u, with %u entries",
                      q->index, q->avail, idx, q->num);
        return false;
    }
    /* entries were written before the index (2.7.13.3) */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    *slot = ring_ld16(q, avail_entry(q, q->avail));
    if (*slot < q->num)
        return true;
    virtio_broken(q->v, "queue %u: there is no descriptor %u", q->index, *slot);
    return false;
}

static bool split_take(struct virtqueue *q, uint16_t slot, struct virtq_elem *e)
{
    uint16_t i = slot;
    struct virtq_desc d;

    e->id = e->slot = slot;
    e->slots = 1;
    for (unsigned seen = 0; seen < q->num; seen++) {
        if (!virtq_load_desc(q, q->desc + VIRTQ_DESC_SIZE * (uint64_t)i, &d))
            return false;
        if (d.flags & VIRTQ_DESC_INDIRECT) {
            if (d.flags & VIRTQ_DESC_NEXT)
                break;
            return elem_add_table(e, &d, true);
        }
        if (!elem_add(e, &d))
            return false;
        if (!(d.flags & VIRTQ_DESC_NEXT))
            return true;
        i = d.next;
        if (i >= q->num)
            break;
    }
    virtio_broken(q->v, "queue %u: the chain at descriptor %u does not end", q->index, slot);
    return false;
}

static void split_advance(struct virtqueue *q, uint16_t slots)
{
    q->avail += slots;
}

static void split_retreat(struct virtqueue *q, uint16_t slots)
{
    q->avail -= slots;
}

static void split_flush(struct virtqueue *q)
{
    for (unsigned i = 0; i < q->n_pending; i++) {
        const struct virtq_used *u = &q->pending[i];
        uint64_t at = q->device + RING_ENTRIES + 8 * (uint64_t)((q->used + i) & (q->num - 1));

        /* an entry is two little-endian words: id, length */
        space_st64_le(q->v->as, at, u->id | (uint64_t)u->len << 32, q->v->attrs);
    }
    __atomic_thread_fence(__ATOMIC_RELEASE);
    q->used += q->n_pending;
    ring_st16(q, q->device + RING_IDX, q->used);
    /* the driver may have gone once around since the last look: then the comparison means nothing
     */
    if ((uint16_t)(q->used - q->signalled) < q->n_pending)
        q->signalled_valid = false;
}

/* The event is what comes next after all that is there now, which need not be taken yet: a frame
 * may wait for more buffers than there are. */
static void ask_for_next(struct virtqueue *q)
{
    uint16_t idx = ring_ld16(q, q->driver + RING_IDX), seen;

    for (unsigned tries = 0; tries < 8; tries++, idx = seen) {
        ring_st16(q, avail_event(q), idx);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        seen = ring_ld16(q, q->driver + RING_IDX);
        if (seen == idx)
            break;
    }
}

static void split_set_kicks(struct virtqueue *q, bool on)
{
    if (!virtio_has(q->v, VIRTIO_F_EVENT_IDX))
        ring_st16(q, q->device + RING_FLAGS, on ? 0 : NO_NOTIFY);
    else if (on)
        ask_for_next(q);
}

static bool split_wants_irq(struct virtqueue *q)
{
    uint16_t old = q->signalled;
    bool valid = q->signalled_valid;

    if (!virtio_has(q->v, VIRTIO_F_EVENT_IDX))
        return !(ring_ld16(q, q->driver + RING_FLAGS) & NO_INTERRUPT);
    q->signalled = q->used;
    q->signalled_valid = true;
    /* 2.7.10: whether used_event was passed by this step */
    return !valid ||
           (uint16_t)(q->used - ring_ld16(q, used_event(q)) - 1) < (uint16_t)(q->used - old);
}

const struct virtq_layout virtq_split = {
    .empty = split_empty,
    .take = split_take,
    .next = split_next,
    .advance = split_advance,
    .retreat = split_retreat,
    .flush = split_flush,
    .set_kicks = split_set_kicks,
    .wants_irq = split_wants_irq,
};
