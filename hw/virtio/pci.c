/* The virtio-pci transport (virtio 1.2, 4.1); pci-legacy.c has what was before 1.0. */
#include <hw/virtio/pci.h>
#include <hw/virtio/virtio.h>

#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>

/* Windows of BAR 4; the MSI-X table is in BAR 1. Where QEMU has them, too. */
#define MODERN_BAR   4
#define MSIX_BAR     1
#define WINDOW       0x1000
#define COMMON_AT    0x0000
#define ISR_AT       0x1000
#define CONFIG_AT    0x2000
#define NOTIFY_AT    0x3000
#define MODERN_SIZE  0x4000
#define NOTIFY_SHIFT 4 /* bytes between queues: notify_off_multiplier */

enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4, CAP_PCI = 5 };

/* struct virtio_pci_cap (4.1.4) */
enum { CAP_LEN = 2, CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_EXTRA = 16 };

/* struct virtio_pci_common_cfg (4.1.4.3) */
enum {
    DEVICE_SEL = 0x00,
    DEVICE_FEATURES = 0x04,
    DRIVER_SEL = 0x08,
    DRIVER_FEATURES = 0x0c,
    CONFIG_VECTOR = 0x10,
    NUM_QUEUES = 0x12,
    STATUS = 0x14,
    GENERATION = 0x15,
    QUEUE_SEL = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFF = 0x1e,
    QUEUE_DESC = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
    QUEUE_NOTIFY_DATA = 0x38,
    QUEUE_RESET = 0x3a,
};

static struct virtio *virtio_of(struct pci_device *pd)
{
    return (struct virtio *)pd;
}

/* ---- interrupts ---- */

static void update_intx(struct virtio *v)
{
    pci_set_intx(&v->pci, v->isr && !pci_msix_enabled(&v->pci));
}

static void interrupt(struct virtio *v, uint16_t vector, uint8_t isr)
{
    if (pci_msix_enabled(&v->pci)) {
        if (vector != VIRTIO_NO_VECTOR)
            pci_msix_notify(&v->pci, vector);
        return;
    }
    v->isr |= isr;
    update_intx(v);
}

static void queue_irq(struct virtio *v, struct virtqueue *q)
{
    interrupt(v, q->vector, VIRTIO_ISR_QUEUE);
}

static bool queue_message(struct virtio *v, const struct virtqueue *q, uint64_t *addr,
                          uint32_t *data)
{
    return q->vector != VIRTIO_NO_VECTOR && pci_msix_message(&v->pci, q->vector, addr, data);
}

static void msix_changed(struct pci_device *pd)
{
    virtio_route_irqs(virtio_of(pd));
}

static void config_irq(struct virtio *v)
{
    interrupt(v, v->config_vector, VIRTIO_ISR_CONFIG);
}

static void was_reset(struct virtio *v)
{
    update_intx(v);
}

static const struct virtio_transport pci_transport = {
    .queue_irq = queue_irq,
    .config_irq = config_irq,
    .queue_message = queue_message,
    .was_reset = was_reset,
};

/* ---- common configuration ---- */

static uint32_t half(uint64_t v, unsigned reg)
{
    return (uint32_t)(reg & 4 ? v >> 32 : v);
}

static uint32_t read_queue(struct virtio *v, unsigned reg)
{
    const struct virtqueue *q = virtio_queue(v);

    if (!q)
        return 0;
    switch (reg) {
    case QUEUE_SIZE: return q->num;
    case QUEUE_VECTOR: return q->vector;
    case QUEUE_ENABLE: return q->enabled;
    case QUEUE_NOTIFY_OFF: return q->index;
    case QUEUE_DESC:
    case QUEUE_DESC + 4: return half(q->desc, reg);
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4: return half(q->driver, reg);
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4: return half(q->device, reg);
    case QUEUE_NOTIFY_DATA: return q->index;
    default: return 0; /* QUEUE_RESET: done by the time of the write */
    }
}

static uint64_t read_common(struct virtio *v, uint64_t offset)
{
    switch (offset) {
    case DEVICE_SEL: return v->device_sel;
    case DEVICE_FEATURES: return virtio_get_features(v);
    case DRIVER_SEL: return v->driver_sel;
    case DRIVER_FEATURES: return virtio_get_driver_features(v);
    case CONFIG_VECTOR: return v->config_vector;
    case NUM_QUEUES: return v->n_queues;
    case STATUS: return v->status;
    case GENERATION: return v->generation & 0xff;
    case QUEUE_SEL: return v->queue_sel;
    default: return read_queue(v, (unsigned)offset);
    }
}

static uint64_t common_read(void *opaque, uint64_t offset, unsigned size)
{
    struct virtio *v = opaque;
    bool taken = virtio_lock(v);
    uint64_t value = read_common(v, offset);

    (void)size;
    virtio_unlock(v, taken);
    return value;
}

/* 4.1.5.1.2.1: a vector that there is not reads back as none. */
uint16_t virtio_pci_check_vector(const struct virtio *v, uint32_t vector)
{
    return vector < v->pci.msix_vectors ? (uint16_t)vector : VIRTIO_NO_VECTOR;
}

static void write_queue(struct virtio *v, unsigned reg, uint32_t value)
{
    struct virtqueue *q = virtio_queue(v);
    bool high = reg & 4;

    if (!q) {
        log_guest_error("%s: there is no queue %u\n", v->cls->name, v->queue_sel);
        return;
    }
    switch (reg) {
    case QUEUE_SIZE: virtq_set_num(q, value); break;
    case QUEUE_VECTOR:
        q->vector = virtio_pci_check_vector(v, value);
        virtio_route_irqs(v);
        break;
    case QUEUE_ENABLE:
        if (value == 1)
            virtq_enable(q, true);
        break;
    case QUEUE_DESC:
    case QUEUE_DESC + 4: virtq_set_addr(q, &q->desc, high, value); break;
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4: virtq_set_addr(q, &q->driver, high, value); break;
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4: virtq_set_addr(q, &q->device, high, value); break;
    case QUEUE_RESET:
        if (value == 1 && virtio_has(v, VIRTIO_F_RING_RESET))
            virtq_enable(q, false);
        break;
    default: log_guest_error("%s: write to register 0x%x\n", v->cls->name, reg); break;
    }
}

static void write_common(struct virtio *v, uint64_t offset, uint64_t value)
{
    switch (offset) {
    case DEVICE_SEL: v->device_sel = (uint32_t)value; break;
    case DRIVER_SEL: v->driver_sel = (uint32_t)value; break;
    case DRIVER_FEATURES: virtio_set_features(v, (uint32_t)value); break;
    case CONFIG_VECTOR: v->config_vector = virtio_pci_check_vector(v, (uint32_t)value); break;
    case STATUS: virtio_set_status(v, (uint8_t)value); break;
    case QUEUE_SEL: v->queue_sel = (uint16_t)value; break;
    default: write_queue(v, (unsigned)offset, (uint32_t)value); break;
    }
}

static void common_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio *v = opaque;
    bool taken = virtio_lock(v);

    (void)size;
    write_common(v, offset, value);
    virtio_unlock(v, taken);
}

/* ---- the other windows ---- */

/* 4.1.4.5: reading takes the bits away, and the line with them. */
uint8_t virtio_pci_take_isr(struct virtio *v)
{
    uint8_t isr = v->isr;

    v->isr = 0;
    update_intx(v);
    return isr;
}

static uint64_t isr_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return offset ? 0 : virtio_pci_take_isr(opaque);
}

static void nothing_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    const struct virtio *v = opaque;

    (void)value, (void)size;
    log_guest_error("%s: write to ISR window at 0x%x\n", v->cls->name, (unsigned)offset);
}

static uint64_t device_read(void *opaque, uint64_t offset, unsigned size)
{
    return virtio_config_read(opaque, offset, size);
}

static void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    virtio_config_write(opaque, offset, size, (uint32_t)value);
}

static uint64_t notify_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return 0;
}

/* Where the write goes says which queue. */
static void notify_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)value, (void)size;
    virtio_notified(opaque, (uint32_t)(offset / NOTIFY_SHIFT));
}

static const struct io_ops common_io = {
    .read = common_read, .write = common_write, .guest_sizes = { 1, 8 }, .own_sizes = { 1, 4 }
};
static const struct io_ops isr_io = {
    .read = isr_read, .write = nothing_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 4 }
};
static const struct io_ops device_io = {
    .read = device_read, .write = device_write, .guest_sizes = { 1, 8 }, .own_sizes = { 1, 4 }
};
static const struct io_ops notify_io = {
    .read = notify_read, .write = notify_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 4 }
};

static const struct {
    const struct io_ops *io;
    const char *name;
    uint32_t offset;
    uint8_t type, extra;
} windows[VIRTIO_PCI_WINDOWS] = {
    { &common_io, "virtio-common", COMMON_AT, CAP_COMMON, 0 },
    { &isr_io, "virtio-isr", ISR_AT, CAP_ISR, 0 },
    { &device_io, "virtio-config", CONFIG_AT, CAP_DEVICE, 0 },
    { &notify_io, "virtio-notify", NOTIFY_AT, CAP_NOTIFY, 4 },
};

/* ---- access by configuration space (4.1.4.9) ---- */

/* The window and the place in it that the driver has chosen; false: none. */
static bool chosen(struct virtio *v, unsigned *window, uint32_t *offset, uint32_t *len)
{
    const uint8_t *cap = v->pci.config + v->pci_cap;

    *offset = ldl_le(cap + CAP_OFFSET);
    *len = ldl_le(cap + CAP_LENGTH);
    if (cap[CAP_BAR] != MODERN_BAR || *offset >= MODERN_SIZE ||
        (*len != 1 && *len != 2 && *len != 4) || *offset % *len)
        return false;
    *window = *offset / WINDOW;
    *offset %= WINDOW;
    return true;
}

static bool is_data(const struct virtio *v, unsigned offset, unsigned size)
{
    unsigned data = v->pci_cap + CAP_EXTRA;

    return v->pci_cap && offset < data + 4 && data < offset + size && size <= 4;
}

static void before_read(struct pci_device *pd, unsigned offset, unsigned size)
{
    struct virtio *v = virtio_of(pd);
    uint32_t at, len;
    uint64_t value;
    unsigned w;

    if (!is_data(v, offset, size) || !chosen(v, &w, &at, &len))
        return;
    mem_io_read(&v->windows[w], at, len, &value, 0);
    stl_le(pd->config + v->pci_cap + CAP_EXTRA, (uint32_t)value);
}

static void set_dma(struct virtio *v)
{
    bool off = !pci_bus_master(&v->pci), taken;

    if (v->dma_off == off)
        return;
    taken = virtio_lock(v);
    v->dma_off = off;
    for (unsigned i = 0; !off && i < v->n_queues; i++)
        if (virtq_ready(&v->queues[i]))
            virtio_kick(v, i);
    virtio_unlock(v, taken);
}

static void written(struct pci_device *pd, unsigned offset, unsigned size)
{
    struct virtio *v = virtio_of(pd);
    uint32_t at, len;
    unsigned w;

    set_dma(v);
    update_intx(v);
    virtio_route_irqs(v); /* messages are DMA, too */
    if (is_data(v, offset, size) && chosen(v, &w, &at, &len))
        mem_io_write(&v->windows[w], at, len, ldn_le(pd->config + v->pci_cap + CAP_EXTRA, len), 0);
}

static const struct pci_hooks virtio_pci_hooks = {
    .before_read = before_read,
    .written = written,
    .msix_changed = msix_changed,
};

/* ---- life ---- */

static uint8_t *add_cap(struct virtio *v, uint8_t type, uint32_t offset, unsigned extra)
{
    struct pci_device *pd = &v->pci;
    unsigned at = pci_add_cap(pd, PCI_CAP_VENDOR, CAP_EXTRA + extra);
    uint8_t *c = pd->config + at;

    c[CAP_LEN] = (uint8_t)(CAP_EXTRA + extra);
    c[CAP_TYPE] = type;
    c[CAP_BAR] = type == CAP_PCI ? 0 : MODERN_BAR;
    stl_le(c + CAP_OFFSET, offset);
    stl_le(c + CAP_LENGTH, type == CAP_PCI ? 0 : WINDOW);
    return c;
}

static void add_windows(struct virtio *v)
{
    struct mem *mem = device_mem(&v->dev);

    mem_region_init(&v->modern, mem, "virtio-pci", MODERN_SIZE);
    for (unsigned i = 0; i < ARRAY_LEN(windows); i++) {
        uint8_t *cap = add_cap(v, windows[i].type, windows[i].offset, windows[i].extra);

        mem_region_init_io(&v->windows[i], mem, windows[i].io, v, windows[i].name, WINDOW);
        if (windows[i].type == CAP_NOTIFY) {
            stl_le(cap + CAP_EXTRA, NOTIFY_SHIFT);
            virtio_set_bells(v, &v->windows[i], 0, NOTIFY_SHIFT, false);
        }
        mem_region_add(&v->modern, windows[i].offset, &v->windows[i]);
    }
    pci_add_bar(&v->pci, MODERN_BAR, PCI_BAR_MEM64 | PCI_BAR_PREFETCH, &v->modern);
}

static void add_config_access(struct virtio *v)
{
    uint8_t *w;

    v->pci_cap = (uint8_t)(add_cap(v, CAP_PCI, 0, 4) - v->pci.config);
    w = v->pci.wmask + v->pci_cap;
    w[CAP_BAR] = 0xff;
    stl_le(w + CAP_OFFSET, ~0u);
    stl_le(w + CAP_LENGTH, ~0u);
    stl_le(w + CAP_EXTRA, ~0u);
}

/* Which of the two interfaces are there. */
static bool check_modes(const struct virtio *v, bool *legacy, bool *modern, GError **err)
{
    const struct virtio_pci_info *info = v->dev.type->bus_info;
    const char *name = v->dev.type->name;

    *legacy = info->mode == VIRTIO_PCI_TRANSITIONAL ||
              (info->mode == VIRTIO_PCI_ANY && v->disable_legacy != ON);
    *legacy = *legacy && virtio_pci_legacy_id(info->cls->id);
    *modern = info->mode != VIRTIO_PCI_ANY || !v->disable_modern;
    if (!*legacy && !*modern)
        return error_set(err, "%s: disable-legacy=on and disable-modern=on leave no interface",
                         name);
    return true;
}

bool virtio_pci_realize(struct device *dev, GError **err)
{
    const struct virtio_pci_info *info = dev->type->bus_info;
    struct virtio *v = (struct virtio *)dev;
    unsigned vectors = v->vectors == UINT32_MAX ? info->cls->vectors : v->vectors;
    bool legacy, modern;

    if (!check_modes(v, &legacy, &modern, err))
        return false;
    v->legacy_only = !modern;
    if (!virtio_init(v, info->cls, &pci_transport, NULL, err))
        return false;
    if (vectors && !pci_add_msix(&v->pci, vectors, MSIX_BAR, err)) {
        virtio_destroy(v);
        return false;
    }
    v->attrs |= pci_attrs(&v->pci);
    v->dma_off = true;
    if (legacy)
        virtio_pci_add_legacy(v);
    if (modern) {
        add_windows(v);
        add_config_access(v);
    }
    v->pci.hooks = &virtio_pci_hooks;
    return true;
}

void virtio_pci_unrealize(struct device *dev)
{
    struct virtio *v = (struct virtio *)dev;

    v->pci.hooks = NULL;
    virtio_destroy(v);
    pci_remove_msix(&v->pci);
    for (unsigned i = 0; i < ARRAY_LEN(windows); i++)
        mem_region_destroy(&v->windows[i]);
    mem_region_destroy(&v->modern);
    mem_region_destroy(&v->legacy_io);
    io_settle(v->io); /* a bell may have been on its way */
}

void virtio_pci_reset(struct device *dev)
{
    virtio_reset((struct virtio *)dev);
}
