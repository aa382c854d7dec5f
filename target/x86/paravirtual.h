/*
 * The names that -cpu has for features of KVM's paravirtual interface, CPUID leaf 0x40000001.
 *
 * Source: Linux, Documentation/virt/kvm/x86/cpuid.rst.
 */
#ifndef TARGET_X86_PARAVIRTUAL_H
#define TARGET_X86_PARAVIRTUAL_H

#include <stdbool.h>
#include <stdint.h>

/* What options say of them. Of those that they leave alone, a guest has all that the host gives. */
struct x86_paravirtual {
    uint32_t on, off; /* bits of EAX */
    bool dedicated;   /* the hint, EDX bit 0: each virtual CPU has a processor of its own */
};

/* False: @name, with dashes, is none of them. */
bool x86_paravirtual_set(struct x86_paravirtual *p, const char *name, bool on);
/* The name that has a bit, "unknown" if none has. */
const char *x86_paravirtual_name(unsigned bit);

#endif
