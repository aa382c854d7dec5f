/*
 * EFLAGS as a whole, put together from its lazy parts and taken apart again.
 */
#include "debug.h"
#include "flags.h"

uint32_t x86_eflags(const struct x86_cpu *c)
{
    const uint64_t *hot = c->cpu.tcg.hot;

    return x86_flags_compute(hot[SLOT_CC_DST], hot[SLOT_CC_SRC], hot[SLOT_CC_SRC2],
                             hot[SLOT_CC_OP]) |
           c->eflags | FLAG_FIXED | ((int64_t)c->df < 0 ? FLAG_DF : 0);
}

void x86_set_eflags(struct x86_cpu *c, uint32_t val, uint32_t mask)
{
    uint64_t *hot = c->cpu.tcg.hot;

    val = (x86_eflags(c) & ~mask) | (val & mask);
    if (!x86_debug_fetches(c))
        val &= ~(uint32_t)FLAG_RF; /* would only be in force for one instruction */
    hot[SLOT_CC_SRC] = val & FLAGS_ARITH;
    hot[SLOT_CC_OP] = CC_EFLAGS;
    c->df = val & FLAG_DF ? -1 : 1;
    c->eflags = val & ~(uint32_t)(FLAGS_ARITH | FLAG_DF | FLAG_FIXED);
    cpu_update_flags(&c->cpu);
    if (val & FLAG_IF)
        x86_check_irq(c);
}
