/*
 * The ISA bridge of the 82371SB ("PIIX3", at 01.0).
 *
 * Region 0 is the byte of the reset control register, at port 0xcf9. Inputs: four of the group
 * "pirq", PIRQA# to PIRQD#. Outputs: 16, the ISA interrupts, to which PCI interrupts are routed
 * too.
 */
#ifndef HW_ISA_PIIX3_H
#define HW_ISA_PIIX3_H

#include <hw/isa/isa.h>

/* Of the realized bridge. */
struct isa_bus *piix3_isa(struct device *bridge);

#endif
