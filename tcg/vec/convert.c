/*
 * Conversions of floating point, and the estimates.
 */
#ifdef __SSE__
#include <xmmintrin.h>
#endif
#include "vec.h"

static uint64_t to_other(const struct vec_op *o, const union vec *v, unsigned k)
{
    return o->lane == 32 ? fp_f32_to_f64(o->fp, v->w[k]) : fp_f64_to_f32(o->fp, v->q[k]);
}

void vec_FTOF(const struct vec_op *o, union vec *r)
{
    unsigned to = o->lane == 32 ? 64 : 32;

    if (o->scalar) {
        *r = o->a;
        vec_put(r, to, 0, to_other(o, &o->b, 0));
        return;
    }
    for (unsigned k = 0; k < 2; k++)
        vec_put(r, to, k, to_other(o, &o->a, k));
}

static uint64_t to_int(const struct vec_op *o, unsigned k, unsigned bits)
{
    enum fp_round how = o->imm & 1 ? FP_RTZ : o->fp->round;

    return o->lane == 32 ? fp_f32_to_int(o->fp, o->a.w[k], how, bits)
                         : fp_f64_to_int(o->fp, o->a.q[k], how, bits);
}

void vec_FTOI(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < vec_lanes(o); k++)
        r->w[k] = to_int(o, k, 32);
}

void vec_FTOI32(const struct vec_op *o, union vec *r)
{
    r->w[0] = to_int(o, 0, 32);
}

void vec_FTOI64(const struct vec_op *o, union vec *r)
{
    r->q[0] = to_int(o, 0, 64);
}

static uint64_t from_int(const struct vec_op *o, int64_t v)
{
    return o->lane == 32 ? fp_f32_from_int(o->fp, v) : fp_f64_from_int(o->fp, v);
}

void vec_ITOF(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < vec_lanes(o); k++)
        vec_put(r, o->lane, k, from_int(o, (int32_t)o->a.w[k]));
}

void vec_I32TOF(const struct vec_op *o, union vec *r)
{
    *r = o->a;
    vec_put(r, o->lane, 0, from_int(o, (int32_t)o->b.w[0]));
}

void vec_I64TOF(const struct vec_op *o, union vec *r)
{
    *r = o->a;
    vec_put(r, o->lane, 0, from_int(o, o->b.q[0]));
}

/* SDM volume 1, 14.4.1: half-precision denormals are always used as such and not reported. */
void vec_F16TOF(const struct vec_op *o, union vec *r)
{
    struct fp_env env = *o->fp;

    env.denormals_are_zero = false;
    for (unsigned k = 0; k < 4; k++)
        r->w[k] = fp_f16_to_f32(&env, o->a.h[k]);
    o->fp->flags = env.flags & ~(unsigned)FP_FLAG_DE;
}

void vec_FTOF16(const struct vec_op *o, union vec *r)
{
    static const uint8_t directions[] = { FP_RNE, FP_RDN, FP_RUP, FP_RTZ };
    struct fp_env env = *o->fp;

    env.flush = FP_FLUSH_OFF;
    if (!(o->imm & 4))
        env.round = directions[o->imm & 3];
    for (unsigned k = 0; k < 4; k++)
        r->h[k] = fp_f32_to_f16(&env, o->a.w[k]);
    o->fp->flags = env.flags;
}

/*
 * SDM volume 2, RCPPS and RSQRTPS: relative error up to 1.5 * 2^-12, denormals count as zeros, no
 * flags, no rounding mode.
 */
#ifdef __SSE__
static uint32_t estimate(uint32_t x, bool root)
{
    float f;

    memcpy(&f, &x, 4);
    f = _mm_cvtss_f32(root ? _mm_rsqrt_ss(_mm_set_ss(f)) : _mm_rcp_ss(_mm_set_ss(f)));
    memcpy(&x, &f, 4);
    return x;
}
#else
static uint32_t estimate(uint32_t x, bool root)
{
    struct fp_env env = { .nan = FP_NAN_X86,
                          .default_nan_sign = true,
                          .denormals_are_zero = true,
                          .flush = FP_FLUSH_X86 };
    const uint32_t one = 0x3f800000;
    uint32_t r = fp_f32_div(&env, one, root ? fp_f32_sqrt(&env, x) : x);

    return (r & INT32_MAX) < 0x7f800000 ? (r + 0x400) & ~0x7ffu : r;
}
#endif

static void estimates(const struct vec_op *o, union vec *r, bool root)
{
    const union vec *from = o->scalar ? &o->b : &o->a;

    *r = o->a;
    for (unsigned k = 0; k < (o->scalar ? 1 : 4); k++)
        r->w[k] = estimate(from->w[k], root);
}

void vec_FRCP(const struct vec_op *o, union vec *r)
{
    estimates(o, r, false);
}

void vec_FRSQRT(const struct vec_op *o, union vec *r)
{
    estimates(o, r, true);
}
