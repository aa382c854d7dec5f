/* The floppy controller: what its registers (fdc.c) and its commands (fdc-cmd.c) share. */
#ifndef HW_BLOCK_FDC_H
#define HW_BLOCK_FDC_H

#include <base/clock.h>
#include <hw/isa/isa.h>
#include "floppy.h"

enum fdc_phase { PH_COMMAND = 0, PH_EXECUTE = 1, PH_RESULT = 2 };
enum fdc_xfer { FX_NONE = 0, FX_READ = 1, FX_WRITE = 2, FX_VERIFY = 3, FX_FORMAT = 4 };
/* What an execution waits for. */
enum fdc_wait { FW_NONE = 0, FW_IMAGE = 1, FW_HOST = 2 };

enum { /* 82078 datasheet, 5.0: status registers 0 to 3 */
       ST0_ABNORMAL = 0x40,
       ST0_INVALID = 0x80,
       ST0_POLL = 0xc0,
       ST0_SEEK_END = 0x20,
       ST0_EQUIPMENT = 0x10,
       ST1_MISSING = 0x01,
       ST1_PROTECTED = 0x02,
       ST1_NO_DATA = 0x04,
       ST1_CRC = 0x20,
       ST1_END = 0x80,
       ST2_WRONG_TRACK = 0x10,
       ST3_PROTECTED = 0x40,
       ST3_TRACK0 = 0x10
};

struct fdc {
    struct device dev;
    struct isa_bus *isa;
    struct floppy_bus bus;
    struct irq_line irq;
    struct mem_region io, io7;
    uint32_t iobase, irq_number, dma_channel;

    uint8_t dor, tdr, dsr, rate; /* `rate` of CCR or DSR, whichever was written last */
    bool irq_on;
    uint8_t phase, fifo[16], n_fifo, pos; /* command or result bytes */
    uint8_t config[3];                    /* of CONFIGURE */
    uint8_t specify[2], perpendicular;
    bool lock;
    uint8_t poll;      /* drives of which SENSE INTERRUPT STATUS tells after a reset */
    uint8_t seek_done; /* bit for each drive */
    uint8_t seek_status[FLOPPY_UNITS];

    /* execution */
    uint8_t xfer, wait, unit, head, track, sector, size, eot, format_left, fill;
    bool multi_track, terminal, counted;
    uint32_t verify_left; /* sectors, where `counted` */
    uint8_t buf[BLOCK_SECTOR];
    uint32_t at, len; /* in buf: moved to or from the host, of */
    bool inflight, stalled, cancelled;
    struct block_req req;
    struct iovec iov;
    struct timer retry; /* asks for DMA again */
};

/* Runs the command in the FIFO, all of whose bytes are there. */
void fdc_run(struct fdc *f);
/* How many bytes follow a command's first. */
unsigned fdc_parameters(uint8_t code);
/* The host moved all of buf, or the DMA controller said that it is enough. */
void fdc_moved(struct fdc *f);
void fdc_io_done(struct fdc *f, int error);
void fdc_image_submit(struct fdc *f);

/* ---- of fdc.c, for commands ---- */

void fdc_interrupt(struct fdc *f, bool on);
/* Result bytes from fifo[0, n) on; none: back to the command phase. */
void fdc_result(struct fdc *f, unsigned n, bool interrupt);
/* Moves buf[0, len) by DMA or the FIFO; ends in fdc_moved(). */
void fdc_move(struct fdc *f, uint32_t len);
/* A request for a sector of the image. */
void fdc_image(struct fdc *f);
bool fdc_uses_dma(const struct fdc *f);
struct floppy *fdc_drive(const struct fdc *f, unsigned unit);
/* No longer than a step may last: with nothing under way any more. */
void fdc_stop(struct fdc *f);

#endif
