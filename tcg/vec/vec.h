/*
 * Shared by the evaluator's files: an operation with its operands, and access to lanes. Each
 * operation of ir_vops.def is one function vec_NAME().
 */
#ifndef TCG_VEC_VEC_H
#define TCG_VEC_VEC_H

#include <string.h>
#include <tcg/vec.h>

union vec {
    uint8_t b[16];
    uint16_t h[8];
    uint32_t w[4];
    uint64_t q[2];
};

struct vec_op {
    unsigned lane; /* in bits */
    bool scalar;
    unsigned imm;
    struct fp_env *fp;
    union vec a, b, c; /* integers and floats in the low bits */
};

/* @r is zero at first; integer and float results go to its low bits. */
typedef void vec_fn(const struct vec_op *o, union vec *r);

#define VOP(name, text, shape, lanes, props) vec_fn vec_##name;
#include <tcg/ir_vops.def>
#undef VOP

static inline uint64_t vec_mask(unsigned lane)
{
    return UINT64_MAX >> (64 - lane);
}

static inline uint64_t vec_get(const union vec *v, unsigned lane, unsigned k)
{
    switch (lane) {
    case 8: return v->b[k];
    case 16: return v->h[k];
    case 32: return v->w[k];
    default: return v->q[k];
    }
}

static inline int64_t vec_sext(uint64_t v, unsigned lane)
{
    return (int64_t)(v << (64 - lane)) >> (64 - lane);
}

static inline int64_t vec_gets(const union vec *v, unsigned lane, unsigned k)
{
    return vec_sext(vec_get(v, lane, k), lane);
}

static inline void vec_put(union vec *v, unsigned lane, unsigned k, uint64_t value)
{
    switch (lane) {
    case 8: v->b[k] = value; break;
    case 16: v->h[k] = value; break;
    case 32: v->w[k] = value; break;
    default: v->q[k] = value; break;
    }
}

static inline unsigned vec_lanes(const struct vec_op *o)
{
    return 128 / o->lane;
}

static inline __int128 vec_clamp(__int128 v, __int128 lo, __int128 hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* The nearest signed or unsigned integer of @lane bits. */
static inline uint64_t vec_sats(__int128 v, unsigned lane)
{
    int64_t max = vec_mask(lane) >> 1;

    return vec_clamp(v, -(__int128)max - 1, max);
}

static inline uint64_t vec_satu(__int128 v, unsigned lane)
{
    return vec_clamp(v, 0, vec_mask(lane));
}

#endif
