/* PLIC, ACLINT and finisher of the board virt, and its memory map. */
#include <glib.h>
#include "qclient.h"

#define PLIC         0xc000000u
#define PRIORITY(n)  (PLIC + 4 * (n))
#define PENDING(n)   (PLIC + 0x1000 + 4 * ((n) / 32))
#define ENABLE(c, n) (PLIC + 0x2000 + 0x80 * (c) + 4 * ((n) / 32))
#define THRESHOLD(c) (PLIC + 0x200000 + 0x1000 * (c))
#define CLAIM(c)     (THRESHOLD(c) + 4)
#define MSIP         0x2000000u
#define MTIMECMP     0x2004000u
#define MTIME        0x200bff8u
#define SSWI         0x2f00000u

static void drive(struct qclient *q, unsigned n, bool level)
{
    qc_cmd(q, "set_irq_in /machine/plic unnamed-gpio-in %u %d", n, level);
}

static void test_plic(void)
{
    struct qclient *q = qc_start("-machine virt -arch riscv64 -smp 2");
    char *state;

    qc_intercept(q, "/machine/plic", true);
    qc_writel(q, PRIORITY(5), 3);
    qc_writel(q, PRIORITY(6), 3);
    qc_writel(q, PRIORITY(40), 0xffffffff);
    g_assert_cmphex(qc_readl(q, PRIORITY(40)), ==, 7);
    qc_writel(q, PRIORITY(0), 5);
    g_assert_cmphex(qc_readl(q, PRIORITY(0)), ==, 0);
    qc_writel(q, ENABLE(1, 0), 0xffffffff);
    g_assert_cmphex(qc_readl(q, ENABLE(1, 0)), ==, 0xfffffffe);
    qc_writel(q, ENABLE(1, 96), 0xffffffff);
    g_assert_cmphex(qc_readl(q, ENABLE(1, 96)), ==, 1);
    qc_writel(q, ENABLE(1, 32), 1 << 8);

    /* lowest number first among equals; the higher priority before all */
    drive(q, 6, true);
    g_assert_true(qc_irq(q, 1));
    g_assert_false(qc_irq(q, 0) || qc_irq(q, 2) || qc_irq(q, 3));
    drive(q, 5, true);
    drive(q, 40, true);
    g_assert_cmphex(qc_readl(q, PENDING(0)), ==, 0x60);
    g_assert_cmphex(qc_readl(q, PENDING(40)), ==, 0x100);
    g_assert_cmpuint(qc_readl(q, CLAIM(0)), ==, 0); /* enabled for nobody there */
    g_assert_cmpuint(qc_readl(q, CLAIM(1)), ==, 40);

    state = qc_save(q);
    g_assert_cmpuint(qc_readl(q, CLAIM(1)), ==, 5);
    g_assert_cmpuint(qc_readl(q, CLAIM(1)), ==, 6);
    g_assert_cmpuint(qc_readl(q, CLAIM(1)), ==, 0);
    g_assert_false(qc_irq(q, 1));
    qc_load(q, state);
    g_free(state);
    g_assert_true(qc_irq(q, 1));
    g_assert_cmpuint(qc_readl(q, CLAIM(1)), ==, 5);

    /* the threshold holds back, but claims do not look at it */
    qc_writel(q, THRESHOLD(1), 3);
    g_assert_false(qc_irq(q, 1));
    qc_writel(q, THRESHOLD(1), 2);
    g_assert_true(qc_irq(q, 1));
    qc_writel(q, THRESHOLD(1), 7);
    g_assert_cmpuint(qc_readl(q, CLAIM(1)), ==, 6);
    qc_writel(q, THRESHOLD(1), 0);
    g_assert_false(qc_irq(q, 1));

    /* still high at completion: again; completion by somebody else does nothing */
    qc_writel(q, CLAIM(0), 6);
    g_assert_false(qc_irq(q, 1));
    qc_writel(q, CLAIM(1), 6);
    g_assert_true(qc_irq(q, 1));
    /* falls before the claim: the request stays; low at completion: over */
    drive(q, 6, false);
    g_assert_cmpuint(qc_readl(q, CLAIM(1)), ==, 6);
    qc_writel(q, CLAIM(1), 6);
    g_assert_false(qc_irq(q, 1));
    qc_stop(q);
}

static void test_aclint(void)
{
    struct qclient *q = qc_start("-machine virt,aclint=on -arch riscv64 -smp 2");
    char *state;

    qc_intercept(q, "/machine/mtimer", true);
    g_assert_cmpuint(qc_readq(q, MTIME), ==, 0);
    qc_clock_step(q, 12345);
    g_assert_cmpuint(qc_readq(q, MTIME), ==, 123);
    qc_writeq(q, MTIMECMP + 8, 200);
    g_assert_cmpuint(qc_readl(q, MTIMECMP + 8), ==, 200);
    qc_clock_step(q, 20000 - 12345 - 1);
    g_assert_false(qc_irq(q, 1));
    state = qc_save(q);
    g_assert_cmpint(qc_clock_step(q, -1), ==, 20000);
    g_assert_true(qc_irq(q, 1));
    g_assert_false(qc_irq(q, 0));
    qc_load(q, state);
    g_free(state);
    g_assert_false(qc_irq(q, 1));
    qc_clock_step(q, 1);
    g_assert_true(qc_irq(q, 1));

    /* halves; a compare value in the past raises at once, one never reached lowers */
    qc_writel(q, MTIMECMP + 12, 1);
    g_assert_false(qc_irq(q, 1));
    g_assert_cmphex(qc_readq(q, MTIMECMP + 8), ==, UINT64_C(0x1000000c8));
    qc_writeq(q, MTIMECMP, 0);
    g_assert_true(qc_irq(q, 0));
    qc_writeq(q, MTIMECMP, UINT64_MAX);
    g_assert_false(qc_irq(q, 0));
    /* setting the time forward reaches them */
    qc_writeq(q, MTIME, UINT64_C(0x100000000));
    g_assert_false(qc_irq(q, 1));
    qc_writel(q, MTIME, 0xc8);
    g_assert_true(qc_irq(q, 1));
    qc_clock_step(q, 100);
    g_assert_cmphex(qc_readq(q, MTIME), ==, UINT64_C(0x1000000c9));
    /* a reset starts time anew, and timers know */
    qc_reset(q);
    g_assert_cmphex(qc_readq(q, MTIME), ==, 0);
    g_assert_false(qc_irq(q, 0) || qc_irq(q, 1));
    qc_writeq(q, MTIMECMP, 10);
    qc_clock_step(q, 999);
    g_assert_false(qc_irq(q, 0));
    qc_clock_step(q, 1);
    g_assert_true(qc_irq(q, 0));
    qc_stop(q);

    q = qc_start("-machine virt,aclint=on -arch riscv64 -smp 2");
    qc_intercept(q, "/machine/mswi", true);
    qc_writel(q, MSIP + 4, 0xffffffff);
    g_assert_true(qc_irq(q, 1));
    g_assert_cmphex(qc_readl(q, MSIP + 4), ==, 1);
    state = qc_save(q);
    qc_writel(q, MSIP + 4, 0);
    g_assert_false(qc_irq(q, 1));
    qc_load(q, state);
    g_free(state);
    g_assert_true(qc_irq(q, 1));
    qc_writel(q, MSIP + 8, 1);
    g_assert_false(qc_irq(q, 2));
    qc_reset(q);
    g_assert_false(qc_irq(q, 1));
    qc_stop(q);

    q = qc_start("-machine virt,aclint=on -arch riscv64 -smp 2");
    qc_intercept(q, "/machine/sswi", true);
    qc_writel(q, SSWI, 1);
    g_assert_true(qc_irq(q, 0));
    g_assert_cmphex(qc_readl(q, SSWI), ==, 0);
    qc_stop(q);
}

static void test_finisher(void)
{
    struct qclient *q = qc_start("-machine virt -arch riscv64");

    qc_try(q, "writel 0x100000 0x123333");
    g_assert_cmpint(qc_wait_exit(q), ==, 0x12);
    q = qc_start("-machine virt -arch riscv64");
    qc_writel(q, 0x100000, 0x1234); /* means nothing */
    qc_writel(q, 0x80400000, 77);
    qc_try(q, "writel 0x100000 0x5555");
    g_assert_cmpint(qc_wait_exit(q), ==, 0);
}

static void test_map(void)
{
    struct qclient *q = qc_start("-machine virt -arch riscv64 -m 64M");
    uint32_t code, fdt;

    /* the reset vector is ROM, and its words survive a reset */
    code = qc_readl(q, 0x1000);
    g_assert_cmphex(code, ==, 0x00000297);
    qc_writel(q, 0x1000, 0);
    g_assert_cmphex(qc_readl(q, 0x1000), ==, code);
    g_assert_cmphex(qc_readq(q, 0x1018), ==, 0x80000000);
    fdt = (uint32_t)qc_readq(q, 0x1020);
    g_assert_cmphex(qc_readl(q, fdt), ==, 0xedfe0dd0);
    qc_writel(q, fdt, 0);
    qc_reset(q);
    g_assert_cmphex(qc_readl(q, fdt), ==, 0xedfe0dd0);
    g_assert_cmphex(qc_readl(q, 0x83fffffc), ==, 0);
    qc_writel(q, 0x83fffffc, 5);
    g_assert_cmphex(qc_readl(q, 0x83fffffc), ==, 5);
    g_assert_cmphex(qc_readl(q, 0x84000000), ==, 0);
    qc_stop(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/riscv/plic", test_plic);
    g_test_add_func("/riscv/aclint", test_aclint);
    g_test_add_func("/riscv/finisher", test_finisher);
    g_test_add_func("/riscv/map", test_map);
    return g_test_run();
}
