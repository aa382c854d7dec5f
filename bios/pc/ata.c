/* ATA disks and ATAPI CDs by programmed I/O on the two legacy channels (ATA/ATAPI-7 volume 1, 2).
 */
#include "disk.h"

enum { DATA, ERROR, COUNT, LBA0, LBA1, LBA2, DEVICE, STATUS };
enum { BSY = 0x80, DRDY = 0x40, DF = 0x20, DRQ = 0x08, ERR = 0x01 };
enum { CMD_READ = 0x20, CMD_READ_EXT = 0x24, CMD_WRITE = 0x30, CMD_WRITE_EXT = 0x34 };
enum { CMD_PACKET = 0xa0, CMD_IDENTIFY_PACKET = 0xa1, CMD_FLUSH = 0xe7, CMD_IDENTIFY = 0xec };
enum { NO_IRQ = 0x0a, WAIT_MS = 20000 };

/* Waits until the drive is not busy; its status, or 0xff if it never was. */
static uint8_t wait_ready(const struct drive *d, uint32_t ms)
{
    struct limit l;
    uint8_t status;

    limit_start(&l, ms);
    while ((status = inb(d->port + STATUS)) & BSY)
        if (limit_reached(&l))
            return 0xff;
    return status;
}

static bool select(const struct drive *d, uint8_t bits)
{
    outb(d->control, NO_IRQ);
    if (wait_ready(d, WAIT_MS) == 0xff)
        return false;
    outb(d->port + DEVICE, (uint8_t)(0xa0 | d->unit << 4 | bits));
    delay_us(1);
    return wait_ready(d, WAIT_MS) != 0xff;
}

static uint8_t wait_data(const struct drive *d)
{
    uint8_t status;

    delay_us(1);
    status = wait_ready(d, WAIT_MS);
    if (status == 0xff)
        return DISK_TIMEOUT;
    if (status & (ERR | DF))
        return DISK_NOT_FOUND;
    return status & DRQ ? DISK_OK : DISK_CONTROLLER;
}

uint8_t ata_io(struct drive *d, const struct transfer *t)
{
    uint32_t lba = (uint32_t)t->lba;
    bool wide = t->lba + t->count > 0x10000000;
    uint16_t seg = t->seg;
    uint8_t status;

    if (!select(d, wide ? 0x40 : 0x40 | (lba >> 24 & 15)))
        return DISK_TIMEOUT;
    if (wide) {
        outb(d->port + COUNT, 0);
        outb(d->port + LBA0, lba >> 24);
        outb(d->port + LBA1, (uint8_t)(t->lba >> 32));
        outb(d->port + LBA2, (uint8_t)(t->lba >> 40));
    }
    outb(d->port + COUNT, (uint8_t)t->count);
    outb(d->port + LBA0, lba & 0xff);
    outb(d->port + LBA1, lba >> 8 & 0xff);
    outb(d->port + LBA2, lba >> 16 & 0xff);
    outb(d->port + STATUS,
         t->write ? (wide ? CMD_WRITE_EXT : CMD_WRITE) : (wide ? CMD_READ_EXT : CMD_READ));
    for (unsigned i = 0; i < t->count; i++, seg += 32) {
        status = wait_data(d);
        if (status)
            return status;
        if (t->write)
            far_outsw(d->port, seg, t->off, 256);
        else
            far_insw(d->port, seg, t->off, 256);
    }
    delay_us(1);
    return wait_ready(d, WAIT_MS) & (ERR | DF | BSY) ? DISK_CONTROLLER : DISK_OK;
}

/* ---- packets ---- */

/* What does not fit into `room` bytes is read and dropped. */
static uint8_t packet(struct drive *d, const uint8_t cdb[12], uint16_t seg, uint16_t off,
                      uint32_t room)
{
    uint8_t status;

    if (!select(d, 0))
        return DISK_TIMEOUT;
    outb(d->port + ERROR, 0);
    outb(d->port + LBA1, 2048 & 0xff);
    outb(d->port + LBA2, 2048 >> 8);
    outb(d->port + STATUS, CMD_PACKET);
    status = wait_data(d);
    if (status)
        return status;
    far_outsw(d->port, SEG_BIOS, (uint16_t)(uintptr_t)cdb, 6);
    for (;;) {
        uint32_t words, take;
        uint8_t s;

        delay_us(1);
        s = wait_ready(d, WAIT_MS);
        if (s == 0xff)
            return DISK_TIMEOUT;
        if (!(s & DRQ))
            return s & (ERR | DF) ? DISK_NOT_READY : DISK_OK;
        words = (inb(d->port + LBA1) | (uint32_t)inb(d->port + LBA2) << 8) / 2;
        take = words * 2 < room ? words : room / 2;
        far_insw(d->port, seg, off, take);
        seg += take >> 3;
        off += (take & 7) * 2;
        room -= take * 2;
        for (words -= take; words; words--)
            inw(d->port);
    }
}

uint8_t cd_io(struct drive *d, const struct transfer *t)
{
    uint32_t lba = (uint32_t)t->lba;
    uint8_t cdb[12] = { 0x28,       0, lba >> 24, lba >> 16 & 0xff, lba >> 8 & 0xff,
                        lba & 0xff, 0, 0,         t->count };

    return t->write ? DISK_WRITE_PROTECTED : packet(d, cdb, t->seg, t->off, t->count * 2048u);
}

bool cd_ready(struct drive *d)
{
    static const uint8_t test[12] = { 0 }, capacity[12] = { 0x25 };
    uint32_t answer[2];

    for (unsigned i = 0; i < 5; i++) {
        if (packet(d, test, SEG_BIOS, 0, 0) != DISK_OK)
            continue;
        if (packet(d, capacity, SEG_BIOS, (uint16_t)(uintptr_t)answer, sizeof(answer)))
            return false;
        d->sectors = (uint64_t)__builtin_bswap32(answer[0]) + 1;
        return true;
    }
    return false;
}

/* ---- finding them ---- */

/* IDENTIFY's strings have the bytes of each word swapped. */
static void take_name(struct drive *d, const uint16_t *words)
{
    unsigned n = 40;

    for (unsigned i = 0; i < 20; i++) {
        d->name[2 * i] = (char)(words[27 + i] >> 8);
        d->name[2 * i + 1] = (char)words[27 + i];
    }
    while (n && d->name[n - 1] == ' ')
        n--;
    d->name[n] = 0;
}

static bool identify(struct drive *d, uint8_t command, uint16_t *words)
{
    outb(d->port + STATUS, command);
    delay_us(1);
    if (!inb(d->port + STATUS) || wait_data(d) != DISK_OK)
        return false;
    far_insw(d->port, SEG_BIOS, (uint16_t)(uintptr_t)words, 256);
    return true;
}

static bool is_there(const struct drive *d)
{
    outb(d->port + DEVICE, (uint8_t)(0xa0 | d->unit << 4));
    delay_us(1);
    if (inb(d->port + STATUS) == 0xff)
        return false;
    outb(d->port + COUNT, 0x55);
    outb(d->port + LBA0, 0xaa);
    return inb(d->port + COUNT) == 0x55 && inb(d->port + LBA0) == 0xaa;
}

static void find(uint16_t port, uint16_t control, uint8_t unit)
{
    static uint16_t words[256];
    struct drive probe = { .port = port, .control = control, .unit = unit, .sector_size = 512 };
    struct drive *d;

    outb(control, NO_IRQ);
    if (!is_there(&probe) || !select(&probe, 0))
        return;
    if (identify(&probe, CMD_IDENTIFY, words)) {
        probe.kind = DRIVE_ATA;
        probe.lba48 = words[83] & 0x400;
        memcpy(&probe.sectors, &words[100], 8);
        if (!probe.lba48)
            probe.sectors = words[60] | (uint32_t)words[61] << 16;
    } else if (inb(port + LBA1) == 0x14 && inb(port + LBA2) == 0xeb &&
               identify(&probe, CMD_IDENTIFY_PACKET, words)) {
        probe.kind = DRIVE_CD;
        probe.sector_size = 2048;
    } else {
        return;
    }
    take_name(&probe, words);
    d = drive_add(probe.kind);
    if (d)
        *d = probe;
    log_line("ata: %x.%u: %s", port, unit, probe.name);
}

void ata_find(void)
{
    for (uint8_t unit = 0; unit < 2; unit++)
        find(0x1f0, 0x3f6, unit);
    for (uint8_t unit = 0; unit < 2; unit++)
        find(0x170, 0x376, unit);
}
