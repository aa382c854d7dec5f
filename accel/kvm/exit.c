/*
 * Returns from the kernel: accesses to devices, and everything after which a guest cannot go on.
 */
#include <inttypes.h>
#include <string.h>
#include <base/bits.h>
#include <base/log.h>
#include <base/loop.h>
#include "kvm.h"

static struct address_space *memory_of(const struct kvm_cpu *k)
{
    struct machine *m = k->kvm->vm.machine;

#ifdef KVM_RUN_X86_SMM
    if (k->v.run->flags & KVM_RUN_X86_SMM && m->smm_memory)
        return m->smm_memory;
#endif
    return &m->memory;
}

static void do_mmio(struct kvm_cpu *k)
{
    struct kvm_run *run = k->v.run;
    uint64_t addr = slots_fold(k->kvm, run->mmio.phys_addr);

    k->unfinished = true;
    if (run->mmio.is_write)
        space_write(memory_of(k), addr, run->mmio.data, run->mmio.len, 0);
    else
        space_read(memory_of(k), addr, run->mmio.data, run->mmio.len, 0);
}

/* String instructions hand over several at once. */
static void do_port(struct kvm_cpu *k)
{
    struct kvm_run *run = k->v.run;
    struct address_space *ports = &k->kvm->vm.machine->ports;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    uint64_t val = 0;

    k->unfinished = true;
    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
        if (run->io.direction == KVM_EXIT_IO_OUT) {
            space_store(ports, run->io.port, run->io.size, ldn_le(data, run->io.size), 0);
        } else {
            if (space_load(ports, run->io.port, run->io.size, &val, 0) != MEM_OK)
                val = UINT64_MAX;
            stn_le(data, run->io.size, val);
        }
    }
}

static void ring_full(struct kvm_cpu *k)
{
    struct loop *loop = k->kvm->vm.machine->loop;
    bool taken = loop_lock_if(loop);
    unsigned n = ring_harvest(k->kvm);

    loop_unlock_if(loop, taken);
    if (!n && ++k->full_in_vain == 100)
        exit_fail(k, "the ring of written pages is full, and nothing new is in it: the host's KVM "
                     "has written past its end; a larger dirty-ring-size may help");
    else if (n)
        k->full_in_vain = 0;
}

/* Does not run again before the machine has done what was asked of it. */
static void hold(struct cpu *cpu)
{
    __atomic_store_n(&cpu->stop_request, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(&cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
}

/* This CPU stops now, and the machine soon. */
static void stop(struct kvm_cpu *k, enum run_state why)
{
    hold(k->v.cpu);
    machine_request_stop(k->v.cpu->machine, why);
}

void exit_fail(struct kvm_cpu *k, const char *why)
{
    struct cpu *cpu = k->v.cpu;
    g_autoptr(GString) out = g_string_new(NULL);

    kvm_take_registers(&k->v);
    cpu->ops->dump(cpu, out);
    fprintf(stderr, "myna: kvm: CPU %u cannot go on: %s\n%s", cpu->index, why, out->str);
    stop(k, RUN_INTERNAL_ERROR);
}

/* The instruction that stopped the kernel, where it says which. */
static bool append_instruction(const struct kvm_run *run, GString *out)
{
    uint32_t n = MIN(run->emulation_failure.insn_size, sizeof(run->emulation_failure.insn_bytes));

    if (run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION || run->internal.ndata < 3 ||
        !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
        return false;
    g_string_append(out, ", bytes from its first on:");
    for (uint32_t i = 0; i < n; i++)
        g_string_append_printf(out, " %02x", run->emulation_failure.insn_bytes[i]);
    g_string_append(out, " (-accel tcg runs it)");
    return true;
}

static void internal_error(struct kvm_cpu *k)
{
    const struct kvm_run *run = k->v.run;
    g_autoptr(GString) why = g_string_new(NULL);
    static const char *const kinds[] = { "", "an instruction that it cannot emulate",
                                         "an exception while another was delivered",
                                         "an exit while an event was delivered",
                                         "an exit that it does not know" };
    uint32_t n = run->internal.suberror;

    g_string_printf(why, "the host's KVM gave up: %s (%u)",
                    n < G_N_ELEMENTS(kinds) && n ? kinds[n] : "unknown error", n);
    if (append_instruction(run, why)) {
        exit_fail(k, why->str);
        return;
    }
    for (uint32_t i = 0; i < MIN(run->internal.ndata, G_N_ELEMENTS(run->internal.data)); i++)
        g_string_append_printf(why, " %016" PRIx64, (uint64_t)run->internal.data[i]);
    exit_fail(k, why->str);
}

static void unknown(struct kvm_cpu *k, const char *what, uint64_t number)
{
    g_autofree char *why = g_strdup_printf("%s %#" PRIx64, what, number);

    exit_fail(k, why);
}

/* The kernel has an interface by which its guest asks for this (4.44, KVM_EXIT_SYSTEM_EVENT). */
static void system_event(struct kvm_cpu *k)
{
    struct machine *m = k->kvm->vm.machine;

    switch (k->v.run->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        machine_request_shutdown(m, CAUSE_GUEST_SHUTDOWN, 0);
        hold(k->v.cpu);
        break;
    case KVM_SYSTEM_EVENT_RESET:
        machine_request_reset(m, CAUSE_GUEST_RESET);
        hold(k->v.cpu);
        break;
    case KVM_SYSTEM_EVENT_CRASH: machine_panicked(m); break;
    default: unknown(k, "unknown event of the system,", k->v.run->system_event.type); break;
    }
}

void exit_handle(struct kvm_cpu *k)
{
    const struct kvm_run *run = k->v.run;

    late_drain(k->kvm);
    switch (run->exit_reason) {
    case KVM_EXIT_MMIO: do_mmio(k); return;
    case KVM_EXIT_IO: do_port(k); return;
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN: return; /* looked at before the next entry */
    case KVM_EXIT_DIRTY_RING_FULL: ring_full(k); return;
    case KVM_EXIT_FAIL_ENTRY:
        unknown(k, "the host's CPU refused to enter the guest, reason",
                run->fail_entry.hardware_entry_failure_reason);
        return;
    case KVM_EXIT_UNKNOWN:
        unknown(k, "an exit of the host's CPU that its KVM does not know, reason",
                run->hw.hardware_exit_reason);
        return;
    case KVM_EXIT_INTERNAL_ERROR: internal_error(k); return;
    case KVM_EXIT_SYSTEM_EVENT: system_event(k); return;
    default: break;
    }
    switch (k->kvm->guest->exit(&k->v)) {
    case KVM_DONE: break;
    case KVM_STOPPED: stop(k, RUN_DEBUG); break;
    case KVM_UNKNOWN: unknown(k, "unknown reason for leaving the guest,", run->exit_reason); break;
    }
}
