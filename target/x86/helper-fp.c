/*
 * SSE helpers: arithmetic with unmasked exceptions, bit fields, masked stores.
 */
#include "fpstate.h"
#include "helper.h"
#include "sys.h"
#include "translate-sse.h"
#include <tcg/vec.h>

static struct fp_env sse_env(const struct x86_cpu *c)
{
    static const uint8_t round[4] = { FP_RNE, FP_RDN, FP_RUP, FP_RTZ };

    /* 10.2.3.3: flushing to zero counts only while underflow is masked. */
    return (struct fp_env){ .round = round[c->mxcsr >> MXCSR_RC_SHIFT & 3],
                            .denormals_are_zero = c->mxcsr & MXCSR_DAZ,
                            .flush = c->mxcsr & MXCSR_FTZ && c->mxcsr & MXCSR_UE << MXCSR_MASK_SHIFT
                                         ? FP_FLUSH_X86
                                         : FP_FLUSH_OFF,
                            .nan = FP_NAN_X86,
                            .toint = FP_TOINT_X86,
                            .default_nan_sign = true };
}

static uint32_t mxcsr_bits(unsigned fp)
{
    static const uint8_t order[6] = { FP_FLAG_NV, FP_FLAG_DE, FP_FLAG_DZ,
                                      FP_FLAG_OF, FP_FLAG_UF, FP_FLAG_NX };
    uint32_t bits = 0;

    for (unsigned k = 0; k < 6; k++)
        bits |= fp & order[k] ? 1u << k : 0;
    return bits;
}

/*
 * Behind the operations of an instruction: raises if one of the exceptions that they collected is
 * unmasked. Those that are found before computing keep those of the result from being reported (SDM
 * vol. 1, 11.5.2). Where overflow or underflow is unmasked, PE is that of the masked response.
 */
static void h_sse_report(struct cpu *cpu)
{
    struct x86_cpu *c = x86_of(cpu);
    uint32_t before = MXCSR_IE | MXCSR_DE | MXCSR_ZE, flags = c->sse_pending;
    uint32_t unmasked = ~(c->mxcsr >> MXCSR_MASK_SHIFT) & MXCSR_EXC;

    c->sse_pending = 0;
    if (flags & unmasked & before)
        flags &= before;
    c->mxcsr |= flags;
    if (flags & unmasked)
        x86_raise(c, c->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
}
HELPER_DEFINE(sse_report, HELPER_ANY, IR_VOID, 0);

/* Whether one of the first @lanes lanes of @bits bits is denormal. */
static bool any_denormal(const struct x86_v128 *r, unsigned bits, unsigned lanes)
{
    unsigned fraction = bits == 64 ? 52 : bits == 32 ? 23 : 10;

    for (unsigned k = 0; k < lanes; k++) {
        uint64_t v = r->q[k * bits / 64] >> (k * bits % 64) << (64 - bits) << 1;

        if (v && !(v >> (65 - bits + fraction)))
            return true;
    }
    return false;
}

/* Whether a result of the operation is denormal: with underflow unmasked that is one even if exact.
 */
static bool any_tiny(enum ir_vop vop, unsigned lane, const struct x86_v128 *r)
{
    unsigned bits = lane & 0xff, lanes = lane & IR_LANE_SCALAR ? 1 : 128 / bits;

    switch (vop) {
    case IR_V_FADD:
    case IR_V_FSUB:
    case IR_V_FMUL:
    case IR_V_FDIV:
    case IR_V_FMA:
    case IR_V_FADDSUB:
    case IR_V_FHADD:
    case IR_V_FHSUB: return any_denormal(r, bits, lanes);
    case IR_V_FTOF: return bits == 64 && any_denormal(r, 32, lanes);
    case IR_V_FTOF16: return any_denormal(r, 16, 4);
    default: return false;
    }
}

/* The same for a product or a sum on the way of DPPS and DPPD. */
static bool dot_product_tiny(const struct x86_cpu *c, struct fp_env env, unsigned lane,
                             unsigned imm)
{
    struct x86_v128 a = c->vtmp[0], r;
    unsigned bits = lane & 0xff, lanes = 128 / bits;

    for (unsigned k = 0; k < lanes; k++)
        if (!(imm >> (4 + k) & 1))
            a.q[k * bits / 64] &= ~(UINT64_MAX >> (64 - bits) << (k * bits % 64));
    ir_vop_eval(&env, IR_V_FMUL, lane, 0, r.q, a.q, c->vtmp[1].q, NULL);
    for (; lanes; lanes /= 2) {
        if (any_denormal(&r, bits, lanes))
            return true;
        a = r;
        ir_vop_eval(&env, IR_V_FHADD, lane, 0, r.q, a.q, a.q, NULL);
    }
    return false;
}

static void h_sse_exact(struct cpu *cpu, uint64_t word)
{
    struct x86_cpu *c = x86_of(cpu);
    enum ir_vop vop = word & 0xff;
    unsigned lane = word >> VX_LANE_SHIFT & 0x1ff;
    struct fp_env env = sse_env(c);
    struct x86_v128 r = { { 0, 0 } };
    uint32_t flags;

    ir_vop_eval(&env, vop, lane, word >> VX_IMM_SHIFT & 0xff, r.q, c->vtmp[0].q, c->vtmp[1].q,
                c->vtmp[2].q);
    flags = mxcsr_bits(env.flags);
    if (!(c->mxcsr & MXCSR_UE << MXCSR_MASK_SHIFT) &&
        (vop == IR_V_FDP ? dot_product_tiny(c, env, lane, word >> VX_IMM_SHIFT & 0xff)
                         : any_tiny(vop, lane, &r)))
        flags |= MXCSR_UE;
    c->sse_pending |= flags;
    c->vtmp[3] = r;
}
HELPER_DEFINE(sse_exact, IR_H_CPU | IR_H_READS | IR_H_WRITES, IR_VOID, 1, IR_I64);

/* Faults as a store to [addr, addr + bytes) would; bytes in bits 7:0, the MMU mode above. */
static void h_sse_touch(struct cpu *cpu, uint64_t addr, uint64_t how)
{
    x86_touch_bytes(x86_of(cpu), addr, how & 0xff, how >> 8);
}
HELPER_DEFINE(sse_touch, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 2, IR_I64, IR_I64);

/* MASKMOVDQU: @regs: data, mask, MMU mode, 4 bits each. */
static void h_sse_maskmov(struct cpu *cpu, uint64_t addr, uint64_t regs)
{
    struct x86_cpu *c = x86_of(cpu);
    const struct x86_v128 *data = &c->xmm[regs & 15], *mask = &c->xmm[regs >> 4 & 15];

    for (unsigned k = 0; k < 16; k++) {
        if (mask->q[k / 8] >> (8 * (k % 8) + 7) & 1)
            x86_touch(c, x86_operand_at(c, addr, k), regs >> 8 & 15);
    }
    for (unsigned k = 0; k < 16; k++) {
        if (mask->q[k / 8] >> (8 * (k % 8) + 7) & 1)
            x86_store(c, x86_operand_at(c, addr, k), 0, regs >> 8 & 15,
                      data->q[k / 8] >> 8 * (k % 8) & 0xff);
    }
}
HELPER_DEFINE(sse_maskmov, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I64);

/* ---- SSE4a: a field of length (bits 5:0, 0 means 64) at index (bits 13:8) ---- */

static uint64_t field_mask(uint64_t field)
{
    unsigned length = field & 63;

    return length ? UINT64_MAX >> (64 - length) : UINT64_MAX;
}

static uint64_t h_sse4a_extract(uint64_t old, uint64_t src, uint64_t field)
{
    (void)old;
    return src >> (field >> 8 & 63) & field_mask(field);
}
HELPER_DEFINE(sse4a_extract, IR_H_PURE, IR_I64, 3, IR_I64, IR_I64, IR_I64);

static uint64_t h_sse4a_insert(uint64_t old, uint64_t src, uint64_t field)
{
    unsigned index = field >> 8 & 63;
    uint64_t mask = field_mask(field);

    return (old & ~(mask << index)) | (src & mask) << index;
}
HELPER_DEFINE(sse4a_insert, IR_H_PURE, IR_I64, 3, IR_I64, IR_I64, IR_I64);
