/* binary32 (single precision): see tcg/softfp.h. */
#include "define.h"

FP_DEFINE_FORMAT(f32, uint32_t)
FP_DEFINE_FMA(f32, uint32_t)

FP_DEFINE_CONVERT(f32, uint32_t, f16, uint16_t)
FP_DEFINE_CONVERT(f32, uint32_t, bf16, uint16_t)
FP_DEFINE_CONVERT(f32, uint32_t, f64, uint64_t)
FP_DEFINE_CONVERT(f32, uint32_t, f80, fp_u128)
FP_DEFINE_CONVERT(f32, uint32_t, f128, fp_u128)
