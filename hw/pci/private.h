/* What the files of hw/pci share. */
#ifndef HW_PCI_PRIVATE_H
#define HW_PCI_PRIVATE_H

#include <hw/pci/pci.h>

/* Places the windows as command and BARs say now; takes all out. */
void pci_update_bars(struct pci_device *pd);
void pci_unmap_bars(struct pci_device *pd);
/* rom.c: shows the image that romfile= names, else the file `name` (NULL: none); after command or
 * the register may have changed. */
bool pci_rom_init(struct pci_device *pd, const char *name, GError **err);
void pci_rom_update(struct pci_device *pd);
void pci_rom_destroy(struct pci_device *pd);
/* After command or status may have changed: the line. */
void pci_update_intx(struct pci_device *pd);
/* After MSI-X control may have changed: vectors that wait. */
void pci_msix_control(struct pci_device *pd);
void pci_msix_reset(struct pci_device *pd);
/* A line of the bus behind a bridge changed; it is the bridge's pin n. */
void pci_pass_intx(struct pci_device *bridge, unsigned n, bool level);

#endif
