/* The PC's chip set: configuration mechanism 1, PAM and SMRAM, interrupt routing, power. */
#include <string.h>
#include <unistd.h>
#include <glib.h>
#include <glib/gstdio.h>
#include "qclient.h"

#define BIOS_SIZE 0x20000u

static struct qclient *q;

static uint32_t in(char size, uint16_t port)
{
    return (uint32_t)g_ascii_strtoull(qc_cmd(q, "in%c 0x%x", size, port), NULL, 0);
}

static void out(char size, uint16_t port, uint32_t v)
{
    qc_cmd(q, "out%c 0x%x 0x%x", size, port, v);
}

static void config_at(unsigned slot, unsigned function, unsigned reg)
{
    out('l', 0xcf8, 0x80000000u | slot << 11 | function << 8 | (reg & 0xfc));
}

static uint32_t config_read(char size, unsigned slot, unsigned function, unsigned reg)
{
    config_at(slot, function, reg);
    return in(size, (uint16_t)(0xcfc + (reg & 3)));
}

static void config_write(char size, unsigned slot, unsigned function, unsigned reg, uint32_t v)
{
    config_at(slot, function, reg);
    out(size, (uint16_t)(0xcfc + (reg & 3)), v);
}

static void test_mechanism(void)
{
    q = qc_start("-machine pc -arch x86_64 -nodefaults");
    g_assert_cmphex(config_read('l', 0, 0, 0), ==, 0x12378086);
    g_assert_cmphex(in('l', 0xcf8), ==, 0x80000000);
    g_assert_cmphex(config_read('w', 1, 0, 2), ==, 0x7000);
    g_assert_cmphex(config_read('b', 1, 0, 3), ==, 0x70);
    g_assert_cmphex(config_read('w', 1, 0, 10), ==, 0x0601);
    g_assert_cmphex(config_read('w', 1, 3, 2), ==, 0x7113);
    g_assert_cmphex(config_read('b', 1, 0, 0xe), ==, 0x80);
    /* nobody there; not enabled; accesses that are no double word are not the address's */
    g_assert_cmphex(config_read('l', 30, 0, 0), ==, 0xffffffff);
    out('l', 0xcf8, 0);
    g_assert_cmphex(in('l', 0xcfc), ==, 0xffffffff);
    config_at(1, 0, 0);
    out('b', 0xcf8, 0);
    out('w', 0xcf8, 0);
    g_assert_cmphex(in('l', 0xcfc), ==, 0x70008086);
    /* identity is not writable */
    config_write('l', 0, 0, 0, 0);
    g_assert_cmphex(config_read('l', 0, 0, 0), ==, 0x12378086);
    qc_reset(q);
    g_assert_cmphex(in('l', 0xcf8), ==, 0);
    qc_stop(q);
}

static char *make_bios(void)
{
    g_autofree uint8_t *data = g_malloc(BIOS_SIZE);
    char *path = NULL;
    int fd = g_file_open_tmp("bios-XXXXXX", &path, NULL);

    for (unsigned i = 0; i < BIOS_SIZE; i++)
        data[i] = (uint8_t)(i >> 12);
    g_assert_cmpint(write(fd, data, BIOS_SIZE), ==, BIOS_SIZE);
    g_close(fd, NULL);
    return path;
}

static void pam(uint8_t attributes)
{
    config_write('b', 0, 0, 0x59, (uint32_t)attributes << 4);
}

static void test_pam(void)
{
    g_autofree char *bios = make_bios();
    g_autofree char *args = g_strdup_printf("-machine pc -arch x86_64 -nodefaults -bios %s", bios);

    q = qc_start(args);
    g_unlink(bios);
    g_assert_cmphex(qc_readb(q, 0xfffff000), ==, 0x1f);
    g_assert_cmphex(qc_readb(q, 0xff000), ==, 0x1f);
    g_assert_cmphex(qc_readb(q, 0xe0000), ==, 0);
    /* ROM: writes go nowhere */
    qc_writeb(q, 0xff000, 0x55);
    g_assert_cmphex(qc_readb(q, 0xff000), ==, 0x1f);
    /* reads from ROM, writes to RAM: the way of a BIOS to copy itself */
    pam(2);
    qc_writel(q, 0xff000, 0x12345678);
    g_assert_cmphex(qc_readb(q, 0xff000), ==, 0x1f);
    /* both are RAM */
    pam(3);
    g_assert_cmphex(qc_readl(q, 0xff000), ==, 0x12345678);
    g_assert_cmphex(qc_readb(q, 0xfffff000), ==, 0x1f);
    qc_writel(q, 0xff000, 0x9abcdef0);
    /* RAM, write-protected */
    pam(1);
    qc_writel(q, 0xff000, 0);
    g_assert_cmphex(qc_readl(q, 0xff000), ==, 0x9abcdef0);
    /* other segments are on their own */
    g_assert_cmphex(qc_readb(q, 0xec000), ==, 0xc);
    config_write('b', 0, 0, 0x5f, 0x30);
    qc_writeb(q, 0xec000, 0x77);
    g_assert_cmphex(qc_readb(q, 0xec000), ==, 0x77);
    g_assert_cmphex(qc_readb(q, 0xe8000), ==, 8);
    g_assert_cmphex(config_read('b', 0, 0, 0x59), ==, 0x10);
    qc_reset(q);
    g_assert_cmphex(config_read('b', 0, 0, 0x59), ==, 0);
    g_assert_cmphex(qc_readb(q, 0xff000), ==, 0x1f);
    qc_stop(q);
}

static void test_smram(void)
{
    char *state;

    q = qc_start("-machine pc -arch x86_64 -nodefaults");
    g_assert_cmphex(config_read('b', 0, 0, 0x72), ==, 0x02);
    qc_writel(q, 0xa8000, 0x11111111);
    g_assert_cmphex(qc_readl(q, 0xa8000), ==, 0xffffffff);
    config_write('b', 0, 0, 0x72, 0x48); /* open */
    qc_writel(q, 0xa8000, 0x22222222);
    g_assert_cmphex(qc_readl(q, 0xa8000), ==, 0x22222222);
    state = qc_save(q);
    config_write('b', 0, 0, 0x72, 0x08);
    g_assert_cmphex(qc_readl(q, 0xa8000), ==, 0xffffffff);
    qc_load(q, state);
    g_free(state);
    g_assert_cmphex(qc_readl(q, 0xa8000), ==, 0x22222222);
    config_write('b', 0, 0, 0x72, 0x58); /* the lock closes it, and stays */
    g_assert_cmphex(qc_readl(q, 0xa8000), ==, 0xffffffff);
    config_write('b', 0, 0, 0x72, 0x48);
    g_assert_cmphex(config_read('b', 0, 0, 0x72), ==, 0x1a);
    qc_reset(q);
    g_assert_cmphex(config_read('b', 0, 0, 0x72), ==, 0x02);
    qc_stop(q);
}

/* PIRQA to PIRQD, as the chip's inputs, come out where the route registers say. */
static void test_routing(void)
{
    q = qc_start("-machine pc -arch x86_64 -nodefaults");
    qc_intercept(q, "/machine/PIIX3", true);
    g_assert_cmphex(config_read('l', 1, 0, 0x60), ==, 0x80808080);
    qc_cmd(q, "set_irq_in /machine/PIIX3 pirq 2 1");
    for (unsigned i = 0; i < 16; i++)
        g_assert_false(qc_irq(q, i));
    config_write('l', 1, 0, 0x60, 0x0a0b0a0b);
    g_assert_true(qc_irq(q, 11));
    g_assert_false(qc_irq(q, 10));
    qc_cmd(q, "set_irq_in /machine/PIIX3 pirq 0 1");
    qc_cmd(q, "set_irq_in /machine/PIIX3 pirq 2 0"); /* shared: still driven */
    g_assert_true(qc_irq(q, 11));
    config_write('b', 1, 0, 0x60, 5);
    g_assert_false(qc_irq(q, 11));
    g_assert_true(qc_irq(q, 5));
    config_write('b', 1, 0, 0x60, 8); /* the clock's is not for PCI */
    g_assert_false(qc_irq(q, 5));
    g_assert_false(qc_irq(q, 8));
    qc_stop(q);
}

/* What firmware does: the PM block at 0x600, the SMBus at 0xb100. */
static void place_pm(void)
{
    config_write('l', 1, 3, 0x40, 0x601);
    config_write('b', 1, 3, 0x80, 1);
    config_write('l', 1, 3, 0x90, 0xb101);
    config_write('b', 1, 3, 0xd2, 0x09);
}

static void test_pm_timer(void)
{
    uint32_t before;
    char *state;

    q = qc_start("-machine pc -arch x86_64 -nodefaults");
    qc_intercept(q, "/machine/PIIX4_PM", true);
    g_assert_cmphex(in('l', 0x608), ==, 0xffffffff);
    place_pm();
    before = in('l', 0x608);
    qc_clock_step(q, 1000000000);
    g_assert_cmpuint((in('l', 0x608) - before) & 0xffffff, ==, 3579545);
    /* bit 23 changes after 2.34 s: an interrupt in ACPI mode */
    out('w', 0x602, 0x0001);
    out('b', 0xb2, 0xf1);
    g_assert_cmphex(in('w', 0x604), ==, 1);
    g_assert_false(qc_irq(q, 0));
    qc_clock_step(q, 2000000000);
    g_assert_true(qc_irq(q, 0));
    g_assert_cmphex(in('w', 0x600), ==, 1);
    state = qc_save(q);
    out('w', 0x600, 1);
    g_assert_cmphex(in('w', 0x600), ==, 0);
    g_assert_false(qc_irq(q, 0));
    qc_load(q, state);
    g_free(state);
    g_assert_true(qc_irq(q, 0));
    out('b', 0xb2, 0xf0);
    g_assert_false(qc_irq(q, 0));
    qc_reset(q);
    g_assert_cmphex(in('w', 0x604), ==, 0xffff); /* gone from there */
    qc_stop(q);
}

/* Nobody looked at the status bit since the timer set it: it is saved set, and loaded so. */
static void test_pm_timer_saved(void)
{
    char *first, *second;

    q = qc_start("-machine pc -arch x86_64 -nodefaults");
    place_pm();
    g_assert_cmphex(in('w', 0x600), ==, 0);
    qc_clock_step(q, 3000000000);
    first = qc_save(q);
    out('w', 0x600, 1);
    qc_load(q, first);
    second = qc_save(q);
    g_assert_cmpstr(first, ==, second);
    g_assert_cmphex(in('w', 0x600), ==, 1);
    g_free(first);
    g_free(second);
    qc_stop(q);
}

static void test_power_off(void)
{
    q = qc_start("-machine pc -arch x86_64 -nodefaults");
    place_pm();
    out('w', 0x604, 0x0400); /* a type by itself is not a command */
    g_assert_cmphex(in('w', 0x604), ==, 0x0400);
    qc_try(q, "outw 0x604 0x2000");
    g_assert_cmpint(qc_wait_exit(q), ==, 0);
}

static void test_reset_control(void)
{
    q = qc_start("-machine pc -arch x86_64 -nodefaults -no-reboot");
    out('b', 0xcf9, 0x02);
    g_assert_cmphex(in('b', 0xcf9), ==, 0x02);
    qc_try(q, "outb 0xcf9 0x06");
    g_assert_cmpint(qc_wait_exit(q), ==, 0);
}

static uint8_t spd(unsigned module, uint8_t offset)
{
    out('b', 0xb100, 0x1e);
    out('b', 0xb104, 0xa1 | module << 1);
    out('b', 0xb103, offset);
    out('b', 0xb102, 0x48); /* byte data, start */
    g_assert_cmphex(in('b', 0xb100), ==, 0x02);
    return (uint8_t)in('b', 0xb105);
}

static void test_smbus(void)
{
    uint8_t sum = 0;

    q = qc_start("-machine pc -arch x86_64 -nodefaults -m 768");
    place_pm();
    g_assert_cmphex(spd(0, 2), ==, 4);
    g_assert_cmpuint(spd(0, 31), ==, 128); /* 512 MiB */
    g_assert_cmpuint(spd(1, 31), ==, 64);
    for (unsigned i = 0; i < 63; i++)
        sum += spd(0, (uint8_t)i);
    g_assert_cmphex(spd(0, 63), ==, sum);
    out('b', 0xb104, 0xa1 | 2 << 1); /* nobody */
    out('b', 0xb102, 0x48);
    g_assert_cmphex(in('b', 0xb100) & 0x04, ==, 0x04);
    qc_stop(q);
}

static uint64_t fw_cfg_dma(uint32_t control, uint32_t len, uint64_t addr)
{
    uint8_t b[16];

    for (unsigned i = 0; i < 4; i++) {
        b[i] = (uint8_t)(control >> (24 - 8 * i));
        b[4 + i] = (uint8_t)(len >> (24 - 8 * i));
    }
    for (unsigned i = 0; i < 8; i++)
        b[8 + i] = (uint8_t)(addr >> (56 - 8 * i));
    qc_memwrite(q, 0x1000, b, sizeof(b));
    out('l', 0x514, 0);
    out('l', 0x518, GUINT32_SWAP_LE_BE(0x1000));
    return qc_readl(q, 0x1000);
}

static void test_fw_cfg(void)
{
    char text[5] = "";

    q = qc_start("-machine pc -arch x86_64 -nodefaults -m 64");
    out('w', 0x510, 0);
    for (unsigned i = 0; i < 4; i++)
        text[i] = (char)in('b', 0x511);
    g_assert_cmpstr(text, ==, "QEMU");
    g_assert_cmphex(in('b', 0x511), ==, 0);
    out('w', 0x510, 1);
    g_assert_cmphex(in('b', 0x511), ==, 3);
    g_assert_cmphex(in('l', 0x514), ==, GUINT32_SWAP_LE_BE(0x51454d55));
    g_assert_cmphex(fw_cfg_dma(3 << 16 | 8 | 2, 8, 0x2000), ==, 0); /* select, read */
    g_assert_cmphex(qc_readq(q, 0x2000), ==, 64 << 20);
    g_assert_cmphex(fw_cfg_dma(16, 8, 0x2000), ==, GUINT32_SWAP_LE_BE(1)); /* not writable */
    qc_stop(q);
}

/* RAM goes on above 4 GiB where it would reach the hole. */
static void test_memory(void)
{
    q = qc_start("-machine pc -arch x86_64 -nodefaults -m 4G");
    qc_writel(q, 0xbffffffc, 0x12345678);
    g_assert_cmphex(qc_readl(q, 0xbffffffc), ==, 0x12345678);
    qc_writel(q, 0xc0000000, 0x12345678);
    g_assert_cmphex(qc_readl(q, 0xc0000000), ==, 0xffffffff);
    qc_writel(q, 0x13ffffffc, 0x9abcdef0);
    g_assert_cmphex(qc_readl(q, 0x13ffffffc), ==, 0x9abcdef0);
    qc_writel(q, 0x140000000, 1);
    g_assert_cmphex(qc_readl(q, 0x140000000), ==, 0xffffffff);
    qc_stop(q);
}

static uint8_t cmos(uint8_t at)
{
    out('b', 0x70, at);
    return (uint8_t)in('b', 0x71);
}

static void test_cmos(void)
{
    unsigned sum = 0;

    q = qc_start("-machine pc -arch x86_64 -nodefaults -m 4G -smp 2 -boot order=nc,once=d,menu=on");
    g_assert_cmphex(cmos(0x15) | cmos(0x16) << 8, ==, 640);
    g_assert_cmphex(cmos(0x17) | cmos(0x18) << 8, ==, 65535);
    g_assert_cmphex(cmos(0x34) | cmos(0x35) << 8, ==, 0xbf00); /* 3 GiB without 16 MiB */
    g_assert_cmphex(cmos(0x5b) | cmos(0x5c) << 8 | cmos(0x5d) << 16, ==, 0x4000);
    g_assert_cmphex(cmos(0x5f), ==, 1);
    g_assert_cmphex(cmos(0x10), ==, 0);
    g_assert_cmphex(cmos(0x12), ==, 0);
    for (unsigned i = 0x10; i < 0x2e; i++)
        sum += cmos((uint8_t)i);
    g_assert_cmphex(cmos(0x2e) << 8 | cmos(0x2f), ==, sum);
    out('w', 0x510, 0x0e);
    g_assert_cmphex(in('b', 0x511), ==, 1);
    /* the CD once, then the network and the disk */
    g_assert_cmphex(cmos(0x3d), ==, 0x03);
    qc_reset(q);
    g_assert_cmphex(cmos(0x3d), ==, 0x24);
    qc_stop(q);
}

static void behind(unsigned slot, unsigned reg)
{
    out('l', 0xcf8, 0x80010000u | slot << 11 | reg);
}

/* A function behind a bridge: found by its bus number, seen through windows, heard on a line. */
static void test_bridge(void)
{
    q = qc_start(
        "-machine pc -arch x86_64 -nodefaults -device pci-bridge,id=br,addr=4,chassis_nr=2 "
        "-device virtio-rng-pci,bus=br,addr=3");
    g_assert_cmphex(config_read('l', 4, 0, 0), ==, 0x00011b36);
    g_assert_cmphex(config_read('b', 4, 0, 0xe), ==, 1);
    behind(3, 0);
    g_assert_cmphex(in('l', 0xcfc), ==, 0xffffffff);
    config_write('l', 4, 0, 0x18, 0x00010100);
    behind(3, 0);
    g_assert_cmphex(in('l', 0xcfc), ==, 0x10051af4);
    /* its MSI-X table at 0xe0000000; the window lets it through */
    behind(3, 0x14);
    out('l', 0xcfc, 0xe0000000);
    behind(3, 4);
    out('w', 0xcfc, 7);
    g_assert_cmphex(qc_readl(q, 0xe000000c), ==, 0xffffffff);
    config_write('l', 4, 0, 0x20, 0xe000e000);
    g_assert_cmphex(qc_readl(q, 0xe000000c), ==, 0xffffffff);
    config_write('w', 4, 0, 4, 3);
    g_assert_cmphex(qc_readl(q, 0xe000000c), ==, 1);
    config_write('l', 4, 0, 0x20, 0xe010e010);
    g_assert_cmphex(qc_readl(q, 0xe000000c), ==, 0xffffffff);
    /* reset behind it */
    config_write('w', 4, 0, 0x3e, 0x40);
    behind(3, 0x14);
    g_assert_cmphex(in('l', 0xcfc), ==, 0);
    qc_stop(q);
}

/* What the program says to options that a PC cannot take. */
static void refused(const char *options, const char *want)
{
    g_autofree char *err = NULL, *cmd = NULL;
    int status;

    cmd = g_strdup_printf("%s -machine pc -arch x86_64 -accel qtest -nodefaults -display none %s",
                          g_getenv("MYNA"), options);
    g_assert_true(g_spawn_command_line_sync(cmd, NULL, &err, &status, NULL));
    g_assert_false(g_spawn_check_wait_status(status, NULL));
    g_assert_nonnull(strstr(err, want));
    g_assert_cmpint(strchr(err, '\n') - err, ==, (long)strlen(err) - 1);
}

static void test_refused(void)
{
    refused("-boot e", "not one of a, b, c, d, n");
    refused("-boot order=cdan", "at most 3");
    refused("-boot cc", "there twice");
    refused("-m 2T", "not what machine 'pc' takes");
    refused("-smp 65", "takes 1 to 64");
    refused("-bios /dev/null", "not a regular file");
}

/* Places of drives: index= or bus= and unit=, each taken once. */
static void test_places(void)
{
    g_autofree char *image = make_bios();
    g_autofree char *ro = g_strdup_printf("readonly=on,format=raw,file=%s", image);
    static const struct {
        const char *first, *second, *want;
    } rows[] = {
        { "if=ide,index=0", "if=ide,index=4", "room for 4" },
        { "if=ide,index=2", "if=ide,bus=1,unit=0", "is taken by 'ide1-hd0'" },
        { "if=floppy,index=1", "if=floppy,unit=1", "is taken by 'floppy1'" },
        { "if=floppy", "if=floppy,index=2", "room for 2" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *options =
            g_strdup_printf("-drive %s,%s -drive %s,%s", rows[i].first, ro, rows[i].second, ro);

        refused(options, rows[i].want);
    }
    g_unlink(image);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pc/mechanism", test_mechanism);
    g_test_add_func("/pc/pam", test_pam);
    g_test_add_func("/pc/smram", test_smram);
    g_test_add_func("/pc/routing", test_routing);
    g_test_add_func("/pc/pm-timer", test_pm_timer);
    g_test_add_func("/pc/pm-timer-saved", test_pm_timer_saved);
    g_test_add_func("/pc/power-off", test_power_off);
    g_test_add_func("/pc/reset-control", test_reset_control);
    g_test_add_func("/pc/smbus", test_smbus);
    g_test_add_func("/pc/fw-cfg", test_fw_cfg);
    g_test_add_func("/pc/memory", test_memory);
    g_test_add_func("/pc/cmos", test_cmos);
    g_test_add_func("/pc/bridge", test_bridge);
    g_test_add_func("/pc/refused", test_refused);
    g_test_add_func("/pc/places", test_places);
    return g_test_run();
}
