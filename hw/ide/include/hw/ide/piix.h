/*
 * The IDE function of the PIIX3 ("piix3-ide", at 01.1): two channels, "ide.0" and "ide.1", at the
 * ports and interrupts that PCs have had them at, and bus mastering.
 *
 * Outputs: two, the channels' interrupts (ISA 14 and 15).
 */
#ifndef HW_IDE_PIIX_H
#define HW_IDE_PIIX_H

struct device;

/* What firmware does: both channels are decoded, so that drivers look there. */
void piix_ide_setup(struct device *dev);

#endif
