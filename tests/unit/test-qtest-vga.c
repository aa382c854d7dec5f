/*
 * The VGA: pictures drawn through its registers and planes, taken by screendump, and compared with
 * what each mode is to show, pixel by pixel.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "qclient.h"
#include "qmp.h"

static struct qclient *q;
static char *dir, *dump;
static FILE *qmp;

/* ---- the screen ---- */

struct picture {
    unsigned width, height;
    gchar *file;
    const uint8_t *rgb;
};

static void command(const char *text)
{
    char line[4096];

    fprintf(qmp, "%s\n", text);
    fflush(qmp);
    do
        g_assert_nonnull(fgets(line, sizeof(line), qmp));
    while (!strstr(line, "\"return\"") && !strstr(line, "\"error\""));
    g_assert_nonnull(strstr(line, "\"return\""));
}

static struct picture take(void)
{
    g_autofree char *text =
        g_strdup_printf("{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"%s\"}}", dump);
    struct picture p = { 0 };
    gsize len;
    int at = 0;

    command(text);
    g_assert_true(g_file_get_contents(dump, &p.file, &len, NULL));
    g_assert_cmpint(sscanf(p.file, "P6 %u %u 255%n", &p.width, &p.height, &at), ==, 2);
    g_assert_cmpuint(len, ==, (gsize)at + 1 + 3 * (gsize)p.width * p.height);
    p.rgb = (const uint8_t *)p.file + at + 1;
    return p;
}

static uint32_t pixel(const struct picture *p, unsigned x, unsigned y)
{
    const uint8_t *c = p->rgb + 3 * ((size_t)y * p->width + x);

    return (uint32_t)c[0] << 16 | (uint32_t)c[1] << 8 | c[2];
}

/* All of the screen is as `want` says. */
static void check(unsigned width, unsigned height, uint32_t (*want)(unsigned x, unsigned y))
{
    struct picture p = take();

    g_assert_cmpuint(p.width, ==, width);
    g_assert_cmpuint(p.height, ==, height);
    for (unsigned y = 0; y < height; y++)
        for (unsigned x = 0; x < width; x++)
            if (pixel(&p, x, y) != want(x, y))
                g_error("pixel %u,%u is %06x, not %06x", x, y, pixel(&p, x, y), want(x, y));
    g_free(p.file);
}

/* ---- registers ---- */

static uint8_t in(uint16_t port)
{
    return (uint8_t)g_ascii_strtoull(qc_cmd(q, "inb 0x%x", port), NULL, 0);
}

static void out(uint16_t port, uint8_t v)
{
    qc_cmd(q, "outb 0x%x 0x%x", port, v);
}

static void indexed(uint16_t port, uint8_t i, uint8_t v)
{
    qc_cmd(q, "outw 0x%x 0x%x", port, i | v << 8);
}

static void seq(uint8_t i, uint8_t v)
{
    indexed(0x3c4, i, v);
}

static void crtc(uint8_t i, uint8_t v)
{
    indexed(0x3d4, i, v);
}

static void gc(uint8_t i, uint8_t v)
{
    indexed(0x3ce, i, v);
}

static void attr(uint8_t i, uint8_t v)
{
    in(0x3da);
    out(0x3c0, i);
    out(0x3c0, v);
}

static void show(void)
{
    in(0x3da);
    out(0x3c0, 0x20);
}

/* What differs between the BIOS's modes, as the IBM BIOS sets them. */
struct mode {
    uint8_t misc, seq[4], crtc[25], gc[9], attr10, attr13;
};

static const struct mode text_mode = {
    0x67,
    { 0x00, 0x03, 0x00, 0x02 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0,
      0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
    { 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff },
    0x0c,
    0x08,
};
static const struct mode planar_mode = {
    0xe3,
    { 0x01, 0x0f, 0x00, 0x06 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0,    0x40, 0,    0,   0,
      0,    0,    0,    0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff },
    { 0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff },
    0x01,
    0x00,
};
static const struct mode mode13 = {
    0x63,
    { 0x01, 0x0f, 0x00, 0x0e },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0,    0x41, 0,    0,   0,
      0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
    { 0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff },
    0x41,
    0x00,
};
static const struct mode cga_mode = {
    0x63,
    { 0x09, 0x03, 0x00, 0x02 },
    { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0,    0xc1, 0,    0,   0,
      0,    0,    0,    0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff },
    { 0, 0, 0, 0, 0, 0x30, 0x0f, 0x00, 0xff },
    0x01,
    0x00,
};

/* Colour i of the palette the tests load: red and green tell it apart, six bits each. */
static uint32_t color(unsigned i)
{
    unsigned r = i & 0x3f, g = (i * 7 + 5) & 0x3f, b = (i >> 2) & 0x3f;

    return (r << 2 | r >> 4) << 16 | (g << 2 | g >> 4) << 8 | (b << 2 | b >> 4);
}

static void set_mode(const struct mode *m)
{
    qc_reset(q);
    out(0x3c2, m->misc);
    seq(0, 3);
    for (unsigned i = 0; i < 4; i++)
        seq((uint8_t)(i + 1), m->seq[i]);
    crtc(0x11, 0);
    for (unsigned i = 0; i < 25; i++)
        crtc((uint8_t)i, m->crtc[i]);
    for (unsigned i = 0; i < 9; i++)
        gc((uint8_t)i, m->gc[i]);
    for (unsigned i = 0; i < 16; i++)
        attr((uint8_t)i, (uint8_t)i);
    attr(0x10, m->attr10);
    attr(0x12, 0x0f);
    attr(0x13, m->attr13);
    out(0x3c8, 0);
    for (unsigned i = 0; i < 256; i++) {
        out(0x3c9, i & 0x3f);
        out(0x3c9, (i * 7 + 5) & 0x3f);
        out(0x3c9, (i >> 2) & 0x3f);
    }
    show();
}

/* ---- text ---- */

static uint8_t font(unsigned ch, unsigned row)
{
    return (uint8_t)(ch * 37 + row * 11);
}

static unsigned text_top, text_split = 1000, text_pan, cursor_cell = 81;

static uint32_t want_text(unsigned x, unsigned y)
{
    unsigned line = y >= text_split ? y - text_split : y + 16 * text_top;
    unsigned px = x + (y >= text_split ? 0 : text_pan), cell = line / 16 * 80 + px / 9;
    unsigned dot = px % 9, ch = cell & 0xff, at = cell * 3 & 0x7f, row = line % 16;
    bool on =
        dot < 8 ? font(ch, row) >> (7 - dot) & 1 : ch >= 0xc0 && ch <= 0xdf && font(ch, row) & 1;

    if (cell == cursor_cell && row >= 13 && row <= 14)
        on = true;
    return color(on ? at & 15 : at >> 4);
}

static void fill_text(void)
{
    uint8_t cells[2 * 80 * 60], glyphs[32 * 256] = { 0 };

    seq(2, 4);
    seq(4, 6);
    gc(5, 0);
    gc(6, 4);
    for (unsigned c = 0; c < 256; c++)
        for (unsigned r = 0; r < 16; r++)
            glyphs[32 * c + r] = font(c, r);
    qc_memwrite(q, 0xa0000, glyphs, sizeof(glyphs));
    seq(2, 3);
    seq(4, 2);
    gc(5, 0x10);
    gc(6, 0x0e);
    for (unsigned i = 0; i < 80 * 60; i++) {
        cells[2 * i] = (uint8_t)i;
        cells[2 * i + 1] = i * 3 & 0x7f;
    }
    qc_memwrite(q, 0xb8000, cells, sizeof(cells));
}

static void test_text(void)
{
    set_mode(&text_mode);
    fill_text();
    crtc(0x0f, 81);
    check(720, 400, want_text);
    g_assert_cmphex(qc_readw(q, 0xb8000 + 2 * 300), ==, (300 & 0xff) | (900 & 0x7f) << 8);
    /* one character changes */
    qc_writew(q, 0xb8000, 0x0100);
    qc_writew(q, 0xb8000, 0x0000);
    check(720, 400, want_text);
    /* scrolled, shifted, and split: below, memory's beginning */
    text_top = 2;
    text_pan = 3;
    text_split = 321;
    crtc(0x0d, 160);
    attr(0x13, 2);
    attr(0x10, 0x2c);
    show();
    crtc(0x18, 320 & 0xff);
    crtc(0x09, 0x0f);
    check(720, 400, want_text);
    text_top = text_pan = 0;
    text_split = 1000;
}

static void test_blink(void)
{
    struct picture p;

    set_mode(&text_mode);
    fill_text();
    crtc(0x0f, 0);
    qc_writew(q, 0xb8000, 0x8f00 | 0xdb);
    p = take();
    g_assert_cmphex(pixel(&p, 0, 14), ==, color(15));
    g_free(p.file);
    /* a frame is 449 lines of 900 dots: after 9 the cursor is gone, after 17 the character */
    for (unsigned i = 0; i < 3; i++) {
        static const unsigned frames[] = { 9, 8, 15 };

        qc_clock_step(q, (gint64)frames[i] * 14300000);
        p = take();
        for (unsigned x = 0; x < 8; x++) {
            bool glyph = font(0xdb, 14) >> (7 - x) & 1;
            bool want = i == 0 ? glyph : true;

            g_assert_cmphex(pixel(&p, x, 14), ==, color(want ? 15 : 0));
            g_assert_cmphex(pixel(&p, x, 1), ==,
                            color(i != 1 && font(0xdb, 1) >> (7 - x) & 1 ? 15 : 0));
        }
        g_free(p.file);
    }
}

/* ---- graphics ---- */

static uint32_t want_planar(unsigned x, unsigned y)
{
    return color(y < 16 ? y : y == 20 && x >= 8 && x < 16 ? (x & 1 ? 5 : 0) : 0);
}

static void test_planar(void)
{
    set_mode(&planar_mode);
    /* a row of each colour: by planes, by set/reset, by write modes 2 and 3 */
    for (unsigned y = 0; y < 16; y++) {
        uint8_t row[80];

        memset(row, y & 12 ? (int)y : 0xff, sizeof(row));
        gc(5, y < 8 ? 0 : y < 12 ? 2 : 3);
        seq(2, y < 4 ? (uint8_t)y : 15);
        gc(1, y >= 4 && y < 8 ? 15 : 0);
        gc(0, (uint8_t)y);
        if (y >= 12)
            memset(row, 0xff, sizeof(row));
        qc_memwrite(q, 0xa0000 + 80 * y, row, sizeof(row));
    }
    gc(5, 2);
    gc(8, 0x55);
    qc_readb(q, 0xa0000 + 80 * 20 + 1);
    qc_writeb(q, 0xa0000 + 80 * 20 + 1, 5);
    check(640, 480, want_planar);

    /* latches copy all planes; read mode 1 finds a colour */
    gc(5, 1);
    g_assert_cmphex(qc_readb(q, 0xa0000 + 80 * 9), ==, 0xff);
    qc_writeb(q, 0xa0000 + 80 * 30, 0);
    gc(5, 8);
    gc(2, 9);
    gc(7, 15);
    g_assert_cmphex(qc_readb(q, 0xa0000 + 80 * 30), ==, 0xff);
    gc(2, 5);
    g_assert_cmphex(qc_readb(q, 0xa0000 + 80 * 20 + 1), ==, 0x55);
    gc(5, 0);
    gc(4, 2);
    g_assert_cmphex(qc_readb(q, 0xa0000 + 80 * 20 + 1), ==, 0x55);
    gc(4, 1);
    g_assert_cmphex(qc_readb(q, 0xa0000 + 80 * 20 + 1), ==, 0);
}

static uint32_t want_13(unsigned x, unsigned y)
{
    return color((x / 2 + 3 * (y / 2)) & 0xff);
}

static void test_mode13(void)
{
    uint8_t row[320];
    char *state;

    set_mode(&mode13);
    for (unsigned y = 0; y < 200; y++) {
        for (unsigned x = 0; x < 320; x++)
            row[x] = (uint8_t)(x + 3 * y);
        qc_memwrite(q, 0xa0000 + 320 * y, row, sizeof(row));
    }
    g_assert_cmphex(qc_readl(q, 0xa0000 + 321), ==, 0x07060504);
    check(640, 400, want_13);
    /* registers come back with saved state */
    state = qc_save(q);
    gc(5, 0);
    seq(4, 2);
    out(0x3c8, 1);
    out(0x3c9, 0x3f);
    qc_load(q, state);
    g_free(state);
    check(640, 400, want_13);
}

static uint32_t want_x(unsigned x, unsigned y)
{
    return color(x / 2 % 4 * 16 + (x / 8 + y / 2) % 16);
}

static void test_mode_x(void)
{
    uint8_t row[80];

    set_mode(&mode13);
    /* 320x240 without chain 4 */
    seq(4, 6);
    out(0x3c2, 0xe3);
    crtc(0x11, 0x2c);
    crtc(0x06, 0x0d);
    crtc(0x07, 0x3e);
    crtc(0x10, 0xea);
    crtc(0x12, 0xdf);
    crtc(0x14, 0x00);
    crtc(0x15, 0xe7);
    crtc(0x16, 0x06);
    crtc(0x17, 0xe3);
    crtc(0x0c, 0x40); /* a page further down */
    for (unsigned p = 0; p < 4; p++) {
        seq(2, (uint8_t)(1 << p));
        for (unsigned y = 0; y < 240; y++) {
            for (unsigned x = 0; x < 80; x++)
                row[x] = (uint8_t)(p * 16 + (x + y) % 16);
            qc_memwrite(q, 0xa4000 + 80 * y, row, sizeof(row));
        }
    }
    check(640, 480, want_x);
}

static uint32_t want_cga(unsigned x, unsigned y)
{
    return color((x / 2 + y / 2) & 3);
}

static void test_cga(void)
{
    set_mode(&cga_mode);
    for (unsigned y = 0; y < 200; y++) {
        uint8_t row[80];

        for (unsigned x = 0; x < 80; x++) {
            row[x] = 0;
            for (unsigned k = 0; k < 4; k++)
                row[x] = (uint8_t)(row[x] << 2 | ((4 * x + k + y) & 3));
        }
        qc_memwrite(q, 0xb8000 + (y & 1) * 0x2000 + y / 2 * 80, row, sizeof(row));
    }
    check(640, 400, want_cga);
}

/* ---- DISPI ---- */

static void vbe(unsigned reg, unsigned v)
{
    qc_cmd(q, "outw 0x1ce 0x%x", reg);
    qc_cmd(q, "outw 0x1cf 0x%x", v);
}

static unsigned vbe_in(unsigned reg)
{
    qc_cmd(q, "outw 0x1ce 0x%x", reg);
    return (unsigned)g_ascii_strtoull(qc_cmd(q, "inw 0x1cf"), NULL, 0);
}

enum { LFB = 0xe0000000, MMIO = 0xf0000000, XRES = 160, YRES = 100, VIRT = 200 };

static void config(unsigned reg, uint32_t v)
{
    qc_cmd(q, "outl 0xcf8 0x%x", 0x80000000 | 2 << 11 | reg);
    qc_cmd(q, "outl 0xcfc 0x%x", v);
}

static void map_bars(void)
{
    config(0x10, LFB);
    config(0x18, MMIO);
    config(0x04, 3);
}

static uint32_t bits_of(unsigned x, unsigned y)
{
    return (x * 0x010305 + y * 0x100a01) & 0xffffff;
}

static uint32_t want_32(unsigned x, unsigned y)
{
    return bits_of(x + 8, y + 3);
}

static uint32_t scale(uint32_t v, unsigned bits)
{
    return bits == 6 ? v << 2 | v >> 4 : v << 3 | v >> 2;
}

static uint32_t want_16(unsigned x, unsigned y)
{
    uint32_t v = want_32(x, y) & 0xffff;

    return scale(v >> 11, 5) << 16 | scale(v >> 5 & 63, 6) << 8 | scale(v & 31, 5);
}

static uint32_t want_15(unsigned x, unsigned y)
{
    uint32_t v = want_32(x, y) & 0x7fff;

    return scale(v >> 10, 5) << 16 | scale(v >> 5 & 31, 5) << 8 | scale(v & 31, 5);
}

static uint32_t want_8(unsigned x, unsigned y)
{
    return color(want_32(x, y) & 0xff);
}

static void set_vbe(unsigned bpp)
{
    set_mode(&mode13);
    map_bars();
    vbe(1, XRES);
    vbe(2, YRES);
    vbe(3, bpp);
    vbe(4, 0x41);
    vbe(6, VIRT);
    vbe(8, 8);
    vbe(9, 3);
}

static void fill_vbe(uint64_t base, unsigned bytes)
{
    uint8_t row[4 * VIRT];

    for (unsigned y = 0; y < YRES + 3; y++) {
        for (unsigned x = 0; x < VIRT; x++) {
            uint32_t v = GUINT32_TO_LE(bits_of(x, y));

            memcpy(row + bytes * x, &v, bytes);
        }
        qc_memwrite(q, base + (uint64_t)bytes * VIRT * y, row, bytes * VIRT);
    }
}

static void test_vbe_linear(void)
{
    static const struct {
        unsigned bpp;
        uint32_t (*want)(unsigned x, unsigned y);
    } modes[] = {
        { 8, want_8 }, { 15, want_15 }, { 16, want_16 }, { 24, want_32 }, { 32, want_32 }
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        set_vbe(modes[i].bpp);
        fill_vbe(LFB, (modes[i].bpp + 7) / 8);
        check(XRES, YRES, modes[i].want);
        fill_vbe(LFB, (modes[i].bpp + 7) / 8);
        check(XRES, YRES, modes[i].want);
    }
}

static void test_vbe_registers(void)
{
    set_vbe(32);
    g_assert_cmphex(vbe_in(0), ==, 0xb0c5);
    g_assert_cmpuint(vbe_in(10), ==, 256);
    g_assert_cmpuint(vbe_in(7), ==, (16 << 20) / (4 * VIRT));
    vbe(1, 320); /* not while it is on */
    g_assert_cmpuint(vbe_in(1), ==, XRES);
    g_assert_cmpuint(qc_readw(q, MMIO + 0x502), ==, XRES);
    qc_writel(q, LFB + 0x12344, 0x11223344);
    vbe(5, 1);
    g_assert_cmphex(qc_readl(q, 0xa0000 + 0x2344), ==, 0x11223344);
    vbe(5, 256);
    g_assert_cmpuint(vbe_in(5), ==, 1);
    vbe(8, 2 * VIRT + 8); /* as much as two rows more */
    vbe(9, 1);
    g_assert_cmpuint(vbe_in(8), ==, 2 * VIRT + 8);
    fill_vbe(LFB, 4);
    check(XRES, YRES, want_32);
    vbe(8, 0xffff); /* up to the end of memory, and not further */
    vbe(9, 0xffff);
    g_assert_cmpuint(vbe_in(9), ==, vbe_in(7) - YRES);
    g_free(take().file);
    qc_writel(q, LFB + 4 * XRES * YRES - 4, 0x11223344);
    qc_writel(q, LFB + 4 * XRES * YRES, 0x11223344);
    vbe(4, 0);
    vbe(4, 0x41);
    g_assert_cmphex(qc_readl(q, LFB + 4 * XRES * YRES - 4), ==, 0);
    g_assert_cmphex(qc_readl(q, LFB + 4 * XRES * YRES), ==, 0x11223344);
    vbe(4, 0);
    vbe(1, 9000);
    vbe(4, 1);
    g_assert_cmpuint(vbe_in(4), ==, 0);
    g_assert_cmphex(qc_readb(q, MMIO + 0x40c), ==, 0x63);
}

/* ---- the monitor ---- */

/* The EDID of the card in a slot, its registers at `base`; false where there is none. */
static bool take_edid(unsigned slot, uint64_t base, uint8_t *edid)
{
    uint8_t sum = 0;

    qc_cmd(q, "outl 0xcf8 0x%x", 0x80000018 | slot << 11);
    qc_cmd(q, "outl 0xcfc 0x%x", (unsigned)base);
    qc_cmd(q, "outl 0xcf8 0x%x", 0x80000004 | slot << 11);
    qc_cmd(q, "outl 0xcfc 2");
    qc_memread(q, base, edid, 128);
    for (unsigned i = 0; i < 128; i++)
        sum = (uint8_t)(sum + edid[i]);
    return sum == 0 && edid[1] == 0xff;
}

static void test_edid(void)
{
    uint8_t e[128];

    qc_reset(q);
    g_assert_true(take_edid(2, MMIO, e));
    g_assert_cmpuint(e[56] | e[58] >> 4 << 8, ==, 1280);
    g_assert_cmpuint(e[59] | e[61] >> 4 << 8, ==, 800);
    g_assert_cmpmem(e + 95, 12, "Myna Monitor", 12);
    g_assert_true(take_edid(3, MMIO + 0x10000, e));
    g_assert_cmpuint(e[56] | e[58] >> 4 << 8, ==, 1920);
    g_assert_cmpuint(e[59] | e[61] >> 4 << 8, ==, 1080);
    /* nothing beyond what it can show: 1600x1200 is too high */
    for (unsigned i = 38; i < 54; i += 2)
        g_assert_cmphex(e[i], !=, 1600 / 8 - 31);
    g_assert_false(take_edid(4, MMIO + 0x20000, e));
    /* neither of them answers at the ports */
    qc_writew(q, MMIO + 0x10000 + 0x502, 640);
    qc_writew(q, MMIO + 0x20000 + 0x502, 800);
    g_assert_cmpuint(qc_readw(q, MMIO + 0x10000 + 0x502), ==, 640);
    g_assert_cmpuint(vbe_in(1), ==, 0);
    g_assert_cmphex(qc_readb(q, MMIO + 0x20000 + 0x40c), ==, 0);
    g_assert_cmphex(qc_readb(q, MMIO + 0x10000 + 0x40c), ==, 0xff);
}

/* ---- time, and who is not there ---- */

static void test_retrace(void)
{
    unsigned seen = 0, off = 0;

    set_mode(&text_mode);
    for (unsigned i = 0; i < 449; i++) {
        uint8_t s = in(0x3da);

        seen += s >> 3 & 1;
        off += (s & 9) == 1;
        qc_clock_step(q, 31778);
    }
    g_assert_cmpuint(seen, >=, 1);
    g_assert_cmpuint(seen, <=, 3);
    g_assert_cmpuint(off, >=, 40);
    g_assert_cmpuint(off, <, 449);
    /* the monochrome places answer once they are chosen */
    g_assert_cmphex(in(0x3b4), ==, 0xff);
    out(0x3c2, 0x66);
    g_assert_cmphex(in(0x3d4), ==, 0xff);
    g_assert_cmphex(in(0x3b4), !=, 0xff);
}

int main(int argc, char **argv)
{
    g_autofree char *path = NULL, *args = NULL;
    int status;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("vga-XXXXXX", NULL);
    path = g_build_filename(dir, "qmp", NULL);
    dump = g_build_filename(dir, "screen.ppm", NULL);
    args = g_strdup_printf("-machine pc -arch x86_64 -m 16M -vga std "
                           "-device bochs-display,xres=1920,yres=1080,ymax=1100,addr=3 -device "
                           "secondary-vga,edid=off,addr=4 "
                           "-qmp unix:%s,server=on,wait=off",
                           path);
    q = qc_start(args);
    qc_cmd(q, "clock_step 0");
    qmp = qmp_open(path);
    qmp_expect(qmp, "\"return\"");
    g_test_add_func("/vga/text", test_text);
    g_test_add_func("/vga/blink", test_blink);
    g_test_add_func("/vga/planar", test_planar);
    g_test_add_func("/vga/mode13", test_mode13);
    g_test_add_func("/vga/mode-x", test_mode_x);
    g_test_add_func("/vga/cga", test_cga);
    g_test_add_func("/vga/vbe-linear", test_vbe_linear);
    g_test_add_func("/vga/vbe-registers", test_vbe_registers);
    g_test_add_func("/vga/edid", test_edid);
    g_test_add_func("/vga/retrace", test_retrace);
    status = g_test_run();
    fclose(qmp);
    qc_stop(q);
    g_unlink(dump);
    g_unlink(path);
    g_rmdir(dir);
    return status;
}
