/*
 * Vectors: floating-point kernels on the host's SIMD unit, where that gives the same bits and
 * flags.
 *
 * Each returns false, with nothing done, where it cannot be used: without AVX2 and FMA, when
 * rounding to nearest with ties away from zero, or for operands that the host treats otherwise.
 */
#ifndef RISCV_VECTOR_FP_HOST_H
#define RISCV_VECTOR_FP_HOST_H

#include "vector.h"

/* HOST(name) for the formats of 32 and 64 bits, HOST_WIDE(name) for 32 to 64 */
#define VECTOR_FP_HOST(HOST, HOST_WIDE) \
    HOST(fadd)                          \
    HOST(fsub)                          \
    HOST(frsub)                         \
    HOST(fmul)                          \
    HOST(fdiv)                          \
    HOST(frdiv)                         \
    HOST(fsqrt)                         \
    HOST(fmacc)                         \
    HOST(fnmacc)                        \
    HOST(fmsac)                         \
    HOST(fnmsac)                        \
    HOST(fmadd)                         \
    HOST(fnmadd)                        \
    HOST(fmsub)                         \
    HOST(fnmsub)                        \
    HOST(fmin)                          \
    HOST(fmax)                          \
    HOST(mfeq)                          \
    HOST(mfne)                          \
    HOST(mflt)                          \
    HOST(mfle)                          \
    HOST(mfgt)                          \
    HOST(mfge)                          \
    HOST(cvt_f_x)                       \
    HOST_WIDE(fwadd)                    \
    HOST_WIDE(fwsub)                    \
    HOST_WIDE(fwmul)                    \
    HOST_WIDE(fwadd_w)                  \
    HOST_WIDE(fwsub_w)                  \
    HOST_WIDE(fwmacc)                   \
    HOST_WIDE(fwnmacc)                  \
    HOST_WIDE(fwmsac)                   \
    HOST_WIDE(fwnmsac)                  \
    HOST_WIDE(wcvt_f_f)                 \
    HOST_WIDE(wcvt_f_x)                 \
    HOST_WIDE(ncvt_f_f)

#define DECLARE_ONE(name)  bool riscv_vhost_##name(struct vkernel_args *k);
#define DECLARE_BOTH(name) DECLARE_ONE(name##_32) DECLARE_ONE(name##_64)
#define DECLARE_WIDE(name) DECLARE_ONE(name##_32)
VECTOR_FP_HOST(DECLARE_BOTH, DECLARE_WIDE)
#undef DECLARE_ONE
#undef DECLARE_BOTH
#undef DECLARE_WIDE

/* @sum becomes ((@sum + x[0]) + x[1]) ... Elements of 1 << @log2 bytes; a sum of 1 << @sum_log2. */
bool riscv_vhost_sum(struct fp_env *env, void *sum, unsigned sum_log2, const void *x, unsigned log2,
                     unsigned n);

#endif
