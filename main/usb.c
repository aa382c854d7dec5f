/* -usb, which is -machine usb=on, and -usbdevice: a controller, and what is plugged into it. */
#include <string.h>
#include <base/error.h>

#include "parts.h"

static const struct {
    const char *name, *driver;
} usb_devices[] = {
    { "tablet", "usb-tablet" },
    { "mouse", "usb-mouse" },
    { "keyboard", "usb-kbd" },
};

static bool plug_in(struct session *s, const char *name, GError **err)
{
    opts_auto struct opts *o = opts_new("-usbdevice");
    struct nearest n;

    nearest_init(&n, name);
    for (unsigned i = 0; i < G_N_ELEMENTS(usb_devices); i++) {
        nearest_try(&n, usb_devices[i].name);
        if (strcmp(name, usb_devices[i].name) == 0) {
            opts_set(o, "driver", usb_devices[i].driver);
            return device_create(s->machine, o, err) != NULL;
        }
    }
    return error_set_unknown(err, "-usbdevice", "USB device", name, &n);
}

static bool has_controller(const struct session *s)
{
    const GPtrArray *list = s->config->lists[LIST_DEVICE];

    for (guint i = 0; i < list->len; i++) {
        if (g_strcmp0(opts_str(list->pdata[i], "driver", NULL), "piix3-usb-uhci") == 0) {
            return true;
        }
    }
    return false;
}

/* In the PIIX3 where the board has one, as its third function. */
bool usb_add_controller(struct session *s, GError **err)
{
    opts_auto struct opts *o = NULL;
    bool pc = g_strcmp0(s->machine->type->name, "pc") == 0, usb = false;

    if (!opts_bool(s->config->one[ONE_MACHINE], "usb", &usb, err)) {
        return false;
    }
    if (!usb && (!s->config->streams[STREAMS_USB]->len || has_controller(s))) {
        return true;
    }
    o = opts_new("-usb");
    opts_set(o, "driver", "piix3-usb-uhci");
    if (pc) {
        opts_set(o, "addr", "01.2");
    }
    return device_create(s->machine, o, err) != NULL;
}

bool usb_add_devices(struct session *s, GError **err)
{
    const GPtrArray *list = s->config->streams[STREAMS_USB];

    for (guint i = 0; i < list->len; i++) {
        if (!plug_in(s, list->pdata[i], err)) {
            return false;
        }
    }
    return true;
}
