/*
 * Integer arithmetic by lane.
 */
#include "vec.h"

/* For each lane: x, y its unsigned values, s, t its signed ones, L its size. */
#define LANEWISE(name, result)                                           \
    void vec_##name(const struct vec_op *o, union vec *r)                \
    {                                                                    \
        const unsigned L = o->lane;                                      \
        for (unsigned k = 0; k < vec_lanes(o); k++) {                    \
            uint64_t x = vec_get(&o->a, L, k), y = vec_get(&o->b, L, k); \
            int64_t s = vec_sext(x, L), t = vec_sext(y, L);              \
            (void)x, (void)y, (void)s, (void)t;                          \
            vec_put(r, L, k, (result));                                  \
        }                                                                \
    }

typedef unsigned __int128 u128;

/* clang-format off */
LANEWISE(ADD, x + y)
LANEWISE(SUB, x - y)
LANEWISE(ADDS, vec_sats((__int128)s + t, L))
LANEWISE(ADDU, vec_satu((__int128)x + y, L))
LANEWISE(SUBS, vec_sats((__int128)s - t, L))
LANEWISE(SUBU, vec_satu((__int128)x - y, L))
LANEWISE(MUL, x * y)
LANEWISE(MULHS, (__int128)s * t >> L)
LANEWISE(MULHU, (u128)x * y >> L)
LANEWISE(MULRS, ((s * t >> (L - 2)) + 1) >> 1)
LANEWISE(MULES, vec_sext(x, L / 2) * vec_sext(y, L / 2))
LANEWISE(MULEU, (x & vec_mask(L / 2)) * (y & vec_mask(L / 2)))
LANEWISE(MADD, (uint64_t)(vec_sext(x, L / 2) * vec_sext(y, L / 2)) +
               (uint64_t)((s >> L / 2) * (t >> L / 2)))
LANEWISE(MADDUS, vec_sats((int64_t)(x & 0xff) * vec_sext(y, 8) + (int64_t)(x >> 8) * (t >> 8), 16))
LANEWISE(AVG, ((u128)x + y + 1) >> 1)
LANEWISE(MINS, s < t ? x : y)
LANEWISE(MINU, x < y ? x : y)
LANEWISE(MAXS, s > t ? x : y)
LANEWISE(MAXU, x > y ? x : y)
LANEWISE(ABS, s < 0 ? -x : x)
LANEWISE(SIGN, t < 0 ? -x : t ? x : 0)
LANEWISE(CMPEQ, x == y ? UINT64_MAX : 0)
LANEWISE(CMPGT, s > t ? UINT64_MAX : 0)
LANEWISE(SHLI, o->imm < L ? x << o->imm : 0)
LANEWISE(SHRI, o->imm < L ? x >> o->imm : 0)
LANEWISE(SARI, s >> (o->imm < L ? o->imm : L - 1))
LANEWISE(SHLS, o->b.q[0] < L ? x << o->b.q[0] : 0)
LANEWISE(SHRS, o->b.q[0] < L ? x >> o->b.q[0] : 0)
LANEWISE(SARS, s >> (o->b.q[0] < L ? o->b.q[0] : L - 1))
LANEWISE(SHLV, y < L ? x << y : 0)
LANEWISE(SHRV, y < L ? x >> y : 0)
LANEWISE(SARV, s >> (y < L ? y : L - 1))
/* clang-format on */

/* Lanes of neighbours: x the even, y the odd one. */
#define HORIZONTAL(name, result)                                                                \
    void vec_##name(const struct vec_op *o, union vec *r)                                       \
    {                                                                                           \
        const unsigned L = o->lane, half = vec_lanes(o) / 2;                                    \
        for (unsigned k = 0; k < 2 * half; k++) {                                               \
            const union vec *v = k < half ? &o->a : &o->b;                                      \
            int64_t x = vec_gets(v, L, 2 * (k % half)), y = vec_gets(v, L, 2 * (k % half) + 1); \
            vec_put(r, L, k, (result));                                                         \
        }                                                                                       \
    }

/* clang-format off */
HORIZONTAL(HADD, x + y)
HORIZONTAL(HSUB, x - y)
HORIZONTAL(HADDS, vec_sats(x + y, L))
HORIZONTAL(HSUBS, vec_sats(x - y, L))
/* clang-format on */

static unsigned distance(unsigned x, unsigned y)
{
    return x > y ? x - y : y - x;
}

void vec_SAD(const struct vec_op *o, union vec *r)
{
    for (unsigned k = 0; k < 16; k++)
        r->q[k / 8] += distance(o->a.b[k], o->b.b[k]);
}

/* SDM volume 2, MPSADBW: four bytes of b against eight windows of a. */
void vec_MPSAD(const struct vec_op *o, union vec *r)
{
    unsigned from_a = o->imm & 4, from_b = (o->imm & 3) * 4;

    for (unsigned k = 0; k < 8; k++) {
        for (unsigned n = 0; n < 4; n++)
            r->h[k] += distance(o->a.b[from_a + k + n], o->b.b[from_b + n]);
    }
}

void vec_MINPOS(const struct vec_op *o, union vec *r)
{
    unsigned at = 0;

    for (unsigned k = 1; k < 8; k++)
        at = o->a.h[k] < o->a.h[at] ? k : at;
    r->h[0] = o->a.h[at];
    r->h[1] = at;
}
