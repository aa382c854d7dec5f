/*
 * Packed rings (virtio 1.2, 2.8). Descriptors are 16 bytes: address, length, id, flags; so the last
 * two lie the other way round than in split rings.
 */
#include "private.h"

#define DESC_ID    12
#define DESC_FLAGS 14
#define DESC_AVAIL (1 << 7)
#define DESC_USED  (1 << 15)

/* Event suppression structures (2.8.14). */
#define EVENT_POS   0
#define EVENT_FLAGS 2
#define EVENTS_ON   0
#define EVENTS_OFF  1
#define EVENTS_AT   2
#define POS_WRAP    (1 << 15)

static uint64_t desc_at(const struct virtqueue *q, uint16_t pos)
{
    return q->desc + VIRTQ_DESC_SIZE * (uint64_t)pos;
}

/* A descriptor is available when its two marks differ, and AVAIL is the driver's wrap counter. */
static bool is_avail(uint16_t flags, bool wrap)
{
    return !!(flags & DESC_AVAIL) == wrap && !!(flags & DESC_USED) != wrap;
}

static bool packed_empty(struct virtqueue *q)
{
    return !is_avail(ring_ld16(q, desc_at(q, q->avail) + DESC_FLAGS), q->avail_wrap);
}

static bool packed_next(struct virtqueue *q, uint16_t *slot)
{
    if (packed_empty(q))
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    *slot = q->avail;
    return true;
}

static bool load_desc(struct virtqueue *q, uint16_t pos, struct virtq_desc *d)
{
    uint16_t id;

    if (!virtq_load_desc(q, desc_at(q, pos), d))
        return false;
    id = d->flags;
    d->flags = d->next;
    d->next = id;
    return true;
}

static bool packed_take(struct virtqueue *q, uint16_t slot, struct virtq_elem *e)
{
    uint16_t pos = slot;
    struct virtq_desc d;

    e->slot = slot;
    for (e->slots = 1; e->slots <= q->num; e->slots++) {
        if (!load_desc(q, pos, &d))
            return false;
        e->id = d.next; /* that of the last one counts (2.8.6) */
        if (d.flags & VIRTQ_DESC_INDIRECT) {
            if (e->slots > 1 || (d.flags & VIRTQ_DESC_NEXT))
                break;
            return elem_add_table(e, &d, false);
        }
        if (!elem_add(e, &d))
            return false;
        if (!(d.flags & VIRTQ_DESC_NEXT))
            return true;
        pos = pos + 1 == q->num ? 0 : pos + 1;
    }
    virtio_broken(q->v, "queue %u: the chain at descriptor %u does not end", q->index, slot);
    return false;
}

static void step(const struct virtqueue *q, uint16_t *pos, bool *wrap, uint16_t slots)
{
    unsigned next = *pos + slots;

    if (next >= q->num) {
        next -= q->num;
        *wrap = !*wrap;
    }
    *pos = (uint16_t)next;
}

static void packed_advance(struct virtqueue *q, uint16_t slots)
{
    step(q, &q->avail, &q->avail_wrap, slots);
}

static void packed_retreat(struct virtqueue *q, uint16_t slots)
{
    if (slots > q->avail) {
        q->avail += q->num;
        q->avail_wrap = !q->avail_wrap;
    }
    q->avail -= slots;
}

static void write_used(struct virtqueue *q, uint16_t pos, bool wrap, const struct virtq_used *u)
{
    uint16_t marks = wrap ? DESC_AVAIL | DESC_USED : 0;

    space_st32_le(q->v->as, desc_at(q, pos) + 8, u->len, q->v->attrs);
    ring_st16(q, desc_at(q, pos) + DESC_ID, u->id);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    ring_st16(q, desc_at(q, pos) + DESC_FLAGS, marks | (u->len ? VIRTQ_DESC_WRITE : 0));
}

/* The first one is written last, so that the driver, which goes in order, sees all or none. */
static void packed_flush(struct virtqueue *q)
{
    uint16_t pos = q->used;
    bool wrap = q->used_wrap;

    for (unsigned i = 0; i < q->n_pending; i++) {
        if (i)
            write_used(q, pos, wrap, &q->pending[i]);
        step(q, &pos, &wrap, q->pending[i].slots);
        q->unsignalled += q->pending[i].slots;
    }
    write_used(q, q->used, q->used_wrap, &q->pending[0]);
    q->used = pos;
    q->used_wrap = wrap;
}

/* Notifications are off while the device is at work, so that an event position would save little.
 */
static void packed_set_kicks(struct virtqueue *q, bool on)
{
    ring_st16(q, q->device + EVENT_FLAGS, on ? EVENTS_ON : EVENTS_OFF);
}

static bool packed_wants_irq(struct virtqueue *q)
{
    uint16_t flags = ring_ld16(q, q->driver + EVENT_FLAGS) & 3, used = q->unsignalled, at;
    int back;

    q->unsignalled = 0;
    if (flags != EVENTS_AT || !virtio_has(q->v, VIRTIO_F_EVENT_IDX))
        return flags != EVENTS_OFF;
    at = ring_ld16(q, q->driver + EVENT_POS);
    /* how many entries ago the position was used; 0 is the one that comes next */
    back = q->used - (at & ~POS_WRAP);
    if (!!(at & POS_WRAP) != q->used_wrap)
        back += q->num;
    return back > 0 && back <= used;
}

const struct virtq_layout virtq_packed = {
    .empty = packed_empty,
    .take = packed_take,
    .next = packed_next,
    .advance = packed_advance,
    .retreat = packed_retreat,
    .flush = packed_flush,
    .set_kicks = packed_set_kicks,
    .wants_irq = packed_wants_irq,
};
