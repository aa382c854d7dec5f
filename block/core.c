/* Images and their requests; see block/block.h. How they come from options is in options.c. */
#include "core.h"

#include <errno.h>
#include <string.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/iocontext.h>
#include <base/loop.h>

struct block_set *block_set_new(struct loop *loop)
{
    struct block_set *set = g_new0(struct block_set, 1);

    set->loop = loop;
    set->aio = aio_new(loop_io(loop));
    set->elsewhere = g_array_new(FALSE, FALSE, sizeof(struct aio_place));
    set->blocks = g_ptr_array_new();
    return set;
}

void block_node_close(struct block_node *n)
{
    if (!n)
        return;
    n->driver->close(n);
    block_node_close(n->file);
    g_free(n->filename);
    g_free(n);
}

void block_free(struct block *b)
{
    block_node_close(b->node);
    g_free(b->id);
    g_free(b->iface);
    g_free(b->user);
    g_free(b);
}

void block_set_free(struct block_set *set)
{
    block_set_flush(set);
    for (guint i = 0; i < set->blocks->len; i++)
        block_free(set->blocks->pdata[i]);
    g_ptr_array_free(set->blocks, TRUE);
    aio_free(set->aio);
    g_array_free(set->elsewhere, TRUE);
    g_free(set);
}

struct block *block_find(struct block_set *set, const char *id, GError **err)
{
    struct nearest near;

    nearest_init(&near, id);
    for (guint i = 0; i < set->blocks->len; i++) {
        struct block *b = set->blocks->pdata[i];

        if (strcmp(b->id, id) == 0)
            return b;
        nearest_try(&near, b->id);
    }
    error_set_unknown(err, "drive", "drive or node", id, &near);
    return NULL;
}

void block_foreach(struct block_set *set, void (*fn)(struct block *b, void *opaque), void *opaque)
{
    for (guint i = 0; i < set->blocks->len; i++)
        fn(set->blocks->pdata[i], opaque);
}

const char *block_id(const struct block *b)
{
    return b->id;
}

const char *block_filename(const struct block *b)
{
    if (!b->node)
        return "";
    return b->node->file ? b->node->file->filename : b->node->filename;
}

const char *block_format(const struct block *b)
{
    return b->node ? b->node->driver->name : "raw";
}

const char *block_interface(const struct block *b)
{
    return b->iface;
}

int block_index(const struct block *b)
{
    return b->index;
}

bool block_is_cdrom(const struct block *b)
{
    return b->cdrom;
}

bool block_readonly(const struct block *b)
{
    return b->node ? b->node->how.readonly : b->cdrom;
}

uint64_t block_size(const struct block *b)
{
    return b->node ? b->node->size : 0;
}

bool block_writeback(const struct block *b)
{
    return b->writeback;
}

void block_set_writeback(struct block *b, bool on)
{
    bool taken = io_lock_if(b->io);

    b->writeback = on;
    io_unlock_if(b->io, taken);
}

bool block_discards(const struct block *b)
{
    return b->node && b->node->how.discard;
}

enum block_policy block_policy(const struct block *b, bool write)
{
    return write ? b->werror : b->rerror;
}

struct block_stats block_stats(const struct block *b)
{
    bool taken = io_lock_if(b->io);
    struct block_stats s = b->stats;

    io_unlock_if(b->io, taken);
    return s;
}

bool block_attach(struct block *b, const char *user, GError **err)
{
    if (b->user)
        return error_set(err, "drive '%s' is in use by %s", b->id, b->user);
    b->user = g_strdup(user);
    return true;
}

void block_detach(struct block *b)
{
    block_drain(b);
    block_set_io(b, loop_io(b->set->loop));
    g_free(b->user);
    b->user = NULL;
}

const char *block_user(const struct block *b)
{
    return b->user;
}

/* ---- where requests are done ---- */

void block_node_use(struct block_node *n, struct aio *aio)
{
    for (; n; n = n->file)
        n->aio = aio;
}

static struct aio *take_aio(struct block_set *set, struct io_context *io)
{
    struct aio_place p = { io, NULL, 1 };

    if (!io_is_thread(io))
        return set->aio;
    for (guint i = 0; i < set->elsewhere->len; i++) {
        struct aio_place *other = &g_array_index(set->elsewhere, struct aio_place, i);

        if (other->io == io) {
            other->users++;
            return other->aio;
        }
    }
    p.aio = aio_new(io);
    g_array_append_val(set->elsewhere, p);
    return p.aio;
}

static void leave_aio(struct block_set *set, struct aio *aio)
{
    for (guint i = 0; i < set->elsewhere->len; i++) {
        struct aio_place *p = &g_array_index(set->elsewhere, struct aio_place, i);

        if (p->aio != aio || --p->users)
            continue;
        g_array_remove_index(set->elsewhere, i);
        aio_free(aio);
        return;
    }
}

void block_set_io(struct block *b, struct io_context *io)
{
    struct aio *before = b->aio;

    if (b->io == io)
        return;
    bug_on(b->media);
    block_drain(b);
    b->io = io;
    b->aio = take_aio(b->set, io);
    block_node_use(b->node, b->aio);
    leave_aio(b->set, before);
}

/* ---- requests ---- */

static void finish(struct block_req *r, int error)
{
    struct block *b = r->block;

    if (error) {
        b->stats.errors[r->op]++;
    } else {
        b->stats.ops[r->op]++;
        b->stats.bytes[r->op] += r->bytes;
    }
    b->inflight--;
    r->done(r, error);
}

void block_req_end(struct block_req *r, int error)
{
    struct block *b = r->block;
    bool writes = r->op == BLOCK_WRITE || r->op == BLOCK_WRITE_ZEROES;
    enum block_op op = r->op;

    if (error || r->flushing || !writes || (b->writeback && !(r->flags & BLOCK_FUA))) {
        finish(r, error);
        return;
    }
    r->flushing = true;
    r->op = BLOCK_FLUSH;
    b->node->driver->submit(b->node, r);
    r->op = op; /* drivers look at it only within submit */
}

/* Requests that end without a driver do so from the main loop as well. */
struct late {
    struct aio_op aio;
    struct block_req *r;
    int error;
};

static int64_t late_call(struct aio_op *op)
{
    (void)op;
    return 0;
}

static void late_done(struct aio_op *op, int64_t result)
{
    struct late *l = (struct late *)op;

    (void)result;
    finish(l->r, l->error);
    g_free(l);
}

static void end_late(struct block_req *r, int error)
{
    struct late *l = g_new0(struct late, 1);

    l->aio.kind = AIO_CALL;
    l->aio.call = late_call;
    l->aio.done = late_done;
    l->r = r;
    l->error = error;
    aio_submit(r->block->aio, &l->aio, false);
}

void block_submit(struct block *b, struct block_req *r)
{
    bool reads = r->op == BLOCK_READ || r->op == BLOCK_FLUSH;
    bool ranged = r->op != BLOCK_FLUSH;

    r->block = b;
    r->flushing = false;
    b->inflight++;
    if (!b->node)
        end_late(r, ENOMEDIUM);
    else if (ranged && (r->offset > b->node->size || r->bytes > b->node->size - r->offset))
        end_late(r, EIO);
    else if (!reads && block_readonly(b))
        end_late(r, EROFS);
    else if ((ranged && !r->bytes) || (!ranged && b->node->how.no_flush) ||
             (r->op == BLOCK_DISCARD && !b->node->how.discard))
        end_late(r, 0);
    else
        b->node->driver->submit(b->node, r);
}

void block_plug(struct block *b)
{
    aio_plug(b->aio);
}

void block_unplug(struct block *b)
{
    aio_unplug(b->aio);
}

void block_drain(struct block *b)
{
    bool taken = io_lock_if(b->io);

    while (b->inflight)
        aio_wait(b->aio);
    io_unlock_if(b->io, taken);
}

struct sync {
    bool done;
    int error;
};

static void sync_done(struct block_req *r, int error)
{
    struct sync *s = r->opaque;

    s->done = true;
    s->error = error;
}

static int run_now(struct block *b, struct block_req *r)
{
    struct sync s = { 0 };
    bool taken = io_lock_if(b->io);

    r->done = sync_done;
    r->opaque = &s;
    block_submit(b, r);
    while (!s.done)
        aio_wait(b->aio);
    io_unlock_if(b->io, taken);
    return s.error;
}

int block_read_now(struct block *b, uint64_t offset, void *buf, uint64_t len)
{
    struct iovec v = { buf, len };
    struct block_req r = { .op = BLOCK_READ, .offset = offset, .bytes = len, .iov = &v, .niov = 1 };

    return run_now(b, &r);
}

int block_write_now(struct block *b, uint64_t offset, const void *buf, uint64_t len)
{
    struct iovec v = { (void *)(uintptr_t)buf, len };
    struct block_req r = {
        .op = BLOCK_WRITE, .offset = offset, .bytes = len, .iov = &v, .niov = 1
    };

    return run_now(b, &r);
}

int block_set_flush(struct block_set *set)
{
    int first = 0;

    for (guint i = 0; i < set->blocks->len; i++) {
        struct block *b = set->blocks->pdata[i];
        struct block_req r = { .op = BLOCK_FLUSH };
        int error;

        block_drain(b);
        error = block_readonly(b) || !b->node ? 0 : run_now(b, &r);
        if (!first)
            first = error;
    }
    return first;
}
