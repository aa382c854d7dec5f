/* The PC's HPET, DMA controllers, serial and parallel ports. */
#include <glib.h>
#include <unistd.h>
#include "qclient.h"

static struct qclient *q;
static char *printed; /* the parallel port's file */

static uint8_t in(uint16_t port)
{
    return (uint8_t)g_ascii_strtoull(qc_cmd(q, "inb 0x%x", port), NULL, 0);
}

static void out(uint16_t port, uint8_t v)
{
    qc_cmd(q, "outb 0x%x 0x%x", port, v);
}

#define HPET 0xfed00000u
enum { CAPS = HPET, CONFIG = HPET + 0x10, STATUS = HPET + 0x20, COUNTER = HPET + 0xf0 };
#define T_CONFIG(n)  (HPET + 0x100 + 0x20 * (n))
#define T_COMPARE(n) (HPET + 0x108 + 0x20 * (n))

/* What waits at input n of the 8259 pair, by its request register. */
static bool requested(unsigned n)
{
    out(n < 8 ? 0x20 : 0xa0, 0x0a);
    return in(n < 8 ? 0x20 : 0xa0) >> (n & 7) & 1;
}

/* Edges are forgotten. */
static void init_pic(void)
{
    static const uint16_t ports[] = { 0x20, 0xa0 };

    for (unsigned i = 0; i < 2; i++) {
        out(ports[i], 0x11);
        out(ports[i] + 1, i ? 0x70 : 0x08);
        out(ports[i] + 1, i ? 0x02 : 0x04);
        out(ports[i] + 1, 1);
    }
}

static void test_hpet_counter(void)
{
    char *state;

    g_assert_cmphex(qc_readq(q, CAPS), ==, UINT64_C(0x009896808086a201));
    qc_clock_step(q, 1000000);
    g_assert_cmpuint(qc_readq(q, COUNTER), ==, 0);
    qc_writeq(q, COUNTER, 1000);
    qc_writel(q, CONFIG, 1);
    qc_clock_step(q, 1000000);
    g_assert_cmpuint(qc_readq(q, COUNTER), ==, 101000);
    qc_writel(q, COUNTER + 4, 1);
    g_assert_cmphex(qc_readq(q, COUNTER), ==, UINT64_C(0x100018a88));
    state = qc_save(q);
    qc_writel(q, CONFIG, 0);
    qc_clock_step(q, 1000000);
    g_assert_cmphex(qc_readl(q, COUNTER), ==, 0x18a88);
    qc_load(q, state);
    g_free(state);
    qc_clock_step(q, 10);
    g_assert_cmphex(qc_readl(q, COUNTER), ==, 0x18a89);
}

static void test_hpet_legacy(void)
{
    qc_reset(q);
    init_pic();
    qc_writel(q, CONFIG, 2);
    qc_writel(q, T_CONFIG(0), 0x4c); /* periodic, comparator and period by two writes */
    qc_writel(q, T_COMPARE(0), 100000);
    qc_writel(q, T_COMPARE(0) + 4, 0);
    qc_writel(q, T_COMPARE(0), 50000);
    qc_writel(q, T_COMPARE(0) + 4, 0);
    g_assert_cmphex(qc_readl(q, T_CONFIG(0)) & 0x40, ==, 0);
    qc_writel(q, CONFIG, 3);
    qc_clock_step(q, 999999);
    g_assert_false(requested(0));
    qc_clock_step(q, 1);
    g_assert_true(requested(0));
    for (unsigned i = 0; i < 10; i++) {
        init_pic();
        qc_clock_step(q, 499999);
        g_assert_false(requested(0));
        qc_clock_step(q, 1);
        g_assert_true(requested(0));
    }
    /* the timer chip is cut off */
    qc_writel(q, T_CONFIG(0), 0);
    init_pic();
    out(0x43, 0x34);
    out(0x40, 100);
    out(0x40, 0);
    qc_clock_step(q, 1000000);
    g_assert_false(requested(0));
    qc_writel(q, CONFIG, 1);
    init_pic();
    qc_clock_step(q, 1000000);
    g_assert_true(requested(0));
    out(0x43, 0x30);
}

static void test_hpet_level(void)
{
    qc_reset(q);
    qc_writel(q, CONFIG, 1);
    qc_writel(q, T_CONFIG(2), 0x0406); /* pin 2, level */
    qc_writeq(q, T_COMPARE(2), qc_readq(q, COUNTER) + 10);
    qc_clock_step(q, 99);
    g_assert_cmphex(qc_readl(q, STATUS), ==, 0);
    qc_clock_step(q, 1);
    g_assert_cmphex(qc_readl(q, STATUS), ==, 4);
    g_assert_true(qc_irq(q, 2));
    qc_writel(q, STATUS, 1);
    g_assert_true(qc_irq(q, 2));
    qc_writel(q, STATUS, 4);
    g_assert_false(qc_irq(q, 2));
    qc_writel(q, T_CONFIG(2), 0x1f006); /* no such pin */
    g_assert_cmphex(qc_readl(q, T_CONFIG(2)) & 0x3e00, ==, 0x0400);
}

static void test_dma(void)
{
    char *state;

    qc_reset(q);
    g_assert_cmphex(in(0x0f) & 0x0f, ==, 0x0f);
    out(0x0c, 0);
    out(0x04, 0x34);
    out(0x04, 0x12);
    out(0x05, 0xff);
    out(0x05, 0x01);
    out(0x81, 0x05);
    g_assert_cmphex(in(0x81), ==, 0x05);
    state = qc_save(q);
    out(0x0c, 0);
    g_assert_cmphex(in(0x04), ==, 0x34);
    g_assert_cmphex(in(0x04), ==, 0x12);
    g_assert_cmphex(in(0x05), ==, 0xff);
    qc_reset(q);
    qc_load(q, state);
    g_free(state);
    g_assert_cmphex(in(0x04), ==, 0x34); /* the flip-flop was saved with it */
    out(0x0a, 2);
    g_assert_cmphex(in(0x0f) & 0x0f, ==, 0x0b);
    out(0xde, 0x05);
    g_assert_cmphex(in(0xde) & 0x0f, ==, 0x05);
    out(0x0d, 0);
    g_assert_cmphex(in(0x0f) & 0x0f, ==, 0x0f);
}

static void test_serial(void)
{
    qc_reset(q);
    init_pic();
    g_assert_cmphex(in(0x3fd), ==, 0x60);
    out(0x3fb, 3);
    out(0x3f8, 'h');
    out(0x3f8, 'i');
    qc_serial_expect(q, "hi");
    out(0x3f9, 2);
    g_assert_true(requested(4));
    g_assert_cmphex(in(0x3fa), ==, 2);
}

static void test_testdev(void)
{
    qc_cmd(q, "outl 0xe0 0x12345678");
    g_assert_cmphex(in(0xe1), ==, 0x56);
    qc_writel(q, 0xff000010, 0xabcd);
    g_assert_cmphex(qc_readw(q, 0xff000010), ==, 0xabcd);
    out(0x2005, 1);
    g_assert_true(qc_irq(q, 5));
    out(0x2005, 0);
    g_assert_false(qc_irq(q, 5));
}

/* What is strobed out comes at the other end. */
static void test_parallel(void)
{
    g_autofree char *text = NULL;

    qc_reset(q);
    init_pic();
    g_assert_cmphex(in(0x379) & 0xf8, ==, 0xd8);
    out(0x378, 'p');
    out(0x37a, 0x1d);
    g_assert_true(requested(7));
    out(0x37a, 0x0c);
    out(0x378, 'q');
    out(0x37a, 0x0d);
    g_assert_cmphex(in(0x378), ==, 'q');
    qc_cmd(q, "inb 0x378"); /* the file is written by now */
    g_assert_true(g_file_get_contents(printed, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "pq");
}

int main(int argc, char **argv)
{
    g_autofree char *args = NULL;
    int r;

    g_test_init(&argc, &argv, NULL);
    printed = g_strdup_printf("/tmp/pc-chips-%d.lpt", getpid());
    args =
        g_strdup_printf("-machine pc -arch x86_64 -parallel file:%s -device pc-testdev", printed);
    q = qc_start(args);
    qc_intercept(q, "/machine/ioapic", false);
    g_test_add_func("/hpet/counter", test_hpet_counter);
    g_test_add_func("/hpet/legacy", test_hpet_legacy);
    g_test_add_func("/hpet/level", test_hpet_level);
    g_test_add_func("/dma/registers", test_dma);
    g_test_add_func("/serial/isa", test_serial);
    g_test_add_func("/testdev", test_testdev);
    g_test_add_func("/parallel", test_parallel);
    r = g_test_run();
    qc_stop(q);
    unlink(printed);
    g_free(printed);
    return r;
}
