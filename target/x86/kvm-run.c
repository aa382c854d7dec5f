/*
 * x86 CPUs on KVM: making them, interrupts before they run, and exits of their own.
 */
#include <errno.h>
#include <asm/kvm_para.h>
#include <linux/kvm_para.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/machine.h>
#include "feature.h"
#include "kvm.h"
#include "smm.h"
#include "sys.h"

enum { MSR_APIC_BASE = 0x1b };

static bool vm_init(struct kvm_vm *vm, GError **err)
{
    uint64_t identity = KVM_X86_IDENTITY;

    if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0)
        return error_set_errno(err, errno, "-accel kvm: KVM_SET_IDENTITY_MAP_ADDR");
    if (ioctl(vm->fd, KVM_SET_TSS_ADDR, (unsigned long)KVM_X86_TSS) < 0)
        return error_set_errno(err, errno, "-accel kvm: KVM_SET_TSS_ADDR");
    vm->smm = kvm_check(vm, KVM_CAP_X86_SMM) && kvm_check(vm, KVM_CAP_MULTI_ADDRESS_SPACE) > 1;
    if (!vm->smm)
        log_printf(LOG_UNIMP, "kvm: the host has no system management mode for guests\n");
    return true;
}

static bool vcpu_init(struct kvm_vcpu *v, GError **err)
{
    struct kvm_x86 *x = g_new0(struct kvm_x86, 1);
    struct x86_cpu *c = x86_of(v->cpu);
    int khz, size = kvm_check(v->vm, KVM_CAP_XSAVE2);

    v->guest = x;
    x->xsave_size = MAX((size_t)size, sizeof(struct kvm_xsave));
    x->xsave = g_malloc0(x->xsave_size);
    if (!kvm_x86_hyperv_init(v, err) || !kvm_x86_set_cpuid(v, err))
        return false;
    kvm_x86_msr_init(v);
    khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);
    if (khz > 0)
        c->tsc_hz = (uint64_t)khz * 1000;
    return true;
}

/* kvmclock stands while the machine does, and is saved with the first CPU. */
static void vm_stopped(struct kvm_vm *vm)
{
    struct x86_cpu *first = x86_of(vm->machine->cpus->pdata[0]);
    struct kvm_clock_data d;

    if (!first->kvm_clock && ioctl(vm->fd, KVM_GET_CLOCK, &d) == 0)
        first->kvm_clock = d.clock;
}

static void vm_goes_on(struct kvm_vm *vm)
{
    struct x86_cpu *first = x86_of(vm->machine->cpus->pdata[0]);
    struct kvm_clock_data d = { .clock = first->kvm_clock };

    if (d.clock)
        (void)ioctl(vm->fd, KVM_SET_CLOCK, &d);
    first->kvm_clock = 0;
}

/* With an APIC in the kernel, its number is the CPU's. */
static unsigned long vcpu_id(const struct cpu *cpu)
{
    return x86_of_const(cpu)->apic_id;
}

static uint64_t dead_lines(const struct cpu *cpu)
{
    return x86_of_const(cpu)->a20 ? 0 : BIT(20);
}

static void vcpu_free(struct kvm_vcpu *v)
{
    if (!v->guest)
        return;
    kvm_x86_msr_free(v);
    g_free(kvm_x86_of(v)->xsave);
    g_free(v->guest);
    v->guest = NULL;
}

/* ---- before it runs ---- */

static uint32_t lines_of(const struct x86_cpu *c)
{
    return __atomic_load_n(&c->lines, __ATOMIC_SEQ_CST);
}

static bool take_line(struct x86_cpu *c, enum x86_irq line)
{
    uint32_t bit = 1u << line;

    return lines_of(c) & bit && __atomic_fetch_and(&c->lines, ~bit, __ATOMIC_SEQ_CST) & bit;
}

static void simple_ioctl(struct kvm_vcpu *v, unsigned long request, const char *what)
{
    if (ioctl(v->fd, request, 0) < 0)
        log_printf(LOG_UNIMP, "kvm: cpu %u: %s: %s\n", v->cpu->index, what, g_strerror(errno));
}

/* INIT, and what comes to one that waits for its start-up IPI. */
static void start_or_init(struct kvm_vcpu *v, struct x86_cpu *c)
{
    kvm_take_registers(v);
    if (c->wait_sipi) {
        x86_take_interrupt(v->cpu);
    } else if (!c->in_smm && take_line(c, X86_IRQ_INIT)) {
        x86_init(c);
        kvm_x86_forget(v);
    }
}

/* An interrupt of controllers outside of the kernel: now, or at the next chance. */
static void give_interrupt(struct kvm_vcpu *v, struct x86_cpu *c)
{
    struct kvm_interrupt irq;
    int vector;

    if (v->vm->irqchip == KVM_IRQCHIP_ON)
        return;
    v->run->request_interrupt_window = 0;
    if (!(lines_of(c) & 1u << X86_IRQ_INTR))
        return;
    if (v->ours || !v->run->ready_for_interrupt_injection || !v->run->if_flag) {
        v->run->request_interrupt_window = 1;
        return;
    }
    vector = c->irqchip && c->irqchip->ack ? c->irqchip->ack(c->irqchip_opaque) : -1;
    if (vector < 0)
        return;
    irq.irq = (uint32_t)vector;
    if (ioctl(v->fd, KVM_INTERRUPT, &irq) < 0)
        log_printf(LOG_UNIMP, "kvm: interrupt %#x is lost: %s\n", irq.irq, g_strerror(errno));
    __atomic_store_n(&v->cpu->halted, 0, __ATOMIC_SEQ_CST);
    v->run->ready_for_interrupt_injection = 0;
    if (lines_of(c) & 1u << X86_IRQ_INTR)
        v->run->request_interrupt_window = 1;
}

/*
 * Whether an NMI from outside gets in: where the local APIC is the kernel's its messages are, too,
 * and what comes here is the board's line, which ends at LINT1 (volume 3, 10.5.1), or at the CPU
 * while the APIC is off.
 */
static bool takes_nmi(struct kvm_vcpu *v)
{
    enum {
        LINT1 = 0x360,
        MODE_MASKED = 1 << 16 | 7 << 8,
        MODE_NMI = 4 << 8,
        BASE_ENABLE = 1 << 11
    };
    struct kvm_lapic_state page;
    uint32_t lvt;

    if (v->vm->irqchip == KVM_IRQCHIP_OFF || !(v->run->apic_base & BASE_ENABLE) ||
        ioctl(v->fd, KVM_GET_LAPIC, &page) < 0)
        return true;
    memcpy(&lvt, page.regs + LINT1, sizeof(lvt));
    return (lvt & MODE_MASKED) == MODE_NMI;
}

static void before_run(struct kvm_vcpu *v)
{
    struct x86_cpu *c = x86_of(v->cpu);
    uint32_t lines = lines_of(c);

    if (v->vm->irqchip == KVM_IRQCHIP_OFF && (c->wait_sipi || lines & 1u << X86_IRQ_INIT))
        start_or_init(v, c);
    if (c->wait_sipi &&
        v->vm->irqchip == KVM_IRQCHIP_OFF) /* else the kernel has started it, unseen by us */
        return;
    if (__builtin_expect(lines & (1u << X86_IRQ_NMI | 1u << X86_IRQ_SMI), 0)) {
        if (take_line(c, X86_IRQ_NMI) && takes_nmi(v))
            simple_ioctl(v, KVM_NMI, "KVM_NMI");
        if (take_line(c, X86_IRQ_SMI) && v->vm->smm)
            simple_ioctl(v, KVM_SMI, "KVM_SMI");
        __atomic_store_n(&v->cpu->halted, 0, __ATOMIC_SEQ_CST);
    }
    give_interrupt(v, c);
    if (v->vm->irqchip == KVM_IRQCHIP_OFF)
        v->run->cr8 = x86_get_cr8(c);
}

/* ---- after it ran ---- */

/* CR8 and the APIC's base are registers of the CPU to the kernel, of the APIC to us. */
static void after_run(struct kvm_vcpu *v)
{
    struct x86_cpu *c = x86_of(v->cpu);
    struct kvm_x86 *x = kvm_x86_of(v);

    if (v->vm->irqchip != KVM_IRQCHIP_OFF)
        return;
    if (v->run->if_flag)
        c->eflags |= FLAG_IF;
    else
        c->eflags &= ~(uint64_t)FLAG_IF;
    if (v->run->cr8 != x86_get_cr8(c))
        x86_set_cr8(c, v->run->cr8);
    if (v->run->apic_base != x->apic_base && c->irqchip && c->irqchip->write_msr) {
        x->apic_base = v->run->apic_base;
        c->irqchip->write_msr(c->irqchip_opaque, MSR_APIC_BASE, x->apic_base);
    }
}

static void halt(struct kvm_vcpu *v, struct x86_cpu *c)
{
    struct kvm_vcpu_events e;

    /* an NMI in front of whose end another one waits does not wake it */
    if (lines_of(c) & 1u << X86_IRQ_NMI && ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e) == 0)
        c->nmi_blocked = e.nmi.masked;
    else
        c->nmi_blocked = false;
    c->in_smm = v->run->flags & KVM_RUN_X86_SMM;
    cpu_halt(&c->cpu);
}

static void shut_down(struct kvm_vcpu *v, struct x86_cpu *c)
{
    kvm_x86_of(v)->was_shut_down = true;
    if (c->platform && c->platform->shutdown)
        c->platform->shutdown(c->platform_opaque);
    /* Only reset gets out of it; until that comes nothing is to run. */
    __atomic_store_n(&v->cpu->stop_request, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(&v->cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
}

static enum kvm_done on_exit_reason(struct kvm_vcpu *v)
{
    struct x86_cpu *c = x86_of(v->cpu);

    switch (v->run->exit_reason) {
    case KVM_EXIT_HLT: halt(v, c); return KVM_DONE;
    case KVM_EXIT_SHUTDOWN: shut_down(v, c); return KVM_DONE;
    case KVM_EXIT_DEBUG: return kvm_x86_debug_exit(v);
    case KVM_EXIT_SET_TPR:
    case KVM_EXIT_TPR_ACCESS: return KVM_DONE; /* after_run() has seen it */
    case KVM_EXIT_IOAPIC_EOI:
        c->irqchip->eoi(c->irqchip_opaque, v->run->eoi.vector);
        return KVM_DONE;
    case KVM_EXIT_HYPERV: return kvm_x86_hyperv_exit(v);
    case KVM_EXIT_HYPERCALL: /* one that only we could do, and do not */
        v->run->hypercall.ret = (__u64)-KVM_ENOSYS;
        return KVM_DONE;
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
        v->run->msr.error = 1; /* #GP */
        return KVM_DONE;
    case KVM_EXIT_X86_BUS_LOCK: return KVM_DONE; /* told of, and done */
    case KVM_EXIT_NOTIFY:
        return v->run->notify.flags & KVM_NOTIFY_CONTEXT_INVALID ? KVM_UNKNOWN : KVM_DONE;
    default: return KVM_UNKNOWN;
    }
}

const struct kvm_guest x86_kvm = {
    .host = "x86_64",
    .set_trial = kvm_x86_set_trial,
    .vm_init = vm_init,
    .chips = &kvm_x86_chips,
    .vm_stopped = vm_stopped,
    .vm_goes_on = vm_goes_on,
    .vcpu_id = vcpu_id,
    .vcpu_init = vcpu_init,
    .vcpu_free = vcpu_free,
    .dead_lines = dead_lines,
    .general = kvm_x86_general,
    .get = kvm_x86_get,
    .put = kvm_x86_put,
    .reset = kvm_x86_forget,
    .set_debug = kvm_x86_set_debug,
    .first_patched = kvm_x86_first_patched,
    .breakpoint = { 0xcc },
    .breakpoint_size = 1,
    .before_run = before_run,
    .after_run = after_run,
    .exit = on_exit_reason,
};
