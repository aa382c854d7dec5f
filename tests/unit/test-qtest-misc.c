/* Real-time clock and fw_cfg of the board virt. */
#include <glib.h>
#include "qclient.h"

#define RTC    0x101000u
#define FW_CFG 0x10100000u
#define RAM    0x80000000u

static uint64_t rtc_now(struct qclient *q)
{
    uint64_t low = qc_readl(q, RTC);

    return (uint64_t)qc_readl(q, RTC + 4) << 32 | low;
}

static void set_alarm(struct qclient *q, uint64_t at)
{
    qc_writel(q, RTC + 0xc, (uint32_t)(at >> 32));
    qc_writel(q, RTC + 8, (uint32_t)at);
}

static void test_rtc(void)
{
    struct qclient *q =
        qc_start("-machine virt -arch riscv64 -rtc base=2026-01-31T12:00:00,clock=vm");
    const uint64_t base = UINT64_C(1769860800) * 1000000000;
    char *state;

    qc_intercept(q, "/machine/plic", false);
    g_assert_cmpuint(rtc_now(q), ==, base);
    qc_clock_step(q, 5000000000);
    g_assert_cmpuint(rtc_now(q), ==, base + 5000000000);

    set_alarm(q, base + 6000000000);
    g_assert_cmpuint(qc_readl(q, RTC + 0x18), ==, 1);
    state = qc_save(q);
    qc_clock_step(q, 1000000000);
    g_assert_cmpuint(qc_readl(q, RTC + 0x18), ==, 0);
    g_assert_false(qc_irq(q, 11)); /* not enabled */
    qc_writel(q, RTC + 0x10, 1);
    g_assert_true(qc_irq(q, 11));
    qc_writel(q, RTC + 0x1c, 1);
    g_assert_false(qc_irq(q, 11));

    qc_load(q, state);
    g_free(state);
    qc_writel(q, RTC + 0x10, 1);
    qc_writel(q, RTC + 0x14, 1); /* clear the alarm */
    qc_clock_step(q, 2000000000);
    g_assert_false(qc_irq(q, 11));
    set_alarm(q, 1); /* in the past: at once */
    g_assert_true(qc_irq(q, 11));
    qc_writel(q, RTC + 0x1c, 1);

    /* the guest sets its clock; alarms follow */
    set_alarm(q, 2000000000);
    qc_writel(q, RTC + 0x1c, 1);
    qc_writel(q, RTC + 4, 0);
    qc_writel(q, RTC, 1000000000);
    g_assert_cmpuint(rtc_now(q), ==, 1000000000);
    set_alarm(q, 2000000000);
    g_assert_false(qc_irq(q, 11));
    qc_clock_step(q, 999999999);
    g_assert_false(qc_irq(q, 11));
    qc_clock_step(q, 1);
    g_assert_true(qc_irq(q, 11));
    qc_stop(q);
}

static void select_key(struct qclient *q, uint16_t key)
{
    qc_writew(q, FW_CFG + 8, GUINT16_SWAP_LE_BE(key));
}

static void dma(struct qclient *q, uint32_t control, uint32_t len, uint64_t addr)
{
    uint8_t b[16];
    uint32_t c = GUINT32_TO_BE(control), l = GUINT32_TO_BE(len);
    uint64_t a = GUINT64_TO_BE(addr);

    memcpy(b, &c, 4);
    memcpy(b + 4, &l, 4);
    memcpy(b + 8, &a, 8);
    qc_memwrite(q, RAM + 0x1000, b, sizeof(b));
    qc_writel(q, FW_CFG + 16, 0);
    qc_writel(q, FW_CFG + 20, GUINT32_SWAP_LE_BE(RAM + 0x1000));
}

static uint32_t dma_control(struct qclient *q)
{
    return GUINT32_SWAP_LE_BE(qc_readl(q, RAM + 0x1000));
}

static void test_fw_cfg(void)
{
    struct qclient *q = qc_start("-machine virt -arch riscv64 -smp 3 -m 64M");
    char text[9] = { 0 };
    uint8_t buf[16];
    char *state;

    /* byte by byte, past the end zeroes; wide reads have the first byte lowest in memory */
    select_key(q, 0);
    for (const char *p = "QEMU"; *p; p++)
        g_assert_cmphex(qc_readb(q, FW_CFG), ==, *p);
    g_assert_cmphex(qc_readb(q, FW_CFG), ==, 0);
    select_key(q, 0);
    g_assert_cmphex(qc_readl(q, FW_CFG), ==, 0x554d4551);
    select_key(q, 1);
    g_assert_cmphex(qc_readl(q, FW_CFG), ==, 3);
    select_key(q, 5);
    g_assert_cmphex(qc_readw(q, FW_CFG), ==, 3);
    select_key(q, 0x77);
    g_assert_cmphex(qc_readq(q, FW_CFG), ==, 0);
    qc_memread(q, FW_CFG + 16, text, 8);
    g_assert_cmpstr(text, ==, "QEMU CFG");

    dma(q, 3u << 16 | 8 | 2, 8, RAM + 0x2000); /* select RAM size and read it */
    g_assert_cmphex(dma_control(q), ==, 0);
    g_assert_cmphex(qc_readq(q, RAM + 0x2000), ==, 64 << 20);
    dma(q, 0u << 16 | 8 | 4, 2, 0); /* skip two bytes of the signature */
    state = qc_save(q);
    g_assert_cmphex(qc_readb(q, FW_CFG), ==, 'M');
    g_assert_cmphex(qc_readb(q, FW_CFG), ==, 'U');
    qc_load(q, state);
    g_free(state);
    g_assert_cmphex(qc_readb(q, FW_CFG), ==, 'M');

    /* nothing here may be written; nothing outside of memory read to; no way around in circles */
    dma(q, 0u << 16 | 8 | 0x10, 4, RAM + 0x2000);
    g_assert_cmphex(dma_control(q), ==, 1);
    dma(q, 0u << 16 | 8 | 2, 4, 0x18000000);
    g_assert_cmphex(dma_control(q), ==, 1);
    dma(q, 0u << 16 | 8 | 2, 8, FW_CFG + 16);
    g_assert_cmphex(dma_control(q), ==, 1);
    dma(q, 0u << 16 | 8 | 2, 16, RAM + 0x3ff8);
    qc_memread(q, RAM + 0x3ff8, buf, 16);
    g_assert_cmpmem(buf, 16, "QEMU\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    qc_stop(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/misc/rtc", test_rtc);
    g_test_add_func("/misc/fw_cfg", test_fw_cfg);
    return g_test_run();
}
