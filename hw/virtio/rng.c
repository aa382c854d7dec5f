/*
 * Virtio entropy device (virtio 1.2, 5.4). max-bytes per period= milliseconds limit what a guest
 * can draw.
 */
#include <base/bits.h>
#include <base/clock.h>
#include <hw/virtio/types.h>

#define CHUNK_MAX 65536

struct rng {
    struct virtio v;
    struct virtqueue *q;
    uint64_t quota; /* bytes left in this period */
    struct timer period_end;
    uint64_t max_bytes;
    uint32_t period; /* ms */
};

static uint64_t rng_features(const struct virtio *v)
{
    (void)v;
    return 0;
}

static uint64_t fill(struct rng *r, const struct virtq_elem *e)
{
    uint64_t left = MIN(e->in_len, MIN(r->quota, CHUNK_MAX)), done = 0;

    for (unsigned i = 0; i < e->n_in && done < left; i++) {
        size_t here = MIN(virtq_in(e)[i].iov_len, left - done);

        machine_random(r->v.dev.machine, virtq_in(e)[i].iov_base, here);
        done += here;
    }
    r->quota -= done;
    return done;
}

static void rng_kick(struct virtqueue *q)
{
    struct rng *r = (struct rng *)q->v;
    unsigned budget = q->num;
    struct virtq_elem e;

    while (r->quota && budget && virtq_pop(q, &e)) {
        budget--;
        virtq_push(&e, fill(r, &e));
    }
    virtq_notify(q);
    if (!r->quota && !timer_pending(&r->period_end))
        timer_mod_ns(&r->period_end,
                     clock_ns(device_loop(&r->v.dev), CLK_VIRTUAL) + r->period * NS_PER_MS);
    else if (r->quota && !virtq_kicks_on(q))
        virtio_kick(&r->v, q->index);
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
    return true;
}

static void rng_unrealize(struct virtio *v)
{
    timer_del(&((struct rng *)v)->period_end);
}

static void rng_reset(struct virtio *v)
{
    struct rng *r = (struct rng *)v;

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

#define RNG_PROPS                                                                           \
    PROP_U64(struct rng, max_bytes, "max-bytes", INT64_MAX, "bytes in a period", .min = 1), \
        PROP_U32(struct rng, period, "period", 65536, "milliseconds of a period", .min = 1)

VIRTIO_DEVICE_TYPES(rng, struct rng, "virtio-rng", rng_class, VIRTIO_ID_RNG, 0x00, 0xff, RNG_PROPS,
                    rng_state, "random numbers", "misc")
