/*
 * PCI functions that come and go while the machine runs: what the guest reads of it in the slots'
 * registers, when it is told, and what becomes of a function that it gives up.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include "pcio.h"
#include "qmp.h"

enum { UP = 0xae00, DOWN = 0xae04, EJECT = 0xae08, REMOVABLE = 0xae0c, BUS = 0xae10 };
enum { GPE_STATUS = 0xafe0, GPE = 1 << 1, SLOT = 5, BIT5 = 1 << SLOT };

static struct qclient *q;
static char *dir, *path;
static FILE *qmp;

static void start(const char *more)
{
    g_autofree char *args = g_strdup_printf("-machine pc -arch x86_64 -m 16M -nodefaults%s -qmp "
                                            "unix:%s,server=on,wait=off",
                                            more, path);

    q = qc_start(args);
    qmp = qmp_open(path);
    qmp_expect(qmp, "\"return\"");
}

static void stop(void)
{
    fclose(qmp);
    qc_stop(q);
    g_unlink(path);
}

static bool is_there(unsigned function)
{
    return pc_config_read(q, SLOT, function, 0, 2) != 0xffff;
}

static void add(const char *arguments, const char *answer)
{
    qmp_command_with(qmp, "device_add", arguments);
    qmp_expect(qmp, answer);
}

static void ask_to_go(const char *id, const char *answer)
{
    g_autofree char *arguments = g_strdup_printf("{\"id\":\"%s\"}", id);

    qmp_command_with(qmp, "device_del", arguments);
    qmp_expect(qmp, answer);
}

static void check_told(void)
{
    g_assert_cmphex(pc_in(q, 2, GPE_STATUS) & GPE, ==, GPE);
    pc_out(q, 2, GPE_STATUS, GPE);
    g_assert_cmphex(pc_in(q, 2, GPE_STATUS) & GPE, ==, 0);
}

/* All kinds of functions, one after the other in the same slot. */
static void test_add_and_eject(void)
{
    static const char *const types[] = {
        "e1000", "virtio-net-pci",    "virtio-rng-pci", "pci-serial", "rtl8139",
        "pcnet", "virtio-serial-pci", "i82559er",       "ne2k_pci"
    };

    start("");
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *arguments =
            g_strdup_printf("{\"driver\":\"%s\",\"id\":\"x\",\"addr\":\"5\"}", types[i]);

        g_assert_false(is_there(0));
        add(arguments, "\"return\"");
        g_assert_true(is_there(0));
        check_told();
        g_assert_cmphex(pc_in(q, 4, DOWN), ==, 0);
        g_assert_cmphex(pc_in(q, 4, UP), ==, BIT5);
        g_assert_cmphex(pc_in(q, 4, UP), ==, 0);
        g_assert_cmphex(pc_in(q, 4, REMOVABLE) & BIT5, ==, BIT5);

        /* the guest's drivers go first: until then it stays */
        pc_config_write(q, SLOT, 0, 0x10, 4, 0xfe000000);
        pc_config_write(q, SLOT, 0, 4, 2, 7);
        ask_to_go("x", "\"return\"");
        check_told();
        g_assert_cmphex(pc_in(q, 4, UP), ==, 0);
        g_assert_cmphex(pc_in(q, 4, DOWN), ==, BIT5);
        g_assert_true(is_there(0));
        pc_out(q, 4, EJECT, BIT5);
        qmp_expect(qmp, "\"DEVICE_DELETED\"");
        g_assert_false(is_there(0));
        g_assert_cmphex(pc_in(q, 4, DOWN), ==, 0);
    }
    stop();
}

/* A disk with its medium; the backend serves again. */
static void test_disk(void)
{
    char *image = pc_image_new(1 << 20);
    g_autofree char *more = g_strdup_printf(" -drive if=none,id=d,format=raw,file=%s", image);

    start(more);
    for (unsigned i = 0; i < 2; i++) {
        add("{\"driver\":\"virtio-blk-pci\",\"id\":\"x\",\"drive\":\"d\",\"addr\":\"5\"}",
            "\"return\"");
        g_assert_true(is_there(0));
        ask_to_go("x", "\"return\"");
        pc_out(q, 4, EJECT, BIT5);
        qmp_expect(qmp, "\"device\": \"x\"");
    }
    stop();
    pc_image_free(image);
}

/* A card whose network, or port whose stream, is there for the next one. */
static void test_backends(void)
{
    static const char *const devices[] = { "e1000\",\"netdev\":\"n",
                                           "virtio-net-pci\",\"netdev\":\"n",
                                           "pci-serial\",\"chardev\":\"c",
                                           "rtl8139\",\"netdev\":\"n",
                                           "virtio-net-pci\",\"netdev\":\"n\",\"iothread\":\"t",
                                           "virtio-net-pci\",\"netdev\":\"n",
                                           "pci-serial\",\"chardev\":\"c" };

    start(" -netdev user,id=n -chardev null,id=c -object iothread,id=t");
    for (unsigned i = 0; i < G_N_ELEMENTS(devices); i++) {
        g_autofree char *arguments =
            g_strdup_printf("{\"driver\":\"%s\",\"id\":\"x\",\"addr\":\"5\"}", devices[i]);

        add(arguments, "\"return\"");
        ask_to_go("x", "\"return\"");
        pc_out(q, 4, EJECT, BIT5);
        qmp_expect(qmp, "\"device\": \"x\"");
        g_assert_false(is_there(0));
    }
    stop();
}

/* A slot is complete with function 0, and goes as a whole. */
static void test_functions(void)
{
    start("");
    add("{\"driver\":\"virtio-rng-pci\",\"id\":\"y\",\"addr\":\"5.1\"}", "\"return\"");
    g_assert_cmphex(pc_in(q, 4, UP), ==, 0);
    add("{\"driver\":\"virtio-rng-pci\",\"id\":\"x\",\"addr\":\"5\",\"multifunction\":true}",
        "\"return\"");
    g_assert_cmphex(pc_in(q, 4, UP), ==, BIT5);
    pc_out(q, 4, BUS, 1); /* there is no other bus */
    pc_out(q, 4, EJECT, BIT5);
    g_assert_cmphex(pc_in(q, 4, REMOVABLE), ==, 0);
    pc_out(q, 4, BUS, 0);
    g_assert_true(is_there(0) && is_there(1));
    pc_out(q, 4, EJECT, BIT5);
    qmp_expect(qmp, "\"DEVICE_DELETED\"");
    qmp_expect(qmp, "\"DEVICE_DELETED\"");
    g_assert_false(is_there(0) || is_there(1));
    stop();
}

/* What a guest never answered goes with the next reset; what belongs to the board stays. */
static void test_reset(void)
{
    start(" -device VGA,id=v,addr=2");
    add("{\"driver\":\"virtio-rng-pci\",\"id\":\"x\",\"addr\":\"5\"}", "\"return\"");
    ask_to_go("x", "\"return\"");
    ask_to_go("v", "cannot be unplugged");
    ask_to_go("w", "not found");
    g_assert_cmphex(pc_in(q, 4, REMOVABLE), ==, 0xfffffff8);
    pc_out(q, 4, EJECT, 7);
    g_assert_cmphex(pc_config_read(q, 0, 0, 0, 4), ==, 0x12378086);
    qmp_command(qmp, "system_reset");
    qmp_expect(qmp, "\"DEVICE_DELETED\"");
    g_assert_false(is_there(0));
    g_assert_cmphex(pc_in(q, 4, UP), ==, 0);
    stop();
}

static void test_off(void)
{
    start(" -global PIIX4_PM.acpi-root-pci-hotplug=off");
    add("{\"driver\":\"virtio-rng-pci\"}", "cannot be added to a running machine");
    g_assert_cmphex(pc_in(q, 4, UP), ==, 0xffffffff);
    stop();
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("pcihp-XXXXXX", NULL);
    path = g_build_filename(dir, "qmp", NULL);
    g_test_add_func("/pcihp/add-and-eject", test_add_and_eject);
    g_test_add_func("/pcihp/disk", test_disk);
    g_test_add_func("/pcihp/backends", test_backends);
    g_test_add_func("/pcihp/functions", test_functions);
    g_test_add_func("/pcihp/reset", test_reset);
    g_test_add_func("/pcihp/off", test_off);
    status = g_test_run();
    g_rmdir(dir);
    return status;
}
