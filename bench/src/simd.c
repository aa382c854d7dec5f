/*
 * simd.c - loops over arrays that compilers turn into vector instructions where the build's
 * instruction set has any; on others they show what such loops cost without.  avx2.c compiles
 * the same once more.
 */
#include <string.h>
#include "work.h"

#ifndef SIMD_WORKS
#define SIMD_WORKS simd_works
#define SIMD_NAME  ""
#endif

enum { COUNT = 4096 };

/* What the loops work on; a structure of its own type so that nothing overlaps. */
static float xf[COUNT], yf[COUNT];
static double xd[COUNT], yd[COUNT];
static uint8_t xb[COUNT], yb[COUNT], zb[COUNT];
static int16_t xh[COUNT], yh[COUNT];
static int32_t xw[COUNT], yw[COUNT];

static uint64_t run_axpy32(long n)
{
    for (int i = 0; i < COUNT; i++)
        xf[i] = i * 0.5f, yf[i] = i * 0.25f;
    for (long k = 0; k < n; k++)
        for (int i = 0; i < COUNT; i++)
            yf[i] = yf[i] * 0.5f + xf[i];
    return (uint64_t)yf[COUNT / 2];
}

static uint64_t run_dot64(long n)
{
    double s[8] = { 0 };

    for (int i = 0; i < COUNT; i++)
        xd[i] = i * 0.001, yd[i] = 1 - i * 0.0001;
    for (long k = 0; k < n; k++)
        for (int i = 0; i < COUNT; i += 8)
            for (int j = 0; j < 8; j++)
                s[j] = s[j] * 0.5 + xd[i + j] * yd[i + j];
    return double_bits(s[0] + s[3] + s[7]);
}

static uint64_t run_blend8(long n)
{
    for (int i = 0; i < COUNT; i++)
        xb[i] = i * 3, yb[i] = i * 5, zb[i] = i;
    for (long k = 0; k < n; k++)
        for (int i = 0; i < COUNT; i++)
            yb[i] = (xb[i] * zb[i] + yb[i] * (255 - zb[i]) + 128) >> 8;
    return yb[1] + yb[COUNT / 2] * 256 + yb[77] * 65536;
}

static uint64_t run_differ16(long n)
{
    uint64_t sum = 0;

    for (int i = 0; i < COUNT; i++)
        xh[i] = i * 7, yh[i] = i * 11;
    for (long k = 0; k < n; k++) {
        int32_t t = 0;

        for (int i = 0; i < COUNT; i++) {
            int d = xh[i] - yh[i];

            t += d < 0 ? -d : d;
        }
        sum += t;
        xh[k % COUNT]++;
    }
    return sum;
}

static uint64_t run_convert(long n)
{
    for (int i = 0; i < COUNT; i++)
        xw[i] = i * 1001;
    for (long k = 0; k < n; k++) {
        for (int i = 0; i < COUNT; i++)
            xf[i] = xw[i] * 0.125f;
        for (int i = 0; i < COUNT; i++)
            xw[i] = (int32_t)(xf[i] * 7.75f) & 0xfffff;
    }
    return xw[5] + xw[COUNT - 1];
}

static uint64_t run_largest32(long n)
{
    uint64_t sum = 0;

    for (int i = 0; i < COUNT; i++)
        xw[i] = i * 2654435761u, yw[i] = i;
    for (long k = 0; k < n; k++) {
        for (int i = 0; i < COUNT; i++)
            yw[i] = (xw[i] > yw[i] ? xw[i] : yw[i]) - (i & 3);
        sum += yw[k % COUNT];
    }
    return sum;
}

/* chacha: RFC 8439's block function without the final addition, four columns side by side */
static uint64_t run_chacha(long n)
{
    uint32_t s[4][4], t;

    for (int i = 0; i < 16; i++)
        s[i / 4][i % 4] = i * 0x9e3779b9u;
    for (long k = 0; k < n; k++) {
        static const int by[] = { 16, 12, 8, 7 };

        for (int step = 0; step < 4; step++) {
            uint32_t *a = s[step & 1 ? 2 : 0], *b = s[step & 1 ? 3 : 1], *c = s[step & 1 ? 1 : 3];

            for (int i = 0; i < 4; i++) {
                a[i] += b[i];
                t = c[i] ^ a[i];
                c[i] = t << by[step] | t >> (32 - by[step]);
            }
        }
        for (int row = 1; row < 4; row++) {
            uint32_t old[4];

            memcpy(old, s[row], sizeof(old));
            for (int i = 0; i < 4; i++)
                s[row][i] = old[(i + row) & 3];
        }
    }
    return s[0][0] ^ (uint64_t)s[3][2] << 32;
}

const struct work SIMD_WORKS[] = {
    { SIMD_NAME "axpy32", run_axpy32, 9000 },     { SIMD_NAME "dot64", run_dot64, 25000 },
    { SIMD_NAME "blend8", run_blend8, 50000 },    { SIMD_NAME "differ16", run_differ16, 40000 },
    { SIMD_NAME "convert", run_convert, 4000 },   { SIMD_NAME "largest32", run_largest32, 25000 },
    { SIMD_NAME "chacha", run_chacha, 30000000 }, { 0 },
};
