/* Images from -drive and -blockdev. */
#include "core.h"

#include <string.h>
#include <base/error.h>
#include <base/loop.h>
#include <base/option.h>

static const struct block_driver *const drivers[] = {
#define BLOCK_DRIVER(name) &block_##name,
#include "drivers.def"
#undef BLOCK_DRIVER
};

const struct block_driver *block_driver_find(const char *what, const char *name, GError **err)
{
    struct nearest near;

    nearest_init(&near, name);
    /* a host device is opened like a file */
    if (strcmp(name, "host_device") == 0)
        name = "file";
    for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
        nearest_try(&near, drivers[i]->name);
    }
    error_set_unknown(err, what, "block driver", name, &near);
    return NULL;
}

const char *block_probe(const uint8_t *data, size_t len)
{
    static const struct {
        const char *name;
        unsigned at, n;
        const char *magic;
    } known[] = {
        { "qcow2", 0, 4, "QFI\xfb" },
        { "qed", 0, 4, "QED\0" },
        { "vmdk", 0, 4, "KDMV" },
        { "vmdk", 0, 4, "COWD" },
        { "vpc", 0, 8, "conectix" },
        { "vhdx", 0, 8, "vhdxfile" },
        { "vdi", 0x40, 4, "\x7f\x10\xda\xbe" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (len >= known[i].at + known[i].n &&
            memcmp(data + known[i].at, known[i].magic, known[i].n) == 0)
            return known[i].name;
    return NULL;
}

/* ---- nodes ---- */

static struct block_node *open_node(struct block_set *set, const struct block_driver *d,
                                    struct block_node *file, const char *filename,
                                    const struct block_open *how, struct opts *o,
                                    const char *prefix, GError **err)
{
    struct block_node *n = g_new0(struct block_node, 1);

    n->driver = d;
    n->how = *how;
    n->aio = set->aio;
    n->filename = g_strdup(filename);
    n->file = file;
    if (d->open(n, o, prefix, err))
        return n;
    g_free(n->filename);
    g_free(n);
    return NULL;
}

/* What kind of image it is where nobody says: only raw ones pass. */
static bool check_raw(struct block_set *set, struct block_node *file, GError **err)
{
    struct block probe = { .set = set, .io = loop_io(set->loop), .aio = set->aio, .node = file };
    uint8_t head[BLOCK_SECTOR];
    const char *name;

    if (file->size < sizeof(head) || block_read_now(&probe, 0, head, sizeof(head)) != 0)
        return true;
    name = block_probe(head, sizeof(head));
    if (name)
        return error_set(err,
                         "drive: '%s' is a %s image, which is not there yet; format=raw takes its "
                         "bytes as they are",
                         file->filename, name);
    return true;
}

static struct block_node *open_image(struct block_set *set, const char *filename,
                                     const char *format, const struct block_open *how,
                                     struct opts *o, GError **err)
{
    const struct block_driver *d = &block_raw;
    struct block_node *file, *n;

    if (format && !(d = block_driver_find(opts_option(o), format, err)))
        return NULL;
    file = open_node(set, &block_file, NULL, filename, how, o, "file.", err);
    if (!file)
        return NULL;
    if (d == &block_file)
        return file;
    n = !format && !check_raw(set, file, err) ? NULL
                                              : open_node(set, d, file, NULL, how, o, "", err);
    if (!n)
        block_node_close(file);
    return n;
}

static struct block *block_new(struct block_set *set)
{
    struct block *b = g_new0(struct block, 1);

    b->set = set;
    b->io = loop_io(set->loop);
    b->aio = set->aio;
    b->index = -1;
    b->writeback = true;
    b->werror = BLOCK_ENOSPC;
    b->rerror = BLOCK_REPORT;
    return b;
}

static void add(struct block_set *set, struct block_node *n, const char *id)
{
    struct block *b = block_new(set);

    b->node = n;
    b->id = g_strdup(id);
    g_ptr_array_add(set->blocks, b);
}

/* ---- keys that several options share ---- */

static bool take_aio(struct opts *o, const char *key, struct block_set *set, struct block_open *how,
                     GError **err)
{
    static const char *const names[] = { "threads", "native", "io_uring", NULL };
    int aio = -1;

    if (!opts_enum(o, key, names, &aio, err))
        return false;
    if (aio == 2 && !aio_has_uring(set->aio))
        return error_set(err, "%s: %s=io_uring: it is not to be had on this host", opts_option(o),
                         key);
    /* native (libaio) wants what io_uring does better */
    how->uring = aio != 0;
    return true;
}

static bool take_discard(struct opts *o, struct block_open *how, GError **err)
{
    static const char *const names[] = { "ignore", "off", "unmap", "on", NULL };
    int discard = 0;

    if (!opts_enum(o, "discard", names, &discard, err))
        return false;
    how->discard = discard >= 2;
    return true;
}

static bool take_readonly(struct opts *o, const char *key, bool *readonly, GError **err)
{
    return opts_bool(o, key, readonly, err);
}

/* cache=: a word for three switches, each of which has a key of its own besides. */
static bool take_cache(struct opts *o, struct block_open *how, bool *writeback, GError **err)
{
    static const char *const names[] = { "writeback",  "none",   "writethrough",
                                         "directsync", "unsafe", "off",
                                         NULL };
    int mode = 0;

    if (!opts_enum(o, "cache", names, &mode, err))
        return false;
    how->direct = mode == 1 || mode == 3 || mode == 5;
    how->no_flush = mode == 4;
    *writeback = mode != 2 && mode != 3;
    return opts_bool(o, "cache.direct", &how->direct, err) &&
           opts_bool(o, "cache.no-flush", &how->no_flush, err) &&
           opts_bool(o, "cache.writeback", writeback, err);
}

static bool id_is_free(struct block_set *set, const char *what, const char *id, GError **err)
{
    if (!block_find(set, id, NULL))
        return true;
    return error_set(err, "%s: '%s' is taken", what, id);
}

/* ---- -drive ---- */

static const char *const interfaces[] = { "none", "virtio", "pflash", "ide", "scsi",
                                          "sd",   "mtd",    "floppy", NULL };

static bool take_policies(struct opts *o, struct block *b, GError **err)
{
    static const char *const names[] = { "report", "ignore", "stop", "enospc", NULL };
    int werror = BLOCK_ENOSPC, rerror = BLOCK_REPORT;

    if (!opts_enum(o, "werror", names, &werror, err) ||
        !opts_enum(o, "rerror", names, &rerror, err))
        return false;
    if (rerror == BLOCK_ENOSPC)
        return error_set(err, "-drive: rerror=enospc: reads never run out of space");
    b->werror = (enum block_policy)werror;
    b->rerror = (enum block_policy)rerror;
    return true;
}

/* What an image does not do yet is refused, and not ignored. */
static bool refuse_absent(struct opts *o, GError **err)
{
    static const char *const zeroes[] = { "off", "on", "unmap", NULL };
    bool snapshot = false, copy = false;
    int detect = 0;

    if (!opts_bool(o, "snapshot", &snapshot, err) || !opts_bool(o, "copy-on-read", &copy, err) ||
        !opts_enum(o, "detect-zeroes", zeroes, &detect, err))
        return false;
    if (snapshot)
        return error_set(err, "-drive: snapshot=on: temporary overlays are not there yet");
    if (copy)
        return error_set(err, "-drive: copy-on-read=on: there are no images with backing files");
    if (detect)
        return error_set(err, "-drive: detect-zeroes=%s: only off is there", zeroes[detect]);
    return true;
}

/* Interfaces whose drives have a place on one of a few buses: index= is bus= * units + unit=. */
struct place {
    const char *iface;
    unsigned buses, units;
};

static const struct place places[] = { { "ide", 2, 2 }, { "floppy", 1, 2 } };

static const struct block *drive_at(const struct block_set *set, const struct block *but,
                                    unsigned index)
{
    for (unsigned i = 0; i < set->blocks->len; i++) {
        const struct block *b = g_ptr_array_index(set->blocks, i);

        if (b != but && g_strcmp0(b->iface, but->iface) == 0 && b->index == (int)index)
            return b;
    }
    return NULL;
}

static bool settle_index(struct block *b, const struct place *p, uint32_t index, uint32_t bus,
                         uint32_t unit, GError **err)
{
    unsigned max = p->buses * p->units;
    const struct block *other;

    if (index == UINT32_MAX && unit != UINT32_MAX)
        index = unit < p->units && bus < p->buses ? bus * p->units + unit : max;
    else if (index == UINT32_MAX)
        for (index = bus * p->units; index < max && drive_at(b->set, b, index);)
            index++;
    if (index >= max)
        return error_set(err, "-drive: if=%s has room for %u drives", p->iface, max);
    other = drive_at(b->set, b, index);
    if (other)
        return error_set(err, "-drive: if=%s,index=%u is taken by '%s'", p->iface, index,
                         other->id);
    b->index = (int)index;
    return true;
}

static const struct place *find_place(const char *iface)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
        if (strcmp(places[i].iface, iface) == 0)
            return &places[i];
    return NULL;
}

static bool take_place(struct opts *o, struct block *b, const char *default_if, GError **err)
{
    static const char *const media[] = { "disk", "cdrom", NULL };
    const char *iface = opts_str(o, "if", default_if);
    uint32_t index = UINT32_MAX, bus = 0, unit = UINT32_MAX;
    const struct place *p = find_place(iface);
    int kind = 0;

    if (!g_strv_contains(interfaces, iface))
        return error_set(err, "-drive: if=%s is not one of none, virtio, ide, floppy, pflash",
                         iface);
    if (!opts_enum(o, "media", media, &kind, err) || !opts_u32(o, "index", 0, 1023, &index, err) ||
        !opts_u32(o, "bus", 0, p ? p->buses - 1 : 0, &bus, err) ||
        !opts_u32(o, "unit", 0, 1023, &unit, err))
        return false;
    b->iface = g_strdup(iface);
    b->cdrom = kind == 1;
    if (p)
        return settle_index(b, p, index, bus, unit, err);
    b->index = (int)MIN(index, unit); /* -1 for neither */
    return true;
}

/* The name by which -device can ask for it, as QEMU makes them up: virtio0, ide1-cd0, floppy0. */
static char *drive_id(struct block_set *set, const struct block *b, const char *id)
{
    if (id)
        return g_strdup(id);
    if (strcmp(b->iface, "ide") == 0)
        return g_strdup_printf("%s%d-%s%d", b->iface, b->index / 2, b->cdrom ? "cd" : "hd",
                               b->index % 2);
    for (unsigned n = b->index >= 0 ? (unsigned)b->index : 0;; n++) {
        char *name = g_strdup_printf("%s%u", b->iface, n);

        if (!block_find(set, name, NULL))
            return name;
        g_free(name);
    }
}

struct block_node *block_open_drive(struct block_set *set, struct opts *o, const char *name,
                                    bool cdrom, bool *writeback, GError **err)
{
    const char *format = opts_str(o, "format", NULL);
    struct block_open how = { .locking = true, .readonly = cdrom };

    if (!take_readonly(o, "readonly", &how.readonly, err) ||
        !take_readonly(o, "read-only", &how.readonly, err) ||
        !take_cache(o, &how, writeback, err) || !take_aio(o, "aio", set, &how, err) ||
        !take_discard(o, &how, err) || !opts_bool(o, "file.locking", &how.locking, err) ||
        !refuse_absent(o, err))
        return NULL;
    return open_image(set, name, format, &how, o, err);
}

/* Without an image only drives can be that take media; the device says so where it cannot. */
static bool open_drive(struct block *b, struct opts *o, GError **err)
{
    const char *name = opts_str(o, "file", NULL);

    if (!name)
        name = opts_str(o, "file.filename", NULL);
    if (!name && !find_place(b->iface) && !b->cdrom)
        return error_set(err, "-drive: file= is missing");
    if (!name)
        return true;
    b->node = block_open_drive(b->set, o, name, b->cdrom, &b->writeback, err);
    return b->node;
}

struct block *block_add_drive(struct block_set *set, struct opts *o, const char *default_if,
                              GError **err)
{
    const char *id = opts_str(o, "id", NULL);
    struct block *b;

    if (id && !id_is_free(set, "-drive", id, err))
        return NULL;
    b = block_new(set);
    if (!take_place(o, b, default_if, err) || !open_drive(b, o, err) || !take_policies(o, b, err) ||
        !opts_done(o, err)) {
        block_free(b);
        return NULL;
    }
    b->id = drive_id(set, b, id);
    g_ptr_array_add(set->blocks, b);
    return b;
}

/* ---- -blockdev ---- */

/* The driver= at the top may be a protocol, then that is all; or a format with file.* below it. */
struct block *block_add_node(struct block_set *set, struct opts *o, GError **err)
{
    const char *what = opts_option(o), *name = opts_str(o, "node-name", NULL);
    const char *driver = opts_str(o, "driver", NULL), *file_name;
    const struct block_driver *d;
    struct block_open how = { .locking = true };
    bool writeback = true;
    struct block_node *n;

    if (!driver || !name) {
        error_set(err, "%s: %s= is missing", what, driver ? "node-name" : "driver");
        return NULL;
    }
    d = block_driver_find(what, driver, err);
    if (!d || !id_is_free(set, what, name, err))
        return NULL;
    file_name = opts_str(o, d->protocol ? "filename" : "file.filename", NULL);
    if (!d->protocol && !file_name) {
        error_set(err, "%s: file.filename= is missing", what);
        return NULL;
    }
    opts_known(o, "file.driver");
    if (!take_readonly(o, "read-only", &how.readonly, err) ||
        !take_cache(o, &how, &writeback, err) ||
        !take_aio(o, d->protocol ? "aio" : "file.aio", set, &how, err) ||
        !take_discard(o, &how, err) ||
        !opts_bool(o, d->protocol ? "locking" : "file.locking", &how.locking, err))
        return NULL;
    n = open_image(set, file_name, driver, &how, o, err);
    if (!n)
        return NULL;
    if (d->protocol)
        n->size -= n->size % BLOCK_SECTOR;
    add(set, n, name);
    return opts_done(o, err) ? block_find(set, name, err) : NULL;
}
