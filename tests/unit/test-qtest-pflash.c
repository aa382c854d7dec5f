/* NOR flash of the boards virt and pc: query, programming, erasing, and what stays in its file. */
#include <unistd.h>
#include <glib.h>
#include <glib/gstdio.h>
#include "qclient.h"

#define BANK    0x20000000u
#define OTHER   0x22000000u
#define SECTOR  (256u << 10)
#define SIZE    (32u << 20)
#define BOTH(c) ((uint32_t)(c) << 16 | (c)) /* for both chips of the bus */
#define READY   BOTH(0x80)

static void test_query(void)
{
    struct qclient *q = qc_start("-machine virt -arch riscv64");
    const char want[] = "QRY";

    qc_writel(q, BANK + 4 * 0x55, BOTH(0x98));
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmphex(qc_readl(q, BANK + 4 * (0x10 + i)), ==, BOTH(want[i]));
    g_assert_cmphex(qc_readl(q, BANK + 4 * 0x27), ==, BOTH(24)); /* 16 MiB a chip */
    g_assert_cmphex(qc_readl(q, BANK + 4 * 0x2d), ==, BOTH(127));
    g_assert_cmphex(qc_readl(q, BANK + 4 * 0x30), ==, BOTH(2)); /* 128 KiB a chip */
    g_assert_cmphex(qc_readb(q, BANK + 4 * 0x10 + 2), ==, 'Q');
    g_assert_cmphex(qc_readb(q, BANK + 4 * 0x10 + 1), ==, 0);
    qc_writel(q, BANK, BOTH(0x90));
    g_assert_cmphex(qc_readl(q, BANK), ==, BOTH(0x89));
    g_assert_cmphex(qc_readl(q, BANK + 4), ==, BOTH(0x18));
    g_assert_cmphex(qc_readl(q, BANK + 8), ==, 0);
    qc_writel(q, BANK, BOTH(0xff));
    g_assert_cmphex(qc_readl(q, BANK), ==, 0);
    qc_stop(q);
}

static void erase(struct qclient *q, uint32_t at)
{
    qc_writel(q, at, BOTH(0x20));
    qc_writel(q, at, BOTH(0xd0));
    g_assert_cmphex(qc_readl(q, at), ==, READY);
    qc_writel(q, at, BOTH(0xff));
}

static void program(struct qclient *q, uint32_t at, uint32_t v)
{
    qc_writel(q, at, BOTH(0x40));
    qc_writel(q, at, v);
    g_assert_cmphex(qc_readl(q, at), ==, READY);
    qc_writel(q, at, BOTH(0xff));
}

static void test_program(void)
{
    g_autofree char *path = NULL, *args = NULL, *data = NULL;
    int fd = g_file_open_tmp("flash-XXXXXX", &path, NULL);
    struct qclient *q;
    char *state;
    gsize len;

    g_assert_cmpint(ftruncate(fd, SIZE), ==, 0);
    g_close(fd, NULL);
    args = g_strdup_printf("-machine virt -arch riscv64 -drive if=pflash,format=raw,unit=1,file=%s",
                           path);
    q = qc_start(args);
    g_assert_cmphex(qc_readl(q, OTHER + SECTOR), ==, 0);
    erase(q, OTHER + SECTOR + 64);
    g_assert_cmphex(qc_readl(q, OTHER + SECTOR), ==, 0xffffffff);
    g_assert_cmphex(qc_readl(q, OTHER + SECTOR - 4), ==, 0);
    g_assert_cmphex(qc_readl(q, OTHER + 2 * SECTOR), ==, 0);
    program(q, OTHER + SECTOR, 0x12345678);
    program(q, OTHER + SECTOR, 0xffff0fff); /* ones do not come back */
    g_assert_cmphex(qc_readl(q, OTHER + SECTOR), ==, 0x12340678);

    /* a buffer of four words, the state saved in its middle */
    qc_writel(q, OTHER + SECTOR + 4096, BOTH(0xe8));
    g_assert_cmphex(qc_readl(q, OTHER + SECTOR + 4096), ==, READY);
    qc_writel(q, OTHER + SECTOR + 4096, BOTH(3));
    qc_writel(q, OTHER + SECTOR + 4096 + 8, 1);
    qc_writel(q, OTHER + SECTOR + 4096 + 12, 2);
    state = qc_save(q);
    qc_writel(q, OTHER, 0x55555555); /* outside of the buffer's page */
    g_assert_cmphex(qc_readl(q, OTHER), ==, BOTH(0xb0));
    qc_load(q, state);
    g_free(state);
    qc_writel(q, OTHER + SECTOR + 4096 + 16, 3);
    qc_writel(q, OTHER + SECTOR + 4096 + 20, 4);
    qc_writel(q, OTHER + SECTOR + 4096, BOTH(0xd0));
    g_assert_cmphex(qc_readl(q, OTHER), ==, READY);
    qc_writel(q, OTHER, BOTH(0xff));
    for (uint32_t i = 0; i < 4; i++)
        g_assert_cmphex(qc_readl(q, OTHER + SECTOR + 4096 + 8 + 4 * i), ==, i + 1);
    g_assert_cmphex(qc_readl(q, OTHER + SECTOR + 4096 + 24), ==, 0xffffffff);

    /* wrong sequences say so, until the status is cleared */
    qc_writel(q, OTHER, BOTH(0x20));
    qc_writel(q, OTHER, BOTH(0x12));
    g_assert_cmphex(qc_readl(q, OTHER), ==, BOTH(0xb0));
    qc_writel(q, OTHER, BOTH(0x50));
    qc_writel(q, OTHER, BOTH(0x70));
    g_assert_cmphex(qc_readl(q, OTHER), ==, 0);
    qc_stop(q);

    g_assert_true(g_file_get_contents(path, &data, &len, NULL));
    g_assert_cmpuint(len, ==, SIZE);
    g_assert_cmpmem(data + SECTOR, 4, "\x78\x06\x34\x12", 4);
    g_assert_cmpmem(data + SECTOR + 4096 + 8, 8, "\1\0\0\0\2\0\0\0", 8);
    g_unlink(path);
}

static char *make_file(size_t size, uint8_t last)
{
    g_autofree char *data = g_malloc0(size);
    char *path = NULL;

    data[size - 1] = (char)last;
    g_close(g_file_open_tmp("flash-XXXXXX", &path, NULL), NULL);
    g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
    return path;
}

/* A bank of chips of 8 bits; the first ends at 4 GiB, the second where that starts. */
static void test_pc(void)
{
    const uint64_t code = 0x100000000 - 0x1a000, vars = code - 0x3000;
    g_autofree char *one = make_file(0x1a000, 0x55), *two = make_file(0x3000, 0xaa), *data = NULL;
    g_autofree char *args = g_strdup_printf(
        "-machine pc,pflash0=code -drive if=none,id=code,readonly=on,format=raw,file=%s "
        "-drive if=pflash,unit=1,format=raw,file=%s",
        one, two);
    struct qclient *q = qc_start(args);
    gsize len;

    g_assert_cmphex(qc_readb(q, 0xffffffff), ==, 0x55);
    g_assert_cmphex(qc_readb(q, 0xfffff), ==, 0x55); /* seen below 1 MiB, too */
    g_assert_cmphex(qc_readb(q, code - 1), ==, 0xaa);
    qc_writeb(q, vars + 0x55, 0x98);
    g_assert_cmphex(qc_readb(q, vars + 0x10), ==, 'Q');
    g_assert_cmphex(qc_readl(q, vars + 0x10), ==, 'Q' * 0x01010101);
    g_assert_cmphex(qc_readb(q, vars + 0x27), ==, 14); /* 12 KiB, rounded up */
    g_assert_cmphex(qc_readb(q, vars + 0x2d), ==, 2);
    g_assert_cmphex(qc_readb(q, vars + 0x2f), ==, 0x10);
    qc_writeb(q, vars + 0x1000, 0x20);
    qc_writeb(q, vars + 0x1000, 0xd0);
    g_assert_cmphex(qc_readb(q, vars), ==, 0x80);
    qc_writeb(q, vars + 0x1001, 0x10);
    qc_writeb(q, vars + 0x1001, 0x34);
    qc_writeb(q, vars, 0xff);
    g_assert_cmphex(qc_readw(q, vars + 0x1000), ==, 0x34ff);
    /* the firmware's is write-protected */
    qc_writeb(q, code, 0x10);
    qc_writeb(q, code, 0);
    g_assert_cmphex(qc_readb(q, code), ==, 0x92);
    qc_stop(q);

    g_assert_true(g_file_get_contents(two, &data, &len, NULL));
    g_assert_cmpuint(len, ==, 0x3000);
    g_assert_cmpmem(data + 0xffe, 4, "\0\0\xff\x34", 4);
    g_unlink(one);
    g_unlink(two);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pflash/query", test_query);
    g_test_add_func("/pflash/program", test_program);
    g_test_add_func("/pflash/pc", test_pc);
    return g_test_run();
}
