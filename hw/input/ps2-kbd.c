/* PS/2 keyboard: scan code sets 1 to 3 and its commands; and the queue that mice have, too. */
#include "ps2.h"

#include <string.h>
#include <base/error.h>

#define BREAK        0xf0
#define DEFAULT_RATE 0x2b /* 10.9 characters a second after half a second */
#define EVENT_ROOM   16   /* kept free of keys, for replies */

enum {
    SET_LEDS = 0xed,
    ECHO = 0xee,
    SCAN_SET = 0xf0,
    IDENTIFY = 0xf2,
    SET_RATE = 0xf3,
    ENABLE = 0xf4,
    DISABLE = 0xf5,
    DEFAULTS = 0xf6,
    ALL_TYPEMATIC = 0xf7,
    ALL_MAKE_BREAK = 0xf8,
    ALL_MAKE = 0xf9,
    ALL_BOTH = 0xfa,
    KEY_TYPEMATIC = 0xfb,
    KEY_MAKE_BREAK = 0xfc,
    KEY_MAKE = 0xfd,
    RESEND = 0xfe,
    RESET = 0xff,
};

/* ---- the queue ---- */

void ps2_put(struct ps2_queue *q, uint8_t b)
{
    if (q->count < PS2_QUEUE)
        q->data[(q->head + q->count++) % PS2_QUEUE] = b;
}

int ps2_get(struct ps2_queue *q)
{
    if (!q->count)
        return PS2_NO_BYTE;
    q->last = q->data[q->head];
    q->head = (uint8_t)((q->head + 1) % PS2_QUEUE);
    q->count--;
    return q->last;
}

static bool queue_loaded(void *obj, unsigned version, GError **err)
{
    const struct ps2_queue *q = obj;

    (void)version;
    if (q->head < PS2_QUEUE && q->count <= PS2_QUEUE)
        return true;
    return error_set(err, "saved state: i8042: queue index out of range");
}

static const struct state_field queue_fields[] = { STATE_BUF(struct ps2_queue, data),
                                                   STATE_U8(struct ps2_queue, head),
                                                   STATE_U8(struct ps2_queue, count),
                                                   STATE_U8(struct ps2_queue, last), STATE_END };
const struct state_table ps2_queue_state = {
    .name = "ps2-queue", .version = 1, .fields = queue_fields, .post_load = queue_loaded
};

/* ---- keys ---- */

static void put_prefixed(struct ps2_kbd *k, uint16_t code)
{
    if (code >> 8)
        ps2_put(&k->out, (uint8_t)(code >> 8));
}

/* Pause has no break code; its make code looks like Ctrl and Num Lock coming and going. */
static void put_pause(struct ps2_kbd *k)
{
    static const uint8_t set1[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
    static const uint8_t set2[] = { 0xe1, 0x14, 0x77, 0xe1, BREAK, 0x14, BREAK, 0x77 };

    if (k->set == 1)
        for (unsigned i = 0; i < sizeof(set1); i++)
            ps2_put(&k->out, set1[i]);
    else
        for (unsigned i = 0; i < sizeof(set2); i++)
            ps2_put(&k->out, set2[i]);
}

static void put_key(struct ps2_kbd *k, uint16_t code, bool down)
{
    uint8_t c = (uint8_t)code;

    if (k->set == 3 && !down && (k->set3_kinds[c / 8] >> c % 8 & 1))
        return;
    put_prefixed(k, code);
    if (k->set == 1) {
        ps2_put(&k->out, down ? c : c | 0x80);
        return;
    }
    if (!down)
        ps2_put(&k->out, BREAK);
    ps2_put(&k->out, c);
}

static void kbd_event(void *opaque, const struct input_event *e)
{
    struct ps2_kbd *k = opaque;
    uint16_t code = key_code(e->key, k->set);

    if (!k->enabled || !code || ps2_room(&k->out) < EVENT_ROOM)
        return;
    if (e->key != KEY_PAUSE || k->set == 3)
        put_key(k, code, e->down);
    else if (e->down)
        put_pause(k);
    k->changed(k->opaque);
}

const struct input_ops ps2_kbd_input = {
    .name = "PS/2 Keyboard",
    .kinds = 1u << INPUT_KEY,
    .event = kbd_event,
};

/* ---- commands ---- */

static void set_defaults(struct ps2_kbd *k)
{
    k->set = 2;
    k->rate = DEFAULT_RATE;
    memset(k->set3_kinds, 0, sizeof(k->set3_kinds));
}

static void clear(struct ps2_queue *q)
{
    q->head = q->count = 0;
}

void ps2_kbd_reset(struct ps2_kbd *k)
{
    clear(&k->out);
    k->out.last = 0;
    k->leds = 0;
    k->command = 0;
    k->enabled = true;
    set_defaults(k);
}

static void reply(struct ps2_kbd *k, uint8_t b)
{
    ps2_put(&k->out, b);
}

static void write_argument(struct ps2_kbd *k, uint8_t v)
{
    uint8_t command = k->command;

    k->command = 0;
    reply(k, PS2_ACK);
    switch (command) {
    case SET_LEDS: k->leds = v & 7; break;
    case SET_RATE: k->rate = v & 0x7f; break;
    case SCAN_SET:
        if (!v)
            reply(k, k->set);
        else if (v <= 3)
            k->set = v;
        break;
    case KEY_TYPEMATIC:
    case KEY_MAKE_BREAK:
    case KEY_MAKE:
        if (command == KEY_MAKE_BREAK)
            k->set3_kinds[v / 8] &= (uint8_t) ~(1u << v % 8);
        else
            k->set3_kinds[v / 8] |= (uint8_t)(1u << v % 8);
        k->command = command; /* more keys, until another command comes */
        break;
    }
}

static void run_command(struct ps2_kbd *k, uint8_t v)
{
    switch (v) {
    case ECHO: reply(k, ECHO); return;
    case RESEND: reply(k, k->out.last); return;
    case SET_LEDS:
    case SCAN_SET:
    case SET_RATE:
    case KEY_TYPEMATIC:
    case KEY_MAKE_BREAK:
    case KEY_MAKE: k->command = v; break;
    case IDENTIFY:
        reply(k, PS2_ACK);
        reply(k, 0xab);
        reply(k, 0x83);
        return;
    case ENABLE:
        clear(&k->out);
        k->enabled = true;
        break;
    case DISABLE:
    case DEFAULTS:
        clear(&k->out);
        set_defaults(k);
        k->enabled = v == DEFAULTS;
        break;
    case ALL_TYPEMATIC:
    case ALL_MAKE: memset(k->set3_kinds, 0xff, sizeof(k->set3_kinds)); break;
    case ALL_MAKE_BREAK:
    case ALL_BOTH: memset(k->set3_kinds, 0, sizeof(k->set3_kinds)); break;
    case RESET:
        ps2_kbd_reset(k);
        reply(k, PS2_ACK);
        reply(k, PS2_BAT_OK);
        return;
    default: reply(k, PS2_RESEND); return;
    }
    reply(k, PS2_ACK);
}

void ps2_kbd_write(struct ps2_kbd *k, uint8_t b)
{
    bool sets_keys = k->command >= KEY_TYPEMATIC && k->command <= KEY_MAKE;

    /* a command where an argument should be ends the earlier command */
    if (k->command && (b < SET_LEDS || (k->command == SET_LEDS && b < 8)))
        write_argument(k, b);
    else {
        k->command = 0;
        if (!sets_keys || b >= SET_LEDS)
            run_command(k, b);
    }
    k->changed(k->opaque);
}

static bool kbd_loaded(void *obj, unsigned version, GError **err)
{
    const struct ps2_kbd *k = obj;

    (void)version;
    if (k->set >= 1 && k->set <= 3)
        return true;
    return error_set(err, "saved state: i8042: there is no scan code set %u", k->set);
}

static const struct state_field kbd_fields[] = { STATE_STRUCT(struct ps2_kbd, out, ps2_queue_state),
                                                 STATE_U8(struct ps2_kbd, set),
                                                 STATE_BOOL(struct ps2_kbd, enabled),
                                                 STATE_U8(struct ps2_kbd, leds),
                                                 STATE_U8(struct ps2_kbd, rate),
                                                 STATE_U8(struct ps2_kbd, command),
                                                 STATE_BUF(struct ps2_kbd, set3_kinds),
                                                 STATE_END };
const struct state_table ps2_kbd_state = {
    .name = "ps2-kbd", .version = 1, .fields = kbd_fields, .post_load = kbd_loaded
};
