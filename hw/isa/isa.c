/* The ISA bus; see hw/isa/isa.h. */
#include <hw/isa/isa.h>

#include <inttypes.h>
#include <base/bits.h>
#include <base/bug.h>
#include <base/error.h>

const struct bus_type isa_bus_type = { .name = "ISA" };

struct isa_bus *isa_bus_of(const struct device *dev)
{
    bug_on(dev->type->bus != BUS_ISA);
    return container_of(dev->bus, struct isa_bus, bus);
}

void isa_bus_init(struct isa_bus *b, struct device *bridge, const char *name, struct mem_region *io,
                  struct mem_region *mem)
{
    bus_init(&b->bus, BUS_ISA, bridge->machine, bridge, name);
    b->io = io;
    b->mem = mem;
}

void isa_bus_wire(struct isa_bus *b, unsigned irq, struct irq_line to)
{
    bug_on(irq >= ISA_IRQS);
    b->lines[irq].out = to;
}

struct irq_line isa_bus_line(struct isa_bus *b, unsigned irq)
{
    bug_on(irq >= ISA_IRQS);
    return irq_or_in(&b->lines[irq], b->drivers[irq]++);
}

bool isa_connect_irq(struct device *dev, unsigned n, unsigned irq, GError **err)
{
    struct isa_bus *b = isa_bus_of(dev);

    if (irq >= ISA_IRQS)
        return error_set(err, "%s.irq: %u is not one of 0 to %u", dev->type->name, irq,
                         ISA_IRQS - 1);
    if (b->drivers[irq] == 64)
        return error_set(err, "%s.irq: too many devices share interrupt %u", dev->type->name, irq);
    device_connect_irq(dev, n, isa_bus_line(b, irq));
    return true;
}

bool isa_add_ports(struct device *dev, struct mem_region *r, uint64_t base, GError **err)
{
    struct isa_bus *b = isa_bus_of(dev);

    if (base > b->io->size || r->size > b->io->size - base)
        return error_set(err,
                         "%s.iobase: 0x%" PRIx64 " is too high: its %" PRIu64 " ports end at 0x%x",
                         dev->type->name, base, r->size, 0xffff);
    mem_region_add(b->io, base, r);
    return true;
}

static const struct state_field line_fields[] = { STATE_U64(struct irq_or, levels), STATE_END };
static const struct state_table line_state = { .name = "isa-irq",
                                               .version = 1,
                                               .fields = line_fields };
static const struct state_field bus_fields[] = {
    STATE_STRUCT_ARRAY(struct isa_bus, lines, line_state), STATE_END
};
const struct state_table isa_bus_state = { .name = "isa-bus", .version = 1, .fields = bus_fields };
