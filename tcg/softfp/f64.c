/* binary64 (double precision): see tcg/softfp.h. */
#include "define.h"

FP_DEFINE_FORMAT(f64, uint64_t)
FP_DEFINE_FMA(f64, uint64_t)

FP_DEFINE_CONVERT(f64, uint64_t, f16, uint16_t)
FP_DEFINE_CONVERT(f64, uint64_t, bf16, uint16_t)
FP_DEFINE_CONVERT(f64, uint64_t, f32, uint32_t)
FP_DEFINE_CONVERT(f64, uint64_t, f80, fp_u128)
FP_DEFINE_CONVERT(f64, uint64_t, f128, fp_u128)

int64_t fp_f64_to_i32_modular(struct fp_env *env, uint64_t a)
{
    struct fp_num n = fp_unpack(&fp_format_f64, env, a);
    struct fp_env scratch = { .denormals_are_zero = env->denormals_are_zero };
    uint64_t low;

    fp_to_integer(&fp_format_f64, &scratch, a, FP_RTZ, 32, true);
    env->flags |= scratch.flags;
    /* from 2^84 on, all bits of the integer that f64 can hold lie above bit 31 */
    if (n.kind != FPK_FINITE || n.exp < 0 || n.exp >= 84) {
        return 0;
    }
    low = n.exp <= 63 ? n.hi >> (63 - n.exp) : n.hi << (n.exp - 63);
    return (int32_t)(uint32_t)(n.sign ? -low : low);
}
