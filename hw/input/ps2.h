/*
 * PS/2 keyboard and mouse, as parts of the 8042 (IBM PS/2 Hardware Interface Technical Reference):
 * bytes to them, bytes from them.
 */
#ifndef PS2_H
#define PS2_H

#include <hw/core/machine.h>
#include <ui/input.h>

#define PS2_QUEUE 64

#define PS2_ACK     0xfa
#define PS2_RESEND  0xfe
#define PS2_BAT_OK  0xaa
#define PS2_NO_BYTE (-1)

struct ps2_queue {
    uint8_t data[PS2_QUEUE];
    uint8_t head, count;
    uint8_t last; /* for the command Resend */
};
extern const struct state_table ps2_queue_state;

/* A byte that does not fit is dropped. */
void ps2_put(struct ps2_queue *q, uint8_t b);
int ps2_get(struct ps2_queue *q);
static inline unsigned ps2_room(const struct ps2_queue *q)
{
    return PS2_QUEUE - q->count;
}

/* The controller's side: there may be bytes to be had now. */
typedef void ps2_changed_fn(void *opaque);

struct ps2_kbd {
    struct input_device input;
    ps2_changed_fn *changed;
    void *opaque;
    struct ps2_queue out;
    uint8_t set; /* scan code set, 1 to 3 */
    bool enabled;
    uint8_t leds, rate;
    uint8_t command;        /* whose argument comes next, 0 for none */
    uint8_t set3_kinds[32]; /* set 3: bit for each code that makes no break code */
};
extern const struct state_table ps2_kbd_state;
extern const struct input_ops ps2_kbd_input;
void ps2_kbd_reset(struct ps2_kbd *k);
void ps2_kbd_write(struct ps2_kbd *k, uint8_t b);

struct ps2_mouse {
    struct input_device input;
    ps2_changed_fn *changed;
    void *opaque;
    struct ps2_queue out;
    uint8_t id; /* 0: three bytes a packet; 3: wheel; 4: wheel and five buttons */
    bool enabled, remote, wrap, scale2;
    uint8_t resolution, rate;
    uint8_t knock; /* of the sequences of rates that change the ID */
    uint8_t command;
    uint8_t buttons, sent_buttons; /* bits 0 to 4: left, right, middle, side, extra */
    int32_t dx, dy, dz;            /* not sent yet; up is positive as on the wire, but for dz */
};
extern const struct state_table ps2_mouse_state;
extern const struct input_ops ps2_mouse_input;
void ps2_mouse_reset(struct ps2_mouse *m);
void ps2_mouse_write(struct ps2_mouse *m, uint8_t b);
/* Sends a packet although nothing happened. */
void ps2_mouse_poke(struct ps2_mouse *m);
/* There is room in the queue again: what has moved meanwhile. */
void ps2_mouse_refill(struct ps2_mouse *m);

#endif
