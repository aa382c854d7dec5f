/*
 * The user network (-netdev user): a network behind address translation in this process, by
 * libslirp. The guest is 10.0.2.15, the host 10.0.2.2, the name server 10.0.2.3 unless told
 * otherwise. How options are read is in user-options.c.
 *
 * All of a network is guarded by the lock of nd->io. Networks on different threads share what
 * libslirp keeps for the process, the time of the current call and the host's name server: each
 * writes there what the other would.
 */
#include "user.h"

#ifdef CONFIG_SLIRP

#include <base/clock.h>
#include <base/error.h>
#include <base/log.h>
#include <base/loop.h>

struct user_timer {
    struct timer timer;
    struct user *user;
    SlirpTimerId id;
    void *cb_opaque;
};

/* Which descriptors slirp waits for, as a source of the main loop or of an iothread. */
struct user_source {
    GSource source;
    struct user *user;
    GPtrArray *fds; /* of GPollFD */
    unsigned used;  /* those of this round */
};

static struct user *user_of(void *opaque)
{
    return opaque;
}

/* ---- what libslirp asks of us ---- */

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
    netdev_deliver(user_of(opaque)->nd, buf, len);
    return (ssize_t)len;
}

static void guest_error(const char *msg, void *opaque)
{
    (void)opaque;
    log_guest_error("user network: %s\n", msg);
}

static int64_t now_ns(void *opaque)
{
    return clock_ns(user_of(opaque)->nd->loop, CLK_VIRTUAL);
}

/* In the main loop, wherever frames come and go: slirp makes and frees timers with the device lock
 * held, when it begins and ends. */
static void timer_due(void *opaque)
{
    struct user_timer *t = opaque;
    struct io_context *io = t->user->nd->io;
    bool taken = io_lock_if(io);

    slirp_handle_timer(t->user->slirp, t->id, t->cb_opaque);
    io_unlock_if(io, taken);
}

static void *new_timer(SlirpTimerId id, void *cb_opaque, void *opaque)
{
    struct user_timer *t = g_new0(struct user_timer, 1);

    t->user = opaque;
    t->id = id;
    t->cb_opaque = cb_opaque;
    timer_init(&t->timer, t->user->nd->loop, CLK_VIRTUAL, timer_due, t);
    return t;
}

static void free_timer(void *timer, void *opaque)
{
    struct user_timer *t = timer;

    (void)opaque;
    timer_del(&t->timer);
    g_free(t);
}

static void mod_timer(void *timer, int64_t expire_ms, void *opaque)
{
    (void)opaque;
    timer_mod_ns(&((struct user_timer *)timer)->timer, expire_ms * NS_PER_MS);
}

/* Descriptors are asked for anew in each round. */
static void ignore_fd(int fd, void *opaque)
{
    (void)fd, (void)opaque;
}

static void notify(void *opaque)
{
    GMainContext *context = io_main_context(user_of(opaque)->nd->io);

    /* its thread looks at everything before it sleeps */
    if (!g_main_context_is_owner(context))
        g_main_context_wakeup(context);
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = now_ns,
    .timer_new_opaque = new_timer,
    .timer_free = free_timer,
    .timer_mod = mod_timer,
    .register_poll_fd = ignore_fd,
    .unregister_poll_fd = ignore_fd,
    .notify = notify,
};

/* ---- polling ---- */

static int to_glib(int events)
{
    return (events & SLIRP_POLL_IN ? G_IO_IN : 0) | (events & SLIRP_POLL_OUT ? G_IO_OUT : 0) |
           (events & SLIRP_POLL_PRI ? G_IO_PRI : 0) | (events & SLIRP_POLL_ERR ? G_IO_ERR : 0) |
           (events & SLIRP_POLL_HUP ? G_IO_HUP : 0);
}

static int from_glib(int events)
{
    return (events & G_IO_IN ? SLIRP_POLL_IN : 0) | (events & G_IO_OUT ? SLIRP_POLL_OUT : 0) |
           (events & G_IO_PRI ? SLIRP_POLL_PRI : 0) | (events & G_IO_ERR ? SLIRP_POLL_ERR : 0) |
           (events & G_IO_HUP ? SLIRP_POLL_HUP : 0);
}

static int add_poll(int fd, int events, void *opaque)
{
    struct user_source *s = opaque;
    GPollFD *p;

    if (s->used == s->fds->len) {
        p = g_new0(GPollFD, 1);
        p->fd = -1;
        g_ptr_array_add(s->fds, p);
    } else {
        p = s->fds->pdata[s->used];
    }
    p->events = (gushort)to_glib(events);
    p->revents = 0;
    if (p->fd == fd)
        return (int)s->used++;
    /* GLib keeps them sorted by descriptor */
    if (p->fd >= 0)
        g_source_remove_poll(&s->source, p);
    p->fd = fd;
    g_source_add_poll(&s->source, p);
    return (int)s->used++;
}

static int get_revents(int index, void *opaque)
{
    const struct user_source *s = opaque;
    const GPollFD *p = (unsigned)index < s->used ? s->fds->pdata[index] : NULL;

    return p ? from_glib(p->revents) : 0;
}

static void ask_slirp(GSource *source, gint *timeout)
{
    struct user_source *s = (struct user_source *)source;
    uint32_t ms = UINT32_MAX;

    s->used = 0;
    slirp_pollfds_fill(s->user->slirp, &ms, add_poll, s);
    for (unsigned i = s->used; i < s->fds->len; i++) {
        GPollFD *p = s->fds->pdata[i];

        if (p->fd >= 0)
            g_source_remove_poll(source, p);
        p->fd = -1;
    }
    *timeout = ms > INT32_MAX ? -1 : (gint)ms;
    s->user->wake = ms == UINT32_MAX ? INT64_MAX : g_get_monotonic_time() + (int64_t)ms * 1000;
}

/* In an iothread GLib calls this and the next two without a lock, and source_prepare() even of a
 * source that was taken away meanwhile. */
static gboolean source_prepare(GSource *source, gint *timeout)
{
    struct io_context *io = ((struct user_source *)source)->user->nd->io;
    bool taken = io_lock_if(io);

    *timeout = -1;
    if (!g_source_is_destroyed(source))
        ask_slirp(source, timeout);
    io_unlock_if(io, taken);
    return FALSE;
}

static gboolean source_check(GSource *source)
{
    const struct user_source *s = (struct user_source *)source;

    for (unsigned i = 0; i < s->used; i++)
        if (((const GPollFD *)s->fds->pdata[i])->revents)
            return TRUE;
    return g_get_monotonic_time() >= s->user->wake;
}

static gboolean source_dispatch(GSource *source, GSourceFunc fn, gpointer opaque)
{
    struct user_source *s = (struct user_source *)source;
    struct io_context *io = s->user->nd->io;
    bool taken = io_lock_if(io);

    (void)fn, (void)opaque;
    slirp_pollfds_poll(s->user->slirp, 0, get_revents, s);
    io_unlock_if(io, taken);
    return G_SOURCE_CONTINUE;
}

static void source_finalize(GSource *source)
{
    g_ptr_array_free(((struct user_source *)source)->fds, TRUE);
}

static GSourceFuncs source_funcs = {
    .prepare = source_prepare,
    .check = source_check,
    .dispatch = source_dispatch,
    .finalize = source_finalize,
};

static void user_watch(struct netdev *nd)
{
    struct user *u = nd->state;
    struct user_source *s;

    u->source = g_source_new(&source_funcs, sizeof(struct user_source));
    s = (struct user_source *)u->source;
    s->user = u;
    s->fds = g_ptr_array_new_with_free_func(g_free);
    io_settle(nd->io);
    g_source_attach(u->source, io_main_context(nd->io));
}

static void user_stop(struct netdev *nd)
{
    struct user *u = nd->state;
    bool taken = io_lock_if(nd->io);

    g_source_destroy(u->source);
    g_source_unref(u->source);
    u->source = NULL;
    io_unlock_if(nd->io, taken);
}

/* ---- the back end ---- */

static bool add_forward(struct user *u, const struct user_forward *f, const char *text,
                        GError **err)
{
    if (slirp_add_hostfwd(u->slirp, f->udp, f->host, f->host_port, f->guest, f->guest_port) == 0)
        return true;
    return error_set_errno(err, errno, "-netdev user: hostfwd=%s: cannot listen there", text);
}

static bool add_forwards(struct user *u, struct opts *o, GError **err)
{
    struct user_forward f;
    const char *text;

    for (unsigned i = 0; (text = user_forward_nth(o, i)); i++)
        if (!user_parse_forward(text, &f, err) || !add_forward(u, &f, text, err))
            return false;
    return true;
}

static void user_close(struct netdev *nd)
{
    struct user *u = nd->state;

    if (u->slirp)
        slirp_cleanup(u->slirp);
    user_config_clear(&u->config);
    g_free(u);
}

static bool user_open(struct netdev *nd, struct opts *o, GError **err)
{
    struct user *u = g_new0(struct user, 1);

    nd->state = u;
    u->nd = nd;
    if (!user_config(o, &u->config, err))
        goto out_close;
    u->slirp = slirp_new(&u->config.slirp, &callbacks, u);
    if (!u->slirp) {
        error_set(err, "-netdev user: libslirp does not take these settings");
        goto out_close;
    }
    if (!add_forwards(u, o, err))
        goto out_close;
    return true;

out_close:
    user_close(nd);
    return false;
}

static bool user_send(struct netdev *nd, const uint8_t *frame, size_t len)
{
    struct user *u = nd->state;

    slirp_input(u->slirp, frame, (int)len);
    return true;
}

static char *user_info(const struct netdev *nd)
{
    const struct user *u = nd->state;

    return slirp_connection_info(u->slirp);
}

const struct net_driver net_user = {
    .name = "user",
    .open = user_open,
    .close = user_close,
    .watch = user_watch,
    .stop = user_stop,
    .send = user_send,
    .info = user_info,
    .checksums_valid = true,
};

#endif
