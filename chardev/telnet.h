/*
 * The telnet protocol (RFC 854) on a socket: commands of the peer are taken out of the stream.
 */
#ifndef CHARDEV_TELNET_H
#define CHARDEV_TELNET_H

#include "stream.h"

struct telnet {
    enum { TEL_DATA, TEL_CR, TEL_IAC, TEL_OPTION, TEL_SUB, TEL_SUB_IAC } state;
    bool owes_iac; /* a 255 was sent, its double not yet */
};

/* Starts a connection: offers character-at-a-time mode with remote echo. */
void telnet_start(struct telnet *t, struct stream *s);
/* Takes commands out of @buf; a break is told to the front end. Returns the bytes of data left. */
size_t telnet_input(struct telnet *t, struct chardev *chr, uint8_t *buf, size_t len);
/* As stream_write(), data byte 255 doubled. */
size_t telnet_write(struct telnet *t, struct stream *s, const uint8_t *buf, size_t len);

#endif
