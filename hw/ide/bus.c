/* An IDE channel's registers and interrupt (ATA/ATAPI-7 volume 2); see hw/ide/ide.h. */
#include "drive.h"

#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>

enum { R_DATA, R_ERROR, R_COUNT, R_LOW, R_MID, R_HIGH, R_SELECT, R_STATUS };
#define C_DEVICE_RESET 0x08
#define C_DIAGNOSTIC   0x90

static struct ide_drive *selected(const struct ide_bus *b)
{
    return b->units[b->selected];
}

bool ide_bus_has(const struct ide_bus *b, unsigned unit)
{
    return b->units[unit] && b->dma;
}

void ide_bus_update_irq(struct ide_bus *b)
{
    const struct ide_drive *d = selected(b);
    bool level = d && d->irq && !(b->device_control & CTL_NIEN);

    if (level && !b->line && b->dma)
        b->dma->interrupt(b->dma_opaque);
    b->line = level;
    irq_set(b->irq, level);
}

void ide_bus_dma(struct ide_bus *b)
{
    for (unsigned i = 0; i < IDE_UNITS; i++) {
        struct ide_drive *d = b->units[i];

        if (d && d->wait == W_DMA) {
            d->kind->dma_done(d);
            return;
        }
    }
}

/* ---- the data register: 16 bits, or twice that ---- */

static uint32_t data_read(struct ide_drive *d, unsigned size)
{
    uint32_t v = 0;

    if (d->wait != W_HOST || (d->status & (ST_DRQ | ST_BSY)) != ST_DRQ)
        return 0;
    for (unsigned i = 0; i < size && d->pos < d->end; i++)
        v |= (uint32_t)d->buf[d->pos++] << 8 * i;
    if (d->pos >= d->end)
        d->kind->data_done(d);
    return v;
}

static void data_write(struct ide_drive *d, uint32_t v, unsigned size)
{
    if (d->wait != W_HOST || (d->status & (ST_DRQ | ST_BSY)) != ST_DRQ)
        return;
    for (unsigned i = 0; i < size && d->pos < d->end; i++)
        d->buf[d->pos++] = (uint8_t)(v >> 8 * i);
    if (d->pos >= d->end)
        d->kind->data_done(d);
}

/* ---- the other registers ---- */

static uint8_t task_file(const struct ide_regs *r, unsigned reg)
{
    switch (reg) {
    case R_COUNT: return r->count;
    case R_LOW: return r->low;
    case R_MID: return r->mid;
    default: return r->high;
    }
}

/* A drive that is alone answers for the other one too, with a status of 0 (volume 2, 5.2). */
static uint8_t read_absent(const struct ide_bus *b, unsigned reg)
{
    const struct ide_drive *other = b->units[!b->selected];

    if (!other)
        return reg == R_SELECT ? (uint8_t)(SEL_FIXED | b->selected * SEL_DEV) : 0;
    switch (reg) {
    case R_STATUS:
    case R_ERROR: return 0;
    case R_SELECT: return (uint8_t)(SEL_FIXED | (other->select & 0x4f) | b->selected * SEL_DEV);
    default: return task_file(&other->r, reg);
    }
}

static uint8_t reg_read(struct ide_bus *b, unsigned reg)
{
    struct ide_drive *d = selected(b);

    if (!d)
        return read_absent(b, reg);
    switch (reg) {
    case R_ERROR: return b->device_control & CTL_HOB ? d->before.feature : d->error;
    case R_SELECT: return (uint8_t)((d->select & ~SEL_DEV) | SEL_FIXED | b->selected * SEL_DEV);
    case R_STATUS:
        d->irq = false;
        ide_bus_update_irq(b);
        return d->status;
    default: return task_file(b->device_control & CTL_HOB ? &d->before : &d->r, reg);
    }
}

static void task_file_write(struct ide_drive *d, unsigned reg, uint8_t v)
{
    uint8_t *const now[] = { [R_ERROR] = &d->r.feature,
                             [R_COUNT] = &d->r.count,
                             [R_LOW] = &d->r.low,
                             [R_MID] = &d->r.mid,
                             [R_HIGH] = &d->r.high };
    uint8_t *const before[] = { [R_ERROR] = &d->before.feature,
                                [R_COUNT] = &d->before.count,
                                [R_LOW] = &d->before.low,
                                [R_MID] = &d->before.mid,
                                [R_HIGH] = &d->before.high };

    if (reg == R_SELECT) {
        d->select = v;
        return;
    }
    *before[reg] = *now[reg];
    *now[reg] = v;
}

/* Both drives do this one, whichever is selected; drive 0 reports (7.13). */
static void diagnose(struct ide_bus *b)
{
    b->selected = 0;
    for (unsigned i = 0; i < IDE_UNITS; i++)
        if (b->units[i]) {
            ide_cancel(b->units[i]);
            ide_soft_reset(b->units[i]);
        }
    if (b->units[0])
        ide_raise(b->units[0]);
}

static void command(struct ide_bus *b, uint8_t code)
{
    struct ide_drive *d = selected(b);

    if (code == C_DIAGNOSTIC) {
        diagnose(b);
        return;
    }
    if (!d)
        return;
    if ((d->status & (ST_BSY | ST_DRQ)) && code != C_DEVICE_RESET) {
        log_guest_error("%s: command %02x while another one is under way\n", d->dev.path, code);
        return;
    }
    d->irq = false;
    ide_bus_update_irq(b);
    d->command_code = code;
    d->kind->command(d, code);
}

/* A drive that is busy or moves data does not take writes (volume 2, 5.2.9). */
static void reg_write(struct ide_bus *b, unsigned reg, uint8_t v)
{
    b->device_control &= (uint8_t)~CTL_HOB;
    if (b->device_control & CTL_SRST)
        return;
    if (reg == R_STATUS) {
        command(b, v);
        return;
    }
    for (unsigned i = 0; i < IDE_UNITS; i++)
        if (b->units[i] && !(b->units[i]->status & (ST_BSY | ST_DRQ)))
            task_file_write(b->units[i], reg, v);
    if (reg == R_SELECT) {
        b->selected = v & SEL_DEV ? 1 : 0;
        ide_bus_update_irq(b);
    }
}

static uint64_t command_read(void *opaque, uint64_t offset, unsigned size)
{
    struct ide_bus *b = opaque;
    uint64_t v = 0;

    if (offset == R_DATA)
        return selected(b) ? data_read(selected(b), size) : 0xffff;
    for (unsigned i = 0; i < size && offset + i <= R_STATUS; i++)
        v |= (uint64_t)reg_read(b, (unsigned)offset + i) << 8 * i;
    return v;
}

static void command_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct ide_bus *b = opaque;

    if (offset == R_DATA) {
        if (selected(b))
            data_write(selected(b), (uint32_t)value, size);
        return;
    }
    for (unsigned i = 0; i < size && offset + i <= R_STATUS; i++)
        reg_write(b, (unsigned)offset + i, (uint8_t)(value >> 8 * i));
}

static const struct io_ops command_io = {
    .read = command_read,
    .write = command_write,
    .guest_sizes = { 1, 4 },
    .own_sizes = { 1, 4 },
    .unaligned = IO_UNALIGNED_SPLIT,
};

/* The status once more, without taking the interrupt back. */
static uint64_t control_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct ide_bus *b = opaque;
    const struct ide_drive *d = selected(b);

    (void)offset, (void)size;
    return d ? d->status : 0;
}

static void control_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct ide_bus *b = opaque;
    uint8_t old = b->device_control, v = (uint8_t)value;

    (void)offset, (void)size;
    b->device_control = v;
    for (unsigned i = 0; i < IDE_UNITS && ((old ^ v) & CTL_SRST); i++) {
        struct ide_drive *d = b->units[i];

        if (d && (v & CTL_SRST)) {
            ide_cancel(d);
            d->irq = false;
            d->status = ST_BSY | ST_DSC;
        } else if (d) {
            ide_soft_reset(d);
        }
    }
    if ((old ^ v) & CTL_SRST)
        b->selected = 0;
    ide_bus_update_irq(b);
}

static const struct io_ops control_io = {
    .read = control_read,
    .write = control_write,
    .own_sizes = { 1, 1 },
};

/* ---- the bus ---- */

static bool ide_attach(struct bus *bus, struct device *dev, GError **err)
{
    struct ide_bus *b = container_of(bus, struct ide_bus, bus);
    struct ide_drive *d = (struct ide_drive *)dev;

    if (d->unit == UINT32_MAX)
        d->unit = b->units[0] ? 1 : 0;
    if (d->unit >= IDE_UNITS)
        return error_set(err, "%s.unit: %u is not 0 or 1", dev->type->name, d->unit);
    if (b->units[d->unit])
        return error_set(err, "%s: unit %u of %s is taken by %s", dev->type->name, d->unit,
                         bus->name, b->units[d->unit]->dev.path);
    b->units[d->unit] = d;
    d->bus = b;
    bus->full = b->units[0] && b->units[1];
    return true;
}

static void ide_detach(struct bus *bus, struct device *dev)
{
    struct ide_bus *b = container_of(bus, struct ide_bus, bus);

    b->units[((struct ide_drive *)dev)->unit] = NULL;
    bus->full = false;
}

static char *ide_address(const struct device *dev)
{
    return g_strdup_printf("%u", ((const struct ide_drive *)dev)->unit);
}

const struct bus_type ide_bus_type = {
    .name = "IDE",
    .attach = ide_attach,
    .detach = ide_detach,
    .address = ide_address,
};

void ide_bus_init(struct ide_bus *b, struct device *controller, const char *name,
                  const struct irq_line *irq, const struct ide_dma_ops *dma, void *opaque)
{
    struct mem *mem = device_mem(controller);

    bus_init(&b->bus, BUS_IDE, controller->machine, controller, name);
    b->irq = irq;
    b->dma = dma;
    b->dma_opaque = opaque;
    mem_region_init_io(&b->command, mem, &command_io, b, name, 8);
    mem_region_init_io(&b->control, mem, &control_io, b, name, 1);
}

void ide_bus_destroy(struct ide_bus *b)
{
    bus_destroy(&b->bus);
    mem_region_destroy(&b->command);
    mem_region_destroy(&b->control);
}

void ide_bus_reset(struct ide_bus *b)
{
    b->selected = 0;
    b->device_control = 0;
    b->line = false;
    irq_set(b->irq, false);
}

static bool bus_loaded(void *obj, unsigned version, GError **err)
{
    const struct ide_bus *b = obj;

    (void)version;
    return b->selected < IDE_UNITS || error_set(err, "saved state: ide: drive %u", b->selected);
}

static const struct state_field bus_fields[] = { STATE_U8(struct ide_bus, selected),
                                                 STATE_U8(struct ide_bus, device_control),
                                                 STATE_BOOL(struct ide_bus, line), STATE_END };
const struct state_table ide_bus_state = {
    .name = "ide-bus", .version = 1, .fields = bus_fields, .post_load = bus_loaded
};
