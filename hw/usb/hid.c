/*
 * `usb-kbd`, `usb-mouse`, `usb-tablet`: Device Class Definition for Human Interface Devices 1.11,
 * with usages of the HID Usage Tables.
 */
#include <hw/usb/usb.h>

#include <string.h>
#include <base/bits.h>
#include <base/error.h>
#include <ui/input.h>

enum {
    GET_REPORT = 1,
    GET_IDLE = 2,
    GET_PROTOCOL = 3,
    SET_REPORT = 9,
    SET_IDLE = 10,
    SET_PROTOCOL = 11
};
enum { GET_DESCRIPTOR = 6, DESC_HID = 0x21, DESC_REPORT = 0x22, HID_AT = 18, HID_LEN = 9 };
enum { KIND_KBD, KIND_MOUSE, KIND_TABLET };
enum { QUEUE = 16, KEYS = 6, MODS = 0xe0, ROLL_OVER = 1 };

/* One moment of a pointer, or one change of a key. */
struct moment {
    int32_t x, y, wheel;
    uint8_t buttons;
    uint8_t usage; /* keyboards */
    bool down;
};

struct hid {
    struct usb_device usb;
    struct input_device input;
    unsigned kind;
    uint8_t protocol, idle;
    struct moment queue[QUEUE];
    uint8_t head, n;
    struct moment last; /* as it was last reported */
    bool fresh;         /* the next report is due whether something changed or not */
    uint8_t mods, keys[KEYS];
    uint32_t leds;
};

/* ---- usages of keys ---- */

/* By place in scan code set 1 (USB HID to PS/2 Scan Code Translation Table). */
static const uint8_t usages[0x80] = {
    [0x01] = 0x29, [0x02] = 0x1e, [0x03] = 0x1f, [0x04] = 0x20, [0x05] = 0x21, [0x06] = 0x22,
    [0x07] = 0x23, [0x08] = 0x24, [0x09] = 0x25, [0x0a] = 0x26, [0x0b] = 0x27, [0x0c] = 0x2d,
    [0x0d] = 0x2e, [0x0e] = 0x2a, [0x0f] = 0x2b, [0x10] = 0x14, [0x11] = 0x1a, [0x12] = 0x08,
    [0x13] = 0x15, [0x14] = 0x17, [0x15] = 0x1c, [0x16] = 0x18, [0x17] = 0x0c, [0x18] = 0x12,
    [0x19] = 0x13, [0x1a] = 0x2f, [0x1b] = 0x30, [0x1c] = 0x28, [0x1d] = 0xe0, [0x1e] = 0x04,
    [0x1f] = 0x16, [0x20] = 0x07, [0x21] = 0x09, [0x22] = 0x0a, [0x23] = 0x0b, [0x24] = 0x0d,
    [0x25] = 0x0e, [0x26] = 0x0f, [0x27] = 0x33, [0x28] = 0x34, [0x29] = 0x35, [0x2a] = 0xe1,
    [0x2b] = 0x31, [0x2c] = 0x1d, [0x2d] = 0x1b, [0x2e] = 0x06, [0x2f] = 0x19, [0x30] = 0x05,
    [0x31] = 0x11, [0x32] = 0x10, [0x33] = 0x36, [0x34] = 0x37, [0x35] = 0x38, [0x36] = 0xe5,
    [0x37] = 0x55, [0x38] = 0xe2, [0x39] = 0x2c, [0x3a] = 0x39, [0x3b] = 0x3a, [0x3c] = 0x3b,
    [0x3d] = 0x3c, [0x3e] = 0x3d, [0x3f] = 0x3e, [0x40] = 0x3f, [0x41] = 0x40, [0x42] = 0x41,
    [0x43] = 0x42, [0x44] = 0x43, [0x45] = 0x53, [0x46] = 0x47, [0x47] = 0x5f, [0x48] = 0x60,
    [0x49] = 0x61, [0x4a] = 0x56, [0x4b] = 0x5c, [0x4c] = 0x5d, [0x4d] = 0x5e, [0x4e] = 0x57,
    [0x4f] = 0x59, [0x50] = 0x5a, [0x51] = 0x5b, [0x52] = 0x62, [0x53] = 0x63, [0x54] = 0x46,
    [0x56] = 0x64, [0x57] = 0x44, [0x58] = 0x45, [0x59] = 0x67, [0x64] = 0x68, [0x65] = 0x69,
    [0x66] = 0x6a, [0x67] = 0x6b, [0x68] = 0x6c, [0x69] = 0x6d, [0x6a] = 0x6e, [0x6b] = 0x6f,
    [0x6c] = 0x70, [0x6d] = 0x71, [0x6e] = 0x72, [0x70] = 0x88, [0x71] = 0x91, [0x72] = 0x90,
    [0x73] = 0x87, [0x76] = 0x73, [0x79] = 0x8a, [0x7b] = 0x8b, [0x7d] = 0x89, [0x7e] = 0x85,
};
static const uint8_t prefixed[0x80] = {
    [0x1c] = 0x58, [0x1d] = 0xe4, [0x20] = 0x7f, [0x2e] = 0x81, [0x30] = 0x80, [0x35] = 0x54,
    [0x37] = 0x46, [0x38] = 0xe6, [0x47] = 0x4a, [0x48] = 0x52, [0x49] = 0x4b, [0x4b] = 0x50,
    [0x4d] = 0x4f, [0x4f] = 0x4d, [0x50] = 0x51, [0x51] = 0x4e, [0x52] = 0x49, [0x53] = 0x4c,
    [0x5b] = 0xe3, [0x5c] = 0xe7, [0x5d] = 0x65, [0x5e] = 0x66,
};

static uint8_t usage_of(enum key k)
{
    unsigned code = key_code(k, 1);

    if (k == KEY_PAUSE)
        return 0x48;
    if (code >> 8 == 0xe0)
        return prefixed[code & 0x7f];
    return code >> 8 ? 0 : usages[code & 0x7f];
}

/* ---- what the user does ---- */

/* The moment that is being made, or NULL where the guest does not fetch any. */
static struct moment *newest(struct hid *h)
{
    return h->n ? &h->queue[(h->head + h->n - 1u) % QUEUE] : &h->last;
}

static struct moment *add_moment(struct hid *h)
{
    struct moment from = *newest(h), *m;

    if (h->n == QUEUE)
        return NULL;
    if (h->kind == KIND_MOUSE)
        from.x = from.y = 0;
    from.wheel = 0;
    m = &h->queue[(h->head + h->n++) % QUEUE];
    *m = from;
    return m;
}

/* Moves add up in one report; what a button does makes another. */
static struct moment *moving(struct hid *h)
{
    struct moment *m = newest(h), *before;

    if (h->n < 2)
        return h->n ? m : add_moment(h);
    before = &h->queue[(h->head + h->n - 2u) % QUEUE];
    return m->buttons != before->buttons ? add_moment(h) : m;
}

static void press(struct hid *h, enum input_button b, bool down)
{
    static const uint8_t bits[BUTTON_COUNT] = {
        [BUTTON_LEFT] = 1, [BUTTON_RIGHT] = 2,  [BUTTON_MIDDLE] = 4,
        [BUTTON_SIDE] = 8, [BUTTON_EXTRA] = 16,
    };
    struct moment *m = NULL;

    if (b == BUTTON_WHEEL_UP || b == BUTTON_WHEEL_DOWN) {
        m = down ? moving(h) : NULL;
        if (m)
            m->wheel = CLAMP(m->wheel + (b == BUTTON_WHEEL_UP ? 1 : -1), -127, 127);
        return;
    }
    m = add_moment(h);
    if (m)
        m->buttons = (uint8_t)(down ? m->buttons | bits[b] : m->buttons & ~bits[b]);
}

static void on_event(void *opaque, const struct input_event *e)
{
    struct hid *h = opaque;
    struct moment *m;

    if (!h->usb.configuration)
        return;
    switch (e->kind) {
    case INPUT_KEY:
        m = usage_of(e->key) && h->n < QUEUE ? &h->queue[(h->head + h->n++) % QUEUE] : NULL;
        if (m)
            *m = (struct moment){ .usage = usage_of(e->key), .down = e->down };
        break;
    case INPUT_BUTTON: press(h, e->button, e->down); break;
    case INPUT_REL:
    case INPUT_ABS:
        m = moving(h);
        if (!m)
            break;
        if (e->kind == INPUT_ABS)
            *(e->axis == AXIS_X ? &m->x : &m->y) = e->value;
        else if (e->axis == AXIS_X)
            m->x = (int32_t)CLAMP((int64_t)m->x + e->value, -100000, 100000);
        else
            m->y = (int32_t)CLAMP((int64_t)m->y + e->value, -100000, 100000);
        break;
    }
    usb_wakeup(&h->usb);
}

static const struct input_ops kinds[] = {
    [KIND_KBD] = { .name = "QEMU HID Keyboard", .kinds = 1u << INPUT_KEY, .event = on_event },
    [KIND_MOUSE] = { .name = "QEMU HID Mouse",
                     .kinds = 1u << INPUT_BUTTON | 1u << INPUT_REL,
                     .event = on_event },
    [KIND_TABLET] = { .name = "QEMU HID Tablet",
                      .kinds = 1u << INPUT_BUTTON | 1u << INPUT_ABS,
                      .event = on_event },
};

/* ---- reports ---- */

static void key_changed(struct hid *h, uint8_t usage, bool down)
{
    unsigned at = 0;

    if (usage >= MODS) {
        h->mods =
            (uint8_t)(down ? h->mods | 1 << (usage - MODS) : h->mods & ~(1 << (usage - MODS)));
        return;
    }
    while (at < KEYS && h->keys[at] != usage)
        at++;
    if (!down && at < KEYS) {
        memmove(h->keys + at, h->keys + at + 1, KEYS - at - 1u);
        h->keys[KEYS - 1] = 0;
        return;
    }
    for (unsigned i = 0; down && at == KEYS && i < KEYS; i++) {
        if (!h->keys[i]) {
            h->keys[i] = usage;
            return;
        }
    }
}

static size_t keyboard_report(const struct hid *h, uint8_t *out)
{
    out[0] = h->mods;
    out[1] = 0;
    memcpy(out + 2, h->keys, KEYS);
    return 2 + KEYS;
}

static int8_t step(int32_t *left)
{
    int32_t n = CLAMP(*left, -127, 127);

    *left -= n;
    return (int8_t)n;
}

/* What does not fit in a report of a mouse goes into the next. */
static size_t pointer_report(struct hid *h, struct moment *m, uint8_t *out)
{
    out[0] = m->buttons;
    if (h->kind == KIND_TABLET) {
        stw_le(out + 1, (uint16_t)m->x);
        stw_le(out + 3, (uint16_t)m->y);
        out[5] = (uint8_t)m->wheel;
        m->wheel = 0;
        return 6;
    }
    out[1] = (uint8_t)step(&m->x);
    out[2] = (uint8_t)step(&m->y);
    out[3] = (uint8_t)step(&m->wheel);
    return h->protocol ? 4 : 3;
}

static size_t next_report(struct hid *h, uint8_t *out)
{
    struct moment *m = h->n ? &h->queue[h->head] : &h->last;
    size_t len;

    h->fresh = false;
    if (h->kind == KIND_KBD) {
        if (h->n)
            key_changed(h, m->usage, m->down);
        len = keyboard_report(h, out);
    } else {
        len = pointer_report(h, m, out);
        if (h->kind == KIND_MOUSE && (m->x || m->y || m->wheel))
            return len;
        h->last = *m;
    }
    if (h->n) {
        h->head = (uint8_t)((h->head + 1) % QUEUE);
        h->n--;
    }
    return len;
}

static int hid_data(struct usb_device *d, enum usb_pid pid, unsigned ep, uint8_t *buf, size_t len)
{
    struct hid *h = (struct hid *)d;
    uint8_t report[8];
    size_t n;

    if (pid != USB_IN || ep != 1)
        return USB_STALL;
    if (!h->n && !h->fresh)
        return USB_NAK;
    n = next_report(h, report);
    memcpy(buf, report, MIN(n, len));
    return (int)MIN(n, len);
}

/* ---- descriptors ---- */

static const uint8_t kbd_report[] = {
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01,             /* keyboard */
    0x75, 0x01, 0x95, 0x08, 0x05, 0x07, 0x19, 0xe0, /* eight modifiers, a bit each */
    0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x81, 0x02, /* */
    0x95, 0x01, 0x75, 0x08, 0x81, 0x01,             /* a byte of nothing */
    0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, /* five lights */
    0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01,
    0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x26, 0xff, 0x00, /* six keys */
    0x05, 0x07, 0x19, 0x00, 0x2a, 0xff, 0x00, 0x81, 0x00, 0xc0,
};
static const uint8_t mouse_report[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00, /* mouse, pointer */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, 0x15, 0x00, 0x25, 0x01, /* five buttons */
    0x95, 0x05, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01, 0x75, 0x03, 0x81,
    0x01, 0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38, 0x15, 0x81, /* x, y, wheel: steps */
    0x25, 0x7f, 0x75, 0x08, 0x95, 0x03, 0x81, 0x06, 0xc0, 0xc0,
};
static const uint8_t tablet_report[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00, /* mouse, pointer */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, 0x15, 0x00, 0x25, 0x01, /* five buttons */
    0x95, 0x05, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01, 0x75, 0x03, 0x81, 0x01,
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x00, 0x26, 0xff, 0x7f, /* x, y: 0 to 7fff */
    0x35, 0x00, 0x46, 0xff, 0x7f, 0x75, 0x10, 0x95, 0x02, 0x81, 0x02, 0x05,
    0x01, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x35, 0x00, 0x45, 0x00, /* wheel */
    0x75, 0x08, 0x95, 0x01, 0x81, 0x06, 0xc0, 0xc0,
};
static const struct {
    const uint8_t *bytes;
    size_t len;
} reports[] = {
    [KIND_KBD] = { kbd_report, sizeof(kbd_report) },
    [KIND_MOUSE] = { mouse_report, sizeof(mouse_report) },
    [KIND_TABLET] = { tablet_report, sizeof(tablet_report) },
};

#define DEVICE_DESC(product)                                                              \
    {                                                                                     \
        18, 1, 0x10, 0x01, 0, 0, 0, 8, 0x27, 0x06, product, 0x00, 0x00, 0x00, 1, 2, 3, 1, \
    }
/* One interface with one interrupt endpoint; `ms`: how often it is asked. */
#define CONFIG_DESC(subclass, protocol, report_len, packet, ms)                                 \
    {                                                                                           \
        9, 2, 34, 0, 1, 1, 0, 0xa0, 50, 9, 4, 0, 0, 1, 3, subclass, protocol, 0, 9, 0x21, 0x01, \
            0x00, 0, 1, 0x22, report_len, 0, 7, 5, 0x81, 3, packet, 0, ms,                      \
    }

static const uint8_t kbd_device[] = DEVICE_DESC(0x01);
static const uint8_t mouse_device[] = DEVICE_DESC(0x01);
static const uint8_t tablet_device[] = DEVICE_DESC(0x01);
static const uint8_t kbd_config[] = CONFIG_DESC(1, 1, sizeof(kbd_report), 8, 10);
static const uint8_t mouse_config[] = CONFIG_DESC(1, 2, sizeof(mouse_report), 4, 10);
static const uint8_t tablet_config[] = CONFIG_DESC(0, 0, sizeof(tablet_report), 8, 10);
static const char *const kbd_strings[] = { "QEMU", "QEMU USB Keyboard", "68284", NULL };
static const char *const mouse_strings[] = { "QEMU", "QEMU USB Mouse", "89126", NULL };
static const char *const tablet_strings[] = { "QEMU", "QEMU USB Tablet", "28754", NULL };

/* ---- requests (HID, 7) ---- */

static int get_descriptor(const struct hid *h, const struct usb_setup *s, uint8_t *data)
{
    const uint8_t *from = h->usb.info->config + HID_AT;
    size_t len = HID_LEN;

    if (s->value >> 8 == DESC_REPORT) {
        from = reports[h->kind].bytes;
        len = reports[h->kind].len;
    } else if (s->value >> 8 != DESC_HID) {
        return USB_STALL;
    }
    memcpy(data, from, MIN(len, s->length));
    return (int)MIN(len, s->length);
}

static int set_report(struct hid *h, const struct usb_setup *s, const uint8_t *data)
{
    struct input *in = h->usb.dev.machine->input;

    if (h->kind != KIND_KBD || !s->length)
        return h->kind == KIND_KBD ? 0 : USB_STALL;
    h->leds = data[0];
    if (in)
        input_set_leds(in, (data[0] & 1 ? LED_NUM : 0) | (data[0] & 2 ? LED_CAPS : 0) |
                               (data[0] & 4 ? LED_SCROLL : 0));
    return 0;
}

static int hid_control(struct usb_device *d, const struct usb_setup *s, uint8_t *data)
{
    struct hid *h = (struct hid *)d;
    uint8_t report[8];
    bool in = s->type & USB_DIR_IN;
    size_t n;

    if (!(s->type & USB_TYPE_MASK))
        return s->request == GET_DESCRIPTOR && in ? get_descriptor(h, s, data) : USB_STALL;
    if (in != (s->request < SET_REPORT))
        return USB_STALL;
    switch (s->request) {
    case GET_REPORT:
        n = h->kind == KIND_KBD
                ? keyboard_report(h, report)
                : pointer_report(h,
                                 &(struct moment){
                                     .buttons = h->last.buttons, .x = h->last.x, .y = h->last.y },
                                 report);
        memcpy(data, report, MIN(n, s->length));
        return (int)MIN(n, s->length);
    case GET_IDLE: data[0] = h->idle; return MIN(1, s->length);
    case GET_PROTOCOL: data[0] = h->protocol; return MIN(1, s->length);
    case SET_REPORT: return set_report(h, s, data);
    case SET_IDLE: h->idle = (uint8_t)(s->value >> 8); return 0;
    case SET_PROTOCOL: h->protocol = s->value & 1; return 0;
    default: return USB_STALL;
    }
}

static void hid_reset(struct usb_device *d)
{
    struct hid *h = (struct hid *)d;

    h->protocol = 1;
    h->idle = 0;
    h->head = h->n = 0;
    h->last = (struct moment){ 0 };
    h->fresh = false;
    h->mods = 0;
    memset(h->keys, 0, sizeof(h->keys));
}

/* ---- life ---- */

static bool realize(struct device *dev, unsigned kind)
{
    struct hid *h = (struct hid *)dev;

    h->kind = kind;
    if (dev->machine->input)
        input_add(dev->machine->input, &h->input, &kinds[kind], h);
    return true;
}

static bool realize_kbd(struct device *dev, GError **err)
{
    (void)err;
    return realize(dev, KIND_KBD);
}

static bool realize_mouse(struct device *dev, GError **err)
{
    (void)err;
    return realize(dev, KIND_MOUSE);
}

static bool realize_tablet(struct device *dev, GError **err)
{
    (void)err;
    return realize(dev, KIND_TABLET);
}

static void unrealize(struct device *dev)
{
    if (dev->machine->input)
        input_remove(dev->machine->input, &((struct hid *)dev)->input);
}

static const struct state_field moment_fields[] = { STATE_I32(struct moment, x),
                                                    STATE_I32(struct moment, y),
                                                    STATE_I32(struct moment, wheel),
                                                    STATE_U8(struct moment, buttons),
                                                    STATE_U8(struct moment, usage),
                                                    STATE_BOOL(struct moment, down),
                                                    STATE_END };
static const struct state_table moment_state = { .name = "hid-moment",
                                                 .version = 1,
                                                 .fields = moment_fields };

static bool loaded(void *obj, unsigned version, GError **err)
{
    const struct hid *h = obj;

    (void)version;
    return (h->n <= QUEUE && h->head < QUEUE) ||
           error_set(err, "usb-hid: a queue of %u moments", h->n);
}

static const struct state_field hid_fields[] = { USB_STATE(struct hid),
                                                 STATE_U8(struct hid, protocol),
                                                 STATE_U8(struct hid, idle),
                                                 STATE_STRUCT_ARRAY(struct hid, queue,
                                                                    moment_state),
                                                 STATE_U8(struct hid, head),
                                                 STATE_U8(struct hid, n),
                                                 STATE_STRUCT(struct hid, last, moment_state),
                                                 STATE_BOOL(struct hid, fresh),
                                                 STATE_U8(struct hid, mods),
                                                 STATE_BUF(struct hid, keys),
                                                 STATE_U32(struct hid, leds),
                                                 STATE_END };
static const struct state_table hid_state = {
    .name = "usb-hid", .version = 1, .fields = hid_fields, .post_load = loaded
};

#define HID_TYPE(which, hlp)                        \
    static const struct usb_info which##_info = {   \
        .device = which##_device,                   \
        .config = which##_config,                   \
        .strings = which##_strings,                 \
        .control = hid_control,                     \
        .data = hid_data,                           \
        .reset = hid_reset,                         \
    };                                              \
    const struct device_type usb_##which##_type = { \
        .name = "usb-" #which,                      \
        .help = hlp,                                \
        .bus = BUS_USB,                             \
        .size = sizeof(struct hid),                 \
        .category = "input",                        \
        .realize = realize_##which,                 \
        .unrealize = unrealize,                     \
        .state = &hid_state,                        \
        .bus_info = &which##_info,                  \
    };
HID_TYPE(kbd, "USB keyboard")
HID_TYPE(mouse, "USB mouse")
HID_TYPE(tablet, "USB tablet, an absolute pointer")
