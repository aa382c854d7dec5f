/* The chips that every PC has had: interrupt controllers, timer, clock. */
#include "pc.h"

#include <hw/acpi/piix4.h>
#include <hw/irqchip/apic.h>
#include <hw/irqchip/ioapic.h>
#include <hw/timer/hpet.h>

static struct device *add_chip(struct pc *pc, const char *type, const char *name, GError **err)
{
    struct device *dev = device_new(&pc->m, device_type_find("pc", type, NULL), name);

    return device_realize(dev, NULL, err) ? dev : NULL;
}

/* Shows the chip's regions at these ports, in order. */
static void place(struct pc *pc, struct device *dev, const uint16_t *ports)
{
    for (unsigned i = 0; i < dev->n_regions; i++)
        mem_region_add(&pc->m.io, ports[i], dev->regions[i]);
}

static bool add_pic(struct pc *pc, GError **err)
{
    static const uint16_t ports[] = { 0x20, 0xa0, 0x4d0 };

    pc->pic = add_chip(pc, "isa-i8259", "pic", err);
    if (!pc->pic)
        return false;
    place(pc, pc->pic, ports);
    for (unsigned i = 0; i < ISA_IRQS; i++)
        device_connect_irq(pc->isa_bridge, i, device_irq_in(pc->pic, i));
    return true;
}

static bool add_clocks(struct pc *pc, GError **err)
{
    static const uint16_t pit_ports[] = { 0x40, 0x61 }, rtc_ports[] = { 0x70, 0x72 };

    pc->pit = add_chip(pc, "isa-pit", "pit", err);
    if (!pc->pit)
        return false;
    place(pc, pc->pit, pit_ports);
    device_connect_irq(pc->pit, 0, isa_bus_line(pc->isa, 0));
    pc->rtc = add_chip(pc, "mc146818rtc", "rtc", err);
    if (!pc->rtc)
        return false;
    place(pc, pc->rtc, rtc_ports);
    device_connect_irq(pc->rtc, 0, isa_bus_line(pc->isa, 8));
    return true;
}

/* ISA's lines go to both kinds of controller; the timer's is at pin 2, where the 8259s' cascade
 * would be. */
static void split_lines(struct pc *pc)
{
    for (unsigned i = 0; i < ISA_IRQS; i++) {
        struct irq_split *s = &pc->irq_split[i];

        s->out[0] = device_irq_in(pc->pic, i);
        if (i != 2)
            s->out[1] = device_irq_in(pc->ioapic, i ? i : 2);
        device_connect_irq(pc->isa_bridge, i, irq_split_in(s));
    }
}

/* The HPET can take the place of timer and clock. */
static bool add_hpet(struct pc *pc, GError **err)
{
    struct device *const clocks[] = { pc->pit, pc->rtc };
    static const unsigned lines[] = { 0, 8 };

    pc->hpet = add_chip(pc, "hpet", "hpet", err);
    if (!pc->hpet)
        return false;
    device_map(pc->hpet, 0, HPET_ADDR);
    for (unsigned i = 0; i < IOAPIC_PINS; i++)
        device_connect_irq(pc->hpet, i, device_irq_in(pc->ioapic, i));
    for (unsigned i = 0; i < 2; i++) {
        device_connect_irq_named(pc->hpet, "legacy", i, isa_bus_line(pc->isa, lines[i]));
        device_connect_irq(clocks[i], 0, device_irq_in_named(pc->hpet, "legacy", i));
    }
    return true;
}

/* The alarm and keys wake the machine up. */
static void add_wake_lines(struct pc *pc)
{
    pc->rtc_split.out[0] = device_irq_in_named(pc->hpet, "legacy", 1);
    pc->rtc_split.out[1] = device_irq_in_named(pc->pm, "wake", PIIX4_WAKE_RTC);
    device_connect_irq(pc->rtc, 0, irq_split_in(&pc->rtc_split));
    pc->kbd_split.out[0] = isa_bus_line(pc->isa, 1);
    pc->kbd_split.out[1] = device_irq_in_named(pc->pm, "wake", PIIX4_WAKE_KEYBOARD);
    device_connect_irq(pc->kbd, 0, irq_split_in(&pc->kbd_split));
}

bool pc_apic_init(struct pc *pc, GError **err)
{
    struct device *apic = device_new(&pc->m, device_type_find("pc", "apic", NULL), "apic");

    device_set_num(apic, "cpus", pc->m.cfg.max_cpus);
    if (!device_realize(apic, NULL, err))
        return false;
    pc->apic = apic;
    device_map(apic, 0, APIC_BASE_ADDR);
    pc->ioapic = add_chip(pc, "ioapic", "ioapic", err);
    if (!pc->ioapic)
        return false;
    device_map(pc->ioapic, 0, IOAPIC_ADDR);
    ioapic_connect(pc->ioapic, apic);
    split_lines(pc);
    device_connect_irq(pc->pic, 0, device_irq_in(apic, 0));
    if (!add_hpet(pc, err))
        return false;
    add_wake_lines(pc);
    return true;
}

static bool add_dma(struct pc *pc, GError **err)
{
    static const uint16_t ports[] = { 0x00, 0x80, 0xc0 };

    pc->dma = add_chip(pc, "i8257", "dma", err);
    if (!pc->dma)
        return false;
    place(pc, pc->dma, ports);
    pc->isa->dma[0] = pc->isa->dma[1] = pc->dma;
    return true;
}

static bool add_keyboard(struct pc *pc, GError **err)
{
    static const uint16_t ports[] = { 0x60, 0x64, 0x92 };

    pc->kbd = add_chip(pc, "i8042", "i8042", err);
    if (!pc->kbd)
        return false;
    place(pc, pc->kbd, ports);
    device_connect_irq(pc->kbd, 0, isa_bus_line(pc->isa, 1));
    device_connect_irq(pc->kbd, 1, isa_bus_line(pc->isa, 12));
    return true;
}

static bool add_floppies(struct pc *pc, GError **err)
{
    struct device *dev = device_new(&pc->m, device_type_find("pc", "isa-fdc", NULL), "fdc");

    return device_realize(dev, &pc->isa->bus, err);
}

static bool add_port(struct pc *pc, const char *type, unsigned index, void *chr, GError **err)
{
    struct device *dev = device_new(&pc->m, device_type_find("pc", type, NULL), NULL);

    device_set_num(dev, "index", index);
    device_set_ptr(dev, "chardev", chr);
    return device_realize(dev, &pc->isa->bus, err);
}

static bool add_serials(struct pc *pc, GError **err)
{
    for (unsigned i = 0; i < MACHINE_SERIALS; i++)
        if (pc->m.serials[i] && !add_port(pc, "isa-serial", i, pc->m.serials[i], err))
            return false;
    return true;
}

static bool add_parallels(struct pc *pc, GError **err)
{
    for (unsigned i = 0; i < MACHINE_PARALLELS; i++)
        if (pc->m.parallels[i] && !add_port(pc, "isa-parallel", i, pc->m.parallels[i], err))
            return false;
    return true;
}

bool pc_legacy_init(struct pc *pc, GError **err)
{
    return add_pic(pc, err) && add_clocks(pc, err) && add_dma(pc, err) && add_keyboard(pc, err) &&
           add_floppies(pc, err) && add_serials(pc, err) && add_parallels(pc, err);
}

void pc_nmi(struct machine *m)
{
    const struct irq_line nmi = device_irq_in_named(((struct pc *)m)->apic, "nmi", 0);

    irq_pulse(&nmi);
}
