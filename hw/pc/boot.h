/*
 * Starting kernels without firmware: what the loaders of the formats share.
 *
 * The numbers say what lies where below 640 KiB when a kernel starts; all of it is RAM that it may
 * use later.
 */
#ifndef HW_PC_BOOT_H
#define HW_PC_BOOT_H

#include <hw/core/loader.h>
#include "pc.h"

#define BOOT_GDT     0x8000  /* null, null, code, data */
#define BOOT_STACK   0x8000  /* top */
#define BOOT_INFO    0x10000 /* zero page, start info, multiboot information */
#define BOOT_PAGES   0x18000 /* page tables: 4 GiB, each page where it is */
#define BOOT_PAGES57 0x1e000 /* their top where there are five levels */
#define BOOT_CMDLINE 0x20000
#define BOOT_MAPS    0x40000 /* memory map, module list */
#define BOOT_DATA    0x48000 /* Linux: list of struct setup_data */
#define BOOT_STRINGS 0x50000 /* module strings */
#define BOOT_LOW_END 0x90000
#define BOOT_CS      0x10
#define BOOT_DS      0x18

struct pc_boot {
    struct pc *pc;
    const char *path; /* -kernel */
    GBytes *file;
    uint64_t start, end; /* of the kernel, with what it needs behind itself */
    uint64_t rsdp;       /* of the ACPI tables, 0 for none */
    struct x86_boot_state *state;
};

/* Each looks whether the file is of its kind (`*is`), and loads it then. False with err set. */
bool boot_linux(struct pc_boot *b, bool *is, GError **err);
bool boot_multiboot(struct pc_boot *b, bool *is, GError **err);
bool boot_pvh(struct pc_boot *b, bool *is, GError **err);

/* Adds bytes below 640 KiB, up to `end`. `what` begins the message. */
bool boot_put(struct pc_boot *b, const char *what, const void *data, uint64_t len, uint64_t addr,
              uint64_t end, GError **err);
/* The command line with its NUL at BOOT_CMDLINE; at most `max` bytes without that. */
bool boot_put_cmdline(struct pc_boot *b, const char *text, uint64_t max, GError **err);
/* -initrd as one file, as high as possible below `limit`. Both results are 0 without one. */
bool boot_put_initrd(struct pc_boot *b, uint64_t limit, uint64_t *addr, uint64_t *size,
                     GError **err);
/* End of the RAM below 4 GiB that kernels and disks may fill. */
uint64_t boot_ram_end(const struct pc_boot *b);
/* For the state: flat segments, 64-bit code with page tables, or 32-bit code. */
bool boot_enter_long(struct pc_boot *b, uint64_t rip, GError **err);
bool boot_enter_protected(struct pc_boot *b, uint32_t eip, GError **err);

#endif
