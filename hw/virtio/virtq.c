/* Queues: what both layouts of rings have in common. */
#include "private.h"

#include <base/bits.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/log.h>

bool virtq_empty(struct virtqueue *q)
{
    return !virtq_ready(q) || virtq_layout(q)->empty(q);
}

static bool take(struct virtqueue *q, uint16_t slot, struct virtq_elem *e)
{
    elem_begin(q, e);
    if (!virtq_layout(q)->take(q, slot, e)) {
        elem_end(e, 0);
        return false;
    }
    if (q->inflight + e->slots > q->num) {
        virtio_broken(q->v, "queue %u: more buffers are available than the ring holds", q->index);
        elem_end(e, 0);
        return false;
    }
    q->inflight += e->slots;
    return true;
}

bool virtq_pop(struct virtqueue *q, struct virtq_elem *e)
{
    uint16_t slot;

    if (!virtq_ready(q) || !virtq_layout(q)->next(q, &slot) || !take(q, slot, e))
        return false;
    virtq_layout(q)->advance(q, e->slots);
    return true;
}

bool virtq_restore(struct virtqueue *q, struct virtq_elem *e, uint16_t slot)
{
    return q->enabled && slot < q->num && take(q, slot, e);
}

void virtq_unpop(struct virtq_elem *e)
{
    struct virtqueue *q = e->q;

    virtq_layout(q)->retreat(q, e->slots);
    virtq_drop(e);
}

void virtq_drop(struct virtq_elem *e)
{
    e->q->inflight -= e->slots;
    elem_end(e, 0);
}

void virtq_fill(struct virtq_elem *e, uint64_t len)
{
    struct virtqueue *q = e->q;

    bug_on(q->n_pending >= q->max);
    q->inflight -= e->slots;
    elem_end(e, len);
    q->pending[q->n_pending++] =
        (struct virtq_used){ e->id, e->slots, (uint32_t)MIN(len, UINT32_MAX) };
}

void virtq_flush(struct virtqueue *q)
{
    if (q->n_pending && q->enabled && !q->v->broken)
        virtq_layout(q)->flush(q);
    q->n_pending = 0;
}

void virtq_push(struct virtq_elem *e, uint64_t len)
{
    struct virtqueue *q = e->q;

    virtq_fill(e, len);
    virtq_flush(q);
}

void virtq_notify(struct virtqueue *q)
{
    if (!virtq_ready(q))
        return;
    /* what was used must be seen before the driver's wish is read, and the other way round there */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (virtq_layout(q)->wants_irq(q))
        virtio_queue_irq(q);
}

void virtq_kicks_off(struct virtqueue *q)
{
    if (!virtq_ready(q) || q->kicks_off)
        return;
    q->kicks_off = true;
    virtq_layout(q)->set_kicks(q, false);
}

bool virtq_kicks_on(struct virtqueue *q)
{
    if (!virtq_ready(q))
        return true;
    q->kicks_off = false;
    virtq_layout(q)->set_kicks(q, true);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return virtq_layout(q)->empty(q);
}

void virtq_reset(struct virtqueue *q)
{
    q->num = q->max;
    q->enabled = false;
    q->desc = q->driver = q->device = 0;
    q->vector = VIRTIO_NO_VECTOR;
    q->avail = q->used = q->signalled = 0;
    q->signalled_valid = q->kicks_off = false;
    q->avail_wrap = q->used_wrap = true;
    q->inflight = q->unsignalled = 0;
    q->n_pending = 0;
    __atomic_and_fetch(&q->v->kicks->queues, ~BIT(q->index), __ATOMIC_RELAXED);
}

void virtq_set_num(struct virtqueue *q, uint32_t num)
{
    bool packed = virtio_has(q->v, VIRTIO_F_RING_PACKED);

    if (q->enabled || !num || num > q->max || (!packed && !is_pow2(num))) {
        log_guest_error("%s: queue %u: %u entries, of %u, are refused\n", q->v->cls->name, q->index,
                        num, q->max);
        return;
    }
    q->num = (uint16_t)num;
}

void virtq_set_addr(struct virtqueue *q, uint64_t *addr, bool high, uint32_t value)
{
    if (q->enabled)
        log_guest_error("%s: queue %u: moved while it is enabled\n", q->v->cls->name, q->index);
    else
        *addr = deposit64(*addr, high ? 32 : 0, 32, value);
}

void virtq_enable(struct virtqueue *q, bool on)
{
    struct virtio *v = q->v;

    if (on == q->enabled)
        return;
    if (!on) {
        if (v->cls->queue_reset)
            v->cls->queue_reset(v, q);
        virtq_reset(q);
        return;
    }
    /* 2.7, 2.8: alignment of the three parts; num was checked when it was set, but for packed rings
     */
    if ((q->desc & 15) || (q->driver & 1) || (q->device & 3) ||
        (!virtio_has(v, VIRTIO_F_RING_PACKED) && !is_pow2(q->num))) {
        virtio_broken(v, "queue %u: its parts are not aligned", q->index);
        return;
    }
    q->enabled = true;
}

void virtq_set_base(struct virtqueue *q, uint64_t base, uint32_t align)
{
    virtq_enable(q, false);
    if (!base)
        return;
    q->desc = base;
    q->driver = base + VIRTQ_DESC_SIZE * (uint64_t)q->num;
    q->device = align_up(q->driver + 6 + 2 * (uint64_t)q->num, align);
    virtq_enable(q, true);
}

/* ---- saved state ---- */

static bool virtq_loaded(void *obj, unsigned version, GError **err)
{
    struct virtqueue *q = obj;

    (void)version;
    if (q->num > q->max || (q->enabled && !q->num))
        return error_set(err, "saved state: virtio queue %u: %u entries, there are %u", q->index,
                         q->num, q->max);
    q->n_pending = 0;
    q->inflight = 0;
    q->signalled_valid = false;
    return true;
}

static const struct state_field virtq_fields[] = { STATE_U16(struct virtqueue, num),
                                                   STATE_BOOL(struct virtqueue, enabled),
                                                   STATE_U64(struct virtqueue, desc),
                                                   STATE_U64(struct virtqueue, driver),
                                                   STATE_U64(struct virtqueue, device),
                                                   STATE_U16(struct virtqueue, vector),
                                                   STATE_U16(struct virtqueue, avail),
                                                   STATE_U16(struct virtqueue, used),
                                                   STATE_U16(struct virtqueue, unsignalled),
                                                   STATE_BOOL(struct virtqueue, avail_wrap),
                                                   STATE_BOOL(struct virtqueue, used_wrap),
                                                   STATE_BOOL(struct virtqueue, kicks_off),
                                                   STATE_END };
static const struct state_table virtq_state = {
    .name = "virtqueue", .version = 1, .fields = virtq_fields, .post_load = virtq_loaded
};

static bool virtio_loaded(void *obj, unsigned version, GError **err)
{
    struct virtio *v = obj;
    bool packed = virtio_has(v, VIRTIO_F_RING_PACKED);

    (void)version;
    /* Before FEATURES_OK a driver can have written anything. */
    if ((v->status & VIRTIO_S_FEATURES_OK) && v->driver_features & ~virtio_features(v))
        return error_set(err, "saved state: %s: features 0x%" G_GINT64_MODIFIER "x are not there",
                         v->cls->name, v->driver_features & ~virtio_features(v));
    for (unsigned i = 0; i < v->n_queues; i++) {
        const struct virtqueue *q = &v->queues[i];
        bool ok = packed ? q->avail < MAX(q->num, 1) && q->used < MAX(q->num, 1)
                         : !q->enabled || is_pow2(q->num);

        if (!ok)
            return error_set(err, "saved state: %s: queue %u is not right", v->cls->name, i);
        /* what came in between is found by looking */
        if (q->enabled)
            virtio_kick(v, i);
    }
    return true;
}

/* Before anything is loaded: what the device holds belongs to the rings of before. */
static void nothing_save(const void *field, struct state_writer *w)
{
    (void)field, (void)w;
}

static bool drop_load(void *field, struct state_reader *r, GError **err)
{
    struct virtio *v = container_of(field, struct virtio, status);

    (void)r, (void)err;
    if (v->cls->reset)
        v->cls->reset(v);
    return true;
}

static const struct state_custom drop_state = { nothing_save, drop_load };

static const struct state_field virtio_fields[] = {
    STATE_CUSTOM(struct virtio, status, drop_state),
    STATE_U8(struct virtio, status),
    STATE_U8(struct virtio, isr),
    STATE_BOOL(struct virtio, broken),
    STATE_U64(struct virtio, driver_features),
    STATE_U32(struct virtio, device_sel),
    STATE_U32(struct virtio, driver_sel),
    STATE_U16(struct virtio, queue_sel),
    STATE_U16(struct virtio, config_vector),
    STATE_U32(struct virtio, generation),
    STATE_BUF(struct virtio, config),
    STATE_STRUCT_VARRAY(struct virtio, queues, n_queues, VIRTIO_QUEUES_MAX, virtq_state),
    STATE_BOOL(struct virtio, legacy, .since = 2),
    STATE_U32(struct virtio, legacy_page, .since = 2),
    STATE_U32(struct virtio, legacy_align, .since = 2),
    STATE_END
};
const struct state_table virtio_state = {
    .name = "virtio",
    .version = 2,
    .min_version = 1,
    .fields = virtio_fields,
    .post_load = virtio_loaded,
};
