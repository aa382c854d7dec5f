/*
 * Images of the floating-point state: what is stored by one instruction and loaded again by another
 * leaves everything as it was, on the interpreter and the host backend.
 */
#include <string.h>
#include "fpvalues.h"
#include "target/x86/fpstate.h"
#include "target/x86/x87.h"
#include "x86run.h"

#define AREA 0x800 /* in RAM; RDI holds its address */

/* What the image must bring back. */
#define FNINIT   0xdb, 0xe3
#define XORPS    0x0f, 0x57, 0xc0
#define VZEROALL 0xc5, 0xfc, 0x77

static const struct image {
    const char *name;
    uint8_t code[24];
    unsigned size;
    bool vectors; /* are part of it, and MXCSR at its place */
} images[] = {
    { "fsave", { 0xdd, 0x37, FNINIT, 0xdd, 0x27 }, 6, false },
    { "fenv", { 0xd9, 0x37, 0xd9, 0x27 }, 4, false },
    { "fxsave", { 0x0f, 0xae, 0x07, FNINIT, XORPS, 0x0f, 0xae, 0x0f }, 11, true },
    { "fxsave64", { 0x48, 0x0f, 0xae, 0x07, FNINIT, XORPS, 0x48, 0x0f, 0xae, 0x0f }, 13, true },
    { "xsave", { 0x0f, 0xae, 0x27, FNINIT, VZEROALL, 0x0f, 0xae, 0x2f }, 11, true },
    { "xsaveopt", { 0x0f, 0xae, 0x37, FNINIT, VZEROALL, 0x0f, 0xae, 0x2f }, 11, true },
    { "xsavec", { 0x0f, 0xc7, 0x27, FNINIT, VZEROALL, 0x0f, 0xae, 0x2f }, 11, true },
};

static struct x86run *prepared(GRand *rand, const struct image *im)
{
    struct x86run *r = x86run_new("x86_64", "max", X86RUN_64);

    x86run_randomize(r, rand);
    r->cpu->fpu_cw |= X87_EXC;
    r->cpu->fpu_sw &= ~(X87_ES | X87_B);
    r->cpu->mxcsr |= MXCSR_EXC << MXCSR_MASK_SHIFT;
    r->cpu->cpu.tcg.hot[R_DI] = X86RUN_RAM + AREA;
    r->cpu->cpu.tcg.hot[R_AX] = 7; /* components */
    r->cpu->cpu.tcg.hot[R_DX] = 0;
    memset(r->ram + AREA, 0, 1024);
    x86run_set_code(r, im->code, im->size);
    return r;
}

static void test_round_trip(const void *opaque)
{
    const struct image *im = opaque;
    GRand *rand = fpv_rand_new();

    for (unsigned n = 0; n < 40; n++) {
        struct x86run *r = prepared(rand, im);
        uint16_t cw = r->cpu->fpu_cw, sw = r->cpu->fpu_sw;
        uint32_t mxcsr = r->cpu->mxcsr, stored;
        g_autofree char *what = NULL;

        what = x86run_run(r);
        g_assert_cmpstr(what, ==, NULL);
        g_assert_cmpint(r->vector, ==, -1);
        g_assert_cmphex(r->cpu->fpu_cw, ==, cw);
        g_assert_cmphex(r->cpu->fpu_sw, ==, sw);
        g_assert_cmpmem(r->cpu->fpr, sizeof(r->cpu->fpr), r->before.fpr, sizeof(r->before.fpr));
        g_assert_cmphex(r->cpu->mxcsr, ==, mxcsr);
        if (im->vectors) {
            memcpy(&stored, r->ram + AREA + 24, 4);
            g_assert_cmphex(stored, ==, mxcsr);
        }
        g_assert_cmpmem(r->cpu->xmm, sizeof(r->cpu->xmm), r->before.xmm, sizeof(r->before.xmm));
        g_assert_cmpmem(r->cpu->ymmh, sizeof(r->cpu->ymmh), r->before.ymmh, sizeof(r->before.ymmh));
        x86run_free(r);
    }
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(images); i++) {
        g_autofree char *path = g_strdup_printf("/x86/fpstate/%s", images[i].name);

        g_test_add_data_func(path, &images[i], test_round_trip);
    }
    return g_test_run();
}
