/*
 * The tight encoding (rfbproto, "Tight Encoding"): areas of one colour, palettes, and colours, by
 * zlib streams of their own; JPEG for pictures, where the server's owner and the client allow loss.
 */
#include "vnc.h"

#include <base/error.h>

#ifdef CONFIG_JPEG
#include <setjmp.h>
#include <base/library.h>
#include <jpeglib.h>

#define JPEG_FUNCTIONS(F, P) \
    F(P, std_error)          \
    F(P, CreateCompress)     \
    F(P, mem_dest)           \
    F(P, set_defaults)       \
    F(P, set_quality)        \
    F(P, start_compress)     \
    F(P, write_scanlines)    \
    F(P, finish_compress)    \
    F(P, destroy_compress)

static struct {
    JPEG_FUNCTIONS(LIBRARY_POINTER, jpeg_)
} jpeg;
static struct library library = LIBRARY(jpeg, JPEG, jpeg_, JPEG_FUNCTIONS);

bool tight_open_jpeg(GError **err)
{
    return library_open(&library, "-vnc: lossy=on", err);
}

#else

bool tight_open_jpeg(GError **err)
{
    return error_set(err, "-vnc: lossy=on is not there (built without libjpeg)");
}

#endif

#ifdef CONFIG_ZLIB

enum {
    PIECE_WIDTH = 256, /* rectangles are cut to pieces, so that a palette may do for many */
    PIECE_HEIGHT = 128,
    FILL_WIDTH = 2048, /* no rectangle may be wider */
    PALETTE_MAX = 256,
    SMALL = 12, /* bytes that are not worth a zlib stream */
    JPEG_PIXELS_MIN = 64 * 16,
    JPEG_COLORS_MIN = 96,
};
enum { STREAM_FULL, STREAM_MONO, STREAM_INDEXED };
enum { FILTER_PALETTE = 1, CONTROL_FILTER = 0x40, CONTROL_FILL = 0x80, CONTROL_JPEG = 0x90 };

/* Seven bits a byte, the top one says that more come; the third byte has eight. */
static void put_length(GByteArray *a, unsigned n)
{
    put8(a, (n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    if (n > 0x7f)
        put8(a, (n >> 7 & 0x7f) | (n > 0x3fff ? 0x80 : 0));
    if (n > 0x3fff)
        put8(a, n >> 14);
}

/* c->scratch, as it is or packed. */
static void put_data(struct client *c, unsigned stream)
{
    if (c->scratch->len < SMALL) {
        client_put(c, c->scratch->data, c->scratch->len);
        return;
    }
    g_byte_array_set_size(c->packed, 0);
    if (!packer_run(&c->tight[stream], c->compress, c->scratch->data, c->scratch->len, c->packed))
        c->closing = true; /* no memory: the client would wait for the rest */
    put_length(c->out, c->packed->len);
    client_put(c, c->packed->data, c->packed->len);
}

static void put_fill(struct client *c, const struct rect *r, uint32_t color)
{
    rect_header(c->out, r, ENC_TIGHT);
    put8(c->out, CONTROL_FILL);
    tpixels_put(&c->format, &color, 1, c->out);
}

static void put_full(struct client *c, const struct rect *r)
{
    rect_header(c->out, r, ENC_TIGHT);
    put8(c->out, STREAM_FULL << 4);
    g_byte_array_set_size(c->scratch, 0);
    for (unsigned y = 0; y < r->height; y++)
        tpixels_put(&c->format, snap_row(c, r->x, r->y + y), r->width, c->scratch);
    put_data(c, STREAM_FULL);
}

static void put_mono_rows(struct client *c, const struct rect *r, uint32_t one)
{
    for (unsigned y = 0; y < r->height; y++) {
        const uint32_t *row = snap_row(c, r->x, r->y + y);

        for (unsigned x = 0; x < r->width; x += 8) {
            unsigned byte = 0;

            for (unsigned i = 0; i < 8 && x + i < r->width; i++)
                byte |= (row[x + i] == one ? 0x80u : 0) >> i;
            put8(c->scratch, byte);
        }
    }
}

static void put_index_rows(struct client *c, const struct rect *r, const uint32_t *colors)
{
    unsigned last = 0;

    for (unsigned y = 0; y < r->height; y++) {
        const uint32_t *row = snap_row(c, r->x, r->y + y);

        for (unsigned x = 0; x < r->width; x++) {
            if (row[x] != colors[last])
                for (last = 0; colors[last] != row[x];)
                    last++;
            put8(c->scratch, last);
        }
    }
}

static void put_palette(struct client *c, const struct rect *r, const uint32_t *colors, unsigned n)
{
    unsigned stream = n == 2 ? STREAM_MONO : STREAM_INDEXED;

    rect_header(c->out, r, ENC_TIGHT);
    put8(c->out, stream << 4 | CONTROL_FILTER);
    put8(c->out, FILTER_PALETTE);
    put8(c->out, n - 1);
    tpixels_put(&c->format, colors, n, c->out);
    g_byte_array_set_size(c->scratch, 0);
    if (n == 2)
        put_mono_rows(c, r, colors[1]);
    else
        put_index_rows(c, r, colors);
    put_data(c, stream);
}

/* ---- JPEG ---- */

#ifdef CONFIG_JPEG
/* Quality levels 0 to 9 as other servers have them. */
static const uint8_t qualities[] = { 5, 10, 15, 25, 37, 50, 60, 70, 75, 80 };

struct jpeg {
    struct jpeg_error_mgr err;
    jmp_buf out;
    unsigned char *data; /* malloc()ed by the library */
    unsigned long len;
};

static void jpeg_failed(j_common_ptr info)
{
    struct jpeg *j = (struct jpeg *)info->err;

    longjmp(j->out, 1);
}

static void jpeg_rows(struct client *c, const struct rect *r, struct jpeg_compress_struct *info)
{
    g_autofree uint8_t *line = g_malloc(3 * (size_t)r->width);

    for (unsigned y = 0; y < r->height; y++) {
        const uint32_t *row = snap_row(c, r->x, r->y + y);

        for (unsigned x = 0; x < r->width; x++) {
            line[3 * x] = (uint8_t)(row[x] >> 16);
            line[3 * x + 1] = (uint8_t)(row[x] >> 8);
            line[3 * x + 2] = (uint8_t)row[x];
        }
        jpeg.write_scanlines(info, &line, 1);
    }
}

/* Everything that lives across the library's longjmp() is in *j and *info. */
static bool jpeg_pack(struct client *c, const struct rect *r, struct jpeg *j,
                      struct jpeg_compress_struct *info)
{
    info->err = jpeg.std_error(&j->err);
    j->err.error_exit = jpeg_failed;
    if (setjmp(j->out))
        return false;
    jpeg.CreateCompress(info, JPEG_LIB_VERSION, sizeof(*info));
    jpeg.mem_dest(info, &j->data, &j->len);
    info->image_width = r->width;
    info->image_height = r->height;
    info->input_components = 3;
    info->in_color_space = JCS_RGB;
    jpeg.set_defaults(info);
    jpeg.set_quality(info, qualities[c->quality], TRUE);
    jpeg.start_compress(info, TRUE);
    jpeg_rows(c, r, info);
    jpeg.finish_compress(info);
    return true;
}

static bool put_jpeg(struct client *c, const struct rect *r)
{
    struct jpeg_compress_struct info = { 0 };
    struct jpeg j = { 0 };
    bool ok = jpeg_pack(c, r, &j, &info);

    if (ok) {
        rect_header(c->out, r, ENC_TIGHT);
        put8(c->out, CONTROL_JPEG);
        put_length(c->out, (unsigned)j.len);
        client_put(c, j.data, j.len);
    }
    jpeg.destroy_compress(&info);
    free(j.data);
    return ok;
}

static bool is_picture(const struct client *c, const struct rect *r, unsigned colors)
{
    return c->vnc->cfg.lossy && c->quality >= 0 && c->format.bytes > 1 &&
           colors > JPEG_COLORS_MIN && r->width * r->height >= JPEG_PIXELS_MIN;
}
#endif

/* ---- pieces ---- */

static void put_piece(struct client *c, const struct rect *r)
{
    uint32_t colors[PALETTE_MAX];
    unsigned area = r->width * r->height, n;

    n = count_colors(c, r, colors, MIN(PALETTE_MAX, MAX(area / 4, 2)));
#ifdef CONFIG_JPEG
    if (is_picture(c, r, n) && put_jpeg(c, r))
        return;
#endif
    if (n == 1)
        put_fill(c, r, colors[0]);
    else if (n <= MIN(PALETTE_MAX, MAX(area / 4, 2)) && (n == 2 || c->format.bytes > 1))
        put_palette(c, r, colors, n);
    else
        put_full(c, r);
}

unsigned encode_tight(struct client *c, const struct rect *r)
{
    uint32_t color;
    unsigned n = 0;

    if (r->width <= FILL_WIDTH && count_colors(c, r, &color, 1) == 1) {
        put_fill(c, r, color);
        return 1;
    }
    for (unsigned y = 0; y < r->height; y += PIECE_HEIGHT) {
        for (unsigned x = 0; x < r->width; x += PIECE_WIDTH) {
            put_piece(c, &(struct rect){ r->x + x, r->y + y, MIN(PIECE_WIDTH, r->width - x),
                                         MIN(PIECE_HEIGHT, r->height - y) });
            n++;
        }
    }
    return n;
}

#endif
