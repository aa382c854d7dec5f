/*
 * What the SSE and AVX handlers share: operands that are vectors of one or two halves of 128 bits,
 * and operations on them.
 *
 * One handler serves an instruction's legacy and its VEX encodings: sse_src1() is the destination's
 * register or VEX.vvvv, sse_set() leaves bits 255:128 alone or zeroes them. The argument of most
 * rows is a vector operation with its lane size, made by VA().
 */
#ifndef X86_TRANSLATE_SSE_H
#define X86_TRANSLATE_SSE_H

#include "translate.h"

/* Rows' arguments. */
#define VA(vop, lane) (IR_V_##vop | (lane) << 8)
enum {
    VA_SCALAR = 1 << 16,    /* lane 0 only */
    VA_SWAP = 1 << 17,      /* operands exchanged */
    VA_IMM = 1 << 18,       /* the operation's immediate is the instruction's */
    VA_THIRD = 1 << 19,     /* third operand: XMM0, or the register in the immediate (is4) */
    VA_UNALIGNED = 1 << 20, /* the memory operand may be misaligned in legacy encodings, too */
    VA_NO_W = 1 << 21,      /* REX.W does not matter */
    VA_HALF = 1 << 22,      /* so much of the source widens to 128 bits: 8 bytes, 4; else 2 */
    VA_QUARTER = 1 << 23,
};
#define VA_N(n)    ((uint32_t)(n) << 24) /* fixed immediate */
#define VA_VOP(a)  ((enum ir_vop)((a)&0xff))
/* Lane size, with IR_LANE_SCALAR. */
#define VA_LANE(a) (((a) >> 8 & 0xff) | ((a)&VA_SCALAR ? IR_LANE_SCALAR : 0))

/* A vector operand: one value for each half that the instruction works on. */
struct sse_src {
    ir_val v[2];
};

/* #UD and #NM by control registers. False: it raised, the handler returns true. */
bool sse_begin(struct trans *t, const struct x86_insn *i);
/* The same for MMX registers, FXSAVE and FXRSTOR; a pending x87 exception counts for the first. */
bool mmx_begin(struct trans *t);
bool fxsave_begin(struct trans *t);

static inline bool sse_is_vex(const struct x86_insn *i)
{
    return i->prefixes & PFX_VEX;
}
/* Halves that the instruction works on: 2 with VEX.256. */
static inline unsigned sse_halves(const struct x86_insn *i)
{
    return sse_is_vex(i) && i->vex_l ? 2 : 1;
}

/* VEX.vvvv is used where there is no such operand: #UD. */
static inline bool sse_vvvv_used(const struct x86_insn *i)
{
    return sse_is_vex(i) && i->vex_used;
}

static inline ir_val sse_get(struct trans *t, unsigned n, unsigned half)
{
    return ir_get(t->ir, (half ? SLOT_YMMH0 : SLOT_XMM0) + n);
}
static inline ir_val sse_zero(struct trans *t)
{
    return ir_v3(t->ir, IR_V_ZERO, 128, 0, IR_NONE, IR_NONE, IR_NONE);
}

/* Register @n as an operand. */
struct sse_src sse_reg(struct trans *t, const struct x86_insn *i, unsigned n);
/* The operand that the destination shares in legacy encodings; the register that ModRM.rm names or
 * memory, all of it. */
struct sse_src sse_src1(struct trans *t, const struct x86_insn *i);
struct sse_src sse_rm(struct trans *t, const struct x86_insn *i);
/* @bytes (4, 8, 16) of memory at @offset, the rest zero. */
ir_val sse_load(struct trans *t, const struct x86_insn *i, int32_t offset, unsigned bytes,
                bool aligned);
/* The low @bytes (2, 4, 8, 16) of ModRM.rm, register or memory; above them undefined for registers,
 * else zero. */
struct sse_src sse_low(struct trans *t, const struct x86_insn *i, unsigned bytes);
void sse_store(struct trans *t, const struct x86_insn *i, int32_t offset, unsigned bytes, ir_val v,
               bool aligned);

/* Linear address of @bytes at rDI (MASKMOVDQU, MASKMOVQ). */
ir_val sse_di_address(struct trans *t, const struct x86_insn *i, unsigned bytes);

/* Linear address of an operand of @bytes, which may be many. */
ir_val sse_area(struct trans *t, const struct x86_insn *i, unsigned bytes);

/* Sets register @n as a destination of the instruction, @v being its halves. */
void sse_set(struct trans *t, const struct x86_insn *i, unsigned n, const ir_val v[2]);
/* The same with one half. */
void sse_set1(struct trans *t, const struct x86_insn *i, unsigned n, ir_val v);

/*
 * One vector operation of the IR on values; what it does not take is IR_NONE. Where the guest
 * unmasked an exception (UF_FPSLOW), floating point is done by an exact helper that collects
 * exceptions. sse_set() reports them, which may raise #XM; who sets something else calls
 * sse_report() before.
 */
ir_val sse_op(struct trans *t, enum ir_vop vop, unsigned lane, unsigned imm, ir_val a, ir_val b,
              ir_val c);
void sse_report(struct trans *t);
/* Register @dst = operation of @arg with @imm, in every half. */
bool sse_apply(struct trans *t, const struct x86_insn *i, uint32_t arg, unsigned imm, unsigned dst,
               struct sse_src a, struct sse_src b, struct sse_src c);

/* What the exact helper is told: the operation, lane, immediate. Operands are in vtmp[0] to [2],
 * the result goes to vtmp[3]. */
enum { VX_LANE_SHIFT = 8, VX_IMM_SHIFT = 20 };

/* What helpers of masked moves and gathers are told: shifts of 4-bit registers, log2 of the bytes
 * of elements and indices, MMU mode, VEX.L, whether addresses have 32 bits. */
enum {
    VM_REG = 0,
    VM_MASK = 4,
    VM_INDEX = 8,
    VM_SCALE = 12,
    VM_LOG2 = 14,
    VM_ILOG2 = 16,
    VM_MODE = 18,
    VM_L = 22,
    VM_ADDR32 = 23
};

#endif
