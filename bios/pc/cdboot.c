/* Booting from CDs: El Torito 1.0, without emulation and with a floppy or disk emulated. */
#include "disk.h"

enum { NO_EMULATION = 0, FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK };

static struct {
    bool active, emulated;
    uint8_t drive, media, cd;
    uint16_t segment, sectors; /* what was loaded, in units of 512 bytes */
    uint32_t lba;
    uint16_t cylinders, heads, spt;
} boot;

static uint8_t buffer[2048] __attribute__((aligned(16)));

static bool read_block(struct drive *d, uint32_t lba)
{
    const struct transfer t = {
        .lba = lba, .count = 1, .seg = SEG_BIOS, .off = (uint16_t)(uintptr_t)buffer
    };

    return drive_io(d, &t) == DISK_OK;
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The boot record volume descriptor is in sector 17 (2.0), the default entry behind the catalog's
 * validation entry (2.1, 2.2). */
static bool find_entry(struct drive *d, uint8_t entry[32])
{
    uint16_t sum = 0;

    if (!cd_ready(d) || !read_block(d, 17) ||
        memcmp(buffer, "\0CD001\1EL TORITO SPECIFICATION", 30) != 0 ||
        !read_block(d, get32(buffer + 0x47)))
        return false;
    for (unsigned i = 0; i < 32; i += 2)
        sum += buffer[i] | buffer[i + 1] << 8;
    if (buffer[0] != 1 || sum || buffer[30] != 0x55 || buffer[31] != 0xaa || buffer[32] != 0x88)
        return false;
    memcpy(entry, buffer + 32, 32);
    return true;
}

/* Sectors of 512 bytes of the image. */
static bool read_image(struct drive *d, uint32_t sector, uint32_t count, uint16_t seg, uint16_t off)
{
    for (; count; count--, sector++, seg += 32) {
        uint32_t block = boot.lba + sector / 4;

        if (sector % 4 == 0 && count >= 4) {
            uint32_t blocks = count / 4;
            const struct transfer t = { .lba = block, .count = blocks, .seg = seg, .off = off };

            if (drive_io(d, &t))
                return false;
            count -= 4 * blocks - 1;
            sector += 4 * blocks - 1;
            seg += 32 * (4 * blocks - 1);
        } else {
            if (!read_block(d, block))
                return false;
            far_put(seg, off, buffer + sector % 4 * 512, 512);
        }
    }
    return true;
}

static bool set_geometry(struct drive *d)
{
    static const uint8_t spt[] = { 0, 15, 18, 36 };

    if (boot.media < HARD_DISK) {
        boot.cylinders = 80;
        boot.heads = 2;
        boot.spt = spt[boot.media];
        return true;
    }
    if (boot.media != HARD_DISK || !read_block(d, boot.lba))
        return false;
    boot.heads = buffer[446 + 5] + 1; /* the first partition's last sector */
    boot.spt = buffer[446 + 6] & 63;
    boot.cylinders = (buffer[446 + 7] | (buffer[446 + 6] & 0xc0) << 2) + 1;
    return boot.spt != 0;
}

uint8_t cd_boot(struct drive *d, uint16_t *segment)
{
    uint8_t entry[32], number = 0;

    while (drive_nth(DRIVE_CD, number) != d)
        number++;
    boot.active = boot.emulated = false;
    if (!find_entry(d, entry))
        return 0;
    boot.cd = number;
    boot.media = entry[1] & 15;
    boot.segment = get32(entry + 2) & 0xffff;
    boot.sectors = entry[6] | entry[7] << 8;
    boot.lba = get32(entry + 8);
    if (!boot.segment)
        boot.segment = 0x7c0;
    if (!boot.sectors)
        boot.sectors = 4;
    if (boot.media != NO_EMULATION && !set_geometry(d))
        return 0;
    if (!read_image(d, 0, boot.sectors, boot.segment, 0))
        return 0;
    boot.drive = boot.media == NO_EMULATION ? 0xe0 + number : boot.media == HARD_DISK ? 0x80 : 0;
    boot.active = true;
    boot.emulated = boot.media != NO_EMULATION;
    *segment = boot.segment;
    if (boot.media == HARD_DISK)
        bda_write8(BDA_DISKS, bda_read8(BDA_DISKS) + 1);
    else if (boot.emulated)
        bda_write16(BDA_EQUIPMENT, bda_read16(BDA_EQUIPMENT) | 1);
    return boot.drive ? boot.drive : 0xff;
}

bool cd_is_emulated(uint8_t drive)
{
    return boot.emulated && boot.drive == drive;
}

/* ---- INT 13h ---- */

static uint8_t read_chs(struct regs *r)
{
    uint16_t cylinder = r->ch | (r->cl & 0xc0) << 2, sector = r->cl & 63;
    uint32_t lba;

    if (!sector || sector > boot.spt || r->dh >= boot.heads || cylinder >= boot.cylinders)
        return DISK_NOT_FOUND;
    lba = ((uint32_t)cylinder * boot.heads + r->dh) * boot.spt + sector - 1;
    if (r->ah == 4)
        return DISK_OK;
    return read_image(drive_nth(DRIVE_CD, boot.cd), lba, r->al, r->es + (r->bx >> 4), r->bx & 15)
               ? DISK_OK
               : DISK_NOT_READY;
}

static uint8_t get_parameters(struct regs *r)
{
    static const uint8_t types[] = { 0, 2, 4, 5, 0 };
    uint16_t last = boot.cylinders - 1;

    r->ch = (uint8_t)last;
    r->cl = (uint8_t)(boot.spt | (last >> 2 & 0xc0));
    r->dh = (uint8_t)(boot.heads - 1);
    r->bl = types[boot.media];
    r->dl = boot.drive ? bda_read8(BDA_DISKS) : 1;
    if (!boot.drive) {
        r->es = far_read16(0, 0x1e * 4 + 2);
        r->di = far_read16(0, 0x1e * 4);
    }
    return DISK_OK;
}

bool cd_emulated(struct regs *r)
{
    uint8_t status = DISK_OK;

    if (!boot.emulated || r->dl != boot.drive)
        return false;
    switch (r->ah) {
    case 0x02:
    case 0x04: status = read_chs(r); break;
    case 0x03:
    case 0x05: status = DISK_WRITE_PROTECTED; break;
    case 0x08: status = get_parameters(r); break;
    case 0x15:
        r->ah = boot.drive ? 3 : 1;
        r->dx = (uint16_t)(boot.cylinders * boot.heads * boot.spt);
        r->cx = 0;
        set_flag(r, FLAG_CF, false);
        return true;
    case 0x00:
    case 0x01:
    case 0x09:
    case 0x0c:
    case 0x0d:
    case 0x10:
    case 0x11: break;
    default: status = DISK_BAD_COMMAND;
    }
    r->ah = status;
    set_flag(r, FLAG_CF, status);
    return true;
}

/* AH=4Bh: AL=0 ends the emulation, 1 only tells. */
void cd_terminate(struct regs *r)
{
    struct {
        uint8_t size, media, drive, controller;
        uint32_t lba;
        uint16_t device, user, segment, sectors;
        uint8_t chs[3];
    } __attribute__((packed))
    p = { 19, boot.media, boot.drive, 0, boot.lba, boot.cd, 0, boot.segment, boot.sectors, { 0 } };
    bool ok = boot.active && r->al <= 1 && (r->dl == boot.drive || r->dl == 0x7f);

    if (ok) {
        far_put(r->ds, r->si, &p, sizeof(p));
        if (r->al == 0)
            boot.emulated = false;
    }
    r->ah = ok ? DISK_OK : DISK_BAD_COMMAND;
    set_flag(r, FLAG_CF, !ok);
}
