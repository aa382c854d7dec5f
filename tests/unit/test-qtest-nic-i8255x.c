/* Intel's 8255x by a small driver over qtest: EEPROM, PHY, self-test, command list, both memory
 * models of both units, statistics, interrupts. */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>
#include "pcio.h"
#include "qclient.h"

#define PORTS     0xc000u
#define MMIO      0xfe000000u
#define CB        0x100000u /* command blocks, 64 bytes apart; CU base 0 */
#define RFD       0x110000u /* frame descriptors, 2 KiB apart */
#define RBD       0x120000u
#define DATA      0x130000u
#define STATS     0x140000u
#define RFDS      4u
#define RFD_AT(n) (RFD + (n) % RFDS * 0x800u)

enum { EL = 0x8000, S = 0x4000, I = 0x2000, SF = 8 };

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static struct qclient *q;
static unsigned rx_at;

static uint32_t get(unsigned reg, unsigned size)
{
    return pc_in(q, size, (uint16_t)(PORTS + reg));
}

static void set(unsigned reg, unsigned size, uint32_t v)
{
    pc_out(q, size, (uint16_t)(PORTS + reg), v);
}

static bool intx(void)
{
    return pc_config_read(q, 4, 0, 6, 2) & 8;
}

static void open_card(const char *type)
{
    g_autofree char *args = g_strdup_printf("-machine pc -arch x86_64 -nodefaults -m 16M "
                                            "-netdev user,id=n0 -device %s,netdev=n0,addr=4",
                                            type);

    q = qc_start(args);
    pc_config_write(q, 4, 0, 0x10, 4, MMIO);
    pc_config_write(q, 4, 0, 0x14, 4, PORTS);
    pc_config_write(q, 4, 0, 4, 2, 7);
}

/* ---- command unit ---- */

static void scb(unsigned command, uint32_t pointer)
{
    set(4, 4, pointer);
    set(2, 1, command);
    g_assert_cmphex(get(2, 1), ==, 0);
}

static unsigned cu_state(void)
{
    return get(0, 1) >> 6;
}

static unsigned ru_state(void)
{
    return get(0, 1) >> 2 & 15;
}

static void put_block(unsigned n, uint16_t command, uint32_t link, const void *body, unsigned len)
{
    qc_writel(q, CB + 64 * n, (uint32_t)command << 16);
    qc_writel(q, CB + 64 * n + 4, link);
    if (len)
        qc_memwrite(q, CB + 64 * n + 8, body, len);
}

static void one_command(uint16_t command, const void *body, unsigned len)
{
    put_block(0, command | EL, 0, body, len);
    scb(0x10, CB);
    g_assert_cmphex(qc_readw(q, CB), ==, 0xa000);
    g_assert_cmpuint(cu_state(), ==, 0);
}

/* The default but for what is named; `tcb`: byte 6. */
static void configure(uint8_t tcb, uint8_t loop, uint8_t promisc)
{
    uint8_t config[22] = { 22,
                           8,
                           0,
                           0,
                           0,
                           0,
                           tcb,
                           3,
                           1,
                           0,
                           (uint8_t)(0x2e | loop),
                           0,
                           0x60,
                           0,
                           0xf2,
                           (uint8_t)(0x48 | promisc),
                           0,
                           0x40,
                           0xf2,
                           0x80,
                           0x3f,
                           5 };

    one_command(2, config, sizeof(config));
}

/* ---- receive unit ---- */

static void put_rfd(unsigned n, uint16_t command, uint32_t rbd, uint16_t size)
{
    qc_writel(q, RFD_AT(n), (uint32_t)command << 16);
    qc_writel(q, RFD_AT(n) + 4, RFD_AT(n + 1));
    qc_writel(q, RFD_AT(n) + 8, rbd);
    qc_writel(q, RFD_AT(n) + 12, (uint32_t)size << 16);
}

static void start_receiving(void)
{
    for (unsigned i = 0; i < RFDS; i++)
        put_rfd(i, 0, UINT32_MAX, 1600);
    rx_at = 0;
    scb(0x01, RFD);
    g_assert_cmpuint(ru_state(), ==, 4);
}

static unsigned receive(uint8_t *frame)
{
    uint32_t at = RFD_AT(rx_at);
    unsigned count;

    if (!(qc_readw(q, at) & 0x8000))
        return 0;
    g_assert_cmphex(qc_readw(q, at) & 0x2000, ==, 0x2000);
    count = qc_readw(q, at + 12);
    g_assert_cmphex(count & 0xc000, ==, 0xc000);
    count &= 0x3fff;
    g_assert_cmpuint(count, <=, 1600);
    qc_memread(q, at + 16, frame, count);
    put_rfd(rx_at++, 0, UINT32_MAX, 1600);
    return count;
}

/* ---- sending ---- */

/* Simplified: the frame behind the block. */
static void send_simple(const uint8_t *frame, unsigned len)
{
    uint8_t body[8 + 1600];

    memset(body, 0xff, 4);
    body[4] = (uint8_t)len;
    body[5] = (uint8_t)(0x80 | len >> 8);
    body[6] = body[7] = 0;
    memcpy(body + 8, frame, len);
    one_command(4, body, 8 + len);
}

static void put_tbd(uint8_t *at, uint32_t addr, uint32_t size)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(addr >> 8 * i);
        at[4 + i] = (uint8_t)(size >> 8 * i);
    }
}

/* Flexible: three buffers, of which an extended block names two. */
static void send_flexible(const uint8_t *frame, unsigned len, bool extended)
{
    static const unsigned starts[4] = { 0, 14, 33, 0 };
    uint8_t body[24] = { 0 }, array[24];

    qc_memwrite(q, DATA, frame, len);
    for (unsigned i = 0; i < 3; i++) {
        unsigned end = i == 2 ? len : starts[i + 1];

        put_tbd(array + 8 * i, DATA + starts[i], (end - starts[i]) | (i == 2 ? 0x10000 : 0));
    }
    qc_memwrite(q, RBD, extended ? array + 16 : array, extended ? 8 : 24);
    memcpy(body, "\x00\x00\x12\x00\x00\x80", 6);
    body[7] = extended ? 0xff : 3;
    memcpy(body + 8, array, extended ? 16 : 0);
    one_command(4 | SF, body, sizeof(body));
}

static void fill(uint8_t *f, unsigned len, unsigned seed)
{
    for (unsigned i = 0; i < len; i++)
        f[i] = (uint8_t)(i * 5 + seed);
    memcpy(f, own_mac, 6);
}

/* ---- tests ---- */

static bool clock_bit(bool di)
{
    unsigned in = 2u | (di ? 4 : 0);
    bool out;

    set(0xe, 2, in);
    set(0xe, 2, in | 1);
    out = get(0xe, 2) & 8;
    set(0xe, 2, in);
    return out;
}

static unsigned eeprom(unsigned word)
{
    unsigned v = 0;

    for (unsigned b = 9; b--;) {
        bool out = clock_bit((6u << 6 | word) >> b & 1);

        g_assert_cmpint(out, ==, b != 0); /* the dummy bit tells how long addresses are */
    }
    for (unsigned b = 0; b < 16; b++)
        v = v << 1 | clock_bit(false);
    set(0xe, 2, 0);
    return v;
}

static uint16_t mdi(unsigned phy, unsigned reg)
{
    set(0x10, 4, 2u << 26 | phy << 21 | reg << 16);
    g_assert_cmphex(get(0x10, 4) >> 28 & 1, ==, 1);
    return (uint16_t)get(0x10, 4);
}

static void test_around(void)
{
    unsigned sum = 0;

    open_card("i82557b");
    g_assert_cmphex(pc_config_read(q, 4, 0, 0, 4), ==, 0x12298086);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmphex(eeprom(i), ==, own_mac[2 * i] | own_mac[2 * i + 1] << 8);
    for (unsigned i = 0; i < 64; i++)
        sum += eeprom(i);
    g_assert_cmphex(sum & 0xffff, ==, 0xbaba);
    g_assert_cmphex(mdi(1, 2), ==, 0x02a8);
    g_assert_cmphex(mdi(1, 1) & 0x24, ==, 0x24);
    g_assert_cmphex(mdi(0, 1), ==, 0xffff);
    set(0x10, 4, 3u << 28 | 1u << 26 | 1u << 21 | 4u << 16 | 0x0441);
    g_assert_true(intx());
    set(1, 1, 8);
    g_assert_false(intx());
    g_assert_cmphex(mdi(1, 4), ==, 0x0441);
    qc_writeq(q, STATS, UINT64_C(0xffffffff00000000));
    set(8, 4, STATS | 1);
    g_assert_cmphex(qc_readl(q, STATS), !=, 0);
    g_assert_cmphex(qc_readl(q, STATS + 4), ==, 0);
    set(3, 1, 2); /* an interrupt by software */
    g_assert_true(intx());
    g_assert_cmphex(qc_readb(q, MMIO + 1), ==, 4);
    set(3, 1, 1);
    g_assert_false(intx());
    set(8, 4, 0);
    g_assert_cmphex(get(0, 4), ==, 0);
    qc_stop(q);
}

static void test_arp(void)
{
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    uint8_t f[1600] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    open_card("i82551");
    memcpy(f + 6, own_mac, 6);
    memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(f + 22, own_mac, 6);
    inet_pton(AF_INET, "10.0.2.15", f + 28);
    inet_pton(AF_INET, "10.0.2.2", f + 38);
    start_receiving();
    one_command(1, own_mac, 6);
    set(1, 1, 0xff);
    send_simple(f, 42);
    while (!(get(1, 1) & 0x40))
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    g_assert_true(intx());
    set(3, 1, 0xf0);
    g_assert_false(intx());
    g_assert_cmpuint(receive(f), >=, 60);
    g_assert_true(memcmp(f, own_mac, 6) == 0);
    qc_stop(q);
}

/* All ways to send, in the loop; a save in between; counters. */
static void test_loop(void)
{
    uint8_t f[1600], back[1600];
    unsigned sent = 0;

    open_card("i82559er");
    one_command(1, own_mac, 6);
    scb(0x40, STATS);
    start_receiving();
    for (unsigned extended = 0; extended < 2; extended++) {
        configure(extended ? 0x22 : 0x32, 0x40, 0);
        for (unsigned n = 0; n < 12; n++, sent++) {
            unsigned len = 60 + n * 121;

            fill(f, len, n);
            if (n % 2)
                send_simple(f, len);
            else
                send_flexible(f, len, extended);
            if (n == 6) {
                g_autofree char *state = qc_save(q);

                set(8, 4, 0);
                qc_load(q, state);
            }
            g_assert_cmpuint(receive(back), ==, len);
            g_assert_true(memcmp(f, back, len) == 0);
        }
    }
    scb(0x70, 0);
    g_assert_cmpuint(qc_readl(q, STATS), ==, sent);
    g_assert_cmpuint(qc_readl(q, STATS + 36), ==, sent);
    g_assert_cmphex(qc_readl(q, STATS + 64), ==, 0xa007);
    configure(0x06, 0x40, 0); /* all counters */
    scb(0x50, 0);
    g_assert_cmpuint(qc_readl(q, STATS), ==, 0);
    g_assert_cmphex(qc_readl(q, STATS + 80), ==, 0xa005);
    qc_stop(q);
}

static unsigned looped(const uint8_t dest[6])
{
    uint8_t f[1600] = { 0 };

    memcpy(f, dest, 6);
    send_simple(f, 60);
    return receive(f);
}

static void test_filters(void)
{
    static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    static const uint8_t group[8] = { 6, 0, 0x01, 0x00, 0x5e, 0, 0, 1 };
    static const uint8_t other[6] = { 0x52, 0x54, 0, 9, 9, 9 };

    open_card("i82557b");
    one_command(1, own_mac, 6);
    start_receiving();
    configure(0x32, 0x40, 0);
    g_assert_cmpuint(looped(own_mac), ==, 60);
    g_assert_cmpuint(looped(all), ==, 60);
    g_assert_cmpuint(looped(group + 2), ==, 0);
    g_assert_cmpuint(looped(other), ==, 0);
    one_command(3, group, 8);
    g_assert_cmpuint(looped(group + 2), ==, 60);
    configure(0x32, 0x40, 2); /* no broadcasts */
    g_assert_cmpuint(looped(all), ==, 0);
    configure(0x32, 0x40, 1); /* everything */
    g_assert_cmpuint(looped(other), ==, 60);
    qc_stop(q);
}

/* Suspending, resuming, ends of lists; a circle does not hold the program up. */
static void test_lists(void)
{
    open_card("i82557b");
    set(1, 1, 0xff);
    put_block(0, I, CB + 64, NULL, 0);
    put_block(1, S, CB + 128, NULL, 0);
    put_block(2, EL | I, 0, NULL, 0);
    scb(0x10, CB);
    g_assert_cmpuint(cu_state(), ==, 1);
    g_assert_cmphex(get(1, 1), ==, 0xa0);
    g_assert_cmphex(qc_readw(q, CB + 128), ==, 0);
    set(1, 1, 0xff);
    scb(0x20, 0);
    g_assert_cmpuint(cu_state(), ==, 0);
    g_assert_cmphex(get(1, 1), ==, 0xa0);
    g_assert_cmphex(qc_readw(q, CB + 128), ==, 0xa000);
    set(1, 1, 0xff);
    put_block(0, 0, 0, NULL, 0);
    scb(0x60, CB); /* base */
    scb(0x10, 0);
    g_assert_cmpuint(cu_state(), ==, 2);
    qc_clock_step(q, 10000000);
    qc_writew(q, CB + 2, EL);
    qc_clock_step(q, 10000000);
    g_assert_cmpuint(cu_state(), ==, 0);
    qc_stop(q);
}

/* Frames over several buffers; what happens where descriptors end. */
static void test_receive_lists(void)
{
    uint8_t f[1600], back[1600] = { 0 };

    open_card("i82557b");
    one_command(1, own_mac, 6);
    configure(0x32, 0x40, 0);
    fill(f, 300, 1);
    for (unsigned i = 0; i < 4; i++) { /* of 128 bytes; the last ends the list */
        qc_writel(q, RBD + 16 * i, 0);
        qc_writel(q, RBD + 16 * i + 4, RBD + 16 * (i + 1));
        qc_writel(q, RBD + 16 * i + 8, DATA + 0x1000 + 128 * i);
        qc_writel(q, RBD + 16 * i + 12, 128 | (i == 3 ? EL : 0));
    }
    put_rfd(0, SF, RBD, 0);
    put_rfd(1, SF | S, UINT32_MAX, 14);
    put_rfd(2, 0, UINT32_MAX, 1600);
    put_rfd(3, EL, UINT32_MAX, 0);
    scb(0x01, RFD);
    set(1, 1, 0xff);
    send_simple(f, 300);
    g_assert_cmphex(qc_readw(q, RFD), ==, 0xa020);
    g_assert_cmphex(qc_readw(q, RBD), ==, 0x4080);
    g_assert_cmphex(qc_readw(q, RBD + 32), ==, 0xc02c);
    qc_memread(q, DATA + 0x1000, back, 300);
    g_assert_true(memcmp(f, back, 300) == 0);
    g_assert_cmpuint(ru_state(), ==, 4);
    send_simple(f, 100); /* 14 bytes in the descriptor, the rest in the last buffer */
    g_assert_cmphex(qc_readl(q, RFD_AT(1) + 8), ==, RBD + 48);
    g_assert_cmphex(qc_readw(q, RBD + 48), ==, 0xc056);
    g_assert_cmpuint(ru_state(), ==, 1);
    g_assert_cmphex(get(1, 1) & 0x50, ==, 0x50);
    set(1, 1, 0xff);
    scb(0x02, 0);
    g_assert_cmpuint(ru_state(), ==, 4);
    send_simple(f, 100);
    g_assert_cmphex(qc_readw(q, RFD_AT(2)), ==, 0xa020);
    send_simple(f, 100); /* no room there */
    g_assert_cmpuint(ru_state(), ==, 2);
    g_assert_cmphex(get(1, 1) & 0x50, ==, 0x50);
    g_assert_cmphex(qc_readw(q, RFD_AT(3)), ==, 0);
    scb(0x04, 0);
    g_assert_cmpuint(ru_state(), ==, 0);
    qc_stop(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/8255x/around", test_around);
    g_test_add_func("/8255x/arp", test_arp);
    g_test_add_func("/8255x/loop", test_loop);
    g_test_add_func("/8255x/filters", test_filters);
    g_test_add_func("/8255x/lists", test_lists);
    g_test_add_func("/8255x/receive-lists", test_receive_lists);
    return g_test_run();
}
