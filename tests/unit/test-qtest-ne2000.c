/* NE2000 cards on ISA and PCI by a small driver over qtest: PROM, data port, both directions. */
#include <string.h>
#include <arpa/inet.h>
#include <glib.h>
#include "pcio.h"
#include "qclient.h"

#define ISA_BASE 0x300
#define PCI_BASE 0xc000
#define TX_PAGE  0x40
#define START    0x46
#define STOP     0x80

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

struct card {
    struct qclient *q;
    uint16_t base;
    unsigned next; /* page */
};

static uint8_t get(struct card *c, unsigned reg)
{
    return (uint8_t)pc_in(c->q, 1, (uint16_t)(c->base + reg));
}

static void set(struct card *c, unsigned reg, uint8_t v)
{
    pc_out(c->q, 1, (uint16_t)(c->base + reg), v);
}

static void set_dma(struct card *c, unsigned addr, unsigned count, uint8_t command)
{
    set(c, 7, 0x40);
    set(c, 8, (uint8_t)addr);
    set(c, 9, (uint8_t)(addr >> 8));
    set(c, 10, (uint8_t)count);
    set(c, 11, (uint8_t)(count >> 8));
    set(c, 0, command);
}

static void read_mem(struct card *c, unsigned addr, uint8_t *buf, unsigned len)
{
    set_dma(c, addr, len, 0x0a);
    for (unsigned i = 0; i < len; i += 2) {
        uint32_t v = pc_in(c->q, 2, (uint16_t)(c->base + 16));

        buf[i] = (uint8_t)v;
        buf[i + 1] = (uint8_t)(v >> 8);
    }
    g_assert_cmphex(get(c, 7) & 0x40, ==, 0x40);
}

static void write_mem(struct card *c, unsigned addr, const uint8_t *buf, unsigned len)
{
    set_dma(c, addr, len, 0x12);
    for (unsigned i = 0; i < len; i += 2)
        pc_out(c->q, 2, (uint16_t)(c->base + 16), (uint32_t)(buf[i] | buf[i + 1] << 8));
    g_assert_cmphex(get(c, 7) & 0x40, ==, 0x40);
}

static void open_card(struct card *c, bool pci)
{
    g_autofree char *args =
        g_strdup_printf("-machine pc -arch x86_64 -nodefaults -m 16M -netdev user,id=n0 -device %s",
                        pci ? "ne2k_pci,netdev=n0,addr=4" : "ne2k_isa,netdev=n0");

    c->q = qc_start(args);
    c->base = pci ? PCI_BASE : ISA_BASE;
    if (pci) {
        pc_config_write(c->q, 4, 0, 0x10, 4, PCI_BASE);
        pc_config_write(c->q, 4, 0, 4, 2, 1);
    }
    get(c, 0x1f);
    g_assert_cmphex(get(c, 7), ==, 0x80);
    set(c, 0, 0x21);
    set(c, 14, 0x49); /* words */
    set(c, 1, START);
    set(c, 2, STOP);
    set(c, 3, START);
    set(c, 12, 4);
    set(c, 13, 0);
    set(c, 0, 0x61);
    for (unsigned i = 0; i < 6; i++)
        set(c, 1 + i, own_mac[i]);
    c->next = START + 1;
    set(c, 7, (uint8_t)c->next);
    set(c, 0, 0x22);
    set(c, 7, 0xff);
}

static void ask_arp(struct card *c)
{
    uint8_t f[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    memcpy(f + 6, own_mac, 6);
    memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(f + 22, own_mac, 6);
    inet_pton(AF_INET, "10.0.2.15", f + 28);
    inet_pton(AF_INET, "10.0.2.2", f + 38);
    write_mem(c, TX_PAGE * 256, f, sizeof(f));
    set(c, 4, TX_PAGE);
    set(c, 5, 60);
    set(c, 6, 0);
    set(c, 0, 0x26);
    g_assert_cmphex(get(c, 0), ==, 0x22);
    g_assert_cmphex(get(c, 7) & 2, ==, 2);
    g_assert_cmphex(get(c, 4), ==, 1);
}

static unsigned current(struct card *c)
{
    unsigned page;

    set(c, 0, 0x62);
    page = get(c, 7);
    set(c, 0, 0x22);
    return page;
}

/* The answer from where it lies in the ring; gives its pages back. */
static void take_arp(struct card *c)
{
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    uint8_t f[64];

    while (current(c) == c->next)
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    read_mem(c, c->next * 256, f, sizeof(f));
    g_assert_cmphex(f[0], ==, 1);
    g_assert_cmpuint(f[2] | f[3] << 8, ==, 68);
    g_assert_true(memcmp(f + 4, own_mac, 6) == 0);
    g_assert_cmphex(f[4 + 21], ==, 2);
    c->next = f[1];
    g_assert_cmpuint(c->next, >=, START);
    g_assert_cmpuint(c->next, <, STOP);
    /* as Linux does it: neither start nor stop, and a boundary before the start of the ring */
    set(c, 0, 0x20);
    set(c, 3, (uint8_t)(c->next - 1));
}

static void talk(bool pci)
{
    uint8_t prom[32];
    struct card c;
    char *state;

    open_card(&c, pci);
    read_mem(&c, 0, prom, sizeof(prom));
    for (unsigned i = 0; i < 6; i++)
        g_assert_cmphex(prom[2 * i], ==, own_mac[i]);
    g_assert_cmphex(prom[28], ==, 0x57);
    /* more often than the ring has pages */
    for (unsigned i = 0; i < 80; i++) {
        ask_arp(&c);
        take_arp(&c);
    }
    /* a full ring makes frames wait, and loses none of a few */
    for (unsigned i = 0; i < 70; i++)
        ask_arp(&c);
    state = qc_save(c.q);
    qc_load(c.q, state);
    g_free(state);
    for (unsigned i = 0; i < 60; i++)
        take_arp(&c);
    qc_stop(c.q);
}

static void test_isa(void)
{
    talk(false);
}

static void test_pci(void)
{
    talk(true);
}

/* A driver that takes fewer frames than there are, and acknowledges them, hears of the others; one
 * that only acknowledges does not. */
static void test_left(void)
{
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    struct card c;

    open_card(&c, true);
    for (unsigned i = 0; i < 70; i++)
        ask_arp(&c);
    while (current(&c) != STOP - 1)
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    for (unsigned i = 0; i < 9; i++)
        take_arp(&c);
    set(&c, 7, 0x03);
    g_assert_cmphex(get(&c, 7) & 3, ==, 1);
    set(&c, 7, 0x01);
    g_assert_cmphex(get(&c, 7) & 1, ==, 0);
    for (unsigned i = 0; i < 61; i++)
        take_arp(&c);
    g_assert_cmphex(get(&c, 7) & 1, ==, 1);
    set(&c, 7, 0x01);
    g_assert_cmphex(get(&c, 7) & 1, ==, 0);
    qc_stop(c.q);
}

/* Loopback sends nothing and a stopped card receives nothing. */
static void test_stopped(void)
{
    struct card c;

    open_card(&c, false);
    set(&c, 13, 2);
    ask_arp(&c);
    set(&c, 13, 0);
    g_assert_cmpuint(current(&c), ==, START + 1);
    set(&c, 15, 2);
    set(&c, 0, 0x21);
    g_assert_cmphex(get(&c, 7) & 0x80, ==, 0x80);
    qc_stop(c.q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ne2000/isa", test_isa);
    g_test_add_func("/ne2000/pci", test_pci);
    g_test_add_func("/ne2000/left", test_left);
    g_test_add_func("/ne2000/stopped", test_stopped);
    return g_test_run();
}
