/*
 * Virtio devices in iothreads: how their interrupts get out of a thread that never takes the device
 * lock. Where the accelerator has lines for messages (hw/core/host_irqchip.h), a queue whose
 * interrupt is a message has one, and an interrupt is a signal of an event. Else the main loop is
 * asked to do it.
 */
#include "private.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <base/bits.h>
#include <base/log.h>
#include <base/loop.h>
#include <hw/core/host_irqchip.h>

static struct loop *loop_of(struct virtio *v)
{
    return device_loop(&v->dev);
}

/* ---- by the main loop ---- */

static void deliver(struct virtio *v)
{
    uint64_t irqs = __atomic_exchange_n(&v->irqs, 0, __ATOMIC_ACQ_REL);

    for (; irqs; irqs &= irqs - 1)
        v->transport->queue_irq(v, &v->queues[ctz64(irqs)]);
    if (__atomic_exchange_n(&v->config_irq_due, false, __ATOMIC_ACQ_REL))
        v->transport->config_irq(v);
}

static gboolean irqs_due(gpointer opaque)
{
    struct virtio *v = opaque;

    g_source_set_ready_time(v->irq_source, -1);
    deliver(v);
    return G_SOURCE_CONTINUE;
}

static gboolean dispatch(GSource *source, GSourceFunc fn, gpointer opaque)
{
    (void)source;
    return fn(opaque);
}

static GSourceFuncs irq_funcs = { .dispatch = dispatch };

static bool may_call_out(struct virtio *v)
{
    return !v->irq_source || loop_locked(loop_of(v));
}

void virtio_config_irq(struct virtio *v)
{
    if (may_call_out(v)) {
        v->transport->config_irq(v);
        return;
    }
    __atomic_store_n(&v->config_irq_due, true, __ATOMIC_RELEASE);
    g_source_set_ready_time(v->irq_source, 0);
}

void virtio_queue_irq(struct virtqueue *q)
{
    struct virtio *v = q->v;
    const uint64_t one = 1;

    if (may_call_out(v)) {
        v->transport->queue_irq(v, q);
    } else if (q->irq_line < 0 || write(q->irq_fd, &one, sizeof(one)) != sizeof(one)) {
        __atomic_fetch_or(&v->irqs, BIT(q->index), __ATOMIC_ACQ_REL);
        g_source_set_ready_time(v->irq_source, 0);
    }
}

/* ---- lines of the accelerator's ---- */

/* Signals that nobody has taken, as the machine stands. */
static void take_signals(struct virtqueue *q)
{
    uint64_t count;

    if (q->irq_fd >= 0 && read(q->irq_fd, &count, sizeof(count)) == sizeof(count))
        q->v->transport->queue_irq(q->v, q);
}

static void route_queue(struct virtqueue *q)
{
    struct virtio *v = q->v;
    const struct host_irqchip *host = v->dev.machine->host_irqchip;
    uint64_t addr = 0;
    uint32_t data = 0;
    bool wanted = host && host->add_line && v->transport->queue_message &&
                  v->transport->queue_message(v, q, &addr, &data);

    if (wanted && q->irq_line >= 0 && q->irq_addr == addr && q->irq_data == data)
        return;
    if (q->irq_line >= 0) {
        if (host)
            host->remove_line(host->opaque, q->irq_line);
        q->irq_line = -1;
        take_signals(q);
    }
    if (!wanted)
        return;
    if (q->irq_fd < 0)
        q->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (q->irq_fd < 0)
        return;
    q->irq_line = host->add_line(host->opaque, q->irq_fd, addr, data);
    q->irq_addr = addr;
    q->irq_data = data;
}

void virtio_route_irqs(struct virtio *v)
{
    bool taken;

    if (!v->irq_source)
        return;
    taken = virtio_lock(v);
    for (unsigned i = 0; i < v->n_queues; i++)
        route_queue(&v->queues[i]);
    virtio_unlock(v, taken);
}

/* ---- holding still ---- */

static void let_go(struct virtio *v)
{
    v->held = false;
    virtio_route_irqs(v); /* vectors may be those of a saved machine */
    for (unsigned i = 0; i < v->n_queues; i++)
        if (virtq_ready(&v->queues[i]))
            virtio_kick(v, i);
}

static void take_irqs(struct virtio *v)
{
    deliver(v);
    for (unsigned i = 0; i < v->n_queues; i++)
        take_signals(&v->queues[i]);
}

/* Once nothing is under way, no interrupt is to be, either. */
static void run_state_changed(void *opaque, bool running, enum run_state s)
{
    struct virtio *v = opaque;
    bool taken = virtio_lock(v);

    (void)s;
    if (running) {
        let_go(v);
        if (v->cls->resumed)
            v->cls->resumed(v);
    } else {
        v->held = true;
        if (v->cls->stopped)
            v->cls->stopped(v);
        take_irqs(v);
    }
    virtio_unlock(v, taken);
}

void virtio_hold_begin(struct virtio *v)
{
    if (!v->cls->holds_still)
        return;
    v->held = !machine_running(v->dev.machine); /* a saved one may be loaded before it runs */
    machine_on_run_state(v->dev.machine, run_state_changed, v);
}

void virtio_hold_end(struct virtio *v)
{
    if (v->cls->holds_still)
        machine_off_run_state(v->dev.machine, run_state_changed, v);
}

/* ---- life ---- */

void virtio_iothread_begin(struct virtio *v)
{
    if (!v->iothread)
        return;
    v->attrs |= MEM_ATTR_RAM_ONLY;
    v->irq_source = g_source_new(&irq_funcs, sizeof(GSource));
    g_source_set_callback(v->irq_source, irqs_due, v, NULL);
    g_source_attach(v->irq_source, loop_context(loop_of(v)));
}

void virtio_iothread_end(struct virtio *v)
{
    const struct host_irqchip *host = v->dev.machine->host_irqchip;

    if (!v->irq_source)
        return;
    for (unsigned i = 0; i < v->n_queues; i++) {
        struct virtqueue *q = &v->queues[i];

        if (q->irq_line >= 0 && host)
            host->remove_line(host->opaque, q->irq_line);
        q->irq_line = -1;
        if (q->irq_fd >= 0)
            close(q->irq_fd);
        q->irq_fd = -1;
    }
    g_source_destroy(v->irq_source);
    g_source_unref(v->irq_source);
    v->irq_source = NULL;
}
