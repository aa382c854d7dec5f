/*
 * Vectors: fixed-point arithmetic (12): saturation, averages, rounding shifts, clips.
 */
#include "vector-fixed.h"

#ifndef __clang__
#pragma GCC optimize("O3")
#endif

enum vxrm { RNU, RNE, RDN, ROD };

/* 3.8: what is added to v >> shift, for the bits shifted out; @low: v's lowest shift + 1 bits. */
static inline unsigned round_bit(uint64_t low, unsigned shift, unsigned vxrm)
{
    uint64_t lost, half;

    if (!shift)
        return 0;
    lost = low & mask64(shift);
    half = BIT(shift - 1);
    switch (vxrm) {
    case RNU: return lost >= half;
    case RNE: return lost > half || (lost == half && low >> shift & 1);
    case RDN: return 0;
    default: return lost && !(low >> shift & 1);
    }
}

/*
 * Kernels with two more names than VKERNEL's: `rm` for vxrm, `sat` to be set on saturation. Not
 * static: their rows are in the tables of vector-int.c.
 */
#define FKERNEL(name, W, W2, XT, expr)                                        \
    void name##_##W(struct vkernel_args *k)                                   \
    {                                                                         \
        typedef VUINT(W) U;                                                   \
        typedef VINT(W) S;                                                    \
        typedef VUINT(W2) U2;                                                 \
        typedef VINT(W2) S2;                                                  \
        enum { BITS = W };                                                    \
        const U UMAX = -1;                                                    \
        const S SMAX = UMAX >> 1, SMIN = -SMAX - 1;                           \
        U *d = k->d;                                                          \
        const XT *x = k->x;                                                   \
        const U *y = k->y;                                                    \
        unsigned n = k->n, rm = k->vxrm;                                      \
        U sat = 0;                                                            \
        (void)SMIN, (void)rm, (void)BITS, (void)sizeof(U2), (void)sizeof(S2); \
        VECTOR_LOOP                                                           \
        for (unsigned i = 0; i < n; i++) {                                    \
            XT a = x[i];                                                      \
            U b = y[i];                                                       \
            d[i] = expr;                                                      \
        }                                                                     \
        k->sat |= sat != 0;                                                   \
    }
#define FIXED_WIDE(name, XT, expr)          \
    FKERNEL(riscv_##name, 8, 16, XT, expr)  \
    FKERNEL(riscv_##name, 16, 32, XT, expr) \
    FKERNEL(riscv_##name, 32, 64, XT, expr)
#define FIXED(name, expr)     \
    FIXED_WIDE(name, U, expr) \
    FKERNEL(riscv_##name, 64, 128, U, expr)

/* @v limited to lo..hi; to what U holds. */
#define SATURATE(v, lo, hi)                       \
    ({                                            \
        __typeof__(v) v_ = (v);                   \
        __typeof__(v) l_ = v_ < (lo) ? (lo) : v_; \
        __typeof__(v) h_ = l_ > (hi) ? (hi) : l_; \
        sat |= h_ != v_;                          \
        h_;                                       \
    })
#define SATURATE_U(v)           \
    ({                          \
        __typeof__(v) u_ = (v); \
        bool over_ = u_ > UMAX; \
        sat |= over_;           \
        over_ ? UMAX : (U)u_;   \
    })
#define ROUND(v, shift)                                                               \
    ({                                                                                \
        __typeof__(v) r_ = (v);                                                       \
        unsigned s_ = (shift);                                                        \
        (__typeof__(v))((r_ >> s_) + (__typeof__(v))round_bit((uint64_t)r_, s_, rm)); \
    })
#define WIDE_S(v) ((S2)(S)(v))

/* Sums and differences without a wider type: the compiler finds the host's instructions. */
FIXED(vsaddu, ({
          U r = a + b, over = -(U)(r < a);
          sat |= over;
          (U)(r | over);
      }))
FIXED(vssubu, ({
          U over = -(U)(a < b);
          sat |= over;
          (U)((U)(a - b) & ~over);
      }))
FIXED(vsadd, SATURATE((S2)(WIDE_S(a) + WIDE_S(b)), SMIN, SMAX))
FIXED(vssub, SATURATE((S2)(WIDE_S(a) - WIDE_S(b)), SMIN, SMAX))
/* 12.2: the sum or difference has a bit more than SEW. */
FIXED(vaaddu, ROUND((U2)((U2)a + b), 1))
FIXED(vaadd, ROUND((S2)(WIDE_S(a) + WIDE_S(b)), 1))
FIXED(vasubu, ROUND((U2)((U2)a - b), 1))
FIXED(vasub, ROUND((S2)(WIDE_S(a) - WIDE_S(b)), 1))
FIXED(vsmul, SATURATE(ROUND((S2)(WIDE_S(a) * WIDE_S(b)), BITS - 1), SMIN, SMAX))
FIXED(vssrl, ROUND(a, b &(BITS - 1)))
FIXED(vssra, ROUND((S)a, b &(BITS - 1)))
FIXED_WIDE(vnclipu, U2, SATURATE_U(ROUND(a, b &(2 * BITS - 1))))
FIXED_WIDE(vnclip, U2, SATURATE(ROUND((S2)a, b &(2 * BITS - 1)), SMIN, SMAX))
