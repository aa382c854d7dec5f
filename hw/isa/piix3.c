/*
 * PCI-to-ISA bridge of the Intel 82371SB (PIIX3; datasheet 290550-002): the ISA bus, routing of PCI
 * interrupts to ISA ones (PIRQRC, 2.2.10), the reset control register at port 0xcf9 (2.5.5.2).
 */
#include <hw/isa/piix3.h>

#include <base/bits.h>
#include <base/bug.h>
#include <hw/pci/pci.h>

#define REG_IORT     0x4c
#define REG_XBCS     0x4e
#define REG_PIRQRC   0x60 /* to 0x63 */
#define REG_TOM      0x69
#define REG_MSTAT    0x6a
#define REG_MBIRQ    0x70
#define REG_APICBASE 0x80
#define REG_DLC      0x82
#define REG_SMICNTL  0xa0
#define REG_SMIEN    0xa2
#define REG_SEE      0xa4
#define REG_FTMR     0xa8
#define REG_SMIREQ   0xaa
#define REG_CTLTMR   0xac

#define PIRQS      4
#define PIRQ_OFF   0x80
#define RESET_CPU  0x04
#define RESET_KEPT 0x02 /* hard or soft: what the next reset is to be */

struct piix3 {
    struct pci_device pci;
    struct isa_bus isa;
    struct irq_line out[ISA_IRQS];
    struct irq_line routed[ISA_IRQS]; /* what PCI drives of the ISA lines */
    uint8_t pirq;                     /* level of each */
    uint8_t reset_control;
    struct mem_region reset_io;
};

struct isa_bus *piix3_isa(struct device *bridge)
{
    return &((struct piix3 *)bridge)->isa;
}

/* ---- interrupts ---- */

static void drive_outputs(void *opaque, unsigned irq, bool level)
{
    const struct piix3 *p = opaque;

    irq_set(&p->out[irq], level);
}

/* ISA interrupts that PCI can be led to: table 5 */
static bool routable(unsigned irq)
{
    return BIT(irq) & 0xdef8;
}

static void route(struct piix3 *p)
{
    uint16_t levels = 0;

    for (unsigned i = 0; i < PIRQS; i++) {
        uint8_t reg = p->pci.config[REG_PIRQRC + i];

        if (!(reg & PIRQ_OFF) && routable(reg & 15) && (p->pirq >> i & 1))
            levels |= (uint16_t)BIT(reg & 15);
    }
    for (unsigned irq = 0; irq < ISA_IRQS; irq++)
        irq_set(&p->routed[irq], levels >> irq & 1);
}

static void pirq_changed(void *opaque, unsigned n, bool level)
{
    struct piix3 *p = opaque;

    p->pirq = (uint8_t)((p->pirq & ~BIT(n)) | (uint8_t)(level << n));
    route(p);
}

static void piix3_written(struct pci_device *pd, unsigned offset, unsigned size)
{
    if (offset < REG_PIRQRC + PIRQS && offset + size > REG_PIRQRC)
        route((struct piix3 *)pd);
}

static const struct pci_hooks piix3_hooks = { .written = piix3_written };

/* ---- reset control ---- */

static uint64_t reset_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct piix3 *p = opaque;

    (void)offset, (void)size;
    return p->reset_control;
}

static void reset_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct piix3 *p = opaque;

    (void)offset, (void)size;
    if (value & RESET_CPU)
        machine_request_reset(p->pci.dev.machine, CAUSE_GUEST_RESET);
    p->reset_control = value & RESET_KEPT;
}

static const struct io_ops reset_io = {
    .read = reset_read, .write = reset_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 1 }
};

/* ---- life ---- */

struct reg {
    uint8_t at, reset, writable;
};

/* What the guest finds and may change; nothing here depends on any of it but PIRQRC. */
static const struct reg registers[] = {
    { REG_IORT, 0x4d, 0x7f },
    { REG_XBCS, 0x03, 0xff },
    { REG_XBCS + 1, 0x00, 0x01 },
    { REG_PIRQRC, PIRQ_OFF, 0x8f },
    { REG_PIRQRC + 1, PIRQ_OFF, 0x8f },
    { REG_PIRQRC + 2, PIRQ_OFF, 0x8f },
    { REG_PIRQRC + 3, PIRQ_OFF, 0x8f },
    { REG_TOM, 0x02, 0xfa },
    { REG_MSTAT, 0x00, 0x84 },
    { REG_MBIRQ, 0x80, 0xef },
    { REG_APICBASE, 0x00, 0x7f },
    { REG_DLC, 0x00, 0x0f },
    { REG_SMICNTL, 0x08, 0x1d },
    { REG_SMIEN, 0x00, 0xff },
    { REG_SEE, 0x00, 0xff },
    { REG_SEE + 1, 0x00, 0xff },
    { REG_SEE + 2, 0x00, 0xff },
    { REG_SEE + 3, 0x00, 0xb0 },
    { REG_FTMR, 0x0f, 0xff },
    { REG_SMIREQ, 0x00, 0xff },
    { REG_CTLTMR, 0x00, 0xff },
};

static bool piix3_realize(struct device *dev, GError **err)
{
    struct piix3 *p = (struct piix3 *)dev;
    struct machine *m = dev->machine;

    (void)err;
    p->pci.hooks = &piix3_hooks;
    p->pci.config[PCI_STATUS + 1] = 0x02; /* medium DEVSEL timing */
    for (unsigned i = 0; i < ARRAY_LEN(registers); i++)
        p->pci.wmask[registers[i].at] = registers[i].writable;
    device_irq_ins(dev, "pirq", pirq_changed, p, PIRQS);
    device_irq_outs(dev, NULL, p->out, ISA_IRQS);
    isa_bus_init(&p->isa, dev, "isa.0", &m->io, p->pci.bus->mmio);
    for (unsigned i = 0; i < ISA_IRQS; i++) {
        p->routed[i] = isa_bus_line(&p->isa, i);
        isa_bus_wire(&p->isa, i, (struct irq_line){ drive_outputs, p, i });
    }
    mem_region_init_io(&p->reset_io, m->mem, &reset_io, p, "piix3-reset-control", 1);
    device_add_region(dev, &p->reset_io);
    return true;
}

static void piix3_unrealize(struct device *dev)
{
    struct piix3 *p = (struct piix3 *)dev;

    bus_destroy(&p->isa.bus);
    mem_region_destroy(&p->reset_io);
}

static void piix3_reset(struct device *dev)
{
    struct piix3 *p = (struct piix3 *)dev;

    stw_le(p->pci.config + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    for (unsigned i = 0; i < ARRAY_LEN(registers); i++)
        p->pci.config[registers[i].at] = registers[i].reset;
    p->reset_control = 0;
    route(p);
}

static const struct state_field piix3_fields[] = { STATE_U8(struct piix3, pirq),
                                                   STATE_U8(struct piix3, reset_control),
                                                   STATE_STRUCT(struct piix3, isa, isa_bus_state),
                                                   STATE_END };
static const struct state_table piix3_state = { .name = "piix3",
                                                .version = 1,
                                                .fields = piix3_fields };

static const struct pci_info piix3_info = {
    .vendor = 0x8086,
    .device = 0x7000,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = { 0x00, 0x01, 0x06 },
};

const struct device_type piix3_type = {
    .name = "PIIX3",
    .help = "PCI-to-ISA bridge 82371SB",
    .bus = BUS_PCI,
    .size = sizeof(struct piix3),
    .internal = true,
    .category = "bridge",
    .realize = piix3_realize,
    .reset = piix3_reset,
    .unrealize = piix3_unrealize,
    .state = &piix3_state,
    .bus_info = &piix3_info,
};
