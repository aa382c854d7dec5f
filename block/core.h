/* What an image is inside. */
#ifndef BLOCK_CORE_H
#define BLOCK_CORE_H

#include "driver.h"

struct block_set {
    struct loop *loop;
    struct aio *aio;
    GPtrArray *blocks;
    block_tray_fn *on_tray;
    void *tray_opaque;
};

struct block {
    struct block_set *set;
    struct block_node *node; /* the top one; NULL: no medium */
    char *id;
    char *iface; /* if= */
    char *user;
    int index;
    bool cdrom, writeback;
    enum block_policy werror, rerror;
    const struct block_media_ops *media;
    void *media_opaque;
    unsigned inflight;
    struct block_stats stats;
};

/* Opens what file=, format=, read-only= and the like of `o` say. */
struct block_node *block_open_drive(struct block_set *set, struct opts *o, const char *name,
                                    bool cdrom, bool *writeback, GError **err);
void block_free(struct block *b);
void block_node_close(struct block_node *n);

#endif
