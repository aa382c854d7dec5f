/*
 * Plugging of PCI functions on one bus through ACPI, by the registers that QEMU has documented for
 * it (docs/specs/acpi_pci_hotplug): a bit a slot, each register 4 bytes.
 *
 *   +0   slots in which something was plugged, to be notified of; reading clears them
 *   +4   slots that are to be given up, until they are
 *   +8   written: these slots are given up; read: features, none
 *   +12  slots whose functions can be removed
 *   +16  chooses a bus: there is one, 0
 *
 * The guest is told of changes by a general-purpose event, whose method notifies the slots.
 */
#ifndef HW_ACPI_PCIHP_H
#define HW_ACPI_PCIHP_H

#include <hw/core/bus.h>
#include <hw/acpi/pm.h>
#include <hw/pci/pci.h>

#define ACPI_PCIHP_PORT 0xae00
#define ACPI_PCIHP_SIZE 20
#define ACPI_PCIHP_GPE  1

struct acpi_pcihp {
    struct acpi_pm *pm;
    struct pci_bus *bus;
    struct mem_region io; /* to be placed at ACPI_PCIHP_PORT */
    struct hotplug hotplug;

    /* a bit a slot; device lock */
    uint32_t up, down, eject;
    uint32_t selected;
};

/* Takes the bus's hot plugging over. */
void acpi_pcihp_init(struct acpi_pcihp *h, struct acpi_pm *pm, struct pci_bus *bus);
void acpi_pcihp_destroy(struct acpi_pcihp *h);
/* What was asked to go goes. */
void acpi_pcihp_reset(struct acpi_pcihp *h);
/* Slots in which functions can come and go: all but those that hold the chip set, bridges, the
 * display. */
uint32_t acpi_pcihp_slots(const struct pci_bus *bus);

extern const struct state_table acpi_pcihp_state;

#endif
