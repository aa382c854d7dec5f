/*
 * UHCI, the USB 1.1 host controller of the PIIX3 (Intel, Universal Host Controller Interface Design
 * Guide 1.1): `piix3-usb-uhci` with two ports.
 *
 * While it runs, a timer of the guest's time works off one frame a millisecond: the frame list's
 * entry, and from there transfer descriptors and queue heads. What a guest builds there is followed
 * only so far as a real frame would have time for.
 */
#include <hw/usb/usb.h>

#include <base/bits.h>
#include <base/clock.h>
#include <hw/pci/pci.h>

enum { PORTS = 2, IO_SIZE = 0x20, FRAMES = 1024 };
enum { USBCMD = 0, USBSTS = 2, USBINTR = 4, FRNUM = 6, FLBASE = 8, SOFMOD = 12, PORTSC = 16 };
enum {
    CMD_RUN = 0x01,
    CMD_HCRESET = 0x02,
    CMD_GRESET = 0x04,
    CMD_SUSPEND = 0x08,
    CMD_RESUME = 0x10,
    CMD_MASK = 0xff,
};
enum {
    STS_INT = 0x01,
    STS_ERROR = 0x02,
    STS_RESUME = 0x04,
    STS_HOST_ERROR = 0x08,
    STS_PROCESS = 0x10,
    STS_HALTED = 0x20,
};
enum { INTR_ERROR = 1, INTR_RESUME = 2, INTR_IOC = 4, INTR_SHORT = 8 };
enum {
    PORT_CONNECTED = 0x0001,
    PORT_CONNECT_CHANGE = 0x0002,
    PORT_ENABLED = 0x0004,
    PORT_ENABLE_CHANGE = 0x0008,
    PORT_RESUME = 0x0040,
    PORT_LOW_SPEED = 0x0100,
    PORT_RESET = 0x0200,
    PORT_SUSPEND = 0x1000,
    PORT_ALWAYS = 0x0080,
    PORT_WRITABLE = PORT_ENABLED | PORT_RESUME | PORT_RESET | PORT_SUSPEND,
};
/* 3.1 and 3.2: links, and a transfer descriptor's second word. */
enum { LINK_END = 1, LINK_QUEUE = 2, LINK_DEPTH = 4 };
enum {
    TD_NAK = 1 << 19,
    TD_BABBLE = 1 << 20,
    TD_STALLED = 1 << 22,
    TD_TIMEOUT = 1 << 18,
    TD_ACTIVE = 1 << 23,
    TD_IOC = 1 << 24,
    TD_ERRORS = 3 << 27,
    TD_SHORT = 1 << 29,
};
/* What fits into a frame: bytes on the wire, and descriptors looked at. */
enum { FRAME_BYTES = 1280, FRAME_LOOKS = 512, PACKET_MAX = 1280, NEAR_QUEUES = 64 };

struct uhci {
    struct pci_device pci;
    struct usb_bus bus;
    struct usb_ports ports;
    struct mem_region io;
    struct timer frame;

    uint16_t cmd, sts, intr, frnum, port[PORTS];
    uint32_t flbase;
    uint8_t sofmod;
    uint8_t pending; /* INTR_IOC, INTR_SHORT: what STS_INT stands for */
    int64_t next;    /* ns of the guest's time: the next frame */
};

/* ---- interrupts ---- */

static void update_irq(struct uhci *u)
{
    bool level = (u->sts & STS_INT && u->pending & u->intr) ||
                 (u->sts & STS_ERROR && u->intr & INTR_ERROR) ||
                 (u->sts & STS_RESUME && u->intr & INTR_RESUME) ||
                 u->sts & (STS_HOST_ERROR | STS_PROCESS);

    pci_set_intx(&u->pci, level);
}

/* ---- guest memory ---- */

static uint32_t load(struct uhci *u, uint32_t addr)
{
    return space_ld32_le(&u->pci.dev.machine->memory, addr, pci_attrs(&u->pci), NULL);
}

static void store(struct uhci *u, uint32_t addr, uint32_t v)
{
    space_st32_le(&u->pci.dev.machine->memory, addr, v, pci_attrs(&u->pci));
}

/* ---- transfer descriptors ---- */

enum outcome {
    TD_SKIPPED, /* was not active */
    TD_DONE,
    TD_AGAIN,   /* NAK: later */
    TD_STOPPED, /* an error or a short packet: the queue stands */
};

struct td {
    uint32_t at, link, control, token, buffer;
};

static bool port_enabled(const struct usb_port *p)
{
    const struct uhci *u = p->opaque;
    uint16_t s = u->port[p->number - 1];

    return s & PORT_ENABLED && !(s & (PORT_SUSPEND | PORT_RESET));
}

static enum outcome failed(struct uhci *u, struct td *td, uint32_t bits)
{
    td->control = (td->control & ~(TD_ACTIVE | 0x7ffu)) | bits | 0x7ff;
    u->sts |= STS_ERROR;
    if (td->control & TD_IOC) {
        u->sts |= STS_INT;
        u->pending |= INTR_IOC;
    }
    return TD_STOPPED;
}

/* Nobody answered: the counter of errors says how often that may be (0: for ever). */
static enum outcome nobody(struct uhci *u, struct td *td)
{
    uint32_t left = extract32(td->control, 27, 2);

    td->control |= TD_TIMEOUT;
    if (!left)
        return TD_AGAIN;
    td->control = deposit32(td->control, 27, 2, left - 1);
    return left == 1 ? failed(u, td, TD_STALLED | TD_TIMEOUT) : TD_AGAIN;
}

static enum outcome moved(struct uhci *u, struct td *td, unsigned max, unsigned n)
{
    bool in = (td->token & 0xff) == USB_IN, is_short = in && n < max;

    td->control = (td->control & ~(TD_ACTIVE | TD_NAK | 0x7ffu)) | ((n - 1) & 0x7ff);
    if (td->control & TD_IOC) {
        u->sts |= STS_INT;
        u->pending |= INTR_IOC;
    }
    if (is_short && td->control & TD_SHORT) {
        u->sts |= STS_INT;
        u->pending |= INTR_SHORT;
        return TD_STOPPED;
    }
    return TD_DONE;
}

static enum outcome transact(struct uhci *u, struct td *td, unsigned *bytes)
{
    unsigned pid = td->token & 0xff, max = (extract32(td->token, 21, 11) + 1) & 0x7ff;
    struct usb_device *d = usb_find(&u->ports, extract32(td->token, 8, 7), port_enabled);
    uint8_t buf[PACKET_MAX] = { 0 };
    int n;

    if ((pid != USB_IN && pid != USB_OUT && pid != USB_SETUP) || max > PACKET_MAX) {
        u->sts |= STS_PROCESS; /* 3.2.3: not a descriptor */
        u->cmd &= (uint16_t)~CMD_RUN;
        return TD_STOPPED;
    }
    *bytes += max + 13;
    if (!d)
        return nobody(u, td);
    if (pid != USB_IN)
        space_read(&u->pci.dev.machine->memory, td->buffer, buf, max, pci_attrs(&u->pci));
    n = usb_packet(d, pid, extract32(td->token, 15, 4), buf, max);
    if (n > 0 && pid == USB_IN)
        space_write(&u->pci.dev.machine->memory, td->buffer, buf, (uint64_t)n, pci_attrs(&u->pci));
    switch (n) {
    case USB_NAK: td->control |= TD_NAK; return TD_AGAIN;
    case USB_STALL: return failed(u, td, TD_STALLED);
    case USB_BABBLE: return failed(u, td, TD_STALLED | TD_BABBLE);
    case USB_NOBODY: return nobody(u, td);
    default: return moved(u, td, max, (unsigned)n);
    }
}

static enum outcome do_td(struct uhci *u, struct td *td, uint32_t at, unsigned *bytes)
{
    uint32_t before;
    enum outcome o;

    *td = (struct td){ at, load(u, at), load(u, at + 4), load(u, at + 8), load(u, at + 12) };
    if (!(td->control & TD_ACTIVE))
        return TD_SKIPPED;
    before = td->control;
    o = transact(u, td, bytes);
    if (td->control != before)
        store(u, at + 4, td->control);
    return o;
}

/* ---- frames (1.3, 3.4) ---- */

struct walk {
    unsigned looks, bytes;
    uint32_t seen[NEAR_QUEUES]; /* queue heads since something was done */
    unsigned n_seen;
};

/* Whether a queue was seen since the last transaction: then all of them have nothing to do. */
static bool round_and_round(struct walk *w, uint32_t queue)
{
    for (unsigned i = 0; i < w->n_seen; i++)
        if (w->seen[i] == queue)
            return true;
    if (w->n_seen < NEAR_QUEUES)
        w->seen[w->n_seen++] = queue;
    return false;
}

/* Works off a queue as far as it goes in this frame; the link behind it. */
static uint32_t do_queue(struct uhci *u, uint32_t at, struct walk *w)
{
    uint32_t next = load(u, at), element = load(u, at + 4);

    while (!(element & LINK_END) && w->looks++ < FRAME_LOOKS && w->bytes < FRAME_BYTES) {
        enum outcome o;
        struct td td;

        if (element & LINK_QUEUE)
            return element; /* a queue in a queue: goes on there */
        o = do_td(u, &td, element & ~15u, &w->bytes);
        if (o != TD_DONE)
            break;
        w->n_seen = 0;
        element = td.link;
        store(u, at + 4, element);
        if (!(element & LINK_DEPTH))
            break;
    }
    return next;
}

static void do_frame(struct uhci *u)
{
    struct walk w = { 0 };
    uint32_t link = load(u, (u->flbase & ~0xfffu) + 4 * (u->frnum & (FRAMES - 1u)));

    while (!(link & LINK_END) && w.looks++ < FRAME_LOOKS && w.bytes < FRAME_BYTES &&
           u->cmd & CMD_RUN) {
        struct td td;

        if (link & LINK_QUEUE) {
            if (round_and_round(&w, link))
                break;
            link = do_queue(u, link & ~15u, &w);
            continue;
        }
        if (do_td(u, &td, link & ~15u, &w.bytes) == TD_DONE)
            w.n_seen = 0;
        link = td.link;
    }
}

static void frame_timer(void *opaque)
{
    struct uhci *u = opaque;
    int64_t now = clock_ns(device_loop(&u->pci.dev), CLK_VIRTUAL);

    if (!(u->cmd & CMD_RUN)) {
        u->sts |= STS_HALTED;
        return;
    }
    if (pci_bus_master(&u->pci))
        do_frame(u);
    u->frnum = (u->frnum + 1) & 0x7ff;
    update_irq(u);
    /* frames that were missed are missed, as on a host that was busy */
    u->next = MAX(u->next + NS_PER_MS, now + NS_PER_MS / 2);
    timer_mod_ns(&u->frame, u->next);
}

/* ---- registers (2) ---- */

/* 2.1.1: something happens on a bus that sleeps as a whole. */
static void wake_bus(struct uhci *u)
{
    if (!(u->cmd & CMD_SUSPEND))
        return;
    u->cmd |= CMD_RESUME;
    u->sts |= STS_RESUME;
    update_irq(u);
}

/* 2.1.7: the bit says so, and stays until the driver has ended it. */
static void port_resumes(struct usb_port *p)
{
    struct uhci *u = p->opaque;
    uint16_t *s = &u->port[p->number - 1];

    if (*s & PORT_SUSPEND)
        *s |= PORT_RESUME;
    wake_bus(u);
}

static void port_changed(struct usb_port *p)
{
    struct uhci *u = p->opaque;
    uint16_t *s = &u->port[p->number - 1];

    *s &= (uint16_t) ~(PORT_CONNECTED | PORT_LOW_SPEED);
    if (p->dev)
        *s |= (uint16_t)(PORT_CONNECTED | (p->dev->info->low_speed ? PORT_LOW_SPEED : 0));
    else if (*s & PORT_ENABLED)
        *s = (uint16_t)((*s & ~PORT_ENABLED) | PORT_ENABLE_CHANGE);
    *s |= PORT_CONNECT_CHANGE;
    wake_bus(u);
}

static void reset_all(struct uhci *u)
{
    u->cmd = u->intr = u->frnum = 0;
    u->sts = STS_HALTED;
    u->pending = 0;
    u->flbase = 0;
    u->sofmod = 64;
    timer_del(&u->frame);
    for (unsigned i = 0; i < PORTS; i++) {
        u->port[i] = PORT_ALWAYS;
        if (u->ports.port[i].dev) {
            usb_reset(u->ports.port[i].dev);
            port_changed(&u->ports.port[i]);
        }
    }
    update_irq(u);
}

static void write_command(struct uhci *u, uint16_t v)
{
    bool ran = u->cmd & CMD_RUN;

    if (v & CMD_HCRESET) {
        reset_all(u);
        return;
    }
    for (unsigned i = 0; v & CMD_GRESET && i < PORTS; i++)
        if (u->ports.port[i].dev)
            usb_reset(u->ports.port[i].dev);
    u->cmd = v & CMD_MASK;
    if (u->cmd & CMD_RUN && !ran) {
        u->sts &= (uint16_t)~STS_HALTED;
        u->next = clock_ns(device_loop(&u->pci.dev), CLK_VIRTUAL) + NS_PER_MS;
        timer_mod_ns(&u->frame, u->next);
    } else if (!(u->cmd & CMD_RUN)) {
        u->sts |= STS_HALTED;
        timer_del(&u->frame);
    }
}

static void write_port(struct uhci *u, unsigned i, uint16_t v)
{
    struct usb_device *d = u->ports.port[i].dev;
    uint16_t old = u->port[i];

    if (v & PORT_RESET && !(old & PORT_RESET) && d)
        usb_reset(d);
    u->port[i] = (uint16_t)((old & ~PORT_WRITABLE) | (v & PORT_WRITABLE));
    if (!d || v & PORT_RESET) /* 2.1.7: nothing to enable, or not now */
        u->port[i] &= (uint16_t)~PORT_ENABLED;
    u->port[i] &= (uint16_t) ~(v & (PORT_CONNECT_CHANGE | PORT_ENABLE_CHANGE));
}

static uint64_t io_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct uhci *u = opaque;

    (void)size;
    switch (offset) {
    case USBCMD: return u->cmd;
    case USBSTS: return u->sts;
    case USBINTR: return u->intr;
    case FRNUM: return u->frnum;
    case FLBASE: return u->flbase & 0xffff;
    case FLBASE + 2: return u->flbase >> 16;
    case SOFMOD: return u->sofmod;
    case PORTSC: return u->port[0];
    case PORTSC + 2: return u->port[1];
    default: return 0xff7f; /* no port: its bit 7 is 0 */
    }
}

static void io_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct uhci *u = opaque;
    uint16_t v = (uint16_t)value;

    (void)size;
    switch (offset) {
    case USBCMD: write_command(u, v); break;
    case USBSTS:
        u->sts &= (uint16_t) ~(v & 0x1f);
        if (v & STS_INT)
            u->pending = 0;
        break;
    case USBINTR: u->intr = v & 15; break;
    case FRNUM:
        if (!(u->cmd & CMD_RUN))
            u->frnum = v & 0x7ff;
        break;
    case FLBASE: u->flbase = (u->flbase & 0xffff0000u) | (v & 0xf000); break;
    case FLBASE + 2: u->flbase = (u->flbase & 0xffff) | (uint32_t)v << 16; break;
    case SOFMOD: u->sofmod = v & 0x7f; break;
    case PORTSC:
    case PORTSC + 2: write_port(u, (unsigned)(offset - PORTSC) / 2, v); break;
    default: break;
    }
    update_irq(u);
}

static const struct io_ops uhci_io = {
    .read = io_read,
    .write = io_write,
    .guest_sizes = { 1, 4 },
    .own_sizes = { 2, 2 },
    .unaligned = IO_UNALIGNED_SPLIT,
};

/* ---- life ---- */

static bool uhci_realize(struct device *dev, GError **err)
{
    struct uhci *u = (struct uhci *)dev;
    g_autofree char *name = NULL;
    unsigned n = 0;

    (void)err;
    do {
        g_free(name);
        name = g_strdup_printf("usb-bus.%u", n++);
    } while (bus_find(dev->machine, name));
    u->pci.config[0x60] = 0x10; /* SBRN: USB 1.0, as the PIIX3 says */
    timer_init(&u->frame, device_loop(dev), CLK_VIRTUAL, frame_timer, u);
    usb_ports_init(&u->ports, PORTS, port_changed, port_resumes, u);
    for (unsigned i = 0; i < PORTS; i++)
        u->port[i] = PORT_ALWAYS;
    usb_bus_init(&u->bus, dev, name, &u->ports);
    mem_region_init_io(&u->io, device_mem(dev), &uhci_io, u, "uhci", IO_SIZE);
    pci_add_bar(&u->pci, 4, PCI_BAR_IO, &u->io);
    return true;
}

static void uhci_unrealize(struct device *dev)
{
    struct uhci *u = (struct uhci *)dev;

    bus_destroy(&u->bus.bus);
    timer_del(&u->frame);
    mem_region_destroy(&u->io);
}

static void uhci_reset(struct device *dev)
{
    reset_all((struct uhci *)dev);
}

static const struct state_field uhci_fields[] = { STATE_U16(struct uhci, cmd),
                                                  STATE_U16(struct uhci, sts),
                                                  STATE_U16(struct uhci, intr),
                                                  STATE_U16(struct uhci, frnum),
                                                  STATE_ARRAY(struct uhci, port),
                                                  STATE_U32(struct uhci, flbase),
                                                  STATE_U8(struct uhci, sofmod),
                                                  STATE_U8(struct uhci, pending),
                                                  STATE_I64(struct uhci, next),
                                                  STATE_TIMER(struct uhci, frame),
                                                  STATE_END };
static const struct state_table uhci_state = { .name = "uhci",
                                               .version = 1,
                                               .fields = uhci_fields };

static const struct pci_info uhci_info = {
    .vendor = 0x8086,
    .device = 0x7020,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .revision = 1,
    .class_code = { 0x00, 0x03, 0x0c },
    .pin = 4,
};

const struct device_type piix3_usb_uhci_type = {
    .name = "piix3-usb-uhci",
    .help = "USB 1.1 controller of the 82371SB",
    .bus = BUS_PCI,
    .size = sizeof(struct uhci),
    .category = "usb",
    .realize = uhci_realize,
    .reset = uhci_reset,
    .unrealize = uhci_unrealize,
    .state = &uhci_state,
    .bus_info = &uhci_info,
};
