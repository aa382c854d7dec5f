/* binary16 (half precision): see tcg/softfp.h. */
#include "define.h"

FP_DEFINE_FORMAT(f16, uint16_t)
FP_DEFINE_FMA(f16, uint16_t)

FP_DEFINE_CONVERT(f16, uint16_t, f32, uint32_t)
FP_DEFINE_CONVERT(f16, uint16_t, f64, uint64_t)
FP_DEFINE_CONVERT(f16, uint16_t, f80, fp_u128)
FP_DEFINE_CONVERT(f16, uint16_t, f128, fp_u128)
FP_DEFINE_CONVERT(f16, uint16_t, bf16, uint16_t)
