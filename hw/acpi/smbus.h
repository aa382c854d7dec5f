/*
 * The SMBus host controller of PIIX4 (datasheet 290562-001, 7.3.3) with up to eight serial EEPROMs,
 * read-only, at addresses 0x50 to 0x57.
 */
#ifndef HW_ACPI_SMBUS_H
#define HW_ACPI_SMBUS_H

#include <hw/core/machine.h>

#define SMBUS_EEPROMS     8
#define SMBUS_EEPROM_SIZE 256

struct smbus_eeprom {
    bool present;
    uint8_t data[SMBUS_EEPROM_SIZE];
    uint8_t offset; /* next byte */
};

struct smbus {
    struct mem_region io; /* 64 ports */
    struct smbus_eeprom eeproms[SMBUS_EEPROMS];
    uint8_t status, control, command, address, data0, data1;
    uint8_t block[32], block_at;
};

void smbus_init(struct smbus *s, struct device *dev);
void smbus_destroy(struct smbus *s);
void smbus_reset(struct smbus *s);
/* EEPROMs as memory modules that make up `size` bytes carry them (JEDEC 21-C, 4.1.2). */
void smbus_add_modules(struct smbus *s, uint64_t size);

extern const struct state_table smbus_state;

#endif
