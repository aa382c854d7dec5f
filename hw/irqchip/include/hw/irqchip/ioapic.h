/*
 * I/O APIC, "ioapic". Region 0: its registers (4 KiB, at 0xfec00000). Inputs: 24 pins.
 */
#ifndef HW_IRQCHIP_IOAPIC_H
#define HW_IRQCHIP_IOAPIC_H

#include <stdbool.h>

struct device;
struct host_ioapic;
struct host_irqchip;

#define IOAPIC_ADDR 0xfec00000u
#define IOAPIC_PINS 24

/* The local APICs that it sends to; before the machine starts. */
void ioapic_connect(struct device *dev, struct device *apic);

/* The host's kernel has it now (hw/core/host_irqchip.h), or (NULL) no longer. Before the machine
 * starts. */
void ioapic_set_host(struct device *dev, const struct host_irqchip *host);
/* Registers to or (@load) from @r; nothing follows from it. Device lock. */
void ioapic_registers(struct device *dev, struct host_ioapic *r, bool load);

#endif
