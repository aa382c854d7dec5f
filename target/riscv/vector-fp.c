/*
 * Vectors: floating point (13), element by element in exact integer arithmetic (tcg/softfp.h).
 * Rounding is frm's but where a name says otherwise; flags gather in the driver's environment.
 */
#include "vector-fp-host.h"

/* VKERNEL with one name more: `env`. */
#define FKERNEL(name, W, W2, DT, XT, YT, ZT, expr)                            \
    static void name##_##W(struct vkernel_args *k)                            \
    {                                                                         \
        typedef VUINT(W) U;                                                   \
        typedef VUINT(W2) U2;                                                 \
        struct fp_env *env = &k->env;                                         \
        enum { BITS = W };                                                    \
        const U SIGN = (U)1 << (W - 1);                                       \
        DT *d = k->d;                                                         \
        const XT *x = k->x;                                                   \
        const YT *y = k->y;                                                   \
        const ZT *z = k->z;                                                   \
        (void)env, (void)SIGN, (void)sizeof(U), (void)sizeof(U2), (void)BITS; \
        for (unsigned i = 0; i < k->n; i++) {                                 \
            XT a = x[i];                                                      \
            YT b = y[i];                                                      \
            ZT c = z[i];                                                      \
            (void)a, (void)b, (void)c;                                        \
            d[i] = expr;                                                      \
        }                                                                     \
    }

/* One whose @name_soft the host may spare us. */
#define HOSTED(name, W)                            \
    static void name##_##W(struct vkernel_args *k) \
    {                                              \
        if (!riscv_vhost_##name##_##W(k))          \
            name##_soft_##W(k);                    \
    }

/* The function of tcg/softfp.h for the format of SEW bits, and of twice as many. */
#define FP(fn) \
    _Generic((U)0, uint16_t : fp_f16_##fn, uint32_t : fp_f32_##fn, uint64_t : fp_f64_##fn)
#define FP2(fn) \
    _Generic((U2)0, uint16_t : fp_f16_##fn, uint32_t : fp_f32_##fn, uint64_t : fp_f64_##fn)
#define WIDEN(v)  _Generic((U)0, uint16_t : fp_f16_to_f32, uint32_t : fp_f32_to_f64)(env, v)
#define NARROW(v) _Generic((U)0, uint16_t : fp_f32_to_f16, uint32_t : fp_f64_to_f32)(env, v)

/* ---- Of one width; a = vs2, b = vs1 or scalar, c = vd ---- */

#define FP_OP_TO(name, DT, ZT, expr)          \
    FKERNEL(name, 16, 32, DT, U, U, ZT, expr) \
    FKERNEL(name, 32, 64, DT, U, U, ZT, expr) \
    FKERNEL(name, 64, 64, DT, U, U, ZT, expr)
#define FP_OP(name, expr) FP_OP_TO(name, U, U, expr)
#define FP_HOSTED(name, DT, ZT, expr)                \
    FKERNEL(name, 16, 32, DT, U, U, ZT, expr)        \
    FKERNEL(name##_soft, 32, 64, DT, U, U, ZT, expr) \
    FKERNEL(name##_soft, 64, 64, DT, U, U, ZT, expr) \
    HOSTED(name, 32)                                 \
    HOSTED(name, 64)
#define FP_ARITH(name, expr) FP_HOSTED(name, U, U, expr)
#define FP_CMP(name, expr)   FP_HOSTED(name, uint8_t, uint8_t, expr)

FP_ARITH(fadd, FP(add)(env, a, b))
FP_ARITH(fsub, FP(sub)(env, a, b))
FP_ARITH(frsub, FP(sub)(env, b, a))
FP_ARITH(fmul, FP(mul)(env, a, b))
FP_ARITH(fdiv, FP(div)(env, a, b))
FP_ARITH(frdiv, FP(div)(env, b, a))
FP_ARITH(fmin, FP(minmax)(env, a, b, FP_MINMAX_NUMBER))
FP_ARITH(fmax, FP(minmax)(env, a, b, FP_MINMAX_NUMBER | FP_MINMAX_MAX))
FP_OP(fsgnj, (a & ~SIGN) | (b & SIGN))
FP_OP(fsgnjn, (a & ~SIGN) | (~b & SIGN))
FP_OP(fsgnjx, a ^ (b & SIGN))

#define NEG_BOTH (FP_FMA_NEG_PRODUCT | FP_FMA_NEG_ADDEND)
FP_ARITH(fmacc, FP(fma)(env, b, a, c, 0))
FP_ARITH(fnmacc, FP(fma)(env, b, a, c, NEG_BOTH))
FP_ARITH(fmsac, FP(fma)(env, b, a, c, FP_FMA_NEG_ADDEND))
FP_ARITH(fnmsac, FP(fma)(env, b, a, c, FP_FMA_NEG_PRODUCT))
FP_ARITH(fmadd, FP(fma)(env, b, c, a, 0))
FP_ARITH(fnmadd, FP(fma)(env, b, c, a, NEG_BOTH))
FP_ARITH(fmsub, FP(fma)(env, b, c, a, FP_FMA_NEG_ADDEND))
FP_ARITH(fnmsub, FP(fma)(env, b, c, a, FP_FMA_NEG_PRODUCT))

FP_CMP(mfeq, FP(eq)(env, a, b))
FP_CMP(mfne, !FP(eq)(env, a, b))
FP_CMP(mflt, FP(lt)(env, a, b))
FP_CMP(mfle, FP(le)(env, a, b))
FP_CMP(mfgt, FP(lt)(env, b, a))
FP_CMP(mfge, FP(le)(env, b, a))

FP_ARITH(fsqrt, FP(sqrt)(env, a))
FP_OP(frsqrt7, FP(rsqrt7)(env, a))
FP_OP(frec7, FP(rec7)(env, a))
FP_OP(fclass, FP(class)(a))

/* ---- Twice as wide results: operands are converted first, which is exact ---- */

#define FP_WIDE_HOSTED(name, XT, expr)                \
    FKERNEL(name, 16, 32, U2, XT, U, U2, expr)        \
    FKERNEL(name##_soft, 32, 64, U2, XT, U, U2, expr) \
    HOSTED(name, 32)
#define FP_WIDE(name, XT, expr)                \
    FKERNEL(name, 16, 32, U2, XT, U, U2, expr) \
    FKERNEL(name, 32, 64, U2, XT, U, U2, expr)

FP_WIDE_HOSTED(fwadd, U, FP2(add)(env, WIDEN(a), WIDEN(b)))
FP_WIDE_HOSTED(fwsub, U, FP2(sub)(env, WIDEN(a), WIDEN(b)))
FP_WIDE_HOSTED(fwmul, U, FP2(mul)(env, WIDEN(a), WIDEN(b)))
FP_WIDE_HOSTED(fwadd_w, U2, FP2(add)(env, a, WIDEN(b)))
FP_WIDE_HOSTED(fwsub_w, U2, FP2(sub)(env, a, WIDEN(b)))
FP_WIDE_HOSTED(fwmacc, U, FP2(fma)(env, WIDEN(b), WIDEN(a), c, 0))
FP_WIDE_HOSTED(fwnmacc, U, FP2(fma)(env, WIDEN(b), WIDEN(a), c, NEG_BOTH))
FP_WIDE_HOSTED(fwmsac, U, FP2(fma)(env, WIDEN(b), WIDEN(a), c, FP_FMA_NEG_ADDEND))
FP_WIDE_HOSTED(fwnmsac, U, FP2(fma)(env, WIDEN(b), WIDEN(a), c, FP_FMA_NEG_PRODUCT))

/* ---- Conversions (13.17 to 13.19) ---- */

FP_OP(cvt_xu_f, FP(to_uint)(env, a, env->round, BITS))
FP_OP(cvt_x_f, FP(to_int)(env, a, env->round, BITS))
FP_OP(cvt_f_xu, FP(from_uint)(env, a))
FP_ARITH(cvt_f_x, FP(from_int)(env, velem_sext(a, BITS == 16 ? 1 : BITS == 32 ? 2 : 3)))
FP_OP(cvt_rtz_xu_f, FP(to_uint)(env, a, FP_RTZ, BITS))
FP_OP(cvt_rtz_x_f, FP(to_int)(env, a, FP_RTZ, BITS))

FP_WIDE(wcvt_xu_f, U, FP(to_uint)(env, a, env->round, 2 * BITS))
FP_WIDE(wcvt_x_f, U, FP(to_int)(env, a, env->round, 2 * BITS))
FP_WIDE(wcvt_rtz_xu_f, U, FP(to_uint)(env, a, FP_RTZ, 2 * BITS))
FP_WIDE(wcvt_rtz_x_f, U, FP(to_int)(env, a, FP_RTZ, 2 * BITS))
FP_WIDE_HOSTED(wcvt_f_f, U, WIDEN(a))

#define FP_NARROW_INT(name, DT, XT, expr)     \
    FKERNEL(name, 8, 16, DT, XT, U, U, expr)  \
    FKERNEL(name, 16, 32, DT, XT, U, U, expr) \
    FKERNEL(name, 32, 64, DT, XT, U, U, expr)
FP_NARROW_INT(ncvt_xu_f, U, U2, FP2(to_uint)(env, a, env->round, BITS))
FP_NARROW_INT(ncvt_x_f, U, U2, FP2(to_int)(env, a, env->round, BITS))
FP_NARROW_INT(ncvt_rtz_xu_f, U, U2, FP2(to_uint)(env, a, FP_RTZ, BITS))
FP_NARROW_INT(ncvt_rtz_x_f, U, U2, FP2(to_int)(env, a, FP_RTZ, BITS))

FKERNEL(wcvt_f_xu, 8, 16, U2, U, U, U2, FP2(from_uint)(env, a))
FKERNEL(wcvt_f_xu, 16, 32, U2, U, U, U2, FP2(from_uint)(env, a))
FKERNEL(wcvt_f_xu, 32, 64, U2, U, U, U2, FP2(from_uint)(env, a))
FKERNEL(wcvt_f_x, 8, 16, U2, U, U, U2, FP2(from_int)(env, (int8_t)a))
FKERNEL(wcvt_f_x, 16, 32, U2, U, U, U2, FP2(from_int)(env, (int16_t)a))
FKERNEL(wcvt_f_x_soft, 32, 64, U2, U, U, U2, FP2(from_int)(env, (int32_t)a))
HOSTED(wcvt_f_x, 32)

#define FP_NARROW(name, expr)                \
    FKERNEL(name, 16, 32, U, U2, U, U, expr) \
    FKERNEL(name, 32, 64, U, U2, U, U, expr)
FP_NARROW(ncvt_f_xu, FP(from_uint)(env, a))
FKERNEL(ncvt_f_x, 16, 32, U, U2, U, U, FP(from_int)(env, (int32_t)a))
FKERNEL(ncvt_f_x, 32, 64, U, U2, U, U, FP(from_int)(env, (int64_t)a))
FKERNEL(ncvt_f_f, 16, 32, U, U2, U, U, NARROW(a))
FKERNEL(ncvt_f_f_soft, 32, 64, U, U2, U, U, NARROW(a))
HOSTED(ncvt_f_f, 32)
FP_NARROW(ncvt_rod_f_f, (env->round = FP_ROD, NARROW(a)))

/* ---- Tables ---- */

/* Half precision is needed where SEW is 16, 8 bits; the bits are numbered by log2 of bytes. */
#define HALF_AT_16 2
#define HALF_AT_8  1
#define ROW(name, flags)                                                              \
    {                                                                                 \
        { NULL, name##_16, name##_32, name##_64 }, 0, 0, HALF_AT_16, VOP_FP | (flags) \
    }
#define ROW_WIDE(name, flags)                                                    \
    {                                                                            \
        { NULL, name##_16, name##_32, NULL }, 1, 0, HALF_AT_16, VOP_FP | (flags) \
    }
#define ROW_W(name)                                                    \
    {                                                                  \
        { NULL, name##_16, name##_32, NULL }, 1, 1, HALF_AT_16, VOP_FP \
    }
#define ROW_FROM_INT(name)                                                                       \
    {                                                                                            \
        { name##_8, name##_16, name##_32, NULL }, 1, 0, HALF_AT_8, VOP_FP | VOP_UNARY | VOP_XINT \
    }
#define ROW_TO_INT(name)                                                              \
    {                                                                                 \
        { name##_8, name##_16, name##_32, NULL }, 0, 1, HALF_AT_8, VOP_FP | VOP_UNARY \
    }
#define ROW_NARROW(name, flags)                                                              \
    {                                                                                        \
        { NULL, name##_16, name##_32, NULL }, 0, 1, HALF_AT_16, VOP_FP | VOP_UNARY | (flags) \
    }

const struct vop riscv_vops_f[64] = {
    [0x00] = ROW(fadd, 0),         [0x02] = ROW(fsub, 0),         [0x04] = ROW(fmin, 0),
    [0x06] = ROW(fmax, 0),         [0x08] = ROW(fsgnj, 0),        [0x09] = ROW(fsgnjn, 0),
    [0x0a] = ROW(fsgnjx, 0),       [0x18] = ROW(mfeq, VOP_CMP),   [0x19] = ROW(mfle, VOP_CMP),
    [0x1b] = ROW(mflt, VOP_CMP),   [0x1c] = ROW(mfne, VOP_CMP),   [0x1d] = ROW(mfgt, VOP_CMP),
    [0x1f] = ROW(mfge, VOP_CMP),   [0x20] = ROW(fdiv, 0),         [0x21] = ROW(frdiv, 0),
    [0x24] = ROW(fmul, 0),         [0x27] = ROW(frsub, 0),        [0x28] = ROW(fmadd, 0),
    [0x29] = ROW(fnmadd, 0),       [0x2a] = ROW(fmsub, 0),        [0x2b] = ROW(fnmsub, 0),
    [0x2c] = ROW(fmacc, 0),        [0x2d] = ROW(fnmacc, 0),       [0x2e] = ROW(fmsac, 0),
    [0x2f] = ROW(fnmsac, 0),       [0x30] = ROW_WIDE(fwadd, 0),   [0x32] = ROW_WIDE(fwsub, 0),
    [0x34] = ROW_W(fwadd_w),       [0x36] = ROW_W(fwsub_w),       [0x38] = ROW_WIDE(fwmul, 0),
    [0x3c] = ROW_WIDE(fwmacc, 0),  [0x3d] = ROW_WIDE(fwnmacc, 0), [0x3e] = ROW_WIDE(fwmsac, 0),
    [0x3f] = ROW_WIDE(fwnmsac, 0),
};

const struct vop riscv_vops_fcvt[64] = {
    [0x00] = ROW(cvt_xu_f, VOP_UNARY),
    [0x01] = ROW(cvt_x_f, VOP_UNARY),
    [0x02] = ROW(cvt_f_xu, VOP_UNARY | VOP_XINT),
    [0x03] = ROW(cvt_f_x, VOP_UNARY | VOP_XINT),
    [0x06] = ROW(cvt_rtz_xu_f, VOP_UNARY),
    [0x07] = ROW(cvt_rtz_x_f, VOP_UNARY),
    [0x08] = ROW_WIDE(wcvt_xu_f, VOP_UNARY),
    [0x09] = ROW_WIDE(wcvt_x_f, VOP_UNARY),
    [0x0a] = ROW_FROM_INT(wcvt_f_xu),
    [0x0b] = ROW_FROM_INT(wcvt_f_x),
    [0x0c] = ROW_WIDE(wcvt_f_f, VOP_UNARY),
    [0x0e] = ROW_WIDE(wcvt_rtz_xu_f, VOP_UNARY),
    [0x0f] = ROW_WIDE(wcvt_rtz_x_f, VOP_UNARY),
    [0x10] = ROW_TO_INT(ncvt_xu_f),
    [0x11] = ROW_TO_INT(ncvt_x_f),
    [0x12] = ROW_NARROW(ncvt_f_xu, VOP_XINT),
    [0x13] = ROW_NARROW(ncvt_f_x, VOP_XINT),
    [0x14] = ROW_NARROW(ncvt_f_f, 0),
    [0x15] = ROW_NARROW(ncvt_rod_f_f, 0),
    [0x16] = ROW_TO_INT(ncvt_rtz_xu_f),
    [0x17] = ROW_TO_INT(ncvt_rtz_x_f),
};

const struct vop riscv_vops_f1[64] = {
    [0x00] = ROW(fsqrt, VOP_UNARY),
    [0x04] = ROW(frsqrt7, VOP_UNARY),
    [0x05] = ROW(frec7, VOP_UNARY),
    [0x10] = ROW(fclass, VOP_UNARY),
};
