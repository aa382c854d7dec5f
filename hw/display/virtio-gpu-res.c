/* Resources of the virtio GPU: their pixels, the guest memory behind them, formats. */
#include "virtio-gpu.h"

#include <string.h>
#include <base/bits.h>
#include <base/error.h>

/* 5.7.6.8: where the colours are, by byte; -1: not there. */
struct format {
    uint32_t id;
    int8_t r, g, b, a;
};
static const struct format formats[] = {
    { 1, 2, 1, 0, 3 },    /* B8G8R8A8 */
    { 2, 2, 1, 0, -1 },   /* B8G8R8X8 */
    { 3, 1, 2, 3, 0 },    /* A8R8G8B8 */
    { 4, 1, 2, 3, -1 },   /* X8R8G8B8 */
    { 67, 0, 1, 2, 3 },   /* R8G8B8A8 */
    { 68, 3, 2, 1, -1 },  /* X8B8G8R8 */
    { 121, 3, 2, 1, 0 },  /* A8B8G8R8 */
    { 134, 0, 1, 2, -1 }, /* R8G8B8X8 */
};

static const struct format *find_format(uint32_t id)
{
    for (unsigned i = 0; i < ARRAY_LEN(formats); i++)
        if (formats[i].id == id)
            return &formats[i];
    return NULL;
}

bool gpu_format_known(uint32_t format)
{
    return find_format(format);
}

struct gpu_resource *gpu_resource(struct gpu *g, uint32_t id)
{
    return g_hash_table_lookup(g->resources, GUINT_TO_POINTER(id));
}

static uint64_t bytes_of(const struct gpu_resource *r)
{
    return r->blob ? 0 : 4 * (uint64_t)r->width * r->height;
}

enum gpu_type gpu_resource_add(struct gpu *g, const struct gpu_resource *like)
{
    uint64_t bytes = bytes_of(like);
    struct gpu_resource *r;

    if (!like->id || gpu_resource(g, like->id))
        return GPU_ERR_RESOURCE;
    if (!like->blob && (!like->width || !like->height || like->width > GPU_SIDE_MAX ||
                        like->height > GPU_SIDE_MAX || !find_format(like->format)))
        return GPU_ERR_PARAMETER;
    if (bytes > g->max_hostmem - MIN(g->host_bytes, g->max_hostmem) ||
        g_hash_table_size(g->resources) >= GPU_RESOURCES_MAX)
        return GPU_ERR_MEMORY;
    r = g_memdup2(like, sizeof(*like));
    if (!r->blob) {
        r->pixels = g_try_malloc0(bytes);
        if (!r->pixels) {
            g_free(r);
            return GPU_ERR_MEMORY;
        }
    }
    g->host_bytes += bytes;
    g_hash_table_insert(g->resources, GUINT_TO_POINTER(r->id), r);
    return GPU_OK;
}

void gpu_resource_remove(struct gpu *g, uint32_t id)
{
    struct gpu_resource *r = gpu_resource(g, id);

    if (!r)
        return;
    g->host_bytes -= bytes_of(r);
    g_hash_table_remove(g->resources, GUINT_TO_POINTER(id));
    g_free(r->pixels);
    g_free(r->entries);
    g_free(r);
}

/* ---- the memory behind ---- */

uint64_t gpu_backing_size(const struct gpu_resource *r)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < r->n_entries; i++)
        sum += r->entries[i].len;
    return sum;
}

void gpu_backing_read(struct gpu *g, const struct gpu_resource *r, uint64_t offset, void *buf,
                      size_t len)
{
    uint8_t *to = buf;

    for (uint32_t i = 0; i < r->n_entries && len; i++) {
        const struct gpu_entry *e = &r->entries[i];
        size_t n;

        if (offset >= e->len) {
            offset -= e->len;
            continue;
        }
        n = MIN(len, e->len - offset);
        space_read(g->v.as, e->addr + offset, to, n, g->v.attrs);
        to += n;
        len -= n;
        offset = 0;
    }
    memset(to, 0, len);
}

/* ---- pixels ---- */

static void convert(const struct format *f, uint32_t *px, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *b = (const uint8_t *)&px[i];
        uint32_t a = f->a < 0 ? 0xff : b[f->a];

        px[i] = a << 24 | (uint32_t)b[f->r] << 16 | (uint32_t)b[f->g] << 8 | b[f->b];
    }
}

void gpu_row(struct gpu *g, const struct gpu_resource *r, const struct gpu_layout *l, uint32_t x,
             uint32_t y, uint32_t n, uint32_t *out)
{
    uint64_t at = l->offset + (uint64_t)y * l->stride + 4 * (uint64_t)x;
    const struct format *f = find_format(l->format);

    if (r->blob)
        gpu_backing_read(g, r, at, out, 4 * (size_t)n);
    else
        memcpy(out, (const uint8_t *)r->pixels + at, 4 * (size_t)n);
    convert(f, out, n);
}

/* ---- saved state: all of them, with their pixels ---- */

static void save(const void *field, struct state_writer *w)
{
    GHashTable *const *table = field;
    GHashTableIter it;
    gpointer value;

    state_put_u32(w, g_hash_table_size(*table));
    g_hash_table_iter_init(&it, *table);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        const struct gpu_resource *r = value;

        state_put_u32(w, r->id);
        state_put_u32(w, r->format);
        state_put_u32(w, r->width);
        state_put_u32(w, r->height);
        state_put_u32(w, r->blob);
        state_put_u64(w, r->blob_size);
        state_put_u32(w, r->n_entries);
        for (uint32_t i = 0; i < r->n_entries; i++) {
            state_put_u64(w, r->entries[i].addr);
            state_put_u32(w, r->entries[i].len);
        }
        if (r->pixels)
            state_put(w, r->pixels, bytes_of(r));
    }
}

static bool load_entries(struct gpu_resource *r, struct state_reader *s, GError **err)
{
    if (r->n_entries > GPU_ENTRIES_MAX)
        return error_set(err, "virtio-gpu: a resource of %u pieces", r->n_entries);
    r->entries = g_new0(struct gpu_entry, r->n_entries + 1);
    for (uint32_t i = 0; i < r->n_entries; i++)
        if (!state_get_u64(s, &r->entries[i].addr, err) ||
            !state_get_u32(s, &r->entries[i].len, err))
            return false;
    return true;
}

static bool load_one(struct gpu *g, struct state_reader *s, GError **err)
{
    struct gpu_resource like = { 0 }, *r;
    uint32_t blob;

    if (!state_get_u32(s, &like.id, err) || !state_get_u32(s, &like.format, err) ||
        !state_get_u32(s, &like.width, err) || !state_get_u32(s, &like.height, err) ||
        !state_get_u32(s, &blob, err) || !state_get_u64(s, &like.blob_size, err) ||
        !state_get_u32(s, &like.n_entries, err))
        return false;
    like.blob = blob;
    if (!load_entries(&like, s, err)) {
        g_free(like.entries);
        return false;
    }
    if (gpu_resource_add(g, &like) != GPU_OK) {
        g_free(like.entries);
        return error_set(err, "virtio-gpu: resource %u cannot be", like.id);
    }
    r = gpu_resource(g, like.id);
    return !r->pixels || state_get(s, r->pixels, bytes_of(r), err);
}

static bool load(void *field, struct state_reader *s, GError **err)
{
    struct gpu *g = container_of(field, struct gpu, resources);
    uint32_t n;

    if (!state_get_u32(s, &n, err))
        return false;
    while (n--)
        if (!load_one(g, s, err))
            return false;
    return true;
}

const struct state_custom gpu_resources_state = { save, load };
