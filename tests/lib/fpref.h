/*
 * Reference for floating-point tests: values as MPFR numbers, and a rounding into binary formats
 * written from IEEE 754-2019, 4.3 and 7.4 to 7.6, on values instead of bit fields. Only with MPFR.
 */
#ifndef FPREF_H
#define FPREF_H

#include "fpvalues.h"
#include <mpfr.h>
#include <tcg/softfp.h>

/* Precision of intermediate results, in bits: enough to hold any value of any format and some more.
 */
#define FPREF_PRECISION 192

/* Sets z to the value of the bits; a NaN of either kind becomes MPFR's NaN. */
void fpref_decode(mpfr_t z, const struct fpv_shape *s, fpv_u128 bits);

bool fpref_is_nan(const struct fpv_shape *s, fpv_u128 bits);
bool fpref_is_snan(const struct fpv_shape *s, fpv_u128 bits);

/*
 * The bits of a finite number, which is z if `more` is 0, else lies between z and the next number
 * of larger magnitude. Rounds to `precision` bits as env says, and ORs flags into env->flags. A
 * zero keeps its sign.
 */
fpv_u128 fpref_round(const struct fpv_shape *s, int precision, struct fp_env *env, const mpfr_t z,
                     bool more);

/* RISC-V's canonical NaN. */
fpv_u128 fpref_nan(const struct fpv_shape *s);

/* Fails the running test with a line that names the case, if results or flags differ. */
void fpref_check(const char *format, const char *op, const struct fp_env *before, const fpv_u128 *x,
                 int n, fpv_u128 got, unsigned got_flags, fpv_u128 want, unsigned want_flags);

/* z rounded to an integer in direction `round` (enum fp_round); returns whether that changed it. */
bool fpref_integer(mpfr_t z, int round);

#endif
