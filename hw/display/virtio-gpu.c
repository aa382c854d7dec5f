/* The virtio GPU as a device: features, configuration, life, saved state; see virtio-gpu.h. */
#include "virtio-gpu.h"

#include <base/bits.h>
#include <base/error.h>
#include <hw/virtio/types.h>

/* 5.7.4 */
enum { C_EVENTS_READ = 0, C_EVENTS_CLEAR = 4, C_SCANOUTS = 8, C_CAPSETS = 12, C_LEN = 16 };

static uint64_t features(const struct virtio *v)
{
    const struct gpu *g = (const struct gpu *)v;

    return (g->edid ? BIT(GPU_F_EDID) : 0) | (g->blob ? BIT(GPU_F_RESOURCE_BLOB) : 0);
}

static void get_config(struct virtio *v)
{
    const struct gpu *g = (const struct gpu *)v;

    stl_le(v->config + C_EVENTS_READ, g->events);
    stl_le(v->config + C_EVENTS_CLEAR, 0);
    stl_le(v->config + C_SCANOUTS, g->max_outputs);
    stl_le(v->config + C_CAPSETS, 0);
}

static void set_config(struct virtio *v, unsigned offset, unsigned size, uint32_t value)
{
    if (offset == C_EVENTS_CLEAR && size == 4)
        ((struct gpu *)v)->events &= ~value;
}

static void remove_all(struct gpu *g)
{
    GList *ids = g_hash_table_get_keys(g->resources);

    for (GList *i = ids; i; i = i->next)
        gpu_resource_remove(g, GPOINTER_TO_UINT(i->data));
    g_list_free(ids);
}

static bool realize(struct virtio *v, GError **err)
{
    struct gpu *g = (struct gpu *)v;

    (void)err;
    v->config_len = C_LEN;
    g->control = virtio_add_queue(v, 256, gpu_control);
    g->cursor = virtio_add_queue(v, 16, gpu_cursor);
    g->resources = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < g->max_outputs; i++) {
        struct gpu_scanout *s = &g->scanouts[i];

        s->gpu = g;
        s->index = i;
        s->con = console_add(v->dev.machine->consoles, &gpu_console_ops, s, v->dev.path, i);
    }
    g->scanouts[0].want_width = g->wish.width;
    g->scanouts[0].want_height = g->wish.height;
    return true;
}

static void unrealize(struct virtio *v)
{
    struct gpu *g = (struct gpu *)v;

    for (unsigned i = 0; i < g->max_outputs; i++)
        console_remove(g->scanouts[i].con);
    remove_all(g);
    g_hash_table_destroy(g->resources);
}

static void reset(struct virtio *v)
{
    struct gpu *g = (struct gpu *)v;

    for (unsigned i = 0; i < g->max_outputs; i++)
        gpu_scanout_off(g, i);
    remove_all(g);
    g->events = 0;
    g->cursor_resource = g->cursor_scanout = 0;
    if (g->taken_over)
        g->taken_over(g, false);
}

const struct virtio_class gpu_class = {
    .name = "virtio-gpu",
    .id = VIRTIO_ID_GPU,
    .features = features,
    .realize = realize,
    .unrealize = unrealize,
    .reset = reset,
    .get_config = get_config,
    .set_config = set_config,
    .vectors = 3,
};

/* ---- saved state ---- */

static const struct state_field rect_fields[] = { STATE_U32(struct gpu_rect, x),
                                                  STATE_U32(struct gpu_rect, y),
                                                  STATE_U32(struct gpu_rect, width),
                                                  STATE_U32(struct gpu_rect, height), STATE_END };
static const struct state_table rect_state = { .name = "rect",
                                               .version = 1,
                                               .fields = rect_fields };
static const struct state_field layout_fields[] = {
    STATE_U32(struct gpu_layout, format), STATE_U32(struct gpu_layout, width),
    STATE_U32(struct gpu_layout, height), STATE_U32(struct gpu_layout, stride),
    STATE_U64(struct gpu_layout, offset), STATE_END
};
static const struct state_table layout_state = { .name = "layout",
                                                 .version = 1,
                                                 .fields = layout_fields };
static const struct state_field scanout_fields[] = {
    STATE_U32(struct gpu_scanout, resource),
    STATE_STRUCT(struct gpu_scanout, rect, rect_state),
    STATE_STRUCT(struct gpu_scanout, layout, layout_state),
    STATE_U32(struct gpu_scanout, want_width),
    STATE_U32(struct gpu_scanout, want_height),
    STATE_END
};
static const struct state_table scanout_state = { .name = "scanout",
                                                  .version = 1,
                                                  .fields = scanout_fields };

/* Whether a scanout shows something that there is. */
static bool check_scanout(struct gpu *g, const struct gpu_scanout *s)
{
    const struct gpu_resource *r = gpu_resource(g, s->resource);
    const struct gpu_layout *l = &s->layout;
    uint64_t size;

    if (!s->resource)
        return true;
    if (!r || !gpu_format_known(l->format) || !l->width || !l->height || l->width > GPU_SIDE_MAX ||
        l->height > GPU_SIDE_MAX || l->stride < 4 * l->width)
        return false;
    size = r->blob ? r->blob_size : 4 * (uint64_t)r->width * r->height;
    return l->offset <= size &&
           l->offset + (uint64_t)l->stride * (l->height - 1) + 4 * (uint64_t)l->width <= size &&
           s->rect.width && s->rect.height && s->rect.x <= l->width && s->rect.y <= l->height &&
           s->rect.width <= l->width - s->rect.x && s->rect.height <= l->height - s->rect.y;
}

static bool loaded(void *obj, unsigned version, GError **err)
{
    struct gpu *g = obj;

    (void)version;
    for (unsigned i = 0; i < GPU_SCANOUTS_MAX; i++)
        if (i < g->max_outputs ? !check_scanout(g, &g->scanouts[i]) : g->scanouts[i].resource)
            return error_set(err, "virtio-gpu: scanout %u shows what is not there", i);
    if (g->scanouts[0].resource && g->taken_over)
        g->taken_over(g, true);
    gpu_redraw(g);
    return true;
}

static const struct state_field gpu_fields[] = {
    VIRTIO_STATE(struct gpu),
    STATE_CUSTOM(struct gpu, resources, gpu_resources_state),
    STATE_STRUCT_ARRAY(struct gpu, scanouts, scanout_state),
    STATE_U32(struct gpu, events),
    STATE_U32(struct gpu, cursor_resource),
    STATE_U32(struct gpu, cursor_scanout),
    STATE_U32(struct gpu, cursor_x),
    STATE_U32(struct gpu, cursor_y),
    STATE_U32(struct gpu, cursor_hot_x),
    STATE_U32(struct gpu, cursor_hot_y),
    STATE_END
};
const struct state_table gpu_state = {
    .name = "virtio-gpu", .version = 1, .fields = gpu_fields, .post_load = loaded
};

#define OWN_PROPS GPU_PROPS(struct gpu_alone, g)
struct gpu_alone {
    union {
        struct virtio v;
        struct gpu g;
    };
};

VIRTIO_MODERN_TYPES(gpu, struct gpu_alone, "virtio-gpu", gpu_class, VIRTIO_ID_GPU, 0x03, 0x80,
                    OWN_PROPS, gpu_state, "graphics card", "display")
