/*
 * VMware's absolute pointer: packets of four words in a queue that the guest empties through
 * vmport. See hw/misc/vmport.h.
 */
#include <hw/input/i8042.h>
#include <hw/isa/isa.h>
#include <hw/misc/vmport.h>
#include <string.h>
#include <base/error.h>
#include <ui/input.h>

enum { ABS_DATA = 39, ABS_STATUS = 40, ABS_COMMAND = 41 };
enum {
    DISABLE = 0x000000f5,
    READ_ID = 0x45414552,
    REQUEST_RELATIVE = 0x4c455252,
    REQUEST_ABSOLUTE = 0x53424152,
};

#define VERSION_ID   0x3442554au
#define STATUS_ERROR 0xffff0000u
#define PACKET_REL   0x00010000u /* with the buttons */
#define PACKET_WORDS 4
#define QUEUE_WORDS  1024

enum { BUTTON_BIT_LEFT = 0x20, BUTTON_BIT_RIGHT = 0x10, BUTTON_BIT_MIDDLE = 0x08 };

struct vmmouse {
    struct device dev;
    struct device *i8042;
    struct input_device input;
    bool listening; /* takes the pointer's events; derived */

    uint32_t queue[QUEUE_WORDS];
    uint32_t count;
    bool failed, active, absolute;
    uint32_t buttons;
    int32_t x, y, dz; /* 0 to 0xffff absolute, else what moved */
    bool news;
};

/* ---- events ---- */

static void put_packet(struct vmmouse *m)
{
    uint32_t *p = m->queue + m->count;

    if (m->count + PACKET_WORDS > QUEUE_WORDS)
        return;
    p[0] = m->buttons | (m->absolute ? 0 : PACKET_REL);
    p[1] = (uint32_t)m->x;
    p[2] = (uint32_t)m->y;
    p[3] = (uint32_t)m->dz;
    m->count += PACKET_WORDS;
    if (!m->absolute)
        m->x = m->y = 0;
    m->dz = 0;
}

static void press(struct vmmouse *m, enum input_button b, bool down)
{
    static const uint8_t bits[BUTTON_COUNT] = { [BUTTON_LEFT] = BUTTON_BIT_LEFT,
                                                [BUTTON_RIGHT] = BUTTON_BIT_RIGHT,
                                                [BUTTON_MIDDLE] = BUTTON_BIT_MIDDLE };

    if (b == BUTTON_WHEEL_UP || b == BUTTON_WHEEL_DOWN)
        m->dz += !down ? 0 : b == BUTTON_WHEEL_UP ? -1 : 1;
    else
        m->buttons = down ? m->buttons | bits[b] : m->buttons & ~(uint32_t)bits[b];
}

static void mouse_event(void *opaque, const struct input_event *e)
{
    struct vmmouse *m = opaque;
    int32_t *axis = e->axis == AXIS_X ? &m->x : &m->y;

    m->news = true;
    if (e->kind == INPUT_BUTTON)
        press(m, e->button, e->down);
    else if (e->kind == INPUT_ABS)
        *axis = CLAMP(e->value, 0, INPUT_ABS_MAX) * 2;
    else
        *axis = CLAMP((int64_t)*axis + (e->axis == AXIS_X ? e->value : -(int64_t)e->value), -0x8000,
                      0x7fff);
}

static void mouse_sync(void *opaque)
{
    struct vmmouse *m = opaque;

    if (!m->news)
        return;
    m->news = false;
    put_packet(m);
    i8042_poke_mouse(m->i8042);
}

static const struct input_ops absolute_input = {
    .name = "vmmouse",
    .kinds = 1u << INPUT_BUTTON | 1u << INPUT_ABS,
    .event = mouse_event,
    .sync = mouse_sync,
};
static const struct input_ops relative_input = {
    .name = "vmmouse",
    .kinds = 1u << INPUT_BUTTON | 1u << INPUT_REL,
    .event = mouse_event,
    .sync = mouse_sync,
};

/* Takes the pointer's events while the guest wants them so, and not before. */
static void listen(struct vmmouse *m)
{
    struct input *input = m->dev.machine->input;

    if (m->listening)
        input_remove(input, &m->input);
    m->listening = m->active && input;
    if (m->listening)
        input_add(input, &m->input, m->absolute ? &absolute_input : &relative_input, m);
}

/* ---- commands ---- */

static void get_status(void *opaque, uint32_t *r)
{
    const struct vmmouse *m = opaque;

    r[VMPORT_EAX] = m->failed ? STATUS_ERROR : m->count;
}

/* EBX words, at most what there are registers for. */
static void get_data(void *opaque, uint32_t *r)
{
    struct vmmouse *m = opaque;
    uint32_t n = r[VMPORT_EBX];

    if (n > VMPORT_REGS || n > m->count) {
        m->failed = true;
        m->count = 0;
        return;
    }
    memcpy(r, m->queue, n * sizeof(*r));
    m->count -= n;
    memmove(m->queue, m->queue + n, m->count * sizeof(*r));
}

static void reset_queue(struct vmmouse *m)
{
    m->count = 0;
    m->failed = m->news = false;
    m->x = m->y = m->dz = 0;
}

static void do_command(void *opaque, uint32_t *r)
{
    struct vmmouse *m = opaque;

    switch (r[VMPORT_EBX]) {
    case READ_ID:
        reset_queue(m);
        m->queue[m->count++] = VERSION_ID;
        break;
    case DISABLE:
        m->failed = true;
        m->active = false;
        m->count = 0;
        break;
    case REQUEST_ABSOLUTE:
    case REQUEST_RELATIVE:
        m->absolute = r[VMPORT_EBX] == REQUEST_ABSOLUTE;
        m->x = m->y = 0;
        m->active = true;
        break;
    default: return;
    }
    listen(m);
}

void vmmouse_connect(struct device *vmmouse, struct device *vmport, struct device *i8042)
{
    ((struct vmmouse *)vmmouse)->i8042 = i8042;
    vmport_set_command(vmport, ABS_DATA, get_data, vmmouse);
    vmport_set_command(vmport, ABS_STATUS, get_status, vmmouse);
    vmport_set_command(vmport, ABS_COMMAND, do_command, vmmouse);
}

/* ---- life ---- */

static bool vmmouse_realize(struct device *dev, GError **err)
{
    (void)dev, (void)err;
    return true;
}

static void vmmouse_reset(struct device *dev)
{
    struct vmmouse *m = (struct vmmouse *)dev;

    reset_queue(m);
    m->failed = true; /* until it is asked for its ID */
    m->active = m->absolute = false;
    m->buttons = 0;
    listen(m);
}

static void vmmouse_unrealize(struct device *dev)
{
    struct vmmouse *m = (struct vmmouse *)dev;

    m->active = false;
    listen(m);
}

static bool vmmouse_loaded(void *obj, unsigned version, GError **err)
{
    struct vmmouse *m = obj;

    (void)version;
    if (m->count > QUEUE_WORDS)
        return error_set(err, "saved state: vmmouse: %u words in the queue", m->count);
    listen(m);
    return true;
}

static const struct state_field vmmouse_fields[] = { STATE_ARRAY(struct vmmouse, queue),
                                                     STATE_U32(struct vmmouse, count),
                                                     STATE_BOOL(struct vmmouse, failed),
                                                     STATE_BOOL(struct vmmouse, active),
                                                     STATE_BOOL(struct vmmouse, absolute),
                                                     STATE_U32(struct vmmouse, buttons),
                                                     STATE_I32(struct vmmouse, x),
                                                     STATE_I32(struct vmmouse, y),
                                                     STATE_I32(struct vmmouse, dz),
                                                     STATE_BOOL(struct vmmouse, news),
                                                     STATE_END };
static const struct state_table vmmouse_state = {
    .name = "vmmouse", .version = 1, .fields = vmmouse_fields, .post_load = vmmouse_loaded
};

const struct device_type vmmouse_type = {
    .name = "vmmouse",
    .help = "VMware's absolute pointer",
    .bus = BUS_ISA,
    .size = sizeof(struct vmmouse),
    .internal = true,
    .category = "input",
    .realize = vmmouse_realize,
    .reset = vmmouse_reset,
    .unrealize = vmmouse_unrealize,
    .state = &vmmouse_state,
};
