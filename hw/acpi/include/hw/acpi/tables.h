/*
 * ACPI tables as one blob: appended one by one, with a list of the places that hold addresses
 * and checksums, so that whoever places the blob can complete it: firmware through fw_cfg's
 * etc/table-loader, or this program for a kernel that starts without firmware.
 */
#ifndef HW_ACPI_TABLES_H
#define HW_ACPI_TABLES_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define ACPI_HEADER_SIZE 36 /* of every table but RSDP and FACS */
#define ACPI_RSDP_SIZE   36

struct acpi_tables {
    GByteArray *blob;
    GArray *pointers; /* of struct acpi_pointer */
    GArray *sums;     /* of struct acpi_sum */
    uint32_t rsdt, xsdt;
};

struct acpi_pointer {
    uint32_t at, size; /* in the blob; it holds the offset of what it points to */
};

struct acpi_sum {
    uint32_t start, len; /* the byte at start + 9 is to make the sum 0 */
};

void acpi_tables_init(struct acpi_tables *t);
void acpi_tables_clear(struct acpi_tables *t);

/* Begins a table; its offset. Its contents are appended to the blob. */
uint32_t acpi_table_begin(struct acpi_tables *t, const char *signature, uint8_t revision);
/* Fills in length and checksum. */
void acpi_table_end(struct acpi_tables *t, uint32_t table);
/* The pointer of `size` bytes at offset `at` leads to offset `to`. */
void acpi_table_point(struct acpi_tables *t, uint32_t at, unsigned size, uint32_t to);
/* FACS, which has another form (5.2.10); aligned to 64 bytes. */
uint32_t acpi_facs(struct acpi_tables *t);
/* RSDT and XSDT of these tables; the last to be added. */
void acpi_root(struct acpi_tables *t, const uint32_t *tables, unsigned n);

/* Appends numbers, little-endian. */
void acpi_put(struct acpi_tables *t, unsigned size, uint64_t v);

/* Completes the blob for `base`, and makes the RSDP that leads to it. */
void acpi_place(struct acpi_tables *t, uint64_t base, uint8_t rsdp[ACPI_RSDP_SIZE]);
/* For fw_cfg: an RSDP to be completed, and the commands that make firmware complete both files. */
void acpi_loader(const struct acpi_tables *t, uint8_t rsdp[ACPI_RSDP_SIZE], GByteArray *commands);

#endif
