/* What a disk says of itself: IDENTIFY DEVICE (ATA8-ACS, 7.16), its geometry, SET FEATURES. */
#include "drive.h"

#include <base/bits.h>

#define CHS_SECTORS_MAX (16383u * 16 * 63)
#define LBA28_MAX       0x0fffffffu

void ata_guess_geometry(struct ide_drive *d)
{
    if (!d->heads)
        d->heads = 16;
    if (!d->secs)
        d->secs = 63;
    if (!d->cyls)
        d->cyls = (uint16_t)CLAMP(d->sectors / ((uint32_t)d->heads * d->secs), 1, 16383);
}

static void put(uint8_t *p, unsigned word, uint32_t v)
{
    stw_le(p + 2 * word, (uint16_t)v);
}

static void put32(uint8_t *p, unsigned word, uint64_t v)
{
    stl_le(p + 2 * word, (uint32_t)v);
}

static void identify_geometry(const struct ide_drive *d, uint8_t *p)
{
    uint32_t current = (uint32_t)d->cur_cyls * d->cur_heads * d->cur_secs;

    put(p, 1, d->cyls);
    put(p, 3, d->heads);
    put(p, 6, d->secs);
    put(p, 54, d->cur_cyls);
    put(p, 55, d->cur_heads);
    put(p, 56, d->cur_secs);
    put32(p, 57, MIN(current, CHS_SECTORS_MAX));
    put32(p, 60, MIN(d->sectors, LBA28_MAX));
    stq_le(p + 200, d->sectors);
}

/* Word 63 and 88: modes that are there, and the one that is chosen. */
static void identify_modes(const struct ide_drive *d, uint8_t *p)
{
    unsigned kind = d->dma_mode >> 4, n = d->dma_mode & 7;

    if (!ide_has_dma(d))
        return;
    put(p, 49, 0x0b00); /* LBA, DMA, IORDY */
    put(p, 62, 7);
    put(p, 63, 7 | (d->dma_on && kind == 1 ? 0x100u << n : 0));
    put(p, 88, 0x3f | (d->dma_on && kind == 2 ? 0x100u << n : 0));
}

void ata_identify(const struct ide_drive *d, uint8_t *p)
{
    memset(p, 0, BLOCK_SECTOR);
    put(p, 0, 0x0040); /* not removable */
    identify_geometry(d, p);
    ide_put_text(p + 20, d->serial, 20);
    put(p, 20, 3);
    put(p, 21, IDE_BUF_SIZE / BLOCK_SECTOR);
    ide_put_text(p + 46, d->version, 8);
    ide_put_text(p + 54, d->model, 40);
    put(p, 47, 0x8000 | IDE_MULT_MAX);
    put(p, 48, 1); /* 32 bits at once */
    put(p, 49, 0x0a00);
    put(p, 51, 0x200);
    put(p, 53, 7);
    put(p, 59, d->mult ? 0x100 | d->mult : 0);
    put(p, 64, 3); /* PIO 3 and 4 */
    for (unsigned w = 65; w <= 68; w++)
        put(p, w, 120);
    identify_modes(d, p);
    put(p, 80, 0x01f0); /* ATA-4 to ATA8-ACS */
    put(p, 81, 0x16);
    put(p, 82, 0x4061);                        /* NOP, look-ahead, write cache, SMART */
    put(p, 83, 0x7400);                        /* FLUSH CACHE (EXT), LBA48 */
    put(p, 84, 0x4043 | (d->wwn ? 0x100 : 0)); /* FUA, self-test, error log */
    put(p, 85, 0x4000u | (d->look_ahead ? 0x40 : 0) | (d->writeback ? 0x20 : 0) | d->smart_on);
    put(p, 86, 0x3400);
    put(p, 87, 0x4043 | (d->wwn ? 0x100 : 0));
    put(p, 93, d->unit ? 0x4b00 : 0x6001); /* 80 wires; who was selected how */
    put(p, 106, 0x6000);
    for (unsigned i = 0; i < 4 && d->wwn; i++)
        put(p, 108 + i, (uint32_t)(d->wwn >> (48 - 16 * i)) & 0xffff);
    if (d->trim && ide_has_dma(d))
        put(p, 169, 1);
    put(p, 105, d->trim ? IDE_BUF_SIZE / BLOCK_SECTOR : 0);
    put(p, 217, 1); /* does not rotate */
    p[510] = 0xa5;
    p[511] = 0;
    for (unsigned i = 0; i < 511; i++)
        p[511] = (uint8_t)(p[511] - p[i]);
}

/* 7.45, table of transfer modes: kind in the upper five bits, number in the lower. */
static bool set_transfer_mode(struct ide_drive *d, uint8_t v)
{
    uint8_t kind = v >> 3, n = v & 7;

    if (kind < 2 && n <= 4) {
        d->pio_mode = n;
        return true;
    }
    if (!ide_has_dma(d) || !((kind == 4 && n <= 2) || (kind == 8 && n <= 5)))
        return false;
    d->dma_mode = (uint8_t)((kind == 4 ? 0x10 : 0x20) | n);
    d->dma_on = true;
    return true;
}

static void set_cache(struct ide_drive *d, bool on)
{
    d->writeback = on;
    block_set_writeback(d->drive, on);
}

void ata_set_features(struct ide_drive *d)
{
    bool ok = true;

    switch (d->r.feature) {
    case 0x02: set_cache(d, true); break;
    case 0x82: set_cache(d, false); break;
    case 0x03: ok = set_transfer_mode(d, d->r.count); break;
    case 0x55: d->look_ahead = false; break;
    case 0xaa: d->look_ahead = true; break;
    case 0x66: /* what a soft reset keeps or drops is the same */
    case 0xcc: break;
    default: ok = false; break;
    }
    if (!ok) {
        ide_fail(d, ER_ABRT);
        return;
    }
    if (d->r.feature == 0x82) { /* what is cached goes to the image first */
        d->xfer = X_FLUSH;
        ide_io(d);
        return;
    }
    ide_end(d);
}
