/* Surfaces as files: PPM (netpbm's P6), and PNG where libpng is there. */
#include <ui/console.h>

#include <errno.h>
#include <stdio.h>
#include <base/error.h>

#ifdef CONFIG_LIBPNG
#include <base/library.h>
#include <png.h>

#define PNG_FUNCTIONS(F, P)    \
    F(P, create_write_struct)  \
    F(P, create_info_struct)   \
    F(P, destroy_write_struct) \
    F(P, set_longjmp_fn)       \
    F(P, init_io)              \
    F(P, set_IHDR)             \
    F(P, write_info)           \
    F(P, write_row)            \
    F(P, write_end)

static struct {
    PNG_FUNCTIONS(LIBRARY_POINTER, png_)
} png;
static struct library library = LIBRARY(png, LIBPNG, png_, PNG_FUNCTIONS);
#endif

static void row_bytes(const struct surface *s, unsigned y, uint8_t *out)
{
    const uint32_t *row = surface_row(s, y);

    for (unsigned x = 0; x < s->width; x++) {
        *out++ = (uint8_t)(row[x] >> 16);
        *out++ = (uint8_t)(row[x] >> 8);
        *out++ = (uint8_t)row[x];
    }
}

static bool write_ppm(FILE *f, const struct surface *s)
{
    size_t n = 3 * (size_t)s->width;
    g_autofree uint8_t *row = g_malloc(n);

    fprintf(f, "P6\n%u %u\n255\n", s->width, s->height);
    for (unsigned y = 0; y < s->height; y++) {
        row_bytes(s, y, row);
        if (fwrite(row, 1, n, f) != n)
            return false;
    }
    return true;
}

#ifdef CONFIG_LIBPNG
/* libpng leaves by longjmp() on errors: nothing here that lives across is changed after setjmp().
 */
static bool write_png(FILE *f, const struct surface *s)
{
    png_structp p = png.create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = p ? png.create_info_struct(p) : NULL;
    uint8_t *row = g_malloc(3 * (size_t)s->width);
    bool ok = info && !setjmp(*png.set_longjmp_fn(p, longjmp, sizeof(jmp_buf)));

    if (ok) {
        png.init_io(p, f);
        png.set_IHDR(p, info, s->width, s->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png.write_info(p, info);
        for (unsigned y = 0; y < s->height; y++) {
            row_bytes(s, y, row);
            png.write_row(p, row);
        }
        png.write_end(p, NULL);
    }
    if (p)
        png.destroy_write_struct(&p, &info);
    g_free(row);
    return ok;
}
#endif

bool picture_write(const char *what, const char *path, enum picture_format format,
                   const struct surface *s, GError **err)
{
    bool ok = false;
    FILE *f;

#ifdef CONFIG_LIBPNG
    if (format == PICTURE_PNG && !library_open(&library, what, err))
        return false;
#else
    if (format == PICTURE_PNG)
        return error_set(err, "%s: PNG is not there (built without libpng), 'ppm' is", what);
#endif
    f = fopen(path, "wbe");
    if (!f)
        return error_set_errno(err, errno, "%s: cannot open '%s'", what, path);
    if (format == PICTURE_PPM)
        ok = write_ppm(f, s);
#ifdef CONFIG_LIBPNG
    else
        ok = write_png(f, s);
#endif
    if (fclose(f) != 0)
        ok = false;
    return ok || error_set_errno(err, errno, "%s: cannot write '%s'", what, path);
}
