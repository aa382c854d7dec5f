/* Commands of the virtio GPU (5.7.6): each is done when it is taken, so that fences are signalled
 * with the answer. */
#include "virtio-gpu.h"

#include <string.h>
#include <base/bits.h>
#include <base/log.h>

enum { HEADER = 24, FLAG_FENCE = 1, REQUEST_MAX = 96, EDID_ROOM = 1024, ENTRY = 16 };
enum { BLOB_MEM_GUEST = 1 };

/* A command on its way: its fixed part, and the answer behind the header. */
struct command {
    struct gpu *g;
    struct virtq_elem *e;
    uint8_t req[REQUEST_MAX];
    size_t len;
    uint8_t *answer; /* behind the header; NULL: none */
    size_t answer_len;
};

static uint32_t arg(const struct command *c, unsigned offset)
{
    return ldl_le(c->req + HEADER + offset);
}

static struct gpu_rect rect_arg(const struct command *c)
{
    return (struct gpu_rect){ arg(c, 0), arg(c, 4), arg(c, 8), arg(c, 12) };
}

/* ---- displays ---- */

static enum gpu_type get_display_info(struct command *c)
{
    struct gpu *g = c->g;

    c->answer_len = GPU_SCANOUTS_MAX * 24;
    c->answer = g_malloc0(c->answer_len);
    for (unsigned i = 0; i < g->max_outputs; i++) {
        const struct gpu_scanout *s = &g->scanouts[i];
        uint8_t *p = c->answer + 24 * i;

        stl_le(p + 8, s->want_width);
        stl_le(p + 12, s->want_height);
        stl_le(p + 16, s->want_width != 0);
    }
    return GPU_OK_DISPLAY_INFO;
}

static enum gpu_type get_edid(struct command *c)
{
    struct gpu *g = c->g;
    uint32_t n = arg(c, 0);
    struct edid_wish wish;

    if (!virtio_has(&g->v, GPU_F_EDID))
        return GPU_ERR_UNSPEC;
    if (n >= g->max_outputs)
        return GPU_ERR_PARAMETER;
    wish = (struct edid_wish){ .width = g->scanouts[n].want_width,
                               .height = g->scanouts[n].want_height };
    c->answer_len = 8 + EDID_ROOM;
    c->answer = g_malloc0(c->answer_len);
    stl_le(c->answer, EDID_SIZE);
    edid_make(&wish, c->answer + 8);
    return GPU_OK_EDID;
}

/* ---- resources ---- */

static enum gpu_type create_2d(struct command *c)
{
    const struct gpu_resource r = {
        .id = arg(c, 0), .format = arg(c, 4), .width = arg(c, 8), .height = arg(c, 12)
    };

    return gpu_resource_add(c->g, &r);
}

static enum gpu_type unref(struct command *c)
{
    uint32_t id = arg(c, 0);

    if (!gpu_resource(c->g, id))
        return GPU_ERR_RESOURCE;
    for (unsigned i = 0; i < c->g->max_outputs; i++)
        if (c->g->scanouts[i].resource == id)
            gpu_scanout_off(c->g, i);
    gpu_resource_remove(c->g, id);
    return GPU_OK;
}

/* Entries behind the fixed part, which are `n`. */
static enum gpu_type take_entries(struct command *c, struct gpu_resource *r, size_t at, uint32_t n)
{
    uint8_t raw[ENTRY];

    if (n > GPU_ENTRIES_MAX || c->e->out_len < at + (uint64_t)n * ENTRY)
        return GPU_ERR_PARAMETER;
    r->entries = g_try_new(struct gpu_entry, n + 1);
    if (!r->entries)
        return GPU_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        iov_get(virtq_out(c->e), c->e->n_out, at + (size_t)i * ENTRY, raw, ENTRY);
        r->entries[i] = (struct gpu_entry){ ldq_le(raw), ldl_le(raw + 8) };
    }
    r->n_entries = n;
    return GPU_OK;
}

static enum gpu_type attach(struct command *c)
{
    struct gpu_resource *r = gpu_resource(c->g, arg(c, 0));

    if (!r || r->blob)
        return GPU_ERR_RESOURCE;
    if (r->entries)
        return GPU_ERR_UNSPEC;
    return take_entries(c, r, HEADER + 8, arg(c, 4));
}

static enum gpu_type detach(struct command *c)
{
    struct gpu_resource *r = gpu_resource(c->g, arg(c, 0));

    if (!r || r->blob || !r->entries)
        return GPU_ERR_RESOURCE;
    g_clear_pointer(&r->entries, g_free);
    r->n_entries = 0;
    return GPU_OK;
}

static enum gpu_type create_blob(struct command *c)
{
    struct gpu_resource r = { .id = arg(c, 0), .blob = true, .blob_size = ldq_le(c->req + 48) };
    enum gpu_type type;

    if (!virtio_has(&c->g->v, GPU_F_RESOURCE_BLOB))
        return GPU_ERR_UNSPEC;
    if (arg(c, 4) != BLOB_MEM_GUEST)
        return GPU_ERR_PARAMETER;
    if (!r.id || gpu_resource(c->g, r.id))
        return GPU_ERR_RESOURCE;
    type = take_entries(c, &r, 56, arg(c, 12));
    if (type == GPU_OK && gpu_backing_size(&r) < r.blob_size)
        type = GPU_ERR_PARAMETER;
    if (type == GPU_OK)
        type = gpu_resource_add(c->g, &r);
    if (type != GPU_OK)
        g_free(r.entries);
    return type;
}

static bool inside(const struct gpu_rect *r, uint32_t width, uint32_t height)
{
    return r->x <= width && r->y <= height && r->width <= width - r->x &&
           r->height <= height - r->y;
}

/* 5.7.6.8: rows of the memory behind are as wide as the resource; `offset` is where the rectangle
 * begins. */
static enum gpu_type transfer(struct command *c)
{
    struct gpu_resource *r = gpu_resource(c->g, arg(c, 24));
    struct gpu_rect rect = rect_arg(c);
    uint64_t offset = ldq_le(c->req + HEADER + 16);

    if (r && r->blob)
        return GPU_OK; /* we look at the guest's memory itself; Linux asks nevertheless */
    if (!r || !r->entries)
        return GPU_ERR_RESOURCE;
    if (!inside(&rect, r->width, r->height))
        return GPU_ERR_PARAMETER;
    if (rect.x == 0 && rect.width == r->width) {
        gpu_backing_read(c->g, r, offset, r->pixels + (size_t)rect.y * r->width,
                         4 * (size_t)r->width * rect.height);
        return GPU_OK;
    }
    for (uint32_t y = 0; y < rect.height; y++)
        gpu_backing_read(c->g, r, offset + 4 * (uint64_t)y * r->width,
                         r->pixels + (size_t)(rect.y + y) * r->width + rect.x,
                         4 * (size_t)rect.width);
    return GPU_OK;
}

/* ---- scanouts ---- */

static enum gpu_type set_scanout(struct command *c)
{
    uint32_t n = arg(c, 16), id = arg(c, 20);
    const struct gpu_resource *r = gpu_resource(c->g, id);
    struct gpu_rect rect = rect_arg(c);
    struct gpu_layout l;

    if (n >= c->g->max_outputs)
        return GPU_ERR_SCANOUT;
    if (!id) {
        gpu_scanout_off(c->g, n);
        return GPU_OK;
    }
    if (!r || r->blob)
        return GPU_ERR_RESOURCE;
    l = (struct gpu_layout){ r->format, r->width, r->height, 4 * r->width, 0 };
    return gpu_scanout_set(c->g, n, id, &rect, &l) ? GPU_OK : GPU_ERR_PARAMETER;
}

static enum gpu_type set_scanout_blob(struct command *c)
{
    uint32_t n = arg(c, 16), id = arg(c, 20);
    const struct gpu_resource *r = gpu_resource(c->g, id);
    struct gpu_rect rect = rect_arg(c);
    struct gpu_layout l = { arg(c, 32), arg(c, 24), arg(c, 28), arg(c, 40), arg(c, 56) };

    if (!virtio_has(&c->g->v, GPU_F_RESOURCE_BLOB))
        return GPU_ERR_UNSPEC;
    if (n >= c->g->max_outputs)
        return GPU_ERR_SCANOUT;
    if (!id) {
        gpu_scanout_off(c->g, n);
        return GPU_OK;
    }
    if (!r || !r->blob)
        return GPU_ERR_RESOURCE;
    if (!gpu_format_known(l.format) || !l.width || !l.height || l.width > GPU_SIDE_MAX ||
        l.height > GPU_SIDE_MAX || l.stride < 4 * l.width ||
        l.offset + (uint64_t)l.stride * (l.height - 1) + 4 * (uint64_t)l.width > r->blob_size)
        return GPU_ERR_PARAMETER;
    return gpu_scanout_set(c->g, n, id, &rect, &l) ? GPU_OK : GPU_ERR_PARAMETER;
}

static enum gpu_type flush(struct command *c)
{
    const struct gpu_resource *r = gpu_resource(c->g, arg(c, 16));
    struct gpu_rect rect = rect_arg(c);

    if (!r)
        return GPU_ERR_RESOURCE;
    if (!r->blob && !inside(&rect, r->width, r->height))
        return GPU_ERR_PARAMETER;
    gpu_flush(c->g, r, &rect);
    return GPU_OK;
}

/* ---- taking commands ---- */

static const struct {
    enum gpu_type type;
    unsigned len; /* of the fixed part behind the header */
    enum gpu_type (*run)(struct command *c);
} commands[] = {
    { GPU_GET_DISPLAY_INFO, 0, get_display_info },
    { GPU_GET_EDID, 8, get_edid },
    { GPU_RESOURCE_CREATE_2D, 16, create_2d },
    { GPU_RESOURCE_UNREF, 8, unref },
    { GPU_SET_SCANOUT, 24, set_scanout },
    { GPU_RESOURCE_FLUSH, 24, flush },
    { GPU_TRANSFER_TO_HOST_2D, 32, transfer },
    { GPU_ATTACH_BACKING, 8, attach },
    { GPU_DETACH_BACKING, 8, detach },
    { GPU_RESOURCE_CREATE_BLOB, 32, create_blob },
    { GPU_SET_SCANOUT_BLOB, 72, set_scanout_blob },
};

static enum gpu_type run(struct command *c)
{
    uint32_t type = ldl_le(c->req);

    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].type == type)
            return c->len < HEADER + commands[i].len ? GPU_ERR_PARAMETER : commands[i].run(c);
    log_guest_error("virtio-gpu: there is no command 0x%x\n", type);
    return GPU_ERR_UNSPEC;
}

/* The answer's header has the fence of the command, which is over now. */
static uint64_t put_answer(struct command *c, enum gpu_type type)
{
    uint8_t header[HEADER] = { 0 };
    uint64_t n;

    stl_le(header, type);
    if (ldl_le(c->req + 4) & FLAG_FENCE) {
        stl_le(header + 4, FLAG_FENCE);
        memcpy(header + 8, c->req + 8, 13); /* fence, context, ring */
    }
    n = iov_put(virtq_in(c->e), c->e->n_in, 0, header, HEADER);
    if (c->answer && n == HEADER)
        n += iov_put(virtq_in(c->e), c->e->n_in, HEADER, c->answer, c->answer_len);
    return n;
}

/* The next one; where there is none, the driver is to notify of more. */
static bool next_elem(struct virtqueue *q, struct virtq_elem *e)
{
    do {
        if (virtq_pop(q, e))
            return true;
    } while (!virtq_kicks_on(q));
    return false;
}

void gpu_control(struct virtqueue *q)
{
    unsigned budget = q->num;
    struct virtq_elem e;

    while (budget-- && next_elem(q, &e)) {
        struct command c = { .g = (struct gpu *)q->v, .e = &e };
        enum gpu_type type = GPU_ERR_PARAMETER;

        c.len = iov_get(virtq_out(&e), e.n_out, 0, c.req, sizeof(c.req));
        if (c.len >= HEADER)
            type = run(&c);
        virtq_push(&e, put_answer(&c, type));
        g_free(c.answer);
    }
    virtq_notify(q);
    if (!virtq_empty(q))
        virtio_kick(q->v, q->index);
}

/* ---- the pointer (5.7.6.10) ---- */

static void do_cursor(struct gpu *g, const uint8_t *p)
{
    bool update = ldl_le(p) == GPU_UPDATE_CURSOR;

    if ((!update && ldl_le(p) != GPU_MOVE_CURSOR) || ldl_le(p + 24) >= g->max_outputs)
        return;
    g->cursor_scanout = ldl_le(p + 24);
    g->cursor_x = ldl_le(p + 28);
    g->cursor_y = ldl_le(p + 32);
    if (update) {
        g->cursor_resource = ldl_le(p + 40);
        g->cursor_hot_x = ldl_le(p + 44);
        g->cursor_hot_y = ldl_le(p + 48);
        gpu_cursor_show(g);
    }
    console_move_cursor(g->scanouts[g->cursor_scanout].con, (int)g->cursor_x, (int)g->cursor_y);
}

void gpu_cursor(struct virtqueue *q)
{
    unsigned budget = q->num;
    uint8_t req[56];
    struct virtq_elem e;

    while (budget-- && next_elem(q, &e)) {
        memset(req, 0, sizeof(req));
        if (iov_get(virtq_out(&e), e.n_out, 0, req, sizeof(req)) == sizeof(req))
            do_cursor((struct gpu *)q->v, req);
        virtq_push(&e, 0);
    }
    virtq_notify(q);
    if (!virtq_empty(q))
        virtio_kick(q->v, q->index);
}
