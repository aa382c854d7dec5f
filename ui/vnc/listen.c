/* Where a server listens: TCP ports, unix sockets; or whom it calls (reverse=on). */
#include "vnc.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <base/error.h>

enum { BACKLOG = 16, WS_BASE = 5700 };

struct listener {
    struct vnc *vnc;
    int fd;
    bool websocket;
    char *path; /* of a unix socket, which goes with the listener */
    GSource *source;
};

/* ---- addresses ---- */

struct end vnc_end(int fd, bool peer)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);
    char host[NI_MAXHOST] = "", service[NI_MAXSERV] = "";
    int rc = peer ? getpeername(fd, (struct sockaddr *)&sa, &len)
                  : getsockname(fd, (struct sockaddr *)&sa, &len);

    if (rc < 0 || sa.ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)&sa;

        return (struct end){ g_strdup(""), g_strdup(peer ? "" : un->sun_path), "unix" };
    }
    getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), service, sizeof(service),
                NI_NUMERICHOST | NI_NUMERICSERV);
    return (struct end){ g_strdup(host), g_strdup(service),
                         sa.ss_family == AF_INET6 ? "ipv6" : "ipv4" };
}

bool vnc_info(const struct vnc *v, unsigned n, struct vnc_info *info)
{
    const struct listener *l = n < v->listeners->len ? v->listeners->pdata[n] : NULL;
    struct end e;

    if (!l)
        return false;
    e = vnc_end(l->fd, false);
    *info = (struct vnc_info){ e.family, e.host, e.service, l->websocket };
    return true;
}

/* ---- listening ---- */

static gboolean incoming(int fd, GIOCondition cond, gpointer opaque)
{
    struct listener *l = opaque;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)cond;
    if (client >= 0)
        vnc_accept(l->vnc, client, l->websocket, false);
    return TRUE;
}

static void add_listener(struct vnc *v, int fd, bool websocket, const char *path)
{
    struct listener *l = g_new0(struct listener, 1);

    l->vnc = v;
    l->fd = fd;
    l->websocket = websocket;
    l->path = g_strdup(path);
    l->source = loop_watch_fd(v->cfg.loop, fd, G_IO_IN, incoming, l);
    g_ptr_array_add(v->listeners, l);
}

static int listen_unix(const char *path, GError **err)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct stat st;
    int fd;

    if (strlen(path) >= sizeof(un.sun_path)) {
        error_set(err, "-vnc: path '%s' is longer than the %zu bytes of a socket's", path,
                  sizeof(un.sun_path) - 1);
        return -1;
    }
    memcpy(un.sun_path, path, strlen(path));
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    error_set_errno(err, errno, "-vnc: cannot listen on 'unix:%s'", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static struct addrinfo *resolve(const char *host, unsigned port, bool passive, GError **err)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0) };
    struct addrinfo *found = NULL;
    char service[16];
    int rc;

    g_snprintf(service, sizeof(service), "%u", port);
    rc = getaddrinfo(*host ? host : NULL, service, &hints, &found);
    if (rc) {
        error_set(err, "-vnc: cannot resolve '%s': %s", host, gai_strerror(rc));
        return NULL;
    }
    return found;
}

static int listen_on(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, saved;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* the other family has a socket of its own */
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* All addresses of the host; false with errno set where one is taken or none can be had. */
static bool listen_port(struct vnc *v, const char *host, unsigned port, bool websocket,
                        GError **err)
{
    struct addrinfo *found = resolve(host, port, true, err);
    guint before = v->listeners->len;
    int failed = 0;

    if (!found)
        return false;
    for (const struct addrinfo *a = found; a; a = a->ai_next) {
        int fd = listen_on(a);

        if (fd >= 0)
            add_listener(v, fd, websocket, NULL);
        else if (errno == EADDRINUSE || !failed)
            failed = errno;
    }
    freeaddrinfo(found);
    if (v->listeners->len > before && failed != EADDRINUSE)
        return true;
    g_ptr_array_set_size(v->listeners, (int)before);
    return error_set_errno(err, failed, "-vnc: cannot listen on port %u of '%s'", port, host);
}

static bool listen_range(struct vnc *v, GError **err)
{
    const struct vnc_config *cfg = &v->cfg;
    GError *why = NULL;

    for (unsigned port = cfg->port; port <= cfg->port_end; port++) {
        g_clear_error(&why);
        if (listen_port(v, cfg->host, port, false, &why)) {
            v->display = port - cfg->port;
            g_clear_error(&why);
            return true;
        }
    }
    if (cfg->port == cfg->port_end && strstr(why->message, "in use"))
        error_set(err, "%s; another display (:N) or to=N takes a free one", why->message);
    else
        error_set(err, "%s", why->message);
    g_error_free(why);
    return false;
}

static bool listen_websocket(struct vnc *v, GError **err)
{
    const struct vnc_config *cfg = &v->cfg;
    unsigned port = cfg->ws_port ? cfg->ws_port : WS_BASE + (cfg->port - 5900) + v->display;
    int fd;

    if (!cfg->ws_path)
        return listen_port(v, cfg->ws_host ? cfg->ws_host : cfg->host, port, true, err);
    fd = listen_unix(cfg->ws_path, err);
    if (fd >= 0)
        add_listener(v, fd, true, cfg->ws_path);
    return fd >= 0;
}

/* ---- calling a viewer ---- */

static int call(const struct vnc_config *cfg, GError **err)
{
    struct addrinfo *found = resolve(cfg->host, cfg->port, false, err);
    int fd = -1, saved = 0;

    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
            saved = errno;
            close(fd);
            fd = -1;
        }
    }
    if (found && fd < 0)
        error_set_errno(err, saved, "-vnc: cannot connect to port %u of '%s'", cfg->port,
                        cfg->host);
    if (found)
        freeaddrinfo(found);
    return fd;
}

static int call_unix(const char *path, GError **err)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
        return fd;
    error_set_errno(err, errno, "-vnc: cannot connect to 'unix:%s'", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool call_viewer(struct vnc *v, GError **err)
{
    int fd = v->cfg.path ? call_unix(v->cfg.path, err) : call(&v->cfg, err);

    if (fd < 0)
        return false;
    vnc_add_client(v, fd, false);
    return true;
}

/* ---- all ---- */

static void free_listener(gpointer p)
{
    struct listener *l = p;

    g_source_destroy(l->source);
    g_source_unref(l->source);
    close(l->fd);
    if (l->path)
        unlink(l->path);
    g_free(l->path);
    g_free(l);
}

bool vnc_listen_all(struct vnc *v, GError **err)
{
    const struct vnc_config *cfg = &v->cfg;

    v->listeners = g_ptr_array_new_with_free_func(free_listener);
    if (cfg->reverse)
        return call_viewer(v, err);
    if (cfg->path) {
        int fd = listen_unix(cfg->path, err);

        if (fd < 0)
            return false;
        add_listener(v, fd, false, cfg->path);
    } else if (cfg->host && !listen_range(v, err)) {
        return false;
    }
    return !cfg->websocket || listen_websocket(v, err);
}

void vnc_unlisten_all(struct vnc *v)
{
    if (v->listeners)
        g_ptr_array_free(v->listeners, TRUE);
    v->listeners = NULL;
}
