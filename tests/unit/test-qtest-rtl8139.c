/* The RTL8139C by a small driver over qtest: EEPROM, both directions, ring, filters, timer. */
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtl8139/arp", test_arp);
    g_test_add_func("/rtl8139/ring", test_ring);
    g_test_add_func("/rtl8139/eeprom", test_eeprom);
    g_test_add_func("/rtl8139/timer", test_timer);
    return g_test_run();
}
