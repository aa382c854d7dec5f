/*
 * The PC's ACPI tables, as a kernel finds them that starts without firmware, and as firmware puts
 * them together from fw_cfg; and what else that start needs of the board.
 */
#include <string.h>
#include <unistd.h>
#include <base/bits.h>
#include <glib.h>
#include <glib/gstdio.h>
#include "qclient.h"

#define RSDP 0xf0000u
#define BASE 0x200000u /* where the test's firmware puts files */

static struct qclient *q;

/* A multiboot kernel of 32 bytes. */
static void start_kernel_on(const char *arch, const char *more)
{
    g_autofree char *path = NULL, *args = NULL;
    uint32_t h[8] = { 0x1badb002, 0x10000, 0, 0x100000, 0x100000, 0, 0, 0x100000 };
    int fd = g_file_open_tmp("kernel-XXXXXX", &path, NULL);

    h[2] = -(h[0] + h[1]);
    g_assert_cmpint(write(fd, h, sizeof(h)), ==, sizeof(h));
    g_close(fd, NULL);
    args =
        g_strdup_printf("-machine pc -arch %s -nodefaults -m 64 -kernel %s %s", arch, path, more);
    q = qc_start(args);
    g_unlink(path);
}

static void start_kernel(const char *more)
{
    start_kernel_on("x86_64", more);
}

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t s = 0;

    while (len--)
        s = (uint8_t)(s + *p++);
    return s;
}

/* A table at a guest address, its checksum checked; to be freed. */
static uint8_t *table(uint64_t at, const char *signature, uint32_t *len)
{
    uint8_t *p;

    *len = qc_readl(q, at + 4);
    g_assert_cmpuint(*len, >=, 36);
    g_assert_cmpuint(*len, <, 65536);
    p = g_malloc(*len);
    qc_memread(q, at, p, *len);
    g_assert_cmpint(memcmp(p, signature, 4), ==, 0);
    g_assert_cmphex(sum(p, *len), ==, 0);
    return p;
}

static void check_fadt(const uint8_t *fadt, uint32_t len, uint16_t pm)
{
    uint32_t n, scope;
    uint8_t *dsdt;

    g_assert_cmpuint(len, ==, 244);
    g_assert_cmpuint(lduw_le(fadt + 46), ==, 9);
    g_assert_cmphex(ldl_le(fadt + 56), ==, pm);
    g_assert_cmphex(ldl_le(fadt + 64), ==, pm + 4u);
    g_assert_cmphex(ldl_le(fadt + 76), ==, pm + 8u);
    g_assert_cmphex(ldq_le(fadt + 152), ==, pm);
    g_assert_cmphex(ldq_le(fadt + 140), ==, ldl_le(fadt + 40));
    g_assert_cmphex(qc_readl(q, ldl_le(fadt + 36)), ==, 0x53434146); /* FACS */
    dsdt = table(ldl_le(fadt + 40), "DSDT", &n);
    /* all in one scope \_SB but for the sleep states and an event behind it: the lengths inside add
     * up */
    g_assert_cmphex(dsdt[36], ==, 0x10);
    scope = dsdt[37] & 15;
    for (unsigned i = 0; i < dsdt[37] >> 6; i++)
        scope |= (uint32_t)dsdt[38 + i] << (4 + 8 * i);
    g_assert_cmpuint(37 + scope + 7, <, n);
    g_assert_cmpint(memcmp(dsdt + 37 + scope, "\x08\\_S3_\x12\x06\x04\x01\x01", 11), ==, 0);
    g_assert_cmpint(memcmp(dsdt + n - 42, "\x08\\_S5_\x12", 7), ==, 0);
    g_assert_cmpint(memcmp(dsdt + n - 29, "\x10\x1c\\_GPE\x14\x15_E01", 13), ==, 0);
    g_free(dsdt);
}

static void check_madt(const uint8_t *madt, uint32_t len, unsigned cpus)
{
    unsigned found = 0, overrides = 0;

    for (uint32_t i = 44; i + 2 <= len; i += madt[i + 1]) {
        g_assert_cmpuint(madt[i + 1], >=, 2);
        found += madt[i] == 0;
        overrides += madt[i] == 2;
    }
    g_assert_cmpuint(found, ==, cpus);
    g_assert_cmpuint(overrides, ==, 5);
}

/* Walks from an RSDP that firmware or the board has completed. */
static void check_tables(uint64_t at, uint16_t pm, unsigned cpus)
{
    uint8_t rsdp[36], *xsdt, *rsdt;
    uint32_t len, n;
    bool fadt = false, madt = false, waet = false;

    qc_memread(q, at, rsdp, sizeof(rsdp));
    g_assert_cmpint(memcmp(rsdp, "RSD PTR ", 8), ==, 0);
    g_assert_cmphex(sum(rsdp, 20), ==, 0);
    g_assert_cmphex(sum(rsdp, 36), ==, 0);
    rsdt = table(ldl_le(rsdp + 16), "RSDT", &n);
    xsdt = table(ldq_le(rsdp + 24), "XSDT", &len);
    g_assert_cmpuint((n - 36) / 4, ==, (len - 36) / 8);
    for (uint32_t i = 0; i < (len - 36) / 8; i++) {
        uint64_t to = ldq_le(xsdt + 36 + 8 * i);
        uint32_t kind = qc_readl(q, to), size;

        g_assert_cmphex(to, ==, ldl_le(rsdt + 36 + 4 * i));
        if (kind == 0x50434146) { /* FACP */
            g_autofree uint8_t *p = table(to, "FACP", &size);

            check_fadt(p, size, pm);
            fadt = true;
        } else if (kind == 0x43495041) { /* APIC */
            g_autofree uint8_t *p = table(to, "APIC", &size);

            check_madt(p, size, cpus);
            madt = true;
        } else if (kind == 0x54454157) { /* WAET */
            g_autofree uint8_t *p = table(to, "WAET", &size);

            g_assert_cmpuint(size, ==, 40);
            g_assert_cmphex(ldl_le(p + 36), ==, 2);
            waet = true;
        }
    }
    g_assert_true(fadt && madt && waet);
    g_free(rsdt);
    g_free(xsdt);
}

/* The entry point beside the RSDP, and a structure after the other. */
static void check_smbios(void)
{
    uint8_t anchor[24], *p;
    uint64_t types = 0;
    uint32_t len;

    qc_memread(q, RSDP + 0x40, anchor, sizeof(anchor));
    g_assert_cmpint(memcmp(anchor, "_SM3_", 5), ==, 0);
    g_assert_cmphex(sum(anchor, sizeof(anchor)), ==, 0);
    len = ldl_le(anchor + 12);
    g_assert_cmpuint(len, <, 16384);
    p = g_malloc(len);
    qc_memread(q, ldq_le(anchor + 16), p, len);
    for (uint32_t i = 0; i < len;) {
        types |= BIT(p[i] & 63);
        i += p[i + 1];
        while (p[i] || p[i + 1])
            i++;
        i += 2;
        g_assert_cmpuint(i, <=, len);
    }
    g_assert_cmphex(types, ==,
                    BIT(0) | BIT(1) | BIT(3) | BIT(4) | BIT(16) | BIT(17) | BIT(19) | BIT(32) |
                        BIT(63));
    g_free(p);
}

static void test_kernel(void)
{
    start_kernel("-smp 3");
    check_tables(RSDP, 0x600, 3);
    check_smbios();
    /* written again at each reset */
    qc_writel(q, (64 << 20) - 0x20000 + 64, 0);
    qc_reset(q);
    check_tables(RSDP, 0x600, 3);
    qc_stop(q);
}

/* ---- firmware's part: fw_cfg's files and the loader's commands ---- */

static uint32_t in(char size, uint16_t port)
{
    return (uint32_t)g_ascii_strtoull(qc_cmd(q, "in%c 0x%x", size, port), NULL, 0);
}

static void out(char size, uint16_t port, uint32_t v)
{
    qc_cmd(q, "out%c 0x%x 0x%x", size, port, v);
}

static void fw_read(uint16_t key, uint64_t at, uint32_t len)
{
    uint8_t b[16];

    stl_be(b, (uint32_t)key << 16 | 8 | 2);
    stl_be(b + 4, len);
    stq_be(b + 8, at);
    qc_memwrite(q, 0x1000, b, sizeof(b));
    out('l', 0x514, 0);
    out('l', 0x518, GUINT32_SWAP_LE_BE(0x1000));
    g_assert_cmphex(qc_readl(q, 0x1000), ==, 0);
}

/* Loads a file at `at`; its size. */
static uint32_t load(const char *name, uint64_t at)
{
    uint8_t dir[4 + 64 * 64];
    uint32_t count;

    fw_read(0x19, 0x10000, sizeof(dir));
    qc_memread(q, 0x10000, dir, sizeof(dir));
    count = ldl_be(dir);
    for (uint32_t i = 0; i < count && i < 64; i++) {
        const uint8_t *e = dir + 4 + 64 * i;

        if (strcmp((const char *)e + 8, name) == 0) {
            fw_read(lduw_be(e + 4), at, ldl_be(e));
            return ldl_be(e);
        }
    }
    g_error("no file %s", name);
}

static uint64_t place_of(const char *file)
{
    return strcmp(file, "etc/acpi/rsdp") == 0 ? BASE : BASE + 0x1000;
}

static void run_command(const uint8_t *c)
{
    const char *file = (const char *)c + 4;
    uint64_t at = place_of(file), v = 0;
    uint8_t bytes[8] = { 0 };
    unsigned size;

    switch (ldl_le(c)) {
    case 1: load(file, at); break;
    case 2:
        size = c[120];
        at += ldl_le(c + 116);
        qc_memread(q, at, bytes, size);
        v = ldq_le(bytes) + place_of((const char *)c + 60);
        stq_le(bytes, v);
        qc_memwrite(q, at, bytes, size);
        break;
    case 3: {
        uint32_t len = ldl_le(c + 68);
        g_autofree uint8_t *p = g_malloc(len);

        qc_memread(q, at + ldl_le(c + 64), p, len);
        qc_writeb(q, at + ldl_le(c + 60),
                  (uint8_t)(qc_readb(q, at + ldl_le(c + 60)) - sum(p, len)));
        break;
    }
    default: g_error("command %u", ldl_le(c));
    }
}

static void test_firmware(void)
{
    uint32_t len;

    q = qc_start("-machine pc -arch x86_64 -nodefaults -m 64 -smp 2");
    /* power management elsewhere: the tables follow */
    out('l', 0xcf8, 0x80000b40);
    out('l', 0xcfc, 0xb001);
    out('l', 0xcf8, 0x80000b80);
    out('b', 0xcfc, 1);
    len = load("etc/table-loader", 0x20000);
    g_assert_cmpuint(len % 128, ==, 0);
    g_assert_cmpuint(len, >, 0);
    for (uint32_t i = 0; i < len; i += 128) {
        uint8_t c[128];

        qc_memread(q, 0x20000 + i, c, sizeof(c));
        run_command(c);
    }
    check_tables(BASE, 0xb000, 2);
    g_assert_cmpuint(load("etc/e820", 0x20000), ==, 20);
    g_assert_cmphex(qc_readq(q, 0x20008), ==, 64 << 20);
    qc_stop(q);
}

/* ---- addresses and interrupts of PCI functions ---- */

static uint32_t config(unsigned slot, unsigned reg)
{
    out('l', 0xcf8, 0x80000000u | slot << 11 | reg);
    return in('l', 0xcfc);
}

static void test_setup(void)
{
    uint32_t bar;

    start_kernel("-device virtio-rng-pci,addr=5");
    g_assert_cmphex(config(5, 0), ==, 0x10051af4);
    g_assert_cmphex(config(5, 4) & 3, ==, 3);
    bar = config(5, 0x14);
    g_assert_cmphex(bar, >=, 0xc0000000);
    g_assert_cmpuint(config(5, 0x3c) & 0xff, ==, 10); /* slot 5: PIRQA */
    g_assert_cmphex(config(1, 0x60), ==, 0x0b0b0a0a);
    g_assert_cmphex(in('w', 0x4d0), ==, 0x0e00);
    qc_reset(q);
    g_assert_cmphex(config(5, 0x14), ==, bar);
    qc_stop(q);
}

/* Whether the DSDT, near the end of RAM, has a resource descriptor of 64-bit addresses. */
static bool has_high_window(void)
{
    uint8_t ram[0x8000];

    qc_memread(q, (64 << 20) - 0x20000, ram, sizeof(ram));
    return memmem(ram, sizeof(ram), "\x8a\x2b\0\0", 4) != NULL;
}

/* Behind 4 GiB: 64-bit BARs work for everybody, and are asked for by systems with long mode. */
static void test_high(void)
{
    start_kernel("-device virtio-rng-pci,addr=5");
    g_assert_true(has_high_window());
    qc_stop(q);
    start_kernel_on("i386", "-device virtio-rng-pci,addr=5");
    g_assert_false(has_high_window());
    out('l', 0xcf8, 0x80002820);
    out('l', 0xcfc, 0);
    out('l', 0xcf8, 0x80002824);
    out('l', 0xcfc, 1);
    qc_writel(q, UINT64_C(0x100000000), 1); /* features 63:32: VIRTIO_F_VERSION_1 */
    g_assert_cmphex(qc_readl(q, UINT64_C(0x100000004)) & 1, ==, 1);
    qc_stop(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pc-acpi/kernel", test_kernel);
    g_test_add_func("/pc-acpi/firmware", test_firmware);
    g_test_add_func("/pc-acpi/setup", test_setup);
    g_test_add_func("/pc-acpi/high", test_high);
    return g_test_run();
}
