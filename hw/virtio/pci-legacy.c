/* The legacy interface of virtio-pci: one window of ports (virtio 1.2, 4.1.4.10). */
#include <hw/virtio/pci.h>
#include <hw/virtio/virtio.h>

#include <base/bits.h>
#include <base/log.h>

enum {
    DEVICE_FEATURES = 0x00,
    DRIVER_FEATURES = 0x04,
    QUEUE_PFN = 0x08,
    QUEUE_SIZE = 0x0c,
    QUEUE_SEL = 0x0e,
    QUEUE_NOTIFY = 0x10,
    STATUS = 0x12,
    ISR = 0x13,
    CONFIG_VECTOR = 0x14, /* these two while MSI-X is on, else the device's configuration */
    QUEUE_VECTOR = 0x16,
    HEADER_LEN = 0x14,
    HEADER_MSIX_LEN = 0x18,
};

/* Queues lie at multiples of this; there is no way to ask for another (4.1.5.1.3.1). */
#define PAGE_SHIFT 12

/* The device ids of before 1.0 (4.1.2.3). */
uint16_t virtio_pci_legacy_id(unsigned id)
{
    switch (id) {
    case VIRTIO_ID_NET: return 0x1000;
    case VIRTIO_ID_BLOCK: return 0x1001;
    case VIRTIO_ID_CONSOLE: return 0x1003;
    case VIRTIO_ID_RNG: return 0x1005;
    default: return 0;
    }
}

static unsigned config_at(const struct virtio *v)
{
    return pci_msix_enabled(&v->pci) ? HEADER_MSIX_LEN : HEADER_LEN;
}

static uint64_t read_reg(struct virtio *v, uint64_t offset, unsigned size)
{
    const struct virtqueue *q = virtio_queue(v);

    if (offset >= config_at(v))
        return virtio_config_read(v, offset - config_at(v), size);
    switch (offset) {
    case DEVICE_FEATURES: return virtio_legacy_features(v);
    case DRIVER_FEATURES: return (uint32_t)v->driver_features;
    case QUEUE_PFN: return q && q->enabled ? (uint32_t)(q->desc >> PAGE_SHIFT) : 0;
    case QUEUE_SIZE: return q ? q->num : 0;
    case QUEUE_SEL: return v->queue_sel;
    case STATUS: return v->status;
    case ISR: return virtio_pci_take_isr(v);
    case CONFIG_VECTOR: return v->config_vector;
    case QUEUE_VECTOR: return q ? q->vector : VIRTIO_NO_VECTOR;
    default: return 0;
    }
}

static uint64_t legacy_read(void *opaque, uint64_t offset, unsigned size)
{
    struct virtio *v = opaque;
    bool taken = virtio_lock(v);
    uint64_t value = read_reg(v, offset, size);

    virtio_unlock(v, taken);
    return value;
}

static void write_reg(struct virtio *v, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtqueue *q = virtio_queue(v);

    if (offset >= config_at(v)) {
        virtio_config_write(v, offset - config_at(v), size, (uint32_t)value);
        return;
    }
    switch (offset) {
    case DRIVER_FEATURES: virtio_legacy_set_features(v, (uint32_t)value); break;
    case QUEUE_PFN:
        if (q)
            virtq_set_base(q, (value & UINT32_MAX) << PAGE_SHIFT, VIRTIO_LEGACY_ALIGN);
        break;
    case QUEUE_SEL: v->queue_sel = (uint16_t)value; break;
    case STATUS: virtio_legacy_set_status(v, (uint8_t)value); break;
    case CONFIG_VECTOR: v->config_vector = virtio_pci_check_vector(v, (uint16_t)value); break;
    case QUEUE_VECTOR:
        if (q)
            q->vector = virtio_pci_check_vector(v, (uint16_t)value);
        virtio_route_irqs(v);
        break;
    default: log_guest_error("%s: write to legacy register 0x%x\n", v->cls->name, (unsigned)offset);
    }
}

static void legacy_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio *v = opaque;
    bool taken;

    if (offset == QUEUE_NOTIFY) { /* without waiting for an iothread at work */
        virtio_notified(v, (uint16_t)value);
        return;
    }
    taken = virtio_lock(v);
    write_reg(v, offset, value, size);
    virtio_unlock(v, taken);
}

static const struct io_ops legacy_io = {
    .read = legacy_read, .write = legacy_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 4 }
};

void virtio_pci_add_legacy(struct virtio *v)
{
    uint8_t *config = v->pci.config;

    stw_le(config + PCI_DEVICE, virtio_pci_legacy_id(v->cls->id));
    config[PCI_REVISION] = 0;
    stw_le(config + PCI_SUBDEVICE, (uint16_t)v->cls->id);
    mem_region_init_io(&v->legacy_io, device_mem(&v->dev), &legacy_io, v, "virtio-legacy",
                       pow2_ceil(HEADER_MSIX_LEN + v->config_len));
    virtio_set_bells(v, &v->legacy_io, QUEUE_NOTIFY, 2, true);
    pci_add_bar(&v->pci, 0, PCI_BAR_IO, &v->legacy_io);
}
