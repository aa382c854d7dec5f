/*
 * The PC's pair of 8259A interrupt controllers, "isa-i8259": one device.
 *
 * Regions: 0 the master (ports 20h-21h), 1 the slave (a0h-a1h), 2 ELCR (4d0h-4d1h). Inputs: IRQ 0
 * to 15 (2 is the cascade and leads nowhere). Output: INT, to the CPU or the APICs' LINT0.
 */
#ifndef HW_IRQCHIP_I8259_H
#define HW_IRQCHIP_I8259_H

#include <stdbool.h>

struct device;
struct host_irqchip;
struct host_pic;

/* INTA: takes the most urgent request into service; its vector. With nothing pending the vector of
 * IRQ 7 (or 15), as the chip does. Device lock. */
int i8259_ack(struct device *dev);
/* The level of INT. Device lock. */
bool i8259_pending(const struct device *dev);

/* The host's kernel has them now (hw/core/host_irqchip.h), or (NULL) no longer. Before the machine
 * starts. */
void i8259_set_host(struct device *dev, const struct host_irqchip *host);
/* Registers of both, to or (@load) from two of @r; nothing follows from it. Device lock. */
void i8259_registers(struct device *dev, struct host_pic *r, bool load);

#endif
