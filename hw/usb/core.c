/* What all USB devices share: control transfers (8.5.2), standard requests (9.4), and where they
 * are plugged in; see hw/usb/usb.h. */
#include <hw/usb/usb.h>

#include <string.h>
#include <base/bits.h>
#include <base/error.h>

enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    SET_ADDRESS = 5,
    GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11,
};
enum { DESC_DEVICE = 1, DESC_CONFIG = 2, DESC_STRING = 3 };
enum { FEATURE_HALT = 0, FEATURE_WAKEUP = 1, TO_DEVICE = 0, TO_ENDPOINT = 2 };
enum { ATTR_SELF_POWERED = 0x40 };
enum { LANGUAGE_US = 0x0409, SERIAL_STRING = 3 };

/* ---- standard requests ---- */

static int copy(uint8_t *to, const void *from, size_t have, size_t want)
{
    memcpy(to, from, MIN(have, want));
    return (int)MIN(have, want);
}

/* 9.6.5: UTF-16; string 0 lists languages. */
static int string_descriptor(const struct usb_device *d, unsigned n, uint8_t *out, size_t want)
{
    uint8_t raw[256] = { 0, DESC_STRING };
    const char *text = NULL;
    size_t len;

    if (n == 0) {
        raw[0] = 4;
        stw_le(raw + 2, LANGUAGE_US);
        return copy(out, raw, raw[0], want);
    }
    for (unsigned i = 1; d->info->strings[i - 1] && !text; i++)
        text = i == n ? d->info->strings[i - 1] : NULL;
    if (text && n == SERIAL_STRING && d->serial)
        text = d->serial;
    if (!text)
        return USB_STALL;
    len = MIN(strlen(text), 126);
    for (size_t i = 0; i < len; i++)
        raw[2 + 2 * i] = (uint8_t)text[i];
    raw[0] = (uint8_t)(2 + 2 * len);
    return copy(out, raw, raw[0], want);
}

static int get_descriptor(const struct usb_device *d, const struct usb_setup *s, uint8_t *out)
{
    switch (s->value >> 8) {
    case DESC_DEVICE: return copy(out, d->info->device, d->info->device[0], s->length);
    case DESC_CONFIG:
        return s->value & 0xff
                   ? USB_STALL
                   : copy(out, d->info->config, lduw_le(d->info->config + 2), s->length);
    case DESC_STRING: return string_descriptor(d, s->value & 0xff, out, s->length);
    default: return USB_STALL;
    }
}

static int get_status(const struct usb_device *d, const struct usb_setup *s, uint8_t *out)
{
    unsigned v = 0;

    if ((s->type & USB_TO_MASK) == TO_DEVICE)
        v = (d->info->config[7] & ATTR_SELF_POWERED ? 1 : 0) | (d->remote_wakeup ? 2 : 0);
    else if ((s->type & USB_TO_MASK) == TO_ENDPOINT)
        v = d->halted >> (s->index & 15) & 1;
    stw_le(out, (uint16_t)v);
    return MIN(2, s->length);
}

static int feature(struct usb_device *d, const struct usb_setup *s, bool on)
{
    if ((s->type & USB_TO_MASK) == TO_DEVICE && s->value == FEATURE_WAKEUP) {
        d->remote_wakeup = on;
        return 0;
    }
    if ((s->type & USB_TO_MASK) != TO_ENDPOINT || s->value != FEATURE_HALT)
        return USB_STALL;
    d->halted =
        (uint16_t)(on ? d->halted | 1 << (s->index & 15) : d->halted & ~(1 << (s->index & 15)));
    return 0;
}

static int set_configuration(struct usb_device *d, unsigned n)
{
    if (n && n != d->info->config[5])
        return USB_STALL;
    d->configuration = (uint8_t)n;
    d->halted = 0;
    if (d->info->reset)
        d->info->reset(d);
    return 0;
}

static int standard(struct usb_device *d, const struct usb_setup *s, uint8_t *data)
{
    bool in = s->type & USB_DIR_IN;

    switch (s->request) {
    case GET_STATUS: return in ? get_status(d, s, data) : USB_STALL;
    case CLEAR_FEATURE: return in ? USB_STALL : feature(d, s, false);
    case SET_FEATURE: return in ? USB_STALL : feature(d, s, true);
    case SET_ADDRESS:
        d->pending_address = s->value & 0x7f; /* from the end of the status stage on */
        return in ? USB_STALL : 0;
    case GET_CONFIGURATION: data[0] = d->configuration; return in ? MIN(1, s->length) : USB_STALL;
    case SET_CONFIGURATION: return in ? USB_STALL : set_configuration(d, s->value & 0xff);
    case GET_INTERFACE: data[0] = 0; return in ? MIN(1, s->length) : USB_STALL;
    case SET_INTERFACE: return s->value ? USB_STALL : 0;
    default: return USB_STALL;
    }
}

/* Classes come first with what is theirs; interfaces have descriptors of their own, too. */
static int request(struct usb_device *d)
{
    const struct usb_setup *s = &d->setup;

    if ((s->type & USB_TYPE_MASK) == 0 &&
        !(s->request == GET_DESCRIPTOR && (s->type & USB_TO_MASK) != TO_DEVICE)) {
        if (s->request == GET_DESCRIPTOR)
            return s->type & USB_DIR_IN ? get_descriptor(d, s, d->data) : USB_STALL;
        return standard(d, s, d->data);
    }
    return d->info->control ? d->info->control(d, s, d->data) : USB_STALL;
}

/* ---- control transfers ---- */

static int take_setup(struct usb_device *d, const uint8_t *buf, size_t len)
{
    if (len != 8)
        return USB_STALL;
    d->setup =
        (struct usb_setup){ buf[0], buf[1], lduw_le(buf + 2), lduw_le(buf + 4), lduw_le(buf + 6) };
    d->halted &= (uint16_t)~1; /* 8.5.2.4 */
    d->data_at = d->data_len = 0;
    d->pending_address = d->address;
    d->setup.length = MIN(d->setup.length, USB_CONTROL_MAX);
    if (d->setup.type & USB_DIR_IN) {
        int n = request(d);

        if (n < 0) {
            d->stage = STAGE_IDLE;
            d->halted |= 1;
            return (int)len; /* the setup itself is always taken; what follows is stalled */
        }
        d->data_len = (uint32_t)n;
        d->stage = STAGE_IN;
    } else if (d->setup.length) {
        d->stage = STAGE_OUT;
    } else {
        d->stage = STAGE_STATUS_IN;
    }
    return (int)len;
}

static int data_in(struct usb_device *d, uint8_t *buf, size_t len)
{
    size_t n = MIN(len, d->data_len - d->data_at);

    memcpy(buf, d->data + d->data_at, n);
    d->data_at += (uint32_t)n;
    return (int)n;
}

/* A request with data, or none, to the device is done when its status is asked for. */
static int status_in(struct usb_device *d)
{
    int n = request(d);

    d->stage = STAGE_IDLE;
    if (n < 0) {
        d->halted |= 1;
        return USB_STALL;
    }
    d->address = d->pending_address;
    return 0;
}

static int control_in(struct usb_device *d, uint8_t *buf, size_t len)
{
    if (d->stage == STAGE_IN)
        return data_in(d, buf, len);
    if (d->stage == STAGE_OUT || d->stage == STAGE_STATUS_IN)
        return status_in(d);
    return USB_STALL;
}

static int control_out(struct usb_device *d, const uint8_t *buf, size_t len)
{
    if (d->stage == STAGE_IN) { /* the status of a read */
        d->stage = STAGE_IDLE;
        return (int)len;
    }
    if (d->stage != STAGE_OUT || len > d->setup.length - d->data_len)
        return USB_STALL;
    memcpy(d->data + d->data_len, buf, len);
    d->data_len += (uint32_t)len;
    return (int)len;
}

int usb_packet(struct usb_device *d, enum usb_pid pid, unsigned ep, uint8_t *buf, size_t len)
{
    int n;

    if (pid == USB_SETUP)
        return ep ? USB_STALL : take_setup(d, buf, len);
    if (d->halted >> (ep & 15) & 1)
        return USB_STALL;
    if (ep == 0)
        n = pid == USB_IN ? control_in(d, buf, len) : control_out(d, buf, len);
    else if (!d->configuration || !d->info->data)
        return USB_STALL;
    else
        n = d->info->data(d, pid, ep, buf, len);
    if (n == USB_STALL)
        d->halted |= (uint16_t)(1 << (ep & 15));
    return n;
}

void usb_reset(struct usb_device *d)
{
    d->address = d->configuration = d->pending_address = 0;
    d->halted = 0;
    d->stage = STAGE_IDLE;
    d->remote_wakeup = false;
    d->data_len = d->data_at = 0;
    if (d->info->reset)
        d->info->reset(d);
}

void usb_wakeup(struct usb_device *d)
{
    if (d->remote_wakeup && d->port)
        d->port->resume(d->port);
}

struct usb_device *usb_find(struct usb_ports *ports, unsigned address,
                            bool (*enabled)(const struct usb_port *p))
{
    for (unsigned i = 0; i < ports->n; i++) {
        struct usb_device *d = ports->port[i].dev, *found;

        if (!d || !enabled(&ports->port[i]))
            continue;
        if (d->address == address)
            return d;
        found = d->hub ? usb_find(d->hub, address, usb_hub_enabled) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

/* ---- ports and buses ---- */

void usb_ports_init(struct usb_ports *p, unsigned n, void (*changed)(struct usb_port *p),
                    void (*resume)(struct usb_port *p), void *opaque)
{
    p->n = n;
    for (unsigned i = 0; i < n; i++)
        p->port[i] = (struct usb_port){
            .changed = changed, .resume = resume, .opaque = opaque, .number = i + 1
        };
}

void usb_bus_init(struct usb_bus *b, struct device *host, const char *name, struct usb_ports *root)
{
    b->root = root;
    bus_init(&b->bus, BUS_USB, host->machine, host, name);
}

static struct usb_port *first_free(struct usb_ports *ports)
{
    for (unsigned i = 0; i < ports->n; i++)
        if (!ports->port[i].dev)
            return &ports->port[i];
    return NULL;
}

/* Root ports first, then those of hubs. */
static struct usb_port *any_free(struct usb_ports *ports, unsigned depth)
{
    struct usb_port *p = first_free(ports);

    for (unsigned i = 0; !p && depth && i < ports->n; i++)
        if (ports->port[i].dev && ports->port[i].dev->hub)
            p = any_free(ports->port[i].dev->hub, depth - 1);
    return p;
}

/* "2" is a port of the controller, "2.1" the first one of the hub in it. */
static struct usb_port *by_path(struct usb_ports *ports, const char *path)
{
    struct usb_port *p = NULL;

    while (ports) {
        char *end;
        unsigned long n = strtoul(path, &end, 10);

        if (end == path || n < 1 || n > ports->n)
            return NULL;
        p = &ports->port[n - 1];
        if (!*end)
            return p;
        if (*end != '.' || !p->dev)
            return NULL;
        path = end + 1;
        ports = p->dev->hub;
    }
    return NULL;
}

static bool usb_attach(struct bus *bus, struct device *dev, GError **err)
{
    struct usb_bus *b = container_of(bus, struct usb_bus, bus);
    struct usb_device *d = (struct usb_device *)dev;
    struct usb_port *p = d->path ? by_path(b->root, d->path) : any_free(b->root, USB_DEPTH_MAX);

    d->info = dev->type->bus_info;
    if (d->path && !p)
        return error_set(err, "%s.port: there is no port '%s' on %s", dev->type->name, d->path,
                         bus->name);
    if (!p)
        return error_set(err, "%s: all ports of %s are taken; -device usb-hub first gives more",
                         dev->type->name, bus->name);
    if (p->dev)
        return error_set(err, "%s.port: '%s' is taken by %s", dev->type->name, d->path,
                         p->dev->dev.path);
    d->port = p;
    p->dev = d;
    return true;
}

static bool usb_attached(struct bus *bus, struct device *dev, GError **err)
{
    struct usb_device *d = (struct usb_device *)dev;

    (void)bus, (void)err;
    usb_reset(d);
    d->port->changed(d->port);
    return true;
}

static void usb_detach(struct bus *bus, struct device *dev)
{
    struct usb_device *d = (struct usb_device *)dev;
    struct usb_port *p = d->port;

    (void)bus;
    if (!p)
        return;
    d->port = NULL;
    p->dev = NULL;
    p->changed(p);
}

static void reset_device(struct device *dev)
{
    struct usb_device *d = (struct usb_device *)dev;

    usb_reset(d);
}

static char *address(const struct device *dev)
{
    const struct usb_device *d = (const struct usb_device *)dev;

    return g_strdup_printf("port %u", d->port ? d->port->number : 0);
}

static const struct prop dev_props[] = {
    PROP_STR(struct usb_device, path, "port", NULL,
             "where it is plugged in: 1, or 1.2 behind a hub"),
    PROP_STR(struct usb_device, serial, "serial", NULL, "serial number"), PROP_LIST_END
};

const struct bus_type usb_bus_type = {
    .name = "usb-bus",
    .dev_props = dev_props,
    .attach = usb_attach,
    .attached = usb_attached,
    .detach = usb_detach,
    .reset_device = reset_device,
    .address = address,
    .hotplug = true,
};

/* ---- saved state ---- */

static bool loaded(void *obj, unsigned version, GError **err)
{
    const struct usb_device *d = obj;

    (void)version;
    return (d->data_len <= USB_CONTROL_MAX && d->data_at <= d->data_len &&
            d->setup.length <= USB_CONTROL_MAX && d->address < USB_ADDRESSES &&
            d->pending_address < USB_ADDRESSES && d->stage <= STAGE_STATUS_OUT) ||
           error_set(err, "usb: no device has such a state");
}

static const struct state_field setup_fields[] = {
    STATE_U8(struct usb_setup, type),    STATE_U8(struct usb_setup, request),
    STATE_U16(struct usb_setup, value),  STATE_U16(struct usb_setup, index),
    STATE_U16(struct usb_setup, length), STATE_END
};
static const struct state_table setup_state = { .name = "usb-setup",
                                                .version = 1,
                                                .fields = setup_fields };
static const struct state_field device_fields[] = { STATE_U8(struct usb_device, address),
                                                    STATE_U8(struct usb_device, configuration),
                                                    STATE_U8(struct usb_device, pending_address),
                                                    STATE_BOOL(struct usb_device, remote_wakeup),
                                                    STATE_U16(struct usb_device, halted),
                                                    STATE_U8(struct usb_device, stage),
                                                    STATE_STRUCT(struct usb_device, setup,
                                                                 setup_state),
                                                    STATE_BUF(struct usb_device, data),
                                                    STATE_U32(struct usb_device, data_len),
                                                    STATE_U32(struct usb_device, data_at),
                                                    STATE_END };
const struct state_table usb_device_state = {
    .name = "usb", .version = 1, .fields = device_fields, .post_load = loaded
};
