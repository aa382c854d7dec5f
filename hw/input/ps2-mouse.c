/* PS/2 mouse with the extensions of Microsoft's IntelliMouse (wheel) and IntelliMouse Explorer
 * (five buttons), which a driver asks for by a sequence of sample rates. */
#include "ps2.h"

#include <base/error.h>

enum {
    SCALE_1 = 0xe6,
    SCALE_2 = 0xe7,
    SET_RESOLUTION = 0xe8,
    STATUS = 0xe9,
    STREAM = 0xea,
    READ_DATA = 0xeb,
    WRAP_OFF = 0xec,
    WRAP_ON = 0xee,
    REMOTE = 0xf0,
    GET_ID = 0xf2,
    SET_RATE = 0xf3,
    ENABLE = 0xf4,
    DISABLE = 0xf5,
    DEFAULTS = 0xf6,
    RESEND = 0xfe,
    RESET = 0xff,
};

#define ID_PLAIN    0
#define ID_WHEEL    3
#define ID_EXPLORER 4

#define PACKET_MAX    4
#define REPLY_ROOM    16 /* kept free of packets */
#define MOVED_MAX     65536
#define STEP_MAX      255
#define PACKET_SIGN_X 0x10
#define PACKET_SIGN_Y 0x20
#define PACKET_ALWAYS 0x08

/* ---- packets ---- */

static int take(int32_t *moved, int limit)
{
    int step = CLAMP(*moved, -limit - 1, limit);

    *moved -= step;
    return step;
}

static uint8_t fourth_byte(const struct ps2_mouse *m, int dz)
{
    if (m->id == ID_WHEEL)
        return (uint8_t)dz;
    return (uint8_t)((dz & 0x0f) | (m->buttons >> 3 & 3) << 4);
}

static void put_packet(struct ps2_mouse *m)
{
    int dx = take(&m->dx, STEP_MAX), dy = take(&m->dy, STEP_MAX), dz = take(&m->dz, 7);

    ps2_put(&m->out, (uint8_t)(PACKET_ALWAYS | (m->buttons & 7) | (dx < 0 ? PACKET_SIGN_X : 0) |
                               (dy < 0 ? PACKET_SIGN_Y : 0)));
    ps2_put(&m->out, (uint8_t)dx);
    ps2_put(&m->out, (uint8_t)dy);
    if (m->id != ID_PLAIN)
        ps2_put(&m->out, fourth_byte(m, dz));
    m->sent_buttons = m->buttons;
}

static bool has_news(const struct ps2_mouse *m)
{
    return m->dx || m->dy || m->dz || m->buttons != m->sent_buttons;
}

void ps2_mouse_refill(struct ps2_mouse *m)
{
    if (!m->enabled || m->remote || m->wrap)
        return;
    while (has_news(m) && ps2_room(&m->out) >= PACKET_MAX + REPLY_ROOM)
        put_packet(m);
}

void ps2_mouse_poke(struct ps2_mouse *m)
{
    if (!m->enabled || m->remote || m->wrap || ps2_room(&m->out) < PACKET_MAX + REPLY_ROOM)
        return;
    put_packet(m);
    m->changed(m->opaque);
}

/* ---- what the user does ---- */

static void add(int32_t *moved, int by)
{
    *moved = CLAMP((int64_t)*moved + by, -MOVED_MAX, MOVED_MAX);
}

static void press(struct ps2_mouse *m, enum input_button b, bool down)
{
    static const uint8_t bits[BUTTON_COUNT] = {
        [BUTTON_LEFT] = 0x01, [BUTTON_RIGHT] = 0x02, [BUTTON_MIDDLE] = 0x04,
        [BUTTON_SIDE] = 0x08, [BUTTON_EXTRA] = 0x10,
    };

    if (b == BUTTON_WHEEL_UP || b == BUTTON_WHEEL_DOWN) {
        if (down && m->id != ID_PLAIN)
            add(&m->dz, b == BUTTON_WHEEL_UP ? -1 : 1);
        return;
    }
    if (m->id != ID_EXPLORER && b >= BUTTON_SIDE)
        return;
    m->buttons = down ? m->buttons | bits[b] : m->buttons & ~bits[b];
}

static void mouse_event(void *opaque, const struct input_event *e)
{
    struct ps2_mouse *m = opaque;

    if (!m->enabled)
        return;
    if (e->kind == INPUT_BUTTON)
        press(m, e->button, e->down);
    else if (e->axis == AXIS_X)
        add(&m->dx, e->value);
    else
        add(&m->dy, -CLAMP(e->value, -MOVED_MAX, MOVED_MAX)); /* up is positive on the wire */
}

static void mouse_sync(void *opaque)
{
    struct ps2_mouse *m = opaque;

    ps2_mouse_refill(m);
    m->changed(m->opaque);
}

const struct input_ops ps2_mouse_input = {
    .name = "PS/2 Mouse",
    .kinds = 1u << INPUT_BUTTON | 1u << INPUT_REL,
    .event = mouse_event,
    .sync = mouse_sync,
};

/* ---- commands ---- */

static void set_defaults(struct ps2_mouse *m)
{
    m->rate = 100;
    m->resolution = 2;
    m->scale2 = m->enabled = m->remote = false;
    m->dx = m->dy = m->dz = 0;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
    m->out.head = m->out.count = m->out.last = 0;
    m->id = ID_PLAIN;
    m->wrap = false;
    m->knock = m->command = 0;
    m->buttons = m->sent_buttons = 0;
    set_defaults(m);
}

/* 200, 100, 80 asks for the wheel, 200, 200, 80 for five buttons. `knock` is how far each got. */
static void knock(struct ps2_mouse *m, uint8_t rate)
{
    enum { NOTHING, FIRST, WHEEL, EXPLORER };

    if (rate == 80 && m->knock == WHEEL)
        m->id = ID_WHEEL;
    else if (rate == 80 && m->knock == EXPLORER)
        m->id = ID_EXPLORER;
    if (rate == 200)
        m->knock = m->knock == FIRST || m->knock == EXPLORER ? EXPLORER : FIRST;
    else if (rate == 100 && m->knock == FIRST)
        m->knock = WHEEL;
    else
        m->knock = NOTHING;
}

static void put_status(struct ps2_mouse *m)
{
    ps2_put(&m->out,
            (uint8_t)((m->remote ? 0x40 : 0) | (m->enabled ? 0x20 : 0) | (m->scale2 ? 0x10 : 0) |
                      (m->buttons & 1) << 2 | (m->buttons & 4) >> 1 | (m->buttons & 2) >> 1));
    ps2_put(&m->out, m->resolution);
    ps2_put(&m->out, m->rate);
}

static void run_command(struct ps2_mouse *m, uint8_t v)
{
    uint8_t last = m->out.last;

    if (v != RESEND)
        ps2_put(&m->out, PS2_ACK);
    switch (v) {
    case SCALE_1: m->scale2 = false; break;
    case SCALE_2: m->scale2 = true; break;
    case SET_RESOLUTION:
    case SET_RATE: m->command = v; break;
    case STATUS: put_status(m); break;
    case STREAM: m->remote = false; break;
    case REMOTE: m->remote = true; break;
    case READ_DATA: put_packet(m); break;
    case WRAP_OFF: m->wrap = false; break;
    case WRAP_ON: m->wrap = true; break;
    case GET_ID: ps2_put(&m->out, m->id); break;
    case ENABLE: m->enabled = true; break;
    case DISABLE: m->enabled = false; break;
    case DEFAULTS: set_defaults(m); break;
    case RESEND: ps2_put(&m->out, last); break;
    case RESET:
        ps2_mouse_reset(m);
        ps2_put(&m->out, PS2_ACK);
        ps2_put(&m->out, PS2_BAT_OK);
        ps2_put(&m->out, m->id);
        break;
    default:
        m->out.count--; /* the acknowledgement */
        ps2_put(&m->out, PS2_RESEND);
        break;
    }
}

static void write_argument(struct ps2_mouse *m, uint8_t v)
{
    if (m->command == SET_RATE) {
        m->rate = v;
        knock(m, v);
    } else {
        m->resolution = v & 3;
    }
    m->command = 0;
    ps2_put(&m->out, PS2_ACK);
}

void ps2_mouse_write(struct ps2_mouse *m, uint8_t b)
{
    /* packets that nobody took yet are dropped for the reply (all commands but Resend) */
    if (b != RESEND)
        m->out.head = m->out.count = 0;
    if (m->wrap && b != WRAP_OFF && b != RESET)
        ps2_put(&m->out, b);
    else if (m->command)
        write_argument(m, b);
    else
        run_command(m, b);
    m->changed(m->opaque);
}

static bool mouse_loaded(void *obj, unsigned version, GError **err)
{
    const struct ps2_mouse *m = obj;

    (void)version;
    if (m->id != ID_PLAIN && m->id != ID_WHEEL && m->id != ID_EXPLORER)
        return error_set(err, "saved state: i8042: there is no mouse of type %u", m->id);
    if (ABS((int64_t)m->dx) > MOVED_MAX || ABS((int64_t)m->dy) > MOVED_MAX ||
        ABS((int64_t)m->dz) > MOVED_MAX)
        return error_set(err, "saved state: i8042: the mouse has moved too far");
    return true;
}

static const struct state_field mouse_fields[] = { STATE_STRUCT(struct ps2_mouse, out,
                                                                ps2_queue_state),
                                                   STATE_U8(struct ps2_mouse, id),
                                                   STATE_BOOL(struct ps2_mouse, enabled),
                                                   STATE_BOOL(struct ps2_mouse, remote),
                                                   STATE_BOOL(struct ps2_mouse, wrap),
                                                   STATE_BOOL(struct ps2_mouse, scale2),
                                                   STATE_U8(struct ps2_mouse, resolution),
                                                   STATE_U8(struct ps2_mouse, rate),
                                                   STATE_U8(struct ps2_mouse, knock),
                                                   STATE_U8(struct ps2_mouse, command),
                                                   STATE_U8(struct ps2_mouse, buttons),
                                                   STATE_U8(struct ps2_mouse, sent_buttons),
                                                   STATE_I32(struct ps2_mouse, dx),
                                                   STATE_I32(struct ps2_mouse, dy),
                                                   STATE_I32(struct ps2_mouse, dz),
                                                   STATE_END };
const struct state_table ps2_mouse_state = {
    .name = "ps2-mouse", .version = 1, .fields = mouse_fields, .post_load = mouse_loaded
};
