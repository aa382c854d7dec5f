/*
 * Writing AML, ACPI's byte code (ACPI 6.4, 20). What is opened is closed in reverse order; lengths
 * are filled in then.
 *
 *     aml_open_device(&a, "PCI0");
 *     aml_name_int(&a, "_UID", 0);
 *     aml_open_method(&a, "_STA", 0);
 *     aml_op(&a, AML_RETURN), aml_int(&a, 0xf);
 *     aml_close(&a), aml_close(&a);
 *     g_byte_array_free(a.bytes, TRUE);
 */
#ifndef HW_ACPI_AML_H
#define HW_ACPI_AML_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define AML_DEPTH_MAX 8

struct aml {
    GByteArray *bytes;
    unsigned depth;
    guint open[AML_DEPTH_MAX]; /* where lengths are to be inserted */
    guint resources;           /* start of the open resource template */
};

/* Opcodes without operands of their own. */
enum aml_opcode {
    AML_LOCAL0 = 0x60,
    AML_ARG0 = 0x68,
    AML_STORE = 0x70, /* source, target */
    AML_AND = 0x7b,   /* a, b, target */
    AML_OR = 0x7d,
    AML_CREATE_DWORD_FIELD = 0x8a, /* buffer, index, name */
    AML_NOTIFY = 0x86,             /* object, value */
    AML_RETURN = 0xa4,
    AML_NO_TARGET = 0x00,
};

/* An empty one; `bytes` is the caller's to free. */
void aml_init(struct aml *a);

void aml_op(struct aml *a, enum aml_opcode op);
void aml_int(struct aml *a, uint64_t v);
void aml_string(struct aml *a, const char *s);
/* "\\_SB.PCI0", "_HID": segments of up to four characters. */
void aml_path(struct aml *a, const char *path);
/* "PNP0A03" as the number that _HID and _CID take. */
void aml_eisa_id(struct aml *a, const char *id);

/* Name (name, what follows) and short forms. */
void aml_name(struct aml *a, const char *name);
void aml_name_int(struct aml *a, const char *name, uint64_t v);
void aml_name_eisa_id(struct aml *a, const char *name, const char *id);

void aml_open_scope(struct aml *a, const char *path);
void aml_open_device(struct aml *a, const char *name);
void aml_open_method(struct aml *a, const char *name, unsigned args);
void aml_open_package(struct aml *a, unsigned count);
void aml_open_if(struct aml *a); /* the condition follows */
void aml_close(struct aml *a);

/* A region of a space (1 I/O, 2 PCI configuration) and its fields of a byte or of 4 each. */
void aml_region(struct aml *a, const char *name, uint8_t space, uint32_t offset, uint32_t len);
void aml_byte_fields(struct aml *a, const char *region, const char *const *names, unsigned n);
void aml_dword_fields(struct aml *a, const char *region, const char *const *names, unsigned n);

/* Resource templates (6.4), as a value: begin, descriptors, end. */
void aml_resources(struct aml *a);
void aml_resources_end(struct aml *a);
void aml_res_io(struct aml *a, uint16_t base, uint8_t align, uint8_t len);
void aml_res_irq(struct aml *a, unsigned irq);
void aml_res_dma(struct aml *a, unsigned channel);
void aml_res_memory(struct aml *a, uint32_t base, uint32_t len, bool writable);
/* Interrupts for PCI: level, active high, shared; where `possible`, several to choose from. */
void aml_res_interrupts(struct aml *a, const uint32_t *irqs, unsigned n);
/* What a bridge passes on: buses, ports, memory, by first and last. */
void aml_res_bus_window(struct aml *a, uint16_t first, uint16_t last);
void aml_res_io_window(struct aml *a, uint16_t first, uint16_t last);
void aml_res_memory_window(struct aml *a, uint64_t first, uint64_t last, bool cacheable);

#endif
