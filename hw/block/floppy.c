/* Floppy drives; see floppy.h. Formats are told by the size of the image. */
#include "floppy.h"

#include <base/bits.h>
#include <base/error.h>

#define TRACKS_MAX 83 /* where the head meets its stop */

enum { TYPE_120, TYPE_144, TYPE_288, TYPE_AUTO };
static const char *const types[] = { "120", "144", "288", "auto", NULL };

static const struct floppy_format formats[] = {
    { 320, 40, 1, 8, RATE_300K, RATE_250K, TYPE_120 },
    { 360, 40, 1, 9, RATE_300K, RATE_250K, TYPE_120 },
    { 640, 40, 2, 8, RATE_300K, RATE_250K, TYPE_120 },
    { 720, 40, 2, 9, RATE_300K, RATE_250K, TYPE_120 },
    { 1280, 80, 2, 8, RATE_250K, RATE_300K, TYPE_144 },
    { 1440, 80, 2, 9, RATE_250K, RATE_300K, TYPE_144 },
    { 1640, 82, 2, 10, RATE_250K, RATE_300K, TYPE_144 },
    { 2400, 80, 2, 15, RATE_500K, RATE_500K, TYPE_120 },
    { 2880, 80, 2, 18, RATE_500K, RATE_500K, TYPE_144 },
    { 3200, 80, 2, 20, RATE_500K, RATE_500K, TYPE_144 },
    { 3360, 80, 2, 21, RATE_500K, RATE_500K, TYPE_144 },
    { 3444, 82, 2, 21, RATE_500K, RATE_500K, TYPE_144 },
    { 3486, 83, 2, 21, RATE_500K, RATE_500K, TYPE_144 },
    { 3840, 80, 2, 24, RATE_500K, RATE_500K, TYPE_144 },
    { 5760, 80, 2, 36, RATE_1M, RATE_1M, TYPE_288 },
    { 6240, 80, 2, 39, RATE_1M, RATE_1M, TYPE_288 },
};

/* An image of no standard size is a 1.44M disk of which the end may be missing. */
static const struct floppy_format *find_format(const struct block *b)
{
    uint64_t sectors = block_size(b) / BLOCK_SECTOR;
    const struct floppy_format *usual = NULL;

    for (unsigned i = 0; i < ARRAY_LEN(formats); i++) {
        if (formats[i].sectors == sectors)
            return &formats[i];
        if (formats[i].sectors == 2880)
            usual = &formats[i];
    }
    return usual;
}

bool floppy_has_disk(const struct floppy *f)
{
    return f->drive && block_has_medium(f->drive);
}

void floppy_step_to(struct floppy *f, uint8_t track)
{
    f->track = MIN(track, TRACKS_MAX);
    if (floppy_has_disk(f))
        f->changed = false;
}

static void look_at_disk(struct floppy *f)
{
    f->format = floppy_has_disk(f) ? find_format(f->drive) : NULL;
}

/* ---- media ---- */

static void disk_changed(void *opaque)
{
    struct floppy *f = opaque;

    f->bus->gone(f->bus, f->unit);
    f->changed = true;
    look_at_disk(f);
}

static const struct block_media_ops floppy_media = { .changed = disk_changed };

/* ---- life ---- */

static bool floppy_realize(struct device *dev, GError **err)
{
    struct floppy *f = (struct floppy *)dev;

    if (f->drive && !block_attach(f->drive, dev->path, err))
        return false;
    if (f->drive)
        block_set_media(f->drive, &floppy_media, f);
    look_at_disk(f);
    if (f->type == TYPE_AUTO)
        f->type = f->format ? f->format->drive : TYPE_144;
    return true;
}

static void floppy_unrealize(struct device *dev)
{
    struct floppy *f = (struct floppy *)dev;

    f->bus->gone(f->bus, f->unit);
    if (f->drive) {
        block_set_media(f->drive, NULL, NULL);
        block_detach(f->drive);
    }
}

static void floppy_reset(struct device *dev)
{
    struct floppy *f = (struct floppy *)dev;

    f->track = 0;
    f->changed = true;
}

static const struct state_field floppy_fields[] = { STATE_U8(struct floppy, track),
                                                    STATE_BOOL(struct floppy, changed), STATE_END };
static const struct state_table floppy_state = { .name = "floppy",
                                                 .version = 1,
                                                 .fields = floppy_fields };

static const struct prop floppy_props[] = {
    PROP_DRIVE(struct floppy, drive, "drive", "id of -drive or node name of -blockdev"),
    PROP_U32(struct floppy, unit, "unit", UINT32_MAX, "0 or 1; else the first one free"),
    PROP_I64(struct floppy, bootindex, "bootindex", -1, "place in the order of booting"),
    PROP_ENUM(struct floppy, type, "drive-type", TYPE_AUTO, "1.2M, 1.44M, 2.88M or by the disk",
              types),
    PROP_LIST_END
};

const struct device_type floppy_type = {
    .name = "floppy",
    .help = "floppy disk drive",
    .bus = BUS_FLOPPY,
    .size = sizeof(struct floppy),
    .category = "storage",
    .realize = floppy_realize,
    .reset = floppy_reset,
    .unrealize = floppy_unrealize,
    .props = floppy_props,
    .state = &floppy_state,
};

/* ---- the cable ---- */

static bool attach(struct bus *bus, struct device *dev, GError **err)
{
    struct floppy_bus *b = container_of(bus, struct floppy_bus, bus);
    struct floppy *f = (struct floppy *)dev;

    if (f->unit == UINT32_MAX)
        f->unit = b->units[0] ? 1 : 0;
    if (f->unit >= FLOPPY_UNITS)
        return error_set(err, "floppy.unit: %u is not 0 or 1", f->unit);
    if (b->units[f->unit])
        return error_set(err, "floppy: unit %u of %s is taken by %s", f->unit, bus->name,
                         b->units[f->unit]->dev.path);
    b->units[f->unit] = f;
    f->bus = b;
    bus->full = b->units[0] && b->units[1];
    return true;
}

static void detach(struct bus *bus, struct device *dev)
{
    struct floppy_bus *b = container_of(bus, struct floppy_bus, bus);

    b->units[((struct floppy *)dev)->unit] = NULL;
    bus->full = false;
}

const struct bus_type floppy_bus_type = { .name = "floppy-bus",
                                          .attach = attach,
                                          .detach = detach };
