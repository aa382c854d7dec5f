/*
 * A back end over file descriptors: reads only what the front end has room for, writes without
 * blocking. Used by stdio, pty, file, pipe and socket.
 */
#ifndef CHARDEV_STREAM_H
#define CHARDEV_STREAM_H

#include "backend.h"

struct stream {
    struct chardev *chr;
    int rfd, wfd; /* may be equal; -1: no such direction. Not owned. */
    bool socket;  /* send()/recvmsg() instead of write()/read() */
    GSource *in, *out, *hup;
    int passed_fd; /* newest from SCM_RIGHTS, or -1 */
    /* Input ended; @in is gone. NULL: nothing more comes, output goes on. */
    void (*eof)(struct stream *s);
    /* If set, rewrites received bytes in place before delivery, returns how many remain. */
    size_t (*filter)(struct stream *s, uint8_t *buf, size_t len);
    /* The peer hung up while the front end did not read and left data behind. Optional. */
    void (*hangup)(struct stream *s);
    bool peer_gone;
};

void stream_init(struct stream *s, struct chardev *chr);
/* Takes over descriptors that are open; stream_stop() comes before they are closed. */
void stream_start(struct stream *s, int rfd, int wfd, bool socket);
void stream_stop(struct stream *s);
/* As the operations of struct chardev_type. */
void stream_accept_input(struct stream *s);
size_t stream_write(struct stream *s, const uint8_t *buf, size_t len);
int stream_take_fd(struct stream *s);

#endif
