/*
 * Networks: a back end (the user network, later taps and sockets) and the network card that is its
 * peer exchange Ethernet frames.
 *
 *     static const struct net_port_ops nic_ops = {
 *         .receive = nic_receive, .writable = nic_goes_on
 *     };
 *
 *     netdev_attach(nd, &nic->port, &nic_ops, nic, dev->path, err);
 *     net_send(&nic->port, frame, len);  to the network; false: wait for writable()
 *     net_accept(&nic->port);            room for frames again, after receive() refused one
 *
 * Everything here wants the device lock, and callbacks have it. After net_set_io() frames come and
 * go in an iothread: its lock is enough for net_send() and net_accept(), and receive() and
 * writable() have it, and mostly not the device lock; link_changed() has both.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

struct io_context;
struct loop;
struct net_set;
struct netdev;
struct opts;

/* Largest frame either way, bytes. */
#define NET_FRAME_MAX 65550

struct net_port_ops {
    /* A frame for the card. False: no room now; the frame is kept until net_accept(). */
    bool (*receive)(void *opaque, const uint8_t *frame, size_t len);
    /* net_send() may go on after it returned false. May be NULL. */
    void (*writable)(void *opaque);
    /* The cable was plugged or pulled. May be NULL. */
    void (*link_changed)(void *opaque, bool up);
};

/* A card's end, part of its struct. Zeroed: no cable. */
struct net_port {
    struct netdev *netdev;
    const struct net_port_ops *ops;
    void *opaque;
    char *user;
};

struct net_set *net_set_new(struct loop *loop);
/* Cards must be gone. */
void net_set_free(struct net_set *set);
/* -netdev: type=, id= and the type's own. */
struct netdev *net_add(struct net_set *set, struct opts *o, GError **err);
struct netdev *net_find(struct net_set *set, const char *id, GError **err);
void net_foreach(struct net_set *set, void (*fn)(struct netdev *nd, void *opaque), void *opaque);
/* Names of types that this program has, NULL at the end. */
const char *const *net_type_names(void);

const char *netdev_id(const struct netdev *nd);
const char *netdev_type(const struct netdev *nd);
/* For `info network`; to be freed. */
char *netdev_info(const struct netdev *nd);
/* Who is attached, or NULL. */
const char *netdev_user(const struct netdev *nd);
bool netdev_link(const struct netdev *nd);
void netdev_set_link(struct netdev *nd, bool up);

/* Makes the port the one peer of the back end. */
bool netdev_attach(struct netdev *nd, struct net_port *port, const struct net_port_ops *ops,
                   void *opaque, const char *user, GError **err);
/* No callback comes any more. The caller holds no iothread's lock, nor for the next. */
void net_detach(struct net_port *port);
/* Frames come and go in that context (base/iocontext.h) from now on; at first, and after
 * net_detach(), it is the main loop. Nothing happens without a cable. */
void net_set_io(struct net_port *port, struct io_context *io);
/* Sends a frame, NET_FRAME_MAX bytes of it at most; without a cable it is lost. False: not taken,
 * writable() comes later. The frame is the card's own copy: back ends look at its headers more than
 * once, and in guest memory these could change meanwhile. */
bool net_send(struct net_port *port, const uint8_t *frame, size_t len);
/* Takes frames that were refused, as long as receive() takes them. */
void net_accept(struct net_port *port);
/* Whether frames come from a host that checked their checksums. */
bool net_checksums_valid(const struct net_port *port);

#endif
