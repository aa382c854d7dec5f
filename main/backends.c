/* Disks of -drive and -blockdev, and the devices that they imply. */
#include "parts.h"

#include <base/error.h>

static void *find_drive(void *opaque, const char *id, GError **err)
{
    return block_find(opaque, id, err);
}

static const char *name_drive(void *backend)
{
    return block_id(backend);
}

static const char *default_interface(const struct session *s)
{
    const char *name = s->machine->type->drive_if;

    return name ? name : "none";
}

/* if=pflash is a property of machines that have flash banks. */
static bool give_to_board(struct session *s, const struct block *b, GError **err)
{
    unsigned bank = 0;

    if (g_strcmp0(block_interface(b), "pflash") != 0) {
        return true;
    }
    if (block_index(b) >= 0) {
        bank = (unsigned)block_index(b);
    } else {
        /* the first one that is free */
        for (const GPtrArray *l = s->config->lists[LIST_DRIVE]; bank < l->len; bank++) {
            g_autofree char *taken = g_strdup_printf("pflash%u", bank);
            struct block *other = block_find(s->blocks, taken, NULL);

            if (!other || other == b) {
                break;
            }
        }
    }
    g_autofree char *prop = g_strdup_printf("pflash%u", bank);

    return machine_set(s->machine, prop, block_id(b), err);
}

static bool add_drive(struct session *s, struct opts *o, GError **err)
{
    struct block *b = block_add_drive(s->blocks, o, default_interface(s), err);

    return b && give_to_board(s, b, err);
}

static void find_third_ide(struct block *b, void *opaque)
{
    if (g_strcmp0(block_interface(b), "ide") == 0 && block_index(b) == 2) {
        *(bool *)opaque = true;
    }
}

/* The drive that PCs have had for ever, empty; not where another one is asked for. */
static bool add_default_cdrom(struct session *s, GError **err)
{
    const GPtrArray *devices = s->config->lists[LIST_DEVICE];
    opts_auto struct opts *o = opts_new("-drive");
    bool taken = !s->machine->type->default_cdrom || s->config->flag[FLAG_NODEFAULTS];

    for (guint i = 0; i < devices->len; i++) {
        const char *driver = opts_str(devices->pdata[i], "driver", "");

        taken = taken || g_str_has_suffix(driver, "-cd");
    }
    block_foreach(s->blocks, find_third_ide, &taken);
    if (taken) {
        return true;
    }
    opts_set(o, "if", "ide");
    opts_set(o, "index", "2");
    opts_set(o, "media", "cdrom");
    return add_drive(s, o, err);
}

bool backends_make(struct session *s, GError **err)
{
    const GPtrArray *nodes = s->config->lists[LIST_BLOCKDEV];
    const GPtrArray *drives = s->config->lists[LIST_DRIVE];

    s->blocks = block_set_new(s->loop);
    machine_set_backend(s->machine, BACKEND_DRIVE, find_drive, name_drive, s->blocks);
    for (guint i = 0; i < nodes->len; i++) {
        if (!block_add_node(s->blocks, nodes->pdata[i], err)) {
            return false;
        }
    }
    for (guint i = 0; i < drives->len; i++) {
        if (!add_drive(s, drives->pdata[i], err)) {
            return false;
        }
    }
    return add_default_cdrom(s, err);
}

struct implied {
    struct session *s;
    GError **err;
    bool ok;
};

/* The bus of a machine that -drive's if= means; `units` drives to a bus. */
struct place {
    const char *interface, *bus;
    unsigned units;
};

static const struct place places[] = {
    { "ide", "ide", 2 },
    { "floppy", "floppy-bus", 2 },
};

static const struct place *find_place(const char *interface)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        if (strcmp(places[i].interface, interface) == 0) {
            return &places[i];
        }
    }
    return NULL;
}

static bool no_such_place(const struct implied *i, const char *interface)
{
    return error_set(i->err, "-drive: machine '%s' has no disks of if=%s; there are %s",
                     i->s->machine->type->name, interface, "virtio, pflash and none");
}

/* A drive with a place of its own on a controller that the machine has. */
static bool set_place(const struct implied *i, const struct block *b, struct opts *o)
{
    const char *interface = block_interface(b);
    const struct place *p = find_place(interface);
    unsigned index = (unsigned)block_index(b);
    g_autofree char *bus = p ? g_strdup_printf("%s.%u", p->bus, index / p->units) : NULL;
    g_autofree char *unit = p ? g_strdup_printf("%u", index % p->units) : NULL;

    if (!p || !bus_find(i->s->machine, bus)) {
        return no_such_place(i, interface);
    }
    if (strcmp(interface, "floppy") == 0) {
        opts_set(o, "driver", "floppy");
    } else {
        opts_set(o, "driver", block_is_cdrom(b) ? "ide-cd" : "ide-hd");
    }
    opts_set(o, "bus", bus);
    opts_set(o, "unit", unit);
    return true;
}

/* -drive with any other if= than none is a device by itself, unless a -device names it. */
static void add_disk(struct block *b, void *opaque)
{
    struct implied *i = opaque;
    const char *interface = block_interface(b);
    opts_auto struct opts *o = opts_new("-drive");

    if (!i->ok || !interface || block_user(b) || strcmp(interface, "none") == 0 ||
        strcmp(interface, "pflash") == 0) {
        return;
    }
    if (strcmp(interface, "virtio") == 0) {
        opts_set(o, "driver", "virtio-blk-pci");
    } else if (!set_place(i, b, o)) {
        i->ok = false;
        return;
    }
    opts_set(o, "drive", block_id(b));
    i->ok = device_create(i->s->machine, o, i->err) != NULL;
}

bool backends_add_devices(struct session *s, GError **err)
{
    struct implied i = { s, err, true };

    block_foreach(s->blocks, add_disk, &i);
    return i.ok;
}

void backends_free(struct session *s)
{
    if (s->blocks) {
        block_set_free(s->blocks);
    }
}
