/*
 * rvv.c - RISC-V's vector instructions (V 1.0), written by hand since the compilers of the
 * day do not find them.  Elsewhere the table is empty.
 */
#include "work.h"

#ifdef __riscv

#define V(code) ".option push\n.option arch, +v\n" code "\n.option pop\n"

enum { COUNT = 4096 };

static uint8_t xb[COUNT], yb[COUNT];
static uint32_t xw[COUNT], yw[COUNT];
static float xf[COUNT], yf[COUNT];
static double xd[COUNT], yd[COUNT];

static uint64_t run_vcopy(long n)
{
    uint64_t sum = 0;

    for (long k = 0; k < n; k++) {
        uint8_t *from = xb, *to = yb;
        size_t left = COUNT, step;

        xb[k % COUNT] = k;
        __asm__ volatile(V("1: vsetvli %3, %2, e8, m8, ta, ma\n"
                           "vle8.v v0, (%0)\n"
                           "vse8.v v0, (%1)\n"
                           "add %0, %0, %3\n"
                           "add %1, %1, %3\n"
                           "sub %2, %2, %3\n"
                           "bnez %2, 1b")
                         : "+r"(from), "+r"(to), "+r"(left), "=&r"(step)
                         :
                         : "memory");
        sum += yb[k * 7 % COUNT];
    }
    return sum;
}

static uint64_t run_vadd8(long n)
{
    for (int i = 0; i < COUNT; i++)
        xb[i] = i, yb[i] = 3 * i;
    for (long k = 0; k < n; k++) {
        uint8_t *from = xb, *to = yb;
        size_t left = COUNT, step;

        __asm__ volatile(V("1: vsetvli %3, %2, e8, m4, ta, ma\n"
                           "vle8.v v0, (%0)\n"
                           "vle8.v v4, (%1)\n"
                           "vsaddu.vv v8, v0, v4\n"
                           "vmaxu.vv v8, v8, v0\n"
                           "vsub.vv v8, v8, v4\n"
                           "vse8.v v8, (%1)\n"
                           "add %0, %0, %3\n"
                           "add %1, %1, %3\n"
                           "sub %2, %2, %3\n"
                           "bnez %2, 1b")
                         : "+r"(from), "+r"(to), "+r"(left), "=&r"(step)
                         :
                         : "memory");
    }
    return yb[1] + yb[100] * 256 + yb[COUNT - 1] * 65536;
}

static uint64_t run_vaxpy32(long n)
{
    for (int i = 0; i < COUNT; i++)
        xf[i] = i * 0.5f, yf[i] = i * 0.25f;
    for (long k = 0; k < n; k++) {
        float *from = xf, *to = yf;
        size_t left = COUNT, step;

        __asm__ volatile(V("1: vsetvli %3, %2, e32, m4, ta, ma\n"
                           "vle32.v v0, (%0)\n"
                           "vle32.v v4, (%1)\n"
                           "vfmadd.vf v4, %4, v0\n"
                           "vse32.v v4, (%1)\n"
                           "sub %2, %2, %3\n"
                           "slli %3, %3, 2\n"
                           "add %0, %0, %3\n"
                           "add %1, %1, %3\n"
                           "bnez %2, 1b")
                         : "+r"(from), "+r"(to), "+r"(left), "=&r"(step)
                         : "f"(0.5f)
                         : "memory");
    }
    return (uint64_t)yf[COUNT / 2];
}

static uint64_t run_vdot64(long n)
{
    double total = 0;

    for (int i = 0; i < COUNT; i++)
        xd[i] = i * 0.5, yd[i] = 64 - i % 128;
    for (long k = 0; k < n; k++) {
        double *a = xd, *b = yd, dot;
        size_t left = COUNT, step;

        __asm__ volatile(V("vsetvli %3, zero, e64, m2, ta, ma\n"
                           "vmv.v.i v8, 0\n"
                           "1: vsetvli %3, %2, e64, m2, tu, ma\n"
                           "vle64.v v0, (%0)\n"
                           "vle64.v v4, (%1)\n"
                           "vfmacc.vv v8, v0, v4\n"
                           "sub %2, %2, %3\n"
                           "slli %3, %3, 3\n"
                           "add %0, %0, %3\n"
                           "add %1, %1, %3\n"
                           "bnez %2, 1b\n"
                           "vsetvli %3, zero, e64, m2, ta, ma\n"
                           "vmv.s.x v12, zero\n"
                           "vfredosum.vs v12, v8, v12\n"
                           "vfmv.f.s %4, v12")
                         : "+r"(a), "+r"(b), "+r"(left), "=&r"(step), "=f"(dot)
                         :
                         : "memory");
        total += dot;
    }
    return double_bits(total);
}

/* masks, compares and a gather */
static uint64_t run_vgather(long n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < COUNT; i++)
        xw[i] = i * 2654435761u % COUNT * 4, yw[i] = i;
    for (long k = 0; k < n; k++) {
        uint32_t *index = xw, *to = yw;
        size_t left = COUNT, step;

        __asm__ volatile(V("1: vsetvli %3, %2, e32, m2, ta, mu\n"
                           "vle32.v v2, (%0)\n"
                           "vluxei32.v v4, (%4), v2\n"
                           "vle32.v v6, (%1)\n"
                           "vmsltu.vv v0, v4, v6\n"
                           "vadd.vv v6, v6, v4, v0.t\n"
                           "vse32.v v6, (%1)\n"
                           "sub %2, %2, %3\n"
                           "slli %3, %3, 2\n"
                           "add %0, %0, %3\n"
                           "add %1, %1, %3\n"
                           "bnez %2, 1b")
                         : "+r"(index), "+r"(to), "+r"(left), "=&r"(step)
                         : "r"(xw)
                         : "memory");
        sum = checksum_add(sum, yw[k % COUNT]);
    }
    return sum;
}

/* length of a string with loads that stop at the first fault */
static uint64_t run_vlength(long n)
{
    char *text = make_text(COUNT);
    uint64_t sum = 0;

    for (long k = 0; k < n; k++) {
        const char *p = text;
        long found, step;

        __asm__ volatile(V("1: vsetvli %2, zero, e8, m2, ta, ma\n"
                           "vle8ff.v v2, (%0)\n"
                           "csrr %2, vl\n"
                           "vmseq.vi v0, v2, 0\n"
                           "vfirst.m %1, v0\n"
                           "add %0, %0, %2\n"
                           "bltz %1, 1b\n"
                           "sub %0, %0, %2\n"
                           "add %0, %0, %1")
                         : "+r"(p), "=&r"(found), "=&r"(step)
                         :
                         : "memory");
        sum += p - text;
    }
    return sum;
}

const struct work rvv_works[] = {
    { "vcopy", run_vcopy, 80000 },
    { "vadd8", run_vadd8, 20000 },
    { "vaxpy32", run_vaxpy32, 8000 },
    { "vdot64", run_vdot64, 4000 },
    { "vgather", run_vgather, 4000 },
    { "vlength", run_vlength, 20000 },
    { 0 },
};

#else

const struct work rvv_works[] = { { 0 } };

#endif
