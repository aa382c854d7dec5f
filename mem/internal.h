/* What the files of mem/ share: the machine's memory object and its helpers. */
#ifndef MEM_INTERNAL_H
#define MEM_INTERNAL_H

#include <base/loop.h>
#include <mem/space.h>

/* Reader counters are spread, so that CPUs on their slow paths do not share a cache line. */
#define READER_STRIPES 16

struct reader_stripe {
    unsigned count[2]; /* atomic; readers inside, by phase */
    char pad[56];
};

struct retired {
    void *p;
    GDestroyNotify fn;
};

struct mem {
    struct loop *loop;
    struct ram *ram;
    bool big_endian;
    bool open_bus;
    unsigned depth;    /* of mem_begin(); device lock */
    bool changed;      /* device lock */
    GPtrArray *spaces; /* of address_space; device lock */

    struct reader_stripe readers[READER_STRIPES];
    unsigned phase;  /* atomic; readers enter by its lowest bit */
    GArray *pending; /* of struct retired, since the current grace period began; device lock */
    GArray *waiting; /* of struct retired, freed when the grace period ends; device lock */
    bool flipped;    /* the grace period is in its second half; device lock */
};

/* One owner more, and one less; NULL is none. */
const struct mem_bells *bells_ref(const struct mem_bells *b);
void bells_unref(const struct mem_bells *b);
/* Rings the bell that a write at @offset of the region is; false: it is none, or not to be rung by
 * whoever writes. In a read section, or under the device lock. */
bool bells_ring(const struct mem_bells *b, uint64_t offset, uint64_t size, uint64_t value);

/* The ranges of a tree, a new view. */
struct flat_view *flat_view_new(struct mem_region *root);
void flat_view_free(struct flat_view *view);
bool flat_view_equal(const struct flat_view *a, const struct flat_view *b);

/* Index of the first of n sorted ranges that does not end before `addr`. */
static inline unsigned range_at(const struct flat_range *ranges, unsigned n, uint64_t addr)
{
    unsigned lo = 0, hi = n;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (ranges[mid].last < addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Builds and publishes the space's view if it differs. Device lock held. */
void space_update(struct address_space *as);

/* Last byte of a region, counted from its start. */
static inline uint64_t region_last(const struct mem_region *r)
{
    return r->size == MEM_SIZE_ALL ? UINT64_MAX : r->size - 1;
}

/* Notes a change of the tree. */
void mem_changed(struct mem *mem);

#endif
