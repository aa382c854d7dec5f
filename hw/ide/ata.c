/*
 * Commands of ATA disks (ATA8-ACS, 7): a table of what each code does. To add one: a function and a
 * row of `commands`.
 */
#include "drive.h"

#include <errno.h>
#include <base/bits.h>
#include <base/log.h>

enum { ADDRESS = 1, EXT = 2, MULTIPLE = 4, DMA = 8, FUA = 16 };

struct ata_command {
    void (*run)(struct ide_drive *d);
    uint8_t how; /* ADDRESS: takes sectors; and how */
};
static const struct ata_command commands[256];

/* ---- addresses ---- */

static uint64_t chs_to_lba(const struct ide_drive *d)
{
    uint32_t cylinder = (uint32_t)d->r.high << 8 | d->r.mid, head = d->select & 15;
    uint32_t sector = d->r.low;

    if (!sector || sector > d->cur_secs || head >= d->cur_heads)
        return UINT64_MAX;
    return ((uint64_t)cylinder * d->cur_heads + head) * d->cur_secs + sector - 1;
}

static uint64_t get_address(const struct ide_drive *d)
{
    uint64_t low = d->r.low | d->r.mid << 8 | (uint64_t)d->r.high << 16;

    if (!(d->select & SEL_LBA))
        return chs_to_lba(d);
    if (!d->ext)
        return low | (uint64_t)(d->select & 15) << 24;
    return low | (uint64_t)d->before.low << 24 | (uint64_t)d->before.mid << 32 |
           (uint64_t)d->before.high << 40;
}

static void put_address(struct ide_drive *d, uint64_t lba)
{
    if (!(d->select & SEL_LBA)) {
        uint64_t track = lba / d->cur_secs, cylinder = track / d->cur_heads;

        d->r.low = (uint8_t)(lba % d->cur_secs + 1);
        d->select = (uint8_t)((d->select & 0xf0) | track % d->cur_heads);
        d->r.mid = (uint8_t)cylinder;
        d->r.high = (uint8_t)(cylinder >> 8);
        return;
    }
    d->r.low = (uint8_t)lba;
    d->r.mid = (uint8_t)(lba >> 8);
    d->r.high = (uint8_t)(lba >> 16);
    if (d->ext) {
        d->before.low = (uint8_t)(lba >> 24);
        d->before.mid = (uint8_t)(lba >> 32);
        d->before.high = (uint8_t)(lba >> 40);
    } else {
        d->select = (uint8_t)((d->select & 0xf0) | (lba >> 24 & 15));
    }
}

static uint32_t get_count(const struct ide_drive *d)
{
    uint32_t n = d->r.count;

    if (d->ext)
        n |= (uint32_t)d->before.count << 8;
    return n ? n : d->ext ? 65536 : 256;
}

/* ---- reading and writing ---- */

static void not_found(struct ide_drive *d)
{
    if (d->lba != UINT64_MAX)
        put_address(d, d->lba);
    ide_fail(d, ER_IDNF);
}

/* Sectors of a step: a block of the data register's, or what the buffer holds. */
static uint32_t step(const struct ide_drive *d, uint32_t block)
{
    bool pio = d->xfer == X_READ || d->xfer == X_WRITE;

    return MIN(d->left, pio ? block : IDE_BUF_SIZE / BLOCK_SECTOR);
}

/* Sectors of a DRQ block, from how the command came. */
static uint32_t block_of(const struct ide_drive *d)
{
    return commands[d->command_code].how & MULTIPLE ? d->mult : 1;
}

/* What is in range is done before what is not is refused. */
static bool next_step(struct ide_drive *d)
{
    uint64_t room = d->lba < d->sectors ? d->sectors - d->lba : 0;

    d->chunk = (uint32_t)MIN(step(d, block_of(d)), room);
    if (!d->chunk)
        not_found(d);
    return d->chunk;
}

static void advance(struct ide_drive *d)
{
    d->lba += d->chunk;
    d->left -= d->chunk;
}

static void finish(struct ide_drive *d)
{
    put_address(d, d->lba - 1);
    d->r.count = 0;
    ide_end(d);
}

static bool begin(struct ide_drive *d, enum ide_xfer xfer)
{
    uint8_t how = commands[d->command_code].how;

    if ((how & DMA && !ide_has_dma(d)) || (how & MULTIPLE && !d->mult)) {
        ide_fail(d, ER_ABRT);
        return false;
    }
    d->xfer = (uint8_t)xfer;
    d->fua = how & FUA;
    d->lba = get_address(d);
    d->left = get_count(d);
    d->power = 0xff;
    return next_step(d);
}

static void read_pio(struct ide_drive *d)
{
    if (begin(d, X_READ))
        ide_io(d);
}

static void read_dma(struct ide_drive *d)
{
    if (begin(d, X_READ_DMA))
        ide_io(d);
}

static void verify(struct ide_drive *d)
{
    if (begin(d, X_VERIFY))
        ide_io(d);
}

/* The first block is asked for without an interrupt (ATA/ATAPI-7 volume 2, 9.6). */
static void write_pio(struct ide_drive *d)
{
    if (begin(d, X_WRITE))
        ide_data(d, d->chunk * BLOCK_SECTOR, false);
}

static void write_dma(struct ide_drive *d)
{
    if (begin(d, X_WRITE_DMA))
        ide_dma_wait(d);
}

static void flush(struct ide_drive *d)
{
    d->xfer = X_FLUSH;
    ide_io(d);
}

/* ---- steps ---- */

static void ata_io_done(struct ide_drive *d)
{
    switch (d->xfer) {
    case X_READ: ide_data(d, d->chunk * BLOCK_SECTOR, true); return;
    case X_READ_DMA: ide_dma_wait(d); return;
    case X_TRIM: ata_trim_next(d); return;
    case X_FLUSH: ide_end(d); return;
    default: break;
    }
    advance(d);
    if (!d->left)
        finish(d);
    else if (!next_step(d))
        return;
    else if (d->xfer == X_WRITE)
        ide_data(d, d->chunk * BLOCK_SECTOR, true);
    else if (d->xfer == X_WRITE_DMA)
        ide_dma_wait(d);
    else
        ide_io(d);
}

/* The image does not say which sector it was: the first of the step. */
static void ata_io_failed(struct ide_drive *d, int error)
{
    bool reading = d->xfer == X_READ || d->xfer == X_READ_DMA || d->xfer == X_VERIFY;

    if (d->xfer == X_FLUSH || d->xfer == X_TRIM) {
        ide_fail(d, ER_ABRT);
        return;
    }
    put_address(d, d->lba);
    ide_fail(d, error == ENOMEDIUM || !reading ? ER_ABRT : ER_UNC);
}

static void ata_data_done(struct ide_drive *d)
{
    switch (d->xfer) {
    case X_READ:
        advance(d);
        if (d->left) {
            if (next_step(d))
                ide_io(d);
            return;
        }
        /* the last block's interrupt has been */
        put_address(d, d->lba - 1);
        d->r.count = 0;
        d->xfer = X_NONE;
        d->wait = W_NONE;
        d->pos = d->end = d->chunk = 0;
        d->status = ST_DRDY | ST_DSC;
        return;
    case X_WRITE: ide_io(d); return;
    case X_TAKE: ide_end(d); return;
    default:
        d->xfer = X_NONE;
        d->wait = W_NONE;
        d->pos = d->end = 0;
        d->status = ST_DRDY | ST_DSC;
        return;
    }
}

static void ata_dma_done(struct ide_drive *d)
{
    uint32_t len = d->chunk * BLOCK_SECTOR;

    if (!ide_dma_move(d, len, d->xfer == X_READ_DMA))
        return;
    if (d->xfer == X_TRIM) {
        d->lba = 0;
        d->pos = 0;
        d->end = len;
        ata_trim_next(d);
        return;
    }
    if (d->xfer == X_WRITE_DMA) {
        ide_io(d);
        return;
    }
    advance(d);
    if (!d->left)
        finish(d);
    else if (next_step(d))
        ide_io(d);
}

/* ---- the rest ---- */

static void abort_command(struct ide_drive *d)
{
    log_unimp("%s: ATA command %02x\n", d->dev.path, d->command_code);
    ide_fail(d, ER_ABRT);
}

static void identify(struct ide_drive *d)
{
    ata_identify(d, d->buf);
    d->xfer = X_REPLY;
    ide_data(d, BLOCK_SECTOR, true);
}

static void read_buffer(struct ide_drive *d)
{
    d->xfer = X_REPLY;
    ide_data(d, BLOCK_SECTOR, true);
}

static void write_buffer(struct ide_drive *d)
{
    d->xfer = X_TAKE;
    ide_data(d, BLOCK_SECTOR, false);
}

static void set_multiple(struct ide_drive *d)
{
    if (d->r.count > IDE_MULT_MAX || (d->r.count && !is_pow2(d->r.count))) {
        ide_fail(d, ER_ABRT);
        return;
    }
    d->mult = d->r.count;
    ide_end(d);
}

/* ATA-5, 8.16: heads less one in the device register, sectors a track in the count. */
static void set_geometry(struct ide_drive *d)
{
    uint16_t heads = (d->select & 15) + 1, secs = d->r.count;
    uint64_t cyls;

    if (!secs) {
        ide_fail(d, ER_ABRT);
        return;
    }
    cyls = d->sectors / ((uint32_t)heads * secs);
    d->cur_heads = heads;
    d->cur_secs = secs;
    d->cur_cyls = (uint16_t)MIN(cyls, 65535);
    ide_end(d);
}

static void seek(struct ide_drive *d)
{
    d->lba = get_address(d);
    if (d->lba < d->sectors)
        ide_end(d);
    else
        not_found(d);
}

static void nothing(struct ide_drive *d)
{
    ide_end(d);
}

static void native_max(struct ide_drive *d)
{
    d->select |= SEL_LBA;
    put_address(d, MIN(d->sectors, d->ext ? UINT64_MAX : UINT64_C(1) << 28) - 1);
    ide_end(d);
}

static void standby(struct ide_drive *d)
{
    d->power = 0;
    flush(d);
}

static void idle(struct ide_drive *d)
{
    d->power = 0xff;
    ide_end(d);
}

static void check_power(struct ide_drive *d)
{
    d->r.count = d->power;
    ide_end(d);
}

/* DATA SET MANAGEMENT: only TRIM, in lists of up to 256 sectors. */
static void trim(struct ide_drive *d)
{
    uint32_t n = get_count(d);

    if (!d->trim || !(d->r.feature & 1) || n > IDE_BUF_SIZE / BLOCK_SECTOR || !ide_has_dma(d)) {
        ide_fail(d, ER_ABRT);
        return;
    }
    d->xfer = X_TRIM;
    d->chunk = n;
    ide_dma_wait(d);
}

static const struct ata_command commands[256] = {
    [0x06] = { trim, EXT },
    [0x10] = { nothing, 0 }, /* RECALIBRATE */
    [0x20] = { read_pio, ADDRESS },
    [0x21] = { read_pio, ADDRESS },
    [0x24] = { read_pio, ADDRESS | EXT },
    [0x25] = { read_dma, ADDRESS | EXT | DMA },
    [0x27] = { native_max, EXT },
    [0x29] = { read_pio, ADDRESS | EXT | MULTIPLE },
    [0x30] = { write_pio, ADDRESS },
    [0x31] = { write_pio, ADDRESS },
    [0x34] = { write_pio, ADDRESS | EXT },
    [0x35] = { write_dma, ADDRESS | EXT | DMA },
    [0x39] = { write_pio, ADDRESS | EXT | MULTIPLE },
    [0x3c] = { write_pio, ADDRESS }, /* WRITE VERIFY */
    [0x3d] = { write_dma, ADDRESS | EXT | DMA | FUA },
    [0x40] = { verify, ADDRESS },
    [0x41] = { verify, ADDRESS },
    [0x42] = { verify, ADDRESS | EXT },
    [0x70] = { seek, 0 },
    [0x91] = { set_geometry, 0 },
    [0x94] = { standby, 0 },
    [0x95] = { idle, 0 },
    [0x96] = { standby, 0 },
    [0x97] = { idle, 0 },
    [0x98] = { check_power, 0 },
    [0x99] = { standby, 0 },
    [0xb0] = { ata_smart, 0 },
    [0xc4] = { read_pio, ADDRESS | MULTIPLE },
    [0xc5] = { write_pio, ADDRESS | MULTIPLE },
    [0xc6] = { set_multiple, 0 },
    [0xc8] = { read_dma, ADDRESS | DMA },
    [0xc9] = { read_dma, ADDRESS | DMA },
    [0xca] = { write_dma, ADDRESS | DMA },
    [0xcb] = { write_dma, ADDRESS | DMA },
    [0xce] = { write_pio, ADDRESS | EXT | MULTIPLE | FUA },
    [0xe0] = { standby, 0 },
    [0xe1] = { idle, 0 },
    [0xe2] = { standby, 0 },
    [0xe3] = { idle, 0 },
    [0xe4] = { read_buffer, 0 },
    [0xe5] = { check_power, 0 },
    [0xe6] = { standby, 0 }, /* SLEEP */
    [0xe7] = { flush, 0 },
    [0xe8] = { write_buffer, 0 },
    [0xea] = { flush, 0 },
    [0xec] = { identify, 0 },
    [0xef] = { ata_set_features, 0 },
    [0xf5] = { nothing, 0 }, /* SECURITY FREEZE LOCK: nothing to lock */
    [0xf8] = { native_max, 0 },
};

static void ata_command(struct ide_drive *d, uint8_t code)
{
    const struct ata_command *c = &commands[code];

    d->ext = c->how & EXT;
    if (c->run)
        c->run(d);
    else
        abort_command(d);
}

static void ata_signature(struct ide_drive *d)
{
    d->r.count = d->r.low = 1;
    d->r.mid = d->r.high = 0;
}

static void ata_reset(struct ide_drive *d)
{
    d->power = 0xff;
    d->ext = d->fua = false;
}

const struct ide_kind ide_ata = {
    .model = "QEMU HARDDISK",
    .command = ata_command,
    .io_done = ata_io_done,
    .io_failed = ata_io_failed,
    .data_done = ata_data_done,
    .dma_done = ata_dma_done,
    .signature = ata_signature,
    .reset = ata_reset,
};
