/*
 * Virtio console device (virtio 1.2, 5.3), with several ports: virtio-serial is the device,
 * virtconsole and virtserialport plug into it (serial-port.c).
 */
#include "serial.h"

#include <base/bits.h>
#include <base/error.h>
#include <hw/virtio/types.h>

enum { C_COLS = 0, C_ROWS = 2, C_MAX_PORTS = 4, C_LEN = 8 };

/* 5.3.6.2: control messages are id, event, value */
enum { M_ID = 0, M_EVENT = 4, M_VALUE = 6, M_LEN = 8 };
enum {
    DEVICE_READY = 0,
    DEVICE_ADD = 1,
    DEVICE_REMOVE = 2,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7,
};

#define CONTROL_RX  2
#define CONTROL_TX  3
#define CONTROL_MAX 256 /* messages that wait; a driver that takes none loses the rest */

static struct vserial *serial_of(struct virtio *v)
{
    return (struct vserial *)v;
}

static uint64_t serial_features(const struct virtio *v)
{
    (void)v;
    return BIT(SERIAL_F_MULTIPORT);
}

/* 5.3.2: the control queues lie behind those of port 0. */
struct virtqueue *serial_queue(struct vserial *s, unsigned port, bool tx)
{
    return &s->v.queues[(port ? 2 * port + 2 : 0) + tx];
}

static struct serial_port *port_of(struct virtqueue *q)
{
    unsigned i = q->index < 2 ? 0 : q->index / 2 - 1;

    return serial_of(q->v)->ports[i];
}

/* ---- control messages ---- */

static void send_control(struct vserial *s)
{
    struct virtqueue *q = &s->v.queues[CONTROL_RX];
    bool any = false;
    GBytes *b;

    while ((b = g_queue_peek_head(&s->control))) {
        struct virtq_elem e;
        gsize len;
        const void *data = g_bytes_get_data(b, &len);

        if (!virtq_pop(q, &e) && (virtq_kicks_on(q) || !virtq_pop(q, &e)))
            break;
        virtq_push(&e, iov_put(virtq_in(&e), e.n_in, 0, data, len));
        g_bytes_unref(g_queue_pop_head(&s->control));
        any = true;
    }
    if (any)
        virtq_notify(q);
}

static void tell(struct vserial *s, uint32_t id, uint16_t event, uint16_t value, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    uint8_t *m;

    if (!s->driver_ready || g_queue_get_length(&s->control) >= CONTROL_MAX)
        return;
    m = g_malloc0(M_LEN + n);
    stl_le(m + M_ID, id);
    stw_le(m + M_EVENT, event);
    stw_le(m + M_VALUE, value);
    if (n)
        memcpy(m + M_LEN, text, n);
    g_queue_push_tail(&s->control, g_bytes_new_take(m, M_LEN + n));
    send_control(s);
}

void serial_tell_open(struct vserial *s, const struct serial_port *p, bool open)
{
    tell(s, p->nr, PORT_OPEN, open, NULL);
}

static void port_is_ready(struct vserial *s, const struct serial_port *p)
{
    if (p->is_console)
        tell(s, p->nr, CONSOLE_PORT, 1, NULL);
    if (p->name)
        tell(s, p->nr, PORT_NAME, 1, p->name);
    if (p->is_console || chardev_fe_is_open(&p->fe))
        serial_tell_open(s, p, true);
}

static void take_message(struct vserial *s, const uint8_t *m)
{
    uint32_t id = ldl_le(m + M_ID);
    uint16_t value = lduw_le(m + M_VALUE);
    struct serial_port *p = id < s->max_ports ? s->ports[id] : NULL;

    switch (lduw_le(m + M_EVENT)) {
    case DEVICE_READY:
        s->driver_ready = value != 0;
        for (unsigned i = 0; i < s->max_ports; i++)
            if (s->ports[i])
                tell(s, i, DEVICE_ADD, 1, NULL);
        break;
    case PORT_READY:
        if (p && value)
            port_is_ready(s, p);
        break;
    case PORT_OPEN:
        if (p)
            serial_port_set_open(p, value != 0);
        break;
    default: break;
    }
}

static void control_rx_kick(struct virtqueue *q)
{
    send_control(serial_of(q->v));
}

static void control_tx_kick(struct virtqueue *q)
{
    unsigned budget = q->num;
    struct virtq_elem e;
    uint8_t m[M_LEN];

    while (budget-- && virtq_pop(q, &e)) {
        bool whole = iov_get(virtq_out(&e), e.n_out, 0, m, sizeof(m)) == sizeof(m);

        virtq_push(&e, 0);
        if (whole)
            take_message(serial_of(q->v), m);
    }
    virtq_notify(q);
    if (!virtq_kicks_on(q))
        virtio_kick(q->v, q->index);
}

/* ---- ports ---- */

static void rx_kick(struct virtqueue *q)
{
    struct serial_port *p = port_of(q);

    if (p)
        serial_port_kick_rx(p);
}

/* Without anybody behind it, what is written is gone. */
static void swallow(struct virtqueue *q)
{
    unsigned budget = q->num;
    struct virtq_elem e;

    while (budget-- && virtq_pop(q, &e))
        virtq_push(&e, 0);
    virtq_notify(q);
    if (!virtq_kicks_on(q))
        virtio_kick(q->v, q->index);
}

static void tx_kick(struct virtqueue *q)
{
    struct serial_port *p = port_of(q);

    if (p)
        serial_port_kick_tx(p);
    else
        swallow(q);
}

bool serial_add_port(struct vserial *s, struct serial_port *p, GError **err)
{
    /* port 0 is for a console, as drivers without MULTIPORT know no other */
    unsigned nr = p->is_console ? 0 : 1;

    if (p->nr != UINT32_MAX) {
        if (p->nr >= s->max_ports)
            return error_set(err, "%s.nr: %u: the device has ports 0 to %u", p->dev.type->name,
                             p->nr, s->max_ports - 1);
        if (s->ports[p->nr])
            return error_set(err, "%s.nr: %u is taken", p->dev.type->name, p->nr);
        if (!p->nr && !p->is_console)
            return error_set(err, "%s.nr: 0 is for a virtconsole", p->dev.type->name);
        nr = p->nr;
    }
    while (nr < s->max_ports && s->ports[nr])
        nr++;
    if (nr >= s->max_ports)
        return error_set(err, "%s: all ports of the device are taken", p->dev.type->name);
    p->nr = nr;
    s->ports[nr] = p;
    tell(s, nr, DEVICE_ADD, 1, NULL);
    return true;
}

void serial_remove_port(struct vserial *s, struct serial_port *p)
{
    s->ports[p->nr] = NULL;
    tell(s, p->nr, DEVICE_REMOVE, 1, NULL);
}

const struct bus_type virtio_serial_bus_type = { .name = "virtio-serial-bus" };

/* ---- life ---- */

static bool serial_realize(struct virtio *v, GError **err)
{
    struct vserial *s = serial_of(v);
    char *name = NULL;

    (void)err;
    for (unsigned i = 0; i <= s->max_ports; i++) {
        bool control = i == 1;

        virtio_add_queue(v, 128, control ? control_rx_kick : rx_kick);
        virtio_add_queue(v, 128, control ? control_tx_kick : tx_kick);
    }
    v->config_len = C_LEN;
    stl_le(v->config + C_MAX_PORTS, s->max_ports);
    g_queue_init(&s->control);
    for (unsigned i = 0; !name || bus_find(v->dev.machine, name); i++) {
        g_free(name);
        name = v->dev.id && !i ? g_strdup_printf("%s.0", v->dev.id)
                               : g_strdup_printf("virtio-serial%u.0", i);
    }
    bus_init(&s->bus, &virtio_serial_bus_type, v->dev.machine, &v->dev, name);
    g_free(name);
    return true;
}

static void serial_unrealize(struct virtio *v)
{
    struct vserial *s = serial_of(v);

    g_queue_clear_full(&s->control, (GDestroyNotify)g_bytes_unref);
    bus_destroy(&s->bus);
}

static void serial_reset(struct virtio *v)
{
    struct vserial *s = serial_of(v);

    s->driver_ready = false;
    g_queue_clear_full(&s->control, (GDestroyNotify)g_bytes_unref);
    for (unsigned i = 0; i < s->max_ports; i++) {
        if (s->ports[i]) {
            serial_port_drop(s->ports[i], false);
            serial_port_set_open(s->ports[i], false);
        }
    }
}

static void serial_queue_reset(struct virtio *v, struct virtqueue *q)
{
    struct serial_port *p = q->index / 2 == 1 ? NULL : port_of(q);

    (void)v;
    if (p)
        serial_port_drop(p, false);
}

/* A driver without control messages uses port 0 from the start. */
static void serial_start(struct virtio *v)
{
    struct vserial *s = serial_of(v);

    if (!virtio_has(v, SERIAL_F_MULTIPORT) && s->ports[0])
        serial_port_set_open(s->ports[0], true);
}

static const struct virtio_class serial_class = {
    .name = "virtio-serial",
    .id = VIRTIO_ID_CONSOLE,
    .features = serial_features,
    .realize = serial_realize,
    .unrealize = serial_unrealize,
    .reset = serial_reset,
    .queue_reset = serial_queue_reset,
    .start = serial_start,
    .vectors = 2,
};

/* ---- saved state: messages that wait, too ---- */

static void control_save(const void *field, struct state_writer *w)
{
    const GQueue *q = field;

    state_put_u32(w, q->length);
    for (const GList *l = q->head; l; l = l->next) {
        gsize len;
        const void *data = g_bytes_get_data(l->data, &len);

        state_put_u32(w, (uint32_t)len);
        state_put(w, data, len);
    }
}

static bool control_load(void *field, struct state_reader *r, GError **err)
{
    GQueue *q = field;
    uint32_t n, len;

    g_queue_clear_full(q, (GDestroyNotify)g_bytes_unref);
    if (!state_get_u32(r, &n, err))
        return false;
    if (n > CONTROL_MAX)
        return error_set(err, "saved state: virtio-serial: %u messages", n);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t m[4096];

        if (!state_get_u32(r, &len, err))
            return false;
        if (len > sizeof(m))
            return error_set(err, "saved state: virtio-serial: a message of %u bytes", len);
        if (!state_get(r, m, len, err))
            return false;
        g_queue_push_tail(q, g_bytes_new(m, len));
    }
    return true;
}

static const struct state_custom control_state = { control_save, control_load };

/* What ports hold goes back into the rings, to be taken again. */
static void serial_pre_save(void *obj)
{
    struct vserial *s = obj;

    for (unsigned i = 0; i < s->max_ports; i++)
        if (s->ports[i])
            serial_port_drop(s->ports[i], true);
    for (unsigned i = 0; i < s->v.n_queues; i++)
        if (virtq_ready(&s->v.queues[i]))
            virtio_kick(&s->v, i);
}

static const struct state_field serial_fields[] = {
    VIRTIO_STATE(struct vserial), STATE_BOOL(struct vserial, driver_ready),
    STATE_CUSTOM(struct vserial, control, control_state), STATE_END
};
static const struct state_table serial_state = {
    .name = "virtio-serial", .version = 1, .fields = serial_fields, .pre_save = serial_pre_save
};

#define SERIAL_PROPS                                                                      \
    PROP_U32(struct vserial, max_ports, "max_ports", SERIAL_PORTS_MAX, "ports", .min = 1, \
             .max = SERIAL_PORTS_MAX)

VIRTIO_DEVICE_TYPES(serial, struct vserial, "virtio-serial", serial_class, VIRTIO_ID_CONSOLE, 0x07,
                    0x80, SERIAL_PROPS, serial_state, "consoles and channels", "input")
