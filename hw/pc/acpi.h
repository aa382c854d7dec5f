/* ACPI tables of the board; see acpi.c. */
#ifndef HW_PC_ACPI_H
#define HW_PC_ACPI_H

#include <hw/acpi/tables.h>
#include "pc.h"

/* Adds the files to fw_cfg. */
void pc_acpi_init(struct pc *pc);
/* At reset, with all devices there: their sizes in the directory are right from then on. */
void pc_acpi_ready(struct pc *pc);
/* Writes the tables to RAM at `base` (room for PC_TABLES_SIZE) and fills the RSDP that leads there;
 * the bytes written. */
uint32_t pc_acpi_place(struct pc *pc, uint64_t base, uint8_t rsdp[ACPI_RSDP_SIZE]);

#endif
