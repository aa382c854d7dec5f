/*
 * Nobody: takes everything, says nothing.
 */
#include "backend.h"

static bool null_open(struct chardev *chr, struct opts *opts, GError **err)
{
    if (!opts_done(opts, err))
        return false;
    chardev_opened(chr);
    return true;
}

const struct chardev_type null_chardev = {
    .name = "null",
    .help = "drops output, has no input",
    .size = sizeof(struct chardev),
    .open = null_open,
};
