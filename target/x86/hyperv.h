/*
 * Hyper-V's interface by the names that -cpu has for its features ("enlightenments"), and the CPUID
 * leaves that tell a guest of them. Only KVM can give it; see kvm-hyperv.c.
 *
 * Source: Microsoft, Hypervisor Top Level Functional Specification 6.0b, chapter 2.
 */
#ifndef TARGET_X86_HYPERV_H
#define TARGET_X86_HYPERV_H

#include <stdbool.h>
#include <stdint.h>
#include <base/option.h>

enum x86_hyperv_feature {
    HV_RELAXED,
    HV_VAPIC,
    HV_VPINDEX,
    HV_RUNTIME,
    HV_CRASH,
    HV_TIME,
    HV_SYNIC,
    HV_STIMER,
    HV_STIMER_DIRECT,
    HV_TLBFLUSH,
    HV_TLBFLUSH_EXT,
    HV_TLBFLUSH_DIRECT,
    HV_IPI,
    HV_RESET,
    HV_FREQUENCIES,
    HV_REENLIGHTENMENT,
    HV_XMM_INPUT,
    HV_AVIC,
    HV_EVMCS,
    HV_EMSR_BITMAP,
    HV_SYNDBG,
    HV_NO_SHARING,
    HV_FEATURE_COUNT
};

#define HYPERV_LEAF      0x40000000u
#define HYPERV_INTERFACE 0x40000001u
#define HYPERV_FEATURES  0x40000003u
#define HYPERV_ADVICE    0x40000004u
#define HYPERV_LAST_LEAF 0x40000006u
#define HYPERV_NO_SPINNER                                                   \
    UINT32_MAX /* of spinlocks: a guest need not tell of locks it waits for \
                */

/* What options say. Bits are those of enum x86_hyperv_feature. */
struct x86_hyperv {
    uint32_t on, off;
    uint32_t spinlocks; /* tries before the hypervisor is told of a wait for a lock */
    bool spinlocks_given, passthrough, enforce_cpuid;
    bool sharing_auto; /* HV_NO_SHARING as the host has it */
    char vendor[13];   /* "": not given */
    uint32_t build, major, minor, spack, sbranch, snumber;
};

void x86_hyperv_init(struct x86_hyperv *h);
/* A feature, or another thing that is on or off. False: @name, with dashes, is none of them. */
bool x86_hyperv_set(struct x86_hyperv *h, const char *name, bool on);
/* The options that have values: hv-spinlocks=, hv-vendor-id=, hv-version-id-*=, hv-no-nonarch-
 * coresharing=. False: one is no such value. */
bool x86_hyperv_values(struct x86_hyperv *h, struct opts *o, GError **err);
/* Whether a guest is to have the interface at all. */
bool x86_hyperv_asked(const struct x86_hyperv *h);
/* The feature's name, as options have it. */
const char *x86_hyperv_name(enum x86_hyperv_feature f);
/* False: a feature of @on lacks one that it needs; @err says which. */
bool x86_hyperv_check(uint32_t on, GError **err);
/* What of @on makes sense where others of it are missing. */
uint32_t x86_hyperv_settle(uint32_t on);
/* The features that leaves of a kernel's list name; EAX to EDX of HYPERV_FEATURES and _ADVICE. With
 * @hints also those that are nothing else, and can always be given. */
uint32_t x86_hyperv_possible(const uint32_t features[4], const uint32_t advice[4], bool hints);
/* A leaf of a guest that has the features @on and may have @max_cpus. */
void x86_hyperv_leaf(const struct x86_hyperv *h, uint32_t on, unsigned max_cpus, uint32_t leaf,
                     uint32_t r[4]);

#endif
