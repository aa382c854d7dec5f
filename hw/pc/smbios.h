/* SMBIOS tables of the board; see smbios.c. */
#ifndef HW_PC_SMBIOS_H
#define HW_PC_SMBIOS_H

#include "pc.h"

/* Adds the files to fw_cfg. */
void pc_smbios_init(struct pc *pc);
/* Writes entry point and tables to RAM from `at`, a multiple of 16, to `end_at`. */
void pc_smbios_place(struct pc *pc, uint32_t at, uint32_t end_at);

#endif
