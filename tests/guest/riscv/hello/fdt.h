/* fdt.h - the little that the built-in guest wants from its devicetree. */
#ifndef HELLO_FDT_H
#define HELLO_FDT_H

#include <stdint.h>

struct machine {
    uint32_t ticks_per_second; /* of the time CSR */
    uint32_t harts;
    uint64_t memory_start, memory_size;
    uint64_t rtc; /* address of a goldfish RTC, or 0 */
    char model[48];
};

/*
 * Read the flattened tree at `tree` (Devicetree Specification 0.4, chapter 5).  What it does
 * not say keeps its default: 10 MHz, one hart, no memory, no clock.
 */
void machine_read(struct machine *m, const void *tree);

#endif
