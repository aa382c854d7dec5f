/* The PCnet-PCI II by a small driver over qtest: both I/O modes, each style of rings, filters,
 * loop, interrupts. */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>
#include "pcio.h"
#include "qclient.h"

#define PORTS  0xc000u
#define MMIO   0xfe000000u
#define INIT   0x100000u
#define RX     0x101000u
#define TX     0x102000u
#define RX_BUF 0x110000u
#define TX_BUF 0x120000u
#define RING   4u
#define BUF    256u

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static struct qclient *q;
static unsigned style, rx_at, tx_at;

/* ---- registers, in 32-bit mode ---- */

static uint32_t csr(unsigned n)
{
    pc_out(q, 4, PORTS + 0x14, n);
    return pc_in(q, 4, PORTS + 0x10);
}

static void set_csr(unsigned n, uint32_t v)
{
    pc_out(q, 4, PORTS + 0x14, n);
    pc_out(q, 4, PORTS + 0x10, v);
}

static uint32_t bcr(unsigned n)
{
    pc_out(q, 4, PORTS + 0x14, n);
    return pc_in(q, 4, PORTS + 0x1c);
}

static void set_bcr(unsigned n, uint32_t v)
{
    pc_out(q, 4, PORTS + 0x14, n);
    pc_out(q, 4, PORTS + 0x1c, v);
}

static bool intx(void)
{
    return pc_config_read(q, 4, 0, 6, 2) & 8;
}

static void place(void)
{
    q = qc_start("-machine pc -arch x86_64 -nodefaults -m 16M -netdev user,id=n0 "
                 "-device pcnet,netdev=n0,addr=4");
    pc_config_write(q, 4, 0, 0x10, 4, PORTS);
    pc_config_write(q, 4, 0, 0x14, 4, MMIO);
    pc_config_write(q, 4, 0, 4, 2, 7);
}

/* ---- rings ---- */

static bool wide(void)
{
    return style > 0;
}

static unsigned desc_size(void)
{
    return wide() ? 16 : 8;
}

/* The upper half of the word with OWN. */
static uint64_t flags_at(uint64_t desc)
{
    return desc + (wide() ? 6 : 2);
}

static void put_desc(uint64_t desc, uint32_t addr, unsigned len, uint16_t flags)
{
    if (!wide()) {
        qc_writew(q, desc, (uint16_t)addr);
        qc_writew(q, desc + 4, (uint16_t)-len);
        qc_writew(q, desc + 6, 0);
        qc_writew(q, desc + 2, (uint16_t)(flags | (addr >> 16 & 0xff)));
        return;
    }
    qc_writel(q, desc + (style == 3 ? 8 : 0), addr);
    qc_writel(q, desc + (style == 3 ? 0 : 8), 0);
    qc_writew(q, desc + 4, (uint16_t)-len);
    qc_writew(q, desc + 6, flags);
}

static unsigned status_of(uint64_t desc)
{
    if (!wide())
        return qc_readw(q, desc + 6);
    return qc_readl(q, desc + (style == 3 ? 0 : 8));
}

static void give_rx(unsigned n)
{
    put_desc(RX + n * desc_size(), RX_BUF + n * BUF, BUF, 0x8000);
}

static void put_init(uint16_t mode, uint64_t filter)
{
    uint8_t b[28] = { 0 };
    unsigned at = wide() ? 4 : 2, rings = wide() ? 20 : 16;

    b[0] = (uint8_t)mode;
    b[1] = (uint8_t)(mode >> 8);
    memcpy(b + at, own_mac, 6);
    memcpy(b + (wide() ? 12 : 8), &filter, 8);
    for (unsigned i = 0; i < (wide() ? 4 : 3); i++) {
        b[rings + i] = (uint8_t)(RX >> 8 * i);
        b[rings + 4 + i] = (uint8_t)(TX >> 8 * i);
    }
    if (wide())
        b[2] = b[3] = 2 << 4;
    else
        b[19] = b[23] = 2 << 5;
    qc_memwrite(q, INIT, b, sizeof(b));
}

static void run_card(unsigned st, uint16_t mode, uint64_t filter)
{
    style = st;
    rx_at = tx_at = 0;
    pc_out(q, 4, PORTS + 0x10, 0);
    set_csr(0, 4);
    set_bcr(20, style);
    put_init(mode, filter);
    for (unsigned i = 0; i < RING; i++) {
        give_rx(i);
        put_desc(TX + i * desc_size(), 0, 0, 0);
    }
    set_csr(1, INIT & 0xffff);
    set_csr(2, INIT >> 16);
    set_csr(0, 1);
    g_assert_cmphex(csr(0), ==, 0x0181);
    set_csr(0, 0x0142);
    g_assert_cmphex(csr(0), ==, 0x73);
}

static void send_part(const uint8_t *data, unsigned len, uint16_t flags)
{
    unsigned n = tx_at++ % RING;

    qc_memwrite(q, TX_BUF + n * BUF, data, len);
    put_desc(TX + n * desc_size(), TX_BUF + n * BUF, len, (uint16_t)(flags & 0x7fff));
    if (flags & 0x8000)
        qc_writew(q, flags_at(TX + n * desc_size()),
                  qc_readw(q, flags_at(TX + n * desc_size())) | 0x8000);
}

static uint16_t tx_flags(unsigned n)
{
    return qc_readw(q, flags_at(TX + n % RING * desc_size())) & 0xff00;
}

/* A frame over one or more descriptors; its first is given to the card last. */
static void transmit(const uint8_t *frame, unsigned len, uint16_t more)
{
    unsigned first = tx_at, done = 0;

    while (done < len) {
        unsigned here = MIN(len - done, BUF);
        uint16_t flags =
            (uint16_t)((done ? 0x8000 : 0x0200) | (done + here == len ? 0x0100 : 0) | more);

        send_part(frame + done, here, flags);
        done += here;
    }
    first %= RING;
    qc_writew(q, flags_at(TX + first * desc_size()),
              qc_readw(q, flags_at(TX + first * desc_size())) | 0x8000);
    set_csr(0, 0x48);
}

/* The next frame without FCS; 0: there is none. */
static unsigned receive(uint8_t *frame)
{
    unsigned done = 0, total = 0;

    for (bool end = false; !end;) {
        unsigned n = rx_at % RING;
        uint64_t desc = RX + n * desc_size();
        uint16_t flags = qc_readw(q, flags_at(desc));

        if (flags & 0x8000)
            return 0;
        rx_at++;
        g_assert_cmphex(flags & 0x4200, ==, done ? 0 : 0x0200);
        qc_memread(q, RX_BUF + n * BUF, frame + done, BUF);
        done += BUF;
        end = flags & 0x0100;
        total = status_of(desc) & 0xfff;
        give_rx(n);
    }
    g_assert_cmpuint(total, >=, 64);
    g_assert_cmpuint(total, <=, done);
    return total - 4;
}

/* ---- tests ---- */

static void test_modes(void)
{
    unsigned sum = 0;

    place();
    g_assert_cmphex(pc_config_read(q, 4, 0, 0, 4), ==, 0x20001022);
    for (unsigned i = 0; i < 6; i++)
        g_assert_cmphex(pc_in(q, 1, (uint16_t)(PORTS + i)), ==, own_mac[i]);
    for (unsigned i = 0; i < 16; i++)
        sum += i == 12 || i == 13 ? 0 : pc_in(q, 1, (uint16_t)(PORTS + i));
    g_assert_cmphex(pc_in(q, 2, PORTS + 12), ==, sum);
    g_assert_cmphex(pc_in(q, 2, PORTS + 14), ==, 0x5757);
    /* 16-bit mode: the address register serves both kinds */
    pc_in(q, 2, PORTS + 0x14);
    g_assert_cmphex(pc_in(q, 2, PORTS + 0x10), ==, 4);
    pc_out(q, 2, PORTS + 0x12, 89);
    g_assert_cmphex(pc_in(q, 2, PORTS + 0x12), ==, 89);
    g_assert_cmphex(pc_in(q, 2, PORTS + 0x10), ==, 0x0262);
    pc_out(q, 2, PORTS + 0x12, 20);
    g_assert_cmphex(pc_in(q, 2, PORTS + 0x16), ==, 0x0200);
    pc_out(q, 2, PORTS + 0x16, 3);
    g_assert_cmphex(pc_in(q, 2, PORTS + 0x16), ==, 0x0303);
    /* 32-bit mode by a long write, until the next hardware reset */
    pc_out(q, 4, PORTS + 0x10, 0);
    g_assert_cmphex(csr(88), ==, 0x02621003);
    g_assert_cmphex(bcr(18) & 0x80, ==, 0x80);
    pc_in(q, 4, PORTS + 0x18);
    g_assert_cmphex(csr(0), ==, 4);
    g_assert_cmphex(bcr(20), ==, 0x0303);
    qc_writel(q, MMIO + 0x14, 4);
    g_assert_cmphex(qc_readl(q, MMIO + 0x10), ==, 0x0115);
    g_assert_cmphex(qc_readl(q, MMIO + 0x1c), ==, 0x80c0); /* there is a link */
    qc_reset(q);
    pc_config_write(q, 4, 0, 0x10, 4, PORTS);
    pc_config_write(q, 4, 0, 4, 2, 7);
    g_assert_cmphex(pc_in(q, 2, PORTS + 0x10), ==, 4);
    qc_stop(q);
}

static void test_arp(void)
{
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    uint8_t f[2048] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    place();
    run_card(2, 0, 0);
    set_csr(4, 0x0915);
    memcpy(f + 6, own_mac, 6);
    memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(f + 22, own_mac, 6);
    inet_pton(AF_INET, "10.0.2.15", f + 28);
    inet_pton(AF_INET, "10.0.2.2", f + 38);
    transmit(f, 42, 0);
    g_assert_cmphex(tx_flags(0), ==, 0x0300);
    while (!(csr(0) & 0x400))
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    g_assert_true(intx());
    g_assert_cmpuint(receive(f), >=, 60);
    g_assert_true(memcmp(f, own_mac, 6) == 0);
    set_csr(0, 0x0640);
    g_assert_cmphex(csr(0), ==, 0x73);
    g_assert_false(intx());
    qc_stop(q);
}

/* Around the rings a few times in the loop, in every style, with a save in between. */
static void test_styles(void)
{
    uint8_t f[1024], back[1024];

    place();
    for (unsigned st = 0; st < 4; st++) {
        run_card(st, 4, 0);
        for (unsigned n = 0; n < 24; n++) {
            unsigned len = 60 + n * 36;

            for (unsigned i = 0; i < len; i++)
                f[i] = (uint8_t)(i * 5 + n + st);
            memcpy(f, own_mac, 6);
            if (n == 10) {
                g_autofree char *state = qc_save(q);

                pc_in(q, 4, PORTS + 0x18);
                qc_load(q, state);
            }
            transmit(f, len, 0);
            g_assert_cmphex(tx_flags(tx_at - 1) & 0xc100, ==, 0x0100);
            g_assert_cmpuint(receive(back), ==, len);
            g_assert_true(memcmp(f, back, len) == 0);
            g_assert_cmphex(csr(0) & 0x600, ==, 0x600);
            set_csr(0, 0x0640);
        }
    }
    qc_stop(q);
}

static unsigned looped(const uint8_t dest[6])
{
    uint8_t f[1024] = { 0 };

    memcpy(f, dest, 6);
    transmit(f, 60, 0);
    return receive(f);
}

static void test_filters(void)
{
    static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0, 0, 1 }; /* the CRC begins with 0x36 */
    static const uint8_t other[6] = { 0x52, 0x54, 0, 9, 9, 9 };
    static const struct {
        uint16_t mode;
        uint64_t filter;
        bool own, all, group, other;
    } cases[] = {
        { 0x0004, 0, true, true, false, false },
        { 0x4004, UINT64_C(1) << 0x36, true, false, true, false },
        { 0x2004, ~(UINT64_C(1) << 0x36), false, true, false, false },
        { 0x8004, 0, true, true, true, true },
    };

    place();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        run_card(2, cases[i].mode, cases[i].filter);
        g_assert_cmpint(looped(own_mac) == 60, ==, cases[i].own);
        g_assert_cmpint(looped(all) == 60, ==, cases[i].all);
        g_assert_cmpint(looped(group) == 60, ==, cases[i].group);
        g_assert_cmpint(looped(other) == 60, ==, cases[i].other);
    }
    qc_stop(q);
}

/* What TOKINTD and LTINTEN put off; masks; a frame that does not end; the poll without demand. */
static void test_interrupts(void)
{
    uint8_t f[64] = { 2 };

    place();
    run_card(2, 4, 0);
    transmit(f, 60, 0);
    g_assert_cmphex(csr(0) & 0x200, ==, 0x200);
    set_csr(3, 0x200);
    g_assert_false(intx());
    set_csr(3, 0);
    g_assert_true(intx());
    set_csr(0, 0x240);
    set_csr(5, 0x8000);
    transmit(f, 60, 0);
    g_assert_cmphex(csr(0) & 0x200, ==, 0);
    set_csr(5, 0x4000);
    transmit(f, 60, 0);
    g_assert_cmphex(csr(0) & 0x200, ==, 0);
    transmit(f, 60, 0x1000);
    g_assert_cmphex(csr(0) & 0x200, ==, 0x200);
    set_csr(0, 0x240);
    set_csr(5, 0);
    /* found by polling */
    send_part(f, 60, 0x8300);
    g_assert_cmphex(tx_flags(tx_at - 1), ==, 0x8300);
    qc_clock_step(q, 5000000);
    g_assert_cmphex(tx_flags(tx_at - 1), ==, 0x0300);
    set_csr(0, 0x240);
    send_part(f, 60, 0x8200);
    set_csr(0, 0x48);
    g_assert_cmphex(csr(0) & 0x210, ==, 0x200);
    g_assert_cmphex(tx_flags(tx_at - 1), ==, 0x4200);
    g_assert_cmphex(status_of(TX + (tx_at - 1) % RING * 16) & 0xc0000000, ==, 0xc0000000);
    set_csr(0, 4);
    g_assert_cmphex(csr(0), ==, 4);
    g_assert_false(intx());
    qc_stop(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pcnet/modes", test_modes);
    g_test_add_func("/pcnet/arp", test_arp);
    g_test_add_func("/pcnet/styles", test_styles);
    g_test_add_func("/pcnet/filters", test_filters);
    g_test_add_func("/pcnet/interrupts", test_interrupts);
    return g_test_run();
}
