/*
 * Arithmetic flags from what lazy evaluation kept (flags.h; Intel volume 1, 3.4.3.1).
 */
#include "flags.h"
#include "helper.h"

static bool parity(uint64_t res)
{
    return !__builtin_parity(res & 0xff);
}

/* CF, AF, OF from operands and result. */
static uint64_t of_add(uint64_t a, uint64_t b, uint64_t res, bool carry, uint64_t top)
{
    return (carry ? FLAG_CF : 0) | ((a ^ b ^ res) & FLAG_AF) |
           ((a ^ res) & (b ^ res) & top ? FLAG_OF : 0);
}

static uint64_t of_sub(uint64_t a, uint64_t b, uint64_t res, bool borrow, uint64_t top)
{
    return (borrow ? FLAG_CF : 0) | ((a ^ b ^ res) & FLAG_AF) |
           ((a ^ b) & (a ^ res) & top ? FLAG_OF : 0);
}

uint64_t x86_flags_compute(uint64_t dst, uint64_t src, uint64_t src2, uint64_t op)
{
    unsigned bits = 8u << (op & 3);
    uint64_t mask = ~UINT64_C(0) >> (64 - bits), top = UINT64_C(1) << (bits - 1);
    uint64_t full = src, f = 0, res;

    dst &= mask;
    src &= mask;
    res = dst;
    switch (op & ~UINT64_C(3)) {
    case CC_EFLAGS: return full & FLAGS_ARITH;
    case CC_ADD: f = of_add(res - src, src, res, res < src, top); break;
    case CC_ADC:
        f = of_add((res - src - src2) & mask, src, res, src2 ? res <= src : res < src, top);
        break;
    case CC_SUB:
        res = (dst - src) & mask;
        f = of_sub(dst, src, res, dst < src, top);
        break;
    case CC_SBB:
        res = (dst - src - src2) & mask;
        f = of_sub(dst, src, res, src2 ? dst <= src : dst < src, top);
        break;
    case CC_LOGIC: break;
    case CC_INC:
        f = (full & FLAG_CF) | (res & 15 ? 0 : FLAG_AF) | (res == top ? FLAG_OF : 0);
        break;
    case CC_DEC:
        f = (full & FLAG_CF) | ((res & 15) == 15 ? FLAG_AF : 0) | (res == top - 1 ? FLAG_OF : 0);
        break;
    case CC_SHL: f = (src & top ? FLAG_CF : 0) | ((src ^ res) & top ? FLAG_OF : 0); break;
    case CC_SHR: f = (src & 1) | ((src ^ res) & top ? FLAG_OF : 0); break;
    case CC_MUL: f = full ? FLAG_CF | FLAG_OF : 0; break;
    default: f = full & (FLAG_CF | FLAG_AF | FLAG_OF); break;
    }
    return f | (parity(res) ? FLAG_PF : 0) | (res ? 0 : FLAG_ZF) | (res & top ? FLAG_SF : 0);
}

static uint64_t h_flags(uint64_t dst, uint64_t src, uint64_t src2, uint64_t op)
{
    return x86_flags_compute(dst, src, src2, op);
}
HELPER_DEFINE(flags, IR_H_PURE, IR_I64, 4, IR_I64, IR_I64, IR_I64, IR_I64);
