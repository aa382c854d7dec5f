/* Local APICs: accepting and handing on interrupts, and the device; see hw/irqchip/apic.h. */
#include "apic.h"

#include <string.h>
#include <base/bits.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/loop.h>
#include <hw/irqchip/i8259.h>

#define LINT0 0x01
#define LINT1 0x02

/* ---- vectors ---- */

static bool bit_get(const uint32_t *map, unsigned n)
{
    return map[n / 32] >> (n % 32) & 1;
}

static void bit_put(uint32_t *map, unsigned n, bool on)
{
    map[n / 32] = (map[n / 32] & ~(1u << (n % 32))) | (uint32_t)on << (n % 32);
}

/* The highest vector of a map, -1 for none. */
static int highest(const uint32_t *map)
{
    for (int w = APIC_WORDS - 1; w >= 0; w--)
        if (map[w])
            return w * 32 + 31 - (int)clz32(map[w]);
    return -1;
}

/* 11.8.3.1: the higher of task priority and of what is in service. */
uint8_t lapic_ppr(const struct lapic *l)
{
    int isrv = highest(l->isr);

    if (isrv < 0 || (l->tpr & 0xf0) >= (isrv & 0xf0))
        return l->tpr;
    return isrv & 0xf0;
}

/* The vector to be given to the CPU, -1 for none. */
static int deliverable(const struct lapic *l)
{
    int v = highest(l->irr);

    if (v < 0 || !(l->svr & SVR_ENABLE) || (v & 0xf0) <= (lapic_ppr(l) & 0xf0))
        return -1;
    return v;
}

/* Whether the 8259s' interrupt gets through to the CPU. A disabled APIC leaves LINT0 to be INTR. */
static bool extint_waits(const struct lapic *l)
{
    uint32_t lint0 = l->lvt[LVT_LINT0];

    if (!lapic_enabled(l))
        return l->lines & LINT0;
    if (l->extint)
        return true;
    return (l->lines & LINT0) && !(lint0 & LVT_MASKED) && LVT_MODE_OF(lint0) == APIC_EXTINT;
}

void lapic_update(struct lapic *l)
{
    bool on = extint_waits(l) || (lapic_enabled(l) && deliverable(l) >= 0);

    if (!l->all->host)
        irq_set(&l->all->intr[l->cpu], on);
}

/* ---- interrupts that come ---- */

void lapic_error(struct lapic *l, uint32_t bits)
{
    bool news = bits & ~l->esr_seen;

    l->esr_seen |= bits;
    if (news)
        lapic_local(l, LVT_ERROR);
}

static void accept_vector(struct lapic *l, uint8_t vector, bool level)
{
    if (vector < 16) {
        lapic_error(l, ESR_RECEIVE_VECTOR);
        return;
    }
    if (!(l->svr & SVR_ENABLE))
        return; /* 11.4.7.2 */
    bit_put(l->irr, vector, true);
    bit_put(l->tmr, vector, level);
    lapic_update(l);
}

/* 11.4.7.3: INIT leaves the ID and the base address. */
static void accept_init(struct lapic *l)
{
    uint8_t id = l->id;
    uint64_t base = l->base;

    lapic_reset(l);
    l->id = id;
    l->base = base;
    lapic_update(l);
    irq_pulse(&l->all->init[l->cpu]);
}

void lapic_accept(struct lapic *l, uint8_t mode, uint8_t vector, bool level)
{
    const struct apics *a = l->all;

    if (!lapic_enabled(l))
        return;
    switch (mode) {
    case APIC_FIXED:
    case APIC_LOWEST: accept_vector(l, vector, level); break;
    case APIC_SMI: irq_pulse(&a->smi[l->cpu]); break;
    case APIC_NMI: irq_pulse(&a->nmi[l->cpu]); break;
    case APIC_INIT: accept_init(l); break;
    case APIC_SIPI:
        if (a->ops && a->ops->sipi)
            a->ops->sipi(a->opaque, l->cpu, vector);
        break;
    case APIC_EXTINT:
        l->extint = true;
        lapic_update(l);
        break;
    }
}

void lapic_local(struct lapic *l, enum apic_lvt n)
{
    uint32_t lvt = l->lvt[n];
    uint8_t mode = n == LVT_TIMER || n == LVT_ERROR ? APIC_FIXED : LVT_MODE_OF(lvt);

    if (!(lvt & LVT_MASKED))
        lapic_accept(l, mode, lvt & LVT_VECTOR, false);
}

/* LINT0 and LINT1, which 8259s and NMI drive. ExtINT follows the line, all else takes its edge. */
void lapic_set_lines(struct lapic *l, uint8_t lines)
{
    uint8_t rose = lines & ~l->lines;

    l->lines = lines;
    if (l->all->host)
        return;
    if (!lapic_enabled(l)) {
        if (rose & LINT1)
            irq_pulse(&l->all->nmi[l->cpu]);
    } else {
        if ((rose & LINT0) && LVT_MODE_OF(l->lvt[LVT_LINT0]) != APIC_EXTINT)
            lapic_local(l, LVT_LINT0);
        if (rose & LINT1)
            lapic_local(l, LVT_LINT1);
    }
    lapic_update(l);
}

void lapic_eoi(struct lapic *l)
{
    int v = highest(l->isr);

    if (v < 0)
        return;
    bit_put(l->isr, (unsigned)v, false);
    if (bit_get(l->tmr, (unsigned)v) && !(l->svr & SVR_NO_EOI_BROADCAST))
        for (unsigned i = 0; i < APIC_EOI_MAX; i++)
            if (l->all->eoi[i].fn)
                l->all->eoi[i].fn(l->all->eoi[i].opaque, (uint8_t)v);
    lapic_update(l);
}

/* ---- the CPU's side ---- */

static int ack(struct lapic *l)
{
    if (l->all->host)
        return apic_host_ack(l);
    int v = lapic_enabled(l) ? deliverable(l) : -1;

    if (v >= 0) {
        bit_put(l->irr, (unsigned)v, false);
        bit_put(l->isr, (unsigned)v, true);
    } else if (extint_waits(l) && l->all->pic) {
        l->extint = false;
        v = i8259_ack(l->all->pic);
    }
    lapic_update(l);
    return v;
}

int apic_cpu_ack(void *lapic)
{
    struct lapic *l = lapic;
    struct loop *loop = device_loop(&l->all->dev);
    bool taken = loop_lock_if(loop);
    int v = ack(l);

    loop_unlock_if(loop, taken);
    return v;
}

unsigned apic_cpu_get_tpr(void *lapic)
{
    return __atomic_load_n(&((struct lapic *)lapic)->tpr, __ATOMIC_RELAXED) >> 4;
}

void apic_cpu_set_tpr(void *lapic, unsigned tpr)
{
    struct lapic *l = lapic;
    struct loop *loop = device_loop(&l->all->dev);
    bool taken = loop_lock_if(loop);

    __atomic_store_n(&l->tpr, (uint8_t)(tpr << 4), __ATOMIC_RELAXED);
    lapic_update(l);
    loop_unlock_if(loop, taken);
}

/* ---- the device ---- */

void lapic_reset(struct lapic *l)
{
    timer_del(&l->timer);
    l->base = APIC_BASE_ADDR | BASE_ENABLE | (l->cpu ? 0 : BASE_BSP);
    l->id = l->initial_id;
    l->tpr = 0;
    l->ldr = l->esr = l->esr_seen = l->divide = l->count = 0;
    l->icr = l->tsc_deadline = 0;
    l->started = 0;
    l->dfr = ~0u;
    l->svr = 0xff;
    for (unsigned i = 0; i < LVTS; i++)
        l->lvt[i] = LVT_MASKED;
    memset(l->isr, 0, sizeof(l->isr));
    memset(l->tmr, 0, sizeof(l->tmr));
    memset(l->irr, 0, sizeof(l->irr));
    l->extint = false;
}

static void apic_reset(struct device *dev)
{
    struct apics *a = (struct apics *)dev;

    a->turn = 0;
    for (unsigned i = 0; i < a->cpus; i++) {
        lapic_reset(&a->lapic[i]);
        lapic_update(&a->lapic[i]);
    }
}

void apic_virtual_wire(struct device *dev)
{
    struct lapic *l = &((struct apics *)dev)->lapic[0];

    l->svr |= SVR_ENABLE;
    l->lvt[LVT_LINT0] = APIC_EXTINT << 8;
    l->lvt[LVT_LINT1] = APIC_NMI << 8;
    lapic_update(l);
}

static void set_all_lines(struct apics *a, uint8_t bit, bool level)
{
    for (unsigned i = 0; i < a->cpus; i++) {
        struct lapic *l = &a->lapic[i];

        lapic_set_lines(l, level ? l->lines | bit : l->lines & ~bit);
    }
}

static void pic_changed(void *opaque, unsigned n, bool level)
{
    struct apics *a = opaque;

    (void)n;
    set_all_lines(a, LINT0, level);
    if (a->host && !a->host->all) /* whose kernel knows whether the first CPU takes it */
        irq_set(&a->intr[0], level);
}

static void nmi_changed(void *opaque, unsigned n, bool level)
{
    struct apics *a = opaque;

    (void)n;
    for (unsigned i = 0; a->host && level && i < a->cpus; i++)
        irq_pulse(&a->nmi[i]); /* the CPU's thread asks the kernel whether LINT1 takes it */
    set_all_lines(a, LINT1, level);
}

void apic_connect(struct device *dev, const struct apic_board_ops *ops, void *opaque,
                  struct device *pic)
{
    struct apics *a = (struct apics *)dev;

    a->ops = ops;
    a->opaque = opaque;
    a->pic = pic;
}

void apic_set_id(struct device *dev, unsigned cpu, uint8_t id)
{
    struct apics *a = (struct apics *)dev;

    bug_on(cpu >= a->cpus || id == 255);
    a->lapic[cpu].initial_id = a->lapic[cpu].id = id;
}

void *apic_of_cpu(struct device *dev, unsigned cpu)
{
    struct apics *a = (struct apics *)dev;

    bug_on(cpu >= a->cpus);
    return &a->lapic[cpu];
}

static bool apic_realize(struct device *dev, GError **err)
{
    struct apics *a = (struct apics *)dev;
    struct irq_line *lines = g_new0(struct irq_line, 4 * a->cpus);

    (void)err;
    a->lapic = g_new0(struct lapic, a->cpus);
    a->intr = lines;
    a->nmi = lines + a->cpus;
    a->smi = lines + 2 * a->cpus;
    a->init = lines + 3 * a->cpus;
    for (unsigned i = 0; i < a->cpus; i++) {
        struct lapic *l = &a->lapic[i];

        l->all = a;
        l->cpu = i;
        l->initial_id = (uint8_t)i;
        timer_init(&l->timer, device_loop(dev), CLK_VIRTUAL, lapic_timer_due, l);
        lapic_reset(l);
    }
    mem_region_init_io(&a->io, device_mem(dev), &apic_io, a, "apic-msi", 0x100000);
    device_add_region(dev, &a->io);
    device_irq_ins(dev, NULL, pic_changed, a, 1);
    device_irq_ins(dev, "nmi", nmi_changed, a, 1);
    device_irq_outs(dev, "intr", a->intr, a->cpus);
    device_irq_outs(dev, "nmi", a->nmi, a->cpus);
    device_irq_outs(dev, "smi", a->smi, a->cpus);
    device_irq_outs(dev, "init", a->init, a->cpus);
    return true;
}

static void apic_unrealize(struct device *dev)
{
    struct apics *a = (struct apics *)dev;

    mem_region_destroy(&a->io);
    for (unsigned i = 0; i < a->cpus; i++)
        timer_del(&a->lapic[i].timer);
    g_free(a->lapic);
    g_free(a->intr);
}

static bool lapic_loaded(void *obj, unsigned version, GError **err)
{
    struct lapic *l = obj;

    (void)version;
    if ((l->isr[0] | l->irr[0]) & 0xffff || l->started < 0 || l->id == 255)
        return error_set(err, "saved state: apic: vectors, time or ID out of range");
    timer_del(&l->timer);
    lapic_timer_changed(l);
    lapic_update(l);
    return true;
}

static const struct state_field lapic_fields[] = {
    STATE_U64(struct lapic, base),         STATE_U8(struct lapic, id),
    STATE_U8(struct lapic, tpr),           STATE_U32(struct lapic, ldr),
    STATE_U32(struct lapic, dfr),          STATE_U32(struct lapic, svr),
    STATE_U32(struct lapic, esr),          STATE_U32(struct lapic, esr_seen),
    STATE_U32(struct lapic, divide),       STATE_U64(struct lapic, icr),
    STATE_ARRAY(struct lapic, lvt),        STATE_ARRAY(struct lapic, isr),
    STATE_ARRAY(struct lapic, tmr),        STATE_ARRAY(struct lapic, irr),
    STATE_U8(struct lapic, lines),         STATE_BOOL(struct lapic, extint),
    STATE_U32(struct lapic, count),        STATE_I64(struct lapic, started),
    STATE_U64(struct lapic, tsc_deadline), STATE_END
};
static const struct state_table lapic_state = {
    .name = "lapic", .version = 1, .fields = lapic_fields, .post_load = lapic_loaded
};

static const struct state_field apic_fields[] = {
    STATE_STRUCT_VARRAY(struct apics, lapic, cpus, APIC_CPUS_MAX, lapic_state), STATE_END
};
static const struct state_table apic_state = { .name = "apic",
                                               .version = 1,
                                               .fields = apic_fields };

static const struct prop apic_props[] = {
    PROP_U32(struct apics, cpus, "cpus", 1, "how many", .min = 1, .max = APIC_CPUS_MAX),
    PROP_BOOL(struct apics, x2apic, "x2apic", true, "whether they have x2APIC mode"), PROP_LIST_END
};

static void print_map(GString *out, const char *name, const uint32_t *map, const uint32_t *level)
{
    bool any = false;

    g_string_append_printf(out, "%s\t", name);
    for (unsigned v = 0; v < 256; v++)
        if (bit_get(map, v)) {
            g_string_append_printf(out, " %u%s", v, bit_get(level, v) ? "(level)" : "");
            any = true;
        }
    g_string_append(out, any ? "\n" : " (none)\n");
}

static void print_lvt(GString *out, const char *name, uint32_t lvt, bool timer)
{
    static const char *const modes[] = { "Fixed", "...",  "SMI", "...",
                                         "NMI",   "INIT", "...", "ExtINT" };
    static const char *const timers[] = { "one-shot", "periodic", "tsc-deadline", "..." };
    unsigned mode = LVT_MODE_OF(lvt);

    g_string_append_printf(out, "%s\t 0x%08x %s %-5s %-6s %-7s %-12s %-6s", name, lvt,
                           lvt & LVT_POLARITY ? "active-lo" : "active-hi",
                           lvt & LVT_LEVEL ? "level" : "edge", lvt & LVT_MASKED ? "masked" : "",
                           lvt & LVT_PENDING ? "pending" : "", timer ? timers[lvt >> 17 & 3] : "",
                           modes[mode]);
    if (mode == APIC_FIXED || mode == APIC_EXTINT)
        g_string_append_printf(out, " (vec %u)", lvt & LVT_VECTOR);
    g_string_append_c(out, '\n');
}

static void print_icr(GString *out, const struct lapic *l)
{
    static const char *const to[] = { " no-shorthand", " self", " all-self", " all" };
    uint32_t icr = (uint32_t)l->icr, high = (uint32_t)(l->icr >> 32);

    g_string_append_printf(out, "ICR\t 0x%08x %s %s %s%s\nICR2\t 0x%08x", icr,
                           icr & 0x0800 ? "logical" : "physical", icr & 0x8000 ? "level" : "edge",
                           icr & 0x4000 ? "assert" : "de-assert", to[icr >> 18 & 3], high);
    if (!(icr >> 18 & 3) && !(icr & 0x0800))
        g_string_append_printf(out, " cpu %u (APIC ID)", high >> 24);
    g_string_append_c(out, '\n');
}

static void lapic_print(const struct lapic *l, GString *out)
{
    static const struct {
        const char *name;
        enum apic_lvt n;
    } lvts[] = { { "LVT0", LVT_LINT0 },   { "LVT1", LVT_LINT1 },      { "LVTPC", LVT_PERF },
                 { "LVTERR", LVT_ERROR }, { "LVTTHMR", LVT_THERMAL }, { "LVTT", LVT_TIMER } };
    unsigned divide = ((l->divide & 3) | (l->divide >> 1 & 4)) + 1;

    g_string_append_printf(out, "dumping local APIC state for CPU %-2u%s\n\n", l->cpu,
                           !lapic_enabled(l) ? "(disabled)"
                           : lapic_x2(l)     ? "(x2APIC)"
                                             : "");
    for (unsigned i = 0; i < ARRAY_LEN(lvts); i++)
        print_lvt(out, lvts[i].name, l->lvt[lvts[i].n], lvts[i].n == LVT_TIMER);
    g_string_append_printf(
        out, "Timer\t DCR=0x%x (divide by %u) initial_count = %u current_count = %u\n", l->divide,
        1u << (divide & 7), l->count, lapic_timer_count(l));
    g_string_append_printf(out, "SPIV\t 0x%08x APIC %s, focus=%s, spurious vec %u\n", l->svr,
                           l->svr & SVR_ENABLE ? "enabled" : "disabled",
                           l->svr & 0x200 ? "on" : "off", l->svr & 0xff);
    print_icr(out, l);
    g_string_append_printf(out, "ESR\t 0x%08x\n", l->esr_seen);
    print_map(out, "ISR", l->isr, l->tmr);
    print_map(out, "IRR", l->irr, l->tmr);
    g_string_append_printf(out, "\nAPR 0x00 TPR 0x%02x DFR 0x%02x LDR 0x%02x PPR 0x%02x\n", l->tpr,
                           l->dfr >> 28, l->ldr >> 24, lapic_ppr(l));
}

static void apic_print(struct device *dev, GString *out)
{
    const struct apics *a = (const struct apics *)dev;

    for (unsigned i = 0; i < a->cpus; i++)
        lapic_print(&a->lapic[i], out);
}

const struct device_type apic_type = {
    .name = "apic",
    .help = "local APICs of all CPUs",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct apics),
    .internal = true,
    .category = "misc",
    .realize = apic_realize,
    .reset = apic_reset,
    .unrealize = apic_unrealize,
    .print_irqs = apic_print,
    .props = apic_props,
    .state = &apic_state,
};
