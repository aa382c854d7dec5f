/*
 * An IDE channel: a cable with up to two drives ("ide-hd", "ide-cd"), their task file registers and
 * their interrupt. A controller embeds one for each of its cables, shows its two regions and lends
 * it a DMA engine if it has one.
 *
 *     ide_bus_init(&c->bus, dev, "ide.0", &c->irq[0], &piix_dma, c);
 *     mem_region_add(&m->io, 0x1f0, &c->bus.command);
 *     mem_region_add(&m->io, 0x3f6, &c->bus.control);
 *
 * Device lock throughout. Cited: ATA8-ACS and ATA/ATAPI-7 (volume 2 for the registers).
 */
#ifndef HW_IDE_IDE_H
#define HW_IDE_IDE_H

#include <hw/core/machine.h>

extern const struct bus_type ide_bus_type;
#define BUS_IDE (&ide_bus_type)

#define IDE_UNITS 2

struct ide_drive;

/* The bus master side of a channel. */
struct ide_dma_ops {
    /* The selected drive has data to move, or wants some: call ide_bus_dma() once the guest has
     * started the engine, now if it has. */
    void (*ready)(void *opaque);
    /* Moves up to `len` bytes between the drive's buffer and memory; how many, less than `len`
     * where the guest's table is too short or broken. */
    uint32_t (*move)(void *opaque, uint8_t *buf, uint32_t len, bool to_memory);
    /* The command that moved data is over. */
    void (*ended)(void *opaque);
    /* The interrupt was raised. */
    void (*interrupt)(void *opaque);
};

struct ide_bus {
    struct bus bus;
    struct ide_drive *units[IDE_UNITS];
    const struct ide_dma_ops *dma; /* NULL: PIO only */
    void *dma_opaque;
    const struct irq_line *irq;
    struct mem_region command, control; /* 8 ports; 1 port */
    uint8_t selected, device_control;
    bool line; /* level of the interrupt */
};

/* `irq` is where the owner keeps the line, and stays. */
void ide_bus_init(struct ide_bus *b, struct device *controller, const char *name,
                  const struct irq_line *irq, const struct ide_dma_ops *dma, void *opaque);
void ide_bus_destroy(struct ide_bus *b);
/* Of the controller's reset: registers of the cable. Drives are reset as devices. */
void ide_bus_reset(struct ide_bus *b);
/* The engine runs: goes on with the drive that waits for it, if any does. */
void ide_bus_dma(struct ide_bus *b);
/* Whether a drive of that number is there and can do DMA. */
bool ide_bus_has(const struct ide_bus *b, unsigned unit);
/* Part of the controller's state. */
extern const struct state_table ide_bus_state;

#endif
