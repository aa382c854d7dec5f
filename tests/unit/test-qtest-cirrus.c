/*
 * The GD5446: banks, write modes, pictures and cursor, and the BitBLT engine against a model that
 * goes pixel by pixel.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "pcio.h"

enum { LINEAR = 0xe0000000, FEED = LINEAR + 0x1000000, MMIO = 0xf0000000, SLOT = 2 };
enum { VRAM = 4 << 20, ARENA = 0x4000 };

static struct qclient *q;
static GRand *rnd;

static void indexed(uint16_t port, uint8_t i, uint8_t v)
{
    qc_cmd(q, "outw 0x%x 0x%x", port, i | v << 8);
}

static uint8_t indexed_in(uint16_t port, uint8_t i)
{
    pc_out(q, 1, port, i);
    return (uint8_t)pc_in(q, 1, port + 1u);
}

static void gc(uint8_t i, uint8_t v)
{
    indexed(0x3ce, i, v);
}

/* Packed pixels, BARs in place. */
static void set_up(void)
{
    qc_reset(q);
    pc_config_write(q, SLOT, 0, 0x10, 4, LINEAR);
    pc_config_write(q, SLOT, 0, 0x14, 4, MMIO);
    pc_config_write(q, SLOT, 0, 4, 2, 3);
    pc_out(q, 1, 0x3c2, 0x67);
    indexed(0x3c4, 6, 0x12);
    indexed(0x3c4, 7, 0x11);
    gc(6, 5);
}

/* ---- registers ---- */

static void test_registers(void)
{
    set_up();
    g_assert_cmphex(pc_config_read(q, SLOT, 0, 0, 4), ==, 0x00b81013);
    g_assert_cmphex(indexed_in(0x3d4, 0x27), ==, 0xb8);
    g_assert_cmphex(indexed_in(0x3c4, 6), ==, 0x12);
    indexed(0x3c4, 6, 0);
    g_assert_cmphex(indexed_in(0x3c4, 6), ==, 0x0f);
    g_assert_cmphex(indexed_in(0x3c4, 0x0f), ==, 0x98);
    g_assert_cmphex(indexed_in(0x3c4, 0x17) & 0x38, ==, 0x20);
    /* the hidden DAC register: behind four reads of the mask */
    pc_out(q, 1, 0x3c6, 0xff);
    for (unsigned i = 0; i < 4; i++)
        g_assert_cmphex(pc_in(q, 1, 0x3c6), ==, 0xff);
    pc_out(q, 1, 0x3c6, 0xc5);
    g_assert_cmphex(pc_in(q, 1, 0x3c6), ==, 0xff);
    for (unsigned i = 0; i < 3; i++)
        pc_in(q, 1, 0x3c6);
    g_assert_cmphex(pc_in(q, 1, 0x3c6), ==, 0xc5);
    /* the same registers in memory */
    qc_writeb(q, MMIO + 0x100 + 0x10, 0x5a);
    g_assert_cmphex(indexed_in(0x3ce, 0x28), ==, 0x5a);
    qc_writew(q, MMIO + 0x0e, 0x3428);
    g_assert_cmphex(qc_readb(q, MMIO + 0x110), ==, 0x34);
    /* the CRTC is there even while its ports are those of monochrome cards */
    pc_out(q, 1, 0x3c2, 0);
    qc_writew(q, MMIO + 0x14, 0x6713);
    g_assert_cmphex(indexed_in(0x3b4, 0x13), ==, 0x67);
}

/* ---- memory ---- */

static void test_banks(void)
{
    set_up();
    for (unsigned i = 0; i < 64; i++)
        qc_writel(q, LINEAR + i * 0x1000, i);
    gc(9, 3);
    g_assert_cmphex(qc_readl(q, 0xa0000), ==, 3);
    g_assert_cmphex(qc_readl(q, 0xa8000), ==, 11);
    gc(11, 1);
    gc(10, 20);
    g_assert_cmphex(qc_readl(q, 0xa1000), ==, 4);
    g_assert_cmphex(qc_readl(q, 0xa8000), ==, 20);
    gc(11, 0x21);
    g_assert_cmphex(qc_readl(q, 0xa0000), ==, 12);
    /* a bank that reaches past the end of memory wraps */
    gc(9, 0xff);
    gc(10, 0xff);
    gc(11, 0x20);
    qc_writel(q, 0xa4000, 0x11223344);
    g_assert_cmphex(qc_readl(q, LINEAR), ==, 0x11223344);
    /* swapped bytes */
    g_assert_cmphex(qc_readl(q, LINEAR + 0x400000), ==, 0x22114433);
    qc_writel(q, LINEAR + 0x800000, 0xaabbccdd);
    g_assert_cmphex(qc_readl(q, LINEAR), ==, 0xddccbbaa);
}

static void test_write_modes(void)
{
    uint8_t got[16];

    set_up();
    qc_memwrite(q, LINEAR + 0x80, "................", 16);
    gc(11, 6);
    indexed(0x3c4, 2, 0xff);
    gc(0, 'b');
    gc(1, 'f');
    gc(5, 0x44);
    qc_writeb(q, 0xa0010, 0xa1);
    qc_memread(q, LINEAR + 0x10, got, 1); /* eight pixels an address */
    gc(5, 0x45);
    indexed(0x3c4, 2, 0xfe);
    qc_writeb(q, 0xa0011, 0xa1);
    gc(11, 0);
    qc_memread(q, LINEAR + 0x80, got, 16);
    g_assert_cmpmem(got, 16, "f.f....ffbfbbbb.", 16);
    /* sixteen bits a pixel */
    gc(11, 0x14);
    gc(0x10, 'B');
    gc(0x11, 'F');
    indexed(0x3c4, 2, 0xff);
    qc_writeb(q, 0xa0008, 0xa1);
    gc(11, 0);
    qc_memread(q, LINEAR + 0x80, got, 16);
    g_assert_cmpmem(got, 16, "fFbBfFbBbBbBbBfF", 16);
    /* latches of eight bytes */
    gc(11, 0x0e);
    gc(5, 0x41);
    qc_readb(q, 0xa0010);
    qc_writeb(q, 0xa0020, 0);
    gc(11, 0);
    qc_memread(q, LINEAR + 0x100, got, 8);
    g_assert_cmpmem(got, 8, "fFbBfFbB", 8);
}

/* ---- blits ---- */

struct blit {
    unsigned width, height; /* pixels */
    unsigned size;          /* bytes of a pixel */
    unsigned dst, src, dst_pitch, src_pitch;
    uint8_t mode, ext, rop, skip;
    uint8_t fg[4], bg[4];
    uint16_t key;
};

enum { BACK = 1, CPU = 4, TRANSPARENT = 8, PATTERN = 0x40, EXPAND = 0x80 };

static const struct {
    uint8_t code;
    uint8_t truth; /* bit 2 * source + destination */
} rops[] = {
    { 0x00, 0x0 }, { 0x05, 0x8 }, { 0x06, 0xa }, { 0x09, 0x4 }, { 0x0b, 0x5 }, { 0x0d, 0xc },
    { 0x0e, 0xf }, { 0x50, 0x2 }, { 0x59, 0x6 }, { 0x6d, 0xe }, { 0x90, 0x1 }, { 0x95, 0x9 },
    { 0xad, 0xd }, { 0xd0, 0x3 }, { 0xd6, 0xb }, { 0xda, 0x7 },
};

static uint8_t apply(uint8_t code, uint8_t s, uint8_t d)
{
    uint8_t out = 0;

    for (unsigned r = 0; r < G_N_ELEMENTS(rops); r++)
        for (unsigned i = 0; rops[r].code == code && i < 8; i++)
            out |= (uint8_t)((rops[r].truth >> (2 * (s >> i & 1) + (d >> i & 1)) & 1) << i);
    return out;
}

static unsigned cpu_row(const struct blit *b)
{
    unsigned bytes = b->width * b->size;

    if (!(b->mode & EXPAND))
        return (bytes + 3) & ~3u;
    return b->ext & 1 ? (b->width + 31) / 32 * 4 : (b->width + 7) / 8;
}

/* Byte k of the source's pixel; false: transparent. */
static bool source(const struct blit *b, const uint8_t *mem, const uint8_t *cpu, unsigned x,
                   unsigned y, unsigned k, uint8_t *out)
{
    unsigned step = b->size == 3 ? 32 : 8 * b->size, row = ((b->src & 7) + y) % 8;
    bool bit;

    if (b->ext & 4) {
        *out = b->fg[k];
        return true;
    }
    if (b->mode & EXPAND) {
        const uint8_t *bits = b->mode & PATTERN ? mem + (b->src & ~7u) + row
                              : b->mode & CPU   ? cpu + y * cpu_row(b)
                                                : mem + b->src + y * cpu_row(b);
        unsigned at = b->mode & PATTERN ? x % 8 : x;

        bit = bits[at / 8] >> (7 - at % 8) & 1;
        *out = bit ? b->fg[k] : b->bg[k];
        return !(b->mode & TRANSPARENT) || bit != !!(b->ext & 2);
    }
    if (b->mode & PATTERN)
        *out = mem[(b->src & ~(8 * step - 1)) + row * step + x % 8 * b->size + k];
    else if (b->mode & CPU)
        *out = cpu[y * cpu_row(b) + x * b->size + k];
    else
        *out = mem[b->src + y * b->src_pitch + x * b->size + k];
    return true;
}

/* What the arena looks like afterwards; source and destination do not overlap. */
static void model(const struct blit *b, const uint8_t *mem, const uint8_t *cpu, uint8_t *out)
{
    memcpy(out, mem, ARENA);
    for (unsigned y = 0; y < b->height; y++)
        for (unsigned x = 0; x < b->width; x++) {
            unsigned at = b->dst + y * b->dst_pitch + x * b->size, same = 0;
            uint8_t v[4];
            bool draw = x >= b->skip || b->ext & 4 || !(b->mode & (PATTERN | EXPAND));

            for (unsigned k = 0; k < b->size; k++) {
                draw &= source(b, mem, cpu, x, y, k, &v[k]);
                v[k] = apply(b->rop, v[k], mem[at + k]);
                same += v[k] == (b->key >> 8 * k & 0xff);
            }
            if ((b->mode & (TRANSPARENT | EXPAND)) == TRANSPARENT && same == b->size)
                draw = false;
            if (draw)
                memcpy(out + at, v, b->size);
        }
}

static void put16(uint8_t reg, unsigned v)
{
    gc(reg, v & 0xff);
    gc(reg + 1u, (uint8_t)(v >> 8));
}

static void start(const struct blit *b)
{
    static const uint8_t colors[] = { 0, 0x10, 0x12, 0x14 };
    bool back = b->mode & BACK;
    unsigned last = b->width * b->size - 1, rows = b->height - 1;
    bool bytes = b->size == 3 && b->mode & PATTERN;

    for (unsigned i = 0; i < 4; i++) {
        gc(colors[i], b->bg[i]);
        gc(colors[i] + 1u, b->fg[i]);
    }
    put16(0x20, b->width * b->size - 1);
    put16(0x22, rows);
    put16(0x24, b->dst_pitch);
    put16(0x26, b->src_pitch);
    put16(0x28, b->dst + (back ? last + rows * b->dst_pitch : 0));
    gc(0x2a, 0);
    put16(0x2c, b->src + (back ? last + rows * b->src_pitch : 0));
    gc(0x2e, 0);
    gc(0x2f, bytes ? 3 * b->skip : b->skip);
    gc(0x30, (uint8_t)(b->mode | (b->size - 1) << 4));
    gc(0x32, b->rop);
    gc(0x33, b->ext);
    put16(0x34, b->key);
    gc(0x31, 2);
}

/* `keep`: the machine's state is saved and loaded on the way. */
static void check(const struct blit *b, bool keep)
{
    static uint8_t mem[ARENA], want[ARENA], got[ARENA], cpu[8192];

    /* few values, so that the key is met */
    for (unsigned i = 0; i < ARENA; i++)
        mem[i] = g_rand_int(rnd) & 0x11;
    for (unsigned i = 0; i < sizeof(cpu); i++)
        cpu[i] = (uint8_t)g_rand_int(rnd);
    qc_memwrite(q, LINEAR, mem, ARENA);
    start(b);
    if (b->mode & CPU) {
        unsigned total = (cpu_row(b) * b->height + 3) & ~3u;

        g_assert_cmphex(indexed_in(0x3ce, 0x31) & 1, ==, 1);
        for (unsigned i = 0; i < total; i += 4) {
            uint32_t v;

            memcpy(&v, cpu + i, 4);
            qc_writel(q, i % 8 ? 0xa0000 : FEED, GUINT32_FROM_LE(v));
            if (keep && i == total / 2 / 4 * 4) {
                char *state = qc_save(q);

                gc(0x31, 4);
                qc_load(q, state);
                g_free(state);
            }
        }
    }
    g_assert_cmphex(indexed_in(0x3ce, 0x31) & 3, ==, 0);
    model(b, mem, cpu, want);
    qc_memread(q, LINEAR, got, ARENA);
    for (unsigned i = 0; i < ARENA; i++)
        if (got[i] != want[i])
            g_error("%ux%u of %u bytes, mode %02x ext %x rop %02x skip %u: at %#x is %02x, not "
                    "%02x",
                    b->width, b->height, b->size, b->mode, b->ext, b->rop, b->skip, i, got[i],
                    want[i]);
}

static struct blit random_blit(uint8_t mode, uint8_t ext)
{
    struct blit b = { .mode = mode, .ext = ext };

    b.size = (unsigned)g_rand_int_range(rnd, 1, mode & TRANSPARENT && !(mode & EXPAND) ? 3 : 5);
    b.width = (unsigned)g_rand_int_range(rnd, 1, 50);
    b.height = (unsigned)g_rand_int_range(rnd, 1, 14);
    b.dst_pitch = b.width * b.size + (unsigned)g_rand_int_range(rnd, 0, 60);
    b.src_pitch = b.width * b.size + (unsigned)g_rand_int_range(rnd, 0, 60);
    b.dst = 0x2000 + (unsigned)g_rand_int_range(rnd, 0, 64);
    b.src = (unsigned)g_rand_int_range(rnd, 0, 0x800);
    if (mode & EXPAND && !(ext & 4))
        b.skip = (uint8_t)g_rand_int_range(rnd, 0, 8);
    if (mode & PATTERN && !(mode & EXPAND))
        b.src = (b.src & ~0xffu) | (b.src & 7);
    for (unsigned i = 0; i < 4; i++) {
        b.fg[i] = (uint8_t)g_rand_int(rnd);
        b.bg[i] = (uint8_t)g_rand_int(rnd);
    }
    b.key = g_rand_int(rnd) & 0x1111;
    return b;
}

static const struct {
    const char *name;
    uint8_t mode, ext;
} kinds[] = {
    { "copy", 0, 0 },
    { "copy-transparent", TRANSPARENT, 0 },
    { "backward", BACK, 0 },
    { "pattern", PATTERN, 0 },
    { "solid", PATTERN | EXPAND, 4 },
    { "expand", EXPAND, 0 },
    { "expand-transparent", EXPAND | TRANSPARENT, 0 },
    { "expand-inverted", EXPAND | TRANSPARENT, 2 },
    { "expand-pattern", EXPAND | PATTERN, 0 },
    { "expand-pattern-transparent", EXPAND | PATTERN | TRANSPARENT, 0 },
    { "cpu", CPU, 0 },
    { "cpu-expand", CPU | EXPAND, 0 },
    { "cpu-expand-doublewords", CPU | EXPAND | TRANSPARENT, 1 },
};

static void test_blit(gconstpointer data)
{
    unsigned k = GPOINTER_TO_UINT(data);

    set_up();
    for (unsigned i = 0; i < G_N_ELEMENTS(rops); i++) {
        struct blit b = random_blit(kinds[k].mode, kinds[k].ext);

        b.rop = rops[i].code;
        check(&b, i == 3);
    }
}

/* Down and to the right over itself; addresses that wrap; reset in the middle. */
static void test_blit_edges(void)
{
    struct blit b = { .width = 300, .height = 9, .size = 1, .rop = 0x0d, .mode = BACK };
    uint8_t rows[12 * 512], got[300];

    set_up();
    for (unsigned i = 0; i < sizeof(rows); i++)
        rows[i] = (uint8_t)(i * 7 + i / 512);
    qc_memwrite(q, LINEAR, rows, sizeof(rows));
    b.dst_pitch = b.src_pitch = 512;
    b.dst = 2 * 512 + 9;
    start(&b);
    for (unsigned y = 0; y < b.height; y++) {
        qc_memread(q, LINEAR + (y + 2) * 512 + 9, got, 300);
        g_assert_cmpmem(got, 300, rows + y * 512, 300);
    }
    /* from the last byte of memory on */
    qc_writeb(q, LINEAR + VRAM - 1, 0x77);
    b.mode = 0;
    b.height = 1;
    b.dst = 0x9000;
    b.src = 0;
    start(&b);
    put16(0x2c, 0xffff);
    gc(0x2e, 0x3f);
    gc(0x31, 2);
    g_assert_cmphex(qc_readw(q, LINEAR + 0x9000), ==, 0x77 | rows[0] << 8);
    b.mode = CPU;
    start(&b);
    qc_writel(q, FEED, 0x55555555);
    gc(0x31, 4);
    gc(0x31, 0);
    g_assert_cmphex(indexed_in(0x3ce, 0x31), ==, 0);
    qc_writel(q, LINEAR + 4, 0x12345678);
    g_assert_cmphex(qc_readl(q, LINEAR + 4), ==, 0x12345678);
    /* by itself, when the destination's last register is written */
    b.mode = 0;
    b.dst = 0xa000;
    start(&b);
    gc(0x31, 0x80);
    put16(0x28, 0xb000);
    gc(0x2a, 0);
    g_assert_cmphex(qc_readb(q, LINEAR + 0xb004), ==, 0x78);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    rnd = g_rand_new_with_seed(5446);
    q = qc_start("-machine pc -arch x86_64 -m 16M -nodefaults -device cirrus-vga,addr=2");
    g_test_add_func("/cirrus/registers", test_registers);
    g_test_add_func("/cirrus/banks", test_banks);
    g_test_add_func("/cirrus/write-modes", test_write_modes);
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *path = g_strdup_printf("/cirrus/blit/%s", kinds[i].name);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_blit);
    }
    g_test_add_func("/cirrus/blit/edges", test_blit_edges);
    status = g_test_run();
    qc_stop(q);
    g_rand_free(rnd);
    return status;
}
