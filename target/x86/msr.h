/* Model-specific registers. */
#ifndef X86_MSR_H
#define X86_MSR_H

#include "x86.h"

/* RDMSR and WRMSR without the privilege check; false: #GP(0). */
bool x86_msr_read(struct x86_cpu *c, uint32_t msr, uint64_t *val);
bool x86_msr_write(struct x86_cpu *c, uint32_t msr, uint64_t val);
void x86_msr_reset(struct x86_cpu *c);

#endif
