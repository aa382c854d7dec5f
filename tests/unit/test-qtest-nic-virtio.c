/* The legacy interface of virtio, by a small network driver over qtest: ports and ring layout of
 * before 1.0, the same by MMIO, and which interfaces a device has. */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>
#include "pcio.h"
#include "qclient.h"

#define PORTS 0xc000u
#define PAGE  4096u

enum { FEATURES = 0, WANTED = 4, PFN = 8, SIZE = 12, SEL = 14, NOTIFY = 16, STATUS = 18, ISR = 19 };

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static struct qclient *q;

struct ring {
    uint64_t base;
    unsigned n; /* entries */
    uint16_t avail, used;
};

static uint64_t avail_at(const struct ring *r)
{
    return r->base + 16 * r->n;
}

static uint64_t used_at(const struct ring *r)
{
    return (avail_at(r) + 6 + 2 * r->n + PAGE - 1) / PAGE * PAGE;
}

static void offer(struct ring *r, uint64_t addr, unsigned len, uint16_t flags)
{
    unsigned slot = r->avail % r->n;

    qc_writeq(q, r->base + 16 * slot, addr);
    qc_writel(q, r->base + 16 * slot + 8, len);
    qc_writel(q, r->base + 16 * slot + 12, flags);
    qc_writew(q, avail_at(r) + 4 + 2 * slot, (uint16_t)slot);
    qc_writew(q, avail_at(r) + 2, ++r->avail);
}

/* Bytes that the device wrote into the next used buffer. */
static unsigned await(struct ring *r)
{
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (qc_readw(q, used_at(r) + 2) == r->used)
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    return qc_readl(q, used_at(r) + 4 + 8 * (r->used++ % r->n) + 4);
}

static unsigned make_arp(uint8_t *f)
{
    memset(f, 0xff, 6);
    memcpy(f + 6, own_mac, 6);
    memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(f + 22, own_mac, 6);
    inet_pton(AF_INET, "10.0.2.15", f + 28);
    memset(f + 32, 0, 6);
    inet_pton(AF_INET, "10.0.2.2", f + 38);
    return 42;
}

/* Header and frame each way, with a header of `head` bytes. */
static void exchange(struct ring *rx, struct ring *tx, unsigned head, void (*kick)(unsigned queue))
{
    uint64_t in = rx->base + 0x80000, out = tx->base + 0x80000;
    uint8_t f[64] = { 0 };
    unsigned len = make_arp(f + head);

    offer(rx, in, 2048, 2);
    kick(0);
    qc_memwrite(q, out, f, head + len);
    offer(tx, out, head + len, 0);
    kick(1);
    g_assert_cmpuint(await(tx), ==, 0);
    len = await(rx);
    g_assert_cmpuint(len, >=, head + 60);
    qc_memread(q, in + head, f, 6);
    g_assert_true(memcmp(f, own_mac, 6) == 0);
}

/* ---- ports ---- */

static uint32_t get(unsigned reg, unsigned size)
{
    return pc_in(q, size, (uint16_t)(PORTS + reg));
}

static void set(unsigned reg, unsigned size, uint32_t v)
{
    pc_out(q, size, (uint16_t)(PORTS + reg), v);
}

static void open_pci(const char *device)
{
    g_autofree char *args = g_strdup_printf("-machine pc -arch x86_64 -nodefaults -m 16M "
                                            "-netdev user,id=n0 -device %s,netdev=n0,addr=4",
                                            device);

    q = qc_start(args);
    pc_config_write(q, 4, 0, 0x10, 4, PORTS);
    pc_config_write(q, 4, 0, 4, 2, 7);
}

static struct ring pci_ring(unsigned queue, uint64_t base)
{
    struct ring r = { .base = base };

    set(SEL, 2, queue);
    r.n = get(SIZE, 2);
    g_assert_cmpuint(r.n, ==, 256);
    g_assert_cmphex(get(PFN, 4), ==, 0);
    set(PFN, 4, (uint32_t)(base / PAGE));
    g_assert_cmphex(get(PFN, 4), ==, base / PAGE);
    return r;
}

static void pci_kick(unsigned queue)
{
    set(NOTIFY, 2, queue);
}

static void test_ports(void)
{
    struct ring rx, tx;

    for (unsigned merged = 0; merged < 2; merged++) {
        open_pci("virtio-net-pci,disable-modern=on");
        g_assert_cmphex(pc_config_read(q, 4, 0, 0, 4), ==, 0x10001af4);
        g_assert_cmphex(pc_config_read(q, 4, 0, 0x2c, 4), ==, 0x00011af4);
        g_assert_cmphex(pc_config_read(q, 4, 0, 8, 1), ==, 0);
        g_assert_cmphex(get(FEATURES, 4) & 0x38000020, ==, 0x38000020);
        for (unsigned i = 0; i < 6; i++)
            g_assert_cmphex(get(20 + i, 1), ==, own_mac[i]);
        set(STATUS, 1, 1);
        set(STATUS, 1, 3);
        set(WANTED, 4, (merged ? 0x8000 : 0) | 0x20 | 1u << 30);
        g_assert_cmphex(get(WANTED, 4), ==, (merged ? 0x8000 : 0) | 0x20);
        rx = pci_ring(0, 0x200000);
        tx = pci_ring(1, 0x210000);
        set(STATUS, 1, 7);
        g_assert_cmphex(get(STATUS, 1), ==, 7);
        for (unsigned i = 0; i < 3; i++) {
            g_autofree char *state = qc_save(q);

            exchange(&rx, &tx, merged ? 12 : 10, pci_kick);
            g_assert_cmphex(pc_config_read(q, 4, 0, 6, 2) & 8, ==, 8);
            g_assert_cmphex(get(ISR, 1), ==, 1);
            g_assert_cmphex(pc_config_read(q, 4, 0, 6, 2) & 8, ==, 0);
            if (i == 0) { /* back again, but the driver goes on from here */
                qc_writew(q, used_at(&rx) + 2, 0);
                qc_writew(q, used_at(&tx) + 2, 0);
                qc_writew(q, avail_at(&rx) + 2, 0);
                qc_writew(q, avail_at(&tx) + 2, 0);
                qc_load(q, state);
                rx.avail = rx.used = tx.avail = tx.used = 0;
            }
        }
        set(20, 4, 0x04030252);
        g_assert_cmphex(get(20, 4), ==, 0x04030252);
        set(STATUS, 1, 0);
        g_assert_cmphex(get(20, 4), ==, 0x12005452);
        set(SEL, 2, 1);
        g_assert_cmphex(get(PFN, 4), ==, 0);
        qc_stop(q);
    }
}

/* With MSI-X, two registers come before the device's own. */
static void test_vectors(void)
{
    open_pci("virtio-net-pci");
    pc_config_write(q, 4, 0, 0x14, 4, 0xfe000000);
    g_assert_cmphex(get(20, 4), ==, 0x12005452);
    for (unsigned cap = pc_config_read(q, 4, 0, 0x34, 1); cap;
         cap = pc_config_read(q, 4, 0, cap + 1, 1))
        if (pc_config_read(q, 4, 0, cap, 1) == 0x11)
            pc_config_write(q, 4, 0, cap + 2, 2, 0x8000);
    g_assert_cmphex(get(24, 4), ==, 0x12005452);
    g_assert_cmphex(get(20, 2), ==, 0xffff);
    set(20, 2, 0);
    set(SEL, 2, 0);
    set(22, 2, 1);
    g_assert_cmphex(get(20, 2), ==, 0);
    g_assert_cmphex(get(22, 2), ==, 1);
    set(22, 2, 99);
    g_assert_cmphex(get(22, 2), ==, 0xffff);
    qc_stop(q);
}

static void test_ids(void)
{
    static const struct {
        const char *device;
        uint32_t id;
        bool ports, modern;
    } cases[] = {
        { "virtio-net-pci", 0x1000, true, true },
        { "virtio-net-pci-transitional", 0x1000, true, true },
        { "virtio-net-pci,disable-legacy=on", 0x1041, false, true },
        { "virtio-net-pci,disable-legacy=off,disable-modern=on", 0x1000, true, false },
        { "virtio-net-pci-non-transitional", 0x1041, false, true },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        open_pci(cases[i].device);
        g_assert_cmphex(pc_config_read(q, 4, 0, 2, 2), ==, cases[i].id);
        g_assert_cmpint(pc_config_read(q, 4, 0, 0x10, 4) == (PORTS | 1), ==, cases[i].ports);
        g_assert_cmpint(pc_config_read(q, 4, 0, 0x20, 4) != 0, ==, cases[i].modern);
        qc_stop(q);
    }
}

/* ---- MMIO ---- */

static uint64_t slot;

static void mmio_kick(unsigned queue)
{
    qc_writel(q, slot + 0x50, queue);
}

static struct ring mmio_ring(unsigned queue, uint64_t base)
{
    struct ring r = { .base = base, .n = 64 };

    qc_writel(q, slot + 0x30, queue);
    g_assert_cmpuint(qc_readl(q, slot + 0x34), ==, 256);
    qc_writel(q, slot + 0x38, r.n);
    qc_writel(q, slot + 0x3c, PAGE);
    qc_writel(q, slot + 0x40, (uint32_t)(base / PAGE));
    g_assert_cmphex(qc_readl(q, slot + 0x40), ==, base / PAGE);
    return r;
}

static void test_mmio(void)
{
    struct ring rx, tx;

    q = qc_start("-machine virt -arch riscv64 -m 16M -global virtio-mmio.force-legacy=on "
                 "-netdev user,id=n0 -device virtio-net-device,netdev=n0");
    for (slot = 0x10001000; qc_readl(q, slot + 8) != 1; slot += 0x1000)
        g_assert_cmphex(slot, <, 0x10008000);
    g_assert_cmphex(qc_readl(q, slot + 4), ==, 1);
    qc_writel(q, slot + 0x28, PAGE);
    qc_writel(q, slot + 0x70, 0);
    qc_writel(q, slot + 0x70, 3);
    qc_writel(q, slot + 0x14, 1);
    g_assert_cmphex(qc_readl(q, slot + 0x10), ==, 0);
    qc_writel(q, slot + 0x24, 0);
    qc_writel(q, slot + 0x20, 0x20);
    rx = mmio_ring(0, 0x80200000);
    tx = mmio_ring(1, 0x80210000);
    qc_writel(q, slot + 0x70, 7);
    g_assert_cmphex(qc_readl(q, slot + 0x70), ==, 7);
    exchange(&rx, &tx, 10, mmio_kick);
    g_assert_cmphex(qc_readl(q, slot + 0x60), ==, 1);
    qc_stop(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-legacy/ports", test_ports);
    g_test_add_func("/virtio-legacy/vectors", test_vectors);
    g_test_add_func("/virtio-legacy/ids", test_ids);
    g_test_add_func("/virtio-legacy/mmio", test_mmio);
    return g_test_run();
}
