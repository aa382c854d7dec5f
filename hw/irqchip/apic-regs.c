/* Registers of local APICs, by memory (xAPIC) and by MSR (x2APIC, 11.12). */
#include "apic.h"

#include <base/loop.h>
#include <base/log.h>

/* Version 0x14, six entries in the local vector table, no EOI broadcasts on request. */
#define VERSION 0x01050014u

#define ICR_WRITABLE    0x000ccfffu
#define DFR_FIXED       0x0fffffffu
#define X2_ICR_RESERVED 0xfff33000u

/* What can be written of each entry of the local vector table (figure 11-8). */
static const uint32_t lvt_mask[LVTS] = {
    [LVT_TIMER] = LVT_VECTOR | LVT_MASKED | LVT_PERIODIC | LVT_DEADLINE,
    [LVT_THERMAL] = LVT_VECTOR | LVT_MODE | LVT_MASKED,
    [LVT_PERF] = LVT_VECTOR | LVT_MODE | LVT_MASKED,
    [LVT_LINT0] = LVT_VECTOR | LVT_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASKED,
    [LVT_LINT1] = LVT_VECTOR | LVT_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASKED,
    [LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
};

static bool read_table(const struct lapic *l, unsigned reg, uint32_t *val)
{
    if (reg >= REG_ISR && reg < REG_ISR + APIC_WORDS)
        *val = l->isr[reg - REG_ISR];
    else if (reg >= REG_TMR && reg < REG_TMR + APIC_WORDS)
        *val = l->tmr[reg - REG_TMR];
    else if (reg >= REG_IRR && reg < REG_IRR + APIC_WORDS)
        *val = l->irr[reg - REG_IRR];
    else if (reg >= REG_LVT && reg < REG_LVT + LVTS)
        *val = l->lvt[reg - REG_LVT];
    else
        return false;
    return true;
}

static uint32_t read_id(const struct lapic *l)
{
    return lapic_x2(l) ? l->initial_id : (uint32_t)l->id << 24;
}

static uint32_t read_ldr(const struct lapic *l)
{
    if (lapic_x2(l))
        return (uint32_t)(l->initial_id >> 4) << 16 | 1u << (l->initial_id & 15);
    return l->ldr;
}

bool lapic_read(struct lapic *l, unsigned reg, uint32_t *val)
{
    switch (reg) {
    case REG_ID: *val = read_id(l); return true;
    case REG_VERSION: *val = VERSION; return true;
    case REG_TPR: *val = l->tpr; return true;
    case REG_APR: *val = 0; return !lapic_x2(l);
    case REG_PPR: *val = lapic_ppr(l); return true;
    case REG_EOI: *val = 0; return !lapic_x2(l);
    case REG_RRD: *val = 0; return !lapic_x2(l);
    case REG_LDR: *val = read_ldr(l); return true;
    case REG_DFR: *val = l->dfr; return !lapic_x2(l);
    case REG_SVR: *val = l->svr; return true;
    case REG_ESR: *val = l->esr; return true;
    case REG_ICR: *val = (uint32_t)l->icr; return true;
    case REG_ICR_HIGH: *val = (uint32_t)(l->icr >> 32); return !lapic_x2(l);
    case REG_COUNT_INIT: *val = l->count; return true;
    case REG_COUNT: *val = lapic_timer_count(l); return true;
    case REG_DIVIDE: *val = l->divide; return true;
    default: return read_table(l, reg, val);
    }
}

/* 11.4.7.2: with the APIC switched off by software all local interrupts are masked. */
static void write_svr(struct lapic *l, uint32_t v)
{
    l->svr = v & (0xff | SVR_ENABLE | SVR_NO_EOI_BROADCAST);
    if (!(v & SVR_ENABLE))
        for (unsigned i = 0; i < LVTS; i++)
            l->lvt[i] |= LVT_MASKED;
    lapic_update(l);
}

static void write_lvt(struct lapic *l, unsigned n, uint32_t v)
{
    uint32_t was = l->lvt[n];

    if (n == LVT_TIMER)
        lapic_timer_settle(l);
    l->lvt[n] = v & lvt_mask[n];
    if (!(l->svr & SVR_ENABLE))
        l->lvt[n] |= LVT_MASKED;
    if (n == LVT_TIMER) {
        /* another mode disarms the timer */
        if ((was ^ l->lvt[n]) & LVT_DEADLINE) {
            l->count = 0;
            l->tsc_deadline = 0;
        }
        lapic_timer_changed(l);
    }
    lapic_update(l);
}

bool lapic_write(struct lapic *l, unsigned reg, uint32_t v)
{
    if (reg >= REG_LVT && reg < REG_LVT + LVTS) {
        write_lvt(l, reg - REG_LVT, v);
        return true;
    }
    switch (reg) {
    case REG_ID:
        if (!lapic_x2(l) && v >> 24 != 255)
            l->id = (uint8_t)(v >> 24);
        return !lapic_x2(l);
    case REG_TPR:
        __atomic_store_n(&l->tpr, (uint8_t)v, __ATOMIC_RELAXED);
        lapic_update(l);
        return true;
    case REG_EOI: lapic_eoi(l); return !lapic_x2(l) || !v;
    case REG_LDR: l->ldr = v & 0xff000000; return !lapic_x2(l);
    case REG_DFR: l->dfr = v | DFR_FIXED; return !lapic_x2(l);
    case REG_SVR: write_svr(l, v); return true;
    case REG_ESR:
        l->esr = l->esr_seen;
        l->esr_seen = 0;
        return !lapic_x2(l) || !v;
    case REG_ICR:
        l->icr = (l->icr & ~UINT64_C(0xffffffff)) | (v & ICR_WRITABLE);
        lapic_send_ipi(l);
        return true;
    case REG_ICR_HIGH: l->icr = (uint32_t)l->icr | (uint64_t)v << 32; return true;
    case REG_COUNT_INIT: lapic_timer_start(l, v); return true;
    case REG_DIVIDE: lapic_timer_divide(l, v & 0xb); return true;
    default: return false;
    }
}

/* ---- by memory ---- */

static struct lapic *current(struct apics *a)
{
    unsigned n = a->ops && a->ops->current_cpu ? a->ops->current_cpu(a->opaque) : 0;

    return &a->lapic[n < a->cpus ? n : 0];
}

static uint64_t apic_read(void *opaque, uint64_t offset, unsigned size)
{
    struct lapic *l = current(opaque);
    uint32_t v = 0;

    (void)size;
    if (offset >= 0x1000 || !lapic_enabled(l) || lapic_x2(l))
        return 0xffffffff;
    if (offset % 16)
        return 0;
    if (!lapic_read(l, (unsigned)(offset / 16), &v))
        lapic_error(l, ESR_REGISTER);
    return v;
}

/* Messages of devices come to the same addresses: the registers proper begin at 0x20, so that a
 * write below it, or beyond the page, is one. */
static void apic_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct apics *a = opaque;
    struct lapic *l = current(a);

    (void)size;
    if (offset >= 0x1000 || offset < 0x10 || a->host) {
        apic_msi(&a->dev, APIC_BASE_ADDR + offset, (uint32_t)value);
        return;
    }
    if (!lapic_enabled(l) || lapic_x2(l) || offset % 16)
        return;
    if (!lapic_write(l, (unsigned)(offset / 16), (uint32_t)value))
        lapic_error(l, ESR_REGISTER);
}

const struct io_ops apic_io = {
    .read = apic_read,
    .write = apic_write,
    .own_sizes = { 4, 4 },
};

/* ---- by MSR ---- */

/* 11.12.5.1: x2APIC mode is left only by switching off, and entered only from xAPIC mode. */
static bool write_base(struct lapic *l, uint64_t v)
{
    uint64_t mode = BASE_ENABLE | BASE_X2APIC, allowed = APIC_BASE_ADDR | mode | BASE_BSP;
    bool x2 = v & BASE_X2APIC;

    if (v & ~(allowed | UINT64_C(0xffffff000)))
        return false;
    if ((x2 && (!(v & BASE_ENABLE) || !l->all->x2apic)) || (x2 && !(l->base & BASE_ENABLE)) ||
        (lapic_x2(l) && !x2 && (v & BASE_ENABLE)))
        return false;
    if ((v & UINT64_C(0xffffff000)) != APIC_BASE_ADDR)
        log_unimp("apic: the registers stay at 0x%x\n", APIC_BASE_ADDR);
    if ((l->base & BASE_ENABLE) && !(v & BASE_ENABLE))
        lapic_reset(l);
    if (x2 && !lapic_x2(l))
        l->icr &= 0xffffffff;
    l->base = (v & (mode | BASE_BSP)) | APIC_BASE_ADDR;
    lapic_update(l);
    return true;
}

static bool read_x2(struct lapic *l, unsigned reg, uint64_t *val)
{
    uint32_t v;

    if (!lapic_x2(l) || reg >= REG_END)
        return false;
    if (reg == REG_ICR) {
        *val = l->icr;
        return true;
    }
    if (!lapic_read(l, reg, &v))
        return false;
    *val = v;
    return true;
}

static bool write_icr(struct lapic *l, uint64_t v)
{
    if (v & X2_ICR_RESERVED)
        return false;
    l->icr = v;
    lapic_send_ipi(l);
    return true;
}

/* Reserved bits fault here, where memory-mapped registers ignore them. */
static bool write_x2(struct lapic *l, unsigned reg, uint64_t v)
{
    if (!lapic_x2(l) || reg >= REG_END)
        return false;
    if (reg == REG_ICR)
        return write_icr(l, v);
    if (v >> 32 || reg == REG_ICR_HIGH)
        return false;
    if (reg == REG_SELF_IPI) {
        if (v >> 8)
            return false;
        if (v < 16)
            lapic_error(l, ESR_SEND_VECTOR);
        else
            lapic_accept(l, APIC_FIXED, (uint8_t)v, false);
        return true;
    }
    if ((reg == REG_TPR && v >> 8) || ((reg == REG_EOI || reg == REG_ESR) && v))
        return false;
    return lapic_write(l, reg, (uint32_t)v);
}

bool apic_cpu_read_msr(void *lapic, uint32_t msr, uint64_t *val)
{
    struct lapic *l = lapic;
    struct loop *loop = device_loop(&l->all->dev);
    bool taken = loop_lock_if(loop), ok = true;

    if (msr == MSR_APIC_BASE)
        *val = l->base;
    else if (msr == MSR_TSC_DEADLINE)
        *val = l->tsc_deadline;
    else
        ok = msr >= MSR_X2APIC && read_x2(l, msr - MSR_X2APIC, val);
    loop_unlock_if(loop, taken);
    return ok;
}

bool apic_cpu_write_msr(void *lapic, uint32_t msr, uint64_t val)
{
    struct lapic *l = lapic;
    struct loop *loop = device_loop(&l->all->dev);
    bool taken = loop_lock_if(loop), ok = true;

    if (msr == MSR_APIC_BASE)
        ok = write_base(l, val);
    else if (msr == MSR_TSC_DEADLINE)
        lapic_timer_set_deadline(l, val);
    else
        ok = msr >= MSR_X2APIC && write_x2(l, msr - MSR_X2APIC, val);
    loop_unlock_if(loop, taken);
    return ok;
}
