/*
 * Floating point of the interpreter: all through tcg/softfp, bit-exact on every host.
 */
#include "ops.h"

static enum fp_round rounding(const struct fp_env *fp, unsigned how)
{
    static const uint8_t direction[] = {
        [IR_RND_RNE] = FP_RNE, [IR_RND_RTZ] = FP_RTZ, [IR_RND_RDN] = FP_RDN,
        [IR_RND_RUP] = FP_RUP, [IR_RND_RMM] = FP_RMM,
    };
    how &= 7;
    return how == IR_RND_CUR ? fp->round : direction[how];
}

#define FORMAT(X, T)                                                                           \
    static bool compare_##X(struct fp_env *fp, unsigned cond, T a, T b)                        \
    {                                                                                          \
        enum fp_relation r;                                                                    \
        switch (cond) {                                                                        \
        case IR_FEQ: return fp_##X##_eq(fp, a, b);                                             \
        case IR_FLT: return fp_##X##_lt(fp, a, b);                                             \
        case IR_FLE: return fp_##X##_le(fp, a, b);                                             \
        default: break;                                                                        \
        }                                                                                      \
        r = fp_##X##_compare(fp, a, b, false);                                                 \
        return r == FP_LESS || (cond == IR_FLEQ && r == FP_EQUAL);                             \
    }                                                                                          \
    static uint64_t to_int_##X(struct fp_env *fp, const struct interp_op *i, T a)              \
    {                                                                                          \
        enum fp_round round = rounding(fp, i->mem);                                            \
        unsigned bits = i->type == IR_I32 ? 32 : 64;                                           \
        uint64_t r = i->mem & IR_F2I_UNSIGNED ? fp_##X##_to_uint(fp, a, round, bits)           \
                                              : (uint64_t)fp_##X##_to_int(fp, a, round, bits); \
        return bits == 32 ? (uint64_t)(int32_t)r : r;                                          \
    }                                                                                          \
    static uint64_t from_int_##X(struct fp_env *fp, const struct interp_op *i, uint64_t a)     \
    {                                                                                          \
        enum fp_round current = fp->round;                                                     \
        uint64_t r;                                                                            \
        fp->round = rounding(fp, i->mem);                                                      \
        if (i->mem & IR_F2I_UNSIGNED)                                                          \
            r = fp_##X##_from_uint(fp, i->from == IR_I32 ? (uint32_t)a : a);                   \
        else                                                                                   \
            r = fp_##X##_from_int(fp, a);                                                      \
        fp->round = current;                                                                   \
        return r;                                                                              \
    }                                                                                          \
    static uint64_t arith_##X(struct fp_env *fp, const struct interp_op *i, T a, T b, T c)     \
    {                                                                                          \
        switch (i->ir_op) {                                                                    \
        case IR_FADD: return fp_##X##_add(fp, a, b);                                           \
        case IR_FSUB: return fp_##X##_sub(fp, a, b);                                           \
        case IR_FMUL: return fp_##X##_mul(fp, a, b);                                           \
        case IR_FDIV: return fp_##X##_div(fp, a, b);                                           \
        case IR_FSQRT: return fp_##X##_sqrt(fp, a);                                            \
        case IR_FMA:                                                                           \
            return fp_##X##_fma(fp, a, b, c,                                                   \
                                (i->mem & IR_FMA_NEG_PRODUCT ? FP_FMA_NEG_PRODUCT : 0) |       \
                                    (i->mem & IR_FMA_NEG_ADDEND ? FP_FMA_NEG_ADDEND : 0));     \
        case IR_FMINNUM: return fp_##X##_minmax(fp, a, b, FP_MINMAX_NUMBER);                   \
        default: return fp_##X##_minmax(fp, a, b, FP_MINMAX_NUMBER | FP_MINMAX_MAX);           \
        }                                                                                      \
    }
FORMAT(f32, uint32_t)
FORMAT(f64, uint64_t)
#undef FORMAT

static bool compare(struct fp_env *fp, const struct interp_op *i, uint64_t a, uint64_t b)
{
    unsigned flags = fp->flags, cond = i->mem & ~IR_FCMP_SILENT;
    bool r = i->from == IR_F32 ? compare_f32(fp, cond, a, b) : compare_f64(fp, cond, a, b);

    if (i->mem & IR_FCMP_SILENT)
        fp->flags = flags;
    return r;
}

uint64_t interp_fp(struct fp_env *fp, const struct interp_op *i, uint64_t a, uint64_t b, uint64_t c)
{
    bool narrow = i->from == IR_F32;

    switch (i->ir_op) {
    case IR_FCMP: return compare(fp, i, a, b);
    case IR_F2I: return narrow ? to_int_f32(fp, i, a) : to_int_f64(fp, i, a);
    case IR_I2F: return i->type == IR_F32 ? from_int_f32(fp, i, a) : from_int_f64(fp, i, a);
    case IR_F2F: return narrow ? fp_f32_to_f64(fp, a) : fp_f64_to_f32(fp, a);
    default: return narrow ? arith_f32(fp, i, a, b, c) : arith_f64(fp, i, a, b, c);
    }
}

#define F32_NAN UINT32_C(0x7fc00000)
#define F64_NAN UINT64_C(0x7ff8000000000000)

static uint64_t canonical(bool narrow, uint64_t a)
{
    if (narrow)
        return (a & INT32_MAX) > 0x7f800000 ? F32_NAN : a;
    return (a & INT64_MAX) > UINT64_C(0x7ff0000000000000) ? F64_NAN : a;
}

uint64_t interp_fsign(const struct interp_op *i, uint64_t a, uint64_t b)
{
    bool narrow = i->type == IR_F32;
    uint64_t sign = narrow ? UINT64_C(1) << 31 : UINT64_C(1) << 63;

    switch (i->ir_op) {
    case IR_FCANON: return canonical(narrow, a);
    case IR_FNEG: return a ^ sign;
    case IR_FABS: return a & ~sign;
    case IR_FSGN: return (a & ~sign) | (b & sign);
    case IR_FSGNN: return (a & ~sign) | (~b & sign);
    case IR_FSGNX: return a ^ (b & sign);
    case IR_BOX: return a | UINT64_C(0xffffffff) << 32;
    default: return a >> 32 == UINT32_MAX ? (uint32_t)a : F32_NAN;
    }
}
