/* Media that come and go; see block/block.h. */
#include "core.h"

#include <base/error.h>
#include <base/option.h>

void block_set_media(struct block *b, const struct block_media_ops *ops, void *opaque)
{
    b->media = ops;
    b->media_opaque = opaque;
}

bool block_is_removable(const struct block *b)
{
    return b->media;
}

static bool has_tray(const struct block *b)
{
    return b->media && b->media->set_tray;
}

bool block_tray_is_open(const struct block *b)
{
    return has_tray(b) && b->media->tray_is_open(b->media_opaque);
}

bool block_is_locked(const struct block *b)
{
    return has_tray(b) && b->media->is_locked(b->media_opaque);
}

bool block_has_medium(const struct block *b)
{
    return b->node;
}

static bool check_removable(const struct block *b, GError **err)
{
    return b->media || error_set(err, "Device '%s' is not removable", b->id);
}

bool block_open_tray(struct block *b, bool force, GError **err)
{
    if (!check_removable(b, err))
        return false;
    if (!has_tray(b) || block_tray_is_open(b))
        return true;
    if (block_is_locked(b)) {
        b->media->eject_wanted(b->media_opaque);
        if (!force)
            return error_set(err,
                             "Device '%s' is locked and force was not specified, wait for "
                             "tray to open and try again",
                             b->id);
    }
    b->media->set_tray(b->media_opaque, true);
    return true;
}

void block_close_tray(struct block *b)
{
    if (has_tray(b) && block_tray_is_open(b))
        b->media->set_tray(b->media_opaque, false);
}

static void put(struct block *b, struct block_node *n)
{
    block_drain(b);
    block_node_close(b->node);
    b->node = n;
    b->media->changed(b->media_opaque);
}

bool block_remove_medium(struct block *b, GError **err)
{
    if (!check_removable(b, err))
        return false;
    if (has_tray(b) && !block_tray_is_open(b))
        return error_set(err, "Tray of device '%s' is not open", b->id);
    if (b->node)
        put(b, NULL);
    return true;
}

bool block_eject(struct block *b, bool force, GError **err)
{
    return block_open_tray(b, force, err) && block_remove_medium(b, err);
}

static void lend(struct block_node *n, bool lent)
{
    for (; n; n = n->file)
        if (n->driver->lend)
            n->driver->lend(n, lent);
}

/* The new image is opened first: with one that cannot be, the old one stays. It may be the same. */
bool block_change(struct block *b, struct opts *o, bool force, GError **err)
{
    const char *name = opts_str(o, "file", NULL);
    struct block_node *n;

    if (!check_removable(b, err))
        return false;
    lend(b->node, true);
    n = block_open_drive(b->set, o, name, b->cdrom, &b->writeback, err);
    if (!n || !opts_done(o, err) || !block_open_tray(b, force, err)) {
        block_node_close(n);
        lend(b->node, false);
        return false;
    }
    put(b, n);
    block_close_tray(b);
    return true;
}

void block_set_on_tray(struct block_set *set, block_tray_fn *fn, void *opaque)
{
    set->on_tray = fn;
    set->tray_opaque = opaque;
}

void block_tray_moved(struct block *b, bool open)
{
    if (b->set->on_tray)
        b->set->on_tray(b->set->tray_opaque, b, open);
}
