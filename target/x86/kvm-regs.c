/*
 * Registers between struct x86_cpu and KVM (4.2, 4.3, 4.11 to 4.14, 4.31, 4.32, 4.42, 4.43).
 */
#include <errno.h>
#include "debug.h"
#include "fpstate.h"
#include "kvm.h"
#include "smm.h"
#include "x87.h"

enum { XSAVE_BV = 512, XSAVE_ST = 32, XSAVE_XMM = 160 };

/* ---- general registers ---- */

/* struct kvm_regs has rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8 to r15 in this order. */
static const uint8_t order[] = { R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_SP, R_BP,
                                 R_8,  R_9,  R_10, R_11, R_12, R_13, R_14, R_15 };

static void get_general(struct x86_cpu *c, const struct kvm_regs *r)
{
    const __u64 *from = &r->rax;

    for (unsigned k = 0; k < ARRAY_LEN(order); k++)
        c->cpu.tcg.hot[order[k]] = from[k];
}

static void set_general(struct kvm_regs *r, const struct x86_cpu *c)
{
    __u64 *to = &r->rax;

    for (unsigned k = 0; k < ARRAY_LEN(order); k++)
        to[k] = c->cpu.tcg.hot[order[k]];
}

bool kvm_x86_general(struct kvm_vcpu *v, bool put)
{
    struct x86_cpu *c = x86_of(v->cpu);
    struct kvm_regs r;

    if (ioctl(v->fd, KVM_GET_REGS, &r) < 0)
        return false;
    if (put)
        set_general(&r, c);
    else
        get_general(c, &r);
    return !put || ioctl(v->fd, KVM_SET_REGS, &r) == 0;
}

static bool put_general(struct kvm_vcpu *v, const struct x86_cpu *c)
{
    struct kvm_regs r = { .rip = x86_eip(c), .rflags = x86_eflags(c) };

    set_general(&r, c);
    return ioctl(v->fd, KVM_SET_REGS, &r) == 0;
}

/* EFLAGS.RF is kept only while a breakpoint asks for it (x86_set_eflags). */
static void get_flags(struct x86_cpu *c, const struct kvm_regs *r)
{
    x86_set_eflags(c, (uint32_t)r->rflags, ~0u);
    x86_set_pc(c, r->rip);
}

/* ---- segments and control registers ---- */

static uint16_t attr_of(const struct kvm_segment *s)
{
    unsigned attr = s->type | s->s << 4 | s->dpl << ATTR_DPL_SHIFT | s->avl << 12;

    if (s->present && !s->unusable)
        attr |= ATTR_P;
    return (uint16_t)(attr | (s->l ? ATTR_L : 0) | (s->db ? ATTR_DB : 0) | (s->g ? ATTR_G : 0));
}

static struct kvm_segment segment(uint16_t sel, uint64_t base, uint32_t limit, unsigned attr)
{
    return (struct kvm_segment){
        .selector = sel,
        .base = base,
        .limit = limit,
        .type = attr & ATTR_TYPE,
        .s = attr >> 4 & 1,
        .dpl = attr >> ATTR_DPL_SHIFT & 3,
        .present = attr >> 7 & 1,
        .avl = attr >> 12 & 1,
        .l = attr >> 13 & 1,
        .db = attr >> 14 & 1,
        .g = attr >> 15 & 1,
        .unusable = !(attr & ATTR_P),
    };
}

static struct x86_table table_of(const struct kvm_segment *s)
{
    return (struct x86_table){ s->base, s->limit, s->selector, attr_of(s) };
}

static void get_system(struct x86_cpu *c, const struct kvm_sregs *s)
{
    const struct kvm_segment *segs[S_COUNT] = { [S_ES] = &s->es, [S_CS] = &s->cs, [S_SS] = &s->ss,
                                                [S_DS] = &s->ds, [S_FS] = &s->fs, [S_GS] = &s->gs };

    c->cr0 = s->cr0;
    c->cr2 = s->cr2;
    c->cr3 = s->cr3;
    c->cr4 = s->cr4;
    c->efer = s->efer;
    for (unsigned k = 0; k < S_COUNT; k++)
        x86_seg_set_raw(c, k, segs[k]->selector, segs[k]->base, segs[k]->limit, attr_of(segs[k]));
    c->ldt = table_of(&s->ldt);
    c->tr = table_of(&s->tr);
    c->gdt = (struct x86_table){ .base = s->gdt.base, .limit = s->gdt.limit };
    c->idt = (struct x86_table){ .base = s->idt.base, .limit = s->idt.limit };
}

static struct kvm_segment seg_of(const struct x86_cpu *c, unsigned nr)
{
    return segment(c->seg[nr].selector, c->seg_base[nr], c->seg[nr].limit, c->seg[nr].attr);
}

static uint64_t apic_base(const struct kvm_vcpu *v, const struct x86_cpu *c)
{
    uint64_t val;

    if (c->irqchip && c->irqchip->read_msr && c->irqchip->read_msr(c->irqchip_opaque, 0x1b, &val))
        return val;
    return kvm_x86_of(v)->apic_base;
}

static bool put_system(struct kvm_vcpu *v, const struct x86_cpu *c)
{
    struct kvm_x86 *x = kvm_x86_of(v);
    struct kvm_sregs s = {
        .es = seg_of(c, S_ES),
        .cs = seg_of(c, S_CS),
        .ss = seg_of(c, S_SS),
        .ds = seg_of(c, S_DS),
        .fs = seg_of(c, S_FS),
        .gs = seg_of(c, S_GS),
        .ldt = segment(c->ldt.selector, c->ldt.base, c->ldt.limit, c->ldt.attr),
        .tr = segment(c->tr.selector, c->tr.base, c->tr.limit, c->tr.attr),
        .gdt = { .base = c->gdt.base, .limit = (uint16_t)c->gdt.limit },
        .idt = { .base = c->idt.base, .limit = (uint16_t)c->idt.limit },
        .cr0 = c->cr0,
        .cr2 = c->cr2,
        .cr3 = c->cr3,
        .cr4 = c->cr4,
        .cr8 = x86_get_cr8(c),
        .efer = c->efer,
        .apic_base = x->apic_base = apic_base(v, c),
    };

    if (c->kvm_event[1] & 1) {
        unsigned nr = c->kvm_event[1] >> 8 & 0xff;

        s.interrupt_bitmap[nr / 64] = BIT(nr % 64);
    }
    if (x->was_shut_down) {
        /* A shutdown voids the CPU's control block on AMD. The kernel fills it in anew, but for the
         * root of its page tables, which it looks at again when something about paging changes. */
        x->was_shut_down = false;
        s.cr0 ^= CR0_WP;
        if (ioctl(v->fd, KVM_SET_SREGS, &s) < 0)
            return false;
        s.cr0 ^= CR0_WP;
    }
    return ioctl(v->fd, KVM_SET_SREGS, &s) == 0;
}

/* ---- x87, SSE, AVX and the rest of the XSAVE area, in the standard format ---- */

static void get_x87(struct x86_cpu *c, const uint8_t *p)
{
    unsigned tags = p[4];

    c->fpu_cw = lduw_le(p);
    c->fpu_sw = lduw_le(p + 2);
    c->fpu_op = lduw_le(p + 6);
    c->fpu_ip = ldq_le(p + 8);
    c->fpu_dp = ldq_le(p + 16);
    c->fpu_tw = 0;
    for (unsigned i = 0; i < 8; i++) {
        c->fpu_tw |= tags >> i & 1 ? 0 : 3u << 2 * i;
        memcpy(&c->fpr[x87_phys(c, i)].lo, p + XSAVE_ST + 16 * i, 8);
        c->fpr[x87_phys(c, i)].hi = lduw_le(p + XSAVE_ST + 16 * i + 8);
    }
    c->mxcsr = ldl_le(p + 24);
    memcpy(c->xmm, p + XSAVE_XMM, sizeof(c->xmm));
}

static void put_x87(const struct x86_cpu *c, uint8_t *p)
{
    uint8_t tags = 0;

    stw_le(p, c->fpu_cw);
    stw_le(p + 2, c->fpu_sw);
    stw_le(p + 6, c->fpu_op);
    stq_le(p + 8, c->fpu_ip);
    stq_le(p + 16, c->fpu_dp);
    for (unsigned i = 0; i < 8; i++) {
        tags |= (uint8_t)((c->fpu_tw >> 2 * i & 1 ? 0 : 1) << i);
        stq_le(p + XSAVE_ST + 16 * i, c->fpr[x87_phys(c, i)].lo);
        stq_le(p + XSAVE_ST + 16 * i + 8, c->fpr[x87_phys(c, i)].hi);
    }
    p[4] = tags;
    stl_le(p + 24, c->mxcsr);
    memcpy(p + XSAVE_XMM, c->xmm, sizeof(c->xmm));
}

static bool xsave_ioctl(struct kvm_vcpu *v, bool put)
{
    struct kvm_x86 *x = kvm_x86_of(v);
    bool big = x->xsave_size > sizeof(struct kvm_xsave);

    if (put)
        return ioctl(v->fd, KVM_SET_XSAVE, x->xsave) == 0;
    return ioctl(v->fd, big ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, x->xsave) == 0;
}

/* Components with fields of their own (SDM 1, 13.5), as the area has them. */
static const struct part {
    uint8_t number;
    uint16_t size;
    uint32_t field; /* in struct x86_cpu */
} parts[] = {
#define PART(number, name)                                                             \
    {                                                                                  \
        number, sizeof(((struct x86_cpu *)NULL)->name), offsetof(struct x86_cpu, name) \
    }
    PART(XSTATE_AVX, ymmh),
    PART(XSTATE_OPMASK, kvm_k),
    PART(XSTATE_ZMM_HIGH, kvm_zmm_high),
    PART(XSTATE_ZMM_MORE, kvm_zmm_more),
    PART(XSTATE_PKRU, pkru),
#undef PART
};

/* A component that is as after reset need not be in memory. */
static bool get_float(struct kvm_vcpu *v, struct x86_cpu *c)
{
    const struct kvm_x86 *x = kvm_x86_of(v);
    uint64_t bv;

    if (!xsave_ioctl(v, false))
        return false;
    bv = ldq_le(x->xsave + XSAVE_BV);
    get_x87(c, x->xsave);
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
        const struct part *p = &parts[i];

        if (bv & BIT(p->number) && x->offset[p->number])
            memcpy((char *)c + p->field, x->xsave + x->offset[p->number], p->size);
        else
            memset((char *)c + p->field, 0, p->size);
    }
    return true;
}

static bool put_float(struct kvm_vcpu *v, struct x86_cpu *c)
{
    struct kvm_x86 *x = kvm_x86_of(v);
    uint64_t bv = ldq_le(x->xsave + XSAVE_BV) | BIT(XSTATE_X87) | BIT(XSTATE_SSE);

    x86_mxcsr(c);
    put_x87(c, x->xsave);
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
        const struct part *p = &parts[i];

        if (!x->offset[p->number])
            continue;
        bv |= BIT(p->number);
        memcpy(x->xsave + x->offset[p->number], (const char *)c + p->field, p->size);
    }
    stq_le(x->xsave + XSAVE_BV, bv);
    return xsave_ioctl(v, true);
}

static bool get_xcr0(struct kvm_vcpu *v, struct x86_cpu *c)
{
    struct kvm_xcrs xcrs = { 0 };

    if (!kvm_x86_of(v)->xcr0_mask)
        return true;
    if (ioctl(v->fd, KVM_GET_XCRS, &xcrs) < 0)
        return false;
    if (xcrs.nr_xcrs && xcrs.xcrs[0].xcr == 0)
        c->xcr0 = xcrs.xcrs[0].value;
    return true;
}

static bool put_xcr0(struct kvm_vcpu *v, const struct x86_cpu *c)
{
    struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = c->xcr0 } } };

    return !kvm_x86_of(v)->xcr0_mask || ioctl(v->fd, KVM_SET_XCRS, &xcrs) == 0;
}

/* ---- debug registers ---- */

static bool get_debug(struct kvm_vcpu *v, struct x86_cpu *c)
{
    struct kvm_debugregs d;

    if (ioctl(v->fd, KVM_GET_DEBUGREGS, &d) < 0)
        return false;
    for (unsigned k = 0; k < 4; k++)
        c->dr[k] = d.db[k];
    c->dr[6] = d.dr6;
    c->dr[7] = d.dr7;
    return true;
}

static bool put_debug(struct kvm_vcpu *v, const struct x86_cpu *c)
{
    struct kvm_debugregs d = { .dr6 = c->dr[6], .dr7 = c->dr[7] };

    for (unsigned k = 0; k < 4; k++)
        d.db[k] = c->dr[k];
    return ioctl(v->fd, KVM_SET_DEBUGREGS, &d) == 0;
}

/* ---- events: what is on its way into the CPU ---- */

/* As they are saved: a byte each, the error code above them. */
static void pack_events(struct x86_cpu *c, const struct kvm_vcpu_events *e)
{
    c->kvm_event[0] = e->exception.injected | e->exception.pending << 8 | e->exception.nr << 16 |
                      (uint64_t)e->exception.has_error_code << 24 |
                      (uint64_t)e->exception.error_code << 32;
    c->kvm_event[1] = e->interrupt.injected | e->interrupt.nr << 8 | e->interrupt.soft << 16 |
                      (uint64_t)e->nmi.injected << 24 | (uint64_t)e->nmi.pending << 32;
}

static void unpack_events(const struct x86_cpu *c, struct kvm_vcpu_events *e)
{
    uint64_t x = c->kvm_event[0], i = c->kvm_event[1];

    e->exception.injected = x & 1;
    e->exception.pending = x >> 8 & 1;
    e->exception.nr = x >> 16 & 31;
    e->exception.has_error_code = x >> 24 & 1;
    e->exception.error_code = (__u32)(x >> 32);
    e->interrupt.injected = i & 1;
    e->interrupt.nr = i >> 8 & 0xff;
    e->interrupt.soft = i >> 16 & 1;
    e->nmi.injected = i >> 24 & 1;
    e->nmi.pending = i >> 32 & 1;
}

static bool get_events(struct kvm_vcpu *v, struct x86_cpu *c)
{
    struct kvm_vcpu_events *e = &kvm_x86_of(v)->events;

    if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, e) < 0)
        return false;
    pack_events(c, e);
    c->nmi_blocked = e->nmi.masked;
    c->shadow = 0;
    c->shadow_pc = e->interrupt.shadow ? c->cpu.tcg.pc : ~0ULL;
    if (v->vm->smm && (bool)e->smi.smm != c->in_smm) {
        c->in_smm = e->smi.smm;
        x86_smm_window(c);
    }
    return true;
}

static bool put_events(struct kvm_vcpu *v, const struct x86_cpu *c)
{
    struct kvm_vcpu_events *e = &kvm_x86_of(v)->events;

    unpack_events(c, e);
    e->nmi.masked = c->nmi_blocked;
    if (c->shadow_pc != c->cpu.tcg.pc)
        e->interrupt.shadow = 0;
    else if (!e->interrupt.shadow) /* of a saved machine: whichever it was */
        e->interrupt.shadow = KVM_X86_SHADOW_INT_MOV_SS;
    e->flags = KVM_VCPUEVENT_VALID_SHADOW;
    e->smi.smm = c->in_smm;
    if (v->vm->standing)
        e->flags |= KVM_VCPUEVENT_VALID_NMI_PENDING | (v->vm->smm ? KVM_VCPUEVENT_VALID_SMM : 0);
    return ioctl(v->fd, KVM_SET_VCPU_EVENTS, e) == 0;
}

/* ---- activity ---- */

/* With controllers in the kernel it knows who is halted or waits for a start-up IPI. */
static bool get_activity(struct kvm_vcpu *v, struct x86_cpu *c)
{
    struct kvm_mp_state s;

    if (v->vm->irqchip == KVM_IRQCHIP_OFF)
        return true;
    if (ioctl(v->fd, KVM_GET_MP_STATE, &s) < 0)
        return false;
    c->wait_sipi =
        s.mp_state == KVM_MP_STATE_UNINITIALIZED || s.mp_state == KVM_MP_STATE_INIT_RECEIVED;
    __atomic_store_n(&c->cpu.halted, c->wait_sipi || s.mp_state == KVM_MP_STATE_HALTED,
                     __ATOMIC_SEQ_CST);
    return true;
}

static bool put_activity(struct kvm_vcpu *v, const struct x86_cpu *c)
{
    struct kvm_mp_state s = { KVM_MP_STATE_RUNNABLE };

    if (v->vm->irqchip == KVM_IRQCHIP_OFF || !v->vm->standing)
        return true;
    if (c->wait_sipi)
        s.mp_state = KVM_MP_STATE_INIT_RECEIVED;
    else if (__atomic_load_n(&c->cpu.halted, __ATOMIC_SEQ_CST))
        s.mp_state = KVM_MP_STATE_HALTED;
    return ioctl(v->fd, KVM_SET_MP_STATE, &s) == 0;
}

/* ---- local APIC, where the kernel has it ---- */

static bool has_apic(const struct kvm_vcpu *v, const struct x86_cpu *c)
{
    return v->vm->irqchip != KVM_IRQCHIP_OFF && c->irqchip && c->irqchip->page;
}

/* The base says which mode its registers are of, and so comes first. */
static bool get_apic(struct kvm_vcpu *v, struct x86_cpu *c)
{
    struct kvm_lapic_state page;

    if (!has_apic(v, c))
        return true;
    if (ioctl(v->fd, KVM_GET_LAPIC, &page) < 0)
        return false;
    c->irqchip->write_msr(c->irqchip_opaque, 0x1b, kvm_x86_of(v)->apic_base);
    c->irqchip->page(c->irqchip_opaque, (uint8_t *)page.regs, true);
    return true;
}

static bool put_apic(struct kvm_vcpu *v, struct x86_cpu *c)
{
    struct kvm_lapic_state page = { { 0 } };

    if (!has_apic(v, c) || !v->vm->standing)
        return true;
    c->irqchip->page(c->irqchip_opaque, (uint8_t *)page.regs, false);
    return ioctl(v->fd, KVM_SET_LAPIC, &page) == 0;
}

/* ---- all of it ---- */

static void settle(struct x86_cpu *c)
{
    x87_summarise(c);
    if (c->cr0 & CR0_PG && c->cr4 & CR4_PAE && !x86_lma(c))
        x86_load_pdptes(c, c->cr3);
    cpu_update_flags(&c->cpu);
}

bool kvm_x86_get(struct kvm_vcpu *v, const char **what)
{
    struct x86_cpu *c = x86_of(v->cpu);
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    bool ok;

#define STEP(call, name) (*what = name, (call))
    /* first, as an INIT or start-up IPI that waits changes registers by that */
    ok = STEP(get_activity(v, c), "KVM_GET_MP_STATE") &&
         STEP(ioctl(v->fd, KVM_GET_REGS, &regs) == 0, "KVM_GET_REGS") &&
         STEP(ioctl(v->fd, KVM_GET_SREGS, &sregs) == 0, "KVM_GET_SREGS");
    if (!ok)
        return false;
    get_general(c, &regs);
    get_system(c, &sregs);
    kvm_x86_of(v)->apic_base = sregs.apic_base;
    ok = STEP(get_debug(v, c), "KVM_GET_DEBUGREGS");
    get_flags(c, &regs);
    ok = ok && STEP(get_float(v, c), "KVM_GET_XSAVE") && STEP(get_xcr0(v, c), "KVM_GET_XCRS") &&
         STEP(get_apic(v, c), "KVM_GET_LAPIC") && STEP(kvm_x86_get_msrs(v), "KVM_GET_MSRS") &&
         STEP(get_events(v, c), "KVM_GET_VCPU_EVENTS");
    settle(c);
    return ok;
}

bool kvm_x86_put(struct kvm_vcpu *v, const char **what)
{
    struct x86_cpu *c = x86_of(v->cpu);

    /* its lockup detectors are to know that it stood; refused while it has no kvmclock */
    (void)ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0);

    return STEP(put_system(v, c), "KVM_SET_SREGS") && STEP(put_general(v, c), "KVM_SET_REGS") &&
           STEP(put_xcr0(v, c), "KVM_SET_XCRS") && STEP(put_float(v, c), "KVM_SET_XSAVE") &&
           STEP(put_apic(v, c), "KVM_SET_LAPIC") && STEP(kvm_x86_put_msrs(v), "KVM_SET_MSRS") &&
           STEP(put_activity(v, c), "KVM_SET_MP_STATE") &&
           STEP(put_debug(v, c), "KVM_SET_DEBUGREGS") &&
           STEP(put_events(v, c), "KVM_SET_VCPU_EVENTS");
#undef STEP
}

void kvm_x86_forget(struct kvm_vcpu *v)
{
    struct kvm_x86 *x = kvm_x86_of(v);

    memset(&x->events, 0, sizeof(x->events));
    memset(x->xsave, 0, x->xsave_size);
}
