/*
 * The ISA bus: devices at I/O ports, 16 interrupt lines, two DMA controllers.
 *
 * A device begins with plain struct device and has `iobase=` and `irq=` among its own properties
 * where these can be chosen. In realize it announces its lines, and then takes ports and lines:
 *
 *     device_irq_outs(dev, NULL, &s->irq, 1);
 *     isa_connect_irq(dev, 0, s->irq_number);
 *     isa_add_ports(dev, &s->io, s->iobase);
 *
 * and in unrealize mem_region_destroy()s its regions. Device lock throughout.
 */
#ifndef HW_ISA_ISA_H
#define HW_ISA_ISA_H

#include <hw/core/machine.h>

extern const struct bus_type isa_bus_type;
#define BUS_ISA (&isa_bus_type)

#define ISA_IRQS         16
#define ISA_DMA_CHANNELS 8

struct isa_bus {
    struct bus bus;
    struct mem_region *io;         /* 64 KiB of ports */
    struct mem_region *mem;        /* memory by physical address: option ROMs, frame buffers */
    struct irq_or lines[ISA_IRQS]; /* drivers of one line are or'ed */
    uint8_t drivers[ISA_IRQS];     /* how many there are */
    struct device *dma[2];         /* controllers of channels 0 to 3 and 4 to 7, or NULL */
};

/* ---- for devices ---- */

/* Leads output n (of the unnamed group) to line `irq`. False with err set: there is no such line.
 */
bool isa_connect_irq(struct device *dev, unsigned n, unsigned irq, GError **err)
    __attribute__((warn_unused_result));
/* Shows a region at port `base`; a region that reaches past port 0xffff is refused. */
bool isa_add_ports(struct device *dev, struct mem_region *r, uint64_t base, GError **err)
    __attribute__((warn_unused_result));
/* The bus a device sits on. */
struct isa_bus *isa_bus_of(const struct device *dev);

/* ---- for bridges and boards ---- */

/* `io` and `mem` must outlive the bus. */
void isa_bus_init(struct isa_bus *b, struct device *bridge, const char *name, struct mem_region *io,
                  struct mem_region *mem);
/* Where a line leads. */
void isa_bus_wire(struct isa_bus *b, unsigned irq, struct irq_line to);
/* What drives a line, for chips that are not on the bus (SCI, PCI). */
struct irq_line isa_bus_line(struct isa_bus *b, unsigned irq);
/* The bus of an "isabus-bridge", a bridge to nothing else; its outputs are the 16 lines. */
struct isa_bus *isa_bridge_bus(struct device *bridge);
/* Levels of the lines, as part of the bridge's state: STATE_STRUCT(struct x, isa, isa_bus_state).
 */
extern const struct state_table isa_bus_state;

#endif
