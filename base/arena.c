/* Bump allocation in a list of chunks that are kept over a reset. */
#include <base/arena.h>

#include <glib.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    _Alignas(16) uint8_t data[];
};

void arena_init(struct arena *a, size_t chunk_size)
{
    *a = (struct arena){ .chunk_size = chunk_size };
}

static void use_chunk(struct arena *a, struct arena_chunk *c)
{
    a->chunk = c;
    a->next = c ? c->data : NULL;
    a->end = c ? c->data + c->size : NULL;
}

void *arena_alloc_slow(struct arena *a, size_t size)
{
    struct arena_chunk **link = a->chunk ? &a->chunk->next : &a->first;
    struct arena_chunk *c = *link;

    /* A kept chunk that is too small for this one stays behind the new one, for later. */
    if (!c || c->size < size) {
        size_t room = MAX(a->chunk_size, size);

        c = g_malloc(sizeof(*c) + room);
        c->size = room;
        c->next = *link;
        *link = c;
    }
    use_chunk(a, c);
    a->next += size;
    return c->data;
}

void arena_reset(struct arena *a)
{
    use_chunk(a, a->first);
}

void arena_free(struct arena *a)
{
    for (struct arena_chunk *c = a->first, *next; c; c = next) {
        next = c->next;
        g_free(c);
    }
    arena_init(a, a->chunk_size);
}

size_t arena_footprint(const struct arena *a)
{
    size_t n = 0;

    for (const struct arena_chunk *c = a->first; c; c = c->next) {
        n += c->size;
    }
    return n;
}
