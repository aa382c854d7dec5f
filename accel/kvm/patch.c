/*
 * Breakpoints in memory: there while CPUs run, gone before anybody looks at a stopped machine.
 */
#include "kvm.h"

static void insert(struct kvm *kvm, struct cpu *cpu, uint64_t vaddr)
{
    unsigned n = kvm->guest->breakpoint_size;
    struct cpu_page page;
    struct cpu_fault fault;
    struct kvm_patch p;

    /* not mapped now: it cannot be met before another stop */
    if (!cpu->ops->map(cpu, vaddr, ACCESS_FETCH, cpu->ops->data_mode(cpu), true, &page, &fault))
        return;
    p.paddr = page.paddr;
    if (space_read(cpu->as, p.paddr, p.old, n, MEM_ATTR_DEBUG) != MEM_OK)
        return;
    space_write_rom(cpu->as, p.paddr, kvm->guest->breakpoint, n);
    g_array_append_val(kvm->patches, p);
}

/* gdb sets each breakpoint for all CPUs. */
void patches_insert(struct kvm *kvm)
{
    struct cpu *cpu = kvm->vm.machine->cpus->pdata[0];

    for (unsigned i = kvm->guest->first_patched(cpu); i < cpu->breakpoints->len; i++)
        insert(kvm, cpu, g_array_index(cpu->breakpoints, struct cpu_breakpoint, i).pc);
}

void patches_remove(struct kvm *kvm)
{
    struct cpu *cpu = kvm->vm.machine->cpus->pdata[0];

    for (unsigned i = 0; i < kvm->patches->len; i++) {
        struct kvm_patch *p = &g_array_index(kvm->patches, struct kvm_patch, i);

        space_write_rom(cpu->as, p->paddr, p->old, kvm->guest->breakpoint_size);
    }
    g_array_set_size(kvm->patches, 0);
}
