/* The virtio block device, by a driver over qtest: both rings, images, errors, saved state. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "vdriver.h"

#define DISK   (1 << 20)
#define RING   (VD_RAM + 0x10000)
#define HEADER (VD_RAM + 0x100000)
#define DATA   (VD_RAM + 0x110000)
#define STATUS (VD_RAM + 0x1f0000)

#define F_RO       (UINT64_C(1) << 5)
#define F_FLUSH    (UINT64_C(1) << 9)
#define F_WCE      (UINT64_C(1) << 11)
#define F_DISCARD  (UINT64_C(1) << 13)
#define F_ZEROES   (UINT64_C(1) << 14)
#define F_INDIRECT (UINT64_C(1) << 28)
#define F_EVENT    (UINT64_C(1) << 29)
#define F_PACKED   (UINT64_C(1) << 34)
#define F_RESET    (UINT64_C(1) << 40)

struct disk {
    char *path;
    struct qclient *q;
    struct vdev d;
    struct vring r;
};

/* All cases are run on both transports, with requests in the main loop and in an iothread. */
static bool on_pci, in_thread;

static char *make_image(size_t len)
{
    g_autofree uint8_t *bytes = g_malloc(len);
    char *path;
    int fd = g_file_open_tmp("myna-blk-XXXXXX", &path, NULL);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i / 512 * 7 + i);
    g_assert_cmpint(write(fd, bytes, len), ==, (ssize_t)len);
    close(fd);
    return path;
}

static void open_disk(struct disk *k, const char *drive_more, const char *device_more, size_t len)
{
    g_autofree char *args = NULL;

    k->path = make_image(len);
    args = g_strdup_printf("-machine virt -arch riscv64 -nodefaults "
                           "-drive file=%s,format=raw,if=none,id=d0%s "
                           "-object iothread,id=io0 -device virtio-blk-%s,drive=d0%s%s",
                           k->path, drive_more, on_pci ? "pci,addr=3" : "device",
                           in_thread ? ",iothread=io0" : "", device_more);
    k->q = qc_start(args);
    if (on_pci)
        vd_open_pci(&k->d, k->q, 3, 2);
    else
        vd_open_mmio(&k->d, k->q, 7, 2);
}

static void start(struct disk *k, uint64_t features)
{
    vd_start(&k->d, features);
    vq_init(&k->d, &k->r, 0, 16, RING);
    vd_ok(&k->d);
}

static void close_disk(struct disk *k)
{
    qc_stop(k->q);
    g_unlink(k->path);
    g_free(k->path);
}

static void header(struct disk *k, uint32_t type, uint64_t sector)
{
    qc_writel(k->q, HEADER, type);
    qc_writel(k->q, HEADER + 4, 0);
    qc_writeq(k->q, HEADER + 8, sector);
    qc_writeb(k->q, STATUS, 0xee);
}

/* One request with its data at DATA; the status. */
static uint8_t request(struct disk *k, uint32_t type, uint64_t sector, uint32_t len)
{
    bool in = type == 0 || type == 8;
    struct vpiece p[] = { { HEADER, 16 }, { DATA, len }, { STATUS, 1 } };

    header(k, type, sector);
    if (!len)
        p[1] = p[2];
    vq_do(&k->r, p, 1 + (len && !in), 1 + (len && in));
    return qc_readb(k->q, STATUS);
}

static void fill(struct disk *k, uint8_t seed, size_t len)
{
    g_autofree uint8_t *b = g_malloc(len);

    for (size_t i = 0; i < len; i++)
        b[i] = (uint8_t)(seed + i * 3);
    qc_memwrite(k->q, DATA, b, len);
}

static void assert_filled(struct disk *k, uint8_t seed, size_t len)
{
    g_autofree uint8_t *b = g_malloc(len);

    qc_memread(k->q, DATA, b, len);
    for (size_t i = 0; i < len; i++)
        g_assert_cmphex(b[i], ==, (uint8_t)(seed + i * 3));
}

static void assert_image(const struct disk *k, size_t at, uint8_t seed, size_t len)
{
    g_autofree char *all = NULL;
    gsize n;

    g_assert_true(g_file_get_contents(k->path, &all, &n, NULL));
    g_assert_cmpuint(n, >=, at + len);
    for (size_t i = 0; i < len; i++)
        g_assert_cmphex((uint8_t)all[at + i], ==, (uint8_t)(seed + i * 3));
}

static void round_trip(uint64_t features, const char *more)
{
    struct disk k;

    open_disk(&k, "", more, DISK);
    start(&k, features | F_FLUSH);
    g_assert_cmpuint(vd_config(&k.d, 0, 8), ==, DISK / 512);
    g_assert_cmpuint(vd_config(&k.d, 20, 4), ==, 512);
    for (unsigned i = 0; i < 40; i++) {
        fill(&k, (uint8_t)i, 4096);
        g_assert_cmpuint(request(&k, 1, i * 8, 4096), ==, 0);
    }
    for (unsigned i = 0; i < 40; i++) {
        g_assert_cmpuint(request(&k, 0, i * 8, 4096), ==, 0);
        assert_filled(&k, (uint8_t)i, 4096);
    }
    g_assert_cmpuint(request(&k, 4, 0, 0), ==, 0);
    g_assert_cmpuint(vd_isr(&k.d) & 1, ==, 1);
    assert_image(&k, 5 * 4096, 5, 4096);
    close_disk(&k);
}

static void test_split(void)
{
    round_trip(0, "");
}

static void test_split_event(void)
{
    round_trip(F_EVENT | F_INDIRECT, "");
}

static void test_packed(void)
{
    round_trip(F_PACKED, ",packed=on");
}

static void test_packed_event(void)
{
    round_trip(F_PACKED | F_EVENT | F_INDIRECT, ",packed=on");
}

static void test_errors(void)
{
    struct disk k;

    open_disk(&k, "", ",serial=abc", DISK);
    start(&k, 0);
    g_assert_cmpuint(request(&k, 0, DISK / 512, 512), ==, 1);      /* behind the end */
    g_assert_cmpuint(request(&k, 0, DISK / 512 - 1, 1024), ==, 1); /* across the end */
    g_assert_cmpuint(request(&k, 0, UINT64_MAX, 512), ==, 1);
    g_assert_cmpuint(request(&k, 1, 0, 100), ==, 1); /* no whole sector */
    g_assert_cmpuint(request(&k, 77, 0, 512), ==, 2);
    g_assert_cmpuint(request(&k, 11, 0, 16), ==, 2); /* discard was not negotiated */
    g_assert_cmpuint(request(&k, 8, 0, 20), ==, 0);
    g_assert_cmphex(qc_readl(k.q, DATA), ==, 0x00636261);
    close_disk(&k);
}

static void test_readonly(void)
{
    struct disk k;

    open_disk(&k, ",readonly=on", "", DISK);
    start(&k, F_RO);
    g_assert_cmpuint(request(&k, 1, 0, 512), ==, 1);
    g_assert_cmpuint(request(&k, 0, 0, 512), ==, 0);
    close_disk(&k);
}

/* A last sector of which the file has only a part. */
static void test_odd_size(void)
{
    struct disk k;
    uint8_t b[512];

    open_disk(&k, "", "", 4096 + 100);
    start(&k, 0);
    g_assert_cmpuint(vd_config(&k.d, 0, 8), ==, 9);
    fill(&k, 1, 512);
    g_assert_cmpuint(request(&k, 0, 8, 512), ==, 0);
    qc_memread(k.q, DATA, b, sizeof(b));
    g_assert_cmphex(b[99], ==, (uint8_t)(8 * 7 + 4096 + 99));
    for (unsigned i = 100; i < 512; i++)
        g_assert_cmphex(b[i], ==, 0);
    fill(&k, 9, 512);
    g_assert_cmpuint(request(&k, 1, 8, 512), ==, 0);
    assert_image(&k, 4096, 9, 512);
    close_disk(&k);
}

static uint8_t range(struct disk *k, uint32_t type, uint64_t sector, uint32_t count, uint32_t flags)
{
    qc_writeq(k->q, DATA, sector);
    qc_writel(k->q, DATA + 8, count);
    qc_writel(k->q, DATA + 12, flags);
    return request(k, type, 0, 16);
}

static void test_ranges(void)
{
    struct disk k;
    uint8_t b[512];

    open_disk(&k, ",discard=unmap", "", DISK);
    start(&k, F_DISCARD | F_ZEROES | F_FLUSH);
    for (unsigned flags = 0; flags < 2; flags++) {
        fill(&k, 5, 512);
        g_assert_cmpuint(request(&k, 1, 16, 512), ==, 0);
        g_assert_cmpuint(range(&k, 13, 8, 16, flags), ==, 0);
        g_assert_cmpuint(request(&k, 0, 16, 512), ==, 0);
        qc_memread(k.q, DATA, b, sizeof(b));
        for (unsigned i = 0; i < sizeof(b); i++)
            g_assert_cmphex(b[i], ==, 0);
    }
    g_assert_cmpuint(range(&k, 11, 0, 8, 0), ==, 0);
    g_assert_cmpuint(range(&k, 11, 0, 8, 1), ==, 2);
    g_assert_cmpuint(range(&k, 13, DISK / 512 - 1, 2, 0), ==, 1);
    g_assert_cmpuint(range(&k, 13, 0, UINT32_MAX, 0), ==, 1);
    close_disk(&k);
}

static void test_cache_modes(void)
{
    static const char *const modes[] = { "writeback", "none", "writethrough", "directsync",
                                         "unsafe" };

    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *more =
            g_strdup_printf(",cache=%s,aio=%s", modes[i], i % 2 ? "threads" : "native");
        bool through = i == 2 || i == 3;
        struct disk k;

        open_disk(&k, more, "", DISK);
        start(&k, F_FLUSH | F_WCE);
        g_assert_cmpuint(vd_config(&k.d, 32, 1), ==, !through);
        vd_set_config(&k.d, 32, 1, through);
        g_assert_cmpuint(vd_config(&k.d, 32, 1), ==, through);
        fill(&k, 7, 8192);
        g_assert_cmpuint(request(&k, 1, 3, 8192), ==, 0);
        fill(&k, 0, 8192);
        g_assert_cmpuint(request(&k, 0, 3, 8192), ==, 0);
        assert_filled(&k, 7, 8192);
        g_assert_cmpuint(request(&k, 4, 0, 0), ==, 0);
        vd_set_status(&k.d, 0);
        g_assert_cmpuint(vd_config(&k.d, 32, 1), ==, !through);
        close_disk(&k);
    }
}

/* Rings and queues go on from a saved state as if nothing had been. */
static void test_state(void)
{
    for (unsigned packed = 0; packed < 2; packed++) {
        struct disk k;
        struct vring then;
        char *state;

        open_disk(&k, "", packed ? ",packed=on" : "", DISK);
        start(&k, F_FLUSH | F_EVENT | (packed ? F_PACKED : 0));
        for (unsigned i = 0; i < 11; i++)
            g_assert_cmpuint(request(&k, 0, i, 512), ==, 0);
        state = qc_save(k.q);
        then = k.r;
        qc_reset(k.q);
        g_assert_cmphex(vd_status(&k.d), ==, 0); /* on PCI, the window is gone */
        /* the rings are guest memory, which the reset leaves alone */
        qc_load(k.q, state);
        g_free(state);
        k.r = then;
        g_assert_cmphex(vd_status(&k.d), ==, 15);
        for (unsigned i = 0; i < 30; i++)
            g_assert_cmpuint(request(&k, 0, i, 512), ==, 0);
        close_disk(&k);
    }
}

static void test_queue_reset(void)
{
    struct disk k;

    open_disk(&k, "", "", DISK);
    start(&k, F_RESET);
    for (unsigned i = 0; i < 5; i++)
        g_assert_cmpuint(request(&k, 0, i, 512), ==, 0);
    vd_reset_queue(&k.d, 0);
    vq_init(&k.d, &k.r, 0, 8, RING);
    for (unsigned i = 0; i < 20; i++)
        g_assert_cmpuint(request(&k, 0, i, 512), ==, 0);
    close_disk(&k);
}

/* Messages go to memory, here to RAM; masked ones wait. */
static void test_msix(void)
{
    const uint64_t mail = VD_RAM + 0x180000;
    struct disk k;

    open_disk(&k, "", "", DISK);
    vd_start(&k.d, 0);
    vd_msix(&k.d, 1, mail, 0xabcd);
    vq_init(&k.d, &k.r, 0, 16, RING);
    vd_queue_vector(&k.d, 0, 1);
    vd_ok(&k.d);
    g_assert_cmpuint(request(&k, 0, 0, 512), ==, 0);
    g_assert_cmphex(qc_readl(k.q, mail), ==, 0xabcd);
    g_assert_cmpuint(vd_isr(&k.d), ==, 0);
    qc_writel(k.q, mail, 0);
    qc_writel(k.q, k.d.msix + 16 + 12, 1);
    g_assert_cmpuint(request(&k, 0, 0, 512), ==, 0);
    g_assert_cmphex(qc_readl(k.q, mail), ==, 0);
    g_assert_cmphex(qc_readl(k.q, k.d.msix + 2048), ==, 2); /* pending */
    qc_writel(k.q, k.d.msix + 16 + 12, 0);
    g_assert_cmphex(qc_readl(k.q, mail), ==, 0xabcd);
    g_assert_cmphex(qc_readl(k.q, k.d.msix + 2048), ==, 0);
    close_disk(&k);
}

/* INTA of slot 3 is line 3: source 0x23 of the interrupt controller. */
static void test_intx(void)
{
    struct disk k;

    open_disk(&k, "", "", DISK);
    qc_intercept(k.q, "/machine/plic", false);
    start(&k, 0);
    g_assert_cmpuint(request(&k, 0, 0, 512), ==, 0);
    g_assert_true(qc_irq(k.q, 0x23));
    qc_writew(k.q, vd_ecam(3, 4), 0x406); /* INTx off */
    g_assert_false(qc_irq(k.q, 0x23));
    g_assert_cmphex(qc_readw(k.q, vd_ecam(3, 6)) & 8, ==, 8);
    qc_writew(k.q, vd_ecam(3, 4), 6);
    g_assert_true(qc_irq(k.q, 0x23));
    g_assert_cmpuint(vd_isr(&k.d), ==, 1);
    g_assert_false(qc_irq(k.q, 0x23));
    close_disk(&k);
}

/* Without bus mastering nothing moves; afterwards what waited is done. */
static void test_bus_master(void)
{
    struct vpiece p[] = { { HEADER, 16 }, { DATA, 512 }, { STATUS, 1 } };
    struct disk k;

    open_disk(&k, "", "", DISK);
    start(&k, 0);
    qc_writew(k.q, vd_ecam(3, 4), 2);
    header(&k, 0, 0);
    vq_add(&k.r, p, 1, 2);
    vd_kick(&k.d, 0);
    g_usleep(20000);
    g_assert_false(vq_used(&k.r));
    qc_writew(k.q, vd_ecam(3, 4), 6);
    vq_wait(&k.r, NULL);
    g_assert_cmpuint(qc_readb(k.q, STATUS), ==, 0);
    close_disk(&k);
}

/* Registers by configuration space alone (4.1.4.9), with bad places, too. */
static void test_config_access(void)
{
    struct disk k;
    unsigned cap;

    open_disk(&k, "", "", DISK);
    for (cap = qc_readb(k.q, vd_ecam(3, 0x34)); cap; cap = qc_readb(k.q, vd_ecam(3, cap + 1)))
        if (qc_readb(k.q, vd_ecam(3, cap)) == 9 && qc_readb(k.q, vd_ecam(3, cap + 3)) == 5)
            break;
    g_assert_cmpuint(cap, !=, 0);
    qc_writeb(k.q, vd_ecam(3, cap + 4), 4);
    qc_writel(k.q, vd_ecam(3, cap + 8), 0x14);
    qc_writel(k.q, vd_ecam(3, cap + 12), 1);
    qc_writel(k.q, vd_ecam(3, cap + 16), 1);
    g_assert_cmphex(vd_status(&k.d), ==, 1);
    g_assert_cmphex(qc_readb(k.q, vd_ecam(3, cap + 16)), ==, 1);
    for (unsigned i = 0; i < 200; i++) {
        qc_writeb(k.q, vd_ecam(3, cap + 4), (uint8_t)(g_test_rand_int_range(0, 8)));
        qc_writel(k.q, vd_ecam(3, cap + 8), (uint32_t)g_test_rand_int_range(0, 0x8000));
        qc_writel(k.q, vd_ecam(3, cap + 12), (uint32_t)g_test_rand_int_range(0, 9));
        qc_writel(k.q, vd_ecam(3, cap + 16), (uint32_t)g_test_rand_int());
        qc_readl(k.q, vd_ecam(3, cap + 16));
    }
    close_disk(&k);
}

static const struct {
    const char *name;
    void (*run)(void);
    bool pci_only;
} cases[] = {
    { "split", test_split, false },
    { "split-event", test_split_event, false },
    { "packed", test_packed, false },
    { "packed-event", test_packed_event, false },
    { "errors", test_errors, false },
    { "readonly", test_readonly, false },
    { "odd-size", test_odd_size, false },
    { "ranges", test_ranges, false },
    { "cache-modes", test_cache_modes, false },
    { "state", test_state, false },
    { "queue-reset", test_queue_reset, false },
    { "msix", test_msix, true },
    { "intx", test_intx, true },
    { "bus-master", test_bus_master, true },
    { "config-access", test_config_access, true },
};

enum { MMIO = 0, PCI = 1, MMIO_THREAD = 2, PCI_THREAD = 3, PLACES = 4 };

static const char *const places[PLACES] = { "mmio", "pci", "mmio-iothread", "pci-iothread" };

static void run_case(gconstpointer which)
{
    guint n = GPOINTER_TO_UINT(which), place = n % PLACES;

    on_pci = place == PCI || place == PCI_THREAD;
    in_thread = place >= MMIO_THREAD;
    cases[n / PLACES].run();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint n = 0; n < G_N_ELEMENTS(cases) * PLACES; n++) {
        guint i = n / PLACES, place = n % PLACES;
        g_autofree char *path = g_strdup_printf("/virtio-blk/%s/%s", places[place], cases[i].name);

        if (place == PCI || place == PCI_THREAD || !cases[i].pci_only)
            g_test_add_data_func(path, GUINT_TO_POINTER(n), run_case);
    }
    return g_test_run();
}
