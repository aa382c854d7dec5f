/*
 * Networks: who is connected to what, and pulling the cable.
 */
#include <string.h>
#include <net/net.h>
#include "command.h"

static void print_netdev(struct netdev *nd, void *opaque)
{
    char *info = netdev_info(nd);
    const char *user = netdev_user(nd);

    if (user)
        g_string_append_printf(opaque, "%s:%s\n \\ ", user, netdev_link(nd) ? "" : " link down");
    g_string_append_printf(opaque, "%s: index=0,type=%s\n%s", netdev_id(nd), netdev_type(nd), info);
    g_free(info);
}

static bool info_network(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    if (mon_nets(mon))
        net_foreach(mon_nets(mon), print_netdev, out);
    return true;
}

static const struct mon_member link_args[] = {
    MEMBER("name", &mon_str),
    MEMBER("up", &mon_bool),
    { 0 },
};

struct search {
    const char *name;
    struct netdev *found;
};

/* By its own id, or that of the card at it. */
static void match(struct netdev *nd, void *opaque)
{
    struct search *s = opaque;
    const char *user = netdev_user(nd), *folder = "/machine/peripheral/";

    if (user && g_str_has_prefix(user, folder))
        user += strlen(folder);
    if (!strcmp(netdev_id(nd), s->name) || !g_strcmp0(user, s->name))
        s->found = nd;
}

static json_t *set_link(struct mon *mon, const json_t *args, GError **err)
{
    struct search s = { .name = json_string_value(json_object_get(args, "name")) };

    if (mon_nets(mon))
        net_foreach(mon_nets(mon), match, &s);
    if (s.found)
        netdev_set_link(s.found, json_is_true(json_object_get(args, "up")));
    else
        error_set_code(err, MYNA_ERROR_NOT_FOUND, "Device '%s' not found", s.name);
    return NULL;
}

static void add_name(struct netdev *nd, void *opaque)
{
    g_ptr_array_add(opaque, g_strdup(netdev_id(nd)));
}

static void complete_netdev(struct mon *mon, GPtrArray *words)
{
    if (mon_nets(mon))
        net_foreach(mon_nets(mon), add_name, words);
}

const struct mon_command net_commands[] = {
    { .hmp = "info network", .text = info_network, .help = "show the network state" },
    { .qmp = "set_link",
      .hmp = "set_link",
      .args = link_args,
      .params = "name on|off",
      .run = set_link,
      .complete = complete_netdev,
      .help = "change the link status of a network adapter" },
    { 0 },
};
