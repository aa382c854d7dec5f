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

#define I8254_HZ 1193182

/* What the speaker hears: whether port 61h lets channel 2 through, and the period of its square
 * wave in ticks of I8254_HZ, 0 when it does not swing. Device lock. */
bool i8254_speaker(const struct device *dev, uint32_t *period);

#endif
