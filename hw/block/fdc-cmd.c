/* Commands of the 82078 (datasheet, 5.1): a table of codes, their bytes and what they do. */
#include "fdc.h"

#include <errno.h>
#include <base/bits.h>
#include <base/log.h>

#define SIZE_512 2

struct fdc_command {
    uint8_t mask, code, parameters;
    void (*run)(struct fdc *f);
};

/* ---- ends of commands that work on sectors ---- */

static void end(struct fdc *f, uint8_t st0, uint8_t st1, uint8_t st2)
{
    const uint8_t result[] = {
        (uint8_t)(st0 | f->head << 2 | f->unit), st1, st2, f->track, f->head, f->sector, f->size
    };

    memcpy(f->fifo, result, sizeof(result));
    fdc_result(f, sizeof(result), true);
}

static void fail(struct fdc *f, uint8_t st1, uint8_t st2)
{
    end(f, ST0_ABNORMAL, st1, st2);
}

/* Table 5-7: where the next sector would be. */
static bool next_sector(struct fdc *f)
{
    if (f->sector != f->eot) {
        f->sector++;
        return true;
    }
    f->sector = 1;
    if (f->multi_track && !f->head) {
        f->head = 1;
        return true;
    }
    if (f->multi_track)
        f->head = 0;
    f->track++;
    return false;
}

/* Whether the disk in the drive has that sector; the command fails if not. */
static bool find_sector(struct fdc *f)
{
    const struct floppy *d = fdc_drive(f, f->unit);

    if (!d || !d->format || (f->rate != d->format->rate && f->rate != d->format->other_rate)) {
        fail(f, ST1_MISSING, 0);
    } else if (d->track != f->track) {
        fail(f, ST1_NO_DATA, ST2_WRONG_TRACK);
    } else if (!f->sector || f->sector > d->format->secs || f->head >= d->format->heads ||
               f->track >= d->format->tracks || f->size != SIZE_512) {
        fail(f, ST1_NO_DATA, 0);
    } else {
        return true;
    }
    return false;
}

static void do_sector(struct fdc *f)
{
    if (!find_sector(f))
        return;
    if (f->xfer == FX_WRITE)
        fdc_move(f, BLOCK_SECTOR);
    else
        fdc_image(f);
}

/* Goes on behind a sector that is done. `enough`: terminal count, or all that was to be verified.
 */
static void sector_done(struct fdc *f, bool enough)
{
    bool more = next_sector(f);

    if (enough)
        end(f, 0, 0, 0);
    else if (more)
        do_sector(f);
    else
        end(f, ST0_ABNORMAL, ST1_END, 0); /* nobody said that it was the last */
}

static void next_id(struct fdc *f);

void fdc_io_done(struct fdc *f, int error)
{
    bool writing = f->xfer == FX_WRITE || f->xfer == FX_FORMAT;

    if (error) {
        fail(f,
             error == ENOMEDIUM ? ST1_MISSING
             : error == EROFS   ? ST1_PROTECTED
                                : ST1_CRC,
             error == ENOMEDIUM || writing ? 0 : 0x20);
        return;
    }
    switch (f->xfer) {
    case FX_READ: fdc_move(f, BLOCK_SECTOR); break;
    case FX_FORMAT: next_id(f); break;
    case FX_VERIFY:
        if (f->verify_left)
            f->verify_left--;
        sector_done(f, !f->verify_left && (f->counted || f->sector == f->eot));
        break;
    default: sector_done(f, f->terminal); break;
    }
}

static void take_id(struct fdc *f);

void fdc_moved(struct fdc *f)
{
    switch (f->xfer) {
    case FX_READ: sector_done(f, f->terminal); break;
    case FX_WRITE: /* a sector that ends early is filled with zeroes */
        memset(f->buf + f->at, 0, sizeof(f->buf) - f->at);
        fdc_image(f);
        break;
    default: take_id(f); break;
    }
}

/* ---- READ, WRITE, VERIFY ---- */

static void seek_to(struct fdc *f, uint8_t track)
{
    struct floppy *d = fdc_drive(f, f->unit);

    if (d)
        floppy_step_to(d, track);
}

static void begin(struct fdc *f, enum fdc_xfer xfer)
{
    const uint8_t *p = f->fifo;
    const struct floppy *d;

    f->xfer = (uint8_t)xfer;
    f->multi_track = p[0] & 0x80;
    f->unit = p[1] & 3;
    f->track = p[2];
    f->head = p[3] & 1;
    f->sector = p[4];
    f->size = p[5];
    f->eot = p[6];
    f->terminal = false;
    d = fdc_drive(f, f->unit);
    if (d && f->config[1] & 0x40)
        seek_to(f, f->track);
    if (xfer == FX_WRITE && d && d->format && block_readonly(d->drive))
        fail(f, ST1_PROTECTED, 0);
    else
        do_sector(f);
}

static void read_data(struct fdc *f)
{
    begin(f, FX_READ);
}

static void write_data(struct fdc *f)
{
    begin(f, FX_WRITE);
}

/* With EC its last byte counts sectors, else the track's last one ends it. */
static void verify(struct fdc *f)
{
    f->counted = f->fifo[1] & 0x80;
    f->verify_left = f->counted ? f->fifo[8] : 0;
    if (f->counted && !f->verify_left)
        f->verify_left = 256;
    begin(f, FX_VERIFY);
}

/* From the track's first sector on, whatever its number. */
static void read_track(struct fdc *f)
{
    f->fifo[4] = 1;
    begin(f, FX_READ);
}

static void read_id(struct fdc *f)
{
    const struct floppy *d;

    f->unit = f->fifo[1] & 3;
    f->head = f->fifo[1] >> 2 & 1;
    d = fdc_drive(f, f->unit);
    f->track = d ? d->track : 0;
    f->sector = 1;
    f->size = SIZE_512;
    if (find_sector(f))
        end(f, 0, 0, 0);
}

/* ---- FORMAT TRACK: four bytes for each sector come from the host ---- */

static void next_id(struct fdc *f)
{
    if (!f->format_left || f->terminal)
        end(f, 0, 0, 0);
    else
        fdc_move(f, 4);
}

/* Sectors are written where their numbers say; those of another size or place have none. */
static void take_id(struct fdc *f)
{
    const struct floppy *d = fdc_drive(f, f->unit);
    const uint8_t id[4] = { f->buf[0], f->buf[1], f->buf[2], f->buf[3] };

    f->format_left--;
    if (f->at < 4 || !d || !d->format) {
        fail(f, ST1_MISSING, 0);
        return;
    }
    f->track = d->track;
    f->sector = id[2];
    f->size = id[3];
    if (id[0] != d->track || (id[1] & 1) != f->head || !find_sector(f)) {
        if (f->phase == PH_EXECUTE)
            fail(f, ST1_NO_DATA, 0);
        return;
    }
    memset(f->buf, f->fill, sizeof(f->buf));
    fdc_image(f);
}

static void format(struct fdc *f)
{
    const struct floppy *d;

    f->xfer = FX_FORMAT;
    f->unit = f->fifo[1] & 3;
    f->head = f->fifo[1] >> 2 & 1;
    f->size = f->fifo[2];
    f->format_left = f->fifo[3];
    f->fill = f->fifo[5];
    f->sector = 1;
    f->terminal = false;
    d = fdc_drive(f, f->unit);
    f->track = d ? d->track : 0;
    if (!find_sector(f))
        return;
    if (block_readonly(d->drive))
        fail(f, ST1_PROTECTED, 0);
    else
        next_id(f);
}

/* ---- seeking ---- */

static void seek_end(struct fdc *f, bool ok)
{
    if (f->unit < FLOPPY_UNITS) {
        f->seek_done |= (uint8_t)(1 << f->unit);
        f->seek_status[f->unit] = (uint8_t)(ST0_SEEK_END | (ok ? 0 : ST0_ABNORMAL | ST0_EQUIPMENT) |
                                            f->head << 2 | f->unit);
    }
    fdc_result(f, 0, true);
}

static void recalibrate(struct fdc *f)
{
    f->unit = f->fifo[1] & 3;
    f->head = 0;
    seek_to(f, 0);
    seek_end(f, fdc_drive(f, f->unit));
}

static void seek(struct fdc *f)
{
    f->unit = f->fifo[1] & 3;
    f->head = f->fifo[1] >> 2 & 1;
    seek_to(f, f->fifo[2]);
    seek_end(f, true);
}

static void relative_seek(struct fdc *f)
{
    const struct floppy *d;
    int track;

    f->unit = f->fifo[1] & 3;
    f->head = f->fifo[1] >> 2 & 1;
    d = fdc_drive(f, f->unit);
    track = (d ? d->track : 0) + (f->fifo[0] & 0x40 ? f->fifo[2] : -f->fifo[2]);
    seek_to(f, (uint8_t)CLAMP(track, 0, 255));
    seek_end(f, true);
}

/* ---- status and settings ---- */

static void result(struct fdc *f, uint8_t byte)
{
    f->fifo[0] = byte;
    fdc_result(f, 1, false);
}

/* After a reset one for each drive, after seeks one for each; else there is nothing to tell. */
static void sense_interrupt(struct fdc *f)
{
    unsigned unit = f->seek_done ? ctz32(f->seek_done) : 0;

    fdc_interrupt(f, false);
    if (f->poll) {
        f->fifo[0] = (uint8_t)(ST0_POLL | (4 - f->poll--));
        f->fifo[1] = 0;
    } else if (f->seek_done) {
        const struct floppy *d = fdc_drive(f, unit);

        f->seek_done &= (uint8_t) ~(1 << unit);
        f->fifo[0] = f->seek_status[unit];
        f->fifo[1] = d ? d->track : 0;
    } else {
        result(f, ST0_INVALID);
        return;
    }
    fdc_result(f, 2, false);
}

static void sense_drive(struct fdc *f)
{
    const struct floppy *d = fdc_drive(f, f->fifo[1] & 3);
    uint8_t v = (uint8_t)(0x28 | (f->fifo[1] & 7)); /* ready, two sides */

    if (d && floppy_has_disk(d) && block_readonly(d->drive))
        v |= ST3_PROTECTED;
    if (d && !d->track)
        v |= ST3_TRACK0;
    result(f, v);
}

static void specify(struct fdc *f)
{
    f->specify[0] = f->fifo[1];
    f->specify[1] = f->fifo[2];
    fdc_result(f, 0, false);
}

static void configure(struct fdc *f)
{
    memcpy(f->config, f->fifo + 1, sizeof(f->config));
    fdc_result(f, 0, false);
}

static void perpendicular(struct fdc *f)
{
    f->perpendicular = f->fifo[1] & 0x80 ? f->fifo[1] & 0x3f
                                         : (uint8_t)((f->perpendicular & 0x3c) | (f->fifo[1] & 3));
    fdc_result(f, 0, false);
}

static void version(struct fdc *f)
{
    result(f, 0x90);
}

static void part_id(struct fdc *f)
{
    result(f, 0x41);
}

static void lock(struct fdc *f)
{
    f->lock = f->fifo[0] & 0x80;
    result(f, (uint8_t)(f->lock << 4));
}

static void dump_registers(struct fdc *f)
{
    for (unsigned i = 0; i < 4; i++) {
        const struct floppy *d = fdc_drive(f, i);

        f->fifo[i] = d ? d->track : 0;
    }
    f->fifo[4] = f->specify[0];
    f->fifo[5] = f->specify[1];
    f->fifo[6] = f->eot;
    f->fifo[7] = (uint8_t)(f->lock << 7 | (f->perpendicular & 0x3f));
    f->fifo[8] = f->config[1];
    f->fifo[9] = f->config[2];
    fdc_result(f, 10, false);
}

static void invalid(struct fdc *f)
{
    log_guest_error("%s: command %02x\n", f->dev.path, f->fifo[0]);
    result(f, ST0_INVALID);
}

static const struct fdc_command commands[] = {
    { 0x1f, 0x06, 8, read_data },     { 0x1f, 0x0c, 8, read_data },  /* READ DELETED DATA */
    { 0x3f, 0x05, 8, write_data },    { 0x3f, 0x09, 8, write_data }, /* WRITE DELETED DATA */
    { 0x9f, 0x02, 8, read_track },    { 0x1f, 0x16, 8, verify },
    { 0xbf, 0x0d, 5, format },        { 0xbf, 0x0a, 1, read_id },
    { 0xff, 0x07, 1, recalibrate },   { 0xff, 0x0f, 2, seek },
    { 0xbf, 0x8f, 2, relative_seek }, { 0xff, 0x08, 0, sense_interrupt },
    { 0xff, 0x04, 1, sense_drive },   { 0xff, 0x03, 2, specify },
    { 0xff, 0x13, 3, configure },     { 0xff, 0x12, 1, perpendicular },
    { 0xff, 0x10, 0, version },       { 0xff, 0x18, 0, part_id },
    { 0x7f, 0x14, 0, lock },          { 0xff, 0x0e, 0, dump_registers },
};

static const struct fdc_command *find(uint8_t code)
{
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if ((code & commands[i].mask) == commands[i].code)
            return &commands[i];
    return NULL;
}

unsigned fdc_parameters(uint8_t code)
{
    const struct fdc_command *c = find(code);

    return c ? c->parameters : 0;
}

void fdc_run(struct fdc *f)
{
    const struct fdc_command *c = find(f->fifo[0]);

    if (c)
        c->run(f);
    else
        invalid(f);
}
