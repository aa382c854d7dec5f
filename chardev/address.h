/*
 * Where a socket listens or connects to: unix path or abstract name, TCP host and port.
 */
#ifndef CHARDEV_ADDRESS_H
#define CHARDEV_ADDRESS_H

#include <sys/socket.h>
#include "backend.h"

enum { MAX_ADDRESSES = 8 };

struct address {
    bool is_unix;
    struct endpoint {
        struct sockaddr_storage sa;
        socklen_t len;
    } ends[MAX_ADDRESSES]; /* a host name may have several */
    unsigned count;        /* at least 1 */
};

/* Reads path=, abstract=, tight= or host=, port=, ipv4=, ipv6=. Resolves the host name now. */
bool address_from_opts(struct address *a, const char *id, struct opts *opts, bool server,
                       GError **err);
/* A listening socket, close-on-exec, non-blocking; or -1. */
int address_listen(const struct address *a, const char *id, GError **err);
/* A connected socket (blocking until it is); or -1. */
int address_connect(const struct address *a, const char *id, GError **err);
/* Begins to connect to ends[i]: 1 connected, 0 under way, -1 failed. *fd is set unless -1. */
int address_connect_start(const struct address *a, unsigned i, int *fd);
/* "unix:/tmp/s", "tcp:127.0.0.1:4444". Caller frees. */
char *address_text(const struct sockaddr_storage *sa, socklen_t len);
/* Removes the file of a listening unix socket. */
void address_unlink(const struct address *a);

#endif
