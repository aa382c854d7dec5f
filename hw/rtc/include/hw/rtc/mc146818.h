/*
 * The PC's real-time clock with its CMOS memory, "mc146818rtc".
 *
 * Regions: 0 index and data (ports 70h-71h), 1 the same for the upper 128 bytes (72h-73h). Output:
 * IRQ 8.
 */
#ifndef HW_RTC_MC146818_H
#define HW_RTC_MC146818_H

#include <stdint.h>

struct device;

#define MC146818_CMOS_SIZE 256

/* Bytes of the memory beyond the clock's registers, 0x0e to 0xff but for the century at 0x32, for
 * the board to tell firmware of the machine. They stay over resets. Device lock. */
void mc146818_set(struct device *dev, uint8_t index, uint8_t value);
uint8_t mc146818_get(const struct device *dev, uint8_t index);

#endif
