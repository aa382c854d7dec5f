/*
 * Evaluation of pure operations on constants. Exact: the results are those of the operation as
 * ir_ops.def defines it, division by zero and overflow included.
 */
#include "fold.h"

#define F32_NAN UINT32_C(0x7fc00000)
#define F64_NAN UINT64_C(0x7ff8000000000000)

static uint64_t mulhu(uint64_t a, uint64_t b)
{
    return (unsigned __int128)a * b >> 64;
}

static int64_t mulh32(enum ir_op op, int64_t a, int64_t b)
{
    uint64_t ua = (uint32_t)a, ub = (uint32_t)b;

    switch (op) {
    case IR_MULHS: return (int32_t)((a * b) >> 32);
    case IR_MULHU: return (int32_t)((ua * ub) >> 32);
    default: return (int32_t)((a * (int64_t)ub) >> 32);
    }
}

static int64_t mulh64(enum ir_op op, int64_t a, int64_t b)
{
    uint64_t hi = mulhu(a, b);

    if (op != IR_MULHU && a < 0)
        hi -= b;
    if (op == IR_MULHS && b < 0)
        hi -= a;
    return hi;
}

static int64_t divide(enum ir_op op, enum ir_type type, int64_t a, int64_t b)
{
    uint64_t ua = type == IR_I32 ? (uint32_t)a : (uint64_t)a;
    uint64_t ub = type == IR_I32 ? (uint32_t)b : (uint64_t)b;

    if (!b)
        return op == IR_DIVS || op == IR_DIVU ? -1 : a;
    switch (op) {
    case IR_DIVS: return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
    case IR_REMS: return b == -1 ? 0 : a % b;
    case IR_DIVU: return ua / ub;
    default: return ua % ub;
    }
}

static int64_t shift(enum ir_op op, enum ir_type type, int64_t a, int64_t b)
{
    unsigned width = type == IR_I32 ? 32 : 64, n = b & (width - 1),
             back = (width - n) & (width - 1);
    uint64_t u = type == IR_I32 ? (uint32_t)a : (uint64_t)a;

    switch (op) {
    case IR_SHL: return u << n;
    case IR_SHR: return u >> n;
    case IR_SAR: return a >> n;
    case IR_ROTL: return u << n | u >> back;
    default: return u >> n | u << back;
    }
}

static bool fold_float_signs(enum ir_op op, enum ir_type type, uint64_t a, uint64_t b, int64_t *r)
{
    uint64_t sign = type == IR_F32 ? UINT64_C(1) << 31 : UINT64_C(1) << 63;

    switch (op) {
    case IR_FSGN: *r = (a & ~sign) | (b & sign); return true;
    case IR_FSGNN: *r = (a & ~sign) | (~b & sign); return true;
    case IR_FSGNX: *r = a ^ (b & sign); return true;
    default: return false;
    }
}

bool ir_fold_binary(enum ir_op op, enum ir_type type, int64_t a, int64_t b, int64_t *r)
{
    uint64_t ua = a, ub = b;

    switch (op) {
    case IR_ADD: *r = ua + ub; break;
    case IR_SUB: *r = ua - ub; break;
    case IR_MUL: *r = ua * ub; break;
    case IR_MULHS:
    case IR_MULHU:
    case IR_MULHSU: *r = type == IR_I32 ? mulh32(op, a, b) : mulh64(op, a, b); break;
    case IR_DIVS:
    case IR_DIVU:
    case IR_REMS:
    case IR_REMU: *r = divide(op, type, a, b); break;
    case IR_AND: *r = a & b; break;
    case IR_OR: *r = a | b; break;
    case IR_XOR: *r = a ^ b; break;
    case IR_ANDN: *r = a & ~b; break;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROTL:
    case IR_ROTR: *r = shift(op, type, a, b); break;
    default: return fold_float_signs(op, type, a, b, r);
    }
    *r = ir_canon(type, *r);
    return true;
}

static bool fold_float_unary(enum ir_op op, enum ir_type type, uint64_t a, int64_t *r)
{
    uint64_t sign = type == IR_F32 ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
    uint64_t inf = type == IR_F32 ? UINT32_C(0x7f800000) : UINT64_C(0x7ff0000000000000);

    switch (op) {
    case IR_FNEG: *r = a ^ sign; return true;
    case IR_FABS: *r = a & ~sign; return true;
    case IR_FCANON:
        if ((a & ~sign) > inf)
            a = type == IR_F32 ? F32_NAN : F64_NAN;
        *r = a;
        return true;
    case IR_FBITS:
    case IR_BITSF: *r = ir_canon(type, a); return true;
    case IR_BOX: *r = a | UINT64_C(0xffffffff00000000); return true;
    case IR_UNBOX: *r = a >> 32 == UINT32_MAX ? (uint32_t)a : F32_NAN; return true;
    default: return false;
    }
}

bool ir_fold_unary(enum ir_op op, enum ir_type type, int64_t a, int64_t *r)
{
    bool narrow = type == IR_I32;

    switch (op) {
    case IR_NEG: *r = 0 - (uint64_t)a; break;
    case IR_NOT: *r = ~a; break;
    case IR_CLZ:
        if (narrow)
            *r = (uint32_t)a ? __builtin_clz(a) : 32;
        else
            *r = a ? __builtin_clzll(a) : 64;
        break;
    case IR_CTZ:
        if (narrow)
            *r = (uint32_t)a ? __builtin_ctz(a) : 32;
        else
            *r = a ? __builtin_ctzll(a) : 64;
        break;
    case IR_POPCNT: *r = narrow ? __builtin_popcount(a) : __builtin_popcountll(a); break;
    case IR_BSWAP: *r = narrow ? __builtin_bswap32(a) : __builtin_bswap64(a); break;
    case IR_SEXT8: *r = (int8_t)a; break;
    case IR_SEXT16: *r = (int16_t)a; break;
    case IR_ZEXT8: *r = (uint8_t)a; break;
    case IR_ZEXT16: *r = (uint16_t)a; break;
    case IR_SEXT32: *r = (int32_t)a; break;
    case IR_ZEXT32: *r = (uint32_t)a; break;
    case IR_TRUNC: *r = a; break;
    default: return fold_float_unary(op, type, a, r);
    }
    *r = ir_canon(type, *r);
    return true;
}

bool ir_fold_cond(enum ir_cond c, int64_t a, int64_t b)
{
    /* Sign extension keeps the unsigned order too, so that the type does not matter. */
    uint64_t ua = a, ub = b;
    bool r;

    switch (c & ~1u) {
    case IR_EQ: r = a == b; break;
    case IR_LT: r = a < b; break;
    case IR_LTU: r = ua < ub; break;
    case IR_LE: r = a <= b; break;
    case IR_LEU: r = ua <= ub; break;
    default: r = !(a & b); break;
    }
    return r ^ (c & 1);
}
