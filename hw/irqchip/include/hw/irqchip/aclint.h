/* What CPUs want of the machine timer beside its interrupt. */
#ifndef HW_IRQCHIP_ACLINT_H
#define HW_IRQCHIP_ACLINT_H

#include <stdint.h>

struct device;

/* mtime of a "riscv.aclint.mtimer" in ticks, for the time CSR. Any thread, no lock. */
uint64_t aclint_mtime(const struct device *dev);
/* Nanoseconds of CLK_VIRTUAL at which mtime reaches `ticks`, which lie ahead; INT64_MAX: never. */
int64_t aclint_deadline(const struct device *dev, uint64_t ticks);
/* `fn` is called after mtime was set to something else, by the guest, a reset or a load. */
void aclint_on_jump(struct device *dev, void (*fn)(void *opaque), void *opaque);

#endif
