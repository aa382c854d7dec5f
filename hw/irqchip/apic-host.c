/*
 * Local APICs that the host's kernel runs (KVM): messages go there, and while CPUs are stopped
 * their registers are here, so that saving, printing and resetting know no difference. The page of
 * registers has the layout of the memory-mapped ones (table 11-1).
 */
#include "apic.h"

#include <string.h>
#include <base/bits.h>
#include <base/loop.h>
#include <hw/irqchip/i8259.h>

void apic_set_host(struct device *dev, const struct host_irqchip *host)
{
    ((struct apics *)dev)->host = host;
}

void apic_host_send(struct apics *a, const struct apic_message *msg)
{
    uint32_t addr = APIC_BASE_ADDR | (msg->dest & 0xff) << 12 | (msg->logical ? 4 : 0);
    uint32_t data = msg->vector | (uint32_t)msg->mode << 8 | (msg->level ? 0xc000 : 0);

    a->host->message(a->host->opaque, addr, data);
}

void apic_route(struct device *dev, unsigned pin, const struct apic_message *msg)
{
    struct apics *a = (struct apics *)dev;
    uint32_t addr = APIC_BASE_ADDR | (msg->dest & 0xff) << 12 | (msg->logical ? 4 : 0);
    uint32_t data = msg->vector | (uint32_t)msg->mode << 8 | (msg->level ? 0xc000 : 0);

    if (a->host && !a->host->all)
        a->host->route(a->host->opaque, pin, addr, data);
}

void apic_cpu_eoi(void *lapic, uint8_t vector)
{
    struct apics *a = ((struct lapic *)lapic)->all;
    struct loop *loop = device_loop(&a->dev);
    bool taken = loop_lock_if(loop);

    for (unsigned i = 0; i < APIC_EOI_MAX; i++)
        if (a->eoi[i].fn)
            a->eoi[i].fn(a->eoi[i].opaque, vector);
    loop_unlock_if(loop, taken);
}

int apic_host_ack(struct lapic *l)
{
    return l->all->pic && i8259_pending(l->all->pic) ? i8259_ack(l->all->pic) : -1;
}

/* ---- the page of registers ---- */

static void put(uint8_t *page, unsigned reg, uint32_t v)
{
    stl_le(page + 16 * reg, v);
}

static uint32_t get(const uint8_t *page, unsigned reg)
{
    return ldl_le(page + 16 * reg);
}

static const struct {
    uint8_t reg;
    uint16_t offset;
} plain[] = {
    { REG_DFR, offsetof(struct lapic, dfr) },
    { REG_SVR, offsetof(struct lapic, svr) },
    { REG_ESR, offsetof(struct lapic, esr) },
    { REG_DIVIDE, offsetof(struct lapic, divide) },
    { REG_COUNT_INIT, offsetof(struct lapic, count) },
};

static uint32_t *field(struct lapic *l, unsigned i)
{
    return (uint32_t *)((char *)l + plain[i].offset);
}

static void put_all(struct lapic *l, uint8_t *page)
{
    put(page, REG_ID, (uint32_t)(lapic_x2(l) ? l->initial_id : l->id) << 24);
    put(page, REG_VERSION, 0x14 | (LVTS - 1) << 16);
    put(page, REG_TPR, l->tpr);
    put(page, REG_LDR, lapic_x2(l) ? lapic_x2_ldr(l) : l->ldr);
    put(page, REG_ICR, (uint32_t)l->icr);
    put(page, REG_ICR_HIGH, (uint32_t)(l->icr >> 32));
    put(page, REG_COUNT, lapic_timer_count(l));
    for (unsigned i = 0; i < ARRAY_LEN(plain); i++)
        put(page, plain[i].reg, *field(l, i));
    for (unsigned i = 0; i < LVTS; i++)
        put(page, REG_LVT + i, l->lvt[i]);
    for (unsigned i = 0; i < APIC_WORDS; i++) {
        put(page, REG_ISR + i, l->isr[i]);
        put(page, REG_TMR + i, l->tmr[i]);
        put(page, REG_IRR + i, l->irr[i]);
    }
}

static void get_all(struct lapic *l, const uint8_t *page)
{
    l->id = (uint8_t)(get(page, REG_ID) >> 24);
    __atomic_store_n(&l->tpr, (uint8_t)get(page, REG_TPR), __ATOMIC_RELAXED);
    if (!lapic_x2(l))
        l->ldr = get(page, REG_LDR);
    l->icr = get(page, REG_ICR) | (uint64_t)get(page, REG_ICR_HIGH) << 32;
    for (unsigned i = 0; i < ARRAY_LEN(plain); i++)
        *field(l, i) = get(page, plain[i].reg);
    for (unsigned i = 0; i < LVTS; i++)
        l->lvt[i] = get(page, REG_LVT + i);
    for (unsigned i = 0; i < APIC_WORDS; i++) {
        l->isr[i] = get(page, REG_ISR + i);
        l->tmr[i] = get(page, REG_TMR + i);
        l->irr[i] = get(page, REG_IRR + i);
    }
    lapic_timer_began(l, get(page, REG_COUNT));
}

void apic_cpu_page(void *lapic, uint8_t *page, bool load)
{
    struct lapic *l = lapic;
    struct loop *loop = device_loop(&l->all->dev);
    bool taken = loop_lock_if(loop);

    if (load)
        get_all(l, page);
    else
        put_all(l, page);
    loop_unlock_if(loop, taken);
}
