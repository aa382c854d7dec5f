/* IDE disks and CD-ROM drives on the PC's channels: every way data can go, errors, media. */
#include <string.h>
#include <glib.h>
#include "pcio.h"

#define DISK    (1 << 20)
#define SECTORS (DISK / 512)
#define SECTOR  512u
#define BM      0xc000u
#define TABLE   0x10000u
#define DATA    0x20000u

enum { DATA_R, ERROR_R, COUNT_R, LOW_R, MID_R, HIGH_R, SELECT_R, STATUS_R, CONTROL_R = 0x206 };
enum { BSY = 0x80, DRDY = 0x40, DF = 0x20, DRQ = 0x08, ERR = 0x01 };

static struct qclient *q;
static uint16_t base = 0x1f0;

static uint8_t get(unsigned reg)
{
    return (uint8_t)pc_in(q, 1, (uint16_t)(base + reg));
}

static void set(unsigned reg, uint8_t v)
{
    pc_out(q, 1, (uint16_t)(base + reg), v);
}

static uint8_t wait_idle(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t s = get(CONTROL_R);

        if (!(s & BSY))
            return s;
        g_usleep(50);
    }
    g_assert_not_reached();
}

/* Takes the interrupt back, too. */
static uint8_t status(void)
{
    wait_idle();
    return get(STATUS_R);
}

static void address(uint8_t count, uint32_t lba, unsigned unit)
{
    set(SELECT_R, (uint8_t)(0xe0 | unit << 4 | (lba >> 24 & 15)));
    set(COUNT_R, count);
    set(LOW_R, (uint8_t)lba);
    set(MID_R, (uint8_t)(lba >> 8));
    set(HIGH_R, (uint8_t)(lba >> 16));
}

static void address_48(uint16_t count, uint64_t lba)
{
    set(SELECT_R, 0xe0);
    set(COUNT_R, (uint8_t)(count >> 8));
    set(LOW_R, (uint8_t)(lba >> 24));
    set(MID_R, (uint8_t)(lba >> 32));
    set(HIGH_R, (uint8_t)(lba >> 40));
    set(COUNT_R, (uint8_t)count);
    set(LOW_R, (uint8_t)lba);
    set(MID_R, (uint8_t)(lba >> 8));
    set(HIGH_R, (uint8_t)(lba >> 16));
}

static void read_data(void *to, size_t len)
{
    uint8_t *p = to;

    for (size_t i = 0; i < len; i += 2) {
        uint32_t v = pc_in(q, 2, base);

        p[i] = (uint8_t)v;
        p[i + 1] = (uint8_t)(v >> 8);
    }
}

static void write_data(const void *from, size_t len)
{
    const uint8_t *p = from;

    for (size_t i = 0; i < len; i += 4)
        pc_out(q, 4, base, p[i] | p[i + 1] << 8 | p[i + 2] << 16 | (uint32_t)p[i + 3] << 24);
}

static uint8_t simple(uint8_t command)
{
    set(STATUS_R, command);
    return status();
}

static char *start(size_t len, const char *more)
{
    char *path = pc_image_new(len);
    g_autofree char *args = g_strdup_printf(
        "-machine pc -arch x86_64 -nodefaults -drive file=%s,format=raw%s", path, more);

    base = 0x1f0;
    q = qc_start(args);
    return path;
}

static void finish(char *path)
{
    qc_stop(q);
    pc_image_free(path);
}

/* ---- identity, registers ---- */

static void identify(uint8_t command, uint16_t *w)
{
    set(STATUS_R, command);
    g_assert_cmphex(status() & (DRQ | ERR), ==, DRQ);
    read_data(w, 512);
    g_assert_cmphex(get(STATUS_R), ==, 0x50);
}

static void assert_text(const uint16_t *w, unsigned words, const char *want)
{
    g_autofree char *s = g_malloc0(2 * words + 1);

    for (unsigned i = 0; i < words; i++) {
        s[2 * i] = (char)(w[i] >> 8);
        s[2 * i + 1] = (char)w[i];
    }
    g_assert_cmpstr(g_strchomp(s), ==, want);
}

static void test_identify(void)
{
    char *path = start(DISK, ",if=ide,index=0");
    uint16_t w[256];
    uint8_t sum = 0;

    g_assert_cmphex(pc_config_read(q, 1, 1, 0, 4), ==, 0x70108086);
    g_assert_cmphex(pc_config_read(q, 1, 1, 8, 4), ==, 0x01018000);
    set(SELECT_R, 0xa0);
    g_assert_cmphex(get(STATUS_R), ==, 0x50);
    g_assert_cmphex(get(ERROR_R), ==, 1);
    g_assert_cmphex(get(MID_R) | get(HIGH_R) << 8, ==, 0);
    identify(0xec, w);
    assert_text(w + 27, 20, "QEMU HARDDISK");
    assert_text(w + 10, 10, "QM00001");
    g_assert_cmphex(w[0], ==, 0x40);
    g_assert_cmpuint(w[60] | w[61] << 16, ==, SECTORS);
    g_assert_cmpuint(w[100] | w[101] << 16, ==, SECTORS);
    g_assert_cmphex(w[88], ==, 0x203f);
    for (unsigned i = 0; i < 512; i++)
        sum = (uint8_t)(sum + ((uint8_t *)w)[i]);
    g_assert_cmphex(sum, ==, 0);
    /* the other one is not there */
    set(SELECT_R, 0xb0);
    g_assert_cmphex(get(STATUS_R), ==, 0);
    set(STATUS_R, 0xec);
    g_assert_cmphex(get(STATUS_R), ==, 0);
    finish(path);
}

/* ---- disks ---- */

static void check_sectors(const uint8_t *got, uint32_t lba, unsigned n, uint8_t seed)
{
    g_autofree uint8_t *want = g_malloc(n * SECTOR);

    pc_pattern(want, lba * SECTOR, n * SECTOR, seed);
    g_assert_cmpmem(got, n * SECTOR, want, n * SECTOR);
}

static void check_image(const char *path, uint32_t lba, unsigned n, uint8_t seed)
{
    g_autofree uint8_t *got = g_malloc(n * SECTOR);

    pc_image_read(path, lba * SECTOR, got, n * SECTOR);
    check_sectors(got, lba, n, seed);
}

/* Sectors by the data register, `block` at a time; each block has its interrupt. */
static void pio_in(uint8_t command, uint32_t lba, unsigned n, unsigned block)
{
    g_autofree uint8_t *got = g_malloc(n * SECTOR);

    set(STATUS_R, command);
    for (unsigned done = 0; done < n; done += block) {
        unsigned now = MIN(block, n - done);

        g_assert_cmphex(wait_idle() & (DRQ | ERR), ==, DRQ);
        g_assert_true(qc_irq(q, 0));
        get(STATUS_R);
        g_assert_false(qc_irq(q, 0));
        read_data(got + done * SECTOR, now * SECTOR);
    }
    g_assert_cmphex(status(), ==, 0x50);
    check_sectors(got, lba, n, 0);
}

static void pio_out(uint8_t command, uint32_t lba, unsigned n, unsigned block, uint8_t seed)
{
    g_autofree uint8_t *data = g_malloc(n * SECTOR);

    pc_pattern(data, lba * SECTOR, n * SECTOR, seed);
    set(STATUS_R, command);
    for (unsigned done = 0; done < n; done += block) {
        unsigned now = MIN(block, n - done);

        g_assert_cmphex(wait_idle() & (DRQ | ERR), ==, DRQ);
        g_assert_cmpint(qc_irq(q, 0), ==, done > 0);
        get(STATUS_R);
        write_data(data + done * SECTOR, now * SECTOR);
    }
    g_assert_cmphex(wait_idle(), ==, 0x50);
    g_assert_true(qc_irq(q, 0));
    get(STATUS_R);
}

static void test_pio(void)
{
    char *path = start(DISK, ",if=ide,index=0");

    qc_intercept(q, "/machine/piix3-ide", true);
    address(3, 5, 0);
    pio_in(0x20, 5, 3, 1);
    g_assert_cmphex(get(LOW_R), ==, 7); /* the last sector */
    address(10, 100, 0);
    set(COUNT_R, 4);
    g_assert_cmphex(simple(0xc6), ==, 0x50);
    address(10, 100, 0);
    pio_in(0xc4, 100, 10, 4);
    address_48(2, 200);
    pio_in(0x24, 200, 2, 1);
    address_48(5, 300);
    pio_in(0x29, 300, 5, 4);
    address(2, 20, 0);
    pio_out(0x30, 20, 2, 1, 0x11);
    check_image(path, 20, 2, 0x11);
    check_image(path, 22, 1, 0);
    address(6, 40, 0);
    pio_out(0xc5, 40, 6, 4, 0x22);
    check_image(path, 40, 6, 0x22);
    address_48(1, 60);
    pio_out(0x34, 60, 1, 1, 0x33);
    address_48(3, 70);
    pio_out(0xce, 70, 3, 4, 0x44);
    check_image(path, 60, 1, 0x33);
    check_image(path, 70, 3, 0x44);
    /* with nIEN there is no interrupt */
    set(CONTROL_R, 2);
    address(1, 0, 0);
    set(STATUS_R, 0x20);
    g_assert_cmphex(wait_idle() & DRQ, ==, DRQ);
    g_assert_false(qc_irq(q, 0));
    set(CONTROL_R, 0);
    g_assert_true(qc_irq(q, 0));
    finish(path);
}

static void test_chs(void)
{
    char *path = start(DISK, ",if=ide,index=0");
    uint8_t got[SECTOR];

    set(SELECT_R, 0xa3); /* 4 heads of 8 sectors */
    set(COUNT_R, 8);
    g_assert_cmphex(simple(0x91), ==, 0x50);
    set(SELECT_R, 0xa2); /* cylinder 5, head 2, sector 3 */
    set(COUNT_R, 1);
    set(LOW_R, 3);
    set(MID_R, 5);
    set(HIGH_R, 0);
    set(STATUS_R, 0x20);
    g_assert_cmphex(status() & DRQ, ==, DRQ);
    read_data(got, SECTOR);
    check_sectors(got, (5 * 4 + 2) * 8 + 2, 1, 0);
    set(LOW_R, 9); /* no such sector */
    g_assert_cmphex(simple(0x20), ==, 0x51);
    g_assert_cmphex(get(ERROR_R), ==, 0x10);
    finish(path);
}

static void test_errors(void)
{
    char *path = start(DISK, ",if=ide,index=0");
    uint8_t got[2 * SECTOR];

    /* two sectors at the end, and one behind it */
    address(3, SECTORS - 2, 0);
    set(STATUS_R, 0x20);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmphex(status() & (DRQ | ERR), ==, DRQ);
        read_data(got + i * SECTOR, SECTOR);
    }
    g_assert_cmphex(status(), ==, 0x51);
    g_assert_cmphex(get(ERROR_R), ==, 0x10);
    g_assert_cmphex(get(LOW_R) | get(MID_R) << 8, ==, SECTORS & 0xffff);
    check_sectors(got, SECTORS - 2, 2, 0);
    address_48(1, UINT64_C(1) << 40);
    g_assert_cmphex(simple(0x24), ==, 0x51);
    g_assert_cmphex(simple(0xfe), ==, 0x51);
    g_assert_cmphex(get(ERROR_R), ==, 4);
    set(COUNT_R, 3); /* not a power of two */
    g_assert_cmphex(simple(0xc6), ==, 0x51);
    /* a command while another one wants data goes nowhere */
    address(1, 1, 0);
    set(STATUS_R, 0x20);
    g_assert_cmphex(wait_idle() & DRQ, ==, DRQ);
    set(STATUS_R, 0xe7);
    read_data(got, SECTOR);
    check_sectors(got, 1, 1, 0);
    finish(path);
}

static void test_commands(void)
{
    char *path = start(DISK, ",if=ide,index=0");
    uint16_t w[256];

    set(SELECT_R, 0xe0);
    g_assert_cmphex(simple(0xf8), ==, 0x50);
    g_assert_cmphex(get(LOW_R) | get(MID_R) << 8, ==, SECTORS - 1);
    g_assert_cmphex(simple(0xe7), ==, 0x50);
    g_assert_cmphex(simple(0xea), ==, 0x50);
    g_assert_cmphex(simple(0xe5), ==, 0x50);
    g_assert_cmphex(get(COUNT_R), ==, 0xff);
    g_assert_cmphex(simple(0xe0), ==, 0x50);
    simple(0xe5);
    g_assert_cmphex(get(COUNT_R), ==, 0);
    simple(0xe1);
    simple(0xe5);
    g_assert_cmphex(get(COUNT_R), ==, 0xff);
    g_assert_cmphex(simple(0xf5), ==, 0x50);
    g_assert_cmphex(simple(0x10), ==, 0x50);
    address(200, 10, 0);
    g_assert_cmphex(simple(0x40), ==, 0x50);
    address(1, SECTORS, 0);
    g_assert_cmphex(simple(0x40), ==, 0x51);
    /* SET FEATURES: a transfer mode, the cache */
    set(ERROR_R, 3);
    set(COUNT_R, 0x23);
    g_assert_cmphex(simple(0xef), ==, 0x51);
    set(COUNT_R, 0x42);
    g_assert_cmphex(simple(0xef), ==, 0x50);
    set(ERROR_R, 0x82);
    g_assert_cmphex(simple(0xef), ==, 0x50);
    identify(0xec, w);
    g_assert_cmphex(w[88], ==, 0x043f);
    g_assert_cmphex(w[85] & 0x20, ==, 0);
    set(ERROR_R, 2);
    simple(0xef);
    identify(0xec, w);
    g_assert_cmphex(w[85] & 0x20, ==, 0x20);
    finish(path);
}

static uint8_t smart(uint8_t what)
{
    set(SELECT_R, 0xa0);
    set(ERROR_R, what);
    set(MID_R, 0x4f);
    set(HIGH_R, 0xc2);
    return simple(0xb0);
}

static void test_smart(void)
{
    char *path = start(DISK, ",if=ide,index=0");
    uint8_t p[512], sum = 0;

    g_assert_cmphex(smart(0xda), ==, 0x50);
    g_assert_cmphex(get(MID_R) | get(HIGH_R) << 8, ==, 0xc24f);
    g_assert_cmphex(smart(0xd0) & DRQ, ==, DRQ);
    read_data(p, 512);
    for (unsigned i = 0; i < 512; i++)
        sum = (uint8_t)(sum + p[i]);
    g_assert_cmphex(sum, ==, 0);
    g_assert_cmpuint(p[2], ==, 1);
    g_assert_cmphex(smart(0xd9), ==, 0x50);
    g_assert_cmphex(smart(0xd0), ==, 0x51);
    g_assert_cmphex(smart(0xd8), ==, 0x50);
    set(MID_R, 0); /* without the key */
    g_assert_cmphex(simple(0xb0), ==, 0x51);
    finish(path);
}

static void test_resets(void)
{
    char *path = start(DISK, ",if=ide,index=0");

    qc_intercept(q, "/machine/piix3-ide", true);
    address(1, 0x1234, 0);
    set(STATUS_R, 0x20);
    wait_idle();
    set(CONTROL_R, 4);
    g_assert_cmphex(get(STATUS_R) & BSY, ==, BSY);
    g_assert_false(qc_irq(q, 0));
    set(CONTROL_R, 0);
    g_assert_cmphex(status(), ==, 0x50);
    g_assert_cmphex(get(COUNT_R), ==, 1);
    g_assert_cmphex(get(LOW_R), ==, 1);
    g_assert_cmphex(get(MID_R), ==, 0);
    set(SELECT_R, 0xb0); /* both drives do this */
    set(STATUS_R, 0x90);
    g_assert_true(qc_irq(q, 0));
    g_assert_cmphex(get(SELECT_R), ==, 0xa0);
    g_assert_cmphex(get(ERROR_R), ==, 1);
    g_assert_cmphex(status(), ==, 0x50);
    finish(path);
}

/* ---- bus mastering ---- */

static void bm_setup(void)
{
    pc_config_write(q, 1, 1, 0x20, 4, BM);
    pc_config_write(q, 1, 1, 4, 2, 5);
}

static uint16_t bm(unsigned reg)
{
    return (uint16_t)(BM + (base == 0x1f0 ? 0 : 8) + reg);
}

struct piece {
    uint32_t addr, len;
};

static void bm_table(const struct piece *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        qc_writel(q, TABLE + 8 * i, p[i].addr);
        qc_writel(q, TABLE + 8 * i + 4, (p[i].len & 0xffff) | (i + 1 == n ? 0x80000000u : 0));
    }
    pc_out(q, 4, bm(4), TABLE);
    pc_out(q, 1, bm(2), 6);
}

static uint8_t bm_wait(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t s = (uint8_t)pc_in(q, 1, bm(2));

        if (s & 4)
            return s & 7;
        g_usleep(50);
    }
    g_assert_not_reached();
}

static void test_dma(void)
{
    static const struct piece scattered[] = {
        { DATA, 512 }, { DATA + 0x2000, 1000 }, { DATA + 0x1000, 24 }, { DATA + 0x4000, 2560 }
    };
    static const struct piece whole[] = { { DATA, 0 },
                                          { DATA + 0x10000, 0 },
                                          { DATA + 0x20000, 0 } };
    char *path = start(DISK, ",if=ide,index=0");
    g_autofree uint8_t *buf = g_malloc(3 << 16);
    size_t at = 0;

    bm_setup();
    g_assert_cmphex(pc_in(q, 1, bm(2)), ==, 0x20);
    bm_table(scattered, 4);
    address(8, 33, 0);
    set(STATUS_R, 0xc8);
    pc_out(q, 1, bm(0), 9);
    g_assert_cmphex(bm_wait(), ==, 4);
    g_assert_cmphex(status(), ==, 0x50);
    pc_out(q, 1, bm(0), 0);
    for (unsigned i = 0; i < 4; i++) {
        qc_memread(q, scattered[i].addr, buf + at, scattered[i].len);
        at += scattered[i].len;
    }
    check_sectors(buf, 33, 8, 0);
    /* 192 KiB by LBA48, both ways; the engine is started before the command */
    bm_table(whole, 3);
    pc_out(q, 1, bm(0), 9);
    address_48(384, 1000);
    set(STATUS_R, 0x25);
    g_assert_cmphex(bm_wait(), ==, 4);
    pc_out(q, 1, bm(0), 0);
    g_assert_cmphex(status(), ==, 0x50);
    qc_memread(q, DATA, buf, 3 << 16);
    check_sectors(buf, 1000, 384, 0);
    pc_pattern(buf, 500 * SECTOR, 3 << 16, 0x5a);
    qc_memwrite(q, DATA, buf, 3 << 16);
    bm_table(whole, 3);
    address_48(384, 500);
    set(STATUS_R, 0x35);
    pc_out(q, 1, bm(0), 1);
    g_assert_cmphex(bm_wait(), ==, 4);
    g_assert_cmphex(status(), ==, 0x50);
    pc_out(q, 1, bm(0), 0);
    check_image(path, 500, 384, 0x5a);
    finish(path);
}

/* Tables that are too long, too short, in no memory. */
static void test_dma_errors(void)
{
    static const struct piece one[] = { { DATA, 512 } }, two[] = { { DATA, 512 }, { DATA, 512 } };
    char *path = start(DISK, ",if=ide,index=0");

    bm_setup();
    bm_table(two, 2);
    address(1, 0, 0);
    set(STATUS_R, 0xc8);
    pc_out(q, 1, bm(0), 9);
    g_assert_cmphex(bm_wait(), ==, 5);
    pc_out(q, 1, bm(0), 0);
    status();
    bm_table(one, 1);
    address(2, 0, 0);
    set(STATUS_R, 0xc8);
    pc_out(q, 1, bm(0), 9);
    for (unsigned i = 0; pc_in(q, 1, bm(2)) & 1; i++) {
        g_assert_cmpuint(i, <, 20000);
        g_usleep(50);
    }
    g_assert_cmphex(pc_in(q, 1, bm(2)) & 7, ==, 0);
    pc_out(q, 1, bm(0), 0);
    set(CONTROL_R, 4);
    set(CONTROL_R, 0);
    g_assert_cmphex(status(), ==, 0x50);
    /* behind the end of the disk */
    bm_table(one, 1);
    address(1, SECTORS, 0);
    set(STATUS_R, 0xc8);
    g_assert_cmphex(status(), ==, 0x51);
    finish(path);
}

static void test_trim(void)
{
    static const struct piece list[] = { { DATA, 512 } };
    char *path = start(DISK, ",if=ide,index=0,discard=unmap");
    uint8_t got[8 * SECTOR], zero[8 * SECTOR] = { 0 };

    bm_setup();
    qc_writeq(q, DATA, UINT64_C(8) << 48 | 64);
    qc_writeq(q, DATA + 8, UINT64_C(8) << 48 | 128);
    bm_table(list, 1);
    address_48(1, 0);
    set(ERROR_R, 1);
    set(STATUS_R, 0x06);
    pc_out(q, 1, bm(0), 1);
    g_assert_cmphex(bm_wait(), ==, 4);
    g_assert_cmphex(status(), ==, 0x50);
    pc_image_read(path, 128 * SECTOR, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(got), zero, sizeof(zero));
    check_image(path, 72, 8, 0);
    finish(path);
}

static void test_state(void)
{
    char *path = start(DISK, ",if=ide,index=0");
    uint8_t got[2 * SECTOR];
    char *state;

    address(2, 77, 0);
    set(STATUS_R, 0x20);
    status();
    read_data(got, 100);
    state = qc_save(q);
    set(CONTROL_R, 4);
    set(CONTROL_R, 0);
    address(1, 3, 0);
    qc_load(q, state);
    g_free(state);
    read_data(got + 100, SECTOR - 100);
    g_assert_cmphex(status() & DRQ, ==, DRQ);
    read_data(got + SECTOR, SECTOR);
    check_sectors(got, 77, 2, 0);
    g_assert_cmphex(status(), ==, 0x50);
    finish(path);
}

static void test_isa(void)
{
    g_autofree char *path = pc_image_new(DISK);
    g_autofree char *args = g_strdup_printf(
        "-machine isapc -arch i386 -nodefaults -drive file=%s,format=raw,index=2", path);
    uint8_t got[SECTOR];
    uint16_t w[256];

    base = 0x170;
    q = qc_start(args);
    set(SELECT_R, 0xa0);
    identify(0xec, w);
    g_assert_cmphex(w[49] & 0x100, ==, 0);
    address(1, 9, 0);
    set(STATUS_R, 0x20);
    g_assert_cmphex(status() & DRQ, ==, DRQ);
    read_data(got, SECTOR);
    check_sectors(got, 9, 1, 0);
    address(1, 9, 0);
    g_assert_cmphex(simple(0xc8), ==, 0x51);
    finish(g_steal_pointer(&path));
}

/* ---- CD-ROMs ---- */

#define CD_SIZE    (600 * 2048)
#define CD_SECTORS 600

struct reply {
    uint8_t status, error, data[64 * 1024];
    unsigned len;
};

static void send_packet(const uint8_t *cdb, unsigned n, bool dma, uint16_t limit)
{
    uint8_t packet[12] = { 0 };

    memcpy(packet, cdb, n);
    set(ERROR_R, dma);
    set(MID_R, (uint8_t)limit);
    set(HIGH_R, (uint8_t)(limit >> 8));
    set(STATUS_R, 0xa0);
    g_assert_cmphex(wait_idle() & DRQ, ==, DRQ);
    g_assert_cmphex(get(COUNT_R) & 3, ==, 1);
    write_data(packet, 12);
}

static void packet(struct reply *r, const uint8_t *cdb, unsigned n, uint16_t limit)
{
    r->len = 0;
    send_packet(cdb, n, false, limit);
    while ((r->status = status()) & DRQ) {
        unsigned len = get(MID_R) | (unsigned)get(HIGH_R) << 8;

        g_assert_cmphex(get(COUNT_R) & 3, ==, 2);
        g_assert_cmpuint(len, <=, limit);
        g_assert_cmpuint(r->len + len, <=, sizeof(r->data) - 1);
        read_data(r->data + r->len, len);
        r->len += len;
    }
    g_assert_cmphex(get(COUNT_R) & 3, ==, 3);
    r->error = get(ERROR_R);
}

#define PACKET(r, limit, ...)                          \
    do {                                               \
        static const uint8_t cdb_[] = { __VA_ARGS__ }; \
        packet(r, cdb_, sizeof(cdb_), limit);          \
    } while (0)

static void expect_sense(uint8_t key, uint8_t asc, uint8_t ascq)
{
    g_autofree struct reply *r = g_new(struct reply, 1);

    PACKET(r, 0xfffe, 0x03, 0, 0, 0, 18);
    g_assert_cmpuint(r->len, ==, 18);
    g_assert_cmphex(r->data[2] << 16 | r->data[12] << 8 | r->data[13], ==,
                    key << 16 | asc << 8 | ascq);
}

static char *start_cd(void)
{
    char *path = start(CD_SIZE, ",if=ide,index=2,media=cdrom");

    base = 0x170;
    set(SELECT_R, 0xa0);
    return path;
}

static void test_atapi(void)
{
    char *path = start_cd();
    g_autofree struct reply *r = g_new(struct reply, 1);
    uint16_t w[256];

    g_assert_cmphex(get(MID_R) | get(HIGH_R) << 8, ==, 0xeb14);
    g_assert_cmphex(simple(0xec) & ERR, ==, ERR);
    g_assert_cmphex(get(MID_R) | get(HIGH_R) << 8, ==, 0xeb14);
    identify(0xa1, w);
    g_assert_cmphex(w[0], ==, 0x85c0);
    assert_text(w + 27, 20, "QEMU DVD-ROM");
    PACKET(r, 0xfffe, 0x12, 0, 0, 0, 96);
    g_assert_cmpuint(r->len, ==, 36);
    g_assert_cmpmem(r->data + 8, 8, "QEMU    ", 8);
    PACKET(r, 0xfffe, 0);
    g_assert_cmphex(r->status, ==, 0x50);
    PACKET(r, 0xfffe, 0x25);
    g_assert_cmpmem(r->data, 8, "\0\0\2\x57\0\0\x08\0", 8);
    PACKET(r, 0xfffe, 0x43, 0, 0, 0, 0, 0, 0, 0, 255);
    g_assert_cmpuint(r->len, ==, 20);
    g_assert_cmpmem(r->data + 12, 8, "\0\x16\xaa\0\0\0\2\x58", 8);
    PACKET(r, 0xfffe, 0x46, 0, 0, 0, 0, 0, 0, 1, 0);
    g_assert_cmpuint(r->data[7], ==, 8);
    PACKET(r, 0xfffe, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255);
    g_assert_cmphex(r->data[8], ==, 0x2a);
    PACKET(r, 0xfffe, 0x51, 0, 0, 0, 0, 0, 0, 0, 255);
    g_assert_cmpuint(r->len, ==, 34);
    PACKET(r, 0xfffe, 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8);
    g_assert_cmpuint(r->len, ==, 8);
    PACKET(r, 0xfffe, 0xfe);
    g_assert_cmphex(r->status, ==, 0x51);
    g_assert_cmphex(r->error, ==, 0x54);
    expect_sense(5, 0x20, 0);
    expect_sense(0, 0, 0);
    finish(path);
}

static void check_cd(const uint8_t *got, uint32_t lba, unsigned n)
{
    check_sectors(got, lba * 4, n * 4, 0);
}

static void test_atapi_read(void)
{
    static const struct piece pieces[] = {
        { DATA, 0x4000 }, { DATA + 0x8000, 0xc000 }, { DATA + 0x20000, 0 }, { DATA + 0x40000, 0 }
    };
    static const uint8_t read_96[] = { 0xa8, 0, 0, 0, 1, 0, 0, 0, 0, 96 };
    char *path = start_cd();
    g_autofree struct reply *r = g_new(struct reply, 1);
    g_autofree uint8_t *buf = g_malloc(96 * 2048);

    PACKET(r, 0xfffe, 0x28, 0, 0, 0, 0, 7, 0, 0, 3);
    g_assert_cmpuint(r->len, ==, 3 * 2048);
    check_cd(r->data, 7, 3);
    PACKET(r, 100, 0x28, 0, 0, 0, 0, 9, 0, 0, 1); /* in small pieces */
    check_cd(r->data, 9, 1);
    PACKET(r, 0xfffe, 0xbe, 0, 0, 0, 0, 11, 0, 0, 2, 0xf8); /* whole sectors of 2352 */
    g_assert_cmpuint(r->len, ==, 2 * 2352);
    g_assert_cmpmem(r->data, 16, "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\2\xb\1", 16);
    check_cd(r->data + 16, 11, 1);
    check_cd(r->data + 2352 + 16, 12, 1);
    PACKET(r, 0xfffe, 0x28, 0, 0, 0, 2, 0x57, 0, 0, 2); /* over the end */
    g_assert_cmphex(r->status, ==, 0x51);
    expect_sense(5, 0x21, 0);
    bm_setup();
    bm_table(pieces, 4);
    send_packet(read_96, sizeof(read_96), true, 0);
    pc_out(q, 1, bm(0), 9);
    g_assert_cmphex(bm_wait(), ==, 4);
    g_assert_cmphex(status(), ==, 0x50);
    pc_out(q, 1, bm(0), 0);
    qc_memread(q, DATA, buf, 0x4000);
    qc_memread(q, DATA + 0x8000, buf + 0x4000, 0xc000);
    qc_memread(q, DATA + 0x20000, buf + 0x10000, 0x10000);
    qc_memread(q, DATA + 0x40000, buf + 0x20000, 0x10000);
    check_cd(buf, 256, 96);
    finish(path);
}

static void test_tray(void)
{
    char *path = start_cd(), *state;
    g_autofree struct reply *r = g_new(struct reply, 1);

    PACKET(r, 0xfffe, 0x1e, 0, 0, 0, 1); /* locked */
    PACKET(r, 0xfffe, 0x1b, 0, 0, 0, 2);
    g_assert_cmphex(r->status, ==, 0x51);
    expect_sense(5, 0x53, 2);
    PACKET(r, 0xfffe, 0x1e, 0, 0, 0, 0);
    PACKET(r, 0xfffe, 0x1b, 0, 0, 0, 2);
    g_assert_cmphex(r->status, ==, 0x50);
    PACKET(r, 0xfffe, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
    g_assert_cmphex(r->status, ==, 0x51);
    expect_sense(2, 0x3a, 2);
    PACKET(r, 0xfffe, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
    g_assert_cmphex(r->data[5], ==, 1);
    state = qc_save(q);
    PACKET(r, 0xfffe, 0x1b, 0, 0, 0, 3);
    PACKET(r, 0xfffe, 0);
    g_assert_cmphex(r->status, ==, 0x51);
    expect_sense(6, 0x28, 0);
    PACKET(r, 0xfffe, 0);
    g_assert_cmphex(r->status, ==, 0x50);
    qc_load(q, state);
    g_free(state);
    PACKET(r, 0xfffe, 0);
    expect_sense(2, 0x3a, 2);
    finish(path);
}

static void test_no_disc(void)
{
    g_autofree struct reply *r = g_new(struct reply, 1);

    q = qc_start("-machine pc -arch x86_64 -drive if=ide,index=2,media=cdrom");
    base = 0x170;
    set(SELECT_R, 0xa0);
    g_assert_cmphex(get(MID_R) | get(HIGH_R) << 8, ==, 0xeb14);
    PACKET(r, 0xfffe, 0);
    g_assert_cmphex(r->status, ==, 0x51);
    g_assert_cmphex(r->error, ==, 0x20);
    expect_sense(2, 0x3a, 1);
    qc_stop(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ide/identify", test_identify);
    g_test_add_func("/ide/pio", test_pio);
    g_test_add_func("/ide/chs", test_chs);
    g_test_add_func("/ide/errors", test_errors);
    g_test_add_func("/ide/commands", test_commands);
    g_test_add_func("/ide/smart", test_smart);
    g_test_add_func("/ide/resets", test_resets);
    g_test_add_func("/ide/dma", test_dma);
    g_test_add_func("/ide/dma-errors", test_dma_errors);
    g_test_add_func("/ide/trim", test_trim);
    g_test_add_func("/ide/state", test_state);
    g_test_add_func("/ide/isa", test_isa);
    g_test_add_func("/ide/atapi", test_atapi);
    g_test_add_func("/ide/atapi-read", test_atapi_read);
    g_test_add_func("/ide/tray", test_tray);
    g_test_add_func("/ide/no-disc", test_no_disc);
    return g_test_run();
}
