/*
 * The time-stamp counter: 1 GHz, so that it counts nanoseconds of the machine's virtual clock.
 */
#ifndef X86_TSC_H
#define X86_TSC_H

#include "x86.h"

#define X86_TSC_HZ UINT64_C(1000000000)

/* Who reads it for the guest calls cpu_sync_time() before. */
static inline uint64_t x86_tsc(const struct x86_cpu *c)
{
    return (c->loop ? (uint64_t)clock_ns(c->loop, CLK_VIRTUAL) : 0) + c->tsc_offset;
}
static inline void x86_tsc_set(struct x86_cpu *c, uint64_t val)
{
    c->tsc_offset += val - x86_tsc(c);
}

#endif
