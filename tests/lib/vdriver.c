/* A virtio driver over qtest; see vdriver.h. */
#include "vdriver.h"

#include <glib.h>

#define MMIO_BASE 0x10001000u
#define WAIT_MS   20000

#define ECAM_BASE 0x30000000u
#define BAR_BASE  0x40000000u

/* Registers of a slot, and where PCI's common configuration has the same. */
enum reg {
    DEVICE_SEL,
    DEVICE_FEATURES,
    DRIVER_SEL,
    DRIVER_FEATURES,
    QUEUE_SEL,
    QUEUE_NUM_MAX,
    QUEUE_NUM,
    QUEUE_READY,
    STATUS,
    DESC,
    DRIVER,
    DEVICE,
    RESET,
    GENERATION,
};

static const struct {
    uint16_t mmio, pci;
    uint8_t pci_size;
} regs[] = {
    [DEVICE_SEL] = { 0x14, 0x00, 4 }, [DEVICE_FEATURES] = { 0x10, 0x04, 4 },
    [DRIVER_SEL] = { 0x24, 0x08, 4 }, [DRIVER_FEATURES] = { 0x20, 0x0c, 4 },
    [QUEUE_SEL] = { 0x30, 0x16, 2 },  [QUEUE_NUM_MAX] = { 0x34, 0x18, 2 },
    [QUEUE_NUM] = { 0x38, 0x18, 2 },  [QUEUE_READY] = { 0x44, 0x1c, 2 },
    [STATUS] = { 0x70, 0x14, 1 },     [DESC] = { 0x80, 0x20, 4 },
    [DRIVER] = { 0x90, 0x28, 4 },     [DEVICE] = { 0xa0, 0x30, 4 },
    [RESET] = { 0xc0, 0x3a, 2 },      [GENERATION] = { 0xfc, 0x15, 1 },
};

static uint32_t get_sized(struct qclient *q, uint64_t at, unsigned size)
{
    return size == 1 ? qc_readb(q, at) : size == 2 ? qc_readw(q, at) : qc_readl(q, at);
}

static void set_sized(struct qclient *q, uint64_t at, unsigned size, uint32_t v)
{
    switch (size) {
    case 1: qc_writeb(q, at, (uint8_t)v); break;
    case 2: qc_writew(q, at, (uint16_t)v); break;
    default: qc_writel(q, at, v); break;
    }
}

static uint32_t get(struct vdev *d, enum reg r)
{
    if (d->pci)
        return get_sized(d->q, d->base + regs[r].pci, regs[r].pci_size);
    return qc_readl(d->q, d->base + regs[r].mmio);
}

static void set(struct vdev *d, enum reg r, uint32_t v)
{
    if (d->pci)
        set_sized(d->q, d->base + regs[r].pci, regs[r].pci_size, v);
    else
        qc_writel(d->q, d->base + regs[r].mmio, v);
}

static void set64(struct vdev *d, enum reg r, uint64_t v)
{
    uint64_t at = d->base + (d->pci ? regs[r].pci : regs[r].mmio);

    qc_writel(d->q, at, (uint32_t)v);
    qc_writel(d->q, at + 4, (uint32_t)(v >> 32));
}

void vd_open_mmio(struct vdev *d, struct qclient *q, unsigned slot, unsigned id)
{
    *d = (struct vdev){ .q = q, .base = MMIO_BASE + slot * 0x1000u, .slot = slot };
    g_assert_cmphex(qc_readl(q, d->base), ==, 0x74726976);
    g_assert_cmpuint(qc_readl(q, d->base + 4), ==, 2);
    g_assert_cmpuint(qc_readl(q, d->base + 8), ==, id);
    d->config = d->base + 0x100;
    d->notify = d->base + 0x50;
}

/* ---- PCI ---- */

uint64_t vd_ecam(unsigned slot, unsigned reg)
{
    return ECAM_BASE + (slot << 15) + reg;
}

static uint32_t cfg(struct vdev *d, unsigned reg, unsigned size)
{
    return get_sized(d->q, vd_ecam(d->slot, reg), size);
}

/* Sizes the window, and places it behind those of the slots before. */
static void place_bars(struct vdev *d, uint64_t *bars)
{
    uint64_t next = BAR_BASE + d->slot * 0x100000u;

    for (unsigned i = 0; i < 6; i++) {
        uint64_t at = vd_ecam(d->slot, 0x10 + 4 * i);
        uint32_t old = qc_readl(d->q, at), size;

        qc_writel(d->q, at, ~0u);
        size = ~(qc_readl(d->q, at) & ~15u) + 1;
        if (!size || (old & 1)) /* ports are for legacy drivers */
            continue;
        next = (next + size - 1) & ~((uint64_t)size - 1);
        qc_writel(d->q, at, (uint32_t)next);
        bars[i] = next;
        next += size;
        if (old & 4)
            qc_writel(d->q, vd_ecam(d->slot, 0x10 + 4 * ++i), 0);
    }
}

static void take_cap(struct vdev *d, unsigned cap, const uint64_t *bars)
{
    unsigned id = cfg(d, cap, 1);
    uint64_t at;

    if (id == 0x11) {
        uint32_t table = cfg(d, cap + 4, 4);

        d->msix_cap = cap;
        d->msix = bars[table & 7] + (table & ~7u);
    }
    if (id != 9)
        return;
    at = bars[cfg(d, cap + 4, 1) % 6] + cfg(d, cap + 8, 4);
    switch (cfg(d, cap + 3, 1)) {
    case 1: d->base = at; break;
    case 2:
        d->notify = at;
        d->shift = cfg(d, cap + 16, 4);
        break;
    case 3: d->isr = at; break;
    case 4: d->config = at; break;
    default: break;
    }
}

void vd_open_pci(struct vdev *d, struct qclient *q, unsigned slot, unsigned id)
{
    uint64_t bars[6] = { 0 };

    *d = (struct vdev){ .q = q, .pci = true, .slot = slot };
    g_assert_cmphex(cfg(d, 0, 2), ==, 0x1af4);
    if (cfg(d, 2, 2) < 0x1040) /* transitional: the subsystem says what it is */
        g_assert_cmphex(cfg(d, 0x2c, 4), ==, 0x1af4 | id << 16);
    else
        g_assert_cmphex(cfg(d, 2, 2), ==, 0x1040 + id);
    place_bars(d, bars);
    qc_writew(q, vd_ecam(slot, 4), 6);
    g_assert_cmphex(cfg(d, 6, 2) & 0x10, ==, 0x10);
    for (unsigned cap = cfg(d, 0x34, 1), n = 0; cap; cap = cfg(d, cap + 1, 1), n++) {
        g_assert_cmpuint(n, <, 48);
        take_cap(d, cap, bars);
    }
    g_assert_true(d->base && d->notify && d->isr && d->config);
}

void vd_msix(struct vdev *d, unsigned n, uint64_t addr, uint32_t data)
{
    uint64_t entry = d->msix + 16 * n;

    qc_writeq(d->q, entry, addr);
    qc_writel(d->q, entry + 8, data);
    qc_writel(d->q, entry + 12, 0);
    qc_writew(d->q, vd_ecam(d->slot, d->msix_cap + 2), 0x8000);
}

void vd_queue_vector(struct vdev *d, unsigned queue, unsigned n)
{
    set(d, QUEUE_SEL, queue);
    qc_writew(d->q, d->base + 0x1a, (uint16_t)n);
    g_assert_cmpuint(qc_readw(d->q, d->base + 0x1a), ==, n);
}

/* ---- either ---- */

uint8_t vd_status(struct vdev *d)
{
    return (uint8_t)get(d, STATUS);
}

void vd_set_status(struct vdev *d, uint8_t status)
{
    set(d, STATUS, status);
}

uint64_t vd_offered(struct vdev *d)
{
    uint64_t low;

    set(d, DEVICE_SEL, 0);
    low = get(d, DEVICE_FEATURES);
    set(d, DEVICE_SEL, 1);
    return low | (uint64_t)get(d, DEVICE_FEATURES) << 32;
}

void vd_accept(struct vdev *d, uint64_t features)
{
    for (unsigned i = 0; i < 2; i++) {
        set(d, DRIVER_SEL, i);
        set(d, DRIVER_FEATURES, (uint32_t)(features >> (32 * i)));
    }
    d->features = features;
}

uint8_t vd_isr(struct vdev *d)
{
    uint32_t isr;

    if (d->pci)
        return qc_readb(d->q, d->isr);
    isr = qc_readl(d->q, d->base + 0x60);
    qc_writel(d->q, d->base + 0x64, isr);
    return (uint8_t)isr;
}

unsigned vd_queue_max(struct vdev *d, unsigned queue)
{
    set(d, QUEUE_SEL, queue);
    return get(d, QUEUE_NUM_MAX);
}

void vd_reset_queue(struct vdev *d, unsigned queue)
{
    set(d, QUEUE_SEL, queue);
    set(d, RESET, 1);
    g_assert_cmpuint(get(d, RESET), ==, 0);
    g_assert_cmpuint(get(d, QUEUE_READY), ==, 0);
}

uint64_t vd_config(struct vdev *d, unsigned offset, unsigned size)
{
    uint64_t at = d->config + offset;

    if (size == 8)
        return qc_readl(d->q, at) | (uint64_t)qc_readl(d->q, at + 4) << 32;
    return get_sized(d->q, at, size);
}

void vd_set_config(struct vdev *d, unsigned offset, unsigned size, uint32_t value)
{
    set_sized(d->q, d->config + offset, size, value);
}

void vd_kick(struct vdev *d, unsigned queue)
{
    if (d->pci)
        qc_writew(d->q, d->notify + queue * d->shift, (uint16_t)queue);
    else
        qc_writel(d->q, d->notify, queue);
}

void vd_start(struct vdev *d, uint64_t want)
{
    want |= UINT64_C(1) << 32;
    vd_set_status(d, 0);
    g_assert_cmphex(vd_status(d), ==, 0);
    vd_set_status(d, 1);
    vd_set_status(d, 3);
    g_assert_cmphex(vd_offered(d) & want, ==, want);
    vd_accept(d, want);
    vd_set_status(d, 11);
    g_assert_cmphex(vd_status(d), ==, 11);
}

void vd_ok(struct vdev *d)
{
    vd_set_status(d, 15);
    g_assert_cmphex(vd_status(d), ==, 15);
}

static void enable(struct vring *r)
{
    struct vdev *d = r->d;

    set(d, QUEUE_SEL, r->index);
    set(d, QUEUE_NUM, r->num);
    set64(d, DESC, r->desc);
    set64(d, DRIVER, r->driver);
    set64(d, DEVICE, r->device);
    set(d, QUEUE_READY, 1);
    g_assert_cmpuint(get(d, QUEUE_READY), ==, 1);
}

void vq_init(struct vdev *d, struct vring *r, unsigned index, unsigned num, uint64_t mem)
{
    g_autofree void *zeroes = g_malloc0(0x10000);

    *r =
        (struct vring){ .d = d, .index = index, .num = num, .avail_wrap = true, .used_wrap = true };
    r->packed = d->features >> 34 & 1;
    r->desc = mem;
    r->driver = mem + 0x4000;
    r->device = mem + 0x8000;
    qc_memwrite(d->q, mem, zeroes, 0x10000);
    enable(r);
}

static void write_desc(struct vring *r, unsigned at, const struct vpiece *p, uint16_t flags,
                       uint16_t next)
{
    uint64_t addr = r->desc + 16 * at;

    qc_writeq(r->d->q, addr, p->addr);
    qc_writel(r->d->q, addr + 8, p->len);
    qc_writew(r->d->q, addr + 12, r->packed ? next : flags);
    qc_writew(r->d->q, addr + 14, r->packed ? flags : next);
}

/* Written backwards: the first descriptor makes the chain available. */
static unsigned add_packed(struct vring *r, const struct vpiece *p, unsigned n_out, unsigned n_in)
{
    unsigned n = n_out + n_in, id = r->next;

    for (unsigned k = n; k-- > 0;) {
        unsigned at = (r->next + k) % r->num;
        bool wrap = r->next + k >= r->num ? !r->avail_wrap : r->avail_wrap;
        uint16_t flags = (uint16_t)((k + 1 < n) | (k >= n_out ? 2 : 0) | (wrap ? 0x80 : 0x8000));

        write_desc(r, at, &p[k], flags, (uint16_t)id);
    }
    if (r->next + n >= r->num)
        r->avail_wrap = !r->avail_wrap;
    r->next = (r->next + n) % r->num;
    r->added[id] = n;
    return id;
}

unsigned vq_add(struct vring *r, const struct vpiece *p, unsigned n_out, unsigned n_in)
{
    unsigned n = n_out + n_in, head = r->next;

    if (r->packed)
        return add_packed(r, p, n_out, n_in);
    for (unsigned k = 0; k < n; k++) {
        unsigned at = (head + k) % r->num;

        write_desc(r, at, &p[k], (uint16_t)((k + 1 < n) | (k >= n_out ? 2 : 0)),
                   (uint16_t)((at + 1) % r->num));
    }
    r->next = (head + n) % r->num;
    qc_writew(r->d->q, r->driver + 4 + 2 * (r->avail % r->num), (uint16_t)head);
    qc_writew(r->d->q, r->driver + 2, ++r->avail);
    return head;
}

bool vq_used(struct vring *r)
{
    uint16_t flags;

    if (!r->packed)
        return qc_readw(r->d->q, r->device + 2) != r->used;
    flags = qc_readw(r->d->q, r->desc + 16 * r->used + 14);
    return !!(flags & 0x80) == r->used_wrap && !!(flags & 0x8000) == r->used_wrap;
}

uint32_t vq_wait(struct vring *r, unsigned *id)
{
    gint64 end = g_get_monotonic_time() + WAIT_MS * 1000;
    uint64_t at;
    unsigned which;

    while (!vq_used(r)) {
        if (g_get_monotonic_time() > end)
            g_error("queue %u: nothing was used within %d ms", r->index, WAIT_MS);
        g_usleep(200);
    }
    if (!r->packed) {
        at = r->device + 4 + 8 * (r->used++ % r->num);
        which = qc_readl(r->d->q, at);
        if (id)
            *id = which;
        return qc_readl(r->d->q, at + 4);
    }
    at = r->desc + 16 * r->used;
    which = qc_readw(r->d->q, at + 12);
    g_assert_cmpuint(which, <, r->num);
    if (id)
        *id = which;
    if (r->used + r->added[which] >= r->num)
        r->used_wrap = !r->used_wrap;
    r->used = (uint16_t)((r->used + r->added[which]) % r->num);
    return qc_readl(r->d->q, at + 8);
}

uint32_t vq_do(struct vring *r, const struct vpiece *p, unsigned n_out, unsigned n_in)
{
    unsigned id = vq_add(r, p, n_out, n_in), used;
    uint32_t len;

    vd_kick(r->d, r->index);
    len = vq_wait(r, &used);
    g_assert_cmpuint(id, ==, used);
    return len;
}

void vd_wait_broken(struct vdev *d)
{
    gint64 end = g_get_monotonic_time() + WAIT_MS * 1000;

    while (!(vd_status(d) & 64)) {
        if (g_get_monotonic_time() > end)
            g_error("the device does not ask for a reset");
        g_usleep(200);
    }
}
