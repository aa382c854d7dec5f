/* What an image is inside. */
#ifndef BLOCK_CORE_H
#define BLOCK_CORE_H

#include "driver.h"

struct block_set {
    struct loop *loop;
    struct aio *aio;
    GPtrArray *blocks;
    unsigned numbered; /* how many ids were made up */
};

struct block {
    struct block_set *set;
    struct block_node *node; /* the top one */
    char *id;
    char *iface; /* if= */
    char *user;
    int index;
    bool cdrom, writeback;
    enum block_policy werror, rerror;
    unsigned inflight;
    struct block_stats stats;
};

void block_node_close(struct block_node *n);

#endif
