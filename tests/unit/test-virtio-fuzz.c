/*
 * A hostile driver: rings and registers of all virtio devices filled with nonsense. The program
 * must neither end nor hang, and must work again after a reset. The seed is printed by the harness
 * (--seed repeats a run).
 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "vdriver.h"

#define RING   (VD_RAM + 0x10000)
#define HEADER (VD_RAM + 0x100000)
#define DATA   (VD_RAM + 0x110000)
#define STATUS (VD_RAM + 0x1f0000)

#define F_INDIRECT (UINT64_C(1) << 28)
#define F_EVENT    (UINT64_C(1) << 29)
#define F_PACKED   (UINT64_C(1) << 34)

static const struct {
    const char *name;
    unsigned id, queues;
    const char *more, *title; /* title: where it is not the name */
} kinds[] = {
    { "blk", 2, 1, ",drive=d0", NULL },
    { "net", 1, 3, ",netdev=n0", NULL },
    { "rng", 4, 1, "", NULL },
    { "serial", 3, 4, "", NULL },
    { "gpu", 16, 2, "", NULL },
    { "keyboard", 18, 2, "", NULL },
    { "tablet", 18, 2, "", NULL },
    { "blk", 2, 1, ",drive=d0,iothread=io0", "blk-iothread" },
    { "net", 1, 3, ",netdev=n0,iothread=io0", "net-iothread" },
};

struct rig {
    char *path;
    struct qclient *q;
    struct vdev d;
};

static void open_rig(struct rig *r, unsigned kind, bool pci, bool packed)
{
    g_autofree char *args = NULL;
    int fd = g_file_open_tmp("myna-fuzz-XXXXXX", &r->path, NULL);

    g_assert_cmpint(ftruncate(fd, 1 << 20), ==, 0);
    close(fd);
    args = g_strdup_printf("-machine virt -arch riscv64 -m 16M -nodefaults "
                           "-drive file=%s,format=raw,if=none,id=d0 -netdev user,id=n0 "
                           "-object iothread,id=io0 -device virtio-%s-%s%s,packed=%s",
                           r->path, kinds[kind].name, pci ? "pci,addr=3" : "device",
                           kinds[kind].more, packed ? "on" : "off");
    r->q = qc_start(args);
    if (pci)
        vd_open_pci(&r->d, r->q, 3, kinds[kind].id);
    else
        vd_open_mmio(&r->d, r->q, 7, kinds[kind].id);
}

static void close_rig(struct rig *r)
{
    qc_stop(r->q);
    g_unlink(r->path);
    g_free(r->path);
}

/* Mostly plausible numbers, so that checks further in are reached, too. */
static uint64_t random_addr(void)
{
    switch (g_test_rand_int_range(0, 8)) {
    case 0: return UINT64_MAX - (uint64_t)g_test_rand_int_range(0, 4096);
    case 1: return (uint64_t)g_test_rand_int() << 32;
    case 2: return 0x10001000u + 0x1000u * (uint64_t)g_test_rand_int_range(0, 8); /* registers */
    case 3: return VD_RAM + (16 << 20) - (uint64_t)g_test_rand_int_range(0, 64);
    case 4: return RING + (uint64_t)g_test_rand_int_range(0, 0x8000) * 2;
    default: return VD_RAM + 0x100000u + (uint64_t)g_test_rand_int_range(0, 0x100000);
    }
}

static uint32_t random_len(void)
{
    switch (g_test_rand_int_range(0, 6)) {
    case 0: return 0;
    case 1: return (uint32_t)g_test_rand_int();
    case 2: return 16u * (uint32_t)g_test_rand_int_range(0, 64);
    default: return (uint32_t)g_test_rand_int_range(1, 2048);
    }
}

/* Descriptors everywhere the device may look for some: in the ring and where tables may lie. */
static void fill_descriptors(struct rig *r, uint64_t at, unsigned n)
{
    g_autofree uint8_t *bytes = g_malloc(16 * n);

    for (unsigned i = 0; i < n; i++) {
        uint64_t addr = GUINT64_TO_LE(random_addr());
        uint32_t len = GUINT32_TO_LE(random_len());
        uint16_t a = GUINT16_TO_LE((uint16_t)(g_test_rand_int_range(0, 8) |
                                              (g_test_rand_int_range(0, 2) ? 0x80 : 0x8000)));
        uint16_t b = GUINT16_TO_LE((uint16_t)g_test_rand_int_range(0, 20));

        memcpy(bytes + 16 * i, &addr, 8);
        memcpy(bytes + 16 * i + 8, &len, 4);
        memcpy(bytes + 16 * i + 12, g_test_rand_int_range(0, 2) ? &a : &b, 2);
        memcpy(bytes + 16 * i + 14, g_test_rand_int_range(0, 2) ? &a : &b, 2);
    }
    qc_memwrite(r->q, at, bytes, 16 * n);
}

static void fill_available(struct rig *r, uint64_t driver)
{
    uint16_t words[20];

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        words[i] = GUINT16_TO_LE((uint16_t)g_test_rand_int_range(0, 18));
    words[0] = (uint16_t)g_test_rand_int_range(0, 4);
    words[1] = g_test_rand_int_range(0, 8) ? words[1] : (uint16_t)g_test_rand_int();
    qc_memwrite(r->q, driver, words, sizeof(words));
}

static void hostile_round(struct rig *r, unsigned queues, uint64_t features)
{
    struct vring rings[4];

    vd_start(&r->d, features);
    for (unsigned i = 0; i < queues; i++)
        vq_init(&r->d, &rings[i], i, 16, RING + 0x10000 * i);
    vd_ok(&r->d);
    for (unsigned n = 0; n < 4; n++) {
        for (unsigned i = 0; i < queues; i++) {
            fill_descriptors(r, rings[i].desc, 16);
            if (!(features & F_PACKED))
                fill_available(r, rings[i].driver);
            fill_descriptors(r, VD_RAM + 0x100000, 64);
            vd_kick(&r->d, i);
        }
        vd_status(&r->d);
    }
}

/* A driver that knows its business finds the device in order. */
static void assert_works(struct rig *r, unsigned kind)
{
    struct vpiece p[] = { { HEADER, 16 }, { DATA, 512 }, { STATUS, 1 } };
    struct vring ring;

    vd_start(&r->d, 0);
    if (kinds[kind].id == 2) {
        vq_init(&r->d, &ring, 0, 16, RING);
        vd_ok(&r->d);
        qc_writeq(r->q, HEADER, 0);
        qc_writeq(r->q, HEADER + 8, 0);
        g_assert_cmpuint(vq_do(&ring, p, 1, 2), ==, 513);
        g_assert_cmpuint(qc_readb(r->q, STATUS), ==, 0);
    }
    g_assert_cmphex(vd_status(&r->d) & 64, ==, 0);
}

static void test_rings(gconstpointer data)
{
    unsigned kind = GPOINTER_TO_UINT(data) / 4;
    bool pci = GPOINTER_TO_UINT(data) & 1, packed = GPOINTER_TO_UINT(data) & 2;
    struct rig r;

    open_rig(&r, kind, pci, packed);
    for (unsigned i = 0; i < 12; i++)
        hostile_round(&r, kinds[kind].queues,
                      (packed ? F_PACKED : 0) | (i & 1 ? F_EVENT : 0) | (i & 2 ? F_INDIRECT : 0));
    assert_works(&r, kind);
    close_rig(&r);
}

/* Registers in any order with any value; then the device works again after a reset. */
static void test_registers(gconstpointer data)
{
    unsigned kind = GPOINTER_TO_UINT(data) / 4;
    bool pci = GPOINTER_TO_UINT(data) & 1;
    struct rig r;

    open_rig(&r, kind, pci, false);
    for (unsigned i = 0; i < 1500; i++) {
        uint64_t at = r.d.base + (uint64_t)g_test_rand_int_range(0, pci ? 0x3800 : 0x200);
        uint32_t v = g_test_rand_int_range(0, 3) ? (uint32_t)g_test_rand_int_range(0, 32)
                                                 : (uint32_t)g_test_rand_int();

        switch (g_test_rand_int_range(0, 5)) {
        case 0: qc_try(r.q, "writeb 0x%" G_GINT64_MODIFIER "x 0x%x", at, v & 0xff); break;
        case 1:
            qc_try(r.q, "writew 0x%" G_GINT64_MODIFIER "x 0x%x", at & ~UINT64_C(1), v & 0xffff);
            break;
        case 2: qc_try(r.q, "readl 0x%" G_GINT64_MODIFIER "x", at & ~UINT64_C(3)); break;
        default: qc_try(r.q, "writel 0x%" G_GINT64_MODIFIER "x 0x%x", at & ~UINT64_C(3), v); break;
        }
    }
    assert_works(&r, kind);
    close_rig(&r);
}

/* Each rule that a driver breaks on purpose, by name. */
static void broken_by(const struct vpiece *p, unsigned n_out, unsigned n_in)
{
    struct vring ring;
    struct rig r;

    open_rig(&r, 0, false, false);
    vd_start(&r.d, 0);
    vq_init(&r.d, &ring, 0, 16, RING);
    vd_ok(&r.d);
    vq_add(&ring, p, n_out, n_in);
    vd_kick(&r.d, 0);
    vd_wait_broken(&r.d);
    g_assert_cmpuint(vd_isr(&r.d) & 2, ==, 2);
    assert_works(&r, 0);
    close_rig(&r);
}

static void test_rules(void)
{
    const struct vpiece no_status[] = { { HEADER, 16 } };
    const struct vpiece empty[] = { { HEADER, 16 }, { DATA, 0 }, { STATUS, 1 } };
    const struct vpiece wraps[] = { { HEADER, 16 }, { UINT64_MAX - 3, 16 }, { STATUS, 1 } };
    const struct vpiece short_header[] = { { HEADER, 15 }, { STATUS, 1 } };
    const struct vpiece nowhere[] = { { HEADER, 16 },
                                      { 0x1000000000000, 0x7fffffff },
                                      { STATUS, 1 } };

    broken_by(no_status, 1, 0);
    broken_by(empty, 1, 2);
    broken_by(wraps, 1, 2);
    broken_by(short_header, 1, 1);
    broken_by(nowhere, 1, 2);
}

/* A chain that bites its tail, and an available index that runs away. */
static void test_loops(void)
{
    struct vring ring;
    struct rig r;

    open_rig(&r, 0, false, false);
    for (unsigned i = 0; i < 2; i++) {
        vd_start(&r.d, 0);
        vq_init(&r.d, &ring, 0, 16, RING);
        vd_ok(&r.d);
        qc_writeq(r.q, ring.desc, HEADER);
        qc_writel(r.q, ring.desc + 8, 16);
        qc_writew(r.q, ring.desc + 12, 1); /* next: itself */
        qc_writew(r.q, ring.driver + 2, i ? 0x1234 : 1);
        vd_kick(&r.d, 0);
        vd_wait_broken(&r.d);
    }
    assert_works(&r, 0);
    close_rig(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-fuzz/rules", test_rules);
    g_test_add_func("/virtio-fuzz/loops", test_loops);
    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
        const char *title = kinds[k].title ? kinds[k].title : kinds[k].name;

        for (unsigned how = 0; how < 4; how++) {
            g_autofree char *rings =
                g_strdup_printf("/virtio-fuzz/%s/%s/%s", title, how & 1 ? "pci" : "mmio",
                                how & 2 ? "packed" : "split");
            g_autofree char *regs =
                g_strdup_printf("/virtio-fuzz/%s/%s/registers", title, how & 1 ? "pci" : "mmio");

            g_test_add_data_func(rings, GUINT_TO_POINTER(k * 4 + how), test_rings);
            if (!(how & 2))
                g_test_add_data_func(regs, GUINT_TO_POINTER(k * 4 + how), test_registers);
        }
    }
    return g_test_run();
}
