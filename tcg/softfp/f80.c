/* x87 extended precision: see tcg/softfp.h. */
#include "define.h"

FP_DEFINE_FORMAT(f80, fp_u128)

FP_DEFINE_CONVERT(f80, fp_u128, f32, uint32_t)
FP_DEFINE_CONVERT(f80, fp_u128, f64, uint64_t)
FP_DEFINE_CONVERT(f80, fp_u128, f128, fp_u128)
