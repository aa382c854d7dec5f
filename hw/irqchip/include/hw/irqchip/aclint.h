/* What CPUs want of the machine timer beside its interrupt. */
#ifndef HW_IRQCHIP_ACLINT_H
#define HW_IRQCHIP_ACLINT_H

#include <stdint.h>

struct device;

/* mtime of a "riscv.aclint.mtimer" in ticks, for the time CSR. Any thread, no lock. */
uint64_t aclint_mtime(const struct device *dev);

#endif
