/* Option ROMs of PCI functions: what is shown, where, and what is refused. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "pcio.h"
#include "qclient.h"

#define SLOT     4
#define ROM      0x30
#define COMMAND  4
#define PLACE    0xd0000000u
#define OTHER    0xd0800000u
#define ROM_SIZE 3000

static char *path;
static uint8_t image[ROM_SIZE];

static void make_image(void)
{
    int fd = g_file_open_tmp("myna-rom-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    for (unsigned i = 0; i < ROM_SIZE; i++)
        image[i] = (uint8_t)(i * 7 + (i >> 8));
    image[0] = 0x55;
    image[1] = 0xaa;
    g_assert_cmpint(write(fd, image, ROM_SIZE), ==, ROM_SIZE);
    close(fd);
}

static struct qclient *start(const char *options)
{
    g_autofree char *args = g_strdup_printf(
        "-machine pc -arch x86_64 -nodefaults -m 16M -device %s,addr=%x", options, SLOT);

    return qc_start(args);
}

static uint32_t reg(struct qclient *q)
{
    return pc_config_read(q, SLOT, 0, ROM, 4);
}

static void set(struct qclient *q, uint32_t v)
{
    pc_config_write(q, SLOT, 0, ROM, 4, v);
}

static void test_place(void)
{
    g_autofree char *options = g_strdup_printf("pvpanic-pci,romfile=%s", path);
    struct qclient *q = start(options);
    uint8_t got[4096];

    /* 6.2.5.2: all ones ask for the size, here rounded up to 4 KiB; bit 0 enables */
    set(q, 0xfffffffe);
    g_assert_cmphex(reg(q), ==, 0xfffff000);
    set(q, PLACE | 1);
    g_assert_cmphex(reg(q), ==, PLACE | 1);
    g_assert_cmphex(qc_readl(q, PLACE), ==, 0xffffffff); /* memory is not enabled yet */
    pc_config_write(q, SLOT, 0, COMMAND, 2, 2);
    qc_memread(q, PLACE, got, sizeof(got));
    g_assert_cmpmem(got, ROM_SIZE, image, ROM_SIZE);
    g_assert_cmphex(got[ROM_SIZE], ==, 0xff);
    qc_writel(q, PLACE, 0);
    g_assert_cmphex(qc_readl(q, PLACE) & 0xffff, ==, 0xaa55);

    set(q, OTHER | 1);
    g_assert_cmphex(qc_readl(q, PLACE), ==, 0xffffffff);
    g_assert_cmphex(qc_readl(q, OTHER) & 0xffff, ==, 0xaa55);
    set(q, OTHER);
    g_assert_cmphex(qc_readl(q, OTHER), ==, 0xffffffff);

    set(q, PLACE | 1);
    qc_reset(q);
    g_assert_cmphex(reg(q), ==, 0);
    g_assert_cmphex(qc_readl(q, PLACE), ==, 0xffffffff);
    qc_stop(q);
}

/* Where there is none, the register is not there either. */
static void test_none(void)
{
    g_autofree char *hidden = g_strdup_printf("pvpanic-pci,romfile=%s,rombar=0", path);
    const char *const options[] = { "pvpanic-pci", "VGA,romfile=", hidden };

    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        struct qclient *q = start(options[i]);

        set(q, 0xffffffff);
        g_assert_cmphex(reg(q), ==, 0);
        qc_stop(q);
    }
}

static void test_bridge(void)
{
    g_autofree char *options = g_strdup_printf("pci-bridge,romfile=%s", path);
    struct qclient *q = start(options);

    pc_config_write(q, SLOT, 0, 0x38, 4, PLACE | 1);
    pc_config_write(q, SLOT, 0, COMMAND, 2, 2);
    g_assert_cmphex(qc_readl(q, PLACE) & 0xffff, ==, 0xaa55);
    qc_stop(q);
}

static void refused(const char *file, const char *says)
{
    g_autofree char *device = g_strdup_printf("pvpanic-pci,romfile=%s", file);
    g_autofree char *text = NULL;
    const char *argv[] = { g_getenv("MYNA"), "-machine", "pc", "-arch",   "x86_64", "-nodefaults",
                           "-display",       "none",     "-S", "-device", device,   NULL };
    int status;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                               NULL, &text, &status, NULL));
    g_assert_false(g_spawn_check_wait_status(status, NULL));
    g_assert_nonnull(strstr(text, says));
}

static void test_bad(void)
{
    refused("/dev/null", "pvpanic-pci.romfile: '/dev/null' is not a regular file");
    refused("/no/such/file.rom", "pvpanic-pci.romfile: cannot open '/no/such/file.rom'");
    refused("no-such-file.rom", "pvpanic-pci.romfile: cannot open 'no-such-file.rom'");
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    make_image();
    g_test_add_func("/rom/place", test_place);
    g_test_add_func("/rom/none", test_none);
    g_test_add_func("/rom/bridge", test_bridge);
    g_test_add_func("/rom/bad", test_bad);
    result = g_test_run();
    g_unlink(path);
    g_free(path);
    return result;
}
