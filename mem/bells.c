/* Bells: writes that CPUs do without the device lock; see struct mem_bells in mem/region.h. */
#include "internal.h"

static void release(void *bells)
{
    const struct mem_bells *b = bells;

    if (b->release)
        b->release(b->opaque);
}

const struct mem_bells *bells_ref(const struct mem_bells *b)
{
    return b ? g_atomic_rc_box_acquire((void *)b) : NULL;
}

void bells_unref(const struct mem_bells *b)
{
    if (b)
        g_atomic_rc_box_release_full((void *)b, release);
}

void mem_region_set_bells(struct mem_region *r, const struct mem_bells *bells)
{
    const struct mem_bells *old = r->bells;

    r->bells = bells ? g_atomic_rc_box_dup(sizeof(*bells), bells) : NULL;
    if (r->container)
        mem_changed(r->mem);
    bells_unref(old);
}

/* Which one it is; `count` for none. */
static uint64_t number(const struct mem_bells *b, uint64_t offset, uint64_t size, uint64_t value)
{
    uint64_t at = offset - b->first;

    if (b->by_value)
        return at == 0 && size == b->step ? value : b->count;
    return offset >= b->first && at % b->step == 0 && size <= b->step ? at / b->step : b->count;
}

bool bells_ring(const struct mem_bells *b, uint64_t offset, uint64_t size, uint64_t value)
{
    uint64_t n;

    if (!b || !b->ring)
        return false;
    n = number(b, offset, size, value);
    if (n >= b->count)
        return false;
    b->ring(b->opaque, (uint32_t)n);
    return true;
}
