/*
 * bootindex=: firmware finds the order of devices in fw_cfg's file "bootorder", a line for each,
 * as a path of Open Firmware (IEEE 1275, 3.2.1.1; the names are those that SeaBIOS builds for what
 * it finds). With -boot strict=on the last line says that nothing else is to be tried.
 */
#include "pc.h"

#include <base/bits.h>
#include <hw/ide/ide.h>
#include <hw/misc/fw_cfg.h>
#include <hw/pci/pci.h>

struct entry {
    int64_t index;
    char *path;
};

static unsigned number(struct device *dev, const char *name)
{
    g_autofree char *text = device_get(dev, name, NULL);

    return text ? (unsigned)g_ascii_strtoull(text, NULL, 0) : 0;
}

/* Base class and subclass of a PCI function. */
static const struct {
    uint16_t class;
    const char *name, *unit; /* of the device, and of the one thing on it */
} pci_names[] = {
    { 0x0100, "scsi", "/disk@0,0" },
    { 0x0101, "ide", "" },
    { 0x0200, "ethernet", "/ethernet-phy@0" },
    { 0x0300, "display", "" },
    { 0x0601, "isa", "" },
    { 0x0604, "pci-bridge", "" },
};

static void add_pci(GString *path, struct device *dev, bool last)
{
    const struct pci_device *pd = (const struct pci_device *)dev;
    uint16_t class = (uint16_t)(pd->config[PCI_CLASS + 2] << 8 | pd->config[PCI_CLASS + 1]);
    const char *name = "pci", *unit = "";

    for (unsigned i = 0; i < ARRAY_LEN(pci_names); i++)
        if (pci_names[i].class == class) {
            name = pci_names[i].name;
            unit = pci_names[i].unit;
        }
    g_string_append_printf(path, "/%s@%x", name, PCI_SLOT(pd->devfn));
    if (PCI_FUNC(pd->devfn))
        g_string_append_printf(path, ",%x", PCI_FUNC(pd->devfn));
    if (last)
        g_string_append(path, unit);
}

static void add_path(GString *path, struct device *dev, bool last)
{
    if (dev->bus->parent)
        add_path(path, dev->bus->parent, false);
    if (dev->bus->type == BUS_PCI)
        add_pci(path, dev, last);
    else if (dev->bus->type == BUS_IDE)
        g_string_append_printf(path, "/drive@%x/disk@%x", g_str_has_suffix(dev->bus->name, ".1"),
                               number(dev, "unit"));
    else if (dev->bus->type == BUS_ISA)
        g_string_append(path, "/fdc@03f0");
    else if (g_strcmp0(dev->type->name, "floppy") == 0)
        g_string_append_printf(path, "/floppy@%x", number(dev, "unit"));
    else if (g_strcmp0(dev->type->name, "i440FX-pcihost") == 0)
        g_string_append(path, "/pci@i0cf8");
}

static bool add_device(struct device *dev, void *opaque)
{
    g_autofree char *text = device_get(dev, "bootindex", NULL);
    struct entry e = { text ? g_ascii_strtoll(text, NULL, 10) : -1, NULL };
    GString *path;

    if (e.index < 0)
        return true;
    path = g_string_new(NULL);
    add_path(path, dev, true);
    e.path = g_string_free(path, FALSE);
    g_array_append_val((GArray *)opaque, e);
    return true;
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const struct entry *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

void pc_boot_order_init(struct pc *pc)
{
    fw_cfg_add_file(pc->fw_cfg, "bootorder", "", 1);
}

void pc_boot_order_ready(struct pc *pc)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(struct entry));
    g_autoptr(GString) text = g_string_new(NULL);

    bus_walk(&pc->m.root, add_device, list);
    g_array_sort(list, compare);
    for (unsigned i = 0; i < list->len; i++) {
        struct entry *e = &g_array_index(list, struct entry, i);

        g_string_append_printf(text, "%s%s", i ? "\n" : "", e->path);
        g_free(e->path);
    }
    if (pc->m.cfg.boot_strict)
        g_string_append_printf(text, "%sHALT", text->len ? "\n" : "");
    fw_cfg_replace_file(pc->fw_cfg, "bootorder", text->str, text->len + 1);
    g_array_free(list, TRUE);
}
