/* The virtio-mmio transport, version 2 (virtio 1.2, 4.2.2), or by force the legacy one (4.2.4). */
#include <hw/virtio/mmio.h>
#include <hw/virtio/virtio.h>

#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>

enum {
    MAGIC = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    VENDOR_ID = 0x00c,
    DEVICE_FEATURES = 0x010,
    DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SEL = 0x024,
    GUEST_PAGE_SIZE = 0x028, /* legacy */
    QUEUE_SEL = 0x030,
    QUEUE_NUM_MAX = 0x034,
    QUEUE_NUM = 0x038,
    QUEUE_ALIGN = 0x03c, /* legacy, and the next */
    QUEUE_PFN = 0x040,
    QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACK = 0x064,
    STATUS = 0x070,
    QUEUE_DESC = 0x080,
    QUEUE_DRIVER = 0x090,
    QUEUE_DEVICE = 0x0a0,
    SHM_SEL = 0x0ac,
    SHM_LEN = 0x0b0,
    SHM_BASE = 0x0b8,
    QUEUE_RESET = 0x0c0,
    CONFIG_GENERATION = 0x0fc,
    CONFIG = 0x100,
};

#define MAGIC_VALUE  0x74726976 /* "virt" */
#define VENDOR_VALUE 0x554d4551 /* what QEMU's slots say */

struct slot {
    struct device dev;
    struct mem_region io;
    struct irq_line irq;
    struct bus bus;
    struct virtio *v; /* what is plugged in, or NULL */
    bool force_legacy;
};

static void update_irq(struct slot *s)
{
    irq_set(&s->irq, s->v && s->v->isr);
}

static void queue_irq(struct virtio *v, struct virtqueue *q)
{
    (void)q;
    v->isr |= VIRTIO_ISR_QUEUE;
    update_irq(v->transport_data);
}

static void config_irq(struct virtio *v)
{
    v->isr |= VIRTIO_ISR_CONFIG;
    update_irq(v->transport_data);
}

static void was_reset(struct virtio *v)
{
    update_irq(v->transport_data);
}

static const struct virtio_transport mmio_transport = {
    .queue_irq = queue_irq,
    .config_irq = config_irq,
    .was_reset = was_reset,
};

static uint32_t read_queue(const struct virtqueue *q, unsigned reg)
{
    if (!q)
        return 0;
    switch (reg) {
    case QUEUE_NUM_MAX: return q->max;
    case QUEUE_READY: return q->enabled;
    default: return 0; /* QUEUE_RESET: done by the time of the write */
    }
}

/* ---- what differs in version 1 (4.2.4) ---- */

static bool is_page_size(uint32_t v)
{
    return v >= 256 && is_pow2(v);
}

static bool legacy_read(struct virtio *v, unsigned reg, uint32_t *value)
{
    const struct virtqueue *q = virtio_queue(v);

    switch (reg) {
    case DEVICE_FEATURES: *value = v->device_sel ? 0 : virtio_legacy_features(v); return true;
    case QUEUE_PFN:
        *value = q && q->enabled && v->legacy_page ? (uint32_t)(q->desc / v->legacy_page) : 0;
        return true;
    case QUEUE_READY:
    case QUEUE_RESET: return true; /* not there */
    default: return false;
    }
}

static bool legacy_write(struct virtio *v, unsigned reg, uint32_t value)
{
    struct virtqueue *q = virtio_queue(v);

    switch (reg) {
    case DRIVER_FEATURES:
        if (!v->driver_sel)
            virtio_legacy_set_features(v, value);
        return true;
    case STATUS: virtio_legacy_set_status(v, (uint8_t)value); return true;
    case GUEST_PAGE_SIZE:
        if (is_page_size(value))
            v->legacy_page = value;
        return true;
    case QUEUE_ALIGN:
        if (is_page_size(value))
            v->legacy_align = value;
        return true;
    case QUEUE_PFN:
        if (q && (v->legacy_page || !value))
            virtq_set_base(q, (uint64_t)value * v->legacy_page, v->legacy_align);
        return true;
    case QUEUE_READY:
    case QUEUE_RESET:
    case QUEUE_DESC:
    case QUEUE_DESC + 4:
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4:
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4: return true; /* not there */
    default: return false;
    }
}

/* ---- registers ---- */

static uint32_t read_reg(struct slot *s, unsigned reg)
{
    struct virtio *v = s->v;
    uint32_t value = 0;

    switch (reg) {
    case MAGIC: return MAGIC_VALUE;
    case VERSION: return s->force_legacy ? 1 : 2;
    case DEVICE_ID: return v ? v->cls->id : 0;
    case VENDOR_ID: return VENDOR_VALUE;
    default: break;
    }
    if (!v || (s->force_legacy && legacy_read(v, reg, &value)))
        return value;
    switch (reg) {
    case DEVICE_FEATURES: return virtio_get_features(v);
    case QUEUE_NUM_MAX:
    case QUEUE_READY:
    case QUEUE_RESET: return read_queue(virtio_queue(v), reg);
    case INTERRUPT_STATUS: return v->isr;
    case STATUS: return v->status;
    case SHM_LEN:
    case SHM_LEN + 4:
    case SHM_BASE:
    case SHM_BASE + 4: return UINT32_MAX; /* 4.2.2: there is no such region */
    case CONFIG_GENERATION: return v->generation;
    default: log_guest_error("virtio-mmio: read of register 0x%x\n", reg); return 0;
    }
}

static void write_queue(struct virtio *v, unsigned reg, uint32_t value)
{
    struct virtqueue *q = virtio_queue(v);
    bool high = reg & 4;

    if (!q) {
        log_guest_error("virtio-mmio: there is no queue %u\n", v->queue_sel);
        return;
    }
    switch (reg) {
    case QUEUE_NUM: virtq_set_num(q, value); break;
    case QUEUE_READY: virtq_enable(q, value & 1); break;
    case QUEUE_RESET:
        if ((value & 1) && virtio_has(v, VIRTIO_F_RING_RESET))
            virtq_enable(q, false);
        break;
    case QUEUE_DESC:
    case QUEUE_DESC + 4: virtq_set_addr(q, &q->desc, high, value); break;
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4: virtq_set_addr(q, &q->driver, high, value); break;
    default: virtq_set_addr(q, &q->device, high, value); break;
    }
}

static void write_reg(struct slot *s, unsigned reg, uint32_t value)
{
    struct virtio *v = s->v;

    if (s->force_legacy && legacy_write(v, reg, value))
        return;
    switch (reg) {
    case DEVICE_FEATURES_SEL: v->device_sel = value; break;
    case DRIVER_FEATURES: virtio_set_features(v, value); break;
    case DRIVER_FEATURES_SEL: v->driver_sel = value; break;
    case QUEUE_SEL: v->queue_sel = (uint16_t)MIN(value, UINT16_MAX); break;
    case INTERRUPT_ACK:
        v->isr &= ~value;
        update_irq(s);
        break;
    case STATUS: virtio_set_status(v, (uint8_t)value); break;
    case QUEUE_NUM:
    case QUEUE_READY:
    case QUEUE_RESET:
    case QUEUE_DESC:
    case QUEUE_DESC + 4:
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4:
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4: write_queue(v, reg, value); break;
    case SHM_SEL: break;
    default: log_guest_error("virtio-mmio: write to register 0x%x\n", reg); break;
    }
}

/* Only aligned words below the configuration (4.2.2.2). */
static uint64_t read_slot(struct slot *s, uint64_t offset, unsigned size)
{
    if (offset >= CONFIG)
        return s->v ? virtio_config_read(s->v, offset - CONFIG, size) : 0;
    if (size == 4)
        return read_reg(s, (unsigned)offset);
    log_guest_error("virtio-mmio: read of %u bytes at 0x%x\n", size, (unsigned)offset);
    return 0;
}

static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned size)
{
    struct slot *s = opaque;
    bool taken = s->v && virtio_lock(s->v);
    uint64_t value = read_slot(s, offset, size);

    if (s->v)
        virtio_unlock(s->v, taken);
    return value;
}

static void write_slot(struct slot *s, uint64_t offset, uint64_t value, unsigned size)
{
    if (offset >= CONFIG)
        virtio_config_write(s->v, offset - CONFIG, size, (uint32_t)value);
    else if (size == 4)
        write_reg(s, (unsigned)offset, (uint32_t)value);
    else
        log_guest_error("virtio-mmio: write of %u bytes at 0x%x\n", size, (unsigned)offset);
}

static void mmio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct slot *s = opaque;
    bool taken;

    if (!s->v)
        return;
    if (offset == QUEUE_NOTIFY && size == 4) { /* without waiting for an iothread at work */
        virtio_notified(s->v, (uint32_t)value);
        return;
    }
    taken = virtio_lock(s->v);
    write_slot(s, offset, value, size);
    virtio_unlock(s->v, taken);
}

static const struct io_ops mmio_io = {
    .read = mmio_read,
    .write = mmio_write,
    .guest_sizes = { 1, 8 },
    .own_sizes = { 1, 4 },
};

/* ---- the bus ---- */

const struct bus_type virtio_bus_type = { .name = "virtio-bus", .max_devices = 1 };

bool virtio_mmio_realize(struct device *dev, GError **err)
{
    struct virtio *v = (struct virtio *)dev;
    struct slot *s = (struct slot *)dev->bus->parent;

    v->legacy_only = s->force_legacy;
    if (!virtio_init(v, dev->type->bus_info, &mmio_transport, s, err))
        return false;
    s->v = v;
    virtio_set_bells(v, &s->io, QUEUE_NOTIFY, 4, true);
    return true;
}

void virtio_mmio_unrealize(struct device *dev)
{
    struct virtio *v = (struct virtio *)dev;
    struct slot *s = v->transport_data;

    s->v = NULL;
    mem_region_set_bells(&s->io, NULL);
    update_irq(s);
    virtio_destroy(v);
}

void virtio_mmio_reset(struct device *dev)
{
    virtio_reset((struct virtio *)dev);
}

/* ---- slots ---- */

static bool slot_realize(struct device *dev, GError **err)
{
    struct slot *s = (struct slot *)dev;
    const char *number = strrchr(dev->path, '.');
    char *name;

    (void)err;
    name = g_strdup_printf("virtio-mmio-bus%s", number ? number : ".0");
    mem_region_init_io(&s->io, device_mem(dev), &mmio_io, s, "virtio-mmio", VIRTIO_MMIO_SIZE);
    device_add_region(dev, &s->io);
    device_irq_outs(dev, NULL, &s->irq, 1);
    bus_init(&s->bus, BUS_VIRTIO, dev->machine, dev, name);
    g_free(name);
    return true;
}

static void slot_unrealize(struct device *dev)
{
    struct slot *s = (struct slot *)dev;

    bus_destroy(&s->bus);
    mem_region_destroy(&s->io);
}

static void slot_reset(struct device *dev)
{
    update_irq((struct slot *)dev);
}

static const struct prop slot_props[] = { PROP_BOOL(struct slot, force_legacy, "force-legacy",
                                                    false, "version 1 of the transport"),
                                          PROP_LIST_END };

const struct device_type virtio_mmio_type = {
    .name = "virtio-mmio",
    .help = "slot for a virtio device",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct slot),
    .internal = true,
    .category = "misc",
    .realize = slot_realize,
    .reset = slot_reset,
    .unrealize = slot_unrealize,
    .props = slot_props,
};
