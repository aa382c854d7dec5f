/*
 * CD-ROM drives as ATA sees them: the few ATA commands they take, and the ways of a packet, its
 * data and its end (ATA/ATAPI-7 volume 2, 9.8 and 9.10). What packets mean is in mmc.c.
 */
#include "drive.h"

#include <errno.h>
#include <base/bits.h>
#include <base/log.h>

enum { REASON_COMMAND = 1, REASON_TO_HOST = 2 };

bool cd_has_disc(const struct ide_drive *d)
{
    return d->drive && block_has_medium(d->drive) && !d->tray_open;
}

uint32_t cd_sectors(const struct ide_drive *d)
{
    return cd_has_disc(d) ? (uint32_t)MIN(block_size(d->drive) / CD_SECTOR, UINT32_MAX - 1) : 0;
}

void cd_set_tray(struct ide_drive *d, bool open)
{
    if (open == d->tray_open)
        return;
    if (d->wait == W_IMAGE) {
        ide_cancel(d);
        atapi_check(d, S_NOT_READY, 0x3a, 2);
    }
    d->tray_open = open;
    d->eject_event = false;
    if (open)
        d->locked = false;
    else
        d->attention = d->new_event = true;
    if (d->drive)
        block_tray_moved(d->drive, open);
}

/* ---- ends of packets ---- */

void atapi_good(struct ide_drive *d)
{
    d->sense = d->asc = d->ascq = 0;
    d->r.count = REASON_COMMAND | REASON_TO_HOST;
    ide_end(d);
}

void atapi_check(struct ide_drive *d, enum scsi_sense sense, uint8_t asc, uint8_t ascq)
{
    d->sense = (uint8_t)sense;
    d->asc = asc;
    d->ascq = ascq;
    d->r.count = REASON_COMMAND | REASON_TO_HOST;
    ide_fail(d, (uint8_t)(sense << 4 | (sense == S_ILLEGAL ? ER_ABRT : 0)));
}

/* ---- data ---- */

/* The host said how many bytes it takes at a time; only the last piece may be odd. */
static void next_piece(struct ide_drive *d)
{
    uint32_t n = d->reply_len - d->reply_pos;

    if (n > d->limit)
        n = d->limit & ~1u;
    d->r.mid = (uint8_t)n;
    d->r.high = (uint8_t)(n >> 8);
    d->r.count = REASON_TO_HOST;
    ide_data(d, d->reply_pos + n, true);
    d->pos = d->reply_pos;
    d->reply_pos += n;
}

static void hand_over(struct ide_drive *d)
{
    d->reply_pos = 0;
    if (d->packet_dma)
        ide_dma_wait(d);
    else
        next_piece(d);
}

void atapi_reply(struct ide_drive *d, uint32_t len, uint32_t max)
{
    d->reply_len = MIN(len, max);
    d->left = 0;
    d->xfer = X_PACKET_IN;
    if (d->reply_len)
        hand_over(d);
    else
        atapi_good(d);
}

static void read_step(struct ide_drive *d)
{
    d->lba += d->chunk;
    d->chunk = MIN(d->left, IDE_BUF_SIZE / CD_RAW);
    d->left -= d->chunk;
    ide_io(d);
}

void atapi_read(struct ide_drive *d, uint32_t lba, uint32_t count, uint32_t unit_bytes)
{
    if (lba >= cd_sectors(d) || count > cd_sectors(d) - lba) {
        atapi_check(d, S_ILLEGAL, 0x21, 0);
        return;
    }
    if (!count) {
        atapi_good(d);
        return;
    }
    d->xfer = X_PACKET_IN;
    d->unit_bytes = unit_bytes;
    d->lba = lba;
    d->left = count;
    d->chunk = 0;
    read_step(d);
}

/* Mode 1 sectors around the data: sync pattern, address, and checks that nobody looks at. */
static void make_raw(struct ide_drive *d)
{
    for (uint32_t i = d->chunk; i-- > 0;) {
        uint8_t *p = d->buf + i * CD_RAW;

        memmove(p + 16, d->buf + i * CD_SECTOR, CD_SECTOR);
        memset(p, 0xff, 12);
        p[0] = p[11] = 0;
        mmc_put_msf(p + 12, (uint32_t)d->lba + i);
        p[15] = 1;
        memset(p + 16 + CD_SECTOR, 0, CD_RAW - 16 - CD_SECTOR);
    }
}

static void atapi_io_done(struct ide_drive *d)
{
    if (d->unit_bytes == CD_RAW)
        make_raw(d);
    d->reply_len = d->chunk * d->unit_bytes;
    hand_over(d);
}

static void atapi_io_failed(struct ide_drive *d, int error)
{
    if (error == ENOMEDIUM)
        atapi_check(d, S_NOT_READY, 0x3a, 1);
    else
        atapi_check(d, S_MEDIUM, 0x11, 0);
}

static void after_reply(struct ide_drive *d)
{
    d->reply_len = d->reply_pos = 0;
    if (d->left)
        read_step(d);
    else
        atapi_good(d);
}

static void take_packet(struct ide_drive *d)
{
    memcpy(d->packet, d->buf, sizeof(d->packet));
    d->xfer = X_NONE;
    d->wait = W_NONE;
    d->pos = d->end = 0;
    mmc_command(d);
}

static void atapi_data_done(struct ide_drive *d)
{
    switch (d->xfer) {
    case X_PACKET: take_packet(d); return;
    case X_PACKET_IN:
        if (d->reply_pos < d->reply_len)
            next_piece(d);
        else
            after_reply(d);
        return;
    default:
        d->xfer = X_NONE;
        d->wait = W_NONE;
        d->pos = d->end = 0;
        d->status = ST_DRDY | ST_DSC;
        return;
    }
}

static void atapi_dma_done(struct ide_drive *d)
{
    if (ide_dma_move(d, d->reply_len, true))
        after_reply(d);
}

/* ---- ATA commands ---- */

void atapi_identify(const struct ide_drive *d, uint8_t *p)
{
    memset(p, 0, BLOCK_SECTOR);
    stw_le(p, 0x85c0); /* CD-ROM, removable, DRQ within 50 us, 12 byte packets */
    ide_put_text(p + 20, d->serial, 20);
    ide_put_text(p + 46, d->version, 8);
    ide_put_text(p + 54, d->model, 40);
    stw_le(p + 2 * 49, ide_has_dma(d) ? 0x0b00 : 0x0a00);
    stw_le(p + 2 * 53, 7);
    stw_le(p + 2 * 64, 3);
    for (unsigned w = 65; w <= 68; w++)
        stw_le(p + 2 * w, 120);
    stw_le(p + 2 * 71, 30);
    stw_le(p + 2 * 72, 30);
    stw_le(p + 2 * 80, 0x1e);
    stw_le(p + 2 * 82, 0x4214); /* NOP, DEVICE RESET, PACKET, removable */
    stw_le(p + 2 * 83, 0x4000);
    stw_le(p + 2 * 85, 0x4214);
    stw_le(p + 2 * 87, 0x4000);
    if (ide_has_dma(d)) {
        unsigned kind = d->dma_mode >> 4, n = d->dma_mode & 7;

        stw_le(p + 2 * 63, (uint16_t)(7 | (d->dma_on && kind == 1 ? 0x100u << n : 0)));
        stw_le(p + 2 * 88, (uint16_t)(0x3f | (d->dma_on && kind == 2 ? 0x100u << n : 0)));
    }
    stw_le(p + 2 * 93, d->unit ? 0x4b00 : 0x6001);
}

static void atapi_signature(struct ide_drive *d)
{
    d->r.count = d->r.low = 1;
    d->r.mid = 0x14;
    d->r.high = 0xeb;
}

static void packet(struct ide_drive *d)
{
    uint32_t limit = d->r.mid | (uint32_t)d->r.high << 8;

    d->packet_dma = d->r.feature & 1;
    if (d->packet_dma && !ide_has_dma(d)) {
        ide_fail(d, ER_ABRT);
        return;
    }
    if (limit < 2 || limit == 0xffff)
        limit = 0xfffe;
    d->limit = (uint16_t)limit;
    d->r.count = REASON_COMMAND;
    d->xfer = X_PACKET;
    ide_data(d, sizeof(d->packet), false);
}

/* Not for this drive, which says so by its signature (ATA/ATAPI-7, 6.16). */
static void not_a_disk(struct ide_drive *d)
{
    atapi_signature(d);
    ide_fail(d, ER_ABRT);
}

static void atapi_command(struct ide_drive *d, uint8_t code)
{
    switch (code) {
    case 0x08: /* DEVICE RESET, which raises no interrupt */
        ide_cancel(d);
        ide_soft_reset(d);
        d->status = 0;
        return;
    case 0xa0: packet(d); return;
    case 0xa1:
        atapi_identify(d, d->buf);
        d->xfer = X_REPLY;
        ide_data(d, BLOCK_SECTOR, true);
        return;
    case 0xef: ata_set_features(d); return;
    case 0xe5:
        d->r.count = 0xff;
        ide_end(d);
        return;
    case 0xe0:
    case 0xe1:
    case 0xe2:
    case 0xe3:
    case 0xe6:
    case 0xe7: ide_end(d); return;
    case 0x20:
    case 0xec: not_a_disk(d); return;
    default:
        log_unimp("%s: ATA command %02x\n", d->dev.path, code);
        ide_fail(d, ER_ABRT);
        return;
    }
}

static void atapi_reset(struct ide_drive *d)
{
    d->packet_dma = false;
    d->left = 0;
}

const struct ide_kind ide_atapi = {
    .model = "QEMU DVD-ROM",
    .command = atapi_command,
    .io_done = atapi_io_done,
    .io_failed = atapi_io_failed,
    .data_done = atapi_data_done,
    .dma_done = atapi_dma_done,
    .signature = atapi_signature,
    .reset = atapi_reset,
};
