/*
 * The virtio-pci transport (virtio 1.2, 4.1), with MSI-X or INTx: modern, legacy, or both (a
 * transitional device), as the properties disable-legacy and disable-modern say.
 */
#ifndef HW_VIRTIO_PCI_H
#define HW_VIRTIO_PCI_H

#include <hw/pci/pci.h>

struct virtio;
struct virtio_class;

/* What the type's name promises, besides. */
enum virtio_pci_mode { VIRTIO_PCI_ANY, VIRTIO_PCI_TRANSITIONAL, VIRTIO_PCI_MODERN };

/* bus_info of device types on PCI. */
struct virtio_pci_info {
    struct pci_info pci;
    const struct virtio_class *cls;
    enum virtio_pci_mode mode;
};

bool virtio_pci_realize(struct device *dev, GError **err);
void virtio_pci_unrealize(struct device *dev);
void virtio_pci_reset(struct device *dev);

/* pci-legacy.c: the PCI device id of before 1.0 for a virtio device id; 0: there never was one. */
uint16_t virtio_pci_legacy_id(unsigned id);
/* Adds the legacy interface in BAR 0; ids become those of before 1.0. */
void virtio_pci_add_legacy(struct virtio *v);
/* For both: interrupts by vectors, and the register that tells of them without. */
uint16_t virtio_pci_check_vector(const struct virtio *v, uint32_t vector);
uint8_t virtio_pci_take_isr(struct virtio *v);

#endif
