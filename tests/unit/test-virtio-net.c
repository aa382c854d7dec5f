/* The virtio network device with the user network, by a driver over qtest. */
#include <glib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
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
#define F_EVENT   (UINT64_C(1) << 29)
#define F_PACKED  (UINT64_C(1) << 34)

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

struct card {
    struct qclient *q;
    struct vdev d;
    struct vring rx, tx, ctrl;
};

static void open_card(struct card *c, const char *netdev, const char *device, uint64_t features)
{
    g_autofree char *args = g_strdup_printf("-machine virt -arch riscv64 -nodefaults "
                                            "-netdev user,id=n0%s "
                                            "-device virtio-net-device,netdev=n0%s",
                                            netdev, device);

    c->q = qc_start(args);
    vd_open_mmio(&c->d, c->q, 7, 1);
    vd_start(&c->d, features | F_MAC);
    vq_init(&c->d, &c->rx, 0, 64, RX_RING);
    vq_init(&c->d, &c->tx, 1, 64, TX_RING);
    if (features & F_CTRL)
        vq_init(&c->d, &c->ctrl, 2, 64, CTRL);
    vd_ok(&c->d);
}

static void add_rx(struct card *c, unsigned n, unsigned size)
{
    for (unsigned i = 0; i < n; i++) {
        struct vpiece p = { RX_BUF + i * 2048, size };

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
        qc_memread(c->q, RX_BUF + (id % 64) * 2048, buf, n);
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
    g_assert_cmpuint(vd_isr(&c.d) & 1, ==, 1);
    qc_stop(c.q);
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
    uint8_t frame[4096];
    struct card c;

    open_card(&c, "", "", F_MRG | F_EVENT);
    ask_arp(&c, "10.0.2.2");
    add_rx(&c, 1, 32); /* not enough */
    g_assert_false(vq_used(&c.rx));
    add_rx(&c, 4, 32);
    /* all buffers lie at the same places; the first one is buffer 0 either way */
    g_assert_cmpuint(vq_wait(&c.rx, NULL), ==, 32);
    (void)frame;
    qc_stop(c.q);
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
    qc_stop(c.q);
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
    qc_stop(c.q);
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
    qc_stop(c.q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-net/arp", test_arp);
    g_test_add_func("/virtio-net/arp-event", test_arp_event);
    g_test_add_func("/virtio-net/arp-packed", test_arp_packed);
    g_test_add_func("/virtio-net/mergeable", test_mergeable);
    g_test_add_func("/virtio-net/late-buffers", test_late_buffers);
    g_test_add_func("/virtio-net/control", test_control);
    g_test_add_func("/virtio-net/checksum", test_checksum);
    g_test_add_func("/virtio-net/forward", test_forward);
    return g_test_run();
}
