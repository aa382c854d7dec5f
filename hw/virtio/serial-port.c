/* Ports of the virtio console device: virtconsole is a terminal, virtserialport a channel. */
#include "serial.h"

#include <base/error.h>

#define CHUNK 4096

/* ---- from the guest ---- */

/* Sends what is left of the buffer; false: the other end takes no more now. */
static bool send_rest(struct serial_port *p)
{
    uint8_t buf[CHUNK];
    size_t n;

    while ((n = iov_get(virtq_out(&p->tx), p->tx.n_out, p->tx_done, buf, sizeof(buf)))) {
        size_t taken = p->chr ? chardev_fe_write(&p->fe, buf, n) : n;

        p->tx_done += taken;
        if (taken < n)
            return false;
    }
    return true;
}

void serial_port_kick_tx(struct serial_port *p)
{
    struct virtqueue *q = serial_queue(p->serial, p->nr, true);
    unsigned budget = q->num;

    while (budget--) {
        if (!p->has_tx && !virtq_pop(q, &p->tx)) {
            if (virtq_kicks_on(q))
                break;
            continue;
        }
        p->has_tx = true;
        if (!send_rest(p))
            break;
        p->has_tx = false;
        p->tx_done = 0;
        virtq_push(&p->tx, 0);
    }
    virtq_notify(q);
    if (!p->has_tx && !virtq_empty(q))
        virtio_kick(&p->serial->v, q->index);
}

static void port_writable(void *opaque)
{
    serial_port_kick_tx(opaque);
}

/* ---- to the guest ---- */

/* Holds one buffer, so that its room is known before bytes are asked for. */
static bool hold_rx(struct serial_port *p)
{
    struct virtqueue *q = serial_queue(p->serial, p->nr, false);

    if (!p->has_rx)
        p->has_rx = virtq_pop(q, &p->rx) || (!virtq_kicks_on(q) && virtq_pop(q, &p->rx));
    return p->has_rx;
}

static size_t port_can_receive(void *opaque)
{
    struct serial_port *p = opaque;

    return p->guest_open && hold_rx(p) ? MIN(p->rx.in_len, CHUNK) : 0;
}

static void port_receive(void *opaque, const uint8_t *buf, size_t len)
{
    struct serial_port *p = opaque;
    struct virtqueue *q = p->rx.q;

    p->has_rx = false;
    virtq_push(&p->rx, iov_put(virtq_in(&p->rx), p->rx.n_in, 0, buf, len));
    virtq_notify(q);
}

static void port_event(void *opaque, enum chardev_event event)
{
    struct serial_port *p = opaque;

    if (!p->is_console && p->dev.realized && (event == CHARDEV_OPENED || event == CHARDEV_CLOSED))
        serial_tell_open(p->serial, p, event == CHARDEV_OPENED);
}

void serial_port_kick_rx(struct serial_port *p)
{
    if (p->chr)
        chardev_fe_accept_input(&p->fe);
}

void serial_port_set_open(struct serial_port *p, bool open)
{
    p->guest_open = open;
    chardev_fe_guest_open(&p->fe, open);
    if (open)
        serial_port_kick_rx(p);
}

void serial_port_drop(struct serial_port *p, bool undo)
{
    void (*drop)(struct virtq_elem * e) = undo ? virtq_unpop : virtq_drop;

    if (p->has_rx)
        drop(&p->rx);
    if (p->has_tx)
        drop(&p->tx);
    p->has_rx = p->has_tx = false;
    if (!undo)
        p->tx_done = 0;
}

static const struct chardev_fe_ops port_ops = {
    .can_receive = port_can_receive,
    .receive = port_receive,
    .event = port_event,
    .writable = port_writable,
};

/* ---- life ---- */

static bool realize(struct serial_port *p, bool is_console, GError **err)
{
    struct device *dev = &p->dev;

    p->serial = (struct vserial *)dev->bus->parent;
    p->is_console = is_console;
    if (!serial_add_port(p->serial, p, err))
        return false;
    if (!p->chr || chardev_fe_attach(&p->fe, p->chr, &port_ops, p, dev->path, err))
        return true;
    serial_remove_port(p->serial, p);
    return false;
}

static bool console_realize(struct device *dev, GError **err)
{
    return realize((struct serial_port *)dev, true, err);
}

static bool port_realize(struct device *dev, GError **err)
{
    return realize((struct serial_port *)dev, false, err);
}

static void port_unrealize(struct device *dev)
{
    struct serial_port *p = (struct serial_port *)dev;

    serial_port_drop(p, false);
    serial_remove_port(p->serial, p);
    chardev_fe_detach(&p->fe);
}

static bool port_loaded(void *obj, unsigned version, GError **err)
{
    struct serial_port *p = obj;

    (void)version, (void)err;
    chardev_fe_guest_open(&p->fe, p->guest_open);
    return true;
}

static const struct state_field port_fields[] = { STATE_BOOL(struct serial_port, guest_open),
                                                  STATE_U64(struct serial_port, tx_done),
                                                  STATE_END };
static const struct state_table port_state = {
    .name = "virtio-serial-port", .version = 1, .fields = port_fields, .post_load = port_loaded
};

static const struct prop port_props[] = {
    PROP_CHARDEV(struct serial_port, chr, "chardev", "where bytes go"),
    PROP_STR(struct serial_port, name, "name", NULL, "by which the guest finds it"),
    PROP_U32(struct serial_port, nr, "nr", UINT32_MAX, "number; 4294967295: the next"),
    PROP_LIST_END
};

const struct device_type virtconsole_type = {
    .name = "virtconsole",
    .help = "terminal on a virtio-serial device",
    .bus = &virtio_serial_bus_type,
    .size = sizeof(struct serial_port),
    .category = "input",
    .realize = console_realize,
    .unrealize = port_unrealize,
    .props = port_props,
    .state = &port_state,
};

const struct device_type virtserialport_type = {
    .name = "virtserialport",
    .help = "channel on a virtio-serial device",
    .bus = &virtio_serial_bus_type,
    .size = sizeof(struct serial_port),
    .category = "input",
    .realize = port_realize,
    .unrealize = port_unrealize,
    .props = port_props,
    .state = &port_state,
};
