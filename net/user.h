/* The user network's own declarations. */
#ifndef NET_USER_H
#define NET_USER_H

#include "driver.h"

#ifdef CONFIG_SLIRP

#include <errno.h>
#include <slirp/libslirp.h>

struct user_config {
    SlirpConfig slirp; /* its strings belong to the fields below, or to nobody */
    char *hostname, *tftp, *bootfile, *tftp_name, *domain;
    char **search;
};

struct user {
    struct netdev *nd;
    Slirp *slirp;
    GSource *source;
    int64_t wake; /* when slirp wants to be called at the latest, monotonic us */
    struct user_config config;
};

/* A port of the host that leads to one of the guest. */
struct user_forward {
    bool udp;
    struct in_addr host, guest; /* guest 0: the first DHCP address */
    int host_port, guest_port;
};

/* Reads all keys but hostfwd=. */
bool user_config(struct opts *o, struct user_config *c, GError **err);
void user_config_clear(struct user_config *c);
/* The n-th hostfwd=, in plain or JSON form; NULL past the last. */
const char *user_forward_nth(struct opts *o, unsigned n);
/* [tcp|udp]:[host address]:host port-[guest address]:guest port */
bool user_parse_forward(const char *text, struct user_forward *f, GError **err);

#endif
#endif
