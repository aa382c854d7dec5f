/* Where messages of I/O APICs, devices and CPUs go (11.6.2, 11.11, 11.12.10). */
#include "apic.h"

#include <base/bits.h>
#include <base/bug.h>

#define BROADCAST8  0xffu
#define BROADCAST32 0xffffffffu

#define ICR_LOGICAL   0x00800
#define ICR_ASSERT    0x04000
#define ICR_LEVEL     0x08000
#define ICR_SHORTHAND 18

enum shorthand { TO_DEST, TO_SELF, TO_ALL, TO_OTHERS };

/* Logical x2APIC ID: cluster and bit within, both from the ID. */
uint32_t lapic_x2_ldr(const struct lapic *l)
{
    return (uint32_t)(l->initial_id >> 4) << 16 | 1u << (l->initial_id & 15);
}

static bool matches_logical(const struct lapic *l, uint32_t dest)
{
    uint8_t ldr = (uint8_t)(l->ldr >> 24);

    if (lapic_x2(l))
        return dest >> 16 == lapic_x2_ldr(l) >> 16 && (dest & lapic_x2_ldr(l) & 0xffff);
    if (l->dfr >> 28 == 0xf) /* flat */
        return dest & ldr;
    if (dest >> 4 == 0xf) /* all clusters */
        return dest & ldr & 0xf;
    return dest >> 4 == ldr >> 4 && (dest & ldr & 0xf);
}

/* @wide: `dest` has 32 bits. */
static bool matches(const struct lapic *l, uint32_t dest, bool logical, bool wide)
{
    if (!lapic_enabled(l))
        return false;
    if (dest == (wide ? BROADCAST32 : BROADCAST8))
        return true;
    if (logical)
        return matches_logical(l, dest);
    return dest == (lapic_x2(l) ? l->initial_id : l->id);
}

/* Of those that the message names, the one with the least priority, in turn among equals. */
static struct lapic *find_lowest(struct apics *a, const struct apic_message *msg, bool wide)
{
    struct lapic *best = NULL;

    for (unsigned i = 0; i < a->cpus; i++) {
        struct lapic *l = &a->lapic[(a->turn + i) % a->cpus];

        if (matches(l, msg->dest, msg->logical, wide) && (l->svr & SVR_ENABLE) &&
            (!best || lapic_ppr(l) < lapic_ppr(best)))
            best = l;
    }
    if (best)
        a->turn = (best->cpu + 1) % a->cpus;
    return best;
}

static void send(struct apics *a, const struct apic_message *msg, bool wide)
{
    if (a->host && !a->host->away) {
        apic_host_send(a, msg);
        return;
    }
    if (msg->mode == APIC_LOWEST) {
        struct lapic *l = find_lowest(a, msg, wide);

        if (l)
            lapic_accept(l, APIC_LOWEST, msg->vector, msg->level);
        return;
    }
    for (unsigned i = 0; i < a->cpus; i++)
        if (matches(&a->lapic[i], msg->dest, msg->logical, wide))
            lapic_accept(&a->lapic[i], msg->mode, msg->vector, msg->level);
}

void apic_send(struct device *dev, const struct apic_message *msg)
{
    send((struct apics *)dev, msg, false);
}

void apic_msi(struct device *dev, uint64_t addr, uint32_t data)
{
    struct apic_message msg = {
        .dest = extract32((uint32_t)addr, 12, 8),
        .logical = addr & 4,
        .mode = extract32(data, 8, 3),
        .vector = (uint8_t)data,
        .level = data & 0x8000,
    };

    apic_send(dev, &msg);
}

/* ---- inter-processor interrupts (11.6.1) ---- */

static void send_shorthand(struct lapic *l, enum shorthand to, const struct apic_message *msg)
{
    struct apics *a = l->all;

    for (unsigned i = 0; i < a->cpus; i++)
        if (to == TO_ALL || (a->lapic[i].cpu == l->cpu) == (to == TO_SELF))
            lapic_accept(&a->lapic[i], msg->mode, msg->vector, false);
}

void lapic_send_ipi(struct lapic *l)
{
    uint32_t low = (uint32_t)l->icr;
    enum shorthand to = low >> ICR_SHORTHAND & 3;
    struct apic_message msg = {
        .dest = lapic_x2(l) ? (uint32_t)(l->icr >> 32) : (uint32_t)(l->icr >> 56),
        .logical = low & ICR_LOGICAL,
        .mode = LVT_MODE_OF(low),
        .vector = (uint8_t)low,
    };

    if (msg.mode <= APIC_LOWEST && msg.vector < 16) {
        lapic_error(l, ESR_SEND_VECTOR);
        return;
    }
    /* INIT level de-assert only set arbitration IDs, which there are none of any more */
    if (msg.mode == APIC_INIT && (low & ICR_LEVEL) && !(low & ICR_ASSERT))
        return;
    if (to == TO_DEST)
        send(l->all, &msg, lapic_x2(l));
    else
        send_shorthand(l, to, &msg);
}

/* ---- ends of level-triggered interrupts ---- */

void apic_on_eoi(struct device *dev, apic_eoi_fn *fn, void *opaque)
{
    struct apics *a = (struct apics *)dev;

    for (unsigned i = 0; i < APIC_EOI_MAX; i++)
        if (!a->eoi[i].fn) {
            a->eoi[i].fn = fn;
            a->eoi[i].opaque = opaque;
            return;
        }
    bug_on(true);
}

void apic_off_eoi(struct device *dev, apic_eoi_fn *fn, void *opaque)
{
    struct apics *a = (struct apics *)dev;

    for (unsigned i = 0; i < APIC_EOI_MAX; i++)
        if (a->eoi[i].fn == fn && a->eoi[i].opaque == opaque)
            a->eoi[i].fn = NULL;
}
