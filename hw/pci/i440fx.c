/*
 * Intel 82441FX PCI and memory controller (datasheet 290549-001): PCI configuration mechanism 1 at
 * ports 0xcf8 and 0xcfc, the attribute registers that show RAM, ROM or a mixture between 0xc0000
 * and 0xfffff (PAM, 3.2.18), and RAM for system management mode under the VGA window (SMRAM,
 * 3.2.22).
 */
#include <hw/pci/i440fx.h>

#include <string.h>
#include <base/bits.h>
#include <base/bug.h>

#define CONFADD       0xcf8
#define CONFADD_PORTS 8 /* with CONFDATA */
#define RESET_OFFSET  1 /* port 0xcf9 */

#define REG_PAM   0x59 /* to 0x5f */
#define REG_SMRAM 0x72

#define SMRAM_BASE      0xa0000
#define SMRAM_SIZE      0x20000
/* bits of REG_SMRAM */
#define SMRAM_ENABLE    0x08
#define SMRAM_LOCK      0x10
#define SMRAM_CLOSED    0x20
#define SMRAM_OPEN      0x40
#define SMRAM_WRITABLE  0x78
#define SMRAM_BASE_BITS 0x02 /* C_BASE_SEG: hardwired to 0xa0000 */

#define PAM_SEGMENTS 13
/* the two attribute bits of a segment */
enum { PAM_PCI = 0, PAM_READ = 1, PAM_WRITE = 2, PAM_RAM = 3, PAM_STATES };

struct i440fx_host;

struct pam {
    struct i440fx_host *host;
    uint32_t base, size;
    struct mem_region views[PAM_STATES]; /* one of them is enabled */
};

enum { PAM_BYTES = 7 };

struct i440fx {
    struct pci_device pci;
    struct i440fx_host *host;
    uint8_t pam[PAM_BYTES]; /* as last written, for a guest that wakes up */
};

struct i440fx_host {
    struct device dev;
    struct pci_bus bus;
    struct irq_line intx[4];
    struct i440fx *function;
    struct mem_region mmio; /* PCI's own addresses */
    struct address_space mmio_space;
    struct mem_region ports;
    struct pam pam[PAM_SEGMENTS];
    struct mem_region vga; /* what is seen where SMRAM is not */
    struct mem_region smm, smm_ram, smm_system;
    struct address_space smm_space;
    struct mem_region *cf9; /* or NULL */
    uint32_t address;       /* CONFADD */
};

struct pci_bus *i440fx_bus(struct device *host)
{
    return &((struct i440fx_host *)host)->bus;
}

struct mem_region *i440fx_memory(struct device *host)
{
    return &((struct i440fx_host *)host)->mmio;
}

struct address_space *i440fx_smm_space(struct device *host)
{
    return &((struct i440fx_host *)host)->smm_space;
}

void i440fx_set_reset_port(struct device *host, struct mem_region *r)
{
    ((struct i440fx_host *)host)->cf9 = r;
}

/* ---- configuration mechanism 1 (PCI Local Bus 3.0, 3.2.2.3.2) ---- */

/* Only whole double words are CONFADD's; of the others one port is somebody's. */
static uint64_t address_read(struct i440fx_host *h, uint64_t offset, unsigned size)
{
    uint64_t v = mask64(8 * size);

    if (size == 4)
        return h->address;
    if (size == 1 && offset == RESET_OFFSET && h->cf9)
        mem_io_read(h->cf9, 0, 1, &v, 0);
    return v;
}

static void address_write(struct i440fx_host *h, uint64_t offset, uint64_t value, unsigned size)
{
    if (size == 4)
        h->address = (uint32_t)value & 0x80fffffc;
    else if (size == 1 && offset == RESET_OFFSET && h->cf9)
        mem_io_write(h->cf9, 0, 1, value, 0);
}

static uint64_t ports_read(void *opaque, uint64_t offset, unsigned size)
{
    struct i440fx_host *h = opaque;

    if (offset < 4)
        return address_read(h, offset, size);
    if (!(h->address & BIT(31)))
        return mask64(8 * size);
    return pci_config_read(&h->bus, (h->address & 0xfffffc) | (offset & 3), size);
}

static void ports_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct i440fx_host *h = opaque;

    if (offset < 4)
        address_write(h, offset, value, size);
    else if (h->address & BIT(31))
        pci_config_write(&h->bus, (h->address & 0xfffffc) | (offset & 3), size, (uint32_t)value);
}

static const struct io_ops ports_io = { .read = ports_read,
                                        .write = ports_write,
                                        .guest_sizes = { 1, 4 } };

/* ---- PAM ---- */

/* Reads come from the PCI bus and writes go to RAM: how a BIOS copies itself. */
static uint64_t copy_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct pam *p = opaque;
    uint64_t v = 0;

    space_load(&p->host->mmio_space, p->base + offset, size, &v, 0);
    return v;
}

static void copy_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    const struct pam *p = opaque;
    struct ram_block *ram = p->host->dev.machine->ram.ram;
    uint64_t at = p->base + offset;

    stn_le(ram->host + at, size, value);
    ram_written(ram->ram, ram->base + at, size);
}

static const struct io_ops copy_io = { .read = copy_read,
                                       .write = copy_write,
                                       .unaligned = IO_UNALIGNED_PASS };

/* From 0xf0000 down to 0xc0000, in the order of the registers (table 4). */
static void pam_place(struct pam *p, struct i440fx_host *h, unsigned n)
{
    p->host = h;
    p->base = n == 0 ? 0xf0000 : 0xc0000 + (n - 1) * 0x4000;
    p->size = n == 0 ? 0x10000 : 0x4000;
}

static void pam_init(struct pam *p)
{
    struct machine *m = p->host->dev.machine;

    mem_region_init_alias(&p->views[PAM_PCI], m->mem, "pam-pci", &p->host->mmio, p->base, p->size);
    mem_region_init_alias(&p->views[PAM_READ], m->mem, "pam-rom", &m->ram, p->base, p->size);
    mem_region_set_readonly(&p->views[PAM_READ], true);
    mem_region_init_io(&p->views[PAM_WRITE], m->mem, &copy_io, p, "pam-copy", p->size);
    mem_region_init_alias(&p->views[PAM_RAM], m->mem, "pam-ram", &m->ram, p->base, p->size);
    for (unsigned i = 0; i < PAM_STATES; i++) {
        mem_region_set_enabled(&p->views[i], i == PAM_PCI);
        mem_region_add_priority(&m->system, p->base, &p->views[i], 1);
    }
}

static void pam_show(struct pam *p, unsigned state)
{
    for (unsigned i = 0; i < PAM_STATES; i++)
        mem_region_set_enabled(&p->views[i], i == state);
}

/* ---- the function at 00.0 ---- */

/* The first register holds one segment in its upper half, the others two each. */
static unsigned pam_state(const uint8_t *config, unsigned n)
{
    return config[REG_PAM + (n + 1) / 2] >> ((n + 1) % 2 ? 4 : 0) & PAM_RAM;
}

static void update_smram(struct i440fx_host *h, uint8_t reg)
{
    bool open = (reg & (SMRAM_ENABLE | SMRAM_OPEN)) == (SMRAM_ENABLE | SMRAM_OPEN);

    mem_region_set_enabled(&h->vga, !open);
    mem_region_set_enabled(&h->smm_ram, (reg & SMRAM_ENABLE) && (open || !(reg & SMRAM_CLOSED)));
}

static void update_views(struct i440fx *f)
{
    struct mem *mem = device_mem(&f->pci.dev);

    mem_begin(mem);
    for (unsigned i = 0; i < PAM_SEGMENTS; i++)
        pam_show(&f->host->pam[i], pam_state(f->pci.config, i));
    update_smram(f->host, f->pci.config[REG_SMRAM]);
    mem_end(mem);
}

/* D_LCK closes and freezes the register until reset. */
static void lock_smram(struct i440fx *f)
{
    uint8_t *reg = &f->pci.config[REG_SMRAM];

    if (*reg & SMRAM_LOCK) {
        *reg &= (uint8_t)~SMRAM_OPEN;
        f->pci.wmask[REG_SMRAM] = 0;
    }
}

static void function_written(struct pci_device *pd, unsigned offset, unsigned size)
{
    struct i440fx *f = (struct i440fx *)pd;

    if (offset <= REG_SMRAM && offset + size > REG_PAM) {
        if (!pd->dev.machine->waking)
            memcpy(f->pam, pd->config + REG_PAM, sizeof(f->pam));
        lock_smram(f);
        update_views(f);
    }
}

static const struct pci_hooks function_hooks = { .written = function_written };

static bool function_realize(struct device *dev, GError **err)
{
    struct i440fx *f = (struct i440fx *)dev;

    (void)err;
    f->host = container_of(f->pci.bus, struct i440fx_host, bus);
    f->host->function = f;
    f->pci.hooks = &function_hooks;
    f->pci.config[PCI_STATUS + 1] = 0x02; /* medium DEVSEL timing */
    for (unsigned i = 0; i < 7; i++)
        f->pci.wmask[REG_PAM + i] = 0x33;
    return true;
}

static void function_reset(struct device *dev)
{
    struct i440fx *f = (struct i440fx *)dev;

    /* firmware that is woken up finds by its copy in RAM that it has run before */
    if (!dev->machine->waking)
        memset(f->pam, 0, sizeof(f->pam));
    memcpy(f->pci.config + REG_PAM, f->pam, sizeof(f->pam));
    f->pci.config[REG_SMRAM] = SMRAM_BASE_BITS;
    f->pci.wmask[REG_SMRAM] = SMRAM_WRITABLE;
    update_views(f);
}

static const struct pci_info function_info = {
    .vendor = 0x8086,
    .device = 0x1237,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .revision = 0x02,
    .class_code = { 0x00, 0x00, 0x06 },
};

const struct device_type i440fx_type = {
    .name = "i440FX",
    .help = "function of the host bridge 82441FX",
    .bus = BUS_PCI,
    .size = sizeof(struct i440fx),
    .internal = true,
    .category = "bridge",
    .realize = function_realize,
    .reset = function_reset,
    .bus_info = &function_info,
};

/* ---- the bridge as the board sees it ---- */

static void init_memory(struct i440fx_host *h)
{
    struct machine *m = h->dev.machine;

    mem_region_init(&h->mmio, m->mem, "pci", MEM_SIZE_ALL);
    space_init(&h->mmio_space, m->mem, &h->mmio, "pci");
    mem_region_add_priority(&m->system, 0, &h->mmio, -1);
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        pam_place(&h->pam[i], h, i);
        pam_init(&h->pam[i]);
    }
    mem_region_init_alias(&h->vga, m->mem, "smram-region", &h->mmio, SMRAM_BASE, SMRAM_SIZE);
    mem_region_add_priority(&m->system, SMRAM_BASE, &h->vga, 1);

    mem_region_init(&h->smm, m->mem, "smm", MEM_SIZE_ALL);
    mem_region_init_alias(&h->smm_system, m->mem, "memory", &m->system, 0, MEM_SIZE_ALL);
    mem_region_init_alias(&h->smm_ram, m->mem, "smram", &m->ram, SMRAM_BASE, SMRAM_SIZE);
    mem_region_set_enabled(&h->smm_ram, false);
    mem_region_add(&h->smm, 0, &h->smm_system);
    mem_region_add_priority(&h->smm, SMRAM_BASE, &h->smm_ram, 1);
    space_init(&h->smm_space, m->mem, &h->smm, "smm");
}

static void destroy_memory(struct i440fx_host *h)
{
    struct mem *mem = device_mem(&h->dev);

    mem_begin(mem);
    mem_region_destroy(&h->smm);
    mem_region_destroy(&h->smm_ram);
    mem_region_destroy(&h->smm_system);
    mem_region_destroy(&h->vga);
    for (unsigned i = 0; i < PAM_SEGMENTS; i++)
        for (unsigned j = 0; j < PAM_STATES; j++)
            mem_region_destroy(&h->pam[i].views[j]);
    mem_region_destroy(&h->mmio);
    mem_end(mem);
    space_destroy(&h->smm_space);
    space_destroy(&h->mmio_space);
}

static bool host_realize(struct device *dev, GError **err)
{
    struct i440fx_host *h = (struct i440fx_host *)dev;
    struct machine *m = dev->machine;

    mem_begin(m->mem);
    init_memory(h);
    mem_region_init_io(&h->ports, m->mem, &ports_io, h, "pci-conf", CONFADD_PORTS);
    mem_region_add(&m->io, CONFADD, &h->ports);
    mem_end(m->mem);
    device_irq_outs(dev, NULL, h->intx, 4);
    pci_bus_init(&h->bus, dev, "pci.0", &h->mmio, &m->io, h->intx);
    if (device_realize(device_new(m, &i440fx_type, "i440FX"), &h->bus.bus, err))
        return true;
    bus_destroy(&h->bus.bus);
    mem_region_destroy(&h->ports);
    destroy_memory(h);
    return false;
}

static void host_unrealize(struct device *dev)
{
    struct i440fx_host *h = (struct i440fx_host *)dev;

    bus_destroy(&h->bus.bus);
    mem_region_destroy(&h->ports);
    destroy_memory(h);
}

static void host_reset(struct device *dev)
{
    ((struct i440fx_host *)dev)->address = 0;
}

static const struct state_field host_fields[] = { STATE_U32(struct i440fx_host, address),
                                                  STATE_END };
static const struct state_table host_state = { .name = "i440fx",
                                               .version = 1,
                                               .fields = host_fields };

const struct device_type i440fx_pcihost_type = {
    .name = "i440FX-pcihost",
    .help = "PCI host bridge 82441FX",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct i440fx_host),
    .internal = true,
    .category = "bridge",
    .realize = host_realize,
    .reset = host_reset,
    .unrealize = host_unrealize,
    .state = &host_state,
};
