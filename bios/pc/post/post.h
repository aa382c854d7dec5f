/* The 32-bit part, which sees all memory flat. */
#ifndef BIOS_PC_POST_H
#define BIOS_PC_POST_H

#include "bios.h"

#define SYS LOW_VAR(sys)

/* ---- fw_cfg.c ---- */

struct fw_file {
    uint32_t size;
    uint16_t key;
    char name[56];
};

bool fw_cfg_there(void);
void fw_cfg_item(uint16_t key, void *to, uint32_t size);
void fw_cfg_read_more(void *to, uint32_t size);
/* The same as fw_cfg_item(), by DMA where there is that. */
void fw_cfg_load(uint16_t key, void *to, uint32_t size);
/* The files in order: the nth; false: there are fewer. */
bool fw_cfg_nth(unsigned n, struct fw_file *f);
bool fw_cfg_find(const char *name, struct fw_file *f);
bool starts_with(const char *s, const char *with);

/* ---- memory.c ---- */

void memory_find(void);
/* From the end of RAM below 4 GiB; 0: none is left. To be called before memory_map(). */
uint32_t memory_keep(uint32_t size, uint32_t align);
void memory_map(void);

/* ---- pci.c ---- */

void pci_setup(void);
/* The next function there is from bdf on; 0x10000: none. */
uint32_t pci_next(uint32_t bdf);

/* ---- cpus.c ---- */

void cpus_start(void);

/* ---- kernel.c ---- */

/* 0: there is none. */
uint32_t kernel_size(void);

/* ---- tables.c ---- */

/* Where the FACS says that a system goes on that slept; 0: nowhere. */
uint32_t wake_vector(void);

#endif
