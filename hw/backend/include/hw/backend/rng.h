/*
 * Sources of entropy: -object rng-random, rng-builtin, rng-egd. They give bytes when they have
 * some, which may take long.
 */
#ifndef HW_BACKEND_RNG_H
#define HW_BACKEND_RNG_H

#include <hw/core/object.h>

#define RNG_BACKEND "rng-backend" /* the role */

/* 1 to as many bytes as were asked for. */
typedef void rng_fn(void *opaque, const uint8_t *bytes, size_t len);

/* Asks for `len` (at least 1) bytes: `fn` is called once, maybe from within this call. Requests are
 * served in order. Device lock held. */
void rng_request(struct object *source, size_t len, rng_fn *fn, void *opaque);
/* Forgets what `opaque` asked for. */
void rng_cancel(struct object *source, void *opaque);

#endif
