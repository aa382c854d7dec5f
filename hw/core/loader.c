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
#include <base/kept.h>
#ifdef CONFIG_ZLIB
#include <zlib.h>
#endif

#define KEEP_MAX (1u << 20) /* more than that is read from its file again */

struct rom {
    char *name;
    uint64_t addr, len, zeroes;
    uint8_t *data; /* NULL if there are none, or they are those of fd at offset */
    GBytes *owner; /* of data; NULL: it is the blob's */
    int fd;        /* or -1 */
    uint64_t offset;
    struct file_id id; /* of fd's file when it was compared */
    bool unchanged;    /* when memory was last written, it still was that one */
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
    if (r->owner)
        g_bytes_unref(r->owner);
    else
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

/* Straight to the guest's memory: kernels are large, and each copy of them takes a while. */
static void write_from_file(struct address_space *as, struct rom *r)
{
    struct file_id id;
    bool whole = true;

    for (uint64_t at = 0; at < r->len && whole;) {
        uint64_t n = r->len - at;
        struct section s = space_lookup(as, r->addr + at, &n);
        const struct ram_block *ram = s.region ? s.region->ram : NULL;

        if (ram) {
            whole = read_at(r->fd, ram->host + s.offset, n, r->offset + at);
            ram_written(mem_ram(as->mem), ram->base + s.offset, n);
        }
        at += n;
    }
    whole = whole && file_id_of(r->fd, &id);
    r->unchanged = whole && file_id_same(&id, &r->id);
    if (!whole || !file_id_unwritten(&id, &r->id))
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
        struct rom *r = g_ptr_array_index(l->roms, i);

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
                     struct file_id *id)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    GBytes *file = NULL;
    bool same;

    if (fd < 0)
        return -1;
    if (file_id_of(fd, id) && id->size >= offset + len)
        file = file_map(fd, (gsize)id->size);
    same = file && memcmp((const uint8_t *)g_bytes_get_data(file, NULL) + offset, data, len) == 0;
    if (file)
        g_bytes_unref(file);
    if (same)
        return fd;
    close(fd);
    return -1;
}

/* With `owner`, the bytes are its and need no copy. */
static bool add_from_file(struct machine *m, const char *path, uint64_t offset, const void *data,
                          uint64_t len, uint64_t zeroes, uint64_t addr, GBytes *owner, GError **err)
{
    struct rom *r;

    if (len <= KEEP_MAX)
        return rom_add(m, path, data, len, zeroes, addr, err);
    r = new_rom(m, path, len, zeroes, addr, err);
    if (!r)
        return false;
    r->offset = offset;
    r->fd = open_same(path, offset, data, len, &r->id);
    if (r->fd >= 0)
        return true;
    r->owner = owner ? g_bytes_ref(owner) : NULL;
    r->data = owner ? (uint8_t *)(uintptr_t)data : g_memdup2(data, len);
    return true;
}

bool rom_add_file(struct machine *m, const char *path, uint64_t offset, const void *data,
                  uint64_t len, uint64_t zeroes, uint64_t addr, GError **err)
{
    return add_from_file(m, path, offset, data, len, zeroes, addr, NULL, err);
}

bool rom_add_whole(struct machine *m, const char *path, GBytes *file, uint64_t addr, GError **err)
{
    gsize len;
    const void *data = g_bytes_get_data(file, &len);

    return add_from_file(m, path, 0, data, len, 0, addr, file, err);
}

bool rom_replace(struct machine *m, uint64_t addr, const void *data, uint64_t len)
{
    GPtrArray *roms = m->roms->roms;

    for (unsigned i = 0; i < roms->len; i++) {
        struct rom *r = g_ptr_array_index(roms, i);

        if (r->data && !r->owner && addr >= r->addr && addr - r->addr <= r->len &&
            len <= r->len - (addr - r->addr)) {
            memcpy(r->data + (addr - r->addr), data, len);
            return true;
        }
    }
    return false;
}

bool rom_file_at(struct machine *m, uint64_t addr, struct rom_file *file)
{
    GPtrArray *roms = m->roms->roms;

    for (unsigned i = 0; i < roms->len; i++) {
        const struct rom *r = g_ptr_array_index(roms, i);

        if (r->addr == addr && r->unchanged) {
            *file = (struct rom_file){ r->fd, r->offset, r->id };
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

/* Identifies a regular file of 1 to `max` bytes. */
static bool identify(int fd, const char *what, const char *path, uint64_t max, struct file_id *id,
                     GError **err)
{
    if (!file_id_of(fd, id))
        return error_set(err, "%s: '%s' is not a regular file", what, path);
    if (id->size == 0)
        return error_set(err, "%s: '%s' is empty", what, path);
    if (id->size > max)
        return error_set(err, "%s: '%s' has %" PRIu64 " bytes, at most %" PRIu64 " fit", what, path,
                         id->size, max);
    return true;
}

static GBytes *read_file(int fd, const char *what, const char *path, uint64_t len, GError **err)
{
    GBytes *file = len > KEEP_MAX ? file_map(fd, (gsize)len) : NULL;
    uint8_t *buf;

    if (file)
        return file;
    buf = g_try_malloc((gsize)len);
    if (!buf) {
        error_set(err, "%s: '%s': no memory for %" PRIu64 " bytes", what, path, len);
        return NULL;
    }
    errno = 0;
    if (read_at(fd, buf, len, 0))
        return g_bytes_new_take(buf, (gsize)len);
    error_set_errno(err, errno ? errno : EIO, "%s: cannot read '%s'", what, path);
    g_free(buf);
    return NULL;
}

#ifdef CONFIG_ZLIB
/* What the last four bytes say, which need not be true. */
static uint64_t unpacked_size(const uint8_t *data, gsize len, uint64_t max)
{
    return CLAMP(len > 4 ? ldl_le(data + len - 4) : 0, len, max);
}

/* Unpacks what `z` has, up to `max` bytes. NULL: *res says why; Z_OK: it is more. */
static uint8_t *inflate_to(z_stream *z, uint64_t room, uint64_t max, int *res)
{
    uint8_t *out = NULL;

    for (uint64_t done = 0;;) {
        uint8_t *more = g_try_realloc(out, (gsize)room + 1); /* one too many is seen */

        if (!more) {
            *res = Z_MEM_ERROR;
            break;
        }
        out = more;
        z->next_out = out + done;
        z->avail_out = (uInt)(room + 1 - done);
        *res = inflate(z, Z_NO_FLUSH);
        done = (uint64_t)(z->next_out - out);
        if (*res == Z_STREAM_END && done <= max)
            return out;
        if (*res == Z_OK && z->avail_out)
            *res = Z_BUF_ERROR; /* it ends too early */
        if (*res != Z_OK || done > max)
            break;
        room = MIN(2 * room, max);
    }
    g_free(out);
    return NULL;
}

static bool all_zero(const uint8_t *p, gsize len)
{
    while (len && *p == 0)
        p++, len--;
    return !len;
}

/* A file with more behind is given as it is: Linux takes an initrd of several archives, packed or
 * not. */
static GBytes *gunzip(GBytes *packed, const char *what, const char *path, uint64_t max,
                      GError **err)
{
    z_stream z = { 0 };
    gsize len;
    const uint8_t *data = g_bytes_get_data(packed, &len);
    int res = inflateInit2(&z, 16 + MAX_WBITS);
    uint8_t *out = NULL;

    max = MIN(max, G_MAXINT);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)MIN(len, G_MAXUINT);
    if (res == Z_OK)
        out = inflate_to(&z, unpacked_size(data, len, max), max, &res);
    inflateEnd(&z);
    if (out && !all_zero(z.next_in, z.avail_in)) {
        g_free(out);
        return g_bytes_ref(packed);
    }
    if (out)
        return g_bytes_new_take(out, (gsize)z.total_out);
    if (res == Z_MEM_ERROR)
        error_set(err, "%s: '%s': no memory to unpack it", what, path);
    else if (res == Z_STREAM_END || res == Z_OK)
        error_set(err, "%s: '%s' unpacks to more than the %" PRIu64 " bytes that fit", what, path,
                  max);
    else
        error_set(err, "%s: '%s' is damaged: gzip data does not unpack", what, path);
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

static bool is_gzip(GBytes *file)
{
    gsize len;
    const uint8_t *p = g_bytes_get_data(file, &len);

    return len >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

/* What the file `fd`, whose bytes are `packed`, holds: kept from another time, or unpacked now. */
static GBytes *plain_of(int fd, const struct file_id *id, GBytes *packed, const char *what,
                        const char *path, uint64_t max, GError **err)
{
    GBytes *plain = kept_get(id, "gzip");
    struct file_id now;

    if (plain && g_bytes_get_size(plain) <= max)
        return plain;
    g_clear_pointer(&plain, g_bytes_unref);
    plain = gunzip(packed, what, path, max, err);
    if (plain && plain != packed && file_id_of(fd, &now) && file_id_same(&now, id))
        kept_put(id, "gzip", g_bytes_get_data(plain, NULL), g_bytes_get_size(plain));
    return plain;
}

static GBytes *load_from(int fd, const char *what, const char *path, uint64_t max, GError **err)
{
    struct file_id id;
    GBytes *file = identify(fd, what, path, MIN(max, LOADER_FILE_MAX), &id, err)
                       ? read_file(fd, what, path, id.size, err)
                       : NULL;
    GBytes *plain;

    if (!file || !is_gzip(file))
        return file;
    plain = plain_of(fd, &id, file, what, path, max, err);
    g_bytes_unref(file);
    return plain;
}

GBytes *load_file(const char *what, const char *path, uint64_t max, GError **err)
{
    GBytes *file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        error_set_errno(err, errno, "%s: cannot open '%s'", what, path);
        return NULL;
    }
    file = load_from(fd, what, path, max, err);
    close(fd);
    return file;
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
