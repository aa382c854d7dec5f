/*
 * Memory that is dropped all at once: the translator's values live in one, emptied after each unit.
 * An arena belongs to one thread at a time and has no lock.
 *
 *     struct arena a;
 *     arena_init(&a, 64 * 1024);
 *     struct node *n = arena_new(&a, struct node);
 *     arena_reset(&a);
 *     arena_free(&a);
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
    uint8_t *next, *end;       /* free room of the current chunk */
    struct arena_chunk *chunk; /* current one */
    struct arena_chunk *first; /* all, in order of use */
    size_t chunk_size;
};

/* No memory is taken until the first allocation. chunk_size in bytes, > 0. */
void arena_init(struct arena *a, size_t chunk_size);
/* Keeps the chunks for the next round; pointers into the arena are dead. */
void arena_reset(struct arena *a);
/* Gives everything back; the arena can be used again. */
void arena_free(struct arena *a);
/* Bytes taken from the host. */
size_t arena_footprint(const struct arena *a);

void *arena_alloc_slow(struct arena *a, size_t size);

/* `size` bytes, aligned to 16, not zeroed. Never NULL; sizes are the caller's own, not a guest's.
 */
static inline void *arena_alloc(struct arena *a, size_t size)
{
    uint8_t *p = a->next;

    size = (size + 15) & ~(size_t)15;
    if (__builtin_expect(size > (size_t)(a->end - p), 0)) {
        return arena_alloc_slow(a, size);
    }
    a->next = p + size;
    return p;
}

/* Gives back what of the most recent allocation @p lies behind its first `size` bytes. */
static inline void arena_shrink(struct arena *a, void *p, size_t size)
{
    a->next = (uint8_t *)p + ((size + 15) & ~(size_t)15);
}

#define arena_new(a, type)          ((type *)arena_alloc((a), sizeof(type)))
#define arena_new_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

#endif
