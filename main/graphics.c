/* -vga: the graphics card. */
#include <string.h>
#include <base/error.h>

#include "parts.h"

/* Whether a -device is a graphics card: then there is none by default. */
static bool has_card(const struct session *s)
{
    const GPtrArray *list = s->config->lists[LIST_DEVICE];

    for (guint i = 0; i < list->len; i++) {
        const char *driver = opts_str(list->pdata[i], "driver", NULL);
        const struct device_type *t = driver ? device_type_find("", driver, NULL) : NULL;

        if (t && g_strcmp0(t->category, "display") == 0) {
            return true;
        }
    }
    return false;
}

/* What -vga can name. */
static const struct {
    const char *name, *pci, *isa;
} cards[] = {
    { "std", "VGA", "isa-vga" },
    { "cirrus", "cirrus-vga", "isa-cirrus-vga" },
    { "virtio", "virtio-vga", NULL },
    { "none", NULL, NULL },
};

bool graphics_check(struct config *c, GError **err)
{
    const char *wish = c->text[TEXT_VGA];
    struct nearest n;

    if (!wish) {
        return true;
    }
    nearest_init(&n, wish);
    for (unsigned i = 0; i < G_N_ELEMENTS(cards); i++) {
        if (strcmp(wish, cards[i].name) == 0) {
            return true;
        }
        nearest_try(&n, cards[i].name);
    }
    return error_set_unknown(err, "-vga", "graphics card", wish, &n);
}

/* The device for -vga; the board's own card says which bus it is for. NULL: none. */
static const char *driver_for(const char *wish, const char *own)
{
    for (unsigned i = 0; wish && i < G_N_ELEMENTS(cards); i++) {
        if (strcmp(wish, cards[i].name) == 0) {
            return g_strcmp0(own, "isa-vga") == 0 ? cards[i].isa : cards[i].pci;
        }
    }
    return own;
}

bool graphics_add_device(struct session *s, GError **err)
{
    const char *wish = s->config->text[TEXT_VGA], *own = s->machine->type->default_vga;
    opts_auto struct opts *o = NULL;

    if (wish ? strcmp(wish, "none") == 0
             : s->config->flag[FLAG_NODEFAULTS] || !own || has_card(s)) {
        return true;
    }
    if (!driver_for(wish, own)) {
        return error_set(err, "-vga: machine '%s' has no PCI, which '%s' wants; 'std' does without",
                         s->machine->type->name, wish);
    }
    o = opts_new("-vga");
    opts_set(o, "driver", driver_for(wish, own));
    return device_create(s->machine, o, err) != NULL;
}
