/*
 * Back ends of networks. To add one: a file with its `struct net_driver`, and a line in
 * drivers.def.
 */
#ifndef NET_DRIVER_H
#define NET_DRIVER_H

#include <base/iocontext.h>
#include <net/net.h>

struct net_driver {
    const char *name;
    /* Takes its keys from `o`; sets nd->state. */
    bool (*open)(struct netdev *nd, struct opts *o, GError **err);
    void (*close)(struct netdev *nd);
    /* What waits for the network begins to be watched in nd->io, and is not any more. Before the
     * first and after the last call nobody looks; between open() and close(), device lock held. A
     * callback that began before stop() may still be running when that returns; watch() settles
     * nd->io before it attaches a source. */
    void (*watch)(struct netdev *nd);
    void (*stop)(struct netdev *nd);
    /* A frame from the card. False: not now; netdev_writable() is called later. */
    bool (*send)(struct netdev *nd, const uint8_t *frame, size_t len);
    char *(*info)(const struct netdev *nd);
    bool checksums_valid;
};

/* Frames that wait for the card: beyond this they are lost, as on a wire. */
#define NET_QUEUE_FRAMES 512

struct netdev {
    struct net_set *set;
    const struct net_driver *driver;
    char *id;
    struct loop *loop;
    struct io_context *io; /* where frames come and go; its lock guards all below */
    struct net_port *port; /* the peer, or NULL; device lock, too, as for the next */
    bool link;
    GQueue queue; /* of GBytes */
    uint64_t lost;
    void *state;
};

extern const struct net_driver net_user;

/* A frame for the card. Lock of nd->io held, as for the next. */
void netdev_deliver(struct netdev *nd, const uint8_t *frame, size_t len);
void netdev_writable(struct netdev *nd);

#endif
