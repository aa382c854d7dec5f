/*
 * Operands for floating-point tests: for any binary format the values at which something changes,
 * and random ones that meet each other often enough (near exponents, sparse significands).
 */
#ifndef FPVALUES_H
#define FPVALUES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 fpv_u128;

struct fpv_shape {
    int exp_bits, frac_bits;
    bool explicit_bit; /* the integer bit is stored above the fraction (x87) */
};

/* The bits of a value made of its fields; the explicit integer bit is set unless exp is 0. */
fpv_u128 fpv_pack(const struct fpv_shape *s, bool sign, int exp, fpv_u128 frac);

/* Zeros, denormals, ends of the range, infinities, NaNs, both sides of powers of two and of the
   limits of integer types. A GArray of fpv_u128; the caller unrefs it. */
GArray *fpv_special(const struct fpv_shape *s);

/* A random value, or sometimes one of `special`. */
fpv_u128 fpv_random(const struct fpv_shape *s, GRand *rand, GArray *special);

/* A generator seeded from $MYNA_SEED, else afresh; prints the seed as a TAP comment. */
GRand *fpv_rand_new(void);
/* The seed of the last one, for a line on stderr, which prove shows. */
guint32 fpv_seed(void);

#endif
