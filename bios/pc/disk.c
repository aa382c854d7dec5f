/* INT 13h for hard disks and CDs: CHS, and EDD 3.0 (T13 1226DT) functions 41h to 48h. */
#include "disk.h"

static struct drive drives[DRIVES_MAX];
static unsigned n_drives;
struct drive *hard_disks[DRIVES_MAX];
unsigned n_hard_disks;

enum { CD_NUMBER = 0xe0, EDD_VERSION = 0x21, EDD_ACCESS = 1 };

/* ---- drives ---- */

bool drive_is_disk(const struct drive *d)
{
    return d->kind == DRIVE_ATA || d->kind == DRIVE_VIRTIO;
}

struct drive *drive_add(enum drive_kind kind)
{
    struct drive *d = n_drives < DRIVES_MAX ? &drives[n_drives++] : NULL;

    if (d)
        d->kind = kind;
    return d;
}

struct drive *drive_nth(enum drive_kind kind, unsigned n)
{
    for (unsigned i = 0; i < n_drives; i++)
        if (drives[i].kind == kind && !n--)
            return &drives[i];
    return NULL;
}

void drive_first(struct drive *d)
{
    unsigned i = 0;

    while (i < n_hard_disks && hard_disks[i] != d)
        i++;
    for (; i > 0 && i < n_hard_disks; i--)
        hard_disks[i] = hard_disks[i - 1];
    hard_disks[0] = d;
}

/* Heads are doubled until the cylinders fit into ten bits, as LBA-assisted translation has it. */
static void set_geometry(struct drive *d)
{
    uint32_t tracks = d->sectors >> 32 ? 0xffffffff / 63 : (uint32_t)d->sectors / 63;
    uint16_t heads = 16;

    while (heads < 128 && tracks / heads > 1024)
        heads *= 2;
    if (tracks / heads > 1024)
        heads = 255;
    d->heads = heads;
    d->spt = 63;
    d->cylinders = tracks / heads > 1024 ? 1024 : (uint16_t)(tracks / heads);
    if (!d->cylinders)
        d->cylinders = 1;
}

void disks_init(void)
{
    floppy_init();
    ata_find();
    if (sys.has_pci)
        virtio_find();
    for (unsigned i = 0; i < n_drives; i++) {
        if (!drive_is_disk(&drives[i]))
            continue;
        set_geometry(&drives[i]);
        hard_disks[n_hard_disks++] = &drives[i];
    }
    bda_write8(BDA_DISKS, n_hard_disks);
}

uint8_t drive_io(struct drive *d, const struct transfer *t)
{
    uint16_t most = d->sector_size == 2048 ? 31 : 127;
    struct transfer part = *t;
    uint8_t status;

    part.seg += part.off >> 4;
    part.off &= 15;
    for (uint16_t left = t->count; left; left -= part.count) {
        part.count = left < most ? left : most;
        if (d->kind == DRIVE_ATA)
            status = ata_io(d, &part);
        else if (d->kind == DRIVE_VIRTIO)
            status = virtio_io(d, &part);
        else
            status = cd_io(d, &part);
        if (status)
            return status;
        part.lba += part.count;
        part.seg += part.count * (d->sector_size >> 4);
    }
    return DISK_OK;
}

/* ---- CHS ---- */

static uint8_t chs_io(struct drive *d, struct regs *r)
{
    uint16_t cylinder = r->ch | (r->cl & 0xc0) << 2, sector = r->cl & 63;
    struct transfer t = { .count = r->al, .seg = r->es, .off = r->bx, .write = r->ah == 3 };
    uint8_t status;

    if (!sector || sector > d->spt || r->dh >= d->heads || !r->al || r->al > 128)
        return DISK_BAD_COMMAND;
    t.lba = ((uint32_t)cylinder * d->heads + r->dh) * d->spt + sector - 1;
    if (t.lba + t.count > d->sectors)
        return DISK_NOT_FOUND;
    if (r->ah == 4)
        return DISK_OK;
    status = drive_io(d, &t);
    if (status)
        r->al = 0;
    return status;
}

static uint8_t get_parameters(const struct drive *d, struct regs *r)
{
    uint16_t last = d->cylinders - 1;

    r->ch = (uint8_t)last;
    r->cl = (uint8_t)(d->spt | (last >> 2 & 0xc0));
    r->dh = (uint8_t)(d->heads - 1);
    r->dl = bda_read8(BDA_DISKS);
    r->al = 0;
    return DISK_OK;
}

static void get_type(const struct drive *d, struct regs *r)
{
    uint32_t sectors = (uint32_t)d->cylinders * d->heads * d->spt;

    r->ah = 3;
    r->cx = sectors >> 16;
    r->dx = (uint16_t)sectors;
    set_flag(r, FLAG_CF, false);
    bda_write8(BDA_DISK_STATUS, 0);
}

/* ---- EDD ---- */

struct packet {
    uint8_t size, reserved;
    uint16_t count, off, seg;
    uint64_t lba;
};

static uint8_t edd_io(struct drive *d, struct regs *r)
{
    struct packet p;
    struct transfer t;
    uint8_t status;

    far_get(&p, r->ds, r->si, sizeof(p));
    t = (struct transfer){ p.lba, p.count, p.seg, p.off, r->ah == 0x43 };
    if (p.size < 16 || p.lba >= d->sectors || p.count > d->sectors - p.lba)
        return DISK_BAD_COMMAND;
    if (r->ah == 0x44 || r->ah == 0x47)
        return DISK_OK;
    if (t.write && d->kind == DRIVE_CD)
        return DISK_WRITE_PROTECTED;
    status = drive_io(d, &t);
    if (status)
        far_write16(r->ds, r->si + 2, 0);
    return status;
}

static uint8_t edd_parameters(const struct drive *d, struct regs *r)
{
    struct {
        uint16_t size, flags;
        uint32_t cylinders, heads, spt;
        uint64_t sectors;
        uint16_t sector_size;
        uint32_t dpte;
    } __attribute__((packed))
    p = { 26, 2, d->cylinders, d->heads, d->spt, d->sectors, d->sector_size, 0xffffffff };
    uint16_t room = far_read16(r->ds, r->si);

    if (room < 26)
        return DISK_BAD_COMMAND;
    if (d->kind == DRIVE_CD)
        p.flags = 0x74; /* removable, change line, lockable; no geometry */
    if (room >= 30)
        p.size = 30;
    far_put(r->ds, r->si, &p, p.size);
    return DISK_OK;
}

static uint8_t serve(struct drive *d, struct regs *r)
{
    bool cd = d->kind == DRIVE_CD;

    switch (r->ah) {
    case 0x00:
    case 0x09:
    case 0x0c:
    case 0x0d:
    case 0x10:
    case 0x11:
    case 0x14: return DISK_OK;
    case 0x01: return bda_read8(BDA_DISK_STATUS);
    case 0x02:
    case 0x03:
    case 0x04: return cd ? DISK_BAD_COMMAND : chs_io(d, r);
    case 0x08: return cd ? DISK_BAD_COMMAND : get_parameters(d, r);
    case 0x42:
    case 0x43:
    case 0x44:
    case 0x47: return edd_io(d, r);
    case 0x48: return edd_parameters(d, r);
    }
    return DISK_BAD_COMMAND;
}

static struct drive *find(uint8_t number)
{
    if (number >= CD_NUMBER)
        return drive_nth(DRIVE_CD, number - CD_NUMBER);
    number -= 0x80;
    if (cd_is_emulated(0x80))
        number--; /* the emulated disk has pushed the others up */
    return number < n_hard_disks ? hard_disks[number] : NULL;
}

static void serve_disk(struct regs *r)
{
    struct drive *d = find(r->dl);

    if (d && r->ah == 0x41 && r->bx == 0x55aa) {
        r->ah = EDD_VERSION;
        r->bx = 0xaa55;
        r->cx = EDD_ACCESS;
        set_flag(r, FLAG_CF, false);
        return;
    }
    if (d && r->ah == 0x15 && d->kind != DRIVE_CD) {
        get_type(d, r);
        return;
    }
    r->ah = d ? serve(d, r) : DISK_BAD_COMMAND;
    bda_write8(BDA_DISK_STATUS, r->ah);
    set_flag(r, FLAG_CF, r->ah);
}

void int13(struct regs *r)
{
    __asm__ volatile("sti");
    if (r->ah == 0x4b)
        cd_terminate(r);
    else if (cd_emulated(r))
        return;
    else if (r->dl < 0x80)
        floppy_int13(r);
    else
        serve_disk(r);
}
