/*
 * `ramfb`: a frame buffer in the guest's own memory. Firmware says where by writing the fw_cfg file
 * "etc/ramfb", all of it big-endian: address (8 bytes), format as a FourCC of DRM, flags, width,
 * height, bytes from line to line (4 each).
 */
#include <string.h>
#include <base/bits.h>
#include <base/error.h>
#include <hw/core/machine.h>
#include <hw/misc/fw_cfg.h>
#include <ui/console.h>

#define FILE_NAME "etc/ramfb"

enum { CONFIG = 28, SIDE_MIN = 16 };
enum { XR24 = 0x34325258, AR24 = 0x34325241, RG24 = 0x34324752, RG16 = 0x36314752 };

struct mode {
    uint64_t addr;
    uint32_t format, width, height, stride;
    unsigned bytes; /* of a pixel */
};

struct ramfb {
    struct device dev;
    struct device *fw_cfg;
    struct console *con;
    uint8_t config[CONFIG]; /* as the guest wrote it; for saving */
    uint8_t *line;
    size_t line_space;
};

static unsigned bytes_of(uint32_t format)
{
    switch (format) {
    case XR24:
    case AR24: return 4;
    case RG24: return 3;
    case RG16: return 2;
    default: return 0;
    }
}

/* False: nothing that could be shown. */
static bool parse(const uint8_t *c, struct mode *m)
{
    *m = (struct mode){ ldq_be(c),      ldl_be(c + 8),  ldl_be(c + 16),
                        ldl_be(c + 20), ldl_be(c + 24), bytes_of(ldl_be(c + 8)) };
    if (!m->bytes || m->width < SIDE_MIN || m->height < SIDE_MIN || m->width > SURFACE_MAX ||
        m->height > SURFACE_MAX)
        return false;
    if (!m->stride)
        m->stride = m->width * m->bytes;
    return m->stride >= m->width * m->bytes && m->stride <= 1 << 20;
}

static void convert(const struct mode *m, const uint8_t *in, uint32_t *out)
{
    for (uint32_t x = 0; x < m->width; x++, in += m->bytes) {
        unsigned w = lduw_le(in);

        switch (m->bytes) {
        case 4: out[x] = ldl_le(in) & 0xffffff; break;
        case 3: out[x] = w | (uint32_t)in[2] << 16; break;
        default:
            out[x] =
                (w >> 11) * 0x21 / 4 << 16 | (w >> 5 & 63) * 0x41 / 16 << 8 | (w & 31) * 0x21 / 4;
            break;
        }
    }
}

/* The row as it is in the guest's memory; the surface's, if it differs. */
static void draw_row(struct ramfb *r, const struct mode *m, const struct surface *s, uint32_t y,
                     uint32_t *row)
{
    uint32_t *to = surface_row(s, y);

    space_read(&r->dev.machine->memory, m->addr + (uint64_t)y * m->stride, r->line,
               (uint64_t)m->width * m->bytes, 0);
    convert(m, r->line, row);
    if (memcmp(to, row, 4 * (size_t)m->width) == 0)
        return;
    memcpy(to, row, 4 * (size_t)m->width);
    console_dirty(r->con, 0, y, m->width, 1);
}

static void refresh(void *opaque)
{
    struct ramfb *r = opaque;
    g_autofree uint32_t *row = NULL;
    const struct surface *s;
    struct mode m;

    if (!fw_cfg_read_file(r->fw_cfg, FILE_NAME, r->config, CONFIG) || !parse(r->config, &m))
        return;
    if (m.width * m.bytes > r->line_space) {
        g_free(r->line);
        r->line_space = m.width * m.bytes;
        r->line = g_malloc(r->line_space);
    }
    s = console_resize(r->con, m.width, m.height);
    if (s->width != m.width || s->height != m.height)
        return;
    row = g_new(uint32_t, m.width);
    for (uint32_t y = 0; y < m.height; y++)
        draw_row(r, &m, s, y, row);
}

static const struct console_ops ramfb_ops = { .refresh = refresh };

/* ---- life ---- */

static bool find_fw_cfg(struct device *dev, void *opaque)
{
    struct ramfb *r = opaque;

    if (g_str_has_prefix(dev->type->name, "fw_cfg"))
        r->fw_cfg = dev;
    return !r->fw_cfg;
}

static bool ramfb_realize(struct device *dev, GError **err)
{
    static const uint8_t nothing[CONFIG];
    struct ramfb *r = (struct ramfb *)dev;

    bus_walk(&dev->machine->root, find_fw_cfg, r);
    if (!r->fw_cfg)
        return error_set(err, "ramfb: machine '%s' has no fw_cfg", dev->machine->type->name);
    if (fw_cfg_read_file(r->fw_cfg, FILE_NAME, r->config, CONFIG))
        return error_set(err, "ramfb: there is one already");
    fw_cfg_add_file_callback(r->fw_cfg, FILE_NAME, nothing, CONFIG, true, NULL, NULL);
    r->con = console_add(dev->machine->consoles, &ramfb_ops, r, dev->path, 0);
    return true;
}

static void ramfb_unrealize(struct device *dev)
{
    struct ramfb *r = (struct ramfb *)dev;

    console_remove(r->con);
    g_free(r->line);
}

static void ramfb_reset(struct device *dev)
{
    struct ramfb *r = (struct ramfb *)dev;

    memset(r->config, 0, CONFIG);
    fw_cfg_replace_file(r->fw_cfg, FILE_NAME, r->config, CONFIG);
}

static void before_save(void *obj)
{
    struct ramfb *r = obj;

    (void)!fw_cfg_read_file(r->fw_cfg, FILE_NAME, r->config, CONFIG);
}

static bool loaded(void *obj, unsigned version, GError **err)
{
    struct ramfb *r = obj;

    (void)version, (void)err;
    fw_cfg_replace_file(r->fw_cfg, FILE_NAME, r->config, CONFIG);
    return true;
}

static const struct state_field ramfb_fields[] = { STATE_BUF(struct ramfb, config), STATE_END };
static const struct state_table ramfb_state = { .name = "ramfb",
                                                .version = 1,
                                                .fields = ramfb_fields,
                                                .pre_save = before_save,
                                                .post_load = loaded };

const struct device_type ramfb_type = {
    .name = "ramfb",
    .help = "frame buffer in guest memory, for firmware",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct ramfb),
    .category = "display",
    .realize = ramfb_realize,
    .reset = ramfb_reset,
    .unrealize = ramfb_unrealize,
    .state = &ramfb_state,
};
