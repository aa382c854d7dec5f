/* What disks and CD-ROM drives have in common; see drive.h. */
#include "drive.h"

#include <errno.h>
#include <base/bits.h>
#include <base/error.h>

void ide_put_text(uint8_t *to, const char *text, unsigned len)
{
    size_t n = text ? strlen(text) : 0;

    for (unsigned i = 0; i < len; i++)
        to[i ^ 1] = i < n ? (uint8_t)text[i] : ' ';
}

bool ide_has_dma(const struct ide_drive *d)
{
    return d->bus->dma != NULL;
}

/* ---- ends ---- */

void ide_raise(struct ide_drive *d)
{
    d->irq = true;
    ide_bus_update_irq(d->bus);
}

static void end_xfer(struct ide_drive *d)
{
    bool dma = d->wait == W_DMA || d->xfer == X_READ_DMA || d->xfer == X_WRITE_DMA ||
               (d->xfer == X_PACKET_IN && d->packet_dma) || d->xfer == X_TRIM;

    d->xfer = X_NONE;
    d->wait = W_NONE;
    d->pos = d->end = d->chunk = d->reply_len = d->reply_pos = 0;
    if (dma && d->bus->dma)
        d->bus->dma->ended(d->bus->dma_opaque);
}

void ide_end(struct ide_drive *d)
{
    end_xfer(d);
    d->status = ST_DRDY | ST_DSC;
    d->error = 0;
    ide_raise(d);
}

void ide_fail(struct ide_drive *d, uint8_t error)
{
    end_xfer(d);
    d->status = ST_DRDY | ST_DSC | ST_ERR;
    d->error = error;
    ide_raise(d);
}

/* ---- data between buffer and host ---- */

void ide_data(struct ide_drive *d, uint32_t len, bool interrupt)
{
    d->pos = 0;
    d->end = len;
    d->wait = W_HOST;
    d->status = ST_DRDY | ST_DSC | ST_DRQ;
    if (interrupt)
        ide_raise(d);
}

void ide_dma_wait(struct ide_drive *d)
{
    d->wait = W_DMA;
    d->status = ST_DRDY | ST_DSC | ST_DRQ;
    d->bus->dma->ready(d->bus->dma_opaque);
}

bool ide_dma_move(struct ide_drive *d, uint32_t len, bool to_memory)
{
    if (d->bus->dma->move(d->bus->dma_opaque, d->buf, len, to_memory) == len)
        return true;
    d->wait = W_NONE;
    return false;
}

/* ---- requests to the image ---- */

static enum block_op op_of(const struct ide_drive *d)
{
    switch (d->xfer) {
    case X_WRITE:
    case X_WRITE_DMA: return BLOCK_WRITE;
    case X_FLUSH: return BLOCK_FLUSH;
    case X_TRIM: return BLOCK_DISCARD;
    default: return BLOCK_READ;
    }
}

static enum block_policy policy_of(const struct ide_drive *d, enum block_op op)
{
    int own = op == BLOCK_READ ? d->rerror : d->werror;

    return own == BLOCK_AUTO ? block_policy(d->drive, op != BLOCK_READ) : (enum block_policy)own;
}

static void io_done(struct block_req *r, int error)
{
    struct ide_drive *d = r->opaque;
    enum block_policy p = policy_of(d, r->op);

    d->inflight = false;
    if (d->cancelled)
        return;
    if (error && (p == BLOCK_STOP || (p == BLOCK_ENOSPC && error == ENOSPC))) {
        d->stalled = true;
        machine_request_stop(d->dev.machine, RUN_IO_ERROR);
        return;
    }
    d->wait = W_NONE;
    if (error && p != BLOCK_IGNORE)
        d->kind->io_failed(d, error);
    else
        d->kind->io_done(d);
}

static void submit(struct ide_drive *d)
{
    uint32_t sector = d->kind == &ide_ata ? BLOCK_SECTOR : CD_SECTOR;
    enum block_op op = op_of(d);

    d->stalled = false;
    if (!cd_has_disc(d)) {
        d->wait = W_NONE;
        d->kind->io_failed(d, ENOMEDIUM);
        return;
    }
    d->req = (struct block_req){ .op = op, .done = io_done, .opaque = d };
    if (op != BLOCK_FLUSH) {
        d->req.offset = d->lba * sector;
        d->req.bytes = (uint64_t)d->chunk * sector;
    }
    if (op == BLOCK_READ || op == BLOCK_WRITE) {
        d->iov = (struct iovec){ d->buf, d->req.bytes };
        d->req.iov = &d->iov;
        d->req.niov = 1;
    }
    if (op == BLOCK_WRITE && d->fua)
        d->req.flags = BLOCK_FUA;
    d->inflight = true;
    block_plug(d->drive);
    block_submit(d->drive, &d->req);
    block_unplug(d->drive);
}

void ide_io(struct ide_drive *d)
{
    d->wait = W_IMAGE;
    d->status = ST_BSY | ST_DSC;
    /* nothing begins while the machine is stopped, so that its state can be saved */
    if (machine_running(d->dev.machine))
        submit(d);
    else
        d->stalled = true;
}

/* Stopped, nothing is under way; running, what waited or failed is done. */
static void run_state_changed(void *opaque, bool running, enum run_state s)
{
    struct ide_drive *d = opaque;

    (void)s;
    if (!running && d->inflight)
        block_drain(d->drive);
    else if (running && d->wait == W_IMAGE && d->stalled)
        submit(d);
}

/* Waits for a request whose result nobody wants. */
static void forget_request(struct ide_drive *d)
{
    if (!d->inflight)
        return;
    d->cancelled = true;
    block_drain(d->drive);
    d->cancelled = false;
}

void ide_cancel(struct ide_drive *d)
{
    forget_request(d);
    end_xfer(d);
    d->stalled = false;
}

/* ---- resets ---- */

void ide_soft_reset(struct ide_drive *d)
{
    d->irq = false;
    d->status = ST_DRDY | ST_DSC;
    d->error = 1; /* passed its diagnostics */
    d->select = 0;
    d->kind->reset(d);
    d->kind->signature(d);
    ide_bus_update_irq(d->bus);
}

static void drive_reset(struct device *dev)
{
    struct ide_drive *d = (struct ide_drive *)dev;

    ide_cancel(d);
    d->before = (struct ide_regs){ 0 };
    d->r = (struct ide_regs){ 0 };
    d->mult = IDE_MULT_MAX;
    d->cur_cyls = d->cyls;
    d->cur_heads = d->heads;
    d->cur_secs = d->secs;
    d->dma_on = true;
    d->dma_mode = 0x25; /* UDMA 5 */
    d->pio_mode = 0;
    d->smart_on = d->autosave = d->look_ahead = true;
    d->self_test = 0;
    d->writeback = d->image_writeback;
    if (d->drive && d->kind == &ide_ata)
        block_set_writeback(d->drive, d->writeback);
    d->tray_open = d->locked = d->attention = d->new_event = d->eject_event = false;
    d->sense = d->asc = d->ascq = 0;
    d->limit = 0xfffe;
    d->unit_bytes = CD_SECTOR;
    ide_soft_reset(d);
}

/* ---- life ---- */

static bool check_text(const struct ide_drive *d, const char *name, const char *text, size_t max,
                       GError **err)
{
    if (!text || strlen(text) <= max)
        return true;
    return error_set(err, "%s.%s: '%s' is longer than %zu characters", d->dev.type->name, name,
                     text, max);
}

static bool check_disk(struct ide_drive *d, GError **err)
{
    const char *name = d->dev.type->name;

    if (!d->drive)
        return error_set(err, "%s: drive= is missing", name);
    if (!block_has_medium(d->drive))
        return error_set(err, "%s: drive '%s' has no image", name, block_id(d->drive));
    if (block_readonly(d->drive))
        return error_set(err, "%s: drive '%s' is read-only, which disks on IDE cannot be", name,
                         block_id(d->drive));
    if (block_size(d->drive) < BLOCK_SECTOR)
        return error_set(err, "%s: drive '%s' is empty", name, block_id(d->drive));
    if (d->heads > 16 || d->secs > 63)
        return error_set(err, "%s: a geometry of %u heads and %u sectors; at most 16 and 63 are",
                         name, d->heads, d->secs);
    d->sectors = MIN(block_size(d->drive) / BLOCK_SECTOR, UINT64_C(1) << 48);
    return true;
}

static bool drive_realize(struct device *dev, const struct ide_kind *kind, GError **err)
{
    struct ide_drive *d = (struct ide_drive *)dev;

    d->kind = kind;
    if (!check_text(d, "serial", d->serial, 20, err) ||
        !check_text(d, "model", d->model, 40, err) || !check_text(d, "ver", d->version, 8, err) ||
        (kind == &ide_ata && !check_disk(d, err)) ||
        (d->drive && !block_attach(d->drive, dev->path, err)))
        return false;
    if (!d->model)
        d->model = g_strdup(kind->model);
    if (!d->version)
        d->version = g_strdup("2.5+");
    if (!d->serial)
        d->serial = g_strdup_printf("QM%05u", 2 * (d->bus->bus.name[4] == '1') + d->unit + 1);
    if (d->drive && d->write_cache != AUTO)
        block_set_writeback(d->drive, d->write_cache == ON);
    d->image_writeback = d->drive && block_writeback(d->drive);
    ata_guess_geometry(d);
    d->buf = g_malloc(IDE_BUF_SIZE);
    machine_on_run_state(dev->machine, run_state_changed, d);
    return true;
}

static void drive_unrealize(struct device *dev)
{
    struct ide_drive *d = (struct ide_drive *)dev;

    machine_off_run_state(dev->machine, run_state_changed, d);
    ide_cancel(d);
    if (d->drive) {
        block_set_media(d->drive, NULL, NULL);
        block_set_writeback(d->drive, d->image_writeback);
        block_detach(d->drive);
    }
    g_free(d->buf);
}

/* ---- saved state ---- */

/* Bytes of the buffer that mean something. */
static uint32_t used(const struct ide_drive *d)
{
    uint32_t n = MAX(d->end, d->reply_len);

    if (d->wait == W_IMAGE && op_of(d) == BLOCK_READ)
        return d->kind == &ide_ata ? 0 : n;
    if (d->xfer == X_TRIM)
        return d->end;
    return MAX(n, d->xfer == X_NONE ? 0 : d->chunk * BLOCK_SECTOR);
}

static void buf_save(const void *field, struct state_writer *w)
{
    const struct ide_drive *d = container_of(field, struct ide_drive, buf);
    uint32_t n = MIN(used(d), IDE_BUF_SIZE);

    state_put_u32(w, n);
    state_put(w, d->buf, n);
}

static bool buf_load(void *field, struct state_reader *r, GError **err)
{
    struct ide_drive *d = container_of(field, struct ide_drive, buf);
    uint32_t n;

    forget_request(d); /* it may fill the buffer */
    if (!state_get_u32(r, &n, err))
        return false;
    if (n > IDE_BUF_SIZE)
        return error_set(err, "saved state: ide: %u bytes of data", n);
    return state_get(r, d->buf, n, err);
}

static const struct state_custom buf_state = { buf_save, buf_load };

static const struct state_field regs_fields[] = {
    STATE_U8(struct ide_regs, feature), STATE_U8(struct ide_regs, count),
    STATE_U8(struct ide_regs, low),     STATE_U8(struct ide_regs, mid),
    STATE_U8(struct ide_regs, high),    STATE_END
};
static const struct state_table regs_state = { .name = "ide-regs",
                                               .version = 1,
                                               .fields = regs_fields };

static bool numbers_ok(const struct ide_drive *d)
{
    bool disk = d->kind == &ide_ata;

    return d->xfer <= X_PACKET_IN && d->wait <= W_DMA && d->pos <= d->end &&
           d->end <= IDE_BUF_SIZE && d->reply_pos <= d->reply_len && d->reply_len <= IDE_BUF_SIZE &&
           d->chunk <=
               (d->xfer == X_TRIM && d->wait != W_DMA ? UINT16_MAX : IDE_BUF_SIZE / BLOCK_SECTOR) &&
           (disk || d->xfer != X_PACKET_IN || d->unit_bytes == CD_SECTOR ||
            d->unit_bytes == CD_RAW) &&
           (disk || (d->chunk <= IDE_BUF_SIZE / CD_RAW && d->limit >= 2)) &&
           d->mult <= IDE_MULT_MAX &&
           (!disk || (d->cur_heads && d->cur_secs && d->cur_heads <= 16)) &&
           (d->wait != W_DMA || ide_has_dma(d)) && (d->wait != W_HOST || d->pos < d->end) &&
           (disk ? d->xfer <= X_TAKE : d->xfer <= X_REPLY || d->xfer >= X_PACKET);
}

static bool drive_loaded(void *obj, unsigned version, GError **err)
{
    struct ide_drive *d = obj;

    (void)version;
    if (!numbers_ok(d))
        return error_set(err, "saved state: %s: numbers that cannot be", d->dev.path);
    if (d->drive && d->kind == &ide_ata)
        block_set_writeback(d->drive, d->writeback);
    d->stalled = d->wait == W_IMAGE;
    run_state_changed(d, machine_running(d->dev.machine), d->dev.machine->run_state);
    return true;
}

static const struct state_field drive_fields[] = { STATE_STRUCT(struct ide_drive, r, regs_state),
                                                   STATE_STRUCT(struct ide_drive, before,
                                                                regs_state),
                                                   STATE_U8(struct ide_drive, select),
                                                   STATE_U8(struct ide_drive, status),
                                                   STATE_U8(struct ide_drive, error),
                                                   STATE_U8(struct ide_drive, command_code),
                                                   STATE_BOOL(struct ide_drive, irq),
                                                   STATE_U32(struct ide_drive, pos),
                                                   STATE_U32(struct ide_drive, end),
                                                   STATE_U8(struct ide_drive, xfer),
                                                   STATE_U8(struct ide_drive, wait),
                                                   STATE_U64(struct ide_drive, lba),
                                                   STATE_U32(struct ide_drive, left),
                                                   STATE_U32(struct ide_drive, chunk),
                                                   STATE_BOOL(struct ide_drive, fua),
                                                   STATE_BOOL(struct ide_drive, ext),
                                                   STATE_U32(struct ide_drive, mult),
                                                   STATE_U16(struct ide_drive, cur_cyls),
                                                   STATE_U16(struct ide_drive, cur_heads),
                                                   STATE_U16(struct ide_drive, cur_secs),
                                                   STATE_U8(struct ide_drive, power),
                                                   STATE_U8(struct ide_drive, dma_mode),
                                                   STATE_U8(struct ide_drive, pio_mode),
                                                   STATE_BOOL(struct ide_drive, dma_on),
                                                   STATE_BOOL(struct ide_drive, smart_on),
                                                   STATE_BOOL(struct ide_drive, autosave),
                                                   STATE_BOOL(struct ide_drive, writeback),
                                                   STATE_BOOL(struct ide_drive, look_ahead),
                                                   STATE_U8(struct ide_drive, self_test),
                                                   STATE_BUF(struct ide_drive, packet),
                                                   STATE_U8(struct ide_drive, sense),
                                                   STATE_U8(struct ide_drive, asc),
                                                   STATE_U8(struct ide_drive, ascq),
                                                   STATE_U16(struct ide_drive, limit),
                                                   STATE_U32(struct ide_drive, reply_len),
                                                   STATE_U32(struct ide_drive, reply_pos),
                                                   STATE_U32(struct ide_drive, unit_bytes),
                                                   STATE_BOOL(struct ide_drive, packet_dma),
                                                   STATE_BOOL(struct ide_drive, tray_open),
                                                   STATE_BOOL(struct ide_drive, locked),
                                                   STATE_BOOL(struct ide_drive, attention),
                                                   STATE_BOOL(struct ide_drive, new_event),
                                                   STATE_BOOL(struct ide_drive, eject_event),
                                                   STATE_CUSTOM(struct ide_drive, buf, buf_state),
                                                   STATE_END };
static const struct state_table drive_state = {
    .name = "ide-drive", .version = 1, .fields = drive_fields, .post_load = drive_loaded
};

/* ---- types ---- */

static const char *const policies[] = { "report", "ignore", "stop", "enospc", "auto", NULL };

#define DRIVE_PROPS                                                                               \
    PROP_DRIVE(struct ide_drive, drive, "drive", "id of -drive or node name of -blockdev"),       \
        PROP_U32(struct ide_drive, unit, "unit", UINT32_MAX, "0 or 1; else the first one free"),  \
        PROP_STR(struct ide_drive, serial, "serial", NULL, "serial number, up to 20 characters"), \
        PROP_STR(struct ide_drive, model, "model", NULL, "model, up to 40 characters"),           \
        PROP_STR(struct ide_drive, version, "ver", NULL, "firmware version, up to 8 characters"), \
        PROP_U64(struct ide_drive, wwn, "wwn", 0, "world wide name, 0 for none"),                 \
        PROP_ENUM(struct ide_drive, werror, "werror", BLOCK_AUTO, "on failed writes", policies),  \
        PROP_ENUM(struct ide_drive, rerror, "rerror", BLOCK_AUTO, "on failed reads", policies),   \
        PROP_I64(struct ide_drive, bootindex, "bootindex", -1, "place in the order of booting")

static bool hd_realize(struct device *dev, GError **err)
{
    return drive_realize(dev, &ide_ata, err);
}

static const struct prop hd_props[] = {
    DRIVE_PROPS,
    PROP_U16(struct ide_drive, cyls, "cyls", 0, "of the geometry; 0: by size", .max = 65535),
    PROP_U16(struct ide_drive, heads, "heads", 0, "of the geometry; 0: by size"),
    PROP_U16(struct ide_drive, secs, "secs", 0, "of the geometry; 0: by size"),
    PROP_BOOL(struct ide_drive, trim, "trim", true, "the guest may discard"),
    PROP_ONOFFAUTO(struct ide_drive, write_cache, "write-cache", AUTO,
                   "have one at reset; auto: by the drive's cache="),
    PROP_LIST_END
};

const struct device_type ide_hd_type = {
    .name = "ide-hd",
    .help = "ATA disk",
    .bus = BUS_IDE,
    .size = sizeof(struct ide_drive),
    .category = "storage",
    .realize = hd_realize,
    .reset = drive_reset,
    .unrealize = drive_unrealize,
    .props = hd_props,
    .state = &drive_state,
};

static void disc_changed(void *opaque)
{
    struct ide_drive *d = opaque;

    d->attention = d->new_event = true;
}

static bool tray_is_open(void *opaque)
{
    return ((const struct ide_drive *)opaque)->tray_open;
}

static bool tray_is_locked(void *opaque)
{
    return ((const struct ide_drive *)opaque)->locked;
}

static void set_tray(void *opaque, bool open)
{
    cd_set_tray(opaque, open);
}

static void eject_wanted(void *opaque)
{
    ((struct ide_drive *)opaque)->eject_event = true;
}

static const struct block_media_ops cd_media = {
    .changed = disc_changed,
    .tray_is_open = tray_is_open,
    .is_locked = tray_is_locked,
    .set_tray = set_tray,
    .eject_wanted = eject_wanted,
};

static bool cd_realize(struct device *dev, GError **err)
{
    struct ide_drive *d = (struct ide_drive *)dev;

    if (!drive_realize(dev, &ide_atapi, err))
        return false;
    if (d->drive)
        block_set_media(d->drive, &cd_media, d);
    return true;
}

static const struct prop cd_props[] = { DRIVE_PROPS, PROP_LIST_END };

const struct device_type ide_cd_type = {
    .name = "ide-cd",
    .help = "ATAPI CD-ROM and DVD-ROM drive",
    .bus = BUS_IDE,
    .size = sizeof(struct ide_drive),
    .category = "storage",
    .realize = cd_realize,
    .reset = drive_reset,
    .unrealize = drive_unrealize,
    .props = cd_props,
    .state = &drive_state,
};
