/*
 * Floating-point and vector state in memory: layout of the XSAVE area, MXCSR.
 *
 * CPUID leaf 0xd tells guests the same offsets and sizes.
 */
#ifndef X86_FPSTATE_H
#define X86_FPSTATE_H

#include "sys.h"

/* XSAVE components: bits of XCR0. */
enum {
    XSTATE_X87 = 0,
    XSTATE_SSE = 1,
    XSTATE_AVX = 2,
    XSTATE_OPMASK = 5,
    XSTATE_ZMM_HIGH = 6,
    XSTATE_ZMM_MORE = 7,
    XSTATE_PKRU = 9
};

/* Legacy region and header come first. Offsets are those of the standard format; in the compacted
 * one a component follows the one before it. */
enum {
    XSAVE_HEADER_END = 576,
    XSAVE_AVX_OFFSET = 576,
    XSAVE_AVX_BYTES = 256,
    XSAVE_PKRU_OFFSET = 832,
    XSAVE_PKRU_BYTES = 8,
    XSAVE_BYTES = 840,
};
#define XCOMP_COMPACT BIT(63)

enum {
    MXCSR_IE = 1 << 0,
    MXCSR_DE = 1 << 1,
    MXCSR_ZE = 1 << 2,
    MXCSR_OE = 1 << 3,
    MXCSR_UE = 1 << 4,
    MXCSR_PE = 1 << 5,
    MXCSR_EXC = 0x3f,
    MXCSR_DAZ = 1 << 6,
    MXCSR_MASK_SHIFT = 7,
    MXCSR_RC_SHIFT = 13,
    MXCSR_FTZ = 1 << 15,
    MXCSR_INIT = 0x1f80,
    MXCSR_MASK = 0xffff, /* bits that exist */
};

/* How FXSAVE and its relatives are done, beside the MMU mode in the low 4 bits. */
enum { FX_CODE64 = 16, FX_REXW = 32, FX_OPT = 64, FX_COMPACT = 128 };

/* Byte @offset of an operand at @addr; one beyond its segment's limit stays so. */
static inline uint64_t x86_operand_at(const struct x86_cpu *c, uint64_t addr, uint64_t offset)
{
    if (!x86_code64(c) && x86_is_slow_address(addr))
        return addr + offset;
    return x86_linear(c, addr + offset);
}
/* Faults as a store of the byte at the linear address @addr would, which it does not change. */
static inline void x86_touch(struct x86_cpu *c, uint64_t addr, unsigned mode)
{
    cpu_amo(&c->cpu, addr, 0, IR_MEM(0, mode, 0), IR_AMO_OR);
}
/* The same for @bytes, at most a page. */
static inline void x86_touch_bytes(struct x86_cpu *c, uint64_t addr, unsigned bytes, unsigned mode)
{
    uint64_t last = addr + bytes - 1;

    x86_touch(c, addr, mode);
    if ((addr ^ last) & TCG_PAGE_MASK)
        x86_touch(c, last & TCG_PAGE_MASK, mode);
}

/* MXCSR with all exceptions raised so far. On the CPU's thread. */
uint32_t x86_mxcsr(struct x86_cpu *c);
/* Sets it, the host's rounding and flushing with it, and unit flags. */
void x86_set_mxcsr(struct x86_cpu *c, uint32_t val);
/* Whether SSE arithmetic must go through exact helpers (UF_FPSLOW): an exception is unmasked. */
static inline bool x86_fp_slow(const struct x86_cpu *c)
{
    return (c->mxcsr >> MXCSR_MASK_SHIFT & MXCSR_EXC) != MXCSR_EXC;
}
/* XINUSE and XCR0, as XGETBV with ECX = 1 reads them. */
uint64_t x86_xinuse(struct x86_cpu *c);

#endif
