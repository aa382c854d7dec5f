/*
 * x86 CPUs on KVM: what the files kvm-*.c share. Chapters are those of the kernel's
 * Documentation/virt/kvm/api.rst.
 */
#ifndef X86_KVM_H
#define X86_KVM_H

#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <target/kvm.h>
#include "x86.h"

/* Pages that the kernel wants of guest memory, where no machine has anything: for CPUs without
 * "unrestricted guest". */
#define KVM_X86_IDENTITY UINT64_C(0xfeffc000)
#define KVM_X86_TSS      0xfeffd000u

struct kvm_x86 {
    struct kvm_vcpu_events events; /* as last read: what is on its way into the CPU goes back */
    uint8_t *xsave;                /* as last read, with components that struct x86_cpu lacks */
    size_t xsave_size;
    unsigned offset[64];      /* of components from the third on in it; 0: the host has none */
    uint64_t xcr0_mask;       /* components that the host has */
    uint64_t host_tsc_offset; /* x86_cpu.tsc_offset as last read or written */
    struct kvm_msrs *msrs;    /* as many as there are rows, in one allocation */
    bool *refused;            /* by row */
    uint64_t *last;           /* by row, as last read or written */
    uint32_t hyperv;          /* the features that it has, if it has the interface */
    uint32_t spinlocks;       /* of Hyper-V's, as the guest is told */
    bool has_hyperv;
    bool tsc_known;
    bool was_shut_down; /* by a triple fault, since registers were last given to the kernel */
    uint64_t apic_base; /* as the kernel last said it */
};

static inline struct kvm_x86 *kvm_x86_of(const struct kvm_vcpu *v)
{
    return v->guest;
}

/* kvm-cpuid.c */
/* Gives the kernel the CPUID leaves of the CPU's model, without what the host has not; says which
 * features that were once. */
bool kvm_x86_set_cpuid(struct kvm_vcpu *v, GError **err);

/* kvm-regs.c */
bool kvm_x86_get(struct kvm_vcpu *v, const char **what);
bool kvm_x86_put(struct kvm_vcpu *v, const char **what);
bool kvm_x86_general(struct kvm_vcpu *v, bool put);
/* What belongs to a state before a reset or INIT. */
void kvm_x86_forget(struct kvm_vcpu *v);

/* kvm-msr.c */
void kvm_x86_msr_init(struct kvm_vcpu *v);
void kvm_x86_msr_free(struct kvm_vcpu *v);
bool kvm_x86_get_msrs(struct kvm_vcpu *v);
bool kvm_x86_put_msrs(struct kvm_vcpu *v);

/* kvm-hyperv.c */
/* Settles which of Hyper-V's features the CPU has, says which it cannot have, and switches on what
 * the kernel has to do for them. Before the CPU is given its leaves. */
bool kvm_x86_hyperv_init(struct kvm_vcpu *v, GError **err);
/* Whether an MSR of its range has a state to save with this CPU. */
bool kvm_x86_hyperv_has(const struct kvm_vcpu *v, uint32_t msr);
/* A leaf of those that it has then, of HYPERV_LEAF to HYPERV_LAST_LEAF. */
void kvm_x86_hyperv_leaf(const struct kvm_vcpu *v, uint32_t leaf, uint32_t r[4]);
enum kvm_done kvm_x86_hyperv_exit(struct kvm_vcpu *v);

/* kvm-debug.c */
bool kvm_x86_set_debug(struct kvm_vcpu *v);
unsigned kvm_x86_first_patched(const struct cpu *cpu);
enum kvm_done kvm_x86_debug_exit(struct kvm_vcpu *v);

/* kvm-trial.c */
unsigned kvm_x86_set_trial(int vcpu, uint8_t *page, unsigned rounds);

/* kvm-chips.c */
extern const struct kvm_chips_ops kvm_x86_chips;

extern const struct kvm_guest x86_kvm;

#endif
