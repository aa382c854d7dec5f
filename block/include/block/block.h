/*
 * Disks: images as arrays of bytes with asynchronous requests.
 *
 *     struct block_req r = { .op = BLOCK_READ, .offset = 512, .bytes = 512, .iov = &v, .niov = 1,
 *                            .done = read_done, .opaque = me };
 *     block_submit(b, &r);                     read_done(&r, 0 or an errno) comes later
 *
 * Everything here is called with the device lock held. Requests of an image and their completions
 * belong to a context (base/iocontext.h): the main loop, or, after block_set_io(), an iothread, in
 * which block_submit(), block_plug() and block_unplug() are called with the iothread's lock alone.
 * Completions come from the context, or from within block_drain(), with its lock held. A completion
 * never comes from within block_submit().
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <glib.h>

struct block;
struct block_set;
struct io_context;
struct loop;
struct opts;

#define BLOCK_SECTOR 512

enum block_op {
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_FLUSH,        /* what was written stays after a loss of power */
    BLOCK_DISCARD,      /* contents are not needed any more */
    BLOCK_WRITE_ZEROES, /* reads as zeroes afterwards */
    BLOCK_OP_COUNT
};

#define BLOCK_FUA   (1u << 0) /* a write that is flushed when it is done */
#define BLOCK_UNMAP (1u << 1) /* WRITE_ZEROES may give space back */

struct block_req {
    enum block_op op;
    uint64_t offset, bytes;  /* within block_size(), any alignment */
    const struct iovec *iov; /* of READ and WRITE: `bytes` in all; stays until done */
    unsigned niov;
    unsigned flags;
    void (*done)(struct block_req *r, int error); /* 0 or an errno */
    void *opaque;

    struct block *block; /* private from here on */
    bool flushing;
};

/* What is done about a failed request. */
enum block_policy { BLOCK_REPORT, BLOCK_IGNORE, BLOCK_STOP, BLOCK_ENOSPC, BLOCK_AUTO };

struct block_stats {
    uint64_t ops[BLOCK_OP_COUNT], bytes[BLOCK_OP_COUNT], errors[BLOCK_OP_COUNT];
};

/* ---- images of one machine ---- */

struct block_set *block_set_new(struct loop *loop);
/* Waits for requests, flushes, closes. Devices must be gone. */
void block_set_free(struct block_set *set);
/* -drive (without file=: a drive without a medium): file=, if=, index=, bus=, unit=, media=,
 * format=, id=, cache=, readonly=, aio=, werror=, rerror=, discard=, detect-zeroes=. `default_if`
 * is what no if= means. */
struct block *block_add_drive(struct block_set *set, struct opts *o, const char *default_if,
                              GError **err);
/* -blockdev: driver=, node-name= and the driver's own. */
struct block *block_add_node(struct block_set *set, struct opts *o, GError **err);
/* By id of -drive or node name; the error names the nearest. */
struct block *block_find(struct block_set *set, const char *id, GError **err);
void block_foreach(struct block_set *set, void (*fn)(struct block *b, void *opaque), void *opaque);
/* Waits for all requests and flushes; the first error of a flush. */
int block_set_flush(struct block_set *set);

/* ---- one image ---- */

const char *block_id(const struct block *b);
const char *block_filename(const struct block *b);
const char *block_format(const struct block *b);
/* if= of -drive: "virtio", "none", ...; NULL for -blockdev. */
const char *block_interface(const struct block *b);
/* index= of -drive, -1 for none. */
int block_index(const struct block *b);
bool block_is_cdrom(const struct block *b);
bool block_readonly(const struct block *b);
/* Bytes; a multiple of BLOCK_SECTOR: the tail behind the end of the file reads as zeroes. */
uint64_t block_size(const struct block *b);
/* Whether writes stay in a cache until a flush, as a guest may be told and may choose. */
bool block_writeback(const struct block *b);
void block_set_writeback(struct block *b, bool on);
/* Whether discards reach the image. */
bool block_discards(const struct block *b);
enum block_policy block_policy(const struct block *b, bool write);
struct block_stats block_stats(const struct block *b);

/* Makes a device the one user; `user` is for messages and copied. Fails when there is one. */
bool block_attach(struct block *b, const char *user, GError **err);
/* Ends that, back in the main loop. */
void block_detach(struct block *b);
/* By the user: requests are done in this context from now on. Drives whose media can change stay in
 * the main loop. The caller holds no iothread's lock. */
void block_set_io(struct block *b, struct io_context *io);
/* Who uses it, or NULL. */
const char *block_user(const struct block *b);

/* ---- removable media: drives whose image comes and goes ---- */

/* What a device with a tray tells and does. Device lock. */
struct block_media_ops {
    void (*changed)(void *opaque); /* another image, or none; no request is under way */
    bool (*tray_is_open)(void *opaque);
    bool (*is_locked)(void *opaque); /* by the guest */
    void (*set_tray)(void *opaque, bool open);
    void (*eject_wanted)(void *opaque); /* somebody pressed the button of a locked drive */
};

/* By the device, attached, that takes media; NULL to end it. A drive has media that can be changed
 * while it has these. */
void block_set_media(struct block *b, const struct block_media_ops *ops, void *opaque);
bool block_is_removable(const struct block *b);
bool block_tray_is_open(const struct block *b);
bool block_is_locked(const struct block *b);
/* Whether there is an image. Without, the size is 0 and requests end in ENOMEDIUM. */
bool block_has_medium(const struct block *b);
/* What `eject` does: opens the tray and takes the image out. A locked drive is only asked. */
bool block_eject(struct block *b, bool force, GError **err);
/* Opens the tray, closes it; a drive without one (floppies) takes no notice. */
bool block_open_tray(struct block *b, bool force, GError **err);
void block_close_tray(struct block *b);
/* Takes the image out of an open tray. */
bool block_remove_medium(struct block *b, GError **err);
/* Puts another one in: keys file, format, read-only of `o` ("change"). */
bool block_change(struct block *b, struct opts *o, bool force, GError **err);
/* Devices tell here of each move of the tray; one listener. */
void block_tray_moved(struct block *b, bool open);
typedef void block_tray_fn(void *opaque, struct block *b, bool open);
void block_set_on_tray(struct block_set *set, block_tray_fn *fn, void *opaque);

/* The request stays the caller's, unchanged, until done() is called. */
void block_submit(struct block *b, struct block_req *r);
/* Requests between the two may be handed on together, and be done when the last unplug returns.
 * They nest. */
void block_plug(struct block *b);
void block_unplug(struct block *b);
/* Returns when no request of the image is under way. */
void block_drain(struct block *b);
/* The same at once, for boards at start: fills `buf` or gives an errno. */
int block_read_now(struct block *b, uint64_t offset, void *buf, uint64_t len);
int block_write_now(struct block *b, uint64_t offset, const void *buf, uint64_t len);

#endif
