/*
 * Helpers of integer instructions.
 */
#include <sched.h>
#include "helper.h"
#include "sys.h"
#include "translate.h"

/* ---- Division ---- */

/* Accumulator of up to 64 bits by @b; the result's halves are quotient and remainder. */
static uint64_t h_div(struct cpu *cpu, uint64_t ax, uint64_t dx, uint64_t b, uint32_t how)
{
    unsigned log2size = how & 3, bits = 8u << log2size, shift = 64 - bits;
    uint64_t mask = ~UINT64_C(0) >> shift;
    uint64_t a = log2size ? (dx & mask) << bits | (ax & mask) : ax & 0xffff;

    b &= mask;
    if (!b)
        x86_raise(x86_of(cpu), EXC_DE);
    if (how & DIV_SIGNED) {
        int64_t sa = (int64_t)(a << (64 - 2 * bits)) >> (64 - 2 * bits);
        int64_t sb = (int64_t)(b << shift) >> shift, q;

        if (sa == INT64_MIN && sb == -1)
            x86_raise(x86_of(cpu), EXC_DE);
        q = sa / sb;
        if (q != (int64_t)((uint64_t)q << shift) >> shift)
            x86_raise(x86_of(cpu), EXC_DE);
        return (uint64_t)(uint32_t)(sa % sb) << 32 | (uint32_t)q;
    }
    if (a / b > mask)
        x86_raise(x86_of(cpu), EXC_DE);
    return (a % b) << 32 | a / b;
}
HELPER_DEFINE(div, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I64, 4, IR_I64, IR_I64, IR_I64, IR_I32);

static void h_div64(struct cpu *cpu, uint64_t b)
{
    uint64_t *r = cpu->tcg.hot;
    unsigned __int128 a = (unsigned __int128)r[R_DX] << 64 | r[R_AX];

    if (r[R_DX] >= b) /* the quotient does not fit, or b is 0 */
        x86_raise(x86_of(cpu), EXC_DE);
    r[R_AX] = a / b;
    r[R_DX] = a % b;
}
HELPER_DEFINE(div64, HELPER_ANY, IR_VOID, 1, IR_I64);

static void h_idiv64(struct cpu *cpu, uint64_t b)
{
    uint64_t *r = cpu->tcg.hot, ub = (int64_t)b < 0 ? -b : b, q, rest;
    unsigned __int128 a = (unsigned __int128)r[R_DX] << 64 | r[R_AX];
    bool neg = (int64_t)r[R_DX] < 0, neg_q = neg != ((int64_t)b < 0);

    a = neg ? -a : a;
    if ((uint64_t)(a >> 64) >= ub)
        x86_raise(x86_of(cpu), EXC_DE);
    q = a / ub;
    rest = a % ub;
    if (q > (uint64_t)INT64_MAX + neg_q)
        x86_raise(x86_of(cpu), EXC_DE);
    r[R_AX] = neg_q ? -q : q;
    r[R_DX] = neg ? -rest : rest;
}
HELPER_DEFINE(idiv64, HELPER_ANY, IR_VOID, 1, IR_I64);

/* ---- RCL, RCR: operand and CF rotate as one number ---- */

struct rotated {
    uint64_t v;
    bool carry;
};

static struct rotated rotate_carry(uint64_t v, unsigned n, bool carry, unsigned bits, bool right)
{
    uint64_t top = UINT64_C(1) << (bits - 1), mask = top | (top - 1);

    v &= mask;
    for (n %= bits + 1; n; n--) {
        bool out = right ? v & 1 : v & top;

        v = right ? v >> 1 | (carry ? top : 0) : (v << 1 | carry) & mask;
        carry = out;
    }
    return (struct rotated){ v, carry };
}

static uint64_t h_rotate_carry(uint64_t v, uint64_t n, uint64_t carry, uint64_t how)
{
    return rotate_carry(v, n, carry, 8u << (how & 3), how & ROTATE_RIGHT).v;
}
HELPER_DEFINE(rotate_carry, IR_H_PURE, IR_I64, 4, IR_I64, IR_I64, IR_I64, IR_I64);

/* CF, and OF in bit 1: as for a count of 1. */
static uint64_t h_rotate_carry_flags(uint64_t v, uint64_t n, uint64_t carry, uint64_t how)
{
    unsigned bits = 8u << (how & 3);
    struct rotated r = rotate_carry(v, n, carry, bits, how & ROTATE_RIGHT);
    bool top = r.v >> (bits - 1) & 1, below = r.v >> (bits - 2) & 1;

    return r.carry | (uint64_t)(top != (how & ROTATE_RIGHT ? below : r.carry)) << 1;
}
HELPER_DEFINE(rotate_carry_flags, IR_H_PURE, IR_I64, 4, IR_I64, IR_I64, IR_I64, IR_I64);

/* ---- Bits ---- */

/* CRC-32C, a byte at a time from the low end; polynomial 11edc6f41h reflected. */
static uint32_t h_crc32(uint32_t crc, uint64_t v, uint32_t bytes)
{
    for (unsigned k = 0; k < bytes; k++) {
        crc ^= v >> 8 * k & 0xff;
        for (unsigned n = 0; n < 8; n++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return crc;
}
HELPER_DEFINE(crc32, IR_H_PURE, IR_I32, 3, IR_I32, IR_I64, IR_I32);

static uint64_t h_pdep(uint64_t v, uint64_t mask)
{
    uint64_t r = 0;

    for (; mask; mask &= mask - 1, v >>= 1)
        if (v & 1)
            r |= mask & -mask;
    return r;
}
HELPER_DEFINE(pdep, IR_H_PURE, IR_I64, 2, IR_I64, IR_I64);

static uint64_t h_pext(uint64_t v, uint64_t mask)
{
    uint64_t r = 0;

    for (uint64_t bit = 1; mask; mask &= mask - 1, bit <<= 1)
        if (v & mask & -mask)
            r |= bit;
    return r;
}
HELPER_DEFINE(pext, IR_H_PURE, IR_I64, 2, IR_I64, IR_I64);

/* ---- Atomics ---- */

/* The old value. */
static uint64_t h_lock_neg(struct cpu *cpu, uint64_t addr, uint32_t mem)
{
    uint64_t old = cpu_load(cpu, addr, mem | IR_MEM_WRITE), seen;

    while ((seen = cpu_cmpxchg(cpu, addr, old, -old, mem)) != old)
        old = seen;
    return old;
}
HELPER_DEFINE(lock_neg, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I64, 2, IR_I64, IR_I32);

static void set_zf(struct cpu *cpu, bool zf)
{
    uint64_t *hot = cpu->tcg.hot;
    uint64_t f =
        x86_flags_compute(hot[SLOT_CC_DST], hot[SLOT_CC_SRC], hot[SLOT_CC_SRC2], hot[SLOT_CC_OP]);

    hot[SLOT_CC_SRC] = (f & ~(uint64_t)FLAG_ZF) | (zf ? FLAG_ZF : 0);
    hot[SLOT_CC_OP] = CC_EFLAGS;
}

static void h_cmpxchg8b(struct cpu *cpu, uint64_t addr, uint32_t mem)
{
    uint64_t *r = cpu->tcg.hot;
    uint64_t expected = r[R_DX] << 32 | (uint32_t)r[R_AX];
    uint64_t desired = r[R_CX] << 32 | (uint32_t)r[R_BX];
    uint64_t seen = cpu_cmpxchg(cpu, addr, expected, desired, mem);

    set_zf(cpu, seen == expected);
    if (seen != expected) {
        r[R_AX] = (uint32_t)seen;
        r[R_DX] = seen >> 32;
    }
}
HELPER_DEFINE(cmpxchg8b, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I32);

#ifdef __x86_64__
__attribute__((target("cx16")))
#endif
static unsigned __int128
swap_16(unsigned __int128 *p, unsigned __int128 old, unsigned __int128 new)
{
    return __sync_val_compare_and_swap(p, old, new);
}

/* Where the block is no plain memory it is done in two halves: others may see half of it. */
static unsigned __int128 swap_halves(struct cpu *cpu, uint64_t addr, unsigned __int128 old,
                                     unsigned __int128 new, uint32_t mem)
{
    unsigned __int128 was = cpu_amo(cpu, addr, 0, mem, IR_AMO_OR); /* faults as a store does */

    was |= (unsigned __int128)cpu_amo(cpu, addr + 8, 0, mem, IR_AMO_OR) << 64;
    if (was != old)
        new = was;
    cpu_store(cpu, addr, new, mem);
    cpu_store(cpu, addr + 8, new >> 64, mem);
    return was;
}

static void h_cmpxchg16b(struct cpu *cpu, uint64_t addr, uint32_t mem)
{
    uint64_t *r = cpu->tcg.hot;
    unsigned __int128 old = (unsigned __int128)r[R_DX] << 64 | r[R_AX];
    unsigned __int128 new = (unsigned __int128)r[R_CX] << 64 | r[R_BX], seen;
    void *host;

    if (addr & 15)
        x86_gp(x86_of(cpu), 0);
    host = cpu_host(cpu, addr, 16, ACCESS_WRITE, ir_mem_mode(mem));
    seen = host ? swap_16(host, old, new) : swap_halves(cpu, addr, old, new, mem);
    set_zf(cpu, seen == old);
    if (seen != old) {
        r[R_AX] = seen;
        r[R_DX] = seen >> 64;
    }
}
HELPER_DEFINE(cmpxchg16b, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I32);

/* ---- Decimal adjustment: AX and flags in one word, flags in the upper half ---- */

static unsigned sign_zero_parity(uint8_t al)
{
    return x86_flags_compute(al, 0, 0, CC_LOGIC);
}

static uint64_t packed(unsigned ax, unsigned flags)
{
    return (uint64_t)flags << 32 | ax;
}

/* Intel volume 2, DAA and DAS. */
static uint64_t daa(unsigned ax, unsigned f, bool subtract)
{
    unsigned al = ax & 0xff, adjust = 0, out = 0;

    if ((al & 15) > 9 || f & FLAG_AF) {
        adjust = 6;
        out = FLAG_AF;
    }
    if (al > 0x99 || f & FLAG_CF) {
        adjust |= 0x60;
        out |= FLAG_CF;
    } else if (subtract && al < adjust) { /* DAS: the borrow of the low digit counts */
        out |= FLAG_CF;
    }
    al = (subtract ? al - adjust : al + adjust) & 0xff;
    return packed((ax & 0xff00) | al, out | sign_zero_parity(al));
}

/* AAA and AAS. */
static uint64_t aaa(unsigned ax, unsigned f, bool subtract)
{
    unsigned out = 0;

    if ((ax & 15) > 9 || f & FLAG_AF) {
        ax = (subtract ? ax - 0x106 : ax + 0x106) & 0xffff;
        out = FLAG_AF | FLAG_CF;
    }
    ax &= 0xff0f;
    return packed(ax, out | sign_zero_parity(ax));
}

static uint64_t h_bcd(uint64_t ax, uint64_t flags, uint64_t op)
{
    ax &= 0xffff;
    switch (op) {
    case BCD_DAA: return daa(ax, flags, false);
    case BCD_DAS: return daa(ax, flags, true);
    case BCD_AAA: return aaa(ax, flags, false);
    default: return aaa(ax, flags, true);
    }
}
HELPER_DEFINE(bcd, IR_H_PURE, IR_I64, 3, IR_I64, IR_I64, IR_I64);

static void h_spin(void)
{
    sched_yield();
}
HELPER_DEFINE(spin, 0, IR_VOID, 0);
