/* The channel to spice-vdagent: an agent made of bytes, and what a hostile one may send. */
#include <string.h>
#include <base/bits.h>
#include <ui/vdagent.h>

enum { MOUSE_STATE = 1, MONITORS = 2, CLIPBOARD = 4, CAPS = 6, GRAB = 7, REQUEST = 8 };
enum {
    CAP_MOUSE = 1 << 0,
    CAP_MONITORS = 1 << 1,
    CAP_DEMAND = 1 << 5,
    CAP_SELECTION = 1 << 6,
    CAP_CRLF = 1 << 9,
};
enum { USUAL = CAP_MOUSE | CAP_MONITORS | CAP_DEMAND | CAP_SELECTION };

struct rig {
    struct clipboard *clip;
    struct clipboard_peer peer; /* a window */
    struct input *input;
    struct consoles *consoles;
    struct console *con;
    struct vdagent *v;
    char *copied; /* what the window was told */
    unsigned readable;
};

static void copied(void *opaque, const char *text)
{
    struct rig *r = opaque;

    g_free(r->copied);
    r->copied = g_strdup(text);
}

static void readable(void *opaque)
{
    ((struct rig *)opaque)->readable++;
}

static void rig_open(struct rig *r)
{
    static const struct console_ops none;
    struct vdagent_config cfg;

    *r = (struct rig){ .clip = clipboard_new(),
                       .input = input_new(NULL),
                       .consoles = consoles_new(NULL) };
    r->peer = (struct clipboard_peer){ .changed = copied, .opaque = r };
    clipboard_join(r->clip, &r->peer);
    r->con = console_add(r->consoles, &none, NULL, "screen", 0);
    console_resize(r->con, 800, 600);
    cfg = (struct vdagent_config){ r->clip, r->input, r->consoles, readable, r };
    r->v = vdagent_new(&cfg);
}

static void rig_close(struct rig *r)
{
    vdagent_free(r->v);
    console_remove(r->con);
    consoles_free(r->consoles);
    input_free(r->input);
    clipboard_leave(r->clip, &r->peer);
    clipboard_free(r->clip);
    g_free(r->copied);
}

/* ---- the agent ---- */

/* A message in chunks of `chunk` bytes, handed over in pieces of `piece`. */
static void say_in(struct rig *r, uint32_t type, const void *data, size_t len, size_t chunk,
                   size_t piece)
{
    g_autoptr(GByteArray) msg = g_byte_array_new(), wire = g_byte_array_new();
    uint8_t head[20] = { 0 };

    stl_le(head, 1);
    stl_le(head + 4, type);
    stl_le(head + 16, (uint32_t)len);
    g_byte_array_append(msg, head, sizeof(head));
    g_byte_array_append(msg, data, (guint)len);
    for (size_t at = 0; at < msg->len; at += chunk) {
        size_t n = MIN(chunk, msg->len - at);

        stl_le(head, 1);
        stl_le(head + 4, (uint32_t)n);
        g_byte_array_append(wire, head, 8);
        g_byte_array_append(wire, msg->data + at, (guint)n);
    }
    for (size_t at = 0; at < wire->len; at += piece)
        vdagent_receive(r->v, wire->data + at, MIN(piece, wire->len - at));
}

static void say(struct rig *r, uint32_t type, const void *data, size_t len)
{
    say_in(r, type, data, len, 2048, 4096);
}

static void say_caps(struct rig *r, uint32_t caps, bool ask)
{
    uint8_t data[8];

    stl_le(data, ask);
    stl_le(data + 4, caps);
    say(r, CAPS, data, sizeof(data));
}

/* About selection 0, with a format and what follows. */
static void say_clip(struct rig *r, uint32_t type, uint32_t format, const char *text)
{
    g_autoptr(GByteArray) a = g_byte_array_new();
    uint8_t head[8] = { 0 };

    stl_le(head + 4, format);
    g_byte_array_append(a, head, sizeof(head));
    g_byte_array_append(a, (const uint8_t *)text, (guint)strlen(text));
    say(r, type, a->data, a->len);
}

/* Reads a message, whose body is the caller's; checks the chunks. NULL: there is none. */
static GByteArray *hear(struct rig *r, uint32_t *type)
{
    GByteArray *msg = g_byte_array_new();
    uint8_t buf[2048];
    size_t want = 20;

    while (msg->len < want) {
        uint32_t n;

        if (!vdagent_read(r->v, buf, 8)) {
            g_assert_cmpuint(msg->len, ==, 0);
            g_byte_array_free(msg, TRUE);
            return NULL;
        }
        n = ldl_le(buf + 4);
        g_assert_cmpuint(ldl_le(buf), ==, 1);
        g_assert_cmpuint(n, <=, sizeof(buf));
        for (uint32_t at = 0; at < n;) {
            size_t got = vdagent_read(r->v, buf, MIN(n - at, 100));

            g_assert_cmpuint(got, >, 0);
            g_byte_array_append(msg, buf, (guint)got);
            at += (uint32_t)got;
        }
        if (msg->len >= 20)
            want = 20 + ldl_le(msg->data + 16);
    }
    g_assert_cmpuint(msg->len, ==, want);
    g_assert_cmpuint(ldl_le(msg->data), ==, 1);
    *type = ldl_le(msg->data + 4);
    g_byte_array_remove_range(msg, 0, 20);
    return msg;
}

static void expect(struct rig *r, uint32_t type, const void *data, size_t len)
{
    uint32_t got = 0;
    g_autoptr(GByteArray) msg = hear(r, &got);

    g_assert_nonnull(msg);
    g_assert_cmpuint(got, ==, type);
    g_assert_cmpmem(msg->data, msg->len, data, len);
}

static void expect_clip(struct rig *r, uint32_t type, uint32_t format, const char *text)
{
    g_autoptr(GByteArray) a = g_byte_array_new();
    uint8_t head[8] = { 0 };

    stl_le(head + 4, format);
    g_byte_array_append(a, head, sizeof(head));
    g_byte_array_append(a, (const uint8_t *)text, (guint)strlen(text));
    expect(r, type, a->data, a->len);
}

static void expect_nothing(struct rig *r)
{
    uint8_t b;

    g_assert_cmpuint(vdagent_read(r->v, &b, 1), ==, 0);
}

static void greet(struct rig *r, uint32_t caps)
{
    uint8_t data[8] = { 1 };

    stl_le(data + 4, USUAL);
    vdagent_connected(r->v, true);
    expect(r, CAPS, data, sizeof(data));
    say_caps(r, caps, false);
}

/* ---- tests ---- */

static void test_greeting(void)
{
    uint8_t data[8] = { 0 };
    struct rig r;

    rig_open(&r);
    g_assert_nonnull(strstr(clipboard_trouble(r.clip), "spice-vdagent"));
    greet(&r, USUAL);
    g_assert_null(clipboard_trouble(r.clip));
    g_assert_true(input_takes(r.input, INPUT_ABS));
    say_caps(&r, CAP_MOUSE, true);
    stl_le(data + 4, USUAL);
    expect(&r, CAPS, data, sizeof(data));
    g_assert_nonnull(strstr(clipboard_trouble(r.clip), "no text"));
    vdagent_connected(r.v, false);
    g_assert_false(input_takes(r.input, INPUT_ABS));
    g_assert_false(console_takes_size(r.con));
    rig_close(&r);
}

static void test_to_guest(void)
{
    struct rig r;

    rig_open(&r);
    clipboard_set(r.clip, &r.peer, "early");
    greet(&r, USUAL);
    expect_clip(&r, GRAB, 1, "");
    clipboard_set(r.clip, &r.peer, "one\ntwo \xc3\xa9");
    g_assert_cmpuint(r.readable, >=, 2);
    expect_clip(&r, GRAB, 1, "");
    say_clip(&r, REQUEST, 1, "");
    expect_clip(&r, CLIPBOARD, 1, "one\ntwo \xc3\xa9");
    say_clip(&r, REQUEST, 2, "");
    expect_clip(&r, CLIPBOARD, 0, "");
    say_caps(&r, USUAL | CAP_CRLF, false);
    expect_clip(&r, GRAB, 1, "");
    say_clip(&r, REQUEST, 1, "");
    expect_clip(&r, CLIPBOARD, 1, "one\r\ntwo \xc3\xa9");
    expect_nothing(&r);
    rig_close(&r);
}

static void test_from_guest(void)
{
    g_autofree char *text = g_strnfill(100000, 'x');
    struct rig r;

    rig_open(&r);
    greet(&r, USUAL);
    say_clip(&r, CLIPBOARD, 1, "nobody asked");
    g_assert_null(r.copied);
    say_clip(&r, GRAB, 1, "");
    expect_clip(&r, REQUEST, 1, "");
    say_clip(&r, CLIPBOARD, 1, "a\r\nb");
    g_assert_cmpstr(r.copied, ==, "a\nb");
    say(&r, GRAB, "\0\0\0\0\2\0\0\0\1\0\0\0", 12); /* a picture, or text */
    expect_clip(&r, REQUEST, 1, "");
    say_clip(&r, CLIPBOARD, 1, text);
    g_assert_cmpstr(r.copied, ==, text);
    say(&r, GRAB, "\1\0\0\0\1\0\0\0", 8); /* what is selected */
    say(&r, GRAB, "\0\0\0\0\2\0\0\0", 8); /* only a picture */
    expect_nothing(&r);
    say_clip(&r, GRAB, 1, "");
    expect_clip(&r, REQUEST, 1, "");
    say_clip(&r, CLIPBOARD, 1, "\xff\xfe");
    g_assert_cmpstr(r.copied, ==, text);
    rig_close(&r);
}

static void test_pointer_and_size(void)
{
    uint8_t mouse[13] = { 0 }, size[28] = { 1 };
    struct rig r;

    rig_open(&r);
    greet(&r, USUAL);
    input_point(r.input, 799, 300, 800, 600);
    input_button(r.input, BUTTON_LEFT, true);
    input_sync(r.input);
    stl_le(mouse, 799);
    stl_le(mouse + 4, 300);
    stl_le(mouse + 8, 2);
    expect(&r, MOUSE_STATE, mouse, sizeof(mouse));
    g_assert_true(console_takes_size(r.con));
    console_want_size(r.con, 1024, 768);
    console_want_size(r.con, 1024, 768);
    stl_le(size + 8, 768);
    stl_le(size + 12, 1024);
    stl_le(size + 16, 32);
    expect(&r, MONITORS, size, sizeof(size));
    expect_nothing(&r);
    rig_close(&r);
}

static void test_pieces(void)
{
    struct rig r;

    rig_open(&r);
    greet(&r, USUAL);
    for (size_t chunk = 1; chunk < 40; chunk += 3) {
        for (size_t piece = 1; piece < 40; piece += 5) {
            g_autofree char *text = g_strdup_printf("%zu/%zu", chunk, piece);
            g_autofree char *body = g_strdup_printf("....\1...%s", text);

            say_clip(&r, GRAB, 1, "");
            expect_clip(&r, REQUEST, 1, "");
            memcpy(body, "\0\0\0\0\1\0\0\0", 8);
            say_in(&r, CLIPBOARD, body, 8 + strlen(text), chunk, piece);
            g_assert_cmpstr(r.copied, ==, text);
        }
    }
    rig_close(&r);
}

/* Sizes that lie, ports that there are not, bodies that are cut: the next message is understood. */
static void test_hostile(void)
{
    static const uint32_t sizes[] = { 0xffffffff, 0x80000000, CLIPBOARD_MAX + 65, 1 << 20 };
    struct rig r;

    rig_open(&r);
    greet(&r, USUAL);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint8_t wire[28] = { 0 };

        stl_le(wire, 1);
        stl_le(wire + 4, 20);
        stl_le(wire + 8, 1);
        stl_le(wire + 12, CLIPBOARD);
        stl_le(wire + 24, sizes[i]);
        vdagent_receive(r.v, wire, sizeof(wire));
        vdagent_connected(r.v, false);
        greet(&r, USUAL);
        stl_le(wire, i);
        stl_le(wire + 4, sizes[i]);
        vdagent_receive(r.v, wire, sizeof(wire));
        vdagent_connected(r.v, false);
        greet(&r, USUAL);
    }
    for (uint32_t type = 0; type < 20; type++)
        for (size_t len = 0; len < 16; len++)
            say(&r, type, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", len);
    vdagent_connected(r.v, false);
    greet(&r, USUAL);
    say_clip(&r, GRAB, 1, "");
    expect_clip(&r, REQUEST, 1, "");
    rig_close(&r);
}

/* A guest that asks and never reads. */
static void test_greedy(void)
{
    g_autofree char *text = g_strnfill(CLIPBOARD_MAX, 'x');
    size_t total = 0, n;
    uint8_t buf[4096];
    struct rig r;

    rig_open(&r);
    clipboard_set(r.clip, &r.peer, text);
    greet(&r, USUAL);
    for (unsigned i = 0; i < 1000; i++)
        say_clip(&r, REQUEST, 1, "");
    for (unsigned i = 0; i < 200000; i++)
        say_caps(&r, USUAL, true);
    while ((n = vdagent_read(r.v, buf, sizeof(buf))))
        total += n;
    g_assert_cmpuint(total, <, 4 * CLIPBOARD_MAX);
    say_clip(&r, REQUEST, 1, "");
    expect_clip(&r, CLIPBOARD, 1, text);
    rig_close(&r);
}

static void test_noise(void)
{
    uint32_t caps[2] = { 0, USUAL };
    struct rig r;

    rig_open(&r);
    greet(&r, USUAL);
    for (unsigned round = 0; round < 3000; round++) {
        uint8_t buf[300];
        size_t n = (size_t)g_test_rand_int_range(1, sizeof(buf));

        for (size_t i = 0; i < n; i++)
            buf[i] = (uint8_t)g_test_rand_int_range(0, i % 4 ? 2 : 256);
        say(&r, (uint32_t)g_test_rand_int_range(0, 18), buf, n);
        if (round % 16 == 0)
            vdagent_receive(r.v, buf, n);
        if (round % 64 == 0) {
            vdagent_connected(r.v, round % 128);
            say(&r, CAPS, caps, sizeof(caps));
        }
    }
    rig_close(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vdagent/greeting", test_greeting);
    g_test_add_func("/vdagent/to-guest", test_to_guest);
    g_test_add_func("/vdagent/from-guest", test_from_guest);
    g_test_add_func("/vdagent/pointer-and-size", test_pointer_and_size);
    g_test_add_func("/vdagent/pieces", test_pieces);
    g_test_add_func("/vdagent/hostile", test_hostile);
    g_test_add_func("/vdagent/greedy", test_greedy);
    g_test_add_func("/vdagent/noise", test_noise);
    return g_test_run();
}
