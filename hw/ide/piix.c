/*
 * IDE function of the 82371SB (PIIX3; datasheet 290550-002, 2.3), with bus mastering as in
 * "Programming Interface for Bus Master IDE Controller" (Intel, 1994), cited as BM.
 */
#include <hw/ide/piix.h>

#include <base/bits.h>
#include <hw/ide/ide.h>
#include <hw/pci/pci.h>

#define REG_IDETIM   0x40 /* two of 16 bits */
#define REG_SIDETIM  0x44
#define IDETIM_ON    0x8000
#define CHANNELS     2
#define CHANNEL_SIZE 8

enum { BM_COMMAND = 0, BM_STATUS = 2, BM_TABLE = 4 };
enum { COMMAND_START = 1, COMMAND_TO_MEMORY = 8 };
enum { STATUS_ACTIVE = 1, STATUS_ERROR = 2, STATUS_INTERRUPT = 4, STATUS_CAPABLE = 0x60 };

#define PRD_LEN  8
#define PRD_LAST 0x80000000u

struct piix_ide;

struct channel {
    struct ide_bus bus;
    struct piix_ide *ide;
    uint8_t command, status;
    uint32_t table, next; /* of descriptors; the next one */
    uint32_t addr, left;  /* of the one at work */
    bool last;
};

struct piix_ide {
    struct pci_device pci;
    struct channel ch[CHANNELS];
    struct irq_line irq[CHANNELS];
    struct mem_region bm_io;
};

/* ---- descriptors (BM 1.2): address, count (0 is 64 KiB) and the mark of the last ---- */

static void stop(struct channel *c, uint8_t status)
{
    c->status = (uint8_t)((c->status & ~STATUS_ACTIVE) | status);
}

static bool next_descriptor(struct channel *c)
{
    struct pci_device *pd = &c->ide->pci;
    uint8_t prd[PRD_LEN];

    if (c->last) { /* the drive has more than that: neither active nor interrupt (BM 3.1) */
        stop(c, 0);
        return false;
    }
    if (space_read(&pd->dev.machine->memory, c->next, prd, sizeof(prd), pci_attrs(pd)) != MEM_OK) {
        stop(c, STATUS_ERROR);
        return false;
    }
    c->addr = ldl_le(prd) & ~1u;
    c->left = ldl_le(prd + 4) & 0xfffe;
    c->last = ldl_le(prd + 4) & PRD_LAST;
    if (!c->left)
        c->left = 0x10000;
    /* a table does not cross 64 KiB */
    c->next = (c->table & 0xffff0000) | ((c->next + PRD_LEN) & 0xffff);
    return true;
}

static uint32_t move(void *opaque, uint8_t *buf, uint32_t len, bool to_memory)
{
    struct channel *c = opaque;
    struct pci_device *pd = &c->ide->pci;
    struct address_space *as = &pd->dev.machine->memory;
    uint32_t done = 0;

    if (to_memory != !!(c->command & COMMAND_TO_MEMORY)) {
        stop(c, STATUS_ERROR);
        return 0;
    }
    while (done < len) {
        enum mem_result res;
        uint32_t n;

        if (!c->left && !next_descriptor(c))
            break;
        n = MIN(c->left, len - done);
        res = to_memory ? space_write(as, c->addr, buf + done, n, pci_attrs(pd))
                        : space_read(as, c->addr, buf + done, n, pci_attrs(pd));
        if (res != MEM_OK) {
            stop(c, STATUS_ERROR);
            break;
        }
        c->addr += n;
        c->left -= n;
        done += n;
    }
    return done;
}

static bool runs(const struct channel *c)
{
    return c->status & STATUS_ACTIVE && pci_bus_master(&c->ide->pci);
}

static void ready(void *opaque)
{
    struct channel *c = opaque;

    if (runs(c))
        ide_bus_dma(&c->bus);
}

/* With descriptors left over it stays active (BM 3.1). */
static void ended(void *opaque)
{
    struct channel *c = opaque;

    if (c->last && !c->left)
        stop(c, 0);
}

static void interrupt(void *opaque)
{
    struct channel *c = opaque;

    c->status |= STATUS_INTERRUPT;
}

static const struct ide_dma_ops dma_ops = {
    .ready = ready, .move = move, .ended = ended, .interrupt = interrupt
};

/* ---- registers (BM 2) ---- */

static void write_command(struct channel *c, uint8_t v)
{
    bool start = v & COMMAND_START && !(c->command & COMMAND_START);

    c->command = v & (COMMAND_START | COMMAND_TO_MEMORY);
    if (!(v & COMMAND_START))
        stop(c, 0);
    if (!start)
        return;
    c->status |= STATUS_ACTIVE;
    c->next = c->table;
    c->left = 0;
    c->last = false;
    ready(c);
}

static uint64_t bm_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct piix_ide *ide = opaque;
    const struct channel *c = &ide->ch[offset / CHANNEL_SIZE];
    unsigned reg = offset % CHANNEL_SIZE;

    (void)size;
    switch (reg) {
    case BM_COMMAND: return c->command;
    case BM_STATUS: return c->status;
    default: return reg >= BM_TABLE ? extract32(c->table, 8 * (reg - BM_TABLE), 8) : 0;
    }
}

static void bm_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct piix_ide *ide = opaque;
    struct channel *c = &ide->ch[offset / CHANNEL_SIZE];
    unsigned reg = offset % CHANNEL_SIZE;
    uint8_t v = (uint8_t)value;

    (void)size;
    switch (reg) {
    case BM_COMMAND: write_command(c, v); break;
    case BM_STATUS:
        c->status &= (uint8_t) ~(v & (STATUS_ERROR | STATUS_INTERRUPT));
        c->status = (uint8_t)((c->status & ~STATUS_CAPABLE) | (v & STATUS_CAPABLE));
        break;
    default:
        if (reg >= BM_TABLE)
            c->table = deposit32(c->table, 8 * (reg - BM_TABLE), 8, v) & ~3u;
        break;
    }
}

static const struct io_ops bm_io = {
    .read = bm_read,
    .write = bm_write,
    .guest_sizes = { 1, 4 },
    .own_sizes = { 1, 1 },
    .unaligned = IO_UNALIGNED_SPLIT,
};

/* ---- life ---- */

void piix_ide_setup(struct device *dev)
{
    uint8_t *config = ((struct piix_ide *)dev)->pci.config;

    stw_le(config + REG_IDETIM, IDETIM_ON);
    stw_le(config + REG_IDETIM + 2, IDETIM_ON);
}

/* The enable bits of IDETIM are for drivers to read: the ports are always there, as they are on
 * QEMU's board, where not all firmware sets them. */
static bool piix_ide_realize(struct device *dev, GError **err)
{
    static const uint16_t command_ports[CHANNELS] = { 0x1f0, 0x170 };
    static const uint16_t control_ports[CHANNELS] = { 0x3f6, 0x376 };
    static const char *const names[CHANNELS] = { "ide.0", "ide.1" };
    struct piix_ide *ide = (struct piix_ide *)dev;
    struct machine *m = dev->machine;

    (void)err;
    stw_le(ide->pci.config + PCI_STATUS, 0x0280); /* fast back-to-back, medium DEVSEL timing */
    stl_le(ide->pci.wmask + REG_IDETIM, UINT32_MAX);
    ide->pci.wmask[REG_SIDETIM] = 0xff;
    device_irq_outs(dev, NULL, ide->irq, CHANNELS);
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct channel *c = &ide->ch[i];

        c->ide = ide;
        ide_bus_init(&c->bus, dev, names[i], &ide->irq[i], &dma_ops, c);
        mem_region_add(&m->io, command_ports[i], &c->bus.command);
        mem_region_add(&m->io, control_ports[i], &c->bus.control);
    }
    mem_region_init_io(&ide->bm_io, m->mem, &bm_io, ide, "piix-bmdma", CHANNELS * CHANNEL_SIZE);
    pci_add_bar(&ide->pci, 4, PCI_BAR_IO, &ide->bm_io);
    return true;
}

static void piix_ide_unrealize(struct device *dev)
{
    struct piix_ide *ide = (struct piix_ide *)dev;

    for (unsigned i = 0; i < CHANNELS; i++)
        ide_bus_destroy(&ide->ch[i].bus);
    mem_region_destroy(&ide->bm_io);
}

static void piix_ide_reset(struct device *dev)
{
    struct piix_ide *ide = (struct piix_ide *)dev;

    stl_le(ide->pci.config + REG_IDETIM, 0);
    ide->pci.config[REG_SIDETIM] = 0;
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct channel *c = &ide->ch[i];

        ide_bus_reset(&c->bus);
        c->command = c->status = 0;
        c->table = c->next = c->addr = c->left = 0;
        c->last = false;
        for (unsigned unit = 0; unit < IDE_UNITS; unit++)
            if (ide_bus_has(&c->bus, unit))
                c->status |= (uint8_t)(0x20 << unit);
    }
}

static const struct state_field channel_fields[] = { STATE_STRUCT(struct channel, bus,
                                                                  ide_bus_state),
                                                     STATE_U8(struct channel, command),
                                                     STATE_U8(struct channel, status),
                                                     STATE_U32(struct channel, table),
                                                     STATE_U32(struct channel, next),
                                                     STATE_U32(struct channel, addr),
                                                     STATE_U32(struct channel, left),
                                                     STATE_BOOL(struct channel, last),
                                                     STATE_END };
static const struct state_table channel_state = { .name = "piix-ide-channel",
                                                  .version = 1,
                                                  .fields = channel_fields };
static const struct state_field piix_ide_fields[] = {
    STATE_STRUCT_ARRAY(struct piix_ide, ch, channel_state), STATE_END
};
static const struct state_table piix_ide_state = { .name = "piix-ide",
                                                   .version = 1,
                                                   .fields = piix_ide_fields };

static const struct pci_info piix3_ide_info = {
    .vendor = 0x8086,
    .device = 0x7010,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = { 0x80, 0x01, 0x01 },
};

const struct device_type piix3_ide_type = {
    .name = "piix3-ide",
    .help = "IDE function of the 82371SB",
    .bus = BUS_PCI,
    .size = sizeof(struct piix_ide),
    .internal = true,
    .category = "storage",
    .realize = piix_ide_realize,
    .reset = piix_ide_reset,
    .unrealize = piix_ide_unrealize,
    .state = &piix_ide_state,
    .bus_info = &piix3_ide_info,
};
