/* Devices by which a PC's guest ends: watchdogs, pvpanic, isa-debug-exit. */
#include <glib.h>
#include "qclient.h"

#define PC "-machine pc -arch x86_64 "

static void out(struct qclient *q, uint16_t port, uint8_t v)
{
    qc_cmd(q, "outb 0x%x 0x%x", port, v);
}

static void test_debug_exit(void)
{
    struct qclient *q = qc_start(PC "-device isa-debug-exit");

    out(q, 0x501, 0x10);
    g_assert_cmpint(qc_wait_exit(q), ==, 0x21);
    q = qc_start(PC "-device isa-debug-exit,iobase=0xf4,iosize=4");
    qc_cmd(q, "outl 0xf4 0");
    g_assert_cmpint(qc_wait_exit(q), ==, 1);
}

static void test_pvpanic(void)
{
    struct qclient *q = qc_start(PC "-device pvpanic -action panic=exit-failure");

    g_assert_cmpstr(qc_cmd(q, "inb 0x505"), ==, "0x0000000000000003");
    out(q, 0x505, 2); /* a crash kernel goes on */
    out(q, 0x505, 1);
    g_assert_cmpint(qc_wait_exit(q), ==, 1);
}

static void test_ib700(void)
{
    struct qclient *q = qc_start(PC "-device ib700 -watchdog-action poweroff");
    char *state;

    out(q, 0x443, 10); /* ten seconds */
    qc_clock_step(q, INT64_C(9000000000));
    out(q, 0x441, 0);
    qc_clock_step(q, INT64_C(100000000000));
    out(q, 0x443, 0);
    qc_clock_step(q, INT64_C(29000000000));
    state = qc_save(q);
    out(q, 0x441, 0);
    qc_load(q, state);
    g_free(state);
    qc_cmd(q, "inb 0x443"); /* still there */
    qc_clock_step(q, INT64_C(1000000000));
    g_assert_cmpint(qc_wait_exit(q), ==, 0);
}

static uint32_t config(struct qclient *q, unsigned reg)
{
    qc_cmd(q, "outl 0xcf8 0x%x", 0x80002800u | reg);
    return (uint32_t)g_ascii_strtoull(qc_cmd(q, "inl 0xcfc"), NULL, 0);
}

static void set_config(struct qclient *q, unsigned reg, uint32_t v)
{
    qc_cmd(q, "outl 0xcf8 0x%x", 0x80002800u | reg);
    qc_cmd(q, "outl 0xcfc 0x%x", v);
}

static void unlock(struct qclient *q, uint64_t reg)
{
    qc_writel(q, reg, 0x80);
    qc_writel(q, reg, 0x86);
}

static void test_i6300esb(void)
{
    const uint64_t bar = 0xe0000000;
    struct qclient *q = qc_start(PC "-device i6300esb,addr=5 -action watchdog=poweroff");

    g_assert_cmphex(config(q, 0), ==, 0x25ab8086);
    set_config(q, 0x10, (uint32_t)bar);
    set_config(q, 4, 2);
    qc_writel(q, bar + 0, 0x100); /* not unlocked: no effect */
    for (unsigned i = 0; i < 2; i++) {
        unlock(q, bar + 0x0c);
        qc_writel(q, bar + 4 * i, 0x3ff); /* about a second */
    }
    set_config(q, 0x68, 3); /* on, and locked */
    set_config(q, 0x68, 0);
    g_assert_cmphex(config(q, 0x68) & 7, ==, 3);
    for (unsigned i = 0; i < 5; i++) {
        qc_clock_step(q, 1500000000);
        unlock(q, bar + 0x0c);
        qc_writel(q, bar + 0x0c, 0x100);
        unlock(q, bar + 0x0c);
        g_assert_cmphex(qc_readl(q, bar + 8), ==, 1);
        qc_writel(q, bar + 8, 1);
        g_assert_cmphex(qc_readl(q, bar + 8), ==, 0);
    }
    qc_clock_step(q, 2100000000);
    g_assert_cmpint(qc_wait_exit(q), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ends/debug-exit", test_debug_exit);
    g_test_add_func("/ends/pvpanic", test_pvpanic);
    g_test_add_func("/ends/ib700", test_ib700);
    g_test_add_func("/ends/i6300esb", test_i6300esb);
    return g_test_run();
}
