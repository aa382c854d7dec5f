/* Plugging of PCI functions through ACPI: registers and requests (pcihp.h). */
#include <hw/acpi/pcihp.h>

#include <inttypes.h>

#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>
#include <base/loop.h>

enum { REG_UP = 0, REG_DOWN = 4, REG_EJECT = 8, REG_REMOVABLE = 12, REG_BUS = 16 };
enum { CLASS_DISPLAY = 3, CLASS_BRIDGE = 6 };

static uint32_t slot_of(const struct device *dev)
{
    return (uint32_t)BIT(PCI_SLOT(((const struct pci_device *)dev)->devfn));
}

uint32_t acpi_pcihp_slots(const struct pci_bus *bus)
{
    uint32_t slots = UINT32_MAX;

    for (unsigned i = 0; i < PCI_FUNCTIONS; i++) {
        const struct pci_device *pd = bus->at[i];
        uint8_t class = pd ? pd->config[PCI_CLASS + 2] : 0;

        if (class == CLASS_DISPLAY || class == CLASS_BRIDGE)
            slots &= ~(uint32_t)BIT(PCI_SLOT(i));
    }
    return slots;
}

/* ---- ejecting ---- */

static void unplug_slots(struct acpi_pcihp *h, uint32_t slots)
{
    for (unsigned i = PCI_FUNCTIONS; i--;) {
        struct pci_device *pd = h->bus->at[i];

        if (pd && (slots >> PCI_SLOT(i) & 1))
            device_unplug(&pd->dev);
    }
    h->up &= ~slots;
    h->down &= ~slots;
}

/* Not in the guest's access itself: functions own memory regions that accesses pass through. */
static void eject_now(void *opaque)
{
    struct acpi_pcihp *h = opaque;
    uint32_t slots = h->eject & acpi_pcihp_slots(h->bus);

    h->eject = 0;
    unplug_slots(h, slots);
}

/* ---- registers ---- */

static uint64_t pcihp_read(void *opaque, uint64_t offset, unsigned size)
{
    struct acpi_pcihp *h = opaque;
    uint32_t value;

    (void)size;
    if (offset == REG_BUS)
        return h->selected;
    if (h->selected)
        return 0;
    switch (offset) {
    case REG_UP:
        value = h->up;
        h->up = 0;
        return value;
    case REG_DOWN: return h->down;
    case REG_REMOVABLE: return acpi_pcihp_slots(h->bus);
    default: return 0;
    }
}

static void pcihp_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct acpi_pcihp *h = opaque;

    (void)size;
    if (offset == REG_BUS) {
        h->selected = (uint32_t)value;
    } else if (offset == REG_EJECT && !h->selected) {
        if (!h->eject && value)
            loop_run_in_main(device_loop(h->pm->dev), eject_now, h);
        h->eject |= (uint32_t)value;
    } else {
        log_guest_error("acpi: write to 0x%" PRIx64 " of the PCI slots' registers\n", offset);
    }
}

static const struct io_ops pcihp_io = {
    .read = pcihp_read, .write = pcihp_write, .guest_sizes = { 1, 4 }, .own_sizes = { 4, 4 }
};

/* ---- from outside ---- */

/* A slot is complete with its function 0. */
static void plugged(struct device *dev, void *opaque)
{
    struct acpi_pcihp *h = opaque;

    if (PCI_FUNC(((struct pci_device *)dev)->devfn))
        return;
    h->up |= slot_of(dev);
    acpi_pm_gpe(h->pm, ACPI_PCIHP_GPE);
}

static bool ask(struct device *dev, void *opaque, GError **err)
{
    struct acpi_pcihp *h = opaque;

    if (!(slot_of(dev) & acpi_pcihp_slots(h->bus)))
        return error_set(err, "Device '%s' cannot be unplugged", dev->id ? dev->id : dev->path);
    h->down |= slot_of(dev);
    acpi_pm_gpe(h->pm, ACPI_PCIHP_GPE);
    return true;
}

void acpi_pcihp_init(struct acpi_pcihp *h, struct acpi_pm *pm, struct pci_bus *bus)
{
    h->pm = pm;
    h->bus = bus;
    h->hotplug = (struct hotplug){ .plugged = plugged, .ask = ask, .opaque = h };
    bus->bus.hotplug = &h->hotplug;
    mem_region_init_io(&h->io, device_mem(pm->dev), &pcihp_io, h, "acpi-pci-hotplug",
                       ACPI_PCIHP_SIZE);
}

void acpi_pcihp_destroy(struct acpi_pcihp *h)
{
    if (!h->bus)
        return;
    h->bus->bus.hotplug = NULL;
    mem_region_destroy(&h->io);
}

void acpi_pcihp_reset(struct acpi_pcihp *h)
{
    if (h->down && !h->eject)
        loop_run_in_main(device_loop(h->pm->dev), eject_now, h);
    h->eject |= h->down;
    h->up = h->down = h->selected = 0;
}

static const struct state_field pcihp_fields[] = { STATE_U32(struct acpi_pcihp, up),
                                                   STATE_U32(struct acpi_pcihp, down),
                                                   STATE_U32(struct acpi_pcihp, selected),
                                                   STATE_END };
const struct state_table acpi_pcihp_state = { .name = "acpi-pcihp",
                                              .version = 1,
                                              .fields = pcihp_fields };
