/*
 * Framing of packets, byte by byte, and hexadecimal numbers.
 */
#include "packet.h"

int packet_digit(char c)
{
    return g_ascii_xdigit_value(c);
}

static void begin(struct packet_reader *r)
{
    r->state = READ_DATA;
    r->len = 0;
    r->sum = 0;
    r->overflow = r->bad_digit = false;
}

static void add(struct packet_reader *r, uint8_t byte)
{
    if (r->len < PACKET_MAX)
        r->data[r->len++] = (char)byte;
    else
        r->overflow = true;
}

static void take_digit(struct packet_reader *r, uint8_t byte)
{
    int digit = packet_digit((char)byte);

    r->bad_digit |= digit < 0;
    r->told = (uint8_t)(r->told << 4 | (digit & 15));
}

static enum packet_event idle(struct packet_reader *r, uint8_t byte)
{
    switch (byte) {
    case '$': begin(r); return PACKET_NONE;
    case '+': return PACKET_ACK;
    case '-': return PACKET_NAK;
    case 3: return PACKET_INTERRUPT;
    default: return PACKET_NONE; /* noise between packets */
    }
}

static enum packet_event finish(struct packet_reader *r)
{
    r->state = READ_IDLE;
    r->data[r->len] = 0;
    if (r->bad_digit || r->told != r->sum)
        return PACKET_BAD;
    return r->overflow ? PACKET_TOO_LONG : PACKET_READY;
}

static enum packet_event data(struct packet_reader *r, uint8_t byte)
{
    switch (byte) {
    case '$': begin(r); break; /* the rest of the one before was lost */
    case '#': r->state = READ_SUM1; break;
    case '}':
        r->sum += byte;
        r->state = READ_ESCAPE;
        break;
    default: r->sum += byte; add(r, byte);
    }
    return PACKET_NONE;
}

enum packet_event packet_feed(struct packet_reader *r, uint8_t byte)
{
    switch (r->state) {
    case READ_IDLE: return idle(r, byte);
    case READ_DATA: return data(r, byte);
    case READ_ESCAPE:
        r->state = READ_DATA;
        r->sum += byte;
        add(r, byte ^ 0x20);
        return PACKET_NONE;
    case READ_SUM1:
        r->state = READ_SUM2;
        r->told = 0;
        take_digit(r, byte);
        return PACKET_NONE;
    default: take_digit(r, byte); return finish(r);
    }
}

static bool needs_escape(uint8_t byte)
{
    return byte == '$' || byte == '#' || byte == '}' || byte == '*';
}

void packet_encode(GByteArray *out, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint8_t sum = 0;
    char tail[4];

    g_byte_array_append(out, (const guint8 *)"$", 1);
    for (size_t i = 0; i < len; i++) {
        const uint8_t escaped[2] = { '}', p[i] ^ 0x20 };
        bool two = needs_escape(p[i]);

        g_byte_array_append(out, two ? escaped : p + i, two ? 2 : 1);
        sum += two ? escaped[0] + escaped[1] : p[i];
    }
    snprintf(tail, sizeof(tail), "#%02x", sum);
    g_byte_array_append(out, (const guint8 *)tail, 3);
}

bool packet_number(const char **p, uint64_t *val)
{
    const char *start = *p;

    *val = 0;
    for (; packet_digit(**p) >= 0; (*p)++) {
        if (*p - start == 16)
            return false;
        *val = *val << 4 | (unsigned)packet_digit(**p);
    }
    return *p > start;
}

void packet_hex(GString *out, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        g_string_append_c(out, digits[p[i] >> 4]);
        g_string_append_c(out, digits[p[i] & 15]);
    }
}

bool packet_unhex(const char *hex, void *data, size_t len)
{
    uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        int high = packet_digit(hex[2 * i]);
        int low = high < 0 ? -1 : packet_digit(hex[2 * i + 1]);

        if (low < 0)
            return false;
        p[i] = (uint8_t)(high << 4 | low);
    }
    return hex[2 * len] == 0;
}
