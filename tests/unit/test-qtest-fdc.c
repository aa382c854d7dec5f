/* The PC's floppy drives: sectors by DMA and by the FIFO, formatting, errors, disks of all sizes.
 */
#include <string.h>
#include <glib.h>
#include "pcio.h"

#define DATA 0x20000u

enum { DOR = 0x3f2, MSR = 0x3f4, FIFO = 0x3f5, CCR = 0x3f7 };
enum { RQM = 0x80, TO_HOST = 0x40, BUSY = 0x10 };

static struct qclient *q;
static uint8_t result[16];
static unsigned n_result;

static uint8_t in(uint16_t port)
{
    return (uint8_t)pc_in(q, 1, port);
}

static void out(uint16_t port, uint8_t v)
{
    pc_out(q, 1, port, v);
}

static uint8_t wait_msr(uint8_t mask, uint8_t want)
{
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t v = in(MSR);

        if ((v & mask) == want)
            return v;
        g_usleep(50);
    }
    g_assert_not_reached();
}

static void send(const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        wait_msr(RQM | TO_HOST, RQM);
        out(FIFO, bytes[i]);
    }
}

static void take_result(void)
{
    n_result = 0;
    wait_msr(RQM, RQM);
    while ((in(MSR) & (RQM | TO_HOST | BUSY)) == (RQM | TO_HOST | BUSY)) {
        g_assert_cmpuint(n_result, <, sizeof(result));
        result[n_result++] = in(FIFO);
    }
}

#define COMMAND(...)                              \
    do {                                          \
        const uint8_t bytes_[] = { __VA_ARGS__ }; \
        send(bytes_, sizeof(bytes_));             \
        take_result();                            \
    } while (0)

/* As firmware begins: reset, four polls, rate, step times. */
static void begin(uint8_t rate, bool dma)
{
    qc_intercept(q, "/machine/fdc", true);
    out(0xd6, 0xc0); /* the cascade of the DMA controllers */
    out(0xd4, 0);
    out(DOR, 0x00);
    out(DOR, 0x1c);
    g_assert_true(qc_irq(q, 0));
    for (unsigned i = 0; i < 4; i++) {
        COMMAND(0x08);
        g_assert_cmpuint(n_result, ==, 2);
        g_assert_cmphex(result[0], ==, 0xc0 | i);
    }
    g_assert_false(qc_irq(q, 0));
    COMMAND(0x08);
    g_assert_cmpuint(n_result, ==, 1);
    g_assert_cmphex(result[0], ==, 0x80);
    out(CCR, rate);
    COMMAND(0x03, 0xdf, dma ? 2 : 3);
}

static char *start(size_t size, uint8_t rate, bool dma, const char *more)
{
    char *path = pc_image_new(size);
    g_autofree char *args = g_strdup_printf(
        "-machine pc -arch x86_64 -drive if=floppy,format=raw,file=%s%s", path, more);

    q = qc_start(args);
    begin(rate, dma);
    return path;
}

static void finish(char *path)
{
    qc_stop(q);
    pc_image_free(path);
}

static void seek(uint8_t head, uint8_t track)
{
    COMMAND(0x0f, (uint8_t)(head << 2), track);
    g_assert_true(qc_irq(q, 0));
    COMMAND(0x08);
    g_assert_cmphex(result[0], ==, 0x20 | head << 2);
    g_assert_cmpuint(result[1], ==, track);
}

/* Channel 2; mode 46h writes to memory, 4ah reads. */
static void dma(uint8_t mode, unsigned len)
{
    out(0x0a, 6);
    out(0x0c, 0);
    out(0x0b, mode);
    out(0x04, (uint8_t)DATA);
    out(0x04, (uint8_t)(DATA >> 8));
    out(0x81, (uint8_t)(DATA >> 16));
    out(0x05, (uint8_t)(len - 1));
    out(0x05, (uint8_t)((len - 1) >> 8));
    out(0x0a, 2);
}

static void check(const uint8_t *got, size_t offset, size_t len, uint8_t seed)
{
    g_autofree uint8_t *want = g_malloc(len);

    pc_pattern(want, offset, len, seed);
    g_assert_cmpmem(got, len, want, len);
}

static size_t place(unsigned secs, unsigned track, unsigned head, unsigned sector)
{
    return ((track * 2 + head) * secs + sector - 1) * (size_t)512;
}

static void test_dma(void)
{
    char *path = start(1440 * 1024, 0, true, "");
    g_autofree uint8_t *buf = g_malloc(36 * 512);

    seek(0, 5);
    dma(0x46, 3 * 512);
    COMMAND(0xe6, 0, 5, 0, 17, 2, 18, 0x1b, 0xff); /* over to the other side */
    g_assert_cmpuint(n_result, ==, 7);
    g_assert_cmphex(result[0] & 0xc0, ==, 0);
    g_assert_cmpuint(result[4], ==, 1);
    g_assert_cmpuint(result[5], ==, 2);
    qc_memread(q, DATA, buf, 3 * 512);
    check(buf, place(18, 5, 0, 17), 3 * 512, 0);
    pc_pattern(buf, place(18, 5, 0, 1), 36 * 512, 0x77);
    qc_memwrite(q, DATA, buf, 36 * 512);
    dma(0x4a, 36 * 512);
    COMMAND(0xc5, 0, 5, 0, 1, 2, 18, 0x1b, 0xff);
    g_assert_cmphex(result[0] & 0xc0, ==, 0);
    g_assert_cmpuint(result[3], ==, 6); /* the next track */
    pc_image_read(path, place(18, 5, 0, 1), buf, 36 * 512);
    check(buf, place(18, 5, 0, 1), 36 * 512, 0x77);
    /* more than the track has */
    dma(0x46, 4 * 512);
    COMMAND(0x46, 4, 5, 1, 17, 2, 18, 0x1b, 0xff);
    g_assert_cmphex(result[0] & 0xc0, ==, 0x40);
    g_assert_cmphex(result[1], ==, 0x80);
    finish(path);
}

static void test_fifo(void)
{
    char *path = start(720 * 1024, 2, false, "");
    uint8_t buf[512], got[512];

    seek(0, 79);
    {
        const uint8_t c[] = { 0x46, 0, 79, 0, 9, 2, 9, 0x1b, 0xff };

        send(c, sizeof(c));
    }
    for (unsigned i = 0; i < 512; i++) {
        wait_msr(0xf0, 0xf0);
        buf[i] = in(FIFO);
    }
    take_result();
    g_assert_cmphex(result[1], ==, 0x80); /* without terminal count it is an end too soon */
    check(buf, place(9, 79, 0, 9), 512, 0);
    pc_pattern(buf, place(9, 79, 0, 2), 512, 0x31);
    {
        const uint8_t c[] = { 0x45, 0, 79, 0, 2, 2, 2, 0x1b, 0xff };

        send(c, sizeof(c));
    }
    for (unsigned i = 0; i < 512; i++) {
        wait_msr(0xf0, 0xb0);
        out(FIFO, buf[i]);
    }
    take_result();
    pc_image_read(path, place(9, 79, 0, 2), got, 512);
    check(got, place(9, 79, 0, 2), 512, 0x31);
    finish(path);
}

static void test_format(void)
{
    char *path = start(1440 * 1024, 0, true, "");
    g_autofree uint8_t *got = g_malloc(18 * 512);
    uint8_t ids[18 * 4];

    for (unsigned i = 0; i < 18; i++) {
        const uint8_t id[4] = { 3, 1, (uint8_t)(i + 1), 2 };

        memcpy(ids + 4 * i, id, 4);
    }
    qc_memwrite(q, DATA, ids, sizeof(ids));
    seek(1, 3);
    dma(0x4a, sizeof(ids));
    COMMAND(0x4d, 4, 2, 18, 0x54, 0xf6);
    g_assert_cmphex(result[0] & 0xc0, ==, 0);
    pc_image_read(path, place(18, 3, 1, 1), got, 18 * 512);
    for (unsigned i = 0; i < 18 * 512; i++)
        g_assert_cmphex(got[i], ==, 0xf6);
    pc_image_read(path, place(18, 4, 0, 1), got, 512);
    check(got, place(18, 4, 0, 1), 512, 0);
    finish(path);
}

static void test_errors(void)
{
    char *path = start(1440 * 1024, 0, true, ",readonly=on");

    seek(0, 1);
    dma(0x4a, 512);
    COMMAND(0x45, 0, 1, 0, 1, 2, 18, 0x1b, 0xff);
    g_assert_cmphex(result[1], ==, 0x02);
    COMMAND(0x46, 0, 2, 0, 1, 2, 18, 0x1b, 0xff); /* the head is elsewhere */
    g_assert_cmphex(result[1], ==, 0x04);
    g_assert_cmphex(result[2], ==, 0x10);
    COMMAND(0x46, 0, 1, 0, 19, 2, 18, 0x1b, 0xff);
    g_assert_cmphex(result[1], ==, 0x04);
    out(CCR, 2); /* another rate */
    COMMAND(0x4a, 0);
    g_assert_cmphex(result[0] & 0xc0, ==, 0x40);
    g_assert_cmphex(result[1], ==, 0x01);
    out(CCR, 0);
    COMMAND(0x4a, 0);
    g_assert_cmphex(result[0], ==, 0);
    g_assert_cmpuint(result[3], ==, 1);
    COMMAND(0x46, 1, 0, 0, 1, 2, 18, 0x1b, 0xff); /* no such drive */
    g_assert_cmphex(result[1], ==, 0x01);
    COMMAND(0x04, 0);
    g_assert_cmphex(result[0] & 0x50, ==, 0x40);
    COMMAND(0x1f);
    g_assert_cmphex(result[0], ==, 0x80);
    finish(path);
}

static void test_commands(void)
{
    char *path = start(1440 * 1024, 0, true, "");
    char *state;

    COMMAND(0x10);
    g_assert_cmphex(result[0], ==, 0x90);
    COMMAND(0x13, 0, 0x57, 0); /* implied seeks */
    COMMAND(0x94);
    g_assert_cmphex(result[0], ==, 0x10);
    dma(0x46, 512);
    COMMAND(0x46, 0, 40, 0, 1, 2, 18, 0x1b, 0xff);
    g_assert_cmphex(result[0] & 0xc0, ==, 0);
    COMMAND(0x0e);
    g_assert_cmpuint(n_result, ==, 10);
    g_assert_cmpuint(result[0], ==, 40);
    g_assert_cmphex(result[7], ==, 0x80);
    g_assert_cmphex(result[8], ==, 0x57);
    COMMAND(0x56, 0, 40, 0, 1, 2, 18, 0x1b, 0xff); /* VERIFY */
    g_assert_cmphex(result[0] & 0xc0, ==, 0);
    COMMAND(0xcf, 0, 2); /* relative */
    COMMAND(0x08);
    g_assert_cmpuint(result[1], ==, 42);
    state = qc_save(q);
    COMMAND(0x07, 0);
    COMMAND(0x08);
    g_assert_cmphex(result[0] << 8 | result[1], ==, 0x2000);
    qc_load(q, state);
    g_free(state);
    COMMAND(0x0e);
    g_assert_cmpuint(result[0], ==, 42);
    finish(path);
}

static void test_sizes(void)
{
    static const struct {
        unsigned kib, track, head, secs, rate;
    } rows[] = { { 160, 39, 0, 8, 1 },   { 180, 39, 0, 9, 2 },  { 320, 39, 1, 8, 1 },
                 { 360, 39, 1, 9, 1 },   { 720, 79, 1, 9, 2 },  { 1200, 79, 1, 15, 0 },
                 { 1440, 79, 1, 18, 0 }, { 2880, 79, 1, 36, 3 } };
    uint8_t buf[512];

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        size_t size = rows[i].kib * 1024u;
        char *path = start(size, (uint8_t)rows[i].rate, true, "");

        seek((uint8_t)rows[i].head, (uint8_t)rows[i].track);
        dma(0x46, 512);
        COMMAND(0x46, (uint8_t)(rows[i].head << 2), (uint8_t)rows[i].track, (uint8_t)rows[i].head,
                (uint8_t)rows[i].secs, 2, (uint8_t)rows[i].secs, 0x1b, 0xff);
        g_assert_cmphex(result[0] & 0xc0, ==, 0);
        qc_memread(q, DATA, buf, 512);
        check(buf, size - 512, 512, 0);
        finish(path);
    }
}

/* The change line goes off with the first step. */
static void test_change(void)
{
    char *path = start(1440 * 1024, 0, true, "");

    g_assert_cmphex(in(CCR)&0x80, ==, 0x80);
    seek(0, 1);
    g_assert_cmphex(in(CCR)&0x80, ==, 0);
    finish(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fdc/dma", test_dma);
    g_test_add_func("/fdc/fifo", test_fifo);
    g_test_add_func("/fdc/format", test_format);
    g_test_add_func("/fdc/errors", test_errors);
    g_test_add_func("/fdc/commands", test_commands);
    g_test_add_func("/fdc/sizes", test_sizes);
    g_test_add_func("/fdc/change", test_change);
    return g_test_run();
}
