/* fp.c - scalar floating point, double and single, without fused operations so that all agree. */
#include <math.h>
#include <string.h>
#include "work.h"

/* planets: gravity between five bodies, divisions and square roots */
struct body {
    double at[3], speed[3], mass;
};

static uint64_t run_planets(long n)
{
    struct body b[5];
    double sum = 0;

    for (int i = 0; i < 5; i++)
        b[i] = (struct body){ .at = { i * 1.5, i * i * 0.25, 1.0 - i },
                              .speed = { 0.01 * i, 0.3 - 0.05 * i, 0.1 },
                              .mass = 1.0 / (1 + i) };
    for (long step = 0; step < n; step++) {
        for (int i = 0; i < 5; i++) {
            for (int j = i + 1; j < 5; j++) {
                double d[3], square = 0.01, pull;

                for (int k = 0; k < 3; k++) {
                    d[k] = b[i].at[k] - b[j].at[k];
                    square += d[k] * d[k];
                }
                pull = 0.001 / (square * sqrt(square));
                for (int k = 0; k < 3; k++) {
                    b[i].speed[k] -= d[k] * b[j].mass * pull;
                    b[j].speed[k] += d[k] * b[i].mass * pull;
                }
            }
        }
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < 3; k++)
                b[i].at[k] += 0.001 * b[i].speed[k];
    }
    for (int i = 0; i < 5; i++)
        sum += b[i].at[0] + b[i].speed[1];
    return double_bits(sum);
}

/* product: dense matrices, multiply and add */
static uint64_t run_matrix(long n)
{
    enum { SIDE = 96 };
    static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            a[i][j] = 1.0 / (1 + i + j), b[i][j] = (i - j) * 0.01;
    for (long k = 0; k < n; k++) {
        for (int i = 0; i < SIDE; i++) {
            for (int j = 0; j < SIDE; j++) {
                double t = 0;

                for (int l = 0; l < SIDE; l++)
                    t += a[i][l] * b[l][j];
                c[i][j] = t;
            }
        }
        a[k % SIDE][3] = c[5][k % SIDE];
    }
    return double_bits(c[SIDE / 2][7]);
}

/* julia: a short loop whose length depends on a comparison */
static uint64_t run_julia(long n)
{
    uint64_t sum = 0;

    for (long row = 0; row < n; row++) {
        for (int column = 0; column < 200; column++) {
            double x = column * 0.015 - 1.5, y = row % 200 * 0.015 - 1.5;
            int i = 0;

            for (; i < 200 && x * x + y * y < 4.0; i++) {
                double t = x * x - y * y - 0.75;

                y = 2 * x * y + 0.11;
                x = t;
            }
            sum += i;
        }
    }
    return sum;
}

/* fourier: transform of 1024 points, there and back */
static void fourier(double *re, double *im, int size, double sign)
{
    for (int i = 1, j = 0; i < size; i++) {
        int bit = size >> 1;

        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = re[i];

            re[i] = re[j], re[j] = t;
            t = im[i], im[i] = im[j], im[j] = t;
        }
    }
    for (int half = 1; half < size; half *= 2) {
        double angle = sign * 3.14159265358979323846 / half;

        for (int k = 0; k < half; k++) {
            double c = cos(angle * k), s = sin(angle * k);

            for (int i = k; i < size; i += 2 * half) {
                double x = re[i + half] * c - im[i + half] * s;
                double y = re[i + half] * s + im[i + half] * c;

                re[i + half] = re[i] - x;
                im[i + half] = im[i] - y;
                re[i] += x;
                im[i] += y;
            }
        }
    }
}

static uint64_t run_fourier(long n)
{
    enum { SIZE = 1024 };
    static double re[SIZE], im[SIZE];
    uint64_t sum = 0;

    for (int i = 0; i < SIZE; i++)
        re[i] = i % 17, im[i] = 0;
    for (long k = 0; k < n; k++) {
        fourier(re, im, SIZE, 1);
        fourier(re, im, SIZE, -1);
        for (int i = 0; i < SIZE; i++)
            re[i] /= SIZE, im[i] /= SIZE;
    }
    for (int i = 0; i < SIZE; i++)
        sum += llrint(re[i] * 1000);
    return sum;
}

/* filter: single precision, a recursive filter and conversions from and to integers */
static uint64_t run_filter(long n)
{
    float a = 0, b = 0, c = 0;
    uint64_t seed = 6, sum = 0;

    for (long i = 0; i < n; i++) {
        float x = (float)(int)(random_next(&seed) & 0xffff) * (1.0f / 65536);

        a = 0.25f * x + 0.75f * a;
        b = 0.5f * (a - b) + b * 0.9f;
        c = fmaxf(c * 0.999f, fabsf(b - a));
        sum += (int)(c * 1000.0f);
    }
    return sum;
}

/* library: exp, log, sin, pow of the C library */
static uint64_t run_library(long n)
{
    double sum = 0;

    for (long i = 1; i <= n; i++) {
        double x = i * 1e-5;

        sum += exp(-x) * sin(x * 10) + log(x + 1) + pow(x, 0.3) + atan(x);
    }
    return llrint(sum * 1000);
}

/* fma: explicit fused operations, polynomial evaluation */
static uint64_t run_fused(long n)
{
    static const double k[] = { 1, -0.5, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800 };
    double x = 0.1, sum = 0;

    for (long i = 0; i < n; i++) {
        double y = k[5], z = x * x;

        for (int j = 4; j >= 0; j--)
            y = fma(y, z, k[j]);
        sum += y;
        x = fma(x, 0.999, 0.0007);
    }
    return double_bits(sum);
}

/* order: classify, compare, minimum, maximum, sign, rounding */
static uint64_t run_order(long n)
{
    double low = 1e300, high = -1e300;
    uint64_t seed = 8, sum = 0;

    for (long i = 0; i < n; i++) {
        uint64_t r = random_next(&seed);
        double d = (double)(int64_t)(r << 8) / 65536.0;

        low = d < low ? d : fmin(low, d + 1);
        high = fmax(high, d);
        sum += (d < 0) + (int64_t)floor(d * 1e-12) + (isnan(d) != 0);
        sum ^= double_bits(copysign(d, low + high)) >> 60;
    }
    return sum;
}

/* quad: 128-bit numbers in software, which lean on integer arithmetic */
static uint64_t run_quad(long n)
{
#if defined(__SIZEOF_FLOAT128__) && defined(__x86_64__)
    __float128 x = 1, y = 3;
#else
    long double x = 1, y = 3;
#endif
    for (long i = 0; i < n; i++) {
        x = (x + y / x) / 2 + 1;
        y = y * x - 2 * y;
        if (y > 1000 || y < -1000)
            y = 3;
    }
    return double_bits((double)(x + y));
}

const struct work fp_works[] = {
    { "planets", run_planets, 200000 }, { "matrix", run_matrix, 50 },
    { "julia", run_julia, 4000 },       { "fourier", run_fourier, 500 },
    { "filter", run_filter, 3000000 },  { "library", run_library, 500000 },
    { "fused", run_fused, 6000000 },    { "order", run_order, 1500000 },
    { "quad", run_quad, 400000 },       { 0 },
};
