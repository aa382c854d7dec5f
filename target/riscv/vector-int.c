/*
 * Vectors: integer arithmetic, comparisons, shifts, multiplication, division, extension (11).
 */
#include "vector.h"

#ifndef __clang__
#pragma GCC optimize("O3")
#endif

/* d, x, y of SEW bits; a = vs2, b = vs1 or scalar, c = vd. */
#define OP(name, expr) VKERNELS(name, U, U, U, U, expr)

OP(add, a + b)
OP(sub, a - b)
OP(rsub, b - a)
OP(minu, a < b ? a : b)
OP(min, (S)a < (S)b ? a : b)
OP(maxu, a > b ? a : b)
OP(max, (S)a > (S)b ? a : b)
OP(and, a &b)
OP(or, a | b)
OP(xor, a ^ b)
OP(sll, 1u * a << (b & (BITS - 1)))
OP(srl, a >> (b & (BITS - 1)))
OP(sra, (S)a >> (b & (BITS - 1)))
OP(mv, b)
OP(mul, 1u * a * b)
OP(mulh, (U2)((S2)(S)a *(S)b) >> BITS)
OP(mulhu, (U2)a *b >> BITS)
OP(mulhsu, (U2)((S2)(S)a *(S2)b) >> BITS)
OP(macc, 1u * a * b + c)
OP(nmsac, c - 1u * a * b)
OP(madd, 1u * b * c + a)
OP(nmsub, a - 1u * b * c)
/* 11.11: division by zero and overflow as in M. */
OP(divu, b ? a / b : (U)-1)
OP(remu, b ? a % b : a)
OP(div, !b ? (U)-1 : b == (U)-1 ? -a : (U)((S)a / (S)b))
OP(rem, !b ? a : b == (U)-1 ? 0 : (U)((S)a % (S)b))

/* v0 is an operand: z has a byte an element (11.4, 11.15). */
#define CARRY_OP(name, expr) VKERNELS(name, U, U, U, uint8_t, expr)
CARRY_OP(adc, a + b + c)
CARRY_OP(sbc, a - b - c)
CARRY_OP(merge, c ? b : a)

/* Results are bytes, of which the driver makes a mask. */
#define CMP_OP(name, expr) VKERNELS(name, uint8_t, U, U, uint8_t, expr)
CMP_OP(madc, (U)(a + b) < a || (U)(a + b + c) < c)
CMP_OP(msbc, a < b || (U)(a - b) < c)
CMP_OP(mseq, a == b)
CMP_OP(msne, a != b)
CMP_OP(msltu, a < b)
CMP_OP(mslt, (S)a < (S)b)
CMP_OP(msleu, a <= b)
CMP_OP(msle, (S)a <= (S)b)
CMP_OP(msgtu, a > b)
CMP_OP(msgt, (S)a > (S)b)

/* Twice as wide results; .w: and first operands. */
#define WIDE_OP(name, expr)   VKERNELS_WIDE(name, U2, U, U, U2, expr)
#define WIDE_OP_W(name, expr) VKERNELS_WIDE(name, U2, U2, U, U2, expr)
#define SIGNED_WIDE(v)        ((U2)(S2)(S)(v))
WIDE_OP(waddu, (U2)a + b)
WIDE_OP(wadd, SIGNED_WIDE(a) + SIGNED_WIDE(b))
WIDE_OP(wsubu, (U2)a - b)
WIDE_OP(wsub, SIGNED_WIDE(a) - SIGNED_WIDE(b))
WIDE_OP_W(waddu_w, a + b)
WIDE_OP_W(wadd_w, a + SIGNED_WIDE(b))
WIDE_OP_W(wsubu_w, a - b)
WIDE_OP_W(wsub_w, a - SIGNED_WIDE(b))
WIDE_OP(wmulu, 1u * (U2)a * b)
WIDE_OP(wmul, (S2)(S)a *(S)b)
WIDE_OP(wmulsu, (S2)(S)a *(S2)b)
WIDE_OP(wmaccu, c + 1u * (U2)a * b)
WIDE_OP(wmacc, c + (U2)((S2)(S)a * (S)b))
WIDE_OP(wmaccsu, c + (U2)((S2)a * (S)b))
WIDE_OP(wmaccus, c + (U2)((S2)(S)a * (S2)b))

/* Twice as wide first operands. */
#define NARROW_OP(name, expr) VKERNELS_WIDE(name, U, U2, U, U, expr)
NARROW_OP(nsrl, a >> (b & (2 * BITS - 1)))
NARROW_OP(nsra, (S2)a >> (b & (2 * BITS - 1)))

/* Extension from SEW / 2, / 4, / 8 (11.3). */
#define EXT_OP(f, W, F)                                 \
    VKERNEL(zext_vf##f, W, W, U, vuint##F##_t, U, U, a) \
    VKERNEL(sext_vf##f, W, W, U, vuint##F##_t, U, U, (U)(vint##F##_t)a)
EXT_OP(2, 16, 8)
EXT_OP(2, 32, 16)
EXT_OP(2, 64, 32)
EXT_OP(4, 32, 8)
EXT_OP(4, 64, 16)
EXT_OP(8, 64, 8)

#define ROW(name, flags)          \
    {                             \
        VFN(name), 0, 0, 0, flags \
    }
#define ROW_WIDE(name, flags)          \
    {                                  \
        VFN_WIDE(name), 1, 0, 0, flags \
    }
#define ROW_W(name)                \
    {                              \
        VFN_WIDE(name), 1, 1, 0, 0 \
    }
#define ROW_NARROW(name)                  \
    {                                     \
        VFN_WIDE(name), 0, 1, 0, VOP_UIMM \
    }

/* The fixed-point rows are vector-fixed.c's. */
#include "vector-fixed.h"

const struct vop riscv_vops_i[64] = {
    [0x00] = ROW(add, 0),
    [0x02] = ROW(sub, 0),
    [0x03] = ROW(rsub, 0),
    [0x04] = ROW(minu, 0),
    [0x05] = ROW(min, 0),
    [0x06] = ROW(maxu, 0),
    [0x07] = ROW(max, 0),
    [0x09] = ROW(and, 0),
    [0x0a] = ROW(or, 0),
    [0x0b] = ROW(xor, 0),
    [0x10] = ROW(adc, VOP_CARRY),
    [0x11] = ROW(madc, VOP_CARRY | VOP_CMP),
    [0x12] = ROW(sbc, VOP_CARRY),
    [0x13] = ROW(msbc, VOP_CARRY | VOP_CMP),
    [0x17] = ROW(merge, VOP_CARRY),
    [0x18] = ROW(mseq, VOP_CMP),
    [0x19] = ROW(msne, VOP_CMP),
    [0x1a] = ROW(msltu, VOP_CMP),
    [0x1b] = ROW(mslt, VOP_CMP),
    [0x1c] = ROW(msleu, VOP_CMP),
    [0x1d] = ROW(msle, VOP_CMP),
    [0x1e] = ROW(msgtu, VOP_CMP),
    [0x1f] = ROW(msgt, VOP_CMP),
    [0x25] = ROW(sll, VOP_UIMM),
    [0x28] = ROW(srl, VOP_UIMM),
    [0x29] = ROW(sra, VOP_UIMM),
    [0x2c] = ROW_NARROW(nsrl),
    [0x2d] = ROW_NARROW(nsra),
    /* vmv.v.*: funct6 is vmerge's, the translator asks for this row */
    [VOP_MV] = ROW(mv, 0),
    FIXED_ROWS_I
};

const struct vop riscv_vops_m[64] = { [0x20] = ROW(divu, 0),         [0x21] = ROW(div, 0),
                                      [0x22] = ROW(remu, 0),         [0x23] = ROW(rem, 0),
                                      [0x24] = ROW(mulhu, 0),        [0x25] = ROW(mul, 0),
                                      [0x26] = ROW(mulhsu, 0),       [0x27] = ROW(mulh, 0),
                                      [0x29] = ROW(madd, 0),         [0x2b] = ROW(nmsub, 0),
                                      [0x2d] = ROW(macc, 0),         [0x2f] = ROW(nmsac, 0),
                                      [0x30] = ROW_WIDE(waddu, 0),   [0x31] = ROW_WIDE(wadd, 0),
                                      [0x32] = ROW_WIDE(wsubu, 0),   [0x33] = ROW_WIDE(wsub, 0),
                                      [0x34] = ROW_W(waddu_w),       [0x35] = ROW_W(wadd_w),
                                      [0x36] = ROW_W(wsubu_w),       [0x37] = ROW_W(wsub_w),
                                      [0x38] = ROW_WIDE(wmulu, 0),   [0x3a] = ROW_WIDE(wmulsu, 0),
                                      [0x3b] = ROW_WIDE(wmul, 0),    [0x3c] = ROW_WIDE(wmaccu, 0),
                                      [0x3d] = ROW_WIDE(wmacc, 0),   [0x3e] = ROW_WIDE(wmaccus, 0),
                                      [0x3f] = ROW_WIDE(wmaccsu, 0), FIXED_ROWS_M };

#define VF(k, name, ...) [k] = { { __VA_ARGS__ }, 0, name, 0, VOP_UNARY }
const struct vop riscv_vops_ext[64] = {
    VF(2, -3, NULL, NULL, NULL, zext_vf8_64),
    VF(3, -3, NULL, NULL, NULL, sext_vf8_64),
    VF(4, -2, NULL, NULL, zext_vf4_32, zext_vf4_64),
    VF(5, -2, NULL, NULL, sext_vf4_32, sext_vf4_64),
    VF(6, -1, NULL, zext_vf2_16, zext_vf2_32, zext_vf2_64),
    VF(7, -1, NULL, sext_vf2_16, sext_vf2_32, sext_vf2_64),
};
