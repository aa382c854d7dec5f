/*
 * See telnet.h. Options: binary (RFC 856), echo (RFC 857), suppress go-ahead (RFC 858).
 */
#include <string.h>
#include "telnet.h"

enum { SE = 240, BRK = 243, SB = 250, WILL = 251, WONT, DO, DONT, IAC = 255 };
enum { BINARY = 0, ECHO_ = 1, SGA = 3 };

void telnet_start(struct telnet *t, struct stream *s)
{
    static const uint8_t offer[] = { IAC, WILL, ECHO_,  IAC, WILL, SGA,
                                     IAC, WILL, BINARY, IAC, DO,   BINARY };

    *t = (struct telnet){ TEL_DATA, false };
    stream_write(s, offer, sizeof(offer)); /* fits the buffer of a fresh socket */
}

/* The byte after IAC (RFC 854, "TELNET COMMAND STRUCTURE"); true if it is data. */
static bool command(struct telnet *t, struct chardev *chr, uint8_t c)
{
    t->state = c == SB ? TEL_SUB : c >= WILL && c <= DONT ? TEL_OPTION : TEL_DATA;
    if (c == BRK)
        chardev_event(chr, CHARDEV_BREAK);
    return c == IAC;
}

static bool is_data(struct telnet *t, struct chardev *chr, uint8_t c)
{
    switch (t->state) {
    case TEL_CR:
        t->state = TEL_DATA;
        if (c == 0) /* the end of line of a network virtual terminal is CR NUL */
            return false;
        __attribute__((fallthrough));
    case TEL_DATA: t->state = c == IAC ? TEL_IAC : c == '\r' ? TEL_CR : TEL_DATA; return c != IAC;
    case TEL_IAC: return command(t, chr, c);
    case TEL_OPTION: t->state = TEL_DATA; return false;
    case TEL_SUB: t->state = c == IAC ? TEL_SUB_IAC : TEL_SUB; return false;
    case TEL_SUB_IAC: t->state = c == SE ? TEL_DATA : TEL_SUB; return false;
    }
    return false;
}

size_t telnet_input(struct telnet *t, struct chardev *chr, uint8_t *buf, size_t len)
{
    size_t kept = 0;

    for (size_t i = 0; i < len; i++)
        if (is_data(t, chr, buf[i]))
            buf[kept++] = buf[i];
    return kept;
}

size_t telnet_write(struct telnet *t, struct stream *s, const uint8_t *buf, size_t len)
{
    static const uint8_t iac = IAC;
    size_t done = 0;

    while (done < len || t->owes_iac) {
        const uint8_t *end;
        size_t n, taken;

        if (t->owes_iac) {
            if (!stream_write(s, &iac, 1))
                break;
            t->owes_iac = false;
            continue;
        }
        end = memchr(buf + done, IAC, len - done);
        n = end ? (size_t)(end - buf) + 1 - done : len - done;
        taken = stream_write(s, buf + done, n);
        done += taken;
        if (taken < n)
            break;
        t->owes_iac = end != NULL;
    }
    return done;
}
