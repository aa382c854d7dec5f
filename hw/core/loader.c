/* Blobs written at reset, and reading of files; see hw/core/loader.h. */
#include <hw/core/loader.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <base/bits.h>
#include <base/error.h>
#ifdef CONFIG_ZLIB
#include <zlib.h>
#endif

#define KEEP_MAX (1u << 20) /* more than that is read from its file again */
#define CHUNK    (256u << 10)

struct rom {
    char *name;
    uint64_t addr, len, zeroes;
    uint8_t *data; /* NULL if there are none, or they are those of fd at offset */
    int fd;        /* or -1 */
    uint64_t offset;
    struct timespec changed; /* what fd's file had when it was compared */
};

struct rom_list {
    struct machine *machine;
    GPtrArray *roms; /* of struct rom, by address */
    GArray *seeds;   /* of uint64_t, addresses in them */
};

static void rom_free(void *opaque)
{
    struct rom *r = opaque;

    if (r->fd >= 0)
        close(r->fd);
    g_free(r->name);
    g_free(r->data);
    g_free(r);
}

/* Whether all bytes were there. */
static bool read_at(int fd, uint8_t *buf, uint64_t len, uint64_t offset)
{
    while (len) {
        ssize_t n = pread(fd, buf, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        buf += n;
        len -= (uint64_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void write_from_file(struct address_space *as, const struct rom *r)
{
    g_autofree uint8_t *buf = g_malloc(CHUNK);
    struct stat st;
    bool whole = true;

    for (uint64_t at = 0; at < r->len && whole; at += CHUNK) {
        uint64_t n = MIN(CHUNK, r->len - at);

        whole = read_at(r->fd, buf, n, r->offset + at);
        if (whole)
            space_write_rom(as, r->addr + at, buf, n);
    }
    if (!whole || fstat(r->fd, &st) < 0 || !same_time(st.st_mtim, r->changed))
        fprintf(stderr, "myna: '%s' has changed; the guest starts again with what it holds now\n",
                r->name);
}

static void write_seeds(struct rom_list *l)
{
    uint8_t seed[LOADER_SEED];

    for (unsigned i = 0; i < l->seeds->len; i++) {
        machine_random(l->machine, seed, sizeof(seed));
        space_write_rom(&l->machine->memory, g_array_index(l->seeds, uint64_t, i), seed,
                        sizeof(seed));
    }
}

static void write_roms(void *opaque)
{
    struct rom_list *l = opaque;
    struct address_space *as = &l->machine->memory;

    if (l->machine->waking)
        return;
    for (unsigned i = 0; i < l->roms->len; i++) {
        const struct rom *r = g_ptr_array_index(l->roms, i);

        if (r->fd < 0)
            space_write_rom(as, r->addr, r->data, r->len);
        else
            write_from_file(as, r);
        if (r->zeroes)
            space_set(as, r->addr + r->len, 0, r->zeroes, 0);
    }
    write_seeds(l);
}

struct rom_list *rom_list_new(struct machine *m)
{
    struct rom_list *l = g_new0(struct rom_list, 1);

    l->machine = m;
    l->roms = g_ptr_array_new_with_free_func(rom_free);
    l->seeds = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    machine_on_reset(m, write_roms, l);
    return l;
}

void rom_list_free(struct rom_list *l)
{
    machine_off_reset(l->machine, write_roms, l);
    g_ptr_array_free(l->roms, TRUE);
    g_array_free(l->seeds, TRUE);
    g_free(l);
}

/* The new blob, still without bytes; NULL with *err set, or without where there is nothing to do.
 */
static struct rom *new_rom(struct machine *m, const char *name, uint64_t len, uint64_t zeroes,
                           uint64_t addr, GError **err)
{
    GPtrArray *roms = m->roms->roms;
    uint64_t total = len + zeroes;
    struct rom *r;
    unsigned i = 0;

    if (!total)
        return NULL;
    if (total < len || total - 1 > UINT64_MAX - addr) {
        error_set(err, "%s: it goes past the end of the address space", name);
        return NULL;
    }
    while (i < roms->len && ((struct rom *)g_ptr_array_index(roms, i))->addr < addr)
        i++;
    for (unsigned j = i ? i - 1 : 0; j < roms->len && j <= i; j++) {
        const struct rom *o = g_ptr_array_index(roms, j);

        if (o->addr - addr < total || addr - o->addr < o->len + o->zeroes) {
            error_set(
                err, "%s: 0x%" PRIx64 "-0x%" PRIx64 " overlaps %s at 0x%" PRIx64 "-0x%" PRIx64,
                name, addr, addr + total - 1, o->name, o->addr, o->addr + o->len + o->zeroes - 1);
            return NULL;
        }
    }
    r = g_new0(struct rom, 1);
    r->name = g_strdup(name);
    r->addr = addr;
    r->len = len;
    r->zeroes = zeroes;
    r->fd = -1;
    g_ptr_array_insert(roms, (int)i, r);
    return r;
}

bool rom_add(struct machine *m, const char *name, const void *data, uint64_t len, uint64_t zeroes,
             uint64_t addr, GError **err)
{
    struct rom *r;

    if (len + zeroes == 0)
        return true;
    r = new_rom(m, name, len, zeroes, addr, err);
    if (r)
        r->data = g_memdup2(data, len);
    return r != NULL;
}

void rom_add_seed(struct machine *m, uint64_t addr)
{
    g_array_append_val(m->roms->seeds, addr);
}

/* The file at @path, if it is one that holds these bytes there; else -1. */
static int open_same(const char *path, uint64_t offset, const uint8_t *data, uint64_t len,
                     struct timespec *changed)
{
    g_autofree uint8_t *buf = g_malloc(CHUNK);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return -1;
    bool same = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    for (uint64_t at = 0; at < len && same; at += CHUNK) {
        uint64_t n = MIN(CHUNK, len - at);
        same = read_at(fd, buf, n, offset + at) && memcmp(buf, data + at, n) == 0;
    }
    *changed = st.st_mtim;
    if (same)
        return fd;
    close(fd);
    return -1;
}

bool rom_add_file(struct machine *m, const char *path, uint64_t offset, const void *data,
                  uint64_t len, uint64_t zeroes, uint64_t addr, GError **err)
{
    struct rom *r;

    if (len <= KEEP_MAX)
        return rom_add(m, path, data, len, zeroes, addr, err);
    r = new_rom(m, path, len, zeroes, addr, err);
    if (!r)
        return false;
    r->offset = offset;
    r->fd = open_same(path, offset, data, len, &r->changed);
    if (r->fd < 0)
        r->data = g_memdup2(data, len);
    return true;
}

bool rom_replace(struct machine *m, uint64_t addr, const void *data, uint64_t len)
{
    GPtrArray *roms = m->roms->roms;

    for (unsigned i = 0; i < roms->len; i++) {
        struct rom *r = g_ptr_array_index(roms, i);

        if (r->data && addr >= r->addr && addr - r->addr <= r->len &&
            len <= r->len - (addr - r->addr)) {
            memcpy(r->data + (addr - r->addr), data, len);
            return true;
        }
    }
    return false;
}

void rom_print(struct machine *m, GString *out)
{
    GPtrArray *roms = m->roms->roms;

    for (unsigned i = 0; i < roms->len; i++) {
        const struct rom *r = g_ptr_array_index(roms, i);

        g_string_append_printf(out, "addr=%016" PRIx64 " size=0x%06" PRIx64 " name=\"%s\"\n",
                               r->addr, r->len + r->zeroes, r->name);
    }
}

/* Reads a regular file. Its size may change meanwhile; what is read is what counts. */
static uint8_t *slurp(int fd, const char *what, const char *path, uint64_t max, uint64_t *len,
                      GError **err)
{
    struct stat st;
    uint8_t *buf;
    uint64_t got = 0;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        error_set(err, "%s: '%s' is not a regular file", what, path);
        return NULL;
    }
    if (st.st_size == 0) {
        error_set(err, "%s: '%s' is empty", what, path);
        return NULL;
    }
    if ((uint64_t)st.st_size > max) {
        error_set(err, "%s: '%s' has %" PRIu64 " bytes, at most %" PRIu64 " fit", what, path,
                  (uint64_t)st.st_size, max);
        return NULL;
    }
    buf = g_try_malloc((gsize)st.st_size);
    if (!buf) {
        error_set(err, "%s: '%s': no memory for %" PRIu64 " bytes", what, path,
                  (uint64_t)st.st_size);
        return NULL;
    }
    while (got < (uint64_t)st.st_size) {
        ssize_t n = read(fd, buf + got, (size_t)st.st_size - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (uint64_t)n;
    }
    if (got < (uint64_t)st.st_size) {
        error_set_errno(err, errno ? errno : EIO, "%s: cannot read '%s'", what, path);
        g_free(buf);
        return NULL;
    }
    *len = got;
    return buf;
}

#ifdef CONFIG_ZLIB
static GBytes *gunzip(GBytes *packed, const char *what, const char *path, uint64_t max,
                      GError **err)
{
    GByteArray *out = g_byte_array_new();
    z_stream z = { 0 };
    gsize len;
    const void *data = g_bytes_get_data(packed, &len);
    int res = inflateInit2(&z, 16 + MAX_WBITS);
    guint8 *chunk = g_malloc(1 << 20);

    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)MIN(len, G_MAXUINT);
    while (res == Z_OK && out->len <= max && out->len < G_MAXINT) {
        z.next_out = chunk;
        z.avail_out = 1 << 20;
        res = inflate(&z, Z_NO_FLUSH);
        g_byte_array_append(out, chunk, (1 << 20) - z.avail_out);
    }
    inflateEnd(&z);
    g_free(chunk);
    if (res == Z_STREAM_END && out->len <= max)
        return g_byte_array_free_to_bytes(out);
    if (res == Z_STREAM_END || res == Z_OK)
        error_set(err, "%s: '%s' unpacks to more than the %" PRIu64 " bytes that fit", what, path,
                  max);
    else
        error_set(err, "%s: '%s' is damaged: gzip data does not unpack", what, path);
    g_byte_array_free(out, TRUE);
    return NULL;
}
#else
static GBytes *gunzip(GBytes *packed, const char *what, const char *path, uint64_t max,
                      GError **err)
{
    (void)packed, (void)max;
    error_set(err, "%s: '%s' is gzip'ed, and this program was built without zlib", what, path);
    return NULL;
}
#endif

GBytes *load_file(const char *what, const char *path, uint64_t max, GError **err)
{
    uint64_t len;
    uint8_t *buf;
    GBytes *file, *plain;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        error_set_errno(err, errno, "%s: cannot open '%s'", what, path);
        return NULL;
    }
    errno = 0;
    buf = slurp(fd, what, path, MIN(max, LOADER_FILE_MAX), &len, err);
    close(fd);
    if (!buf)
        return NULL;
    file = g_bytes_new_take(buf, len);
    if (len < 2 || buf[0] != 0x1f || buf[1] != 0x8b)
        return file;
    plain = gunzip(file, what, path, max, err);
    g_bytes_unref(file);
    return plain;
}

bool parse_riscv_image(GBytes *file, struct riscv_image *out)
{
    gsize len;
    const uint8_t *p = g_bytes_get_data(file, &len);

    /* magic2 "RSC\x05" at 56 counts, the older magic at 48 may be missing */
    if (len < 64 || memcmp(p + 56, "RSC\x05", 4) != 0)
        return false;
    out->text_offset = ldq_le(p + 8);
    out->image_size = ldq_le(p + 16);
    return true;
}

bool check_pe_sections(const char *what, const char *path, GBytes *file, GError **err)
{
    enum { HEADER = 24, SECTION = 40 };
    gsize len;
    const uint8_t *p = g_bytes_get_data(file, &len);
    uint64_t at, count, end = 0;

    if (len < 0x40 || memcmp(p, "MZ", 2) != 0)
        return true;
    at = ldl_le(p + 0x3c);
    if (at + HEADER > len)
        return error_set(err, "%s: '%s' is truncated: its PE header lies outside of the file", what,
                         path);
    if (memcmp(p + at, "PE\0\0", 4) != 0)
        return true;
    count = lduw_le(p + at + 6);
    at += HEADER + lduw_le(p + at + 20);
    for (uint64_t i = 0; i < count && at + (i + 1) * SECTION <= len; i++) {
        const uint8_t *section = p + at + i * SECTION;

        end = MAX(end, (uint64_t)ldl_le(section + 20) + ldl_le(section + 16));
    }
    end = MAX(end, at + count * SECTION);
    if (end <= len)
        return true;
    return error_set(err, "%s: '%s' is truncated: it has %zu bytes of %" PRIu64, what, path, len,
                     end);
}
