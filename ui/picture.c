/* Surfaces as files: PPM (netpbm's P6), and PNG where libpng is there. */
#include <ui/console.h>

#include <errno.h>
#include <stdio.h>
#include <base/error.h>

#ifdef CONFIG_LIBPNG
#include <png.h>
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
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    uint8_t *row = g_malloc(3 * (size_t)s->width);
    bool ok = info && !setjmp(png_jmpbuf(png));

    if (ok) {
        png_init_io(png, f);
        png_set_IHDR(png, info, s->width, s->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_write_info(png, info);
        for (unsigned y = 0; y < s->height; y++) {
            row_bytes(s, y, row);
            png_write_row(png, row);
        }
        png_write_end(png, NULL);
    }
    if (png)
        png_destroy_write_struct(&png, &info);
    g_free(row);
    return ok;
}
#endif

bool picture_write(const char *what, const char *path, enum picture_format format,
                   const struct surface *s, GError **err)
{
    bool ok = false;
    FILE *f;

#ifndef CONFIG_LIBPNG
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
