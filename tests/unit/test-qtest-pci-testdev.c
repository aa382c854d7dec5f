/* pci-testdev: what its headers say, which writes count, and that a count is kept when saved. */
#include <glib.h>
#include "pcio.h"

enum { SLOT = 5, MEM = 0xe0000000, PORT = 0xc000 };

static struct qclient *start(const char *more)
{
    g_autofree char *args = g_strdup_printf("-machine pc -arch x86_64 -m 16M -nodefaults -device "
                                            "pci-testdev,addr=5%s",
                                            more);
    struct qclient *q = qc_start(args);

    g_assert_cmphex(pc_config_read(q, SLOT, 0, 0, 4), ==, 0x00051b36);
    g_assert_cmphex(pc_config_read(q, SLOT, 0, 8, 4), ==, 0x00ff0000);
    pc_config_write(q, SLOT, 0, 0x10, 4, MEM);
    pc_config_write(q, SLOT, 0, 0x14, 4, PORT);
    pc_config_write(q, SLOT, 0, 4, 2, 3);
    return q;
}

static void test_memory(void)
{
    static const uint8_t data[] = { 0xfa, 0xce, 0xfa };
    struct qclient *q = start("");
    char name[16] = "";

    for (unsigned t = 0; t < G_N_ELEMENTS(data); t++) {
        qc_writeb(q, MEM, (uint8_t)t);
        g_assert_cmphex(qc_readw(q, MEM), ==, 0x100 | t);
        g_assert_cmphex(qc_readl(q, MEM + 4), ==, 0x800 + t);
        g_assert_cmphex(qc_readl(q, MEM + 8), ==, data[t]);
        g_assert_cmpuint(qc_readl(q, MEM + 12), ==, 0);
        qc_writeb(q, MEM + 0x800 + t, data[t]);
        qc_writeb(q, MEM + 0x800 + t, 0x55);
        qc_writeb(q, MEM + 0x900, data[t]);
        g_assert_cmpuint(qc_readl(q, MEM + 12), ==, t == 1 ? 2 : 1);
    }
    qc_writeb(q, MEM, 0);
    qc_memread(q, MEM + 16, name, sizeof(name));
    g_assert_cmpstr(name, ==, "mmio-no-eventfd");
    qc_writeb(q, MEM, 3); /* there is none */
    g_assert_cmphex(qc_readl(q, MEM), ==, 0);
    qc_writeb(q, MEM + 0x803, 0xfa);
    g_assert_cmphex(qc_readl(q, MEM + 12), ==, 0);
    qc_stop(q);
}

static void test_ports(void)
{
    struct qclient *q = start("");
    char *state;

    pc_out(q, 1, PORT, 2);
    g_assert_cmphex(pc_in(q, 2, PORT), ==, 0x102);
    g_assert_cmphex(pc_in(q, 4, PORT + 4), ==, 0x82);
    pc_out(q, 1, PORT + 0x82, 0xfa);
    g_assert_cmphex(pc_in(q, 4, PORT + 16), ==, GUINT32_FROM_LE(0x74726f70)); /* "port" */
    state = qc_save(q);
    pc_out(q, 1, PORT + 0x82, 0xfa);
    g_assert_cmpuint(pc_in(q, 4, PORT + 12), ==, 2);
    qc_load(q, state);
    g_free(state);
    g_assert_cmpuint(pc_in(q, 4, PORT + 12), ==, 1);
    qc_stop(q);
}

/* A BAR of the size that was asked for, in which nobody answers. */
static void test_membar(void)
{
    struct qclient *q = start(",membar=1G");

    pc_config_write(q, SLOT, 0, 0x18, 4, 0xffffffff);
    pc_config_write(q, SLOT, 0, 0x1c, 4, 0xffffffff);
    g_assert_cmphex(pc_config_read(q, SLOT, 0, 0x18, 4), ==, 0xc000000c);
    g_assert_cmphex(pc_config_read(q, SLOT, 0, 0x1c, 4), ==, 0xffffffff);
    pc_config_write(q, SLOT, 0, 0x18, 4, 0);
    pc_config_write(q, SLOT, 0, 0x1c, 4, 2);
    g_assert_cmphex(qc_readl(q, UINT64_C(0x200000000)), ==, 0xffffffff);
    qc_stop(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci-testdev/memory", test_memory);
    g_test_add_func("/pci-testdev/ports", test_ports);
    g_test_add_func("/pci-testdev/membar", test_membar);
    return g_test_run();
}
