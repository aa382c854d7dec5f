/* What an image is inside. */
#ifndef BLOCK_CORE_H
#define BLOCK_CORE_H

#include "driver.h"

/* I/O of one context, with the images that use it. */
struct aio_place {
    struct io_context *io;
    struct aio *aio;
    unsigned users;
};

struct block_set {
    struct loop *loop;
    struct aio *aio;   /* the main loop's */
    GArray *elsewhere; /* of struct aio_place: iothreads' */
    GPtrArray *blocks;
    block_tray_fn *on_tray;
    void *tray_opaque;
};

struct block {
    struct block_set *set;
    struct io_context *io;   /* where requests are done: its lock guards inflight and stats */
    struct aio *aio;         /* of io */
    struct block_node *node; /* the top one; NULL: no medium */
    char *id;
    char *iface; /* if= */
    char *user;
    int index;
    bool cdrom, writeback; /* written with both locks held */
    enum block_policy werror, rerror;
    const struct block_media_ops *media;
    void *media_opaque;
    unsigned inflight;
    struct block_stats stats;
};

/* Opens what file=, format=, read-only= and the like of `o` say. */
struct block_node *block_open_drive(struct block_set *set, struct opts *o, const char *name,
                                    bool cdrom, bool *writeback, GError **err);
/* The layers of an image do their I/O by `aio` from now on. */
void block_node_use(struct block_node *n, struct aio *aio);
void block_free(struct block *b);
void block_node_close(struct block_node *n);

#endif
