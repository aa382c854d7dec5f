/* Keyboard controller, PS/2 keyboard and mouse, and who gets what is typed. */
#include <base/clock.h>
#include <base/loop.h>
#include <ui/input.h>
#include "testboard.h"

enum { DATA = 0x60, COMMAND = 0x64, PORTA = 0x92 };
enum { OBF = 0x01, AUX = 0x20 };

static struct loop *loop;
static struct machine *m;
static bool irqs[2], a20;

static uint8_t in(uint16_t port)
{
    return space_ld8(&m->ports, port, 0, NULL);
}

static void out(uint16_t port, uint8_t v)
{
    space_st8(&m->ports, port, v, 0);
}

static void irq_changed(void *opaque, unsigned n, bool level)
{
    ((bool *)opaque)[n] = level;
}

/* The bytes that come next, from keyboard or (aux) mouse, and no more. */
static void expect(bool aux, const char *hex)
{
    g_autoptr(GString) got = g_string_new(NULL);
    uint8_t status;

    while ((status = in(COMMAND)) & OBF) {
        g_assert_cmpint(!!(status & AUX), ==, aux);
        g_assert_true(irqs[aux]);
        g_string_append_printf(got, got->len ? " %02x" : "%02x", in(DATA));
    }
    g_assert_false(irqs[aux]);
    g_assert_cmpstr(got->str, ==, hex);
}

static void kbd(uint8_t v, const char *reply)
{
    out(DATA, v);
    expect(false, reply);
}

static void mouse(uint8_t v, const char *reply)
{
    out(COMMAND, 0xd4);
    out(DATA, v);
    expect(true, reply);
}

static void press(enum key k)
{
    input_key(m->input, k, true);
    input_key(m->input, k, false);
    input_sync(m->input);
}

static void set_mode(uint8_t v)
{
    out(COMMAND, 0x60);
    out(DATA, v);
}

static uint8_t ask(uint8_t command)
{
    out(COMMAND, command);
    g_assert_true(in(COMMAND)&OBF);
    return in(DATA);
}

static void reset(void)
{
    machine_reset(m, CAUSE_NONE);
    set_mode(0x47);
}

static void test_controller(void)
{
    reset();
    g_assert_cmphex(ask(0xaa), ==, 0x55);
    g_assert_cmphex(ask(0xab), ==, 0x00);
    g_assert_cmphex(ask(0xa9), ==, 0x00);
    g_assert_cmphex(ask(0x20), ==, 0x47);
    g_assert_cmphex(in(COMMAND)&0x0c, ==, 0x0c);
    out(COMMAND, 0xd3);
    out(DATA, 0x5a);
    expect(true, "5a");
    out(COMMAND, 0xd2);
    out(DATA, 0xa5);
    expect(false, "a5");
    /* a disabled keyboard keeps what it has */
    out(COMMAND, 0xad);
    press(KEY_A);
    expect(false, "");
    out(COMMAND, 0xae);
    expect(false, "1e 9e");
    set_mode(0x46); /* no interrupts */
    press(KEY_B);
    g_assert_false(irqs[0]);
    g_assert_cmphex(in(DATA), ==, 0x30);
    set_mode(0x47);
    expect(false, "b0");
}

static void test_a20(void)
{
    reset();
    g_assert_true(a20);
    g_assert_cmphex(ask(0xd0) & 3, ==, 3);
    out(COMMAND, 0xd1);
    out(DATA, 0xdd);
    g_assert_false(a20);
    g_assert_cmphex(in(PORTA)&2, ==, 0);
    out(PORTA, 2);
    g_assert_true(a20);
    out(COMMAND, 0xdd);
    g_assert_false(a20);
    out(COMMAND, 0xdf);
    g_assert_true(a20);
}

static void test_sets(void)
{
    reset();
    press(KEY_DELETE);
    expect(false, "e0 53 e0 d3");
    press(KEY_PAUSE);
    expect(false, "e1 1d 45 e1 9d c5");
    press(KEY_F7);
    expect(false, "41 c1");
    set_mode(0x07); /* untranslated */
    press(KEY_DELETE);
    expect(false, "e0 71 e0 f0 71");
    kbd(0xf0, "fa");
    kbd(0x00, "fa 02");
    kbd(0xf0, "fa");
    kbd(0x01, "fa");
    press(KEY_DELETE);
    expect(false, "e0 53 e0 d3");
    kbd(0xf0, "fa");
    kbd(0x03, "fa");
    press(KEY_DELETE);
    expect(false, "64 f0 64");
    kbd(0xfd, "fa"); /* no break code for this one */
    kbd(0x64, "fa");
    press(KEY_DELETE);
    expect(false, "64");
}

static void test_kbd_commands(void)
{
    GByteArray *state = g_byte_array_new();
    GError *err = NULL;

    reset();
    kbd(0xff, "fa aa");
    kbd(0xf2, "fa ab 41"); /* translated */
    kbd(0xee, "ee");
    kbd(0xed, "fa");
    kbd(0x07, "fa");
    kbd(0xf3, "fa");
    kbd(0xf4, "fa"); /* a command, not a rate */
    kbd(0x01, "fe");
    kbd(0xfe, "fe");
    kbd(0xf5, "fa");
    press(KEY_A);
    expect(false, "");
    kbd(0xf4, "fa");
    press(KEY_A);
    machine_save(m, state);
    expect(false, "1e 9e");
    g_assert_true(machine_load(m, state->data, state->len, &err));
    expect(false, "1e 9e");
    g_byte_array_free(state, TRUE);
}

static void set_rates(uint8_t a, uint8_t b, uint8_t c)
{
    const uint8_t rates[] = { a, b, c };

    for (unsigned i = 0; i < 3; i++) {
        mouse(0xf3, "fa");
        mouse(rates[i], "fa");
    }
}

static void test_mouse(void)
{
    reset();
    mouse(0xff, "fa aa 00");
    mouse(0xf2, "fa 00");
    mouse(0xe9, "fa 00 02 64");
    input_move(m->input, 5, 5);
    input_sync(m->input);
    expect(true, ""); /* not enabled */
    mouse(0xf4, "fa");
    input_move(m->input, 5, 3);
    input_sync(m->input);
    expect(true, "28 05 fd");
    input_move(m->input, -300, 0);
    input_sync(m->input);
    expect(true, "18 00 00 18 d4 00");
    input_button(m->input, BUTTON_RIGHT, true);
    input_sync(m->input);
    expect(true, "0a 00 00");
    mouse(0xe9, "fa 21 02 64");
    input_button(m->input, BUTTON_RIGHT, false);
    input_sync(m->input);
    expect(true, "08 00 00");

    set_rates(200, 100, 80);
    mouse(0xf2, "fa 03");
    input_button(m->input, BUTTON_WHEEL_DOWN, true);
    input_button(m->input, BUTTON_WHEEL_DOWN, false);
    input_sync(m->input);
    expect(true, "08 00 00 01");
    set_rates(200, 200, 80);
    mouse(0xf2, "fa 04");
    input_button(m->input, BUTTON_EXTRA, true);
    input_button(m->input, BUTTON_WHEEL_UP, true);
    input_sync(m->input);
    expect(true, "08 00 00 2f");

    mouse(0xf0, "fa"); /* remote: only when asked */
    input_move(m->input, 1, 0);
    input_sync(m->input);
    expect(true, "");
    mouse(0xeb, "fa 08 01 00 20");
    mouse(0xee, "fa");
    mouse(0x12, "12");
    mouse(0xec, "fa");
}

static void test_typing(void)
{
    static const enum key keys[] = { KEY_CTRL, KEY_C }, other[] = { KEY_X };

    reset();
    input_type(m->input, keys, 2, 100);
    input_type(m->input, other, 1, 50);
    expect(false, "1d 2e");
    clock_advance(loop, 99 * NS_PER_MS);
    expect(false, "");
    clock_advance(loop, 1 * NS_PER_MS);
    expect(false, "ae 9d");
    clock_advance(loop, 50 * NS_PER_MS);
    expect(false, "2d");
    clock_advance(loop, 50 * NS_PER_MS);
    expect(false, "ad");
    g_assert_cmpint(key_by_name("kp_enter", 8), ==, KEY_KP_ENTER);
    g_assert_cmpint(key_by_number(0x9c), ==, KEY_KP_ENTER);
    g_assert_cmpint(key_by_number(0xffff), ==, KEY_NONE);
}

int main(int argc, char **argv)
{
    static const uint16_t ports[] = { DATA, COMMAND, PORTA };
    struct device *dev;
    int r;

    g_test_init(&argc, &argv, NULL);
    m = testboard_new(&loop);
    dev = testboard_add(m, "i8042", NULL, 0);
    for (unsigned i = 0; i < 3; i++)
        mem_region_add(&m->io, ports[i], dev->regions[i]);
    for (unsigned i = 0; i < 2; i++)
        device_connect_irq(dev, i, (struct irq_line){ irq_changed, irqs, i });
    device_connect_irq_named(dev, "a20", 0, (struct irq_line){ irq_changed, &a20, 0 });
    g_test_add_func("/i8042/controller", test_controller);
    g_test_add_func("/i8042/a20", test_a20);
    g_test_add_func("/i8042/sets", test_sets);
    g_test_add_func("/i8042/kbd-commands", test_kbd_commands);
    g_test_add_func("/i8042/mouse", test_mouse);
    g_test_add_func("/i8042/typing", test_typing);
    r = g_test_run();
    testboard_free(m, loop);
    return r;
}
