/*
 * Keyboard controller (Intel 8042 as programmed for the IBM PS/2; IBM PS/2 Hardware Interface
 * Technical Reference, "Keyboard and auxiliary device controller"), with port 92h, which drives the
 * same A20 and reset lines.
 */
#include <hw/input/i8042.h>

#include <string.h>
#include <base/error.h>
#include <base/log.h>
#include "ps2.h"

#define STATUS_OBF      0x01
#define STATUS_SYSTEM   0x04
#define STATUS_COMMAND  0x08
#define STATUS_UNLOCKED 0x10
#define STATUS_AUX      0x20

#define MODE_KBD_IRQ   0x01
#define MODE_AUX_IRQ   0x02
#define MODE_SYSTEM    0x04
#define MODE_KBD_OFF   0x10
#define MODE_AUX_OFF   0x20
#define MODE_TRANSLATE 0x40

#define OUT_RUN     0x01 /* low resets the CPU */
#define OUT_A20     0x02
#define OUT_KBD_IRQ 0x10
#define OUT_AUX_IRQ 0x20
#define PORTA_RESET 0x01
#define PORTA_A20   0x02

#define RAM_SIZE 32
#define BREAK    0xf0

enum {
    READ_RAM = 0x20,  /* to 0x3f */
    WRITE_RAM = 0x60, /* to 0x7f */
    TEST_PASSWORD = 0xa4,
    AUX_DISABLE = 0xa7,
    AUX_ENABLE = 0xa8,
    AUX_TEST = 0xa9,
    SELF_TEST = 0xaa,
    KBD_TEST = 0xab,
    KBD_DISABLE = 0xad,
    KBD_ENABLE = 0xae,
    READ_INPUT = 0xc0,
    READ_OUTPUT = 0xd0,
    WRITE_OUTPUT = 0xd1,
    WRITE_KBD_BUFFER = 0xd2,
    WRITE_AUX_BUFFER = 0xd3,
    WRITE_AUX = 0xd4,
    A20_OFF = 0xdd,
    A20_ON = 0xdf,
    READ_TEST = 0xe0,
    PULSE = 0xf0, /* to 0xff: bits that are 0 are pulsed low */
};

enum source { NOBODY, CONTROLLER, KEYBOARD, AUX };

struct i8042 {
    struct device dev;
    struct mem_region data_io, command_io, porta_io;
    struct irq_line irq[2], a20_line;

    uint8_t ram[RAM_SIZE];         /* [0]: the command byte */
    uint8_t buffer;                /* the output buffer */
    uint8_t from;                  /* enum source: whose byte is in it */
    uint8_t command;               /* whose argument comes next, 0 for none */
    bool last_command;             /* the last write was to 64h */
    bool a20, broken;              /* A20 is on; a break prefix was translated away */
    uint8_t replies[2], n_replies; /* of the controller: byte and what it comes from */
    struct ps2_kbd kbd;
    struct ps2_mouse mouse;
};

/* ---- translation of set 2 to set 1 ---- */

static const uint8_t set1_of[0x85] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29,
    0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11,
    0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14,
    0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24,
    0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35,
    0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36,
    0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c,
    0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
    0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, 0x80, 0x81, 0x82, 0x41, 0x54,
};

/* The break prefix becomes bit 7 of the code that follows. */
static int translate(struct i8042 *s, uint8_t b)
{
    uint8_t c = b < sizeof(set1_of) ? set1_of[b] : b;

    if (b == BREAK) {
        s->broken = true;
        return PS2_NO_BYTE;
    }
    if (s->broken)
        c |= 0x80;
    s->broken = false;
    return c;
}

static int next_key(struct i8042 *s)
{
    int b;

    do {
        b = ps2_get(&s->kbd.out);
        if (b == PS2_NO_BYTE || !(s->ram[0] & MODE_TRANSLATE))
            return b;
        b = translate(s, (uint8_t)b);
    } while (b == PS2_NO_BYTE);
    return b;
}

/* ---- the output buffer ---- */

static void update_irqs(struct i8042 *s)
{
    irq_set(&s->irq[0], s->from && s->from != AUX && (s->ram[0] & MODE_KBD_IRQ));
    irq_set(&s->irq[1], s->from == AUX && (s->ram[0] & MODE_AUX_IRQ));
}

static void show(struct i8042 *s, uint8_t b, enum source from)
{
    s->buffer = b;
    s->from = from;
    update_irqs(s);
}

/* Takes the next byte there is, when the buffer is empty: replies of the controller first. */
static void fill(struct i8042 *s)
{
    int b = PS2_NO_BYTE;

    if (s->from)
        return;
    if (s->n_replies) {
        s->n_replies = 0;
        show(s, s->replies[0], s->replies[1]);
        return;
    }
    if (!(s->ram[0] & MODE_KBD_OFF))
        b = next_key(s);
    if (b != PS2_NO_BYTE) {
        show(s, (uint8_t)b, KEYBOARD);
        return;
    }
    if (s->ram[0] & MODE_AUX_OFF)
        return;
    ps2_mouse_refill(&s->mouse);
    b = ps2_get(&s->mouse.out);
    if (b != PS2_NO_BYTE)
        show(s, (uint8_t)b, AUX);
}

static void device_changed(void *opaque)
{
    struct i8042 *s = opaque;

    fill(s);
    if (s->dev.machine->input)
        input_set_leds(s->dev.machine->input, s->kbd.leds);
}

/* Shown as soon as the buffer is empty. */
static void reply(struct i8042 *s, uint8_t b, enum source from)
{
    s->replies[0] = b;
    s->replies[1] = (uint8_t)from;
    s->n_replies = 1;
    fill(s);
}

static uint64_t data_read(void *opaque, uint64_t offset, unsigned size)
{
    struct i8042 *s = opaque;
    uint8_t b = s->buffer;

    (void)offset, (void)size;
    s->from = NOBODY;
    update_irqs(s);
    fill(s);
    return b;
}

/* ---- commands ---- */

static void set_a20(struct i8042 *s, bool on)
{
    s->a20 = on;
    irq_set(&s->a20_line, on);
}

static void reset_cpu(struct i8042 *s)
{
    machine_request_reset(s->dev.machine, CAUSE_GUEST_RESET);
}

static uint8_t output_port(const struct i8042 *s)
{
    return OUT_RUN | (s->a20 ? OUT_A20 : 0) | (s->from && s->from != AUX ? OUT_KBD_IRQ : 0) |
           (s->from == AUX ? OUT_AUX_IRQ : 0);
}

static void write_output_port(struct i8042 *s, uint8_t v)
{
    set_a20(s, v & OUT_A20);
    if (!(v & OUT_RUN))
        reset_cpu(s);
}

static void write_mode(struct i8042 *s, uint8_t set, uint8_t clear)
{
    s->ram[0] = (s->ram[0] & ~clear) | set;
    update_irqs(s);
    fill(s);
}

static void run_command(struct i8042 *s, uint8_t v)
{
    if (v >= READ_RAM && v < READ_RAM + RAM_SIZE) {
        reply(s, s->ram[v - READ_RAM], CONTROLLER);
        return;
    }
    if ((v >= WRITE_RAM && v < WRITE_RAM + RAM_SIZE) || (v >= WRITE_OUTPUT && v <= WRITE_AUX)) {
        s->command = v;
        return;
    }
    if (v >= PULSE) {
        if (!(v & 1))
            reset_cpu(s);
        return;
    }
    switch (v) {
    case TEST_PASSWORD: reply(s, 0xf1, CONTROLLER); break; /* none is set */
    case AUX_DISABLE: write_mode(s, MODE_AUX_OFF, 0); break;
    case AUX_ENABLE: write_mode(s, 0, MODE_AUX_OFF); break;
    case AUX_TEST:
    case KBD_TEST: reply(s, 0x00, CONTROLLER); break;
    case SELF_TEST:
        s->ram[0] |= MODE_SYSTEM;
        reply(s, 0x55, CONTROLLER);
        break;
    case KBD_DISABLE: write_mode(s, MODE_KBD_OFF, 0); break;
    case KBD_ENABLE: write_mode(s, 0, MODE_KBD_OFF); break;
    case READ_INPUT: reply(s, 0x80, CONTROLLER); break; /* keyboard not locked */
    case READ_OUTPUT: reply(s, output_port(s), CONTROLLER); break;
    case A20_OFF: set_a20(s, false); break;
    case A20_ON: set_a20(s, true); break;
    case READ_TEST: reply(s, 0x00, CONTROLLER); break;
    default: log_guest_error("i8042: command 0x%02x means nothing\n", v); break;
    }
}

static void write_argument(struct i8042 *s, uint8_t v)
{
    uint8_t command = s->command;

    s->command = 0;
    switch (command) {
    case WRITE_OUTPUT: write_output_port(s, v); break;
    case WRITE_KBD_BUFFER: reply(s, v, KEYBOARD); break;
    case WRITE_AUX_BUFFER: reply(s, v, AUX); break;
    case WRITE_AUX:
        s->ram[0] &= ~MODE_AUX_OFF;
        ps2_mouse_write(&s->mouse, v);
        break;
    default:
        s->ram[command - WRITE_RAM] = v;
        update_irqs(s);
        fill(s);
        break;
    }
}

static void data_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8042 *s = opaque;

    (void)offset, (void)size;
    s->last_command = false;
    if (s->command) {
        write_argument(s, (uint8_t)value);
    } else {
        s->ram[0] &= ~MODE_KBD_OFF; /* a byte for the keyboard starts its clock */
        ps2_kbd_write(&s->kbd, (uint8_t)value);
    }
}

static uint64_t command_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct i8042 *s = opaque;

    (void)offset, (void)size;
    return STATUS_UNLOCKED | (s->from ? STATUS_OBF : 0) |
           (s->ram[0] & MODE_SYSTEM ? STATUS_SYSTEM : 0) | (s->last_command ? STATUS_COMMAND : 0) |
           (s->from == AUX ? STATUS_AUX : 0);
}

static void command_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8042 *s = opaque;

    (void)offset, (void)size;
    s->last_command = true;
    s->command = 0;
    run_command(s, (uint8_t)value);
}

static uint64_t porta_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)offset, (void)size;
    return ((const struct i8042 *)opaque)->a20 ? PORTA_A20 : 0;
}

static void porta_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8042 *s = opaque;

    (void)offset, (void)size;
    set_a20(s, value & PORTA_A20);
    if (value & PORTA_RESET)
        reset_cpu(s);
}

static const struct io_ops data_io = { .read = data_read,
                                       .write = data_write,
                                       .own_sizes = { 1, 1 } };
static const struct io_ops command_io = { .read = command_read,
                                          .write = command_write,
                                          .own_sizes = { 1, 1 } };
static const struct io_ops porta_io = { .read = porta_read,
                                        .write = porta_write,
                                        .own_sizes = { 1, 1 } };

/* ---- the device ---- */

void i8042_poke_mouse(struct device *i8042)
{
    ps2_mouse_poke(&((struct i8042 *)i8042)->mouse);
}

static bool i8042_realize(struct device *dev, GError **err)
{
    struct i8042 *s = (struct i8042 *)dev;
    struct input *input = dev->machine->input;

    (void)err;
    s->kbd.changed = s->mouse.changed = device_changed;
    s->kbd.opaque = s->mouse.opaque = s;
    mem_region_init_io(&s->data_io, device_mem(dev), &data_io, s, "i8042-data", 1);
    mem_region_init_io(&s->command_io, device_mem(dev), &command_io, s, "i8042-cmd", 1);
    mem_region_init_io(&s->porta_io, device_mem(dev), &porta_io, s, "port92", 1);
    device_add_region(dev, &s->data_io);
    device_add_region(dev, &s->command_io);
    device_add_region(dev, &s->porta_io);
    device_irq_outs(dev, NULL, s->irq, 2);
    device_irq_outs(dev, "a20", &s->a20_line, 1);
    if (input) {
        input_add(input, &s->kbd.input, &ps2_kbd_input, &s->kbd);
        input_add(input, &s->mouse.input, &ps2_mouse_input, &s->mouse);
    }
    return true;
}

static void i8042_unrealize(struct device *dev)
{
    struct i8042 *s = (struct i8042 *)dev;
    struct input *input = dev->machine->input;

    if (input) {
        input_remove(input, &s->kbd.input);
        input_remove(input, &s->mouse.input);
    }
    mem_region_destroy(&s->data_io);
    mem_region_destroy(&s->command_io);
    mem_region_destroy(&s->porta_io);
}

/* As a self test leaves it, with translation on, as boards' own firmware would have it. */
static void i8042_reset(struct device *dev)
{
    struct i8042 *s = (struct i8042 *)dev;

    memset(s->ram, 0, sizeof(s->ram));
    s->ram[0] = MODE_KBD_IRQ | MODE_AUX_IRQ | MODE_TRANSLATE;
    s->buffer = s->command = s->n_replies = 0;
    s->from = NOBODY;
    s->last_command = s->broken = false;
    ps2_kbd_reset(&s->kbd);
    ps2_mouse_reset(&s->mouse);
    update_irqs(s);
    set_a20(s, true);
}

static bool i8042_loaded(void *obj, unsigned version, GError **err)
{
    struct i8042 *s = obj;
    uint8_t c = s->command;

    (void)version;
    if (s->from > AUX || s->n_replies > 1 || s->replies[1] > AUX ||
        (c && !(c >= WRITE_RAM && c < WRITE_RAM + RAM_SIZE) &&
         !(c >= WRITE_OUTPUT && c <= WRITE_AUX)))
        return error_set(err, "saved state: i8042: buffer or command out of range");
    update_irqs(s);
    set_a20(s, s->a20);
    return true;
}

static const struct state_field i8042_fields[] = { STATE_BUF(struct i8042, ram),
                                                   STATE_U8(struct i8042, buffer),
                                                   STATE_U8(struct i8042, from),
                                                   STATE_U8(struct i8042, command),
                                                   STATE_BOOL(struct i8042, last_command),
                                                   STATE_BOOL(struct i8042, a20),
                                                   STATE_BOOL(struct i8042, broken),
                                                   STATE_BUF(struct i8042, replies),
                                                   STATE_U8(struct i8042, n_replies),
                                                   STATE_STRUCT(struct i8042, kbd, ps2_kbd_state),
                                                   STATE_STRUCT(struct i8042, mouse,
                                                                ps2_mouse_state),
                                                   STATE_END };
static const struct state_table i8042_state = {
    .name = "i8042", .version = 1, .fields = i8042_fields, .post_load = i8042_loaded
};

const struct device_type i8042_type = {
    .name = "i8042",
    .help = "keyboard controller with PS/2 keyboard and mouse, and port 92h",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct i8042),
    .internal = true,
    .category = "input",
    .realize = i8042_realize,
    .reset = i8042_reset,
    .unrealize = i8042_unrealize,
    .state = &i8042_state,
};
