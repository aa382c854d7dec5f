/*
 * A machine's memory object: transactions of topology changes, and read sections.
 *
 * Read sections are two counters chosen by a phase bit. What was retired is freed after the phase
 * was flipped twice, each time once the counter that no longer gets readers had drained: a reader
 * that had read the old phase but not yet counted itself is then caught by one of the two. Nobody
 * ever waits; the state machine is pushed on with each change of topology.
 */
#include "internal.h"

#include <base/bug.h>

struct mem *mem_new(struct loop *loop)
{
    struct mem *mem = g_new0(struct mem, 1);

    mem->loop = loop;
    mem->ram = ram_new();
    mem->spaces = g_ptr_array_new();
    mem->pending = g_array_new(FALSE, FALSE, sizeof(struct retired));
    mem->waiting = g_array_new(FALSE, FALSE, sizeof(struct retired));
    return mem;
}

static void free_retired(GArray *a)
{
    for (unsigned i = 0; i < a->len; i++) {
        struct retired *r = &g_array_index(a, struct retired, i);

        r->fn(r->p);
    }
    g_array_set_size(a, 0);
}

void mem_free(struct mem *mem)
{
    bug_on(mem->spaces->len);
    free_retired(mem->waiting);
    free_retired(mem->pending);
    g_array_free(mem->waiting, TRUE);
    g_array_free(mem->pending, TRUE);
    g_ptr_array_free(mem->spaces, TRUE);
    ram_free(mem->ram);
    g_free(mem);
}

struct ram *mem_ram(struct mem *mem)
{
    return mem->ram;
}

struct loop *mem_loop(struct mem *mem)
{
    return mem->loop;
}

void mem_set_big_endian(struct mem *mem, bool big)
{
    mem->big_endian = big;
}

void mem_publish(struct mem *mem)
{
    if (!mem->changed)
        return;
    mem->changed = false;
    for (unsigned i = 0; i < mem->spaces->len; i++)
        space_update(g_ptr_array_index(mem->spaces, i));
}

void mem_set_open_bus(struct mem *mem)
{
    mem->open_bus = true;
}

void mem_begin(struct mem *mem)
{
    mem->depth++;
}

void mem_end(struct mem *mem)
{
    bug_on(!mem->depth);
    if (!--mem->depth)
        mem_publish(mem);
}

void mem_changed(struct mem *mem)
{
    mem_begin(mem);
    mem->changed = true;
    mem_end(mem);
}

/* Threads get stripes in turn; which one does not matter, only that it spreads. */
static unsigned my_stripe(void)
{
    static unsigned next;
    static __thread unsigned mine;

    if (!mine)
        mine = 1 + __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % READER_STRIPES;
    return mine - 1;
}

unsigned mem_read_begin(struct mem *mem)
{
    unsigned stripe = my_stripe();
    unsigned phase = __atomic_load_n(&mem->phase, __ATOMIC_SEQ_CST) & 1;

    __atomic_fetch_add(&mem->readers[stripe].count[phase], 1, __ATOMIC_SEQ_CST);
    return stripe << 1 | phase;
}

void mem_read_end(struct mem *mem, unsigned cookie)
{
    __atomic_fetch_sub(&mem->readers[cookie >> 1].count[cookie & 1], 1, __ATOMIC_RELEASE);
}

static bool drained(struct mem *mem, unsigned phase)
{
    for (unsigned i = 0; i < READER_STRIPES; i++)
        if (__atomic_load_n(&mem->readers[i].count[phase], __ATOMIC_SEQ_CST))
            return false;
    return true;
}

static void reclaim(struct mem *mem)
{
    for (;;) {
        if (!mem->waiting->len) {
            GArray *t = mem->waiting;

            if (!mem->pending->len)
                return;
            mem->waiting = mem->pending;
            mem->pending = t;
            mem->flipped = false;
        }
        if (!drained(mem, ~mem->phase & 1))
            return;
        if (!mem->flipped) {
            __atomic_fetch_add(&mem->phase, 1, __ATOMIC_SEQ_CST);
            mem->flipped = true;
        } else {
            GArray *done = mem->waiting;

            /* A destructor may retire more. */
            mem->waiting = g_array_new(FALSE, FALSE, sizeof(struct retired));
            free_retired(done);
            g_array_free(done, TRUE);
        }
    }
}

void mem_retire(struct mem *mem, void *p, GDestroyNotify fn)
{
    struct retired r = { p, fn };

    g_array_append_val(mem->pending, r);
    reclaim(mem);
}
