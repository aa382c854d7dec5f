/* `usb-hub`: eight ports (USB 1.1, chapter 11). */
#include <hw/usb/usb.h>

#include <base/bits.h>
#include <base/error.h>

enum { GET_STATUS = 0, CLEAR_FEATURE = 1, SET_FEATURE = 3, GET_DESCRIPTOR = 6, DESC_HUB = 0x29 };
enum { TO_DEVICE = 0, TO_PORT = 3 };
/* 11.16.2: features, which are numbers of status bits; changes are 16 above. */
enum { F_CONNECTION = 0, F_ENABLE = 1, F_SUSPEND = 2, F_RESET = 4, F_POWER = 8, F_CHANGE = 16 };
enum { LOW_SPEED = 1 << 9 };

struct hub {
    struct usb_device usb;
    struct usb_ports ports;
    uint16_t status[USB_PORTS_MAX], change[USB_PORTS_MAX];
};

static struct hub *hub_of(struct usb_device *d)
{
    return (struct hub *)d;
}

bool usb_hub_enabled(const struct usb_port *p)
{
    uint16_t s = hub_of(p->opaque)->status[p->number - 1];

    return s & 1 << F_ENABLE && !(s & 1 << F_SUSPEND);
}

static void port_changed(struct usb_port *p)
{
    struct hub *h = p->opaque;
    unsigned i = p->number - 1;
    uint16_t before = h->status[i];

    h->status[i] &= (uint16_t) ~(1 << F_CONNECTION | 1 << F_ENABLE | 1 << F_SUSPEND | LOW_SPEED);
    if (p->dev)
        h->status[i] |= (uint16_t)(1 << F_CONNECTION | (p->dev->info->low_speed ? LOW_SPEED : 0));
    h->change[i] |= 1 << F_CONNECTION;
    if (before & 1 << F_ENABLE)
        h->change[i] |= 1 << F_ENABLE;
}

/* 11.9: a port that sleeps wakes, and says so; a hub that sleeps as a whole passes it on. */
static void port_resumes(struct usb_port *p)
{
    struct hub *h = p->opaque;
    unsigned i = p->number - 1;

    if (h->status[i] & 1 << F_SUSPEND) {
        h->status[i] &= (uint16_t) ~(1 << F_SUSPEND);
        h->change[i] |= 1 << F_SUSPEND;
    }
    if (h->usb.port)
        h->usb.port->resume(h->usb.port);
}

/* ---- requests (11.16) ---- */

static int set_port_feature(struct hub *h, unsigned i, unsigned feature)
{
    struct usb_port *p = &h->ports.port[i];

    switch (feature) {
    case F_RESET:
        if (p->dev) {
            usb_reset(p->dev);
            h->status[i] |= 1 << F_ENABLE;
            h->change[i] |= 1 << F_RESET;
        }
        return 0;
    case F_SUSPEND:
    case F_POWER: h->status[i] |= (uint16_t)(1 << feature); return 0;
    default: return USB_STALL;
    }
}

static int clear_port_feature(struct hub *h, unsigned i, unsigned feature)
{
    switch (feature) {
    case F_ENABLE:
    case F_SUSPEND:
    case F_POWER: h->status[i] &= (uint16_t) ~(1 << feature); return 0;
    case F_CHANGE + F_CONNECTION:
    case F_CHANGE + F_ENABLE:
    case F_CHANGE + F_SUSPEND:
    case F_CHANGE + 3:
    case F_CHANGE + F_RESET: h->change[i] &= (uint16_t) ~(1 << (feature - F_CHANGE)); return 0;
    default: return USB_STALL;
    }
}

static int put(uint8_t *to, const uint8_t *from, size_t have, size_t want)
{
    memcpy(to, from, MIN(have, want));
    return (int)MIN(have, want);
}

static int hub_control(struct usb_device *d, const struct usb_setup *s, uint8_t *data)
{
    /* 11.15.2.1: ports, no power switching, no over-current protection, 2 ms to good power */
    static const uint8_t desc[] = { 9, DESC_HUB, USB_PORTS_MAX, 0x0a, 0x00, 1, 0, 0x00, 0xff };
    struct hub *h = hub_of(d);
    unsigned to = s->type & USB_TO_MASK, i = s->index - 1u;
    uint8_t four[4] = { 0 };

    if ((s->type & USB_TYPE_MASK) != USB_TYPE_CLASS || (to == TO_PORT && i >= USB_PORTS_MAX))
        return USB_STALL;
    if (to == TO_DEVICE && s->type & USB_DIR_IN) {
        if (s->request == GET_DESCRIPTOR)
            return put(data, desc, sizeof(desc), s->length);
        return s->request == GET_STATUS ? put(data, four, 4, s->length) : USB_STALL;
    }
    if (to == TO_DEVICE)
        return s->request == CLEAR_FEATURE || s->request == SET_FEATURE ? 0 : USB_STALL;
    if (to != TO_PORT)
        return USB_STALL;
    switch (s->request) {
    case GET_STATUS:
        stw_le(four, h->status[i]);
        stw_le(four + 2, h->change[i]);
        return s->type & USB_DIR_IN ? put(data, four, 4, s->length) : USB_STALL;
    case SET_FEATURE: return set_port_feature(h, i, s->value);
    case CLEAR_FEATURE: return clear_port_feature(h, i, s->value);
    default: return USB_STALL;
    }
}

/* 11.8.1: a bit for each port with a change; NAK where there is none. */
static int hub_data(struct usb_device *d, enum usb_pid pid, unsigned ep, uint8_t *buf, size_t len)
{
    const struct hub *h = hub_of(d);
    uint8_t bits[2] = { 0 };

    if (pid != USB_IN || ep != 1)
        return USB_STALL;
    for (unsigned i = 0; i < USB_PORTS_MAX; i++)
        if (h->change[i])
            bits[(i + 1) / 8] |= (uint8_t)(1 << (i + 1) % 8);
    if (!bits[0] && !bits[1])
        return USB_NAK;
    return put(buf, bits, sizeof(bits), len);
}

static void hub_reset(struct usb_device *d)
{
    struct hub *h = hub_of(d);

    for (unsigned i = 0; i < USB_PORTS_MAX; i++) {
        h->status[i] = 1 << F_POWER;
        h->change[i] = 0;
        if (h->ports.port[i].dev)
            port_changed(&h->ports.port[i]);
    }
}

/* ---- life ---- */

static bool hub_realize(struct device *dev, GError **err)
{
    struct hub *h = (struct hub *)dev;
    unsigned depth = 1;

    /* 4.1.1: no more than five hubs behind each other */
    for (struct usb_port *p = h->usb.port; p && p->opaque && depth <= USB_DEPTH_MAX; depth++) {
        struct device *parent = p->opaque;

        if (parent->type != dev->type)
            break;
        p = ((struct usb_device *)parent)->port;
    }
    if (depth > USB_DEPTH_MAX)
        return error_set(err, "usb-hub: more than %d hubs behind each other", USB_DEPTH_MAX);
    usb_ports_init(&h->ports, USB_PORTS_MAX, port_changed, port_resumes, h);
    h->usb.hub = &h->ports;
    return true;
}

/* Devices behind it go with it. */
static void hub_unrealize(struct device *dev)
{
    struct hub *h = (struct hub *)dev;

    for (unsigned i = 0; i < USB_PORTS_MAX; i++)
        if (h->ports.port[i].dev)
            device_remove(&h->ports.port[i].dev->dev);
}

static const uint8_t hub_device[] = { 18,   1,    0x10, 0x01, 9,    0, 0, 8, 0x09,
                                      0x04, 0xaa, 0x55, 0x01, 0x01, 1, 2, 3, 1 };
static const uint8_t hub_config[] = { 9, 2, 25, 0, 1, 1, 0, 0xe0, 0, 9, 4, 0,   0,
                                      1, 9, 0,  0, 0, 7, 5, 0x81, 3, 2, 0, 0xff };
static const char *const hub_strings[] = { "QEMU", "QEMU USB Hub", "314159", NULL };

static const struct usb_info hub_info = {
    .device = hub_device,
    .config = hub_config,
    .strings = hub_strings,
    .control = hub_control,
    .data = hub_data,
    .reset = hub_reset,
};

static const struct state_field hub_fields[] = { USB_STATE(struct hub),
                                                 STATE_ARRAY(struct hub, status),
                                                 STATE_ARRAY(struct hub, change), STATE_END };
static const struct state_table hub_state = { .name = "usb-hub",
                                              .version = 1,
                                              .fields = hub_fields };

const struct device_type usb_hub_type = {
    .name = "usb-hub",
    .help = "USB hub with eight ports",
    .bus = BUS_USB,
    .size = sizeof(struct hub),
    .category = "usb",
    .realize = hub_realize,
    .unrealize = hub_unrealize,
    .state = &hub_state,
    .bus_info = &hub_info,
};
