/*
 * Floppy disk controller 82078 (Intel datasheet 290468), in AT mode: registers, FIFO, DMA and the
 * life of the device. Commands are in fdc-cmd.c.
 */
#include "fdc.h"

#include <errno.h>
#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/dma/i8237.h>

enum { R_SRA, R_SRB, R_DOR, R_TDR, R_MSR, R_FIFO, R_DIR = 7 };
enum { DOR_RUN = 4, DOR_DMA = 8 };
enum { MSR_RQM = 0x80, MSR_TO_HOST = 0x40, MSR_NO_DMA = 0x20, MSR_BUSY = 0x10 };
enum { DSR_RESET = 0x80 };
#define DMA_RETRY_NS 100000

struct floppy *fdc_drive(const struct fdc *f, unsigned unit)
{
    return unit < FLOPPY_UNITS ? f->bus.units[unit] : NULL;
}

static struct device *dma_of(const struct fdc *f)
{
    return f->isa->dma[f->dma_channel >> 2];
}

bool fdc_uses_dma(const struct fdc *f)
{
    return !(f->specify[1] & 1) && (f->dor & DOR_DMA) && dma_of(f);
}

void fdc_interrupt(struct fdc *f, bool on)
{
    f->irq_on = on;
    irq_set(&f->irq, on && (f->dor & DOR_DMA));
}

/* ---- phases ---- */

static void to_command(struct fdc *f)
{
    f->phase = PH_COMMAND;
    f->pos = f->n_fifo = 0;
    f->xfer = FX_NONE;
    f->wait = FW_NONE;
}

void fdc_result(struct fdc *f, unsigned n, bool interrupt)
{
    f->xfer = FX_NONE;
    f->wait = FW_NONE;
    timer_del(&f->retry);
    if (dma_of(f))
        i8237_request(dma_of(f), f->dma_channel, false);
    if (!n) {
        to_command(f);
    } else {
        f->phase = PH_RESULT;
        f->pos = 0;
        f->n_fifo = (uint8_t)n;
    }
    if (interrupt)
        fdc_interrupt(f, true);
}

/* ---- data to and from the host ---- */

static bool to_host(const struct fdc *f)
{
    return f->xfer == FX_READ;
}

/* Who programs the DMA controller late makes us ask again. */
static void move_by_dma(void *opaque)
{
    struct fdc *f = opaque;
    struct device *dma = dma_of(f);
    size_t want = f->len - f->at, n;
    bool tc = false;

    if (f->wait != FW_HOST || !fdc_uses_dma(f))
        return;
    i8237_request(dma, f->dma_channel, true);
    n = to_host(f) ? i8237_from_device(dma, f->dma_channel, f->buf + f->at, want, &tc)
                   : i8237_to_device(dma, f->dma_channel, f->buf + f->at, want, &tc);
    f->at += (uint32_t)n;
    if (tc || f->at == f->len) {
        f->terminal = tc;
        f->wait = FW_NONE;
        fdc_moved(f);
        return;
    }
    timer_mod_ns(&f->retry, clock_ns(device_loop(&f->dev), CLK_VIRTUAL) + DMA_RETRY_NS);
}

void fdc_move(struct fdc *f, uint32_t len)
{
    f->at = 0;
    f->len = len;
    f->wait = FW_HOST;
    if (fdc_uses_dma(f))
        move_by_dma(f);
    else
        fdc_interrupt(f, true);
}

static void byte_moved(struct fdc *f)
{
    if (++f->at < f->len)
        return;
    f->wait = FW_NONE;
    fdc_interrupt(f, false);
    fdc_moved(f);
}

/* ---- requests to the image ---- */

static void image_done(struct block_req *r, int error)
{
    struct fdc *f = r->opaque;

    f->inflight = false;
    if (f->cancelled)
        return;
    f->wait = FW_NONE;
    fdc_io_done(f, error);
}

void fdc_image_submit(struct fdc *f)
{
    struct floppy *d = fdc_drive(f, f->unit);
    uint64_t lba;

    f->stalled = false;
    if (!d || !d->format || f->head >= d->format->heads) {
        f->wait = FW_NONE;
        fdc_io_done(f, ENOMEDIUM);
        return;
    }
    lba = ((uint64_t)f->track * d->format->heads + f->head) * d->format->secs + f->sector - 1;
    f->iov = (struct iovec){ f->buf, BLOCK_SECTOR };
    f->req = (struct block_req){
        .op = f->xfer == FX_WRITE || f->xfer == FX_FORMAT ? BLOCK_WRITE : BLOCK_READ,
        .offset = lba * BLOCK_SECTOR,
        .bytes = BLOCK_SECTOR,
        .iov = &f->iov,
        .niov = 1,
        .done = image_done,
        .opaque = f,
    };
    f->inflight = true;
    block_submit(d->drive, &f->req);
}

void fdc_image(struct fdc *f)
{
    f->wait = FW_IMAGE;
    if (machine_running(f->dev.machine))
        fdc_image_submit(f);
    else
        f->stalled = true;
}

static void forget_request(struct fdc *f)
{
    if (!f->inflight)
        return;
    f->cancelled = true;
    block_drain(f->req.block);
    f->cancelled = false;
}

void fdc_stop(struct fdc *f)
{
    forget_request(f);
    f->stalled = false;
    timer_del(&f->retry);
    to_command(f);
}

static void run_state_changed(void *opaque, bool running, enum run_state s)
{
    struct fdc *f = opaque;

    (void)s;
    if (!running && f->inflight)
        block_drain(f->req.block);
    else if (running && f->wait == FW_IMAGE && f->stalled)
        fdc_image_submit(f);
}

/* A disk that goes takes what is done with it along. */
static void disk_gone(struct floppy_bus *b, unsigned unit)
{
    struct fdc *f = container_of(b, struct fdc, bus);

    if (f->phase != PH_EXECUTE || f->unit != unit || f->wait != FW_IMAGE)
        return;
    forget_request(f);
    f->stalled = false;
    f->wait = FW_NONE;
    fdc_io_done(f, ENOMEDIUM);
}

/* ---- resets ---- */

/* 2.2: LOCK keeps the FIFO's settings over a reset by software. */
static void soft_reset(struct fdc *f)
{
    fdc_stop(f);
    f->seek_done = f->poll = 0;
    if (!f->lock) {
        f->config[0] = 0;
        f->config[1] = 0x20;
        f->config[2] = 0;
    }
    fdc_interrupt(f, false);
}

/* Once it runs it polls the drives, and tells of each (5.2.4). */
static void leave_reset(struct fdc *f)
{
    if (!(f->config[1] & 0x10)) {
        f->poll = 4;
        fdc_interrupt(f, true);
    }
}

static void write_dor(struct fdc *f, uint8_t v)
{
    uint8_t old = f->dor;

    f->dor = v;
    if (old & DOR_RUN && !(v & DOR_RUN))
        soft_reset(f);
    else if (!(old & DOR_RUN) && v & DOR_RUN)
        leave_reset(f);
    irq_set(&f->irq, f->irq_on && (v & DOR_DMA));
}

/* ---- registers (2.1) ---- */

static uint8_t read_msr(const struct fdc *f)
{
    uint8_t v = f->phase == PH_COMMAND && !f->pos ? 0 : MSR_BUSY;

    if (!(f->dor & DOR_RUN))
        return 0;
    switch (f->phase) {
    case PH_COMMAND: return v | MSR_RQM;
    case PH_RESULT: return v | MSR_RQM | MSR_TO_HOST;
    default: break;
    }
    if (fdc_uses_dma(f))
        return v;
    v |= MSR_NO_DMA;
    return f->wait == FW_HOST ? (uint8_t)(v | MSR_RQM | (to_host(f) ? MSR_TO_HOST : 0)) : v;
}

static uint8_t read_fifo(struct fdc *f)
{
    uint8_t v;

    if (f->phase == PH_EXECUTE && f->wait == FW_HOST && to_host(f) && !fdc_uses_dma(f)) {
        v = f->buf[f->at];
        byte_moved(f);
        return v;
    }
    if (f->phase != PH_RESULT)
        return 0;
    fdc_interrupt(f, false);
    v = f->fifo[f->pos++];
    if (f->pos >= f->n_fifo)
        to_command(f);
    return v;
}

static void write_fifo(struct fdc *f, uint8_t v)
{
    if (!(f->dor & DOR_RUN))
        return;
    if (f->phase == PH_EXECUTE && f->wait == FW_HOST && !to_host(f) && !fdc_uses_dma(f)) {
        f->buf[f->at] = v;
        byte_moved(f);
        return;
    }
    if (f->phase != PH_COMMAND) {
        log_guest_error("%s: a byte that nobody waits for\n", f->dev.path);
        return;
    }
    f->fifo[f->pos++] = v;
    if (f->pos == 1)
        f->n_fifo = (uint8_t)(1 + fdc_parameters(v));
    if (f->pos == f->n_fifo) {
        f->phase = PH_EXECUTE;
        fdc_run(f);
    }
}

static uint8_t read_dir(const struct fdc *f)
{
    const struct floppy *d = fdc_drive(f, f->dor & 3);

    return d && (d->changed || !floppy_has_disk(d)) && f->dor >> (4 + (f->dor & 3)) & 1 ? 0x80 : 0;
}

static uint64_t fdc_read(void *opaque, uint64_t offset, unsigned size)
{
    struct fdc *f = opaque;

    (void)size;
    switch (offset) {
    case R_SRA: return f->irq_on ? 0x80 : 0;
    case R_SRB: return 0xc0;
    case R_DOR: return f->dor;
    case R_TDR: return f->tdr;
    case R_MSR: return read_msr(f);
    default: return read_fifo(f);
    }
}

static void fdc_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct fdc *f = opaque;
    uint8_t v = (uint8_t)value;

    (void)size;
    switch (offset) {
    case R_DOR: write_dor(f, v); break;
    case R_TDR: f->tdr = v & 3; break;
    case R_MSR: /* DSR */
        f->dsr = v;
        f->rate = v & 3;
        if (v & DSR_RESET && f->dor & DOR_RUN) {
            soft_reset(f);
            leave_reset(f);
        }
        break;
    case R_FIFO: write_fifo(f, v); break;
    default: break;
    }
}

static const struct io_ops fdc_io = {
    .read = fdc_read, .write = fdc_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 1 }
};

static uint64_t read_7(void *opaque, uint64_t offset, unsigned size)
{
    (void)offset, (void)size;
    return read_dir(opaque);
}

static void write_7(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)offset, (void)size;
    ((struct fdc *)opaque)->rate = value & 3;
}

static const struct io_ops fdc_io7 = { .read = read_7, .write = write_7, .own_sizes = { 1, 1 } };

/* ---- life ---- */

static void fdc_unrealize(struct device *dev)
{
    struct fdc *f = (struct fdc *)dev;

    machine_off_run_state(dev->machine, run_state_changed, f);
    fdc_stop(f);
    bus_destroy(&f->bus.bus);
    mem_region_destroy(&f->io);
    mem_region_destroy(&f->io7);
}

static void make_bus(struct fdc *f)
{
    for (unsigned n = 0;; n++) {
        g_autofree char *name = g_strdup_printf("floppy-bus.%u", n);

        if (bus_find(f->dev.machine, name))
            continue;
        bus_init(&f->bus.bus, BUS_FLOPPY, f->dev.machine, &f->dev, name);
        return;
    }
}

static bool fdc_realize(struct device *dev, GError **err)
{
    struct fdc *f = (struct fdc *)dev;

    if (f->dma_channel > 3)
        return error_set(err, "isa-fdc.dma: %u is not one of 0 to 3", f->dma_channel);
    if (bus_find(dev->machine, "floppy-bus.0"))
        return error_set(err, "isa-fdc: there is one already, a machine has at most one");
    f->isa = isa_bus_of(dev);
    f->bus.gone = disk_gone;
    make_bus(f);
    timer_init(&f->retry, device_loop(dev), CLK_VIRTUAL, move_by_dma, f);
    mem_region_init_io(&f->io, device_mem(dev), &fdc_io, f, "fdc", 6);
    mem_region_init_io(&f->io7, device_mem(dev), &fdc_io7, f, "fdc", 1);
    device_irq_outs(dev, NULL, &f->irq, 1);
    machine_on_run_state(dev->machine, run_state_changed, f);
    if (isa_connect_irq(dev, 0, f->irq_number, err) && isa_add_ports(dev, &f->io, f->iobase, err) &&
        isa_add_ports(dev, &f->io7, (uint64_t)f->iobase + R_DIR, err))
        return true;
    fdc_unrealize(dev);
    return false;
}

static void fdc_reset(struct device *dev)
{
    struct fdc *f = (struct fdc *)dev;

    f->lock = false;
    f->dor = DOR_RUN | DOR_DMA;
    f->tdr = f->perpendicular = 0;
    f->dsr = f->rate = RATE_250K;
    f->specify[0] = f->specify[1] = 0;
    soft_reset(f);
}

/* ---- saved state ---- */

static bool fdc_loaded(void *obj, unsigned version, GError **err)
{
    struct fdc *f = obj;

    (void)version;
    forget_request(f);
    if (f->phase > PH_RESULT || f->n_fifo > sizeof(f->fifo) || f->pos > f->n_fifo ||
        (f->phase == PH_RESULT && f->pos >= f->n_fifo) ||
        (f->phase == PH_COMMAND && f->pos && f->pos >= f->n_fifo) || f->xfer > FX_FORMAT ||
        f->wait > FW_HOST || f->len > sizeof(f->buf) || f->at > f->len ||
        (f->wait == FW_HOST && f->at >= f->len) || f->unit > 3 || f->head > 1 ||
        (f->wait == FW_IMAGE && (!f->sector || f->xfer == FX_NONE)) || f->poll > 4)
        return error_set(err, "saved state: isa-fdc: numbers that cannot be");
    f->stalled = f->wait == FW_IMAGE;
    run_state_changed(f, machine_running(f->dev.machine), f->dev.machine->run_state);
    return true;
}

static const struct state_field fdc_fields[] = {
    STATE_U8(struct fdc, dor),           STATE_U8(struct fdc, tdr),
    STATE_U8(struct fdc, dsr),           STATE_U8(struct fdc, rate),
    STATE_BOOL(struct fdc, irq_on),      STATE_U8(struct fdc, phase),
    STATE_BUF(struct fdc, fifo),         STATE_U8(struct fdc, n_fifo),
    STATE_U8(struct fdc, pos),           STATE_BUF(struct fdc, config),
    STATE_BUF(struct fdc, specify),      STATE_U8(struct fdc, perpendicular),
    STATE_BOOL(struct fdc, lock),        STATE_U8(struct fdc, poll),
    STATE_U8(struct fdc, seek_done),     STATE_BUF(struct fdc, seek_status),
    STATE_U8(struct fdc, xfer),          STATE_U8(struct fdc, wait),
    STATE_U8(struct fdc, unit),          STATE_U8(struct fdc, head),
    STATE_U8(struct fdc, track),         STATE_U8(struct fdc, sector),
    STATE_U8(struct fdc, size),          STATE_U8(struct fdc, eot),
    STATE_U8(struct fdc, format_left),   STATE_U8(struct fdc, fill),
    STATE_BOOL(struct fdc, multi_track), STATE_BOOL(struct fdc, terminal),
    STATE_U32(struct fdc, verify_left),  STATE_BUF(struct fdc, buf),
    STATE_U32(struct fdc, at),           STATE_U32(struct fdc, len),
    STATE_TIMER(struct fdc, retry),      STATE_END
};
static const struct state_table fdc_state = {
    .name = "isa-fdc", .version = 1, .fields = fdc_fields, .post_load = fdc_loaded
};

static const struct prop fdc_props[] = {
    PROP_U32(struct fdc, iobase, "iobase", 0x3f0, "eight ports, less the seventh"),
    PROP_U32(struct fdc, irq_number, "irq", 6, "interrupt"),
    PROP_U32(struct fdc, dma_channel, "dma", 2, "DMA channel, 0 to 3"), PROP_LIST_END
};

const struct device_type isa_fdc_type = {
    .name = "isa-fdc",
    .help = "floppy disk controller 82078",
    .bus = BUS_ISA,
    .size = sizeof(struct fdc),
    .category = "storage",
    .realize = fdc_realize,
    .reset = fdc_reset,
    .unrealize = fdc_unrealize,
    .props = fdc_props,
    .state = &fdc_state,
};
