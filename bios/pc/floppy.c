/*
 * INT 13h for floppies: an 82077 with DMA channel 2 (datasheet 290166, chapter 5; 8237 datasheet).
 * What is in a drive is found out by trying the data rates its type allows.
 */
#include "disk.h"

enum { DOR = 0x3f2, MSR = 0x3f4, FIFO = 0x3f5, DIR = 0x3f7, CCR = 0x3f7 };
enum { MSR_READY = 0x80, MSR_TO_CPU = 0x40 };
enum { CMD_SPECIFY = 0x03, CMD_WRITE = 0xc5, CMD_READ = 0xe6, CMD_RECALIBRATE = 0x07 };
enum { CMD_SENSE = 0x08, CMD_READ_ID = 0x4a, CMD_SEEK = 0x0f, CMD_FORMAT = 0x4d };
enum { MOTOR_TICKS = 37 };

struct media {
    uint8_t drive_type; /* CMOS's */
    uint8_t rate, cylinders, spt, gap;
};

static const struct media medias[] = {
    { 1, 2, 40, 9, 0x2a },  { 2, 0, 80, 15, 0x1b }, { 2, 1, 40, 9, 0x23 },
    { 3, 2, 80, 9, 0x2a },  { 4, 0, 80, 18, 0x1b }, { 4, 2, 80, 9, 0x2a },
    { 5, 3, 80, 36, 0x1b }, { 5, 0, 80, 18, 0x1b }, { 5, 2, 80, 9, 0x2a },
};

/* INT 1Eh's table: step rate, DMA, motor, 512 bytes, sectors, gap, data length, format, settle. */
static const uint8_t parameter_table[] = {
    0xaf, 0x02, 0x25, 2, 18, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 8
};

static uint8_t types[2], cylinder_now[2], results[7];
static const struct media *media_now[2];

/* ---- the controller ---- */

static bool fifo_wait(uint8_t want)
{
    struct limit l;

    limit_start(&l, 500);
    while ((inb(MSR) & (MSR_READY | MSR_TO_CPU)) != want)
        if (limit_reached(&l))
            return false;
    return true;
}

static bool send(const uint8_t *bytes, unsigned n)
{
    for (; n; n--) {
        if (!fifo_wait(MSR_READY))
            return false;
        outb(FIFO, *bytes++);
    }
    return true;
}

static bool receive(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!fifo_wait(MSR_READY | MSR_TO_CPU))
            return false;
        results[i] = inb(FIFO);
    }
    return true;
}

void floppy_irq(void)
{
    bda_write8(BDA_FLOPPY_CALIBRATED, bda_read8(BDA_FLOPPY_CALIBRATED) | 0x80);
}

static void expect_irq(void)
{
    bda_write8(BDA_FLOPPY_CALIBRATED, bda_read8(BDA_FLOPPY_CALIBRATED) & 0x7f);
}

static bool wait_irq(void)
{
    struct limit l;

    limit_start(&l, 3000);
    while (!(bda_read8(BDA_FLOPPY_CALIBRATED) & 0x80))
        if (limit_reached(&l))
            return false;
    expect_irq();
    return true;
}

static bool sense(void)
{
    static const uint8_t command[] = { CMD_SENSE };

    return send(command, 1) && receive(2);
}

static void reset(void)
{
    static const uint8_t specify[] = { CMD_SPECIFY, 0xaf, 0x02 };

    expect_irq();
    outb(DOR, 0x08);
    delay_us(10);
    outb(DOR, 0x0c);
    wait_irq();
    for (unsigned i = 0; i < 4; i++)
        sense();
    send(specify, sizeof(specify));
    bda_write8(BDA_FLOPPY_MOTOR, 0);
    cylinder_now[0] = cylinder_now[1] = 0xff;
}

static void motor_on(uint8_t drive)
{
    outb(DOR, (uint8_t)(0x0c | drive | 0x10 << drive));
    bda_write8(BDA_FLOPPY_MOTOR, (uint8_t)(1 << drive));
    bda_write8(BDA_FLOPPY_TIMEOUT, 255);
}

void floppy_motor_tick(void)
{
    uint8_t left = bda_read8(BDA_FLOPPY_TIMEOUT);

    if (!left)
        return;
    bda_write8(BDA_FLOPPY_TIMEOUT, --left);
    if (!left) {
        outb(DOR, 0x0c);
        bda_write8(BDA_FLOPPY_MOTOR, 0);
    }
}

static bool seek(uint8_t drive, uint8_t head, uint8_t cylinder)
{
    uint8_t recalibrate[] = { CMD_RECALIBRATE, drive };
    uint8_t command[] = { CMD_SEEK, (uint8_t)(head << 2 | drive), cylinder };

    if (cylinder_now[drive] == 0xff || cylinder == 0) {
        expect_irq();
        if (!send(recalibrate, 2) || !wait_irq() || !sense())
            return false;
        cylinder_now[drive] = 0;
    }
    if (cylinder_now[drive] != cylinder) {
        expect_irq();
        if (!send(command, 3) || !wait_irq() || !sense() || (results[0] & 0xc0))
            return false;
        cylinder_now[drive] = cylinder;
    }
    return true;
}

/* ---- media ---- */

/* READ ID succeeds at the rate the medium was written with. */
static bool try_media(uint8_t drive, const struct media *m)
{
    uint8_t read_id[] = { CMD_READ_ID, drive };

    outb(CCR, m->rate);
    if (!seek(drive, 0, 0))
        return false;
    expect_irq();
    return send(read_id, 2) && wait_irq() && receive(7) && !(results[0] & 0xc0);
}

static bool find_media(uint8_t drive)
{
    motor_on(drive);
    if (inb(DIR) & 0x80) {
        media_now[drive] = NULL;
        cylinder_now[drive] = 0xff;
        seek(drive, 0, 1); /* a step clears the change line if there is a medium */
    }
    if (media_now[drive]) {
        outb(CCR, media_now[drive]->rate);
        return true;
    }
    for (unsigned i = 0; i < ARRAY_LEN(medias); i++)
        if (medias[i].drive_type == types[drive] && try_media(drive, &medias[i])) {
            media_now[drive] = &medias[i];
            return true;
        }
    return false;
}

/* ---- transfers ---- */

static void set_dma(uint32_t addr, uint16_t bytes, bool to_memory)
{
    outb(0x0a, 6);
    outb(0x0c, 0);
    outb(0x0b, to_memory ? 0x46 : 0x4a);
    outb(0x04, addr & 0xff);
    outb(0x04, addr >> 8 & 0xff);
    outb(0x81, addr >> 16 & 0xff);
    outb(0x05, (bytes - 1) & 0xff);
    outb(0x05, (bytes - 1) >> 8);
    outb(0x0a, 2);
}

static uint8_t result_status(void)
{
    if (!(results[0] & 0xc0))
        return DISK_OK;
    if (results[1] & 0x02)
        return DISK_WRITE_PROTECTED;
    if (results[1] & 0x10)
        return 0x08;
    if (results[1] & 0x20)
        return 0x10;
    return results[1] & 0x05 ? DISK_NOT_FOUND : DISK_CONTROLLER;
}

static uint8_t run(const uint8_t *command, unsigned n)
{
    expect_irq();
    if (!send(command, n) || !wait_irq() || !receive(7)) {
        reset();
        return DISK_TIMEOUT;
    }
    return result_status();
}

/* AH=02h, 03h; 04h leaves memory alone. */
static uint8_t transfer(struct regs *r)
{
    const struct media *m = media_now[r->dl];
    uint32_t addr = (uint32_t)r->es * 16 + r->bx, bytes = r->al * 512u;
    uint8_t spt = m->spt, sector = r->cl & 63;
    uint8_t command[] = { r->ah == 3 ? CMD_WRITE : CMD_READ,
                          (uint8_t)(r->dh << 2 | r->dl),
                          r->ch,
                          r->dh,
                          sector,
                          2,
                          spt,
                          m->gap,
                          0xff };

    if (!r->al || r->al > 2 * spt || !sector || sector > spt || r->dh > 1 || r->ch >= m->cylinders)
        return DISK_NOT_FOUND;
    if (r->ah == 4)
        return DISK_OK;
    if ((addr & 0xffff) + bytes > 0x10000)
        return DISK_DMA_BOUNDARY;
    if (!seek(r->dl, r->dh, r->ch))
        return DISK_TIMEOUT;
    set_dma(addr, (uint16_t)bytes, r->ah == 2);
    return run(command, sizeof(command));
}

static uint8_t format(const struct regs *r)
{
    uint32_t addr = (uint32_t)r->es * 16 + r->bx;
    const struct media *m = media_now[r->dl];
    uint8_t command[] = { CMD_FORMAT, (uint8_t)(r->dh << 2 | r->dl), 2, m->spt, m->gap, 0xf6 };

    if (r->dh > 1 || r->ch >= m->cylinders)
        return DISK_BAD_COMMAND;
    if (!seek(r->dl, r->dh, r->ch))
        return DISK_TIMEOUT;
    set_dma(addr, m->spt * 4, false);
    return run(command, sizeof(command));
}

static uint8_t get_parameters(struct regs *r)
{
    const struct media *m = media_now[r->dl];

    for (unsigned i = 0; !m && i < ARRAY_LEN(medias); i++)
        if (medias[i].drive_type == types[r->dl])
            m = &medias[i];
    r->ax = 0;
    r->bx = types[r->dl];
    r->ch = m ? m->cylinders - 1 : 0;
    r->cl = m ? m->spt : 0;
    r->dh = 1;
    r->dl = floppy_count();
    r->es = far_read16(0, 0x1e * 4 + 2);
    r->di = far_read16(0, 0x1e * 4);
    return DISK_OK;
}

static uint8_t serve(struct regs *r)
{
    uint8_t status = DISK_OK;

    switch (r->ah) {
    case 0x00: reset(); break;
    case 0x01: status = bda_read8(BDA_FLOPPY_STATUS); break;
    case 0x02:
    case 0x03:
    case 0x04:
    case 0x05:
        status = !find_media(r->dl) ? DISK_TIMEOUT : r->ah == 5 ? format(r) : transfer(r);
        bda_write8(BDA_FLOPPY_TIMEOUT, MOTOR_TICKS);
        if (status && r->ah != 5)
            r->al = 0;
        break;
    case 0x08: return get_parameters(r);
    case 0x16:
        motor_on(r->dl);
        status = inb(DIR) & 0x80 ? 6 : DISK_OK;
        bda_write8(BDA_FLOPPY_TIMEOUT, MOTOR_TICKS);
        break;
    case 0x17:
    case 0x18: break;
    default: status = DISK_BAD_COMMAND;
    }
    return status;
}

void floppy_int13(struct regs *r)
{
    if (r->dl > 1 || !types[r->dl]) {
        r->ah = r->ah == 0x15 ? 0 : r->ah == 0 ? DISK_OK : DISK_TIMEOUT;
        set_flag(r, FLAG_CF, r->ah);
        return;
    }
    if (r->ah == 0x15) {
        r->ah = 2; /* a floppy with a change line */
        set_flag(r, FLAG_CF, false);
        return;
    }
    r->ah = serve(r);
    bda_write8(BDA_FLOPPY_STATUS, r->ah);
    set_flag(r, FLAG_CF, r->ah);
}

unsigned floppy_count(void)
{
    return (types[0] != 0) + (types[1] != 0);
}

void floppy_init(void)
{
    uint8_t cmos = cmos_read(0x10);

    types[0] = cmos >> 4;
    types[1] = cmos & 15;
    far_write32(0, 0x1e * 4, (uint32_t)SEG_BIOS << 16 | (uint16_t)(uintptr_t)parameter_table);
    if (!floppy_count())
        return;
    bda_write16(BDA_EQUIPMENT,
                (bda_read16(BDA_EQUIPMENT) & 0xff3e) | 1 | (floppy_count() - 1) << 6);
    outb(0xda, 0); /* the second DMA controller's channel 4 lets the first one through */
    outb(0xd6, 0xc0);
    outb(0xd4, 0);
    reset();
}
