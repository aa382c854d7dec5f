/* A virtio driver over qtest; see vdriver.h. */
#include "vdriver.h"

#include <glib.h>

#define MMIO_BASE 0x10001000u
#define WAIT_MS   20000

enum {
    M_DEVICE_ID = 0x08,
    M_FEATURES = 0x10,
    M_FEATURES_SEL = 0x14,
    M_DRIVER_FEATURES = 0x20,
    M_DRIVER_SEL = 0x24,
    M_QUEUE_SEL = 0x30,
    M_QUEUE_MAX = 0x34,
    M_QUEUE_NUM = 0x38,
    M_QUEUE_READY = 0x44,
    M_NOTIFY = 0x50,
    M_ISR = 0x60,
    M_ACK = 0x64,
    M_STATUS = 0x70,
    M_DESC = 0x80,
    M_CONFIG = 0x100,
};

void vd_open_mmio(struct vdev *d, struct qclient *q, unsigned slot, unsigned id)
{
    *d = (struct vdev){ .q = q, .base = MMIO_BASE + slot * 0x1000u };
    g_assert_cmphex(qc_readl(q, d->base), ==, 0x74726976);
    g_assert_cmpuint(qc_readl(q, d->base + 4), ==, 2);
    g_assert_cmpuint(qc_readl(q, d->base + M_DEVICE_ID), ==, id);
    d->config = d->base + M_CONFIG;
}

uint8_t vd_status(struct vdev *d)
{
    return (uint8_t)qc_readl(d->q, d->base + M_STATUS);
}

void vd_set_status(struct vdev *d, uint8_t status)
{
    qc_writel(d->q, d->base + M_STATUS, status);
}

uint64_t vd_offered(struct vdev *d)
{
    uint64_t low;

    qc_writel(d->q, d->base + M_FEATURES_SEL, 0);
    low = qc_readl(d->q, d->base + M_FEATURES);
    qc_writel(d->q, d->base + M_FEATURES_SEL, 1);
    return low | (uint64_t)qc_readl(d->q, d->base + M_FEATURES) << 32;
}

void vd_accept(struct vdev *d, uint64_t features)
{
    for (unsigned i = 0; i < 2; i++) {
        qc_writel(d->q, d->base + M_DRIVER_SEL, i);
        qc_writel(d->q, d->base + M_DRIVER_FEATURES, (uint32_t)(features >> (32 * i)));
    }
    d->features = features;
}

uint8_t vd_isr(struct vdev *d)
{
    uint32_t isr = qc_readl(d->q, d->base + M_ISR);

    qc_writel(d->q, d->base + M_ACK, isr);
    return (uint8_t)isr;
}

unsigned vd_queue_max(struct vdev *d, unsigned queue)
{
    qc_writel(d->q, d->base + M_QUEUE_SEL, queue);
    return qc_readl(d->q, d->base + M_QUEUE_MAX);
}

uint64_t vd_config(struct vdev *d, unsigned offset, unsigned size)
{
    uint64_t at = d->config + offset;

    switch (size) {
    case 1: return qc_readb(d->q, at);
    case 2: return qc_readw(d->q, at);
    case 4: return qc_readl(d->q, at);
    default: return qc_readl(d->q, at) | (uint64_t)qc_readl(d->q, at + 4) << 32;
    }
}

void vd_set_config(struct vdev *d, unsigned offset, unsigned size, uint32_t value)
{
    uint64_t at = d->config + offset;

    switch (size) {
    case 1: qc_writeb(d->q, at, (uint8_t)value); break;
    case 2: qc_writew(d->q, at, (uint16_t)value); break;
    default: qc_writel(d->q, at, value); break;
    }
}

void vd_kick(struct vdev *d, unsigned queue)
{
    qc_writel(d->q, d->base + M_NOTIFY, queue);
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
    const uint64_t parts[] = { r->desc, r->driver, r->device };
    struct vdev *d = r->d;

    qc_writel(d->q, d->base + M_QUEUE_SEL, r->index);
    qc_writel(d->q, d->base + M_QUEUE_NUM, r->num);
    for (unsigned i = 0; i < 3; i++) {
        qc_writel(d->q, d->base + M_DESC + 16 * i, (uint32_t)parts[i]);
        qc_writel(d->q, d->base + M_DESC + 16 * i + 4, (uint32_t)(parts[i] >> 32));
    }
    qc_writel(d->q, d->base + M_QUEUE_READY, 1);
    g_assert_cmpuint(qc_readl(d->q, d->base + M_QUEUE_READY), ==, 1);
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
