/* Back ends and ports; see net/net.h. */
#include "driver.h"

#include <string.h>
#include <base/error.h>
#include <base/loop.h>
#include <base/option.h>

struct net_set {
    struct loop *loop;
    GPtrArray *netdevs;
};

static const struct net_driver *const drivers[] = {
#define NET_DRIVER(name) &net_##name,
#include "drivers.def"
#undef NET_DRIVER
    NULL
};

const char *const *net_type_names(void)
{
    static const char *const names[] = {
#define NET_DRIVER(name) #name,
#include "drivers.def"
#undef NET_DRIVER
        NULL
    };

    return names;
}

struct net_set *net_set_new(struct loop *loop)
{
    struct net_set *set = g_new0(struct net_set, 1);

    set->loop = loop;
    set->netdevs = g_ptr_array_new();
    return set;
}

static void netdev_free(struct netdev *nd)
{
    g_queue_clear_full(&nd->queue, (GDestroyNotify)g_bytes_unref);
    g_free(nd->id);
    g_free(nd);
}

void net_set_free(struct net_set *set)
{
    for (guint i = 0; i < set->netdevs->len; i++) {
        struct netdev *nd = set->netdevs->pdata[i];

        nd->driver->stop(nd);
        nd->driver->close(nd);
        netdev_free(nd);
    }
    g_ptr_array_free(set->netdevs, TRUE);
    g_free(set);
}

static const struct net_driver *find_driver(const char *what, const char *name, GError **err)
{
    struct nearest near;

    nearest_init(&near, name);
    for (size_t i = 0; drivers[i]; i++) {
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
        nearest_try(&near, drivers[i]->name);
    }
    error_set_unknown(err, what, "network back end", name, &near);
    return NULL;
}

static struct netdev *lookup(struct net_set *set, const char *id, struct nearest *near)
{
    for (guint i = 0; i < set->netdevs->len; i++) {
        struct netdev *nd = set->netdevs->pdata[i];

        if (strcmp(nd->id, id) == 0)
            return nd;
        nearest_try(near, nd->id);
    }
    return NULL;
}

struct netdev *net_find(struct net_set *set, const char *id, GError **err)
{
    struct nearest near;
    struct netdev *nd;

    nearest_init(&near, id);
    nd = lookup(set, id, &near);
    if (!nd)
        error_set_unknown(err, "netdev", "network back end", id, &near);
    return nd;
}

struct netdev *net_add(struct net_set *set, struct opts *o, GError **err)
{
    const char *type = opts_str(o, "type", NULL), *id = opts_str(o, "id", NULL);
    const char *what = opts_option(o);
    const struct net_driver *d;
    struct netdev *nd;

    if (!type || !id) {
        error_set(err, "%s: %s= is missing", what, type ? "id" : "type");
        return NULL;
    }
    d = find_driver(what, type, err);
    if (!d)
        return NULL;
    if (net_find(set, id, NULL)) {
        error_set(err, "%s: id '%s' is taken", what, id);
        return NULL;
    }
    nd = g_new0(struct netdev, 1);
    nd->set = set;
    nd->driver = d;
    nd->loop = set->loop;
    nd->io = loop_io(set->loop);
    nd->id = g_strdup(id);
    nd->link = true;
    g_queue_init(&nd->queue);
    if (!d->open(nd, o, err)) {
        netdev_free(nd);
        return NULL;
    }
    d->watch(nd);
    g_ptr_array_add(set->netdevs, nd);
    return opts_done(o, err) ? nd : NULL;
}

void net_foreach(struct net_set *set, void (*fn)(struct netdev *nd, void *opaque), void *opaque)
{
    for (guint i = 0; i < set->netdevs->len; i++)
        fn(set->netdevs->pdata[i], opaque);
}

const char *netdev_id(const struct netdev *nd)
{
    return nd->id;
}

const char *netdev_type(const struct netdev *nd)
{
    return nd->driver->name;
}

char *netdev_info(const struct netdev *nd)
{
    bool taken = io_lock_if(nd->io);
    char *info = nd->driver->info ? nd->driver->info(nd) : g_strdup("");

    io_unlock_if(nd->io, taken);
    return info;
}

const char *netdev_user(const struct netdev *nd)
{
    return nd->port ? nd->port->user : NULL;
}

bool netdev_link(const struct netdev *nd)
{
    return nd->link;
}

void netdev_set_link(struct netdev *nd, bool up)
{
    bool taken = io_lock_if(nd->io);

    if (nd->link != up) {
        nd->link = up;
        g_queue_clear_full(&nd->queue, (GDestroyNotify)g_bytes_unref);
        if (nd->port && nd->port->ops->link_changed)
            nd->port->ops->link_changed(nd->port->opaque, up);
    }
    io_unlock_if(nd->io, taken);
}

bool netdev_attach(struct netdev *nd, struct net_port *port, const struct net_port_ops *ops,
                   void *opaque, const char *user, GError **err)
{
    if (nd->port)
        return error_set(err, "netdev '%s' is in use by %s", nd->id, nd->port->user);
    *port = (struct net_port){ nd, ops, opaque, g_strdup(user) };
    nd->port = port;
    return true;
}

void net_set_io(struct net_port *port, struct io_context *io)
{
    struct netdev *nd = port->netdev;

    if (!nd || nd->io == io)
        return;
    nd->driver->stop(nd);
    io_settle(nd->io);
    nd->io = io;
    nd->driver->watch(nd);
}

void net_detach(struct net_port *port)
{
    if (!port->netdev)
        return;
    net_set_io(port, loop_io(port->netdev->loop));
    port->netdev->port = NULL;
    g_queue_clear_full(&port->netdev->queue, (GDestroyNotify)g_bytes_unref);
    g_free(port->user);
    memset(port, 0, sizeof(*port));
}

bool net_send(struct net_port *port, const uint8_t *frame, size_t len)
{
    struct netdev *nd = port->netdev;

    if (!nd || !nd->link)
        return true;
    return nd->driver->send(nd, frame, MIN(len, NET_FRAME_MAX));
}

void netdev_deliver(struct netdev *nd, const uint8_t *frame, size_t len)
{
    struct net_port *p = nd->port;

    if (!p || !nd->link)
        return;
    /* in order: what waits goes first */
    if (g_queue_is_empty(&nd->queue) && p->ops->receive(p->opaque, frame, len))
        return;
    if (g_queue_get_length(&nd->queue) >= NET_QUEUE_FRAMES) {
        nd->lost++;
        return;
    }
    g_queue_push_tail(&nd->queue, g_bytes_new(frame, len));
}

void net_accept(struct net_port *port)
{
    struct netdev *nd = port->netdev;
    GBytes *b;

    while (nd && nd->link && (b = g_queue_pop_head(&nd->queue))) {
        gsize len;
        const uint8_t *frame = g_bytes_get_data(b, &len);

        if (!port->ops->receive(port->opaque, frame, len)) {
            g_queue_push_head(&nd->queue, b);
            return;
        }
        g_bytes_unref(b);
    }
}

void netdev_writable(struct netdev *nd)
{
    if (nd->port && nd->port->ops->writable)
        nd->port->ops->writable(nd->port->opaque);
}

bool net_checksums_valid(const struct net_port *port)
{
    return port->netdev && port->netdev->driver->checksums_valid;
}
