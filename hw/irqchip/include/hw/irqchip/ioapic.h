/*
 * I/O APIC, "ioapic". Region 0: its registers (4 KiB, at 0xfec00000). Inputs: 24 pins.
 */
#ifndef HW_IRQCHIP_IOAPIC_H
#define HW_IRQCHIP_IOAPIC_H

struct device;

#define IOAPIC_ADDR 0xfec00000u
#define IOAPIC_PINS 24

/* The local APICs that it sends to; before the machine starts. */
void ioapic_connect(struct device *dev, struct device *apic);

#endif
