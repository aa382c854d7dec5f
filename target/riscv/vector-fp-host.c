/*
 * See vector-fp-host.h. The loops run under an MXCSR of their own: the guest's rounding, all
 * exceptions masked, flags cleared before and gathered after. SSE detects tininess after rounding
 * as RISC-V does (13.1); what differs is that NaN results are to be canonical.
 */
#include "vector-fp-host.h"

#ifdef __x86_64__
#include <xmmintrin.h>

#ifndef __clang__
#pragma GCC optimize("O3,no-math-errno")
#endif

#define TARGET __attribute__((target("avx2,fma")))

typedef float host32;
typedef double host64;

static bool can_use(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* ---- The environment ---- */

/* False: the host has no such rounding. */
static bool begin(const struct fp_env *env, unsigned *saved)
{
    static const uint16_t control[] = {
        [FP_RNE] = 0x0000, [FP_RDN] = 0x2000, [FP_RUP] = 0x4000, [FP_RTZ] = 0x6000
    };

    if (env->round >= ARRAY_LEN(control) || !can_use())
        return false;
    *saved = _mm_getcsr();
    _mm_setcsr(0x1f80 | control[env->round]);
    __asm__ volatile("" ::
                         : "memory"); /* operands are not loaded before, results not stored after */
    return true;
}

static void end(struct fp_env *env, unsigned saved)
{
    static const uint8_t flags[] = {
        FP_FLAG_NV, 0, FP_FLAG_DZ, FP_FLAG_OF, FP_FLAG_UF, FP_FLAG_NX
    };
    unsigned raised;

    __asm__ volatile("" ::: "memory");
    raised = _mm_getcsr();
    _mm_setcsr(saved);
    for (unsigned k = 0; k < ARRAY_LEN(flags); k++)
        if (raised >> k & 1)
            env->flags |= flags[k];
}

/* ---- NaNs ---- */

#define INF_32          0x7f800000u
#define INF_64          0x7ff0000000000000u
#define NAN_32          0x7fc00000u
#define NAN_64          0x7ff8000000000000u
#define INF(W)          INF_(W)
#define INF_(W)         INF_##W
#define NAN_OF(W)       NAN_OF_(W)
#define NAN_OF_(W)      NAN_##W
#define IS_NAN(W, bits) (((bits) & (VUINT(W))(-1) >> 1) > INF(W))

#define ANY_NAN(W)                                            \
    TARGET static bool any_nan_##W(const void *p, unsigned n) \
    {                                                         \
        const VUINT(W) *x = p;                                \
        VUINT(W) any = 0;                                     \
        for (unsigned i = 0; i < n; i++)                      \
            any |= IS_NAN(W, x[i]);                           \
        return any;                                           \
    }
ANY_NAN(32)
ANY_NAN(64)

/* ---- Arithmetic ---- */

/*
 * Kernel @name_@W: @expr of a, b, c, which are host floats; formats of D, X, Y bits. @cannot:
 * operands for which it does not apply.
 */
#define HOST(name, W, D, XT, Y, cannot, expr)                    \
    TARGET bool riscv_vhost_##name##_##W(struct vkernel_args *k) \
    {                                                            \
        VUINT(D) *d = k->d;                                      \
        const XT *x = k->x;                                      \
        const host##Y *y = k->y;                                 \
        const host##D *z = k->z;                                 \
        unsigned n = k->n, saved;                                \
        (void)y, (void)z;                                        \
        if ((cannot) || !begin(&k->env, &saved))                 \
            return false;                                        \
        VECTOR_LOOP                                              \
        for (unsigned i = 0; i < n; i++) {                       \
            XT a = x[i];                                         \
            host##Y b = y[i];                                    \
            host##D c = z[i], r;                                 \
            VUINT(D) bits;                                       \
            (void)b, (void)c;                                    \
            r = expr;                                            \
            memcpy(&bits, &r, sizeof(r));                        \
            d[i] = IS_NAN(D, bits) ? NAN_OF(D) : bits;           \
        }                                                        \
        end(&k->env, saved);                                     \
        return true;                                             \
    }
#define HOST_OP(name, expr)                     \
    HOST(name, 32, 32, host32, 32, false, expr) \
    HOST(name, 64, 64, host64, 64, false, expr)
HOST_OP(fadd, a + b)
HOST_OP(fsub, a - b)
HOST_OP(frsub, b - a)
HOST_OP(fmul, a *b)
HOST_OP(fdiv, a / b)
HOST_OP(frdiv, b / a)
HOST(fsqrt, 32, 32, host32, 32, false, __builtin_sqrtf(a))
HOST(fsqrt, 64, 64, host64, 64, false, __builtin_sqrt(a))

/* The host does not raise invalid for infinity * 0 + NaN: no NaN as addend. */
#define HOST_FMA(name, addend, p, q, s)                                               \
    HOST(name, 32, 32, host32, 32, any_nan_32(k->addend, n), __builtin_fmaf(p, q, s)) \
    HOST(name, 64, 64, host64, 64, any_nan_64(k->addend, n), __builtin_fma(p, q, s))
HOST_FMA(fmacc, z, b, a, c)
HOST_FMA(fnmacc, z, -b, a, -c)
HOST_FMA(fmsac, z, b, a, -c)
HOST_FMA(fnmsac, z, -b, a, c)
HOST_FMA(fmadd, x, b, c, a)
HOST_FMA(fnmadd, x, -b, c, -a)
HOST_FMA(fmsub, x, b, c, -a)
HOST_FMA(fnmsub, x, -b, c, a)

#define HOST_WIDE(name, XT, cannot, expr) HOST(name, 32, 64, XT, 32, cannot, expr)
HOST_WIDE(fwadd, host32, false, (host64)a + b)
HOST_WIDE(fwsub, host32, false, (host64)a - b)
HOST_WIDE(fwmul, host32, false, (host64)a *b)
HOST_WIDE(fwadd_w, host64, false, a + b)
HOST_WIDE(fwsub_w, host64, false, a - b)
HOST_WIDE(fwmacc, host32, any_nan_64(z, n), __builtin_fma(b, a, c))
HOST_WIDE(fwnmacc, host32, any_nan_64(z, n), __builtin_fma(-(host64)b, a, -c))
HOST_WIDE(fwmsac, host32, any_nan_64(z, n), __builtin_fma(b, a, -c))
HOST_WIDE(fwnmsac, host32, any_nan_64(z, n), __builtin_fma(-(host64)b, a, c))

HOST_WIDE(wcvt_f_f, host32, false, a)
HOST_WIDE(wcvt_f_x, int32_t, false, a)
HOST(cvt_f_x, 32, 32, int32_t, 32, false, a)
HOST(cvt_f_x, 64, 64, int64_t, 64, false, a)
HOST(ncvt_f_f, 32, 32, host64, 32, false, a)

/* ---- Without NaNs nothing is rounded and no flag raised ---- */

#define HOST_PLAIN(name, W, T, DT, expr)                          \
    TARGET bool riscv_vhost_##name##_##W(struct vkernel_args *k)  \
    {                                                             \
        DT *d = k->d;                                             \
        const T *x = k->x, *y = k->y;                             \
        unsigned n = k->n;                                        \
        if (!can_use() || any_nan_##W(x, n) || any_nan_##W(y, n)) \
            return false;                                         \
        VECTOR_LOOP                                               \
        for (unsigned i = 0; i < n; i++) {                        \
            T a = x[i], b = y[i];                                 \
            d[i] = expr;                                          \
        }                                                         \
        return true;                                              \
    }

#define HOST_CMP(name, op)                        \
    HOST_PLAIN(name, 32, host32, uint8_t, a op b) \
    HOST_PLAIN(name, 64, host64, uint8_t, a op b)
HOST_CMP(mfeq, ==)
HOST_CMP(mfne, !=)
HOST_CMP(mflt, <)
HOST_CMP(mfle, <=)
HOST_CMP(mfgt, >)
HOST_CMP(mfge, >=)

/* As integers that are ordered as the values are, -0 before +0. */
#define ORDER_32(v) ((v) ^ (int32_t)((uint32_t)((v) >> 31) >> 1))
#define ORDER_64(v) ((v) ^ (int64_t)((uint64_t)((v) >> 63) >> 1))
HOST_PLAIN(fmin, 32, int32_t, int32_t, ORDER_32(a) < ORDER_32(b) ? a : b)
HOST_PLAIN(fmin, 64, int64_t, int64_t, ORDER_64(a) < ORDER_64(b) ? a : b)
HOST_PLAIN(fmax, 32, int32_t, int32_t, ORDER_32(a) > ORDER_32(b) ? a : b)
HOST_PLAIN(fmax, 64, int64_t, int64_t, ORDER_64(a) > ORDER_64(b) ? a : b)

/* ---- Sums ---- */

#define SUM(name, X, D)                                              \
    TARGET static void name(void *sum, const void *from, unsigned n) \
    {                                                                \
        const host##X *x = from;                                     \
        host##D s;                                                   \
        VUINT(D) bits;                                               \
        memcpy(&s, sum, sizeof(s));                                  \
        for (unsigned i = 0; i < n; i++)                             \
            s += x[i];                                               \
        memcpy(&bits, &s, sizeof(s));                                \
        if (n && IS_NAN(D, bits))                                    \
            bits = NAN_OF(D);                                        \
        memcpy(sum, &bits, sizeof(bits));                            \
    }
SUM(sum_32, 32, 32)
SUM(sum_64, 64, 64)
SUM(sum_32_64, 32, 64)

bool riscv_vhost_sum(struct fp_env *env, void *sum, unsigned sum_log2, const void *x, unsigned log2,
                     unsigned n)
{
    unsigned saved;

    if (log2 < 2 || !begin(env, &saved))
        return false;
    if (log2 == 3)
        sum_64(sum, x, n);
    else if (sum_log2 == 3)
        sum_32_64(sum, x, n);
    else
        sum_32(sum, x, n);
    end(env, saved);
    return true;
}

#else

#define NONE(name)                                  \
    bool riscv_vhost_##name(struct vkernel_args *k) \
    {                                               \
        (void)k;                                    \
        return false;                               \
    }
#define NONE_BOTH(name) NONE(name##_32) NONE(name##_64)
#define NONE_WIDE(name) NONE(name##_32)
VECTOR_FP_HOST(NONE_BOTH, NONE_WIDE)

bool riscv_vhost_sum(struct fp_env *env, void *sum, unsigned sum_log2, const void *x, unsigned log2,
                     unsigned n)
{
    (void)env, (void)sum, (void)sum_log2, (void)x, (void)log2, (void)n;
    return false;
}
#endif
