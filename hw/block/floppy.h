/* Floppy drives on an 82078's cable, and what disks there are for them. */
#ifndef HW_BLOCK_FLOPPY_H
#define HW_BLOCK_FLOPPY_H

#include <block/block.h>
#include <hw/core/machine.h>

extern const struct bus_type floppy_bus_type;
#define BUS_FLOPPY (&floppy_bus_type)

#define FLOPPY_UNITS 2

/* Rates as the controller's registers have them. */
enum floppy_rate { RATE_500K = 0, RATE_300K = 1, RATE_250K = 2, RATE_1M = 3 };

struct floppy_format {
    uint16_t sectors; /* in all */
    uint8_t tracks, heads, secs;
    uint8_t rate, other_rate; /* of the drives that take it */
    uint8_t drive;            /* index of drive-type= */
};

struct floppy_bus;

struct floppy {
    struct device dev;
    struct floppy_bus *bus;
    struct block *drive; /* NULL: never a disk */
    uint32_t unit;
    int64_t bootindex;
    int type;
    const struct floppy_format *format; /* of the disk, NULL without one */
    uint8_t track;                      /* where the head is */
    bool changed;                       /* no step since the disk came */
};

struct floppy_bus {
    struct bus bus;
    struct floppy *units[FLOPPY_UNITS];
    void (*gone)(struct floppy_bus *b, unsigned unit); /* before a disk or a drive goes */
};

bool floppy_has_disk(const struct floppy *f);
/* Moves the head; a disk's change is noticed by the first step. */
void floppy_step_to(struct floppy *f, uint8_t track);

#endif
