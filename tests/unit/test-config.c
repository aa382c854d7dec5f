/* The command line as a whole, and the guest's name from an image's first bytes. */
#include <base/bits.h>

#include <glib/gstdio.h>

#include "main/config.h"

static struct config *parse(GError **err, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    struct config *c = config_new("/usr/bin/myna");

    if (!config_parse(c, (int)g_strv_length(words), words, err)) {
        config_free(c);
        return NULL;
    }
    return c;
}

static void test_merge_and_order(void)
{
    struct config *c =
        parse(NULL, "-M virt -machine aclint=on -smp 2 -smp maxcpus=4 -device a,x=1 "
                    "--device b -append a=b -append c -s -S -accel kvm:tcg,tb-size=8 "
                    "-accel interp -serial null -serial none");
    const char *const accels[] = { "kvm", "tcg", "interp" };

    g_assert_cmpstr(opts_str(c->one[ONE_MACHINE], "type", NULL), ==, "virt");
    g_assert_cmpstr(opts_str(c->one[ONE_MACHINE], "aclint", NULL), ==, "on");
    g_assert_cmpstr(opts_str(c->one[ONE_SMP], "cpus", NULL), ==, "2");
    g_assert_cmpstr(opts_str(c->one[ONE_SMP], "maxcpus", NULL), ==, "4");
    g_assert_cmpuint(c->lists[LIST_DEVICE]->len, ==, 2);
    g_assert_cmpstr(opts_str(c->lists[LIST_DEVICE]->pdata[0], "driver", NULL), ==, "a");
    g_assert_cmpstr(opts_str(c->lists[LIST_DEVICE]->pdata[1], "driver", NULL), ==, "b");
    g_assert_cmpstr(c->text[TEXT_APPEND], ==, "c");
    g_assert_cmpstr(c->text[TEXT_GDB], ==, "tcp::1234");
    g_assert_true(c->flag[FLAG_STOPPED]);
    g_assert_cmpuint(c->accels->len, ==, G_N_ELEMENTS(accels));
    for (guint i = 0; i < c->accels->len; i++) {
        g_assert_cmpstr(opts_str(c->accels->pdata[i], "accel", NULL), ==, accels[i]);
    }
    g_assert_cmpstr(opts_str(c->accels->pdata[1], "tb-size", NULL), ==, "8");
    g_assert_cmpuint(c->streams[STREAMS_SERIAL]->len, ==, 2);
    config_free(c);
}

static void test_config_file(void)
{
    g_autofree char *path = NULL, *line = NULL;
    int fd = g_file_open_tmp("myna-config-XXXXXX", &path, NULL);
    struct config *c;

    g_assert_true(
        g_file_set_contents(path,
                            "[machine]\n type = \"virt\"\n"
                            "[drive \"d0\"]\n file = \"a,b\"\n[device]\n driver = \"x\"\n",
                            -1, NULL));
    line = g_strconcat("-device first -readconfig ", path, NULL);
    c = parse(NULL, line);
    g_unlink(path);
    g_close(fd, NULL);
    g_assert_nonnull(c);
    g_assert_cmpstr(opts_str(c->one[ONE_MACHINE], "type", NULL), ==, "virt");
    g_assert_cmpstr(opts_str(c->lists[LIST_DRIVE]->pdata[0], "id", NULL), ==, "d0");
    g_assert_cmpstr(opts_str(c->lists[LIST_DRIVE]->pdata[0], "file", NULL), ==, "a,b");
    g_assert_cmpuint(c->lists[LIST_DEVICE]->len, ==, 2);
    config_free(c);
}

static void test_bad(void)
{
    static const char *const lines[] = { "-",    "--",        "---m 1",    "m",
                                         "-smp", "-device =", "-net user", "" };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) err = NULL;
        struct config *c = parse(&err, lines[i]);

        g_test_message("'%s'", lines[i]);
        if (*lines[i]) {
            g_assert_null(c);
            g_assert_nonnull(err);
            g_assert_null(strchr(err->message, '\n'));
        }
        config_free(c);
    }
}

static void test_program_name(void)
{
    struct config *c = config_new("/x/qemu-system-riscv32");

    g_assert_cmpstr(config_arch(c), ==, "riscv32");
    c->text[TEXT_ARCH] = g_strdup("riscv64");
    g_assert_cmpstr(config_arch(c), ==, "riscv64");
    config_free(c);
    c = config_new("myna");
    g_assert_cmpstr(config_arch(c), ==, MYNA_HOST);
    config_free(c);
}

static void test_images(void)
{
    uint8_t b[1024] = { 0 };

    g_assert_null(arch_of_image(b, sizeof(b)));
    memcpy(b, "\177ELF\2\1", 6);
    stw_le(b + 18, 243);
    g_assert_cmpstr(arch_of_image(b, sizeof(b)), ==, "riscv64");
    b[4] = 1;
    g_assert_cmpstr(arch_of_image(b, 64), ==, "riscv32");
    g_assert_null(arch_of_image(b, 63));
    stw_le(b + 18, 0xffff);
    g_assert_null(arch_of_image(b, sizeof(b)));

    memset(b, 0, sizeof(b));
    memcpy(b + 56, "RSC\5", 4);
    g_assert_cmpstr(arch_of_image(b, 64), ==, "riscv64");
    memcpy(b + 56, "ARM\x64", 4);
    g_assert_cmpstr(arch_of_image(b, 64), ==, "aarch64");

    /* A PE header wins; one that points nowhere is not read. */
    memcpy(b, "MZ", 2);
    stl_le(b + 0x3c, 0x80);
    memcpy(b + 0x80, "PE\0\0", 4);
    stw_le(b + 0x84, 0x5064);
    g_assert_cmpstr(arch_of_image(b, sizeof(b)), ==, "riscv64");
    for (uint32_t at = sizeof(b) - 6; at < sizeof(b) + 2; at++) {
        stl_le(b + 0x3c, at);
        g_assert_cmpstr(arch_of_image(b, sizeof(b)), ==, "aarch64");
    }
    stl_le(b + 0x3c, 0xffffffff);
    g_assert_cmpstr(arch_of_image(b, sizeof(b)), ==, "aarch64");

    memset(b, 0, sizeof(b));
    stw_le(b + 0x1fe, 0xaa55);
    memcpy(b + 0x202, "HdrS", 4);
    g_assert_cmpstr(arch_of_image(b, sizeof(b)), ==, "x86_64");
    g_assert_null(arch_of_image(b, 0x205));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/merge", test_merge_and_order);
    g_test_add_func("/config/file", test_config_file);
    g_test_add_func("/config/bad", test_bad);
    g_test_add_func("/config/program-name", test_program_name);
    g_test_add_func("/config/images", test_images);
    return g_test_run();
}
