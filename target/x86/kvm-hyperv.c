/*
 * Hyper-V's interface under KVM, which does the work (KVM_CAP_HYPERV and the capabilities
 * behind it; KVM_GET_SUPPORTED_HV_CPUID says what it can). Here is what a guest is told of it.
 */
#include <errno.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/machine.h>
#include "feature.h"
#include "kvm.h"

enum { EAX, EBX, ECX, EDX };
enum { ENTRIES = 64 };
enum { MSR_VP_INDEX = 0x40000002 };
enum { STATUS_INVALID_CODE = 2, STATUS_INVALID_CONNECTION = 18 }; /* TLFS, appendix B */
enum { CALL_POST_MESSAGE = 0x5c, CALL_SIGNAL_EVENT = 0x5d };      /* TLFS, appendix A */

/* What the kernel can do: registers of the two leaves that list features. */
struct offer {
    uint32_t features[4], advice[4];
};

static bool ask(struct kvm_vcpu *v, struct offer *o)
{
    g_autofree struct kvm_cpuid2 *list =
        g_malloc0(sizeof(*list) + ENTRIES * sizeof(list->entries[0]));

    memset(o, 0, sizeof(*o));
    list->nent = ENTRIES;
    if (kvm_check(v->vm, KVM_CAP_HYPERV) <= 0 || ioctl(v->fd, KVM_GET_SUPPORTED_HV_CPUID, list) < 0)
        return false;
    for (unsigned i = 0; i < list->nent; i++) {
        if (list->entries[i].function == HYPERV_FEATURES)
            memcpy(o->features, &list->entries[i].eax, sizeof(o->features));
        if (list->entries[i].function == HYPERV_ADVICE)
            memcpy(o->advice, &list->entries[i].eax, sizeof(o->advice));
    }
    return true;
}

static bool switch_on(struct kvm_vcpu *v, unsigned capability, uint64_t arg)
{
    struct kvm_enable_cap cap = { .cap = capability, .args = { arg } };

    return kvm_check(v->vm, capability) > 0 && ioctl(v->fd, KVM_ENABLE_CAP, &cap) >= 0;
}

/* Its messages and events go to the local APIC, which must be the kernel's. The second kind of it
 * leaves the guest's pages alone, as the specification has it. */
static bool switch_synic_on(struct kvm_vcpu *v)
{
    return v->vm->irqchip != KVM_IRQCHIP_OFF &&
           (switch_on(v, KVM_CAP_HYPERV_SYNIC2, 0) || switch_on(v, KVM_CAP_HYPERV_SYNIC, 0));
}

static bool lacks(const struct kvm_vcpu *v, const char *what, GError **err)
{
    const struct x86_model *m = x86_of(v->cpu)->model;

    if (m->enforce)
        return error_set(err, "-cpu %s: enforce=on, and this host's KVM cannot give '%s'", m->name,
                         what);
    if (m->check && v->cpu->index == 0)
        g_printerr("myna: warning: -cpu %s: this host's KVM cannot give '%s'\n", m->name, what);
    return true;
}

static bool say_missing(const struct kvm_vcpu *v, uint32_t missing, GError **err)
{
    for (unsigned f = 0; f < HV_FEATURE_COUNT; f++)
        if (missing >> f & 1 && !lacks(v, x86_hyperv_name(f), err))
            return false;
    return true;
}

/* Processors have their numbers in the order in which the machine has them. */
static void set_vp_index(struct kvm_vcpu *v)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } m = { .head.nmsrs = 1, .entry = { .index = MSR_VP_INDEX, .data = v->cpu->index } };

    if (ioctl(v->fd, KVM_SET_MSRS, &m) != 1)
        log_printf(LOG_UNIMP, "kvm: cpu %u: the host has a VP index of its own\n", v->cpu->index);
}

static uint32_t choose(struct kvm_vcpu *v, const struct x86_hyperv *h, const struct offer *o,
                       uint32_t *wanted)
{
    uint32_t can = x86_hyperv_possible(o->features, o->advice, true), on;

    *wanted = h->on;
    if (h->passthrough)
        *wanted |= x86_hyperv_possible(o->features, o->advice, false) & ~h->off;
    if (h->sharing_auto)
        *wanted |= x86_hyperv_possible(o->features, o->advice, false) & UINT32_C(1)
                                                                            << HV_NO_SHARING;
    on = *wanted & can;
    if (on >> HV_SYNIC & 1 && !switch_synic_on(v))
        on &= ~(UINT32_C(1) << HV_SYNIC);
    return x86_hyperv_settle(on);
}

bool kvm_x86_hyperv_init(struct kvm_vcpu *v, GError **err)
{
    struct x86_cpu *c = x86_of(v->cpu);
    struct kvm_x86 *x = kvm_x86_of(v);
    const struct x86_hyperv *h = &c->model->hyperv;
    struct offer o;
    uint32_t wanted;

    if (!x86_hyperv_asked(h))
        return true;
    if (!h->passthrough && !x86_hyperv_check(h->on, err))
        return false;
    if (!ask(v, &o)) {
        if (h->passthrough && !lacks(v, "hv-passthrough", err))
            return false;
        if (h->spinlocks_given && !lacks(v, "hv-spinlocks", err))
            return false;
        return say_missing(v, h->on, err);
    }
    x->hyperv = choose(v, h, &o, &wanted);
    x->has_hyperv = true;
    x->spinlocks = h->passthrough && !h->spinlocks_given ? o.advice[EBX] : h->spinlocks;
    if (!say_missing(v, wanted & ~x->hyperv, err))
        return false;
    if (h->enforce_cpuid && !switch_on(v, KVM_CAP_HYPERV_ENFORCE_CPUID, 1) &&
        !lacks(v, "hv-enforce-cpuid", err))
        return false;
    if (x->hyperv >> HV_VPINDEX & 1)
        set_vp_index(v);
    return true;
}

static bool has(const struct kvm_x86 *x, enum x86_hyperv_feature f)
{
    return x->hyperv >> f & 1;
}

bool kvm_x86_hyperv_has(const struct kvm_vcpu *v, uint32_t msr)
{
    const struct kvm_x86 *x = kvm_x86_of(v);
    bool first = v->cpu->index == 0;

    if (!x->has_hyperv)
        return false;
    switch (msr & 0xffff) {
    case 0x00 ... 0x01: return first;
    case 0x21: return first && has(x, HV_TIME);
    case 0x10: return has(x, HV_RUNTIME);
    case 0x73: return has(x, HV_VAPIC);
    case 0x80 ... 0x9f: return has(x, HV_SYNIC);
    case 0xb0 ... 0xb7: return has(x, HV_STIMER);
    case 0x100 ... 0x105: return first && has(x, HV_CRASH);
    case 0x106 ... 0x108: return first && has(x, HV_REENLIGHTENMENT);
    default: return false;
    }
}

void kvm_x86_hyperv_leaf(const struct kvm_vcpu *v, uint32_t leaf, uint32_t r[4])
{
    struct x86_hyperv h = x86_of(v->cpu)->model->hyperv;

    h.spinlocks = kvm_x86_of(v)->spinlocks;
    x86_hyperv_leaf(&h, kvm_x86_of(v)->hyperv, (unsigned)kvm_check(v->vm, KVM_CAP_MAX_VCPUS), leaf,
                    r);
}

/*
 * Where the interrupt controller's pages are the kernel knows, and timers write their messages
 * there. Other messages and events come from connections, and nothing on this machine has one.
 */
enum kvm_done kvm_x86_hyperv_exit(struct kvm_vcpu *v)
{
    struct kvm_hyperv_exit *e = &v->run->hyperv;

    switch (e->type) {
    case KVM_EXIT_HYPERV_SYNIC: return KVM_DONE;
    case KVM_EXIT_HYPERV_HCALL:
        switch (e->u.hcall.input & 0xffff) {
        case CALL_POST_MESSAGE:
        case CALL_SIGNAL_EVENT: e->u.hcall.result = STATUS_INVALID_CONNECTION; break;
        default: e->u.hcall.result = STATUS_INVALID_CODE; break;
        }
        return KVM_DONE;
    default: return KVM_UNKNOWN;
    }
}
