/*
 * Virtio entropy device (virtio 1.2, 5.4), fed by an object (rng=) or by the machine's own entropy.
 * max-bytes per period= milliseconds limit what a guest can draw.
 */
#include <base/bits.h>
#include <base/clock.h>
#include <hw/backend/rng.h>
#include <hw/core/machine.h>
#include <hw/virtio/types.h>

#define CHUNK_MAX 4096

struct rng {
    struct virtio v;
    struct virtqueue *q;
    uint64_t quota; /* bytes left in this period */
    struct timer period_end;
    bool asked;            /* the source is asked for the bytes of one buffer */
    bool serving;          /* within rng_kick() */
    bool used;             /* buffers of which the driver has not been told */
    struct object *source; /* NULL: the machine */
    uint64_t max_bytes;
    uint32_t period; /* ms */
};

static uint64_t rng_features(const struct virtio *v)
{
    (void)v;
    return 0;
}

/* Whether a buffer waits, and how much of it can be filled now. It stays in the queue until there
 * are bytes for it, so that nothing is in flight when the state is saved. */
static bool next_len(struct rng *r, size_t *len)
{
    struct virtq_elem e;

    while (virtq_pop(r->q, &e)) {
        *len = MIN(e.in_len, MIN(r->quota, CHUNK_MAX));
        if (*len) {
            virtq_unpop(&e);
            return true;
        }
        virtq_push(&e, 0);
        r->used = true;
    }
    return false;
}

static void tell(struct rng *r)
{
    if (r->used)
        virtq_notify(r->q);
    r->used = false;
}

/* Bytes that come while the machine stands, or after a reset, are lost. */
static void arrived(void *opaque, const uint8_t *bytes, size_t len)
{
    struct rng *r = opaque;
    struct virtq_elem e;
    uint64_t done;

    r->asked = false;
    if (machine_running(r->v.dev.machine) && virtq_pop(r->q, &e)) {
        done = iov_put(virtq_in(&e), e.n_in, 0, bytes, MIN(len, r->quota));
        r->quota -= done;
        virtq_push(&e, done);
        r->used = true;
    }
    if (!r->serving) {
        tell(r);
        virtio_kick(&r->v, 0);
    }
}

static void ask(struct rng *r, size_t len)
{
    uint8_t bytes[CHUNK_MAX];

    r->asked = true;
    if (r->source) {
        rng_request(r->source, len, arrived, r);
        return;
    }
    machine_random(r->v.dev.machine, bytes, len);
    arrived(r, bytes, len);
}

static void rng_kick(struct virtqueue *q)
{
    struct rng *r = (struct rng *)q->v;
    unsigned budget = q->num;
    size_t len;

    if (!machine_running(r->v.dev.machine))
        return; /* started() comes back to it */
    r->serving = true;
    while (!r->asked && r->quota && budget && next_len(r, &len)) {
        budget--;
        ask(r, len);
    }
    r->serving = false;
    tell(r);
    if (!r->quota && !timer_pending(&r->period_end))
        timer_mod_ns(&r->period_end,
                     clock_ns(device_loop(&r->v.dev), CLK_VIRTUAL) + r->period * NS_PER_MS);
    else if (r->quota && !r->asked && !virtq_kicks_on(q))
        virtio_kick(&r->v, q->index);
}

static void started(void *opaque, bool running, enum run_state s)
{
    struct rng *r = opaque;

    (void)s;
    if (running)
        virtio_kick(&r->v, 0);
}

static void new_period(void *opaque)
{
    struct rng *r = opaque;

    r->quota = r->max_bytes;
    virtio_kick(&r->v, 0);
}

static bool rng_realize(struct virtio *v, GError **err)
{
    struct rng *r = (struct rng *)v;

    (void)err;
    r->q = virtio_add_queue(v, 8, rng_kick);
    r->quota = r->max_bytes;
    timer_init(&r->period_end, device_loop(&v->dev), CLK_VIRTUAL, new_period, r);
    machine_on_run_state(v->dev.machine, started, r);
    return true;
}

static void forget_request(struct rng *r)
{
    if (r->asked && r->source)
        rng_cancel(r->source, r);
    r->asked = false;
}

static void rng_unrealize(struct virtio *v)
{
    struct rng *r = (struct rng *)v;

    forget_request(r);
    machine_off_run_state(v->dev.machine, started, r);
    timer_del(&r->period_end);
}

static void rng_reset(struct virtio *v)
{
    struct rng *r = (struct rng *)v;

    forget_request(r);
    r->quota = r->max_bytes;
    timer_del(&r->period_end);
}

static const struct virtio_class rng_class = {
    .name = "virtio-rng",
    .id = VIRTIO_ID_RNG,
    .features = rng_features,
    .realize = rng_realize,
    .unrealize = rng_unrealize,
    .reset = rng_reset,
    .vectors = 2,
};

static const struct state_field rng_fields[] = { VIRTIO_STATE(struct rng),
                                                 STATE_U64(struct rng, quota),
                                                 STATE_TIMER(struct rng, period_end), STATE_END };
static const struct state_table rng_state = { .name = "virtio-rng",
                                              .version = 1,
                                              .fields = rng_fields };

#define RNG_PROPS                                                                               \
    PROP_OBJECT(struct rng, source, "rng", "where the bytes come from", RNG_BACKEND),           \
        PROP_U64(struct rng, max_bytes, "max-bytes", INT64_MAX, "bytes in a period", .min = 1), \
        PROP_U32(struct rng, period, "period", 65536, "milliseconds of a period", .min = 1)

VIRTIO_DEVICE_TYPES(rng, struct rng, "virtio-rng", rng_class, VIRTIO_ID_RNG, 0x00, 0xff, RNG_PROPS,
                    rng_state, "random numbers", "misc")
