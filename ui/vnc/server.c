/* Life of a server, and what the monitor asks of it; see ui/vnc.h. */
#include "vnc.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <base/error.h>

/* ---- clients ---- */

void vnc_wake(struct client *c)
{
    eventfd_write(c->wake, 1);
}

void vnc_post(struct client *c, const struct event *ev)
{
    struct event *e = g_memdup2(ev, sizeof(*ev));
    struct vnc *v = c->vnc;

    e->client = c;
    pthread_mutex_lock(&v->lock);
    g_queue_push_tail(&v->events, e);
    c->full = ++c->queued >= EVENTS_MAX;
    pthread_mutex_unlock(&v->lock);
    eventfd_write(v->event_fd, 1);
}

static void set_socket(int fd)
{
    int on = 1, flags = fcntl(fd, F_GETFL);

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    /* updates are whole when they are sent: to wait for more would only delay them */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void vnc_accept(struct vnc *v, int fd, bool websocket, bool trusted)
{
    struct client *c;
    struct end e;
    struct vnc_client_info info;

    set_socket(fd);
    /* while nobody looked, nothing was drawn: its size, too, may be an old one */
    if (v->console)
        console_refresh(v->console);
    if (v->clients->len >= v->cfg.max_clients) {
        close(fd);
        return;
    }
    c = client_new(v, fd, websocket);
    c->trusted = trusted;
    e = vnc_end(fd, true);
    c->id = v->next_id++;
    c->host = e.host;
    c->service = e.service;
    c->is_unix = strcmp(e.family, "unix") == 0;
    pthread_mutex_lock(&v->lock);
    g_ptr_array_add(v->clients, c);
    pthread_mutex_unlock(&v->lock);
    if (!client_start(c)) {
        pthread_mutex_lock(&v->lock);
        g_ptr_array_remove(v->clients, c);
        pthread_mutex_unlock(&v->lock);
        client_free(c);
        return;
    }
    info = (struct vnc_client_info){ c->host, c->service, c->is_unix, websocket };
    if (v->cfg.hooks.client)
        v->cfg.hooks.client(v->cfg.hooks.opaque, v, VNC_CLIENT_CONNECTED, &info);
}

void vnc_add_client(struct vnc *v, int fd, bool trusted)
{
    vnc_accept(v, fd, false, trusted);
}

void vnc_disconnect_all(struct vnc *v)
{
    pthread_mutex_lock(&v->lock);
    for (unsigned i = 0; i < v->clients->len; i++) {
        struct client *c = v->clients->pdata[i];

        c->quit = true;
        vnc_wake(c);
    }
    pthread_mutex_unlock(&v->lock);
}

/* ---- passwords ---- */

bool vnc_set_password(struct vnc *v, const char *password, GError **err)
{
    if (!v->cfg.ask_password)
        return error_set(err, "VNC server '%s' asks for no password (-vnc ...,password=on)",
                         v->cfg.id);
    pthread_mutex_lock(&v->lock);
    if (v->password)
        explicit_bzero(v->password, strlen(v->password));
    g_free(v->password);
    v->password = g_strdup(password);
    pthread_mutex_unlock(&v->lock);
    return true;
}

void vnc_expire_password(struct vnc *v, int64_t when)
{
    pthread_mutex_lock(&v->lock);
    v->expires = when;
    pthread_mutex_unlock(&v->lock);
}

/* ---- the clipboard ---- */

void vnc_tell_copied(struct vnc *v, const struct client *from, const char *text)
{
    g_free(v->clip_text);
    v->clip_text = g_strdup(text);
    for (unsigned i = 0; i < v->clients->len; i++) {
        struct client *c = v->clients->pdata[i];

        if (!c->initialized || c == from)
            continue;
        c->news |= NEWS_CLIPBOARD;
        vnc_wake(c);
    }
}

static void clip_changed(void *opaque, const char *text)
{
    struct vnc *v = opaque;

    pthread_mutex_lock(&v->lock);
    vnc_tell_copied(v, NULL, text);
    pthread_mutex_unlock(&v->lock);
}

/* ---- life ---- */

struct vnc *vnc_new(struct vnc_config *cfg, GError **err)
{
    struct vnc *v;

    if (cfg->has_tls && !tls_check(&cfg->tls, err))
        return NULL;
    if (cfg->ask_password && !auth_open(err))
        return NULL;
    v = g_new0(struct vnc, 1);
    v->cfg = *cfg;
    *cfg = (struct vnc_config){ 0 };
    v->name = v->cfg.name ? g_strdup_printf("myna (%s)", v->cfg.name) : g_strdup("myna");
    v->password = v->cfg.password;
    v->cfg.password = NULL;
    pthread_mutex_init(&v->lock, NULL);
    v->clients = g_ptr_array_new();
    g_queue_init(&v->events);
    v->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    v->event_source = loop_watch_fd(v->cfg.loop, v->event_fd, G_IO_IN, vnc_events, v);
    v->clip = (struct clipboard_peer){ .changed = clip_changed, .opaque = v };
    if (v->cfg.clipboard)
        clipboard_join(v->cfg.clipboard, &v->clip);
    vnc_screen_init(v);
    if (vnc_listen_all(v, err))
        return v;
    vnc_free(v);
    return NULL;
}

static void free_event(gpointer p)
{
    struct event *e = p;

    g_free(e->text);
    g_free(e);
}

void vnc_free(struct vnc *v)
{
    if (!v)
        return;
    vnc_unlisten_all(v);
    vnc_disconnect_all(v);
    /* threads want nothing but v->lock */
    for (unsigned i = 0; i < v->clients->len; i++) {
        struct client *c = v->clients->pdata[i];

        pthread_join(c->thread, NULL);
        input_release(v->cfg.input, &c->held);
        client_free(c);
    }
    vnc_screen_destroy(v);
    if (v->cfg.clipboard)
        clipboard_leave(v->cfg.clipboard, &v->clip);
    g_source_destroy(v->event_source);
    g_source_unref(v->event_source);
    close(v->event_fd);
    g_queue_clear_full(&v->events, free_event);
    g_ptr_array_free(v->clients, TRUE);
    pthread_mutex_destroy(&v->lock);
    if (v->password)
        explicit_bzero(v->password, strlen(v->password));
    g_free(v->password);
    g_free(v->clip_text);
    g_free(v->name);
    vnc_config_clear(&v->cfg);
    g_free(v);
}

/* ---- what there is ---- */

const char *vnc_id(const struct vnc *v)
{
    return v->cfg.id;
}

const char *vnc_auth(const struct vnc *v)
{
    const struct vnc_config *cfg = &v->cfg;

    if (cfg->has_tls && cfg->tls.dir)
        return cfg->ask_password ? "vencrypt+x509+vnc" : "vencrypt+x509+none";
    if (cfg->has_tls)
        return cfg->ask_password ? "vencrypt+tls+vnc" : "vencrypt+tls+none";
    return cfg->ask_password ? "vnc" : "none";
}

void vnc_foreach_client(const struct vnc *v,
                        void (*fn)(const struct vnc_client_info *info, void *opaque), void *opaque)
{
    for (unsigned i = 0; i < v->clients->len; i++) {
        const struct client *c = v->clients->pdata[i];
        const struct vnc_client_info info = { c->host, c->service, c->is_unix, c->websocket_port };

        fn(&info, opaque);
    }
}
