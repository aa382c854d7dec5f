/* The RTL8139C+ by a small driver over qtest: EEPROM, both directions, ring, filters, timer; the
 * descriptors and offloads of the C+. */
#include <string.h>
#include <arpa/inet.h>
#include <glib.h>
#include "pcio.h"
#include "qclient.h"

#define PORTS  0xc000u
#define TX_BUF 0x100000u
#define RX_BUF 0x200000u

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static struct qclient *q;
static unsigned next_tx, at;

static uint32_t get(unsigned reg, unsigned size)
{
    return pc_in(q, size, (uint16_t)(PORTS + reg));
}

static void set(unsigned reg, unsigned size, uint32_t v)
{
    pc_out(q, size, (uint16_t)(PORTS + reg), v);
}

static void open_card(bool loop)
{
    q = qc_start("-machine pc -arch x86_64 -nodefaults -m 16M -netdev user,id=n0 "
                 "-device rtl8139,netdev=n0,addr=4");
    pc_config_write(q, 4, 0, 0x10, 4, PORTS);
    pc_config_write(q, 4, 0, 4, 2, 5);
    set(0x37, 1, 0x10);
    g_assert_cmphex(get(0x37, 1), ==, 1);
    set(0x30, 4, RX_BUF);
    set(0x37, 1, 0x0c);
    set(0x44, 4, 0x0a); /* own and broadcast, 8 KiB, frames wrap */
    if (loop)
        set(0x40, 4, 0x60000);
    next_tx = at = 0;
}

static void transmit(const uint8_t *frame, unsigned len)
{
    qc_memwrite(q, TX_BUF, frame, len);
    set(0x20 + 4 * next_tx, 4, TX_BUF);
    set(0x10 + 4 * next_tx, 4, len);
    g_assert_cmphex(get(0x10 + 4 * next_tx, 4), ==, 0xa000 | len);
    next_tx = (next_tx + 1) % 4;
}

static unsigned receive(uint8_t *frame)
{
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    uint8_t ring[8192];
    unsigned len;

    while (get(0x37, 1) & 1)
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    qc_memread(q, RX_BUF, ring, sizeof(ring));
    g_assert_cmphex(ring[at] & 1, ==, 1);
    len = ring[at + 2] | (unsigned)ring[at + 3] << 8;
    g_assert_cmpuint(len, <=, 1518);
    for (unsigned i = 0; i < len - 4; i++)
        frame[i] = ring[(at + 4 + i) % 8192];
    at = (at + 4 + len + 3) / 4 * 4 % 8192;
    set(0x38, 2, (at - 16) & 0xffff);
    return len - 4;
}

static void test_arp(void)
{
    uint8_t f[1514] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    open_card(false);
    memcpy(f + 6, own_mac, 6);
    memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(f + 22, own_mac, 6);
    inet_pton(AF_INET, "10.0.2.15", f + 28);
    inet_pton(AF_INET, "10.0.2.2", f + 38);
    set(0x3c, 2, 5);
    transmit(f, 60);
    g_assert_cmpuint(receive(f), >=, 60);
    g_assert_true(memcmp(f, own_mac, 6) == 0);
    g_assert_cmphex(get(0x3e, 2), ==, 5);
    g_assert_cmphex(pc_config_read(q, 4, 0, 6, 2) & 8, ==, 8);
    set(0x3e, 2, 5);
    g_assert_cmphex(get(0x3e, 2), ==, 0);
    g_assert_cmphex(pc_config_read(q, 4, 0, 6, 2) & 8, ==, 0);
    qc_stop(q);
}

/* Around the ring a few times, with a save in between. */
static void test_ring(void)
{
    uint8_t f[1514], back[1514];

    open_card(true);
    for (unsigned n = 0; n < 40; n++) {
        unsigned len = 60 + n * 36;

        for (unsigned i = 0; i < len; i++)
            f[i] = (uint8_t)(i * 5 + n);
        memcpy(f, own_mac, 6);
        transmit(f, len);
        if (n == 20) {
            g_autofree char *state = qc_save(q);

            set(0x37, 1, 0x10);
            qc_load(q, state);
        }
        g_assert_cmpuint(receive(back), ==, len);
        g_assert_true(memcmp(f, back, len) == 0);
    }
    f[5] ^= 1; /* somebody else's */
    transmit(f, 60);
    g_assert_cmphex(get(0x37, 1) & 1, ==, 1);
    set(0x44, 4, 1); /* everything */
    transmit(f, 60);
    g_assert_cmpuint(receive(back), ==, 60);
    qc_stop(q);
}

static bool clock_bit(bool di)
{
    unsigned in = 0x88u | (di ? 2 : 0);
    bool out;

    set(0x50, 1, in);
    set(0x50, 1, in | 4);
    out = get(0x50, 1) & 1;
    set(0x50, 1, in);
    return out;
}

static void test_eeprom(void)
{
    open_card(false);
    for (unsigned i = 0; i < 3; i++) {
        unsigned v = 0;

        for (unsigned b = 9; b--;)
            clock_bit((6u << 6 | (7 + i)) >> b & 1);
        for (unsigned b = 0; b < 16; b++)
            v = v << 1 | clock_bit(false);
        set(0x50, 1, 0);
        g_assert_cmphex(v, ==, own_mac[2 * i] | own_mac[2 * i + 1] << 8);
    }
    g_assert_cmphex(get(0, 4), ==, 0x12005452);
    set(0, 4, 0); /* locked */
    g_assert_cmphex(get(0, 4), ==, 0x12005452);
    set(0x50, 1, 0xc0);
    set(0, 4, 0x11223344);
    g_assert_cmphex(get(0, 4), ==, 0x11223344);
    qc_stop(q);
}

static void test_timer(void)
{
    open_card(false);
    set(0x54, 4, 33333); /* 1 ms */
    set(0x48, 4, 0);
    g_assert_cmphex(get(0x3e, 2) & 0x4000, ==, 0);
    qc_clock_step(q, 1100000);
    g_assert_cmphex(get(0x3e, 2) & 0x4000, ==, 0x4000);
    g_assert_cmpuint(get(0x48, 4), >=, 33333);
    qc_stop(q);
}

/* ---- C+ ---- */

#define TX_RING 0x300000u
#define RX_RING 0x301000u
#define CP_RING 4u
#define OWN     0x80000000u
#define END     0x40000000u
#define WHOLE   0x30000000u /* the first of a frame, and the last */

static unsigned cp_tx, cp_rx;

static void put_desc(uint64_t ring, unsigned n, uint32_t word, uint32_t tag, uint32_t addr)
{
    qc_writel(q, ring + 16 * n + 4, tag);
    qc_writeq(q, ring + 16 * n + 8, addr);
    qc_writel(q, ring + 16 * n, word | (n + 1 == CP_RING ? END : 0));
}

static void give_rx(unsigned n)
{
    put_desc(RX_RING, n, OWN | 1600, 0, RX_BUF + 0x800 * n);
}

static void open_cplus(uint16_t modes)
{
    open_card(true);
    set(0xe0, 2, 3 | modes);
    for (unsigned i = 0; i < 8; i += 4) {
        set(0x28 + i, 4, 0);
        set(0xe4 + i, 4, i ? 0 : RX_RING);
        set(0x20 + i, 4, i ? 0 : TX_RING);
    }
    for (unsigned i = 0; i < CP_RING; i++) {
        give_rx(i);
        put_desc(TX_RING, i, 0, 0, 0);
    }
    cp_tx = cp_rx = 0;
}

static void cp_put(uint32_t word, uint32_t tag, uint32_t addr)
{
    put_desc(TX_RING, cp_tx, OWN | word, tag, addr);
    cp_tx = (cp_tx + 1) % CP_RING;
}

/* The next frame without FCS, 0: none; *tag as the descriptor has it. */
static unsigned cp_receive(uint8_t *frame, uint32_t *tag)
{
    uint32_t word = qc_readl(q, RX_RING + 16 * cp_rx);
    unsigned len = (word & 0x1fff) - 4;

    if (word & OWN)
        return 0;
    g_assert_cmphex(word & WHOLE, ==, WHOLE);
    g_assert_cmpuint(len, <, 1600);
    qc_memread(q, RX_BUF + 0x800 * cp_rx, frame, len);
    *tag = qc_readl(q, RX_RING + 16 * cp_rx + 4);
    give_rx(cp_rx);
    cp_rx = (cp_rx + 1) % CP_RING;
    return len;
}

static void test_cplus(void)
{
    uint8_t f[1514], back[1600];
    uint32_t tag;

    open_cplus(0x40);
    g_assert_cmphex(pc_config_read(q, 4, 0, 8, 1), ==, 0x20);
    for (unsigned n = 0; n < 20; n++) {
        unsigned len = 100 + n * 70, cut = n % 2 ? 50 : len;

        for (unsigned i = 0; i < len; i++)
            f[i] = (uint8_t)(i * 5 + n);
        memcpy(f, own_mac, 6);
        qc_memwrite(q, TX_BUF, f, len);
        cp_put((cut == len ? WHOLE : 0x20000000) | cut, n % 3 ? 0 : 0x20000 | 0x3412, TX_BUF);
        if (cut < len)
            cp_put(0x10000000 | (len - cut), 0, TX_BUF + cut);
        if (n == 8) {
            g_autofree char *state = qc_save(q);

            set(0x37, 1, 0x10);
            qc_load(q, state);
        }
        set(0xd9, 1, 0x40);
        g_assert_cmphex(qc_readl(q, TX_RING + 16 * ((cp_tx + CP_RING - 1) % CP_RING)) & OWN, ==, 0);
        g_assert_cmpuint(cp_receive(back, &tag), ==, len);
        g_assert_true(memcmp(f, back, len) == 0);
        g_assert_cmphex(tag, ==, n % 3 ? 0 : 0x10000 | 0x3412);
        g_assert_cmphex(get(0x3e, 2), ==, 0x85);
        set(0x3e, 2, 0xffff);
    }
    set(0xe0, 2, 3); /* tags stay in */
    cp_put(WHOLE | 60, 0x20000 | 0x3412, TX_BUF);
    set(0xd9, 1, 0x40);
    g_assert_cmpuint(cp_receive(back, &tag), ==, 64);
    g_assert_true(memcmp(back + 12, "\x81\x00\x12\x34", 4) == 0);
    set(0x14, 4, 0);
    set(0x10, 4, 0x310008);
    g_assert_cmphex(get(0x10, 4), ==, 0x310000);
    g_assert_cmpuint(qc_readl(q, 0x310000), ==, 21);
    qc_stop(q);
}

static unsigned sum(const uint8_t *p, unsigned len, unsigned s)
{
    for (unsigned i = 0; i < len; i++)
        s += (unsigned)p[i] << (i % 2 ? 0 : 8);
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

/* Checksums of an IPv4 frame with TCP or UDP are right. */
static void check_sums(const uint8_t *f, unsigned proto)
{
    unsigned len = (f[16] << 8 | f[17]) - 20u;

    g_assert_cmphex(sum(f + 14, 20, 0), ==, 0xffff);
    g_assert_cmphex(sum(f + 34, len, sum(f + 26, 8, proto + len)), ==, 0xffff);
}

static unsigned make_packet(uint8_t *f, unsigned proto, unsigned payload)
{
    unsigned head = proto == 6 ? 20 : 8, total = 20 + head + payload;

    memset(f, 0, 54);
    memcpy(f, own_mac, 6);
    f[12] = 8;
    f[14] = 0x45;
    f[16] = (uint8_t)(total >> 8);
    f[17] = (uint8_t)total;
    f[18] = 0x12;
    f[22] = 64;
    f[23] = (uint8_t)proto;
    memcpy(f + 26, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
    if (proto == 6) {
        f[41] = 100; /* sequence number */
        f[46] = 5 << 4;
        f[47] = 0x19; /* FIN, PSH, ACK */
    } else {
        f[38] = (uint8_t)((8 + payload) >> 8);
        f[39] = (uint8_t)(8 + payload);
    }
    for (unsigned i = 0; i < payload; i++)
        f[34 + head + i] = (uint8_t)(i * 7);
    return 14 + total;
}

static void test_offload(void)
{
    uint8_t f[4096], back[1600];
    uint32_t tag;
    unsigned len, done = 0;

    open_cplus(0);
    for (unsigned tcp = 0; tcp < 2; tcp++) {
        unsigned proto = tcp ? 6 : 17;

        len = make_packet(f, proto, 333);
        f[tcp ? 50 : 40] = 0x55; /* what lies in the field does not count */
        qc_memwrite(q, TX_BUF, f, len);
        cp_put(WHOLE | 0x40000 | (tcp ? 0x10000 : 0x20000) | len, 0, TX_BUF);
        set(0xd9, 1, 0x40);
        g_assert_cmpuint(cp_receive(back, &tag), ==, len);
        check_sums(back, proto);
    }
    /* 2500 bytes in pieces of 1000 */
    len = make_packet(f, 6, 2500);
    qc_memwrite(q, TX_BUF, f, len);
    cp_put(WHOLE | 0x08000000 | 1000 << 16 | len, 0, TX_BUF);
    set(0xd9, 1, 0x40);
    for (unsigned n = 0; n < 3; n++) {
        unsigned here = n == 2 ? 500 : 1000, seq;

        g_assert_cmpuint(cp_receive(back, &tag), ==, 54 + here);
        check_sums(back, 6);
        seq = (unsigned)back[38] << 24 | back[39] << 16 | back[40] << 8 | back[41];
        g_assert_cmpuint(seq, ==, 100 + done);
        g_assert_cmphex(back[19], ==, n); /* identification */
        g_assert_cmphex(back[47], ==, n == 2 ? 0x19 : 0x10);
        g_assert_true(memcmp(back + 54, f + 54 + done, here) == 0);
        done += here;
    }
    g_assert_cmpuint(cp_receive(back, &tag), ==, 0);
    qc_stop(q);
}

/* Without the C+, as the revision tells. */
static void test_plain(void)
{
    q = qc_start("-machine pc -arch x86_64 -nodefaults -m 16M -device rtl8139,addr=4,c-plus=off");
    pc_config_write(q, 4, 0, 0x10, 4, PORTS);
    pc_config_write(q, 4, 0, 4, 2, 5);
    g_assert_cmphex(pc_config_read(q, 4, 0, 8, 1), ==, 0x10);
    g_assert_cmphex(get(0x40, 4), ==, 0x74000000);
    set(0xe0, 2, 3);
    g_assert_cmphex(get(0xe0, 2), ==, 0);
    qc_stop(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtl8139/arp", test_arp);
    g_test_add_func("/rtl8139/ring", test_ring);
    g_test_add_func("/rtl8139/eeprom", test_eeprom);
    g_test_add_func("/rtl8139/timer", test_timer);
    g_test_add_func("/rtl8139/c-plus", test_cplus);
    g_test_add_func("/rtl8139/offload", test_offload);
    g_test_add_func("/rtl8139/plain", test_plain);
    return g_test_run();
}
