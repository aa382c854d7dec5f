/*
 * Power management of the 82371AB ("PIIX4_PM", function 3 of the ISA bridge).
 *
 * Outputs: one, the SCI, active high; and one of the group "smi", pulsed by writes to port 0xb2
 * that ask for it. Inputs, group "wake": the lines of enum piix4_wake, which end a sleep.
 */
#ifndef HW_ACPI_PIIX4_H
#define HW_ACPI_PIIX4_H

#include <hw/acpi/pm.h>

/* What a guest writes to port 0xb2 to switch ACPI mode on and off; GPE0 block. */
#define PIIX4_ACPI_ON  0xf1
#define PIIX4_ACPI_OFF 0xf0
#define PIIX4_APM_PORT 0xb2
#define PIIX4_GPE_PORT 0xafe0

enum piix4_wake { PIIX4_WAKE_RTC, PIIX4_WAKE_KEYBOARD };

/* Suspend to RAM and to disk, which can be switched off. */
bool piix4_has_s3(struct device *dev);
bool piix4_has_s4(struct device *dev);
/* Whether slots of its bus can be plugged. */
bool piix4_has_pci_hotplug(struct device *dev);
/* Where the PM registers lie now: events at +0, control at +4, timer at +8; 0 if nowhere. */
uint16_t piix4_pm_base(struct device *dev);
/* What firmware does: places PM registers and SMBus at these ports. */
void piix4_pm_setup(struct device *dev, uint16_t pm_base, uint16_t smbus_base);

#endif
