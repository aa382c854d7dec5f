/*
 * Virtio input devices (virtio 1.2, 5.8): keyboard, mouse, tablet. Events are those of Linux's
 * input subsystem (uapi/linux/input-event-codes.h).
 */
#include <string.h>
#include <base/bits.h>
#include <hw/virtio/types.h>
#include <ui/input.h>

/* 5.8.4: the configuration, and what `select` can ask for. */
enum { C_SELECT = 0, C_SUBSEL = 1, C_SIZE = 2, C_DATA = 8, DATA_MAX = 128 };
enum {
    SEL_NAME = 0x01,
    SEL_SERIAL = 0x02,
    SEL_IDS = 0x03,
    SEL_PROPS = 0x10,
    SEL_BITS = 0x11,
    SEL_ABS = 0x12,
};
enum { EV_SYN = 0, EV_KEY = 1, EV_REL = 2, EV_ABS = 3, EV_LED = 0x11, EV_REP = 0x14 };
enum { REL_X = 0, REL_Y = 1, REL_WHEEL = 8, ABS_X = 0, ABS_Y = 1 };
enum { LED_NUML = 0, LED_CAPSL = 1, LED_SCROLLL = 2 };
enum { BTN_LEFT = 0x110, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA };
enum { BUS_VIRTUAL_ID = 0x06, VENDOR_ID = 0x0627 };

_Static_assert(C_DATA + DATA_MAX <= VIRTIO_CONFIG_MAX, "no room for the configuration");

enum { EVENT_LEN = 8, EVENTS_MAX = 64, QUEUE_LEN = 64 };

enum kind { KIND_KEYBOARD, KIND_MOUSE, KIND_TABLET };

struct vinput {
    struct virtio v;
    enum kind kind;
    struct virtqueue *events, *status;
    struct input_device input;
    uint8_t waiting[EVENTS_MAX][EVENT_LEN]; /* of the report that is not complete yet */
    uint32_t n_waiting;
    char *serial;
};

/* ---- codes ---- */

/* Set 1 codes are Linux's own up to 0x58; those behind the prefix have places of their own. */
static const struct {
    uint8_t code;
    uint8_t linux_code;
} prefixed[] = {
    { 0x1c, 96 },  { 0x1d, 97 },  { 0x35, 98 },  { 0x37, 99 },  { 0x38, 100 }, { 0x47, 102 },
    { 0x48, 103 }, { 0x49, 104 }, { 0x4b, 105 }, { 0x4d, 106 }, { 0x4f, 107 }, { 0x50, 108 },
    { 0x51, 109 }, { 0x52, 110 }, { 0x53, 111 }, { 0x20, 113 }, { 0x2e, 114 }, { 0x30, 115 },
    { 0x5e, 116 }, { 0x5b, 125 }, { 0x5c, 126 }, { 0x5d, 127 }, { 0x21, 140 }, { 0x5f, 142 },
    { 0x63, 143 }, { 0x6c, 155 }, { 0x66, 156 }, { 0x6b, 157 }, { 0x6a, 158 }, { 0x69, 159 },
    { 0x19, 163 }, { 0x22, 164 }, { 0x10, 165 }, { 0x24, 166 }, { 0x32, 172 }, { 0x67, 173 },
    { 0x6d, 226 },
};
/* Keys beyond F12, and those of Japanese and Korean keyboards. */
static const struct {
    uint8_t code, linux_code;
} plain[] = {
    { 0x59, 117 }, { 0x64, 183 }, { 0x65, 184 }, { 0x66, 185 }, { 0x67, 186 }, { 0x68, 187 },
    { 0x69, 188 }, { 0x6a, 189 }, { 0x6b, 190 }, { 0x6c, 191 }, { 0x6d, 192 }, { 0x6e, 193 },
    { 0x76, 194 }, { 0x70, 93 },  { 0x71, 123 }, { 0x72, 122 }, { 0x73, 89 },  { 0x79, 92 },
    { 0x7b, 94 },  { 0x7d, 124 }, { 0x7e, 121 }, { 0x54, 99 },
};

static unsigned key_number(enum key k)
{
    unsigned code = key_code(k, 1);

    if (k == KEY_PAUSE)
        return 119;
    if (code && code <= 0x58 && code != 0x54)
        return code;
    for (unsigned i = 0; code >> 8 == 0xe0 && i < ARRAY_LEN(prefixed); i++)
        if (prefixed[i].code == (code & 0xff))
            return prefixed[i].linux_code;
    for (unsigned i = 0; !(code >> 8) && i < ARRAY_LEN(plain); i++)
        if (plain[i].code == code)
            return plain[i].linux_code;
    return 0;
}

static unsigned button_number(enum input_button b)
{
    static const uint16_t numbers[BUTTON_COUNT] = {
        [BUTTON_LEFT] = BTN_LEFT, [BUTTON_RIGHT] = BTN_RIGHT, [BUTTON_MIDDLE] = BTN_MIDDLE,
        [BUTTON_SIDE] = BTN_SIDE, [BUTTON_EXTRA] = BTN_EXTRA,
    };

    return numbers[b];
}

/* ---- configuration ---- */

static void set_bit(uint8_t *bits, unsigned n, unsigned *len)
{
    bits[n / 8] |= (uint8_t)(1 << n % 8);
    *len = MAX(*len, n / 8 + 1);
}

static unsigned key_bits(const struct vinput *d, uint8_t *out)
{
    unsigned len = 0;

    if (d->kind == KIND_KEYBOARD)
        for (enum key k = 1; k < KEY_COUNT; k++)
            if (key_number(k))
                set_bit(out, key_number(k), &len);
    for (unsigned b = BTN_LEFT; d->kind != KIND_KEYBOARD && b <= BTN_EXTRA; b++)
        set_bit(out, b, &len);
    return len;
}

static unsigned event_bits(const struct vinput *d, unsigned type, uint8_t *out)
{
    unsigned len = 0;

    switch (type) {
    case EV_KEY: return key_bits(d, out);
    case EV_REL:
        if (d->kind == KIND_MOUSE) {
            set_bit(out, REL_X, &len);
            set_bit(out, REL_Y, &len);
        }
        if (d->kind != KIND_KEYBOARD)
            set_bit(out, REL_WHEEL, &len);
        break;
    case EV_ABS:
        if (d->kind == KIND_TABLET) {
            set_bit(out, ABS_X, &len);
            set_bit(out, ABS_Y, &len);
        }
        break;
    case EV_LED:
        for (unsigned i = LED_NUML; d->kind == KIND_KEYBOARD && i <= LED_SCROLLL; i++)
            set_bit(out, i, &len);
        break;
    case EV_REP:
        if (d->kind == KIND_KEYBOARD)
            set_bit(out, 1, &len);
        break;
    default: break;
    }
    return len;
}

static const char *name_of(const struct vinput *d)
{
    static const char *const names[] = { "QEMU Virtio Keyboard", "QEMU Virtio Mouse",
                                         "QEMU Virtio Tablet" };

    return names[d->kind];
}

static unsigned put_text(uint8_t *out, const char *text)
{
    size_t len = text ? MIN(strlen(text), DATA_MAX) : 0;

    memcpy(out, text ? text : "", len);
    return (unsigned)len;
}

/* 5.8.5.1: the answer to select and subsel, as long as `size` says. */
static void fill_config(struct vinput *d)
{
    uint8_t *c = d->v.config, *data = c + C_DATA;
    unsigned sub = c[C_SUBSEL], len = 0;

    memset(data, 0, DATA_MAX);
    switch (c[C_SELECT]) {
    case SEL_NAME: len = sub ? 0 : put_text(data, name_of(d)); break;
    case SEL_SERIAL: len = sub ? 0 : put_text(data, d->serial); break;
    case SEL_IDS:
        stw_le(data, BUS_VIRTUAL_ID);
        stw_le(data + 2, VENDOR_ID);
        stw_le(data + 4, (uint16_t)(d->kind + 1));
        stw_le(data + 6, d->kind == KIND_TABLET ? 2 : 1);
        len = 8;
        break;
    case SEL_BITS: len = event_bits(d, sub, data); break;
    case SEL_ABS:
        if (d->kind == KIND_TABLET && sub <= ABS_Y) {
            stl_le(data + 4, INPUT_ABS_MAX);
            len = 20; /* min, max, fuzz, flat, resolution */
        }
        break;
    default: break;
    }
    c[C_SIZE] = (uint8_t)len;
}

static void set_config(struct virtio *v, unsigned offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++, value >>= 8)
        if (offset + i <= C_SUBSEL)
            v->config[offset + i] = (uint8_t)value;
    fill_config((struct vinput *)v);
}

/* ---- events to the driver ---- */

static void put_event(struct vinput *d, unsigned type, unsigned code, int value)
{
    uint8_t *e;

    if (d->n_waiting == EVENTS_MAX)
        return; /* a report of so many is none that a user could make */
    e = d->waiting[d->n_waiting++];
    stw_le(e, (uint16_t)type);
    stw_le(e + 2, (uint16_t)code);
    stl_le(e + 4, (uint32_t)value);
}

static void on_button(struct vinput *d, const struct input_event *e)
{
    if (e->button == BUTTON_WHEEL_UP || e->button == BUTTON_WHEEL_DOWN) {
        if (e->down)
            put_event(d, EV_REL, REL_WHEEL, e->button == BUTTON_WHEEL_UP ? 1 : -1);
        return;
    }
    put_event(d, EV_KEY, button_number(e->button), e->down);
}

static void on_event(void *opaque, const struct input_event *e)
{
    struct vinput *d = opaque;

    if (!virtio_running(&d->v))
        return;
    switch (e->kind) {
    case INPUT_KEY:
        if (key_number(e->key))
            put_event(d, EV_KEY, key_number(e->key), e->down);
        break;
    case INPUT_BUTTON: on_button(d, e); break;
    case INPUT_REL: put_event(d, EV_REL, e->axis == AXIS_X ? REL_X : REL_Y, e->value); break;
    case INPUT_ABS: put_event(d, EV_ABS, e->axis == AXIS_X ? ABS_X : ABS_Y, e->value); break;
    }
}

/* A report goes out as a whole or not at all (5.8.6.2). */
static void on_sync(void *opaque)
{
    struct vinput *d = opaque;
    struct virtq_elem elems[EVENTS_MAX];
    unsigned n = 0;

    if (!d->n_waiting)
        return;
    if (d->n_waiting == EVENTS_MAX)
        d->n_waiting--;
    put_event(d, EV_SYN, 0, 0);
    while (virtq_ready(d->events) && n < d->n_waiting && virtq_pop(d->events, &elems[n]))
        n++;
    if (n == d->n_waiting) {
        for (unsigned i = 0; i < n; i++)
            virtq_fill(&elems[i],
                       iov_put(virtq_in(&elems[i]), elems[i].n_in, 0, d->waiting[i], EVENT_LEN));
        virtq_flush(d->events);
        virtq_notify(d->events);
    } else {
        while (n--)
            virtq_unpop(&elems[n]);
    }
    d->n_waiting = 0;
}

static const struct input_ops keyboard_ops = {
    .name = "virtio keyboard",
    .kinds = 1u << INPUT_KEY,
    .event = on_event,
    .sync = on_sync,
};
static const struct input_ops mouse_ops = {
    .name = "virtio mouse",
    .kinds = 1u << INPUT_BUTTON | 1u << INPUT_REL,
    .event = on_event,
    .sync = on_sync,
};
static const struct input_ops tablet_ops = {
    .name = "virtio tablet",
    .kinds = 1u << INPUT_BUTTON | 1u << INPUT_ABS,
    .event = on_event,
    .sync = on_sync,
};
static const struct input_ops *const input_kinds[] = { &keyboard_ops, &mouse_ops, &tablet_ops };

/* ---- from the driver: lights ---- */

static void set_led(struct vinput *d, const uint8_t *e)
{
    static const unsigned leds[] = { LED_NUM, LED_CAPS, LED_SCROLL };
    struct input *in = d->v.dev.machine->input;
    unsigned code = lduw_le(e + 2), bit, now;

    if (lduw_le(e) != EV_LED || code > LED_SCROLLL || !in)
        return;
    bit = leds[code];
    now = input_leds(in);
    input_set_leds(in, ldl_le(e + 4) ? now | bit : now & ~bit);
}

static void status_kick(struct virtqueue *q)
{
    uint8_t event[EVENT_LEN];
    struct virtq_elem e;
    unsigned budget = q->num;

    while (budget--) {
        if (!virtq_pop(q, &e)) {
            if (virtq_kicks_on(q))
                break;
            continue;
        }
        if (iov_get(virtq_out(&e), e.n_out, 0, event, sizeof(event)) == sizeof(event))
            set_led((struct vinput *)q->v, event);
        virtq_push(&e, 0);
    }
    virtq_notify(q);
    if (!virtq_empty(q))
        virtio_kick(q->v, q->index);
}

static void events_kick(struct virtqueue *q)
{
    (void)q; /* buffers wait until there is something to report */
}

/* ---- life ---- */

static uint64_t features(const struct virtio *v)
{
    (void)v;
    return 0;
}

static bool realize(struct virtio *v, enum kind kind)
{
    struct vinput *d = (struct vinput *)v;

    d->kind = kind;
    v->config_len = C_DATA + DATA_MAX;
    d->events = virtio_add_queue(v, QUEUE_LEN, events_kick);
    d->status = virtio_add_queue(v, QUEUE_LEN, status_kick);
    if (v->dev.machine->input)
        input_add(v->dev.machine->input, &d->input, input_kinds[kind], d);
    return true;
}

static bool realize_keyboard(struct virtio *v, GError **err)
{
    (void)err;
    return realize(v, KIND_KEYBOARD);
}

static bool realize_mouse(struct virtio *v, GError **err)
{
    (void)err;
    return realize(v, KIND_MOUSE);
}

static bool realize_tablet(struct virtio *v, GError **err)
{
    (void)err;
    return realize(v, KIND_TABLET);
}

static void unrealize(struct virtio *v)
{
    struct vinput *d = (struct vinput *)v;

    if (v->dev.machine->input)
        input_remove(v->dev.machine->input, &d->input);
}

static void reset(struct virtio *v)
{
    struct vinput *d = (struct vinput *)v;

    d->n_waiting = 0;
    v->config[C_SELECT] = v->config[C_SUBSEL] = 0;
    fill_config(d);
}

#define INPUT_CLASS(which)                             \
    static const struct virtio_class which##_class = { \
        .name = "virtio-" #which,                      \
        .id = VIRTIO_ID_INPUT,                         \
        .features = features,                          \
        .realize = realize_##which,                    \
        .unrealize = unrealize,                        \
        .reset = reset,                                \
        .set_config = set_config,                      \
        .vectors = 2,                                  \
    };
INPUT_CLASS(keyboard)
INPUT_CLASS(mouse)
INPUT_CLASS(tablet)

/* What was asked for last, so that the answer is there again. */
static void save_select(const void *field, struct state_writer *w)
{
    state_put(w, field, 2);
}

static bool load_select(void *field, struct state_reader *r, GError **err)
{
    return state_get(r, field, 2, err);
}

static const struct state_custom select_state = { save_select, load_select };

static bool loaded(void *obj, unsigned version, GError **err)
{
    (void)version, (void)err;
    ((struct vinput *)obj)->n_waiting = 0;
    fill_config(obj);
    return true;
}

static const struct state_field input_fields[] = {
    VIRTIO_STATE(struct vinput), STATE_CUSTOM(struct vinput, v.config, select_state), STATE_END
};
static const struct state_table input_state = {
    .name = "virtio-input", .version = 1, .fields = input_fields, .post_load = loaded
};

#define INPUT_PROPS PROP_STR(struct vinput, serial, "serial", NULL, "serial number")

VIRTIO_MODERN_TYPES(keyboard, struct vinput, "virtio-keyboard", keyboard_class, VIRTIO_ID_INPUT,
                    0x09, 0x00, INPUT_PROPS, input_state, "keyboard", "input")
VIRTIO_MODERN_TYPES(mouse, struct vinput, "virtio-mouse", mouse_class, VIRTIO_ID_INPUT, 0x09, 0x02,
                    INPUT_PROPS, input_state, "mouse", "input")
VIRTIO_MODERN_TYPES(tablet, struct vinput, "virtio-tablet", tablet_class, VIRTIO_ID_INPUT, 0x09,
                    0x80, INPUT_PROPS, input_state, "tablet, an absolute pointer", "input")
