/*
 * Packets of the gdb remote serial protocol: "$data#checksum", told from the acknowledgements and
 * interrupts between them, and the numbers within them (gdb manual, "Overview" of the protocol).
 *
 * Nothing that is fed can do harm: a packet has a greatest length, and numbers end where they end.
 */
#ifndef GDBSTUB_PACKET_H
#define GDBSTUB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

#define PACKET_MAX 0x4000 /* bytes of data that gdb may send at once; told in qSupported */

enum packet_event {
    PACKET_NONE,      /* nothing yet */
    PACKET_READY,     /* data and len hold one */
    PACKET_BAD,       /* its checksum is wrong */
    PACKET_TOO_LONG,  /* it was complete, but more than PACKET_MAX */
    PACKET_ACK,       /* '+' */
    PACKET_NAK,       /* '-': send the last one again */
    PACKET_INTERRUPT, /* C-c */
};

/* Zeroed: at the beginning. */
struct packet_reader {
    enum { READ_IDLE, READ_DATA, READ_ESCAPE, READ_SUM1, READ_SUM2 } state;
    uint8_t sum, told;
    bool overflow, bad_digit;
    size_t len;
    char data[PACKET_MAX + 1]; /* escapes undone, a NUL behind it */
};

enum packet_event packet_feed(struct packet_reader *r, uint8_t byte);
/* Appends @data as a packet, escaped where it must be. */
void packet_encode(GByteArray *out, const void *data, size_t len);

/* Value of a hexadecimal digit, or -1. */
int packet_digit(char c);
/* Reads 1 to 16 hexadecimal digits at *p and moves *p behind them; false if there are none or
 * more. */
bool packet_number(const char **p, uint64_t *val);
/* Appends @len bytes as hexadecimal digits. */
void packet_hex(GString *out, const void *data, size_t len);
/* Reads @len bytes from 2 * @len digits; false at anything else. @hex ends in NUL. */
bool packet_unhex(const char *hex, void *data, size_t len);

#endif
