/*
 * The virtio-pci transport (virtio 1.2, 4.1): modern devices, with MSI-X or INTx.
 */
#ifndef HW_VIRTIO_PCI_H
#define HW_VIRTIO_PCI_H

#include <hw/pci/pci.h>

struct virtio_class;

/* bus_info of device types on PCI. */
struct virtio_pci_info {
    struct pci_info pci;
    const struct virtio_class *cls;
};

bool virtio_pci_realize(struct device *dev, GError **err);
void virtio_pci_unrealize(struct device *dev);
void virtio_pci_reset(struct device *dev);

#endif
