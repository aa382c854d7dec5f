/* Drives as INT 13h numbers them, and the four kinds of them. */
#ifndef BIOS_PC_DISK_H
#define BIOS_PC_DISK_H

#include "low.h"

#define DRIVES_MAX 12

enum drive_kind { DRIVE_NONE, DRIVE_FLOPPY, DRIVE_ATA, DRIVE_VIRTIO, DRIVE_CD };

/* INT 13h's status codes. */
enum {
    DISK_OK = 0x00,
    DISK_BAD_COMMAND = 0x01,
    DISK_WRITE_PROTECTED = 0x03,
    DISK_NOT_FOUND = 0x04,
    DISK_DMA_BOUNDARY = 0x09,
    DISK_CONTROLLER = 0x20,
    DISK_TIMEOUT = 0x80,
    DISK_NOT_READY = 0xaa,
    DISK_NO_MEDIUM = 0x31,
};

struct drive {
    enum drive_kind kind;
    uint8_t unit;           /* of the channel, of the controller; index of virtio's queue */
    uint16_t port, control; /* ATA */
    uint16_t bdf;           /* PCI function; 0: none */
    uint64_t sectors;
    uint16_t sector_size;
    uint16_t cylinders, heads, spt; /* as INT 13h shows them */
    bool lba48;
    char name[41];
};

/* What to move: `count` sectors, at most 127 of 512 bytes or 31 of 2048. */
struct transfer {
    uint64_t lba;
    uint16_t count, seg, off;
    bool write;
};

struct drive *drive_add(enum drive_kind kind);
uint8_t drive_io(struct drive *d, const struct transfer *t);
/* The hard disk or CD of that number (0x80.., 0xe0..), the nth of its kind. */
struct drive *drive_nth(enum drive_kind kind, unsigned n);
bool drive_is_disk(const struct drive *d);
/* Puts a hard disk before the others. */
void drive_first(struct drive *d);
extern struct drive *hard_disks[DRIVES_MAX];
extern unsigned n_hard_disks;

void ata_find(void);
uint8_t ata_io(struct drive *d, const struct transfer *t);
uint8_t cd_io(struct drive *d, const struct transfer *t);
/* Ready with a medium? */
bool cd_ready(struct drive *d);
void virtio_find(void);
uint8_t virtio_io(struct drive *d, const struct transfer *t);

void floppy_init(void);
unsigned floppy_count(void);
void floppy_int13(struct regs *r);

/* ---- El Torito ---- */

/* Prepares the CD's boot image at 0x7c00; 0: there is none; else the drive's number. */
uint8_t cd_boot(struct drive *d, uint16_t *segment);
/* Serves the call if it is for the emulated drive. */
bool cd_emulated(struct regs *r);
bool cd_is_emulated(uint8_t drive);
void cd_terminate(struct regs *r);

#endif
