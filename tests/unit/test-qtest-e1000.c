/* The 82540EM by a small driver over qtest: EEPROM, PHY, both rings, offloads, filters. */
#include <string.h>
#include <arpa/inet.h>
#include <glib.h>
#include "qclient.h"

#define BAR     0xfe000000u
#define TX_RING 0x100000u
#define RX_RING 0x110000u
#define TX_BUF  0x200000u
#define RX_BUF  0x300000u
#define RING    64u /* descriptors */
#define RX_SIZE 2048u

enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    EECD = 0x0010,
    EERD = 0x0014,
    MDIC = 0x0020,
    ICR = 0x00c0,
    ITR = 0x00c4,
    ICS = 0x00c8,
    IMS = 0x00d0,
    RCTL = 0x0100,
    TCTL = 0x0400,
    RDBAL = 0x2800,
    RDLEN = 0x2808,
    RDH = 0x2810,
    RDT = 0x2818,
    TDBAL = 0x3800,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    GPTC = 0x4080,
    GOTCL = 0x4090,
    GOTCH = 0x4094,
    MTA = 0x5200,
    RAL = 0x5400,
    VFTA = 0x5600,
};

#define RCTL_ON   0x04008002u /* enabled, broadcast, no FCS */
#define RCTL_LOOP 0x00000040u
#define TCTL_ON   0x0000000au

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static struct qclient *q;
static unsigned tx_next, rx_next;

static uint32_t get(unsigned reg)
{
    return qc_readl(q, BAR + reg);
}

static void set(unsigned reg, uint32_t v)
{
    qc_writel(q, BAR + reg, v);
}

static uint32_t config(unsigned reg, const uint32_t *value)
{
    qc_cmd(q, "outl 0xcf8 0x%x", 0x80000000u | 4 << 11 | reg);
    if (value)
        qc_cmd(q, "outl 0xcfc 0x%x", *value);
    return (uint32_t)g_ascii_strtoull(qc_cmd(q, "inl 0xcfc"), NULL, 0);
}

static void set_config(unsigned reg, uint32_t v)
{
    config(reg, &v);
}

static void open_card(uint32_t rctl)
{
    q = qc_start("-machine pc -arch x86_64 -nodefaults -m 16M -netdev user,id=n0 "
                 "-device e1000,netdev=n0,addr=4");
    g_assert_cmphex(config(0, NULL), ==, 0x100e8086);
    set_config(0x10, BAR);
    set_config(0x14, 0xc000);
    set_config(4, 7);
    set(TDBAL, TX_RING);
    set(TDLEN, RING * 16);
    set(RDBAL, RX_RING);
    set(RDLEN, RING * 16);
    for (unsigned i = 0; i < RING; i++)
        qc_writeq(q, RX_RING + 16 * i, RX_BUF + i * RX_SIZE);
    set(RDT, RING - 1);
    set(RCTL, RCTL_ON | rctl);
    set(TCTL, TCTL_ON);
    tx_next = rx_next = 0;
}

static void add_desc(uint64_t low, uint64_t high)
{
    qc_writeq(q, TX_RING + 16 * tx_next, low);
    qc_writeq(q, TX_RING + 16 * tx_next + 8, high);
    tx_next = (tx_next + 1) % RING;
}

/* Legacy: end of packet, FCS, report. */
static void transmit(const uint8_t *frame, size_t len)
{
    unsigned at = tx_next;

    qc_memwrite(q, TX_BUF, frame, len);
    add_desc(TX_BUF, len | 0x0b000000u);
    set(TDT, tx_next);
    g_assert_cmphex(qc_readb(q, TX_RING + 16 * at + 12) & 1, ==, 1);
}

static bool has_frame(void)
{
    return qc_readb(q, RX_RING + 16 * rx_next + 12) & 1;
}

/* The next received frame; waits for the network. */
static size_t receive(uint8_t *frame)
{
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    size_t len;

    while (!has_frame())
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    g_assert_cmphex(qc_readb(q, RX_RING + 16 * rx_next + 12) & 3, ==, 3);
    len = qc_readw(q, RX_RING + 16 * rx_next + 8);
    g_assert_cmpuint(len, <=, RX_SIZE);
    qc_memread(q, RX_BUF + rx_next * RX_SIZE, frame, len);
    qc_writeq(q, RX_RING + 16 * rx_next + 8, 0);
    rx_next = (rx_next + 1) % RING;
    return len;
}

static void make_arp(uint8_t f[42])
{
    memset(f, 0xff, 6);
    memcpy(f + 6, own_mac, 6);
    memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(f + 22, own_mac, 6);
    inet_pton(AF_INET, "10.0.2.15", f + 28);
    memset(f + 32, 0, 6);
    inet_pton(AF_INET, "10.0.2.2", f + 38);
}

static void test_arp(void)
{
    uint8_t f[RX_SIZE];

    open_card(0);
    make_arp(f);
    set(IMS, 0x81);
    transmit(f, 42);
    g_assert_cmpuint(receive(f), >=, 42);
    g_assert_true(memcmp(f, own_mac, 6) == 0);
    g_assert_true(memcmp(f + 6, "\x52\x55\x0a\x00\x02\x02", 6) == 0);
    g_assert_cmphex(get(ICR) & 0x83, ==, 0x83);
    g_assert_cmphex(get(ICR), ==, 0);
    g_assert_cmpuint(get(GPTC), ==, 1);
    g_assert_cmpuint(get(GPTC), ==, 0);
    g_assert_cmpuint(get(GOTCL), ==, 64);
    g_assert_cmpuint(get(GOTCL), ==, 64); /* until the upper half was read */
    g_assert_cmpuint(get(GOTCH), ==, 0);
    g_assert_cmpuint(get(GOTCL), ==, 0);
    g_assert_cmpuint(get(TDH), ==, 1);
    qc_stop(q);
}

static bool clock_bit(bool di)
{
    bool out;

    set(EECD, 2 | (di ? 4 : 0));
    set(EECD, 3 | (di ? 4 : 0));
    out = get(EECD) & 8;
    set(EECD, 2 | (di ? 4 : 0));
    return out;
}

static void wire_send(uint32_t bits, unsigned n)
{
    while (n--)
        clock_bit(bits >> n & 1);
}

static uint16_t wire_read(unsigned addr)
{
    uint16_t v = 0;

    wire_send(6u << 6 | addr, 9);
    for (unsigned i = 0; i < 16; i++)
        v = (uint16_t)(v << 1 | clock_bit(false));
    set(EECD, 0);
    return v;
}

static void test_eeprom(void)
{
    uint16_t sum = 0;

    open_card(0);
    g_assert_cmphex(get(EECD) & 0x100, ==, 0x100);
    for (unsigned i = 0; i < 64; i++) {
        uint16_t v = wire_read(i);

        set(EERD, i << 8 | 1);
        g_assert_cmphex(get(EERD), ==, (uint32_t)v << 16 | i << 8 | 0x10);
        sum = (uint16_t)(sum + v);
        if (i < 3)
            g_assert_cmphex(v, ==, own_mac[2 * i] | own_mac[2 * i + 1] << 8);
    }
    g_assert_cmphex(sum, ==, 0xbaba);
    /* writing is off at first */
    wire_send(5u << 6 | 0x20, 9);
    wire_send(0x1234, 16);
    set(EECD, 0);
    g_assert_cmphex(wire_read(0x20), ==, 0);
    wire_send(4u << 6 | 0x30, 9);
    set(EECD, 0);
    wire_send(5u << 6 | 0x20, 9);
    wire_send(0x1234, 16);
    set(EECD, 0);
    g_assert_cmphex(wire_read(0x20), ==, 0x1234);
    g_assert_cmphex(get(RAL), ==, 0x12005452);
    g_assert_cmphex(get(RAL + 4), ==, 0x80005634);
    qc_stop(q);
}

static uint16_t phy_read(unsigned reg)
{
    set(MDIC, 2u << 26 | 1 << 21 | reg << 16);
    g_assert_cmphex(get(MDIC) & 0x50000000, ==, 0x10000000);
    return (uint16_t)get(MDIC);
}

static void test_phy(void)
{
    open_card(0);
    g_assert_cmphex(phy_read(2), ==, 0x0141);
    g_assert_cmphex(phy_read(3) & 0xfff0, ==, 0x0c20);
    g_assert_cmphex(get(STATUS) & 2, ==, 2);
    g_assert_cmphex(phy_read(1) & 0x24, ==, 0x24);
    get(ICR);
    set(MDIC, 1u << 26 | 1 << 21 | 0x1340); /* negotiate anew */
    g_assert_cmphex(get(STATUS) & 2, ==, 0);
    g_assert_cmphex(phy_read(1) & 0x24, ==, 0);
    qc_clock_step(q, 1000000000);
    g_assert_cmphex(get(STATUS) & 2, ==, 2);
    g_assert_cmphex(phy_read(0), ==, 0x1140);
    g_assert_cmphex(phy_read(10), ==, 0x3c00);
    g_assert_cmphex(get(ICR) & 4, ==, 4);
    set(MDIC, 2u << 26 | 2 << 21);
    g_assert_cmphex(get(MDIC) & 0x40000000, ==, 0x40000000);
    qc_stop(q);
}

static uint16_t sum_of(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* 54 bytes of headers to our own address; the TCP sum is that of the pseudo header, no length. */
static void make_tcp(uint8_t *f)
{
    uint16_t sum;

    memset(f, 0, 54);
    memcpy(f, own_mac, 6);
    memcpy(f + 6, own_mac, 6);
    f[12] = 8;
    f[14] = 0x45;
    f[18] = 0x12;
    f[19] = 0xff;
    f[22] = 64;
    f[23] = 6;
    memcpy(f + 26, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
    f[38] = 0xff;
    f[39] = 0xff;
    f[40] = 0xff;
    f[41] = 0x00;
    f[46] = 0x50;
    f[47] = 0x19; /* FIN, PSH, ACK */
    sum = sum_of(f + 26, 8, 6);
    f[50] = (uint8_t)(sum >> 8);
    f[51] = (uint8_t)sum;
}

static void check_segment(const uint8_t *f, size_t len, unsigned n, size_t payload, bool last)
{
    uint32_t seq = 0xffffff00u + n * 1000u;

    g_assert_cmpuint(len, ==, 54 + payload);
    g_assert_cmpuint(get16(f + 16), ==, 40 + payload);
    g_assert_cmphex(get16(f + 18), ==, (0x12ff + n) & 0xffff);
    g_assert_cmphex((uint32_t)get16(f + 38) << 16 | get16(f + 40), ==, seq);
    g_assert_cmphex(f[47], ==, last ? 0x19 : 0x10);
    g_assert_cmphex(sum_of(f + 14, 20, 0), ==, 0xffff);
    g_assert_cmphex(sum_of(f + 34, len - 34, sum_of(f + 26, 8, 6 + (uint32_t)(len - 34))), ==,
                    0xffff);
    for (size_t i = 0; i < payload; i++)
        g_assert_cmphex(f[54 + i], ==, (uint8_t)((n * 1000 + i) * 7));
}

static void test_segmentation(void)
{
    uint8_t f[RX_SIZE], data[2500];

    open_card(RCTL_LOOP);
    make_tcp(f);
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    qc_memwrite(q, TX_BUF, f, 54);
    qc_memwrite(q, TX_BUF + 54, data, sizeof(data));
    /* context: sums of IP at 14..33 to 24, of TCP from 34 to 50; TCP, IPv4, 54 bytes, MSS 1000 */
    add_desc(14 | 24 << 8 | 33 << 16 | (uint64_t)34 << 32 | (uint64_t)50 << 40,
             2500 | 0x27000000u | (uint64_t)54 << 40 | (uint64_t)1000 << 48);
    add_desc(TX_BUF, 30 | 0x100000 | 0x24000000u | (uint64_t)3 << 40);
    add_desc(TX_BUF + 30, 1200 | 0x100000 | 0x24000000u);
    add_desc(TX_BUF + 1230, 1324 | 0x100000 | 0x2f000000u);
    set(TDT, tx_next);
    check_segment(f, receive(f), 0, 1000, false);
    check_segment(f, receive(f), 1, 1000, false);
    check_segment(f, receive(f), 2, 500, true);
    g_assert_false(has_frame());
    qc_stop(q);
}

static void test_vlan(void)
{
    uint8_t f[RX_SIZE] = { 0 };

    open_card(RCTL_LOOP | 1 << 18); /* filter by VLAN */
    set(CTRL, get(CTRL) | 1u << 30);
    memcpy(f, own_mac, 6);
    memset(f + 12, 0x5a, 88);
    qc_memwrite(q, TX_BUF, f, 100);
    for (unsigned i = 0; i < 2; i++) {
        add_desc(TX_BUF, 100 | 0x4b000000u | (uint64_t)0x6123 << 48);
        set(TDT, tx_next);
        g_assert_cmpint(has_frame(), ==, i == 1);
        set(VFTA + 0x123 / 32 * 4, 1u << (0x123 % 32));
    }
    g_assert_cmphex(qc_readb(q, RX_RING + 12) & 8, ==, 8);
    g_assert_cmphex(qc_readw(q, RX_RING + 14), ==, 0x6123);
    g_assert_cmpuint(receive(f), ==, 100);
    g_assert_cmphex(f[12], ==, 0x5a);
    /* a card that does not strip */
    set(CTRL, get(CTRL) & ~(1u << 30));
    f[12] = 0x81;
    f[13] = 0;
    f[14] = 0x61;
    f[15] = 0x23;
    transmit(f, 100);
    g_assert_cmpuint(receive(f), ==, 100);
    g_assert_cmphex(get16(f + 12), ==, 0x8100);
    qc_stop(q);
}

static bool is_heard(const char *dest)
{
    uint8_t f[RX_SIZE] = { 0 };

    memcpy(f, dest, 6);
    transmit(f, 60);
    return has_frame() && receive(f) == 60;
}

static void test_filters(void)
{
    open_card(RCTL_LOOP);
    g_assert_true(is_heard("\xff\xff\xff\xff\xff\xff"));
    g_assert_true(is_heard("\x52\x54\x00\x12\x34\x56"));
    g_assert_false(is_heard("\x52\x54\x00\x12\x34\x57"));
    g_assert_false(is_heard("\x01\x00\x5e\x00\x00\x01"));
    /* bits 47 to 36 of the address: 0x010 */
    set(MTA + 0x010 / 32 * 4, 1u << (0x010 % 32));
    g_assert_true(is_heard("\x01\x00\x5e\x00\x00\x01"));
    g_assert_false(is_heard("\x01\x00\x5e\x00\x00\x02"));
    set(RAL + 8, 0x12005452);
    set(RAL + 12, 0x80005734);
    g_assert_true(is_heard("\x52\x54\x00\x12\x34\x57"));
    set(RCTL, RCTL_ON | RCTL_LOOP | 0x18); /* everything */
    g_assert_true(is_heard("\x01\x00\x5e\x00\x00\x02"));
    g_assert_true(is_heard("\x02\x00\x5e\x00\x00\x02"));
    set(RCTL, RCTL_LOOP | 0x18); /* off */
    g_assert_false(is_heard("\x52\x54\x00\x12\x34\x56"));
    qc_stop(q);
}

/* Small buffers, and a frame that comes while there are none. */
static void test_buffers(void)
{
    uint8_t f[RX_SIZE], back[256];

    open_card(3 << 16); /* 256 bytes */
    set(RDT, 0);
    make_arp(f);
    transmit(f, 42);
    qc_clock_step(q, 1000000);
    g_assert_false(has_frame());
    set(RDT, RING - 1);
    g_assert_cmpuint(receive(f), >=, 42);
    set(RCTL, RCTL_ON | RCTL_LOOP | 3 << 16);
    memcpy(f, own_mac, 6);
    for (unsigned i = 6; i < 600; i++)
        f[i] = (uint8_t)(i * 3);
    transmit(f, 600);
    for (unsigned i = 0; i < 3; i++) {
        unsigned len = i < 2 ? 256 : 88;

        g_assert_cmphex(qc_readb(q, RX_RING + 16 * (rx_next + i) + 12) & 3, ==, i < 2 ? 1 : 3);
        g_assert_cmpuint(qc_readw(q, RX_RING + 16 * (rx_next + i) + 8), ==, len);
        qc_memread(q, RX_BUF + (rx_next + i) * RX_SIZE, back, len);
        g_assert_true(memcmp(back, f + 256 * i, len) == 0);
    }
    qc_stop(q);
}

/* Saved in the middle of a frame, sent in whole after loading; interrupts held back by ITR. */
static void test_state(void)
{
    uint8_t f[RX_SIZE] = { 0 };
    char *state;

    open_card(RCTL_LOOP);
    memcpy(f, own_mac, 6);
    f[99] = 0x77;
    qc_memwrite(q, TX_BUF, f, 100);
    add_desc(TX_BUF, 50 | 0x02000000u);
    set(TDT, tx_next);
    g_assert_false(has_frame());
    state = qc_save(q);
    set(CTRL, 1u << 26);
    g_assert_cmphex(get(TDLEN), ==, 0);
    qc_load(q, state);
    g_free(state);
    add_desc(TX_BUF + 50, 50 | 0x0b000000u);
    set(TDT, tx_next);
    g_assert_cmpuint(receive(f), ==, 100);
    g_assert_cmphex(f[99], ==, 0x77);
    qc_stop(q);
}

static bool line_level(void)
{
    return config(4, NULL) >> 16 & 8;
}

static void test_throttle(void)
{
    open_card(0);
    get(ICR);
    set(IMS, 4);
    set(ITR, 4000); /* 1024 us */
    set(ICS, 4);
    g_assert_true(line_level());
    get(ICR);
    g_assert_false(line_level());
    set(ICS, 4);
    g_assert_false(line_level());
    qc_clock_step(q, 1100000);
    g_assert_true(line_level());
    qc_stop(q);
}

/* Registers by ports. */
static void test_ports(void)
{
    open_card(0);
    qc_cmd(q, "outl 0xc000 0x%x", RAL);
    g_assert_cmphex(g_ascii_strtoull(qc_cmd(q, "inl 0xc004"), NULL, 0), ==, 0x12005452);
    qc_cmd(q, "outl 0xc000 0x%x", RAL + 8);
    qc_cmd(q, "outl 0xc004 0x%x", 0x1234);
    g_assert_cmphex(get(RAL + 8), ==, 0x1234);
    qc_stop(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/e1000/arp", test_arp);
    g_test_add_func("/e1000/eeprom", test_eeprom);
    g_test_add_func("/e1000/phy", test_phy);
    g_test_add_func("/e1000/segmentation", test_segmentation);
    g_test_add_func("/e1000/vlan", test_vlan);
    g_test_add_func("/e1000/filters", test_filters);
    g_test_add_func("/e1000/buffers", test_buffers);
    g_test_add_func("/e1000/state", test_state);
    g_test_add_func("/e1000/throttle", test_throttle);
    g_test_add_func("/e1000/ports", test_ports);
    return g_test_run();
}
