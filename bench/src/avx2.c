/*
 * avx2.c - the loops of simd.c for AVX2, where that is an instruction set of the machine's; the
 * vectors are twice as long as in its baseline.  Elsewhere the table is empty.
 */
#if defined(__x86_64__)

#pragma GCC target("avx2")
#define SIMD_WORKS avx2_works
#define SIMD_NAME  "avx2_"
#include "simd.c"

#else

#include "work.h"

const struct work avx2_works[] = { { 0 } };

#endif
