/*
 * Packets of the gdb protocol: framing there and back, and whatever else may come in. The seed is
 * printed; GDB_PACKET_SEED sets it.
 */
#include <string.h>
#include "gdbstub/packet.h"

static struct packet_reader reader;

static enum packet_event feed(const void *data, size_t len)
{
    const uint8_t *p = data;
    enum packet_event e = PACKET_NONE;

    for (size_t i = 0; i < len; i++) {
        g_assert_cmpint(e, ==, PACKET_NONE);
        e = packet_feed(&reader, p[i]);
    }
    return e;
}

static enum packet_event feed_text(const char *text)
{
    memset(&reader, 0, sizeof(reader));
    return feed(text, strlen(text));
}

static void test_frames(void)
{
    g_assert_cmpint(feed_text("$g#67"), ==, PACKET_READY);
    g_assert_cmpstr(reader.data, ==, "g");
    g_assert_cmpint(feed_text("$#00"), ==, PACKET_READY);
    g_assert_cmpuint(reader.len, ==, 0);
    g_assert_cmpint(feed_text("$g#68"), ==, PACKET_BAD);
    g_assert_cmpint(feed_text("$g#6x"), ==, PACKET_BAD);
    g_assert_cmpint(feed_text("xyz$g#67"), ==, PACKET_READY);
    g_assert_cmpint(feed_text("$half$g#67"), ==, PACKET_READY);
    g_assert_cmpstr(reader.data, ==, "g");
    g_assert_cmpint(feed_text("$X}\x03#d8"), ==, PACKET_READY);
    g_assert_cmpstr(reader.data, ==, "X#");
    g_assert_cmpint(feed_text("+"), ==, PACKET_ACK);
    g_assert_cmpint(feed_text("-"), ==, PACKET_NAK);
    g_assert_cmpint(feed_text("\x03"), ==, PACKET_INTERRUPT);
}

static void test_length(void)
{
    GByteArray *out = g_byte_array_new();
    g_autofree char *data = g_malloc(PACKET_MAX + 1);

    memset(data, 'a', PACKET_MAX + 1);
    packet_encode(out, data, PACKET_MAX);
    feed_text("");
    g_assert_cmpint(feed(out->data, out->len), ==, PACKET_READY);
    g_assert_cmpuint(reader.len, ==, PACKET_MAX);
    g_byte_array_set_size(out, 0);
    packet_encode(out, data, PACKET_MAX + 1);
    g_assert_cmpint(feed(out->data, out->len), ==, PACKET_TOO_LONG);
    g_assert_cmpint(feed("$g#67", 5), ==, PACKET_READY);
    g_byte_array_unref(out);
}

static void test_numbers(void)
{
    const char *text = "1fF,", *p = text, *none = ",",
               *sixteen = "fedcba9876543210:", *seventeen = "00000000000000000";
    uint8_t bytes[4] = { 0 };
    uint64_t val;

    g_assert_true(packet_number(&p, &val));
    g_assert_cmpuint(val, ==, 0x1ff);
    g_assert_true(p == text + 3);
    g_assert_false(packet_number(&none, &val));
    g_assert_true(packet_number(&sixteen, &val));
    g_assert_cmpuint(val, ==, 0xfedcba9876543210u);
    g_assert_cmpint(*sixteen, ==, ':');
    g_assert_false(packet_number(&seventeen, &val));
    g_assert_true(packet_unhex("00ff1A2b", bytes, 4));
    g_assert_cmpuint(bytes[2], ==, 0x1a);
    g_assert_false(packet_unhex("00ff1A2", bytes, 4));
    g_assert_false(packet_unhex("00ff1A2b0", bytes, 4));
    g_assert_false(packet_unhex("00fg1A2b", bytes, 4));
}

static GRand *seeded(void)
{
    const char *text = g_getenv("GDB_PACKET_SEED");
    guint32 seed = text ? (guint32)g_ascii_strtoull(text, NULL, 0) : g_random_int();

    g_test_message("seed %u", seed);
    return g_rand_new_with_seed(seed);
}

/* What is encoded is read again, whatever bytes and with garbage before it. */
static void test_round_trip(void)
{
    GRand *r = seeded();
    GByteArray *out = g_byte_array_new();

    for (unsigned round = 0; round < 2000; round++) {
        uint8_t data[200];
        size_t len = g_rand_int_range(r, 0, sizeof(data) + 1);

        for (size_t i = 0; i < len; i++)
            data[i] = g_rand_int(r);
        g_byte_array_set_size(out, 0);
        packet_encode(out, data, len);
        feed_text("$garbage");
        g_assert_cmpint(feed(out->data, out->len), ==, PACKET_READY);
        g_assert_cmpmem(reader.data, reader.len, data, len);
    }
    g_byte_array_unref(out);
    g_rand_free(r);
}

/* Any bytes at all: never more than fits, and the next packet is always found. */
static void test_garbage(void)
{
    static const char likely[] = "$$$##}}+-\x03"
                                 "0123456789abcdefgGmMXZz,:;";
    GRand *r = seeded();

    feed_text("");
    for (unsigned round = 0; round < 300; round++) {
        unsigned len = g_rand_int_range(r, 0, 2000);

        for (unsigned i = 0; i < len; i++) {
            uint8_t byte = g_rand_boolean(r)
                               ? (uint8_t)likely[g_rand_int_range(r, 0, sizeof(likely) - 1)]
                               : (uint8_t)g_rand_int(r);
            enum packet_event e = packet_feed(&reader, byte);

            g_assert_cmpuint(reader.len, <=, PACKET_MAX);
            if (e == PACKET_READY)
                g_assert_cmpint(reader.data[reader.len], ==, 0);
        }
        /* Two bytes end a checksum, or are in vain. */
        packet_feed(&reader, '0');
        packet_feed(&reader, '0');
        g_assert_cmpint(feed("$m0,4#fd", 8), ==, PACKET_READY);
        g_assert_cmpstr(reader.data, ==, "m0,4");
    }
    g_rand_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gdb-packet/frames", test_frames);
    g_test_add_func("/gdb-packet/length", test_length);
    g_test_add_func("/gdb-packet/numbers", test_numbers);
    g_test_add_func("/gdb-packet/round-trip", test_round_trip);
    g_test_add_func("/gdb-packet/garbage", test_garbage);
    return g_test_run();
}
