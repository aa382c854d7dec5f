/*
 * A drive on an IDE channel: task file, data transfers, requests to its image. What commands do is
 * in ata.c (disks) and atapi.c (CD-ROMs).
 *
 * One command is under way at a time. It sets `xfer` and its numbers, and then data move in steps:
 * a block of data between the image and `buf` by ide_io(), and between `buf` and the host by
 * ide_data() (the data register) or ide_dma_wait() (the bus master). Each end of a step comes back
 * through `struct ide_kind`. All that a step needs is in saved fields, so that a step that was not
 * done, since the machine stopped or the image failed, is done later.
 */
#ifndef HW_IDE_DRIVE_H
#define HW_IDE_DRIVE_H

#include <block/block.h>
#include <hw/ide/ide.h>

enum ide_status { /* ATA/ATAPI-7, 6.2; bits */
                  ST_ERR = 0x01,
                  ST_DRQ = 0x08,
                  ST_DSC = 0x10,
                  ST_DF = 0x20,
                  ST_DRDY = 0x40,
                  ST_BSY = 0x80
};
enum ide_error { ER_ABRT = 0x04, ER_IDNF = 0x10, ER_UNC = 0x40, ER_ICRC = 0x80 };
enum { SEL_DEV = 0x10, SEL_LBA = 0x40, SEL_FIXED = 0xa0 };
enum { CTL_NIEN = 0x02, CTL_SRST = 0x04, CTL_HOB = 0x80 };

#define IDE_BUF_SIZE (128 * 1024)
#define IDE_MULT_MAX 16

/* What is under way. Numbers are part of saved state. */
enum ide_xfer {
    X_NONE = 0,
    X_REPLY = 1, /* one piece of data to the host, and done */
    X_READ = 2,  /* sectors, by the data register */
    X_WRITE = 3,
    X_READ_DMA = 4,
    X_WRITE_DMA = 5,
    X_FLUSH = 6,
    X_VERIFY = 7,
    X_TRIM = 8,      /* the list is coming, or its ranges are under way */
    X_TAKE = 9,      /* one piece of data from the host that `command` knows what to do with */
    X_PACKET = 10,   /* the command packet is coming */
    X_PACKET_IN = 11 /* data of a packet command */
};

/* Where a step is. */
enum ide_wait {
    W_NONE = 0,
    W_IMAGE = 1, /* a request is under way, or stands to be made */
    W_HOST = 2,  /* for the data register */
    W_DMA = 3    /* for the bus master */
};

struct ide_kind {
    const char *model;
    void (*command)(struct ide_drive *d, uint8_t command);
    /* A request to the image ended well. */
    void (*io_done)(struct ide_drive *d);
    /* And badly, where the policy is to tell the guest. */
    void (*io_failed)(struct ide_drive *d, int error);
    /* The host has read, or filled, all of the buffer's window. */
    void (*data_done)(struct ide_drive *d);
    void (*dma_done)(struct ide_drive *d);
    void (*signature)(struct ide_drive *d);
    void (*reset)(struct ide_drive *d); /* hard or soft */
};

struct ide_regs {
    uint8_t feature, count, low, mid, high;
};

struct ide_drive {
    struct device dev;
    const struct ide_kind *kind;
    struct ide_bus *bus;
    struct block *drive;       /* NULL: a CD-ROM drive that never has a disc */
    struct ide_regs r, before; /* `before`: what the last writes replaced, for LBA48 */
    uint8_t select, status, error, command_code;
    bool irq;

    uint8_t *buf;
    uint32_t pos, end; /* window of the data register */
    uint8_t xfer, wait;
    bool stalled;   /* W_IMAGE: the request is not made yet */
    bool cancelled; /* while a request is waited for whose result nobody wants */
    uint64_t lba;
    uint32_t left, chunk; /* sectors: of the command, and of this step */
    bool fua, ext, flush_next;
    struct block_req req;
    struct iovec iov;
    bool inflight;

    /* disks */
    uint32_t mult;                          /* of READ MULTIPLE, 0: off */
    uint16_t cyls, heads, secs;             /* default translation */
    uint16_t cur_cyls, cur_heads, cur_secs; /* set by INITIALIZE DEVICE PARAMETERS */
    uint8_t power, dma_mode, pio_mode;
    bool dma_on, smart_on, autosave, writeback, look_ahead;
    uint8_t self_test; /* last one: kind, 0 for none */
    uint64_t sectors;

    /* CD-ROMs */
    uint8_t packet[12];
    uint8_t sense, asc, ascq;
    uint16_t limit;     /* bytes of a DRQ block */
    uint32_t reply_len; /* bytes in buf that are for the host, from reply_pos on */
    uint32_t reply_pos;
    uint32_t unit_bytes; /* of a sector as it is handed over: 2048 or 2352 */
    bool packet_dma, tray_open, locked, attention, new_event, eject_event;

    /* properties */
    char *serial, *model, *version;
    uint32_t unit;
    int64_t bootindex;
    uint64_t wwn;
    int werror, rerror, write_cache;
    bool trim, image_writeback;
};

/* ---- commands ---- */

/* Over: status and an interrupt. */
void ide_end(struct ide_drive *d);
void ide_fail(struct ide_drive *d, uint8_t error);
/* A request of the step's kind for `chunk` sectors at `lba`; BSY meanwhile. */
void ide_io(struct ide_drive *d);
/* buf[0, len) is for the data register: DRQ, and an interrupt if asked for. */
void ide_data(struct ide_drive *d, uint32_t len, bool interrupt);
/* The bus master's turn. */
void ide_dma_wait(struct ide_drive *d);
/* Between buf and memory; false: the guest's table ended early, and the command hangs until reset,
 * as it would. */
bool ide_dma_move(struct ide_drive *d, uint32_t len, bool to_memory);
/* Gives up what is under way. Waits for the image. */
void ide_cancel(struct ide_drive *d);
void ide_raise(struct ide_drive *d);
void ide_soft_reset(struct ide_drive *d);
bool ide_has_dma(const struct ide_drive *d);
/* Text as IDENTIFY has it: words with the first byte high, filled with spaces. */
void ide_put_text(uint8_t *to, const char *text, unsigned len);

/* ---- channel ---- */

void ide_bus_update_irq(struct ide_bus *b);

/* ---- disks: ata.c, identify.c, smart.c, trim.c ---- */

extern const struct ide_kind ide_ata;
void ata_identify(const struct ide_drive *d, uint8_t *p);
/* A translation that covers up to 8 GiB of the disk. */
void ata_guess_geometry(struct ide_drive *d);
void ata_smart(struct ide_drive *d);
void ata_set_features(struct ide_drive *d);
/* The next range of the list in buf; ends the command behind the last. */
void ata_trim_next(struct ide_drive *d);

/* ---- CD-ROMs: atapi.c, mmc.c, mmc-info.c ---- */

enum scsi_sense { S_NONE = 0, S_NOT_READY = 2, S_MEDIUM = 3, S_ILLEGAL = 5, S_ATTENTION = 6 };
#define CD_SECTOR 2048
#define CD_RAW    2352

extern const struct ide_kind ide_atapi;
void atapi_identify(const struct ide_drive *d, uint8_t *p);
/* Runs the packet. */
void mmc_command(struct ide_drive *d);
/* Ends of packet commands. */
void atapi_good(struct ide_drive *d);
void atapi_check(struct ide_drive *d, enum scsi_sense sense, uint8_t asc, uint8_t ascq);
/* buf[0, len) for the host, of which it wants at most `max`. */
void atapi_reply(struct ide_drive *d, uint32_t len, uint32_t max);
/* Sectors from the disc. */
void atapi_read(struct ide_drive *d, uint32_t lba, uint32_t count, uint32_t unit_bytes);
bool cd_has_disc(const struct ide_drive *d);
/* Sectors of the disc. */
uint32_t cd_sectors(const struct ide_drive *d);
void cd_set_tray(struct ide_drive *d, bool open);
void mmc_toc(struct ide_drive *d);
void mmc_mode_sense(struct ide_drive *d, bool ten);
void mmc_configuration(struct ide_drive *d);
void mmc_inquiry(struct ide_drive *d);
void mmc_mechanism(struct ide_drive *d);
void mmc_event_status(struct ide_drive *d);
void mmc_capacity(struct ide_drive *d);
void mmc_disc_information(struct ide_drive *d);
void mmc_track_information(struct ide_drive *d);
void mmc_dvd_structure(struct ide_drive *d);
/* Minute, second, frame of a sector. */
void mmc_put_msf(uint8_t *p, uint32_t lba);

#endif
