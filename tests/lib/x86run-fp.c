/*
 * See x86run.h: x87 and MXCSR, random ones and as the host has them in a signal's frame (FXSAVE's
 * format).
 */
#include <string.h>
#include "fpvalues.h"
#include "target/x86/fpstate.h"
#include "target/x86/x87.h"
#include "x86run-int.h"

enum { FX_CW = 0, FX_SW = 2, FX_TAGS = 4, FX_MXCSR = 24, FX_ST = 32 };

/* What an x87 register may hold: any pattern, but mostly values and the encodings of long ago. */
static struct x86_f80 random_f80(GRand *rand, GArray *special)
{
    static const struct fpv_shape shape = { 15, 63, true };
    fpv_u128 v = fpv_random(&shape, rand, special);

    if (!g_rand_int_range(rand, 0, 16))
        v ^= (fpv_u128)1 << 63;
    if (!g_rand_int_range(rand, 0, 8)) /* near 1: for what is not a function of large arguments */
        v = (v & ~((fpv_u128)0x7fff << 64)) | (fpv_u128)(0x3ff8 + g_rand_int_range(rand, 0, 16))
                                                  << 64;
    return (struct x86_f80){ (uint64_t)v, (uint16_t)(v >> 64) };
}

void x86run_random_fp(struct x86run *r, GRand *rand)
{
    static const struct fpv_shape shape = { 15, 63, true };
    GArray *special = r->special[2];
    struct x86_cpu *c = r->cpu;
    uint16_t masks = X87_EXC;

    if (!special)
        special = r->special[2] = fpv_special(&shape);
    if (!g_rand_int_range(rand, 0, 6))
        masks = g_rand_int(rand) & X87_EXC;
    c->fpu_cw = masks | 0x40 | g_rand_int_range(rand, 0, 4) << 10 |
                (uint16_t[]){ 0, 2, 3, 3 }[g_rand_int_range(rand, 0, 4)] << 8;
    c->fpu_sw = g_rand_int(rand) & (X87_CC | X87_TOP);
    if (g_rand_boolean(rand))
        c->fpu_sw |= g_rand_int(rand) & (X87_EXC | X87_SF);
    if (g_rand_int_range(rand, 0, 8))
        c->fpu_sw &= ~(X87_EXC & ~masks);
    if (c->fpu_sw & ~masks & X87_EXC)
        c->fpu_sw |= X87_ES | X87_B;
    c->fpu_tw = 0;
    for (unsigned n = 0; n < 8; n++) {
        c->fpu_tw |= (g_rand_int_range(rand, 0, 3) ? 0u : 3u) << 2 * n;
        c->fpr[n] = random_f80(rand, special);
    }
    c->fpu_ip = c->fpu_dp = 0;
    c->fpu_cs = c->fpu_ds = c->fpu_op = 0;
    masks = X87_EXC;
    if (!g_rand_int_range(rand, 0, 6))
        masks = g_rand_int(rand) & X87_EXC;
    c->mxcsr = masks << MXCSR_MASK_SHIFT | g_rand_int_range(rand, 0, 4) << MXCSR_RC_SHIFT;
    if (!g_rand_int_range(rand, 0, 3))
        c->mxcsr |= g_rand_int(rand) & (MXCSR_DAZ | MXCSR_FTZ);
    if (!g_rand_int_range(rand, 0, 3))
        c->mxcsr |= g_rand_int(rand) & MXCSR_EXC;
}

void x86run_keep_fp(struct x86run *r)
{
    const struct x86_cpu *c = r->cpu;

    r->before.cw = c->fpu_cw;
    r->before.sw = c->fpu_sw;
    r->before.tw = c->fpu_tw;
    r->before.mxcsr = c->mxcsr;
    memcpy(r->before.fpr, c->fpr, sizeof(c->fpr));
}

static uint8_t tags_of(uint16_t tw)
{
    uint8_t tags = 0;

    for (unsigned n = 0; n < 8; n++)
        tags |= (tw >> 2 * n & 1 ? 0 : 1) << n;
    return tags;
}

void x86run_load_fp(const struct x86run *r, uint8_t *fx)
{
    uint8_t tags = tags_of(r->before.tw);
    unsigned top = r->before.sw >> X87_TOP_SHIFT & 7;

    memcpy(fx + FX_CW, &r->before.cw, 2);
    memcpy(fx + FX_SW, &r->before.sw, 2);
    memcpy(fx + FX_TAGS, &tags, 1);
    memcpy(fx + FX_MXCSR, &r->before.mxcsr, 4);
    for (unsigned n = 0; n < 8; n++)
        memcpy(fx + FX_ST + 16 * n, &r->before.fpr[(top + n) & 7], 10);
}

static char *differ(const char *what, unsigned n, uint64_t ours, uint64_t theirs)
{
    return g_strdup_printf("%s%u: 0x%" G_GINT64_MODIFIER "x, host 0x%" G_GINT64_MODIFIER "x", what,
                           n, ours, theirs);
}

/* C0, C2 and C3 are compared, too, where the manual says that they are undefined: processors leave
 * them alone. */
char *x86run_compare_fp(const struct x86run *r, const uint8_t *fx)
{
    const struct x86_cpu *c = r->cpu;
    uint16_t cw, sw;
    uint8_t tags = fx[FX_TAGS];
    uint32_t mxcsr, loose = 0;

    memcpy(&cw, fx + FX_CW, 2);
    memcpy(&sw, fx + FX_SW, 2);
    memcpy(&mxcsr, fx + FX_MXCSR, 4);
    /* With underflow or overflow unmasked inexactness is not exact. */
    if (r->vector == EXC_XM && mxcsr & ~(mxcsr >> MXCSR_MASK_SHIFT) & (MXCSR_OE | MXCSR_UE))
        loose = MXCSR_PE;
    if (r->vector == EXC_XM && r->any_exception)
        loose = MXCSR_EXC;
    if ((c->mxcsr ^ mxcsr) & ~loose)
        return differ("mxcsr", 0, c->mxcsr, mxcsr);
    if (c->fpu_cw != cw)
        return differ("fcw", 0, c->fpu_cw, cw);
    if (c->fpu_sw != sw)
        return differ("fsw", 0, c->fpu_sw, sw);
    if (tags_of(c->fpu_tw) != tags)
        return differ("ftw", 0, tags_of(c->fpu_tw), tags);
    for (unsigned n = 0; n < 8; n++) {
        const struct x86_f80 *v = &c->fpr[x87_phys(c, n)];
        struct x86_f80 host = { 0, 0 };

        memcpy(&host, fx + FX_ST + 16 * n, 10);
        if (v->lo != host.lo)
            return differ("st", n, v->lo, host.lo);
        if (v->hi != host.hi)
            return differ("st exponent ", n, v->hi, host.hi);
    }
    return NULL;
}
