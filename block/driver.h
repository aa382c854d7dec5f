/*
 * Image formats and protocols. A node is one layer of an image: a protocol node reaches bytes of
 * the host (file), a format node (raw) makes a disk of another node's bytes.
 *
 * To add a format: a file with its `struct block_driver`, and a line in drivers.def.
 */
#ifndef BLOCK_DRIVER_H
#define BLOCK_DRIVER_H

#include <block/block.h>
#include "aio.h"

struct block_node;

/* How an image is to be opened. */
struct block_open {
    bool readonly;
    bool direct;   /* cache.direct: past the host's page cache */
    bool no_flush; /* cache.no-flush: flushes do nothing */
    bool discard;
    bool locking;
    bool uring; /* aio=io_uring */
};

struct block_driver {
    const char *name;
    bool protocol;
    /* Takes its own keys from `o`, below `prefix` ("", "file."). node->file is open for formats. */
    bool (*open)(struct block_node *n, struct opts *o, const char *prefix, GError **err);
    void (*close)(struct block_node *n);
    /* Lets the image be opened once more by this process, or no longer; NULL: it always can be. */
    void (*lend)(struct block_node *n, bool lent);
    /* Ends in block_req_end(), later. */
    void (*submit)(struct block_node *n, struct block_req *r);
};

struct block_node {
    const struct block_driver *driver;
    struct block_open how;
    struct aio *aio;
    struct block_node *file; /* below a format */
    uint64_t size;           /* bytes, as the layer above sees it */
    char *filename;
    void *state; /* the driver's own */
};

extern const struct block_driver block_raw, block_file;

/* NULL with the nearest name in err. */
const struct block_driver *block_driver_find(const char *what, const char *name, GError **err);
/* A format that the first bytes of an image show, by name; NULL for none. */
const char *block_probe(const uint8_t *data, size_t len);

/* Called by drivers, from the main loop. */
void block_req_end(struct block_req *r, int error);

#endif
