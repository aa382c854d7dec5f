/*
 * Memory accesses that may trap, without a trap being taken for a bug of the firmware.
 *
 * They borrow the trap vector in the way of csr_try_read(): a fault overwrites mepc, mcause, mtval
 * and mstatus.MPP/MPIE, of which trap handling keeps its own copies.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* What a trap reports. */
struct trap {
    unsigned long cause, value;
};

/* Whether the byte at a physical address can be read. */
bool memory_readable(uintptr_t addr);

/*
 * One byte at an address as the interrupted program sees it: its privilege, its translation.
 * mstatus.MPP must still be that of the trap. On a fault false, and `trap` says which.
 */
bool guest_load(uintptr_t addr, uint8_t *value, struct trap *trap);
bool guest_store(uintptr_t addr, uint8_t value, struct trap *trap);

/* A byte of an instruction; also from pages that may only be executed. */
bool guest_fetch(uintptr_t addr, uint8_t *value, struct trap *trap);

#endif
