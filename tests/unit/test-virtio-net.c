/* The virtio network device with the user network, by a driver over qtest. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include "qmp.h"
#include "vdriver.h"

#define RX_RING (VD_RAM + 0x10000)
#define TX_RING (VD_RAM + 0x20000)
#define CTRL    (VD_RAM + 0x30000)
#define TX_BUF  (VD_RAM + 0x100000)
#define RX_BUF  (VD_RAM + 0x200000)
#define ANSWER  (VD_RAM + 0x300000)
#define HEADER  12

#define F_CSUM    (UINT64_C(1) << 0)
#define F_MAC     (UINT64_C(1) << 5)
#define F_MRG     (UINT64_C(1) << 15)
#define F_CTRL    (UINT64_C(1) << 17)
#define F_CTRL_RX (UINT64_C(1) << 18)
#define F_STATUS  (UINT64_C(1) << 16)
#define F_EVENT   (UINT64_C(1) << 29)
#define F_PACKED  (UINT64_C(1) << 34)
#define F_RESET   (UINT64_C(1) << 40)

#define LINK_UP 1 /* in the status, byte 6 of the configuration */

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

struct card {
    struct qclient *q;
    struct vdev d;
    struct vring rx, tx, ctrl;
    FILE *qmp;
};

/* All cases are run on both transports, with frames in the main loop and in an iothread. */
static bool on_pci, in_thread;
static char *socket_dir, *socket_path;

static void start(struct card *c, uint64_t features)
{
    vd_start(&c->d, features | F_MAC);
    vq_init(&c->d, &c->rx, 0, 64, RX_RING);
    vq_init(&c->d, &c->tx, 1, 64, TX_RING);
    if (features & F_CTRL)
        vq_init(&c->d, &c->ctrl, 2, 64, CTRL);
    vd_ok(&c->d);
}

static void open_card(struct card *c, const char *netdev, const char *device, uint64_t features)
{
    g_autofree char *args = g_strdup_printf(
        "-machine virt -arch riscv64 -nodefaults -netdev user,id=n0%s -object iothread,id=io0 "
        "-device virtio-net-%s,netdev=n0%s%s -qmp unix:%s,server=on,wait=off",
        netdev, on_pci ? "pci,addr=3" : "device", in_thread ? ",iothread=io0" : "", device,
        socket_path);

    c->q = qc_start(args);
    c->qmp = qmp_open(socket_path);
    qmp_expect(c->qmp, "\"return\"");
    if (on_pci)
        vd_open_pci(&c->d, c->q, 3, 1);
    else
        vd_open_mmio(&c->d, c->q, 7, 1);
    start(c, features);
}

static void close_card(struct card *c)
{
    fclose(c->qmp);
    qc_stop(c->q);
    g_unlink(socket_path);
}

static void command_qmp(struct card *c, const char *name, const char *arguments)
{
    qmp_command_with(c->qmp, name, arguments);
    qmp_expect(c->qmp, "\"return\"");
}

/* Until the interrupt is there for that reason: an iothread asks the main loop for it. */
static void wait_isr(struct card *c, uint8_t bit)
{
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (!(vd_isr(&c->d) & bit))
        g_assert_cmpint(g_get_monotonic_time(), <, end);
}

static void add_rx(struct card *c, unsigned n, unsigned size)
{
    for (unsigned i = 0; i < n; i++) {
        struct vpiece p = { RX_BUF + c->rx.next * 2048, size };

        vq_add(&c->rx, &p, 0, 1);
    }
    vd_kick(&c->d, 0);
}

static void transmit(struct card *c, const uint8_t *frame, size_t len)
{
    uint8_t header[HEADER] = { 0 };
    struct vpiece p[] = { { TX_BUF, HEADER }, { TX_BUF + 64, (uint32_t)len } };

    qc_memwrite(c->q, TX_BUF, header, sizeof(header));
    qc_memwrite(c->q, TX_BUF + 64, frame, len);
    vq_do(&c->tx, p, 2, 0);
}

/* Who has `ip`? From 10.0.2.15. */
static void ask_arp(struct card *c, const char *ip)
{
    uint8_t f[42] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    memcpy(f + 6, own_mac, 6);
    memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(f + 22, own_mac, 6);
    inet_pton(AF_INET, "10.0.2.15", f + 28);
    inet_pton(AF_INET, ip, f + 38);
    transmit(c, f, sizeof(f));
}

/* The next frame, spread over buffers of `size`; its length. */
static size_t receive(struct card *c, uint8_t *frame, unsigned size)
{
    uint8_t buf[2048];
    size_t len = 0;
    unsigned parts = 1;

    for (unsigned i = 0; i < parts; i++) {
        unsigned id;
        uint32_t n = vq_wait(&c->rx, &id), skip = i ? 0 : HEADER;

        g_assert_cmpuint(n, <=, size);
        qc_memread(c->q, RX_BUF + id * 2048, buf, n);
        if (!i)
            parts = buf[10] | buf[11] << 8;
        memcpy(frame + len, buf + skip, n - skip);
        len += n - skip;
    }
    g_assert_cmpuint(parts, >=, 1);
    return len;
}

static void arp_round(uint64_t features, const char *more, unsigned size)
{
    static const uint8_t host_mac[6] = { 0x52, 0x55, 10, 0, 2, 2 };
    uint8_t frame[4096];
    struct card c;

    open_card(&c, "", more, features);
    for (unsigned i = 0; i < 6; i++)
        g_assert_cmphex(vd_config(&c.d, i, 1), ==, own_mac[i]);
    add_rx(&c, 16, size);
    ask_arp(&c, "10.0.2.2");
    g_assert_cmpuint(receive(&c, frame, size), >=, 42);
    g_assert_true(memcmp(frame, own_mac, 6) == 0);
    g_assert_true(memcmp(frame + 22, host_mac, 6) == 0);
    wait_isr(&c, 1);
    close_card(&c);
}

static void test_arp(void)
{
    arp_round(0, "", 2048);
}

static void test_arp_event(void)
{
    arp_round(F_EVENT | F_MRG, "", 2048);
}

static void test_arp_packed(void)
{
    arp_round(F_PACKED | F_MRG, ",packed=on", 2048);
}

/* Small buffers: a frame takes several. */
static void test_mergeable(void)
{
    arp_round(F_MRG | F_EVENT, "", 32);
}

/* A frame comes before there are buffers: it waits for them. */
static void test_late_buffers(void)
{
    struct card c;

    open_card(&c, "", "", F_MRG | F_EVENT);
    ask_arp(&c, "10.0.2.2");
    add_rx(&c, 1, 32); /* not enough */
    g_assert_false(vq_used(&c.rx));
    add_rx(&c, 4, 32);
    g_assert_cmpuint(vq_wait(&c.rx, NULL), ==, 32);
    close_card(&c);
}

static uint8_t command(struct card *c, const void *cmd, size_t len)
{
    struct vpiece p[] = { { TX_BUF, (uint32_t)len }, { ANSWER, 1 } };

    qc_memwrite(c->q, TX_BUF, cmd, len);
    qc_writeb(c->q, ANSWER, 0xee);
    vq_do(&c->ctrl, p, 1, 1);
    return qc_readb(c->q, ANSWER);
}

static void test_control(void)
{
    struct card c;
    uint8_t table[2 + 4 + 6 + 4 + 70 * 6] = { 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 9, 70 };
    char *state;

    open_card(&c, "", "", F_CTRL | F_CTRL_RX);
    g_assert_cmpuint(command(&c, "\0\0\0", 3), ==, 0); /* promiscuous off */
    g_assert_cmpuint(command(&c, "\0\1\1", 3), ==, 0); /* all multicast */
    g_assert_cmpuint(command(&c, "\0\2\1", 3), ==, 1); /* was not negotiated */
    g_assert_cmpuint(command(&c, "\0\0", 2), ==, 1);   /* too short */
    g_assert_cmpuint(command(&c, "\7\0\0", 3), ==, 1);
    g_assert_cmpuint(command(&c, table, sizeof(table)), ==, 0); /* more than fit */
    table[2] = 0xff;
    table[5] = 0xff;
    g_assert_cmpuint(command(&c, table, sizeof(table)), ==, 1); /* count without addresses */
    state = qc_save(c.q);
    qc_load(c.q, state);
    g_free(state);
    g_assert_cmpuint(command(&c, "\0\0\1", 3), ==, 0);
    close_card(&c);
}

/* The device fills in the checksum that the driver left to it, and survives nonsense about it. */
static void test_checksum(void)
{
    uint8_t header[HEADER] = { 1 };
    struct vpiece p[] = { { TX_BUF, HEADER }, { TX_BUF + 64, 60 } };
    struct card c;

    open_card(&c, "", "", F_CSUM);
    for (unsigned i = 0; i < 64; i++) {
        header[6] = (uint8_t)(i * 37);
        header[7] = (uint8_t)(i % 5);
        header[8] = (uint8_t)(i * 11);
        header[9] = i % 7 ? 0 : 0xff;
        qc_memwrite(c.q, TX_BUF, header, sizeof(header));
        vq_do(&c.tx, p, 2, 0);
    }
    g_assert_cmphex(vd_status(&c.d) & 64, ==, 0);
    close_card(&c);
}

static void assert_answers(struct card *c)
{
    uint8_t frame[4096];

    add_rx(c, 4, 2048);
    ask_arp(c, "10.0.2.2");
    g_assert_cmpuint(receive(c, frame, 2048), >=, 42);
    g_assert_true(memcmp(frame, own_mac, 6) == 0);
}

/* Without a cable frames are lost, and the driver is told. */
static void test_link(void)
{
    struct card c;

    open_card(&c, "", "", F_MRG | F_STATUS);
    g_assert_cmphex(vd_config(&c.d, 6, 2), ==, LINK_UP);
    command_qmp(&c, "set_link", "{\"name\":\"n0\",\"up\":false}");
    g_assert_cmphex(vd_config(&c.d, 6, 2), ==, 0);
    wait_isr(&c, 2);
    add_rx(&c, 1, 2048);
    ask_arp(&c, "10.0.2.2");
    command_qmp(&c, "set_link", "{\"name\":\"n0\",\"up\":true}");
    g_assert_cmphex(vd_config(&c.d, 6, 2), ==, LINK_UP);
    wait_isr(&c, 2);
    g_assert_false(vq_used(&c.rx));
    assert_answers(&c);
    close_card(&c);
}

/* While the machine stands the device does nothing; what it was told of is done afterwards. */
static void test_stop(void)
{
    struct vpiece header = { TX_BUF, HEADER + 42 };
    struct card c;

    open_card(&c, "", "", F_MRG);
    assert_answers(&c);
    for (unsigned i = 0; i < 4; i++) {
        command_qmp(&c, "stop", "{}");
        vq_add(&c.tx, &header, 1, 0);
        vd_kick(&c.d, 1);
        g_assert_false(vq_used(&c.tx));
        command_qmp(&c, "cont", "{}");
        vq_wait(&c.tx, NULL);
        assert_answers(&c);
    }
    close_card(&c);
}

static void test_state(void)
{
    struct card c, then;
    char *state;

    open_card(&c, "", "", F_MRG | F_EVENT);
    assert_answers(&c);
    state = qc_save(c.q);
    then = c;
    qc_reset(c.q);
    g_assert_cmphex(vd_status(&c.d), ==, 0);
    qc_load(c.q, state);
    g_free(state);
    c = then;
    g_assert_cmphex(vd_status(&c.d), ==, 15);
    assert_answers(&c);
    qc_reset(c.q);
    if (on_pci)
        vd_open_pci(&c.d, c.q, 3, 1);
    start(&c, 0);
    assert_answers(&c);
    close_card(&c);
}

static void test_queue_reset(void)
{
    struct card c;

    open_card(&c, "", "", F_MRG | F_RESET);
    for (unsigned i = 0; i < 4; i++) {
        assert_answers(&c);
        vd_reset_queue(&c.d, 1);
        vq_init(&c.d, &c.tx, 1, 32, TX_RING);
        assert_answers(&c);
        vd_reset_queue(&c.d, 0);
        vq_init(&c.d, &c.rx, 0, 32, RX_RING);
    }
    assert_answers(&c);
    close_card(&c);
}

/* Messages go to memory, here to RAM. */
static void test_msix(void)
{
    const uint64_t mail = VD_RAM + 0x380000;
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    struct card c;

    open_card(&c, "", "", F_MRG);
    vd_msix(&c.d, 1, mail, 0xabcd);
    vd_queue_vector(&c.d, 0, 1);
    assert_answers(&c);
    while (qc_readl(c.q, mail) != 0xabcd)
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    close_card(&c);
}

static unsigned free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&a, &len), ==, 0);
    close(fd);
    return ntohs(a.sin_port);
}

/* A connection to a forwarded port reaches the guest: libslirp asks for the guest's address. */
static void test_forward(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    unsigned port = free_port();
    g_autofree char *fwd = g_strdup_printf(",hostfwd=tcp:127.0.0.1:%u-:22", port);
    uint8_t frame[4096];
    struct card c;
    int fd;

    open_card(&c, fwd, "", F_MRG);
    add_rx(&c, 8, 2048);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_port = htons((uint16_t)port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    do {
        g_assert_cmpuint(receive(&c, frame, 2048), >=, 42);
    } while (frame[12] != 8 || frame[13] != 6);
    g_assert_cmphex(frame[41], ==, 15); /* 10.0.2.15 */
    close(fd);
    close_card(&c);
}

static const struct {
    const char *name;
    void (*run)(void);
    bool pci_only;
} cases[] = {
    { "arp", test_arp, false },
    { "arp-event", test_arp_event, false },
    { "arp-packed", test_arp_packed, false },
    { "mergeable", test_mergeable, false },
    { "late-buffers", test_late_buffers, false },
    { "control", test_control, false },
    { "checksum", test_checksum, false },
    { "link", test_link, false },
    { "stop", test_stop, false },
    { "state", test_state, false },
    { "queue-reset", test_queue_reset, false },
    { "forward", test_forward, false },
    { "msix", test_msix, true },
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
    int status;

    g_test_init(&argc, &argv, NULL);
    socket_dir = g_dir_make_tmp("myna-net-XXXXXX", NULL);
    socket_path = g_build_filename(socket_dir, "qmp", NULL);
    for (guint n = 0; n < G_N_ELEMENTS(cases) * PLACES; n++) {
        guint i = n / PLACES, place = n % PLACES;
        g_autofree char *path = g_strdup_printf("/virtio-net/%s/%s", places[place], cases[i].name);

        if (place == PCI || place == PCI_THREAD || !cases[i].pci_only)
            g_test_add_data_func(path, GUINT_TO_POINTER(n), run_case);
    }
    status = g_test_run();
    g_rmdir(socket_dir);
    g_free(socket_dir);
    g_free(socket_path);
    return status;
}
