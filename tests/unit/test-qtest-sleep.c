/*
 * Suspend to RAM: what the guest asks for through PM1 control, what wakes it up, and what it finds
 * then.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include "pcio.h"
#include "qmp.h"

enum { PM = 0x600, STATUS = PM, ENABLE = PM + 2, CONTROL = PM + 4, RAM = 0x200000 };
enum { WAKE = 0x8000, RTC = 0x0400, POWER = 0x0100, SLEEP_S3 = 1 << 13 | 1 << 10 };

static struct qclient *q;
static char *dir, *path;
static FILE *qmp;

/* What a test needs of the chips, as firmware sets them up: after each reset. */
static void place_pm(void)
{
    pc_config_write(q, 1, 3, 0x40, 4, PM | 1);
    pc_config_write(q, 1, 3, 0x80, 1, 1);
}

static void start(const char *more)
{
    g_autofree char *args = g_strdup_printf("-machine pc -arch x86_64 -m 16M -rtc clock=vm%s "
                                            "-qmp unix:%s,server=on,wait=off",
                                            more, path);

    q = qc_start(args);
    qc_cmd(q, "clock_step 0");
    qmp = qmp_open(path);
    place_pm();
}

static void stop(void)
{
    fclose(qmp);
    qc_stop(q);
    g_unlink(path);
}

static uint8_t cmos(uint8_t i)
{
    pc_out(q, 1, 0x70, i);
    return (uint8_t)pc_in(q, 1, 0x71);
}

static void set_cmos(uint8_t i, uint8_t v)
{
    pc_out(q, 1, 0x70, i);
    pc_out(q, 1, 0x71, v);
}

static void fall_asleep(void)
{
    qc_writel(q, RAM, 0x12345678);
    pc_config_write(q, 0, 0, 0x5c, 4, 0x11111111); /* PAM: firmware runs in RAM */
    pc_out(q, 2, CONTROL, SLEEP_S3);
    qmp_expect(qmp, "\"SUSPEND\"");
    qmp_command(qmp, "query-status");
    qmp_expect(qmp, "\"suspended\"");
}

static void check_awake(uint16_t cause)
{
    qmp_expect(qmp, "\"WAKEUP\"");
    qmp_command(qmp, "query-status");
    qmp_expect(qmp, "\"running\"");
    g_assert_cmphex(pc_config_read(q, 1, 3, 0x40, 4), ==, 1); /* chips were reset */
    g_assert_cmphex(pc_config_read(q, 0, 0, 0x5c, 4), ==, 0x11111111);
    place_pm();
    g_assert_cmphex(pc_in(q, 2, STATUS), ==, WAKE | cause);
    g_assert_cmphex(qc_readl(q, RAM), ==, 0x12345678);
    g_assert_cmphex(cmos(0x0f), ==, 0xfe);
}

static void test_wakeup(void)
{
    start("");
    qmp_command(qmp, "query-current-machine");
    qmp_expect(qmp, "\"wakeup-suspend-support\": true");
    fall_asleep();
    qmp_command(qmp, "system_wakeup");
    check_awake(POWER);
    fall_asleep();
    qmp_command(qmp, "system_powerdown");
    check_awake(POWER);
    /* it is not asleep any more */
    qmp_command(qmp, "system_wakeup");
    qmp_expect(qmp, "\"error\"");
    stop();
}

/* An alarm at each second, which the guest has enabled as a cause. */
static void test_alarm(void)
{
    start("");
    set_cmos(1, 0xc0);
    set_cmos(3, 0xc0);
    set_cmos(5, 0xc0);
    set_cmos(11, 0x22);
    pc_out(q, 2, ENABLE, RTC);
    fall_asleep();
    qc_clock_step(q, 2000000000);
    check_awake(RTC);
    stop();
}

static void test_disabled(void)
{
    start(" -global PIIX4_PM.disable_s3=1");
    pc_out(q, 2, CONTROL, SLEEP_S3);
    qmp_command(qmp, "query-status");
    qmp_expect(qmp, "\"running\"");
    stop();
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("sleep-XXXXXX", NULL);
    path = g_build_filename(dir, "qmp", NULL);
    g_test_add_func("/sleep/wakeup", test_wakeup);
    g_test_add_func("/sleep/alarm", test_alarm);
    g_test_add_func("/sleep/disabled", test_disabled);
    status = g_test_run();
    g_rmdir(dir);
    return status;
}
