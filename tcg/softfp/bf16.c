/* bfloat16: see tcg/softfp.h. */
#include "define.h"

FP_DEFINE_FORMAT(bf16, uint16_t)
FP_DEFINE_FMA(bf16, uint16_t)

FP_DEFINE_CONVERT(bf16, uint16_t, f16, uint16_t)
FP_DEFINE_CONVERT(bf16, uint16_t, f32, uint32_t)
FP_DEFINE_CONVERT(bf16, uint16_t, f64, uint64_t)
