/* Features of KVM's paravirtual interface by name; see paravirtual.h. */
#include "paravirtual.h"

#include <string.h>
#include <base/bits.h>

static const struct {
    const char *name;
    uint32_t bits;
} names[] = {
    { "kvmclock", 1u << 0 | 1u << 3 },
    { "kvm-nopiodelay", 1u << 1 },
    { "kvm-mmu", 1u << 2 },
    { "kvm-asyncpf", 1u << 4 },
    { "kvm-steal-time", 1u << 5 },
    { "kvm-pv-eoi", 1u << 6 },
    { "kvm-pv-unhalt", 1u << 7 },
    { "kvm-pv-tlb-flush", 1u << 9 },
    { "kvm-asyncpf-vmexit", 1u << 10 },
    { "kvm-pv-ipi", 1u << 11 },
    { "kvm-poll-control", 1u << 12 },
    { "kvm-pv-sched-yield", 1u << 13 },
    { "kvm-asyncpf-int", 1u << 14 },
    { "kvm-msi-ext-dest-id", 1u << 15 },
    { "kvmclock-stable-bit", 1u << 24 },
};

bool x86_paravirtual_set(struct x86_paravirtual *p, const char *name, bool on)
{
    if (!strcmp(name, "kvm-hint-dedicated")) {
        p->dedicated = on;
        return true;
    }
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(names[i].name, name)) {
            p->on = on ? p->on | names[i].bits : p->on & ~names[i].bits;
            p->off = on ? p->off & ~names[i].bits : p->off | names[i].bits;
            return true;
        }
    return false;
}

const char *x86_paravirtual_name(unsigned bit)
{
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].bits >> bit & 1)
            return names[i].name;
    return "unknown";
}
