/*
 * The list of helpers, and those of the integer instructions.
 */
#include "helper.h"
#include "riscv.h"

const struct ir_helper *const riscv_helpers[] = {
#define HELPER(name) &helper_##name,
#include "helpers.def"
#undef HELPER
    NULL,
};

/* Carry-less product of 64 bits each, 128 bits (Zbc). */
static void clmul_wide(uint64_t a, uint64_t b, uint64_t *lo, uint64_t *hi)
{
    *lo = *hi = 0;
    for (; b; b &= b - 1) {
        unsigned n = ctz64(b);
        *lo ^= a << n;
        *hi ^= n ? a >> (64 - n) : 0;
    }
}

static uint64_t h_clmul(uint64_t a, uint64_t b)
{
    uint64_t lo, hi;

    clmul_wide(a, b, &lo, &hi);
    return lo;
}
HELPER_DEFINE(clmul, IR_H_PURE, IR_I64, 2, IR_I64, IR_I64);

static uint64_t h_clmulh(uint64_t a, uint64_t b)
{
    uint64_t lo, hi;

    clmul_wide(a, b, &lo, &hi);
    return hi;
}
HELPER_DEFINE(clmulh, IR_H_PURE, IR_I64, 2, IR_I64, IR_I64);
