/*
 * Vectors: moves between elements and registers (16): slides, gather, compress, whole registers.
 */
#include "helper.h"
#include "vector.h"

struct perm {
    struct riscv_cpu *c;
    uint64_t desc;
    unsigned sew, start, n, vlmax;
    uint8_t *d;
    const uint8_t *x; /* vs2 */
    uint8_t result[VGROUP_BYTES] __attribute__((aligned(64)));
};

static void perm_init(struct perm *p, struct cpu *cpu, uint64_t desc, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);

    p->c = c;
    p->desc = desc;
    p->sew = vdesc_sew(desc);
    p->start = riscv_vstart_take(c);
    p->n = vl;
    p->vlmax = vlmax_of(c, p->sew, vdesc_lmul(desc));
    p->d = vreg(c, vdesc_vd(desc));
    p->x = vreg(c, vdesc_vs2(desc));
}

/* The result's elements from @first on, as far as active, go to vd. */
static void perm_finish(struct perm *p, unsigned first)
{
    uint8_t act[VGROUP_BYTES + 8];

    first = MAX(first, p->start);
    if (first >= p->n)
        return;
    if (vdesc_vm(p->desc)) {
        memcpy(p->d + (first << p->sew), p->result + (first << p->sew), (p->n - first) << p->sew);
        return;
    }
    riscv_vactive(p->c, p->desc, first, p->n, act);
    riscv_vblend(p->d, p->result, act, p->sew, p->n);
}

/* result[i] = vs2[i - by] for i from @by on */
static void shift_up(struct perm *p, uint64_t by)
{
    if (by < p->n)
        memcpy(p->result + (by << p->sew), p->x, (p->n - by) << p->sew);
}

/* result[i] = vs2[i + by], zero from VLMAX on */
static void shift_down(struct perm *p, uint64_t by)
{
    unsigned have = by < p->vlmax ? MIN(p->n, p->vlmax - by) : 0;

    memcpy(p->result, p->x + (have ? by << p->sew : 0), have << p->sew);
    memset(p->result + (have << p->sew), 0, (p->n - have) << p->sew);
}

static void h_v_slideup(struct cpu *cpu, uint64_t desc, uint64_t by, uint64_t vl)
{
    struct perm p;

    perm_init(&p, cpu, desc, vl);
    shift_up(&p, by);
    perm_finish(&p, MIN(by, vl));
}
HELPER_DEFINE(v_slideup, IR_H_CPU, IR_VOID, 3, IR_I64, IR_I64, IR_I64);

static void h_v_slidedown(struct cpu *cpu, uint64_t desc, uint64_t by, uint64_t vl)
{
    struct perm p;

    perm_init(&p, cpu, desc, vl);
    shift_down(&p, by);
    perm_finish(&p, 0);
}
HELPER_DEFINE(v_slidedown, IR_H_CPU, IR_VOID, 3, IR_I64, IR_I64, IR_I64);

static void h_v_slide1up(struct cpu *cpu, uint64_t desc, uint64_t scalar, uint64_t vl)
{
    struct perm p;

    perm_init(&p, cpu, desc, vl);
    shift_up(&p, 1);
    velem_set(p.result, p.sew, 0, scalar);
    perm_finish(&p, 0);
}
HELPER_DEFINE(v_slide1up, IR_H_CPU, IR_VOID, 3, IR_I64, IR_I64, IR_I64);

static void h_v_slide1down(struct cpu *cpu, uint64_t desc, uint64_t scalar, uint64_t vl)
{
    struct perm p;

    perm_init(&p, cpu, desc, vl);
    if (!vl)
        return;
    shift_down(&p, 1);
    velem_set(p.result, p.sew, vl - 1, scalar);
    perm_finish(&p, 0);
}
HELPER_DEFINE(v_slide1down, IR_H_CPU, IR_VOID, 3, IR_I64, IR_I64, IR_I64);

/* vrgather.vv, vrgatherei16.vv: indices of 1 << eew bytes in vs1. */
static void h_v_gather(struct cpu *cpu, uint64_t desc, uint64_t vl)
{
    struct perm p;
    const void *index = vreg(riscv_of(cpu), vdesc_vs1(desc));

    perm_init(&p, cpu, desc, vl);
    for (unsigned i = p.start; i < p.n; i++) {
        uint64_t k = velem_get(index, vdesc_eew(desc), i);
        velem_set(p.result, p.sew, i, k < p.vlmax ? velem_get(p.x, p.sew, k) : 0);
    }
    perm_finish(&p, 0);
}
HELPER_DEFINE(v_gather, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

static void h_v_gather_x(struct cpu *cpu, uint64_t desc, uint64_t index, uint64_t vl)
{
    struct perm p;

    perm_init(&p, cpu, desc, vl);
    riscv_vsplat(p.result, p.sew, index < p.vlmax ? velem_get(p.x, p.sew, index) : 0, vl);
    perm_finish(&p, 0);
}
HELPER_DEFINE(v_gather_x, IR_H_CPU, IR_VOID, 3, IR_I64, IR_I64, IR_I64);

static void h_v_compress(struct cpu *cpu, uint64_t desc, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);
    unsigned sew = vdesc_sew(desc), k = 0;
    void *d = vreg(c, vdesc_vd(desc)), *x = vreg(c, vdesc_vs2(desc));

    for (unsigned i = 0; i < vl; i++)
        if (vmask_bit(c, vdesc_vs1(desc), i))
            velem_set(d, sew, k++, velem_get(x, sew, i));
}
HELPER_DEFINE(v_compress, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

/* vmv<nf>r.v: elements of SEW, from vstart on (16.6). */
static void h_v_move_whole(struct cpu *cpu, uint64_t desc)
{
    struct riscv_cpu *c = riscv_of(cpu);
    unsigned from = riscv_vstart_take(c) << vdesc_sew(desc), len = vdesc_nf(desc) * vlenb(c);
    uint8_t *d = vreg(c, vdesc_vd(desc)), *x = vreg(c, vdesc_vs2(desc));

    if (from < len)
        memmove(d + from, x + from, len - from);
}
HELPER_DEFINE(v_move_whole, IR_H_CPU, IR_VOID, 1, IR_I64);

/* vmv.x.s, vfmv.f.s: sign extended; vl does not matter. */
static uint64_t h_v_get_first(struct cpu *cpu, uint64_t desc)
{
    struct riscv_cpu *c = riscv_of(cpu);
    unsigned sew = vdesc_sew(desc);

    riscv_vstart_take(c);
    return velem_sext(velem_get(vreg(c, vdesc_vs2(desc)), sew, 0), sew);
}
HELPER_DEFINE(v_get_first, IR_H_CPU, IR_I64, 1, IR_I64);

/* vmv.s.x, vfmv.s.f */
static void h_v_put_first(struct cpu *cpu, uint64_t desc, uint64_t scalar, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);

    if (riscv_vstart_take(c) < vl && vl)
        velem_set(vreg(c, vdesc_vd(desc)), vdesc_sew(desc), 0, scalar);
}
HELPER_DEFINE(v_put_first, IR_H_CPU, IR_VOID, 3, IR_I64, IR_I64, IR_I64);
