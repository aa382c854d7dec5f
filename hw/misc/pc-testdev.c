/*
 * What test programs of CPUs (kvm-unit-tests) expect of a PC made for them: a port that reads back
 * what was written (e0h), ports that set the levels of interrupt lines (2000h + line), and 64 KiB
 * of memory that is not RAM (ff000000h).
 */
#include <string.h>
#include <base/bits.h>
#include <hw/isa/isa.h>

#define VALUE_PORT 0xe0
#define LINES_PORT 0x2000
#define MEM_ADDR   0xff000000u
#define MEM_SIZE   0x10000

struct testdev {
    struct device dev;
    struct mem_region value_io, lines_io, mem_io;
    struct irq_line lines[ISA_IRQS];
    uint32_t value;
    uint8_t mem[MEM_SIZE];
};

static uint64_t value_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return ((const struct testdev *)opaque)->value >> 8 * offset;
}

static void value_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    uint32_t *v = &((struct testdev *)opaque)->value;

    *v = deposit32(*v, 8 * (unsigned)offset, 8 * size, (uint32_t)value);
}

static uint64_t lines_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return 0xff;
}

static void lines_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    irq_set(&((struct testdev *)opaque)->lines[offset], value != 0);
}

static uint64_t memory_read(void *opaque, uint64_t offset, unsigned size)
{
    return ldn_le(((const struct testdev *)opaque)->mem + offset, size);
}

static void memory_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    stn_le(((struct testdev *)opaque)->mem + offset, size, value);
}

static const struct io_ops value_ops = { .read = value_read,
                                         .write = value_write,
                                         .own_sizes = { 1, 4 } };
static const struct io_ops lines_ops = { .read = lines_read,
                                         .write = lines_write,
                                         .own_sizes = { 1, 1 } };
static const struct io_ops memory_ops = { .read = memory_read,
                                          .write = memory_write,
                                          .own_sizes = { 1, 8 },
                                          .unaligned = IO_UNALIGNED_SPLIT };

static void testdev_unrealize(struct device *dev)
{
    struct testdev *t = (struct testdev *)dev;

    mem_region_destroy(&t->value_io);
    mem_region_destroy(&t->lines_io);
    mem_region_destroy(&t->mem_io);
}

static bool testdev_realize(struct device *dev, GError **err)
{
    struct testdev *t = (struct testdev *)dev;
    struct mem *mem = device_mem(dev);

    mem_region_init_io(&t->value_io, mem, &value_ops, t, "testdev-value", sizeof(t->value));
    mem_region_init_io(&t->lines_io, mem, &lines_ops, t, "testdev-lines", ISA_IRQS);
    mem_region_init_io(&t->mem_io, mem, &memory_ops, t, "testdev-mem", MEM_SIZE);
    device_irq_outs(dev, NULL, t->lines, ISA_IRQS);
    for (unsigned i = 0; i < ISA_IRQS; i++)
        if (!isa_connect_irq(dev, i, i, err))
            goto out;
    if (!isa_add_ports(dev, &t->value_io, VALUE_PORT, err) ||
        !isa_add_ports(dev, &t->lines_io, LINES_PORT, err))
        goto out;
    mem_region_add(isa_bus_of(dev)->mem, MEM_ADDR, &t->mem_io);
    return true;

out:
    testdev_unrealize(dev);
    return false;
}

static void testdev_reset(struct device *dev)
{
    struct testdev *t = (struct testdev *)dev;

    t->value = 0;
    memset(t->mem, 0, sizeof(t->mem));
    for (unsigned i = 0; i < ISA_IRQS; i++)
        irq_lower(&t->lines[i]);
}

static const struct state_field testdev_fields[] = { STATE_U32(struct testdev, value),
                                                     STATE_BUF(struct testdev, mem), STATE_END };
static const struct state_table testdev_state = { .name = "pc-testdev",
                                                  .version = 1,
                                                  .fields = testdev_fields };

const struct device_type pc_testdev_type = {
    .name = "pc-testdev",
    .help = "ports, lines and memory for tests of CPUs",
    .bus = BUS_ISA,
    .size = sizeof(struct testdev),
    .category = "misc",
    .realize = testdev_realize,
    .reset = testdev_reset,
    .unrealize = testdev_unrealize,
    .state = &testdev_state,
};
