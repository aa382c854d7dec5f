/* PCI buses: addresses of functions, their headers, saved state. */
#include "private.h"

#include <string.h>
#include <base/bits.h>
#include <base/error.h>

#define SLOTS 32

/* "5", "05.1": hexadecimal slot and function */
static bool parse_addr(const struct pci_device *pd, uint8_t *devfn, GError **err)
{
    char *end;
    guint64 slot = g_ascii_strtoull(pd->addr, &end, 16), func = 0;

    if (end != pd->addr && *end == '.') {
        const char *f = end + 1;

        func = g_ascii_strtoull(f, &end, 16);
        if (end == f)
            slot = SLOTS;
    }
    if (end == pd->addr || *end || slot >= SLOTS || func > 7)
        return error_set(err, "%s.addr: '%s' is not SLOT[.FUNCTION] up to 1f.7", pd->dev.type->name,
                         pd->addr);
    *devfn = PCI_DEVFN(slot, func);
    return true;
}

static bool free_slot(const struct pci_bus *b, uint8_t *devfn)
{
    for (unsigned s = 0; s < SLOTS; s++) {
        if (!b->at[PCI_DEVFN(s, 0)]) {
            *devfn = PCI_DEVFN(s, 0);
            return true;
        }
    }
    return false;
}

static bool find_place(struct pci_bus *b, struct pci_device *pd, GError **err)
{
    const struct pci_device *other, *first;

    if (!pd->addr) {
        if (free_slot(b, &pd->devfn))
            return true;
        return error_set(err, "%s: all slots of bus '%s' are taken", pd->dev.type->name,
                         b->bus.name);
    }
    if (!parse_addr(pd, &pd->devfn, err))
        return false;
    other = b->at[pd->devfn];
    if (other)
        return error_set(err, "%s.addr: %s is taken by %s", pd->dev.type->name, pd->addr,
                         other->dev.path);
    first = b->at[pd->devfn & ~7];
    if (PCI_FUNC(pd->devfn) && first && !first->multifunction)
        return error_set(err, "%s.addr: %s: function 0 there is not multifunction=on",
                         pd->dev.type->name, pd->addr);
    return true;
}

static void fill_header(struct pci_device *pd, const struct pci_info *i)
{
    uint8_t *c = pd->config, *w = pd->wmask;

    stw_le(c + PCI_VENDOR, i->vendor);
    stw_le(c + PCI_DEVICE, i->device);
    c[PCI_REVISION] = i->revision;
    memcpy(c + PCI_CLASS, i->class_code, sizeof(i->class_code));
    c[PCI_HEADER_TYPE] = pd->multifunction ? 0x80 : 0;
    stw_le(c + PCI_SUBVENDOR, i->subvendor);
    stw_le(c + PCI_SUBDEVICE, i->subdevice);
    c[PCI_IRQ_PIN] = i->pin;
    stw_le(w + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                                PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_OFF);
    w[PCI_CACHE_LINE] = 0xff; /* drivers that turn on memory write and invalidate set it */
    w[PCI_IRQ_LINE] = 0xff;
    pd->cap_end = PCI_HEADER_LEN;
}

static bool pci_attach(struct bus *bus, struct device *dev, GError **err)
{
    struct pci_device *pd = (struct pci_device *)dev;
    struct pci_bus *b = container_of(bus, struct pci_bus, bus);

    if (!find_place(b, pd, err))
        return false;
    pd->bus = b;
    b->at[pd->devfn] = pd;
    fill_header(pd, dev->type->bus_info);
    return true;
}

/* Only now the header has all that realize puts into it. */
static bool pci_attached(struct bus *bus, struct device *dev, GError **err)
{
    const struct pci_info *info = dev->type->bus_info;

    (void)bus;
    return pci_rom_init((struct pci_device *)dev, info->rom, err);
}

static void pci_detach(struct bus *bus, struct device *dev)
{
    struct pci_device *pd = (struct pci_device *)dev;

    (void)bus;
    /* when the machine goes, those whom the line leads to may have gone before */
    if (!dev->machine->exiting)
        pci_set_intx(pd, false);
    pci_unmap_bars(pd);
    pci_rom_destroy(pd);
    pd->bus->at[pd->devfn] = NULL;
}

static void pci_reset_device(struct device *dev)
{
    struct pci_device *pd = (struct pci_device *)dev;

    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++)
        pd->config[i] &= ~pd->wmask[i];
    /* the type bits of BARs are not writable and so are still there */
    pci_set_intx(pd, false);
    pci_msix_reset(pd);
    pci_update_bars(pd);
    if (pd->hooks && pd->hooks->written)
        pd->hooks->written(pd, 0, PCI_CONFIG_SIZE);
}

static char *pci_address(const struct device *dev)
{
    const struct pci_device *pd = (const struct pci_device *)dev;

    return g_strdup_printf("%02x.%x", PCI_SLOT(pd->devfn), PCI_FUNC(pd->devfn));
}

static void pci_print(const struct device *dev, unsigned indent, GString *out)
{
    const struct pci_device *pd = (const struct pci_device *)dev;

    g_string_append_printf(out, "%*sclass %02x%02x, addr 00:%02x.%x, pci id %04x:%04x\n",
                           (int)indent, "", pd->config[PCI_CLASS + 2], pd->config[PCI_CLASS + 1],
                           PCI_SLOT(pd->devfn), PCI_FUNC(pd->devfn),
                           lduw_le(pd->config + PCI_VENDOR), lduw_le(pd->config + PCI_DEVICE));
}

static const struct prop pci_props[] = {
    PROP_STR(struct pci_device, addr, "addr", NULL, "SLOT[.FUNCTION] in hexadecimal"),
    PROP_BOOL(struct pci_device, multifunction, "multifunction", false,
              "more functions may share the slot"),
    PROP_STR(struct pci_device, romfile, "romfile", NULL, "option ROM; empty for none"),
    PROP_U32(struct pci_device, rombar, "rombar", 1, "0: show no option ROM"),
    PROP_I64(struct pci_device, bootindex, "bootindex", -1, "place in the order of booting"),
    PROP_LIST_END
};

/* ---- saved state ---- */

static void pci_pre_save(void *obj)
{
    struct pci_device *pd = obj;

    memcpy(pd->saved, pd->config, sizeof(pd->saved));
    pd->intx_saved = pd->intx;
}

static bool pci_loaded(void *obj, unsigned version, GError **err)
{
    struct pci_device *pd = obj;

    (void)version;
    if (memcmp(pd->saved, pd->config, 4) != 0)
        return error_set(err, "saved state: %s: is of another device", pd->dev.path);
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++)
        pd->config[i] = (pd->config[i] & ~pd->wmask[i]) | (pd->saved[i] & pd->wmask[i]);
    pci_update_bars(pd);
    pci_set_intx(pd, pd->intx_saved);
    if (pd->hooks && pd->hooks->written)
        pd->hooks->written(pd, 0, PCI_CONFIG_SIZE);
    return true;
}

static const struct state_field pci_fields[] = {
    STATE_BUF(struct pci_device, saved), STATE_BOOL(struct pci_device, intx_saved),
    STATE_VARRAY(struct pci_device, msix_table, msix_words, PCI_MSIX_MAX * 4),
    STATE_VARRAY(struct pci_device, msix_pending, msix_longs, PCI_MSIX_MAX / 64), STATE_END
};
static const struct state_table pci_state = { .name = "pci",
                                              .version = 1,
                                              .fields = pci_fields,
                                              .pre_save = pci_pre_save,
                                              .post_load = pci_loaded };

const struct bus_type pci_bus_type = {
    .name = "PCI",
    .dev_props = pci_props,
    .dev_state = &pci_state,
    .attach = pci_attach,
    .attached = pci_attached,
    .detach = pci_detach,
    .reset_device = pci_reset_device,
    .address = pci_address,
    .print = pci_print,
    .max_devices = PCI_FUNCTIONS,
};

void pci_bus_init(struct pci_bus *b, struct device *host, const char *name, struct mem_region *mmio,
                  struct mem_region *io, struct irq_line *intx)
{
    bus_init(&b->bus, BUS_PCI, host->machine, host, name);
    b->mmio = mmio;
    b->io = io;
    b->intx = intx;
}
