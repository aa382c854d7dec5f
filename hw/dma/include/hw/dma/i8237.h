/*
 * The PC's two 8237A DMA controllers with their page registers, "i8257": one device.
 *
 * Regions: 0 channels 0 to 3 (ports 00h-0fh), 1 page registers (80h-8fh), 2 channels 4 to 7
 * (c0h-dfh). Channel 4 is the cascade. Devices move data by the functions below, device lock held:
 *
 *     n = i8237_to_device(dma, 2, sector, 512, &tc);
 */
#ifndef HW_DMA_I8237_H
#define HW_DMA_I8237_H

#include <stdbool.h>
#include <stddef.h>

struct device;

/* DREQ of a channel, as its status shows it. */
void i8237_request(struct device *dev, unsigned channel, bool on);
/* Whether a transfer could move data now: set up, not masked, controllers on. */
bool i8237_ready(const struct device *dev, unsigned channel);
/* Moves up to `len` bytes (even for channels 5 to 7) between memory and the device, and returns how
 * many. Stops at terminal count, which sets *tc. A channel that is set up for the other direction,
 * or to verify, counts without moving anything: `buf` then gets zeroes. */
size_t i8237_to_device(struct device *dev, unsigned channel, void *buf, size_t len, bool *tc);
size_t i8237_from_device(struct device *dev, unsigned channel, const void *buf, size_t len,
                         bool *tc);

#endif
