/* Settings of the user network from its options. */
#include "user.h"

#ifdef CONFIG_SLIRP

#include <arpa/inet.h>
#include <string.h>
#include <base/error.h>
#include <base/option.h>

static bool get_addr(struct opts *o, const char *key, struct in_addr *a, GError **err)
{
    const char *text = opts_str(o, key, NULL);

    if (!text || inet_pton(AF_INET, text, a) == 1)
        return true;
    return error_set(err, "-netdev user: %s=%s is not an IPv4 address", key, text);
}

/* net=10.0.2.0/24, or 10.0.2.0/255.255.255.0, or without a mask: by its class */
static bool get_net(struct opts *o, SlirpConfig *c, GError **err)
{
    const char *text = opts_str(o, "net", NULL);
    g_auto(GStrv) parts = NULL;
    uint64_t bits = 24;

    if (!text)
        return true;
    parts = g_strsplit(text, "/", 2);
    if (!parts[0] || inet_pton(AF_INET, parts[0], &c->vnetwork) != 1)
        return error_set(err, "-netdev user: net=%s is not of the form ADDRESS[/MASK]", text);
    if (!parts[1]) {
        uint8_t first = (uint8_t)ntohl(c->vnetwork.s_addr) >> 24;

        bits = first < 128 ? 8 : first < 192 ? 16 : 24;
    } else if (strchr(parts[1], '.')) {
        uint32_t inverse;

        if (inet_pton(AF_INET, parts[1], &c->vnetmask) != 1)
            return error_set(err, "-netdev user: net=%s has a bad mask", text);
        inverse = ~ntohl(c->vnetmask.s_addr);
        if (inverse & (inverse + 1))
            return error_set(err, "-netdev user: net=%s has a mask with holes", text);
        bits = (uint64_t)__builtin_popcount(~inverse);
    } else if (!option_u64("-netdev user: net", parts[1], 0, 32, &bits, err)) {
        return false;
    }
    if (bits < 4 || bits > 29)
        return error_set(err, "-netdev user: net=%s is too %s for hosts in it", text,
                         bits > 29 ? "small" : "large");
    c->vnetmask.s_addr = htonl(UINT32_MAX << (32 - bits));
    c->vnetwork.s_addr &= c->vnetmask.s_addr;
    return true;
}

static struct in_addr host_number(const SlirpConfig *c, uint32_t n)
{
    struct in_addr a = { htonl(ntohl(c->vnetwork.s_addr) | n) };

    return a;
}

static bool check_inside(const SlirpConfig *c, const char *key, struct in_addr a, GError **err)
{
    char text[INET_ADDRSTRLEN];

    if ((a.s_addr & c->vnetmask.s_addr) == c->vnetwork.s_addr)
        return true;
    inet_ntop(AF_INET, &a, text, sizeof(text));
    return error_set(err, "-netdev user: %s=%s is not in the network", key, text);
}

static bool set_ipv4(struct opts *o, SlirpConfig *c, GError **err)
{
    uint32_t last;

    inet_pton(AF_INET, "10.0.2.0", &c->vnetwork);
    inet_pton(AF_INET, "255.255.255.0", &c->vnetmask);
    if (!get_net(o, c, err))
        return false;
    /* in a small network guests begin behind the servers */
    last = ~ntohl(c->vnetmask.s_addr) - 1;
    c->vhost = host_number(c, 2);
    c->vnameserver = host_number(c, 3);
    c->vdhcp_start = host_number(c, MIN(15, last));
    return get_addr(o, "host", &c->vhost, err) && get_addr(o, "dns", &c->vnameserver, err) &&
           get_addr(o, "dhcpstart", &c->vdhcp_start, err) &&
           check_inside(c, "host", c->vhost, err) && check_inside(c, "dns", c->vnameserver, err) &&
           check_inside(c, "dhcpstart", c->vdhcp_start, err);
}

static void set_ipv6(SlirpConfig *c)
{
    inet_pton(AF_INET6, "fec0::", &c->vprefix_addr6);
    inet_pton(AF_INET6, "fec0::2", &c->vhost6);
    inet_pton(AF_INET6, "fec0::3", &c->vnameserver6);
    c->vprefix_len = 64;
}

static char *own_text(struct opts *o, const char *key)
{
    return g_strdup(opts_str(o, key, NULL));
}

static void set_texts(struct opts *o, struct user_config *c)
{
    GPtrArray *search = g_ptr_array_new();
    const char *text;

    c->slirp.vhostname = c->hostname = own_text(o, "hostname");
    c->slirp.tftp_path = c->tftp = own_text(o, "tftp");
    c->slirp.bootfile = c->bootfile = own_text(o, "bootfile");
    c->slirp.tftp_server_name = c->tftp_name = own_text(o, "tftp-server-name");
    c->slirp.vdomainname = c->domain = own_text(o, "domainname");
    for (unsigned i = 0; (text = opts_str_nth(o, "dnssearch", i)); i++)
        g_ptr_array_add(search, g_strdup(text));
    g_ptr_array_add(search, NULL);
    c->search = (char **)g_ptr_array_free(search, FALSE);
    if (c->search[0])
        c->slirp.vdnssearch = (const char **)c->search;
}

bool user_config(struct opts *o, struct user_config *c, GError **err)
{
    bool restricted = false;

    c->slirp.version = 4;
    c->slirp.in_enabled = c->slirp.in6_enabled = true;
    if (!opts_bool(o, "restrict", &restricted, err) ||
        !opts_bool(o, "ipv4", &c->slirp.in_enabled, err) ||
        !opts_bool(o, "ipv6", &c->slirp.in6_enabled, err) || !set_ipv4(o, &c->slirp, err))
        return false;
    c->slirp.restricted = restricted;
    set_ipv6(&c->slirp);
    set_texts(o, c);
    return true;
}

void user_config_clear(struct user_config *c)
{
    g_free(c->hostname);
    g_free(c->tftp);
    g_free(c->bootfile);
    g_free(c->tftp_name);
    g_free(c->domain);
    g_strfreev(c->search);
}

const char *user_forward_nth(struct opts *o, unsigned n)
{
    const char *text = opts_str_nth(o, "hostfwd", n);
    g_autofree char *key = NULL;

    if (text)
        return text;
    key = g_strdup_printf("hostfwd.%u.str", n);
    return opts_str(o, key, NULL);
}

static bool parse_end(const char *text, struct in_addr *addr, int *port)
{
    const char *colon = strchr(text, ':');
    g_autofree char *name = colon ? g_strndup(text, (gsize)(colon - text)) : NULL;
    uint64_t n;

    if (!colon || (name[0] && inet_pton(AF_INET, name, addr) != 1) ||
        !option_u64("", colon + 1, 0, UINT16_MAX, &n, NULL))
        return false;
    *port = (int)n;
    return true;
}

bool user_parse_forward(const char *text, struct user_forward *f, GError **err)
{
    const char *rest = strchr(text, ':'), *dash = rest ? strchr(rest, '-') : NULL;
    g_autofree char *host = dash ? g_strndup(rest + 1, (gsize)(dash - rest - 1)) : NULL;

    *f = (struct user_forward){ 0 };
    f->udp = g_str_has_prefix(text, "udp:");
    if (host && (f->udp || g_str_has_prefix(text, "tcp:") || text[0] == ':') &&
        parse_end(host, &f->host, &f->host_port) &&
        parse_end(dash + 1, &f->guest, &f->guest_port) && f->guest_port)
        return true;
    return error_set(err,
                     "-netdev user: hostfwd=%s is not of the form "
                     "[tcp|udp]:[ADDRESS]:PORT-[GUEST ADDRESS]:PORT",
                     text);
}

#endif
