/*
 * The host bridge 82441FX ("i440FX-pcihost", with its function "i440FX" at 00.0): configuration
 * mechanism 1, PAM and SMRAM. A board makes it, and then finds here what hangs on it.
 *
 * Outputs: four, INTA to INTD as slot 0 has them.
 */
#ifndef HW_PCI_I440FX_H
#define HW_PCI_I440FX_H

#include <hw/pci/pci.h>

struct pci_bus *i440fx_bus(struct device *host);
/* PCI's memory, by address; RAM of the machine hides it where there is some. */
struct mem_region *i440fx_memory(struct device *host);
/* Accesses of a byte to port 0xcf9, amid the address register, go to this region. */
void i440fx_set_reset_port(struct device *host, struct mem_region *r);
/* What processors see in system management mode. */
struct address_space *i440fx_smm_space(struct device *host);

#endif
