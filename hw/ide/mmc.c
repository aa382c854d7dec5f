/*
 * Packet commands of a CD-ROM drive (MMC-4, 6): a table of what each code does. To add one: a
 * function and a row of `commands`.
 */
#include "drive.h"

#include <base/bits.h>
#include <base/log.h>

enum {
    NEEDS_DISC = 1,
    ANY_TIME = 2, /* also while there is a unit attention, which stays (SPC-3, 4.5.6) */
};

struct mmc_row {
    void (*run)(struct ide_drive *d);
    uint8_t how;
};

static void bad_field(struct ide_drive *d)
{
    atapi_check(d, S_ILLEGAL, 0x24, 0);
}

static void test_ready(struct ide_drive *d)
{
    atapi_good(d);
}

/* What the last command left; an attention that nobody has seen comes first. */
static void request_sense(struct ide_drive *d)
{
    uint8_t *p = d->buf;
    uint32_t max = d->packet[4];

    if (!d->sense && d->attention && cd_has_disc(d)) {
        d->attention = false;
        d->sense = S_ATTENTION;
        d->asc = 0x28;
        d->ascq = 0;
    }
    memset(p, 0, 18);
    p[0] = 0xf0;
    p[2] = d->sense;
    p[7] = 10;
    p[12] = d->asc;
    p[13] = d->ascq;
    d->sense = d->asc = d->ascq = 0;
    atapi_reply(d, 18, max);
}

static void start_stop(struct ide_drive *d)
{
    bool eject = d->packet[4] & 2, start = d->packet[4] & 1;

    if (d->packet[4] & 0xf0 || !eject) { /* power conditions; spinning up and down */
        atapi_good(d);
        return;
    }
    if (!start && d->locked && !d->tray_open) {
        atapi_check(d, S_ILLEGAL, 0x53, 2);
        return;
    }
    cd_set_tray(d, !start);
    atapi_good(d);
}

static void prevent(struct ide_drive *d)
{
    d->locked = d->packet[4] & 1;
    atapi_good(d);
}

static void read_10(struct ide_drive *d)
{
    atapi_read(d, ldl_be(d->packet + 2), lduw_be(d->packet + 7), CD_SECTOR);
}

static void read_12(struct ide_drive *d)
{
    atapi_read(d, ldl_be(d->packet + 2), ldl_be(d->packet + 6), CD_SECTOR);
}

/* READ CD's fields: sync and headers, data, checks (6.20, table 351). */
static void read_cd_at(struct ide_drive *d, uint32_t lba, uint32_t count)
{
    switch (d->packet[9] & 0xf8) {
    case 0x00: atapi_good(d); break;
    case 0x10: atapi_read(d, lba, count, CD_SECTOR); break;
    case 0xf8: atapi_read(d, lba, count, CD_RAW); break;
    default: bad_field(d); break;
    }
}

static void read_cd(struct ide_drive *d)
{
    uint32_t count = ldl_be(d->packet + 5) & 0xffffff;

    read_cd_at(d, ldl_be(d->packet + 2), count);
}

static int64_t from_msf(const uint8_t *p)
{
    return (p[0] * 60 + p[1]) * 75 + p[2] - 150;
}

static void read_cd_msf(struct ide_drive *d)
{
    int64_t first = from_msf(d->packet + 3), end = from_msf(d->packet + 6);

    if (first < 0 || end < first)
        bad_field(d);
    else
        read_cd_at(d, (uint32_t)first, (uint32_t)(end - first));
}

static void seek(struct ide_drive *d)
{
    if (ldl_be(d->packet + 2) >= cd_sectors(d))
        atapi_check(d, S_ILLEGAL, 0x21, 0);
    else
        atapi_good(d);
}

static void verify(struct ide_drive *d)
{
    uint32_t lba = ldl_be(d->packet + 2), n = lduw_be(d->packet + 7);

    if (lba > cd_sectors(d) || n > cd_sectors(d) - lba)
        atapi_check(d, S_ILLEGAL, 0x21, 0);
    else
        atapi_good(d);
}

/* The state of sound that is not there. */
static void read_subchannel(struct ide_drive *d)
{
    memset(d->buf, 0, 4);
    d->buf[1] = 0x15;
    atapi_reply(d, 4, lduw_be(d->packet + 7));
}

static void sense_6(struct ide_drive *d)
{
    mmc_mode_sense(d, false);
}

static void sense_10(struct ide_drive *d)
{
    mmc_mode_sense(d, true);
}

static const struct mmc_row commands[256] = {
    [0x00] = { test_ready, NEEDS_DISC },
    [0x03] = { request_sense, ANY_TIME },
    [0x12] = { mmc_inquiry, ANY_TIME },
    [0x1a] = { sense_6, 0 },
    [0x1b] = { start_stop, 0 },
    [0x1e] = { prevent, 0 },
    [0x25] = { mmc_capacity, NEEDS_DISC },
    [0x28] = { read_10, NEEDS_DISC },
    [0x2b] = { seek, NEEDS_DISC },
    [0x2f] = { verify, NEEDS_DISC },
    [0x42] = { read_subchannel, NEEDS_DISC },
    [0x43] = { mmc_toc, NEEDS_DISC },
    [0x46] = { mmc_configuration, ANY_TIME },
    [0x4a] = { mmc_event_status, ANY_TIME },
    [0x51] = { mmc_disc_information, NEEDS_DISC },
    [0x52] = { mmc_track_information, NEEDS_DISC },
    [0x5a] = { sense_10, 0 },
    [0xa8] = { read_12, NEEDS_DISC },
    [0xad] = { mmc_dvd_structure, NEEDS_DISC },
    [0xb9] = { read_cd_msf, NEEDS_DISC },
    [0xbb] = { test_ready, 0 }, /* SET CD SPEED */
    [0xbd] = { mmc_mechanism, 0 },
    [0xbe] = { read_cd, NEEDS_DISC },
};

void mmc_command(struct ide_drive *d)
{
    const struct mmc_row *c = &commands[d->packet[0]];

    if (!c->run) {
        log_unimp("%s: packet command %02x\n", d->dev.path, d->packet[0]);
        atapi_check(d, S_ILLEGAL, 0x20, 0);
    } else if (d->attention && cd_has_disc(d) && !(c->how & ANY_TIME)) {
        d->attention = false;
        atapi_check(d, S_ATTENTION, 0x28, 0);
    } else if (c->how & NEEDS_DISC && !cd_has_disc(d)) {
        atapi_check(d, S_NOT_READY, 0x3a, d->tray_open ? 2 : 1);
    } else {
        c->run(d);
    }
}
