/*
 * Socket addresses of chardevs, see address.h.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "address.h"

static bool unix_address(struct address *a, const char *id, const char *path, struct opts *opts,
                         GError **err)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&a->ends[0].sa;
    bool abstract = false, tight = true;
    size_t len = strlen(path);

    if (!opts_bool(opts, "abstract", &abstract, err) || !opts_bool(opts, "tight", &tight, err))
        return false;
    if (len + abstract >= sizeof(un->sun_path))
        return error_set(err, "chardev '%s': path '%s' is longer than the %zu bytes of a socket's",
                         id, path, sizeof(un->sun_path) - 1);
    a->is_unix = true;
    a->count = 1;
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path + abstract, path, len); /* an abstract name begins with a zero byte */
    a->ends[0].len =
        abstract && tight ? offsetof(struct sockaddr_un, sun_path) + 1 + len : sizeof(*un);
    return true;
}

static bool tcp_family(struct opts *opts, int *family, GError **err)
{
    bool ipv4 = !opts_has(opts, "ipv6"), ipv6 = !opts_has(opts, "ipv4");

    /* One of them switched off leaves the other; one switched on alone excludes it. */
    if (!opts_bool(opts, "ipv4", &ipv4, err) || !opts_bool(opts, "ipv6", &ipv6, err))
        return false;
    if (!ipv4 && !ipv6)
        ipv4 = !opts_has(opts, "ipv4"), ipv6 = !opts_has(opts, "ipv6");
    *family = ipv4 == ipv6 ? AF_UNSPEC : ipv4 ? AF_INET : AF_INET6;
    return true;
}

static bool tcp_address(struct address *a, const char *id, struct opts *opts, bool server,
                        GError **err)
{
    const char *host = opts_str(opts, "host", server ? "" : "localhost");
    const char *port = opts_str(opts, "port", NULL);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = server ? AI_PASSIVE : 0 };
    struct addrinfo *found;
    int rc;

    if (!port)
        return error_set(err, "chardev '%s': socket needs path=, fd=, or host= and port=", id);
    /* getaddrinfo() takes numbers modulo 65536 */
    if (g_ascii_isdigit(*port) && !g_ascii_string_to_unsigned(port, 10, 0, UINT16_MAX, NULL, NULL))
        return error_set(err, "chardev '%s': port=%s is not a number up to 65535", id, port);
    if (!tcp_family(opts, &hints.ai_family, err))
        return false;
    if (!*host && !server)
        host = "localhost";
    rc = getaddrinfo(*host ? host : NULL, port, &hints, &found);
    if (rc)
        return error_set(err, "chardev '%s': cannot resolve '%s:%s': %s", id, host, port,
                         rc == EAI_SYSTEM ? g_strerror(errno) : gai_strerror(rc));
    for (struct addrinfo *i = found; i && a->count < MAX_ADDRESSES; i = i->ai_next) {
        memcpy(&a->ends[a->count].sa, i->ai_addr, i->ai_addrlen);
        a->ends[a->count++].len = i->ai_addrlen;
    }
    freeaddrinfo(found);
    return true;
}

bool address_from_opts(struct address *a, const char *id, struct opts *opts, bool server,
                       GError **err)
{
    const char *path = opts_str(opts, "path", NULL);

    memset(a, 0, sizeof(*a));
    return path ? unix_address(a, id, path, opts, err) : tcp_address(a, id, opts, server, err);
}

char *address_text(const struct sockaddr_storage *sa, socklen_t len)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)sa;
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (sa->ss_family == AF_UNIX) {
        size_t max = len > offsetof(struct sockaddr_un, sun_path)
                         ? len - offsetof(struct sockaddr_un, sun_path)
                         : 0;

        if (max && !un->sun_path[0])
            return g_strdup_printf("unix:%.*s,abstract=on", (int)max - 1, un->sun_path + 1);
        return g_strdup_printf("unix:%.*s", (int)max, un->sun_path);
    }
    if (getnameinfo((const struct sockaddr *)sa, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return g_strdup("tcp:");
    return g_strdup_printf(strchr(host, ':') ? "tcp:[%s]:%s" : "tcp:%s:%s", host, port);
}

void address_unlink(const struct address *a)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&a->ends[0].sa;
    struct stat st;

    if (a->is_unix && un->sun_path[0] && lstat(un->sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(un->sun_path);
}

static int end_socket(const struct endpoint *e, int flags)
{
    return socket(e->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

static int listen_on(const struct endpoint *e)
{
    int fd = end_socket(e, SOCK_NONBLOCK), on = 1, saved;

    if (fd < 0)
        return -1;
    if (e->sa.ss_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&e->sa, e->len) == 0 && listen(fd, 1) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int address_listen(const struct address *a, const char *id, GError **err)
{
    char *text;
    int saved;

    address_unlink(a);
    for (unsigned i = 0; i < a->count; i++) {
        int fd = listen_on(&a->ends[i]);

        if (fd >= 0)
            return fd;
    }
    saved = errno;
    text = address_text(&a->ends[0].sa, a->ends[0].len);
    error_set_errno(err, saved, "chardev '%s': cannot listen on '%s'", id, text);
    g_free(text);
    return -1;
}

int address_connect(const struct address *a, const char *id, GError **err)
{
    char *text;
    int saved = 0;

    for (unsigned i = 0; i < a->count; i++) {
        const struct endpoint *e = &a->ends[i];
        int fd = end_socket(e, 0);

        if (fd >= 0 && connect(fd, (const struct sockaddr *)&e->sa, e->len) == 0)
            return fd;
        saved = errno;
        if (fd >= 0)
            close(fd);
    }
    text = address_text(&a->ends[0].sa, a->ends[0].len);
    error_set_errno(err, saved, "chardev '%s': cannot connect to '%s'", id, text);
    g_free(text);
    return -1;
}

int address_connect_start(const struct address *a, unsigned i, int *fd)
{
    const struct endpoint *e = &a->ends[i];

    *fd = end_socket(e, SOCK_NONBLOCK);
    if (*fd < 0)
        return -1;
    if (connect(*fd, (const struct sockaddr *)&e->sa, e->len) == 0)
        return 1;
    if (errno == EINPROGRESS)
        return 0;
    close(*fd);
    return -1;
}
