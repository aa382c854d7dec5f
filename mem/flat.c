/*
 * Flattening: from a tree of regions to sorted ranges without overlaps.
 *
 * The tree is walked with winners first; each leaf takes those parts of its place that nobody took
 * before. Positions are 128-bit, since an alias may put its target's start far below address 0.
 */
#include "internal.h"

#include <string.h>
#include <base/bug.h>

#define DEPTH_MAX 64

typedef __int128 pos;

struct flattener {
    GArray *ranges; /* of flat_range, sorted */
    unsigned depth;
};

/* Inserts [first, last] of the leaf at index i. `base` is where the leaf's offset 0 would lie. */
static void insert_piece(struct flattener *f, unsigned i, struct mem_region *r, pos base,
                         uint64_t first, uint64_t last, bool readonly)
{
    struct flat_range range = {
        .first = first,
        .last = last,
        .region = r,
        .offset = (uint64_t)(first - base),
        .ram = RAM_ADDR_NONE,
        .bells = r->bells,
        .readonly = readonly || r->readonly || r->kind == MEM_ROM || r->kind == MEM_ROM_DEVICE,
    };

    if (r->ram && (r->kind != MEM_ROM_DEVICE || r->direct)) {
        range.host = r->ram->host + range.offset;
        range.ram = r->ram->base + range.offset;
    }
    g_array_insert_val(f->ranges, i, range);
}

/* Gives the leaf what is still free of [first, last]. */
static void fill_gaps(struct flattener *f, struct mem_region *r, pos base, uint64_t first,
                      uint64_t last, bool readonly)
{
    unsigned i =
        range_at((const struct flat_range *)(void *)f->ranges->data, f->ranges->len, first);

    for (; i < f->ranges->len; i++) {
        struct flat_range taken = g_array_index(f->ranges, struct flat_range, i);

        if (taken.first > last)
            break;
        if (taken.first > first) {
            insert_piece(f, i, r, base, first, taken.first - 1, readonly);
            i++;
        }
        if (taken.last >= last)
            return;
        first = taken.last + 1;
    }
    insert_piece(f, i, r, base, first, last, readonly);
}

static void render(struct flattener *f, struct mem_region *r, pos base, pos clip_first,
                   pos clip_last, bool readonly)
{
    if (!r->enabled)
        return;
    bug_on(++f->depth > DEPTH_MAX); /* a container inside itself */
    clip_first = MAX(clip_first, base);
    clip_last = MIN(clip_last, base + region_last(r));
    if (clip_first > clip_last)
        goto out;
    for (unsigned i = 0; r->children && i < r->children->len; i++) {
        struct mem_region *sub = g_ptr_array_index(r->children, i);

        render(f, sub, base + sub->addr, clip_first, clip_last, readonly || r->readonly);
    }
    if (r->kind == MEM_ALIAS)
        render(f, r->target, base - r->target_offset, clip_first, clip_last,
               readonly || r->readonly);
    else if (r->kind != MEM_CONTAINER)
        fill_gaps(f, r, base, (uint64_t)clip_first, (uint64_t)clip_last, readonly);
out:
    f->depth--;
}

static bool continues(const struct flat_range *a, const struct flat_range *b)
{
    return a->last + 1 == b->first && a->region == b->region && a->readonly == b->readonly &&
           a->offset + (b->first - a->first) == b->offset && !a->host == !b->host;
}

struct flat_view *flat_view_new(struct mem_region *root)
{
    struct flattener f = { .ranges =
                               g_array_sized_new(FALSE, FALSE, sizeof(struct flat_range), 96) };
    struct flat_view *view = g_new0(struct flat_view, 1);
    struct flat_range *v;
    unsigned n = 0;

    render(&f, root, 0, 0, UINT64_MAX, false);
    v = (struct flat_range *)(void *)f.ranges->data;
    for (unsigned i = 0; i < f.ranges->len; i++) {
        if (n && continues(&v[n - 1], &v[i]))
            v[n - 1].last = v[i].last;
        else
            v[n++] = v[i];
    }
    for (unsigned i = 0; i < n; i++)
        bells_ref(v[i].bells);
    view->n = n;
    view->ranges = (struct flat_range *)(void *)g_array_free(f.ranges, FALSE);
    return view;
}

void flat_view_free(struct flat_view *view)
{
    for (unsigned i = 0; i < view->n; i++)
        bells_unref(view->ranges[i].bells);
    g_free(view->ranges);
    g_free(view);
}

bool flat_view_equal(const struct flat_view *a, const struct flat_view *b)
{
    if (a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++) {
        const struct flat_range *x = &a->ranges[i], *y = &b->ranges[i];

        if (x->first != y->first || x->last != y->last || x->region != y->region ||
            x->offset != y->offset || x->host != y->host || x->ram != y->ram ||
            x->readonly != y->readonly || x->bells != y->bells)
            return false;
    }
    return true;
}
