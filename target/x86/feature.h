/*
 * What a CPU model has: features, and the identity that CPUID shows.
 *
 *     if (!x86_have(c, FEAT_SMEP)) ...
 */
#ifndef X86_FEATURE_H
#define X86_FEATURE_H

#include "hyperv.h"
#include "paravirtual.h"
#include "x86.h"

/* Registers of CPUID that hold features: leaf and register; 81 is 0x80000001. */
enum x86_feature_word {
    WORD_1_EDX,
    WORD_1_ECX,
    WORD_7_EBX,
    WORD_7_ECX,
    WORD_7_EDX,
    WORD_81_EDX,
    WORD_81_ECX,
    WORD_87_EDX,
    WORD_88_EBX,
    WORD_D1_EAX,
    WORD_6_EAX,
    WORD_COUNT
};

enum x86_feature {
#define FEATURE(id, name, word, bit, done) FEAT_##id,
#include "feature.def"
#undef FEATURE
    FEAT_COUNT
};

static inline bool x86_have(const struct x86_cpu *c, enum x86_feature f)
{
    return c->feature[f / 64] >> (f % 64) & 1;
}

enum x86_vendor { VENDOR_INTEL, VENDOR_AMD, VENDOR_OTHER };

/* Of one CPU, as made by its model and options; owned by it. */
struct x86_model {
    const char *name;
    char vendor[13];
    enum x86_vendor vendor_kind;
    char id[49]; /* brand string */
    uint32_t family, model, stepping;
    uint32_t level, xlevel; /* highest leaves */
    uint64_t wanted[4];     /* features of model and options, whoever runs the CPU */
    uint64_t off[4];        /* those that options take away */
    bool all;               /* "max", "host": all that there is, but for `off` */
    bool check, enforce;    /* what to do about features that are not there */
    bool phys_given;        /* phys-bits= */
    bool hide_kvm;          /* kvm=off: no paravirtual interface */
    bool migratable;        /* "host", "max": without what cannot be moved to another host */
    bool pmu;               /* performance counters, which there are not */
    bool host_phys;         /* as many bits in physical addresses as the host's CPU has */
    struct x86_paravirtual paravirtual;
    struct x86_hyperv hyperv;
};

/* Fills features, identity and phys_bits from a model's name and the options behind it. */
bool x86_model_setup(struct x86_cpu *c, const char *model, const char *options, GError **err);
/* Puts a model without options in the place of the one that the CPU has; before it runs. */
void x86_model_replace(struct x86_cpu *c, const char *model);
/* Leaves a CPU those of its features that are in @possible, and that make sense without the rest.
 */
void x86_model_limit(struct x86_cpu *c, const uint64_t possible[4]);
/* For those who translate: says which of the wanted features are not implemented; false:
 * enforce=on, or a model that only KVM can give. */
bool x86_model_check(struct cpu *cpu, GError **err);
/* Says that there are no performance counters, if they are asked for; false: enforce=on. */
bool x86_model_check_pmu(struct cpu *cpu, GError **err);
/* A feature's name, as -cpu has it, and its place in CPUID. */
const char *x86_feature_name(enum x86_feature f);
enum x86_feature_word x86_feature_place(enum x86_feature f, unsigned *bit);
/* CPUID; @out: EAX, EBX, ECX, EDX. */
void x86_cpuid(const struct x86_cpu *c, uint32_t leaf, uint32_t sub, uint32_t out[4]);
/* The bits of a feature word. */
uint32_t x86_feature_word(const struct x86_cpu *c, enum x86_feature_word word);

#endif
