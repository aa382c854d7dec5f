/*
 * I/O APIC (Intel 82093AA, May 1996), by default with the EOI register of version 0x20 (Intel ICH
 * data sheets, "EOI register").
 */
#include <hw/irqchip/ioapic.h>

#include <inttypes.h>
#include <string.h>

#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/host_irqchip.h>
#include <hw/core/machine.h>
#include <hw/irqchip/apic.h>

enum { IOREGSEL = 0x00, IOWIN = 0x10, EOI = 0x40 };
enum { REG_ID = 0, REG_VERSION = 1, REG_ARBITRATION = 2, REG_TABLE = 0x10 };

#define VERSION_EOI 0x20

/* Redirection table entry (3.2.4). */
#define RTE_VECTOR   UINT64_C(0x00ff)
#define RTE_LOGICAL  UINT64_C(0x0800)
#define RTE_PENDING  UINT64_C(0x1000)
#define RTE_LOW      UINT64_C(0x2000) /* polarity */
#define RTE_IRR      UINT64_C(0x4000)
#define RTE_LEVEL    UINT64_C(0x8000)
#define RTE_MASKED   UINT64_C(0x10000)
#define RTE_READONLY (RTE_PENDING | RTE_IRR)
#define RTE_VALID    UINT64_C(0xff0000000001ffff)

struct ioapic {
    struct device dev;
    struct mem_region io;
    struct device *apic;
    uint8_t version;

    uint8_t select, id;
    uint32_t lines; /* levels of the pins */
    uint64_t rte[IOAPIC_PINS];
    const struct host_irqchip *host;
    uint64_t counts[IOAPIC_PINS];
};

static struct apic_message message(uint64_t rte)
{
    return (struct apic_message){
        .dest = (uint32_t)(rte >> 56),
        .logical = rte & RTE_LOGICAL,
        .mode = extract32((uint32_t)rte, 8, 3),
        .vector = rte & RTE_VECTOR,
        .level = rte & RTE_LEVEL,
    };
}

static void send(struct ioapic *s, uint64_t rte)
{
    const struct apic_message msg = message(rte);

    if (s->apic)
        apic_send(s->apic, &msg);
}

static void route(struct ioapic *s, unsigned n)
{
    const struct apic_message msg = message(s->rte[n]);

    if (s->apic && !(s->rte[n] & RTE_MASKED))
        apic_route(s->apic, n, &msg);
}

/* Sends a level that is there. Once sent it waits for its end of interrupt. */
static void service_level(struct ioapic *s, unsigned n)
{
    uint64_t rte = s->rte[n];

    if ((rte & (RTE_LEVEL | RTE_MASKED | RTE_IRR)) == RTE_LEVEL && (s->lines >> n & 1)) {
        s->rte[n] |= RTE_IRR;
        send(s, rte);
    }
}

/* Edges at masked pins are lost (3.2.4, interrupt mask). Lines carry whether an interrupt is asked
 * for, not volts: boards wire PCI's low-active lines the same way as ISA's, so that the polarity
 * bit is only kept. */
static void pin_changed(void *opaque, unsigned n, bool level)
{
    struct ioapic *s = opaque;
    bool rose = level && !(s->lines >> n & 1);

    s->counts[n] += rose;
    s->lines = (s->lines & ~(1u << n)) | (uint32_t)level << n;
    if (s->host)
        s->host->ioapic_line(s->host->opaque, n, level);
    if (host_irqchip_has_all(s->host))
        return;
    if (rose && !(s->rte[n] & (RTE_LEVEL | RTE_MASKED)))
        send(s, s->rte[n]);
    service_level(s, n);
}

static void eoi(void *opaque, uint8_t vector)
{
    struct ioapic *s = opaque;

    for (unsigned n = 0; n < IOAPIC_PINS; n++)
        if ((s->rte[n] & RTE_VECTOR) == vector && (s->rte[n] & RTE_IRR)) {
            s->rte[n] &= ~RTE_IRR;
            service_level(s, n);
        }
}

static void write_rte(struct ioapic *s, unsigned n, bool high, uint32_t v)
{
    uint64_t old = s->rte[n];
    uint64_t rte =
        high ? (old & 0xffffffff) | (uint64_t)v << 32 : (old & ~UINT64_C(0xffffffff)) | v;

    rte = (rte & RTE_VALID & ~RTE_READONLY) | (old & RTE_READONLY);
    if (!(rte & RTE_LEVEL))
        rte &= ~RTE_IRR;
    s->rte[n] = rte;
    route(s, n);
    service_level(s, n);
}

static uint32_t read_register(const struct ioapic *s)
{
    unsigned n = (s->select - REG_TABLE) / 2;

    switch (s->select) {
    case REG_ID:
    case REG_ARBITRATION: return (uint32_t)s->id << 24;
    case REG_VERSION: return (uint32_t)(IOAPIC_PINS - 1) << 16 | s->version;
    }
    if (s->select >= REG_TABLE && n < IOAPIC_PINS)
        return (uint32_t)(s->rte[n] >> (s->select & 1 ? 32 : 0));
    return 0;
}

static void write_register(struct ioapic *s, uint32_t v)
{
    unsigned n = (s->select - REG_TABLE) / 2;

    if (s->select == REG_ID)
        s->id = v >> 24 & 0x0f;
    else if (s->select >= REG_TABLE && n < IOAPIC_PINS)
        write_rte(s, n, s->select & 1, v);
}

static uint64_t ioapic_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct ioapic *s = opaque;

    (void)size;
    switch (offset) {
    case IOREGSEL: return s->select;
    case IOWIN: return read_register(s);
    default: return 0;
    }
}

static void ioapic_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct ioapic *s = opaque;

    (void)size;
    switch (offset) {
    case IOREGSEL: s->select = (uint8_t)value; return;
    case IOWIN: write_register(s, (uint32_t)value); return;
    case EOI:
        if (s->version >= VERSION_EOI)
            eoi(s, (uint8_t)value);
        return;
    }
    log_guest_error("ioapic: write of 0x%x at 0x%x\n", (unsigned)value, (unsigned)offset);
}

static const struct io_ops ioapic_io = {
    .read = ioapic_read,
    .write = ioapic_write,
    .own_sizes = { 4, 4 },
};

void ioapic_connect(struct device *dev, struct device *apic)
{
    struct ioapic *s = (struct ioapic *)dev;

    s->apic = apic;
    apic_on_eoi(apic, eoi, s);
}

void ioapic_set_host(struct device *dev, const struct host_irqchip *host)
{
    struct ioapic *s = (struct ioapic *)dev;

    s->host = host;
    for (unsigned n = 0; host && n < IOAPIC_PINS; n++)
        host->ioapic_line(host->opaque, n, s->lines >> n & 1);
}

void ioapic_registers(struct device *dev, struct host_ioapic *r, bool load)
{
    struct ioapic *s = (struct ioapic *)dev;

    if (!load) {
        *r = (struct host_ioapic){ .select = s->select, .id = s->id, .lines = s->lines };
        memcpy(r->rte, s->rte, sizeof(s->rte));
        return;
    }
    s->select = r->select;
    s->id = r->id & 0x0f;
    for (unsigned n = 0; n < IOAPIC_PINS; n++)
        s->rte[n] = r->rte[n] & RTE_VALID;
}

static bool ioapic_realize(struct device *dev, GError **err)
{
    struct ioapic *s = (struct ioapic *)dev;

    if (s->version != 0x11 && s->version != VERSION_EOI)
        return error_set(err, "ioapic: version=0x%x must be 0x11 or 0x20", s->version);
    mem_region_init_io(&s->io, device_mem(dev), &ioapic_io, s, "ioapic", 0x1000);
    device_add_region(dev, &s->io);
    device_irq_ins(dev, NULL, pin_changed, s, IOAPIC_PINS);
    return true;
}

static void ioapic_unrealize(struct device *dev)
{
    struct ioapic *s = (struct ioapic *)dev;

    mem_region_destroy(&s->io);
}

static void ioapic_reset(struct device *dev)
{
    struct ioapic *s = (struct ioapic *)dev;

    s->select = s->id = 0;
    for (unsigned n = 0; n < IOAPIC_PINS; n++)
        s->rte[n] = RTE_MASKED;
}

static bool ioapic_loaded(void *obj, unsigned version, GError **err)
{
    struct ioapic *s = obj;
    uint64_t stray = 0;

    (void)version;
    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        stray |= s->rte[n] & ~RTE_VALID;
        route(s, n);
    }
    if (stray || s->lines >> IOAPIC_PINS)
        return error_set(err, "saved state: ioapic: pins or entries that do not exist");
    return true;
}

static void print_pins(GString *out, const char *name, uint32_t pins)
{
    g_string_append_printf(out, "  %-8s", name);
    if (!pins)
        g_string_append(out, " (none)");
    for (unsigned n = 0; n < IOAPIC_PINS; n++)
        if (pins >> n & 1)
            g_string_append_printf(out, " %u", n);
    g_string_append_c(out, '\n');
}

static const uint64_t *ioapic_counts(const struct device *dev, unsigned *n)
{
    *n = IOAPIC_PINS;
    return ((const struct ioapic *)dev)->counts;
}

static void ioapic_print(struct device *dev, GString *out)
{
    static const char *const modes[] = { "fixed", "lowest", "SMI", "...",
                                         "NMI",   "INIT",   "...", "extINT" };
    const struct ioapic *s = (const struct ioapic *)dev;
    uint32_t remote = 0;

    if (host_irqchip_has_all(s->host))
        s->host->look(s->host->opaque);
    g_string_append_printf(out, "ioapic0: ver=0x%x id=0x%02x sel=0x%02x\n", s->version, s->id,
                           s->select);
    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        uint64_t e = s->rte[n];

        remote |= (uint32_t) !!(e & RTE_IRR) << n;
        g_string_append_printf(
            out, "  pin %-2u 0x%016" PRIx64 " dest=%" PRIx64 " vec=%-3u %s %-5s %-6s %-6s %s\n", n,
            e, e >> 56, (unsigned)(e & RTE_VECTOR), e & RTE_LOW ? "active-lo" : "active-hi",
            e & RTE_LEVEL ? "level" : "edge", e & RTE_MASKED ? "masked" : "", modes[e >> 8 & 7],
            e & RTE_LOGICAL ? "logical" : "physical");
    }
    print_pins(out, "IRR", s->lines);
    print_pins(out, "Remote IRR", remote);
}

static const struct state_field ioapic_fields[] = { STATE_U8(struct ioapic, select),
                                                    STATE_U8(struct ioapic, id),
                                                    STATE_ARRAY(struct ioapic, rte), STATE_END };
static const struct state_table ioapic_state = {
    .name = "ioapic", .version = 1, .fields = ioapic_fields, .post_load = ioapic_loaded
};

static const struct prop ioapic_props[] = { PROP_U8(struct ioapic, version, "version", VERSION_EOI,
                                                    "0x11, or 0x20 with an EOI register"),
                                            PROP_LIST_END };

const struct device_type ioapic_type = {
    .name = "ioapic",
    .help = "I/O APIC",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct ioapic),
    .internal = true,
    .category = "misc",
    .realize = ioapic_realize,
    .reset = ioapic_reset,
    .unrealize = ioapic_unrealize,
    .print_irqs = ioapic_print,
    .irq_counts = ioapic_counts,
    .props = ioapic_props,
    .state = &ioapic_state,
};
