/*
 * Images of the floating-point and vector state in memory: FSTENV and FSAVE, FXSAVE, the XSAVE
 * family (Intel SDM vol. 1, 8.1.10, 10.5, 13), and MXCSR.
 *
 * An image is read whole before anything changes, so that a fault leaves the state alone.
 */
#include "feature.h"
#include "fpstate.h"
#include "helper.h"
#include "sys.h"
#include "x87.h"

/* ---- Memory ---- */

struct area {
    struct x86_cpu *c;
    uint64_t addr;
    unsigned mode;
};

static struct area area(struct cpu *cpu, uint64_t addr, uint64_t how)
{
    return (struct area){ x86_of(cpu), addr, how & 0xf };
}

static uint64_t area_get(const struct area *a, unsigned offset, unsigned log2size)
{
    return x86_load(a->c, x86_operand_at(a->c, a->addr, offset), log2size, a->mode);
}

static void area_put(const struct area *a, unsigned offset, unsigned log2size, uint64_t val)
{
    x86_store(a->c, x86_operand_at(a->c, a->addr, offset), log2size, a->mode, val);
}

/* Faults as stores to all of its @bytes would: nothing is stored before this. */
static void area_touch(const struct area *a, unsigned bytes)
{
    uint64_t page = TCG_PAGE_SIZE - (a->addr & (TCG_PAGE_SIZE - 1));

    x86_touch(a->c, x86_operand_at(a->c, a->addr, 0), a->mode);
    for (; page < bytes; page += TCG_PAGE_SIZE)
        x86_touch(a->c, x86_operand_at(a->c, a->addr, page), a->mode);
}

static void area_get_f80(const struct area *a, unsigned offset, struct x86_f80 *v)
{
    memset(v, 0, sizeof(*v));
    v->lo = area_get(a, offset, 3);
    v->hi = area_get(a, offset + 8, 1);
}

static void area_get_v128(const struct area *a, unsigned offset, struct x86_v128 *v)
{
    v->q[0] = area_get(a, offset, 3);
    v->q[1] = area_get(a, offset + 8, 3);
}

static void area_put_v128(const struct area *a, unsigned offset, const struct x86_v128 *v)
{
    area_put(a, offset, 3, v->q[0]);
    area_put(a, offset + 8, 3, v->q[1]);
}

/* ---- FSTENV, FSAVE ---- */

/* The pointers as the image's format has them; in real mode they are linear addresses. */
static uint64_t env_linear(uint16_t seg, uint64_t offset)
{
    return ((uint64_t)seg << 4) + offset;
}

/* Field @n of the seven. */
static uint32_t env_field(const struct x86_cpu *c, unsigned n, bool is32, bool real)
{
    uint64_t ip = real ? env_linear(c->fpu_cs, c->fpu_ip) : c->fpu_ip;
    uint64_t dp = real ? env_linear(c->fpu_ds, c->fpu_dp) : c->fpu_dp;
    uint32_t ones = 0xffff0000;

    switch (n) {
    case 0: return c->fpu_cw | ones;
    case 1: return c->fpu_sw | ones;
    case 2: return x87_tag_word(c) | ones;
    case 3: return real && is32 ? (ip & 0xffff) | ones : (uint32_t)ip;
    case 4:
        if (real)
            return (ip >> 16 & 0xffff) << 12 | c->fpu_op;
        return (uint16_t)c->fpu_cs | (uint32_t)c->fpu_op << 16;
    case 5: return real && is32 ? (dp & 0xffff) | ones : (uint32_t)dp;
    default: return real ? (dp >> 16 & 0xffff) << 12 : (uint16_t)c->fpu_ds | ones;
    }
}

static void store_env(const struct area *a, uint64_t how, unsigned bytes)
{
    unsigned log2size = how & ENV_32 ? 2 : 1;

    x87_settle(a->c);
    area_touch(a, bytes + (7u << log2size));
    for (unsigned n = 0; n < 7; n++)
        area_put(a, n << log2size, log2size, env_field(a->c, n, how & ENV_32, how & ENV_REAL));
}

static void h_fnstenv(struct cpu *cpu, uint64_t addr, uint64_t how)
{
    struct area a = area(cpu, addr, how);

    store_env(&a, how, 0);
    a.c->fpu_cw |= X87_EXC;
    x87_summarise(a.c);
}
HELPER_DEFINE(fnstenv, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I64);

static void h_fnsave(struct cpu *cpu, uint64_t addr, uint64_t how)
{
    struct area a = area(cpu, addr, how);
    unsigned base = how & ENV_32 ? 28 : 14;

    store_env(&a, how, 80);
    for (unsigned i = 0; i < 8; i++) {
        const struct x86_f80 *v = &a.c->fpr[x87_phys(a.c, i)];

        area_put(&a, base + 10 * i, 3, v->lo);
        area_put(&a, base + 10 * i + 8, 1, v->hi);
    }
    x87_init(a.c);
}
HELPER_DEFINE(fnsave, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I64);

struct env {
    uint32_t field[7];
};

static struct env load_env(const struct area *a, uint64_t how)
{
    unsigned log2size = how & ENV_32 ? 2 : 1;
    struct env e;

    for (unsigned n = 0; n < 7; n++)
        e.field[n] = area_get(a, n << log2size, log2size);
    return e;
}

static void set_env(struct x86_cpu *c, const struct env *e, uint64_t how)
{
    const uint32_t *f = e->field;
    uint64_t mask = how & ENV_32 ? UINT32_MAX : 0xffff;

    x87_settle(c);
    c->fpu_cw = (f[0] & 0x1f3f) | 0x40;
    c->fpu_sw = f[1];
    x87_set_tag_word(c, f[2]);
    if (how & ENV_REAL) {
        c->fpu_ip = (f[3] & 0xffff) | (f[4] >> 12 & 0xffff) << 16;
        c->fpu_dp = (f[5] & 0xffff) | (f[6] >> 12 & 0xffff) << 16;
        c->fpu_cs = c->fpu_ds = 0;
        c->fpu_op = f[4] & 0x7ff;
    } else {
        c->fpu_ip = f[3] & mask;
        c->fpu_cs = (uint16_t)f[4];
        c->fpu_dp = f[5] & mask;
        c->fpu_ds = (uint16_t)f[6];
        c->fpu_op = how & ENV_32 ? f[4] >> 16 & 0x7ff : 0;
    }
    x87_summarise(c);
}

static void h_fldenv(struct cpu *cpu, uint64_t addr, uint64_t how)
{
    struct area a = area(cpu, addr, how);
    struct env e = load_env(&a, how);

    set_env(a.c, &e, how);
}
HELPER_DEFINE(fldenv, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I64);

static void h_frstor(struct cpu *cpu, uint64_t addr, uint64_t how)
{
    struct area a = area(cpu, addr, how);
    struct env e = load_env(&a, how);
    struct x86_f80 st[8];

    for (unsigned i = 0; i < 8; i++)
        area_get_f80(&a, (how & ENV_32 ? 28 : 14) + 10 * i, &st[i]);
    set_env(a.c, &e, how);
    for (unsigned i = 0; i < 8; i++)
        a.c->fpr[x87_phys(a.c, i)] = st[i];
}
HELPER_DEFINE(frstor, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I64);

/* ---- MXCSR ---- */

/* Exception flags of generated code and of helpers, at MXCSR's places. */
static uint32_t mxcsr_flags(unsigned fp)
{
    return (fp & FP_NV ? MXCSR_IE : 0) | (fp & FP_DE ? MXCSR_DE : 0) | (fp & FP_DZ ? MXCSR_ZE : 0) |
           (fp & FP_OF ? MXCSR_OE : 0) | (fp & FP_UF ? MXCSR_UE : 0) | (fp & FP_NX ? MXCSR_PE : 0);
}

uint32_t x86_mxcsr(struct x86_cpu *c)
{
    c->mxcsr |= mxcsr_flags(cpu_fp_flags(&c->cpu));
    return c->mxcsr;
}

void x86_set_mxcsr(struct x86_cpu *c, uint32_t val)
{
    static const uint8_t round[4] = { FP_RNE, FP_RDN, FP_RUP, FP_RTZ };

    if (cpu_fp_flags(&c->cpu))
        cpu_fp_clear_flags(&c->cpu);
    c->mxcsr = val;
    cpu_fp_set_control(&c->cpu, round[val >> MXCSR_RC_SHIFT & 3], val & MXCSR_DAZ, val & MXCSR_FTZ);
    cpu_update_flags(&c->cpu);
}

static uint64_t h_mxcsr_get(struct cpu *cpu)
{
    return x86_mxcsr(x86_of(cpu));
}
HELPER_DEFINE(mxcsr_get, IR_H_CPU, IR_I64, 0);

static void h_mxcsr_set(struct cpu *cpu, uint64_t val)
{
    struct x86_cpu *c = x86_of(cpu);

    if (val & ~(uint64_t)MXCSR_MASK)
        x86_gp(c, 0);
    x86_set_mxcsr(c, val);
}
HELPER_DEFINE(mxcsr_set, HELPER_ANY, IR_VOID, 1, IR_I64);

/* ---- FXSAVE, and the legacy region of XSAVE ---- */

static unsigned xmm_count(uint64_t how)
{
    return how & FX_CODE64 ? 16 : 8;
}

static uint8_t abridged_tags(const struct x86_cpu *c)
{
    uint8_t tags = 0;

    for (unsigned i = 0; i < 8; i++)
        tags |= (c->fpu_tw >> 2 * i & 1 ? 0 : 1) << i;
    return tags;
}

static void store_x87(const struct area *a, uint64_t how)
{
    struct x86_cpu *c = a->c;

    x87_settle(c);
    area_put(a, 0, 1, c->fpu_cw);
    area_put(a, 2, 1, c->fpu_sw);
    area_put(a, 4, 1, abridged_tags(c));
    area_put(a, 6, 1, c->fpu_op);
    if (how & FX_REXW) {
        area_put(a, 8, 3, c->fpu_ip);
        area_put(a, 16, 3, c->fpu_dp);
    } else {
        area_put(a, 8, 3, (c->fpu_ip & UINT32_MAX) | (c->fpu_cs & 0xffff) << 32);
        area_put(a, 16, 3, (c->fpu_dp & UINT32_MAX) | (c->fpu_ds & 0xffff) << 32);
    }
    for (unsigned i = 0; i < 8; i++) {
        const struct x86_f80 *v = &c->fpr[x87_phys(c, i)];

        area_put(a, 32 + 16 * i, 3, v->lo);
        area_put(a, 40 + 16 * i, 3, v->hi);
    }
}

static void store_mxcsr(const struct area *a)
{
    area_put(a, 24, 2, x86_mxcsr(a->c));
    area_put(a, 28, 2, MXCSR_MASK);
}

static void store_xmm(const struct area *a, uint64_t how)
{
    for (unsigned i = 0; i < xmm_count(how); i++)
        area_put_v128(a, 160 + 16 * i, &a->c->xmm[i]);
}

struct fx_x87 {
    uint16_t cw, sw, op;
    uint8_t tags;
    uint64_t ip, dp;
    struct x86_f80 st[8];
};

static void load_x87(const struct area *a, struct fx_x87 *f)
{
    f->cw = area_get(a, 0, 1);
    f->sw = area_get(a, 2, 1);
    f->tags = area_get(a, 4, 0);
    f->op = area_get(a, 6, 1);
    f->ip = area_get(a, 8, 3);
    f->dp = area_get(a, 16, 3);
    for (unsigned i = 0; i < 8; i++)
        area_get_f80(a, 32 + 16 * i, &f->st[i]);
}

static void set_x87(struct x86_cpu *c, const struct fx_x87 *f, uint64_t how)
{
    bool wide = how & FX_REXW;

    x87_settle(c);
    c->fpu_cw = (f->cw & 0x1f3f) | 0x40;
    c->fpu_sw = f->sw;
    c->fpu_op = f->op & 0x7ff;
    c->fpu_tw = 0;
    c->fpu_ip = wide ? f->ip : (uint32_t)f->ip;
    c->fpu_dp = wide ? f->dp : (uint32_t)f->dp;
    c->fpu_cs = wide ? 0 : f->ip >> 32 & 0xffff;
    c->fpu_ds = wide ? 0 : f->dp >> 32 & 0xffff;
    for (unsigned i = 0; i < 8; i++) {
        c->fpu_tw |= f->tags >> i & 1 ? 0 : 3u << 2 * i;
        c->fpr[x87_phys(c, i)] = f->st[i];
    }
    x87_summarise(c);
}

static void load_xmm(const struct area *a, uint64_t how, struct x86_v128 *xmm)
{
    for (unsigned i = 0; i < xmm_count(how); i++)
        area_get_v128(a, 160 + 16 * i, &xmm[i]);
}

/* EFER.FFXSR leaves the XMM registers out at CPL 0 in 64-bit code. */
static bool fx_fast(const struct x86_cpu *c, uint64_t how)
{
    return c->efer & EFER_FFXSR && how & FX_CODE64 && !x86_cpl(c);
}

static void check_aligned(struct x86_cpu *c, uint64_t addr, unsigned align)
{
    if (addr & (align - 1))
        x86_gp(c, 0);
}

static void h_fxsave(struct cpu *cpu, uint64_t addr, uint64_t how)
{
    struct area a = area(cpu, addr, how);

    check_aligned(a.c, addr, 16);
    area_touch(&a, 512);
    store_x87(&a, how);
    if (!(a.c->cr4 & CR4_OSFXSR))
        return;
    store_mxcsr(&a);
    if (!fx_fast(a.c, how))
        store_xmm(&a, how);
}
HELPER_DEFINE(fxsave, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I64);

static void h_fxrstor(struct cpu *cpu, uint64_t addr, uint64_t how)
{
    struct area a = area(cpu, addr, how);
    struct fx_x87 x87;
    struct x86_v128 xmm[16];
    uint32_t mxcsr;

    check_aligned(a.c, addr, 16);
    load_x87(&a, &x87);
    mxcsr = area_get(&a, 24, 2);
    load_xmm(&a, how, xmm);
    if (a.c->cr4 & CR4_OSFXSR) {
        if (mxcsr & ~MXCSR_MASK)
            x86_gp(a.c, 0);
        x86_set_mxcsr(a.c, mxcsr);
        if (!fx_fast(a.c, how))
            memcpy(a.c->xmm, xmm, xmm_count(how) * sizeof(xmm[0]));
    }
    set_x87(a.c, &x87, how);
}
HELPER_DEFINE(fxrstor, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I64);

/* ---- XSAVE ---- */

/* Offset of a component in the compacted format whose bits are @bv; all align to 8 bytes. */
static unsigned compact_offset(unsigned component, uint64_t bv)
{
    unsigned offset = XSAVE_HEADER_END;

    if (component == XSTATE_PKRU && bv & BIT(XSTATE_AVX))
        offset += XSAVE_AVX_BYTES;
    return offset;
}

static unsigned xsave_offset(unsigned component)
{
    return component == XSTATE_AVX ? XSAVE_AVX_OFFSET : XSAVE_PKRU_OFFSET;
}

static bool x87_in_use(struct x86_cpu *c)
{
    static const struct x86_f80 zero[8];

    x87_settle(c);
    return c->fpu_cw != X87_CW_INIT || c->fpu_sw || c->fpu_tw != X87_TW_EMPTY || c->fpu_op ||
           (uint16_t)c->fpu_cs || (uint16_t)c->fpu_ds || c->fpu_ip || c->fpu_dp ||
           memcmp(c->fpr, zero, sizeof(zero));
}

static bool any_set(const struct x86_v128 *v, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (v[i].q[0] | v[i].q[1])
            return true;
    }
    return false;
}

/* XINUSE: components that are not in their initial state. Outside of 64-bit code the upper eight
 * registers do not count. */
static uint64_t in_use(struct x86_cpu *c, uint64_t how)
{
    return (x87_in_use(c) ? BIT(XSTATE_X87) : 0) |
           (any_set(c->xmm, xmm_count(how)) ? BIT(XSTATE_SSE) : 0) |
           (any_set(c->ymmh, xmm_count(how)) ? BIT(XSTATE_AVX) : 0) |
           (c->pkru ? BIT(XSTATE_PKRU) : 0);
}

/* XGETBV with ECX = 1. */
uint64_t x86_xinuse(struct x86_cpu *c)
{
    return in_use(c, x86_code64(c) ? FX_CODE64 : 0) & c->xcr0;
}

/* The components above the legacy region, those of @which. */
static void store_extended(const struct area *a, uint64_t how, uint64_t which, uint64_t compact)
{
    if (which & BIT(XSTATE_AVX)) {
        unsigned at = compact ? compact_offset(XSTATE_AVX, compact) : xsave_offset(XSTATE_AVX);

        for (unsigned i = 0; i < xmm_count(how); i++)
            area_put_v128(a, at + 16 * i, &a->c->ymmh[i]);
    }
    if (which & BIT(XSTATE_PKRU))
        area_put(a, compact ? compact_offset(XSTATE_PKRU, compact) : xsave_offset(XSTATE_PKRU), 3,
                 a->c->pkru);
}

static void check_enabled(struct x86_cpu *c)
{
    if (!(c->cr4 & CR4_OSXSAVE))
        x86_raise(c, EXC_UD);
    if (c->cr0 & CR0_TS)
        x86_raise(c, EXC_NM);
}

/* XSAVE, XSAVEOPT (FX_OPT), XSAVEC (FX_COMPACT). @mask: EDX:EAX. */
static void h_xsave(struct cpu *cpu, uint64_t addr, uint64_t how, uint64_t mask)
{
    struct area a = area(cpu, addr, how);
    struct x86_cpu *c = a.c;
    uint64_t rfbm = mask & c->xcr0, used = in_use(c, how), which;
    bool compact = how & FX_COMPACT;
    uint64_t bv;

    check_enabled(c);
    check_aligned(c, addr, 64);
    /* 13.10: in the compacted format a MXCSR that is not as after reset counts. */
    if (compact && x86_mxcsr(c) != MXCSR_INIT)
        used |= BIT(XSTATE_SSE);
    area_touch(&a, XSAVE_HEADER_END);
    bv = compact ? 0 : area_get(&a, 512, 3);
    which = how & (FX_OPT | FX_COMPACT) ? rfbm & used : rfbm;
    if (which & BIT(XSTATE_X87))
        store_x87(&a, how);
    if (compact ? which & BIT(XSTATE_SSE) : rfbm & (BIT(XSTATE_SSE) | BIT(XSTATE_AVX)))
        store_mxcsr(&a);
    if (which & BIT(XSTATE_SSE))
        store_xmm(&a, how);
    store_extended(&a, how, which, compact ? rfbm | XCOMP_COMPACT : 0);
    area_put(&a, 512, 3, compact ? rfbm & used : (bv & ~rfbm) | (rfbm & used));
    if (compact)
        area_put(&a, 520, 3, rfbm | XCOMP_COMPACT);
}
HELPER_DEFINE(xsave, HELPER_ANY, IR_VOID, 3, IR_I64, IR_I64, IR_I64);

/* What XRSTOR reads before it changes anything. */
struct xrstor {
    uint64_t bv, comp;
    uint32_t mxcsr, pkru;
    struct fx_x87 x87;
    struct x86_v128 xmm[16], ymmh[16];
};

/* The header's checks (13.8). */
static void check_header(const struct area *a, const struct xrstor *x)
{
    struct x86_cpu *c = a->c;
    bool bad;

    if (x->comp & XCOMP_COMPACT) {
        uint64_t comp = x->comp & ~XCOMP_COMPACT;

        bad = !x86_have(c, FEAT_XSAVEC) || comp & ~c->xcr0 || x->bv & ~comp;
    } else {
        bad = x->bv & ~c->xcr0 || x->comp || area_get(a, 528, 3);
    }
    for (unsigned i = 528; x->comp && i < 576; i += 8)
        bad |= area_get(a, i, 3) != 0;
    if (bad)
        x86_gp(c, 0);
}

static void load_components(const struct area *a, uint64_t how, uint64_t load, struct xrstor *x)
{
    uint64_t comp = x->comp;

    if (load & BIT(XSTATE_X87))
        load_x87(a, &x->x87);
    if (load & BIT(XSTATE_SSE))
        load_xmm(a, how, x->xmm);
    for (unsigned i = 0; load & BIT(XSTATE_AVX) && i < xmm_count(how); i++)
        area_get_v128(a, (comp ? compact_offset(XSTATE_AVX, comp) : XSAVE_AVX_OFFSET) + 16 * i,
                      &x->ymmh[i]);
    if (load & BIT(XSTATE_PKRU))
        x->pkru =
            area_get(a, comp ? compact_offset(XSTATE_PKRU, comp) : (unsigned)XSAVE_PKRU_OFFSET, 2);
}

static void h_xrstor(struct cpu *cpu, uint64_t addr, uint64_t how, uint64_t mask)
{
    struct area a = area(cpu, addr, how);
    struct x86_cpu *c = a.c;
    uint64_t rfbm = mask & c->xcr0;
    struct xrstor x = { .mxcsr = MXCSR_INIT, .x87 = { .cw = X87_CW_INIT } };
    bool mxcsr;

    check_enabled(c);
    check_aligned(c, addr, 64);
    x.bv = area_get(&a, 512, 3);
    x.comp = area_get(&a, 520, 3);
    check_header(&a, &x);
    load_components(&a, how, rfbm & x.bv, &x);
    mxcsr = rfbm & (x.comp ? BIT(XSTATE_SSE) : BIT(XSTATE_SSE) | BIT(XSTATE_AVX));
    if (mxcsr && (!x.comp || x.bv & BIT(XSTATE_SSE)))
        x.mxcsr = area_get(&a, 24, 2);
    if (x.mxcsr & ~MXCSR_MASK)
        x86_gp(c, 0);
    if (mxcsr)
        x86_set_mxcsr(c, x.mxcsr);
    if (rfbm & BIT(XSTATE_X87))
        set_x87(c, &x.x87, how);
    if (rfbm & BIT(XSTATE_SSE))
        memcpy(c->xmm, x.xmm, xmm_count(how) * sizeof(x.xmm[0]));
    if (rfbm & BIT(XSTATE_AVX))
        memcpy(c->ymmh, x.ymmh, xmm_count(how) * sizeof(x.ymmh[0]));
    if (rfbm & BIT(XSTATE_PKRU))
        x86_set_pkru(c, x.pkru);
}
HELPER_DEFINE(xrstor, HELPER_ANY, IR_VOID, 3, IR_I64, IR_I64, IR_I64);
