/* Networks of -netdev and -nic, the one there is by default, and the cards that they imply. */
#include "parts.h"

#include <base/error.h>

static void *find_netdev(void *opaque, const char *id, GError **err)
{
    return net_find(opaque, id, err);
}

static const char *name_netdev(void *backend)
{
    return netdev_id(backend);
}

/* A card of the machine's own kind unless model= says otherwise. */
static bool wish_card(struct session *s, const char *model, const char *mac, const char *netdev,
                      GError **err)
{
    const char *driver = model ? model : s->machine->type->default_nic;
    struct opts *o;

    if (!driver) {
        return error_set(err, "-nic: machine '%s' has no network card of its own; give model=",
                         s->machine->type->name);
    }
    if (strcmp(driver, "virtio") == 0) {
        driver = "virtio-net-pci";
    }
    o = opts_new("-nic");
    opts_set(o, "driver", driver);
    opts_set(o, "netdev", netdev);
    if (mac) {
        opts_set(o, "mac", mac);
    }
    g_ptr_array_add(s->cards, o);
    return true;
}

/* -nic TYPE[,model=M][,mac=A][,id=ID] and what -netdev takes */
static bool add_nic(struct session *s, struct opts *given, unsigned number, GError **err)
{
    opts_auto struct opts *o = opts_copy(given);
    g_autofree char *model = g_strdup(opts_str(o, "model", NULL));
    g_autofree char *mac = g_strdup(opts_str(o, "mac", NULL));
    g_autofree char *name = g_strdup_printf("nic%u", number);
    struct netdev *nd;

    if (g_strcmp0(opts_str(o, "type", NULL), "none") == 0) {
        return opts_done(o, err);
    }
    opts_remove(o, "model");
    opts_remove(o, "mac");
    if (!opts_has(o, "id")) {
        opts_set(o, "id", name);
    }
    nd = net_add(s->nets, o, err);
    return nd && wish_card(s, model, mac, netdev_id(nd), err);
}

/* Whether a -device is a network card: then there is none by default. */
static bool has_card(const struct session *s)
{
    const GPtrArray *list = s->config->lists[LIST_DEVICE];

    for (guint i = 0; i < list->len; i++) {
        const char *driver = opts_str(list->pdata[i], "driver", NULL);
        const struct device_type *t = driver ? device_type_find("", driver, NULL) : NULL;

        if (t && g_strcmp0(t->category, "network") == 0) {
            return true;
        }
    }
    return false;
}

static bool wants_default(const struct session *s)
{
    const char *card = s->machine->type->default_nic;

    return !s->config->flag[FLAG_NODEFAULTS] && !s->config->lists[LIST_NIC]->len &&
           !s->config->lists[LIST_NETDEV]->len && card && !has_card(s) &&
           device_type_find("", card, NULL) && net_type_names()[0];
}

bool networks_make(struct session *s, GError **err)
{
    const GPtrArray *netdevs = s->config->lists[LIST_NETDEV], *nics = s->config->lists[LIST_NIC];

    s->nets = net_set_new(s->loop);
    s->cards = g_ptr_array_new_with_free_func((GDestroyNotify)opts_free);
    machine_set_backend(s->machine, BACKEND_NETDEV, find_netdev, name_netdev, s->nets);
    for (guint i = 0; i < netdevs->len; i++) {
        if (!net_add(s->nets, netdevs->pdata[i], err)) {
            return false;
        }
    }
    for (guint i = 0; i < nics->len; i++) {
        if (!add_nic(s, nics->pdata[i], i, err)) {
            return false;
        }
    }
    if (wants_default(s)) {
        opts_auto struct opts *o = opts_parse("-nic", "user", "type", err);

        return o && add_nic(s, o, 0, err);
    }
    return true;
}

bool networks_add_devices(struct session *s, GError **err)
{
    for (guint i = 0; i < s->cards->len; i++) {
        if (!device_create(s->machine, s->cards->pdata[i], err)) {
            return false;
        }
    }
    return true;
}

void networks_free(struct session *s)
{
    if (s->nets) {
        net_set_free(s->nets);
        g_ptr_array_free(s->cards, TRUE);
    }
}
