/*
 * Back ends of networks. To add one: a file with its `struct net_driver`, and a line in
 * drivers.def.
 */
#ifndef NET_DRIVER_H
#define NET_DRIVER_H

#include <net/net.h>

struct net_driver {
    const char *name;
    /* Takes its keys from `o`; sets nd->state. */
    bool (*open)(struct netdev *nd, struct opts *o, GError **err);
    void (*close)(struct netdev *nd);
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
    struct net_port *port; /* the peer, or NULL */
    bool link;
    GQueue queue;    /* of GBytes */
    uint8_t *linear; /* NET_FRAME_MAX bytes: a frame that came in pieces */
    uint64_t lost;
    void *state;
};

extern const struct net_driver net_user;

/* A frame for the card. */
void netdev_deliver(struct netdev *nd, const uint8_t *frame, size_t len);
void netdev_writable(struct netdev *nd);

#endif
