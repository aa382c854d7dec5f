/* Log items, files and address ranges; the nearest name to a misspelt one. */
#include <base/error.h>
#include <base/log.h>

#include <glib/gstdio.h>

static void assert_items(const char *list, const char *on)
{
    g_autofree char *now = NULL;

    g_assert_true(log_set_items(list, NULL));
    now = log_get_items();
    g_assert_cmpstr(now, ==, on);
}

static void test_items(void)
{
    g_autoptr(GError) err = NULL;

    assert_items("int,guest_errors", "int,guest_errors");
    assert_items("int,exec,-int", "exec");
    assert_items("all,-all", "none");
    assert_items("", "none");
    assert_items("none", "none");
    g_assert_true(log_set_items("mmu", NULL));
    g_assert_false(log_set_items("int,guest_erors", &err));
    g_assert_cmpstr(err->message, ==,
                    "-d: there is no log item 'guest_erors'; did you mean 'guest_errors'?");
    g_assert_true(log_on(LOG_MMU)); /* an error changes nothing */
    g_assert_false(log_on(LOG_INT));
    assert_items("none", "none");
}

static void test_filter(void)
{
    static const char *const bad[] = {
        "", "1", "1+", "1+0", "2..1", "x..y", "1..2z", "-1+2", "1-3", "1+2,", "0xffffffffffffffff+2"
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) err = NULL;

        g_test_message("%s", bad[i]);
        g_assert_false(log_set_filter(bad[i], &err));
        g_assert_nonnull(err);
    }
    g_assert_true(log_wanted_slow(5));
    g_assert_true(
        log_set_filter("0x1000+0x10,0x2000..0x2003,0x3000-0x10,0xffffffffffffffff+1", NULL));
    g_assert_false(log_wanted_slow(0xfff));
    g_assert_true(log_wanted_slow(0x1000));
    g_assert_true(log_wanted_slow(0x100f));
    g_assert_false(log_wanted_slow(0x1010));
    g_assert_true(log_wanted_slow(0x2003));
    g_assert_false(log_wanted_slow(0x2004));
    g_assert_true(log_wanted_slow(0x3000));
    g_assert_false(log_wanted_slow(0x2ff0));
    g_assert_true(log_wanted_slow(0x2ff1));
    g_assert_true(log_wanted_slow(UINT64_MAX));
    log_close();
    g_assert_true(log_wanted_slow(5));
}

static void test_file_and_limit(void)
{
    g_autofree char *dir = g_dir_make_tmp("myna-log-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "log", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    guint count;

    g_assert_true(log_set_file(path, NULL));
    g_assert_true(log_set_items("guest_errors", NULL));
    for (int i = 0; i < 10000; i++) {
        log_guest_error("bad write %d\n", i);
    }
    log_printf(LOG_INT, "not shown\n");
    g_assert_true(log_set_items("none", NULL));
    log_close();
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    count = g_strv_length(lines) - 1;
    g_assert_cmpstr(lines[0], ==, "bad write 0");
    g_assert_cmpuint(count, >=, 10);
    g_assert_cmpuint(count, <, 5000); /* ten a second, however slow the host */
    g_assert_null(strstr(text, "not shown"));
    g_unlink(path);
    g_rmdir(dir);
}

static void test_file_errors(void)
{
    GError *err = NULL;

    g_assert_false(log_set_file("/nonexistent/x", &err));
    g_assert_nonnull(err);
    g_clear_error(&err);
    g_assert_false(log_set_file("x%s", &err));
    g_clear_error(&err);
    g_assert_false(log_set_file("x%d%d", &err));
    g_clear_error(&err);
}

static void test_nearest(void)
{
    static const char *const names[] = { "virtio-blk-device", "virtio-blk-pci", "virtio-net-pci",
                                         "virt", NULL };

    g_assert_cmpstr(nearest_of("virtio-blk-pic", names), ==, "virtio-blk-pci");
    g_assert_cmpstr(nearest_of("virtio-nte-pci", names), ==, "virtio-net-pci");
    g_assert_cmpstr(nearest_of("vrit", names), ==, "virt");
    g_assert_cmpstr(nearest_of("virtio-blk", names), ==, "virtio-blk-pci");
    g_assert_null(nearest_of("e1000", names));
    g_assert_null(nearest_of("", names));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log/items", test_items);
    g_test_add_func("/log/filter", test_filter);
    g_test_add_func("/log/file", test_file_and_limit);
    g_test_add_func("/log/file-errors", test_file_errors);
    g_test_add_func("/error/nearest", test_nearest);
    return g_test_run();
}
