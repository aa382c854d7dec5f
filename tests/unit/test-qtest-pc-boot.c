/* Kernels that a PC starts without firmware: what is in memory when they begin. */
#include <elf.h>
#include <string.h>
#include <unistd.h>
#include <base/bits.h>
#include <glib.h>
#include <glib/gstdio.h>
#include "qclient.h"
#ifdef CONFIG_ZLIB
#include <zlib.h>
#endif

#define INFO    0x10000
#define CMDLINE 0x20000
#define RAM_END (64u << 20)
#define TABLES  0x20000u

static struct qclient *q;

static char *write_file(const void *data, size_t len)
{
    char *path = NULL;
    int fd = g_file_open_tmp("kernel-XXXXXX", &path, NULL);

    g_assert_cmpint(write(fd, data, len), ==, (ssize_t)len);
    g_close(fd, NULL);
    return path;
}

static void start(const char *kernel, const char *more)
{
    g_autofree char *args = g_strdup_printf(
        "-machine pc -arch x86_64 -nodefaults -m 64 -kernel %s -append quiet %s", kernel, more);

    q = qc_start(args);
}

/* Starts the program for its error message. */
static void refused(const void *data, size_t len, const char *want)
{
    g_autofree char *path = write_file(data, len), *err = NULL, *cmd = NULL;
    int status;

    cmd =
        g_strdup_printf("%s -machine pc -arch x86_64 -accel qtest -nodefaults -display none -m 64 "
                        "-kernel %s",
                        g_getenv("MYNA"), path);
    g_assert_true(g_spawn_command_line_sync(cmd, NULL, &err, &status, NULL));
    g_unlink(path);
    g_assert_false(g_spawn_check_wait_status(status, NULL));
    g_assert_nonnull(strstr(err, want));
    g_assert_cmpint(strchr(err, '\n') - err, ==, (long)strlen(err) - 1);
}

static void expect_text(uint64_t addr, const char *want)
{
    char buf[256] = "";

    qc_memread(q, addr, buf, strlen(want) + 1);
    g_assert_cmpstr(buf, ==, want);
}

/* ---- bzImage ---- */

static void make_bzimage(uint8_t *p, size_t len, uint16_t version, uint16_t xloadflags)
{
    memset(p, 0, len);
    p[0x1f1] = 1;
    stw_le(p + 0x1fe, 0xaa55);
    p[0x201] = 0x62;
    memcpy(p + 0x202, "HdrS", 4);
    stw_le(p + 0x206, version);
    p[0x211] = 1;
    stl_le(p + 0x22c, 0x7fffffff);
    stw_le(p + 0x236, xloadflags);
    stl_le(p + 0x238, 2047);
    stq_le(p + 0x258, 0x1000000);
    stl_le(p + 0x260, 0x100000);
    stl_le(p + 1024, 0x12345678);
}

static void test_bzimage(void)
{
    uint8_t image[4096];
    g_autofree char *kernel = NULL, *initrd = write_file("disk!", 5), *more = NULL;
    uint32_t at;

    make_bzimage(image, sizeof(image), 0x20f, 1);
    kernel = write_file(image, sizeof(image));
    more = g_strdup_printf("-initrd %s", initrd);
    start(kernel, more);
    g_assert_cmphex(qc_readl(q, 0x100000), ==, 0x12345678);
    g_assert_cmphex(qc_readl(q, INFO + 0x202), ==, 0x53726448);
    g_assert_cmphex(qc_readl(q, INFO + 0x228), ==, CMDLINE);
    expect_text(CMDLINE, "quiet");
    at = qc_readl(q, INFO + 0x218);
    g_assert_cmphex(at, ==, RAM_END - TABLES - 4096);
    g_assert_cmpuint(qc_readl(q, INFO + 0x21c), ==, 5);
    g_assert_cmphex(qc_readb(q, at), ==, 'd');
    /* memory: all of RAM but the tables and what a BIOS keeps */
    g_assert_cmpuint(qc_readb(q, INFO + 0x1e8), ==, 5);
    g_assert_cmphex(qc_readq(q, INFO + 0x2d0 + 3 * 20), ==, 0x100000);
    g_assert_cmphex(qc_readq(q, INFO + 0x2d0 + 3 * 20 + 8), ==, RAM_END - TABLES - 0x100000);
    g_assert_cmpuint(qc_readl(q, INFO + 0x2d0 + 4 * 20 + 16), ==, 3);
    /* 64-bit code segment; page tables that map 4 GiB as they are */
    g_assert_cmphex(qc_readq(q, 0x8010), ==, 0x00af9b000000ffff);
    g_assert_cmphex(qc_readq(q, 0x18000), ==, 0x19003);
    g_assert_cmphex(qc_readq(q, 0x1d000 + 511 * 8), ==, 0xffe00083);
    /* a guest that overwrote it all starts the same way again */
    qc_writel(q, 0x100000, 0);
    qc_reset(q);
    g_assert_cmphex(qc_readl(q, 0x100000), ==, 0x12345678);
    qc_stop(q);
    g_unlink(kernel);
    g_unlink(initrd);
}

/* struct setup_data: no next one, SETUP_RNG_SEED, 32 bytes, which are others at each boot. */
static void test_seed(void)
{
    uint8_t image[4096], seed[3][32];
    g_autofree char *kernel = NULL;
    uint64_t at;

    make_bzimage(image, sizeof(image), 0x20f, 1);
    kernel = write_file(image, sizeof(image));
    start(kernel, "-no-reboot");
    at = qc_readq(q, INFO + 0x250);
    memset(seed[2], 0, 32);
    for (unsigned k = 0; k < 2; k++) {
        g_assert_cmphex(qc_readq(q, at), ==, 0);
        g_assert_cmphex(qc_readq(q, at + 8), ==, UINT64_C(32) << 32 | 9);
        qc_memread(q, at + 16, seed[k], 32);
        qc_memwrite(q, at + 16, seed[2], 32); /* as kernels do */
        g_assert_cmpint(memcmp(seed[k], seed[2], 32), !=, 0);
        qc_reset(q);
    }
    g_assert_cmpint(memcmp(seed[0], seed[1], 32), !=, 0);
    qc_stop(q);
    g_unlink(kernel);
}

/* What is read from its file again at each reset: the disk, and the kernel if it is that long. */
static void test_long_files(void)
{
    enum { LEN = (3 << 20) + 5 };
    g_autofree uint8_t *image = g_malloc0(LEN), *disk = g_malloc(LEN);
    g_autofree char *kernel = NULL, *initrd = NULL, *more = NULL;
    uint32_t at;

    make_bzimage(image, LEN, 0x20f, 1);
    stl_le(image + LEN - 4, 0x87654321);
    for (unsigned i = 0; i < LEN; i++)
        disk[i] = i * 7 >> 3;
    kernel = write_file(image, LEN);
    initrd = write_file(disk, LEN);
    more = g_strdup_printf("-initrd %s", initrd);
    start(kernel, more);
    at = qc_readl(q, INFO + 0x218);
    for (unsigned k = 0; k < 2; k++) {
        g_assert_cmphex(qc_readl(q, 0x100000), ==, 0x12345678);
        g_assert_cmphex(qc_readl(q, 0x100000 + LEN - 1024 - 4), ==, 0x87654321);
        for (unsigned i = 0; i < LEN - 4; i += 65521)
            g_assert_cmphex(qc_readl(q, at + i), ==, ldl_le(disk + i));
        g_assert_cmphex(qc_readb(q, at + LEN - 1), ==, disk[LEN - 1]);
        qc_writel(q, 0x100000, 0);
        qc_writel(q, 0x100000 + LEN - 1024 - 4, 0);
        qc_memwrite(q, at, image, LEN);
        qc_reset(q);
    }
    g_assert_cmphex(qc_readb(q, at + LEN - 1), ==, disk[LEN - 1]);
    qc_stop(q);
    g_unlink(kernel);
    g_unlink(initrd);
}

static void test_bzimage_32(void)
{
    uint8_t image[4096];
    g_autofree char *kernel = NULL;

    make_bzimage(image, sizeof(image), 0x206, 0);
    kernel = write_file(image, sizeof(image));
    start(kernel, "-no-reboot");
    g_assert_cmphex(qc_readq(q, 0x8010), ==, 0x00cf9b000000ffff);
    g_assert_cmphex(qc_readl(q, INFO + 0x21c), ==, 0);
    qc_stop(q);
    g_unlink(kernel);
}

static void test_bad_bzimage(void)
{
    uint8_t image[4096];

    make_bzimage(image, sizeof(image), 0x203, 0);
    refused(image, sizeof(image), "boot protocol 2.03");
    make_bzimage(image, sizeof(image), 0x20f, 1);
    image[0x1f1] = 0xff;
    refused(image, sizeof(image), "setup code");
    make_bzimage(image, sizeof(image), 0x20f, 1);
    stl_le(image + 0x260, 0x7f000000);
    refused(image, sizeof(image), "more -m is needed");
    memset(image, 0, sizeof(image));
    refused(image, sizeof(image), "no Linux bzImage");
}

#ifdef CONFIG_ZLIB
static size_t gzip(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)len, .next_out = out };

    z.avail_out = (uInt)room;
    g_assert_cmpint(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 9, 0), ==, Z_OK);
    g_assert_cmpint(deflate(&z, Z_FINISH), ==, Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

/* The guest has `want` as its initrd, at each start. */
static void expect_disk(const uint8_t *file, size_t len, const uint8_t *want, size_t want_len)
{
    uint8_t image[4096];
    g_autofree uint8_t *got = g_malloc(want_len);
    g_autofree char *kernel = NULL, *initrd = write_file(file, len), *more = NULL;

    make_bzimage(image, sizeof(image), 0x20f, 1);
    kernel = write_file(image, sizeof(image));
    more = g_strdup_printf("-initrd %s", initrd);
    start(kernel, more);
    for (unsigned k = 0; k < 2; k++) {
        uint32_t at = qc_readl(q, INFO + 0x218);

        g_assert_cmpuint(qc_readl(q, INFO + 0x21c), ==, want_len);
        qc_memread(q, at, got, want_len);
        g_assert_cmpmem(got, want_len, want, want_len);
        qc_writel(q, at, 0);
        qc_reset(q);
    }
    qc_stop(q);
    g_unlink(kernel);
    g_unlink(initrd);
}

/* Packed: alone, with the zeroes that some tools fill up with, and in front of another archive,
 * when only the kernel can unpack it. */
static void test_packed(void)
{
    enum { LEN = (3 << 20) + 5, ROOM = 4 << 20 };
    g_autofree uint8_t *disk = g_malloc(LEN), *packed = g_malloc0(ROOM);
    size_t len;

    for (unsigned i = 0; i < LEN; i++)
        disk[i] = i * i >> 9;
    len = gzip(disk, LEN, packed, ROOM);
    expect_disk(packed, len, disk, LEN);
    expect_disk(packed, len + 300, disk, LEN);
    len += gzip(disk, 4096, packed + len, ROOM - len);
    expect_disk(packed, len, packed, len);
}
#endif

/* ---- multiboot ---- */

static size_t make_multiboot(uint8_t *p)
{
    uint32_t h[8] = { 0x1badb002, 0x10003, 0, 0x100040, 0x100000, 0, 0x102000, 0x100060 };

    h[2] = -(h[0] + h[1]);
    memset(p, 0x90, 4096);
    for (unsigned i = 0; i < 8; i++)
        stl_le(p + 64 + 4 * i, h[i]);
    return 4096;
}

static void test_multiboot(void)
{
    uint8_t image[4096];
    g_autofree char *kernel = write_file(image, make_multiboot(image));
    g_autofree char *one = write_file("first", 5), *two = write_file("second", 6), *more = NULL;
    g_autofree char *line = g_strdup_printf("%s quiet", kernel);
    uint32_t list, map;

    more = g_strdup_printf("-initrd %s,%s", one, two);
    start(kernel, more);
    g_assert_cmphex(qc_readl(q, 0x100040), ==, 0x1badb002);
    g_assert_cmphex(qc_readl(q, 0x101000), ==, 0); /* bss */
    g_assert_cmphex(qc_readl(q, INFO), ==, 0x24d);
    g_assert_cmpuint(qc_readl(q, INFO + 8), ==, (63 << 10) - 128);
    expect_text(qc_readl(q, INFO + 16), line);
    g_assert_cmpuint(qc_readl(q, INFO + 20), ==, 2);
    list = qc_readl(q, INFO + 24);
    g_assert_cmphex(qc_readl(q, list), ==, 0x102000);
    g_assert_cmphex(qc_readl(q, list + 4), ==, 0x102005);
    expect_text(qc_readl(q, list + 8), one);
    g_assert_cmphex(qc_readl(q, list + 16), ==, 0x103000);
    g_assert_cmphex(qc_readb(q, 0x103000), ==, 's');
    map = qc_readl(q, INFO + 48);
    g_assert_cmpuint(qc_readl(q, INFO + 44), ==, 5 * 24);
    g_assert_cmpuint(qc_readl(q, map), ==, 20);
    g_assert_cmphex(qc_readq(q, map + 12), ==, 0x9fc00);
    /* what a BIOS would leave: data area, refused calls, a serial port that says what it is told */
    g_assert_cmphex(qc_readw(q, 0x400), ==, 0x3f8);
    g_assert_cmphex(qc_readw(q, 0x402), ==, 0);
    g_assert_cmphex(qc_readw(q, 0x40e), ==, 0x9fc0);
    g_assert_cmphex(qc_readw(q, 0x410), ==, 0x0226);
    g_assert_cmpuint(qc_readw(q, 0x413), ==, 639);
    g_assert_cmphex(qc_readl(q, 4 * 0x15), ==, 0x9fc00011);
    g_assert_cmphex(qc_readl(q, 4 * 8), ==, 0x9fc00010);
    g_assert_cmphex(qc_readb(q, 0x9fc10), ==, 0xcf);
    g_assert_cmpstr(qc_cmd(q, "inb 0x3fb"), ==, "0x0000000000000003");
    qc_stop(q);
    g_unlink(kernel);
    g_unlink(one);
    g_unlink(two);
}

static void test_bad_multiboot(void)
{
    uint8_t image[4096];
    size_t len = make_multiboot(image);

    stl_le(image + 64 + 16, 0x100044); /* loads above its own header */
    refused(image, len, "load address");
    len = make_multiboot(image);
    stl_le(image + 64 + 20, 0x110000);
    refused(image, len, "ends before");
    len = make_multiboot(image);
    stl_le(image + 64 + 24, 0xfff00000);
    refused(image, len, "free RAM");
}

/* ---- PVH ---- */

static size_t make_pvh(uint8_t *p, uint32_t note_size)
{
    Elf64_Ehdr e = { .e_type = ET_EXEC,
                     .e_machine = EM_X86_64,
                     .e_version = 1,
                     .e_entry = 0x200000,
                     .e_phoff = 64,
                     .e_ehsize = 64,
                     .e_phentsize = 56,
                     .e_phnum = 2 };
    Elf64_Phdr ph[2] = { { .p_type = PT_LOAD,
                           .p_offset = 0x200,
                           .p_vaddr = 0x200000,
                           .p_paddr = 0x200000,
                           .p_filesz = 0x100,
                           .p_memsz = 0x1000 },
                         { .p_type = PT_NOTE, .p_offset = 0x100, .p_filesz = note_size } };
    static const uint32_t note[] = { 4, 4, 18, 0x006e6558, 0x200010 };

    memcpy(e.e_ident,
           "\x7f"
           "ELF\x02\x01\x01",
           7);
    memset(p, 0, 0x300);
    memcpy(p, &e, sizeof(e));
    memcpy(p + 64, ph, sizeof(ph));
    memcpy(p + 0x100, note, sizeof(note));
    stl_le(p + 0x210, 0xcafe);
    return 0x300;
}

static void test_pvh(void)
{
    uint8_t image[0x300];
    g_autofree char *kernel = write_file(image, make_pvh(image, 20));
    g_autofree char *initrd = write_file("disk!", 5), *more = g_strdup_printf("-initrd %s", initrd);
    uint64_t module, map;

    start(kernel, more);
    g_assert_cmphex(qc_readl(q, 0x200010), ==, 0xcafe);
    g_assert_cmphex(qc_readl(q, INFO), ==, 0x336ec578);
    g_assert_cmpuint(qc_readl(q, INFO + 12), ==, 1);
    module = qc_readq(q, INFO + 16);
    g_assert_cmpuint(qc_readq(q, module + 8), ==, 5);
    g_assert_cmphex(qc_readb(q, qc_readq(q, module)), ==, 'd');
    expect_text(qc_readq(q, INFO + 24), "quiet");
    map = qc_readq(q, INFO + 40);
    g_assert_cmpuint(qc_readl(q, INFO + 48), ==, 5);
    g_assert_cmphex(qc_readq(q, map + 8), ==, 0x9fc00);
    qc_stop(q);
    g_unlink(kernel);
    g_unlink(initrd);
}

static void test_bad_pvh(void)
{
    uint8_t image[0x300];

    /* a note that is cut off or outside the file is no note */
    refused(image, make_pvh(image, 16), "no Linux bzImage");
    refused(image, make_pvh(image, 0x1000), "no Linux bzImage");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pc-boot/bzimage", test_bzimage);
    g_test_add_func("/pc-boot/seed", test_seed);
    g_test_add_func("/pc-boot/bzimage-32", test_bzimage_32);
    g_test_add_func("/pc-boot/bzimage-bad", test_bad_bzimage);
    g_test_add_func("/pc-boot/long-files", test_long_files);
#ifdef CONFIG_ZLIB
    g_test_add_func("/pc-boot/packed", test_packed);
#endif
    g_test_add_func("/pc-boot/multiboot", test_multiboot);
    g_test_add_func("/pc-boot/multiboot-bad", test_bad_multiboot);
    g_test_add_func("/pc-boot/pvh", test_pvh);
    g_test_add_func("/pc-boot/pvh-bad", test_bad_pvh);
    return g_test_run();
}
