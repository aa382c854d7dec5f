/*
 * Virtio GPU (virtio 1.2, 5.7), two-dimensional: what its files share.
 *
 * A resource is a picture that the driver made. One of its own kind ("2D") has its pixels here, and
 * memory of the guest from which parts are transferred; a blob is guest memory and nothing else.
 * A scanout shows a rectangle of a resource on a console.
 *
 * Everything in commands is the guest's and checked; the host's memory that resources take is
 * bounded by max_hostmem.
 */
#ifndef HW_DISPLAY_VIRTIO_GPU_H
#define HW_DISPLAY_VIRTIO_GPU_H

#include <hw/virtio/virtio.h>
#include <ui/console.h>

#include "edid.h"

enum {
    GPU_SCANOUTS_MAX = 16,
    GPU_SIDE_MAX = SURFACE_MAX,
    GPU_ENTRIES_MAX = 16384, /* pieces of memory behind one resource */
    GPU_RESOURCES_MAX = 4096,
    GPU_CURSOR = 64, /* pixels, width and height */
};

enum gpu_feature { GPU_F_EDID = 1, GPU_F_RESOURCE_BLOB = 3 };

/* 5.7.6.7 */
enum gpu_type {
    GPU_GET_DISPLAY_INFO = 0x0100,
    GPU_RESOURCE_CREATE_2D,
    GPU_RESOURCE_UNREF,
    GPU_SET_SCANOUT,
    GPU_RESOURCE_FLUSH,
    GPU_TRANSFER_TO_HOST_2D,
    GPU_ATTACH_BACKING,
    GPU_DETACH_BACKING,
    GPU_GET_CAPSET_INFO,
    GPU_GET_CAPSET,
    GPU_GET_EDID,
    GPU_RESOURCE_ASSIGN_UUID,
    GPU_RESOURCE_CREATE_BLOB,
    GPU_SET_SCANOUT_BLOB,

    GPU_UPDATE_CURSOR = 0x0300,
    GPU_MOVE_CURSOR,

    GPU_OK = 0x1100,
    GPU_OK_DISPLAY_INFO = 0x1101,
    GPU_OK_EDID = 0x1104,

    GPU_ERR_UNSPEC = 0x1200,
    GPU_ERR_MEMORY,
    GPU_ERR_SCANOUT,
    GPU_ERR_RESOURCE,
    GPU_ERR_CONTEXT,
    GPU_ERR_PARAMETER,
};

struct gpu_rect {
    uint32_t x, y, width, height;
};

struct gpu_entry {
    uint64_t addr;
    uint32_t len;
};

struct gpu_resource {
    uint32_t id, format, width, height;
    bool blob;
    uint64_t blob_size;
    uint32_t *pixels; /* width * height in the driver's format; NULL for blobs */
    struct gpu_entry *entries;
    uint32_t n_entries;
};

/* Where in a resource the pixels of a picture are. */
struct gpu_layout {
    uint32_t format, width, height, stride; /* pixels; stride in bytes */
    uint64_t offset;
};

struct gpu_scanout {
    struct gpu *gpu;
    unsigned index;
    struct console *con;
    uint32_t resource; /* 0: off */
    struct gpu_rect rect;
    struct gpu_layout layout;
    uint32_t want_width, want_height; /* what the display would like; 0: the head is not used */
};

struct gpu {
    struct virtio v;
    struct virtqueue *control, *cursor;
    GHashTable *resources; /* by id */
    uint64_t host_bytes;   /* that resources take */
    struct gpu_scanout scanouts[GPU_SCANOUTS_MAX];
    uint32_t events; /* of the configuration */
    uint32_t cursor_resource, cursor_scanout, cursor_x, cursor_y, cursor_hot_x, cursor_hot_y;
    /* A VGA in the same device shows on the first console until a driver takes over. */
    void (*taken_over)(struct gpu *g, bool by_driver);

    /* properties */
    uint32_t max_outputs;
    uint64_t max_hostmem;
    bool edid, blob;
    struct edid_wish wish; /* xres, yres */
};

#define GPU_PROPS(T, g)                                                                       \
    PROP_U32(T, g.max_outputs, "max_outputs", 1, "heads", .min = 1, .max = GPU_SCANOUTS_MAX), \
        PROP_SIZE(T, g.max_hostmem, "max_hostmem", 256 << 20,                                 \
                  "host memory that the guest's pictures may take"),                          \
        PROP_BOOL(T, g.edid, "edid", true, "the monitors' descriptions can be read"),         \
        PROP_BOOL(T, g.blob, "blob", true, "pictures in guest memory are shown from there"),  \
        PROP_U32(T, g.wish.width, "xres", 1280, "preferred width", .min = 1, .max = 4095),    \
        PROP_U32(T, g.wish.height, "yres", 800, "preferred height", .min = 1, .max = 4095)

extern const struct virtio_class gpu_class;
extern const struct state_table gpu_state;

/* virtio-gpu-cmd.c */
void gpu_control(struct virtqueue *q);
void gpu_cursor(struct virtqueue *q);

/* virtio-gpu-res.c */
bool gpu_format_known(uint32_t format);
struct gpu_resource *gpu_resource(struct gpu *g, uint32_t id);
/* Takes the fields that describe it; returns GPU_OK or what is wrong. Pixels are allocated. */
enum gpu_type gpu_resource_add(struct gpu *g, const struct gpu_resource *r);
void gpu_resource_remove(struct gpu *g, uint32_t id);
/* Bytes from `offset` of the memory behind it; what there is none for reads as 0. */
void gpu_backing_read(struct gpu *g, const struct gpu_resource *r, uint64_t offset, void *buf,
                      size_t len);
uint64_t gpu_backing_size(const struct gpu_resource *r);
/* A row of pixels as 0xAARRGGBB. */
void gpu_row(struct gpu *g, const struct gpu_resource *r, const struct gpu_layout *l, uint32_t x,
             uint32_t y, uint32_t n, uint32_t *out);
extern const struct state_custom gpu_resources_state;

/* virtio-gpu-scan.c */
bool gpu_scanout_set(struct gpu *g, unsigned n, uint32_t resource, const struct gpu_rect *rect,
                     const struct gpu_layout *l);
void gpu_scanout_off(struct gpu *g, unsigned n);
/* The part of a resource was drawn. */
void gpu_flush(struct gpu *g, const struct gpu_resource *r, const struct gpu_rect *rect);
void gpu_cursor_show(struct gpu *g);
void gpu_redraw(struct gpu *g);
extern const struct console_ops gpu_console_ops;

#endif
