/*
 * Keyboards, mice and tablets: from whoever moves them (windows, VNC, monitors) to the devices of
 * one machine.
 *
 *     input_add(in, &k->input, &kbd_ops, k);              a device, in realize
 *     input_key(in, KEY_A, true); input_sync(in);         a display
 *
 * Each kind of event goes to one device: the one added, or chosen, last of those that want it.
 * Device lock throughout.
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

struct input;
struct loop;

enum key {
    KEY_NONE, /* QKeyCode "unmapped" */
#define KEY(id, name, set1, set2, set3) KEY_##id,
#include <ui/keys.def>
#undef KEY
    KEY_COUNT
};
/* As QMP's QKeyCode spells it; KEY_NONE for a name that there is not. */
const char *key_name(enum key k);
enum key key_by_name(const char *name, size_t len);
/* Names by number, NULL at the end. */
extern const char *const key_names[];
/* Code in scan code set 1, 2 or 3; prefix in the high byte, 0 for none. */
uint16_t key_code(enum key k, unsigned set);
/* By QMP's numbers: set 1, bit 7 for the prefix e0. */
enum key key_by_number(unsigned number);

enum input_button {
    BUTTON_LEFT,
    BUTTON_MIDDLE,
    BUTTON_RIGHT,
    BUTTON_WHEEL_UP,
    BUTTON_WHEEL_DOWN,
    BUTTON_SIDE,
    BUTTON_EXTRA,
    BUTTON_COUNT
};

enum input_kind { INPUT_KEY, INPUT_BUTTON, INPUT_REL, INPUT_ABS };
enum input_axis { AXIS_X, AXIS_Y };
#define INPUT_ABS_MAX 0x7fff

struct input_event {
    enum input_kind kind;
    enum key key;
    enum input_button button;
    bool down; /* KEY and BUTTON */
    enum input_axis axis;
    int value; /* REL: steps, down and right are positive; ABS: 0 to INPUT_ABS_MAX */
};

struct input_ops {
    const char *name;
    unsigned kinds; /* 1 << enum input_kind */
    void (*event)(void *opaque, const struct input_event *e);
    /* What came since the last call belongs together. Optional. */
    void (*sync)(void *opaque);
};

/* Embed it; fields are private. */
struct input_device {
    const struct input_ops *ops;
    void *opaque;
    unsigned index;
};

struct input *input_new(struct loop *loop);
/* All devices are gone. */
void input_free(struct input *in);

void input_add(struct input *in, struct input_device *dev, const struct input_ops *ops,
               void *opaque);
void input_remove(struct input *in, struct input_device *dev);
/* Makes it the one that gets its kinds of events; false: no device has this index. */
bool input_choose(struct input *in, unsigned index);
void input_foreach(struct input *in,
                   void (*fn)(const struct input_device *dev, bool current, void *opaque),
                   void *opaque);

/* Whether somebody takes this kind. */
bool input_takes(const struct input *in, enum input_kind kind);

/* Lights of the keyboard, as the guest sets them. */
enum { LED_SCROLL = 1, LED_NUM = 2, LED_CAPS = 4 };
void input_set_leds(struct input *in, unsigned leds);
unsigned input_leds(const struct input *in);

/* Tells displays of lights and of pointers that came or went; the struct is the caller's. Members
 * may be NULL. */
struct input_watch {
    void (*leds)(void *opaque, unsigned leds);
    void (*devices)(void *opaque);
    /* Events come: somebody does something with the machine. */
    void (*active)(void *opaque);
    void *opaque;
};
void input_add_watch(struct input *in, struct input_watch *w);
void input_remove_watch(struct input *in, struct input_watch *w);

/* Keys that one display holds down, so that it can let go of them. Zeroed: none. */
struct keys_held {
    uint8_t down[(KEY_COUNT + 7) / 8];
};
static inline bool key_held(const struct keys_held *h, enum key k)
{
    return h->down[k / 8] >> k % 8 & 1;
}
/* Sends the key and notes it; input_sync() is the caller's. */
void input_hold(struct input *in, struct keys_held *h, enum key k, bool down);
/* Lets go of all, if there are any. */
void input_release(struct input *in, struct keys_held *h);

/* False: nobody takes this kind. */
bool input_send(struct input *in, const struct input_event *e);
void input_sync(struct input *in);
bool input_key(struct input *in, enum key k, bool down);
bool input_button(struct input *in, enum input_button b, bool down);
bool input_move(struct input *in, int dx, int dy);
/* To pixel (x, y) of a picture of that size. */
bool input_point(struct input *in, unsigned x, unsigned y, unsigned width, unsigned height);

/* Presses the keys together, and lets them go `hold_ms` of the guest's time later; after what was
 * typed before. */
void input_type(struct input *in, const enum key *keys, unsigned n, unsigned hold_ms);

#endif
