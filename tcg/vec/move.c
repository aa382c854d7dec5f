/*
 * Moves between kinds of registers, logic, permutations.
 */
#include "vec.h"

void vec_ZERO(const struct vec_op *o, union vec *r)
{
    (void)o, (void)r;
}

void vec_PAIR(const struct vec_op *o, union vec *r)
{
    r->q[0] = o->a.q[0];
    r->q[1] = o->b.q[0];
}

void vec_FROMI(const struct vec_op *o, union vec *r)
{
    vec_put(r, o->lane, 0, o->a.q[0]);
}

void vec_FROMF(const struct vec_op *o, union vec *r)
{
    vec_put(r, o->lane, 0, o->a.q[0]);
}

static void splat(const struct vec_op *o, union vec *r, uint64_t v)
{
    for (unsigned k = 0; k < vec_lanes(o); k++)
        vec_put(r, o->lane, k, v);
}

void vec_DUP(const struct vec_op *o, union vec *r)
{
    splat(o, r, o->a.q[0]);
}

/* Lane numbers are taken modulo the number of lanes. */
static unsigned lane_number(const struct vec_op *o)
{
    return o->imm & (vec_lanes(o) - 1);
}

void vec_DUPLANE(const struct vec_op *o, union vec *r)
{
    splat(o, r, vec_get(&o->a, o->lane, lane_number(o)));
}

void vec_EXTRACT(const struct vec_op *o, union vec *r)
{
    r->q[0] = vec_get(&o->a, o->lane, lane_number(o));
}

void vec_INSERT(const struct vec_op *o, union vec *r)
{
    *r = o->a;
    vec_put(r, o->lane, lane_number(o), o->b.q[0]);
}

void vec_LOWZ(const struct vec_op *o, union vec *r)
{
    vec_put(r, o->lane, 0, o->a.q[0]);
}

void vec_LOW(const struct vec_op *o, union vec *r)
{
    *r = o->a;
    vec_put(r, o->lane, 0, o->b.q[0]);
}

void vec_INSF(const struct vec_op *o, union vec *r)
{
    vec_LOW(o, r);
}

void vec_TOF(const struct vec_op *o, union vec *r)
{
    vec_put(r, o->lane, 0, o->a.q[0]);
}

#define BITWISE(name, result)                             \
    void vec_##name(const struct vec_op *o, union vec *r) \
    {                                                     \
        for (unsigned k = 0; k < 2; k++) {                \
            uint64_t x = o->a.q[k], y = o->b.q[k];        \
            r->q[k] = (result);                           \
        }                                                 \
    }

/* clang-format off */
BITWISE(AND, x & y)
BITWISE(OR, x | y)
BITWISE(XOR, x ^ y)
BITWISE(ANDN, x & ~y)
/* clang-format on */

void vec_PTEST(const struct vec_op *o, union vec *r)
{
    uint64_t top = o->lane == 32   ? UINT64_C(0x8000000080000000)
                   : o->lane == 64 ? UINT64_C(1) << 63
                                   : UINT64_MAX;
    uint64_t and = 0, andn = 0;

    for (unsigned k = 0; k < 2; k++) {
        and |= o->a.q[k] & o->b.q[k] & top;
        andn |= o->b.q[k] & ~o->a.q[k] & top;
    }
    r->w[0] = (and? 0 : 0x40) | (andn ? 0 : 1);
}

void vec_MOVMSK(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < vec_lanes(o); k++)
        r->w[0] |= (uint32_t)(vec_get(&o->a, o->lane, k) >> (o->lane - 1)) << k;
}

static uint8_t byte_or_zero(const union vec *v, unsigned k)
{
    return k < 16 ? v->b[k] : 0;
}

void vec_SHLB(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < 16; k++)
        r->b[k] = byte_or_zero(&o->a, k - o->imm);
}

void vec_SHRB(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < 16; k++)
        r->b[k] = byte_or_zero(&o->a, k + o->imm);
}

void vec_ALIGN(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < 16; k++) {
        unsigned at = k + o->imm;
        r->b[k] = at < 16 ? o->b.b[at] : byte_or_zero(&o->a, at - 16);
    }
}

void vec_SHUFB(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < 16; k++)
        r->b[k] = o->b.b[k] & 0x80 ? 0 : o->a.b[o->b.b[k] & 15];
}

void vec_SHUF(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < 4; k++)
        r->w[k] = o->a.w[o->imm >> 2 * k & 3];
}

static void shuffle_half(const struct vec_op *o, union vec *r, unsigned at)
{
    *r = o->a;
    for (unsigned k = 0; k < 4; k++)
        r->h[at + k] = o->a.h[at + (o->imm >> 2 * k & 3)];
}

void vec_SHUFLO(const struct vec_op *o, union vec *r)
{
    shuffle_half(o, r, 0);
}

void vec_SHUFHI(const struct vec_op *o, union vec *r)
{
    shuffle_half(o, r, 4);
}

void vec_SHUF2(const struct vec_op *o, union vec *r)
{
    unsigned lanes = vec_lanes(o), bits = lanes / 2;

    for (unsigned k = 0; k < lanes; k++)
        vec_put(r, o->lane, k,
                vec_get(k < lanes / 2 ? &o->a : &o->b, o->lane, o->imm >> bits * k & (lanes - 1)));
}

void vec_PERMV(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < vec_lanes(o); k++) {
        uint64_t n = vec_get(&o->b, o->lane, k);
        vec_put(r, o->lane, k, vec_get(&o->a, o->lane, o->lane == 32 ? n & 3 : n >> 1 & 1));
    }
}

static void interleave(const struct vec_op *o, union vec *r, unsigned at)
{
    for (unsigned k = 0; k < vec_lanes(o); k++)
        vec_put(r, o->lane, k, vec_get(k & 1 ? &o->b : &o->a, o->lane, at + k / 2));
}

void vec_UNPLO(const struct vec_op *o, union vec *r)
{
    interleave(o, r, 0);
}

void vec_UNPHI(const struct vec_op *o, union vec *r)
{
    interleave(o, r, vec_lanes(o) / 2);
}

static void pack(const struct vec_op *o, union vec *r, bool is_signed)
{
    unsigned lanes = vec_lanes(o), to = o->lane / 2;

    for (unsigned k = 0; k < 2 * lanes; k++) {
        int64_t v = vec_gets(k < lanes ? &o->a : &o->b, o->lane, k % lanes);
        vec_put(r, to, k, is_signed ? vec_sats(v, to) : vec_satu(v, to));
    }
}

void vec_PACKS(const struct vec_op *o, union vec *r)
{
    pack(o, r, true);
}

void vec_PACKU(const struct vec_op *o, union vec *r)
{
    pack(o, r, false);
}

void vec_SXT(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < vec_lanes(o); k++)
        vec_put(r, o->lane, k, vec_gets(&o->a, o->imm, k));
}

void vec_ZXT(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < vec_lanes(o); k++)
        vec_put(r, o->lane, k, vec_get(&o->a, o->imm, k));
}

void vec_BLENDI(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < vec_lanes(o); k++)
        vec_put(r, o->lane, k, vec_get(o->imm >> k & 1 ? &o->b : &o->a, o->lane, k));
}

void vec_BLENDV(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < vec_lanes(o); k++)
        vec_put(r, o->lane, k,
                vec_get(vec_gets(&o->c, o->lane, k) < 0 ? &o->b : &o->a, o->lane, k));
}

/* SDM volume 2, INSERTPS: source lane in bits 7:6, destination in 5:4, lanes to zero in 3:0. */
void vec_INSPS(const struct vec_op *o, union vec *r)
{
    *r = o->a;
    r->w[o->imm >> 4 & 3] = o->b.w[o->imm >> 6 & 3];
    for (unsigned k = 0; k < 4; k++)
        r->w[k] = o->imm >> k & 1 ? 0 : r->w[k];
}
