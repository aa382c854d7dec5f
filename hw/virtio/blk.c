/* Virtio block device (virtio 1.2, 5.2). */
#include <errno.h>
#include <string.h>
#include <base/bits.h>
#include <base/error.h>
#include <block/block.h>
#include <hw/backend/iothread.h>
#include <hw/virtio/types.h>

enum { /* 5.2.3 */
       F_SEG_MAX = 2,
       F_GEOMETRY = 4,
       F_RO = 5,
       F_BLK_SIZE = 6,
       F_FLUSH = 9,
       F_TOPOLOGY = 10,
       F_CONFIG_WCE = 11,
       F_MQ = 12,
       F_DISCARD = 13,
       F_WRITE_ZEROES = 14,
};

enum { /* 5.2.4: offsets in the configuration */
       C_CAPACITY = 0,
       C_SEG_MAX = 12,
       C_CYLINDERS = 16,
       C_HEADS = 18,
       C_SECTORS = 19,
       C_BLK_SIZE = 20,
       C_PHYSICAL_EXP = 24,
       C_MIN_IO = 26,
       C_OPT_IO = 28,
       C_WRITEBACK = 32,
       C_NUM_QUEUES = 34,
       C_DISCARD_MAX = 36,
       C_DISCARD_SEGS = 40,
       C_DISCARD_ALIGN = 44,
       C_ZEROES_MAX = 48,
       C_ZEROES_SEGS = 52,
       C_ZEROES_UNMAP = 56,
       C_LEN = 60,
};

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

#define HEADER_LEN 16
#define RANGE_LEN  16
#define ID_LEN     20
#define UNMAP_FLAG 1

struct blk;

struct request {
    struct virtq_elem e;
    struct block_req r;
    struct blk *blk;
    struct iovec *own_iov; /* where header or status share a piece with data */
    uint64_t data_in;      /* bytes the driver gets besides the status */
    struct request *next;  /* free, or waiting to be tried again */
};

/* A request that waited when the state was saved. */
struct parked {
    uint16_t queue, slot;
};

struct blk {
    struct virtio v;
    struct block *drive;
    struct request *spare;
    struct request *retry; /* failed, to be tried again when the machine goes on */
    GArray *parked;        /* of struct parked: loaded and not yet taken up */
    unsigned inflight;
    bool writeback;

    char *serial;
    uint16_t num_queues, queue_size;
    uint32_t logical_block, physical_block, min_io, opt_io;
    uint32_t max_discard, max_zeroes;
    uint16_t cyls;
    uint8_t heads, secs;
    bool discard, write_zeroes, config_wce, image_writeback;
    int werror, rerror, write_cache;
};

static struct blk *blk_of(struct virtio *v)
{
    return (struct blk *)v;
}

static uint64_t blk_features(const struct virtio *v)
{
    const struct blk *b = (const struct blk *)v;

    return BIT(F_SEG_MAX) | BIT(F_GEOMETRY) | BIT(F_BLK_SIZE) | BIT(F_FLUSH) | BIT(F_TOPOLOGY) |
           (b->num_queues > 1 ? BIT(F_MQ) : 0) | (block_readonly(b->drive) ? BIT(F_RO) : 0) |
           (b->config_wce ? BIT(F_CONFIG_WCE) : 0) | (b->discard ? BIT(F_DISCARD) : 0) |
           (b->write_zeroes ? BIT(F_WRITE_ZEROES) : 0);
}

/* ---- ends of requests ---- */

static void recycle(struct blk *b, struct request *q)
{
    g_free(q->own_iov);
    q->next = b->spare;
    b->spare = q;
}

static void complete(struct request *q, uint8_t status)
{
    struct virtqueue *vq = q->e.q;
    uint64_t written = status == S_OK ? q->data_in + 1 : 1;

    iov_put(virtq_in(&q->e), q->e.n_in, q->e.in_len - 1, &status, 1);
    /* bytes count from the front (2.7.8.2): with a failed read nothing there is sure */
    virtq_push(&q->e, status == S_OK || !q->data_in ? written : 0);
    virtq_notify(vq);
    recycle(q->blk, q);
}

static bool is_write(enum block_op op)
{
    return op != BLOCK_READ;
}

static enum block_policy policy_of(const struct blk *b, enum block_op op)
{
    int own = is_write(op) ? b->werror : b->rerror;

    return own == BLOCK_AUTO ? block_policy(b->drive, is_write(op)) : (enum block_policy)own;
}

static void io_done(struct block_req *r, int error)
{
    struct request *q = r->opaque;
    struct blk *b = q->blk;
    enum block_policy p = policy_of(b, r->op);

    b->inflight--;
    if (error && (p == BLOCK_STOP || (p == BLOCK_ENOSPC && error == ENOSPC))) {
        q->next = b->retry;
        b->retry = q;
        machine_request_stop(b->v.dev.machine, RUN_IO_ERROR);
        return;
    }
    complete(q, error && p != BLOCK_IGNORE ? S_IOERR : S_OK);
}

static void submit(struct request *q)
{
    q->r.done = io_done;
    q->r.opaque = q;
    q->blk->inflight++;
    block_submit(q->blk->drive, &q->r);
}

/* ---- kinds of requests ---- */

/* `n` bytes after `skip` of some pieces; the usual case needs no copy. */
static const struct iovec *slice(struct request *q, const struct iovec *iov, unsigned n,
                                 size_t skip, size_t bytes, unsigned *count)
{
    unsigned first = 0, k = 0;
    size_t sum = 0;

    while (first < n && skip >= iov[first].iov_len)
        skip -= iov[first++].iov_len;
    if (!skip) {
        for (k = first; k < n && sum < bytes; k++)
            sum += iov[k].iov_len;
        *count = k - first;
        if (sum == bytes)
            return iov + first;
    }
    q->own_iov = g_new(struct iovec, n);
    for (k = 0; first < n && bytes; first++, skip = 0) {
        size_t here = MIN(iov[first].iov_len - skip, bytes);

        q->own_iov[k++] = (struct iovec){ (char *)iov[first].iov_base + skip, here };
        bytes -= here;
    }
    *count = k;
    return q->own_iov;
}

static bool in_disk(const struct blk *b, uint64_t sector, uint64_t bytes)
{
    uint64_t size = block_size(b->drive);

    return sector <= size / BLOCK_SECTOR && bytes <= size - sector * BLOCK_SECTOR &&
           bytes % b->logical_block == 0 && sector % (b->logical_block / BLOCK_SECTOR) == 0;
}

static void start_rw(struct request *q, uint64_t sector, bool write)
{
    struct virtq_elem *e = &q->e;
    uint64_t bytes = write ? e->out_len - HEADER_LEN : e->in_len - 1;

    if (!bytes || !in_disk(q->blk, sector, bytes)) {
        complete(q, S_IOERR);
        return;
    }
    q->r.op = write ? BLOCK_WRITE : BLOCK_READ;
    q->r.offset = sector * BLOCK_SECTOR;
    q->r.bytes = bytes;
    q->r.iov = write ? slice(q, virtq_out(e), e->n_out, HEADER_LEN, bytes, &q->r.niov)
                     : slice(q, virtq_in(e), e->n_in, 0, bytes, &q->r.niov);
    q->data_in = write ? 0 : bytes;
    submit(q);
}

/* 5.2.6: one range a request, as the configuration says. */
static void start_range(struct request *q, bool zeroes)
{
    struct blk *b = q->blk;
    uint8_t range[RANGE_LEN];
    uint64_t sector;
    uint32_t count, flags, max = zeroes ? b->max_zeroes : b->max_discard;

    if (iov_get(virtq_out(&q->e), q->e.n_out, HEADER_LEN, range, sizeof(range)) != sizeof(range) ||
        q->e.out_len != HEADER_LEN + RANGE_LEN) {
        complete(q, S_IOERR);
        return;
    }
    sector = ldq_le(range);
    count = ldl_le(range + 8);
    flags = ldl_le(range + 12);
    if (flags & ~(zeroes ? UNMAP_FLAG : 0u)) {
        complete(q, S_UNSUPP);
        return;
    }
    if (count > max || !in_disk(b, sector, (uint64_t)count * BLOCK_SECTOR)) {
        complete(q, S_IOERR);
        return;
    }
    q->r.op = zeroes ? BLOCK_WRITE_ZEROES : BLOCK_DISCARD;
    q->r.offset = sector * BLOCK_SECTOR;
    q->r.bytes = (uint64_t)count * BLOCK_SECTOR;
    q->r.flags = flags & UNMAP_FLAG ? BLOCK_UNMAP : 0;
    submit(q);
}

static void get_id(struct request *q)
{
    char id[ID_LEN] = { 0 };

    if (q->blk->serial)
        memcpy(id, q->blk->serial, MIN(strlen(q->blk->serial), sizeof(id)));
    q->data_in = iov_put(virtq_in(&q->e), q->e.n_in, 0, id, MIN(sizeof(id), q->e.in_len - 1));
    complete(q, S_OK);
}

static void start(struct request *q)
{
    struct blk *b = q->blk;
    uint8_t header[HEADER_LEN];
    uint64_t sector;
    bool ro = block_readonly(b->drive);

    q->own_iov = NULL;
    q->data_in = 0;
    memset(&q->r, 0, sizeof(q->r));
    if (!q->e.in_len || iov_get(virtq_out(&q->e), q->e.n_out, 0, header, HEADER_LEN) < HEADER_LEN) {
        virtio_broken(&b->v, "a request without header or room for its status");
        virtq_drop(&q->e);
        recycle(b, q);
        return;
    }
    sector = ldq_le(header + 8);
    switch (ldl_le(header)) {
    case T_IN: start_rw(q, sector, false); break;
    case T_OUT:
        if (ro)
            complete(q, S_IOERR);
        else
            start_rw(q, sector, true);
        break;
    case T_FLUSH:
        q->r.op = BLOCK_FLUSH;
        submit(q);
        break;
    case T_GET_ID: get_id(q); break;
    case T_DISCARD:
        if (!virtio_has(&b->v, F_DISCARD) || ro)
            complete(q, S_UNSUPP);
        else
            start_range(q, false);
        break;
    case T_WRITE_ZEROES:
        if (!virtio_has(&b->v, F_WRITE_ZEROES) || ro)
            complete(q, S_UNSUPP);
        else
            start_range(q, true);
        break;
    default: complete(q, S_UNSUPP); break;
    }
}

/* ---- queues ---- */

static struct request *request_new(struct blk *b)
{
    struct request *q = b->spare;

    if (q)
        b->spare = q->next;
    else
        q = g_new(struct request, 1);
    q->blk = b;
    q->own_iov = NULL;
    return q;
}

static void take_requests(struct blk *b, struct virtqueue *vq)
{
    unsigned budget = 2 * vq->num;

    do {
        virtq_kicks_off(vq);
        while (budget) {
            struct request *q = request_new(b);

            if (!virtq_pop(vq, &q->e)) {
                recycle(b, q);
                break;
            }
            budget--;
            start(q);
        }
        /* others in the main loop want their turn */
        if (!budget) {
            virtio_kick(&b->v, vq->index);
            return;
        }
    } while (!virtq_kicks_on(vq));
}

static void blk_kick(struct virtqueue *vq)
{
    struct blk *b = blk_of(vq->v);

    block_plug(b->drive);
    take_requests(b, vq);
    block_unplug(b->drive);
}

static void forget_retries(struct blk *b)
{
    while (b->retry) {
        struct request *q = b->retry;

        b->retry = q->next;
        virtq_drop(&q->e);
        recycle(b, q);
    }
    g_array_set_size(b->parked, 0);
}

static void set_writeback(struct blk *b, bool on)
{
    b->writeback = on;
    block_set_writeback(b->drive, on);
    b->v.config[C_WRITEBACK] = on;
}

static void blk_reset(struct virtio *v)
{
    struct blk *b = blk_of(v);

    block_drain(b->drive);
    forget_retries(b);
    set_writeback(b, b->image_writeback);
}

/* Requests that wait for another try belong to any queue: all of this one's go. */
static void blk_queue_reset(struct virtio *v, struct virtqueue *vq)
{
    struct blk *b = blk_of(v);
    struct request **at = &b->retry;

    block_drain(b->drive);
    while (*at) {
        struct request *q = *at;

        if (q->e.q != vq) {
            at = &q->next;
            continue;
        }
        *at = q->next;
        virtq_drop(&q->e);
        recycle(b, q);
    }
}

static void take_parked(struct blk *b)
{
    for (guint i = 0; i < b->parked->len; i++) {
        struct parked p = g_array_index(b->parked, struct parked, i);
        struct request *q = request_new(b);

        if (virtq_restore(&b->v.queues[p.queue], &q->e, p.slot))
            start(q);
        else
            recycle(b, q);
    }
    g_array_set_size(b->parked, 0);
}

static void try_again(struct blk *b)
{
    struct request *list = b->retry;

    b->retry = NULL;
    while (list) {
        struct request *q = list;

        list = q->next;
        submit(q);
    }
}

/* Nothing is under way, so that the state is whole. */
static void blk_stopped(struct virtio *v)
{
    block_drain(blk_of(v)->drive);
}

/* What failed is tried again. */
static void blk_resumed(struct virtio *v)
{
    try_again(blk_of(v));
    take_parked(blk_of(v));
}

/* ---- configuration ---- */

static void fill_config(struct blk *b)
{
    uint8_t *c = b->v.config;
    uint64_t sectors = block_size(b->drive) / BLOCK_SECTOR;
    uint8_t heads = b->heads ? b->heads : 16, secs = b->secs ? b->secs : 63;

    stq_le(c + C_CAPACITY, sectors);
    stl_le(c + C_SEG_MAX, b->queue_size - 2u);
    stw_le(c + C_CYLINDERS, b->cyls ? b->cyls : (uint16_t)MIN(sectors / heads / secs, 16383));
    c[C_HEADS] = heads;
    c[C_SECTORS] = secs;
    stl_le(c + C_BLK_SIZE, b->logical_block);
    c[C_PHYSICAL_EXP] = (uint8_t)ctz32(b->physical_block / b->logical_block);
    stw_le(c + C_MIN_IO, (uint16_t)(b->min_io / b->logical_block));
    stl_le(c + C_OPT_IO, b->opt_io / b->logical_block);
    c[C_WRITEBACK] = b->writeback;
    stw_le(c + C_NUM_QUEUES, b->num_queues);
    stl_le(c + C_DISCARD_MAX, b->max_discard);
    stl_le(c + C_DISCARD_SEGS, 1);
    stl_le(c + C_DISCARD_ALIGN, b->logical_block / BLOCK_SECTOR);
    stl_le(c + C_ZEROES_MAX, b->max_zeroes);
    stl_le(c + C_ZEROES_SEGS, 1);
    c[C_ZEROES_UNMAP] = 1;
    b->v.config_len = C_LEN;
}

static void blk_set_config(struct virtio *v, unsigned offset, unsigned size, uint32_t value)
{
    if (offset == C_WRITEBACK && size == 1 && virtio_has(v, F_CONFIG_WCE))
        set_writeback(blk_of(v), value & 1);
}

/* 5.2.6.2: a driver that knows of no cache must not have one. */
static void blk_start(struct virtio *v)
{
    if (!virtio_has(v, F_FLUSH) && !virtio_has(v, F_CONFIG_WCE))
        set_writeback(blk_of(v), false);
}

static bool check_sizes(struct blk *b, GError **err)
{
    const char *name = b->v.dev.type->name;

    if (!is_pow2(b->logical_block) || b->logical_block < 512 || b->logical_block > 2 << 20)
        return error_set(err, "%s.logical_block_size: %u is not a power of two from 512 to 2M",
                         name, b->logical_block);
    if (!is_pow2(b->physical_block) || b->physical_block < b->logical_block ||
        b->physical_block > 2 << 20)
        return error_set(err,
                         "%s.physical_block_size: %u is not a power of two from "
                         "logical_block_size to 2M",
                         name, b->physical_block);
    if (!is_pow2(b->queue_size) || b->queue_size < 4)
        return error_set(err, "%s.queue-size: %u is not a power of two from 4 to %u", name,
                         b->queue_size, VIRTQ_SIZE_MAX);
    return true;
}

static bool blk_realize(struct virtio *v, GError **err)
{
    struct blk *b = blk_of(v);

    if (!b->drive)
        return error_set(err, "%s: drive= is missing", v->dev.type->name);
    if (b->physical_block < b->logical_block)
        b->physical_block = b->logical_block;
    if (!check_sizes(b, err) || !block_attach(b->drive, v->dev.path, err))
        return false;
    block_set_io(b->drive, v->io);
    b->parked = g_array_new(FALSE, FALSE, sizeof(struct parked));
    if (b->write_cache != AUTO)
        block_set_writeback(b->drive, b->write_cache == ON);
    b->image_writeback = b->writeback = block_writeback(b->drive);
    for (unsigned i = 0; i < b->num_queues; i++)
        virtio_add_queue(v, b->queue_size, blk_kick);
    fill_config(b);
    return true;
}

static void blk_unrealize(struct virtio *v)
{
    struct blk *b = blk_of(v);

    block_set_writeback(b->drive, b->image_writeback);
    block_detach(b->drive);
    while (b->spare) {
        struct request *q = b->spare;

        b->spare = q->next;
        g_free(q);
    }
    g_array_free(b->parked, TRUE);
}

static const struct virtio_class blk_class = {
    .name = "virtio-blk",
    .id = VIRTIO_ID_BLOCK,
    .features = blk_features,
    .realize = blk_realize,
    .unrealize = blk_unrealize,
    .reset = blk_reset,
    .queue_reset = blk_queue_reset,
    .start = blk_start,
    .set_config = blk_set_config,
    .vectors = 2,
    .prompt = true,
    .holds_still = true,
    .stopped = blk_stopped,
    .resumed = blk_resumed,
};

/* ---- saved state: requests that wait, by where their rings have them ---- */

static void parked_save(const void *field, struct state_writer *w)
{
    const struct blk *b = container_of(field, struct blk, retry);
    uint32_t n = b->parked->len;

    for (const struct request *q = b->retry; q; q = q->next)
        n++;
    state_put_u32(w, n);
    for (const struct request *q = b->retry; q; q = q->next)
        state_put_u32(w, q->e.q->index << 16 | q->e.slot);
    for (guint i = 0; i < b->parked->len; i++) {
        struct parked p = g_array_index(b->parked, struct parked, i);

        state_put_u32(w, (uint32_t)p.queue << 16 | p.slot);
    }
}

static bool parked_load(void *field, struct state_reader *r, GError **err)
{
    struct blk *b = container_of(field, struct blk, retry);
    uint32_t n, place;

    forget_retries(b);
    if (!state_get_u32(r, &n, err))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct parked p;

        if (!state_get_u32(r, &place, err))
            return false;
        p = (struct parked){ (uint16_t)(place >> 16), (uint16_t)place };
        if (p.queue >= b->v.n_queues || p.slot >= VIRTQ_SIZE_MAX || n > VIRTQ_SIZE_MAX * 64u)
            return error_set(err, "saved state: virtio-blk: a request at %u of queue %u", p.slot,
                             p.queue);
        g_array_append_val(b->parked, p);
    }
    return true;
}

static const struct state_custom parked_state = { parked_save, parked_load };

static bool blk_loaded(void *obj, unsigned version, GError **err)
{
    struct blk *b = obj;

    (void)version, (void)err;
    set_writeback(b, b->writeback);
    return true;
}

static const struct state_field blk_fields[] = { VIRTIO_STATE(struct blk),
                                                 STATE_BOOL(struct blk, writeback),
                                                 STATE_CUSTOM(struct blk, retry, parked_state),
                                                 STATE_END };
static const struct state_table blk_state = {
    .name = "virtio-blk", .version = 1, .fields = blk_fields, .post_load = blk_loaded
};

static const char *const policies[] = { "report", "ignore", "stop", "enospc", "auto", NULL };

#define BLK_PROPS                                                                                 \
    PROP_DRIVE(struct blk, drive, "drive", "id of -drive or node name of -blockdev"),             \
        PROP_OBJECT(struct blk, v.iothread, "iothread", "where requests are done", IOTHREAD),     \
        PROP_STR(struct blk, serial, "serial", NULL, "serial number, up to 20 characters"),       \
        PROP_U16(struct blk, num_queues, "num-queues", 1, "request queues", .min = 1, .max = 32), \
        PROP_U16(struct blk, queue_size, "queue-size", 256, "entries of a queue",                 \
                 .max = VIRTQ_SIZE_MAX),                                                          \
        PROP_U32(struct blk, logical_block, "logical_block_size", 512, "bytes"),                  \
        PROP_U32(struct blk, physical_block, "physical_block_size", 512, "bytes"),                \
        PROP_U32(struct blk, min_io, "min_io_size", 0, "bytes"),                                  \
        PROP_U32(struct blk, opt_io, "opt_io_size", 0, "bytes"),                                  \
        PROP_BOOL(struct blk, discard, "discard", true, "the guest may discard"),                 \
        PROP_BOOL(struct blk, write_zeroes, "write-zeroes", true, "the guest may write zeroes"),  \
        PROP_U32(struct blk, max_discard, "max-discard-sectors", 0x3fffff, "of one request"),     \
        PROP_U32(struct blk, max_zeroes, "max-write-zeroes-sectors", 0x3fffff, "of one request"), \
        PROP_BOOL(struct blk, config_wce, "config-wce", true,                                     \
                  "the guest may switch the write cache"),                                        \
        PROP_ONOFFAUTO(struct blk, write_cache, "write-cache", AUTO,                              \
                       "tell the guest of a cache; auto: by the drive's cache="),                 \
        PROP_U16(struct blk, cyls, "cyls", 0, "of the geometry; 0: by size"),                     \
        PROP_U8(struct blk, heads, "heads", 0, "of the geometry; 0: by size"),                    \
        PROP_U8(struct blk, secs, "secs", 0, "of the geometry; 0: by size"),                      \
        PROP_ENUM(struct blk, werror, "werror", BLOCK_AUTO, "on failed writes", policies),        \
        PROP_ENUM(struct blk, rerror, "rerror", BLOCK_AUTO, "on failed reads", policies)

VIRTIO_DEVICE_TYPES(blk, struct blk, "virtio-blk", blk_class, VIRTIO_ID_BLOCK, 0x01, 0x00,
                    BLK_PROPS, blk_state, "disk", "storage")
