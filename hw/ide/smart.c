/* SMART of a disk that is always well (ATA8-ACS, 7.53), and TRIM (7.10). */
#include "drive.h"

#include <base/bits.h>

enum {
    SMART_DATA = 0xd0,
    SMART_THRESHOLDS = 0xd1,
    SMART_AUTOSAVE = 0xd2,
    SMART_SAVE = 0xd3,
    SMART_OFFLINE = 0xd4,
    SMART_READ_LOG = 0xd5,
    SMART_ENABLE = 0xd8,
    SMART_DISABLE = 0xd9,
    SMART_STATUS = 0xda,
};

struct attribute {
    uint8_t id, flags, value, threshold;
    uint32_t raw;
};

static const struct attribute attributes[] = {
    { 1, 0x03, 100, 6, 0 },    /* read errors */
    { 3, 0x03, 100, 0, 16 },   /* spin-up time */
    { 4, 0x02, 100, 20, 100 }, /* starts and stops */
    { 5, 0x03, 100, 36, 0 },   /* reallocated sectors */
    { 9, 0x03, 100, 0, 1 },    /* hours */
    { 12, 0x03, 100, 0, 0 },   /* power cycles */
    { 190, 0x03, 69, 50, 31 }, /* air flow's temperature */
};

static void put_checksum(uint8_t *p)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < 511; i++)
        sum = (uint8_t)(sum + p[i]);
    p[511] = (uint8_t)-sum;
}

static void reply(struct ide_drive *d)
{
    put_checksum(d->buf);
    d->xfer = X_REPLY;
    ide_data(d, BLOCK_SECTOR, true);
}

static void read_data(struct ide_drive *d, bool thresholds)
{
    uint8_t *p = d->buf;

    memset(p, 0, BLOCK_SECTOR);
    p[0] = 1;
    for (unsigned i = 0; i < ARRAY_LEN(attributes); i++) {
        const struct attribute *a = &attributes[i];
        uint8_t *at = p + 2 + 12 * i;

        at[0] = a->id;
        at[1] = thresholds ? a->threshold : a->flags;
        if (thresholds)
            continue;
        at[3] = at[4] = a->value;
        stl_le(at + 5, a->raw);
    }
    if (!thresholds) {
        p[362] = 0x02;           /* off-line collection completed */
        p[367] = 0x19;           /* self-tests, off-line at once */
        p[368] = 0x03;           /* saves attributes */
        p[370] = 0x01;           /* logs errors */
        p[372] = 2, p[373] = 54; /* minutes of self-tests */
    }
    reply(d);
}

/* Logs: 0 the directory, 1 errors (none), 6 self-tests (the last one). */
static void read_log(struct ide_drive *d)
{
    uint8_t *p = d->buf;

    memset(p, 0, BLOCK_SECTOR);
    switch (d->r.low) {
    case 0:
        p[0] = 1;
        p[2] = 1;
        p[12] = 1;
        break;
    case 1: p[0] = 1; break;
    case 6:
        p[0] = 1;
        if (d->self_test) {
            p[2] = d->self_test;
            p[508] = 1;
        }
        break;
    default: ide_fail(d, ER_ABRT); return;
    }
    reply(d);
}

static void offline(struct ide_drive *d)
{
    switch (d->r.low) {
    case 0: break;
    case 1: /* short and extended, in the background and in the foreground */
    case 2:
    case 0x81:
    case 0x82: d->self_test = d->r.low; break;
    default: ide_fail(d, ER_ABRT); return;
    }
    ide_end(d);
}

void ata_smart(struct ide_drive *d)
{
    uint8_t what = d->r.feature;

    if (d->r.mid != 0x4f || d->r.high != 0xc2 || (!d->smart_on && what != SMART_ENABLE)) {
        ide_fail(d, ER_ABRT);
        return;
    }
    switch (what) {
    case SMART_DATA: read_data(d, false); return;
    case SMART_THRESHOLDS: read_data(d, true); return;
    case SMART_READ_LOG: read_log(d); return;
    case SMART_OFFLINE: offline(d); return;
    case SMART_AUTOSAVE: d->autosave = d->r.count == 0xf1; break;
    case SMART_ENABLE:
    case SMART_DISABLE: d->smart_on = what == SMART_ENABLE; break;
    case SMART_SAVE: break;
    case SMART_STATUS: break; /* the key unchanged: no threshold was passed */
    default: ide_fail(d, ER_ABRT); return;
    }
    ide_end(d);
}

/* ---- TRIM: entries of eight bytes, address and a count in the upper 16 bits ---- */

void ata_trim_next(struct ide_drive *d)
{
    while (d->pos + 8 <= d->end) {
        uint64_t entry = ldq_le(d->buf + d->pos), lba = entry & mask64(48);
        uint32_t count = (uint32_t)(entry >> 48);

        d->pos += 8;
        if (!count)
            continue;
        if (lba >= d->sectors || count > d->sectors - lba) {
            ide_fail(d, ER_IDNF);
            return;
        }
        d->lba = lba;
        d->chunk = count;
        ide_io(d);
        return;
    }
    ide_end(d);
}
