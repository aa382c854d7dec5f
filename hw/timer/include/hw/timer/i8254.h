/*
 * The PC's 8254 interval timer with port 61h, "isa-pit": one device.
 *
 * Regions: 0 the timer (ports 40h-43h), 1 system control port B (61h). Output: OUT of channel 0, to
 * IRQ 0.
 */
#ifndef HW_TIMER_I8254_H
#define HW_TIMER_I8254_H

#include <stdbool.h>
#include <stdint.h>

struct device;
struct host_chips;
struct host_irqchip;

#define I8254_HZ 1193182

/* What the speaker hears: whether port 61h lets channel 2 through, and the period of its square
 * wave in ticks of I8254_HZ, 0 when it does not swing. Device lock. */
bool i8254_speaker(const struct device *dev, uint32_t *period);

/* The host's kernel has it now (hw/core/host_irqchip.h), so that OUT of channel 0 is never driven
 * here, or (NULL) no longer. Before the machine starts. */
void i8254_set_host(struct device *dev, const struct host_irqchip *host);
/* Registers to or (@load) from pit[] and port61; nothing follows from it. Device lock. */
void i8254_registers(struct device *dev, struct host_chips *r, bool load);

#endif
