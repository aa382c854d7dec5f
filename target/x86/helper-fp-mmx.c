/*
 * MMX and 3DNow!: operations on fpr[].lo.
 */
#include "fpstate.h"
#include "helper.h"
#include "mmx.h"
#include "sys.h"
#include "x87.h"
#include <tcg/vec.h>

static uint64_t mmx_get(struct x86_cpu *c, unsigned n)
{
    x87_settle(c);
    return c->fpr[n & 7].lo;
}

static void mmx_set(struct x86_cpu *c, unsigned n, uint64_t v)
{
    c->fpr[n & 7] = (struct x86_f80){ v, 0xffff };
}

/* The second operand. */
static uint64_t mmx_src(struct x86_cpu *c, uint64_t w, uint64_t mem)
{
    unsigned n = w >> MMX_SRC & 15;

    return n == MMX_MEM ? mem : mmx_get(c, n);
}

static void h_mmx_op(struct cpu *cpu, uint64_t w, uint64_t mem)
{
    struct x86_cpu *c = x86_of(cpu);
    enum mmx_kind kind = w >> MMX_KIND & 7;
    unsigned dst = w >> MMX_DST & 7;
    uint64_t d = mmx_get(c, dst), s = mmx_src(c, w, mem);
    uint64_t a[2] = { d, 0 }, b[2] = { s, 0 }, r[2];

    x87_enter_mmx(c);
    switch (kind) {
    case MMX_PAIR: a[1] = s; break;
    case MMX_PAIR_SWAP: a[0] = s, a[1] = d; break;
    case MMX_UNARY: a[0] = s; break;
    case MMX_SHUFFLE: b[0] = s & 0x8787878787878787; break;
    default: break;
    }
    ir_vop_eval(NULL, w & 0xff, w >> MMX_LANE & 0xff, w >> MMX_IMM & 0xff, r, a, b, NULL);
    mmx_set(c, dst, kind == MMX_HIGH ? r[1] : r[0]);
}
HELPER_DEFINE(mmx_op, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

static void h_mmx_andn(struct cpu *cpu, uint64_t w, uint64_t mem)
{
    struct x86_cpu *c = x86_of(cpu);
    unsigned dst = w >> MMX_DST & 7;

    x87_enter_mmx(c);
    mmx_set(c, dst, ~mmx_get(c, dst) & mmx_src(c, w, mem));
}
HELPER_DEFINE(mmx_andn, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

static uint64_t h_mmx_get(struct cpu *cpu, uint64_t n)
{
    struct x86_cpu *c = x86_of(cpu);

    x87_enter_mmx(c);
    return mmx_get(c, n);
}
HELPER_DEFINE(mmx_get, IR_H_CPU, IR_I64, 1, IR_I64);

/* A store's value: the state changes behind it only. */
static uint64_t h_mmx_peek(struct cpu *cpu, uint64_t n)
{
    return mmx_get(x86_of(cpu), n);
}
HELPER_DEFINE(mmx_peek, IR_H_CPU, IR_I64, 1, IR_I64);

static void h_mmx_enter(struct cpu *cpu)
{
    x87_enter_mmx(x86_of(cpu));
}
HELPER_DEFINE(mmx_enter, IR_H_CPU, IR_VOID, 0);

static void h_mmx_set(struct cpu *cpu, uint64_t n, uint64_t v)
{
    struct x86_cpu *c = x86_of(cpu);

    x87_enter_mmx(c);
    mmx_set(c, n, v);
}
HELPER_DEFINE(mmx_set, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

/* MASKMOVQ; @regs: data, mask, MMU mode, 4 bits each. */
static void h_mmx_maskmov(struct cpu *cpu, uint64_t addr, uint64_t regs)
{
    struct x86_cpu *c = x86_of(cpu);
    uint64_t data = mmx_get(c, regs & 7), mask = mmx_get(c, regs >> 4 & 7);

    x87_enter_mmx(c); /* as processors do even if the stores fault */
    for (unsigned k = 0; k < 8; k++) {
        if (mask >> (8 * k + 7) & 1)
            x86_store(c, x86_operand_at(c, addr, k), 0, regs >> 8 & 15, data >> 8 * k & 0xff);
    }
}
HELPER_DEFINE(mmx_maskmov, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I64);

/* ---- 3DNow! (AMD 21928): round to nearest, denormals are zeros, no exceptions ---- */

static uint32_t binary(unsigned op, uint32_t a, uint32_t b)
{
    struct fp_env e = { .flush = FP_FLUSH_X86,
                        .denormals_are_zero = true,
                        .nan = FP_NAN_X86,
                        .default_nan_sign = true };

    switch (op) {
    case 0x90: return fp_f32_le(&e, b, a) ? UINT32_MAX : 0; /* PFCMPGE */
    case 0xa0: return fp_f32_lt(&e, b, a) ? UINT32_MAX : 0; /* PFCMPGT */
    case 0xb0: return fp_f32_eq(&e, a, b) ? UINT32_MAX : 0; /* PFCMPEQ */
    case 0x94: return fp_f32_lt(&e, a, b) ? a : b;          /* PFMIN */
    case 0xa4: return fp_f32_lt(&e, b, a) ? a : b;          /* PFMAX */
    case 0x9a: return fp_f32_sub(&e, a, b);                 /* PFSUB */
    case 0xaa: return fp_f32_sub(&e, b, a);                 /* PFSUBR */
    case 0x9e: return fp_f32_add(&e, a, b);                 /* PFADD */
    default: return fp_f32_mul(&e, a, b);                   /* PFMUL */
    }
}

/* Conversions of one lane. */
static uint32_t convert(unsigned op, uint32_t s)
{
    struct fp_env e = { .round = FP_RTZ, .denormals_are_zero = true };
    int64_t v;

    switch (op) {
    case 0x0c: return fp_f32_from_int(&e, (int16_t)s); /* PI2FW */
    case 0x0d: return fp_f32_from_int(&e, (int32_t)s); /* PI2FD */
    default: break;
    }
    v = fp_f32_to_int(&e, s, FP_RTZ, op == 0x1c ? 16 : 32); /* PF2IW, PF2ID: saturating */
    if ((s & 0x7fffffff) > 0x7f800000)
        v = 0;
    return (uint32_t)v;
}

/* Reciprocals, exact to the last bit, which is more than is promised. */
static uint32_t reciprocal(uint32_t s, bool root)
{
    struct fp_env e = { .flush = FP_FLUSH_X86, .denormals_are_zero = true };
    uint32_t one = 0x3f800000, sign = s & 0x80000000;

    if (!root)
        return fp_f32_div(&e, one, s);
    return fp_f32_div(&e, one, fp_f32_sqrt(&e, s ^ sign)) | sign;
}

static uint64_t pair(uint32_t lo, uint32_t hi)
{
    return lo | (uint64_t)hi << 32;
}

static uint64_t by_lane(unsigned op, uint64_t d, uint64_t s)
{
    return pair(binary(op, (uint32_t)d, (uint32_t)s), binary(op, d >> 32, s >> 32));
}

/* PMULHRW: upper halves of the products, rounded. */
static uint64_t mul_high_round(uint64_t d, uint64_t s)
{
    uint64_t r = 0;

    for (unsigned k = 0; k < 64; k += 16) {
        int32_t product = (int16_t)(d >> k) * (int16_t)(s >> k) + 0x8000;

        r |= (uint64_t)(uint16_t)(product >> 16) << k;
    }
    return r;
}

static uint64_t average(uint64_t d, uint64_t s)
{
    uint64_t a[2] = { d, 0 }, b[2] = { s, 0 }, r[2];

    ir_vop_eval(NULL, IR_V_AVG, 8, 0, r, a, b, NULL);
    return r[0];
}

/* @op: the byte behind the operands, one that mmx_3dnow() in translate-mmx.c knows. */
static void h_mmx_3dnow(struct cpu *cpu, uint64_t w, uint64_t mem)
{
    enum { ADD = 0x9e, SUB = 0x9a };
    struct x86_cpu *c = x86_of(cpu);
    unsigned op = w & 0xff, dst = w >> MMX_DST & 7;
    uint64_t d = mmx_get(c, dst), s = mmx_src(c, w, mem), r;
    uint32_t d0 = (uint32_t)d, d1 = d >> 32, s0 = (uint32_t)s, s1 = s >> 32;

    switch (op) {
    case 0x0c:
    case 0x0d:
    case 0x1c:
    case 0x1d: r = pair(convert(op, s0), convert(op, s1)); break;
    case 0x8a: r = pair(binary(SUB, d0, d1), binary(SUB, s0, s1)); break; /* PFNACC */
    case 0x8e: r = pair(binary(SUB, d0, d1), binary(ADD, s0, s1)); break; /* PFPNACC */
    case 0xae: r = pair(binary(ADD, d0, d1), binary(ADD, s0, s1)); break; /* PFACC */
    case 0x96: r = reciprocal(s0, false), r |= r << 32; break;            /* PFRCP */
    case 0x97: r = reciprocal(s0, true), r |= r << 32; break;             /* PFRSQRT */
    case 0xa6:
    case 0xa7:
    case 0xb6: r = op == 0xa7 ? d : s; break; /* PFRCPIT1, PFRSQIT1, PFRCPIT2: nothing to refine */
    case 0xb7: r = mul_high_round(d, s); break;
    case 0xbb: r = pair(s1, s0); break;  /* PSWAPD */
    case 0xbf: r = average(d, s); break; /* PAVGUSB */
    default: r = by_lane(op, d, s); break;
    }
    x87_enter_mmx(c);
    mmx_set(c, dst, r);
}
HELPER_DEFINE(mmx_3dnow, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);
