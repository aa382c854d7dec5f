/*
 * What the devicetree says about the machine: memory, harts, and the few devices that the firmware
 * drives itself. Filled in once by the boot hart, read-only afterwards.
 */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "console.h"
#include "fdt.h"
#include "util.h"

#define MAX_RAM     16
#define MAX_PRIVATE 16

struct platform {
    struct range ram[MAX_RAM];
    unsigned long ram_count;
    struct range private[MAX_PRIVATE]; /* what S-mode must not touch; the firmware itself first */
    unsigned long private_count;
    struct range initrd;
    struct console console;
    uintptr_t finisher; /* SiFive test finisher, or 0 */
    uintptr_t htif;     /* HTIF mailboxes, or 0 */
};

extern struct platform platform;

/* Reads `fdt` into `platform` and the hart table. */
void platform_scan(const struct fdt *fdt);

/* Whether a range is memory that the supervisor may name in a call: RAM, and not the firmware's. */
bool platform_supervisor_ram(struct range range);

/* Whether an address may be where S-mode starts: anything but what is private. */
bool platform_supervisor_code(uintptr_t addr);

/* Writes the reservation of the firmware's memory into `fdt`; false when there is no way to. */
bool platform_reserve(struct fdt *fdt, uintptr_t next_addr);

#endif
