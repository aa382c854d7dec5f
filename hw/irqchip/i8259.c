/*
 * Two 8259A interrupt controllers (Intel 8259A, December 1988; names of words and bits are its),
 * cascaded as in PCs, with the edge/level registers of EISA and PIIX (82371SB 2.5.2, ELCR1/2).
 *
 * Edge requests are latched until they are acknowledged, while the chip would lose one whose line
 * falls earlier: lines are often pulsed, and a CPU that was not scheduled for a while would lose
 * clock ticks.
 */
#include <hw/irqchip/i8259.h>

#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/host_irqchip.h>
#include <hw/core/machine.h>

#define CASCADE 2 /* the master's input that the slave drives */
#define NONE    8

#define ICW1_SELECT 0x10
#define ICW1_SINGLE 0x02
#define ICW1_IC4    0x01
#define ICW4_SFNM   0x10
#define ICW4_AEOI   0x02
#define OCW3_SELECT 0x08
#define OCW3_ESMM   0x40
#define OCW3_SMM    0x20
#define OCW3_POLL   0x04
#define OCW3_RR     0x02
#define OCW3_RIS    0x01

/* OCW2, bits 7 to 5: R, SL, EOI */
enum {
    AEOI_ROTATE_OFF = 0,
    EOI = 1,
    NO_OPERATION = 2,
    EOI_SPECIFIC = 3,
    AEOI_ROTATE_ON = 4,
    EOI_ROTATE = 5,
    SET_PRIORITY = 6,
    EOI_SPECIFIC_ROTATE = 7,
};

struct pic {
    uint8_t lines;   /* levels of the inputs */
    uint8_t latched; /* edges that wait */
    uint8_t imr, isr, elcr;
    uint8_t base;   /* vector of input 0 */
    uint8_t lowest; /* input of lowest priority */
    uint8_t icw1, icw4;
    uint8_t next_icw; /* 2 to 4 while being initialised, else 0 */
    bool read_isr, poll, special_mask, rotate_aeoi;
};

struct i8259 {
    struct device dev;
    struct mem_region io[2], elcr_io;
    struct irq_line out;
    struct pic pic[2]; /* master, slave */
    bool output;       /* level of INT */
    const struct host_irqchip *host;
    uint64_t counts[16];
};

/* ---- one chip ---- */

static uint8_t pic_irr(const struct pic *p)
{
    return (p->latched & ~p->elcr) | (p->lines & p->elcr);
}

/* The most urgent input of a set, NONE if it is empty. */
static unsigned first(const struct pic *p, uint8_t set)
{
    for (unsigned i = 1; i <= 8; i++)
        if (set >> ((p->lowest + i) & 7) & 1)
            return (p->lowest + i) & 7;
    return NONE;
}

static unsigned rank(const struct pic *p, unsigned n)
{
    return n == NONE ? NONE : (n - p->lowest - 1) & 7;
}

/* The input that may interrupt the CPU now, or NONE. */
static unsigned request(const struct pic *p, bool master)
{
    unsigned n = first(p, pic_irr(p) & ~p->imr);
    uint8_t blocking = p->special_mask ? p->isr & ~p->imr : p->isr;
    unsigned in_service = first(p, blocking);

    if (rank(p, n) < rank(p, in_service))
        return n;
    /* special fully nested mode: a slave in service may go on asking */
    if (master && (p->icw4 & ICW4_SFNM) && n == CASCADE && n == in_service)
        return n;
    return NONE;
}

static void take(struct pic *p, unsigned n)
{
    p->latched &= ~(1u << n);
    if (!(p->icw4 & ICW4_AEOI))
        p->isr |= 1u << n;
    else if (p->rotate_aeoi)
        p->lowest = (uint8_t)n;
}

static void end(struct pic *p, unsigned n, bool rotate)
{
    if (n == NONE)
        return;
    p->isr &= ~(1u << n);
    if (rotate)
        p->lowest = (uint8_t)n;
}

static void set_line(struct pic *p, unsigned n, bool level)
{
    uint8_t bit = (uint8_t)(1u << n);

    if (level && !(p->lines & bit))
        p->latched |= bit;
    p->lines = level ? p->lines | bit : p->lines & ~bit;
}

/* ---- the pair ---- */

static void update(struct i8259 *s)
{
    struct pic *master = &s->pic[0];
    uint8_t bit = 1u << CASCADE;
    bool slave = request(&s->pic[1], false) != NONE;

    /* The cascade is no edge to be latched: it is there as long as the slave asks. */
    master->lines = slave ? master->lines | bit : master->lines & ~bit;
    master->latched = slave ? master->latched | bit : master->latched & ~bit;
    s->output = request(master, true) != NONE;
    if (!host_irqchip_has_all(s->host))
        irq_set(&s->out, s->output);
}

static void irq_changed(void *opaque, unsigned n, bool level)
{
    struct i8259 *s = opaque;

    if (n == CASCADE)
        return;
    s->counts[n] += level && !(s->pic[n / 8].lines >> n % 8 & 1);
    if (s->host)
        s->host->pic_line(s->host->opaque, n, level);
    set_line(&s->pic[n / 8], n % 8, level);
    update(s);
}

bool i8259_pending(const struct device *dev)
{
    return ((const struct i8259 *)dev)->output;
}

int i8259_ack(struct device *dev)
{
    struct i8259 *s = (struct i8259 *)dev;
    struct pic *p = &s->pic[0];
    unsigned n = request(p, true);

    if (n != NONE) {
        take(p, n);
        if (n == CASCADE) {
            p = &s->pic[1];
            n = request(p, false);
            if (n != NONE)
                take(p, n);
        }
        update(s);
    }
    return p->base | (n == NONE ? 7 : n); /* "default IR7", Edge and level triggered modes */
}

/* ---- registers ---- */

/* Initialization command word 1, A to F of its description. */
static void write_icw1(struct pic *p, uint8_t v)
{
    p->icw1 = v;
    p->latched = 0;
    p->imr = 0;
    p->isr = 0;
    p->lowest = 7;
    p->special_mask = p->read_isr = p->poll = p->rotate_aeoi = false;
    if (!(v & ICW1_IC4))
        p->icw4 = 0;
    p->next_icw = 2;
}

/* ICW3 says how the chips are wired together, which the board has settled. */
static void write_icw(struct pic *p, uint8_t v)
{
    switch (p->next_icw) {
    case 2:
        p->base = v & 0xf8;
        p->next_icw = !(p->icw1 & ICW1_SINGLE) ? 3 : p->icw1 & ICW1_IC4 ? 4 : 0;
        break;
    case 3: p->next_icw = p->icw1 & ICW1_IC4 ? 4 : 0; break;
    default:
        p->icw4 = v;
        p->next_icw = 0;
        break;
    }
}

static void write_ocw2(struct pic *p, uint8_t v)
{
    /* in special mask mode masked levels are not ended by a non-specific EOI */
    unsigned urgent = first(p, p->special_mask ? p->isr & ~p->imr : p->isr);

    switch (v >> 5) {
    case AEOI_ROTATE_OFF: p->rotate_aeoi = false; break;
    case AEOI_ROTATE_ON: p->rotate_aeoi = true; break;
    case EOI: end(p, urgent, false); break;
    case EOI_ROTATE: end(p, urgent, true); break;
    case EOI_SPECIFIC: end(p, v & 7, false); break;
    case EOI_SPECIFIC_ROTATE: end(p, v & 7, true); break;
    case SET_PRIORITY: p->lowest = v & 7; break;
    }
}

static void write_ocw3(struct pic *p, uint8_t v)
{
    if (v & OCW3_ESMM)
        p->special_mask = v & OCW3_SMM;
    if (v & OCW3_POLL)
        p->poll = true;
    else if (v & OCW3_RR)
        p->read_isr = v & OCW3_RIS;
}

static void pic_write(struct i8259 *s, unsigned chip, uint64_t offset, uint8_t v)
{
    struct pic *p = &s->pic[chip];

    if (offset == 0) {
        if (v & ICW1_SELECT)
            write_icw1(p, v);
        else if (v & OCW3_SELECT)
            write_ocw3(p, v);
        else
            write_ocw2(p, v);
    } else if (p->next_icw) {
        write_icw(p, v);
    } else {
        p->imr = v;
    }
    update(s);
}

/* The poll command makes the next read an acknowledge. */
static uint8_t read_poll(struct i8259 *s, unsigned chip)
{
    struct pic *p = &s->pic[chip];
    unsigned n = request(p, chip == 0);

    p->poll = false;
    if (n == NONE)
        return 0;
    take(p, n);
    update(s);
    return (uint8_t)(0x80 | n);
}

static uint8_t pic_read(struct i8259 *s, unsigned chip, uint64_t offset)
{
    struct pic *p = &s->pic[chip];

    if (p->poll)
        return read_poll(s, chip);
    if (offset)
        return p->imr;
    return p->read_isr ? p->isr : pic_irr(p);
}

static uint64_t master_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return pic_read(opaque, 0, offset);
}

static void master_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    pic_write(opaque, 0, offset, (uint8_t)value);
}

static uint64_t slave_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return pic_read(opaque, 1, offset);
}

static void slave_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    pic_write(opaque, 1, offset, (uint8_t)value);
}

static uint64_t elcr_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct i8259 *s = opaque;

    (void)size;
    return s->pic[offset].elcr;
}

/* Clock, keyboard, cascade, real-time clock and coprocessor are always edges (PIIX 2.5.2). */
static const uint8_t elcr_mask[2] = { 0xf8, 0xde };

static void elcr_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8259 *s = opaque;

    (void)size;
    s->pic[offset].elcr = (uint8_t)value & elcr_mask[offset];
    update(s);
}

static const struct io_ops pic_io[2] = {
    { .read = master_read, .write = master_write, .own_sizes = { 1, 1 } },
    { .read = slave_read, .write = slave_write, .own_sizes = { 1, 1 } },
};
static const struct io_ops elcr_io = {
    .read = elcr_read,
    .write = elcr_write,
    .own_sizes = { 1, 1 },
};

/* ---- where the host's kernel has them ---- */

void i8259_set_host(struct device *dev, const struct host_irqchip *host)
{
    struct i8259 *s = (struct i8259 *)dev;

    s->host = host;
    for (unsigned n = 0; host && n < 16; n++)
        if (n != CASCADE)
            host->pic_line(host->opaque, n, s->pic[n / 8].lines >> n % 8 & 1);
}

static void store(const struct pic *p, struct host_pic *r)
{
    *r = (struct host_pic){
        .lines = p->lines,
        .latched = p->latched,
        .imr = p->imr,
        .isr = p->isr,
        .elcr = p->elcr,
        .base = p->base,
        .lowest = p->lowest,
        .next_icw = p->next_icw,
        .need_icw4 = p->icw1 & ICW1_IC4,
        .read_isr = p->read_isr,
        .poll = p->poll,
        .special_mask = p->special_mask,
        .rotate_aeoi = p->rotate_aeoi,
        .aeoi = p->icw4 & ICW4_AEOI,
        .nested = p->icw4 & ICW4_SFNM,
    };
}

static void load(struct pic *p, const struct host_pic *r)
{
    *p = (struct pic){
        .lines = p->lines,
        .latched = r->latched,
        .imr = r->imr,
        .isr = r->isr,
        .elcr = r->elcr,
        .base = r->base & 0xf8,
        .lowest = r->lowest & 7,
        .icw1 = r->need_icw4 ? ICW1_SELECT | ICW1_IC4 : ICW1_SELECT,
        .icw4 = (uint8_t)((r->aeoi ? ICW4_AEOI : 0) | (r->nested ? ICW4_SFNM : 0)),
        .next_icw = r->next_icw,
        .read_isr = r->read_isr,
        .poll = r->poll,
        .special_mask = r->special_mask,
        .rotate_aeoi = r->rotate_aeoi,
    };
}

void i8259_registers(struct device *dev, struct host_pic *r, bool to_us)
{
    struct i8259 *s = (struct i8259 *)dev;

    for (unsigned i = 0; i < 2; i++) {
        if (to_us)
            load(&s->pic[i], &r[i]);
        else
            store(&s->pic[i], &r[i]);
    }
}

/* ---- the device ---- */

static bool i8259_realize(struct device *dev, GError **err)
{
    static const char *const names[2] = { "pic", "pic2" };
    struct i8259 *s = (struct i8259 *)dev;

    (void)err;
    for (unsigned i = 0; i < 2; i++) {
        mem_region_init_io(&s->io[i], device_mem(dev), &pic_io[i], s, names[i], 2);
        device_add_region(dev, &s->io[i]);
    }
    mem_region_init_io(&s->elcr_io, device_mem(dev), &elcr_io, s, "elcr", 2);
    device_add_region(dev, &s->elcr_io);
    device_irq_ins(dev, NULL, irq_changed, s, 16);
    device_irq_outs(dev, NULL, &s->out, 1);
    return true;
}

static void i8259_unrealize(struct device *dev)
{
    struct i8259 *s = (struct i8259 *)dev;

    mem_region_destroy(&s->io[0]);
    mem_region_destroy(&s->io[1]);
    mem_region_destroy(&s->elcr_io);
}

/* Levels are the sources' business and stay. */
static void i8259_reset(struct device *dev)
{
    struct i8259 *s = (struct i8259 *)dev;

    for (unsigned i = 0; i < 2; i++)
        s->pic[i] = (struct pic){ .lines = s->pic[i].lines, .lowest = 7 };
    update(s);
}

static bool pic_loaded(void *obj, unsigned version, GError **err)
{
    const struct pic *p = obj;

    (void)version;
    if (p->lowest > 7 || p->next_icw > 4 || p->next_icw == 1 || (p->base & 7))
        return error_set(err, "saved state: isa-i8259: priority, base or command out of range");
    return true;
}

static const struct state_field pic_fields[] = { STATE_U8(struct pic, lines),
                                                 STATE_U8(struct pic, latched),
                                                 STATE_U8(struct pic, imr),
                                                 STATE_U8(struct pic, isr),
                                                 STATE_U8(struct pic, elcr),
                                                 STATE_U8(struct pic, base),
                                                 STATE_U8(struct pic, lowest),
                                                 STATE_U8(struct pic, icw1),
                                                 STATE_U8(struct pic, icw4),
                                                 STATE_U8(struct pic, next_icw),
                                                 STATE_BOOL(struct pic, read_isr),
                                                 STATE_BOOL(struct pic, poll),
                                                 STATE_BOOL(struct pic, special_mask),
                                                 STATE_BOOL(struct pic, rotate_aeoi),
                                                 STATE_END };
static const struct state_table pic_state = {
    .name = "pic", .version = 1, .fields = pic_fields, .post_load = pic_loaded
};

static bool i8259_loaded(void *obj, unsigned version, GError **err)
{
    struct i8259 *s = obj;

    (void)version, (void)err;
    s->pic[0].elcr &= elcr_mask[0];
    s->pic[1].elcr &= elcr_mask[1];
    update(s);
    return true;
}

static const struct state_field i8259_fields[] = { STATE_STRUCT_ARRAY(struct i8259, pic, pic_state),
                                                   STATE_END };
static const struct state_table i8259_state = {
    .name = "i8259", .version = 1, .fields = i8259_fields, .post_load = i8259_loaded
};

static const uint64_t *i8259_counts(const struct device *dev, unsigned *n)
{
    const struct i8259 *s = (const struct i8259 *)dev;

    *n = ARRAY_LEN(s->counts);
    return s->counts;
}

static void i8259_print(struct device *dev, GString *out)
{
    const struct i8259 *s = (const struct i8259 *)dev;

    if (host_irqchip_has_all(s->host))
        s->host->look(s->host->opaque);
    for (unsigned i = 0; i < 2; i++) {
        const struct pic *p = &s->pic[i];

        g_string_append_printf(out,
                               "pic%u: irr=%02x imr=%02x isr=%02x hprio=%u irq_base=%02x rr_sel=%u "
                               "elcr=%02x fnm=%u\n",
                               i, pic_irr(p), p->imr, p->isr, (p->lowest + 1) & 7, p->base,
                               p->read_isr, p->elcr, !!(p->icw4 & ICW4_SFNM));
    }
}

const struct device_type i8259_type = {
    .name = "isa-i8259",
    .help = "two 8259A interrupt controllers",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct i8259),
    .internal = true,
    .category = "misc",
    .realize = i8259_realize,
    .reset = i8259_reset,
    .unrealize = i8259_unrealize,
    .print_irqs = i8259_print,
    .irq_counts = i8259_counts,
    .state = &i8259_state,
};
