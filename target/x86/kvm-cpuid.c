/*
 * CPUID under KVM (4.20, 4.46): the model's leaves, cut to what the host gives, or the host's own.
 */
#include <errno.h>
#include <asm/kvm_para.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/machine.h>
#include "cpuid.h"
#include "feature.h"
#include "fpstate.h"
#include "kvm.h"
#include "sys.h"

enum { EAX, EBX, ECX, EDX };
enum { ENTRIES = 256, KVM_LEAF = 0x40000000, KVM_FEATURES = 0x40000001, KVM_BESIDE = 0x100 };
enum { SUBLEAVES_D = 64 };

/* Where a feature word is in CPUID. */
static const struct {
    uint32_t leaf, sub;
    uint8_t reg;
} words[WORD_COUNT] = {
    [WORD_1_EDX] = { 1, 0, EDX },           [WORD_1_ECX] = { 1, 0, ECX },
    [WORD_7_EBX] = { 7, 0, EBX },           [WORD_7_ECX] = { 7, 0, ECX },
    [WORD_7_EDX] = { 7, 0, EDX },           [WORD_81_EDX] = { 0x80000001, 0, EDX },
    [WORD_81_ECX] = { 0x80000001, 0, ECX }, [WORD_87_EDX] = { 0x80000007, 0, EDX },
    [WORD_88_EBX] = { 0x80000008, 0, EBX }, [WORD_D1_EAX] = { 0xd, 1, EAX },
    [WORD_6_EAX] = { 6, 0, EAX },
};

struct build {
    struct kvm_vcpu *v;
    struct x86_cpu *c;
    struct kvm_cpuid2 *host, *out;
};

static uint32_t *regs_of(struct kvm_cpuid_entry2 *e)
{
    return &e->eax;
}

static struct kvm_cpuid2 *new_list(void)
{
    struct kvm_cpuid2 *list = g_malloc0(sizeof(*list) + ENTRIES * sizeof(list->entries[0]));

    list->nent = ENTRIES;
    return list;
}

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *list, uint32_t leaf, uint32_t sub)
{
    for (unsigned i = 0; i < list->nent; i++) {
        struct kvm_cpuid_entry2 *e = &list->entries[i];
        bool indexed = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

        if (e->function == leaf && (!indexed || e->index == sub))
            return e;
    }
    return NULL;
}

static uint32_t host_word(struct kvm_cpuid2 *host, enum x86_feature_word w)
{
    struct kvm_cpuid_entry2 *e = find(host, words[w].leaf, words[w].sub);

    return e ? regs_of(e)[words[w].reg] : 0;
}

/* ---- features ---- */

/* Whether the guest can have a feature; those that are told of the machine are ours to give. */
static bool possible(const struct build *b, enum x86_feature f)
{
    unsigned bit;
    enum x86_feature_word w = x86_feature_place(f, &bit);

    switch (f) {
    case FEAT_HYPERVISOR:
    case FEAT_HT:
    case FEAT_CMP_LEGACY:
    case FEAT_ARAT: return true;
    case FEAT_VMX: /* a guest's guests have a state of their own, which nobody would save */
    case FEAT_SVM:
    case FEAT_TOPOEXT: return false;
    case FEAT_X2APIC: return b->v->vm->irqchip != KVM_IRQCHIP_OFF && b->c->irqchip;
    case FEAT_TSC_DEADLINE:
        return b->v->vm->irqchip != KVM_IRQCHIP_OFF &&
               kvm_check(b->v->vm, KVM_CAP_TSC_DEADLINE_TIMER);
    default: return host_word(b->host, w) >> bit & 1;
    }
}

/* One line for each feature that the host cannot give. */
static bool say_missing(const struct build *b, const uint64_t can[4], GError **err)
{
    const struct x86_model *m = b->c->model;

    for (unsigned f = 0; f < FEAT_COUNT; f++) {
        if (m->all || !(m->wanted[f / 64] & ~can[f / 64] & BIT(f % 64)))
            continue;
        if (m->enforce)
            return error_set(err, "-cpu %s: enforce=on, and this host's KVM cannot give '%s'",
                             m->name, x86_feature_name(f));
        if (m->check && b->v->cpu->index == 0)
            g_printerr("myna: warning: -cpu %s: this host's KVM cannot give '%s'\n", m->name,
                       x86_feature_name(f));
    }
    return x86_model_check_pmu(b->v->cpu, err);
}

/* The first feature of the model's that the host cannot give, -1: none. */
static int first_missing(const struct build *b, const uint64_t can[4])
{
    const struct x86_model *m = b->c->model;

    for (unsigned k = 0; k < 4; k++)
        if (!m->all && m->wanted[k] & ~can[k])
            return (int)(64 * k) + __builtin_ctzll(m->wanted[k] & ~can[k]);
    return -1;
}

/* Nobody has named a model: the first one that the host can give, if the usual one is not. */
static void choose_model(const struct build *b, const uint64_t can[4])
{
    static const char *const of64[] = { "kvm64", "x86-64-v1", NULL };
    static const char *const of32[] = { "kvm32", "pentium3", "pentium", NULL };
    const char *const *simpler = strcmp(b->c->cpu.ops->arch, "i386") ? of64 : of32;
    const char *usual = b->c->model->name;
    int missing = first_missing(b, can);

    if (missing < 0 || !b->v->vm->machine->cfg.cpu_unnamed)
        return;
    for (unsigned i = 0; simpler[i]; i++) {
        x86_model_replace(b->c, simpler[i]);
        if (first_missing(b, can) >= 0)
            continue;
        if (b->v->cpu->index == 0)
            log_printf(LOG_UNIMP, "kvm: -cpu %s, as the host cannot give '%s' of %s\n", simpler[i],
                       x86_feature_name((enum x86_feature)missing), usual);
        return;
    }
    x86_model_replace(b->c, usual);
}

/* Each access to an xAPIC's registers is an instruction that KVM reads and carries out itself; with
 * x2APIC mode they are MSRs. So all models have it here unless the user takes it away, as on QEMU.
 */
static void add_usual(struct x86_model *m, const uint64_t can[4])
{
    m->wanted[FEAT_X2APIC / 64] |=
        BIT(FEAT_X2APIC % 64) & can[FEAT_X2APIC / 64] & ~m->off[FEAT_X2APIC / 64];
}

static bool choose_features(struct build *b, GError **err)
{
    struct x86_model *m;
    uint64_t can[4] = { 0 };

    for (unsigned f = 0; f < FEAT_COUNT; f++)
        if (possible(b, f))
            can[f / 64] |= BIT(f % 64);
    choose_model(b, can);
    m = (struct x86_model *)b->c->model;
    add_usual(m, can);
    for (unsigned k = 0; m->all && k < 4; k++)
        m->wanted[k] = can[k] & ~m->off[k];
    if (m->all && m->migratable)
        m->wanted[FEAT_INVTSC / 64] &= ~BIT(FEAT_INVTSC % 64);
    if (!say_missing(b, can, err))
        return false;
    x86_model_limit(b->c, can);
    return true;
}

/* ---- leaves ---- */

static void append(struct build *b, uint32_t leaf, uint32_t sub, bool indexed, const uint32_t *r)
{
    struct kvm_cpuid2 *out = b->out;

    if (out->nent == ENTRIES)
        return;
    out->entries[out->nent++] = (struct kvm_cpuid_entry2){
        .function = leaf,
        .index = sub,
        .flags = indexed ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
        .eax = r[EAX],
        .ebx = r[EBX],
        .ecx = r[ECX],
        .edx = r[EDX],
    };
}

static void append_model(struct build *b, uint32_t leaf, uint32_t sub, bool indexed)
{
    uint32_t r[4];

    x86_cpuid(b->c, leaf, sub, r);
    append(b, leaf, sub, indexed, r);
}

/* The layout of the XSAVE area is the host's; which components there are, the model says. */
static void append_xsave(struct build *b)
{
    const struct x86_cpu *c = b->c;
    struct kvm_cpuid_entry2 *e = find(b->host, 0xd, 0);
    uint64_t mask = kvm_x86_of(b->v)->xcr0_mask;

    if (!x86_have(c, FEAT_XSAVE) || !e)
        return;
    if (!c->model->all)
        mask &= x86_xcr0_possible(c);
    for (unsigned sub = 0; sub < SUBLEAVES_D; sub++) {
        struct kvm_cpuid_entry2 r;

        e = find(b->host, 0xd, sub);
        if (!e || (sub > 1 && !(mask >> sub & 1)))
            continue;
        r = *e;
        if (sub == 0) {
            r.eax &= (uint32_t)mask;
            r.edx &= (uint32_t)(mask >> 32);
        } else if (sub == 1) {
            r.eax &= x86_feature_word(c, WORD_D1_EAX);
            r.ecx = r.edx = 0;
        }
        append(b, 0xd, sub, true, regs_of(&r));
    }
}

static void append_list(struct build *b, uint32_t leaf, unsigned subs)
{
    for (unsigned sub = 0; sub < subs; sub++)
        append_model(b, leaf, sub, true);
}

static void add_model(struct build *b)
{
    const struct x86_model *m = b->c->model;

    for (uint32_t leaf = 0; leaf <= m->level; leaf++) {
        switch (leaf) {
        case 4: append_list(b, 4, 5); break;
        case 7: append_list(b, 7, 1); break;
        case 0xb: append_list(b, 0xb, 3); break;
        case 0xd: append_xsave(b); break;
        default: append_model(b, leaf, 0, false); break;
        }
    }
    for (uint32_t leaf = 0x80000000; m->xlevel && leaf <= m->xlevel; leaf++)
        append_model(b, leaf, 0, false);
}

/* What of the host's own leaves is about features that have names in -cpu. */
static void mask_features(const struct build *b, struct kvm_cpuid_entry2 *e)
{
    for (unsigned w = 0; w < WORD_COUNT; w++) {
        uint32_t named = 0, bit;

        if (words[w].leaf != e->function || words[w].sub != e->index)
            continue;
        for (unsigned f = 0; f < FEAT_COUNT; f++)
            if (x86_feature_place(f, &bit) == w)
                named |= 1u << bit;
        regs_of(e)[words[w].reg] = (regs_of(e)[words[w].reg] & ~named) | x86_feature_word(b->c, w);
    }
}

/* Leaves that tell of the CPU's place among others: those of the machine, not of the host. */
static void place(const struct build *b, struct kvm_cpuid_entry2 *e)
{
    uint32_t ours[4];

    x86_cpuid(b->c, e->function, e->index, ours);
    switch (e->function) {
    case 1:
        e->ebx = (e->ebx & 0xff00) | (ours[EBX] & 0xffff0000);
        e->edx = (e->edx & ~(1u << 28)) | (ours[EDX] & 1u << 28);
        break;
    case 4: e->eax = (e->eax & 0x3fff) | (ours[EAX] & ~0x3fffu); break;
    case 0x80000008:
        e->eax = (e->eax & ~0xffu) | (ours[EAX] & 0xff);
        e->ecx = ours[ECX];
        break;
    default: break;
    }
}

/* Performance counters, tracing, enclaves and tiles have states that nobody would save. */
static bool is_left_out(uint32_t leaf)
{
    switch (leaf) {
    case 0xa:
    case 0xb:
    case 0xd:
    case 0x12:
    case 0x14:
    case 0x1d:
    case 0x1e:
    case 0x1f:
    case 0x8000000a:
    case 0x8000001d:
    case 0x8000001e:
    case 0x80000022: return true;
    default: return leaf >> 16 == 0x4000;
    }
}

static void add_host(struct build *b)
{
    for (unsigned i = 0; i < b->host->nent; i++) {
        struct kvm_cpuid_entry2 e = b->host->entries[i];

        if (is_left_out(e.function))
            continue;
        mask_features(b, &e);
        place(b, &e);
        append(b, e.function, e.index, e.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX, regs_of(&e));
    }
    append_list(b, 0xb, 3);
    append_xsave(b);
}

/* What the paravirtual interface can do where the kernel has no interrupt controllers. */
#define KVM_WITHOUT_APIC                                              \
    (1u << KVM_FEATURE_CLOCKSOURCE | 1u << KVM_FEATURE_NOP_IO_DELAY | \
     1u << KVM_FEATURE_CLOCKSOURCE2 | 1u << KVM_FEATURE_STEAL_TIME |  \
     1u << KVM_FEATURE_CLOCKSOURCE_STABLE_BIT)

static void add_hyperv(struct build *b)
{
    uint32_t r[4];

    for (uint32_t leaf = HYPERV_LEAF; leaf <= HYPERV_LAST_LEAF; leaf++) {
        kvm_x86_hyperv_leaf(b->v, leaf, r);
        append(b, leaf, 0, false, r);
    }
}

/* KVM's own leaves make room for Hyper-V's, which a guest of its looks for at the first place. */
static void add_paravirtual(struct build *b)
{
    const struct x86_paravirtual *pv = &b->c->model->paravirtual;
    struct kvm_cpuid_entry2 *e = find(b->host, KVM_FEATURES, 0);
    bool beside = kvm_x86_of(b->v)->has_hyperv;
    uint32_t at = beside ? KVM_BESIDE : 0, r[4] = { KVM_FEATURES + at };

    if (b->c->model->hide_kvm || !x86_have(b->c, FEAT_HYPERVISOR))
        return;
    memcpy(&r[EBX], "KVMKVMKVM\0\0\0", 12);
    append(b, KVM_LEAF + at, 0, false, r);
    memset(r, 0, sizeof(r));
    r[EAX] = e ? e->eax : 0;
    if (b->v->vm->irqchip == KVM_IRQCHIP_OFF)
        r[EAX] &= KVM_WITHOUT_APIC;
    for (unsigned bit = 0; bit < 32; bit++)
        if (b->v->cpu->index == 0 && b->c->model->check && pv->on & ~r[EAX] & 1u << bit)
            g_printerr("myna: warning: -cpu %s: this host's KVM cannot give '%s'\n",
                       b->c->model->name, x86_paravirtual_name(bit));
    r[EAX] &= ~pv->off;
    r[EDX] = pv->dedicated ? 1u << KVM_HINTS_REALTIME : 0;
    append(b, KVM_FEATURES + at, 0, false, r);
}

/* The identity that -cpu host shows; struct x86_model says what leaf 0 and the name leaves do. */
static void take_identity(const struct build *b)
{
    struct x86_model *m = (struct x86_model *)b->c->model;
    struct kvm_cpuid_entry2 *e = find(b->host, 0, 0), *x = find(b->host, 0x80000000, 0),
                            *s = find(b->host, 1, 0);

    if (!m->all || !e || !s)
        return;
    memcpy(m->vendor, &e->ebx, 4);
    memcpy(m->vendor + 4, &e->edx, 4);
    memcpy(m->vendor + 8, &e->ecx, 4);
    m->vendor_kind = !strcmp(m->vendor, "GenuineIntel")   ? VENDOR_INTEL
                     : !strcmp(m->vendor, "AuthenticAMD") ? VENDOR_AMD
                                                          : VENDOR_OTHER;
    m->level = e->eax;
    m->xlevel = x ? x->eax : 0x80000000;
    m->family = (s->eax >> 8 & 15) + ((s->eax >> 8 & 15) == 15 ? s->eax >> 20 & 0xff : 0);
    m->model = (s->eax >> 4 & 15) | (s->eax >> 12 & 0xf0);
    m->stepping = s->eax & 15;
    for (unsigned k = 0; k < 3; k++) {
        struct kvm_cpuid_entry2 *n = find(b->host, 0x80000002 + k, 0);

        if (n)
            memcpy(m->id + 16 * k, regs_of(n), 16);
    }
}

static void take_phys_bits(const struct build *b)
{
    const struct x86_model *m = b->c->model;
    const struct kvm_cpuid_entry2 *w = find(b->host, 0x80000008, 0);

    if ((m->all || m->host_phys) && !m->phys_given && w && (w->eax & 0xff) >= 32 &&
        (w->eax & 0xff) <= 52)
        b->c->phys_bits = w->eax & 0xff;
}

static void take_xsave(const struct build *b)
{
    struct kvm_x86 *x = kvm_x86_of(b->v);
    const struct kvm_cpuid_entry2 *e = find(b->host, 0xd, 0);

    x->xcr0_mask = e ? e->eax | (uint64_t)e->edx << 32 : 0;
    for (unsigned i = XSTATE_AVX; i < ARRAY_LEN(x->offset); i++) {
        e = find(b->host, 0xd, i);
        if (e && x->xcr0_mask >> i & 1 && e->ebx + (uint64_t)e->eax <= x->xsave_size)
            x->offset[i] = e->ebx;
    }
}

bool kvm_x86_set_cpuid(struct kvm_vcpu *v, GError **err)
{
    g_autofree struct kvm_cpuid2 *host = new_list(), *out = new_list();
    struct build b = { v, x86_of(v->cpu), host, out };

    if (ioctl(v->vm->dev, KVM_GET_SUPPORTED_CPUID, host) < 0)
        return error_set_errno(err, errno, "-accel kvm: KVM_GET_SUPPORTED_CPUID");
    take_xsave(&b);
    if (!choose_features(&b, err))
        return false;
    take_identity(&b);
    take_phys_bits(&b);
    out->nent = 0;
    if (b.c->model->all)
        add_host(&b);
    else
        add_model(&b);
    if (kvm_x86_of(v)->has_hyperv)
        add_hyperv(&b);
    add_paravirtual(&b);
    if (ioctl(v->fd, KVM_SET_CPUID2, out) < 0)
        return error_set_errno(err, errno, "-accel kvm: CPU model '%s'", b.c->model->name);
    return true;
}
