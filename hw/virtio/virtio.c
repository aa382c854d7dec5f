/* Virtio devices: status, features, configuration, notifications; see hw/virtio/virtio.h. */
#include <hw/virtio/virtio.h>

#include <stdarg.h>
#include <base/bits.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/log.h>
#include <base/loop.h>
#include <hw/backend/iothread.h>
#include "private.h"

bool virtio_running(const struct virtio *v)
{
    /* legacy drivers use queues from when they have set them up (3.1.2) */
    uint8_t up = v->legacy ? VIRTIO_S_DRIVER | VIRTIO_S_DRIVER_OK : VIRTIO_S_DRIVER_OK;

    return (v->status & up) && !v->broken && !v->dma_off;
}

void virtio_broken(struct virtio *v, const char *fmt, ...)
{
    va_list ap;
    char *text;

    if (v->broken)
        return;
    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    log_guest_error("%s: %s; it needs a reset\n", v->cls->name, text);
    g_free(text);
    v->broken = true;
    v->status |= VIRTIO_S_NEEDS_RESET;
    if (v->status & VIRTIO_S_DRIVER_OK)
        virtio_config_irq(v);
}

/* ---- notifications ---- */

static void run_handler(struct virtio *v, uint32_t n)
{
    struct virtqueue *q = &v->queues[n];

    if (!v->held && virtq_ready(q) && q->handler)
        q->handler(q);
}

static gboolean run_kicked(gpointer opaque)
{
    struct virtio *v = opaque;
    bool taken = virtio_lock(v);
    uint64_t kicked;

    g_source_set_ready_time(v->kicks->source, -1);
    kicked = __atomic_exchange_n(&v->kicks->queues, 0, __ATOMIC_ACQ_REL);
    for (; kicked; kicked &= kicked - 1)
        run_handler(v, (uint32_t)ctz64(kicked));
    virtio_unlock(v, taken);
    return G_SOURCE_CONTINUE;
}

/* From the thread of v->io, without a lock. */
static void hear(void *opaque, uint32_t n)
{
    struct virtio *v = opaque;
    bool taken = virtio_lock(v);

    if (n < v->n_queues)
        run_handler(v, n);
    virtio_unlock(v, taken);
}

static gboolean dispatch(GSource *source, GSourceFunc fn, gpointer opaque)
{
    (void)source;
    return fn(opaque);
}

static GSourceFuncs kick_funcs = { .dispatch = dispatch };

/* Any thread. */
static void ring(void *opaque, uint32_t n)
{
    struct virtio_kicks *k = opaque;

    if (!__atomic_fetch_or(&k->queues, BIT(n), __ATOMIC_ACQ_REL))
        g_source_set_ready_time(k->source, 0);
}

void virtio_kick(struct virtio *v, uint32_t n)
{
    if (n >= v->n_queues)
        log_guest_error("%s: there is no queue %u to notify\n", v->cls->name, n);
    else
        ring(v->kicks, n);
}

static bool prompt(const struct virtio *v)
{
    return v->cls->prompt && !v->iothread;
}

void virtio_notified(struct virtio *v, uint32_t n)
{
    if (prompt(v) && n < v->n_queues)
        run_handler(v, n);
    else
        virtio_kick(v, n);
}

static void kicks_free(void *opaque)
{
    struct virtio_kicks *k = opaque;

    g_source_unref(k->source);
    g_main_context_unref(k->context);
}

static void kicks_unref(void *opaque)
{
    g_atomic_rc_box_release_full(opaque, kicks_free);
}

static struct virtio_kicks *kicks_new(struct virtio *v)
{
    struct virtio_kicks *k = g_atomic_rc_box_new0(struct virtio_kicks);

    k->context = g_main_context_ref(io_main_context(v->io));
    k->source = g_source_new(&kick_funcs, sizeof(GSource));
    g_source_set_callback(k->source, run_kicked, v, NULL);
    return k;
}

void virtio_set_bells(struct virtio *v, struct mem_region *window, uint64_t first, uint32_t step,
                      bool by_value)
{
    const struct mem_bells bells = {
        .first = first,
        .step = step,
        .count = v->n_queues,
        .by_value = by_value,
        .ring = prompt(v) ? NULL : ring,
        .opaque = g_atomic_rc_box_acquire(v->kicks),
        .release = kicks_unref,
        .io = v->iothread ? v->io : NULL,
        .hear = v->iothread ? hear : NULL,
    };

    mem_region_set_bells(window, &bells);
}

/* ---- life ---- */

struct virtqueue *virtio_add_queue(struct virtio *v, unsigned size, virtq_handler *handler)
{
    struct virtqueue *q = &v->queues[v->n_queues];

    bug_on(v->n_queues >= VIRTIO_QUEUES_MAX || size > VIRTQ_SIZE_MAX || !is_pow2(size));
    q->v = v;
    q->index = v->n_queues++;
    q->max = (uint16_t)size;
    q->handler = handler;
    q->pending = g_new0(struct virtq_used, size);
    q->irq_fd = q->irq_line = -1;
    virtq_reset(q);
    return q;
}

static void free_queues(struct virtio *v)
{
    for (unsigned i = 0; i < v->n_queues; i++)
        g_free(v->queues[i].pending);
    g_free(v->queues);
    v->queues = NULL;
    v->n_queues = 0;
}

bool virtio_init(struct virtio *v, const struct virtio_class *cls,
                 const struct virtio_transport *transport, void *data, GError **err)
{
    v->cls = cls;
    v->transport = transport;
    v->transport_data = data;
    v->as = &v->dev.machine->memory;
    v->config_vector = VIRTIO_NO_VECTOR;
    v->legacy = v->legacy_only;
    v->legacy_align = VIRTIO_LEGACY_ALIGN;
    v->queues = g_new0(struct virtqueue, VIRTIO_QUEUES_MAX);
    v->io = v->iothread ? iothread_io(v->iothread) : loop_io(device_loop(&v->dev));
    v->kicks = kicks_new(v);
    virtio_hold_begin(v);
    if (!cls->realize(v, err)) {
        virtio_hold_end(v);
        free_queues(v);
        kicks_unref(v->kicks);
        return false;
    }
    virtio_iothread_begin(v);
    io_settle(v->io);
    g_source_attach(v->kicks->source, v->kicks->context);
    return true;
}

void virtio_destroy(struct virtio *v)
{
    bool taken = virtio_lock(v);

    v->held = true; /* bells ring as long as the window is there */
    virtio_unlock(v, taken);
    g_source_destroy(v->kicks->source);
    io_settle(v->io);
    if (v->cls->reset)
        v->cls->reset(v);
    virtio_hold_end(v);
    if (v->cls->unrealize)
        v->cls->unrealize(v);
    taken = virtio_lock(v);
    virtio_iothread_end(v);
    free_queues(v);
    virtio_unlock(v, taken);
    kicks_unref(v->kicks);
}

void virtio_reset(struct virtio *v)
{
    bool taken = virtio_lock(v);

    if (v->cls->reset)
        v->cls->reset(v);
    v->status = v->isr = 0;
    v->broken = false;
    v->driver_features = 0;
    v->device_sel = v->driver_sel = 0;
    v->queue_sel = 0;
    v->config_vector = VIRTIO_NO_VECTOR;
    v->generation = 0;
    v->legacy = v->legacy_only;
    /* the page size stays: Linux gives it before its first reset */
    v->legacy_align = VIRTIO_LEGACY_ALIGN;
    for (unsigned i = 0; i < v->n_queues; i++)
        virtq_reset(&v->queues[i]);
    virtio_unlock(v, taken);
    if (v->transport->was_reset)
        v->transport->was_reset(v);
    virtio_route_irqs(v);
}

/* ---- status and features (2.1, 2.2, 3.1) ---- */

uint64_t virtio_features(const struct virtio *v)
{
    uint64_t f = v->cls->features(v) | BIT(VIRTIO_F_VERSION_1) |
                 (v->indirect_desc ? BIT(VIRTIO_F_INDIRECT_DESC) : 0) |
                 (v->event_idx ? BIT(VIRTIO_F_EVENT_IDX) : 0) |
                 (v->packed ? BIT(VIRTIO_F_RING_PACKED) : 0) |
                 (v->queue_reset ? BIT(VIRTIO_F_RING_RESET) : 0);

    return v->legacy_only ? virtio_legacy_features(v) : f;
}

/* 6.3: buffers may be laid out in any way, which goes without saying in later versions. */
uint32_t virtio_legacy_features(const struct virtio *v)
{
    return (uint32_t)v->cls->features(v) | (uint32_t)BIT(VIRTIO_F_ANY_LAYOUT) |
           (uint32_t)(v->indirect_desc ? BIT(VIRTIO_F_INDIRECT_DESC) : 0) |
           (uint32_t)(v->event_idx ? BIT(VIRTIO_F_EVENT_IDX) : 0);
}

void virtio_legacy_set_features(struct virtio *v, uint32_t value)
{
    if (v->status & VIRTIO_S_FEATURES_OK)
        return;
    v->legacy = true;
    v->driver_features = value & virtio_legacy_features(v);
}

static uint32_t half(uint64_t features, uint32_t sel)
{
    return sel < 2 ? (uint32_t)(features >> (sel * 32)) : 0;
}

uint32_t virtio_get_features(const struct virtio *v)
{
    return half(virtio_features(v), v->device_sel);
}

uint32_t virtio_get_driver_features(const struct virtio *v)
{
    return half(v->driver_features, v->driver_sel);
}

void virtio_set_features(struct virtio *v, uint32_t value)
{
    if (v->status & VIRTIO_S_FEATURES_OK)
        log_guest_error("%s: features are set after FEATURES_OK\n", v->cls->name);
    else if (v->driver_sel < 2)
        v->driver_features = deposit64(v->driver_features, v->driver_sel * 32, 32, value);
}

/* 3.1.1: the device refuses by leaving the bit clear. */
static bool features_ok(struct virtio *v)
{
    if ((v->driver_features & ~virtio_features(v)) || !virtio_has(v, VIRTIO_F_VERSION_1)) {
        log_guest_error("%s: features 0x%" G_GINT64_MODIFIER "x are not what is offered\n",
                        v->cls->name, v->driver_features);
        return false;
    }
    return true;
}

void virtio_set_status(struct virtio *v, uint8_t status)
{
    uint8_t raised = status & ~v->status;

    if (!status) {
        virtio_reset(v);
        return;
    }
    if ((raised & VIRTIO_S_FEATURES_OK) && !features_ok(v))
        status &= ~VIRTIO_S_FEATURES_OK;
    if ((raised & VIRTIO_S_DRIVER_OK) && !(status & VIRTIO_S_FEATURES_OK) && !v->legacy) {
        log_guest_error("%s: DRIVER_OK without FEATURES_OK\n", v->cls->name);
        status &= ~VIRTIO_S_DRIVER_OK;
        raised &= ~VIRTIO_S_DRIVER_OK;
    }
    /* only a reset takes bits away (2.1.2) */
    v->status |= status;
    if (!(raised & VIRTIO_S_DRIVER_OK))
        return;
    if (v->cls->start)
        v->cls->start(v);
    /* buffers may lie there since before */
    for (unsigned i = 0; i < v->n_queues; i++)
        virtio_kick(v, i);
}

/* There is no FEATURES_OK here: what drivers ask for and do not get is not looked at. */
void virtio_legacy_set_status(struct virtio *v, uint8_t status)
{
    if (status && !(v->status & VIRTIO_S_FEATURES_OK))
        v->legacy = true;
    virtio_set_status(v, status & ~VIRTIO_S_FEATURES_OK);
}

struct virtqueue *virtio_queue(struct virtio *v)
{
    return v->queue_sel < v->n_queues ? &v->queues[v->queue_sel] : NULL;
}

/* ---- configuration (2.5) ---- */

void virtio_config_changed(struct virtio *v)
{
    bool taken = virtio_lock(v);

    v->generation++;
    if (v->status & VIRTIO_S_DRIVER_OK)
        virtio_config_irq(v);
    virtio_unlock(v, taken);
}

static bool in_config(const struct virtio *v, uint64_t offset, unsigned size)
{
    return offset < v->config_len && size <= v->config_len - offset;
}

uint32_t virtio_config_read(struct virtio *v, uint64_t offset, unsigned size)
{
    bool taken;
    uint32_t value;

    if (!in_config(v, offset, size))
        return 0;
    taken = virtio_lock(v);
    if (v->cls->get_config)
        v->cls->get_config(v);
    value = (uint32_t)ldn_le(v->config + offset, size);
    virtio_unlock(v, taken);
    return value;
}

void virtio_config_write(struct virtio *v, uint64_t offset, unsigned size, uint32_t value)
{
    bool taken = virtio_lock(v);

    if (v->cls->set_config && in_config(v, offset, size))
        v->cls->set_config(v, (unsigned)offset, size, value);
    else
        log_guest_error("%s: write to configuration at 0x%" G_GINT64_MODIFIER "x\n", v->cls->name,
                        offset);
    virtio_unlock(v, taken);
}
