/* The layout of XSAVE's area, as CPUID tells it. */
#ifndef X86_CPUID_H
#define X86_CPUID_H

#include "x86.h"

/* Where state component @state (2 and up) lies in the standard format. */
uint32_t x86_xsave_offset(unsigned state);
/* Bytes that an area with these components takes. */
uint32_t x86_xsave_size(uint64_t states, bool compact);

/* Components that XCR0 may have. */
uint64_t x86_xcr0_possible(const struct x86_cpu *c);

#endif
