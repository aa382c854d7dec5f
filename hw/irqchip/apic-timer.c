/* The local APIC's timer (11.5.4): counts, periods and TSC deadlines, computed from the virtual
 * clock. */
#include "apic.h"

#include <base/bits.h>

/* A guest that asks for more interrupts than this would get nothing else done, nor would we. */
#define PERIOD_MIN_NS 10000

static int64_t now_ns(const struct lapic *l)
{
    return clock_ns(device_loop(&l->all->dev), CLK_VIRTUAL);
}

/* Figure 11-10: 000 divides by 2, ... 110 by 128, 111 by 1. */
static unsigned divisor(const struct lapic *l)
{
    unsigned code = (l->divide & 3) | (l->divide >> 1 & 4);

    return code == 7 ? 1 : 2u << code;
}

static bool by_deadline(const struct lapic *l)
{
    return l->lvt[LVT_TIMER] & LVT_DEADLINE;
}

static bool is_periodic(const struct lapic *l)
{
    return (l->lvt[LVT_TIMER] & (LVT_DEADLINE | LVT_PERIODIC)) == LVT_PERIODIC;
}

static int64_t period_ns(const struct lapic *l)
{
    return (int64_t)l->count * divisor(l) * (NS_PER_SEC / APIC_HZ);
}

uint32_t lapic_timer_count(const struct lapic *l)
{
    int64_t ticks;

    if (!l->count || by_deadline(l))
        return 0;
    ticks = (now_ns(l) - l->started) / divisor(l) / (NS_PER_SEC / APIC_HZ);
    if (is_periodic(l))
        ticks %= l->count;
    else if (ticks >= l->count)
        return 0;
    return (uint32_t)(l->count - ticks);
}

static void arm_deadline(struct lapic *l)
{
    const struct apics *a = l->all;

    if (a->host || !l->tsc_deadline || !a->ops || !a->ops->tsc_deadline)
        timer_del(&l->timer);
    else
        timer_mod_ns(&l->timer, a->ops->tsc_deadline(a->opaque, l->cpu, l->tsc_deadline));
}

/* The next end of the count after `now`. */
static void arm_count(struct lapic *l, int64_t now)
{
    int64_t period = period_ns(l), n = 1;

    if (l->all->host)
        return;
    if (is_periodic(l)) {
        n = (now - l->started) / period + 1;
        if (period < PERIOD_MIN_NS)
            n += PERIOD_MIN_NS / period;
    } else if (now - l->started >= period) {
        /* it is over; where the interrupt is late, it is still to come */
        return;
    }
    timer_mod_ns(&l->timer, l->started + n * period);
}

static void arm(struct lapic *l, int64_t now)
{
    if (by_deadline(l))
        arm_deadline(l);
    else if (l->count)
        arm_count(l, now);
    else
        timer_del(&l->timer);
}

void lapic_timer_changed(struct lapic *l)
{
    arm(l, now_ns(l));
}

void lapic_timer_began(struct lapic *l, uint32_t left)
{
    l->started =
        now_ns(l) - (int64_t)(l->count - MIN(left, l->count)) * divisor(l) * (NS_PER_SEC / APIC_HZ);
    l->started = MAX(l->started, 0);
}

void lapic_timer_start(struct lapic *l, uint32_t count)
{
    if (by_deadline(l))
        return;
    l->count = count;
    l->started = now_ns(l);
    arm(l, l->started); /* a later look at the clock might find the count over, and nothing armed */
}

void lapic_timer_divide(struct lapic *l, uint32_t divide)
{
    uint32_t left;

    lapic_timer_settle(l);
    left = lapic_timer_count(l);
    l->divide = divide;
    if (!left)
        return;
    lapic_timer_began(l, left);
    arm(l, now_ns(l));
}

void lapic_timer_set_deadline(struct lapic *l, uint64_t tsc)
{
    if (!by_deadline(l))
        return; /* 11.5.4.1: in other modes writes are ignored */
    l->tsc_deadline = tsc;
    arm_deadline(l);
}

void lapic_timer_due(void *opaque)
{
    struct lapic *l = opaque;

    if (by_deadline(l))
        l->tsc_deadline = 0;
    else if (is_periodic(l))
        arm_count(l, now_ns(l));
    lapic_local(l, LVT_TIMER);
}

void lapic_timer_settle(struct lapic *l)
{
    int64_t age = now_ns(l) - l->started;

    if (by_deadline(l) || !l->count || age < period_ns(l))
        return;
    if (is_periodic(l)) { /* what is left of this period may become a count of its own */
        l->started += age / period_ns(l) * period_ns(l);
        return;
    }
    if (!timer_pending(&l->timer))
        return;
    timer_del(&l->timer);
    lapic_timer_due(l);
}
