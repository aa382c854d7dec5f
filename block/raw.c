/* Raw images: the bytes of the file are those of the disk. */
#include "driver.h"

#include <base/bits.h>

static bool raw_open(struct block_node *n, struct opts *o, const char *prefix, GError **err)
{
    (void)o, (void)prefix, (void)err;
    /* a last sector that is not whole is filled with zeroes */
    n->size = align_up(n->file->size, BLOCK_SECTOR);
    return true;
}

static void raw_close(struct block_node *n)
{
    (void)n;
}

static void raw_submit(struct block_node *n, struct block_req *r)
{
    n->file->driver->submit(n->file, r);
}

const struct block_driver block_raw = {
    .name = "raw",
    .open = raw_open,
    .close = raw_close,
    .submit = raw_submit,
};
